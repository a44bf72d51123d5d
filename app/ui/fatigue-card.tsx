import { Badge, BlockStack, Card, InlineStack, ProgressBar, Text } from '@shopify/polaris'
import { useId } from 'react'

import { FATIGUE_STOP_SHARE, FATIGUE_WARN_SHARE, FATIGUE_WINDOW_DAYS, judgeFatigue } from '#app/loyalty/fatigue.ts'
import { showDay, showRate, showShare } from '#app/ui/words.ts'

type FatigueCardProps = {
  peak: { share: number; endsAt: number }
  /** Share of the last 90 days' orders that carried a discount; null where there were none, left out where it is not asked for. */
  ordersShare?: number | null
  timezone: string
}

/** How much of the time, and of the orders, is on discount: what is bought only when it is cheaper is not loyalty. */
export function FatigueCard({ peak, ordersShare, timezone }: FatigueCardProps) {
  const label = useId()
  const { share, endsAt } = peak
  const verdict = judgeFatigue(share, ordersShare ?? null)
  return (
    <Card>
      <BlockStack gap="300">
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Text as="h2" variant="headingMd" id={label}>
            Not all year
          </Text>
          <Badge tone={BADGES[verdict].tone}>{BADGES[verdict].text}</Badge>
        </InlineStack>
        <Text as="p">{`On discount: ${Math.round(share * FATIGUE_WINDOW_DAYS)} of ${FATIGUE_WINDOW_DAYS} days (${showRate(share)})`}</Text>
        <ProgressBar
          progress={Math.min(100, share * 100)}
          size="small"
          tone={judgeFatigue(share) === 'stop' ? 'critical' : 'primary'}
          ariaLabelledBy={label}
        />
        <Text as="p" variant="bodySm" tone="subdued">
          {share === 0
            ? 'No campaign takes money off in these days.'
            : `At most, in the ${FATIGUE_WINDOW_DAYS} days until ${showDay(endsAt - 1, timezone)}.`}
        </Text>
        {ordersShare !== undefined && (
          <Text as="p">
            {ordersShare === null
              ? `No orders in the last ${FATIGUE_WINDOW_DAYS} days.`
              : `Orders with a discount, last ${FATIGUE_WINDOW_DAYS} days: ${showRate(ordersShare)}`}
          </Text>
        )}
        <Text as="p" variant="bodySm" tone="subdued">
          {`Customers who can wait for a discount do. We warn from ${showShare(FATIGUE_WARN_SHARE)} of days or of orders; from ${showShare(FATIGUE_STOP_SHARE)} of either, more discount needs a reason.`}
        </Text>
      </BlockStack>
    </Card>
  )
}

const BADGES = {
  fine: { text: 'Fine', tone: 'success' },
  warn: { text: 'A lot', tone: 'warning' },
  stop: { text: 'Too much', tone: 'critical' },
} as const

import { Badge, BlockStack, Card, InlineStack, ProgressBar, Text } from '@shopify/polaris'
import { useId } from 'react'

import { FATIGUE_STOP_SHARE, FATIGUE_WARN_SHARE, FATIGUE_WINDOW_DAYS } from '#app/loyalty/fatigue.ts'
import { showDay, showRate, showShare } from '#app/ui/words.ts'

type FatigueCardProps = {
  peak: { share: number; endsAt: number }
  /** Share of the last 90 days' orders that carried a discount; null where there were none, left out where it is not asked for. */
  ordersShare?: number | null
  timezone: string
}

/** How much of the time something is on discount: what is bought only when it is cheaper is not loyalty. */
export function FatigueCard({ peak, ordersShare, timezone }: FatigueCardProps) {
  const label = useId()
  const { share, endsAt } = peak
  return (
    <Card>
      <BlockStack gap="300">
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Text as="h2" variant="headingMd" id={label}>
            Not all year
          </Text>
          <FatigueBadge share={share} />
        </InlineStack>
        <Text as="p">{`On discount: ${Math.round(share * FATIGUE_WINDOW_DAYS)} of ${FATIGUE_WINDOW_DAYS} days (${showRate(share)})`}</Text>
        <ProgressBar
          progress={Math.min(100, share * 100)}
          size="small"
          tone={share >= FATIGUE_STOP_SHARE ? 'critical' : 'primary'}
          ariaLabelledBy={label}
        />
        <Text as="p" variant="bodySm" tone="subdued">
          {share === 0
            ? 'No campaign takes money off in these days.'
            : `At most, in the ${FATIGUE_WINDOW_DAYS} days until ${showDay(endsAt - 1, timezone)}. We warn from ${showShare(FATIGUE_WARN_SHARE)} and ask for a reason from ${showShare(FATIGUE_STOP_SHARE)}: customers who can wait for a discount do.`}
        </Text>
        {ordersShare !== undefined && (
          <Text as="p">
            {ordersShare === null
              ? `No orders in the last ${FATIGUE_WINDOW_DAYS} days.`
              : `Orders with a discount, last ${FATIGUE_WINDOW_DAYS} days: ${showRate(ordersShare)}`}
          </Text>
        )}
      </BlockStack>
    </Card>
  )
}

function FatigueBadge({ share }: { share: number }) {
  if (share >= FATIGUE_STOP_SHARE) return <Badge tone="critical">Too much</Badge>
  if (share >= FATIGUE_WARN_SHARE) return <Badge tone="warning">A lot</Badge>
  return <Badge tone="success">Fine</Badge>
}

import { BlockStack, Card, ProgressBar, Text } from '@shopify/polaris'
import { useId } from 'react'

import type { MemberCard } from '#app/loyalty/member-card.ts'
import { sayPlaced } from '#app/ui/member-change.ts'
import { showCount, showDay, showMoney, showPoints, type PointsName } from '#app/ui/words.ts'

type MemberTierProps = {
  tier: string
  since: number | null
  /** That it was chosen by hand; `by` in words, null where it is not known. */
  placed: { until: number | null; reason: string; by: string | null } | null
  progress: MemberCard['progress']
  currency: string
  pointsName: PointsName
  timezone: string
}

/** The member's tier, and what is still missing to the next one. */
export function MemberTier({ tier, since, placed, progress, currency, pointsName, timezone }: MemberTierProps) {
  const label = useId()
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Tier
        </Text>
        <Text as="p" id={label}>
          {`${tier}${since === null ? '' : ` since ${showDay(since, timezone)}`}`}
        </Text>
        {placed && (
          <BlockStack>
            <Text as="p">{sayPlaced(placed, timezone)}</Text>
            {placed.reason && <Text as="p" variant="bodySm">{`“${placed.reason}”`}</Text>}
          </BlockStack>
        )}
        {progress ? (
          <>
            <ProgressBar progress={progress.percent} size="small" tone="primary" ariaLabelledBy={label} />
            <Text as="p" tone="subdued">
              {`${sayMissing(progress, currency, pointsName)} to ${progress.next.name}`}
            </Text>
          </>
        ) : (
          <Text as="p" tone="subdued">
            The highest there is.
          </Text>
        )}
      </BlockStack>
    </Card>
  )
}

function sayMissing({ metric, missing }: NonNullable<MemberCard['progress']>, currency: string, name: PointsName) {
  if (metric === 'spend') return `${showMoney(missing, currency)} of spending`
  if (metric === 'orders') return `${showCount(Number(missing))} ${missing === '1' ? 'order' : 'orders'}`
  return showPoints(Number(missing), name)
}

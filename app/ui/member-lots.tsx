import { Badge, BlockStack, Button, Card, InlineStack, Text } from '@shopify/polaris'

import type { RewardType } from '#app/loyalty/program.ts'
import { givesCode } from '#app/loyalty/rewards.ts'
import { showCount, showDay, showPoints, type PointsName } from '#app/ui/words.ts'

type Lot = { key: string; pending: number; available: number; releaseAt: number | null; expiresAt: number | null }

/** What waits and until when, what can be spent and until when; in the order in which it will be spent. */
export function MemberLots({ lots, pointsName, timezone }: { lots: Lot[]; pointsName: PointsName; timezone: string }) {
  const waiting = lots.filter((lot) => lot.pending > 0).sort((a, b) => (a.releaseAt ?? 0) - (b.releaseAt ?? 0))
  const available = lots.filter((lot) => lot.available > 0)
  return (
    <Card>
      <BlockStack gap="400">
        <Text as="h2" variant="headingMd">
          Points on hand
        </Text>
        {lots.length === 0 && <Text as="p" tone="subdued">{`No ${pointsName.other} at the moment.`}</Text>}
        {waiting.length > 0 && (
          <BlockStack gap="200">
            <Text as="h3" variant="headingSm">
              Waiting
            </Text>
            {waiting.map((lot) => (
              <Row
                key={lot.key}
                points={showPoints(lot.pending, pointsName)}
                when={lot.releaseAt === null ? '' : `from ${showDay(lot.releaseAt, timezone)}`}
              />
            ))}
          </BlockStack>
        )}
        {available.length > 0 && (
          <BlockStack gap="200">
            <Text as="h3" variant="headingSm">
              To spend, soonest to expire first
            </Text>
            {available.map((lot) => (
              <Row
                key={lot.key}
                points={showPoints(lot.available, pointsName)}
                when={lot.expiresAt === null ? 'no end' : `until ${showDay(lot.expiresAt - 1, timezone)}`}
              />
            ))}
          </BlockStack>
        )}
      </BlockStack>
    </Card>
  )
}

function Row({ points, when }: { points: string; when: string }) {
  return (
    <InlineStack align="space-between" gap="200">
      <Text as="span">{points}</Text>
      <Text as="span" tone="subdued">
        {when}
      </Text>
    </InlineStack>
  )
}

type Redemption = {
  id: string
  reward: string
  type: RewardType
  points: number
  returnedPoints: number
  ranOutPoints: number
  state: string
  code: string | null
  reservedAt: number
  expiresAt: number | null
  usedAt: number | null
}

type MemberRewardsProps = {
  redemptions: Redemption[]
  pointsName: PointsName
  timezone: string
  /** Asks whether an unused code should be taken back. */
  onTakeBack: (code: string) => void
}

const STATES: Record<string, { text: string; tone: 'success' | 'info' | 'attention' | undefined }> = {
  reserved: { text: 'Being issued', tone: 'info' },
  issued: { text: 'Not used yet', tone: 'attention' },
  ending: { text: 'Being taken back', tone: 'info' },
  used: { text: 'Used', tone: 'success' },
  returned: { text: 'Given back', tone: undefined },
  released: { text: 'Not issued', tone: undefined },
}

/** Gift cards and store credit are spent outside our sight: they were handed out, and that is all there is to say. */
function RedemptionState({ state, type }: Pick<Redemption, 'state' | 'type'>) {
  if (state === 'issued' && !givesCode(type)) return <Badge tone="success">Handed out</Badge>
  return <Badge tone={STATES[state]?.tone}>{STATES[state]?.text ?? state}</Badge>
}

/** Rewards the member took, newest first, each with its code and what became of it. */
export function MemberRewards({ redemptions, pointsName, timezone, onTakeBack }: MemberRewardsProps) {
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Rewards taken
        </Text>
        {redemptions.length === 0 && (
          <Text as="p" tone="subdued">
            None yet.
          </Text>
        )}
        {redemptions.map((one) => (
          <BlockStack key={one.id} gap="050">
            <InlineStack align="space-between" gap="200">
              <Text as="span" fontWeight="medium">
                {one.code ?? one.reward}
              </Text>
              <RedemptionState {...one} />
            </InlineStack>
            <Text as="p" variant="bodySm" tone="subdued">
              {`${showPoints(one.points, pointsName)} · ${showDay(one.reservedAt, timezone)}`}
              {one.returnedPoints > 0 && ` · ${showPoints(one.returnedPoints, pointsName)} given back`}
              {one.ranOutPoints > 0 && `, ${showCount(one.ranOutPoints)} of which had run out`}
              {one.state === 'issued' && one.expiresAt !== null && ` · until ${showDay(one.expiresAt, timezone)}`}
            </Text>
            {one.state === 'issued' && one.code !== null && givesCode(one.type) && (
              <InlineStack>
                <Button
                  variant="plain"
                  onClick={() => onTakeBack(one.code ?? '')}
                  accessibilityLabel={`Take back ${one.code}`}
                >
                  Take back
                </Button>
              </InlineStack>
            )}
          </BlockStack>
        ))}
      </BlockStack>
    </Card>
  )
}

import { Link } from '@remix-run/react'
import { Badge, BlockStack, Box, Card, Divider, InlineGrid, InlineStack, Text } from '@shopify/polaris'

import type { CardReward } from '#app/loyalty/member-card.ts'
import { showCount, showList, showPoints, type PointsName } from '#app/ui/words.ts'

type Figures = { taken: number; unused: number; codesReady: number | null; codesError: string | null }

type Reward = CardReward & { figures: Figures | null; freeProducts: string[] }

type RewardsListProps = { rewards: Reward[]; pointsName: PointsName; titles: Record<string, string> }

/** Each reward as shoppers see it, with how often it was taken and whether codes are ready. */
export function RewardsList({ rewards, pointsName, titles }: RewardsListProps) {
  return (
    <Card padding="0">
      {rewards.map((reward, index) => (
        <Box key={reward.id}>
          {index > 0 && <Divider />}
          <Box padding="400">
            <InlineGrid columns={BESIDE_ON_A_DESK} alignItems="start" gap="200">
              <BlockStack gap="100">
                <Text as="h2" variant="headingSm">
                  <Link to={`/app/rewards/${encodeURIComponent(reward.id)}`} style={{ color: 'inherit' }}>
                    {`${reward.label} for ${sayCost(reward, pointsName)}`}
                  </Link>
                </Text>
                {reward.freeProducts.some((id) => titles[id]) && (
                  <Text as="p" variant="bodySm">
                    {showList(reward.freeProducts.map((id) => titles[id]).filter((title) => title !== undefined))}
                  </Text>
                )}
                {reward.conditions.length > 0 && (
                  <Text as="p" variant="bodySm" tone="subdued">
                    {reward.conditions.join(' · ')}
                  </Text>
                )}
                {reward.figures?.codesError && (
                  <Text as="p" variant="bodySm" tone="critical">
                    {`Shopify cannot make codes for it: ${reward.figures.codesError}`}
                  </Text>
                )}
              </BlockStack>
              <InlineStack gap="200" blockAlign="center">
                <Text as="span" tone="subdued">
                  {sayTaken(reward.figures)}
                </Text>
                {reward.figures?.codesReady != null && <CodesBadge ready={reward.figures.codesReady} />}
              </InlineStack>
            </InlineGrid>
          </Box>
        </Box>
      ))}
    </Card>
  )
}

/** Below it on a phone, of every reward alike, however long its name is. */
const BESIDE_ON_A_DESK = { xs: 1, sm: '1fr auto' }

/** What a reward costs: "500 points", or for a variable one "any 100 points, from 500". */
export function sayCost(reward: CardReward, name: PointsName): string {
  if (!reward.variable) return showPoints(reward.cost, name)
  const { perPoints, minimum } = reward.variable
  return minimum > perPoints
    ? `each ${showPoints(perPoints, name)}, from ${showCount(minimum)}`
    : `each ${showPoints(perPoints, name)}`
}

function sayTaken(figures: Figures | null): string {
  if (!figures || figures.taken === 0) return 'Not taken yet'
  const times = figures.taken === 1 ? 'once' : `${showCount(figures.taken)} times`
  return `Taken ${times}${figures.unused > 0 ? `, ${showCount(figures.unused)} not used yet` : ''}`
}

function CodesBadge({ ready }: { ready: number }) {
  return ready > 0 ? (
    <Badge tone="success">{`${showCount(ready)} codes ready`}</Badge>
  ) : (
    <Badge tone="info">Codes are being made</Badge>
  )
}

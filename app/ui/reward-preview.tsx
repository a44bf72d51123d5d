import { BlockStack, Box, Card, Text } from '@shopify/polaris'

import { buildProgramCard, type ProductTitles } from '#app/loyalty/program-card.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { sayCost } from '#app/ui/rewards-list.tsx'

/** The reward as shoppers will read it, from the very card that the storefront gets. */
export function RewardPreview({ index, titles }: { index: number; titles: ProductTitles }) {
  const { parsed } = useProgramDraft()
  const card = parsed.ok ? buildProgramCard(parsed.program, 0, titles) : null
  const reward = card?.rewards[index]
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          What shoppers see
        </Text>
        {card && reward ? (
          <Box background="bg-surface-secondary" padding="400" borderRadius="200">
            <BlockStack gap="100">
              <Text as="p" variant="headingMd">
                {reward.label}
              </Text>
              <Text as="p">{sayCost(reward, card.pointsName)}</Text>
              {reward.conditions.map((condition) => (
                <Text as="p" variant="bodySm" tone="subdued" key={condition}>
                  {condition}
                </Text>
              ))}
            </BlockStack>
          </Box>
        ) : (
          <Text as="p" tone="subdued">
            Complete the form to see the reward.
          </Text>
        )}
      </BlockStack>
    </Card>
  )
}

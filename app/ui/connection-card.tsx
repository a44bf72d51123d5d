import { Badge, BlockStack, Button, Card, Divider, InlineStack, Text } from '@shopify/polaris'

import type { Check } from '#app/ui/health.ts'
import { useThemeBlocks, type ThemeBlocks } from '#app/ui/theme-blocks.ts'
import { showCount } from '#app/ui/words.ts'

type ConnectionCardProps = { checks: Check[]; setAside: number; apiKey: string }

const BADGES = {
  good: { tone: 'success', text: 'Working' },
  waiting: { tone: 'info', text: 'Not yet' },
  bad: { tone: 'warning', text: 'Needs a look' },
} as const

/** Is everything connected: one line for each step between a shopper's order and the points on the storefront. */
export function ConnectionCard({ checks, setAside, apiKey }: ConnectionCardProps) {
  const blocks = useThemeBlocks(apiKey)
  const all = [...checks, judgeBlocks(blocks), judgeSetAside(setAside)]
  const bad = all.filter((check) => check.state === 'bad').length
  return (
    <Card>
      <BlockStack gap="400">
        <InlineStack align="space-between" blockAlign="center">
          <Text as="h2" variant="headingMd">
            Is everything connected?
          </Text>
          {bad === 0 ? (
            <Badge tone="success">All is well</Badge>
          ) : (
            <Badge tone="warning">{`${bad} ${bad === 1 ? 'thing needs' : 'things need'} a look`}</Badge>
          )}
        </InlineStack>
        <BlockStack gap="300">
          {all.map((check, index) => (
            <BlockStack key={check.label} gap="300">
              {index > 0 && <Divider />}
              <Line check={check}>
                {check.label === BLOCKS_LABEL && blocks.state === 'available' && (
                  <Button url={blocks.editorUrl} target="_top" size="slim">
                    Open theme editor
                  </Button>
                )}
                {check.label === SET_ASIDE_LABEL && setAside > 0 && (
                  <Button url="/app/messages" size="slim">
                    See messages
                  </Button>
                )}
              </Line>
            </BlockStack>
          ))}
        </BlockStack>
      </BlockStack>
    </Card>
  )
}

function Line({ check, children }: { check: Check; children: React.ReactNode }) {
  const badge = BADGES[check.state]
  return (
    <InlineStack align="space-between" blockAlign="center" gap="200">
      <BlockStack gap="050">
        <Text as="p" variant="bodyMd" fontWeight="medium">
          {check.label}
        </Text>
        <Text as="p" variant="bodySm" tone="subdued">
          {check.text}
        </Text>
      </BlockStack>
      <InlineStack gap="200" blockAlign="center">
        {children}
        <Badge tone={badge.tone}>{badge.text}</Badge>
      </InlineStack>
    </InlineStack>
  )
}

const BLOCKS_LABEL = 'Shoppers see their points'
const SET_ASIDE_LABEL = 'Messages that need you'

function judgeBlocks({ state, active }: ThemeBlocks): Check {
  const label = BLOCKS_LABEL
  if (state === 'active') return { label, state: 'good', text: `In your theme: ${active.join(', ')}` }
  if (state === 'available') return { label, state: 'waiting', text: 'The loyalty block is not in your theme yet' }
  return { label, state: 'waiting', text: 'Asking Shopify about your theme' }
}

function judgeSetAside(setAside: number): Check {
  const label = SET_ASIDE_LABEL
  if (setAside === 0) return { label, state: 'good', text: 'None was set aside' }
  const text = `${showCount(setAside)} could not be worked on and ${setAside === 1 ? 'waits' : 'wait'} for you`
  return { label, state: 'bad', text }
}

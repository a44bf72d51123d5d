import { BlockStack, Box, Button, Card, Text } from '@shopify/polaris'
import type { ReactNode } from 'react'

type NothingYetProps = {
  heading: string
  children: ReactNode
  /** One button: what to do about it. */
  action?: ReactNode
}

/** What a list shows before it has anything: what would be here, and how it gets here. */
export function NothingYet({ heading, children, action }: NothingYetProps) {
  return (
    <Card>
      <Box paddingBlock="800" paddingInline="400">
        <BlockStack gap="400" inlineAlign="center">
          <BlockStack gap="200" inlineAlign="center">
            <Text as="h2" variant="headingMd" alignment="center">
              {heading}
            </Text>
            <Box maxWidth="32rem">
              <Text as="p" tone="subdued" alignment="center">
                {children}
              </Text>
            </Box>
          </BlockStack>
          {action}
        </BlockStack>
      </Box>
    </Card>
  )
}

/** In the place of what stands on the program while there is none: tiers, rewards, campaigns. */
export function ProgramFirst({ what }: { what: string }) {
  return (
    <NothingYet
      heading={`First the program, then ${what}`}
      action={
        <Button variant="primary" url="/app/program">
          Set up earning
        </Button>
      }
    >
      {`Choose how points are earned; ${what} come next.`}
    </NothingYet>
  )
}

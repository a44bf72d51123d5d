import { Link } from '@remix-run/react'
import { Badge, BlockStack, Box, Card, Divider, InlineStack, Text } from '@shopify/polaris'

import type { CampaignStatus } from '#app/ui/campaign-words.ts'
import { showInstant } from '#app/ui/words.ts'

/** A campaign as lists and the calendar show it; instants in epoch milliseconds. */
export type CampaignRow = {
  id: string
  name: string
  fromAt: number
  untilAt: number
  offer: string
  status: CampaignStatus
}

const STATUS = {
  running: { text: 'Running', tone: 'success' },
  paused: { text: 'Paused', tone: 'warning' },
  scheduled: { text: 'Scheduled', tone: 'info' },
  ended: { text: 'Ended', tone: undefined },
} as const

/** Where a campaign stands, as a badge. */
export function CampaignBadge({ status }: { status: CampaignStatus }) {
  return <Badge tone={STATUS[status].tone}>{STATUS[status].text}</Badge>
}

/** All campaigns, the latest beginning first. */
export function CampaignList({ campaigns, timezone }: { campaigns: CampaignRow[]; timezone: string }) {
  return (
    <Card padding="0">
      {campaigns.map((campaign, index) => (
        <Box key={campaign.id}>
          {index > 0 && <Divider />}
          <Box padding="400">
            <InlineStack align="space-between" blockAlign="start" gap="200" wrap={false}>
              <BlockStack gap="100">
                <Text as="h2" variant="headingSm">
                  <Link to={`/app/campaigns/${encodeURIComponent(campaign.id)}`} style={{ color: 'inherit' }}>
                    {campaign.name}
                  </Link>
                </Text>
                <Text as="p">{campaign.offer}</Text>
                <Text as="p" variant="bodySm" tone="subdued">
                  {`${showInstant(campaign.fromAt, timezone)} to ${showInstant(campaign.untilAt, timezone)}`}
                </Text>
              </BlockStack>
              <CampaignBadge status={campaign.status} />
            </InlineStack>
          </Box>
        </Box>
      ))}
    </Card>
  )
}

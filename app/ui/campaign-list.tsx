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
  /** When it really runs: pauses taken out. */
  times: { fromAt: number; untilAt: number }[]
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
                  {sayTimes(campaign, timezone)}
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

/** "3 Jul 2026, 00:00 to 9 Jul 2026, 00:00, with 1 pause"; a campaign that was called off never ran. */
function sayTimes({ fromAt, untilAt, times, status }: CampaignRow, timezone: string): string {
  if (times.length === 0) return `Was to start ${showInstant(fromAt, timezone)}; called off`
  // While it rests the last stretch is what is still planned, and the pause before it is what the badge says.
  const pauses = times.length - (status === 'paused' ? 2 : 1)
  const said = `${showInstant(fromAt, timezone)} to ${showInstant(untilAt, timezone)}`
  return pauses <= 0 ? said : `${said}, with ${pauses === 1 ? 'a pause' : `${pauses} pauses`}`
}

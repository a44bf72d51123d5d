import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Button, Layout, Page } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { findDiscountedShare } from '#app/db/campaign-figures.server.ts'
import { listCampaignRecords } from '#app/db/campaigns.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { findRunningTimes, listStops, withStops } from '#app/loyalty/campaigns.ts'
import { FATIGUE_WINDOW_DAYS, findFatiguePeak } from '#app/loyalty/fatigue.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { DAY_MS, toLocalDate } from '#app/loyalty/time.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { CampaignCalendar } from '#app/ui/campaign-calendar.tsx'
import { CampaignList } from '#app/ui/campaign-list.tsx'
import { findStatus, sayOffer } from '#app/ui/campaign-words.ts'
import { FatigueCard } from '#app/ui/fatigue-card.tsx'
import { NothingYet, ProgramFirst } from '#app/ui/nothing-yet.tsx'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Campaigns · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const at = now()
  const today = toLocalDate(at, shop.timezone)
  const published = await findPublishedProgram(shop.id)
  const month = readMonth(new URL(request.url).searchParams.get('month')) ?? { year: today.year, month: today.month }
  if (!published) return { campaigns: null, fatigue: null, month, today, timezone: shop.timezone }
  const [records, ordersShare] = await Promise.all([
    listCampaignRecords(shop.id),
    findDiscountedShare(shop.id, at - FATIGUE_WINDOW_DAYS * DAY_MS, at),
  ])
  // A paused campaign may go on at any moment, so what is planned stands.
  const stops = new Map([...records].map(([id, record]) => [id, listStops(record, at)]))
  const program = withStops(requireProgram(published.document), stops)
  const campaigns = program.campaigns.map((campaign, index) => {
    const { endedAt = null, pausedAt = null } = records.get(campaign.id) ?? {}
    return {
      id: campaign.id,
      name: campaign.name,
      fromAt: campaign.fromAt,
      untilAt: Math.max(campaign.fromAt, Math.min(campaign.untilAt, endedAt ?? campaign.untilAt)),
      times: findRunningTimes(campaign),
      offer: sayOffer(published.document.campaigns[index]!, program.currency),
      status: findStatus(campaign, at, endedAt, pausedAt),
    }
  })
  return {
    campaigns: campaigns.sort((a, b) => b.fromAt - a.fromAt),
    fatigue: { peak: findFatiguePeak(program.campaigns, at), ordersShare },
    month,
    today,
    timezone: shop.timezone,
  }
}

export default function Campaigns() {
  const { campaigns, fatigue, month, today, timezone } = useLoaderData<typeof loader>()
  return (
    <Page
      title="Campaigns"
      subtitle="Offers with a beginning and an end, in your store’s time"
      primaryAction={campaigns && { content: 'Add campaign', url: '/app/campaigns/new' }}
    >
      {campaigns === null && <ProgramFirst what="campaigns" />}
      {campaigns?.length === 0 && (
        <NothingYet heading="No campaigns yet" action={<Button url="/app/campaigns/new">Add campaign</Button>}>
          A campaign gives a discount, or more points, for a while. It starts and ends by itself, on the minute.
        </NothingYet>
      )}
      {campaigns && campaigns.length > 0 && (
        <Layout>
          <Layout.Section>
            <BlockStack gap="400">
              <CampaignList campaigns={campaigns} timezone={timezone} />
              <CampaignCalendar campaigns={campaigns} month={month} today={today} timezone={timezone} />
            </BlockStack>
          </Layout.Section>
          <Layout.Section variant="oneThird">
            {fatigue && <FatigueCard peak={fatigue.peak} ordersShare={fatigue.ordersShare} timezone={timezone} />}
          </Layout.Section>
        </Layout>
      )}
    </Page>
  )
}

/** "2026-11" as year and month; null for anything else. */
function readMonth(text: string | null): { year: number; month: number } | null {
  const match = /^(20\d\d)-(0[1-9]|1[0-2])$/.exec(text ?? '')
  return match ? { year: Number(match[1]), month: Number(match[2]) } : null
}

import { data, type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node'
import { useLoaderData, useNavigate } from '@remix-run/react'
import { BlockStack, Layout, Page } from '@shopify/polaris'
import { useState } from 'react'

import { now } from '#app/clock.server.ts'
import { findCampaignFigures, findCampaignRun, listArms } from '#app/db/campaign-figures.server.ts'
import {
  endCampaign,
  listCampaignRecords,
  pauseCampaign,
  resumeCampaign,
  type CampaignRecord,
} from '#app/db/campaigns.server.ts'
import { enqueueEffects } from '#app/db/outbox.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { isForSome, listStops, withStops } from '#app/loyalty/campaigns.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import type { Campaign, Stretch } from '#app/loyalty/program.ts'
import { DAY_MS, toLocalDate } from '#app/loyalty/time.ts'
import { RETENTION_SEGMENTS } from '#app/retention/segments.ts'
import { titlesOrNone } from '#app/shopify/titles.server.ts'
import { redirectInside, requireMerchant } from '#app/shopify.server.ts'
import { useCampaignActions } from '#app/ui/campaign-actions.ts'
import { CampaignForm } from '#app/ui/campaign-form.tsx'
import { CampaignBadge } from '#app/ui/campaign-list.tsx'
import { CampaignPreview } from '#app/ui/campaign-preview.tsx'
import { compareArms, whyUncompared } from '#app/ui/campaign-results.ts'
import { CampaignResults } from '#app/ui/campaign-results-card.tsx'
import { findStatus } from '#app/ui/campaign-words.ts'
import { ChangesCard } from '#app/ui/changes-card.tsx'
import { DraftFatigue } from '#app/ui/draft-fatigue.tsx'
import { EndCampaign } from '#app/ui/end-campaign.tsx'
import { ProblemsBanner } from '#app/ui/problems-banner.tsx'
import { ProgramDraftProvider } from '#app/ui/program-draft.tsx'
import { proposeCampaign } from '#app/ui/proposals.ts'
import { RefusalBanner } from '#app/ui/refusal-banner.tsx'
import { RemoveEntry } from '#app/ui/remove-entry.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'

export { keepPage as clientAction } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'
export { keepWhileLeaving as shouldRevalidate } from '#app/ui/use-publish.ts'

export const meta: MetaFunction<typeof loader> = ({ data: loaded }) => [
  { title: `${loaded?.title ?? 'Campaign'} · Perennial` },
]

const NO_TITLES: Record<string, string> = {}
const REMOVAL =
  'It stops giving anything at once. Orders already placed keep what they got. Its results are no longer shown.'

/** The editor of one campaign with its results; the id `new` proposes another. */
export async function loader({ request, params }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const published = await findPublishedProgram(shop.id)
  if (!published) return redirectInside(request, '/app/campaigns')
  const { document, version } = published
  const at = now()
  const isNew = params.id === 'new'
  const index = isNew ? document.campaigns.length : document.campaigns.findIndex((one) => one.id === params.id)
  if (index < 0) throw data({ message: 'There is no such campaign' }, 404)
  const proposal = proposeCampaign(
    document,
    localMidnight(at + DAY_MS, shop.timezone),
    localMidnight(at + 4 * DAY_MS, shop.timezone),
  )
  // A list of customers leads here with the segment that they are.
  const segment = new URL(request.url).searchParams.get('segment') ?? ''
  const audience = RETENTION_SEGMENTS.includes(segment) ? { audience: { segments: [segment] } } : {}
  const campaign = document.campaigns[index] ?? { ...proposal, ...audience }
  const records = await listCampaignRecords(shop.id)
  // A paused campaign may go on at any moment, so what is planned stands.
  const stops = [...records].map(([id, record]) => [id, listStops(record, at)] as const)
  const read = isNew ? null : withStops(requireProgram(document), new Map(stops)).campaigns[index]!
  const record = read ? records.get(read.id) : undefined
  return {
    isNew,
    index,
    title: isNew ? 'Add campaign' : campaign.name,
    published: { version, document },
    initial: isNew ? { ...document, campaigns: [...document.campaigns, campaign] } : document,
    status: read ? findStatus(read, at, record?.endedAt ?? null, record?.pausedAt ?? null) : null,
    results: read && read.fromAt <= at ? await findResults(shop.id, read, record, at) : null,
    stops,
    titles: titlesOrNone(admin, [...(campaign.products ?? []), ...(campaign.collections ?? [])]),
    segments: RETENTION_SEGMENTS,
    now: at,
    currency: shop.currency,
    timezone: shop.timezone,
  }
}

/** Pauses or resumes a campaign, or ends it now. Each may be repeated. */
export async function action({ request, params }: ActionFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const form = await request.formData()
  const published = await findPublishedProgram(shop.id)
  const campaign = published?.document.campaigns.find((one) => one.id === params.id)
  if (!campaign) throw data({ message: 'There is no such campaign' }, 404)
  const at = now()
  const hasBegun = requireProgram(published!.document).campaigns.some(
    ({ id, fromAt }) => id === campaign.id && fromAt <= at,
  )
  const steps: Partial<Record<string, { message: string; take: () => Promise<void> }>> = {
    end: {
      message: hasBegun ? 'The campaign is over' : 'The campaign is called off',
      take: () => endCampaign(shop.id, campaign.id, at, 'by hand'),
    },
    pause: { message: 'The campaign is paused', take: () => pauseCampaign(shop.id, campaign.id, at) },
    resume: { message: 'The campaign goes on', take: () => resumeCampaign(shop.id, campaign.id, at) },
  }
  const intent = form.get('intent')
  const step = typeof intent === 'string' && Object.hasOwn(steps, intent) ? steps[intent] : undefined
  if (!step) return data({ ok: false, message: 'This cannot be done here' }, 400)
  await step.take()
  // Shopify hears of it at once, not with the next minute.
  await enqueueEffects(shop.id, [{ kind: 'function-discounts', key: 'program', dueAt: at }], at)
  return data({ ok: true, message: step.message })
}

export default function CampaignPage() {
  const {
    titles: streamedTitles,
    isNew,
    index,
    title,
    published,
    initial,
    status,
    results,
    ...loaded
  } = useLoaderData<typeof loader>()
  const { stops, segments, now: at, currency, timezone } = loaded
  const titles = useResolved(streamedTitles, NO_TITLES)
  const navigate = useNavigate()
  const [removing, setRemoving] = useState(false)
  const [ending, setEnding] = useState(false)
  const campaign = (initial as ProgramDocument).campaigns[index]
  const { actions, refusal } = useCampaignActions(status, {
    onEnd: () => setEnding(true),
    onRemove: () => setRemoving(true),
  })
  const backToList = isNew ? () => navigate('/app/campaigns') : undefined
  return (
    <ProgramDraftProvider
      id="campaign"
      published={published}
      initial={initial}
      savedMessage="Campaign saved"
      onSaved={backToList}
      onDiscarded={backToList}
    >
      <Page
        backAction={{ content: 'Campaigns', url: '/app/campaigns' }}
        title={title}
        titleMetadata={status && <CampaignBadge status={status} />}
        secondaryActions={actions}
      >
        <EndCampaign open={ending} onClose={() => setEnding(false)} began={status !== 'scheduled'} />
        <RemoveEntry
          open={removing}
          onClose={() => setRemoving(false)}
          list="campaigns"
          entryId={campaign?.id ?? ''}
          title="Remove this campaign?"
          text={REMOVAL}
        />
        <Layout>
          {refusal && (
            <Layout.Section variant="fullWidth">
              <RefusalBanner>{refusal}</RefusalBanner>
            </Layout.Section>
          )}
          {results && (
            <Layout.Section variant="fullWidth">
              <CampaignResults results={results} currency={currency} timezone={timezone} />
            </Layout.Section>
          )}
          <Layout.Section>
            <BlockStack gap="400">
              <ProblemsBanner />
              <CampaignForm index={index} titles={titles} segments={segments} />
            </BlockStack>
          </Layout.Section>
          <Layout.Section variant="oneThird">
            <BlockStack gap="400">
              <CampaignPreview index={index} stops={stops} />
              <DraftFatigue now={at} stops={stops} timezone={timezone} />
              <ChangesCard />
            </BlockStack>
          </Layout.Section>
        </Layout>
      </Page>
    </ProgramDraftProvider>
  )
}

/** What came of a campaign until `at`, in the times in which it really ran. */
async function findResults(shopId: number, campaign: Campaign, record: CampaignRecord | undefined, at: number) {
  const { times, mark } = await findCampaignRun(shopId, campaign, at)
  const figures = await findCampaignFigures(shopId, times, mark)
  const uncompared = whyUncompared(campaign, record?.audienceAt ?? null)
  const givesMoney = campaign.offer.kind !== 'pointsMultiplier'
  return {
    ...figures,
    id: campaign.id,
    times,
    runsNow: times.at(-1)?.untilAt === at && (record?.pausedAt ?? null) === null,
    endedReason: record?.endedReason ?? null,
    givenMinor: givesMoney ? (record?.givenMinor ?? 0) : null,
    budgetMinor: campaign.budgetMinor,
    comparison: uncompared ? null : await compare(shopId, campaign, record, times),
    uncompared,
  }
}

/** Both arms as they were when the campaign began, or, where it is for some only, when these were noted. */
async function compare(shopId: number, campaign: Campaign, record: CampaignRecord | undefined, times: Stretch[]) {
  const outcomes = await listArms(shopId, campaign, record?.audienceAt ?? null, times)
  return { ...compareArms(campaign, outcomes), limited: isForSome(campaign) }
}

/** Midnight of the instant's day on the shop's clock, as the document writes it. */
function localMidnight(at: number, timezone: string): string {
  const { year, month, day } = toLocalDate(at, timezone)
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T00:00`
}

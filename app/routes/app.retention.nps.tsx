import { data, type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { Button, InlineGrid, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import {
  countAnswers,
  findRoundDays,
  hasAnswers,
  keepRoundDays,
  listAnswers,
  readNps,
  readNpsMonths,
} from '#app/db/feedback.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { askMeasures, NPS_MONTHS } from '#app/db/retention.server.ts'
import { env } from '#app/env.server.ts'
import { addMonths, monthNumberAt } from '#app/loyalty/time.ts'
import { FEWEST_ANSWERS, NPS_BANDS, ROUND_DAYS, type Nps } from '#app/retention/nps.ts'
import { nameGroup, type NpsGroup } from '#app/retention/segments.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { LineChart } from '#app/ui/chart.tsx'
import { FeedbackAnswers, type ShownBand } from '#app/ui/feedback-answers.tsx'
import { FeedbackSettings, type SettingsReply } from '#app/ui/feedback-settings.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { codeMonth, showMonth, showShortMonth } from '#app/ui/months.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { CustomersLink, customersPath, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { useThemeBlocks } from '#app/ui/theme-blocks.ts'
import { useResolved } from '#app/ui/use-resolved.ts'
import { showChange, showCount, showRate } from '#app/ui/words.ts'

export { keepPage as clientAction, keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'NPS · Perennial' }]

const PAGE_SIZE = 20
/** Months in the trend: this one, and a year of whole ones before it. */
const TREND_MONTHS = 13
const NO_NAMES: Record<string, string> = {}
const BLOCK = 'feedback'
const SUBTITLE = 'Would your customers recommend you?'

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const params = new URL(request.url).searchParams
  const asked = await askMeasures(shop, now())
  const stretch = { from: addMonths(asked.asOf, -NPS_MONTHS, asked.timeZone), until: asked.asOf }
  const shown = readBand(params.get('band'))
  const withWords = params.get('all') === null
  const filter = { ...stretch, band: shown === 'all' ? null : shown, withWords }
  const thisMonth = monthNumberAt(asked.asOf - 1, asked.timeZone)
  const trend = Array.from({ length: TREND_MONTHS }, (_, place) => thisMonth - TREND_MONTHS + 1 + place)
  const page = Math.max(1, Math.trunc(Number(params.get('page') ?? 1)) || 1)
  const [nps, months, total, rows, answered, roundDays, published] = await Promise.all([
    readNps(shop.id, stretch),
    readNpsMonths(shop.id, asked.timeZone, trend),
    countAnswers(shop.id, filter),
    listAnswers(shop.id, filter, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }),
    hasAnswers(shop.id),
    findRoundDays(shop.id),
    findPublishedProgram(shop.id),
  ])
  const names = namesOrNone(
    admin,
    rows.map((row) => row.customer),
  )
  return {
    months: sinceFirstAnswer(months),
    ...{ nps, total, rows, answered, roundDays, page, shown, withWords, names },
    points: published?.document.earning.find((rule) => rule.on === 'custom:feedback')?.points ?? null,
    apiKey: env().SHOPIFY_API_KEY,
    timezone: asked.timeZone,
  }
}

/** A shop that began to ask last month has nothing to show of the year before; two months make a line. */
function sinceFirstAnswer<Month extends Nps>(months: Month[]): Month[] {
  const first = months.findIndex(({ score }) => score !== null)
  return months.slice(Math.max(0, Math.min(first, months.length - 2)))
}

function readBand(text: string | null): ShownBand {
  return text === 'promoters' || text === 'passives' || text === 'detractors' ? text : 'all'
}

/** How often each customer is asked. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const days = Number((await request.formData()).get('days'))
  if (!(ROUND_DAYS as readonly number[]).includes(days)) {
    return data<SettingsReply>({ ok: false, message: 'Choose one of the times offered.' }, 400)
  }
  await keepRoundDays(shop.id, days)
  return data<SettingsReply>({ ok: true, message: 'Saved' })
}

export default function NpsPage() {
  const { nps, months, answered, roundDays, points, apiKey, names: streamed, ...list } = useLoaderData<typeof loader>()
  const names = useResolved(streamed, NO_NAMES)
  const block = useThemeBlocks(apiKey, BLOCK)
  const settings = <FeedbackSettings {...{ roundDays, points, block }} />
  if (!answered) {
    return (
      <RetentionPage title="NPS" subtitle={SUBTITLE} empty>
        <NothingYet
          heading="Nobody has answered yet"
          action={
            block.state !== 'active' && (
              <Button variant="primary" url={block.editorUrl} target="_top">
                Add the question to your theme
              </Button>
            )
          }
        >
          {block.state === 'active'
            ? 'The question is in your theme. '
            : 'Put the block “Would you recommend us?” on your rewards or account page. '}
          Customers who are signed in answer from 0 to 10, in their own words if they like, and you see here what they
          said.
        </NothingYet>
        {settings}
      </RetentionPage>
    )
  }
  return (
    <RetentionPage title="NPS" subtitle={SUBTITLE}>
      <Figures nps={nps} />
      <Inset>
        <Text as="p" tone="subdued">
          NPS is the share of customers who answered 9 or 10 (promoters) minus the share who answered 0 to 6
          (detractors), from −100 to +100. Each customer counts once, with the last answer of the past 12 months. With
          95% confidence the score of everybody you could have asked lies in the interval; it takes {FEWEST_ANSWERS}{' '}
          answers.
        </Text>
      </Inset>
      <Trend months={months} />
      <FeedbackAnswers {...list} names={names} pageSize={PAGE_SIZE} />
      {settings}
    </RetentionPage>
  )
}

function Figures({ nps }: { nps: Nps }) {
  const answers = nps.promoters + nps.passives + nps.detractors
  const share = (count: number) => showRate(answers === 0 ? null : count / answers)
  const figure = (group: 'promoters' | 'passives' | 'detractors', label: string, scores: string) => (
    <Figure
      label={label}
      value={showCount(nps[group])}
      note={`${share(nps[group])} · answered ${scores}`}
      to={customersPath(`nps:${group}`)}
      customers={nps[group]}
    />
  )
  return (
    <InlineGrid columns={{ xs: 1, sm: 2, md: 4 }} gap={{ xs: '200', md: '400' }}>
      <Figure
        label="Net promoter score"
        value={showScore(nps.score)}
        change={nps.interval && `95% interval ${showScore(nps.interval[0])} to ${showScore(nps.interval[1])}`}
        note={
          answers < FEWEST_ANSWERS
            ? `Of ${showCount(answers)} answers; under ${FEWEST_ANSWERS} it says little`
            : `Of ${showCount(answers)} customers in 12 months`
        }
        to={customersPath('nps:answered')}
        customers={answers}
      />
      {figure('promoters', 'Promoters', '9 or 10')}
      {figure('passives', 'Passives', '7 or 8')}
      {figure('detractors', 'Detractors', '0 to 6')}
    </InlineGrid>
  )
}

function Trend({ months }: { months: (Nps & { month: number })[] }) {
  const link = (row: (typeof months)[number], group: NpsGroup, shown: string, customers: number) => (
    <CustomersLink
      of={nameGroup({ kind: 'nps', group, month: row.month })}
      customers={customers}
      label={`${group === 'answered' ? 'score' : group}, ${showMonth(row.month)}: ${shown}`}
    >
      {shown}
    </CustomersLink>
  )
  return (
    <MeasureTable
      heading="Month by month"
      explanation="Of each month, the customers who answered in it, each with the last answer of that month."
      head={['Month', 'Score', '95% interval', 'Promoters', 'Passives', 'Detractors']}
      rows={months.toReversed().map((row) => ({
        key: String(row.month),
        cells: [
          showMonth(row.month),
          link(row, 'answered', showScore(row.score), row.promoters + row.passives + row.detractors),
          sayInterval(row),
          ...NPS_BANDS.map((band) => link(row, band, showCount(row[band]), row[band])),
        ],
      }))}
      csv={{
        name: 'nps-months.csv',
        rows: [
          ['month', 'score', 'lowest', 'highest', 'promoters', 'passives', 'detractors'],
          ...months.map((row) => [
            codeMonth(row.month),
            row.score,
            row.interval?.[0] ?? null,
            row.interval?.[1] ?? null,
            ...[row.promoters, row.passives, row.detractors],
          ]),
        ],
      }}
    >
      {/* A line cannot show less than nothing: 0 stands for −100, 2 for +100. */}
      <LineChart
        title="Net promoter score by month, from −100 at the foot to +100 at the top; the numbers are in the table below"
        highest={2}
        show={(height) => showScore(height - 1)}
        points={months.map((row) => ({
          label: showShortMonth(row.month),
          value: row.score === null ? null : row.score + 1,
          text: showScore(row.score),
        }))}
      />
    </MeasureTable>
  )
}

function sayInterval({ score, interval }: Nps): string {
  if (interval === null) return score === null ? '—' : 'too few'
  return `${showScore(interval[0])} to ${showScore(interval[1])}`
}

/** A score of −1 to 1 as it is always given: −100 to +100, whole, with its sign. */
function showScore(score: number | null): string {
  return score === null ? '—' : showChange(Math.round(score * 100))
}

import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'

import { now } from '#app/clock.server.ts'
import { askMeasures, readIntervalTable } from '#app/db/retention.server.ts'
import type { IntervalDays } from '#app/retention/intervals.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { BarChart } from '#app/ui/chart.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Purchase intervals · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  return readIntervalTable(await askMeasures(shop, now()))
}

export default function Intervals() {
  const { all, byOrdinal, weeks } = useLoaderData<typeof loader>()
  const subtitle = 'How long customers take to come back'
  if (all.count === 0) {
    return (
      <RetentionPage title="Purchase intervals" subtitle={subtitle}>
        <NothingYet heading="Nobody has come back yet">With the first second order, intervals appear here.</NothingYet>
      </RetentionPage>
    )
  }
  const rows: [string, IntervalDays][] = [
    ['All', all],
    ...byOrdinal.map((days, place): [string, IntervalDays] => [`Order ${place + 1} to ${place + 2}`, days]),
  ]
  return (
    <RetentionPage title="Purchase intervals" subtitle={subtitle}>
      <MeasureTable
        heading="Days between a customer’s consecutive orders"
        explanation="Quartiles are kept to the hour up to 30 days, to the day beyond; the mean over all is exact. The 90% column says by when nine of ten returns had happened: silence beyond it is worth a message."
        head={['Interval', 'Number', 'Mean', '25%', 'Median', '75%', '90%']}
        rows={rows.map(([name, days]) => ({
          key: name,
          cells: [name, showCount(days.count), ...[days.mean, days.p25, days.median, days.p75, days.p90].map(showDays)],
        }))}
        csv={{
          name: 'intervals.csv',
          rows: [
            ['interval', 'number', 'mean_days', 'p25', 'median', 'p75', 'p90'],
            ...rows.map(([name, days]) => [name, days.count, days.mean, days.p25, days.median, days.p75, days.p90]),
          ],
        }}
      />
      <MeasureTable
        heading="By weeks"
        explanation="How many orders came in each week after the one before."
        head={['Weeks', 'Orders', 'Share', 'Up to here']}
        rows={weeks.map((count, week) => ({
          key: String(week),
          cells: [
            nameWeek(week),
            showCount(count),
            showRate(count / all.count),
            showRate(weeks.slice(0, week + 1).reduce((sum, more) => sum + more, 0) / all.count),
          ],
        }))}
        csv={{
          name: 'interval-weeks.csv',
          rows: [['weeks', 'orders'], ...weeks.map((count, week) => [nameWeek(week), count])],
        }}
      >
        <BarChart
          title="Orders by weeks since the customer’s order before; the numbers are in the table below"
          points={weeks.map((count, week) => ({
            label: week === 52 ? '52+' : String(week),
            value: count,
            text: `${showCount(count)} orders`,
          }))}
        />
      </MeasureTable>
    </RetentionPage>
  )
}

function nameWeek(week: number): string {
  return week === 52 ? '52 or more' : `${week} to ${week + 1}`
}

function showDays(days: number | null): string {
  return days === null
    ? '—'
    : new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(days)
}

import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { InlineStack } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { askMeasures, readIntervalTable, readOverview } from '#app/db/retention.server.ts'
import type { IntervalDays } from '#app/retention/intervals.ts'
import { LAST_ORDINAL } from '#app/retention/rollups.ts'
import { LAST_WEEK, nameGroup } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { BarChart } from '#app/ui/chart.tsx'
import { nameWeek } from '#app/ui/group-words.ts'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { Choice, CustomersLink, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Purchase intervals · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const asked = await askMeasures(shop, now())
  const [intervals, { repeatCustomers }] = await Promise.all([readIntervalTable(asked), readOverview(asked)])
  const after = Number(new URL(request.url).searchParams.get('after'))
  return { ...intervals, repeatCustomers, ordinal: after >= 1 && after <= LAST_ORDINAL ? Math.trunc(after) : 1 }
}

export default function Intervals() {
  const { all, byOrdinal, weeks, repeatCustomers, ordinal } = useLoaderData<typeof loader>()
  const subtitle = 'How long customers take to come back'
  if (all.count === 0) {
    return (
      <RetentionPage title="Purchase intervals" subtitle={subtitle} empty>
        <NothingYet heading="Nobody has come back yet">With the first second order, intervals appear here.</NothingYet>
      </RetentionPage>
    )
  }
  // Of one ordinal a customer has one interval, so that their number is that of the customers.
  const rows: { name: string; days: IntervalDays; of: string; customers: number }[] = [
    { name: 'All', days: all, of: nameGroup({ kind: 'repeat' }), customers: repeatCustomers },
    ...byOrdinal.map((days, place) => ({
      ...{ name: `Order ${place + 1} to ${place + 2}`, days, customers: days.count },
      of: nameGroup({ kind: 'orders', least: place + 2 }),
    })),
  ]
  return (
    <RetentionPage title="Purchase intervals" subtitle={subtitle}>
      <MeasureTable
        heading="Days between a customer’s consecutive orders"
        explanation="Quartiles are kept to the hour up to 30 days, to the day beyond; the mean over all is exact, those of the other rows take the middle of each hour or day. The 90% column says by when nine of ten returns had happened: silence beyond it is worth a message. A row opens the customers who have come back at least so often."
        head={['Interval', 'Number', 'Mean', '25%', 'Median', '75%', '90%']}
        rows={rows.map(({ name, days, ...behind }) => ({
          key: name,
          cells: [
            name,
            ...[showCount(days.count), ...[days.mean, days.p25, days.median, days.p75, days.p90].map(showDays)].map(
              (shown, place) => (
                <CustomersLink key={FIGURES[place]} {...behind} label={`${name}, ${FIGURES[place]}: ${shown}`}>
                  {shown}
                </CustomersLink>
              ),
            ),
          ],
        }))}
        csv={{
          name: 'intervals.csv',
          rows: [
            // How far the mean can be from that of the intervals themselves.
            ['interval', 'number', 'mean_days', 'mean_within_days', 'p25', 'median', 'p75', 'p90'],
            ...rows.map(({ name, days }) => [
              ...[name, days.count, days.mean, days === all ? 0 : 0.5],
              ...[days.p25, days.median, days.p75, days.p90],
            ]),
          ],
        }}
      />
      <WeeksTable weeks={weeks[ordinal - 1]!} ordinal={ordinal} />
    </RetentionPage>
  )
}

const FIGURES = ['number', 'mean', 'lower quartile', 'median', 'upper quartile', 'ninetieth percentile']

function WeeksTable({ weeks, ordinal }: { weeks: number[]; ordinal: number }) {
  const all = weeks.reduce((sum, count) => sum + count, 0)
  const last = weeks.findLastIndex((count) => count > 0)
  const shown = weeks.slice(0, last + 1).map((count, week) => {
    const within = weeks.slice(0, week + 1).reduce((sum, more) => sum + more, 0)
    return { count, week, share: showRate(count / all), within, soFar: showRate(within / all) }
  })
  const to = `order ${ordinal + 1}`
  return (
    <MeasureTable
      heading={`Weeks from order ${ordinal} to ${to}`}
      explanation={`How many customers placed ${to} in each week after order ${ordinal}, of those who have placed it.`}
      head={['Weeks', 'Customers', 'Share', 'Up to here']}
      rows={shown.map(({ count, week, share, within, soFar }) => ({
        key: String(week),
        cells: [
          nameWeek(week),
          ...[showCount(count), share].map((text) => (
            <CustomersLink
              key={text}
              of={nameGroup({ kind: 'interval', ordinal, week })}
              customers={count}
              label={`${nameWeek(week)} weeks: ${text}`}
            >
              {text}
            </CustomersLink>
          )),
          <CustomersLink
            key="so-far"
            of={nameGroup({ kind: 'interval-within', ordinal, week })}
            customers={within}
            label={`Up to here: ${soFar} of all who placed ${to}`}
          >
            {soFar}
          </CustomersLink>,
        ],
      }))}
      csv={{
        name: `interval-weeks-${ordinal}.csv`,
        rows: [['weeks', 'customers'], ...shown.map(({ count, week }) => [nameWeek(week), count])],
      }}
    >
      <InlineStack gap="400">
        {Array.from({ length: LAST_ORDINAL }, (_, place) => (
          <Choice key={place} to={`?after=${place + 1}`} chosen={place + 1 === ordinal}>
            {`Order ${place + 1} to ${place + 2}`}
          </Choice>
        ))}
      </InlineStack>
      {all > 0 && (
        <BarChart
          title={`Customers by weeks from order ${ordinal} to ${to}; the numbers are in the table below`}
          points={weeks.map((count, week) => ({
            label: week === LAST_WEEK ? `${LAST_WEEK}+` : String(week),
            value: count,
            text: `${showCount(count)} customers`,
          }))}
        />
      )}
    </MeasureTable>
  )
}

function showDays(days: number | null): string {
  return days === null
    ? '—'
    : new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(days)
}

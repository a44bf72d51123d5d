import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Card, InlineGrid, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { listCycles } from '#app/db/cycles.server.ts'
import { readCounters } from '#app/db/measure-counters.server.ts'
import { askMeasures, readOverview, type Overview } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { dayNumberAt } from '#app/loyalty/time.ts'
import { monthOfDay } from '#app/retention/calendar.ts'
import { returningCustomerRate } from '#app/retention/crr.ts'
import type { IntervalDays } from '#app/retention/intervals.ts'
import { choosePeriod, comparedWith, isComparable, type ChosenPeriod, type Period } from '#app/retention/periods.ts'
import { readIntervals, type PeriodMeasures } from '#app/retention/rollups.ts'
import { nameGroup, type CustomerGroup, type PeriodGroup } from '#app/retention/segments.ts'
import { arppu, arpu, averageRepeatPurchases, repeatPurchaseRate } from '#app/retention/value.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { LineChart } from '#app/ui/chart.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { sayStage } from '#app/ui/group-words.ts'
import { showShortMonth } from '#app/ui/months.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { PeriodPicker } from '#app/ui/period-picker.tsx'
import { showPeriod } from '#app/ui/period-words.ts'
import { customersPath, FirstYear, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { showChange, showCount, showMoney, showRate, upperFirst } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Retention · Perennial' }]

/** Months on the chart. */
const MONTHS_DRAWN = 25

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const asked = await askMeasures(shop, now())
  const today = dayNumberAt(asked.asOf, asked.timeZone)
  const params = new URL(request.url).searchParams
  // A month that has only begun says little, unless there is no other.
  const choose = (firstMonth: number | null) =>
    choosePeriod(params, today, firstMonth !== null && firstMonth < monthOfDay(today) ? 'last-month' : 'this-month')
  const compare = ({ period, against }: ChosenPeriod) => comparedWith(period, against, today)
  const [{ months, periods, ...overview }, intervals, cycles] = await Promise.all([
    readOverview(asked, (firstMonth) => {
      const chosen = choose(firstMonth)
      return [chosen.period, compare(chosen)].filter((period) => period !== null)
    }),
    readCounters(shop.id, ['interval', 'intervalSum']).then((rows) => readIntervals(rows)),
    listCycles(shop.id),
  ])
  const chosen = choose(months[0]?.month ?? null)
  const before = compare(chosen)
  return {
    ...{ currency: shop.currency, timezone: asked.timeZone, today, chosen, intervals, overview },
    hasCycles: cycles.length > 0,
    months: months.slice(-MONTHS_DRAWN),
    monthsKnown: months.length,
    measures: periods[0]!,
    // Nothing to compare with before the shop's first order.
    before:
      before && periods[1]!.customersByEnd > 0
        ? { period: before, measures: periods[1]!, comparable: isComparable(chosen.period, before, today) }
        : null,
  }
}

export default function Retention() {
  const { months, monthsKnown, measures, before, chosen, today, currency, timezone, overview, intervals, hasCycles } =
    useLoaderData<typeof loader>()
  if (monthsKnown === 0) {
    return (
      <RetentionPage title="Retention" subtitle={SUBTITLE} empty>
        <NothingYet heading="No paid orders yet">
          With the first paid order these numbers begin, and they follow every order from then on.
        </NothingYet>
      </RetentionPage>
    )
  }
  return (
    <RetentionPage title="Retention" subtitle={SUBTITLE}>
      <Inset>
        <PeriodPicker chosen={chosen} today={today} />
      </Inset>
      <FirstYear months={monthsKnown} />
      <PeriodFigures {...{ measures, before, currency, timezone }} period={chosen.period} />
      <TodayFigures {...{ overview, intervals, hasCycles }} />
      <Card>
        <BlockStack gap="300">
          <Text as="h2" variant="headingMd">
            Returning-customer rate by month
          </Text>
          <LineChart
            title="Share of each month’s buyers who had ordered before it; the numbers are on the page CRR and repeat"
            highest={1}
            show={(rate) => `${Math.round(rate * 100)}%`}
            points={months.map((row) => {
              const rate = returningCustomerRate(row.buyers, row.newBuyers)
              return { label: showShortMonth(row.month), value: rate, text: showRate(rate) }
            })}
          />
        </BlockStack>
      </Card>
    </RetentionPage>
  )
}

const SUBTITLE = 'Who comes back, who is slipping away, and what it is worth'

type PeriodFiguresProps = {
  period: Period
  measures: PeriodMeasures
  before: { period: Period; measures: PeriodMeasures; comparable: boolean } | null
  currency: string
  timezone: string
}

function PeriodFigures({ period, measures, before, currency, timezone }: PeriodFiguresProps) {
  return (
    <BlockStack gap="400">
      <Inset>
        <BlockStack gap="100">
          <Text as="h2" variant="headingMd">
            {`${showPeriod(period)}${measures.partial ? ' so far' : ''}`}
          </Text>
          <Text as="p" tone="subdued">
            {before?.comparable ? `Compared with ${showPeriod(before.period)}. ` : ''}
            {before && !before.comparable
              ? `${showPeriod(before.period)} is longer than what there is of this period so far, so no changes are shown. `
              : ''}
            {`Days and months are those of ${timezone}.`}
          </Text>
        </BlockStack>
      </Inset>
      <InlineGrid columns={{ xs: 2, md: 4 }} gap={{ xs: '200', md: '400' }}>
        {describePeriod(measures, before?.comparable ? before.measures : null, currency).map(
          ({ group, customers, ...figure }) => (
            <Figure
              key={figure.label}
              {...figure}
              {...(customers !== null && {
                to: customersPath(nameGroup({ kind: 'period', group, from: period.from, until: period.until })),
                customers,
              })}
            />
          ),
        )}
      </InlineGrid>
    </BlockStack>
  )
}

type PeriodFigure = {
  label: string
  value: string
  change: string | null
  note: string
  group: PeriodGroup
  /** Null where there is no number to open. */
  customers: number | null
}

function describePeriod(now: PeriodMeasures, before: PeriodMeasures | null, currency: string): PeriodFigure[] {
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  const { crr } = now
  const rate = (of: PeriodMeasures) => returningCustomerRate(of.buyers, of.newBuyers)
  const repeats = (of: PeriodMeasures) => averageRepeatPurchases(of.orders, of.newBuyers, of.buyers)
  const perBuyer = (of: PeriodMeasures) => arppu(of.revenueMinor, of.buyers)
  const perCustomer = (of: PeriodMeasures) => arpu(of.revenueMinor, of.customersByEnd)
  const change = (read: (of: PeriodMeasures) => number | null | undefined, show: (difference: number) => string) => {
    const [value, other] = [read(now), before && read(before)]
    if (typeof value !== 'number' || typeof other !== 'number') return null
    return Math.abs(value - other) < 0.0005 ? 'No change' : show(value - other)
  }
  const moneyChange = (minor: number) => `${minor < 0 ? '−' : '+'}${money(Math.abs(minor))}`
  return [
    {
      ...{ label: 'Returning-customer rate', value: showRate(rate(now)), change: change(rate, showPoints) },
      note: `${showCount(now.buyers - now.newBuyers)} who had ordered before ÷ all ${showCount(now.buyers)} buyers`,
      ...{ group: 'returning', customers: now.buyers - now.newBuyers },
    },
    {
      ...{ label: 'CRR', value: showRate(crr?.rate ?? null), change: change((of) => of.crr?.rate, showPoints) },
      note: crr
        ? `(${showCount(crr.E)} active at the end − ${showCount(crr.N)} new) ÷ ${showCount(crr.S)} active at the start; active is an order in the 365 days before`
        : 'Only for periods of up to 12 months',
      ...{ group: 'kept', customers: crr && crr.E - crr.N },
    },
    {
      label: 'Strict retention',
      ...{ value: showRate(crr?.strictRate ?? null), change: change((of) => of.crr?.strictRate, showPoints) },
      note: crr
        ? `${showCount(crr.R)} active at both ends ÷ ${showCount(crr.S)} active at the start: nobody won back counts`
        : 'Only for periods of up to 12 months',
      ...{ group: 'R', customers: crr && crr.R },
    },
    {
      ...{ label: 'Repeat orders per buyer', value: showNumber(repeats(now)) },
      change: change(repeats, (by) => `${by < 0 ? '−' : '+'}${showNumber(Math.abs(by))}`),
      note: `${showCount(now.orders - now.newBuyers)} orders that were not a customer’s first ÷ buyers`,
      ...{ group: 'buyers', customers: now.buyers },
    },
    {
      ...{ label: 'Buyers', value: showCount(now.buyers), change: change((of) => of.buyers, showChange) },
      ...{ note: `They placed ${showCount(now.orders)} orders`, group: 'buyers', customers: now.buyers },
    },
    {
      ...{ label: 'New customers', value: showCount(now.newBuyers), change: change((of) => of.newBuyers, showChange) },
      ...{ note: 'First order ever in this period', group: 'new', customers: now.newBuyers },
    },
    {
      ...{ label: 'Revenue per buyer (ARPPU)', value: money(perBuyer(now)), change: change(perBuyer, moneyChange) },
      note: `${money(now.revenueMinor)} of goods ÷ buyers`,
      ...{ group: 'buyers', customers: now.buyers },
    },
    {
      ...{ label: 'Revenue per customer (ARPU)', value: money(perCustomer(now)) },
      change: change(perCustomer, moneyChange),
      note: `${money(now.revenueMinor)} ÷ all ${showCount(now.customersByEnd)} customers known by its end`,
      ...{ group: 'known', customers: now.customersByEnd },
    },
  ]
}

type TodayFiguresProps = {
  overview: Omit<Overview, 'months' | 'periods'>
  intervals: IntervalDays
  /** Purchases of some kinds last as long as the merchant has said, so that stages have no number of months. */
  hasCycles: boolean
}

function TodayFigures({
  overview: { customers, repeatCustomers, lifecycle },
  intervals,
  hasCycles,
}: TodayFiguresProps) {
  const of = (group: CustomerGroup, count: number) => ({ to: customersPath(nameGroup(group)), customers: count })
  return (
    <BlockStack gap="400">
      <Inset>
        <Text as="h2" variant="headingMd">
          Today
        </Text>
      </Inset>
      <InlineGrid columns={{ xs: 2, md: 4 }} gap={{ xs: '200', md: '400' }}>
        <Figure
          label="Repeat purchase rate"
          value={showRate(repeatPurchaseRate(repeatCustomers, customers))}
          note={`${showCount(repeatCustomers)} of ${showCount(customers)} customers have ordered twice or more`}
          {...of({ kind: 'repeat' }, repeatCustomers)}
        />
        <Figure
          label="Days between orders"
          value={showNumber(intervals.median)}
          note="The median: half of all second and later orders came sooner"
          {...of({ kind: 'repeat' }, repeatCustomers)}
        />
        <Figure
          label="Active"
          value={showCount(lifecycle.active)}
          note={upperFirst(sayStage('active', hasCycles))}
          {...of({ kind: 'stage', stage: 'active' }, lifecycle.active)}
        />
        <Figure
          label="Gone quiet"
          value={showCount(lifecycle.passive)}
          note={`${upperFirst(sayStage('passive', hasCycles))}; ${showCount(lifecycle.lost)} others are lost: ${sayStage('lost', hasCycles)}`}
          {...of({ kind: 'stage', stage: 'passive' }, lifecycle.passive)}
        />
      </InlineGrid>
    </BlockStack>
  )
}

/** A change of a rate, in percentage points, and never just "points", which members collect: "+1.2 percentage points". */
function showPoints(difference: number): string {
  const points = Math.round(difference * 1000) / 10
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)} percentage points`
}

function showNumber(value: number | null): string {
  return value === null ? '—' : new Intl.NumberFormat('en', { maximumFractionDigits: 1 }).format(value)
}

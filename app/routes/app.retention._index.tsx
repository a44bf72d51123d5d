import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData, useSearchParams } from '@remix-run/react'
import { BlockStack, Card, InlineGrid, InlineStack, Select, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { readCounters } from '#app/db/measures.server.ts'
import { askMeasures, readOverview, type Overview } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { returningCustomerRate } from '#app/retention/crr.ts'
import { readIntervals, type MonthMeasures } from '#app/retention/rollups.ts'
import { nameGroup, parseMonth } from '#app/retention/segments.ts'
import { arppu, arpu, averageRepeatPurchases, repeatPurchaseRate } from '#app/retention/value.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { LineChart } from '#app/ui/chart.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { codeMonth, showMonth, showShortMonth } from '#app/ui/months.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { customersPath, FirstYear, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showMoney, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Retention · Perennial' }]

const COMPARISONS = ['previous', 'year'] as const
type Comparison = (typeof COMPARISONS)[number]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const params = new URL(request.url).searchParams
  const asked = await askMeasures(shop, now())
  const [overview, intervals] = await Promise.all([
    readOverview(asked),
    readCounters(shop.id, ['interval', 'intervalSum']).then((rows) => readIntervals(rows)),
  ])
  const { months } = overview
  const against = COMPARISONS.find((one) => one === params.get('against')) ?? 'previous'
  const month = months.find((row) => row.month === parseMonth(params.get('month') ?? '')) ?? months.at(-1)
  const before = month && months.find((row) => row.month === month.month - (against === 'year' ? 12 : 1))
  return {
    currency: shop.currency,
    timezone: asked.timeZone,
    overview: { ...overview, months: months.slice(-25) },
    monthNames: months.map((row) => row.month).reverse(),
    intervals,
    month: month ?? null,
    before: before ?? null,
    against,
  }
}

export default function Retention() {
  const { overview, month, before, currency, timezone, against, monthNames, intervals } = useLoaderData<typeof loader>()
  if (!month) {
    return (
      <RetentionPage title="Retention" subtitle="Who comes back, who is slipping away, and what it is worth">
        <NothingYet heading="No paid orders yet">
          With the first paid order these numbers begin, and they follow every order from then on.
        </NothingYet>
      </RetentionPage>
    )
  }
  return (
    <RetentionPage title="Retention" subtitle="Who comes back, who is slipping away, and what it is worth">
      <Pickers month={month.month} against={against} monthNames={monthNames} />
      <FirstYear months={overview.months.length} />
      <MonthFigures month={month} before={before} currency={currency} timezone={timezone} />
      <ShopFigures overview={overview} median={intervals.median} />
      <Card>
        <BlockStack gap="300">
          <Text as="h2" variant="headingMd">
            Returning-customer rate by month
          </Text>
          <LineChart
            title="Share of each month’s buyers who had ordered before it; the numbers are on the page CRR and repeat"
            highest={1}
            points={overview.months.map((row) => {
              const rate = returningCustomerRate(row.buyers, row.newBuyers)
              return { label: showShortMonth(row.month), value: rate, text: showRate(rate) }
            })}
          />
        </BlockStack>
      </Card>
    </RetentionPage>
  )
}

type PickersProps = { month: number; against: Comparison; monthNames: number[] }

function Pickers({ month, against, monthNames }: PickersProps) {
  const [params, setParams] = useSearchParams()
  const set = (name: string) => (value: string) => {
    const next = new URLSearchParams(params)
    next.set(name, value)
    setParams(next)
  }
  return (
    <Inset>
      <InlineStack gap="400">
        <Select
          label="Month"
          labelInline
          options={monthNames.map((one) => ({ label: showMonth(one), value: codeMonth(one) }))}
          value={codeMonth(month)}
          onChange={set('month')}
        />
        <Select
          label="Compared with"
          labelInline
          options={[
            { label: 'the month before', value: 'previous' },
            { label: 'a year before', value: 'year' },
          ]}
          value={against}
          onChange={set('against')}
        />
      </InlineStack>
    </Inset>
  )
}

type MonthFiguresProps = { month: MonthMeasures; before: MonthMeasures | null; currency: string; timezone: string }

function MonthFigures({ month, before, currency, timezone }: MonthFiguresProps) {
  const of = (group: Parameters<typeof nameGroup>[0]) => customersPath(nameGroup(group))
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  const rate = returningCustomerRate(month.buyers, month.newBuyers)
  const rateBefore = before && returningCustomerRate(before.buyers, before.newBuyers)
  return (
    <BlockStack gap="400">
      <Inset>
        <BlockStack gap="400">
          <Text as="h2" variant="headingMd">
            {showMonth(month.month)}
            {month.partial ? ' so far' : ''}
          </Text>
          <Text as="p" tone="subdued">{`Months are those of ${timezone}.`}</Text>
        </BlockStack>
      </Inset>
      <InlineGrid columns={{ xs: 1, sm: 2, md: 4 }} gap={{ xs: '200', md: '400' }}>
        <Figure
          label="Returning-customer rate"
          value={showRate(rate)}
          note={note('Buyers who had ordered before this month ÷ all its buyers', pointsChange(rate, rateBefore))}
          to={of({ kind: 'month', group: 'returning', month: month.month })}
        />
        <Figure
          label="CRR, twelve months"
          value={showRate(month.crr.rate)}
          note={note('(active at the end − new) ÷ active at the start', pointsChange(month.crr.rate, before?.crr.rate))}
          to={of({ kind: 'month', group: 'E', month: month.month })}
        />
        <Figure
          label="Strict retention"
          value={showRate(month.crr.strictRate)}
          note={note(
            'Active at both ends ÷ active at the start: nobody won back counts',
            pointsChange(month.crr.strictRate, before?.crr.strictRate),
          )}
          to={of({ kind: 'month', group: 'R', month: month.month })}
        />
        <Figure
          label="Repeat orders per buyer"
          value={showNumber(averageRepeatPurchases(month.orders, month.newBuyers, month.buyers))}
          note="Orders that were not a customer’s first ÷ buyers"
        />
        <Figure
          label="Buyers"
          value={showCount(month.buyers)}
          note={note(`${showCount(month.orders)} orders`, countChange(month.buyers, before?.buyers))}
          to={of({ kind: 'month', group: 'buyers', month: month.month })}
        />
        <Figure
          label="New customers"
          value={showCount(month.newBuyers)}
          note={note('First order ever in this month', countChange(month.newBuyers, before?.newBuyers))}
          to={of({ kind: 'month', group: 'new', month: month.month })}
        />
        <Figure
          label="ARPPU"
          value={money(arppu(month.revenueMinor, month.buyers))}
          note={`${money(month.revenueMinor)} of goods ÷ buyers`}
        />
        <Figure
          label="ARPU"
          value={money(arpu(month.revenueMinor, month.customersByEnd))}
          note={`${money(month.revenueMinor)} ÷ all ${showCount(month.customersByEnd)} customers known by the month’s end`}
        />
      </InlineGrid>
    </BlockStack>
  )
}

function ShopFigures({ overview, median }: { overview: Overview; median: number | null }) {
  const of = (group: Parameters<typeof nameGroup>[0]) => customersPath(nameGroup(group))
  const { customers, repeatCustomers, lifecycle } = overview
  return (
    <BlockStack gap="400">
      <Inset>
        <Text as="h2" variant="headingMd">
          Today
        </Text>
      </Inset>
      <InlineGrid columns={{ xs: 1, sm: 2, md: 5 }} gap={{ xs: '200', md: '400' }}>
        <Figure
          label="Repeat purchase rate"
          value={showRate(repeatPurchaseRate(repeatCustomers, customers))}
          note={`${showCount(repeatCustomers)} of ${showCount(customers)} customers have ordered twice or more`}
          to={of({ kind: 'repeat' })}
        />
        <Figure
          label="Days between orders"
          value={median === null ? '—' : showNumber(median)}
          note="Half of all second and later orders came sooner"
          to="/app/retention/intervals"
        />
        <Figure
          label="Active"
          value={showCount(lifecycle.active)}
          note="Ordered within the last 12 months"
          to={of({ kind: 'stage', stage: 'active' })}
        />
        <Figure
          label="Passive"
          value={showCount(lifecycle.passive)}
          note="No order for 12 months or more"
          to={of({ kind: 'stage', stage: 'passive' })}
        />
        <Figure
          label="Lost"
          value={showCount(lifecycle.lost)}
          note="No order for 24 months or more"
          to={of({ kind: 'stage', stage: 'lost' })}
        />
      </InlineGrid>
    </BlockStack>
  )
}

function note(definition: string, change: string | null): string {
  return change === null ? definition : `${change} · ${definition}`
}

/** A change of a rate, in percentage points, and never just "points", which members collect: "+1.2 percentage points". */
function pointsChange(rate: number | null, before: number | null | undefined): string | null {
  if (rate === null || before === null || before === undefined) return null
  const points = Math.round((rate - before) * 1000) / 10
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)} percentage points`
}

function countChange(count: number, before: number | undefined): string | null {
  if (before === undefined) return null
  const change = count - before
  return `${change < 0 ? '−' : '+'}${showCount(Math.abs(change))}`
}

function showNumber(value: number | null): string {
  return value === null ? '—' : new Intl.NumberFormat('en', { maximumFractionDigits: 1 }).format(value)
}

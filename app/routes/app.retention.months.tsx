import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Text } from '@shopify/polaris'
import type { ReactNode } from 'react'

import { now } from '#app/clock.server.ts'
import { askMeasures, readOverview } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { returningCustomerRate } from '#app/retention/crr.ts'
import type { MonthMeasures } from '#app/retention/rollups.ts'
import { nameGroup, type MonthGroup } from '#app/retention/segments.ts'
import { arppu, arpu } from '#app/retention/value.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { LineChart } from '#app/ui/chart.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { codeMonth, showMonth, showShortMonth } from '#app/ui/months.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { CustomersLink, FirstYear, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showMoney, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'CRR and repeat purchases · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const { months } = await readOverview(await askMeasures(shop, now()))
  return { months: months.reverse(), currency: shop.currency }
}

const HEAD = [
  'Month',
  'Orders',
  'Revenue',
  'Buyers',
  'New',
  'Returning',
  'Returning rate',
  'S',
  'E',
  'N',
  'R',
  'B',
  'CRR',
  'Strict',
  'ARPU',
  'ARPPU',
]

export default function Months() {
  const { months, currency } = useLoaderData<typeof loader>()
  return (
    <RetentionPage title="CRR and repeat purchases" subtitle="Both formulas, side by side">
      {months.length === 0 ? (
        <NothingYet heading="No paid orders yet">With the first paid order the months begin.</NothingYet>
      ) : (
        <>
          <FirstYear months={months.length} />
          <MeasureTable
            heading="Month by month"
            explanation="Returning rate: buyers who had ordered before the month ÷ all its buyers. CRR: (E − N) ÷ S. S are customers active at the month’s start, E at its end (an order in the 365 days before), N those whose first order is in the month, R active at both ends, B won back. Strict: R ÷ S. CRR can exceed 100% where customers are won back."
            head={HEAD}
            rows={months.map((row) => ({ key: codeMonth(row.month), cells: toCells(row, currency) }))}
            csv={{
              name: 'retention-by-month.csv',
              rows: [CSV_HEAD, ...months.map((row) => toLine(row, currency))],
            }}
          >
            <CrrChart months={months.slice(0, MONTHS_DRAWN).reverse()} />
          </MeasureTable>
        </>
      )}
    </RetentionPage>
  )
}

const MONTHS_DRAWN = 24

const CSV_HEAD = [
  ...['month', 'partial', 'orders', 'revenue', 'buyers', 'new_buyers', 'returning_buyers', 'returning_rate'],
  ...['S', 'E', 'N', 'R', 'B', 'crr', 'strict', 'arpu', 'arppu'],
]

function toCells(row: MonthMeasures, currency: string): ReactNode[] {
  const name = showMonth(row.month)
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  const count = (group: MonthGroup, value: number, what: string) => (
    <CustomersLink
      of={nameGroup({ kind: 'month', group, month: row.month })}
      label={`${name}, ${what}: ${showCount(value)}`}
    >
      {showCount(value)}
    </CustomersLink>
  )
  return [
    row.partial ? `${name} (so far)` : name,
    showCount(row.orders),
    money(row.revenueMinor),
    count('buyers', row.buyers, 'buyers'),
    count('new', row.newBuyers, 'new customers'),
    count('returning', row.buyers - row.newBuyers, 'returning customers'),
    showRate(returningCustomerRate(row.buyers, row.newBuyers)),
    count('S', row.crr.S, 'active at the start'),
    count('E', row.crr.E, 'active at the end'),
    count('N', row.crr.N, 'new and active at the end'),
    count('R', row.crr.R, 'active at both ends'),
    count('B', row.crr.B, 'won back'),
    showRate(row.crr.rate),
    showRate(row.crr.strictRate),
    money(arpu(row.revenueMinor, row.customersByEnd)),
    money(arppu(row.revenueMinor, row.buyers)),
  ]
}

function toLine(row: MonthMeasures, currency: string): (string | number | null)[] {
  const decimal = (minor: number | null) => (minor === null ? null : formatMoney(minor, currency))
  const { S, E, N, R, B, rate, strictRate } = row.crr
  return [
    codeMonth(row.month),
    row.partial ? 'yes' : 'no',
    row.orders,
    decimal(row.revenueMinor),
    row.buyers,
    row.newBuyers,
    row.buyers - row.newBuyers,
    returningCustomerRate(row.buyers, row.newBuyers),
    ...[S, E, N, R, B, rate, strictRate],
    decimal(arpu(row.revenueMinor, row.customersByEnd)),
    decimal(arppu(row.revenueMinor, row.buyers)),
  ]
}

function CrrChart({ months }: { months: MonthMeasures[] }) {
  const points = (rate: 'rate' | 'strictRate') =>
    months.map(({ month, crr }) => ({ label: showShortMonth(month), value: crr[rate], text: showRate(crr[rate]) }))
  return (
    <BlockStack gap="100">
      <LineChart
        title="CRR by month as a line, the strict rate dashed; the numbers are in the table below"
        points={points('rate')}
        compare={{ name: 'Strict', points: points('strictRate') }}
      />
      <Text as="p" variant="bodySm" tone="subdued">
        Line: CRR. Dashed: strict retention.
      </Text>
    </BlockStack>
  )
}

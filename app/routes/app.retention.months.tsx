import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { InlineGrid } from '@shopify/polaris'
import type { ReactNode } from 'react'

import { now } from '#app/clock.server.ts'
import { askMeasures, readOverview } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { returningCustomerRate } from '#app/retention/crr.ts'
import type { MonthMeasures } from '#app/retention/rollups.ts'
import { nameGroup, type PeriodGroup } from '#app/retention/segments.ts'
import { arppu, arpu, averageRepeatPurchases, repeatPurchaseRate } from '#app/retention/value.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { LineChart } from '#app/ui/chart.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { codeMonth, showMonth, showShortMonth } from '#app/ui/months.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { customersPath, CustomersLink, FirstYear, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showMoney, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'CRR and repeat purchases · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const { months, customers, repeatCustomers } = await readOverview(await askMeasures(shop, now()))
  return { months: months.reverse(), currency: shop.currency, today: { customers, repeatCustomers } }
}

type Today = { customers: number; repeatCustomers: number }

function RepeatRate({ customers, repeatCustomers }: Today) {
  return (
    <InlineGrid columns={{ xs: 1, sm: 2 }} gap={{ xs: '200', md: '400' }}>
      <Figure
        label="Repeat purchase rate, today"
        value={showRate(repeatPurchaseRate(repeatCustomers, customers))}
        note={`${showCount(repeatCustomers)} customers with two orders or more ÷ all ${showCount(customers)}`}
        to={customersPath(nameGroup({ kind: 'repeat' }))}
        customers={repeatCustomers}
      />
      <Figure
        label="Customers, today"
        value={showCount(customers)}
        note="Everyone with a paid order that was not cancelled or wholly refunded"
        to={customersPath(nameGroup({ kind: 'all' }))}
        customers={customers}
      />
    </InlineGrid>
  )
}

const HEAD = [
  'Month',
  'Orders',
  'Revenue',
  'Buyers',
  'New',
  'Returning',
  'Returning rate',
  'Repeat orders per buyer',
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
  const { months, currency, today } = useLoaderData<typeof loader>()
  return (
    <RetentionPage title="CRR and repeat purchases" subtitle="Both formulas, side by side" empty={months.length === 0}>
      {months.length === 0 ? (
        <NothingYet heading="No paid orders yet">With the first paid order the months begin.</NothingYet>
      ) : (
        <>
          <FirstYear months={months.length} />
          <RepeatRate {...today} />
          <MeasureTable
            heading="Month by month"
            explanation="Returning rate: buyers who had ordered before the month ÷ all its buyers. CRR: (E − N) ÷ S. S are customers active at the month’s start, E at its end (an order in the 365 days before), N those whose first order is in the month, R active at both ends, B won back. Strict: R ÷ S. CRR can exceed 100% where customers are won back. CRR opens the E − N it divides by S."
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
  ...['repeat_orders_per_buyer', 'S', 'E', 'N', 'R', 'B', 'crr', 'strict', 'arpu', 'arppu'],
]

function toCells(row: MonthMeasures, currency: string): ReactNode[] {
  const name = showMonth(row.month)
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  const { S, E, N, R, B, rate, strictRate } = row.crr
  const returning = row.buyers - row.newBuyers
  const cells: [PeriodGroup, customers: number, shown: string, what: string][] = [
    ['buyers', row.buyers, showCount(row.orders), 'orders'],
    ['buyers', row.buyers, money(row.revenueMinor), 'revenue'],
    ['buyers', row.buyers, showCount(row.buyers), 'buyers'],
    ['new', row.newBuyers, showCount(row.newBuyers), 'new customers'],
    ['returning', returning, showCount(returning), 'returning customers'],
    ['returning', returning, showRate(returningCustomerRate(row.buyers, row.newBuyers)), 'returning rate'],
    [
      ...(['buyers', row.buyers] as const),
      showNumber(averageRepeatPurchases(row.orders, row.newBuyers, row.buyers)),
      'repeat orders per buyer',
    ],
    ['S', S, showCount(S), 'active at the start'],
    ['E', E, showCount(E), 'active at the end'],
    ['N', N, showCount(N), 'new and active at the end'],
    ['R', R, showCount(R), 'active at both ends'],
    ['B', B, showCount(B), 'won back'],
    ['kept', E - N, showRate(rate), 'CRR'],
    ['R', R, showRate(strictRate), 'strict retention'],
    ['known', row.customersByEnd, money(arpu(row.revenueMinor, row.customersByEnd)), 'ARPU'],
    ['buyers', row.buyers, money(arppu(row.revenueMinor, row.buyers)), 'ARPPU'],
  ]
  return [
    row.partial ? `${name} (so far)` : name,
    ...cells.map(([group, customers, shown, what]) => (
      <CustomersLink
        key={what}
        of={nameGroup({ kind: 'month', group, month: row.month })}
        customers={customers}
        label={`${name}, ${what}: ${shown}`}
      >
        {shown}
      </CustomersLink>
    )),
  ]
}

function showNumber(value: number | null): string {
  return value === null ? '—' : value.toFixed(2)
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
    averageRepeatPurchases(row.orders, row.newBuyers, row.buyers),
    ...[S, E, N, R, B, rate, strictRate],
    decimal(arpu(row.revenueMinor, row.customersByEnd)),
    decimal(arppu(row.revenueMinor, row.buyers)),
  ]
}

function CrrChart({ months }: { months: MonthMeasures[] }) {
  const points = (rate: 'rate' | 'strictRate') =>
    months.map(({ month, crr }) => ({ label: showShortMonth(month), value: crr[rate], text: showRate(crr[rate]) }))
  return (
    <LineChart
      title="CRR by month, and the strict rate dashed; the numbers are in the table below"
      name="CRR"
      points={points('rate')}
      compare={{ name: 'strict', points: points('strictRate') }}
      show={showRound}
    />
  )
}

function showRound(rate: number): string {
  return `${Math.round(rate * 100)}%`
}

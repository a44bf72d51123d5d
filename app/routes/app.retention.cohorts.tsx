import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { InlineStack } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { askMeasures, readCohortTable } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import type { Cohort } from '#app/retention/cohorts.ts'
import { meanMinor } from '#app/retention/exact.ts'
import { nameGroup } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { MeasureTable, Shaded } from '#app/ui/measure-table.tsx'
import { codeMonth, showMonth } from '#app/ui/months.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { Choice, CustomersLink, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showMoney, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Cohorts · Perennial' }]

/** Months after the first that are shown; the file has them all. */
const MONTHS_SHOWN = 12

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const cohorts = await readCohortTable(await askMeasures(shop, now()))
  const revenue = new URL(request.url).searchParams.get('show') === 'revenue'
  return { cohorts: cohorts.reverse(), currency: shop.currency, revenue }
}

export default function Cohorts() {
  const { cohorts, currency, revenue } = useLoaderData<typeof loader>()
  const subtitle = 'What became of the customers of each month'
  if (cohorts.length === 0) {
    return (
      <RetentionPage title="Cohorts" subtitle={subtitle} empty>
        <NothingYet heading="No paid orders yet">Each month’s new customers will have a row here.</NothingYet>
      </RetentionPage>
    )
  }
  const longest = Math.max(...cohorts.map(({ active }) => active.length))
  const shown = Math.min(longest, MONTHS_SHOWN + 1)
  const months = Array.from({ length: shown }, (_, place) => place)
  return (
    <RetentionPage title="Cohorts" subtitle={subtitle}>
      <Inset>
        <InlineStack gap="400">
          <Choice to="?" chosen={!revenue}>
            Share who ordered
          </Choice>
          <Choice to="?show=revenue" chosen={revenue}>
            Revenue per customer
          </Choice>
        </InlineStack>
      </Inset>
      <MeasureTable
        heading={
          revenue
            ? 'Revenue per customer by months since the first order'
            : 'Share who ordered again by months since the first order'
        }
        explanation="A row is the customers whose first order fell in that month, for good. Month 0 is that month itself. Darker is more; what falls in this month is not over yet."
        head={['First order', 'Customers', ...months.map((place) => (place === 0 ? 'Month 0' : String(place)))]}
        rows={cohorts.map((cohort) => ({
          key: codeMonth(cohort.month),
          cells: [
            showMonth(cohort.month),
            <CustomersLink
              key="size"
              of={nameGroup({ kind: 'cohort', cohort: cohort.month, month: cohort.month })}
              customers={cohort.size}
              label={`First order in ${showMonth(cohort.month)}: ${showCount(cohort.size)}`}
            >
              {showCount(cohort.size)}
            </CustomersLink>,
            ...months.map((place) =>
              place >= cohort.active.length ? null : (
                <Cell
                  key={place}
                  cohort={cohort}
                  place={place}
                  currency={currency}
                  revenue={revenue}
                  brightest={brightest(cohorts, revenue)}
                />
              ),
            ),
          ],
        }))}
        csv={{
          name: revenue ? 'cohorts-revenue.csv' : 'cohorts.csv',
          rows: [
            [
              'first_order',
              'customers',
              ...Array.from({ length: longest }, (_, place) => `${revenue ? 'revenue' : 'customers'}_month_${place}`),
            ],
            ...cohorts.map((cohort) => [
              codeMonth(cohort.month),
              cohort.size,
              ...(revenue ? cohort.revenueMinor.map((minor) => formatMoney(minor, currency)) : cohort.active),
            ]),
          ],
        }}
      />
    </RetentionPage>
  )
}

type CellProps = { cohort: Cohort; place: number; currency: string; revenue: boolean; brightest: number }

/** A cell of the heat map: the number is always there in words, the shade only helps to see the pattern. */
function Cell({ cohort, place, currency, revenue, brightest }: CellProps) {
  const buyers = cohort.active[place]!
  const mean = meanMinor(cohort.revenueMinor[place]!, cohort.size) ?? 0
  const value = revenue ? mean : buyers / cohort.size
  // Month 0 of the shares is always 100 % and would hide the rest.
  const shade = (!revenue && place === 0) || brightest <= 0 ? 0 : value / brightest
  const month = cohort.month + place
  const shown = revenue ? showMoney(formatMoney(mean, currency), currency) : showRate(value)
  return (
    <Shaded by={shade}>
      <CustomersLink
        of={nameGroup({ kind: 'cohort', cohort: cohort.month, month })}
        customers={buyers}
        label={`${shown}: first order in ${showMonth(cohort.month)}, ordered in ${showMonth(month)}`}
      >
        {shown}
      </CustomersLink>
    </Shaded>
  )
}

function brightest(cohorts: Cohort[], revenue: boolean): number {
  return Math.max(
    0,
    ...cohorts.flatMap(({ active, revenueMinor, size }) =>
      revenue ? revenueMinor.map((minor) => minor / size) : active.slice(1).map((buyers) => buyers / size),
    ),
  )
}

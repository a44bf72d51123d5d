import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { InlineGrid } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { askMeasures, readPareto, type ParetoStep } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { toRate } from '#app/retention/exact.ts'
import { nameGroup } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { LineChart } from '#app/ui/chart.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { customersPath, CustomersLink, RetentionPage } from '#app/ui/retention-page.tsx'
import { sayCustomers, showCount, showMoney, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Pareto · Retention · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  return { steps: await readPareto(await askMeasures(shop, now())), currency: shop.currency }
}

export default function Pareto() {
  const { steps, currency } = useLoaderData<typeof loader>()
  const all = steps.at(-1)
  if (!all) {
    return (
      <RetentionPage title="Pareto" subtitle={SUBTITLE} empty>
        <NothingYet heading="No paid orders yet">With them it shows how much your best customers bring.</NothingYet>
      </RetentionPage>
    )
  }
  const money = (minor: number) => showMoney(formatMoney(minor, currency), currency)
  const share = (step: ParetoStep) => showRate(shareOf(step, all))
  return (
    <RetentionPage title="Pareto" subtitle={SUBTITLE}>
      <InlineGrid columns={{ xs: 1, sm: 2 }} gap={{ xs: '200', md: '400' }}>
        {steps
          .filter(({ percent }) => percent === 20 || percent === 50)
          .map((step) => (
            <Figure
              key={step.percent}
              label={step.percent === 20 ? 'The best fifth’s share' : 'The better half’s share'}
              value={share(step)}
              note={`${sayCustomers(step.customers)}: ${money(step.revenueMinor)} of ${money(all.revenueMinor)}`}
              to={customersPath(nameGroup({ kind: 'best', percent: step.percent }))}
              customers={step.customers}
            />
          ))}
      </InlineGrid>
      <MeasureTable
        heading="How much the best customers bring"
        explanation="Customers from the one who has spent most to the one who has spent least, refunds taken off, and their share of all revenue. A part of a customer counts as a whole one."
        head={['Best customers', 'Customers', 'Spent', 'Share of revenue']}
        rows={steps.map((step) => ({
          key: String(step.percent),
          cells: [
            `${step.percent}%`,
            ...[showCount(step.customers), money(step.revenueMinor), share(step)].map((shown, place) => (
              <CustomersLink
                key={COLUMNS[place]}
                of={nameGroup({ kind: 'best', percent: step.percent })}
                customers={step.customers}
                label={`Best ${step.percent}%, ${COLUMNS[place]}: ${shown}`}
              >
                {shown}
              </CustomersLink>
            )),
          ],
        }))}
        csv={{
          name: 'pareto.csv',
          rows: [
            ['best_percent', 'customers', 'spent', 'share'],
            ...steps.map((step) => [
              step.percent,
              step.customers,
              formatMoney(step.revenueMinor, currency),
              shareOf(step, all),
            ]),
          ],
        }}
      >
        <LineChart
          title="Share of revenue by share of customers, the best first, and dashed if all had spent alike; the numbers are in the table below"
          highest={1}
          show={(rate) => `${Math.round(rate * 100)}%`}
          name="the best"
          points={steps.map((step) => ({
            label: `${step.percent}%`,
            value: shareOf(step, all),
            text: share(step),
          }))}
          compare={{
            name: 'if all had spent alike',
            points: steps.map(({ percent }) => ({
              label: `${percent}%`,
              value: percent / 100,
              text: `${percent}%`,
            })),
          }}
        />
      </MeasureTable>
    </RetentionPage>
  )
}

const SUBTITLE = 'How much of the revenue the best customers bring'

const COLUMNS = ['customers', 'spent', 'share of revenue']

/** Null where there is no revenue to share. */
function shareOf(step: ParetoStep, all: ParetoStep): number | null {
  return all.revenueMinor > 0 ? toRate(step.revenueMinor, all.revenueMinor) : null
}

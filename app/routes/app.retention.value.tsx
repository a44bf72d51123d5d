import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { Banner, BlockStack, Button, InlineGrid, InlineStack, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { findPrediction, sumPredictions, type ShopPrediction } from '#app/db/predictions.server.ts'
import { askMeasures, listCustomersBehind, readPareto } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import type { BackTest } from '#app/retention/prediction.ts'
import { nameGroup } from '#app/retention/segments.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { LineChart } from '#app/ui/chart.tsx'
import { CustomersBehind } from '#app/ui/customers-behind.tsx'
import { ExportList } from '#app/ui/export-csv.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { customersPath, CustomersLink, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'
import { sayCustomers, showCount, showInstant, showMoney, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Customer value · Perennial' }]

const SHOWN = 20
const NO_NAMES: Record<string, string> = {}

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const asked = await askMeasures(shop, now())
  const [pareto, fitted, sums, rows] = await Promise.all([
    readPareto(asked),
    findPrediction(shop.id),
    sumPredictions(shop.id),
    listCustomersBehind(asked, { kind: 'all' }, { limit: SHOWN, sort: 'expected' }),
  ])
  return {
    ...{ pareto, fitted, sums, rows },
    names: namesOrNone(
      admin,
      rows.map((row) => row.customer),
    ),
    currency: shop.currency,
    timezone: asked.timeZone,
  }
}

export default function Value() {
  const { pareto, fitted, sums, rows, currency, timezone, ...streamed } = useLoaderData<typeof loader>()
  const names = useResolved(streamed.names, NO_NAMES)
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  if (rows.length === 0) {
    return (
      <RetentionPage title="Customer value" subtitle={SUBTITLE} empty>
        <NothingYet heading="No paid orders yet">
          What customers have spent, and what they will, begins with them.
        </NothingYet>
      </RetentionPage>
    )
  }
  const [all, fifth] = [pareto.at(-1)!, pareto.find(({ percent }) => percent === 20)!]
  const predicted = sums.customers > 0 ? { to: customersPath('predicted'), customers: sums.customers } : {}
  return (
    <RetentionPage title="Customer value" subtitle={SUBTITLE}>
      <InlineGrid columns={{ xs: 1, sm: 2, md: 4 }} gap={{ xs: '200', md: '400' }}>
        <Figure
          label="Spent so far"
          value={money(all.revenueMinor)}
          note={`Goods of all paid orders of ${sayCustomers(all.customers)}, refunds taken off`}
          to={customersPath('all')}
          customers={all.customers}
        />
        <Figure
          label="The best fifth’s share"
          value={showRate(all.revenueMinor > 0 ? fifth.revenueMinor / all.revenueMinor : null)}
          note={`${sayCustomers(fifth.customers)}: ${money(fifth.revenueMinor)}`}
          to={customersPath('best:20')}
          customers={fifth.customers}
        />
        <Figure
          label="Orders expected in 12 months"
          value={sums.customers === 0 ? '—' : showCount(Math.round(sums.orders))}
          note="From customers known today; order days, by BG/NBD"
          {...predicted}
        />
        <Figure
          label="Value expected in 12 months"
          value={money(sums.valueMinor)}
          note="The same orders at what each customer’s are worth, by Gamma-Gamma"
          {...predicted}
        />
      </InlineGrid>
      <Models prediction={fitted?.prediction ?? null} fittedAt={fitted?.fittedAt ?? null} timezone={timezone} />
      {fitted?.prediction.ok && fitted.prediction.backTest && (
        <BackTestTable test={fitted.prediction.backTest} tenths={sums.tenths} />
      )}
      <BlockStack gap="200">
        <Inset>
          <InlineStack align="space-between" blockAlign="center" gap="200">
            <Text as="h2" variant="headingMd">
              Most expected of
            </Text>
            <div data-screen-only>
              <InlineStack gap="200">
                <ExportList name="customers-expected.csv" path="/app/retention/export?of=all&sort=expected" />
                <Button url={`${customersPath('all')}&sort=expected`}>See all</Button>
              </InlineStack>
            </div>
          </InlineStack>
        </Inset>
        <CustomersBehind {...{ rows, names, currency, timezone }} total={rows.length} page={1} pageSize={SHOWN} />
      </BlockStack>
    </RetentionPage>
  )
}

const SUBTITLE = 'What customers have spent, and what can be expected of them'

type ModelsProps = { prediction: ShopPrediction | null; fittedAt: number | null; timezone: string }

function Models({ prediction, fittedAt, timezone }: ModelsProps) {
  if (!prediction || fittedAt === null) {
    return (
      <Banner tone="info" title="Predictions are on their way">
        <p>They are computed in the background once a day; the first time within minutes of your first orders.</p>
      </Banner>
    )
  }
  if (!prediction.ok) {
    const { repeatCustomers, repeatCustomersNeeded, historyDays, historyDaysNeeded } = prediction
    return (
      <Banner tone="info" title="Not enough data to predict yet">
        <p>
          {repeatCustomers < repeatCustomersNeeded
            ? `${showCount(repeatCustomersNeeded)} customers who came back on another day are needed, you have ${showCount(repeatCustomers)}.`
            : `${showCount(historyDaysNeeded)} days of orders are needed, you have ${showCount(historyDays)}.`}{' '}
          Until then any number would be a guess.
        </p>
      </Banner>
    )
  }
  const { bgNbd, gammaGamma } = prediction
  const show = (value: number) => new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(value)
  return (
    <Inset>
      <Text as="p" tone="subdued">
        {`Fitted ${showInstant(fittedAt, timezone)}. BG/NBD (Fader, Hardie and Lee 2005): r ${show(bgNbd.r)}, alpha ${show(bgNbd.alpha)} weeks, a ${show(bgNbd.a)}, b ${show(bgNbd.b)}.`}
        {gammaGamma &&
          ` Gamma-Gamma (Fader and Hardie 2013): p ${show(gammaGamma.p)}, q ${show(gammaGamma.q)}, gamma ${show(gammaGamma.gamma)}.`}
        {bgNbd.atEdge &&
          ' Your customers differ too little to tell all of these apart: the orders expected stand all the same, but not the chance that somebody is still a customer.'}
      </Text>
    </Inset>
  )
}

function BackTestTable({ test, tenths }: { test: BackTest; tenths: number[] }) {
  const two = (value: number) => value.toFixed(2)
  return (
    <MeasureTable
      heading="How far to trust it"
      explanation={`The model was fitted without the last ${showCount(test.holdOutDays)} days and asked to predict them: it expected ${two(test.expected)} order days a customer, there were ${two(test.actual)}. Ten equal groups of customers, from the least to the most expected:`}
      head={['Tenth', 'Customers', 'Expected', 'Happened']}
      rows={test.byExpectation.map((row, place) => ({
        key: String(place + 1),
        cells: [
          String(place + 1),
          ...[
            [showCount(tenths[place]!), 'customers'],
            [two(row.expected), 'expected'],
            [two(row.actual), 'happened'],
          ].map(([shown, what]) => (
            <CustomersLink
              key={what}
              of={nameGroup({ kind: 'tenth', tenth: place + 1 })}
              customers={tenths[place]!}
              label={`Tenth ${place + 1}, ${what}: ${shown}`}
            >
              {shown}
            </CustomersLink>
          )),
        ],
      }))}
      csv={{
        name: 'back-test.csv',
        rows: [
          ['tenth', 'customers', 'expected', 'happened'],
          ...test.byExpectation.map((row, place) => [place + 1, row.customers, row.expected, row.actual]),
        ],
      }}
    >
      <LineChart
        title="Order days a customer in the days held out, by tenth, and what was expected dashed; the numbers are in the table below"
        name="happened"
        points={test.byExpectation.map((row, place) => ({
          label: String(place + 1),
          value: row.actual,
          text: two(row.actual),
        }))}
        compare={{
          name: 'expected',
          points: test.byExpectation.map((row, place) => ({
            label: String(place + 1),
            value: row.expected,
            text: two(row.expected),
          })),
        }}
        show={two}
      />
    </MeasureTable>
  )
}

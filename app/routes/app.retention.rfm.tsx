import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { Card } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { askMeasures, countGroups, readRfmGrid, type RfmCell } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { groupOf } from '#app/retention/rfm.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { RFM_WORDS } from '#app/ui/group-words.ts'
import { MeasureTable, Shaded } from '#app/ui/measure-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { CustomersLink, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showMoney, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'RFM · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const grid = await readRfmGrid(await askMeasures(shop, now()))
  return { grid, groups: grid && countGroups(grid), currency: shop.currency }
}

const SCORES = [1, 2, 3, 4, 5]

export default function Rfm() {
  const { grid, groups, currency } = useLoaderData<typeof loader>()
  const subtitle = 'Recency, frequency and money, each from 1 to 5 within your shop'
  if (!grid || !groups) {
    return (
      <RetentionPage title="RFM" subtitle={subtitle} empty>
        <NothingYet heading="Not enough data yet">
          Five customers with paid orders are needed to rank them in fifths.
        </NothingYet>
      </RetentionPage>
    )
  }
  const total = groups.reduce((sum, group) => sum + group.customers, 0)
  return (
    <RetentionPage title="RFM" subtitle={subtitle}>
      <MeasureTable
        heading="The grid"
        explanation="Down: how recently they ordered, 5 the most recent fifth. Across: the mean of how often and how much. Equal values have equal scores, so fifths need not be equal in size."
        head={['Recency', ...SCORES.map((FM) => `Frequency and money ${FM}`)]}
        rows={[...SCORES].reverse().map((R) => ({
          key: String(R),
          cells: [String(R), ...SCORES.map((FM) => <Cell key={FM} R={R} FM={FM} grid={grid} total={total} />)],
        }))}
        csv={{
          name: 'rfm-grid.csv',
          rows: [
            ['recency', 'frequency_money', 'group', 'customers', 'spent'],
            ...grid.map((cell) => [
              cell.R,
              cell.FM,
              cell.group,
              cell.customers,
              formatMoney(cell.revenueMinor, currency),
            ]),
          ],
        }}
      />
      <GroupsTable groups={groups} grid={grid} currency={currency} />
      <Card>Shopify’s eleventh group, Prospects, are customers without orders; they are not counted here.</Card>
    </RetentionPage>
  )
}

const GROUPS_HEAD = ['Group', 'Customers', 'Share', 'Spent so far', 'Share of revenue', 'Who they are']

type GroupsTableProps = { groups: ReturnType<typeof countGroups>; grid: RfmCell[]; currency: string }

function GroupsTable({ groups, grid, currency }: GroupsTableProps) {
  const total = groups.reduce((sum, group) => sum + group.customers, 0)
  const money = (minor: number) => showMoney(formatMoney(minor, currency), currency)
  return (
    <MeasureTable
      heading="Groups, as Shopify names them"
      explanation="Every customer is in exactly one. Shopify describes its groups in words; the limits are ours, so a customer can be in another one there."
      head={GROUPS_HEAD}
      words={[5]}
      rows={groups.map(({ group, customers, revenueMinor }) => ({
        key: group,
        cells: [
          RFM_WORDS[group].name,
          ...[
            showCount(customers),
            showRate(customers / total),
            money(revenueMinor),
            showRate(shareOf(revenueMinor, grid)),
          ].map((shown, place) => (
            <CustomersLink
              key={GROUPS_HEAD[place + 1]}
              of={`rfm:${group}`}
              customers={customers}
              label={`${RFM_WORDS[group].name}, ${GROUPS_HEAD[place + 1]}: ${shown}`}
            >
              {shown}
            </CustomersLink>
          )),
          RFM_WORDS[group].description,
        ],
      }))}
      csv={{
        name: 'rfm-groups.csv',
        rows: [
          ['group', 'customers', 'spent'],
          ...groups.map(({ group, customers, revenueMinor }) => [
            group,
            customers,
            formatMoney(revenueMinor, currency),
          ]),
        ],
      }}
    />
  )
}

function shareOf(revenueMinor: number, grid: RfmCell[]): number | null {
  const total = grid.reduce((sum, cell) => sum + cell.revenueMinor, 0)
  return total > 0 ? revenueMinor / total : null
}

/** The number and the group are always there in words; the shade only helps to see where the many are. */
function Cell({ R, FM, grid, total }: { R: number; FM: number; grid: RfmCell[]; total: number }) {
  const customers = grid.find((cell) => cell.R === R && cell.FM === FM)?.customers ?? 0
  const name = RFM_WORDS[groupOf({ R, F: FM, M: FM })].name
  // A tenth of all customers in one of the 25 cells is as dark as it gets.
  const shade = (customers / total) * 10
  return (
    <Shaded by={shade}>
      <CustomersLink
        of={`rfm-cell:${R}:${FM}`}
        customers={customers}
        label={`Recency ${R}, frequency and money ${FM}, ${name}: ${showCount(customers)}`}
      >
        {showCount(customers)}
      </CustomersLink>
      <br />
      {name}
    </Shaded>
  )
}

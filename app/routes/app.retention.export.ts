import type { LoaderFunctionArgs } from '@remix-run/node'

import { now } from '#app/clock.server.ts'
import {
  askMeasures,
  CUSTOMER_SORTS,
  listCustomersBehind,
  type Asked,
  type CustomerSort,
} from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { formatInstant } from '#app/loyalty/time.ts'
import { parseGroup, type CustomerGroup } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { csvFile } from '#app/ui/csv-file.ts'

const CUSTOMERS_A_PIECE = 5_000
const HEAD = [
  ...['customer', 'orders', 'spent', 'currency', 'first_order', 'last_order'],
  ...['active', 'expected_orders', 'expected_value', 'points'],
]

/** The customers behind a number as CSV, all of them and sorted as the page asks, a piece at a time so that no list is too long for it. */
export async function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  const { shop } = await requireMerchant(request)
  const params = new URL(request.url).searchParams
  const group = parseGroup(params.get('of') ?? 'all')
  const sort = CUSTOMER_SORTS.find((one) => one === params.get('sort')) ?? 'revenue'
  if (!group) throw Response.json({ message: 'There is no such group of customers' }, { status: 404 })
  const asked = await askMeasures(shop, now())
  return csvFile('customers.csv', writeCustomers(asked, { group, sort, currency: shop.currency }))
}

type File = { group: CustomerGroup; sort: CustomerSort; currency: string }

async function* writeCustomers(asked: Asked, { group, sort, currency }: File) {
  yield [HEAD]
  for (let offset = 0; ; offset += CUSTOMERS_A_PIECE) {
    const rows = await listCustomersBehind(asked, group, { limit: CUSTOMERS_A_PIECE, offset, sort })
    yield rows.map((row) => [
      row.customer,
      row.orders,
      formatMoney(row.revenueMinor, currency),
      currency,
      row.firstAt === null ? null : formatInstant(row.firstAt),
      row.lastAt === null ? null : formatInstant(row.lastAt),
      row.active?.toFixed(4) ?? null,
      row.expectedOrders?.toFixed(4) ?? null,
      row.expectedMinor === null ? null : formatMoney(row.expectedMinor, currency),
      row.points,
    ])
    if (rows.length < CUSTOMERS_A_PIECE) return
  }
}

// Orders read from the Admin API (2026-10): one, those that changed, or all of them by a bulk operation. What comes back is
// the API's answer whole (`AdminOrder`), which can be kept as text; `orderFromAdminApi` says what it means.
import { abstractFetch } from '@shopify/shopify-api/runtime'
import { z } from 'zod'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { addLines, ORDER_LINES_QUERY, ORDER_QUERY, ORDERS_QUERY, type AdminOrder } from '#app/shopify/order.ts'

/** Orders × lines of a page: together they keep a query under the 1 000 points that it may cost. */
const ORDERS_PER_PAGE = 10
const LINES_PER_PAGE = 20
const MORE_LINES_PER_PAGE = 250

/** The shape is Shopify's, checked against its schema by a test; amounts and instants are read by `orderFromAdminApi`. */
const adminOrder = z.custom<AdminOrder>((node) => typeof (node as { id?: unknown } | null)?.id === 'string')
const onePage = z.object({ order: adminOrder.nullable() })
const manyPage = z.object({
  orders: z.object({
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    nodes: z.array(adminOrder),
  }),
})
const linesPage = z.object({
  order: z.object({ lineItems: z.custom<AdminOrder['lineItems']>((page) => typeof page === 'object') }).nullable(),
})

/** The order with all of its lines, or null where it is gone or out of reach (older than 60 days without the scope). */
export async function readOrder(admin: AdminClient, order: string): Promise<AdminOrder | null> {
  const answer = await admin.request(ORDER_QUERY, { id: order, lines: MORE_LINES_PER_PAGE }, onePage)
  return answer.order && readAllLines(admin, answer.order)
}

const ORDER_CUSTOMERS = `#graphql
query OrderCustomers($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Order { id customer { id } } }
}`
/** Shopify takes at most 250 ids in one list (API 2026-10, usage limits). */
const IDS_MAX = 250
const orderCustomer = z.object({ id: z.string(), customer: z.object({ id: z.string() }).nullable() })

/** Whose these orders (gids) are at Shopify now, by order; those without a customer, gone or out of reach are missing. Throws AdminApiError. */
export async function findOrderCustomers(admin: AdminClient, orders: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let start = 0; start < orders.length; start += IDS_MAX) {
    const ids = orders.slice(start, start + IDS_MAX)
    // A node that is no order comes back as {}, one that is gone as null.
    const answer = z.object({ nodes: z.array(z.union([orderCustomer, z.object({}).nullable()])) })
    const { nodes } = await admin.request(ORDER_CUSTOMERS, { ids }, answer)
    for (const node of nodes) {
      const order = orderCustomer.safeParse(node)
      if (order.success && order.data.customer) found.set(order.data.id, order.data.customer.id)
    }
  }
  return found
}

/** Orders that changed at or after the instant, oldest change first, each whole, a page at a time. */
export async function* readOrdersChangedSince(admin: AdminClient, since: number): AsyncGenerator<AdminOrder[]> {
  const query = `updated_at:>='${new Date(since).toISOString()}'`
  let after: string | null = null
  do {
    const { pageInfo, nodes } = await readPage(admin, query, after)
    const whole: AdminOrder[] = []
    for (const node of nodes) whole.push(await readAllLines(admin, node))
    yield whole
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null
  } while (after !== null)
}

type OrdersPage = z.infer<typeof manyPage>['orders']

async function readPage(admin: AdminClient, query: string, after: string | null): Promise<OrdersPage> {
  const variables = { query, first: ORDERS_PER_PAGE, after, lines: LINES_PER_PAGE }
  return (await admin.request(ORDERS_QUERY, variables, manyPage)).orders
}

async function readAllLines(admin: AdminClient, node: AdminOrder): Promise<AdminOrder> {
  let whole = node
  while (whole.lineItems.pageInfo.hasNextPage) {
    const variables = { id: node.id, lines: MORE_LINES_PER_PAGE, after: whole.lineItems.pageInfo.endCursor }
    const { order } = await admin.request(ORDER_LINES_QUERY, variables, linesPage)
    if (!order) throw new Error(`${node.id} went away while it was read`)
    whole = addLines(whole, order.lineItems)
  }
  return whole
}

// ── All orders: a bulk operation ────────────────────────────────────────────────────────────────────────────────────

/**
 * A bulk query may hold no connection inside a list, so what was given back beside the lines is not in it: an order that has
 * refunds is read again by itself (`needsReading`).
 */
const BULK_ORDERS = `#graphql
query LoyaltyOrderHistory {
  orders(sortKey: PROCESSED_AT) {
    edges {
      node {
        id test cancelledAt processedAt updatedAt currencyCode taxesIncluded sourceName displayFinancialStatus discountCodes
        totalTipReceivedSet { shopMoney { amount } }
        customer { id state }
        purchasingEntity { __typename }
        lineItems {
          edges {
            node {
              id quantity currentQuantity isGiftCard
              product { id }
              sellingPlan { name }
              originalUnitPriceSet { shopMoney { amount } }
              discountAllocations {
                allocatedAmountSet { shopMoney { amount } }
                discountApplication { ... on AutomaticDiscountApplication { title } }
              }
              taxLines { priceSet { shopMoney { amount } } }
            }
          }
        }
        shippingLines {
          edges {
            node {
              id
              originalPriceSet { shopMoney { amount } }
              discountAllocations {
                allocatedAmountSet { shopMoney { amount } }
                discountApplication { ... on AutomaticDiscountApplication { title } }
              }
              taxLines { priceSet { shopMoney { amount } } }
            }
          }
        }
        refunds { id }
        transactions { kind status processedAt }
      }
    }
  }
}`

const RUN_BULK = `#graphql
mutation LoyaltyBulkRun($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id }
    userErrors { field message code }
  }
}`

const BULK_STATE = `#graphql
query LoyaltyBulkState($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount url partialDataUrl }
}`

const runAnswer = z.object({
  bulkOperationRunQuery: z.object({
    bulkOperation: z.object({ id: z.string() }).nullable(),
    userErrors: z.array(z.object({ message: z.string(), code: z.string().nullable() })),
  }),
})
const bulkCount = z.union([z.string(), z.number()]).transform(Number)
const stateAnswer = z.object({
  bulkOperation: z
    .object({
      status: z.string(),
      errorCode: z.string().nullable(),
      rootObjectCount: bulkCount,
      url: z.string().nullable(),
      partialDataUrl: z.string().nullable(),
    })
    .nullable(),
})

/** Asks Shopify to collect all orders that we may see. Refused while five others run, and by rules of Shopify's: in its words. */
export async function startBulkOrders(
  admin: AdminClient,
): Promise<{ ok: true; operation: string } | { ok: false; reason: 'refused'; detail: string }> {
  const { bulkOperationRunQuery: run } = await admin.request(RUN_BULK, { query: BULK_ORDERS }, runAnswer)
  if (run.bulkOperation) return { ok: true, operation: run.bulkOperation.id }
  return { ok: false, reason: 'refused', detail: run.userErrors.map(({ message }) => message).join(' ') }
}

/** How far a bulk operation is; `orders` counts root objects so far. */
export type BulkState =
  | { state: 'running'; orders: number }
  /** `url` is null where there was nothing to collect. */
  | { state: 'done'; orders: number; url: string | null }
  | { state: 'failed'; detail: string }

/** How far a bulk operation is. One that Shopify no longer knows has failed. */
export async function readBulkState(admin: AdminClient, operation: string): Promise<BulkState> {
  const { bulkOperation: found } = await admin.request(BULK_STATE, { id: operation }, stateAnswer)
  if (!found) return { state: 'failed', detail: 'Shopify no longer has the operation.' }
  const { status, rootObjectCount: orders } = found
  if (status === 'COMPLETED') return { state: 'done', orders, url: found.url }
  if (status === 'CREATED' || status === 'RUNNING') return { state: 'running', orders }
  return { state: 'failed', detail: `${status.toLowerCase()}${found.errorCode ? `: ${found.errorCode}` : ''}` }
}

/** An order of a bulk result, complete unless it has refunds. */
export type BulkOrder = { node: AdminOrder; needsReading: boolean }

/** A bulk result that is no longer there: Shopify keeps it for seven days (shopify.dev, bulk operations). */
export class BulkResultGone extends Error {
  override name = 'BulkResultGone'
}

/**
 * The orders of a bulk result, as they come in: the file is never held whole. Throws where it cannot be fetched now, and BulkResultGone where
 * it never will be.
 */
export async function* readBulkOrders(url: string): AsyncGenerator<BulkOrder> {
  const response = await abstractFetch(url)
  if ([400, 403, 404, 410].includes(response.status)) {
    throw new BulkResultGone('Shopify keeps the orders that it has collected for seven days, and these are gone.')
  }
  if (!response.ok || !response.body) throw new Error(`The bulk result cannot be fetched: HTTP ${response.status}`)
  let order: PartialOrder | null = null
  for await (const line of readLines(response.body as unknown as AsyncIterable<Uint8Array>)) {
    const row = JSON.parse(line) as BulkRow
    if (row.__parentId === undefined) {
      if (order) yield finishOrder(order)
      order = { row, lines: [], shipping: [] }
    } else if (row.id.startsWith('gid://shopify/LineItem/')) order?.lines.push(row)
    else order?.shipping.push(row)
  }
  if (order) yield finishOrder(order)
}

type BulkRow = { id: string; __parentId?: string } & Record<string, unknown>
type PartialOrder = { row: BulkRow; lines: BulkRow[]; shipping: BulkRow[] }

function finishOrder({ row, lines, shipping }: PartialOrder): BulkOrder {
  const node = {
    ...row,
    lineItems: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: lines },
    shippingLines: { nodes: shipping },
  } as unknown as AdminOrder
  return { node, needsReading: node.refunds.length > 0 }
}

async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line !== '') yield line
  }
  rest += decoder.decode()
  if (rest.trim() !== '') yield rest
}

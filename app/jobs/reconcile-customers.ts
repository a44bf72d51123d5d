// Compares customers with Shopify's, as jobs/reconcile does orders, to find new customers, accounts and merges whose webhook never came.
// Customers that changed are read again, and every member is looked up in turn. Shopify no longer shows a customer who was merged away,
// nor into whom; but their orders moved to that other customer and so tell. What is new to us goes into the inbox and from there the way
// of every webhook.
//
// An erasure whose webhook never came cannot be found: Shopify keeps the customer and says nowhere that it asked for an erasure. Points are
// never forfeited on a guess.
import { now } from '#app/clock.server.ts'
import { storeMessages, type NewMessage } from '#app/db/inbox.server.ts'
import { findAccountStates, listMembersAfter, listOrdersOf } from '#app/db/member-records.server.ts'
import { findCustomersRead, noteCustomersRead } from '#app/db/readings.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { FIRST_READING_MS, OVERLAP_MS, type Reconciled } from '#app/jobs/reconcile.ts'
import { numberOfGid } from '#app/loyalty/ids.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { findCustomerStates, readCustomersChangedSince, type CustomerState } from '#app/shopify/customers.server.ts'
import { findOrderCustomers } from '#app/shopify/orders.server.ts'

/** How many members a run looks up, each for one point of Shopify's budget: a million in a week, ten thousand in two hours. */
const MEMBERS_A_RUN = 1_000
/** So many of a customer's newest orders are looked up, and all must have moved to the same customer. */
export const ORDERS_ASKED = 10

/** Reads customers that changed since the shop's watermark, then looks for the next members. A crash leaves both where they were. */
export async function reconcileCustomers(shop: Shop, admin: AdminClient): Promise<Reconciled> {
  const startedAt = now()
  const { until, lookedTo } = await findCustomersRead(shop.id)
  const total: Reconciled = { read: 0, mended: 0 }
  for await (const customers of readCustomersChangedSince(
    admin,
    (until ?? startedAt - FIRST_READING_MS) - OVERLAP_MS,
  )) {
    total.read += customers.length
    total.mended += await takeInCustomers(shop.id, customers, startedAt)
  }
  const members = await listMembersAfter(shop.id, lookedTo, MEMBERS_A_RUN)
  const found = await findCustomerStates(admin, members)
  total.read += members.length
  total.mended += await takeInCustomers(shop.id, [...found.values()], startedAt)
  const missing = members.filter((member) => !found.has(member))
  total.mended += (await findMerges(shop.id, admin, missing)).mended
  const last = members.length === MEMBERS_A_RUN ? numberOfGid(members.at(-1)!, 'Customer') : '0'
  await noteCustomersRead(shop.id, { until: startedAt, lookedTo: last })
  return total
}

/**
 * Finds out which of these customers (gids), whom Shopify no longer has, were merged into whom, and takes that in. Returns those who were
 * merged, and how many of these merges were new to us. Where a customer's orders went to several others, or there are none, nothing can be
 * known and nothing is done.
 */
export async function findMerges(
  shopId: number,
  admin: AdminClient,
  customers: readonly string[],
): Promise<{ merged: Set<string>; mended: number }> {
  if (customers.length === 0) return { merged: new Set(), mended: 0 }
  const orders = await listOrdersOf(shopId, customers, ORDERS_ASKED)
  const owners = await findOrderCustomers(admin, [...new Set([...orders.values()].flat())])
  const merges = [...orders].flatMap(([from, own]) => {
    const named = new Set(own.flatMap((order) => owners.get(order) ?? []))
    const [into] = named
    return named.size === 1 && into !== undefined && into !== from ? [{ from, into }] : []
  })
  const mended = await take(
    shopId,
    merges.map(({ from, into }) => ({
      topic: 'customers/merge',
      eventId: `api:merge:${from}:${into}`,
      payload: {
        admin_graphql_api_customer_kept_id: into,
        admin_graphql_api_customer_deleted_id: from,
        status: 'completed',
      },
    })),
  )
  return { merged: new Set(merges.map(({ from }) => from)), mended }
}

/** Puts into the inbox which customers there are, and have an account, as far as we have it otherwise: once a run. Returns how many. */
async function takeInCustomers(
  shopId: number,
  customers: readonly CustomerState[],
  startedAt: number,
): Promise<number> {
  const known = await findAccountStates(
    shopId,
    customers.map(({ customer }) => customer),
  )
  const news = customers.filter(({ customer, state }) => {
    const ours = known.get(customer)
    return ours === undefined || (!ours.isSettled && ours.state !== state)
  })
  return take(
    shopId,
    news.map(({ customer, state }) => ({
      topic: 'customers/update',
      eventId: `api:${customer}:${state}@${startedAt}`,
      payload: { admin_graphql_api_id: customer, state },
    })),
  )
}

/** In the shape of Shopify's own webhooks. */
async function take(
  shopId: number,
  news: readonly { topic: string; eventId: string; payload: unknown }[],
): Promise<number> {
  const at = now()
  const messages = news.map(({ topic, eventId, payload }): NewMessage => ({
    shopId,
    topic,
    eventId,
    webhookId: 'api:reconcile',
    triggeredAt: at,
    payload: JSON.stringify(payload),
    source: 'reconcile',
  }))
  return storeMessages(messages, at)
}

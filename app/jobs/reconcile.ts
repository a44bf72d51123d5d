// Reconciliation: webhooks are sometimes never sent (shopify.dev: "don't rely only on webhooks"), so orders that changed are
// read again from the Admin API (for customers see jobs/reconcile-customers). What we know already costs nothing. What is new goes into the inbox
// and from there the way of every webhook.
import { now } from '#app/clock.server.ts'
import { storeMessages, type NewMessage } from '#app/db/inbox.server.ts'
import { findKnownOrders } from '#app/db/orders.server.ts'
import { finishEffects, leaseEffects, postponeEffects } from '#app/db/outbox.server.ts'
import { clearOldReadings, endInterrupted, noteOrdersRead, noteReading, startReading } from '#app/db/readings.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import type { AdminOrder } from '#app/shopify/order.ts'
import { readOrder, readOrdersChangedSince } from '#app/shopify/orders.server.ts'

/** How far before the watermark a reading begins: Shopify's index may lag behind by minutes. */
export const OVERLAP_MS = 15 * 60_000
/** How far back the first reading goes. Older orders are for a backfill. */
export const FIRST_READING_MS = 24 * 3_600_000
const KEEP_READINGS_MS = 7 * 24 * 3_600_000
const REFETCH_LEASE_MS = 60_000
const REFETCH_BATCH = 50

/** How many orders were read, and how many of them were new to us or newer than ours. */
export type Reconciled = { read: number; mended: number }

/** Reads the orders that changed since the shop's watermark and moves it. A crash leaves it where it was. */
export async function reconcile(shop: Shop, admin: AdminClient): Promise<Reconciled> {
  const startedAt = now()
  const from = (shop.ordersReadUntil ?? startedAt - FIRST_READING_MS) - OVERLAP_MS
  // Only one runs for a shop at a time (timetable), so one that is still marked as running was cut off by a crash.
  await endInterrupted(shop.id, 'reconcile', startedAt)
  const reading = await startReading(shop.id, 'reconcile', startedAt)
  const total: Reconciled = { read: 0, mended: 0 }
  try {
    for await (const orders of readOrdersChangedSince(admin, from)) {
      total.read += orders.length
      total.mended += await takeIn(shop.id, orders, 'reconcile')
      await noteReading(shop.id, reading.id, { position: total.read, mended: total.mended }, now())
    }
  } catch (error) {
    await noteReading(shop.id, reading.id, { state: 'failed', error: String(error) }, now())
    throw error
  }
  await noteReading(shop.id, reading.id, { state: 'done', position: total.read, mended: total.mended }, now())
  await noteOrdersRead(shop.id, startedAt)
  await clearOldReadings(shop.id, 'reconcile', now() - KEEP_READINGS_MS)
  return total
}

/**
 * Puts those orders into the inbox that we do not have, or have only in an older state. Returns how many. The same state of an order is
 * taken in once, whichever reading found it.
 */
export async function takeIn(
  shopId: number,
  orders: readonly AdminOrder[],
  source: 'reconcile' | 'backfill' | 'refetch',
): Promise<number> {
  const at = now()
  const messages = (await findNews(shopId, orders)).map((order): NewMessage => ({
    shopId,
    topic: 'orders/updated',
    // Two states of the same second are two.
    eventId: `api:${order.id}@${order.updatedAt}${doesCount(order) ? '' : ':out'}`,
    webhookId: `api:${source}`,
    triggeredAt: at,
    payload: JSON.stringify(order),
    source,
  }))
  return storeMessages(messages, at)
}

/** The orders that matter and that we do not have in this state yet. */
export async function findNews(shopId: number, orders: readonly AdminOrder[]): Promise<AdminOrder[]> {
  const telling = orders.filter(saysSomething)
  const known = await findKnownOrders(
    shopId,
    telling.map(({ id }) => id),
  )
  return telling.filter((order) => {
    const before = known.get(order.id)
    const updatedAt = Date.parse(order.updatedAt)
    if (!before || before.updatedAt < updatedAt) return true
    // Shopify's instants are whole seconds: an order paid and cancelled within one has two states of one instant. Taking in all that are not older
    // would double every order's messages, so only what makes most of the difference is looked at.
    return before.updatedAt === updatedAt && before.counts !== doesCount(order)
  })
}

/** As the rules have it: paid, and not cancelled, given back whole or a test. */
function doesCount({ displayFinancialStatus, cancelledAt, test }: AdminOrder): boolean {
  return ['PAID', 'PARTIALLY_REFUNDED'].includes(displayFinancialStatus ?? '') && cancelledAt === null && !test
}

/** An order that was neither paid nor ended does not matter yet, as its payment will change it; but it has used its codes already. */
function saysSomething({ displayFinancialStatus, cancelledAt, test, discountCodes }: AdminOrder): boolean {
  const unpaid = ['PENDING', 'AUTHORIZED', 'EXPIRED', 'PARTIALLY_PAID', null].includes(displayFinancialStatus)
  return !unpaid || cancelledAt !== null || test || discountCodes.length > 0
}

/**
 * Reads orders again where a webhook said only that they changed (`orders/edited` has no totals). Returns how many were read; what fails is
 * tried again later.
 */
export async function refetchOrders(shop: Shop, admin: AdminClient): Promise<number> {
  let read = 0
  for (;;) {
    const lease = { limit: REFETCH_BATCH, leaseMs: REFETCH_LEASE_MS }
    const effects = await leaseEffects(shop.id, 'refetch-order', now(), lease)
    if (effects.length === 0) return read
    for (const effect of effects) {
      try {
        const order = await readOrder(admin, effect.key)
        if (order) await takeIn(shop.id, [order], 'refetch')
        await finishEffects(shop.id, [effect.id], now())
        read += 1
      } catch (error) {
        await postponeEffects(
          shop.id,
          [effect.id],
          now() + REFETCH_LEASE_MS * 2 ** Math.min(effect.attempts, 6),
          String(error),
        )
      }
    }
  }
}

// Backfill: the orders from before the app came, collected by a bulk operation of Shopify's and read as a stream. Whether they
// earn points or only feed the measures is the merchant's choice (`historyEarns` of the program); here they are taken in alike.
import { setTimeout as wait } from 'node:timers/promises'
import { now } from '#app/clock.server.ts'
import { countWaiting } from '#app/db/inbox.server.ts'
import { findLastReading, noteReading, startReading, type Reading } from '#app/db/readings.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { takeIn } from '#app/jobs/reconcile.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import type { AdminOrder } from '#app/shopify/order.ts'
import {
  readBulkOrders,
  readBulkState,
  readOrder,
  startBulkOrders,
  type BulkOrder,
} from '#app/shopify/orders.server.ts'

const BATCH = 500
/** With this many messages waiting the reading rests: the inbox must not grow by a million rows ahead of the drain. */
const WAITING_AT_MOST = 5_000
const REST_MS = 250
const LOOK_EVERY_MS = 1_000
/** A job is given up on after some hours by the queue; long before, the next minute's run goes on where this one stopped. */
const RUN_AT_MOST_MS = 10 * 60_000

/** Asks for a backfill; one that is under way stays the only one. */
export async function askBackfill(shopId: number): Promise<Reading> {
  const last = await findLastReading(shopId, 'backfill')
  if (last && (last.state === 'asked' || last.state === 'running')) return last
  return startReading(shopId, { kind: 'backfill' }, now())
}

/**
 * Takes the shop's backfill further, if one was asked for: starts the bulk operation, waits for it, reads its result from
 * where an earlier run stopped. Safe to run at any moment, after any crash. Returns the reading as it stands, null without one.
 */
export async function backfill(shop: Shop, admin: AdminClient): Promise<Reading | null> {
  const startedAt = performance.now()
  for (;;) {
    const reading = await findLastReading(shop.id, 'backfill')
    if (!reading || reading.state === 'done' || reading.state === 'failed') return reading
    if (performance.now() - startedAt > RUN_AT_MOST_MS) return reading
    if (reading.operation === null) {
      const started = await startBulkOrders(admin)
      const news = started.ok
        ? ({ operation: started.operation, state: 'running' } as const)
        : ({ state: 'failed', error: started.detail } as const)
      await noteReading(shop.id, reading.id, news, now())
      continue
    }
    const bulk = await readBulkState(admin, reading.operation)
    if (bulk.state === 'failed') await noteReading(shop.id, reading.id, { state: 'failed', error: bulk.detail }, now())
    if (bulk.state === 'running') await wait(LOOK_EVERY_MS)
    if (bulk.state === 'done') {
      await noteReading(shop.id, reading.id, { total: bulk.orders }, now())
      const mended = bulk.url === null ? 0 : await readResult(shop, admin, reading, bulk.url)
      await noteReading(shop.id, reading.id, { state: 'done', position: bulk.orders, mended }, now())
    }
  }
}

/** Streams the result, skips what an earlier run took in, and notes how far it is after each batch. */
async function readResult(shop: Shop, admin: AdminClient, reading: Reading, url: string): Promise<number> {
  let position = 0
  let mended = reading.mended
  let batch: BulkOrder[] = []
  const flush = async () => {
    mended += await takeIn(shop.id, await complete(admin, batch), 'backfill')
    await noteReading(shop.id, reading.id, { position, mended }, now())
    batch = []
    while ((await countWaiting(shop.id, WAITING_AT_MOST)) >= WAITING_AT_MOST) await wait(REST_MS)
  }
  for await (const order of readBulkOrders(url)) {
    position += 1
    if (position <= reading.position) continue
    batch.push(order)
    if (batch.length === BATCH) await flush()
  }
  if (batch.length > 0) await flush()
  return mended
}

/** Bulk results do not hold what was given back beside the lines: orders with refunds are read by themselves. */
async function complete(admin: AdminClient, batch: readonly BulkOrder[]): Promise<AdminOrder[]> {
  const orders: AdminOrder[] = []
  for (const { node, needsReading } of batch) {
    const whole = needsReading ? await readOrder(admin, node.id) : node
    if (whole) orders.push(whole)
  }
  return orders
}

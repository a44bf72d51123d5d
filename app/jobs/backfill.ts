// Backfill: the orders from before the app came, collected by a bulk operation of Shopify's and read as a stream. Whether they
// earn points or only feed the measures is the merchant's choice (`historyEarns` of the program); here they are taken in alike.
import { setTimeout as wait } from 'node:timers/promises'
import { now } from '#app/clock.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { isOutOfReach } from '#app/db/errors.server.ts'
import { countWaiting } from '#app/db/inbox.server.ts'
import { findLastReading, noteReading, startReading, type Reading } from '#app/db/readings.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { planForAnyShop } from '#app/db/plans.server.ts'
import { loadWorld, saveWorld } from '#app/db/world.server.ts'
import { addCatalog, findRules } from '#app/jobs/drain-inbox.ts'
import { findNews, takeIn } from '#app/jobs/reconcile.ts'
import { handle, type Event } from '#app/loyalty/engine.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { orderFromAdminApi, type AdminOrder } from '#app/shopify/order.ts'
import {
  readBulkOrders,
  readBulkState,
  readOrder,
  startBulkOrders,
  type BulkOrder,
} from '#app/shopify/orders.server.ts'

const BATCH = 500
const LANES = 2
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

/** Orders gathered for one batch and those being worked on, with where in the result the first of each lies. */
type Lane = { gathered: BulkOrder[]; gatheredFrom: number; working: Promise<void>; workingFrom: number }

/**
 * Streams the result, skips what an earlier run took in, and notes how far it is after each batch. While one lane's batch is at the
 * database, the next lane's is read. A customer's orders all go one lane, so they stay in their order.
 */
async function readResult(shop: Shop, admin: AdminClient, reading: Reading, url: string): Promise<number> {
  const lanes = Array.from({ length: LANES }, (): Lane => ({
    gathered: [],
    gatheredFrom: Infinity,
    working: Promise.resolve(),
    workingFrom: Infinity,
  }))
  let position = 0
  let mended = reading.mended
  const work = async (lane: Lane, batch: readonly BulkOrder[]) => {
    mended += await takeInPast(shop.id, await complete(admin, batch))
    lane.workingFrom = Infinity
    const doneUntil = Math.min(position, ...lanes.flatMap((each) => [each.gatheredFrom, each.workingFrom]).map(before))
    await noteReading(shop.id, reading.id, { position: doneUntil, mended }, now())
    while ((await countWaiting(shop.id, WAITING_AT_MOST)) >= WAITING_AT_MOST) await wait(REST_MS)
  }
  const flush = async (lane: Lane) => {
    await lane.working
    lane.workingFrom = lane.gatheredFrom
    lane.working = work(lane, lane.gathered)
    // Whoever waits for the lane next hears of it.
    lane.working.catch(() => undefined)
    lane.gathered = []
    lane.gatheredFrom = Infinity
  }
  for await (const order of readBulkOrders(url)) {
    position += 1
    if (position <= reading.position) continue
    const lane = lanes[Number(order.node.customer?.id.at(-1) ?? 0) % LANES]!
    if (lane.gathered.length === 0) lane.gatheredFrom = position
    if (lane.gathered.push(order) === BATCH) await flush(lane)
  }
  for (const lane of lanes) if (lane.gathered.length > 0) await flush(lane)
  await Promise.all(lanes.map((lane) => lane.working))
  return mended
}

const before = (position: number): number => position - 1

/** Takes in what is new of a batch and returns how many orders that were. What cannot be worked on here goes through the inbox. */
async function takeInPast(shopId: number, orders: readonly AdminOrder[]): Promise<number> {
  const news = await findNews(shopId, orders)
  const left = await applyOrders(shopId, news)
  if (left.length > 0) await takeIn(shopId, left, 'backfill')
  return news.length
}

/**
 * Works on orders without a message for each: they can be read again, so nothing is lost with them. One transaction; returns the
 * orders that it left alone, because there is no program yet or something is wrong with them. The inbox keeps those, tries each by
 * itself and shows what is wrong.
 */
async function applyOrders(shopId: number, orders: readonly AdminOrder[]): Promise<AdminOrder[]> {
  if (orders.length === 0) return []
  try {
    return await inTransaction(
      async (client) => {
        const { programs, catalogued } = await findRules(shopId, client)
        if (!programs) return [...orders]
        const at = now()
        const { readable, unreadable } = readAll(orders, at)
        if (catalogued) await addCatalog(shopId, readable, client)
        const events = readable.map(({ event }) => event)
        const world = await loadWorld(shopId, events, { at }, client)
        const failed: AdminOrder[] = []
        for (const { order, event } of readable) {
          try {
            world.put(handle(world, event, programs))
          } catch {
            failed.push(order)
          }
        }
        await saveWorld(shopId, world, programs, at, client)
        return [...unreadable, ...failed]
      },
      await planForAnyShop(),
    )
  } catch (error) {
    if (isOutOfReach(error)) throw error
    return [...orders]
  }
}

function readAll(orders: readonly AdminOrder[], at: number) {
  const readable: { order: AdminOrder; event: Event }[] = []
  const unreadable: AdminOrder[] = []
  for (const node of orders) {
    try {
      const { order, paidAt } = orderFromAdminApi(node)
      readable.push({ order: node, event: { type: 'order', at, order, paidAt: paidAt ?? undefined } })
    } catch {
      unreadable.push(node)
    }
  }
  return { readable, unreadable }
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

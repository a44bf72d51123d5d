// Backfill: the orders from before the app was installed, collected by a bulk operation of Shopify's and read as a stream. Whether they
// earn points or only count in the measures is the merchant's choice (`historyEarns`); they are taken in the same way.
import { setTimeout as wait } from 'node:timers/promises'
import { now } from '#app/clock.server.ts'
import { whileAlone } from '#app/db/alone.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { isOutOfReach } from '#app/db/errors.server.ts'
import { countWaiting } from '#app/db/inbox.server.ts'
import { findLastReading, noteReading, startReading, type Reading } from '#app/db/readings.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { planForAnyShop } from '#app/db/plans.server.ts'
import { applyTo, loadWorld, saveWorld } from '#app/db/world.server.ts'
import { addCatalog, findRules } from '#app/jobs/drain-inbox.ts'
import { findNews, takeIn } from '#app/jobs/reconcile.ts'
import type { Event } from '#app/loyalty/engine.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { orderFromAdminApi, type AdminOrder } from '#app/shopify/order.ts'
import {
  BulkResultGone,
  readBulkOrders,
  readBulkState,
  readOrder,
  startBulkOrders,
  type BulkOrder,
} from '#app/shopify/orders.server.ts'

/**
 * Larger than the drain's: nobody waits for the past, and the more rows a statement writes, the less each costs. PostgreSQL had a quarter
 * less to do than with 500 where they were 250,000 orders, and no less where they were a million.
 */
const BATCH = 1_500
/** While one batch is with the engine, PostgreSQL has two: with one it had nothing to do whenever that one's transaction was at its end. */
const LANES = 3
/** With this many messages waiting the reading rests: the inbox must not grow by a million rows ahead of the drain. */
const WAITING_AT_MOST = 5_000
const REST_MS = 250
/** Results that may be read at once in a process: fewer than it has places for tasks, or the other shops' tasks would wait for them. */
const PLACES = { free: 2 }
/**
 * After so long the next run goes on where this one stopped, so that others have their turn. Not much sooner: the result is fetched from
 * its beginning again, which of a million orders takes some ten seconds.
 */
const RUN_AT_MOST_MS = 10 * 60_000

/** Asks for a backfill; one that is under way stays the only one. */
export async function askBackfill(shopId: number): Promise<Reading> {
  const last = await findLastReading(shopId, 'backfill')
  if (isUnderWay(last)) return last
  return startReading(shopId, 'backfill', now())
}

/**
 * Takes the shop's backfill further, if one was asked for: starts the bulk operation, looks whether Shopify is done with it, reads its
 * result from where an earlier run stopped. Does not wait: where the reading that it returns is `running`, there is more to do later.
 * Safe to run at any moment, after any crash. Null without a reading. `places` are those of the process.
 */
export async function backfill(
  shop: Shop,
  admin: AdminClient,
  signal?: AbortSignal,
  places = PLACES,
): Promise<Reading | null> {
  const last = await findLastReading(shop.id, 'backfill')
  if (!isUnderWay(last)) return last
  // The shop's other tasks go on beside it, so it stands in no queue that would keep it from running twice.
  await whileAlone(`backfill:${shop.id}`, 0, () => goOn(shop, admin, places, signal))
  return findLastReading(shop.id, 'backfill')
}

const isUnderWay = (reading: Reading | null): reading is Reading =>
  reading?.state === 'asked' || reading?.state === 'running'

async function goOn(shop: Shop, admin: AdminClient, places: typeof PLACES, signal?: AbortSignal): Promise<void> {
  const reading = await findLastReading(shop.id, 'backfill')
  if (!isUnderWay(reading)) return
  let { operation } = reading
  if (operation === null) {
    const started = await startBulkOrders(admin)
    const news = started.ok
      ? ({ operation: started.operation, state: 'running' } as const)
      : ({ state: 'failed', error: started.detail } as const)
    await noteReading(shop.id, reading.id, news, now())
    if (!started.ok) return
    operation = started.operation
  }
  const bulk = await readBulkState(admin, operation)
  if (bulk.state === 'failed') await noteReading(shop.id, reading.id, { state: 'failed', error: bulk.detail }, now())
  if (bulk.state !== 'done' || places.free === 0) return
  places.free -= 1
  try {
    await noteReading(shop.id, reading.id, { total: bulk.orders }, now())
    const read =
      bulk.url === null ? { mended: 0, isWhole: true } : await readResult(shop, admin, reading, bulk.url, signal)
    if (!read.isWhole) return
    await noteReading(shop.id, reading.id, { state: 'done', position: bulk.orders, mended: read.mended }, now())
  } catch (error) {
    if (!(error instanceof BulkResultGone)) throw error
    await noteReading(shop.id, reading.id, { state: 'failed', error: error.message }, now())
  } finally {
    places.free += 1
  }
}

/** Orders gathered for one batch and those being worked on, with where in the result the first of each lies. */
type Lane = { gathered: BulkOrder[]; gatheredFrom: number; working: Promise<void>; workingFrom: number }

/**
 * Streams the result, skips what an earlier run took in, and notes how far it is after each batch. While one lane's batch is at the
 * database, the next lane's is read. A customer's orders all go one lane, so they stay in their order. Not `isWhole`: it was to end before.
 */
async function readResult(
  shop: Shop,
  admin: AdminClient,
  reading: Reading,
  url: string,
  signal?: AbortSignal,
): Promise<{ mended: number; isWhole: boolean }> {
  const startedAt = performance.now()
  const isToEnd = () => signal?.aborted === true || performance.now() - startedAt > RUN_AT_MOST_MS
  const lanes = Array.from({ length: LANES }, (): Lane => ({
    gathered: [],
    gatheredFrom: Infinity,
    working: Promise.resolve(),
    workingFrom: Infinity,
  }))
  let position = 0
  let isWhole = true
  let mended = reading.mended
  const work = async (lane: Lane, batch: readonly BulkOrder[]) => {
    mended += await takeInPast(shop.id, await complete(admin, batch))
    lane.workingFrom = Infinity
    const doneUntil = Math.min(position, ...lanes.flatMap((each) => [each.gatheredFrom, each.workingFrom]).map(before))
    await noteReading(shop.id, reading.id, { position: doneUntil, mended }, now())
    while (!isToEnd() && (await countWaiting(shop.id, WAITING_AT_MOST)) >= WAITING_AT_MOST) await wait(REST_MS)
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
    if (isToEnd()) {
      isWhole = false
      break
    }
    position += 1
    if (position <= reading.position) continue
    const lane = lanes[Number(order.node.customer?.id.at(-1) ?? 0) % LANES]!
    if (lane.gathered.length === 0) lane.gatheredFrom = position
    if (lane.gathered.push(order) === BATCH) await flush(lane)
  }
  for (const lane of lanes) if (lane.gathered.length > 0) await flush(lane)
  await Promise.all(lanes.map((lane) => lane.working))
  return { mended, isWhole }
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
        const world = await loadWorld(shopId, events, { at, leaveLots: true }, client)
        const failed: AdminOrder[] = []
        for (const { order, event } of readable) {
          try {
            await applyTo(world, event, programs)
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

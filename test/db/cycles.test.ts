import fc from 'fast-check'
import { expect, test } from 'vitest'
import { saveCatalog } from '#app/db/catalog.server.ts'
import { inTransaction, pool } from '#app/db/client.server.ts'
import {
  changeCycles,
  findCustomerLifecycle,
  findCycleDifferences,
  findRecount,
  listCycles,
  recountSlice,
  startRecount,
} from '#app/db/cycles.server.ts'
import { findMeasureDifferences, rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { moveOrders, saveOrders } from '#app/db/orders.server.ts'
import { countCustomersBehind, listCustomersBehind, readOverview } from '#app/db/retention.server.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { addSnapshot, createOrderRecord, type Order, type OrderRecord } from '#app/loyalty/order.ts'
import { DAY_MS } from '#app/loyalty/time.ts'
import {
  cycleOf,
  lifecycleLimits,
  lifecycleStage,
  ownLimits,
  ownStage,
  type LifecycleStage,
  type ReplacementCycle,
} from '#app/retention/lifecycle.ts'
import { makeShop } from '#test/setup/factories.ts'

const ZONE = 'America/New_York'
const START = Date.parse('2020-01-01T00:00:00Z')
const NOW = Date.parse('2026-01-15T09:00:00Z')
const product = (number: number) => toGid('Product', number)

type Sale = {
  id: number
  customer: number
  at: number
  products: (number | null)[]
  cancelled: boolean
  version: number
}

/** The order as the engine would leave it. */
function recordOf({ id, customer, at, products, cancelled, version }: Sale): OrderRecord {
  const order = {
    ...{ id: toGid('Order', id), customer: toGid('Customer', customer), customerState: null, company: false },
    ...{ sourceName: 'web', test: false, cancelledAt: cancelled ? at : null, financialStatus: 'paid' },
    ...{ processedAt: at, updatedAt: at + version, currency: 'EUR', taxesIncluded: false },
    ...{ shippingMinor: 0, shippingTaxMinor: 0, refunds: [], discountCodes: [] },
    lines: products.map((number, place) => ({
      ...{ id: toGid('LineItem', id * 10 + place), product: number === null ? null : product(number) },
      ...{ quantity: 1, currentQuantity: 1, priceMinor: 1_000, discountMinor: 0, taxMinor: 0, giftCard: false },
      ...{ subscription: false, collections: [], tags: [], compareAtMinor: null },
    })),
  } as Order
  return addSnapshot(createOrderRecord(order.id), order, at + version)
}

async function sell(shopId: number, sales: Sale[], known: ReadonlySet<number> = new Set()): Promise<void> {
  const orders = sales.map((sale) => ({
    record: recordOf(sale),
    owner: toGid('Customer', sale.customer),
    isNew: !known.has(sale.id),
  }))
  await inTransaction((client) => saveOrders(shopId, orders, client))
}

const sale = (id: number, of: Partial<Sale> = {}): Sale => ({
  ...{ id, customer: 1, at: START, products: [1], cancelled: false, version: 0 },
  ...of,
})

const list = (shopId: number, kinds: Record<number, { type: string; tags: string[] }>) =>
  saveCatalog(
    shopId,
    new Map(
      Object.entries(kinds).map(([number, kind]) => [
        product(Number(number)),
        { ...kind, collections: [], compareAtMinor: null },
      ]),
    ),
    NOW,
  )

async function recount(shopId: number): Promise<void> {
  const reading = await findRecount(shopId)
  let position: Awaited<ReturnType<typeof recountSlice>> = { after: '0', seen: 0 }
  while (reading && position) position = await recountSlice(shopId, reading.id, position, NOW)
}

const cycle = fc.record({
  of: fc.constantFrom('product' as const, 'type' as const, 'tag' as const),
  value: fc.constantFrom(product(1), product(2), 'Mattress', 'durable'),
  days: fc.constantFrom(1, 45, 400, 3_650),
})
const kind = fc.record({ type: fc.constantFrom('Mattress', 'Soap', ''), tags: fc.subarray(['Durable', 'new']) })
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('sell' as const),
      sales: fc.array(
        fc.record({
          id: fc.integer({ min: 1, max: 15 }),
          customer: fc.integer({ min: 1, max: 4 }),
          at: fc.integer({ min: 0, max: 6 * 365 * 24 }).map((hours) => START + hours * 3_600_000),
          products: fc.array(fc.constantFrom(1, 2, 3, null), { minLength: 1, maxLength: 3 }),
          cancelled: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  fc.record({ kind: fc.constant('cycles' as const), cycles: fc.array(cycle, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('catalog' as const), kinds: fc.record({ 1: kind, 2: kind, 3: kind }) }),
  fc.constant({ kind: 'recount' as const }),
)

test('whatever is bought, cancelled, set and reclassified in whatever order, each stage is what the orders say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const shop = await makeShop({ timezone: ZONE })
      const sales = new Map<number, Sale>()
      let kinds: Record<number, { type: string; tags: string[] }> = {}
      for (const [version, one] of steps.entries()) {
        if (one.kind === 'recount') await recount(shop.id)
        else if (one.kind === 'cycles') await changeCycles(shop.id, () => one.cycles, NOW)
        else if (one.kind === 'catalog') {
          kinds = one.kinds
          await list(shop.id, kinds)
          await startRecount(shop.id, NOW)
        } else {
          const once = [...new Map(one.sales.map((each) => [each.id, { ...each, version: version * 1_000 }])).values()]
          await sell(shop.id, once, new Set(sales.keys()))
          for (const each of once) sales.set(each.id, each)
        }
      }
      await recount(shop.id)
      await expectRight(shop.id, [...sales.values()], kinds)
    }),
    { numRuns: 40 },
  )
}, 120_000)

/** Compares with going through all orders, one customer after the other. */
async function expectRight(shopId: number, sales: Sale[], kinds: Record<number, { type: string; tags: string[] }>) {
  expect(await findMeasureDifferences(shopId)).toEqual([])
  expect(await findCycleDifferences(shopId)).toEqual([])
  const cycles = await listCycles(shopId)
  const counts = { active: 0, passive: 0, lost: 0 }
  const of = Map.groupBy(
    sales.filter(({ cancelled }) => !cancelled),
    ({ customer }) => customer,
  )
  for (const orders of of.values()) counts[stageOf(orders, cycles, kinds)]++
  const asked = { shopId, asOf: NOW, timeZone: ZONE }
  expect((await readOverview(asked)).lifecycle).toEqual(counts)
  for (const stage of ['active', 'passive', 'lost'] as const) {
    expect(await countCustomersBehind(asked, { kind: 'stage', stage })).toBe(counts[stage])
  }
}

function stageOf(
  orders: Sale[],
  cycles: ReplacementCycle[],
  kinds: Record<number, { type: string; tags: string[] }>,
): LifecycleStage {
  const lasting = orders.map(({ at, products }) => {
    const bought = products.map((number) => ({
      product: number === null ? '' : product(number),
      ...(number !== null && kinds[number] ? kinds[number] : { type: '', tags: [] }),
    }))
    return { at, cycleDays: cycleOf(bought, cycles) }
  })
  const own = ownLimits(lasting, ZONE)
  if (own) return ownStage(own, NOW)
  return lifecycleStage(Math.max(...orders.map(({ at }) => at)), lifecycleLimits(NOW, ZONE))
}

test('a cycle that is set later takes orders of before along, in slices, and says how far it is', async () => {
  const shop = await makeShop({ timezone: ZONE })
  await sell(shop.id, [sale(1), sale(2, { customer: 2, products: [2] }), sale(3, { customer: 3, products: [1, null] })])
  const asked = { shopId: shop.id, asOf: NOW, timeZone: ZONE }
  expect((await readOverview(asked)).lifecycle).toEqual({ active: 0, passive: 0, lost: 3 })
  await changeCycles(shop.id, (before) => [...before, { of: 'product', value: product(1), days: 3_650 }], NOW)
  expect(await findRecount(shop.id)).toMatchObject({ state: 'running', position: 0 })
  await recount(shop.id)
  expect(await findRecount(shop.id)).toMatchObject({ state: 'done', position: 3, total: 3 })
  expect((await readOverview(asked)).lifecycle).toEqual({ active: 2, passive: 0, lost: 1 })
  const active = await listCustomersBehind(asked, { kind: 'stage', stage: 'active' }, { limit: 10 })
  expect(active.map(({ customer }) => customer).sort()).toEqual([toGid('Customer', 1), toGid('Customer', 3)])
  // An order of after the change is written by it at once.
  await sell(shop.id, [sale(4, { customer: 4, at: START + DAY_MS })])
  expect((await readOverview(asked)).lifecycle.active).toBe(3)
  await changeCycles(shop.id, () => [], NOW)
  await recount(shop.id)
  expect((await readOverview(asked)).lifecycle).toEqual({ active: 0, passive: 0, lost: 4 })
  const { rows } = await pool.query('select 1 from customer_standings where shop_id = $1 and passive_at is not null', [
    shop.id,
  ])
  expect(rows).toEqual([])
  await expectRight(
    shop.id,
    [sale(1), sale(2, { customer: 2 }), sale(3, { customer: 3 }), sale(4, { customer: 4 })],
    {},
  )
})

test('a new change ends the recount of the one before, and orders written meanwhile are right', async () => {
  const shop = await makeShop({ timezone: ZONE })
  await sell(shop.id, [sale(1)])
  await changeCycles(shop.id, () => [{ of: 'product', value: product(1), days: 400 }], NOW)
  const first = (await findRecount(shop.id))!
  await changeCycles(shop.id, () => [{ of: 'product', value: product(1), days: 3_650 }], NOW)
  await Promise.all([
    recountSlice(shop.id, first.id, { after: '0', seen: 0 }, NOW),
    recount(shop.id),
    sell(shop.id, [sale(2, { customer: 2 })]),
  ])
  expect(await findCycleDifferences(shop.id)).toEqual([])
  expect(await findMeasureDifferences(shop.id)).toEqual([])
})

test('why a customer is still loyal: what they bought, how long it lasts, and until when', async () => {
  const shop = await makeShop({ timezone: ZONE })
  await list(shop.id, { 1: { type: 'Mattress', tags: [] } })
  await changeCycles(shop.id, () => [{ of: 'type', value: 'mattress', days: 3_650 }], NOW)
  await sell(shop.id, [
    sale(1),
    sale(2, { at: START + 90 * DAY_MS, products: [3] }),
    sale(3, { customer: 2, products: [3] }),
  ])
  expect(await findCustomerLifecycle(shop.id, '1')).toEqual({
    lastAt: START + 90 * DAY_MS,
    own: {
      passiveFrom: START + 3_650 * DAY_MS,
      lostFrom: START + 7_300 * DAY_MS,
      because: { placedAt: START, cycle: { of: 'type', value: 'mattress', days: 3_650 } },
    },
  })
  expect(await findCustomerLifecycle(shop.id, '2')).toEqual({ lastAt: START, own: null })
  expect(await findCustomerLifecycle(shop.id, '3')).toBeNull()
})

test('a merge, a move to another zone and a recount of all measures keep what lasts', async () => {
  const shop = await makeShop({ timezone: ZONE })
  await changeCycles(shop.id, () => [{ of: 'product', value: product(1), days: 3_650 }], NOW)
  await sell(shop.id, [sale(1), sale(2, { customer: 2, products: [2], at: START + DAY_MS })])
  await inTransaction((client) => moveOrders(shop.id, '1', '2', client))
  expect(await findMeasureDifferences(shop.id)).toEqual([])
  expect((await findCustomerLifecycle(shop.id, '2'))?.own?.passiveFrom).toBe(START + 3_650 * DAY_MS)
  await pool.query(`update shops set timezone = 'Asia/Tokyo' where id = $1`, [shop.id])
  await pool.query(`update customer_standings set passive_at = null, lost_at = null where shop_id = $1`, [shop.id])
  expect(await findMeasureDifferences(shop.id)).not.toEqual([])
  await inTransaction((client) => rebuildMeasures(shop.id, NOW, client))
  expect(await findMeasureDifferences(shop.id)).toEqual([])
})

test('a day that is not what cycles say is found and named, and another shop’s cycles do not matter', async () => {
  const [shop, other] = [await makeShop(), await makeShop()]
  await changeCycles(other.id, () => [{ of: 'product', value: product(1), days: 9 }], NOW)
  await sell(shop.id, [sale(1)])
  await startRecount(shop.id, NOW)
  await recount(shop.id)
  expect(await findCycleDifferences(shop.id)).toEqual([])
  await pool.query('update orders set cycle_days = 7 where shop_id = $1', [shop.id])
  expect(await findCycleDifferences(shop.id)).toEqual([{ what: 'order 1', kept: '7 days', counted: 'no cycle' }])
  expect(await listCycles(shop.id)).toEqual([])
})

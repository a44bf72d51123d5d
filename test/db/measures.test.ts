import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inTransaction, pool, prisma } from '#app/db/client.server.ts'
import type { MeasuredOrder } from '#app/db/measures.server.ts'
import { readCounters } from '#app/db/measure-counters.server.ts'
import { applyMeasures } from '#app/db/measures.server.ts'
import { findMeasureDifferences, needsRebuild, rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { moveOrders } from '#app/db/orders.server.ts'
import { COUNTER_KINDS } from '#app/retention/rollups.ts'
import { makeShop } from '#test/setup/factories.ts'

const HOUR_MS = 3_600_000
const START = Date.parse('2024-12-30T00:00:00Z')

/** Writes orders as db/orders does, as far as the measures look at them: first the counters, then the rows. */
async function write(shopId: number, orders: MeasuredOrder[]): Promise<void> {
  await inTransaction(async (client) => {
    await applyMeasures(shopId, orders, client)
    for (const order of orders) {
      await client.query(
        `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
         values ($1, $2, $3, $4, $4, $4, $5, $6, '{}')
         on conflict (shop_id, id) do update set member_id = $3, placed_at = $4, goods_minor = $5, counts = $6`,
        [shopId, order.id, order.memberId, new Date(order.placedAt), order.goodsMinor, order.counts],
      )
    }
  })
}

function order(id: number, of: Partial<MeasuredOrder> = {}): MeasuredOrder {
  return { id: String(id), memberId: '1', placedAt: START, goodsMinor: 1_000, counts: true, isNew: true, ...of }
}

const batches = fc.array(
  fc.array(
    fc.record({
      id: fc.integer({ min: 1, max: 25 }),
      memberId: fc.constantFrom('1', '2', '3', '4', null),
      placedAt: fc.integer({ min: 0, max: 700 * 24 }).map((hours) => START + hours * HOUR_MS),
      goodsMinor: fc.nat(50_000),
      counts: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  { minLength: 1, maxLength: 12 },
)

test('after any batches of new, late, changed, cancelled and moved orders nothing has drifted', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (list) => {
      const shop = await makeShop({ timezone: 'America/New_York' })
      const known = new Set<number>()
      for (const batch of list) {
        // A batch has an order once.
        const once = [...new Map(batch.map((one) => [one.id, one])).values()]
        await write(
          shop.id,
          once.map((one) => ({ ...one, id: String(one.id), isNew: !known.has(one.id) })),
        )
        for (const one of once) known.add(one.id)
      }
      expect(await findMeasureDifferences(shop.id)).toEqual([])
    }),
    { numRuns: 25 },
  )
})

test('a recount writes what the orders had added up to', async () => {
  const shop = await makeShop()
  for (let id = 1; id <= 30; id++) {
    await write(shop.id, [order(id, { memberId: String(id % 7), placedAt: START + ((id * 37) % 400) * 24 * HOUR_MS })])
  }
  const sorted = async () => (await readCounters(shop.id)).map((row) => JSON.stringify(row)).sort()
  const kept = await sorted()
  await inTransaction((client) => rebuildMeasures(shop.id, START, client))
  expect(await sorted()).toEqual(kept)
  expect(await findMeasureDifferences(shop.id)).toEqual([])
})

test('an order that is delivered again as it is changes no counter', async () => {
  const shop = await makeShop()
  await write(shop.id, [order(1)])
  const before = await readCounters(shop.id)
  await write(shop.id, [order(1, { isNew: false })])
  expect(await readCounters(shop.id)).toEqual(before)
})

test('drift is found and named', async () => {
  const shop = await makeShop()
  await write(shop.id, [order(1), order(2, { memberId: '2' })])
  const delta = `${COUNTER_KINDS.orders} 659 0 1`
  await pool.query('insert into measure_deltas (shop_id, changes) values ($1, $2)', [shop.id, delta])
  await prisma.customerStanding.deleteMany({ where: { shopId: shop.id, memberId: 2n } })
  const differences = await findMeasureDifferences(shop.id)
  expect(differences).toHaveLength(2)
  expect(differences[0]).toMatchObject({ what: expect.stringMatching(/^orders:\d+:0$/), kept: '3', counted: '2' })
  expect(differences[1]).toMatchObject({ what: 'customer 2', kept: 'nothing' })
})

test('two shops do not see each other’s orders, and a shop that moves to another zone asks for a recount', async () => {
  const [one, other] = [await makeShop({ timezone: 'Asia/Tokyo' }), await makeShop()]
  await write(one.id, [order(1, { placedAt: Date.parse('2025-01-31T16:00:00Z') })])
  expect(await readCounters(other.id)).toEqual([])
  expect(await needsRebuild(one.id)).toBe(false)
  await prisma.shop.update({ where: { id: one.id }, data: { timezone: 'UTC' } })
  expect(await needsRebuild(one.id)).toBe(true)
  await inTransaction((client) => rebuildMeasures(one.id, START, client))
  expect(await needsRebuild(one.id)).toBe(false)
  // 1 February in Tokyo was 31 January in UTC: months count from January 1970.
  expect(await readCounters(one.id, ['orders'])).toEqual([{ kind: 'orders', x: 660, y: 0, value: 1 }])
})

test('orders of many transactions at once add up', async () => {
  const shop = await makeShop()
  await Promise.all(
    Array.from({ length: 40 }, (_, id) =>
      write(shop.id, [order(id + 1, { memberId: String(id), placedAt: START + id * HOUR_MS })]),
    ),
  )
  expect(await findMeasureDifferences(shop.id)).toEqual([])
})

test('a customer that is merged into another takes its orders along, and nothing drifts', async () => {
  const shop = await makeShop()
  await write(shop.id, [
    order(1),
    order(2, { placedAt: START + 40 * 24 * HOUR_MS }),
    order(3, { memberId: '2', placedAt: START + 20 * 24 * HOUR_MS }),
  ])
  await inTransaction((client) => moveOrders(shop.id, '1', '2', client))
  expect(await findMeasureDifferences(shop.id)).toEqual([])
  const standings = await prisma.customerStanding.findMany({ where: { shopId: shop.id } })
  expect(standings).toHaveLength(1)
  expect(standings[0]).toMatchObject({ memberId: 2n, orders: 3 })
})

test('a recount mends standings that are wrong, missing, or of customers without orders', async () => {
  const shop = await makeShop()
  await write(shop.id, [order(1), order(2, { memberId: '2' }), order(3, { memberId: '3' })])
  await prisma.customerStanding.updateMany({ where: { shopId: shop.id, memberId: 1n }, data: { orders: 9 } })
  await prisma.customerStanding.deleteMany({ where: { shopId: shop.id, memberId: 2n } })
  await prisma.customerStanding.updateMany({ where: { shopId: shop.id, memberId: 3n }, data: { memberId: 4n } })
  await inTransaction((client) => rebuildMeasures(shop.id, START, client))
  expect(await findMeasureDifferences(shop.id)).toEqual([])
})

import { expect, test } from 'vitest'
import { pool } from '#app/db/client.server.ts'
import { findPrediction } from '#app/db/predictions.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { readCounters } from '#app/db/measure-counters.server.ts'
import { findMeasureDifferences, needsRebuild } from '#app/db/recount-measures.server.ts'
import { fitPredictions } from '#app/jobs/fit-predictions.ts'
import { makeShop } from '#test/setup/factories.ts'

/** Customers with one order each, and some of them with more, spread over the last two years in a repeatable way. */
async function sellTo(shopId: number, customers: number, repeatEvery: number): Promise<void> {
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, c * 10 + n, c, at, at, at, 1000 + (c * 37 + n * 211) % 4000, true, '{}'
       from generate_series(1, $2::int) as c
       cross join lateral generate_series(0, case when c % $3 = 0 then 1 + c % 4 else 0 end) as n
       cross join lateral (select now() - interval '2 years' + make_interval(days => (c * 7919) % 400 + n * (20 + c % 60)) as at) as t`,
    [shopId, customers, repeatEvery],
  )
}

test('few repeat customers: an honest "not enough data", with how many are missing', async () => {
  const shop = await makeShop()
  await sellTo(shop.id, 60, 3)
  expect(await fitPredictions(await requireShop(shop.id))).toBe(true)
  expect((await findPrediction(shop.id))!.prediction).toEqual({
    ok: false,
    reason: 'not_enough_data',
    repeatCustomers: 20,
    repeatCustomersNeeded: 30,
    historyDays: expect.any(Number),
    historyDaysNeeded: 90,
  })
})

test('enough of them: models, a back-test on the shop’s own last months, and a prediction for each customer', async () => {
  const shop = await makeShop()
  await sellTo(shop.id, 400, 2)
  expect(await fitPredictions(await requireShop(shop.id))).toBe(true)
  const { prediction } = (await findPrediction(shop.id))!
  if (!prediction.ok) throw new Error('not reached')
  expect(prediction.bgNbd.r).toBeGreaterThan(0)
  expect(prediction.gammaGamma!.p).toBeGreaterThan(0)
  expect(prediction.backTest!.holdOutDays).toBe(182)
  const { rows } = await pool.query(
    `select count(*)::int as customers, min(active) as lowest, max(active) as highest, sum(orders) as orders, min(value_minor) as least
       from customer_predictions where shop_id = $1`,
    [shop.id],
  )
  expect(rows[0].customers).toBe(400)
  expect(rows[0].lowest).toBeGreaterThanOrEqual(0)
  expect(rows[0].highest).toBeLessThanOrEqual(1)
  expect(rows[0].orders).toBeGreaterThan(0)
  expect(Number(rows[0].least)).toBeGreaterThanOrEqual(0)
  // Once a day is enough.
  expect(await fitPredictions(await requireShop(shop.id))).toBe(false)
})

test('a regular who is long gone is as good as certainly lost, and the predictions of all others are kept', async () => {
  const shop = await makeShop()
  await sellTo(shop.id, 400, 2)
  const regular = 1_000
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, 100000 + n, $2, at, at, at, 2000, true, '{}' from generate_series(1, 200) as n
      cross join lateral (select now() - interval '2 years' + make_interval(days => n) as at) as t`,
    [shop.id, regular],
  )
  expect(await fitPredictions(await requireShop(shop.id))).toBe(true)
  const { rows } = await pool.query(
    'select count(*)::int as customers, min(active) filter (where member_id = $2) as regular from customer_predictions where shop_id = $1',
    [shop.id, regular],
  )
  expect(rows[0]).toEqual({ customers: 401, regular: 0 })
})

test('a shop that moved to another zone has its measures recounted in it', async () => {
  const shop = await makeShop({ timezone: 'Asia/Tokyo' })
  await pool.query(
    `insert into measure_states (shop_id, timezone, activity_days, counted_at) values ($1, 'UTC', 365, now())`,
    [shop.id],
  )
  await sellTo(shop.id, 10, 5)
  expect(await needsRebuild(shop.id)).toBe(true)
  await fitPredictions(await requireShop(shop.id))
  expect(await needsRebuild(shop.id)).toBe(false)
  expect(await findMeasureDifferences(shop.id)).toEqual([])
  expect((await readCounters(shop.id, ['frequency'])).reduce((sum, row) => sum + row.value, 0)).toBe(10)
})

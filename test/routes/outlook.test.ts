/** The member's page as the retention measures see the member: how long active, what to expect, what was answered. */
import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { keepAnswer } from '#app/db/feedback.server.ts'
import { rebuildMeasures } from '#app/db/measures.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { fitPredictions } from '#app/jobs/fit-predictions.ts'
import { toGid } from '#app/loyalty/ids.ts'
import * as member from '#app/routes/app.members.$id.tsx'
import { makeMember } from '#test/setup/factories.ts'
import { answerAdminApi, makeMerchant } from '#test/routes/merchant.ts'

/** Customers who come back and customers who do not, over a year and a half. */
async function sellTo(shopId: number, customers: number): Promise<void> {
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, c * 10 + n, c, at, at, at, 1000 + (c * 37 + n * 211) % 4000, true, '{}'
       from generate_series(1, $2::int) as c
       cross join lateral generate_series(0, case when c % 2 = 0 then 1 + c % 4 else 0 end) as n
       cross join lateral (select now() - interval '18 months' + make_interval(days => (c * 7919) % 400 + n * (20 + c % 60)) as at) as t`,
    [shopId, customers],
  )
  await inTransaction((client) => rebuildMeasures(shopId, Date.now(), client))
}

const outlookOf = async (get: Awaited<ReturnType<typeof makeMerchant>>['get']) =>
  (await member.loader(await get('/app/members/2', { id: '2' }))).outlook

test('a member’s page has the chance that they are still a customer, and the orders and value of the next 12 months', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const { shop, get } = await makeMerchant()
  await makeMember(shop.id, 2)
  await sellTo(shop.id, 200)
  expect(await outlookOf(get)).toMatchObject({ expected: null, answer: null, lifecycle: { own: null } })
  await fitPredictions(await requireShop(shop.id))
  const { expected } = await outlookOf(get)
  expect(expected!.active).toBeGreaterThan(0)
  expect(expected!.active).toBeLessThanOrEqual(1)
  expect(expected!.orders).toBeGreaterThan(0)
  expect(expected!.valueMinor).toBeGreaterThan(0)
})

test('with too few customers a member’s page expects nothing, and another shop’s answers and fits are not theirs', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const [other, { shop, get }] = [await makeMerchant(), await makeMerchant()]
  await sellTo(other.shop.id, 200)
  await fitPredictions(await requireShop(other.shop.id))
  const said = { score: 9, comment: 'theirs' }
  await keepAnswer(other.shop.id, toGid('Customer', 2), { round: 1, openedAt: Date.now() }, said, Date.now())
  await makeMember(shop.id, 2)
  await sellTo(shop.id, 10)
  await fitPredictions(await requireShop(shop.id))
  expect(await outlookOf(get)).toMatchObject({ expected: null, answer: null })
})

/** The member's page as the retention measures see the member: how long active, what to expect, what was answered. */
import { expect, test } from 'vitest'
import { pool } from '#app/db/client.server.ts'
import { keepAnswer } from '#app/db/feedback.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { fitPredictions } from '#app/jobs/fit-predictions.ts'
import { toGid } from '#app/loyalty/ids.ts'
import * as member from '#app/routes/app.members.$id.tsx'
import { makeMember } from '#test/setup/factories.ts'
import { answerAdminApi, makeMerchant, sellTo } from '#test/routes/merchant.ts'

const outlookOf = async (get: Awaited<ReturnType<typeof makeMerchant>>['get']) =>
  (await member.loader(await get('/app/members/2', { id: '2' }))).outlook

test('a member’s page has the chance that they are still a customer, and the orders and value of the next 12 months', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const { shop, get } = await makeMerchant()
  await makeMember(shop.id, 2)
  await sellTo(shop.id, 200, '18 months')
  expect(await outlookOf(get)).toMatchObject({ expected: null, answer: null, lifecycle: { own: null } })
  await fitPredictions(await requireShop(shop.id))
  // None of these customers leaves for good, so that the fit alone could not tell.
  expect((await outlookOf(get)).expected).toMatchObject({ active: null })
  await pool.query(
    `update predictions set document = jsonb_set(document, '{bgNbd,atEdge}', 'false') where shop_id = $1`,
    [shop.id],
  )
  const { expected } = await outlookOf(get)
  expect(expected!.active).toBeGreaterThan(0)
  expect(expected!.active).toBeLessThanOrEqual(1)
  expect(expected!.orders).toBeGreaterThan(0)
  expect(expected!.valueMinor).toBeGreaterThan(0)
})

test('with too few customers a member’s page expects nothing, and another shop’s answers and fits are not theirs', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const [other, { shop, get }] = [await makeMerchant(), await makeMerchant()]
  await sellTo(other.shop.id, 200, '18 months')
  await fitPredictions(await requireShop(other.shop.id))
  const said = { score: 9, comment: 'theirs' }
  await keepAnswer(other.shop.id, toGid('Customer', 2), { round: 1, openedAt: Date.now() }, said, Date.now())
  await makeMember(shop.id, 2)
  await sellTo(shop.id, 10, '18 months')
  await fitPredictions(await requireShop(shop.id))
  expect(await outlookOf(get)).toMatchObject({ expected: null, answer: null })
})

import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { findBalancesAt } from '#app/db/ledger.server.ts'
import { fillCodePools } from '#app/jobs/fill-code-pools.ts'
import { cancelRedemption, redeem } from '#app/jobs/settle-redemptions.ts'
import { SHOPPER_PATIENCE } from '#app/shopify/admin-api.server.ts'
import { openSpendingShop } from './spending-shop.ts'

const FIVE_OFF = { id: 'five-off', type: 'amount', value: '5.00', cost: 500, minimumSubtotal: '20.00', validDays: 90 }

test('a fixed amount is redeemed: the points are spent and Shopify knows the code', async () => {
  const { store, shop, admin, member } = await openSpendingShop([FIVE_OFF])
  const ann = await member(800)
  const redeemed = await redeem(shop, admin, { member: ann, reward: 'five-off', key: 'first-try' })
  expect(redeemed).toMatchObject({ ok: true, redemption: { state: 'issued', points: 500, value: '5.00' } })
  const code = redeemed.ok ? redeemed.redemption.code : null
  expect(code).toMatch(/^[0-9A-Z]{12}$/)
  expect(store.checkCode(shop.domain, code!, ann)).toMatchObject({ ok: true })
  expect(await findBalancesAt(shop.id, ann, now())).toEqual({ available: 300, pending: 0, reserved: 0 })
})

test('the same key again is the same redemption, and the points are spent once', async () => {
  const { shop, admin, member, operations } = await openSpendingShop([FIVE_OFF])
  const ann = await member(2_000)
  const first = await redeem(shop, admin, { member: ann, reward: 'five-off', key: 'the-same-key' })
  const asked = operations.length
  const second = await redeem(shop, admin, { member: ann, reward: 'five-off', key: 'the-same-key' })
  expect(second).toEqual(first)
  expect(operations).toHaveLength(asked)
  expect(await findBalancesAt(shop.id, ann, now())).toMatchObject({ available: 1_500 })
})

test('all codes of one reward are redeem codes of one discount', async () => {
  const { store, shop, admin, member } = await openSpendingShop([FIVE_OFF])
  for (const key of ['one-one-one', 'two-two-two', 'three-three']) {
    const who = await member(500)
    expect(await redeem(shop, admin, { member: who, reward: 'five-off', key })).toMatchObject({ ok: true })
  }
  const discounts = store.discounts(shop.domain)
  expect(discounts).toHaveLength(1)
  expect(store.codesOf(discounts[0]!.id)).toHaveLength(3)
})

test('with a filled pool a redemption asks Shopify for nothing', async () => {
  const { shop, admin, member, operations } = await openSpendingShop([FIVE_OFF])
  expect(await fillCodePools(shop, admin)).toEqual({ pools: 1, filled: 1, failed: 0 })
  const ann = await member(500)
  operations.length = 0
  expect(await redeem(shop, admin, { member: ann, reward: 'five-off', key: 'from-the-pool' })).toMatchObject({
    ok: true,
  })
  expect(operations).toEqual([])
})

test('a cancelled code is deleted at Shopify before its points come back', async () => {
  const { store, shop, admin, member } = await openSpendingShop([FIVE_OFF])
  const ann = await member(500)
  const redeemed = await redeem(shop, admin, { member: ann, reward: 'five-off', key: 'changed-my-mind' })
  if (!redeemed.ok) throw new Error(redeemed.reason)
  const cancelled = await cancelRedemption(shop, admin, redeemed.redemption)
  expect(cancelled).toMatchObject({ ok: true, redemption: { state: 'returned', returned: 500 } })
  expect(store.checkCode(shop.domain, redeemed.redemption.code!, ann)).toMatchObject({ ok: false })
  expect(await findBalancesAt(shop.id, ann, now())).toEqual({ available: 500, pending: 0, reserved: 0 })
})

test('two carts, same points: the second is refused and nothing is lost', async () => {
  const { shop, admin, member } = await openSpendingShop([FIVE_OFF])
  const ann = await member(700)
  const both = await Promise.all([
    redeem(shop, admin, { member: ann, reward: 'five-off', key: 'left-tab-1' }),
    redeem(shop, admin, { member: ann, reward: 'five-off', key: 'right-tab-1' }),
  ])
  expect(both.filter(({ ok }) => ok)).toHaveLength(1)
  expect(both.find(({ ok }) => !ok)).toEqual({ ok: false, reason: 'insufficient_points' })
  expect(await findBalancesAt(shop.id, ann, now())).toEqual({ available: 200, pending: 0, reserved: 0 })
  const { rows } = await pool.query(
    'select count(*)::int as held from codes where shop_id = $1 and redemption_id is not null',
    [shop.id],
  )
  expect(rows[0]).toEqual({ held: 1 })
})

test('two shoppers ask for ten values each that nobody has taken before, all at once: every one is answered', async () => {
  const any = { id: 'any', type: 'amount', value: '1.00', perPoints: 100, step: 100 }
  const { shop, admin, member } = await openSpendingShop([any], {}, SHOPPER_PATIENCE)
  const answerAtOnce = abstractFetch
  setAbstractFetchFunc(async (...request) => {
    await new Promise((resolve) => setTimeout(resolve, 300))
    return answerAtOnce(...request)
  })
  onTestFinished(() => setAbstractFetchFunc(answerAtOnce))
  const shoppers = [await member(100_000), await member(100_000)]
  const wishes = Array.from({ length: 20 }, (_, at) => ({ member: shoppers[at % 2]!, points: 100 * (at + 1) }))
  const answers = await Promise.all(
    wishes.map((wish, at) => redeem(shop, admin, { ...wish, reward: 'any', key: `value-key-${at}` })),
  )
  // Some may be told that the shop is busy; all is as it was for them, and nobody waits for ever.
  for (const answer of answers)
    expect(answer.ok ? answer.redemption.state : answer.reason).toMatch(/^(issued|shop_busy)$/)
  const issued = (who: string) =>
    wishes.reduce((sum, { member, points }, at) => (member === who && answers[at]!.ok ? sum + points : sum), 0)
  for (const who of shoppers) {
    expect(await findBalancesAt(shop.id, who, now())).toEqual({
      available: 100_000 - issued(who),
      pending: 0,
      reserved: 0,
    })
  }
})

import { describe, expect, onTestFinished, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool, prisma } from '#app/db/client.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { findBalancesAt } from '#app/db/ledger.server.ts'
import { findRedemption, loadRedemptions, noteFailedTry } from '#app/db/redemptions.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { reconcile } from '#app/jobs/reconcile.ts'
import {
  GIVE_UP_MS,
  LEFT_BEHIND_MS,
  cancelRedemption,
  redeem,
  redemptionId,
  settleRedemptions,
} from '#app/jobs/settle-redemptions.ts'
import { makeShopWithProgram, receive } from '#test/setup/factories.ts'
import { listenToLog } from '#test/setup/log.ts'
import { orderBody } from '#test/setup/orders.ts'
import { lookAtStatements } from '#test/setup/statements.ts'
import { CREDIT_SCOPES, Died, openSpendingShop } from './spending-shop.ts'
import type { SpendingShop, Trouble } from './spending-shop.ts'

const FIVE_OFF = { id: 'five-off', type: 'amount', value: '5.00', cost: 500, validDays: 90 }
const CREDIT = { id: 'credit', type: 'store-credit', value: '5.00', cost: 500 }
const CARD = { id: 'card', type: 'gift-card', value: '5.00', cost: 500 }

const HOUR_MS = 3_600_000

/** SQL of functions that depend on no setting: Citus takes no others in an update. */
const earlier = (instant: string) =>
  `to_timestamp(date_part('epoch', ${instant} - to_timestamp(0)) - $2::float8 / 1000)`

/** Lets business time pass for the redemptions of a shop: as if they had been reserved that much earlier. */
async function letTimePass(shopId: number, ms: number): Promise<void> {
  await pool.query(
    `update redemptions set reserved_at = ${earlier('reserved_at')}, credit_asked_at = ${earlier('credit_asked_at')},
            updated_at = ${earlier('updated_at')} where shop_id = $1`,
    [shopId, ms],
  )
}

/**
 * What must be true in the end, whatever went wrong: either spent points and one code that Shopify knows, or all points back and no
 * code in anybody's hands; and the accounts are the sum of the transfers.
 */
async function expectSettled(place: SpendingShop, member: string, had: number): Promise<'issued' | 'returned'> {
  const number = member.split('/').at(-1)
  const { rows } = await pool.query<{ id: string; state: string; code: string | null }>(
    'select id, state, code from redemptions where shop_id = $1 and member_id = $2',
    [place.shop.id, number],
  )
  const issued = rows.filter(({ state }) => state === 'issued')
  expect(rows.filter(({ state }) => !['issued', 'returned'].includes(state))).toEqual([])
  const balance = { available: had - issued.length * 500, pending: 0, reserved: 0 }
  expect(await findBalancesAt(place.shop.id, member, Date.now() + 1e9)).toEqual(balance)
  expect((await checkLedger(place.shop.id)).differences).toEqual([])
  for (const { code } of issued) {
    if (code?.startsWith('CREDIT-')) continue
    const known =
      place.store.checkCode(place.shop.domain, code!, member).ok || place.store.giftCardByCode(place.shop.domain, code!)
    expect(known, `Shopify knows ${code}`).toBeTruthy()
  }
  const held = await pool.query(
    `select c.code from codes c join redemptions r on r.shop_id = c.shop_id and r.id = c.redemption_id
      where c.shop_id = $1 and r.state = 'returned' and c.state in ('asked', 'taken')`,
    [place.shop.id],
  )
  expect(held.rows, 'codes held by redemptions that were let go').toEqual([])
  return issued.length > 0 ? 'issued' : 'returned'
}

const STEPS = ['RewardDiscountCreate', 'RedeemCodesAdd', 'RedeemCodesCreation']
const KINDS: Trouble[] = ['500', 'throttled', 'timeout', 'lost']

/** Uses up the code that comes with the parent discount, so that the next redemption has to ask for one. */
async function emptyThePool(place: SpendingShop): Promise<void> {
  const other = await place.member(500)
  expect(await redeem(place.shop, place.admin, { member: other, reward: 'five-off', key: 'empties-it' })).toMatchObject(
    { ok: true },
  )
}

test.each(STEPS.flatMap((step) => KINDS.map((kind) => [step, kind] as const)))(
  'Shopify goes wrong for good at %s (%s): the shopper is told and the points are back',
  async (step, kind) => {
    const place = await openSpendingShop([FIVE_OFF])
    if (step !== 'RewardDiscountCreate') await emptyThePool(place)
    const ann = await place.member(700)
    place.trouble(step, kind, 99)
    const redeemed = await redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'in-trouble' })
    expect(redeemed).toEqual({ ok: false, reason: kind === 'throttled' ? 'shop_busy' : 'shop_unavailable' })
    expect(await expectSettled(place, ann, 700)).toBe('returned')
    // The same wish later, with a new key, works: nothing that was left behind is in the way.
    place.heal()
    expect(await redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'later-on-1' })).toMatchObject(
      { ok: true },
    )
    expect(await expectSettled(place, ann, 700)).toBe('issued')
  },
)

test.each(STEPS.flatMap((step) => (['500', 'timeout', 'lost'] as const).map((kind) => [step, kind] as const)))(
  'Shopify goes wrong once at %s (%s): the second try ends in one code',
  async (step, kind) => {
    const place = await openSpendingShop([FIVE_OFF])
    if (step !== 'RewardDiscountCreate') await emptyThePool(place)
    const ann = await place.member(700)
    place.trouble(step, kind)
    expect(await redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'second-try' })).toMatchObject(
      { ok: true },
    )
    expect(await expectSettled(place, ann, 700)).toBe('issued')
    expect(place.store.discounts(place.shop.domain)).toHaveLength(1)
  },
)

test.each(STEPS)('the process dies at %s: the job finishes what it began, with one code', async (step) => {
  const place = await openSpendingShop([FIVE_OFF])
  if (step !== 'RewardDiscountCreate') await emptyThePool(place)
  const ann = await place.member(700)
  place.trouble(step, 'died')
  await expect(redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'dies-there' })).rejects.toThrow(
    Died,
  )
  // Nobody else takes it up while its request may still be at work.
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 0, returned: 0 })
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 1 })
  expect(await expectSettled(place, ann, 700)).toBe('issued')
})

test('the process dies right after the points were reserved: the job gets the code', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(700)
  const id = redemptionId(place.shop.id, ann, 'only-reserved')
  await applyEvents(place.shop.id, [{ type: 'reserve', at: now(), customer: ann, id, reward: 'five-off' }], now())
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 1 })
  expect(await expectSettled(place, ann, 700)).toBe('issued')
})

test('a shop that stays broken keeps the points for a quarter of an hour, then they go back', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(700)
  const id = redemptionId(place.shop.id, ann, 'shop-is-down')
  await applyEvents(place.shop.id, [{ type: 'reserve', at: now(), customer: ann, id, reward: 'five-off' }], now())
  place.trouble(null, '500', 999)
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 0, returned: 0, left: 1 })
  await letTimePass(place.shop.id, GIVE_UP_MS)
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 1 })
  expect(await expectSettled(place, ann, 700)).toBe('returned')
})

test('the shopper asks again with the same key while the first try is lost: one redemption, one code', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(2_000)
  place.trouble('RewardDiscountCreate', 'died')
  const wish = { member: ann, reward: 'five-off', key: 'asked-twice' }
  await expect(redeem(place.shop, place.admin, wish)).rejects.toThrow(Died)
  expect(await redeem(place.shop, place.admin, wish)).toMatchObject({ ok: true, redemption: { state: 'issued' } })
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  await settleRedemptions(place.shop, place.admin)
  expect(await expectSettled(place, ann, 2_000)).toBe('issued')
  expect(await loadRedemptions(place.shop.id, { openOf: [ann] })).toHaveLength(1)
})

test('request and job settle the same redemption at once: one code, spent once', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(700)
  const wish = { member: ann, reward: 'five-off', key: 'both-at-once' }
  const id = redemptionId(place.shop.id, ann, wish.key)
  await applyEvents(place.shop.id, [{ type: 'reserve', at: now(), customer: ann, id, reward: 'five-off' }], now())
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  await Promise.all([
    redeem(place.shop, place.admin, wish),
    settleRedemptions(place.shop, place.admin),
    settleRedemptions(place.shop, place.admin),
  ])
  expect(await expectSettled(place, ann, 700)).toBe('issued')
})

test.each(['RedeemCodeFind', 'RedeemCodesDelete', 'OrdersWithCode'])(
  'a code is cancelled and Shopify fails at %s: the points wait until the code is surely gone',
  async (step) => {
    const place = await openSpendingShop([FIVE_OFF])
    const ann = await place.member(700)
    const redeemed = await redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'to-cancel-1' })
    if (!redeemed.ok) throw new Error(redeemed.reason)
    place.trouble(step, '500', 99)
    const cancelled = await cancelRedemption(place.shop, place.admin, redeemed.redemption)
    expect(cancelled).toMatchObject({ ok: true, redemption: { state: 'ending' } })
    expect(await findBalancesAt(place.shop.id, ann, now() + 1e6)).toMatchObject({ available: 200 })
    place.heal()
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 1 })
    expect(await expectSettled(place, ann, 700)).toBe('returned')
    expect(place.store.checkCode(place.shop.domain, redeemed.redemption.code!, ann).ok).toBe(false)
  },
)

test('a code that was given back is known to be gone, also where the database went away at that moment', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(700)
  const redeemed = await redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'to-cancel-2' })
  if (!redeemed.ok) throw new Error(redeemed.reason)
  const mend = lookAtStatements((text) => {
    if (/set state = 'gone'/.test(text)) throw new Error('Connection terminated')
  })
  onTestFinished(mend)
  await expect(cancelRedemption(place.shop, place.admin, redeemed.redemption)).rejects.toThrow('Connection terminated')
  mend()
  await settleRedemptions(place.shop, place.admin)
  expect(await expectSettled(place, ann, 700)).toBe('returned')
  const { rows } = await pool.query('select state from codes where code = $1', [redeemed.redemption.code])
  expect(rows).toEqual([{ state: 'gone' }])
})

test('a redemption that fails for a reason of ours is noted, and those behind it have their turn', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  // GIVEN three codes that were cancelled while Shopify was away
  const ids: string[] = []
  for (const key of ['fails-oddly', 'next-in-line', 'last-in-line']) {
    const wish = { member: await place.member(700), reward: 'five-off', key }
    const redeemed = await redeem(place.shop, place.admin, wish)
    if (!redeemed.ok) throw new Error(redeemed.reason)
    place.trouble(null, '500', 99)
    await cancelRedemption(place.shop, place.admin, redeemed.redemption)
    place.heal()
    ids.push(redeemed.redemption.id)
  }
  const states = () =>
    Promise.all(
      ids.map(async (id) => `${(await findRedemption(place.shop.id, id))?.state} ${await triesOf(place, id)}`),
    )

  // WHEN the first one's answer cannot be read
  place.trouble('RedeemCodeFind', 'strange')
  const log = listenToLog()
  expect(await settleRedemptions(place.shop, place.admin, 2)).toMatchObject({ returned: 1, left: 1 })

  // THEN the second one is settled in the same run, the third in the next, and the first when all is well
  expect(await states()).toEqual(['ending 1', 'returned 0', 'ending 0'])
  const said = `^error: redemption ${ids[0]} of shop ${place.shop.id} cannot be settled: ZodError: .`
  expect(log).toEqual([expect.stringMatching(said)])
  expect(await settleRedemptions(place.shop, place.admin, 1)).toMatchObject({ returned: 1 })
  expect(await states()).toEqual(['ending 1', 'returned 0', 'returned 0'])
  expect(await settleRedemptions(place.shop, place.admin, 1)).toMatchObject({ returned: 1 })
})

async function triesOf(place: SpendingShop, id: string): Promise<number> {
  const { rows } = await pool.query<{ attempts: number }>(
    'select attempts from redemptions where shop_id = $1 and id = $2',
    [place.shop.id, id],
  )
  return rows[0]!.attempts
}

function withCode(code: string) {
  return {
    type: 'discount_code' as const,
    title: code,
    code,
    value: '5.0',
    valueType: 'fixed_amount' as const,
    allocationMethod: 'across' as const,
    targetType: 'line_item' as const,
    targetSelection: 'all' as const,
    discountId: null,
  }
}

test('a code that an order used just before it was cancelled does not give its points back', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(700)
  const redeemed = await redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'used-already' })
  if (!redeemed.ok) throw new Error(redeemed.reason)
  const { domain } = place.shop
  const mug = place.store.addProduct(domain, { title: 'Mug', priceMinor: 3_000 })
  place.store.placeOrder(domain, {
    customerId: ann,
    lines: [{ variantId: mug.variants[0]!.id, quantity: 1, allocations: [{ applicationIndex: 0, amountMinor: 500 }] }],
    discountApplications: [withCode(redeemed.redemption.code!)],
  })
  await cancelRedemption(place.shop, place.admin, redeemed.redemption)
  await settleRedemptions(place.shop, place.admin)
  const found = await findRedemption(place.shop.id, redeemed.redemption.id)
  expect(found?.state).toBe('ending')
  expect(await findBalancesAt(place.shop.id, ann, now() + 1e6)).toMatchObject({ available: 200 })
  const { rows } = await pool.query(`select kind from outbox where shop_id = $1 and kind = 'refetch-order'`, [
    place.shop.id,
  ])
  expect(rows).toHaveLength(1)
})

test('store credit is given once, also when the answer is lost', async () => {
  const place = await openSpendingShop([CREDIT])
  const ann = await place.member(700)
  place.trouble('StoreCreditGive', 'lost')
  const redeemed = await redeem(place.shop, place.admin, { member: ann, reward: 'credit', key: 'store-credit-1' })
  expect(redeemed).toMatchObject({ ok: true, redemption: { state: 'reserved' } })
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 1 })
  expect(await expectSettled(place, ann, 700)).toBe('issued')
  expect(
    place.store
      .storeCreditOf(place.shop.domain, ann)
      .map(({ balanceMinor }: { balanceMinor?: number }) => balanceMinor),
  ).toEqual([500])
})

const creditsOf = (place: SpendingShop, member: string) =>
  place.store.storeCreditOf(place.shop.domain, member).map(({ balanceMinor }) => balanceMinor)

test('two tabs ask for the same store credit at once: it is given once', async () => {
  const place = await openSpendingShop([CREDIT])
  const ann = await place.member(2_000)
  const wish = { member: ann, reward: 'credit', key: 'credit-in-two-tabs' }
  const answers = await Promise.all(Array.from({ length: 5 }, () => redeem(place.shop, place.admin, wish)))
  expect(answers.every(({ ok }) => ok)).toBe(true)
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  await settleRedemptions(place.shop, place.admin)
  expect(await expectSettled(place, ann, 2_000)).toBe('issued')
  expect(creditsOf(place, ann)).toEqual([500])
})

test('a shopper who asks again for the store credit whose answer was lost is not given another', async () => {
  const place = await openSpendingShop([CREDIT])
  const ann = await place.member(2_000)
  const wish = { member: ann, reward: 'credit', key: 'credit-asked-again' }
  place.trouble('StoreCreditGive', 'lost')
  expect(await redeem(place.shop, place.admin, wish)).toMatchObject({ redemption: { state: 'reserved' } })
  expect(await redeem(place.shop, place.admin, wish)).toMatchObject({ ok: true, redemption: { state: 'issued' } })
  expect(await expectSettled(place, ann, 2_000)).toBe('issued')
  expect(creditsOf(place, ann)).toEqual([500])
})

test('two credits of one worth and a lost answer: each redemption ends with a credit of its own', async () => {
  const place = await openSpendingShop([CREDIT])
  const ann = await place.member(2_000)
  place.trouble('StoreCreditGive', 'lost')
  await redeem(place.shop, place.admin, { member: ann, reward: 'credit', key: 'credit-first' })
  await redeem(place.shop, place.admin, { member: ann, reward: 'credit', key: 'credit-second' })
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  await settleRedemptions(place.shop, place.admin)
  expect(await expectSettled(place, ann, 2_000)).toBe('issued')
  expect(creditsOf(place, ann)).toEqual([1_000])
  expect(await loadRedemptions(place.shop.id, { openOf: [ann] })).toHaveLength(2)
})

test('a gift card whose answer was lost before Shopify was too busy is no card that never was', async () => {
  const place = await openSpendingShop([CARD])
  const ann = await place.member(700)
  place.trouble('GiftCardGive', 'lost')
  place.trouble('GiftCardGive', 'throttled', 99)
  const wish = { member: ann, reward: 'card', key: 'card-then-busy' }
  expect(await redeem(place.shop, place.admin, wish)).toMatchObject({ ok: true, redemption: { state: 'reserved' } })
  place.heal()
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  await settleRedemptions(place.shop, place.admin)
  expect(await expectSettled(place, ann, 700)).toBe('issued')
})

test('store credit that Shopify never gave: the points go back, once that is sure', async () => {
  const place = await openSpendingShop([CREDIT])
  const ann = await place.member(700)
  place.trouble('StoreCreditGive', '500')
  expect(await redeem(place.shop, place.admin, { member: ann, reward: 'credit', key: 'store-credit-2' })).toMatchObject(
    {
      ok: true,
      redemption: { state: 'reserved' },
    },
  )
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ left: 1 })
  await letTimePass(place.shop.id, 120_000)
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 1 })
  expect(await expectSettled(place, ann, 700)).toBe('returned')
  expect(place.store.storeCreditOf(place.shop.domain, ann)).toEqual([])
})

test('a gift card is made once, also when the answer is lost', async () => {
  const place = await openSpendingShop([CARD])
  const ann = await place.member(700)
  place.trouble('GiftCardGive', 'lost')
  const redeemed = await redeem(place.shop, place.admin, { member: ann, reward: 'card', key: 'gift-card-lost' })
  expect(redeemed.ok).toBe(true)
  await letTimePass(place.shop.id, LEFT_BEHIND_MS + 1_000)
  await settleRedemptions(place.shop, place.admin)
  expect(await expectSettled(place, ann, 700)).toBe('issued')
})

test('without the scope for store credit the points are back at once', async () => {
  const place = await openSpendingShop([CREDIT])
  const ann = await place.member(700)
  place.store.setScopes(place.shop.domain, place.store.app.scopes)
  expect(await redeem(place.shop, place.admin, { member: ann, reward: 'credit', key: 'no-scope-yet' })).toMatchObject({
    ok: false,
  })
  expect(await expectSettled(place, ann, 700)).toBe('returned')
})

test('a redemption that cannot be settled is tried for as long as it takes: its tries are counted as far as they can be', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  await drainShop(shop.id)
  const at = new Date(now())
  await prisma.redemption.create({
    data: {
      shopId: shop.id,
      id: 'rdm_x',
      memberId: 1n,
      rewardId: 'five-off',
      type: 'amount',
      points: 1n,
      state: 'ending',
      code: 'ABC',
      attempts: 32_766,
      reservedAt: at,
      updatedAt: at,
    },
  })
  await noteFailedTry(shop.id, 'rdm_x', 'Shopify still has the code', now())
  await noteFailedTry(shop.id, 'rdm_x', 'Shopify still has the code', now())
  expect(await prisma.redemption.findFirst({ where: { shopId: shop.id } })).toMatchObject({ attempts: 32_767 })
})

test.each([
  ['store credit', CREDIT, 'StoreCreditGive', 'StoreCredits'],
  ['gift card', CARD, 'GiftCardGive', 'GiftCardGive'],
] as const)(
  'a %s whose answer was lost is not taken back because Shopify is too busy for the shopper who asks again',
  async (_name, reward, give, look) => {
    const place = await openSpendingShop([reward])
    const ann = await place.member(700)
    const wish = { member: ann, reward: reward.id, key: 'lost-then-busy' }
    place.trouble(give, 'lost', 2)
    expect(await redeem(place.shop, place.admin, wish)).toMatchObject({ redemption: { state: 'reserved' } })
    place.heal()
    place.trouble(look, 'throttled', 99)
    expect(await redeem(place.shop, place.admin, wish)).toMatchObject({ redemption: { state: 'reserved' } })
    await letTimePass(place.shop.id, GIVE_UP_MS)
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 0, left: 1 })
    place.heal()
    await letTimePass(place.shop.id, GIVE_UP_MS)
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 1 })
    expect(await expectSettled(place, ann, 700)).toBe('issued')
    if (reward === CREDIT) expect(creditsOf(place, ann)).toEqual([500])
  },
)

test('store credit is given once and spent for once, also where the app may not look and several ask at the same time', async () => {
  const place = await openSpendingShop([CREDIT])
  const ann = await place.member(700)
  const without = CREDIT_SCOPES.filter((scope) => scope !== 'read_store_credit_accounts')
  place.store.setScopes(place.shop.domain, [...place.store.app.scopes, ...without])
  const wish = { member: ann, reward: 'credit', key: 'may-not-look' }
  const answers = await Promise.all(Array.from({ length: 5 }, () => redeem(place.shop, place.admin, wish)))
  expect(answers.every(({ ok }) => ok)).toBe(true)
  expect(place.operations).toContain('StoreCredits')
  expect(await expectSettled(place, ann, 700)).toBe('issued')
  expect(creditsOf(place, ann)).toEqual([500])
})

describe('store credit whose answer was lost, of a customer whom Shopify no longer has', () => {
  const loseAnswer = async (place: SpendingShop, member: string) => {
    place.trouble('StoreCreditGive', 'lost')
    const redeemed = await redeem(place.shop, place.admin, { member, reward: 'credit', key: 'lost-then-gone' })
    expect(redeemed).toMatchObject({ redemption: { state: 'reserved' } })
  }
  const buy = (place: SpendingShop, member: string, storeCreditMinor = 0) => {
    const lines = [{ title: 'Mug', unitPriceMinor: 500, quantity: 1, taxable: false }]
    const payment = { status: 'paid' as const, storeCreditMinor }
    expect(place.store.placeOrder(place.shop.domain, { customerId: member as never, lines, payment })).toMatchObject({
      ok: true,
    })
  }
  /** Shopify merges nobody who has store credit: Ben spends it first. */
  const spendAndMerge = (place: SpendingShop, ann: string, ben: string) => {
    buy(place, ben, 500)
    expect(place.store.mergeCustomers(place.shop.domain, ann as never, ben as never)).toMatchObject({ ok: true })
  }

  test('waits for the merge and is the survivor’s then: given once and paid for once', async () => {
    const place = await openSpendingShop([CREDIT])
    const [ann, ben] = [await place.member(700), await place.member(700)]
    await loseAnswer(place, ben)
    spendAndMerge(place, ann, ben)
    await letTimePass(place.shop.id, GIVE_UP_MS)
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 0, left: 1 })
    const merge = { type: 'merge', at: now(), from: ben, into: ann } as const
    expect(await applyEvents(place.shop.id, [merge], now())).toMatchObject({ ok: true })
    await letTimePass(place.shop.id, HOUR_MS)
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 1 })
    expect(await expectSettled(place, ann, 1_400)).toBe('issued')
  })

  test('is looked for every minute at first, and once an hour a day later', async () => {
    const place = await openSpendingShop([CREDIT])
    const ben = await place.member(700)
    await loseAnswer(place, ben)
    place.store.deleteCustomer(place.shop.domain, ben as never)
    const countLooks = async (times: number, everyMs: number) => {
      let looks = 0
      for (let time = 0; time < times; time += 1) {
        await letTimePass(place.shop.id, everyMs)
        looks += (await settleRedemptions(place.shop, place.admin)).left
      }
      return looks
    }
    await letTimePass(place.shop.id, LEFT_BEHIND_MS)
    expect(await countLooks(5, 60_000)).toBe(5)
    expect(await countLooks(1, 24 * HOUR_MS)).toBe(1)
    expect(await countLooks(12 * 6, HOUR_MS / 6)).toBe(12)
  })

  test('finds a merge of which no webhook told by where the orders went, however long ago it was', async () => {
    const place = await openSpendingShop([CREDIT])
    const [ann, ben] = [await place.member(700), await place.member(700)]
    buy(place, ben)
    await reconcile(place.shop, place.admin)
    await drainShop(place.shop.id)
    await loseAnswer(place, ben)
    spendAndMerge(place, ann, ben)
    await letTimePass(place.shop.id, 3 * 24 * 3_600_000)
    // Also at a second look, before what the first one found is taken in.
    for (let look = 0; look < 2; look++) {
      expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 0, left: 1 })
      await letTimePass(place.shop.id, HOUR_MS)
    }
    await drainShop(place.shop.id)
    await letTimePass(place.shop.id, HOUR_MS)
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ issued: 1 })
  })

  test('goes back after two days in which nobody could say into whom they were merged', async () => {
    const place = await openSpendingShop([CREDIT])
    const ben = await place.member(700)
    await loseAnswer(place, ben)
    expect(place.store.deleteCustomer(place.shop.domain, ben as never)).toMatchObject({ ok: true })
    await letTimePass(place.shop.id, GIVE_UP_MS)
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 0, left: 1 })
    await letTimePass(place.shop.id, 2 * 24 * 3_600_000)
    expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 1 })
    expect(await expectSettled(place, ben, 700)).toBe('returned')
  })
})

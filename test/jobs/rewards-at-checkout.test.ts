import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { findBalancesAt } from '#app/db/ledger.server.ts'
import { loadPrograms, publishProgram } from '#app/db/programs.server.ts'
import { findRedemption } from '#app/db/redemptions.server.ts'
import { advanceMembers } from '#app/db/world.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { fillCodePools } from '#app/jobs/fill-code-pools.ts'
import { reconcile } from '#app/jobs/reconcile.ts'
import { redeem, settleRedemptions } from '#app/jobs/settle-redemptions.ts'
import { totalsOf } from '../dev-store/order-totals.ts'
import { orderPayload } from '../dev-store/payloads.ts'
import type { Product } from '../dev-store/records.ts'
import { newShopper } from '../dev-store/shopper.ts'
import type { Page, Shopper } from '../dev-store/shopper.ts'
import { createStorefront } from '../dev-store/storefront/storefront.ts'
import { receive } from '../setup/factories.ts'
import { makeProgram, openSpendingShop } from './spending-shop.ts'
import type { SpendingShop } from './spending-shop.ts'

const DAY_MS = 86_400_000

type Place = SpendingShop & { mug: Product; card: Product; shopper: Shopper; ann: string }

/** A shop with a mug for 20.00 and a card for 5.00, and Ann with 5,000 points in front of its storefront. */
async function openPlace(rewards: (products: { mug: Product; card: Product }) => unknown[]): Promise<Place> {
  let products: { mug: Product; card: Product } | undefined
  const place = await openSpendingShop((store, domain) => {
    products = {
      mug: store.addProduct(domain, { title: 'Mug', priceMinor: 2_000 }),
      card: store.addProduct(domain, { title: 'Card', priceMinor: 500 }),
    }
    return rewards(products)
  })
  const shopper = newShopper(await createStorefront({ store: place.store }))
  const ann = await place.member(5_000)
  await shopper.post('/account/login', { customer: ann.split('/').at(-1)! })
  return { ...place, ...products!, shopper, ann }
}

async function buy(shopper: Shopper, product: Product, quantity = 1): Promise<void> {
  await shopper.post('/cart/add', { id: product.variants[0]!.id.split('/').at(-1)!, quantity: String(quantity) })
}

const enter = (shopper: Shopper, code: string): Promise<Page> => shopper.post('/cart/code', { code, intent: 'code' })
const pay = (shopper: Shopper) => shopper.post('/checkout', { intent: 'pay', email: 'ann@example.com' })

async function redeemed(place: Place, reward: string, points?: number): Promise<{ id: string; code: string }> {
  const result = await redeem(place.shop, place.admin, {
    member: place.ann,
    reward,
    points,
    key: `checkout-${reward}-${points ?? 0}`,
  })
  if (!result.ok) throw new Error(result.reason)
  return { id: result.redemption.id, code: result.redemption.code! }
}

/** The order's webhook arrives and is worked on, as Shopify sends it. */
async function hearOfOrder(place: Place, topic = 'orders/paid'): Promise<void> {
  const order = place.store.orders(place.shop.domain).at(-1)!
  const customer = order.customerId ? (place.store.customer(place.shop.domain, order.customerId) ?? null) : null
  const payload = orderPayload(place.store.shop(place.shop.domain), order, customer)
  await receive(place.shop.id, topic, JSON.stringify(payload), { at: new Date(now()).toISOString() })
  expect(await drainShop(place.shop.id)).toMatchObject({ failed: 0 })
}

const lastOrder = (place: Place) => place.store.orders(place.shop.domain).at(-1)!

test('a fixed amount comes off at checkout, the order’s webhook marks the code used, and it works once', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500, validDays: 90 }])
  const { id, code } = await redeemed(place, 'five-off')
  await buy(place.shopper, place.mug)
  expect((await enter(place.shopper, code)).text).toContain(`${code} applied`)
  await pay(place.shopper)
  expect(totalsOf(lastOrder(place)).discountsMinor).toBe(500)
  await hearOfOrder(place)
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'used', order: lastOrder(place).id })
  const { rows } = await pool.query('select state from codes where shop_id = $1 and code = $2', [place.shop.id, code])
  expect(rows).toEqual([{ state: 'used' }])
  await buy(place.shopper, place.mug)
  expect((await enter(place.shopper, code)).text).toContain('has already been used')
})

test('a code of an order that is not paid yet is used, also where the order’s webhook was lost', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500, validDays: 90 }])
  const { id, code } = await redeemed(place, 'five-off')
  const use = { title: code, code, value: '5.0', discountId: null, allocationMethod: 'across', targetSelection: 'all' }
  const placed = place.store.placeOrder(place.shop.domain, {
    customerId: place.ann as `gid://shopify/Customer/${string}`,
    lines: [
      { variantId: place.mug.variants[0]!.id, quantity: 1, allocations: [{ applicationIndex: 0, amountMinor: 500 }] },
    ],
    discountApplications: [
      { ...use, type: 'discount_code', valueType: 'fixed_amount', targetType: 'line_item' } as const,
    ],
    payment: { status: 'pending' },
  } as Parameters<typeof place.store.placeOrder>[1])
  expect(placed.ok).toBe(true)
  expect(await reconcile(place.shop, place.admin)).toMatchObject({ mended: 1 })
  await drainShop(place.shop.id)
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'used', order: lastOrder(place).id })
})

test('a variable amount takes off exactly what its points are worth', async () => {
  const place = await openPlace(() => [
    { id: 'any', type: 'amount', perPoints: 100, value: '1.00', step: 100, validDays: 90 },
  ])
  const { code } = await redeemed(place, 'any', 730)
  await buy(place.shopper, place.mug)
  await enter(place.shopper, code)
  await pay(place.shopper)
  expect(totalsOf(lastOrder(place)).discountsMinor).toBe(700)
  expect(await findBalancesAt(place.shop.id, place.ann, now())).toMatchObject({ available: 4_300 })
})

test('a percentage comes off', async () => {
  const place = await openPlace(() => [{ id: 'tenth', type: 'percentage', value: 12.5, cost: 500 }])
  const { code } = await redeemed(place, 'tenth')
  await buy(place.shopper, place.mug)
  await enter(place.shopper, code)
  await pay(place.shopper)
  expect(totalsOf(lastOrder(place)).discountsMinor).toBe(250)
})

test('free shipping takes the shipping off and nothing else', async () => {
  const place = await openPlace(() => [{ id: 'ship', type: 'shipping', cost: 300, validDays: 30 }])
  const { code } = await redeemed(place, 'ship')
  await buy(place.shopper, place.mug)
  expect((await enter(place.shopper, code)).text).toContain(`${code} applied`)
  await pay(place.shopper)
  const totals = totalsOf(lastOrder(place))
  expect(totals.shippingMinor).toBe(0)
  expect(totals.subtotalMinor).toBe(2_000)
})

test('a free product is one piece of it, however many are in the cart', async () => {
  const place = await openPlace(({ mug }) => [{ id: 'free-mug', type: 'product', products: [mug.id], cost: 1_500 }])
  const { code } = await redeemed(place, 'free-mug')
  await buy(place.shopper, place.mug, 3)
  await buy(place.shopper, place.card)
  await enter(place.shopper, code)
  await pay(place.shopper)
  const totals = totalsOf(lastOrder(place))
  expect(totals.discountsMinor).toBe(2_000)
  expect(totals.subtotalMinor).toBe(2 * 2_000 + 500)
})

test('a code under its minimum does nothing, and comes to life when the cart reaches it', async () => {
  const place = await openPlace(() => [
    { id: 'from-20', type: 'amount', value: '5.00', cost: 500, minimumSubtotal: '20.00' },
  ])
  const { code } = await redeemed(place, 'from-20')
  await buy(place.shopper, place.card)
  expect((await enter(place.shopper, code)).text).not.toContain(`${code} applied`)
  await buy(place.shopper, place.mug)
  expect((await enter(place.shopper, code)).text).toContain(`${code} applied`)
})

test('at most half of an order can be paid with points', async () => {
  const place = await openPlace(() => [{ id: 'half', type: 'amount', value: '5.00', cost: 500, maximumShare: 50 }])
  const { code } = await redeemed(place, 'half')
  await buy(place.shopper, place.card)
  expect((await enter(place.shopper, code)).text).not.toContain(`${code} applied`)
  await buy(place.shopper, place.card)
  expect((await enter(place.shopper, code)).text).toContain(`${code} applied`)
})

test('a code given away is spent all the same, and its owner’s redemption is used', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500 }])
  const { id, code } = await redeemed(place, 'five-off')
  const bob = newShopper(await createStorefront({ store: place.store }))
  await buy(bob, place.mug)
  await enter(bob, code)
  await pay(bob)
  await hearOfOrder(place)
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'used' })
})

test('a code that runs out goes from Shopify, and its points come back', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500, validDays: 30 }])
  const { id, code } = await redeemed(place, 'five-off')
  const clock = globalThis as Record<symbol, unknown>
  const offset = Symbol.for('perennial.clock.offsetMs')
  onTestFinished(() => void delete clock[offset])
  clock[offset] = 31 * DAY_MS
  place.store.advanceTime(31 * DAY_MS)
  const programs = await loadPrograms(place.shop.id)
  await inTransaction((client) => advanceMembers(place.shop.id, [place.ann], programs!, now(), client))
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'ending' })
  expect(await settleRedemptions(place.shop, place.admin)).toMatchObject({ returned: 1 })
  expect(await findBalancesAt(place.shop.id, place.ann, now())).toEqual({ available: 5_000, pending: 0, reserved: 0 })
  await buy(place.shopper, place.mug)
  expect((await enter(place.shopper, code)).text).not.toContain(`${code} applied`)
})

test('store credit is on the account and pays', async () => {
  const place = await openPlace(() => [{ id: 'credit', type: 'store-credit', value: '10.00', cost: 1_000 }])
  const result = await redeem(place.shop, place.admin, { member: place.ann, reward: 'credit', key: 'credit-please' })
  expect(result).toMatchObject({ ok: true, redemption: { state: 'issued' } })
  expect(place.store.storeCreditOf(place.shop.domain, place.ann as never)).toMatchObject([{ balanceMinor: 1_000 }])
})

test('a gift card has its money and a code of its own', async () => {
  const place = await openPlace(() => [{ id: 'card', type: 'gift-card', value: '10.00', cost: 1_000 }])
  const { code } = await redeemed(place, 'card')
  expect(place.store.giftCardByCode(place.shop.domain, code)).toMatchObject({ balanceMinor: 1_000 })
})

test('a pool is filled ahead once, and again when half of it is gone', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 1 }])
  expect(await fillCodePools(place.shop, place.admin)).toEqual({ pools: 1, filled: 1, failed: 0 })
  expect(await fillCodePools(place.shop, place.admin)).toEqual({ pools: 0, filled: 0, failed: 0 })
  const free = async () =>
    (
      await pool.query<{ free: number }>(
        `select count(*)::int as free from codes where shop_id = $1 and state = 'free' and gid is not null`,
        [place.shop.id],
      )
    ).rows[0]!.free
  expect(await free()).toBe(50)
  await pool.query(
    `update codes set state = 'taken' where code in (select code from codes where shop_id = $1 limit 25)`,
    [place.shop.id],
  )
  await fillCodePools(place.shop, place.admin)
  expect(await free()).toBe(50)
  expect(place.store.discounts(place.shop.domain)).toHaveLength(1)
})

test.each(['RedeemCodesAdd', 'RedeemCodesCreation', 'RewardDiscountCreate'])(
  'filling is cut off at %s: the next run ends with the same codes, none of them twice',
  async (step) => {
    const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 1 }])
    place.trouble(step, 'lost', 2)
    expect(await fillCodePools(place.shop, place.admin)).toMatchObject({ failed: 1 })
    // Shopify adds the codes of the lost call meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await fillCodePools(place.shop, place.admin)).toMatchObject({ failed: 0 })
    const { rows } = await pool.query<{ code: string; state: string }>(
      'select code, state from codes where shop_id = $1',
      [place.shop.id],
    )
    expect(rows.filter(({ state }) => state !== 'free')).toEqual([])
    expect(rows).toHaveLength(50)
    const [discount] = place.store.discounts(place.shop.domain)
    expect(place.store.discounts(place.shop.domain)).toHaveLength(1)
    expect(
      place.store
        .codesOf(discount!.id)
        .map(({ code }) => code)
        .sort(),
    ).toEqual(rows.map(({ code }) => code).sort())
  },
)

test('the merchant deletes the discount in Shopify: the next redemption makes a new one', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500 }])
  await redeemed(place, 'five-off')
  const [discount] = place.store.discounts(place.shop.domain)
  place.store.deleteDiscount(place.shop.domain, discount!.id)
  const result = await redeem(place.shop, place.admin, { member: place.ann, reward: 'five-off', key: 'after-deletion' })
  expect(result).toMatchObject({ ok: true, redemption: { state: 'issued' } })
  const code = result.ok ? result.redemption.code! : ''
  expect(place.store.checkCode(place.shop.domain, code, place.ann as never)).toMatchObject({ ok: true })
})

test('the merchant deletes a discount of which codes are ahead: held ones give their points back, and nobody gets a dead one', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500 }])
  await fillCodePools(place.shop, place.admin)
  const { id } = await redeemed(place, 'five-off')
  const available = async () => (await findBalancesAt(place.shop.id, place.ann, now())).available
  expect(await available()).toBe(4_500)
  place.store.deleteDiscount(place.shop.domain, place.store.discounts(place.shop.domain)[0]!.id)
  await fillCodePools(place.shop, place.admin)
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'ending' })
  await settleRedemptions(place.shop, place.admin)
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'returned' })
  expect(await available()).toBe(5_000)
  const again = await redeem(place.shop, place.admin, { member: place.ann, reward: 'five-off', key: 'again' })
  const code = again.ok ? again.redemption.code! : ''
  expect(place.store.checkCode(place.shop.domain, code, place.ann as never)).toMatchObject({ ok: true })
})

test('the merchant deactivates a discount of which shoppers hold codes: it is activated again', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500 }])
  const { id, code } = await redeemed(place, 'five-off')
  const [discount] = place.store.discounts(place.shop.domain)
  const deactivate = 'mutation Stop($id: ID!) { discountCodeDeactivate(id: $id) { userErrors { message } } }'
  await place.admin.request(deactivate, { id: discount!.id }, z.unknown())
  const check = () => place.store.checkCode(place.shop.domain, code, place.ann as never)
  expect(check()).toMatchObject({ ok: false })
  await fillCodePools(place.shop, place.admin)
  expect(check()).toMatchObject({ ok: true })
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'issued' })
  expect(place.store.discounts(place.shop.domain)).toHaveLength(1)
})

test('discounts are left alone while Shopify does not say how they are', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500 }])
  await fillCodePools(place.shop, place.admin)
  const { id } = await redeemed(place, 'five-off')
  place.trouble('RewardDiscountStatus', '500', 5)
  await fillCodePools(place.shop, place.admin)
  expect(await findRedemption(place.shop.id, id)).toMatchObject({ state: 'issued' })
  expect(place.store.discounts(place.shop.domain)).toHaveLength(1)
})

test('other terms are another discount: what a shopper holds never changes under them', async () => {
  const place = await openPlace(() => [
    { id: 'any', type: 'amount', perPoints: 100, value: '1.00', step: 100 },
    { id: 'five-off', type: 'amount', value: '5.00', cost: 500 },
  ])
  await redeemed(place, 'any', 500)
  await redeemed(place, 'any', 700)
  await redeemed(place, 'five-off')
  expect(
    place.store
      .discounts(place.shop.domain)
      .map(({ title }) => title)
      .sort(),
  ).toEqual(['Bean Club: $5.00 off', 'Bean Club: $5.00 off', 'Bean Club: $7.00 off'])
})

test('a reward that is taken off and offered again keeps codes ahead again, of the same discount', async () => {
  const place = await openPlace(() => [{ id: 'five-off', type: 'amount', value: '5.00', cost: 500 }])
  const publish = (rewards: unknown[]) =>
    publishProgram(place.shop.id, makeProgram(rewards), { effectiveAt: now(), at: now() }).then(() =>
      fillCodePools(place.shop, place.admin),
    )
  await fillCodePools(place.shop, place.admin)
  await publish([])
  const target = async () =>
    (await pool.query<{ target: number }>('select target from code_pools where shop_id = $1', [place.shop.id])).rows
  expect(await target()).toEqual([{ target: 0 }])
  await publish([{ id: 'five-off', type: 'amount', value: '5.00', cost: 400 }])
  expect(await target()).toEqual([{ target: 50 }])
  expect(place.store.discounts(place.shop.domain)).toHaveLength(1)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { documentsForCampaign, documentsForTiers } from '#app/loyalty/discount-configuration.ts'
import type { DiscountDocuments, DiscountRefusal } from '#app/loyalty/discount-configuration.ts'
import { totalsOf } from '#test/dev-store/order-totals.ts'
import type { Customer, Discount, Product } from '#test/dev-store/records.ts'
import { createStore, resolveNamespace } from '#test/dev-store/state.ts'
import type { DevStore } from '#test/dev-store/state.ts'
import { newShopper } from '#test/dev-store/shopper.ts'
import type { Shopper } from '#test/dev-store/shopper.ts'
import { bestCombination, mayCombine } from '#test/dev-store/storefront/combine.ts'
import type { CatalogLine, Part } from '#test/dev-store/storefront/discounts.ts'
import { lineMinor, spread } from '#test/dev-store/storefront/discounts.ts'
import { createStorefront } from '#test/dev-store/storefront/storefront.ts'

const SHOP = 'shop.myshopify.com'
const TOGETHER = { orderDiscounts: true, productDiscounts: true, shippingDiscounts: true }
const ALL = { all: true as const }

/** A shop in dollars, 7 % tax on top, 6.00 shipping; `mug` 20.00, `card` 5.00, `voucher` a gift card for 25.00. */
async function openShop(overrides: Partial<Parameters<DevStore['addShop']>[0]> = {}) {
  const store = createStore({ appUrl: 'http://127.0.0.1:9', apiKey: 'key', apiSecret: 'secret' })
  store.addShop({ domain: SHOP, ...overrides })
  const mug = store.addProduct(SHOP, { title: 'Mug', priceMinor: 2000 })
  const card = store.addProduct(SHOP, { title: 'Card', priceMinor: 500 })
  const voucher = store.addProduct(SHOP, { title: 'Voucher', priceMinor: 2500, giftCard: true })
  const storefront = await createStorefront({ store })
  return { store, mug, card, voucher, storefront, shopper: newShopper(storefront) }
}

function idOf(product: Product): string {
  return product.variants[0]!.id.split('/').at(-1)!
}

async function buy(shopper: Shopper, product: Product, quantity = 1): Promise<void> {
  await shopper.post('/cart/add', { id: idOf(product), quantity: String(quantity) })
}

async function signIn(shopper: Shopper, customer: Customer): Promise<void> {
  await shopper.post('/account/login', { customer: customer.id.split('/').at(-1)! })
}

function pay(shopper: Shopper, fields: Record<string, string> = {}) {
  return shopper.post('/checkout', { intent: 'pay', email: 'guest@example.com', ...fields })
}

function percentOff(store: DevStore, percent: number, code: string, draft: Partial<Discount> = {}) {
  const gets = { items: ALL, value: { kind: 'percentage' as const, basisPoints: percent * 100 } }
  return store.addDiscount(SHOP, { kind: 'code_basic', title: code, classes: ['ORDER'], gets, ...draft }, code)
}

function amountOff(store: DevStore, amountMinor: number, code: string, draft: Partial<Discount> = {}) {
  const gets = { items: ALL, value: { kind: 'amount' as const, amountMinor, eachItem: false } }
  return store.addDiscount(SHOP, { kind: 'code_basic', title: code, classes: ['ORDER'], gets, ...draft }, code)
}

function writeMetafield(store: DevStore, ownerId: string, key: string, value: string): void {
  const id = store.tables.newId('Metafield')
  const [namespace, type] = [resolveNamespace('$app'), 'json']
  const times = { createdAt: store.now(), updatedAt: store.now() }
  store.tables.put('metafields', id, {
    id,
    shop: SHOP,
    ownerId,
    namespace,
    key,
    type,
    value,
    compareDigest: '',
    ...times,
  })
}

function appDiscount(store: DevStore, documents: DiscountDocuments | DiscountRefusal, draft: Partial<Discount> = {}) {
  if (!documents.ok) throw new Error(documents.reason)
  const discount = store.addDiscount(SHOP, {
    kind: 'automatic_app',
    title: 'Loyalty',
    functionHandle: 'loyalty-discount',
    classes: documents.discountClasses,
    ...draft,
  })
  writeMetafield(store, discount.id, 'function-configuration', documents.configuration)
  writeMetafield(store, discount.id, 'function-variables', documents.variables)
  return discount
}

function member(store: DevStore, given: { tier?: string; heldOut?: string[] }): Customer {
  const customer = store.createCustomer(SHOP, { email: `${crypto.randomUUID()}@example.com`, firstName: 'Ann' })
  const card = {
    version: 1,
    balance: 0,
    pending: 0,
    tier: given.tier ? { id: given.tier, name: given.tier } : null,
    progress: null,
    nextExpiry: null,
    codes: [],
    heldOut: given.heldOut ?? [],
    segments: [],
  }
  writeMetafield(store, customer.id, 'member_card', JSON.stringify(card))
  return customer
}

const GOLD = documentsForTiers([{ id: 'gold', name: 'Gold', discountPercent: 10, freeShipping: true }])
const SPRING = documentsForCampaign({
  id: 'spring',
  name: 'Spring days',
  offer: {
    bands: [
      { from: '50.00', percentage: 5 },
      { from: '100.00', percentage: 10 },
    ],
  },
})

describe('discount codes', () => {
  test('a code works in any case, takes its money off, and is used up by the order', async () => {
    const { store, shopper, mug } = await openShop()
    amountOff(store, 500, 'BEAN-1234', { usageLimit: 1 })
    await buy(shopper, mug)
    const cart = await shopper.post('/cart/code', { code: ' bean-1234 ', intent: 'code' })
    expect(cart.text).toContain('BEAN-1234 applied')
    expect(cart.text).toContain('Total $22.05')

    await pay(shopper)
    const [order] = store.orders(SHOP)
    expect(order!.discountApplications).toMatchObject([{ type: 'discount_code', code: 'BEAN-1234', value: '5.0' }])
    expect(totalsOf(order!).totalMinor).toBe(2205)

    const other = newShopper((await openAgain(store)).storefront)
    await buy(other, mug)
    const refused = await other.post('/cart/code', { code: 'BEAN-1234', intent: 'code' })
    expect(refused.text).toContain('“BEAN-1234” has already been used.')
  })

  test.each([
    ['unknown', {}, 'There is no discount code “NOPE” in this shop.'],
    ['not started', { startsAt: Date.now() + 60_000 }, '“CODE” is not valid yet.'],
    ['expired', { startsAt: 0, endsAt: 1 }, '“CODE” has expired.'],
    [
      'too small a cart',
      { minimum: { subtotalMinor: 5000 } },
      '“CODE” needs 50.00 USD of goods it covers: add 30.00 USD more.',
    ],
    ['too few things', { minimum: { quantity: 3 } }, '“CODE” needs 2 more of the items it covers.'],
    [
      'other goods',
      {
        gets: {
          items: { productIds: ['gid://shopify/Product/1'], variantIds: [], collectionIds: [] },
          value: { kind: 'percentage' as const, basisPoints: 1000 },
        },
      },
      '“CODE” does not cover anything in your cart.',
    ],
    [
      'somebody else',
      { context: { kind: 'customers' as const, customerIds: ['gid://shopify/Customer/1'] } },
      '“CODE” is for certain customers. Sign in to use it.',
    ],
  ])('a code says why it is not taken: %s', async (reason, draft, message) => {
    const { store, shopper, mug } = await openShop()
    percentOff(store, 10, 'CODE', draft)
    await buy(shopper, mug)
    const cart = await shopper.post('/cart/code', { code: reason === 'unknown' ? 'NOPE' : 'CODE', intent: 'code' })
    expect(cart.text).toContain(message)
    expect(cart.text).toContain('Total $27.40')
    const checkout = await pay(shopper)
    expect(checkout.status).toBe(400)
    expect(checkout.text).toContain('Please remove the code that does not apply')
    expect(store.orders(SHOP)).toHaveLength(0)
  })

  test('a customer uses a once-per-customer code once', async () => {
    const { store, shopper, mug } = await openShop()
    percentOff(store, 10, 'ONCE', { appliesOncePerCustomer: true })
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    await signIn(shopper, ann)
    for (const attempt of [1, 2]) {
      await buy(shopper, mug)
      const cart = await shopper.post('/cart/code', { code: 'once', intent: 'code' })
      expect(cart.text).toContain(attempt === 1 ? 'ONCE applied' : 'You have already used “once”')
      await pay(shopper)
    }
    expect(store.orders(SHOP)).toHaveLength(1)
  })

  test('one code in two carts: the first to pay has it, the other is told and pays nothing', async () => {
    const { store, shopper, storefront, mug } = await openShop()
    amountOff(store, 500, 'BEAN-1234', { usageLimit: 1 })
    const other = newShopper(storefront)
    for (const each of [shopper, other]) {
      await buy(each, mug)
      const cart = await each.post('/cart/code', { code: 'BEAN-1234', intent: 'code' })
      expect(cart.text).toContain('BEAN-1234 applied')
    }
    const [first, second] = await Promise.all([pay(shopper), pay(other)])
    expect([first!.status, second!.status].sort()).toEqual([200, 400])
    expect(store.orders(SHOP)).toHaveLength(1)
    expect(`${first!.text} ${second!.text}`).toContain('“BEAN-1234” has already been used.')
  })

  test('gift cards are never discounted, nor counted for a minimum', async () => {
    const { store, shopper, voucher, mug } = await openShop()
    percentOff(store, 10, 'TEN', { minimum: { subtotalMinor: 2500 } })
    await buy(shopper, voucher)
    await buy(shopper, mug)
    const cart = await shopper.post('/cart/code', { code: 'TEN', intent: 'code' })
    expect(cart.text).toContain('add 5.00 USD more')
  })

  test('buy two mugs, get a card free', async () => {
    const { store, shopper, mug, card } = await openShop()
    const only = (product: Product) => ({ productIds: [product.id], variantIds: [], collectionIds: [] })
    store.addDiscount(
      SHOP,
      {
        kind: 'code_bxgy',
        title: 'Free card',
        classes: ['PRODUCT'],
        buys: { items: only(mug), quantity: 2, amountMinor: null },
        gets: { items: only(card), value: { kind: 'on_quantity', quantity: 1, basisPoints: 10_000 } },
      },
      'FREECARD',
    )
    await buy(shopper, mug, 2)
    await buy(shopper, card, 2)
    const cart = await shopper.post('/cart/code', { code: 'FREECARD', intent: 'code' })
    expect(cart.text).toContain('You save $5.00')
  })
})

describe('what stands together', () => {
  test('two codes that do not combine: the better one stays, the other is named and kept valid', async () => {
    const { store, shopper, mug } = await openShop()
    percentOff(store, 10, 'TEN')
    percentOff(store, 20, 'TWENTY')
    await buy(shopper, mug)
    await shopper.post('/cart/code', { code: 'TEN', intent: 'code' })
    const cart = await shopper.post('/cart/code', { code: 'TWENTY', intent: 'code' })
    expect(cart.text).toContain('TWENTY applied')
    expect(cart.text).toContain('“TEN” cannot be combined with “TWENTY”, which saves you more.')
    expect(cart.text).toContain('You save $4.00')
  })

  test('order discounts that combine are each worked out on the goods as they are, and add up', async () => {
    const { store, shopper, mug } = await openShop()
    percentOff(store, 10, 'TEN', { combinesWith: TOGETHER })
    percentOff(store, 20, 'TWENTY', { combinesWith: TOGETHER })
    await buy(shopper, mug)
    await shopper.post('/cart/code', { code: 'TEN', intent: 'code' })
    const cart = await shopper.post('/cart/code', { code: 'TWENTY', intent: 'code' })
    expect(cart.text).toContain('You save $6.00')
  })

  test('one that allows it and one that does not: they do not combine', async () => {
    const { store, shopper, mug } = await openShop()
    percentOff(store, 10, 'TEN', { combinesWith: TOGETHER })
    percentOff(store, 20, 'TWENTY')
    await buy(shopper, mug)
    await shopper.post('/cart/code', { code: 'TEN', intent: 'code' })
    const cart = await shopper.post('/cart/code', { code: 'TWENTY', intent: 'code' })
    expect(cart.text).toContain('You save $4.00')
  })

  test('an order discount is worked out on what a product discount leaves', async () => {
    const { store, shopper, mug } = await openShop()
    percentOff(store, 50, 'HALF', { classes: ['PRODUCT'], combinesWith: TOGETHER })
    percentOff(store, 10, 'TEN', { combinesWith: TOGETHER })
    await buy(shopper, mug)
    await shopper.post('/cart/code', { code: 'HALF', intent: 'code' })
    const cart = await shopper.post('/cart/code', { code: 'TEN', intent: 'code' })
    expect(cart.text).toContain('You save $11.00')
  })

  test('whatever is offered, the best set that may stand together is taken and nothing falls below zero', () => {
    const combines = fc.record({
      orderDiscounts: fc.boolean(),
      productDiscounts: fc.boolean(),
      shippingDiscounts: fc.boolean(),
    })
    const offers = fc.array(
      fc.record({
        class: fc.constantFrom('ORDER' as const, 'PRODUCT' as const, 'SHIPPING' as const),
        basisPoints: fc.integer({ min: 1, max: 10_000 }),
        combinesWith: combines,
      }),
      { maxLength: 6 },
    )
    const prices = fc.array(fc.integer({ min: 1, max: 9_999 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(prices, offers, fc.nat(2_000), (amounts, offered, shippingMinor) => {
        const lines = amounts.map((priceMinor, at) => lineOf(at, priceMinor))
        const parts = offered.map((offer, at) => partOf(at, offer, lines))
        const best = bestCombination(lines, shippingMinor, parts, 'USD')
        for (const [at, allocations] of best.lineAllocations.entries()) {
          const off = allocations.reduce((sum, row) => sum + row.amountMinor, 0)
          expect(off).toBeLessThanOrEqual(lineMinor(lines[at]!))
        }
        for (const [at, part] of best.parts.entries()) {
          for (const other of best.parts.slice(at + 1)) expect(mayCombine(part, other)).toBe(true)
        }
        for (const part of parts) {
          const alone = bestCombination(lines, shippingMinor, [part], 'USD').savedMinor
          expect(best.savedMinor).toBeGreaterThanOrEqual(alone)
        }
      }),
    )
  })

  test('an amount shared out keeps its sum and no line pays more than its price', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.array(fc.nat(50_000), { minLength: 1, maxLength: 20 }), (amount, weights) => {
        const parts = spread(amount, weights)
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(Math.min(amount, total))
        for (const [at, part] of parts.entries()) expect(part).toBeLessThanOrEqual(weights[at]!)
      }),
    )
  })
})

describe('our Function at checkout', () => {
  test('a gold member who is signed in pays ten per cent less and no shipping; a guest pays all', async () => {
    const { store, shopper, storefront, mug } = await openShop()
    appDiscount(store, GOLD)
    await signIn(shopper, member(store, { tier: 'gold' }))
    await buy(shopper, mug)
    const cart = await shopper.get('/cart')
    expect(cart.text).toContain('Gold: 10% off')
    expect(cart.text).toContain('Gold: free shipping')
    await pay(shopper)
    const [order] = store.orders(SHOP)
    expect(order!.discountApplications.map((row) => [row.type, row.title, row.value, row.targetType])).toEqual([
      ['automatic', 'Gold: 10% off', '10.0', 'line_item'],
      ['automatic', 'Gold: free shipping', '100.0', 'shipping_line'],
    ])
    // 18.00 of goods, no shipping, 7 % tax.
    expect(totalsOf(order!).totalMinor).toBe(1926)

    const guest = newShopper(storefront)
    await buy(guest, mug)
    expect((await guest.get('/cart')).text).toContain('Total $27.40')
  })

  test('a typed e-mail address of a gold member gives no perk at checkout', async () => {
    const { store, shopper, mug } = await openShop()
    appDiscount(store, GOLD)
    const ann = member(store, { tier: 'gold' })
    await buy(shopper, mug)
    const checkout = await shopper.post('/checkout', { intent: 'update', email: ann.email! })
    expect(checkout.text).toContain('Total $27.40')
  })

  test('a campaign starts and ends on the minute', async () => {
    const { store, shopper, mug } = await openShop()
    const startsAt = Date.parse('2027-03-28T01:00:00Z')
    const endsAt = Date.parse('2027-03-31T08:00:00Z')
    appDiscount(store, SPRING, { startsAt, endsAt })
    await buy(shopper, mug, 3)
    const saves = async (instant: number) => {
      store.setTime(instant)
      return (await shopper.get('/cart')).text.includes('You save $3.00')
    }
    expect(await saves(startsAt - 2_000)).toBe(false)
    expect(await saves(startsAt)).toBe(true)
    expect(await saves(endsAt - 30_000)).toBe(true)
    expect(await saves(endsAt)).toBe(false)
  })

  test('a held-out customer sees no campaign, signed in or by e-mail', async () => {
    const { store, shopper, storefront, mug } = await openShop()
    appDiscount(store, SPRING)
    const held = member(store, { heldOut: ['spring'] })
    await signIn(shopper, held)
    await buy(shopper, mug, 3)
    expect((await shopper.get('/cart')).text).not.toContain('Spring days')
    const guest = newShopper(storefront)
    await buy(guest, mug, 3)
    expect((await guest.get('/cart')).text).toContain('Spring days')
    const checkout = await guest.post('/checkout', { intent: 'update', email: held.email! })
    expect(checkout.text).not.toContain('Spring days')
  })

  test('a tier perk and a campaign that do not combine give the shopper the better one', async () => {
    const { store, shopper, mug } = await openShop()
    appDiscount(store, GOLD)
    appDiscount(store, SPRING)
    await signIn(shopper, member(store, { tier: 'gold' }))
    await buy(shopper, mug, 3)
    const cart = await shopper.get('/cart')
    expect(cart.text).toContain('Gold: 10% off')
    expect(cart.text).not.toContain('Spring days')
  })

  test('bands are reached in the shopper’s own currency', async () => {
    const { store, shopper } = await openShop({ presentmentRates: { CAD: 1.3742 } })
    appDiscount(store, SPRING)
    const almost = store.addProduct(SHOP, { title: 'Almost', priceMinor: 4999 })
    await shopper.post('/cart/currency', { currency: 'CAD' })
    await buy(shopper, almost)
    expect((await shopper.get('/cart')).text).not.toContain('Spring days')
    await shopper.post('/cart/add', { id: idOf(store.addProduct(SHOP, { title: 'Sticker', priceMinor: 1 })) })
    const cart = await shopper.get('/cart')
    expect(cart.text).toContain('Spring days')
    expect(cart.text).toContain('CA$')
  })
})

describe('paying', () => {
  test.each([true, false])('the page’s total is the order’s, with tax inside the prices: %s', async (taxesIncluded) => {
    const { store, shopper, mug, card } = await openShop({ taxesIncluded, currency: 'EUR', taxRateBasisPoints: 1900 })
    percentOff(store, 15, 'FIFTEEN')
    await buy(shopper, mug, 3)
    await buy(shopper, card, 1)
    await shopper.post('/cart/code', { code: 'FIFTEEN', intent: 'code' })
    const checkout = await shopper.get('/checkout')
    const shown = /Pay €([\d.]+)/.exec(checkout.text)![1]!
    await pay(shopper)
    expect(totalsOf(store.orders(SHOP)[0]!).totalMinor).toBe(Number(shown.replace('.', '')))
  })

  test('a gift card pays first, store credit next, the test card the rest', async () => {
    const { store, shopper, mug } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const giftCard = {
      id: store.tables.newId('GiftCard'),
      shop: SHOP,
      code: 'gift1234',
      initialMinor: 1000,
      balanceMinor: 1000,
      customerId: null,
      note: null,
      templateSuffix: null,
      expiresOn: null,
      enabled: true,
      createdAt: store.now(),
    }
    store.tables.put('giftCards', giftCard.id, giftCard)
    const accountId = store.tables.newId('StoreCreditAccount')
    store.tables.put('storeCredit', accountId, {
      id: accountId,
      shop: SHOP,
      ownerId: ann.id,
      currency: 'USD',
      balanceMinor: 300,
      transactions: [],
    })
    await signIn(shopper, ann)
    await buy(shopper, mug)
    const thanks = await pay(shopper, { gift_card: 'GIFT1234', credit: '1' })
    expect(thanks.text).toContain('Thank you')
    const [order] = store.orders(SHOP)
    expect(order!.transactions.map((row) => [row.gateway, row.amountMinor])).toEqual([
      ['gift_card', 1000],
      ['shopify_store_credit', 300],
      ['bogus', 1440],
    ])
  })

  test('an unknown gift card stops the payment with a reason and makes no order', async () => {
    const { store, shopper, mug } = await openShop()
    await buy(shopper, mug)
    const checkout = await pay(shopper, { gift_card: 'nope' })
    expect(checkout.status).toBe(400)
    expect(checkout.text).toContain('There is no such gift card.')
    expect(store.orders(SHOP)).toHaveLength(0)
  })

  test('a guest becomes a customer without an account; the cart is empty afterwards', async () => {
    const { store, shopper, mug } = await openShop()
    await buy(shopper, mug)
    await pay(shopper, { email: 'New@Example.com' })
    expect(store.customerByEmail(SHOP, 'new@example.com')).toMatchObject({ state: 'disabled' })
    expect((await shopper.get('/cart')).text).toContain('There is nothing in it yet.')
  })

  test('express shipping costs two and a half times the standard rate, and is on the order', async () => {
    const { store, shopper, mug } = await openShop()
    await buy(shopper, mug)
    await pay(shopper, { shipping: 'express' })
    expect(store.orders(SHOP)[0]!.shippingLines).toMatchObject([{ title: 'Express', priceMinor: 1500 }])
  })

  test('a bank transfer leaves the order pending', async () => {
    const { store, shopper, mug } = await openShop()
    await buy(shopper, mug)
    const thanks = await pay(shopper, { payment: 'pending' })
    expect(thanks.text).toContain('Payment pending')
    expect(store.orders(SHOP)[0]!.financialStatus).toBe('pending')
  })
})

async function openAgain(store: DevStore) {
  return { storefront: await createStorefront({ store }) }
}

function lineOf(at: number, priceMinor: number): CatalogLine {
  const variant = { priceMinor } as CatalogLine['variant']
  return { key: String(at), product: {} as Product, variant, quantity: 1, properties: [] }
}

function partOf(
  at: number,
  offer: { class: Part['class']; basisPoints: number; combinesWith: Discount['combinesWith'] },
  lines: CatalogLine[],
): Part {
  const discount = { id: `gid://shopify/DiscountAutomaticNode/${at}`, combinesWith: offer.combinesWith } as Discount
  const value = { basisPoints: offer.basisPoints }
  const base = { discount, code: null, message: `Offer ${at}`, value }
  if (offer.class === 'SHIPPING') return { ...base, class: 'SHIPPING' }
  if (offer.class === 'ORDER') return { ...base, class: 'ORDER', eligible: lines.map(() => true) }
  const perLineMinor = lines.map((line) => Math.floor((lineMinor(line) * offer.basisPoints) / 10_000))
  return { ...base, class: 'PRODUCT', perLineMinor }
}

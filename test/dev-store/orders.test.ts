import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sum, totalsOf } from './order-totals.ts'
import { decimalText, graphqlDecimal, parseDecimal } from './money.ts'
import { orderPayload } from './payloads.ts'
import type { PlaceOrder } from './orders.ts'
import type { Gid } from './records.ts'
import { createStore, type DevStore } from './state.ts'

const SHOP = 'tea.myshopify.com'

function openShop(shop: Partial<Parameters<ReturnType<typeof createStore>['addShop']>[0]> = {}) {
  const store = createStore({ appUrl: 'http://127.0.0.1:1', apiKey: 'k', apiSecret: 's' })
  store.addShop({ domain: SHOP, currency: 'USD', taxRateBasisPoints: 700, ...shop })
  return store
}

function giveCard(store: DevStore, customerId: Gid | null) {
  const card = { id: 'gid://shopify/GiftCard/1', shop: SHOP, code: 'abcd1234', initialMinor: 500, balanceMinor: 500 }
  const rest = { note: null, templateSuffix: null, expiresOn: null, enabled: true, createdAt: 0 }
  store.tables.put('giftCards', card.id, { ...card, ...rest, customerId })
}

function giveCredit(store: DevStore, ownerId: Gid) {
  const id = 'gid://shopify/StoreCreditAccount/1'
  store.tables.put('storeCredit', id, {
    id,
    shop: SHOP,
    ownerId,
    currency: 'USD',
    balanceMinor: 1000,
    transactions: [],
  })
}

/** The order of the samples (test/fixtures/payloads): mugs, a teapot and a gift card, 5.00 off by a code, 6.00 shipping. */
function placeSampleOrder(store: ReturnType<typeof openShop>) {
  store.addDiscount(SHOP, { kind: 'code_basic', title: 'Five off' }, 'LOY-7K2M-94QX')
  const placed = store.placeOrder(SHOP, {
    lines: [
      { title: 'Mug', quantity: 2, unitPriceMinor: 1250, allocations: [{ applicationIndex: 0, amountMinor: 192 }] },
      { title: 'Teapot', quantity: 1, unitPriceMinor: 4000, allocations: [{ applicationIndex: 0, amountMinor: 308 }] },
      { title: 'Gift card', quantity: 1, unitPriceMinor: 2500, giftCard: true },
    ],
    discountApplications: [
      {
        type: 'discount_code',
        code: 'LOY-7K2M-94QX',
        title: 'Five off',
        value: '5.0',
        valueType: 'fixed_amount',
        allocationMethod: 'across',
        targetType: 'line_item',
        targetSelection: 'entitled',
        discountId: null,
      },
    ],
    shipping: { title: 'Generic Shipping', priceMinor: 600 },
  })
  if (!placed.ok) throw new Error(placed.reason)
  return placed.order
}

describe('an order', () => {
  it('comes to what Shopify’s sample order comes to', () => {
    const store = openShop()
    const order = placeSampleOrder(store)
    expect(orderPayload(store.shop(SHOP), order, null)).toMatchObject({
      subtotal_price: '85.00',
      total_discounts: '5.00',
      total_tax: '4.20',
      total_price: '95.20',
      total_line_items_price: '90.00',
      financial_status: 'paid',
      discount_codes: [{ code: 'LOY-7K2M-94QX', amount: '5.00', type: 'fixed_amount' }],
    })
  })

  it('after a refund of one mug has the totals of Shopify’s sample', () => {
    const store = openShop()
    const order = placeSampleOrder(store)
    const done = store.refund(SHOP, order.id, { lines: [{ lineId: order.lines[0]!.id, quantity: 1 }] })
    const payload = orderPayload(store.shop(SHOP), order, null)
    expect(payload).toMatchObject({
      current_subtotal_price: '73.46',
      current_total_discounts: '4.04',
      financial_status: 'partially_refunded',
      refunds: [{ refund_line_items: [{ subtotal: 11.54, subtotal_set: { shop_money: { amount: '11.54' } } }] }],
    })
    // Each line's tax is rounded on its own here: 7 % of 23.08 and of 36.92, where the sample splits the order's 4.20.
    expect(done.ok && done.refund.lines[0]!.taxMinor).toBe(81)
  })

  it('refunded by an amount alone keeps its lines and gets an adjustment', () => {
    const store = openShop()
    const order = placeSampleOrder(store)
    const before = totalsOf(order).currentSubtotalMinor
    store.refund(SHOP, order.id, { amountMinor: 1000 })
    expect(totalsOf(order)).toMatchObject({ currentSubtotalMinor: before, refundedMinor: 1000, outstandingMinor: 0 })
    expect(order.refunds[0]!.adjustments).toMatchObject([{ kind: 'refund_discrepancy', amountMinor: -1000 }])
    expect(order.financialStatus).toBe('partially_refunded')
  })

  it('cannot give back more than was paid, nor units that are gone', () => {
    const store = openShop()
    const order = placeSampleOrder(store)
    expect(store.refund(SHOP, order.id, { amountMinor: 9521 })).toMatchObject({ ok: false, reason: 'too_much' })
    expect(store.refund(SHOP, order.id, { lines: [{ lineId: order.lines[0]!.id, quantity: 3 }] })).toMatchObject({
      reason: 'too_many',
    })
    expect(store.refund(SHOP, order.id, {})).toMatchObject({ reason: 'nothing_to_refund' })
    expect(order.refunds).toEqual([])
  })

  it('edited upwards is partly paid until the rest is paid; edited downwards owes money', () => {
    const store = openShop({ taxRateBasisPoints: 0 })
    const placed = store.placeOrder(SHOP, { lines: [{ quantity: 2, unitPriceMinor: 1000 }] })
    if (!placed.ok) throw new Error(placed.reason)
    const { order } = placed
    store.editOrder(SHOP, order.id, [{ lineId: order.lines[0]!.id, quantity: 3 }])
    expect(order.financialStatus).toBe('partially_paid')
    expect(totalsOf(order).outstandingMinor).toBe(1000)
    store.markPaid(SHOP, order.id)
    expect(order.financialStatus).toBe('paid')
    store.editOrder(SHOP, order.id, [{ lineId: order.lines[0]!.id, quantity: 1 }])
    expect(totalsOf(order)).toMatchObject({ outstandingMinor: -2000, currentSubtotalMinor: 1000 })
  })

  it('cancelled gives everything back, shipping and tax too', () => {
    const store = openShop()
    const order = placeSampleOrder(store)
    store.cancelOrder(SHOP, order.id, { reason: 'customer' })
    expect(totalsOf(order)).toMatchObject({
      currentTotalMinor: 0,
      currentSubtotalMinor: 0,
      refundedMinor: 9520,
      outstandingMinor: 0,
    })
    expect(order).toMatchObject({ financialStatus: 'refunded', cancelReason: 'customer' })
    expect(store.cancelOrder(SHOP, order.id)).toEqual({ ok: false, reason: 'already_cancelled' })
  })

  it('paid by gift card and store credit takes from both, and puts store credit back', () => {
    const store = openShop({ taxRateBasisPoints: 0 })
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    giveCard(store, null)
    const input: PlaceOrder = {
      customerId: ann.id,
      lines: [{ quantity: 1, unitPriceMinor: 2000 }],
      payment: { giftCardCode: 'ABCD 1234', storeCreditMinor: 300 },
    }
    expect(store.placeOrder(SHOP, input)).toMatchObject({ ok: false, reason: 'store_credit_short' })
    expect(store.giftCardByCode(SHOP, 'abcd1234')!.balanceMinor).toBe(500)

    giveCredit(store, ann.id)
    const placed = store.placeOrder(SHOP, input)
    if (!placed.ok) throw new Error(placed.reason)
    expect(placed.order.transactions.map((row) => [row.gateway, row.amountMinor])).toEqual([
      ['gift_card', 500],
      ['shopify_store_credit', 300],
      ['bogus', 1200],
    ])
    store.cancelOrder(SHOP, placed.order.id)
    expect(store.storeCreditOf(SHOP, ann.id)[0]!.balanceMinor).toBe(1000)
  })

  it('moves to the customer who is kept when two are merged; the other is gone', () => {
    const store = openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com', tags: ['a'] })
    const bob = store.createCustomer(SHOP, { email: 'bob@example.com', tags: ['b'] })
    store.placeOrder(SHOP, { customerId: bob.id, lines: [{ quantity: 1, unitPriceMinor: 1000 }] })
    store.mergeCustomers(SHOP, ann.id, bob.id)
    expect(store.ordersOf(ann.id)).toHaveLength(1)
    expect(store.customer(SHOP, bob.id)).toBeUndefined()
    expect(store.customer(SHOP, ann.id)!.tags).toEqual(['a', 'b'])
  })

  it.each([
    ['has_gift_cards', giveCard],
    ['has_store_credit', giveCredit],
  ] as const)('stays with both customers where one of them %s: those are not merged', (reason, give) => {
    for (const owner of [0, 1]) {
      const store = openShop()
      const [ann, bob] = [store.createCustomer(SHOP, {}), store.createCustomer(SHOP, {})]
      const whose = [ann.id, bob.id][owner]!
      give(store, whose)
      expect(store.mergeCustomers(SHOP, ann.id, bob.id)).toEqual({ ok: false, reason, whose })
      expect(store.customer(SHOP, bob.id)).toBeDefined()
    }
  })
})

describe('refunds, however they are split', () => {
  it('add up to the order to the penny', () => {
    const orders = fc.record({
      quantity: fc.integer({ min: 1, max: 7 }),
      unitPriceMinor: fc.integer({ min: 1, max: 9_999 }),
      discount: fc.integer({ min: 0, max: 100 }),
      taxesIncluded: fc.boolean(),
      rate: fc.constantFrom(0, 700, 1900, 825),
    })
    fc.assert(
      fc.property(orders, ({ quantity, unitPriceMinor, discount, taxesIncluded, rate }) => {
        const store = openShop({ taxesIncluded, taxRateBasisPoints: rate })
        const amountMinor = Math.floor((quantity * unitPriceMinor * discount) / 100)
        const placed = store.placeOrder(SHOP, {
          lines: [{ quantity, unitPriceMinor, allocations: [{ applicationIndex: 0, amountMinor }] }],
        })
        if (!placed.ok) return
        const { order } = placed
        for (let unit = 0; unit < quantity; unit += 1)
          store.refund(SHOP, order.id, { lines: [{ lineId: order.lines[0]!.id, quantity: 1 }] })
        const rows = order.refunds.flatMap((refund) => refund.lines)
        expect(sum(rows, (row) => row.subtotalMinor)).toBe(totalsOf(order).subtotalMinor)
        expect(sum(rows, (row) => row.taxMinor)).toBe(totalsOf(order).taxMinor)
        expect(totalsOf(order)).toMatchObject({
          currentTotalMinor: 0,
          outstandingMinor: 0,
          refundedMinor: totalsOf(order).totalMinor,
        })
        store.close()
      }),
      { numRuns: 60 },
    )
  })
})

describe('money as text', () => {
  it.each([
    [1230, 'USD', '12.30', '12.3'],
    [500, 'USD', '5.00', '5.0'],
    [-5, 'USD', '-0.05', '-0.05'],
    [1200, 'JPY', '1200', '1200.0'],
    [12_345, 'KWD', '12.345', '12.345'],
  ])('%i %s is written %s in webhooks and %s in GraphQL', (minor, currency, webhook, graphql) => {
    expect(decimalText(minor, currency)).toBe(webhook)
    expect(graphqlDecimal(minor, currency)).toBe(graphql)
    expect(parseDecimal(webhook, currency)).toBe(minor)
  })

  it('with more decimals than the currency has is not read', () => {
    expect(parseDecimal('12.345', 'USD')).toBeNull()
    expect(parseDecimal('12.300', 'USD')).toBe(1230)
    expect(parseDecimal('1.5', 'JPY')).toBeNull()
  })
})

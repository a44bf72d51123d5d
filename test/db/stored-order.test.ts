import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromStoredOrder, toStoredOrder, type StoredOrder } from '#app/db/stored-order.ts'
import type { Order, OrderLine, OrderRecord, Reason, Refund } from '#app/loyalty/order.ts'

const few = fc.integer({ min: 0, max: 2 })
const instant = fc.constantFrom(1_780_000_000_000, 1_780_000_000_001, 1_790_000_000_000)
const customer = fc.constantFrom(null, 'gid://shopify/Customer/1', 'gid://shopify/Customer/2')
const texts = fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 })

const line: fc.Arbitrary<OrderLine> = fc.record({
  id: fc.constantFrom('gid://shopify/LineItem/1', 'gid://shopify/CalculatedLineItem/2'),
  product: fc.constantFrom(null, 'gid://shopify/Product/1'),
  quantity: few,
  currentQuantity: few,
  priceMinor: few,
  discountMinor: few,
  taxMinor: few,
  giftCard: fc.boolean(),
  subscription: fc.boolean(),
  collections: texts,
  tags: texts,
  compareAtMinor: fc.option(few),
})

const refund: fc.Arbitrary<Refund> = fc.record({
  id: fc.constant('gid://shopify/Refund/1'),
  lines: fc.array(fc.record({ line: fc.constant('gid://shopify/LineItem/1'), quantity: few }), { maxLength: 1 }),
  givenBackMinor: few,
  shippingMinor: few,
})
const refunds = fc.array(refund, { maxLength: 1 })

const ID = 'gid://shopify/Order/7'

const plain: fc.Arbitrary<Order> = fc.record({
  id: fc.constant(ID),
  customer,
  customerState: fc.constantFrom(null, 'enabled'),
  company: fc.boolean(),
  sourceName: fc.constantFrom(null, 'web'),
  test: fc.boolean(),
  cancelledAt: fc.option(instant),
  financialStatus: fc.constantFrom(null, 'paid', 'voided'),
  processedAt: instant,
  updatedAt: instant,
  currency: fc.constantFrom('EUR', 'JPY'),
  taxesIncluded: fc.boolean(),
  lines: fc.array(line, { maxLength: 3 }),
  shippingMinor: few,
  shippingTaxMinor: few,
  refunds,
  discountCodes: texts,
})
const discounted = plain.map((order): Order => ({
  ...order,
  automaticDiscounts: [{ title: 'Spring', amountMinor: 3 }],
}))
const snapshot = fc.oneof(plain, discounted)

const record: fc.Arbitrary<OrderRecord> = fc.record({
  id: fc.constant(ID),
  snapshot: fc.option(snapshot),
  snapshotTriggeredAt: fc.oneof(instant, fc.constant(0)),
  deleted: fc.boolean(),
  paidAt: fc.option(instant),
  loneRefunds: refunds,
  customer,
  customerSeen: fc.option(fc.record({ updatedAt: instant, triggeredAt: instant })),
  codes: texts,
  terms: fc.option(
    fc.record(
      {
        member: fc.constantFrom('gid://shopify/Customer/1', 'gid://shopify/Customer/2'),
        version: fc.option(few),
        tier: fc.constantFrom(null, 'gold'),
        enrolled: fc.boolean(),
        places: texts,
        refusedPlaces: texts,
        everEarned: fc.boolean(),
        campaigns: texts,
      },
      { requiredKeys: ['member', 'version', 'tier', 'enrolled', 'places', 'refusedPlaces', 'everEarned'] },
    ),
  ),
  posted: few,
  sparedPoints: few,
  worth: fc.option(
    fc.record({
      points: few,
      spendMinor: few,
      spendRest: fc.constantFrom(null, '1/3'),
      orders: fc.constantFrom<0 | 1>(0, 1),
      reasons: fc.constant<Reason[]>([{ rule: 'purchase', points: 3 }]),
    }),
  ),
  lastKey: fc.constantFrom(null, `order:${ID}@2026-08-01T12:00:00Z`, `order:${ID}0@2026-08-01T12:00:00Z`, 'other'),
  lastKeyCount: few,
})

const keep = (stored: unknown): StoredOrder => JSON.parse(JSON.stringify(stored)) as StoredOrder

it('an order’s record comes out of the database as it went in, whatever was left out as usual', () => {
  fc.assert(
    fc.property(record, (before) => {
      expect(fromStoredOrder(ID, keep(toStoredOrder(before)))).toEqual(before)
    }),
    { numRuns: 500 },
  )
})

it('a record from the time when nothing was left out is read as it was written', () => {
  fc.assert(
    fc.property(record, (before) => {
      expect(fromStoredOrder(ID, keep(before))).toEqual(before)
    }),
  )
})

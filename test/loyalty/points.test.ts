import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { findMultiplyingCampaigns, isHeldOut } from '#app/loyalty/campaigns.ts'
import type { Order, OrderLine, Refund } from '#app/loyalty/order.ts'
import { calculateWorth, measureReturnedShare, type WorthContext } from '#app/loyalty/points.ts'
import { at, makeLine, makeOrder, makeProgram, makeRefund } from './shop.ts'

const anybody: WorthContext = { tier: null, customer: null, segments: [], loneRefunds: [], hasPlace: () => true }

/** Rules of 1 point per 1.00 unless `differences` says otherwise. */
function worth(order: Partial<Order>, differences: Record<string, unknown> = {}, context: Partial<WorthContext> = {}) {
  return calculateWorth(makeOrder(order), makeProgram(differences), { ...anybody, ...context })
}

const points = (...given: Parameters<typeof worth>) => worth(...given).points

const perMinor = { earning: [{ id: 'purchase', on: 'order', points: 1, per: '0.01' }] }

describe('the money that counts', () => {
  test('a line counts price × quantity − all its discounts, × current ÷ quantity: (12.50 × 2 − 1.92) × 1 ÷ 2 is 11.54', () => {
    const lines = [makeLine('12.50', { quantity: 2, currentQuantity: 1, discountMinor: 192 })]
    expect(points({ lines }, perMinor)).toBe(1154)
  })

  test('thirds of a cent are kept until the one rounding: three lines of 10.01 × ⅔ are 20.02, not 3 × 6.67', () => {
    const line = makeLine('0.01', { quantity: 3, currentQuantity: 2, priceMinor: 1001, discountMinor: 2002 })
    expect(worth({ lines: [line, line, line] }, perMinor)).toMatchObject({
      points: 2002,
      spendMinor: 2002,
      spendRest: null,
    })
    expect(worth({ lines: [line] }, perMinor)).toMatchObject({ points: 667, spendMinor: 667, spendRest: '1/3' })
  })

  test('refunded units are not taken off twice: the current quantity has left them out', () => {
    const refunds = [makeRefund({ lines: [{ line: 'gid://shopify/LineItem/1', quantity: 1 }] })]
    expect(points({ lines: [makeLine('10.00', { quantity: 2, currentQuantity: 1 })], refunds })).toBe(10)
  })

  test('money given back beside the lines comes off the goods: 100.00 − 30.00 are 70 points', () => {
    expect(points({ refunds: [makeRefund({ givenBackMinor: 3000 })] })).toBe(70)
  })

  test('money given back comes off in proportion to the lines: of 75.00 + 25.00, 20.00 given back leave 60.00 of the first', () => {
    const lines = [makeLine('75.00'), makeLine('25.00', { id: 'l2', product: 'gid://shopify/Product/2' })]
    const earning = [
      { id: 'one', on: 'order', points: 1, per: '1.00', when: { products: ['gid://shopify/Product/1'] } },
    ]
    expect(points({ lines, refunds: [makeRefund({ givenBackMinor: 2000 })] }, { earning })).toBe(60)
  })

  test('more given back than the goods are worth leaves 0, never less', () => {
    expect(worth({ refunds: [makeRefund({ givenBackMinor: 10001 })] })).toMatchObject({
      points: 0,
      spendMinor: 0,
      orders: 0,
      reasons: [{ rule: 'order', why: 'nothing_counts' }],
    })
  })

  test('what the shop kept of a refunded line adds nothing to the others', () => {
    expect(points({ refunds: [makeRefund({ givenBackMinor: -500 })] })).toBe(100)
  })

  test('shipping counts only where the program says so, and a shipping refund touches shipping only', () => {
    const order = { shippingMinor: 1000, refunds: [makeRefund({ shippingMinor: 400 })] }
    expect(points(order)).toBe(100)
    expect(points(order, { basis: { shipping: true } })).toBe(106)
  })

  test('tax is taken out of prices that contain it, and stays with them in proportion: 120.00 with 20.00 tax, half left, are 50', () => {
    const lines = [makeLine('60.00', { quantity: 2, currentQuantity: 1, taxMinor: 2000 })]
    expect(points({ lines, taxesIncluded: true })).toBe(50)
    expect(points({ lines, taxesIncluded: true }, { basis: { tax: true } })).toBe(60)
  })

  test('tax on top is left out, or put on where the program counts tax', () => {
    const lines = [makeLine('100.00', { taxMinor: 2000 })]
    expect(points({ lines })).toBe(100)
    expect(points({ lines }, { basis: { tax: true } })).toBe(120)
  })

  test('money given back on prices with tax takes its tax along: 12.00 of 120.00 with 20.00 tax leave 90', () => {
    const lines = [makeLine('120.00', { taxMinor: 2000 })]
    expect(points({ lines, taxesIncluded: true, refunds: [makeRefund({ givenBackMinor: 1200 })] })).toBe(90)
  })

  test('shipping tax follows the basis too', () => {
    const shipping = { shippingMinor: 1200, shippingTaxMinor: 200 }
    expect(points({ ...shipping, taxesIncluded: true }, { basis: { shipping: true } })).toBe(110)
    expect(points({ ...shipping, taxesIncluded: true }, { basis: { shipping: true, tax: true } })).toBe(112)
    expect(points(shipping, { basis: { shipping: true, tax: true } })).toBe(114)
  })

  test('excluded products, collections, tags, sale items and channels do not count', () => {
    const lines = [
      makeLine('10.00'),
      makeLine('20.00', { id: 'l2', product: 'gid://shopify/Product/2' }),
      makeLine('30.00', { id: 'l3', product: null, collections: ['gid://shopify/Collection/1'] }),
      makeLine('40.00', { id: 'l4', product: null, tags: ['tea'] }),
      makeLine('50.00', { id: 'l5', product: null, compareAtMinor: 5001 }),
    ]
    const exclude = (what: object) => ({ basis: { exclude: what } })
    expect(points({ lines })).toBe(150)
    expect(points({ lines }, exclude({ products: ['gid://shopify/Product/2'] }))).toBe(130)
    expect(points({ lines }, exclude({ collections: ['gid://shopify/Collection/1'] }))).toBe(120)
    expect(points({ lines }, exclude({ tags: ['tea'] }))).toBe(110)
    expect(points({ lines }, { basis: { saleItems: false } })).toBe(100)
    expect(worth({ lines }, exclude({ channels: ['web'] }))).toMatchObject({
      points: 0,
      spendMinor: 0,
      orders: 0,
      reasons: [{ rule: 'order', why: 'channel_excluded' }],
    })
  })

  test('goods whose compare-at price is their price are not on sale', () => {
    const lines = [makeLine('50.00', { compareAtMinor: 5000 }), makeLine('20.00', { id: 'l2', compareAtMinor: 1000 })]
    expect(points({ lines }, { basis: { saleItems: false } })).toBe(70)
  })

  test('an order in another currency than the program is worth nothing, and says so', () => {
    expect(worth({ currency: 'EUR' })).toMatchObject({ points: 0, reasons: [{ rule: 'order', why: 'other_currency' }] })
  })

  test.each([
    ['JPY', '1000', 1000, 10],
    ['USD', '10.00', 1000, 1],
    ['KWD', '10.000', 10_000, 1],
    ['CLF', '10.0000', 100_000, 1],
  ])('in %s 1 point per %s of %i minor units is %i', (currency, per, priceMinor, expected) => {
    const earning = [{ id: 'purchase', on: 'order', points: currency === 'JPY' ? 10 : 1, per }]
    expect(points({ currency, lines: [makeLine('0', { priceMinor })] }, { currency, earning })).toBe(expected)
  })
})

describe('gift cards', () => {
  test('buying one earns 0 and counts for nothing; money given back comes off the goods beside it alone', () => {
    const card = makeLine('50.00', { id: 'card', giftCard: true })
    expect(worth({ lines: [card] })).toMatchObject({ points: 0, orders: 0, spendMinor: 0 })
    expect(points({ lines: [makeLine('30.00'), card] })).toBe(30)
    expect(points({ lines: [makeLine('30.00'), card], refunds: [makeRefund({ givenBackMinor: 1000 })] })).toBe(20)
  })
})

describe('rate and rounding', () => {
  const twoLines = [makeLine('0.99'), makeLine('0.99', { id: 'l2' })]

  test('rounding is done once on the order: two lines of 0.99 are 1.98 points, 1 floored, 2 half-up or ceil', () => {
    expect(points({ lines: twoLines })).toBe(1)
    expect(points({ lines: twoLines }, { rounding: 'half-up' })).toBe(2)
    expect(points({ lines: twoLines }, { rounding: 'ceil' })).toBe(2)
  })

  test('half-up takes exactly a half up: 0.50 at 1 per 1.00 is 1, 0.49 is 0', () => {
    expect(points({ lines: [makeLine('0.50')] }, { rounding: 'half-up' })).toBe(1)
    expect(points({ lines: [makeLine('0.49')] }, { rounding: 'half-up' })).toBe(0)
  })

  test('1 point per 10.00 of 99.99 is 9', () => {
    expect(
      points({ lines: [makeLine('99.99')] }, { earning: [{ id: 'p', on: 'order', points: 1, per: '10.00' }] }),
    ).toBe(9)
  })

  const flat = { earning: [{ id: 'flat', on: 'order', points: 100, per: 'order' }] }

  test('points per order are whole while any goods are left, and 0 once they are worth 0', () => {
    expect(points({ lines: [makeLine('10.00', { quantity: 5, currentQuantity: 1 })] }, flat)).toBe(100)
    expect(points({ lines: [makeLine('10.00', { currentQuantity: 0 })] }, flat)).toBe(0)
    expect(points({ lines: [makeLine('10.00', { discountMinor: 1000 })] }, flat)).toBe(0)
    expect(points({ refunds: [makeRefund({ givenBackMinor: 10_000 })] }, flat)).toBe(0)
    expect(points({ lines: [], shippingMinor: 500 }, { ...flat, basis: { shipping: true } })).toBe(0)
  })

  test('points per item count the units that are left', () => {
    const lines = [makeLine('10.00', { quantity: 5, currentQuantity: 3 }), makeLine('1.00', { id: 'l2' })]
    expect(points({ lines }, { earning: [{ id: 'item', on: 'order', points: 7, per: 'item' }] })).toBe(28)
  })
})

describe('several rules', () => {
  const basic = { id: 'purchase', on: 'order', points: 1, per: '1.00' }
  const double = { id: 'double', on: 'order', multiplier: 2 }
  const mugs = { id: 'mugs', on: 'order', multiplier: 3, when: { products: ['gid://shopify/Product/2'] } }
  const tiers = {
    metric: 'orders',
    window: 'lifetime',
    levels: [
      { id: 'base', name: 'Base', threshold: 0 },
      { id: 'gold', name: 'Gold', threshold: 1, multiplier: 1.5 },
    ],
  }
  const lines: OrderLine[] = [makeLine('60.00'), makeLine('40.00', { id: 'l2', product: 'gid://shopify/Product/2' })]

  test('points of rules add up, flat ones too, and then multiply: (100 + 10) × 2', () => {
    const flat = { id: 'flat', on: 'order', points: 10, per: 'order' }
    expect(worth({}, { earning: [basic, flat, double] })).toMatchObject({
      points: 220,
      reasons: [
        { rule: 'purchase', points: 100 },
        { rule: 'flat', points: 10 },
        { rule: 'double', multiplier: 2 },
      ],
    })
  })

  test('points that fractions of two rules make together are shown with the larger fraction: 3.4 + 2.6 are 3 and 3', () => {
    const cup = { when: { products: ['gid://shopify/Product/2'] } }
    const earning = [basic, { ...basic, id: 'cups', points: 13, per: '5.00', ...cup }]
    const order = [makeLine('2.40'), makeLine('1.00', { id: 'l2', product: 'gid://shopify/Product/2' })]
    expect(worth({ lines: order }, { earning }).reasons).toEqual([
      { rule: 'purchase', points: 3 },
      { rule: 'cups', points: 3 },
    ])
  })

  test('a multiplier limited to products scales those lines alone: 60 + 40 × 3', () => {
    expect(points({ lines }, { earning: [basic, mugs] })).toBe(180)
  })

  test('tier, rule and limited multipliers multiply: 60 × 2 × 1.5 + 40 × 2 × 1.5 × 3', () => {
    expect(points({ lines }, { earning: [basic, double, mugs], tiers }, { tier: 'gold' })).toBe(540)
  })

  test('"highest" takes the highest that applies to each line: 60 × 2 + 40 × 3', () => {
    const result = worth({ lines }, { earning: [basic, double, mugs], tiers, stacking: 'highest' }, { tier: 'gold' })
    expect(result.points).toBe(240)
    expect(result.reasons).toEqual([
      { rule: 'purchase', points: 100 },
      { rule: 'double', multiplier: 2 },
      { rule: 'mugs', multiplier: 3 },
    ])
  })

  test('flat points are not a line: a multiplier limited to products leaves them alone, one for the order does not', () => {
    const flat = { id: 'flat', on: 'order', points: 10, per: 'order' }
    expect(points({ lines }, { earning: [flat, mugs] })).toBe(10)
    expect(points({ lines }, { earning: [flat, double] })).toBe(20)
  })

  test('shipping that counts earns with rules for the whole order, and only their multipliers scale it', () => {
    const order = { lines, shippingMinor: 1000 }
    expect(points(order, { basis: { shipping: true }, earning: [basic, mugs] })).toBe(60 + 120 + 10)
  })

  test('a multiplier below 1 takes points off, and 0 all of them', () => {
    expect(points({}, { earning: [basic, { id: 'half', on: 'order', multiplier: 0.5 }] })).toBe(50)
    expect(points({}, { earning: [basic, { id: 'none', on: 'order', multiplier: 0 }] })).toBe(0)
  })

  test('multipliers are exact decimals: 100.00 × 1.1 × 1.1 are 121', () => {
    const earning = [basic, { id: 'a', on: 'order', multiplier: 1.1 }, { id: 'b', on: 'order', multiplier: 1.1 }]
    expect(points({}, { earning })).toBe(121)
  })

  test('minimumSubtotal looks at the money of the whole order now, not of the rule’s lines', () => {
    const when = { products: ['gid://shopify/Product/2'], minimumSubtotal: '100.00' }
    const earning = [{ ...basic, when }]
    expect(points({ lines }, { earning })).toBe(40)
    const refunds = [makeRefund({ givenBackMinor: 1 })]
    expect(worth({ lines, refunds }, { earning }).reasons).toEqual([{ rule: 'purchase', why: 'minimum_subtotal' }])
  })

  test('a rule for tiers looks at the tier of the placing', () => {
    const earning = [{ ...basic, when: { tiers: ['gold'] } }]
    expect(points({}, { earning, tiers }, { tier: 'gold' })).toBe(150)
    expect(points({}, { earning, tiers }, { tier: 'base' })).toBe(0)
  })

  test('why 0: every rule says what it missed', () => {
    const earning = [
      { ...basic, id: 'tags', when: { tags: ['tea'] } },
      { ...basic, id: 'pos', when: { channels: ['pos'] } },
      { ...basic, id: 'sunday', when: { weekdays: [7] } },
      { ...basic, id: 'later', from: '2026-08-02T00:00' },
      { ...basic, id: 'before', until: '2026-08-01T12:00' },
      { ...basic, id: 'limited', limit: { times: 1, every: 'ever' } },
    ]
    expect(worth({}, { earning }, { hasPlace: () => false }).reasons).toEqual([
      { rule: 'tags', why: 'no_matching_lines' },
      { rule: 'pos', why: 'channel' },
      { rule: 'sunday', why: 'weekday' },
      { rule: 'later', why: 'not_yet' },
      { rule: 'before', why: 'ended' },
      { rule: 'limited', why: 'limit_reached' },
    ])
    expect(worth({}, { earning: [] }).reasons).toEqual([{ rule: 'order', why: 'no_rule' }])
    expect(worth({ lines: [makeLine('0.50')] }).reasons).toContainEqual({ rule: 'order', why: 'below_one_point' })
  })

  test('the points of the reasons add up to what they come to before multipliers: 1.5 + 1.5 are shown as 2 and 1', () => {
    const earning = [
      { id: 'a', on: 'order', points: 3, per: '2.00' },
      { id: 'b', on: 'order', points: 3, per: '2.00' },
    ]
    expect(worth({ lines: [makeLine('1.00')] }, { earning })).toMatchObject({
      points: 3,
      reasons: [
        { rule: 'a', points: 2 },
        { rule: 'b', points: 1 },
      ],
    })
  })
})

describe('channels', () => {
  const only = (channels: string[]) => ({
    earning: [{ id: 'p', on: 'order', points: 1, per: '1.00', when: { channels } }],
  })

  test('a rule can be for some channels, companies or subscription lines', () => {
    expect(points({ sourceName: 'pos' }, only(['pos', 'web']))).toBe(100)
    expect(points({ sourceName: 'pos' }, only(['web']))).toBe(0)
    expect(points({ company: true, sourceName: 'shopify_draft_order' }, only(['b2b']))).toBe(100)
    const lines = [makeLine('30.00'), makeLine('70.00', { id: 'l2', subscription: true })]
    expect(points({ lines }, only(['subscription']))).toBe(70)
    expect(points({ lines, sourceName: null }, only(['subscription']))).toBe(70)
  })

  test('each can be switched off: companies whole, subscriptions by line', () => {
    const exclude = (...channels: string[]) => ({ basis: { exclude: { channels } } })
    expect(points({ company: true })).toBe(100)
    expect(points({ company: true }, exclude('b2b'))).toBe(0)
    const lines = [makeLine('30.00'), makeLine('70.00', { id: 'l2', subscription: true })]
    expect(points({ lines })).toBe(100)
    expect(points({ lines }, exclude('subscription'))).toBe(30)
  })
})

describe('windows', () => {
  const weekend = (timezone: string) => ({
    timezone,
    earning: [{ id: 'p', on: 'order', points: 1, per: '1.00', from: '2026-05-02T00:00', until: '2026-05-04T00:00' }],
  })

  test.each([
    ['America/New_York', '2026-05-02T03:59:59.999Z', 0],
    ['America/New_York', '2026-05-02T04:00:00Z', 100],
    ['America/New_York', '2026-05-04T03:59:59.999Z', 100],
    ['America/New_York', '2026-05-04T04:00:00Z', 0],
    ['Pacific/Auckland', '2026-05-01T11:59:59Z', 0],
    ['Pacific/Auckland', '2026-05-01T12:00:00Z', 100],
    ['Pacific/Auckland', '2026-05-03T12:00:00Z', 0],
  ])('the window is half-open in the shop’s zone: in %s an order placed %s earns %i', (timezone, placed, expected) => {
    expect(points({ processedAt: at(placed) }, weekend(timezone))).toBe(expected)
  })

  test('a beginning that the clocks skip in spring is the first instant after the gap; one that occurs twice in autumn the first', () => {
    const from = (local: string) => ({
      timezone: 'America/New_York',
      earning: [{ id: 'p', on: 'order', points: 1, per: '1.00', from: local }],
    })
    // 8 March 2026: 02:00 to 03:00 does not exist; 03:00 EDT is 07:00Z.
    expect(points({ processedAt: at('2026-03-08T06:59:59Z') }, from('2026-03-08T02:30'))).toBe(0)
    expect(points({ processedAt: at('2026-03-08T07:00:00Z') }, from('2026-03-08T02:30'))).toBe(100)
    // 1 November 2026: 01:30 comes at 05:30Z (EDT) and again at 06:30Z (EST).
    expect(points({ processedAt: at('2026-11-01T05:29:59Z') }, from('2026-11-01T01:30'))).toBe(0)
    expect(points({ processedAt: at('2026-11-01T05:30:00Z') }, from('2026-11-01T01:30'))).toBe(100)
  })

  test('weekdays are the shop’s: Sunday evening in New York is Monday in UTC', () => {
    const sunday = {
      timezone: 'America/New_York',
      earning: [{ id: 'p', on: 'order', points: 1, per: '1.00', when: { weekdays: [7] } }],
    }
    expect(points({ processedAt: at('2026-08-03T03:59:59Z') }, sunday)).toBe(100)
    expect(points({ processedAt: at('2026-08-03T04:00:00Z') }, sunday)).toBe(0)
  })
})

describe('the share of the goods that was given back', () => {
  const share = (order: Partial<Order>, lone: Refund[] = []) => {
    const { numerator, denominator } = measureReturnedShare(makeOrder(order), makeProgram(), lone)
    return Number(numerator) / Number(denominator)
  }

  test('is 1 − goods now ÷ goods as placed; shipping and gift cards are no goods', () => {
    const card = makeLine('50.00', { id: 'card', giftCard: true })
    expect(share({ lines: [makeLine('10.00', { quantity: 4, currentQuantity: 3 }), card], shippingMinor: 900 })).toBe(
      0.25,
    )
    expect(share({ lines: [makeLine('10.00', { currentQuantity: 0 }), card], shippingMinor: 900 })).toBe(1)
    expect(share({ refunds: [makeRefund({ givenBackMinor: 2500 })] })).toBe(0.25)
  })

  test('goods that were free as placed count as given back once no unit is left', () => {
    const free = makeLine('10.00', { quantity: 2, discountMinor: 2000 })
    expect(share({ lines: [{ ...free, currentQuantity: 1 }] })).toBe(0)
    expect(share({ lines: [{ ...free, currentQuantity: 0 }] })).toBe(1)
  })

  test('a refund that came alone takes its units off', () => {
    const lone = makeRefund({ lines: [{ line: 'gid://shopify/LineItem/1', quantity: 1 }] })
    expect(share({ lines: [makeLine('10.00', { quantity: 2 })] }, [lone])).toBe(0.5)
  })
})

describe('campaigns that multiply points', () => {
  const spring = { id: 'spring', name: 'Spring', from: '2026-04-10T09:00', until: '2026-04-13T09:00' }
  const campaign = (differences: object = {}) => ({
    campaigns: [{ ...spring, offer: { pointsMultiplier: 3 }, ...differences }],
  })
  const inside = { processedAt: at('2026-04-10T09:00') }

  test('orders placed in [from, until) earn threefold', () => {
    expect(points(inside, campaign())).toBe(300)
    expect(points({ processedAt: at('2026-04-10T08:59:59Z') }, campaign())).toBe(100)
    expect(points({ processedAt: at('2026-04-13T09:00') }, campaign())).toBe(100)
  })

  test('it can be limited to products, to goods that are no sale items, to a subtotal and to segments', () => {
    const lines = [
      makeLine('60.00', { compareAtMinor: 7000 }),
      makeLine('40.00', { id: 'l2', product: 'gid://shopify/Product/2' }),
    ]
    const order = { ...inside, lines }
    expect(points(order, campaign({ products: ['gid://shopify/Product/2'] }))).toBe(60 + 120)
    expect(points(order, campaign({ saleItems: false }))).toBe(60 + 120)
    expect(points(order, campaign({ minimumSubtotal: '100.01' }))).toBe(100)
    expect(points(order, campaign({ audience: { segments: ['CHAMPIONS'] } }))).toBe(100)
    expect(points(order, campaign({ audience: { segments: ['CHAMPIONS'] } }), { segments: ['CHAMPIONS'] })).toBe(300)
  })

  test('a customer is held out where SHA-256 of campaign and customer says so, and then gets no multiplier', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.constantFrom(0.1, 0.25, 0.5, 0.0001), (id, number, holdOut) => {
        const customer = `gid://shopify/Customer/${number}`
        const program = makeProgram(campaign({ id: id.trim() || 'x', holdOut }))
        const own = program.campaigns[0]!
        const digest = createHash('sha256').update(`${own.id}:${customer}`).digest().readBigUInt64BE()
        const held = digest < (2n ** 64n * BigInt(holdOut * 10_000)) / 10_000n
        expect(isHeldOut(own, customer)).toBe(held)
        const found = findMultiplyingCampaigns(program, inside.processedAt, { tier: null, segments: [], customer })
        expect(found).toHaveLength(held ? 0 : 1)
      }),
      { numRuns: 1000 },
    )
  })
})

test('points never shrink with more money and never grow with a refund, whatever the rounding', () => {
  const property = fc.property(
    fc.constantFrom('floor', 'half-up', 'ceil'),
    fc.array(fc.record({ cents: fc.nat(100_000), quantity: fc.integer({ min: 1, max: 9 }), left: fc.nat(9) }), {
      minLength: 1,
    }),
    (rounding, given) => {
      const program = makeProgram({ rounding, earning: [{ id: 'p', on: 'order', points: 7, per: '3.00' }] })
      const order = (left: (line: { quantity: number; left: number }) => number) =>
        makeOrder({
          lines: given.map((line, index) =>
            makeLine('0', {
              id: `l${index}`,
              priceMinor: line.cents,
              quantity: line.quantity,
              currentQuantity: left(line),
            }),
          ),
        })
      const whole = calculateWorth(
        order((line) => line.quantity),
        program,
        anybody,
      )
      const refunded = calculateWorth(
        order((line) => Math.min(line.left, line.quantity)),
        program,
        anybody,
      )
      expect(refunded.points).toBeLessThanOrEqual(whole.points)
      expect(refunded.points).toBeGreaterThanOrEqual(0)
      // Exactly, against the same sum in whole numbers: all quantities divide evenly here.
      const cents = given.reduce((all, line) => all + BigInt(line.cents * Math.min(line.left, line.quantity)), 0n)
      const exact =
        rounding === 'floor'
          ? (cents * 7n) / 300n
          : rounding === 'ceil'
            ? (cents * 7n + 299n) / 300n
            : (cents * 14n + 300n) / 600n
      expect(BigInt(refunded.points)).toBe(exact)
    },
  )
  fc.assert(property, { numRuns: 3000 })
}, 60_000)

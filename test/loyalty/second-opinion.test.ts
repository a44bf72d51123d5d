import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Event } from '#app/loyalty/engine.ts'
import { formatDecimal } from '#app/loyalty/money.ts'
import type { Order } from '#app/loyalty/order.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { simulate } from '#app/loyalty/simulate.ts'
import { type Happening, LEVELS, type ModelOrder, REWARD, SPECIAL, type Terms, judge } from './second-opinion.ts'

const CUSTOMER = 'gid://shopify/Customer/1'
const START = Date.UTC(2026, 0, 1)
const DAY = 86_400_000
const UNTIL = START + 220 * DAY

const anyTerms: fc.Arbitrary<Terms> = fc.record({
  timeZone: fc.constantFrom(
    'America/New_York',
    'Asia/Kolkata',
    'Pacific/Auckland',
    'Europe/London',
    'Africa/Casablanca',
  ),
  tax: fc.boolean(),
  perMoney: fc.constantFrom(1, 3, 5),
  perItem: fc.constantFrom(0, 2),
  perOrder: fc.constantFrom(0, 7),
  multiplier: fc.constantFrom(100, 110, 125),
  productMultiplier: fc.constantFrom(100, 150, 200),
  stacking: fc.constantFrom('multiply' as const, 'highest' as const),
  rounding: fc.constantFrom('floor' as const, 'half-up' as const, 'ceil' as const),
  holdDays: fc.constantFrom(0, 3, 14, 28),
  expiryMonths: fc.constantFrom(0, 1, 2, 3),
  negativeBalance: fc.constantFrom('allow' as const, 'clamp' as const),
  windowDays: fc.constantFrom(20, 45),
  graceDays: fc.constantFrom(0, 5),
})

const anyLine = fc
  .record({
    quantity: fc.integer({ min: 1, max: 4 }),
    price: fc.integer({ min: 0, max: 3000 }),
    discountShare: fc.constantFrom(0, 0, 0.1, 0.5, 1),
    taxRate: fc.constantFrom(5, 11, 20),
    gift: fc.constantFrom(false, false, false, true),
    product: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ discountShare, taxRate, ...line }) => {
    const discount = Math.floor(line.price * line.quantity * discountShare)
    return {
      ...line,
      left: line.quantity,
      discount,
      tax: Math.floor((line.price * line.quantity - discount) / taxRate),
    }
  })

const anyChange = fc.record({
  afterMs: fc.integer({ min: 1, max: 60 * DAY }),
  line: fc.nat(),
  units: fc.integer({ min: 0, max: 4 }),
  givenBack: fc.integer({ min: 1, max: 800 }),
  cancelled: fc.constantFrom(false, false, false, false, true),
})

/** An order and what becomes of it: units come back, money does, or it is cancelled in the end. */
const anyOrder = fc
  .record({
    placedAt: fc.integer({ min: START, max: START + 110 * DAY }),
    taxesIncluded: fc.boolean(),
    lines: fc.array(anyLine, { minLength: 1, maxLength: 3 }),
    changes: fc.array(anyChange, { maxLength: 3 }),
  })
  .map(({ changes, ...first }) => {
    const snapshots: { at: number; order: Omit<ModelOrder, 'id'> }[] = [
      { at: first.placedAt, order: { ...first, givenBack: 0, cancelled: false } },
    ]
    for (const change of changes) {
      const { at, order } = snapshots.at(-1)!
      if (order.cancelled) break
      const index = change.line % order.lines.length
      const lines = order.lines.map((line, each) =>
        each === index ? { ...line, left: Math.max(0, line.left - change.units) } : line,
      )
      const givenBack = order.givenBack + (change.units === 0 ? change.givenBack : 0)
      snapshots.push({ at: at + change.afterMs, order: { ...order, lines, givenBack, cancelled: change.cancelled } })
    }
    return snapshots
  })

const anyHistory = fc
  .record({
    orders: fc.array(anyOrder, { minLength: 1, maxLength: 5 }),
    redeems: fc.array(fc.integer({ min: START, max: START + 160 * DAY }), { maxLength: 3 }),
    adjusts: fc.array(
      fc.record({ at: fc.integer({ min: START, max: START + 160 * DAY }), points: fc.constantFrom(-30, -5, 10, 40) }),
      { maxLength: 3 },
    ),
  })
  .map(({ orders, redeems, adjusts }): Happening[] => [
    ...orders.flatMap((snapshots, index) =>
      snapshots.map(({ at, order }) => ({ kind: 'order' as const, at, order: { ...order, id: index + 1 } })),
    ),
    ...redeems.map((at, index) => ({ kind: 'redeem' as const, at, code: `CODE-${index}` })),
    ...adjusts.map(({ at, points }, index) => ({ kind: 'adjust' as const, at, points, key: `key-${index}` })),
  ])
  .map((history) => history.filter(({ at }) => at <= UNTIL).sort((a, b) => a.at - b.at))
  .filter((history) => new Set(history.map(({ at }) => at)).size === history.length)

function programOf(terms: Terms) {
  const factor = (hundredths: number) => Number(formatDecimal(hundredths, 2))
  const rule = (id: string, fields: Record<string, unknown>, applies: boolean) =>
    applies ? [{ id, on: 'order', ...fields }] : []
  const special = { products: [`gid://shopify/Product/${SPECIAL}`] }
  return requireProgram({
    version: 1,
    name: 'Club',
    pointsName: { one: 'point', other: 'points' },
    currency: 'USD',
    timezone: terms.timeZone,
    basis: { tax: terms.tax },
    rounding: terms.rounding,
    hold: { days: terms.holdDays },
    expiry: terms.expiryMonths === 0 ? { model: 'none' } : { model: 'lot', months: terms.expiryMonths },
    negativeBalance: terms.negativeBalance,
    stacking: terms.stacking,
    earning: [
      ...rule('money', { points: terms.perMoney, per: '1.00' }, true),
      ...rule('item', { points: terms.perItem, per: 'item' }, terms.perItem > 0),
      ...rule('order', { points: terms.perOrder, per: 'order' }, terms.perOrder > 0),
      ...rule('all', { multiplier: factor(terms.multiplier) }, terms.multiplier !== 100),
      ...rule(
        'special',
        { multiplier: factor(terms.productMultiplier), when: special },
        terms.productMultiplier !== 100,
      ),
    ],
    tiers: {
      metric: 'spend',
      window: { rollingDays: terms.windowDays },
      graceDays: terms.graceDays,
      levels: LEVELS.map(({ threshold, multiplier }, index) => ({
        id: String(index),
        name: `Level ${index}`,
        threshold: formatDecimal(threshold, 2),
        ...(multiplier === 100 ? {} : { multiplier: factor(multiplier) }),
      })),
    },
    rewards: [{ id: 'reward', type: 'amount', cost: REWARD.cost, value: '1.00', validDays: REWARD.validDays }],
  })
}

function eventOf(happening: Happening): Event {
  const { at } = happening
  if (happening.kind === 'redeem')
    return { type: 'redeem', at, customer: CUSTOMER, reward: 'reward', code: happening.code }
  if (happening.kind === 'adjust') {
    return {
      type: 'adjust',
      at,
      customer: CUSTOMER,
      points: happening.points,
      reason: 'r',
      actor: 'a',
      key: happening.key,
    }
  }
  return { type: 'order', at, order: orderOf(happening.order, at) }
}

function orderOf({ id, placedAt, taxesIncluded, givenBack, lines, cancelled }: ModelOrder, at: number): Order {
  return {
    id: `gid://shopify/Order/${id}`,
    customer: CUSTOMER,
    customerState: 'enabled',
    company: false,
    sourceName: 'web',
    test: false,
    cancelledAt: cancelled ? at : null,
    financialStatus: cancelled ? 'refunded' : 'paid',
    processedAt: placedAt,
    updatedAt: at,
    currency: 'USD',
    taxesIncluded,
    lines: lines.map((line, index) => ({
      id: `gid://shopify/LineItem/${id * 10 + index}`,
      product: `gid://shopify/Product/${line.product}`,
      quantity: line.quantity,
      currentQuantity: line.left,
      priceMinor: line.price,
      discountMinor: line.discount,
      taxMinor: line.tax,
      giftCard: line.gift,
      subscription: false,
      collections: [],
      tags: [],
      compareAtMinor: null,
    })),
    shippingMinor: 0,
    shippingTaxMinor: 0,
    refunds:
      givenBack === 0
        ? []
        : [{ id: `gid://shopify/Refund/${id}`, lines: [], givenBackMinor: givenBack, shippingMinor: 0 }],
    discountCodes: [],
  }
}

test('a second opinion, written from the rules alone, comes to the same points, tier, expiry and totals', () => {
  fc.assert(
    fc.property(anyTerms, anyHistory, (terms, history) => {
      const events = history.map((happening, index) => ({ line: index + 1, event: eventOf(happening) }))
      const { members, orders, totals } = simulate(programOf(terms), events, { until: UNTIL })
      const opinion = judge(terms, history, UNTIL)
      const { available, pending, lifetimeEarned, tier, nextExpiry } = members[CUSTOMER] ?? NOBODY
      const { issued, redeemed, expired, takenBack, writtenOff, adjusted } = totals
      expect({
        available,
        pending,
        lifetimeEarned,
        tier,
        nextExpiry,
        orders: Object.fromEntries(Object.entries(orders).map(([id, order]) => [id, order.points])),
        totals: { issued, redeemed, expired, takenBack, writtenOff, adjusted },
      }).toEqual(opinion)
    }),
    { numRuns: 1000 },
  )
})

const NOBODY = { available: 0, pending: 0, lifetimeEarned: 0, tier: '0', nextExpiry: null }

/** Any history of a small shop, for properties: programs of every kind, and events that hang together as a real shop's would. */
import fc from 'fast-check'
import type { Event, Programs } from '#app/loyalty/engine.ts'
import type { Order, OrderLine } from '#app/loyalty/order.ts'
import { at, DAY, makeLine, makeOrder, makeRefund, onlyProgram } from './shop.ts'

const HOUR = 3_600_000
export const CUSTOMERS = [1, 2, 3].map((number) => `gid://shopify/Customer/${number}`)
export const START = at('2026-01-15T09:30')

const levels = (thresholds: readonly [unknown, unknown, unknown]) => [
  { id: 'base', name: 'Base', threshold: thresholds[0] },
  { id: 'silver', name: 'Silver', threshold: thresholds[1], multiplier: 1.5, entryReward: 30 },
  { id: 'gold', name: 'Gold', threshold: thresholds[2], multiplier: 2, entryReward: 70 },
]

const tiers = fc
  .record({
    metric: fc.constantFrom('points', 'spend', 'orders'),
    window: fc.constantFrom<unknown>('lifetime', 'calendar-year', { rollingDays: 30 }),
    graceDays: fc.constantFrom(0, 5),
    entryRewards: fc.constantFrom('highest', 'all'),
  })
  .map((tiers) => {
    const thresholds = { points: [0, 120, 300], spend: ['0', '90.00', '250.00'], orders: [0, 2, 4] } as const
    return { ...tiers, levels: levels(thresholds[tiers.metric as 'points']) }
  })

const expiry = fc.oneof(
  fc.record({ model: fc.constantFrom('lot', 'inactivity'), months: fc.integer({ min: 1, max: 3 }) }),
  fc.constant({ model: 'none' }),
)

/** Differences from the test program. */
export const anyRules = fc.record({
  timezone: fc.constantFrom('America/New_York', 'Pacific/Auckland', 'UTC', 'Asia/Kolkata'),
  hold: fc.record({ days: fc.constantFrom(0, 3, 14) }),
  expiry,
  negativeBalance: fc.constantFrom('allow', 'clamp'),
  rounding: fc.constantFrom('floor', 'half-up', 'ceil'),
  stacking: fc.constantFrom('multiply', 'highest'),
  tiers: fc.option(tiers, { nil: undefined }),
  earning: fc.constant([
    { id: 'purchase', on: 'order', points: 3, per: '2.00' },
    { id: 'first', on: 'order', points: 10, per: 'order', limit: { times: 2, every: 'ever' } },
    { id: 'mugs', on: 'order', multiplier: 1.5, when: { products: ['gid://shopify/Product/2'] } },
    { id: 'welcome', on: 'signup', points: 25, limit: { times: 1, every: 'ever' } },
    { id: 'birthday', on: 'birthday', points: 40 },
    { id: 'survey', on: 'custom:survey', points: 7, limit: { times: 1, every: 'day' } },
  ]),
  rewards: fc.constant([
    { id: 'small', type: 'amount', value: '1.00', cost: 5, validDays: 10 },
    { id: 'any', type: 'amount', value: '1.00', perPoints: 10, step: 3, limitPerMember: 3, validDays: 3 },
    { id: 'credit', type: 'store-credit', value: '5.00', cost: 30 },
    { id: 'card', type: 'gift-card', value: '5.00', cost: 20 },
  ]),
})

/** Programs of every kind, in force for ever. */
export const anyPrograms: fc.Arbitrary<Programs> = anyRules.map((rules) => onlyProgram(rules))

const line = fc.record({
  cents: fc.integer({ min: 0, max: 9000 }),
  quantity: fc.integer({ min: 1, max: 3 }),
  discount: fc.integer({ min: 0, max: 700 }),
  product: fc.integer({ min: 1, max: 3 }),
  giftCard: fc.constantFrom(false, false, false, true),
})

/** One thing somebody does, as numbers; {@link toEvents} makes events of it. */
export const anyDeed = fc.record({
  hours: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 1500 })),
  kind: fc.constantFrom(
    ...(['place', 'place', 'place', 'refund', 'refund', 'give-back', 'edit', 'cancel', 'again'] as const),
    ...([
      'redeem',
      'redeem',
      'redeem',
      'use',
      'use',
      'use',
      'cancel-code',
      'adjust',
      'signup',
      'survey',
      'birthday',
      'move',
    ] as const),
  ),
  who: fc.constantFrom(0, 0, 0, 0, 1, 2),
  which: fc.nat(20),
  much: fc.integer({ min: 1, max: 60 }),
  lines: fc.array(line, { minLength: 1, maxLength: 3 }),
})

export type Deed = typeof anyDeed extends fc.Arbitrary<infer T> ? T : never

export const anyDeeds = fc.array(anyDeed, { minLength: 1, maxLength: 25 })

/** The events of what was done, in the order of time. */
export function toEvents(deeds: readonly Deed[]): Event[] {
  const orders: Order[] = []
  const codes: string[] = []
  // Something to spend from the start, or hardly anything would ever be redeemed.
  const gift = { customer: CUSTOMERS[0] as string, points: 250, reason: 'r', actor: 'a', key: 'gift' }
  const events: Event[] = [{ type: 'adjust', at: START, ...gift }]
  let now = START
  deeds.forEach((deed, index) => {
    now += deed.hours * HOUR
    const customer = CUSTOMERS[deed.who] as string
    const known = orders.length === 0 ? undefined : orders[deed.which % orders.length]
    const code = codes.length === 0 ? undefined : codes[deed.which % codes.length]
    const hear = (order: Order) => {
      const place = orders.findIndex((other) => other.id === order.id)
      if (place >= 0) orders[place] = order
      else orders.push(order)
      events.push({ type: 'order', at: now, order })
    }
    if (deed.kind === 'place' || (deed.kind === 'use' && code !== undefined)) {
      const discountCodes = deed.kind === 'use' && code !== undefined ? [code] : []
      hear(placeOrder(orders.length + 1, deed, now, customer, discountCodes))
    } else if (deed.kind === 'redeem') {
      codes.push(`CODE-${index}`)
      const reward = (['small', 'any', 'credit', 'card'] as const)[deed.which % 4] as string
      const points = reward === 'any' ? { points: deed.much } : {}
      events.push({ type: 'redeem', at: now, customer, reward, code: `CODE-${index}`, ...points })
    } else if (deed.kind === 'cancel-code' && code !== undefined) {
      events.push({ type: 'cancel-redemption', at: now, code })
    } else if (deed.kind === 'adjust') {
      const points = deed.which % 3 === 0 ? -deed.much : deed.much
      events.push({ type: 'adjust', at: now, customer, points, reason: 'r', actor: 'a', key: `k${index}` })
    } else if (deed.kind === 'signup' || deed.kind === 'survey') {
      events.push({ type: 'event', at: now, customer, name: deed.kind, key: `e${index}`, order: null })
    } else if (deed.kind === 'birthday') {
      const [month, day] = [1 + (deed.which % 12), 1 + (deed.much % 28)]
      events.push({ type: 'birthday', at: now, customer, month, day })
    } else if (known) {
      const next = changeOrder(known, deed, now, customer)
      if (next) hear(next)
    }
  })
  return events
}

function placeOrder(number: number, deed: Deed, now: number, customer: string, discountCodes: string[]): Order {
  return makeOrder({
    id: `gid://shopify/Order/${number}`,
    customer,
    // Some webhooks come weeks late: after the code they carry has run out.
    processedAt: now - (deed.much % 5 === 4 ? deed.much * 6 * HOUR : 60_000),
    updatedAt: now,
    lines: deed.lines.map((line, index) => toLine(line, index + 1)),
    discountCodes,
    financialStatus: deed.which === 7 ? 'pending' : 'paid',
  })
}

function toLine(line: Deed['lines'][number], number: number): OrderLine {
  return makeLine('0', {
    id: `gid://shopify/LineItem/${number}`,
    product: `gid://shopify/Product/${line.product}`,
    quantity: line.quantity,
    currentQuantity: line.quantity,
    priceMinor: line.cents,
    discountMinor: Math.min(line.discount, line.cents * line.quantity),
    giftCard: line.giftCard,
  })
}

function changeOrder(order: Order, deed: Deed, now: number, customer: string): Order | null {
  const next = { ...order, updatedAt: now }
  const index = deed.much % order.lines.length
  const given = `gid://shopify/Refund/${now}`
  switch (deed.kind) {
    case 'refund':
      return {
        ...next,
        financialStatus: 'partially_refunded',
        lines: order.lines.map((line, place) =>
          place === index ? { ...line, currentQuantity: Math.max(0, line.currentQuantity - 1) } : line,
        ),
      }
    case 'give-back':
      return {
        ...next,
        financialStatus: 'partially_refunded',
        refunds: [...order.refunds, makeRefund({ id: given, givenBackMinor: deed.much * 10 })],
      }
    case 'edit':
      return {
        ...next,
        financialStatus: 'paid',
        lines: [...order.lines, ...deed.lines.slice(0, 1).map((line) => toLine(line, order.lines.length + 1))],
      }
    case 'cancel':
      return { ...next, cancelledAt: now, financialStatus: 'refunded' }
    case 'again':
      return order
    case 'move':
      return { ...next, customer }
    default:
      return null
  }
}

/** The last instant that a history reaches, and half a year more. */
export function longAfter(events: readonly Event[]): number {
  return (events.at(-1)?.at ?? START) + 183 * DAY
}

/** Merges and erasures, and messages that are heard later than others that happened after them. */
export const anyDisorder = fc.record({
  disturbances: fc.array(
    fc.record({ kind: fc.constantFrom('merge', 'erase'), place: fc.nat(30), who: fc.nat(2), into: fc.nat(2) }),
    { maxLength: 3 },
  ),
  late: fc.array(fc.nat(30), { maxLength: 6 }),
})

/** The events with that disorder among them. */
export function disturb(
  events: Event[],
  { disturbances, late }: typeof anyDisorder extends fc.Arbitrary<infer T> ? T : never,
): Event[] {
  const disturbed = [...events]
  for (const { kind, place, who, into } of disturbances) {
    const { at } = disturbed[place % disturbed.length]!
    const [customer, other] = [CUSTOMERS[who] as string, CUSTOMERS[into] as string]
    const event: Event =
      kind === 'erase' ? { type: 'erase', at, customer } : { type: 'merge', at, from: customer, into: other }
    disturbed.splice(place % disturbed.length, 0, event)
  }
  for (const index of late) {
    const [event] = disturbed.splice(index % disturbed.length, 1)
    if (event) disturbed.splice((index * 7) % (disturbed.length + 1), 0, event)
  }
  return disturbed
}

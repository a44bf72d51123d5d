import { describe, expect, test } from 'vitest'
import { nextDueAt, type Programs } from '#app/loyalty/engine.ts'
import { findNextTier } from '#app/loyalty/tiers.ts'
import { findTierMove } from '#app/ui/tier-moves.ts'
import { ANN, at, BEN, makeLine, makeProgram, onlyProgram, orderOf, refundTo, Shop } from './shop.ts'

const LEVELS = {
  points: [0, 100, 300],
  spend: ['0', '100.00', '300.00'],
  orders: [0, 2, 4],
}

const levels = (metric: keyof typeof LEVELS, rewards: [number, number] = [0, 0]) => [
  { id: 'base', name: 'Base', threshold: LEVELS[metric][0] },
  { id: 'silver', name: 'Silver', threshold: LEVELS[metric][1], entryReward: rewards[0] },
  { id: 'gold', name: 'Gold', threshold: LEVELS[metric][2], entryReward: rewards[1] },
]

const tiersOf = (metric: keyof typeof LEVELS, differences: object = {}, rewards?: [number, number]) => ({
  metric,
  window: 'lifetime',
  levels: levels(metric, rewards),
  ...differences,
})

const start = (tiers: object, differences: Record<string, unknown> = {}) =>
  new Shop(onlyProgram({ tiers, ...differences }))
const level = (shop: Shop) => shop.get(ANN).tier.level
const missing = (shop: Shop, when: string) =>
  findNextTier(shop.get(ANN), shop.programs.versions.at(-1)!.program, at(when))

describe('metrics', () => {
  test('points: pending ones and those of other events count, entry rewards and adjustments do not; spending lowers nothing', () => {
    const shop = start(tiersOf('points', {}, [500, 500]), {
      hold: { days: 14 },
      earning: [
        { id: 'purchase', on: 'order', points: 1, per: '1.00' },
        { id: 's', on: 'custom:survey', points: 40 },
      ],
      rewards: [{ id: 'r', type: 'shipping', cost: 540 }],
    })
    shop.adjust(900, 'a', '2026-08-01')
    shop.hear(orderOf(1, '60.00', '2026-08-01'))
    expect([level(shop), missing(shop, '2026-08-01')]).toEqual(['base', { id: 'silver', missing: 40 }])
    shop.custom('survey', 'k', '2026-08-02')
    expect([level(shop), missing(shop, '2026-08-02')]).toEqual(['silver', { id: 'gold', missing: 200 }])
    shop.redeem('r', 'C', '2026-08-03')
    shop.pass(at('2027-08-03'))
    expect(level(shop)).toBe('silver')
  })

  test('money: what counts of the order, exactly: 99.99⅔ is not 100.00, and 0.01 is missing', () => {
    const shop = start(tiersOf('spend'))
    shop.hear(
      orderOf(1, '0', '2026-08-01', {
        lines: [makeLine('0', { priceMinor: 4999, quantity: 3, discountMinor: -2, currentQuantity: 2 })],
      }),
    )
    expect(shop.order('gid://shopify/Order/1')?.worth).toMatchObject({ spendMinor: 9999, spendRest: '1/3' })
    shop.hear(
      orderOf(2, '0', '2026-08-01', {
        lines: [makeLine('0', { priceMinor: 0, quantity: 3, discountMinor: -1, currentQuantity: 1 })],
      }),
    )
    expect([level(shop), missing(shop, '2026-08-01')]).toEqual(['base', { id: 'silver', missing: '0.01' }])
    shop.hear(
      orderOf(3, '0', '2026-08-01', {
        lines: [makeLine('0', { priceMinor: 0, quantity: 3, discountMinor: -1, currentQuantity: 1 })],
      }),
    )
    expect([level(shop), missing(shop, '2026-08-01')]).toEqual(['silver', { id: 'gold', missing: '200.00' }])
  })

  test('orders: paid ones whose goods are worth more than 0 now', () => {
    const shop = start(tiersOf('orders'))
    const first = orderOf(1, '5.00', '2026-08-01')
    shop.hear(first)
    shop.hear(orderOf(2, '5.00', '2026-08-01', { financialStatus: 'pending' }))
    shop.hear(orderOf(3, '0.00', '2026-08-01'))
    shop.hear(orderOf(4, '5.00', '2026-08-01', { lines: [makeLine('5.00', { giftCard: true })] }))
    expect([level(shop), missing(shop, '2026-08-01')]).toEqual(['base', { id: 'silver', missing: 1 }])
    shop.hear(orderOf(5, '0.01', '2026-08-02'))
    expect(level(shop)).toBe('silver')
    shop.hear(refundTo(first, 0, '2026-08-03'))
    expect(level(shop)).toBe('base')
  })
})

describe('windows', () => {
  test('rolling N days go by placing: an order is counted while it lies no more than N × 24 h back', () => {
    const shop = start(tiersOf('spend', { window: { rollingDays: 30 } }))
    shop.hear(orderOf(1, '100.00', '2026-08-01'), '2026-08-20')
    expect(level(shop)).toBe('silver')
    // At 00:00 on 31 August it is exactly 30 days old and still counts.
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at('2026-09-01'))
    shop.pass(at('2026-08-31'))
    expect(level(shop)).toBe('silver')
    shop.pass(at('2026-09-01'))
    expect(level(shop)).toBe('base')
    expect(shop.effects.at(-1)).toEqual({
      kind: 'tier-changed',
      member: ANN,
      from: 'silver',
      to: 'base',
      at: at('2026-09-01'),
      by: 'review',
    })
  })

  test('the review is at 00:00 of the shop, also in the nights of 23 and 25 hours', () => {
    for (const [placed, review] of [
      ['2026-02-06T12:00', '2026-03-09T04:00:00Z'],
      ['2026-10-02T12:00', '2026-11-02T05:00:00Z'],
    ] as const) {
      const shop = start(tiersOf('spend', { window: { rollingDays: 30 } }), { timezone: 'America/New_York' })
      shop.hear(orderOf(1, '100.00', placed))
      expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at(review))
    }
  })

  test('an order placed before the window began counts for nothing, however late it is heard', () => {
    const shop = start(tiersOf('spend', { window: { rollingDays: 30 } }))
    shop.hear(orderOf(1, '100.00', '2026-06-01'), '2026-08-20')
    expect(level(shop)).toBe('base')
  })

  test('calendar year: kept through the end of the next year, reviewed on 1 January; what is missing looks at this year', () => {
    const shop = start(tiersOf('spend', { window: 'calendar-year' }), { timezone: 'Pacific/Auckland' })
    shop.hear(orderOf(1, '100.00', '2026-12-31T10:59'))
    expect([level(shop), missing(shop, '2026-12-31T10:59')]).toEqual(['silver', { id: 'gold', missing: '200.00' }])
    expect(missing(shop, '2026-12-31T11:00')).toEqual({ id: 'gold', missing: '300.00' })
    shop.pass(at('2027-12-31T10:59'))
    expect(level(shop)).toBe('silver')
    shop.pass(at('2027-12-31T11:00'))
    expect(level(shop)).toBe('base')
  })

  test('calendar year: the better of this year and the last, not their sum', () => {
    const shop = start(tiersOf('spend', { window: 'calendar-year' }))
    shop.hear(orderOf(1, '60.00', '2026-12-31'))
    shop.hear(orderOf(2, '60.00', '2027-01-01'))
    expect(level(shop)).toBe('base')
    shop.hear(orderOf(3, '40.00', '2027-02-01'))
    expect(level(shop)).toBe('silver')
  })

  test('a lifetime is never reviewed: only a refund lowers', () => {
    const shop = start(tiersOf('spend'))
    shop.hear(orderOf(1, '100.00', '2026-08-01'))
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBeNull()
  })
})

describe('up', () => {
  test('at once, with the highest level’s entry reward: whole points, not held, not multiplied, a credit like others', () => {
    const shop = start(tiersOf('spend', {}, [10, 20]), { hold: { days: 14 }, expiry: { model: 'lot', months: 1 } })
    shop.hear(orderOf(1, '300.00', '2026-08-01'))
    expect(shop.get(ANN)).toMatchObject({ available: 20, pending: 300, lifetimeEarned: 320, tier: { level: 'gold' } })
    expect(shop.transfers.at(-1)).toMatchObject({ key: `entry:${ANN}:gold`, from: 'shop.issued', reason: 'tier_entry' })
  })

  test('with "all" every level passed gives its own', () => {
    const shop = start(tiersOf('spend', { entryRewards: 'all' }, [10, 20]))
    shop.hear(orderOf(1, '300.00', '2026-08-01'))
    expect(shop.get(ANN).available).toBe(330)
  })

  test('once per level ever, and kept after a refund', () => {
    const shop = start(tiersOf('spend', {}, [10, 20]))
    const order = orderOf(1, '100.00', '2026-08-01')
    shop.hear(order)
    shop.hear(refundTo(order, 0, '2026-08-02'))
    expect(shop.get(ANN)).toMatchObject({ available: 10, tier: { level: 'base' } })
    shop.hear(orderOf(2, '100.00', '2026-08-03'))
    expect(shop.get(ANN)).toMatchObject({ available: 110, tier: { level: 'silver' } })
    shop.hear(orderOf(3, '200.00', '2026-08-04'))
    expect(shop.get(ANN)).toMatchObject({ available: 330, tier: { level: 'gold' } })
  })
})

describe('down', () => {
  test('without grace at the review that finds too little; a refund is such a review', () => {
    const shop = start(tiersOf('spend'))
    const order = orderOf(1, '0', '2026-08-01', { lines: [makeLine('100.00', { quantity: 4 })] })
    shop.hear(order)
    expect(level(shop)).toBe('gold')
    shop.hear(refundTo(order, 2, '2026-08-02T15:00'))
    expect(level(shop)).toBe('silver')
  })

  test('with grace, once it has passed since the first review or refund that found too little', () => {
    const shop = start(tiersOf('spend', { graceDays: 7 }))
    const order = orderOf(1, '100.00', '2026-08-01')
    shop.hear(order)
    shop.hear(refundTo(order, 0, '2026-08-02T15:00'), '2026-08-02T15:00')
    expect(shop.get(ANN).tier).toMatchObject({ level: 'silver', failingSince: at('2026-08-02T15:00') })
    // 7 × 24 h are over on 9 August at 15:00; the next night is that of 10 August.
    shop.pass(at('2026-08-09T23:59'))
    expect(level(shop)).toBe('silver')
    shop.pass(at('2026-08-10'))
    expect(level(shop)).toBe('base')
  })

  test('a refund after the grace is over lowers at once, another within it changes nothing', () => {
    const shop = start(tiersOf('spend', { graceDays: 7 }))
    const order = orderOf(1, '0', '2026-08-01', { lines: [makeLine('10.00', { quantity: 10 })] })
    shop.hear(order)
    shop.hear(refundTo(order, 5, '2026-08-02T15:00'), '2026-08-02T15:00')
    shop.hear(refundTo(order, 4, '2026-08-05T15:00'), '2026-08-05T15:00')
    expect(shop.get(ANN).tier.failingSince).toBe(at('2026-08-02T15:00'))
    shop.hear(refundTo(order, 3, '2026-08-09T15:00'), '2026-08-09T15:00')
    expect(level(shop)).toBe('base')
  })

  test('enough in time saves the level, and the next shortfall gets a grace of its own', () => {
    const shop = start(tiersOf('spend', { graceDays: 7 }))
    const order = orderOf(1, '100.00', '2026-08-01')
    shop.hear(order)
    shop.hear(refundTo(order, 0, '2026-08-02'))
    const second = orderOf(2, '100.00', '2026-08-05')
    shop.hear(second)
    shop.pass(at('2026-08-20'))
    expect(shop.get(ANN).tier).toMatchObject({ level: 'silver', failingSince: null })
    shop.hear(refundTo(second, 0, '2026-08-21'))
    shop.pass(at('2026-08-27'))
    expect(level(shop)).toBe('silver')
    shop.pass(at('2026-08-29'))
    expect(level(shop)).toBe('base')
  })

  test('the grace of a rolling window begins at the night that finds too little', () => {
    const shop = start(tiersOf('spend', { window: { rollingDays: 30 }, graceDays: 5 }))
    shop.hear(orderOf(1, '100.00', '2026-08-01T12:00'))
    shop.pass(at('2026-09-05T23:59'))
    expect(shop.get(ANN).tier).toMatchObject({ level: 'silver', failingSince: at('2026-09-01') })
    shop.pass(at('2026-09-06'))
    expect(level(shop)).toBe('base')
  })

  test('the grace begins at the next night also where what was due weeks before was looked at only with the event', () => {
    const shop = start(tiersOf('points', { graceDays: 10 }), { hold: { days: 14 } })
    shop.hear(orderOf(1, '100.00', '2026-08-01'))
    // The release of 15 August has not been looked at yet.
    const taken = { points: -60, reason: 'r', actor: 'a', key: 'k', countsForTier: true }
    shop.tell({ type: 'adjust', at: at('2026-10-01T10:00'), customer: ANN, ...taken })
    shop.pass(at('2026-10-11T23:59'))
    expect(shop.get(ANN).tier).toMatchObject({ level: 'silver', failingSince: at('2026-10-02') })
    shop.pass(at('2026-10-12'))
    expect(shop.get(ANN).tier.history.at(-1)).toEqual({ at: at('2026-10-12'), level: 'base' })
  })

  test('down goes to what is merited then, over several levels at once', () => {
    const shop = start(tiersOf('spend', { window: { rollingDays: 30 } }))
    shop.hear(orderOf(1, '250.00', '2026-08-01'))
    shop.hear(orderOf(2, '50.00', '2026-08-20'))
    expect(level(shop)).toBe('gold')
    shop.pass(at('2026-09-01'))
    expect(level(shop)).toBe('base')
  })
})

describe('by hand', () => {
  const place = (shop: Shop, level: string | null, when: string, until: string | null, customer = ANN) =>
    shop.happen({
      type: 'place-tier',
      at: at(when),
      customer,
      level,
      until: until === null ? null : at(until),
      reason: 'r',
      actor: 'a',
    })

  test('up until a date: no review lowers it before, and then it is what is merited', () => {
    const shop = start(tiersOf('spend', { window: { rollingDays: 30 } }))
    shop.hear(orderOf(1, '100.00', '2026-08-01'))
    place(shop, 'gold', '2026-08-02', '2026-10-01')
    expect(level(shop)).toBe('gold')
    shop.pass(at('2026-09-30'))
    expect(level(shop)).toBe('gold')
    shop.pass(at('2026-10-01'))
    expect(shop.get(ANN).tier).toMatchObject({ level: 'base', manual: null })
  })

  test('up, and earned higher meanwhile: the member rises; placed lower: the member stays there until the end', () => {
    const shop = start(tiersOf('spend'))
    shop.hear(orderOf(1, '10.00', '2026-08-01'))
    place(shop, 'silver', '2026-08-02', '2026-10-01')
    shop.hear(orderOf(2, '300.00', '2026-08-03'))
    expect(level(shop)).toBe('gold')
    place(shop, 'base', '2026-08-04', '2026-10-01')
    shop.hear(orderOf(3, '300.00', '2026-08-05'))
    expect(level(shop)).toBe('base')
    shop.pass(at('2026-10-01'))
    expect(level(shop)).toBe('gold')
  })

  test('without a date until it is ended; a level that does not exist is refused', () => {
    const shop = start(tiersOf('spend'))
    shop.adjust(1, 'a', '2026-08-01')
    place(shop, 'gold', '2026-08-02', null)
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBeNull()
    place(shop, null, '2026-08-03', null)
    expect(level(shop)).toBe('base')
    expect(place(shop, 'platinum', '2026-08-04', null).refused).toBe('unknown_level')
  })

  test('a merge keeps a placement with its level: who is lifted by the other side’s activity is not held down, nor up, by hand', () => {
    const shop = start(tiersOf('spend', { window: { rollingDays: 30 } }))
    shop.hear(orderOf(1, '150.00', '2026-08-01'))
    place(shop, 'base', '2026-08-02', '2027-08-01')
    shop.hear(orderOf(2, '300.00', '2026-08-03', { customer: BEN }))
    shop.happen({ type: 'merge', at: at('2026-08-04'), from: BEN, into: ANN })
    expect(shop.get(ANN).tier).toMatchObject({ level: 'gold', manual: null })
    // With no more orders the month ends as anybody's does.
    shop.pass(at('2026-09-04'))
    expect(level(shop)).toBe('base')
  })

  test('a merge keeps the placement of the side whose level is the higher, also where that side goes, and of two on one level', () => {
    for (const [ofAnn, ofBen] of [
      [null, 'gold'],
      ['silver', 'gold'],
      ['gold', 'silver'],
      ['gold', 'gold'],
    ] as const) {
      const shop = start(tiersOf('spend'))
      shop.adjust(1, 'a', '2026-08-01')
      shop.adjust(1, 'b', '2026-08-01', BEN)
      if (ofAnn) place(shop, ofAnn, '2026-08-02', '2026-10-01')
      place(shop, ofBen, '2026-08-02', '2026-11-01', BEN)
      shop.happen({ type: 'merge', at: at('2026-08-04'), from: BEN, into: ANN })
      const until = ofAnn === 'gold' ? at('2026-10-01') : at('2026-11-01')
      expect(shop.get(ANN).tier).toMatchObject({ level: 'gold', manual: { level: 'gold', until } })
      shop.pass(until)
      expect(shop.get(ANN).tier).toMatchObject({ level: 'base', manual: null })
    }
  })
})

describe('changing tiers while live', () => {
  const versions = (): Programs => ({
    versions: [
      { number: 1, from: at('2026-01-01'), program: makeProgram({ tiers: tiersOf('spend') }) },
      {
        number: 2,
        from: at('2026-08-10T12:00'),
        program: makeProgram({
          tiers: {
            metric: 'orders',
            window: 'lifetime',
            levels: [
              { id: 'base', name: 'Base', threshold: 0 },
              { id: 'gold', name: 'Gold', threshold: 2 },
            ],
          },
        }),
      },
    ],
    historyEarns: true,
    confirmCodes: false,
  })

  test('the preview lists who would move, and so it comes: up at once, down at the next review', () => {
    const programs = versions()
    const shop = new Shop(programs)
    shop.hear(orderOf(1, '150.00', '2026-08-01'))
    shop.hear(orderOf(2, '10.00', '2026-08-02', { customer: BEN }))
    shop.hear(orderOf(3, '10.00', '2026-08-02', { customer: BEN }))
    const members = [...shop.members.values()]
    const after = programs.versions[1]!.program
    expect(members.map((member) => findTierMove(member, after, at('2026-08-10')))).toMatchObject([
      { customer: ANN, from: 'silver', to: 'base', up: null },
      { customer: BEN, from: 'base', to: 'gold', up: true },
    ])
    shop.pass(at('2026-08-10T12:00'))
    expect([shop.get(ANN).tier.level, shop.get(BEN).tier.level]).toEqual(['base', 'gold'])
  })

  test('a level that is gone takes its placements with it, up or down: who was placed there is where activity puts them', () => {
    const shop = new Shop(versions())
    shop.hear(orderOf(1, '10.00', '2026-08-01'))
    shop.hear(orderOf(2, '310.00', '2026-08-01', { customer: BEN }))
    shop.hear(orderOf(3, '310.00', '2026-08-01', { customer: BEN }))
    for (const customer of [ANN, BEN]) {
      const placement = { level: 'silver', until: null, reason: 'r', actor: 'a' }
      shop.happen({ type: 'place-tier', at: at('2026-08-02'), customer, ...placement })
    }
    expect([ANN, BEN].map((customer) => shop.get(customer).tier.manual?.raised)).toEqual([true, false])
    shop.pass(at('2026-08-10T12:00'))
    expect(shop.get(ANN).tier).toMatchObject({ level: 'base', manual: null })
    expect(shop.get(BEN).tier).toMatchObject({ level: 'gold', manual: null })
  })

  test('tiers introduced later put everybody where activity so far puts them; taken away, nobody has one', () => {
    const programs: Programs = {
      ...versions(),
      versions: [
        { number: 1, from: at('2026-01-01'), program: makeProgram() },
        { number: 2, from: at('2026-08-10'), program: makeProgram({ tiers: tiersOf('spend') }) },
        { number: 3, from: at('2026-08-20'), program: makeProgram() },
      ],
    }
    const shop = new Shop(programs)
    shop.hear(orderOf(1, '150.00', '2026-08-01'))
    expect(level(shop)).toBeNull()
    shop.pass(at('2026-08-10'))
    expect(level(shop)).toBe('silver')
    shop.pass(at('2026-08-20'))
    expect(level(shop)).toBeNull()
  })

  test('higher thresholds lower nobody before the next night and the grace', () => {
    const higher = tiersOf('spend', { graceDays: 3 })
    higher.levels[1] = { id: 'silver', name: 'Silver', threshold: '200.00', entryReward: 0 }
    const programs: Programs = {
      ...versions(),
      versions: [
        { number: 1, from: at('2026-01-01'), program: makeProgram({ tiers: tiersOf('spend') }) },
        { number: 2, from: at('2026-08-10T12:00'), program: makeProgram({ tiers: higher }) },
      ],
    }
    const shop = new Shop(programs)
    shop.hear(orderOf(1, '150.00', '2026-08-01'))
    shop.pass(at('2026-08-13T23:59'))
    expect(shop.get(ANN).tier).toMatchObject({ level: 'silver', failingSince: at('2026-08-11') })
    shop.pass(at('2026-08-14'))
    expect(level(shop)).toBe('base')
  })
})

describe('shown', () => {
  test('at the top nothing is missing; in grace the level kept is where the next is counted from', () => {
    const shop = start(tiersOf('spend', { graceDays: 30 }))
    const order = orderOf(1, '0', '2026-08-01', { lines: [makeLine('100.00', { quantity: 3 })] })
    shop.hear(order)
    expect(missing(shop, '2026-08-01')).toBeNull()
    const second = new Shop(shop.programs)
    const small = orderOf(1, '100.00', '2026-08-01')
    second.hear(small)
    second.hear(refundTo(small, 0, '2026-08-02'))
    expect([level(second), missing(second, '2026-08-02')]).toEqual(['silver', { id: 'gold', missing: '300.00' }])
  })

  test('a late night: the member is told of every change', () => {
    const shop = start(tiersOf('spend'))
    const order = orderOf(1, '100.00', '2026-08-01')
    shop.hear(order)
    shop.hear(refundTo(order, 0, '2026-08-02'))
    expect(shop.effects).toMatchObject([
      { kind: 'tier-changed', from: 'base', to: 'silver', by: 'activity' },
      { kind: 'tier-changed', from: 'silver', to: 'base', by: 'review' },
    ])
  })
})

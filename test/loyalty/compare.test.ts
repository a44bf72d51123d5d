import { expect, test } from 'vitest'
import { type Outcome, compareOutcomes, findPointValue, measureLiability } from '#app/loyalty/compare.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'

const programWith = (changes: Record<string, unknown> = {}) =>
  requireProgram({
    version: 1,
    name: 'Club',
    pointsName: { one: 'point', other: 'points' },
    currency: 'USD',
    timezone: 'UTC',
    earning: [],
    tiers: {
      metric: 'points',
      levels: [
        { id: 'base', name: 'Base', threshold: 0 },
        { id: 'silver', name: 'Silver', threshold: 100 },
        { id: 'gold', name: 'Gold', threshold: 200 },
      ],
    },
    rewards: [{ id: 'five', type: 'amount', cost: 500, value: '5.00' }],
    ...changes,
  })

function outcome(changes: Partial<Omit<Outcome, 'totals'>> & { outstanding?: number } = {}): Outcome {
  const { outstanding = 0, ...rest } = changes
  return {
    program: programWith(),
    totals: { issued: 0, redeemed: 0, expired: 0, takenBack: 0, outstanding },
    tiers: new Map(),
    orders: { count: 0, earning: 0, goodsMinor: 0 },
    redemptions: { costMinor: 0, usedMinor: 0, unpriced: 0 },
    ...rest,
  }
}

test('a point is worth what the dearest reward gives for it', () => {
  const rewards = [
    { id: 'five', type: 'amount', cost: 500, value: '5.00' },
    { id: 'any', type: 'store-credit', perPoints: 3, value: '0.05' },
    { id: 'half', type: 'percentage', cost: 1, value: 50 },
  ]
  expect(findPointValue(programWith({ rewards }))).toEqual({ numerator: 5n, denominator: 3n })
  expect(findPointValue(programWith({ rewards: [] }))).toBeNull()
})

test('the liability is every point at that worth, rounded once; members below zero owe nothing', () => {
  const rewards = [{ id: 'any', type: 'amount', perPoints: 3, value: '0.05' }]
  expect(measureLiability(outcome({ program: programWith({ rewards }), outstanding: 100 }))).toBe(167)
  expect(measureLiability(outcome({ outstanding: -100 }))).toBe(0)
  expect(measureLiability(outcome({ program: programWith({ rewards: [] }), outstanding: 100 }))).toBe(0)
})

test('who gains and who loses a tier is told by the new program’s levels', () => {
  const before = outcome({
    tiers: new Map([
      ['up', 'base'],
      ['down', 'gold'],
      ['same', 'silver'],
      ['gone', 'gold'],
      ['old', 'silver'],
    ]),
  })
  const levels = [
    { id: 'base', name: 'Base', threshold: 0 },
    { id: 'silver', name: 'Silver', threshold: 10 },
    { id: 'gold', name: 'Gold', threshold: 20 },
  ]
  const program = programWith({ tiers: { metric: 'points', levels } })
  const after = outcome({
    program,
    tiers: new Map([
      ['up', 'silver'],
      ['down', 'base'],
      ['same', 'silver'],
      ['old', 'silver'],
    ]),
  })
  const { tiers } = compareOutcomes(before, after, null)
  expect(tiers).toEqual({
    gained: [{ customer: 'up', from: 'base', to: 'silver' }],
    lost: [
      { customer: 'down', from: 'gold', to: 'base' },
      { customer: 'gone', from: 'gold', to: null },
    ],
    same: 2,
  })
})

test('the margin counts goods before rewards, their cost, the rewards given and the points still owed', () => {
  // 1,000.00 of goods, of which codes took 50.00 off; 40 % cost; 80.00 of rewards in all; 2,000 points owed at 1 cent.
  const before = outcome({
    outstanding: 2000,
    orders: { count: 10, earning: 10, goodsMinor: 95_000 },
    redemptions: { costMinor: 8_000, usedMinor: 5_000, unpriced: 0 },
  })
  const after = outcome({ outstanding: 5000, redemptions: { costMinor: 12_000, usedMinor: 5_000, unpriced: 1 } })
  expect(compareOutcomes(before, after, '40').margin).toEqual({
    costOfGoods: '40',
    goods: '1000.00',
    margin: { before: '500.00', after: '430.00', difference: '-70.00' },
    percent: { before: 50, after: 43, difference: -7 },
  })
})

test('a history without goods has no margin in percent', () => {
  expect(compareOutcomes(outcome(), outcome(), '40').margin).toMatchObject({ goods: '0.00', percent: null })
})

test('a program with itself differs in nothing', () => {
  const same = outcome({ outstanding: 10, tiers: new Map([['a', 'gold']]) })
  const comparison = compareOutcomes(same, same, null)
  expect(comparison.changes).toEqual([])
  expect(comparison.tiers).toEqual({ gained: [], lost: [], same: 1 })
  expect(comparison.liability.money.difference).toBe('0.00')
  expect(comparison.margin).toBeNull()
})

test('money of two currencies is not compared, and a cost of goods is a percentage', () => {
  const euros = outcome({ program: programWith({ currency: 'EUR' }) })
  expect(() => compareOutcomes(outcome(), euros, null)).toThrow('USD with EUR')
  expect(() => compareOutcomes(outcome(), outcome(), '101')).toThrow('from 0 to 100')
})

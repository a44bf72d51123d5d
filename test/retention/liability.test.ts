import { expect, test } from 'vitest'
import { ageLimits, breakageRate, expectedRedemptionCost, movePoints } from '#app/retention/liability.ts'

test('opening + earned − spent − expired − taken back = closing, to the point', () => {
  const movement = movePoints(1_000, [
    { from: 'shop.issued', to: 'member.pending', points: 500 },
    { from: 'member.pending', to: 'member.available', points: 300 },
    { from: 'member.available', to: 'member.reserved', points: 200 },
    { from: 'member.reserved', to: 'shop.redeemed', points: 200 },
    { from: 'shop.redeemed', to: 'member.available', points: 50 },
    { from: 'member.available', to: 'shop.expired', points: 70 },
    { from: 'member.pending', to: 'shop.taken_back', points: 40 },
    { from: 'shop.written_off', to: 'shop.taken_back', points: 9 },
    { from: 'member.available', to: 'shop.forfeited', points: 5 },
    { from: 'shop.adjusted', to: 'member.available', points: 25 },
    { from: 'member.available', to: 'shop.adjusted', points: 10 },
  ])
  expect(movement).toEqual({
    opening: 1_000,
    earned: 500,
    spent: 150,
    expired: 70,
    takenBack: 40,
    forfeited: 5,
    adjusted: 15,
    closing: 1_250,
  })
  const { opening, earned, spent, expired, takenBack, forfeited, adjusted, closing } = movement
  expect(opening + earned - spent - expired - takenBack - forfeited + adjusted).toBe(closing)
})

test('an account that is not known stops the books instead of leaving them open', () => {
  expect(() => movePoints(0, [{ from: 'shop.gifts', to: 'member.available', points: 1 }])).toThrow('shop.gifts')
})

test('points are aged in calendar months of the shop, clamped at the ends of months', () => {
  const limits = ageLimits(Date.parse('2026-05-31T12:00:00Z'), 'Europe/London')
  expect(limits.map((at) => new Date(at).toISOString())).toEqual([
    '2026-02-28T13:00:00.000Z',
    '2025-11-30T13:00:00.000Z',
    '2025-05-31T12:00:00.000Z',
    '2024-05-31T12:00:00.000Z',
  ])
})

test('breakage is what ran out of the points that ended, and lowers what the rest is expected to cost', () => {
  expect(breakageRate(0, 0)).toBeNull()
  expect(breakageRate(100, 0)).toBeNull()
  const breakage = breakageRate(30, 170)
  expect(breakage).toBe(0.15)
  expect(expectedRedemptionCost(10_000, breakage, 100)).toBe(8_500)
  expect(expectedRedemptionCost(10_000, null, 100)).toBe(10_000)
})

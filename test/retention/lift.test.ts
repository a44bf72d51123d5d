import { expect, test } from 'vitest'
import { measureLift, sumArm } from '#app/retention/lift.ts'

/** A repeatable stream of numbers in [0, 1) (Park and Miller's minimal standard). */
function* chance(seed: number): Generator<number> {
  for (let state = seed; ;) yield (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** An arm whose customers spend about what they did before, plus `more`. */
function arm(customers: number, more: number, seed: number) {
  const next = chance(seed)
  return sumArm(
    Array.from({ length: customers }, () => {
      const before = next.next().value! * 100
      return { before, outcome: before + more + (next.next().value! - 0.5) * 20 }
    }),
  )
}

test('few customers are "not enough data yet", and it says how many are missing', () => {
  expect(measureLift(arm(150, 5, 1), arm(40, 0, 2))).toEqual({
    ok: false,
    reason: 'not_enough_data',
    customersNeeded: 60,
  })
})

test('arms in which nobody did anything are not enough data', () => {
  const idle = sumArm(Array.from({ length: 200 }, () => ({ before: 0, outcome: 0 })))
  expect(measureLift(idle, idle)).toMatchObject({ ok: false })
})

test('an offer that brings 5 more per customer is found, inside its interval', () => {
  const lift = measureLift(arm(2_000, 5, 1), arm(1_000, 0, 2))
  expect(lift).toMatchObject({ ok: true, significant: true, customersNeeded: 0 })
  if (!lift.ok) throw new Error('not reached')
  expect(lift.interval[0]).toBeLessThan(5)
  expect(lift.interval[1]).toBeGreaterThan(5)
})

test('past spend takes most of the variance away where customers differ more than the offer does', () => {
  const lift = measureLift(arm(400, 5, 3), arm(400, 0, 4))
  if (!lift.ok) throw new Error('not reached')
  expect(lift.varianceRemoved).toBeGreaterThan(0.9)
  // Without the past the interval would be ± 1.96 · √(2 · (833 + 33) / 400) = ± 4.1; with it, ± 0.8.
  expect(lift.interval[1] - lift.interval[0]).toBeLessThan(2)
})

test('without an effect the interval holds 0 in about 95 of 100 trials', () => {
  const held = Array.from({ length: 200 }, (_, trial) =>
    measureLift(arm(150, 0, 1000 + trial), arm(150, 0, 5000 + trial)),
  )
  const found = held.filter((lift) => lift.ok && lift.significant).length
  expect(found).toBeGreaterThanOrEqual(2)
  expect(found).toBeLessThanOrEqual(22)
})

test('the sample needed grows with the square of what must be told apart', () => {
  const needed = [0.4, 0.2].map((effect) => {
    const lift = measureLift(spread(effect), spread(0))
    if (!lift.ok || lift.customersNeeded === null) throw new Error('not reached')
    expect(lift.difference).toBeCloseTo(effect, 9)
    expect(lift.significant).toBe(false)
    return 300 + lift.customersNeeded
  })
  // Each arm varies by 100 · 150 / 149 = 100.671: 300 · 2.801585² · (2 · 100.671 / 150) / 0.4² = 19,754 customers, and four times as many for half of it.
  expect(needed).toEqual([19_754, 79_016])
})

/** 150 customers without a past, of whom half spend 10 more and half 10 less than 50 and the effect. */
function spread(effect: number) {
  return sumArm(Array.from({ length: 150 }, (_, n) => ({ before: 0, outcome: 50 + effect + (n % 2 === 0 ? 10 : -10) })))
}

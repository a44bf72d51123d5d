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

test('few customers are "not enough data yet", and it says how many more it takes where arms keep their proportion', () => {
  // 100 held out are 475 in all.
  expect(measureLift(arm(150, 5, 1), arm(40, 0, 2))).toEqual({
    ok: false,
    reason: 'not_enough_data',
    customersNeeded: 285,
  })
})

test('few buyers are not enough data either, in whichever arm they are', () => {
  const buyers = (customers: number, count: number) =>
    sumArm(Array.from({ length: customers }, (_, place) => ({ before: 0, outcome: place < count ? 1 : 0 })))
  // 50 of 1,000 are 5 of 100, half of what it takes; how they fell does not matter.
  for (const heldOut of [0, 5, 50]) {
    const lift = measureLift(buyers(900, 50 - heldOut), buyers(100, heldOut))
    expect(lift).toEqual({ ok: false, reason: 'not_enough_data', customersNeeded: 1_000 })
  }
  expect(measureLift(buyers(900, 90), buyers(100, 10))).toMatchObject({ ok: true, significant: false })
})

test('arms in which nobody did anything are not enough data', () => {
  const idle = sumArm(Array.from({ length: 200 }, () => ({ before: 0, outcome: 0 })))
  expect(measureLift(idle, idle)).toMatchObject({ ok: false, customersNeeded: null })
  expect(measureLift(sumArm([]), sumArm([]))).toMatchObject({ ok: false, customersNeeded: null })
  expect(measureLift(idle, sumArm([]))).toMatchObject({ ok: false, customersNeeded: null })
})

test('arms that all did the same are no data, however many', () => {
  const alike = sumArm(Array.from({ length: 200 }, () => ({ before: 3, outcome: 1 })))
  expect(measureLift(alike, alike)).toEqual({ ok: false, reason: 'not_enough_data', customersNeeded: null })
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

/** A normal deviate from two of [0, 1) (Box and Muller). */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

/** An arm in which so large a share buys, before and after by chance alone; an order is worth 1, or log-normal of σ 1. */
function armByChance(customers: number, share: number, revenue: boolean, next: () => number) {
  const spend = () => (next() >= share ? 0 : revenue ? Math.exp(normal(next)) : 1)
  return sumArm(Array.from({ length: customers }, () => ({ before: spend(), outcome: spend() })))
}

test.each([
  [900, 100, 0.01],
  [900, 100, 0.02],
  [900, 100, 0.05],
  [900, 100, 0.2],
  [4_500, 500, 0.002],
  [4_500, 500, 0.02],
])('an offer to %i that changes nothing beside %i held out, %f buying, is seldom called significant', (a, b, share) => {
  const stream = chance(Math.round(a + b + 1e4 * share))
  const next = () => stream.next().value!
  for (const revenue of [false, true]) {
    const trials = 250
    const lifts = Array.from({ length: trials }, () =>
      measureLift(armByChance(a, share, revenue, next), armByChance(b, share, revenue, next)),
    )
    expect(lifts.filter((lift) => lift.ok && lift.significant).length / trials).toBeLessThanOrEqual(0.06)
    // And it is not silence that keeps it from being wrong, where there are buyers to hear.
    if (b * share >= 20) expect(lifts.every(({ ok }) => ok)).toBe(true)
  }
})

test('the sample still needed grows with the square of what must be told apart', () => {
  const [large, small] = [0.4, 0.1].map((more) => {
    const lift = measureLift(arm(150, more, 1), arm(150, 0, 2))
    if (!lift.ok) throw new Error('not reached')
    expect(lift.significant).toBe(false)
    return { difference: lift.difference, customers: 300 + lift.customersNeeded! }
  })
  const square = (large!.difference / small!.difference) ** 2
  expect(Math.abs(square - 1)).toBeGreaterThan(0.5)
  expect(small!.customers / large!.customers / square).toBeCloseTo(1, 2)
})

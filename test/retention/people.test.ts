import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toFunnel } from '#app/retention/funnel.ts'
import {
  countLifecycle,
  cycleOf,
  lifecycleLimits,
  lifecycleStage,
  ownLimits,
  ownStage,
  type ReplacementCycle,
} from '#app/retention/lifecycle.ts'
import { bandOf, countNps, scoreNps } from '#app/retention/nps.ts'
import { topFifthShare } from '#app/retention/pareto.ts'
import { arppu, arpu, averageRepeatPurchases } from '#app/retention/value.ts'

const at = (text: string) => Date.parse(text)

test('exactly 12 months since the last order is passive, exactly 24 is lost, on the zone’s clock', () => {
  const limits = lifecycleLimits(at('2026-11-21T12:00:00Z'), 'America/New_York')
  expect(lifecycleStage(at('2025-11-21T12:00:00Z'), limits)).toBe('passive')
  expect(lifecycleStage(at('2025-11-21T12:00:00.001Z'), limits)).toBe('active')
  expect(lifecycleStage(at('2024-11-21T12:00:00Z'), limits)).toBe('lost')
  expect(countLifecycle([at('2026-01-01'), at('2025-01-01'), at('2020-01-01')], limits)).toEqual({
    active: 1,
    passive: 1,
    lost: 1,
  })
})

test('months back from the end of February are clamped at its end', () => {
  const limits = lifecycleLimits(at('2024-02-29T00:00:00Z'), 'UTC')
  expect(limits).toEqual({ passiveAt: at('2023-02-28T00:00:00Z'), lostAt: at('2022-02-28T00:00:00Z') })
})

const CYCLES: ReplacementCycle[] = [
  { of: 'tag', value: 'Durable', days: 1_000 },
  { of: 'type', value: 'Mattress', days: 3_650 },
  { of: 'product', value: 'p9', days: 30 },
]
const mattress = { product: 'm1', type: 'mattress', tags: ['durable'] }
const pillow = { product: 'p1', type: 'Pillow', tags: ['durable'] }
const soap = { product: 'p9', type: 'Mattress', tags: [] }
const mug = { product: 'x', type: '', tags: [] }

test('an order lasts as long as what lasts longest in it; a product’s own cycle comes before its type’s, that before its tags’', () => {
  expect(cycleOf([pillow], CYCLES)).toBe(1_000)
  expect(cycleOf([pillow, mattress, mug], CYCLES)).toBe(3_650)
  expect(cycleOf([soap], CYCLES)).toBe(30)
  // A mug lasts the 12 months that nobody has changed, longer than the soap.
  expect(cycleOf([soap, mug], CYCLES)).toBeNull()
  expect(cycleOf([mug], CYCLES)).toBeNull()
  expect(cycleOf([], CYCLES)).toBeNull()
  expect(cycleOf([pillow], [])).toBeNull()
})

test('five silent years after a product that lasts ten are still loyal, whatever small things were bought since', () => {
  const orders = [{ at: at('2021-01-01T00:00:00Z'), cycleDays: 3_650 }, { at: at('2021-06-01T00:00:00Z') }]
  const limits = ownLimits(orders, 'UTC')!
  expect(ownStage(limits, at('2026-01-01T00:00:00Z'))).toBe('active')
  expect(limits).toEqual({ passiveFrom: at('2030-12-30T00:00:00Z'), lostFrom: at('2040-12-27T00:00:00Z') })
  expect(ownStage(limits, limits.passiveFrom)).toBe('passive')
  expect(ownStage(limits, limits.lostFrom)).toBe('lost')
})

test('who buys what lasts a month is passive after a month, unless something else lasts longer', () => {
  const soapAt = at('2026-03-31T12:00:00Z')
  expect(ownLimits([{ at: soapAt, cycleDays: 30 }], 'UTC')).toEqual({
    passiveFrom: at('2026-04-30T12:00:00Z'),
    lostFrom: at('2026-05-30T12:00:00Z'),
  })
  const withMug = ownLimits([{ at: at('2026-01-31T12:00:00Z') }, { at: soapAt, cycleDays: 30 }], 'UTC')
  expect(withMug).toEqual({ passiveFrom: at('2027-01-31T12:00:00Z'), lostFrom: at('2028-01-31T12:00:00Z') })
  expect(ownLimits([{ at: soapAt }], 'UTC')).toBeNull()
})

test('a funnel counts who took each step of those who could', () => {
  const rows = toFunnel({ signup: 4, earn: 2, redeem: 1, repeat: 1 })
  expect(rows).toEqual([
    { step: 'signup', could: 4, did: 4, rate: 1 },
    { step: 'earn', could: 4, did: 2, rate: 0.5 },
    { step: 'redeem', could: 2, did: 1, rate: 0.5 },
    { step: 'repeat', could: 1, did: 1, rate: 1 },
  ])
  expect(toFunnel({ signup: 0, earn: 0, redeem: 0, repeat: 0 })[0]).toEqual({
    step: 'signup',
    could: 0,
    did: 0,
    rate: null,
  })
})

test('NPS is promoters minus detractors, with counts and an interval', () => {
  const answers = [...Array<number>(50).fill(10), ...Array<number>(30).fill(8), ...Array<number>(20).fill(3)]
  const nps = countNps(answers)
  expect(nps).toMatchObject({ promoters: 50, passives: 30, detractors: 20 })
  expect(nps.score).toBeCloseTo(0.3)
  // 30 ÷ 103 ± 1.96 · √((71.5 ÷ 103 − (30 ÷ 103)²) ÷ 103)
  expect(nps.interval![0]).toBeCloseTo(0.14051, 4)
  expect(nps.interval![1]).toBeCloseTo(0.44201, 4)
  expect(countNps([])).toMatchObject({ score: null, interval: null })
  expect(() => countNps([11])).toThrow('11')
  expect(() => countNps([-1])).toThrow('-1')
  expect(() => countNps([7.5])).toThrow('7.5')
})

test('each answer from 0 to 10 has its band', () => {
  const bands = Array.from({ length: 11 }, (_, answer) => bandOf(answer))
  expect(bands).toEqual([
    ...Array<string>(7).fill('detractors'),
    ...Array<string>(2).fill('passives'),
    ...Array<string>(2).fill('promoters'),
  ])
})

test('a score of few answers has no interval, and one that all agree on has a width', () => {
  expect(scoreNps({ promoters: 29, passives: 0, detractors: 0 })).toMatchObject({ score: 1, interval: null })
  const [lowest, highest] = scoreNps({ promoters: 30, passives: 0, detractors: 0 }).interval!
  expect(lowest).toBeLessThan(0.9)
  expect(highest).toBe(1)
})

test('the interval of a score lies around it, between −1 and 1', () => {
  const count = fc.nat(200)
  fc.assert(
    fc.property(count, count, count, (promoters, passives, detractors) => {
      const { score, interval } = scoreNps({ promoters, passives, detractors: detractors + 30 })
      expect(interval![0]).toBeGreaterThanOrEqual(-1)
      expect(interval![0]).toBeLessThan(score!)
      expect(interval![1]).toBeGreaterThan(score!)
      expect(interval![1]).toBeLessThanOrEqual(1)
    }),
  )
})

/** The exact share of samples of `answers` from such promoters, passives and detractors whose interval holds the true score. */
function coverage(answers: number, shares: readonly [number, number, number]): number {
  const logFactorial = Array.from({ length: answers + 1 }, () => 0)
  for (let n = 1; n <= answers; n++) logFactorial[n] = logFactorial[n - 1]! + Math.log(n)
  const score = shares[0] - shares[2]
  let held = 0
  for (let promoters = 0; promoters <= answers; promoters++) {
    for (let detractors = 0; promoters + detractors <= answers; detractors++) {
      const counts = [promoters, answers - promoters - detractors, detractors] as const
      const { interval } = scoreNps({ promoters, passives: counts[1], detractors })
      if (interval![0] > score || interval![1] < score) continue
      const terms = counts.map((count, band) => count * Math.log(shares[band]!) - logFactorial[count]!)
      held += Math.exp(terms.reduce((sum, term) => sum + term, logFactorial[answers]!))
    }
  }
  return held
}

test.each([
  [0.95, 0.03, 0.02],
  [0.98, 0.01, 0.01],
  [0.8, 0.15, 0.05],
  [0.5, 0.3, 0.2],
  [0.2, 0.6, 0.2],
  [0.02, 0.03, 0.95],
] as const)('of %f promoters, %f passives and %f detractors about 95 in 100 intervals hold the score', (...shares) => {
  for (const answers of [30, 50, 100]) {
    expect(coverage(answers, shares)).toBeGreaterThan(0.94)
    expect(coverage(answers, shares)).toBeLessThan(0.985)
  }
})

test('the best fifth is rounded up, and no revenue has no share', () => {
  expect(topFifthShare(Float64Array.of(150, 70, 20))).toBe(0.625)
  expect(topFifthShare(Float64Array.of(1, 1, 1, 1, 1, 5))).toBe(0.6)
  expect(topFifthShare(Float64Array.of())).toBeNull()
  expect(topFifthShare(Float64Array.of(0, 0))).toBeNull()
})

test('ARPU divides by all who are known, ARPPU by the buyers, both half to even', () => {
  expect(arpu(7_000, 3)).toBe(2_333)
  expect([arppu(5, 2), arppu(7, 2), arppu(-5, 2)]).toEqual([2, 4, -2])
  expect(arppu(0, 0)).toBeNull()
  expect(averageRepeatPurchases(12, 4, 6)).toBe(1.333333)
})

import { expect, test } from 'vitest'
import { toFunnel } from '#app/retention/funnel.ts'
import { countLifecycle, cycleOf, lifecycleLimits, lifecycleStage } from '#app/retention/lifecycle.ts'
import { countNps } from '#app/retention/nps.ts'
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

test('five silent years after a product that lasts ten are still loyal', () => {
  const cycles = [
    { of: 'tag' as const, value: 'durable', months: 36 },
    { of: 'type' as const, value: 'Mattress', months: 120 },
  ]
  const mattress = { product: 'm1', type: 'Mattress', tags: ['durable'] }
  const pillow = { product: 'p1', type: 'Pillow', tags: ['durable'] }
  expect(cycleOf([pillow], cycles)).toBe(36)
  expect(cycleOf([pillow, mattress], cycles)).toBe(120)
  expect(cycleOf([{ product: 'x', type: 'Soap', tags: [] }], cycles)).toBe(12)
  const limits = lifecycleLimits(at('2026-01-01T00:00:00Z'), 'UTC', cycleOf([mattress], cycles))
  expect(lifecycleStage(at('2021-01-01T00:00:00Z'), limits)).toBe('active')
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
  // ± 1.96 · √((.7 − .09) / 100)
  expect(nps.interval![0]).toBeCloseTo(0.147, 3)
  expect(nps.interval![1]).toBeCloseTo(0.453, 3)
  expect(countNps([])).toMatchObject({ score: null, interval: null })
  expect(() => countNps([11])).toThrow('11')
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

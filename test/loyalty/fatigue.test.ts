import fc from 'fast-check'
import { expect, test } from 'vitest'

import { FOREVER, withStops } from '#app/loyalty/campaigns.ts'
import { findFatiguePeak, judgeFatigue, measureAhead, measureCoverage } from '#app/loyalty/fatigue.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import type { Campaign } from '#app/loyalty/program.ts'
import { DAY_MS } from '#app/loyalty/time.ts'

const stretch = (from: number, until: number) => ({ fromAt: from * DAY_MS, untilAt: until * DAY_MS })

test('days on discount count once, however many campaigns run on them', () => {
  expect(measureCoverage([stretch(0, 9), stretch(3, 6), stretch(6, 12)], 0, 90 * DAY_MS)).toBeCloseTo(12 / 90)
  expect(measureCoverage([stretch(-10, 5), stretch(88, 200)], 0, 90 * DAY_MS)).toBeCloseTo(7 / 90)
  expect(measureCoverage([], 0, 90 * DAY_MS)).toBe(0)
})

test('coverage is a share: never below 0, never above 1, and no smaller with one campaign more', () => {
  const stretches = fc.array(
    fc
      .tuple(fc.integer({ min: -100, max: 200 }), fc.integer({ min: 0, max: 60 }))
      .map(([from, days]) => stretch(from, from + days)),
  )
  fc.assert(
    fc.property(stretches, stretches, (some, more) => {
      const share = measureCoverage(some, 0, 90 * DAY_MS)
      expect(share).toBeGreaterThanOrEqual(0)
      expect(share).toBeLessThanOrEqual(1)
      expect(measureCoverage([...some, ...more], 0, 90 * DAY_MS)).toBeGreaterThanOrEqual(share)
    }),
  )
})

const program = (campaigns: object[]) =>
  requireProgram({
    version: 1,
    name: 'Bean Club',
    pointsName: { one: 'bean', other: 'beans' },
    currency: 'EUR',
    timezone: 'UTC',
    earning: [],
    campaigns,
  })

test('the peak lies in the 90 days that end with the busiest campaign; points multipliers do not count', () => {
  const { campaigns } = program([
    { id: 'a', name: 'A', from: '2026-06-01T00:00', until: '2026-06-19T00:00', offer: { percentage: 10 } },
    { id: 'b', name: 'B', from: '2026-07-01T00:00', until: '2026-07-28T00:00', offer: { percentage: 10 } },
    { id: 'c', name: 'C', from: '2026-07-01T00:00', until: '2026-12-28T00:00', offer: { pointsMultiplier: 2 } },
  ])
  // 18 days in June and 27 in July: 45 of the 90 days that end on 28 July.
  const peak = findFatiguePeak(campaigns, Date.UTC(2026, 4, 1))
  expect(peak).toEqual({ share: 0.5, endsAt: Date.UTC(2026, 6, 28) })
})

test('no 90 days that end today or later have more days on discount than the peak says', () => {
  const window = fc.record({ from: fc.integer({ min: -100, max: 200 }), days: fc.integer({ min: 1, max: 60 }) })
  const [campaign] = program([
    { id: 'a', name: 'A', from: '2026-06-01T00:00', until: '2026-06-02T00:00', offer: { shipping: true } },
  ]).campaigns as [Campaign]
  fc.assert(
    fc.property(fc.array(window, { maxLength: 6 }), (windows) => {
      const campaigns = windows.map(({ from, days }) => ({ ...campaign, ...stretch(from, from + days) }))
      const isOn = (day: number) => windows.some(({ from, days }) => day >= from && day < from + days)
      let most = 0
      for (let end = 0; end <= 350; end++) {
        most = Math.max(most, Array.from({ length: 90 }, (_, back) => end - 1 - back).filter(isOn).length)
      }
      expect(findFatiguePeak(campaigns, 0).share).toBeCloseTo(most / 90, 9)
    }),
    { numRuns: 30 },
  )
})

test('a campaign that was ended early counts until then, and one that rested counts without the rest', () => {
  const document = program([
    { id: 'a', name: 'A', from: '2026-06-01T00:00', until: '2026-07-16T00:00', offer: { percentage: 10 } },
  ])
  const june = (day: number) => Date.UTC(2026, 5, day)
  const shareWith = (stops: { fromAt: number; untilAt: number }[]) =>
    findFatiguePeak(withStops(document, new Map([['a', stops]])).campaigns, june(10)).share
  expect(shareWith([{ fromAt: june(10), untilAt: FOREVER }])).toBeCloseTo(9 / 90)
  expect(shareWith([])).toBeCloseTo(45 / 90)
  expect(shareWith([{ fromAt: june(3), untilAt: june(8) }])).toBeCloseTo(40 / 90)
})

test('the larger share decides, of days or of orders: a warning from 25 %, a stop from 40 %', () => {
  expect(judgeFatigue(0.2499, null)).toBe('fine')
  expect(judgeFatigue(0, 0.25)).toBe('warn')
  expect(judgeFatigue(0.3, 0.1)).toBe('warn')
  expect(judgeFatigue(0.1, 0.4)).toBe('stop')
  expect(judgeFatigue(0.4, 0)).toBe('stop')
})

test('what a program plans is the time still to come in which something is cheaper; points multipliers and overlaps add nothing', () => {
  const { campaigns } = program([
    { id: 'a', name: 'A', from: '2026-06-01T00:00', until: '2026-06-11T00:00', offer: { percentage: 10 } },
    { id: 'b', name: 'B', from: '2026-06-09T00:00', until: '2026-06-13T00:00', offer: { shipping: true } },
    { id: 'c', name: 'C', from: '2026-07-01T00:00', until: '2026-08-01T00:00', offer: { pointsMultiplier: 2 } },
  ])
  expect(measureAhead(campaigns, Date.UTC(2026, 5, 6))).toBe(7 * DAY_MS)
  expect(measureAhead(campaigns, Date.UTC(2026, 5, 20))).toBe(0)
})

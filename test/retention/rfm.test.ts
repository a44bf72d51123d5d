import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RFM_GROUPS, breakpointsOf, countRfm, findBreakpoints, groupOf, scoreOf } from '#app/retention/rfm.ts'

test('five different values score 1 to 5', () => {
  const points = breakpointsOf(Float64Array.of(50, 10, 40, 20, 30))
  expect([10, 20, 30, 40, 50].map((value) => scoreOf(value, points))).toEqual([1, 2, 3, 4, 5])
})

test('equal values get equal scores: of ten customers seven ordered once and score 1, two ordered twice and score 4', () => {
  const points = breakpointsOf(Float64Array.of(1, 1, 1, 1, 1, 1, 1, 2, 2, 9))
  expect(points).toEqual([1, 1, 1, 2])
  expect([1, 2, 9].map((value) => scoreOf(value, points))).toEqual([1, 4, 5])
})

test('breakpoints of a histogram are those of its values', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1 }), (values) => {
      const counts = new Map<number, number>()
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
      const histogram = [...counts]
        .map(([value, customers]) => ({ value, customers }))
        .sort((a, b) => a.value - b.value)
      expect(findBreakpoints(histogram)).toEqual(breakpointsOf(Float64Array.from(values)))
    }),
  )
})

test('all 125 scores lead to one of Shopify’s groups, and the best and the worst to the ones that their names say', () => {
  const scores = [1, 2, 3, 4, 5]
  for (const R of scores) {
    for (const F of scores) for (const M of scores) expect(RFM_GROUPS).toContain(groupOf({ R, F, M }))
  }
  expect(groupOf({ R: 5, F: 5, M: 5 })).toBe('CHAMPIONS')
  expect(groupOf({ R: 5, F: 1, M: 1 })).toBe('NEW')
  expect(groupOf({ R: 4, F: 5, M: 4 })).toBe('LOYAL')
  expect(groupOf({ R: 1, F: 5, M: 5 })).toBe('PREVIOUSLY_LOYAL')
  expect(groupOf({ R: 1, F: 1, M: 1 })).toBe('DORMANT')
})

test('every customer is in exactly one group; fewer than five are not grouped', () => {
  const values = (size: number) => ({
    recency: Float64Array.from({ length: size }, (_, place) => place),
    frequency: Float64Array.from({ length: size }, (_, place) => 1 + (place % 3)),
    money: Float64Array.from({ length: size }, (_, place) => place * 7),
  })
  expect(Object.values(countRfm(values(137))!).reduce((sum, count) => sum + count, 0)).toBe(137)
  expect(countRfm(values(4))).toBeNull()
})

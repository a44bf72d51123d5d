import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  asMonths,
  comparedWith,
  COMPARISONS,
  customPeriod,
  findPeriod,
  isComparable,
  LONGEST_DAYS,
  nameDay,
  parseDay,
  PERIOD_NAMES,
  type Period,
} from '#app/retention/periods.ts'

const day = (text: string) => parseDay(text)!
const TODAY = day('2026-11-22')
/** "2026-11-01 to 2026-11-30" */
const show = (period: Period | null) => period && `${nameDay(period.from)} to ${nameDay(period.until - 1)}`

test.each([
  ['this-month', '2026-11-01 to 2026-11-30'],
  ['last-month', '2026-10-01 to 2026-10-31'],
  ['this-quarter', '2026-10-01 to 2026-12-31'],
  ['last-quarter', '2026-07-01 to 2026-09-30'],
  ['this-year', '2026-01-01 to 2026-12-31'],
  ['last-year', '2025-01-01 to 2025-12-31'],
  ['last-12-months', '2025-11-01 to 2026-10-31'],
  ['last-30-days', '2026-10-23 to 2026-11-21'],
  ['last-90-days', '2026-08-24 to 2026-11-21'],
] as const)('on 22 November 2026 %s is %s', (name, days) => {
  expect(show(findPeriod(name, TODAY))).toBe(days)
})

test('more days than a quarter are widened to whole months, fewer are left as they are', () => {
  expect(show(customPeriod(day('2026-03-10'), day('2026-04-02')))).toBe('2026-03-10 to 2026-04-02')
  expect(show(customPeriod(day('2026-04-02'), day('2026-03-10')))).toBe('2026-03-10 to 2026-04-02')
  expect(show(customPeriod(day('2026-01-10'), day('2026-04-12')))).toBe('2026-01-01 to 2026-04-30')
  expect(asMonths(customPeriod(day('2026-02-01'), day('2026-02-28')))).toEqual({ from: 673, until: 674 })
})

test.each([
  ['last-month', 'previous', '2026-09-01 to 2026-09-30'],
  ['last-month', 'year', '2025-10-01 to 2025-10-31'],
  ['last-quarter', 'previous', '2026-04-01 to 2026-06-30'],
  ['last-12-months', 'previous', '2024-11-01 to 2025-10-31'],
  ['last-30-days', 'previous', '2026-09-23 to 2026-10-22'],
  ['last-30-days', 'year', '2025-10-23 to 2025-11-21'],
  // Not over: as many days as have begun, or months where the days would be too many.
  ['this-month', 'previous', '2026-10-01 to 2026-10-22'],
  ['this-month', 'year', '2025-11-01 to 2025-11-22'],
  ['this-quarter', 'previous', '2026-07-01 to 2026-08-22'],
  ['this-year', 'previous', '2025-01-01 to 2025-11-30'],
  ['this-month', 'none', null],
] as const)('%s is compared (%s) with %s', (name, against, days) => {
  expect(show(comparedWith(findPeriod(name, TODAY), against, TODAY))).toBe(days)
})

test('on its last day a month is over, and may be set beside the shorter one before it', () => {
  const today = day('2026-10-31')
  const month = findPeriod('this-month', today)
  const before = comparedWith(month, 'previous', today)!
  expect(show(before)).toBe('2026-09-01 to 2026-09-30')
  expect(isComparable(month, before, today)).toBe(true)
  expect(isComparable(month, before, today - 1)).toBe(true)
  expect(isComparable(month, before, today - 2)).toBe(false)
  const leapDay = day('2028-02-29')
  const february = comparedWith(findPeriod('this-month', leapDay), 'year', leapDay)
  expect(show(february)).toBe('2027-02-01 to 2027-02-28')
})

test('whatever is compared, it is whole months or days few enough to count, and lies before the period', () => {
  const days = fc.integer({ min: -400, max: 40_000 })
  fc.assert(
    fc.property(days, days, days, fc.constantFrom(...COMPARISONS), (today, first, last, against) => {
      const periods = [...PERIOD_NAMES.map((name) => findPeriod(name, today)), customPeriod(first, last)]
      for (const period of periods) {
        const other = comparedWith(period, against, Math.max(today, period.from))
        for (const one of [period, ...(other ? [other] : [])]) {
          expect(one.until).toBeGreaterThan(one.from)
          expect(asMonths(one) !== null || one.until - one.from <= LONGEST_DAYS).toBe(true)
        }
        if (other) expect(other.from).toBeLessThan(period.from)
        if (other && against === 'previous') expect(other.until).toBeLessThanOrEqual(period.until)
      }
    }),
  )
})

test('days are read back from their names, and no others are', () => {
  fc.assert(fc.property(fc.integer({ min: -20_000, max: 60_000 }), (one) => parseDay(nameDay(one)) === one))
  for (const text of ['2026-02-29', '2026-13-01', '2026-1-1', '', 'today']) expect(parseDay(text)).toBeNull()
})

test.each([
  ['this-year', '2026-04-05', false],
  ['this-year', '2026-04-30', true],
  ['this-year', '2026-12-31', true],
  ['this-month', '2026-04-05', true],
  ['last-month', '2026-04-05', true],
  ['last-30-days', '2026-07-01', true],
] as const)('%s on %s beside the year before is of equal length: %s', (name, date, expected) => {
  const today = parseDay(date)!
  const period = findPeriod(name, today)
  expect(isComparable(period, comparedWith(period, 'year', today)!, today)).toBe(expected)
})

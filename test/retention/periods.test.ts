import fc from 'fast-check'
import { expect, test } from 'vitest'
import { monthOfDay } from '#app/retention/calendar.ts'
import {
  asMonths,
  comparedWith,
  COMPARISONS,
  customPeriod,
  findPeriod,
  firstDayOf,
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
  // Not over: up to the same day.
  ['this-month', 'previous', '2026-10-01 to 2026-10-22'],
  ['this-month', 'year', '2025-11-01 to 2025-11-22'],
  ['this-quarter', 'previous', '2026-07-01 to 2026-08-22'],
  ['this-year', 'previous', '2025-01-01 to 2025-11-22'],
  ['this-month', 'none', null],
] as const)('%s is compared (%s) with %s', (name, against, days) => {
  expect(show(comparedWith(findPeriod(name, TODAY), against, TODAY))).toBe(days)
})

test.each([
  ['2026-04-05', 'this-year', 'year', '2025-01-01 to 2025-04-05'],
  ['2026-01-01', 'this-year', 'year', '2025-01-01 to 2025-01-01'],
  ['2026-12-31', 'this-year', 'year', '2025-01-01 to 2025-12-31'],
  ['2024-02-29', 'this-year', 'year', '2023-01-01 to 2023-02-28'],
  ['2025-02-28', 'this-year', 'year', '2024-01-01 to 2024-02-28'],
  // A day more or less of February moves no other day.
  ['2024-03-05', 'this-quarter', 'year', '2023-01-01 to 2023-03-05'],
  ['2026-03-30', 'this-month', 'previous', '2026-02-01 to 2026-02-28'],
  ['2026-05-31', 'this-quarter', 'previous', '2026-01-01 to 2026-02-28'],
] as const)('on %s %s is compared (%s) with %s', (today, name, against, days) => {
  expect(show(comparedWith(findPeriod(name, day(today)), against, day(today)))).toBe(days)
})

test('dates that were widened to months, of which the last is not over, are compared up to the same day too', () => {
  const period = customPeriod(day('2026-02-10'), TODAY)
  expect(show(period)).toBe('2026-02-01 to 2026-11-30')
  expect(show(comparedWith(period, 'previous', TODAY))).toBe('2025-04-01 to 2026-01-22')
  expect(show(comparedWith(period, 'year', TODAY))).toBe('2025-02-01 to 2025-11-22')
})

test('whatever is compared, it is whole months, days few enough to count or months and then days that are over, and lies before the period', () => {
  const days = fc.integer({ min: -400, max: 40_000 })
  fc.assert(
    fc.property(days, days, days, fc.constantFrom(...COMPARISONS), (today, first, last, against) => {
      const periods = [...PERIOD_NAMES.map((name) => findPeriod(name, today)), customPeriod(first, last)]
      for (const period of periods) {
        const now = Math.max(today, period.from)
        const other = comparedWith(period, against, now)
        for (const one of [period, ...(other ? [other] : [])]) {
          expect(one.until).toBeGreaterThan(one.from)
          const monthsAndDays = one === other && one.from === firstDayOf(monthOfDay(one.from)) && one.until <= now
          expect(asMonths(one) !== null || one.until - one.from <= LONGEST_DAYS || monthsAndDays).toBe(true)
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

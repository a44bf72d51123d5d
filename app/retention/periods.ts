/**
 * The periods that pages can be about, on the shop's calendar. A *period* is a run of days. What is kept of orders is kept by months,
 * so a run of whole months can be of any length, and by days in pairs, so a run of other days may be {@link LONGEST_DAYS}.
 */
import { monthOfDay } from './calendar.ts'
import { addMonthsToDate, fromDayNumber, toDayNumber } from '../loyalty/time.ts'

/** From the first day up to but without the last, both counted from 1 January 1970. */
export type Period = { from: number; until: number }

/** Days that are not whole months may be as many: a quarter. Counters are kept by it: another number needs other kinds (rollups.ts). */
export const LONGEST_DAYS = 92

/** The periods that have a name. "last-30-days" are whole days: they end with yesterday. */
export const PERIOD_NAMES = [
  ...(['this-month', 'last-month', 'this-quarter', 'last-quarter', 'this-year', 'last-year'] as const),
  ...(['last-12-months', 'last-30-days', 'last-90-days'] as const),
] as const
/** One of {@link PERIOD_NAMES}. */
export type PeriodName = (typeof PERIOD_NAMES)[number]

/** What a period is compared with: the one just before it, the same a year before, or nothing. */
export const COMPARISONS = ['previous', 'year', 'none'] as const
/** One of {@link COMPARISONS}. */
export type Comparison = (typeof COMPARISONS)[number]

/** The days of a named period on a day. */
export function findPeriod(name: PeriodName, today: number): Period {
  const month = monthOfDay(today)
  const months = (from: number, count: number) => ({ from: firstDayOf(from), until: firstDayOf(from + count) })
  const [quarter, year] = [month - (((month % 3) + 3) % 3), month - (((month % 12) + 12) % 12)]
  switch (name) {
    case 'this-month':
      return months(month, 1)
    case 'last-month':
      return months(month - 1, 1)
    case 'this-quarter':
      return months(quarter, 3)
    case 'last-quarter':
      return months(quarter - 3, 3)
    case 'this-year':
      return months(year, 12)
    case 'last-year':
      return months(year - 12, 12)
    case 'last-12-months':
      return months(month - 12, 12)
    case 'last-30-days':
      return { from: today - 30, until: today }
    case 'last-90-days':
      return { from: today - 90, until: today }
  }
}

/** The days from one to another, both included. More than {@link LONGEST_DAYS} that are not whole months are widened to whole months. */
export function customPeriod(first: number, last: number): Period {
  const period = { from: Math.min(first, last), until: Math.max(first, last) + 1 }
  if (period.until - period.from <= LONGEST_DAYS) return period
  return { from: firstDayOf(monthOfDay(period.from)), until: firstDayOf(monthOfDay(period.until - 1) + 1) }
}

/** The period as whole months counted from January 1970, up to but without the last; null where it is not. */
export function asMonths({ from, until }: Period): Period | null {
  const months = { from: monthOfDay(from), until: monthOfDay(until) }
  return firstDayOf(months.from) === from && firstDayOf(months.until) === until ? months : null
}

/**
 * What a period is compared with on a day; null with "none". A period that is not over is compared with as many days of the other one,
 * or, where these are more than {@link LONGEST_DAYS}, with as many months.
 */
export function comparedWith(period: Period, against: Comparison, today: number): Period | null {
  if (against === 'none') return null
  const months = asMonths(period)
  if (!months) return shiftDays(period, against)
  const shift = against === 'year' ? 12 : months.until - months.from
  const from = firstDayOf(months.from - shift)
  if (period.until <= today + 1) return { from, until: firstDayOf(months.until - shift) }
  const days = Math.max(1, today + 1 - period.from)
  if (days <= LONGEST_DAYS) return { from, until: Math.min(from + days, period.from) }
  return { from, until: firstDayOf(monthOfDay(today) + 1 - shift) }
}

/**
 * Whether what is counted in a period may be set beside the other's on a day: a period that is over beside another of its kind, and one that is
 * not over beside just as many days. Counts, sums and even rates grow with the days.
 */
export function isComparable(period: Period, other: Period, today: number): boolean {
  return period.until <= today + 1 || today + 1 - period.from === other.until - other.from
}

function shiftDays({ from, until }: Period, against: 'previous' | 'year'): Period {
  const days = until - from
  if (against === 'previous') return { from: from - days, until: from }
  const { year, month, day } = addMonthsToDate(fromDayNumber(from), -12)
  const start = toDayNumber(year, month, day)
  return { from: start, until: start + days }
}

/** What a page's address asks for: a named period, or "custom" with its first and last day. */
export type ChosenPeriod = { name: PeriodName | 'custom'; period: Period; against: Comparison }

/** Reads `period`, `from`, `until` and `against` of an address; what it does not say, or says wrongly, is the usual. */
export function choosePeriod(
  params: { get: (name: string) => string | null },
  today: number,
  usual: PeriodName,
): ChosenPeriod {
  const against = COMPARISONS.find((one) => one === params.get('against')) ?? 'previous'
  const [first, last] = [parseDay(params.get('from') ?? ''), parseDay(params.get('until') ?? '')]
  if (params.get('period') === 'custom' && first !== null && last !== null && Math.min(first, last) <= today) {
    return {
      name: 'custom',
      period: customPeriod(first, Math.max(Math.min(last, today), Math.min(first, today))),
      against,
    }
  }
  const name = PERIOD_NAMES.find((one) => one === params.get('period')) ?? usual
  return { name, period: findPeriod(name, today), against }
}

/** The first day of a month that is counted from January 1970. */
export function firstDayOf(month: number): number {
  const year = 1970 + Math.floor(month / 12)
  return toDayNumber(year, month - (year - 1970) * 12 + 1, 1)
}

/** "2026-11-22" for a day. */
export function nameDay(day: number): string {
  const { year, month, day: ofMonth } = fromDayNumber(day)
  return [String(year).padStart(4, '0'), ...[month, ofMonth].map((part) => String(part).padStart(2, '0'))].join('-')
}

/** Reads {@link nameDay}'s text; null where there is no such day. */
export function parseDay(text: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return null
  const day = toDayNumber(Number(match[1]), Number(match[2]), Number(match[3]))
  return nameDay(day) === text ? day : null
}

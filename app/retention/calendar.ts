/** The shop's months and days over a stretch of time, laid out so that finding an order's month is one look into a table. */
import { dayNumberAt, fromDayNumber, monthNumberAt, startOfDate } from '../loyalty/time.ts'

/**
 * Months without gaps from that of the first order to that of the last instant before T. `bounds[m]` is the first instant of
 * month m and `bounds[m + 1]` its end (exclusive), the last one T itself; `partial` where T cuts the last month short.
 */
export type Calendar = {
  readonly timeZone: string
  readonly asOf: number
  /** Months since January 1970 of month 0. */
  readonly firstMonth: number
  readonly months: number
  readonly bounds: Float64Array
  readonly partial: boolean
  /** The place, from 0, of the month that an instant of the stretch lies in. */
  readonly monthOf: (at: number) => number
}

/** The calendar from an order's instant to T. `firstAt` lies before `asOf`. */
export function layOutMonths(firstAt: number, asOf: number, timeZone: string): Calendar {
  const firstMonth = monthNumberAt(firstAt, timeZone)
  // A clock put back from just after midnight (St. John's, until 2011) shows the day before again, perhaps of the month before: what
  // lies outside the stretch then counts to its nearest end.
  const months = Math.max(1, monthNumberAt(asOf - 1, timeZone) - firstMonth + 1)
  const bounds = new Float64Array(months + 1)
  for (let month = 0; month <= months; month++) bounds[month] = startOfMonthNumber(firstMonth + month, timeZone)
  const partial = bounds[months]! > asOf
  bounds[months] = asOf
  // Days are cheap to find (one offset), months are not: a table leads from the one to the other.
  const firstDay = dayNumberAt(firstAt, timeZone)
  const placeOfDay = new Int32Array(Math.max(1, dayNumberAt(asOf, timeZone) - firstDay + 1))
  const lastDay = placeOfDay.length - 1
  for (let day = 0; day < placeOfDay.length; day++) {
    placeOfDay[day] = Math.min(months - 1, monthOfDay(firstDay + day) - firstMonth)
  }
  const monthOf = (at: number) => placeOfDay[Math.min(lastDay, Math.max(0, dayNumberAt(at, timeZone) - firstDay))]!
  return { timeZone, asOf, firstMonth, months, bounds, partial, monthOf }
}

/** Days whose months are looked up in a table: until the year 2133. */
const TABLE_DAYS = 60_000
let monthTable: Int16Array | undefined

/** The month, counted from January 1970, of a day, counted from 1 January 1970. A recount asks this some millions of times. */
export function monthOfDay(day: number): number {
  monthTable ??= Int16Array.from({ length: TABLE_DAYS }, (_, known) => readMonth(known))
  return monthTable[day] ?? readMonth(day)
}

function readMonth(day: number): number {
  const { year, month } = fromDayNumber(day)
  return (year - 1970) * 12 + month - 1
}

/** The first instant of a month, counted from January 1970. */
export function startOfMonthNumber(month: number, timeZone: string): number {
  const year = 1970 + Math.floor(month / 12)
  return startOfDate({ year, month: month - (year - 1970) * 12 + 1, day: 1 }, timeZone)
}

/** "1997-01" for a month counted from January 1970. */
export function nameMonth(month: number): string {
  const year = 1970 + Math.floor(month / 12)
  return `${String(year).padStart(4, '0')}-${String(month - (year - 1970) * 12 + 1).padStart(2, '0')}`
}

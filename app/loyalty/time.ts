/**
 * An *instant* is a number of milliseconds UTC since 1970; names of instants end in `At`. A *day*, *month* or *year* is the shop's: it depends on the
 * shop's IANA time zone, and only this file knows how. A zone's offsets are read from the platform's time-zone data once per stretch of about a year
 * and kept, so that the work per order is plain arithmetic.
 */

/** Milliseconds of a second. */
export const SECOND_MS = 1000
/** Milliseconds of an hour. */
export const HOUR_MS = 3_600_000
/** 24 hours: the day of holds, codes and waits, never the shop's calendar day. */
export const DAY_MS = 86_400_000

/** A date of the calendar; month 1–12, day 1–31. */
export type LocalDate = { readonly year: number; readonly month: number; readonly day: number }

/** What a clock on the shop's wall shows; `timeMs` is milliseconds since that clock's 00:00. */
export type LocalDateTime = LocalDate & { readonly timeMs: number }

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d\d):(\d\d))$/
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/

/**
 * Reads an ISO 8601 instant, which must carry `Z` or an offset: "2026-08-03T14:05:12-04:00". Returns epoch milliseconds (finer digits are cut), or null
 * where the text is not one or names a day or time that does not exist.
 */
export function parseInstant(text: string): number | null {
  const match = INSTANT.exec(text)
  if (!match) return null
  const local = readLocal(match)
  if (!local) return null
  let offsetMs = 0
  if (match[8]) {
    const [hours, minutes] = [Number(match[9]), Number(match[10])]
    if (hours > 23 || minutes > 59) return null
    offsetMs = (hours * 60 + minutes) * 60_000 * (match[8] === '-' ? -1 : 1)
  }
  return toClock(local) - offsetMs
}

/** Writes an instant in UTC, with milliseconds only where there are any: "2027-08-02T04:00:00Z". */
export function formatInstant(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z')
}

/** Reads a local date-time without an offset, "2026-05-02T00:00" (seconds may follow). Null where the text is none or the day does not exist. */
export function parseLocalDateTime(text: string): LocalDateTime | null {
  const match = LOCAL.exec(text)
  return match ? readLocal(match) : null
}

/** True for a name of the IANA time-zone database that this platform knows, "America/New_York"; not for offsets like "+05:00". */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en-US', { timeZone: name }))
  } catch {
    return false
  }
}

/** Milliseconds that the zone's clocks are ahead of UTC at an instant. Throws on an unknown zone. */
export function offsetAt(at: number, timeZone: string): number {
  return zoneOf(timeZone).offsetAt(at)
}

/** What the shop's clock and calendar show at an instant. */
export function toLocalDateTime(at: number, timeZone: string): LocalDateTime {
  const clock = at + offsetAt(at, timeZone)
  const day = Math.floor(clock / DAY_MS)
  return { ...fromDayNumber(day), timeMs: clock - day * DAY_MS }
}

/** The shop's date at an instant. */
export function toLocalDate(at: number, timeZone: string): LocalDate {
  return fromDayNumber(Math.floor((at + offsetAt(at, timeZone)) / DAY_MS))
}

/**
 * The instant at which the shop's clock shows a local time. A time that the clock skips (spring) becomes the first instant after the gap;
 * one that it shows twice (autumn) means the first.
 */
export function toInstant(local: LocalDateTime, timeZone: string): number {
  return clockToInstant(toClock(local), timeZone)
}

/** The first instant of the shop's day that an instant lies in. */
export function startOfDay(at: number, timeZone: string): number {
  return startOfDayNumber(dayNumberAt(at, timeZone), timeZone)
}

/** The end of the shop's day that an instant lies in: the first instant of the next day. */
export function endOfDay(at: number, timeZone: string): number {
  return startOfDayNumber(dayNumberAt(at, timeZone) + 1, timeZone)
}

/** The first instant of a date in the shop's zone. */
export function startOfDate(date: LocalDate, timeZone: string): number {
  return startOfDayNumber(toDayNumber(date.year, date.month, date.day), timeZone)
}

/** The first instant of the shop's month that an instant lies in. */
export function startOfMonth(at: number, timeZone: string): number {
  const { year, month } = toLocalDate(at, timeZone)
  return startOfDate({ year, month, day: 1 }, timeZone)
}

/** The first instant of a calendar year in the shop's zone. */
export function startOfYear(year: number, timeZone: string): number {
  return startOfDate({ year, month: 1, day: 1 }, timeZone)
}

/** The shop's calendar year at an instant. */
export function yearAt(at: number, timeZone: string): number {
  return toLocalDate(at, timeZone).year
}

/** The shop's day of the week at an instant: 1 is Monday, 7 Sunday. */
export function weekdayAt(at: number, timeZone: string): number {
  const day = dayNumberAt(at, timeZone)
  // Day 0, 1 January 1970, was a Thursday (4).
  return ((((day + 3) % 7) + 7) % 7) + 1
}

/** Days since 1 January 1970 on the shop's calendar: equal for two instants exactly when they are on one shop-local day. */
export function dayNumberAt(at: number, timeZone: string): number {
  return Math.floor((at + offsetAt(at, timeZone)) / DAY_MS)
}

/** Months since January 1970 on the shop's calendar. */
export function monthNumberAt(at: number, timeZone: string): number {
  const { year, month } = toLocalDate(at, timeZone)
  return (year - 1970) * 12 + month - 1
}

/** A date some months later (or earlier); a day that the month lacks becomes its last: 31 January + 1 month is 28 or 29 February. */
export function addMonthsToDate(date: LocalDate, months: number): LocalDate {
  const index = date.year * 12 + (date.month - 1) + months
  const year = Math.floor(index / 12)
  const month = index - year * 12 + 1
  return { year, month, day: Math.min(date.day, daysInMonth(year, month)) }
}

/** The instant some calendar months later (or earlier) on the shop's clock, at the same time of day, clamped at month ends. */
export function addMonths(at: number, months: number, timeZone: string): number {
  const local = toLocalDateTime(at, timeZone)
  return toInstant({ ...addMonthsToDate(local, months), timeMs: local.timeMs }, timeZone)
}

/** The end of the shop's day some calendar months after an instant: when a lot of that instant expires. */
export function endOfDayMonthsLater(at: number, months: number, timeZone: string): number {
  const { year, month, day } = addMonthsToDate(toLocalDate(at, timeZone), months)
  return startOfDayNumber(toDayNumber(year, month, day) + 1, timeZone)
}

/** The number of days of a month: 28 to 31. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** True for a year with a 29 February: every fourth, but of the full centuries only every fourth too. */
export function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

/** Days from 1 January 1970 to a date of the Gregorian calendar. */
export function toDayNumber(year: number, month: number, day: number): number {
  // Years counted from March put the leap day last. Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** The date that lies so many days after 1 January 1970. */
export function fromDayNumber(dayNumber: number): LocalDate {
  // The same source, civil_from_days.
  const shifted = dayNumber + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

/** Reads the first seven groups of a date-time match: year, month, day, hour, minute, second, fraction. */
function readLocal(match: RegExpExecArray): LocalDateTime | null {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6] ?? 0)]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null
  if (hour > 23 || minute > 59 || second > 59) return null
  const milliseconds = match[7] ? Number(match[7].padEnd(3, '0').slice(0, 3)) : 0
  return { year, month, day, timeMs: hour * HOUR_MS + minute * 60_000 + second * SECOND_MS + milliseconds }
}

/** A local time as if the clock were UTC's. */
function toClock(local: LocalDateTime): number {
  return toDayNumber(local.year, local.month, local.day) * DAY_MS + local.timeMs
}

function startOfDayNumber(dayNumber: number, timeZone: string): number {
  return clockToInstant(dayNumber * DAY_MS, timeZone)
}

function clockToInstant(clock: number, timeZone: string): number {
  const zone = zoneOf(timeZone)
  // Offsets stay within a day either way, so those a day before and after bracket every change that can matter.
  const before = zone.offsetAt(clock - DAY_MS)
  const after = zone.offsetAt(clock + DAY_MS)
  if (before === after) {
    const at = clock - before
    if (zone.offsetAt(at) === before) return at
  }
  return zone.firstAtOrAfter(clock)
}

/** Offsets are kept for stretches of 2^35 ms, some 398 days. */
const STRETCH_MS = 2 ** 35
/** No zone has had two changes within this time of each other since clocks were set by law. */
const SAMPLE_MS = 2 ** 28

/** One stretch: from `starts[i]` on, clocks are `offsets[i]` ms ahead of UTC. */
type Stretch = { readonly starts: number[]; readonly offsets: number[] }

class Zone {
  private readonly format: Intl.DateTimeFormat
  private readonly stretches = new Map<number, Stretch>()

  constructor(timeZone: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  offsetAt(at: number): number {
    const { starts, offsets } = this.stretchAt(at)
    let index = starts.length - 1
    while (index > 0 && (starts[index] as number) > at) index--
    return offsets[index] as number
  }

  /** The first instant at which the clock shows `clock`, or, where it never does, the instant of the jump over it. */
  firstAtOrAfter(clock: number): number {
    const [from, to] = [clock - DAY_MS, clock + DAY_MS]
    let offset = this.offsetAt(from)
    for (const { at, offsetMs } of this.changesBetween(from, to)) {
      // Before this change the clock ran up to at + offset.
      if (clock < at + offset) return clock - offset
      if (clock < at + offsetMs) return at
      offset = offsetMs
    }
    return clock - offset
  }

  private changesBetween(from: number, to: number): { at: number; offsetMs: number }[] {
    const changes: { at: number; offsetMs: number }[] = []
    for (let number = Math.floor(from / STRETCH_MS); number <= Math.floor(to / STRETCH_MS); number++) {
      const { starts, offsets } = this.stretchAt(number * STRETCH_MS)
      starts.forEach((at, index) => {
        if (at > from && at <= to) changes.push({ at, offsetMs: offsets[index] as number })
      })
    }
    return changes
  }

  private stretchAt(at: number): Stretch {
    const number = Math.floor(at / STRETCH_MS)
    const known = this.stretches.get(number)
    if (known) return known
    const stretch = this.readStretch(number * STRETCH_MS)
    this.stretches.set(number, stretch)
    return stretch
  }

  private readStretch(startAt: number): Stretch {
    const stretch: Stretch = { starts: [startAt], offsets: [this.readOffset(startAt)] }
    for (let low = startAt; low < startAt + STRETCH_MS; low += SAMPLE_MS) {
      const high = Math.min(low + SAMPLE_MS, startAt + STRETCH_MS - 1)
      const [offsetLow, offsetHigh] = [stretch.offsets.at(-1) as number, this.readOffset(high)]
      if (offsetLow === offsetHigh) continue
      let [before, after] = [low, high]
      while (after - before > 1) {
        const middle = Math.floor((before + after) / 2)
        if (this.readOffset(middle) === offsetLow) before = middle
        else after = middle
      }
      stretch.starts.push(after)
      stretch.offsets.push(this.readOffset(after))
    }
    return stretch
  }

  private readOffset(at: number): number {
    const parts: Record<string, string> = {}
    for (const { type, value } of this.format.formatToParts(at)) parts[type] = value
    const year = parts.era === 'BC' || parts.era === 'B' ? 1 - Number(parts.year) : Number(parts.year)
    const clock =
      toDayNumber(year, Number(parts.month), Number(parts.day)) * DAY_MS +
      Number(parts.hour) * HOUR_MS +
      Number(parts.minute) * 60_000 +
      Number(parts.second) * SECOND_MS
    return clock - Math.floor(at / SECOND_MS) * SECOND_MS
  }
}

const zones = new Map<string, Zone>()

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone)
  if (known) return known
  const zone = new Zone(timeZone)
  zones.set(timeZone, zone)
  return zone
}

import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { expect, test } from 'vitest'
import {
  DAY_MS,
  addMonths,
  endOfDay,
  endOfDayMonthsLater,
  formatInstant,
  fromDayNumber,
  isTimeZone,
  offsetAt,
  parseInstant,
  parseLocalDateTime,
  startOfDate,
  startOfDay,
  startOfMonth,
  startOfYear,
  toDayNumber,
  toInstant,
  toLocalDateTime,
  weekdayAt,
  yearAt,
} from '#app/loyalty/time.ts'

const ZONES = [
  'UTC',
  'America/New_York',
  'America/Sao_Paulo',
  'America/St_Johns',
  'America/Havana',
  'Europe/London',
  'Europe/Paris',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Pacific/Honolulu',
]
const zone = fc.constantFrom(...ZONES)
/** 1975 to 2060: daylight saving of every kind, and Apia's lost day. */
const instant = fc.integer({ min: 157_766_400_000, max: 2_840_140_800_000 })
const at = (text: string) => parseInstant(text) as number
const local = (text: string, timeZone: string) => toInstant(parseLocalDateTime(text)!, timeZone)
const shown = (epoch: number, timeZone: string) =>
  Temporal.Instant.fromEpochMilliseconds(epoch).toZonedDateTimeISO(timeZone)

test('the offset, the clock and the weekday are those of Temporal, in every zone and season', () => {
  fc.assert(
    fc.property(instant, zone, (epoch, timeZone) => {
      const zoned = shown(epoch, timeZone)
      expect(offsetAt(epoch, timeZone)).toBe(zoned.offsetNanoseconds / 1e6)
      const { year, month, day, timeMs } = toLocalDateTime(epoch, timeZone)
      const { hour, minute, second, millisecond } = zoned
      expect([year, month, day]).toEqual([zoned.year, zoned.month, zoned.day])
      expect(timeMs).toBe(((hour * 60 + minute) * 60 + second) * 1000 + millisecond)
      expect(weekdayAt(epoch, timeZone)).toBe(zoned.dayOfWeek)
    }),
    { numRuns: 3000 },
  )
})

test('a local time becomes the instant that Temporal gives, or the jump where the clock skips it', () => {
  fc.assert(
    fc.property(instant, zone, (epoch, timeZone) => {
      const plain = shown(epoch, timeZone).toPlainDateTime()
      const found = toInstant(toLocalDateTime(epoch, timeZone), timeZone)
      expect(found).toBe(plain.toZonedDateTime(timeZone, { disambiguation: 'earlier' }).epochMilliseconds)
    }),
    { numRuns: 3000 },
  )
})

test('the start of the day is that of Temporal, the end is the next start, and the instant lies between', () => {
  fc.assert(
    fc.property(instant, zone, (epoch, timeZone) => {
      const zoned = shown(epoch, timeZone)
      expect(startOfDay(epoch, timeZone)).toBe(zoned.startOfDay().epochMilliseconds)
      const next = zoned.toPlainDate().add({ days: 1 }).toZonedDateTime(timeZone)
      expect(endOfDay(epoch, timeZone)).toBe(next.epochMilliseconds)
    }),
    { numRuns: 3000 },
  )
})

test('months are added as Temporal adds them, clamped at month ends', () => {
  fc.assert(
    fc.property(instant, zone, fc.integer({ min: -30, max: 60 }), (epoch, timeZone, months) => {
      const later = shown(epoch, timeZone).toPlainDateTime().add({ months })
      // Temporal's "earlier" is before a gap; ours is the gap's end, so those are left out here and tested below.
      const [earlier, after] = (['earlier', 'later'] as const).map((disambiguation) =>
        later.toZonedDateTime(timeZone, { disambiguation }),
      )
      fc.pre(earlier!.toPlainDateTime().equals(later) && after!.toPlainDateTime().equals(later))
      expect(addMonths(epoch, months, timeZone)).toBe(earlier!.epochMilliseconds)
    }),
    { numRuns: 3000 },
  )
})

test.each([
  ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-03-08T02:00', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-03-08T01:59', '2026-03-08T06:59:00Z'],
  ['America/New_York', '2026-03-08T03:00', '2026-03-08T07:00:00Z'],
  ['Europe/Paris', '2026-03-29T02:15', '2026-03-29T01:00:00Z'],
  ['Pacific/Auckland', '2026-09-27T02:45', '2026-09-26T14:00:00Z'],
  ['Africa/Casablanca', '2026-03-22T02:30', '2026-03-22T02:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-04T02:10', '2026-10-03T15:30:00Z'],
])('in %s the skipped or next time %s is the instant %s', (timeZone, text, expected) => {
  expect(formatInstant(local(text, timeZone))).toBe(expected)
})

test.each([
  ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30:00Z'],
  ['Europe/London', '2026-10-25T01:00', '2026-10-25T00:00:00Z'],
  ['Pacific/Auckland', '2026-04-05T02:30', '2026-04-04T13:30:00Z'],
  ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45:00Z'],
])('in %s the time %s, which comes twice, means the first: %s', (timeZone, text, expected) => {
  expect(formatInstant(local(text, timeZone))).toBe(expected)
})

test('a day that has no midnight begins at the first instant after the gap', () => {
  // São Paulo, 4 November 2018: clocks went from 00:00 to 01:00.
  expect(formatInstant(startOfDate({ year: 2018, month: 11, day: 4 }, 'America/Sao_Paulo'))).toBe(
    '2018-11-04T03:00:00Z',
  )
  expect(endOfDay(at('2018-11-03T12:00:00Z'), 'America/Sao_Paulo')).toBe(at('2018-11-04T03:00:00Z'))
})

test('a midnight that comes twice begins the day the first time', () => {
  // Havana, 1 November 2026: at 01:00 clocks go back to 00:00.
  expect(formatInstant(startOfDate({ year: 2026, month: 11, day: 1 }, 'America/Havana'))).toBe('2026-11-01T04:00:00Z')
})

test('Apia had no 30 December 2011: the day before ends where the day after begins', () => {
  expect(endOfDay(at('2011-12-29T20:00:00Z'), 'Pacific/Apia')).toBe(
    startOfDay(at('2011-12-31T00:00:00Z'), 'Pacific/Apia'),
  )
  expect(local('2011-12-30T12:00', 'Pacific/Apia')).toBe(at('2011-12-30T10:00:00Z'))
})

test('the days of the two changes have 23 and 25 hours', () => {
  const hours = (text: string, timeZone: string) =>
    (endOfDay(at(text), timeZone) - startOfDay(at(text), timeZone)) / 3_600_000
  expect(hours('2026-03-08T17:00:00Z', 'America/New_York')).toBe(23)
  expect(hours('2026-11-01T17:00:00Z', 'America/New_York')).toBe(25)
  expect(hours('2026-09-26T17:00:00Z', 'Pacific/Auckland')).toBe(23)
  expect(hours('2026-04-04T17:00:00Z', 'Pacific/Auckland')).toBe(25)
})

test.each([
  ['2026-01-31T12:00:00Z', 1, 'UTC', '2026-03-01T00:00:00Z'],
  ['2028-01-31T12:00:00Z', 1, 'UTC', '2028-03-01T00:00:00Z'],
  ['2028-02-29T12:00:00Z', 12, 'UTC', '2029-03-01T00:00:00Z'],
  ['2028-02-29T12:00:00Z', 48, 'UTC', '2032-03-01T00:00:00Z'],
  ['2026-12-31T18:00:00Z', 2, 'Asia/Kolkata', '2027-02-28T18:30:00Z'],
  ['2026-08-01T12:00:00Z', 12, 'America/New_York', '2027-08-02T04:00:00Z'],
  ['2026-08-31T11:00:00Z', 18, 'Pacific/Auckland', '2028-02-29T11:00:00Z'],
])('points of %s that live %i months in %s are gone at %s', (earned, months, timeZone, gone) => {
  expect(formatInstant(endOfDayMonthsLater(at(earned), months, timeZone))).toBe(gone)
})

test('new year comes when the shop celebrates it', () => {
  expect(formatInstant(startOfYear(2027, 'Pacific/Kiritimati'))).toBe('2026-12-31T10:00:00Z')
  expect(formatInstant(startOfYear(2027, 'Pacific/Honolulu'))).toBe('2027-01-01T10:00:00Z')
  expect(yearAt(at('2026-12-31T11:00:00Z'), 'Pacific/Kiritimati')).toBe(2027)
  expect(formatInstant(startOfMonth(at('2026-03-01T03:00:00Z'), 'America/New_York'))).toBe('2026-02-01T05:00:00Z')
})

test('day numbers and dates are each other’s inverse', () => {
  fc.assert(
    fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (day) => {
      const date = fromDayNumber(day)
      expect(toDayNumber(date.year, date.month, date.day)).toBe(day)
      expect(Date.UTC(2000, 0, 1) + (day - 10_957) * DAY_MS).toBe(
        new Date(0).setUTCFullYear(date.year, date.month - 1, date.day),
      )
    }),
  )
})

test.each([
  ['2026-08-03T14:05:12-04:00', '2026-08-03T18:05:12Z'],
  ['2026-08-03T18:05:12Z', '2026-08-03T18:05:12Z'],
  ['2026-08-03T18:05:12.5Z', '2026-08-03T18:05:12.500Z'],
  ['2026-08-03T18:05:12.123456Z', '2026-08-03T18:05:12.123Z'],
  ['2026-08-03T18:05Z', '2026-08-03T18:05:00Z'],
  ['2028-02-29T00:00:00+05:45', '2028-02-28T18:15:00Z'],
])('the instant %s is %s', (text, expected) => {
  expect(formatInstant(at(text))).toBe(expected)
})

test.each([
  '2026-08-03',
  '2026-08-03T18:05:12',
  '2026-08-03 18:05:12Z',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-04-00T00:00:00Z',
  '2026-08-03T24:00:00Z',
  '2026-08-03T18:60:00Z',
  '2026-08-03T18:05:60Z',
  '2026-08-03T18:05:12+24:00',
  '2026-08-03T18:05:12+0400',
  'yesterday',
  '',
])('"%s" is no instant', (text) => {
  expect(parseInstant(text)).toBeNull()
})

test.each(['2026-05-02', '2026-05-02T00:00Z', '2026-05-02T00:00+02:00', '2026-02-30T00:00', '2026-05-02T24:00'])(
  '"%s" is no local time',
  (text) => {
    expect(parseLocalDateTime(text)).toBeNull()
  },
)

test('instants survive being written and read', () => {
  fc.assert(fc.property(instant, (epoch) => void expect(parseInstant(formatInstant(epoch))).toBe(epoch)))
})

test('only names of the time-zone database are zones', () => {
  expect(ZONES.every((name) => isTimeZone(name))).toBe(true)
  for (const name of ['', '+05:00', 'Mars/Olympus', 'EDT', 'New York']) expect(isTimeZone(name)).toBe(false)
})

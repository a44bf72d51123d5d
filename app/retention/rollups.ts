/**
 * Measures kept up to date: counters that change by a constant number with each order, and every measure read from them, so
 * that a page over a million orders never scans them.
 *
 * A *counter* is a whole number with a kind and up to two places (a month, a pair of months, a value). A customer's orders in order of
 * time add to the counters term by term, and each term looks at an order, the one before it and the one after it, so a change
 * touches the terms around it and no others: take away what the orders from just before the change on gave, add what they
 * give now, and all that is unchanged cancels out. Late orders, refunds and cancellations are the same thing. Only an
 * order that becomes (or was) the customer's first one reaches further: it takes the customer to another cohort.
 *
 * A period's measures come from whole months, any run of them. Its distinct buyers are the orders that are their customer's first
 * in a month and whose customer had ordered before in a month before the period, or never: so a month's buyers are kept by the month of
 * their order before. CRR (S, E, N, R, B) comes from two terms: an order at a makes its customer active at the day starts
 * in (a, min(next order, a + window)], kept as a difference array, +1 at the first and −1 after the last of them; and its
 * customer has lapsed at the first month start after a + window if no order comes before that, and until the month of the next
 * one, by which lapses are kept too. This needs a window longer than any month.
 *
 * A run of other days, of at most {@link LONGEST_DAYS}, has the same measures from counters by day. Its distinct buyers are its orders
 * less those whose customer's order before lies in it too, so the orders of a day are kept by how many days before that was, where
 * these are few. Whoever is active at its end was so at its start, is new, or came back: orders that end a lapse are kept by
 * the days that it had lasted, and those whose lapse was there at the start are B. So R = E − N − B.
 */
import { monthOfDay, startOfMonthNumber } from './calendar.ts'
import type { Cohort, MonthCounts } from './cohorts.ts'
import type { Crr } from './crr.ts'
import { toCrr } from './crr.ts'
import { toRate } from './exact.ts'
import type { IntervalDays } from './intervals.ts'
import { ownLimits, type OwnLimits } from './lifecycle.ts'
import { firstDayOf, LONGEST_DAYS, type Period } from './periods.ts'
import type { Breakpoints, Histogram } from './rfm.ts'
import { findBreakpoints } from './rfm.ts'
import { DAY_MS, HOUR_MS, dayNumberAt, monthNumberAt } from '../loyalty/time.ts'

/** An order that counts, of one customer; `cycleDays` where a replacement cycle applies to it (lifecycle.ts). */
export type CountedOrder = { id: string; at: number; amountMinor: number; cycleDays?: number | null }

/** The shop's zone and the activity window in days of 24 hours, at least 32: longer than any month, also one with an hour too many. */
export type RollupSettings = { timeZone: string; activityDays: number }

/**
 * What is kept of a customer: all its orders that count, in four numbers, and its own limits of the lifecycle where a replacement
 * cycle applies to one of them.
 */
export type Standing = {
  orders: number
  revenueMinor: number
  firstAt: number
  lastAt: number
  limits?: OwnLimits | null
}

/** Numbers of kinds that were counted in another way once: a shop that still has some is recounted. */
export const RETIRED_KINDS: readonly number[] = [1, 3, 6, 7]

/** The kinds of counters; x and y are their places, 0 where they have none. Months and days count from January 1970. */
export const COUNTER_KINDS = {
  /** orders and revenue of month x, and of day x */
  orders: 20,
  revenue: 2,
  dayOrders: 21,
  dayRevenue: 22,
  /** orders of day x whose customer's order before was y days earlier, below LONGEST_DAYS, or that were its first (NO_MONTH) */
  again: 23,
  /** customers who ordered on day x and had not been active for y day starts up to its own; LONGEST_DAYS stands for more */
  back: 24,
  /** buyers of month x whose order before was in month y, or whose first one it was (NO_MONTH) */
  buyers: 14,
  /** buyers in month y, and their revenue, of the customers whose first month was x */
  cohortBuyers: 4,
  cohortRevenue: 5,
  /** change of the number of customers active, at the start of day x */
  active: 15,
  /** customers active at the start of month x − 1 and no longer at that of x, by the month of their next order y (NO_MONTH: none) */
  lapsed: 16,
  /** intervals in bucket x (hours) between consecutive orders; of those from the y-th order to the next */
  interval: 8,
  intervalAfter: 9,
  /** the sum of all intervals: whole days (x = 0) and milliseconds beyond them (x = 1) */
  intervalSum: 10,
  /** customers whose last order was on day x, with x orders, with revenue in bucket x */
  lastDay: 11,
  frequency: 12,
  money: 13,
  /** of customers with limits of their own: last order, passive from and lost from day x */
  ownLastDay: 17,
  ownPassiveDay: 18,
  ownLostDay: 19,
} as const
/** What a counter counts. */
export type CounterKind = keyof typeof COUNTER_KINDS

/** Counters by kind and places; ones that are 0 are not there. Numbers as keys: a recount adds some ten million times. */
export type Counters = Map<CounterKind, Map<number, number>>

/** Intervals are told apart by the order they follow up to this one: 1 → 2, 2 → 3, 3 → 4, 4 → 5. */
export const LAST_ORDINAL = 4

/** Kinds with a second place; the others have 0 there. */
const HAS_Y: ReadonlySet<CounterKind> = new Set([
  ...(['buyers', 'cohortBuyers', 'cohortRevenue', 'lapsed', 'intervalAfter', 'again', 'back'] as const),
])
/** Second places are months, ordinals and numbers of days: below half of this, whatever their sign. */
const Y_SPAN = 65_536
/** The month of an order that there is not. */
export const NO_MONTH = -Y_SPAN / 2

function keyOf(kind: CounterKind, x: number, y: number): number {
  return HAS_Y.has(kind) ? pairOf(x, y) : x
}

function pairOf(x: number, y: number): number {
  return x * Y_SPAN + y + Y_SPAN / 2
}

/** "cohortBuyers:660:663". */
export function nameCounter({ kind, x, y }: Pick<CounterRow, 'kind' | 'x' | 'y'>): string {
  return `${kind}:${x}:${y}`
}

/**
 * One customer's change. The orders are those that count, by time, from the last one before the earliest change on (that one included) or
 * from the first on where there is none before it: `skipped` says how many were left out. Before and after have the same ones left out.
 * Of a customer with limits of its own, none is left out where an order of before is changed or gone: it may have set them.
 */
export type CustomerChange = {
  standing: Standing | null
  skipped: number
  before: readonly CountedOrder[]
  after: readonly CountedOrder[]
}

/** Adds to `counters` what the change adds to the shop's, and returns how the customer stands after it (null: no orders left). */
export function changeCounters(counters: Counters, change: CustomerChange, settings: RollupSettings): Standing | null {
  const { standing, skipped, before, after } = change
  const next = standAfter(change, settings)
  if (before.length > 0) countOrders(counters, -1, before, skipped, standing!.firstAt, settings)
  if (after.length > 0) countOrders(counters, 1, after, skipped, next!.firstAt, settings)
  countStanding(counters, -1, standing, settings)
  countStanding(counters, 1, next, settings)
  return next
}

function standAfter(
  { standing, skipped, before, after }: CustomerChange,
  { timeZone }: RollupSettings,
): Standing | null {
  const orders = skipped + after.length
  if (orders === 0) return null
  const sum = (list: readonly CountedOrder[]) => list.reduce((total, order) => total + order.amountMinor, 0)
  return {
    orders,
    revenueMinor: (standing?.revenueMinor ?? 0) - sum(before) + sum(after),
    firstAt: skipped > 0 ? standing!.firstAt : after[0]!.at,
    lastAt: after.at(-1)!.at,
    limits: ownLimits(after, timeZone, skipped > 0 ? standing!.limits : null),
  }
}

function countOrders(
  counters: Counters,
  sign: 1 | -1,
  orders: readonly CountedOrder[],
  skipped: number,
  firstAt: number,
  { timeZone, activityDays }: RollupSettings,
): void {
  const windowMs = activityDays * DAY_MS
  // Looked up once for a customer: a recount adds some ten million times.
  const of = (kind: CounterKind) => placesOf(counters, kind)
  const [inMonth, revenue, buyers] = [of('orders'), of('revenue'), of('buyers')]
  const [active, lapsed, again, back] = [of('active'), of('lapsed'), of('again'), of('back')]
  const [onDay, dayRevenue] = [of('dayOrders'), of('dayRevenue')]
  const [cohortBuyers, cohortRevenue] = [of('cohortBuyers'), of('cohortRevenue')]
  const [interval, intervalAfter] = [of('interval'), of('intervalAfter')]
  const cohort = monthNumberAt(firstAt, timeZone)
  let [gapDays, gapRest] = [0, 0]
  let monthBefore = NO_MONTH
  let day = dayNumberAt(orders[0]!.at, timeZone)
  for (let place = 0; place < orders.length; place++) {
    const { at, amountMinor } = orders[place]!
    const month = monthOfDay(day)
    const next = orders[place + 1]
    const nextDay = next ? dayNumberAt(next.at, timeZone) : Infinity
    // A day starts at or before an instant exactly when it is not after the instant's day; so with months.
    const lastCovered = dayNumberAt(at + windowMs, timeZone)
    addAt(inMonth, month, sign)
    addAt(revenue, month, sign * amountMinor)
    addAt(onDay, day, sign)
    addAt(dayRevenue, day, sign * amountMinor)
    if (place === 0) addAt(again, pairOf(day, NO_MONTH), sign)
    addAt(cohortRevenue, pairOf(cohort, month), sign * amountMinor)
    if (month !== monthBefore) {
      addAt(buyers, pairOf(month, monthBefore), sign)
      addAt(cohortBuyers, pairOf(cohort, month), sign)
    }
    if (next) {
      const gap = next.at - at
      const wholeDays = Math.floor(gap / DAY_MS)
      gapDays += wholeDays
      gapRest += gap - wholeDays * DAY_MS
      const hours = bucketInterval(gap)
      const ordinal = skipped + place + 1
      addAt(interval, hours, sign)
      if (ordinal <= LAST_ORDINAL) addAt(intervalAfter, pairOf(hours, ordinal), sign)
      if (nextDay - day < LONGEST_DAYS) addAt(again, pairOf(nextDay, nextDay - day), sign)
      const silent = nextDay - lastCovered - 1
      if (silent >= 0) addAt(back, pairOf(nextDay, Math.min(silent, LONGEST_DAYS)), sign)
    }
    const lastActive = Math.min(nextDay, lastCovered)
    if (lastActive > day) {
      addAt(active, day + 1, sign)
      addAt(active, lastActive + 1, -sign)
    }
    const lapsedIn = monthOfDay(lastCovered) + 1
    const nextMonth = next ? monthOfDay(nextDay) : NO_MONTH
    if (!next || nextMonth >= lapsedIn) addAt(lapsed, pairOf(lapsedIn, nextMonth), sign)
    monthBefore = month
    day = nextDay
  }
  addTo(counters, 'intervalSum', 0, 0, sign * gapDays)
  addTo(counters, 'intervalSum', 1, 0, sign * gapRest)
}

function countStanding(
  counters: Counters,
  sign: 1 | -1,
  standing: Standing | null,
  { timeZone }: RollupSettings,
): void {
  if (!standing) return
  addTo(counters, 'lastDay', dayNumberAt(standing.lastAt, timeZone), 0, sign)
  addTo(counters, 'frequency', standing.orders, 0, sign)
  addTo(counters, 'money', bucketMoney(standing.revenueMinor), 0, sign)
  if (!standing.limits) return
  addTo(counters, 'ownLastDay', dayNumberAt(standing.lastAt, timeZone), 0, sign)
  addTo(counters, 'ownPassiveDay', dayNumberAt(standing.limits.passiveFrom, timeZone), 0, sign)
  addTo(counters, 'ownLostDay', dayNumberAt(standing.limits.lostFrom, timeZone), 0, sign)
}

/** Adds a row to counters. */
export function addToCounters(counters: Counters, { kind, x, y, value }: CounterRow): void {
  addTo(counters, kind, x, y, value)
}

function addTo(counters: Counters, kind: CounterKind, x: number, y: number, by: number): void {
  addAt(placesOf(counters, kind), keyOf(kind, x, y), by)
}

function placesOf(counters: Counters, kind: CounterKind): Map<number, number> {
  let places = counters.get(kind)
  if (!places) counters.set(kind, (places = new Map<number, number>()))
  return places
}

function addAt(places: Map<number, number>, key: number, by: number): void {
  if (by === 0) return
  const sum = (places.get(key) ?? 0) + by
  if (sum === 0) places.delete(key)
  else places.set(key, sum)
}

/** Intervals are kept to the hour below this, to the day from there on. */
const HOURLY_DAYS = 30

/**
 * An interval as its histogram keeps it, in hours: the whole hour below it up to 30 days, the whole day below it after. So the
 * histogram has some two thousand places however many orders there are, and a quartile is right to the hour, or to the day.
 */
export function bucketInterval(gapMs: number): number {
  if (gapMs < HOURLY_DAYS * DAY_MS) return Math.floor(gapMs / HOUR_MS)
  return Math.floor(gapMs / DAY_MS) * 24
}

/** The middle of a bucket of {@link bucketInterval}, in milliseconds: what its intervals come to on average, half a day off at most. */
function middleOfBucket(hours: number): number {
  return hours * HOUR_MS + (hours < HOURLY_DAYS * 24 ? HOUR_MS : DAY_MS) / 2
}

/**
 * Revenue as the money histogram keeps it: cut to its first 9 binary digits, so that a shop of any size has a few thousand values and
 * values less than 0.4 % apart may share one. Larger revenue never has a smaller bucket.
 */
export function bucketMoney(minor: number): number {
  const size = Math.abs(minor)
  const unit = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, size))) - 8)
  return Math.sign(minor) * Math.floor(size / unit) * unit
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The counters of one kind by their places. */
export type CounterRow = { kind: CounterKind; x: number; y: number; value: number }

/** Counters as rows, for reading and for writing. */
export function* listCounters(counters: Counters): Generator<CounterRow> {
  for (const [kind, places] of counters) {
    for (const [key, value] of places) {
      const x = HAS_Y.has(kind) ? Math.floor(key / Y_SPAN) : key
      yield { kind, x, y: HAS_Y.has(kind) ? key - x * Y_SPAN - Y_SPAN / 2 : 0, value }
    }
  }
}

/** Customers whose last order lies in [from, until): asked of the customers, who know the instant where the counters know the day. */
export type CountLastOrders = (from: number, until: number) => number

/** What a period's orders are; `customersByEnd` is everyone who had ordered before its end. CRR is null where it is too long for one. */
export type PeriodMeasures = Omit<MonthCounts, 'month'> & { crr: Crr | null; partial: boolean }

/** One month as the pages show it. */
export type MonthMeasures = PeriodMeasures & { month: number; crr: Crr }

/** The counters of kinds orders, revenue, buyers, active and lapsed, laid out to read periods from. */
export type PeriodCounters = {
  /** The shop's first month with an order; null without orders. */
  firstMonth: number | null
  orders: ReadonlyMap<number, number>
  revenue: ReadonlyMap<number, number>
  buyers: ReadonlyMap<number, ReadonlyMap<number, number>>
  lapsed: ReadonlyMap<number, ReadonlyMap<number, number>>
  /** Customers active at the start of a day. */
  activeAt: (day: number) => number
}

/** Lays the counters out; other kinds are passed over. */
export function layOutCounters(rows: Iterable<CounterRow>): PeriodCounters {
  const [orders, revenue] = [new Map<number, number>(), new Map<number, number>()]
  const pairs = { buyers: new Map<number, Map<number, number>>(), lapsed: new Map<number, Map<number, number>>() }
  const changes: { day: number; active: number }[] = []
  for (const { kind, x, y, value } of rows) {
    if (kind === 'orders') orders.set(x, value)
    else if (kind === 'revenue') revenue.set(x, value)
    else if (kind === 'active') changes.push({ day: x, active: value })
    else if (kind === 'buyers' || kind === 'lapsed') {
      const of = pairs[kind].get(x) ?? new Map<number, number>()
      pairs[kind].set(x, of.set(y, value))
    }
  }
  changes.sort((a, b) => a.day - b.day)
  let sum = 0
  for (const change of changes) change.active = sum += change.active
  const activeAt = (day: number) => {
    let [low, high] = [-1, changes.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (changes[middle]!.day <= day) low = middle
      else high = middle - 1
    }
    return low < 0 ? 0 : changes[low]!.active
  }
  return { firstMonth: orders.size === 0 ? null : Math.min(...orders.keys()), orders, revenue, ...pairs, activeAt }
}

/**
 * Customers whose last order before the period's end lies inside the period and yet before the activity window: there are none but
 * in a leap year. Those who were not active at its start either, and of these the new ones.
 */
export type LapsedInside = { inactive: number; new: number }

/**
 * The measures of the months from `from` up to but without `until`, cut at T, where E and R are counted from the customers by
 * `lastIn`. CRR of a period longer than the activity window needs `lapsedInside` and is null without.
 */
export function readPeriod(
  counters: PeriodCounters,
  { from, until }: { from: number; until: number },
  asOf: number,
  { timeZone, activityDays }: RollupSettings,
  lastIn: CountLastOrders,
  lapsedInside: LapsedInside | null = null,
): PeriodMeasures {
  const windowMs = activityDays * DAY_MS
  const fromAt = startOfMonthNumber(from, timeZone)
  const endAt = startOfMonthNumber(until, timeZone)
  const partial = endAt > asOf
  const untilAt = Math.min(endAt, asOf)
  const counts = countPeriod(counters, from, until)
  const isLong = untilAt - fromAt > windowMs
  if (isLong && !lapsedInside) return { ...counts, crr: null, partial }
  const S = counters.activeAt(dayNumberAt(fromAt, timeZone))
  const E = partial ? lastIn(asOf - windowMs, asOf) : counters.activeAt(dayNumberAt(endAt, timeZone))
  let lapsed = 0
  if (partial) lapsed = lastIn(fromAt - windowMs, asOf - windowMs)
  else {
    for (let month = from + 1; month <= until; month++) {
      for (const [next, customers] of counters.lapsed.get(month) ?? []) {
        if (next === NO_MONTH || next >= until) lapsed += customers
      }
    }
  }
  const inside = isLong ? lapsedInside! : { inactive: 0, new: 0 }
  const R = S - lapsed + inside.inactive
  const N = counts.newBuyers - inside.new
  return { ...counts, crr: toCrr({ S, E, N, R, B: E - R - N }), partial }
}

/**
 * What the counters of days come to in a period. `newBefore` are customers whose first order came before it, but in the month in which
 * it begins; `repeats` are orders whose customer's order before lies in it too; `back` are customers who came back and had
 * lapsed when it began (one who lapsed only inside it was active at its start).
 */
export type DaySums = {
  orders: number
  revenueMinor: number
  newBuyers: number
  newBefore: number
  repeats: number
  back: number
}

/** Adds up the counters of a period's days, of at most {@link LONGEST_DAYS}; other rows are passed over. */
export function sumDays(rows: Iterable<CounterRow>, { from, until }: Period): DaySums {
  const sums = { orders: 0, revenueMinor: 0, newBuyers: 0, newBefore: 0, repeats: 0, back: 0 }
  const monthFrom = firstDayOf(monthOfDay(from))
  for (const { kind, x, y, value } of rows) {
    if (x < monthFrom || x >= until) continue
    if (kind === 'again' && y === NO_MONTH) sums[x < from ? 'newBefore' : 'newBuyers'] += value
    if (x < from) continue
    if (kind === 'dayOrders') sums.orders += value
    else if (kind === 'dayRevenue') sums.revenueMinor += value
    else if (kind === 'again' && y >= 0 && y <= x - from) sums.repeats += value
    else if (kind === 'back' && y >= x - from) sums.back += value
  }
  return sums
}

/**
 * The measures of a run of days that is no longer than {@link LONGEST_DAYS} nor than the activity window, from their sums. T may cut its
 * last day short; who is active then is asked of `lastIn`, as in {@link readPeriod}.
 */
export function readDays(
  counters: PeriodCounters,
  { from, until }: Period,
  sums: DaySums,
  asOf: number,
  { timeZone, activityDays }: RollupSettings,
  lastIn: CountLastOrders,
): PeriodMeasures {
  const { orders, revenueMinor, newBuyers, repeats, back: B } = sums
  const partial = dayNumberAt(asOf, timeZone) < until
  const month = monthOfDay(from)
  let customersByEnd = sums.newBefore + newBuyers
  for (const [known, buyers] of counters.buyers) if (known < month) customersByEnd += buyers.get(NO_MONTH) ?? 0
  const [S, N] = [counters.activeAt(from), newBuyers]
  const E = partial ? lastIn(asOf - activityDays * DAY_MS, asOf) : counters.activeAt(until)
  const crr = toCrr({ S, E, N, R: E - N - B, B })
  return { orders, revenueMinor, buyers: orders - repeats, newBuyers, customersByEnd, crr, partial }
}

function countPeriod(counters: PeriodCounters, from: number, until: number): Omit<MonthCounts, 'month'> {
  const counts = { orders: 0, revenueMinor: 0, buyers: 0, newBuyers: 0, customersByEnd: 0 }
  for (let month = counters.firstMonth ?? until; month < until; month++) {
    const buyers = counters.buyers.get(month)
    const first = buyers?.get(NO_MONTH) ?? 0
    counts.customersByEnd += first
    if (month < from) continue
    counts.orders += counters.orders.get(month) ?? 0
    counts.revenueMinor += counters.revenue.get(month) ?? 0
    counts.newBuyers += first
    for (const [before, customers] of buyers ?? []) if (before < from) counts.buyers += customers
  }
  return counts
}

/** Every month from the shop's first to that of the last instant before T; the one that T cuts short is marked. */
export function readMonths(
  counters: PeriodCounters,
  asOf: number,
  settings: RollupSettings,
  lastIn: CountLastOrders,
): MonthMeasures[] {
  const lastMonth = monthNumberAt(asOf - 1, settings.timeZone)
  const months: MonthMeasures[] = []
  for (let month = counters.firstMonth ?? Infinity; month <= lastMonth; month++) {
    const { crr, ...row } = readPeriod(counters, { from: month, until: month + 1 }, asOf, settings, lastIn)
    // No month is longer than the window.
    months.push({ month, ...row, crr: crr! })
  }
  return months
}

/** Cohorts up to T's month, from the counters of kinds cohortBuyers and cohortRevenue. */
export function readCohorts(rows: Iterable<CounterRow>, asOf: number, { timeZone }: RollupSettings): Cohort[] {
  const lastMonth = monthNumberAt(asOf - 1, timeZone)
  const cohorts = new Map<number, Cohort>()
  for (const { kind, x, y, value } of rows) {
    if (kind !== 'cohortBuyers' && kind !== 'cohortRevenue') continue
    const length = lastMonth - x + 1
    let cohort = cohorts.get(x)
    if (!cohort) {
      const zeros = () => new Array<number>(length).fill(0)
      cohorts.set(x, (cohort = { month: x, size: 0, active: zeros(), revenueMinor: zeros() }))
    }
    if (kind === 'cohortRevenue') cohort.revenueMinor[y - x] = value
    else cohort.active[y - x] = value
    if (kind === 'cohortBuyers' && y === x) cohort.size = value
  }
  return [...cohorts.values()].filter(({ size }) => size > 0).sort((a, b) => a.month - b.month)
}

/**
 * Intervals from their histogram, of one ordinal or of all: the mean over all exact, that of an ordinal by the middles of buckets,
 * quartiles as {@link bucketInterval} has them.
 */
export function readIntervals(rows: Iterable<CounterRow>, ordinal?: number): IntervalDays {
  const hours: { value: number; count: number }[] = []
  let [days, rest] = [0, 0]
  for (const { kind, x, y, value } of rows) {
    if (ordinal === undefined ? kind === 'interval' : kind === 'intervalAfter' && y === ordinal) {
      hours.push({ value: x, count: value })
    }
    if (kind === 'intervalSum' && ordinal === undefined) [days, rest] = x === 0 ? [value, rest] : [days, value]
  }
  hours.sort((a, b) => a.value - b.value)
  const count = hours.reduce((sum, bucket) => sum + bucket.count, 0)
  const total =
    ordinal === undefined
      ? BigInt(days) * BigInt(DAY_MS) + BigInt(rest)
      : hours.reduce((sum, { value, count: size }) => sum + BigInt(middleOfBucket(value)) * BigInt(size), 0n)
  const quantile = (percent: number) => quantileOfHours(hours, count, percent)
  return {
    count,
    mean: toRate(total, BigInt(count) * BigInt(DAY_MS)),
    median: quantile(50),
    p25: quantile(25),
    p75: quantile(75),
    p90: quantile(90),
  }
}

function quantileOfHours(hours: { value: number; count: number }[], count: number, percent: number): number | null {
  if (count === 0) return null
  const hundredths = (count - 1) * percent
  const place = Math.floor(hundredths / 100)
  const at = (rank: number) => {
    let seen = 0
    for (const { value, count: size } of hours) if ((seen += size) > rank) return value
    return hours.at(-1)!.value
  }
  const below = at(place)
  const scaled = below * 100 + (at(place + 1) - below) * (hundredths - place * 100)
  return toRate(scaled, 2400)
}

/** All customers, and those with 2 orders or more, from the counters of kind frequency. */
export function readCustomers(rows: Iterable<CounterRow>): { customers: number; repeatCustomers: number } {
  let [customers, repeatCustomers] = [0, 0]
  for (const { kind, x, value } of rows) {
    if (kind !== 'frequency') continue
    customers += value
    if (x >= 2) repeatCustomers += value
  }
  return { customers, repeatCustomers }
}

/** The breakpoints of recency (day), frequency or money (bucket); null without customers. */
export function readBreakpoints(
  rows: Iterable<CounterRow>,
  kind: 'lastDay' | 'frequency' | 'money',
): Breakpoints | null {
  const histogram: Histogram = [...rows]
    .filter((row) => row.kind === kind)
    .map(({ x, value }) => ({ value: x, customers: value }))
    .sort((a, b) => a.value - b.value)
  return histogram.length === 0 ? null : findBreakpoints(histogram)
}

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
 * CRR comes from two of these terms (S, E, N, R, B of every month follow): an order at a makes its customer active at the month
 * starts in (a, min(next order, a + window)], kept as a difference array, +1 at the first and −1 after the last of them; and
 * it lapses at the first month start after a + window unless another order comes before that. This needs a window longer
 * than any month.
 */
import { startOfMonthNumber } from './calendar.ts'
import type { Cohort, MonthCounts } from './cohorts.ts'
import type { Crr } from './crr.ts'
import { toCrr } from './crr.ts'
import { toRate } from './exact.ts'
import type { IntervalDays } from './intervals.ts'
import type { Breakpoints, Histogram } from './rfm.ts'
import { findBreakpoints } from './rfm.ts'
import { DAY_MS, HOUR_MS, dayNumberAt, monthNumberAt } from '../loyalty/time.ts'

/** An order that counts, of one customer. */
export type CountedOrder = { id: string; at: number; amountMinor: number }

/** The shop's zone and the activity window in days of 24 hours, at least {@link SHORTEST_WINDOW_DAYS}. */
export type RollupSettings = { timeZone: string; activityDays: number }

/** Longer than any month, also one with an hour too many. */
export const SHORTEST_WINDOW_DAYS = 32

/** What is kept of a customer: all its orders that count, in four numbers. */
export type Standing = { orders: number; revenueMinor: number; firstAt: number; lastAt: number }

/** The kinds of counters; x and y are their places, 0 where they have none. Months count from January 1970. */
export const COUNTER_KINDS = {
  /** orders, revenue and buyers of month x */
  orders: 1,
  revenue: 2,
  buyers: 3,
  /** buyers in month y, and their revenue, of the customers whose first month was x */
  cohortBuyers: 4,
  cohortRevenue: 5,
  /** change of the number of customers active, at the start of month x */
  active: 6,
  /** customers active at the start of month x − 1 and no longer at that of x */
  lapsed: 7,
  /** intervals in bucket x (hours) between consecutive orders; of those from the y-th order to the next */
  interval: 8,
  intervalAfter: 9,
  /** the sum of all intervals: whole days (x = 0) and milliseconds beyond them (x = 1) */
  intervalSum: 10,
  /** customers whose last order was on day x, with x orders, with revenue in bucket x */
  lastDay: 11,
  frequency: 12,
  money: 13,
} as const
/** What a counter counts. */
export type CounterKind = keyof typeof COUNTER_KINDS

/** Counters by kind and places; ones that are 0 are not there. Numbers as keys: a recount adds some ten million times. */
export type Counters = Map<CounterKind, Map<number, number>>

/** Intervals are told apart by the order they follow up to this one: 1 → 2, 2 → 3, 3 → 4, 4 → 5. */
export const LAST_ORDINAL = 4

/** Kinds with a second place; the others have 0 there. */
const HAS_Y: ReadonlySet<CounterKind> = new Set(['cohortBuyers', 'cohortRevenue', 'intervalAfter'] as const)
/** Second places are months and ordinals: below this, whatever their sign. */
const Y_SPAN = 65_536

function keyOf(kind: CounterKind, x: number, y: number): number {
  return HAS_Y.has(kind) ? x * Y_SPAN + y + Y_SPAN / 2 : x
}

/** "cohortBuyers:660:663". */
export function nameCounter({ kind, x, y }: Pick<CounterRow, 'kind' | 'x' | 'y'>): string {
  return `${kind}:${x}:${y}`
}

/**
 * One customer's change. The orders are those that count, by time, from the last one before the earliest change on (that one included) or
 * from the first on where there is none before it: `skipped` says how many were left out. Before and after have the same ones left out.
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
  const next = standAfter(change)
  if (before.length > 0) countOrders(counters, -1, before, skipped, standing!.firstAt, settings)
  if (after.length > 0) countOrders(counters, 1, after, skipped, next!.firstAt, settings)
  countStanding(counters, -1, standing, settings)
  countStanding(counters, 1, next, settings)
  return next
}

/** All counters of a shop from all its customers: what a rebuild writes and `measures:verify` compares with. */
export function countShop(customers: Iterable<readonly CountedOrder[]>, settings: RollupSettings): Counters {
  const counters: Counters = new Map()
  for (const orders of customers) {
    changeCounters(counters, { standing: null, skipped: 0, before: [], after: orders }, settings)
  }
  return counters
}

function standAfter({ standing, skipped, before, after }: CustomerChange): Standing | null {
  const orders = skipped + after.length
  if (orders === 0) return null
  const sum = (list: readonly CountedOrder[]) => list.reduce((total, order) => total + order.amountMinor, 0)
  return {
    orders,
    revenueMinor: (standing?.revenueMinor ?? 0) - sum(before) + sum(after),
    firstAt: skipped > 0 ? standing!.firstAt : after[0]!.at,
    lastAt: after.at(-1)!.at,
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
  const add = (kind: CounterKind, x: number, y: number, by: number) => addTo(counters, kind, x, y, sign * by)
  const cohort = monthNumberAt(firstAt, timeZone)
  let [gapDays, gapRest] = [0, 0]
  let monthBefore = -Infinity
  let month = monthNumberAt(orders[0]!.at, timeZone)
  for (let place = 0; place < orders.length; place++) {
    const { at, amountMinor } = orders[place]!
    const next = orders[place + 1]
    const nextMonth = next ? monthNumberAt(next.at, timeZone) : Infinity
    add('orders', month, 0, 1)
    add('revenue', month, 0, amountMinor)
    add('cohortRevenue', cohort, month, amountMinor)
    if (month !== monthBefore) {
      add('buyers', month, 0, 1)
      add('cohortBuyers', cohort, month, 1)
    }
    if (next) {
      const gap = next.at - at
      const wholeDays = Math.floor(gap / DAY_MS)
      gapDays += wholeDays
      gapRest += gap - wholeDays * DAY_MS
      const hours = bucketInterval(gap)
      const ordinal = skipped + place + 1
      add('interval', hours, 0, 1)
      if (ordinal <= LAST_ORDINAL) add('intervalAfter', hours, ordinal, 1)
    }
    // A month start t is at or before an instant exactly when t's month is not after the instant's month.
    const lastCovered = monthNumberAt(at + windowMs, timeZone)
    const lastActive = Math.min(nextMonth, lastCovered)
    if (lastActive > month) {
      add('active', month + 1, 0, 1)
      add('active', lastActive + 1, 0, -1)
    }
    if (nextMonth > lastCovered) add('lapsed', lastCovered + 1, 0, 1)
    monthBefore = month
    month = nextMonth
  }
  add('intervalSum', 0, 0, gapDays)
  add('intervalSum', 1, 0, gapRest)
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
}

/** Adds a row to counters. */
export function addToCounters(counters: Counters, { kind, x, y, value }: CounterRow): void {
  addTo(counters, kind, x, y, value)
}

function addTo(counters: Counters, kind: CounterKind, x: number, y: number, by: number): void {
  if (by === 0) return
  let places = counters.get(kind)
  if (!places) counters.set(kind, (places = new Map<number, number>()))
  const key = keyOf(kind, x, y)
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

/** One month as the pages show it. */
export type MonthMeasures = MonthCounts & { crr: Crr; partial: boolean }

/**
 * Every month from the shop's first to that of the last instant before T, from the counters of kinds orders, revenue, buyers,
 * cohortBuyers, active and lapsed. A month that T cuts short is marked; its E and R are counted from the customers by `lastIn`.
 */
export function readMonths(
  rows: Iterable<CounterRow>,
  asOf: number,
  { timeZone, activityDays }: RollupSettings,
  lastIn: CountLastOrders,
): MonthMeasures[] {
  const of: Partial<Record<CounterKind, Map<number, number>>> = {}
  for (const { kind, x, y, value } of rows) {
    if (kind === 'cohortBuyers' && x !== y) continue
    const places = (of[kind] ??= new Map<number, number>())
    places.set(x, value)
  }
  const at = (kind: CounterKind, month: number) => of[kind]?.get(month) ?? 0
  if (!of.orders || of.orders.size === 0) return []
  const firstMonth = Math.min(...of.orders.keys())
  const lastMonth = monthNumberAt(asOf - 1, timeZone)
  const months: MonthMeasures[] = []
  let [S, customersByEnd] = [0, 0]
  for (let month = firstMonth; month <= lastMonth; month++) {
    S += at('active', month)
    const newBuyers = at('cohortBuyers', month)
    customersByEnd += newBuyers
    const startAt = startOfMonthNumber(month, timeZone)
    const partial = startOfMonthNumber(month + 1, timeZone) > asOf
    const windowMs = activityDays * DAY_MS
    const E = partial ? lastIn(asOf - windowMs, asOf) : S + at('active', month + 1)
    const R = S - (partial ? lastIn(startAt - windowMs, asOf - windowMs) : at('lapsed', month + 1))
    const crr = toCrr({ S, E, N: newBuyers, R, B: E - R - newBuyers })
    months.push({
      month,
      orders: at('orders', month),
      revenueMinor: at('revenue', month),
      buyers: at('buyers', month),
      newBuyers,
      customersByEnd,
      crr,
      partial,
    })
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

/** Intervals from their histogram: the mean over all exact, quartiles as {@link bucketInterval} has them; of one ordinal, or of all. */
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
      : hours.reduce((sum, bucket) => sum + BigInt(bucket.value * bucket.count) * BigInt(HOUR_MS), 0n)
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

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bruteForcePeriod, type Order } from './brute-force.ts'
import { ZONES, orders, toLog } from './order-logs.ts'
import { layOutMonths, nameMonth, startOfMonthNumber } from '#app/retention/calendar.ts'
import { dayNumberAt, fromDayNumber, startOfDate } from '#app/loyalty/time.ts'
import { countMonths } from '#app/retention/cohorts.ts'
import { listIntervals } from '#app/retention/intervals.ts'
import { measureOrders } from '#app/retention/measures.ts'
import { LONGEST_DAYS } from '#app/retention/periods.ts'
import type { CountedOrder, Counters, RollupSettings, Standing } from '#app/retention/rollups.ts'
import {
  bucketMoney,
  changeCounters,
  layOutCounters,
  listCounters,
  readBreakpoints,
  readCohorts,
  readCustomers,
  readDays,
  readIntervals,
  readMonths,
  readPeriod,
  sumDays,
} from '#app/retention/rollups.ts'
import { breakpointsOf } from '#app/retention/rfm.ts'

type Change =
  | { kind: 'place'; order: Order }
  | { kind: 'refund'; which: number; amountMinor: number }
  | { kind: 'cancel'; which: number }
  | { kind: 'last'; which: number; cycleDays: number | null }
  | { kind: 'move'; which: number; customer: string; at: number }

const settings = fc.record({ timeZone: fc.constantFrom(...ZONES), activityDays: fc.constantFrom(32, 90, 365, 800) })

const changes: fc.Arbitrary<Change[]> = orders.chain((list) =>
  fc.tuple(
    ...list.map((order) =>
      fc.oneof(
        { weight: 4, arbitrary: fc.constant<Change>({ kind: 'place', order }) },
        fc.record({ kind: fc.constant('refund' as const), which: fc.nat(), amountMinor: fc.nat(20_000) }),
        fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }),
        fc.record({
          kind: fc.constant('last' as const),
          which: fc.nat(),
          cycleDays: fc.constantFrom(null, 1, 30, 400, 3_650),
        }),
        fc.record({
          kind: fc.constant('move' as const),
          which: fc.nat(),
          customer: fc.constant(order.customer),
          at: fc.constant(order.at),
        }),
      ),
    ),
  ),
)

/** A shop that keeps its counters by changes alone, giving each change no more of a customer's orders than it asks for. */
class Shop {
  readonly counters: Counters = new Map()
  readonly standings = new Map<string, Standing | null>()
  orders: (Order & { id: string; cycleDays: number | null })[] = []
  private readonly settings: { timeZone: string; activityDays: number }
  private placed = 0

  constructor(settings: { timeZone: string; activityDays: number }) {
    this.settings = settings
  }

  apply(change: Change): void {
    const before = this.orders
    const after = this.orders.map((order) => ({ ...order }))
    const which = change.kind === 'place' ? undefined : after[change.which % after.length]
    if (change.kind === 'place') after.push({ ...change.order, id: String(this.placed++), cycleDays: null })
    else if (!which) return
    else if (change.kind === 'refund') which.amountMinor = change.amountMinor
    else if (change.kind === 'cancel') after.splice(after.indexOf(which), 1)
    else if (change.kind === 'last') which.cycleDays = change.cycleDays
    else Object.assign(which, { customer: change.customer, at: change.at })
    this.orders = after
    for (const customer of new Set([...before, ...after].map((order) => order.customer))) {
      this.update(customer, this.of(customer, before), this.of(customer, after))
    }
  }

  private of(customer: string, from: (Order & { id: string; cycleDays: number | null })[]): CountedOrder[] {
    return from.filter((order) => order.customer === customer).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  }

  private update(customer: string, before: CountedOrder[], after: CountedOrder[]): void {
    const same = (a: CountedOrder, b: CountedOrder) =>
      a.id === b.id && a.at === b.at && a.amountMinor === b.amountMinor && a.cycleDays === b.cycleDays
    const gone = before.filter((order) => !after.some((other) => same(order, other)))
    const changed = [...gone, ...after.filter((order) => !before.some((other) => same(order, other)))]
    if (changed.length === 0) return
    const earliest = Math.min(...changed.map((order) => order.at))
    const standing = this.standings.get(customer) ?? null
    const whole = gone.length > 0 && standing?.limits
    const skipped = whole ? 0 : Math.max(0, before.filter((order) => order.at < earliest).length - 1)
    const change = { standing, skipped, before: before.slice(skipped), after: after.slice(skipped) }
    this.standings.set(customer, changeCounters(this.counters, change, this.settings))
  }
}

/** All counters of a shop, counted at once from all the orders of its customers. */
function countShop(customers: Iterable<readonly CountedOrder[]>, settings: RollupSettings): Counters {
  const counters: Counters = new Map()
  for (const orders of customers) {
    changeCounters(counters, { standing: null, skipped: 0, before: [], after: orders }, settings)
  }
  return counters
}

test('the mean from one order to the next is right on average, though it is of whole hours and days', () => {
  const meanOf = (hours: (customer: number) => number) => {
    const customers = Array.from({ length: 480 }, (_, customer) =>
      [0, hours(customer) * 3_600_000].map((at, place) => ({ id: `${customer}-${place}`, at, amountMinor: 100 })),
    )
    const counters = countShop(customers, { timeZone: 'UTC', activityDays: 365 })
    return readIntervals(listCounters(counters), 1).mean!
  }
  // From 40 days to 50, and from 5 to 6, at all times of the day and the hour.
  expect(Math.abs(meanOf((customer) => 24 * 40 + customer / 2) - 45)).toBeLessThan(0.02)
  expect(Math.abs(meanOf((customer) => 24 * 5 + customer / 20) - 5.5)).toBeLessThan(0.02)
})

test('after any inserts, refunds, cancellations and back-dated orders the counters equal a full recount', () => {
  fc.assert(
    fc.property(changes, settings, (list, options) => {
      const shop = new Shop(options)
      for (const change of list) shop.apply(change)
      const customers = [...Map.groupBy(shop.orders, ({ customer }) => customer).values()].map((orders) =>
        orders.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)),
      )
      const sorted = (counters: Counters) => [...listCounters(counters)].map((row) => JSON.stringify(row)).sort()
      expect(sorted(shop.counters)).toEqual(sorted(countShop(customers, options)))
    }),
    { numRuns: 300 },
  )
})

test('every measure read from the counters equals the one counted from the orders', () => {
  const asOfs = fc.constantFrom(
    ...['2025-01-01T00:00:00Z', '2025-01-13T07:08:09Z', '2027-03-01T00:00:00Z'].map(Date.parse),
  )
  fc.assert(
    fc.property(orders, settings, asOfs, (list, options, asOf) => {
      const shop = new Shop(options)
      for (const order of list) shop.apply({ kind: 'place', order })
      const log = toLog(list, asOf)
      const rows = [...listCounters(shop.counters)]
      const measures = measureOrders(log, { ...options, asOf, exponent: 0 })
      const last = log.ids.map((_, customer) => log.at[log.starts[customer + 1]! - 1]!)
      const lastIn = (from: number, until: number) => last.filter((at) => at >= from && at < until).length
      const months = readMonths(layOutCounters(rows), asOf, options, lastIn)
      expect(
        months.map((row) => [nameMonth(row.month), row.orders, row.buyers, row.newBuyers, row.crr, row.partial]),
      ).toEqual(
        measures.months.map((row) => [row.month, row.orders, row.buyers, row.newBuyers, row.crr, row.partial ?? false]),
      )
      if (list.length > 0) {
        const firstAt = Math.min(...list.map((order) => order.at))
        const counted = countMonths(log, layOutMonths(firstAt, asOf, options.timeZone))
        expect(readCohorts(rows, asOf, options)).toEqual(counted.cohorts)
        expect(months.map((row) => row.revenueMinor)).toEqual(counted.months.map((row) => row.revenueMinor))
        expect(months.map((row) => row.customersByEnd)).toEqual(counted.months.map((row) => row.customersByEnd))
      }
      const { customers, repeatCustomers } = readCustomers(rows)
      expect(customers).toBe(measures.customers)
      expect(repeatCustomers).toBe(log.ids.filter((_, c) => log.starts[c + 1]! - log.starts[c]! > 1).length)
      const intervals = readIntervals(rows)
      expect(intervals.count).toBe(measures.intervalDays.count)
      expect(intervals.mean).toBe(measures.intervalDays.mean)
      // Kept to the hour, or to the day where some are longer than 30 days.
      const coarsest = (listIntervals(log).at(-1) ?? 0) < 30 * 86_400_000 ? 1 / 24 : 1
      for (const figure of ['median', 'p25', 'p75', 'p90'] as const) {
        const [kept, exact] = [intervals[figure], measures.intervalDays[figure]]
        if (exact === null) expect(kept).toBeNull()
        else expect(exact - kept!).toBeLessThan(coarsest + 1e-5)
      }
      const [second, gaps] = [readIntervals(rows, 2), listIntervals(log, 2)]
      expect(second.count).toBe(gaps.length)
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / 86_400_000 / gaps.length
      if (gaps.length > 0) expect(Math.abs(second.mean! - mean)).toBeLessThanOrEqual(0.5 + 1e-6)
      const counts = log.ids.map((_, customer) => log.starts[customer + 1]! - log.starts[customer]!)
      const wanted = counts.length === 0 ? null : breakpointsOf(Float64Array.from(counts))
      expect(readBreakpoints(rows, 'frequency')).toEqual(wanted)
    }),
    { numRuns: 300 },
  )
})

test('any run of whole months has the measures that its orders have, a cut one and one longer than the window too', () => {
  const month = fc.integer({ min: 610, max: 661 })
  fc.assert(
    fc.property(orders, settings, month, fc.integer({ min: 1, max: 26 }), (list, options, from, length) => {
      const shop = new Shop(options)
      for (const order of list) shop.apply({ kind: 'place', order })
      const asOf = Date.parse('2025-01-13T07:08:09Z')
      const [fromAt, endAt] = [from, from + length].map((one) => startOfMonthNumber(one, options.timeZone)) as [
        number,
        number,
      ]
      fc.pre(fromAt < asOf)
      const untilAt = Math.min(endAt, asOf)
      const log = toLog(list, asOf)
      const last = log.ids.map((_, customer) => log.at[log.starts[customer + 1]! - 1]!)
      const lastIn = (since: number, before: number) => last.filter((at) => at >= since && at < before).length
      const period = { from, until: from + length }
      const counters = layOutCounters(listCounters(shop.counters))
      const { revenueMinor, partial, ...read } = readPeriod(
        ...([counters, period, asOf, options, lastIn] as const),
        findLapsedInside(list, fromAt, untilAt, options.activityDays),
      )
      const { revenue, ...wanted } = bruteForcePeriod(list, fromAt, untilAt, { asOf, ...options })
      expect(read).toEqual(wanted)
      expect([BigInt(revenueMinor), partial]).toEqual([revenue, endAt > asOf])
    }),
    { numRuns: 300 },
  )
})

test('any run of days up to a quarter has the measures that its orders have, one that T cuts too', () => {
  const windows = fc.record({ timeZone: fc.constantFrom(...ZONES), activityDays: fc.constantFrom(32, 90, 365) })
  const asOfs = fc.constantFrom(...['2025-01-13T07:08:09Z', '2025-01-13T00:00:00Z'].map(Date.parse))
  const [before, length] = [fc.integer({ min: 0, max: 1_150 }), fc.integer({ min: 1, max: LONGEST_DAYS })]
  fc.assert(
    fc.property(orders, windows, asOfs, before, length, (list, options, asOf, daysBefore, days) => {
      const shop = new Shop(options)
      for (const order of list) shop.apply({ kind: 'place', order })
      const today = dayNumberAt(asOf, options.timeZone)
      const from = today - daysBefore
      const until = Math.min(from + Math.min(days, options.activityDays - 1), today + 1)
      const [fromAt, endAt] = [from, until].map((day) => startOfDate(fromDayNumber(day), options.timeZone)) as [
        number,
        number,
      ]
      fc.pre(fromAt < asOf)
      const log = toLog(list, asOf)
      const last = log.ids.map((_, customer) => log.at[log.starts[customer + 1]! - 1]!)
      const lastIn = (since: number, end: number) => last.filter((at) => at >= since && at < end).length
      const rows = [...listCounters(shop.counters)]
      const period = { from, until }
      const { revenueMinor, partial, ...read } = readDays(
        ...([layOutCounters(rows), period, sumDays(rows, period), asOf, options, lastIn] as const),
      )
      const { revenue, ...wanted } = bruteForcePeriod(list, fromAt, Math.min(endAt, asOf), { asOf, ...options })
      expect(read).toEqual(wanted)
      expect([BigInt(revenueMinor), partial]).toEqual([revenue, endAt > asOf])
    }),
    { numRuns: 500 },
  )
})

/** Customers whose last order before the end lies in the period and before the window: not active at its start, and new. */
function findLapsedInside(list: Order[], fromAt: number, untilAt: number, activityDays: number) {
  const windowMs = activityDays * 86_400_000
  const before = [...new Set(list.map(({ customer }) => customer))]
    .map((customer) => list.filter((order) => order.customer === customer && order.at < untilAt).map(({ at }) => at))
    .filter((ats) => Math.max(...ats) >= fromAt && Math.max(...ats) < untilAt - windowMs)
  return {
    inactive: before.filter((ats) => !ats.some((at) => at >= fromAt - windowMs && at < fromAt)).length,
    new: before.filter((ats) => Math.min(...ats) >= fromAt).length,
  }
}

test('an order adds a constant number of counters, however many orders its customer has', () => {
  const options = { timeZone: 'UTC', activityDays: 365 }
  const day = 86_400_000
  const history = Array.from({ length: 2_000 }, (_, place) => ({
    id: String(place),
    at: place * day,
    amountMinor: 100,
  }))
  const counters: Counters = new Map()
  const standing = { orders: 2_000, revenueMinor: 200_000, firstAt: 0, lastAt: history.at(-1)!.at }
  const order = { id: 'new', at: 2_000 * day, amountMinor: 100 }
  const before = history.slice(-1)
  changeCounters(counters, { standing, skipped: 1_999, before, after: [...before, order] }, options)
  expect([...listCounters(counters)].length).toBeLessThan(24)
})

test('money buckets are exact for small sums, within 0.4 % for large ones, and never change the order', () => {
  expect([0, 1, 255, 511].map(bucketMoney)).toEqual([0, 1, 255, 511])
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 1e12 }), (a, b) => {
      expect(bucketMoney(Math.min(a, b))).toBeLessThanOrEqual(bucketMoney(Math.max(a, b)))
      expect(a - bucketMoney(a)).toBeLessThanOrEqual(a / 256)
    }),
  )
})

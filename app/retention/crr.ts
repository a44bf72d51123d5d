/**
 * The two things that people call customer retention rate, kept apart.
 *
 * *Returning-customer rate*: of a period's buyers, those who had ordered before it.
 * *CRR*: (E − N) ÷ S, with S the customers active at the period's start, E those active at its end, N those whose first order
 * is inside it and who are active at its end. Lapsed customers can come back, so it can exceed 1: R are active at both
 * ends, B = E − R − N are won back, and the strict rate is R ÷ S.
 */
import type { Calendar } from './calendar.ts'
import { toRate } from './exact.ts'
import type { OrderLog } from './order-log.ts'
import { DAY_MS } from '../loyalty/time.ts'

/** Counts of customers over one period. */
export type CrrCounts = { S: number; E: number; N: number; R: number; B: number }
/** Counts with their rates, fractions to 6 places; null where nobody was active at the start. */
export type Crr = CrrCounts & { rate: number | null; strictRate: number | null }

/** The rates of a period. `toCrr({ S: 150, E: 140, N: 30, R: 105, B: 5 }).rate` is 0.733333. */
export function toCrr(counts: CrrCounts): Crr {
  return {
    ...counts,
    rate: toRate(counts.E - counts.N, counts.S),
    strictRate: toRate(counts.R, counts.S),
  }
}

/** Of the buyers of a period, the share who had ordered before it: 1 without new buyers, null without buyers. */
export function returningCustomerRate(buyers: number, newBuyers: number): number | null {
  return toRate(buyers - newBuyers, buyers)
}

/**
 * CRR of each month of the calendar. Active at an instant t: an order in [t − activityDays × 24 h, t).
 * One walk over the orders, a few counters each.
 */
export function countCrr(log: OrderLog, calendar: Calendar, activityDays: number): Crr[] {
  const { months, bounds } = calendar
  const windowMs = activityDays * DAY_MS
  const active = new Int32Array(months + 3)
  const retained = new Int32Array(months + 3)
  const arrived = new Int32Array(months + 1)
  for (let customer = 0; customer < log.ids.length; customer++) {
    const from = log.starts[customer]!
    const to = log.starts[customer + 1]!
    const firstBound = calendar.monthOf(log.at[from]!) + 1
    let lastActive = -1
    for (let order = from; order < to; order++) {
      const at = log.at[order]!
      const until = order + 1 < to ? Math.min(at + windowMs, log.at[order + 1]!) : at + windowMs
      // This order alone makes its customer active at the bounds in (at, until]: low to high.
      const high = lastAtMost(bounds, until)
      if (bounds[high]! <= at) continue
      const low = lastAtMost(bounds, at) + 1
      active[low]!++
      active[high + 1]!--
      retained[low]!++
      retained[high]!--
      if (lastActive >= 0 && low === lastActive + 1) {
        retained[lastActive]!++
        retained[low]!--
      }
      if (lastActive < 0 && low === firstBound) arrived[low - 1]!++
      lastActive = high
    }
  }
  return sumUp(active, retained, arrived, months)
}

function sumUp(active: Int32Array, retained: Int32Array, arrived: Int32Array, months: number): Crr[] {
  const rows: Crr[] = []
  let S = 0
  let R = 0
  for (let month = 0; month < months; month++) {
    S += active[month]!
    R += retained[month]!
    const E = S + active[month + 1]!
    const N = arrived[month]!
    rows.push(toCrr({ S, E, N, R, B: E - R - N }))
  }
  return rows
}

/** The place of the last bound at or before an instant; −1 where there is none. Bounds ascend. */
function lastAtMost(bounds: Float64Array, at: number): number {
  let low = -1
  let high = bounds.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (bounds[middle]! <= at) low = middle
    else high = middle - 1
  }
  return low
}

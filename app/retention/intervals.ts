/** Purchase intervals: the time between a customer's consecutive orders, in days with fraction; 0 for two at one instant. */
import { roundHalfEven, toRate } from './exact.ts'
import type { OrderLog } from './order-log.ts'
import { DAY_MS } from '../loyalty/time.ts'

/** Days to 6 places, half to even; null without intervals. Quartiles interpolate linearly (type 7 of Hyndman and Fan 1996). */
export type IntervalDays = {
  count: number
  mean: number | null
  median: number | null
  p25: number | null
  p75: number | null
  p90: number | null
}

/** All intervals of a log in milliseconds, ascending; with `ordinal` only those from a customer's n-th order to the next (1 → 2 is 1). */
export function listIntervals(log: OrderLog, ordinal?: number): Float64Array {
  const gaps = new Float64Array(log.at.length)
  let size = 0
  for (let customer = 0; customer < log.ids.length; customer++) {
    const from = log.starts[customer]! + 1
    const to = log.starts[customer + 1]!
    for (let order = from; order < to; order++) {
      if (ordinal === undefined || order - from + 1 === ordinal) gaps[size++] = log.at[order]! - log.at[order - 1]!
    }
  }
  return gaps.subarray(0, size).sort()
}

/** The figures of ascending intervals in milliseconds. */
export function describeIntervals(sortedMs: Float64Array): IntervalDays {
  // Whole days and the rest apart: a plain sum of milliseconds leaves the safe integers at some 70 thousand intervals.
  let days = 0
  let rest = 0
  for (const gap of sortedMs) {
    const whole = Math.floor(gap / DAY_MS)
    days += whole
    rest += gap - whole * DAY_MS
  }
  const total = BigInt(days) * BigInt(DAY_MS) + BigInt(rest)
  return {
    count: sortedMs.length,
    mean: toRate(total, BigInt(sortedMs.length) * BigInt(DAY_MS)),
    median: quantileDays(sortedMs, 50),
    p25: quantileDays(sortedMs, 25),
    p75: quantileDays(sortedMs, 75),
    p90: quantileDays(sortedMs, 90),
  }
}

/** The type-7 quantile at a whole percentage, in days to 6 places; null of nothing. Exact up to the one rounding. */
export function quantileDays(sortedMs: Float64Array, percent: number): number | null {
  if (sortedMs.length === 0) return null
  const hundredths = (sortedMs.length - 1) * percent
  const place = Math.floor(hundredths / 100)
  const part = BigInt(hundredths - place * 100)
  const below = BigInt(sortedMs[place]!)
  const above = BigInt(sortedMs[Math.min(place + 1, sortedMs.length - 1)]!)
  const scaled = below * 100n + (above - below) * part
  return Number(roundHalfEven(scaled * 1_000_000n, BigInt(DAY_MS) * 100n)) / 1_000_000
}

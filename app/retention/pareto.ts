/** Pareto: how much of the revenue the best customers bring. */
import { toRate } from './exact.ts'

/** Share of revenue of the best ⌈20 %⌉ of customers, to 6 places; null where there is no revenue above 0. */
export function topFifthShare(revenueMinor: Float64Array): number | null {
  const sorted = Float64Array.from(revenueMinor).sort().reverse()
  const total = sum(sorted)
  return total > 0 ? toRate(sum(sorted.subarray(0, Math.ceil(sorted.length / 5))), total) : null
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}

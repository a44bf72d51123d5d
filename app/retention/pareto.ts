/** Pareto: how much of the revenue the best customers bring. */
import { toRate } from './exact.ts'

/** Share of revenue of the best ⌈20 %⌉ of customers, to 6 places; null where there is no revenue above 0. */
export function topFifthShare(revenueMinor: Float64Array): number | null {
  const sorted = Float64Array.from(revenueMinor).sort().reverse()
  const total = sum(sorted)
  return total > 0 ? toRate(sum(sorted.subarray(0, Math.ceil(sorted.length / 5))), total) : null
}

/** The curve: for each whole percentage of customers from the best down, 0–100, the share of revenue so far. Empty without revenue. */
export function paretoCurve(revenueMinor: Float64Array): { customers: number; share: number }[] {
  const sorted = Float64Array.from(revenueMinor).sort().reverse()
  const total = sum(sorted)
  if (total <= 0) return []
  let place = 0
  let soFar = 0
  return Array.from({ length: 101 }, (_, percent) => {
    const until = Math.ceil((sorted.length * percent) / 100)
    while (place < until) soFar += sorted[place++]!
    return { customers: percent, share: toRate(soFar, total)! }
  })
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}

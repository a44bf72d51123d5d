/**
 * RFM: *recency* (day of the last order), *frequency* (orders) and *money* (sum of orders), each scored 1–5 inside the shop.
 *
 * Scores go by value breakpoints, not by ranks: the breakpoints are the values at the 20th, 40th, 60th and 80th percentile
 * (nearest rank), a score is 1 + the number of breakpoints below the value, so equal values always get equal scores.
 *
 * The groups are Shopify's (`CustomerRfmGroup`, Admin API 2026-10). Shopify forms them from R and FM = (F + M) ÷ 2 (help page "RFM
 * customer analysis") and describes each in words, without printing limits; the grid below is our reading of those words:
 * very recent 5, recent 3–5, not recent 1–2; many orders FM 4–5, some 2–3, few 1. A half rounds up.
 */

/** Shopify's names; PROSPECTS have no orders and never occur in an order log. */
export const RFM_GROUPS = [
  'CHAMPIONS',
  'LOYAL',
  'ACTIVE',
  'NEW',
  'PROMISING',
  'NEEDS_ATTENTION',
  'ALMOST_LOST',
  'PREVIOUSLY_LOYAL',
  'AT_RISK',
  'DORMANT',
  'PROSPECTS',
] as const

/** One of the groups by recency and frequency with money. */
export type RfmGroup = (typeof RFM_GROUPS)[number]

/** Fewer customers than scores cannot be ranked in fifths. */
export const FEWEST_RFM_CUSTOMERS = 5

/** The four values between the five scores, ascending. */
export type Breakpoints = readonly [number, number, number, number]
/** How many customers have each value, ascending by value: all that breakpoints need. */
export type Histogram = readonly { value: number; customers: number }[]
/** The breakpoints of the three values. */
export type RfmBreakpoints = { recency: Breakpoints; frequency: Breakpoints; money: Breakpoints }
/** Three scores, 1–5, 5 the best. */
export type RfmScores = { R: number; F: number; M: number }

/** The values at the 20th, 40th, 60th and 80th percentile, by nearest rank. Throws on an empty histogram. */
export function findBreakpoints(histogram: Histogram): Breakpoints {
  const total = histogram.reduce((sum, { customers }) => sum + customers, 0)
  const points: number[] = []
  let seen = 0
  for (const { value, customers } of histogram) {
    seen += customers
    // Rank ⌈k n / 5⌉, in whole numbers.
    while (points.length < 4 && seen >= Math.ceil(((points.length + 1) * total) / 5)) points.push(value)
  }
  if (points.length < 4) throw new Error('breakpoints of no customers')
  return points as unknown as Breakpoints
}

/** The breakpoints of plain values, in any order. */
export function breakpointsOf(values: Float64Array): Breakpoints {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) throw new Error('breakpoints of no customers')
  const at = (k: number) => sorted[Math.ceil((k * sorted.length) / 5) - 1]!
  return [at(1), at(2), at(3), at(4)]
}

/** 1 + the number of breakpoints below the value: 1–5. */
export function scoreOf(value: number, breakpoints: Breakpoints): number {
  let score = 1
  for (const point of breakpoints) if (value > point) score++
  return score
}

/** A customer's scores; recency is the day number of its last order (later is better), money whole minor units. */
export function scoreRfm(recency: number, frequency: number, money: number, at: RfmBreakpoints): RfmScores {
  return {
    R: scoreOf(recency, at.recency),
    F: scoreOf(frequency, at.frequency),
    M: scoreOf(money, at.money),
  }
}

/** R from 1 to 5, top to bottom; FM from 1 to 5, left to right. */
const GRID: RfmGroup[][] = [
  ['DORMANT', 'DORMANT', 'AT_RISK', 'AT_RISK', 'PREVIOUSLY_LOYAL'],
  ['DORMANT', 'DORMANT', 'AT_RISK', 'AT_RISK', 'PREVIOUSLY_LOYAL'],
  ['ALMOST_LOST', 'ALMOST_LOST', 'NEEDS_ATTENTION', 'LOYAL', 'LOYAL'],
  ['PROMISING', 'ACTIVE', 'ACTIVE', 'LOYAL', 'LOYAL'],
  ['NEW', 'ACTIVE', 'ACTIVE', 'CHAMPIONS', 'CHAMPIONS'],
]

/** Shopify's group of three scores. */
export function groupOf({ R, F, M }: RfmScores): RfmGroup {
  return GRID[R - 1]![Math.ceil((F + M) / 2) - 1]!
}

/** The three values of every customer, side by side. */
export type RfmValues = { recency: Float64Array; frequency: Float64Array; money: Float64Array }

/** How many customers are in each group, every one of them in exactly one; null under 5 customers. */
export function countRfm(values: RfmValues): Record<RfmGroup, number> | null {
  const customers = values.recency.length
  if (customers < FEWEST_RFM_CUSTOMERS) return null
  const breakpoints = {
    recency: breakpointsOf(values.recency),
    frequency: breakpointsOf(values.frequency),
    money: breakpointsOf(values.money),
  }
  const counts = Object.fromEntries(RFM_GROUPS.map((group) => [group, 0])) as Record<RfmGroup, number>
  for (let customer = 0; customer < customers; customer++) {
    const scores = scoreRfm(
      values.recency[customer]!,
      values.frequency[customer]!,
      values.money[customer]!,
      breakpoints,
    )
    counts[groupOf(scores)]++
  }
  return counts
}

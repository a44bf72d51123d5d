/**
 * The BG/NBD model: how often customers who are never asked to sign anything come back, and how likely each of them is
 * still a customer.
 *
 * Source: P. S. Fader, B. G. S. Hardie, K. L. Lee, "Counting Your Customers" the Easy Way: An Alternative to the
 * Pareto/NBD Model, Marketing Science 24(2), 2005, pp. 275–284; equation numbers below are that paper's.
 *
 * A customer is (x, t_x, T): x days on which it came *back*, t_x from its first order to the last of them, T from its
 * first order to the end of observation. Time is counted in whole days here and in weeks inside the parameters.
 */
import digamma from '@stdlib/math-base-special-digamma'
import gammaln from '@stdlib/math-base-special-gammaln'
import hyp2f1 from '@stdlib/math-base-special-hyp2f1'
import { maximise } from './maximise.ts'

/** Below this many repeat customers there is no prediction: the likelihood has next to nothing to hold on to. */
export const FEWEST_REPEAT_CUSTOMERS = 30

/** The four parameters of a shop and how well they fit: purchase rates are Gamma(r, alpha), drop-out is Beta(a, b). */
export type BgNbd = {
  r: number
  alpha: number
  a: number
  b: number
  logLikelihood: number
  unit: 'week'
  /** True where the data do not hold all four (nobody ever leaves, all buy alike): predictions stand, the parameters say little. */
  atEdge: boolean
}

/** What is known of one customer: repeat days, days from first to last order, days from first order to now. */
export type PurchaseHistory = { repeats: number; lastDay: number; ageDays: number }

/**
 * How many customers share each (x, t_x, T). This is all the likelihood needs to know of a shop: it is read from a
 * million orders once, after which a fit costs the same whether ten or ten thousand customers share a cell.
 */
export type PurchaseCounts = {
  repeats: Int32Array
  lastDay: Int32Array
  ageDays: Int32Array
  customers: Int32Array
}

/** Groups customers by (x, t_x, T), in that order; every history is whole and not negative. */
export function countPurchases(histories: Iterable<PurchaseHistory>): PurchaseCounts {
  const counts = new Map<number, number>()
  for (const { repeats, lastDay, ageDays } of histories) {
    // Days fit in 16 bits (179 years), repeats in 21: together they stay below 2^53.
    const key = (repeats * 65_536 + lastDay) * 65_536 + ageDays
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const keys = Float64Array.from(counts.keys()).sort()
  const cells: PurchaseCounts = {
    repeats: new Int32Array(keys.length),
    lastDay: new Int32Array(keys.length),
    ageDays: new Int32Array(keys.length),
    customers: new Int32Array(keys.length),
  }
  keys.forEach((key, cell) => {
    cells.ageDays[cell] = key % 65_536
    cells.lastDay[cell] = Math.floor(key / 65_536) % 65_536
    cells.repeats[cell] = Math.floor(key / 4_294_967_296)
    cells.customers[cell] = counts.get(key)!
  })
  return cells
}

/**
 * The parameters of maximum likelihood (equation 7), or null where fewer than 30 customers came back: "not enough data".
 * The paper's CDNOW sample gives r .243, alpha 4.414, a .793, b 2.426, log-likelihood −9582.4 (table 2).
 */
export function fitBgNbd(cells: PurchaseCounts): BgNbd | null {
  let customers = 0
  let repeaters = 0
  for (let cell = 0; cell < cells.customers.length; cell++) {
    customers += cells.customers[cell]!
    if (cells.repeats[cell]! > 0) repeaters += cells.customers[cell]!
  }
  if (repeaters < FEWEST_REPEAT_CUSTOMERS) return null
  // Where to begin is found on few cells; the whole shop is asked only near the top.
  const few = thin(cells, 4_000)
  const rough = maximise(likelihoodOf(few), STARTS, customers)
  const best = maximise(likelihoodOf(cells), [Array.from(rough.theta)], customers)
  const [r, alpha, a, b] = Array.from(best.theta, Math.exp) as [number, number, number, number]
  return { r, alpha, a, b, logLikelihood: best.value, unit: 'week', atEdge: !best.inside }
}

/** Logarithms of (r, alpha in weeks, a, b): an average shop, a quick one with loyal customers, a slow one that loses many. */
const STARTS = [
  [0.3, 5, 0.8, 2.5],
  [1, 10, 1, 10],
  [0.5, 20, 0.3, 1],
].map((start) => start.map(Math.log))

/** Every n-th cell, its weight raised so that the sum stays about the same: enough to find the neighbourhood. */
function thin(cells: PurchaseCounts, most: number): PurchaseCounts {
  const every = Math.ceil(cells.customers.length / most)
  if (every <= 1) return cells
  const keep = (_: number, cell: number) => cell % every === 0
  return {
    repeats: cells.repeats.filter(keep),
    lastDay: cells.lastDay.filter(keep),
    ageDays: cells.ageDays.filter(keep),
    customers: cells.customers.filter(keep).map((count) => count * every),
  }
}

/** ln L of the sample and its gradient by the logarithms of (r, alpha, a, b): equation 7, summed over cells. */
function likelihoodOf(cells: PurchaseCounts) {
  const size = cells.customers.length
  const mostRepeats = cells.repeats.reduce((most, repeats) => Math.max(most, repeats), 0)
  const mostDays = cells.ageDays.reduce((most, days) => Math.max(most, days), 0)
  const customersWith = new Float64Array(mostRepeats + 1)
  for (let cell = 0; cell < size; cell++) customersWith[cells.repeats[cell]!]! += cells.customers[cell]!
  const logAfter = new Float64Array(mostDays + 1)
  const perAfter = new Float64Array(mostDays + 1)
  return (theta: Float64Array, gradient: Float64Array): number => {
    const [r, alpha, a, b] = Array.from(theta, Math.exp) as [number, number, number, number]
    for (let days = 0; days <= mostDays; days++) {
      logAfter[days] = Math.log(alpha + days / 7)
      perAfter[days] = 1 / (alpha + days / 7)
    }
    let value = 0
    let byR = 0
    let byAlpha = 0
    let byA = 0
    let byB = 0
    // What depends on x alone: once for each x, not for each customer.
    for (let x = 0; x <= mostRepeats; x++) {
      const weight = customersWith[x]!
      if (weight === 0) continue
      value += weight * (gammaln(r + x) - gammaln(r) + r * theta[1]! + logBetaRatio(a, b, x))
      byR += weight * (digamma(r + x) - digamma(r) + theta[1]!)
      byAlpha += (weight * r) / alpha
      const both = digamma(a + b) - digamma(a + b + x)
      byA += weight * both
      byB += weight * (both + digamma(b + x) - digamma(b))
    }
    for (let cell = 0; cell < size; cell++) {
      const x = cells.repeats[cell]!
      const weight = cells.customers[cell]!
      const age = cells.ageDays[cell]!
      const rate = r + x
      const alive = -rate * logAfter[age]!
      if (x === 0) {
        value += weight * alive
        byR -= weight * logAfter[age]!
        byAlpha -= weight * rate * perAfter[age]!
        continue
      }
      const last = cells.lastDay[cell]!
      const gone = theta[2]! - Math.log(b + x - 1) - rate * logAfter[last]!
      const highest = Math.max(alive, gone)
      const aliveShare = Math.exp(alive - highest)
      const goneShare = Math.exp(gone - highest)
      const sum = aliveShare + goneShare
      const pGone = goneShare / sum
      const pAlive = aliveShare / sum
      value += weight * (highest + Math.log(sum))
      byR -= weight * (pAlive * logAfter[age]! + pGone * logAfter[last]!)
      byAlpha -= weight * rate * (pAlive * perAfter[age]! + pGone * perAfter[last]!)
      byA += (weight * pGone) / a
      byB -= (weight * pGone) / (b + x - 1)
    }
    gradient.set([byR * r, byAlpha * alpha, byA * a, byB * b])
    return value
  }
}

/** ln [B(a, b + x) / B(a, b)]. */
function logBetaRatio(a: number, b: number, x: number): number {
  return gammaln(b + x) - gammaln(b) + gammaln(a + b) - gammaln(a + b + x)
}

/**
 * E[X(t)]: repeat days that a customer nobody knows anything of makes in its first `weeks` (equation 9).
 * The CDNOW parameters and 78 weeks give 1.858.
 */
export function expectedRepeats(model: BgNbd, weeks: number): number {
  if (weeks <= 0) return 0
  return aroundOne(model.a, (a) => {
    const { r, alpha, b } = model
    return repeatsUntilGone(a, r, b, weeks / (alpha + weeks))
  })
}

/** P(active): the chance, 0–1, that the customer has not left. One that never came back yet counts as active (§ 3.5). */
export function chanceActive(model: BgNbd, history: PurchaseHistory): number {
  const { r, alpha, a, b } = model
  const { repeats: x, lastDay, ageDays } = history
  if (x === 0) return 1
  const odds = Math.log(a / (b + x - 1)) + (r + x) * (Math.log(alpha + ageDays / 7) - Math.log(alpha + lastDay / 7))
  return 1 / (1 + Math.exp(odds))
}

/**
 * E[Y(t) | x, t_x, T]: repeat days of the next `weeks`, given what is known of the customer (equation 10).
 * The paper's example, x = 2, t_x = 30.43, T = 38.86, t = 39 weeks, gives 1.226.
 */
export function expectedFutureRepeats(model: BgNbd, history: PurchaseHistory, weeks: number): number {
  if (weeks <= 0) return 0
  const { r, alpha, b } = model
  const { repeats: x, ageDays } = history
  const ifActive = aroundOne(model.a, (a) => {
    const z = weeks / (alpha + ageDays / 7 + weeks)
    return repeatsUntilGone(a, r + x, b + x, z)
  })
  return ifActive * chanceActive(model, history)
}

/** What equations 9 and 10 share: s ÷ (a − 1) · [1 − (1 − z)^p · 2F1(p, q; s; z)] with s = a + q − 1, which has a removable hole at s = 0. */
function repeatsUntilGone(a: number, p: number, q: number, z: number): number {
  const s = a + q - 1 || Number.EPSILON
  return (s / (a - 1)) * (1 - shrunkGauss(p, q, s, z))
}

/**
 * (1 − z)^p · 2F1(p, q; s; z), the part that both expectations share, for 0 < z < 1. It is of the order of 1 where its factors
 * leave the range of floats, so three forms are tried: Euler's transformation, whose factors stay small for customers with
 * many orders; the plain one, for drop-out so regular that a and b have no bounds; and the series in logarithms.
 */
function shrunkGauss(p: number, q: number, s: number, z: number): number {
  const [byEuler, plain] = [
    () => Math.pow(1 - z, s - q) * hyp2f1(s - p, s - q, s, z),
    () => Math.pow(1 - z, p) * hyp2f1(p, q, s, z),
  ]
  for (const form of s - q < p ? [byEuler, plain] : [plain, byEuler]) {
    const value = form()
    if (Number.isFinite(value)) return value
  }
  let logTerm = p * Math.log1p(-z)
  let [highest, sum, sign] = [logTerm, 1, 1]
  for (let n = 0; n < 1_000_000; n++) {
    const ratio = (((p + n) * (q + n)) / ((s + n) * (n + 1))) * z
    // Of a customer that never came back, s = a + b − 1 can be negative: then all terms but the first are.
    logTerm += Math.log(Math.abs(ratio))
    sign *= Math.sign(ratio)
    if (logTerm > highest) [highest, sum] = [logTerm, sum * Math.exp(highest - logTerm) + sign]
    else sum += sign * Math.exp(logTerm - highest)
    // Past the largest term each is smaller than the one before by z at least.
    if (logTerm < highest - 40) break
  }
  return sum * Math.exp(highest)
}

/** Both expectations have a removable hole at a = 1: near it, the mean of the two sides. */
function aroundOne(a: number, value: (a: number) => number): number {
  const away = 1e-4
  return Math.abs(a - 1) >= away ? value(a) : (value(1 - away) + value(1 + away)) / 2
}

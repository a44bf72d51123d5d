/**
 * The Gamma-Gamma model: what a customer's next order day will be worth, from the few it has made.
 *
 * Source: P. S. Fader, B. G. S. Hardie, The Gamma-Gamma Model of Monetary Value, note 025, 2013
 * (brucehardie.com/notes/025). A customer is (x, z): x repeat days with money in them and z, their mean value, in the
 * currency's main unit (dollars, not cents).
 */
import digamma from '@stdlib/math-base-special-digamma'
import gammaln from '@stdlib/math-base-special-gammaln'
import { maximise } from './maximise.ts'

/** Order values are Gamma(p, nu), nu differs between customers as Gamma(q, gamma). */
export type GammaGamma = {
  p: number
  q: number
  gamma: number
  logLikelihood: number
  /** True where the data do not hold all three (all customers spend alike): see `BgNbd`. */
  atEdge: boolean
}

/** x and z of every customer that came back and spent; both above 0. */
export type SpendCounts = { repeats: ArrayLike<number>; meanValue: ArrayLike<number> }

/**
 * The parameters of maximum likelihood (note 025, equation 1a summed over customers), or null without any customer. Whether
 * a shop has enough of them is the caller's question: it is asked once for both models (prediction.ts). Money is taken in the
 * shop's own mean while fitting: a currency changes gamma, its unit, and nothing else, and the bounds of `maximise` suit dollars and dong.
 * CDNOW gives p 6.25, q 3.74, gamma 15.44.
 */
export function fitGammaGamma(spend: SpendCounts): GammaGamma | null {
  const size = spend.repeats.length
  if (size === 0) return null
  const mean = Array.from(spend.meanValue).reduce((sum, value) => sum + value, 0) / size
  const relative = { repeats: spend.repeats, meanValue: Array.from(spend.meanValue, (value) => value / mean) }
  // p gamma / (q − 1) is the mean of all customers, 1: each start is on that line.
  const starts = [
    [6, 4],
    [2, 2],
    [15, 8],
  ].map(([p, q]) => [p!, q!, (q! - 1) / p!].map(Math.log))
  // As with BG/NBD: the neighbourhood from some customers, the top from all of them.
  const every = Math.ceil(size / 4_000)
  const keep = (_: number, index: number) => index % every === 0
  const some = {
    repeats: Array.from(spend.repeats).filter(keep),
    meanValue: relative.meanValue.filter(keep),
  }
  const rough = maximise(likelihoodOf(some), starts, some.repeats.length)
  const best = every === 1 ? rough : maximise(likelihoodOf(relative), [Array.from(rough.theta)], size)
  const [p, q, gamma] = Array.from(best.theta, Math.exp) as [number, number, number]
  return { p, q, gamma: gamma * mean, logLikelihood: best.value - size * Math.log(mean), atEdge: !best.inside }
}

function likelihoodOf(spend: SpendCounts) {
  const size = spend.repeats.length
  let mostRepeats = 0
  for (let index = 0; index < size; index++) mostRepeats = Math.max(mostRepeats, spend.repeats[index]!)
  const customersWith = new Float64Array(mostRepeats + 1)
  let sumLogValue = 0
  let sumRepeatsLog = 0
  for (let index = 0; index < size; index++) {
    const x = spend.repeats[index]!
    customersWith[x]! += 1
    sumLogValue += Math.log(spend.meanValue[index]!)
    sumRepeatsLog += x * (Math.log(spend.meanValue[index]!) + Math.log(x))
  }
  return (theta: Float64Array, gradient: Float64Array): number => {
    const [p, q, gamma] = Array.from(theta, Math.exp) as [number, number, number]
    let value = p * sumRepeatsLog - sumLogValue + size * (q * theta[2]! - gammaln(q))
    let byP = sumRepeatsLog
    let byQ = size * (theta[2]! - digamma(q))
    let byGamma = (size * q) / gamma
    for (let x = 1; x <= mostRepeats; x++) {
      const weight = customersWith[x]!
      if (weight === 0) continue
      value += weight * (gammaln(p * x + q) - gammaln(p * x))
      byP += weight * x * (digamma(p * x + q) - digamma(p * x))
      byQ += weight * digamma(p * x + q)
    }
    for (let index = 0; index < size; index++) {
      const x = spend.repeats[index]!
      const both = gamma + x * spend.meanValue[index]!
      const log = Math.log(both)
      value -= (p * x + q) * log
      byP -= x * log
      byQ -= log
      byGamma -= (p * x + q) / both
    }
    gradient.set([byP * p, byQ * q, byGamma * gamma])
    return value
  }
}

/**
 * E[M | x, z]: the mean value of a customer's order days, its own mean drawn towards the shop's (note 025, equation 5),
 * in the currency's main unit; null where the model has no mean (q at most 1 and nothing known).
 * CDNOW's first customer (x = 2, z = 22.35) gives 24.65; one that never came back gives 35.17.
 */
export function expectedValue(model: GammaGamma, repeats: number, meanValue: number): number | null {
  const weight = model.p * repeats + model.q - 1
  if (weight <= 0) return null
  return ((model.gamma + repeats * meanValue) * model.p) / weight
}

/**
 * Lift: what an offer changed, read from a *hold-out*, customers who were left out of it by chance.
 *
 * The figure is the difference of two means, per customer, with the 95 % interval of Student's pooled variance: a small arm with few
 * buyers knows its variance even less than its mean (one without any seems to have none, and Welch's interval is then far too
 * narrow). Few buyers in all are no answer. Offers that change nothing were so called significant in 3.0–6.2 % of the answers of 3,000 to
 * 4,000 simulated trials each, and in no more of the trials: arms of 900/100, 500/500 and 4,500/500, 2–50 % buyers, orders by
 * Poisson, alike and by Gamma of shape 0.5, and log-normal revenue of σ 1 and 1.5; with 0.2–1 % buyers there was no answer. Welch's
 * interval without a least number of buyers gave up to 37 %. test/retention/lift.test.ts repeats the hardest of them.
 *
 * Where each customer's spend before the offer is known, the differences that were there already are taken out first, which narrows
 * the interval without moving its middle on average (CUPED: Deng, Xu, Kohavi, Walker, "Improving the Sensitivity of Online
 * Controlled Experiments by Utilizing Pre-Experiment Data", WSDM 2013, equations 4 and 5).
 */

/** Sums over the customers of one arm: y is what is measured (orders or money in the period), x the same before it; buyers have a y. */
export type ArmSums = { customers: number; buyers: number; y: number; yy: number; x: number; xx: number; xy: number }

/**
 * The difference per customer, its interval, and how many more customers it takes, both arms together and as large beside each other as
 * they are, for an answer, or to be sure of a difference of this size.
 */
export type Lift =
  /** Null where nobody did anything, all did the same, or an arm is empty: there is nothing to reckon from. */
  | { ok: false; reason: 'not_enough_data'; customersNeeded: number | null }
  | {
      ok: true
      difference: number
      interval: readonly [number, number]
      /** True where the interval leaves 0 out. */
      significant: boolean
      /** Share of the variance that past spend explained away, 0–1. */
      varianceRemoved: number
      /** Customers still missing for 80 % power at this difference; 0 when there are enough; null for no difference. */
      customersNeeded: number | null
    }

/** Fewer customers than this in an arm say nothing yet. */
export const FEWEST_PER_ARM = 100
/** Buyers that the smaller arm would have if both bought alike; fewer say nothing yet. It depends on both arms, so it favours neither. */
export const FEWEST_BUYERS = 10
const Z_95 = 1.959964
const Z_80 = 0.841621

/** The sums of an arm from each customer's (past, outcome). */
export function sumArm(customers: Iterable<{ before: number; outcome: number }>): ArmSums {
  const sums = { customers: 0, buyers: 0, y: 0, yy: 0, x: 0, xx: 0, xy: 0 }
  for (const { before, outcome } of customers) {
    sums.customers++
    if (outcome !== 0) sums.buyers++
    sums.y += outcome
    sums.yy += outcome * outcome
    sums.x += before
    sums.xx += before * before
    sums.xy += before * outcome
  }
  return sums
}

/** Offered minus held out. "Not enough data yet" is an answer: under 100 customers in an arm, with few buyers, or all alike. */
export function measureLift(offered: ArmSums, heldOut: ArmSums): Lift {
  const customers = offered.customers + heldOut.customers
  const smaller = Math.min(offered.customers, heldOut.customers)
  const expectedBuyers = ((offered.buyers + heldOut.buyers) * smaller) / customers
  const share = smaller === 0 ? 0 : Math.min(smaller / FEWEST_PER_ARM, expectedBuyers / FEWEST_BUYERS)
  const [a, b] = [momentsOf(offered), momentsOf(heldOut)]
  if (share < 1 || a.yy + b.yy <= 0) {
    const customersNeeded = share === 0 || share >= 1 ? null : Math.ceil(customers / share) - customers
    return { ok: false, reason: 'not_enough_data', customersNeeded }
  }
  // One slope for both arms, so that the difference stays a difference of like with like.
  const past = a.xx * offered.customers + b.xx * heldOut.customers
  const slope = past > 0 ? (a.xy * offered.customers + b.xy * heldOut.customers) / past : 0
  const difference = a.y - b.y - slope * (a.x - b.x)
  const [varianceA, varianceB] = [a, b].map((arm) =>
    Math.max(0, arm.yy - 2 * slope * arm.xy + slope * slope * arm.xx),
  ) as [number, number]
  const pooled = (varianceA * (offered.customers - 1) + varianceB * (heldOut.customers - 1)) / (customers - 2)
  const error = Math.sqrt(pooled / offered.customers + pooled / heldOut.customers)
  const interval = [difference - Z_95 * error, difference + Z_95 * error] as const
  return {
    ok: true,
    difference,
    interval,
    significant: interval[0] > 0 || interval[1] < 0,
    varianceRemoved: Math.max(0, 1 - (varianceA + varianceB) / (a.yy + b.yy)),
    customersNeeded: stillNeeded(difference, error, customers),
  }
}

/** The arms keep their proportions; the squared error shrinks as one over the number of customers. */
function stillNeeded(difference: number, error: number, customers: number): number | null {
  if (difference === 0) return null
  const ratio = ((Z_95 + Z_80) * error) / difference
  return Math.max(0, Math.ceil(customers * ratio * ratio) - customers)
}

/** Means, and variances and covariance by n − 1. */
function momentsOf({ customers: n, y, yy, x, xx, xy }: ArmSums) {
  const by = n - 1
  return {
    y: y / n,
    x: x / n,
    yy: Math.max(0, (yy - (y * y) / n) / by),
    xx: Math.max(0, (xx - (x * x) / n) / by),
    xy: (xy - (x * y) / n) / by,
  }
}

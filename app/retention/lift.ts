/**
 * Lift: what an offer changed, read from a *hold-out*, customers who were left out of it by chance.
 *
 * The figure is the difference of two means, per customer, with the 95 % interval of Welch. Where each customer's spend before the
 * offer is known, the differences that were there already are taken out first, which narrows the interval without moving its middle
 * on average (CUPED: Deng, Xu, Kohavi, Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
 * Pre-Experiment Data", WSDM 2013, equations 4 and 5).
 */

/** Sums over the customers of one arm: y is what is measured (orders or money in the period), x the same before it. */
export type ArmSums = { customers: number; y: number; yy: number; x: number; xx: number; xy: number }

/** The difference per customer, its interval, and how many more customers it takes to be sure of a difference of this size. */
export type Lift =
  | { ok: false; reason: 'not_enough_data'; customersNeeded: number }
  | {
      ok: true
      difference: number
      interval: readonly [number, number]
      /** True where the interval leaves 0 out. */
      significant: boolean
      /** Share of the variance that past spend explained away, 0–1. */
      varianceRemoved: number
      /** Customers still missing, both arms together, for 80 % power at this difference; 0 when there are enough; null for no difference. */
      customersNeeded: number | null
    }

/** Fewer customers than this in an arm say nothing yet. */
export const FEWEST_PER_ARM = 100
const Z_95 = 1.959964
const Z_80 = 0.841621

/** The sums of an arm from each customer's (past, outcome). */
export function sumArm(customers: Iterable<{ before: number; outcome: number }>): ArmSums {
  const sums = { customers: 0, y: 0, yy: 0, x: 0, xx: 0, xy: 0 }
  for (const { before, outcome } of customers) {
    sums.customers++
    sums.y += outcome
    sums.yy += outcome * outcome
    sums.x += before
    sums.xx += before * before
    sums.xy += before * outcome
  }
  return sums
}

/** Offered minus held out. "Not enough data yet" is an answer: under 100 customers in an arm, or where nobody did anything. */
export function measureLift(offered: ArmSums, heldOut: ArmSums): Lift {
  const missing = Math.max(0, FEWEST_PER_ARM - offered.customers) + Math.max(0, FEWEST_PER_ARM - heldOut.customers)
  if (missing > 0) return { ok: false, reason: 'not_enough_data', customersNeeded: missing }
  const [a, b] = [momentsOf(offered), momentsOf(heldOut)]
  const variance = (a.yy + b.yy) / 2
  if (variance <= 0) return { ok: false, reason: 'not_enough_data', customersNeeded: FEWEST_PER_ARM }
  // One slope for both arms, so that the difference stays a difference of like with like.
  const past = a.xx * offered.customers + b.xx * heldOut.customers
  const slope = past > 0 ? (a.xy * offered.customers + b.xy * heldOut.customers) / past : 0
  const difference = a.y - b.y - slope * (a.x - b.x)
  const [varianceA, varianceB] = [a, b].map((arm) =>
    Math.max(0, arm.yy - 2 * slope * arm.xy + slope * slope * arm.xx),
  ) as [number, number]
  const error = Math.sqrt(varianceA / offered.customers + varianceB / heldOut.customers)
  const interval = [difference - Z_95 * error, difference + Z_95 * error] as const
  return {
    ok: true,
    difference,
    interval,
    significant: interval[0] > 0 || interval[1] < 0,
    varianceRemoved: Math.max(0, 1 - (varianceA + varianceB) / (a.yy + b.yy)),
    customersNeeded: stillNeeded(difference, error, offered.customers + heldOut.customers),
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

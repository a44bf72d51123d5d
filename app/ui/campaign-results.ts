/** Did a campaign work? The customers it was offered to beside those held out of it by chance. */
import { armOf, isForSome } from '#app/loyalty/campaigns.ts'
import type { Campaign } from '#app/loyalty/program.ts'
import { measureLift, sumArm, type Lift } from '#app/retention/lift.ts'
import { showCount } from '#app/ui/words.ts'

type Outcome = {
  /** Whom the customer was when the campaign began: several where they were merged since. */
  records: readonly string[]
  orders: number
  ordersBefore: number
  revenueMinor: number
  revenueBeforeMinor: number
}

/** Both arms of a campaign, and what differs between them. */
export type Comparison = {
  offered: number
  heldOut: number
  /** Left out: merged since from customers of both. */
  mixed: number
  /** Per customer: orders, and revenue in minor units. */
  orders: Lift
  revenue: Lift
}

/**
 * Why a campaign's arms cannot be compared; null where they can. Levels and segments follow from what is bought (who buys is dormant no
 * more), so arms chosen by today's would differ by their outcome: they must have been noted when the campaign began.
 */
export function whyUncompared(
  campaign: Pick<Campaign, 'holdOut' | 'tiers' | 'segments'>,
  audienceAt: number | null,
): 'nobody_held_out' | 'audience_unknown' | null {
  if (!campaign.holdOut) return 'nobody_held_out'
  return isForSome(campaign) && audienceAt === null ? 'audience_unknown' : null
}

/** The comparison of both arms. Customers fall into them by the campaign's own hash, the one that the storefront goes by. */
export function compareArms(campaign: Campaign, outcomes: readonly Outcome[]): Comparison {
  const arms = Map.groupBy(outcomes, ({ records }) => armOf(campaign, records))
  const [heldOut, offered] = [arms.get('heldOut') ?? [], arms.get('offered') ?? []]
  const orders = (arm: Outcome[]) => sumArm(arm.map((one) => ({ before: one.ordersBefore, outcome: one.orders })))
  const revenue = (arm: Outcome[]) =>
    sumArm(arm.map((one) => ({ before: one.revenueBeforeMinor, outcome: one.revenueMinor })))
  return {
    offered: offered.length,
    heldOut: heldOut.length,
    mixed: outcomes.length - offered.length - heldOut.length,
    orders: measureLift(orders(offered), orders(heldOut)),
    revenue: measureLift(revenue(offered), revenue(heldOut)),
  }
}

/**
 * A difference with its 95 % interval, or that there is none to tell; who takes part was settled when it began, so what is said is how large
 * a campaign with the same share held out would have to be.
 */
export function sayLift(lift: Lift, customers: number, show: (value: number) => string): string {
  const enough = (missing: number) => `about ${showCount(customers + missing)} customers in all`
  if (!lift.ok) {
    if (lift.customersNeeded === null) return 'not enough data to tell'
    return `not enough data to tell: the campaign is too small so far, it takes ${enough(lift.customersNeeded)}`
  }
  const [low, high] = lift.interval
  const range = `${show(lift.difference)} (95% interval ${show(low)} to ${show(high)})`
  if (lift.significant) return range
  const size = lift.customersNeeded ? `; to be sure of such a difference it takes ${enough(lift.customersNeeded)}` : ''
  return `${range}: it may be chance${size}`
}

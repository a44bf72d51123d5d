/**
 * *Discount fatigue*: a shop that is on discount all year teaches its customers to wait. The guard looks at two shares: of time, in any
 * window of 90 days, on which some campaign takes money off, and of the orders of the last 90 days, how many had a discount. The larger decides: a
 * warning from 25 %, and from 40 % a stop of what adds to it, unless the merchant gives a reason.
 */
import { findRunningTimes } from './campaigns.ts'
import type { Campaign, Stretch } from './program.ts'
import { DAY_MS } from './time.ts'

/** The guard looks at every stretch of this many days. */
export const FATIGUE_WINDOW_DAYS = 90
/** From this share (0–1) of days or orders on discount the merchant is warned. */
export const FATIGUE_WARN_SHARE = 0.25
/** From this share (0–1) on a program with more discount than the one before is stopped until a reason is given. */
export const FATIGUE_STOP_SHARE = 0.4

/** What the larger of these shares (0–1) comes to; null is one of which nothing is known. */
export function judgeFatigue(...shares: (number | null)[]): 'fine' | 'warn' | 'stop' {
  const share = Math.max(0, ...shares.filter((one) => one !== null))
  if (share >= FATIGUE_STOP_SHARE) return 'stop'
  return share >= FATIGUE_WARN_SHARE ? 'warn' : 'fine'
}

/** The share (0–1) of [from, until) in which at least one of the stretches runs. Overlaps count once. */
export function measureCoverage(stretches: readonly Stretch[], from: number, until: number): number {
  if (until <= from) return 0
  let covered = 0
  let reached = from
  for (const { fromAt, untilAt } of [...stretches].sort((a, b) => a.fromAt - b.fromAt)) {
    const start = Math.max(fromAt, reached)
    const end = Math.min(untilAt, until)
    if (end <= start) continue
    covered += end - start
    reached = end
  }
  return covered / (until - from)
}

/**
 * The highest share that any 90 days reach which are not over at `now`, and the instant at which those 90 days end. Campaigns that
 * only multiply points take no money off and do not count, nor do the times in which a campaign was stopped.
 */
export function findFatiguePeak(campaigns: readonly Campaign[], now: number): { share: number; endsAt: number } {
  const stretches = listDiscountTimes(campaigns)
  // The share of a window that slides over stretches peaks where it ends with one of them.
  const ends = [now, ...stretches.map((stretch) => stretch.untilAt).filter((at) => at > now)]
  return ends
    .map((endsAt) => ({ endsAt, share: measureCoverage(stretches, endsAt - FATIGUE_WINDOW_DAYS * DAY_MS, endsAt) }))
    .reduce((peak, one) => (one.share > peak.share ? one : peak))
}

/** How long (ms) some campaign is to take money off from `now` on: what a program adds to the discounts that there were. */
export function measureAhead(campaigns: readonly Campaign[], now: number): number {
  const stretches = listDiscountTimes(campaigns)
  const until = Math.max(now, ...stretches.map(({ untilAt }) => untilAt))
  return Math.round(measureCoverage(stretches, now, until) * (until - now))
}

function listDiscountTimes(campaigns: readonly Campaign[]): Stretch[] {
  return campaigns
    .filter((campaign) => campaign.offer.kind !== 'pointsMultiplier')
    .flatMap((campaign) => findRunningTimes(campaign))
}

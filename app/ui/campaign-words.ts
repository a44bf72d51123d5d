/** Campaigns in a merchant's words: what they give, where they stand, how they get on with other discounts. */
import { findRunningTimes } from '#app/loyalty/campaigns.ts'
import { rewardLabel } from '#app/loyalty/discount-terms.ts'
import type { CampaignDocument } from '#app/loyalty/program-document.ts'
import type { Campaign, Program, Stretch } from '#app/loyalty/program.ts'
import { showList, showMoney } from '#app/ui/words.ts'

/** What a campaign gives: "10% off", "$5.00 off", "5% from $50.00, 10% from $100.00", "2 times the points". */
export function sayOffer({ offer }: Pick<CampaignDocument, 'offer'>, currency: string): string {
  if (offer.percentage !== undefined) return `${offer.percentage}% off`
  if (offer.amount !== undefined) return `${showMoney(offer.amount, currency)} off`
  if (offer.shipping) return 'Free shipping'
  if (offer.bands) {
    return offer.bands.map((band) => `${band.percentage}% from ${showMoney(band.from, currency)}`).join(', ')
  }
  return `${offer.pointsMultiplier ?? 1} times the points`
}

/** Where a campaign stands. */
export type CampaignStatus = 'scheduled' | 'running' | 'paused' | 'ended'

/** Where a campaign stands at `now`; `endedAt` is when it was ended early, `pausedAt` since when it rests, null where it was or does not. */
export function findStatus(
  { fromAt, untilAt }: Pick<Campaign, 'fromAt' | 'untilAt'>,
  now: number,
  endedAt: number | null,
  pausedAt: number | null = null,
): CampaignStatus {
  if (now >= Math.min(untilAt, endedAt ?? untilAt)) return 'ended'
  if (now < fromAt) return 'scheduled'
  return pausedAt === null ? 'running' : 'paused'
}

/** What a discount takes money off: Shopify combines discounts by these classes. */
export type DiscountClass = 'order' | 'product' | 'shipping'

function classOf(campaign: Pick<Campaign, 'offer' | 'products' | 'collections'>): DiscountClass | null {
  if (campaign.offer.kind === 'pointsMultiplier') return null
  if (campaign.offer.kind === 'shipping') return 'shipping'
  return campaign.products || campaign.collections ? 'product' : 'order'
}

/** Another discount that the campaign meets, whether both apply, and why. */
export type Meeting = {
  name: string
  together: boolean
  why: string
  /**
   * What it takes off a cart of so much by itself, minor units; null where that is no money off goods or cannot be told (shipping, a
   * product, as much as the member likes), or the cart is under its minimum.
   */
  takes: (subtotalMinor: number) => number | null
}

/**
 * What the campaign meets while it runs (other campaigns, tier perks, codes of rewards), and whether Shopify lets both apply. Two
 * discounts combine only where each allows the other's class (shopify.dev, "Discount combinations", API 2026-10). Two that never run
 * at once (stops taken out), or that no member of one level can both have, do not meet.
 */
export function findMeetings(campaign: Campaign, program: Program): Meeting[] {
  const times = findRunningTimes(campaign)
  const runsWith = (other: Campaign) =>
    findRunningTimes(other).some((theirs) => times.some((ours) => overlaps(ours, theirs))) &&
    shareLevel(campaign.tiers, other.tiers)
  const own = classOf(campaign)
  if (own === null || times.length === 0) return []
  const others = program.campaigns
    .filter((other) => other.id !== campaign.id && runsWith(other))
    .flatMap((other) => {
      const theirs = classOf(other)
      return theirs === null
        ? []
        : [
            meet(`the campaign ${other.name}`, own, campaign.combinesWith, theirs, other.combinesWith, (cart) =>
              discountOf(other, cart),
            ),
          ]
    })
  const levels = (program.tiers?.levels ?? []).filter(({ id }) => shareLevel(campaign.tiers, new Set([id])))
  const perks = levels.flatMap((level) => [
    ...(level.discountBasisPoints > 0
      ? [
          meet(`${level.name}’s discount`, own, campaign.combinesWith, 'order', ANYTHING, (cart) =>
            share(cart, level.discountBasisPoints),
          ),
        ]
      : []),
    ...(level.freeShipping
      ? [meet(`${level.name}’s free shipping`, own, campaign.combinesWith, 'shipping', ANYTHING)]
      : []),
  ])
  const rewards = program.rewards
    .filter((reward) => reward.type !== 'store-credit' && reward.type !== 'gift-card')
    .filter((reward) => shareLevel(campaign.tiers, reward.tiers))
    .map((reward) =>
      meet(
        `codes for “${rewardLabel(program, reward, null)}”`,
        own,
        campaign.combinesWith,
        rewardClass(reward),
        reward.combinesWith,
        (cart) => rewardTakes(reward, cart),
      ),
    )
  return [...others, ...perks, ...rewards]
}

function overlaps(left: Stretch, right: Stretch): boolean {
  return Math.max(left.fromAt, right.fromAt) < Math.min(left.untilAt, right.untilAt)
}

/** True where somebody can be in both audiences; null is everyone. */
function shareLevel(left: ReadonlySet<string> | null, right: ReadonlySet<string> | null): boolean {
  return left === null || right === null || [...left].some((level) => right.has(level))
}

type Allows = { order: boolean; product: boolean; shipping: boolean }
/** Tier perks allow whatever allows them (loyalty/function-discounts.ts). */
const ANYTHING: Allows = { order: true, product: true, shipping: true }

function meet(
  name: string,
  own: DiscountClass,
  allows: Allows,
  theirs: DiscountClass,
  theyAllow: Allows,
  takes: Meeting['takes'] = () => null,
): Meeting {
  const refusals = [
    ...(allows[theirs] ? [] : [`this campaign does not allow ${WORDS[theirs]}`]),
    ...(theyAllow[own] ? [] : [`they do not allow ${WORDS[own]}`]),
  ]
  return refusals.length === 0
    ? { name, together: true, why: 'each allows the other', takes }
    : { name, together: false, why: showList(refusals), takes }
}

const WORDS: Record<DiscountClass, string> = {
  order: 'discounts on the order',
  product: 'discounts on products',
  shipping: 'discounts on shipping',
}

function rewardClass(reward: Program['rewards'][number]): DiscountClass {
  if (reward.type === 'shipping') return 'shipping'
  return reward.type === 'product' || reward.products || reward.collections ? 'product' : 'order'
}

/**
 * What a cart of `subtotalMinor` would be given by the campaign alone, in minor units, rounded half up as checkout does; null where it gives no money
 * (points, shipping) or the cart is under the minimum.
 */
export function discountOf(campaign: Campaign, subtotalMinor: number): number | null {
  const { offer, minimumSubtotal } = campaign
  if (minimumSubtotal !== null && subtotalMinor < minimumSubtotal) return null
  switch (offer.kind) {
    case 'percentage':
      return share(subtotalMinor, offer.basisPoints)
    case 'amount':
      return Math.min(offer.amountMinor, subtotalMinor)
    case 'bands': {
      const band = offer.bands.filter((one) => subtotalMinor >= one.from).at(-1)
      return band ? share(subtotalMinor, band.basisPoints) : null
    }
    default:
      return null
  }
}

function share(amountMinor: number, basisPoints: number): number {
  return Number((BigInt(amountMinor) * BigInt(basisPoints) + 5_000n) / 10_000n)
}

/** What a code of the reward takes off; `maximumShare` is a minimum of the cart (loyalty/discount-terms.ts). */
function rewardTakes(reward: Program['rewards'][number], cart: number): number | null {
  if (reward.minimumSubtotal !== null && cart < reward.minimumSubtotal) return null
  if (reward.type === 'percentage') return share(cart, reward.valueBasisPoints)
  if (reward.type !== 'amount' || reward.variable !== null) return null
  const most = reward.maximumShareBasisPoints
  if (most !== null && BigInt(cart) * BigInt(most) < BigInt(reward.valueMinor) * 10_000n) return null
  return Math.min(reward.valueMinor, cart)
}

/** Meetings with the same answer, in which each takes something off this cart or not. */
export type MeetingGroup = { together: boolean; why: string; meetings: Meeting[] }

/** Meetings with the same answer put together: "Not both: a and b (because …)". */
export function groupMeetings(meetings: readonly Meeting[]): MeetingGroup[] {
  const groups = new Map<string, MeetingGroup>()
  for (const meeting of meetings) {
    const group = groups.get(meeting.why) ?? { together: meeting.together, why: meeting.why, meetings: [] }
    group.meetings.push(meeting)
    groups.set(meeting.why, group)
  }
  return [...groups.values()]
}

/**
 * Which of two that do not combine Shopify takes on a cart of so much, as the end of "the better one: on this cart …"; null where it
 * cannot be told. `own` is what the campaign takes off.
 */
export function sayBetter(own: number | null, meetings: readonly Meeting[], cart: number): string | null {
  const others = meetings.map(({ name, takes }) => ({ name, takes: takes(cart) }))
  if (own === null || others.some(({ takes }) => takes === null)) return null
  const best = others.reduce((best, other) => (other.takes! > best.takes! ? other : best))
  if (best.takes! > own) return best.name
  return best.takes! < own ? 'this campaign' : null
}

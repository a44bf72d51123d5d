/**
 * A *reward* is what points buy; a *redemption* is one purchase of it: points are reserved, a code that Shopify knows is got hold of, then the points
 * are committed or released.
 */
import type { Programs, Refusal } from './engine.ts'
import { post, redemptionsOf, versionAt, type Draft } from './ledger.ts'
import { addAvailable, expireReturned, openLot, takeAvailable, type Draw, type Lot } from './lots.ts'
import { formatDecimal, multiplyDivide, roundRational, toSafeNumber, type Rational } from './money.ts'
import type { Program, Reward, RewardType } from './program.ts'
import { DAY_MS } from './time.ts'

/**
 * `reserved`: points are set aside, no code yet. `issued`: the shopper holds the code. `ending`: the code ran out or is cancelled, and we wait for
 * Shopify to confirm that it is gone and was not used (only with `confirmCodes`). `used`: an order has it. `returned`: all points came back.
 */
export type RedemptionState = 'reserved' | 'issued' | 'ending' | 'used' | 'returned'

/** Points being spent on a reward, from the request to the end. */
export type Redemption = {
  /** Our id (`rdm_…`); in the simulator the code. */
  id: string
  /** The member who spent the points; follows merges. */
  member: string
  /** The reward's id in the program. */
  reward: string
  /** The reward's type, as it was then: store credit and gift cards do not come back with an order. */
  type: RewardType
  /** Points spent. */
  points: number
  /** What it gives: money as decimal text ("5.00"), a percentage ("10"), or null (shipping, product). */
  value: string | null
  state: RedemptionState
  /** Null while reserved. */
  code: string | null
  reservedAt: number
  /** The instant from which the code is worth nothing; null: no end. */
  expiresAt: number | null
  /** The lots the points came from, in the order they were spent, less what was given back. */
  draws: readonly Draw[]
  /** Points given back so far. */
  returned: number
  /** The order that used the code, null while none did. */
  order: string | null
  /** When the code ran out or was cancelled: an order placed before that keeps it. Null otherwise. */
  endedAt: number | null
  /** How often points moved for it after the commit; makes the keys of those transfers unique. */
  moves: number
}

/** What a shopper asks for. */
export type RedeemRequest = { id: string; reward: string; points?: number | undefined }

/** What a reward costs and gives for a wish: `points` that will be taken (whole steps), and the value. */
export type Quote = { ok: true; points: number; value: string | null } | { ok: false; reason: Refusal }

/**
 * The points a reward takes and what they buy. A fixed reward takes its cost; a variable one the whole steps in `points`: 10 points at 3 a step are 9.
 * `quote(anyAmount, 250, program)` → `{ ok: true, points: 200, value: '2.00' }`.
 */
export function quote(reward: Reward, points: number | undefined, program: Program): Quote {
  if (reward.variable === null) {
    const cost = reward.cost as number
    if (points !== undefined && points !== cost) return { ok: false, reason: 'points_not_allowed' }
    return { ok: true, points: cost, value: formatValue(reward, reward.valueMinor, program) }
  }
  if (points === undefined) return { ok: false, reason: 'points_required' }
  const { perPoints, step, minimumPoints } = reward.variable
  const taken = Math.floor(points / step) * step
  if (taken <= 0) return { ok: false, reason: 'below_one_step' }
  if (taken < minimumPoints) return { ok: false, reason: 'below_minimum_points' }
  const valueMinor = multiplyDivide(taken, reward.valueMinor, perPoints)
  if (valueMinor === 0) return { ok: false, reason: 'below_one_step' }
  return { ok: true, points: taken, value: formatValue(reward, valueMinor, program) }
}

/** What a wish of an instant took and gave, by the version in force then: the one that the redemption keeps to. */
export function quoteAt(programs: Programs, at: number, request: Omit<RedeemRequest, 'id'>): Quote {
  const { program } = versionAt(programs, at)
  const reward = program.rewards.find((candidate) => candidate.id === request.reward)
  return reward ? quote(reward, request.points, program) : { ok: false, reason: 'unknown_reward' }
}

/** Why this member cannot have the reward now, or null where it can: tier, limit, balance. */
export function findRedeemRefusal(
  member: { available: number; tier: { level: string | null }; counters: Readonly<Record<string, number>> },
  reward: Reward,
  points: number,
): Refusal | null {
  if (reward.tiers !== null && (member.tier.level === null || !reward.tiers.has(member.tier.level))) return 'tier'
  const used = member.counters[rewardCounter(reward.id)] ?? 0
  if (reward.limitPerMember !== null && used >= reward.limitPerMember) return 'limit_reached'
  return points > member.available ? 'insufficient_points' : null
}

/** First phase: sets the points aside. The redemption is in the draft. */
export function reserve(draft: Draft, request: RedeemRequest): Refusal | null {
  const { member } = draft
  // By the version of `reservedAt`, to which all that follows keeps.
  const { program } = versionAt(draft.programs, draft.at)
  const reward = program.rewards.find((candidate) => candidate.id === request.reward)
  if (!reward) return 'unknown_reward'
  const price = quote(reward, request.points, program)
  if (!price.ok) return price.reason
  // A wish above the balance is refused, also where its whole steps would fit.
  const refusal = findRedeemRefusal(member, reward, Math.max(price.points, request.points ?? 0))
  if (refusal) return refusal
  const draws = takeAvailable(draft, price.points)
  post(draft, 'available', 'reserved', price.points, {
    key: `reserve:${request.id}`,
    reason: 'reserve',
    source: request.id,
  })
  count(draft, reward.id, 1)
  keep(draft, {
    id: request.id,
    member: member.id,
    reward: reward.id,
    type: reward.type,
    points: price.points,
    value: price.value,
    state: 'reserved',
    code: null,
    reservedAt: draft.at,
    expiresAt: null,
    draws,
    returned: 0,
    order: null,
    endedAt: null,
    moves: 0,
  })
  return null
}

/** Second phase: the shopper has a code that Shopify knows, which lives as long as the reward that they asked for said; the points are spent. */
export function commit(draft: Draft, redemption: Redemption, code: string): Refusal | null {
  if (redemption.state !== 'reserved') return redemption.code === code ? null : 'unknown_redemption'
  const { program } = versionAt(draft.programs, redemption.reservedAt)
  const validDays = program.rewards.find((reward) => reward.id === redemption.reward)?.validDays ?? null
  post(draft, 'reserved', 'shop.redeemed', redemption.points, {
    key: `redeem:${redemption.id}`,
    reason: 'redeem',
    source: redemption.id,
  })
  const runsOut = validDays !== null && givesCode(redemption.type)
  const expiresAt = runsOut ? draft.at + validDays * DAY_MS : null
  keep(draft, { ...redemption, state: 'issued', code, expiresAt })
  return null
}

/** The other end of the first phase: no code could be had, and the points go back into their lots. */
export function release(draft: Draft, redemption: Redemption): Refusal | null {
  if (redemption.state === 'returned' && redemption.code === null) return null
  if (redemption.state !== 'reserved') return 'unknown_redemption'
  const key = `release:${redemption.id}`
  post(draft, 'reserved', 'available', redemption.points, {
    key,
    reason: 'redeem_released',
    source: redemption.id,
    reverses: `reserve:${redemption.id}`,
  })
  const draws = putBack(draft, redemption, redemption.points, key)
  count(draft, redemption.reward, -1)
  keep(draft, { ...redemption, state: 'returned', draws, returned: redemption.points })
  return null
}

/** An unused code is given back, by the shopper, the merchant or time. With `confirmCodes` it waits for Shopify's word. */
export function endCode(draft: Draft, redemption: Redemption): Refusal | null {
  const { endedAt, expiresAt, state } = redemption
  if (!givesCode(redemption.type)) return 'not_returnable'
  // Cancelled before: the same wish again has the same result. One that ran out is another matter.
  const wasCancelled = endedAt !== null && (expiresAt === null || endedAt < expiresAt)
  if (state === 'returned') return wasCancelled ? null : 'already_returned'
  if (state === 'ending') return null
  if (state !== 'issued') return 'code_used'
  const ended: Redemption = { ...redemption, endedAt: draft.at }
  draft.effects.push({
    kind: 'settle-code',
    member: draft.member.id,
    redemption: redemption.id,
    code: redemption.code as string,
    at: draft.at,
  })
  if (draft.programs.confirmCodes) keep(draft, { ...ended, state: 'ending' })
  else giveBack(draft, ended, redemption.points)
  return null
}

/** Shopify has said that the code is gone and was not used: its points come back. */
export function confirmCodeGone(draft: Draft, redemption: Redemption): Refusal | null {
  if (redemption.state === 'returned') return null
  if (redemption.state !== 'issued' && redemption.state !== 'ending') return 'code_used'
  giveBack(draft, { ...redemption, endedAt: redemption.endedAt ?? draft.at }, redemption.points)
  return null
}

/**
 * An order has the code. Where the points had come back already because the code ran out or was cancelled, an order placed before that keeps it
 * and they are spent again, below zero if need be. With `confirmCodes` so does an order placed after that: Shopify still had the code and gave the
 * discount, so its points are spent. Null where the code was not this order's to use.
 */
export function useCode(
  draft: Draft,
  redemption: Redemption,
  order: { id: string; processedAt: number },
): Redemption | null {
  if (redemption.order !== null || redemption.state === 'reserved' || !givesCode(redemption.type)) return null
  const endsAt = Math.min(redemption.expiresAt ?? Infinity, redemption.endedAt ?? Infinity)
  if (!draft.programs.confirmCodes && order.processedAt >= endsAt) return null
  let used: Redemption = { ...redemption, state: 'used', order: order.id }
  if (redemption.state === 'returned') used = spendAgain(draft, used)
  keep(draft, used)
  draft.effects.push({
    kind: 'code-used',
    member: draft.member.id,
    redemption: redemption.id,
    code: redemption.code as string,
    order: order.id,
    at: draft.at,
  })
  return used
}

/**
 * Gives back what the order that used the code owes by now: in proportion to the goods given back, floored on the whole, never less than before.
 * `share` is from 0 to 1. Nothing comes back of store credit and gift cards.
 */
export function returnShare(draft: Draft, redemption: Redemption, share: Rational): void {
  if (redemption.state !== 'used' || !givesCode(redemption.type)) return
  const owed = { numerator: share.numerator * BigInt(redemption.points), denominator: share.denominator }
  const more = toSafeNumber(roundRational(owed, 'floor')) - redemption.returned
  if (more > 0) giveBack(draft, redemption, more)
}

/** How long a gift card's code stays on the card of the member who bought it. */
const GIFT_CARD_SHOWN_DAYS = 90

/** The instant from which a member's card no longer shows the code: when it runs out, a gift card's after a while. Infinity: never. */
export function findShownEnd({ type, reservedAt, expiresAt }: Redemption): number {
  const end = expiresAt ?? Infinity
  return type === 'gift-card' ? Math.min(end, reservedAt + GIFT_CARD_SHOWN_DAYS * DAY_MS) : end
}

/** False for what is handed out at once and cannot be taken back: it has no discount code that an order could carry. */
export function givesCode(type: RewardType): boolean {
  return type !== 'store-credit' && type !== 'gift-card'
}

/** The counter of a reward's uses by a member. */
export function rewardCounter(reward: string): string {
  return `reward:${reward}`
}

/** How codes are compared: Shopify does not tell upper from lower case. */
export function normalizeCode(code: string): string {
  return code.trim().toUpperCase()
}

function formatValue(reward: Reward, valueMinor: number, program: Program): string | null {
  if (reward.type === 'shipping' || reward.type === 'product') return null
  if (reward.type !== 'percentage') return formatDecimal(valueMinor, program.exponent)
  return formatDecimal(reward.valueBasisPoints, 2).replace(/\.?0+$/, '')
}

function giveBack(draft: Draft, redemption: Redemption, points: number): void {
  const key = `return:${redemption.id}:${redemption.moves + 1}`
  post(draft, 'shop.redeemed', 'available', points, {
    key,
    reason: 'redeem_returned',
    source: redemption.id,
    reverses: `redeem:${redemption.id}`,
  })
  const draws = putBack(draft, redemption, points, key)
  const returned = redemption.returned + points
  const done = returned === redemption.points
  if (done) count(draft, redemption.reward, -1)
  const state = done ? 'returned' : redemption.state
  keep(draft, { ...redemption, state, draws, returned, moves: redemption.moves + 1 })
}

/** A lot's dates have changed: points of it that open redemptions hold will come back into it with these. */
export function redateDraws(
  draft: Draft,
  { key, earnedAt, releaseAt }: Pick<Lot, 'key' | 'earnedAt' | 'releaseAt'>,
): void {
  const isStale = (draw: Draw) => draw.lot === key && draw.earnedAt !== earnedAt
  for (const redemption of draft.member.redemptions) {
    if (!redemption.draws.some(isStale)) continue
    const redate = ({ releaseAt: before, ...draw }: Draw): Draw =>
      before === undefined || releaseAt === null ? { ...draw, earnedAt } : { ...draw, earnedAt, releaseAt }
    keep(draft, { ...redemption, draws: redemption.draws.map((draw) => (isStale(draw) ? redate(draw) : draw)) })
  }
}

/** Puts points back into the lots they came from, the lot spent last first. Answers the draws that are left. */
function putBack(draft: Draft, redemption: Redemption, points: number, cause: string): Draw[] {
  const draws = redemption.draws.map((draw) => ({ ...draw }))
  let left = points
  for (let index = draws.length - 1; index >= 0 && left > 0; index--) {
    const draw = draws[index] as Draw
    const back = Math.min(left, draw.points)
    if (back === 0) continue
    draw.points -= back
    left -= back
    const lot = openLot(draft, draw.lot, draw.earnedAt, draw.releaseAt)
    const before = lot.available
    addAvailable(draft, lot, back)
    const { emptiedAt } = draft.member
    const wasEmptied =
      emptiedAt !== null && redemption.reservedAt < emptiedAt && draft.program.expiry.model === 'inactivity'
    if (wasEmptied) expireReturned(draft, lot, lot.available - before, cause)
  }
  // What was spent below zero came from no lot; it fills the deficit, and the rest is a lot of its own.
  if (left > 0) addAvailable(draft, openLot(draft, redemption.id, redemption.reservedAt), left)
  return draws.filter((draw) => draw.points > 0)
}

function spendAgain(draft: Draft, redemption: Redemption): Redemption {
  const { returned } = redemption
  const draws = takeAvailable(draft, returned)
  const missing = returned - draws.reduce((all, draw) => all + draw.points, 0)
  draft.member.deficit += missing
  post(draft, 'available', 'shop.redeemed', returned, {
    key: `keep:${redemption.id}:${redemption.moves + 1}`,
    reason: 'redeem_kept',
    source: redemption.id,
  })
  count(draft, redemption.reward, 1)
  return { ...redemption, draws, returned: 0, moves: redemption.moves + 1 }
}

function count(draft: Draft, reward: string, by: number): void {
  const key = rewardCounter(reward)
  const { counters } = draft.member
  draft.member.counters = { ...counters, [key]: (counters[key] ?? 0) + by }
}

/** Puts a redemption's new record into the draft: among the member's open ones while it is open. */
function keep(draft: Draft, record: Redemption): void {
  // After a merge the survivor holds it.
  const redemption = { ...record, member: draft.member.id }
  const open = redemptionsOf(draft)
  const index = open.findIndex((candidate) => candidate.id === redemption.id)
  const isOpen = redemption.state === 'reserved' || redemption.state === 'issued' || redemption.state === 'ending'
  if (isOpen && index >= 0) open[index] = redemption
  else if (isOpen) open.push(redemption)
  else if (index >= 0) open.splice(index, 1)
  const changed = draft.redemptions.findIndex((candidate) => candidate.id === redemption.id)
  if (changed >= 0) draft.redemptions[changed] = redemption
  else draft.redemptions.push(redemption)
}

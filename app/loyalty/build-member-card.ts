import { isHeldOut } from './campaigns.ts'
import { rewardLabel } from './discount-terms.ts'
import type { Member, Programs } from './engine.ts'
import { versionAt } from './ledger.ts'
import { findLotEnd } from './lots.ts'
import { CARD_CODES_MAX } from './member-card.ts'
import type { CardCode, MemberCard } from './member-card.ts'
import { parseDecimal } from './money.ts'
import type { Program, Reward } from './program.ts'
import { findShownEnd, givesCode, type Redemption } from './rewards.ts'
import { ENGLISH, type ShopperWords } from './shopper-words.ts'
import { findNextTier } from './tiers.ts'

/**
 * A member's card at an instant: what the storefront, the Function and customer accounts may know, its codes described in `words`. Members
 * who were erased have none: null.
 */
export function buildMemberCard(
  member: Member,
  programs: Programs,
  at: number,
  words: ShopperWords = ENGLISH,
): MemberCard | null {
  if (member.erasedAt !== null) return null
  const { program } = versionAt(programs, at)
  const level = program.tiers?.levels.find(({ id }) => id === member.tier.level)
  return {
    version: 1,
    balance: member.available,
    pending: member.pending,
    tier: level ? { id: level.id, name: level.name } : null,
    progress: buildProgress(member, program, at),
    nextExpiry: findNextExpiry(member, programs, at),
    codes: buildCodes(member, programs, at, words),
    heldOut: program.campaigns
      .filter((campaign) => at < campaign.untilAt && isHeldOut(campaign, member.id))
      .map(({ id }) => id),
    // Records that were stored before members knew their segments have none.
    segments: [...(member.segments ?? [])],
  }
}

/** The points that go at the first instant at which any do: all available points that end then. Null where none will. */
export function findNextExpiry(member: Member, programs: Programs, at: number): { points: number; at: string } | null {
  let first = Infinity
  let points = 0
  for (const lot of member.lots) {
    if (lot.available === 0) continue
    const end = findLotEnd(member, lot, programs, at)
    if (end < first) [first, points] = [end, 0]
    if (end === first) points += lot.available
  }
  return Number.isFinite(first) && points > 0 ? { points, at: new Date(first).toISOString() } : null
}

function buildProgress(member: Member, program: Program, at: number): MemberCard['progress'] {
  const next = findNextTier(member, program, at)
  const levels = program.tiers?.levels ?? []
  const index = levels.findIndex(({ id }) => id === next?.id)
  const [from, to] = [levels[index - 1], levels[index]]
  if (!next || !from || !to || !program.tiers) return null
  const missing = typeof next.missing === 'number' ? next.missing : (parseDecimal(next.missing, program.exponent) ?? 0)
  const way = to.threshold - from.threshold
  const done = Math.floor(((way - missing) * 100) / way)
  return {
    next: { id: to.id, name: to.name },
    metric: program.tiers.metric,
    missing: String(next.missing),
    percent: Math.max(0, Math.min(99, done)),
  }
}

/** Codes that can still be used, those that run out soonest first. Store credit is no code, and a gift card is shown for a while. */
function buildCodes(member: Member, programs: Programs, at: number, words: ShopperWords): CardCode[] {
  const held = member.redemptions.filter(
    (redemption) =>
      redemption.state === 'issued' &&
      redemption.code !== null &&
      redemption.type !== 'store-credit' &&
      at < findShownEnd(redemption),
  )
  held.sort((a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || a.reservedAt - b.reservedAt)
  return held.slice(0, CARD_CODES_MAX).map((redemption) => toCardCode(redemption, programs, words))
}

/** A redemption as the storefront shows it, by the terms of the program that sold it. */
export function toCardCode(redemption: Redemption, programs: Programs, words: ShopperWords = ENGLISH): CardCode {
  const { program } = versionAt(programs, redemption.reservedAt)
  const reward = program.rewards.find(({ id }) => id === redemption.reward)
  return {
    code: redemption.code ?? '',
    id: redemption.id,
    reward: redemption.reward,
    label: reward ? rewardLabel(program, reward, redemption.value, words) : redemption.reward,
    points: redemption.points,
    ...(reward?.variable && redemption.value !== null ? { amount: redemption.value } : {}),
    until: redemption.expiresAt === null ? null : new Date(redemption.expiresAt).toISOString(),
    ...(givesCode(redemption.type) ? {} : { canReturn: false }),
    ...(reward && isStillGiven(reward, programs) ? { named: true } : {}),
  }
}

/** Whether the newest program gives the same free products for a reward. Their titles are Shopify's; the program card has them. */
function isStillGiven(reward: Reward, { versions }: Programs): boolean {
  const offered = versions.at(-1)?.program.rewards.find(({ id, type }) => id === reward.id && type === 'product')
  const listOf = ({ products, collections }: Reward) => [...(products ?? []), ...(collections ?? [])].sort().join()
  return reward.type === 'product' && offered !== undefined && listOf(offered) === listOf(reward)
}

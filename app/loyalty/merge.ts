/** Two customers who turn out to be one: everything of the one that goes is added to the one that stays. */
import type { Member } from './engine.ts'
import { addLot, changeLot, nameAccount, type Balance, type Draft } from './ledger.ts'
import { everyLot, findLot, takeAvailable } from './lots.ts'
import type { Program } from './program.ts'
import { combine, findTierAt, reviewTier, type TierStanding } from './tiers.ts'

/** Balances add up on `kept`, lots keep their dates, open redemptions change hands, the other id becomes an alias; then the tier is looked at. */
export function mergeInto(kept: Draft, gone: Draft): void {
  moveBalances(gone, kept, `merge:${gone.member.id}:${kept.member.id}`)
  mergeLots(gone.member, kept)
  for (const redemption of gone.member.redemptions) {
    const moved = { ...redemption, member: kept.member.id }
    kept.member.redemptions = [...kept.member.redemptions, moved]
    kept.redemptions.push(moved)
  }
  gone.redemptions = gone.redemptions.filter((changed) => !kept.redemptions.some((moved) => moved.id === changed.id))
  mergeFacts(gone.member, kept)
  if (kept.member.erasedAt === null) reviewTier(kept, 'merge')
}

function moveBalances(from: Draft, into: Draft, key: string): void {
  for (const balance of ['available', 'pending', 'reserved'] as const satisfies readonly Balance[]) {
    const amount = from.member[balance]
    if (amount === 0) continue
    const [own, others] = [nameAccount(balance, from.member.id), nameAccount(balance, into.member.id)]
    into.transfers.push({
      key: `${key}:${balance}`,
      from: amount > 0 ? own : others,
      to: amount > 0 ? others : own,
      amount: Math.abs(amount),
      eventAt: into.at,
      reason: 'merge',
      source: from.member.id,
      reverses: null,
    })
    into.member[balance] += amount
    from.member[balance] = 0
  }
}

function mergeLots(from: Member, into: Draft): void {
  for (const lot of everyLot(from)) {
    if (lot.pending === 0 && lot.available === 0) continue
    const same = findLot(into.member, lot.key)
    if (same) {
      const joined = changeLot(into, same)
      joined.pending += lot.pending
      joined.available += lot.available
      joined.releaseAt ??= lot.releaseAt
    } else {
      addLot(into, { ...lot })
    }
  }
  // A deficit on one side is filled from the lots of the other.
  into.member.deficit += from.deficit
  const filled = takeAvailable(into, into.member.deficit).reduce((all, draw) => all + draw.points, 0)
  into.member.deficit -= filled
}

function mergeFacts(from: Member, into: Draft): void {
  const { member } = into
  member.aliases = [...new Set([...member.aliases, from.id, ...from.aliases])]
  member.lifetimeEarned += from.lifetimeEarned
  member.activity = [...member.activity, ...from.activity]
  member.lifetime = combine(member.lifetime, from.lifetime, 1)
  const counters = { ...member.counters }
  for (const [key, uses] of Object.entries(from.counters)) counters[key] = (counters[key] ?? 0) + uses
  member.counters = counters
  const earnings = [...member.recentEarnings, ...from.recentEarnings].sort((a, b) => b.at - a.at)
  member.recentEarnings = earnings.slice(0, 4)
  member.emptiedAt = latest(member.emptiedAt, from.emptiedAt)
  if (member.customerState === null) {
    member.customerState = from.customerState
    member.customerStateAt = from.customerStateAt
  }
  member.optedInAt = earliest(member.optedInAt, from.optedInAt)
  member.signedUpAt = earliest(member.signedUpAt, from.signedUpAt)
  member.segments = [...new Set([...member.segments, ...from.segments])]
  const birthday = member.birthday ?? from.birthday
  const paidYear = latest(member.birthday?.paidYear ?? null, from.birthday?.paidYear ?? null)
  member.birthday = birthday && { ...birthday, paidYear }
  member.tier = mergeStanding(member.tier, from.tier, into.program)
}

/**
 * The higher of the two levels, and of each instant of the past; the next review sees to the rest. A placement by hand is kept with the level
 * that it is on, never with the other's.
 */
function mergeStanding(kept: TierStanding, gone: TierStanding, program: Program): TierStanding {
  const levels = program.tiers?.levels ?? []
  const rank = (level: string | null) => levels.findIndex((candidate) => candidate.id === level)
  const higher = rank(gone.level) > rank(kept.level) ? gone : kept
  const instants = [...new Set([...kept.history, ...gone.history].map((change) => change.at))].sort((a, b) => a - b)
  const history = instants.map((at) => {
    const [one, other] = [findTierAt(kept, at), findTierAt(gone, at)]
    return { at, level: rank(other) > rank(one) ? other : one }
  })
  return {
    level: higher.level,
    history,
    failingSince: higher.failingSince,
    entryRewarded: [...new Set([...kept.entryRewarded, ...gone.entryRewarded])],
    manual: higher.manual ?? (gone.level === kept.level ? gone.manual : null),
  }
}

function latest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b)
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b)
}

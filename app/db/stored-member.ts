// A member's record (loyalty/engine.ts) as it is stored: all of it that has no column or table of its own. It is read and written anew
// with each order: what is as usual is left out, and lists that orders make longer are rows without names. Queries may ask for
// `customerState`, `birthday`, `segments` (all absent: none) and for the first of the `recentEarnings`.
import type { Member } from '#app/loyalty/engine.ts'
import type { Activity } from '#app/loyalty/tiers.ts'

/** The part of a member that is stored as one text. */
export type MemberState = Omit<
  Member,
  | 'id'
  | 'aliases'
  | 'available'
  | 'pending'
  | 'reserved'
  | 'deficit'
  | 'lifetimeEarned'
  | 'lots'
  | 'lotsAside'
  | 'redemptions'
  | 'erasedAt'
>

type Shortened = 'tier' | 'activity' | 'recentEarnings'
type Always = 'lifetime' | 'advancedTo' | 'version'
/** It as JSON, without what is as usual. */
export type StoredMember = Pick<MemberState, Always> &
  Partial<Omit<MemberState, Always | Shortened>> & {
    tier: Partial<Member['tier']> & Pick<Member['tier'], 'level' | 'history'>
    activity: [key: string, at: number, points: number, spendMinor: number, orders: number, spendRest?: string | null][]
    /** The first is whole. Of the others, those that stand in `activity` as well are its places there. */
    recentEarnings: (number | [key: string, at: number])[]
  }

/** The record as it is kept. */
export function toStoredMember(member: MemberState): StoredMember {
  const { level, history, failingSince, entryRewarded, manual } = member.tier
  const stored: StoredMember = {
    lifetime: member.lifetime,
    advancedTo: member.advancedTo,
    version: member.version,
    tier: { level, history },
    activity: member.activity.map(({ key, at, points, spendMinor, orders, spendRest }) =>
      spendRest === null
        ? [shorten(key), at, points, spendMinor, orders]
        : [shorten(key), at, points, spendMinor, orders, spendRest],
    ),
    recentEarnings: member.recentEarnings.map((earning, index) => {
      const place = index === 0 ? -1 : findPlace(member.activity, earning)
      return place >= 0 ? place : [shorten(earning.key), earning.at]
    }),
  }
  if (failingSince !== null) stored.tier.failingSince = failingSince
  if (entryRewarded.length > 0) stored.tier.entryRewarded = entryRewarded
  if (manual !== null) stored.tier.manual = manual
  if (member.customerState !== null) stored.customerState = member.customerState
  if (member.customerStateAt !== null) stored.customerStateAt = member.customerStateAt
  if (member.optedInAt !== null) stored.optedInAt = member.optedInAt
  if (member.signedUpAt !== null) stored.signedUpAt = member.signedUpAt
  if (member.birthday !== null) stored.birthday = member.birthday
  if (hasAny(member.counters)) stored.counters = member.counters
  if (member.emptiedAt !== null) stored.emptiedAt = member.emptiedAt
  if (member.segments.length > 0) stored.segments = member.segments
  return stored
}

/** The record as it was before `toStoredMember`. */
export function fromStoredMember(stored: StoredMember): MemberState {
  const { level, history, failingSince = null, entryRewarded = [], manual = null } = stored.tier
  const activity = stored.activity.map(([key, at, points, spendMinor, orders, spendRest = null]) => ({
    key: lengthen(key),
    at,
    points,
    spendMinor,
    spendRest,
    orders,
  }))
  return {
    customerState: stored.customerState ?? null,
    customerStateAt: stored.customerStateAt ?? null,
    optedInAt: stored.optedInAt ?? null,
    signedUpAt: stored.signedUpAt ?? null,
    birthday: stored.birthday ?? null,
    activity,
    lifetime: stored.lifetime,
    counters: stored.counters ?? {},
    tier: { level, history, failingSince, entryRewarded, manual },
    recentEarnings: stored.recentEarnings.map((earning) => {
      if (typeof earning !== 'number') return { key: lengthen(earning[0]), at: earning[1] }
      const { key, at } = activity[earning]!
      return { key, at }
    }),
    emptiedAt: stored.emptiedAt ?? null,
    segments: stored.segments ?? [],
    advancedTo: stored.advancedTo,
    version: stored.version,
  }
}

/** Where the earning stands in the activity, −1 for nowhere. The latest are at the end. */
function findPlace(activity: readonly Activity[], { key, at }: { key: string; at: number }): number {
  return activity.findLastIndex((entry) => entry.at === at && entry.key === key)
}

function hasAny(counters: Member['counters']): boolean {
  for (const _ in counters) return true
  return false
}

const ORDER_GID = 'gid://shopify/Order/'

/** "#1" for the gid of order 1; other keys (of events and adjustments) begin with a word and stay as they are. */
function shorten(key: string): string {
  return key.startsWith(ORDER_GID) ? `#${key.slice(ORDER_GID.length)}` : key
}

/** The key of a lot or an activity again: the gid of order 1 for "#1". */
export function lengthen(key: string): string {
  return key.startsWith('#') ? ORDER_GID + key.slice(1) : key
}

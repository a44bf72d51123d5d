// A member's record (loyalty/engine.ts) as it is stored: all of it that has no column or table of its own. It is read and written anew
// with each order: what is as usual is left out, and what counts towards tiers, which orders make longer and longer, is one text, to which
// the new is added. Queries may ask for `customerState`, `birthday`, `segments` (all absent: none) and for the first of the `recentEarnings`.
import { readNumbers } from '#app/db/arrays.ts'
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
type ActivityRow = [
  key: string,
  at: number,
  points: number,
  spendMinor: number,
  orders: number,
  spendRest?: string | null,
]
/** It as JSON, without what is as usual. */
export type StoredMember = Pick<MemberState, Always> &
  Partial<Omit<MemberState, Always | Shortened>> & {
    tier: Partial<Member['tier']> & Pick<Member['tier'], 'level' | 'history'>
    /** A text of entries; rows where a key is no such text's, and as it was kept before. */
    activity: string | ActivityRow[]
    /** The first is whole. Of the others, those that stand in `activity` as well are its places there. */
    recentEarnings: (number | [key: string, at: number])[]
  }

/** The record as it is kept; `kept` spares writing what was read. */
export function toStoredMember(member: MemberState, kept: KeptActivity = NOTHING_KEPT): StoredMember {
  const { level, history, failingSince, entryRewarded, manual } = member.tier
  const stored: StoredMember = {
    lifetime: member.lifetime,
    advancedTo: member.advancedTo,
    version: member.version,
    tier: { level, history },
    activity: writeActivity(member.activity, kept) ?? member.activity.map(toRow),
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
  const activity = typeof stored.activity === 'string' ? readActivity(stored.activity) : stored.activity.map(fromRow)
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

function toRow({ key, at, points, spendMinor, spendRest, orders }: Activity): ActivityRow {
  const row: ActivityRow = [shorten(key), at, points, spendMinor, orders]
  if (spendRest !== null) row.push(spendRest)
  return row
}

function fromRow([key, at, points, spendMinor, orders, spendRest = null]: ActivityRow): Activity {
  return { key: lengthen(key), at, points, spendMinor, spendRest, orders }
}

/** A list as it was read, and the text that it was read from. */
export type KeptActivity = { list: readonly Activity[]; text: string }

/** What is kept of a record that was read, for `toStoredMember`. */
export function keepActivity({ activity }: MemberState, stored: StoredMember): KeptActivity {
  return typeof stored.activity === 'string' ? { list: activity, text: stored.activity } : NOTHING_KEPT
}

const NOTHING_KEPT: KeptActivity = { list: [], text: '' }

/**
 * The list as text: `#1,1794431442766,108,2175,1,;…`, which is key, instant, points, minor units, orders and any fraction. Null where a key holds
 * what separates. Where the list only grew since it was read, the text is not made anew.
 */
function writeActivity(activity: readonly Activity[], kept: KeptActivity): string | null {
  const grew = kept.list.every((entry, place) => entry === activity[place])
  let text = grew ? kept.text : ''
  for (let place = grew ? kept.list.length : 0; place < activity.length; place += 1) {
    const { key, at, points, spendMinor, orders, spendRest } = activity[place]!
    if (/[,;]/.test(key)) return null
    text += `${place === 0 ? '' : ';'}${[shorten(key), at, points, spendMinor, orders, spendRest].join()}`
  }
  return text
}

/** The list of such a text. */
function readActivity(text: string): Activity[] {
  return text === '' ? [] : text.split(';').map(readEntry)
}

function readEntry(entry: string): Activity {
  const keyEnd = entry.indexOf(',')
  const numbersEnd = entry.lastIndexOf(',') + 1
  // Between two commas as between braces: to split them would take half as long again, of each entry with each order.
  const numbers = readNumbers(entry.slice(keyEnd, numbersEnd))
  if (numbers.length !== 4) throw new Error(`This is no entry of activity: ${entry}`)
  const [at, points, spendMinor, orders] = numbers as [number, number, number, number]
  const spendRest = entry.slice(numbersEnd) || null
  return { key: lengthen(entry.slice(0, keyEnd)), at, points, spendMinor, spendRest, orders }
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

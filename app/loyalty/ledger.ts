/**
 * A *transfer* moves whole points from one account to another: it is the only thing that changes a balance. Accounts are dotted paths,
 * `shop.issued` or `member:<gid>.available`. A *key* is made of the business fact behind a transfer, so that the same fact can be posted once only. A *draft* is one
 * member being worked on: a copy that may be changed, and what has come of it so far.
 */
import type { Effect, Fact, Member, Programs, ProgramVersion } from './engine.ts'
import type { Lot } from './lots.ts'
import { requireSafe } from './money.ts'
import type { OrderRecord, Reason } from './order.ts'
import type { Program } from './program.ts'
import type { Redemption } from './rewards.ts'

/** The shop's accounts: where points come from and go to. */
export type ShopAccount =
  | 'shop.issued'
  | 'shop.redeemed'
  | 'shop.taken_back'
  | 'shop.expired'
  | 'shop.forfeited'
  | 'shop.adjusted'
  | 'shop.written_off'

/** A member's accounts; `<id>` is the customer's gid. `available` alone may be below zero. */
export type MemberAccount = `member:${string}.${Balance}`

/** Either side of a transfer. */
export type Account = ShopAccount | MemberAccount

/** The balances a member has. */
export type Balance = 'available' | 'pending' | 'reserved'

/** Why points moved, in fixed words. */
export type TransferReason =
  | 'order'
  | 'release'
  | 'signup'
  | 'birthday'
  | 'review'
  | 'profile'
  | 'referral'
  | 'custom'
  | 'tier_entry'
  | 'reserve'
  | 'redeem'
  | 'redeem_released'
  | 'redeem_returned'
  | 'redeem_kept'
  | 'expire'
  | 'take_back'
  | 'spared'
  | 'adjust'
  | 'merge'
  | 'erase'

/** One row of the ledger. Nothing is ever updated or deleted; a correction is a new transfer that names the old one in `reverses`. */
export type Transfer = {
  /** Unique, and the same each time the same events are applied: `order:<gid>@<updated_at>`, `redeem:<id>`, `birthday:<member>:<year>`, … */
  key: string
  from: Account
  to: Account
  /** Whole points, above 0. */
  amount: number
  /** The instant of the fact, not of its writing. */
  eventAt: number
  reason: TransferReason
  /** What the points are about: an order's gid, a redemption's id, an event's key; null for the balance as a whole. */
  source: string | null
  /** The key of the transfer that this one undoes, in part or in full. */
  reverses: string | null
}

/** One member being worked on. Everything in it is the draft's own copy, except where `owns` says not yet. */
export type Draft = {
  member: Member
  programs: Programs
  /** The program version in force at `now`. */
  version: ProgramVersion
  program: Program
  /** The instant of the fact that is being applied: the `eventAt` of what it posts. */
  at: number
  /** The instant up to which the member has lived: `at`, or later where the fact comes late. */
  now: number
  /** Lots that are copies already, null while the list itself is not; whether the list of redemptions is a copy. */
  owns: { lots: Set<Lot> | null; redemptions: boolean }
  transfers: Transfer[]
  effects: Effect[]
  reasons: Reason[]
  orders: OrderRecord[]
  redemptions: Redemption[]
  facts: Fact[]
}

/** The version in force at an instant: the last that has begun, or the first where none has. */
export function versionAt(programs: Programs, at: number): ProgramVersion {
  const { versions } = programs
  for (let index = versions.length - 1; index > 0; index--) {
    const version = versions[index] as ProgramVersion
    if (version.from <= at) return version
  }
  return versions[0] as ProgramVersion
}

/** A draft of a member for a fact of the instant `at`. */
export function openDraft(member: Member, programs: Programs, at: number): Draft {
  const now = Math.max(at, member.advancedTo)
  const version = versionAt(programs, now)
  return {
    member: { ...member },
    programs,
    version,
    program: version.program,
    at,
    now,
    owns: { lots: null, redemptions: false },
    transfers: [],
    effects: [],
    reasons: [],
    orders: [],
    redemptions: [],
    facts: [],
  }
}

/** Moves the draft to another instant, where another program version may be in force. */
export function moveDraft(draft: Draft, at: number): void {
  draft.at = at
  draft.now = Math.max(at, draft.member.advancedTo)
  draft.version = versionAt(draft.programs, draft.now)
  draft.program = draft.version.program
}

/** The draft's list of lots, to be added to; a lot in it is changed through {@link changeLot}. */
export function lotsOf(draft: Draft): Lot[] {
  if (draft.owns.lots === null) {
    draft.member.lots = draft.member.lots.slice()
    draft.owns.lots = new Set()
  }
  return draft.member.lots as Lot[]
}

/** The lot as the draft's own copy, to be changed in place. Most lots of a member are never touched, so they are copied one by one. */
export function changeLot(draft: Draft, lot: Lot): Lot {
  const lots = lotsOf(draft)
  const owned = draft.owns.lots as Set<Lot>
  if (owned.has(lot)) return lot
  const copy = { ...lot }
  lots[lots.indexOf(lot)] = copy
  owned.add(copy)
  return copy
}

/** Adds a lot to the draft. */
export function addLot(draft: Draft, lot: Lot): Lot {
  lotsOf(draft).push(lot)
  ;(draft.owns.lots as Set<Lot>).add(lot)
  return lot
}

/** The draft's open redemptions, to be changed in place; the records themselves are replaced, never changed. */
export function redemptionsOf(draft: Draft): Redemption[] {
  if (!draft.owns.redemptions) {
    draft.member.redemptions = [...draft.member.redemptions]
    draft.owns.redemptions = true
  }
  return draft.member.redemptions as Redemption[]
}

/** What a transfer says besides its accounts and amount. */
export type Posting = {
  key: string
  reason: TransferReason
  source?: string | null
  reverses?: string | null
  /** Where it differs from the draft's. */
  eventAt?: number
}

/**
 * Moves points between the shop and one of the member's balances, or between two of those. Lots are the caller's. Nothing happens for 0. Throws
 * TooLargeToCount (money.ts) where a balance would no longer be exact.
 */
export function post(
  draft: Draft,
  from: ShopAccount | Balance,
  to: ShopAccount | Balance,
  amount: number,
  posting: Posting,
): void {
  if (amount === 0) return
  if (!(amount > 0) || !Number.isInteger(amount)) throw new Error(`${amount} points cannot be moved (${posting.key})`)
  const { member } = draft
  if (isBalance(from)) member[from] = requireSafe(member[from] - amount)
  if (isBalance(to)) member[to] = requireSafe(member[to] + amount)
  draft.transfers.push({
    key: posting.key,
    from: nameAccount(from, member.id),
    to: nameAccount(to, member.id),
    amount,
    eventAt: posting.eventAt ?? draft.at,
    reason: posting.reason,
    source: posting.source ?? null,
    reverses: posting.reverses ?? null,
  })
}

/** The full name of an account: "member:<gid>.available", "shop.issued". */
export function nameAccount(account: ShopAccount | Balance, memberId: string): Account {
  return isBalance(account) ? `member:${memberId}.${account}` : account
}

function isBalance(account: ShopAccount | Balance): account is Balance {
  return account === 'available' || account === 'pending' || account === 'reserved'
}

/**
 * The engine: one pure function from what we know of a member and something that happened to what we know then, the points that moved and why.
 * No clock, no database, no randomness; the worker, the simulator, the storefront estimate and the property tests call the same code.
 *
 * A *member* is a customer who takes part. An *event* is something that happened at an instant. *Scheduled* things (release of a hold, expiry, tier
 * review, birthday, a code that runs out) are events that time brings; {@link nextDueAt} says when a member's next one is due.
 * A *world* is the part of what is stored that a batch of events can touch, loaded before.
 *
 * How a caller works:
 *   1. {@link findNeeds} of the batch's events says which orders, redemptions and facts to load; {@link findMemberNeeds} then which members.
 *   2. {@link handle} applies one event to the loaded world and answers with {@link Changes}: whole small records to write back, and transfers.
 *      The caller puts the records into its world and goes on with the next event.
 *   3. The changes of a batch are written in one transaction.
 * Nothing passed in is ever changed in place; every record in the answer is new.
 */
import type { Transfer } from './ledger.ts'
import type { Lot } from './lots.ts'
import type { Order, OrderRecord, Reason, Refund } from './order.ts'
import type { Program } from './program.ts'
import type { Redemption } from './rewards.ts'
import type { Activity, TierStanding } from './tiers.ts'

/** A published version of the program. */
export type ProgramVersion = {
  /** Counts up from 1; stored with every order it priced. */
  number: number
  /** The first instant at which it is in force. */
  from: number
  program: Program
}

/** All versions of a shop's program with the settings that are not part of the document. */
export type Programs = {
  /** By `from`, oldest first; at least one. */
  versions: readonly ProgramVersion[]
  /** True where the merchant lets orders from before the first version earn, by the first version (SEMANTICS 5). */
  historyEarns: boolean
  /**
   * False in the simulator: a code that runs out or is cancelled gives its points back at that instant. True in the app: it becomes `ending`, the
   * effect `settle-code` asks for Shopify's word, and the event `code-gone` gives the points back.
   */
  confirmCodes: boolean
}

/**
 * What we know of one member. Plain data. `lots`, `redemptions` and `activity` hold only what is open:
 * lots with points in them, redemptions that are `reserved`, `issued` or `ending`, activity that {@link activitySince} asks for.
 */
export type Member = {
  /** The customer's gid. */
  id: string
  /** Gids of customers merged into this one, whose late webhooks land here (SEMANTICS 21). */
  aliases: readonly string[]
  /** The instant of erasure (SEMANTICS 22); null otherwise. */
  erasedAt: number | null
  /** Shopify's `customer.state`, null where we have not heard it. */
  customerState: string | null
  optedInAt: number | null
  birthday: Birthday | null
  /** May be below zero: Σ `lots.available` − `deficit`. */
  available: number
  pending: number
  reserved: number
  /** Points taken back after they had been spent, not yet refilled. */
  deficit: number
  /** Earned minus taken back; adjustments and returned points are neither. */
  lifetimeEarned: number
  lots: readonly Lot[]
  redemptions: readonly Redemption[]
  activity: readonly Activity[]
  /** Sums of all activity ever, for tiers over a lifetime. */
  lifetime: { points: number; spendMinor: number; spendRest: string | null; orders: number }
  /** How often limits were used: "rule:<id>|ever", "rule:<id>|2026-08-01", "rule:<id>|2026", "rule:<id>|<order gid>", "reward:<id>". */
  counters: Readonly<Record<string, number>>
  tier: TierStanding
  /** The latest earnings, newest first, at most 4: the first counts for `inactivity`; the others stand in where its order moves. */
  recentEarnings: readonly { key: string; at: number }[]
  /** The last instant at which `inactivity` emptied the balance: returned points that were spent before it expire at once. Null: never. */
  emptiedAt: number | null
  /** Scheduled things before this instant have happened. */
  advancedTo: number
  /** The `number` of the program version this member's lots and tier are kept by. */
  version: number | null
}

export type Birthday = {
  /** 1–12 and 1–31; 29 February is kept on the 28th in common years. */
  month: number
  day: number
  /** When the shopper last set or changed it: 30 × 24 h must lie between this and the day. */
  setAt: number
  /** The last calendar year it was paid in, null: never. */
  paidYear: number | null
}

/** A key that was used, with the data it was used with: the same again is the same result, other data an error (SEMANTICS 20). */
export type Fact = {
  /** "event:<member>:<name>:<key>", "adjust:<key>", "redeem:<id>". */
  key: string
  member: string
  /** The data as text, to compare. */
  data: string
}

/** What can happen. `at` is the event's instant (`triggeredAt`). */
export type Event =
  /** Any webhook or API read that carries a whole order. `paidAt` only from the API: `processedAt` of its last successful sale or capture. */
  | { type: 'order'; at: number; order: Order; paidAt?: number }
  /** `refunds/create` alone: no totals. */
  | { type: 'refund'; at: number; order: string; refund: Refund }
  /** `orders/edited`: changes nothing by itself; answers with the effect `refetch-order`. */
  | { type: 'order-edited'; at: number; order: string }
  | { type: 'order-deleted'; at: number; order: string }
  /** `customers/create`, `customers/update`. */
  | { type: 'customer'; at: number; customer: string; state: string | null }
  /** `customers/merge`: `from` becomes an alias of `into`. */
  | { type: 'merge'; at: number; from: string; into: string }
  /** `customers/redact`. */
  | { type: 'erase'; at: number; customer: string }
  | { type: 'opt-in'; at: number; customer: string }
  | { type: 'birthday'; at: number; customer: string; month: number; day: number }
  /** Sign-up, review, profile, referral or a custom event (`name` without `custom:`). */
  | { type: 'event'; at: number; customer: string; name: string; key: string; order: string | null }
  | {
      type: 'adjust'
      at: number
      customer: string
      points: number
      reason: string
      actor: string
      key: string
      /** Asked for: the points count towards tiers too. */
      countsForTier?: boolean
    }
  /** First phase: sets points aside. `points` for rewards of a variable amount. `subtotalMinor` is checked where the caller knows the cart. */
  | { type: 'reserve'; at: number; customer: string; id: string; reward: string; points?: number }
  /** Second phase: the code that Shopify knows. */
  | { type: 'commit'; at: number; id: string; code: string }
  | { type: 'release'; at: number; id: string }
  /** Reserve, create and commit in one (`app/redeem`). The id is the code. */
  | { type: 'redeem'; at: number; customer: string; reward: string; points?: number; code: string }
  /** The shopper or merchant gives an unused code back. */
  | { type: 'cancel-redemption'; at: number; code: string }
  /** Shopify has confirmed that an `ending` code is gone and was not used. */
  | { type: 'code-gone'; at: number; code: string }
  | {
      type: 'place-tier'
      at: number
      customer: string
      /** Null ends a placement. */
      level: string | null
      until: number | null
      reason: string
      actor: string
    }

/** What must happen outside, or be told to somebody. */
export type Effect =
  | { kind: 'refetch-order'; order: string }
  | {
      kind: 'tier-changed'
      member: string
      from: string | null
      to: string | null
      at: number
      by: 'activity' | 'review' | 'hand' | 'merge'
    }
  /** The code must be taken out of use at Shopify; with `confirmCodes`, answer with `code-gone` once it is, or with the order that used it. */
  | { kind: 'settle-code'; member: string; redemption: string; code: string; at: number }
  /** An order used a code of ours. */
  | { kind: 'code-used'; member: string; redemption: string; code: string; order: string; at: number }
  | { kind: 'points-expired'; member: string; points: number; at: number }

/** Why a request was refused. Nothing has changed then, except scheduled things that were due. */
export type Refusal =
  | 'insufficient_points'
  | 'unknown_reward'
  | 'not_a_member'
  | 'unknown_member'
  | 'erased'
  | 'points_required'
  | 'points_not_allowed'
  | 'below_minimum_points'
  | 'below_one_step'
  | 'tier'
  | 'limit_reached'
  | 'code_taken'
  | 'unknown_code'
  | 'unknown_redemption'
  | 'code_used'
  | 'already_returned'
  | 'key_used_with_other_data'
  | 'unknown_event'
  | 'unknown_level'
  | 'unknown_order'
  | 'merge_with_itself'
  | 'zero_points'
  | 'invalid_date'

/** The part of what is stored that an event can touch. Look-ups are synchronous: load it before. All answers are never changed in place. */
export type World = {
  /** By gid, aliases followed by the world. Undefined: a customer we have not seen. */
  member(id: string): Member | undefined
  order(id: string): OrderRecord | undefined
  /** By our id. */
  redemption(id: string): Redemption | undefined
  redemptionByCode(code: string): Redemption | undefined
  fact(key: string): Fact | undefined
}

/** What an event changed. Records replace those with the same key; transfers are only ever added. */
export type Changes = {
  /** Null where the event was applied (also where it changed nothing); otherwise why it was refused. */
  refused: Refusal | null
  members: Member[]
  orders: OrderRecord[]
  redemptions: Redemption[]
  facts: Fact[]
  transfers: Transfer[]
  effects: Effect[]
  /** Why: of the order, event or request. */
  reasons: Reason[]
}

/** The keys of stored things that events touch at first sight. */
export type Needs = { members: string[]; orders: string[]; redemptions: string[]; codes: string[]; facts: string[] }

/** What one member's part of an event changed. */
export type Applied = {
  refused: Refusal | null
  member: Member
  orders: OrderRecord[]
  redemptions: Redemption[]
  facts: Fact[]
  transfers: Transfer[]
  effects: Effect[]
  reasons: Reason[]
}

/** A member that nothing has happened to yet. */
export declare function createMember(id: string, at: number, programs: Programs): Member

/** What must be loaded for these events at first sight. Aliases are the caller's: load the survivor for the id of a merged customer. */
export declare function findNeeds(events: readonly Event[]): Needs

/** With those loaded: the members the events can touch (an order's customers, the owners of its codes). */
export declare function findMemberNeeds(world: World, events: readonly Event[]): string[]

/**
 * Applies one event to the world: first what is due of every member it touches, up to and including `event.at`, then the event itself.
 * An event older than what a member has been through is applied now, with its own instant as `eventAt`.
 */
export declare function handle(world: World, event: Event, programs: Programs): Changes

/** Everything that is due of one member up to and including `now`, in order of time. The nightly job and the simulator's clock. */
export declare function advance(member: Member, programs: Programs, now: number): Applied

/** The instant of the member's next scheduled thing, null where none will come without a new event. Store and index it. */
export declare function nextDueAt(member: Member, programs: Programs): number | null

/** The instant since which `Member.activity` must be loaded for `now`; −Infinity never: lifetime windows use `Member.lifetime`. Null: none needed. */
export declare function activitySince(programs: Programs, now: number): number | null

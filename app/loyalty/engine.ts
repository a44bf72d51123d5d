/**
 * The engine: one pure function from what we know of a member and something that happened to what we know then, the points that moved and why.
 * No clock, no database, no randomness; the worker, the simulator, the storefront estimate and the property tests call the same code.
 *
 * A *member* is a customer who takes part. An *event* is something that happened at an instant. *Scheduled* things (release of a hold, expiry, tier
 * review, birthday, a code that runs out) are events that time brings; {@link nextDueAt} says when a member's next one is due.
 * A *world* is the part of what is stored that a batch of events can touch, loaded before.
 *
 * How a caller works:
 *   1. {@link findNeeds} of the batch's events says which orders, redemptions and facts to load; {@link findMemberNeeds} then which members;
 *      {@link findFactNeeds} then whether there are more facts, of ids that were merged.
 *   2. {@link handle} applies one event to the loaded world and answers with {@link Changes}: whole small records to write back, and transfers.
 *      The caller puts the records into its world and goes on with the next event.
 *   3. The changes of a batch are written in one transaction.
 * Nothing passed in is ever changed in place; every record in the answer is new.
 */
import {
  adjust,
  adjustKey,
  applyEvent,
  eventKey,
  findNextBirthday,
  isEnrolled,
  payBirthday,
  setBirthday,
  signUp,
} from './events.ts'
import { moveDraft, openDraft, versionAt, type Draft, type Transfer } from './ledger.ts'
import { expireDue, findFirstEnd, redateLots, releaseDue, requireLotsDue, type Lot, type LotsAside } from './lots.ts'
import { erase, forfeit } from './erase.ts'
import { mergeInto } from './merge.ts'
import type { Rational } from './money.ts'
import { formatInstant } from './time.ts'
import {
  addLoneRefund,
  addSnapshot,
  createOrderRecord,
  isPaid,
  isVoid,
  keepProducts,
  type Order,
  type OrderRecord,
  type Reason,
  type Refund,
} from './order.ts'
import { measureReturnedShare } from './points.ts'
import type { Program } from './program.ts'
import {
  commit,
  confirmCodeGone,
  endCode,
  findShownEnd,
  normalizeCode,
  quoteAt,
  release,
  reserve,
  returnShare,
  useCode,
  type Redemption,
} from './rewards.ts'
import {
  activitySince,
  endPlacement,
  findNextReview,
  placeTier,
  reviewTier,
  type Activity,
  type ActivitySums,
  type TierStanding,
} from './tiers.ts'
import { findOrderWhy, leaveOrder, noteStale, nothing, settleOrder } from './settle-order.ts'

export { activitySince }

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
  /** True where the merchant lets orders from before the first version earn, by the first version. */
  historyEarns: boolean
  /**
   * False in the simulator: a code that runs out or is cancelled gives its points back at that instant. True in the app: it becomes `ending`, the
   * effect `settle-code` asks for Shopify's word, and the event `code-gone` gives the points back.
   */
  confirmCodes: boolean
}

/**
 * What we know of one member. Plain data. `lots`, `redemptions` and `activity` hold only what is open:
 * lots with points in them, redemptions that are `reserved`, `issued` or `ending`. `activity` is all there is; a caller that stores it apart may load
 * only what {@link activitySince} asks for.
 */
export type Member = {
  /** The customer's gid. It never changes; after a merge it is the survivor's. */
  id: string
  /** Gids of customers merged into this one, whose late webhooks land here. */
  aliases: readonly string[]
  /** The instant of erasure; null otherwise. */
  erasedAt: number | null
  /** Shopify's `customer.state`, null where we have not heard it. */
  customerState: string | null
  /** The instant of the news that said so: news of before it do not take it back. Kept with other changes, never for its own sake. */
  customerStateAt: number | null
  optedInAt: number | null
  /** When they signed up ({@link signUp}), once and for ever. Null: not yet, or before the app listened. */
  signedUpAt: number | null
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
  /** Not here where `lots` are all there are. */
  lotsAside?: LotsAside
  redemptions: readonly Redemption[]
  activity: readonly Activity[]
  /** Sums of all activity ever, for tiers over a lifetime. */
  lifetime: ActivitySums
  /** How often limits were used: "rule:<id>|ever", "rule:<id>|2026-08-01", "rule:<id>|2026", "rule:<id>|<order gid>", "reward:<id>". */
  counters: Readonly<Record<string, number>>
  tier: TierStanding
  /** The latest earnings, newest first, at most 4: the first counts for `inactivity`; the others stand in where its order moves. */
  recentEarnings: readonly { key: string; at: number }[]
  /** The last instant at which `inactivity` emptied the balance: returned points that were spent before it expire at once. Null: never. */
  emptiedAt: number | null
  /** Retention segments the member was last found in, for campaigns. */
  segments: readonly string[]
  /** Scheduled things up to and including this instant have happened. */
  advancedTo: number
  /** The `number` of the program version this member's lots and tier are kept by. */
  version: number | null
}

/** A birthday without its year. */
export type Birthday = {
  /** 1–12 and 1–31; 29 February is kept on the 28th in common years. */
  month: number
  day: number
  /** When the shopper last set or changed it: 30 × 24 h must lie between this and the day. */
  setAt: number
  /** The last calendar year it was paid in, null: never. */
  paidYear: number | null
}

/** A key that was used, with the data it was used with: the same again is the same result, other data an error. */
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
  /**
   * `customers/create`, `customers/update` and the like. `signUp`: `now` where this very moment the customer got an account, `before` where
   * they took part elsewhere and are brought over, so that they never sign up here.
   */
  | { type: 'customer'; at: number; customer: string; state: string | null; signUp?: 'now' | 'before' }
  /** `customers/merge`: `from` becomes an alias of `into`. Nothing where it is somebody's alias already: nobody is merged away twice. */
  | { type: 'merge'; at: number; from: string; into: string }
  /** `customers/redact`. Of an id that was merged away it changes nothing here: the survivor is another customer, and lives. */
  | { type: 'erase'; at: number; customer: string }
  /** `signUp`: they join by their own will, now. */
  | { type: 'opt-in'; at: number; customer: string; signUp?: 'now' }
  /** The retention segments the customer is in from now on. */
  | { type: 'segments'; at: number; customer: string; segments: readonly string[] }
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
      /** Of points given: when they count as earned, not after `at`; for points brought over with a last day. Default `at`. */
      earnedAt?: number
      /** Of points taken: the lot that they come from first, and the key of the transfer that is undone. */
      lot?: string
      reverses?: string
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
      /** A level that the member brought along pays no entry reward. */
      withoutReward?: boolean
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
  | 'not_returnable'
  | 'key_used_with_other_data'
  | 'unknown_event'
  | 'unknown_level'
  | 'unknown_order'
  | 'merge_with_itself'
  | 'zero_points'
  | 'not_now'
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
  /** What {@link nextDueAt} said of this record when it was kept, Infinity for nothing; a world that does not know leaves it to be worked out. */
  dueAt?(member: Member): number
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

/** What all new members share until they have something of their own: there can be millions of them. */
const NONE: readonly never[] = Object.freeze([])
const NO_COUNTERS: Readonly<Record<string, number>> = Object.freeze({})
const NO_ACTIVITY: ActivitySums = Object.freeze({ points: 0, spendMinor: 0, spendRest: null, orders: 0 })

/** A member that nothing has happened to yet. */
export function createMember(id: string, at: number, programs: Programs): Member {
  const { number, program } = versionAt(programs, at)
  return makeMember(id, at, number, program.tiers?.levels[0]?.id ?? null)
}

function makeMember(id: string, at: number, version: number | null, level: string | null): Member {
  return {
    id,
    aliases: NONE,
    erasedAt: null,
    customerState: null,
    customerStateAt: null,
    optedInAt: null,
    signedUpAt: null,
    birthday: null,
    available: 0,
    pending: 0,
    reserved: 0,
    deficit: 0,
    lifetimeEarned: 0,
    lots: NONE,
    redemptions: NONE,
    activity: NONE,
    lifetime: NO_ACTIVITY,
    counters: NO_COUNTERS,
    tier: { level, history: [{ at, level }], failingSince: null, entryRewarded: NONE, manual: null },
    recentEarnings: NONE,
    emptiedAt: null,
    segments: NONE,
    advancedTo: at,
    version,
  }
}

/** What must be loaded for these events at first sight. Aliases are the caller's: load the survivor for the id of a merged customer. */
export function findNeeds(events: readonly Event[]): Needs {
  const needs = { members: new Set<string>(), orders: new Set<string>(), redemptions: new Set<string>() }
  const [codes, facts] = [new Set<string>(), new Set<string>()]
  for (const event of events) {
    if ('customer' in event) needs.members.add(event.customer)
    switch (event.type) {
      case 'order':
        needs.orders.add(event.order.id)
        if (event.order.customer !== null) needs.members.add(event.order.customer)
        for (const code of event.order.discountCodes) codes.add(code)
        break
      case 'refund':
      case 'order-deleted':
        needs.orders.add(event.order)
        break
      case 'merge':
        needs.members.add(event.from).add(event.into)
        break
      case 'event':
        facts.add(eventKey(event.customer, event.name, event.key))
        break
      case 'adjust':
        facts.add(adjustKey(event.key))
        break
      case 'reserve':
      case 'commit':
      case 'release':
        needs.redemptions.add(event.id)
        break
      case 'redeem':
      case 'cancel-redemption':
      case 'code-gone':
        codes.add(event.code)
    }
  }
  return {
    members: [...needs.members],
    orders: [...needs.orders],
    redemptions: [...needs.redemptions],
    codes: [...codes],
    facts: [...facts],
  }
}

/** With those loaded: the members the events can touch (an order's customers, the owners of its codes). */
export function findMemberNeeds(world: World, events: readonly Event[]): string[] {
  const needs = findNeeds(events)
  const members = new Set(needs.members)
  for (const id of needs.orders) {
    const record = world.order(id)
    if (!record) continue
    if (record.customer !== null) members.add(record.customer)
    if (record.terms !== null) members.add(record.terms.member)
    for (const code of record.codes) addOwner(members, world.redemptionByCode(code))
  }
  for (const code of needs.codes) addOwner(members, world.redemptionByCode(code))
  for (const id of needs.redemptions) addOwner(members, world.redemption(id))
  return [...members]
}

/**
 * With the members loaded too: the keys under which the events may have been remembered, of every id that their members have or had. Those
 * {@link findNeeds} named are among them; more there are only of members who were merged, or are in this very batch.
 */
export function findFactNeeds(world: World, events: readonly Event[]): string[] {
  const idsOf = (customer: string): string[] => {
    const member = world.member(customer)
    return member ? [member.id, ...member.aliases] : [customer]
  }
  const merging = new Set(
    events.flatMap((event) => (event.type === 'merge' ? [...idsOf(event.from), ...idsOf(event.into)] : [])),
  )
  const keys = new Set<string>()
  for (const event of events) {
    if (event.type !== 'event') continue
    const own = idsOf(event.customer)
    const ids = own.some((id) => merging.has(id)) ? [...own, ...merging] : own
    for (const id of ids) keys.add(eventKey(id, event.name, event.key))
  }
  return [...keys]
}

function addOwner(members: Set<string>, redemption: Redemption | undefined): void {
  if (redemption) members.add(redemption.member)
}

/**
 * Applies one event to the world: first what is due of every member it touches, up to and including `event.at`, then the event itself.
 * An event older than what a member has been through is applied now, with its own instant as `eventAt`.
 */
export function handle(world: World, event: Event, programs: Programs): Changes {
  const work: Work = {
    world,
    programs,
    at: event.at,
    drafts: new Map(),
    orders: [],
    facts: [],
    effects: [],
    reasons: [],
  }
  const refused = applyToWork(work, event)
  return finish(work, refused)
}

/**
 * {@link handle} of an erasure before there is a program: who was forgotten is known as that from then on, so that orders that wait for a program, and
 * later ones, make nobody of them.
 */
export function eraseBeforeProgram(world: World, { customer, at }: Event & { type: 'erase' }): Changes {
  const members = world.member(customer) ? [] : [{ ...makeMember(customer, at, null, null), erasedAt: at }]
  return { refused: null, members, orders: [], redemptions: [], facts: [], transfers: [], effects: [], reasons: [] }
}

/** Everything that is due of one member up to and including `now`, in order of time. The nightly job and the simulator's clock. */
export function advance(member: Member, programs: Programs, now: number): Applied {
  const draft = openDraft(member, programs, now)
  advanceDraft(draft, now)
  const { transfers, effects, orders, redemptions, facts, reasons } = draft
  return { refused: null, member: close(draft), orders, redemptions, facts, transfers, effects, reasons }
}

/**
 * Applies an event that concerns one member alone, as {@link handle} does for a whole world: for previews and tests. Orders known before, used codes and
 * keys are not looked at.
 */
export function apply(member: Member, event: Event, programs: Programs): Applied {
  const redemption = (matches: (candidate: Redemption) => boolean) => member.redemptions.find(matches)
  const changes = handle(
    {
      member: (id) => (id === member.id || member.aliases.includes(id) ? member : undefined),
      order: () => undefined,
      redemption: (id) => redemption((candidate) => candidate.id === id),
      redemptionByCode: (code) =>
        redemption((candidate) => candidate.code !== null && normalizeCode(candidate.code) === normalizeCode(code)),
      fact: () => undefined,
    },
    event,
    programs,
  )
  const { members, ...rest } = changes
  return { ...rest, member: members.find((changed) => changed.id === member.id) ?? member }
}

/** The instant of the member's next scheduled thing, null where none will come without a new event. Store and index it. */
export function nextDueAt(member: Member, programs: Programs): number | null {
  const due = findDue(member, programs)
  return due === Infinity ? null : due
}

/** The drafts and records of one event. */
type Work = {
  world: World
  programs: Programs
  at: number
  drafts: Map<string, { draft: Draft; before: Member | null; mergedAway: boolean }>
  orders: OrderRecord[]
  facts: Fact[]
  effects: Effect[]
  reasons: Reason[]
}

/** The draft of the customer's member (of the survivor of a merge), moved on to the event's instant. A customer not seen before becomes a member. */
function draftOf(work: Work, customer: string): Draft {
  const known = work.world.member(customer) ?? null
  const id = known?.id ?? customer
  const open = work.drafts.get(id)
  if (open) return open.draft
  const draft = openDraft(known ?? createMember(id, work.at, work.programs), work.programs, work.at)
  work.drafts.set(id, { draft, before: known, mergedAway: false })
  const dueAt = known ? (work.world.dueAt?.(known) ?? -Infinity) : Infinity
  if (dueAt <= work.at) advanceDraft(draft, work.at)
  moveDraft(draft, work.at)
  draft.member.advancedTo = draft.now
  return draft
}

function finish(work: Work, refused: Refusal | null): Changes {
  const changes: Changes = {
    refused,
    members: [],
    orders: work.orders,
    redemptions: [],
    facts: work.facts,
    transfers: [],
    effects: work.effects,
    reasons: work.reasons,
  }
  for (const { draft, before, mergedAway } of work.drafts.values()) {
    // Whoever was only made to be refused has not come into being.
    if (before === null && refused !== null) continue
    if (!mergedAway) sweep(draft)
    const member = close(draft)
    changes.redemptions.push(...draft.redemptions)
    changes.facts.push(...draft.facts)
    changes.transfers.push(...draft.transfers)
    changes.effects.push(...draft.effects)
    changes.reasons.push(...draft.reasons)
    if (!mergedAway && (before === null || isChanged(before, member))) changes.members.push(member)
  }
  return changes
}

/** Whether there is a reason to keep the member anew (and to write its card): how far it was moved on, and when news of its account came, are none. */
function isChanged(before: Member, after: Member): boolean {
  for (const key in after) {
    if (key === 'advancedTo' || key === 'customerStateAt') continue
    if (before[key as keyof Member] !== after[key as keyof Member]) return true
  }
  return false
}

/** What a late event made due at once: its lot may be past its release or its end already. An erased member keeps nothing. */
function sweep(draft: Draft): void {
  requireLotsDue(draft.member, draft.now)
  releaseDue(draft)
  // Where nothing moved, an earlier end alone made something due: the same instant may have seen an expiry already.
  expireDue(draft, () => draft.transfers.at(-1)?.key ?? `${formatInstant(draft.now)}/${formatInstant(draft.at)}`)
  if (draft.member.erasedAt !== null) forfeit(draft)
}

/** The draft's member as a record to keep: closed lots are left out. */
function close(draft: Draft): Member {
  const { member } = draft
  if (draft.owns.lots !== null) member.lots = member.lots.filter((lot) => lot.pending > 0 || lot.available > 0)
  return member
}

function applyToWork(work: Work, event: Event): Refusal | null {
  switch (event.type) {
    case 'order': {
      const order = keepProducts(event.order, work.world.order(event.order.id)?.snapshot)
      return applyOrder(work, order.id, order, (record) => addSnapshot(record, order, event.at, event.paidAt))
    }
    case 'refund':
      if (!work.world.order(event.order)?.snapshot) work.effects.push({ kind: 'refetch-order', order: event.order })
      return applyOrder(work, event.order, null, (record) => addLoneRefund(record, event.refund))
    case 'order-deleted':
      return applyOrder(work, event.order, null, (record) => (record.deleted ? record : { ...record, deleted: true }))
    case 'order-edited':
      work.effects.push({ kind: 'refetch-order', order: event.order })
      return null
    case 'merge':
      return applyMerge(work, event)
    case 'commit':
    case 'release':
    case 'cancel-redemption':
    case 'code-gone':
      return applyToRedemption(work, event)
    default:
      return applyToMember(work, draftOf(work, event.customer), event)
  }
}

type MemberEvent = Exclude<
  Event,
  {
    type:
      | 'order'
      | 'refund'
      | 'order-deleted'
      | 'order-edited'
      | 'merge'
      | 'commit'
      | 'release'
      | 'cancel-redemption'
      | 'code-gone'
  }
>

function applyToMember(work: Work, draft: Draft, event: MemberEvent): Refusal | null {
  const { member } = draft
  switch (event.type) {
    case 'customer':
      noteAccount(member, event.customer, event.state, event.at)
      if (event.signUp === 'before') member.signedUpAt ??= event.at
      if (event.signUp === 'now') signUp(draft, 'account')
      return null
    case 'opt-in': {
      if (member.erasedAt !== null) return 'erased'
      const isNew = member.optedInAt === null
      member.optedInAt ??= event.at
      if (isNew && event.signUp === 'now') signUp(draft, 'opt-in')
      return null
    }
    case 'segments':
      member.segments = event.segments
      return null
    case 'birthday':
      return setBirthday(draft, event)
    case 'event':
      return applyEvent(draft, event, findEventFact(work.world, member, event))
    case 'adjust':
      return adjust(draft, event, work.world.fact(adjustKey(event.key)))
    case 'erase':
      // Who was merged away lives on as another, whom nobody asked to forget: the caller forgets what it keeps under the old id.
      return event.customer === member.id ? erase(draft) : null
    case 'place-tier':
      return placeTier(
        draft,
        event.level,
        { until: event.until, reason: event.reason, actor: event.actor },
        event.withoutReward,
      )
        ? null
        : 'unknown_level'
    case 'reserve':
      return applyRedeem(draft, event, work.world.redemption(event.id))
    case 'redeem': {
      const request = { id: event.code, reward: event.reward, points: event.points }
      const refusal = applyRedeem(draft, request, work.world.redemptionByCode(event.code))
      const reserved = draft.redemptions.find((candidate) => candidate.id === event.code)
      return refusal === null && reserved?.state === 'reserved' ? commit(draft, reserved, event.code) : refusal
    }
  }
}

/** An event's key may have been used under an id that was merged away since. */
function findEventFact(world: World, member: Member, event: { name: string; key: string }): Fact | undefined {
  for (const id of [member.id, ...member.aliases]) {
    const fact = world.fact(eventKey(id, event.name, event.key))
    if (fact) return fact
  }
  return undefined
}

function applyRedeem(
  draft: Draft,
  request: { id: string; reward: string; points?: number | undefined },
  known: Redemption | undefined,
): Refusal | null {
  const { member, program } = draft
  if (known) {
    // The wish as it was then: another program today makes it no other wish.
    const price = quoteAt(draft.programs, known.reservedAt, request)
    const own = known.member === member.id || member.aliases.includes(known.member)
    const same = own && known.reward === request.reward && price.ok && price.points === known.points
    return same ? null : 'key_used_with_other_data'
  }
  if (member.erasedAt !== null) return 'erased'
  return isEnrolled(member, program) ? reserve(draft, request) : 'not_a_member'
}

function applyToRedemption(
  work: Work,
  event: Event & { type: 'commit' | 'release' | 'cancel-redemption' | 'code-gone' },
): Refusal | null {
  const { world } = work
  const found = 'id' in event ? world.redemption(event.id) : world.redemptionByCode(event.code)
  if (!found) return 'id' in event ? 'unknown_redemption' : 'unknown_code'
  const draft = draftOf(work, found.member)
  const redemption = findRedemption(work, found.id) ?? found
  switch (event.type) {
    case 'commit': {
      const holder = world.redemptionByCode(event.code)
      return holder && holder.id !== found.id ? 'code_taken' : commit(draft, redemption, event.code)
    }
    case 'release':
      return release(draft, redemption)
    case 'cancel-redemption':
      return endCode(draft, redemption)
    case 'code-gone':
      return confirmCodeGone(draft, redemption)
  }
}

/** The redemption as this event has left it so far. */
function findRedemption(work: Work, id: string): Redemption | undefined {
  for (const { draft } of work.drafts.values()) {
    const changed = draft.redemptions.find((candidate) => candidate.id === id)
    if (changed) return changed
  }
  return work.world.redemption(id)
}

/** Takes news of an order into its record, then lets everybody it concerns have what the record says now. */
function applyOrder(
  work: Work,
  id: string,
  order: Order | null,
  fold: (record: OrderRecord) => OrderRecord,
): Refusal | null {
  const before = work.world.order(id)
  const folded = fold(before ?? createOrderRecord(id))
  const record = folded === before ? { ...before } : folded
  if (order) noteCodes(work, record, order)
  const owner = record.customer === null ? null : draftOf(work, record.customer)
  if (owner && order?.customer != null) noteAccount(owner.member, order.customer, order.customerState, work.at)
  const previous = record.terms === null ? null : draftOf(work, record.terms.member)
  if (previous && previous !== owner) leaveOrder(previous, record)
  returnPoints(work, record, order)
  if (owner) settleOrder(owner, record, before)
  else record.worth = nothing(findOrderWhy(record) ?? 'no_customer')
  if (owner && order && record.snapshot !== order) noteStale(owner, record, order)
  work.orders.push(record)
  work.reasons.push(...(record.worth?.reasons ?? []))
  return null
}

/**
 * Whether the customer has an account, as the newest of all news says, an unpaid order's included: who opens one and orders by
 * invoice can join. Of customers merged away and erased members there is nothing to know.
 */
function noteAccount(member: Member, customer: string, state: string | null, at: number): void {
  if (state === null || customer !== member.id || member.erasedAt !== null) return
  if (at < (member.customerStateAt ?? -Infinity)) return
  member.customerState = state
  member.customerStateAt = at
}

/** Codes of ours that the order carries are used from now on, whoever's they are. */
function noteCodes(work: Work, record: OrderRecord, order: Order): void {
  for (const code of order.discountCodes) {
    const found = work.world.redemptionByCode(code)
    if (!found || found.code === null || record.codes.includes(found.code)) continue
    const draft = draftOf(work, found.member)
    const redemption = findRedemption(work, found.id) ?? found
    if (useCode(draft, redemption, order)) record.codes = [...record.codes, found.code]
  }
}

/** Points spent on the order come back as its goods are given back: before its own are taken back. */
function returnPoints(work: Work, record: OrderRecord, heard: Order | null): void {
  if (record.codes.length === 0) return
  const shares = [findReturnedShare(work.programs, record)]
  // A snapshot that comes late can show more given back than there is now, where the order was edited up since.
  if (heard && heard !== record.snapshot && isPaid(heard) && !isVoid(heard)) {
    shares.push(findReturnedShare(work.programs, { ...record, snapshot: heard }))
  }
  for (const code of record.codes) {
    const found = work.world.redemptionByCode(code)
    // Somebody must look at the whole order: it names the code, and its redemption is loaded with it.
    if (!found) work.effects.push({ kind: 'refetch-order', order: record.id })
    else {
      for (const share of shares) {
        if (share) returnShare(draftOf(work, found.member), findRedemption(work, found.id) ?? found, share)
      }
    }
  }
}

function findReturnedShare(programs: Programs, record: OrderRecord): Rational | null {
  if (record.deleted) return { numerator: 1n, denominator: 1n }
  const { snapshot } = record
  if (snapshot === null) return null
  if (isVoid(snapshot)) return { numerator: 1n, denominator: 1n }
  return measureReturnedShare(snapshot, versionAt(programs, snapshot.processedAt).program, record.loneRefunds)
}

/**
 * Balances add up on the survivor, lots keep their dates, the other id becomes an alias. Where the survivor was forgotten before we
 * heard of the merge, that goes for both: they were one when it was asked for. One who was forgotten joins nobody who lives on
 * (Shopify merges no redacted customer, CustomerMergeErrorFieldType.REDACTED_AT).
 *
 * Shopify merges nobody twice, so of whoever is an alias already one merge was told by where the orders went (jobs/reconcile-customers): it may
 * leave out customers in between, or be wrong where staff moved orders. Those in between have merges of their own, and two who both live must
 * never become one: nothing changes.
 */
function applyMerge(work: Work, event: Event & { type: 'merge' }): Refusal | null {
  if (event.from === event.into) return 'merge_with_itself'
  const gone = work.world.member(event.from)
  if (gone && gone.id !== event.from) return null
  const kept = draftOf(work, event.into)
  if (gone && gone.id === kept.member.id) return null
  const isForgotten = kept.member.erasedAt !== null
  if (gone && gone.erasedAt !== null && !isForgotten) return 'erased'
  if (!gone) {
    kept.member.aliases = [...kept.member.aliases, event.from]
    return null
  }
  const other = draftOf(work, event.from)
  const entry = work.drafts.get(gone.id)
  if (entry) entry.mergedAway = true
  if (isForgotten) erase(other)
  mergeInto(kept, other)
  return null
}

/** Lets everything happen that is due up to and including an instant, one instant after the other. */
function advanceDraft(draft: Draft, until: number): void {
  for (;;) {
    const due = findDue(draft.member, draft.programs)
    if (due > until) break
    advanceTo(draft, due)
  }
  draft.member.advancedTo = Math.max(draft.member.advancedTo, until)
}

/** What happens at one instant, in this order: releases, expiry, tier review, birthday, codes that run out. */
function advanceTo(draft: Draft, at: number): void {
  const { member } = draft
  // As it was due: by the version in force until now, which may end at this very instant.
  const { program } = versionAt(draft.programs, member.advancedTo)
  const reviewAt = findNextReview(member, program)
  const birthdayAt = findNextBirthday(member, program)
  moveDraft(draft, at)
  member.advancedTo = draft.now
  if (member.version !== draft.version.number) adoptVersion(draft)
  releaseDue(draft)
  expireDue(draft)
  if (reviewAt <= at) {
    if (member.tier.manual !== null) endPlacement(draft)
    else reviewTier(draft, 'review')
  }
  if (birthdayAt <= at) payBirthday(draft)
  for (const redemption of member.redemptions) {
    if (redemption.state === 'issued' && redemption.expiresAt !== null && redemption.expiresAt <= at) {
      endCode(draft, redemption)
    }
  }
  sweep(draft)
}

/** Another version of the program is in force from now on: clocks of expiry may start, tiers may lift at once. */
function adoptVersion(draft: Draft): void {
  const { member, programs, version } = draft
  const before = programs.versions.find((candidate) => candidate.number === member.version)
  member.version = version.number
  if (before?.program.expiry.model !== version.program.expiry.model) redateLots(draft)
  if (member.erasedAt === null) reviewTier(draft, 'activity')
}

/** The member's next scheduled instant; Infinity for none. It can lie in the past where a late event made something due. */
function findDue(member: Member, programs: Programs): number {
  const version = versionAt(programs, member.advancedTo)
  let due = Math.min(findNextVersion(member, programs), findFirstEnd(member, programs, member.advancedTo))
  if (member.lotsAside) due = Math.min(due, member.lotsAside.dueAt)
  for (const lot of member.lots) {
    if (lot.pending > 0 && lot.releaseAt !== null && lot.releaseAt < due) due = lot.releaseAt
  }
  for (const redemption of member.redemptions) {
    if (redemption.state !== 'issued') continue
    if (redemption.expiresAt !== null && redemption.expiresAt < due) due = redemption.expiresAt
    // Nothing moves then, but the member's card changes.
    const shownEnd = findShownEnd(redemption)
    if (shownEnd > member.advancedTo && shownEnd < due) due = shownEnd
  }
  if (member.erasedAt !== null) return due
  return Math.min(due, findNextReview(member, version.program), findNextBirthday(member, version.program))
}

function findNextVersion(member: Member, programs: Programs): number {
  const { versions } = programs
  const last = versions[versions.length - 1] as ProgramVersion
  if (member.version === last.number) return Infinity
  const index = versions.findIndex((candidate) => candidate.number === member.version)
  return (versions[index + 1] as ProgramVersion).from
}

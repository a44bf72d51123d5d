/**
 * A *lot* is points that were earned together and expire together. A member's available points are what is left in the lots, minus the *deficit*:
 * points that were taken back after they had been spent. While there is a deficit no lot has anything available.
 */
import type { Member, Programs, ProgramVersion } from './engine.ts'
import { addLot, changeLot, post, versionAt, type Draft } from './ledger.ts'
import type { Expiry } from './program.ts'
import { endOfDayMonthsLater, formatInstant } from './time.ts'

/** Points earned at one instant from one source. Kept while anything is pending or available; a closed lot is opened again by a return. */
export type Lot = {
  /** The order's gid, or the key of the credit; unique within a member. */
  key: string
  /** The instant of earning, from which expiry counts. */
  earnedAt: number
  /** When `pending` becomes available, or became so; null where nothing ever waited. */
  releaseAt: number | null
  /** The first instant at which these points are gone; null where they do not expire lot by lot ({@link findLotEnd} knows all models). */
  expiresAt: number | null
  pending: number
  available: number
}

/**
 * Lots that a caller has left in its store, since most events touch none but their own. Whatever turns out to need them is stopped by
 * {@link LotsNeeded} before anything came of it.
 */
export type LotsAside = {
  /** Nothing becomes due of them before this instant. */
  dueAt: number
  /** Keys of which no lot is among them: it is with the member, or there is none. */
  without: ReadonlySet<string>
}

/** Thrown by the engine: an event needs lots that were left aside. The caller puts them to the member and applies the event again. */
export class LotsNeeded extends Error {
  override name = 'LotsNeeded'
  readonly member: string
  constructor(member: string) {
    super(`The lots of ${member} are needed.`)
    this.member = member
  }
}

/** All of the member's open lots. Throws {@link LotsNeeded} where some were left aside. */
export function everyLot(member: Member): readonly Lot[] {
  if (member.lotsAside) throw new LotsNeeded(member.id)
  return member.lots
}

/** The member's open lot of this key. Throws {@link LotsNeeded} where it may be among those left aside. */
export function findLot({ id, lots, lotsAside }: Member, key: string): Lot | undefined {
  const lot = lots.find((candidate) => candidate.key === key)
  if (!lot && lotsAside && !lotsAside.without.has(key)) throw new LotsNeeded(id)
  return lot
}

/** Throws {@link LotsNeeded} where something of what was left aside may be due by an instant. */
export function requireLotsDue({ id, lotsAside }: Member, at: number): void {
  if (lotsAside && lotsAside.dueAt <= at) throw new LotsNeeded(id)
}

/** Points that a redemption took from one lot; it carries the lot's date, so that the lot can be opened again. */
export type Draw = {
  lot: string
  earnedAt: number
  /** The release that the lot's expiry counts from, only where it is that: its points still waited when expiry was switched on. */
  releaseAt?: number
  /** Points taken and not given back yet. */
  points: number
}

/** The lot of this key, opened (again) where it is not open: the draft's own, to be changed. Its dates say when it ends; nothing waits in it yet. */
export function openLot(draft: Draft, key: string, earnedAt: number, releaseAt: number | null = null): Lot {
  const open = findLot(draft.member, key)
  return open ? changeLot(draft, open) : openNewLot(draft, key, earnedAt, releaseAt)
}

/** {@link openLot} for a key that can only be used once. */
export function openNewLot(draft: Draft, key: string, earnedAt: number, releaseAt: number | null = null): Lot {
  const expiresAt = findLotExpiry(draft.programs, { earnedAt, releaseAt }, draft.now)
  return addLot(draft, { key, earnedAt, releaseAt, expiresAt, pending: 0, available: 0 })
}

/** Adds points that can be spent at once to a lot; a deficit is filled first. The balance is the caller's transfer. */
export function addAvailable(draft: Draft, lot: Lot, points: number): void {
  const filling = Math.min(points, draft.member.deficit)
  draft.member.deficit -= filling
  lot.available += points - filling
}

/**
 * Takes up to `points` from what the lots have available: from the lot named `first` as far as it goes, then in spending order. Answers
 * what was taken from which lot, in that order.
 */
export function takeAvailable(draft: Draft, points: number, first: string | null = null): Draw[] {
  const draws: Draw[] = []
  let left = points
  const take = (lot: Lot) => {
    const taken = Math.min(left, lot.available)
    if (taken === 0) return
    changeLot(draft, lot).available -= taken
    left -= taken
    draws.push({ lot: lot.key, ...datesToKeep(draft, lot), points: taken })
  }
  if (first !== null) {
    const own = findLot(draft.member, first)
    if (own) take(own)
  }
  if (left > 0) for (const lot of sortForSpending(draft, everyLot(draft.member))) take(lot)
  return draws
}

/** The dates that the lot, opened again, has its end from. */
function datesToKeep(
  { programs, now }: Draft,
  { earnedAt, releaseAt, expiresAt }: Lot,
): Pick<Draw, 'earnedAt' | 'releaseAt'> {
  if (releaseAt === null || expiresAt === null) return { earnedAt }
  return expiresAt === findLotExpiry(programs, { earnedAt, releaseAt: null }, now)
    ? { earnedAt }
    : { earnedAt, releaseAt }
}

/** Lots with something available: soonest expiry first, then oldest, never-expiring last. */
function sortForSpending(draft: Draft, lots: readonly Lot[]): Lot[] {
  const spendable = lots.filter((lot) => lot.available > 0)
  if (spendable.length < 2) return spendable
  const ends = new Map(spendable.map((lot) => [lot, findLotEnd(draft.member, lot, draft.programs, draft.now)]))
  return spendable.sort(
    (a, b) =>
      compareNumbers(ends.get(a) as number, ends.get(b) as number) ||
      a.earnedAt - b.earnedAt ||
      (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  )
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/** Moves what has waited long enough from pending to available. */
export function releaseDue(draft: Draft): void {
  if (draft.member.pending === 0) return
  for (const waiting of draft.member.lots) {
    if (waiting.pending === 0 || waiting.releaseAt === null || waiting.releaseAt > draft.now) continue
    const { pending, releaseAt } = waiting
    const lot = changeLot(draft, waiting)
    lot.pending = 0
    post(draft, 'pending', 'available', pending, {
      key: `release:${draft.member.id}:${lot.key}@${formatInstant(releaseAt)}`,
      reason: 'release',
      source: lot.key,
      eventAt: Math.max(releaseAt, draft.at),
    })
    addAvailable(draft, lot, pending)
  }
}

/**
 * Lets go what has come to its end: lot by lot, or the whole balance under `inactivity`. `findCause` makes the keys unique where a fact put
 * points into a lot past its end.
 */
export function expireDue(draft: Draft, findCause: () => string = () => formatInstant(draft.now)): void {
  const { member, program } = draft
  if (program.expiry.model === 'none' || findFirstEnd(member, draft.programs, draft.now) > draft.now) return
  const due = member.lots.filter(
    (lot) => lot.available > 0 && findLotEnd(member, lot, draft.programs, draft.now) <= draft.now,
  )
  if (due.length === 0) return
  const cause = findCause()
  let expired = 0
  let endedAt = -Infinity
  for (const lot of due) {
    const endsAt = findLotEnd(member, lot, draft.programs, draft.now)
    endedAt = Math.max(endedAt, endsAt)
    expired += lot.available
    if (program.expiry.model === 'lot') {
      post(draft, 'available', 'shop.expired', lot.available, {
        key: `expire:${member.id}:${lot.key}@${cause}`,
        reason: 'expire',
        source: lot.key,
        eventAt: Math.max(endsAt, draft.at),
      })
    }
    changeLot(draft, lot).available = 0
  }
  if (program.expiry.model === 'inactivity') {
    post(draft, 'available', 'shop.expired', expired, {
      key: `expire:${member.id}@${cause}`,
      reason: 'expire',
      eventAt: Math.max(endedAt, draft.at),
    })
    member.emptiedAt = Math.max(member.emptiedAt ?? -Infinity, endedAt)
  }
}

/** The first instant at which any available points are gone, as things stand; Infinity for none. Says nothing of lots that were left aside. */
export function findFirstEnd(member: Member, programs: Programs, now: number): number {
  const { model } = versionAt(programs, now).program.expiry
  let first = Infinity
  if (model === 'none') return first
  for (const lot of member.lots) {
    if (lot.available === 0) continue
    const end = model === 'lot' ? (lot.expiresAt ?? Infinity) : findInactivityEnd(member, lot, programs, now)
    if (end < first) first = end
  }
  return first
}

/** Expires at once what is available in one lot, whatever its date: returned points whose end came while they were spent. */
export function expireReturned(draft: Draft, lot: Lot, points: number, cause: string): void {
  const expired = Math.min(points, lot.available)
  if (expired === 0) return
  lot.available -= expired
  post(draft, 'available', 'shop.expired', expired, {
    key: `expire:${draft.member.id}:${lot.key}@${cause}`,
    reason: 'expire',
    source: lot.key,
  })
}

/**
 * The first instant at which a lot's available points are gone, as things stand; Infinity where they do not expire. Under `inactivity` the balance ends
 * together, some months after the last earning; points that came after that end (an adjustment, or out of a hold) live as long from their own
 * instant.
 */
export function findLotEnd(member: Member, lot: Lot, programs: Programs, now: number): number {
  const { expiry } = versionAt(programs, now).program
  if (expiry.model === 'none') return Infinity
  if (expiry.model === 'lot') return lot.expiresAt ?? Infinity
  return findInactivityEnd(member, lot, programs, now)
}

function findInactivityEnd(member: Member, lot: Lot, programs: Programs, now: number): number {
  const { expiry, timeZone } = versionAt(programs, now).program
  if (expiry.model !== 'inactivity') return Infinity
  const startedAt = findExpiryStart(programs, now)
  const earnedAt = Math.max(member.recentEarnings[0]?.at ?? -Infinity, startedAt)
  const end = earnedAt === -Infinity ? -Infinity : endOfDayMonthsLater(earnedAt, expiry.months, timeZone)
  const cameAt = Math.max(lot.earnedAt, lot.releaseAt ?? -Infinity)
  return end > cameAt ? end : endOfDayMonthsLater(Math.max(cameAt, startedAt), expiry.months, timeZone)
}

/**
 * When points earned at an instant end under the `lot` model: the end of the shop's day some months later, counted from the moment expiry was switched
 * on where that is later, or from the release of what still waited then. The months are those in force then: a later change is for later
 * points. Points that a hold of before such a change outlasts count from their release too: pending points do not expire. Null under the other models.
 */
export function findLotExpiry(
  programs: Programs,
  { earnedAt, releaseAt }: Pick<Lot, 'earnedAt' | 'releaseAt'>,
  now: number,
): number | null {
  if (versionAt(programs, now).program.expiry.model !== 'lot') return null
  const startedAt = findExpiryStart(programs, now)
  const from = Math.max(earnedAt, startedAt)
  const { expiry, timeZone } = versionAt(programs, from).program
  const endFrom = (at: number) => endOfDayMonthsLater(at, (expiry as Expiry & { months: number }).months, timeZone)
  if (releaseAt === null || releaseAt <= from) return endFrom(from)
  const end = endFrom(from)
  return startedAt > earnedAt || end <= releaseAt ? endFrom(releaseAt) : end
}

/** When the expiry model in force at `now` was switched on; −Infinity where it always was. */
function findExpiryStart(programs: Programs, now: number): number {
  const { versions } = programs
  let index = versions.length - 1
  while (index > 0 && (versions[index] as ProgramVersion).from > now) index--
  const { model } = (versions[index] as ProgramVersion).program.expiry
  while (index > 0 && (versions[index - 1] as ProgramVersion).program.expiry.model === model) index--
  return index === 0 ? -Infinity : (versions[index] as ProgramVersion).from
}

/** Dates all lots anew when the expiry model changes: switching expiry on starts all clocks at that moment. */
export function redateLots(draft: Draft): void {
  for (const lot of everyLot(draft.member)) {
    changeLot(draft, lot).expiresAt = findLotExpiry(draft.programs, lot, draft.now)
  }
}

/** How many of the latest earnings are kept: one counts, the others stand in for an order that moves away. */
const EARNINGS_KEPT = 4

/** Notes an earning for `inactivity`; an order's moves with its order, and `at` null takes it away. */
export function noteEarning(draft: Draft, key: string, at: number | null): void {
  const { id, recentEarnings, lotsAside } = draft.member
  const known = recentEarnings.find((earning) => earning.key === key)
  if (known ? known.at === at : at === null) return
  if (at !== null) noteEmptied(draft)
  const others = recentEarnings.filter((earning) => earning.key !== key)
  if (at !== null) others.push({ key, at })
  others.sort((a, b) => b.at - a.at || (a.key < b.key ? -1 : 1))
  // An earlier last earning brings the end of all lots forward, where they end by it.
  const isSooner = (others[0]?.at ?? -Infinity) < (recentEarnings[0]?.at ?? -Infinity)
  if (lotsAside && isSooner) throw new LotsNeeded(id)
  draft.member.recentEarnings = others.slice(0, EARNINGS_KEPT)
}

/** Before an earning starts the clock of `inactivity` again: that it had run out, though nothing was left to go, matters to points being spent. */
function noteEmptied(draft: Draft): void {
  const { member, program, programs, now } = draft
  const last = member.recentEarnings[0]
  if (program.expiry.model !== 'inactivity' || !last) return
  const startedAt = Math.max(last.at, findExpiryStart(programs, now))
  const endedAt = endOfDayMonthsLater(startedAt, program.expiry.months, program.timeZone)
  if (endedAt <= now) member.emptiedAt = Math.max(member.emptiedAt ?? -Infinity, endedAt)
}

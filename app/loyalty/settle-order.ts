/**
 * What an order means for the member it belongs to: what it is worth now, the difference to what it has posted, its lot, and what it counts for
 * towards the tiers. The functions here change the record that they are given; it is the event's own copy.
 */
import { decideCampaigns } from './campaigns.ts'
import { findPeriod, hasPlace, isEnrolled, takePlace } from './events.ts'
import { changeLot, post, versionAt, type Draft } from './ledger.ts'
import { addAvailable, findLot, findLotExpiry, noteEarning, openLot, takeAvailable } from './lots.ts'
import { isPaid, isVoid, type Order, type OrderRecord, type OrderTerms, type OrderWorth, type Why } from './order.ts'
import { calculateWorth } from './points.ts'
import type { EarningRule } from './program.ts'
import { redateDraws } from './rewards.ts'
import { findTierAt, noteActivity, reviewTier, type Activity } from './tiers.ts'
import { DAY_MS, formatInstant } from './time.ts'

/** Why an order is worth nothing whoever's it is, or null. */
export function findOrderWhy(record: OrderRecord): Why | null {
  const { snapshot } = record
  if (record.deleted) return 'deleted'
  if (snapshot?.test) return 'test_order'
  if (snapshot && snapshot.cancelledAt !== null) return 'cancelled'
  if (snapshot?.financialStatus === 'voided') return 'voided'
  return snapshot === null || record.paidAt === null ? 'not_paid' : null
}

/** The worth of an order that is worth nothing, with the reason. */
export function nothing(why: Why): OrderWorth {
  return { points: 0, spendMinor: 0, spendRest: null, orders: 0, reasons: [{ rule: 'order', why }] }
}

/** Posts the difference between what the order is worth now and what it has posted, and sees to lot, activity and tier. Changes `record`. */
export function settleOrder(draft: Draft, record: OrderRecord, before: OrderRecord | undefined): void {
  const { member } = draft
  const counted = before?.terms && before.terms.member === record.terms?.member ? findActivity(before) : null
  evaluateOrder(draft, record)
  if (member.erasedAt !== null) return
  const worth = record.worth as OrderWorth
  if (record.terms !== null && record.paidAt !== null) {
    redateOrderLot(draft, record, record.terms, record.paidAt)
    if (worth.points > record.posted) creditOrder(draft, record, record.terms, worth.points - record.posted)
    else if (worth.points < record.posted) takeBackOrder(draft, record, record.posted - worth.points)
    if (record.terms.everEarned) noteEarning(draft, record.id, record.paidAt)
  }
  const counts = findActivity(record)
  noteActivity(draft, counted, counts)
  const lowered =
    counted !== null &&
    (counts === null ||
      counts.points < counted.points ||
      counts.spendMinor < counted.spendMinor ||
      counts.orders < counted.orders)
  reviewTier(draft, lowered ? 'review' : 'activity')
}

/** Sets `worth` and, at the first evaluation, `terms`. */
function evaluateOrder(draft: Draft, record: OrderRecord): void {
  const { snapshot } = record
  const why = findOrderWhy(record)
  if (why !== null || snapshot === null) {
    record.worth = nothing(why ?? 'not_paid')
    return
  }
  const terms = record.terms ?? makeTerms(draft, snapshot)
  record.terms = terms
  const version = draft.programs.versions.find((candidate) => candidate.number === terms.version)
  if (!version || !terms.enrolled) {
    const erased = draft.member.erasedAt !== null
    record.worth = nothing(!version ? 'before_program' : erased ? 'erased' : 'not_a_member')
    return
  }
  const { program } = version
  const { member } = draft
  const periodOf = (rule: EarningRule) =>
    rule.limit === null ? '' : findPeriod(rule.limit, snapshot.processedAt, snapshot.id, program.timeZone)
  const { places, refusedPlaces, ...worth } = calculateWorth(snapshot, program, {
    tier: terms.tier,
    customer: member.id,
    segments: member.segments,
    campaigns: terms.campaigns,
    loneRefunds: record.loneRefunds,
    hasPlace: (rule) =>
      terms.places.includes(rule.id) ||
      (!terms.refusedPlaces.includes(rule.id) && hasPlace(member, rule, periodOf(rule))),
  })
  record.worth = worth
  const taken = places.filter((rule) => !terms.places.includes(rule))
  for (const id of taken) {
    const rule = program.earning.find((candidate) => candidate.id === id) as EarningRule
    takePlace(draft, id, periodOf(rule))
  }
  record.terms = {
    ...terms,
    places: taken.length === 0 ? terms.places : [...terms.places, ...taken],
    refusedPlaces: [...new Set([...terms.refusedPlaces, ...refusedPlaces])],
    everEarned: terms.everEarned || worth.points > 0,
  }
}

function makeTerms(draft: Draft, order: Order): OrderTerms {
  const { member, programs } = draft
  const version = versionAt(programs, order.processedAt)
  const beforeProgram = order.processedAt < version.from && !programs.historyEarns
  const tier = version.program.tiers === null ? null : findTierAt(member.tier, order.processedAt)
  const { id: customer, segments } = member
  const campaigns = decideCampaigns(version.program, order.processedAt, { tier, segments, customer })
  return {
    member: member.id,
    version: beforeProgram ? null : version.number,
    tier,
    ...(campaigns && { campaigns }),
    enrolled: isEnrolled(member, version.program),
    places: [],
    refusedPlaces: [],
    everEarned: false,
  }
}

/**
 * A snapshot that is not the newest changes no worth; but where it shows that the order was worth points once, that was an earning, whichever of
 * the snapshots came first.
 */
export function noteStale(draft: Draft, record: OrderRecord, heard: Order): void {
  const { terms } = record
  if (terms === null || !terms.enrolled || terms.everEarned || record.paidAt === null) return
  const version = draft.programs.versions.find((candidate) => candidate.number === terms.version)
  if (!version || !isPaid(heard) || isVoid(heard) || draft.member.erasedAt !== null) return
  const { points } = calculateWorth(heard, version.program, {
    tier: terms.tier,
    customer: draft.member.id,
    segments: draft.member.segments,
    campaigns: terms.campaigns,
    loneRefunds: [],
    hasPlace: (rule) => terms.places.includes(rule.id),
  })
  if (points === 0) return
  record.terms = { ...terms, everEarned: true }
  noteEarning(draft, record.id, record.paidAt)
}

/** What an order counts for towards the tiers, null for nothing. */
function findActivity(record: OrderRecord): Activity | null {
  const { snapshot, worth, terms } = record
  if (snapshot === null || worth === null || terms === null) return null
  const { points, spendMinor, spendRest, orders } = worth
  if (points === 0 && spendMinor === 0 && spendRest === null && orders === 0) return null
  return { key: record.id, at: snapshot.processedAt, points, spendMinor, spendRest, orders }
}

function holdEnd(draft: Draft, terms: OrderTerms, paidAt: number): number {
  const version = draft.programs.versions.find((candidate) => candidate.number === terms.version)
  return paidAt + (version?.program ?? draft.program).holdDays * DAY_MS
}

/** An earlier instant of earning has come to light: hold and expiry move with it, also of points that are being spent. */
function redateOrderLot(draft: Draft, record: OrderRecord, terms: OrderTerms, paidAt: number): void {
  redateDraws(draft, { key: record.id, earnedAt: paidAt, releaseAt: holdEnd(draft, terms, paidAt) })
  const stale = findLot(draft.member, record.id)
  if (!stale || stale.earnedAt === paidAt) return
  const lot = changeLot(draft, stale)
  lot.earnedAt = paidAt
  if (lot.releaseAt !== null) lot.releaseAt = holdEnd(draft, terms, paidAt)
  lot.expiresAt = findLotExpiry(draft.programs, lot, draft.now)
}

/** What an order earned joins its lot: same release, same expiry. What had been spared of it is settled first. */
function creditOrder(draft: Draft, record: OrderRecord, terms: OrderTerms, points: number): void {
  const settled = Math.min(points, record.sparedPoints)
  if (settled > 0) {
    post(draft, 'shop.taken_back', 'shop.written_off', settled, {
      key: nextKey(record),
      reason: 'spared',
      source: record.id,
    })
    record.sparedPoints -= settled
  }
  record.posted += points
  const earned = points - settled
  if (earned === 0) return
  const paidAt = record.paidAt as number
  const releaseAt = holdEnd(draft, terms, paidAt)
  const waits = releaseAt > draft.now
  post(draft, 'shop.issued', waits ? 'pending' : 'available', earned, {
    key: nextKey(record),
    reason: 'order',
    source: record.id,
  })
  const lot = openLot(draft, record.id, paidAt, releaseAt)
  if (waits) {
    lot.pending += earned
    lot.releaseAt = releaseAt
  } else {
    addAvailable(draft, lot, earned)
  }
  draft.member.lifetimeEarned += earned
}

/** This order's pending, its own lot, other lots in spending order, then below zero or written off. */
function takeBackOrder(draft: Draft, record: OrderRecord, points: number): void {
  const { member } = draft
  const own = findLot(member, record.id)
  const fromPending = Math.min(points, own?.pending ?? 0)
  if (own && fromPending > 0) {
    changeLot(draft, own).pending -= fromPending
    post(draft, 'pending', 'shop.taken_back', fromPending, {
      key: nextKey(record),
      reason: 'take_back',
      source: record.id,
    })
  }
  const left = points - fromPending
  const found = takeAvailable(draft, left, record.id).reduce((all, draw) => all + draw.points, 0)
  const missing = left - found
  const spared = draft.program.negativeBalance === 'clamp' ? missing : 0
  member.deficit += missing - spared
  if (left > spared) {
    post(draft, 'available', 'shop.taken_back', left - spared, {
      key: nextKey(record),
      reason: 'take_back',
      source: record.id,
    })
  }
  if (spared > 0) {
    post(draft, 'shop.written_off', 'shop.taken_back', spared, {
      key: nextKey(record),
      reason: 'spared',
      source: record.id,
    })
    record.sparedPoints += spared
  }
  record.posted -= points
  member.lifetimeEarned -= points - spared
}

/** The order belongs to another customer now: this one has it no longer. */
export function leaveOrder(draft: Draft, record: OrderRecord): void {
  const terms = record.terms as OrderTerms
  if (draft.member.erasedAt === null) {
    const counted = findActivity(record)
    if (record.posted > 0) takeBackOrder(draft, record, record.posted)
    noteActivity(draft, counted, null)
    noteEarning(draft, record.id, null)
    freePlaces(draft, record, terms)
    if (counted !== null) reviewTier(draft, 'review')
  }
  record.terms = null
  record.worth = null
  record.posted = 0
  record.sparedPoints = 0
}

function freePlaces(draft: Draft, record: OrderRecord, terms: OrderTerms): void {
  const program = draft.programs.versions.find((candidate) => candidate.number === terms.version)?.program
  const placedAt = record.snapshot?.processedAt
  if (!program || placedAt === undefined) return
  for (const id of terms.places) {
    const limit = program.earning.find((rule) => rule.id === id)?.limit
    if (limit) takePlace(draft, id, findPeriod(limit, placedAt, record.id, program.timeZone), -1)
  }
}

/** `order:<gid>@<updated_at>`, counted where one snapshot moves points more than once. Changes `record`. */
function nextKey(record: OrderRecord): string {
  const base = `order:${record.id}@${formatInstant(record.snapshot?.updatedAt ?? 0)}`
  record.lastKeyCount = record.lastKey === base ? record.lastKeyCount + 1 : 1
  record.lastKey = base
  return record.lastKeyCount === 1 ? base : `${base}/${record.lastKeyCount}`
}

/**
 * Events other than orders: sign-up, birthday, review, profile, referral, anything custom, and what the merchant does by hand. Each pays
 * at once, by the rules in force at its instant, within the rules' limits, and once only by its key.
 */
import type { Event, Fact, Member, Refusal } from './engine.ts'
import { post, versionAt, type Draft, type TransferReason } from './ledger.ts'
import { addAvailable, noteEarning, openLot, openNewLot, takeAvailable } from './lots.ts'
import type { EarningRule, Limit, Program } from './program.ts'
import { noteActivity, reviewTier } from './tiers.ts'
import { DAY_MS, isLeapYear, daysInMonth, startOfDate, toLocalDate, weekdayAt } from './time.ts'

/** Between setting a birthday and the day it is paid lie at least 30 × 24 hours. */
export const BIRTHDAY_WAIT_MS = 30 * DAY_MS

/** Names of `app/event` that are not custom. A birthday is paid by the calendar, never by an event. */
const NAMED_EVENTS: ReadonlySet<string> = new Set(['signup', 'review', 'profile', 'referral'])

/** True where the customer takes part under the program's enrolment. */
export function isEnrolled(member: Member, program: Program): boolean {
  if (member.erasedAt !== null) return false
  if (program.enrolment === 'everyone') return true
  return program.enrolment === 'accounts' ? member.customerState === 'enabled' : member.optedInAt !== null
}

/** The key under which an event is remembered: unique per member and name. A colon in the name is written "%3A", so that name and key stay two. */
export function eventKey(member: string, name: string, key: string): string {
  return `event:${member}:${name.replaceAll('%', '%25').replaceAll(':', '%3A')}:${key}`
}

/** The name in an {@link eventKey} or the key of a transfer that paid for it; null in any other key. */
export function parseEventName(key: string): string | null {
  const name = /(?:^|\/)event:gid:\/\/shopify\/Customer\/\d+:([^:]+):/.exec(key)?.[1]
  return name?.replaceAll('%3A', ':').replaceAll('%25', '%') ?? null
}

/** The key under which an adjustment is remembered. */
export function adjustKey(key: string): string {
  return `adjust:${key}`
}

/** Pays a sign-up, review or other event. `seen` is what its key was used for before: the same again changes nothing, other data is refused. */
export function applyEvent(draft: Draft, event: Event & { type: 'event' }, seen: Fact | undefined): Refusal | null {
  const { member } = draft
  const fact: Fact = { key: eventKey(member.id, event.name, event.key), member: member.id, data: event.order ?? '' }
  if (seen) return seen.data === fact.data ? null : 'key_used_with_other_data'
  const on = NAMED_EVENTS.has(event.name) ? event.name : `custom:${event.name}`
  const { program } = versionAt(draft.programs, draft.at)
  if (!isEnrolled(member, program)) return member.erasedAt === null ? 'not_a_member' : 'erased'
  if (!program.earning.some((rule) => rule.on === on)) return 'unknown_event'
  const reason = (NAMED_EVENTS.has(event.name) ? event.name : 'custom') as TransferReason
  const refusal = payRules(draft, program, on, {
    key: fact.key,
    reason,
    place: event.order ?? `key:${event.name}:${event.key}`,
  })
  if (refusal !== null) return refusal
  draft.facts.push(fact)
  if (event.name === 'signup') member.signedUpAt ??= draft.at
  return null
}

/**
 * The member signs up: once, ever, and pays what the program in force has for it, by the fact `event:<member>:signup:once`.
 *
 * When that is, the program's enrolment says:
 * - `everyone`, `accounts`: the customer gets an account. Shopify says so with `customers/enable`, sent when a customer first signs in to customer
 *   accounts or activates a legacy one (shopify.dev changelog, 28 October 2026), and with a `customers/create` whose state is `enabled`. A guest's
 *   customer record is no account. `customers/update` is no sign-up whatever its state: any change to a customer of years ago sends it, and Shopify
 *   itself set states without a word in October 2026.
 * - `opt-in`: they join, with the button on the storefront. An account alone is no sign-up there.
 *
 * Nobody signs up who did before, who was brought over from another program, or of whom a message speaks from before the first version; no order,
 * import or reading of the past signs anybody up. Where the program has no points for it then, it has happened all the same: a later version does
 * not pay it. After a merge the first of both counts. The simulator hears of sign-ups by `app/event` alone.
 */
export function signUp(draft: Draft, by: 'account' | 'opt-in'): void {
  const { member, programs, at } = draft
  const { program } = versionAt(programs, at)
  if (member.signedUpAt !== null || at < programs.versions[0]!.from) return
  if ((program.enrolment === 'opt-in') !== (by === 'opt-in') || !isEnrolled(member, program)) return
  member.signedUpAt = at
  applyEvent(draft, { type: 'event', at, customer: member.id, name: 'signup', key: 'once', order: null }, undefined)
}

/** Sets or changes the birthday. The same day again is no change and starts no new wait. */
export function setBirthday(draft: Draft, event: Event & { type: 'birthday' }): Refusal | null {
  const { member } = draft
  const { month, day } = event
  // 2000 was a leap year: 29 February is a birthday.
  const exists = Number.isInteger(month) && month >= 1 && month <= 12 && Number.isInteger(day) && day >= 1
  if (!exists || day > daysInMonth(2000, month)) return 'invalid_date'
  if (member.erasedAt !== null) return 'erased'
  if (member.birthday?.month === month && member.birthday.day === day) return null
  member.birthday = { month, day, setAt: draft.at, paidYear: member.birthday?.paidYear ?? null }
  return null
}

/** The instant of the member's next birthday after `advancedTo` that can be paid; Infinity where none will. */
export function findNextBirthday(member: Member, program: Program): number {
  const { birthday } = member
  if (birthday === null || member.erasedAt !== null || !program.earning.some((rule) => rule.on === 'birthday'))
    return Infinity
  const { year } = toLocalDate(member.advancedTo, program.timeZone)
  for (let candidate = year; candidate <= year + 2; candidate++) {
    const at = findBirthday(birthday, candidate, program.timeZone)
    if (at > member.advancedTo && at - birthday.setAt >= BIRTHDAY_WAIT_MS && birthday.paidYear !== candidate) return at
  }
  return Infinity
}

/** Pays the birthday whose 00:00 is the draft's instant: once a calendar year. */
export function payBirthday(draft: Draft): void {
  const { member, program } = draft
  const { birthday } = member
  if (birthday === null || !isEnrolled(member, program)) return
  const { year } = toLocalDate(draft.at, program.timeZone)
  const key = `birthday:${member.id}:${year}`
  const refusal = payRules(draft, program, 'birthday', { key, reason: 'birthday', place: key })
  if (refusal === null) member.birthday = { ...birthday, paidYear: year }
}

/** Adds or takes points by hand. */
export function adjust(draft: Draft, event: Event & { type: 'adjust' }, seen: Fact | undefined): Refusal | null {
  const { member } = draft
  const key = adjustKey(event.key)
  const data = JSON.stringify([event.points, event.reason, event.actor, event.countsForTier ?? false])
  if (seen) {
    const own = seen.member === member.id || member.aliases.includes(seen.member)
    return own && seen.data === data ? null : 'key_used_with_other_data'
  }
  if (event.points === 0) return 'zero_points'
  if (member.erasedAt !== null) return 'erased'
  // What is undone was given to a member, whoever may be one today.
  if (event.reverses === undefined && !isEnrolled(member, draft.program)) return 'not_a_member'
  if (event.points > 0) {
    post(draft, 'shop.adjusted', 'available', event.points, { key, reason: 'adjust', source: event.key })
    const earnedAt = Math.min(event.earnedAt ?? draft.at, draft.at)
    addAvailable(draft, openLot(draft, key, earnedAt), event.points)
  } else {
    const points = -event.points
    const taken = takeAvailable(draft, points, event.lot).reduce((all, draw) => all + draw.points, 0)
    member.deficit += points - taken
    const { reverses } = event
    post(draft, 'available', 'shop.adjusted', points, { key, reason: 'adjust', source: event.key, reverses })
  }
  draft.facts.push({ key, member: member.id, data })
  if (event.countsForTier) {
    noteActivity(draft, null, {
      key,
      at: draft.at,
      points: event.points,
      spendMinor: 0,
      spendRest: null,
      orders: 0,
    })
    reviewTier(draft, 'activity')
  }
  return null
}

/** Whether a limit has a place left; `period` is what {@link findPeriod} says. */
export function hasPlace(member: Member, rule: EarningRule, period: string): boolean {
  return rule.limit === null || (member.counters[placeCounter(rule.id, period)] ?? 0) < rule.limit.times
}

/** Takes a place of a limited rule, or gives one back with `by` −1. */
export function takePlace(draft: Draft, rule: string, period: string, by = 1): void {
  const key = placeCounter(rule, period)
  const { counters } = draft.member
  draft.member.counters = { ...counters, [key]: (counters[key] ?? 0) + by }
}

/** The stretch a limit counts in: ever, the shop's day or year of an instant, or one order (or key). */
export function findPeriod(limit: Limit, at: number, order: string, timeZone: string): string {
  if (limit.every === 'ever') return 'ever'
  if (limit.every === 'order') return order
  const { year, month, day } = toLocalDate(at, timeZone)
  if (limit.every === 'year') return String(year)
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function placeCounter(rule: string, period: string): string {
  return `rule:${rule}|${period}`
}

function findBirthday(birthday: { month: number; day: number }, year: number, timeZone: string): number {
  const { month, day } = birthday
  const kept = month === 2 && day === 29 && !isLeapYear(year) ? 28 : day
  return startOfDate({ year, month, day: kept }, timeZone)
}

/** Pays every rule for this kind of event that matches and has a place; the first transfer has the event's own key, others `<rule>/<that key>`. */
function payRules(
  draft: Draft,
  program: Program,
  on: string,
  event: { key: string; reason: TransferReason; place: string },
): Refusal | null {
  const { member, at } = draft
  let refusal: Refusal = 'not_now'
  let paid = 0
  let points = 0
  for (const rule of program.earning) {
    if (rule.on !== on) continue
    const miss = findMiss(rule, member, at, program)
    if (miss !== null) {
      draft.reasons.push({ rule: rule.id, why: miss })
      if (miss === 'tier') refusal = 'tier'
      continue
    }
    if (rule.limit !== null) {
      const period = findPeriod(rule.limit, at, event.place, program.timeZone)
      if (!hasPlace(member, rule, period)) {
        draft.reasons.push({ rule: rule.id, why: 'limit_reached' })
        refusal = 'limit_reached'
        continue
      }
      takePlace(draft, rule.id, period)
    }
    draft.reasons.push({ rule: rule.id, points: rule.points })
    const key = paid === 0 ? event.key : `${rule.id}/${event.key}`
    paid += 1
    points += rule.points
    creditEarned(draft, key, rule.points, event.reason)
  }
  if (paid === 0) return refusal
  if (points > 0) {
    noteActivity(draft, null, { key: event.key, at, points, spendMinor: 0, spendRest: null, orders: 0 })
    reviewTier(draft, 'activity')
  }
  return null
}

function findMiss(
  rule: EarningRule,
  member: Member,
  at: number,
  program: Program,
): 'not_yet' | 'ended' | 'tier' | 'weekday' | null {
  if (at < rule.fromAt) return 'not_yet'
  if (at >= rule.untilAt) return 'ended'
  const { tiers, weekdays } = rule.when
  if (tiers !== null && (member.tier.level === null || !tiers.has(member.tier.level))) return 'tier'
  return weekdays !== null && !weekdays.has(weekdayAt(at, program.timeZone)) ? 'weekday' : null
}

function creditEarned(draft: Draft, key: string, points: number, reason: TransferReason): void {
  if (points === 0) return
  post(draft, 'shop.issued', 'available', points, { key, reason, source: key })
  addAvailable(draft, openNewLot(draft, key, draft.at), points)
  draft.member.lifetimeEarned += points
  noteEarning(draft, key, draft.at)
}

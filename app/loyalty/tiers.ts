/**
 * A *tier* is a level of the program that a member is in. What counts towards it is kept as *activity*: one small entry per order or event, dated by
 * placing, so that a metric over a window is a sum. The level that the metric reaches is the level *merited*; a member can be above
 * it for a while (grace, a placement by hand), never below it, unless by hand.
 */
import type { Member, Programs, ProgramVersion } from './engine.ts'
import { addAvailable, noteEarning, openNewLot } from './lots.ts'
import { post, versionAt, type Draft } from './ledger.ts'
import { addRational, formatDecimal, rational, type Rational } from './money.ts'
import type { Level, Program, Tiers } from './program.ts'
import { DAY_MS, endOfDay, startOfDay, startOfYear, yearAt } from './time.ts'

/** What one order, event or adjustment counts for. Replaced, not added to, when its order changes; removed when it counts for nothing. */
export type Activity = {
  /** The order's gid, or the key of the event. */
  key: string
  /** `processedAt` of an order, the event's instant otherwise: windows go by placing. */
  at: number
  points: number
  spendMinor: number
  /** The exact fraction of a minor unit left out of `spendMinor`, "1/3", or null. */
  spendRest: string | null
  orders: number
}

/** Sums of activity. */
export type ActivitySums = Pick<Activity, 'points' | 'spendMinor' | 'spendRest' | 'orders'>

/** A member's place in the tiers. */
export type TierStanding = {
  /** The level's id; null in a program without tiers. */
  level: string | null
  /** Changes of level, oldest first: which tier a late order found at its placing. The first entry is the beginning. */
  history: readonly { at: number; level: string | null }[]
  /** The first of the reviews and refunds in a row that found too little for the level; null while it suffices. */
  failingSince: number | null
  /** Levels whose entry reward was given: once per level per member, ever. */
  entryRewarded: readonly string[]
  /** A placement by hand. */
  manual: ManualPlacement | null
}

/** A level that the merchant chose for a member. */
export type ManualPlacement = {
  level: string
  /** The instant it ends; null: until changed. */
  until: number | null
  reason: string
  actor: string
  /** True where it lifted the member: then more activity can still lift further. False where it lowered: then the level stays until the end. */
  raised: boolean
}

/** The next level and what is missing to it: whole points or orders, or money as decimal text. */
export type NextTier = { id: string; missing: number | string }

/** The member's level at an instant of the past, as known now. */
export function findTierAt(standing: TierStanding, at: number): string | null {
  const { history } = standing
  for (let index = history.length - 1; index > 0; index--) {
    const change = history[index] as { at: number; level: string | null }
    if (change.at <= at) return change.level
  }
  return history[0]?.level ?? null
}

/** The level after the member's own and what is missing to it; null at the top and without tiers. */
export function findNextTier(member: Member, program: Program, now: number): NextTier | null {
  const { tiers } = program
  if (tiers === null) return null
  const next = tiers.levels[findLevelIndex(tiers, member.tier.level) + 1]
  if (!next) return null
  const sum = measure(member, tiers, program.timeZone, now, 'this-year')
  // A started minor unit is still missing whole.
  const missing = Math.max(0, next.threshold - sum.whole)
  return { id: next.id, missing: tiers.metric === 'spend' ? formatDecimal(missing, program.exponent) : missing }
}

/** The level that a member's activity reaches at an instant; null without tiers. */
export function findMeritedLevel(member: Member, program: Program, now: number): Level | null {
  return program.tiers === null ? null : (program.tiers.levels[findMerit(member, program, now)] as Level)
}

/** What set off a look at the tier: `review` is the nightly one or a refund, which alone can lower it. */
export type TierCause = 'activity' | 'review' | 'hand' | 'merge'

/**
 * Puts the member on the level that the rules say: up at once, with entry rewards; down only at a review, once the grace has passed since the first of
 * the reviews that found too little.
 */
export function reviewTier(draft: Draft, cause: TierCause): void {
  const { member, program } = draft
  const { tiers } = program
  const current = tiers === null ? 0 : findLevelIndex(tiers, member.tier.level)
  const here = tiers?.levels[current]?.id ?? null
  const isGone = member.tier.level !== here
  // A placement ends with its level, where that is gone from the program; merges once left some that were of another.
  if (member.tier.manual !== null && member.tier.manual.level !== here) setStanding(draft, { manual: null })
  if (tiers === null) {
    if (isGone) changeLevel(draft, null, cause)
    return
  }
  const { manual } = member.tier
  if (manual !== null && !manual.raised) return
  const merit = findMerit(member, program, draft.now)
  if (merit === 0 && isGone) {
    changeLevel(draft, tiers.levels[0] as Level, cause)
  } else if (merit > current) {
    if (manual !== null) setStanding(draft, { manual: null })
    raise(draft, tiers, current, merit, cause)
  } else if (merit === current) {
    if (member.tier.failingSince !== null) setStanding(draft, { failingSince: null })
  } else if (cause === 'review' && manual === null) {
    const since = member.tier.failingSince ?? draft.now
    if (draft.now - since >= tiers.graceDays * DAY_MS) changeLevel(draft, tiers.levels[merit] as Level, cause)
    else if (member.tier.failingSince === null) setStanding(draft, { failingSince: since })
  }
}

/** Places the member by hand, up or down, until an instant or until changed; a null level ends the placement. Going up pays entry rewards, unless `withoutReward`. */
export function placeTier(
  draft: Draft,
  level: string | null,
  placement: Omit<ManualPlacement, 'level' | 'raised'>,
  withoutReward = false,
): boolean {
  const { tiers } = draft.program
  if (level === null) {
    endPlacement(draft)
    return true
  }
  const index = tiers?.levels.findIndex((candidate) => candidate.id === level) ?? -1
  if (tiers === null || index < 0) return false
  const current = findLevelIndex(tiers, draft.member.tier.level)
  const merit = findMerit(draft.member, draft.program, draft.now)
  if (index > current && !withoutReward) raise(draft, tiers, current, index, 'hand')
  else if (index !== current) changeLevel(draft, tiers.levels[index] as Level, 'hand')
  setStanding(draft, { failingSince: null, manual: { ...placement, level, raised: index >= merit } })
  return true
}

/** Ends a placement by hand: the member goes to the level merited, without further grace. */
export function endPlacement(draft: Draft): void {
  const { tiers } = draft.program
  if (draft.member.tier.manual === null) return
  setStanding(draft, { manual: null, failingSince: null })
  if (tiers === null) return
  const current = findLevelIndex(tiers, draft.member.tier.level)
  const merit = findMerit(draft.member, draft.program, draft.now)
  if (merit > current) raise(draft, tiers, current, merit, 'hand')
  else if (merit < current) changeLevel(draft, tiers.levels[merit] as Level, 'hand')
}

/**
 * The next nightly review (00:00 shop time) that can lower the member as things stand, or at which a placement by hand ends; Infinity for none. Nights in
 * between would find nothing new, so they need not be kept.
 */
export function findNextReview(member: Member, program: Program): number {
  const { tiers, timeZone } = program
  if (tiers === null) return Infinity
  const { manual, failingSince } = member.tier
  if (manual !== null) return manual.until ?? Infinity
  const now = member.advancedTo
  const current = findLevelIndex(tiers, member.tier.level)
  const { threshold } = tiers.levels[current] as Level
  if (threshold === 0) return Infinity
  const failsAt = findFailure(member, tiers, timeZone, now, threshold)
  if (failsAt === Infinity) return Infinity
  const firstNight = failsAt <= now ? endOfDay(now, timeZone) : nightFrom(failsAt, timeZone)
  if (failingSince === null) return firstNight
  return Math.max(firstNight, nightFrom(failingSince + tiers.graceDays * DAY_MS, timeZone))
}

/** The instant since which activity can matter for the program's tiers at `now`; null where no window is looked at. */
export function findWindowStart(program: Program, now: number): number | null {
  if (program.tiers === null || program.tiers.window.kind === 'lifetime') return null
  const { window } = program.tiers
  if (window.kind === 'rolling') return now - window.days * DAY_MS
  return startOfYear(yearAt(now, program.timeZone) - 1, program.timeZone)
}

/** Replaces what an order or event counts for; null takes it away. Sums over a lifetime follow. */
export function noteActivity(draft: Draft, before: Activity | null, after: Activity | null): void {
  if (before === null && after === null) return
  const { member } = draft
  if (before !== null && after !== null && isSame(before, after)) return
  const { key } = (after ?? before) as Activity
  let { lifetime } = member
  if (before !== null) lifetime = combine(lifetime, before, -1)
  if (after !== null) lifetime = combine(lifetime, after, 1)
  member.lifetime = lifetime
  // What counted for nothing has no entry: nobody's keys need be compared, of which a frequent buyer has hundreds.
  const others = before === null ? [...member.activity] : member.activity.filter((entry) => entry.key !== key)
  if (after !== null) others.push(after)
  member.activity = others
}

/**
 * The instant since which `Member.activity` must be loaded for a member reviewed at `now` (or advanced from then on): the earliest that any version in
 * force now or later looks at. Null where none looks at a window.
 */
export function activitySince(programs: Programs, now: number): number | null {
  let since: number | null = null
  const { versions } = programs
  const current = versionAt(programs, now)
  for (let index = versions.indexOf(current); index < versions.length; index++) {
    const start = findWindowStart((versions[index] as ProgramVersion).program, now)
    if (start !== null && (since === null || start < since)) since = start
  }
  return since
}

/** a + sign × b, spend exactly. */
export function combine(a: ActivitySums, b: ActivitySums, sign: 1 | -1): ActivitySums {
  const sums = {
    points: a.points + sign * b.points,
    spendMinor: a.spendMinor + sign * b.spendMinor,
    spendRest: a.spendRest,
    orders: a.orders + sign * b.orders,
  }
  if (a.spendRest === null && b.spendRest === null) return sums
  const rest = parseRest(b.spendRest)
  const sum = addRational(parseRest(a.spendRest), {
    numerator: rest.numerator * BigInt(sign),
    denominator: rest.denominator,
  })
  const whole = sum.numerator < 0n ? -1n : sum.numerator / sum.denominator
  const left = reduce(sum.numerator - whole * sum.denominator, sum.denominator)
  return {
    ...sums,
    spendMinor: sums.spendMinor + Number(whole),
    spendRest: left.numerator === 0n ? null : `${left.numerator}/${left.denominator}`,
  }
}

/** The index of a level; the first where the program has no such level (any more). */
function findLevelIndex(tiers: Tiers, level: string | null): number {
  const index = tiers.levels.findIndex((candidate) => candidate.id === level)
  return Math.max(0, index)
}

function findMerit(member: Member, program: Program, now: number): number {
  const tiers = program.tiers as Tiers
  const { whole } = measure(member, tiers, program.timeZone, now, 'better-year')
  let merit = 0
  // Thresholds are whole, so that the fraction of a minor unit decides nothing.
  for (let index = 1; index < tiers.levels.length; index++) {
    if ((tiers.levels[index] as Level).threshold <= whole) merit = index
  }
  return merit
}

type Sum = { whole: number; rest: string | null }

/** The metric over its window: in a calendar year the better of this and the last, or this alone. Windows are [now − N × 24 h, …). */
function measure(member: Member, tiers: Tiers, timeZone: string, now: number, years: 'better-year' | 'this-year'): Sum {
  const { window } = tiers
  if (window.kind === 'lifetime') return pick(member.lifetime, tiers)
  if (window.kind === 'rolling') return sumBetween(member, tiers, now - window.days * DAY_MS, Infinity)
  const year = yearAt(now, timeZone)
  const start = startOfYear(year, timeZone)
  const thisYear = sumBetween(member, tiers, start, Infinity)
  if (years === 'this-year') return thisYear
  const lastYear = sumBetween(member, tiers, startOfYear(year - 1, timeZone), start)
  return lastYear.whole > thisYear.whole ? lastYear : thisYear
}

const NO_SUMS: ActivitySums = { points: 0, spendMinor: 0, spendRest: null, orders: 0 }

function sumBetween(member: Member, tiers: Tiers, from: number, until: number): Sum {
  let whole = 0
  let fractions: ActivitySums = NO_SUMS
  for (const entry of member.activity) {
    if (entry.at < from || entry.at >= until) continue
    if (tiers.metric === 'spend' && entry.spendRest !== null) fractions = combine(fractions, entry, 1)
    else whole += tiers.metric === 'points' ? entry.points : tiers.metric === 'orders' ? entry.orders : entry.spendMinor
  }
  return { whole: whole + fractions.spendMinor, rest: fractions.spendRest }
}

function pick(sums: ActivitySums, tiers: Tiers): Sum {
  if (tiers.metric === 'spend') return { whole: sums.spendMinor, rest: sums.spendRest }
  return { whole: tiers.metric === 'points' ? sums.points : sums.orders, rest: null }
}

/** The first instant from `now` on at which the metric is below the threshold if nothing more happens; Infinity for never. */
function findFailure(member: Member, tiers: Tiers, timeZone: string, now: number, threshold: number): number {
  const { window } = tiers
  if (measure(member, tiers, timeZone, now, 'better-year').whole < threshold) return now
  if (window.kind === 'lifetime') return Infinity
  if (window.kind === 'calendar-year') {
    const year = yearAt(now, timeZone)
    for (let later = year + 1; later <= year + 2; later++) {
      const at = startOfYear(later, timeZone)
      if (measure(member, tiers, timeZone, at, 'better-year').whole < threshold) return at
    }
    return startOfYear(year + 3, timeZone)
  }
  const windowMs = window.days * DAY_MS
  let left = 0
  const counted = member.activity.filter((entry) => entry.at >= now - windowMs)
  if (!counted.every((entry, index) => index === 0 || entry.at >= (counted[index - 1] as Activity).at)) {
    counted.sort((a, b) => a.at - b.at)
  }
  const add = countingSum(counted, tiers)
  for (const entry of counted) left = add(entry, 1)
  for (const entry of counted) {
    left = add(entry, -1)
    // An entry is in the window up to and including the instant that lies the whole window after it.
    if (left < threshold) return entry.at + windowMs + 1
  }
  return Infinity
}

/** Adds entries up, or takes them off again, and answers the metric in whole units each time; fractions of minor units only where there are any. */
function countingSum(entries: readonly Activity[], tiers: Tiers): (entry: Activity, sign: 1 | -1) => number {
  if (tiers.metric === 'spend' && entries.some((entry) => entry.spendRest !== null)) {
    let sums = NO_SUMS
    return (entry, sign) => (sums = combine(sums, entry, sign)).spendMinor
  }
  const field = tiers.metric === 'spend' ? 'spendMinor' : tiers.metric
  let sum = 0
  return (entry, sign) => (sum += sign * entry[field])
}

/** The first 00:00 of the shop that is not before an instant. */
function nightFrom(at: number, timeZone: string): number {
  return startOfDay(at, timeZone) === at ? at : endOfDay(at, timeZone)
}

function raise(draft: Draft, tiers: Tiers, from: number, to: number, cause: TierCause): void {
  changeLevel(draft, tiers.levels[to] as Level, cause)
  const reached = tiers.entryRewards === 'all' ? tiers.levels.slice(from + 1, to + 1) : tiers.levels.slice(to, to + 1)
  for (const level of reached) giveEntryReward(draft, level)
}

function giveEntryReward(draft: Draft, level: Level): void {
  const { member } = draft
  if (level.entryReward === 0 || member.tier.entryRewarded.includes(level.id)) return
  setStanding(draft, { entryRewarded: [...member.tier.entryRewarded, level.id] })
  const key = `entry:${member.id}:${level.id}`
  post(draft, 'shop.issued', 'available', level.entryReward, { key, reason: 'tier_entry', source: level.id })
  addAvailable(draft, openNewLot(draft, key, draft.at), level.entryReward)
  member.lifetimeEarned += level.entryReward
  noteEarning(draft, key, draft.at)
}

function changeLevel(draft: Draft, level: Level | null, cause: TierCause): void {
  const { member } = draft
  const from = member.tier.level
  const to = level?.id ?? null
  setStanding(draft, { level: to, failingSince: null, history: [...member.tier.history, { at: draft.at, level: to }] })
  const by = cause === 'review' ? 'review' : cause
  draft.effects.push({ kind: 'tier-changed', member: member.id, from, to, at: draft.at, by })
}

function setStanding(draft: Draft, change: Partial<TierStanding>): void {
  draft.member.tier = { ...draft.member.tier, ...change }
}

function isSame(a: Activity, b: Activity): boolean {
  return (
    a.at === b.at &&
    a.points === b.points &&
    a.spendMinor === b.spendMinor &&
    a.spendRest === b.spendRest &&
    a.orders === b.orders
  )
}

function parseRest(rest: string | null): Rational {
  if (rest === null) return { numerator: 0n, denominator: 1n }
  const [numerator = '0', denominator = '1'] = rest.split('/')
  return rational(BigInt(numerator), BigInt(denominator))
}

function reduce(numerator: bigint, denominator: bigint): Rational {
  let [a, b] = [numerator, denominator]
  while (b !== 0n) [a, b] = [b, a % b]
  return a === 0n ? rational(0) : rational(numerator / a, denominator / a)
}

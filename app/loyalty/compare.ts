/**
 * *What if*: the same history under two programs, side by side. *Before* is the program as it is, *after* the one being thought about. The *liability* is
 * what the points that members hold would cost if all were spent as dearly as the program allows; the *cost* is what redeemed rewards gave away.
 */
import { diff } from './diff.ts'
import {
  formatDecimal,
  parseDecimal,
  rational,
  roundRational,
  compareRational,
  toSafeNumber,
  type Rational,
} from './money.ts'
import type { Program } from './program.ts'
import { HUNDRED_PERCENT } from './ratios.ts'

/** What a program made of a history. Money in minor units of the shop currency. */
export type Outcome = {
  readonly program: Program
  readonly totals: {
    readonly issued: number
    readonly redeemed: number
    readonly expired: number
    readonly takenBack: number
    readonly outstanding: number
  }
  /** Level ids by member; null where the member is on none. */
  readonly tiers: ReadonlyMap<string, string | null>
  /** What each order is worth: points, and its money that counts. */
  readonly orders: { readonly count: number; readonly earning: number; readonly goodsMinor: number }
  /** Redemptions that stand: issued or used. */
  readonly redemptions: { readonly costMinor: number; readonly usedMinor: number; readonly unpriced: number }
}

/** A figure under both programs; `difference` is after − before. */
export type Figure<T = number> = { readonly before: T; readonly after: T; readonly difference: T }

/** A member whose level differs; null is no level at all. */
export type TierMove = { readonly customer: string; readonly from: string | null; readonly to: string | null }

/** Money is decimal text in the shop currency, percentages are numbers with one decimal. */
export type Comparison = {
  readonly programs: { readonly before: string; readonly after: string }
  /** The differences between the two documents, in sentences. */
  readonly changes: readonly string[]
  readonly currency: string
  readonly points: {
    readonly issued: Figure
    readonly redeemed: Figure
    readonly expired: Figure
    readonly takenBack: Figure
    readonly outstanding: Figure
  }
  readonly earningOrders: Figure
  readonly liability: {
    /** What 100 points are worth at most, null where no reward is worth money. */
    readonly valueOf100Points: { readonly before: string | null; readonly after: string | null }
    readonly money: Figure<string>
  }
  readonly cost: {
    /** The worth of the rewards that stand. */
    readonly money: Figure<string>
    /** Redemptions without an amount of their own (percentage, shipping, product): not in `money`. */
    readonly unpriced: Figure
  }
  readonly tiers: { readonly gained: readonly TierMove[]; readonly lost: readonly TierMove[]; readonly same: number }
  /** Null without a cost of goods. */
  readonly margin: Margin | null
}

/** What is left of the goods under both programs. */
export type Margin = {
  /** In percent, as it was given. */
  readonly costOfGoods: string
  /** Money for goods before redeemed rewards: the same under both programs, as the history is. */
  readonly goods: string
  /** goods − cost of goods − cost of rewards − liability. */
  readonly margin: Figure<string>
  /** Of the goods, in percent; null where there were none. */
  readonly percent: Figure<number> | null
}

/**
 * Compares two outcomes of one history. `costOfGoods` is a percentage as decimal text with at most two decimals ("42.5"), or null. Throws where it is none,
 * or where the programs are in different currencies.
 */
export function compareOutcomes(before: Outcome, after: Outcome, costOfGoods: string | null): Comparison {
  const { currency, exponent } = before.program
  if (after.program.currency !== currency) throw new Error(`cannot compare ${currency} with ${after.program.currency}`)
  const count = (read: (outcome: Outcome) => number): Figure => figure(read(before), read(after))
  const money = (read: (outcome: Outcome) => number): Figure<string> => moneyFigure(read(before), read(after), exponent)
  return {
    programs: { before: before.program.document.name, after: after.program.document.name },
    changes: diff(before.program.document, after.program.document),
    currency,
    points: {
      issued: count((outcome) => outcome.totals.issued),
      redeemed: count((outcome) => outcome.totals.redeemed),
      expired: count((outcome) => outcome.totals.expired),
      takenBack: count((outcome) => outcome.totals.takenBack),
      outstanding: count((outcome) => outcome.totals.outstanding),
    },
    earningOrders: count((outcome) => outcome.orders.earning),
    liability: {
      valueOf100Points: { before: describePointValue(before.program), after: describePointValue(after.program) },
      money: money(measureLiability),
    },
    cost: {
      money: money((outcome) => outcome.redemptions.costMinor),
      unpriced: count((outcome) => outcome.redemptions.unpriced),
    },
    tiers: compareTiers(before, after),
    margin: costOfGoods === null ? null : compareMargins(before, after, costOfGoods),
  }
}

/** What one point is worth at most: the dearest of the rewards that are worth an amount of money. Minor units per point; null where there is none. */
export function findPointValue(program: Program): Rational | null {
  let best: Rational | null = null
  for (const reward of program.rewards) {
    if (reward.valueMinor === 0) continue
    const value = rational(reward.valueMinor, reward.variable?.perPoints ?? reward.cost ?? 1)
    if (best === null || compareRational(value, best) > 0) best = value
  }
  return best
}

/** Points outstanding at what they are worth at most, in minor units, rounded half up. Members below zero owe nothing in money. */
export function measureLiability(outcome: Outcome): number {
  const value = findPointValue(outcome.program)
  const points = Math.max(0, outcome.totals.outstanding)
  if (value === null) return 0
  return toSafeNumber(roundRational({ ...value, numerator: value.numerator * BigInt(points) }, 'half-up'))
}

function describePointValue(program: Program): string | null {
  const value = findPointValue(program)
  if (value === null) return null
  const hundred = toSafeNumber(roundRational({ ...value, numerator: value.numerator * 100n }, 'half-up'))
  return formatDecimal(hundred, program.exponent)
}

function compareTiers(before: Outcome, after: Outcome): Comparison['tiers'] {
  const gained: TierMove[] = []
  const lost: TierMove[] = []
  let same = 0
  for (const customer of new Set([...before.tiers.keys(), ...after.tiers.keys()])) {
    const from = before.tiers.get(customer) ?? null
    const to = after.tiers.get(customer) ?? null
    const step = rankOf(to, after.program, before.program) - rankOf(from, after.program, before.program)
    if (step > 0) gained.push({ customer, from, to })
    else if (step < 0) lost.push({ customer, from, to })
    else same++
  }
  return { gained, lost, same }
}

/** The height of a level: its place among the new program's levels, or, where that has no such level, among the old one's. None is below the first. */
function rankOf(level: string | null, after: Program, before: Program): number {
  if (level === null) return -1
  const rank = after.tiers?.levels.findIndex((candidate) => candidate.id === level) ?? -1
  return rank >= 0 ? rank : (before.tiers?.levels.findIndex((candidate) => candidate.id === level) ?? -1)
}

function compareMargins(before: Outcome, after: Outcome, costOfGoods: string): Margin {
  const basisPoints = parseDecimal(costOfGoods, 2)
  if (basisPoints === null || basisPoints < 0 || basisPoints > HUNDRED_PERCENT) {
    throw new Error(`a cost of goods is a percentage from 0 to 100 with at most 2 decimals, not ${costOfGoods}`)
  }
  const { exponent } = before.program
  // Codes that were used in the history are off its orders already; the margin counts them once, as a cost.
  const goods = before.orders.goodsMinor + before.redemptions.usedMinor
  const costMinor = toSafeNumber(
    roundRational(rational(BigInt(goods) * BigInt(basisPoints), HUNDRED_PERCENT), 'half-up'),
  )
  const marginOf = (outcome: Outcome) => goods - costMinor - outcome.redemptions.costMinor - measureLiability(outcome)
  const percentOf = (margin: number) =>
    Number(roundRational(rational(BigInt(margin) * 1000n, BigInt(goods)), 'half-up'))
  const [marginBefore, marginAfter] = [marginOf(before), marginOf(after)]
  const tenths = goods === 0 ? null : figure(percentOf(marginBefore), percentOf(marginAfter))
  return {
    costOfGoods,
    goods: formatDecimal(goods, exponent),
    margin: moneyFigure(marginBefore, marginAfter, exponent),
    percent: tenths && { before: tenths.before / 10, after: tenths.after / 10, difference: tenths.difference / 10 },
  }
}

function figure(before: number, after: number): Figure {
  return { before, after, difference: after - before }
}

function moneyFigure(before: number, after: number, exponent: number): Figure<string> {
  return {
    before: formatDecimal(before, exponent),
    after: formatDecimal(after, exponent),
    difference: formatDecimal(after - before, exponent),
  }
}

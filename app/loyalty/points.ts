/**
 * What an order is worth: the one calculator behind the storefront estimate, the webhook, the simulator and the merchant's preview.
 * *Goods* are lines that buy no gift card. *Money that counts* is the money for goods that the program's basis lets count, and shipping where it says
 * so. Everything is exact until points are rounded once, at the end.
 */
import { findMultiplyingCampaigns } from './campaigns.ts'
import {
  addRational,
  compareRational,
  multiplyRational,
  rational,
  reduceRational,
  requireSafe,
  roundRational,
  toSafeNumber,
  type Rational,
} from './money.ts'
import type { Order, OrderLine, OrderWorth, Reason, Refund, Why } from './order.ts'
import type { Conditions, EarningRule, Program } from './program.ts'
import { MULTIPLIER_ONE } from './ratios.ts'
import { weekdayAt } from './time.ts'

/** What the calculator must know besides the order and the program. */
export type WorthContext = {
  /** The member's tier at the placing: a level id, null for none. */
  tier: string | null
  /** The customer's gid, by which campaigns hold customers out; null for a guest in front of the storefront. */
  customer: string | null
  /** Retention segments the member is in, for campaigns. */
  segments: readonly string[]
  /** What the order's terms say of campaigns by segment and hold-out; undefined: as customer and segments say now. */
  campaigns?: readonly string[] | undefined
  /** Refunds that are not in the snapshot yet. */
  loneRefunds: readonly Refund[]
  /** Whether a limited rule has a place for this order. Called once for each limited rule that matches. */
  hasPlace: (rule: EarningRule) => boolean
}

/** What {@link calculateWorth} answers: the worth, and which limited rules took a place or had none. */
export type CalculatedWorth = OrderWorth & { places: string[]; refusedPlaces: string[] }

/**
 * What the order is worth under the program: points, with the rule that gave each part, and what it counts for tiers. An order that gives nothing says
 * why. Whether it is paid, cancelled or anybody's is the caller's to know.
 * 48.46 of goods at 5 points per 1.00 are 242 points: `{ points: 242, spendMinor: 4846, orders: 1, reasons: [{ rule: 'purchase', points: 242 }], … }`.
 */
export function calculateWorth(order: Order, program: Program, context: WorthContext): CalculatedWorth {
  const refused = findOrderRefusal(order, program)
  if (refused) return nothing([{ rule: 'order', why: refused }])
  const goods = measureGoods(order, program, context.loneRefunds)
  const shipping = program.basis.shipping ? measureShipping(order, program, context.loneRefunds) : ZERO
  const counted: Counted = { order, program, context, goods, shipping, money: add(goods.counting, shipping) }
  if (isZero(counted.money)) return nothing([{ rule: 'order', why: 'nothing_counts' }])
  const { points, reasons, places, refusedPlaces } = calculatePoints(counted)
  const spend = splitWhole(counted.money)
  return {
    points,
    spendMinor: spend.whole,
    spendRest: spend.rest,
    orders: isZero(goods.counting) ? 0 : 1,
    reasons,
    places,
    refusedPlaces,
  }
}

/**
 * The share of an order's goods that has been given back, for redeemed points: 1 − goods money now ÷ goods money as placed, as an exact
 * fraction from 0 to 1. Goods that were free as placed count as given back once no unit is left.
 */
export function measureReturnedShare(order: Order, program: Program, loneRefunds: readonly Refund[]): Rational {
  const now = measureGoods(order, program, loneRefunds)
  const placed = measureGoods(asPlaced(order), program, [])
  if (isZero(placed.all)) return now.allUnits === 0 && placed.allUnits > 0 ? ONE : NONE
  const share = addRational(ONE, multiplyRational(negate(toRational(now.all)), inverse(toRational(placed.all))))
  return compareRational(share, NONE) < 0 ? NONE : share
}

/** A whole number and the exact rest in [0, 1), which is nearly always absent: sums of money stay plain numbers until a fraction turns up. */
type Exact = { readonly whole: number; readonly rest: Rational | null }

const ZERO: Exact = { whole: 0, rest: null }
const NONE: Rational = { numerator: 0n, denominator: 1n }
const ONE: Rational = { numerator: 1n, denominator: 1n }

type Goods = {
  /** Money of each line now, 0 where it does not count under the basis. */
  lines: Exact[]
  /** The sum of `lines`. */
  counting: Exact
  /** Money of all goods now, counting under the basis or not. */
  all: Exact
  /** Units of each line left, 0 where the line does not count under the basis. */
  units: number[]
  /** Units of all goods left. */
  allUnits: number
}

type Counted = {
  order: Order
  program: Program
  context: WorthContext
  goods: Goods
  shipping: Exact
  money: Exact
}

function nothing(reasons: Reason[]): CalculatedWorth {
  return { points: 0, spendMinor: 0, spendRest: null, orders: 0, reasons, places: [], refusedPlaces: [] }
}

function findOrderRefusal(order: Order, program: Program): Why | null {
  if (order.currency !== program.currency) return 'other_currency'
  const { channels } = program.basis.exclude
  if (channels.size === 0) return null
  if (order.sourceName !== null && channels.has(order.sourceName)) return 'channel_excluded'
  return order.company && channels.has('b2b') ? 'channel_excluded' : null
}

/** The money and units that are left of each line and count, and of the goods as a whole. */
function measureGoods(order: Order, program: Program, loneRefunds: readonly Refund[]): Goods {
  const { lines } = order
  const scale = measureGivenBackScale(order, loneRefunds)
  const goods: Goods = { lines: [], counting: ZERO, all: ZERO, units: [], allUnits: 0 }
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as OrderLine
    goods.lines.push(ZERO)
    goods.units.push(0)
    if (line.giftCard) continue
    const units = currentQuantityOf(line, loneRefunds)
    const counts = countsUnderBasis(line, program)
    goods.allUnits += units
    if (counts) goods.units[index] = units
    let amount = line.priceMinor * line.quantity - line.discountMinor
    if (order.taxesIncluded !== program.basis.tax) amount += program.basis.tax ? line.taxMinor : -line.taxMinor
    if (units <= 0 || amount <= 0) continue
    let money = share(amount, units, line.quantity)
    if (scale) money = fromRational(multiplyRational(toRational(money), scale))
    goods.all = add(goods.all, money)
    if (!counts) continue
    goods.lines[index] = money
    goods.counting = add(goods.counting, money)
  }
  return goods
}

/**
 * What money given back without a line leaves of the goods, as a fraction of their money in the order's own prices (which contain tax only where
 * taxes are included). Null where nothing was given back: the usual case.
 */
function measureGivenBackScale(order: Order, loneRefunds: readonly Refund[]): Rational | null {
  let givenBack = 0
  for (const refund of order.refunds) givenBack += refund.givenBackMinor
  for (const refund of loneRefunds) givenBack += refund.givenBackMinor
  if (givenBack <= 0) return null
  let all = ZERO
  for (const line of order.lines) {
    const units = currentQuantityOf(line, loneRefunds)
    const amount = line.priceMinor * line.quantity - line.discountMinor
    if (!line.giftCard && units > 0 && amount > 0) all = add(all, share(amount, units, line.quantity))
  }
  if (isZero(all)) return null
  const left = addRational(toRational(all), rational(-givenBack))
  return left.numerator <= 0n ? NONE : reduceRational(multiplyRational(left, inverse(toRational(all))))
}

/** Units left of a line: the snapshot's own figure, less what refunds took that came alone. */
function currentQuantityOf(line: OrderLine, loneRefunds: readonly Refund[]): number {
  let units = line.currentQuantity
  for (const refund of loneRefunds) {
    for (const part of refund.lines) if (part.line === line.id) units -= part.quantity
  }
  return Math.max(0, units)
}

function countsUnderBasis(line: OrderLine, program: Program): boolean {
  const { saleItems, exclude } = program.basis
  if (!saleItems && isSaleItem(line)) return false
  if (line.subscription && exclude.channels.has('subscription')) return false
  if (line.product !== null && exclude.products.has(line.product)) return false
  return !hasAny(exclude.collections, line.collections) && !hasAny(exclude.tags, line.tags)
}

/** True where the catalogue says that the product's price is below its compare-at price. */
export function isSaleItem(line: OrderLine): boolean {
  return line.compareAtMinor !== null && line.compareAtMinor > line.priceMinor
}

/** Shipping left after shipping refunds, with or without tax as the basis says; tax goes with it in proportion. */
function measureShipping(order: Order, program: Program, loneRefunds: readonly Refund[]): Exact {
  let left = order.shippingMinor
  for (const refund of order.refunds) left -= refund.shippingMinor
  for (const refund of loneRefunds) left -= refund.shippingMinor
  if (left <= 0) return ZERO
  if (order.taxesIncluded === program.basis.tax) return { whole: left, rest: null }
  const tax = program.basis.tax ? order.shippingTaxMinor : -order.shippingTaxMinor
  return share(Math.max(0, order.shippingMinor + tax), left, order.shippingMinor)
}

function asPlaced(order: Order): Order {
  return {
    ...order,
    lines: order.lines.map((line) => ({ ...line, currentQuantity: line.quantity })),
    refunds: [],
  }
}

/** A multiplier that applies: its name in the reasons, ten-thousandths, and the lines it is limited to (null: everything). */
type Multiplier = { rule: string; factor: number; lines: boolean[] | null }

type Points = { points: number; reasons: Reason[]; places: string[]; refusedPlaces: string[] }

/** Points of matching rules add up; multipliers then scale them; one rounding. */
function calculatePoints(counted: Counted): Points {
  const { program } = counted
  const taken = { places: [] as string[], refusedPlaces: [] as string[] }
  const misses: Reason[] = []
  const parts: { rule: string; base: Rational }[] = []
  const multipliers: Multiplier[] = []
  const earnings: { earning: EarningRule; lines: boolean[] | null }[] = []
  const tier = findTierMultiplier(counted)
  if (tier) multipliers.push(tier)
  for (const rule of program.earning) {
    if (rule.on !== 'order') continue
    const match = matchRule(rule, counted)
    if (match.why !== null) {
      misses.push({ rule: rule.id, why: match.why })
    } else if (!takePlace(rule, counted.context, taken)) {
      misses.push({ rule: rule.id, why: 'limit_reached' })
    } else if (rule.multiplier !== null) {
      multipliers.push({ rule: rule.id, factor: rule.multiplier, lines: match.lines })
    } else {
      earnings.push({ earning: rule, lines: match.lines })
    }
  }
  multipliers.push(...findCampaignMultipliers(counted))
  const groups = groupByMultipliers(multipliers, counted)
  const used = new Set<Multiplier>()
  let total = NONE
  for (const { earning, lines } of earnings) {
    let base = NONE
    for (const group of groups) {
      const part = pointsOf(earning, lines, group, counted)
      if (part.numerator === 0n) continue
      base = addRational(base, part)
      for (const multiplier of group.used) used.add(multiplier)
      total = addRational(total, multiplyRational(part, group.factor))
    }
    parts.push({ rule: earning.id, base })
  }
  const points = toSafeNumber(roundRational(total, program.rounding))
  return { points, reasons: explain(points, parts, multipliers, used, misses, program), ...taken }
}

function takePlace(
  rule: EarningRule,
  context: WorthContext,
  taken: { places: string[]; refusedPlaces: string[] },
): boolean {
  if (rule.limit === null) return true
  const has = context.hasPlace(rule)
  ;(has ? taken.places : taken.refusedPlaces).push(rule.id)
  return has
}

/** Which lines a rule is about: null means the whole order, shipping included. `why` says that it does not match at all. */
type Match = { why: Why | null; lines: boolean[] | null }

function matchRule(rule: EarningRule, counted: Counted): Match {
  const { order, program, context, goods } = counted
  const { when } = rule
  if (order.processedAt < rule.fromAt) return { why: 'not_yet', lines: null }
  if (order.processedAt >= rule.untilAt) return { why: 'ended', lines: null }
  if (when.tiers !== null && (context.tier === null || !when.tiers.has(context.tier)))
    return { why: 'tier', lines: null }
  if (when.weekdays !== null && !when.weekdays.has(weekdayAt(order.processedAt, program.timeZone))) {
    return { why: 'weekday', lines: null }
  }
  if (when.minimumSubtotal !== null && isBelow(counted.money, when.minimumSubtotal)) {
    return { why: 'minimum_subtotal', lines: null }
  }
  const wholeOrder = matchesOrderChannel(when, order)
  if (!wholeOrder && !when.channels?.has('subscription')) return { why: 'channel', lines: null }
  if (wholeOrder && when.products === null && when.collections === null && when.tags === null) {
    const flat = rule.per === 'order' || rule.per === 'item'
    return flat && isZero(goods.counting) ? { why: 'nothing_counts', lines: null } : { why: null, lines: null }
  }
  let worthAnything = false
  const lines = order.lines.map((line, index) => {
    const matches = goods.units[index] !== 0 && (wholeOrder || line.subscription) && matchesProduct(when, line)
    worthAnything ||= matches && !isZero(goods.lines[index] as Exact)
    return matches
  })
  // A free line may still have points per item, which a multiplier scales; a rule of its own gives nothing for goods worth nothing.
  const matches = rule.multiplier === null ? worthAnything : lines.includes(true)
  return matches ? { why: null, lines } : { why: 'no_matching_lines', lines: null }
}

function matchesOrderChannel(when: Conditions, order: Order): boolean {
  if (when.channels === null) return true
  return (
    (order.sourceName !== null && when.channels.has(order.sourceName)) || (order.company && when.channels.has('b2b'))
  )
}

function matchesProduct(
  when: Pick<Conditions, 'products' | 'collections'> & { tags?: Conditions['tags'] },
  line: OrderLine,
): boolean {
  if (when.products !== null && (line.product === null || !when.products.has(line.product))) return false
  if (when.collections !== null && !hasAny(when.collections, line.collections)) return false
  return when.tags == null || hasAny(when.tags, line.tags)
}

function findTierMultiplier({ program, context }: Counted): Multiplier | null {
  if (program.tiers === null || context.tier === null) return null
  const index = program.tiers.levels.findIndex((level) => level.id === context.tier)
  // A level without a multiplier has none to be compared with "highest", which one of 1 would be.
  if (program.document.tiers?.levels[index]?.multiplier === undefined) return null
  const level = program.tiers.levels[index]
  return level ? { rule: `tier:${level.id}`, factor: level.multiplier, lines: null } : null
}

function findCampaignMultipliers(counted: Counted): Multiplier[] {
  const { order, program, context, goods } = counted
  if (program.campaigns.length === 0) return []
  const multipliers: Multiplier[] = []
  for (const { campaign, multiplier } of findMultiplyingCampaigns(program, order.processedAt, context)) {
    if (campaign.minimumSubtotal !== null && isBelow(counted.money, campaign.minimumSubtotal)) continue
    const limited = campaign.products !== null || campaign.collections !== null || !campaign.saleItems
    const lines = limited
      ? order.lines.map(
          (line, index) =>
            goods.units[index] !== 0 && matchesProduct(campaign, line) && (campaign.saleItems || !isSaleItem(line)),
        )
      : null
    if (lines?.includes(true) === false) continue
    multipliers.push({ rule: `campaign:${campaign.id}`, factor: multiplier, lines })
  }
  return multipliers
}

/** Lines that the same multipliers scale. `lines` null stands for all; `whole` is the group of what belongs to no line: flat points and shipping. */
type Group = { lines: boolean[] | null; whole: boolean; factor: Rational; used: Multiplier[] }

function groupByMultipliers(multipliers: Multiplier[], { order, program }: Counted): Group[] {
  const everywhere = multipliers.filter((multiplier) => multiplier.lines === null)
  if (everywhere.length === multipliers.length) {
    return [{ lines: null, whole: true, ...combine(everywhere, program) }]
  }
  const groups = new Map<string, { members: boolean[]; applying: Multiplier[] }>()
  order.lines.forEach((_, index) => {
    const applying = multipliers.filter((multiplier) => multiplier.lines === null || multiplier.lines[index])
    const key = applying.map((multiplier) => multiplier.rule).join('\n')
    const group = groups.get(key) ?? { members: order.lines.map(() => false), applying }
    group.members[index] = true
    groups.set(key, group)
  })
  return [
    { lines: order.lines.map(() => false), whole: true, ...combine(everywhere, program) },
    ...[...groups.values()].map((group) => ({
      lines: group.members,
      whole: false,
      ...combine(group.applying, program),
    })),
  ]
}

function combine(applying: Multiplier[], program: Program): { factor: Rational; used: Multiplier[] } {
  if (applying.length === 0) return { factor: ONE, used: [] }
  if (program.stacking === 'highest') {
    const highest = applying.reduce((best, multiplier) => (multiplier.factor > best.factor ? multiplier : best))
    return { factor: rational(highest.factor, MULTIPLIER_ONE), used: [highest] }
  }
  let factor = ONE
  for (const multiplier of applying) factor = multiplyRational(factor, rational(multiplier.factor, MULTIPLIER_ONE))
  return { factor, used: applying }
}

/** What a rule gives within one group, before multipliers. */
function pointsOf(rule: EarningRule, lines: boolean[] | null, group: Group, counted: Counted): Rational {
  const { order, goods, shipping } = counted
  if (rule.per === 'order') return group.whole ? rational(rule.points) : NONE
  if (lines === null && group.lines === null) {
    if (rule.per === 'money') return multiplyRational(toRational(counted.money), rational(rule.points, rule.perAmount))
  }
  let money = lines === null && group.whole ? shipping : ZERO
  let units = 0
  for (let index = 0; index < order.lines.length; index++) {
    if ((lines && !lines[index]) || (group.lines && !group.lines[index])) continue
    money = add(money, goods.lines[index] as Exact)
    units += goods.units[index] as number
  }
  return rule.per === 'item'
    ? rational(BigInt(rule.points) * BigInt(units))
    : multiplyRational(toRational(money), rational(rule.points, rule.perAmount))
}

/**
 * The reasons, as the contract has them: what each rule gave before multipliers (parts add up to their rounded sum), then the multipliers that
 * counted. Where nothing came out, every rule says why.
 */
function explain(
  points: number,
  parts: { rule: string; base: Rational }[],
  multipliers: Multiplier[],
  used: Set<Multiplier>,
  misses: Reason[],
  program: Program,
): Reason[] {
  const reasons: Reason[] = []
  const shown = distribute(parts, program)
  parts.forEach((part, index) => {
    if (part.base.numerator > 0n) reasons.push({ rule: part.rule, points: shown[index] as number })
  })
  for (const multiplier of multipliers) {
    if (used.has(multiplier)) reasons.push({ rule: multiplier.rule, multiplier: multiplier.factor / MULTIPLIER_ONE })
  }
  if (points > 0) return reasons
  if (parts.length + misses.length === 0) return [{ rule: 'order', why: 'no_rule' }]
  const whole = reasons.length > 0 ? [{ rule: 'order', why: 'below_one_point' } as const] : []
  return [...reasons, ...whole, ...misses]
}

function distribute(parts: { base: Rational }[], program: Program): number[] {
  const [only] = parts
  if (only && parts.length === 1) return [toSafeNumber(roundRational(only.base, program.rounding))]
  const floors = parts.map((part) => toSafeNumber(roundRational(part.base, 'floor')))
  const sum = parts.reduce((all, part) => addRational(all, part.base), NONE)
  const left = toSafeNumber(roundRational(sum, program.rounding)) - floors.reduce((all, part) => all + part, 0)
  if (left === 0) return floors
  // Largest remainders first; millionths are enough to rank what is only shown.
  const remainders = parts.map((part, index) =>
    toSafeNumber(
      ((part.base.numerator - BigInt(floors[index] as number) * part.base.denominator) * 1_000_000n) /
        part.base.denominator,
    ),
  )
  const extra = remainders.map(() => 0)
  const ranked = remainders
    .map((_, index) => index)
    .sort((a, b) => (remainders[b] as number) - (remainders[a] as number))
  ranked.slice(0, left).forEach((index) => (extra[index] = 1))
  return floors.map((part, index) => part + (extra[index] as number))
}

/** amount × part ÷ whole of non-negative whole numbers, exactly. */
function share(amount: number, part: number, whole: number): Exact {
  if (part === whole) return { whole: amount, rest: null }
  const product = amount * part
  if (Number.isSafeInteger(product) && product % whole === 0) return { whole: product / whole, rest: null }
  return fromRational({ numerator: BigInt(amount) * BigInt(part), denominator: BigInt(whole) })
}

function add(a: Exact, b: Exact): Exact {
  if (a.rest === null && b.rest === null) {
    return { whole: requireSafe(a.whole + b.whole), rest: null }
  }
  return fromRational(addRational(toRational(a), toRational(b)))
}

function isZero(value: Exact): boolean {
  return value.whole === 0 && value.rest === null
}

function isBelow(value: Exact, whole: number): boolean {
  return value.whole < whole
}

function toRational(value: Exact): Rational {
  const whole = { numerator: BigInt(value.whole), denominator: 1n }
  return value.rest === null ? whole : addRational(whole, value.rest)
}

function fromRational(value: Rational): Exact {
  const whole = value.numerator / value.denominator
  const rest = value.numerator - whole * value.denominator
  return {
    whole: toSafeNumber(whole),
    rest: rest === 0n ? null : reduceRational({ numerator: rest, denominator: value.denominator }),
  }
}

function splitWhole(value: Exact): { whole: number; rest: string | null } {
  return {
    whole: value.whole,
    rest: value.rest === null ? null : `${value.rest.numerator}/${value.rest.denominator}`,
  }
}

function negate(value: Rational): Rational {
  return { numerator: -value.numerator, denominator: value.denominator }
}

function inverse(value: Rational): Rational {
  return rational(value.denominator, value.numerator)
}

function hasAny(wanted: ReadonlySet<string>, given: readonly string[]): boolean {
  if (wanted.size === 0) return false
  for (const value of given) if (wanted.has(value)) return true
  return false
}

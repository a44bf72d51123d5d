/**
 * A second opinion on what a member's history comes to: written from the rules alone, in the most naive way, sharing nothing with the engine: fractions of
 * bigints, Temporal for the calendar, and every sum added up again from the beginning. It knows a smaller world: one rolling tier window by money, fixed
 * rewards that nobody uses at checkout, and snapshots that only ever lose goods.
 */
import { Temporal } from 'temporal-polyfill'

export type Terms = {
  timeZone: string
  tax: boolean
  perMoney: number
  perItem: number
  perOrder: number
  /** In hundredths; 100 is none. */
  multiplier: number
  productMultiplier: number
  stacking: 'multiply' | 'highest'
  rounding: 'floor' | 'half-up' | 'ceil'
  holdDays: number
  /** 0: points never expire. */
  expiryMonths: number
  negativeBalance: 'allow' | 'clamp'
  windowDays: number
  graceDays: number
}

/** Thresholds in minor units and multipliers in hundredths of the three levels "0", "1" and "2". */
export const LEVELS = [
  { threshold: 0, multiplier: 100 },
  { threshold: 3_000, multiplier: 150 },
  { threshold: 8_000, multiplier: 200 },
]
export const REWARD = { cost: 25, validDays: 20 }
/** The product that `productMultiplier` is for. */
export const SPECIAL = 2

export type ModelLine = {
  quantity: number
  left: number
  price: number
  discount: number
  tax: number
  gift: boolean
  product: number
}
export type ModelOrder = {
  id: number
  placedAt: number
  taxesIncluded: boolean
  givenBack: number
  lines: ModelLine[]
  cancelled: boolean
}
export type Happening = { at: number } & (
  | { kind: 'order'; order: ModelOrder }
  | { kind: 'redeem'; code: string }
  | { kind: 'adjust'; points: number; key: string }
)

type Fraction = { n: bigint; d: bigint }
const whole = (n: number | bigint): Fraction => ({ n: BigInt(n), d: 1n })
const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d })
const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d })
const over = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d, d: a.d * b.n })
const less = (a: Fraction, b: Fraction) => a.n * b.d < b.n * a.d
const floor = ({ n, d }: Fraction) => (n >= 0n ? n / d : -((-n + d - 1n) / d))
const hundredths = (n: number): Fraction => ({ n: BigInt(n), d: 100n })

const DAY = 86_400_000
type Lot = { left: number; expiresAt: number; at: number; turn: number }

/** What the member has at `until`, and the worth of its orders. Happenings are in the order of time, no two at one instant. */
export function judge(terms: Terms, history: readonly Happening[], until: number) {
  const totals = { issued: 0, redeemed: 0, expired: 0, takenBack: 0, writtenOff: 0, adjusted: 0 }
  const lots: Lot[] = []
  const pending = new Map<number, { points: number; releaseAt: number; lot: Lot }>()
  const codes: { endsAt: number; open: boolean; draws: [Lot, number][] }[] = []
  const posted = new Map<number, number>()
  const activity = new Map<number, { at: number; money: Fraction }>()
  const levels = new Map<number, number>()
  const standing = { level: 0, failingSince: null as number | null }
  let [deficit, lifetimeEarned] = [0, 0]

  const give = (lot: Lot, points: number) => {
    const filled = Math.min(deficit, points)
    deficit -= filled
    lot.left += points - filled
  }
  const open = (at: number): Lot => {
    const lot = { left: 0, expiresAt: endOfLot(terms, at), at, turn: lots.length }
    lots.push(lot)
    return lot
  }
  const take = (points: number): { draws: [Lot, number][]; short: number } => {
    const draws: [Lot, number][] = []
    for (const lot of [...lots].sort((a, b) => a.expiresAt - b.expiresAt || a.at - b.at || a.turn - b.turn)) {
      const part = Math.min(lot.left, points)
      if (part === 0) continue
      lot.left -= part
      points -= part
      draws.push([lot, part])
    }
    return { draws, short: points }
  }
  const expire = (lot: Lot) => {
    totals.expired += lot.left
    lot.left = 0
  }
  const merit = (at: number) => {
    let sum = whole(0)
    for (const entry of activity.values()) if (entry.at >= at - terms.windowDays * DAY) sum = plus(sum, entry.money)
    return LEVELS.findLastIndex(({ threshold }) => !less(sum, whole(threshold)))
  }
  const review = (at: number) => {
    const merited = merit(at)
    if (merited >= standing.level) Object.assign(standing, { level: merited, failingSince: null })
    else {
      standing.failingSince ??= at
      if (at >= standing.failingSince + terms.graceDays * DAY)
        Object.assign(standing, { level: merited, failingSince: null })
    }
  }
  /** Everything that is due by an instant, the soonest first. */
  const pass = (upTo: number) => {
    for (;;) {
      const due: [number, () => void][] = []
      for (const entry of pending.values()) {
        if (entry.points > 0) due.push([entry.releaseAt, () => (give(entry.lot, entry.points), (entry.points = 0))])
      }
      for (const lot of lots) if (lot.left > 0) due.push([lot.expiresAt, () => expire(lot)])
      for (const code of codes) if (code.open) due.push([code.endsAt, () => giveBack(code)])
      const next = due.filter(([at]) => at <= upTo).sort(([a], [b]) => a - b)[0]
      if (!next) return
      next[1]()
    }
  }
  const giveBack = (code: (typeof codes)[number]) => {
    code.open = false
    for (const [lot, points] of code.draws) {
      totals.redeemed -= points
      give(lot, points)
      if (lot.expiresAt <= code.endsAt) expire(lot)
    }
  }
  const settle = (at: number, order: ModelOrder) => {
    const money = order.cancelled ? whole(0) : moneyOf(order, terms)
    if (!levels.has(order.id)) levels.set(order.id, standing.level)
    const points = order.cancelled ? 0 : pointsOf(order, terms, levels.get(order.id)!)
    const entry = pending.get(order.id) ?? { points: 0, releaseAt: at + terms.holdDays * DAY, lot: open(at) }
    pending.set(order.id, entry)
    const change = points - (posted.get(order.id) ?? 0)
    posted.set(order.id, points)
    if (change > 0) {
      totals.issued += change
      lifetimeEarned += change
      if (entry.releaseAt <= at) give(entry.lot, change)
      else entry.points += change
    } else if (change < 0) takeBack(entry, -change)
    const before = activity.get(order.id)
    activity.set(order.id, { at: order.placedAt, money })
    if (before && less(money, before.money)) review(at)
    else if (merit(at) > standing.level) Object.assign(standing, { level: merit(at), failingSince: null })
  }
  const takeBack = (entry: { points: number; lot: Lot }, points: number) => {
    const fromPending = Math.min(entry.points, points)
    entry.points -= fromPending
    const fromOwn = Math.min(entry.lot.left, points - fromPending)
    entry.lot.left -= fromOwn
    const { short } = take(points - fromPending - fromOwn)
    const spared = terms.negativeBalance === 'clamp' ? short : 0
    deficit += short - spared
    totals.writtenOff += spared
    totals.takenBack += points - spared
    lifetimeEarned -= points - spared
  }
  const happen = (event: Happening) => {
    if (event.kind === 'order') return settle(event.at, event.order)
    if (event.kind === 'adjust') {
      totals.adjusted += event.points
      if (event.points > 0) give(open(event.at), event.points)
      else deficit += take(-event.points).short
      return
    }
    const available = lots.reduce((sum, lot) => sum + lot.left, -deficit)
    if (available < REWARD.cost) return
    totals.redeemed += REWARD.cost
    codes.push({ endsAt: event.at + REWARD.validDays * DAY, open: true, draws: take(REWARD.cost).draws })
  }

  let nightsFrom = history[0]?.at ?? until
  for (const event of [...history, { at: until, kind: 'end' as const }]) {
    for (const night of nightsBetween(nightsFrom, event.at, terms.timeZone)) review(night)
    nightsFrom = event.at
    pass(event.at)
    if (event.kind !== 'end') happen(event)
  }
  const live = lots.filter((lot) => lot.left > 0)
  const soonest = Math.min(...live.map((lot) => lot.expiresAt))
  const going = live.filter((lot) => lot.expiresAt === soonest).reduce((sum, lot) => sum + lot.left, 0)
  return {
    available: lots.reduce((sum, lot) => sum + lot.left, -deficit),
    pending: [...pending.values()].reduce((sum, entry) => sum + entry.points, 0),
    lifetimeEarned,
    tier: String(standing.level),
    nextExpiry:
      soonest === Infinity ? null : { points: going, at: Temporal.Instant.fromEpochMilliseconds(soonest).toString() },
    orders: Object.fromEntries([...posted].map(([id, points]) => [`gid://shopify/Order/${id}`, points])),
    totals,
  }
}

/** The money of each line that counts. */
function lineMoney(order: ModelOrder, terms: Terms): { line: ModelLine; money: Fraction }[] {
  const goods = order.lines.filter((line) => !line.gift && line.left > 0)
  const inOrder = (line: ModelLine) =>
    over(whole(Math.max(0, line.price * line.quantity - line.discount) * line.left), whole(line.quantity))
  const all = goods.reduce((sum, line) => plus(sum, inOrder(line)), whole(0))
  const left = plus(all, whole(-order.givenBack))
  const scale = order.givenBack === 0 || all.n === 0n ? whole(1) : left.n <= 0n ? whole(0) : over(left, all)
  return goods.map((line) => {
    let amount = line.price * line.quantity - line.discount
    if (order.taxesIncluded && !terms.tax) amount -= line.tax
    if (!order.taxesIncluded && terms.tax) amount += line.tax
    return { line, money: times(over(whole(Math.max(0, amount) * line.left), whole(line.quantity)), scale) }
  })
}

function moneyOf(order: ModelOrder, terms: Terms): Fraction {
  return lineMoney(order, terms).reduce((sum, { money }) => plus(sum, money), whole(0))
}

/** The points of the order: rates and multipliers, rounded once. */
function pointsOf(order: ModelOrder, terms: Terms, level: number): number {
  if (moneyOf(order, terms).n === 0n) return 0
  const everywhere = [terms.multiplier, LEVELS[level]!.multiplier].filter((factor) => factor !== 100)
  const scaled = (points: Fraction, factors: number[]) => {
    if (factors.length === 0) return points
    if (terms.stacking === 'highest') return times(points, hundredths(Math.max(...factors)))
    return factors.reduce((product, factor) => times(product, hundredths(factor)), points)
  }
  let total = scaled(whole(terms.perOrder), everywhere)
  for (const { line, money } of lineMoney(order, terms)) {
    const base = plus(times(money, { n: BigInt(terms.perMoney), d: 100n }), whole(terms.perItem * line.left))
    const special = line.product === SPECIAL && terms.productMultiplier !== 100 ? [terms.productMultiplier] : []
    total = plus(total, scaled(base, [...everywhere, ...special]))
  }
  if (terms.rounding === 'floor') return Number(floor(total))
  if (terms.rounding === 'ceil') return -Number(floor({ n: -total.n, d: total.d }))
  return Number(floor(plus(total, { n: 1n, d: 2n })))
}

/** To the end of the day on which the months are over. */
function endOfLot(terms: Terms, at: number): number {
  if (terms.expiryMonths === 0) return Infinity
  const day = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(terms.timeZone).toPlainDate()
  return day.add({ months: terms.expiryMonths }).add({ days: 1 }).toZonedDateTime(terms.timeZone).epochMilliseconds
}

function nightsBetween(from: number, upTo: number, timeZone: string): number[] {
  const nights: number[] = []
  for (let day = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone).toPlainDate(); ;) {
    day = day.add({ days: 1 })
    const night = day.toZonedDateTime(timeZone).epochMilliseconds
    if (night > upTo) return nights
    nights.push(night)
  }
}

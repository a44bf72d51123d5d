/**
 * Points liability: what the shop still owes in points. It moves as
 * opening + earned − spent − expired − taken back − forfeited + adjusted = closing, to the point, and the closing is the sum of
 * what members hold (available, pending, reserved): both are sums over the same transfers.
 *
 * *Breakage* is the share of points that ran out unspent, among the lots that have come to their end.
 */
import { toRate } from './exact.ts'
import { addMonths } from '../loyalty/time.ts'

/** A sum of points that moved between two accounts of the ledger in a period; dotted paths as in the ledger, members' without their id. */
export type PointsFlow = { from: string; to: string; points: number }

/** What happened to the points owed between two instants, in whole points. */
export type PointsMovement = {
  opening: number
  earned: number
  spent: number
  expired: number
  takenBack: number
  forfeited: number
  adjusted: number
  closing: number
}

const SHOP_ACCOUNTS: Record<string, { as: keyof Omit<PointsMovement, 'opening' | 'closing'>; sign: 1 | -1 }> = {
  'shop.issued': { as: 'earned', sign: 1 },
  'shop.redeemed': { as: 'spent', sign: -1 },
  'shop.expired': { as: 'expired', sign: -1 },
  'shop.taken_back': { as: 'takenBack', sign: -1 },
  'shop.written_off': { as: 'takenBack', sign: -1 },
  'shop.forfeited': { as: 'forfeited', sign: -1 },
  'shop.adjusted': { as: 'adjusted', sign: 1 },
}

/**
 * The movement of a period from its opening and its flows. What goes round between two accounts of the shop (a write-off) or of
 * members moves nothing. Throws on an account of the shop that is not known here: the books would not close.
 */
export function movePoints(opening: number, flows: Iterable<PointsFlow>): PointsMovement {
  const movement = {
    opening,
    earned: 0,
    spent: 0,
    expired: 0,
    takenBack: 0,
    forfeited: 0,
    adjusted: 0,
    closing: opening,
  }
  for (const { from, to, points } of flows) {
    const [fromShop, toShop] = [from.startsWith('shop.'), to.startsWith('shop.')]
    if (fromShop === toShop) continue
    const account = SHOP_ACCOUNTS[fromShop ? from : to]
    if (!account) throw new Error(`movePoints: unknown account ${fromShop ? from : to}`)
    const given = fromShop ? points : -points
    movement[account.as] += account.sign * given
    movement.closing += given
  }
  return movement
}

/** An open lot: when it was earned and how many of its points are left. */
export type OpenLot = { earnedAt: number; points: number }
/** Points by age in months: from `fromMonths` (inclusive) to `untilMonths` (exclusive; null: no end). */
export type LiabilityAge = { fromMonths: number; untilMonths: number | null; points: number }

/** Outstanding points by age at T, in the shop's calendar months: under 3, 3–6, 6–12, 12–24, 24 and over. */
export function ageLiability(lots: Iterable<OpenLot>, asOf: number, timeZone: string): LiabilityAge[] {
  const edges = [0, 3, 6, 12, 24]
  const limits = edges.map((months) => addMonths(asOf, -months, timeZone))
  const ages = edges.map((fromMonths, place) => ({ fromMonths, untilMonths: edges[place + 1] ?? null, points: 0 }))
  for (const { earnedAt, points } of lots) {
    let place = edges.length - 1
    while (place > 0 && earnedAt > limits[place]!) place--
    ages[place]!.points += points
  }
  return ages
}

/** A lot that has come to its end: what was earned in it (less what was taken back) and what of that ran out. */
export type EndedLot = { earned: number; expired: number }

/** Points that ran out ÷ points of all ended lots, 0–1 to 6 places; null before any lot has ended. */
export function breakageRate(lots: Iterable<EndedLot>): number | null {
  let earned = 0
  let expired = 0
  for (const lot of lots) {
    earned += lot.earned
    expired += lot.expired
  }
  return toRate(expired, earned)
}

/**
 * What the outstanding points are expected to cost, in minor units, rounded down: points × (1 − breakage) × what 100 points are
 * worth ÷ 100. Before any lot has ended, breakage counts as 0: the dear side.
 */
export function expectedRedemptionCost(points: number, breakage: number | null, hundredPointsMinor: number): number {
  const kept = 1_000_000 - Math.round((breakage ?? 0) * 1_000_000)
  return Number((BigInt(Math.max(0, points)) * BigInt(kept) * BigInt(hundredPointsMinor)) / 100_000_000n)
}

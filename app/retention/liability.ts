/**
 * Points liability: what the shop still owes in points. It moves as
 * opening + earned − spent − expired − taken back − forfeited + adjusted = closing, to the point, and the closing is the sum of
 * what members hold (available, pending, reserved): both are sums over the same transfers.
 *
 * *Breakage* is the share of points that ran out unspent, among those that have come to their end.
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

/** What can happen to points between an opening and a closing, in the order of the statement. */
export const MOVEMENTS = ['earned', 'spent', 'expired', 'takenBack', 'forfeited', 'adjusted'] as const
/** One of {@link MOVEMENTS}. */
export type Movement = (typeof MOVEMENTS)[number]

/** The shop's accounts by the movement that points between them and a member are. */
export const SHOP_ACCOUNTS: Readonly<Record<string, { as: Movement; sign: 1 | -1 }>> = {
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

/** Points by age in months: from `fromMonths` on, up to where the next age begins. */
export type LiabilityAge = { fromMonths: number; points: number }

/** Ages of points begin at so many months: under 3, 3–6, 6–12, 12–24, 24 and over. */
export const AGE_MONTHS: readonly number[] = [0, 3, 6, 12, 24]

/** The instants at or before which points of each age but the youngest were earned, by the shop's calendar months back from T. */
export function ageLimits(asOf: number, timeZone: string): number[] {
  return AGE_MONTHS.slice(1).map((months) => addMonths(asOf, -months, timeZone))
}

/**
 * Breakage: of the points that have come to their end, spent or run out, the share that ran out; 0–1 to 6 places, null while nobody has
 * spent any: all of it would be a guess.
 */
export function breakageRate(expired: number, spent: number): number | null {
  return spent > 0 ? toRate(expired, expired + spent) : null
}

/**
 * What the outstanding points are expected to cost, in minor units, rounded down: points × (1 − breakage) × what 100 points are
 * worth ÷ 100. Before any lot has ended, breakage counts as 0: the dear side.
 */
export function expectedRedemptionCost(points: number, breakage: number | null, hundredPointsMinor: number): number {
  const kept = 1_000_000 - Math.round((breakage ?? 0) * 1_000_000)
  return Number((BigInt(Math.max(0, points)) * BigInt(kept) * BigInt(hundredPointsMinor)) / 100_000_000n)
}

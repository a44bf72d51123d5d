// Points liability as the ledger has it: what moved in a month, what is outstanding and how old it is.
import { pool } from '#app/db/client.server.ts'
import type { Asked } from '#app/db/retention.server.ts'
import { toRate } from '#app/retention/exact.ts'
import {
  ageLiability,
  movePoints,
  type LiabilityAge,
  type PointsFlow,
  type PointsMovement,
} from '#app/retention/liability.ts'

/** The points that the shop owes, in whole points, and what became of earlier ones. */
export type Liability = {
  movement: PointsMovement
  /** What members hold at T: lots by age, points set aside for rewards, and balances below zero. */
  outstanding: number
  ages: LiabilityAge[]
  reserved: number
  deficit: number
  /** Of the points used up so far, the share that ran out unspent; null while nobody has spent any: all of it would be a guess. */
  breakage: number | null
}

/**
 * The movement of [from, until) and what is outstanding now. Opening and closing are reckoned back from the balances of this
 * moment by the transfers since, so they tie to the ledger to the point.
 */
export async function readLiability(
  { shopId, asOf, timeZone }: Asked,
  from: number,
  until: number,
): Promise<Liability> {
  const [held, inside, since, lots, ended] = await Promise.all([
    pool.query<{ outstanding: string; reserved: string; deficit: string }>(
      `select coalesce(sum(available + pending + reserved), 0) as outstanding, coalesce(sum(reserved), 0) as reserved,
              coalesce(sum(deficit), 0) as deficit
         from balances where shop_id = $1`,
      [shopId],
    ),
    readFlows(shopId, from, until),
    readFlows(shopId, from, null),
    pool.query<{ earned_at: Date; points: string }>(
      `select date_trunc('hour', earned_at) as earned_at, sum(available + pending) as points from lots
        where shop_id = $1 and (available > 0 or pending > 0) group by 1`,
      [shopId],
    ),
    pool.query<{ expired: string; redeemed: string }>(
      `select coalesce(sum(amount) filter (where to_account = 'shop.expired'), 0) as expired,
              coalesce(sum(amount) filter (where to_account = 'shop.redeemed'), 0)
                - coalesce(sum(amount) filter (where from_account = 'shop.redeemed'), 0) as redeemed
         from ledger_transfers where shop_id = $1 and 'shop.expired' <> from_account
          and (to_account in ('shop.expired', 'shop.redeemed') or from_account = 'shop.redeemed')`,
      [shopId],
    ),
  ])
  const outstanding = Number(held.rows[0]!.outstanding)
  const opening = outstanding - movePoints(0, since).closing
  const { expired, redeemed } = ended.rows[0]!
  return {
    movement: movePoints(opening, inside),
    outstanding,
    ages: ageLiability(
      lots.rows.map((row) => ({ earnedAt: row.earned_at.getTime(), points: Number(row.points) })),
      asOf,
      timeZone,
    ),
    reserved: Number(held.rows[0]!.reserved),
    deficit: Number(held.rows[0]!.deficit),
    breakage: BigInt(redeemed) > 0n ? toRate(BigInt(expired), BigInt(expired) + BigInt(redeemed)) : null,
  }
}

/** Sums of what moved between accounts in [from, until), without end where `until` is null. */
async function readFlows(shopId: number, from: number, until: number | null): Promise<PointsFlow[]> {
  const { rows } = await pool.query<{ from_account: string; to_account: string; points: string }>(
    `select from_account, to_account, sum(amount) as points from ledger_transfers
      where shop_id = $1 and event_at >= $2 and ($3::timestamptz is null or event_at < $3)
      group by from_account, to_account`,
    [shopId, new Date(from), until === null ? null : new Date(until)],
  )
  return rows.map((row) => ({ from: row.from_account, to: row.to_account, points: Number(row.points) }))
}

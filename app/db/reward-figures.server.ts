/** How each reward is doing, for the admin. Reads only. */
import { pool } from '#app/db/client.server.ts'

/** How one reward is doing. */
export type RewardFigures = {
  /** Redemptions whose points were spent on it, undone ones left out. */
  taken: number
  /** Of those, codes not used yet. */
  unused: number
  /** Codes ready for the next shopper, so that nobody waits for Shopify; null where the reward needs none. */
  codesReady: number | null
  /** Why codes cannot be made at the moment. */
  codesError: string | null
}

/** Figures by reward id. Rewards that nobody took and that have no codes are missing. */
export async function findRewardFigures(shopId: number): Promise<Map<string, RewardFigures>> {
  const { rows } = await pool.query<{
    reward_id: string
    taken: string
    unused: string
    ready: string | null
    error: string | null
  }>(
    `with taken as (
       select reward_id, count(*) filter (where state in ('reserved', 'issued', 'ending', 'used')) as taken,
              count(*) filter (where state = 'issued') as unused
       from redemptions where shop_id = $1 group by reward_id
     ), ready as (
       select p.reward_id, count(c.code) filter (where c.state = 'free') as ready, max(p.error) as error
       from code_pools p left join codes c on c.shop_id = p.shop_id and c.pool_id = p.id
       where p.shop_id = $1 and p.state <> 'retired' group by p.reward_id
     )
     select coalesce(t.reward_id, r.reward_id) as reward_id, coalesce(t.taken, 0) as taken, coalesce(t.unused, 0) as unused,
            r.ready, r.error
     from taken t full join ready r using (reward_id)`,
    [shopId],
  )
  return new Map(
    rows.map((row) => [
      row.reward_id,
      {
        taken: Number(row.taken),
        unused: Number(row.unused),
        codesReady: row.ready === null ? null : Number(row.ready),
        codesError: row.error,
      },
    ]),
  )
}

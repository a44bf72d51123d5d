/** What a shop has done of the first steps. Dismissing the list is remembered for the shop, not for one browser. */
import { pool } from '#app/db/client.server.ts'

/** Which of the first steps are behind the shop, and whether their list was put away. */
export type FirstSteps = {
  dismissed: boolean
  published: boolean
  hasRewards: boolean
  /** Past orders were asked for, whether or not they have all been read. */
  readsPast: boolean
  earnedOnce: boolean
}

/** What the shop has done so far. */
export async function findFirstSteps(shopId: number): Promise<FirstSteps> {
  const { rows } = await pool.query<FirstSteps>(
    `select
       coalesce((s.settings->>'firstStepsDismissed')::boolean, false) as dismissed,
       exists (select 1 from programs where shop_id = $1) as published,
       coalesce((select jsonb_array_length(coalesce(document->'rewards', '[]')) > 0 from programs
                 where shop_id = $1 order by version desc limit 1), false) as "hasRewards",
       exists (select 1 from readings where shop_id = $1 and kind = 'backfill' and state <> 'failed') as "readsPast",
       exists (select 1 from ledger_transfers where shop_id = $1 and from_account = 'shop.issued') as "earnedOnce"
     from shops s where s.id = $1`,
    [shopId],
  )
  return rows[0]!
}

/** Puts the list away for good. */
export async function dismissFirstSteps(shopId: number): Promise<void> {
  await pool.query(`update shops set settings = settings || '{"firstStepsDismissed": true}' where id = $1`, [shopId])
}

import { pool } from './client.server.ts'
import type { Queryable } from './client.server.ts'

/** Campaigns beside the program document: what happened to them. What they promise is in the program (loyalty/program.ts). */

/** Campaigns that were ended before their time, by hand or by their budget: campaign id → epoch milliseconds. */
export async function readEarlyEnds(shopId: number, client: Queryable = pool): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: string; ended_at: Date }>(
    'select id, ended_at from campaigns where shop_id = $1 and ended_at is not null',
    [shopId],
  )
  return new Map(rows.map((row) => [row.id, row.ended_at.getTime()]))
}

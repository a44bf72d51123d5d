// How PostgreSQL is to plan the statements of a batch: each looks up a few hundred rows by their keys, and one plan is right for
// every shop. Left to itself it plans each statement anew for the shop at hand, takes a shop that came after its last statistics for
// empty, and then compares each row with each.
import { pool } from '#app/db/client.server.ts'

let known = false

/**
 * What a transaction says as it begins to have its statements planned once for whatever shop, by the indexes. Empty until PostgreSQL has
 * seen how large the tables are (its autovacuum does, within a minute of the first orders): plans made for empty tables would stay.
 */
export async function planForAnyShop(): Promise<string> {
  known ||= await hasStatistics()
  // Rows come in the order of an index then, and bodies of messages are not sorted.
  return known ? 'set local plan_cache_mode = force_generic_plan; set local enable_bitmapscan = off' : ''
}

/** Never on Citus, which finds the node of a shop while it plans, and so has to plan for the shop at hand. */
async function hasStatistics(): Promise<boolean> {
  const { rows } = await pool.query<{ known: boolean }>(
    `select bool_and(reltuples > 1000) and not exists (select 1 from pg_extension where extname = 'citus') as known from pg_class
      where oid in ('members'::regclass, 'balances'::regclass, 'orders'::regclass, 'customer_standings'::regclass)`,
  )
  return rows[0]!.known
}

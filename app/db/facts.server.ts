// A *fact* is a key that was used, with the data that it was used with. An *adjustment* is points given or
// taken by hand, with who did it and why.
import { booleans, numbers } from '#app/db/arrays.ts'
import { pool, type Queryable } from '#app/db/client.server.ts'
import type { Event, Fact } from '#app/loyalty/engine.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'

/** The facts with these keys, as far as there are any. */
export async function loadFacts(shopId: number, keys: readonly string[], client: Queryable = pool): Promise<Fact[]> {
  if (keys.length === 0) return []
  const { rows } = await client.query<{ key: string; member_id: string; data: string }>({
    name: 'load-facts',
    text: 'select key, member_id, data from facts where shop_id = $1 and key = any($2::text[])',
    values: [shopId, keys],
  })
  return rows.map((row) => ({ key: row.key, member: toGid('Customer', row.member_id), data: row.data }))
}

/** Keeps new facts. A key is kept with the data of its first use. */
export async function saveFacts(shopId: number, facts: readonly Fact[], at: number, client: Queryable): Promise<void> {
  if (facts.length === 0) return
  await client.query({
    name: 'save-facts',
    text: `insert into facts (shop_id, key, member_id, data, created_at)
           select $1, key, member_id, data, $2
             from unnest($3::text[], $4::bigint[], $5::text[]) as g (key, member_id, data)
           on conflict (shop_id, key) do nothing`,
    values: [
      shopId,
      new Date(at),
      facts.map(({ key }) => key),
      numbers(facts.map(({ member }) => numberOfGid(member, 'Customer'))),
      facts.map(({ data }) => data),
    ],
  })
}

/** Writes down who changed points by hand and why, for those of the events that are such changes, all at once. */
export async function saveAdjustments(
  shopId: number,
  events: readonly Event[],
  at: number,
  client: Queryable,
): Promise<void> {
  const changes = events.flatMap((event) => (event.type === 'adjust' ? [event] : []))
  if (changes.length === 0) return
  await client.query({
    name: 'save-adjustments',
    text: `insert into adjustments (shop_id, key, member_id, points, reason, actor, counts_for_tiers, created_at)
           select $1, key, member_id, points, reason, actor, counts, $2
             from unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::boolean[])
               as g (key, member_id, points, reason, actor, counts)
           on conflict (shop_id, key) do nothing`,
    values: [
      shopId,
      new Date(at),
      changes.map(({ key }) => key),
      numbers(changes.map(({ customer }) => numberOfGid(customer, 'Customer'))),
      numbers(changes.map(({ points }) => points)),
      changes.map(({ reason }) => reason),
      changes.map(({ actor }) => actor),
      booleans(changes.map(({ countsForTier }) => countsForTier ?? false)),
    ],
  })
}

import { pool } from './client.server.ts'
import type { Queryable } from './client.server.ts'

/** Campaigns beside the program document: what happened to them. What they promise is in the program (loyalty/program.ts). */

/**
 * Campaigns that give nothing before their time is over, since when: ended by hand or by their budget, or paused. Campaign id → epoch
 * milliseconds. A campaign that was resumed is not among them.
 */
export async function readEarlyEnds(shopId: number, client: Queryable = pool): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: string; ended_at: Date }>(
    `select id, least(ended_at, paused_at) as ended_at from campaigns
      where shop_id = $1 and (ended_at is not null or paused_at is not null)`,
    [shopId],
  )
  return new Map(rows.map((row) => [row.id, row.ended_at.getTime()]))
}

/** What a campaign has given so far, in minor units, and in how many orders. */
export type Given = { givenMinor: number; orders: number }

/**
 * Counts what orders placed in [from, until) were given by the automatic discount of this title, cancelled, voided and test orders
 * left out, and keeps it with the campaign. The figure that is kept never falls: an order read again from the Admin API no longer
 * says which discount it had. Returns what is kept.
 */
export async function countGiven(
  shopId: number,
  campaign: { id: string; title: string; from: number; until: number },
  at: number,
  client: Queryable = pool,
): Promise<Given> {
  const { rows } = await client.query<{ given_minor: string; orders: number }>(
    `with given as (
       select coalesce(sum((d->>'amountMinor')::bigint), 0)::bigint as minor, count(distinct o.id)::int as orders
         from orders o, json_array_elements(o.facts::json->'snapshot'->'automaticDiscounts') d
        where o.shop_id = $1 and o.placed_at >= $4 and o.placed_at < $5 and d->>'title' = $3
          and o.facts->'snapshot'->>'cancelledAt' is null and not (o.facts->'snapshot'->>'test')::boolean
          and o.facts->'snapshot'->>'financialStatus' is distinct from 'voided'
     )
     insert into campaigns (shop_id, id, given_minor, orders, updated_at)
     select $1, $2, given.minor, given.orders, $6 from given
     on conflict (shop_id, id) do update set
       given_minor = greatest(campaigns.given_minor, excluded.given_minor),
       orders = greatest(campaigns.orders, excluded.orders), updated_at = excluded.updated_at
     returning given_minor, orders`,
    [shopId, campaign.id, campaign.title, new Date(campaign.from), new Date(campaign.until), new Date(at)],
  )
  return { givenMinor: Number(rows[0]!.given_minor), orders: rows[0]!.orders }
}

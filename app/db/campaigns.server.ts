import { pool } from './client.server.ts'
import type { Queryable } from './client.server.ts'
import type { CampaignHistory } from '#app/loyalty/campaigns.ts'

/** Campaigns beside the program document: what happened to them. What they promise is in the program (loyalty/program-document.ts). */

/** What was decided and spent beside the program. */
export type CampaignRecord = CampaignHistory & {
  /** `by hand` or `budget`; null where it was not ended before its time. */
  endedReason: string | null
  /** When its audience was noted, to be compared with those held out; null where it was not. */
  audienceAt: number | null
  overrideReason: string | null
  givenMinor: number
}

/** The records of all campaigns that have one, by campaign id. */
export async function listCampaignRecords(shopId: number): Promise<Map<string, CampaignRecord>> {
  const { rows } = await pool.query<{
    id: string
    ended_at: Date | null
    ended_reason: string | null
    paused_at: Date | null
    pauses: [number, number][]
    audience_at: Date | null
    override_reason: string | null
    given_minor: string
  }>(
    `select id, ended_at, ended_reason, paused_at, pauses, audience_at, override_reason, given_minor
       from campaigns where shop_id = $1`,
    [shopId],
  )
  return new Map(
    rows.map((row) => [
      row.id,
      {
        endedAt: row.ended_at?.getTime() ?? null,
        endedReason: row.ended_reason,
        pausedAt: row.paused_at?.getTime() ?? null,
        pauses: row.pauses,
        audienceAt: row.audience_at?.getTime() ?? null,
        overrideReason: row.override_reason,
        givenMinor: Number(row.given_minor),
      },
    ]),
  )
}

/**
 * Ends a campaign now. It cannot be taken up again; another one can be made. Repeating it changes nothing. What it gives in points ends
 * at this instant; its discount at Shopify is stopped by the next run of jobs/sync-function-discounts.
 */
export async function endCampaign(shopId: number, id: string, at: number, reason: string): Promise<void> {
  await pool.query(
    `insert into campaigns (shop_id, id, ended_at, ended_reason, updated_at) values ($1, $2, $3, $4, $3)
     on conflict (shop_id, id) do update set
       ended_at = coalesce(campaigns.ended_at, excluded.ended_at),
       ended_reason = coalesce(campaigns.ended_reason, excluded.ended_reason), updated_at = excluded.updated_at`,
    [shopId, id, new Date(at), reason],
  )
}

/**
 * Lets a campaign rest from now on, until it is resumed. Repeating it, or pausing one that is over, changes nothing. Its discount at
 * Shopify ends, and begins again, by the next run of jobs/sync-function-discounts.
 */
export async function pauseCampaign(shopId: number, id: string, at: number): Promise<void> {
  await pool.query(
    `insert into campaigns (shop_id, id, paused_at, updated_at) values ($1, $2, $3, $3)
     on conflict (shop_id, id) do update set
       paused_at = coalesce(campaigns.paused_at, excluded.paused_at), updated_at = excluded.updated_at
     where campaigns.ended_at is null`,
    [shopId, id, new Date(at)],
  )
}

/** Takes a paused campaign up again; its end stays where it was, and the rest is kept. One that was ended stays ended. */
export async function resumeCampaign(shopId: number, id: string, at: number): Promise<void> {
  const { rows } = await pool.query<{ paused_at: Date }>(
    'select paused_at from campaigns where shop_id = $1 and id = $2 and ended_at is null and paused_at < $3',
    [shopId, id, new Date(at)],
  )
  if (!rows[0]) return
  // Whoever resumed or ended it meanwhile was first: then it is no longer paused since then.
  await pool.query(
    `update campaigns set pauses = pauses || $4::jsonb, paused_at = null, updated_at = $3
      where shop_id = $1 and id = $2 and ended_at is null and paused_at = $5`,
    [shopId, id, new Date(at), JSON.stringify([[rows[0].paused_at.getTime(), at]]), rows[0].paused_at],
  )
}

/** Keeps why the merchant lets these campaigns run past the discount-fatigue guard. */
export async function keepOverride(shopId: number, ids: readonly string[], reason: string, at: number): Promise<void> {
  await pool.query(
    `insert into campaigns (shop_id, id, override_reason, updated_at) select $1, id, $3, $4 from unnest($2::text[]) as id
     on conflict (shop_id, id) do update set override_reason = excluded.override_reason, updated_at = excluded.updated_at`,
    [shopId, ids, reason, new Date(at)],
  )
}

/** What a campaign has given so far, in minor units, and in how many orders. */
export type Given = { givenMinor: number; orders: number }

/**
 * Counts what orders placed in [from, until) were given by the automatic discount of these titles (its name now and before), cancelled,
 * voided and test orders left out, and keeps it with the campaign. Returns what is kept.
 */
export async function countGiven(
  shopId: number,
  campaign: { id: string; titles: readonly string[]; from: number; until: number },
  at: number,
  client: Queryable = pool,
): Promise<Given> {
  const { rows } = await client.query<{ given_minor: string; orders: number }>(
    `with given as (
       select coalesce(sum((d->>'amountMinor')::bigint), 0)::bigint as minor, count(distinct o.id)::int as orders
         from orders o, json_array_elements(o.facts::json->'snapshot'->'automaticDiscounts') d
        where o.shop_id = $1 and o.placed_at >= $4 and o.placed_at < $5
          -- Most have none, which is found ten times sooner than by reading the record as JSON.
          and position('"automaticDiscounts"' in o.facts) > 0 and d->>'title' = any($3::text[])
          and o.facts::json->'snapshot'->>'cancelledAt' is null
          and coalesce(o.facts::json->'snapshot'->>'test', 'false') = 'false'
          and o.facts::json->'snapshot'->>'financialStatus' is distinct from 'voided'
     )
     insert into campaigns (shop_id, id, given_minor, orders, updated_at)
     select $1, $2, given.minor, given.orders, $6 from given
     on conflict (shop_id, id) do update set
       given_minor = excluded.given_minor, orders = excluded.orders, updated_at = excluded.updated_at
     returning given_minor, orders`,
    [shopId, campaign.id, campaign.titles, new Date(campaign.from), new Date(campaign.until), new Date(at)],
  )
  return { givenMinor: Number(rows[0]!.given_minor), orders: rows[0]!.orders }
}

/**
 * Notes who is in the audience of a campaign with a hold-out, so that those offered it and those held out can be compared as they were,
 * not as what they bought has made them since. Once: a campaign whose audience was noted in its time is left alone; one that was moved to
 * a later time is noted anew. Null lists mean everybody.
 */
export async function noteAudience(
  shopId: number,
  campaign: { id: string; from: number; tiers: readonly string[] | null; segments: readonly string[] | null },
  at: number,
  client: Queryable,
): Promise<void> {
  const { rowCount } = await client.query(
    `insert into campaigns (shop_id, id, audience_at, updated_at) values ($1, $2, $3, $3)
     on conflict (shop_id, id) do update set audience_at = excluded.audience_at, updated_at = excluded.updated_at
     where campaigns.audience_at is null or campaigns.audience_at < $4`,
    [shopId, campaign.id, new Date(at), new Date(campaign.from)],
  )
  if (rowCount === 0) return
  await client.query('delete from campaign_audiences where shop_id = $1 and campaign_id = $2', [shopId, campaign.id])
  await client.query(
    `insert into campaign_audiences (shop_id, campaign_id, member_id)
     select m.shop_id, $2, m.id from members m
      where m.shop_id = $1 and m.erased_at is null and m.joined_at < $3
        and ($4::text[] is null or m.tier = any($4)) and ($5::text[] is null or (m.state::json->'segments')::jsonb ?| $5)`,
    [shopId, campaign.id, new Date(at), campaign.tiers, campaign.segments],
  )
}

/** Takes these customers (numbers of gids), and those merged into them, out of every audience: they asked to be forgotten. */
export async function forgetInAudiences(
  shopId: number,
  customers: readonly string[],
  client: Queryable,
): Promise<void> {
  if (customers.length === 0) return
  await client.query(
    `delete from campaign_audiences where shop_id = $1 and (member_id = any($2::bigint[]) or member_id in (
       select alias_id from member_aliases where shop_id = $1 and member_id = any($2::bigint[])))`,
    [shopId, customers],
  )
}

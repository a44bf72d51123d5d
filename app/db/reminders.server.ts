// Reminders that points end soon, as far as they were queued: each once, whoever queues it and however often (loyalty/reminders.ts).
import { instants, integers, numbers } from '#app/db/arrays.ts'
import { pool, type Queryable } from '#app/db/client.server.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { QueuedReminder } from '#app/loyalty/reminders.ts'

/** Whether the shop reminds its members, and when it last looked whom. Reminding is on until the merchant turns it off. */
export async function findReminding(shopId: number): Promise<{ on: boolean; lookedAt: number | null }> {
  const { rows } = await pool.query<{ on: boolean; looked_at: string | null }>(
    `select coalesce((settings ->> 'remindOfExpiry')::boolean, true) as on, settings ->> 'remindersLookedAt' as looked_at
       from shops where id = $1`,
    [shopId],
  )
  const row = rows[0]
  return { on: row?.on ?? false, lookedAt: row?.looked_at == null ? null : Number(row.looked_at) }
}

/** Turns reminders of the shop on or off. */
export async function setReminding(shopId: number, on: boolean): Promise<void> {
  await pool.query(
    `update shops set settings = settings || jsonb_build_object('remindOfExpiry', $2::boolean) where id = $1`,
    [shopId, on],
  )
}

/** Notes that all members were looked at. */
export async function noteLooked(shopId: number, at: number): Promise<void> {
  await pool.query(
    `update shops set settings = settings || jsonb_build_object('remindersLookedAt', $2::bigint) where id = $1`,
    [shopId, at],
  )
}

/** Where a slice of members ended: the next one begins behind it. */
export type SliceEnd = { at: number; member: string }

/**
 * Members (gids) with points whose lot ends within one of the stretches (from, until], soonest end first, behind `after`; with the place at which
 * to go on, null at the end. For programs whose points end lot by lot.
 */
export async function listMembersOfEndingLots(
  shopId: number,
  stretches: readonly { from: number; until: number }[],
  after: SliceEnd | null,
  limit: number,
): Promise<{ members: string[]; next: SliceEnd | null }> {
  const { rows } = await pool.query<{ member_id: string; expires_at: Date }>(
    `select l.member_id, l.expires_at
       from unnest($2::timestamptz[], $3::timestamptz[]) as s (since, until)
       join lots l on l.shop_id = $1 and l.available > 0 and l.expires_at > s.since and l.expires_at <= s.until
      where ($4::timestamptz is null or (l.expires_at, l.member_id) > ($4, $5::bigint))
      group by l.member_id, l.expires_at order by l.expires_at, l.member_id limit $6`,
    [
      shopId,
      instants(stretches.map(({ from }) => from)),
      instants(stretches.map(({ until }) => until)),
      after && new Date(after.at),
      after?.member ?? null,
      limit,
    ],
  )
  const last = rows.length === limit ? rows.at(-1) : undefined
  return {
    members: [...new Set(rows.map((row) => toGid('Customer', row.member_id)))],
    next: last ? { at: last.expires_at.getTime(), member: last.member_id } : null,
  }
}

/**
 * Members (gids) with points to spend who have earned nothing since the instant, by their number, those behind `after` ("0" begins). For programs
 * whose points end for want of earnings. Whatever the record's shape, too many are better than too few.
 */
export async function listQuietMembers(
  shopId: number,
  since: number,
  after: string,
  limit: number,
): Promise<{ members: string[]; next: string | null }> {
  const { rows } = await pool.query<{ id: string }>(
    `select m.id from members m join balances b on b.shop_id = $1 and b.member_id = m.id
      where m.shop_id = $1 and m.id > $3::bigint and m.erased_at is null and b.available > 0
        and coalesce(m.state::json -> 'recentEarnings' -> 0 ->> 'at', m.state::json -> 'recentEarnings' -> 0 ->> 1, '0')::numeric <= $2
      order by m.id limit $4`,
    [shopId, since, after, limit],
  )
  return {
    members: rows.map(({ id }) => toGid('Customer', id)),
    next: rows.length === limit ? rows.at(-1)!.id : null,
  }
}

/** What was queued of these members (gids), by member. */
export async function loadReminders(
  shopId: number,
  members: readonly string[],
  client: Queryable = pool,
): Promise<Map<string, QueuedReminder[]>> {
  const { rows } = await client.query<{ member_id: string; ends_at: Date; days: number; queued_at: Date }>(
    `select member_id, ends_at, days, queued_at from expiry_reminders
      where shop_id = $1 and member_id = any($2::bigint[])`,
    [shopId, numbers(members.map((member) => numberOfGid(member, 'Customer')))],
  )
  const queued = rows.map((row) => ({
    member: toGid('Customer', row.member_id),
    endsAt: row.ends_at.getTime(),
    days: row.days,
    queuedAt: row.queued_at.getTime(),
  }))
  return Map.groupBy(queued, ({ member }) => member)
}

/** A member's reminder to be noted. */
export type NewReminder = { member: string; endsAt: number; days: number }

/** Notes reminders and returns those that nobody had noted before: only these may be sent. */
export async function saveReminders<Given extends NewReminder>(
  shopId: number,
  reminders: readonly Given[],
  at: number,
  client: Queryable,
): Promise<Given[]> {
  if (reminders.length === 0) return []
  const { rows } = await client.query<{ member_id: string; ends_at: Date; days: number }>(
    `insert into expiry_reminders (shop_id, member_id, ends_at, days, queued_at)
     select $1, member_id, ends_at, days, $2
       from unnest($3::bigint[], $4::timestamptz[], $5::int[]) as g (member_id, ends_at, days)
     on conflict do nothing returning member_id, ends_at, days`,
    [
      shopId,
      new Date(at),
      numbers(reminders.map(({ member }) => numberOfGid(member, 'Customer'))),
      instants(reminders.map(({ endsAt }) => endsAt)),
      integers(reminders.map(({ days }) => days)),
    ],
  )
  const written = new Set(rows.map((row) => nameOf(toGid('Customer', row.member_id), row.ends_at.getTime(), row.days)))
  return reminders.filter(({ member, endsAt, days }) => written.has(nameOf(member, endsAt, days)))
}

/** How many reminders were queued since the instant. */
export async function countReminders(shopId: number, since: number): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    'select count(*) as count from expiry_reminders where shop_id = $1 and queued_at >= $2',
    [shopId, new Date(since)],
  )
  return Number(rows[0]!.count)
}

/** Hands reminders of a customer who was merged away (numbers of gids) on to the member they are now. */
export async function moveReminders(shopId: number, from: string, to: string, client: Queryable): Promise<void> {
  await client.query(
    `with gone as (delete from expiry_reminders where shop_id = $1 and member_id = $2 returning ends_at, days, queued_at)
     insert into expiry_reminders (shop_id, member_id, ends_at, days, queued_at)
     select $1, $3::bigint, ends_at, days, queued_at from gone on conflict do nothing`,
    [shopId, from, to],
  )
}

/** Forgets reminders of ends before the instant; all of the shop's where none is given. */
export async function forgetReminders(shopId: number, client: Queryable = pool, before?: number): Promise<void> {
  await client.query('delete from expiry_reminders where shop_id = $1 and ($2::timestamptz is null or ends_at < $2)', [
    shopId,
    before === undefined ? null : new Date(before),
  ])
}

const nameOf = (member: string, endsAt: number, days: number) => `${member}@${endsAt}:${days}`

/**
 * What the admin's first page says: what happened since the shop's midnight, and whether everything that should run does.
 * Reads only.
 */
import { pool } from '#app/db/client.server.ts'

/** What happened in a stretch of time. Points are whole. */
export type Happenings = {
  pointsEarned: number
  pointsSpent: number
  pointsTakenBack: number
  membersJoined: number
  /** Orders placed in that time that count: paid, not cancelled, not fully refunded, no tests. */
  orders: number
}

/** What happened at the shop in [`from`, `until`), epoch milliseconds. Spent means taken out of a balance for a reward. */
export async function findHappenings(shopId: number, from: number, until: number): Promise<Happenings> {
  const { rows } = await pool.query<Record<keyof Happenings, string>>(
    `select
       moved.earned as "pointsEarned", moved.spent as "pointsSpent", moved.taken_back as "pointsTakenBack",
       (select count(*) from members where shop_id = $1 and joined_at >= $2 and joined_at < $3) as "membersJoined",
       (select count(*) from orders where shop_id = $1 and placed_at >= $2 and placed_at < $3 and counts) as "orders"
     from (
       select
         coalesce(sum(amount) filter (where from_account = 'shop.issued'), 0) as earned,
         coalesce(sum(amount) filter (where from_account = 'available' and to_account = 'reserved'), 0) as spent,
         coalesce(sum(amount) filter (where to_account = 'shop.taken_back'), 0) as taken_back
       from ledger_transfers
       where shop_id = $1 and event_at >= $2 and event_at < $3
     ) moved`,
    [shopId, new Date(from), new Date(until)],
  )
  const row = rows[0]!
  return {
    pointsEarned: Number(row.pointsEarned),
    pointsSpent: Number(row.pointsSpent),
    pointsTakenBack: Number(row.pointsTakenBack),
    membersJoined: Number(row.membersJoined),
    orders: Number(row.orders),
  }
}

/** How the shop stands: members, and points that members hold. */
export type Standing = { members: number; pointsOutstanding: number }

/** Members known (erased ones left out) and all points they hold: available, pending and reserved. */
export async function findStanding(shopId: number): Promise<Standing> {
  const { rows } = await pool.query<{ members: string; outstanding: string }>(
    `select
       (select count(*) from members where shop_id = $1 and erased_at is null) as members,
       (select coalesce(sum(available + pending + reserved), 0) from balances where shop_id = $1) as outstanding`,
    [shopId],
  )
  return { members: Number(rows[0]!.members), pointsOutstanding: Number(rows[0]!.outstanding) }
}

/** Whether messages come in and are worked on. Instants are epoch milliseconds, null where it never happened. */
export type Connection = {
  lastMessageAt: number | null
  /** Messages stored and not worked on yet, and since when the oldest of them waits. */
  waiting: number
  waitingSince: number | null
  setAside: number
  /** Effects (cards, codes) that still have to reach Shopify, and those that were given up on. */
  effectsWaiting: number
  effectsSetAside: number
  lastReconciledAt: number | null
  /** Seconds since a worker last did its rounds; null when none ever did. In machine time, which moving the clock leaves alone. */
  workerSilentSeconds: number | null
}

/** How the shop and the app hear each other: the last webhook, what waits, what was set aside, the last reconciliation. */
export async function findConnection(shopId: number): Promise<Connection> {
  const [messages, effects, reconciled, silent] = await Promise.all([
    pool.query<{ last: Date | null; waiting: string; since: Date | null; set_aside: string }>(
      `select
         (select received_at from messages where shop_id = $1 and source = 'webhook' order by id desc limit 1) as last,
         count(*) filter (where state = 'waiting') as waiting,
         min(received_at) filter (where state = 'waiting') as since,
         count(*) filter (where state = 'set-aside') as set_aside
       from inbox where shop_id = $1`,
      [shopId],
    ),
    pool.query<{ waiting: string; set_aside: string }>(
      // Two looks, because each has an index of its own.
      `select (select count(*) from outbox where shop_id = $1 and state = 'waiting') as waiting,
              (select count(*) from outbox where shop_id = $1 and state = 'set-aside') as set_aside`,
      [shopId],
    ),
    pool.query<{ at: Date | null }>(
      `select max(finished_at) as at from readings where shop_id = $1 and kind = 'reconcile' and state = 'done'`,
      [shopId],
    ),
    workerSilence(),
  ])
  const message = messages.rows[0]!
  return {
    lastMessageAt: message.last?.getTime() ?? null,
    waiting: Number(message.waiting),
    waitingSince: message.since?.getTime() ?? null,
    setAside: Number(message.set_aside),
    effectsWaiting: Number(effects.rows[0]!.waiting),
    effectsSetAside: Number(effects.rows[0]!.set_aside),
    lastReconciledAt: reconciled.rows[0]!.at?.getTime() ?? null,
    workerSilentSeconds: silent,
  }
}

/** graphile-worker notes each time it runs something of the timetable; the newest such note is the sign of life. */
async function workerSilence(): Promise<number | null> {
  const { rows: known } = await pool.query<{ table: string | null }>(
    `select to_regclass('graphile_worker._private_known_crontabs')::text as "table"`,
  )
  if (!known[0]?.table) return null
  const { rows } = await pool.query<{ seconds: number | null }>(
    `select extract(epoch from clock_timestamp() - max(greatest(last_execution, known_since)))::float8 as seconds
     from graphile_worker._private_known_crontabs`,
  )
  return rows[0]?.seconds ?? null
}

/**
 * What the admin's first page says: what happened since the shop's midnight, and whether everything that should run does.
 * Reads only.
 */
import { pool } from '#app/db/client.server.ts'
import { startOfDayNumber } from '#app/db/periods.server.ts'
import { readFlows, type DayFlow } from '#app/db/points-flows.server.ts'
import type { Asked } from '#app/db/retention.server.ts'
import { dayNumberAt } from '#app/loyalty/time.ts'

/** What happened on a day. Points are whole. */
export type Happenings = {
  pointsEarned: number
  /** Taken out of a balance for a reward. */
  pointsSpent: number
  pointsTakenBack: number
  membersJoined: number
  /** Orders placed that day that count: paid, not cancelled, not fully refunded, no tests. */
  orders: number
}

/** What has happened at the shop so far on the day of `asOf`. */
export async function findHappeningsToday(asked: Asked): Promise<Happenings> {
  const { shopId, asOf, timeZone } = asked
  const today = dayNumberAt(asOf, timeZone)
  const [flows, { rows }] = await Promise.all([
    readFlows(asked, today),
    pool.query<{ joined: string; orders: string }>(
      `select (select count(*) from members where shop_id = $1 and joined_at >= $2 and joined_at <= $3) as joined,
              (select count(*) from orders where shop_id = $1 and placed_at >= $2 and placed_at <= $3 and counts) as orders`,
      [shopId, new Date(startOfDayNumber(today, timeZone)), new Date(asOf)],
    ),
  ])
  const sum = (counts: (flow: DayFlow) => boolean) =>
    flows.filter((flow) => flow.day === today && counts(flow)).reduce((points, flow) => points + flow.points, 0)
  return {
    pointsEarned: sum(({ from }) => from === 'shop.issued'),
    pointsSpent: sum(({ from, to }) => from === 'available' && to === 'reserved'),
    pointsTakenBack: sum(({ to }) => to === 'shop.taken_back'),
    membersJoined: Number(rows[0]!.joined),
    orders: Number(rows[0]!.orders),
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

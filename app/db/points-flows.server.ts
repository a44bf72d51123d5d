// What moved between the ledger's accounts, summed up: the liability page and the admin's first page ask for it by day, and the ledger is
// never scanned for it. Each posting notes its own sums by quarter of an hour (db/ledger.server.ts), in the statement that writes its
// transfers; once a day these are folded into sums by day of the shop.
import { inTransaction, pool } from '#app/db/client.server.ts'
import { quarterOf } from '#app/db/ledger.server.ts'
import { startOfDayNumber } from '#app/db/periods.server.ts'
import type { Asked } from '#app/db/retention.server.ts'
import { dayNumberAt } from '#app/loyalty/time.ts'
import type { PointsFlow } from '#app/retention/liability.ts'

/** A sum of points that moved between two accounts on a day of the shop: days since 1 January 1970 on its calendar. */
export type DayFlow = PointsFlow & { day: number }

/** Clocks differ from UTC by whole quarters of an hour, so a quarter lies in one day, whatever the zone. */
const QUARTER_MS = 900_000

type FlowRow = { from_account: string; to_account: string; points: string }

/** What moved between accounts on each day, from the day `since` on where one is given. A day and two accounts may come more than once. */
export async function readFlows({ shopId, timeZone }: Asked, since: number | null = null): Promise<DayFlow[]> {
  const sinceAt = since === null ? null : startOfDayNumber(since, timeZone)
  // One statement, so that nothing is seen both folded and not. Days of another zone tell nothing: until they are folded anew, the ledger does.
  const { rows } = await pool.query<FlowRow & ({ day: number; quarter: null } | { day: null; quarter: number })>(
    `with elsewhere as (select 1 from points_flow_states where shop_id = $1 and timezone <> $2)
     select day, null as quarter, from_account, to_account, points from points_flows
      where shop_id = $1 and ($3::int is null or day >= $3) and not exists (select 1 from elsewhere)
     union all
     select null, quarter, from_account, to_account, sum(points) from points_flow_deltas
      where shop_id = $1 and ($4::int is null or quarter >= $4) and not exists (select 1 from elsewhere)
      group by quarter, from_account, to_account
     union all
     select null, ${quarterOf('event_at')} as quarter, from_account, to_account, sum(amount) from ledger_transfers
      where shop_id = $1 and ($5::timestamptz is null or event_at >= $5) and exists (select 1 from elsewhere)
      group by quarter, from_account, to_account`,
    [
      shopId,
      timeZone,
      since,
      sinceAt === null ? null : Math.floor(sinceAt / QUARTER_MS),
      sinceAt === null ? null : new Date(sinceAt),
    ],
  )
  return rows.map(({ day, quarter, ...row }) => ({ ...toFlow(row), day: day ?? dayOf(quarter, timeZone) }))
}

/** Folds what postings have noted since the last time into the sums by day. Called now and then; whether and when changes no number. */
export async function foldPointsFlows(shopId: number, timeZone: string): Promise<void> {
  await inTransaction(async (client) => {
    await client.query(
      `insert into points_flow_states (shop_id, timezone) values ($1, $2) on conflict (shop_id) do nothing`,
      [shopId, timeZone],
    )
    const { rows: states } = await client.query<{ timezone: string }>(
      'select timezone from points_flow_states where shop_id = $1 for update',
      [shopId],
    )
    const moved = states[0]!.timezone !== timeZone
    if (moved) {
      await client.query('delete from points_flows where shop_id = $1', [shopId])
      await client.query('update points_flow_states set timezone = $2 where shop_id = $1', [shopId, timeZone])
    }
    // One statement: what is taken away is what those transfers noted that it sees, and no other.
    const { rows } = await client.query<FlowRow & { quarter: number }>(
      `with gone as (delete from points_flow_deltas where shop_id = $1 returning quarter, from_account, to_account, points)
       ${
         moved
           ? `select ${quarterOf('event_at')} as quarter, from_account, to_account, sum(amount) as points from ledger_transfers where shop_id = $1`
           : 'select quarter, from_account, to_account, sum(points) as points from gone'
       } group by quarter, from_account, to_account`,
      [shopId],
    )
    await client.query(
      `insert into points_flows as f (shop_id, day, from_account, to_account, points)
       select $1, day, from_account, to_account, sum(points)
         from unnest($2::int[], $3::text[], $4::text[], $5::bigint[]) as g (day, from_account, to_account, points)
        group by day, from_account, to_account
       on conflict (shop_id, day, from_account, to_account) do update set points = f.points + excluded.points`,
      [
        shopId,
        rows.map(({ quarter }) => dayOf(quarter, timeZone)),
        rows.map((row) => row.from_account),
        rows.map((row) => row.to_account),
        rows.map((row) => row.points),
      ],
    )
  })
}

const dayOf = (quarter: number, timeZone: string): number => dayNumberAt(quarter * QUARTER_MS, timeZone)

function toFlow({ from_account: from, to_account: to, points }: FlowRow): PointsFlow {
  return { from, to, points: Number(points) }
}

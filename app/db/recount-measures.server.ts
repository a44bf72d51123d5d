// Counts a shop's measures anew from all its orders: after a change of its zone or of the way of counting, and to check what is kept.
import type { PoolClient, QueryArrayConfig } from 'pg'
import { inMilliseconds, readNumbers } from '#app/db/arrays.ts'
import { inTransaction, pool, type Queryable } from '#app/db/client.server.ts'
import { replaceLimits, replaceStandings } from '#app/db/customer-standings.server.ts'
import { readCounters, replaceCounters } from '#app/db/measure-counters.server.ts'
import {
  ACTIVITY_DAYS,
  readCycleDays,
  toSettings,
  type CountingSettings,
  type SettingsRow,
} from '#app/db/measures.server.ts'
import type { OwnLimits } from '#app/retention/lifecycle.ts'
import type { OrderLog } from '#app/retention/order-log.ts'
import {
  changeCounters,
  listCounters,
  nameCounter,
  RETIRED_KINDS,
  type CountedOrder,
  type Counters,
  type Standing,
} from '#app/retention/rollups.ts'

/** All orders of a shop that count, as the measures read them: the ids are the numbers inside the customers' gids. */
export async function loadOrderLog(shopId: number): Promise<OrderLog> {
  const ids: string[] = []
  const starts = [0]
  const at: number[] = []
  const amountMinor: number[] = []
  await inTransaction((client) =>
    eachCustomer(shopId, client, (member, orders) => {
      ids.push(member)
      for (const order of orders) {
        at.push(order.at)
        amountMinor.push(order.amountMinor)
      }
      starts.push(at.length)
    }),
  )
  const log = { at: Float64Array.from(at), amountMinor: Float64Array.from(amountMinor) }
  return { ids, starts: Uint32Array.from(starts), ...log }
}

/** Recounts everything in the caller's transaction and puts it in the place of what was kept. Orders wait until it is done. */
export async function rebuildMeasures(shopId: number, at: number, client: PoolClient): Promise<void> {
  await client.query(
    `insert into measure_states (shop_id, timezone, activity_days, counted_at)
     select id, timezone, $2, $3 from shops where id = $1
     on conflict (shop_id) do update set timezone = excluded.timezone, activity_days = excluded.activity_days,
                                         counted_at = excluded.counted_at`,
    [shopId, ACTIVITY_DAYS, new Date(at)],
  )
  const settings = await requireSettings(shopId, client)
  const counters: Counters = new Map()
  const own = new Map<string, OwnLimits>()
  const standings = new Map<string, Standing>()
  const withCycles = settings.cycles !== null
  const take = (member: string, orders: CountedOrder[]) => {
    const standing = changeCounters(counters, { standing: null, skipped: 0, before: [], after: orders }, settings)!
    standings.set(member, standing)
    if (standing.limits) own.set(member, standing.limits)
  }
  await eachCustomer(shopId, client, take, { withCycles })
  await client.query('delete from measure_deltas where shop_id = $1', [shopId])
  await replaceCounters(shopId, counters, client)
  await replaceStandings(shopId, standings, client)
  if (withCycles) await replaceLimits(shopId, own, client)
}
async function requireSettings(shopId: number, client: Queryable): Promise<CountingSettings> {
  const { rows } = await client.query<SettingsRow>(
    'select timezone, activity_days, cycles from measure_states where shop_id = $1',
    [shopId],
  )
  return toSettings(rows[0]!)
}
/** True where the shop's zone, or the way of counting, is no longer the one that its counters were counted in. */
export async function needsRebuild(shopId: number, client: Queryable = pool): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from shops s join measure_states m on m.shop_id = s.id
      where s.id = $1 and (m.timezone <> s.timezone or exists (
              select 1 from measure_counters c where c.shop_id = $1 and c.kind = any($2::smallint[])))`,
    [shopId, RETIRED_KINDS],
  )
  return rows.length > 0
}

/** One counter or standing that is not what the orders say: "orders:672:0", or "customer 42". */
export type MeasureDifference = { what: string; kept: string; counted: string }

/**
 * Recomputes every counter and standing of a shop from its orders and lists what differs from what is kept; empty when all
 * is right. Reads in a transaction of its own, so that both are of one moment.
 */
export async function findMeasureDifferences(shopId: number): Promise<MeasureDifference[]> {
  return inTransaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    return compareMeasures(shopId, client)
  })
}

async function compareMeasures(shopId: number, client: Queryable): Promise<MeasureDifference[]> {
  const { rows: states } = await client.query<SettingsRow>(
    'select timezone, activity_days, cycles from measure_states where shop_id = $1',
    [shopId],
  )
  const settings = states[0] ? toSettings(states[0]) : { timeZone: 'UTC', activityDays: ACTIVITY_DAYS, cycles: null }
  const counted: Counters = new Map()
  const standings = new Map<string, string>()
  const take = (member: string, orders: CountedOrder[]) => {
    const standing = changeCounters(counted, { standing: null, skipped: 0, before: [], after: orders }, settings)!
    standings.set(member, describeStanding(standing))
  }
  await eachCustomer(shopId, client, take, { withCycles: true })
  const differences: MeasureDifference[] = []
  const compare = (what: string, kept: string | undefined, wanted: string | undefined) => {
    if (kept !== wanted) differences.push({ what, kept: kept ?? 'nothing', counted: wanted ?? 'nothing' })
  }
  const wanted = new Map([...listCounters(counted)].map((row) => [nameCounter(row), String(row.value)]))
  for (const row of await readCounters(shopId, undefined, client)) {
    const name = nameCounter(row)
    compare(name, String(row.value), wanted.get(name))
    wanted.delete(name)
  }
  for (const [name, value] of wanted) compare(name, undefined, value)
  const { rows } = await client.query<{
    member_id: string
    orders: number
    revenue_minor: string
    first_at: Date
    last_at: Date
    passive_at: Date | null
    lost_at: Date | null
  }>(
    `select member_id, orders, revenue_minor, first_at, last_at, passive_at, lost_at from customer_standings where shop_id = $1`,
    [shopId],
  )
  for (const row of rows) {
    const kept = describeStanding({
      orders: row.orders,
      revenueMinor: Number(row.revenue_minor),
      firstAt: row.first_at.getTime(),
      lastAt: row.last_at.getTime(),
      limits: row.passive_at && { passiveFrom: row.passive_at.getTime(), lostFrom: row.lost_at!.getTime() },
    })
    compare(`customer ${row.member_id}`, kept, standings.get(row.member_id))
    standings.delete(row.member_id)
  }
  for (const [member, standing] of standings) compare(`customer ${member}`, undefined, standing)
  return differences
}

function describeStanding({ orders, revenueMinor, firstAt, lastAt, limits }: Standing): string {
  const iso = (at: number) => new Date(at).toISOString()
  const own = limits ? `, passive from ${iso(limits.passiveFrom)}, lost from ${iso(limits.lostFrom)}` : ''
  return `${orders} orders, ${revenueMinor} minor units, ${iso(firstAt)} to ${iso(lastAt)}${own}`
}
/** How many customers' orders are fetched at a time. */
const CUSTOMERS_PER_FETCH = 10_000

/**
 * Counts the shop's orders anew: after a change of its zone, or to check. Calls `take` with each customer and its orders
 * that count, in order of time.
 */
async function eachCustomer(
  shopId: number,
  client: Queryable,
  take: (member: string, orders: CountedOrder[]) => void,
  { withCycles = false }: { withCycles?: boolean } = {},
): Promise<void> {
  // The index has them in this order. A customer's orders come in two arrays: a row for each would take longer to carry than
  // all the counting.
  await client.query(
    `declare measured no scroll cursor for
     select member_id::text, array_agg(${inMilliseconds('placed_at')})::text, array_agg(goods_minor)::text
            ${withCycles ? ', array_agg(coalesce(cycle_days, -1))::text' : ''}
       from (select member_id, placed_at, goods_minor ${withCycles ? ', cycle_days' : ''} from orders
              where shop_id = ${Number(shopId)} and counts and member_id is not null order by member_id, placed_at) as o
      group by member_id`,
  )
  const fetch = () =>
    client.query<[string, string, string, string?]>({
      text: `fetch ${CUSTOMERS_PER_FETCH} from measured`,
      rowMode: 'array',
    } as QueryArrayConfig)
  // The next customers are on their way while these are counted.
  let coming = fetch()
  for (;;) {
    const { rows } = await coming
    if (rows.length === 0) break
    coming = fetch()
    // Whoever throws below is heard; what was coming is not waited for any more.
    coming.catch(() => undefined)
    for (const [member, ats, amounts, cycles] of rows) {
      const amountMinor = readNumbers(amounts)
      const days = cycles === undefined ? null : readCycleDays(cycles)
      take(
        member,
        readNumbers(ats).map((at, place) =>
          days === null
            ? { id: '', at, amountMinor: amountMinor[place]! }
            : { id: '', at, amountMinor: amountMinor[place]!, cycleDays: days(place) },
        ),
      )
    }
  }
  await client.query('close measured')
}

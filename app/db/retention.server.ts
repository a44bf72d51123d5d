// What the retention pages read: counters for the numbers, and for each number the customers behind it.
import { pool } from '#app/db/client.server.ts'
import { ACTIVITY_DAYS, readCounters } from '#app/db/measures.server.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { DAY_MS, addMonths, dayNumberAt, fromDayNumber, startOfDate, startOfMonth } from '#app/loyalty/time.ts'
import { startOfMonthNumber } from '#app/retention/calendar.ts'
import type { Cohort } from '#app/retention/cohorts.ts'
import { toRate } from '#app/retention/exact.ts'
import { FUNNEL_STEPS, type FunnelRow, type FunnelStep } from '#app/retention/funnel.ts'
import type { IntervalDays } from '#app/retention/intervals.ts'
import { lifecycleLimits, type LifecycleStage } from '#app/retention/lifecycle.ts'
import type { Breakpoints, RfmGroup } from '#app/retention/rfm.ts'
import { FEWEST_RFM_CUSTOMERS, groupOf, RFM_GROUPS } from '#app/retention/rfm.ts'
import {
  LAST_ORDINAL,
  readBreakpoints,
  readCohorts,
  readCustomers,
  readIntervals,
  readMonths,
  type CounterRow,
  type MonthMeasures,
} from '#app/retention/rollups.ts'
import type { CustomerBehind, CustomerGroup, MonthGroup } from '#app/retention/segments.ts'

/** The shop and the instant that a page is about; the zone is the one that its measures are counted in. */
export type Asked = { shopId: number; asOf: number; timeZone: string }

/** Names the shop's measures by the zone that they are counted in; the shop's own before its first order. */
export async function askMeasures(shop: { id: number; timezone: string }, asOf: number): Promise<Asked> {
  const { rows } = await pool.query<{ timezone: string }>('select timezone from measure_states where shop_id = $1', [
    shop.id,
  ])
  return { shopId: shop.id, asOf, timeZone: rows[0]?.timezone ?? shop.timezone }
}

/** What the retention overview shows: months and the customers behind them. */
export type Overview = {
  months: MonthMeasures[]
  customers: number
  repeatCustomers: number
  lifecycle: Record<LifecycleStage, number>
}

/** The numbers of the first page, from some hundreds of counters whatever the number of orders. */
export async function readOverview(asked: Asked): Promise<Overview> {
  const kinds = ['orders', 'revenue', 'buyers', 'cohortBuyers', 'active', 'lapsed', 'frequency', 'lastDay'] as const
  const rows = await readCounters(asked.shopId, kinds, pool, { sizesOnly: true })
  const limits = lifecycleLimits(asked.asOf, asked.timeZone)
  const windowMs = ACTIVITY_DAYS * DAY_MS
  const monthAt = startOfMonth(asked.asOf, asked.timeZone)
  const count = await lastOrderCounter(asked, rows, [
    limits.passiveAt + 1,
    limits.lostAt + 1,
    asked.asOf - windowMs,
    monthAt - windowMs,
    asked.asOf,
  ])
  const settings = { timeZone: asked.timeZone, activityDays: ACTIVITY_DAYS }
  return {
    months: readMonths(rows, asked.asOf, settings, count),
    ...readCustomers(rows),
    // Exactly 12 months ago is passive already: instants are whole milliseconds.
    lifecycle: {
      active: count(limits.passiveAt + 1, Infinity),
      passive: count(limits.lostAt + 1, limits.passiveAt + 1),
      lost: count(-Infinity, limits.lostAt + 1),
    },
  }
}

/**
 * Counts customers by the instant of their last order between any two of `edges` (or without end): whole days from the counters,
 * and within the days that an edge cuts from the customers themselves.
 */
async function lastOrderCounter({ shopId, timeZone }: Asked, rows: readonly CounterRow[], edges: readonly number[]) {
  const days = rows.filter((row) => row.kind === 'lastDay').map(({ x, value }) => ({ day: x, value }))
  const before = new Map<number, number>()
  const { rows: counted } = await pool.query<{ place: string; customers: string }>({
    name: 'retention-last-in-day',
    text: `select g.place, count(s.member_id) as customers
             from unnest($2::timestamptz[], $3::timestamptz[]) with ordinality as g (day_at, edge_at, place)
             left join customer_standings s on s.shop_id = $1 and s.last_at >= g.day_at and s.last_at < g.edge_at
            group by g.place`,
    values: [
      shopId,
      edges.map((edge) => new Date(startOfDate(fromDayNumber(dayNumberAt(edge, timeZone)), timeZone))),
      edges.map((edge) => new Date(edge)),
    ],
  })
  for (const { place, customers } of counted) {
    const edge = edges[Number(place) - 1]!
    const day = dayNumberAt(edge, timeZone)
    const whole = days.reduce((sum, row) => (row.day < day ? sum + row.value : sum), 0)
    before.set(edge, whole + Number(customers))
  }
  const all = days.reduce((sum, row) => sum + row.value, 0)
  const below = (at: number): number => {
    if (at === Infinity) return all
    if (at === -Infinity) return 0
    const known = before.get(at)
    if (known === undefined) throw new Error(`nobody asked for ${at}`)
    return known
  }
  return (from: number, until: number): number => below(until) - below(from)
}

/** Cohorts up to the month of T. */
export async function readCohortTable({ shopId, asOf, timeZone }: Asked): Promise<Cohort[]> {
  const rows = await readCounters(shopId, ['cohortBuyers', 'cohortRevenue'])
  return readCohorts(rows, asOf, { timeZone, activityDays: ACTIVITY_DAYS })
}

/** Times between orders, in days. */
export type Intervals = {
  all: IntervalDays
  /** From the first order to the second, the second to the third, … */
  byOrdinal: IntervalDays[]
  /** Intervals by whole weeks, up to a year and beyond (52 and more together). */
  weeks: number[]
}

/** The times between orders of the whole shop, read from the counters. */
export async function readIntervalTable({ shopId }: Asked): Promise<Intervals> {
  const rows = await readCounters(shopId, ['interval', 'intervalAfter', 'intervalSum'])
  const weeks = new Array<number>(53).fill(0)
  for (const { kind, x, value } of rows) {
    if (kind === 'interval') weeks[Math.min(52, Math.floor(x / (24 * 7)))]! += value
  }
  return {
    all: readIntervals(rows),
    byOrdinal: Array.from({ length: LAST_ORDINAL }, (_, place) => readIntervals(rows, place + 1)),
    weeks,
  }
}

/** A cell of the RFM grid: how many customers, and what they have spent. */
export type RfmCell = { R: number; FM: number; group: RfmGroup; customers: number; revenueMinor: number }

/** The grid's cells that have customers; null under five customers. */
export async function readRfmGrid(asked: Asked): Promise<RfmCell[] | null> {
  const scores = await scoreSql(asked)
  if (!scores) return null
  const { rows } = await pool.query<{ r: number; fm: number; customers: string; revenue: string }>(
    `select r, fm, count(*) as customers, sum(revenue_minor) as revenue
       from (select ${scores.R} as r, ${scores.FM} as fm, revenue_minor from customer_standings s where s.shop_id = $1) as scored
      group by r, fm order by r, fm`,
    [asked.shopId],
  )
  return rows.map((row) => ({
    R: row.r,
    FM: row.fm,
    group: groupOfCell(row.r, row.fm),
    customers: Number(row.customers),
    revenueMinor: Number(row.revenue),
  }))
}

/** The group of a cell: F and M that average to FM. */
function groupOfCell(R: number, FM: number): RfmGroup {
  return groupOf({ R, F: FM, M: FM })
}

/** SQL for the scores of a customer standing `s`, by the shop's breakpoints as they are now. */
async function scoreSql({ shopId, timeZone }: Asked): Promise<{ R: string; FM: string } | null> {
  const rows = await readCounters(shopId, ['lastDay', 'frequency', 'money'])
  const { customers } = readCustomers(rows)
  if (customers < FEWEST_RFM_CUSTOMERS) return null
  const points = (kind: 'lastDay' | 'frequency' | 'money') => readBreakpoints(rows, kind)!
  const score = (above: readonly string[]) => `(1 + ${above.map((condition) => `(${condition})::int`).join(' + ')})`
  // A last day above a breakpoint is a last order from the start of the day after it on.
  const recency = score(
    points('lastDay').map((day) => {
      const nextDayAt = startOfDate(fromDayNumber(day + 1), timeZone)
      return `s.last_at >= '${new Date(nextDayAt).toISOString()}'::timestamptz`
    }),
  )
  const frequency = score(points('frequency').map((orders) => `s.orders > ${Number(orders)}`))
  const money = score(moneyAbove(points('money')).map((least) => `s.revenue_minor >= ${least}`))
  return { R: recency, FM: `((${frequency} + ${money} + 1) / 2)` }
}

/** The least revenue whose bucket is above each breakpoint's (rollups.ts bucketMoney). */
function moneyAbove(breakpoints: Breakpoints): number[] {
  return breakpoints.map((bucket) => {
    if (bucket < 0) throw new Error('revenue of orders that count is never below 0')
    return bucket + 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, bucket))) - 8)
  })
}

/** The share of revenue of the best customers, in steps of 5 % of them, and what the best fifth has. */
export async function readPareto({ shopId }: Asked) {
  const { rows } = await pool.query<{ step: number; customers: string; revenue: string }>(
    `select step, count(*) as customers, sum(revenue_minor) as revenue
       from (select revenue_minor,
                    ceil(20.0 * row_number() over (order by revenue_minor desc, member_id) / count(*) over ())::int as step
               from customer_standings where shop_id = $1) as ranked
      group by step order by step`,
    [shopId],
  )
  const total = rows.reduce((sum, row) => sum + Number(row.revenue), 0)
  let soFar = 0
  const curve = rows.map((row) => {
    soFar += Number(row.revenue)
    return { percent: row.step * 5, share: total > 0 ? soFar / total : 0 }
  })
  const { rows: best } = await pool.query<{ customers: string; revenue: string | null }>(
    `select count(*) as customers, sum(revenue_minor) as revenue
       from (select revenue_minor from customer_standings where shop_id = $1 order by revenue_minor desc, member_id
              limit (select ceil(count(*) / 5.0)::bigint from customer_standings where shop_id = $1)) as best`,
    [shopId],
  )
  return {
    curve,
    totalMinor: total,
    topFifth: { customers: Number(best[0]!.customers), revenueMinor: Number(best[0]!.revenue ?? 0) },
  }
}

/** Orders in which customers can be listed. */
export const CUSTOMER_SORTS = ['revenue', 'last', 'expected'] as const
/** One of {@link CUSTOMER_SORTS}. */
export type CustomerSort = (typeof CUSTOMER_SORTS)[number]

const ORDER_BY: Record<CustomerSort, string> = {
  revenue: 's.revenue_minor desc, s.member_id',
  last: 's.last_at, s.member_id',
  expected: 'coalesce(p.value_minor, 0) desc, s.revenue_minor desc, s.member_id',
}

/** How many customers are in a group: the length of the list that {@link listCustomersBehind} gives in pages. */
export async function countCustomersBehind(asked: Asked, group: CustomerGroup): Promise<number> {
  const { condition, values } = await groupSql(asked, group)
  const { rows } = await pool.query<{ customers: string }>(
    `select count(*) as customers from customer_standings s where s.shop_id = $1 and ${condition}`,
    [asked.shopId, ...values],
  )
  return Number(rows[0]!.customers)
}

/** A page of the customers of a group. */
export async function listCustomersBehind(
  asked: Asked,
  group: CustomerGroup,
  { limit, offset = 0, sort = 'revenue' }: { limit: number; offset?: number; sort?: CustomerSort },
): Promise<CustomerBehind[]> {
  const { condition, values } = await groupSql(asked, group)
  const { rows } = await pool.query<{
    member_id: string
    orders: number
    revenue_minor: string
    first_at: Date
    last_at: Date
    active: number | null
    expected_orders: number | null
    expected_minor: string | null
  }>(
    `select s.member_id, s.orders, s.revenue_minor, s.first_at, s.last_at,
            p.active, p.orders as expected_orders, p.value_minor as expected_minor
       from customer_standings s
       left join customer_predictions p on p.shop_id = s.shop_id and p.member_id = s.member_id
      where s.shop_id = $1 and ${condition}
      order by ${ORDER_BY[sort]} limit ${Number(limit)} offset ${Number(offset)}`,
    [asked.shopId, ...values],
  )
  return rows.map((row) => ({
    customer: toGid('Customer', row.member_id),
    orders: row.orders,
    revenueMinor: Number(row.revenue_minor),
    firstAt: row.first_at.getTime(),
    lastAt: row.last_at.getTime(),
    active: row.active,
    expectedOrders: row.expected_orders,
    expectedMinor: row.expected_minor === null ? null : Number(row.expected_minor),
  }))
}

/** SQL that selects the `member_id` of everybody in a group, with its values from $1 on: for what is done with all of them at once. */
export async function selectGroup(asked: Asked, group: CustomerGroup): Promise<{ text: string; values: unknown[] }> {
  const { from = 'customer_standings', condition, values } = await groupSql(asked, group)
  return {
    text: `select s.member_id from ${from} s where s.shop_id = $1 and ${condition}`,
    values: [asked.shopId, ...values],
  }
}

/** A condition on `s`: a customer standing, or a row of `from` that looks like one. Its values begin at $2. */
type Condition = { from?: string; condition: string; values: unknown[] }

/** All members as customer standings, those without orders too. */
const MEMBERS = `(
  select m.shop_id, m.id as member_id, m.erased_at, coalesce(c.orders, 0) as orders, coalesce(c.revenue_minor, 0) as revenue_minor,
         c.first_at, c.last_at
    from members m left join customer_standings c on c.shop_id = m.shop_id and c.member_id = m.id
   where m.shop_id = $1)`

/** The group as a condition. */
async function groupSql(asked: Asked, group: CustomerGroup): Promise<Condition> {
  const { asOf, timeZone } = asked
  switch (group.kind) {
    case 'all':
      return { condition: 'true', values: [] }
    case 'repeat':
      return { condition: 's.orders >= 2', values: [] }
    case 'stage': {
      const { passiveAt, lostAt } = lifecycleLimits(asOf, timeZone)
      const values = [new Date(passiveAt), new Date(lostAt)]
      if (group.stage === 'active') return { condition: 's.last_at > $2', values: values.slice(0, 1) }
      if (group.stage === 'lost') return { condition: 's.last_at <= $2', values: values.slice(1) }
      return { condition: 's.last_at <= $2 and s.last_at > $3', values }
    }
    case 'slipping':
      return slippingSql(asked)
    case 'top-fifth':
      return {
        condition: `s.member_id in (
          select member_id from customer_standings where shop_id = $1 order by revenue_minor desc, member_id
           limit (select ceil(count(*) / 5.0)::bigint from customer_standings where shop_id = $1))`,
        values: [],
      }
    case 'month':
      return monthSql(asked, group.group, group.month)
    case 'cohort': {
      const [from, until] = monthBounds(asked, group.cohort)
      const [inFrom, inUntil] = monthBounds(asked, group.month)
      return {
        condition: `s.first_at >= $2 and s.first_at < $3 and ${ORDERED('$4', '$5')}`,
        values: [from, until, inFrom, inUntil],
      }
    }
    case 'rfm':
    case 'rfm-cell': {
      const scores = await scoreSql(asked)
      if (!scores) return { condition: 'false', values: [] }
      if (group.kind === 'rfm-cell') {
        return { condition: `${scores.R} = $2 and ${scores.FM} = $3`, values: [group.R, group.FM] }
      }
      const cells = [1, 2, 3, 4, 5].flatMap((R) =>
        [1, 2, 3, 4, 5].filter((FM) => groupOfCell(R, FM) === group.group).map((FM) => `(${R}, ${FM})`),
      )
      if (cells.length === 0) return { condition: 'false', values: [] }
      return { condition: `(${scores.R}, ${scores.FM}) in (${cells.join(', ')})`, values: [] }
    }
  }
}

const ORDERED = (from: string, until: string) =>
  `exists (select 1 from orders o where o.shop_id = $1 and o.member_id = s.member_id and o.counts
            and o.placed_at >= ${from} and o.placed_at < ${until})`

/** The month's first instant and its end, T where it cuts the month short. */
function monthBounds({ asOf, timeZone }: Asked, month: number): [Date, Date] {
  const until = Math.min(startOfMonthNumber(month + 1, timeZone), asOf)
  return [new Date(startOfMonthNumber(month, timeZone)), new Date(until)]
}

function monthSql(asked: Asked, group: MonthGroup, month: number): Condition {
  const [from, until] = monthBounds(asked, month)
  const windowMs = ACTIVITY_DAYS * DAY_MS
  const bought = { condition: ORDERED('$2', '$3'), values: [from, until] }
  const isNew = { condition: 's.first_at >= $2 and s.first_at < $3', values: [from, until] }
  const ago = (at: Date) => new Date(at.getTime() - windowMs)
  const both = [ago(from), from, ago(until), until]
  switch (group) {
    case 'buyers':
      return bought
    case 'new':
      return isNew
    case 'returning':
      return { condition: `${bought.condition} and s.first_at < $2`, values: bought.values }
    case 'S':
      return { condition: ORDERED('$2', '$3'), values: [ago(from), from] }
    case 'E':
      return { condition: ORDERED('$2', '$3'), values: [ago(until), until] }
    case 'N':
      return isNew
    case 'R':
      return { condition: `${ORDERED('$2', '$3')} and ${ORDERED('$4', '$5')}`, values: both }
    case 'B':
      return { condition: `not ${ORDERED('$2', '$3')} and ${ORDERED('$4', '$5')} and s.first_at < $3`, values: both }
  }
}

/** Silence past which a repeat customer counts as slipping away where there is no prediction, in months. */
const SILENT_MONTHS = 6
/** A chance of still being a customer below this is slipping away. */
export const SLIPPING_BELOW = 0.5

/** Repeat customers who are active by the calendar, and less likely than not to come back; without a prediction, long silent. */
async function slippingSql({ shopId, asOf, timeZone }: Asked): Promise<Condition> {
  const { passiveAt } = lifecycleLimits(asOf, timeZone)
  const { rows } = await pool.query('select 1 from customer_predictions where shop_id = $1 limit 1', [shopId])
  const active = 's.orders >= 2 and s.last_at > $2'
  if (rows.length > 0) {
    return {
      condition: `${active} and exists (select 1 from customer_predictions c where c.shop_id = $1 and c.member_id = s.member_id
                                          and c.active < ${SLIPPING_BELOW})
                and s.last_at < (select fitted_at from predictions f where f.shop_id = $1)`,
      values: [new Date(passiveAt)],
    }
  }
  const silentAt = addMonths(asOf, -SILENT_MONTHS, timeZone)
  return { condition: `${active} and s.last_at <= $3`, values: [new Date(passiveAt), new Date(silentAt)] }
}

/** How many customers each RFM group has, all groups; null under five customers. */
export function countGroups(grid: readonly RfmCell[]): { group: RfmGroup; customers: number; revenueMinor: number }[] {
  return RFM_GROUPS.filter((group) => group !== 'PROSPECTS').map((group) => {
    const cells = grid.filter((cell) => cell.group === group)
    return {
      group,
      customers: cells.reduce((sum, cell) => sum + cell.customers, 0),
      revenueMinor: cells.reduce((sum, cell) => sum + cell.revenueMinor, 0),
    }
  })
}

/**
 * Conversion of members (A4): of those who could take a step, how many did. Signed up; earned points; spent some on a reward; ordered
 * twice or more. Each step counts those who took all before it. Erased members are left out.
 */
export async function readFunnel({ shopId }: Asked): Promise<FunnelRow[]> {
  const { rows } = await pool.query<Record<FunnelStep, string>>(
    `select count(*) as signup, count(*) filter (where earned) as earn, count(*) filter (where earned and redeemed) as redeem,
            count(*) filter (where earned and redeemed and repeated) as repeat
       from (select b.lifetime_earned > 0 as earned, coalesce(s.orders, 0) >= 2 as repeated,
                    exists (select 1 from redemptions r where r.shop_id = $1 and r.member_id = m.id
                              and r.state in ('issued', 'ending', 'used')) as redeemed
               from members m
               join balances b on b.shop_id = m.shop_id and b.member_id = m.id
               left join customer_standings s on s.shop_id = m.shop_id and s.member_id = m.id
              where m.shop_id = $1 and m.erased_at is null) as steps`,
    [shopId],
  )
  const did = rows[0]!
  return FUNNEL_STEPS.map((step, place) => {
    const could = Number(did[FUNNEL_STEPS[Math.max(0, place - 1)]!])
    return { step, could, did: Number(did[step]), rate: toRate(Number(did[step]), could) }
  })
}

/** Which of these segments each of these customers (gids) is in now; customers in none are left out. */
export async function findSegmentsOf(
  asked: Asked,
  segments: readonly { name: string; group: CustomerGroup }[],
  customers: readonly string[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  const numbers = customers.map((customer) => customer.slice(customer.lastIndexOf('/') + 1))
  for (const { name, group } of segments) {
    const { condition, values } = await groupSql(asked, group)
    const { rows } = await pool.query<{ member_id: string }>(
      `select s.member_id from customer_standings s
        where s.shop_id = $1 and ${condition} and s.member_id = any($${values.length + 2}::bigint[])`,
      [asked.shopId, ...values, numbers],
    )
    for (const { member_id } of rows) {
      const customer = toGid('Customer', member_id)
      found.set(customer, [...(found.get(customer) ?? []), name])
    }
  }
  return found
}

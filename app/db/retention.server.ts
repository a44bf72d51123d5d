// What the retention pages read: counters for the numbers, and for each number the customers behind it.
import { selectCampaignGroup } from '#app/db/campaign-figures.server.ts'
import { pool } from '#app/db/client.server.ts'
import { selectPointsGroup } from '#app/db/liability.server.ts'
import { readCounters } from '#app/db/measure-counters.server.ts'
import { ACTIVITY_DAYS } from '#app/db/measures.server.ts'
import { boundsOf, edgesOf, measurePeriod } from '#app/db/periods.server.ts'
import { chanceSql } from '#app/db/predictions.server.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import { DAY_MS, addMonths, dayNumberAt, fromDayNumber, startOfDate, startOfMonth } from '#app/loyalty/time.ts'
import type { Cohort } from '#app/retention/cohorts.ts'
import { toFunnel, type FunnelRow, type FunnelStep } from '#app/retention/funnel.ts'
import type { IntervalDays } from '#app/retention/intervals.ts'
import { lifecycleLimits, type LifecycleStage } from '#app/retention/lifecycle.ts'
import { BAND_SCORES } from '#app/retention/nps.ts'
import { firstDayOf, type Period } from '#app/retention/periods.ts'
import type { Breakpoints, RfmGroup } from '#app/retention/rfm.ts'
import { FEWEST_RFM_CUSTOMERS, groupOf, RFM_GROUPS } from '#app/retention/rfm.ts'
import {
  LAST_ORDINAL,
  layOutCounters,
  readBreakpoints,
  readCohorts,
  readCustomers,
  readIntervals,
  readMonths,
  type CounterRow,
  type MonthMeasures,
  type PeriodMeasures,
} from '#app/retention/rollups.ts'
import {
  LAST_WEEK,
  type CustomerBehind,
  type CustomerGroup,
  type NpsGroup,
  type PeriodGroup,
} from '#app/retention/segments.ts'

/** The shop and the instant that a page is about; the zone is the one that its measures are counted in. */
export type Asked = { shopId: number; asOf: number; timeZone: string }

/** Names the shop's measures by the zone that they are counted in; the shop's own before its first order. */
export async function askMeasures(shop: { id: number; timezone: string }, asOf: number): Promise<Asked> {
  const { rows } = await pool.query<{ timezone: string }>('select timezone from measure_states where shop_id = $1', [
    shop.id,
  ])
  return { shopId: shop.id, asOf, timeZone: rows[0]?.timezone ?? shop.timezone }
}

/** What the retention overview shows: months, the periods asked for, and the customers behind them. */
export type Overview = {
  months: MonthMeasures[]
  periods: PeriodMeasures[]
  customers: number
  repeatCustomers: number
  lifecycle: Record<LifecycleStage, number>
}

/**
 * The numbers of the first page, from some thousands of counters whatever the number of orders. `choose` says which periods to measure,
 * once the shop's first month with an order is known (null: there is none).
 */
export async function readOverview(
  asked: Asked,
  choose: (firstMonth: number | null) => readonly Period[] = () => [],
): Promise<Overview> {
  const kinds = [
    ...(['orders', 'revenue', 'buyers', 'active', 'lapsed', 'frequency', 'lastDay'] as const),
    ...OWN_KINDS,
  ]
  const rows = await readCounters(asked.shopId, kinds)
  const counters = layOutCounters(rows)
  const periods = choose(counters.firstMonth)
  const limits = lifecycleLimits(asked.asOf, asked.timeZone)
  const windowMs = ACTIVITY_DAYS * DAY_MS
  const monthAt = startOfMonth(asked.asOf, asked.timeZone)
  const count = await lastOrderCounter(asked, rows, [
    limits.passiveAt + 1,
    limits.lostAt + 1,
    asked.asOf - windowMs,
    monthAt - windowMs,
    asked.asOf,
    ...periods.flatMap((period) => edgesOf(period, asked)),
  ])
  const settings = { timeZone: asked.timeZone, activityDays: ACTIVITY_DAYS }
  return {
    months: readMonths(counters, asked.asOf, settings, count),
    periods: await Promise.all(periods.map((period) => measurePeriod(asked, counters, period, count))),
    ...readCustomers(rows),
    // Exactly 12 months ago is passive already: instants are whole milliseconds.
    lifecycle: await correctLifecycle(asked, rows, {
      active: count(limits.passiveAt + 1, Infinity),
      passive: count(limits.lostAt + 1, limits.passiveAt + 1),
      lost: count(-Infinity, limits.lostAt + 1),
    }),
  }
}

const OWN_KINDS = ['ownLastDay', 'ownPassiveDay', 'ownLostDay'] as const

/**
 * Puts customers with limits of their own (retention/lifecycle.ts) where those say, and not where the 12 and 24 months do: whole days
 * from the counters, and the days that an instant cuts from the customers. Shops without replacement cycles have none.
 */
async function correctLifecycle(
  { shopId, asOf, timeZone }: Asked,
  rows: readonly CounterRow[],
  stages: Record<LifecycleStage, number>,
): Promise<Record<LifecycleStage, number>> {
  if (!rows.some(({ kind }) => kind === 'ownLastDay')) return stages
  const { passiveAt, lostAt } = lifecycleLimits(asOf, timeZone)
  const edges = [
    { kind: 'ownLastDay', column: 'last_at', at: passiveAt },
    { kind: 'ownLastDay', column: 'last_at', at: lostAt },
    { kind: 'ownPassiveDay', column: 'passive_at', at: asOf },
    { kind: 'ownLostDay', column: 'lost_at', at: asOf },
  ] as const
  const counts = edges.map(
    ({ column }, place) =>
      `count(*) filter (where s.${column} >= $${2 * place + 2} and s.${column} <= $${2 * place + 3})::int as e${place}`,
  )
  const within = edges.map(
    ({ column }, place) => `(s.${column} >= $${2 * place + 2} and s.${column} <= $${2 * place + 3})`,
  )
  const { rows: cut } = await pool.query<Record<string, number>>(
    `select ${counts.join(', ')} from customer_standings s
      where s.shop_id = $1 and s.passive_at is not null and (${within.join(' or ')})`,
    [
      shopId,
      ...edges.flatMap(({ at }) => [
        new Date(startOfDate(fromDayNumber(dayNumberAt(at, timeZone)), timeZone)),
        new Date(at),
      ]),
    ],
  )
  // Customers whose instant of that kind is not after the edge.
  const [plainPassive, plainLost, passive, lost] = edges.map(({ kind, at }, place) => {
    const day = dayNumberAt(at, timeZone)
    const whole = rows.reduce((sum, row) => (row.kind === kind && row.x < day ? sum + row.value : sum), 0)
    return whole + cut[0]![`e${place}`]!
  }) as [number, number, number, number]
  return {
    active: stages.active + plainPassive - passive,
    passive: stages.passive - (plainPassive - plainLost) + (passive - lost),
    lost: stages.lost - plainLost + lost,
  }
}

/**
 * Counts customers by the instant of their last order between any two of `edges` (or without end): whole days from the counters,
 * and within the days that an edge cuts from the orders of that day: those that are the last of their customer.
 */
async function lastOrderCounter({ shopId, timeZone }: Asked, rows: readonly CounterRow[], edges: readonly number[]) {
  const days = rows.filter((row) => row.kind === 'lastDay').map(({ x, value }) => ({ day: x, value }))
  const before = new Map<number, number>()
  const { rows: counted } = await pool.query<{ place: string; customers: string }>({
    name: 'retention-last-in-day',
    // A look into the index for each order, said so: PostgreSQL expects more orders than a day has, and would read all customers.
    text: `select g.place,
                  (select count(distinct s.member_id)
                     from orders o
                    cross join lateral (
                      select member_id from customer_standings
                       where shop_id = $1 and member_id = o.member_id and last_at = o.placed_at limit 1) as s
                    where o.shop_id = $1 and o.counts and o.placed_at >= g.day_at and o.placed_at < g.edge_at) as customers
             from unnest($2::timestamptz[], $3::timestamptz[]) with ordinality as g (day_at, edge_at, place)`,
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
  /** Of each ordinal, the intervals by whole weeks, up to a year and beyond (LAST_WEEK and more together). */
  weeks: number[][]
}

/** The times between orders of the whole shop, read from the counters. */
export async function readIntervalTable({ shopId }: Asked): Promise<Intervals> {
  const rows = await readCounters(shopId, ['interval', 'intervalAfter', 'intervalSum'])
  const weeks = Array.from({ length: LAST_ORDINAL }, () => new Array<number>(LAST_WEEK + 1).fill(0))
  for (const { kind, x, y, value } of rows) {
    if (kind === 'intervalAfter') weeks[y - 1]![Math.min(LAST_WEEK, Math.floor(x / (24 * 7)))]! += value
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

/** The best `percent` of the customers: how many they are, rounded up, and what they have spent. */
export type ParetoStep = { percent: number; customers: number; revenueMinor: number }

const PARETO_STEPS = 20

/** What the best customers have spent, in steps of 5 % of them up to all; no steps without customers. */
export async function readPareto({ shopId }: Asked): Promise<ParetoStep[]> {
  const { rows } = await pool.query<{ step: number; customers: string; revenue: string }>(
    `select ((so_far - 1) * ${PARETO_STEPS} / customers + 1)::int as step, max(customers) as customers,
            sum(revenue_minor) as revenue
       from (select revenue_minor, row_number() over (order by revenue_minor desc, member_id) as so_far,
                    count(*) over () as customers
               from customer_standings where shop_id = $1) as ranked
      group by step`,
    [shopId],
  )
  if (rows.length === 0) return []
  const customers = Number(rows[0]!.customers)
  let revenueMinor = 0
  return Array.from({ length: PARETO_STEPS }, (_, place) => {
    revenueMinor += Number(rows.find(({ step }) => step === place + 1)?.revenue ?? 0)
    const percent = ((place + 1) * 100) / PARETO_STEPS
    return { percent, customers: Math.ceil((customers * percent) / 100), revenueMinor }
  })
}

/** Orders in which customers can be listed. */
export const CUSTOMER_SORTS = ['revenue', 'last', 'expected', 'points'] as const
/** One of {@link CUSTOMER_SORTS}. */
export type CustomerSort = (typeof CUSTOMER_SORTS)[number]

/** SQL; `points` is what a list that is about points has of them, and null in others. */
const ORDER_BY: Record<CustomerSort, (points: string) => string> = {
  revenue: () => 's.revenue_minor desc, s.member_id',
  last: () => 's.last_at, s.member_id',
  expected: () => 'coalesce(p.value_minor, 0) desc, s.revenue_minor desc, s.member_id',
  points: (points) => `abs(${points}) desc, s.member_id`,
}

/** How many customers are in a group: the length of the list that {@link listCustomersBehind} gives in pages. */
export async function countCustomersBehind(asked: Asked, group: CustomerGroup): Promise<number> {
  return (await sumCustomersBehind(asked, group)).customers
}

/** How many customers are in a group, and all their points where it is about points (null: it is not). */
export async function sumCustomersBehind(
  asked: Asked,
  group: CustomerGroup,
): Promise<{ customers: number; points: number | null }> {
  const { from = 'customer_standings', condition, values, points } = await groupSql(asked, group)
  const { rows } = await pool.query<{ customers: string; points: string | null }>(
    `select count(*) as customers, ${points ? `coalesce(sum(${points}), 0)` : 'null'} as points
       from ${from} s where s.shop_id = $1 and ${condition}`,
    [asked.shopId, ...values],
  )
  const row = rows[0]!
  return { customers: Number(row.customers), points: row.points === null ? null : Number(row.points) }
}

/** A page of the customers of a group. */
export async function listCustomersBehind(
  asked: Asked,
  group: CustomerGroup,
  { limit, offset = 0, sort = 'revenue' }: { limit: number; offset?: number; sort?: CustomerSort },
): Promise<CustomerBehind[]> {
  const { from = 'customer_standings', condition, values, points = 'null::bigint' } = await groupSql(asked, group)
  const { rows } = await pool.query<{
    member_id: string
    points: string | null
    orders: number
    revenue_minor: string
    first_at: Date | null
    last_at: Date | null
    active: number | null
    expected_orders: number | null
    expected_minor: string | null
  }>(
    `select s.member_id, s.orders, s.revenue_minor, s.first_at, s.last_at, ${points} as points,
            ${chanceSql('p')} as active, p.orders as expected_orders, p.value_minor as expected_minor
       from ${from} s
       left join customer_predictions p on p.shop_id = s.shop_id and p.member_id = s.member_id
      where s.shop_id = $1 and ${condition}
      order by ${ORDER_BY[sort](points)} limit ${Number(limit)} offset ${Number(offset)}`,
    [asked.shopId, ...values],
  )
  return rows.map((row) => ({
    customer: toGid('Customer', row.member_id),
    orders: row.orders,
    revenueMinor: Number(row.revenue_minor),
    firstAt: row.first_at?.getTime() ?? null,
    lastAt: row.last_at?.getTime() ?? null,
    active: row.active,
    expectedOrders: row.expected_orders,
    expectedMinor: row.expected_minor === null ? null : Number(row.expected_minor),
    points: row.points === null ? null : Number(row.points),
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

/**
 * A condition on `s`: a customer standing, or a row of `from` that looks like one. Its values begin at $2. `points` is what a row of
 * `from` has of the points that the group is about.
 */
export type Condition = { from?: string; condition: string; values: unknown[]; points?: string }

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
      const [active, lost] = [notBy('passive', '$2', '$3'), notBy('lost', '$2', '$3')]
      const passiveValues = [new Date(passiveAt), new Date(asOf)]
      if (group.stage === 'active') return { condition: active, values: passiveValues }
      if (group.stage === 'lost') return { condition: `not ${lost}`, values: [new Date(lostAt), new Date(asOf)] }
      return {
        condition: `not ${active} and ${notBy('lost', '$4', '$3')}`,
        values: [...passiveValues, new Date(lostAt)],
      }
    }
    case 'slipping':
      return slippingSql(asked)
    case 'orders':
      return { condition: 's.orders >= $2', values: [group.least] }
    case 'interval':
      return intervalSql(group.ordinal, group.week, group.week)
    case 'interval-within':
      return intervalSql(group.ordinal, 0, group.week)
    case 'top-fifth':
      return bestSql(20)
    case 'best':
      return bestSql(group.percent)
    case 'predicted':
      return { condition: predictedSql('true'), values: [] }
    case 'tenth':
      return { condition: predictedSql('c.tenth = $2'), values: [group.tenth] }
    case 'nps':
      return answeredSql(asked, group.group, group.month)
    case 'month':
      return periodSql(group.group, monthBounds(asked, group.month))
    case 'period':
      return periodSql(group.group, toDates(boundsOf(group, asked)))
    case 'campaign':
      return campaignSql(asked, group)
    case 'funnel':
      return funnelSql(group.step)
    case 'points':
    case 'points-age':
    case 'points-then':
    case 'moved':
      return selectPointsGroup(asked, group)
    case 'cohort': {
      const [from, until] = monthBounds(asked, group.cohort)
      const [inFrom, inUntil] = monthBounds(asked, group.month)
      return {
        condition: `s.first_at >= $2 and s.first_at < $3 and ${orderedSql('$4', '$5')}`,
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

/** SQL: the customer has an order in [from, until). Most are known by their first and last orders, without a look at the others. */
function orderedSql(from: string, until: string): string {
  return `(s.last_at >= ${from} and s.first_at < ${until} and (s.last_at < ${until} or s.first_at >= ${from} or exists (
            select 1 from orders o where o.shop_id = $1 and o.member_id = s.member_id and o.counts
               and o.placed_at >= ${from} and o.placed_at < ${until})))`
}

/** The month's first instant and its end, T where it cuts the month short. */
function monthBounds(asked: Asked, month: number): [Date, Date] {
  return toDates(boundsOf({ from: firstDayOf(month), until: firstDayOf(month + 1) }, asked))
}

function toDates([from, until]: [number, number]): [Date, Date] {
  return [new Date(from), new Date(until)]
}

function periodSql(group: PeriodGroup, [from, until]: [Date, Date]): Condition {
  const ago = (at: Date) => new Date(at.getTime() - ACTIVITY_DAYS * DAY_MS)
  const ends = [ago(from), from, ago(until), until]
  const atStart = { condition: orderedSql('$2', '$3'), values: ends.slice(0, 2) }
  const atEnd = orderedSql('$4', '$5')
  switch (group) {
    case 'buyers':
      return { condition: orderedSql('$2', '$3'), values: [from, until] }
    case 'new':
      return { condition: 's.first_at >= $2 and s.first_at < $3', values: [from, until] }
    case 'returning':
      return { condition: `${orderedSql('$2', '$3')} and s.first_at < $2`, values: [from, until] }
    case 'known':
      return { condition: 's.first_at < $2', values: [until] }
    case 'S':
      return atStart
    case 'E':
      return { condition: orderedSql('$2', '$3'), values: ends.slice(2) }
    case 'N':
      return { condition: `${orderedSql('$2', '$3')} and s.first_at >= $4`, values: [...ends.slice(2), from] }
    case 'kept':
      return { condition: `${orderedSql('$2', '$3')} and s.first_at < $4`, values: [...ends.slice(2), from] }
    case 'R':
      return { condition: `${atStart.condition} and ${atEnd}`, values: ends }
    case 'B':
      return { condition: `not ${atStart.condition} and ${atEnd} and s.first_at < $3`, values: ends }
  }
}

function intervalSql(ordinal: number, firstWeek: number, lastWeek: number): Condition {
  return {
    // Of each customer one look into the index, and not one for each side of the comparison (offset 0 keeps the two apart).
    from: `(
      select c.*, (select max(placed_at) - min(placed_at) from (
                select placed_at from orders o where o.shop_id = $1 and o.member_id = c.member_id and o.counts
                 order by placed_at limit 2 offset $2::int - 1) as pair) as gap
        from customer_standings c where c.shop_id = $1 and c.orders > $2::int offset 0)`,
    condition: `s.gap >= $3::int * interval '168 hours'
                and ($4::int = ${LAST_WEEK} or s.gap < ($4::int + 1) * interval '168 hours')`,
    values: [ordinal, firstWeek, lastWeek],
  }
}

function predictedSql(condition: string): string {
  return `exists (select 1 from customer_predictions c where c.shop_id = $1 and c.member_id = s.member_id and ${condition})`
}

function bestSql(percent: number): Condition {
  return {
    condition: `s.member_id in (
      select member_id from customer_standings where shop_id = $1 order by revenue_minor desc, member_id
       limit (select (count(*) * $2::int + 99) / 100 from customer_standings where shop_id = $1))`,
    values: [percent],
  }
}

/** Customers of a campaign's results; members without orders may have been offered it too. */
async function campaignSql(
  { shopId, asOf }: Asked,
  { id, group }: Extract<CustomerGroup, { kind: 'campaign' }>,
): Promise<Condition> {
  const found = await selectCampaignGroup(shopId, id, group, asOf)
  if (!found) return { condition: 'false', values: [] }
  return group === 'offered' || group === 'heldOut' ? { ...found, from: MEMBERS } : found
}

/** Silence past which a repeat customer counts as slipping away where the prediction cannot tell, in months. */
export const SILENT_MONTHS = 6
/** A chance of still being a customer below this is slipping away. */
const SLIPPING_BELOW = 0.5

/** Whether who is slipping away goes by the `prediction`, or by `silence`: there is none, or it saw nobody leave for good. */
export async function findSlippingRule(shopId: number): Promise<'prediction' | 'silence'> {
  const { rows } = await pool.query(
    `select 1 from predictions where shop_id = $1 and (document->>'ok')::bool and not (document->'bgNbd'->>'atEdge')::bool`,
    [shopId],
  )
  return rows.length > 0 ? 'prediction' : 'silence'
}

/** Repeat customers who are active by the calendar, and less likely than not to come back; without a prediction, long silent. */
async function slippingSql({ shopId, asOf, timeZone }: Asked): Promise<Condition> {
  const { passiveAt } = lifecycleLimits(asOf, timeZone)
  const active = `s.orders >= 2 and ${notBy('passive', '$2', '$3')}`
  if ((await findSlippingRule(shopId)) === 'prediction') {
    return {
      condition: `${active} and ${predictedSql(`c.active < ${SLIPPING_BELOW}`)}
                and s.last_at < (select fitted_at from predictions f where f.shop_id = $1)`,
      values: [new Date(passiveAt), new Date(asOf)],
    }
  }
  const silentAt = addMonths(asOf, -SILENT_MONTHS, timeZone)
  return {
    condition: `${active} and s.last_at <= $4`,
    values: [new Date(passiveAt), new Date(asOf), new Date(silentAt)],
  }
}

/** Not passive (or lost) by T: by the last order where the definition's months apply, by the limits of their own for others. */
function notBy(stage: 'passive' | 'lost', limit: string, asOf: string): string {
  return `coalesce(s.${stage}_at > ${asOf}, s.last_at > ${limit})`
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

const EARNED =
  'exists (select 1 from balances b where b.shop_id = $1 and b.member_id = s.member_id and b.lifetime_earned > 0)'
const REDEEMED = `exists (select 1 from redemptions r where r.shop_id = $1 and r.member_id = s.member_id
                             and r.state in ('issued', 'ending', 'used'))`

const FUNNEL_SQL: Record<FunnelStep, string> = {
  signup: 's.erased_at is null',
  earn: `s.erased_at is null and ${EARNED}`,
  redeem: `s.erased_at is null and ${EARNED} and ${REDEEMED}`,
  repeat: `s.erased_at is null and ${EARNED} and ${REDEEMED} and s.orders >= 2`,
}

/** Members who took a step and all before it. */
function funnelSql(step: FunnelStep): Condition {
  return { from: MEMBERS, condition: FUNNEL_SQL[step], values: [] }
}

/**
 * Conversion of members: of those who could take a step, how many did. Signed up; earned points; spent some on a reward; ordered
 * twice or more. Each step counts those who took all before it. Erased members are left out.
 */
export async function readFunnel({ shopId }: Asked): Promise<FunnelRow[]> {
  const counts = Object.entries(FUNNEL_SQL).map(([step, took]) => `count(*) filter (where ${took}) as ${step}`)
  const { rows } = await pool.query<Record<FunnelStep, string>>(`select ${counts.join(', ')} from ${MEMBERS} s`, [
    shopId,
  ])
  const { signup, earn, redeem, repeat } = rows[0]!
  return toFunnel({ signup: Number(signup), earn: Number(earn), redeem: Number(redeem), repeat: Number(repeat) })
}

/** Months that an answer to "would you recommend us?" counts for, unless one month is looked at. */
export const NPS_MONTHS = 12

/** Whoever answered in that time, by the last answer, as customer standings: those without orders too. */
function answeredSql(asked: Asked, group: NpsGroup, month: number | null): Condition {
  const from = addMonths(asked.asOf, -NPS_MONTHS, asked.timeZone)
  const bounds = month === null ? [new Date(from), new Date(asked.asOf)] : monthBounds(asked, month)
  const [lowest, highest] = group === 'answered' ? [0, 10] : BAND_SCORES[group]
  return {
    from: `(
      select f.shop_id, f.member_id, f.score, coalesce(c.orders, 0) as orders, coalesce(c.revenue_minor, 0) as revenue_minor,
             c.first_at, c.last_at
        from (select distinct on (member_id) shop_id, member_id, score from feedback_answers
               where shop_id = $1 and answered_at >= $2 and answered_at < $3
               order by member_id, answered_at desc, round desc) f
        left join customer_standings c on c.shop_id = f.shop_id and c.member_id = f.member_id)`,
    condition: 's.score between $4 and $5',
    values: [...bounds, lowest, highest],
  }
}

/** Which of these segments each of these customers (gids) is in now; customers in none are left out. */
export async function findSegmentsOf(
  asked: Asked,
  segments: readonly { name: string; group: CustomerGroup }[],
  customers: readonly string[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  const numbers = customers.map((customer) => numberOfGid(customer, 'Customer'))
  for (const { name, group } of segments) {
    const { from = 'customer_standings', condition, values } = await groupSql(asked, group)
    const { rows } = await pool.query<{ member_id: string }>(
      `select s.member_id from ${from} s
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

// The measures of a period. Whole months come from the counters, whatever the number of orders; other days, which are few
// (retention/periods.ts), from the orders of these days, found by an index.
import { pool } from '#app/db/client.server.ts'
import { ACTIVITY_DAYS } from '#app/db/measures.server.ts'
import type { Asked } from '#app/db/retention.server.ts'
import { DAY_MS, fromDayNumber, startOfDate } from '#app/loyalty/time.ts'
import { monthOfDay } from '#app/retention/calendar.ts'
import { toCrr } from '#app/retention/crr.ts'
import { asMonths, firstDayOf, type Period } from '#app/retention/periods.ts'
import {
  NO_MONTH,
  readPeriod,
  type CountLastOrders,
  type LapsedInside,
  type PeriodCounters,
  type PeriodMeasures,
} from '#app/retention/rollups.ts'

const WINDOW_MS = ACTIVITY_DAYS * DAY_MS
/** A leap year is this much longer than the activity window; a period that is longer still has no CRR. */
const LONGEST_BEYOND_MS = 2 * DAY_MS

/** The first instant of a day that is counted from 1 January 1970. */
export function startOfDayNumber(day: number, timeZone: string): number {
  return startOfDate(fromDayNumber(day), timeZone)
}

/** The period's first instant and its end, T where T cuts it short. */
export function boundsOf(period: Period, { asOf, timeZone }: Asked): [number, number] {
  const [from, until] = [startOfDayNumber(period.from, timeZone), startOfDayNumber(period.until, timeZone)]
  return [Math.min(from, asOf), Math.min(until, asOf)]
}

/** The instants between which a period's measures ask for customers by their last order. */
export function edgesOf(period: Period, asked: Asked): number[] {
  const [fromAt, untilAt] = boundsOf(period, asked)
  return untilAt < asked.asOf ? [] : [fromAt - WINDOW_MS, asked.asOf - WINDOW_MS, asked.asOf]
}

/** The measures of a period, from counters of the kinds orders, revenue, buyers, active and lapsed. */
export async function measurePeriod(
  asked: Asked,
  counters: PeriodCounters,
  period: Period,
  lastIn: CountLastOrders,
): Promise<PeriodMeasures> {
  const months = asMonths(period)
  if (!months) return measureDays(asked, counters, period, lastIn)
  const settings = { timeZone: asked.timeZone, activityDays: ACTIVITY_DAYS }
  const [fromAt, untilAt] = boundsOf(period, asked)
  const beyondMs = untilAt - fromAt - WINDOW_MS
  const inside = beyondMs > 0 && beyondMs <= LONGEST_BEYOND_MS ? await findLapsedInside(asked, fromAt, untilAt) : null
  return readPeriod(counters, months, asked.asOf, settings, lastIn, inside)
}

/** Customers whose last order before the end is in the first hours of a period that is that much longer than the activity window. */
async function findLapsedInside({ shopId }: Asked, fromAt: number, untilAt: number): Promise<LapsedInside> {
  const { rows } = await pool.query<{ inactive: string; new: string }>({
    name: 'period-lapsed-inside',
    text: `select count(*) filter (where not exists (
                    select 1 from orders b where b.shop_id = $1 and b.member_id = o.member_id and b.counts
                       and b.placed_at >= $4 and b.placed_at < $2)) as inactive,
                  count(*) filter (where s.first_at >= $2) as new
             from (select distinct member_id from orders
                    where shop_id = $1 and counts and member_id is not null and placed_at >= $2 and placed_at < $5) o
             join customer_standings s on s.shop_id = $1 and s.member_id = o.member_id
            where not exists (select 1 from orders l where l.shop_id = $1 and l.member_id = o.member_id and l.counts
                                 and l.placed_at >= $5 and l.placed_at < $3)`,
    values: [shopId, ...[fromAt, untilAt, fromAt - WINDOW_MS, untilAt - WINDOW_MS].map((at) => new Date(at))],
  })
  return { inactive: Number(rows[0]!.inactive), new: Number(rows[0]!.new) }
}

async function measureDays(
  asked: Asked,
  counters: PeriodCounters,
  period: Period,
  lastIn: CountLastOrders,
): Promise<PeriodMeasures> {
  const { asOf, timeZone } = asked
  const [fromAt, untilAt] = boundsOf(period, asked)
  const partial = startOfDayNumber(period.until, timeZone) > asOf
  const [counts, lapsed] = await Promise.all([
    countDays(asked, counters, period),
    countLapsed(asked, fromAt - WINDOW_MS, untilAt - WINDOW_MS, untilAt),
  ])
  const S = counters.activeAt(period.from)
  const E = partial ? lastIn(asOf - WINDOW_MS, asOf) : counters.activeAt(period.until)
  const [R, N] = [S - lapsed, counts.newBuyers]
  return { ...counts, crr: toCrr({ S, E, N, R, B: E - R - N }), partial }
}

async function countDays(asked: Asked, counters: PeriodCounters, period: Period) {
  const [fromAt, untilAt] = boundsOf(period, asked)
  const month = monthOfDay(period.from)
  const monthAt = startOfDayNumber(firstDayOf(month), asked.timeZone)
  const { rows } = await pool.query<Record<'orders' | 'revenue' | 'buyers' | 'fresh' | 'since', string | null>>({
    name: 'period-days',
    text: `select sum(b.orders) as orders, sum(b.revenue) as revenue, count(*) as buyers,
                  (select count(*) from customer_standings where shop_id = $1 and first_at >= $2 and first_at < $3) as fresh,
                  (select count(*) from customer_standings where shop_id = $1 and first_at >= $4 and first_at < $3) as since
             from (select member_id, count(*) as orders, sum(goods_minor) as revenue from orders
                    where shop_id = $1 and counts and member_id is not null and placed_at >= $2 and placed_at < $3
                    group by member_id) as b`,
    values: [asked.shopId, new Date(fromAt), new Date(untilAt), new Date(monthAt)],
  })
  const row = rows[0]!
  let before = 0
  for (const [known, buyers] of counters.buyers) if (known < month) before += buyers.get(NO_MONTH) ?? 0
  return {
    orders: Number(row.orders ?? 0),
    revenueMinor: Number(row.revenue ?? 0),
    buyers: Number(row.buyers),
    newBuyers: Number(row.fresh),
    customersByEnd: before + Number(row.since),
  }
}

/** Customers whose last order before `untilAt` lies in [fromAt, toAt). */
async function countLapsed({ shopId }: Asked, fromAt: number, toAt: number, untilAt: number): Promise<number> {
  const { rows } = await pool.query<{ customers: string }>({
    name: 'period-lapsed',
    // Most are known by their very last order; only those who ordered after the period too have to be looked at.
    text: `select (select count(*) from customer_standings where shop_id = $1 and last_at >= $2 and last_at < $3)
                + (select count(*)
                     from (select distinct member_id from orders
                            where shop_id = $1 and counts and member_id is not null and placed_at >= $2 and placed_at < $3) o
                     join customer_standings s on s.shop_id = $1 and s.member_id = o.member_id and s.last_at >= $4
                    where not exists (select 1 from orders l where l.shop_id = $1 and l.member_id = o.member_id and l.counts
                                         and l.placed_at >= $3 and l.placed_at < $4)) as customers`,
    values: [shopId, new Date(fromAt), new Date(toAt), new Date(untilAt)],
  })
  return Number(rows[0]!.customers)
}

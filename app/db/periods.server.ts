// The measures of a period, from counters by month for whole months and by day for other days (retention/rollups.ts), whatever the
// number of orders.
import { pool } from '#app/db/client.server.ts'
import { readDaySums } from '#app/db/measure-counters.server.ts'
import { ACTIVITY_DAYS } from '#app/db/measures.server.ts'
import type { Asked } from '#app/db/retention.server.ts'
import { DAY_MS, fromDayNumber, startOfDate } from '#app/loyalty/time.ts'
import { asMonths, type Period } from '#app/retention/periods.ts'
import {
  readDays,
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
  const settings = { timeZone: asked.timeZone, activityDays: ACTIVITY_DAYS }
  if (!months) {
    const sums = await readDaySums(asked.shopId, period)
    return readDays(counters, period, sums, asked.asOf, settings, lastIn)
  }
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

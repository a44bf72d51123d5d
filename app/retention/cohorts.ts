/**
 * Months and cohorts. A *cohort* is the customers whose first orders fell in one month of the shop's calendar: a moment in
 * time, which never changes again, where a segment is a description that customers come under and leave.
 */
import type { Calendar } from './calendar.ts'
import type { OrderLog } from './order-log.ts'

/** One month's orders and buyers; `customersByEnd` is everyone who had ordered before the month's end. */
export type MonthCounts = {
  month: number
  orders: number
  revenueMinor: number
  buyers: number
  newBuyers: number
  customersByEnd: number
}

/** A cohort by months since its own: buyers and revenue in month 0, 1, 2, …; `month` counts from January 1970. */
export type Cohort = { month: number; size: number; active: number[]; revenueMinor: number[] }

/** Months without gaps, and cohorts without empty ones, up to T's month. */
export function countMonths(log: OrderLog, calendar: Calendar): { months: MonthCounts[]; cohorts: Cohort[] } {
  const { months, firstMonth } = calendar
  const orders = new Float64Array(months)
  const revenue = new Float64Array(months)
  const buyers = new Float64Array(months)
  const cohorts: (Cohort | undefined)[] = new Array(months)
  for (let customer = 0; customer < log.ids.length; customer++) {
    const from = log.starts[customer]!
    const to = log.starts[customer + 1]!
    const own = calendar.monthOf(log.at[from]!)
    const cohort = (cohorts[own] ??= emptyCohort(firstMonth + own, months - own))
    cohort.size++
    let before = -1
    for (let order = from; order < to; order++) {
      const month = calendar.monthOf(log.at[order]!)
      const amount = log.amountMinor[order]!
      orders[month]!++
      revenue[month]! += amount
      cohort.revenueMinor[month - own]! += amount
      if (month === before) continue
      buyers[month]!++
      cohort.active[month - own]!++
      before = month
    }
  }
  let customersByEnd = 0
  return {
    months: Array.from({ length: months }, (_, month) => {
      const newBuyers = cohorts[month]?.size ?? 0
      customersByEnd += newBuyers
      return {
        month: firstMonth + month,
        orders: orders[month]!,
        revenueMinor: revenue[month]!,
        buyers: buyers[month]!,
        newBuyers,
        customersByEnd,
      }
    }),
    cohorts: cohorts.filter((cohort) => cohort !== undefined),
  }
}

function emptyCohort(month: number, length: number): Cohort {
  return { month, size: 0, active: new Array<number>(length).fill(0), revenueMinor: new Array<number>(length).fill(0) }
}

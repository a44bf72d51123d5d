/** Every measure of an order log at once: the document that `npm run retention` prints. */
import { fitBgNbd } from './bg-nbd.ts'
import { layOutMonths, nameMonth } from './calendar.ts'
import { countMonths } from './cohorts.ts'
import type { Crr } from './crr.ts'
import { countCrr, returningCustomerRate } from './crr.ts'
import { toRate } from './exact.ts'
import type { IntervalDays } from './intervals.ts'
import { describeIntervals, listIntervals } from './intervals.ts'
import type { LifecycleStage } from './lifecycle.ts'
import { countLifecycle, lifecycleLimits } from './lifecycle.ts'
import type { OrderLog } from './order-log.ts'
import { topFifthShare } from './pareto.ts'
import { fitValue, groupHistories, readHistories } from './prediction.ts'
import type { RfmGroup } from './rfm.ts'
import { countRfm } from './rfm.ts'
import { arppu, arpu, repeatPurchaseRate } from './value.ts'
import { formatDecimal } from '../loyalty/money.ts'
import { dayNumberAt, formatInstant } from '../loyalty/time.ts'

/** The zone's calendar, T, the activity window of CRR in days of 24 hours, and the currency's decimals. */
export type MeasureSettings = { asOf: number; timeZone: string; activityDays: number; exponent: number }

/** One month of the measures; money is a decimal text. */
export type MonthRow = {
  month: string
  partial?: true
  orders: number
  revenue: string
  buyers: number
  newBuyers: number
  returningBuyers: number
  returningCustomerRate: number | null
  crr: Crr
  arpu: string | null
  arppu: string | null
}

/** Money is decimal text, rates and days are rounded to 6 places, instants are UTC; a value whose denominator is 0 is null. */
export type Measures = {
  asOf: string
  timezone: string
  orders: number
  customers: number
  revenue: string
  first: string | null
  last: string | null
  repeatPurchaseRate: number | null
  averageOrdersPerCustomer: number | null
  intervalDays: IntervalDays
  lifecycle: Record<LifecycleStage, number>
  months: MonthRow[]
  cohorts: { month: string; size: number; active: number[] }[]
  pareto: { top20Share: number | null }
  rfm: { groups: Record<RfmGroup, number> | null }
  clv: {
    bgNbd: { r: number; alpha: number; a: number; b: number; logLikelihood: number; unit: 'week' } | null
    gammaGamma: { p: number; q: number; gamma: number } | null
  }
}

/** Measures a log of orders before `asOf`. Sums of money must be safe integers: the reader of the log sees to it. */
export function measureOrders(log: OrderLog, settings: MeasureSettings): Measures {
  const { asOf, timeZone, exponent } = settings
  const perCustomer = sumCustomers(log, timeZone)
  const customers = log.ids.length
  return {
    asOf: formatInstant(asOf),
    timezone: timeZone,
    orders: log.at.length,
    customers,
    revenue: formatDecimal(perCustomer.revenueMinor, exponent),
    first: customers === 0 ? null : formatInstant(perCustomer.firstAt),
    last: customers === 0 ? null : formatInstant(perCustomer.lastAt),
    repeatPurchaseRate: repeatPurchaseRate(perCustomer.repeatCustomers, customers),
    averageOrdersPerCustomer: toRate(log.at.length, customers),
    intervalDays: describeIntervals(listIntervals(log)),
    lifecycle: countLifecycle(perCustomer.last, lifecycleLimits(asOf, timeZone)),
    ...measureMonths(log, perCustomer.firstAt, settings),
    pareto: { top20Share: topFifthShare(perCustomer.money) },
    rfm: { groups: countRfm(perCustomer) },
    clv: predict(log, settings),
  }
}

function sumCustomers(log: OrderLog, timeZone: string) {
  const size = log.ids.length
  const last = new Float64Array(size)
  const recency = new Float64Array(size)
  const frequency = new Float64Array(size)
  const money = new Float64Array(size)
  let [repeatCustomers, revenueMinor, firstAt, lastAt] = [0, 0, Infinity, -Infinity]
  for (let customer = 0; customer < size; customer++) {
    const from = log.starts[customer]!
    const to = log.starts[customer + 1]!
    for (let order = from; order < to; order++) money[customer]! += log.amountMinor[order]!
    last[customer] = log.at[to - 1]!
    recency[customer] = dayNumberAt(last[customer]!, timeZone)
    frequency[customer] = to - from
    if (to - from > 1) repeatCustomers++
    revenueMinor += money[customer]!
    firstAt = Math.min(firstAt, log.at[from]!)
    lastAt = Math.max(lastAt, last[customer]!)
  }
  return { last, recency, frequency, money, repeatCustomers, revenueMinor, firstAt, lastAt }
}

function measureMonths(
  log: OrderLog,
  firstAt: number,
  settings: MeasureSettings,
): Pick<Measures, 'months' | 'cohorts'> {
  if (log.ids.length === 0) return { months: [], cohorts: [] }
  const { exponent } = settings
  const calendar = layOutMonths(firstAt, settings.asOf, settings.timeZone)
  const { months, cohorts } = countMonths(log, calendar)
  const crr = countCrr(log, calendar, settings.activityDays)
  const money = (minor: number | null) => (minor === null ? null : formatDecimal(minor, exponent))
  return {
    months: months.map((row, place) => ({
      month: nameMonth(row.month),
      ...(calendar.partial && place === months.length - 1 ? { partial: true as const } : {}),
      orders: row.orders,
      revenue: formatDecimal(row.revenueMinor, exponent),
      buyers: row.buyers,
      newBuyers: row.newBuyers,
      returningBuyers: row.buyers - row.newBuyers,
      returningCustomerRate: returningCustomerRate(row.buyers, row.newBuyers),
      crr: crr[place]!,
      arpu: money(arpu(row.revenueMinor, row.customersByEnd)),
      arppu: money(arppu(row.revenueMinor, row.buyers)),
    })),
    cohorts: cohorts.map(({ month, size, active }) => ({ month: nameMonth(month), size, active })),
  }
}

function predict(log: OrderLog, { asOf, timeZone, exponent }: MeasureSettings): Measures['clv'] {
  const histories = readHistories(log, asOf, timeZone)
  const bgNbd = fitBgNbd(groupHistories(histories))
  const gammaGamma = fitValue(histories, exponent)
  const six = (value: number) => Math.round(value * 1e6) / 1e6
  return {
    bgNbd: bgNbd && {
      r: six(bgNbd.r),
      alpha: six(bgNbd.alpha),
      a: six(bgNbd.a),
      b: six(bgNbd.b),
      logLikelihood: six(bgNbd.logLikelihood),
      unit: bgNbd.unit,
    },
    gammaGamma: gammaGamma && { p: six(gammaGamma.p), q: six(gammaGamma.q), gamma: six(gammaGamma.gamma) },
  }
}

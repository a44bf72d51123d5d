/**
 * The measures of an order log in the slowest and most obvious way: every question asked of every order again, time by
 * Temporal, fractions by bigints. What the fast code is held against.
 */
import { Temporal } from 'temporal-polyfill'

export type Order = { customer: string; at: number; amountMinor: number }
type Settings = { asOf: number; timeZone: string; activityDays: number; exponent: number }

const DAY_MS = 86_400_000

export function bruteForceMeasures(all: Order[], settings: Settings) {
  const { asOf, timeZone, exponent } = settings
  const orders = all.filter((order) => order.at < asOf).sort((a, b) => a.at - b.at)
  const customers = [...new Set(orders.map((order) => order.customer))]
  const of = (customer: string) => orders.filter((order) => order.customer === customer)
  const buyersIn = (from: number, until: number) =>
    customers.filter((customer) => of(customer).some((order) => order.at >= from && order.at < until))
  const firstAt = (customer: string) => of(customer)[0]!.at
  const lastAt = (customer: string) => of(customer).at(-1)!.at
  const months = orders.length === 0 ? [] : listMonths(orders[0]!.at, asOf, timeZone)
  const gaps = customers
    .flatMap((customer) => of(customer).map((order, index, own) => order.at - (own[index - 1]?.at ?? NaN)))
    .filter((gap) => !Number.isNaN(gap))
    .sort((a, b) => a - b)
  const back = (count: number) => zoned(asOf, timeZone).subtract({ months: count }).epochMilliseconds
  const best = [...customers].map((customer) => sum(of(customer))).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
  const revenue = sum(orders)
  return {
    asOf: iso(asOf),
    timezone: timeZone,
    orders: orders.length,
    customers: customers.length,
    revenue: money(revenue, exponent),
    first: orders.length === 0 ? null : iso(orders[0]!.at),
    last: orders.length === 0 ? null : iso(orders.at(-1)!.at),
    repeatPurchaseRate: six(customers.filter((customer) => of(customer).length > 1).length, customers.length),
    averageOrdersPerCustomer: six(orders.length, customers.length),
    intervalDays: {
      count: gaps.length,
      mean: six(
        gaps.reduce((total, gap) => total + BigInt(gap), 0n),
        BigInt(gaps.length) * BigInt(DAY_MS),
      ),
      median: quantile(gaps, 50),
      p25: quantile(gaps, 25),
      p75: quantile(gaps, 75),
      p90: quantile(gaps, 90),
    },
    lifecycle: {
      active: customers.filter((customer) => lastAt(customer) > back(12)).length,
      passive: customers.filter((customer) => lastAt(customer) <= back(12) && lastAt(customer) > back(24)).length,
      lost: customers.filter((customer) => lastAt(customer) <= back(24)).length,
    },
    months: months.map(({ name, from, until, partial }) => {
      const { buyers, newBuyers, crr, ...period } = bruteForcePeriod(orders, from, until, settings)
      return {
        month: name,
        ...(partial ? { partial: true } : {}),
        orders: period.orders,
        revenue: money(period.revenue, exponent),
        buyers,
        newBuyers,
        returningBuyers: buyers - newBuyers,
        returningCustomerRate: six(buyers - newBuyers, buyers),
        crr,
        arpu: mean(period.revenue, period.customersByEnd, exponent),
        arppu: mean(period.revenue, buyers, exponent),
      }
    }),
    cohorts: months
      .map(({ name, from, until }, place) => {
        const own = customers.filter((customer) => firstAt(customer) >= from && firstAt(customer) < until)
        const active = months
          .slice(place)
          .map((month) => buyersIn(month.from, month.until).filter((customer) => own.includes(customer)).length)
        return { month: name, size: own.length, active }
      })
      .filter(({ size }) => size > 0),
    pareto: {
      top20Share:
        revenue > 0n
          ? six(
              best.slice(0, Math.ceil(best.length / 5)).reduce((total, value) => total + value, 0n),
              revenue,
            )
          : null,
    },
  }
}

/** What the orders of [from, until) are, and CRR over it: customers active at its start, at its end, new, kept and won back. */
export function bruteForcePeriod(
  all: Order[],
  from: number,
  until: number,
  { asOf, activityDays }: Pick<Settings, 'asOf' | 'activityDays'>,
) {
  const orders = all.filter((order) => order.at < asOf).sort((a, b) => a.at - b.at)
  const customers = [...new Set(orders.map((order) => order.customer))]
  const of = (customer: string) => orders.filter((order) => order.customer === customer)
  const firstAt = (customer: string) => of(customer)[0]!.at
  const isActive = (customer: string, t: number) =>
    of(customer).some((order) => order.at >= t - activityDays * DAY_MS && order.at < t)
  const inside = orders.filter((order) => order.at >= from && order.at < until)
  const buyers = customers.filter((customer) => inside.some((order) => order.customer === customer))
  const S = customers.filter((customer) => isActive(customer, from))
  const E = customers.filter((customer) => isActive(customer, until))
  const N = E.filter((customer) => firstAt(customer) >= from && firstAt(customer) < until)
  const R = E.filter((customer) => S.includes(customer))
  return {
    orders: inside.length,
    revenue: sum(inside),
    buyers: buyers.length,
    newBuyers: buyers.filter((customer) => firstAt(customer) >= from).length,
    customersByEnd: customers.filter((customer) => firstAt(customer) < until).length,
    crr: {
      S: S.length,
      E: E.length,
      N: N.length,
      R: R.length,
      B: E.filter((customer) => !N.includes(customer) && !R.includes(customer)).length,
      rate: six(E.length - N.length, S.length),
      strictRate: six(R.length, S.length),
    },
  }
}

function sum(list: Order[]): bigint {
  return list.reduce((total, order) => total + BigInt(order.amountMinor), 0n)
}

function listMonths(firstAt: number, asOf: number, timeZone: string) {
  const months: { name: string; from: number; until: number; partial: boolean }[] = []
  let start = zoned(firstAt, timeZone).with({ day: 1 }).startOfDay()
  while (start.epochMilliseconds < asOf) {
    const next = start.add({ months: 1 }).startOfDay()
    const until = Math.min(next.epochMilliseconds, asOf)
    const name = start.toPlainDate().toString().slice(0, 7)
    months.push({ name, from: start.epochMilliseconds, until, partial: until < next.epochMilliseconds })
    start = next
  }
  return months
}

export function zoned(at: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
}

function iso(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at).toString({ fractionalSecondDigits: at % 1000 === 0 ? 0 : 3 })
}

function halfEven(top: bigint, bottom: bigint): bigint {
  let floor = top / bottom
  if (top % bottom < 0n) floor -= 1n
  const above = top - floor * bottom
  if (above * 2n !== bottom) return above * 2n > bottom ? floor + 1n : floor
  return floor % 2n === 0n ? floor : floor + 1n
}

function six(top: number | bigint, bottom: number | bigint): number | null {
  return BigInt(bottom) === 0n ? null : Number(halfEven(BigInt(top) * 1_000_000n, BigInt(bottom))) / 1e6
}

function quantile(sorted: number[], percent: number): number | null {
  if (sorted.length === 0) return null
  const h = (sorted.length - 1) * percent
  const low = BigInt(sorted[Math.floor(h / 100)]!)
  const high = BigInt(sorted[Math.ceil(h / 100)]!)
  return six(low * 100n + (high - low) * BigInt(h % 100), 100n * BigInt(DAY_MS))
}

function money(minor: bigint, exponent: number): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0')
  const cut = digits.length - exponent
  return `${minor < 0n ? '-' : ''}${digits.slice(0, cut)}${exponent > 0 ? `.${digits.slice(cut)}` : ''}`
}

function mean(total: bigint, count: number, exponent: number): string | null {
  return count === 0 ? null : money(halfEven(total, BigInt(count)), exponent)
}

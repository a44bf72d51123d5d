/**
 * Customer value to come: BG/NBD says how often each customer will order, Gamma-Gamma what an order will be worth. Both look at
 * order *days*: a customer's orders on one day of the shop's zone are one.
 */
import type { BgNbd, PurchaseCounts } from './bg-nbd.ts'
import { chanceActive, countPurchases, expectedFutureRepeats, FEWEST_REPEAT_CUSTOMERS, fitBgNbd } from './bg-nbd.ts'
import type { GammaGamma } from './gamma-gamma.ts'
import { expectedValue, fitGammaGamma } from './gamma-gamma.ts'
import type { OrderLog } from './order-log.ts'
import { dayNumberAt } from '../loyalty/time.ts'

/** What the models need of every customer of a log; all arrays by customer. Money in minor units. */
export type Histories = {
  repeats: Int32Array
  lastDay: Int32Array
  ageDays: Int32Array
  /** Repeat days with money in them, and the sum of that money. */
  spendDays: Int32Array
  spendMinor: Float64Array
}

/** Both models of a shop; `gammaGamma` can be missing where the money says too little. */
export type Prediction = { bgNbd: BgNbd; gammaGamma: GammaGamma | null }

/** A customer's next `weeks`: chance of being active 0–1, expected order days, expected money in the main unit (null without a value model). */
export type CustomerPrediction = { active: number; orders: number; value: number | null }

/** Twelve months, in the weeks of the model. */
export const YEAR_WEEKS = 365.25 / 7

/** Days are whole, of the shop's zone; T is the day of `asOf`. Orders from `asOf` on are not looked at. */
export function readHistories(log: OrderLog, asOf: number, timeZone: string): Histories {
  const size = log.ids.length
  const histories: Histories = {
    repeats: new Int32Array(size),
    lastDay: new Int32Array(size),
    ageDays: new Int32Array(size),
    spendDays: new Int32Array(size),
    spendMinor: new Float64Array(size),
  }
  const today = dayNumberAt(asOf, timeZone)
  for (let customer = 0; customer < size; customer++) {
    const from = log.starts[customer]!
    const to = log.starts[customer + 1]!
    const firstDay = dayNumberAt(log.at[from]!, timeZone)
    let day = firstDay
    let daySum = 0
    const closeDay = () => {
      // A day that brought nothing, or took money back, says nothing about the value of an order.
      if (day === firstDay || daySum <= 0) return
      histories.spendDays[customer]!++
      histories.spendMinor[customer]! += daySum
    }
    for (let order = from; order < to && log.at[order]! < asOf; order++) {
      const orderDay = dayNumberAt(log.at[order]!, timeZone)
      if (orderDay !== day) {
        closeDay()
        histories.repeats[customer]!++
        day = orderDay
        daySum = 0
      }
      daySum += log.amountMinor[order]!
    }
    closeDay()
    histories.lastDay[customer] = day - firstDay
    histories.ageDays[customer] = today - firstDay
  }
  return histories
}

/** Customers grouped by (x, t_x, T): what BG/NBD is fitted on. */
export function groupHistories(histories: Histories): PurchaseCounts {
  return countPurchases(listHistories(histories))
}

function* listHistories({ repeats, lastDay, ageDays }: Histories) {
  for (let customer = 0; customer < repeats.length; customer++) {
    yield { repeats: repeats[customer]!, lastDay: lastDay[customer]!, ageDays: ageDays[customer]! }
  }
}

/** Both models, or null where the shop has too few repeat customers (30). `exponent` is the currency's. */
export function fitPrediction(histories: Histories, exponent: number): Prediction | null {
  const bgNbd = fitBgNbd(groupHistories(histories))
  return bgNbd && { bgNbd, gammaGamma: fitValue(histories, exponent) }
}

/** Gamma-Gamma over the customers with repeat days that brought money; null under 30 repeat customers, as for BG/NBD. */
export function fitValue(histories: Histories, exponent: number): GammaGamma | null {
  if (histories.repeats.filter((repeats) => repeats > 0).length < FEWEST_REPEAT_CUSTOMERS) return null
  const repeats: number[] = []
  const meanValue: number[] = []
  histories.spendDays.forEach((days, customer) => {
    if (days === 0) return
    repeats.push(days)
    meanValue.push(histories.spendMinor[customer]! / days / 10 ** exponent)
  })
  return fitGammaGamma({ repeats, meanValue })
}

/** What one customer of the log is expected to do in the next weeks (a year by default). */
export function predictCustomer(
  prediction: Prediction,
  histories: Histories,
  customer: number,
  exponent: number,
  weeks = YEAR_WEEKS,
): CustomerPrediction {
  const history = {
    repeats: histories.repeats[customer]!,
    lastDay: histories.lastDay[customer]!,
    ageDays: histories.ageDays[customer]!,
  }
  const days = histories.spendDays[customer]!
  const mean = days === 0 ? 0 : histories.spendMinor[customer]! / days / 10 ** exponent
  const orders = expectedFutureRepeats(prediction.bgNbd, history, weeks)
  const perOrder = prediction.gammaGamma && expectedValue(prediction.gammaGamma, days, mean)
  return {
    active: chanceActive(prediction.bgNbd, history),
    orders,
    value: perOrder === null ? null : orders * perOrder,
  }
}

/** One row of a back-test: customers who had come back so often, how often they really did in the hold-out, and what was expected. */
export type CalibrationRow = { repeats: number; customers: number; actual: number; expected: number }

/** The model fitted on all but the last days, and what happened in those. Means are order days per customer. */
export type BackTest = {
  holdOutDays: number
  customers: number
  actual: number
  expected: number
  /** Rows by calibration frequency 0 to 6 and 7 or more. */
  byFrequency: CalibrationRow[]
  /** Ten equal groups of customers from the least to the most expected: what a calibration chart draws. */
  byExpectation: { customers: number; actual: number; expected: number }[]
}

/**
 * Fits BG/NBD on the orders before `asOf − holdOutDays` and compares its expectation with the days after: an honest figure of how
 * far to trust it, and of each customer of the log the tenth it was in (from 1; 0: it came later). Null where that past holds too few
 * repeat customers.
 */
export function backTest(
  log: OrderLog,
  asOf: number,
  holdOutDays: number,
  timeZone: string,
): { test: BackTest; tenths: Uint8Array } | null {
  const cutAt = asOf - holdOutDays * 86_400_000
  const known = [...log.ids.keys()].filter((customer) => log.at[log.starts[customer]!]! < cutAt)
  const calibration = readHistories(log, cutAt, timeZone)
  const model = fitBgNbd(
    countPurchases(
      known.map((customer) => ({
        repeats: calibration.repeats[customer]!,
        lastDay: calibration.lastDay[customer]!,
        ageDays: calibration.ageDays[customer]!,
      })),
    ),
  )
  if (!model) return null
  const whole = readHistories(log, asOf, timeZone)
  const rows = known.map((customer) => ({
    customer,
    repeats: calibration.repeats[customer]!,
    actual: whole.repeats[customer]! - calibration.repeats[customer]!,
    expected: expectedFutureRepeats(
      model,
      {
        repeats: calibration.repeats[customer]!,
        lastDay: calibration.lastDay[customer]!,
        ageDays: calibration.ageDays[customer]!,
      },
      holdOutDays / 7,
    ),
  }))
  const byFrequency = Array.from({ length: 8 }, (_, repeats) => ({
    repeats,
    ...meansOf(rows.filter((row) => Math.min(row.repeats, 7) === repeats)),
  })).filter(({ customers }) => customers > 0)
  const ranked = [...rows].sort((a, b) => a.expected - b.expected)
  const tenths = new Uint8Array(log.ids.length)
  const byExpectation = Array.from({ length: 10 }, (_, tenth) => {
    const own = ranked.slice(Math.floor((tenth * rows.length) / 10), Math.floor(((tenth + 1) * rows.length) / 10))
    for (const { customer } of own) tenths[customer] = tenth + 1
    return meansOf(own)
  }).filter(({ customers }) => customers > 0)
  return { test: { holdOutDays, ...meansOf(rows), byFrequency, byExpectation }, tenths }
}

function meansOf(rows: { actual: number; expected: number }[]) {
  const mean = (of: 'actual' | 'expected') => rows.reduce((sum, row) => sum + row[of], 0) / (rows.length || 1)
  return { customers: rows.length, actual: mean('actual'), expected: mean('expected') }
}

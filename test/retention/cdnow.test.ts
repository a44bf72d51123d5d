/**
 * The published answers for the 1/10 sample of the CDNOW cohort, calibrated on the first 39 weeks (through 1997-09-30).
 * Data: P. S. Fader and B. G. S. Hardie, brucehardie.com/datasets, by way of CamDavidsonPilon/lifetimes (MIT).
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  chanceActive,
  expectedFutureRepeats,
  expectedRepeats,
  fitBgNbd,
  type BgNbd,
  type PurchaseHistory,
} from '#app/retention/bg-nbd.ts'
import { expectedValue, fitGammaGamma } from '#app/retention/gamma-gamma.ts'
import { buildOrderLog } from '#app/retention/order-log.ts'
import { backTest, fitValue, groupHistories, readHistories } from '#app/retention/prediction.ts'

const CALIBRATED_AT = Date.parse('1997-09-30T12:00:00Z')
const OBSERVED_AT = CALIBRATED_AT + 39 * 7 * 86_400_000

function readCdnow(asOf: number) {
  const builder = buildOrderLog()
  const file = path.join(import.meta.dirname, '../fixtures/cdnow/orders.csv')
  for (const line of readFileSync(file, 'utf8').trim().split('\n').slice(1)) {
    const [customer, day, amount] = line.trim().split(',') as [string, string, string]
    builder.add(customer, Date.parse(`${day}T00:00:00Z`), Math.round(Number(amount) * 100))
  }
  return builder.finish(asOf)
}

const calibration = readHistories(readCdnow(CALIBRATED_AT), CALIBRATED_AT, 'UTC')
const model = fitBgNbd(groupHistories(calibration))!

test('Fader, Hardie and Lee 2005, table 2: the parameters and the log-likelihood', () => {
  expect(model.r).toBeCloseTo(0.243, 3)
  expect(model.alpha).toBeCloseTo(4.414, 3)
  expect(model.a).toBeCloseTo(0.793, 3)
  expect(model.b).toBeCloseTo(2.426, 3)
  expect(Math.abs(model.logLikelihood - -9582.43)).toBeLessThan(0.05)
  expect(model.atEdge).toBe(false)
})

test.each([
  [0.1429, 0.0078],
  [1, 0.0532],
  [3, 0.1506],
  [31.8571, 1.0405],
  [32, 1.0437],
  [78, 1.858],
])('Fader, Hardie and Lee 2005, equation 9 and the worksheet of note 004: E[X(%f)] is %f', (weeks, expected) => {
  expect(Math.abs(expectedRepeats(model, weeks) - expected)).toBeLessThan(0.0005)
})

test('Fader, Hardie and Lee 2005, equation 10: two repeats, the last at 30.43 of 38.86 weeks, promise 1.226 in 39 weeks', () => {
  const history = { repeats: 2, lastDay: 30.43 * 7, ageDays: 38.86 * 7 }
  expect(Math.abs(expectedFutureRepeats(model, history, 39) - 1.226)).toBeLessThan(0.001)
})

test('BTYD vignette, table of conditional expectations: the hold-out by calibration frequency', () => {
  const { test } = backTest(readCdnow(OBSERVED_AT), OBSERVED_AT, 39 * 7, 'UTC')!
  expect(test.byFrequency.map((row) => row.customers)).toEqual([1411, 439, 214, 100, 62, 38, 29, 64])
  const actual = [0.237, 0.697, 1.393, 1.56, 2.532, 2.947, 3.862, 6.359]
  const expected = [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.504, 6.157]
  test.byFrequency.forEach((row, place) => {
    expect(Math.abs(row.actual - actual[place]!)).toBeLessThan(0.001)
    expect(Math.abs(row.expected - expected[place]!)).toBeLessThan(0.01)
  })
  expect(test.byExpectation.map((row) => row.customers).reduce((sum, count) => sum + count, 0)).toBe(2357)
})

test('Fader and Hardie, note 025 (2013): Gamma-Gamma and the first ten expectations', () => {
  const value = fitValue(calibration, 2)!
  expect(Math.abs(value.p - 6.25)).toBeLessThan(0.01)
  expect(Math.abs(value.q - 3.74)).toBeLessThan(0.01)
  expect(Math.abs(value.gamma - 15.44)).toBeLessThan(0.01)
  const firstTen = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
  firstTen.forEach((expected, customer) => {
    const days = calibration.spendDays[customer]!
    const mean = days === 0 ? 0 : calibration.spendMinor[customer]! / days / 100
    expect(Math.abs(expectedValue(value, days, mean)! - expected)).toBeLessThan(0.01)
  })
})

test('the currency changes gamma, by what its unit is worth, and nothing else: not what an order is expected to bring', () => {
  const days = Array.from(calibration.spendDays).flatMap((count, customer) => (count === 0 ? [] : [[count, customer]]))
  const repeats = days.map(([count]) => count!)
  const dollars = days.map(([count, customer]) => calibration.spendMinor[customer!]! / count! / 100)
  const inDollars = fitGammaGamma({ repeats, meanValue: dollars })!
  fc.assert(
    // From bitcoin to dong, rial and further.
    fc.property(fc.double({ min: -12, max: 20, noNaN: true }).map(Math.exp), (rate) => {
      const other = fitGammaGamma({ repeats, meanValue: dollars.map((value) => value * rate) })!
      expect(other.p / inDollars.p).toBeCloseTo(1, 6)
      expect(other.q / inDollars.q).toBeCloseTo(1, 6)
      expect(other.gamma / inDollars.gamma / rate).toBeCloseTo(1, 6)
      expect(other.atEdge).toBe(false)
      // A density per unit of money: one unit more of it for each customer.
      expect(other.logLikelihood + repeats.length * Math.log(rate)).toBeCloseTo(inDollars.logLikelihood, 4)
      expect(expectedValue(other, 2, 22.35 * rate)! / rate).toBeCloseTo(24.65, 1)
    }),
    { numRuns: 20 },
  )
})

test('a customer that never came back counts as active; silence lowers the chance of the others', () => {
  expect(chanceActive(model, { repeats: 0, lastDay: 0, ageDays: 400 })).toBe(1)
  const fresh = chanceActive(model, { repeats: 4, lastDay: 200, ageDays: 210 })
  const silent = chanceActive(model, { repeats: 4, lastDay: 200, ageDays: 900 })
  expect(fresh).toBeGreaterThan(0.8)
  expect(silent).toBeLessThan(0.1)
})

test('parameters far outside of any shop’s, and any history, still give a finite expectation that grows with time', () => {
  const logarithm = fc.double({ min: -11.9, max: 11.9, noNaN: true })
  fc.assert(
    fc.property(
      fc.tuple(logarithm, logarithm, logarithm, logarithm),
      fc.record({ repeats: fc.integer({ min: 0, max: 3_000 }), lastDay: fc.nat(3_000), silentDays: fc.nat(3_000) }),
      ([r, alpha, a, b], { repeats, lastDay, silentDays }) => {
        const extreme = { ...model, r: Math.exp(r), alpha: Math.exp(alpha), a: Math.exp(a), b: Math.exp(b) }
        const history = { repeats, lastDay: repeats === 0 ? 0 : lastDay, ageDays: lastDay + silentDays }
        const [month, year] = [4, 52].map((weeks) => expectedFutureRepeats(extreme, history, weeks)) as [number, number]
        expect(month).toBeGreaterThanOrEqual(-1e-5)
        expect(year).toBeGreaterThanOrEqual(month - 1e-5 * (1 + month))
        expect(Number.isFinite(year)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

/**
 * E[Y(t) | x, t_x, T] as what it is an expectation of: (1 − (1 + pt / (alpha + T))^−(r + x)) ÷ p over p ~ Beta(a, b + x), that customers
 * leave with after an order (the paper's step before equation 9), by double-exponential quadrature over the logit of p. For a and
 * b of 0.05 and more: below, what it leaves out at both ends of p counts.
 */
function integrateRepeats(of: BgNbd, history: PurchaseHistory, weeks: number): number {
  const z = weeks / (of.alpha + history.ageDays / 7)
  let [sum, weights] = [0, 0]
  for (let step = -400; step <= 400; step++) {
    const logit = Math.PI * Math.sinh(step / 64)
    if (Math.abs(logit) > 690) continue
    const [p, stays] = [1 / (1 + Math.exp(-logit)), 1 / (1 + Math.exp(logit))]
    const weight = Math.pow(p, of.a) * Math.pow(stays, of.b + history.repeats) * Math.cosh(step / 64)
    sum += (weight * -Math.expm1(-(of.r + history.repeats) * Math.log1p(p * z))) / p
    weights += weight
  }
  return (chanceActive(of, history) * sum) / weights
}

test('who renews every 30 days and leaves, if at all, after the first renewal is expected to come back as the integral says', () => {
  const subscriptions = { ...model, r: 36_000, alpha: (36_000 * 30) / 7, a: 0.07, b: 0.13 }
  for (const ageDays of [0, 10, 700]) {
    const history = { repeats: 0, lastDay: 0, ageDays }
    const wanted = integrateRepeats(subscriptions, history, 52)
    expect(Math.abs(expectedFutureRepeats(subscriptions, history, 52) - wanted)).toBeLessThan(1e-9)
  }
  expect(expectedRepeats(subscriptions, 52)).toBeCloseTo(7.34957, 5)
})

test('a shop of subscriptions, of which most leave early or never, is fitted and promises a number for each of its customers', () => {
  const builder = buildOrderLog()
  let state = 7
  const chance = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  const asOf = Date.parse('2026-01-01')
  for (let customer = 0; customer < 300; customer++) {
    let at = asOf - Math.floor(400 + chance() * 300) * 86_400_000
    for (let renewal = 0; at < asOf; renewal++) {
      builder.add(`c${customer}`, at, 2_000)
      if (chance() < (renewal === 1 ? 0.4 : renewal > 1 ? 0.03 : 0)) break
      at += Math.round(26 + chance() * 8) * 86_400_000
    }
  }
  const histories = readHistories(builder.finish(asOf), asOf, 'UTC')
  const fitted = fitBgNbd(groupHistories(histories))!
  for (let customer = 0; customer < 300; customer++) {
    const history = {
      repeats: histories.repeats[customer]!,
      lastDay: histories.lastDay[customer]!,
      ageDays: histories.ageDays[customer]!,
    }
    expect(expectedFutureRepeats(fitted, history, 52)).toBeLessThan(14)
  }
  expect(expectedRepeats(fitted, 52)).toBeGreaterThan(0)
})

test('customers who may all leave are never expected to come back more often than if nobody left, and the integral agrees', () => {
  const parameter = fc.double({ min: Math.log(0.05), max: 4, noNaN: true }).map(Math.exp)
  fc.assert(
    fc.property(
      fc.record({
        r: fc.double({ min: -11.9, max: 11.9, noNaN: true }).map(Math.exp),
        alpha: fc.double({ min: -11.9, max: 11.9, noNaN: true }).map(Math.exp),
        a: fc.oneof(parameter, fc.double({ min: 0.05, max: 0.95, noNaN: true })),
        b: fc.oneof(parameter, fc.double({ min: 0.05, max: 0.95, noNaN: true })),
      }),
      fc.oneof(fc.constant(0), fc.nat(300)),
      fc.tuple(fc.nat(3_000), fc.nat(3_000)),
      (parameters, repeats, [lastDay, silentDays]) => {
        const drawn = { ...model, ...parameters }
        const history = { repeats, lastDay: repeats === 0 ? 0 : lastDay, ageDays: lastDay + silentDays }
        const expected = expectedFutureRepeats(drawn, history, 52)
        const ifNobodyLeft = ((drawn.r + repeats) / (drawn.alpha + history.ageDays / 7)) * 52
        expect(expected).toBeGreaterThanOrEqual(-1e-6)
        expect(expected).toBeLessThanOrEqual(ifNobodyLeft * (1 + 1e-6) + 1e-6)
        expect(Math.abs(expected - integrateRepeats(drawn, history, 52))).toBeLessThan(1e-5 * (1 + expected))
      },
    ),
    { numRuns: 1_000 },
  )
})

test('a + b of exactly 1, where the closed form has a hole, is no different from its neighbours', () => {
  const even = { ...model, a: 0.5, b: 0.5 }
  const history = { repeats: 0, lastDay: 0, ageDays: 100 }
  expect(expectedFutureRepeats(even, history, 52)).toBeCloseTo(integrateRepeats(even, history, 52), 9)
})

test('the same orders give the same parameters to the last bit', () => {
  expect(fitBgNbd(groupHistories(calibration))).toEqual(model)
})

test('expectations stay finite for a customer with thousands of orders and where a passes 1', () => {
  const heavy = { repeats: 5_000, lastDay: 2_000, ageDays: 2_001 }
  expect(expectedFutureRepeats(model, heavy, 52)).toBeGreaterThan(500)
  const [below, at, above] = [0.999, 1, 1.001].map((a) => expectedRepeats({ ...model, a }, 52)) as [
    number,
    number,
    number,
  ]
  expect(at).toBeLessThan(below)
  expect(at).toBeGreaterThan(above)
})

test.each([
  [29, false],
  [30, true],
])(
  'with %i repeat customers both models are fitted or neither, also where one came back for nothing',
  (size, fitted) => {
    const builder = buildOrderLog()
    for (let customer = 0; customer < 60; customer++) {
      builder.add(`c${customer}`, Date.parse('2026-01-01') + customer * 43_200_000, 1000 + customer)
      const again = customer === 0 ? 0 : 1250 + 10 * customer
      if (customer < size) builder.add(`c${customer}`, Date.parse('2026-02-15') + customer * 43_200_000, again)
    }
    const asOf = Date.parse('2026-06-01')
    const histories = readHistories(builder.finish(asOf), asOf, 'UTC')
    expect(fitBgNbd(groupHistories(histories)) !== null).toBe(fitted)
    expect(fitValue(histories, 2) !== null).toBe(fitted)
  },
)

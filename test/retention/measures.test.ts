import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bruteForceMeasures } from './brute-force.ts'
import { orders, settings, toLog } from './order-logs.ts'
import { measureOrders } from '#app/retention/measures.ts'

test('every measure equals the slow, obvious computation on random shops', () => {
  fc.assert(
    fc.property(orders, settings, (list, options) => {
      const { rfm, clv, ...fast } = measureOrders(toLog(list, options.asOf), options)
      expect(fast).toEqual(bruteForceMeasures(list, options))
      // Twelve customers at most: too few to predict for, and every one in exactly one group.
      expect(clv).toEqual({ bgNbd: null, gammaGamma: null })
      const grouped = rfm.groups && Object.values(rfm.groups).reduce((sum, count) => sum + count, 0)
      expect(grouped).toBe(fast.customers < 5 ? null : fast.customers)
    }),
    { numRuns: 300 },
  )
})

test('an empty shop has no months, no rates and no revenue, and is no error', () => {
  const empty = measureOrders(toLog([], 0), { asOf: 0, timeZone: 'UTC', activityDays: 365, exponent: 2 })
  expect(empty).toEqual({
    asOf: '1970-01-01T00:00:00Z',
    timezone: 'UTC',
    orders: 0,
    customers: 0,
    revenue: '0.00',
    first: null,
    last: null,
    repeatPurchaseRate: null,
    averageOrdersPerCustomer: null,
    intervalDays: { count: 0, mean: null, median: null, p25: null, p75: null, p90: null },
    lifecycle: { active: 0, passive: 0, lost: 0 },
    months: [],
    cohorts: [],
    pareto: { top20Share: null },
    rfm: { groups: null },
    clv: { bgNbd: null, gammaGamma: null },
  })
})

test('one customer on one day has two orders, an interval of hours and no CRR', () => {
  const day = Date.parse('2026-01-10T00:00:00Z')
  const shop = [
    { customer: 'a', at: day, amountMinor: 500 },
    { customer: 'a', at: day + 6 * 3_600_000, amountMinor: 700 },
  ]
  const options = { asOf: day + 86_400_000, timeZone: 'UTC', activityDays: 365, exponent: 0 }
  const measures = measureOrders(toLog(shop, options.asOf), options)
  expect(measures.revenue).toBe('1200')
  expect(measures.intervalDays).toMatchObject({ count: 1, mean: 0.25, median: 0.25 })
  expect(measures.months).toHaveLength(1)
  expect(measures.months[0]).toMatchObject({ partial: true, crr: { S: 0, E: 1, N: 1, rate: null }, arpu: '1200' })
})

test('a clock put back over the first midnight of a month loses no order', () => {
  // St. John's, 1 November 2009: at 00:01 the clock went back to 23:01 of 31 October.
  const shop = [
    { customer: 'a', at: Date.parse('2009-11-01T02:30:20Z'), amountMinor: 500 },
    { customer: 'a', at: Date.parse('2009-11-01T02:35:00Z'), amountMinor: 700 },
    { customer: 'b', at: Date.parse('2009-10-30T12:00:00Z'), amountMinor: 100 },
  ]
  for (const list of [shop, shop.slice(0, 2)]) {
    const options = {
      asOf: Date.parse('2009-11-01T02:45:00Z'),
      timeZone: 'America/St_Johns',
      activityDays: 365,
      exponent: 2,
    }
    const { months, customers } = measureOrders(toLog(list, options.asOf), options)
    expect(months.reduce((sum, month) => sum + month.orders, 0)).toBe(list.length)
    expect(months.at(-1)!.crr.E).toBe(customers)
  }
})

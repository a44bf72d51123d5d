import { describe, expect, test } from 'vitest'
import { nextDueAt, type Programs } from '#app/loyalty/engine.ts'
import { findNextExpiry } from '#app/loyalty/simulate.ts'
import { ANN, at, makeOrder, makeProgram, onlyProgram, orderOf, refundTo, Shop } from './shop.ts'

const start = (differences: Record<string, unknown> = {}) =>
  new Shop(
    onlyProgram({
      rewards: [{ id: 'any', type: 'amount', value: '1.00', perPoints: 1, validDays: 60 }],
      ...differences,
    }),
  )

const lot = (months: number) => ({ expiry: { model: 'lot', months } })
const inactivity = (months: number) => ({ expiry: { model: 'inactivity', months } })

describe('spending order', () => {
  test('points that expire soonest are spent first, and of those that expire together the oldest', () => {
    const programs: Programs = {
      versions: [
        {
          number: 1,
          from: 0,
          program: makeProgram({ ...lot(12), rewards: [{ id: 'any', type: 'shipping', cost: 25 }] }),
        },
        {
          number: 2,
          from: at('2026-07-02'),
          program: makeProgram({ ...lot(1), rewards: [{ id: 'any', type: 'shipping', cost: 25 }] }),
        },
      ],
      historyEarns: true,
      confirmCodes: false,
    }
    const shop = new Shop(programs)
    shop.adjust(10, 'long', '2026-07-01')
    shop.adjust(10, 'short-b', '2026-07-02T10:00')
    shop.adjust(10, 'short-a', '2026-07-02T09:00')
    shop.redeem('any', 'C', '2026-07-03')
    expect(shop.redemption('C')?.draws.map(({ lot, points }) => [lot, points])).toEqual([
      ['adjust:short-a', 10],
      ['adjust:short-b', 10],
      ['adjust:long', 5],
    ])
  })

  test('where nothing expires, the oldest points are spent first', () => {
    const shop = start()
    shop.adjust(10, 'b', '2026-07-02')
    shop.adjust(10, 'a', '2026-07-03')
    shop.redeem('any', 'C', '2026-07-03', 15)
    expect(shop.get(ANN).lots).toMatchObject([{ key: 'adjust:a', available: 5 }])
  })
})

describe('expiry by lot', () => {
  test.each([
    ['2026-01-31T12:00', 1, 'UTC', '2026-03-01T00:00:00Z', 'the end of January clamps to 28 February'],
    ['2028-01-31T12:00', 1, 'UTC', '2028-03-01T00:00:00Z', '29 February in a leap year'],
    ['2028-02-29T12:00', 12, 'UTC', '2029-03-01T00:00:00Z', '29 February + 12 months is 28 February'],
    ['2026-08-31T12:00', 1, 'UTC', '2026-10-01T00:00:00Z', '31 August + 1 month is 30 September'],
    ['2026-12-31T23:59', 1, 'UTC', '2027-02-01T00:00:00Z', 'over the end of the year'],
    ['2026-08-01T12:00', 12, 'America/New_York', '2027-08-02T04:00:00Z', 'the shop-local day in New York'],
    ['2026-08-01T03:00', 12, 'America/New_York', '2027-08-01T04:00:00Z', 'still 31 July in New York'],
    ['2026-08-01T13:00', 12, 'Pacific/Auckland', '2027-08-02T12:00:00Z', 'already 2 August in Auckland'],
    ['2026-10-01T12:00', 1, 'America/New_York', '2026-11-02T05:00:00Z', 'the end of the day of 25 hours'],
    ['2026-02-08T12:00', 1, 'America/New_York', '2026-03-09T04:00:00Z', 'the end of the day of 23 hours'],
    [
      '2026-03-04T12:00',
      1,
      'Pacific/Auckland',
      '2026-04-05T12:00:00Z',
      'the night in which Auckland’s summer time ends',
    ],
  ])('points of %s live %i month(s) in %s until %s: %s', (earned, months, timezone, ends) => {
    const shop = start({ ...lot(months), timezone })
    shop.adjust(10, 'a', earned)
    expect(findNextExpiry(shop.get(ANN), shop.programs, at(earned))).toEqual({ points: 10, at: ends })
    shop.pass(at(ends) - 1)
    expect(shop.get(ANN).available).toBe(10)
    shop.pass(at(ends))
    expect(shop.get(ANN)).toMatchObject({ available: 0, lots: [] })
    expect(shop.transfers.at(-1)).toMatchObject({ to: 'shop.expired', amount: 10, eventAt: at(ends) })
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBeNull()
  })

  test('order points live from the instant of earning, not of release; two lots of one day end together', () => {
    const shop = start({ ...lot(1), hold: { days: 14 } })
    shop.hear(orderOf(1, '100.00', '2026-08-01T12:00'))
    shop.hear(orderOf(2, '50.00', '2026-08-01T15:00'))
    shop.pass(at('2026-08-20'))
    expect(findNextExpiry(shop.get(ANN), shop.programs, at('2026-08-20'))).toEqual({
      points: 150,
      at: '2026-09-02T00:00:00Z',
    })
  })

  test('pending points do not expire: what an order earned long before it is heard of, is released first and goes then', () => {
    const shop = start({ ...lot(1), hold: { days: 28 } })
    shop.hear(orderOf(1, '100.00', '2026-02-01T12:00'), '2026-02-01T12:00')
    shop.pass(at('2026-03-01T11:59'))
    expect(shop.get(ANN)).toMatchObject({ pending: 100, available: 0 })
    shop.pass(at('2026-03-01T12:00'))
    expect(shop.get(ANN)).toMatchObject({ pending: 0, available: 100 })
    shop.pass(at('2026-03-02'))
    expect(shop.get(ANN)).toMatchObject({ available: 0 })
  })

  test('an event of the same instant finds the points gone', () => {
    const shop = start(lot(1))
    shop.adjust(10, 'a', '2026-08-01T12:00')
    expect(shop.redeem('any', 'C', '2026-09-02', 10).refused).toBe('insufficient_points')
  })
})

describe('expiry by inactivity', () => {
  test('an order that turns out to be long over at the very instant of another expiry goes by a transfer of its own', () => {
    const shop = start(inactivity(1))
    shop.hear(orderOf(1, '10.00', '2026-01-10'))
    const order = orderOf(2, '20.00', '2026-01-05')
    shop.hear(order, '2026-02-11')
    expect(shop.get(ANN)).toMatchObject({ available: 20, advancedTo: at('2026-02-11') })
    // It was paid weeks before: nothing moves but what ends at once.
    shop.tell({ type: 'order', at: at('2026-01-05T00:01'), order })
    expect(shop.get(ANN).available).toBe(0)
    shop.audit()
  })

  test('the whole balance goes at the end of the day N months after the last earning; an earning keeps it all', () => {
    const shop = start(inactivity(2))
    shop.hear(orderOf(1, '10.00', '2026-01-10T12:00'))
    shop.hear(orderOf(2, '20.00', '2026-02-20T12:00'))
    shop.pass(at('2026-04-20T23:59'))
    expect(shop.get(ANN).available).toBe(30)
    shop.pass(at('2026-04-21'))
    expect(shop.get(ANN).available).toBe(0)
    expect(shop.transfers.at(-1)).toMatchObject({ amount: 30, reason: 'expire', eventAt: at('2026-04-21') })
  })

  test('neither an adjustment nor returned points are an earning', () => {
    const shop = start(inactivity(2))
    shop.hear(orderOf(1, '10.00', '2026-01-10T12:00'))
    shop.adjust(5, 'a', '2026-02-10')
    shop.redeem('any', 'C', '2026-02-11', 8)
    shop.happen({ type: 'cancel-redemption', at: at('2026-02-12'), code: 'C' })
    shop.pass(at('2026-03-10T23:59'))
    expect(shop.get(ANN).available).toBe(15)
    shop.pass(at('2026-03-11'))
    expect(shop.get(ANN).available).toBe(0)
  })

  test('an adjustment after everything went lives as long from its own day: a gift is not taken away at once', () => {
    const shop = start(inactivity(2))
    shop.hear(orderOf(1, '10.00', '2026-01-10T12:00'))
    shop.pass(at('2026-05-01'))
    shop.adjust(5, 'a', '2026-05-01')
    expect(shop.get(ANN).available).toBe(5)
    shop.pass(at('2026-07-01T23:59'))
    expect(shop.get(ANN).available).toBe(5)
    shop.pass(at('2026-07-02'))
    expect(shop.get(ANN).available).toBe(0)
  })

  test('points spent while the balance was emptied expire at once when they come back', () => {
    const shop = start(inactivity(1))
    shop.hear(orderOf(1, '10.00', '2026-01-10T12:00'))
    shop.redeem('any', 'C', '2026-02-01', 4)
    shop.pass(at('2026-02-20'))
    expect(shop.get(ANN).available).toBe(0)
    shop.hear(orderOf(2, '20.00', '2026-02-25'))
    shop.happen({ type: 'cancel-redemption', at: at('2026-03-01'), code: 'C' })
    expect(shop.get(ANN).available).toBe(20)
    expect(shop.transfers.slice(-2)).toMatchObject([
      { reason: 'redeem_returned', amount: 4 },
      { reason: 'expire', amount: 4 },
    ])
    shop.audit()
  })

  test('so do points that were all being spent when the clock ran out, though an earning has started it again', () => {
    const shop = start(inactivity(1))
    shop.hear(orderOf(1, '10.00', '2026-01-10T12:00'))
    shop.redeem('any', 'C', '2026-02-01', 10)
    shop.hear(orderOf(2, '20.00', '2026-02-25'))
    shop.happen({ type: 'cancel-redemption', at: at('2026-03-01'), code: 'C' })
    expect(shop.get(ANN).available).toBe(20)
  })

  test('an order that was worth points and was refunded since was an earning all the same', () => {
    const shop = start(inactivity(2))
    shop.hear(orderOf(1, '10.00', '2026-01-10T12:00'))
    const second = orderOf(2, '20.00', '2026-02-20T12:00')
    shop.hear(second)
    shop.hear(refundTo(second, 0, '2026-02-21'))
    shop.pass(at('2026-04-20'))
    expect(shop.get(ANN).available).toBe(10)
  })

  test('pending points stay when the available ones go', () => {
    const shop = start({ ...inactivity(1), hold: { days: 28 } })
    shop.hear(orderOf(1, '10.00', '2026-01-10'), '2026-01-10')
    // Released on 7 February, the balance ends with 10 February; the second order moves that on to 9 March.
    shop.hear(orderOf(2, '20.00', '2026-02-09'), '2026-02-09')
    shop.pass(at('2026-03-09'))
    expect(shop.get(ANN)).toMatchObject({ available: 30, pending: 0 })
    shop.pass(at('2026-03-10'))
    expect(shop.get(ANN)).toMatchObject({ available: 0, pending: 0 })
  })
})

describe('switching the model', () => {
  const rewards = [{ id: 'all', type: 'shipping', cost: 100 }]
  const programs = (...models: [from: string, expiry: object, holdDays?: number][]): Programs => ({
    versions: models.map(([from, expiry, days = 0], index) => ({
      number: index + 1,
      from: at(from),
      program: makeProgram({ expiry, hold: { days }, rewards }),
    })),
    historyEarns: true,
    confirmCodes: false,
  })

  test('switching expiry on starts all clocks at that moment', () => {
    const shop = new Shop(programs(['2026-01-01', { model: 'none' }], ['2026-08-05', { model: 'lot', months: 1 }]))
    shop.adjust(10, 'a', '2026-02-01')
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at('2026-08-05'))
    shop.adjust(20, 'b', '2026-08-10')
    expect(findNextExpiry(shop.get(ANN), shop.programs, at('2026-08-10'))).toEqual({
      points: 10,
      at: '2026-09-06T00:00:00Z',
    })
    shop.pass(at('2026-09-06'))
    expect(shop.get(ANN).available).toBe(20)
    shop.pass(at('2026-09-11'))
    expect(shop.get(ANN).available).toBe(0)
  })

  test('switching inactivity on counts from then for those who earned before', () => {
    const shop = new Shop(
      programs(['2026-01-01', { model: 'none' }], ['2026-08-05', { model: 'inactivity', months: 1 }]),
    )
    shop.hear(makeOrder({ processedAt: at('2026-02-01') }))
    shop.pass(at('2026-09-05'))
    expect(shop.get(ANN).available).toBe(100)
    shop.pass(at('2026-09-06'))
    expect(shop.get(ANN).available).toBe(0)
  })

  test.each(['lot', 'inactivity'])('points that still wait then are not released and gone at once: %s', (model) => {
    const shop = new Shop(programs(['2026-01-01', { model: 'none' }, 90], ['2026-08-05', { model, months: 1 }]))
    const order = makeOrder({ processedAt: at('2026-08-01') })
    shop.hear(order, '2026-08-01')
    shop.pass(at('2026-10-30'))
    expect(shop.get(ANN)).toMatchObject({ available: 100, pending: 0 })
    // A month from their release, also where all are spent and come back meanwhile, twice, or the order was refunded for a time.
    if (model === 'lot') {
      for (const code of ['C', 'D']) {
        expect(shop.redeem('all', code, '2026-11-02').refused).toBeNull()
        shop.happen({ type: 'cancel-redemption', at: at('2026-11-03'), code })
      }
      shop.hear(refundTo(order, 0, '2026-11-04'))
      shop.hear({ ...order, updatedAt: at('2026-11-05') })
    }
    shop.pass(at('2026-11-30'))
    expect(shop.get(ANN)).toMatchObject({ available: 100 })
    shop.pass(at('2026-12-01'))
    expect(shop.get(ANN)).toMatchObject({ available: 0 })
    shop.audit()
  })

  test('an order under the longer hold of before, paid under shorter months, has its points for these months', () => {
    const shop = new Shop(
      programs(['2026-01-01', { model: 'lot', months: 12 }, 90], ['2026-08-05', { model: 'lot', months: 1 }]),
    )
    shop.hear(makeOrder({ processedAt: at('2026-08-01') }), '2026-08-10')
    shop.pass(at('2026-12-08'))
    expect(shop.get(ANN)).toMatchObject({ available: 100 })
    shop.pass(at('2026-12-09'))
    expect(shop.get(ANN)).toMatchObject({ available: 0 })
  })

  test('other months are for points earned from then on; switched off, nothing expires', () => {
    const shop = new Shop(
      programs(
        ['2026-01-01', { model: 'lot', months: 6 }],
        ['2026-03-01', { model: 'lot', months: 1 }],
        ['2026-07-01', { model: 'none' }],
      ),
    )
    shop.adjust(10, 'a', '2026-02-10')
    shop.adjust(20, 'b', '2026-03-10')
    shop.pass(at('2026-04-11'))
    expect(shop.get(ANN).available).toBe(10)
    shop.pass(at('2027-01-01'))
    expect(shop.get(ANN).available).toBe(10)
  })
})

describe('returned points', () => {
  test('that were earned earlier than was known come back with the earlier end, though all of their lot was spent', () => {
    const shop = start(lot(1))
    const order = makeOrder({ processedAt: at('2026-08-01') })
    shop.hear(order, '2026-08-10')
    shop.redeem('any', 'C', '2026-08-12', 100)
    expect(shop.get(ANN).lots).toEqual([])
    // The webhook of the payment comes late; nothing is left in the lot.
    shop.tell({ type: 'order', at: at('2026-08-02'), order })
    shop.happen({ type: 'cancel-redemption', at: at('2026-08-20'), code: 'C' })
    expect(shop.get(ANN).lots).toMatchObject([
      { earnedAt: at('2026-08-02'), expiresAt: at('2026-09-03'), available: 100 },
    ])
    shop.pass(at('2026-09-03'))
    expect(shop.get(ANN).available).toBe(0)
    shop.audit()
  })

  test('go back into the lots they came from; a lot past its end expires at once, the other stays', () => {
    const shop = start(lot(1))
    shop.adjust(10, 'old', '2026-07-01')
    shop.adjust(10, 'new', '2026-07-20')
    shop.redeem('any', 'C', '2026-07-25', 15)
    expect(shop.get(ANN).available).toBe(5)
    shop.happen({ type: 'cancel-redemption', at: at('2026-08-10'), code: 'C' })
    expect(shop.get(ANN)).toMatchObject({ available: 10, lots: [{ key: 'adjust:new', available: 10 }] })
    expect(shop.transfers.slice(-2)).toMatchObject([
      { reason: 'redeem_returned', amount: 15, reverses: 'redeem:C' },
      { reason: 'expire', amount: 10 },
    ])
  })

  test('when only part comes back, into the lot spent last first', () => {
    const shop = start()
    shop.adjust(10, 'a', '2026-07-01')
    shop.adjust(10, 'b', '2026-07-02')
    shop.redeem('any', 'C', '2026-07-03', 20)
    const order = orderOf(1, '100.00', '2026-07-04', { discountCodes: ['C'], customer: null })
    shop.hear(order)
    shop.hear({
      ...order,
      refunds: [{ id: 'r', lines: [], givenBackMinor: 6000, shippingMinor: 0 }],
      updatedAt: at('2026-07-05'),
    })
    expect(shop.get(ANN).lots).toMatchObject([
      { key: 'adjust:b', available: 10 },
      { key: 'adjust:a', available: 2 },
    ])
  })

  test('fill a deficit first', () => {
    const shop = start()
    shop.adjust(20, 'a', '2026-07-01')
    shop.redeem('any', 'C', '2026-07-02', 20)
    shop.adjust(-15, 'b', '2026-07-03')
    shop.happen({ type: 'cancel-redemption', at: at('2026-07-04'), code: 'C' })
    expect(shop.get(ANN)).toMatchObject({ available: 5, deficit: 0, lots: [{ available: 5 }] })
    shop.audit()
  })
})

import { describe, expect, test } from 'vitest'
import { nextDueAt } from '#app/loyalty/engine.ts'
import { describeTransfers } from '#app/loyalty/member-history.ts'
import { ANN, at, BEN, onlyProgram, Shop } from './shop.ts'

const start = (earning: object[], differences: Record<string, unknown> = {}) =>
  new Shop(onlyProgram({ earning, ...differences }))

describe('sign-up, review and custom events', () => {
  test('pay at once, by name; a custom event’s name is without "custom:"', () => {
    const shop = start(
      [
        { id: 'w', on: 'signup', points: 100 },
        { id: 'q', on: 'custom:quiz night', points: 7 },
      ],
      { hold: { days: 14 } },
    )
    shop.custom('signup', 'a', '2026-08-01')
    shop.custom('quiz night', 'a', '2026-08-01')
    expect(shop.get(ANN)).toMatchObject({ available: 107, pending: 0, lifetimeEarned: 107 })
    expect(shop.transfers.map(({ key, reason }) => [key, reason])).toEqual([
      [`event:${ANN}:signup:a`, 'signup'],
      [`event:${ANN}:quiz night:a`, 'custom'],
    ])
  })

  test('an event that no rule pays is refused, a birthday by event too', () => {
    const shop = start([{ id: 'b', on: 'birthday', points: 100 }])
    expect(shop.custom('signup', 'a', '2026-08-01').refused).toBe('unknown_event')
    expect(shop.custom('birthday', 'a', '2026-08-01').refused).toBe('unknown_event')
    expect(shop.member(ANN)).toBeUndefined()
  })

  test('the key is unique per member and name: another member or name may use it', () => {
    const shop = start([
      { id: 'w', on: 'signup', points: 1 },
      { id: 'r', on: 'review', points: 2 },
    ])
    shop.custom('signup', 'k', '2026-08-01')
    shop.custom('review', 'k', '2026-08-01')
    shop.custom('signup', 'k', '2026-08-01', null, BEN)
    expect([shop.get(ANN).available, shop.get(BEN).available]).toEqual([3, 1])
  })

  test('several rules for one event each pay what they give', () => {
    const shop = start([
      { id: 'a', on: 'review', points: 2 },
      { id: 'b', on: 'review', points: 3, limit: { times: 1, every: 'ever' } },
    ])
    shop.custom('review', 'k', '2026-08-01')
    shop.custom('review', 'l', '2026-08-02')
    expect(shop.get(ANN).available).toBe(7)
    shop.audit()
  })

  test('names and keys that run into each other are different events all the same', () => {
    const shop = start([
      { id: 'review', on: 'review', points: 5 },
      { id: 'photo', on: 'review', points: 3 },
      { id: 'quiz', on: 'custom:quiz', points: 10 },
      { id: 'night', on: 'custom:quiz:night', points: 20 },
    ])
    shop.custom('review', '7', '2026-08-01')
    shop.custom('review', '7:photo', '2026-08-02')
    expect(shop.get(ANN).available).toBe(16)
    shop.custom('quiz', 'night:1', '2026-08-03')
    shop.custom('quiz:night', '1', '2026-08-04')
    expect(shop.get(ANN).available).toBe(46)
    shop.audit()
    expect(describeTransfers(ANN, shop.transfers).map(({ label }) => label)).toEqual([
      ...['Review', 'Review', 'Review', 'Review'],
      ...['Quiz', 'Quiz:night'],
    ])
  })

  test('a rule’s window is half-open in the shop’s zone, its tiers are those of the moment', () => {
    const tiers = {
      metric: 'points',
      window: 'lifetime',
      levels: [
        { id: 'base', name: 'Base', threshold: 0 },
        { id: 'gold', name: 'Gold', threshold: 5 },
      ],
    }
    const shop = start(
      [
        { id: 'r', on: 'review', points: 5, from: '2026-08-01T00:00', until: '2026-08-02T00:00' },
        { id: 'g', on: 'profile', points: 1, when: { tiers: ['gold'] } },
      ],
      { tiers, timezone: 'America/New_York' },
    )
    expect(shop.custom('review', 'a', '2026-08-01T03:59').refused).toBe('not_now')
    expect(shop.custom('profile', 'a', '2026-08-01T03:59').refused).toBe('tier')
    expect(shop.custom('review', 'b', '2026-08-01T04:00').refused).toBeNull()
    expect(shop.custom('review', 'c', '2026-08-02T04:00').refused).toBe('not_now')
    expect(shop.custom('profile', 'b', '2026-08-02T04:00').refused).toBeNull()
  })
})

describe('limits of rules for events', () => {
  const review = (limit: object, timezone = 'UTC') =>
    start([{ id: 'r', on: 'review', points: 50, limit }], { timezone })

  test('every "order" counts per order, and without an order per key', () => {
    const shop = review({ times: 1, every: 'order' })
    expect(shop.custom('review', 'a', '2026-08-01', 'gid://shopify/Order/1').refused).toBeNull()
    expect(shop.custom('review', 'b', '2026-08-01', 'gid://shopify/Order/1').refused).toBe('limit_reached')
    expect(shop.custom('review', 'c', '2026-08-01', 'gid://shopify/Order/2').refused).toBeNull()
    expect(shop.custom('review', 'd', '2026-08-01').refused).toBeNull()
    expect(shop.custom('review', 'e', '2026-08-01').refused).toBeNull()
    expect(shop.get(ANN).available).toBe(200)
  })

  test('"day" and "year" are the shop’s', () => {
    const daily = review({ times: 2, every: 'day' }, 'America/New_York')
    const refused = ['2026-08-01T04:00', '2026-08-01T12:00', '2026-08-02T03:59', '2026-08-02T04:00'].map(
      (when, index) => daily.custom('review', `k${index}`, when).refused,
    )
    expect(refused).toEqual([null, null, 'limit_reached', null])
    const yearly = review({ times: 1, every: 'year' }, 'Pacific/Auckland')
    expect(yearly.custom('review', 'a', '2026-12-31T10:59').refused).toBeNull()
    expect(yearly.custom('review', 'b', '2026-12-31T11:00').refused).toBeNull()
    expect(yearly.custom('review', 'c', '2027-12-31T10:59').refused).toBe('limit_reached')
  })

  test('"ever" is for ever', () => {
    const shop = review({ times: 1, every: 'ever' })
    shop.custom('review', 'a', '2026-08-01')
    expect(shop.custom('review', 'b', '2036-08-01').refused).toBe('limit_reached')
  })
})

describe('birthdays', () => {
  const party = (timezone = 'UTC') =>
    start([{ id: 'b', on: 'birthday', points: 250, limit: { times: 1, every: 'year' } }], { timezone })
  const set = (shop: Shop, month: number, day: number, when: string) =>
    shop.happen({ type: 'birthday', at: at(when), customer: ANN, month, day })
  const paidAt = (shop: Shop) => shop.transfers.map(({ eventAt }) => new Date(eventAt).toISOString())

  test.each([
    ['America/New_York', '2026-06-01', '2026-08-15T04:00:00.000Z'],
    ['Pacific/Auckland', '2026-06-01', '2026-08-14T12:00:00.000Z'],
    ['UTC', '2026-06-01', '2026-08-15T00:00:00.000Z'],
  ])('in %s it is paid at 00:00 of the day, every year', (timezone, when, paid) => {
    const shop = party(timezone)
    set(shop, 8, 15, when)
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at(paid))
    shop.pass(at('2028-12-31'))
    expect(paidAt(shop)).toHaveLength(3)
    expect(paidAt(shop)[0]).toBe(paid)
    expect(shop.transfers[0]?.key).toBe(`birthday:${ANN}:2026`)
  })

  test('30 × 24 h must lie between setting it and the day, else it is skipped this year', () => {
    const shop = party()
    set(shop, 8, 15, '2026-07-16')
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at('2026-08-15'))
    const late = party()
    set(late, 8, 15, '2026-07-16T00:01')
    expect(nextDueAt(late.get(ANN), late.programs)).toBe(at('2027-08-15'))
  })

  test('changing it starts the wait anew and pays once a calendar year; the same day again is no change', () => {
    const shop = party()
    set(shop, 3, 1, '2026-01-01')
    shop.pass(at('2026-03-02'))
    set(shop, 9, 1, '2026-03-02')
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at('2027-09-01'))
    set(shop, 9, 1, '2027-08-20')
    shop.pass(at('2027-09-01'))
    expect(paidAt(shop)).toEqual(['2026-03-01T00:00:00.000Z', '2027-09-01T00:00:00.000Z'])
  })

  test('29 February is kept on the 28th in common years', () => {
    const shop = party()
    set(shop, 2, 29, '2026-01-01')
    shop.pass(at('2028-12-31'))
    expect(paidAt(shop)).toEqual(['2026-02-28T00:00:00.000Z', '2027-02-28T00:00:00.000Z', '2028-02-29T00:00:00.000Z'])
  })

  test('a midnight that the clocks skip is the first instant of the day', () => {
    // Beirut went from 23:59:59 on 28 March 2026 to 01:00 on the 29th: 22:00Z.
    const shop = party('Asia/Beirut')
    set(shop, 3, 29, '2026-01-01')
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at('2026-03-28T22:00'))
  })

  test('a day that no year has is refused; without a rule nothing is due', () => {
    const shop = party()
    expect(set(shop, 2, 30, '2026-01-01').refused).toBe('invalid_date')
    expect(set(shop, 13, 1, '2026-01-01').refused).toBe('invalid_date')
    const none = start([])
    set(none, 3, 1, '2026-01-01')
    expect(nextDueAt(none.get(ANN), none.programs)).toBeNull()
  })

  test('who is no member on the day gets nothing, and what comes before an event of the same instant has happened', () => {
    const shop = start([{ id: 'b', on: 'birthday', points: 10 }], {
      enrolment: 'opt-in',
      rewards: [{ id: 'r', type: 'shipping', cost: 10 }],
    })
    set(shop, 3, 1, '2026-01-01')
    shop.pass(at('2026-04-01'))
    expect(shop.get(ANN).available).toBe(0)
    shop.happen({ type: 'opt-in', at: at('2026-04-01'), customer: ANN })
    expect(shop.redeem('r', 'C', '2027-03-01').refused).toBeNull()
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseReminder, findReminders, showLastDay, type QueuedReminder } from '#app/loyalty/reminders.ts'
import { ANN, at, DAY, onlyProgram, orderOf, Shop } from './shop.ts'

const HOUR = 3_600_000
const LOT = { expiry: { model: 'lot', months: 12 } }

/** Ann with 100 points of 1 August 2026, that end on 2 August 2027 at 00:00 UTC. */
function annsShop(program: Record<string, unknown> = LOT) {
  const shop = new Shop(onlyProgram(program))
  shop.hear(orderOf(1, '100.00', '2026-08-01T12:00'))
  return shop
}
const END = at('2027-08-02')

/** Looks at Ann every so many hours from 40 days before the end, and says when she was reminded of what. */
function watch(shop: Shop, everyMs: number, from = END - 40 * DAY, queued: QueuedReminder[] = []) {
  const reminded: { at: number; days: number; endsAt: number; points: number }[] = []
  for (let now = from; now < END + DAY; now += everyMs) {
    shop.pass(now)
    const reminder = chooseReminder(shop.get(ANN), shop.programs, queued, now)
    if (!reminder) continue
    queued.push({ ...reminder, queuedAt: now })
    reminded.push({ at: now, ...reminder })
  }
  return reminded
}

test('a member is reminded 30 days and 3 days before the end, once each', () => {
  expect(watch(annsShop(), HOUR)).toEqual([
    { at: END - 30 * DAY, days: 30, endsAt: END, points: 100 },
    { at: END - 3 * DAY, days: 3, endsAt: END, points: 100 },
  ])
})

test('a reminder that was missed still comes once while it is of use, and the two never come together', () => {
  expect(watch(annsShop(), HOUR, END - 20 * DAY).map(({ days }) => days)).toEqual([30, 3])
  expect(watch(annsShop(), HOUR, END - 5 * DAY).map(({ days }) => days)).toEqual([3])
  expect(watch(annsShop(), HOUR, END - 2 * DAY).map(({ days }) => days)).toEqual([3])
  expect(watch(annsShop(), HOUR, END - 5 * HOUR)).toEqual([])
})

test('however seldom somebody looks, each is queued once at most, the short one within its 3 days', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 45 * 24 }), (everyHours, hours) => {
      const reminded = watch(annsShop(), everyHours * HOUR, END - hours * HOUR)
      expect(new Set(reminded.map(({ days }) => days)).size).toBe(reminded.length)
      for (const { at: when, days } of reminded) {
        expect(END - when).toBeLessThanOrEqual(days * DAY)
        expect(END - when).toBeGreaterThan(days === 30 ? 7 * DAY : 6 * HOUR)
      }
      if (everyHours <= 60 && hours >= 3 * 24) expect(reminded.at(-1)?.days).toBe(3)
    }),
  )
})

test('points that were spent, or of somebody who is erased or takes no part, are no reason to remind', () => {
  const spent = annsShop({ ...LOT, rewards: [{ id: 'all', type: 'amount', value: '5.00', cost: 100 }] })
  spent.redeem('all', 'CODE', '2027-06-01')
  expect(watch(spent, HOUR)).toEqual([])
  const erased = annsShop()
  erased.happen({ type: 'erase', at: at('2027-06-01'), customer: ANN })
  expect(watch(erased, HOUR)).toEqual([])
  const shop = annsShop({ ...LOT, enrolment: 'accounts' })
  shop.happen({ type: 'customer', at: at('2027-06-01'), customer: ANN, state: 'disabled' })
  expect(watch(shop, HOUR)).toEqual([])
})

test('for want of earnings: whoever buys again is not reminded, or of the later end only', () => {
  const inactivity = { expiry: { model: 'inactivity', months: 12 } }
  expect(watch(annsShop(inactivity), HOUR).map(({ days }) => days)).toEqual([30, 3])

  const bought = annsShop(inactivity)
  bought.hear(orderOf(2, '10.00', '2027-07-01T12:00'))
  expect(watch(bought, HOUR)).toEqual([])

  // Reminded, then bought: the end moves, and with it the reminders.
  const later = annsShop(inactivity)
  const queued: QueuedReminder[] = [{ endsAt: END, days: 30, queuedAt: END - 30 * DAY }]
  later.hear(orderOf(2, '10.00', '2027-07-20T12:00'))
  expect(watch(later, HOUR, END - 12 * DAY, queued)).toEqual([])
  const moved = at('2028-07-21')
  later.pass(moved - 30 * DAY)
  expect(findReminders(later.get(ANN), later.programs, moved - 30 * DAY)).toEqual([
    { endsAt: moved, days: 30, points: 110 },
  ])
})

test('without expiry nobody is reminded', () => {
  expect(watch(annsShop({ expiry: { model: 'none' } }), HOUR)).toEqual([])
})

test('points that end on several days are several reminders, but no more than one a day', () => {
  const shop = annsShop()
  shop.hear(orderOf(2, '20.00', '2026-08-02T12:00'))
  shop.hear(orderOf(3, '30.00', '2026-08-02T18:00'))
  // Ten days late, both 30-day reminders are due at once.
  const reminded = watch(shop, HOUR, END - 20 * DAY)
  expect(
    reminded.map(({ at: when, endsAt, days, points }) => [(when - END) / DAY, (endsAt - END) / DAY, days, points]),
  ).toEqual([
    [-20, 0, 30, 100],
    [-20 + 20 / 24, 1, 30, 50],
    [-3, 0, 3, 100],
    [-2, 1, 3, 50],
  ])
})

test('the last day is the one before the end, on the shop’s calendar', () => {
  expect(showLastDay(at('2027-08-02'), 'UTC')).toBe('2027-08-01')
  expect(showLastDay(at('2027-03-31T22:00'), 'Europe/Berlin')).toBe('2027-03-31')
})

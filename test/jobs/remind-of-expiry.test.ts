import { expect, it } from 'vitest'
import { now } from '#app/clock.server.ts'
import { setReminding } from '#app/db/reminders.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { letTimePassIn } from '#app/jobs/nightly.ts'
import { remindOfExpiry } from '#app/jobs/remind-of-expiry.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { endOfDayMonthsLater } from '#app/loyalty/time.ts'
import { atInstant } from '#test/setup/factories.ts'
import { openSpendingShop, type SpendingShop } from './spending-shop.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
const LOT = { expiry: { model: 'lot', months: 12 } } as Partial<ProgramDocument>
const INACTIVITY = {
  expiry: { model: 'inactivity', months: 12 },
  earning: [{ id: 'welcome', on: 'signup', points: 1 }],
} as Partial<ProgramDocument>

/** A shop with Ann, who holds 100 points that end at `end`. */
async function openAnnsShop(program = LOT) {
  const place = await openSpendingShop([], program)
  const end = endOfDayMonthsLater(now(), 12, 'UTC')
  return { place, end, ann: await place.member(100) }
}

/** Time passes up to an instant; then whoever is due is queued. Returns how many were. */
function lookAt(place: SpendingShop, at: number): Promise<number | null> {
  return atInstant(new Date(at).toISOString(), async () => {
    await letTimePassIn(place.shop.id)
    return remindOfExpiry(place.shop)
  })
}

/** Carries out what the outbox holds at an instant, and returns what Flow has heard of so far. */
function hearAt(place: SpendingShop, at: number) {
  return atInstant(new Date(at).toISOString(), async () => {
    await carryOutShop(place.shop.id, () => place.admin)
    return place.store.tables
      .list('flowTriggers', place.shop.domain)
      .map(({ handle, payload }) => ({ handle, payload }))
  })
}

const heard = (customer: string, points: number, daysLeft: number, end: number) => ({
  handle: 'points-expire-soon',
  payload: {
    customer_id: Number(customer.split('/').at(-1)),
    Points: points,
    'Days left': daysLeft,
    'Last day': new Date(end - 1).toISOString().slice(0, 10),
  },
})

it('tells Flow 30 and 3 days before points end, once each, by day', async () => {
  const { place, end, ann } = await openAnnsShop()
  expect(await lookAt(place, end - 31 * DAY)).toBe(0)
  expect(await lookAt(place, end - 30 * DAY)).toBe(1)
  // It is midnight: nobody is woken.
  expect(await hearAt(place, end - 30 * DAY)).toEqual([])
  expect(await hearAt(place, end - 30 * DAY + 10 * HOUR)).toEqual([heard(ann, 100, 30, end)])
  expect(await lookAt(place, end - 4 * DAY)).toBe(0)
  expect(await lookAt(place, end - 3 * DAY + HOUR)).toBe(1)
  const all = [heard(ann, 100, 30, end), heard(ann, 100, 3, end)]
  expect(await hearAt(place, end - 3 * DAY + 10 * HOUR)).toEqual(all)
  for (const days of [2, 1, 0]) await lookAt(place, end - days * DAY)
  expect(await hearAt(place, end)).toEqual(all)
})

it('queues a reminder once, however often and by how many it is looked for', async () => {
  const { place, end } = await openAnnsShop()
  const together = await atInstant(new Date(end - 20 * DAY).toISOString(), () =>
    Promise.all([remindOfExpiry(place.shop), remindOfExpiry(place.shop), remindOfExpiry(place.shop)]),
  )
  expect(together.reduce<number>((sum, queued) => sum + (queued ?? 0), 0)).toBe(1)
  // Within the hour nobody looks again.
  expect(await lookAt(place, end - 20 * DAY + HOUR / 2)).toBeNull()
  expect(await lookAt(place, end - 19 * DAY)).toBe(0)
})

it('says what is true when it says it: fewer points where some were spent, nothing where all were', async () => {
  const { place, end, ann } = await openAnnsShop()
  const ben = await place.member(40)
  expect(await lookAt(place, end - 30 * DAY)).toBe(2)
  const at = end - 30 * DAY + HOUR
  const spend = (customer: string, points: number, key: string) =>
    ({ type: 'adjust', at, customer, points: -points, reason: 'r', actor: 'a', key }) as const
  await applyEvents(place.shop.id, [spend(ann, 30, 'one'), spend(ben, 40, 'two')], at)
  expect(await hearAt(place, end - 30 * DAY + 10 * HOUR)).toEqual([heard(ann, 70, 30, end)])
})

it('for want of earnings: an earning moves the end, and the reminder that waited is not said', async () => {
  const { place, end, ann } = await openAnnsShop(INACTIVITY)
  expect(await lookAt(place, end - 30 * DAY)).toBe(1)
  const at = end - 30 * DAY + HOUR
  const signup = { type: 'event', at, customer: ann, name: 'signup', key: 'once', order: null } as const
  await applyEvents(place.shop.id, [signup], at)
  expect(await hearAt(place, end - 30 * DAY + 10 * HOUR)).toEqual([])
  expect(await lookAt(place, end - 3 * DAY)).toBe(0)
  const moved = endOfDayMonthsLater(end - 30 * DAY, 12, 'UTC')
  expect(await lookAt(place, moved - 29 * DAY)).toBe(1)
  expect(await hearAt(place, moved - 29 * DAY + 10 * HOUR)).toEqual([heard(ann, 101, 29, moved)])
})

it('reminds nobody while the merchant wants none, nor of what waits when it is turned off', async () => {
  const { place, end } = await openAnnsShop()
  await setReminding(place.shop.id, false)
  expect(await lookAt(place, end - 30 * DAY)).toBeNull()
  await setReminding(place.shop.id, true)
  expect(await lookAt(place, end - 29 * DAY)).toBe(1)
  await setReminding(place.shop.id, false)
  expect(await hearAt(place, end - 28 * DAY)).toEqual([])
})

it('leaves out erased members, and forgets what was queued of them with a merge or the shop', async () => {
  const { place, end, ann } = await openAnnsShop()
  const ben = await place.member(10)
  expect(await lookAt(place, end - 30 * DAY)).toBe(2)
  const at = end - 30 * DAY + HOUR
  await applyEvents(place.shop.id, [{ type: 'merge', at, from: ben, into: ann }], at)
  // Merged into a member who was reminded of that very end: nobody is reminded twice.
  expect(await lookAt(place, end - 28 * DAY)).toBe(0)
  await applyEvents(place.shop.id, [{ type: 'erase', at: end - 10 * DAY, customer: ann }], end - 10 * DAY)
  expect(await hearAt(place, end - 10 * DAY)).toEqual([])
  expect(await lookAt(place, end - 3 * DAY)).toBe(0)
})

it('tells of 25 members in one request, later where Shopify is away, and of nobody twice', async () => {
  const { place, end } = await openAnnsShop()
  for (let count = 0; count < 29; count++) await place.member(10)
  expect(await lookAt(place, end - 20 * DAY)).toBe(30)
  place.trouble('FlowTriggers', '500', 4)
  expect(await hearAt(place, end - 20 * DAY + 11 * HOUR)).toEqual([])
  place.heal()
  place.operations.length = 0
  const all = await hearAt(place, end - 19 * DAY)
  expect(new Set(all.map(({ payload }) => (payload as { customer_id: number }).customer_id)).size).toBe(30)
  expect(place.operations.filter((name) => name === 'FlowTriggers')).toHaveLength(2)
  expect(await hearAt(place, end - 18 * DAY)).toEqual(all)
})

it('does not tell again what Shopify may have heard, its answer being lost', async () => {
  const { place, end } = await openAnnsShop()
  await lookAt(place, end - 20 * DAY)
  place.trouble('FlowTriggers', 'lost')
  expect(await hearAt(place, end - 20 * DAY + 11 * HOUR)).toHaveLength(1)
  expect(await hearAt(place, end - 19 * DAY)).toHaveLength(1)
})

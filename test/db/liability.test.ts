import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { openAccounts, postToLedger } from '#app/db/ledger.server.ts'
import { countLiabilityMembers, readLiability } from '#app/db/liability.server.ts'
import { foldPointsFlows } from '#app/db/points-flows.server.ts'
import { listCustomersBehind, sumCustomersBehind } from '#app/db/retention.server.ts'
import type { Account, Transfer } from '#app/loyalty/ledger.ts'
import { DAY_MS, dayNumberAt, fromDayNumber, startOfDate } from '#app/loyalty/time.ts'
import { MOVEMENTS, type Movement } from '#app/retention/liability.ts'
import { customPeriod } from '#app/retention/periods.ts'
import { makeShop } from '#test/setup/factories.ts'

const AS_OF = Date.parse('2026-11-22T10:20:30Z')
const MEMBERS = [1, 2, 3, 4].map((number) => `gid://shopify/Customer/${number}`)

/** What can happen to a member's points, with the movement that it is and whether it adds to what is held. */
const HAPPENINGS: { from: string; to: string; as: Movement | null; adds: number }[] = [
  { from: 'shop.issued', to: 'member', as: 'earned', adds: 1 },
  { from: 'member', to: 'shop.issued', as: 'earned', adds: -1 },
  { from: 'member', to: 'shop.redeemed', as: 'spent', adds: -1 },
  { from: 'shop.redeemed', to: 'member', as: 'spent', adds: 1 },
  { from: 'member', to: 'shop.expired', as: 'expired', adds: -1 },
  { from: 'member', to: 'shop.taken_back', as: 'takenBack', adds: -1 },
  { from: 'shop.written_off', to: 'shop.taken_back', as: null, adds: 0 },
  { from: 'member', to: 'shop.forfeited', as: 'forfeited', adds: -1 },
  { from: 'shop.adjusted', to: 'member', as: 'adjusted', adds: 1 },
  { from: 'member', to: 'shop.adjusted', as: 'adjusted', adds: -1 },
  { from: 'member', to: 'member-4', as: null, adds: 0 },
]

const happenings = fc.array(
  fc.record({
    happening: fc.constantFrom(...HAPPENINGS),
    member: fc.constantFrom(...MEMBERS.slice(0, 3)),
    amount: fc.integer({ min: 1, max: 500 }),
    /** Late ones too: what was long ago may be written down last. */
    eventAt: fc.integer({ min: 1, max: 200 * 24 }).map((hours) => AS_OF - hours * 3_600_000),
  }),
  { maxLength: 40 },
)

type Happened = { happening: (typeof HAPPENINGS)[number]; member: string; amount: number; eventAt: number }

function toTransfer({ happening, member, amount, eventAt }: Happened, key: string): Transfer {
  const account = (name: string): Account =>
    name === 'member'
      ? `member:${member}.available`
      : name === 'member-4'
        ? `member:${MEMBERS[3]!}.available`
        : (name as Account)
  const [from, to] = [account(happening.from), account(happening.to)]
  return { ...{ key, from, to, amount, eventAt }, reason: 'adjust', source: null, reverses: null }
}

/** What a member held at an instant, by all that had happened before; the fourth is who others' points went to. */
function heldBy(member: string, all: Happened[], at: number): number {
  return all
    .filter(({ eventAt }) => eventAt < at)
    .reduce((sum, { happening: { to, adds }, member: whose, amount }) => {
      const passed = to === 'member-4' ? (member === MEMBERS[3] ? amount : whose === member ? -amount : 0) : 0
      return sum + passed + (whose === member ? adds * amount : 0)
    }, 0)
}

test('whatever moved and whenever it was summed up, a period’s lines lead from opening to closing as the ledger has it, to the point', async () => {
  const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe')
  const days = fc.integer({ min: 0, max: 210 })
  await fc.assert(
    fc.asyncProperty(happenings, happenings, zones, days, days, async (earlier, later, timeZone, first, last) => {
      const shop = await makeShop({ timezone: timeZone })
      await openAccounts(shop.id, MEMBERS)
      const post = (list: Happened[], name: string) =>
        inTransaction((client) =>
          postToLedger(
            shop.id,
            { transfers: list.map((one, place) => toTransfer(one, `${name}${place}`)) },
            AS_OF,
            client,
          ),
        )
      await post(earlier, 'a')
      if (first % 2 === 0) await foldPointsFlows(shop.id, last % 3 === 0 ? 'Asia/Tokyo' : timeZone)
      await post(later, 'b')
      const today = dayNumberAt(AS_OF, timeZone)
      const period = customPeriod(today - first, today - last)
      const startAt = (day: number) => startOfDate(fromDayNumber(day), timeZone)
      const all = [...earlier, ...later]
      const added = (list: Happened[]) => list.reduce((sum, one) => sum + one.happening.adds * one.amount, 0)
      const before = all.filter(({ eventAt }) => eventAt < startAt(period.from))
      const inside = all.filter(({ eventAt }) => eventAt >= startAt(period.from) && eventAt < startAt(period.until))
      const asked = { shopId: shop.id, asOf: AS_OF, timeZone }
      const { movement, outstanding, members } = await readLiability(asked, period)
      const counted = await countLiabilityMembers(asked, period)
      expect([movement.opening, movement.closing, outstanding]).toEqual([
        ...[added(before), added(before) + added(inside), added(all)],
      ])
      const { opening, earned, spent, expired, takenBack, forfeited, adjusted, closing } = movement
      expect(opening + earned - spent - expired - takenBack - forfeited + adjusted).toBe(closing)
      for (const kind of MOVEMENTS) {
        const own = inside.filter(({ happening }) => happening.as === kind)
        const sign = kind === 'earned' || kind === 'adjusted' ? 1 : -1
        expect([kind, movement[kind]]).toEqual([kind, 0 + sign * added(own) || 0])
        const behind = { kind: 'moved', movement: kind, ...period } as const
        const { customers, points } = await sumCustomersBehind(asked, behind)
        expect([kind, customers, points]).toEqual([kind, counted.movers[kind], added(own)])
        expect([kind, customers]).toEqual([kind, new Set(own.map(({ member }) => member)).size])
      }
      for (const [day, points, length] of [
        [period.from, opening, counted.opening],
        [period.until, closing, counted.closing],
      ] as const) {
        const then = { kind: 'points-then', day } as const
        const held = MEMBERS.map((member) => ({ customer: member, points: heldBy(member, all, startAt(day)) }))
        const holders = held.filter((holder) => holder.points !== 0)
        expect(await sumCustomersBehind(asked, then)).toEqual({ customers: holders.length, points })
        expect(length).toBe(holders.length)
        const rows = await listCustomersBehind(asked, then, { limit: 10, sort: 'points' })
        expect(rows.map((row) => Math.abs(row.points!))).toEqual(
          holders.map((holder) => Math.abs(holder.points)).sort((a, b) => b - a),
        )
        expect(rows.map((row) => `${row.customer} ${row.points}`).sort()).toEqual(
          holders.map((holder) => `${holder.customer} ${holder.points}`).sort(),
        )
      }
      const everExpired = new Set(all.filter(({ happening }) => happening.as === 'expired').map(({ member }) => member))
      expect(counted.everExpired).toBe(everExpired.size)
      for (const group of ['held', 'reserved', 'deficit'] as const) {
        const held = { customers: members[group], points: group === 'held' ? outstanding : 0 }
        expect(await sumCustomersBehind(asked, { kind: 'points', group })).toEqual(held)
        const rows = await listCustomersBehind(asked, { kind: 'points', group }, { limit: 10, sort: 'points' })
        expect(rows.reduce((sum, row) => sum + row.points!, 0)).toBe(held.points)
      }
    }),
    { numRuns: 25 },
  )
})

test('points are counted by their age, and each age opens those who hold them', async () => {
  const shop = await makeShop({ timezone: 'Europe/Berlin' })
  await openAccounts(shop.id, MEMBERS)
  const lot = (member: string, key: string, days: number, available: number) => ({
    ...{ member, key, pending: 0, available, earnedAt: AS_OF - days * DAY_MS, releaseAt: null, expiresAt: null },
    isNew: true,
  })
  const [ann, ben, cleo] = MEMBERS as [string, string, string]
  await inTransaction((client) =>
    postToLedger(
      shop.id,
      {
        transfers: [],
        lots: [lot(ann, 'a', 10, 50), lot(ann, 'b', 100, 7), lot(ben, 'c', 20, 5), lot(cleo, 'd', 800, 1)],
      },
      AS_OF,
      client,
    ),
  )
  const asked = { shopId: shop.id, asOf: AS_OF, timeZone: 'Europe/Berlin' }
  const { ages, members } = await readLiability(asked, customPeriod(20_000, 20_001))
  expect(ages.map(({ fromMonths, points }) => [fromMonths, points])).toEqual([
    [0, 55],
    [3, 7],
    [6, 0],
    [12, 0],
    [24, 1],
  ])
  expect(members.ages).toEqual([2, 1, 0, 0, 1])
  for (const [place, { fromMonths: months }] of ages.entries()) {
    const [customers, { points }] = [members.ages[place], ages[place]!]
    expect(await sumCustomersBehind(asked, { kind: 'points-age', months })).toEqual({ customers, points })
  }
})

/** Lets somebody earn 10 points today, in a transaction that does `meanwhile` before it ends. */
async function earnTen(shopId: number, key: string, meanwhile = () => Promise.resolve()): Promise<void> {
  await inTransaction(async (client) => {
    const one = { happening: HAPPENINGS[0]!, member: MEMBERS[0]!, amount: 10, eventAt: AS_OF }
    await postToLedger(shopId, { transfers: [toTransfer(one, key)] }, AS_OF, client)
    await meanwhile()
  })
}

async function earnedToday(shopId: number, timeZone: string): Promise<number> {
  const today = dayNumberAt(AS_OF, timeZone)
  return (await readLiability({ shopId, asOf: AS_OF, timeZone }, customPeriod(today, today))).movement.earned
}

test('what postings noted is folded into days once, however often that is asked for, and later ones are added', async () => {
  const shop = await makeShop({ timezone: 'UTC' })
  await openAccounts(shop.id, MEMBERS)
  const noted = async () =>
    (await pool.query('select points from points_flow_deltas where shop_id = $1', [shop.id])).rows.length
  await earnTen(shop.id, 'a')
  expect([await earnedToday(shop.id, 'UTC'), await noted()]).toEqual([10, 1])
  await foldPointsFlows(shop.id, 'UTC')
  await foldPointsFlows(shop.id, 'UTC')
  expect([await earnedToday(shop.id, 'UTC'), await noted()]).toEqual([10, 0])
  await earnTen(shop.id, 'b')
  // A repeat is no second movement.
  await earnTen(shop.id, 'b')
  expect([await earnedToday(shop.id, 'UTC'), await noted()]).toEqual([20, 1])
})

test.each(['UTC', 'Asia/Tokyo'])(
  'a posting that is under way while sums are folded by the days of %s is counted once it is there',
  async (timeZone) => {
    const shop = await makeShop({ timezone: 'UTC' })
    await openAccounts(shop.id, MEMBERS)
    await earnTen(shop.id, 'a')
    await foldPointsFlows(shop.id, 'UTC')
    await earnTen(shop.id, 'b', () => foldPointsFlows(shop.id, timeZone))
    expect(await earnedToday(shop.id, timeZone)).toBe(20)
    await foldPointsFlows(shop.id, timeZone)
    expect(await earnedToday(shop.id, timeZone)).toBe(20)
  },
)

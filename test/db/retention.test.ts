import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inTransaction, pool, prisma } from '#app/db/client.server.ts'
import { loadOrderLog, rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { findCustomerPrediction, savePrediction } from '#app/db/predictions.server.ts'
import {
  askMeasures,
  countCustomersBehind,
  countGroups,
  listCustomersBehind,
  readCohortTable,
  readFunnel,
  readIntervalTable,
  readOverview,
  readPareto,
  readRfmGrid,
} from '#app/db/retention.server.ts'
import { DAY_MS, dayNumberAt, fromDayNumber, HOUR_MS, startOfDate } from '#app/loyalty/time.ts'
import { nameMonth } from '#app/retention/calendar.ts'
import { measureOrders } from '#app/retention/measures.ts'
import { comparedWith, customPeriod, findPeriod, nameDay, parseDay, PERIOD_NAMES } from '#app/retention/periods.ts'
import {
  parseMonth,
  RETENTION_SEGMENTS,
  findSegment,
  nameGroup,
  parseGroup,
  type CustomerGroup,
  type PeriodGroup,
} from '#app/retention/segments.ts'
import { repeatPurchaseRate } from '#app/retention/value.ts'
import { bruteForceMeasures, bruteForcePeriod, type Order } from '#test/retention/brute-force.ts'
import { makeShop } from '#test/setup/factories.ts'

const AS_OF = Date.parse('2026-11-21T15:30:00Z')

/** A shop with `customers` customers and some 5 orders each over three years, scattered in a repeatable way. */
async function makeBusyShop(timezone: string, customers = 120) {
  const shop = await makeShop({ timezone })
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, row_number() over (), c, at, at, at, hash % 20000, hash % 11 <> 0, '{}'
       from generate_series(1, $2::int) as c
       cross join lateral generate_series(1, 1 + c % 9) as n
       cross join lateral (select abs(hashint4(c * 1000 + n)) as hash, abs(hashint4(n * 77 + c * 13)) as when_) as h
       cross join lateral (select $3::timestamptz - make_interval(secs => when_ % (1095 * 86400)) as at) as t`,
    [shop.id, customers, new Date(AS_OF)],
  )
  await inTransaction((client) => rebuildMeasures(shop.id, AS_OF, client))
  return askMeasures(shop, AS_OF)
}

test.each(['UTC', 'America/New_York', 'Pacific/Auckland'])(
  'in %s the pages’ numbers are those of the orders, and each opens a list of just as many customers',
  async (timeZone) => {
    const asked = await makeBusyShop(timeZone)
    const overview = await readOverview(asked)
    const measures = measureOrders(await loadOrderLog(asked.shopId), {
      ...{ asOf: AS_OF, timeZone, activityDays: 365, exponent: 2 },
    })
    expect(overview.customers).toBe(measures.customers)
    expect(overview.lifecycle).toEqual(measures.lifecycle)
    expect(
      overview.months.map((row) => [nameMonth(row.month), row.orders, row.buyers, row.newBuyers, row.crr]),
    ).toEqual(measures.months.map((row) => [row.month, row.orders, row.buyers, row.newBuyers, row.crr]))
    const numbers: [CustomerGroup, number][] = [
      [{ kind: 'all' }, overview.customers],
      [{ kind: 'repeat' }, overview.repeatCustomers],
      ...(['active', 'passive', 'lost'] as const).map((stage): [CustomerGroup, number] => [
        { kind: 'stage', stage },
        overview.lifecycle[stage],
      ]),
      ...overview.months
        .slice(-15)
        .flatMap(({ month, buyers, newBuyers, crr }): [CustomerGroup, number][] => [
          [{ kind: 'month', group: 'buyers', month }, buyers],
          [{ kind: 'month', group: 'new', month }, newBuyers],
          [{ kind: 'month', group: 'returning', month }, buyers - newBuyers],
          ...(['S', 'E', 'N', 'R', 'B'] as const).map((group): [CustomerGroup, number] => [
            { kind: 'month', group, month },
            crr[group],
          ]),
        ]),
      ...(await readCohortTable(asked))
        .slice(-6)
        .flatMap((cohort) =>
          cohort.active.map((buyers, place): [CustomerGroup, number] => [
            { kind: 'cohort', cohort: cohort.month, month: cohort.month + place },
            buyers,
          ]),
        ),
      ...(await readRfmGrid(asked))!.map(({ R, FM, customers }): [CustomerGroup, number] => [
        { kind: 'rfm-cell', R, FM },
        customers,
      ]),
      ...countGroups((await readRfmGrid(asked))!).map(({ group, customers }): [CustomerGroup, number] => [
        { kind: 'rfm', group },
        customers,
      ]),
      ...(await readPareto(asked)).map(({ percent, customers }): [CustomerGroup, number] => [
        { kind: 'best', percent },
        customers,
      ]),
      [{ kind: 'top-fifth' }, Math.ceil(overview.customers / 5)],
      ...(await readIntervalTable(asked)).weeks.flatMap((weeks, place) =>
        weeks.flatMap((count, week): [CustomerGroup, number][] =>
          count > 0
            ? [
                [{ kind: 'interval', ordinal: place + 1, week }, count],
                [
                  { kind: 'interval-within', ordinal: place + 1, week },
                  weeks.slice(0, week + 1).reduce((sum, more) => sum + more, 0),
                ],
              ]
            : [],
        ),
      ),
    ]
    for (const [group, number] of numbers) {
      expect([nameGroup(group), await countCustomersBehind(asked, group)]).toEqual([nameGroup(group), number])
    }
    const list = await listCustomersBehind(asked, { kind: 'repeat' }, { limit: 1_000 })
    expect(list).toHaveLength(overview.repeatCustomers)
    expect(countGroups((await readRfmGrid(asked))!).reduce((sum, { customers }) => sum + customers, 0)).toBe(
      overview.customers,
    )
    const intervals = await readIntervalTable(asked)
    expect(intervals.all.mean).toBe(measures.intervalDays.mean)
    const steps = await readPareto(asked)
    expect(steps[3]!.revenueMinor / steps.at(-1)!.revenueMinor).toBeCloseTo(measures.pareto.top20Share!, 6)
  },
)

/** A shop with these orders and no others, counted. */
async function makeShopOf(orders: Order[], timezone: string) {
  const shop = await makeShop({ timezone })
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, place, member, at, at, at, amount, true, '{}'
       from unnest($2::bigint[], $3::timestamptz[], $4::bigint[]) with ordinality as g (member, at, amount, place)`,
    [
      shop.id,
      orders.map(({ customer }) => customer.charCodeAt(0)),
      orders.map(({ at }) => new Date(at)),
      orders.map(({ amountMinor }) => amountMinor),
    ],
  )
  await inTransaction((client) => rebuildMeasures(shop.id, AS_OF, client))
  return shop
}

/** A few years of a few customers' orders, up to this moment. */
const someOrders = fc.array(
  fc.record({
    customer: fc.constantFrom(...'abcdefghijkl'),
    at: fc.oneof(
      fc.integer({ min: AS_OF - 1_300 * DAY_MS, max: AS_OF - 1 }),
      fc.integer({ min: 0, max: 40 }).map((days) => AS_OF - days * DAY_MS - 15.5 * HOUR_MS),
    ),
    amountMinor: fc.nat(30_000),
  }),
  { maxLength: 40 },
)
const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe')

test('on random shops every period has the measures of its orders, slowly counted, and each opens a list as long', async () => {
  const days = fc.integer({ min: 0, max: 1_300 })
  await fc.assert(
    fc.asyncProperty(someOrders, zones, days, days, async (orders, timeZone, first, last) => {
      const asked = await askMeasures(await makeShopOf(orders, timeZone), AS_OF)
      const today = dayNumberAt(AS_OF, timeZone)
      const named = PERIOD_NAMES.map((name) => findPeriod(name, today))
      const periods = [
        ...[...named, customPeriod(today - first, today - last)],
        ...named.flatMap((period) => comparedWith(period, 'year', today) ?? []),
        // A leap year is a day longer than the activity window.
        customPeriod(parseDay('2024-01-01')!, parseDay('2024-12-31')!),
      ]
      const { periods: measured } = await readOverview(asked, () => periods)
      const startAt = (day: number) => startOfDate(fromDayNumber(day), timeZone)
      for (const [place, period] of periods.entries()) {
        const [fromAt, untilAt] = [startAt(period.from), Math.min(AS_OF, startAt(period.until))]
        const wanted = bruteForcePeriod(orders, fromAt, untilAt, { asOf: AS_OF, activityDays: 365 })
        const { revenueMinor, crr, partial, ...read } = measured[place]!
        const { crr: wantedCrr, revenue, ...counts } = wanted
        expect([nameDay(period.from), nameDay(period.until), read]).toEqual([
          ...[nameDay(period.from), nameDay(period.until), counts],
        ])
        expect([BigInt(revenueMinor), partial]).toEqual([revenue, startAt(period.until) > AS_OF])
        if (untilAt - fromAt <= 367 * DAY_MS) expect(crr).toEqual(wantedCrr)
        else expect(crr).toBeNull()
      }
      const place = first % periods.length
      const { from, until } = periods[place]!
      const { buyers, newBuyers, customersByEnd: known, crr } = measured[place]!
      const lengths = { buyers, new: newBuyers, returning: buyers - newBuyers, known }
      const letters = crr && { S: crr.S, E: crr.E, N: crr.N, R: crr.R, B: crr.B, kept: crr.E - crr.N }
      for (const [group, length] of Object.entries({ ...lengths, ...letters })) {
        const behind = { kind: 'period', group: group as PeriodGroup, from, until } as const
        expect([group, await countCustomersBehind(asked, behind)]).toEqual([group, length])
      }
    }),
    { numRuns: 20 },
  )
})

test('on random shops the measures of today are those of the orders, slowly counted', async () => {
  await fc.assert(
    fc.asyncProperty(someOrders, zones, async (orders, timeZone) => {
      const asked = await askMeasures(await makeShopOf(orders, timeZone), AS_OF)
      const slow = bruteForceMeasures(orders, { asOf: AS_OF, timeZone, activityDays: 365, exponent: 0 })
      const overview = await readOverview(asked)
      expect(overview.lifecycle).toEqual(slow.lifecycle)
      expect(repeatPurchaseRate(overview.repeatCustomers, overview.customers)).toBe(slow.repeatPurchaseRate)
      const cohorts = await readCohortTable(asked)
      expect(cohorts.map(({ month, size, active }) => ({ month: nameMonth(month), size, active }))).toEqual(
        slow.cohorts,
      )
      const byCustomer = Map.groupBy(
        orders.toSorted((a, b) => a.at - b.at),
        ({ customer }) => customer,
      )
      const spent = [...byCustomer.values()].map((own) => own.reduce((sum, order) => sum + order.amountMinor, 0))
      spent.sort((a, b) => b - a)
      expect(await readPareto(asked)).toEqual(
        Array.from({ length: spent.length === 0 ? 0 : 20 }, (_, step) => {
          const best = spent.slice(0, Math.ceil((spent.length * (step + 1)) / 20))
          const revenueMinor = best.reduce((sum, value) => sum + value, 0)
          return { percent: (step + 1) * 5, customers: best.length, revenueMinor }
        }),
      )
      const { all, byOrdinal, weeks } = await readIntervalTable(asked)
      expect([all.count, all.mean]).toEqual([slow.intervalDays.count, slow.intervalDays.mean])
      for (const [place, row] of weeks.entries()) {
        const gaps = [...byCustomer.values()].flatMap((own) =>
          own.length > place + 1 ? [own[place + 1]!.at - own[place]!.at] : [],
        )
        expect(byOrdinal[place]!.count).toBe(gaps.length)
        expect(row).toEqual(
          row.map((_, week) => gaps.filter((gap) => Math.min(52, Math.floor(gap / (7 * DAY_MS))) === week).length),
        )
      }
      const grid = await readRfmGrid(asked)
      const groups = measureOrders(await loadOrderLog(asked.shopId), {
        ...{ asOf: AS_OF, timeZone, activityDays: 365, exponent: 0 },
      }).rfm.groups
      if (groups) expect(countGroups(grid!).map((row) => [row.group, row.customers])).toEqual(groupsOf(groups))
      else expect(grid).toBeNull()
    }),
    { numRuns: 20 },
  )
})

function groupsOf(groups: Record<string, number>): [string, number][] {
  return Object.entries(groups).filter(([group]) => group !== 'PROSPECTS')
}

test('a shop without orders has numbers, all of them nothing', async () => {
  const asked = await askMeasures(await makeShop(), AS_OF)
  expect(await readOverview(asked)).toEqual({
    months: [],
    periods: [],
    customers: 0,
    repeatCustomers: 0,
    lifecycle: { active: 0, passive: 0, lost: 0 },
  })
  expect(await readRfmGrid(asked)).toBeNull()
  expect(await readPareto(asked)).toEqual([])
  expect((await readIntervalTable(asked)).all.median).toBeNull()
})

test('groups are read back from their names, and nothing else is', () => {
  const month = parseMonth('2026-10')!
  const groups: CustomerGroup[] = [
    { kind: 'all' },
    { kind: 'stage', stage: 'lost' },
    { kind: 'month', group: 'R', month },
    { kind: 'cohort', cohort: month - 3, month },
    { kind: 'rfm', group: 'AT_RISK' },
    { kind: 'rfm-cell', R: 5, FM: 1 },
    { kind: 'period', group: 'kept', from: 20_000, until: 20_031 },
    { kind: 'moved', movement: 'takenBack', from: 20_000, until: 20_001 },
    { kind: 'orders', least: 3 },
    { kind: 'interval', ordinal: 1, week: 52 },
    { kind: 'interval-within', ordinal: 4, week: 0 },
    { kind: 'best', percent: 35 },
    { kind: 'funnel', step: 'redeem' },
    { kind: 'points', group: 'deficit' },
    { kind: 'points-then', day: 20_000 },
    { kind: 'points-age', months: 12 },
    { kind: 'predicted' },
  ]
  for (const group of groups) expect(parseGroup(nameGroup(group))).toEqual(group)
  for (const text of [
    '',
    'none',
    'S:2026-13',
    'rfm:BEST',
    'rfm-cell:6:1',
    'cohort:2026-02:2026-01',
    'all:1',
    'stage:x',
    'buyers:2026-02-30:2026-03-01',
    'buyers:2026-03-02:2026-03-01',
    'interval:1:53',
    'interval-within:1:53',
    'best:0',
    'points-age:5',
    'points-then:2026-02-30',
    'orders:-1',
  ]) {
    expect(parseGroup(text)).toBeNull()
  }
  for (const segment of RETENTION_SEGMENTS) expect(findSegment(segment)).not.toBeNull()
  expect(new Set(RETENTION_SEGMENTS).size).toBe(RETENTION_SEGMENTS.length)
})

test('on random shops the funnel counts those who took each step and all before it, and each step opens them', async () => {
  const member = fc.record({
    erased: fc.boolean(),
    earned: fc.boolean(),
    redemption: fc.constantFrom(null, 'reserved', 'issued', 'used', 'returned'),
    orders: fc.integer({ min: 0, max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(member, { maxLength: 12 }), async (members) => {
      const shop = await makeShop()
      for (const [place, { erased, earned, redemption, orders }] of members.entries()) {
        const id = BigInt(place + 1)
        const at = new Date(AS_OF - DAY_MS)
        await prisma.member.create({
          data: { shopId: shop.id, id, joinedAt: at, updatedAt: at, erasedAt: erased ? at : null },
        })
        await prisma.balance.create({ data: { shopId: shop.id, memberId: id, lifetimeEarned: earned ? 5n : 0n } })
        if (redemption) {
          await prisma.redemption.create({
            data: {
              ...{ shopId: shop.id, id: `rdm_${id}`, memberId: id, rewardId: 'x', type: 'amount', points: 5n },
              ...{ state: redemption, reservedAt: at, updatedAt: at },
            },
          })
        }
        if (orders > 0) {
          await prisma.customerStanding.create({
            data: { shopId: shop.id, memberId: id, orders, revenueMinor: 1n, firstAt: at, lastAt: at },
          })
        }
      }
      const signup = members.filter(({ erased }) => !erased)
      const earn = signup.filter(({ earned }) => earned)
      const redeem = earn.filter(({ redemption }) => redemption === 'issued' || redemption === 'used')
      const repeat = redeem.filter(({ orders }) => orders >= 2)
      const asked = await askMeasures(shop, AS_OF)
      const funnel = await readFunnel(asked)
      expect(funnel.map(({ could, did }) => [could, did])).toEqual([
        [signup.length, signup.length],
        [signup.length, earn.length],
        [earn.length, redeem.length],
        [redeem.length, repeat.length],
      ])
      for (const { step, did } of funnel) {
        expect(await countCustomersBehind(asked, { kind: 'funnel', step })).toBe(did)
        expect(await listCustomersBehind(asked, { kind: 'funnel', step }, { limit: 20 })).toHaveLength(did)
      }
    }),
    { numRuns: 15 },
  )
})

test('slipping away goes by the prediction, and by silence where that saw nobody leave for good: then no chance is told either', async () => {
  const shop = await makeShop({ timezone: 'UTC' })
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, row_number() over (), c, at, at, at, 1000, true, '{}'
       from (values (1, 330), (1, 320), (2, 90), (2, 30)) as o (c, days)
       cross join lateral (select $2::timestamptz - make_interval(days => days) as at) as t`,
    [shop.id, new Date(AS_OF)],
  )
  await inTransaction((client) => rebuildMeasures(shop.id, AS_OF, client))
  const asked = await askMeasures(shop, AS_OF)
  const slipping = async () => (await listCustomersBehind(asked, { kind: 'slipping' }, { limit: 9 })).map(numberOf)
  const numberOf = ({ customer }: { customer: string }) => customer.split('/').at(-1)
  const predict = (atEdge: boolean) => {
    const bgNbd = { ...{ r: 0.9, alpha: 11, a: 0.1, b: 1, logLikelihood: -1, unit: 'week' as const }, atEdge }
    const customers = ['1', '2'].map((memberId) => ({ memberId, active: memberId === '2' ? 0.2 : 1, orders: 1 }))
    return savePrediction(
      shop.id,
      { ok: true, bgNbd, gammaGamma: null, backTest: null, customers: 2 },
      customers.map((customer) => ({ ...customer, value: null, tenth: null })),
      2,
      AS_OF,
    )
  }

  const chances = async () => [
    ...(await listCustomersBehind(asked, { kind: 'all' }, { limit: 9, sort: 'last' })).map((row) => row.active),
    (await findCustomerPrediction(shop.id, '2'))?.active,
  ]

  expect(await slipping()).toEqual(['1'])
  await predict(false)
  expect(await slipping()).toEqual(['2'])
  expect(await chances()).toEqual([1, 0.2, 0.2].map((chance) => expect.closeTo(chance) as number))
  await predict(true)
  expect(await slipping()).toEqual(['1'])
  expect(await chances()).toEqual([null, null, null])
})

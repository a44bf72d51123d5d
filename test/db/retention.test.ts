import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { loadOrderLog, rebuildMeasures } from '#app/db/measures.server.ts'
import {
  askMeasures,
  countCustomersBehind,
  countGroups,
  listCustomersBehind,
  readCohortTable,
  readIntervalTable,
  readOverview,
  readPareto,
  readRfmGrid,
} from '#app/db/retention.server.ts'
import { nameMonth } from '#app/retention/calendar.ts'
import { measureOrders } from '#app/retention/measures.ts'
import {
  parseMonth,
  RETENTION_SEGMENTS,
  findSegment,
  nameGroup,
  parseGroup,
  type CustomerGroup,
} from '#app/retention/segments.ts'
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
      [{ kind: 'top-fifth' }, (await readPareto(asked)).topFifth.customers],
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
    expect(intervals.weeks.reduce((sum, count) => sum + count, 0)).toBe(measures.intervalDays.count)
    const { topFifth, totalMinor } = await readPareto(asked)
    expect(topFifth.revenueMinor / totalMinor).toBeCloseTo(measures.pareto.top20Share!, 6)
  },
)

test('a shop without orders has numbers, all of them nothing', async () => {
  const asked = await askMeasures(await makeShop(), AS_OF)
  expect(await readOverview(asked)).toEqual({
    months: [],
    customers: 0,
    repeatCustomers: 0,
    lifecycle: { active: 0, passive: 0, lost: 0 },
  })
  expect(await readRfmGrid(asked)).toBeNull()
  expect(await readPareto(asked)).toMatchObject({ totalMinor: 0, topFifth: { customers: 0 } })
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
  ]) {
    expect(parseGroup(text)).toBeNull()
  }
  for (const segment of RETENTION_SEGMENTS) expect(findSegment(segment)).not.toBeNull()
})

// The counters of retention/rollups.ts as they are stored. A *delta* is what one batch of orders adds to them: it is written as
// one row, which nobody else waits for, and every so often the deltas are folded into the counters. Whoever reads counters reads
// both.
import { integers, numbers, readNumbers, rowsOf } from '#app/db/arrays.ts'
import { pool, type Queryable } from '#app/db/client.server.ts'
import { monthOfDay } from '#app/retention/calendar.ts'
import { firstDayOf, type Period } from '#app/retention/periods.ts'
import {
  addToCounters,
  COUNTER_KINDS,
  listCounters,
  NO_MONTH,
  sumDays,
  type CounterKind,
  type CounterRow,
  type Counters,
  type DaySums,
} from '#app/retention/rollups.ts'

const KIND_NAMES = new Map<number, CounterKind>(
  Object.entries(COUNTER_KINDS).map(([name, number]) => [number, name as CounterKind]),
)

/** Deltas of a shop that may wait to be folded, about. */
const DELTAS_PER_FOLD = 16

/** Adds these to the shop's counters, as a delta; where enough of them wait, they are folded. */
export async function addDelta(shopId: number, counters: Counters, client: Queryable): Promise<void> {
  const changes: string[] = []
  for (const { kind, x, y, value } of listCounters(counters)) {
    changes.push(`${COUNTER_KINDS[kind]} ${x} ${y} ${value}`)
  }
  if (changes.length === 0) return
  const { rows } = await client.query<{ id: string }>({
    name: 'measures-delta',
    text: 'insert into measure_deltas (shop_id, changes) values ($1, $2) returning id',
    values: [shopId, changes.join('\n')],
  })
  if (Number(rows[0]!.id) % DELTAS_PER_FOLD === 0) await foldDeltas(shopId, client)
}

/** Folds the deltas into the counters, all but those that another transaction is folding. */
async function foldDeltas(shopId: number, client: Queryable): Promise<void> {
  const { rows } = await client.query<{ changes: string }>({
    name: 'measures-fold',
    text: `delete from measure_deltas where shop_id = $1 and id in (
             select id from measure_deltas where shop_id = $1 order by id for update skip locked)
           returning changes`,
    values: [shopId],
  })
  const counters: Counters = new Map()
  for (const { changes } of rows) for (const row of readDelta(changes)) addToCounters(counters, row)
  await addCounters(shopId, counters, client)
}

function* readDelta(changes: string): Generator<CounterRow> {
  for (const line of changes.split('\n')) {
    const [kind, x, y, value] = line.split(' ').map(Number) as [number, number, number, number]
    const name = KIND_NAMES.get(kind)
    if (name) yield { kind: name, x, y, value }
  }
}

/** Adds to the stored counters, in the order of their places, so that two transactions never wait for each other in a ring. */
async function addCounters(shopId: number, counters: Counters, client: Queryable): Promise<void> {
  if (counters.size === 0) return
  await client.query({
    name: 'measures-counters',
    text: `insert into measure_counters as c (shop_id, kind, x, y, value)
           select $1, * from ${GIVEN_COUNTERS}
            order by kind, x, y
           on conflict (shop_id, kind, x, y) do update set value = c.value + excluded.value`,
    values: [shopId, ...toColumns(counters)],
  })
}

const GIVEN_COUNTERS = `${rowsOf({ kind: '$2::int[]', x: '$3::bigint[]', y: '$4::int[]', value: '$5::bigint[]' })} as g`

function toColumns(counters: Counters): Buffer[] {
  const rows = [...listCounters(counters)]
  return [
    integers(rows.map(({ kind }) => COUNTER_KINDS[kind])),
    numbers(rows.map(({ x }) => x)),
    integers(rows.map(({ y }) => y)),
    numbers(rows.map(({ value }) => value)),
  ]
}
/** Puts these in the place of the shop's counters. Nobody else writes any meanwhile, so there is no conflict to look for, which costs most. */
export async function replaceCounters(shopId: number, counters: Counters, client: Queryable): Promise<void> {
  await client.query('delete from measure_counters where shop_id = $1', [shopId])
  await client.query({
    name: 'measures-recounted',
    text: `insert into measure_counters (shop_id, kind, x, y, value)
           select $1, * from ${GIVEN_COUNTERS}
            order by kind, x, y`,
    values: [shopId, ...toColumns(counters)],
  })
}

/** The shop's counters that are not 0, of these kinds or of all. */
export async function readCounters(
  shopId: number,
  kinds: readonly CounterKind[] = Object.keys(COUNTER_KINDS) as CounterKind[],
  client: Queryable = pool,
): Promise<CounterRow[]> {
  // One statement, so that no delta is seen both folded and not. A kind comes in three arrays: a row for each would take longer to carry
  // than to look up.
  const { rows } = await client.query<
    { kind: number; xs: string; ys: string; sums: string; changes: null } | { kind: null; changes: string }
  >({
    name: 'measures-read',
    text: `select kind, array_agg(x)::text as xs, array_agg(y)::text as ys, array_agg(value)::text as sums, null as changes
             from measure_counters where shop_id = $1 and kind = any($2::smallint[]) and value <> 0 group by kind
           union all
           select null, null, null, null, changes from measure_deltas where shop_id = $1`,
    values: [shopId, kinds.map((kind) => COUNTER_KINDS[kind])],
  })
  const counters: Counters = new Map()
  const wanted = new Set(kinds)
  for (const row of rows) {
    if (row.kind !== null) {
      const kind = KIND_NAMES.get(row.kind)!
      const [ys, sums] = [readNumbers(row.ys), readNumbers(row.sums)]
      readNumbers(row.xs).forEach((x, place) =>
        addToCounters(counters, { kind, x, y: ys[place]!, value: sums[place]! }),
      )
      continue
    }
    for (const change of readDelta(row.changes)) {
      if (wanted.has(change.kind)) addToCounters(counters, change)
    }
  }
  return [...listCounters(counters)]
}

/**
 * What the counters of a period's days come to. A quarter has some thousands of them, so PostgreSQL adds them up, as sumDays
 * (retention/rollups.ts) does with those of the deltas: a day's `again` from one end of its index, its `back` from the other.
 */
export async function readDaySums(shopId: number, period: Period, client: Queryable = pool): Promise<DaySums> {
  // One statement, so that no delta is seen both folded and not.
  const { rows } = await client.query<Record<keyof DaySums, string | null> & { changes: string | null }>({
    name: 'measures-days',
    text: `select sum(value) filter (where kind = ${COUNTER_KINDS.dayOrders}) as orders,
                  sum(value) filter (where kind = ${COUNTER_KINDS.dayRevenue}) as "revenueMinor",
                  sum(value) filter (where kind = ${COUNTER_KINDS.again} and y = ${NO_MONTH} and x >= $2) as "newBuyers",
                  sum(value) filter (where kind = ${COUNTER_KINDS.again} and y = ${NO_MONTH} and x < $2) as "newBefore",
                  sum(value) filter (where kind = ${COUNTER_KINDS.again} and y >= 0) as repeats,
                  sum(value) filter (where kind = ${COUNTER_KINDS.back}) as back, null as changes
             from (
               select kind, x, y, value from measure_counters
                where shop_id = $1 and kind in (${COUNTER_KINDS.dayOrders}, ${COUNTER_KINDS.dayRevenue}) and x >= $2 and x < $3
               union all
               select c.kind, c.x, c.y, c.value from generate_series($4::bigint, $3::bigint - 1) as day (x)
                cross join lateral (
                  select kind, x, y, value from measure_counters
                   where shop_id = $1 and kind = ${COUNTER_KINDS.again} and x = day.x and y = ${NO_MONTH}
                  union all
                  select kind, x, y, value from measure_counters
                   where shop_id = $1 and kind = ${COUNTER_KINDS.again} and x = day.x and y between 0 and day.x - $2
                  union all
                  select kind, x, y, value from measure_counters
                   where shop_id = $1 and kind = ${COUNTER_KINDS.back} and x = day.x and y >= day.x - $2 and day.x >= $2
                ) c
             ) as counted
           union all
           select null, null, null, null, null, null, changes from measure_deltas where shop_id = $1`,
    values: [shopId, period.from, period.until, firstDayOf(monthOfDay(period.from))],
  })
  const sums = sumDays(
    rows.flatMap(({ changes }) => (changes === null ? [] : [...readDelta(changes)])),
    period,
  )
  for (const row of rows) {
    if (row.changes === null) for (const name of Object.keys(sums) as (keyof DaySums)[]) sums[name] += Number(row[name])
  }
  return sums
}

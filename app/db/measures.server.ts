// The counters of retention/rollups.ts as they are stored, kept up to date in the transaction that writes the orders, and
// read by the pages. A *delta* is what one batch of orders adds to the counters: it is written as one row, which nobody else
// waits for, and every so often the deltas are folded into the counters. Whoever reads counters reads both.
import type { PoolClient, QueryArrayConfig } from 'pg'
import { booleans, inMilliseconds, numbers, rowsOf, toInstantSql } from '#app/db/arrays.ts'
import { inTransaction, pool, together, type Queryable } from '#app/db/client.server.ts'
import { monthOfDay } from '#app/retention/calendar.ts'
import type { OwnLimits, ReplacementCycle } from '#app/retention/lifecycle.ts'
import type { OrderLog } from '#app/retention/order-log.ts'
import { firstDayOf, type Period } from '#app/retention/periods.ts'
import {
  addToCounters,
  changeCounters,
  COUNTER_KINDS,
  listCounters,
  nameCounter,
  NO_MONTH,
  sumDays,
  type CounterKind,
  type CounterRow,
  type DaySums,
  RETIRED_KINDS,
  type CountedOrder,
  type Counters,
  type RollupSettings,
  type Standing,
} from '#app/retention/rollups.ts'

/** A customer is active for a year of 365 days after an order. */
export const ACTIVITY_DAYS = 365

/** An order as it is about to be written: ids are the numbers inside the gids, money is minor units. */
export type MeasuredOrder = {
  id: string
  memberId: string | null
  placedAt: number
  goodsMinor: number
  /** Paid, and neither cancelled, deleted, a test nor fully refunded. */
  counts: boolean
  /** The shop has none of this order yet. */
  isNew: boolean
  /** How many days it lasts, where a replacement cycle applies to it (retention/lifecycle.ts). */
  cycleDays?: number | null
}

/** How the shop's orders are counted, and the replacement cycles that they are written by; null where there never were any. */
export type CountingSettings = RollupSettings & { cycles: ReplacementCycle[] | null }

/**
 * Brings the shop's counters to what they are once these orders are written. Call it in the same transaction, just before
 * writing them, with their members locked: the difference to what is stored now is what counts. Orders that stay as they
 * are, and orders without a customer, cost nothing. `held` spares a query where the caller holds the settings already.
 */
export async function applyMeasures(
  shopId: number,
  orders: readonly MeasuredOrder[],
  client: Queryable,
  held?: CountingSettings,
): Promise<void> {
  const changed = await measureOrders(shopId, orders, client, held)
  await changed.save()
}

/**
 * The first half of `applyMeasures`: reads and counts. `save` writes what came of it, and needs nothing of what is stored of these
 * orders any more: they may be written before or after it.
 */
export async function measureOrders(
  shopId: number,
  orders: readonly MeasuredOrder[],
  client: Queryable,
  held?: CountingSettings,
): Promise<{ save: () => Promise<unknown> }> {
  const changes = await findChanges(shopId, orders, client)
  if (changes.size === 0) return { save: () => Promise.resolve() }
  const settings = held ?? (await holdSettings(shopId, orders[0]!.placedAt, client))
  const loaded = await loadCustomers(shopId, changes, settings, client)
  const counters: Counters = new Map()
  const standings = new Map<string, Standing | null>()
  for (const [member, { removed, added }] of changes) {
    const { standing, before } = loaded.get(member)!
    const after = before.filter((order) => !removed.has(order.id))
    after.push(...added)
    if (added.length > 0) after.sort((a, b) => a.at - b.at || compareIds(a.id, b.id))
    const skipped = (standing?.orders ?? 0) - before.length
    standings.set(member, changeCounters(counters, { standing, skipped, before, after }, settings))
  }
  return {
    save: () => together([saveStandings(shopId, standings, loaded, client), addDelta(shopId, counters, client)]),
  }
}

/** What changes of a customer's orders: which leave, which come, and from when on. */
type CustomerOrders = { earliestAt: number; removed: Set<string>; added: CountedOrder[] }

async function findChanges(
  shopId: number,
  orders: readonly MeasuredOrder[],
  client: Queryable,
): Promise<Map<string, CustomerOrders>> {
  const stored = await findStored(
    shopId,
    orders.filter((order) => !order.isNew).map((order) => order.id),
    client,
  )
  const changes = new Map<string, CustomerOrders>()
  const of = (member: string, at: number) => {
    const known = changes.get(member)
    const change = known ?? { earliestAt: at, removed: new Set<string>(), added: [] }
    if (!known) changes.set(member, change)
    change.earliestAt = Math.min(change.earliestAt, at)
    return change
  }
  for (const order of orders) {
    const before = stored.get(order.id)
    const now = order.counts && order.memberId !== null ? order : undefined
    if (before && now && isSame(before, now)) continue
    if (before) of(before.memberId!, before.placedAt).removed.add(order.id)
    if (now) {
      const { id, placedAt: at, goodsMinor: amountMinor, cycleDays } = now
      of(now.memberId!, at).added.push({ id, at, amountMinor, cycleDays })
    }
  }
  return changes
}

type StoredOrder = Omit<MeasuredOrder, 'isNew'>

function isSame(one: StoredOrder, other: StoredOrder): boolean {
  if ((one.cycleDays ?? null) !== (other.cycleDays ?? null)) return false
  return one.memberId === other.memberId && one.placedAt === other.placedAt && one.goodsMinor === other.goodsMinor
}

/** Those of the orders that count now. */
async function findStored(shopId: number, ids: string[], client: Queryable): Promise<Map<string, StoredOrder>> {
  if (ids.length === 0) return new Map()
  const { rows } = await client.query<{
    id: string
    member_id: string
    placed_at: Date
    goods_minor: string
    cycle_days: number | null
  }>({
    name: 'measures-stored',
    text: `select id, member_id, placed_at, goods_minor, cycle_days from orders
            where shop_id = $1 and id = any($2::bigint[]) and counts and member_id is not null`,
    values: [shopId, numbers(ids)],
  })
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        memberId: row.member_id,
        placedAt: row.placed_at.getTime(),
        goodsMinor: Number(row.goods_minor),
        counts: true,
        cycleDays: row.cycle_days,
      },
    ]),
  )
}

/**
 * The shop's zone, window and cycles, held so that no recount can begin, and no cycle change, before this transaction ends. A shop that
 * has none yet begins to count, as of `at` (epoch ms).
 */
export async function holdSettings(shopId: number, at: number, client: Queryable): Promise<CountingSettings> {
  const hold = () =>
    client.query<SettingsRow>({
      name: 'measures-hold',
      text: 'select timezone, activity_days, cycles from measure_states where shop_id = $1 for share',
      values: [shopId],
    })
  let { rows } = await hold()
  if (rows.length === 0) {
    // The shop's first order.
    await client.query(
      `insert into measure_states (shop_id, timezone, activity_days, counted_at)
       select id, timezone, $2, $3 from shops where id = $1 on conflict (shop_id) do nothing`,
      [shopId, ACTIVITY_DAYS, new Date(at)],
    )
    rows = (await hold()).rows
  }
  return toSettings(rows[0]!)
}

type SettingsRow = { timezone: string; activity_days: number; cycles: ReplacementCycle[] | null }

function toSettings(row: SettingsRow): CountingSettings {
  return { timeZone: row.timezone, activityDays: row.activity_days, cycles: row.cycles }
}

/**
 * How each customer stands, and its counted orders from the last one before its earliest change on. The stored order of
 * two at one instant is that of their ids.
 *
 * Orders mostly come in as they are placed, each after all that its customer had. Then the standing says all there is to know of
 * the one before, its instant, and no order is looked up: what else it has cancels out in `changeCounters`. Not so where replacement
 * cycles apply, which the one before has too.
 */
async function loadCustomers(
  shopId: number,
  changes: ReadonlyMap<string, CustomerOrders>,
  { cycles }: CountingSettings,
  client: Queryable,
) {
  const members = [...changes.keys()]
  const since = members.map((member) => changes.get(member)!.earliestAt)
  // An order that is changed or gone may have set the limits of its customer: then all the others say what they are now.
  const losing = members.map((member) => changes.get(member)!.removed.size > 0)
  const { rows } = await client.query<{
    member_id: string
    orders: number | null
    revenue_minor: string
    first_at: string
    last_at: string
    passive_at: string | null
    lost_at: string | null
    ids: string | null
    ats: string | null
    amounts: string | null
    cycles: string | null
  }>({
    name: 'measures-load',
    text: `select g.member_id, s.orders, s.revenue_minor, ${inMilliseconds('s.first_at')} as first_at,
                  ${inMilliseconds('s.last_at')} as last_at, ${inMilliseconds('s.passive_at')} as passive_at,
                  ${inMilliseconds('s.lost_at')} as lost_at, o.ids, o.ats, o.amounts, o.cycles
             from (select member_id, ${toInstantSql('ms')} as since, losing
                     from ${rowsOf({ member_id: '$2::bigint[]', ms: '$3::bigint[]', losing: '$4::boolean[]' })} as i) as g
             left join lateral (
               -- One look into the index for each, and never all customers of the shop.
               select * from customer_standings c where c.shop_id = $1 and c.member_id = g.member_id limit 1
             ) s on true
             left join lateral (
               select array_agg(id order by placed_at, id)::text as ids,
                      array_agg(goods_minor order by placed_at, id)::text as amounts,
                      array_agg(${inMilliseconds('placed_at')} order by placed_at, id)::text as ats,
                      case when bool_or(cycle_days is not null)
                           then array_agg(coalesce(cycle_days, -1) order by placed_at, id)::text end as cycles
                 from orders
                where shop_id = $1 and member_id = g.member_id and counts and s.orders is not null
                  and ($5 or g.since <= s.last_at)
                  and placed_at >= coalesce(case when g.losing and s.passive_at is not null then '-infinity'::timestamptz end,
                                            (select p.placed_at from orders p
                                              where p.shop_id = $1 and p.member_id = g.member_id and p.counts
                                                and p.placed_at < g.since
                                              order by p.placed_at desc limit 1), '-infinity')
             ) o on true`,
    values: [shopId, numbers(members), numbers(since), booleans(losing), cycles !== null],
  })
  return new Map(
    rows.map((row) => {
      const before =
        row.ids !== null
          ? readStoredOrders(row.ids, row.ats!, row.amounts!, row.cycles)
          : row.orders !== null
            ? [{ id: '', at: Number(row.last_at), amountMinor: 0 }]
            : []
      const standing =
        row.orders === null
          ? null
          : {
              orders: row.orders,
              revenueMinor: Number(row.revenue_minor),
              firstAt: Number(row.first_at),
              lastAt: Number(row.last_at),
              limits:
                row.passive_at === null ? null : { passiveFrom: Number(row.passive_at), lostFrom: Number(row.lost_at) },
            }
      return [row.member_id, { standing, before }] as const
    }),
  )
}

function readStoredOrders(ids: string, ats: string, amounts: string, cycles: string | null): CountedOrder[] {
  const [at, amountMinor] = [readNumbers(ats), readNumbers(amounts)]
  const days = readCycleDays(cycles)
  // Ids stay text: they may be longer than a float is exact.
  const list = ids.slice(1, -1).split(',')
  return list.map((id, place) => ({ id, at: at[place]!, amountMinor: amountMinor[place]!, cycleDays: days(place) }))
}

/** Days by the place of an order, from an array's text with −1 where there are none; null where no order has any. */
function readCycleDays(text: string | null): (place: number) => number | null {
  const days = text === null ? null : readNumbers(text)
  return (place) => (days === null || days[place] === -1 ? null : days[place]!)
}

function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}

/** Writes how the customers stand now; those who were loaded with a standing have a row, which nobody else changes meanwhile. */
async function saveStandings(
  shopId: number,
  standings: ReadonlyMap<string, Standing | null>,
  loaded: ReadonlyMap<string, { standing: Standing | null }>,
  client: Queryable,
): Promise<void> {
  const gone: string[] = []
  const known: [string, Standing][] = []
  const fresh: [string, Standing][] = []
  for (const [member, standing] of standings) {
    if (standing === null) gone.push(member)
    else (loaded.get(member)!.standing === null ? fresh : known).push([member, standing])
  }
  await together([
    deleteStandings(shopId, gone, client),
    updateStandings(shopId, known, client),
    insertStandings(shopId, fresh, client),
  ])
}

async function deleteStandings(shopId: number, members: readonly string[], client: Queryable): Promise<void> {
  if (members.length === 0) return
  await client.query('delete from customer_standings where shop_id = $1 and member_id = any($2::bigint[])', [
    shopId,
    numbers(members),
  ])
}

async function updateStandings(shopId: number, standings: [string, Standing][], client: Queryable): Promise<void> {
  if (standings.length === 0) return
  const { rowCount } = await client.query({
    name: 'measures-standings',
    text: `update customer_standings s
              set orders = g.orders, revenue_minor = g.revenue_minor, first_at = ${toInstantSql('g.first_ms')},
                  last_at = ${toInstantSql('g.last_ms')}, passive_at = ${toInstantSql('g.passive_ms')},
                  lost_at = ${toInstantSql('g.lost_ms')}
             from ${GIVEN_STANDINGS} where s.shop_id = $1 and s.member_id = g.member_id`,
    values: [shopId, ...standingColumns(standings)],
  })
  if (rowCount !== standings.length) {
    throw new Error(`Customers' standings of shop ${shopId} were taken away meanwhile.`)
  }
}

async function insertStandings(shopId: number, standings: [string, Standing][], client: Queryable): Promise<void> {
  if (standings.length === 0) return
  await client.query({
    name: 'measures-new-standings',
    text: `insert into customer_standings (shop_id, member_id, orders, revenue_minor, first_at, last_at, passive_at, lost_at)
           select $1, member_id, orders, revenue_minor, ${toInstantSql('first_ms')}, ${toInstantSql('last_ms')},
                  ${toInstantSql('passive_ms')}, ${toInstantSql('lost_ms')} from ${GIVEN_STANDINGS}`,
    values: [shopId, ...standingColumns(standings)],
  })
}

const GIVEN_STANDINGS = `${rowsOf({
  member_id: '$2::bigint[]',
  orders: '$3::int[]',
  revenue_minor: '$4::bigint[]',
  first_ms: '$5::bigint[]',
  last_ms: '$6::bigint[]',
  passive_ms: '$7::bigint[]',
  lost_ms: '$8::bigint[]',
})} as g`

function standingColumns(standings: readonly [member: string, standing: Standing][]): string[] {
  return [
    numbers(standings.map(([member]) => member)),
    numbers(standings.map(([, standing]) => standing.orders)),
    numbers(standings.map(([, standing]) => standing.revenueMinor)),
    numbers(standings.map(([, standing]) => standing.firstAt)),
    numbers(standings.map(([, standing]) => standing.lastAt)),
    numbers(standings.map(([, standing]) => standing.limits?.passiveFrom)),
    numbers(standings.map(([, standing]) => standing.limits?.lostFrom)),
  ]
}

/** Deltas of a shop that may wait to be folded, about. */
const DELTAS_PER_FOLD = 16

async function addDelta(shopId: number, counters: Counters, client: Queryable): Promise<void> {
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
    values: [shopId, ...toColumns(counters).map(numbers)],
  })
}

const GIVEN_COUNTERS = `${rowsOf({ kind: '$2::smallint[]', x: '$3::bigint[]', y: '$4::int[]', value: '$5::bigint[]' })} as g`

function toColumns(counters: Counters): [number[], number[], number[], number[]] {
  const columns: [number[], number[], number[], number[]] = [[], [], [], []]
  for (const { kind, x, y, value } of listCounters(counters)) {
    columns[0].push(COUNTER_KINDS[kind])
    columns[1].push(x)
    columns[2].push(y)
    columns[3].push(value)
  }
  return columns
}

// ── Counting anew ───────────────────────────────────────────────────────────────────────────────────────────────────

/** How many customers' orders are fetched at a time. */
const CUSTOMERS_PER_FETCH = 10_000

/**
 * Counts the shop's orders anew: after a change of its zone, or to check. Calls `take` with each customer and its orders
 * that count, in order of time.
 */
async function eachCustomer(
  shopId: number,
  client: Queryable,
  take: (member: string, orders: CountedOrder[]) => void,
  { withCycles = false }: { withCycles?: boolean } = {},
): Promise<void> {
  // The index has them in this order. A customer's orders come in two arrays: a row for each would take longer to carry than
  // all the counting.
  await client.query(
    `declare measured no scroll cursor for
     select member_id::text, array_agg(${inMilliseconds('placed_at')})::text, array_agg(goods_minor)::text
            ${withCycles ? ', array_agg(coalesce(cycle_days, -1))::text' : ''}
       from (select member_id, placed_at, goods_minor ${withCycles ? ', cycle_days' : ''} from orders
              where shop_id = ${Number(shopId)} and counts and member_id is not null order by member_id, placed_at) as o
      group by member_id`,
  )
  const fetch = () =>
    client.query<[string, string, string, string?]>({
      text: `fetch ${CUSTOMERS_PER_FETCH} from measured`,
      rowMode: 'array',
    } as QueryArrayConfig)
  // The next customers are on their way while these are counted.
  let coming = fetch()
  for (;;) {
    const { rows } = await coming
    if (rows.length === 0) break
    coming = fetch()
    // Whoever throws below is heard; what was coming is not waited for any more.
    coming.catch(() => undefined)
    for (const [member, ats, amounts, cycles] of rows) {
      const amountMinor = readNumbers(amounts)
      const days = cycles === undefined ? null : readCycleDays(cycles)
      take(
        member,
        readNumbers(ats).map((at, place) =>
          days === null
            ? { id: '', at, amountMinor: amountMinor[place]! }
            : { id: '', at, amountMinor: amountMinor[place]!, cycleDays: days(place) },
        ),
      )
    }
  }
  await client.query('close measured')
}

/** The whole numbers of an array as PostgreSQL writes it: "{12,-3}". */
function readNumbers(text: string): number[] {
  const numbers: number[] = []
  let value = 0
  let negative = false
  for (let place = 1; place < text.length; place++) {
    const code = text.charCodeAt(place)
    if (code >= 48) {
      if (code <= 57) {
        value = value * 10 + code - 48
        continue
      }
    } else if (code === 45) {
      negative = true
      continue
    }
    // A comma, or the brace that closes it.
    numbers.push(negative ? -value : value)
    value = 0
    negative = false
  }
  return numbers
}

/** All orders of a shop that count, as the measures read them: the ids are the numbers inside the customers' gids. */
export async function loadOrderLog(shopId: number): Promise<OrderLog> {
  const ids: string[] = []
  const starts = [0]
  const at: number[] = []
  const amountMinor: number[] = []
  await inTransaction((client) =>
    eachCustomer(shopId, client, (member, orders) => {
      ids.push(member)
      for (const order of orders) {
        at.push(order.at)
        amountMinor.push(order.amountMinor)
      }
      starts.push(at.length)
    }),
  )
  const log = { at: Float64Array.from(at), amountMinor: Float64Array.from(amountMinor) }
  return { ids, starts: Uint32Array.from(starts), ...log }
}

/** Recounts everything in the caller's transaction and puts it in the place of what was kept. Orders wait until it is done. */
export async function rebuildMeasures(shopId: number, at: number, client: PoolClient): Promise<void> {
  await client.query(
    `insert into measure_states (shop_id, timezone, activity_days, counted_at)
     select id, timezone, $2, $3 from shops where id = $1
     on conflict (shop_id) do update set timezone = excluded.timezone, activity_days = excluded.activity_days,
                                         counted_at = excluded.counted_at`,
    [shopId, ACTIVITY_DAYS, new Date(at)],
  )
  const settings = await requireSettings(shopId, client)
  const counters: Counters = new Map()
  const own = new Map<string, OwnLimits>()
  const standings = new Map<string, Standing>()
  const withCycles = settings.cycles !== null
  const take = (member: string, orders: CountedOrder[]) => {
    const standing = changeCounters(counters, { standing: null, skipped: 0, before: [], after: orders }, settings)!
    standings.set(member, standing)
    if (standing.limits) own.set(member, standing.limits)
  }
  await eachCustomer(shopId, client, take, { withCycles })
  await client.query('delete from measure_deltas where shop_id = $1', [shopId])
  await replaceCounters(shopId, counters, client)
  await replaceStandings(shopId, standings, client)
  if (withCycles) await replaceLimits(shopId, own, client)
}

/** Puts these in the place of the shop's counters. Nobody else writes any meanwhile, so there is no conflict to look for, which costs most. */
async function replaceCounters(shopId: number, counters: Counters, client: Queryable): Promise<void> {
  await client.query('delete from measure_counters where shop_id = $1', [shopId])
  await client.query({
    name: 'measures-recounted',
    text: `insert into measure_counters (shop_id, kind, x, y, value)
           select $1, * from ${GIVEN_COUNTERS}
            order by kind, x, y`,
    values: [shopId, ...toColumns(counters).map(numbers)],
  })
}

/** Puts these in the place of the shop's standings. Only what differs is touched: even an upsert that changes nothing locks its row. */
async function replaceStandings(
  shopId: number,
  standings: ReadonlyMap<string, Standing>,
  client: Queryable,
): Promise<void> {
  const kept = [...standings.values()]
  await client.query(
    `with counted as materialized (
       select member_id, orders, revenue_minor, ${toInstantSql('first_ms')} as first_at, ${toInstantSql('last_ms')} as last_at
         from ${rowsOf({
           member_id: '$2::bigint[]',
           orders: '$3::int[]',
           revenue_minor: '$4::bigint[]',
           first_ms: '$5::bigint[]',
           last_ms: '$6::bigint[]',
         })} as g
     ), gone as (
       delete from customer_standings s where s.shop_id = $1
          and not exists (select 1 from counted c where c.member_id = s.member_id)
     )
     insert into customer_standings (shop_id, member_id, orders, revenue_minor, first_at, last_at)
     select $1, c.* from counted c left join customer_standings s on s.shop_id = $1 and s.member_id = c.member_id
      where (s.orders, s.revenue_minor, s.first_at, s.last_at)
            is distinct from (c.orders, c.revenue_minor, c.first_at, c.last_at)
     on conflict (shop_id, member_id) do update
       set orders = excluded.orders, revenue_minor = excluded.revenue_minor, first_at = excluded.first_at,
           last_at = excluded.last_at`,
    [
      shopId,
      numbers([...standings.keys()]),
      ...[
        kept.map((standing) => standing.orders),
        kept.map((standing) => standing.revenueMinor),
        kept.map((standing) => standing.firstAt),
        kept.map((standing) => standing.lastAt),
      ].map(numbers),
    ],
  )
}

/** Puts the limits of customers who have some in the place of those that are kept. */
async function replaceLimits(shopId: number, own: ReadonlyMap<string, OwnLimits>, client: Queryable): Promise<void> {
  const limits = [...own.values()]
  await client.query(
    `with own as materialized (
       select member_id, ${toInstantSql('passive_ms')} as passive_at, ${toInstantSql('lost_ms')} as lost_at
         from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as g (member_id, passive_ms, lost_ms)
     ), none as (
       update customer_standings s set passive_at = null, lost_at = null
        where s.shop_id = $1 and s.passive_at is not null and not exists (select 1 from own o where o.member_id = s.member_id)
     )
     update customer_standings s set passive_at = o.passive_at, lost_at = o.lost_at from own o
      where s.shop_id = $1 and s.member_id = o.member_id
        and (s.passive_at, s.lost_at) is distinct from (o.passive_at, o.lost_at)`,
    [shopId, [...own.keys()], limits.map(({ passiveFrom }) => passiveFrom), limits.map(({ lostFrom }) => lostFrom)],
  )
}

async function requireSettings(shopId: number, client: Queryable): Promise<CountingSettings> {
  const { rows } = await client.query<SettingsRow>(
    'select timezone, activity_days, cycles from measure_states where shop_id = $1',
    [shopId],
  )
  return toSettings(rows[0]!)
}

/** True where the shop's zone, or the way of counting, is no longer the one that its counters were counted in. */
export async function needsRebuild(shopId: number, client: Queryable = pool): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from shops s join measure_states m on m.shop_id = s.id
      where s.id = $1 and (m.timezone <> s.timezone or exists (
              select 1 from measure_counters c where c.shop_id = $1 and c.kind = any($2::smallint[])))`,
    [shopId, RETIRED_KINDS],
  )
  return rows.length > 0
}

/** One counter or standing that is not what the orders say: "orders:672:0", or "customer 42". */
export type MeasureDifference = { what: string; kept: string; counted: string }

/**
 * Recomputes every counter and standing of a shop from its orders and lists what differs from what is kept; empty when all
 * is right. Reads in a transaction of its own, so that both are of one moment.
 */
export async function findMeasureDifferences(shopId: number): Promise<MeasureDifference[]> {
  return inTransaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    return compareMeasures(shopId, client)
  })
}

async function compareMeasures(shopId: number, client: Queryable): Promise<MeasureDifference[]> {
  const { rows: states } = await client.query<SettingsRow>(
    'select timezone, activity_days, cycles from measure_states where shop_id = $1',
    [shopId],
  )
  const settings = states[0] ? toSettings(states[0]) : { timeZone: 'UTC', activityDays: ACTIVITY_DAYS, cycles: null }
  const counted: Counters = new Map()
  const standings = new Map<string, string>()
  const take = (member: string, orders: CountedOrder[]) => {
    const standing = changeCounters(counted, { standing: null, skipped: 0, before: [], after: orders }, settings)!
    standings.set(member, describeStanding(standing))
  }
  await eachCustomer(shopId, client, take, { withCycles: true })
  const differences: MeasureDifference[] = []
  const compare = (what: string, kept: string | undefined, wanted: string | undefined) => {
    if (kept !== wanted) differences.push({ what, kept: kept ?? 'nothing', counted: wanted ?? 'nothing' })
  }
  const wanted = new Map([...listCounters(counted)].map((row) => [nameCounter(row), String(row.value)]))
  for (const row of await readCounters(shopId, undefined, client)) {
    const name = nameCounter(row)
    compare(name, String(row.value), wanted.get(name))
    wanted.delete(name)
  }
  for (const [name, value] of wanted) compare(name, undefined, value)
  const { rows } = await client.query<{
    member_id: string
    orders: number
    revenue_minor: string
    first_at: Date
    last_at: Date
    passive_at: Date | null
    lost_at: Date | null
  }>(
    `select member_id, orders, revenue_minor, first_at, last_at, passive_at, lost_at from customer_standings where shop_id = $1`,
    [shopId],
  )
  for (const row of rows) {
    const kept = describeStanding({
      orders: row.orders,
      revenueMinor: Number(row.revenue_minor),
      firstAt: row.first_at.getTime(),
      lastAt: row.last_at.getTime(),
      limits: row.passive_at && { passiveFrom: row.passive_at.getTime(), lostFrom: row.lost_at!.getTime() },
    })
    compare(`customer ${row.member_id}`, kept, standings.get(row.member_id))
    standings.delete(row.member_id)
  }
  for (const [member, standing] of standings) compare(`customer ${member}`, undefined, standing)
  return differences
}

function describeStanding({ orders, revenueMinor, firstAt, lastAt, limits }: Standing): string {
  const iso = (at: number) => new Date(at).toISOString()
  const own = limits ? `, passive from ${iso(limits.passiveFrom)}, lost from ${iso(limits.lostFrom)}` : ''
  return `${orders} orders, ${revenueMinor} minor units, ${iso(firstAt)} to ${iso(lastAt)}${own}`
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const KIND_NAMES = new Map<number, CounterKind>(
  Object.entries(COUNTER_KINDS).map(([name, number]) => [number, name as CounterKind]),
)

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

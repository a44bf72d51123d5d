// Keeps the measures (retention/rollups.ts) up to date in the transaction that writes the orders: the counters
// (measure-counters.server.ts) and how each customer stands (customer-standings.server.ts).
import { booleans, inMilliseconds, instants, numbers, readNumbers, rowsOf } from '#app/db/arrays.ts'
import { together, type Queryable } from '#app/db/client.server.ts'
import { saveStandings } from '#app/db/customer-standings.server.ts'
import { addDelta } from '#app/db/measure-counters.server.ts'
import type { ReplacementCycle } from '#app/retention/lifecycle.ts'
import {
  changeCounters,
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

/** A row of `measure_states`. */
export type SettingsRow = { timezone: string; activity_days: number; cycles: ReplacementCycle[] | null }

/** What a row of `measure_states` says. */
export function toSettings(row: SettingsRow): CountingSettings {
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
             from ${rowsOf({ member_id: '$2::bigint[]', since: '$3::timestamptz[]', losing: '$4::boolean[]' })} as g
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
    values: [shopId, numbers(members), instants(since), booleans(losing), cycles !== null],
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
export function readCycleDays(text: string | null): (place: number) => number | null {
  const days = text === null ? null : readNumbers(text)
  return (place) => (days === null || days[place] === -1 ? null : days[place]!)
}

function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}

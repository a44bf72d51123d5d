// How long purchases last (retention/lifecycle.ts), as the merchant has said it, and what follows for orders that are there already.
// Cycles stand beside the zone that the measures are counted in: every transaction that writes orders holds that row, so from the
// moment of a change on all orders are written by the new ones, and those from before are gone through in the background.
import { inTransaction, pool, type Queryable } from '#app/db/client.server.ts'
import { loadKinds } from '#app/db/catalog.server.ts'
import { ACTIVITY_DAYS, applyMeasures, holdSettings, type MeasuredOrder } from '#app/db/measures.server.ts'
import { enqueueEffects } from '#app/db/outbox.server.ts'
import { clearOldReadings, findLastReading, noteReading, startReading, type Reading } from '#app/db/readings.server.ts'
import type { Order } from '#app/loyalty/order.ts'
import { cycleOf, cycleOfProduct, type Bought, type ReplacementCycle } from '#app/retention/lifecycle.ts'

/** The kind of the effect that goes on with a recount; its key is the reading's id. */
export const RECOUNT_CYCLES = 'recount-cycles'

/** The shop's cycles, in the order in which they were set. */
export async function listCycles(shopId: number, client: Queryable = pool): Promise<ReplacementCycle[]> {
  const { rows } = await client.query<{ cycles: ReplacementCycle[] | null }>(
    'select cycles from measure_states where shop_id = $1',
    [shopId],
  )
  return rows[0]?.cycles ?? []
}

/** True where some cycle is of a type or a tag, which orders do not say: only the catalogue does. */
export function needKinds(cycles: readonly ReplacementCycle[]): boolean {
  return cycles.some(({ of }) => of !== 'product')
}

/**
 * Puts `change`'s answer in the place of the shop's cycles, and has the orders gone through again where it differs. Returns what holds
 * now. Waits for the orders that are being written, so that none is written by the old cycles afterwards.
 */
export async function changeCycles(
  shopId: number,
  change: (cycles: ReplacementCycle[]) => ReplacementCycle[],
  at: number,
): Promise<ReplacementCycle[]> {
  return inTransaction(async (client) => {
    await client.query(
      `insert into measure_states (shop_id, timezone, activity_days, counted_at) select id, timezone, $2, $3 from shops where id = $1
       on conflict (shop_id) do nothing`,
      [shopId, ACTIVITY_DAYS, new Date(at)],
    )
    const { rows } = await client.query<{ cycles: ReplacementCycle[] | null }>(
      'select cycles from measure_states where shop_id = $1 for update',
      [shopId],
    )
    const before = rows[0]!.cycles ?? []
    const after = change(before)
    if (JSON.stringify(after) === JSON.stringify(before)) return before
    await client.query('update measure_states set cycles = $2 where shop_id = $1', [shopId, JSON.stringify(after)])
    await startRecount(shopId, at, client)
    return after
  })
}

/** Has all orders gone through: the cycles, or what the catalogue says of products, are not what they were. */
export async function startRecount(shopId: number, at: number, client: Queryable = pool): Promise<void> {
  const reading = await startReading(shopId, 'cycles', at, client)
  await enqueueEffects(
    shopId,
    [{ kind: RECOUNT_CYCLES, key: reading.id, payload: { after: '0', seen: 0 } }],
    at,
    client,
  )
}

/** The last recount, and how far it is; null before the first. */
export async function findRecount(shopId: number): Promise<Reading | null> {
  return findLastReading(shopId, 'cycles')
}

/** Days that each of these orders lasts, by the given cycles, in their order; null: the 12 months of the definition. */
export async function measureCycles(
  shopId: number,
  orders: readonly { products: readonly (string | null)[] }[],
  cycles: readonly ReplacementCycle[],
  client: Queryable,
): Promise<(number | null)[]> {
  if (cycles.length === 0) return orders.map(() => null)
  const products = new Set(orders.flatMap((order) => order.products.filter((product) => product !== null)))
  const kinds = needKinds(cycles) ? await loadKinds(shopId, [...products], client) : new Map<string, Kind>()
  return orders.map((order) =>
    cycleOf(
      order.products.map((product) => toBought(product, kinds)),
      cycles,
    ),
  )
}

type Kind = { type: string; tags: readonly string[] }

/** A product that is gone, or that the catalogue does not know, has no type and no tags. */
function toBought(product: string | null, kinds: ReadonlyMap<string, Kind>): Bought {
  return { product: product ?? '', type: '', tags: [], ...(product === null ? {} : kinds.get(product)) }
}

/** The products of what is left of an order; null for goods without one. Gift cards do not wear out. */
export function productsLeft(order: Pick<Order, 'lines'> | null): (string | null)[] {
  return (order?.lines ?? []).filter((line) => line.currentQuantity > 0 && !line.giftCard).map((line) => line.product)
}

// ── Going through the orders ────────────────────────────────────────────────────────────────────────────────────────

/** Orders of one slice: a transaction of some tenths of a second. */
const ORDERS_A_SLICE = 4_000

/** Where a recount is: the last order looked at, and how many so far. */
export type RecountPosition = { after: string; seen: number }

/**
 * Goes through the next orders after a position. Returns where to go on, null at the end or where another recount has begun. Orders
 * that are being written meanwhile are written by the same cycles; whatever it does again comes out the same.
 */
export async function recountSlice(
  shopId: number,
  readingId: string,
  position: RecountPosition,
  at: number,
): Promise<RecountPosition | null> {
  const reading = await findRecount(shopId)
  if (reading?.id !== readingId || reading.state !== 'running') return null
  const total = reading.total ?? (await countOrders(shopId))
  const next = await inTransaction(async (client) => {
    const orders = await loadLines(shopId, position.after, client)
    await writeCycles(shopId, orders, at, client)
    const last = orders.length === ORDERS_A_SLICE ? orders.at(-1) : undefined
    return { seen: position.seen + orders.length, after: last?.id }
  })
  const done = next.after === undefined
  await noteReading(shopId, readingId, { position: next.seen, total, ...(done ? { state: 'done' } : {}) }, at)
  if (done) await clearOldReadings(shopId, 'cycles', at)
  return next.after === undefined ? null : { after: next.after, seen: next.seen }
}

async function countOrders(shopId: number): Promise<number> {
  const { rows } = await pool.query<{ orders: string }>('select count(*) as orders from orders where shop_id = $1', [
    shopId,
  ])
  return Number(rows[0]!.orders)
}

type OrderLines = MeasuredOrder & { products: (string | null)[] }

const LINES = `select o.id, o.member_id, o.placed_at, o.goods_minor, o.counts, o.cycle_days,
       (select json_agg(line->>'product') from json_array_elements(o.facts::json->'snapshot'->'lines') line
         where coalesce(line->>'currentQuantity', line->>'quantity', '1') <> '0' and (line->>'giftCard') is distinct from 'true') as products
  from orders o where o.shop_id = $1`

type LinesRow = {
  id: string
  member_id: string | null
  placed_at: Date
  goods_minor: string
  counts: boolean
  cycle_days: number | null
  products: (string | null)[] | null
}

async function loadLines(shopId: number, after: string, client: Queryable): Promise<OrderLines[]> {
  const { rows } = await client.query<LinesRow>(
    `${LINES} and o.id > $2::bigint order by o.id limit ${ORDERS_A_SLICE}`,
    [shopId, after],
  )
  return rows.map(toLines)
}

function toLines(row: LinesRow): OrderLines {
  return {
    id: row.id,
    memberId: row.member_id,
    placedAt: row.placed_at.getTime(),
    goodsMinor: Number(row.goods_minor),
    counts: row.counts,
    isNew: false,
    cycleDays: row.cycle_days,
    products: row.products ?? [],
  }
}

/** Writes what differs: customers are locked, then the cycles held, as whoever writes orders does, and the orders read again. */
async function writeCycles(
  shopId: number,
  orders: readonly OrderLines[],
  at: number,
  client: Queryable,
): Promise<void> {
  const differing = await findDiffering(shopId, orders, await listCycles(shopId, client), client)
  if (differing.length === 0) return
  const members = [...new Set(differing.flatMap(({ memberId }) => memberId ?? []))]
  await client.query('select 1 from members where shop_id = $1 and id = any($2::bigint[]) order by id for update', [
    shopId,
    members,
  ])
  const ids = differing.map(({ id }) => id)
  const { rows } = await client.query<LinesRow>(`${LINES} and o.id = any($2::bigint[])`, [shopId, ids])
  // An order that went to another customer meanwhile was written by these cycles then.
  const held = new Set(members)
  const still = rows.map(toLines).filter(({ memberId }) => memberId === null || held.has(memberId))
  const settings = await holdSettings(shopId, at, client)
  const changed = await findDiffering(shopId, still, settings.cycles ?? [], client)
  await applyMeasures(shopId, changed, client, settings)
  await client.query(
    `update orders o set cycle_days = g.days from unnest($2::bigint[], $3::int[]) as g (id, days)
      where o.shop_id = $1 and o.id = g.id`,
    [shopId, changed.map(({ id }) => id), changed.map(({ cycleDays }) => cycleDays ?? null)],
  )
}

/** Those of the orders that last otherwise than is kept, with what is right. */
async function findDiffering(
  shopId: number,
  orders: readonly OrderLines[],
  cycles: readonly ReplacementCycle[],
  client: Queryable,
): Promise<OrderLines[]> {
  const days = await measureCycles(shopId, orders, cycles, client)
  return orders.flatMap((order, place) => {
    const cycleDays = days[place]!
    return order.cycleDays === cycleDays ? [] : [{ ...order, cycleDays }]
  })
}

/** Orders whose days are not what cycles and catalogue say, as text: for `measures:verify`. None while a recount is under way. */
export async function findCycleDifferences(shopId: number): Promise<{ what: string; kept: string; counted: string }[]> {
  const recount = await findRecount(shopId)
  if (recount === null || recount.state === 'running') return []
  const cycles = await listCycles(shopId)
  const differences: { what: string; kept: string; counted: string }[] = []
  const say = (days: number | null | undefined) => (days == null ? 'no cycle' : `${days} days`)
  for (let after = '0'; ;) {
    const orders = await loadLines(shopId, after, pool)
    const days = await measureCycles(shopId, orders, cycles, pool)
    orders.forEach((order, place) => {
      if (order.cycleDays === days[place]) return
      differences.push({ what: `order ${order.id}`, kept: say(order.cycleDays), counted: say(days[place]) })
    })
    if (orders.length < ORDERS_A_SLICE) return differences
    after = orders.at(-1)!.id
  }
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where a customer stands and why: the limits, and the purchase that lasts longest where a cycle sets them. */
export type CustomerLifecycle = {
  lastAt: number
  /** Null where the 12 and 24 months of the definition apply. */
  own: { passiveFrom: number; lostFrom: number; because: { placedAt: number; cycle: ReplacementCycle } | null } | null
}

/** Which cycle applies to a customer (number of a gid); null without an order that counts. */
export async function findCustomerLifecycle(shopId: number, memberId: string): Promise<CustomerLifecycle | null> {
  const { rows } = await pool.query<{ last_at: Date; passive_at: Date | null; lost_at: Date | null }>(
    'select last_at, passive_at, lost_at from customer_standings where shop_id = $1 and member_id = $2',
    [shopId, memberId],
  )
  const row = rows[0]
  if (!row) return null
  const lastAt = row.last_at.getTime()
  if (!row.passive_at) return { lastAt, own: null }
  const limits = { passiveFrom: row.passive_at.getTime(), lostFrom: row.lost_at!.getTime() }
  return { lastAt, own: { ...limits, because: await findLongest(shopId, memberId) } }
}

async function findLongest(shopId: number, memberId: string) {
  const { rows } = await pool.query<LinesRow>(
    `${LINES} and o.member_id = $2 and o.counts and o.cycle_days is not null
      order by o.placed_at + make_interval(days => o.cycle_days) desc limit 1`,
    [shopId, memberId],
  )
  if (!rows[0]) return null
  const order = toLines(rows[0])
  const cycles = await listCycles(shopId)
  const kinds = await loadKinds(
    shopId,
    order.products.filter((product) => product !== null),
    pool,
  )
  const cycle = order.products
    .map((product) => cycleOfProduct(toBought(product, kinds), cycles))
    .find((one) => one?.days === order.cycleDays)
  return cycle ? { placedAt: order.placedAt, cycle } : null
}

// Orders as they are stored: the engine's record whole, and beside it, in columns, what pages and measures ask for.
import { booleans, instants, integers, numbers, rowsOf, texts } from '#app/db/arrays.ts'
import { pool, together, type Queryable } from '#app/db/client.server.ts'
import { measureCycles, productsLeft } from '#app/db/cycles.server.ts'
import {
  applyMeasures,
  holdSettings,
  measureOrders,
  type CountingSettings,
  type MeasuredOrder,
} from '#app/db/measures.server.ts'
import { fromStoredOrder, toStoredOrder, type StoredOrder } from '#app/db/stored-order.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { Order, OrderRecord } from '#app/loyalty/order.ts'

/** The records of these orders (gids), as far as the shop has them. `lock` holds them until the transaction ends. */
export async function loadOrders(
  shopId: number,
  orders: readonly string[],
  client: Queryable = pool,
  { lock = false }: { lock?: boolean } = {},
): Promise<OrderRecord[]> {
  if (orders.length === 0) return []
  const { rows } = await client.query<{ id: string; facts: string }>({
    name: lock ? 'lock-orders' : 'load-orders',
    text: `select id, facts from orders where shop_id = $1 and id = any($2::bigint[]) ${lock ? 'order by id for update' : ''}`,
    values: [shopId, numbers(orders.map(orderNumber))],
  })
  return rows.map((row) => fromStoredOrder(toGid('Order', row.id), JSON.parse(row.facts) as StoredOrder))
}

/** Whose orders these are as far as we know: the customers' gids. A light first look, before anything is locked. */
export async function findOrderOwners(
  shopId: number,
  orders: readonly string[],
  client: Queryable = pool,
): Promise<string[]> {
  if (orders.length === 0) return []
  const { rows } = await client.query<{ member_id: string | null }>({
    name: 'find-order-owners',
    text: 'select member_id from orders where shop_id = $1 and id = any($2::bigint[])',
    values: [shopId, numbers(orders.map(orderNumber))],
  })
  const owners = new Set(rows.flatMap((row) => row.member_id ?? []))
  return [...owners].map((owner) => toGid('Customer', owner))
}

/** When each of these orders (gids) last changed, as far as we know (the `updated_at` of the snapshot that we hold), and whether it counts by it. */
export async function findKnownOrders(
  shopId: number,
  orders: readonly string[],
  client: Queryable = pool,
): Promise<Map<string, { updatedAt: number; counts: boolean }>> {
  if (orders.length === 0) return new Map()
  const { rows } = await client.query<{ id: string; updated_at: Date; counts: boolean }>({
    name: 'find-known-orders',
    text: 'select id, updated_at, counts from orders where shop_id = $1 and id = any($2::bigint[])',
    values: [shopId, numbers(orders.map(orderNumber))],
  })
  return new Map(
    rows.map((row) => [toGid('Order', row.id), { updatedAt: row.updated_at.getTime(), counts: row.counts }]),
  )
}

/** A record to write: `owner` is the member that its customer is now, `isNew` says that the shop had none of this order. */
export type OrderToSave = { record: OrderRecord; owner: string | null; isNew: boolean }

/**
 * Writes records as the engine left them. Where one that should be new is there already, another worker was faster: the
 * database refuses (SQLSTATE 23505), nothing of the transaction is kept, and whoever called starts again from what is stored.
 * `held` spares a query where the caller holds the settings already.
 */
export async function saveOrders(
  shopId: number,
  orders: readonly OrderToSave[],
  client: Queryable,
  held?: CountingSettings,
): Promise<void> {
  if (orders.length === 0) return
  const plain = orders.map(toMeasured)
  const settings = held ?? (await holdSettings(shopId, plain[0]!.placedAt, client))
  const measured = await withCycles(shopId, plain, orders, settings, client)
  const measures = await measureOrders(shopId, measured, client, settings)
  const rows = orders.map((order, place) => ({ ...order, cycleDays: measured[place]!.cycleDays ?? null }))
  const fresh = rows.filter(({ isNew }) => isNew)
  const known = rows.filter(({ isNew }) => !isNew)
  await together([
    measures.save(),
    writeOrders(shopId, { name: 'insert-orders', text: INSERT }, fresh, client),
    writeOrders(shopId, { name: 'update-orders', text: UPDATE }, known, client),
  ])
}

type Row = OrderToSave & { cycleDays: number | null }

async function writeOrders(
  shopId: number,
  statement: { name: string; text: string },
  rows: readonly Row[],
  client: Queryable,
): Promise<void> {
  if (rows.length > 0) await client.query({ ...statement, values: [shopId, ...columnsOf(rows)] })
}

/** The orders with the days that each lasts, where the merchant has set replacement cycles. */
async function withCycles(
  shopId: number,
  measured: MeasuredOrder[],
  orders: readonly OrderToSave[],
  { cycles }: CountingSettings,
  client: Queryable,
): Promise<MeasuredOrder[]> {
  if (cycles === null) return measured
  const days = await measureCycles(
    shopId,
    orders.map(({ record }) => ({ products: productsLeft(record.snapshot) })),
    cycles,
    client,
  )
  return measured.map((order, place) => ({ ...order, cycleDays: days[place]! }))
}

/** The order as the retention measures look at it. */
function toMeasured({ record, owner, isNew }: OrderToSave): MeasuredOrder {
  return {
    id: orderNumber(record.id),
    memberId: owner === null ? null : numberOfGid(owner, 'Customer'),
    placedAt: record.snapshot?.processedAt ?? heardAt(record),
    goodsMinor: goodsMinor(record),
    counts: countsForMeasures(record),
    isNew,
  }
}

/**
 * Gives all orders of one customer to another (numbers of gids), in a transaction that has both locked: a merge. The
 * measures follow.
 */
export async function moveOrders(shopId: number, from: string, to: string, client: Queryable): Promise<void> {
  const { rows } = await client.query<{
    id: string
    placed_at: Date
    goods_minor: string
    counts: boolean
    cycle_days: number | null
  }>('select id, placed_at, goods_minor, counts, cycle_days from orders where shop_id = $1 and member_id = $2', [
    shopId,
    from,
  ])
  const moved = rows.map((row) => ({
    id: row.id,
    memberId: to,
    placedAt: row.placed_at.getTime(),
    goodsMinor: Number(row.goods_minor),
    counts: row.counts,
    isNew: false,
    cycleDays: row.cycle_days,
  }))
  await applyMeasures(shopId, moved, client)
  await client.query('update orders set member_id = $3 where shop_id = $1 and member_id = $2', [shopId, from, to])
}

const GIVEN = `${rowsOf({
  id: '$2::bigint[]',
  member_id: '$3::bigint[]',
  placed_at: '$4::timestamptz[]',
  updated_at: '$5::timestamptz[]',
  triggered_at: '$6::timestamptz[]',
  paid_at: '$7::timestamptz[]',
  goods_minor: '$8::bigint[]',
  placed_minor: '$9::bigint[]',
  counts: '$10::boolean[]',
  points: '$11::bigint[]',
  program_version: '$12::int[]',
  tier: '$13::text[]',
  codes: '$14::text[]',
  facts: '$15::text[]',
  cycle_days: '$16::int[]',
})} as g`

/** Most orders use none; a sub-select for each would cost more than the rest of the row. */
const CODES = `case when g.codes = '[]' then '{}' else array(select jsonb_array_elements_text(g.codes::jsonb)) end`

const INSERT = `
insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, paid_at, goods_minor, placed_minor,
                    counts, points, program_version, tier, codes, facts, cycle_days)
select $1, id, member_id, placed_at, updated_at, triggered_at, paid_at, goods_minor, placed_minor, counts, points,
       program_version, tier, ${CODES}, facts, cycle_days
  from ${GIVEN}`

const UPDATE = `
update orders o
   set member_id = g.member_id, placed_at = g.placed_at, updated_at = g.updated_at, triggered_at = g.triggered_at,
       paid_at = g.paid_at, goods_minor = g.goods_minor, placed_minor = g.placed_minor, counts = g.counts,
       points = g.points, program_version = g.program_version, tier = g.tier,
       codes = ${CODES}, facts = g.facts, cycle_days = g.cycle_days
  from ${GIVEN}
 where o.shop_id = $1 and o.id = g.id`

function columnsOf(orders: readonly Row[]): Buffer[] {
  const records = orders.map(({ record }) => record)
  return [
    numbers(records.map(({ id }) => orderNumber(id))),
    numbers(orders.map(({ owner }) => (owner === null ? null : numberOfGid(owner, 'Customer')))),
    instants(records.map((record) => record.snapshot?.processedAt ?? heardAt(record))),
    instants(records.map((record) => record.snapshot?.updatedAt ?? heardAt(record))),
    instants(records.map(heardAt)),
    instants(records.map(({ paidAt }) => paidAt)),
    numbers(records.map(goodsMinor)),
    numbers(records.map(({ snapshot }) => (snapshot ? sumLines(snapshot, false) : 0))),
    booleans(records.map(countsForMeasures)),
    numbers(records.map(({ posted }) => posted)),
    integers(records.map(({ terms }) => terms?.version)),
    texts(records.map(({ terms }) => terms?.tier ?? null)),
    texts(records.map(({ codes }) => JSON.stringify(codes))),
    texts(records.map((record) => JSON.stringify(toStoredOrder(record)))),
    integers(orders.map(({ cycleDays }) => cycleDays)),
  ]
}

/** An order of which only a lone refund or a deletion was heard has no instants of its own yet. */
function heardAt({ snapshotTriggeredAt }: OrderRecord): number {
  return Math.max(0, snapshotTriggeredAt)
}

/** Money for goods now, minor units: what is left of the lines after discounts and refunds, less what was given back beside them. */
function goodsMinor({ snapshot, loneRefunds }: OrderRecord): number {
  if (!snapshot) return 0
  const refunds = [...snapshot.refunds, ...loneRefunds]
  const givenBack = refunds.reduce((sum, refund) => sum + refund.givenBackMinor, 0)
  return Math.max(0, sumLines(snapshot, true) - givenBack)
}

/** The lines' money after discounts, gift cards left out; `now`: of the units that are left, else as placed. */
function sumLines(order: Order, now: boolean): number {
  let sum = 0
  for (const line of order.lines) {
    if (line.giftCard || line.quantity === 0) continue
    const full = line.priceMinor * line.quantity - line.discountMinor
    sum += now ? Math.round((full * line.currentQuantity) / line.quantity) : full
  }
  return sum
}

/** Paid, and neither cancelled, deleted, a test, voided nor fully refunded. */
function countsForMeasures({ snapshot, paidAt, deleted }: OrderRecord): boolean {
  if (!snapshot || paidAt === null || deleted) return false
  if (snapshot.test || snapshot.cancelledAt !== null) return false
  if (snapshot.financialStatus === 'voided' || snapshot.financialStatus === 'refunded') return false
  return snapshot.lines.some((line) => line.currentQuantity > 0)
}

const orderNumber = (order: string): string => numberOfGid(order, 'Order')

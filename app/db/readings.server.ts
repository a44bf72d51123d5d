// A *reading* is one pass over the shop's orders through the Admin API, a reconciliation (those that changed lately) or a
// backfill (the past), or over its products (the catalogue). It says how far it came, so that a crash costs nothing and the merchant sees the progress.
import { pool, type Queryable } from '#app/db/client.server.ts'

/** What is read from Shopify in bulk, and (`cycles`) the shop's own orders once more. */
export type ReadingKind = 'reconcile' | 'backfill' | 'catalog' | 'cycles'
/** How far a reading is. */
export type ReadingState = 'asked' | 'running' | 'done' | 'failed'

/** One reading of orders or products by a bulk operation. */
export type Reading = {
  id: string
  kind: ReadingKind
  state: ReadingState
  /** The bulk operation's gid, once Shopify has one. */
  operation: string | null
  /** Orders taken in so far, and how many there are where that is known. */
  position: number
  total: number | null
  /** Orders that we had not, or had older: webhooks that never came. */
  mended: number
  error: string | null
  startedAt: number
  finishedAt: number | null
}

type Row = {
  id: string
  kind: ReadingKind
  state: ReadingState
  operation_gid: string | null
  position: string
  total: string | null
  mended: number
  error: string | null
  started_at: Date
  finished_at: Date | null
}
const COLUMNS = 'id, kind, state, operation_gid, position, total, mended, error, started_at, finished_at'

/** Notes that a reading begins. */
export async function startReading(
  shopId: number,
  kind: ReadingKind,
  at: number,
  client: Queryable = pool,
): Promise<Reading> {
  const { rows } = await client.query<Row>(
    `insert into readings (shop_id, kind, state, started_at, updated_at) values ($1, $2, $3, $4, $4) returning ${COLUMNS}`,
    [shopId, kind, kind === 'backfill' ? 'asked' : 'running', new Date(at)],
  )
  return toReading(rows[0]!)
}

/** The shop's newest reading of the kind (and state, if one is given), null before the first. */
export async function findLastReading(
  shopId: number,
  kind: ReadingKind,
  state?: ReadingState,
  client: Queryable = pool,
): Promise<Reading | null> {
  const { rows } = await client.query<Row>(
    `select ${COLUMNS} from readings
      where shop_id = $1 and kind = $2 and ($3::text is null or state = $3) order by id desc limit 1`,
    [shopId, kind, state ?? null],
  )
  return rows[0] ? toReading(rows[0]) : null
}

/** Notes how far a reading is. What is not given stays. */
export async function noteReading(
  shopId: number,
  id: string,
  news: Partial<Pick<Reading, 'state' | 'operation' | 'position' | 'total' | 'mended' | 'error'>>,
  at: number,
): Promise<void> {
  await pool.query(
    `update readings set state = coalesce($3, state), operation_gid = coalesce($4, operation_gid),
            position = coalesce($5, position), total = coalesce($6, total), mended = coalesce($7, mended),
            error = $8, updated_at = $9, finished_at = case when $3 in ('done', 'failed') then $9::timestamptz end
      where shop_id = $1 and id = $2`,
    [
      shopId,
      id,
      news.state ?? null,
      news.operation ?? null,
      news.position ?? null,
      news.total ?? null,
      news.mended ?? null,
      news.error?.slice(0, 500) ?? null,
      new Date(at),
    ],
  )
}

/** Notes of readings of the kind that never said they ended that they were interrupted. For a kind of which only one runs at a time. */
export async function endInterrupted(shopId: number, kind: ReadingKind, at: number): Promise<void> {
  await pool.query(
    `update readings set state = 'failed', error = 'Interrupted: the process ended before it was done', finished_at = $3, updated_at = $3
      where shop_id = $1 and kind = $2 and state = 'running'`,
    [shopId, kind, new Date(at)],
  )
}

/** Notes that all orders that changed before the instant have been read. It never goes back. */
export async function noteOrdersRead(shopId: number, until: number): Promise<void> {
  await pool.query(`update shops set orders_read_until = greatest(orders_read_until, $2) where id = $1`, [
    shopId,
    new Date(until),
  ])
}

/** How far the shop's customers were compared with Shopify's. */
export type CustomersRead = {
  /** All that changed there before this instant were read; null before the first time. */
  until: number | null
  /** Round by round all members are looked for: those up to this one (number of a gid) in this round. */
  lookedTo: string
}

/** How far the comparison of customers came. */
export async function findCustomersRead(shopId: number): Promise<CustomersRead> {
  const { rows } = await pool.query<{ until: Date | null; looked_to: string | null }>(
    `select customers_read_until as until, settings ->> 'customersLookedTo' as looked_to from shops where id = $1`,
    [shopId],
  )
  return { until: rows[0]?.until?.getTime() ?? null, lookedTo: rows[0]?.looked_to ?? '0' }
}

/** Notes how far the comparison of customers came; `until` never goes back. */
export async function noteCustomersRead(
  shopId: number,
  { until, lookedTo }: { until: number; lookedTo: string },
): Promise<void> {
  await pool.query(
    `update shops set customers_read_until = greatest(customers_read_until, $2),
                      settings = settings || jsonb_build_object('customersLookedTo', $3::text) where id = $1`,
    [shopId, new Date(until), lookedTo],
  )
}

/** Forgets readings of the kind that ended before the instant, all but the newest. */
export async function clearOldReadings(shopId: number, kind: ReadingKind, before: number): Promise<void> {
  await pool.query(
    `delete from readings where shop_id = $1 and kind = $2 and finished_at < $3
        and id < (select max(id) from readings where shop_id = $1 and kind = $2)`,
    [shopId, kind, new Date(before)],
  )
}

function toReading(row: Row): Reading {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    operation: row.operation_gid,
    position: Number(row.position),
    total: row.total === null ? null : Number(row.total),
    mended: row.mended,
    error: row.error,
    startedAt: row.started_at.getTime(),
    finishedAt: row.finished_at?.getTime() ?? null,
  }
}

/** Messages from Shopify as the admin shows them: those set aside, and the latest of all. Work on them is in inbox.server.ts. */
import { pool } from '#app/db/client.server.ts'

/** A message as the admin shows it; instants in epoch milliseconds. */
export type MessageRow = {
  id: string
  topic: string
  receivedAt: number
  triggeredAt: number
  state: string
  source: string
  attempts: number
  /** Why it was set aside, or why the last attempt failed. */
  error: string | null
}

/** The newest messages of the shop; with `state`, only those in it. `before` is the id of the last row of the page before. */
export async function listMessages(
  shopId: number,
  { state, size, before }: { state?: string; size: number; before?: string },
): Promise<MessageRow[]> {
  const { rows } = await pool.query<{
    id: string
    topic: string
    received_at: Date
    triggered_at: Date
    state: string
    source: string
    attempts: number
    error: string | null
  }>(
    `select id, topic, received_at, triggered_at, state, source, attempts, error from inbox
     where shop_id = $1 and ($2::text is null or state = $2) and ($3::bigint is null or id < $3)
     order by id desc limit $4`,
    [shopId, state ?? null, before && /^\d{1,18}$/.test(before) ? before : null, size],
  )
  return rows.map((row) => ({
    id: row.id,
    topic: row.topic,
    receivedAt: row.received_at.getTime(),
    triggeredAt: row.triggered_at.getTime(),
    state: row.state,
    source: row.source,
    attempts: row.attempts,
    error: row.error,
  }))
}

/** Effects that were given up on: what should have reached Shopify and did not. */
export type FailedEffect = { id: string; kind: string; key: string; createdAt: number; error: string | null }

/** The newest `size` effects of the shop that were set aside. */
export async function listFailedEffects(shopId: number, size: number): Promise<FailedEffect[]> {
  const { rows } = await pool.query<{ id: string; kind: string; key: string; created_at: Date; error: string | null }>(
    `select id, kind, key, created_at, error from outbox
     where shop_id = $1 and state = 'set-aside' order by id desc limit $2`,
    [shopId, size],
  )
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    key: row.key,
    createdAt: row.created_at.getTime(),
    error: row.error,
  }))
}

/**
 * Lets an effect that was set aside be tried again, with fresh attempts. Where a newer one with its key waits already, that one
 * says everything and the old one is dropped. False where the shop has none such.
 */
export async function retryEffect(shopId: number, id: string, at: number): Promise<boolean> {
  if (!/^\d{1,18}$/.test(id)) return false
  const { rowCount } = await pool.query(
    `update outbox o set attempts = 0, due_at = $3, done_at = null, state = case when exists (
       select 1 from outbox n where n.shop_id = o.shop_id and n.kind = o.kind and n.key = o.key and n.state = 'waiting'
     ) then 'dropped' else 'waiting' end
     where o.shop_id = $1 and o.id = $2 and o.state = 'set-aside'`,
    [shopId, id, new Date(at)],
  )
  return rowCount === 1
}

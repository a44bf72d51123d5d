/** Messages from Shopify as the admin shows them: those set aside, and the latest of all. Work on them is in inbox.server.ts. */
import { pool } from '#app/db/client.server.ts'

/** What says what a message is about. */
type Subject = {
  /** The order or customer (gid) that a job read in Shopify's stead: it stands in the event's id. Null of webhooks. */
  read: string | null
  /** The body, for as long as it waits in the inbox; null once it was worked on. */
  payload: string | null
}

/** SQL of `read`, of a message `m`. */
const READ = `substring(m.event_id from '^api:(gid://shopify/(?:Order|Customer)/[0-9]+)')`

/** A message as the admin shows it. `receivedAt` is in epoch milliseconds. */
export type MessageRow = Subject & {
  id: string
  topic: string
  receivedAt: number
  state: 'waiting' | 'set-aside' | 'done' | 'ignored'
  source: string
}

/** The newest messages of the shop. `before` is the id of the last row of the page before. */
export async function listMessages(
  shopId: number,
  { size, before }: { size: number; before?: string },
): Promise<MessageRow[]> {
  const { rows } = await pool.query<Omit<MessageRow, 'receivedAt'> & { received_at: Date }>(
    `select m.id, m.topic, m.received_at, m.source, ${READ} as read, i.payload,
            coalesce(i.state, case when m.ignored then 'ignored' else 'done' end) as state
       from messages m left join inbox i on i.shop_id = $1 and i.id = m.id
      where m.shop_id = $1 and ($2::bigint is null or m.id < $2)
      order by m.id desc limit $3`,
    [shopId, before && /^\d{1,18}$/.test(before) ? before : null, size],
  )
  return rows.map(({ received_at: receivedAt, ...row }) => ({ ...row, receivedAt: receivedAt.getTime() }))
}

/** A message that waits for a person, with what went wrong. */
export type SetAsideMessage = Subject & {
  id: string
  topic: string
  receivedAt: number
  attempts: number
  error: string | null
}

/** The newest `size` messages of the shop that were set aside. */
export async function listSetAside(shopId: number, size: number): Promise<SetAsideMessage[]> {
  const { rows } = await pool.query<Omit<SetAsideMessage, 'receivedAt'> & { received_at: Date }>(
    `select i.id, i.topic, i.received_at, i.attempts, i.error, i.payload, ${READ} as read
       from inbox i left join messages m on m.shop_id = $1 and m.id = i.id
      where i.shop_id = $1 and i.state = 'set-aside' order by i.id desc limit $2`,
    [shopId, size],
  )
  return rows.map(({ received_at: receivedAt, ...row }) => ({ ...row, receivedAt: receivedAt.getTime() }))
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

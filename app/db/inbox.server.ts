// The *inbox* keeps what Shopify says until it has been worked on. A *message* is one webhook, or one thing that a job read
// from the Admin API in its stead. That it came stands in `messages`, what is in it in `inbox`, which is the queue: messages are
// claimed with `for update skip locked` and leave it with the transaction that works on them, or wait there `set-aside` (failed too
// often; a person decides).
import { inMilliseconds, instants, integers, numbers, rowsOf, texts } from '#app/db/arrays.ts'
import { askWithin, pool, type Queryable } from '#app/db/client.server.ts'

/** A webhook as the door takes it in. */
export type NewMessage = {
  shopId: number
  /** Shopify's spelling: orders/paid */
  topic: string
  /** X-Shopify-Event-Id: what duplicates are known by. */
  eventId: string
  /** X-Shopify-Webhook-Id: this delivery. */
  webhookId: string
  triggeredAt: number
  payload: string
  source?: 'webhook' | 'reconcile' | 'backfill' | 'refetch'
}

/** A stored message that waits to be worked on. */
export type Message = {
  /** Text, because it may pass 2^53. */
  id: string
  topic: string
  triggeredAt: number
  payload: string
  source: string
  attempts: number
}

/** Waits between attempts: soon for a hiccup, then longer; after the last one the message is set aside. */
export const RETRY_DELAYS_MS = [1_000, 5_000, 30_000, 300_000] as const

/**
 * Keeps messages, in one statement and so in one commit. A message whose shop, topic and event are there already is left
 * out; returns how many were new. Resolves only once they are on disk. Rejects after `withinMs`, where whether they are is not known, and
 * gives up the connection: what is at its other end may be gone.
 */
export async function storeMessages(messages: readonly NewMessage[], at: number, withinMs?: number): Promise<number> {
  if (messages.length === 0) return 0
  const statement = {
    name: 'store-messages',
    text: STORE,
    values: [
      new Date(at),
      integers(messages.map(({ shopId }) => shopId)),
      texts(messages.map(({ topic }) => topic)),
      texts(messages.map(({ eventId }) => eventId)),
      texts(messages.map(({ webhookId }) => webhookId)),
      instants(messages.map(({ triggeredAt }) => triggeredAt)),
      texts(messages.map(({ payload }) => payload)),
      texts(messages.map(({ source }) => source ?? 'webhook')),
    ],
  }
  const { rowCount } = await (withinMs === undefined ? pool.query(statement) : askWithin(withinMs, statement))
  return rowCount ?? 0
}

/**
 * Keys are taken in one order, so that two batches with the same messages never wait for each other in a circle. What is new is told by its
 * number. `is true` has PostgreSQL look each up in a table of them, where it could compare each with each.
 */
const STORE = `
with given as (
  select nextval('messages_id_seq') as id, shop_id, topic, event_id, webhook_id, triggered_at, payload, source
    from ${rowsOf({
      shop_id: '$2::int[]',
      topic: '$3::text[]',
      event_id: '$4::text[]',
      webhook_id: '$5::text[]',
      triggered_at: '$6::timestamptz[]',
      payload: '$7::text[]',
      source: '$8::text[]',
    })} as g
), fresh as (
  insert into messages (shop_id, id, topic, event_id, webhook_id, triggered_at, received_at, source)
  select shop_id, id, topic, event_id, webhook_id, triggered_at, $1, source from given
   order by shop_id, topic, event_id, id
  on conflict (shop_id, topic, event_id) do nothing
  returning id
)
insert into inbox (shop_id, id, topic, triggered_at, received_at, due_at, payload, source)
select shop_id, id, topic, triggered_at, $1, $1, payload, source from given
 where (id in (select id from fresh)) is true`

/** A shop, and how many messages of its wait and are due. */
export type ShopWithMessages = { shopId: number; waiting: number }

/**
 * Shops that have messages waiting which are due by `at`, by id, and how many, counted no further than `limit`: so much of the queue is looked at,
 * and no more. Each look has a limit, or PostgreSQL would read everything that waits into a table of its own. Nothing is counted of those in `but`,
 * which are left out.
 */
export async function listShopsWithMessages(
  at: number,
  limit: number,
  but: readonly number[] = [],
  client: Queryable = pool,
): Promise<ShopWithMessages[]> {
  const { rows } = await client.query<{ shop_id: number; waiting: string }>({
    name: 'list-shops-with-messages',
    text: `with recursive shops as (
             (select shop_id from inbox where state = 'waiting' order by shop_id, id limit 1)
             union all
             select (select i.shop_id from inbox i where i.state = 'waiting' and i.shop_id > s.shop_id order by i.shop_id, i.id limit 1)
               from shops s where s.shop_id is not null)
           select shop_id, waiting from shops s
            cross join lateral (
              select count(*) as waiting from (
                select from inbox i where i.shop_id = s.shop_id and i.state = 'waiting' and i.due_at <= $1 order by i.id limit $2) as first_ones
            ) as counted
            where waiting > 0 and s.shop_id <> all($3::int[])`,
    values: [new Date(at), limit, integers(but)],
  })
  return rows.map((row) => ({ shopId: row.shop_id, waiting: Number(row.waiting) }))
}

/** The number that was given to a message last, of whatever shop. Tells whether more are coming in, and costs the same however many there are. */
export async function findNewestMessage(client: Queryable = pool): Promise<string> {
  const { rows } = await client.query<{ last_value: string }>({
    name: 'find-newest-message',
    text: 'select last_value from messages_id_seq',
  })
  return rows[0]!.last_value
}

/** Any fixed number: with the shop's it names the lock under which messages are claimed. */
export const CLAIM_LOCK = 4_273_002

/**
 * What can be worked on where a shop has no rules yet. Its orders wait, maybe for ever and by the thousand, so these have an index of their own
 * among them, which names the same topics (migration what_needs_no_rules).
 */
export const RULELESS_TOPICS = [
  'app/scopes_update',
  'app/uninstalled',
  'bulk_operations/finish',
  'customers/data_request',
  'customers/redact',
  'shop/redact',
] as const

/** One of {@link RULELESS_TOPICS}. */
export type RulelessTopic = (typeof RULELESS_TOPICS)[number]

/**
 * Locks the oldest waiting messages of a shop that are due and that nobody else holds, until the caller's transaction ends.
 * `only`: just these ids. `topics`: just these of the topics that need no rules. None of a shop that is erased: they wait to be forgotten.
 */
export async function claimMessages(
  shopId: number,
  at: number,
  { limit, only, topics }: { limit: number; only?: readonly string[]; topics?: readonly RulelessTopic[] },
  client: Queryable,
): Promise<Message[]> {
  type Row = {
    id: string
    topic: string
    triggered_ms: string
    payload: string
    source: string
    attempts: number
  }
  const { rows } = await client.query<Row>({
    name: topics ? 'claim-ruleless-messages' : 'claim-messages',
    text: `select id, topic, ${inMilliseconds('triggered_at')} as triggered_ms, payload, source, attempts from inbox
            where shop_id = $1 and state = 'waiting' and due_at <= $2
              and ($4::bigint[] is null or id = any($4)) ${topics ? RULELESS : ''}
              and not exists (select from shops where id = $1 and erased_at is not null)
            order by id limit $3 for update skip locked`,
    values: [shopId, new Date(at), limit, only ?? null, ...(topics ? [topics] : [])],
  })
  return rows.map((row) => ({
    id: row.id,
    topic: row.topic,
    triggeredAt: Number(row.triggered_ms),
    payload: row.payload,
    source: row.source,
    attempts: row.attempts,
  }))
}

const RULELESS = `and topic in (${RULELESS_TOPICS.map((topic) => `'${topic}'`).join(', ')}) and topic = any($5::text[])`

/**
 * Takes messages out of the inbox that were worked on, in the transaction that did the work. Their bodies, which name people, go with
 * them: what was in them stands in its tables now.
 */
export async function finishMessages(shopId: number, ids: readonly string[], client: Queryable): Promise<void> {
  if (ids.length === 0) return
  await client.query({ name: 'finish-messages', text: FINISH, values: [shopId, numbers(ids)] })
}

/** Takes messages out of the inbox in which there is nothing to do. */
export async function ignoreMessages(shopId: number, ids: readonly string[], client: Queryable): Promise<void> {
  if (ids.length === 0) return
  await client.query({
    name: 'ignore-messages',
    text: ignoring(FINISH),
    values: [shopId, numbers(ids)],
  })
}

const FINISH = `delete from inbox where shop_id = $1 and id = any($2::bigint[]) and state = 'waiting'`

/** SQL that notes of the messages which this takes out of the inbox of shop $1 that there was nothing to do. */
const ignoring = (taking: string): string => `
with gone as (${taking} returning id)
update messages m set ignored = true from gone where m.shop_id = $1 and m.id = gone.id`

/**
 * Takes everything out of the shop's inbox: it is erased. Nobody claims anything of the shop's until the caller's transaction ends, and what was
 * claimed before has been worked on when this resolves.
 */
export async function emptyInbox(shopId: number, client: Queryable): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1, $2)', [CLAIM_LOCK, shopId])
  await client.query(ignoring('delete from inbox where shop_id = $1'), [shopId])
}

/** Takes out of the inbox what still came in for shops that are erased. Reads across shops: it is plumbing. */
export async function forgetMessagesOfErasedShops(): Promise<void> {
  await pool.query(
    `with gone as (
       delete from inbox i using shops s where s.id = i.shop_id and s.erased_at is not null returning i.shop_id, i.id)
     update messages m set ignored = true from gone where m.shop_id = gone.shop_id and m.id = gone.id`,
  )
}

/**
 * Forgets messages that came before the instant and were worked on, in one slice; returns how many went. Shopify sends a message
 * again for some hours at most. Looks from the front of the table, where the oldest lie: an index would cost the door more than this costs
 * the night. Reads across shops: it is plumbing.
 */
export async function clearOldMessages(beforeAt: number, limit = 20_000): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from messages where ctid = any(array(
       select ctid from messages m where received_at < $1
          and not exists (select 1 from inbox i where i.shop_id = m.shop_id and i.id = m.id) limit $2))`,
    [new Date(beforeAt), limit],
  )
  return rowCount ?? 0
}

/** Notes that a message failed: it is tried again later, and after the last attempt set aside. */
export async function noteFailure(
  shopId: number,
  { id, attempts }: Pick<Message, 'id' | 'attempts'>,
  error: string,
  at: number,
  client: Queryable = pool,
): Promise<'waiting' | 'set-aside'> {
  const delayMs = RETRY_DELAYS_MS[attempts]
  const state = delayMs === undefined ? 'set-aside' : 'waiting'
  await client.query(
    `update inbox set state = $3, attempts = attempts + 1, error = $4, due_at = $5
      where shop_id = $1 and id = $2 and state = 'waiting'`,
    [shopId, id, state, error.slice(0, 1_000), new Date(at + (delayMs ?? 0))],
  )
  return state
}

/** How many messages of the shop wait, counted no further than `limit`. */
export async function countWaiting(shopId: number, limit: number): Promise<number> {
  const { rows } = await pool.query<{ waiting: string }>(
    `select count(*) as waiting from (select 1 from inbox where shop_id = $1 and state = 'waiting' limit $2) as first_ones`,
    [shopId, limit],
  )
  return Number(rows[0]!.waiting)
}

/** Lets a message that was set aside be tried again, with fresh attempts. False where the shop has none such. */
export async function retryMessage(shopId: number, id: string, at: number): Promise<boolean> {
  if (!/^\d{1,18}$/.test(id)) return false
  const { rowCount } = await pool.query(
    `update inbox set state = 'waiting', attempts = 0, due_at = $3 where shop_id = $1 and id = $2 and state = 'set-aside'`,
    [shopId, id, new Date(at)],
  )
  return rowCount === 1
}

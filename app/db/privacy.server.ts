// What the law gives a customer: to know what is kept of them, and to have it erased. The ledger holds no personal data, so
// erasure never touches it; what a customer is called is not kept at all.
import type { PoolClient } from 'pg'
import { pool, type Queryable } from '#app/db/client.server.ts'

/** A request of the law as it is stored; `answer` is what is kept of the customer, for the shop to hand over. */
export type PrivacyRequest = {
  id: string
  topic: string
  memberId: string | null
  requestedAt: number
  answer: unknown
  doneAt: number | null
}

/** Notes a request that is still to be carried out. Noted twice, it is carried out once. */
export async function notePrivacyRequest(
  shopId: number,
  { topic, at, memberId = null }: { topic: string; at: number; memberId?: string | null },
  client: Queryable = pool,
): Promise<void> {
  await client.query(
    `insert into privacy_requests (shop_id, topic, member_id, requested_at)
     select $1, $2, $3, $4 where not exists (
       select 1 from privacy_requests where shop_id = $1 and topic = $2 and member_id is not distinct from $3::bigint and done_at is null)`,
    [shopId, topic, memberId, new Date(at)],
  )
}

/** Puts together all that is kept of a customer (the number of the gid) and notes it, for the merchant to pass on within 30 days. */
export async function answerDataRequest(
  shopId: number,
  memberId: string,
  at: number,
  client: PoolClient,
): Promise<void> {
  await client.query(
    `insert into privacy_requests (shop_id, topic, member_id, requested_at, done_at, answer)
     select $1, 'customers/data_request', m.id, $3, $3, jsonb_build_object(
       'member', (select jsonb_build_object('joinedAt', joined_at, 'tier', tier, 'birthday', state::json -> 'birthday')
                    from members where shop_id = $1 and id = m.id),
       'balances', (select jsonb_build_object('available', available, 'pending', pending, 'reserved', reserved,
                                              'lifetimeEarned', lifetime_earned)
                      from balances where shop_id = $1 and member_id = m.id),
       'orders', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'placedAt', placed_at, 'points', points)), '[]')
                    from orders where shop_id = $1 and member_id = m.id),
       'transfers', (select coalesce(jsonb_agg(jsonb_build_object('at', event_at, 'from', from_account, 'to', to_account,
                                                                  'points', amount, 'reason', reason)), '[]')
                       from ledger_transfers where shop_id = $1 and (member_id = m.id or counter_member_id = m.id)),
       'redemptions', (select coalesce(jsonb_agg(jsonb_build_object('reward', reward_id, 'points', points, 'state', state,
                                                                    'at', reserved_at)), '[]')
                         from redemptions where shop_id = $1 and member_id = m.id),
       'feedback', (select coalesce(jsonb_agg(jsonb_build_object('at', answered_at, 'score', score, 'comment', comment)
                                              order by round), '[]')
                      from feedback_answers where shop_id = $1 and member_id = m.id),
       'tags', (select coalesce(jsonb_agg(tag order by tag), '[]')
                  from customer_list_members where shop_id = $1 and member_id = m.id and state in ('tagged', 'remove')),
       'broughtOver', (select coalesce(jsonb_agg(jsonb_build_object('from', i.source, 'at', i.applied_at, 'points', l.points,
                                                                    'tier', l.tier) order by i.id), '[]')
                         from import_lines l join imports i on i.shop_id = $1 and i.id = l.import_id
                        where l.shop_id = $1 and l.member_id = m.id and l.state in ('given', 'back')),
       'reminders', (select coalesce(jsonb_agg(jsonb_build_object('at', queued_at, 'days', days, 'pointsEnd', ends_at)
                                               order by queued_at), '[]')
                       from expiry_reminders where shop_id = $1 and member_id = m.id))
     from (select coalesce((select member_id from member_aliases where shop_id = $1 and alias_id = $2::bigint), $2::bigint) as id) as m`,
    [shopId, memberId, new Date(at)],
  )
}

/** Forgets what was put together of customers (numbers of gids) who are erased: it was theirs, and is personal. */
export async function forgetAnsweredRequests(
  shopId: number,
  customers: readonly string[],
  client: Queryable,
): Promise<void> {
  if (customers.length === 0) return
  await client.query(
    'update privacy_requests set answer = null where shop_id = $1 and member_id = any($2::bigint[]) and answer is not null',
    [shopId, customers],
  )
}

/** Forgets what was put together before the instant: by law it was to be handed over within 30 days of the request. */
export async function forgetOldAnsweredRequests(shopId: number, before: number): Promise<void> {
  await pool.query(
    'update privacy_requests set answer = null where shop_id = $1 and requested_at < $2 and answer is not null',
    [shopId, new Date(before)],
  )
}

/** The shop's requests, newest first. */
export async function listPrivacyRequests(shopId: number, limit = 50): Promise<PrivacyRequest[]> {
  const { rows } = await pool.query(
    `select id, topic, member_id, requested_at, answer, done_at from privacy_requests where shop_id = $1 order by id desc limit $2`,
    [shopId, limit],
  )
  return rows.map((row) => ({
    id: row.id,
    topic: row.topic,
    memberId: row.member_id,
    requestedAt: row.requested_at.getTime(),
    answer: row.answer,
    doneAt: row.done_at?.getTime() ?? null,
  }))
}

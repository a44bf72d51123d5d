import { createHash } from 'node:crypto'
import type { Queryable } from './client.server.ts'
import { instants, integers, rowsOf, texts } from './arrays.ts'
import { pool } from './client.server.ts'

/**
 * The *outbox* holds what must still be done outside: *effects*. An effect is written in the transaction of the facts that call
 * for it, and carried out later by jobs/carry-out-outbox, at least once. Its *kind* says what to do, its *key* makes it one and
 * the same effect: while it waits, a newer one with its key takes its place (newest state wins), so that a member who bought
 * five times in a minute has their card written once.
 */

/** An effect to be carried out. `dueAt` (epoch ms) lets it wait; without it, it is due at once. */
export type NewEffect = { kind: string; key: string; payload?: unknown; dueAt?: number }

/** An effect that a job holds: it is this job's until its lease ends. */
export type Effect = { id: string; shopId: number; kind: string; key: string; payload: unknown; attempts: number }

/**
 * Writes effects, in the caller's transaction when given its client. A waiting effect of the same shop, kind and key is replaced:
 * new payload, due at the earlier of both, attempts from zero, and a new id, so that a job that is carrying out the old one does
 * not mark the new one done.
 */
export async function enqueueEffects(
  shopId: number,
  effects: NewEffect[],
  at: number,
  client: Queryable = pool,
): Promise<void> {
  if (effects.length === 0) return
  // The last of equal keys wins; PostgreSQL refuses to touch one row twice in a statement.
  const last = new Map(effects.map((effect) => [`${effect.kind}\n${effect.key}`, effect]))
  const list = [...last.values()]
  await client.query({
    name: 'enqueue-effects',
    text: `insert into outbox (shop_id, kind, key, payload, state, attempts, due_at, created_at)
           select $1, e.kind, e.key, e.payload::jsonb, 'waiting', 0, e.due_at, $2
             from ${rowsOf({ kind: '$3::text[]', key: '$4::text[]', payload: '$5::text[]', due_at: '$6::timestamptz[]' })} as e
           on conflict (shop_id, kind, key) where state = 'waiting'
           do update set id = excluded.id, payload = excluded.payload, attempts = 0, error = null,
                         due_at = least(outbox.due_at, excluded.due_at), created_at = excluded.created_at
             where outbox.attempts > 0 or outbox.due_at > excluded.due_at or outbox.payload is distinct from excluded.payload`,
    values: [
      shopId,
      new Date(at),
      texts(list.map(({ kind }) => kind)),
      texts(list.map(({ key }) => key)),
      texts(list.map(({ payload }) => JSON.stringify(payload ?? {}))),
      instants(list.map(({ dueAt }) => dueAt ?? at)),
    ],
  })
}

/**
 * The effect of having the cards of these members (gids) written anew. A batch's members go together, for a row each would cost nearly
 * as much as their points; the same ones again are the same effect. Of several members, the payload is `{ members }`.
 */
export function cardsToWrite(members: readonly string[]): NewEffect[] {
  const [member, second] = members
  if (member === undefined) return []
  if (second === undefined) return [{ kind: 'member-card', key: member, payload: { member } }]
  const key = createHash('sha256').update(members.join()).digest('base64url')
  return [{ kind: 'member-cards', key, payload: { members } }]
}

/** How many effects of a kind are looked at to find shops with work: enough to find them all in the end, few enough to look often. */
const LOOKED_AT = 500

/**
 * Installed shops that have effects of these kinds due at the instant, those that have waited longest first; not necessarily all at
 * once. Reads across shops: it is plumbing.
 */
export async function listShopsWithEffectsDue(at: number, kinds: readonly string[]): Promise<number[]> {
  const { rows } = await pool.query<{ shop_id: number }>({
    name: 'shops-with-effects-due',
    text: `select shop_id, min(due_at) as since
             from unnest($2::text[]) as k (kind)
            cross join lateral (
              select shop_id, due_at from outbox o
               where o.state = 'waiting' and o.kind = k.kind and o.due_at <= $1
                 and exists (select 1 from shops s
                              where s.id = o.shop_id and s.installed_at is not null and s.uninstalled_at is null)
               order by o.due_at, o.id limit $3) as due
            group by shop_id order by since`,
    values: [new Date(at), kinds, LOOKED_AT],
  })
  return rows.map(({ shop_id }) => shop_id)
}

/** Those of the shops for which anything can be carried out, and whether any of their effects of this kind waits. Across shops, as above. */
export async function findWaiting(
  shopIds: readonly number[],
  kind: string,
): Promise<{ shopId: number; waits: boolean }[]> {
  const { rows } = await pool.query<{ shopId: number; waits: boolean }>({
    name: 'find-waiting-effects',
    text: `select s.id as "shopId",
                  exists (select 1 from outbox o where o.shop_id = s.id and o.kind = $2 and o.state = 'waiting') as waits
             from shops s
            where s.id = any($1::int[]) and s.installed_at is not null and s.uninstalled_at is null`,
    values: [integers(shopIds), kind],
  })
  return rows
}

/**
 * Takes effects of one kind that are due, oldest first, for `leaseMs`: nobody else gets them meanwhile, and if the caller dies
 * they come back by themselves.
 */
export async function leaseEffects(
  shopId: number,
  kind: string,
  at: number,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<Effect[]> {
  const { rows } = await pool.query<{ id: string; kind: string; key: string; payload: unknown; attempts: number }>(
    `update outbox set attempts = least(attempts + 1, 32767), due_at = $4
      where id in (select id from outbox
                    where shop_id = $1 and kind = $2 and state = 'waiting' and due_at <= $3
                    order by due_at, id limit $5 for update skip locked)
      returning id, kind, key, payload, attempts`,
    [shopId, kind, new Date(at), new Date(at + leaseMs), limit],
  )
  return rows.map((row) => ({ ...row, id: String(row.id), shopId })).sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)))
}

/** Marks effects done. One that was replaced meanwhile has another id and stays waiting. */
export async function finishEffects(shopId: number, ids: string[], at: number): Promise<void> {
  if (ids.length === 0) return
  await pool.query(
    `update outbox set state = 'done', done_at = $3, error = null
      where shop_id = $1 and id = any($2::bigint[]) and state = 'waiting'`,
    [shopId, ids, new Date(at)],
  )
}

/** Puts effects back to be tried again at `dueAt`, with what went wrong. */
export async function postponeEffects(shopId: number, ids: string[], dueAt: number, error: string): Promise<void> {
  if (ids.length === 0) return
  await pool.query(
    `update outbox set due_at = $3, error = $4 where shop_id = $1 and id = any($2::bigint[]) and state = 'waiting'`,
    [shopId, ids, new Date(dueAt), error.slice(0, 500)],
  )
}

/** Sets effects aside: they stay visible with their error and are not tried again by themselves. */
export async function setEffectsAside(shopId: number, ids: string[], at: number, error: string): Promise<void> {
  if (ids.length === 0) return
  await pool.query(
    `update outbox set state = 'set-aside', done_at = $3, error = $4
      where shop_id = $1 and id = any($2::bigint[]) and state = 'waiting'`,
    [shopId, ids, new Date(at), error.slice(0, 500)],
  )
}

/** What no reinstall would do anew: it is laid aside while a shop has no app, the tags that customers keep at Shopify above all. */
const LAID_ASIDE = `('tier-changed', 'tag-customers', 'recount-cycles')`
/** When that is due: not in anybody's time. */
const NEVER = `timestamptz '9999-01-01T00:00:00Z'`
const DROP = `state = 'dropped', error = 'the shop uninstalled the app', done_at`

/**
 * Drops what waits for a shop that uninstalled the app: there is no token any more, and a reinstall writes every card anew. The rest is laid
 * aside for a reinstall, unless the shop is `erased`. Returns how many were dropped.
 */
export async function dropEffects(
  shopId: number,
  at: number,
  client: Queryable = pool,
  { erased = false } = {},
): Promise<number> {
  const { rowCount } = await client.query(
    `update outbox set ${DROP} = $2 where shop_id = $1 and state = 'waiting' and ($3 or kind not in ${LAID_ASIDE})`,
    [shopId, new Date(at), erased],
  )
  await client.query(
    `update outbox set due_at = ${NEVER}, attempts = 0
      where shop_id = $1 and state = 'waiting' and kind in ${LAID_ASIDE} and due_at < ${NEVER}`,
    [shopId],
  )
  return rowCount ?? 0
}

/** As `dropEffects`, for whatever late messages put down for shops that have gone, each minute. Reads across shops: it is plumbing. */
export async function dropEffectsOfGoneShops(at: number): Promise<number> {
  const gone = `from shops s where s.id = o.shop_id and s.uninstalled_at is not null and o.state = 'waiting'`
  const { rowCount } = await pool.query(
    `update outbox o set ${DROP} = $1 ${gone} and (s.erased_at is not null or o.kind not in ${LAID_ASIDE})`,
    [new Date(at)],
  )
  await pool.query(`update outbox o set due_at = ${NEVER}, attempts = 0 ${gone} and o.due_at < ${NEVER}`)
  return rowCount ?? 0
}

/** Takes up what was laid aside: the shop has the app again. */
export async function takeUpEffects(shopId: number, at: number, client: Queryable): Promise<void> {
  await client.query(`update outbox set due_at = $2 where shop_id = $1 and state = 'waiting' and due_at = ${NEVER}`, [
    shopId,
    new Date(at),
  ])
}

/** Deletes finished effects older than the instant, in one slice. Returns how many went. */
export async function clearFinishedEffects(beforeAt: number, limit = 5_000): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from outbox where id in
       (select id from outbox where state in ('done', 'dropped') and done_at < $1 order by id limit $2)`,
    [new Date(beforeAt), limit],
  )
  return rowCount ?? 0
}

import { createHmac, hkdfSync } from 'node:crypto'
import { env } from '#app/env.server.ts'
import { toBase32 } from '#app/loyalty/ids.ts'
import type { Queryable } from './client.server.ts'
import { inTransaction, pool } from './client.server.ts'

/**
 * A *pool* stands for one parent discount at Shopify (one reward, one value, one set of terms) and its *codes*. A code is
 * `asked` (sent to Shopify, not confirmed), `free` (Shopify has it, nobody holds it), `taken` (a redemption holds it), then `used`
 * or `gone` (deleted). Codes are made here before Shopify hears of them and are derived from a secret, so that whoever tries again
 * after a crash comes with the same codes, and nobody can guess one.
 */

/** Codes kept ahead for a reward whose value is fixed, and for each value of a variable one that was ever taken. */
export const POOL_TARGET = 50

/** What a pool of codes is known by: its reward and terms, the title of its discount, and how many free codes it should hold. */
export type PoolKey = { rewardId: string; terms: string; title: string; target: number }
/** A pool of codes as it is stored, with the Shopify discount its codes belong to. */
export type Pool = {
  id: string
  rewardId: string
  terms: string
  title: string
  target: number
  discountGid: string | null
  creationGid: string | null
}
/** A code from being asked of Shopify to its end. */
export type CodeState = 'asked' | 'free' | 'taken' | 'used' | 'gone'
/** One redeem code; `redemptionId` is whose it became, `gid` is Shopify's once it is known. */
export type Code = { code: string; poolId: string; state: CodeState; redemptionId: string | null; gid: string | null }

type PoolRow = {
  id: string
  reward_id: string
  terms: string
  title: string
  target: number
  discount_gid: string | null
  creation_gid: string | null
}
const POOL_COLUMNS = 'id, reward_id, terms, title, target, discount_gid, creation_gid'
type CodeRow = { code: string; pool_id: string; state: CodeState; redemption_id: string | null; gid: string | null }
const CODE_COLUMNS = 'code, pool_id, state, redemption_id, gid'

let secret: Buffer | undefined

/**
 * The code that belongs to a text, the same at every call: 12 characters of Crockford's base 32 (60 bits) from an HMAC under a
 * key of its own, derived from ENCRYPTION_KEY. `length` asks for more (26 hold 130 bits).
 */
export function deriveCode(text: string, length = 12): string {
  secret ??= Buffer.from(
    hkdfSync('sha256', Buffer.from(env().ENCRYPTION_KEY, 'base64'), '', 'perennial discount codes v1', 32),
  )
  return toBase32(createHmac('sha256', secret).update(text).digest(), length)
}

/**
 * The pool of a reward with these terms, made if there is none, and offering again if it had been retired. Its id is derived from shop,
 * reward and terms.
 */
export async function requirePool(shopId: number, key: PoolKey, at: number, client: Queryable = pool): Promise<Pool> {
  const id = `pool_${deriveCode(`pool:${shopId}:${key.rewardId}:${key.terms}`).toLowerCase()}`
  await client.query(
    `insert into code_pools (shop_id, id, reward_id, terms, title, target, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)
     on conflict (shop_id, reward_id, terms) do update set target = excluded.target, updated_at = excluded.updated_at
       where code_pools.target <> excluded.target`,
    [shopId, id, key.rewardId, key.terms, key.title, key.target, new Date(at)],
  )
  const found = await client.query<PoolRow>(
    `select ${POOL_COLUMNS} from code_pools where shop_id = $1 and reward_id = $2 and terms = $3`,
    [shopId, key.rewardId, key.terms],
  )
  return toPool(found.rows[0] as PoolRow)
}

/** The pool with this id, null where the shop has none such. */
export async function findPool(shopId: number, id: string): Promise<Pool | null> {
  const { rows } = await pool.query<PoolRow>(`select ${POOL_COLUMNS} from code_pools where shop_id = $1 and id = $2`, [
    shopId,
    id,
  ])
  return rows[0] ? toPool(rows[0]) : null
}

/** Keeps the gid of the parent discount. */
export async function keepDiscount(shopId: number, poolId: string, discountGid: string, at: number): Promise<void> {
  await pool.query(
    `update code_pools set discount_gid = $3, state = 'ready', error = null, updated_at = $4
      where shop_id = $1 and id = $2`,
    [shopId, poolId, discountGid, new Date(at)],
  )
}

/** Keeps how the filling of a pool stands: the creation under way (null: none) and what went wrong last. */
export async function keepFilling(
  shopId: number,
  poolId: string,
  creationGid: string | null,
  error: string | null,
  at: number,
): Promise<void> {
  await pool.query(
    `update code_pools set creation_gid = $3, error = $4, updated_at = $5,
            filled_at = case when $3::text is null and $4::text is null then $5 else filled_at end
      where shop_id = $1 and id = $2`,
    [shopId, poolId, creationGid, error, new Date(at)],
  )
}

/**
 * The code of a redemption: the one it holds already, else a free one of the pool. Null where the pool is empty. Two redemptions
 * never get the same code, and one redemption never gets two: its row is locked meanwhile.
 */
export async function takeCode(shopId: number, poolId: string, redemptionId: string, at: number): Promise<Code | null> {
  return inTransaction(async (client) => {
    await client.query('select 1 from redemptions where shop_id = $1 and id = $2 for update', [shopId, redemptionId])
    const held = await findCodeOf(shopId, redemptionId, client)
    if (held) return held
    const { rows } = await client.query<CodeRow>(
      `update codes set state = 'taken', redemption_id = $3, taken_at = $4
        where shop_id = $1 and code = (
          select code from codes where shop_id = $1 and pool_id = $2 and state = 'free'
           order by created_at, code limit 1 for update skip locked)
        returning ${CODE_COLUMNS}`,
      [shopId, poolId, redemptionId, new Date(at)],
    )
    return rows[0] ? toCode(rows[0]) : null
  })
}

/**
 * Writes down the code that a redemption will ask Shopify for when the pool is empty: state `asked`, held by the redemption and
 * derived from its id. A redemption that holds one already keeps it, so that whoever tries again comes with the same.
 */
export async function askCodeFor(shopId: number, poolId: string, redemptionId: string, at: number): Promise<Code> {
  return inTransaction(async (client) => {
    await client.query('select 1 from redemptions where shop_id = $1 and id = $2 for update', [shopId, redemptionId])
    const held = await findCodeOf(shopId, redemptionId, client)
    if (held) return held
    const { rows } = await client.query<CodeRow>(
      `insert into codes (shop_id, code, pool_id, state, redemption_id, created_at, taken_at)
       values ($1, $2, $3, 'asked', $4, $5, $5)
       on conflict (shop_id, code) do update set redemption_id = excluded.redemption_id
       returning ${CODE_COLUMNS}`,
      [shopId, deriveCode(`redemption:${shopId}:${redemptionId}`), poolId, redemptionId, new Date(at)],
    )
    return toCode(rows[0] as CodeRow)
  })
}

/**
 * Lets go of the code of a redemption whose points went back before anybody saw it: the pool has it again (once Shopify confirms
 * it, where that was still open). A code that was handed out (the redemption was committed) stays where it is.
 */
export async function freeCodeOf(shopId: number, redemptionId: string): Promise<void> {
  await pool.query(
    `update codes c set redemption_id = null, taken_at = null, state = case when c.state = 'taken' then 'free' else c.state end
       from redemptions r
      where c.shop_id = $1 and c.redemption_id = $2 and c.state in ('asked', 'taken')
        and r.shop_id = $1 and r.id = $2 and r.state = 'returned' and r.code is null`,
    [shopId, redemptionId],
  )
}

/** As `freeCodeOf`, for every redemption of the shop that was let go by somebody who then died. Returns how many codes are back. */
export async function freeOrphanedCodes(shopId: number): Promise<number> {
  const { rowCount } = await pool.query(
    `update codes c set redemption_id = null, taken_at = null, state = case when c.state = 'taken' then 'free' else c.state end
       from redemptions r
      where c.shop_id = $1 and c.state in ('asked', 'taken')
        and r.shop_id = $1 and r.id = c.redemption_id and r.state = 'returned' and r.code is null`,
    [shopId],
  )
  return rowCount ?? 0
}

/** The newest pool of a reward that still offers codes, null where there is none. */
export async function findPoolOfReward(shopId: number, rewardId: string): Promise<Pool | null> {
  const { rows } = await pool.query<PoolRow>(
    `select ${POOL_COLUMNS} from code_pools where shop_id = $1 and reward_id = $2 and target > 0
      order by created_at desc limit 1`,
    [shopId, rewardId],
  )
  return rows[0] ? toPool(rows[0]) : null
}

/** The pools of a reward, of any terms. */
export async function listPoolsOfReward(shopId: number, rewardId: string): Promise<Pool[]> {
  const { rows } = await pool.query<PoolRow>(
    `select ${POOL_COLUMNS} from code_pools where shop_id = $1 and reward_id = $2 order by created_at`,
    [shopId, rewardId],
  )
  return rows.map(toPool)
}

/** The parent discount is gone from Shopify, and its codes with it: codes that nobody holds are forgotten, a new parent will be made. */
export async function forgetDiscount(shopId: number, poolId: string, at: number): Promise<void> {
  await inTransaction(async (client) => {
    await client.query(
      `update code_pools set discount_gid = null, creation_gid = null, state = 'new', updated_at = $3
        where shop_id = $1 and id = $2`,
      [shopId, poolId, new Date(at)],
    )
    await client.query(
      `delete from codes where shop_id = $1 and pool_id = $2 and redemption_id is null and state in ('asked', 'free')`,
      [shopId, poolId],
    )
  })
}

/** Pools that have a parent discount at Shopify, and codes that somebody has or may get. */
export async function listLivePools(shopId: number): Promise<(Pool & { discountGid: string })[]> {
  const { rows } = await pool.query<PoolRow>(
    `select ${POOL_COLUMNS} from code_pools p
      where p.shop_id = $1 and p.discount_gid is not null
        and exists (select 1 from codes c where c.shop_id = $1 and c.pool_id = p.id and c.state in ('free', 'taken'))
      order by p.created_at`,
    [shopId],
  )
  return rows.map(toPool).filter((found): found is Pool & { discountGid: string } => found.discountGid !== null)
}

/** The codes of a pool that shoppers hold and have not used, at most `limit`. */
export async function listCodesHeld(shopId: number, poolId: string, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ code: string }>(
    `select c.code from codes c join redemptions r on r.shop_id = $1 and r.id = c.redemption_id
      where c.shop_id = $1 and c.pool_id = $2 and c.state = 'taken' and r.state = 'issued' order by c.code limit $3`,
    [shopId, poolId, limit],
  )
  return rows.map(({ code }) => code)
}

/** The code that a redemption holds, null where it holds none. */
export async function findCodeOf(shopId: number, redemptionId: string, client: Queryable = pool): Promise<Code | null> {
  const { rows } = await client.query<CodeRow>(
    `select ${CODE_COLUMNS} from codes where shop_id = $1 and redemption_id = $2`,
    [shopId, redemptionId],
  )
  return rows[0] ? toCode(rows[0]) : null
}

/** Shopify has the code of a redemption: it is `taken` from here on. */
export async function confirmCode(shopId: number, code: string, gid: string | null): Promise<void> {
  await pool.query(
    `update codes set state = 'taken', gid = coalesce($3, gid) where shop_id = $1 and code = $2 and state = 'asked'`,
    [shopId, code, gid],
  )
}

/** Writes down the first code of a pool, with which its parent discount is made. The same at every call. */
export async function askFirstCode(shopId: number, poolId: string, at: number): Promise<string> {
  const code = deriveCode(`first:${shopId}:${poolId}`)
  await pool.query(
    `insert into codes (shop_id, code, pool_id, state, created_at) values ($1, $2, $3, 'asked', $4)
     on conflict (shop_id, code) do nothing`,
    [shopId, code, poolId, new Date(at)],
  )
  return code
}

/** Codes that were sent to Shopify for the pool itself and are not confirmed yet. */
export async function listAskedCodes(shopId: number, poolId: string, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ code: string }>(
    `select code from codes where shop_id = $1 and pool_id = $2 and state = 'asked' and redemption_id is null
      order by created_at, code limit $3`,
    [shopId, poolId, limit],
  )
  return rows.map(({ code }) => code)
}

/**
 * Writes down the codes that the pool lacks, at most `limit`, as `asked`. Returns all that are now asked for. Derived from the
 * pool and a serial number: repeated after a crash it writes the same ones.
 */
export async function askCodes(shopId: number, poolId: string, limit: number, at: number): Promise<string[]> {
  await inTransaction(async (client) => {
    const { rows } = await client.query<{ target: number }>(
      `select target from code_pools where shop_id = $1 and id = $2 for update`,
      [shopId, poolId],
    )
    const counted = await client.query<{ ahead: string; made: string }>(
      `select count(*) filter (where state in ('asked', 'free') and redemption_id is null) as ahead, count(*) as made
         from codes where shop_id = $1 and pool_id = $2`,
      [shopId, poolId],
    )
    const { ahead, made } = counted.rows[0] as { ahead: string; made: string }
    const missing = Math.min(limit, Number(rows[0]?.target ?? 0) - Number(ahead))
    if (missing <= 0) return
    const codes = Array.from({ length: missing }, (_, index) =>
      deriveCode(`serial:${shopId}:${poolId}:${Number(made) + index}`),
    )
    await client.query(
      `insert into codes (shop_id, code, pool_id, state, created_at)
       select $1, code, $2, 'asked', $4 from unnest($3::text[]) as code on conflict (shop_id, code) do nothing`,
      [shopId, poolId, codes, new Date(at)],
    )
  })
  return listAskedCodes(shopId, poolId, limit)
}

/** Shopify has these codes of the pool: they are free to be taken. Codes that a redemption asked for become its own. */
export async function confirmCodes(shopId: number, codes: { code: string; gid: string | null }[]): Promise<void> {
  if (codes.length === 0) return
  await pool.query(
    `update codes set state = case when codes.redemption_id is null then 'free' else 'taken' end,
            gid = coalesce(e.gid, codes.gid)
       from unnest($2::text[], $3::text[]) as e (code, gid)
      where codes.shop_id = $1 and codes.code = e.code and codes.state = 'asked'`,
    [shopId, codes.map(({ code }) => code), codes.map(({ gid }) => gid)],
  )
}

/** Shopify will never have these codes, or has no more: nobody can take them. */
export async function markCodesGone(shopId: number, codes: string[], client: Queryable = pool): Promise<void> {
  if (codes.length === 0) return
  await client.query(
    `update codes set state = 'gone' where shop_id = $1 and code = any($2::text[]) and state <> 'used'`,
    [shopId, codes],
  )
}

/** An order used the code. */
export async function markCodeUsed(shopId: number, code: string, client: Queryable = pool): Promise<void> {
  await client.query(`update codes set state = 'used' where shop_id = $1 and code = $2`, [shopId, code])
}

/** Pools that lack codes, or whose filling is under way: those a job should look at. */
export async function listPoolsToFill(shopId: number): Promise<Pool[]> {
  const { rows } = await pool.query<PoolRow>(
    `select ${POOL_COLUMNS} from code_pools p
      where p.shop_id = $1 and p.target > 0
        and (p.creation_gid is not null or p.discount_gid is null or
             (select count(*) from codes c
               where c.shop_id = $1 and c.pool_id = p.id and c.state = 'free') * 2 <= p.target)
      order by p.created_at`,
    [shopId],
  )
  return rows.map(toPool)
}

/** Pools whose terms are not among these offer nothing new any more: they keep no codes ahead. */
export async function retirePools(
  shopId: number,
  offered: { rewardId: string; terms: string }[],
  at: number,
): Promise<void> {
  await pool.query(
    `update code_pools set target = 0, updated_at = $4
      where shop_id = $1 and target > 0
        and not exists (select 1 from unnest($2::text[], $3::text[]) as o (reward_id, terms)
                         where o.reward_id = code_pools.reward_id and o.terms = code_pools.terms)`,
    [shopId, offered.map(({ rewardId }) => rewardId), offered.map(({ terms }) => terms), new Date(at)],
  )
}

function toPool(row: PoolRow): Pool {
  return {
    id: row.id,
    rewardId: row.reward_id,
    terms: row.terms,
    title: row.title,
    target: row.target,
    discountGid: row.discount_gid,
    creationGid: row.creation_gid,
  }
}

function toCode(row: CodeRow): Code {
  return { code: row.code, poolId: row.pool_id, state: row.state, redemptionId: row.redemption_id, gid: row.gid }
}

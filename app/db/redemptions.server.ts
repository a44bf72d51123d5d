import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { Draw } from '#app/loyalty/lots.ts'
import type { Redemption, RedemptionState } from '#app/loyalty/rewards.ts'
import { numbers } from './arrays.ts'
import type { Queryable } from './client.server.ts'
import { pool } from './client.server.ts'

/**
 * Redemptions as they are stored: the engine's record (loyalty/rewards.ts) and, beside it, when each thing happened and what went
 * wrong. The engine decides every change of state; what is written here is what it said.
 */

/** Which redemptions to load: by our id, by code, or those of members that are still open. Customers and members as gids. */
export type RedemptionNeeds = { ids?: readonly string[]; codes?: readonly string[]; openOf?: readonly string[] }

type Row = {
  id: string
  member_id: string
  reward_id: string
  type: Redemption['type']
  points: string
  value: string | null
  state: RedemptionState
  code: string | null
  draws: Draw[]
  returned_points: string
  order_id: string | null
  reserved_at: Date
  expires_at: Date | null
  ended_at: Date | null
  moves: number
}
const COLUMNS = `id, member_id, reward_id, type, points, value, state, code, draws, returned_points, order_id, reserved_at,
  expires_at, ended_at, moves`

/** The redemptions of a shop that fit any of the needs, each once, oldest first. Codes are compared without regard to case. */
export async function loadRedemptions(
  shopId: number,
  { ids = [], codes = [], openOf = [] }: RedemptionNeeds,
  client: Queryable = pool,
): Promise<Redemption[]> {
  if (ids.length + codes.length + openOf.length === 0) return []
  const { rows } = await client.query<Row>({
    name: 'load-redemptions',
    text: `select ${COLUMNS} from redemptions
            where shop_id = $1 and (id = any($2::text[]) or code = any($3::text[])
               or (member_id = any($4::bigint[]) and state in ('reserved', 'issued', 'ending')))
            order by reserved_at, id`,
    values: [
      shopId,
      ids,
      codes.map((code) => code.toUpperCase()),
      numbers(openOf.map((member) => numberOfGid(member, 'Customer'))),
    ],
  })
  return rows.map(toRedemption)
}

/**
 * Writes redemptions as the engine left them, in the caller's transaction. Instants of the steps (`issued_at`, `used_at`, …) are
 * noted the first time a state is reached. Written again, the same records change nothing.
 */
export async function saveRedemptions(
  shopId: number,
  redemptions: readonly Redemption[],
  at: number,
  client: Queryable,
  programVersion: number | null = null,
): Promise<void> {
  if (redemptions.length === 0) return
  // The last record of an id is the newest; PostgreSQL refuses to touch one row twice in a statement.
  const last = [...new Map(redemptions.map((redemption) => [redemption.id, redemption])).values()]
  await client.query({
    name: 'save-redemptions',
    text: `
      insert into redemptions as r (shop_id, ${COLUMNS}, program_version, issued_at, used_at, returned_at, cancelled_at, updated_at)
      select $1, g.id, g.member_id, g.reward_id, g.type, g.points, g.value, g.state, upper(g.code), g.draws, g.returned_points,
             g.order_id, g.reserved_at, g.expires_at, g.ended_at, g.moves, $17,
             case when g.state = 'issued' then $2::timestamptz end, case when g.state = 'used' then $2::timestamptz end,
             case when g.state = 'returned' then $2::timestamptz end, case when g.state = 'ending' then $2::timestamptz end, $2
        from unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[],
                    $11::jsonb[], $12::bigint[], $13::bigint[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[],
                    $18::int[])
          as g (id, member_id, reward_id, type, points, value, state, code, draws, returned_points, order_id, reserved_at,
                expires_at, ended_at, moves)
      on conflict (shop_id, id) do update
        set member_id = excluded.member_id, state = excluded.state, code = excluded.code, draws = excluded.draws,
            returned_points = excluded.returned_points, order_id = excluded.order_id, expires_at = excluded.expires_at,
            ended_at = excluded.ended_at, moves = excluded.moves, updated_at = excluded.updated_at,
            issued_at = coalesce(r.issued_at, excluded.issued_at), used_at = coalesce(r.used_at, excluded.used_at),
            returned_at = coalesce(r.returned_at, excluded.returned_at),
            cancelled_at = coalesce(r.cancelled_at, excluded.cancelled_at)`,
    values: [
      shopId,
      new Date(at),
      last.map(({ id }) => id),
      last.map(({ member }) => numberOfGid(member, 'Customer')),
      last.map(({ reward }) => reward),
      last.map(({ type }) => type),
      last.map(({ points }) => points),
      last.map(({ value }) => value),
      last.map(({ state }) => state),
      last.map(({ code }) => code),
      last.map(({ draws }) => JSON.stringify(draws)),
      last.map(({ returned }) => returned),
      last.map(({ order }) => (order === null ? null : numberOfGid(order, 'Order'))),
      last.map(({ reservedAt }) => new Date(reservedAt)),
      last.map(({ expiresAt }) => (expiresAt === null ? null : new Date(expiresAt))),
      last.map(({ endedAt }) => (endedAt === null ? null : new Date(endedAt))),
      programVersion,
      last.map(({ moves }) => moves),
    ],
  })
}

/** One redemption of the shop by its id, null where there is none. */
export async function findRedemption(shopId: number, id: string, client: Queryable = pool): Promise<Redemption | null> {
  const [found] = await loadRedemptions(shopId, { ids: [id] }, client)
  return found ?? null
}

/** A member's redemption by its id, null where there is none or it is another member's: what a shopper may touch. */
export async function findOwnRedemption(shopId: number, member: string, id: string): Promise<Redemption | null> {
  const found = await findRedemption(shopId, id)
  return found?.member === member ? found : null
}

/**
 * How many of the points that these redemptions gave back were gone the same moment, because their lots had run out meanwhile
 * (loyalty/lots.ts): by redemption id, and only those that lost any. What an order took up again by using its code after all is left out.
 */
export async function findRunOutOnReturn(shopId: number, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  // The key of an expiry ends with the key of the return that brought it about.
  const { rows } = await pool.query<{ id: string; points: string }>(
    `select d.id, sum(e.amount) as points
       from redemptions d
      cross join generate_series(1, d.moves) as move
       join ledger_transfers r on r.shop_id = $1 and r.key = 'return:' || d.id || ':' || move
       join ledger_transfers e on e.shop_id = $1 and e.member_id = r.member_id and e.event_at >= r.event_at
        and e.reason = 'expire' and right(e.key, length(r.key) + 1) = '@' || r.key
      where d.shop_id = $1 and d.id = any($2::text[])
        and not exists (select 1 from generate_series(move + 1, d.moves) as later
                          join ledger_transfers k on k.shop_id = $1 and k.key = 'keep:' || d.id || ':' || later)
      group by d.id`,
    [shopId, ids],
  )
  return new Map(rows.map(({ id, points }) => [id, Number(points)]))
}

/**
 * Redemptions that somebody must settle by `at`: `reserved` since before `reservedBefore` (whoever reserved them is gone), and `ending` ones
 * that wait for Shopify's word. Those tried least recently first. A credit whose answer was lost is looked for less and less often: a
 * tenth of the time after it was asked for lies between two looks, an hour at most. Reads one shop.
 */
export async function listUnsettled(
  shopId: number,
  { reservedBefore, at, limit }: { reservedBefore: number; at: number; limit: number },
): Promise<(Redemption & { attempts: number })[]> {
  const { rows } = await pool.query<Row & { attempts: number }>(
    `select ${COLUMNS}, attempts from redemptions
      where shop_id = $1 and ((state = 'reserved' and reserved_at < $2) or state = 'ending')
        and (credit_asked_at is null or updated_at + least((updated_at - credit_asked_at) / 10, interval '1 hour') <= $4)
      order by updated_at, id limit $3`,
    [shopId, new Date(reservedBefore), limit, new Date(at)],
  )
  return rows.map((row) => ({ ...toRedemption(row), attempts: row.attempts }))
}

/** Notes that a try to settle a redemption came to nothing, and why. */
export async function noteFailedTry(shopId: number, id: string, error: string, at: number): Promise<void> {
  await pool.query(
    `update redemptions set attempts = least(attempts + 1, 32767), error = $3, updated_at = $4 where shop_id = $1 and id = $2`,
    [shopId, id, error.slice(0, 500), new Date(at)],
  )
}

/**
 * Notes that Shopify is asked for the store credit or the gift card of a redemption now, before it is asked: once for each redemption,
 * whoever tries. `isFirst`: the caller is the one who asks. `askedAt`: when that was, also where it was somebody else.
 */
export async function noteCreditAsked(
  shopId: number,
  id: string,
  at: number,
): Promise<{ isFirst: boolean; askedAt: number }> {
  const { rowCount } = await pool.query(
    `update redemptions set credit_asked_at = $3, attempts = least(attempts + 1, 32767), error = 'credit asked for', updated_at = $3
      where shop_id = $1 and id = $2 and state = 'reserved' and credit_asked_at is null`,
    [shopId, id, new Date(at)],
  )
  if (rowCount === 1) return { isFirst: true, askedAt: at }
  const { rows } = await pool.query<{ credit_asked_at: Date | null }>(
    'select credit_asked_at from redemptions where shop_id = $1 and id = $2',
    [shopId, id],
  )
  return { isFirst: false, askedAt: rows[0]?.credit_asked_at?.getTime() ?? at }
}

function toRedemption(row: Row): Redemption {
  return {
    id: row.id,
    member: toGid('Customer', row.member_id),
    reward: row.reward_id,
    type: row.type,
    points: Number(row.points),
    value: row.value,
    state: row.state,
    code: row.code,
    reservedAt: row.reserved_at.getTime(),
    expiresAt: row.expires_at?.getTime() ?? null,
    draws: row.draws,
    returned: Number(row.returned_points),
    order: row.order_id === null ? null : toGid('Order', row.order_id),
    endedAt: row.ended_at?.getTime() ?? null,
    moves: row.moves,
  }
}

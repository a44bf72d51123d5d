// Members as they are stored: one row with the engine's record (loyalty/engine.ts Member), whose points and lots stand
// in the ledger's tables, whose open redemptions stand in theirs, and whose aliases have a table of their own.
import {
  inMilliseconds,
  instants,
  numbers,
  packedColumns,
  rowsOf,
  texts,
  unpackColumns,
  type PackedColumns,
} from '#app/db/arrays.ts'
import { pool, together, type Queryable } from '#app/db/client.server.ts'
import { moveListed } from '#app/db/customer-lists.server.ts'
import { moveAnswers } from '#app/db/feedback.server.ts'
import { closeEmptyAccounts, openAccountsOf } from '#app/db/ledger.server.ts'
import { moveOrders } from '#app/db/orders.server.ts'
import { moveReminders } from '#app/db/reminders.server.ts'
import {
  fromStoredMember,
  lengthen,
  toStoredMember,
  type KeptActivity,
  type StoredMember,
} from '#app/db/stored-member.ts'
import type { Member } from '#app/loyalty/engine.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { Lot } from '#app/loyalty/lots.ts'
import type { Redemption } from '#app/loyalty/rewards.ts'

/** The record of a row that was only made to be locked: the column's default. */
const NOBODY = '{}'

/** A member's row joined with its balances, before lots and redemptions are put to it. */
export type MemberRow = {
  id: string
  /** JSON: {@link StoredMember}, or {@link NOBODY}. */
  state: string
  erased_at: Date | null
  available: string
  pending: string
  reserved: string
  deficit: string
  lifetime_earned: string
  aliases: string[] | null
}

/** A row that is locked. */
export type LockedRow = MemberRow & {
  /** When time next does something to the member, as it was last worked out; null for never. */
  next_due_ms: string | null
}

/** The customers merged into the member of the balances `b`, the oldest merger first. */
export const ALIASES = `(select array_agg(a.alias_id::text order by a.merged_at, a.alias_id) from member_aliases a
                    where a.shop_id = $1 and a.member_id = b.member_id) as aliases`

/** Who each of these customers (gids) is now: customers merged into another are followed to the survivor. */
export async function followAliases(
  shopId: number,
  customers: readonly string[],
  client: Queryable = pool,
): Promise<Map<string, string>> {
  if (customers.length === 0) return new Map()
  const { rows } = await client.query<{ alias_id: string; member_id: string }>({
    name: 'follow-aliases',
    text: 'select alias_id, member_id from member_aliases where shop_id = $1 and alias_id = any($2::bigint[])',
    values: [shopId, numbers(customers.map(customerNumber))],
  })
  const survivors = new Map(rows.map((row) => [row.alias_id, row.member_id]))
  return new Map(
    customers.map((customer) => [
      customer,
      toGid('Customer', survivors.get(customerNumber(customer)) ?? customerNumber(customer)),
    ]),
  )
}

/**
 * Locks the rows of these members (gids, aliases followed already) in the order of their ids and returns them. With `joinedAt`, those
 * never seen before get an empty row of that date first, to have something to lock; `dropEmptyMembers` takes it away again
 * where the engine did not want it. With `skipBusy`, members that another transaction holds are left out; with both, all but those who got
 * a row here: what is read beside the locks may be from before another transaction let go of the rest.
 */
export async function lockMembers(
  shopId: number,
  members: readonly string[],
  { joinedAt, skipBusy }: { joinedAt: number | null; skipBusy: boolean },
  client: Queryable,
): Promise<LockedRow[]> {
  if (members.length === 0) return []
  const ids = numbers(members.map(customerNumber))
  const adding = joinedAt === null ? Promise.resolve(null) : addMembers(shopId, ids, joinedAt, client)
  // One look into the index per member, said so that no plan can be worse: a new shop has no statistics.
  const locking = client.query<Pick<LockedRow, 'id' | 'state' | 'erased_at' | 'next_due_ms'>>({
    name: skipBusy ? 'lock-free-members' : 'lock-members',
    text: `select m.id, m.state, m.erased_at, ${inMilliseconds('m.next_due_at')} as next_due_ms
             from (select id from unnest($2::bigint[]) as id order by id) as g
            cross join lateral (
              select * from members where shop_id = $1 and id = g.id limit 1 for update ${skipBusy ? 'skip locked' : ''}) as m`,
    values: [shopId, ids],
  })
  // A statement of its own sees what others wrote while the locks were waited for; the one that locks would not (EvalPlanQual).
  const holding = client.query<Omit<LockedRow, 'state' | 'erased_at' | 'next_due_ms' | 'aliases'>>({
    name: 'load-balances',
    text: `select b.member_id as id, b.available, b.pending, b.reserved, b.deficit, b.lifetime_earned
             from balances b where b.shop_id = $1 and b.member_id = any($2::bigint[])`,
    values: [shopId, ids],
  })
  // Few members have any: looked up for each beside its balances, they would cost as much as those.
  const naming = client.query<{ member_id: string; alias_id: string }>({
    name: 'load-aliases',
    text: `select member_id, alias_id from member_aliases where shop_id = $1 and member_id = any($2::bigint[])
            order by merged_at, alias_id`,
    values: [shopId, ids],
  })
  const [added, { rows }, { rows: held }, { rows: named }] = await together([adding, locking, holding, naming])
  const accounts = new Map(held.map((row) => [row.id, row]))
  const names = Map.groupBy(named, (row) => row.member_id)
  const locked = added && skipBusy ? rows.filter((row) => added.has(row.id)) : rows
  return locked.map((row) => {
    const aliases = names.get(row.id)?.map(({ alias_id: alias }) => alias) ?? null
    return Object.assign(accounts.get(row.id)!, row, { aliases })
  })
}

/** Whoever was merged away since their aliases were followed is nobody new: there would be two of them again. Returns who is. */
async function addMembers(shopId: number, ids: Buffer, joinedAt: number, client: Queryable): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>({
    name: 'add-members',
    text: `with added as (
             insert into members (shop_id, id, joined_at, updated_at)
             select $1, id, $3, $3 from unnest($2::bigint[]) as id
              where not exists (select 1 from members m where m.shop_id = $1 and m.id = id.id)
                and not exists (select 1 from member_aliases a where a.shop_id = $1 and a.alias_id = id.id)
              order by id on conflict (shop_id, id) do nothing returning id)
           ${openAccountsOf('added')} returning member_id as id`,
    values: [shopId, ids, new Date(joinedAt)],
  })
  return new Set(rows.map(({ id }) => id))
}

/** The record of a row; undefined where the row was only made to be locked. */
export function readStored({ state }: Pick<MemberRow, 'state'>): StoredMember | undefined {
  return state === NOBODY ? undefined : (JSON.parse(state) as StoredMember)
}

/** The engine's record of a row. */
export function toMember(
  row: MemberRow,
  stored: StoredMember,
  lots: readonly Lot[],
  redemptions: readonly Redemption[],
): Member {
  return {
    ...fromStoredMember(stored),
    id: toGid('Customer', row.id),
    aliases: row.aliases?.map((alias) => toGid('Customer', alias)) ?? [],
    erasedAt: row.erased_at?.getTime() ?? null,
    available: Number(row.available),
    pending: Number(row.pending),
    reserved: Number(row.reserved),
    deficit: Number(row.deficit),
    lifetimeEarned: Number(row.lifetime_earned),
    lots,
    redemptions,
  }
}

/** The open lots of these members (gids), by member, the first earned first. */
export async function loadLots(
  shopId: number,
  members: readonly string[],
  client: Queryable = pool,
): Promise<Map<string, Lot[]>> {
  if (members.length === 0) return new Map()
  const { rows } = await client.query<PackedColumns<typeof LOT_COLUMNS>>({
    name: 'load-lots',
    text: `select ${packedColumns(LOT_COLUMNS)} from lots where shop_id = $1 and member_id = any($2::bigint[])`,
    values: [shopId, numbers(members.map(customerNumber))],
  })
  return readLots(rows[0]!)
}

/** The open lots that these orders (gids) have with these members (gids), by member, the first earned first. */
export async function loadOrderLots(
  shopId: number,
  pairs: readonly { member: string; order: string }[],
  client: Queryable,
): Promise<Map<string, Lot[]>> {
  if (pairs.length === 0) return new Map()
  const { rows } = await client.query<PackedColumns<typeof LOT_COLUMNS>>({
    name: 'load-order-lots',
    text: `select ${packedColumns(LOT_COLUMNS)}
             from ${rowsOf({ member: '$2::bigint[]', given: '$3::bigint[]' })} as g
            cross join lateral (
              select * from lots where shop_id = $1 and member_id = g.member and key = 'gid://shopify/Order/' || g.given limit 1) as l`,
    values: [
      shopId,
      numbers(pairs.map(({ member }) => customerNumber(member))),
      numbers(pairs.map(({ order }) => numberOfGid(order, 'Order'))),
    ],
  })
  return readLots(rows[0]!)
}

function readLots(packed: PackedColumns<typeof LOT_COLUMNS>): Map<string, Lot[]> {
  const column = unpackColumns(packed)
  const lots = new Map<string, Lot[]>()
  for (let row = 0; row < column.key.length; row += 1) {
    const member = toGid('Customer', column.member_id[row]!)
    const lot = {
      key: lengthen(column.key[row]!),
      earnedAt: Number(column.earned_ms[row]),
      releaseAt: toInstant(column.release_ms[row]!),
      expiresAt: toInstant(column.expires_ms[row]!),
      pending: Number(column.pending[row]),
      available: Number(column.available[row]),
    }
    const own = lots.get(member)
    if (own) own.push(lot)
    else lots.set(member, [lot])
  }
  // Each has a handful; the database would sort those of all together.
  for (const own of lots.values()) own.sort(compareLots)
  return lots
}

const LOT_COLUMNS = {
  member_id: 'member_id',
  key: "coalesce('#' || order_id, key)",
  earned_ms: inMilliseconds('earned_at'),
  release_ms: inMilliseconds('release_at'),
  expires_ms: inMilliseconds('expires_at'),
  pending: 'pending',
  available: 'available',
}

const toInstant = (text: string): number | null => (text === '' ? null : Number(text))

/** The order in which members have their lots: the first earned first. */
export function compareLots(one: Lot, other: Lot): number {
  return one.earnedAt - other.earnedAt || (one.key < other.key ? -1 : 1)
}

/** Writes the records back to rows that this transaction has locked. `nextDueAt` says when time next does something to each, `kept` what was read. */
export async function saveMembers(
  shopId: number,
  members: readonly { member: Member; nextDueAt: number | null; kept: KeptActivity | undefined }[],
  at: number,
  client: Queryable,
): Promise<void> {
  if (members.length === 0) return
  await client.query({
    name: 'save-members',
    text: `update members m
              set state = g.state, tier = g.tier, tier_since = g.tier_since,
                  erased_at = g.erased_at, next_due_at = g.next_due_at, updated_at = $2
             from ${rowsOf({
               id: '$3::bigint[]',
               state: '$4::text[]',
               tier: '$5::text[]',
               tier_since: '$6::timestamptz[]',
               erased_at: '$7::timestamptz[]',
               next_due_at: '$8::timestamptz[]',
             })} as g
            where m.shop_id = $1 and m.id = g.id`,
    values: [
      shopId,
      new Date(at),
      numbers(members.map(({ member }) => customerNumber(member.id))),
      texts(members.map(({ member, kept }) => JSON.stringify(toStoredMember(member, kept)))),
      texts(members.map(({ member }) => member.tier.level)),
      instants(members.map(({ member }) => finite(member.tier.history.at(-1)?.at ?? null))),
      instants(members.map(({ member }) => finite(member.erasedAt))),
      instants(members.map(({ nextDueAt }) => finite(nextDueAt))),
    ],
  })
}

/** Takes away rows that were only made to be locked. */
export async function dropEmptyMembers(shopId: number, members: readonly string[], client: Queryable): Promise<void> {
  if (members.length === 0) return
  const { rows } = await client.query<{ id: string }>(
    `delete from members where shop_id = $1 and id = any($2::bigint[]) and state = '{}' returning id`,
    [shopId, members.map(customerNumber)],
  )
  await closeEmptyAccounts(
    shopId,
    rows.map((row) => toGid('Customer', row.id)),
    client,
  )
}

/**
 * Makes `alias` another name of `member` (both gids): what was stored under the alias is found under the member from here
 * on, and the alias's own row goes. Its points must have been moved by transfers already; its ledger rows stay as they are.
 */
export async function addAlias(
  shopId: number,
  alias: string,
  member: string,
  at: number,
  client: Queryable,
): Promise<void> {
  const values = [shopId, customerNumber(alias), customerNumber(member)] as const
  await moveOrders(...values, client)
  for (const table of ['redemptions', 'facts', 'member_aliases', 'adjustments', 'privacy_requests']) {
    await client.query(`update ${table} set member_id = $3 where shop_id = $1 and member_id = $2`, [...values])
  }
  await moveAnswers(...values, client)
  await moveListed(...values, client)
  await moveReminders(...values, client)
  // Known since the first of the two was.
  await client.query(
    `update members m set joined_at = least(m.joined_at, gone.joined_at) from members gone
      where m.shop_id = $1 and m.id = $3 and gone.shop_id = $1 and gone.id = $2`,
    [...values],
  )
  await client.query('delete from members where shop_id = $1 and id = $2', values.slice(0, 2))
  await client.query(
    `insert into member_aliases (shop_id, alias_id, member_id, merged_at) values ($1, $2, $3, $4)
     on conflict (shop_id, alias_id) do update set member_id = excluded.member_id`,
    [...values, new Date(at)],
  )
}

/** Members (gids) to whom something happens by itself by `at`, those due longest first. */
export async function listMembersDue(
  shopId: number,
  at: number,
  limit: number,
  client: Queryable = pool,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id from members where shop_id = $1 and next_due_at <= $2 order by next_due_at, id limit $3`,
    [shopId, new Date(at), limit],
  )
  return rows.map((row) => toGid('Customer', row.id))
}

/** Members (gids) of the shop who are not erased, at most `limit`. */
export async function listMembersToErase(shopId: number, limit: number, client: Queryable = pool): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'select id from members where shop_id = $1 and erased_at is null order by id limit $2',
    [shopId, limit],
  )
  return rows.map((row) => toGid('Customer', row.id))
}

/** Leaves a member (gid) to whom something is due alone until `at`. */
export async function postponeMember(shopId: number, member: string, at: number): Promise<void> {
  await pool.query('update members set next_due_at = $3 where shop_id = $1 and id = $2', [
    shopId,
    customerNumber(member),
    new Date(at),
  ])
}

/**
 * Makes every member of the shop due at `dueAt`, whoever is due before stays so. Rows are locked in the order of their ids, as everywhere,
 * so that nobody waits in a circle. Erased members have nothing that could change.
 */
export async function moveOnAllMembersAt(shopId: number, dueAt: number, client: Queryable): Promise<void> {
  await client.query(
    `update members m set next_due_at = $2
       from (select id from members
              where shop_id = $1 and erased_at is null and state <> '${NOBODY}' and (next_due_at is null or next_due_at > $2)
              order by id for update) as g
      where m.shop_id = $1 and m.id = g.id`,
    [shopId, new Date(dueAt)],
  )
}

const customerNumber = (customer: string): string => numberOfGid(customer, 'Customer')

/** An instant that the database can hold; the beginning and the end of all time are none. */
function finite(instant: number | null): number | null {
  return instant === null || !Number.isFinite(instant) ? null : instant
}

// The ledger on PostgreSQL. A *transfer* moves whole points from one account to another and is never changed. A
// *balance* is what a member's three accounts hold now: the sum of the transfers, kept in the same statement. A *lot* is
// points earned together (loyalty/lots.ts). Only this file writes ledger_transfers, balances and lots, and notes
// what moved in points_flow_deltas (db/points-flows.server.ts).
//
// One statement writes a whole batch: no row that every transaction locks (what the shop issued is a sum, not a row),
// one row per transfer with both accounts, bigint ids, a prepared statement.
import type { PoolClient } from 'pg'
import { booleans, instants, numbers, rowsOf, texts } from '#app/db/arrays.ts'
import { pool, type Queryable } from '#app/db/client.server.ts'
import { isGid, numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { Account, Transfer } from '#app/loyalty/ledger.ts'
import type { Lot } from '#app/loyalty/lots.ts'

/** What one posting writes. Everything in it belongs to one shop and is written whole or not at all. */
export type Posting = {
  transfers: readonly Transfer[]
  /** Lots as they are after the posting; those with nothing left are removed. */
  lots?: readonly PostedLot[]
  /** A member's figures that are not the sum of transfers, as they are after the posting. */
  totals?: readonly { member: string; deficit: number; lifetimeEarned: number }[]
}

/** A lot to write. `member` is the customer's gid; `isNew` says that the ledger does not have the lot yet. */
export type PostedLot = Lot & { member: string; isNew: boolean }

/** What a member's accounts hold, in whole points; `available` may be below zero. */
export type Balances = { available: number; pending: number; reserved: number }

/** A posting that contradicts what the ledger holds. Nothing of it was written: the caller's transaction must roll back. */
export class LedgerError extends Error {
  override name = 'LedgerError'
}

/**
 * Writes a posting in the caller's transaction and returns the balances of the members that it touched, by gid.
 *
 * A transfer whose key is there already, with the same data, is left out (a repeat is the same result); with other data
 * a LedgerError is thrown that names the key. A lot that is said to be new and is there already is refused by the database
 * (SQLSTATE 23505): whoever said so has not looked. The members must have accounts (`openAccounts`). Whoever posts
 * holds the members' rows (`lockMembers`); accounts are changed in the order of their ids all the same.
 */
export async function postToLedger(
  shopId: number,
  posting: Posting,
  at: number,
  client: PoolClient,
): Promise<Map<string, Balances>> {
  const { transfers, lots = [], totals = [] } = posting
  // Batches without any points are frequent (the last of a round, messages of other topics), and this is the dearest statement.
  if (transfers.length + lots.length + totals.length === 0) return new Map()
  const { rows } = await client.query<PostedRow>({
    name: 'post-to-ledger',
    text: POST,
    values: [shopId, new Date(at), ...transferColumns(transfers), ...lotColumns(lots), ...totalColumns(totals)],
  })
  const { written, missing } = rows[0]!
  if (missing !== '0') throw new LedgerError(`${missing} members of shop ${shopId} have no accounts: open them first.`)
  if (Number(written) < transfers.length) await refuseOtherData(shopId, transfers, client)
  const balances = rows
    .filter((row) => row.member_id !== null)
    .map((row) => [toGid('Customer', row.member_id!), toBalances(row)] as const)
  return new Map(balances)
}

/** SQL: the quarter of an hour in which an instant lies, counted from 1 January 1970 UTC. */
export const quarterOf = (instant: string): string => `floor(date_part('epoch', ${instant}) / 900)::int4`

type BalanceRow = { available: string; pending: string; reserved: string }
type PostedRow = BalanceRow & { member_id: string | null; written: string; missing: string }

/**
 * $1 shop, $2 now, $3–$12 transfers, $13–$21 lots, $22–$24 totals.
 *
 * Balances are looked up one by one, in the order of their members: PostgreSQL expects a handful of rows here.
 *
 * A statement sees the tables as they were before it, so each part works from what the part before returns, never from
 * its table. Balances are updated and never inserted here: PostgreSQL tests a CHECK on the row offered for insertion,
 * and a change of −5 pending points is no balance.
 */
const POST = `
with given as ${rowsOf({
  member_id: '$3::bigint[]',
  counter_member_id: '$4::bigint[]',
  from_account: '$5::text[]',
  to_account: '$6::text[]',
  amount: '$7::bigint[]',
  key: '$8::text[]',
  reason: '$9::text[]',
  source: '$10::text[]',
  event_at: '$11::timestamptz[]',
  reverses: '$12::text[]',
})}, written as (
  insert into ledger_transfers
    (shop_id, member_id, counter_member_id, from_account, to_account, amount, key, reason, source, event_at, reverses, created_at)
  select $1, member_id, counter_member_id, from_account, to_account, amount, key, reason, source, event_at, reverses, $2
    from given
  on conflict (shop_id, key) do nothing
  returning member_id, counter_member_id, from_account, to_account, amount, event_at
), flows as (
  insert into points_flow_deltas (shop_id, quarter, from_account, to_account, points)
  select $1, ${quarterOf('event_at')} as quarter, from_account, to_account, sum(amount) from written
   group by quarter, from_account, to_account
), entries as (
  select member_id, from_account as account, -amount as points from written where from_account in ('pending', 'available', 'reserved')
  union all
  select coalesce(counter_member_id, member_id), to_account, amount from written where to_account in ('pending', 'available', 'reserved')
), moved as (
  select member_id,
         coalesce(sum(points) filter (where account = 'pending'), 0)::bigint as pending,
         coalesce(sum(points) filter (where account = 'available'), 0)::bigint as available,
         coalesce(sum(points) filter (where account = 'reserved'), 0)::bigint as reserved
    from entries group by member_id
), totals as ${rowsOf({ member_id: '$22::bigint[]', deficit: '$23::bigint[]', lifetime_earned: '$24::bigint[]' })}, touched as (
  select member_id, m.pending, m.available, m.reserved, t.deficit, t.lifetime_earned
    from moved m full join totals t using (member_id) order by member_id
), changed as (
  update balances b
     set pending = b.pending + coalesce(t.pending, 0),
         available = b.available + coalesce(t.available, 0),
         reserved = b.reserved + coalesce(t.reserved, 0),
         deficit = coalesce(t.deficit, b.deficit),
         lifetime_earned = coalesce(t.lifetime_earned, b.lifetime_earned)
    from touched t
   where b.shop_id = $1 and b.member_id = t.member_id
  returning b.member_id, b.pending, b.available, b.reserved
), lots_given as ${rowsOf({
  member_id: '$13::bigint[]',
  key: '$14::text[]',
  order_id: '$15::bigint[]',
  pending: '$16::bigint[]',
  available: '$17::bigint[]',
  earned_at: '$18::timestamptz[]',
  release_at: '$19::timestamptz[]',
  expires_at: '$20::timestamptz[]',
  is_new: '$21::boolean[]',
})}, lots_closed as (
  delete from lots using lots_given g
   where lots.shop_id = $1 and lots.member_id = g.member_id and lots.key = g.key and g.pending = 0 and g.available = 0
), lots_open as (
  insert into lots (shop_id, member_id, key, order_id, pending, available, earned_at, release_at, expires_at)
  select $1, member_id, key, order_id, pending, available, earned_at, release_at, expires_at from lots_given
   where is_new and (pending > 0 or available > 0)
), lots_changed as (
  update lots
     set pending = g.pending, available = g.available, earned_at = g.earned_at, release_at = g.release_at, expires_at = g.expires_at
    from lots_given g
   where not g.is_new and (g.pending > 0 or g.available > 0)
     and lots.shop_id = $1 and lots.member_id = g.member_id and lots.key = g.key
), counted as (
  select (select count(*) from written) as written,
         (select count(*) from touched) - (select count(*) from changed) as missing
)
select changed.member_id, changed.pending, changed.available, changed.reserved, counted.written, counted.missing
  from counted left join changed on true`

function transferColumns(transfers: readonly Transfer[]): Buffer[] {
  const accounts = transfers.map(readAccounts)
  return [
    numbers(accounts.map(({ member }) => member)),
    numbers(accounts.map(({ counterMember }) => counterMember)),
    texts(accounts.map(({ from }) => from)),
    texts(accounts.map(({ to }) => to)),
    numbers(transfers.map(({ amount }) => amount)),
    texts(transfers.map(({ key }) => key)),
    texts(transfers.map(({ reason }) => reason)),
    texts(transfers.map(({ source }) => source)),
    instants(transfers.map(({ eventAt }) => eventAt)),
    texts(transfers.map(({ reverses }) => reverses)),
  ]
}

/** Whose transfer it is (nobody's between two accounts of the shop), and who else's where members are merged. */
function readAccounts({ from, to }: Transfer) {
  const [payer, payee] = [parseAccount(from), parseAccount(to)]
  const member = payer.member ?? payee.member
  const counterMember = payee.member !== null && payee.member !== member ? payee.member : null
  return { member, counterMember, from: payer.name, to: payee.name }
}

function lotColumns(lots: readonly PostedLot[]): Buffer[] {
  const order = (key: string) => (isGid(key, 'Order') ? numberOfGid(key, 'Order') : null)
  return [
    numbers(lots.map((lot) => customerNumber(lot.member))),
    texts(lots.map((lot) => lot.key)),
    numbers(lots.map((lot) => order(lot.key))),
    numbers(lots.map((lot) => lot.pending)),
    numbers(lots.map((lot) => lot.available)),
    instants(lots.map((lot) => lot.earnedAt)),
    instants(lots.map((lot) => lot.releaseAt)),
    instants(lots.map((lot) => lot.expiresAt)),
    booleans(lots.map((lot) => lot.isNew)),
  ]
}

function totalColumns(totals: NonNullable<Posting['totals']>): Buffer[] {
  return [
    numbers(totals.map((total) => customerNumber(total.member))),
    numbers(totals.map((total) => total.deficit)),
    numbers(totals.map((total) => total.lifetimeEarned)),
  ]
}

const BEFORE_MEMBER = 'member:'
const MEMBER_ACCOUNTS: readonly string[] = ['available', 'pending', 'reserved']

/** `member:<gid>.available` is { member: the customer's number, name: 'available' }; a shop's account has no member. */
function parseAccount(account: Account): { member: string | null; name: string } {
  if (account.startsWith('shop.')) return { member: null, name: account }
  const dot = account.lastIndexOf('.')
  const name = account.slice(dot + 1)
  if (!account.startsWith(BEFORE_MEMBER) || !MEMBER_ACCOUNTS.includes(name))
    throw new LedgerError(`"${account}" is not an account.`)
  return { member: customerNumber(account.slice(BEFORE_MEMBER.length, dot)), name }
}

function customerNumber(gid: string): string {
  if (!isGid(gid, 'Customer')) throw new LedgerError(`"${gid}" is not a customer.`)
  return numberOfGid(gid, 'Customer')
}

function toBalances(row: BalanceRow): Balances {
  return { available: toPoints(row.available), pending: toPoints(row.pending), reserved: toPoints(row.reserved) }
}

/** BIGINT text as a number; beyond 2^53 it would silently lose points, so it throws. */
function toPoints(text: string): number {
  const points = Number(text)
  if (!Number.isSafeInteger(points)) throw new LedgerError(`${text} points are more than can be counted exactly.`)
  return points
}

/** Some transfers were not written: fine if the ledger holds the very same ones, an error that names the first otherwise. */
async function refuseOtherData(shopId: number, transfers: readonly Transfer[], client: Queryable): Promise<void> {
  const stored = new Map(
    (
      await readTransfers(
        shopId,
        transfers.map(({ key }) => key),
        client,
      )
    ).map((row) => [row.key, row]),
  )
  for (const transfer of transfers) {
    const before = stored.get(transfer.key)
    if (!before) continue
    for (const field of ['from', 'to', 'amount', 'reason', 'source'] as const) {
      if (before[field] === transfer[field]) continue
      throw new LedgerError(
        `Key ${transfer.key} was used before with other data: ${field} was ${before[field]}, now ${transfer[field]}.`,
      )
    }
  }
}

type TransferRow = {
  member_id: string | null
  counter_member_id: string | null
  from_account: string
  to_account: string
  amount: string
  key: string
  reason: Transfer['reason']
  source: string | null
  event_at: Date
  reverses: string | null
}

async function readTransfers(shopId: number, keys: readonly string[], client: Queryable): Promise<Transfer[]> {
  const { rows } = await client.query<TransferRow>(
    `select member_id, counter_member_id, from_account, to_account, amount, key, reason, source, event_at, reverses
       from ledger_transfers where shop_id = $1 and key = any($2::text[])`,
    [shopId, keys],
  )
  return rows.map(toTransfer)
}

function toTransfer(row: TransferRow): Transfer {
  const account = (name: string, member: string | null) =>
    (name.startsWith('shop.') ? name : `member:${toGid('Customer', member ?? '')}.${name}`) as Account
  return {
    key: row.key,
    from: account(row.from_account, row.member_id),
    to: account(row.to_account, row.counter_member_id ?? row.member_id),
    amount: toPoints(row.amount),
    eventAt: row.event_at.getTime(),
    reason: row.reason,
    source: row.source,
    reverses: row.reverses,
  }
}

/** SQL that gives accounts with nothing in them to the customers whose numbers are in `source` (a column `id`), in the shop $1. */
export const openAccountsOf = (source: string): string =>
  `insert into balances (shop_id, member_id) select $1, id from ${source} order by id
   on conflict (shop_id, member_id) do nothing`

/** Gives these customers (gids) accounts with nothing in them; those that have accounts keep what is in them. */
export async function openAccounts(
  shopId: number,
  members: readonly string[],
  client: Queryable = pool,
): Promise<void> {
  if (members.length === 0) return
  await client.query({
    name: 'open-accounts',
    text: openAccountsOf('unnest($2::bigint[]) as id'),
    values: [shopId, numbers(members.map(customerNumber))],
  })
}

/** Takes away the accounts of these customers (gids) where nothing was ever posted to them. */
export async function closeEmptyAccounts(shopId: number, members: readonly string[], client: Queryable): Promise<void> {
  if (members.length === 0) return
  await client.query(
    `delete from balances b where b.shop_id = $1 and b.member_id = any($2::bigint[])
        and not exists (select 1 from ledger_transfers t
                         where t.shop_id = $1 and (t.member_id = b.member_id or t.counter_member_id = b.member_id))`,
    [shopId, members.map(customerNumber)],
  )
}

/** What the accounts of a customer (gid) held just after everything that happened up to and including `at`. */
export async function findBalancesAt(
  shopId: number,
  member: string,
  at: number,
  client: Queryable = pool,
): Promise<Balances> {
  const { rows } = await client.query<BalanceRow>(
    `with entries as (
       select from_account as account, -amount as points from ledger_transfers
        where shop_id = $1 and member_id = $2 and event_at <= $3
       union all
       select to_account, amount from ledger_transfers
        where shop_id = $1 and member_id = $2 and counter_member_id is null and event_at <= $3
       union all
       select to_account, amount from ledger_transfers
        where shop_id = $1 and counter_member_id = $2 and event_at <= $3)
     select coalesce(sum(points) filter (where account = 'available'), 0) as available,
            coalesce(sum(points) filter (where account = 'pending'), 0) as pending,
            coalesce(sum(points) filter (where account = 'reserved'), 0) as reserved
       from entries`,
    [shopId, customerNumber(member), new Date(at)],
  )
  return toBalances(rows[0]!)
}

/** A customer's transfers, newest first, at most `limit`, those before the position `before` of an earlier page. */
export async function listTransfers(
  shopId: number,
  member: string,
  { limit, before }: { limit: number; before?: string },
  client: Queryable = pool,
): Promise<(Transfer & { position: string })[]> {
  const { rows } = await client.query<TransferRow & { id: string }>(
    `select id, member_id, counter_member_id, from_account, to_account, amount, key, reason, source, event_at, reverses
       from ledger_transfers
      where shop_id = $1 and (member_id = $2 or counter_member_id = $2) and ($3::bigint is null or id < $3)
      order by id desc limit $4`,
    [shopId, customerNumber(member), before ?? null, limit],
  )
  return rows.map((row) => ({ ...toTransfer(row), position: row.id }))
}

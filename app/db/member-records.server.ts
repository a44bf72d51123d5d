import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { Member } from '#app/loyalty/engine.ts'
import type { Queryable } from './client.server.ts'
import { pool } from './client.server.ts'
import { ALIASES, followAliases, loadLots, readStored, toMember, type MemberRow } from './members.server.ts'
import { loadRedemptions } from './redemptions.server.ts'

/**
 * The engine's records of these customers as they stand, by the gid that was asked for; customers merged away are followed. Reads
 * only and locks nothing: for showing, never for deciding. Customers who are no members are left out.
 */
export async function readMembers(
  shopId: number,
  customers: readonly string[],
  client: Queryable = pool,
): Promise<Map<string, Member>> {
  if (customers.length === 0) return new Map()
  const survivors = await followAliases(shopId, customers, client)
  const members = [...new Set(survivors.values())]
  const { rows } = await client.query<MemberRow>({
    name: 'read-members',
    text: `select m.id, m.state, m.erased_at, b.available, b.pending, b.reserved, b.deficit, b.lifetime_earned, ${ALIASES}
             from members m join balances b on b.shop_id = m.shop_id and b.member_id = m.id
            where m.shop_id = $1 and m.id = any($2::bigint[])`,
    values: [shopId, members.map((member) => numberOfGid(member, 'Customer'))],
  })
  const lots = await loadLots(shopId, members, client)
  const open = await loadRedemptions(shopId, { openOf: members }, client)
  const records = new Map<string, Member>()
  for (const row of rows) {
    const gid = toGid('Customer', row.id)
    const own = open.filter((redemption) => redemption.member === gid)
    const stored = readStored(row)
    if (stored) records.set(gid, toMember(row, stored, lots.get(gid) ?? [], own))
  }
  return new Map(
    customers.flatMap((customer) => {
      const member = records.get(survivors.get(customer) ?? customer)
      return member ? [[customer, member] as const] : []
    }),
  )
}

/**
 * What we know of these customers' accounts, by gid: Shopify's word for it, null where we never heard it or need not (erased, or
 * merged into another). Customers whom we never heard of are missing.
 */
export async function findAccountStates(
  shopId: number,
  customers: readonly string[],
): Promise<Map<string, { state: string | null; isSettled: boolean }>> {
  const { rows } = await pool.query<{ id: string; state: string | null; settled: boolean }>(
    `select id, state::json ->> 'customerState' as state, erased_at is not null as settled
       from members where shop_id = $1 and id = any($2::bigint[]) and state <> '{}'
     union all
     select alias_id, null, true from member_aliases where shop_id = $1 and alias_id = any($2::bigint[])`,
    [shopId, customers.map((customer) => numberOfGid(customer, 'Customer'))],
  )
  return new Map(rows.map(({ id, state, settled }) => [toGid('Customer', id), { state, isSettled: settled }]))
}

/**
 * The newest orders (gids, at most `limit` each) that these members have here; of a member who has none any more, those that once
 * gave them points. Members without either are missing.
 */
export async function listOrdersOf(
  shopId: number,
  members: readonly string[],
  limit: number,
): Promise<Map<string, string[]>> {
  const { rows } = await pool.query<{ member_id: string; orders: string[] | null; once: string[] | null }>(
    `select g.id as member_id,
            array(select 'gid://shopify/Order/' || o.id from orders o where o.shop_id = $1 and o.member_id = g.id
                   order by o.placed_at desc limit $3) as orders,
            array(select t.source from ledger_transfers t
                   where t.shop_id = $1 and t.member_id = g.id and t.source like 'gid://shopify/Order/%'
                   group by t.source order by max(t.event_at) desc limit $3) as once
       from unnest($2::bigint[]) as g (id)`,
    [shopId, members.map((member) => numberOfGid(member, 'Customer')), limit],
  )
  const found = rows.map(({ member_id, orders, once }) => [member_id, orders?.length ? orders : (once ?? [])] as const)
  return new Map(found.filter(([, orders]) => orders.length > 0).map(([id, orders]) => [toGid('Customer', id), orders]))
}

/** Members (gids) of the shop in the order of their numbers, those after `after` ("0" begins), erased ones left out. */
export async function listMembersAfter(shopId: number, after: string, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select id from members where shop_id = $1 and id > $2::bigint and erased_at is null and state <> '{}'
      order by id limit $3`,
    [shopId, after, limit],
  )
  return rows.map(({ id }) => toGid('Customer', id))
}

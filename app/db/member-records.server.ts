import { parseGid, toGid } from '#app/loyalty/ids.ts'
import type { Member } from '#app/loyalty/engine.ts'
import type { Queryable } from './client.server.ts'
import { pool } from './client.server.ts'
import { followAliases, loadLots, toMember, type MemberRow } from './members.server.ts'
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
    text: `select m.id, m.state, m.erased_at, b.available, b.pending, b.reserved, b.deficit, b.lifetime_earned,
                  (select array_agg(a.alias_id::text order by a.merged_at, a.alias_id) from member_aliases a
                    where a.shop_id = $1 and a.member_id = m.id) as aliases
             from members m join balances b on b.shop_id = m.shop_id and b.member_id = m.id
            where m.shop_id = $1 and m.id = any($2::bigint[])`,
    values: [shopId, members.map((member) => parseGid(member)?.number)],
  })
  const lots = await loadLots(shopId, members, client)
  const open = await loadRedemptions(shopId, { openOf: members }, client)
  const records = new Map<string, Member>()
  for (const row of rows) {
    const gid = toGid('Customer', row.id)
    const own = open.filter((redemption) => redemption.member === gid)
    const member = toMember(row, lots.get(gid) ?? [], own)
    if (member) records.set(gid, member)
  }
  return new Map(
    customers.flatMap((customer) => {
      const member = records.get(survivors.get(customer) ?? customer)
      return member ? [[customer, member] as const] : []
    }),
  )
}

/** Members (gids) of the shop in the order of their numbers, those after `after` ("0" begins), erased ones left out. */
export async function listMembersAfter(shopId: number, after: string, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select id from members where shop_id = $1 and id > $2::bigint and erased_at is null and state::text <> '{}'
      order by id limit $3`,
    [shopId, after, limit],
  )
  return rows.map(({ id }) => toGid('Customer', id))
}

// Checks the ledger against itself: what accounts and lots say they hold, against what the transfers come to. Reads only.
import type { PoolClient } from 'pg'
import { inTransaction } from '#app/db/client.server.ts'
import { toGid } from '#app/loyalty/ids.ts'

/** One figure that is not what the transfers say. */
export type LedgerDifference = {
  /** "gid://shopify/Customer/1 available", "gid://shopify/Order/2 pending", … */
  what: string
  kept: string
  recomputed: string
}

/** How much was looked at, and what was wrong: nothing, in a ledger that is right. */
export type LedgerCheck = { transfers: number; members: number; lots: number; differences: LedgerDifference[] }

type Row = { member_id: string | null; what: string; kept: string; recomputed: string }

/**
 * Recomputes a shop's balances and lots from its transfers, all as of one instant, and lists every difference:
 * each account of each member; what was earned in a lifetime; the lots of a member against the balance they make up; and the
 * pending points of each lot against the transfers of its order.
 */
export async function checkLedger(shopId: number): Promise<LedgerCheck> {
  return inTransaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    const differences: LedgerDifference[] = []
    for (const check of [ACCOUNTS, LIFETIME, LOTS_OF_MEMBERS, PENDING_OF_LOTS]) {
      const { rows } = await client.query<Row>(check, [shopId])
      differences.push(...rows.map(describe))
    }
    return { ...(await countRows(shopId, client)), differences }
  })
}

function describe({ member_id: member, what, kept, recomputed }: Row): LedgerDifference {
  return { what: member === null ? what : `${toGid('Customer', member)} ${what}`, kept, recomputed }
}

async function countRows(shopId: number, client: PoolClient): Promise<Omit<LedgerCheck, 'differences'>> {
  const { rows } = await client.query<{ transfers: string; members: string; lots: string }>(
    `select (select count(*) from ledger_transfers where shop_id = $1) as transfers,
            (select count(*) from balances where shop_id = $1) as members,
            (select count(*) from lots where shop_id = $1) as lots`,
    [shopId],
  )
  const { transfers, members, lots } = rows[0]!
  return { transfers: Number(transfers), members: Number(members), lots: Number(lots) }
}

/** Every entry of every transfer: what it did to which account of which member. */
const ENTRIES = `
  entries as (
    select member_id, from_account as account, -amount as points, reason, source from ledger_transfers
     where shop_id = $1 and from_account not like 'shop.%'
    union all
    select coalesce(counter_member_id, member_id), to_account, amount, reason, source from ledger_transfers
     where shop_id = $1 and to_account not like 'shop.%')`

const ACCOUNTS = `
  with ${ENTRIES}, sums as (
    select member_id, coalesce(sum(points) filter (where account = 'available'), 0) as available,
           coalesce(sum(points) filter (where account = 'pending'), 0) as pending,
           coalesce(sum(points) filter (where account = 'reserved'), 0) as reserved
      from entries group by member_id
  ), both_sides as (
    select member_id, b.available, b.pending, b.reserved, s.available as sum_available, s.pending as sum_pending,
           s.reserved as sum_reserved
      from (select * from balances where shop_id = $1) b full join sums s using (member_id)
  )
  select member_id, account as what, coalesce(kept::text, 'no account') as kept, coalesce(recomputed, 0)::text as recomputed
    from both_sides, lateral (values ('available', available, sum_available), ('pending', pending, sum_pending),
                                     ('reserved', reserved, sum_reserved)) as figure (account, kept, recomputed)
   where kept is distinct from coalesce(recomputed, 0)
   order by member_id, account`

/** Earned minus taken back, of a member and of those merged into it. What was spared by \`clamp\` was never taken back. */
const LIFETIME = `
  with moves as (
    select member_id, amount as points from ledger_transfers
     where shop_id = $1 and from_account = 'shop.issued'
    union all
    select member_id, -amount from ledger_transfers
     where shop_id = $1 and to_account = 'shop.taken_back' and member_id is not null
  ), sums as (
    select coalesce(a.member_id, m.member_id) as member_id, sum(points) as earned
      from moves m left join member_aliases a on a.shop_id = $1 and a.alias_id = m.member_id group by 1
  )
  select b.member_id, 'lifetime earned' as what, b.lifetime_earned::text as kept, coalesce(s.earned, 0)::text as recomputed
    from balances b left join sums s using (member_id)
   where b.shop_id = $1 and b.lifetime_earned <> coalesce(s.earned, 0)
   order by b.member_id`

const LOTS_OF_MEMBERS = `
  with sums as (
    select member_id, sum(pending) as pending, sum(available) as available from lots where shop_id = $1 group by member_id
  )
  select b.member_id, what, kept::text, recomputed::text
    from balances b left join sums s using (member_id),
         lateral (values ('pending in lots', coalesce(s.pending, 0), b.pending),
                         ('available in lots, less the deficit', coalesce(s.available, 0) - b.deficit, b.available))
           as figure (what, kept, recomputed)
   where b.shop_id = $1 and kept <> recomputed
   order by b.member_id`

const PENDING_OF_LOTS = `
  with ${ENTRIES}, sums as (
    select source, sum(points) as points from entries where account = 'pending' and source is not null group by source
  )
  select null as member_id, l.key || ' pending' as what, sum(l.pending)::text as kept, coalesce(max(s.points), 0)::text as recomputed
    from lots l left join sums s on s.source = l.key
   where l.shop_id = $1
   group by l.key having sum(l.pending) <> coalesce(max(s.points), 0)
   order by l.key`

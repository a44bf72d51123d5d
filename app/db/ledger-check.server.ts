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
 * each account of each member; what was earned in a lifetime; the lots of a member against the balance they make up; the
 * pending points of each lot against the transfers of its order; what each redemption holds and has spent against its transfers;
 * everything that members hold against everything that left the shop's own accounts: together they are zero; and the sums by day of what
 * moved between each two accounts, with what postings have noted since.
 */
export async function checkLedger(shopId: number): Promise<LedgerCheck> {
  return inTransaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    const differences: LedgerDifference[] = []
    for (const check of [ACCOUNTS, LIFETIME, LOTS_OF_MEMBERS, PENDING_OF_LOTS, REDEMPTIONS, TOTAL, FLOWS]) {
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
  ), both_sides as (
    select member_id, b.pending, b.available, coalesce(b.deficit, 0) as deficit, coalesce(s.pending, 0) as sum_pending,
           coalesce(s.available, 0) as sum_available
      from (select * from balances where shop_id = $1) b full join sums s using (member_id)
  )
  select member_id, what, kept::text, coalesce(recomputed::text, 'no account') as recomputed
    from both_sides,
         lateral (values ('pending in lots', sum_pending, pending),
                         ('available in lots, less the deficit', sum_available - deficit, available),
                         ('available in lots beside a deficit', least(sum_available, deficit), 0))
           as figure (what, kept, recomputed)
   where kept is distinct from recomputed
   order by member_id`

/**
 * Those of erased members aside: what was pending was forfeited in one transfer that names no order, the lots are gone, and an order of theirs
 * may be another's now.
 */
const PENDING_OF_LOTS = `
  with ${ENTRIES}, erased as (
    select id from members where shop_id = $1 and erased_at is not null
    union all
    select a.alias_id from member_aliases a join members m on m.shop_id = $1 and m.id = a.member_id
     where a.shop_id = $1 and m.erased_at is not null
  ), sums as (
    select source, sum(points) as points from entries
     where account = 'pending' and source is not null and member_id not in (select id from erased)
     group by source
  )
  select null as member_id, l.key || ' pending' as what, sum(l.pending)::text as kept, coalesce(max(s.points), 0)::text as recomputed
    from lots l left join sums s on s.source = l.key
   where l.shop_id = $1
   group by l.key having sum(l.pending) <> coalesce(max(s.points), 0)
   order by l.key`

/** Every transfer of a redemption names it as its source. What is held is reserved; what is spent has left for the shop and not come back. */
const REDEMPTIONS = `
  with entries as (
    select source, -amount as held, 0 as spent from ledger_transfers where shop_id = $1 and from_account = 'reserved'
    union all select source, amount, 0 from ledger_transfers where shop_id = $1 and to_account = 'reserved'
    union all select source, 0, -amount from ledger_transfers where shop_id = $1 and from_account = 'shop.redeemed'
    union all select source, 0, amount from ledger_transfers where shop_id = $1 and to_account = 'shop.redeemed'
  ), sums as (
    select source as id, sum(held) as held, sum(spent) as spent from entries
     where source is not null
     group by source
  ), wanted as (
    select id, case when state = 'reserved' then points else 0 end as held,
           case when state in ('reserved', 'returned') then 0 else points - returned_points end as spent
      from redemptions where shop_id = $1
  )
  select null as member_id, 'redemption ' || coalesce(w.id, s.id) || ' ' || what as what, coalesce(kept::text, 'no redemption') as kept,
         coalesce(recomputed, 0)::text as recomputed
    from wanted w full join sums s on s.id = w.id,
         lateral (values ('holds', w.held, s.held), ('has spent', w.spent, s.spent)) as figure (what, kept, recomputed)
   where kept is distinct from coalesce(recomputed, 0) and not (w.id is null and coalesce(recomputed, 0) = 0)
   order by 2`

/** Points are in somebody's account or in the shop's: what members have is what left the shop's accounts and did not come back. */
const TOTAL = `
  with members as (
    select coalesce(sum(available + pending + reserved), 0) as points from balances where shop_id = $1
  ), shops as (
    select coalesce(sum(amount) filter (where from_account like 'shop.%'), 0)
           - coalesce(sum(amount) filter (where to_account like 'shop.%'), 0) as points
      from ledger_transfers where shop_id = $1
  )
  select null as member_id, 'all members together' as what, m.points::text as kept, s.points::text as recomputed
    from members m, shops s where m.points <> s.points`

const FLOWS = `
  with noted as (
    select from_account, to_account, points from points_flows where shop_id = $1
    union all
    select from_account, to_account, points from points_flow_deltas where shop_id = $1
  ), kept as (
    select from_account, to_account, sum(points) as points from noted group by from_account, to_account
  ), moved as (
    select from_account, to_account, sum(amount) as points from ledger_transfers where shop_id = $1 group by from_account, to_account
  )
  select null as member_id, 'moved from ' || from_account || ' to ' || to_account as what,
         coalesce(k.points, 0)::text as kept, coalesce(m.points, 0)::text as recomputed
    from kept k full join moved m using (from_account, to_account)
   where coalesce(k.points, 0) <> coalesce(m.points, 0)
   order by 2`

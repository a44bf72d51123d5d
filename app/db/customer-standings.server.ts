// How each customer stands: orders, revenue, first and last purchase, as one row each.
import { instants, integers, numbers, rowsOf } from '#app/db/arrays.ts'
import { together, type Queryable } from '#app/db/client.server.ts'
import type { OwnLimits } from '#app/retention/lifecycle.ts'
import type { Standing } from '#app/retention/rollups.ts'

/** Writes how the customers stand now; those who were loaded with a standing have a row, which nobody else changes meanwhile. */
export async function saveStandings(
  shopId: number,
  standings: ReadonlyMap<string, Standing | null>,
  loaded: ReadonlyMap<string, { standing: Standing | null }>,
  client: Queryable,
): Promise<void> {
  const gone: string[] = []
  const known: [string, Standing][] = []
  const fresh: [string, Standing][] = []
  for (const [member, standing] of standings) {
    if (standing === null) gone.push(member)
    else (loaded.get(member)!.standing === null ? fresh : known).push([member, standing])
  }
  await together([
    deleteStandings(shopId, gone, client),
    updateStandings(shopId, known, client),
    insertStandings(shopId, fresh, client),
  ])
}

async function deleteStandings(shopId: number, members: readonly string[], client: Queryable): Promise<void> {
  if (members.length === 0) return
  await client.query('delete from customer_standings where shop_id = $1 and member_id = any($2::bigint[])', [
    shopId,
    numbers(members),
  ])
}

async function updateStandings(shopId: number, standings: [string, Standing][], client: Queryable): Promise<void> {
  if (standings.length === 0) return
  const { rowCount } = await client.query({
    name: 'measures-standings',
    text: `update customer_standings s
              set orders = g.orders, revenue_minor = g.revenue_minor, first_at = g.first_at, last_at = g.last_at,
                  passive_at = g.passive_at, lost_at = g.lost_at
             from ${GIVEN_STANDINGS} where s.shop_id = $1 and s.member_id = g.member_id`,
    values: [shopId, ...standingColumns(standings)],
  })
  if (rowCount !== standings.length) {
    throw new Error(`Customers' standings of shop ${shopId} were taken away meanwhile.`)
  }
}

async function insertStandings(shopId: number, standings: [string, Standing][], client: Queryable): Promise<void> {
  if (standings.length === 0) return
  await client.query({
    name: 'measures-new-standings',
    text: `insert into customer_standings (shop_id, member_id, orders, revenue_minor, first_at, last_at, passive_at, lost_at)
           select $1, member_id, orders, revenue_minor, first_at, last_at, passive_at, lost_at from ${GIVEN_STANDINGS}`,
    values: [shopId, ...standingColumns(standings)],
  })
}

const GIVEN_STANDINGS = `${rowsOf({
  member_id: '$2::bigint[]',
  orders: '$3::int[]',
  revenue_minor: '$4::bigint[]',
  first_at: '$5::timestamptz[]',
  last_at: '$6::timestamptz[]',
  passive_at: '$7::timestamptz[]',
  lost_at: '$8::timestamptz[]',
})} as g`

function standingColumns(standings: readonly [member: string, standing: Standing][]): Buffer[] {
  return [
    numbers(standings.map(([member]) => member)),
    integers(standings.map(([, standing]) => standing.orders)),
    numbers(standings.map(([, standing]) => standing.revenueMinor)),
    instants(standings.map(([, standing]) => standing.firstAt)),
    instants(standings.map(([, standing]) => standing.lastAt)),
    instants(standings.map(([, standing]) => standing.limits?.passiveFrom)),
    instants(standings.map(([, standing]) => standing.limits?.lostFrom)),
  ]
}

/** Puts these in the place of the shop's standings. Only what differs is touched: even an upsert that changes nothing locks its row. */
export async function replaceStandings(
  shopId: number,
  standings: ReadonlyMap<string, Standing>,
  client: Queryable,
): Promise<void> {
  const kept = [...standings.values()]
  await client.query(
    `with counted as materialized (
       select * from ${rowsOf({
         member_id: '$2::bigint[]',
         orders: '$3::int[]',
         revenue_minor: '$4::bigint[]',
         first_at: '$5::timestamptz[]',
         last_at: '$6::timestamptz[]',
       })} as g
     ), gone as (
       delete from customer_standings s where s.shop_id = $1
          and not exists (select 1 from counted c where c.member_id = s.member_id)
     )
     insert into customer_standings (shop_id, member_id, orders, revenue_minor, first_at, last_at)
     select $1, c.* from counted c left join customer_standings s on s.shop_id = $1 and s.member_id = c.member_id
      where (s.orders, s.revenue_minor, s.first_at, s.last_at)
            is distinct from (c.orders, c.revenue_minor, c.first_at, c.last_at)
     on conflict (shop_id, member_id) do update
       set orders = excluded.orders, revenue_minor = excluded.revenue_minor, first_at = excluded.first_at,
           last_at = excluded.last_at`,
    [
      shopId,
      numbers([...standings.keys()]),
      integers(kept.map((standing) => standing.orders)),
      numbers(kept.map((standing) => standing.revenueMinor)),
      instants(kept.map((standing) => standing.firstAt)),
      instants(kept.map((standing) => standing.lastAt)),
    ],
  )
}

/** Puts the limits of customers who have some in the place of those that are kept. */
export async function replaceLimits(
  shopId: number,
  own: ReadonlyMap<string, OwnLimits>,
  client: Queryable,
): Promise<void> {
  const limits = [...own.values()]
  await client.query(
    `with own as materialized (
       select * from ${rowsOf({ member_id: '$2::bigint[]', passive_at: '$3::timestamptz[]', lost_at: '$4::timestamptz[]' })} as g
     ), none as (
       update customer_standings s set passive_at = null, lost_at = null
        where s.shop_id = $1 and s.passive_at is not null and not exists (select 1 from own o where o.member_id = s.member_id)
     )
     update customer_standings s set passive_at = o.passive_at, lost_at = o.lost_at from own o
      where s.shop_id = $1 and s.member_id = o.member_id
        and (s.passive_at, s.lost_at) is distinct from (o.passive_at, o.lost_at)`,
    [
      shopId,
      numbers([...own.keys()]),
      instants(limits.map(({ passiveFrom }) => passiveFrom)),
      instants(limits.map(({ lostFrom }) => lostFrom)),
    ],
  )
}

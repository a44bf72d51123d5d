// Lists of customers that the merchant has had tagged in Shopify. A *list* goes by its tag and holds its customers, so that what
// is done in Shopify in the background (jobs/tag-customers) can be shown, brought up to date, and undone for exactly those.
import { inTransaction, pool, type Queryable } from '#app/db/client.server.ts'
import { enqueueEffects } from '#app/db/outbox.server.ts'
import { selectGroup, type Asked } from '#app/db/retention.server.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import { nameGroup, type CustomerGroup } from '#app/retention/segments.ts'

/** The kind of the effect that carries a list's wishes to Shopify; its key is the tag. */
export const TAG_CUSTOMERS = 'tag-customers'

/** A list, and how far Shopify has heard of it. */
export type CustomerList = {
  tag: string
  /** The group's name (retention/segments.ts). */
  group: string
  /** What the merchant wants: that they have the tag, or that they no longer do. */
  wish: 'tag' | 'untag'
  /** Customers when it was last asked for. */
  customers: number
  /** Still to be tagged or untagged. */
  waiting: number
  tagged: number
  /** Customers whom Shopify no longer has. */
  unknown: number
  askedAt: number
  finishedAt: number | null
  /** The segment in Shopify that goes by the tag. */
  segment: string | null
  /** Why it does not go on, while it does not. */
  error: string | null
}

/** The shop's list with that tag; null where it was never asked for. */
export async function findCustomerList(shopId: number, tag: string): Promise<CustomerList | null> {
  const { rows } = await pool.query<ListRow>(
    `select l.tag, l.group_name, l.wish, l.customers, l.asked_at, l.finished_at, l.segment_gid, l.error,
            count(m.member_id) filter (where m.state in ('add', 'remove')) as waiting,
            count(m.member_id) filter (where m.state = 'tagged') as tagged,
            count(m.member_id) filter (where m.state = 'unknown') as unknown
       from customer_lists l
       left join customer_list_members m on m.shop_id = l.shop_id and m.tag = l.tag
      where l.shop_id = $1 and l.tag = $2
      group by l.shop_id, l.tag`,
    [shopId, tag],
  )
  return rows[0] ? toList(rows[0]) : null
}

type ListRow = {
  tag: string
  group_name: string
  wish: 'tag' | 'untag'
  customers: number
  asked_at: Date
  finished_at: Date | null
  segment_gid: string | null
  error: string | null
  waiting: string
  tagged: string
  unknown: string
}

function toList(row: ListRow): CustomerList {
  return {
    tag: row.tag,
    group: row.group_name,
    wish: row.wish,
    customers: row.customers,
    waiting: Number(row.waiting),
    tagged: Number(row.tagged),
    unknown: Number(row.unknown),
    askedAt: row.asked_at.getTime(),
    finishedAt: row.finished_at?.getTime() ?? null,
    segment: row.segment_gid,
    error: row.error,
  }
}

/**
 * Asks for the tag on everybody who is in the group now, and for its removal from those of an earlier asking who no longer are.
 * Asked twice it is the same wish. Returns how many are in the group.
 */
export async function askForTag(
  asked: Asked,
  { tag, group, by }: { tag: string; group: CustomerGroup; by: string | null },
  at: number,
): Promise<number> {
  const chosen = await selectGroup(asked, group)
  const place = chosen.values.length + 1
  return inTransaction(async (client) => {
    await client.query(
      `insert into customer_lists (shop_id, tag, group_name, wish, customers, asked_at, asked_by)
       values ($1, $2, $3, 'tag', 0, $4, $5)
       on conflict (shop_id, tag) do update set wish = 'tag', asked_at = excluded.asked_at, asked_by = excluded.asked_by,
              finished_at = null, error = null`,
      [asked.shopId, tag, nameGroup(group), new Date(at), by],
    )
    const { rows } = await client.query<{ customers: string }>(
      `with wanted as materialized (${chosen.text}), added as (
         insert into customer_list_members as l (shop_id, tag, member_id, state)
         select $1, $${place}, member_id, 'add' from wanted
         on conflict (shop_id, tag, member_id) do update set state = case l.state when 'tagged' then 'tagged' else 'add' end
       ), dropped as (
         update customer_list_members m set state = 'remove'
          where m.shop_id = $1 and m.tag = $${place} and m.state in ('add', 'tagged')
            and not exists (select 1 from wanted w where w.member_id = m.member_id)
       )
       select count(*) as customers from wanted`,
      [...chosen.values, tag],
    )
    const customers = Number(rows[0]!.customers)
    await client.query('update customer_lists set customers = $3 where shop_id = $1 and tag = $2', [
      asked.shopId,
      tag,
      customers,
    ])
    await enqueueEffects(asked.shopId, [{ kind: TAG_CUSTOMERS, key: tag }], at, client)
    return customers
  })
}

/** Asks for the tag to be taken from everybody who got it by this list. Returns false where there is no such list. */
export async function askForRemoval(shopId: number, tag: string, by: string | null, at: number): Promise<boolean> {
  return inTransaction(async (client) => {
    const { rowCount } = await client.query(
      `update customer_lists set wish = 'untag', asked_at = $3, asked_by = $4, finished_at = null, error = null
        where shop_id = $1 and tag = $2`,
      [shopId, tag, new Date(at), by],
    )
    if (rowCount === 0) return false
    await client.query(
      `update customer_list_members set state = 'remove' where shop_id = $1 and tag = $2 and state in ('add', 'tagged')`,
      [shopId, tag],
    )
    await enqueueEffects(shopId, [{ kind: TAG_CUSTOMERS, key: tag }], at, client)
    return true
  })
}

/** Has what was set aside tried again. Returns false where there is nothing left to do. */
export async function retryList(shopId: number, tag: string, at: number): Promise<boolean> {
  const list = await findCustomerList(shopId, tag)
  if (!list || list.finishedAt !== null) return false
  await noteListError(shopId, tag, null)
  await enqueueEffects(shopId, [{ kind: TAG_CUSTOMERS, key: tag }], at)
  return true
}

/** Customers (gids) of a list for whom something is still to be done, and what. */
export async function listWaiting(
  shopId: number,
  tag: string,
  limit: number,
): Promise<{ customer: string; wish: 'add' | 'remove' }[]> {
  const { rows } = await pool.query<{ member_id: string; state: 'add' | 'remove' }>(
    `select member_id, state from customer_list_members
      where shop_id = $1 and tag = $2 and state in ('add', 'remove') order by member_id limit $3`,
    [shopId, tag, limit],
  )
  return rows.map((row) => ({ customer: toGid('Customer', row.member_id), wish: row.state }))
}

/** What Shopify has done: who has the tag now, who no longer does, and whom it does not know. Wishes that changed meanwhile stay. */
export async function noteTagged(
  shopId: number,
  tag: string,
  { tagged, untagged, unknown }: { tagged: string[]; untagged: string[]; unknown: string[] },
): Promise<void> {
  const numbers = (customers: string[]) => customers.map((customer) => numberOfGid(customer, 'Customer'))
  const to = (state: string, customers: string[]) =>
    pool.query(
      `update customer_list_members set state = $4
        where shop_id = $1 and tag = $2 and member_id = any($3::bigint[]) and state = 'add'`,
      [shopId, tag, numbers(customers), state],
    )
  if (tagged.length > 0) await to('tagged', tagged)
  if (unknown.length > 0) await to('unknown', unknown)
  if (untagged.length > 0) {
    await pool.query(
      `delete from customer_list_members
        where shop_id = $1 and tag = $2 and member_id = any($3::bigint[]) and state = 'remove'`,
      [shopId, tag, numbers(untagged)],
    )
  }
}

/** Notes that nothing is left to do. */
export async function finishList(shopId: number, tag: string, at: number): Promise<void> {
  await pool.query(
    `update customer_lists l set finished_at = $3, error = null
      where l.shop_id = $1 and l.tag = $2 and not exists (
        select 1 from customer_list_members m where m.shop_id = $1 and m.tag = $2 and m.state in ('add', 'remove'))`,
    [shopId, tag, new Date(at)],
  )
}

/** Notes why a list does not go on (null: it does). */
export async function noteListError(shopId: number, tag: string, error: string | null): Promise<void> {
  await pool.query('update customer_lists set error = $3 where shop_id = $1 and tag = $2', [
    shopId,
    tag,
    error?.slice(0, 500) ?? null,
  ])
}

/** Notes the segment in Shopify that goes by the list's tag. */
export async function noteSegment(shopId: number, tag: string, segment: string): Promise<void> {
  await pool.query('update customer_lists set segment_gid = $3 where shop_id = $1 and tag = $2', [shopId, tag, segment])
}

/** Takes these customers (numbers of gids) off every list: they asked to be forgotten. */
export async function forgetListed(shopId: number, customers: readonly string[], client: Queryable): Promise<void> {
  if (customers.length === 0) return
  await client.query('delete from customer_list_members where shop_id = $1 and member_id = any($2::bigint[])', [
    shopId,
    customers,
  ])
}

/** A customer (number of a gid) turned out to be another: Shopify gives the one who stays the tags of both. */
export async function moveListed(shopId: number, from: string, to: string, client: Queryable): Promise<void> {
  await client.query(
    `insert into customer_list_members (shop_id, tag, member_id, state)
     select $1, tag, $3, state from customer_list_members where shop_id = $1 and member_id = $2
     on conflict (shop_id, tag, member_id) do nothing`,
    [shopId, from, to],
  )
  await client.query('delete from customer_list_members where shop_id = $1 and member_id = $2', [shopId, from])
}

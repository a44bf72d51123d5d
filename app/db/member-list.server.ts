/** The list of members as the admin pages through it. Reads only. */
import { pool } from '#app/db/client.server.ts'
import { isGid, numberOfGid, toGid } from '#app/loyalty/ids.ts'

/** Orders that the list can be in: who joined last first, who can spend most first. */
export const MEMBER_SORTS = ['joined', 'points'] as const
/** One of `MEMBER_SORTS`. */
export type MemberSort = (typeof MEMBER_SORTS)[number]

/** A member as the list shows it; instants in epoch milliseconds, whole points. */
export type MemberRow = {
  /** gid://shopify/Customer/… */
  customer: string
  joinedAt: number
  tier: string | null
  available: number
  pending: number
  reserved: number
  /** Earned in all, less what was taken back. */
  lifetimeEarned: number
  /** Orders that count (paid, not cancelled, not fully refunded), and their goods, in minor units of the shop's currency. */
  orders: number
  spentMinor: number
  lastOrderAt: number | null
}

/** What page of which members, in which order. */
export type MemberListAsk = {
  sort: MemberSort
  /** Only members of this tier. */
  tier?: string
  /** Only these customers (gids), for a search that Shopify answered. */
  customers?: string[]
  /** From `next` or `previous` of another page of the same ask. */
  cursor?: string
  size: number
}

/** One page of the list. */
export type MemberListPage = {
  rows: MemberRow[]
  /** Cursors of the pages around this one, null where there is none. */
  next: string | null
  previous: string | null
}

/** The value that each order sorts by, largest first; ties by the customer's number. Both are what a cursor holds. */
const SORT_VALUES: Record<MemberSort, string> = {
  joined: 'extract(epoch from m.joined_at) * 1000',
  points: 'coalesce(b.available, 0)',
}

/**
 * One page of the shop's members, erased ones left out, largest sort value first. It pages by position, not by number, so
 * nobody is skipped or shown twice while others join. A cursor that does not read as one starts at the front.
 */
export async function listMembers(shopId: number, ask: MemberListAsk): Promise<MemberListPage> {
  const cursor = parseCursor(ask.cursor)
  const backwards = cursor?.direction === 'previous'
  const value = SORT_VALUES[ask.sort]
  const { rows } = await pool.query<StoredRow>(
    `select m.id, m.joined_at, m.tier, coalesce(b.available, 0) as available, coalesce(b.pending, 0) as pending,
            coalesce(b.reserved, 0) as reserved, coalesce(b.lifetime_earned, 0) as lifetime_earned,
            (${value})::text as sort_value,
            coalesce(s.orders, 0) as orders, coalesce(s.revenue_minor, 0) as spent_minor, s.last_at
     from members m
     left join balances b on b.shop_id = m.shop_id and b.member_id = m.id
     left join customer_standings s on s.shop_id = m.shop_id and s.member_id = m.id
     where m.shop_id = $1 and m.erased_at is null
       and ($2::text is null or m.tier = $2)
       and ($3::bigint[] is null or m.id = any($3))
       and ($4::numeric is null or (${value}, m.id) ${backwards ? '>' : '<'} ($4::numeric, $5::bigint))
     order by ${value} ${backwards ? 'asc' : 'desc'}, m.id ${backwards ? 'asc' : 'desc'}
     limit $6`,
    [
      shopId,
      ask.tier ?? null,
      ask.customers?.map(customerNumber).filter((number) => number !== null) ?? null,
      cursor?.value ?? null,
      cursor?.id ?? null,
      ask.size + 1,
    ],
  )
  return cutPage(rows, ask.size, cursor)
}

type StoredRow = {
  id: string
  joined_at: Date
  tier: string | null
  available: string
  pending: string
  reserved: string
  lifetime_earned: string
  sort_value: string
  orders: number
  spent_minor: string
  last_at: Date | null
}

/** One row more than the page was asked for, which only says that there is a page beyond. */
function cutPage(rows: StoredRow[], size: number, cursor: Cursor | null): MemberListPage {
  const more = rows.length > size
  const page = rows.slice(0, size)
  if (cursor?.direction === 'previous') page.reverse()
  const first = page[0]
  const last = page.at(-1)
  const beyond = cursor?.direction === 'previous' ? cursor !== null : more
  const before = cursor?.direction === 'previous' ? more : cursor !== null
  return {
    rows: page.map(toMemberRow),
    next: last && beyond ? writeCursor('next', last) : null,
    previous: first && before ? writeCursor('previous', first) : null,
  }
}

function toMemberRow(row: StoredRow): MemberRow {
  return {
    customer: toGid('Customer', row.id),
    joinedAt: row.joined_at.getTime(),
    tier: row.tier,
    available: Number(row.available),
    pending: Number(row.pending),
    reserved: Number(row.reserved),
    lifetimeEarned: Number(row.lifetime_earned),
    orders: row.orders,
    spentMinor: Number(row.spent_minor),
    lastOrderAt: row.last_at?.getTime() ?? null,
  }
}

type Cursor = { direction: 'next' | 'previous'; value: string; id: string }

function writeCursor(direction: Cursor['direction'], row: StoredRow): string {
  return `${direction}_${row.sort_value}_${row.id}`
}

function parseCursor(text: string | undefined): Cursor | null {
  const match = /^(next|previous)_(-?\d+(?:\.\d+)?)_(\d{1,18})$/.exec(text ?? '')
  return match ? { direction: match[1] as Cursor['direction'], value: match[2]!, id: match[3]! } : null
}

/** How many members each tier has, by the tier's id; members in no tier under ''. Erased members are left out. */
export async function countMembersByTier(shopId: number): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ tier: string; members: string }>(
    `select coalesce(tier, '') as tier, count(*) as members from members
     where shop_id = $1 and erased_at is null group by 1`,
    [shopId],
  )
  return new Map(rows.map((row) => [row.tier, Number(row.members)]))
}

function customerNumber(customer: string): string | null {
  return isGid(customer, 'Customer') ? numberOfGid(customer, 'Customer') : null
}

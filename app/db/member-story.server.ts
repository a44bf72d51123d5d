/**
 * Everything the admin shows of one member: balance, what waits and what expires, every movement of points, orders with the
 * reasons for what they earned, redemptions. Reads only.
 */
import { pool } from '#app/db/client.server.ts'
import { findRunOutOnReturn } from '#app/db/redemptions.server.ts'
import { isGid, numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { Reason } from '#app/loyalty/order.ts'
import type { RewardType } from '#app/loyalty/program.ts'
import type { ManualPlacement } from '#app/loyalty/tiers.ts'

/** A member with what is on hand; instants in epoch milliseconds, whole points. */
export type MemberStory = {
  customer: string
  joinedAt: number
  tier: string | null
  tierSince: number | null
  /** That the tier was chosen by hand: until when (null: until changed), why, and by whom. */
  placed: { until: number | null; reason: string; by: string } | null
  erasedAt: number | null
  available: number
  pending: number
  reserved: number
  lifetimeEarned: number
  lots: LotRow[]
  redemptions: RedemptionRow[]
}

/** Points that were earned together and are not all spent. */
export type LotRow = {
  key: string
  order: string | null
  pending: number
  available: number
  earnedAt: number
  releaseAt: number | null
  expiresAt: number | null
}

/** A reward the member took, and what became of its code. */
export type RedemptionRow = {
  id: string
  reward: string
  type: RewardType
  points: number
  returnedPoints: number
  /** How many of the returned points were gone at once, because they had run out meanwhile. */
  ranOutPoints: number
  state: string
  code: string | null
  reservedAt: number
  expiresAt: number | null
  usedAt: number | null
}

/** The member behind a customer's gid, merged customers followed to who they are now; null where the shop has none. */
export async function findMemberStory(shopId: number, customer: string): Promise<MemberStory | null> {
  const id = customerNumber(customer)
  if (id === null) return null
  const { rows } = await pool.query<StoredMember>(
    `select m.id, m.joined_at, m.tier, m.tier_since, m.erased_at,
            m.state::json #> '{tier,manual}' as placed,
            coalesce(b.available, 0) as available, coalesce(b.pending, 0) as pending,
            coalesce(b.reserved, 0) as reserved, coalesce(b.lifetime_earned, 0) as lifetime_earned
     from members m
     left join balances b on b.shop_id = m.shop_id and b.member_id = m.id
     where m.shop_id = $1 and m.id = coalesce(
       (select member_id from member_aliases where shop_id = $1 and alias_id = $2), $2)`,
    [shopId, id],
  )
  const row = rows[0]
  if (!row) return null
  const [lots, redemptions] = await Promise.all([listLots(shopId, row.id), listRedemptions(shopId, row.id)])
  return {
    customer: toGid('Customer', row.id),
    joinedAt: row.joined_at.getTime(),
    tier: row.tier,
    tierSince: instant(row.tier_since),
    placed: row.placed && { until: row.placed.until, reason: row.placed.reason, by: row.placed.actor },
    erasedAt: instant(row.erased_at),
    available: Number(row.available),
    pending: Number(row.pending),
    reserved: Number(row.reserved),
    lifetimeEarned: Number(row.lifetime_earned),
    lots,
    redemptions,
  }
}

type StoredMember = {
  id: string
  joined_at: Date
  tier: string | null
  tier_since: Date | null
  placed: ManualPlacement | null
  erased_at: Date | null
  available: string
  pending: string
  reserved: string
  lifetime_earned: string
}

/** Lots with points in them, in the order in which they will be spent: soonest expiry first, then oldest. */
async function listLots(shopId: number, memberId: string): Promise<LotRow[]> {
  const { rows } = await pool.query<{
    key: string
    order_id: string | null
    pending: string
    available: string
    earned_at: Date
    release_at: Date | null
    expires_at: Date | null
  }>(
    `select key, order_id, pending, available, earned_at, release_at, expires_at from lots
     where shop_id = $1 and member_id = $2 and (pending > 0 or available > 0)
     order by expires_at nulls last, earned_at, key limit 500`,
    [shopId, memberId],
  )
  return rows.map((row) => ({
    key: row.key,
    order: row.order_id === null ? null : toGid('Order', row.order_id),
    pending: Number(row.pending),
    available: Number(row.available),
    earnedAt: row.earned_at.getTime(),
    releaseAt: instant(row.release_at),
    expiresAt: instant(row.expires_at),
  }))
}

async function listRedemptions(shopId: number, memberId: string): Promise<RedemptionRow[]> {
  const { rows } = await pool.query<{
    id: string
    reward_id: string
    type: RewardType
    points: string
    returned_points: string
    state: string
    code: string | null
    reserved_at: Date
    expires_at: Date | null
    used_at: Date | null
  }>(
    `select id, reward_id, type, points, returned_points, state, code, reserved_at, expires_at, used_at
     from redemptions where shop_id = $1 and member_id = $2 order by reserved_at desc, id desc limit 50`,
    [shopId, memberId],
  )
  const returned = rows.filter((row) => row.returned_points !== '0').map(({ id }) => id)
  const ranOut = await findRunOutOnReturn(shopId, returned)
  return rows.map((row) => ({
    id: row.id,
    reward: row.reward_id,
    type: row.type,
    points: Number(row.points),
    returnedPoints: Number(row.returned_points),
    ranOutPoints: ranOut.get(row.id) ?? 0,
    state: row.state,
    code: row.code,
    reservedAt: row.reserved_at.getTime(),
    expiresAt: instant(row.expires_at),
    usedAt: instant(row.used_at),
  }))
}

/** One movement of the member's points. */
export type TransferRow = {
  id: string
  reason: string
  /** gid of the order or id of the redemption it is about, where there is one. */
  source: string | null
  eventAt: number
  /** What it did to the points that can be spent, and to those that wait. */
  availableChange: number
  pendingChange: number
  /** Points that could be spent right after it. */
  availableAfter: number
  /** Of a change by hand: what was given as the reason, and by whom. */
  note: string | null
  actor: string | null
}

/**
 * Movements of a member's points, newest first, each with what could be spent after it; what moves only between "set aside" and
 * "spent" changes neither and is left out. `before` is the id of the last row of the page before.
 */
export async function listTransfers(
  shopId: number,
  customer: string,
  size: number,
  before?: string,
): Promise<TransferRow[]> {
  const { rows } = await pool.query<StoredTransfer>(
    // A merge moves points from one member to another in one row, which belongs to both stories.
    `with mine as (
       select id, from_account, to_account, amount, reason, source, event_at, key,
              counter_member_id is null as receives, true as gives
       from ledger_transfers where shop_id = $1 and member_id = $2
       union all
       select id, from_account, to_account, amount, reason, source, event_at, key, true, false
       from ledger_transfers where shop_id = $1 and counter_member_id = $2
     ), changes as (
       select *,
         case when receives and to_account = 'available' then amount else 0 end
           - case when gives and from_account = 'available' then amount else 0 end as available_change,
         case when receives and to_account = 'pending' then amount else 0 end
           - case when gives and from_account = 'pending' then amount else 0 end as pending_change
       from mine
     ), story as (
       select *, sum(available_change) over (order by id) as available_after from changes
     )
     select s.id, s.reason, s.source, s.event_at, s.available_change, s.pending_change, s.available_after,
            a.reason as note, a.actor
     from story s
     left join adjustments a on a.shop_id = $1 and s.reason = 'adjust' and s.key = 'adjust:' || a.key
     where (s.available_change <> 0 or s.pending_change <> 0) and ($3::bigint is null or s.id < $3)
     order by s.id desc limit $4`,
    [shopId, customerNumber(customer), before && /^\d{1,18}$/.test(before) ? before : null, size],
  )
  return rows.map((row) => ({
    id: row.id,
    reason: row.reason,
    source: row.source,
    eventAt: row.event_at.getTime(),
    availableChange: Number(row.available_change),
    pendingChange: Number(row.pending_change),
    availableAfter: Number(row.available_after),
    note: row.note,
    actor: row.actor,
  }))
}

type StoredTransfer = {
  id: string
  reason: string
  source: string | null
  event_at: Date
  available_change: string
  pending_change: string
  available_after: string
  note: string | null
  actor: string | null
}

/** An order with what it is worth now and why. */
export type OrderRow = {
  order: string
  placedAt: number
  paidAt: number | null
  /** Minor units of the shop's currency: money for goods, now and as placed. */
  goodsMinor: number
  placedMinor: number
  points: number
  /** The program version that priced it, and the tier the member had then. */
  programVersion: number | null
  tier: string | null
  codes: string[]
  reasons: Reason[]
}

/** A member's orders, newest first, with what each is worth now and why. */
export async function listOrders(shopId: number, customer: string, size: number): Promise<OrderRow[]> {
  const { rows } = await pool.query<{
    id: string
    placed_at: Date
    paid_at: Date | null
    goods_minor: string
    placed_minor: string
    points: string
    program_version: number | null
    tier: string | null
    codes: string[]
    reasons: Reason[] | null
  }>(
    `select id, placed_at, paid_at, goods_minor, placed_minor, points, program_version, tier, codes, facts::json->'worth'->'reasons' as reasons
     from orders where shop_id = $1 and member_id = $2 order by placed_at desc, id desc limit $3`,
    [shopId, customerNumber(customer), size],
  )
  return rows.map((row) => ({
    order: toGid('Order', row.id),
    placedAt: row.placed_at.getTime(),
    paidAt: instant(row.paid_at),
    goodsMinor: Number(row.goods_minor),
    placedMinor: Number(row.placed_minor),
    points: Number(row.points),
    programVersion: row.program_version,
    tier: row.tier,
    codes: row.codes,
    reasons: row.reasons ?? [],
  }))
}

function customerNumber(customer: string): string | null {
  return isGid(customer, 'Customer') ? numberOfGid(customer, 'Customer') : null
}

function instant(date: Date | null): number | null {
  return date?.getTime() ?? null
}

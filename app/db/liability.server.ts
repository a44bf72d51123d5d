// Points liability as the ledger has it: what moved in a period, what is outstanding and how old it is. The ledger is never scanned
// for it: its sums by day are kept (db/points-flows.server.ts).
import { pool } from '#app/db/client.server.ts'
import { startOfDayNumber } from '#app/db/periods.server.ts'
import { readFlows } from '#app/db/points-flows.server.ts'
import type { Asked, Condition } from '#app/db/retention.server.ts'
import { dayNumberAt } from '#app/loyalty/time.ts'
import {
  ageLimits,
  AGE_MONTHS,
  breakageRate,
  MOVEMENTS,
  movePoints,
  SHOP_ACCOUNTS,
  type LiabilityAge,
  type Movement,
  type PointsMovement,
} from '#app/retention/liability.ts'
import type { Period } from '#app/retention/periods.ts'
import type { CustomerGroup, PointsGroup } from '#app/retention/segments.ts'

/** The points that the shop owes, in whole points, and what became of earlier ones. */
export type Liability = {
  movement: PointsMovement
  /** What members hold at T: lots by age, points set aside for rewards, and balances below zero. */
  outstanding: number
  /** What can still be spent, of whoever has some: outstanding, but nobody's balance below zero makes another's points cheaper. */
  owed: number
  ages: LiabilityAge[]
  reserved: number
  deficit: number
  /** How many members that are. */
  members: { held: number; reserved: number; deficit: number; ages: number[] }
  /** Of the points that were spent or ran out so far, the share that ran out; null while nobody has spent any. */
  breakage: number | null
}

/**
 * The movement of a period and what is outstanding now. Opening and closing are sums of the ledger's transfers up to the period's first
 * instant and its end, so they tie to the ledger to the point.
 */
export async function readLiability(asked: Asked, period: Period): Promise<Liability> {
  const [held, flows, lots] = await Promise.all([readHeld(asked.shopId), readFlows(asked), readAges(asked)])
  const before = movePoints(
    0,
    flows.filter(({ day }) => day < period.from),
  )
  const ever = movePoints(0, flows)
  const inside = flows.filter(({ day }) => day >= period.from && day < period.until)
  return {
    movement: movePoints(before.closing, inside),
    ...held,
    ...lots,
    members: { ...held.members, ages: lots.holders },
    breakage: breakageRate(ever.expired, ever.spent),
  }
}

async function readHeld(shopId: number) {
  const { rows } = await pool.query<
    Record<'points' | 'owed' | 'reserved' | 'deficit' | 'held' | 'reserving' | 'below', string>
  >(
    // Pending points fill their own member's deficit when they are released; set aside ones are spent all the same.
    `select coalesce(sum(available + pending + reserved), 0) as points,
            coalesce(sum(reserved + greatest(0, available + pending)), 0) as owed, coalesce(sum(reserved), 0) as reserved,
            coalesce(sum(deficit), 0) as deficit,
            count(*) filter (where available + pending + reserved <> 0) as held,
            count(*) filter (where reserved <> 0) as reserving, count(*) filter (where deficit <> 0) as below
       from balances where shop_id = $1`,
    [shopId],
  )
  const { points, owed, reserved, deficit, held, reserving, below } = rows[0]!
  return {
    outstanding: Number(points),
    owed: Number(owed),
    reserved: Number(reserved),
    deficit: Number(deficit),
    members: { held: Number(held), reserved: Number(reserving), deficit: Number(below) },
  }
}

async function readAges({ shopId, asOf, timeZone }: Asked): Promise<{ ages: LiabilityAge[]; holders: number[] }> {
  const { rows } = await pool.query<{ age: number; points: string; members: string }>(
    `select age, sum(points) as points, count(distinct member_id) as members
       from (select member_id, available + pending as points,
                    (select count(*)::int from unnest($2::timestamptz[]) as older (at) where earned_at <= older.at) as age
               from lots where shop_id = $1 and (available > 0 or pending > 0)) as aged
      group by age`,
    [shopId, ageLimits(asOf, timeZone).map((at) => new Date(at))],
  )
  const of = (place: number) => rows.find(({ age }) => age === place)
  return {
    ages: AGE_MONTHS.map((fromMonths, place) => ({ fromMonths, points: Number(of(place)?.points ?? 0) })),
    holders: AGE_MONTHS.map((_, place) => Number(of(place)?.members ?? 0)),
  }
}

// ── Members behind the points ───────────────────────────────────────────────────────────────────────────────────────

/** How many members are behind the lines of a period's movement: the lengths of the lists that they open. */
export type LiabilityMembers = {
  /** Members who held points when the period began and when it was over. */
  opening: number
  closing: number
  /** Members whose points moved like that in the period. */
  movers: Record<Movement, number>
  /** Members whose points ever ran out. */
  everExpired: number
}

/**
 * Counts the members behind a period's movement. The sums of the movement are kept by day, its members cannot be: each is counted once,
 * however often its points moved. So the ledger is read for them, as much of it as the period is long and as lies between the nearer of
 * the ledger's ends and the period's: over some years of a million transfers that takes seconds, and no page should wait for it.
 */
export async function countLiabilityMembers(asked: Asked, period: Period): Promise<LiabilityMembers> {
  const countThen = async (day: number) => {
    const { text, values } = await selectHoldersThen(asked, day)
    const { rows } = await pool.query<{ members: string }>(`select count(*) as members from (${text}) as h`, values)
    return Number(rows[0]!.members)
  }
  const [opening, closing, movers, everExpired] = await Promise.all([
    countThen(period.from),
    countThen(period.until),
    countMovers(asked, period),
    countEverExpired(asked.shopId),
  ])
  return { opening, closing, movers, everExpired }
}

/** SQL: what a member's transfer is, by the one account of the shop in it; null between accounts of members. */
const MOVEMENT_OF = `coalesce(${['from_account', 'to_account']
  .map((side) => {
    const named = Object.entries(SHOP_ACCOUNTS).map(([account, { as }]) => `when '${account}' then '${as}'`)
    return `case ${side} ${named.join(' ')} end`
  })
  .join(', ')})`

async function countMovers(asked: Asked, period: Period): Promise<Record<Movement, number>> {
  const { rows } = await pool.query<{ movement: Movement | null; members: string }>(
    `select movement, count(*) as members
       from (select distinct member_id, ${MOVEMENT_OF} as movement from ledger_transfers
              where shop_id = $1 and event_at >= $2 and event_at < $3 and member_id is not null) as moved
      group by movement`,
    [asked.shopId, ...daysOf(period, asked)],
  )
  const counts = MOVEMENTS.map((movement) => [
    movement,
    Number(rows.find((row) => row.movement === movement)?.members ?? 0),
  ])
  return Object.fromEntries(counts) as Record<Movement, number>
}

async function countEverExpired(shopId: number): Promise<number> {
  const { rows } = await pool.query<{ members: string }>(
    `select count(distinct member_id) as members from ledger_transfers
      where shop_id = $1 and member_id is not null and (from_account = any($2::text[])) <> (to_account = any($2::text[]))`,
    [shopId, accountsOf('expired')],
  )
  return Number(rows[0]!.members)
}

/** The first instants of the period's first day and of the one after its last. */
function daysOf({ from, until }: Period, { timeZone }: Asked): [Date, Date] {
  return [new Date(startOfDayNumber(from, timeZone)), new Date(startOfDayNumber(until, timeZone))]
}

function accountsOf(movement: Movement): string[] {
  return Object.entries(SHOP_ACCOUNTS).flatMap(([account, { as }]) => (as === movement ? [account] : []))
}

/** SQL: what each transfer of a time gave to a member or took; both sides of one between two members. */
function givenIn(time: string): string {
  return `
    select member_id, case when counter_member_id is not null or to_account like 'shop.%' then -amount else amount end as points
      from ledger_transfers
     where shop_id = $1 and ${time} and member_id is not null
       and (counter_member_id is not null or (from_account like 'shop.%') <> (to_account like 'shop.%'))
    union all
    select counter_member_id, amount from ledger_transfers
     where shop_id = $1 and ${time} and counter_member_id is not null`
}

/**
 * SQL for `member_id` and `points` of the members who held points at the first instant of a day, with its values from $1 on: added up
 * from the ledger's beginning, or taken off what they hold now, whichever is the shorter way.
 */
async function selectHoldersThen(
  { shopId, asOf, timeZone }: Asked,
  day: number,
): Promise<{ text: string; values: [number, Date] }> {
  const { rows } = await pool.query<{ day: number | null }>(
    'select min(day) as day from points_flows where shop_id = $1',
    [shopId],
  )
  const firstDay = rows[0]!.day
  const isLate = firstDay !== null && 2 * day > firstDay + dayNumberAt(asOf, timeZone)
  const text = isLate
    ? `select b.member_id, b.available + b.pending + b.reserved - coalesce(g.points, 0) as points
         from balances b
         left join (select member_id, sum(points)::bigint as points from (${givenIn('event_at >= $2')}) as given
                     group by member_id) as g on g.member_id = b.member_id
        where b.shop_id = $1 and b.available + b.pending + b.reserved <> coalesce(g.points, 0)`
    : `select member_id, sum(points)::bigint as points from (${givenIn('event_at < $2')}) as given
        group by member_id having sum(points) <> 0`
  return { text, values: [shopId, new Date(startOfDayNumber(day, timeZone))] }
}

/** SQL: rows of member_id and more as customer standings, those without orders too. */
function standingOf(rows: string, columns: readonly string[]): string {
  return `(
    select $1::int as shop_id, r.member_id, ${columns.map((column) => `r.${column}`).join(', ')}, coalesce(c.orders, 0) as orders,
           coalesce(c.revenue_minor, 0) as revenue_minor, c.first_at, c.last_at
      from (${rows}) r left join customer_standings c on c.shop_id = $1 and c.member_id = r.member_id)`
}

const POINTS_SQL: Record<PointsGroup, { points: string; condition: string }> = {
  held: { points: 's.available + s.pending + s.reserved', condition: 's.available + s.pending + s.reserved <> 0' },
  reserved: { points: 's.reserved', condition: 's.reserved <> 0' },
  deficit: { points: '-s.deficit', condition: 's.deficit <> 0' },
}

const HOLDERS = standingOf('select * from balances where shop_id = $1', ['available', 'pending', 'reserved', 'deficit'])

/** The members behind a number of points, with the points that each has of it: they sum up to the number. */
export async function selectPointsGroup(
  asked: Asked,
  group: Extract<CustomerGroup, { kind: 'points' | 'points-age' | 'points-then' | 'moved' }>,
): Promise<Condition> {
  switch (group.kind) {
    case 'points':
      return { from: HOLDERS, ...POINTS_SQL[group.group], values: [] }
    case 'points-age':
      return selectAge(asked, group.months)
    case 'points-then': {
      const { text, values } = await selectHoldersThen(asked, group.day)
      return { from: standingOf(text, ['points']), condition: 'true', points: 's.points', values: values.slice(1) }
    }
    case 'moved': {
      const moved = `select member_id, sum(case when to_account = any($4::text[]) then -amount else amount end)::bigint as points
                       from ledger_transfers
                      where shop_id = $1 and event_at >= $2 and event_at < $3 and member_id is not null
                        and (from_account = any($4::text[])) <> (to_account = any($4::text[]))
                      group by member_id`
      const values = [...daysOf(group, asked), accountsOf(group.movement)]
      return { from: standingOf(moved, ['points']), condition: 'true', points: 's.points', values }
    }
  }
}

function selectAge({ asOf, timeZone }: Asked, months: number): Condition {
  const limits = ageLimits(asOf, timeZone)
  const place = AGE_MONTHS.indexOf(months)
  const limit = (at: number | undefined) => (at === undefined ? null : new Date(at))
  // The youngest have no bound: points of this moment are theirs.
  const aged = `select member_id, sum(available + pending)::bigint as points from lots
                 where shop_id = $1 and (available > 0 or pending > 0)
                   and ($2::timestamptz is null or earned_at <= $2) and ($3::timestamptz is null or earned_at > $3)
                 group by member_id`
  const values = [limit(limits[place - 1]), limit(limits[place])]
  return { from: standingOf(aged, ['points']), condition: 'true', points: 's.points', values }
}

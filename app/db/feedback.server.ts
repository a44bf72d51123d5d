// What customers answered to "would you recommend us?" (retention/nps.ts), and how often the merchant asks.
import { pool, type Queryable } from '#app/db/client.server.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import { startOfMonthNumber } from '#app/retention/calendar.ts'
import {
  BAND_SCORES,
  DEFAULT_ROUND_DAYS,
  NPS_BANDS,
  roundAt,
  ROUND_DAYS,
  scoreNps,
  type Nps,
  type NpsBand,
  type Round,
} from '#app/retention/nps.ts'

/** The longest comment that is kept, in UTF-16 units as browsers count them. */
export const COMMENT_MAX = 1_000

/** What a customer said last. Instants in epoch milliseconds. */
export type FeedbackAnswer = Round & { score: number; comment: string | null; answeredAt: number }

/** Days between two questions to one customer, as the merchant has chosen. */
export async function findRoundDays(shopId: number, client: Queryable = pool): Promise<number> {
  const { rows } = await client.query<{ days: number | null }>(
    `select (settings ->> 'feedbackRoundDays')::int as days from shops where id = $1`,
    [shopId],
  )
  return rows[0]?.days ?? DEFAULT_ROUND_DAYS
}

/** Chooses one of ROUND_DAYS; others are refused with an error. It holds for answers from now on. */
export async function keepRoundDays(shopId: number, days: number): Promise<void> {
  if (!(ROUND_DAYS as readonly number[]).includes(days)) throw new RangeError(`${days} days cannot be chosen`)
  await pool.query(
    `update shops set settings = settings || jsonb_build_object('feedbackRoundDays', $2::int) where id = $1`,
    [shopId, days],
  )
}

/** The newest answer of a customer (gid, merges followed); null before the first. */
export async function findAnswer(
  shopId: number,
  customer: string,
  client: Queryable = pool,
): Promise<FeedbackAnswer | null> {
  const { rows } = await client.query<AnswerRow>(
    `select round, score, comment, opened_at, answered_at from feedback_answers
      where shop_id = $1 and member_id = ${SURVIVOR} order by round desc limit 1`,
    [shopId, numberOfGid(customer, 'Customer')],
  )
  const row = rows[0]
  return row ? toAnswer(row) : null
}

type AnswerRow = { round: number; score: number; comment: string | null; opened_at: Date; answered_at: Date }

function toAnswer(row: AnswerRow): FeedbackAnswer {
  const { round, score, comment } = row
  return { round, score, comment, openedAt: row.opened_at.getTime(), answeredAt: row.answered_at.getTime() }
}

/** Who customer number $2 is now, merges followed. */
const SURVIVOR = `coalesce((select member_id from member_aliases where shop_id = $1 and alias_id = $2::bigint), $2::bigint)`

/** Where an answer at the instant would be kept. Two at once come to the same round, and the later one stays. */
export async function findRound(shopId: number, customer: string, at: number): Promise<Round> {
  return roundAt(await findAnswer(shopId, customer), at, await findRoundDays(shopId))
}

/** What a customer says: a whole score 0–10 and words, trimmed, at most COMMENT_MAX of them. */
export type Said = { score: number; comment: string | null }

/**
 * Keeps an answer in its round. Said again it is the same answer, said otherwise it takes the place of the one before. An erased
 * customer's is not kept; returns whether it was.
 */
export async function keepAnswer(
  shopId: number,
  customer: string,
  { round, openedAt }: Round,
  { score, comment }: Said,
  at: number,
  client: Queryable = pool,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into feedback_answers (shop_id, member_id, round, score, comment, opened_at, answered_at)
     select $1, who.id, $3, $4, $5, $6, $7 from (select ${SURVIVOR} as id) as who
      where not exists (select 1 from members m where m.shop_id = $1 and m.id = who.id and m.erased_at is not null)
     on conflict (shop_id, member_id, round) do update
       set score = excluded.score, comment = excluded.comment, answered_at = excluded.answered_at`,
    [shopId, numberOfGid(customer, 'Customer'), round, score, comment, new Date(openedAt), new Date(at)],
  )
  return rowCount === 1
}

/** Forgets what these customers (numbers of gids) said: they asked to be forgotten. */
export async function forgetAnswers(shopId: number, customers: readonly string[], client: Queryable): Promise<void> {
  if (customers.length === 0) return
  await client.query('delete from feedback_answers where shop_id = $1 and member_id = any($2::bigint[])', [
    shopId,
    customers,
  ])
}

/** Gives what one customer said to another (numbers of gids), who they turned out to be. Their rounds are counted together. */
export async function moveAnswers(shopId: number, from: string, to: string, client: Queryable): Promise<void> {
  await client.query(
    `insert into feedback_answers (shop_id, member_id, round, score, comment, opened_at, answered_at)
     select $1, $3, round + coalesce((select max(round) from feedback_answers where shop_id = $1 and member_id = $3), 0),
            score, comment, opened_at, answered_at
       from feedback_answers where shop_id = $1 and member_id = $2`,
    [shopId, from, to],
  )
  await client.query('delete from feedback_answers where shop_id = $1 and member_id = $2', [shopId, from])
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A stretch of time, half-open: epoch milliseconds. */
export type Stretch = { from: number; until: number }

/** Each customer's last answer in [$2, $3). */
const LAST_ANSWERS = `select distinct on (member_id) member_id, score, comment, answered_at from feedback_answers
  where shop_id = $1 and answered_at >= $2 and answered_at < $3 order by member_id, answered_at desc, round desc`

/** Customers by what they answered last in that time. */
export async function readNps(shopId: number, { from, until }: Stretch): Promise<Nps> {
  const { rows } = await pool.query<{ score: number; customers: string }>(
    `select score, count(*) as customers from (${LAST_ANSWERS}) as last group by score`,
    [shopId, new Date(from), new Date(until)],
  )
  return scoreNps(sumBands(rows))
}

function sumBands(rows: readonly { score: number; customers: string }[]): Record<NpsBand, number> {
  const counts = { promoters: 0, passives: 0, detractors: 0 }
  for (const band of NPS_BANDS) {
    const [lowest, highest] = BAND_SCORES[band]
    for (const { score, customers } of rows) if (score >= lowest && score <= highest) counts[band] += Number(customers)
  }
  return counts
}

/** The score of each of these months (counted from January 1970) in the zone: of each customer, the last answer in the month. */
export async function readNpsMonths(
  shopId: number,
  timeZone: string,
  months: readonly number[],
): Promise<(Nps & { month: number })[]> {
  const edges = (offset: number) => months.map((month) => new Date(startOfMonthNumber(month + offset, timeZone)))
  const { rows } = await pool.query<{ month: number; score: number; customers: string }>(
    `select month, score, count(*) as customers
       from (select distinct on (g.month, f.member_id) g.month, f.score
               from unnest($2::int[], $3::timestamptz[], $4::timestamptz[]) as g (month, from_at, until_at)
               join feedback_answers f on f.shop_id = $1 and f.answered_at >= g.from_at and f.answered_at < g.until_at
              order by g.month, f.member_id, f.answered_at desc, f.round desc) as last
      group by month, score`,
    [shopId, months, edges(0), edges(1)],
  )
  return months.map((month) => ({ month, ...scoreNps(sumBands(rows.filter((row) => row.month === month))) }))
}

/** A customer's answer as it is listed. */
export type ListedAnswer = { customer: string; score: number; comment: string | null; answeredAt: number }

/** Which answers are listed: of one band or all, with words or all. */
export type AnswerFilter = Stretch & { band?: NpsBand | null; withWords?: boolean }

/** How many customers' last answers come under the filter: the length of the list that {@link listAnswers} gives in pages. */
export async function countAnswers(shopId: number, filter: AnswerFilter): Promise<number> {
  const { rows } = await pool.query<{ customers: string }>(
    `select count(*) as customers from (${LAST_ANSWERS}) as last where ${FILTERED}`,
    filterValues(shopId, filter),
  )
  return Number(rows[0]!.customers)
}

/** A page of customers' last answers, newest first. */
export async function listAnswers(
  shopId: number,
  filter: AnswerFilter,
  { limit, offset = 0 }: { limit: number; offset?: number },
): Promise<ListedAnswer[]> {
  const { rows } = await pool.query<{ member_id: string; score: number; comment: string | null; answered_at: Date }>(
    `select member_id, score, comment, answered_at from (${LAST_ANSWERS}) as last where ${FILTERED}
      order by answered_at desc, member_id limit ${Number(limit)} offset ${Number(offset)}`,
    filterValues(shopId, filter),
  )
  return rows.map(({ member_id, score, comment, answered_at }) => ({
    customer: toGid('Customer', member_id),
    score,
    comment,
    answeredAt: answered_at.getTime(),
  }))
}

const FILTERED = 'score between $4 and $5 and ($6::boolean is false or comment is not null)'

function filterValues(shopId: number, { from, until, band, withWords = false }: AnswerFilter): unknown[] {
  const [lowest, highest] = band ? BAND_SCORES[band] : [0, 10]
  return [shopId, new Date(from), new Date(until), lowest, highest, withWords]
}

/** True once anybody answered: before that the page says how to ask. */
export async function hasAnswers(shopId: number): Promise<boolean> {
  const { rows } = await pool.query('select 1 from feedback_answers where shop_id = $1 limit 1', [shopId])
  return rows.length > 0
}

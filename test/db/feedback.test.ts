import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inTransaction, pool, prisma } from '#app/db/client.server.ts'
import {
  countAnswers,
  findAnswer,
  findRoundDays,
  keepAnswer,
  keepRoundDays,
  listAnswers,
  moveAnswers,
  readNps,
  readNpsMonths,
} from '#app/db/feedback.server.ts'
import { answerDataRequest } from '#app/db/privacy.server.ts'
import { finishErasure } from '#app/db/shops.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { DAY_MS, monthNumberAt } from '#app/loyalty/time.ts'
import { countNps, NPS_BANDS, roundAt } from '#app/retention/nps.ts'
import { makeMember, makeShop, makeShopWithProgram, receive } from '#test/setup/factories.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const ZONE = 'Europe/Berlin'
const gid = (number: number) => toGid('Customer', number)

const say = (
  shopId: number,
  customer: number,
  round: number,
  score: number,
  at: number,
  comment: string | null = null,
) => keepAnswer(shopId, gid(customer), { round, openedAt: at }, { score, comment }, at)

const answers = fc.array(
  fc.record({
    customer: fc.integer({ min: 1, max: 6 }),
    score: fc.integer({ min: 0, max: 10 }),
    at: fc.integer({ min: 0, max: 200 * 24 }).map((hours) => START + hours * 3_600_000),
  }),
  { maxLength: 25 },
)

test('score, months and lists are what going through the answers one by one gives', async () => {
  await fc.assert(
    fc.asyncProperty(answers, async (list) => {
      const shop = await makeShop()
      const rounds = new Map<number, number>()
      const said = list.map((one) => {
        const round = (rounds.get(one.customer) ?? 0) + 1
        rounds.set(one.customer, round)
        return { ...one, round }
      })
      for (const { customer, round, score, at } of said) await say(shop.id, customer, round, score, at)
      const lastIn = (isIn: (at: number) => boolean) => {
        const last = new Map<number, (typeof said)[number]>()
        for (const one of said.filter(({ at }) => isIn(at))) {
          const known = last.get(one.customer)
          if (!known || one.at > known.at || (one.at === known.at && one.round > known.round))
            last.set(one.customer, one)
        }
        return [...last.values()].map(({ score }) => score)
      }
      const stretch = { from: START + 30 * DAY_MS, until: START + 150 * DAY_MS }
      const wanted = countNps(lastIn((at) => at >= stretch.from && at < stretch.until))
      expect(await readNps(shop.id, stretch)).toEqual(wanted)
      for (const band of NPS_BANDS) {
        expect(await countAnswers(shop.id, { ...stretch, band })).toBe(wanted[band])
        expect(await listAnswers(shop.id, { ...stretch, band }, { limit: 100 })).toHaveLength(wanted[band])
      }
      const months = [671, 672, 673, 674, 675, 676, 677, 678, 679]
      expect(await readNpsMonths(shop.id, ZONE, months)).toEqual(
        months.map((month) => ({ month, ...countNps(lastIn((at) => monthNumberAt(at, ZONE) === month)) })),
      )
    }),
    { numRuns: 15 },
  )
})

test('an answer falls into the round that is running, whatever is chosen for the next', () => {
  fc.assert(
    fc.property(fc.constantFrom(30, 90, 180, 365), fc.nat(800 * 24), (days, hours) => {
      const last = { round: 3, openedAt: START }
      const at = START + hours * 3_600_000
      expect(roundAt(last, at, days)).toEqual(hours < days * 24 ? last : { round: 4, openedAt: at })
      expect(roundAt(null, at, days)).toEqual({ round: 1, openedAt: at })
    }),
  )
})

test('the merchant chooses how often to ask, each shop for itself, from what can be chosen', async () => {
  const [one, other] = [await makeShop(), await makeShop()]
  expect(await findRoundDays(one.id)).toBe(180)
  await keepRoundDays(one.id, 30)
  expect([await findRoundDays(one.id), await findRoundDays(other.id)]).toEqual([30, 180])
  await expect(keepRoundDays(one.id, 7)).rejects.toThrow('7 days cannot be chosen')
})

test('two shops with a customer of the same number do not see each other’s answers', async () => {
  const [one, other] = [await makeShop(), await makeShop()]
  await say(one.id, 1, 1, 9, START, 'ours')
  expect(await findAnswer(other.id, gid(1))).toBeNull()
  expect(await readNps(other.id, { from: 0, until: 4e12 })).toMatchObject({ score: null })
  await say(other.id, 1, 1, 0, START)
  expect((await findAnswer(one.id, gid(1)))?.score).toBe(9)
})

test('the database refuses a score that is none and words without end', async () => {
  const shop = await makeShop()
  await expect(say(shop.id, 1, 1, 11, START)).rejects.toThrow('feedback_answers_score_check')
  await expect(say(shop.id, 1, 1, 9, START, 'x'.repeat(1_001))).rejects.toThrow('feedback_answers_comment_check')
})

test('two customers who turn out to be one keep all they said, and late answers land on who stays', async () => {
  const shop = await makeShop()
  await makeMember(shop.id, 1)
  await say(shop.id, 1, 1, 9, START)
  await say(shop.id, 2, 1, 3, START + DAY_MS)
  await inTransaction((client) => moveAnswers(shop.id, '2', '1', client))
  await prisma.memberAlias.create({ data: { shopId: shop.id, aliasId: 2n, memberId: 1n, mergedAt: new Date(START) } })
  expect(await findAnswer(shop.id, gid(2))).toMatchObject({ round: 2, score: 3 })
  await say(shop.id, 2, 3, 7, START + 2 * DAY_MS)
  expect((await findAnswer(shop.id, gid(1)))?.score).toBe(7)
  expect(await countAnswers(shop.id, { from: 0, until: 4e12 })).toBe(1)
})

test('erasing a customer erases what they said, and what a data request hands over has it', async () => {
  const shop = await makeShopWithProgram()
  await makeMember(shop.id, 1)
  await say(shop.id, 1, 1, 9, START, 'I am Ann')
  await say(shop.id, 2, 1, 2, START, 'no member')
  await inTransaction((client) => answerDataRequest(shop.id, '1', START, client))
  const { answer } = await prisma.privacyRequest.findFirstOrThrow({ where: { shopId: shop.id } })
  expect((answer as { feedback: unknown[] }).feedback).toMatchObject([{ score: 9, comment: 'I am Ann' }])
  for (const id of [1, 2]) {
    const customer = { id, email: null, phone: null }
    await receive(
      shop.id,
      'customers/redact',
      JSON.stringify({ shop_domain: shop.domain, customer, orders_to_redact: [] }),
    )
  }
  expect(await drainShop(shop.id)).toMatchObject({ failed: 0 })
  expect((await pool.query('select 1 from feedback_answers where shop_id = $1', [shop.id])).rowCount).toBe(0)
})

test('erasing a shop erases all answers', async () => {
  const shop = await makeShop()
  await say(shop.id, 1, 1, 9, START)
  await inTransaction((client) => finishErasure(shop.id, shop.domain, START, client))
  expect((await pool.query('select 1 from feedback_answers where shop_id = $1', [shop.id])).rowCount).toBe(0)
})

/** "Would you recommend us?" through the signed app proxy: who may answer, how often, and what cannot be forged. */
import { expect, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { readNps } from '#app/db/feedback.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { action as answerIt, loader as readIt } from '#app/routes/proxy.feedback.ts'
import { signProxyQuery } from '#test/dev-store/storefront/proxy.ts'
import type { SpendingShop } from '#test/jobs/spending-shop.ts'
import { openInstalledShop } from '#test/routes/installed-shop.ts'
import { atInstant } from '#test/setup/factories.ts'

const DAY_MS = 86_400_000
const PAYS = {
  earning: [
    { id: 'purchase', on: 'order', points: 5, per: '1.00' },
    { id: 'feedback', on: 'custom:feedback', points: 20, limit: { times: 2, every: 'ever' } },
  ],
} as never

type Asked = { secret?: string; tamper?: (query: URLSearchParams) => void; headers?: Record<string, string> }

/** A request as Shopify's proxy would pass it on, signed. */
function makeRequest(place: SpendingShop, customer: string | null, body?: unknown, options: Asked = {}): Request {
  const query = new URLSearchParams({
    shop: place.shop.domain,
    logged_in_customer_id: customer?.split('/').at(-1) ?? '',
    path_prefix: '/apps/loyalty',
    timestamp: String(Math.floor(Date.now() / 1000)),
  })
  query.set('signature', signProxyQuery(query, options.secret ?? 'test-api-secret'))
  options.tamper?.(query)
  const headers = {
    'User-Agent': 'Mozilla/5.0',
    'Content-Type': 'application/json',
    'Sec-Fetch-Site': 'same-origin',
    ...options.headers,
  }
  const init =
    body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }
  return new Request(`https://perennial.example.com/proxy/feedback?${query}`, { headers, ...init })
}

async function settle(answer: Promise<Response>): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await answer.catch((thrown: unknown) => {
    if (thrown instanceof Response) return thrown
    throw thrown
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {} }
}

const answer = (place: SpendingShop, customer: string | null, body: unknown, options: Asked = {}) =>
  settle(answerIt({ request: makeRequest(place, customer, body, options), params: {}, context: {} } as never))
const read = (place: SpendingShop, customer: string | null) =>
  settle(readIt({ request: makeRequest(place, customer), params: {}, context: {} } as never))

const kept = async (place: SpendingShop) =>
  (
    await pool.query<{ member_id: string; round: number; score: number; comment: string | null }>(
      'select member_id, round, score, comment from feedback_answers where shop_id = $1 order by member_id, round',
      [place.shop.id],
    )
  ).rows
const all = { from: 0, until: 4e12 }

test('a signed-in shopper answers, sees the answer again, and changes their mind: the last word counts', async () => {
  const place = await openInstalledShop([])
  const ann = await place.member(0)
  expect((await read(place, ann)).body).toEqual({ ok: true, answer: null })
  const first = await answer(place, ann, { score: 9, comment: '  lovely tea \u0000 ' })
  expect(first).toMatchObject({ status: 200, body: { ok: true, changed: false, points: 0 } })
  expect((await read(place, ann)).body).toMatchObject({ ok: true, answer: { score: 9, comment: 'lovely tea' } })
  expect((await answer(place, ann, { score: 4 })).body).toMatchObject({ ok: true, changed: true })
  expect(await kept(place)).toMatchObject([{ round: 1, score: 4, comment: null }])
  expect(await readNps(place.shop.id, all)).toMatchObject({ promoters: 0, passives: 0, detractors: 1, score: -1 })
})

test('a new round asks anew and keeps both answers; the score looks at the last', async () => {
  const place = await openInstalledShop([])
  const ann = await place.member(0)
  await answer(place, ann, { score: 3 })
  const later = new Date(now() + 181 * DAY_MS).toISOString()
  await atInstant(later, async () => {
    expect((await read(place, ann)).body).toEqual({ ok: true, answer: null })
    expect((await answer(place, ann, { score: 10 })).body).toMatchObject({ changed: false })
  })
  expect(await kept(place)).toMatchObject([
    { round: 1, score: 3 },
    { round: 2, score: 10 },
  ])
  expect(await readNps(place.shop.id, all)).toMatchObject({ promoters: 1, detractors: 0 })
})

test('two customers who turn out to be one were both asked: what they answered is changed, and not paid again', async () => {
  const place = await openInstalledShop([], {
    earning: [{ id: 'feedback', on: 'custom:feedback', points: 20 }] as never,
  })
  const [ann, anna] = [await place.member(0), await place.member(0)]
  for (const customer of [ann, anna]) {
    expect((await answer(place, customer, { score: 9 })).body).toMatchObject({ points: 20, changed: false })
  }
  await applyEvents(place.shop.id, [{ type: 'merge', at: now(), from: anna, into: ann }], now())
  expect((await answer(place, ann, { score: 3 })).body).toMatchObject({ ok: true, points: 0, changed: true })
  expect(await kept(place)).toHaveLength(2)
})

test('where the program pays for an answer it pays once a round, and no more than its limit', async () => {
  const place = await openInstalledShop([], PAYS)
  const ann = await place.member(0)
  expect((await answer(place, ann, { score: 9 })).body).toMatchObject({ points: 20, changed: false })
  expect((await answer(place, ann, { score: 2 })).body).toMatchObject({ ok: true, points: 0, changed: true })
  const paid: unknown[] = []
  for (const round of [1, 2]) {
    await atInstant(new Date(now() + round * 181 * DAY_MS).toISOString(), async () => {
      paid.push((await answer(place, ann, { score: 8 })).body.points)
    })
  }
  expect(paid).toEqual([20, 0])
  expect(await kept(place)).toHaveLength(3)
})

test('forged, unsigned and tampered requests change nothing, and nobody answers for somebody else', async () => {
  const place = await openInstalledShop([])
  const [ann, bob] = [await place.member(0), await place.member(0)]
  const other = await openInstalledShop([])
  const asOther = (query: URLSearchParams) => query.set('logged_in_customer_id', bob.split('/').at(-1)!)
  expect((await answer(place, ann, { score: 9 }, { secret: 'guessed' })).status).toBe(400)
  expect((await answer(place, ann, { score: 9 }, { tamper: asOther })).status).toBe(400)
  expect(
    (await answer(place, ann, { score: 9 }, { tamper: (query) => query.set('shop', other.shop.domain) })).status,
  ).toBe(400)
  expect((await answer(place, null, { score: 9 })).status).toBe(401)
  // Whoever is named in the body is not listened to.
  expect((await answer(place, ann, { score: 9, customer: bob })).status).toBe(400)
  expect((await answer(place, ann, { score: 9 }, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(403)
  expect((await answer(place, ann, { score: 9 }, { headers: { 'Content-Type': 'text/plain' } })).status).toBe(415)
  expect(await kept(place)).toEqual([])
  expect(await kept(other)).toEqual([])
})

test('what is no answer is refused: other scores, words without end, rubbish', async () => {
  const place = await openInstalledShop([])
  const ann = await place.member(0)
  const bodies = [
    ...[11, -1, 9.5, 'abc', '9', null, Number.MAX_SAFE_INTEGER].map((score) => ({ score })),
    ...[{}, [], { comment: 'only words' }, { score: 9, comment: 'x'.repeat(10_000) }, { score: 9, comment: 7 }],
  ]
  const statuses: number[] = []
  // One each from their own shopper: refusals too take one of a shopper's turns.
  for (const body of bodies) statuses.push((await answer(place, await place.member(0), body)).status)
  expect(statuses).toEqual(bodies.map(() => 400))
  expect((await answer(place, ann, '{"score":')).status).toBe(400)
  expect((await answer(place, ann, { score: 9, comment: 'x'.repeat(70_000) })).status).toBe(413)
  expect(await kept(place)).toEqual([])
})

test('a replayed request is the same answer, and a storm of them is slowed down', async () => {
  const place = await openInstalledShop([], PAYS)
  const ann = await place.member(0)
  const replies = []
  for (let count = 0; count < 14; count++) replies.push(await answer(place, ann, { score: 10, comment: 'again' }))
  expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(10)
  expect(replies.at(-1)!.status).toBe(429)
  expect(replies.reduce((sum, { body }) => sum + Number(body.points ?? 0), 0)).toBe(20)
  expect(await kept(place)).toMatchObject([{ round: 1, score: 10, comment: 'again' }])
})

test('two answers at once are one answer', async () => {
  const place = await openInstalledShop([], PAYS)
  const ann = await place.member(0)
  const replies = await Promise.all([1, 5, 10].map((score) => answer(place, ann, { score })))
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(replies.reduce((sum, { body }) => sum + Number(body.points), 0)).toBe(20)
  expect(await kept(place)).toHaveLength(1)
})

test('a customer who asked to be forgotten leaves no answer and gives none', async () => {
  const place = await openInstalledShop([], PAYS)
  const ann = await place.member(0)
  await answer(place, ann, { score: 9, comment: 'my name is Ann' })
  const at = now()
  await applyEvents(place.shop.id, [{ type: 'erase', at, customer: ann }], at)
  expect((await answer(place, ann, { score: 8 })).body).toMatchObject({ ok: false, reason: 'erased' })
})

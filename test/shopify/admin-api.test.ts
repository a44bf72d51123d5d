import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { adminClient, AdminApiError } from '#app/shopify/admin-api.server.ts'
import type { Patience } from '#app/shopify/admin-api.server.ts'
import { makeThrottle, waitMs } from '#app/shopify/throttle.server.ts'

const Shop = z.object({ shop: z.object({ name: z.string() }) })
const QUERY = 'query ShopName { shop { name } }'
const GOOD = { data: { shop: { name: 'Beans' } } }
const QUICK: Patience = { totalMs: 2_000, attemptMs: 300, attempts: 3 }

const originalFetch = abstractFetch
afterEach(() => setAbstractFetchFunc(originalFetch))

type Answer = { status?: number; body: unknown; headers?: Record<string, string> } | 'hang' | 'cut'

/** Shopify as far as these tests need it: gives the answers in order, the last one for ever, and remembers what it was asked. */
function answerWith(...answers: Answer[]): { requests: { url: string; token: string | null; at: number }[] } {
  const requests: { url: string; token: string | null; at: number }[] = []
  setAbstractFetchFunc(((url: string | URL, init?: RequestInit) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)] as Answer
    const token = new Headers(init?.headers).get('X-Shopify-Access-Token')
    requests.push({ url: String(url), token, at: performance.now() })
    if (answer === 'cut') return Promise.reject(new TypeError('fetch failed'))
    if (answer === 'hang') {
      return new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error))
      })
    }
    return Promise.resolve(
      new Response(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body), {
        status: answer.status ?? 200,
        headers: { 'Content-Type': 'application/json', ...answer.headers },
      }),
    )
  }) as typeof abstractFetch)
  return { requests }
}

let shops = 0
/** A client of a shop of its own, so that no test waits for the bucket of another. */
function makeClient(patience: Patience = QUICK) {
  shops += 1
  return adminClient({ shop: `api-${shops}.myshopify.com`, accessToken: () => Promise.resolve('token-1'), patience })
}

function throttled(requested: number, available: number, restoreRate: number): Answer {
  return {
    body: {
      errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
      extensions: {
        cost: {
          requestedQueryCost: requested,
          actualQueryCost: null,
          throttleStatus: { maximumAvailable: 1000, currentlyAvailable: available, restoreRate },
        },
      },
    },
  }
}

test('asks the shop’s own address of this API version, with the shop’s token', async () => {
  const { requests } = answerWith({ body: GOOD })
  const client = makeClient()
  await expect(client.request(QUERY, {}, Shop)).resolves.toEqual(GOOD.data)
  expect(requests[0]?.url).toBe(`https://${client.shop}/admin/api/2026-10/graphql.json`)
  expect(requests[0]?.token).toBe('token-1')
})

test('where no token is to be had, Shopify is out of reach for the moment', async () => {
  const { requests } = answerWith({ body: GOOD })
  // As Shopify's library has it, where the renewal of a token fails.
  const accessToken = () => Promise.reject(new Response(undefined, { status: 500 }))
  const client = adminClient({ shop: 'no-token.myshopify.com', accessToken, patience: QUICK })
  const error = await client.request(QUERY, {}, Shop).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AdminApiError)
  expect(error).toMatchObject({ reason: 'unavailable', passing: true })
  expect(requests).toEqual([])
})

test('THROTTLED, which comes with HTTP 200, is waited out for as long as the points take to come back', async () => {
  // 40 points are missing at 200 a second: 200 ms.
  const { requests } = answerWith(throttled(50, 10, 200), { body: GOOD })
  await expect(makeClient().request(QUERY, {}, Shop)).resolves.toEqual(GOOD.data)
  expect(requests).toHaveLength(2)
  expect((requests[1]?.at ?? 0) - (requests[0]?.at ?? 0)).toBeGreaterThanOrEqual(190)
})

test('a bucket that needs longer than the caller’s patience fails at once, and says that nothing was done', async () => {
  const { requests } = answerWith(throttled(500, 0, 50))
  const error = await makeClient()
    .request(QUERY, {}, Shop)
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(AdminApiError)
  expect(error).toMatchObject({ reason: 'throttled', passing: true, mayHaveHappened: false })
  expect(requests).toHaveLength(1)
})

test.each([
  ['500', { status: 500, body: 'Internal Server Error' } as Answer],
  ['503', { status: 503, body: '' } as Answer],
  ['429', { status: 429, body: '{}', headers: { 'Retry-After': '0.1' } } as Answer],
  ['a cut connection', 'cut' as Answer],
  ['an answer that is not JSON', { body: '<html>sorry</html>' } as Answer],
])('after %s it tries again', async (_, answer) => {
  const { requests } = answerWith(answer, { body: GOOD })
  await expect(makeClient().request(QUERY, {}, Shop)).resolves.toEqual(GOOD.data)
  expect(requests).toHaveLength(2)
})

test('a shop that stays broken fails after a bounded number of tries, as something that may have happened', async () => {
  const { requests } = answerWith({ status: 502, body: '' })
  const error = await makeClient({ totalMs: 5_000, attemptMs: 300, attempts: 2 })
    .request(QUERY, {}, Shop)
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ reason: 'unavailable', mayHaveHappened: true })
  expect(requests).toHaveLength(2)
})

test('no answer within the attempt’s time is a timeout', async () => {
  answerWith('hang')
  const error = await makeClient({ totalMs: 900, attemptMs: 100, attempts: 1 })
    .request(QUERY, {}, Shop)
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ reason: 'timeout', mayHaveHappened: true })
})

test('what must not happen twice is not tried again once it may have happened', async () => {
  const { requests } = answerWith({ status: 500, body: '' }, { body: GOOD })
  const error = await makeClient()
    .request(QUERY, {}, Shop, { once: true })
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ reason: 'unavailable' })
  expect(requests).toHaveLength(1)
})

test('what must not happen twice is tried again after a throttle, which does nothing', async () => {
  const { requests } = answerWith(throttled(50, 45, 200), { body: GOOD })
  await expect(makeClient().request(QUERY, {}, Shop, { once: true })).resolves.toEqual(GOOD.data)
  expect(requests).toHaveLength(2)
})

test.each([401, 402, 403, 404, 423])(
  'HTTP %i says that the shop no longer lets us in, and is not tried again',
  async (status) => {
    const { requests } = answerWith({ status, body: '{"errors":"no"}' })
    const error = await makeClient()
      .request(QUERY, {}, Shop)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ reason: 'unauthorized', passing: false })
    expect(requests).toHaveLength(1)
  },
)

test('a token that Shopify refuses is renewed once, where somebody can', async () => {
  const { requests } = answerWith({ status: 401, body: '{"errors":"no"}' }, { body: GOOD }, { status: 401, body: '{}' })
  let renewals = 0
  const client = adminClient({
    shop: 'renewing.myshopify.com',
    accessToken: () => Promise.resolve('old'),
    renewToken: () => Promise.resolve(`new-${(renewals += 1)}`),
    patience: QUICK,
  })
  await expect(client.request(QUERY, {}, Shop)).resolves.toEqual(GOOD.data)
  expect(requests.map(({ token }) => token)).toEqual(['old', 'new-1'])
  await expect(client.request(QUERY, {}, Shop)).rejects.toMatchObject({ reason: 'unauthorized' })
  expect(requests.map(({ token }) => token)).toEqual(['old', 'new-1', 'old', 'new-2'])
})

test('a document that Shopify does not understand is refused for good', async () => {
  const { requests } = answerWith({ body: { errors: [{ message: "Field 'nope' doesn't exist" }] } })
  const error = await makeClient()
    .request(QUERY, {}, Shop)
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ reason: 'refused', passing: false })
  expect((error as Error).message).toContain('ShopName')
  expect(requests).toHaveLength(1)
})

test('an error names shop and operation and never the token or the variables', async () => {
  answerWith({ status: 500, body: '' })
  const error = (await makeClient({ totalMs: 500, attemptMs: 100, attempts: 1 })
    .request(QUERY, { email: 'ada@example.com' }, Shop)
    .catch((reason: unknown) => reason)) as Error
  expect(error.message).toMatch(/myshopify\.com: unavailable: ShopName/)
  expect(error.message).not.toMatch(/token-1|ada@example/)
})

test('the wait for a bucket is what is missing divided by what comes back a second', () => {
  const level = { available: 10, maximum: 1000, restoreRate: 50, at: 0 }
  expect(waitMs(level, 10, 0)).toBe(0)
  expect(waitMs(level, 60, 0)).toBe(1000)
  expect(waitMs(level, 60, 400)).toBe(600)
  expect(waitMs(level, 5_000, 0)).toBe(19_800) // More than the bucket holds: waits for a full one.
})

test('whoever asks while another waits for the bucket waits behind it', async () => {
  let at = 0
  const throttle = makeThrottle(() => at)
  throttle.learn({ maximumAvailable: 100, currentlyAvailable: 0, restoreRate: 1000 })
  const first = await throttle.admit(50, 1_000)
  const second = await throttle.admit(50, 1_000)
  at += 10
  expect(first).toEqual({ ok: true, waitedMs: 50 })
  expect(second).toEqual({ ok: true, waitedMs: 100 })
})

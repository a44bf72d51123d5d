import { expect, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { findBalancesAt } from '#app/db/ledger.server.ts'
import { findMemberStory } from '#app/db/member-story.server.ts'
import { closeShop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { action as birthday } from '#app/routes/proxy.birthday.ts'
import { action as cancel } from '#app/routes/proxy.cancel.ts'
import { loader as card } from '#app/routes/proxy.card.ts'
import { action as estimate } from '#app/routes/proxy.estimate.ts'
import { loader as history } from '#app/routes/proxy.history.ts'
import { action as optIn } from '#app/routes/proxy.opt-in.ts'
import { action as redeem } from '#app/routes/proxy.redeem.ts'
import { signProxyQuery } from '../dev-store/storefront/proxy.ts'
import type { SpendingShop } from '#test/jobs/spending-shop.ts'
import { openInstalledShop } from '#test/routes/installed-shop.ts'

const SECRET = 'test-api-secret'
const FIVE_OFF = { id: 'five-off', type: 'amount', value: '5.00', cost: 500, validDays: 90 }
const ANY_AMOUNT = {
  id: 'any',
  type: 'amount',
  perPoints: 100,
  value: '1.00',
  step: 100,
  minimumPoints: 200,
  validDays: 90,
}

type Route = (args: { request: Request; params: object; context: object }) => Promise<Response>
type Ask = {
  customer?: string | null
  shop?: string
  body?: unknown
  method?: string
  headers?: Record<string, string>
  query?: Record<string, string>
  /** Seconds by which the signature's time is off. */
  ageSeconds?: number
  secret?: string
  /** Changes the query after it was signed. */
  tamper?: (query: URLSearchParams) => void
}
type Answer = { status: number; headers: Headers; body: Record<string, unknown> & { card?: { balance: number } } }

/** Asks a route as Shopify's proxy would, signed; what it throws is its answer too. */
async function ask(place: SpendingShop, route: unknown, path: string, options: Ask = {}): Promise<Answer> {
  const {
    customer = null,
    shop = place.shop.domain,
    body,
    headers = {},
    query = {},
    ageSeconds = 0,
    secret = SECRET,
  } = options
  const params = new URLSearchParams({
    ...query,
    shop,
    logged_in_customer_id: customer?.split('/').at(-1) ?? '',
    path_prefix: '/apps/loyalty',
    timestamp: String(Math.floor(Date.now() / 1000) - ageSeconds),
  })
  params.set('signature', signProxyQuery(params, secret))
  options.tamper?.(params)
  const sent = {
    'User-Agent': 'Mozilla/5.0',
    ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' }),
    ...headers,
  }
  const method = options.method ?? (body === undefined ? 'GET' : 'POST')
  const request = new Request(`https://perennial.example.com/proxy/${path}?${params}`, {
    method,
    // An empty one is left out.
    headers: Object.entries(sent).filter(([, value]) => value !== '') as [string, string][],
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const answer = await (route as Route)({ request, params: {}, context: {} }).catch((thrown: unknown) => {
    if (thrown instanceof Response) return thrown
    throw thrown
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : {},
  }
}

const pointsOf = async (place: SpendingShop, member: string) =>
  (await findBalancesAt(place.shop.id, member, now() + 1e6)).available

test('Shopify’s two published examples of a signature come out as published', () => {
  const query =
    'extra=1&extra=2&shop=shop-name.myshopify.com&path_prefix=%2Fapps%2Fawesome_reviews&timestamp=1317327555'
  expect(signProxyQuery(new URLSearchParams(`${query}&logged_in_customer_id=1`), 'hush')).toBe(
    '4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb',
  )
  expect(signProxyQuery(new URLSearchParams(`${query}&logged_in_customer_id=`), 'hush')).toBe(
    'e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb',
  )
})

test('a signed-in shopper sees the card, redeems, and sees code and balance', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(800)
  expect((await ask(place, card, 'card', { customer: ann })).body).toMatchObject({
    ok: true,
    card: { balance: 800, codes: [] },
  })
  const redeemed = await ask(place, redeem, 'redeem', {
    customer: ann,
    body: { reward: 'five-off', key: 'browser-key-1' },
  })
  expect(redeemed.status).toBe(200)
  expect(redeemed.headers.get('Cache-Control')).toBe('no-store')
  expect(redeemed.body).toMatchObject({
    ok: true,
    state: 'issued',
    code: { label: '$5.00 off', points: 500, reward: 'five-off' },
    card: { balance: 300, codes: [{ label: '$5.00 off' }] },
  })
  const past = await ask(place, history, 'history', { customer: ann })
  expect(past.body).toMatchObject({
    ok: true,
    entries: [
      { label: 'Reward', points: -500 },
      { label: 'Adjustment by the shop', points: 800 },
    ],
    next: null,
  })
})

test('a page in German gets code, card and history in German; another language, or none, gets English', async () => {
  const place = await openInstalledShop([FIVE_OFF, ANY_AMOUNT])
  const ann = await place.member(800)
  const german = { customer: ann, query: { locale: 'de' } }
  const redeemed = await ask(place, redeem, 'redeem', {
    ...german,
    body: { reward: 'any', points: 300, key: 'browser-key-1' },
  })
  expect(redeemed.body).toMatchObject({
    code: { label: '3,00\u00a0$ Rabatt', amount: '3.00' },
    card: { codes: [{ label: '3,00\u00a0$ Rabatt' }] },
  })
  const past = await ask(place, history, 'history', german)
  expect(past.body).toMatchObject({ entries: [{ label: 'Prämie' }, { label: 'Anpassung durch den Shop' }] })
  for (const locale of ['xx', 'en']) {
    const { body } = await ask(place, card, 'card', { customer: ann, query: { locale } })
    expect(body).toMatchObject({ card: { codes: [{ label: '$3.00 off' }] } })
  }
})

test('a code is given back through the proxy and its points return', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(500)
  const { body } = await ask(place, redeem, 'redeem', {
    customer: ann,
    body: { reward: 'five-off', key: 'browser-key-2' },
  })
  const returned = await ask(place, cancel, 'cancel', { customer: ann, body: { id: body.id, key: 'browser-key-3' } })
  expect(returned.body).toMatchObject({ ok: true, state: 'returned', card: { balance: 500, codes: [] } })
  const again = await ask(place, cancel, 'cancel', { customer: ann, body: { id: body.id } })
  // Asked again, it is the same answer and nothing moves.
  expect(again.body).toMatchObject({ ok: true, state: 'returned', card: { balance: 500 } })
  expect(await pointsOf(place, ann)).toBe(500)
})

test.each([
  { old: 0, young: 500, outcome: 'returned', back: 500 },
  { old: 300, young: 200, outcome: 'returned_part', back: 200 },
  { old: 500, young: 0, outcome: 'returned_none', back: 0 },
])(
  'a code given back says what really came back: of $old points past their last day and $young others, $back',
  async ({ old, young, outcome, back }) => {
    const place = await openInstalledShop([{ id: 'endless', type: 'amount', value: '5.00', cost: 500 }])
    const ann = place.store.createCustomer(place.shop.domain, { email: `keeps-${back}@example.com` }).id
    const ago = (days: number) => now() - days * 86_400_000
    const give = (points: number, key: string, at: number): Event[] =>
      points === 0 ? [] : [{ type: 'adjust', at, customer: ann, points, reason: 'test', actor: 'test', key }]
    const redeemed: Event = { type: 'redeem', at: ago(290), customer: ann, reward: 'endless', code: 'LONG-KEPT' }
    // Points live 12 months here.
    const events = [...give(old, 'old', ago(400)), ...give(young, 'young', ago(300)), redeemed]
    const applied = await applyEvents(place.shop.id, events, now())
    expect(applied.ok && applied.changes.map(({ refused }) => refused)).toEqual(events.map(() => null))
    const wish = { customer: ann, body: { id: 'LONG-KEPT', key: 'browser-key-4' } }
    const answered = await ask(place, cancel, 'cancel', wish)
    expect(answered.body).toMatchObject({ ok: true, state: 'returned', outcome, back, card: { balance: back } })
    // Asked again, and after other points came, it is the same answer.
    await applyEvents(place.shop.id, give(70, 'later', now()), now())
    expect((await ask(place, cancel, 'cancel', wish)).body).toMatchObject({
      outcome,
      back,
      card: { balance: back + 70 },
    })
    const story = await findMemberStory(place.shop.id, ann)
    expect(story?.redemptions[0]).toMatchObject({ returnedPoints: 500, ranOutPoints: 500 - back })
  },
)

test('Shopify away while a shopper redeems: the answer says so, and the points are back', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(500)
  place.trouble(null, '500', 99)
  const refused = await ask(place, redeem, 'redeem', {
    customer: ann,
    body: { reward: 'five-off', key: 'shop-is-away' },
  })
  expect(refused.status).toBe(200)
  expect(refused.body).toMatchObject({ ok: false, reason: 'shop_unavailable', card: { balance: 500 } })
})

test.each<[string, Ask, number]>([
  ['signed with another secret', { secret: 'guess' }, 400],
  ['older than 90 seconds', { ageSeconds: 100 }, 400],
  ['from the future', { ageSeconds: -100 }, 400],
  ['with the customer changed after signing', { tamper: (query) => query.set('logged_in_customer_id', '1') }, 400],
  ['with the shop changed after signing', { tamper: (query) => query.set('shop', 'other.myshopify.com') }, 400],
  ['with a second shop beside the signed one', { tamper: (query) => query.append('shop', 'other.myshopify.com') }, 400],
  ['without a signature', { tamper: (query) => query.delete('signature') }, 400],
  ['from a guest', { customer: null }, 401],
  ['by GET', { method: 'GET', body: undefined }, 405],
  ['from another site, as the browser says', { headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403],
  ['from another site, by a form', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 415],
  ['as text, which any site may send', { headers: { 'Content-Type': 'text/plain' } }, 415],
  ['with a body that is no JSON', { body: '{"reward":' }, 400],
  ['with an unknown field', { body: { reward: 'five-off', key: 'long-enough', admin: true } }, 400],
  ['without a key', { body: { reward: 'five-off' } }, 400],
  ['with more than 64 kB', { body: { reward: 'x'.repeat(70_000), key: 'long-enough' } }, 413],
  ['with more than 64 kB in fewer characters', { body: { reward: 'é'.repeat(35_000), key: 'long-enough' } }, 413],
])('a redemption %s is refused and changes nothing', async (_, change, status) => {
  const place = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(800)
  const wish: Ask = { customer: ann, body: { reward: 'five-off', key: 'forged-key-1' }, ...change }
  expect((await ask(place, redeem, 'redeem', wish)).status).toBe(status)
  expect(await pointsOf(place, ann)).toBe(800)
  expect((await pool.query('select 1 from redemptions where shop_id = $1', [place.shop.id])).rowCount).toBe(0)
})

test.each([
  ['https://evil.example', 403],
  ['null', 403],
  ['the shop itself', 200],
])('where the browser does not name the site, the origin decides: %s', async (origin, status) => {
  const place = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(800)
  const headers = {
    'Sec-Fetch-Site': '',
    Origin: origin === 'the shop itself' ? `https://${place.shop.domain}` : origin,
  }
  const body = { reward: 'five-off', key: 'some-origin' }
  expect((await ask(place, redeem, 'redeem', { customer: ann, body, headers })).status).toBe(status)
  expect(await pointsOf(place, ann)).toBe(status === 200 ? 300 : 800)
})

test('the same signed request, sent twice, redeems once', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(2_000)
  const wish = { customer: ann, body: { reward: 'five-off', key: 'replayed-key' } }
  const [first, second] = await Promise.all([ask(place, redeem, 'redeem', wish), ask(place, redeem, 'redeem', wish)])
  const third = await ask(place, redeem, 'redeem', wish)
  expect([first, second, third].filter(({ body }) => body.ok).length).toBeGreaterThan(0)
  expect(third.body).toMatchObject({ ok: true, state: 'issued' })
  expect(await pointsOf(place, ann)).toBe(1_500)
})

test('a key that was used for another wish is refused', async () => {
  const place = await openInstalledShop([ANY_AMOUNT])
  const ann = await place.member(2_000)
  const wish = (points: number) => ({ customer: ann, body: { reward: 'any', points, key: 'one-key-only' } })
  expect((await ask(place, redeem, 'redeem', wish(200))).body).toMatchObject({ ok: true })
  expect((await ask(place, redeem, 'redeem', wish(300))).body).toMatchObject({
    ok: false,
    reason: 'key_used_with_other_data',
  })
  expect(await pointsOf(place, ann)).toBe(1_800)
})

test.each<[string, unknown, number, string?]>([
  ['more than the balance', 900, 200, 'insufficient_points'],
  ['below the minimum', 100, 200, 'below_minimum_points'],
  ['none', 0, 400],
  ['a negative number', -500, 400],
  ['half a point', 200.5, 400],
  ['more than numbers can count', 1e308, 400],
  ['beyond exact numbers', Number.MAX_SAFE_INTEGER + 2, 400],
  ['text', '500', 400],
  ['everything there is in the world', Number.MAX_SAFE_INTEGER, 200, 'insufficient_points'],
])('points asked for: %s', async (_, points, status, reason) => {
  const place = await openInstalledShop([ANY_AMOUNT])
  const ann = await place.member(800)
  const answered = await ask(place, redeem, 'redeem', {
    customer: ann,
    body: { reward: 'any', points, key: 'odd-numbers' },
  })
  expect(answered.status).toBe(status)
  expect(answered.body.ok).toBe(false)
  if (reason) expect(answered.body.reason).toBe(reason)
  expect(await pointsOf(place, ann)).toBe(800)
})

test('only whole steps are taken: 250 points at 100 a step use 200', async () => {
  const place = await openInstalledShop([ANY_AMOUNT])
  const ann = await place.member(800)
  const answered = await ask(place, redeem, 'redeem', {
    customer: ann,
    body: { reward: 'any', points: 250, key: 'whole-steps' },
  })
  expect(answered.body).toMatchObject({ ok: true, code: { label: '$2.00 off', points: 200 }, card: { balance: 600 } })
})

test('nobody gives back another customer’s code, or one of another shop', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const other = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(500)
  const eve = await place.member(500)
  const { body } = await ask(place, redeem, 'redeem', {
    customer: ann,
    body: { reward: 'five-off', key: 'belongs-to-ann' },
  })
  expect((await ask(place, cancel, 'cancel', { customer: eve, body: { id: body.id } })).status).toBe(404)
  // The same customer number in another shop is somebody else.
  expect((await ask(other, cancel, 'cancel', { customer: ann, body: { id: body.id } })).status).toBe(404)
  expect(await pointsOf(place, ann)).toBe(0)
  expect((await ask(place, card, 'card', { customer: eve })).body).toMatchObject({ card: { balance: 500, codes: [] } })
})

test('two shops with the same customer number never see each other', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const other = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(500)
  await ask(place, redeem, 'redeem', { customer: ann, body: { reward: 'five-off', key: 'same-in-both' } })
  const there = await ask(other, history, 'history', { customer: ann })
  const rows = (await pool.query('select shop_id from ledger_transfers where shop_id = $1', [other.shop.id])).rowCount
  if (rows === 0) expect(there.body).toEqual({ ok: true, entries: [], next: null })
  const refused = await ask(other, redeem, 'redeem', {
    customer: ann,
    body: { reward: 'five-off', key: 'same-in-both' },
  })
  expect(refused.body.ok).toBe(false)
})

test('a shop that took the app off gets 404', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const ann = await place.member(500)
  await closeShop(place.shop.id, now())
  expect((await ask(place, card, 'card', { customer: ann })).status).toBe(404)
})

test('a shopper who hammers is told to wait; another is not', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const [ann, eve] = [await place.member(0), await place.member(0)]
  const tries = []
  for (let count = 0; count < 15; count++) {
    tries.push(
      (await ask(place, redeem, 'redeem', { customer: ann, body: { reward: 'five-off', key: `hammer-${count}-x` } }))
        .status,
    )
  }
  expect(tries.slice(0, 10)).toEqual(Array(10).fill(200))
  expect(tries.at(-1)).toBe(429)
  const other = await ask(place, redeem, 'redeem', {
    customer: eve,
    body: { reward: 'five-off', key: 'calm-and-slow' },
  })
  expect(other.status).toBe(200)
})

test('birthday and joining are taken from the signed-in customer alone', async () => {
  const place = await openInstalledShop([FIVE_OFF], { enrolment: 'opt-in' })
  const ann = place.store.createCustomer(place.shop.domain, { email: 'new@example.com' }).id
  expect((await ask(place, card, 'card', { customer: ann })).body).toEqual({ ok: true, card: null })
  expect((await ask(place, optIn, 'opt-in', { customer: ann, body: {} })).body).toMatchObject({
    ok: true,
    card: { balance: 0 },
  })
  expect((await ask(place, birthday, 'birthday', { customer: ann, body: { month: 2, day: 30 } })).body).toMatchObject({
    ok: false,
  })
  expect((await ask(place, birthday, 'birthday', { customer: ann, body: { month: 2, day: 29 } })).body).toEqual({
    ok: true,
  })
  expect((await ask(place, birthday, 'birthday', { customer: null, body: { month: 2, day: 29 } })).status).toBe(401)
  expect((await ask(place, card, 'card', { customer: ann })).body).toMatchObject({ birthday: { month: 2, day: 29 } })
})

test('joining pays what the program has for signing up, at once and once; where everybody takes part nobody joins', async () => {
  const earning = [{ id: 'welcome', on: 'signup', points: 70 }] as never
  for (const [enrolment, points] of [
    ['opt-in', 70],
    ['everyone', 0],
  ] as const) {
    const place = await openInstalledShop([FIVE_OFF], { enrolment, earning })
    const ann = place.store.createCustomer(place.shop.domain, { email: 'new@example.com' }).id
    for (let times = 0; times < 2; times += 1) {
      const { body } = await ask(place, optIn, 'opt-in', { customer: ann, body: {} })
      expect(body).toMatchObject({ ok: true, card: { balance: points } })
    }
  }
})

test('the estimate is what the calculator says, for guests too, and silent in another currency', async () => {
  const place = await openInstalledShop([FIVE_OFF])
  const line = {
    product: '1',
    variant: '2',
    quantity: 2,
    price: 1250,
    compareAt: null,
    giftCard: false,
    collections: [],
    tags: [],
  }
  const question = { currency: 'USD', lines: [line] }
  expect((await ask(place, estimate, 'estimate', { body: question })).body).toEqual({
    ok: true,
    points: 125,
    upTo: false,
  })
  const taxed = await ask(place, estimate, 'estimate', { body: { ...question, taxesIncluded: true } })
  expect(taxed.body).toEqual({ ok: true, points: 125, upTo: true })
  const card = { ...question, lines: [{ ...line, giftCard: true }] }
  expect((await ask(place, estimate, 'estimate', { body: card })).body).toMatchObject({ ok: true, points: 0 })
  expect((await ask(place, estimate, 'estimate', { customer: await place.member(0), body: question })).body).toEqual({
    ok: true,
    points: 125,
    upTo: false,
  })
  const euros = await ask(place, estimate, 'estimate', { body: { ...question, currency: 'EUR' } })
  expect(euros.body).toEqual({ ok: false, reason: 'other_currency' })
})

test.each<['accounts' | 'opt-in', boolean]>([
  ['accounts', false],
  ['opt-in', true],
])(
  'with enrolment %s the estimate tells who is no member yet that the points are for members',
  async (enrolment, joinsByHand) => {
    const place = await openInstalledShop([FIVE_OFF], { enrolment })
    const fresh = place.store.createCustomer(place.shop.domain, { email: `${enrolment}@example.com` }).id
    const line = { product: '1', variant: '2', quantity: 1, price: 1000, compareAt: null, giftCard: false }
    const body = { currency: 'USD', lines: [{ ...line, collections: [], tags: [] }] }
    const estimateFor = async (customer: string | null) =>
      (await ask(place, estimate, 'estimate', { customer, body })).body
    expect(await estimateFor(null)).toEqual({ ok: true, points: 50, upTo: false, join: true })
    // Who is signed in has an account; joining by hand is another step.
    expect(await estimateFor(fresh)).toEqual({ ok: true, points: 50, upTo: false, ...(joinsByHand && { join: true }) })
    await ask(place, optIn, 'opt-in', { customer: fresh, body: {} })
    expect(await estimateFor(fresh)).toEqual({ ok: true, points: 50, upTo: false })
  },
)

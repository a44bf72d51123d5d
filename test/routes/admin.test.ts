/** The admin's doors: who may come in, and whose data they get. Real tokens, real database. */
import { beforeEach, expect, test } from 'vitest'

import { inTransaction, pool } from '#app/db/client.server.ts'
import { openAccounts, postToLedger } from '#app/db/ledger.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { answerDataRequest } from '#app/db/privacy.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { findShop } from '#app/db/shops.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import type { Transfer } from '#app/loyalty/ledger.ts'
import { buildTemplate } from '#app/loyalty/templates.ts'
import * as home from '#app/routes/app._index.tsx'
import * as campaign from '#app/routes/app.campaigns.$id.tsx'
import * as member from '#app/routes/app.members.$id.tsx'
import * as members from '#app/routes/app.members._index.tsx'
import * as exported from '#app/routes/app.members.export.ts'
import * as messages from '#app/routes/app.messages.tsx'
import * as program from '#app/routes/app.program._index.tsx'
import * as publish from '#app/routes/app.program.publish.tsx'
import * as versions from '#app/routes/app.program.versions.tsx'
import * as reward from '#app/routes/app.rewards.$id.tsx'
import * as tiers from '#app/routes/app.tiers._index.tsx'
import { sessionStorage } from '#app/shopify.server.ts'
import {
  answerAdminApi,
  BROWSER,
  makeMerchant,
  sellTo,
  sessionToken,
  settle,
  type Merchant,
} from '#test/routes/merchant.ts'
import { makeMember, programDocument, receive } from '#test/setup/factories.ts'

beforeEach(() => {
  answerAdminApi(({ query, variables }) => {
    if (query.includes('CustomersById')) {
      return {
        nodes: (variables.ids as string[]).map((id) => ({
          id,
          displayName: `Name of ${id}`,
          defaultEmailAddress: null,
        })),
      }
    }
    if (query.includes('SearchCustomers')) return { customers: { nodes: [] } }
    return { shop: { name: 'Asked', currencyCode: 'EUR', ianaTimezone: 'Europe/Berlin' } }
  })
})

const PAGES = { home, members, member, messages, program, versions }

test.each(Object.entries(PAGES))('%s is shown to nobody without a session token', async (_name, page) => {
  const request = new Request('https://perennial.example.com/app', {
    headers: { Authorization: 'Bearer forged', 'User-Agent': BROWSER },
  })
  const answer = await settle(page.loader({ request, params: { id: '1' }, context: {} }))
  expect(answer.status).toBe(401)
  expect(answer.headers.get('X-Shopify-Retry-Invalid-Session-Request')).toBe('1')
})

test('a token signed with another secret opens nothing', async () => {
  const { shop } = await makeMerchant()
  const { token } = await sessionToken(shop.domain, 'another-secret')
  const request = new Request('https://perennial.example.com/app', {
    headers: { Authorization: `Bearer ${token}`, 'User-Agent': BROWSER },
  })
  expect((await settle(home.loader({ request, params: {}, context: {} }))).status).toBe(401)
})

test('access and refresh tokens are not in the database in clear, and come back whole', async () => {
  const { shop } = await makeMerchant()
  const { rows } = await pool.query<{ accessToken: string }>('select "accessToken" from sessions where shop = $1', [
    shop.domain,
  ])
  expect(rows[0]!.accessToken).toMatch(/^v1\.[\w-]+\.[\w-]+$/)
  expect(rows[0]!.accessToken).not.toContain('token-of')
  const session = await sessionStorage.loadSession(`offline_${shop.domain}`)
  expect(session?.accessToken).toBe(`token-of-${shop.domain}`)
})

test("a token copied from one shop's session to another's is no session there", async () => {
  const one = await makeMerchant()
  const other = await makeMerchant()
  await pool.query(
    `update sessions set "accessToken" = (select "accessToken" from sessions where shop = $1) where shop = $2`,
    [one.shop.domain, other.shop.domain],
  )
  expect(await sessionStorage.loadSession(`offline_${other.shop.domain}`)).toBeUndefined()
})

test('a shop that comes back after an uninstall is installed again, with what it had', async () => {
  const merchant = await makeMerchant({ uninstalledAt: new Date('2026-02-01T00:00:00Z') })
  await makeMember(merchant.shop.id, 7)
  expect((await settle(home.loader(await merchant.get('/app')))).status).toBe(200)
  const { rows } = await pool.query<{ uninstalled_at: Date | null; name: string }>(
    'select uninstalled_at, name from shops where id = $1',
    [merchant.shop.id],
  )
  expect(rows[0]).toEqual({ uninstalled_at: null, name: 'Asked' })
  const list = (await members.loader(await merchant.get('/app/members'))).page
  expect(list.rows).toHaveLength(1)
})

test.each([
  ['noted', new Date('2026-02-01T00:00:00Z')],
  ['still to come', undefined],
])(
  'a shop that comes back opens with the new token at once, the notice of its uninstall %s',
  async (_when, uninstalledAt) => {
    const merchant = await makeMerchant({ uninstalledAt })
    const { domain } = merchant.shop
    await makeMember(merchant.shop.id, 7)
    const asked = answerAdminApi(({ query, token }) => {
      // Not a question to the Admin API, but the exchange of a session token.
      if (query === undefined)
        return Response.json({ access_token: 'fresh', scope: 'read_customers', expires_in: 3_600 })
      if (token !== 'fresh') return Response.json({ errors: 'Invalid API key or access token' }, { status: 401 })
      if (query.includes('CustomersById'))
        return { nodes: [{ id: 'gid://shopify/Customer/7', displayName: 'Ann', defaultEmailAddress: null }] }
      return { shop: { name: 'Back', currencyCode: 'EUR', ianaTimezone: 'Europe/Berlin' } }
    })
    const { names } = await members.loader(await merchant.get('/app/members'))
    expect(JSON.stringify(await names)).toContain('Ann')
    expect((await sessionStorage.loadSession(`offline_${domain}`))?.accessToken).toBe('fresh')
    expect(asked.filter(({ query }) => query === undefined)).toHaveLength(1)
  },
)

test('a notice of an uninstall that comes after the shop was opened anew closes it no more', async () => {
  const merchant = await makeMerchant()
  const uninstalledAt = new Date(Date.now() - 1_000).toISOString()
  // The token from before has run out.
  await pool.query('update sessions set expires = now() where shop = $1', [merchant.shop.domain])
  await pool.query(`update shops set settings = '{}' where id = $1`, [merchant.shop.id])
  answerAdminApi(({ query }) =>
    query === undefined
      ? Response.json({ access_token: 'fresh', scope: 'read_customers', expires_in: 3_600 })
      : { shop: { name: 'Back', currencyCode: 'EUR', ianaTimezone: 'Europe/Berlin' } },
  )
  expect((await settle(home.loader(await merchant.get('/app')))).status).toBe(200)
  await receive(merchant.shop.id, 'app/uninstalled', '{}', { at: uninstalledAt })
  await drainShop(merchant.shop.id)
  expect((await findShop(merchant.shop.domain))?.uninstalledAt).toBeNull()
  expect((await sessionStorage.loadSession(`offline_${merchant.shop.domain}`))?.accessToken).toBe('fresh')
})

test.each([
  ['/app/rewards/new', reward, '/app/rewards'],
  ['/app/campaigns/new', campaign, '/app/campaigns'],
])('%s, opened before there is a program, leads on with what the frame says of who asks', async (path, page, to) => {
  const merchant = await makeMerchant()
  const asked = await merchant.get(`${path}?host=aG9zdA&embedded=1&index=`, { id: 'new' })
  const answer = await settle(page.loader(asked))
  expect([answer.status, answer.headers.get('Location')]).toEqual([302, `${to}?host=aG9zdA&embedded=1`])
})

test('tiers are a page of their own before there is a program: it says what comes first', async () => {
  const { get } = await makeMerchant()
  expect(await tiers.loader(await get('/app/tiers'))).toEqual({ published: null, counts: {} })
})

test('home counts the points, members and orders of the shop that asks, and of no other', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  for (const { shop } of [merchant, neighbour]) await makeMember(shop.id, 1)
  await addTransfer(neighbour, 500)
  const mine = await home.loader(await merchant.get('/app'))
  expect(mine.today).toEqual({ pointsEarned: 0, pointsSpent: 0, pointsTakenBack: 0, membersJoined: 0, orders: 0 })
  expect(mine.standing).toEqual({ members: 1, pointsOutstanding: 0 })
  const theirs = await home.loader(await neighbour.get('/app'))
  expect(theirs.today.pointsEarned).toBe(500)
})

test('the first steps stay away once they were put away, in this shop only', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  await home.action(await merchant.post('/app', {}))
  expect((await home.loader(await merchant.get('/app'))).steps.dismissed).toBe(true)
  expect((await home.loader(await neighbour.get('/app'))).steps.dismissed).toBe(false)
})

test("a member of another shop is not found, though the customer's number is right", async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  await makeMember(neighbour.shop.id, 4711)
  expect((await settle(member.loader(await neighbour.get('/app/members/4711', { id: '4711' })))).status).toBe(200)
  const answer = await settle(member.loader(await merchant.get('/app/members/4711', { id: '4711' })))
  expect(answer).toMatchObject({ status: 404, body: { message: 'There is no such member' } })
})

test.each(['0x1', '-1', '1e9', '../1', "1'--", '9'.repeat(19), '9'.repeat(30)])(
  'a member address like %s is not found',
  async (id) => {
    const merchant = await makeMerchant()
    expect((await settle(member.loader(await merchant.get('/app/members/x', { id })))).status).toBe(404)
  },
)

test('every member is paged through once, forwards and backwards', async () => {
  const merchant = await makeMerchant()
  for (let number = 1; number <= 60; number++) await makeMember(merchant.shop.id, number)
  const seen: string[] = []
  let cursor: string | null = ''
  let last: string | null = null
  while (cursor !== null) {
    const path = `/app/members${cursor ? `?cursor=${cursor}` : ''}`
    const { page } = await members.loader(await merchant.get(path))
    seen.push(...page.rows.map((row) => row.customer))
    last = page.previous
    cursor = page.next
  }
  expect(seen).toHaveLength(60)
  expect(new Set(seen).size).toBe(60)
  const { page } = await members.loader(await merchant.get(`/app/members?cursor=${last}`))
  expect(page.rows.map((row) => row.customer)).toEqual(seen.slice(25, 50))
})

test('a search asks Shopify with the shop’s own token, and only members of this shop are shown', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  await makeMember(merchant.shop.id, 11)
  await makeMember(neighbour.shop.id, 12)
  const found = [11, 12].map((id) => ({
    id: `gid://shopify/Customer/${id}`,
    displayName: 'Ada Lovelace',
    defaultEmailAddress: null,
  }))
  const asked = answerAdminApi(({ query }) =>
    query.includes('SearchCustomers') ? { customers: { nodes: found } } : { nodes: found },
  )
  const { page, names } = await members.loader(await merchant.get('/app/members?q=ada+OR+tag:vip'))
  expect(page.rows.map((row) => row.customer)).toEqual(['gid://shopify/Customer/11'])
  expect(asked[0]).toMatchObject({ shop: merchant.shop.domain, token: `token-of-${merchant.shop.domain}` })
  expect(asked[0]!.variables.query).toBe('ada* OR* tag\\:vip*')
  expect(await names).toMatchObject({ 'gid://shopify/Customer/11': 'Ada Lovelace' })
})

test('the list of members is a file as it is filtered: all its pages, in its order, and nothing in it is a formula', async () => {
  const { shop, get } = await makeMerchant()
  for (let number = 1; number <= 60; number++) await makeMember(shop.id, number)
  await pool.query(`update members set tier = case when id <= 30 then 'gold' else 'silver' end where shop_id = $1`, [
    shop.id,
  ])
  await pool.query(
    `update balances set available = member_id % 7, pending = 5, reserved = 2, lifetime_earned = 40 where shop_id = $1`,
    [shop.id],
  )
  await sellTo(shop.id, 2)
  const levels = [
    { id: 'silver', name: 'Silver', threshold: '0.00' },
    { id: 'gold', name: '=1+1', threshold: '500.00' },
  ]
  const tiers = { metric: 'spend', window: 'lifetime', levels }
  await publishProgram(shop.id, programDocument({ tiers }), { effectiveAt: 0, at: 0 })
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { page } = await members.loader(
      await get(`/app/members?tier=gold&sort=points${cursor && `&cursor=${cursor}`}`),
    )
    seen.push(...page.rows.map((row) => row.customer))
    cursor = page.next
  }
  const file = await (await exported.loader(await get('/app/members/export?tier=gold&sort=points'))).text()
  const [head, ...lines] = file.trimEnd().split('\r\n')
  expect(head).toBe('customer,tier,to_spend,waiting,set_aside,earned_in_all,orders,spent,currency,last_order,joined')
  expect(lines.map((line) => line.split(',')[0])).toEqual(seen)
  expect(seen).toHaveLength(30)
  const customer = (number: number) => lines.find((line) => line.startsWith(`gid://shopify/Customer/${number},`))
  expect(customer(2)).toMatch(/^[^,]+,'=1\+1,2,5,2,40,4,\d+\.\d\d,EUR,20[\dT:.Z-]+,2026-01-01T00:00:00Z$/)
  expect(customer(9)).toBe("gid://shopify/Customer/9,'=1+1,2,5,2,40,0,0.00,EUR,,2026-01-01T00:00:00Z")
})

test('a file of a search that Shopify could not answer is none, rather than an empty one', async () => {
  const { get } = await makeMerchant()
  answerAdminApi(() => new Response('{"errors":"no"}', { status: 403 }))
  expect((await settle(exported.loader(await get('/app/members/export?q=ada')))).status).toBe(503)
})

test('members are listed without names while Shopify does not answer', async () => {
  const merchant = await makeMerchant()
  await makeMember(merchant.shop.id, 11)
  answerAdminApi(() => new Response('{"errors":"no"}', { status: 403 }))
  const { page, names, searchFailed } = await members.loader(await merchant.get('/app/members'))
  expect(page.rows).toHaveLength(1)
  expect(await names).toEqual({})
  expect(searchFailed).toBe(false)
  expect((await members.loader(await merchant.get('/app/members?q=ada'))).searchFailed).toBe(true)
})

const document = buildTemplate('cash-back', { name: 'Bean Club', currency: 'EUR', timezone: 'Europe/Berlin' })

test('a valid program is published as the next version, with what it changed in words', async () => {
  const merchant = await makeMerchant()
  const first = { document: JSON.stringify(document), basedOn: '0' }
  expect(await settle(publish.action(await merchant.post('/app/program/publish', first)))).toMatchObject({
    status: 200,
    body: { ok: true, version: 1 },
  })
  const second = { document: JSON.stringify({ ...document, hold: { days: 7 } }), basedOn: '1' }
  await publish.action(await merchant.post('/app/program/publish', second))
  const published = await findPublishedProgram(merchant.shop.id)
  expect(published?.version).toBe(2)
  expect(published?.note).toMatch(/7 days/)
  expect(published?.publishedBy).toBe('user:12345')
})

test('a program that is not valid comes back with 400 and the field that is wrong, and nothing is published', async () => {
  const merchant = await makeMerchant()
  const wrong = { ...document, hold: { days: 91 }, earning: [{ id: 'purchase', on: 'order', points: -5, per: '1.00' }] }
  const form = { document: JSON.stringify(wrong), basedOn: '0' }
  const answer = await settle(publish.action(await merchant.post('/app/program/publish', form)))
  expect(answer.status).toBe(400)
  const { problems } = answer.body as { problems: { field: string }[] }
  expect(problems.map((problem) => problem.field).sort()).toEqual(['earning[0].points', 'hold.days'])
  expect(await findPublishedProgram(merchant.shop.id)).toBeNull()
})

test.each([
  ['text that is not JSON', { document: '{', basedOn: '0' }],
  ['no document', { basedOn: '0' }],
  ['a version that is no number', { document: '{}', basedOn: 'one' }],
  ['another currency than the store’s', { document: JSON.stringify({ ...document, currency: 'USD' }), basedOn: '0' }],
])('%s is refused with 400', async (_label, form) => {
  const merchant = await makeMerchant()
  const answer = await settle(
    publish.action(await merchant.post('/app/program/publish', form as Record<string, string>)),
  )
  expect(answer.status).toBe(400)
  expect(await findPublishedProgram(merchant.shop.id)).toBeNull()
})

test('two who edit the same version: the second is told, and overwrites nothing', async () => {
  const merchant = await makeMerchant()
  const form = { document: JSON.stringify(document), basedOn: '0' }
  const answers = await Promise.all(
    [1, 2].map(async () => settle(publish.action(await merchant.post('/app/program/publish', form)))),
  )
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409])
  expect((await findPublishedProgram(merchant.shop.id))?.version).toBe(1)
})

test('versions say who saved them: you, a colleague by the number that Shopify gives them, a command, or nobody known', async () => {
  const { shop, get } = await makeMerchant()
  for (const actor of ['user:12345', 'user:777', 'npm run program', undefined]) {
    await publishProgram(shop.id, document, { effectiveAt: 0, at: 0, actor })
  }
  const listed = (await versions.loader(await get('/app/program/versions'))).versions
  expect(listed.map(({ by }) => by)).toEqual([null, 'a command on the server', 'staff member 777', 'you'])
})

test("versions of another shop's program are not listed", async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  await publishProgram(neighbour.shop.id, document, { effectiveAt: 0, at: 0 })
  expect((await versions.loader(await merchant.get('/app/program/versions'))).versions).toEqual([])
  expect((await program.loader(await merchant.get('/app/program'))).published).toBeNull()
  expect((await versions.loader(await neighbour.get('/app/program/versions'))).versions).toHaveLength(1)
})

test('a customer who asked for their data is listed with what is kept of them, in their own shop only', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  await inTransaction((client) => answerDataRequest(neighbour.shop.id, '7', Date.parse('2026-08-01'), client))
  expect((await messages.loader(await merchant.get('/app/messages'))).dataRequests).toEqual([])
  const [request] = (await messages.loader(await neighbour.get('/app/messages'))).dataRequests
  expect(request).toMatchObject({ customer: '7', requestedAt: Date.parse('2026-08-01') })
  expect(JSON.parse(request!.answer)).toMatchObject({ orders: [], transfers: [] })
})

test('a message that was set aside is tried again by its own shop only', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  const id = await addSetAside(neighbour)
  const form = { kind: 'message', id }
  expect((await settle(messages.action(await merchant.post('/app/messages', form)))).status).toBe(404)
  expect((await messages.loader(await merchant.get('/app/messages'))).setAside).toEqual([])
  expect((await messages.loader(await neighbour.get('/app/messages'))).setAside).toHaveLength(1)
  expect((await settle(messages.action(await neighbour.post('/app/messages', form)))).status).toBe(200)
  expect((await messages.loader(await neighbour.get('/app/messages'))).setAside).toEqual([])
})

test('messages that wait say which order or customer they are about, by name, and nothing else of what is in them', async () => {
  const { shop, get } = await makeMerchant()
  const body = { id: 41, customer: { id: 7, email: 'ada@example.com' }, note: 'ring twice' }
  await receive(shop.id, 'orders/paid', JSON.stringify(body))
  await receive(shop.id, 'customers/update', '{"id":7,"email":"ada@example.com"}')
  await receive(shop.id, 'orders/updated', '{"id":"gid://shopify/Order/42"}', {
    eventId: 'api:gid://shopify/Order/42@1',
  })
  await pool.query(
    `update inbox set state = 'set-aside', error = 'no lines' where shop_id = $1 and topic = 'orders/paid'`,
    [shop.id],
  )
  await pool.query(`delete from inbox where shop_id = $1 and topic = 'orders/updated'`, [shop.id])
  answerAdminApi(({ query }) =>
    query.includes('TitlesById')
      ? { nodes: [{ id: 'gid://shopify/Order/41', title: '#1041' }] }
      : { nodes: [{ id: 'gid://shopify/Customer/7', displayName: 'Ada', defaultEmailAddress: null }] },
  )
  const page = await messages.loader(await get('/app/messages'))
  expect(page.setAside).toMatchObject([{ about: 'gid://shopify/Order/41', error: 'no lines' }])
  expect(page.latest.map(({ about, state }) => [about, state])).toEqual([
    ['gid://shopify/Order/42', 'done'],
    ['gid://shopify/Customer/7', 'waiting'],
    ['gid://shopify/Order/41', 'set-aside'],
  ])
  expect(await page.names).toEqual({ 'gid://shopify/Order/41': '#1041', 'gid://shopify/Customer/7': 'Ada' })
  expect(JSON.stringify(page)).not.toMatch(/example\.com|ring twice/)
})

test('what did not reach Shopify says whom it is about, by name', async () => {
  const { shop, get } = await makeMerchant()
  await pool.query(
    `insert into outbox (shop_id, kind, key, payload, state, attempts, due_at, created_at, done_at, error)
     values ($1, 'member-card', 'gid://shopify/Customer/7', '{}', 'set-aside', 5, now(), now(), now(), 'Access denied')`,
    [shop.id],
  )
  answerAdminApi(() => ({
    nodes: [{ id: 'gid://shopify/Customer/7', displayName: 'Ada', defaultEmailAddress: null }],
  }))
  const page = await messages.loader(await get('/app/messages'))
  expect(page.effects).toMatchObject([{ key: 'gid://shopify/Customer/7', error: 'Access denied' }])
  expect(await page.names).toEqual({ 'gid://shopify/Customer/7': 'Ada' })
})

test.each([{ kind: 'shop', id: '1' }, { id: '1' }, {}])('trying again refuses %j with 400', async (form) => {
  const merchant = await makeMerchant()
  const answer = await settle(messages.action(await merchant.post('/app/messages', form as Record<string, string>)))
  expect(answer.status).toBe(400)
})

async function addTransfer({ shop }: Merchant, amount: number) {
  const member = 'gid://shopify/Customer/1'
  const transfer: Transfer = {
    key: 'test',
    from: 'shop.issued',
    to: `member:${member}.available`,
    amount,
    eventAt: Date.now(),
    reason: 'signup',
    source: null,
    reverses: null,
  }
  await openAccounts(shop.id, [member])
  await inTransaction((client) => postToLedger(shop.id, { transfers: [transfer] }, Date.now(), client))
}

async function addSetAside({ shop }: Merchant): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into inbox (shop_id, id, topic, triggered_at, received_at, due_at, payload, source, state, error)
     values ($1, 1, 'orders/paid', now(), now(), now(), '{}', 'webhook', 'set-aside', 'no lines') returning id`,
    [shop.id],
  )
  return rows[0]!.id
}

test('past orders are read once at a time, for the shop that asked, and earn only where it says so', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeMerchant()]
  const ask = async (earns: string) =>
    settle(messages.action(await merchant.post('/app/messages', { kind: 'backfill', earns })))
  expect((await ask('yes')).status).toBe(200)
  expect((await ask('yes')).status).toBe(200)
  const { rows } = await pool.query<{ shop_id: number; state: string }>('select shop_id, state from readings')
  expect(rows.filter((row) => row.shop_id === merchant.shop.id)).toEqual([
    { shop_id: merchant.shop.id, state: 'asked' },
  ])
  expect((await messages.loader(await merchant.get('/app/messages'))).backfill?.state).toBe('asked')
  expect((await messages.loader(await neighbour.get('/app/messages'))).backfill).toBeNull()
  expect((await home.loader(await merchant.get('/app'))).steps.readsPast).toBe(true)
  expect((await home.loader(await neighbour.get('/app'))).steps.readsPast).toBe(false)
  const { rows: settings } = await pool.query<{ earns: string | null }>(
    `select settings->>'historyEarns' as earns from shops where id = any($1) order by id`,
    [[merchant.shop.id, neighbour.shop.id]],
  )
  expect(settings.map((row) => row.earns)).toEqual(['true', null])
})

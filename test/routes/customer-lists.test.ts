/** What a merchant can do with a list of customers, and the pages about what customers answered. */
import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { findCustomerList } from '#app/db/customer-lists.server.ts'
import { keepAnswer } from '#app/db/feedback.server.ts'
import { rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { NPS_GROUPS, RETENTION_SEGMENTS, segmentOf, findSegment, parseGroup } from '#app/retention/segments.ts'
import * as answers from '#app/routes/app.retention.answers.ts'
import * as cycles from '#app/routes/app.retention.cycles.tsx'
import * as customers from '#app/routes/app.retention.customers.tsx'
import * as list from '#app/routes/app.retention.list.ts'
import * as nps from '#app/routes/app.retention.nps.tsx'
import { answerAdminApi, makeMerchant, settle } from '#test/routes/merchant.ts'

const PATH = '/app/retention/list'
const DAY_MS = 86_400_000

/** So many customers with two orders each, whose measures are counted. */
async function sellTwiceTo(shopId: number, customers: number): Promise<void> {
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, c * 10 + n, c, now() - make_interval(days => n), now(), now(), 1000, true, '{}'
       from generate_series(1, $2::int) as c cross join generate_series(1, 2) as n`,
    [shopId, customers],
  )
  await inTransaction((client) => rebuildMeasures(shopId, Date.now(), client))
}

async function say(shopId: number, customer: number, score: number, comment: string | null = null, daysAgo = 1) {
  const at = Date.now() - daysAgo * DAY_MS
  await keepAnswer(shopId, toGid('Customer', customer), { round: 1, openedAt: at }, { score, comment }, at)
}

test('a list of any length is asked for at once, for the shop of the session and nobody else', async () => {
  const asked = answerAdminApi(() => ({ nodes: [] }))
  const [other, { shop, post, get }] = [await makeMerchant(), await makeMerchant()]
  await sellTwiceTo(other.shop.id, 3)
  await sellTwiceTo(shop.id, 400)
  const reply = await settle(list.action(await post(PATH, { intent: 'tag', of: 'repeat', shop: other.shop.domain })))
  expect(reply).toMatchObject({ status: 200, body: { ok: true, message: 'Tagging 400 customers' } })
  const page = await customers.loader(await get('/app/retention/customers?of=repeat'))
  expect(page).toMatchObject({ total: 400, tag: 'retention-repeat', segment: 'repeat' })
  expect(page.list).toMatchObject({ waiting: 400, wish: 'tag' })
  expect(await findCustomerList(other.shop.id, 'retention-repeat')).toBeNull()
  // Nothing is done at Shopify while the merchant waits.
  expect(asked.filter(({ query }) => query.includes('Tag'))).toEqual([])
  await settle(list.action(await post(PATH, { intent: 'untag', of: 'repeat' })))
  expect(await findCustomerList(shop.id, 'retention-repeat')).toMatchObject({ wish: 'untag', waiting: 400 })
})

test('a segment is made of the tag, and what stands against it is said', async () => {
  let words = ''
  const asked = answerAdminApi(({ query }) => {
    if (query.includes('ListSegments'))
      return { segments: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [] } }
    if (!query.includes('CreateSegment')) return { nodes: [] }
    const userErrors = words ? [{ message: words }] : []
    return { segmentCreate: { segment: words ? null : { id: 'gid://shopify/Segment/7' }, userErrors } }
  })
  const { shop, post } = await makeMerchant()
  await sellTwiceTo(shop.id, 2)
  const make = async () => settle(list.action(await post(PATH, { intent: 'segment', of: 'repeat' })))
  expect(await make()).toMatchObject({ status: 400, body: { ok: false, message: /Tag the customers first/ } })
  await settle(list.action(await post(PATH, { intent: 'tag', of: 'repeat' })))
  words = 'Name has already been taken'
  expect((await make()).body).toEqual({ ok: false, message: `Shopify did not make the segment: ${words}` })
  words = ''
  expect((await make()).body).toEqual({ ok: true, message: 'Segment created' })
  expect(await findCustomerList(shop.id, 'retention-repeat')).toMatchObject({ segment: 'gid://shopify/Segment/7' })
  expect(asked.find(({ query }) => query.includes('CreateSegment'))?.variables).toEqual({
    name: 'Repeat customers (Perennial)',
    query: "customer_tags CONTAINS 'retention-repeat'",
  })
})

test('what is asked of a group that is none, or that cannot be done, is refused', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const { post } = await makeMerchant()
  expect((await settle(list.action(await post(PATH, { intent: 'tag', of: "x'; drop" })))).status).toBe(404)
  expect((await settle(list.action(await post(PATH, { intent: 'burn', of: 'repeat' })))).status).toBe(400)
  expect((await settle(list.action(await post(PATH, { intent: 'untag', of: 'repeat' })))).body).toMatchObject({
    ok: false,
  })
})

test('every segment of campaigns is a group that leads back to it', () => {
  for (const name of RETENTION_SEGMENTS) expect(segmentOf(findSegment(name)!), name).toBe(name)
  expect(segmentOf({ kind: 'top-fifth' })).toBeNull()
})

test('the NPS page shows score, months and words, and each number opens as many customers', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const { shop, get } = await makeMerchant()
  const other = await makeMerchant()
  await sellTwiceTo(shop.id, 3)
  await say(other.shop.id, 1, 0, 'not ours')
  for (const [customer, score] of [
    [1, 10],
    [2, 9],
    [3, 7],
    [40, 2],
    [41, 6],
  ] as const) {
    await say(shop.id, customer, score, customer === 40 ? '=cmd|"x"' : null)
  }
  await say(shop.id, 50, 10, 'long ago', 400)
  const page = await nps.loader(await get('/app/retention/nps'))
  expect(page.nps).toMatchObject({ promoters: 2, passives: 1, detractors: 2, score: 0 })
  expect(page.months).toHaveLength(2)
  expect(page.rows).toMatchObject([{ customer: 'gid://shopify/Customer/40', score: 2 }])
  const counts = { ...page.nps, answered: 5 }
  for (const group of NPS_GROUPS) {
    const opened = await customers.loader(await get(`/app/retention/customers?of=nps:${group}`))
    expect([opened.total, opened.rows.length]).toEqual([counts[group], counts[group]])
  }
  const detractors = await nps.loader(await get('/app/retention/nps?band=detractors&all=1'))
  expect(detractors.total).toBe(2)
  const file = await (await answers.loader(await get('/app/retention/answers'))).text()
  expect(file.trim().split('\r\n')).toHaveLength(6)
  // A spreadsheet must not run what a shopper wrote.
  expect(file).toContain(`"'=cmd|""x"""`)
  expect(file).not.toContain('not ours')
})

test('the NPS page of a shop that nobody answered says so, and how often to ask is kept', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const { get, post } = await makeMerchant()
  expect(await nps.loader(await get('/app/retention/nps'))).toMatchObject({ answered: false, roundDays: 180, total: 0 })
  expect((await settle(nps.action(await post('/app/retention/nps', { days: '90' })))).body).toMatchObject({ ok: true })
  expect((await settle(nps.action(await post('/app/retention/nps', { days: '1' })))).status).toBe(400)
  expect(await nps.loader(await get('/app/retention/nps'))).toMatchObject({ roundDays: 90 })
})

test('groups of answers are read back from their addresses', () => {
  expect(parseGroup('nps:promoters')).toEqual({ kind: 'nps', group: 'promoters', month: null })
  expect(parseGroup('nps:answered:2026-10')).toEqual({ kind: 'nps', group: 'answered', month: 681 })
  for (const text of ['nps', 'nps:fans', 'nps:promoters:2026-13', 'nps:promoters:2026-10:x']) {
    expect(parseGroup(text), text).toBeNull()
  }
})

test('how long purchases last is set, replaced and taken away, for the shop of the session', async () => {
  answerAdminApi(({ query }) =>
    query.includes('ProductKinds')
      ? { productTypes: { nodes: ['Mattress', ''] }, productTags: { nodes: ['new'] } }
      : { nodes: [] },
  )
  const [other, { post, get }] = [await makeMerchant(), await makeMerchant()]
  const set = async (form: Record<string, string>) =>
    settle(cycles.action(await post('/app/retention/cycles', { intent: 'set', ...form })))
  expect((await set({ of: 'type', value: ' Mattress ', days: '3650' })).body).toMatchObject({ ok: true })
  expect((await set({ of: 'type', value: 'mattress', days: '4000' })).body).toMatchObject({ ok: true })
  const page = await cycles.loader(await get('/app/retention/cycles'))
  expect(page).toMatchObject({
    cycles: [{ of: 'type', value: 'mattress', days: 4_000 }],
    recount: { state: 'running' },
  })
  expect(await page.kinds).toEqual({ types: ['Mattress'], tags: ['new'] })
  expect((await cycles.loader(await other.get('/app/retention/cycles'))).cycles).toEqual([])
  for (const form of [
    { of: 'product', value: 'Mattress', days: '10' },
    { of: 'tag', value: '', days: '10' },
    ...['0', '-3', '1.5', 'ten', '99999', ''].map((days) => ({ of: 'tag', value: 'new', days })),
  ]) {
    expect(await set(form)).toMatchObject({ status: 400, body: { ok: false } })
  }
  await settle(cycles.action(await post('/app/retention/cycles', { intent: 'remove', of: 'type', value: 'MATTRESS' })))
  expect((await cycles.loader(await get('/app/retention/cycles'))).cycles).toEqual([])
})

/**
 * Two shops whose customers, orders, codes and events have the same ids, and every door of the app: the pages and buttons of the admin,
 * the storefront's proxy, every webhook, every job, every effect of the outbox, every command. What a door tells one shop is the same
 * whatever happens in the other, and what it does in one shop leaves every row of the other as it was. The lists of doors are the
 * app's own (its routes, `shopify.app.toml`, the timetable, the outbox): a new one without a case here fails.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Session } from '@shopify/shopify-api'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { askForTag, TAG_CUSTOMERS } from '#app/db/customer-lists.server.ts'
import { RECOUNT_CYCLES } from '#app/db/cycles.server.ts'
import { storeMessages } from '#app/db/inbox.server.ts'
import { listMessages } from '#app/db/messages.server.ts'
import { enqueueEffects } from '#app/db/outbox.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { startReading } from '#app/db/readings.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { CARRIED_KINDS, carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { eraseShops } from '#app/jobs/erase-shop.ts'
import { letTimePassIn } from '#app/jobs/nightly.ts'
import { REMIND_OF_EXPIRY } from '#app/jobs/remind-of-expiry.ts'
import { redeem } from '#app/jobs/settle-redemptions.ts'
import { takeImport } from '#app/jobs/take-import.ts'
import { SHOP_TASKS } from '#app/jobs/timetable.ts'
import { SHOPPER_PATIENCE } from '#app/shopify/admin-api.server.ts'
import { sessionStorage } from '#app/shopify.server.ts'
import { readAppConfig } from '#test/dev-store/app-config.ts'
import { orderPayload } from '#test/dev-store/payloads.ts'
import type { Gid } from '#test/dev-store/records.ts'
import { signProxyQuery } from '#test/dev-store/storefront/proxy.ts'
import { openSpendingShop, type SpendingShop } from '#test/jobs/spending-shop.ts'
import { recordStatements } from '#test/setup/statements.ts'
import { makeFlowRequest } from './flow.ts'
import { BROWSER, sessionToken, settle } from './merchant.ts'

const KEY = '3f0f3f0e-6d7b-4a11-9c8d-0123456789ab'
const PROGRAM = {
  earning: [
    { id: 'purchase', on: 'order', points: 5, per: '1.00' },
    { id: 'answer', on: 'custom:feedback', points: 10 },
    { id: 'welcome', on: 'signup', points: 50 },
    { id: 'review', on: 'review', points: 20 },
  ],
  tiers: {
    metric: 'spend',
    window: { rollingDays: 365 },
    levels: [
      { id: 'member', name: 'Member', threshold: '0.00' },
      { id: 'gold', name: 'Gold', threshold: '50.00' },
    ],
  },
  campaigns: [
    { id: 'sale', name: 'Sale', from: '2026-07-01T00:00', until: '2027-06-11T00:00', offer: { percentage: 10 } },
  ],
}
const REWARDS = [{ id: 'five-off', type: 'amount', value: '5.00', cost: 100, validDays: 90 }]

/** One of the two shops, with what both have under the same ids. */
type Side = SpendingShop & {
  customers: string[]
  orders: string[]
  importId: string
  messageId: string
  redemption: string
}

const recorded = recordStatements()
const closing: (() => void)[] = []
let [mine, theirs] = [] as unknown as [Side, Side]

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: false })
  ;[mine, theirs] = [await openSide(20), await openSide(35)]
  expect(mine.customers).toEqual(theirs.customers)
  expect(mine.orders).toEqual(theirs.orders)
})
afterAll(() => {
  vi.useRealTimers()
  recorded.stop()
  for (const close of closing.reverse()) close()
})

/** A shop with a session, members, orders, points, a code, a file and a message that waits for a person. */
async function openSide(price: number): Promise<Side> {
  const place = await openSpendingShop(
    REWARDS,
    PROGRAM as unknown as Parameters<typeof openSpendingShop>[1],
    SHOPPER_PATIENCE,
    (close) => void closing.push(close),
  )
  const { store, shop } = place
  const token = store.issueToken(shop.domain)
  await sessionStorage.storeSession(
    new Session({
      id: `offline_${shop.domain}`,
      shop: shop.domain,
      state: '',
      isOnline: false,
      accessToken: token.accessToken,
      expires: new Date(Date.now() + 3_600_000),
      scope: store.app.scopes.join(','),
    }),
  )
  const side: Side = { ...place, customers: [], orders: [], importId: '', messageId: '', redemption: '' }
  side.customers = [await place.member(300), await place.member(0)]
  for (const customer of side.customers) await sell(side, customer, price)
  await redeemFor(side, 'their-first')
  const file = new Blob([`email,points\nshopper@example.com,${price}\n`]).stream()
  const taken = await takeImport(shop.id, { fileName: 'm.csv', source: 'Smile', actor: 'me', bytes: file })
  side.importId = taken.ok ? taken.id : ''
  await storeMessages([message(side, 'orders/paid', 'unreadable', '{"id":1}')], now())
  await setAside(shop.id, 'unreadable', `why ${price}`)
  const { rows } = await pool.query<{ id: string }>(`select id from inbox where shop_id = $1 and state = 'set-aside'`, [
    shop.id,
  ])
  side.messageId = rows[0]!.id
  return side
}

async function setAside(shopId: number, eventId: string, error: string): Promise<void> {
  await pool.query(
    `update inbox i set state = 'set-aside', error = $3 from messages m
      where m.shop_id = $1 and m.event_id = $2 and i.shop_id = m.shop_id and i.id = m.id`,
    [shopId, eventId, error],
  )
}

const message = (side: Side, topic: string, eventId: string, payload: string) => ({
  shopId: side.shop.id,
  topic,
  eventId,
  webhookId: eventId,
  triggeredAt: now(),
  payload,
})

async function sell(side: Side, customer: string, price: number): Promise<void> {
  const { store, shop } = side
  const lines = [{ title: 'Mug', unitPriceMinor: price * 100, quantity: 1 }]
  const placed = store.placeOrder(shop.domain, { customerId: customer as Gid, lines })
  if (!placed.ok) throw new Error(placed.detail)
  side.orders.push(placed.order.id)
  const payload = orderPayload(store.shop(shop.domain), placed.order, store.customer(shop.domain, customer as Gid)!)
  await storeMessages([message(side, 'orders/paid', `paid-${placed.order.id}`, JSON.stringify(payload))], now())
  expect(await drainShop(shop.id)).toMatchObject({ done: 1, failed: 0 })
}

async function redeemFor(side: Side, key: string): Promise<void> {
  const redeemed = await redeem(side.shop, side.admin, { member: side.customers[0]!, reward: 'five-off', key })
  if (!redeemed.ok) throw new Error(redeemed.reason)
  side.redemption = redeemed.redemption.id
}

/** Everything that can happen in the other shop happens there. */
async function liveOn(side: Side): Promise<void> {
  const { shop } = side
  const at = now()
  await sell(side, side.customers[1]!, 900)
  await redeemFor(side, `again-${side.orders.length}`)
  const customer = side.customers[0]!
  const key = `gift-${side.orders.length}`
  await applyEvents(
    shop.id,
    [
      { type: 'adjust', at, customer, points: 777, reason: 'a gift', actor: 'me', key },
      { type: 'event', at, customer, name: 'feedback', key, order: null },
    ],
    at,
  )
  await storeMessages([message(side, 'orders/paid', key, '{"id":2}')], at)
  await setAside(shop.id, key, 'another')
  await letTimePassIn(shop.id)
}

/** Every row of a shop in every table that has shops, as one text a table. */
async function rowsOf(side: Side): Promise<Record<string, string>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'shop_id' order by 1`,
  )
  const found: Record<string, string> = {}
  for (const { name } of tables) {
    const { rows } = await pool.query<{ rows: string | null }>(
      `select string_agg(t::text, e'\\n' order by t::text) as rows from ${name} t where shop_id = $1`,
      [side.shop.id],
    )
    found[name] = rows[0]!.rows ?? ''
  }
  const { rows } = await pool.query<{ row: string }>('select s::text as row from shops s where id = $1', [side.shop.id])
  return { ...found, shops: rows[0]!.row }
}

type Door = (side: Side, other: Side) => Promise<{ status: number; body: unknown }>
type Loader = (args: { request: Request; params: Record<string, string>; context: object }) => unknown

/** A page of the admin, asked for with the shop's own session. */
const page =
  (load: unknown, path: string, params: (side: Side) => Record<string, string> = () => ({})): Door =>
  async (side) => {
    const { token } = await sessionToken(side.shop.domain)
    const headers = { Authorization: `Bearer ${token}`, 'User-Agent': BROWSER }
    const request = new Request(`https://perennial.example.com${path}`, { headers })
    return resolved(await settle((load as Loader)({ request, params: params(side), context: {} })))
  }

/** A button of the admin. `other`: what it is pressed with may be the other shop's. */
const button =
  (
    act: unknown,
    path: string,
    form: (side: Side, other: Side) => Record<string, string> | string | Promise<Record<string, string>>,
    params: (side: Side, other: Side) => Record<string, string> = () => ({}),
  ): Door =>
  async (side, other) => {
    const { token } = await sessionToken(side.shop.domain)
    const headers = { Authorization: `Bearer ${token}`, 'User-Agent': BROWSER }
    const sent = await form(side, other)
    const body = typeof sent === 'string' ? sent : new URLSearchParams(sent)
    const request = new Request(`https://perennial.example.com${path}`, { method: 'POST', headers, body })
    return settle((act as Loader)({ request, params: params(side, other), context: {} }))
  }

/** A question of the storefront, signed for the shop, of its first customer. */
const proxy =
  (ask: unknown, path: string, body?: (side: Side, other: Side) => unknown): Door =>
  async (side, other) => {
    const params = new URLSearchParams({
      shop: side.shop.domain,
      logged_in_customer_id: side.customers[0]!.split('/').at(-1)!,
      path_prefix: '/apps/loyalty',
      timestamp: String(Math.floor(Date.now() / 1000)),
    })
    params.set('signature', signProxyQuery(params, process.env.SHOPIFY_API_SECRET!))
    const url = `https://perennial.example.com/proxy/${path}?${params}`
    const headers = { 'User-Agent': BROWSER, 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' }
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body(side, other)) } : { headers }
    return resolved(await settle((ask as Loader)({ request: new Request(url, init), params: {}, context: {} })))
  }

/** A step of a workflow in Shopify Flow about the shop's first customer, signed. */
const flow =
  (act: unknown, properties: Record<string, string>): Door =>
  async ({ shop, customers }) => {
    const request = makeFlowRequest(shop.domain, { customer_id: number(customers[0]!), ...properties })
    return settle((act as Loader)({ request, params: {}, context: {} }))
  }

/** What a page sends later (names from Shopify) belongs to its answer. */
async function resolved<Answer extends { body: unknown }>(answer: Answer): Promise<Answer> {
  const body = await deep(answer.body)
  return { ...answer, body }
}

async function deep(value: unknown): Promise<unknown> {
  const settled = await value
  if (typeof settled !== 'object' || settled === null || settled instanceof Date) return settled
  if (Array.isArray(settled)) return Promise.all(settled.map(deep))
  return Object.fromEntries(
    await Promise.all(Object.entries(settled).map(async ([key, each]) => [key, await deep(each)] as const)),
  )
}

const route = (name: string) =>
  import(/* @vite-ignore */ path.resolve('app/routes', name)) as Promise<Record<string, unknown>>
const ROUTES = readdirSync('app/routes').sort()
/** Doors behind which no shop's data are: the start page, and signing in, which is the library's. */
const WITHOUT_DATA = ['_index.tsx', 'auth.$.tsx', 'auth.login.tsx', 'app.tsx', 'app.$.tsx']

const first = (side: Side) => ({ id: side.customers[0]!.split('/').at(-1)! })
type Case = { path: string; params?: (side: Side) => Record<string, string> }

/** Pages and files, by the route's file. */
const PAGES: Record<string, Case> = {
  'app._index.tsx': { path: '/app' },
  'app.campaigns.$id.tsx': { path: '/app/campaigns/sale', params: () => ({ id: 'sale' }) },
  'app.campaigns._index.tsx': { path: '/app/campaigns' },
  'app.imports.$id.tsx': { path: '/app/imports/1', params: ({ importId }) => ({ id: importId }) },
  'app.imports.$id_.refused.ts': { path: '/app/imports/1/refused', params: ({ importId }) => ({ id: importId }) },
  'app.imports._index.tsx': { path: '/app/imports' },
  'app.members.$id.tsx': { path: '/app/members/1', params: first },
  'app.members.export.ts': { path: '/app/members/export' },
  'app.members._index.tsx': { path: '/app/members' },
  'app.messages.tsx': { path: '/app/messages' },
  'app.program._index.tsx': { path: '/app/program' },
  'app.program.versions.tsx': { path: '/app/program/versions' },
  'app.retention._index.tsx': { path: '/app/retention' },
  'app.retention.answers.ts': { path: '/app/retention/answers' },
  'app.retention.cohorts.tsx': { path: '/app/retention/cohorts' },
  'app.retention.customers.tsx': { path: '/app/retention/customers?of=all' },
  'app.retention.cycles.tsx': { path: '/app/retention/cycles' },
  'app.retention.export.ts': { path: '/app/retention/export?of=all' },
  'app.retention.funnel.tsx': { path: '/app/retention/funnel' },
  'app.retention.intervals.tsx': { path: '/app/retention/intervals' },
  'app.retention.lifecycle.tsx': { path: '/app/retention/lifecycle' },
  'app.retention.months.tsx': { path: '/app/retention/months' },
  'app.retention.nps.tsx': { path: '/app/retention/nps' },
  'app.retention.pareto.tsx': { path: '/app/retention/pareto' },
  'app.retention.points.tsx': { path: '/app/retention/points' },
  'app.retention.rfm.tsx': { path: '/app/retention/rfm' },
  'app.retention.value.tsx': { path: '/app/retention/value' },
  'app.rewards.$id.tsx': { path: '/app/rewards/five-off', params: () => ({ id: 'five-off' }) },
  'app.rewards._index.tsx': { path: '/app/rewards' },
  'app.tiers._index.tsx': { path: '/app/tiers' },
  'proxy.card.ts': { path: 'card' },
  'proxy.feedback.ts': { path: 'feedback' },
  'proxy.history.ts': { path: 'history' },
}

const published = async ({ shop }: Side) => (await findPublishedProgram(shop.id))!
const adjustment = { intent: 'adjust', points: '5', reason: 'sorry', key: KEY, countsForTier: 'false' }
const ESTIMATE = {
  currency: 'USD',
  lines: [
    {
      product: '1',
      variant: '1',
      quantity: 1,
      price: 500,
      compareAt: null,
      giftCard: false,
      collections: [],
      tags: [],
    },
  ],
}

/** Buttons and the storefront's requests that change something, by the route's file; the last is pressed with the other shop's id. */
const BUTTONS: Record<string, (act: unknown) => Door[]> = {
  'app._index.tsx': (act) => [button(act, '/app', () => ({}))],
  'app.campaigns.$id.tsx': (act) =>
    ['pause', 'resume', 'end'].map((intent) =>
      button(
        act,
        '/app/campaigns/sale',
        () => ({ intent }),
        () => ({ id: 'sale' }),
      ),
    ),
  'app.imports.$id.tsx': (act) =>
    ['apply', 'undo', 'discard'].map((intent) =>
      button(
        act,
        '/app/imports/1',
        () => ({ intent }),
        (_, other) => ({ id: other.importId }),
      ),
    ),
  'app.imports.upload.ts': (act) => [
    button(act, '/app/imports/upload?source=Smile&name=n.csv', () => 'email,points\na@example.com,5\n'),
  ],
  'app.members.$id.tsx': (act) => [
    button(act, '/app/members/1', () => adjustment, first),
    button(act, '/app/members/1', () => ({ intent: 'place-tier', level: 'gold', until: '', reason: 'vip' }), first),
  ],
  'app.messages.tsx': (act) => [
    button(act, '/app/messages', (side) => ({ kind: 'message', id: side.messageId })),
    button(act, '/app/messages', (_, other) => ({ kind: 'message', id: other.messageId })),
    button(act, '/app/messages', () => ({ kind: 'backfill', earns: 'yes' })),
  ],
  'app.program.publish.tsx': (act) => [
    button(act, '/app/program/publish', async (side) => {
      const { version, document } = await published(side)
      return {
        document: JSON.stringify({ ...document, name: 'Other' }),
        basedOn: String(version),
        overrideReason: 'a test',
      }
    }),
  ],
  'app.program.reminders.ts': (act) => [button(act, '/app/program/reminders', () => ({ on: 'false' }))],
  'app.retention.cycles.tsx': (act) => [
    button(act, '/app/retention/cycles', () => ({ intent: 'set', of: 'tag', value: 'mug', days: '30' })),
  ],
  'app.retention.list.ts': (act) =>
    ['tag', 'retry', 'untag'].map((intent) => button(act, '/app/retention/list', () => ({ intent, of: 'all' }))),
  'app.retention.nps.tsx': (act) => [button(act, '/app/retention/nps', () => ({ days: '30' }))],
  'app.tiers.preview.tsx': (act) => [
    button(act, '/app/tiers/preview', async (side) => ({ document: JSON.stringify((await published(side)).document) })),
  ],
  'flow.record-activity.ts': (act) => [flow(act, { activity: 'review', reference: 'the-same' })],
  'proxy.birthday.ts': (act) => [proxy(act, 'birthday', () => ({ month: 5, day: 6 }))],
  'proxy.cancel.ts': (act) => [
    proxy(act, 'cancel', (side) => ({ id: side.redemption })),
    proxy(act, 'cancel', (_, other) => ({ id: other.redemption })),
  ],
  'proxy.estimate.ts': (act) => [proxy(act, 'estimate', () => ESTIMATE)],
  'proxy.feedback.ts': (act) => [proxy(act, 'feedback', () => ({ score: 9, comment: 'good' }))],
  'proxy.opt-in.ts': (act) => [proxy(act, 'opt-in', () => ({}))],
  'proxy.redeem.ts': (act) => [proxy(act, 'redeem', () => ({ reward: 'five-off', key: 'the-same-key' }))],
}

test('every route that shows or changes a shop’s data has its case here', async () => {
  const expected: { pages: string[]; buttons: string[] } = { pages: [], buttons: [] }
  for (const name of ROUTES.filter((file) => !WITHOUT_DATA.includes(file))) {
    const exported = await route(name)
    if (exported.loader) expected.pages.push(name)
    if (exported.action) expected.buttons.push(name)
  }
  expect(Object.keys(PAGES).sort()).toEqual(expected.pages)
  expect(Object.keys(BUTTONS).sort()).toEqual(expected.buttons)
})

test(
  'what every page and file tells a shop is the same whatever happens in the other',
  { timeout: 300_000 },
  async () => {
    const look = async () => {
      const seen: Record<string, unknown> = {}
      for (const [name, { path, params }] of Object.entries(PAGES)) {
        const { loader } = await route(name)
        const door = name.startsWith('proxy.') ? proxy(loader, path) : page(loader, path, params)
        const { status, body } = await door(mine, theirs)
        expect(status, name).toBe(200)
        seen[name] = JSON.stringify(body)
      }
      return seen
    }
    // Some of what a page needs is counted at the first look.
    await look()
    const before = await look()
    await liveOn(theirs)
    expect(await look()).toEqual(before)
  },
)

test.each(Object.keys(BUTTONS))('%s: what a shop does leaves every row of the other as it was', async (name) => {
  const { action } = await route(name)
  const before = await rowsOf(theirs)
  for (const [index, door] of BUTTONS[name]!(action).entries()) {
    const { status } = await door(mine, theirs)
    // What belongs to the other shop is not there; everything else works, or the test would try nothing.
    expect([200, 202, 302, 404], `${name} ${index} answers ${status}`).toContain(status)
    expect(await rowsOf(theirs), `${name} ${index}`).toEqual(before)
  }
})

const number = (gid: string) => gid.split('/').at(-1)!

/** A message of each topic about ids that both shops have. */
const MESSAGES: Record<string, (side: Side) => unknown> = {
  'orders/paid': (side) => orderNow(side),
  'orders/updated': (side) => orderNow(side),
  'orders/cancelled': (side) => ({ ...orderNow(side), cancelled_at: new Date(now()).toISOString() }),
  'orders/edited': ({ orders }) => ({ order_edit: { id: 1, order_id: Number(number(orders[0]!)) } }),
  'orders/delete': ({ orders }) => ({ id: Number(number(orders[1]!)) }),
  'refunds/create': ({ orders }) => ({
    id: 1,
    order_id: Number(number(orders[0]!)),
    refund_line_items: [],
    order_adjustments: [],
    transactions: [],
  }),
  'customers/create': ({ customers }) => ({ id: Number(number(customers[0]!)), state: 'enabled' }),
  'customers/update': ({ customers }) => ({ id: Number(number(customers[0]!)), state: 'disabled' }),
  'customers/enable': ({ customers }) => ({ id: Number(number(customers[0]!)), state: 'enabled' }),
  'customers/merge': ({ customers }) => ({
    admin_graphql_api_customer_kept_id: customers[0],
    admin_graphql_api_customer_deleted_id: customers[1],
    status: 'completed',
  }),
  'bulk_operations/finish': () => ({ admin_graphql_api_id: 'gid://shopify/BulkOperation/1', status: 'completed' }),
  'app/scopes_update': () => ({ current: ['read_orders'] }),
  'customers/data_request': ({ customers }) => ({ customer: { id: Number(number(customers[0]!)) } }),
  'customers/redact': ({ customers }) => ({ customer: { id: Number(number(customers[0]!)) }, orders_to_redact: [] }),
  'app/uninstalled': () => ({ id: 1 }),
  'shop/redact': ({ shop }) => ({ shop_id: 1, shop_domain: shop.domain }),
}

function orderNow({ store, shop, orders, customers }: Side): Record<string, unknown> {
  const order = store.order(shop.domain, orders[0] as Gid)!
  return orderPayload(store.shop(shop.domain), order, store.customer(shop.domain, customers[0] as Gid)!)
}

/** Runs something for one shop; neither the other's rows nor its Shopify may notice. */
async function leavesTheOtherAlone(what: string, work: () => Promise<unknown>): Promise<void> {
  const [before, asked] = [await rowsOf(theirs), theirs.operations.length]
  await work()
  expect(await rowsOf(theirs), what).toEqual(before)
  expect(theirs.operations.slice(asked), `${what} asked the other shop’s Shopify`).toEqual([])
}

test('every job of the timetable works for the shop it is given', { timeout: 300_000 }, async () => {
  expect(Object.keys(SHOP_TASKS).length).toBeGreaterThan(5)
  for (const [name, task] of Object.entries(SHOP_TASKS)) {
    await leavesTheOtherAlone(name, async () => {
      // The file of a bulk operation lies at an address that nobody serves here.
      const isFile = (error: Error) => error.message === 'fetch failed'
      await task.run(await requireShop(mine.shop.id), mine.admin).catch((error: Error) => {
        if (!isFile(error)) throw error
      })
    })
  }
  await leavesTheOtherAlone('time', () => letTimePassIn(mine.shop.id))
})

type Named = { key: string; payload?: object }
const SHOPS_OWN = () => ({ key: 'program' })
const aboutMember = ({ customers: [member] }: Side): Named => ({ key: member!, payload: { member } })

/** An effect of each kind, named as the app names it, about what both shops have: the same customers, tags and ends, their own codes. */
const EFFECTS: Record<string, (side: Side) => Named | Promise<Named>> = {
  'settle-code': async (side) => ({ key: await cancelCode(side) }),
  'program-card': SHOPS_OWN,
  'function-discounts': SHOPS_OWN,
  'all-member-cards': SHOPS_OWN,
  'member-card': aboutMember,
  'member-cards': ({ customers }) => ({ key: 'together', payload: { members: customers } }),
  'tier-changed': aboutMember,
  'fill-pools': SHOPS_OWN,
  [TAG_CUSTOMERS]: async (side) => ({ key: await askForSameTag(side) }),
  [RECOUNT_CYCLES]: async ({ shop }) => {
    const { id } = await startReading(shop.id, 'cycles', now())
    return { key: id, payload: { after: '0', seen: 0 } }
  },
  [REMIND_OF_EXPIRY]: ({ customers: [member] }) => {
    const endsAt = Date.parse('2027-06-12T00:00:00Z')
    return { key: `${member}@${endsAt}:30`, payload: { member, endsAt, days: 30 } }
  },
}

/** A code that is cancelled and has to be taken out of use at Shopify; returns its redemption. */
async function cancelCode(side: Side): Promise<string> {
  const [at, customer, key] = [now(), side.customers[0]!, 'for-a-code']
  await applyEvents(side.shop.id, [{ type: 'adjust', at, customer, points: 100, reason: 'a', actor: 'me', key }], at)
  await redeemFor(side, key)
  const { rows } = await pool.query<{ code: string }>('select code from redemptions where shop_id = $1 and id = $2', [
    side.shop.id,
    side.redemption,
  ])
  await applyEvents(side.shop.id, [{ type: 'cancel-redemption', at, code: rows[0]!.code }], at)
  return side.redemption
}

async function askForSameTag({ shop }: Side): Promise<string> {
  const tag = 'the-same-tag'
  const asked = { shopId: shop.id, asOf: now(), timeZone: 'UTC' }
  await askForTag(asked, { tag, group: { kind: 'all' }, by: null }, now())
  return tag
}

test('every effect of the outbox is carried out for the shop it belongs to', { timeout: 300_000 }, async () => {
  expect(Object.keys(EFFECTS).sort()).toEqual([...CARRIED_KINDS].sort())
  for (const kind of CARRIED_KINDS) {
    const [other, own] = [await EFFECTS[kind]!(theirs), await EFFECTS[kind]!(mine)]
    for (const [side, { key, payload = {} }] of [
      [theirs, other],
      [mine, own],
    ] as const) {
      await enqueueEffects(side.shop.id, [{ kind, key, payload, dueAt: now() - 1 }], now())
    }
    // What belongs to the other shop can be named, and is not there.
    if (other.key !== own.key) {
      await enqueueEffects(mine.shop.id, [{ kind, ...other, dueAt: now() - 1 }], now())
    }
    await leavesTheOtherAlone(kind, () => carryOutShop(mine.shop.id, () => mine.admin))
    const state = async ({ shop }: Side, key: string) =>
      (
        await pool.query<{ state: string }>(
          'select state from outbox where shop_id = $1 and kind = $2 and key = $3 order by id desc limit 1',
          [shop.id, kind, key],
        )
      ).rows[0]?.state
    expect([await state(mine, own.key), await state(theirs, other.key)], kind).toEqual(['done', 'waiting'])
  }
})

/** Commands that read files alone: no shop's data are behind them. */
const WITHOUT_SHOPS = ['retention.ts', 'simulate.ts']

test('every command that is given a shop reads and changes that shop alone', async () => {
  const commands = readdirSync('app/commands').filter((name) =>
    readFileSync(path.join('app/commands', name), 'utf8').includes('process.exitCode'),
  )
  const tried = ['ledger-verify', 'measures-verify', 'program'].map((name) => `${name}.ts`)
  expect(commands.sort()).toEqual([...tried, ...WITHOUT_SHOPS].sort())
  const run = (name: string, ...args: string[]) =>
    spawnSync(process.execPath, [`app/commands/${name}.ts`, ...args], { encoding: 'utf8' })
  await pool.query('update balances set reserved = reserved + 3 where shop_id = $1', [theirs.shop.id])
  await pool.query('update measure_counters set value = value + 1 where shop_id = $1', [theirs.shop.id])
  try {
    await leavesTheOtherAlone('commands', async () => {
      for (const name of ['ledger-verify', 'measures-verify']) {
        const said = run(name, '--shop', mine.shop.domain)
        expect({ name, status: said.status, other: said.stdout.includes(theirs.shop.domain) }).toEqual({
          name,
          status: 0,
          other: false,
        })
      }
      const exported = run('program', 'export', '--shop', mine.shop.domain)
      expect(JSON.parse(exported.stdout)).toEqual((await published(mine)).document)
      const before = await published(mine)
      const file = path.join(mkdtempSync(path.join(tmpdir(), 'two-shops-')), 'program.json')
      writeFileSync(file, JSON.stringify({ ...before.document, name: 'From a file' }))
      const imported = run('program', 'import', '--shop', mine.shop.domain, file)
      expect(imported).toMatchObject({ status: 0, stderr: '' })
      expect(await published(mine)).toMatchObject({
        version: before.version + 1,
        document: { name: 'From a file' },
      })
      rmSync(path.dirname(file), { recursive: true })
    })
  } finally {
    await pool.query('update balances set reserved = reserved - 3 where shop_id = $1', [theirs.shop.id])
    await pool.query('update measure_counters set value = value - 1 where shop_id = $1', [theirs.shop.id])
  }
})

// Last, because it ends with the shop's erasure.
test('every webhook changes the shop it is about, whatever ids it names', { timeout: 300_000 }, async () => {
  const topics = readAppConfig().subscriptions.flatMap((subscription) => subscription.topics)
  expect(Object.keys(MESSAGES).sort()).toEqual([...topics].sort())
  for (const [topic, payload] of Object.entries(MESSAGES)) {
    await leavesTheOtherAlone(topic, async () => {
      await storeMessages([message(mine, topic, 'the-same-event', JSON.stringify(payload(mine)))], now())
      await drainShop(mine.shop.id)
    })
    expect(await listMessages(mine.shop.id, { size: 1 }), topic).toMatchObject([{ topic, state: 'done' }])
  }
  await leavesTheOtherAlone('erasure', () => eraseShops())
})

test('no statement of any of these doors on a distributed table lacks the shop', async () => {
  expect((await recorded.onDistributed()).length).toBeGreaterThan(150)
  expect(await recorded.lackingTheShop()).toEqual([])
})

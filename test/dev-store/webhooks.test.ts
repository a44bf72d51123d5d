import '@shopify/shopify-api/adapters/node'
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api'
import { afterEach, describe, expect, it } from 'vitest'
import { listenForWebhooks, type Listener } from './listener.ts'
import { complaintsAbout } from './payload-schema.ts'
import { createStore, type DevStore, type StoreOptions } from './state.ts'

const SHOP = 'tea.myshopify.com'
const SECRET = 'shpss_secret'
const open: (() => void | Promise<void>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const EVERY_TOPIC = [
  'orders/create orders/paid orders/updated orders/edited orders/cancelled orders/delete refunds/create',
  'order_transactions/create customers/create customers/update customers/merge customers/delete customers/enable',
  'products/create products/update collections/create discounts/create discounts/delete app/uninstalled',
  'app/scopes_update customers/data_request customers/redact shop/redact customer.tags_added customer.tags_removed',
].flatMap((line) => line.split(' '))

const app = {
  name: 'Perennial',
  handle: 'perennial',
  scopes: ['read_orders', 'read_customers'],
  optionalScopes: ['write_gift_cards'],
  subscriptions: [{ topics: EVERY_TOPIC, uri: '/webhooks', name: 'everything', includeFields: [], filter: null }],
  proxy: null,
}

async function openShop(options: Partial<StoreOptions> = {}): Promise<{ store: DevStore; listener: Listener }> {
  const listener = await listenForWebhooks()
  const store = createStore({
    appUrl: listener.url,
    apiKey: 'key',
    apiSecret: SECRET,
    app,
    retryDelaysMs: [20, 40],
    ...options,
  })
  open.push(
    () => listener.close(),
    () => store.close(),
  )
  store.addShop({ domain: SHOP, currency: 'USD', timezone: 'America/New_York', taxRateBasisPoints: 700 })
  store.installApp(SHOP)
  return { store, listener }
}

/** What the dev store has no idea of and does not make up: addresses that nobody gave, stock, cards, the shop's own setup. */
const LEFT_OUT =
  /default_address: is missing|^products\/\w+\.\S+: is missing|payment_details: is missing|^app\/uninstalled\.\w+: is missing/

function buyTwoMugs(store: DevStore) {
  const mug = store.addProduct(SHOP, { title: 'Mug', priceMinor: 1250 })
  const ann = store.createCustomer(SHOP, { email: 'ann@example.com', firstName: 'Ann' })
  const placed = store.placeOrder(SHOP, {
    customerId: ann.id,
    lines: [{ variantId: mug.variants[0]!.id, quantity: 2 }],
    shipping: { title: 'Standard', priceMinor: 600 },
  })
  if (!placed.ok) throw new Error(placed.reason)
  return { order: placed.order, ann, mug }
}

describe('a webhook of the dev store', () => {
  it("passes the check of Shopify's own library, with every header that Shopify sends", async () => {
    const { store, listener } = await openShop()
    buyTwoMugs(store)
    await store.drained()

    const paid = listener.of('orders/paid')[0]!
    const library = shopifyApi({
      apiKey: 'key',
      apiSecretKey: SECRET,
      apiVersion: ApiVersion.October26,
      hostName: 'app.example.com',
      isEmbeddedApp: true,
      logger: { level: LogSeverity.Error },
    })
    const request = { method: 'POST', url: '/webhooks', headers: paid.headers }
    const checked = await library.webhooks.validate({ rawBody: paid.body, rawRequest: request })
    expect(checked).toMatchObject({ valid: true, topic: 'ORDERS_PAID', domain: SHOP, apiVersion: '2026-10' })
    expect(paid.headers['x-shopify-webhook-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(paid.headers['x-shopify-triggered-at']).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z$/)
    expect(paid.headers['x-shopify-name']).toBe('everything')
  })

  it('shares its event id with the other topics of the same event, and has an id of its own', async () => {
    const { store, listener } = await openShop()
    buyTwoMugs(store)
    await store.drained()

    const about = ['orders/create', 'orders/paid', 'orders/updated'].map((topic) => listener.of(topic)[0]!.headers)
    expect(new Set(about.map((headers) => headers['x-shopify-event-id'])).size).toBe(1)
    expect(new Set(about.map((headers) => headers['x-shopify-webhook-id'])).size).toBe(3)
  })

  it('is sent again after an answer that is not 2xx, with the body it had at first', async () => {
    const { store, listener } = await openShop()
    listener.answerNext(500, 302)
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com', state: 'disabled' })
    ann.firstName = 'changed since'
    await store.drained()

    const tries = listener.of('customers/create')
    expect(tries).toHaveLength(3)
    expect(new Set(tries.map((each) => each.body)).size).toBe(1)
    expect(new Set(tries.map((each) => each.headers['x-shopify-webhook-id'])).size).toBe(1)
    expect(store.deliveries(SHOP)[0]).toMatchObject({ status: 'delivered', topic: 'customers/create' })
    expect(store.deliveries(SHOP)[0]!.attempts.map((attempt) => attempt.status)).toEqual([500, 302, 200])
  })

  it('is given up after the last attempt, and can still be sent by hand', async () => {
    const { store, listener } = await openShop()
    listener.answerNext(500, 500, 500)
    store.createCustomer(SHOP, { state: 'disabled' })
    await store.drained()
    const [delivery] = store.deliveries(SHOP)
    expect(delivery).toMatchObject({ status: 'failed' })

    await store.sendWebhook(delivery!.id)
    expect(store.delivery(delivery!.id)).toMatchObject({ status: 'delivered' })
    expect(listener.heard).toHaveLength(4)
  })

  it('can be sent twice, or with a signature that is wrong', async () => {
    const { store, listener } = await openShop()
    store.createCustomer(SHOP, { state: 'disabled' })
    await store.drained()
    const [delivery] = store.deliveries(SHOP)
    const before = listener.heard[0]!.headers['x-shopify-hmac-sha256']

    await store.sendWebhook(delivery!.id, { twice: true })
    expect(listener.heard).toHaveLength(3)
    await store.sendWebhook(delivery!.id, { badSignature: true })
    expect(listener.heard.at(-1)!.headers['x-shopify-hmac-sha256']).not.toBe(before)
    expect(listener.heard.at(-1)!.body).toBe(listener.heard[0]!.body)
  })

  it('waits while webhooks are held back, and comes in the order asked for', async () => {
    const { store, listener } = await openShop({ webhookConcurrency: 1 })
    store.setWebhookMode({ hold: true })
    store.createCustomer(SHOP, { firstName: 'first', state: 'disabled' })
    store.createCustomer(SHOP, { firstName: 'second', state: 'disabled' })
    await store.drained()
    expect(listener.heard).toHaveLength(0)

    expect(store.releaseWebhooks('reversed')).toBe(2)
    await store.drained()
    expect(listener.heard.map((each) => each.json.first_name)).toEqual(['second', 'first'])
  })

  it('is not sent for a shop that has not installed the app', async () => {
    const { store, listener } = await openShop()
    store.addShop({ domain: 'other.myshopify.com' })
    store.createCustomer('other.myshopify.com', { email: 'b@example.com' })
    await store.drained()
    expect(listener.heard).toHaveLength(0)
  })
})

describe('the bodies', () => {
  it('of every topic have the fields of Shopify’s JSON Schemas, and no others', async () => {
    const { store, listener } = await openShop()
    const { order, ann, mug } = buyTwoMugs(store)
    store.updateCustomer(SHOP, ann.id, { tags: ['gold'] })
    store.updateCustomer(SHOP, ann.id, { tags: [] })
    store.updateProduct(SHOP, mug.id, { title: 'Big mug' })
    store.addCollection(SHOP, { title: 'Kitchen', productIds: [mug.id] })
    store.refund(SHOP, order.id, { lines: [{ lineId: order.lines[0]!.id, quantity: 1 }] })
    store.refund(SHOP, order.id, { amountMinor: 300, note: 'Sorry' })
    store.editOrder(SHOP, order.id, [{ variantId: mug.variants[0]!.id, quantity: 1 }])
    store.markPaid(SHOP, order.id)
    store.cancelOrder(SHOP, order.id)
    const bob = store.createCustomer(SHOP, { email: 'bob@example.com' })
    store.mergeCustomers(SHOP, ann.id, bob.id)
    const carl = store.createCustomer(SHOP, { email: 'carl@example.com' })
    store.requestData(SHOP, carl.id)
    store.redact(SHOP, carl.id)
    store.deleteCustomer(SHOP, carl.id)
    const discount = store.addDiscount(SHOP, { kind: 'code_basic', title: 'Ten off' }, 'TEN')
    store.deleteDiscount(SHOP, discount.id)
    store.setScopes(SHOP, ['read_orders', 'read_customers', 'write_gift_cards'])
    store.deleteOrder(SHOP, order.id)
    store.uninstall(SHOP)
    store.redactShop(SHOP)
    await store.drained()

    const missing = EVERY_TOPIC.filter((topic) => listener.of(topic).length === 0)
    expect(missing).toEqual([])
    const complaints = listener.heard
      .filter(({ topic }) => topic !== 'customers/enable')
      .flatMap(({ topic, json }) => complaintsAbout(topic, json).map((complaint) => `${topic}${complaint}`))
    expect([...new Set(complaints)].filter((complaint) => !LEFT_OUT.test(complaint))).toEqual([])
  })
})

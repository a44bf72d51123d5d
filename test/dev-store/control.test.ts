import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { createControl } from '#test/dev-store/control/control.ts'
import { createStore } from '#test/dev-store/state.ts'

const SHOP = 'shop.myshopify.com'
const closing: (() => void)[] = []
afterAll(() => closing.forEach((close) => close()))

/** A shop with the app installed, an app that answers 200, and the control page's buttons. */
async function open() {
  const received: { topic: string; body: string; signature: string }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    received.push({
      topic: String(request.headers['x-shopify-topic'] ?? request.url),
      body: Buffer.concat(chunks).toString(),
      signature: String(request.headers['x-shopify-hmac-sha256']),
    })
    response.end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const appUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = createStore({ appUrl, apiKey: 'key', apiSecret: 'secret' })
  store.addShop({ domain: SHOP, name: 'Thistle' })
  store.installApp(SHOP)
  const mug = store.addProduct(SHOP, { title: 'Mug', priceMinor: 2000 })
  const ann = store.createCustomer(SHOP, { email: 'ann@example.com', firstName: 'Ann' })
  await store.drained()
  const control = createControl({ store, adminUrl: () => '/admin' })
  const get = async (path: string) => (await control.handle(new Request(`http://localhost${path}`)))!
  const press = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const body = new URLSearchParams({ shop: SHOP, ...fields })
    const answer = (await control.handle(new Request(`http://localhost${path}`, { method: 'POST', body, headers })))!
    const location = answer.headers.get('location')
    return { status: answer.status, said: location && new URL(location, 'http://localhost').searchParams.get('said') }
  }
  const idOf = (gid: string) => gid.split('/').at(-1)!
  return { store, received, get, press, mug: idOf(mug.id), ann: idOf(ann.id) }
}

describe('the control page', () => {
  test('shows what Shopify Flow was told, of whom', async () => {
    const { get, store, ann } = await open()
    expect(await (await get('/dev')).text()).toContain('Nothing has started a workflow yet')
    const payload = { customer_id: Number(ann), Points: 120, 'Days left': 30, 'Last day': '2027-03-31' }
    const told = { id: 'one', shop: SHOP, handle: 'points-expire-soon', payload, receivedAt: store.now() }
    store.tables.put('flowTriggers', 'one', told)
    const html = await (await get('/dev')).text()
    expect(html).toMatch(/points-expire-soon<\/strong> <span>Ann<\/span>/)
    expect(html).toContain('Points: 120 · Days left: 30 · Last day: 2027-03-31')
  })

  test('shows the state in words, and as JSON', async () => {
    const { get } = await open()
    const page = await get('/dev')
    const html = await page.text()
    expect(page.status).toBe(200)
    expect(html).toContain('customers/create')
    expect(html).toContain('answers')
    expect(await (await get('/dev/state.json')).json()).toMatchObject({
      shop: SHOP,
      installed: true,
      app: { reachable: true },
      webhooks: { held: 0, failed: 0 },
    })
  })

  test('places a quick order, whose webhooks then stand in the list', async () => {
    const { store, press, get, mug, ann } = await open()
    const { said } = await press('/dev/orders', { customer: ann, product: mug, quantity: '2', payment: 'paid' })
    expect(said).toBe('Order #1001 for Ann, paid.')
    await store.drained()
    expect(await (await get('/dev?topic=orders/paid')).text()).toContain('#1001')
  })

  test('sends a webhook again, twice, and with a wrong signature, always with the same body', async () => {
    const { store, press, received, mug } = await open()
    await press('/dev/orders', { customer: '', product: mug, quantity: '1' })
    await store.drained()
    const id = store.deliveries(SHOP).find((row) => row.topic === 'orders/paid')!.id
    await press('/dev/webhooks/send', { id, how: 'again' })
    await press('/dev/webhooks/send', { id, how: 'twice' })
    const bad = await press('/dev/webhooks/send', { id, how: 'bad-signature' })
    expect(bad.said).toContain('with a wrong signature')
    const paid = received.filter((each) => each.topic === 'orders/paid')
    expect(paid).toHaveLength(5)
    expect(new Set(paid.map((each) => each.body)).size).toBe(1)
    expect(new Set(paid.map((each) => each.signature)).size).toBe(2)
  })

  test('keeps webhooks back and lets them go newest first', async () => {
    const { store, press, received, mug } = await open()
    await press('/dev/webhooks/mode', { hold: '1' })
    await press('/dev/orders', { product: mug, quantity: '1' })
    const before = received.length
    expect(store.deliveries(SHOP).some((row) => row.status === 'held')).toBe(true)
    await press('/dev/webhooks/mode', {})
    const { said } = await press('/dev/webhooks/release', { order: 'reversed' })
    expect(said).toMatch(/webhooks let go, newest first/)
    await store.drained()
    expect(received.length).toBeGreaterThan(before)
  })

  test('moves time, and puts it back', async () => {
    const { store, press } = await open()
    await press('/dev/time', { days: '15' })
    expect(store.clockOffsetMs()).toBe(15 * 86_400_000)
    await press('/dev/time', { to: '2027-03-28T01:00' })
    expect(Math.abs(store.now() - Date.parse('2027-03-28T01:00:00Z'))).toBeLessThan(5_000)
    expect((await press('/dev/time', { to: 'whenever' })).said).toBe('That is no date.')
    await press('/dev/time', { reset: '1' })
    expect(store.clockOffsetMs()).toBe(0)
  })

  test('breaks the Admin API for so many calls, and mends it', async () => {
    const { store, press } = await open()
    await press('/dev/faults', { fault: 'throttled', times: '3', operation: 'CardsWrite' })
    expect(store.faults()).toEqual([{ fault: 'throttled', times: 3, operation: 'CardsWrite' }])
    expect((await press('/dev/faults', { fault: 'fire', times: '3' })).said).toContain('Choose a fault')
    await press('/dev/faults/clear', {})
    expect(store.faults()).toEqual([])
  })

  test('is not moved by a page on another site', async () => {
    const { store, press } = await open()
    const { status } = await press('/dev/time', { days: '15' }, { 'sec-fetch-site': 'cross-site' })
    expect(status).toBe(403)
    expect(store.clockOffsetMs()).toBe(0)
  })
})

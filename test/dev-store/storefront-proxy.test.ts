import '@shopify/shopify-app-remix/adapters/node'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api'
import { afterAll, describe, expect, test } from 'vitest'
import { createStore } from '#test/dev-store/state.ts'
import { newShopper } from '#test/dev-store/shopper.ts'
import { proxiedUrl, signProxyQuery } from '#test/dev-store/storefront/proxy.ts'
import { createStorefront } from '#test/dev-store/storefront/storefront.ts'

const SHOP = 'shop.myshopify.com'
const SECRET = 'hush'

const closing: (() => void)[] = []
afterAll(() => closing.forEach((close) => close()))

/** An app that answers by `answer` and notes what it was asked. */
async function startApp(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const asked: { method: string; url: URL; headers: IncomingMessage['headers']; body: string }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    asked.push({ method: request.method!, url: new URL(request.url!, 'http://app'), headers: request.headers, body })
    answer(request, response, body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function openShop(appUrl: string, installed = true) {
  const store = createStore({ appUrl, apiKey: 'key', apiSecret: SECRET })
  store.addShop({ domain: SHOP })
  if (installed) store.installApp(SHOP)
  const shopper = newShopper(await createStorefront({ store }))
  return { store, shopper }
}

describe('the proxy’s signature', () => {
  const vector = (customer: string) =>
    new URLSearchParams(
      `extra=1&extra=2&shop=shop-name.myshopify.com&logged_in_customer_id=${customer}` +
        '&path_prefix=%2Fapps%2Fawesome_reviews&timestamp=1317327555',
    )

  test('is that of Shopify’s own examples', () => {
    expect(signProxyQuery(vector('1'), SECRET)).toBe('4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb')
    expect(signProxyQuery(vector(''), SECRET)).toBe('e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb')
  })

  test('is accepted by Shopify’s library, and refused after any change', async () => {
    const { store } = await openShop('http://127.0.0.1:9')
    const library = shopifyApi({
      apiKey: 'key',
      apiSecretKey: SECRET,
      hostName: 'app.example.com',
      apiVersion: ApiVersion.October26,
      isEmbeddedApp: true,
      isTesting: true,
      logger: { level: LogSeverity.Error },
    })
    const asked = new URL('http://shop.localhost/apps/loyalty/history?before=3&note=a%26b')
    const url = proxiedUrl(store, SHOP, asked, 'gid://shopify/Customer/7')
    const query = Object.fromEntries(url.searchParams)
    expect(await library.utils.validateHmac(query, { signator: 'appProxy' })).toBe(true)
    await expect(
      library.utils.validateHmac({ ...query, logged_in_customer_id: '8' }, { signator: 'appProxy' }),
    ).resolves.toBe(false)
  })
})

describe('requests through the proxy', () => {
  test('arrive with method, body, path and who is signed in, and without cookies', async () => {
    const app = await startApp((_, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': 'app=1', 'x-app': 'yes' })
      response.end('{"ok":true}')
    })
    const { store, shopper } = await openShop(app.url)
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    await shopper.post('/account/login', { customer: ann.id.split('/').at(-1)! })
    const answer = await shopper.post('/apps/loyalty/redeem?x=1', { reward: 'five' })

    const request = app.asked.find((each) => each.url.pathname === '/proxy/redeem')!
    expect(request).toMatchObject({ method: 'POST', body: 'reward=five' })
    expect(request.headers.cookie).toBeUndefined()
    expect(request.headers['x-forwarded-host']).toBe(SHOP)
    expect(Object.fromEntries(request.url.searchParams)).toMatchObject({
      x: '1',
      shop: SHOP,
      logged_in_customer_id: ann.id.split('/').at(-1),
      path_prefix: '/apps/loyalty',
    })
    expect(Math.abs(Number(request.url.searchParams.get('timestamp')) - Date.now() / 1000)).toBeLessThan(5)
    expect(answer).toMatchObject({ status: 201, html: '{"ok":true}' })
    expect(answer.headers.get('x-app')).toBe('yes')
    expect(answer.headers.get('set-cookie')).toBeNull()
  })

  test('what the browser claims about itself is overwritten', async () => {
    const app = await startApp((_, response) => response.end('ok'))
    const { shopper } = await openShop(app.url)
    await shopper.get('/apps/loyalty/card?logged_in_customer_id=1&shop=evil.myshopify.com&signature=abc&timestamp=1')
    const params = app.asked.at(-1)!.url.searchParams
    expect(params.getAll('logged_in_customer_id')).toEqual([''])
    expect(params.getAll('shop')).toEqual([SHOP])
    expect(params.getAll('signature')).toHaveLength(1)
  })

  test('keep the machine’s time when the shop’s clock is moved', async () => {
    const app = await startApp((_, response) => response.end('ok'))
    const { store, shopper } = await openShop(app.url)
    store.advanceTime(40 * 86_400_000)
    await shopper.get('/apps/loyalty/card')
    const timestamp = Number(app.asked.at(-1)!.url.searchParams.get('timestamp'))
    expect(Math.abs(timestamp - Date.now() / 1000)).toBeLessThan(5)
  })

  test('are a 404 where the app is not installed, a 502 where it does not answer', async () => {
    const gone = await openShop('http://127.0.0.1:9', false)
    expect((await gone.shopper.get('/apps/loyalty/card')).status).toBe(404)
    const silent = await openShop('http://127.0.0.1:9')
    expect((await silent.shopper.get('/apps/loyalty/card')).status).toBe(502)
  })

  test('answered as Liquid are rendered inside the theme', async () => {
    const app = await startApp((_, response) => {
      response.writeHead(200, { 'content-type': 'application/liquid' })
      response.end('<p>Hello {{ shop.name }}, {{ 500 | money }}</p>')
    })
    const { shopper } = await openShop(app.url)
    const answer = await shopper.get('/apps/loyalty/page')
    expect(answer.text).toContain('Hello shop, $5.00')
    expect(answer.text).toContain('Shop all')
  })
})

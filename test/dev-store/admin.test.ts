import { afterEach, describe, expect, it } from 'vitest'
import { createAdmin } from './admin/admin.ts'
import { totalsOf } from './order-totals.ts'
import { createStore, type DevStore } from './state.ts'

const SHOP = 'tea.myshopify.com'
const open: DevStore[] = []
afterEach(() => open.splice(0).forEach((store) => store.close()))

function openShop() {
  const store = createStore({ appUrl: 'http://127.0.0.1:9', apiKey: 'key', apiSecret: 'secret' })
  open.push(store)
  store.addShop({ domain: SHOP, name: 'Tea & Co', currency: 'USD', taxRateBasisPoints: 0 })
  const handle = createAdmin({ store })
  const get = async (path: string) => {
    const response = (await handle(new Request(`http://admin.test${path}`)))!
    return {
      status: response.status,
      to: response.headers.get('location'),
      text: await response.text(),
      headers: response.headers,
    }
  }
  const post = async (path: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}) => {
    const request = new Request(`http://admin.test${path}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers,
    })
    const response = (await handle(request))!
    return { status: response.status, to: response.headers.get('location') ?? '', text: await response.text() }
  }
  return { store, get, post }
}

function placeOrder(store: DevStore) {
  const ann = store.createCustomer(SHOP, { email: 'ann@example.com', firstName: 'Ann' })
  const placed = store.placeOrder(SHOP, {
    customerId: ann.id,
    lines: [{ title: 'Mug', quantity: 2, unitPriceMinor: 1250 }],
  })
  if (!placed.ok) throw new Error(placed.reason)
  return { order: placed.order, ann, path: `/store/tea/orders/${placed.order.id.split('/').at(-1)}` }
}

describe('the admin of the dev store', () => {
  it('offers to install the app first, then frames it with shop, host and a session token', async () => {
    const { store, get, post } = openShop()
    expect((await get('/admin')).to).toBe('/store/tea/apps/perennial')
    expect((await get('/store/tea/apps/perennial')).text).toContain('Install Perennial')
    expect((await get('/store/tea/bridge/id-token')).status).toBe(403)

    expect((await post('/store/tea/apps/perennial/install')).to).toBe('/store/tea/apps/perennial')
    expect(store.shop(SHOP).installation!.scopes).toEqual(store.app.scopes)
    const framed = await get('/store/tea/apps/perennial/app/members?page=2')
    const source = /src="(http:\/\/127\.0\.0\.1:9[^"]+)"/.exec(framed.text)![1]!.replaceAll('&amp;', '&')
    const url = new URL(source)
    expect(url.pathname).toBe('/app/members')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ page: '2', embedded: '1', shop: SHOP, locale: 'en' })
    expect(Buffer.from(url.searchParams.get('host')!, 'base64').toString()).toBe('admin.shopify.com/store/tea')
    expect(url.searchParams.get('id_token')!.split('.')).toHaveLength(3)
    expect(framed.headers.get('x-frame-options')).toBe('DENY')
  })

  it('finds the app by its key too, where Shopify’s own redirects name it so', async () => {
    const { get } = openShop()
    expect((await get('/store/tea/apps/key/app')).to).toBe('/store/tea/apps/perennial/app')
  })

  it('refunds units and amounts, and says what was given back or why not', async () => {
    const { store, post } = openShop()
    const { order, path } = placeOrder(store)
    const notice = (to: string) => new URL(to, 'http://admin.test').searchParams.get('notice')

    const units = await post(`${path}/refund`, { [`line ${order.lines[0]!.id}`]: '1', restock: 'on' })
    expect(notice(units.to)).toBe('$12.50 refunded.')
    const amount = await post(`${path}/refund`, { amount: '2.50' })
    expect(notice(amount.to)).toBe('$2.50 refunded.')
    expect(totalsOf(order)).toMatchObject({ refundedMinor: 1500, currentSubtotalMinor: 1250 })

    for (const [fields, why] of [
      [{ amount: '10.01' }, 'too much'],
      [{ amount: 'ten' }, 'write amounts like 12.50'],
      [{ amount: '-5' }, 'write amounts like 12.50'],
      [{}, 'nothing to refund'],
    ] as const) {
      expect(notice((await post(`${path}/refund`, fields)).to)).toContain(why)
    }
    expect(totalsOf(order).refundedMinor).toBe(1500)
  })

  it('edits, marks as paid, cancels and deletes an order', async () => {
    const { store, post, get } = openShop()
    const { order, path } = placeOrder(store)
    await post(`${path}/edit`, { [`line ${order.lines[0]!.id}`]: '3' })
    expect(order.financialStatus).toBe('partially_paid')
    await post(`${path}/paid`)
    expect(order.financialStatus).toBe('paid')
    await post(`${path}/cancel`, { reason: 'inventory', refund: 'on' })
    expect(order).toMatchObject({ financialStatus: 'refunded', cancelReason: 'inventory' })
    expect((await post(`${path}/delete`)).to).toMatch(/^\/store\/tea\/orders\?notice=/)
    expect((await get(path)).status).toBe(404)
  })

  it('merges, tags, erases and deletes customers', async () => {
    const { store, post, get } = openShop()
    const { ann } = placeOrder(store)
    const bob = store.createCustomer(SHOP, { email: 'bob@example.com', firstName: 'Bob' })
    const path = `/store/tea/customers/${ann.id.split('/').at(-1)}`
    await post(`${path}/merge`, { other: bob.id })
    expect(store.customer(SHOP, bob.id)).toBeUndefined()
    await post(`${path}/update`, { tags: 'gold,  early ,' })
    expect(store.customer(SHOP, ann.id)).toMatchObject({ tags: ['gold', 'early'], state: 'disabled' })
    expect((await post(`${path}/delete`)).to).toContain('cannot%20be%20deleted')
    await post(`${path}/redact`)
    expect(store.customer(SHOP, ann.id)).toMatchObject({ email: null, firstName: null })
    expect((await get(path)).text).toContain('No name')
  })

  it('says which of two customers has the store credit for which they are not merged', async () => {
    const { store, post, get } = openShop()
    const { order, ann, path } = placeOrder(store)
    const bob = store.createCustomer(SHOP, { firstName: 'Bob' })
    await post(`${path}/refund`, { amount: '5.00', credit: 'on' })
    expect(order.refunds).toHaveLength(1)
    const refused = await post(`/store/tea/customers/${bob.id.split('/').at(-1)}/merge`, { other: ann.id })
    expect((await get(refused.to)).text).toContain('Not merged: Ann has store credit')
    expect(store.customer(SHOP, ann.id)).toBeDefined()
  })

  it('shows names as text, whatever is in them', async () => {
    const { store, get } = openShop()
    const eve = store.createCustomer(SHOP, { firstName: '<script>alert(1)</script>', tags: ['"><img src=x>'] })
    const page = await get(`/store/tea/customers/${eve.id.split('/').at(-1)}?notice=<b>x</b>`)
    expect(page.text).not.toContain('<script>alert')
    expect(page.text).not.toContain('<img src=x>')
    expect(page.text).not.toContain('<b>x</b>')
  })

  it('takes no form from a page of another site', async () => {
    const { store, post } = openShop()
    const { order, path } = placeOrder(store)
    expect((await post(`${path}/cancel`, {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect(order.cancelledAt).toBeNull()
  })

  it('grants only optional scopes that the toml names', async () => {
    const { store, post } = openShop()
    store.installApp(SHOP)
    const ask = (scope: string) =>
      createAdmin({ store })(
        new Request('http://admin.test/store/tea/bridge/scopes/grant', {
          method: 'POST',
          body: JSON.stringify({ scopes: [scope] }),
        }),
      )
    expect((await ask('write_everything'))!.status).toBe(400)
    expect((await ask('write_gift_cards'))!.status).toBe(200)
    expect(store.shop(SHOP).installation!.scopes).toContain('write_gift_cards')
    await post('/store/tea/settings/uninstall')
    expect(store.shop(SHOP).installation).toBeNull()
  })
})

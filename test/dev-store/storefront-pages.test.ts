import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createStore, resolveNamespace } from '#test/dev-store/state.ts'
import type { DevStore } from '#test/dev-store/state.ts'
import { newShopper } from '#test/dev-store/shopper.ts'
import { isOwnPath } from '#test/dev-store/storefront/http.ts'
import { BlockRenderer, isEnabledOn, readBlocks } from '#test/dev-store/storefront/liquid.ts'
import { createStorefront, shopOfHost } from '#test/dev-store/storefront/storefront.ts'

const SHOP = 'shop.myshopify.com'

async function openShop() {
  const store = createStore({ appUrl: 'http://127.0.0.1:9', apiKey: 'key', apiSecret: 'secret', webhookConcurrency: 0 })
  store.addShop({ domain: SHOP, name: 'Thistle <& Twine>' })
  store.addProduct(SHOP, { title: 'Mug', priceMinor: 2000 })
  return { store, shopper: newShopper(await createStorefront({ store })) }
}

const PROGRAM = {
  version: 1,
  name: 'Thistle Club',
  pointsName: { one: 'petal', other: 'petals' },
  currency: 'USD',
  enrolment: 'everyone',
  holdDays: 14,
  earning: [{ id: 'purchase', on: 'order', label: '5 petals for every $1.00' }],
  tiers: [],
  rewards: [{ id: 'five', type: 'amount', label: '$5.00 off', cost: 500, conditions: [] }],
}

function writeMetafield(store: DevStore, ownerId: string, namespace: string, key: string, value: unknown): void {
  const id = store.tables.newId('Metafield')
  const row = { id, shop: SHOP, ownerId, namespace: resolveNamespace(namespace), key, type: 'json' }
  const times = { createdAt: store.now(), updatedAt: store.now() }
  store.tables.put('metafields', id, { ...row, value: JSON.stringify(value), compareDigest: '', ...times })
}

describe('the storefront', () => {
  test.each([
    '/',
    '/collections/all',
    '/products/mug',
    '/cart',
    '/account/login',
    '/account/register',
    '/pages/loyalty',
  ])('%s is a page with one heading and names of the shop made safe', async (path) => {
    const { shopper } = await openShop()
    const page = await shopper.get(path)
    expect(page.status).toBe(200)
    expect(page.html.match(/<h1/g)).toHaveLength(1)
    expect(page.html).toContain('Thistle &lt;&amp; Twine&gt;')
    expect(page.html).not.toContain('<& Twine>')
  })

  test('the language is chosen in the footer, only among those that the blocks speak, and kept for this browser', async () => {
    const { shopper } = await openShop()
    expect((await shopper.get('/')).html).toContain('<html lang="en">')
    const chosen = await shopper.post('/localization', { locale_code: 'pt-BR', return_to: '/cart' })
    expect(chosen.html).toContain('<html lang="pt-BR">')
    await shopper.post('/localization', { locale_code: '../../secrets', return_to: '/cart' })
    expect((await shopper.get('/')).html).toContain('<html lang="pt-BR">')
  })

  test('what is not there is a page that says so', async () => {
    const { shopper } = await openShop()
    for (const path of ['/products/nope', '/collections/nope', '/orders/nope', '/pages/nope']) {
      expect((await shopper.get(path)).status).toBe(404)
    }
  })

  test('an empty cart cannot be checked out', async () => {
    const { shopper } = await openShop()
    expect((await shopper.get('/checkout')).path).toBe('/cart')
  })

  test('somebody registers, is signed in, and cannot register twice', async () => {
    const { store, shopper } = await openShop()
    const fields = { first_name: 'Ann', last_name: 'Birch', email: 'ann@example.com' }
    expect((await shopper.post('/account/register', fields)).text).toContain('Hello, Ann')
    expect(store.customerByEmail(SHOP, 'ann@example.com')).toMatchObject({ state: 'enabled' })
    const again = await shopper.post('/account/register', fields)
    expect(again.status).toBe(400)
    expect(again.text).toContain('There is an account with this e-mail address already.')
  })

  test('a guest who signs in for the first time has an account from then on', async () => {
    const { store, shopper } = await openShop()
    const guest = store.createCustomer(SHOP, { email: 'guest@example.com', state: 'disabled' })
    await shopper.post('/account/login', { customer: guest.id.split('/').at(-1)! })
    expect(store.customer(SHOP, guest.id)).toMatchObject({ state: 'enabled' })
  })

  test('a forged cookie signs nobody in', async () => {
    const { store, shopper } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com', firstName: 'Ann' })
    const id = ann.id.split('/').at(-1)!
    for (const forged of [id, `${id}.`, `${id}.${'0'.repeat(32)}`]) {
      shopper.cookies.set('storefront_customer', forged)
      expect((await shopper.get('/account')).path).toBe('/account/login')
    }
    await shopper.post('/account/login', { customer: id })
    expect((await shopper.get('/account')).text).toContain('Hello, Ann')
    await shopper.post('/account/logout')
    expect((await shopper.get('/account')).path).toBe('/account/login')
  })

  test('after a form one stays in the shop', () => {
    for (const path of ['//evil.example', '/\\evil.example', 'https://evil.example', ''])
      expect(isOwnPath(path)).toBe(false)
    expect(isOwnPath('/cart?x=1')).toBe(true)
  })

  test('a name in front of .localhost chooses the shop', async () => {
    const { store } = await openShop()
    store.addShop({ domain: 'tea.myshopify.com' })
    expect(shopOfHost(store, 'tea.localhost:4000')?.domain).toBe('tea.myshopify.com')
    expect(shopOfHost(store, '127.0.0.1:4000')?.domain).toBe(SHOP)
  })
})

describe('our blocks in the theme', () => {
  test('without the app there are none, and the page says where to install it', async () => {
    const { shopper } = await openShop()
    expect((await shopper.get('/pages/loyalty')).text).toContain('The loyalty app is not installed in this shop.')
  })

  test('a member sees points from the card, with the block’s style and script', async () => {
    const { store, shopper } = await openShop()
    const installation = store.installApp(SHOP)
    writeMetafield(store, installation.id, 'loyalty', 'program', PROGRAM)
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const card = {
      version: 1,
      balance: 1240,
      pending: 1_002_690,
      tier: null,
      progress: null,
      nextExpiry: null,
      codes: [],
      heldOut: [],
      segments: [],
    }
    writeMetafield(store, ann.id, '$app', 'member_card', card)
    expect((await shopper.get('/pages/loyalty')).text).toContain('Sign in')
    await shopper.post('/account/login', { customer: ann.id.split('/').at(-1)! })
    const page = await shopper.get('/pages/loyalty')
    expect(page.text).toMatch(/1,240 petals/)
    expect(page.text).toMatch(/1,002,690 more are on their way/)
    for (const [, file] of page.html.matchAll(/(?:href|src)="(\/cdn\/extensions\/[^"]+)"/g)) {
      expect((await shopper.get(file!)).status).toBe(200)
    }
    expect(page.html).toContain('/cdn/extensions/loyalty-blocks/assets/')
  })

  test('a member reads the last day on which points can be spent, not the midnight at which they end', async () => {
    const { store, shopper } = await openShop()
    writeMetafield(store, store.installApp(SHOP).id, 'loyalty', 'program', PROGRAM)
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const nextExpiry = { points: 99, at: '2027-11-23T00:00:00.000Z' }
    const card = { version: 1, balance: 100, pending: 0, tier: null, progress: null, nextExpiry, heldOut: [] }
    writeMetafield(store, ann.id, '$app', 'member_card', { ...card, codes: [], segments: [] })
    await shopper.post('/account/login', { customer: ann.id.split('/').at(-1)! })
    const { text } = await shopper.get('/pages/loyalty')
    expect(text).toContain('22 November 2027')
    expect(text).not.toContain('23 November 2027')
  })

  test('a code can be given back, a gift card only copied', async () => {
    const { store, shopper } = await openShop()
    writeMetafield(store, store.installApp(SHOP).id, 'loyalty', 'program', PROGRAM)
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const code = { id: 'rdm_1', code: 'PETALS', reward: 'five', label: '$5.00 off', points: 500, until: null }
    const gift = { ...code, id: 'rdm_2', code: 'CARD-1234', label: '$5.00 gift card', canReturn: false }
    const card = { version: 1, balance: 10, pending: 0, tier: null, progress: null, nextExpiry: null, heldOut: [] }
    writeMetafield(store, ann.id, '$app', 'member_card', { ...card, codes: [code, gift], segments: [] })
    await shopper.post('/account/login', { customer: ann.id.split('/').at(-1)! })
    const { html } = await shopper.get('/pages/loyalty')
    const [ofCode, ofGift] = ['rdm_1', 'rdm_2'].map((id) => html.split(`data-redemption="${id}"`)[1]!.split('</li>')[0])
    expect(ofCode).toMatch(/data-copy[^]*<summary[^]*Give back[^]*data-cancel/)
    expect(ofGift).toMatch(/CARD-1234[^]*data-copy/)
    expect(ofGift).not.toMatch(/Give back|data-cancel/)
  })

  test('money of the program keeps its currency where prices are shown in another one', async () => {
    const { store, shopper } = await openShop()
    store.shop(SHOP).presentmentRates['EUR'] = 0.9
    writeMetafield(store, store.installApp(SHOP).id, 'loyalty', 'program', PROGRAM)
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const code = {
      id: 'rdm_1',
      code: 'PETALS',
      reward: 'any',
      label: '$3.00 off',
      points: 300,
      amount: '3.00',
      until: null,
    }
    const progress = { next: { id: 'gold', name: 'Gold' }, metric: 'spend', missing: '40.00', percent: 10 }
    const tier = { id: 'silver', name: 'Silver' }
    const card = { version: 1, balance: 10, pending: 0, tier, progress, nextExpiry: null, codes: [code], heldOut: [] }
    writeMetafield(store, ann.id, '$app', 'member_card', { ...card, segments: [] })
    await shopper.post('/account/login', { customer: ann.id.split('/').at(-1)! })
    expect((await shopper.get('/pages/loyalty')).text).toMatch(/\$40\.00 to go until Gold[^]*\$3\.00 off/)
    await shopper.post('/cart/currency', { currency: 'EUR' })
    expect((await shopper.get('/pages/loyalty')).text).toMatch(/40\.00 USD to go until Gold[^]*3\.00 USD off/)
  })

  test('files outside the assets cannot be read', async () => {
    const { shopper } = await openShop()
    for (const path of ['/cdn/extensions/loyalty-blocks/assets/..%2Fshopify.extension.toml', '/cdn/../package.json']) {
      expect((await shopper.get(path).catch(() => ({ status: 404 }))).status).toBe(404)
    }
  })
})

describe('Liquid as imitated', () => {
  async function render(source: string, locale: Record<string, unknown> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'blocks-'))
    try {
      mkdirSync(join(folder, 'blocks'))
      mkdirSync(join(folder, 'locales'))
      const schema = '{% schema %}{"name":"B","target":"section","settings":[{"id":"size","default":3}]}{% endschema %}'
      writeFileSync(join(folder, 'blocks', 'b.liquid'), source + schema)
      writeFileSync(join(folder, 'locales', 'en.default.json'), JSON.stringify(locale))
      const extension = { folder, name: 'b' }
      return await new BlockRenderer(extension, 'JPY', 'en').render(readBlocks(extension)[0]!, 'one', {
        customer: null,
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('settings have their defaults, money its decimals, texts their values made safe', async () => {
    const html = await render('{{ block.settings.size }}|{{ 50000 | money }}|{{ "hi" | t: name: "<b>" }}', {
      hi: 'Hi {{ name }}',
    })
    expect(html).toContain('3|¥500|Hi &lt;b&gt;')
  })

  test('a variable assigned null is blank, as on Shopify', async () => {
    const html = await render(
      '{% assign card = null %}{% if card != blank %}wrong{% endif %}{% if card == nil and card == blank %}right{% endif %}',
    )
    expect(html).toContain('right')
    expect(html).not.toContain('wrong')
  })

  test('an unknown filter, tag, text or date format fails with its name', async () => {
    await expect(render('{{ 1 | sparkle }}')).rejects.toThrow('sparkle')
    await expect(render('{% sparkle %}')).rejects.toThrow('sparkle')
    await expect(render('{{ "sparkle.text" | t }}')).rejects.toThrow('sparkle.text')
    await expect(render('{{ "2026-01-01" | date: format: "sparkle" }}')).rejects.toThrow('sparkle')
  })

  test('a block stands where its schema allows it', () => {
    const block = (schema: object) => ({ handle: 'b', source: '', schema: schema as never })
    expect(isEnabledOn(block({}), 'page')).toBe(true)
    expect(isEnabledOn(block({ enabled_on: { templates: ['product'] } }), 'page')).toBe(false)
    expect(isEnabledOn(block({ enabled_on: { templates: ['*'] } }), 'page')).toBe(true)
    expect(isEnabledOn(block({ disabled_on: { templates: ['page'] } }), 'page')).toBe(false)
  })
})

/** The dev store's App Bridge and admin frame, with an app of a few lines inside, so that a fault here is not ours there. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startDevStore, type RunningDevStore } from '#test/dev-store/server.ts'
import { launchBrowser, USER_AGENT } from './browser.ts'

const SHOP = 'tea.myshopify.com'
const OPTIONAL = 'write_gift_cards'
let dev: RunningDevStore
let app: ReturnType<typeof createServer>
let browser: Awaited<ReturnType<typeof launchBrowser>>
let page: Page

/** Three pages with every element, and `/whoami`, which answers with the bearer token it was asked with. */
function appPage(url: string): string {
  return `<!doctype html><html lang="en"><head>
    <script src="${dev.url}/app-bridge.js" data-api-key="key"></script><title>${url.split('?')[0]}</title></head><body>
    <ui-nav-menu><a href="/app" rel="home">Home</a><a href="/app/members">Members</a><a href="/app/tiers">Tiers</a></ui-nav-menu>
    <ui-title-bar title="Rewards"><button variant="primary" onclick="shopify.toast.show('Pressed')">Publish</button></ui-title-bar>
    <ui-modal id="ask"><p>Take it back?</p><ui-title-bar title="Sure?">
      <button variant="primary" onclick="shopify.modal.hide('ask'); shopify.toast.show('Taken back')">Yes</button></ui-title-bar></ui-modal>
    <h1>${url.split('?')[0]}</h1>
    <form data-save-bar onsubmit="event.preventDefault(); shopify.toast.show('Saved')"><label>Name <input name="name" value="Ann"></label></form>
    <p id="out"></p></body></html>`
}

beforeAll(async () => {
  app = createServer((request, response) => {
    if (request.url === '/whoami') return void response.end(request.headers.authorization ?? 'nobody')
    response.setHeader('content-type', 'text/html')
    response.end(appPage(request.url ?? '/'))
  })
  await new Promise<void>((done) => app.listen(0, '127.0.0.1', done))
  const appUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  dev = await startDevStore({ appUrl, apiKey: 'key', apiSecret: 'secret' })
  dev.store.addShop({ domain: SHOP, name: 'Tea & Co' })
  dev.store.installApp(SHOP)
  dev.store.addProduct(SHOP, { title: 'Mug', priceMinor: 1250 })
  dev.store.addProduct(SHOP, { title: 'Teapot', priceMinor: 4000 })
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser.close()
  await dev.close()
  app.closeAllConnections()
  app.close()
})
afterEach(() => page.context().close())

async function openApp(path = ''): Promise<ReturnType<Page['frameLocator']>> {
  page = await (await browser.newContext({ userAgent: USER_AGENT })).newPage()
  page.setDefaultTimeout(15_000)
  await page.goto(dev.adminUrl(SHOP) + path)
  const frame = page.frameLocator('#app-frame')
  await frame.getByRole('heading').waitFor()
  return frame
}

/** Runs a line in the app's page. */
function inApp<Result>(frame: ReturnType<Page['frameLocator']>, line: string): Promise<Result> {
  return frame.locator('body').evaluate((_body, text) => new Function(`return (${text})`)() as Result, line)
}

describe('the app in its frame', () => {
  test('is opened with shop, host and a token, and fetches with a token of its own', async () => {
    const frame = await openApp('/app')
    expect(await inApp(frame, 'shopify.config')).toMatchObject({ apiKey: 'key', shop: SHOP })
    const bearer = await inApp<string>(frame, "fetch('/whoami').then((answer) => answer.text())")
    expect(bearer).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
  })

  test('is moved through its menu, and the admin’s address follows', async () => {
    const frame = await openApp('/app')
    const menu = page.getByRole('navigation', { name: 'Admin' })
    expect(await menu.getByRole('link', { name: 'Home' }).count()).toBe(0)
    await menu.getByRole('link', { name: 'Members' }).click()
    await frame.getByRole('heading', { name: '/app/members' }).waitFor()
    await page.waitForURL('**/apps/perennial/app/members')
    await expect.poll(() => menu.getByRole('link', { name: 'Members' }).getAttribute('aria-current')).toBe('page')
    await page.reload()
    await frame.getByRole('heading', { name: '/app/members' }).waitFor()
  })

  test('comes back with a fresh token from the bounce page', async () => {
    const frame = await openApp('/auth/session-token?shopify-reload=%2Fapp%2Ftiers%3Fpage%3D2')
    await frame.getByRole('heading', { name: '/app/tiers' }).waitFor()
    await page.waitForURL('**/app/tiers?page=2')
  })

  test('shows its title, its buttons and its toasts in the admin', async () => {
    await openApp('/app')
    await page.getByRole('heading', { name: 'Rewards' }).waitFor()
    await page.getByRole('button', { name: 'Publish' }).click()
    await page.getByText('Pressed').waitFor()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await expect.poll(() => page.getByText('Pressed').count()).toBe(0)
  })

  test('asks before unsaved changes are left, saves them and discards them', async () => {
    const frame = await openApp('/app')
    await frame.getByLabel('Name').fill('Bob')
    const bar = page.getByRole('region', { name: 'Unsaved changes' })
    await bar.waitFor()

    await page.getByRole('link', { name: 'Orders' }).click()
    await page.getByRole('button', { name: 'Stay' }).click()
    expect(page.url()).toContain('/apps/perennial')
    expect(await frame.getByLabel('Name').inputValue()).toBe('Bob')

    await bar.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved', { exact: true }).waitFor()
    await frame.getByLabel('Name').fill('Carl')
    await bar.getByRole('button', { name: 'Discard' }).click()
    await expect.poll(() => frame.getByLabel('Name').inputValue()).toBe('Ann')
    await expect.poll(() => bar.isVisible()).toBe(false)

    await frame.getByLabel('Name').fill('Dora')
    await page.getByRole('link', { name: 'Orders' }).click()
    await page.getByRole('button', { name: 'Leave page' }).click()
    await page.waitForURL('**/store/tea/orders')
  })

  test('opens a modal with the buttons of its title bar', async () => {
    const frame = await openApp('/app')
    await inApp(frame, "shopify.modal.show('ask')")
    const dialog = frame.getByRole('dialog', { name: 'Sure?' })
    await dialog.getByText('Take it back?').waitFor()
    await dialog.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('Taken back').waitFor()
    expect(await dialog.count()).toBe(0)
  })

  test('has products picked, with those chosen before already ticked', async () => {
    const frame = await openApp('/app')
    const pot = dev.store.products(SHOP)[1]!
    const picked = inApp<{ title: string }[]>(
      frame,
      `shopify.resourcePicker({ type: 'product', multiple: true, action: 'select', selectionIds: [{ id: '${pot.id}' }] })`,
    )
    const picker = page.getByRole('dialog', { name: 'Select products' })
    await picker.getByRole('checkbox', { name: 'Teapot' }).waitFor()
    expect(await picker.getByRole('checkbox', { name: 'Teapot' }).isChecked()).toBe(true)
    await picker.getByRole('checkbox', { name: 'Mug' }).check()
    await picker.getByRole('button', { name: 'Select' }).click()
    expect((await picked).map((one) => one.title).sort()).toEqual(['Mug', 'Teapot'])

    const cancelled = inApp(
      frame,
      "shopify.resourcePicker({ type: 'collection' }).then((chosen) => chosen === undefined)",
    )
    await page.getByRole('dialog', { name: 'Add collection' }).getByRole('button', { name: 'Cancel' }).click()
    expect(await cancelled).toBe(true)
  })

  test('is given an optional permission when the merchant allows it, and not otherwise', async () => {
    const frame = await openApp('/app')
    const ask = () => inApp<{ result: string }>(frame, `shopify.scopes.request(['${OPTIONAL}'])`)
    const dialog = page.getByRole('dialog', { name: 'asks for more permissions' })
    const declined = ask()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    expect((await declined).result).toBe('declined-all')
    expect(dev.store.shop(SHOP).installation!.scopes).not.toContain(OPTIONAL)

    const granted = ask()
    await dialog.getByRole('button', { name: 'Allow' }).click()
    expect((await granted).result).toBe('granted-all')
    expect(dev.store.shop(SHOP).installation!.scopes).toContain(OPTIONAL)
  })

  test('is told by name what App Bridge does not imitate', async () => {
    const frame = await openApp('/app')
    await expect(inApp(frame, 'shopify.pos.close()')).rejects.toThrow('does not imitate shopify.pos')
  })
})

describe('the merchant’s own pages', () => {
  test('break no rule of axe and do not scroll sideways, on a desk and on a phone', async () => {
    const ann = dev.store.createCustomer(SHOP, { email: 'ann@example.com', firstName: 'Ann', tags: ['gold'] })
    const placed = dev.store.placeOrder(SHOP, {
      customerId: ann.id,
      lines: [{ title: 'Mug', quantity: 2, unitPriceMinor: 1250 }],
    })
    const order = placed.ok ? placed.order.id.split('/').at(-1) : ''
    dev.store.addDiscount(SHOP, { kind: 'code_basic', title: 'Five off' }, 'FIVE')
    dev.store.addShop({ domain: 'bare.myshopify.com', name: 'Bare' })
    const paths = [
      'orders',
      `orders/${order}`,
      'products',
      'customers',
      `customers/${ann.id.split('/').at(-1)}`,
      'discounts',
      'settings',
    ]
    const urls = [
      ...paths.map((path) => `${dev.url}/store/tea/${path}`),
      `${dev.url}/store/bare/orders`,
      dev.adminUrl('bare.myshopify.com'),
    ]
    const found: string[] = []
    page = await (await browser.newContext({ userAgent: USER_AGENT })).newPage()
    for (const viewport of [
      { width: 1280, height: 900 },
      { width: 360, height: 740 },
    ]) {
      await page.setViewportSize(viewport)
      for (const url of urls) {
        await page.goto(url)
        await page.locator('main details').evaluateAll((all) => all.forEach((each) => each.setAttribute('open', '')))
        const { violations } = await new AxeBuilder({ page }).analyze()
        found.push(
          ...violations.map(
            ({ id, nodes }) => `${url} ${id}: ${nodes.map((node) => node.html.slice(0, 90)).join(' | ')}`,
          ),
        )
        const over = await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth)
        if (over > 0) found.push(`${url} is ${over} pixels too wide at ${viewport.width}`)
      }
    }
    expect(found).toEqual([])
  })
})

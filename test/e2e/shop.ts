/** A small running shop for one browser test: its own database, store, app and browser. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core'
import { afterAll, expect } from 'vitest'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import { describeProblem } from '#app/loyalty/problems.ts'
import { publishOnTop } from '#app/db/program-history.server.ts'
import { findShop } from '#app/db/shops.server.ts'
import { startLocal, type Local } from '#test/dev-store/local.ts'
import type { Customer, Product } from '#test/dev-store/records.ts'
import { launchBrowser, USER_AGENT } from './browser.ts'

export const SHOP = 'teapot.myshopify.com'

export type RunningShop = {
  local: Local
  browser: Browser
  shopId: number
  customer: Customer
  products: Product[]
  /** A window of its own: signed in as nobody, desktop size unless said otherwise. */
  open: (viewport?: { width: number; height: number }) => Promise<Page>
}

/** The program of the browser tests: a point for a pound, 14 days of waiting, 5.00 off for 50 points. */
export const PROGRAM = {
  version: 1,
  name: 'Teapot Club',
  pointsName: { one: 'leaf', other: 'leaves' },
  currency: 'GBP',
  timezone: 'Europe/London',
  basis: { tax: true },
  earning: [{ id: 'purchase', on: 'order', points: 1, per: '1.00' }],
  rewards: [{ id: 'five-off', type: 'amount', value: '5.00', cost: 50, validDays: 90 }],
}

/** Starts everything on free ports with a shop that sells two things and has one customer; ends it after the file. */
export async function openShop(program: unknown = PROGRAM): Promise<RunningShop> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-e2e-'))
  const local = await startLocal({ databaseUrl: process.env.DATABASE_URL!, folder, output: 'ignore' })
  const browser = await launchBrowser()
  afterAll(async () => {
    await browser.close()
    await local.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const { store } = local.dev
  store.addShop({
    domain: SHOP,
    name: 'Teapot',
    currency: 'GBP',
    timezone: 'Europe/London',
    countryCode: 'GB',
    taxesIncluded: true,
    taxRateBasisPoints: 2000,
    taxTitle: 'VAT',
    shippingMinor: 395,
  })
  const products = [
    store.addProduct(SHOP, { title: 'Brown teapot', priceMinor: 2000 }),
    store.addProduct(SHOP, { title: 'Tea towel', priceMinor: 850 }),
  ]
  const customer = store.createCustomer(SHOP, { email: 'ada@example.com', firstName: 'Ada', lastName: 'Wren' })
  store.installApp(SHOP)
  await local.dev.openApp(SHOP)
  const shop = await findShop(SHOP)
  const parsed = parseProgram(program)
  if (!parsed.ok) throw new Error(parsed.problems.map(describeProblem).join('; '))
  const at = store.now()
  await publishOnTop(shop!.id, parsed.document, { basedOn: 0, at, actor: 'test', note: 'Before the test' })
  const open = async (viewport = { width: 1280, height: 900 }) => {
    const context: BrowserContext = await browser.newContext({ userAgent: USER_AGENT, viewport })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    return page
  }
  return { local, browser, shopId: shop!.id, customer, products, open }
}

/** Signs in on the storefront as the customer with that name. */
export async function signIn(page: Page, storeUrl: string, name: string): Promise<void> {
  await page.goto(`${storeUrl}/account/login`)
  await page.getByRole('button', { name }).click()
  await page.getByRole('heading', { name: /Hello/ }).waitFor()
}

/** Puts one of the product into the cart, from its page. */
export async function addToCart(page: Page, storeUrl: string, product: Product, quantity: number): Promise<void> {
  await page.goto(`${storeUrl}/products/${product.handle}`)
  await page.getByLabel('Quantity').fill(String(quantity))
  await page.getByRole('button', { name: 'Add to cart' }).click()
  await page.getByRole('heading', { name: 'Your cart' }).waitFor()
}

/** Pays for what is in the cart; returns what the shopper paid, as the checkout said it. */
export async function pay(page: Page, storeUrl: string): Promise<string> {
  await page.goto(`${storeUrl}/checkout`)
  const button = page.getByRole('button', { name: /^Pay / })
  const amount = (await button.innerText()).replace('Pay ', '').trim()
  await button.click()
  await page.getByRole('heading', { name: /Thank you/ }).waitFor()
  return amount
}

/** Reloads the loyalty page until it says so: the app works behind the shopper's back. */
export async function waitForCard(page: Page, storeUrl: string, text: RegExp): Promise<void> {
  const card = page.locator('loyalty-card')
  await expect
    .poll(
      async () => {
        await page.goto(`${storeUrl}/pages/loyalty`)
        // Without a program at Shopify yet there is no card on the page.
        return (await card.allInnerTexts()).join(' ').replaceAll(/\s+/g, ' ')
      },
      { timeout: 20_000, interval: 250 },
    )
    .toMatch(text)
}

/**
 * Opens a page of the app in a shop's admin and waits until it can be used: React has taken it over (before, what is
 * typed is lost) and no skeleton is shown. Returns the app's frame.
 */
export async function openAdminPage(page: Page, address: string): Promise<FrameLocator> {
  await page.goto(address)
  const frame = page.frameLocator('#app-frame')
  await frame.locator('h1').first().waitFor()
  const isReady = () =>
    frame
      .locator('main')
      .first()
      .evaluate(
        (main) => !main.hasAttribute('hidden') && Object.keys(main).some((key) => key.startsWith('__reactFiber')),
      )
  await expect.poll(isReady, { timeout: 20_000 }).toBe(true)
  return frame
}

/** How much of the page has moved since it opened, by Chromium's own measure (Cumulative Layout Shift). */
export function measureLayoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value
        }).observe({ type: 'layout-shift', buffered: true })
        setTimeout(() => resolve(sum), 300)
      }),
  )
}

/** No rule of axe is broken on this page, frames included. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)
  expect(found).toEqual([])
}

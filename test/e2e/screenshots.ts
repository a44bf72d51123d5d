/** `node test/e2e/screenshots.ts`: takes the README's pictures from the demo shop that `npm start` has running. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { launchBrowser, USER_AGENT } from './browser.ts'

const FOLDER = path.join(import.meta.dirname, 'screenshots')
const STORE = process.argv[2] ?? 'http://127.0.0.1:4000'
const ADMIN = `${STORE}/store/perennial-gifts/apps/perennial`
/** Enough for fonts, charts and what is loaded late: nobody checks these pictures but people. */
const SETTLE_MS = 2_500
const DESK = { width: 1280, height: 860 }
const PHONE = { width: 390, height: 844 }

const PICTURES: { name: string; viewport: typeof DESK; open: (page: Page) => Promise<void> }[] = [
  { name: 'admin-member', viewport: DESK, open: openFirstMember },
  { name: 'admin-retention', viewport: DESK, open: (page) => openAdmin(page, '/app/retention') },
  { name: 'storefront-card', viewport: PHONE, open: openLoyaltyPage },
]

mkdirSync(FOLDER, { recursive: true })
const browser = await launchBrowser()
for (const { name, viewport, open } of PICTURES) {
  const context = await browser.newContext({ userAgent: USER_AGENT, viewport, deviceScaleFactor: 1 })
  const page = await context.newPage()
  await open(page)
  await page.screenshot({ path: path.join(FOLDER, `${name}.png`) })
  console.log(`${name}.png`)
  await context.close()
}
await browser.close()

async function openAdmin(page: Page, address: string): Promise<void> {
  await page.goto(ADMIN + address)
  await page.frameLocator('#app-frame').locator('h1').first().waitFor()
  await page.waitForTimeout(SETTLE_MS)
}

async function openFirstMember(page: Page): Promise<void> {
  await openAdmin(page, '/app/members?tier=gold')
  const frame = page.frameLocator('#app-frame')
  await frame.locator('tbody a').first().click()
  await frame.getByRole('heading', { name: 'History' }).waitFor()
  await page.waitForTimeout(SETTLE_MS)
}

async function openLoyaltyPage(page: Page): Promise<void> {
  await page.goto(`${STORE}/account/login`)
  await page.locator('.people button').first().click()
  await page.goto(`${STORE}/pages/loyalty`)
  await page.waitForTimeout(SETTLE_MS)
}

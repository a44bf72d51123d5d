/** Every page, as it opens on a desk and on a phone: it loads, breaks no rule of axe, and does not scroll sideways. */
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { keepAnswer } from '#app/db/feedback.server.ts'
import { takeImport } from '#app/jobs/take-import.ts'
import { expectAccessible, openAdminPage, openShop, PROGRAM, SHOP } from './shop.ts'

const SIZES = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } }

/** A program with something on every page: tiers, rewards, a campaign that has not begun. */
const FULL_PROGRAM = {
  ...PROGRAM,
  tiers: {
    metric: 'spend',
    window: { rollingDays: 365 },
    graceDays: 0,
    levels: [
      { id: 'member', name: 'Member', threshold: '0.00' },
      { id: 'gold', name: 'Gold', threshold: '500.00', multiplier: 2, discountPercent: 10 },
    ],
  },
  campaigns: [
    {
      id: 'spring',
      name: 'Spring days',
      from: '2090-04-10T09:00',
      until: '2090-04-13T09:00',
      offer: { bands: [{ from: '50.00', percentage: 5 }] },
      holdOut: 0.1,
    },
  ],
}

const shop = await openShop(FULL_PROGRAM)
const { store } = shop.local.dev
const placed = store.placeOrder(SHOP, {
  customerId: shop.customer.id,
  lines: [{ variantId: shop.products[0]!.variants[0]!.id, quantity: 2 }],
})
if (!placed.ok) throw new Error(placed.detail)
store.requestData(SHOP, shop.customer.id)
const said = { score: 9, comment: 'The tea came in a tin.' }
await keepAnswer(shop.shopId, shop.customer.id, { round: 1, openedAt: store.now() }, said, store.now())
await store.drained()

const memberNumber = shop.customer.id.split('/').at(-1)
const ADMIN_PAGES = [
  '/app',
  '/app/members',
  `/app/members/${memberNumber}`,
  '/app/imports',
  `/app/imports/${await takeFile()}`,
  '/app/program',
  '/app/program/versions',
  '/app/tiers',
  '/app/rewards',
  '/app/rewards/five-off',
  '/app/campaigns',
  '/app/campaigns/spring',
  '/app/messages',
  '/app/retention',
  '/app/retention/months',
  '/app/retention/cohorts',
  '/app/retention/intervals',
  '/app/retention/lifecycle',
  '/app/retention/rfm',
  '/app/retention/value',
  '/app/retention/pareto',
  '/app/retention/funnel',
  '/app/retention/nps',
  '/app/retention/cycles',
  '/app/retention/points',
  '/app/retention/customers',
]
const STORE_PAGES = ['/', '/collections/all', `/products/${shop.products[0]!.handle}`, '/cart', '/account/login']
const SIGNED_IN_PAGES = ['/account', '/pages/loyalty']
const MERCHANT_PAGES = ['/orders', `/orders/${placed.order.id.split('/').at(-1)}`, '/customers']

describe.each(Object.entries(SIZES))('at %s width', (_size, viewport) => {
  test.each(ADMIN_PAGES)('the admin page %s opens, is accessible and fits', async (path) => {
    const page = await shop.open(viewport)
    const problems = watch(page)
    const frame = await openAdminPage(page, shop.local.dev.adminUrl(SHOP) + path)
    expect(await frame.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth)).toBeLessThanOrEqual(0)
    await expectAccessible(page)
    expect(problems).toEqual([])
    await page.context().close()
  })

  test.each([...STORE_PAGES, '/dev'])('the page %s opens, is accessible and fits', async (path) => {
    const page = await shop.open(viewport)
    await expectGoodPage(page, shop.local.storeUrl + path)
    await page.context().close()
  })

  test.each(SIGNED_IN_PAGES)('the shopper’s page %s opens, is accessible and fits', async (path) => {
    const page = await shop.open(viewport)
    await page.goto(`${shop.local.storeUrl}/account/login`)
    await page.getByRole('button', { name: 'Ada Wren' }).click()
    await expectGoodPage(page, shop.local.storeUrl + path)
    await page.context().close()
  })

  test.each(MERCHANT_PAGES)('the merchant’s page %s opens, is accessible and fits', async (path) => {
    const page = await shop.open(viewport)
    await expectGoodPage(page, `${shop.local.storeUrl}/store/${SHOP.replace('.myshopify.com', '')}${path}`)
    await page.context().close()
  })
})

test('an address of the admin that is no page says so inside the frame, with the way home, and nothing breaks', async () => {
  const page = await shop.open(SIZES.desk)
  const problems = watch(page)
  const frame = await openAdminPage(page, `${shop.local.dev.adminUrl(SHOP)}/app/no-such-page`)
  await frame.getByText('There is no such page').waitFor()
  await frame.getByRole('link', { name: 'Go to Home' }).click()
  await frame.getByRole('heading', { name: 'Is everything connected?' }).waitFor()
  // The browser's own word for the status of the answer.
  expect(problems.filter((problem) => !problem.includes('status of 404'))).toEqual([])
  await page.context().close()
})

/** A file of another app with a line that can be used and one that cannot; returns its import's id. */
async function takeFile(): Promise<string> {
  async function* bytes() {
    yield Buffer.from(`email,points\n${shop.customer.email},120\nsomebody@example.com,twelve\n`)
  }
  const file = { fileName: 'members.csv', source: 'Smile.io', actor: 'test', bytes: bytes() }
  const taken = await takeImport(shop.shopId, file)
  if (!taken.ok) throw new Error(taken.error)
  return taken.id
}

async function expectGoodPage(page: Page, url: string): Promise<void> {
  const problems = watch(page)
  const response = await page.goto(url)
  expect(response?.status()).toBe(200)
  await page.locator('h1').first().waitFor()
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect(overflow).toBeLessThanOrEqual(0)
  await expectAccessible(page)
  expect(problems).toEqual([])
}

/** What the browser complained about while the page was open. */
function watch(page: Page): string[] {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  return problems
}

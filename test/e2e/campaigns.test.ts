/** Campaigns as a merchant and shoppers live with them: paused, resumed, ended, in steps, and unseen by those held out. */
import type { FrameLocator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { applyEvents } from '#app/db/world.server.ts'
import { isHeldOut } from '#app/loyalty/campaigns.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { addToCart, expectAccessible, openAdminPage, openShop, PROGRAM, SHOP, signIn } from './shop.ts'

const MINUTE_MS = 60_000
/** The app hears and Shopify is told behind everybody's back. */
const PATIENT = { timeout: 30_000, interval: 500 }

const BANDS = [
  { from: '50.00', percentage: 5 },
  { from: '100.00', percentage: 10 },
]
const DAY_MS = 86_400_000
const TODAY = Date.now()
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)
const midnight = (days: number) => `${dayOf(TODAY + days * DAY_MS)}T00:00`
const THESE_DAYS = { from: midnight(-30), until: midnight(30) }
const LATER = { from: midnight(40), until: midnight(50) }
/** Around the last Sunday of a March to come, when London's clocks go forward: 09:00 is 09:00 UTC before that night, 08:00 UTC after. */
const YEAR = new Date(TODAY).getUTCFullYear() + 2
const CLOCKS_CHANGE = Date.UTC(YEAR, 2, 31 - new Date(Date.UTC(YEAR, 2, 31)).getUTCDay())
const SPRING_STARTS_AT = CLOCKS_CHANGE - DAY_MS + 9 * 3_600_000
const SPRING_ENDS_AT = CLOCKS_CHANGE + DAY_MS + 8 * 3_600_000
const SPRING = { from: `${dayOf(SPRING_STARTS_AT)}T09:00`, until: `${dayOf(SPRING_ENDS_AT)}T09:00` }
const program = {
  ...PROGRAM,
  hold: { days: 0 },
  campaigns: [
    { id: 'tea', name: 'Tea days', ...THESE_DAYS, offer: { percentage: 10 } },
    { id: 'double', name: 'Double leaves', ...THESE_DAYS, offer: { pointsMultiplier: 2 } },
    {
      id: 'secret',
      name: 'Secret sale',
      ...LATER,
      offer: { percentage: 30 },
      holdOut: 0.5,
    },
    {
      id: 'triple',
      name: 'Triple leaves',
      ...LATER,
      offer: { pointsMultiplier: 3 },
      holdOut: 0.5,
    },
    { id: 'never', name: 'Never sale', ...LATER, offer: { percentage: 5 } },
    { id: 'bands', name: 'Bigger is better', ...SPRING, offer: { bands: BANDS } },
  ],
}

const { local, shopId, products, open } = await openShop(program)
const { store } = local.dev
const [teapot] = products

const cartText = async (page: Page) => {
  await page.goto(`${local.storeUrl}/cart`)
  return (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ')
}
const estimateText = async (page: Page) => {
  await page.goto(`${local.storeUrl}/products/${teapot!.handle}`)
  const block = page.locator('loyalty-estimate')
  await expect.poll(() => block.innerText(), PATIENT).toMatch(/leaves/)
  return block.innerText()
}
const adminPage = (page: Page, id: string) => openAdminPage(page, `${local.dev.adminUrl(SHOP)}/app/campaigns/${id}`)

/** Presses a button of the page's header and waits until the merchant was told. */
async function press(page: Page, frame: FrameLocator, name: string, said: string): Promise<void> {
  await frame.getByRole('button', { name, exact: true }).click()
  await page.getByText(said).first().waitFor()
}

async function endNow(page: Page, frame: FrameLocator): Promise<void> {
  await frame.getByRole('button', { name: 'End now' }).click()
  const dialog = frame.getByRole('dialog')
  await dialog.getByText('It cannot be taken up again').waitFor()
  await dialog.getByRole('button', { name: 'End it' }).click()
  await page.getByText('The campaign is over').waitFor()
  await frame.getByText('Ended').first().waitFor()
  expect(await frame.getByRole('button', { name: /Pause|Resume|End now/ }).count()).toBe(0)
}

test('a discount is paused, resumed and ended early, and the cart follows', async () => {
  store.setTime(TODAY)
  const guest = await open()
  await addToCart(guest, local.storeUrl, teapot!, 1)
  const isOn = async () => (await cartText(guest)).includes('Tea days')
  await expect.poll(isOn, PATIENT).toBe(true)

  const merchant = await open()
  const frame = await adminPage(merchant, 'tea')
  await press(merchant, frame, 'Pause', 'The campaign is paused')
  await frame.getByText('Paused').first().waitFor()
  await expect.poll(isOn, PATIENT).toBe(false)
  await expectAccessible(merchant)

  await press(merchant, frame, 'Resume', 'The campaign goes on')
  await expect.poll(isOn, PATIENT).toBe(true)

  await endNow(merchant, frame)
  await expect.poll(isOn, PATIENT).toBe(false)
  await frame.getByText(/While it ran: .+, 00:00 to .+ and .+ to .+ It was ended by hand/).waitFor()
  await expectAccessible(merchant)
  if (process.env.SHOT) await merchant.screenshot({ path: '/var/tmp/lead/shots/results.png' })
  await frame.getByRole('link', { name: /^Buyers: 0/ }).click()
  await frame.getByRole('heading', { level: 1, name: 'Buyers while a campaign ran' }).waitFor()
  await frame.getByText('Nobody here').waitFor()
})

test('more points are paused, resumed and ended early too, and what a product earns follows at once', async () => {
  store.setTime(TODAY)
  const guest = await open()
  expect(await estimateText(guest)).toMatch(/\b40 leaves/)
  const merchant = await open()
  const frame = await adminPage(merchant, 'double')
  await press(merchant, frame, 'Pause', 'The campaign is paused')
  expect(await estimateText(guest)).toMatch(/\b20 leaves/)
  await frame.getByText('Paused').first().waitFor()
  await press(merchant, frame, 'Resume', 'The campaign goes on')
  expect(await estimateText(guest)).toMatch(/\b40 leaves/)
  await endNow(merchant, frame)
  expect(await estimateText(guest)).toMatch(/\b20 leaves/)
})

test('a campaign is called off before it begins, and does not begin', async () => {
  store.setTime(TODAY)
  const merchant = await open()
  const frame = await adminPage(merchant, 'never')
  await frame.getByRole('button', { name: 'Call off' }).click()
  const dialog = frame.getByRole('dialog')
  await dialog.getByText('It will not begin. It cannot be taken up again').waitFor()
  await dialog.getByRole('button', { name: 'Keep it' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await frame.getByText('Scheduled').first().waitFor()
  await frame.getByRole('button', { name: 'Call off' }).click()
  await dialog.getByRole('button', { name: 'Call it off' }).click()
  await merchant.getByText('The campaign is called off').waitFor()
  await frame.getByText('Ended').first().waitFor()
  expect(await frame.getByRole('button', { name: 'Call off' }).count()).toBe(0)

  store.setTime(TODAY + 45 * DAY_MS)
  const guest = await open()
  await addToCart(guest, local.storeUrl, teapot!, 1)
  await expect.poll(() => cartText(guest), PATIENT).toContain('Secret sale')
  expect(await cartText(guest)).not.toContain('Never sale')
})

test('who is held out sees a campaign nowhere: not on the product, the card, in the cart or at checkout', async () => {
  const [first, second] = ['secret', 'triple'].map((id) =>
    requireProgram(program).campaigns.find((one) => one.id === id)!,
  )
  const find = (heldOut: boolean) => {
    for (let at = 0; ; at += 1) {
      const email = `${heldOut ? 'held' : 'chosen'}-${at}@example.com`
      const customer = store.createCustomer(SHOP, {
        email,
        firstName: heldOut ? 'Held' : 'Chosen',
        lastName: String(at),
      })
      if ([first!, second!].every((campaign) => isHeldOut(campaign, customer.id) === heldOut)) return customer
    }
  }
  store.setTime(TODAY + 45 * DAY_MS)
  for (const [customer, heldOut] of [
    [find(true), true],
    [find(false), false],
  ] as const) {
    const at = store.now()
    const gift = {
      type: 'adjust',
      at,
      customer: customer.id,
      points: 10,
      reason: 'test',
      actor: 'test',
      key: customer.id,
    } as const
    await applyEvents(shopId, [{ type: 'customer', at, customer: customer.id, state: 'enabled' }, gift], at)
    const page = await open()
    await signIn(page, local.storeUrl, `${customer.firstName} ${customer.lastName}`)
    const card = async () => {
      await page.goto(`${local.storeUrl}/pages/loyalty`)
      return (await page.locator('[data-balance]').allInnerTexts()).join()
    }
    await expect.poll(card, PATIENT).toBe('10')
    const seen = {
      product: /\b60 leaves/.test(await estimateText(page)),
      card: /Secret sale|Triple leaves/.test(
        await page.goto(`${local.storeUrl}/pages/loyalty`).then(() => page.locator('loyalty-card').innerText()),
      ),
      cart: await addToCart(page, local.storeUrl, teapot!, 1).then(async () =>
        (await cartText(page)).includes('Secret sale'),
      ),
      checkout: await page
        .goto(`${local.storeUrl}/checkout`)
        .then(async () => (await page.locator('main').innerText()).includes('Secret sale')),
    }
    expect([customer.email, seen]).toEqual([
      customer.email,
      // The card tells of no campaign to anybody: there is nothing to leave out.
      { product: !heldOut, card: false, cart: !heldOut, checkout: !heldOut },
    ])
  }
})

test('steps begin at 50.00 and 100.00 and not a penny before, from the first minute to the last over the night in spring', async () => {
  const almost = store.addProduct(SHOP, { title: 'Almost fifty', priceMinor: 4999 })
  const fifty = store.addProduct(SHOP, { title: 'Fifty', priceMinor: 5000 })
  store.setTime(SPRING_STARTS_AT)
  // With 3.95 for shipping.
  const paysFor = async (product: typeof almost, quantity: number) => {
    const shopper = await open()
    await addToCart(shopper, local.storeUrl, product, quantity)
    const text = await cartText(shopper)
    await shopper.context().close()
    return /Total £([\d.]+)/.exec(text)?.[1]
  }
  await expect.poll(() => paysFor(fifty, 1), PATIENT).toBe('51.45')
  expect(await paysFor(almost, 1)).toBe('53.94')
  expect(await paysFor(fifty, 2)).toBe('93.95')
  // 5 % of 99.98 are 4.999: the merchant's preview and the cart round alike.
  expect(await paysFor(almost, 2)).toBe('98.93')
  const merchant = await open()
  const frame = await adminPage(merchant, 'bands')
  for (const [cart, said] of [
    ['49.99', 'pays £49.99: it is under the first step'],
    ['50.00', 'pays £47.50 instead of £50.00'],
    ['99.98', 'pays £94.98 instead of £99.98'],
    ['100.00', 'pays £90.00 instead of £100.00'],
  ] as const) {
    await frame.getByLabel('A cart of').fill(cart)
    await frame.getByText(said).waitFor()
  }

  const guest = await open()
  await addToCart(guest, local.storeUrl, fifty, 1)
  const sees = async (instant: number) => {
    store.setTime(instant)
    return (await cartText(guest)).includes('Bigger is better')
  }
  expect(await sees(SPRING_STARTS_AT - MINUTE_MS)).toBe(false)
  expect(await sees(SPRING_STARTS_AT)).toBe(true)
  expect(await sees(SPRING_ENDS_AT - MINUTE_MS)).toBe(true)
  expect(await sees(SPRING_ENDS_AT)).toBe(false)
})

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { publishOnTop } from '#app/db/program-history.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import { addToCart, openAdminPage, openShop, pay, PROGRAM, SHOP, signIn } from './shop.ts'

const REWARDS = [
  { id: 'five-off', type: 'amount', value: '5.00', cost: 50, validDays: 90 },
  { id: 'any', type: 'amount', perPoints: 10, value: '1.00', step: 10, validDays: 30 },
  { id: 'tenth', type: 'percentage', value: 10, cost: 40 },
  { id: 'ship', type: 'shipping', cost: 30 },
]

/** Presses a reward's button on the loyalty page and waits for what the card then says. */
async function redeem(page: Page, storeUrl: string, label: string, said: RegExp): Promise<void> {
  await page.goto(`${storeUrl}/pages/loyalty`)
  await page.getByRole('button', { name: `Redeem: ${label}` }).click()
  await page.locator('[data-status]').filter({ hasText: said }).waitFor()
}

/** Adds a reward that is money of the shop, and gives the permission that it asks for when it is first used. */
async function addCredit(
  page: Page,
  adminUrl: string,
  { kind, warning, worth, cost }: { kind: string; warning: string; worth: string; cost: string },
): Promise<void> {
  const frame = await openAdminPage(page, `${adminUrl}/app/rewards/new`)
  await frame.getByLabel('Kind of reward').selectOption(kind)
  await frame.getByText(warning).waitFor()
  await frame.getByRole('button', { name: 'Allow it' }).click()
  const dialog = page.locator('#scopes-dialog')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await frame.getByText('the permission was not given').waitFor()
  await frame.getByRole('button', { name: 'Allow it' }).click()
  await dialog.getByRole('button', { name: 'Allow' }).click()
  await expect.poll(() => frame.getByText(warning).count(), { timeout: 20_000 }).toBe(0)
  await frame.getByLabel('Costs (points)').fill(cost)
  await frame.getByLabel('Worth').fill(worth)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Reward saved').waitFor()
}

/** The code of the newest reward on the card with that label. */
const codeOf = (page: Page, label: string) =>
  page.locator('[data-redemption]', { hasText: label }).locator('[data-code]').last().innerText()

/** What the shopper pays for one teapot (20.00 and 3.95 for shipping) with a code. */
async function payWith(
  page: Page,
  storeUrl: string,
  product: Parameters<typeof addToCart>[2],
  code: string | null,
): Promise<string> {
  await addToCart(page, storeUrl, product, 1)
  if (code !== null) {
    await page.getByLabel(/code/i).first().fill(code)
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText(`${code} applied`).waitFor()
  }
  return pay(page, storeUrl)
}

test('every type of reward is redeemed on the storefront and pays at checkout', async () => {
  const { local, shopId, customer, products, open } = await openShop({ ...PROGRAM, rewards: REWARDS })
  const { store } = local.dev
  const free = { id: 'teapot', type: 'product', products: [products[0]!.id], cost: 90 }
  const parsed = parseProgram({ ...PROGRAM, rewards: [...REWARDS, free] })
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message)
  await publishOnTop(shopId, parsed.document, { basedOn: 1, at: store.now(), actor: 'test', note: 'A free teapot' })
  const at = store.now()
  const gift = {
    type: 'adjust',
    at,
    customer: customer.id,
    points: 1_000,
    reason: 'test',
    actor: 'test',
    key: 'gift',
  } as const
  await applyEvents(shopId, [{ type: 'customer', at, customer: customer.id, state: 'enabled' }, gift], at)
  const merchant = await open()
  await addCredit(merchant, local.dev.adminUrl(SHOP), {
    kind: 'store-credit',
    warning: 'may not give store credit',
    worth: '8.00',
    cost: '80',
  })
  await addCredit(merchant, local.dev.adminUrl(SHOP), {
    kind: 'gift-card',
    warning: 'may not make gift cards',
    worth: '7.00',
    cost: '70',
  })
  expect(store.shop(SHOP).installation?.scopes).toEqual(
    expect.arrayContaining([
      'write_store_credit_account_transactions',
      'read_store_credit_accounts',
      'write_gift_cards',
    ]),
  )
  const page = await open()
  const [teapot] = products
  await signIn(page, local.storeUrl, 'Ada Wren')
  await expect
    .poll(
      async () => {
        await page.goto(`${local.storeUrl}/pages/loyalty`)
        return page.locator('[data-balance]').count()
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBe(1)
  const buy = (code: string | null) => payWith(page, local.storeUrl, teapot!, code)

  await redeem(page, local.storeUrl, '£5.00 off', /Here is your code/)
  expect(await buy(await codeOf(page, '£5.00 off'))).toBe('£18.95')

  await page.goto(`${local.storeUrl}/pages/loyalty`)
  await page.getByLabel('How many leaves?').fill('120')
  await page.getByRole('button', { name: 'Redeem: £1.00 off' }).click()
  await page.locator('[data-status]').filter({ hasText: 'Here is your code' }).waitFor()
  expect(await buy(await codeOf(page, '£12.00 off'))).toBe('£11.95')

  await redeem(page, local.storeUrl, '10% off', /Here is your code/)
  expect(await buy(await codeOf(page, '10% off'))).toBe('£21.95')

  await redeem(page, local.storeUrl, 'Free shipping', /Here is your code/)
  expect(await buy(await codeOf(page, 'Free shipping'))).toBe('£20.00')

  await redeem(page, local.storeUrl, '£8.00 store credit', /on your account/)
  await addToCart(page, local.storeUrl, teapot!, 1)
  await page.goto(`${local.storeUrl}/checkout`)
  await page.getByLabel('Use store credit').check()
  await page.getByRole('button', { name: /^Pay / }).click()
  await page.getByRole('heading', { name: /Thank you/ }).waitFor()
  expect(store.storeCreditOf(SHOP, customer.id)).toMatchObject([{ balanceMinor: 0 }])

  await redeem(page, local.storeUrl, '£7.00 gift card', /Here is your code/)
  const card = await codeOf(page, '£7.00 gift card')
  expect(store.giftCardByCode(SHOP, card)).toMatchObject({ balanceMinor: 700 })
  await addToCart(page, local.storeUrl, teapot!, 1)
  await page.goto(`${local.storeUrl}/checkout`)
  await page.getByLabel('Gift card (optional)').fill(card)
  await page.getByRole('button', { name: /^Pay / }).click()
  await page.getByRole('heading', { name: /Thank you/ }).waitFor()
  expect(store.giftCardByCode(SHOP, card)).toMatchObject({ balanceMinor: 0 })

  // One teapot of two is free.
  await redeem(page, local.storeUrl, `Free: ${teapot!.title}`, /Here is your code/)
  const freeCode = await codeOf(page, `Free: ${teapot!.title}`)
  await expect
    .poll(() => page.locator('[data-balance]').innerText())
    .toBe(String(1_000 - 50 - 120 - 40 - 30 - 80 - 70 - 90))
  await addToCart(page, local.storeUrl, teapot!, 1)
  expect(await buy(freeCode)).toBe('£23.95')

  // Two tabs want the same points at once: one gets them, the other is told, nothing is lost.
  const tabs = [page, await page.context().newPage()]
  for (const tab of tabs) {
    await tab.goto(`${local.storeUrl}/pages/loyalty`)
    await tab.getByLabel('How many leaves?').fill('500')
  }
  await Promise.all(tabs.map((tab) => tab.getByRole('button', { name: 'Redeem: £1.00 off' }).click()))
  const said = tabs.map((tab) => tab.locator('[data-status]').filter({ hasText: /Here is your code|enough/ }))
  const answers = await Promise.all(
    said.map(async (status) => {
      await status.first().waitFor()
      return (await status.first().innerText()).includes('Here is your code')
    }),
  )
  expect(answers.sort()).toEqual([false, true])
  await page.goto(`${local.storeUrl}/pages/loyalty`)
  await expect.poll(() => page.locator('[data-balance]').innerText()).toBe(String(520 - 500))
}, 300_000)

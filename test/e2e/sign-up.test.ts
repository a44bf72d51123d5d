import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { addToCart, openShop, PROGRAM, SHOP, waitForCard } from './shop.ts'

const EARNING = [
  ...PROGRAM.earning,
  { id: 'welcome', on: 'signup', points: 100, limit: { times: 1, every: 'ever' } },
  { id: 'review', on: 'review', points: 20, limit: { times: 1, every: 'order' } },
]

test('whoever registers gets what the shop promises for signing up, a guest when they make an account, and a workflow’s review', async () => {
  const { local, shopId, products, open } = await openShop({ ...PROGRAM, earning: EARNING })
  const { store } = local.dev
  const page = await open({ width: 390, height: 844 })
  const register = async (firstName: string, email: string) => {
    await page.goto(`${local.storeUrl}/account/register`)
    await page.getByLabel('First name').fill(firstName)
    await page.getByLabel('Last name').fill('Wren')
    await page.getByLabel('E-mail').fill(email)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByRole('heading', { name: /Hello/ }).waitFor()
  }

  // WHEN somebody new makes an account
  await register('Eve', 'eve@example.com')
  // THEN the points are there, as the card promises
  await waitForCard(page, local.storeUrl, /100 leaves/)
  await page.getByText('How to earn leaves').click()
  await page.getByText('100 leaves for signing up').waitFor()
  expect(await page.locator('[data-balance]').innerText()).toBe('100')

  // WHEN another one buys as a guest, and makes an account with that address later
  await page.context().clearCookies()
  await addToCart(page, local.storeUrl, products[0]!, 1)
  await page.goto(`${local.storeUrl}/checkout`)
  await page.getByLabel('E-mail').fill('bo@example.com')
  await page.getByRole('button', { name: /^Pay / }).click()
  await page.getByRole('heading', { name: /Thank you/ }).waitFor()
  const bo = store.customerByEmail(SHOP, 'bo@example.com')!
  expect(bo.state).toBe('disabled')
  await register('Bo', 'bo@example.com')
  // THEN the order's points wait, and those for signing up can be spent
  await waitForCard(page, local.storeUrl, /100 leaves .*20 /)
  expect(await page.locator('[data-balance]').innerText()).toBe('100')

  // WHEN a workflow of the merchant's records a review of theirs, twice
  const step = JSON.stringify({
    shopify_domain: SHOP,
    action_run_id: 'a-run',
    handle: 'record-activity',
    properties: { customer_id: bo.id.split('/').at(-1), activity: 'review' },
  })
  const signature = createHmac('sha256', local.keys.apiSecret).update(step).digest('base64')
  const told = async () => {
    const headers = { 'Content-Type': 'application/json', 'X-Shopify-Hmac-Sha256': signature }
    const answer = await fetch(`${local.appUrl}/flow/record-activity`, { method: 'POST', headers, body: step })
    return { status: answer.status, body: (await answer.json()) as unknown }
  }
  expect(await told()).toEqual({ status: 200, body: { ok: true, points: 20 } })
  expect(await told()).toEqual({ status: 200, body: { ok: true, points: 0 } })
  await waitForCard(page, local.storeUrl, /120 leaves/)
  expect((await checkLedger(shopId)).differences).toEqual([])
})

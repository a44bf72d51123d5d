import { expect, test } from 'vitest'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { addToCart, expectAccessible, openShop, pay, SHOP, signIn, waitForCard } from './shop.ts'

const DAY_MS = 86_400_000

test('a shopper buys, waits, redeems, pays less, and a refund takes the points back', async () => {
  // GIVEN a shop with a program and a shopper who is signed in
  const { local, shopId, customer, products, open } = await openShop()
  const { store } = local.dev
  const page = await open({ width: 390, height: 844 })
  await signIn(page, local.storeUrl, 'Ada Wren')

  // WHEN she buys three teapots for 60.00
  await addToCart(page, local.storeUrl, products[0]!, 3)
  expect(await pay(page, local.storeUrl)).toBe('£63.95')

  // THEN 60 points wait, and none can be spent
  await waitForCard(page, local.storeUrl, /0 leaves .*60 .*waiting|0 leaves .*60/)
  await expectAccessible(page)
  expect(await page.locator('[data-balance]').innerText()).toBe('0')

  // WHEN the hold is over
  store.advanceTime(15 * DAY_MS)
  await waitForCard(page, local.storeUrl, /60 leaves/)
  expect(await page.locator('[data-balance]').innerText()).toBe('60')

  // AND she spends 50 of them
  await page.getByRole('button', { name: /Redeem/ }).click()
  await page.locator('[data-codes-list] [data-code]').first().waitFor()
  const code = await page.locator('[data-codes-list] [data-code]').first().innerText()
  await expect.poll(() => page.locator('[data-balance]').innerText()).toBe('10')
  await expectAccessible(page)

  // THEN the code takes 5.00 off the next checkout
  await addToCart(page, local.storeUrl, products[1]!, 2)
  await page.getByLabel(/code/i).first().fill(code)
  await page.getByRole('button', { name: 'Apply' }).click()
  expect(await pay(page, local.storeUrl)).toBe('£15.95')
  const [, second] = store.ordersOf(customer.id)
  expect(second!.discountApplications.map((application) => application.code)).toEqual([code])

  // AND is used: it is not among her codes any more
  await expect
    .poll(
      async () => {
        await page.goto(`${local.storeUrl}/pages/loyalty`)
        return page.getByText(code).count()
      },
      { timeout: 20_000 },
    )
    .toBe(0)

  // WHEN the merchant refunds the first order
  const [first] = store.ordersOf(customer.id)
  store.refund(SHOP, first!.id, { lines: first!.lines.map((line) => ({ lineId: line.id, quantity: line.quantity })) })

  // THEN its 60 points go: 10 that were left, and 50 below zero until the next purchase's points come free
  await waitForCard(page, local.storeUrl, /-50 leaves|−50 leaves/)

  // AND the ledger's balances and lots are what its transfers say
  expect((await checkLedger(shopId)).differences).toEqual([])
})

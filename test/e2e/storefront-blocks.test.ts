import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { applyEvents } from '#app/db/world.server.ts'
import { expectAccessible, measureLayoutShift, openShop, PROGRAM, SHOP, signIn } from './shop.ts'

const TEXT = async (page: Page) => (await page.locator('loyalty-card').innerText()).replaceAll(/\s+/g, ' ')

/** How many pixels lie between an element and the last words seen above it in the same parent. */
const gapAbove = (heading: Locator) =>
  heading.evaluate((element) => {
    const isSeen = (each: Element) => each.textContent?.trim() && each.getBoundingClientRect().height > 1
    let above = element.previousElementSibling
    while (above && !isSeen(above)) above = above.previousElementSibling
    return element.getBoundingClientRect().top - above!.getBoundingClientRect().bottom
  })

/** Whether a shopper sees it without scrolling: within the window, and nothing of the theme's lies over it. */
const isInSight = (place: Locator) =>
  place.evaluate((element) => {
    const { left, top, height } = element.getBoundingClientRect()
    return element.contains(document.elementFromPoint(left + 2, top + height / 2))
  })

/** The app works behind the shopper's back. */
const PATIENT = { timeout: 30_000, interval: 500 }

test('the loyalty card in each of its states: guest, no points, redeemed by keyboard, shop away, given back, history', async () => {
  const { local, shopId, customer, products, browser, open } = await openShop({
    ...PROGRAM,
    hold: { days: 0 },
    earning: [...PROGRAM.earning, { id: 'birthday', on: 'birthday', points: 25 }],
    rewards: [...PROGRAM.rewards, { id: 'any', type: 'amount', perPoints: 10, value: '1.00', step: 10, validDays: 30 }],
  })
  const { store } = local.dev
  const card = `${local.storeUrl}/pages/loyalty`

  // A guest sees what there is, and the way in.
  const page = await open({ width: 390, height: 844 })
  await expect
    .poll(async () => {
      await page.goto(card)
      return page.locator('loyalty-card').count()
    }, PATIENT)
    .toBe(1)
  expect(await TEXT(page)).toMatch(/Teapot Club.*Sign in.*Rewards.*£5\.00 off/)
  await expectAccessible(page)

  // Somebody new has no points yet.
  await signIn(page, local.storeUrl, 'Ada Wren')
  const give = (...gifts: number[]) => {
    const gift = { type: 'adjust', at: store.now(), customer: customer.id, reason: 'test', actor: 'test' } as const
    const events = gifts.map((points, place) => ({ ...gift, points, key: `gift ${gifts.length} ${place}` }))
    return applyEvents(shopId, events, store.now())
  }
  await applyEvents(
    shopId,
    [{ type: 'customer', at: store.now(), customer: customer.id, state: 'enabled' }],
    store.now(),
  )
  await give(120)
  await expect
    .poll(async () => {
      await page.goto(card)
      return page.locator('[data-balance]').count()
    }, PATIENT)
    .toBe(1)
  // The script brings the newest figures, whatever the metafield still says.
  await expect.poll(() => page.locator('[data-balance]').innerText()).toBe('120')
  expect(await page.getByRole('button', { name: 'Redeem: £5.00 off' }).isEnabled()).toBe(true)

  // Nothing on the page moves while the script fills it in.
  expect(await measureLayoutShift(page)).toBeLessThan(0.1)

  // Nor is there a hole where later something will be said: the rewards follow the last line above them.
  expect(await gapAbove(page.getByRole('heading', { name: 'Rewards', level: 3 }))).toBeLessThan(32)

  // On a small phone the rewards' buttons stand at the end of their rows, whether there is a field before them or not.
  await page.setViewportSize({ width: 360, height: 740 })
  const short = await page.getByRole('button', { name: /^Redeem/ }).evaluateAll((buttons) =>
    buttons.map((button) => {
      const { right } = button.closest('li')!.getBoundingClientRect()
      return Math.round(right - button.getBoundingClientRect().right)
    }),
  )
  expect(short).toEqual([0, 0])
  await page.setViewportSize({ width: 390, height: 844 })

  // Text at twice its size stays within the blocks.
  const enlarged = await page.addStyleTag({ content: ':root { font-size: 200% }' })
  for (const block of await page.locator('loyalty-card, loyalty-feedback').all()) {
    expect(await block.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0)
  }
  await enlarged.evaluate((style) => style.parentNode?.removeChild(style))

  // Redeemed by keyboard alone; the result is said beside the code and read out, and the code has the focus and is in sight.
  await page.getByRole('button', { name: 'Redeem: £5.00 off' }).focus()
  await page.keyboard.press('Enter')
  const held = page.locator('[data-redemption]')
  await held.getByText('Here is your code').waitFor()
  await page.getByRole('status').getByText('Here is your code').waitFor()
  expect(await isInSight(held.locator('[data-code]'))).toBe(true)
  await expect.poll(() => page.locator('[data-balance]').innerText()).toBe('70')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Copy')
  await expectAccessible(page)
  await page.context().grantPermissions(['clipboard-write'])
  await page.keyboard.press('Enter')
  await held.getByText('Copied.').waitFor()
  expect(await page.locator('[data-status]:not(:empty)').count()).toBe(1)

  // What is said of points and codes is said of those there are now.
  expect(await page.locator('[data-expiry]').innerText()).toMatch(
    /^70 of them end on \w+ \d+, \d{4}\.$|^70 of them end on \d+ \w+ \d{4}\.$/,
  )
  expect(await page.locator('[data-redemption] [data-until]').innerText()).toMatch(/^Until \w/)

  // Giving back is asked about first, and can be left alone.
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('It stops working, and its points return to you').waitFor()
  await expectAccessible(page)
  await page.getByText('Keep it').click()
  expect(await page.getByRole('button', { name: 'Yes, give it back' }).isVisible()).toBe(false)
  expect(await page.locator('[data-balance]').innerText()).toBe('70')

  // Given back: the points return, and the focus is where that is said.
  await page.getByText('Give back', { exact: true }).click()
  await page.getByRole('button', { name: 'Yes, give it back' }).click()
  const back = /Your points are back|The code is being taken back/
  await page.getByRole('status').getByText(back).waitFor()
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toMatch(back)
  await expect.poll(() => page.locator('[data-balance]').innerText(), PATIENT).toBe('120')

  // The shop is away: the shopper is told so where they look, keeps the points, and a keyboard its place.
  store.setFault({ api: '500', times: 50 })
  await page.getByLabel('How many leaves?').fill('40')
  await page.getByRole('button', { name: 'Redeem: £1.00 off' }).focus()
  await page.keyboard.press('Enter')
  const refusal = page.getByRole('listitem').filter({ hasText: '£1.00 off' }).locator('[data-status]')
  await refusal.getByText('Your points are back; please try again later').waitFor()
  expect(await isInSight(refusal)).toBe(true)
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Redeem: £1.00 off')
  expect(await page.locator('[data-balance]').innerText()).toBe('120')
  store.clearFaults()

  // A birthday is confirmed beside its fields, and known from then on.
  await page.locator('summary', { hasText: 'Your birthday' }).click()
  await page.getByLabel('Month').fill('12')
  await page.getByLabel('Day').fill('24')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('[data-birthday]').getByText('Saved.').waitFor()
  await expectAccessible(page)
  await page.reload()
  await expect.poll(() => page.getByLabel('Month').inputValue()).toBe('12')
  expect(await page.getByLabel('Day').inputValue()).toBe('24')

  // What happened is in the history.
  await page.locator('summary', { hasText: 'History' }).click()
  await page.getByText('Adjustment by the shop').waitFor()
  await expectAccessible(page)

  // A long one comes in parts. A part that fails can be asked for again from the same button, which keeps the focus.
  await give(...Array.from({ length: 52 }, (_, place) => (place % 2 ? -1 : 1)))
  await page.reload()
  await page.locator('summary', { hasText: 'History' }).click()
  const rows = page.locator('[data-history-list] li')
  await expect.poll(() => rows.count()).toBe(25)
  await page.route('**/apps/loyalty/history?*', (route) => route.abort())
  await page.getByRole('button', { name: 'Show more' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('The history cannot be shown right now').waitFor()
  await page.unroute('**/apps/loyalty/history?*')
  await page.keyboard.press('Enter')
  await expect.poll(() => rows.count()).toBe(50)
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Show more')

  // In another language everything is said in it, what the app itself tells too, and the browser remembers it.
  await page.getByLabel('Language of the loyalty blocks').selectOption('de')
  await page.getByRole('contentinfo').getByRole('button', { name: 'Change' }).click()
  await expect.poll(() => TEXT(page)).toMatch(/Prämien 5,00 £ Rabatt 50 leaves 90 Tage gültig Einlösen/)
  expect(await TEXT(page)).not.toMatch(/\b(Redeem|Rewards|off|Valid)\b/)
  await page.getByLabel('Wie viele leaves?').fill('20')
  await page.getByRole('button', { name: 'Einlösen: 1,00 £ Rabatt' }).click()
  const inGerman = page.getByRole('listitem').filter({ has: page.locator('[data-code]') })
  await inGerman.getByText('2,00 £ Rabatt').waitFor()
  await page.getByRole('status').getByText('Hier ist dein Code.').waitFor()
  await page.locator('summary', { hasText: 'Verlauf' }).click()
  await page.getByText('Anpassung durch den Shop').first().waitFor()
  await expectAccessible(page)
  // Rendered by Liquid alone, the code says the same.
  await expect
    .poll(async () => (await (await page.request.get(card)).text()).replaceAll('\u00a0', ' '), PATIENT)
    .toMatch(/<span data-label>£2\.00 Rabatt<\/span>/)
  await inGerman.getByText('Zurückgeben', { exact: true }).click()
  await page.getByRole('button', { name: 'Ja, zurückgeben' }).click()
  await expect.poll(() => page.locator('[data-balance]').innerText(), PATIENT).toBe('120')
  await page.getByLabel('Language of the loyalty blocks').selectOption('en')
  await page.getByRole('contentinfo').getByRole('button', { name: 'Change' }).click()

  // A product says what it earns, its thousands as on the card.
  const dear = store.addProduct(SHOP, { title: 'Silver teapot', priceMinor: 120_000 })
  await page.goto(`${local.storeUrl}/products/${dear.handle}`)
  await expect.poll(() => page.locator('loyalty-estimate').innerText()).toMatch(/1,200 leaves/)
  await page.goto(`${local.storeUrl}/products/${products[0]!.handle}`)
  await expect.poll(() => page.locator('loyalty-estimate').innerText()).toMatch(/20 leaves/)
  await expectAccessible(page)

  // Without scripts the balance is there all the same.
  const plain = await browser.newContext({
    javaScriptEnabled: false,
    storageState: await page.context().storageState(),
  })
  const quiet = await plain.newPage()
  await expect
    .poll(async () => {
      await quiet.goto(card)
      return quiet.locator('[data-balance]').innerText()
    }, PATIENT)
    .toBe('120')
  await plain.close()
}, 300_000)

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { isHeldOut } from '#app/loyalty/campaigns.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import type { Customer } from '#test/dev-store/records.ts'
import { addToCart, expectAccessible, openShop, pay, PROGRAM, SHOP, signIn, waitForCard } from './shop.ts'

const MINUTE_MS = 60_000

/** The second night of daylight saving lies between its start and its end: 09:00 is 08:00 UTC before, 09:00 UTC after. */
const AUTUMN = { from: '2027-10-29T09:00', until: '2027-11-01T09:00' }
const STARTS_AT = Date.parse('2027-10-29T08:00:00Z')
const ENDS_AT = Date.parse('2027-11-01T09:00:00Z')

const program = {
  ...PROGRAM,
  tiers: {
    metric: 'spend',
    window: 'lifetime',
    levels: [
      { id: 'member', name: 'Member', threshold: '0.00' },
      { id: 'gold', name: 'Gold', threshold: '50.00', discountPercent: 10, freeShipping: true },
    ],
  },
  campaigns: [
    {
      id: 'autumn',
      name: 'Autumn days',
      ...AUTUMN,
      offer: {
        bands: [
          { from: '50.00', percentage: 5 },
          { from: '100.00', percentage: 20 },
        ],
      },
      holdOut: 0.5,
    },
  ],
}

test('members of a level pay less, and a campaign runs from its first minute to its last, but not for those held out', async () => {
  // GIVEN a shop whose gold level gives 10 % and free shipping, and a campaign of half the customers that starts later
  const { local, customer, products, open } = await openShop(program)
  const { store } = local.dev
  const [teapot] = products
  const page = await open({ width: 390, height: 844 })
  await signIn(page, local.storeUrl, 'Ada Wren')

  // WHEN Ada has bought for 60.00
  await addToCart(page, local.storeUrl, teapot!, 3)
  expect(await pay(page, local.storeUrl)).toBe('£63.95')
  await waitForCard(page, local.storeUrl, /Gold/)

  // THEN her next cart is a gold member's: 18.00 for a teapot, no shipping
  await addToCart(page, local.storeUrl, teapot!, 1)
  expect(await cartText(page, local.storeUrl)).toMatch(/Gold: 10% off .*Gold: free shipping/)
  await expectAccessible(page)
  expect(await pay(page, local.storeUrl)).toBe('£18.00')
  expect(store.ordersOf(customer.id).at(-1)!.discountApplications).toHaveLength(2)

  // AND the campaign is there on the minute, in the shop's zone, over the night that the clocks go back
  const guest = await open()
  await addToCart(guest, local.storeUrl, teapot!, 5)
  const sees = async (instant: number) => {
    store.setTime(instant)
    return (await cartText(guest, local.storeUrl)).includes('Autumn days')
  }
  expect(await sees(STARTS_AT - MINUTE_MS)).toBe(false)
  expect(await sees(STARTS_AT)).toBe(true)
  expect(await sees(ENDS_AT - MINUTE_MS)).toBe(true)
  expect(await sees(ENDS_AT)).toBe(false)

  // AND a customer who is held out never sees it, while one who is not does
  store.setTime(STARTS_AT + MINUTE_MS)
  const [heldOut, chosen] = [findCustomer(store.createCustomer, true), findCustomer(store.createCustomer, false)]
  for (const { email } of [heldOut, chosen]) {
    const shopper = await open()
    await signIn(shopper, local.storeUrl, email!)
    await addToCart(shopper, local.storeUrl, teapot!, 2)
    await pay(shopper, local.storeUrl)
    await waitForCard(shopper, local.storeUrl, /Member/)
    await addToCart(shopper, local.storeUrl, teapot!, 5)
    const text = await cartText(shopper, local.storeUrl)
    expect([email, text.includes('Autumn days')]).toEqual([email, email === chosen.email])
  }
})

async function cartText(page: Page, storeUrl: string): Promise<string> {
  await page.goto(`${storeUrl}/cart`)
  return (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ')
}

/** A new customer who is, or is not, held out of the campaign by `isHeldOut`. */
function findCustomer(
  create: (shop: string, input: { email: string; firstName: string }) => Customer,
  heldOut: boolean,
): Customer {
  const [campaign] = requireProgram(program).campaigns
  for (let at = 0; ; at += 1) {
    const email = `${heldOut ? 'held' : 'chosen'}-${at}@example.com`
    const customer = create(SHOP, { email, firstName: `${heldOut ? 'Held' : 'Chosen'}${at}` })
    if (isHeldOut(campaign!, customer.id) === heldOut) return customer
  }
}

/** "Would you recommend us?" from the shopper's radio buttons to the merchant's page, and what the merchant does about it. */
import type { FrameLocator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { expectAccessible, measureLayoutShift, openAdminPage, openShop, PROGRAM, SHOP, signIn } from './shop.ts'

/** The app works behind people's backs, on a machine that may be busy. */
const PATIENT = { timeout: 40_000 }

const shop = await openShop({
  ...PROGRAM,
  earning: [...PROGRAM.earning, { id: 'feedback', on: 'custom:feedback', points: 20 }],
})
const { local, shopId } = shop
const { store } = local.dev

async function openQuestion(page: Page): Promise<void> {
  await page.goto(`${local.storeUrl}/pages/loyalty`)
  await page.locator('loyalty-feedback').waitFor()
}

const status = (page: Page) => page.locator('loyalty-feedback [data-status]')

test('a shopper answers by keyboard, is thanked with points, changes their mind, and the merchant reads it', async () => {
  // The page names points as the program does, which the app brings to Shopify behind everybody's back.
  const { id: installation } = store.shop(SHOP).installation!
  await expect.poll(() => store.metafield(installation, 'program', 'loyalty')?.value, PATIENT).toContain('leaves')
  const page = await shop.open({ width: 390, height: 844 })
  await openQuestion(page)
  // A guest is asked to sign in, not to answer.
  expect(await page.locator('loyalty-feedback input').count()).toBe(0)
  await signIn(page, local.storeUrl, 'Ada Wren')
  await openQuestion(page)
  await expectAccessible(page)

  // While the app is away, the shopper is told that nothing was sent.
  await page.route('**/apps/loyalty/feedback', (route) => route.abort())
  await page.getByRole('radio', { name: '8', exact: true }).check()
  await page.getByRole('button', { name: 'Send' }).click()
  await expect.poll(() => status(page).innerText()).toContain('nothing was sent')
  await page.unroute('**/apps/loyalty/feedback')

  // By keyboard alone: into the scale, one to the right, the words, the button.
  await page.getByRole('radio', { name: '8', exact: true }).focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Tab')
  await page.keyboard.type('The tea came in a tin.')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect
    .poll(() => status(page).innerText(), PATIENT)
    .toBe('Thank you for your answer. You get 20 leaves for it.')
  await expectAccessible(page)

  // The next visit knows the answer, moves nothing on the page, and takes another one in its place.
  await openQuestion(page)
  await expect.poll(() => status(page).innerText(), PATIENT).toMatch(/^You answered 9 on/)
  expect(await measureLayoutShift(page)).toBeLessThan(0.1)
  await page.getByRole('radio', { name: '6', exact: true }).check()
  await page.getByRole('button', { name: 'Change my answer' }).click()
  await expect.poll(() => status(page).innerText(), PATIENT).toBe('Thank you. Your answer is changed.')

  const frame = await openAdminPage(page, `${local.dev.adminUrl(SHOP)}/app/retention/nps`)
  await frame.getByText('The tea came in a tin.').waitFor()
  await frame.getByRole('link', { name: /^Detractors: 1/ }).click()
  await frame.getByRole('heading', { name: 'Detractors' }).waitFor()
  await frame.getByRole('link', { name: 'Ada Wren' }).waitFor()
  await page.context().close()
}, 180_000)

/** So many customers who bought twice, the last time more than half a year ago. */
async function letSlip(customers: number): Promise<string[]> {
  const gids = Array.from(
    { length: customers },
    (_, place) => store.createCustomer(SHOP, { firstName: `Silent ${place}` }).id,
  )
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, id * 10 + n, id, now() - make_interval(days => 200 + n::int * 30), now(), now(), 3000, true, '{}'
       from unnest($2::bigint[]) as id cross join generate_series(1, 2) as n`,
    [shopId, gids.map((gid) => gid.split('/').at(-1))],
  )
  await inTransaction((client) => rebuildMeasures(shopId, store.now(), client))
  return gids
}

const tagged = () => store.customers(SHOP).filter(({ tags }) => tags.includes('retention-slipping')).length

async function confirm(frame: FrameLocator, button: string): Promise<void> {
  await frame.getByRole('button', { name: button }).click()
}

test('the merchant tags all who are slipping away, makes a segment of them, and takes it back', async () => {
  const gids = await letSlip(40)
  const page = await shop.open()
  const frame = await openAdminPage(page, `${local.dev.adminUrl(SHOP)}/app/retention/lifecycle`)
  await frame.getByRole('heading', { name: 'Slipping away: 40' }).waitFor()
  await frame.getByRole('button', { name: 'Tag in Shopify' }).click()
  await frame.getByText('40 customers will have the tag retention-slipping').waitFor()
  await confirm(frame, 'Tag them')
  await frame.getByText('40 customers have the tag retention-slipping').waitFor(PATIENT)
  expect(tagged()).toBe(gids.length)
  await frame.getByRole('button', { name: 'Create segment in Shopify' }).click()
  await frame.getByRole('link', { name: 'Open segment in Shopify' }).waitFor(PATIENT)
  expect(store.tables.list('segments', SHOP)).toMatchObject([{ query: "customer_tags CONTAINS 'retention-slipping'" }])
  await expectAccessible(page)
  await frame.getByRole('button', { name: 'Remove the tag' }).click()
  await confirm(frame, 'Remove it')
  await frame.getByText('The tag retention-slipping was taken away again').waitFor(PATIENT)
  expect(tagged()).toBe(0)

  // An offer for them begins with them as its audience.
  await frame.getByRole('link', { name: 'Make them an offer' }).click()
  await frame.getByRole('heading', { name: 'Add campaign' }).waitFor()
  await frame.getByRole('button', { name: 'Only for Slipping' }).waitFor()
  await page.context().close()
}, 180_000)

test('the merchant says how long something lasts, and those who bought it are active again', async () => {
  const page = await shop.open()
  const frame = await openAdminPage(page, `${local.dev.adminUrl(SHOP)}/app/retention/cycles`)
  await frame.getByLabel('What').selectOption('tag')
  await frame
    .getByRole('textbox', { name: 'Tag' })
    .or(frame.getByRole('combobox', { name: 'Tag' }))
    .waitFor()
  await frame.getByLabel('What').selectOption('product')
  await frame.getByRole('button', { name: 'Save' }).click()
  await frame.getByText('Choose a product').waitFor()
  await expectAccessible(page)
  await frame.getByRole('button', { name: 'Choose product' }).click()
  const picker = page.getByRole('dialog', { name: 'Select product' })
  await picker.getByLabel('Brown teapot').check()
  await picker.getByRole('button', { name: 'Select' }).click()
  await frame.getByLabel('Lasts').fill('3650')
  await frame.getByRole('button', { name: 'Save' }).click()
  await frame.getByText('lasts 3,650 days (about 10 years)').waitFor(PATIENT)
  await frame.getByRole('button', { name: 'Remove: Brown teapot' }).click()
  await frame.getByText('Nothing yet: every purchase lasts 12 months.').waitFor(PATIENT)
  await page.context().close()
}, 180_000)

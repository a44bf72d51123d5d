/** The merchant's work in the admin, in a real browser, inside the dev store's frame with its menu, save bar and dialogs. */
import type { FrameLocator, Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { pool } from '#app/db/client.server.ts'
import { findMemberStory } from '#app/db/member-story.server.ts'
import { listProgramVersions } from '#app/db/program-history.server.ts'
import { expectAccessible, openShop, SHOP } from './shop.ts'

const shop = await openShop()
const { store } = shop.local.dev
const placed = store.placeOrder(SHOP, {
  customerId: shop.customer.id,
  lines: [{ variantId: shop.products[0]!.variants[0]!.id, quantity: 3 }],
})
if (!placed.ok) throw new Error(placed.detail)
await store.drained()
await beforeTesting()

/** The order's points are there before anybody looks for them. */
async function beforeTesting(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if ((await findMemberStory(shop.shopId, shop.customer.id))?.pending === 60) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const { rows } = await pool.query(
    `select m.topic, i.state, i.error, (select facts::json->'worth'->'reasons' from orders limit 1) as reasons
       from messages m left join inbox i using (shop_id, id)`,
  )
  throw new Error(`The order earned no 60 points within 30 s: ${JSON.stringify(rows)}`)
}

/** Opens a page of the app in the admin and waits for its heading. */
async function visit(path: string, heading: string | RegExp): Promise<{ page: Page; frame: FrameLocator }> {
  const page = await shop.open()
  await page.goto(shop.local.dev.adminUrl(SHOP) + path)
  const frame = page.frameLocator('#app-frame')
  await frame.getByRole('heading', { level: 1, name: heading }).waitFor()
  await hydrated(frame)
  return { page, frame }
}

/** Before React has taken the page over, what is typed into it is lost. */
async function hydrated(frame: FrameLocator): Promise<void> {
  const isHydrated = () =>
    frame.locator('main').evaluate((main) => Object.keys(main).some((key) => key.startsWith('__reactFiber')))
  await expect.poll(isHydrated, { timeout: 20_000 }).toBe(true)
}

const saveBar = (page: Page) => page.locator('#save-bar')
const versions = async () => (await listProgramVersions(shop.shopId, 50)).length

test('a change shows the save bar and what it changes, and saving makes the next version', async () => {
  const { page, frame } = await visit('/app/program', 'Program')
  expect(await saveBar(page).isVisible()).toBe(false)
  const before = await versions()

  await frame.getByLabel('Points of an order wait').fill('7')
  await saveBar(page).waitFor()
  await frame.getByText('The program now holds order points for 7 days instead of 14 days').waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()

  await page.getByText('Program saved').waitFor()
  await expect.poll(() => saveBar(page).isVisible()).toBe(false)
  expect(await versions()).toBe(before + 1)
})

test('a wrong value is told beside its field after saving, not before, and nothing is published', async () => {
  const { page, frame } = await visit('/app/program', 'Program')
  const before = await versions()
  const field = frame.getByLabel('Points of an order wait')
  await field.fill('91')
  expect(await field.getAttribute('aria-invalid')).not.toBe('true')

  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await frame.getByText('One thing needs correcting').waitFor()
  expect(await field.getAttribute('aria-invalid')).toBe('true')
  expect(await versions()).toBe(before)
  await expectAccessible(page)

  await field.fill('10')
  await expect.poll(() => field.getAttribute('aria-invalid')).not.toBe('true')
})

test('all that is wrong is told at once, each beside its field, and the first of them is where one types next', async () => {
  const { page, frame } = await visit('/app/program', 'Program')
  const before = await versions()
  const wrong = ['Name of the program', 'for each', 'Points of an order wait'].map((label) =>
    frame.getByLabel(label, { exact: true }),
  )
  await wrong[2]!.fill('91')
  await wrong[1]!.fill('0')
  await wrong[0]!.fill('')
  await wrong[2]!.click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()

  await frame.getByText('3 things need correcting').waitFor()
  for (const field of wrong) expect(await field.getAttribute('aria-invalid')).toBe('true')
  await expect.poll(() => wrong[0]!.evaluate((field) => field === field.ownerDocument.activeElement)).toBe(true)
  expect(await versions()).toBe(before)
})

test('leaving with unsaved changes asks first; staying keeps them, leaving goes on', async () => {
  const { page, frame } = await visit('/app/program', 'Program')
  await frame.getByLabel('Points of an order wait').fill('3')
  await saveBar(page).waitFor()

  await page.getByRole('link', { name: 'Members' }).click()
  const dialog = page.locator('#leave-dialog')
  await dialog.waitFor()
  await page.keyboard.press('Escape')
  expect(await frame.getByLabel('Points of an order wait').inputValue()).toBe('3')

  await page.getByRole('link', { name: 'Members' }).click()
  await dialog.getByRole('button', { name: /Leave/ }).click()
  await frame.getByRole('heading', { level: 1, name: 'Members' }).waitFor()
})

test('the preview says at once what an order earns, by the engine’s own sum', async () => {
  const { frame } = await visit('/app/program', 'Program')
  await frame.getByLabel('An order of').fill('80.00')
  await frame.getByText('earns 80 leaves').waitFor()
  await frame.getByLabel('Members get (leaves)').fill('3')
  await frame.getByText('earns 240 leaves').waitFor()
})

test('a member is found by name, given points with a reason, and the history says why', async () => {
  const { page, frame } = await visit('/app/members', 'Members')
  await frame.getByLabel('Find a member').fill('ada')
  await frame.getByRole('button', { name: 'Search' }).click()
  await frame.getByRole('link', { name: 'Ada Wren' }).click()
  await frame.getByRole('heading', { level: 1, name: 'Ada Wren' }).waitFor()
  await frame.getByRole('button', { name: /^Why 60 leaves/ }).click()
  await frame.getByText('Buying, 1 leaf for each £1.00, gave 60 leaves').waitFor()

  await frame.getByRole('button', { name: 'Change points' }).click()
  const dialog = frame.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Give points' }).click()
  await dialog.getByText('Enter a whole number').waitFor()
  await dialog.getByLabel('How many').fill('25')
  await dialog.getByLabel('Reason').fill('Parcel came late')
  await dialog.getByText('will have 25 leaves').waitFor()
  await dialog.getByRole('button', { name: 'Give points' }).click()

  await page.getByText('Points changed').waitFor()
  await frame.getByText('“Parcel came late”').waitFor()
  await expectAccessible(page)
})

test('a reward is added with its preview, listed, and removed after a question, on a slow computer', async () => {
  const { page, frame } = await visit('/app/rewards', 'Rewards')
  // Slow enough that a page could be read again, and find its reward gone, before React comes to leave it.
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  await frame.getByRole('link', { name: 'Add reward' }).click()
  await frame.getByLabel('Kind of reward').selectOption('percentage')
  await frame.getByLabel('Percentage off').fill('15')
  await frame.getByText('15% off').first().waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Reward saved').waitFor()

  await frame.getByRole('heading', { level: 1, name: 'Rewards' }).waitFor()
  await frame.getByRole('link', { name: /15% off for 500 leaves/ }).click()
  await frame.getByRole('button', { name: 'Remove' }).click()
  await frame.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await frame.getByRole('heading', { level: 1, name: 'Rewards' }).waitFor()
  await expect.poll(() => frame.getByRole('link', { name: /15% off/ }).count()).toBe(0)
})

test('tiers say who would move before they are saved', async () => {
  const { page, frame } = await visit('/app/tiers', 'Tiers')
  await frame.getByRole('button', { name: 'Start with three tiers' }).click()
  await frame.getByText('1 member goes up from no tier to Member').waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Tiers saved').waitFor()
})

test('a campaign is tried on a cart, saved, and stands in the calendar', async () => {
  const { page, frame } = await visit('/app/campaigns/new', 'Add campaign')
  await frame.getByLabel('Name').fill('Tea days')
  await frame.getByLabel('A cart of').fill('50.00')
  await frame.getByText('pays £45.00 instead of £50.00').waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Campaign saved').waitFor()
  await frame.getByRole('heading', { level: 1, name: 'Campaigns' }).waitFor()
  expect(await frame.getByRole('link', { name: 'Tea days' }).count()).toBeGreaterThan(0)
  await expectAccessible(page)
})

test('what did not reach Shopify is named in words, and tried again after a click', async () => {
  const effect = { kind: 'member-cards', key: 'a-digest-of-nobody', payload: { members: [] } }
  await pool.query(
    `insert into outbox (shop_id, kind, key, payload, state, attempts, due_at, created_at, done_at, error)
     values ($1, $2, $3, $4, 'set-aside', 5, now(), now(), now(), 'Access denied')`,
    [shop.shopId, effect.kind, effect.key, effect.payload],
  )
  const { page, frame } = await visit('/app/messages', 'Messages')
  await frame.getByText('Cards of several members', { exact: true }).waitFor()
  await expectAccessible(page)

  await frame.getByRole('button', { name: 'Try again: Cards of several members' }).click()
  await page.getByText('It will be tried again in a moment').waitFor()
  await frame.getByText('Cards of several members', { exact: true }).waitFor({ state: 'hidden' })
  const state = async () => (await pool.query('select state from outbox where key = $1', [effect.key])).rows[0].state
  await expect.poll(state, { timeout: 20_000 }).toBe('done')
})

test('a message that was set aside shows its error, and is worked on after a click', async () => {
  // What is in it is fine: only its time was bad.
  const body = { id: 5001, admin_graphql_api_id: 'gid://shopify/Customer/5001', first_name: 'Late', tags: '' }
  await pool.query(
    `with aside as (
       insert into messages (shop_id, topic, event_id, webhook_id, triggered_at, received_at, source)
       values ($1, 'customers/create', 'aside', 'aside', now(), now(), 'webhook') returning *)
     insert into inbox (shop_id, id, topic, triggered_at, received_at, due_at, payload, source, state, attempts, error)
     select shop_id, id, topic, triggered_at, received_at, now(), $2, source, 'set-aside', 5, 'The database was away' from aside`,
    [
      shop.shopId,
      JSON.stringify({
        ...body,
        state: 'disabled',
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
      }),
    ],
  )
  const { page, frame } = await visit('/app/messages', 'Messages')
  await frame.getByText('The database was away').waitFor()
  await expectAccessible(page)

  await frame.getByRole('button', { name: 'Try again: New customer' }).click()
  await page.getByText('It will be tried again in a moment').waitFor()
  await frame.getByText('No message needs you').waitFor()
  const left = async () => (await pool.query(`select 1 from inbox where topic = 'customers/create'`)).rowCount
  await expect.poll(left, { timeout: 20_000 }).toBe(0)
})

/** What the admin says where something is refused: in words, beside what was asked for, for as long as it is so. */
import type { FrameLocator, Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { pool } from '#app/db/client.server.ts'
import { listProgramVersions, publishOnTop } from '#app/db/program-history.server.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { expectAccessible, openAdminPage, openShop, PROGRAM, SHOP } from './shop.ts'

const shop = await openShop()

/** Pictures for whoever works on the pages: `PICTURES=/tmp/pictures npm test -- test/e2e/refusals.test.ts`. */
const pictures = process.env.PICTURES

/** A discount for 60 of the next 90 days, which needs a reason. */
const day = (days: number) => new Date(shop.local.dev.store.now() + days * 86_400_000).toISOString().slice(0, 16)
const LONG = { id: 'long', name: 'Long sale', from: day(5), until: day(65), offer: { percentage: 10 } }
const GENEROUS = { ...PROGRAM, campaigns: [LONG] }

/** Published past all checks, as by somebody else. Returns the version's number. */
async function publish(document: object): Promise<number> {
  const [newest] = await listProgramVersions(shop.shopId, 1)
  const published = await publishOnTop(shop.shopId, requireProgram(document).document, {
    basedOn: newest!.version,
    at: shop.local.dev.store.now(),
    actor: 'test',
    note: 'By somebody else',
  })
  return published.version
}

const newestVersion = async () => (await listProgramVersions(shop.shopId, 1))[0]!.version

async function visit(path: string): Promise<{ page: Page; frame: FrameLocator }> {
  const page = await shop.open()
  return { page, frame: await openAdminPage(page, shop.local.dev.adminUrl(SHOP) + path) }
}

/** The page as it is, at both widths. */
async function picture(page: Page, name: string): Promise<void> {
  if (!pictures) return
  for (const [width, height] of [
    [1280, 1000],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height })
    await page.waitForTimeout(500)
    await page.screenshot({ path: `${pictures}/${name}-${width}.png` })
  }
  await page.setViewportSize({ width: 1280, height: 900 })
}

test('an old version that gives too much asks for the reason, and stays open until it is used', async () => {
  const generous = await publish(GENEROUS)
  await publish(PROGRAM)
  const { page, frame } = await visit('/app/program/versions')
  await frame.getByRole('button', { name: `Use again: version ${generous}` }).click()
  const dialog = frame.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Use it from now on' }).click()
  await dialog.getByText(/Say why: with this there would be discounts on 60 of 90 days/).waitFor()
  await picture(page, 'use-again-reason')
  expect(await newestVersion()).toBe(generous + 1)

  await dialog.getByLabel('Why so much discount?').fill('Moving out')
  await dialog.getByRole('button', { name: 'Use it from now on' }).click()
  await page.getByText('Version taken up again').waitFor()
  await dialog.waitFor({ state: 'hidden' })
  expect(await newestVersion()).toBe(generous + 2)
})

test('an old version is not used while somebody else saves, until the newer one was looked at', async () => {
  const plain = await publish(PROGRAM)
  await publish({ ...PROGRAM, name: 'Teapot Circle' })
  const { page, frame } = await visit('/app/program/versions')
  await frame.getByRole('button', { name: `Use again: version ${plain}` }).click()
  const dialog = frame.getByRole('dialog')
  await dialog
    .getByText(/Teapot C/)
    .first()
    .waitFor()
  const theirs = await publish({ ...PROGRAM, name: 'Teapot Company' })
  await dialog.getByRole('button', { name: 'Use it from now on' }).click()
  await dialog.getByText('Somebody else saved the program meanwhile').waitFor()
  await picture(page, 'use-again-overtaken')
  expect(await newestVersion()).toBe(theirs)

  // What it would change is what it changes in theirs.
  await dialog.getByText(/Teapot Company/).waitFor()
  await dialog.getByRole('button', { name: 'Use it from now on' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await expect.poll(newestVersion).toBe(theirs + 1)
})

test('a program from a file says why it is not published, and asks for the reason', async () => {
  await publish(PROGRAM)
  const { page, frame } = await visit('/app/program/versions')
  const choose = (name: string, document: object) =>
    frame
      .locator('input[type=file]')
      .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(document)) })
  await choose('large.json', { ...PROGRAM, campaigns: [{ ...LONG, name: 'x'.repeat(256) }] })
  await frame.getByText('campaigns[0].name must be at most 255 characters, not 256').waitFor()

  await choose('generous.json', GENEROUS)
  await frame.getByText('campaigns[0].name must be').waitFor({ state: 'hidden' })
  await frame.getByRole('button', { name: 'Publish it' }).click()
  await frame.getByText(/Say why: with this there would be/).waitFor()
  await expectAccessible(page)
  await picture(page, 'import-reason')
  await frame.getByLabel('Why so much discount?').fill('Moving out')

  const theirs = await publish({ ...PROGRAM, name: 'Teapot Tribe' })
  await frame.getByRole('button', { name: 'Publish it' }).click()
  await frame.getByText('Somebody else saved the program meanwhile').waitFor()
  await picture(page, 'import-overtaken')
  expect(await newestVersion()).toBe(theirs)
  await frame.getByRole('button', { name: 'Publish it' }).click()
  await page.getByText('Program imported').waitFor()
  expect(await newestVersion()).toBe(theirs + 1)
})

test('a campaign from before the limits were checked is shown, and saved only within them', async () => {
  const bands = Array.from({ length: 51 }, (_, index) => ({ from: `${index + 1}.00`, percentage: 5 }))
  const before = await publish({ ...PROGRAM, campaigns: [{ ...LONG, until: day(8), offer: { bands } }] })
  const { page, frame } = await visit('/app/campaigns/long')
  expect(await frame.getByRole('button', { name: 'Add a step' }).isDisabled()).toBe(true)
  await frame.getByText('At most 100', { exact: true }).waitFor()
  await frame.getByLabel('Name').fill('Short sale')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await frame.getByText('Short sale: Offer must be at most 50 steps, not 51').waitFor()
  await expectAccessible(page)
  await picture(page, 'campaign-beyond')
  expect(await newestVersion()).toBe(before)

  await frame.getByRole('button', { name: 'Remove: step 51' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Campaign saved').waitFor()
  expect(await newestVersion()).toBe(before + 1)
})

test('what is wrong with a tier is told by its name and the field’s label', async () => {
  await publish(PROGRAM)
  const { page, frame } = await visit('/app/tiers')
  await frame.getByRole('button', { name: 'Start with three tiers' }).click()
  await frame.getByLabel('Reached with').last().fill('1')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await frame.getByText(/^Gold: Reached with must be above/).waitFor()
  await picture(page, 'tiers')
})

test('a button of a campaign that is refused says so on the page', async () => {
  await publish({ ...PROGRAM, campaigns: [{ ...LONG, from: day(-1), until: day(2) }] })
  const { page, frame } = await visit('/app/campaigns/long')
  await page.route('**/app/campaigns/long*', (route) =>
    route.request().method() === 'POST' ? route.continue({ postData: 'intent=nothing' }) : route.continue(),
  )
  await frame.getByRole('button', { name: 'Pause' }).click()
  await frame.getByRole('alert').getByText('This cannot be done here').waitFor()
  await picture(page, 'campaign-refused')
})

test('a message that somebody else tried again meanwhile says so on the page, which shows it no longer', async () => {
  await pool.query(
    `insert into outbox (shop_id, kind, key, payload, state, attempts, due_at, created_at, done_at, error)
     values ($1, 'member-cards', 'tried-twice', '{"members":[]}', 'set-aside', 5, now(), now(), now(), 'Access denied')`,
    [shop.shopId],
  )
  const { page, frame } = await visit('/app/messages')
  await pool.query(`update outbox set state = 'done' where key = 'tried-twice'`)
  await frame.getByRole('button', { name: 'Try again: Cards of several members' }).click()
  await frame.getByText('It was tried again already, or is gone').waitFor()
  await expectAccessible(page)
  await picture(page, 'message-refused')
})

test('a file that is at another step by now says so, and the page shows at which', async () => {
  const { page, frame } = await visit('/app/imports')
  await frame.locator('input[type=file]').setInputFiles({
    name: 'smile.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('Email;Points Balance\nada@example.com;1200\n'),
  })
  await frame.getByRole('button', { name: 'Check the file' }).click()
  const bringIn = frame.getByRole('button', { name: 'Bring in 1 member' })
  await bringIn.waitFor()
  await pool.query(`update imports set state = 'matching' where shop_id = $1`, [shop.shopId])
  await bringIn.click()
  await frame.getByText('This file is at another step by now').waitFor()
  await frame.getByText('Which column holds what?').waitFor()
  await expectAccessible(page)
  await picture(page, 'file-refused')
})

test('a form that could not be sent says so, and keeps what was typed for another try', async () => {
  const before = await publish(PROGRAM)
  const { page, frame } = await visit('/app/program')
  await frame.getByLabel('Points of an order wait').fill('9')
  await page.context().setOffline(true)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await frame.getByText('Nothing was saved').waitFor()
  await frame.getByText('The app could not be reached').waitFor()
  await expectAccessible(page)
  await picture(page, 'not-sent')
  expect(await frame.getByLabel('Points of an order wait').inputValue()).toBe('9')
  expect(await newestVersion()).toBe(before)

  await page.context().setOffline(false)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Program saved').waitFor()
  expect(await newestVersion()).toBe(before + 1)
})

test('a button whose request does not arrive says so on the page or in its dialog, and works once it does', async () => {
  await publish({ ...PROGRAM, campaigns: [{ ...LONG, from: day(-1), until: day(2) }] })
  const { page, frame } = await visit('/app/campaigns/long')
  await page.context().setOffline(true)
  await frame.getByRole('button', { name: 'Pause' }).click()
  await frame.getByRole('alert').getByText('The app could not be reached').waitFor()
  await frame.getByRole('button', { name: 'End now' }).click()
  const dialog = frame.getByRole('dialog')
  await dialog.getByRole('button', { name: 'End it' }).click()
  await dialog.getByRole('alert').getByText('The app could not be reached').waitFor()
  await expectAccessible(page)
  await picture(page, 'dialog-not-sent')

  await page.context().setOffline(false)
  await dialog.getByRole('button', { name: 'End it' }).click()
  await page.getByText('The campaign is over').waitFor()
})

test('what somebody else saved while a form was filled in is not overwritten, and what was typed is still there', async () => {
  await publish(PROGRAM)
  const { page, frame } = await visit('/app/program')
  await frame.getByLabel('Points of an order wait').fill('8')
  const theirs = await publish({ ...PROGRAM, name: 'Teapot Guild' })
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await frame.getByText('Somebody else saved the program while you were editing').waitFor()
  await picture(page, 'overtaken')
  expect(await frame.getByLabel('Points of an order wait').inputValue()).toBe('8')
  expect(await newestVersion()).toBe(theirs)

  await frame.getByRole('button', { name: 'Load the newer version' }).click()
  await expect.poll(() => frame.getByLabel('Name of the program').inputValue()).toBe('Teapot Guild')
  expect(await frame.getByLabel('Points of an order wait').inputValue()).toBe('14')
  await frame.getByLabel('Points of an order wait').fill('8')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Program saved').waitFor()
  expect(await newestVersion()).toBe(theirs + 1)
})

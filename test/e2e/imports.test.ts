/** Members who come over from another app: the file, what is looked at first, bringing in and taking back, in a real browser. */
import { expect, test } from 'vitest'

import { pool } from '#app/db/client.server.ts'
import { findMemberStory } from '#app/db/member-story.server.ts'
import { expectAccessible, openAdminPage, openShop, SHOP, signIn } from './shop.ts'

const shop = await openShop()
const ben = shop.local.dev.store.createCustomer(SHOP, { email: 'ben@example.com', firstName: 'Ben', lastName: 'Ash' })

/** Pictures for whoever works on the pages: `PICTURES=/tmp/pictures npm test -- test/e2e/imports.test.ts`. */
const pictures = process.env.PICTURES

const FILE = `Email;Points Balance;Birthdate
ada@example.com;1200;1990-04-23
ben@example.com;300;
nobody@example.com;50;
ada@example.com;twelve;
`

test('a file is checked, its good lines are brought in, its bad ones saved, and all of it is taken back', async () => {
  const page = await shop.open()
  const frame = await openAdminPage(page, `${shop.local.dev.adminUrl(SHOP)}/app/members`)
  await frame.getByRole('link', { name: 'Bring members over' }).click()
  await frame.getByRole('heading', { level: 1, name: 'Bring members over' }).waitFor()
  await expectAccessible(page)
  await picture('list')

  // A workbook is refused in words, beside the field.
  await frame
    .locator('input[type=file]')
    .setInputFiles({ name: 'members.xlsx', mimeType: 'text/csv', buffer: Buffer.from('PK\x03\x04') })
  await frame.getByRole('button', { name: 'Check the file' }).click()
  await frame.getByText('This is an Excel workbook').waitFor()
  await picture('refused')

  await frame
    .locator('input[type=file]')
    .setInputFiles({ name: 'smile.csv', mimeType: 'text/csv', buffer: Buffer.from(FILE) })
  await frame.getByText(/smile\.csv · 1 kB/).waitFor()
  await frame.getByRole('button', { name: 'Check the file' }).click()

  await frame.getByRole('heading', { level: 1, name: 'Members from Smile.io' }).waitFor()
  await frame.getByRole('button', { name: 'Bring in 2 members' }).waitFor()
  await frame.getByText('£150.00').waitFor()
  await frame.getByText('Line 5').waitFor()
  await frame.getByText('Points Balance: “twelve”').waitFor()
  await frame.getByText('Ada Wren').waitFor()
  await expectAccessible(page)
  await picture('preview')
  const saved = page.waitForEvent('download')
  await frame.getByRole('button', { name: 'Export CSV' }).click()
  expect((await saved).suggestedFilename()).toBe('lines-to-mend.csv')

  await frame.getByRole('button', { name: 'Bring in 2 members' }).click()
  await frame.getByText('Brought in', { exact: true }).waitFor()
  expect((await findMemberStory(shop.shopId, shop.customer.id))?.available).toBe(1200)
  expect((await findMemberStory(shop.shopId, ben.id))?.available).toBe(300)
  await expectAccessible(page)
  await picture('done')

  await frame.getByRole('button', { name: 'Undo' }).click()
  const dialog = frame.getByRole('dialog')
  await dialog.getByText('All of them are there still and will be taken back').waitFor()
  await picture('undo')
  await dialog.getByRole('button', { name: 'Take back' }).click()
  await frame.getByText('All 1,500 leaves were taken back').waitFor()
  expect((await findMemberStory(shop.shopId, shop.customer.id))?.available).toBe(0)
  await picture('undone')

  async function picture(name: string): Promise<void> {
    if (pictures) await page.screenshot({ path: `${pictures}/import-${name}.png`, fullPage: true })
  }
})

test('on a phone, columns that the app does not know are matched by hand, and the member reads where points come from', async () => {
  const page = await shop.open({ width: 390, height: 844 })
  const frame = await openAdminPage(page, `${shop.local.dev.adminUrl(SHOP)}/app/imports`)
  await frame.getByLabel('Where does it come from?').selectOption('other')
  await frame.getByLabel('Name of the app').fill('Old Club')
  const text = 'who,how many\nada@example.com,70\n'
  await frame
    .locator('input[type=file]')
    .setInputFiles({ name: 'club.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
  await frame.getByText(/club\.csv · 1 kB/).waitFor()
  await frame.getByRole('button', { name: 'Check the file' }).click()
  await frame.getByRole('heading', { name: 'Which column holds what?' }).waitFor()
  await expectAccessible(page)
  await frame.getByLabel('E-mail address').selectOption('0')
  await frame.getByRole('button', { name: 'Check with these columns' }).click()
  await frame.getByText('Choose the column that holds the points').waitFor()
  await frame.getByLabel('Points', { exact: true }).selectOption('1')
  if (pictures) await page.screenshot({ path: `${pictures}/import-columns-phone.png` })
  await frame.getByRole('button', { name: 'Check with these columns' }).click()
  await frame.getByRole('button', { name: 'Bring in 1 member' }).click()
  await frame.getByText('Brought in', { exact: true }).waitFor()
  if (pictures) await page.screenshot({ path: `${pictures}/import-done-phone.png` })

  await signIn(page, shop.local.storeUrl, 'Ada Wren')
  const answer = await page.evaluate(async () => (await fetch('/apps/loyalty/history')).json() as Promise<unknown>)
  expect(answer).toMatchObject({ entries: [{ label: 'Brought over from Old Club', points: 70 }, {}, {}] })
  const { rows } = await pool.query('select 1 from import_lines where shop_id = $1 and fields like $2', [
    shop.shopId,
    '%ada@%',
  ])
  expect(rows.length).toBe(1)
})

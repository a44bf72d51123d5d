/** Every number of every retention page opens its customers, and their list is as long as it says. */
import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { askMeasures, countCustomersBehind } from '#app/db/retention.server.ts'
import { findShop } from '#app/db/shops.server.ts'
import { fitPredictions } from '#app/jobs/fit-predictions.ts'
import { parseGroup } from '#app/retention/segments.ts'
import { openAdminPage, openShop, SHOP } from './shop.ts'

const CUSTOMERS = 260

const shop = await openShop()
const { store } = shop.local.dev
const record = (await findShop(SHOP))!

/** Two years of orders of customers who are members, three of whom ordered just now and wait for their points. */
async function sellForTwoYears(): Promise<void> {
  for (const quantity of [1, 2, 3]) {
    const email = `new-${quantity}@example.com`
    const customer = store.createCustomer(SHOP, { email, firstName: 'New', lastName: String(quantity) })
    store.placeOrder(SHOP, {
      customerId: customer.id,
      lines: [{ variantId: shop.products[0]!.variants[0]!.id, quantity }],
    })
  }
  await store.drained()
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, c * 100 + n, 1000 + c, at, at, at, 1000 + (c * 37 + n * 211) % 4000, true, '{}'
       from generate_series(1, $2::int) as c
       cross join lateral generate_series(0, case when c % 2 = 0 then 1 + c % 5 else 0 end) as n
       cross join lateral (
         select $3::timestamptz - make_interval(days => 760) + make_interval(days => (c * 7919) % 500 + n * (20 + c % 60)) as at
       ) as t
      where at < $3`,
    [record.id, CUSTOMERS, new Date(store.now())],
  )
  await pool.query(
    `insert into members (shop_id, id, joined_at, updated_at) select $1, 1000 + c, $3, $3 from generate_series(1, $2::int) as c`,
    [record.id, CUSTOMERS, new Date(store.now())],
  )
  await pool.query(
    `insert into balances (shop_id, member_id, lifetime_earned) select $1, 1000 + c, c % 3 from generate_series(1, $2::int) as c`,
    [record.id, CUSTOMERS],
  )
  await inTransaction((client) => rebuildMeasures(record.id, store.now(), client))
  await pool.query('delete from predictions where shop_id = $1', [record.id])
  await fitPredictions(record)
}
await sellForTwoYears()

const PAGES = [
  '/app/retention',
  '/app/retention?period=last-90-days&against=year',
  '/app/retention?period=last-year&against=none',
  '/app/retention/months',
  '/app/retention/cohorts',
  '/app/retention/cohorts?show=revenue',
  '/app/retention/intervals',
  '/app/retention/intervals?after=2',
  '/app/retention/lifecycle',
  '/app/retention/rfm',
  '/app/retention/value',
  '/app/retention/pareto',
  '/app/retention/funnel',
  '/app/retention/points',
  '/app/retention/points?period=last-30-days',
  '/app/retention/points?period=last-year',
]

test.each(PAGES)('on %s every number opens a list as long as it says', async (path) => {
  const page = await shop.open()
  const frame = await openAdminPage(page, shop.local.dev.adminUrl(SHOP) + path)
  // How many members are behind a line of the points is counted while the page is already there.
  await expect.poll(() => frame.getByLabel('Being counted').count()).toBe(0)
  const { bare, links } = await frame.locator('main').evaluate((main) => {
    const numbers = [...main.querySelectorAll('[data-figure], [data-measures] td')].filter((cell) =>
      /\d/.test(cell.textContent!),
    )
    const isBare = (cell: Element) => !cell.querySelector('a[href*="of="]') && !cell.hasAttribute('data-words')
    return {
      bare: numbers.filter(isBare).map((cell) => cell.outerHTML.slice(0, 200)),
      // Buttons are no numbers.
      links: [
        ...main.querySelectorAll<HTMLAnchorElement>('a[href*="/retention/customers?of="]:not(.Polaris-Button)'),
      ].map((link) => ({
        of: new URL(link.href).searchParams.get('of')!,
        customers: link.dataset.customers ?? null,
        name: link.getAttribute('aria-label'),
      })),
    }
  })
  expect(bare).toEqual([])
  expect(links.length).toBeGreaterThan(2)
  const asked = await askMeasures(record, store.now())
  const lengths = new Map<string, number>()
  for (const { of, customers, name } of links) {
    const group = parseGroup(of)
    expect([of, group]).not.toEqual([of, null])
    if (!lengths.has(of)) lengths.set(of, await countCustomersBehind(asked, group!))
    expect([name, of, lengths.get(of)]).toEqual([name, of, customers === null ? 'said' : Number(customers)])
  }
  // A count says on its face what its list says.
  const last = links.findLast(({ customers }) => Number(customers) > 0)!
  await frame
    .locator(`a[href*="of=${encodeURIComponent(last.of)}"]`)
    .first()
    .click()
  const words = `${Number(last.customers).toLocaleString('en')} customer${last.customers === '1' ? '' : 's'}`
  await frame
    .getByText(new RegExp(`^${words}(,|$)`))
    .first()
    .waitFor()
  await page.context().close()
})

test('the closing of the points opens the members who hold them, whose points come to the number', async () => {
  const page = await shop.open()
  const frame = await openAdminPage(page, `${shop.local.dev.adminUrl(SHOP)}/app/retention/points`)
  const closing = frame.getByRole('link', { name: /^Closing: [\d,]+ points; opens 3 customers$/ })
  const points = await closing.textContent()
  await closing.click()
  await frame
    .getByText(new RegExp(`^3 customers, ${points} \\w+$`))
    .first()
    .waitFor()
  const column = await frame.locator('tbody tr td:nth-child(2)').allTextContents()
  expect(column.reduce((sum, cell) => sum + Number(cell.replace(',', '')), 0)).toBe(Number(points!.replace(',', '')))
  await page.context().close()
})

test('a chart is one stop for the Tab key, its places are read out, and the arrows go through them', async () => {
  const page = await shop.open()
  const frame = await openAdminPage(page, `${shop.local.dev.adminUrl(SHOP)}/app/retention`)
  const chart = frame.locator('svg[role="group"]')
  await chart.locator('[tabindex="0"]').focus()
  expect(await chart.locator('[tabindex="0"]').count()).toBe(1)
  const said = () => chart.locator('[tabindex="0"]').getAttribute('aria-label')
  const first = await said()
  expect(first).toMatch(/^[A-Z][a-z]{2} \d\d: \d+\.\d%$/)
  await page.keyboard.press('ArrowRight')
  await expect.poll(said).not.toBe(first)
  // What is read out is written above it, too.
  await chart
    .getByText((await said())!, { exact: true })
    .first()
    .waitFor()
  await page.keyboard.press('End')
  await expect.poll(said).toMatch(/ 26: /)
  await page.context().close()
})

test('every table can be exported, and on paper there are numbers and charts without what only a screen can do', async () => {
  const page = await shop.open()
  for (const path of ['months', 'cohorts', 'intervals', 'rfm', 'value', 'pareto', 'funnel', 'points']) {
    await page.emulateMedia({ media: 'screen' })
    const frame = await openAdminPage(page, `${shop.local.dev.adminUrl(SHOP)}/app/retention/${path}`)
    const tables = await frame.locator('table[data-measures]').count()
    // Lists of customers have theirs too.
    const lists = path === 'value' ? 1 : 0
    expect([path, await frame.getByRole('button', { name: 'Export CSV' }).count()]).toEqual([path, tables + lists])
    await page.emulateMedia({ media: 'print' })
    await expect.poll(() => frame.getByRole('navigation', { name: 'Retention pages' }).isVisible()).toBe(false)
    expect(await frame.getByRole('button').filter({ visible: true }).count()).toBe(0)
    expect(await frame.locator('table[data-measures]').first().isVisible()).toBe(true)
  }
  await page.context().close()
})

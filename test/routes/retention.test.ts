/** The retention pages' loaders with a busy shop, an empty one, and one that asks for another's customers. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { pool } from '#app/db/client.server.ts'
import { changeCycles } from '#app/db/cycles.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { fitPredictions } from '#app/jobs/fit-predictions.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import * as overview from '#app/routes/app.retention._index.tsx'
import * as cohorts from '#app/routes/app.retention.cohorts.tsx'
import * as customers from '#app/routes/app.retention.customers.tsx'
import * as exported from '#app/routes/app.retention.export.ts'
import * as funnel from '#app/routes/app.retention.funnel.tsx'
import * as intervals from '#app/routes/app.retention.intervals.tsx'
import * as lifecycle from '#app/routes/app.retention.lifecycle.tsx'
import * as months from '#app/routes/app.retention.months.tsx'
import * as pareto from '#app/routes/app.retention.pareto.tsx'
import * as points from '#app/routes/app.retention.points.tsx'
import * as rfm from '#app/routes/app.retention.rfm.tsx'
import * as value from '#app/routes/app.retention.value.tsx'
import { sayStage } from '#app/ui/group-words.ts'
import { answerAdminApi, makeMerchant, sellTo } from '#test/routes/merchant.ts'

const PAGES = { overview, months, cohorts, intervals, lifecycle, rfm, value, pareto, funnel, points, customers }

type Arguments = Parameters<typeof overview.loader>[0]

/** What a page loads, also what comes after the rest. */
async function openWhole(page: { loader: (given: Arguments) => Promise<object> }, given: Arguments) {
  const loaded = Object.entries(await page.loader(given))
  return Object.fromEntries(await Promise.all(loaded.map(async ([name, value]) => [name, await value])))
}

test.each(Object.entries(PAGES))('%s opens for a shop without a single order', async (_name, page) => {
  answerAdminApi(() => ({ nodes: [] }))
  const { get } = await makeMerchant()
  await expect(openWhole(page, await get('/app/retention'))).resolves.toBeDefined()
})

test.each(Object.entries(PAGES))('%s opens for a shop with customers and predictions', async (_name, page) => {
  answerAdminApi(() => ({ nodes: [] }))
  const { shop, get } = await makeMerchant()
  await sellTo(shop.id, 200)
  await fitPredictions(await requireShop(shop.id))
  await expect(openWhole(page, await get('/app/retention'))).resolves.toBeDefined()
})

test('a number’s list is as long as the number, page by page and as a file', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const { shop, get } = await makeMerchant()
  await sellTo(shop.id, 180)
  const { overview: numbers } = await overview.loader(await get('/app/retention'))
  const first = await customers.loader(await get('/app/retention/customers?of=repeat'))
  const second = await customers.loader(await get('/app/retention/customers?of=repeat&page=2'))
  expect(first.total).toBe(numbers.repeatCustomers)
  expect(first.rows.length + second.rows.length).toBe(numbers.repeatCustomers)
  expect(new Set([...first.rows, ...second.rows].map((row) => row.customer)).size).toBe(numbers.repeatCustomers)
  const file = await (await exported.loader(await get('/app/retention/export?of=repeat'))).text()
  expect(file.trim().split('\r\n')).toHaveLength(numbers.repeatCustomers + 1)
})

test('a file is in the order of the list that it was asked from', async () => {
  answerAdminApi(() => ({ nodes: [] }))
  const { shop, get } = await makeMerchant()
  await sellTo(shop.id, 200)
  await fitPredictions(await requireShop(shop.id))
  for (const [list, sort] of [
    [await value.loader(await get('/app/retention/value')), 'expected'],
    [await customers.loader(await get('/app/retention/customers?of=all&sort=last')), 'last'],
    [await customers.loader(await get('/app/retention/customers?of=all')), 'revenue'],
  ] as const) {
    const file = await (await exported.loader(await get(`/app/retention/export?of=all&sort=${sort}`))).text()
    const first = file.split('\r\n').slice(1, list.rows.length + 1)
    expect(first.map((line) => line.split(',')[0])).toEqual(list.rows.map((row) => row.customer))
  }
})

test('the overview’s notes speak of months, or of how long purchases last where the merchant has said so', async () => {
  const { shop, get } = await makeMerchant()
  await sellTo(shop.id, 5)
  const opened = async () => sayStage('active', (await overview.loader(await get('/app/retention'))).hasCycles)
  expect(await opened()).toBe('last order less than 12 months ago')
  await changeCycles(shop.id, () => [{ of: 'product', value: 'gid://shopify/Product/1', days: 3_650 }], Date.now())
  expect(await opened()).toBe('what they bought still lasts')
})

test('what one member is below zero makes the points that others hold no cheaper', async () => {
  const { shop, get } = await makeMerchant()
  const document = JSON.parse(readFileSync('test/fixtures/contracts/program.example.json', 'utf8')) as ProgramDocument
  await publishProgram(shop.id, document, { effectiveAt: 0, at: Date.now() })
  // Ann has 1,000, Ben owes 400, Cleo owes 300 of which her pending points will fill 100, Dan's 50 fill his 20; 30 of Ben's are set aside.
  await pool.query(
    `insert into members (shop_id, id, joined_at, updated_at) select $1, n, now(), now() from generate_series(1, 4) as n`,
    [shop.id],
  )
  await pool.query(
    `insert into balances (shop_id, member_id, available, pending, reserved, deficit)
     values ($1, 1, 1000, 0, 0, 0), ($1, 2, -400, 0, 30, 400), ($1, 3, -300, 100, 0, 300), ($1, 4, -20, 50, 0, 20)`,
    [shop.id],
  )
  const { liability, perHundred, costMinor, counted } = await points.loader(await get('/app/retention/points'))
  expect(perHundred).toBe(100)
  expect(liability).toMatchObject({ outstanding: 460, deficit: 720, owed: 1_060 })
  expect(costMinor).toBe(1_060)
  expect(await counted).toMatchObject({ everExpired: 0 })
})

test('a group that does not exist is not found', async () => {
  const { get } = await makeMerchant()
  const refused = await customers
    .loader(await get('/app/retention/customers?of=best:2026-01'))
    .catch((error: Response) => error)
  expect((refused as Response).status).toBe(404)
})

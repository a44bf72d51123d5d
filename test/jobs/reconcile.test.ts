import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { expect, it, onTestFinished } from 'vitest'
import { now } from '#app/clock.server.ts'
import { prisma } from '#app/db/client.server.ts'
import { findLastReading, startReading } from '#app/db/readings.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { askBackfill, backfill } from '#app/jobs/backfill.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { reconcile, refetchOrders } from '#app/jobs/reconcile.ts'
import { receive } from '#test/setup/factories.ts'
import { openSpendingShop, type SpendingShop } from './spending-shop.ts'

/** Orders in the dev store whose webhooks never reached us. */
async function placeOrders({ store, shop }: SpendingShop, count: number) {
  const customer = store.createCustomer(shop.domain, { email: `ann-${performance.now()}@example.com` })
  const product = store.addProduct(shop.domain, { title: 'Mug', priceMinor: 1000 })
  const orders = Array.from({ length: count }, () => {
    const lines = [{ variantId: product.variants[0]!.id, quantity: 2 }]
    const placed = store.placeOrder(shop.domain, { customerId: customer.id, lines })
    if (!placed.ok) throw new Error(placed.detail)
    return placed.order.id as string
  })
  return { customer: customer.id as string, orders }
}

/** The file of a bulk operation lies at an address of its own; here it is taken from the store. */
function serveBulkResults({ store }: SpendingShop, change = (result: string) => result): void {
  const before = abstractFetch
  setAbstractFetchFunc((async (url: string, init?: RequestInit) => {
    const number = /\/bulk\/(\d+)\.jsonl$/.exec(String(url))?.[1]
    if (number === undefined) return before(url, init as never)
    const operation = store.tables.get('bulkOperations', `gid://shopify/BulkOperation/${number}`)
    return new Response(operation?.result ? change(operation.result) : null)
  }) as typeof abstractFetch)
  onTestFinished(() => setAbstractFetchFunc(before))
}

const pendingOrAvailable = async (shopId: number, customer: string) => {
  const member = (await readMembers(shopId, [customer])).get(customer)
  return member ? member.pending + member.available : null
}

it('heals webhooks that never came: changed orders are read again and take the way of every webhook', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer } = await placeOrders(spending, 3)
  expect(await reconcile(shop, admin)).toEqual({ read: 3, mended: 3 })
  await drainShop(shop.id)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(300)
  expect(await findLastReading(shop.id, 'reconcile')).toMatchObject({
    state: 'done',
    position: 3,
    mended: 3,
    error: null,
  })

  // Read again with the overlap, they are known: nothing is stored, nothing changes.
  expect(await reconcile(await requireShop(shop.id), admin)).toEqual({ read: 3, mended: 0 })
  expect(await prisma.message.count({ where: { shopId: shop.id } })).toBe(3)
})

it('keeps its watermark where it was when Shopify cannot be read, and says so', async () => {
  const spending = await openSpendingShop([])
  await placeOrders(spending, 1)
  spending.trouble(null, '500', 9)
  await expect(reconcile(spending.shop, spending.admin)).rejects.toThrow()
  expect(await findLastReading(spending.shop.id, 'reconcile')).toMatchObject({ state: 'failed' })
  expect((await requireShop(spending.shop.id)).ordersReadUntil).toBeNull()
})

it('marks a run that a crash cut off as interrupted, and reads from where the last whole one ended', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer } = await placeOrders(spending, 2)
  // GIVEN a process that died after it had read something, and left its row behind
  const cutOff = await startReading(shop.id, { kind: 'reconcile' }, now())
  const backfilling = await askBackfill(shop.id)
  expect(await reconcile(shop, admin)).toEqual({ read: 2, mended: 2 })
  await drainShop(shop.id)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(200)
  const rows = await prisma.reading.findMany({ where: { shopId: shop.id }, orderBy: { id: 'asc' } })
  expect(rows.map(({ id, state, finishedAt }) => [String(id), state, finishedAt !== null])).toEqual([
    [cutOff.id, 'failed', true],
    [backfilling.id, 'asked', false],
    [expect.any(String), 'done', true],
  ])
  expect(rows[0]!.error).toContain('Interrupted')
})

it('reads an edited order again, since the webhook of an edit carries no totals', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer, orders } = await placeOrders(spending, 1)
  const number = orders[0]!.split('/').at(-1)!
  const edit = `{"order_edit":{"id":1,"order_id":${number},"created_at":"2026-08-01T00:00:00Z","line_items":{"additions":[],"removals":[]}}}`
  await receive(shop.id, 'orders/edited', edit)
  await drainShop(shop.id)
  expect(await refetchOrders(shop, admin)).toBe(1)
  await drainShop(shop.id)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(100)
})

it('takes in past orders by a bulk operation, once, and shows how far it is', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer } = await placeOrders(spending, 4)
  serveBulkResults(spending)
  await askBackfill(shop.id)
  expect(await askBackfill(shop.id)).toMatchObject({ state: 'asked' })
  expect(await backfill(shop, admin)).toMatchObject({ state: 'done', position: 4, total: 4, mended: 4 })
  // They can be read again, so none needs a message of its own.
  expect(await prisma.message.count({ where: { shopId: shop.id } })).toBe(0)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(400)
  expect(await reconcile(shop, admin)).toMatchObject({ mended: 0 })
})

it('goes on with a backfill where a crash interrupted it', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer } = await placeOrders(spending, 4)
  serveBulkResults(spending)
  const { id } = await askBackfill(shop.id)
  await backfill(shop, admin)
  // GIVEN a process that died after it had noted two of the four orders
  await prisma.reading.update({
    where: { shopId_id: { shopId: shop.id, id: BigInt(id) } },
    data: { state: 'running', position: 2n, finishedAt: null },
  })
  expect(await backfill(shop, admin)).toMatchObject({ state: 'done', position: 4, mended: 4 })
  expect(await pendingOrAvailable(shop.id, customer)).toBe(400)
  expect(await prisma.order.count({ where: { shopId: shop.id } })).toBe(4)
})

it('sets a past order aside that cannot be worked on, and counts all others of its batch', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer, orders } = await placeOrders(spending, 4)
  serveBulkResults(spending, (result) =>
    result
      .split('\n')
      .map((line) =>
        line.includes(`{"id":"${orders[1]!}"`) ? line.replace(/"currencyCode":"\w+"/, '"currencyCode":"???"') : line,
      )
      .join('\n'),
  )
  await askBackfill(shop.id)
  expect(await backfill(shop, admin)).toMatchObject({ state: 'done', position: 4, mended: 4 })
  expect(await pendingOrAvailable(shop.id, customer)).toBe(300)
  expect(await drainShop(shop.id)).toMatchObject({ failed: 1 })
  const [message] = await prisma.inboxMessage.findMany({ where: { shopId: shop.id } })
  expect(message).toMatchObject({ source: 'backfill', error: expect.stringContaining('unknown currency') })
})

it('keeps past orders waiting where there is no program yet', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer } = await placeOrders(spending, 3)
  serveBulkResults(spending)
  const programs = await prisma.program.findMany({ where: { shopId: shop.id } })
  await prisma.program.deleteMany({ where: { shopId: shop.id } })
  await askBackfill(shop.id)
  expect(await backfill(shop, admin)).toMatchObject({ state: 'done', position: 3 })
  expect(await pendingOrAvailable(shop.id, customer)).toBeNull()
  for (const program of programs)
    await prisma.program.create({ data: { ...program, document: program.document as object } })
  await drainShop(shop.id)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(300)
})

import { setTimeout as wait } from 'node:timers/promises'
import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { expect, it, onTestFinished } from 'vitest'
import { now } from '#app/clock.server.ts'
import { prisma } from '#app/db/client.server.ts'
import { findLastReading, startReading, type Reading } from '#app/db/readings.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { askBackfill, backfill } from '#app/jobs/backfill.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { findNews, reconcile, refetchOrders, takeIn } from '#app/jobs/reconcile.ts'
import { readBulkState, readOrder } from '#app/shopify/orders.server.ts'
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

/** As the queue does it: the backfill is asked again for as long as it has more to do. */
async function finishBackfill(
  { shop, admin }: Pick<SpendingShop, 'shop' | 'admin'>,
  isFinished = (reading: Reading) => reading.state !== 'running',
  signal?: AbortSignal,
) {
  for (let tries = 0; ; tries += 1) {
    const reading = await backfill(shop, admin, signal)
    if (tries === 300 || reading === null || isFinished(reading)) return reading
    await wait(50)
  }
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

it('sees that an order was cancelled in the second in which it was paid', async () => {
  const spending = await openSpendingShop([])
  const { shop, admin } = spending
  const { customer, orders } = await placeOrders(spending, 2)
  await reconcile(shop, admin)
  await drainShop(shop.id)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(200)
  const order = (await readOrder(admin, orders[0]!))!
  expect(await findNews(shop.id, [order])).toEqual([])
  const cancelled = { ...order, cancelledAt: order.updatedAt }
  expect(await takeIn(shop.id, [cancelled], 'reconcile')).toBe(1)
  await drainShop(shop.id)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(100)
  // Known now, it is no news any more.
  expect(await findNews(shop.id, [cancelled])).toEqual([])
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
  const cutOff = await startReading(shop.id, 'reconcile', now())
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
  expect(await finishBackfill(spending)).toMatchObject({ state: 'done', position: 4, total: 4, mended: 4 })
  // They can be read again, so none needs a message of its own.
  expect(await prisma.message.count({ where: { shopId: shop.id } })).toBe(0)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(400)
  expect(await reconcile(shop, admin)).toMatchObject({ mended: 0 })
})

it('goes on with a backfill where a crash interrupted it', async () => {
  const spending = await openSpendingShop([])
  const { shop } = spending
  const { customer } = await placeOrders(spending, 4)
  serveBulkResults(spending)
  const { id } = await askBackfill(shop.id)
  await finishBackfill(spending)
  // GIVEN a process that died after it had noted two of the four orders
  await prisma.reading.update({
    where: { shopId_id: { shopId: shop.id, id: BigInt(id) } },
    data: { state: 'running', position: 2n, finishedAt: null },
  })
  expect(await finishBackfill(spending)).toMatchObject({ state: 'done', position: 4, mended: 4 })
  expect(await pendingOrAvailable(shop.id, customer)).toBe(400)
  expect(await prisma.order.count({ where: { shopId: shop.id } })).toBe(4)
})

it('does not wait in a backfill while Shopify collects the orders', async () => {
  const { shop, admin } = await openSpendingShop([])
  const request: typeof admin.request = (document, variables, answer) =>
    document.includes('LoyaltyBulkState')
      ? Promise.resolve(answer.parse({ bulkOperation: { ...COLLECTING, id: variables?.id } }))
      : admin.request(document, variables, answer)
  await askBackfill(shop.id)
  const startedAt = performance.now()
  expect(await backfill(shop, { ...admin, request })).toMatchObject({ state: 'running', position: 0 })
  expect(await backfill(shop, { ...admin, request })).toMatchObject({ state: 'running', position: 0 })
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

const COLLECTING = {
  status: 'RUNNING',
  errorCode: null,
  objectCount: '0',
  rootObjectCount: '0',
  url: null,
  partialDataUrl: null,
}

it('ends a backfill whose collected orders Shopify no longer keeps, so that it can be asked for again', async () => {
  const spending = await openSpendingShop([])
  const { shop } = spending
  await placeOrders(spending, 2)
  const answers = [503, 403]
  const before = abstractFetch
  setAbstractFetchFunc(((url: string, init?: RequestInit) =>
    /\/bulk\//.test(String(url))
      ? Promise.resolve(new Response('', { status: answers.shift() }))
      : before(url, init as never)) as typeof abstractFetch)
  onTestFinished(() => setAbstractFetchFunc(before))
  await askBackfill(shop.id)
  await expect(finishBackfill(spending)).rejects.toThrow('HTTP 503')
  const error = 'Shopify keeps the orders that it has collected for seven days, and these are gone.'
  expect(await finishBackfill(spending)).toMatchObject({ state: 'failed', error })
  expect(await askBackfill(shop.id)).toMatchObject({ state: 'asked' })
})

it('ends a backfill when the worker does, and goes on with it in the next one', async () => {
  const spending = await openSpendingShop([])
  const { shop } = spending
  const { customer } = await placeOrders(spending, 4)
  serveBulkResults(spending)
  await askBackfill(shop.id)
  const isRead = ({ total }: Reading) => total !== null
  const ended = await finishBackfill(spending, isRead, AbortSignal.abort())
  expect(ended).toMatchObject({ state: 'running', position: 0, total: 4 })
  expect(await finishBackfill(spending)).toMatchObject({ state: 'done', position: 4, mended: 4 })
  expect(await pendingOrAvailable(shop.id, customer)).toBe(400)
})

it('reads the results of two backfills at once, and leaves room for what else is to be done', async () => {
  const shops: SpendingShop[] = []
  for (let count = 0; count < 3; count += 1) shops.push(await openSpendingShop([]))
  // GIVEN results that come slowly
  const ends: (() => void)[] = []
  const served = Array.from({ length: 2 }, () => Promise.withResolvers<void>())
  const before = abstractFetch
  setAbstractFetchFunc((async (url: string, init?: RequestInit) => {
    if (!/\/bulk\//.test(String(url))) return before(url, init as never)
    const body = new ReadableStream({ start: (stream) => void ends.push(() => stream.close()) })
    served[ends.length - 1]!.resolve()
    return new Response(body)
  }) as typeof abstractFetch)
  onTestFinished(() => setAbstractFetchFunc(before))
  for (const spending of shops) {
    await placeOrders(spending, 1)
    await askBackfill(spending.shop.id)
  }
  const [one, two, three] = shops as [SpendingShop, SpendingShop, SpendingShop]
  const first = [one, two].map((spending) => finishBackfill(spending))
  await Promise.all(served.map(({ promise }) => promise))

  // WHEN a third one, or one of the two again, has its turn, THEN it leaves without having read anything
  await backfill(three.shop, three.admin)
  const operation = (await findLastReading(three.shop.id, 'backfill'))!.operation!
  while ((await readBulkState(three.admin, operation)).state !== 'done') await wait(50)
  expect(await backfill(three.shop, three.admin)).toMatchObject({ state: 'running', total: null })
  expect(await backfill(one.shop, one.admin)).toMatchObject({ state: 'running' })
  ends.forEach((end) => end())
  expect(await Promise.all(first)).toMatchObject([{ state: 'done' }, { state: 'done' }])
})

it('sets a past order aside that cannot be worked on, and counts all others of its batch', async () => {
  const spending = await openSpendingShop([])
  const { shop } = spending
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
  expect(await finishBackfill(spending)).toMatchObject({ state: 'done', position: 4, mended: 4 })
  expect(await pendingOrAvailable(shop.id, customer)).toBe(300)
  expect(await drainShop(shop.id)).toMatchObject({ failed: 1 })
  const [message] = await prisma.inboxMessage.findMany({ where: { shopId: shop.id } })
  expect(message).toMatchObject({ source: 'backfill', error: expect.stringContaining('unknown currency') })
})

it('keeps past orders waiting where there is no program yet', async () => {
  const spending = await openSpendingShop([])
  const { shop } = spending
  const { customer } = await placeOrders(spending, 3)
  serveBulkResults(spending)
  const programs = await prisma.program.findMany({ where: { shopId: shop.id } })
  await prisma.program.deleteMany({ where: { shopId: shop.id } })
  await askBackfill(shop.id)
  expect(await finishBackfill(spending)).toMatchObject({ state: 'done', position: 3 })
  expect(await pendingOrAvailable(shop.id, customer)).toBeNull()
  for (const program of programs)
    await prisma.program.create({ data: { ...program, document: program.document as object } })
  await drainShop(shop.id)
  expect(await pendingOrAvailable(shop.id, customer)).toBe(300)
})

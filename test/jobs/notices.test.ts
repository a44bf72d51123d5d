import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { pool, prisma } from '#app/db/client.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { forgetOldAnsweredRequests, listPrivacyRequests } from '#app/db/privacy.server.ts'
import { findShop, installShop, noteToken } from '#app/db/shops.server.ts'
import { listMessages } from '#app/db/messages.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { eraseShops } from '#app/jobs/erase-shop.ts'
import { makeShop, makeShopWithProgram, receive } from '#test/setup/factories.ts'
import { orderBody } from '#test/setup/orders.ts'

const ANN = 8_123_456_789_012
const details = { name: 'Shop', currency: 'EUR', timezone: 'Europe/Berlin' }

it('notes an uninstall, also before there is a program, and drops what waited to be sent', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  await drainShop(shop.id)
  await receive(shop.id, 'app/uninstalled', '{"id":1}', { at: '2026-08-02T00:00:00Z' })
  await drainShop(shop.id)
  expect(await findShop(shop.domain)).toMatchObject({ uninstalledAt: Date.parse('2026-08-02T00:00:00Z') })
  expect(await prisma.outboxEffect.count({ where: { shopId: shop.id, state: 'waiting' } })).toBe(0)

  const bare = await makeShop()
  await receive(bare.id, 'app/uninstalled', '{"id":1}')
  expect((await drainShop(bare.id)).done).toBe(1)
})

it('forgets the tokens of a shop that took the app off, and of no other', async () => {
  const [shop, other] = [await makeShop(), await makeShop()]
  for (const { domain } of [shop, other]) {
    await prisma.session.create({
      data: { id: `offline_${domain}`, shop: domain, state: '', isOnline: false, accessToken: 'kept' },
    })
  }
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z' })
  await drainShop(shop.id)
  const left = await prisma.session.findMany({ where: { shop: { in: [shop.domain, other.domain] } } })
  expect(left.map(({ shop: domain }) => domain)).toEqual([other.domain])
})

it('does not let a late notice of an uninstall close a shop that has come back', async () => {
  const shop = await makeShop()
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z', eventId: 'one' })
  await drainShop(shop.id)
  await installShop(shop.domain, details, Date.parse('2026-08-03T00:00:00Z'))
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z', eventId: 'again' })
  await drainShop(shop.id)
  expect(await findShop(shop.domain)).toMatchObject({ uninstalledAt: null })
})

it('takes a notice of an uninstall that comes after the shop has come back for what it is, and writes anew what had gone', async () => {
  // GIVEN a shop that was taken off and put on again, which Shopify's token tells before the notice does
  const shop = await makeShopWithProgram({}, { installedAt: new Date('2026-08-01T00:00:00Z') })
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  await drainShop(shop.id)
  await prisma.outboxEffect.deleteMany({ where: { shopId: shop.id } })
  await noteToken(shop.domain, Date.parse('2026-08-03T00:00:00Z'))
  await noteToken(shop.domain, Date.parse('2026-08-01T00:00:00Z'))

  // WHEN the notices come
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z', eventId: 'one' })
  await receive(shop.id, 'shop/redact', '{"shop_id":1}', { at: '2026-08-02T12:00:00Z' })
  await drainShop(shop.id)
  expect(await eraseShops()).toBe(0)

  // THEN it is there as it was, and cards and codes are written anew, once
  expect(await findShop(shop.domain)).toMatchObject({ uninstalledAt: null })
  expect(await prisma.member.count({ where: { shopId: shop.id, erasedAt: null } })).toBe(1)
  const effects = () => prisma.outboxEffect.findMany({ where: { shopId: shop.id, state: 'waiting' } })
  expect((await effects()).map(({ kind }) => kind).sort()).toEqual([
    'all-member-cards',
    'fill-pools',
    'function-discounts',
    'program-card',
  ])
  await prisma.outboxEffect.deleteMany({ where: { shopId: shop.id } })
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z', eventId: 'again' })
  await drainShop(shop.id)
  expect(await effects()).toEqual([])

  // AND taken off once more, it is gone
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-04T00:00:00Z', eventId: 'two' })
  await drainShop(shop.id)
  expect(await findShop(shop.domain)).toMatchObject({ uninstalledAt: Date.parse('2026-08-04T00:00:00Z') })
})

it('keeps the scopes that the merchant has granted', async () => {
  const shop = await makeShop()
  await receive(shop.id, 'app/scopes_update', '{"previous":[],"current":["read_orders","read_all_orders"]}')
  await drainShop(shop.id)
  expect((await findShop(shop.domain))?.scopes).toEqual(['read_orders', 'read_all_orders'])
})

it('answers a customer’s request for data with all that is kept of them, and forgets the message', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  await drainShop(shop.id)
  await receive(shop.id, 'customers/data_request', JSON.stringify({ customer: { id: ANN, email: 'ann@example.com' } }))
  await drainShop(shop.id)
  const [request] = await listPrivacyRequests(shop.id)
  expect(request).toMatchObject({
    topic: 'customers/data_request',
    memberId: String(ANN),
    answer: {
      balances: { pending: 50 },
      orders: [{ id: 1, points: 50 }],
      transfers: [{ points: 50, reason: 'order' }],
    },
  })
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id } })).toBe(0)
})

it('keeps what was put together of a customer until it was long enough there to be handed over', async () => {
  const shop = await makeShop()
  const asked = Date.parse('2026-08-02T00:00:00Z')
  await receive(shop.id, 'customers/data_request', JSON.stringify({ customer: { id: ANN } }), {
    at: '2026-08-02T00:00:00Z',
  })
  await drainShop(shop.id)
  await forgetOldAnsweredRequests(shop.id, asked)
  expect((await listPrivacyRequests(shop.id))[0]!.answer).not.toBeNull()
  await forgetOldAnsweredRequests(shop.id, asked + 1)
  expect(await listPrivacyRequests(shop.id)).toMatchObject([{ memberId: String(ANN), answer: null }])
})

it('erases a shop in slices when Shopify asks for it: points are forfeited and the ledger still ties', async () => {
  const shop = await makeShopWithProgram()
  for (let id = 1; id <= 3; id += 1)
    await receive(shop.id, 'orders/paid', orderBody({ id, customer: id, goods: '10.00' }))
  await drainShop(shop.id)
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z' })
  await receive(shop.id, 'shop/redact', '{"shop_id":1}', { at: '2026-08-04T00:00:00Z' })
  await drainShop(shop.id)
  expect(await eraseShops()).toBe(1)
  expect(await eraseShops()).toBe(0)
  expect(await prisma.member.count({ where: { shopId: shop.id, erasedAt: null } })).toBe(0)
  const sum = await prisma.balance.aggregate({ where: { shopId: shop.id }, _sum: { pending: true, available: true } })
  expect(sum._sum).toEqual({ pending: 0n, available: 0n })
  expect((await checkLedger(shop.id)).differences).toEqual([])
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id } })).toBe(0)
})

it('stops erasing a shop that comes back meanwhile, and erases it another time only when it is asked to again', async () => {
  // GIVEN a shop whose erasure has begun, so that it takes more than one slice
  const shop = await makeShopWithProgram()
  for (let id = 1; id <= 150; id += 1)
    await receive(shop.id, 'orders/paid', orderBody({ id, customer: id, goods: '10.00' }))
  await drainShop(shop.id)
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z' })
  await receive(shop.id, 'shop/redact', '{"shop_id":1}', { at: '2026-08-04T00:00:00Z' })
  await drainShop(shop.id)
  const left = () => prisma.member.count({ where: { shopId: shop.id, erasedAt: null } })
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('select from members where shop_id = $1 and id = 150 for update', [shop.id])
  const erasing = eraseShops()
  while ((await left()) !== 50) await wait(20)

  // WHEN it is installed again, and something comes
  await installShop(shop.domain, details, Date.parse('2026-08-05T00:00:00Z'))
  await receive(shop.id, 'orders/paid', orderBody({ id: 999, customer: 999, goods: '10.00' }))
  await holder.query('commit')
  holder.release()
  expect(await erasing).toBe(0)

  // THEN what was left stays, and what came is worked on
  expect(await left()).toBe(50)
  await drainShop(shop.id)
  expect(await left()).toBe(51)

  // AND taken off once more, the shop waits for Shopify's word
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-11-02T00:00:00Z' })
  await drainShop(shop.id)
  expect(await eraseShops()).toBe(0)
  expect(await left()).toBe(51)
})

it('keeps nothing of what comes in once a shop was erased, and works again when it comes back', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z' })
  await receive(shop.id, 'shop/redact', '{"shop_id":1}', { at: '2026-08-04T00:00:00Z' })
  await drainShop(shop.id)
  expect(await eraseShops()).toBe(1)
  await receive(shop.id, 'orders/paid', orderBody({ id: 2, customer: 2, goods: '10.00' }))
  await receive(shop.id, 'customers/update', '{"id":3,"state":"enabled"}')
  expect((await drainShop(shop.id)).done).toBe(0)
  await eraseShops()
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id } })).toBe(0)
  expect(await prisma.member.count({ where: { shopId: shop.id, erasedAt: null } })).toBe(0)
  expect(await prisma.order.count({ where: { shopId: shop.id, id: 2 } })).toBe(0)

  await installShop(shop.domain, details, Date.parse('2026-09-01T00:00:00Z'))
  await receive(shop.id, 'orders/paid', orderBody({ id: 4, customer: 4, goods: '10.00' }))
  expect((await drainShop(shop.id)).done).toBe(1)
  expect(await prisma.member.count({ where: { shopId: shop.id, erasedAt: null } })).toBe(1)
})

it('erases whoever was made a member by a batch that was under way', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z' })
  await receive(shop.id, 'shop/redact', '{"shop_id":1}', { at: '2026-08-04T00:00:00Z' })
  await drainShop(shop.id)
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  // The batch has claimed its message, and waits to write.
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('lock table ledger_transfers in exclusive mode')
  const draining = drainShop(shop.id)
  await isWaiting('ledger_transfers')
  const erasing = eraseShops()
  await wait(200)
  await holder.query('commit')
  holder.release()
  expect((await draining).done).toBe(1)
  expect(await erasing).toBe(1)
  expect(await prisma.member.count({ where: { shopId: shop.id } })).toBe(1)
  expect(await prisma.member.count({ where: { shopId: shop.id, erasedAt: null } })).toBe(0)
})

/** Somebody waits for a lock on the table. */
async function isWaiting(table: string): Promise<void> {
  const look = () =>
    pool.query(
      'select from pg_locks where not granted and relation = $1::regclass and database = (select oid from pg_database where datname = current_database())',
      [table],
    )
  while ((await look()).rowCount === 0) await wait(20)
}

it('erases the other shops where one cannot be erased, and says that', async () => {
  const [broken, other] = [await makeShopWithProgram(), await makeShopWithProgram()]
  for (const shop of [broken, other]) {
    await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
    await drainShop(shop.id)
    await receive(shop.id, 'app/uninstalled', '{}', { at: '2026-08-02T00:00:00Z' })
    await receive(shop.id, 'shop/redact', '{"shop_id":1}', { at: '2026-08-04T00:00:00Z' })
    await drainShop(shop.id)
  }
  await prisma.$executeRaw`update members set state = 'no JSON' where shop_id = ${broken.id}`
  await expect(eraseShops()).rejects.toThrow()
  expect(await prisma.member.count({ where: { shopId: other.id, erasedAt: null } })).toBe(0)
  await prisma.$executeRaw`update shops set settings = settings - 'erase' where id = ${broken.id}`
})

it('keeps the scopes of the newest notice, in whatever order they come', async () => {
  const shop = await makeShop()
  const current = (...scopes: string[]) => JSON.stringify({ previous: [], current: scopes })
  await receive(shop.id, 'app/scopes_update', current('read_orders', 'read_all_orders'), { at: '2026-08-02T00:00:00Z' })
  await receive(shop.id, 'app/scopes_update', current('read_orders'), { at: '2026-08-01T00:00:00Z' })
  await drainShop(shop.id)
  expect(await findShop(shop.domain)).toMatchObject({ scopes: ['read_orders', 'read_all_orders'] })
})

it('leaves topics that it does not know alone, visible and out of the way', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'products/update', '{"id":1}')
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 0, left: 0 })
  expect(await listMessages(shop.id, { size: 2 })).toMatchObject([{ state: 'ignored' }])
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id } })).toBe(0)
})

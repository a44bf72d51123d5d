import { expect, it, onTestFinished } from 'vitest'
import { pool, prisma } from '#app/db/client.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { keepAnswer } from '#app/db/feedback.server.ts'
import { findBalancesAt } from '#app/db/ledger.server.ts'
import { CLAIM_LOCK, retryMessage } from '#app/db/inbox.server.ts'
import { listMessages, listSetAside } from '#app/db/messages.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { drainInbox, drainShop, type Resting } from '#app/jobs/drain-inbox.ts'
import { letTimePassIn } from '#app/jobs/nightly.ts'
import {
  atInstant,
  makeShop,
  makeShopWithProgram,
  programDocument,
  receive,
  receiveIdle,
} from '#test/setup/factories.ts'
import { listenToLog } from '#test/setup/log.ts'
import { orderBody } from '#test/setup/orders.ts'
import { lookAtStatements } from '#test/setup/statements.ts'

const ANN = 8_123_456_789_012
const ann = `gid://shopify/Customer/${ANN}`
const pointsOf = async (shopId: number, customer = ann) => {
  const member = (await readMembers(shopId, [customer])).get(customer)
  return member && { available: member.available, pending: member.pending, reserved: member.reserved }
}

it('turns a paid order into pending points, an order fact and a card to be written, in one go', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '60.00' }))
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 0, left: 0 })
  expect(await pointsOf(shop.id)).toEqual({ available: 0, pending: 300, reserved: 0 })
  expect(await prisma.order.findFirst({ where: { shopId: shop.id } })).toMatchObject({
    memberId: BigInt(ANN),
    points: 300n,
    goodsMinor: 6000n,
    counts: true,
    programVersion: 1,
  })
  const cards = await prisma.outboxEffect.findMany({ where: { shopId: shop.id, kind: 'member-card' } })
  expect(cards).toMatchObject([{ key: ann, state: 'waiting' }])
  expect(await listMessages(shop.id, { size: 2 })).toMatchObject([{ topic: 'orders/paid', state: 'done' }])
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id } })).toBe(0)
})

it('ends in the same balance however often, late and shuffled the messages about an order come', async () => {
  const paid = orderBody({ id: 1, customer: ANN, goods: ['40.00', '20.00'] })
  const refunded = orderBody({
    id: 1,
    customer: ANN,
    goods: ['40.00', '20.00'],
    left: [1, 0],
    status: 'partially_refunded',
    updatedAt: '2026-08-02T10:00:00+02:00',
  })
  const story = [
    ['orders/paid', paid, '2026-08-01T08:00:05Z'],
    ['orders/updated', refunded, '2026-08-02T08:00:05Z'],
    ['orders/updated', paid, '2026-08-01T08:00:06Z'],
    ['orders/paid', paid, '2026-08-01T08:00:05Z'],
  ] as const
  for (const order of [
    [0, 1, 2, 3],
    [1, 0, 2, 3],
    [3, 2, 1, 0],
  ]) {
    const shop = await makeShopWithProgram()
    for (const index of order) {
      const [topic, body, at] = story[index]!
      await receive(shop.id, topic, body, { at })
      if (index % 2 === 0) await drainShop(shop.id)
    }
    await drainShop(shop.id)
    expect(await pointsOf(shop.id)).toEqual({ available: 0, pending: 200, reserved: 0 })
  }
})

it('releases points when their hold ends, as time passes by itself', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  await drainShop(shop.id)
  await atInstant('2026-08-15T08:00:04Z', () => letTimePassIn(shop.id))
  expect(await pointsOf(shop.id)).toMatchObject({ pending: 50 })
  await atInstant('2026-08-15T08:00:05Z', () => letTimePassIn(shop.id))
  expect(await pointsOf(shop.id)).toMatchObject({ pending: 0, available: 50 })
  expect(await findBalancesAt(shop.id, ann, Date.parse('2026-08-15T08:00:04Z'))).toMatchObject({ pending: 50 })
})

it('keeps messages waiting until there is a program, and then works on all of them', async () => {
  const shop = await makeShop()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  expect(await drainShop(shop.id)).toEqual({ done: 0, failed: 0, left: 0, withoutRules: true })
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id, state: 'waiting' } })).toBe(1)
})

it('leaves a shop whose orders wait for a program alone for some seconds, where it drains again and again', async () => {
  const shop = await makeShop()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  const resting: Resting = new Map()
  const drainAgain = async () => {
    const looks: number[] = []
    await drainInbox({ onShop: (shopId) => looks.push(shopId), resting })
    return looks.filter((shopId) => shopId === shop.id).length
  }
  expect(await drainAgain()).toBe(1)
  expect(await drainAgain()).toBe(0)
  await publishProgram(shop.id, programDocument(), { effectiveAt: 0, at: 0 })
  const leftMs = resting.get(shop.id)! - performance.now()
  expect(leftMs).toBeLessThan(5_000)
  // Those seconds later:
  resting.set(shop.id, performance.now() - 1)
  expect(await drainAgain()).toBeGreaterThan(0)
  expect(await pointsOf(shop.id)).toMatchObject({ pending: 50 })
})

it('sets a message that cannot be read aside after its retries, and works on the others meanwhile', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', '{"id": 5, "currency": "EUR"}', { eventId: 'poison' })
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 1, left: 0 })
  expect(await pointsOf(shop.id)).toMatchObject({ pending: 50 })
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await pool.query(`update inbox set due_at = received_at where shop_id = $1 and state = 'waiting'`, [shop.id])
    await drainShop(shop.id)
  }
  const [aside] = await listSetAside(shop.id, 2)
  expect(aside).toMatchObject({ topic: 'orders/paid', attempts: 5 })
  expect(aside!.error).toContain('created_at is missing')
  expect(await retryMessage(shop.id, aside!.id, Date.now())).toBe(true)
  expect(await drainShop(shop.id)).toMatchObject({ failed: 1 })
})

it('does not let a message that cannot be kept take its batch with it, and keeps of the reason only what names no data', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  await drainShop(shop.id)
  // GIVEN a database that refuses everything of Ann's.
  const table = 'alter table ledger_transfers'
  await pool.query(`${table} add constraint not_ann check (member_id <> ${ANN}) not valid`)
  await receive(shop.id, 'orders/paid', orderBody({ id: 2, customer: ANN, goods: '10.00' }), { eventId: 'broken' })
  await receive(shop.id, 'orders/paid', orderBody({ id: 3, customer: 77, goods: '10.00' }))
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 1, left: 0 })
  await pool.query(`${table} drop constraint not_ann`)
  expect(await pointsOf(shop.id, 'gid://shopify/Customer/77')).toMatchObject({ pending: 50 })
  const broken = await prisma.inboxMessage.findFirst({ where: { shopId: shop.id } })
  const error = 'error 23514 (ledger_transfers, not_ann)'
  expect(broken).toMatchObject({ state: 'waiting', attempts: 1, error })
})

it('keeps two shops with the same customers and orders apart', async () => {
  const [one, other] = [await makeShopWithProgram(), await makeShopWithProgram()]
  await receive(one.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  await receive(other.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '99.00' }))
  await drainInbox()
  expect(await pointsOf(one.id)).toMatchObject({ pending: 50 })
  expect(await pointsOf(other.id)).toMatchObject({ pending: 495 })
})

it('names a shop whose program cannot be read in the log, once, and works on the messages of the others', async () => {
  const [broken, other] = [await makeShopWithProgram(), await makeShopWithProgram()]
  for (const { id } of [broken, other]) {
    await receive(id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  }
  await pool.query(`update programs set document = '{"version": 1}' where shop_id = $1`, [broken.id])
  const log = listenToLog()
  const resting: Resting = new Map()
  const drainAgain = () => drainInbox({ resting })
  await drainAgain()
  expect(await pointsOf(other.id)).toMatchObject({ pending: 50 })
  // The next round, a moment later, does not try again and does not say it again.
  expect(await drainAgain()).toEqual({ done: 0, failed: 0, left: 0 })
  expect(log).toEqual([
    expect.stringMatching(
      `^error: the messages of shop ${broken.id} cannot be taken up: Error: Version 1 of shop ${broken.id}'s program cannot be read`,
    ),
  ])
  expect(await prisma.inboxMessage.findMany({ where: { shopId: broken.id } })).toMatchObject([
    { state: 'waiting', attempts: 0, error: null },
  ])
  await expect(drainShop(broken.id)).rejects.toThrow('cannot be read')
  // The tests after this one drain all shops.
  await pool.query('delete from inbox where shop_id = $1', [broken.id])
})

it('works on a batch of each shop in turn, and goes on with those that have more until nothing waits', async () => {
  const [busy, calm] = [await makeShopWithProgram(), await makeShopWithProgram()]
  // 1,002 of them make two batches and a rest.
  await receiveIdle(busy.id, 1_002)
  await receiveIdle(calm.id, 1)
  const turns: { shopId: number; done: number }[] = []
  const total = await drainInbox({
    onShop: (shopId, { done }) => {
      if (done > 0) turns.push({ shopId, done })
    },
  })
  expect(total).toEqual({ done: 1_003, failed: 0, left: 0 })
  expect(turns.slice(0, 2).map(({ shopId }) => shopId)).toContain(calm.id)
  const batches = turns.filter(({ shopId }) => shopId === busy.id).map(({ done }) => done)
  expect(batches.sort((one, other) => other - one)).toEqual([500, 500, 2])
})

it('counts every order once while three workers drain one shop at the same time', async () => {
  const shop = await makeShopWithProgram()
  for (let id = 1; id <= 60; id += 1) {
    await receive(shop.id, 'orders/paid', orderBody({ id, customer: ANN + (id % 4), goods: '10.00' }))
    await receive(shop.id, 'orders/updated', orderBody({ id, customer: ANN + (id % 4), goods: '10.00' }))
  }
  const work = async () => {
    for (let round = 0; round < 60; round += 1) {
      const { done, left } = await drainShop(shop.id, 7)
      if (done === 0 && left === 0) return
    }
  }
  await Promise.all([work(), work(), work()])
  await drainShop(shop.id)
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id } })).toBe(0)
  const sum = await prisma.balance.aggregate({ where: { shopId: shop.id }, _sum: { pending: true } })
  expect(sum._sum.pending).toBe(3000n)
})

it('keeps the digits of ids past 2^53', async () => {
  const shop = await makeShopWithProgram()
  const id = 820_982_911_946_154_508n
  await receive(shop.id, 'orders/paid', orderBody({ id, customer: 115_310_627_314_723_954n, goods: '10.00' }))
  await drainShop(shop.id)
  expect(await prisma.order.findFirst({ where: { shopId: shop.id } })).toMatchObject({
    id,
    memberId: 115_310_627_314_723_954n,
  })
})

it('gives the points, orders and aliases of a merged customer to the one who stays', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  await receive(shop.id, 'orders/paid', orderBody({ id: 2, customer: 2, goods: '20.00' }))
  await drainShop(shop.id)
  const merge = JSON.stringify({
    admin_graphql_api_customer_kept_id: 'gid://shopify/Customer/2',
    admin_graphql_api_customer_deleted_id: 'gid://shopify/Customer/1',
    status: 'completed',
  })
  await receive(shop.id, 'customers/merge', merge, { at: '2026-08-03T08:00:00Z' })
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 0, left: 0 })
  await receive(shop.id, 'orders/paid', orderBody({ id: 3, customer: 1, goods: '1.00' }), {
    at: '2026-08-04T08:00:00Z',
  })
  await drainShop(shop.id)
  expect(await pointsOf(shop.id, 'gid://shopify/Customer/2')).toMatchObject({ pending: 155 })
  expect(await prisma.member.count({ where: { shopId: shop.id } })).toBe(1)
  expect(await prisma.order.count({ where: { shopId: shop.id, memberId: 2n } })).toBe(3)
})

it('forgets what it keeps under an id that was merged away, and leaves the customer who stays alone until it is theirs that is named', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  await receive(shop.id, 'orders/paid', orderBody({ id: 2, customer: 2, goods: '20.00' }))
  const merge = JSON.stringify({
    admin_graphql_api_customer_kept_id: 'gid://shopify/Customer/2',
    admin_graphql_api_customer_deleted_id: 'gid://shopify/Customer/1',
    status: 'completed',
  })
  await receive(shop.id, 'customers/merge', merge, { at: '2026-08-03T08:00:00Z' })
  await drainShop(shop.id)
  for (const [id, memberId] of [
    [1n, 1n],
    [2n, 2n],
  ] as const) {
    await prisma.campaignAudience.create({ data: { shopId: shop.id, campaignId: `c${id}`, memberId } })
  }
  const said = { score: 9, comment: 'I am Ben' }
  await keepAnswer(shop.id, 'gid://shopify/Customer/2', { round: 1, openedAt: 0 }, said, 0)
  const redact = (id: number) => JSON.stringify({ shop_id: 1, customer: { id }, orders_to_redact: [] })

  await receive(shop.id, 'customers/redact', redact(1), { at: '2026-08-20T08:00:00Z' })
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 0, left: 0 })
  expect(await pointsOf(shop.id, 'gid://shopify/Customer/2')).toMatchObject({ available: 150 })
  expect(await prisma.campaignAudience.findMany({ where: { shopId: shop.id } })).toMatchObject([{ memberId: 2n }])
  expect(await prisma.feedbackAnswer.count({ where: { shopId: shop.id } })).toBe(1)

  await receive(shop.id, 'customers/redact', redact(2), { at: '2026-08-21T08:00:00Z' })
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 0, left: 0 })
  expect(await pointsOf(shop.id, 'gid://shopify/Customer/2')).toMatchObject({ pending: 0, available: 0 })
  expect(await prisma.campaignAudience.count({ where: { shopId: shop.id } })).toBe(0)
  expect(await prisma.feedbackAnswer.count({ where: { shopId: shop.id } })).toBe(0)
})

it('forgets a customer also before there is a program: the orders that wait for one, and later ones, enrol nobody', async () => {
  const shop = await makeShop()
  await keepAnswer(shop.id, ann, { round: 1, openedAt: 0 }, { score: 3, comment: 'I live in Elm St' }, 0)
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 77, goods: '10.00' }))
  await receive(shop.id, 'orders/paid', orderBody({ id: 2, customer: ANN, goods: '10.00' }))
  const redact = JSON.stringify({ shop_id: 1, customer: { id: ANN, email: 'ann@example.com' }, orders_to_redact: [] })
  await receive(shop.id, 'customers/redact', redact)
  await receive(shop.id, 'customers/redact', redact)
  expect(await drainShop(shop.id)).toEqual({ done: 2, failed: 0, left: 0, withoutRules: true })
  expect(await prisma.feedbackAnswer.count({ where: { shopId: shop.id } })).toBe(0)
  const waiting = await prisma.inboxMessage.findMany({ where: { shopId: shop.id } })
  expect(waiting.map(({ topic }) => topic)).toEqual(['orders/paid', 'orders/paid'])

  await publishProgram(shop.id, programDocument(), { effectiveAt: 0, at: 0 })
  await receive(shop.id, 'orders/paid', orderBody({ id: 3, customer: ANN, goods: '10.00' }))
  expect(await drainShop(shop.id)).toEqual({ done: 3, failed: 0, left: 0 })
  expect(await pointsOf(shop.id)).toEqual({ available: 0, pending: 0, reserved: 0 })
  expect(await pointsOf(shop.id, 'gid://shopify/Customer/77')).toMatchObject({ pending: 50 })
  const living = await prisma.member.findMany({ where: { shopId: shop.id, erasedAt: null } })
  expect(living.map(({ id }) => id)).toEqual([77n])
  expect(await prisma.ledgerTransfer.count({ where: { shopId: shop.id, memberId: BigInt(ANN) } })).toBe(0)
})

it('forfeits the points of an erased customer and forgets the messages that named them', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: ANN, goods: '10.00' }))
  await drainShop(shop.id)
  const redact = JSON.stringify({ shop_id: 1, customer: { id: ANN, email: 'ann@example.com' }, orders_to_redact: [] })
  await receive(shop.id, 'customers/redact', redact, { at: '2026-08-20T08:00:00Z' })
  expect(await drainShop(shop.id)).toEqual({ done: 1, failed: 0, left: 0 })
  expect(await pointsOf(shop.id)).toEqual({ available: 0, pending: 0, reserved: 0 })
  expect(await prisma.inboxMessage.count({ where: { shopId: shop.id } })).toBe(0)
  await receive(shop.id, 'orders/paid', orderBody({ id: 2, customer: ANN, goods: '10.00' }), {
    at: '2026-09-01T08:00:00Z',
  })
  await drainShop(shop.id)
  expect(await pointsOf(shop.id)).toEqual({ available: 0, pending: 0, reserved: 0 })
})

it('goes on with the other shops while a worker that vanished holds the claim lock of one', async () => {
  const [one, two] = [await makeShopWithProgram(), await makeShopWithProgram()]
  const ghost = await pool.connect()
  let isGone = false
  const vanish = () => {
    if (!isGone) ghost.release(true)
    isGone = true
  }
  onTestFinished(vanish)
  await ghost.query('begin')
  await ghost.query('select pg_advisory_lock($1, $2)', [CLAIM_LOCK, one.id])
  for (const shop of [one, two]) {
    await receive(shop.id, 'orders/paid', orderBody({ id: shop.id, customer: ANN, goods: '60.00' }))
  }
  const startedAt = performance.now()
  await drainInbox()
  expect(performance.now() - startedAt).toBeLessThan(8_000)
  expect(await pointsOf(two.id)).toMatchObject({ pending: 300 })
  expect(await drainShop(one.id)).toEqual({ done: 0, failed: 0, left: 0 })

  // Gone at last: its messages were left as they were, and are worked on.
  vanish()
  for (let tries = 0; tries < 20 && (await drainShop(one.id)).done === 0; tries += 1);
  expect(await pointsOf(one.id)).toMatchObject({ pending: 300 })
  expect(await prisma.inboxMessage.count({ where: { shopId: one.id } })).toBe(0)
})

it('has the database end what a process has begun and says nothing more about', async () => {
  const { rows } = await pool.query<Record<string, string>>(
    `select current_setting('idle_in_transaction_session_timeout') as idle, current_setting('tcp_keepalives_idle') as keepalive`,
  )
  expect(rows).toEqual([{ idle: '30s', keepalive: '10' }])
})

it('asks for the lots of an order alone, and for all of a member’s once more is taken back than the order has left', async () => {
  const shop = await makeShopWithProgram({ hold: { days: 0 } })
  const asked: string[] = []
  onTestFinished(
    lookAtStatements((text) => {
      if (/^select[^;]*from lots\b/.test(text)) asked.push(/key = /.test(text) ? 'of orders' : 'all')
    }),
  )
  const hear = async (id: number, left: number[], status: string, at: string) => {
    asked.length = 0
    const goods = left.map(() => '10.00')
    await receive(shop.id, 'orders/updated', orderBody({ id, customer: ANN, goods, left, status, updatedAt: at }), {
      at,
    })
    await drainShop(shop.id)
    return [...asked]
  }
  for (const id of [1, 2, 3]) expect(await hear(id, [1, 1], 'paid', `2026-08-0${id}T08:00:00Z`)).toEqual([])
  expect(await hear(3, [1, 1], 'paid', '2026-08-04T08:00:00Z')).toEqual(['of orders'])
  expect(await hear(3, [1, 0], 'partially_refunded', '2026-08-05T08:00:00Z')).toEqual(['of orders'])
  const redeem = {
    type: 'redeem',
    customer: ann,
    reward: 'five-off',
    code: 'FIVE',
    at: Date.parse('2026-08-06'),
  } as const
  expect(await applyEvents(shop.id, [redeem], redeem.at)).toMatchObject({ ok: true, changes: [{ refused: null }] })
  expect(await hear(1, [0, 0], 'refunded', '2026-08-07T08:00:00Z')).toEqual(['of orders', 'all'])
  expect((await checkLedger(shop.id)).differences).toEqual([])
})

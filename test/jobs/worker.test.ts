import { setTimeout as wait } from 'node:timers/promises'
import { makeWorkerUtils } from 'graphile-worker'
import { expect, it, onTestFinished } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool, prisma } from '#app/db/client.server.ts'
import { letTimePass, recheckWorkDue } from '#app/jobs/nightly.ts'
import { SHOP_TASKS, tasksOfMinute } from '#app/jobs/timetable.ts'
import { startWorker } from '#app/jobs/worker.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { atInstant, makeShop, makeShopWithProgram, receive } from '#test/setup/factories.ts'
import { listenToLog } from '#test/setup/log.ts'
import { orderBody } from '#test/setup/orders.ts'

const pointsOf = (shopId: number) => prisma.balance.findFirst({ where: { shopId } })

it('works on messages as they come and ends when it is told to', async () => {
  const shop = await makeShopWithProgram()
  const worker = await startWorker()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  worker.wake()
  for (let tries = 0; tries < 100 && !(await pointsOf(shop.id)); tries += 1) await wait(50)
  await worker.stop()
  expect(await pointsOf(shop.id)).toMatchObject({ pending: 50n })
})

it('lets holds end though messages never cease', async () => {
  const [quiet, busy] = [await makeShopWithProgram(), await makeShopWithProgram()]
  let order = 1
  const sendUntil = async (isEnough: () => Promise<boolean>) => {
    for (let sent = 0; sent < 500 && !(await isEnough()); sent += 1) {
      order += 1
      await receive(busy.id, 'orders/paid', orderBody({ id: order, customer: order, goods: '10.00' }))
      await wait(20)
    }
  }
  const isBusy = async () => (await pool.query('select from orders where shop_id = $1', [busy.id])).rows.length > 20
  const isReleased = async () => (await pointsOf(quiet.id))?.available === 50n
  // GIVEN a worker that is at it while the hold runs
  await atInstant('2026-08-02T00:00:00Z', async () => {
    await receive(quiet.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
    const worker = await startWorker()
    onTestFinished(() => worker.stop())
    await sendUntil(isBusy)
  })
  expect(await pointsOf(quiet.id)).toMatchObject({ pending: 50n, available: 0n })
  // WHEN its end has come and messages go on coming
  await sendUntil(isReleased)
  expect(await pointsOf(quiet.id)).toMatchObject({ pending: 0n, available: 50n })
}, 30_000)

/** Has a worker do one job of the timetable's; resolves when `isDone`. */
async function doJob(name: string, isDone: () => Promise<boolean>): Promise<void> {
  const worker = await startWorker()
  const utils = await makeWorkerUtils({ pgPool: pool })
  await utils.addJob(name, {})
  for (let tries = 0; tries < 100 && !(await isDone()); tries += 1) await wait(50)
  await utils.release()
  await worker.stop()
}

/** Puts down an effect that nobody carries out, in that state for so many days. */
async function putDown(shopId: number, key: string, state: string, days: number): Promise<void> {
  const since = new Date(now() - days * 86_400_000)
  await pool.query(
    `insert into outbox (shop_id, kind, key, payload, state, attempts, due_at, created_at, done_at)
     values ($1, 'test', $2, '{}', $3, 0, $4, $4, $5)`,
    [shopId, key, state, since, state === 'waiting' ? null : since],
  )
}

const effectsOf = async (shopId: number) =>
  (
    await pool.query<{ key: string; state: string }>(
      `select key, state from outbox where shop_id = $1 and kind = 'test' order by id`,
      [shopId],
    )
  ).rows.map(({ key, state }) => `${key} ${state}`)

it('clears effects away two weeks after they were finished, and none that waits for a person or for its turn', async () => {
  const shop = await makeShop()
  for (const state of ['done', 'dropped', 'set-aside', 'waiting']) {
    await putDown(shop.id, 'old', state, 15)
    await putDown(shop.id, 'new', state, 13)
  }
  await doJob('clean-up', async () => !(await effectsOf(shop.id)).includes('old dropped'))
  expect(await effectsOf(shop.id)).toEqual([
    'new done',
    'new dropped',
    'old set-aside',
    'new set-aside',
    'old waiting',
    'new waiting',
  ])
})

it('drops what late messages put down for a shop that has gone, each minute, and nothing of the others', async () => {
  const [gone, here] = [await makeShop({ uninstalledAt: new Date('2026-07-01T00:00:00Z') }), await makeShop()]
  for (const { id } of [gone, here]) await putDown(id, 'late', 'waiting', 0)
  await doJob('schedule', async () => (await effectsOf(gone.id))[0] !== 'late waiting')
  expect(await effectsOf(gone.id)).toEqual(['late dropped'])
  expect(await effectsOf(here.id)).toEqual(['late waiting'])
})

it('has every task of every shop in its turn, spread over the minutes', () => {
  for (const [name, { everyMinutes }] of Object.entries(SHOP_TASKS)) {
    const minutes = Array.from({ length: everyMinutes * 3 }, (_, minute) => minute)
    expect(minutes.filter((minute) => tasksOfMinute(minute, 7).includes(name))).toHaveLength(3)
  }
  expect(tasksOfMinute(0, 1)).not.toEqual(tasksOfMinute(0, 10))
})

it('finds members with something due though the note of it was lost, at the latest when everything is rechecked', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  await drainShop(shop.id)
  await prisma.workDue.deleteMany({ where: { shopId: shop.id } })
  await atInstant('2026-09-01T00:00:00Z', async () => {
    await letTimePass()
    expect(await pointsOf(shop.id)).toMatchObject({ pending: 50n, available: 0n })
    await recheckWorkDue()
    expect(await letTimePass()).toEqual({ advanced: 1, failed: 0 })
    expect(await letTimePass()).toEqual({ advanced: 0, failed: 0 })
  })
  expect(await pointsOf(shop.id)).toMatchObject({ pending: 0n, available: 50n })
})

it('names a member for whom time cannot go on in the log, and does not let them hold up the others', async () => {
  const shop = await makeShopWithProgram()
  for (const customer of [1, 2]) {
    await receive(shop.id, 'orders/paid', orderBody({ id: customer, customer, goods: '10.00' }))
  }
  await drainShop(shop.id)
  await prisma.$executeRaw`update balances set pending = pending + 1 where shop_id = ${shop.id} and member_id = 1`
  await prisma.$executeRaw`update members set state = jsonb_set(state::jsonb, '{tier}', '5')::text where shop_id = ${shop.id} and id = 1`
  const log = listenToLog()
  await atInstant('2026-09-01T00:00:00Z', async () => {
    expect(await letTimePass()).toMatchObject({ advanced: 1, failed: 1 })
    expect(await letTimePass()).toMatchObject({ advanced: 0, failed: 0 })
  })
  const said = `^error: time cannot go on for gid://shopify/Customer/1 of shop ${shop.id}: \\w*Error: .`
  expect(log).toEqual([expect.stringMatching(said)])
  expect(await prisma.balance.findFirst({ where: { shopId: shop.id, memberId: 2 } })).toMatchObject({ available: 50n })
})

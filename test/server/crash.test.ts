import { spawn, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { closeDatabase, prisma } from '#app/db/client.server.ts'
import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { findBalancesAt } from '#app/db/ledger.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { makeShopWithProgram, receiveIdle } from '#test/setup/factories.ts'
import { orderBody } from '#test/setup/orders.ts'
import { sendWebhook } from '#test/setup/webhooks.ts'

const ANN = 'gid://shopify/Customer/8123456789012'
const FOREVER = Date.parse('2100-01-01T00:00:00Z')

/** The real process on a free port; resolves when it listens. */
async function startApp(
  databaseUrl: string,
  worker: 'on' | 'off',
  { preload, errors = 'inherit' }: { preload?: string; errors?: 'inherit' | 'pipe' } = {},
): Promise<{ app: ChildProcess; url: string }> {
  const env = { ...process.env, DATABASE_URL: databaseUrl, WORKER: worker, PORT: '0' }
  const preloads = preload ? ['--import', `data:text/javascript,${encodeURIComponent(preload)}`] : []
  const app = spawn(process.execPath, [...preloads, 'app/server.ts'], { env, stdio: ['ignore', 'pipe', errors] })
  const port = await new Promise<string>((resolve, reject) => {
    let printed = ''
    app.stdout!.on('data', (chunk: Buffer) => {
      printed += chunk
      const match = /listening on port (\d+)/.exec(printed)
      if (match) resolve(match[1]!)
    })
    app.on('exit', (code) => reject(new Error(`the process ended with ${code}: ${printed}`)))
  })
  return { app, url: `http://127.0.0.1:${port}` }
}

const ended = (app: ChildProcess) => new Promise((resolve) => app.once('exit', resolve))

it(
  'has every point once after kill -9 of app and database between storing a webhook and working on it',
  { timeout: 120_000 },
  async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'perennial-crash-'))
    fs.chmodSync(folder, 0o755)
    const home = path.join(folder, 'postgres')
    // A server of its own, as durable as a real one: the tests' common one forgets what was not on disk.
    let database = await startEmbeddedPostgres({ home })
    await migrateDatabase(database.url())
    const common = process.env.DATABASE_URL
    onTestFinished(() => {
      process.env.DATABASE_URL = common
    })
    process.env.DATABASE_URL = database.url()
    await closeDatabase()
    const shop = await makeShopWithProgram()
    const webhook = {
      shop: shop.domain,
      eventId: 'once',
      body: orderBody({ id: 1, customer: 8_123_456_789_012, goods: '60.00' }),
    }

    // GIVEN webhooks that were answered with 200 and not worked on yet
    const first = await startApp(database.url(), 'off')
    const answers = await Promise.all(Array.from({ length: 5 }, () => sendWebhook(first.url, webhook)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])

    // WHEN app and database are killed, and started again with a worker
    first.app.kill('SIGKILL')
    process.kill(Number(fs.readFileSync(path.join(home, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
    await ended(first.app)
    await closeDatabase()
    database = await startEmbeddedPostgres({ home })
    process.env.DATABASE_URL = database.url()
    const second = await startApp(database.url(), 'on')

    // THEN the points are there, and no later delivery changes that
    const pointsNow = async () =>
      (await findBalancesAt(shop.id, ANN, FOREVER)).available + (await findBalancesAt(shop.id, ANN, FOREVER)).pending
    for (let tries = 0; tries < 100 && (await pointsNow()) === 0; tries += 1) await wait(100)
    expect(await pointsNow()).toBe(300)
    await sendWebhook(second.url, webhook)
    await sendWebhook(second.url, { ...webhook, eventId: 'again' })
    const waiting = () => prisma.inboxMessage.count({ where: { shopId: shop.id } })
    for (let tries = 0; tries < 100 && (await waiting()) > 0; tries += 1) await wait(100)
    expect(await waiting()).toBe(0)
    expect(await pointsNow()).toBe(300)
    expect((await checkLedger(shop.id)).differences).toEqual([])

    // AND an orderly end takes its time but comes
    second.app.kill('SIGTERM')
    expect(await ended(second.app)).toBe(0)
    await closeDatabase()
    await database.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  },
)

it('ends, and says why, when its worker crashes: the door must not take in what nobody works on', async () => {
  const shop = await makeShopWithProgram()
  // GIVEN a worker with a fault that shows at the first news
  const preload = `import { isMainThread, parentPort } from 'node:worker_threads'
    if (!isMainThread) parentPort.on('message', () => { throw new Error('broken on purpose') })`
  const { app, url } = await startApp(process.env.DATABASE_URL!, 'on', { preload, errors: 'pipe' })
  let errors = ''
  app.stderr!.on('data', (chunk: Buffer) => (errors += chunk))

  // WHEN a webhook comes
  const end = ended(app)
  expect((await sendWebhook(url, { shop: shop.domain, eventId: 'news', body: '{}' })).status).toBe(200)

  // THEN the whole process ends as one that failed, and what it answered for is kept
  expect(await end).toBe(1)
  expect(errors).toContain('broken on purpose')
  expect(await prisma.inboxMessage.findFirst({ where: { shopId: shop.id } })).toMatchObject({ state: 'waiting' })
})

it('ends, and says why, when the helper of its worker crashes: half of the batches would be waited for without end', async () => {
  const shop = await makeShopWithProgram()
  // GIVEN a backlog, and a fault that shows when the helper is asked for its first batch
  await receiveIdle(shop.id, 4_000)
  const preload = `import { isMainThread, parentPort } from 'node:worker_threads'
    const check = (asked) => { if (asked.shopId) throw new Error('broken on purpose') }
    if (!isMainThread) parentPort.on('message', check)`

  // WHEN the process starts
  const env = { ...process.env, WORKER: 'on', PORT: '0' }
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`]
  const app = spawn(process.execPath, [...flags, 'app/server.ts'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  app.stderr.on('data', (chunk: Buffer) => (errors += chunk))

  // THEN it ends as one that failed
  expect(await ended(app)).toBe(1)
  expect(errors).toContain('broken on purpose')
})

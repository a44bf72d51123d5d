/** `npm start`: the whole shop on this machine, or, with the settings of a real Shopify app, the app alone. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createProgress } from '#app/commands/progress.ts'
import { closeDatabase, pool } from '#app/db/client.server.ts'
import { embeddedHome, startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { publishOnTop } from '#app/db/program-history.server.ts'
import { findShop } from '#app/db/shops.server.ts'
import { flagsOf } from '#test/setup/flags.ts'
import { buildIfStale } from './build.ts'
import { planAnswers } from './demo/answer.ts'
import { DEMO_SHOP, EMPTY_SHOP, isPlayed, openDemoShop, openEmptyShop, playHistory } from './demo/play.ts'
import { demoProgram } from './demo/program.ts'
import { planSpending } from './demo/spend.ts'
import { startLocal, type Local } from './local.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const SETTINGS = ['SHOPIFY_API_KEY', 'SHOPIFY_API_SECRET', 'SHOPIFY_APP_URL', 'ENCRYPTION_KEY'] as const

const HELP = `npm start [-- --empty]

Starts everything on this machine: PostgreSQL, a stand-in for Shopify with a demo shop, and the app.
Nothing is needed besides Node and npm. Data are kept under .data/ (as root, where that folder is closed
to other users, under /var/tmp/perennial-…). Ctrl-C stops everything.

  --empty   a shop with a small catalogue, and no customers or orders yet
  --help    this text

With the settings of a real Shopify app in the environment or in .env (see .env.example), npm start runs
the app alone, for that app: ${SETTINGS.join(', ')}.
DATABASE_URL names a PostgreSQL server of your own instead of the embedded one.`

const values = readOptions()
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
if (existsSync(path.join(ROOT, '.env'))) process.loadEnvFile(path.join(ROOT, '.env'))
refuseHalfASetting()

const database = await openDatabase()
process.env.DATABASE_URL = database.url
try {
  await migrateDatabase(database.url)
  if (await buildIfStale()) console.log('Built the admin pages.')
  if (process.env.SHOPIFY_API_KEY) await runRealApp()
  else await runDemo(values.empty ?? false)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  await database.stop()
  process.exit(1)
}

function readOptions(): { empty?: boolean; help?: boolean } {
  try {
    return parseArgs({ options: { empty: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } }).values
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    process.exit(2)
  }
}

/** The stand-in and a real app must never be mixed: either none of Shopify's settings is given, or all of them. */
function refuseHalfASetting(): void {
  const given = SETTINGS.filter((name) => process.env[name])
  if (given.length === 0 || given.length === SETTINGS.length) return
  const missing = SETTINGS.filter((name) => !process.env[name])
  console.error(
    `npm start runs either its own dev store, with none of Shopify's settings, or a real app, with all of them.\n` +
      `Given: ${given.join(', ')}. Missing: ${missing.join(', ')}.\n` +
      `For a real app fill in the missing ones (.env.example says where each comes from); for the dev store unset the others.`,
  )
  process.exit(2)
}

async function openDatabase(): Promise<{ url: string; stop: () => Promise<void> }> {
  if (process.env.DATABASE_URL) return { url: process.env.DATABASE_URL, stop: () => Promise.resolve() }
  const postgres = await startEmbeddedPostgres({ home: embeddedHome(ROOT) }).catch((error: Error) => {
    console.error(error.message)
    process.exit(1)
  })
  return { url: postgres.url(), stop: postgres.stop }
}

async function runRealApp(): Promise<void> {
  const app = spawn(process.execPath, [...flagsOf('serve'), 'app/server.ts'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, NODE_ENV: 'production' },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.kill(signal))
  const code = await new Promise<number | null>((resolve) => app.once('exit', resolve))
  await database.stop()
  process.exit(code ?? 1)
}

async function runDemo(empty: boolean): Promise<void> {
  const folder = path.join(path.dirname(embeddedHome(ROOT)), empty ? 'empty' : 'demo')
  const local = await startLocal({ databaseUrl: database.url, folder, appPort: 3000, storePort: 4000 })
  stopOnSignal(local)
  if (empty) openEmptyShop(local.dev.store, Date.now())
  else await openDemo(local)
  printAddresses(local, empty)
}

/** Opens the demo shop and plays what is missing of its history; a later start finds everything there. */
async function openDemo(local: Local): Promise<void> {
  const { store } = local.dev
  const today = Date.now()
  if (isPlayed(store, today)) return
  openDemoShop(store, today)
  await installApp(local)
  console.log('Playing a year of the demo shop, this once: a minute or two.')
  const progress = createProgress('Orders and refunds')
  await playHistory(store, today, progress.show, [
    ...planSpending(store, local.storeUrl, today, waitForInbox),
    ...planAnswers(store, local.storeUrl, today),
  ])
  progress.clear()
  await waitForInbox()
}

/** Installs the app as a merchant would, by opening it, and publishes the demo's program as of the first order. */
async function installApp(local: Local): Promise<void> {
  local.dev.store.installApp(DEMO_SHOP)
  await local.dev.openApp(DEMO_SHOP)
  const shop = await findShop(DEMO_SHOP)
  if (!shop) throw new Error('The app was opened but did not note the installation.')
  // Where an interrupted first start has published it already, this changes nothing.
  await publishOnTop(shop.id, demoProgram(Date.now()), {
    basedOn: 0,
    at: local.dev.store.now(),
    actor: 'Perennial',
    note: 'The demo shop opened',
  })
}

/** Waits until the app has worked off what the store sent. */
async function waitForInbox(): Promise<void> {
  const waiting = async () => {
    const { rows } = await pool.query<{ count: number }>(
      `select count(*)::int as count from inbox where state = 'waiting'`,
    )
    return rows[0]!.count
  }
  while ((await waiting()) > 0) await new Promise((resolve) => setTimeout(resolve, 200))
}

function printAddresses(local: Local, empty: boolean): void {
  const shop = empty ? EMPTY_SHOP : DEMO_SHOP
  console.log(`
  Perennial is running.

    Shopify admin   ${local.dev.adminUrl(shop)}
    Storefront      ${local.storeUrl}/
    Control page    ${local.storeUrl}/dev      webhooks, faults, time

  Ctrl-C stops everything. Data: ${path.dirname(embeddedHome(ROOT))}
`)
}

function stopOnSignal(local: Local): void {
  let stopping = false
  const stop = async () => {
    if (stopping) process.exit(1)
    stopping = true
    console.log('\nStopping …')
    await closeDatabase()
    await local.stop()
    await database.stop()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())
}

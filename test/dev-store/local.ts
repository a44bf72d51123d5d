/**
 * Everything on one machine: a database, the dev store and the app, wired to each other as Shopify would be. `npm start`
 * and the browser tests both start it here.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { startDevStore, type RunningDevStore } from './server.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const READY_MS = 30_000

export type LocalOptions = {
  /** A migrated database. */
  databaseUrl: string
  /** Where keys and the dev store's journal are kept. */
  folder: string
  /** Taken if free; otherwise any free one. */
  appPort?: number
  storePort?: number
  /** Where the app's own output goes; default the terminal. */
  output?: 'inherit' | 'ignore'
  /** More settings for the app's process. */
  environment?: Record<string, string>
}

export type Local = {
  appUrl: string
  storeUrl: string
  keys: Keys
  dev: RunningDevStore
  /** Kills the app as a power cut would, and starts it again. */
  crashApp: () => Promise<void>
  startApp: () => Promise<void>
  /** Ends the app and the dev store; the database is the caller's. */
  stop: () => Promise<void>
}

/** What the app and the store share in place of a Shopify account: made at random once and kept beside the data. */
export type Keys = { apiKey: string; apiSecret: string; encryptionKey: string }

/** Starts dev store and app. Throws with the app's exit code when it does not come up within 30 s. */
export async function startLocal(options: LocalOptions): Promise<Local> {
  mkdirSync(options.folder, { recursive: true })
  const keys = readKeys(path.join(options.folder, 'keys.json'))
  const appPort = await freePort(options.appPort)
  const storePort = await freePort(options.storePort)
  const appUrl = `http://127.0.0.1:${appPort}`
  const dev = await startDevStore({
    port: storePort,
    appUrl,
    apiKey: keys.apiKey,
    apiSecret: keys.apiSecret,
    dataFile: path.join(options.folder, 'dev-store.jsonl'),
  })
  const environment = {
    ...process.env,
    NODE_ENV: 'production' as const,
    DATABASE_URL: options.databaseUrl,
    SHOPIFY_DEV_STORE_URL: dev.url,
    SHOPIFY_API_KEY: keys.apiKey,
    SHOPIFY_API_SECRET: keys.apiSecret,
    SHOPIFY_APP_URL: appUrl,
    ENCRYPTION_KEY: keys.encryptionKey,
    APP_BRIDGE_URL: `${dev.url}/app-bridge.js`,
    PORT: String(appPort),
    ...options.environment,
  }
  let app: ChildProcess | null = null
  const startApp = async () => {
    const output = options.output ?? 'inherit'
    const child = spawn(process.execPath, ['--import', './test/dev-store/attach.ts', 'app/server.ts'], {
      cwd: ROOT,
      env: environment,
      // The fourth is a line to the app that breaks when this process ends, however it ends: attach.ts then ends the app.
      stdio: ['ignore', output, output, 'ipc'],
      // Ctrl-C reaches the whole group of the terminal; the app is ended by us, before the store.
      detached: true,
    })
    app = child
    await waitUntilReady(child, appUrl)
  }
  const endApp = async (signal: NodeJS.Signals) => {
    const ending = app
    app = null
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill(signal)
    await ended
  }
  try {
    await startApp()
  } catch (error) {
    await dev.close()
    throw error
  }
  return {
    appUrl,
    storeUrl: dev.url,
    keys,
    dev,
    startApp,
    crashApp: () => endApp('SIGKILL'),
    stop: async () => {
      await endApp('SIGTERM')
      await dev.close()
    },
  }
}

async function waitUntilReady(app: ChildProcess, appUrl: string): Promise<void> {
  const giveUpAt = performance.now() + READY_MS
  while (performance.now() < giveUpAt) {
    if (app.exitCode !== null) throw new Error(`The app ended with exit code ${app.exitCode} before it was ready.`)
    const answer = await fetch(`${appUrl}/healthz`).catch(() => null)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  app.kill('SIGKILL')
  throw new Error(`The app did not answer on ${appUrl} within ${READY_MS / 1000} s.`)
}

function readKeys(file: string): Keys {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Keys
  const keys: Keys = {
    apiKey: randomBytes(16).toString('hex'),
    apiSecret: `shpss_${randomBytes(16).toString('hex')}`,
    encryptionKey: randomBytes(32).toString('base64'),
  }
  writeFileSync(file, JSON.stringify(keys, null, 2), { mode: 0o600 })
  return keys
}

/** `wanted` if nobody listens there, else one that the system picks. */
function freePort(wanted?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', () => (wanted ? freePort().then(resolve, reject) : reject(new Error('There is no free port.'))))
    probe.listen(wanted ?? 0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

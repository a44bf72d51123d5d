import { spawn, type ChildProcess } from 'node:child_process'
import http from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { signBody } from '#test/setup/webhooks.ts'
import { flagsOf } from '#test/setup/flags.ts'
import { placedAtOf } from './orders.ts'

export const SECRET = 'bench-secret'

/** A server in a process of its own, as started by hand. */
export type BenchServer = { port: number; pid: number; stop: () => Promise<void> }

/** The app as `npm run serve` starts it. */
export function startApp(env: Record<string, string>): Promise<BenchServer> {
  return startServer([...flagsOf('serve'), 'app/server.ts'], env)
}

/** Starts Node with these arguments. Resolves when it says on which port it listens. */
export async function startServer(args: readonly string[], env: Record<string, string> = {}): Promise<BenchServer> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      const match = /listening on port (\d+)/.exec((printed += chunk))
      if (match) resolve(Number(match[1]))
    })
    child.on('exit', () => reject(new Error(`${args.join(' ')} ended: ${printed}`)))
  })
  return { port, pid: child.pid!, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

/** A webhook with its signature made before the clock starts. */
export type Ready = { body: Buffer; headers: Record<string, string | number> }

export function makeReady(shop: string, order: number, text: string): Ready {
  const body = Buffer.from(text)
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    'X-Shopify-Topic': 'orders/paid',
    'X-Shopify-Hmac-Sha256': signBody(text, SECRET),
    'X-Shopify-Shop-Domain': shop,
    'X-Shopify-API-Version': '2026-10',
    'X-Shopify-Webhook-Id': `w-${order}`,
    'X-Shopify-Event-Id': `e-${order}`,
    'X-Shopify-Triggered-At': new Date(placedAtOf(order)).toISOString(),
  }
  return { body, headers }
}

function send(agent: http.Agent, port: number, { body, headers }: Ready): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { agent, port, host: '127.0.0.1', method: 'POST', path: '/webhooks', headers },
      (response) => {
        response.resume()
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`HTTP ${response.statusCode}`)),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

setFlagsFromString('--expose-gc')
/**
 * Collects the sender's garbage, which is done before the clock starts. Otherwise what was made ready is moved about while answers are
 * awaited, for longer than any of them takes, and that counts as the server's time.
 */
const collectGarbage = runInNewContext('gc') as () => void

/** Sends all of them, `clients` at a time, as fast as they are answered; resolves with the seconds it took. */
export async function sendAll(port: number, webhooks: Iterable<Ready>, clients = 32): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients })
  const queue = webhooks[Symbol.iterator]()
  collectGarbage()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let next = queue.next(); !next.done; next = queue.next()) await send(agent, port, next.value)
    }),
  )
  agent.destroy()
  return (performance.now() - startedAt) / 1000
}

/** Sends `perSecond` webhooks a second whatever becomes of them (open loop); resolves with the answer times, ms, sorted. */
export async function sendAtRate(port: number, webhooks: readonly Ready[], perSecond: number): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 512 })
  collectGarbage()
  const startedAt = performance.now()
  const times: number[] = []
  const answers: Promise<void>[] = []
  for (let index = 0; index < webhooks.length;) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond)
    for (; index < Math.min(due, webhooks.length); index += 1) {
      // From when it should have gone: a late sender must not hide a slow server.
      const sentAt = startedAt + (index / perSecond) * 1000
      answers.push(send(agent, port, webhooks[index]!).then(() => void times.push(performance.now() - sentAt)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(answers)
  agent.destroy()
  return times.sort((one, other) => one - other)
}

/** The time within which that share of the answers came. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!
}

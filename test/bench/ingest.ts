// `npm run bench -- ingest [--rounds 5] [--orders 50000] [--seconds 2]`: how fast orders come in. Every figure stands beside its
// counterpart from the same run, the rounds are interleaved, and medians are printed: absolute rates on a shared machine mean little.
import { parseArgs } from 'node:util'
import { measureDrain, storeOrders, untilDrained } from './ingest/draining.ts'
import { makeReady, quantile, SECRET, sendAll, sendAtRate, startServer, type Ready } from './ingest/http.ts'
import { benchOrder, openBenchShops } from './ingest/orders.ts'
import { clearLedger, measurePosting, measureRawCommits } from './ingest/posting.ts'
import { measureIdle, median, openBenchDatabase } from './ingest/server.ts'

type Print = (figure: Record<string, unknown>) => void
type Size = { rounds: number; orders: number; ms: number; only: string | undefined }

const MEMBERS = 10_000
const DRAIN_ORDERS = 5_000
const OPEN_LOOP_RATE = 750
let nextOrder = 1

/** Posting, drain, end to end and answers, each against its yardstick. */
export async function benchIngest(print: Print, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      orders: { type: 'string', default: '50000' },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string' },
    },
  })
  const size = {
    rounds: Number(values.rounds),
    orders: Number(values.orders),
    ms: Number(values.seconds) * 1000,
    only: values.only,
  }
  const database = await openBenchDatabase()
  try {
    const wants = (name: string) => size.only === undefined || size.only === name
    if (wants('posting')) await benchPosting(print, database.url, size)
    if (wants('drain')) await benchDrain(print, database.url, size)
    if (wants('answers')) await benchAnswers(print, database.url, size)
    if (wants('end-to-end')) await benchEndToEnd(print, database.url, size)
  } finally {
    await database.close()
  }
}

async function benchPosting(print: Print, url: string, { rounds, ms }: Size): Promise<void> {
  const found = { idle: [] as number[], raw: [] as number[], spread: [] as number[], hot: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    found.idle.push(await measureIdle())
    found.raw.push(await measureRawCommits(url, ms))
    found.spread.push(await measurePosting(1, ms, MEMBERS))
    await clearLedger()
    found.hot.push(await measurePosting(1, ms, 1))
    await clearLedger()
  }
  const raw = median(found.raw)
  print({
    figure: 'posting',
    unit: 'orders/s, at most 100 a commit, 2 clients',
    idle: share(median(found.idle)),
    perSecond: Math.round(median(found.spread)),
    rawCommitsPerSecond: Math.round(raw),
    ratio: share(medianRatio(found.spread, found.raw)),
    goal: '3, better 5',
  })
  print({
    figure: 'posting, one hot member',
    perSecond: Math.round(median(found.hot)),
    ratioToSpread: share(medianRatio(found.hot, found.spread)),
    goal: 'at least 0.8',
  })
}

async function benchDrain(print: Print, url: string, { rounds, ms }: Size): Promise<void> {
  for (const count of [20, 1]) {
    const shops = await openBenchShops(count, `drain-${count}`)
    const found = { idle: [] as number[], raw: [] as number[], drain: [] as number[], cpu: [] as number[] }
    // The first batch warms up: prepared statements, compiled code.
    await storeOrders(shops, nextOrder, 1_000, MEMBERS)
    nextOrder += 1_000
    await measureDrain()
    for (let round = 0; round < rounds; round += 1) {
      await storeOrders(shops, nextOrder, DRAIN_ORDERS, MEMBERS)
      nextOrder += DRAIN_ORDERS
      found.idle.push(await measureIdle())
      found.raw.push(await measureRawCommits(url, ms))
      const { perSecond, cpuUs } = await measureDrain()
      found.drain.push(perSecond)
      found.cpu.push(cpuUs)
    }
    print({
      figure: count === 1 ? 'drain, one hot shop' : `drain, ${count} shops`,
      unit: 'orders/s from stored to committed, whole engine, measures included, one worker',
      idle: share(median(found.idle)),
      perSecond: Math.round(median(found.drain)),
      rawCommitsPerSecond: Math.round(median(found.raw)),
      ratio: share(medianRatio(found.drain, found.raw)),
      nodeCpuUsPerOrder: Math.round(median(found.cpu)),
      goal: '1',
    })
  }
}

const appSettings = (url: string) => ({
  DATABASE_URL: url,
  SHOPIFY_API_KEY: 'bench',
  SHOPIFY_API_SECRET: SECRET,
  SHOPIFY_APP_URL: 'https://bench.example.com',
  ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  PORT: '0',
})

async function benchAnswers(print: Print, url: string, { rounds, ms }: Size): Promise<void> {
  const shops = await openBenchShops(20, 'answers')
  const bare = await startServer('test/bench/ingest/bare.ts')
  const app = await startServer('app/server.ts', appSettings(url))
  const found = { idle: [] as number[], bare: [] as number[], app: [] as number[], fsync: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    found.idle.push(await measureIdle())
    found.fsync.push(1000 / (await measureRawCommits(url, 500, 1)))
    found.bare.push(
      quantile(await sendAtRate(bare.port, prepare(shops, (OPEN_LOOP_RATE * ms) / 1000), OPEN_LOOP_RATE), 0.99),
    )
    found.app.push(
      quantile(await sendAtRate(app.port, prepare(shops, (OPEN_LOOP_RATE * ms) / 1000), OPEN_LOOP_RATE), 0.99),
    )
    await untilDrained()
  }
  await Promise.all([bare.stop(), app.stop()])
  const limit = 1.5 * median(found.bare) + median(found.fsync)
  print({
    figure: 'answers',
    unit: `p99 in ms, open loop at ${OPEN_LOOP_RATE} webhooks/s, the drain running`,
    idle: share(median(found.idle)),
    p99: share(median(found.app)),
    bareP99: share(median(found.bare)),
    oneCommitMs: share(median(found.fsync)),
    goal: `at most ${share(limit)} (1.5 × bare + one commit)`,
  })
}

async function benchEndToEnd(print: Print, url: string, { rounds, orders }: Size): Promise<void> {
  const perRound = Math.ceil(orders / rounds)
  const bare = await startServer('test/bench/ingest/bare.ts')
  const app = await startServer('app/server.ts', appSettings(url))
  for (const count of [20, 1]) {
    const shops = await openBenchShops(count, `end-${count}`)
    const found = {
      idle: [] as number[],
      bare: [] as number[],
      all: [] as number[],
      stored: [] as number[],
      cpu: [] as number[],
      memory: [] as number[],
    }
    for (let round = 0; round < rounds; round += 1) {
      const forBare = prepare(shops, Math.min(perRound, 5_000))
      const forApp = prepare(shops, perRound)
      found.idle.push(await measureIdle())
      found.bare.push(forBare.length / (await sendAll(bare.port, forBare)))
      const cpuBefore = app.cpuUs()
      const startedAt = performance.now()
      found.stored.push(forApp.length / (await sendAll(app.port, forApp)))
      await untilDrained()
      found.all.push(forApp.length / ((performance.now() - startedAt) / 1000))
      found.cpu.push((app.cpuUs() - cpuBefore) / forApp.length)
      found.memory.push(app.memoryMb())
    }
    const [stored, all] = [median(found.stored), median(found.all)]
    print({
      figure: count === 1 ? 'end to end, one hot shop' : `end to end, ${count} shops`,
      unit: `orders/s from signed HTTP to committed ledger, ${perRound * rounds} orders of ${MEMBERS} customers, one process`,
      idle: share(median(found.idle)),
      perSecond: Math.round(all),
      barePerSecond: Math.round(median(found.bare)),
      ratio: share(medianRatio(found.all, found.bare)),
      goal: '0.35',
      storedPerSecond: Math.round(stored),
      bottleneck: stored > 1.3 * all ? 'the drain' : 'the door and the drain share the process',
      appCpuUsPerOrder: Math.round(median(found.cpu)),
      appMemoryMbByRound: found.memory,
    })
  }
  await Promise.all([bare.stop(), app.stop()])
}

function prepare(shops: readonly { domain: string }[], count: number): Ready[] {
  return Array.from({ length: count }, () => {
    const order = (nextOrder += 1)
    return makeReady(shops[order % shops.length]!.domain, order, benchOrder(order, MEMBERS))
  })
}

/** Each round against its own yardstick, and of those the middle: what happened to the machine meanwhile falls out. */
function medianRatio(figures: readonly number[], yardsticks: readonly number[]): number {
  return median(figures.map((figure, round) => figure / yardsticks[round]!))
}

const share = (figure: number): number => Math.round(figure * 100) / 100

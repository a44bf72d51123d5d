// `npm run bench -- ingest [--rounds 5] [--orders 50000] [--seconds 2] [--only posting|drain|answers|end-to-end]`: how fast orders come in. Every figure stands beside its
// counterpart from the same run, the rounds are interleaved, and medians are printed: absolute rates on a shared machine mean little.
import { parseArgs } from 'node:util'
import { pool } from '#app/db/client.server.ts'
import { clearEffects, startDrainer, storeOrders, untilDrained } from './ingest/draining.ts'
import { makeReady, quantile, SECRET, sendAll, sendAtRate, startApp, startServer, type Ready } from './ingest/http.ts'
import { benchOrder, openBenchShops } from './ingest/orders.ts'
import { clearLedger, measurePosting, measureRawCommits } from './ingest/posting.ts'
import { readCpuUs, readPostgresCpuUs, watchMemory } from './ingest/processes.ts'
import { measureIdle, median, openBenchDatabase, type BenchDatabase } from './ingest/server.ts'

type Print = (figure: Record<string, unknown>) => void
type Size = { rounds: number; orders: number; ms: number; only: string | undefined }

const MEMBERS = 10_000
const SHOPS = 20
const DRAIN_ORDERS = 10_000
const OPEN_LOOP_RATE = 750
/** Both doors are sent as many before the first round: what compiles code and plans statements is no answer's share of any day. */
const WARM_UP_ORDERS = 3_000
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
    if (wants('posting')) await benchPosting(print, database, size)
    if (wants('drain')) await benchDrain(print, database, size)
    if (wants('answers')) await benchAnswers(print, database.url, size)
    if (wants('end-to-end')) await benchEndToEnd(print, database, size)
  } finally {
    await database.close()
  }
}

async function benchPosting(print: Print, { url, home }: BenchDatabase, { rounds, ms }: Size): Promise<void> {
  const shops = Array.from({ length: SHOPS }, (_, number) => number + 1)
  const found = {
    idle: [] as number[],
    raw: [] as number[],
    spread: [] as Used[],
    shop: [] as Used[],
    member: [] as Used[],
  }
  const measure = async (among: readonly number[], members: number) => {
    const used = startMeter(home)
    const { perSecond, orders } = await measurePosting(among, ms, members)
    const result = { perSecond, ...used(orders) }
    await clearLedger()
    return result
  }
  for (let round = 0; round < rounds; round += 1) {
    found.idle.push(await measureIdle())
    found.raw.push(await measureRawCommits(url, ms))
    found.spread.push(await measure(shops, MEMBERS))
    found.shop.push(await measure([1], MEMBERS))
    found.member.push(await measure([1], 1))
  }
  const spread = found.spread.map(({ perSecond }) => perSecond)
  print({
    figure: 'posting',
    unit: `orders/s with transfer, lot and balance, at most 100 a commit, 2 clients, ${SHOPS} shops`,
    idle: share(median(found.idle)),
    rawCommitsPerSecond: Math.round(median(found.raw)),
    ...describe(found.spread),
    ratio: share(medianRatio(spread, found.raw)),
    goal: '3, better 5',
  })
  for (const [name, figures] of [
    ['shop', found.shop],
    ['member', found.member],
  ] as const) {
    print({
      figure: `posting, one hot ${name}`,
      ...describe(figures),
      ratioToSpread: share(
        medianRatio(
          figures.map(({ perSecond }) => perSecond),
          spread,
        ),
      ),
      goal: 'at least 0.8',
    })
  }
}

async function benchDrain(print: Print, { url, home }: BenchDatabase, { rounds, ms }: Size): Promise<void> {
  const drainer = startDrainer()
  for (const count of [SHOPS, 1]) {
    const shops = await openBenchShops(count, `drain-${count}`)
    const found = { idle: [] as number[], raw: [] as number[], drain: [] as Used[] }
    // The first ones warm up: prepared statements and compiled code. V8 compiles for the first seconds of a process.
    for (let round = 0; round < 2; round += 1) {
      await storeOrders(shops, nextOrder, DRAIN_ORDERS, MEMBERS)
      nextOrder += DRAIN_ORDERS
      await drainer.drain()
    }
    await tidy()
    for (let round = 0; round < rounds; round += 1) {
      await storeOrders(shops, nextOrder, DRAIN_ORDERS, MEMBERS)
      nextOrder += DRAIN_ORDERS
      await clearEffects()
      found.idle.push(await measureIdle())
      // A round takes some seconds, in which the machine's speed may change: the yardstick is laid on before and after.
      const rawBefore = await measureRawCommits(url, ms / 2)
      const used = startMeter(home, drainer.pid)
      const { perSecond, orders } = await drainer.drain()
      found.drain.push({ perSecond, ...used(orders) })
      found.raw.push((rawBefore + (await measureRawCommits(url, ms / 2))) / 2)
    }
    const drain = found.drain.map(({ perSecond }) => perSecond)
    print({
      figure: count === 1 ? 'drain, one hot shop' : `drain, ${count} shops`,
      unit: 'orders/s from stored to committed, whole engine, measures included, one worker',
      idle: share(median(found.idle)),
      rawCommitsPerSecond: Math.round(median(found.raw)),
      ...describe(found.drain),
      ratio: share(medianRatio(drain, found.raw)),
      goal: '1',
    })
  }
  await drainer.stop()
}

/** What a figure before left to be swept up, and statistics that PostgreSQL would take by itself within the minute, must not fall into this one's rounds. */
async function tidy(): Promise<void> {
  await pool.query('vacuum analyze')
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
  const shops = await openBenchShops(SHOPS, 'answers')
  const bare = await startServer(['test/bench/ingest/bare.ts'])
  const app = await startApp(appSettings(url))
  const found = { idle: [] as number[], bare: [] as number[], app: [] as number[], fsync: [] as number[] }
  for (const { port } of [bare, app]) await sendAtRate(port, prepare(shops, WARM_UP_ORDERS), OPEN_LOOP_RATE)
  await untilDrained()
  await tidy()
  for (let round = 0; round < rounds; round += 1) {
    await clearEffects()
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

async function benchEndToEnd(print: Print, { url, home }: BenchDatabase, { rounds, orders }: Size): Promise<void> {
  const perRound = Math.ceil(orders / rounds)
  const bare = await startServer(['test/bench/ingest/bare.ts'])
  const app = await startApp(appSettings(url))
  for (const count of [SHOPS, 1]) {
    const shops = await openBenchShops(count, `end-${count}`)
    for (const { port } of [bare, app]) await sendAll(port, prepare(shops, WARM_UP_ORDERS))
    await untilDrained()
    await tidy()
    const found = { idle: [] as number[], bare: [] as number[], stored: [] as number[], all: [] as Used[] }
    const memory = watchMemory(app.pid)
    for (let round = 0; round < rounds; round += 1) {
      const forBare = prepare(shops, Math.min(perRound, 5_000))
      const forApp = prepare(shops, perRound)
      await clearEffects()
      found.idle.push(await measureIdle())
      found.bare.push(forBare.length / (await sendAll(bare.port, forBare)))
      const used = startMeter(home, app.pid)
      const startedAt = performance.now()
      found.stored.push(forApp.length / (await sendAll(app.port, forApp)))
      await untilDrained()
      const perSecond = forApp.length / ((performance.now() - startedAt) / 1000)
      found.all.push({ perSecond, ...used(forApp.length) })
    }
    const all = found.all.map(({ perSecond }) => perSecond)
    print({
      figure: count === 1 ? 'end to end, one hot shop' : `end to end, ${count} shops`,
      unit: `orders/s from signed HTTP to committed ledger, ${perRound * rounds} orders of ${MEMBERS} customers, one process`,
      idle: share(median(found.idle)),
      barePerSecond: Math.round(median(found.bare)),
      ...describe(found.all),
      ratio: share(medianRatio(all, found.bare)),
      goal: '0.35',
      storedPerSecond: Math.round(median(found.stored)),
      bottleneck: nameBottleneck(found.all, median(found.stored)),
      memoryMb: memory.end(),
    })
  }
  await Promise.all([bare.stop(), app.stop()])
}

/** What holds the whole up: the process whose share of a processor is the larger, and within the app's the drain or the door. */
function nameBottleneck(used: readonly Used[], storedPerSecond: number): string {
  const [perSecond, node, postgres] = (['perSecond', 'nodeCpuUs', 'postgresCpuUs'] as const).map((name) =>
    median(used.map((each) => each[name])),
  ) as [number, number, number]
  const busy = (cpuUs: number) => `${Math.round((cpuUs * perSecond) / 10_000)} % of a processor`
  const first = storedPerSecond > 1.3 * perSecond ? 'the drain' : 'the door and the drain together'
  return `${first}: the app takes ${busy(node)}, PostgreSQL ${busy(postgres)}, the rest is the sender`
}

function prepare(shops: readonly { domain: string }[], count: number): Ready[] {
  return Array.from({ length: count }, () => {
    const order = (nextOrder += 1)
    return makeReady(shops[order % shops.length]!.domain, order, benchOrder(order, MEMBERS))
  })
}

/** What a round came to, and the CPU time that each of its orders took of this process (or the app's) and of PostgreSQL. */
type Used = { perSecond: number; nodeCpuUs: number; postgresCpuUs: number }

/** Starts to count CPU time; the answer, given how many orders it was for, says how much each took. */
function startMeter(home: string, pid = process.pid): (orders: number) => Omit<Used, 'perSecond'> {
  const [node, postgres] = [readCpuUs(pid), readPostgresCpuUs(home)]
  return (orders) => ({
    nodeCpuUs: (readCpuUs(pid) - node) / orders,
    postgresCpuUs: (readPostgresCpuUs(home) - postgres) / orders,
  })
}

/** The middle of the rounds. */
function describe(rounds: readonly Used[]): Used {
  const middle = (name: keyof Used) => Math.round(median(rounds.map((round) => round[name])))
  return { perSecond: middle('perSecond'), nodeCpuUs: middle('nodeCpuUs'), postgresCpuUs: middle('postgresCpuUs') }
}

/** Each round against its own yardstick, and of those the middle: what happened to the machine meanwhile falls out. */
function medianRatio(figures: readonly number[], yardsticks: readonly number[]): number {
  return median(figures.map((figure, round) => figure / yardsticks[round]!))
}

const share = (figure: number): number => Math.round(figure * 100) / 100

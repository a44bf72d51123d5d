// `npm run bench -- backfill [--orders 1000000] [--rounds 3]`: how fast a shop's past comes in, with points and all measures, by the path
// of app/jobs/backfill. Beside it, from the same run: the drain, as many rounds before as after, and a plain COPY of the order rows that came of it.
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { pool } from '#app/db/client.server.ts'
import { findMeasureDifferences } from '#app/db/recount-measures.server.ts'
import { setHistoryEarns } from '#app/db/programs.server.ts'
import { flagsOf } from '#test/setup/flags.ts'
import { startDrainer, storeOrders } from './ingest/draining.ts'
import { serveHistory, writeHistory } from './ingest/history.ts'
import { openBenchShops } from './ingest/orders.ts'
import { readCpuUs, readPostgresCpuUs, watchMemory, type MemoryCourse } from './ingest/processes.ts'
import { measureIdle, median, openBenchDatabase, type BenchDatabase } from './ingest/server.ts'

const ORDERS_PER_MEMBER = 5
const DRAIN_ORDERS = 10_000
const DRAIN_MEMBERS = 10_000
const SHOPS = 20

/** A backfill of a million orders. */
export async function benchBackfill(
  print: (figure: Record<string, unknown>) => void,
  args: readonly string[],
): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { orders: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
  })
  const orders = Number(values.orders)
  const database = await openBenchDatabase()
  try {
    const drain = await drainRounds(Number(values.rounds))
    const idle = await measureIdle()
    const found = await measureBackfill(database, orders)
    const drainAfter = await drainRounds(Number(values.rounds), DRAIN_ORDERS * Number(values.rounds))
    const copied = await measureCopy(found.shopId)
    const drained = median([...drain, ...drainAfter])
    print({
      figure: 'backfill',
      unit: `orders/s of ${orders} past orders of ${orders / ORDERS_PER_MEMBER} customers with points and all measures, one worker`,
      idle: share(idle),
      perSecond: Math.round(found.perSecond),
      drainPerSecond: Math.round(drained),
      ratioToDrain: share(found.perSecond / drained),
      goal: 'at least 1, memory flat',
      copyRowsPerSecond: Math.round(copied),
      ratioToCopy: share(found.perSecond / copied),
      nodeCpuUs: Math.round(found.nodeCpuUs),
      postgresCpuUs: Math.round(found.postgresCpuUs),
      memoryMb: found.memory,
      ordersStored: found.stored,
      measuresThatDiffer: found.differences,
    })
  } finally {
    await database.close()
  }
}

/** Orders per second of the drain, as `bench -- ingest` measures it, in shops of its own. */
async function drainRounds(rounds: number, before = 0): Promise<number[]> {
  const shops = await openBenchShops(SHOPS, 'drain')
  const drainer = startDrainer()
  const found: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    await storeOrders(shops, before + round * DRAIN_ORDERS + 1, DRAIN_ORDERS, DRAIN_MEMBERS)
    found.push((await drainer.drain()).perSecond)
  }
  await drainer.stop()
  return found
}

type Backfilled = {
  shopId: number
  perSecond: number
  nodeCpuUs: number
  postgresCpuUs: number
  memory: MemoryCourse
  stored: number
  differences: number
}

async function measureBackfill({ url, home }: BenchDatabase, orders: number): Promise<Backfilled> {
  const [shop] = await openBenchShops(1, 'past')
  await setHistoryEarns(shop!.id, true)
  const file = `${home}.history.jsonl`
  await writeHistory(file, orders, orders / ORDERS_PER_MEMBER)
  const history = await serveHistory(file)
  try {
    const env = {
      ...process.env,
      DATABASE_URL: url,
      SHOP_ID: String(shop!.id),
      RESULT_URL: history.url,
      ORDERS: String(orders),
    }
    const postgresBefore = readPostgresCpuUs(home)
    const startedAt = performance.now()
    const child = spawn(process.execPath, [...flagsOf('worker'), 'test/bench/ingest/backfiller.ts'], {
      env,
      stdio: 'inherit',
    })
    const memory = watchMemory(child.pid!)
    let nodeCpuUs = 0
    const cpu = setInterval(() => (nodeCpuUs = Math.max(nodeCpuUs, readCpuUs(child.pid!))), 100)
    const code = await new Promise((resolve) => child.once('exit', resolve))
    clearInterval(cpu)
    if (code !== 0) throw new Error(`The backfill ended with ${String(code)}`)
    const seconds = (performance.now() - startedAt) / 1000
    const { rows } = await pool.query<{ stored: string }>('select count(*) as stored from orders where shop_id = $1', [
      shop!.id,
    ])
    return {
      shopId: shop!.id,
      perSecond: orders / seconds,
      nodeCpuUs: nodeCpuUs / orders,
      postgresCpuUs: (readPostgresCpuUs(home) - postgresBefore) / orders,
      memory: memory.end(),
      stored: Number(rows[0]!.stored),
      differences: (await findMeasureDifferences(shop!.id)).length,
    }
  } finally {
    history.close()
    rmSync(file, { force: true })
  }
}

/** Rows per second of a plain COPY of the shop's orders into a table of the same columns without any index. */
async function measureCopy(shopId: number): Promise<number> {
  const { rows } = await pool.query<{ folder: string }>(`select current_setting('data_directory') as folder`)
  const file = `${rows[0]!.folder}/orders.copy`
  await pool.query(`copy (select * from orders where shop_id = ${shopId}) to '${file}'`)
  await pool.query('create table copied_orders (like orders including defaults including storage)')
  const startedAt = performance.now()
  const { rowCount } = await pool.query(`copy copied_orders from '${file}'`)
  return (rowCount ?? 0) / ((performance.now() - startedAt) / 1000)
}

const share = (figure: number): number => Math.round(figure * 100) / 100

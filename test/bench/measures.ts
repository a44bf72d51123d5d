/**
 * `npm run bench -- measures [ORDERS]`: a shop with a million orders of 200 thousand customers. The overview page's data for every period
 * that can be chosen, the lists of customers behind its numbers, the liability page's data, one order's upkeep, a full rebuild and
 * the BG/NBD fit, each beside one plain SQL scan (`select count(*), sum(goods_minor)`) of the same orders, taken in turns in one
 * run. Only the ratios mean the same on another machine.
 */
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { closeDatabase, inTransaction, pool } from '#app/db/client.server.ts'
import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { countLiabilityMembers, readLiability } from '#app/db/liability.server.ts'
import type { MeasuredOrder } from '#app/db/measures.server.ts'
import { readCounters } from '#app/db/measure-counters.server.ts'
import { applyMeasures } from '#app/db/measures.server.ts'
import { findMeasureDifferences, loadOrderLog, rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { foldPointsFlows } from '#app/db/points-flows.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { askMeasures, countCustomersBehind, listCustomersBehind, readOverview } from '#app/db/retention.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { buildTemplate } from '#app/loyalty/templates.ts'
import { dayNumberAt } from '#app/loyalty/time.ts'
import { fitBgNbd } from '#app/retention/bg-nbd.ts'
import {
  comparedWith,
  findPeriod,
  LONGEST_DAYS,
  PERIOD_NAMES,
  type Period,
  type PeriodName,
} from '#app/retention/periods.ts'
import { groupHistories, readHistories } from '#app/retention/prediction.ts'
import { readIntervals } from '#app/retention/rollups.ts'
import { nameGroup, type CustomerGroup } from '#app/retention/segments.ts'

type Print = (figure: Record<string, unknown>) => void

const CUSTOMERS_PER_ORDER = 1 / 5
const AS_OF = Date.parse('2026-11-21T12:00:00Z')
const HISTORY_DAYS = 3 * 365
const ROUNDS = 5
const BATCH = 100

/** Prints one JSON line for each figure. The first argument may name another number of orders. */
export async function benchMeasures(print: Print, args: readonly string[] = []): Promise<void> {
  const orders = Number(args[0] ?? 1_000_000)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-bench-'))
  chmodSync(folder, 0o755)
  const server = await startEmbeddedPostgres({
    home: path.join(folder, 'postgres'),
    settings: { fsync: 'off', shared_buffers: '2GB', max_wal_size: '8GB' },
  })
  try {
    process.env.DATABASE_URL = server.url()
    await migrateDatabase(server.url())
    const shop = await makeShop(orders)
    const cpu = () => process.cpuUsage().user + process.cpuUsage().system + serverCpuMicroseconds(server.home)
    await benchRebuild(print, shop)
    await benchOverview(print, shop)
    await benchLists(print, shop)
    await benchFit(print, shop)
    await benchLiability(print, shop, orders)
    await benchUpkeep(print, shop, orders, cpu)
    await benchDrift(print, shop, orders)
  } finally {
    await closeDatabase()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

type BenchShop = { id: number; timezone: string; customers: number }

/** Orders in the order of time, as a shop would have taken them, each with a record of about the size of a real one. */
async function makeShop(orders: number): Promise<BenchShop> {
  const customers = Math.round(orders * CUSTOMERS_PER_ORDER)
  const timezone = 'America/New_York'
  const { rows } = await pool.query<{ id: number }>(
    `insert into shops (domain, currency, timezone, installed_at, created_at)
     values ('bench.myshopify.com', 'USD', $1, now(), now()) returning id`,
    [timezone],
  )
  const id = rows[0]!.id
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, placed_minor, counts, facts)
     select $1, n, 1 + (who % $3::bigint * (who % 97) / 97)::bigint, at, at, at, 500 + who % 15000, 500 + who % 15000,
            who % 23 <> 0, jsonb_build_object('id', n, 'record', repeat(md5(n::text), 30))
       from generate_series(1, $2::bigint) as n
       cross join lateral (select abs(hashint8(n))::bigint as who) as h
       cross join lateral (select $4::timestamptz - make_interval(secs => ($2 - n) * $5::float8 / $2) as at) as t`,
    [id, orders, customers, new Date(AS_OF), HISTORY_DAYS * 86_400],
  )
  await pool.query('vacuum analyze orders')
  return { id, timezone, customers }
}

async function scan(shopId: number): Promise<number> {
  return timed(() => pool.query('select count(*), sum(goods_minor) from orders where shop_id = $1', [shopId]))
}

async function benchRebuild(print: Print, shop: BenchShop): Promise<void> {
  const [scans, rebuilds]: [number[], number[]] = [[], []]
  await scan(shop.id)
  for (let round = 0; round < 3; round++) {
    scans.push(await scan(shop.id))
    rebuilds.push(await timed(() => inTransaction((client) => rebuildMeasures(shop.id, AS_OF, client))))
    scans.push(await scan(shop.id))
  }
  await pool.query('vacuum analyze measure_counters, customer_standings')
  print({ bench: 'measures', figure: 'rebuild', ...beside(median(rebuilds), median(scans)), goal: 'under 15 scans' })
}

/** The first page with what it is compared with, for everything that its picker offers, from counters by month and by day. */
async function benchOverview(print: Print, shop: BenchShop): Promise<void> {
  const today = dayNumberAt(AS_OF, shop.timezone)
  const named = PERIOD_NAMES.map((name) => ({ name: name as string, period: findPeriod(name, today) }))
  const longest = { name: `${LONGEST_DAYS} days`, period: { from: today - LONGEST_DAYS - 3, until: today - 3 } }
  for (const { name, period } of [...named, longest]) {
    for (const against of ['previous', 'year'] as const) {
      const [scans, pages]: [number[], number[]] = [[], []]
      const page = async () => {
        const asked = await askMeasures(shop, AS_OF)
        await Promise.all([
          readOverview(asked, () => [period, comparedWith(period, against, today)!]),
          readCounters(shop.id, ['interval', 'intervalSum']).then((rows) => readIntervals(rows)),
        ])
      }
      for (let round = 0; round < 2; round++) await page()
      for (let round = 0; round < ROUNDS; round++) {
        pages.push(await timed(page))
        if (round % 2 === 0) scans.push(await scan(shop.id))
      }
      const figures = { period: name, against, ...beside(median(pages), median(scans)), goal: 'at most 1/10 of a scan' }
      print({ bench: 'measures', figure: 'overview', ...figures })
    }
  }
}

/** A page of the customers behind a number: how many there are, and the first fifty. */
async function benchLists(print: Print, shop: BenchShop): Promise<void> {
  const today = dayNumberAt(AS_OF, shop.timezone)
  const ninety = { kind: 'period', ...findPeriod('last-90-days', today) } as const
  const groups: CustomerGroup[] = [
    ...[1, 4].map((ordinal): CustomerGroup => ({ kind: 'interval', ordinal, week: 10 })),
    ...(['buyers', 'S', 'kept', 'B'] as const).map((group): CustomerGroup => ({ ...ninety, group })),
    { kind: 'period', group: 'returning', ...findPeriod('last-12-months', today) },
    ...(['active', 'passive', 'lost'] as const).map((stage): CustomerGroup => ({ kind: 'stage', stage })),
    ...([{ kind: 'slipping' }, { kind: 'all' }, { kind: 'rfm', group: 'AT_RISK' }] as const),
  ]
  for (const group of groups) {
    const [scans, pages]: [number[], number[]] = [[], []]
    let customers = 0
    for (let round = 0; round < 3; round++) {
      pages.push(
        await timed(async () => {
          const asked = await askMeasures(shop, AS_OF)
          customers = await countCustomersBehind(asked, group)
          await listCustomersBehind(asked, group, { limit: 50 })
        }),
      )
      scans.push(await scan(shop.id))
    }
    print({
      bench: 'measures',
      figure: 'list',
      of: nameGroup(group),
      customers,
      ...beside(median(pages), median(scans)),
    })
  }
}

/** The liability page over a ledger with a transfer or more for each order, summed up to a while ago, beside a scan of the orders. */
async function benchLiability(print: Print, shop: BenchShop, orders: number): Promise<void> {
  await pool.query(
    `insert into ledger_transfers (shop_id, member_id, from_account, to_account, amount, key, reason, event_at, created_at)
     select $1, 1 + n % $3::bigint, case when n % 4 = 0 then 'available' else 'shop.issued' end,
            case when n % 12 = 0 then 'shop.expired' when n % 4 = 0 then 'shop.redeemed' else 'available' end, 1 + n % 90,
            'bench:' || n, 'order', at, at
       from generate_series(1, $2::bigint) as n
       cross join lateral (select $4::timestamptz - make_interval(secs => ($2 - n) * $5::float8 / $2) as at) as t`,
    [shop.id, orders, shop.customers, new Date(AS_OF), HISTORY_DAYS * 86_400],
  )
  await pool.query('vacuum analyze ledger_transfers')
  // A zone that is not the shop's, and so all is summed up from the ledger.
  await foldPointsFlows(shop.id, 'Pacific/Kiritimati')
  await foldPointsFlows(shop.id, shop.timezone)
  await pool.query(
    `insert into balances (shop_id, member_id, available)
     select shop_id, member_id, sum(case when to_account = 'available' then amount else -amount end)
       from ledger_transfers where shop_id = $1 group by shop_id, member_id`,
    [shop.id],
  )
  await pool.query('vacuum analyze balances')
  const asked = await askMeasures(shop, AS_OF)
  const today = dayNumberAt(AS_OF, shop.timezone)
  const figure = async (name: string, rounds: number, period: string, look: (period: Period) => Promise<unknown>) => {
    const days =
      period === 'all' ? { from: today - HISTORY_DAYS, until: today } : findPeriod(period as PeriodName, today)
    const [scans, pages]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      pages.push(await timed(() => look(days)))
      scans.push(await scan(shop.id))
    }
    print({ bench: 'measures', figure: name, period, ...beside(median(pages), median(scans)) })
  }
  await figure('liability', ROUNDS * 2, 'this-month', (period) => readLiability(asked, period))
  // The page is there without them.
  for (const period of ['this-month', 'last-90-days', 'last-12-months', 'all']) {
    await figure('liability-members', 3, period, (days) => countLiabilityMembers(asked, days))
  }
  // The engine knows nothing of them, and posting begins from nothing.
  await pool.query('delete from balances where shop_id = $1', [shop.id])
}

async function benchFit(print: Print, shop: BenchShop): Promise<void> {
  const log = await loadOrderLog(shop.id)
  const counts = groupHistories(readHistories(log, AS_OF, shop.timezone))
  const fits: number[] = []
  for (let round = 0; round < 3; round++) fits.push(await timed(() => Promise.resolve(fitBgNbd(counts))))
  print({
    bench: 'measures',
    figure: 'fit',
    customers: log.ids.length,
    cells: counts.customers.length,
    milliseconds: round(median(fits)),
    goal: 'under 5000',
  })
}

/**
 * CPU of posting orders through the engine to the ledger, 100 to a batch, and of what the measures add to it: the same batch's
 * upkeep alone, rolled back, just before it is posted.
 */
async function benchUpkeep(print: Print, shop: BenchShop, orders: number, cpu: () => number): Promise<void> {
  const program = buildTemplate('tiers', { name: 'Bench', currency: 'USD', timezone: shop.timezone })
  await publishProgram(shop.id, program, { effectiveAt: AS_OF - 86_400_000, at: AS_OF - 86_400_000 })
  const [shares, upkeeps, postings]: [number[], number[], number[]] = [[], [], []]
  let number = orders
  for (let round = 0; round < ROUNDS + 1; round++) {
    let [upkeep, posting] = [0, 0]
    for (let batch = 0; batch < 10; batch++) {
      const events = Array.from({ length: BATCH }, () => makeOrder(++number, shop.customers))
      let before = cpu()
      await undone(shop.id, events)
      upkeep += cpu() - before
      // A transaction with nothing in it is no upkeep.
      before = cpu()
      await undone(shop.id, [])
      upkeep -= cpu() - before
      before = cpu()
      await applyEvents(shop.id, events, AS_OF)
      posting += cpu() - before
    }
    // The first round warms up.
    if (round === 0) continue
    upkeeps.push(upkeep / (10 * BATCH))
    postings.push((posting - upkeep) / (10 * BATCH))
    shares.push(upkeep / (posting - upkeep))
  }
  print({
    bench: 'measures',
    figure: 'upkeep',
    ordersPerBatch: BATCH,
    microsecondsOfCpuPerOrder: round(median(upkeeps)),
    microsecondsOfPosting: round(median(postings)),
    share: round(median(shares)),
    goal: 'at most 0.3',
  })
}

const CHANGES = 100_000
const CHANGES_PER_BATCH = 500

/** A hundred thousand random changes: new orders, most of them back-dated, refunds of part of an order, and cancellations. */
async function benchDrift(print: Print, shop: BenchShop, orders: number): Promise<void> {
  const chance = streamOf(20_261_121)
  let fresh = 10_000_000_000
  for (let done = 0; done < CHANGES; done += CHANGES_PER_BATCH) {
    const old = Array.from({ length: CHANGES_PER_BATCH / 2 }, () => String(1 + Math.floor(chance() * orders)))
    const { rows } = await pool.query<{ id: string; member_id: string; placed_at: Date; goods_minor: string }>(
      'select id, member_id, placed_at, goods_minor from orders where shop_id = $1 and id = any($2::bigint[])',
      [shop.id, old],
    )
    const changed = rows.map((row) => ({
      id: row.id,
      memberId: row.member_id,
      placedAt: row.placed_at.getTime(),
      goodsMinor: Math.floor(Number(row.goods_minor) * chance()),
      counts: chance() < 0.5,
      isNew: false,
    }))
    const added = Array.from({ length: CHANGES_PER_BATCH / 2 }, () => ({
      id: String(++fresh),
      memberId: String(1 + Math.floor(chance() * shop.customers)),
      placedAt: AS_OF - Math.floor(chance() * (HISTORY_DAYS + 60) * 86_400_000),
      goodsMinor: Math.floor(chance() * 20_000),
      counts: true,
      isNew: true,
    }))
    await writeOrders(shop.id, [...changed, ...added])
  }
  const differences = await findMeasureDifferences(shop.id)
  print({ bench: 'measures', figure: 'drift', changes: CHANGES, differences: differences.length, goal: '0' })
}

async function writeOrders(shopId: number, orders: MeasuredOrder[]): Promise<void> {
  const of = <Value>(pick: (order: MeasuredOrder) => Value) => orders.map(pick)
  await inTransaction(async (client) => {
    await applyMeasures(shopId, orders, client)
    await client.query(
      `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
       select $1, id, member_id, placed_at, placed_at, placed_at, goods_minor, counts, '{}'
         from unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::boolean[])
           as g (id, member_id, placed_at, goods_minor, counts)
       on conflict (shop_id, id) do update
         set member_id = excluded.member_id, placed_at = excluded.placed_at, goods_minor = excluded.goods_minor,
             counts = excluded.counts`,
      [
        shopId,
        of((order) => order.id),
        of((order) => order.memberId),
        of((order) => new Date(order.placedAt)),
        of((order) => order.goodsMinor),
        of((order) => order.counts),
      ],
    )
  })
}

/** Numbers in [0, 1) that are the same at every run (Park and Miller's minimal standard). */
function streamOf(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

async function undone(shopId: number, events: Extract<Event, { type: 'order' }>[]): Promise<void> {
  const rollBack = new Error('measured')
  await inTransaction(async (client) => {
    await applyMeasures(
      shopId,
      events.map(({ order }) => ({
        id: order.id.slice(order.id.lastIndexOf('/') + 1),
        memberId: order.customer!.slice(order.customer!.lastIndexOf('/') + 1),
        placedAt: order.processedAt,
        goodsMinor: order.lines[0]!.priceMinor,
        counts: true,
        isNew: true,
      })),
      client,
    )
    throw rollBack
  }).catch((error) => {
    if (error !== rollBack) throw error
  })
}

function makeOrder(number: number, customers: number): Extract<Event, { type: 'order' }> {
  const at = AS_OF + (number % 100_000) * 100
  const line = (place: number) => ({
    id: `gid://shopify/LineItem/${number * 4 + place}`,
    product: `gid://shopify/Product/${1_000 + ((number + place) % 200)}`,
    quantity: 1,
    currentQuantity: 1,
    priceMinor: 1_250 + (number % 700),
    discountMinor: 0,
    taxMinor: 0,
    giftCard: false,
    subscription: false,
    collections: [],
    tags: [],
    compareAtMinor: null,
  })
  return {
    type: 'order',
    at,
    order: {
      id: `gid://shopify/Order/${number}`,
      customer: `gid://shopify/Customer/${1 + ((number * 7_919) % customers)}`,
      customerState: 'enabled',
      company: false,
      sourceName: 'web',
      test: false,
      cancelledAt: null,
      financialStatus: 'paid',
      processedAt: at,
      updatedAt: at,
      currency: 'USD',
      taxesIncluded: false,
      lines: [line(0), line(1), line(2)],
      shippingMinor: 600,
      shippingTaxMinor: 0,
      refunds: [],
      discountCodes: [],
    },
  }
}

/** User and system time of all processes of the server, in microseconds; 0 where there is no /proc. */
function serverCpuMicroseconds(home: string): number {
  const main = readFileSync(globSync(path.join(home, '**/postmaster.pid'))[0] ?? '/dev/null', 'utf8').split('\n')[0]
  let ticks = 0
  for (const file of globSync('/proc/[0-9]*/stat')) {
    try {
      const stat = readFileSync(file, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // Fields 4 (parent), 14 and 15 (user and system time), counted from 1; in hundredths of a second.
      if (fields[1] === main || file === `/proc/${main}/stat`) ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks * 10_000
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function beside(milliseconds: number, scanMilliseconds: number) {
  return {
    milliseconds: round(milliseconds),
    scanMilliseconds: round(scanMilliseconds),
    scans: round(milliseconds / scanMilliseconds),
  }
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

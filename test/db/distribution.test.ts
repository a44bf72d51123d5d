import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import {
  countImport,
  countPointsLeft,
  forgetOldImports,
  listImports,
  listRefused,
  listUsable,
  moveImport,
} from '#app/db/imports.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { workOnImports } from '#app/jobs/import-members.ts'
import { remindOfExpiry } from '#app/jobs/remind-of-expiry.ts'
import { takeImport } from '#app/jobs/take-import.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { letTimePass } from '#app/jobs/nightly.ts'
import { atInstant, makeShopWithProgram, receive } from '#test/setup/factories.ts'
import { orderBody } from '#test/setup/orders.ts'
import { DISTRIBUTED, recordStatements } from '#test/setup/statements.ts'

// Citus's rules (docs.citusdata.com, "Creating and Modifying Distributed Objects" and "Determining Application Type"): a primary
// key or unique index holds the distribution column, a foreign key between distributed tables too and follows nothing on update, a
// trigger on a distributed table reaches no other, and a statement that names one value of the column goes to one node.

const SCRIPT = readFileSync('prisma/distribute.sql', 'utf8')
const REFERENCE = [...SCRIPT.matchAll(/create_reference_table\('(\w+)'\)/g)].map(([, table]) => table!)
const LOCAL = ['sessions', 'messages', 'inbox', 'outbox', 'work_due', '_prisma_migrations']

it('distribute.sql names every table, as distributed, as reference or as local', async () => {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
  )
  expect(rows.map(({ name }) => name)).toEqual([...DISTRIBUTED, ...REFERENCE, ...LOCAL].sort())
})

it('begins every primary key and unique index of a distributed table with the shop', async () => {
  const { rows } = await pool.query<{ name: string; first: string }>(
    `select i.indexrelid::regclass::text as name, a.attname as first
       from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indisunique and i.indrelid::regclass::text = any($1)`,
    [DISTRIBUTED],
  )
  expect(rows.length).toBeGreaterThanOrEqual(DISTRIBUTED.length)
  expect(rows.filter(({ first }) => first !== 'shop_id')).toEqual([])
})

it('carries the shop in every foreign key between distributed tables, and follows none on update', async () => {
  const { rows } = await pool.query<{
    name: string
    onUpdate: string
    columns: string
    target: string
    targets: string
  }>(
    `select c.conname as name, c.confupdtype as "onUpdate", c.confrelid::regclass::text as target,
            (select string_agg(a.attname, ',' order by k.at) from unnest(c.conkey) with ordinality k (num, at)
               join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.num) as columns,
            (select string_agg(a.attname, ',' order by k.at) from unnest(c.confkey) with ordinality k (num, at)
               join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.num) as targets
       from pg_constraint c where c.contype = 'f' and c.conrelid::regclass::text = any($1)`,
    [DISTRIBUTED],
  )
  expect(rows.length).toBeGreaterThan(0)
  for (const { columns, onUpdate, target, targets } of rows) {
    expect(DISTRIBUTED).toContain(target)
    expect(onUpdate).toBe('a')
    expect([columns.split(',')[0], targets.split(',')[0]]).toEqual(['shop_id', 'shop_id'])
  }
})

it('has no trigger on a distributed table but those that refuse to change the ledger', async () => {
  const { rows } = await pool.query<{ name: string; does: string }>(
    `select tgname as name, regexp_replace(prosrc, '\\s+', ' ', 'g') as does from pg_trigger t join pg_proc p on p.oid = t.tgfoid
      where not tgisinternal and tgrelid::regclass::text = any($1) order by 1`,
    [DISTRIBUTED],
  )
  expect(rows.map(({ name }) => name)).toEqual(['ledger_transfers_append_only', 'ledger_transfers_no_truncate'])
  for (const { does } of rows) expect(does).toMatch(/^ ?BEGIN RAISE EXCEPTION [^;]*; END/i)
})

it('numbers no distributed table with anything smaller than BIGINT, since nodes hand out numbers apart', async () => {
  const { rows } = await pool.query(
    `select table_name, column_name from information_schema.columns
      where table_schema = 'public' and column_default like 'nextval%' and data_type <> 'bigint' and table_name = any($1)`,
    [DISTRIBUTED],
  )
  expect(rows).toEqual([])
})

// "Correlated subqueries are not supported when the FROM clause contains a reference table" (Citus 14). Running one is refused nowhere else.
it('picks no shops in a migration by a subquery on a distributed table', () => {
  const statements = globSync('prisma/migrations/*/migration.sql').flatMap((file) =>
    readFileSync(file, 'utf8').replace(/--.*/g, '').split(';'),
  )
  expect(statements.length).toBeGreaterThan(100)
  const reference = new RegExp(`\\b(from|join)\\s+"?(${REFERENCE.join('|')})\\b`, 'i')
  const subquery = new RegExp(`\\b(exists|in|any)\\s*\\(\\s*select\\b.*"?\\b(${DISTRIBUTED.join('|')})\\b`, 'is')
  expect(statements.filter((statement) => reference.test(statement) && subquery.test(statement))).toEqual([])
})

it('names the shop in every statement on a distributed table that the pipeline runs', async () => {
  const recorded = recordStatements()
  try {
    await runPipeline()
  } finally {
    recorded.stop()
  }
  expect((await recorded.onDistributed()).length).toBeGreaterThan(20)
  expect(await recorded.lackingTheShop()).toEqual([])
})

async function runPipeline(): Promise<void> {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '60.00' }))
  await receive(shop.id, 'orders/paid', orderBody({ id: 2, customer: 2, goods: '60.00' }))
  await drainShop(shop.id)
  const merge = {
    admin_graphql_api_customer_kept_id: 'gid://shopify/Customer/1',
    admin_graphql_api_customer_deleted_id: 'gid://shopify/Customer/2',
  }
  await receive(shop.id, 'customers/merge', JSON.stringify({ ...merge, status: 'completed' }), {
    at: '2026-08-02T08:00:00Z',
  })
  await receive(shop.id, 'customers/data_request', JSON.stringify({ customer: { id: 1 } }))
  await drainShop(shop.id)
  await atInstant('2026-08-20T08:00:00Z', () => letTimePass())
  const at = Date.parse('2026-08-20T09:00:00Z')
  const customer = 'gid://shopify/Customer/1'
  await applyEvents(shop.id, [{ type: 'adjust', at, customer, points: 5, reason: 'r', actor: 'a', key: 'k' }], at)
  await applyEvents(shop.id, [{ type: 'reserve', at, customer, id: 'rdm_1', reward: 'five-off' }], at)
  await bringOver(shop.id)
  await atInstant('2027-07-20T08:00:00Z', async () => remindOfExpiry(await requireShop(shop.id)))
  await checkLedger(shop.id)
}

/** A file of two lines: one is brought over and taken back, one names nobody. */
async function bringOver(shopId: number): Promise<void> {
  const shop = await requireShop(shopId)
  async function* bytes() {
    yield Buffer.from('email,points\nann@example.com,5\nnobody@example.com,5\n')
  }
  const admin: AdminClient = {
    shop: shop.domain,
    request: async (_document, _variables, schema) =>
      schema.parse({ customer0: { id: 'gid://shopify/Customer/3', state: 'ENABLED' }, customer1: null }),
  }
  const taken = await takeImport(shopId, { fileName: 'f.csv', source: 'Smile.io', actor: 'a', bytes: bytes() })
  if (!taken.ok) throw new Error(taken.error)
  await workOnImports(shop, admin)
  for (const [from, to] of [
    ['checked', 'applying'],
    ['done', 'undoing'],
  ] as const) {
    await countPointsLeft(shopId, taken.id)
    if (!(await moveImport(shopId, taken.id, [from], to, now()))) throw new Error(`not ${from}`)
    await workOnImports(shop, admin)
  }
  await countImport(shopId, taken.id)
  await listImports(shopId)
  await listUsable(shopId, taken.id, 5)
  await listRefused(shopId, taken.id, 5)
  await forgetOldImports(shopId, now() + 1)
}

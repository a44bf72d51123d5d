import { execFile } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { makeShop } from '#test/setup/factories.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

function verify(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path.join(ROOT, 'app/commands/measures-verify.ts'), ...args],
      { cwd: ROOT },
      (failure, out, error) => resolve({ status: failure ? Number(failure.code) : 0, out, error }),
    )
  })
}

test('measures:verify says that all is right, names what is not, and refuses an unknown shop', async () => {
  const shop = await makeShop()
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, n, n % 5, now() - make_interval(days => n), now(), now(), 100 * n, true, '{}' from generate_series(1, 40) as n`,
    [shop.id],
  )
  await inTransaction((client) => rebuildMeasures(shop.id, Date.now(), client))
  expect(await verify('--shop', shop.domain)).toMatchObject({
    status: 0,
    out: `${shop.domain}: every measure is what the orders say\n`,
  })
  await pool.query('update customer_standings set orders = orders + 1 where shop_id = $1 and member_id = 3', [shop.id])
  const differing = await verify()
  expect(differing.status).toBe(1)
  expect(differing.out).toContain(`${shop.domain}: 1 measures differ`)
  expect(differing.out).toContain('customer 3: kept 9 orders')
  expect(await verify('--shop', 'nobody.myshopify.com')).toMatchObject({ status: 2 })
  expect((await verify('--help')).out).toContain('--shop DOMAIN')
})

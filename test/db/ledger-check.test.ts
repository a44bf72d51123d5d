import { execFileSync, spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { pool } from '#app/db/client.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { letTimePassIn } from '#app/jobs/nightly.ts'
import { atInstant, makeShopWithProgram, receive } from '#test/setup/factories.ts'
import { orderBody } from '#test/setup/orders.ts'

const ANN = 'gid://shopify/Customer/1'

/** A shop in which points were earned, released, spent, taken back below zero, merged, adjusted and expired. */
async function busyShop(changes: Record<string, unknown> = {}) {
  const shop = await makeShopWithProgram(changes)
  const paid = (id: number, customer: number, goods: string, more = {}) => orderBody({ id, customer, goods, ...more })
  await receive(shop.id, 'orders/paid', paid(1, 1, '60.00'))
  await receive(shop.id, 'orders/paid', paid(2, 2, '20.00'))
  await drainShop(shop.id)
  await atInstant('2026-08-20T00:00:00Z', () => letTimePassIn(shop.id))
  const at = Date.parse('2026-08-20T01:00:00Z')
  await applyEvents(
    shop.id,
    [
      { type: 'redeem', at, customer: ANN, reward: 'five-off', code: 'CODE-1' },
      { type: 'adjust', at, customer: ANN, points: 40, reason: 'sorry', actor: 'test', key: 'a' },
      { type: 'adjust', at, customer: ANN, points: -5, reason: 'oops', actor: 'test', key: 'b' },
    ],
    at,
  )
  const cancelled = { cancelledAt: '2026-08-21T10:00:00Z', updatedAt: '2026-08-21T10:00:00Z' }
  await receive(shop.id, 'orders/cancelled', paid(1, 1, '60.00', cancelled), { at: '2026-08-21T10:00:00Z' })
  const merge = JSON.stringify({
    admin_graphql_api_customer_kept_id: ANN,
    admin_graphql_api_customer_deleted_id: 'gid://shopify/Customer/2',
    status: 'completed',
  })
  await receive(shop.id, 'customers/merge', merge, { at: '2026-08-22T10:00:00Z' })
  await receive(shop.id, 'orders/paid', paid(3, 3, '9.00'), { at: '2026-08-22T10:00:00Z' })
  expect((await drainShop(shop.id)).failed).toBe(0)
  return shop
}

it.each([{ negativeBalance: 'allow' }, { negativeBalance: 'clamp' }])(
  'finds nothing wrong after everything that can happen to points (%o)',
  async (changes) => {
    const shop = await busyShop(changes)
    expect((await checkLedger(shop.id)).differences).toEqual([])
    await atInstant('2028-08-20T00:00:00Z', () => letTimePassIn(shop.id))
    const check = await checkLedger(shop.id)
    expect(check.differences).toEqual([])
    expect(check.transfers).toBeGreaterThan(8)
  },
)

it('finds nothing wrong where an order’s points went with a customer who was forgotten, and the order is another’s since', async () => {
  const shop = await makeShopWithProgram({ hold: { days: 14 } })
  const order = (customer: number, updatedAt: string) => orderBody({ id: 1, customer, goods: '60.00', updatedAt })
  await receive(shop.id, 'orders/paid', order(1, '2026-08-01T10:00:00Z'), { at: '2026-08-01T10:00:00Z' })
  await drainShop(shop.id)
  const at = Date.parse('2026-08-02T10:00:00Z')
  await applyEvents(shop.id, [{ type: 'erase', at, customer: ANN }], at)
  await receive(shop.id, 'orders/updated', order(2, '2026-08-03T10:00:00Z'), { at: '2026-08-03T10:00:00Z' })
  expect(await drainShop(shop.id)).toMatchObject({ done: 1, failed: 0 })
  const { differences, transfers } = await checkLedger(shop.id)
  expect(differences).toEqual([])
  expect(transfers).toBe(3)
})

it('names every figure that somebody has changed behind the ledger’s back', async () => {
  const shop = await busyShop()
  await pool.query('update balances set available = available + 1 where shop_id = $1 and member_id = 1', [shop.id])
  await pool.query('update balances set lifetime_earned = 7 where shop_id = $1 and member_id = 3', [shop.id])
  await pool.query('update lots set pending = pending + 2 where shop_id = $1 and member_id = 3', [shop.id])
  const { differences } = await checkLedger(shop.id)
  expect(differences).toContainEqual({ what: 'gid://shopify/Customer/3 lifetime earned', kept: '7', recomputed: '45' })
  expect(differences).toContainEqual({ what: 'gid://shopify/Customer/3 pending in lots', kept: '47', recomputed: '45' })
  expect(differences).toContainEqual({ what: 'gid://shopify/Order/3 pending', kept: '47', recomputed: '45' })
  expect(differences.map(({ what }) => what)).toContain(`${ANN} available`)
})

/** Each kind of damage, and what it is named. `busyShop` has redemption CODE-1 of 100 points, and Ben (3) with 45 points pending. */
const DAMAGES: [damage: string, named: string[]][] = [
  [
    'update balances set available = available + 1 where member_id = 3',
    ['gid://shopify/Customer/3 available', 'all members together'],
  ],
  [
    'update balances set pending = pending - 1 where member_id = 3',
    ['gid://shopify/Customer/3 pending', 'gid://shopify/Customer/3 pending in lots'],
  ],
  ['update balances set reserved = 9 where member_id = 3', ['gid://shopify/Customer/3 reserved']],
  ['update balances set lifetime_earned = 1 where member_id = 3', ['gid://shopify/Customer/3 lifetime earned']],
  [
    'update balances set deficit = deficit + 4 where member_id = 3',
    ['gid://shopify/Customer/3 available in lots, less the deficit'],
  ],
  [
    'delete from balances where member_id = 3',
    ['gid://shopify/Customer/3 pending', 'gid://shopify/Customer/3 pending in lots', 'all members together'],
  ],
  [
    'update lots set available = available + 2 where member_id = 3',
    ['gid://shopify/Customer/3 available in lots, less the deficit'],
  ],
  [
    'update lots set pending = pending + 2 where member_id = 3',
    ['gid://shopify/Customer/3 pending in lots', 'gid://shopify/Order/3 pending'],
  ],
  ['delete from lots where member_id = 3', ['gid://shopify/Customer/3 pending in lots']],
  [
    `insert into lots (shop_id, member_id, key, available, earned_at) select shop_id, 77, 'a gift', 5, earned_at from lots where member_id = 3`,
    ['gid://shopify/Customer/77 available in lots, less the deficit'],
  ],
  [`update redemptions set points = points + 1`, ['redemption CODE-1 has spent']],
  [`update redemptions set state = 'reserved'`, ['redemption CODE-1 holds', 'redemption CODE-1 has spent']],
  [`update redemptions set returned_points = returned_points + 1`, ['redemption CODE-1 has spent']],
  [`update redemptions set state = 'returned'`, ['redemption CODE-1 has spent']],
  ['delete from redemptions', ['redemption CODE-1 has spent']],
  [
    `insert into ledger_transfers (shop_id, member_id, from_account, to_account, amount, key, reason, event_at, created_at)
     select shop_id, 3, 'shop.adjusted', 'available', 50, 'forged', 'adjust', earned_at, earned_at from lots where member_id = 3`,
    ['gid://shopify/Customer/3 available', 'all members together', 'moved from shop.adjusted to available'],
  ],
  [
    `update points_flow_deltas set points = points - 1 where from_account = 'available' and to_account = 'reserved'`,
    ['moved from available to reserved'],
  ],
]

it.each(DAMAGES)('finds and names what was done by: %s', async (damage, named) => {
  const shop = await busyShop()
  const id = 'shop_id = ' + shop.id
  const ofShop = damage.includes(' where ') ? `${damage} and ${id}` : `${damage} where ${id}`
  expect((await pool.query(ofShop)).rowCount).toBe(1)
  const found = (await checkLedger(shop.id)).differences.map(({ what }) => what)
  expect(found).toEqual(expect.arrayContaining(named))
})

it('says nothing of one shop’s damage to another', async () => {
  const [shop, other] = [await busyShop(), await busyShop()]
  await pool.query('update balances set available = available + 1 where shop_id = $1', [other.id])
  expect((await checkLedger(shop.id)).differences).toEqual([])
})

it.each([['ledger-verify'], ['measures-verify'], ['program', 'export', '--shop', 'demo.myshopify.com']])(
  '%s says in one line that the database does not answer',
  (command, ...args) => {
    const env = { ...process.env, DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' }
    const line = [`app/commands/${command}.ts`, ...args]
    const { status, stderr } = spawnSync(process.execPath, line, { encoding: 'utf8', env })
    expect(stderr).toMatch(/^The database of DATABASE_URL does not answer: .*ECONNREFUSED.*\n$/)
    expect(status).toBe(2)
  },
)

it('answers as a command: 0 where all is right, 1 where something differs, 2 where the shop is unknown', async () => {
  const shop = await busyShop()
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['app/commands/ledger-verify.ts', ...args], { encoding: 'utf8' })
  expect(run('--shop', shop.domain)).toMatchObject({ status: 0, stdout: expect.stringContaining('all right') })
  await pool.query('update balances set reserved = 3 where shop_id = $1 and member_id = 3', [shop.id])
  expect(run('--shop', shop.domain)).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('gid://shopify/Customer/3 reserved: kept 3, recomputed 0'),
  })
  expect(run('--shop', 'nobody.myshopify.com').status).toBe(2)
  expect(run('--shoop').status).toBe(2)
  expect(execFileSync(process.execPath, ['app/commands/ledger-verify.ts', '--help'], { encoding: 'utf8' })).toContain(
    'Exit code',
  )
})

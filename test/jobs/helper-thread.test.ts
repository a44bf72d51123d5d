import { expect, it, onTestFinished } from 'vitest'
import { pool } from '#app/db/client.server.ts'
import { isOutOfReach } from '#app/db/errors.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { drainInbox, drainShop } from '#app/jobs/drain-inbox.ts'
import { createHelper } from '#app/jobs/helper-thread.server.ts'
import { makeShopWithProgram, receive, receiveIdle } from '#test/setup/factories.ts'
import { orderBody } from '#test/setup/orders.ts'

const ANN = 'gid://shopify/Customer/1'
const pointsOf = async (shopId: number) => (await readMembers(shopId, [ANN])).get(ANN)

function openHelper() {
  const helper = createHelper()
  onTestFinished(() => helper.stop())
  return helper
}

it('drains a batch of a shop in a thread of its own', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  const helper = openHelper()
  expect(await helper.drainShop(shop.id)).toEqual({ done: 1, failed: 0, left: 0 })
  expect(await pointsOf(shop.id)).toMatchObject({ pending: 50 })
  expect(await helper.drainShop(shop.id)).toEqual({ done: 0, failed: 0, left: 0 })
})

it('answers each question by itself, two shops at once', async () => {
  const shops = [await makeShopWithProgram(), await makeShopWithProgram()]
  for (const [index, { id }] of shops.entries()) {
    for (let order = 0; order <= index; order += 1) {
      await receive(id, 'orders/paid', orderBody({ id: order + 1, customer: 1, goods: '10.00' }))
    }
  }
  const helper = openHelper()
  const drained = await Promise.all(shops.map(({ id }) => helper.drainShop(id)))
  expect(drained.map(({ done }) => done)).toEqual([1, 2])
})

it('says what is wrong as the drain itself would', async () => {
  const shop = await makeShopWithProgram()
  await receive(shop.id, 'orders/paid', orderBody({ id: 1, customer: 1, goods: '10.00' }))
  await pool.query(`update programs set document = '{"version": 1}' where shop_id = $1`, [shop.id])
  const helper = openHelper()
  const own = await drainShop(shop.id).catch((error: Error) => error.message)
  expect(own).toContain('cannot be read')
  await expect(helper.drainShop(shop.id)).rejects.toThrow(own as string)
  // The tests after this one drain all shops.
  await pool.query('delete from inbox where shop_id = $1', [shop.id])
})

it('tells a database out of reach from anything else', async () => {
  const { DATABASE_URL } = process.env
  onTestFinished(() => void (process.env.DATABASE_URL = DATABASE_URL))
  process.env.DATABASE_URL = 'postgresql://nobody@127.0.0.1:1/none'
  const error: unknown = await openHelper()
    .drainShop(1)
    .catch((reason: unknown) => reason)
  expect(isOutOfReach(error)).toBe(true)
})

it('ends when it was told to, whether or not it was ever asked', async () => {
  const [idle, asked] = [createHelper(), createHelper()]
  await asked.drainShop((await makeShopWithProgram()).id)
  await idle.stop()
  await asked.stop()
})

it('has every other batch of a backlog', async () => {
  const shop = await makeShopWithProgram()
  await receiveIdle(shop.id, 4_500)
  const helped: number[] = []
  const helper = openHelper()
  const drainBeside = async (shopId: number) => {
    const drained = await helper.drainShop(shopId)
    helped.push(drained.done)
    return drained
  }
  const drained = await drainInbox({ helper: { drainShop: drainBeside } })
  expect(drained.done).toBe(4_500)
  expect(helped.length).toBeGreaterThan(1)

  // A few batches are none.
  helped.length = 0
  await receiveIdle(shop.id, 1_200)
  expect((await drainInbox({ helper: { drainShop: drainBeside } })).done).toBe(1_200)
  expect(helped).toEqual([])
})

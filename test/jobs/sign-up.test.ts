/** Signing up as the live app hears of it: in Shopify's messages, from the inbox to the ledger. */
import { expect, it } from 'vitest'
import { prisma } from '#app/db/client.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { makeShopWithProgram, receive } from '#test/setup/factories.ts'

const pointsOf = async (shopId: number, customer: string) =>
  (await readMembers(shopId, [customer])).get(customer)?.available

it('pays signing up as soon as Shopify says that a customer has an account, whatever else it says of it, and once', async () => {
  const welcome = { id: 'welcome', on: 'signup', points: 100 }
  const shop = await makeShopWithProgram({ earning: [welcome] })
  const said = (customer: number, state: string) =>
    JSON.stringify({ id: customer, admin_graphql_api_id: `gid://shopify/Customer/${customer}`, state })
  // GIVEN a guest, a customer of years ago whose record changes, and one whom the next messages concern
  await receive(shop.id, 'customers/create', said(1, 'disabled'))
  await receive(shop.id, 'customers/update', said(2, 'enabled'))
  // WHEN the guest makes an account, and somebody new comes with one
  for (const topic of ['customers/update', 'customers/enable', 'customers/enable']) {
    await receive(shop.id, topic, said(1, 'enabled'), { at: '2026-08-02T08:00:00Z' })
  }
  for (const topic of ['customers/enable', 'customers/create']) await receive(shop.id, topic, said(3, 'enabled'))
  await receive(shop.id, 'customers/create', said(4, 'enabled'), { at: '2025-12-31T08:00:00Z' })
  expect(await drainShop(shop.id)).toMatchObject({ failed: 0, left: 0 })
  const gids = [1, 2, 3, 4].map((id) => `gid://shopify/Customer/${id}`)
  const available = await Promise.all(gids.map((gid) => pointsOf(shop.id, gid)))
  expect(available).toEqual([100, 0, 100, 0])
  // THEN nothing more comes of a message that is late, of a merge, or of an account that is made anew
  await receive(shop.id, 'customers/merge', merged(gids[2]!, gids[0]!), { at: '2026-08-03T08:00:00Z' })
  await receive(shop.id, 'customers/enable', said(3, 'enabled'), { at: '2026-08-03T09:00:00Z' })
  await drainShop(shop.id)
  await receive(shop.id, 'customers/enable', said(1, 'enabled'), { at: '2026-08-04T09:00:00Z' })
  await drainShop(shop.id)
  expect(await pointsOf(shop.id, gids[0]!)).toBe(200)
  const facts = await prisma.fact.findMany({ where: { shopId: shop.id }, orderBy: { key: 'asc' } })
  expect(facts.map(({ key }) => key)).toEqual([`event:${gids[0]}:signup:once`, `event:${gids[2]}:signup:once`])
})

const merged = (from: string, into: string) =>
  JSON.stringify({
    admin_graphql_api_customer_kept_id: into,
    admin_graphql_api_customer_deleted_id: from,
    status: 'completed',
  })

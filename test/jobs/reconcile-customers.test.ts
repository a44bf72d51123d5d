import { expect, it } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool, prisma } from '#app/db/client.server.ts'
import { listMembersAfter, readMembers } from '#app/db/member-records.server.ts'
import { findCustomersRead, noteCustomersRead } from '#app/db/readings.server.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { reconcileCustomers } from '#app/jobs/reconcile-customers.ts'
import { reconcile } from '#app/jobs/reconcile.ts'
import { tierTag } from '#app/shopify/member-card.server.ts'
import { openSpendingShop, type SpendingShop } from './spending-shop.ts'

const TIERS = {
  metric: 'spend' as const,
  window: 'lifetime' as const,
  graceDays: 0,
  entryRewards: 'highest' as const,
  levels: [
    { id: 'member', name: 'Member', threshold: '0.00' },
    { id: 'gold', name: 'Gold', threshold: '30.00' },
  ],
}

/** A customer in the dev store whose webhooks never reached us. */
function makeCustomer({ store, shop }: SpendingShop, name: string, state: 'enabled' | 'disabled' = 'enabled'): string {
  const { id } = store.createCustomer(shop.domain, { email: `${name}@example.com` })
  store.updateCustomer(shop.domain, id, { state })
  return id
}

/** A paid order of 20.00, whose webhooks never reach us either. */
function order({ store, shop }: SpendingShop, customer: string): string {
  const lines = [{ title: 'Mug', unitPriceMinor: 2_000, quantity: 1, taxable: false }]
  const placed = store.placeOrder(shop.domain, { customerId: customer as never, lines, payment: { status: 'paid' } })
  if (!placed.ok) throw new Error(placed.detail)
  return placed.order.id
}

async function compare({ shop, admin }: SpendingShop) {
  const found = await reconcileCustomers(shop, admin)
  expect(await drainShop(shop.id)).toMatchObject({ failed: 0, left: 0 })
  return found
}

/** Orders and customers as Shopify has them now. */
async function catchUp(place: SpendingShop) {
  await reconcile(place.shop, place.admin)
  await drainShop(place.shop.id)
  await compare(place)
}

const find = async ({ shop }: SpendingShop, customer: string) =>
  (await readMembers(shop.id, [customer])).get(customer) ?? null
const settle = async ({ shop, admin }: SpendingShop) => {
  await carryOutShop(shop.id, () => admin)
  const { rows } = await pool.query<{ kind: string; key: string; error: string | null }>(
    `select kind, key, error from outbox where shop_id = $1 and state <> 'done' and due_at < now() + interval '1 hour'`,
    [shop.id],
  )
  return rows
}

it('finds customers and accounts of which no webhook told, once', async () => {
  const place = await openSpendingShop([], { enrolment: 'accounts' })
  const [ann, ben] = [makeCustomer(place, 'ann', 'enabled'), makeCustomer(place, 'ben', 'disabled')]
  expect(await compare(place)).toMatchObject({ mended: 2 })
  expect(await find(place, ann)).toMatchObject({ customerState: 'enabled' })
  expect(await find(place, ben)).toMatchObject({ customerState: 'disabled' })
  place.store.updateCustomer(place.shop.domain, ben as never, { state: 'enabled' })
  expect(await compare(place)).toMatchObject({ mended: 1 })
  expect(await find(place, ben)).toMatchObject({ customerState: 'enabled' })
  expect(await compare(place)).toMatchObject({ mended: 0 })
  expect(await prisma.message.groupBy({ by: ['source'], where: { shopId: place.shop.id } })).toHaveLength(1)
})

it('finds a merge of which no webhook told by where the orders went, and points, card and tag are the survivor’s', async () => {
  const place = await openSpendingShop([], { tiers: TIERS, hold: { days: 0 } })
  const [ann, ben] = [makeCustomer(place, 'ann'), makeCustomer(place, 'ben')]
  order(place, ann)
  order(place, ben)
  await catchUp(place)
  const [annsPoints, bensPoints] = [(await find(place, ann))!.available, (await find(place, ben))!.available]
  expect(annsPoints).toBeGreaterThan(0)
  await settle(place)

  place.store.mergeCustomers(place.shop.domain, ann as never, ben as never)
  expect(await compare(place)).toMatchObject({ mended: 1 })
  expect(await find(place, ben)).toMatchObject({
    id: ann,
    available: annsPoints + bensPoints,
    aliases: [ben],
    tier: { level: 'gold' },
  })
  expect(await settle(place)).toEqual([])
  expect(JSON.parse(place.store.metafield(ann as never, 'member_card')!.value)).toMatchObject({
    balance: annsPoints + bensPoints,
  })
  expect(place.store.customer(place.shop.domain, ann as never)!.tags).toEqual([tierTag('gold')])
  expect(await compare(place)).toMatchObject({ mended: 0 })
})

it('still finds it when later news took the orders along one by one', async () => {
  const place = await openSpendingShop([], { hold: { days: 0 } })
  const [ann, ben] = [makeCustomer(place, 'ann'), makeCustomer(place, 'ben')]
  const bens = order(place, ben)
  await catchUp(place)
  place.store.mergeCustomers(place.shop.domain, ann as never, ben as never)
  // The order changes later, by whole seconds, as Shopify tells them.
  const row = place.store.tables.get('orders', bens as never)!
  place.store.tables.put('orders', bens as never, Object.assign(row, { updatedAt: row.updatedAt + 2_000 }))
  await reconcile(place.shop, place.admin)
  await drainShop(place.shop.id)
  expect(await prisma.order.count({ where: { shopId: place.shop.id, memberId: BigInt(ann.split('/').at(-1)!) } })).toBe(
    1,
  )
  expect(await compare(place)).toMatchObject({ mended: 1 })
  expect(await find(place, ben)).toMatchObject({ id: ann })
})

it('takes no two for one where the orders went to several customers, or the customer had none', async () => {
  const place = await openSpendingShop([], { hold: { days: 0 } })
  const [ann, ben, cem, dan] = ['ann', 'ben', 'cem', 'dan'].map((name) => makeCustomer(place, name))
  const orders = [order(place, ben!), order(place, ben!)]
  await catchUp(place)
  // GIVEN a customer whose orders somebody gave to two others, and one who never bought; both were deleted then
  orders.forEach((id, index) => {
    const row = place.store.tables.get('orders', id as never)!
    place.store.tables.put('orders', id as never, Object.assign(row, { customerId: [ann, cem][index] }))
  })
  for (const gone of [ben!, dan!]) expect(place.store.deleteCustomer(place.shop.domain, gone as never).ok).toBe(true)
  expect(await compare(place)).toMatchObject({ mended: 0 })
  expect(await find(place, ben!)).toMatchObject({ id: ben })
  expect(await find(place, dan!)).toMatchObject({ id: dan })
})

it('what is to be done for a customer whom Shopify no longer has is dropped quietly, and brings their merge to light', async () => {
  const place = await openSpendingShop([], { tiers: TIERS, hold: { days: 0 } })
  const [ann, ben, cem] = ['ann', 'ben', 'cem'].map((name) => makeCustomer(place, name))
  order(place, ben!)
  order(place, ben!)
  await catchUp(place)
  // GIVEN cards and the tag of a tier that wait, for one who is merged away meanwhile and one who is deleted
  place.store.mergeCustomers(place.shop.domain, ann as never, ben as never)
  place.store.deleteCustomer(place.shop.domain, cem as never)
  expect(await settle(place)).toEqual([])
  expect(await drainShop(place.shop.id)).toMatchObject({ done: 1 })
  expect(await find(place, ben!)).toMatchObject({ id: ann, tier: { level: 'gold' } })
  expect(await settle(place)).toEqual([])
  expect(place.store.customer(place.shop.domain, ann as never)!.tags).toEqual([tierTag('gold')])
})

it('looks for the next members with each run, and goes on where a crash cut it off', async () => {
  const place = await openSpendingShop([], { hold: { days: 0 } })
  const [ann, ben] = [makeCustomer(place, 'ann'), makeCustomer(place, 'ben')]
  order(place, ann)
  await catchUp(place)
  place.store.mergeCustomers(place.shop.domain, ben as never, ann as never)
  // A round that has come past Ann does not see her until the next one.
  const last = (await listMembersAfter(place.shop.id, '0', 10)).at(-1)!.split('/').at(-1)!
  await noteCustomersRead(place.shop.id, { until: now(), lookedTo: last })
  expect(await compare(place)).toMatchObject({ mended: 0 })
  const before = await findCustomersRead(place.shop.id)
  place.trouble(null, '500', 9)
  await expect(reconcileCustomers(place.shop, place.admin)).rejects.toThrow()
  expect(await findCustomersRead(place.shop.id)).toEqual(before)
  place.heal()
  expect(await compare(place)).toMatchObject({ mended: 1 })
})

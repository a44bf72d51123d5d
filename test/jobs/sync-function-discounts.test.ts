import { expect, test } from 'vitest'
import { pool } from '#app/db/client.server.ts'
import { endCampaign, pauseCampaign, resumeCampaign } from '#app/db/campaigns.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { reconcile } from '#app/jobs/reconcile.ts'
import { syncFunctionDiscounts } from '#app/jobs/sync-function-discounts.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { parseOrder } from '#app/shopify/order.ts'
import { orderPayload } from '#test/dev-store/payloads.ts'
import { newShopper } from '#test/dev-store/shopper.ts'
import { createStorefront } from '#test/dev-store/storefront/storefront.ts'
import { makeProgram, openSpendingShop } from './spending-shop.ts'
import type { SpendingShop } from './spending-shop.ts'

const DAY_MS = 86_400_000

const TIERS = {
  metric: 'spend',
  window: 'lifetime',
  levels: [
    { id: 'member', name: 'Member', threshold: '0.00' },
    { id: 'gold', name: 'Gold', threshold: '500.00', discountPercent: 10, freeShipping: true },
  ],
}

/** A campaign from yesterday to the day after tomorrow. */
function campaign(more: Record<string, unknown> = {}) {
  const local = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 16)
  return { id: 'spring', name: 'Spring days', from: local(-1), until: local(2), offer: { percentage: 20 }, ...more }
}

function open(parts: { tiers?: unknown; campaigns?: unknown[]; timezone?: string }): Promise<SpendingShop> {
  return openSpendingShop([], parts as Partial<ProgramDocument>)
}

async function publish({ shop }: SpendingShop, parts: { tiers?: unknown; campaigns?: unknown[] }): Promise<void> {
  const document = makeProgram([], parts as Partial<ProgramDocument>)
  await publishProgram(shop.id, document, { effectiveAt: Date.now(), at: Date.now() })
}

const nothing = { created: 0, updated: 0, stopped: 0, deleted: 0, refused: [] }

test('tier perks and each campaign become a discount of our Function, once, with the program’s window', async () => {
  // Once: the minute may change while the test runs.
  const written = campaign({ combinesWith: { order: true } })
  const world = await open({ tiers: TIERS, campaigns: [written] })
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({ ...nothing, created: 2 })
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual(nothing)
  const [perks, spring] = world.store.discounts(world.shop.domain)
  expect(perks).toMatchObject({
    kind: 'automatic_app',
    title: 'Bean Club: member perks',
    functionHandle: 'loyalty-discount',
    classes: ['ORDER', 'SHIPPING'],
    endsAt: null,
    combinesWith: { orderDiscounts: true, productDiscounts: true, shippingDiscounts: true },
  })
  const { from, until } = written
  expect(spring).toMatchObject({
    title: 'Spring days',
    classes: ['ORDER'],
    startsAt: Date.parse(`${from}Z`),
    endsAt: Date.parse(`${until}Z`),
    combinesWith: { orderDiscounts: true, productDiscounts: false, shippingDiscounts: false },
  })
})

test('a campaign from before its limits were checked is named as refused, and holds up no other', async () => {
  const bands = Array.from({ length: 51 }, (_, at) => ({ from: `${at + 1}.00`, percentage: 5 }))
  const many = campaign({ id: 'many', name: 'Many steps', offer: { bands } })
  const world = await open({ tiers: TIERS, campaigns: [many, campaign()] })
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({
    ...nothing,
    created: 2,
    refused: [{ key: 'campaign:many', detail: 'too_many_bands' }],
  })
})

test('tier perks that Shopify has no room for are named as refused too', async () => {
  const [member, gold] = TIERS.levels
  const tiers = { ...TIERS, levels: [member, { ...gold, name: 'G'.repeat(255) }] }
  const world = await open({ tiers, campaigns: [campaign()] })
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({
    ...nothing,
    created: 1,
    refused: [{ key: 'tiers', detail: 'name_too_long' }],
  })
})

test('a window in the shop’s zone is kept over both daylight-saving nights', async () => {
  // 01:30 does not exist in London on 28 March 2027: the next instant is 01:00 UTC. It occurs twice on 31 October: the first is 00:30 UTC.
  const world = await open({
    timezone: 'Europe/London',
    campaigns: [campaign({ from: '2027-03-28T01:30', until: '2027-10-31T01:30' })],
  })
  await syncFunctionDiscounts(world.shop, world.admin)
  expect(world.store.discounts(world.shop.domain)).toMatchObject([
    { startsAt: Date.parse('2027-03-28T01:00:00Z'), endsAt: Date.parse('2027-10-31T00:30:00Z') },
  ])
})

test('a shopper pays what the program says, at the storefront’s checkout', async () => {
  const world = await open({ tiers: TIERS, campaigns: [campaign()] })
  await syncFunctionDiscounts(world.shop, world.admin)
  const mug = world.store.addProduct(world.shop.domain, { title: 'Mug', priceMinor: 2000 })
  const shopper = newShopper(await createStorefront({ store: world.store }))
  await shopper.post('/cart/add', { id: mug.variants[0]!.id.split('/').at(-1)! })
  const cart = await shopper.get('/cart')
  expect(cart.text).toContain('Spring days')
  expect(cart.text).toContain('You save $4.00')
})

test('a changed program changes its discounts; a campaign no longer in it ends now and keeps its history', async () => {
  const world = await open({ tiers: TIERS, campaigns: [campaign()] })
  await syncFunctionDiscounts(world.shop, world.admin)
  await publish(world, { tiers: { ...TIERS, levels: [TIERS.levels[0], { ...TIERS.levels[1], discountPercent: 15 }] } })
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({ ...nothing, updated: 1, stopped: 1 })
  const [perks, spring] = world.store.discounts(world.shop.domain)
  expect(world.store.metafield(perks!.id, 'function-configuration')?.value).toContain('15')
  expect(world.store.discountStatus(spring!)).toBe('EXPIRED')
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual(nothing)
})

test('a campaign that was ended early ends at Shopify at that instant', async () => {
  const world = await open({ campaigns: [campaign()] })
  await syncFunctionDiscounts(world.shop, world.admin)
  const endedAt = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000)
  await endCampaign(world.shop.id, 'spring', endedAt.getTime(), 'by hand')
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({ ...nothing, updated: 1 })
  expect(world.store.discounts(world.shop.domain)[0]!.endsAt).toBe(endedAt.getTime())
})

test('a paused campaign gives nothing until it is resumed, and then ends when it was to end', async () => {
  const written = campaign()
  const world = await open({ campaigns: [written] })
  await syncFunctionDiscounts(world.shop, world.admin)
  const isActive = () => world.store.activeAutomaticDiscounts(world.shop.domain).length === 1
  await pauseCampaign(world.shop.id, 'spring', Date.now() - 2000)
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({ ...nothing, updated: 1 })
  expect(isActive()).toBe(false)
  await resumeCampaign(world.shop.id, 'spring', Date.now())
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({ ...nothing, updated: 1 })
  expect(isActive()).toBe(true)
  expect(world.store.discounts(world.shop.domain)).toMatchObject([{ endsAt: Date.parse(`${written.until}Z`) }])
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual(nothing)
})

test('a campaign called off before it began never starts', async () => {
  const later = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 16)
  const world = await open({ campaigns: [campaign({ from: later(5), until: later(9) })] })
  await syncFunctionDiscounts(world.shop, world.admin)
  await endCampaign(world.shop.id, 'spring', Date.now(), 'by hand')
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({ ...nothing, stopped: 1 })
  world.store.advanceTime(6 * DAY_MS)
  expect(world.store.activeAutomaticDiscounts(world.shop.domain)).toEqual([])
})

test('a campaign ends when its budget is given, counting only its own discount and no cancelled order', async () => {
  const world = await open({ tiers: TIERS, campaigns: [campaign({ budget: '10.00' })] })
  await syncFunctionDiscounts(world.shop, world.admin)
  const { store, shop } = world
  const mug = store.addProduct(shop.domain, { title: 'Mug', priceMinor: 2000 })
  const storefront = await createStorefront({ store })
  const buyAndDrain = async (cancel = false) => {
    const shopper = newShopper(storefront)
    await shopper.post('/cart/add', { id: mug.variants[0]!.id.split('/').at(-1)! })
    await shopper.post('/checkout', { intent: 'pay', email: `${crypto.randomUUID()}@example.com` })
    const order = store.orders(shop.domain).at(-1)!
    if (cancel) store.cancelOrder(shop.domain, order.id)
    await hearOfOrder(world, order.id)
  }
  await buyAndDrain()
  await buyAndDrain(true)
  await buyAndDrain()
  expect(await syncFunctionDiscounts(shop, world.admin)).toEqual(nothing)
  expect(await readCampaign(shop.id)).toMatchObject({ given_minor: '800', orders: 2, ended_reason: null })

  await buyAndDrain()
  expect(await syncFunctionDiscounts(shop, world.admin)).toEqual({ ...nothing, updated: 1 })
  expect(await readCampaign(shop.id)).toMatchObject({ given_minor: '1200', orders: 3, ended_reason: 'budget' })
  const shopper = newShopper(storefront)
  await shopper.post('/cart/add', { id: mug.variants[0]!.id.split('/').at(-1)! })
  expect((await shopper.get('/cart')).text).not.toContain('Spring days')
  expect(await syncFunctionDiscounts(shop, world.admin)).toEqual(nothing)
})

test('a budget counts orders whose webhook never came, once they were read from the Admin API, under the campaign’s old name too', async () => {
  const world = await open({ campaigns: [campaign({ budget: '10.00' })] })
  await syncFunctionDiscounts(world.shop, world.admin)
  const { store, shop } = world
  const mug = store.addProduct(shop.domain, { title: 'Mug', priceMinor: 3000 })
  const storefront = await createStorefront({ store })
  const buy = async () => {
    const shopper = newShopper(storefront)
    await shopper.post('/cart/add', { id: mug.variants[0]!.id.split('/').at(-1)! })
    await shopper.post('/checkout', { intent: 'pay', email: `${crypto.randomUUID()}@example.com` })
    await reconcile(shop, world.admin)
    await drainShop(shop.id)
  }
  await buy()
  await syncFunctionDiscounts(shop, world.admin)
  expect(await readCampaign(shop.id)).toMatchObject({ given_minor: '600', orders: 1, ended_reason: null })

  await publish(world, { campaigns: [campaign({ budget: '10.00', name: 'Days of spring' })] })
  await syncFunctionDiscounts(shop, world.admin)
  await buy()
  await syncFunctionDiscounts(shop, world.admin)
  expect(await readCampaign(shop.id)).toMatchObject({ given_minor: '1200', orders: 2, ended_reason: 'budget' })
})

test('who a campaign with a hold-out is for is noted when it begins, not before, and for everybody not at all', async () => {
  const later = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 16)
  const gold = { audience: { tiers: ['gold'] }, holdOut: 0.5 }
  const world = await open({
    tiers: TIERS,
    campaigns: [
      campaign({ id: 'now', ...gold }),
      campaign({ id: 'points', ...gold, offer: { pointsMultiplier: 2 } }),
      campaign({ id: 'later', ...gold, from: later(5), until: later(9) }),
      campaign({ id: 'everybody', holdOut: 0.5 }),
      campaign({ id: 'nobody-held', audience: { tiers: ['gold'] } }),
    ],
  })
  const ann = await world.member(10)
  await world.member(10)
  await pool.query(
    `update members set tier = 'gold', joined_at = now() - interval '1 day' where shop_id = $1 and id = $2`,
    [world.shop.id, ann.split('/').at(-1)],
  )
  await syncFunctionDiscounts(world.shop, world.admin)
  const { rows } = await pool.query(
    'select campaign_id, member_id from campaign_audiences where shop_id = $1 order by 1',
    [world.shop.id],
  )
  expect(rows).toEqual(['now', 'points'].map((campaign_id) => ({ campaign_id, member_id: ann.split('/').at(-1) })))
})

test('what a merchant changed or deleted in the admin is put right', async () => {
  const world = await open({ tiers: TIERS, campaigns: [campaign()] })
  await syncFunctionDiscounts(world.shop, world.admin)
  const [perks, spring] = world.store.discounts(world.shop.domain)
  world.store.deleteDiscount(world.shop.domain, perks!.id)
  world.store.tables.put('discounts', spring!.id, { ...spring!, endsAt: null })
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual({ ...nothing, created: 1, updated: 1 })
  expect(world.store.discounts(world.shop.domain).find((row) => row.id === spring!.id)!.endsAt).not.toBeNull()
})

test('an answer that never came makes no second discount in the end', async () => {
  const world = await open({ tiers: TIERS })
  world.trouble('FunctionDiscountCreate', 'lost', 2)
  await expect(syncFunctionDiscounts(world.shop, world.admin)).rejects.toThrow()
  world.heal()
  await syncFunctionDiscounts(world.shop, world.admin)
  await syncFunctionDiscounts(world.shop, world.admin)
  expect(world.store.discounts(world.shop.domain)).toHaveLength(1)
})

test('discounts of others are left alone, and a program without money off has none', async () => {
  const world = await open({ campaigns: [campaign({ offer: { pointsMultiplier: 2 } })] })
  const other = world.store.addDiscount(world.shop.domain, {
    kind: 'automatic_basic',
    title: 'Theirs',
    classes: ['ORDER'],
  })
  expect(await syncFunctionDiscounts(world.shop, world.admin)).toEqual(nothing)
  expect(world.store.discounts(world.shop.domain)).toEqual([other])
})

test('two at once do the work once', async () => {
  const world = await open({ tiers: TIERS })
  const runs = await Promise.all([1, 2].map(() => syncFunctionDiscounts(world.shop, world.admin)))
  expect(runs.filter((run) => run?.created === 1)).toHaveLength(1)
  expect(world.store.discounts(world.shop.domain)).toHaveLength(1)
})

/** The order's latest webhook, as the inbox would have it worked on. */
async function hearOfOrder({ store, shop }: SpendingShop, orderId: string): Promise<void> {
  const order = store.order(shop.domain, orderId)!
  const customer = order.customerId ? store.customer(shop.domain, order.customerId)! : null
  const parsed = parseOrder(orderPayload(store.shop(shop.domain), order, customer))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed))
  const at = Date.now()
  const applied = await applyEvents(shop.id, [{ type: 'order', at, order: parsed.value }], at)
  if (!applied.ok) throw new Error(applied.reason)
}

async function readCampaign(shopId: number) {
  const { rows } = await pool.query('select given_minor, orders, ended_reason from campaigns where shop_id = $1', [
    shopId,
  ])
  return rows[0] as { given_minor: string; orders: number; ended_reason: string | null }
}

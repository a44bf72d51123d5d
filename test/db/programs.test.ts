import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pool, prisma } from '#app/db/client.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { letTimePass } from '#app/jobs/nightly.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { atInstant, makeShop, makeShopWithProgram, programDocument } from '#test/setup/factories.ts'

const ann = 'gid://shopify/Customer/1'
const earning = [
  { id: 'purchase', on: 'order', points: 5, per: '1.00' },
  { id: 'podcast', on: 'custom:podcast', points: 100 },
]
const tiers = {
  metric: 'points',
  window: 'lifetime',
  levels: [
    { id: 'leaf', name: 'Leaf', threshold: 0 },
    { id: 'tree', name: 'Tree', threshold: 50 },
  ],
}
const timeless = { earning, expiry: { model: 'none' } }
const memberOf = async (shopId: number) => (await readMembers(shopId, [ann])).get(ann)!

/** A shop whose points live for ever, with a member who has 100 and is not heard of again. */
async function makeShopWithIdleMember() {
  const shop = await makeShopWithProgram(timeless)
  const at = Date.parse('2026-02-01T12:00:00Z')
  const event: Event = { type: 'event', at, customer: ann, name: 'podcast', key: 'k1', order: null }
  expect(await applyEvents(shop.id, [event], at)).toMatchObject({ ok: true, changes: [{ refused: null }] })
  return shop
}

const publish = (shopId: number, changes: Record<string, unknown>, at: string) =>
  publishProgram(shopId, programDocument(changes), { effectiveAt: Date.parse(at), at: Date.parse(at) })

test('shops that have a program have its card written anew by the migration that brought the languages, others nothing', async () => {
  const [published, fresh, gone] = [await makeShopWithProgram(), await makeShop(), await makeShopWithProgram()]
  await prisma.shop.update({ where: { id: gone.id }, data: { uninstalledAt: new Date() } })
  await prisma.outboxEffect.deleteMany()
  const migration = '../../prisma/migrations/20261123061500_cards_in_all_languages/migration.sql'
  await pool.query(readFileSync(new URL(migration, import.meta.url), 'utf8'))
  const effects = await prisma.outboxEffect.findMany({ where: { shopId: { in: [published.id, fresh.id, gone.id] } } })
  expect(effects.map(({ shopId, kind, state }) => [shopId, kind, state])).toEqual([
    [published.id, 'program-card', 'waiting'],
  ])
})

test('a new version reaches members who do nothing: tiers lift them at once, and their points expire on their day', async () => {
  const shop = await makeShopWithIdleMember()
  expect(await prisma.member.findFirst({ where: { shopId: shop.id } })).toMatchObject({ nextDueAt: null })
  await publish(shop.id, { earning, expiry: { model: 'lot', months: 12 }, tiers }, '2026-03-01T12:00:00Z')
  await atInstant('2026-03-01T12:00:01Z', letTimePass)
  expect(await memberOf(shop.id)).toMatchObject({ version: 2, available: 100, tier: { level: 'tree' } })
  // Switching expiry on starts all clocks: the end of 1 March in Berlin.
  await atInstant('2027-03-01T22:59:59Z', letTimePass)
  expect(await memberOf(shop.id)).toMatchObject({ available: 100 })
  await atInstant('2027-03-01T23:00:00Z', letTimePass)
  expect(await memberOf(shop.id)).toMatchObject({ available: 0 })
})

test('a version of the future waits for its day, and what is due before comes before', async () => {
  const shop = await makeShopWithIdleMember()
  await publish(shop.id, { earning, expiry: { model: 'lot', months: 1 } }, '2026-03-01T12:00:00Z')
  await atInstant('2026-03-01T12:00:01Z', letTimePass)
  await publish(shop.id, { earning, expiry: { model: 'lot', months: 1 }, tiers }, '2026-06-01T12:00:00Z')
  await atInstant('2026-05-31T12:00:00Z', letTimePass)
  expect(await memberOf(shop.id)).toMatchObject({ version: 2, available: 0, tier: { level: null } })
  await atInstant('2026-06-01T12:00:00Z', letTimePass)
  expect(await memberOf(shop.id)).toMatchObject({ version: 3, tier: { level: 'tree' } })
})

test('a version that does nothing to members by itself makes no member due', async () => {
  const shop = await makeShopWithIdleMember()
  await publish(shop.id, { ...timeless, name: 'Renamed', hold: { days: 30 }, rewards: [] }, '2026-03-01T12:00:00Z')
  expect(await prisma.member.findFirst({ where: { shopId: shop.id } })).toMatchObject({ nextDueAt: null })
  // Versions are gone through one after the other, each at its instant, once one of them does.
  await publish(shop.id, { ...timeless, tiers }, '2026-04-01T12:00:00Z')
  await atInstant('2026-04-02T12:00:00Z', letTimePass)
  const { version, tier } = await memberOf(shop.id)
  expect({ version, tier: tier.history.at(-1) }).toEqual({
    version: 3,
    tier: { at: Date.parse('2026-04-01T12:00:00Z'), level: 'tree' },
  })
})

test('what Shopify must hear of a version of the future is told on its day, whatever else waits', async () => {
  const shop = await makeShopWithProgram()
  const [at, effectiveAt] = ['2026-03-01T12:00:00Z', '2026-06-01T12:00:00Z'].map((instant) => Date.parse(instant))
  await publishProgram(shop.id, programDocument(timeless), { effectiveAt: effectiveAt!, at: at! })
  const cards = await prisma.outboxEffect.findMany({
    where: { shopId: shop.id, kind: 'all-member-cards' },
    orderBy: { dueAt: 'asc' },
  })
  expect(cards.map(({ dueAt }) => dueAt.toISOString())).toEqual([
    '2026-01-01T00:00:00.000Z',
    '2026-06-01T12:00:00.000Z',
  ])
})

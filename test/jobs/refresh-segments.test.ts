import { expect, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { refreshSegments } from '#app/jobs/refresh-segments.ts'
import { parseMemberCard } from '#app/loyalty/member-card.ts'
import { orderPayload } from '../dev-store/payloads.ts'
import { receive } from '../setup/factories.ts'
import { openSpendingShop } from './spending-shop.ts'
import type { SpendingShop } from './spending-shop.ts'

const CAMPAIGN = {
  id: 'again',
  name: 'Come again',
  from: '2020-01-01T00:00',
  until: '2099-01-01T00:00',
  offer: { percentage: 10 },
  audience: { segments: ['repeat'] },
}

async function buy(place: SpendingShop, customer: string): Promise<void> {
  const { domain } = place.shop
  const product = place.store.products(domain)[0] ?? place.store.addProduct(domain, { title: 'Mug', priceMinor: 2_000 })
  place.store.placeOrder(domain, {
    customerId: customer,
    lines: [{ variantId: product.variants[0]!.id, quantity: 1 }],
  })
  const order = place.store.orders(domain).at(-1)!
  const payload = orderPayload(place.store.shop(domain), order, place.store.customer(domain, customer) ?? null)
  await receive(place.shop.id, 'orders/paid', JSON.stringify(payload), { at: new Date(now()).toISOString() })
  expect(await drainShop(place.shop.id)).toMatchObject({ failed: 0 })
}

test('a member comes under a segment that a campaign asks for, and the card says so', async () => {
  const place = await openSpendingShop([], { campaigns: [CAMPAIGN] as never })
  const [ann, bob] = [await place.member(0), await place.member(0)]
  await buy(place, ann)
  await buy(place, bob)
  expect(await refreshSegments(place.shop)).toEqual({ looked: 2, changed: 0 })
  await buy(place, ann)
  expect(await refreshSegments(place.shop)).toEqual({ looked: 2, changed: 1 })
  expect(await refreshSegments(place.shop)).toEqual({ looked: 2, changed: 0 })
  await carryOutShop(place.shop.id, () => place.admin)
  const segmentsOf = (member: string) => parseMemberCard(place.store.metafield(member, 'member_card')?.value)?.segments
  expect(segmentsOf(ann)).toEqual(['repeat'])
  expect(segmentsOf(bob)).toEqual([])
})

test('a shop whose campaigns ask for no segment looks at nobody', async () => {
  const place = await openSpendingShop([])
  await place.member(5)
  expect(await refreshSegments(place.shop)).toEqual({ looked: 0, changed: 0 })
  expect((await pool.query('select 1 from members where shop_id = $1', [place.shop.id])).rowCount).toBe(1)
})

/** A campaign for a list of customers takes its discount off at checkout for those on it, by the real Function, and for nobody else. */
import { expect, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { keepAnswer } from '#app/db/feedback.server.ts'
import { rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { refreshSegments } from '#app/jobs/refresh-segments.ts'
import { syncFunctionDiscounts } from '#app/jobs/sync-function-discounts.ts'
import { totalsOf } from '../dev-store/order-totals.ts'
import { newShopper } from '../dev-store/shopper.ts'
import { createStorefront } from '../dev-store/storefront/storefront.ts'
import { openSpendingShop, type SpendingShop } from './spending-shop.ts'

const DAY_MS = 86_400_000

const campaignFor = (segment: string) => [
  {
    id: 'again',
    name: 'Come again',
    from: '2020-01-01T00:00',
    until: '2099-01-01T00:00',
    offer: { percentage: 10 },
    audience: { segments: [segment] },
  },
]

/** What a mug for 20.00 costs less for each of these customers, signed in at the checkout. */
async function discountsAt(place: SpendingShop, customers: readonly string[]): Promise<number[]> {
  await refreshSegments(place.shop)
  await carryOutShop(place.shop.id, () => place.admin)
  await syncFunctionDiscounts(place.shop, place.admin)
  const mug = place.store.addProduct(place.shop.domain, { title: 'Mug', priceMinor: 2_000 })
  const storefront = await createStorefront({ store: place.store })
  const discounts: number[] = []
  for (const customer of customers) {
    const shopper = newShopper(storefront)
    await shopper.post('/account/login', { customer: customer.split('/').at(-1)! })
    await shopper.post('/cart/add', { id: mug.variants[0]!.id.split('/').at(-1)!, quantity: '1' })
    await shopper.post('/checkout', { intent: 'pay', email: 'ann@example.com' })
    discounts.push(totalsOf(place.store.orders(place.shop.domain).at(-1)!).discountsMinor)
  }
  return discounts
}

test('who is slipping away gets the offer that is made to them', async () => {
  const place = await openSpendingShop([], { campaigns: campaignFor('slipping') as never })
  const [ann, bob] = [await place.member(0), await place.member(0)]
  const number = (gid: string) => gid.split('/').at(-1)
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, id, member_id, now() - make_interval(days => days), now(), now(), 1000, true, '{}'
       from (values (1, $2::bigint, 300), (2, $2::bigint, 220), (3, $3::bigint, 300), (4, $3::bigint, 2)) as o (id, member_id, days)`,
    [place.shop.id, number(ann), number(bob)],
  )
  await inTransaction((client) => rebuildMeasures(place.shop.id, now(), client))
  expect(await discountsAt(place, [ann, bob])).toEqual([200, 0])
})

test('who would recommend the shop gets what is for them', async () => {
  const place = await openSpendingShop([], { campaigns: campaignFor('nps-promoters') as never })
  const [ann, bob, cleo] = [await place.member(0), await place.member(0), await place.member(0)]
  for (const [customer, score] of [
    [ann, 9],
    [bob, 6],
  ] as const) {
    const at = now() - DAY_MS
    await keepAnswer(place.shop.id, customer, { round: 1, openedAt: at }, { score, comment: null }, at)
  }
  expect(await discountsAt(place, [ann, bob, cleo])).toEqual([200, 0, 0])
})

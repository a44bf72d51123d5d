import { expect, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { inTransaction, pool } from '#app/db/client.server.ts'
import {
  askForRemoval,
  askForTag,
  findCustomerList,
  forgetListed,
  moveListed,
  retryList,
} from '#app/db/customer-lists.server.ts'
import { rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { createTagSegment, segmentQuery } from '#app/shopify/segments.server.ts'
import { atInstant } from '#test/setup/factories.ts'
import { openSpendingShop, type SpendingShop } from '#test/jobs/spending-shop.ts'

const REPEAT = { tag: 'retention-repeat', group: { kind: 'repeat' } as const, by: 'user:1' }

/** So many customers at Shopify, each with two orders that count; returns their gids. */
async function sellTwiceTo(place: SpendingShop, customers: number): Promise<string[]> {
  const gids = Array.from(
    { length: customers },
    (_, place_) => place.store.createCustomer(place.shop.domain, { firstName: `Shopper ${place_}` }).id,
  )
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, member_id * 10 + n, member_id, now() - make_interval(days => n), now(), now(), 1000, true, '{}'
       from unnest($2::bigint[]) as member_id cross join generate_series(1, 2) as n`,
    [place.shop.id, gids.map((gid) => gid.split('/').at(-1))],
  )
  await inTransaction((client) => rebuildMeasures(place.shop.id, now(), client))
  return gids
}

const ask = (place: SpendingShop) => ({ shopId: place.shop.id, asOf: now() + 1_000, timeZone: 'UTC' })
const tagged = (place: SpendingShop, tag = REPEAT.tag) =>
  place.store
    .customers(place.shop.domain)
    .filter(({ tags }) => tags.includes(tag))
    .map(({ id }) => id)
/** Until nothing is left, as the worker would, without its pauses. */
async function carryOutAll(place: SpendingShop): Promise<void> {
  for (let count = 0; count < 10; count++) {
    const later = new Date(now() + count * 1_000).toISOString()
    await atInstant(later, () => carryOutShop(place.shop.id, () => place.admin))
  }
}

test('a list of more than one slice is tagged in the background, and says how far it is', async () => {
  const place = await openSpendingShop([], {}, { totalMs: 30_000, attemptMs: 5_000, attempts: 3 })
  const gids = await sellTwiceTo(place, 300)
  expect(await askForTag(ask(place), REPEAT, now())).toBe(300)
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({ waiting: 300, tagged: 0, finishedAt: null })
  await carryOutShop(place.shop.id, () => place.admin)
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({
    waiting: 50,
    tagged: 250,
    finishedAt: null,
  })
  await carryOutAll(place)
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({ waiting: 0, tagged: 300, wish: 'tag' })
  expect((await findCustomerList(place.shop.id, REPEAT.tag))!.finishedAt).not.toBeNull()
  expect(tagged(place).sort()).toEqual([...gids].sort())
})

test('undone, exactly those who got the tag lose it, and other tags stay', async () => {
  const place = await openSpendingShop([])
  const [ann, bob] = await sellTwiceTo(place, 2)
  const own = place.store.createCustomer(place.shop.domain, { firstName: 'Own' })
  place.store.updateCustomer(place.shop.domain, own.id, { tags: [REPEAT.tag] })
  place.store.updateCustomer(place.shop.domain, ann!, { tags: ['vip'] })
  await askForTag(ask(place), REPEAT, now())
  await carryOutAll(place)
  expect(tagged(place).sort()).toEqual([ann, bob, own.id].sort())
  expect(await askForRemoval(place.shop.id, REPEAT.tag, null, now())).toBe(true)
  await carryOutAll(place)
  expect(tagged(place)).toEqual([own.id])
  expect(place.store.customer(place.shop.domain, ann!)?.tags).toEqual(['vip'])
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({ wish: 'untag', waiting: 0, tagged: 0 })
  expect(await askForRemoval(place.shop.id, 'retention-nobody', null, now())).toBe(false)
})

test('asked for again, who came is tagged and who left is untagged', async () => {
  const place = await openSpendingShop([])
  const [ann, bob] = await sellTwiceTo(place, 2)
  await askForTag(ask(place), REPEAT, now())
  await carryOutAll(place)
  const [cleo] = await sellTwiceTo(place, 1)
  await pool.query('delete from orders where shop_id = $1 and member_id = $2', [place.shop.id, ann!.split('/').at(-1)])
  await inTransaction((client) => rebuildMeasures(place.shop.id, now(), client))
  expect(await askForTag(ask(place), REPEAT, now())).toBe(2)
  await carryOutAll(place)
  expect(tagged(place).sort()).toEqual([bob, cleo].sort())
})

test('while Shopify is away the list says so and waits; then it goes on where it was', async () => {
  const place = await openSpendingShop([])
  await sellTwiceTo(place, 30)
  place.trouble('TagCustomers', '500', 50)
  await askForTag(ask(place), REPEAT, now())
  await carryOutShop(place.shop.id, () => place.admin)
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({ waiting: 30, error: 'unavailable' })
  place.heal()
  expect(await retryList(place.shop.id, REPEAT.tag, now())).toBe(true)
  await carryOutAll(place)
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({ tagged: 30, error: null })
  expect(await retryList(place.shop.id, REPEAT.tag, now())).toBe(false)
})

test('a customer whom Shopify no longer has is counted as that, and holds nobody up', async () => {
  const place = await openSpendingShop([])
  const [ann] = await sellTwiceTo(place, 1)
  await pool.query(
    `insert into customer_standings (shop_id, member_id, orders, revenue_minor, first_at, last_at)
     values ($1, 999999999, 2, 1, now(), now())`,
    [place.shop.id],
  )
  expect(await askForTag(ask(place), REPEAT, now())).toBe(2)
  await carryOutAll(place)
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({ tagged: 1, unknown: 1, waiting: 0 })
  expect(tagged(place)).toEqual([ann])
})

test('another shop’s customers of the same numbers are not touched', async () => {
  const [place, other] = [await openSpendingShop([]), await openSpendingShop([])]
  await sellTwiceTo(place, 2)
  await sellTwiceTo(other, 2)
  await askForTag(ask(place), REPEAT, now())
  await carryOutAll(other)
  expect(await findCustomerList(other.shop.id, REPEAT.tag)).toBeNull()
  expect([tagged(other), tagged(place)]).toEqual([[], []])
})

test('who asked to be forgotten is on no list, and who turned out to be another is there as that one', async () => {
  const place = await openSpendingShop([])
  const [ann, bob] = (await sellTwiceTo(place, 2)).map((gid) => gid.split('/').at(-1)!)
  await askForTag(ask(place), REPEAT, now())
  await inTransaction((client) => moveListed(place.shop.id, ann!, bob!, client))
  await inTransaction((client) => moveListed(place.shop.id, bob!, '77', client))
  const { rows } = await pool.query('select member_id from customer_list_members where shop_id = $1', [place.shop.id])
  expect(rows).toEqual([{ member_id: '77' }])
  await inTransaction((client) => forgetListed(place.shop.id, ['77'], client))
  expect(await findCustomerList(place.shop.id, REPEAT.tag)).toMatchObject({ waiting: 0 })
})

test('a segment goes by the tag, is made once, and a name that is taken is said in Shopify’s words', async () => {
  const place = await openSpendingShop([])
  const [ann] = await sellTwiceTo(place, 1)
  await askForTag(ask(place), REPEAT, now())
  await carryOutAll(place)
  const made = await createTagSegment(place.admin, 'Repeat customers (Perennial)', REPEAT.tag)
  expect(made).toEqual({ ok: true, segment: expect.stringMatching(/^gid:\/\/shopify\/Segment\/\d+$/) })
  expect(await createTagSegment(place.admin, 'Repeat customers (Perennial)', REPEAT.tag)).toEqual(made)
  expect(await createTagSegment(place.admin, 'Repeat customers (Perennial)', 'retention-lost')).toEqual({
    ok: false,
    detail: 'Name has already been taken',
  })
  const [segment] = place.store.tables.list('segments', place.shop.domain)
  expect(segment).toMatchObject({ query: "customer_tags CONTAINS 'retention-repeat'" })
  expect(place.store.customer(place.shop.domain, ann!)?.tags).toEqual([REPEAT.tag])
  expect(() => segmentQuery("x' OR 1")).toThrow('no tag of ours')
})

import { expect, it } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import {
  claimMessages,
  clearOldMessages,
  countWaiting,
  finishMessages,
  ignoreMessages,
  listShopsWithMessages,
  RULELESS_TOPICS,
  storeMessages,
  type NewMessage,
} from '#app/db/inbox.server.ts'
import { listMessages, listSetAside } from '#app/db/messages.server.ts'
import { makeShop } from '#test/setup/factories.ts'

const DAY_MS = 86_400_000
const AT = Date.parse('2026-08-01T12:00:00Z')

const message = (shopId: number, eventId: string): NewMessage => ({
  shopId,
  topic: 'orders/paid',
  eventId,
  webhookId: `delivery of ${eventId}`,
  triggeredAt: AT,
  payload: `{"id":"${eventId}"}`,
})

/** The ids of the shop's messages, the oldest first. */
const idsOf = async (shopId: number) => (await listMessages(shopId, { size: 100 })).map(({ id }) => id).toReversed()
const statesOf = async (shopId: number) =>
  (await listMessages(shopId, { size: 100 })).map(({ state }) => state).toReversed()

it('keeps of each event one message, within a batch as between batches, and knows it when it is long done', async () => {
  const shop = await makeShop()
  const batch = ['a', 'b', 'a', 'c', 'b'].map((eventId) => message(shop.id, eventId))
  expect(await storeMessages(batch, AT)).toBe(3)
  expect(await countWaiting(shop.id, 10)).toBe(3)
  await finishMessages(shop.id, await idsOf(shop.id), pool)
  expect(await storeMessages([...batch, message(shop.id, 'd')], AT)).toBe(1)
  expect(await statesOf(shop.id)).toEqual(['done', 'done', 'done', 'waiting'])
})

it('keeps the same messages once where two batches bring them at the same time in opposite order', async () => {
  const shop = await makeShop()
  for (let round = 0; round < 20; round += 1) {
    const batch = Array.from({ length: 200 }, (_, index) => message(shop.id, `${round}-${index}`))
    const [one, other] = await Promise.all([storeMessages(batch, AT), storeMessages(batch.toReversed(), AT)])
    expect(one + other).toBe(200)
  }
})

it('keeps what is in a message with the message that it belongs to, in batches of hundreds with duplicates among them', async () => {
  const shop = await makeShop()
  await storeMessages(
    Array.from({ length: 100 }, (_, at) => message(shop.id, `e${at * 5}`)),
    AT,
  )
  await storeMessages(
    Array.from({ length: 500 }, (_, at) => message(shop.id, `e${at}`)),
    AT,
  )
  const { rows } = await pool.query<{ event_id: string; payload: string }>(
    'select m.event_id, i.payload from inbox i join messages m using (shop_id, id) where shop_id = $1',
    [shop.id],
  )
  expect(rows).toHaveLength(500)
  expect(rows.filter(({ event_id: eventId, payload }) => payload !== `{"id":"${eventId}"}`)).toEqual([])
})

it('says of each message what became of it', async () => {
  const shop = await makeShop()
  await storeMessages(
    ['done', 'nothing', 'aside', 'waits'].map((eventId) => message(shop.id, eventId)),
    AT,
  )
  const [done, nothing, aside] = (await idsOf(shop.id)) as [string, string, string]
  await pool.query(`update inbox set state = 'set-aside', error = 'no' where shop_id = $1 and id = $2`, [
    shop.id,
    aside,
  ])
  await finishMessages(shop.id, [done, aside], pool)
  await ignoreMessages(shop.id, [nothing], pool)
  expect(await statesOf(shop.id)).toEqual(['done', 'ignored', 'set-aside', 'waiting'])
  expect(await listSetAside(shop.id, 5)).toMatchObject([{ id: aside, error: 'no', receivedAt: AT }])
})

it('lists the shops in which something is due, and none where all that waits is for later or for a person', async () => {
  const shops = await Promise.all(Array.from({ length: 5 }, () => makeShop()))
  const [due, later, aside, done, mixed] = shops.map(({ id }) => id).sort((one, other) => one - other) as [
    number,
    number,
    number,
    number,
    number,
  ]
  for (const shopId of [later, aside, done, mixed]) await storeMessages([message(shopId, 'first')], AT)
  await storeMessages([message(due, 'first'), message(mixed, 'second')], AT)
  await pool.query('update inbox set due_at = $2 where shop_id = $1', [later, new Date(AT + 1)])
  await pool.query(`update inbox set state = 'set-aside' where shop_id = $1`, [aside])
  await finishMessages(done, await idsOf(done), pool)
  await pool.query('update inbox set due_at = $2 where shop_id = $1 and id = $3', [
    mixed,
    new Date(AT + 1),
    (await idsOf(mixed))[0],
  ])
  await storeMessages([message(due, 'second'), message(due, 'third')], AT)
  const listed = await listShopsWithMessages(AT, 2)
  expect(listed.filter(({ shopId }) => shops.some(({ id }) => id === shopId))).toEqual([
    { shopId: due, waiting: 2 },
    { shopId: mixed, waiting: 1 },
  ])
  const without = await listShopsWithMessages(AT, 2, [due])
  expect(without.map(({ shopId }) => shopId)).toContain(mixed)
  expect(without.map(({ shopId }) => shopId)).not.toContain(due)
})

it('finds what needs no rules among thousands of orders by an index of its own, which names the same topics', async () => {
  const shop = await makeShop()
  const orders = Array.from({ length: 2_000 }, (_, at) => message(shop.id, `order ${at}`))
  const others = RULELESS_TOPICS.map((topic) => ({ ...message(shop.id, topic), topic }))
  for (const from of [0, 500, 1_000, 1_500]) await storeMessages(orders.slice(from, from + 500), AT)
  await storeMessages(others, AT)
  await pool.query('analyze inbox')
  await inTransaction(async (client) => {
    const claimed = await claimMessages(shop.id, AT, { limit: 500, topics: RULELESS_TOPICS }, client)
    expect(claimed.map(({ topic }) => topic).sort()).toEqual([...RULELESS_TOPICS])
    const some = await claimMessages(shop.id, AT, { limit: 500, topics: ['shop/redact'] }, client)
    expect(some.map(({ topic }) => topic)).toEqual(['shop/redact'])
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `explain execute "claim-ruleless-messages" (${shop.id}, '2026-08-01T12:00:00Z', 500, null, '{shop/redact}')`,
    )
    expect(rows.map((row) => row['QUERY PLAN']).join()).toContain('inbox_ruleless')
  })
})

it('forgets old messages in slices, but none that still waits for work or for a person', async () => {
  const shop = await makeShop()
  const names = Array.from({ length: 7 }, (_, at) => `old ${at}`)
  await storeMessages(
    names.map((name) => message(shop.id, name)),
    AT,
  )
  await storeMessages([message(shop.id, 'new')], AT + DAY_MS)
  const ids = await idsOf(shop.id)
  await pool.query(`update inbox set state = 'set-aside' where shop_id = $1 and id = $2`, [shop.id, ids[0]])
  await finishMessages(shop.id, [...ids.slice(2, 7), ids[7]!], pool)
  expect(await clearOldMessages(AT + 1, 2)).toBe(2)
  while ((await clearOldMessages(AT + 1, 100)) > 0);
  expect(await idsOf(shop.id)).toEqual([ids[0], ids[1], ids[7]])
  expect(await statesOf(shop.id)).toEqual(['set-aside', 'waiting', 'done'])
})

import { expect, it } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { openAccounts, postToLedger } from '#app/db/ledger.server.ts'
import { findHappeningsToday } from '#app/db/overview.server.ts'
import { foldPointsFlows } from '#app/db/points-flows.server.ts'
import type { Account } from '#app/loyalty/ledger.ts'
import { makeShop } from '#test/setup/factories.ts'

const ANN = 'gid://shopify/Customer/1'
/** Half past eight in the evening of 10 August in New York; elsewhere the day is another. */
const AS_OF = Date.parse('2026-08-11T00:30:00Z')
const NEW_YORK = 'America/New_York'

it('says what has happened since the shop’s midnight, whether or not it was summed up meanwhile', async () => {
  const shop = await makeShop({ timezone: NEW_YORK })
  await openAccounts(shop.id, [ANN])
  const move = (key: string, from: string, to: string, amount: number, at: string) =>
    inTransaction((client) => {
      const [one, other] = [from, to].map(
        (name) => (name.startsWith('shop.') ? name : `member:${ANN}.${name}`) as Account,
      )
      const transfer = {
        ...{ key, from: one!, to: other!, amount, eventAt: Date.parse(at) },
        reason: 'adjust' as const,
      }
      return postToLedger(shop.id, { transfers: [{ ...transfer, source: null, reverses: null }] }, AS_OF, client)
    })
  await move('last night', 'shop.issued', 'available', 1_000, '2026-08-10T03:59:59Z')
  await move('at midnight', 'shop.issued', 'available', 70, '2026-08-10T04:00:00Z')
  await move('by day', 'shop.issued', 'pending', 5, '2026-08-10T16:00:00Z')
  const asked = { shopId: shop.id, asOf: AS_OF, timeZone: NEW_YORK }
  const quiet = { membersJoined: 0, orders: 0 }
  const byNoon = { ...quiet, pointsEarned: 75, pointsSpent: 0, pointsTakenBack: 0 }
  expect(await findHappeningsToday(asked)).toEqual(byNoon)
  await foldPointsFlows(shop.id, NEW_YORK)
  expect(await findHappeningsToday(asked)).toEqual(byNoon)
  await move('spent', 'available', 'reserved', 100, '2026-08-11T00:10:00Z')
  await move('used', 'reserved', 'shop.redeemed', 100, '2026-08-11T00:20:00Z')
  await move('back', 'available', 'shop.taken_back', 30, '2026-08-11T00:29:00Z')
  const byEvening = { ...quiet, pointsEarned: 75, pointsSpent: 100, pointsTakenBack: 30 }
  expect(await findHappeningsToday(asked)).toEqual(byEvening)
  // The shop has moved, and its days have not been counted anew.
  await foldPointsFlows(shop.id, 'Asia/Tokyo')
  expect(await findHappeningsToday(asked)).toEqual(byEvening)
})

it('counts nothing of another shop', async () => {
  const [shop, other] = [await makeShop(), await makeShop()]
  await pool.query(
    `insert into points_flow_deltas (shop_id, quarter, from_account, to_account, points) values ($1, $2, 'shop.issued', 'available', 9)`,
    [other.id, Math.floor(AS_OF / 900_000)],
  )
  const asked = (shopId: number) => ({ shopId, asOf: AS_OF, timeZone: 'UTC' })
  expect((await findHappeningsToday(asked(shop.id))).pointsEarned).toBe(0)
  expect((await findHappeningsToday(asked(other.id))).pointsEarned).toBe(9)
})

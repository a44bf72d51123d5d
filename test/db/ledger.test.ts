import { expect, it } from 'vitest'
import { inTransaction } from '#app/db/client.server.ts'
import { isCollision } from '#app/db/errors.server.ts'
import { findBalancesAt, listTransfers, openAccounts, postToLedger, type Posting } from '#app/db/ledger.server.ts'
import { loadLots } from '#app/db/members.server.ts'
import type { Transfer } from '#app/loyalty/ledger.ts'
import { makeShop } from '#test/setup/factories.ts'

const ANN = 'gid://shopify/Customer/8123456789012'
const BEN = 'gid://shopify/Customer/8123456789013'
const NOON = Date.parse('2026-08-01T12:00:00Z')
const HOUR = 3_600_000

const earn = (member: string, amount: number, key: string, eventAt = NOON): Transfer => ({
  key,
  from: 'shop.issued',
  to: `member:${member}.pending`,
  amount,
  eventAt,
  reason: 'order',
  source: 'gid://shopify/Order/1',
  reverses: null,
})
const post = (shopId: number, posting: Posting) =>
  inTransaction((client) => postToLedger(shopId, posting, NOON, client))

async function shopWithAccounts() {
  const shop = await makeShop()
  await openAccounts(shop.id, [ANN, BEN])
  return shop
}

it('posts a batch for several members at once and answers with what they hold then', async () => {
  const shop = await shopWithAccounts()
  const balances = await post(shop.id, { transfers: [earn(ANN, 50, 'a'), earn(BEN, 7, 'b'), earn(ANN, 5, 'c')] })
  expect(balances.get(ANN)).toEqual({ available: 0, pending: 55, reserved: 0 })
  expect(balances.get(BEN)).toEqual({ available: 0, pending: 7, reserved: 0 })
})

it('takes the same transfer again as the same result', async () => {
  const shop = await shopWithAccounts()
  await post(shop.id, { transfers: [earn(ANN, 50, 'a')] })
  await post(shop.id, { transfers: [earn(ANN, 50, 'a')] })
  expect(await findBalancesAt(shop.id, ANN, NOON)).toEqual({ available: 0, pending: 50, reserved: 0 })
})

it('takes a transfer that a posting has twice as one, and refuses the posting where they differ', async () => {
  const shop = await shopWithAccounts()
  await post(shop.id, { transfers: [earn(ANN, 50, 'a'), earn(BEN, 7, 'b'), earn(ANN, 50, 'a')] })
  const contradiction = post(shop.id, { transfers: [earn(ANN, 1, 'c'), earn(ANN, 2, 'c')] })
  await expect(contradiction).rejects.toThrow('Key c was used before with other data: amount was 1, now 2.')
  expect(await listTransfers(shop.id, ANN, { limit: 10 })).toMatchObject([{ key: 'a' }])
  expect(await findBalancesAt(shop.id, ANN, NOON)).toEqual({ available: 0, pending: 50, reserved: 0 })
})

it('refuses a key that was used with other data, and then writes nothing of the batch', async () => {
  const shop = await shopWithAccounts()
  await post(shop.id, { transfers: [earn(ANN, 50, 'a')] })
  const contradiction = post(shop.id, { transfers: [earn(BEN, 9, 'b'), earn(ANN, 51, 'a')] })
  await expect(contradiction).rejects.toThrow('Key a was used before with other data: amount was 50, now 51.')
  expect(await listTransfers(shop.id, BEN, { limit: 10 })).toEqual([])
  expect(await findBalancesAt(shop.id, ANN, NOON)).toEqual({ available: 0, pending: 50, reserved: 0 })
})

it('keeps a lot while something is in it, and refuses one that is said to be new and is there already', async () => {
  const shop = await shopWithAccounts()
  const lot = { member: ANN, key: 'a', earnedAt: NOON, releaseAt: NOON + HOUR, expiresAt: null, available: 0 }
  const lots = async () => [...(await loadLots(shop.id, [ANN])).values()].flat()

  await post(shop.id, { transfers: [earn(ANN, 50, 'a')], lots: [{ ...lot, pending: 50, isNew: true }] })
  expect(await lots()).toMatchObject([{ key: 'a', pending: 50, releaseAt: NOON + HOUR }])

  const again = post(shop.id, { transfers: [earn(ANN, 9, 'b')], lots: [{ ...lot, pending: 59, isNew: true }] })
  await expect(again).rejects.toSatisfy(isCollision)
  expect(await findBalancesAt(shop.id, ANN, NOON)).toEqual({ available: 0, pending: 50, reserved: 0 })

  await post(shop.id, { transfers: [], lots: [{ ...lot, pending: 20, releaseAt: NOON, isNew: false }] })
  expect(await lots()).toMatchObject([{ key: 'a', pending: 20, releaseAt: NOON }])
  await post(shop.id, { transfers: [], lots: [{ ...lot, pending: 0, isNew: false }] })
  expect(await lots()).toEqual([])
})

it('refuses to let pending points go below zero', async () => {
  const shop = await shopWithAccounts()
  const back: Transfer = {
    ...earn(ANN, 1, 'x'),
    from: `member:${ANN}.pending`,
    to: 'shop.taken_back',
    reason: 'take_back',
  }
  await expect(post(shop.id, { transfers: [back] })).rejects.toThrow('balances_not_negative')
})

it('lets available points go below zero, since points can be taken back after they were spent', async () => {
  const shop = await shopWithAccounts()
  const back: Transfer = {
    ...earn(ANN, 30, 'x'),
    from: `member:${ANN}.available`,
    to: 'shop.taken_back',
    reason: 'take_back',
  }
  const balances = await post(shop.id, {
    transfers: [back],
    totals: [{ member: ANN, deficit: 30, lifetimeEarned: -30 }],
  })
  expect(balances.get(ANN)).toEqual({ available: -30, pending: 0, reserved: 0 })
})

it('tells the balance of any past instant', async () => {
  const shop = await shopWithAccounts()
  await post(shop.id, { transfers: [earn(ANN, 10, 'one', NOON), earn(ANN, 5, 'two', NOON + HOUR)] })
  const pendingAt = async (at: number) => (await findBalancesAt(shop.id, ANN, at)).pending
  expect(await pendingAt(NOON - 1)).toBe(0)
  expect(await pendingAt(NOON)).toBe(10)
  expect(await pendingAt(NOON + HOUR)).toBe(15)
})

it('moves points between two members in one transfer when customers are merged', async () => {
  const shop = await shopWithAccounts()
  await post(shop.id, { transfers: [earn(ANN, 10, 'one')] })
  const merge: Transfer = {
    ...earn(ANN, 10, 'm'),
    from: `member:${ANN}.pending`,
    to: `member:${BEN}.pending`,
    reason: 'merge',
  }
  const balances = await post(shop.id, { transfers: [merge] })
  expect([balances.get(ANN)?.pending, balances.get(BEN)?.pending]).toEqual([0, 10])
  expect((await findBalancesAt(shop.id, BEN, NOON)).pending).toBe(10)
  expect((await listTransfers(shop.id, BEN, { limit: 5 })).map(({ from, to }) => [from, to])).toEqual([
    [merge.from, merge.to],
  ])
})

it('keeps the points of two shops apart, even where customers and keys are the same', async () => {
  const [one, other] = [await shopWithAccounts(), await shopWithAccounts()]
  await post(one.id, { transfers: [earn(ANN, 10, 'same')] })
  await post(other.id, { transfers: [earn(ANN, 99, 'same')] })
  expect((await findBalancesAt(one.id, ANN, NOON)).pending).toBe(10)
  expect((await findBalancesAt(other.id, ANN, NOON)).pending).toBe(99)
})

it('survives two postings that touch the same members in opposite order at the same time', async () => {
  const shop = await shopWithAccounts()
  const rounds = Array.from({ length: 40 }, (_, at) => {
    const pair = [earn(ANN, 1, `a${at}`), earn(BEN, 1, `b${at}`)]
    return post(shop.id, { transfers: at % 2 ? pair : pair.reverse() })
  })
  await Promise.all(rounds)
  expect((await findBalancesAt(shop.id, ANN, NOON)).pending).toBe(40)
  expect((await findBalancesAt(shop.id, BEN, NOON)).pending).toBe(40)
})

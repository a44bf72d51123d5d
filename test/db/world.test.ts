import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { lockMembers } from '#app/db/members.server.ts'
import { applyEvents, loadWorld } from '#app/db/world.server.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { makeShopWithProgram } from '#test/setup/factories.ts'

const [ann, ben, cleo] = [1, 2, 3].map((number) => `gid://shopify/Customer/${number}`) as [string, string, string]
const AT = Date.parse('2026-02-01T12:00:00Z')
const podcast = (customer: string, key = 'k1'): Event => ({
  ...{ type: 'event', at: AT, customer, name: 'podcast', key, order: null },
})
const merge = (from: string, into: string): Event => ({ type: 'merge', at: AT, from, into })

/** A shop that pays 100 points for a podcast, in which these batches happen, each in a transaction of its own. */
async function afterBatches(...batches: Event[][]) {
  const shop = await makeShopWithProgram({ earning: [{ id: 'podcast', on: 'custom:podcast', points: 100 }] })
  for (const events of batches) {
    const applied = await applyEvents(shop.id, events, AT)
    expect(applied.ok && applied.changes.map(({ refused }) => refused)).toEqual(events.map(() => null))
  }
  const { rows } = await pool.query<{ member: string; available: string }>(
    'select member_id as member, available from balances where shop_id = $1 and available <> 0',
    [shop.id],
  )
  return rows
}

test.each([
  ['under the id that goes, then heard of the one that stays', [[podcast(ann)], [merge(ann, ben)], [podcast(ben)]]],
  ['under the id that goes, then heard of it again', [[podcast(ann)], [merge(ann, ben)], [podcast(ann)]]],
  ['under the id that stays, then heard of the other', [[podcast(ben)], [merge(ann, ben)], [podcast(ann)]]],
  ['under the id that goes, while the merge comes in one batch', [[podcast(ann)], [merge(ann, ben), podcast(ben)]]],
  ['under the id that stays, while the merge comes in one batch', [[podcast(ben)], [merge(ann, ben), podcast(ann)]]],
  [
    'under the first of a chain of ids',
    [[podcast(ann)], [merge(ann, cleo)], [merge(cleo, ben), podcast(cleo)], [podcast(ben)]],
  ],
])('a key pays once, also where its member was merged: used %s', async (_, batches) => {
  expect(await afterBatches(...batches)).toEqual([{ member: '2', available: '100' }])
})

test('another key of a merged member pays', async () => {
  const balances = await afterBatches([podcast(ann)], [merge(ann, ben)], [podcast(ben, 'k2')])
  expect(balances).toEqual([{ member: '2', available: '200' }])
})

test('who asks while a merge is under way waits for it, and what they do is the survivor’s', async () => {
  const shop = await makeShopWithProgram({ earning: [{ id: 'podcast', on: 'custom:podcast', points: 100 }] })
  for (const customer of [ann, ben]) await applyEvents(shop.id, [podcast(customer, customer)], AT)
  const [held, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const merging = applyEvents(shop.id, [merge(ann, ben)], AT, () => {
    held.resolve()
    return letGo.promise
  })
  await held.promise
  const asking = applyEvents(shop.id, [podcast(ann, 'meanwhile')], AT)
  await untilSomebodyWaits()
  letGo.resolve()
  await merging
  expect(await asking).toMatchObject({ ok: true, changes: [{ refused: null }] })
  const { rows } = await pool.query('select member_id, available from balances where shop_id = $1 order by 1', [
    shop.id,
  ])
  expect(rows).toEqual([
    { member_id: '1', available: '0' },
    { member_id: '2', available: '300' },
  ])
  expect((await checkLedger(shop.id)).differences).toEqual([])
})

test('who was merged away since their aliases were looked up is not made a member anew', async () => {
  const shop = await makeShopWithProgram({ earning: [{ id: 'podcast', on: 'custom:podcast', points: 100 }] })
  await applyEvents(shop.id, [podcast(ann), merge(ann, ben)], AT)
  const locked = await inTransaction((client) => lockMembers(shop.id, [ann], { joinedAt: AT, skipBusy: true }, client))
  expect(locked).toEqual([])
  const { rows } = await pool.query('select id from members where shop_id = $1', [shop.id])
  expect(rows).toEqual([{ id: '2' }])
})

test('who becomes a member while a batch is being read is left for the next one: what they did was read before', async () => {
  const shop = await makeShopWithProgram({ earning: [{ id: 'podcast', on: 'custom:podcast', points: 100 }] })
  const [held, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const joining = applyEvents(shop.id, [podcast(ann)], AT, () => {
    held.resolve()
    return letGo.promise
  })
  await held.promise
  const read = () =>
    inTransaction(async (client) => {
      const world = await loadWorld(shop.id, [podcast(ann), podcast(ben)], { at: AT, skipBusy: true }, client)
      return { locked: [...world.locked], busy: [...world.busy] }
    })
  const reading = read()
  await untilSomebodyWaits()
  letGo.resolve()
  await joining
  expect(await reading).toEqual({ locked: [ben], busy: [ann] })
  expect(await read()).toEqual({ locked: [ann, ben], busy: [] })
})

/** Resolves when a statement in this database waits for what another transaction holds. */
async function untilSomebodyWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (rowCount) return
    await wait(10)
  }
}

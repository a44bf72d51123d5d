import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { whileAlone } from '#app/db/alone.server.ts'
import { closeDatabase, locks, pool, tokenLocks } from '#app/db/client.server.ts'
import { isOutOfReach } from '#app/db/errors.server.ts'
import { hurry, takeAllConnections } from '#test/setup/connections.ts'

/** What gets stuck for ever fails here long before the test's own time is up. */
const SOON = { timeout: 20_000 }

test('one at a time, and the other one is told when waiting is not worth it', async () => {
  let inside = 0
  const work = async () => {
    inside += 1
    expect(inside).toBe(1)
    await wait(60)
    inside -= 1
    return 'done'
  }
  const all = await Promise.all(Array.from({ length: 3 }, () => whileAlone('one', 5_000, work)))
  expect(all).toEqual(['done', 'done', 'done'])
  const [first, second] = await Promise.all([
    whileAlone('one', 0, work),
    wait(20).then(() => whileAlone('one', 0, work)),
  ])
  expect([first, second]).toEqual(['done', null])
})

test('work that fails gives the lock back', async () => {
  await expect(whileAlone('fails', 0, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  expect(await whileAlone('fails', 0, () => Promise.resolve('next'))).toBe('next')
})

test('more than there are connections, each alone with something else, all get to ask the database', SOON, async () => {
  const many = pool.options.max! + 5
  const work = async () => {
    await wait(100)
    return (await pool.query<{ one: number }>('select 1 as one')).rows[0]!.one
  }
  const all = Array.from({ length: many }, (_, at) => whileAlone(`crowd-${at}`, 10_000, work))
  expect(await Promise.all(all)).toEqual(Array.from({ length: many }, () => 1))
})

test('as many as can hold a lock renew a token inside it, and none waits for another for ever', SOON, async () => {
  const renew = () => whileAlone('token', 10_000, () => pool.query('select 1').then(() => 'renewed'), tokenLocks)
  const all = Array.from({ length: locks.options.max! }, (_, at) => whileAlone(`outer-${at}`, 0, renew))
  expect(await Promise.all(all)).toEqual(all.map(() => 'renewed'))
})

test('whoever only waits for a lock keeps no connection from those who want another', SOON, async () => {
  let finish = () => {}
  const held = whileAlone('busy', 0, () => new Promise<void>((resolve) => (finish = resolve)))
  const waiting = Array.from({ length: 2 * locks.options.max! }, () =>
    whileAlone('busy', 1_000, () => Promise.resolve()),
  )
  await wait(100)
  expect(await whileAlone('other', 0, () => Promise.resolve('at once'))).toBe('at once')
  finish()
  await Promise.all([held, ...waiting])
})

test('whoever finds no connection left to hold a lock with is told so, and runs nothing', SOON, async () => {
  let finish = () => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const all = Array.from({ length: locks.options.max! }, (_, at) => whileAlone(`full-${at}`, 0, () => finished))
  hurry(locks)
  expect(await whileAlone('one-more', 0, () => Promise.reject(new Error('was run')))).toBe(null)
  finish()
  await Promise.all(all)
})

test('a query that gets no connection in time fails, in words that the worker takes for a database out of reach', async () => {
  const { giveBack } = await takeAllConnections()
  const reason: unknown = await pool.query('select 1').catch((error: unknown) => error)
  giveBack()
  expect(isOutOfReach(reason)).toBe(true)
})

test('closing the database closes the connections of the locks too', async () => {
  await whileAlone('to-be-closed', 0, () => whileAlone('token', 0, () => Promise.resolve(), tokenLocks))
  expect([locks.totalCount, tokenLocks.totalCount].every((count) => count > 0)).toBe(true)
  await closeDatabase()
  expect([locks.totalCount, tokenLocks.totalCount]).toEqual([0, 0])
})

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { askWithin, pool } from '#app/db/client.server.ts'
import { flagsOf } from '#test/setup/flags.ts'

/** Sends 3,000 statements of 3 kB each and prints how many bytes of old space were filled for each. */
const FILLS = `
import v8 from 'node:v8'
import { askWithin, closeDatabase, inTransaction, pool } from '#app/db/client.server.ts'
const old = () => v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space').space_used_size
const statement = (n) => ({ name: 'any', text: 'select $1::text is null', values: ['x'.repeat(3_000) + n] })
const send = async (ask, times) => { for (let n = 0; n < times; n += 1) await ask(statement(n)) }
const measure = async (ask) => {
  await send(ask, 1_000)
  const before = old()
  await send(ask, 3_000)
  return Math.round((old() - before) / 3_000)
}
const filled = {
  pool: await measure((statement) => pool.query(statement)),
  transaction: await inTransaction((client) => measure((statement) => client.query(statement))),
  within: await measure((statement) => askWithin(5_000, statement)),
}
console.log(JSON.stringify(filled))
await closeDatabase()`

test('what a statement was sent with is garbage of the young once it is answered', () => {
  // GIVEN a young heap that is full after some hundred statements, and an old one that is never swept meanwhile
  const flags = [
    ...flagsOf('worker'),
    '--min-semi-space-size=1',
    '--max-semi-space-size=1',
    '--initial-old-space-size=500',
  ]
  const { stdout } = spawnSync(process.execPath, [...flags, '--input-type=module-typescript', '-e', FILLS], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for (const bytes of Object.values(JSON.parse(stdout) as Record<string, number>)) expect(bytes).toBeLessThan(500)
})

test('whoever asks is told what was wrong with the statement, and from where it was sent', async () => {
  const sendNonsense = async () => await pool.query('select nonsense')
  const error = (await sendNonsense().catch((reason: unknown) => reason)) as Error
  expect(error.message).toBe('column "nonsense" does not exist')
  expect(error.stack).toContain('sendNonsense')
})

test('a statement that takes too long is given up with its connection, and the next finds one', async () => {
  await expect(askWithin(50, { text: 'select pg_sleep(1)' })).rejects.toThrow('not answered within 50 ms')
  const { rows } = await askWithin<{ one: number }>(5_000, { text: 'select 1 as one' })
  expect(rows).toEqual([{ one: 1 }])
})

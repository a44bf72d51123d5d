import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { Logger } from 'graphile-worker'
import { closeDatabase, pool } from '#app/db/client.server.ts'
import { LIFE_LOCK, startTaskRunner } from '#app/jobs/task-runner.server.ts'
import { startOwnServer } from '#test/faults/own-server.ts'

const QUIET = new Logger(() => () => {})

it('takes up what a dead runner had under way, and leaves alone what a living one has', async () => {
  const done: string[] = []
  const taskList = { note: (name: unknown) => void done.push(name as string) }
  const options = { taskList, logger: QUIET, pollInterval: 50 }
  const runner = await startTaskRunner(options, { lookEveryMs: 100 })

  // GIVEN tasks of two shops, each locked together with its queue by a runner that is not this one, of which one lives
  const living = await pool.connect()
  onTestFinished(() => living.release(true))
  await living.query(`select pg_advisory_lock($1, hashtext('pool-living'))`, [LIFE_LOCK])
  for (const name of ['dead', 'living']) {
    await runner.utils.withPgClient(async (client) => {
      await client.query('begin')
      await client.query(`select graphile_worker.add_job('note', $1::json, queue_name := $2)`, [`"${name} 1"`, name])
      for (const table of ['_private_jobs', '_private_job_queues']) {
        const where = table === '_private_jobs' ? 'payload #>> $2 = $1' : 'queue_name = $1'
        await client.query(
          `update graphile_worker.${table} set locked_at = now(), locked_by = 'pool-' || split_part($1, ' ', 1) where ${where}`,
          table === '_private_jobs' ? [`${name} 1`, []] : [name],
        )
      }
      await client.query('commit')
    })
  }

  // WHEN more comes for both
  for (const name of ['dead', 'living']) await runner.utils.addJob('note', `${name} 2`, { queueName: name })

  // THEN one shop goes on, also with the task that was under way, and the other one waits
  for (let tries = 0; tries < 100 && done.length < 2; tries += 1) await wait(50)
  await wait(500)
  expect(done.toSorted()).toEqual(['dead 1', 'dead 2'])

  // AND goes on too as soon as its runner is gone
  await living.query('select pg_advisory_unlock_all()')
  for (let tries = 0; tries < 100 && done.length < 4; tries += 1) await wait(50)
  expect(done.toSorted()).toEqual(['dead 1', 'dead 2', 'living 1', 'living 2'])
  await runner.stop()
})

it('holds a lock on its id while it lives, on another connection where the first one is lost', async () => {
  const held = async () =>
    (
      await pool.query<{ pid: number }>(
        `select pid from pg_locks where locktype = 'advisory' and granted and classid::bigint = $1`,
        [LIFE_LOCK],
      )
    ).rows
  const until = async (isSo: () => Promise<boolean>) => {
    for (let tries = 0; tries < 100 && !(await isSo()); tries += 1) await wait(50)
  }
  const runner = await startTaskRunner({ taskList: { nothing: () => {} }, logger: QUIET })
  await until(async () => (await held()).length === 1)
  const [first] = await held()
  await pool.query('select pg_terminate_backend($1::int)', [first!.pid])
  await until(async () => (await held()).some(({ pid }) => pid !== first!.pid))
  expect(await held()).toEqual([{ pid: expect.not.toSatisfy((pid) => pid === first!.pid) as number }])
  await runner.stop()
  await until(async () => (await held()).length === 0)
  expect(await held()).toEqual([])
})

it('lives through a restart of the database with tasks under way, and goes on with them', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'perennial-restart-'))
  fs.chmodSync(folder, 0o755)
  const own = await startOwnServer(path.join(folder, 'postgres'))
  const common = process.env.DATABASE_URL
  await closeDatabase()
  process.env.DATABASE_URL = own.url()
  onTestFinished(async () => {
    await closeDatabase()
    process.env.DATABASE_URL = common
    await own.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  // GIVEN tasks of several shops that are at the database
  const begun: unknown[] = []
  const done: unknown[] = []
  const sleep = async (name: unknown) => {
    begun.push(name)
    await pool.query('select pg_sleep($1)', [begun.length > 3 ? 0 : 60])
    done.push(name)
  }
  const options = { taskList: { sleep }, concurrency: 3, logger: QUIET, pollInterval: 100 }
  const runner = await startTaskRunner(options, { lookEveryMs: 100 })
  for (const name of ['one', 'two', 'three']) await runner.utils.addJob('sleep', name, { queueName: name })
  for (let tries = 0; tries < 100 && begun.length < 3; tries += 1) await wait(50)

  // WHEN it restarts
  await own.restart()

  // THEN all of them are done in the end, and so is what comes after
  await runner.utils.addJob('sleep', 'four', { queueName: 'one' })
  for (let tries = 0; tries < 300 && done.length < 4; tries += 1) await wait(50)
  expect(done.toSorted()).toEqual(['four', 'one', 'three', 'two'])
  await runner.stop()
})

it('goes from one task of a shop to the next without waiting until it looks again', async () => {
  let done = 0
  // Looks again only long after the test has given up.
  const options = { taskList: { count: () => void (done += 1) }, logger: QUIET, pollInterval: 600_000 }
  const runner = await startTaskRunner(options)
  onTestFinished(() => runner.stop())
  for (let task = 0; task < 10; task += 1) await runner.utils.addJob('count', {}, { queueName: 'shop:1' })
  for (let tries = 0; tries < 1_000 && done < 10; tries += 1) await wait(10)
  expect(done).toBe(10)
})

import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { Logger } from 'graphile-worker'
import { pool } from '#app/db/client.server.ts'
import { LIFE_LOCK, startTaskRunner } from '#app/jobs/task-runner.server.ts'

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
  await pool.query('select pg_terminate_backend($1)', [first!.pid])
  await until(async () => (await held()).some(({ pid }) => pid !== first!.pid))
  expect(await held()).toEqual([{ pid: expect.not.toSatisfy((pid) => pid === first!.pid) as number }])
  await runner.stop()
  await until(async () => (await held()).length === 0)
  expect(await held()).toEqual([])
})

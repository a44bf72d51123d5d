// Runs graphile-worker. What takes up the tasks in its queue is a *runner*; a task, and the queue of its shop, are locked by the
// runner's id while it works. A runner that dies (kill -9, a host that is gone) cannot unlock them, and graphile-worker itself waits four
// hours before it does. So each runner also holds an advisory lock of PostgreSQL's on its id, which goes with its connection.
import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import {
  makeWorkerUtils,
  run,
  type JobHelpers,
  type RunnerOptions,
  type TaskList,
  type WorkerEvents,
  type WorkerPool,
  type WorkerUtils,
} from 'graphile-worker'
import { pool } from '#app/db/client.server.ts'

/** Any fixed number: with the hash of a runner's id it names the lock that says that the runner lives. */
export const LIFE_LOCK = 4_273_003
const LOOK_EVERY_MS = 10_000
const PAUSE_MS = 1_000
const WRITTEN_AFTER_MS = 20

/** What takes up tasks in this process. */
export type TaskRunner = {
  /** To put tasks into the queue. */
  utils: WorkerUtils
  /** Resolves when the tasks under way are done. */
  stop: () => Promise<void>
}

/**
 * Starts to take up tasks, also those that dead runners left half done: they begin anew. Rejects when the database is out of reach; when
 * it goes away later, the tasks go on once it is back.
 */
export async function startTaskRunner(
  options: RunnerOptions,
  { lookEveryMs = LOOK_EVERY_MS }: { lookEveryMs?: number } = {},
): Promise<TaskRunner> {
  const stopped = new AbortController()
  let runner = await startRunner(options)
  const keepOn = async () => {
    for (;;) {
      await runner.ended
      if (stopped.signal.aborted) return
      await rest(PAUSE_MS, stopped.signal)
      // Out of reach still: the one that ended has ended, so it is tried again after the next pause.
      runner = await startRunner(options).catch(() => runner)
      if (stopped.signal.aborted) await runner.stop()
    }
  }
  const kept = keepOn()
  const utils = await makeWorkerUtils({ pgPool: pool })
  const looking = unlockDead(utils, lookEveryMs)
  return {
    utils,
    stop: async () => {
      stopped.abort()
      await looking.stop()
      await runner.stop()
      await kept
      await utils.release()
    },
  }
}

type Runner = { ended: Promise<void>; stop: () => Promise<void> }

/**
 * One runner of graphile-worker's. It writes of each task that it is done, or has failed, without waiting for it; where that cannot be
 * written, its process would end as one with an unhandled rejection (`failJobBatchDelay: -1`), and it ends alone with a batch (0). Such
 * an end is told by the event: `runner.promise` may stay open, because the batch miscounts when two of its writes have failed.
 */
async function startRunner(options: RunnerOptions): Promise<Runner> {
  const events: WorkerEvents = new EventEmitter()
  let workers: WorkerPool | undefined
  events.on('pool:create', ({ workerPool }: { workerPool: WorkerPool }) => (workers = workerPool))
  const ended = new Promise<void>((resolve) => events.once('pool:gracefulShutdown', () => resolve()))
  // A batch is written after the worker has looked for its next task, and the shop's queue is free only then: it would be seen at the
  // next poll, after two seconds.
  events.on('job:complete', () => {
    setTimeout(() => {
      try {
        workers?.nudge(1)
      } catch {
        // It is ending.
      }
    }, WRITTEN_AFTER_MS)
  })
  const underWay = new Set<Promise<unknown>>()
  const runner = await run({
    ...options,
    taskList: watchTasks(options.taskList ?? {}, underWay),
    pgPool: pool,
    events,
    noHandleSignals: true,
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  })
  runner.promise.catch(() => undefined)
  const life = holdLife(workers!.id)
  // What it still has under way is nobody else's until it is done.
  const gone = ended.then(async () => {
    await runner.stop().catch(() => undefined)
    while (underWay.size > 0) await Promise.allSettled(underWay)
    await life.release()
  })
  return {
    ended,
    stop: async () => {
      await runner.stop().catch(() => undefined)
      await gone
    },
  }
}

function watchTasks(tasks: TaskList, underWay: Set<Promise<unknown>>): TaskList {
  return Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => [
      name,
      async (payload: unknown, helpers: JobHelpers) => {
        const work = Promise.resolve(task!(payload, helpers))
        underWay.add(work)
        try {
          await work
        } finally {
          underWay.delete(work)
        }
      },
    ]),
  )
}

/** Holds the lock that says that the runner lives; where its connection is lost, on another one. */
function holdLife(id: string): { release: () => Promise<void> } {
  const released = new AbortController()
  const holding = (async () => {
    while (!released.signal.aborted) {
      try {
        const client = await pool.connect()
        const lost = new Promise<void>((resolve) => {
          client.once('end', resolve)
          released.signal.addEventListener('abort', () => resolve(), { once: true })
        })
        try {
          await client.query('select pg_advisory_lock($1, hashtext($2))', [LIFE_LOCK, id])
          await lost
        } finally {
          // Closed, it gives back the lock.
          client.release(true)
        }
      } catch {
        // The database is out of reach; so are the tasks.
      }
      await rest(PAUSE_MS, released.signal)
    }
  })()
  return {
    release: () => {
      released.abort()
      return holding
    },
  }
}

/** Unlocks what dead runners have locked. Dead is whose lock nobody holds twice in a row: it may just be on its way to another connection. */
function unlockDead(utils: WorkerUtils, everyMs: number): { stop: () => Promise<void> } {
  const stopped = new AbortController()
  const looking = (async () => {
    let suspects = new Set<string>()
    while (!stopped.signal.aborted) {
      try {
        const lifeless = await listLifeless()
        const dead = lifeless.filter((id) => suspects.has(id))
        if (dead.length > 0) await utils.forceUnlockWorkers(dead)
        suspects = new Set(lifeless)
      } catch {
        // Out of reach, the database tells of nobody's death.
        suspects.clear()
      }
      await rest(everyMs, stopped.signal)
    }
  })()
  return {
    stop: () => {
      stopped.abort()
      return looking
    },
  }
}

/** Ids of the runners that have something locked and whose own lock nobody holds. */
async function listLifeless(): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select id from (
       select locked_by as id from graphile_worker._private_jobs where locked_by is not null
       union select locked_by from graphile_worker._private_job_queues where locked_by is not null) as lockers
      where not exists (
        select from pg_locks
         where locktype = 'advisory' and granted and objsubid = 2
           and classid::bigint = $1 and objid = hashtext(id)::oid
           and database = (select oid from pg_database where datname = current_database()))`,
    [LIFE_LOCK],
  )
  return rows.map(({ id }) => id)
}

/** Waits, or not any longer when told to stop. */
const rest = (ms: number, signal: AbortSignal) => wait(ms, undefined, { signal }).catch(() => undefined)

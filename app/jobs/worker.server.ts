// The worker: a loop that drains the inbox and lets time pass, and beside it graphile-worker for the slow work that talks to
// Shopify. Any number may run: messages, members and tasks are each held by one at a time.
import { Logger, type JobHelpers, type TaskList, type WorkerUtils } from 'graphile-worker'
import { forgetOldImports } from '#app/db/imports.server.ts'
import { clearOldMessages } from '#app/db/inbox.server.ts'
import {
  clearFinishedEffects,
  dropEffectsOfGoneShops,
  findWaiting,
  listShopsWithEffectsDue,
} from '#app/db/outbox.server.ts'
import { now } from '#app/clock.server.ts'
import { forgetOldAnsweredRequests } from '#app/db/privacy.server.ts'
import { listInstalledShops, requireShop } from '#app/db/shops.server.ts'
import { CARRIED_KINDS } from '#app/jobs/carry-out-outbox.ts'
import { WORK_ON_IMPORTS } from '#app/jobs/import-members.ts'
import { drainInbox, type Resting } from '#app/jobs/drain-inbox.ts'
import { eraseShops } from '#app/jobs/erase-shop.ts'
import { createHelper } from '#app/jobs/helper-thread.server.ts'
import { letTimePass, recheckWorkDue } from '#app/jobs/nightly.ts'
import { startTaskRunner } from '#app/jobs/task-runner.server.ts'
import { AGAIN_SOON, SHOP_TASKS, tasksOfMinute } from '#app/jobs/timetable.ts'
import { logError } from '#app/log.server.ts'
import { adminClientOf } from '#app/shopify.server.ts'
import { isWithoutSession } from '#app/shopify/admin-api.server.ts'

/** A worker at work in this process. */
export type RunningWorker = {
  /** Says that there is work: the loop looks at once instead of after its pause. */
  wake: () => void
  /** Resolves when what was under way is done. */
  stop: () => Promise<void>
}

/** How long the loop rests when it found nothing: news of other processes wait at most this long. */
const PAUSE_MS = 250
/** After a failure of the database. */
const TROUBLE_PAUSE_MS = 1_000
/** Messages may come without end. After so long, and the round that is under way, holds, expiry and reviews have their turn. */
const DRAIN_AT_MOST_MS = 5_000
const TASKS_AT_ONCE = 4
const OFFER_EVERY_MS = 500
const AGAIN_SOON_MS = 5_000
/** Finished effects, and lines of files that were not brought in, are kept this long, for questions. */
const KEEP_DAYS = 14
/** What was put together of customers who asked for it: the merchant has 30 days to hand it over. */
const KEEP_ANSWERS_DAYS = 60
const DAY_MS = 86_400_000

/** Starts a worker in this process. Resolves when graphile-worker is ready; throws when the database is not. */
export async function startWorker(): Promise<RunningWorker> {
  const runner = await startTaskRunner({
    taskList: { ...shopTasks(), schedule, 'erase-shops': eraseShopsAlone, 'clean-up': cleanUp },
    crontab: '* * * * * schedule\n17 3 * * * clean-up',
    concurrency: TASKS_AT_ONCE,
    logger: new Logger(() => logProblems),
  })
  const outboxes = offerOutboxes(runner.utils)
  const loop = startLoop(outboxes.offer, (shopId) => {
    runner.utils.addJob('import-members', { shopId }, keyOf('import-members', shopId)).catch(() => undefined)
  })
  return {
    wake: loop.wake,
    stop: async () => {
      await loop.stop()
      await outboxes.stop()
      await runner.stop()
    },
  }
}

function shopTasks(): TaskList {
  return Object.fromEntries(
    Object.entries(SHOP_TASKS).map(([name, task]) => [
      name,
      async (payload: unknown, { addJob, abortSignal }: JobHelpers) => {
        const shop = await requireShop((payload as { shopId: number }).shopId)
        // Work for a shop that has taken the app off cannot be done: there is no token any more.
        if (shop.installedAt === null || shop.uninstalledAt !== null) return
        const result = await task.run(shop, adminClientOf(shop.domain), abortSignal).catch((error: unknown) => {
          // Nor for one whose owner has not opened the app since it was installed. What waits, waits for the first page.
          if (!isWithoutSession(error)) throw error
        })
        if (result !== AGAIN_SOON) return
        await addJob(name, payload, { ...keyOf(name, shop.id), runAt: new Date(machineTime() + AGAIN_SOON_MS) })
      },
    ]),
  )
}

/** Epoch milliseconds of the machine's clock, by which the queue goes: moving business time leaves it alone. */
const machineTime = () => performance.timeOrigin + performance.now()

/** Every minute: puts this minute's tasks into the queue, each shop's once however many workers do so. */
const schedule: TaskList[string] = async (_payload, { addJob }) => {
  await addJob('erase-shops', {}, { jobKey: 'erase-shops', jobKeyMode: 'preserve_run_at', queueName: 'erase-shops' })
  await dropEffectsOfGoneShops(now())
  const minute = Math.floor(machineTime() / 60_000)
  for (const shop of await listInstalledShops()) {
    for (const name of tasksOfMinute(minute, shop.id)) await addJob(name, { shopId: shop.id }, keyOf(name, shop.id))
  }
}

/** By itself: a large shop takes minutes, in which the others' tasks have to come. */
const eraseShopsAlone: TaskList[string] = async () => {
  await eraseShops()
}

const cleanUp: TaskList[string] = async () => {
  const before = now() - KEEP_DAYS * DAY_MS
  while ((await clearFinishedEffects(before)) > 0);
  while ((await clearOldMessages(before)) > 0);
  await recheckWorkDue()
  for (const shop of await listInstalledShops()) {
    await forgetOldImports(shop.id, before)
    await forgetOldAnsweredRequests(shop.id, now() - KEEP_ANSWERS_DAYS * DAY_MS)
  }
}

/** One job per task and shop; a shop's tasks run one after another, so that they share its rate limit and not fight for it. */
const keyOf = (name: string, shopId: number) => ({
  jobKey: `${name}:${shopId}`,
  jobKeyMode: 'preserve_run_at' as const,
  queueName: SHOP_TASKS[name]?.isApart ? undefined : `shop:${shopId}`,
  maxAttempts: 5,
})

/**
 * Has the outbox of shops in which something changed carried out soon: gathered, so that a sale does not make a job an order, and put
 * into the queue by one statement, so that they do not take the connections from everything else.
 */
function offerOutboxes(utils: WorkerUtils): { offer: (shopId: number) => void; stop: () => Promise<void> } {
  const changed = new Set<number>()
  let offering = Promise.resolve()
  const offerAll = async () => {
    const shopIds = [...changed]
    changed.clear()
    const jobs = (await findWaiting(shopIds, 'refetch-order')).flatMap(({ shopId, waits }) =>
      ['carry-out-outbox', ...(waits ? ['refetch-orders'] : [])].map((identifier) => {
        const { jobKeyMode: _, ...key } = keyOf(identifier, shopId)
        return { identifier, payload: { shopId }, ...key }
      }),
    )
    if (jobs.length > 0) await utils.addJobs(jobs, true)
  }
  const timer = setInterval(() => {
    if (changed.size === 0) return
    // If they cannot be offered now, the next minute's timetable will.
    offering = offering.then(offerAll).catch(() => undefined)
  }, OFFER_EVERY_MS)
  return {
    offer: (shopId) => void changed.add(shopId),
    stop: () => {
      clearInterval(timer)
      return offering
    },
  }
}

/** Drains and lets time pass, again and again. `onShop` hears of shops in which something changed, `onImports` of those with a file to work on. */
function startLoop(onShop: (shopId: number) => void, onImports: (shopId: number) => void): RunningWorker {
  let stopping = false
  let wake = () => {}
  const resting: Resting = new Map()
  const helper = createHelper()
  const turn = async (): Promise<number> => {
    const drained = await drainInbox({
      onShop: (shopId, { done }) => {
        if (done > 0) onShop(shopId)
      },
      isStopping: () => stopping,
      forMs: DRAIN_AT_MOST_MS,
      resting,
      helper,
    })
    const passed = stopping ? { advanced: 0 } : await letTimePass(onShop)
    return drained.done + drained.failed + passed.advanced
  }
  const ended = (async () => {
    while (!stopping) {
      let pauseMs = PAUSE_MS
      try {
        const worked = await turn()
        // What a request put into the outbox (a redemption, a published program) is not left to the next minute.
        for (const shopId of await listShopsWithEffectsDue(now(), CARRIED_KINDS)) onShop(shopId)
        for (const shopId of await listShopsWithEffectsDue(now(), [WORK_ON_IMPORTS])) onImports(shopId)
        if (worked > 0) continue
      } catch (error) {
        logError('the drain rests', error)
        pauseMs = TROUBLE_PAUSE_MS
      }
      if (stopping) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  })()
  return {
    wake: () => wake(),
    stop: async () => {
      stopping = true
      wake()
      await ended
      await helper.stop()
    },
  }
}

/** Only what somebody should look at; the queue's own chatter is left out. */
function logProblems(level: string, message: string): void {
  if (level === 'error' || level === 'warning') process.stderr.write(`${level}: ${message.split('\n', 1)[0]}\n`)
}

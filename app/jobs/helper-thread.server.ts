// A worker's *helper* is a second thread that drains beside the worker's own: in a backlog one thread is not enough to keep PostgreSQL and the
// processors at work. It has an event loop, a heap and connections of its own.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Drained } from '#app/jobs/drain-inbox.ts'

/** Who can be asked to drain a batch. */
export type Helper = {
  /** As `drainShop` of jobs/drain-inbox. Errors come with their message, stack and code. */
  drainShop: (shopId: number) => Promise<Drained>
  /** Resolves when the thread has ended. Nothing may be under way. */
  stop: () => Promise<void>
}

/** What the thread is asked: to drain a batch of this shop. */
export type Question = { id: number; shopId: number }
/** What it answers to the question of this `id`. */
export type Answer = { id: number } & (
  { drained: Drained } | { error: { message: string; stack: string | undefined; code: string | null } }
)

type Asker = { resolve: (drained: Drained) => void; reject: (error: Error) => void }

/**
 * A helper whose thread starts with the first question: most shops never have a backlog. What ends the thread without being told to ends its
 * worker with it.
 */
export function createHelper(): Helper {
  const askers = new Map<number, Asker>()
  let thread: Worker | null = null
  let asked = 0
  return {
    drainShop: (shopId) => {
      thread ??= startThread(askers)
      const id = (asked += 1)
      thread.postMessage({ id, shopId } satisfies Question)
      return new Promise((resolve, reject) => askers.set(id, { resolve, reject }))
    },
    stop: async () => {
      if (!thread) return
      thread.removeAllListeners('exit')
      const ended = once(thread, 'exit')
      thread.postMessage('stop')
      await ended
    },
  }
}

function startThread(askers: Map<number, Asker>): Worker {
  const thread = new Worker(new URL('helper.ts', import.meta.url))
  thread.on('message', (answer: Answer) => {
    const { resolve, reject } = askers.get(answer.id)!
    askers.delete(answer.id)
    if ('drained' in answer) resolve(answer.drained)
    else reject(Object.assign(new Error(answer.error.message), answer.error))
  })
  // An error of the thread's own is thrown here as it is, since nobody listens to it.
  thread.on('exit', (code) => {
    throw new Error(`The worker's helper ended with ${code}.`)
  })
  return thread
}

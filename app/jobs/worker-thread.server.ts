// The worker of the web process is a *thread* of it, with an event loop, a heap and connections of its own: the engine's work and
// the collection of its garbage do not hold up the door, which has to answer, and the two use two processors.
import { Worker } from 'node:worker_threads'
import type { RunningWorker } from '#app/jobs/worker.server.ts'

/** What the process says to its worker. */
export type ToWorker = 'wake' | 'stop'

/** News gather for so long: at a thousand webhooks a second the worker need not be told of each batch. */
const WAKE_MS = 20

/**
 * Starts the worker as a thread. Resolves when it is ready, rejects when it cannot start. What ends it later, without being told to,
 * ends the process with it: otherwise the door would go on taking in what nobody works on.
 */
export async function startWorkerThread(): Promise<RunningWorker> {
  const thread = new Worker(new URL('worker.ts', import.meta.url))
  await new Promise<void>((resolve, reject) => {
    thread.once('message', () => resolve())
    thread.once('error', reject)
    thread.once('exit', (code) => reject(new Error(`The worker ended with ${code} before it was ready.`)))
  })
  thread.removeAllListeners()
  const crash = (reason: unknown) => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : `exit code ${String(reason)}`
    process.stderr.write(`The worker has crashed, and the process ends with it: ${text}\n`)
    process.exit(1)
  }
  thread.once('error', crash)
  thread.once('exit', crash)

  let waking: NodeJS.Timeout | null = null
  return {
    wake: () => {
      waking ??= setTimeout(() => {
        waking = null
        thread.postMessage('wake' satisfies ToWorker)
      }, WAKE_MS).unref()
    },
    stop: () =>
      new Promise((resolve) => {
        thread.off('exit', crash)
        thread.once('exit', () => resolve())
        thread.postMessage('stop' satisfies ToWorker)
      }),
  }
}

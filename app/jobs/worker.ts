// A worker alone. `npm run worker` runs it beside web processes that have WORKER=off, as many as there is work for; the web process
// runs it as a thread of its own (worker-thread.server.ts), where it hears `wake` and `stop` instead of signals.
import { parentPort } from 'node:worker_threads'
import { closeDatabase } from '#app/db/client.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { databaseUrl } from '#app/env.server.ts'
import type { ToWorker } from '#app/jobs/worker-thread.server.ts'

// The thread's process has seen to it already.
if (!parentPort) await migrateDatabase(databaseUrl())
// Loaded only now: what talks to Shopify looks for its table of sessions as soon as it is loaded.
const { startWorker } = await import('#app/jobs/worker.server.ts')
const worker = await startWorker()

let stopping = false
if (parentPort) {
  parentPort.on('message', (message: ToWorker) => {
    if (message === 'wake') worker.wake()
    else void stop()
  })
  parentPort.postMessage('ready')
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())
  console.log('working; Ctrl-C ends')
}

/** What is under way is finished first. Ends the process, or the thread alone where it is one. */
async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await worker.stop()
  await closeDatabase()
  process.exit(0)
}

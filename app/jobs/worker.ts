// `npm run worker`: a worker alone, beside web processes that have WORKER=off. Run as many as there is work for.
import { closeDatabase } from '#app/db/client.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { databaseUrl } from '#app/env.server.ts'

await migrateDatabase(databaseUrl())
// Loaded only now: what talks to Shopify looks for its table of sessions as soon as it is loaded.
const { startWorker } = await import('#app/jobs/worker.server.ts')
const worker = await startWorker()
console.log('working; Ctrl-C ends')

let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    void worker
      .stop()
      .then(closeDatabase)
      .then(() => process.exit(0))
  })
}

// The process: the webhook door in front of the admin's and the storefront's pages, and a worker as a thread beside them. Run it
// with `npm run serve`, as often as there is load for; WORKER=off leaves the jobs to `npm run worker`.
import '#app/threads.server.ts'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ServerBuild } from '@remix-run/node'
import { closeDatabase } from '#app/db/client.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { createDoor } from '#app/door.server.ts'
import { env } from '#app/env.server.ts'
import { closeServer, createServer, type Pages } from '#app/http.server.ts'
import { startWorkerThread } from '#app/jobs/worker-thread.server.ts'

const settings = env()
const applied = await migrateDatabase(settings.DATABASE_URL)
for (const name of applied) console.log(`applied migration ${name}`)

// What talks to Shopify looks for its table of sessions as soon as it is loaded, so both come after the migrations.
const [worker, pages] = await Promise.all([settings.WORKER === 'on' ? startWorkerThread() : null, loadPages()])
const door = createDoor({ secret: settings.SHOPIFY_API_SECRET, onStored: () => worker?.wake() })
const server = createServer(door, pages)

server.listen(settings.PORT, () => {
  const { port } = server.address() as AddressInfo
  console.log(`listening on port ${port}${worker ? ', with a worker' : ''}`)
})

let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())

/** New requests are refused, those under way finish, what the door took in is on disk: then the process ends. */
async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await closeServer(server)
  await door.close()
  await worker?.stop()
  await closeDatabase()
  process.exit(0)
}

/** The built pages behind Express, which Remix's adapter needs. Loaded late: the door must not wait for them. */
async function loadPages(): Promise<Pages> {
  const client = fileURLToPath(new URL('../build/client', import.meta.url))
  const bundle = fileURLToPath(new URL('../build/server/index.js', import.meta.url))
  if (!existsSync(bundle)) {
    return (_request, response) => {
      response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end('The pages are not built yet: run `npm run build`.\n')
    }
  }
  const [{ createPages }, { createRequestHandler }] = await Promise.all([
    import('#app/pages.server.ts'),
    import('@remix-run/express'),
  ])
  const build = (await import(pathToFileURL(bundle).href)) as ServerBuild
  return createPages(createRequestHandler({ build }), client)
}

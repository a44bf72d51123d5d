import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'

/** Speed for safety, as all tests have it; nothing is vacuumed by itself, so that each run of a seed finds the same tables. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }

/** A PostgreSQL of its own in `home`, which can be stopped and started again. */
export type OwnServer = {
  /** The address of its database `postgres`, as it is now. */
  url: () => string
  restart: () => Promise<void>
  stop: () => Promise<void>
}

/** Starts a server that nobody else uses. */
export async function startOwnServer(home: string): Promise<OwnServer> {
  let server = await startEmbeddedPostgres({ home, settings: SETTINGS })
  const { port } = server
  return {
    url: () => server.url('postgres'),
    restart: async () => {
      await server.stop()
      server = await startEmbeddedPostgres({ home, port, settings: SETTINGS })
    },
    stop: () => server.stop(),
  }
}

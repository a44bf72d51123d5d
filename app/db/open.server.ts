import { closeDatabase, pool } from '#app/db/client.server.ts'
import { embeddedHome, findRunningEmbedded, startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { databaseUrl } from '#app/env.server.ts'

/**
 * Makes a database reachable for a command: the one that DATABASE_URL names, else this folder's embedded one, which is
 * started for the time of the command where it does not run. Returns what closes it again. Throws, in words, where the database does not
 * answer.
 */
export async function openDatabase(): Promise<() => Promise<void>> {
  if (process.env.DATABASE_URL) {
    databaseUrl()
    await pool.query('select 1').catch((error: Error & { code?: string }) => {
      throw new Error(`The database of DATABASE_URL does not answer: ${error.message || error.code}`)
    })
    return closeDatabase
  }
  const home = embeddedHome(process.cwd())
  const running = await findRunningEmbedded(home)
  if (running !== undefined) {
    process.env.DATABASE_URL = running
    return closeDatabase
  }
  const server = await startEmbeddedPostgres({ home })
  process.env.DATABASE_URL = server.url()
  await migrateDatabase(server.url())
  return async () => {
    await closeDatabase()
    await server.stop()
  }
}

import type { Pool, PoolClient } from 'pg'
import { locks } from './client.server.ts'

/**
 * Runs `work` while nobody else in any process runs work of the same name (a PostgreSQL advisory lock, which a process that dies
 * loses). Waits up to `waitMs`; returns null where the other one stayed, or where this process has no connection left to hold a lock
 * with, and nothing was run then. The work itself holds no transaction open and none of the connections that it asks the database by
 * (`pool`), so that it may wait for Shopify. `from`: where the connection comes from that holds the lock.
 */
export async function whileAlone<Result>(
  name: string,
  waitMs: number,
  work: () => Promise<Result>,
  from: Pool = locks,
): Promise<Result | null> {
  const startedAt = performance.now()
  for (;;) {
    const holder = await lock(name, from)
    if (holder) {
      try {
        return await work()
      } finally {
        await unlock(name, holder)
      }
    }
    if (performance.now() - startedAt >= waitMs) return null
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The connection that has the lock now. Null where another one has it: who only waits keeps no connection from others. */
async function lock(name: string, from: Pool): Promise<PoolClient | null> {
  const client = await from.connect().catch((error: Error) => {
    if (/timeout exceeded when trying to connect/.test(error.message)) return null
    throw error
  })
  if (!client) return null
  try {
    const { rows } = await client.query<{ got: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
      [name],
    )
    if (rows[0]?.got) return client
  } catch (error) {
    client.release(error as Error)
    throw error
  }
  client.release()
  return null
}

async function unlock(name: string, holder: PoolClient): Promise<void> {
  let broken: Error | undefined
  // A connection that cannot give the lock back is closed, which gives it back.
  await holder
    .query('select pg_advisory_unlock(hashtextextended($1, 0))', [name])
    .catch((error: Error) => (broken = error))
  holder.release(broken)
}

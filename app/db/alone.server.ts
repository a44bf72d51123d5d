import { pool } from './client.server.ts'

/**
 * Runs `work` while nobody else in any process runs work of the same name (a PostgreSQL advisory lock, which a process that dies
 * loses). Waits up to `waitMs`; returns null where the other one stayed, and nothing was run then. The work itself holds no
 * transaction open, so that it may wait for Shopify.
 */
export async function whileAlone<Result>(
  name: string,
  waitMs: number,
  work: () => Promise<Result>,
): Promise<Result | null> {
  const client = await pool.connect()
  const startedAt = performance.now()
  let broken: Error | undefined
  try {
    for (;;) {
      const { rows } = await client.query<{ got: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
        [name],
      )
      if (rows[0]?.got) break
      if (performance.now() - startedAt >= waitMs) return null
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    try {
      return await work()
    } finally {
      // A connection that cannot give the lock back is closed, which gives it back.
      await client
        .query('select pg_advisory_unlock(hashtextextended($1, 0))', [name])
        .catch((error: Error) => (broken = error))
    }
  } finally {
    client.release(broken)
  }
}

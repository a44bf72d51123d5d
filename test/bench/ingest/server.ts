import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { closeDatabase, pool } from '#app/db/client.server.ts'
import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'

/** A PostgreSQL of the bench's own, as durable as a real one (fsync on), migrated, with a log that has been written before; DATABASE_URL leads to it. */
export type BenchDatabase = { url: string; home: string; close: () => Promise<void> }

/** Starts it, with a folder of its own that goes with it. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-bench-'))
  chmodSync(folder, 0o755)
  const settings = { max_wal_size: '4GB', min_wal_size: '3GB', shared_buffers: '256MB', checkpoint_timeout: '30min' }
  const server = await startEmbeddedPostgres({ home: path.join(folder, 'postgres'), settings })
  await migrateDatabase(server.url())
  process.env.DATABASE_URL = server.url()
  await fillLog()
  return {
    url: server.url(),
    home: server.home,
    close: async () => {
      await closeDatabase()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Some 2.5 GB: more than a run writes. */
const LOG_SEGMENTS = 160

/**
 * A server that has run for a while writes its log (WAL) over segments of before. A new one fills each with 16 MB of zeros first and flushes them,
 * while all who commit wait: a toll on whatever writes much, and only in its first minutes.
 */
async function fillLog(): Promise<void> {
  for (let segment = 0; segment < LOG_SEGMENTS; segment += 1) {
    await pool.query(`select pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()`)
  }
  await pool.query('checkpoint')
}

/** The middle of the figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** Share of the machine's processors that nobody used over the last `ms`, 0 to 1. */
export async function measureIdle(ms = 300): Promise<number> {
  const read = () =>
    os.cpus().reduce(
      (sum, { times }) => ({
        idle: sum.idle + times.idle,
        all: sum.all + times.idle + times.user + times.sys + times.nice + times.irq,
      }),
      { idle: 0, all: 0 },
    )
  const before = read()
  await new Promise((resolve) => setTimeout(resolve, ms))
  const after = read()
  return (after.idle - before.idle) / Math.max(1, after.all - before.all)
}

import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the server that the tests share; each file clones `template` on it (database.ts). */
    postgresUrl: string
  }
}

/** Speed for safety: a test that crashes the machine may lose its data. Tests of durability start a server of their own. */
const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' }

/** One real PostgreSQL for the run, in a folder of its own, with a migrated template database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-test-'))
  chmodSync(folder, 0o755) // As root the server runs as another user, who must be able to pass.
  const server = await startEmbeddedPostgres({ home: path.join(folder, 'postgres'), settings: FAST })
  const client = new pg.Client({ connectionString: server.url('postgres') })
  await client.connect()
  await client.query('create database template_migrated')
  await migrateDatabase(server.url('template_migrated'))
  await client.end()
  project.provide('postgresUrl', server.url('postgres'))
  return async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

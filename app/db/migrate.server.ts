import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const MIGRATIONS = path.join(PROJECT, 'prisma', 'migrations')

/**
 * Brings the database at `url` to the newest schema and returns the names of the migrations that it had to apply.
 * A database that has them all is recognised by one query, so a start does not pay for Prisma's command line.
 * Several processes may do this at once: Prisma takes a lock. Throws with Prisma's own message when a migration fails.
 */
export async function migrateDatabase(url: string): Promise<string[]> {
  const missing = await findMissingMigrations(url)
  if (missing.length === 0) return []
  await runPrisma(['migrate', 'deploy'], url)
  return missing
}

async function findMissingMigrations(url: string): Promise<string[]> {
  const entries = fs.readdirSync(MIGRATIONS, { withFileTypes: true })
  const wanted = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: tables } = await client.query(`select to_regclass('_prisma_migrations') as name`)
    if (tables[0].name === null) return wanted
    const { rows } = await client.query<{ migration_name: string }>(
      'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null',
    )
    const applied = new Set(rows.map((row) => row.migration_name))
    return wanted.filter((name) => !applied.has(name))
  } finally {
    await client.end()
  }
}

/** Runs Prisma's command line against `url`. Resolves with what it printed; rejects with it when it failed. */
export function runPrisma(args: string[], url: string): Promise<string> {
  const program = path.join(PROJECT, 'node_modules', 'prisma', 'build', 'index.js')
  const environment = { ...process.env, DATABASE_URL: url, CHECKPOINT_DISABLE: '1', NO_COLOR: '1' }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: PROJECT, env: environment })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk))
    child.stderr.on('data', (chunk: Buffer) => (printed += chunk))
    child.on('error', reject)
    child.on('exit', (code) =>
      code === 0 ? resolve(printed) : reject(new Error(`prisma ${args.join(' ')}\n${printed}`)),
    )
  })
}

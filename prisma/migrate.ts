// `npm run migrate -- --name what_changed` writes the next migration; `npm run migrate:check` fails when schema.prisma
// and migrations/ disagree. Both work on a throw-away database, so that nobody's data are touched.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { runPrisma } from '#app/db/migrate.server.ts'

const args = process.argv.slice(2)
const checking = args.includes('--check')
const name = args[args.indexOf('--name') + 1]
if (!checking && (!args.includes('--name') || !name || !/^[a-z0-9_]+$/.test(name))) {
  console.error('Give the migration a name in small letters: npm run migrate -- --name add_birthdays')
  process.exit(2)
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'perennial-migrate-'))
fs.chmodSync(folder, 0o755)
const server = await startEmbeddedPostgres({ home: path.join(folder, 'postgres'), settings: { fsync: 'off' } })
try {
  if (checking) {
    const between = ['--from-migrations', 'prisma/migrations', '--to-schema-datamodel', 'prisma/schema.prisma']
    await runPrisma(['migrate', 'diff', ...between, '--exit-code'], server.url())
    console.log('schema.prisma and migrations/ agree.')
  } else {
    // `migrate dev` stops half-way where migrations are pending, so they are applied first.
    await runPrisma(['migrate', 'deploy'], server.url())
    const before = listMigrations()
    const dev = ['migrate', 'dev', '--name', name!, ...args.filter((arg) => arg === '--create-only')]
    // With --create-only, Prisma 6.19 writes the file and then fails on its way out ("null pointer passed to rust").
    const failure = await runPrisma(dev, server.url()).then(
      () => null,
      (error: Error) => error,
    )
    const made = listMigrations().filter((folder) => !before.includes(folder))
    if (failure && made.length === 0) throw failure
    console.log(made.length > 0 ? `wrote prisma/migrations/${made.join(', ')}` : 'Nothing has changed.')
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await server.stop()
  fs.rmSync(folder, { recursive: true, force: true })
}

function listMigrations(): string[] {
  return fs.readdirSync(path.join(import.meta.dirname, 'migrations')).sort()
}

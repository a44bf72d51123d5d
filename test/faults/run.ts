// `npm run faults -- --seeds N [--from S]`: the long fault simulation, on a PostgreSQL of its own that is started again now and then.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { closeDatabase } from '#app/db/client.server.ts'
import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { simulateFaults } from './simulation.ts'

const HELP = `Runs the real pipeline through seeded faults and compares the outcome with the pure engine.

  npm run faults -- --seeds 1000 [--from 1]

A seed that fails is printed and can be run again with --from SEED --seeds 1.
`
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
const [count, from] = [Number(values.seeds), Number(values.from)]
if (values.help || !Number.isInteger(count) || !Number.isInteger(from)) {
  process.stdout.write(HELP)
  process.exit(values.help ? 0 : 2)
}

/** The database is started again after so many seeds. */
const RESTART_EVERY = 50
const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-faults-'))
chmodSync(folder, 0o755)
const home = path.join(folder, 'postgres')
let server = await startEmbeddedPostgres({ home })
process.env.DATABASE_URL = server.url()
await migrateDatabase(server.url())

const failed: number[] = []
let [faults, transfers] = [0, 0]
for (let seed = from; seed < from + count; seed += 1) {
  const outcome = await simulateFaults(seed).catch((error: Error) => ({
    faults: 0,
    transfers: 0,
    problems: [error.stack ?? error.message],
  }))
  faults += outcome.faults
  transfers += outcome.transfers
  if (outcome.problems.length > 0) {
    failed.push(seed)
    console.log(`seed ${seed} FAILED:\n  ${outcome.problems.join('\n  ')}`)
  }
  if ((seed - from + 1) % RESTART_EVERY === 0) {
    await closeDatabase()
    await server.stop()
    server = await startEmbeddedPostgres({ home })
    process.env.DATABASE_URL = server.url()
    console.log(
      `${seed - from + 1} of ${count} seeds, ${faults} faults, ${transfers} transfers, ${failed.length} failed`,
    )
  }
}
await closeDatabase()
await server.stop()
rmSync(folder, { recursive: true, force: true })
console.log(
  `${count} seeds, ${faults} faults, ${transfers} transfers: ${failed.length === 0 ? 'all right' : `failed: ${failed.join(' ')}`}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

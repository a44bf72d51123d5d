// `npm run faults -- --seeds N [--from S] | --seed S`: the long fault simulation, on a PostgreSQL of its own that really is stopped
// and started again within some seeds.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { startOwnServer } from './own-server.ts'
import { makeTemplate } from './place.ts'
import { simulateFaults } from './simulation.ts'

const HELP = `Runs the real pipeline through seeded faults and checks points, codes, cards and ledger when all is quiet.

  npm run faults -- --seeds 1000 [--from 1]     many seeds
  npm run faults -- --seed 17 [--trace FILE]    one seed, and every step it took

A seed that fails is printed with the command that runs it again, step by step the same.
`
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const from = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.seeds) : 1
if (values.help || !Number.isInteger(count) || !Number.isInteger(from)) {
  process.stdout.write(HELP)
  process.exit(values.help ? 0 : 2)
}
// The same codes in every run: nothing here is anybody's secret.
Object.assign(process.env, {
  SHOPIFY_API_KEY: 'faults-api-key',
  SHOPIFY_API_SECRET: 'faults-api-secret',
  SHOPIFY_APP_URL: 'https://perennial.example.com',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
})

const SAY_EVERY = 50
const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-faults-'))
chmodSync(folder, 0o755)
const own = await startOwnServer(path.join(folder, 'postgres'))
const admin = new pg.Client({ connectionString: own.url() })
await admin.connect()
await admin.query('create database migrated')
await admin.end()
await migrateDatabase(own.url().replace(/\/postgres$/, '/migrated'))
const server = { url: own.url, template: await makeTemplate(own.url(), 'migrated'), restart: own.restart }

const failed: number[] = []
const total = { turns: 0, faults: 0, restarts: 0, redemptions: 0, transfers: 0 }
const say = (seeds: number) =>
  `${seeds} seeds, ${total.turns} turns, ${total.faults} faults, ${total.restarts} restarts of the server, ` +
  `${total.redemptions} redemptions, ${total.transfers} transfers`
for (let seed = from; seed < from + count; seed += 1) {
  try {
    const outcome = await simulateFaults(seed, server)
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += outcome[name]
    if (values.trace) writeFileSync(values.trace, `${outcome.lines.join('\n')}\n`)
    if (values.seed) console.log(`seed ${seed}: trace ${outcome.trace}`)
    report(seed, outcome.problems)
  } catch (error) {
    report(seed, [error instanceof Error ? (error.stack ?? error.message) : String(error)])
  }
  if ((seed - from + 1) % SAY_EVERY === 0) console.log(`${say(seed - from + 1)}, ${failed.length} failed`)
}
await own.stop()
rmSync(folder, { recursive: true, force: true })
console.log(`${say(count)}: ${failed.length === 0 ? 'all right' : `failed: ${failed.join(' ')}`}`)
process.exitCode = failed.length === 0 ? 0 : 1

function report(seed: number, problems: string[]): void {
  if (problems.length === 0) return
  failed.push(seed)
  console.log(`seed ${seed} FAILED; again: npm run faults -- --seed ${seed}\n  ${problems.join('\n  ')}`)
}

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, inject, it } from 'vitest'
import pg from 'pg'
import { migrateDatabase } from '#app/db/migrate.server.ts'
import { startOwnServer } from './own-server.ts'
import { makeTemplate } from './place.ts'
import { simulateFaults } from './simulation.ts'

/** A short set; `npm run faults -- --seeds 1000` runs the long one. A seed that fails here fails there too. */
const SEEDS = [7, 13, 18, 22]
const url = inject('postgresUrl')
const server = { url: () => url, template: await makeTemplate(url, 'template_migrated') }

afterAll(async () => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`drop database ${server.template}`)
  await client.end()
})

it.each(SEEDS)(
  'seed %i: whatever breaks, dies, comes late or twice, points, codes, cards and ledger end as they must',
  async (seed) => {
    const { problems } = await simulateFaults(seed, server)
    expect(problems, `again: npm run faults -- --seed ${seed}`).toEqual([])
  },
)

it('the same seed takes the same steps in the same order, two workers’ turns included, and another seed others', async () => {
  const [once, again, other] = [
    await simulateFaults(16, server),
    await simulateFaults(16, server),
    await simulateFaults(43, server),
  ]
  expect([once, other].flatMap(({ problems }) => problems)).toEqual([])
  expect(again.trace).toBe(once.trace)
  expect(again.lines).toEqual(once.lines)
  expect(other.trace).not.toBe(once.trace)
})

it('a server that is stopped and started again in the middle of the work loses nothing', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-faults-'))
  chmodSync(folder, 0o755)
  const own = await startOwnServer(path.join(folder, 'postgres'))
  try {
    const { origin } = new URL(own.url().replace('postgresql:', 'http:'))
    expect(origin).not.toBe(new URL(url.replace('postgresql:', 'http:')).origin)
    await createMigrated(own.url())
    const place = { url: own.url, template: await makeTemplate(own.url(), 'migrated'), restart: own.restart }
    const { problems, restarts } = await simulateFaults(18, place, { restarts: 0.01 })
    expect(problems).toEqual([])
    expect(restarts).toBeGreaterThan(0)
  } finally {
    await own.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

async function createMigrated(address: string): Promise<void> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  await client.query('create database migrated')
  await client.end()
  await migrateDatabase(address.replace(/\/postgres$/, '/migrated'))
}

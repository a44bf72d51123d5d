// Where a seed is played: a database of its own, cloned from a migrated template, on a server that the caller names.
import pg from 'pg'
import { closeDatabase } from '#app/db/client.server.ts'

/** A server with a template to clone. */
export type Server = {
  /** The address of its database `postgres`, as it is now. */
  url: () => string
  template: string
  /** Stops the server and starts it again; without it, all connections are ended in its stead. */
  restart?: () => Promise<void>
}

/** A seed's database while it lasts. */
export type Place = {
  /** No other place of this process has it: what the process keeps of a shop (its throttle) is not another run's. */
  domain: string
  /** A connection of the test's own; another one after a restart. */
  watch: () => pg.Client
  restart: () => Promise<void>
  close: () => Promise<void>
}

let made = 0

/**
 * Clones the migrated template into one for seeds: no table is ever vacuumed or analysed by itself, so that the same statement
 * is carried out the same way in every run.
 */
export async function makeTemplate(url: string, from: string): Promise<string> {
  const name = `faults_template_${process.pid}`
  const client = await connect(url)
  await client.query(`create database ${name} template ${from}`)
  await client.end()
  const inside = await connect(addressOf(url, name))
  const { rows } = await inside.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  )
  for (const table of rows) await inside.query(`alter table ${table.name} set (autovacuum_enabled = false)`)
  await inside.end()
  return name
}

/** Makes the database of one seed and turns the app to it. */
export async function openPlace(server: Server): Promise<Place> {
  made += 1
  const name = `faults_${process.pid}_${made}`
  const owner = await connect(server.url())
  await owner.query(`create database ${name} template ${server.template}`)
  await owner.end()
  const before = process.env.DATABASE_URL
  await closeDatabase()
  process.env.DATABASE_URL = addressOf(server.url(), name)
  let watch = await connect(process.env.DATABASE_URL)
  const restart = async () => {
    if (server.restart) {
      await watch.end()
      await server.restart()
      watch = await connect(addressOf(server.url(), name))
      return
    }
    await watch.query(
      `select pg_terminate_backend(pid, 30000) from pg_stat_activity
        where datname = current_database() and application_name = 'perennial'`,
    )
  }
  return {
    domain: `${name.replaceAll('_', '-')}.myshopify.com`,
    watch: () => watch,
    restart,
    close: async () => {
      await watch.end()
      await closeDatabase()
      process.env.DATABASE_URL = before
      const last = await connect(server.url())
      await last.query(`drop database ${name} with (force)`)
      await last.end()
    },
  }
}

function addressOf(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${database}`
  return address.href
}

async function connect(url: string): Promise<pg.Client> {
  // Several look at once (who waits for whom, what was committed, who has to end): their questions are answered one after another.
  const client = new pg.Client({ connectionString: url, application_name: 'faults', pipeline: true })
  // The server may go under it; whoever uses it will say so.
  client.on('error', () => {})
  await client.connect()
  return client
}

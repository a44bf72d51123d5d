import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '@prisma/client'
import pg from 'pg'
import { databaseUrl } from '#app/env.server.ts'

/**
 * What a function in `db/` may be given as its last argument to take part in a transaction of Prisma's.
 * The hot paths talk to PostgreSQL through `pool` and take a `PoolClient` instead.
 */
export type Database = Omit<PrismaClient, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>

/** A connection or the pool: whatever can run one statement. */
export type Queryable = Pick<pg.Pool, 'query'>

type Kept = { pool?: pg.Pool; prisma?: PrismaClient; locks?: pg.Pool; tokenLocks?: pg.Pool }

/** The Remix bundle and the plain Node process each load this file; what they share hangs on the process itself. */
const KEPT = Symbol.for('perennial.database')
const kept: Kept = ((globalThis as unknown as Record<symbol, Kept>)[KEPT] ??= {})

/** The process's connections, for batches in SQL. Opened at first use, at the DATABASE_URL of that moment. */
export const pool: pg.Pool = atFirstUse(() => (kept.pool ??= openPool(MAIN)))

/** Prisma over the same connections, for ordinary queries. */
export const prisma: PrismaClient = atFirstUse(
  () => (kept.prisma ??= new PrismaClient({ adapter: new PrismaPg((kept.pool ??= openPool(MAIN))) })),
)

/**
 * Connections that hold locks (`whileAlone`), some of them for as long as Shopify takes. Whoever has one of them needs one of `pool`'s
 * to get on: were they the same, as many as there are could wait for each other for ever.
 */
export const locks: pg.Pool = atFirstUse(() => (kept.locks ??= openPool(LOCKS)))

/** For the lock under which a token is renewed: it is taken by those who hold another one already, and for the same reason has its own. */
export const tokenLocks: pg.Pool = atFirstUse(() => (kept.tokenLocks ??= openPool(TOKEN_LOCKS)))

/**
 * Runs `work` in one transaction on one connection; whatever it throws rolls everything back. `opening`: what to say with `begin`, as
 * `planForAnyShop` has it.
 */
export async function inTransaction<Result>(
  work: (client: pg.PoolClient) => Promise<Result>,
  opening = '',
): Promise<Result> {
  const client: pg.PoolClient & { pipeline?: boolean } = await pool.connect()
  // Statements that `work` does not wait for one by one are sent at once, and are worked on in the order in which they were sent.
  client.pipeline = true
  let broken: Error | undefined
  try {
    await client.query(`begin;${opening}`)
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    // A connection that cannot even roll back is dead: it must not go back into the pool.
    await client.query('rollback').catch((reason: Error) => (broken = reason))
    throw error
  } finally {
    client.pipeline = false
    client.release(broken)
  }
}

/**
 * Waits for all of a transaction's pieces of work, and throws what went wrong first only once none of them is under way: a
 * statement sent after the rollback would stand outside the transaction.
 */
export async function together<Works extends readonly Promise<unknown>[]>(
  works: readonly [...Works],
): Promise<{ -readonly [Place in keyof Works]: Awaited<Works[Place]> }> {
  const failures: unknown[] = []
  const results = await Promise.all(works.map((work) => work.catch((reason: unknown) => void failures.push(reason))))
  // After one statement failed, PostgreSQL refuses the others with 25P02, which says nothing.
  const telling = failures.find((reason) => (reason as { code?: unknown }).code !== '25P02')
  if (failures.length > 0) throw telling ?? failures[0]
  return results as { -readonly [Place in keyof Works]: Awaited<Works[Place]> }
}

/**
 * Asks one statement on a connection of its own. Rejects after `ms`, where whether it was carried out is not known, and gives up the connection:
 * what is at its other end may be gone.
 */
export async function askWithin<Row extends pg.QueryResultRow>(
  ms: number,
  statement: pg.QueryConfig,
): Promise<pg.QueryResult<Row>> {
  const client = await pool.connect()
  return new Promise((resolve, reject) => {
    let ended = false
    const end = (error: Error | null, result?: pg.QueryResult<Row>) => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      client.release(error ?? undefined)
      if (error) reject(error)
      else resolve(result!)
    }
    const timer = setTimeout(() => end(new Error(`The database has not answered within ${ms} ms`)), ms)
    client.query<Row>(statement, end)
  })
}

/** Closes what was opened, so that a command or a test can end. The next use opens it anew. */
export async function closeDatabase(): Promise<void> {
  const { prisma: openedPrisma, pool: openedPool, locks: openedLocks, tokenLocks: openedTokenLocks } = kept
  for (const name of ['prisma', 'pool', 'locks', 'tokenLocks'] as const) kept[name] = undefined
  await openedPrisma?.$disconnect()
  await Promise.all([openedPool?.end(), openedLocks?.end(), openedTokenLocks?.end()])
}

// 64-bit numbers come as text all the same; the driver would look at each with a regular expression before it says so.
pg.types.setTypeParser(pg.types.builtins.INT8, (digits) => digits)

type Size = { max: number; connectionTimeoutMillis: number }

/**
 * Whoever gets no connection in this time is told "timeout exceeded when trying to connect": the door answers 503, the worker rests and
 * tries again, a page fails. Longer than the busiest page keeps others waiting.
 */
const MAIN: Size = { max: 20, connectionTimeoutMillis: 10_000 }
/** More than a worker's tasks take, four at once with one lock inside another. A shopper waits for one, so not for long. */
const LOCKS: Size = { max: 10, connectionTimeoutMillis: 4_000 }
const TOKEN_LOCKS: Size = { max: 5, connectionTimeoutMillis: 4_000 }

/**
 * What a process that vanished (its host or the network went, or it was stopped) held at the database is given back within half a minute:
 * the server asks silent connections whether they live, and ends transactions in which nothing is said. Said on the connection, since
 * PgBouncer takes no such settings with its opening.
 */
const LETS_GO = `set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3;
  set idle_in_transaction_session_timeout = '30s'`

const onConnect = (client: pg.ClientBase) =>
  new Promise<void>((resolve, reject) => client.query(LETS_GO, (error) => (error ? reject(error) : resolve())))

/**
 * The driver's client, asked with a callback. Its own promises are made by `query.callback = (…) => …`, and V8 makes a function that is assigned
 * to a property in old space at once, since most such live long (pg 8.23 client.js; V8 src/parsing/parser-base.h,
 * `set_pretenure`). What it sees lives on with it until old space is full: every statement with all that it was sent with.
 */
export class DatabaseClient extends pg.Client {}
const ask = pg.Client.prototype.query as (this: pg.Client, ...given: unknown[]) => unknown
DatabaseClient.prototype.query = function (this: pg.Client, ...given: unknown[]): unknown {
  const [statement, values] = given
  const answersItself = typeof (statement as { submit?: unknown }).submit === 'function'
  if (answersItself || typeof given.at(-1) === 'function') return ask.apply(this, given)
  return new Promise((resolve, reject) => {
    ask.call(this, statement, values, (error: Error | null, result: unknown) =>
      error ? reject(error) : resolve(result),
    )
  }).catch((error: Error) => {
    // As the driver does: who asked, and not which bytes came in.
    Error.captureStackTrace(error)
    throw error
  })
} as pg.Client['query']

function openPool(size: Size): pg.Pool {
  const settings = {
    connectionString: databaseUrl(),
    application_name: 'perennial',
    onConnect,
    Client: DatabaseClient,
    ...size,
  }
  const opened = new pg.Pool(settings)
  // An idle connection that the server closes (a restart) is replaced at the next use; without a listener it would end the process.
  opened.on('error', () => {})
  opened.on('connect', (client) => client.on('error', () => {}))
  return opened
}

/** An object that is made when something first reads a property of it. */
function atFirstUse<Made extends object>(make: () => Made): Made {
  return new Proxy({} as Made, {
    get(_, name) {
      const made = make()
      const value: unknown = Reflect.get(made, name, made)
      return typeof value === 'function' ? value.bind(made) : value
    },
    has: (_, name) => Reflect.has(make(), name),
  })
}

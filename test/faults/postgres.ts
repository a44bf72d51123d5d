// PostgreSQL under a schedule: each statement of an actor is a turn, and connections can be made to go. The seam is the driver
// (`pg`, as `db/client` has it), so that nothing in the app knows.
import pg from 'pg'
import { DatabaseClient } from '#app/db/client.server.ts'
import { currentActor, type Actor, type Fault, type Schedule, type Waiter } from './schedule.ts'

type Asked = { text?: string; name?: string } | string
type Client = pg.PoolClient & { processID: number }
type Query = (this: unknown, ...args: unknown[]) => Promise<unknown>
type Connect = (this: unknown, ...args: unknown[]) => Promise<Client>

/** Who watches over the database: a connection of the test's own. */
export type Watch = {
  query: pg.Client['query']
  /** Ends every connection of the app: by the server's own means, or by stopping the server and starting it again. */
  restart: () => Promise<void>
  /** An actor's transaction has been committed. */
  onCommit: (actor: Actor) => Promise<void>
  /** An actor's statement has been carried out. */
  onStatement: (label: string) => Promise<void>
}

/** What the app sees when a connection goes. */
const GONE = 'Connection terminated unexpectedly (a fault of the test)'

/** Puts the driver under the schedule; returns how to take it out again. */
export function schedulePostgres(schedule: Schedule, watch: Watch): () => void {
  const tap = new Tap(schedule, watch)
  schedule.letGo = (actor) => tap.letGo(actor)
  const clients = DatabaseClient.prototype as unknown as { query: Query; connect: Connect }
  const pools = pg.Pool.prototype as unknown as { query: Query; connect: Connect }
  const [query, open, poolQuery, connect] = [clients.query, clients.connect, pools.query, pools.connect]
  clients.connect = function (this: unknown, ...args) {
    const client = this as Client & { connectionParameters: { application_name?: string } }
    if (client.connectionParameters.application_name === 'perennial') tap.note(client)
    return open.apply(this, args)
  } as Connect
  clients.query = function (this: unknown, ...args) {
    const isLibrarys = typeof args.at(-1) === 'function'
    if (!currentActor() || isLibrarys) return query.apply(this, args)
    return tap.ask(this as Client, args[0] as Asked, () => query.apply(this, args))
  }
  pools.connect = async function (this: unknown, ...args) {
    const actor = currentActor()
    if (!actor || args.length > 0) return connect.apply(this, args)
    return tap.hand(actor, await connect.apply(this, args))
  } as Connect
  pools.query = function (this: unknown, ...args) {
    const actor = currentActor()
    if (!actor || typeof args.at(-1) === 'function') return poolQuery.apply(this, args)
    return tap.askOnce(
      actor,
      args[0] as Asked,
      () => connect.call(this),
      (client) => query.apply(client, args),
    )
  }
  return () => {
    tap.goOn()
    clients.query = query
    clients.connect = open
    pools.connect = connect
    pools.query = poolQuery
  }
}

/** One seed's connections. */
class Tap {
  readonly #schedule: Schedule
  readonly #watch: Watch
  readonly #open = new Set<Client>()
  readonly #stopped = new Set<Client>()
  #isRestarting = false

  constructor(schedule: Schedule, watch: Watch) {
    this.#schedule = schedule
    this.#watch = watch
  }

  /** A statement on a connection that an actor has taken out. */
  ask(client: Client, asked: Asked, run: () => Promise<unknown>): Promise<unknown> {
    const actor = currentActor()!
    const label = labelOf(asked)
    return this.#schedule.pass(
      'statement',
      label,
      (fault) => this.#carry(actor, client, label, run, fault),
      this.#waiter(() => client, client),
    )
  }

  /** A statement that the pool finds a connection for. */
  askOnce(
    actor: Actor,
    asked: Asked,
    connect: () => Promise<Client>,
    run: (client: Client) => Promise<unknown>,
  ): Promise<unknown> {
    const label = labelOf(asked)
    let used: Client | undefined
    const work = async (fault: Fault) => {
      if (fault === 'restart') await this.#restart()
      const client = (used = this.hand(actor, await connect()))
      let problem: Error | undefined
      try {
        return await this.#carry(actor, client, label, () => run(client), fault === 'restart' ? 'none' : fault)
      } catch (error) {
        problem = error as Error
        throw error
      } finally {
        if (actor.held.has(client)) client.release(problem)
      }
    }
    return this.#schedule.pass(
      'statement',
      label,
      work,
      this.#waiter(() => used),
    )
  }

  /** Notes that the app has opened a connection. */
  note(client: Client): void {
    this.#open.add(client)
    client.once('end', () => this.#open.delete(client))
  }

  /** Notes that the connection is this actor's until it gives it back. */
  hand(actor: Actor, client: Client): Client {
    actor.held.add(client)
    const release = client.release
    client.release = (problem) => {
      actor.held.delete(client)
      release.call(client, problem)
    }
    return client
  }

  async #carry(
    actor: Actor,
    client: Client,
    label: string,
    run: () => Promise<unknown>,
    fault: Fault,
  ): Promise<unknown> {
    if (fault === 'restart') await this.#restart()
    const [what, when] = fault.split('-')
    const isBefore = when === 'before'
    let result: unknown
    if (!isBefore) {
      try {
        result = await run()
        await this.#watch.onStatement(label)
        if (/^commit\b/i.test(label)) await this.#watch.onCommit(actor)
      } catch (error) {
        if (when === undefined) throw error
      }
    }
    if (what === 'breaks') {
      await this.#close(client)
      throw new Error(GONE)
    }
    if (what === 'dies') await this.#schedule.die(actor)
    return result
  }

  /** A dead actor's connections go, and with them its locks and what it had not committed. */
  async letGo(actor: Actor): Promise<void> {
    for (const held of [...actor.held] as Client[]) {
      await this.#close(held)
      held.release(new Error(GONE))
    }
  }

  /**
   * The server's process of a connection that waits for a lock is stopped (SIGSTOP) until its turn comes again: what it waits for
   * may be given to it meanwhile, it just does not go on.
   */
  #waiter(find: () => Client | undefined, lane: object | null = null): Waiter {
    const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
      const client = find()
      if (!client || !this.#open.has(client)) return
      process.kill(client.processID, name)
      if (name === 'SIGSTOP') this.#stopped.add(client)
      else this.#stopped.delete(client)
    }
    return {
      lane,
      isBlocked: () => {
        const client = find()
        return client ? this.#isBlocked(client) : Promise.resolve(false)
      },
      stop: () => signal('SIGSTOP'),
      go: () => signal('SIGCONT'),
    }
  }

  /** Lets all of the server's processes go on, whatever they wait for. */
  goOn(clients: Iterable<Client> = this.#stopped): void {
    for (const client of clients) if (this.#stopped.delete(client)) process.kill(client.processID, 'SIGCONT')
  }

  /** Ends a connection and waits until the server has undone what was open on it. */
  async #close(client: Client): Promise<void> {
    this.goOn([client])
    // A server that is being restarted does so by itself, and has nobody to ask.
    if (!this.#isRestarting) await this.#watch.query('select pg_terminate_backend($1, 30000)', [client.processID])
    await this.#untilClosed([client])
  }

  async #restart(): Promise<void> {
    this.#schedule.restarts += 1
    const open = [...this.#open]
    this.#isRestarting = true
    this.goOn()
    await this.#watch.restart()
    this.#isRestarting = false
    await this.#untilClosed(open)
  }

  /** Until the app's side has heard of it too. */
  async #untilClosed(clients: readonly Client[]): Promise<void> {
    for (const client of clients) {
      if (this.#open.has(client)) await new Promise<void>((resolve) => client.once('end', () => resolve()))
    }
  }

  async #isBlocked({ processID }: Client): Promise<boolean> {
    if (this.#isRestarting) return false
    const { rows } = await this.#watch.query<{ blocked: boolean }>(
      'select cardinality(pg_blocking_pids($1)) > 0 as blocked',
      [processID],
    )
    return rows[0]!.blocked
  }
}

/** What a trace calls a statement: its name, or its first words. */
function labelOf(asked: Asked): string {
  const { name, text } = typeof asked === 'string' ? { name: undefined, text: asked } : asked
  return name ?? (text ?? '').replace(/\s+/g, ' ').trim().slice(0, 60)
}

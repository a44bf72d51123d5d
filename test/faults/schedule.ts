// A *schedule* lets several *actors* (workers, jobs, shoppers) take turns: one at a time, in an order that a seed decides. An
// actor waits before everything that others can notice: a statement, a call to Shopify, a pause. Each such step is a *turn*. The
// schedule picks one of those who wait, lets it have its turn, waits until the actor stands before its next one, and picks again.
// So the same seed gives the same interleaving, and a turn is also where something can go wrong. Time is the schedule's: it moves
// by turns and pauses, never by itself.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Random } from './random.ts'

export type Kind = 'start' | 'statement' | 'call' | 'pause'

/**
 * What goes wrong at a turn. `breaks`: the connection goes; `dies`: the actor ends there and then, whatever it was doing; `restart`:
 * the database goes and comes back, for everybody; the others are answers of Shopify's, `lost` one that was given and never came.
 */
export type Fault =
  | 'none'
  | 'breaks-before'
  | 'breaks-after'
  | 'dies-before'
  | 'dies-after'
  | 'restart'
  | '500'
  | 'throttled'
  | 'timeout'
  | 'lost'

/** How often something goes wrong, as shares of the turns. */
export type Shares = { statement: number; call: number; restart: number }

const STATEMENT_FAULTS: readonly Fault[] = ['breaks-before', 'breaks-after', 'dies-before', 'dies-after']
const CALL_FAULTS: readonly Fault[] = ['500', 'throttled', 'timeout', 'lost', 'lost', 'dies-before', 'dies-after']

/** Somebody who works: a worker's round, a job's run, a shopper's request. */
export type Actor = {
  readonly name: string
  readonly index: number
  /** Ended in the middle, as a process does that is killed. */
  dead: boolean
  ended: boolean
  /** What it holds of the outside (connections), for whoever lets it die. */
  readonly held: Set<unknown>
  readonly end: (end: End) => void
}

/** How an actor ended. */
export type End = { how: 'done'; result: unknown } | { how: 'failed'; error: unknown } | { how: 'died' }

/** How to tell that a turn waits for something that another actor holds, and how to keep it from going on by itself then. */
export type Waiter = {
  isBlocked: () => Promise<boolean>
  stop: () => void
  go: () => void
  /** Turns of one lane (a connection) come in the order in which they were asked for; null: a lane of its own. */
  lane: object | null
}

const NEVER_BLOCKED: Waiter = { isBlocked: () => Promise.resolve(false), stop: () => {}, go: () => {}, lane: null }

type Turn = {
  actor: Actor | null
  kind: Kind
  label: string
  /** For pauses: when they are over. */
  dueAt: number
  carry: (fault: Fault) => Promise<void>
  waiter: Waiter
}

type Blocked = { turn: Turn; done: Promise<void>; isDone: () => boolean }

const ACTORS = new AsyncLocalStorage<Actor>()
const ROOT = path.resolve(import.meta.dirname, '../..')
const real = { setTimeout: globalThis.setTimeout, dateNow: Date.now, performanceNow: performance.now.bind(performance) }

/** A statement that takes longer than this is looked at: does it wait for another's lock? */
const LOOK_MS = 4
/** Nothing moves for this long (machine time): the test itself is at fault. */
const STUCK_MS = 30_000
/** Who has several questions on the way at once (Promise.all) is given so many turns of the event loop to ask on. */
const BREATHS = 3

/** The actor whose code runs now, null for the test's own. */
export function currentActor(): Actor | null {
  return ACTORS.getStore() ?? null
}

/** The turns of one seed. */
export class Schedule {
  /** The instant that everybody believes it is. */
  at: number
  /** The last steps, for a report; all of them when asked for. */
  readonly lines: string[] = []
  turns = 0
  faults = 0
  restarts = 0
  /** Takes from a dead actor what it held. */
  letGo: (actor: Actor) => Promise<void> = () => Promise.resolve()
  readonly #random: Random
  readonly #waiting: Turn[] = []
  #blocked: Blocked[] = []
  readonly #living = new Set<Actor>()
  readonly #hash = createHash('sha256')
  #shares: Shares = { statement: 0, call: 0, restart: 0 }
  #made = 0

  constructor(random: Random, at: number) {
    this.#random = random
    this.at = at
  }

  /** From now on this much goes wrong. */
  setShares(shares: Shares): void {
    this.#shares = shares
  }

  /** What stands for the order of all steps so far and what went wrong at each. */
  trace(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  /** Lets business time pass, if it is not that late already. */
  moveTo(at: number): void {
    this.at = Math.max(this.at + 1, at)
  }

  /** Puts an actor to work; resolves when it has ended, however that was. `run` lets it have its turns. */
  start(name: string, work: () => Promise<unknown>): Promise<End> {
    return new Promise<End>((resolve) => {
      const actor: Actor = {
        name,
        index: this.#made,
        dead: false,
        ended: false,
        held: new Set(),
        end: (end) => {
          if (actor.ended) return
          actor.ended = true
          this.#living.delete(actor)
          resolve(end)
        },
      }
      this.#made += 1
      this.#living.add(actor)
      ACTORS.run(actor, () => {
        this.pass('start', name, async () => {})
          .then(work)
          .then(
            (result) => actor.end({ how: 'done', result }),
            (error: unknown) => actor.end({ how: 'failed', error }),
          )
      })
    })
  }

  /** An actor dies: it takes no further step, and nobody waits for it. */
  async die(actor: Actor): Promise<void> {
    actor.dead = true
    const own = (turn: Turn) => turn.actor === actor
    for (let at = this.#waiting.length - 1; at >= 0; at -= 1) if (own(this.#waiting[at]!)) this.#waiting.splice(at, 1)
    this.#blocked = this.#blocked.filter(({ turn }) => !own(turn))
    await this.letGo(actor)
    actor.end({ how: 'died' })
  }

  /** A step of the actor whose code calls this; it is taken when the schedule says so. Whoever is no actor is not held up. */
  pass<Result>(
    kind: Kind,
    label: string,
    work: (fault: Fault) => Promise<Result>,
    waiter = NEVER_BLOCKED,
  ): Promise<Result> {
    const actor = currentActor()
    if (!actor) return work('none')
    return new Promise<Result>((resolve, reject) => {
      if (actor.dead) return
      const carry = (fault: Fault) =>
        work(fault).then(
          (result) => void (actor.dead || resolve(result)),
          (error: Error) => void (actor.dead || reject(error)),
        )
      this.#waiting.push({ actor, kind, label, dueAt: 0, carry, waiter })
    })
  }

  /** A pause of the actor's code, or (`null`) something that Shopify does a while later. */
  pause(actor: Actor | null, label: string, milliseconds: number, wake: () => void): void {
    const carry = () => {
      wake()
      return Promise.resolve()
    }
    const dueAt = this.at + milliseconds
    this.#waiting.push({ actor, kind: 'pause', label, dueAt, carry, waiter: NEVER_BLOCKED })
  }

  /** Lets everybody have turns until all actors have ended. Throws where nobody can go on. */
  async run(): Promise<void> {
    let movedAt = real.performanceNow()
    while (this.#living.size > 0) {
      await this.#lookAtBlocked()
      const ready = this.#findReady()
      if (ready.some(({ actor }) => actor !== null)) {
        movedAt = real.performanceNow()
        await this.#give(this.#pick(ready))
      } else if (real.performanceNow() - movedAt > STUCK_MS) {
        const who = [...this.#living].map(({ name }) => name).join(', ')
        throw new Error(`nobody can go on (${who}); the last steps:\n  ${this.lines.slice(-30).join('\n  ')}`)
      } else await this.#breakDeadlock()
    }
  }

  /** Who may have a turn: of each lane the first, where nothing before it is blocked. */
  #findReady(): Turn[] {
    const lanes = new Set<object>(this.#blocked.flatMap(({ turn }) => turn.waiter.lane ?? []))
    const ready = this.#waiting.filter(({ waiter: { lane } }) => {
      if (lane === null) return true
      const isFirst = !lanes.has(lane)
      lanes.add(lane)
      return isFirst
    })
    return ready.sort((one, other) => indexOf(one) - indexOf(other))
  }

  /** Statements and calls come before pauses, mostly: a pause may as well be over before anybody else has done anything. */
  #pick(ready: readonly Turn[]): Turn {
    const acting = ready.filter(({ kind }) => kind !== 'pause')
    const resting = ready.filter(({ kind }) => kind === 'pause')
    if (acting.length === 0) return this.#random.pick(resting)
    return this.#random.pick(resting.length > 0 && this.#random.happens(0.2) ? resting : acting)
  }

  async #give(turn: Turn): Promise<void> {
    this.#waiting.splice(this.#waiting.indexOf(turn), 1)
    this.moveTo(turn.dueAt)
    const fault = this.#drawFault(turn)
    const line = `${turn.actor ? `${turn.actor.index}-${turn.actor.name}` : 'shopify'} ${turn.kind} ${turn.label}${fault === 'none' ? '' : ` !${fault}`}`
    this.#hash.update(`${line}\n`)
    this.lines.push(line)
    this.turns += 1
    if (fault !== 'none') this.faults += 1
    let isDone = false
    const done = turn.carry(fault).then(() => {
      isDone = true
    })
    await this.#follow({ turn, done, isDone: () => isDone })
  }

  /** Waits until a turn is over and its actor stands before the next one, or until it waits for somebody else. */
  async #follow(blocked: Blocked): Promise<void> {
    for (;;) {
      await Promise.race([blocked.done, breathe(LOOK_MS)])
      if (blocked.isDone()) break
      if (!(await blocked.turn.waiter.isBlocked())) continue
      // Several who wait for the same lock are woken at once when it goes: stopped, they go on one after another.
      blocked.turn.waiter.stop()
      this.lines.push(`  (${blocked.turn.actor?.index} waits with ${blocked.turn.label})`)
      if (!this.#blocked.includes(blocked)) this.#blocked.push(blocked)
      return
    }
    this.#blocked = this.#blocked.filter((each) => each !== blocked)
    if (blocked.turn.actor) await this.#untilItWaits(blocked.turn.actor)
  }

  /** What another has let go of meanwhile goes on, before anybody else has a turn. */
  async #lookAtBlocked(): Promise<void> {
    const inOrder = [...this.#blocked].sort((one, other) => indexOf(one.turn) - indexOf(other.turn))
    for (const blocked of inOrder) {
      if (blocked.turn.actor?.dead) continue
      if (!blocked.isDone() && (await blocked.turn.waiter.isBlocked())) continue
      this.lines.push(`  (${blocked.turn.actor?.index} goes on with ${blocked.turn.label})`)
      blocked.turn.waiter.go()
      await this.#follow(blocked)
    }
  }

  /** All who could go on wait for each other: the server finds that out and refuses one of them, the first one here. */
  async #breakDeadlock(): Promise<void> {
    const [first] = [...this.#blocked].sort((one, other) => indexOf(one.turn) - indexOf(other.turn))
    if (!first) return breathe(1)
    first.turn.waiter.go()
    await Promise.race([first.done, breathe(STUCK_MS)])
  }

  async #untilItWaits(actor: Actor): Promise<void> {
    const startedAt = real.performanceNow()
    for (let breaths = 0; !actor.ended; breaths += 1) {
      const waits = this.#waiting.some((turn) => turn.actor === actor)
      if (breaths >= BREATHS && (waits || this.#blocked.some(({ turn }) => turn.actor === actor))) return
      if (real.performanceNow() - startedAt > STUCK_MS) {
        throw new Error(`${actor.name} does not come back; the last steps:\n  ${this.lines.slice(-30).join('\n  ')}`)
      }
      await breathe(breaths < 500 ? 0 : 1)
    }
  }

  #drawFault({ kind }: Turn): Fault {
    const { statement, call, restart } = this.#shares
    if (kind === 'statement') {
      if (this.#random.happens(restart)) return 'restart'
      return this.#random.happens(statement) ? this.#random.pick(STATEMENT_FAULTS) : 'none'
    }
    return kind === 'call' && this.#random.happens(call) ? this.#random.pick(CALL_FAULTS) : 'none'
  }

  /** Takes the machine's clocks and the pauses of the code under test over; returns how to give them back. */
  takeTime(): () => void {
    const startedAt = this.at
    Date.now = () => this.at
    performance.now = () => this.at - startedAt
    const setTimeout = (callback: (...args: unknown[]) => void, milliseconds = 0, ...args: unknown[]) => {
      const caller = callerOf(new Error().stack)
      if (caller === null) return real.setTimeout(callback, milliseconds, ...args)
      const actor = caller === 'app' ? currentActor() : null
      this.pause(actor, String(milliseconds), milliseconds, () => callback(...args))
      return { unref: () => {}, ref: () => {}, hasRef: () => false }
    }
    globalThis.setTimeout = setTimeout as unknown as typeof globalThis.setTimeout
    return () => {
      globalThis.setTimeout = real.setTimeout
      Date.now = real.dateNow
      delete (performance as { now?: unknown }).now
    }
  }
}

/** Whose code set a timer: the app's, Shopify's stand-in, or (null) a library that keeps the machine's time. */
function callerOf(stack = ''): 'app' | 'shopify' | null {
  const line = stack.split('\n')[2] ?? ''
  if (line.includes(`${ROOT}/app/`)) return currentActor() ? 'app' : null
  return line.includes(`${ROOT}/test/dev-store/api/`) ? 'shopify' : null
}

/** Shopify's own turns come last. */
function indexOf({ actor }: Turn): number {
  return actor?.index ?? Infinity
}

/** A moment of machine time; 0: one turn of the event loop. */
function breathe(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds === 0) setImmediate(resolve)
    else real.setTimeout(resolve, milliseconds)
  })
}

// Breaks the connections to the database under the app: before a statement is sent or after it was carried out, as if the process
// had died there. The server rolls back what was open; what was committed stays, and whoever asked never hears of it.
import pg from 'pg'
import type { Random } from './random.ts'

type Query = (...args: unknown[]) => unknown
type Breakable = { query: Query; connection: { stream: { destroy: () => void } } }

export type Breakage = { broken: () => number; end: () => void }

/** From now on each statement on one of the app's connections dies with that share, half of them after it was carried out. */
export function breakConnections(random: Random, share: number): Breakage {
  const prototype = pg.Client.prototype as unknown as Breakable
  const original = prototype.query
  let count = 0
  prototype.query = function (
    this: Breakable & { connectionParameters: { application_name?: string } },
    ...args: unknown[]
  ) {
    const isOurs = this.connectionParameters.application_name === 'perennial' && typeof args.at(-1) !== 'function'
    if (!isOurs || !random.happens(share)) return original.apply(this, args)
    count += 1
    const die = () => {
      this.connection.stream.destroy()
      throw new Error('Connection terminated unexpectedly (a fault of the test)')
    }
    if (random.happens(0.5)) return Promise.resolve().then(die)
    return (original.apply(this, args) as Promise<unknown>).then(die, die)
  }
  return {
    broken: () => count,
    end: () => {
      prototype.query = original
    },
  }
}

/** Tries again until it works, as a process that is started again does. */
export async function untilItWorks<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      const died = /terminated|closed|not queryable|ECONN|EPIPE|socket/i.test(String(error))
      if (!died || tries === 500) throw error
    }
  }
}

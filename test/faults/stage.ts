// Where everybody plays: puts them to work, and hears of whoever fails.
import { now } from '#app/clock.server.ts'
import { dropEffectsOfGoneShops } from '#app/db/outbox.server.ts'
import { eraseShops } from '#app/jobs/erase-shop.ts'
import { letTimePass, recheckWorkDue } from '#app/jobs/nightly.ts'
import { isWithoutSession } from '#app/shopify/admin-api.server.ts'
import type { End, Schedule } from './schedule.ts'

/** Work for all shops. */
const COMMON = {
  time: () => letTimePass(),
  recheck: () => recheckWorkDue(),
  erase: () => eraseShops(),
  drop: () => dropEffectsOfGoneShops(now()),
}

/** One seed's players. */
export class Stage {
  readonly problems: string[] = []
  readonly #schedule: Schedule

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  /** Lets all of them have their turns until each has ended. */
  async together(players: readonly Promise<void>[]): Promise<void> {
    await this.#schedule.run()
    await Promise.all(players)
  }

  async common(name: keyof typeof COMMON): Promise<void> {
    await this.watch(name, COMMON[name])
  }

  /** Puts somebody to work. Whoever dies, or loses the database or Shopify, is let go; anything else is a problem. */
  async watch(name: string, work: () => Promise<unknown>): Promise<End> {
    const end = await this.#schedule.start(name, work)
    if (end.how === 'failed' && !isExcused(end.error)) {
      this.problems.push(`${name} failed: ${end.error instanceof Error ? end.error.stack : String(end.error)}`)
    }
    return end
  }
}

/** The outside was away: whoever comes next goes on. */
function isExcused(error: unknown): boolean {
  // What Shopify's library throws where no token is to be had.
  if (error instanceof Response || isWithoutSession(error)) return true
  const { name, code, message } = error as { name?: string; code?: string; message?: string }
  if (name === 'AdminApiError' || name === 'TimeoutError' || message?.startsWith('The bulk result cannot be'))
    return true
  return (
    /^(57P0|08)/.test(code ?? '') || /terminated|not queryable|connection error|Client was closed/i.test(message ?? '')
  )
}

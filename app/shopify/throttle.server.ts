/**
 * Shopify meters the Admin API per app and shop: a *bucket* holds points, every operation costs some, and the bucket fills again
 * at a steady rate. Each reply says how full it is (`extensions.cost`, shopify.dev "API rate limits", 2026-10). We keep the last
 * word of Shopify per shop and wait before asking, so that background work never floods a shop's bucket.
 *
 * Waiting is measured on the machine's own monotonic clock: it is not business time.
 */

/** The state of a bucket as a reply gives it. Points, points, points per second. */
export type ThrottleStatus = { maximumAvailable: number; currentlyAvailable: number; restoreRate: number }

/** The bucket as we believe it: `available` points at the monotonic instant `at` (ms). */
export type Level = { available: number; maximum: number; restoreRate: number; at: number }

/** Shopify's smallest plan (Standard): the belief before the first reply. */
const STANDARD: Omit<Level, 'at'> = { available: 1000, maximum: 1000, restoreRate: 50 }

/**
 * Returns how many milliseconds to wait until `cost` points are there: (cost − available) ÷ restore rate, rounded up, 0 when they
 * already are. An operation dearer than the whole bucket waits for a full one; Shopify then refuses it by itself.
 */
export function waitMs(level: Level, cost: number, at: number): number {
  const restored = level.available + ((at - level.at) * level.restoreRate) / 1000
  const available = Math.min(level.maximum, restored)
  const wanted = Math.min(cost, level.maximum)
  return available >= wanted ? 0 : Math.ceil(((wanted - available) / level.restoreRate) * 1000)
}

/** The turns of one shop's requests. */
export type Throttle = {
  /**
   * Waits for its turn and until `cost` points should be there, then takes them. Returns the milliseconds it waited, or
   * `{ ok: false }` at once if that would be longer than `patienceMs`: nothing is taken then.
   */
  admit: (cost: number, patienceMs: number) => Promise<{ ok: true; waitedMs: number } | { ok: false; waitMs: number }>
  /** Takes Shopify's word for how full the bucket is. */
  learn: (status: ThrottleStatus) => void
}

/** Makes the throttle of one shop. `clock` is monotonic, in milliseconds. */
export function makeThrottle(clock: () => number = () => performance.now()): Throttle {
  let level: Level = { ...STANDARD, at: clock() }

  function take(cost: number): void {
    const at = clock()
    const restored = Math.min(level.maximum, level.available + ((at - level.at) * level.restoreRate) / 1000)
    level = { ...level, available: restored - cost, at }
  }

  return {
    async admit(cost, patienceMs) {
      const wait = waitMs(level, cost, clock())
      if (wait > patienceMs) return { ok: false, waitMs: wait }
      // Taken before the wait: whoever asks meanwhile sees a bucket that is already promised, and queues behind.
      take(cost)
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      return { ok: true, waitedMs: wait }
    },
    learn(status) {
      level = {
        available: status.currentlyAvailable,
        maximum: status.maximumAvailable,
        restoreRate: Math.max(1, status.restoreRate),
        at: clock(),
      }
    },
  }
}

const throttles = new Map<string, Throttle>()

/** The one throttle of a shop in this process. Other processes learn of our use from Shopify's replies. */
export function throttleOf(shop: string): Throttle {
  const known = throttles.get(shop)
  if (known) return known
  const made = makeThrottle()
  throttles.set(shop, made)
  return made
}

/** Where the dev store's preload puts the number of milliseconds by which it has moved time (test/dev-store/attach.ts). */
const OFFSET = Symbol.for('perennial.clock.offsetMs')

/**
 * The instant that the business believes it is: epoch milliseconds, UTC.
 *
 * Everything that decides about holds, expiry, tiers or campaigns asks here and nowhere else, so that the dev store can
 * move time for the app and the shop alike. Nothing in `app/` sets the offset and no request or setting reaches it: only
 * a preload named on the command line can, so in production time is the machine's.
 */
export function now(): number {
  const offsetMs = (globalThis as Record<symbol, unknown>)[OFFSET]
  return Date.now() + (typeof offsetMs === 'number' && Number.isFinite(offsetMs) ? Math.trunc(offsetMs) : 0)
}

/**
 * A *reward* is what points buy; a *redemption* is one purchase of it: points are reserved, a code that Shopify knows is got hold of, then the points
 * are committed or released (SEMANTICS 24 to 31).
 */
import type { Draw } from './lots.ts'

/**
 * `reserved`: points are set aside, no code yet. `issued`: the shopper holds the code. `ending`: the code ran out or is cancelled, and we wait for
 * Shopify to confirm that it is gone and was not used (only with `confirmCodes`). `used`: an order has it. `returned`: all points came back.
 */
export type RedemptionState = 'reserved' | 'issued' | 'ending' | 'used' | 'returned'

export type Redemption = {
  /** Our id (`rdm_…`); in the simulator the code. */
  id: string
  /** The member who spent the points; follows merges. */
  member: string
  /** The reward's id in the program. */
  reward: string
  /** The reward's type, as it was then: store credit and gift cards do not come back with an order (SEMANTICS 29). */
  type: 'amount' | 'percentage' | 'shipping' | 'product' | 'store-credit' | 'gift-card'
  /** Points spent. */
  points: number
  /** What it gives: money as decimal text ("5.00"), a percentage ("10"), or null (shipping, product). */
  value: string | null
  state: RedemptionState
  /** Null while reserved. */
  code: string | null
  reservedAt: number
  /** The instant from which the code is worth nothing; null: no end. */
  expiresAt: number | null
  /** The lots the points came from, in the order they were spent. */
  draws: readonly Draw[]
  /** Points given back so far. */
  returned: number
  /** The order that used the code, null while none did. */
  order: string | null
  /** When the points came back because the code ran out or was cancelled: an order placed before it keeps the code (SEMANTICS 30). Null otherwise. */
  endedAt: number | null
  /** How often points moved for it after the commit; makes the keys of those transfers unique. */
  moves: number
}

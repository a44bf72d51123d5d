/**
 * A *lot* is points that were earned together and expire together. A member's available points are what is left in the lots, minus the *deficit*:
 * points that were taken back after they had been spent (SEMANTICS 14 to 18).
 */

/** Points earned at one instant from one source. Kept while anything is pending or available; a closed lot is opened again by a return. */
export type Lot = {
  /** The order's gid, or the key of the credit; unique within a member. */
  key: string
  /** The instant of earning, from which expiry counts. */
  earnedAt: number
  /** When `pending` becomes available; null where nothing waits. */
  releaseAt: number | null
  /** The first instant at which these points are gone; null where they do not expire by lot. */
  expiresAt: number | null
  pending: number
  available: number
}

/** Points that a redemption took from one lot; it carries the lot's dates, so that the lot can be opened again. */
export type Draw = {
  lot: string
  earnedAt: number
  expiresAt: number | null
  /** Points taken and not given back yet. */
  points: number
}

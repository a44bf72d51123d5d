/**
 * A *tier* is a level of the program that a member is in. What counts towards it is kept as *activity*: one small entry per order or event, dated by
 * placing, so that a metric over a window is a sum (SEMANTICS 32 to 37).
 */

/** What one order, event or adjustment counts for. Replaced, not added to, when its order changes; removed when it counts for nothing. */
export type Activity = {
  /** The order's gid, or the key of the event. */
  key: string
  /** `processedAt` of an order, the event's instant otherwise: windows go by placing. */
  at: number
  points: number
  spendMinor: number
  /** The exact fraction of a minor unit left out of `spendMinor`, "1/3", or null. */
  spendRest: string | null
  orders: number
}

/** A member's place in the tiers. */
export type TierStanding = {
  /** The level's id; null in a program without tiers. */
  level: string | null
  /** Changes of level, oldest first: which tier a late order found at its placing. The first entry is the beginning. */
  history: readonly { at: number; level: string | null }[]
  /** The first of the reviews and refunds in a row that found too little for the level; null while it suffices. */
  failingSince: number | null
  /** Levels whose entry reward was given: once per level per member, ever. */
  entryRewarded: readonly string[]
  /** A placement by hand. */
  manual: ManualPlacement | null
}

export type ManualPlacement = {
  level: string
  /** The instant it ends; null: until changed. */
  until: number | null
  reason: string
  actor: string
  /** True where it lifted the member: then more activity can still lift further. False where it lowered: then the level stays until the end. */
  raised: boolean
}

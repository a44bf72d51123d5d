/**
 * Lifecycle: *active* customers; *passive* ones, whose last order is 12 months old or older; *lost* ones, 24 months or older.
 * Months go back from T on the shop's clock, clamped at month ends.
 *
 * A *replacement cycle* is how long a purchase lasts, where the merchant has said so for a product, a type or a tag. An order with
 * one lasts that long instead of 12 months: its customer is passive once it is over and lost after twice the time, as far as no
 * other order lasts longer. So 5 silent years after a 10-year product are still loyal, whatever small things were bought since.
 */
import { addMonths, DAY_MS } from '../loyalty/time.ts'

/** Where a customer stands by the time since the last order. */
export type LifecycleStage = 'active' | 'passive' | 'lost'

/** How long an order lasts where nobody has said otherwise. */
export const DEFAULT_CYCLE_MONTHS = 12
/** The same where it is compared with cycles, which are days. */
const DEFAULT_CYCLE_DAYS = 365
/** The longest cycle that can be set: 30 years. */
export const LONGEST_CYCLE_DAYS = 10_957
/** More cycles than this a shop does not need. */
export const CYCLES_MAX = 100

/** Last orders at or before `passiveAt` are passive, at or before `lostAt` lost (then not passive). */
export type LifecycleLimits = { passiveAt: number; lostAt: number }

/** What counts as one product's replacement cycle: a product (gid), a product type or a tag, and how many days it lasts. */
export type ReplacementCycle = { of: 'product' | 'type' | 'tag'; value: string; days: number }

/** One product of an order, as far as cycles look at it. */
export type Bought = { product: string; type: string; tags: readonly string[] }

/** The limits at T for orders without a cycle. */
export function lifecycleLimits(asOf: number, timeZone: string): LifecycleLimits {
  return {
    passiveAt: addMonths(asOf, -DEFAULT_CYCLE_MONTHS, timeZone),
    lostAt: addMonths(asOf, -2 * DEFAULT_CYCLE_MONTHS, timeZone),
  }
}

/** The stage of a customer by its last order. */
export function lifecycleStage(lastAt: number, limits: LifecycleLimits): LifecycleStage {
  if (lastAt <= limits.lostAt) return 'lost'
  return lastAt <= limits.passiveAt ? 'passive' : 'active'
}

/**
 * The cycle that applies to a product: its own before its type's, its type's before its tags', the longest of several tags. Types
 * and tags are compared without regard to case, as Shopify does. Null where none is set.
 */
export function cycleOfProduct(bought: Bought, cycles: readonly ReplacementCycle[]): ReplacementCycle | null {
  const values = {
    product: [bought.product],
    type: [bought.type.toLowerCase()],
    tag: bought.tags.map((tag) => tag.toLowerCase()),
  }
  for (const name of ['product', 'type', 'tag'] as const) {
    const fitting = cycles.filter(({ of, value }) => {
      return of === name && values[name].includes(name === 'product' ? value : value.toLowerCase())
    })
    if (fitting.length > 0) return fitting.reduce((longest, cycle) => (cycle.days > longest.days ? cycle : longest))
  }
  return null
}

/**
 * How many days an order lasts: as long as what lasts longest in it (who bought a mattress and a pillow is given the mattress's
 * time), where 12 months stand for whatever has no cycle. Null: those 12 months, on the calendar.
 */
export function cycleOf(bought: readonly Bought[], cycles: readonly ReplacementCycle[]): number | null {
  const days = bought.map((item) => cycleOfProduct(item, cycles)?.days ?? null)
  const set = days.filter((value) => value !== null)
  const longest = Math.max(0, ...set)
  if (set.length === 0) return null
  return set.length < days.length && longest <= DEFAULT_CYCLE_DAYS ? null : longest
}

/** An order and the days that it lasts; without them, 12 months. */
export type LastingOrder = { at: number; cycleDays?: number | null }

/** From when on a customer is passive, and from when on lost, while no further order comes. */
export type OwnLimits = { passiveFrom: number; lostFrom: number }

/**
 * The limits of a customer's own, where some order has a cycle; null for all others, who go by {@link lifecycleLimits}. Cycles are
 * days of 24 hours; orders without one last 12 and 24 months on the shop's clock, clamped at month ends. `known` are the limits by
 * orders that are not given.
 */
export function ownLimits(
  orders: Iterable<LastingOrder>,
  timeZone: string,
  known: OwnLimits | null = null,
): OwnLimits | null {
  let limits = known
  let lastPlainAt = -Infinity
  for (const { at, cycleDays = null } of orders) {
    if (cycleDays === null) lastPlainAt = Math.max(lastPlainAt, at)
    else limits = later(limits, { passiveFrom: at + cycleDays * DAY_MS, lostFrom: at + 2 * cycleDays * DAY_MS })
  }
  if (limits === null || lastPlainAt === -Infinity) return limits
  return later(limits, {
    passiveFrom: addMonths(lastPlainAt, DEFAULT_CYCLE_MONTHS, timeZone),
    lostFrom: addMonths(lastPlainAt, 2 * DEFAULT_CYCLE_MONTHS, timeZone),
  })
}

function later(one: OwnLimits | null, other: OwnLimits): OwnLimits {
  if (one === null) return other
  return {
    passiveFrom: Math.max(one.passiveFrom, other.passiveFrom),
    lostFrom: Math.max(one.lostFrom, other.lostFrom),
  }
}

/** The stage at T of a customer with limits of its own. */
export function ownStage(limits: OwnLimits, asOf: number): LifecycleStage {
  if (asOf >= limits.lostFrom) return 'lost'
  return asOf >= limits.passiveFrom ? 'passive' : 'active'
}

/** How many customers are in each stage; the three add up to all. */
export function countLifecycle(lastAt: Iterable<number>, limits: LifecycleLimits): Record<LifecycleStage, number> {
  const counts = { active: 0, passive: 0, lost: 0 }
  for (const at of lastAt) counts[lifecycleStage(at, limits)]++
  return counts
}

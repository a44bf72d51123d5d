/**
 * Lifecycle: *active* customers; *passive* ones, whose last order is 12 months old or older; *lost* ones, 24 months or older.
 * Months go back from T on the shop's clock, clamped at month ends. Where the merchant sets a replacement cycle for a product,
 * a type or a tag, both limits scale with it: 5 silent years after a 10-year product are still loyal.
 */
import { addMonths } from '../loyalty/time.ts'

/** Where a customer stands by the time since the last order. */
export type LifecycleStage = 'active' | 'passive' | 'lost'

/** The cycle that the limits of 12 and 24 months are made for. */
export const DEFAULT_CYCLE_MONTHS = 12

/** Last orders at or before `passiveAt` are passive, at or before `lostAt` lost (then not passive). */
export type LifecycleLimits = { passiveAt: number; lostAt: number }

/** What counts as one product's replacement cycle: a product, a product type or a tag, and how long it lasts. */
export type ReplacementCycle = { of: 'product' | 'type' | 'tag'; value: string; months: number }

/** What a customer last bought, as far as cycles look at it. */
export type Bought = { product: string; type: string; tags: readonly string[] }

/** The limits at T for a replacement cycle of whole months (default 12, never less than that). */
export function lifecycleLimits(asOf: number, timeZone: string, cycleMonths = DEFAULT_CYCLE_MONTHS): LifecycleLimits {
  const months = Math.max(DEFAULT_CYCLE_MONTHS, cycleMonths)
  return { passiveAt: addMonths(asOf, -months, timeZone), lostAt: addMonths(asOf, -2 * months, timeZone) }
}

/** The stage of a customer by its last order. */
export function lifecycleStage(lastAt: number, limits: LifecycleLimits): LifecycleStage {
  if (lastAt <= limits.lostAt) return 'lost'
  return lastAt <= limits.passiveAt ? 'passive' : 'active'
}

/**
 * The replacement cycle in months of what was bought: the longest that applies (who bought a mattress and a pillow is given the
 * mattress's time); a product's own before its type's, its type's before its tags'. 12 where none is set.
 */
export function cycleOf(bought: readonly Bought[], cycles: readonly ReplacementCycle[]): number {
  const ofOne = (item: Bought): number => {
    const fits = (of: ReplacementCycle['of'], values: readonly string[]) =>
      cycles.filter((cycle) => cycle.of === of && values.includes(cycle.value)).map((cycle) => cycle.months)
    const own = [fits('product', [item.product]), fits('type', [item.type]), fits('tag', item.tags)]
    return Math.max(...(own.find((months) => months.length > 0) ?? [DEFAULT_CYCLE_MONTHS]))
  }
  return Math.max(DEFAULT_CYCLE_MONTHS, ...bought.map(ofOne))
}

/** How many customers are in each stage; the three add up to all. */
export function countLifecycle(lastAt: Iterable<number>, limits: LifecycleLimits): Record<LifecycleStage, number> {
  const counts = { active: 0, passive: 0, lost: 0 }
  for (const at of lastAt) counts[lifecycleStage(at, limits)]++
  return counts
}

/**
 * Which discounts a cart ends up with, by Shopify's rules (help.shopify.com, "Combining discounts"; Admin API 2026-10,
 * `DiscountCombinesWith`): two may stand together where each says it combines with the other's class; a line takes one product
 * discount; an order takes one shipping discount; product discounts come first, order discounts are each worked out on what
 * is left of the goods, then shipping. Among all sets that may stand together the shopper gets the one that saves most.
 */
import { applicationOf, lineMinor, spread, takeOff } from './discounts.ts'
import type { CatalogLine, Part } from './discounts.ts'
import type { Allocation, DiscountApplication, DiscountClass } from '../records.ts'

/** At most this many codes of goods and one of shipping, as at Shopify's checkout. */
export const CODES_MAX = 5

/** The discounts of a cart, worked out. Allocations are of whole lines. */
export type Combination = {
  applications: DiscountApplication[]
  lineAllocations: Allocation[][]
  shippingAllocations: Allocation[]
  savedMinor: number
  /** The parts that take something off, in the order of `applications`. */
  parts: Part[]
}

/** The set that saves the shopper most; among equals the one with more of the entered codes. */
export function bestCombination(
  lines: CatalogLine[],
  shippingMinor: number | null,
  parts: Part[],
  currency: string,
): Combination {
  let best = workOut(lines, shippingMinor, [], currency)
  for (const set of maximalSets(parts)) {
    const candidate = workOut(lines, shippingMinor, set, currency)
    if (isBetter(candidate, best)) best = candidate
  }
  return best
}

function isBetter(candidate: Combination, best: Combination): boolean {
  if (candidate.savedMinor !== best.savedMinor) return candidate.savedMinor > best.savedMinor
  return countCodes(candidate) > countCodes(best)
}

function countCodes({ parts }: Combination): number {
  return new Set(parts.flatMap((part) => (part.code ? [part.code.id] : []))).size
}

/** Whether two parts may stand together. The classes of one discount always do. */
export function mayCombine(a: Part, b: Part): boolean {
  if (a.discount.id === b.discount.id && a.class !== b.class) return true
  if (a.class === 'SHIPPING' && b.class === 'SHIPPING') return false
  return allows(a, b.class) && allows(b, a.class)
}

function allows({ discount: { combinesWith } }: Part, other: DiscountClass): boolean {
  if (other === 'ORDER') return combinesWith.orderDiscounts
  if (other === 'PRODUCT') return combinesWith.productDiscounts
  return combinesWith.shippingDiscounts
}

/** Every set of parts that stand together and to which none can be added (Bron–Kerbosch). */
function maximalSets(parts: Part[]): Part[][] {
  const sets: Part[][] = []
  const grow = (chosen: Part[], open: Part[], done: Part[]) => {
    if (open.length === 0 && done.length === 0) sets.push(chosen)
    for (const part of [...open]) {
      const fits = (other: Part) => other !== part && mayCombine(part, other)
      grow([...chosen, part], open.filter(fits), done.filter(fits))
      open = open.filter((other) => other !== part)
      done = [...done, part]
    }
  }
  grow([], parts, [])
  return sets
}

function workOut(lines: CatalogLine[], shippingMinor: number | null, set: Part[], currency: string): Combination {
  const combination: Combination = {
    applications: [],
    lineAllocations: lines.map(() => []),
    shippingAllocations: [],
    savedMinor: 0,
    parts: [],
  }
  const left = lines.map(lineMinor)
  const take = (part: Part, amounts: number[]) => {
    const total = amounts.reduce((sum, amount) => sum + amount, 0)
    if (total === 0) return
    const applicationIndex = combination.applications.length
    combination.applications.push(applicationOf(part, currency))
    combination.parts.push(part)
    combination.savedMinor += total
    for (const [at, amountMinor] of amounts.entries()) {
      if (amountMinor === 0) continue
      combination.lineAllocations[at]!.push({ applicationIndex, amountMinor })
      left[at] = left[at]! - amountMinor
    }
  }
  const products = set.filter((part) => part.class === 'PRODUCT')
  for (const part of products) {
    const wins = (at: number) =>
      products.every(
        (other) =>
          other === part ||
          other.perLineMinor[at]! < part.perLineMinor[at]! ||
          (other.perLineMinor[at] === part.perLineMinor[at] && products.indexOf(other) > products.indexOf(part)),
      )
    take(
      part,
      part.perLineMinor.map((amount, at) => (wins(at) ? amount : 0)),
    )
  }
  const afterProducts = [...left]
  for (const part of set) {
    if (part.class !== 'ORDER') continue
    const weights = afterProducts.map((amount, at) => (part.eligible[at] ? amount : 0))
    const off = takeOff(
      weights.reduce((sum, amount) => sum + amount, 0),
      part.value,
    )
    const amounts = spread(off, weights).map((amount, at) => Math.min(amount, left[at]!))
    take(part, amounts)
  }
  const shipping = set.find((part) => part.class === 'SHIPPING')
  if (shipping && shippingMinor) {
    combination.shippingAllocations.push({
      applicationIndex: combination.applications.length,
      amountMinor: takeOff(shippingMinor, shipping.value),
    })
    combination.applications.push(applicationOf(shipping, currency))
    combination.parts.push(shipping)
    combination.savedMinor += takeOff(shippingMinor, shipping.value)
  }
  return combination
}

import type { CartLinesInput, CartLinesResult, OrderCandidate, ProductCandidate } from './input.ts'
import { findGrants } from './offers.ts'

/**
 * The discounts on goods for a cart: at most one operation for each class, and only of classes that the discount has
 * (anything else fails the run). Shopify's Discount Function API 2026-10, `cart.lines.discounts.generate.run`.
 */
export function cartLinesDiscountsGenerateRun(input: CartLinesInput): CartLinesResult {
  const orders: OrderCandidate[] = []
  const products: ProductCandidate[] = []
  for (const { class: discountClass, message, value, eligibleIds, excludedIds } of findGrants(input, [
    'ORDER',
    'PRODUCT',
  ])) {
    if (value === undefined) continue
    if (discountClass === 'ORDER') {
      orders.push({ message, targets: [{ orderSubtotal: { excludedCartLineIds: excludedIds } }], value })
    } else {
      // Several lines in one candidate: a fixed amount is shared out over them once, not taken off each.
      products.push({ message, targets: eligibleIds.map((id) => ({ cartLine: { id } })), value })
    }
  }
  const operations: CartLinesResult['operations'] = []
  if (products.length > 0) {
    operations.push({ productDiscountsAdd: { selectionStrategy: 'MAXIMUM', candidates: products } })
  }
  if (orders.length > 0) operations.push({ orderDiscountsAdd: { selectionStrategy: 'MAXIMUM', candidates: orders } })
  return { operations }
}

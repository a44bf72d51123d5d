import type { DeliveryOptionsInput, DeliveryOptionsResult } from './input.ts'
import { findGrants } from './offers.ts'

/**
 * Free shipping for every delivery group of a cart, once, where an offer of the discount gives it. Shopify's Discount
 * Function API 2026-10, `cart.delivery-options.discounts.generate.run`.
 */
export function cartDeliveryOptionsDiscountsGenerateRun(input: DeliveryOptionsInput): DeliveryOptionsResult {
  const grant = findGrants(input, ['SHIPPING'])[0]
  const groups = input.cart.deliveryGroups
  if (grant === undefined || groups.length === 0) return { operations: [] }
  const candidate = {
    message: grant.message,
    targets: groups.map(({ id }) => ({ deliveryGroup: { id } })),
    value: { percentage: { value: '100' } },
  }
  return { operations: [{ deliveryDiscountsAdd: { selectionStrategy: 'ALL', candidates: [candidate] } }] }
}

import { readOffers, readShopper } from './configuration.ts'
import type { Offer, Shopper } from './configuration.ts'
import { convert, formatAmount, parseAmount } from './decimal.ts'
import type { CartLine, CartLinesInput, DiscountClass } from './input.ts'

/**
 * Which offers of a discount hold for this shopper and this cart.
 *
 * An *offer* is a tier's perk or a campaign. A line is *eligible* where the offer covers it: never a gift card, a reduced
 * item only where the offer says so, and, of a limited offer, only the products or collections it names. Minimums and bands
 * look at the eligible lines' money before any discount, in the cart's currency.
 *
 * Each tier's perk set and each campaign is a Shopify discount of its own, so that Shopify starts, ends and combines them by
 * `startsAt`, `endsAt` and `combinesWith`: two that do not combine give the shopper the better one. Inside one discount the
 * strategy MAXIMUM does the same.
 */

/** An offer that holds, with the lines it covers and the value it takes off. */
export type Grant = {
  class: DiscountClass
  message: string
  eligibleIds: string[]
  excludedIds: string[]
  /** Absent for free shipping. */
  value?: { percentage: { value: string } } | { fixedAmount: { amount: string } }
}

/** The offers that hold and whose class this discount may give; empty for anything unreadable. */
export function findGrants(input: CartLinesInput, classes: readonly DiscountClass[]): Grant[] {
  const offers = readOffers(input.discount.metafield?.jsonValue)
  if (offers.length === 0 || input.cart.lines.length === 0) return []
  const buyer = input.cart.buyerIdentity
  const shopper = readShopper(buyer?.isAuthenticated === true, buyer?.customer?.metafield?.jsonValue)
  const grants: Grant[] = []
  for (const offer of offers) {
    const discountClass = classOf(offer)
    if (!classes.includes(discountClass) || !input.discount.discountClasses.includes(discountClass)) continue
    if (!isFor(offer, shopper)) continue
    const grant = weigh(offer, discountClass, input)
    if (grant !== null) grants.push(grant)
  }
  return grants
}

/** Product discounts where an offer is limited to products or collections, else the whole order's; shipping apart. */
function classOf(offer: Offer): DiscountClass {
  if (offer.value.kind === 'shipping') return 'SHIPPING'
  return offer.products !== null || offer.collections ? 'PRODUCT' : 'ORDER'
}

/**
 * Tiers and segments need a proven login. Being held out does not: a typed e-mail address may take a campaign away, as
 * nobody gains by it, and the hold-out stays clean.
 */
function isFor(offer: Offer, shopper: Shopper): boolean {
  if (offer.campaign !== null && shopper.heldOut.includes(offer.campaign)) return false
  if (offer.tiers !== null) {
    if (!shopper.signedIn || shopper.tier === null || !offer.tiers.includes(shopper.tier)) return false
  }
  if (offer.segments !== null) {
    const wanted = offer.segments
    if (!shopper.signedIn || !shopper.segments.some((segment) => wanted.includes(segment))) return false
  }
  return true
}

/** The offer's grant on this cart, or null where nothing is eligible, a minimum is not met or an amount is unreadable. */
function weigh(offer: Offer, discountClass: DiscountClass, input: CartLinesInput): Grant | null {
  const currency = input.cart.cost.subtotalAmount.currencyCode
  const rate = input.presentmentCurrencyRate
  const eligibleIds: string[] = []
  const excludedIds: string[] = []
  let subtotal = 0
  for (const line of input.cart.lines) {
    if (!covers(offer, line)) {
      excludedIds.push(line.id)
      continue
    }
    const amount = parseAmount(line.cost.subtotalAmount.amount)
    if (amount === null) return null
    eligibleIds.push(line.id)
    subtotal += amount
  }
  if (eligibleIds.length === 0 || !Number.isSafeInteger(subtotal)) return null
  const minimum = convert(offer.minimumSubtotal, rate, currency, 'down')
  if (minimum === null || subtotal < minimum) return null
  const grant: Grant = { class: discountClass, message: offer.message, eligibleIds, excludedIds }
  if (offer.value.kind === 'shipping') return grant
  const value = valueOf(offer.value, subtotal, rate, currency)
  return value ? { ...grant, value } : null
}

function covers(offer: Offer, line: CartLine): boolean {
  const product = line.merchandise.product
  if (product === undefined) {
    // A custom item of a draft order: in no collection, no product.
    return line.merchandise.isGiftCard !== true && offer.products === null && !offer.collections
  }
  if (product.isGiftCard) return false
  if (!offer.saleItems && isReduced(line)) return false
  if (offer.products === null && !offer.collections) return true
  if (offer.collections && product.inAnyCollection) return true
  return offer.products !== null && offer.products.has(product.id.slice(product.id.lastIndexOf('/') + 1))
}

function isReduced(line: CartLine): boolean {
  const before = parseAmount(line.cost.compareAtAmountPerQuantity?.amount)
  const now = parseAmount(line.cost.amountPerQuantity.amount)
  return before !== null && now !== null && before > now
}

function valueOf(
  value: Exclude<Offer['value'], { kind: 'shipping' }>,
  subtotal: number,
  rate: unknown,
  currency: string,
): Grant['value'] | null {
  if (value.kind === 'percentage') return { percentage: { value: value.percentage } }
  if (value.kind === 'amount') {
    // Shopify reads a fixed amount in the cart's currency, and never takes off more than the lines cost.
    const amount = convert(value.amount, rate, currency, 'half-up')
    return amount ? { fixedAmount: { amount: formatAmount(amount, currency) } } : null
  }
  let reached: string | null = null
  for (const band of value.bands) {
    const from = convert(band.from, rate, currency, 'down')
    if (from === null) return null
    if (subtotal >= from) reached = band.percentage
  }
  return reached === null ? null : { percentage: { value: reached } }
}

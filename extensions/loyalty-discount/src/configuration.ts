import { parseAmount } from './decimal.ts'

/**
 * Reads what our app wrote: the discount's configuration (`$app` / `function-configuration`) and the member card on the
 * customer (`$app` / `member_card`). Written by hand and small, because a schema library would be most of the bundle. The
 * full contract, with which the app writes, is app/loyalty/discount-configuration.ts; a test holds the two together.
 *
 * Anything unreadable gives no discount and never an error: an error would take every discount of this run away.
 */

/** The only format this Function reads. A document of another version gives no discount. */
export const VERSION = 1

/** What an offer takes off. Amounts are ten-thousandths of the shop's currency, percentages Shopify's text (0–100). */
export type OfferValue =
  | { kind: 'percentage'; percentage: string }
  | { kind: 'amount'; amount: number }
  | { kind: 'bands'; bands: { from: number; percentage: string }[] }
  | { kind: 'shipping' }

/** One offer of a discount: a tier's perk, or a campaign. */
export type Offer = {
  message: string
  value: OfferValue
  /** The campaign's id, by which a member card says "held out"; null for a tier perk. */
  campaign: string | null
  /** Tiers and segments that may have it; null: no such condition. */
  tiers: string[] | null
  segments: string[] | null
  /** Product ids without their gid prefix; null with `collections` false: everything in the cart. */
  products: Set<string> | null
  collections: boolean
  saleItems: boolean
  /** Ten-thousandths of the shop's currency; 0: no minimum. */
  minimumSubtotal: number
}

/** What the Function needs to know of a shopper. */
export type Shopper = { signedIn: boolean; tier: string | null; segments: string[]; heldOut: string[] }

/** The offers of a configuration; none where it is absent, of another version, or unreadable in any part. */
export function readOffers(document: unknown): Offer[] {
  if (!isRecord(document) || document.version !== VERSION || !Array.isArray(document.offers)) return []
  const offers: Offer[] = []
  for (const each of document.offers as unknown[]) {
    const offer = readOffer(each)
    if (offer === null) return []
    offers.push(offer)
  }
  return offers
}

/**
 * The shopper as the card tells it. Without a readable card: nobody's member. `signedIn` is Shopify's word for a proven
 * login: the customer alone may come from an e-mail address that anybody typed into checkout.
 */
export function readShopper(signedIn: boolean, card: unknown): Shopper {
  if (!isRecord(card) || card.version !== VERSION) return { signedIn, tier: null, segments: [], heldOut: [] }
  const tier = isRecord(card.tier) && typeof card.tier.id === 'string' ? card.tier.id : null
  return { signedIn, tier, segments: readTexts(card.segments) ?? [], heldOut: readTexts(card.heldOut) ?? [] }
}

function readOffer(offer: unknown): Offer | null {
  if (!isRecord(offer) || typeof offer.message !== 'string') return null
  const value = readValue(offer.value)
  const minimumSubtotal = offer.minimumSubtotal === undefined ? 0 : parseAmount(offer.minimumSubtotal)
  const tiers = offer.tiers === undefined ? null : readTexts(offer.tiers)
  const segments = offer.segments === undefined ? null : readTexts(offer.segments)
  const products = offer.products === undefined ? null : readTexts(offer.products)
  if (value === null || minimumSubtotal === null) return null
  if (offer.tiers !== undefined && tiers === null) return null
  if (offer.segments !== undefined && segments === null) return null
  if (offer.products !== undefined && products === null) return null
  if (typeof offer.saleItems !== 'boolean' || typeof offer.collections !== 'boolean') return null
  if (offer.campaign !== undefined && typeof offer.campaign !== 'string') return null
  return {
    message: offer.message,
    value,
    campaign: offer.campaign ?? null,
    tiers,
    segments,
    products: products && new Set(products),
    collections: offer.collections,
    saleItems: offer.saleItems,
    minimumSubtotal,
  }
}

function readValue(value: unknown): OfferValue | null {
  if (!isRecord(value)) return null
  if (value.shipping === true) return { kind: 'shipping' }
  if (value.percentage !== undefined) {
    return isPercentage(value.percentage) ? { kind: 'percentage', percentage: value.percentage } : null
  }
  if (value.amount !== undefined) {
    const amount = parseAmount(value.amount)
    return amount === null || amount === 0 ? null : { kind: 'amount', amount }
  }
  return readBands(value.bands)
}

/** Bands ascend, so that the last one reached is the right one; out of order they are unreadable. */
function readBands(list: unknown): OfferValue | null {
  if (!Array.isArray(list) || list.length === 0) return null
  const bands: { from: number; percentage: string }[] = []
  let previous = -1
  for (const band of list as unknown[]) {
    if (!isRecord(band) || !isPercentage(band.percentage)) return null
    const from = parseAmount(band.from)
    if (from === null || from <= previous) return null
    bands.push({ from, percentage: band.percentage })
    previous = from
  }
  return { kind: 'bands', bands }
}

function isPercentage(value: unknown): value is string {
  const scaled = typeof value === 'string' ? parseAmount(value) : null
  return scaled !== null && scaled > 0 && scaled <= 1_000_000
}

function readTexts(list: unknown): string[] | null {
  if (!Array.isArray(list)) return null
  for (const each of list as unknown[]) if (typeof each !== 'string') return null
  return list as string[]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

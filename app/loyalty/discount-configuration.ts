import { z } from 'zod'

/**
 * The *configuration* of a discount is what our discount Function reads from the discount's own metafields: which *offers*
 * it gives, to whom and on what. An offer is a tier's perk or a campaign. One Shopify discount holds all tier perks; each
 * campaign is a discount of its own, because Shopify's `startsAt` and `endsAt` are its window and `combinesWith` its manners.
 *
 * Written here, with zod; read by hand in extensions/loyalty-discount/src/configuration.ts, where every byte counts. The two
 * are held together by test/extensions/discount-configuration.test.ts. A change that the old reader would misread gets a new
 * version number; deploy the Function first, then write the new documents.
 */

/** `$app` metafields on the discount. The second fills the variables of the input query. */
export const CONFIGURATION_NAMESPACE = '$app'
export const CONFIGURATION_KEY = 'function-configuration'
export const VARIABLES_KEY = 'function-variables'
/** Handle of the Function in extensions/loyalty-discount/shopify.extension.toml. */
export const DISCOUNT_FUNCTION_HANDLE = 'loyalty-discount'

/** The key of the discount that holds all tier perks. */
export const TIERS_KEY = 'tiers'

/** The key of a campaign's discount. */
export function campaignKey(id: string): string {
  return `campaign:${id}`
}

/** A Function is given null for a longer metafield (Shopify's Functions limits), so it would give no discount. */
export const CONFIGURATION_BYTES_MAX = 10_000
/** Shopify's limit for a list variable of an input query. */
export const COLLECTIONS_MAX = 100
/** Steps of one offer, offers of one discount, and characters of what shoppers read. Ours: no shop needs more, and the Function stays fast. */
export const BANDS_MAX = 50
export const OFFERS_MAX = 50
export const MESSAGE_LENGTH_MAX = 255

const money = z.string().regex(/^\d{1,12}(\.\d{1,4})?$/, 'money as a plain decimal, like "50.00"')
const percentage = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,2})?$/, 'a percentage with at most 2 decimals, like "12.5"')
  .refine((text) => Number(text) > 0 && Number(text) <= 100, 'above 0, at most 100')

const BandSchema = z.strictObject({ from: money, percentage })

/** One offer. Money is in the shop's currency; Shopify converts for the cart by `presentmentCurrencyRate`. */
export const OfferSchema = z.strictObject({
  /** Shown on the cart line or the order: "Gold: 10 % off". */
  message: z.string().min(1).max(MESSAGE_LENGTH_MAX),
  value: z.union([
    z.strictObject({ percentage }),
    z.strictObject({ amount: money }),
    z.strictObject({
      bands: z
        .array(BandSchema)
        .min(1)
        .max(BANDS_MAX)
        .refine((bands) => isAscending(bands.map((band) => band.from)), 'bands ascend by "from", each once'),
    }),
    z.strictObject({ shipping: z.literal(true) }),
  ]),
  /** The campaign whose hold-out keeps a shopper from this offer: `heldOut` of the member card. */
  campaign: z.string().optional(),
  /** Any of these tiers, signed in. */
  tiers: z.array(z.string()).min(1).optional(),
  /** Any of these segments, signed in. Beside `tiers`: both must hold. */
  segments: z.array(z.string()).min(1).optional(),
  /** Ids of products without `gid://shopify/Product/`: short, for the byte limit. */
  products: z.array(z.string().regex(/^\d+$/)).min(1).optional(),
  /** Whether lines in the collections of the variables are covered too. */
  collections: z.boolean(),
  /** Whether reduced items (a compare-at price above the price) are covered. */
  saleItems: z.boolean(),
  /** Of the covered lines, before any discount. */
  minimumSubtotal: money.optional(),
})

/** What is written on one discount of ours, for the Function to read. */
export const DiscountConfigurationSchema = z.strictObject({
  version: z.literal(1),
  /** Whose discount this is: `tiers`, or `campaign:<id>`. The Function does not read it; the app finds its discounts by it. */
  key: z.string().min(1),
  offers: z.array(OfferSchema).min(1).max(OFFERS_MAX),
})

/** One offer as the Function reads it. */
export type DiscountOffer = z.infer<typeof OfferSchema>
/** A discount's configuration, parsed. */
export type DiscountConfiguration = z.infer<typeof DiscountConfigurationSchema>
/** Shopify's discount classes (Admin API 2026-10, `DiscountClass`). */
export type FunctionDiscountClass = 'ORDER' | 'PRODUCT' | 'SHIPPING'

/** What to write on a discount of ours: the texts of its two metafields, and the classes it must be created with. */
export type DiscountDocuments = {
  ok: true
  key: string
  configuration: string
  variables: string
  discountClasses: FunctionDiscountClass[]
}
/** Why there are no documents: nothing to give, more than Shopify lets a Function read, or (`unreadable`) nothing that ours would. */
export type DiscountRefusal =
  | { ok: false; reason: 'nothing_to_give' }
  | { ok: false; reason: 'too_large'; bytes: number; bytesMax: number }
  | { ok: false; reason: 'too_many_collections'; collections: number; collectionsMax: number }
  | { ok: false; reason: 'too_many_bands'; bands: number; bandsMax: number }
  | { ok: false; reason: 'too_many_offers'; offers: number; offersMax: number }
  | { ok: false; reason: 'name_too_long'; length: number; lengthMax: number }
  | { ok: false; reason: 'unreadable'; detail: string }

/** A tier as the program document has it. */
type TierLevel = { id: string; name: string; discountPercent?: string | number; freeShipping?: boolean }

/** A campaign as the program document has it; a points multiplier is no discount and gives `nothing_to_give`. */
type Campaign = {
  id: string
  name: string
  /** Exactly one of these is given (the program schema sees to it). */
  offer: {
    percentage?: string | number
    amount?: string
    bands?: readonly { from: string; percentage: string | number }[]
    shipping?: true
    pointsMultiplier?: string | number
  }
  audience?: { tiers?: readonly string[]; segments?: readonly string[] }
  products?: readonly string[]
  collections?: readonly string[]
  minimumSubtotal?: string
  saleItems?: boolean
}

/**
 * The documents of the discount that gives all tier perks. `nothing_to_give` where no tier takes anything off at checkout:
 * then there is no discount to create. A perk covers everything but gift cards, reduced items included.
 */
export function documentsForTiers(levels: readonly TierLevel[]): DiscountDocuments | DiscountRefusal {
  const offers: DiscountOffer[] = []
  for (const level of levels) {
    const whom = { tiers: [level.id], collections: false, saleItems: true }
    if (level.discountPercent !== undefined && Number(level.discountPercent) > 0) {
      const percentage = String(level.discountPercent)
      offers.push({ message: `${level.name}: ${percentage}% off`, value: { percentage }, ...whom })
    }
    if (level.freeShipping) {
      offers.push({ message: `${level.name}: free shipping`, value: { shipping: true }, ...whom })
    }
  }
  return write(TIERS_KEY, offers, [])
}

/** The documents of one campaign's discount, or why it cannot be one. */
export function documentsForCampaign(campaign: Campaign): DiscountDocuments | DiscountRefusal {
  const { offer, audience, products, collections } = campaign
  const value = valueOf(offer)
  if (value === null) return { ok: false, reason: 'nothing_to_give' }
  return write(
    campaignKey(campaign.id),
    [
      {
        message: campaign.name,
        value,
        campaign: campaign.id,
        ...(audience?.tiers?.length ? { tiers: [...audience.tiers] } : {}),
        ...(audience?.segments?.length ? { segments: [...audience.segments] } : {}),
        ...(products?.length ? { products: products.map((gid) => gid.slice(gid.lastIndexOf('/') + 1)) } : {}),
        collections: (collections?.length ?? 0) > 0,
        saleItems: campaign.saleItems ?? true,
        ...(campaign.minimumSubtotal === undefined ? {} : { minimumSubtotal: campaign.minimumSubtotal }),
      },
    ],
    collections ?? [],
  )
}

function valueOf({ percentage, amount, bands, shipping }: Campaign['offer']): DiscountOffer['value'] | null {
  if (percentage !== undefined) return { percentage: String(percentage) }
  if (amount !== undefined) return { amount }
  if (shipping) return { shipping: true }
  if (bands === undefined) return null
  return { bands: bands.map((band) => ({ from: band.from, percentage: String(band.percentage) })) }
}

function write(
  key: string,
  offers: DiscountOffer[],
  collections: readonly string[],
): DiscountDocuments | DiscountRefusal {
  if (offers.length === 0) return { ok: false, reason: 'nothing_to_give' }
  if (collections.length > COLLECTIONS_MAX) {
    return {
      ok: false,
      reason: 'too_many_collections',
      collections: collections.length,
      collectionsMax: COLLECTIONS_MAX,
    }
  }
  const refusal = findTooMuch(offers)
  if (refusal) return refusal
  const parsed = DiscountConfigurationSchema.safeParse({ version: 1, key, offers })
  if (!parsed.success) return { ok: false, reason: 'unreadable', detail: z.prettifyError(parsed.error) }
  const configuration = JSON.stringify(parsed.data)
  const bytes = new TextEncoder().encode(configuration).length
  if (bytes > CONFIGURATION_BYTES_MAX) {
    return { ok: false, reason: 'too_large', bytes, bytesMax: CONFIGURATION_BYTES_MAX }
  }
  // Always written, empty lists too: a variable without a value would be null to Shopify.
  const variables = JSON.stringify({ collections })
  return { ok: true, key, configuration, variables, discountClasses: [...new Set(offers.map(classOf))].sort() }
}

/** What a merchant can put right, by its name; the schema's other complaints are about documents that no program makes. */
function findTooMuch(offers: readonly DiscountOffer[]): DiscountRefusal | null {
  if (offers.length > OFFERS_MAX) {
    return { ok: false, reason: 'too_many_offers', offers: offers.length, offersMax: OFFERS_MAX }
  }
  for (const { value, message } of offers) {
    const bands = 'bands' in value ? value.bands.length : 0
    if (bands > BANDS_MAX) return { ok: false, reason: 'too_many_bands', bands, bandsMax: BANDS_MAX }
    if (message.length > MESSAGE_LENGTH_MAX) {
      return { ok: false, reason: 'name_too_long', length: message.length, lengthMax: MESSAGE_LENGTH_MAX }
    }
  }
  return null
}

function classOf(offer: DiscountOffer): FunctionDiscountClass {
  if ('shipping' in offer.value) return 'SHIPPING'
  return offer.products !== undefined || offer.collections ? 'PRODUCT' : 'ORDER'
}

function isAscending(amounts: string[]): boolean {
  return amounts.every((amount, at) => at === 0 || compareDecimals(amounts[at - 1]!, amount) < 0)
}

/** Compares two plain decimals as text, exactly: below 0 where the first is the smaller. */
function compareDecimals(left: string, right: string): number {
  const [leftWhole = '', leftFraction = ''] = left.split('.')
  const [rightWhole = '', rightFraction = ''] = right.split('.')
  const width = Math.max(leftWhole.length, rightWhole.length)
  const pad = (whole: string, fraction: string) => whole.padStart(width, '0') + fraction.padEnd(4, '0')
  const [a, b] = [pad(leftWhole, leftFraction), pad(rightWhole, rightFraction)]
  return a < b ? -1 : a > b ? 1 : 0
}

import { FOREVER } from './campaigns.ts'
import { campaignKey, documentsForCampaign, documentsForTiers, TIERS_KEY } from './discount-configuration.ts'
import type { DiscountDocuments, DiscountRefusal } from './discount-configuration.ts'
import type { CombinesWith, Program } from './program.ts'

/**
 * Which discounts of our Function a shop must have at Shopify for its program: one with all tier perks, and one for each
 * campaign that takes money off. jobs/sync-function-discounts makes it so.
 */

/** A discount as it must stand at Shopify. */
export type FunctionDiscount = {
  documents: DiscountDocuments
  /** For the merchant's list of discounts; shoppers read the offers' messages. */
  title: string
  /** Epoch milliseconds; null: as soon as it is made. */
  startsAt: number | null
  /** Null: no end. */
  endsAt: number | null
  combinesWith: CombinesWith
}

/** A discount that cannot be given to the Function (`tiers`, or `campaign:<id>`), and why. */
export type RefusedDiscount = { key: string; refusal: DiscountRefusal }

/**
 * Tier perks stand beside anything that allows it: whether a campaign or a code combines with them is that campaign's or
 * reward's `combinesWith` to say, and where it says no the shopper gets the better of the two.
 */
const TIERS_COMBINE: CombinesWith = { order: true, product: true, shipping: true }

/**
 * The discounts of a program. Campaigns over at `at` are left as they are. One that is stopped without an end to it (paused, or ended by
 * the merchant or its budget) ends where the stop began; when it goes on, so does its discount, to its own end. Points multipliers are no
 * discounts and are left out without a word.
 */
export function requireDiscounts(
  program: Program,
  at: number,
): { required: FunctionDiscount[]; refused: RefusedDiscount[] } {
  const required: FunctionDiscount[] = []
  const refused: RefusedDiscount[] = []
  const perks = documentsForTiers(program.document.tiers?.levels ?? [])
  if (perks.ok) {
    const title = `${program.document.name}: member perks`
    required.push({ documents: perks, title, startsAt: null, endsAt: null, combinesWith: TIERS_COMBINE })
  } else if (perks.reason !== 'nothing_to_give') refused.push({ key: TIERS_KEY, refusal: perks })
  for (const campaign of program.campaigns) {
    const document = program.document.campaigns.find(({ id }) => id === campaign.id)
    const openStop = campaign.stops.find(({ untilAt }) => untilAt === FOREVER)
    const end = Math.min(campaign.untilAt, openStop?.fromAt ?? Infinity)
    // Over, or called off before it began: Shopify knows no discount that ends before it starts.
    if (!document || campaign.untilAt <= at || end <= campaign.fromAt) continue
    const documents = documentsForCampaign(document)
    if (documents.ok) {
      const { name: title, fromAt: startsAt, combinesWith } = campaign
      required.push({ documents, title, startsAt, endsAt: end, combinesWith })
    } else if (documents.reason !== 'nothing_to_give') {
      refused.push({ key: campaignKey(campaign.id), refusal: documents })
    }
  }
  return { required, refused }
}

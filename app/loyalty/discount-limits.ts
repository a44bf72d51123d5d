/**
 * What a program gives at checkout is one discount of Shopify's for all tier perks and one for each campaign, and each has limits
 * (discount-configuration.ts). What is beyond them would stand in the program and give nothing, so it is no program.
 */
import { documentsForCampaign, documentsForTiers, type DiscountRefusal } from './discount-configuration.ts'
import type { CampaignDocument, ProgramDocument } from './program-document.ts'

/** A place of the document that is beyond a limit, and what would be within it. */
export type BeyondLimit = { readonly path: readonly (string | number)[]; readonly message: string }

type Refusal = Exclude<DiscountRefusal, { reason: 'nothing_to_give' }>

/**
 * The places of a document, right in itself, that Shopify's discounts cannot hold; points multipliers are no discounts and have no limit.
 * 101 collections: `[{ path: ['campaigns', 0, 'collections'], message: 'must be at most 100 collections, not 101: …' }]`.
 */
export function findBeyondLimits({ tiers, campaigns }: Pick<ProgramDocument, 'tiers' | 'campaigns'>): BeyondLimit[] {
  const perks = documentsForTiers(tiers?.levels ?? [])
  const found = perks.ok || perks.reason === 'nothing_to_give' ? [] : [tellTiers(perks)]
  campaigns.forEach((campaign, index) => {
    const documents = documentsForCampaign(campaign)
    if (documents.ok || documents.reason === 'nothing_to_give') return
    const { path, message } = tellCampaign(documents, campaign)
    found.push({ path: ['campaigns', index, ...path], message })
  })
  return found
}

function tellTiers(refusal: Refusal): BeyondLimit {
  const message =
    refusal.reason === 'too_many_offers'
      ? `must give at most ${refusal.offersMax} discounts and free shippings together, not ${refusal.offers}`
      : 'must have shorter names where they give a discount or free shipping: Shopify has no room for these'
  return { path: ['tiers', 'levels'], message }
}

function tellCampaign(refusal: Refusal, { products, name }: CampaignDocument): BeyondLimit {
  switch (refusal.reason) {
    case 'too_many_collections':
      return {
        path: ['collections'],
        message: `must be at most ${refusal.collectionsMax} collections, not ${refusal.collections}: Shopify allows a discount no more`,
      }
    case 'too_many_bands':
      return {
        path: ['offer', 'bands'],
        message: `must be at most ${refusal.bandsMax} steps, not ${refusal.bands}`,
      }
    case 'name_too_long':
      return { path: ['name'], message: `must be at most ${refusal.lengthMax} characters, not ${name.length}` }
    case 'too_large': {
      const most = countFitting(products ?? [], refusal.bytes - refusal.bytesMax)
      if (most > 0) {
        return {
          path: ['products'],
          message: `must be at most ${most} products, not ${products!.length}: a discount at Shopify has no room for more. Take a collection instead`,
        }
      }
      return { path: [], message: 'must be for fewer tiers and segments, or for such with shorter names' }
    }
    default:
      return { path: [], message: 'must not have an amount or a name that is too long for a discount at Shopify' }
  }
}

/** How many of the products, from the first on, are left when `bytes` too many have gone: each is its number, in quotes, and a comma. */
function countFitting(products: readonly string[], bytes: number): number {
  let left = products.length
  for (let over = bytes; over > 0 && left > 0; left--) {
    const gid = products[left - 1]!
    over -= gid.length - gid.lastIndexOf('/') - 1 + 3
  }
  return left
}

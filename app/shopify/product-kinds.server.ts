import { z } from 'zod'

import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'

/** As many as Shopify gives in one page: who has more types or tags than this will not look through a menu of them. */
const NAMES_MAX = 250

const PRODUCT_KINDS = `#graphql
  query ProductKinds($first: Int!) {
    productTypes(first: $first) { nodes }
    productTags(first: $first) { nodes }
  }
`

const names = z.object({ nodes: z.array(z.string()) }).nullable()
const reply = z.object({ productTypes: names, productTags: names })

/** The types and tags that the shop's products have, as Shopify lists them (Admin API 2026-10); none where it does not answer. */
export async function kindsOrNone(admin: AdminClient): Promise<{ types: string[]; tags: string[] }> {
  try {
    const { productTypes, productTags } = await admin.request(PRODUCT_KINDS, { first: NAMES_MAX }, reply)
    return { types: productTypes?.nodes.filter(Boolean) ?? [], tags: productTags?.nodes ?? [] }
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return { types: [], tags: [] }
  }
}

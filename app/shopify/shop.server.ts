import { z } from 'zod'

import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** What the rules must know about a shop before the first order: its money, its clock, its name. */
export type ShopDetails = {
  name: string
  /** ISO 4217 */
  currency: string
  /** IANA zone, for example Europe/Berlin */
  timezone: string
}

const SHOP_DETAILS = `#graphql
  query ShopDetails {
    shop {
      name
      currencyCode
      ianaTimezone
    }
  }
`

/** The shop's details as Shopify has them now. Throws AdminApiError. */
export async function readShopDetails(client: AdminClient): Promise<ShopDetails> {
  const { shop } = await client.request(
    SHOP_DETAILS,
    {},
    z.object({ shop: z.object({ name: z.string(), currencyCode: z.string(), ianaTimezone: z.string() }) }),
  )
  return { name: shop.name, currency: shop.currencyCode, timezone: shop.ianaTimezone }
}

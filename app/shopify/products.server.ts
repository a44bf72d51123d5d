// Products as the catalogue needs them, read from the Admin API (2026-10).
import { z } from 'zod'
import type { ListedProduct } from '#app/loyalty/catalog.ts'
import { findCurrencyExponent, parseDecimal } from '#app/loyalty/money.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** Products × their collections and variants: together they keep a query under the 1 000 points that it may cost. */
const PRODUCTS_PER_PAGE = 10

const CATALOG_PAGE = `#graphql
query LoyaltyCatalog($first: Int!, $after: String) {
  products(first: $first, after: $after, sortKey: ID) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id
      productType
      tags
      collections(first: 30) { nodes { id } }
      variants(first: 30) { nodes { price compareAtPrice } }
    }
  }
}`

const page = z.object({
  products: z.object({
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    nodes: z.array(
      z.object({
        id: z.string(),
        productType: z.string(),
        tags: z.array(z.string()),
        collections: z.object({ nodes: z.array(z.object({ id: z.string() })) }),
        variants: z.object({ nodes: z.array(z.object({ price: z.string(), compareAtPrice: z.string().nullable() })) }),
      }),
    ),
  }),
})
type Page = z.infer<typeof page>['products']

/** The whole catalogue, a page at a time. `currency` is the shop's. Throws AdminApiError. */
export async function* readCatalog(admin: AdminClient, currency: string): AsyncGenerator<Map<string, ListedProduct>> {
  const exponent = findCurrencyExponent(currency)
  if (exponent === null) throw new Error(`"${currency}" is no currency`)
  let after: string | null = null
  do {
    const { nodes, pageInfo } = await readPage(admin, after)
    yield new Map(nodes.map((node) => [node.id, toProduct(node, exponent)]))
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null
  } while (after !== null)
}

async function readPage(admin: AdminClient, after: string | null): Promise<Page> {
  return (await admin.request(CATALOG_PAGE, { first: PRODUCTS_PER_PAGE, after }, page)).products
}

/** A product has one compare-at price here: the highest of those variants that are on sale, null where none is. */
function toProduct(
  { productType, tags, collections, variants }: Page['nodes'][number],
  exponent: number,
): ListedProduct {
  const onSale = variants.nodes.flatMap(({ price, compareAtPrice }) => {
    const before = compareAtPrice === null ? null : parseDecimal(compareAtPrice, exponent)
    return before !== null && before > (parseDecimal(price, exponent) ?? Infinity) ? [before] : []
  })
  return {
    type: productType,
    tags,
    collections: collections.nodes.map(({ id }) => id),
    compareAtMinor: onSale.length > 0 ? Math.max(...onSale) : null,
  }
}

import { z } from 'zod'

import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'

/** Shopify takes at most 250 ids in one list (API 2026-10, usage limits). */
const IDS_MAX = 250

const TITLES_BY_ID = `#graphql
  query TitlesById($ids: [ID!]!) {
    nodes(ids: $ids) {
      ... on Product {
        id
        title
      }
      ... on Collection {
        id
        title
      }
      ... on Order {
        id
        title: name
      }
    }
  }
`

const titledSchema = z.object({ id: z.string(), title: z.string() })

/** The titles of products and collections, and the names of orders ("#1042"), by gid. What Shopify no longer has is missing. Throws AdminApiError. */
export async function findTitles(client: AdminClient, ids: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let start = 0; start < ids.length; start += IDS_MAX) {
    const reply = await client.request(
      TITLES_BY_ID,
      { ids: ids.slice(start, start + IDS_MAX) },
      z.object({ nodes: z.array(z.union([titledSchema, z.object({}).nullable()])) }),
    )
    for (const node of reply.nodes) {
      const titled = titledSchema.safeParse(node)
      if (titled.success) found.set(titled.data.id, titled.data.title)
    }
  }
  return found
}

/** As `findTitles`, as a plain object; empty where Shopify does not answer, because a page without titles is still a page. */
export async function titlesOrNone(client: AdminClient, ids: string[]): Promise<Record<string, string>> {
  if (ids.length === 0) return {}
  try {
    return Object.fromEntries(await findTitles(client, ids))
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return {}
  }
}

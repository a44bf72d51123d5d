import { z } from 'zod'

import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** Segments a page, and pages that are looked through for one of ours. */
const SEGMENTS_PER_PAGE = 250
const PAGES_MAX = 8

const LIST_SEGMENTS = `#graphql
  query ListSegments($first: Int!, $after: String) {
    segments(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id query }
    }
  }
`

const CREATE_SEGMENT = `#graphql
  mutation CreateSegment($name: String!, $query: String!) {
    segmentCreate(name: $name, query: $query) {
      segment { id }
      userErrors { field message }
    }
  }
`

const page = z.object({
  segments: z.object({
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    nodes: z.array(z.object({ id: z.string(), query: z.string() })),
  }),
})

const created = z.object({
  segmentCreate: z
    .object({
      segment: z.object({ id: z.string() }).nullable(),
      userErrors: z.array(z.object({ message: z.string() })),
    })
    .nullable(),
})

/** The segment's gid; or Shopify's words for why there is none, such as a name that is taken. */
export type SegmentReply = { ok: true; segment: string } | { ok: false; detail: string }

/**
 * Makes a segment in Shopify of the customers with a tag. Where one with just that query exists already (an earlier try whose answer was
 * lost), it returns that one. `write_customers` is enough ("Manage customer segments", shopify.dev; segmentCreate, Admin API 2026-10). Throws
 * AdminApiError.
 */
export async function createTagSegment(admin: AdminClient, name: string, tag: string): Promise<SegmentReply> {
  const query = segmentQuery(tag)
  const known = await findSegmentByQuery(admin, query)
  if (known) return { ok: true, segment: known }
  const { segmentCreate } = await admin.request(CREATE_SEGMENT, { name, query }, created)
  const detail = segmentCreate?.userErrors.map(({ message }) => message).join('; ')
  if (detail || !segmentCreate?.segment) return { ok: false, detail: detail || 'Shopify made no segment' }
  return { ok: true, segment: segmentCreate.segment.id }
}

/** `customer_tags CONTAINS 'retention-slipping'`: Shopify's segment query language. Tags of ours need no escaping. */
export function segmentQuery(tag: string): string {
  if (!/^[\w-]+$/.test(tag)) throw new Error(`"${tag}" is no tag of ours`)
  return `customer_tags CONTAINS '${tag}'`
}

async function findSegmentByQuery(admin: AdminClient, query: string): Promise<string | null> {
  let after: string | null = null
  for (let count = 0; count < PAGES_MAX; count++) {
    const { segments }: z.infer<typeof page> = await admin.request(
      LIST_SEGMENTS,
      { first: SEGMENTS_PER_PAGE, after },
      page,
    )
    const found = segments.nodes.find((segment) => segment.query === query)
    if (found) return found.id
    if (!segments.pageInfo.hasNextPage) return null
    after = segments.pageInfo.endCursor
  }
  return null
}

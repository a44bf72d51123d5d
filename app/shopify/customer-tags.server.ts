import { z } from 'zod'

import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** Each tag costs 10 points of Shopify's budget, a request may ask for 1,000. */
const CUSTOMERS_A_REQUEST = 25

const replySchema = z.record(
  z.string(),
  z.object({ userErrors: z.array(z.object({ message: z.string() })) }).nullable(),
)

/**
 * Gives customers (gids) a tag, for the merchant's segments, e-mail and Flow (tagsAdd, Admin API 2026-10). Repeating it changes
 * nothing. Returns how many have it now; customers whom Shopify no longer knows are left out. Throws AdminApiError.
 */
export async function tagCustomers(admin: AdminClient, customers: readonly string[], tag: string): Promise<number> {
  let tagged = 0
  for (let start = 0; start < customers.length; start += CUSTOMERS_A_REQUEST) {
    const some = customers.slice(start, start + CUSTOMERS_A_REQUEST)
    const variables = Object.fromEntries(some.map((customer, place) => [`id${place}`, customer]))
    const reply = await admin.request(tagCustomersDocument(some.length), { ...variables, tags: [tag] }, replySchema)
    tagged += Object.values(reply).filter((answer) => answer?.userErrors.length === 0).length
  }
  return tagged
}

/** The mutation that tags so many customers at once: variables `tags`, `id0`, `id1`, … */
export function tagCustomersDocument(customers: number): string {
  const places = Array.from({ length: customers }, (_, place) => place)
  const names = places.map((place) => `$id${place}: ID!`)
  const calls = places.map((place) => `tag${place}: tagsAdd(id: $id${place}, tags: $tags) { userErrors { message } }`)
  return `mutation TagCustomers($tags: [String!]!, ${names.join(', ')}) { ${calls.join(' ')} }`
}

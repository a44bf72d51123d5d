import { z } from 'zod'

import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** Each tag costs 10 points of Shopify's budget, a request may ask for 1,000. */
const CUSTOMERS_A_REQUEST = 25

const replySchema = z.record(
  z.string(),
  z.object({ userErrors: z.array(z.object({ message: z.string() })) }).nullable(),
)

/** Customers (gids) for whom Shopify did it, and those whom it no longer knows. */
export type Tagging = { done: string[]; unknown: string[] }

/**
 * Gives customers (gids) a tag, for the merchant's segments, e-mail and Flow, or takes it away (tagsAdd, tagsRemove, Admin API
 * 2026-10). Repeating it changes nothing. Throws AdminApiError; some may have been done then.
 */
export async function changeTags(
  admin: AdminClient,
  verb: 'add' | 'remove',
  customers: readonly string[],
  tag: string,
): Promise<Tagging> {
  const tagging: Tagging = { done: [], unknown: [] }
  for (let start = 0; start < customers.length; start += CUSTOMERS_A_REQUEST) {
    const some = customers.slice(start, start + CUSTOMERS_A_REQUEST)
    const variables = Object.fromEntries(some.map((customer, place) => [`id${place}`, customer]))
    const document = changeTagsDocument(verb, some.length)
    const reply = await admin.request(document, { ...variables, tags: [tag] }, replySchema)
    some.forEach((customer, place) => {
      const isDone = reply[`tag${place}`]?.userErrors.length === 0
      tagging[isDone ? 'done' : 'unknown'].push(customer)
    })
  }
  return tagging
}

/** The mutation that changes so many customers at once: variables `tags`, `id0`, `id1`, … */
export function changeTagsDocument(verb: 'add' | 'remove', customers: number): string {
  const places = Array.from({ length: customers }, (_, place) => place)
  const names = places.map((place) => `$id${place}: ID!`)
  const [name, field] = verb === 'add' ? ['TagCustomers', 'tagsAdd'] : ['UntagCustomers', 'tagsRemove']
  const calls = places.map((place) => `tag${place}: ${field}(id: $id${place}, tags: $tags) { userErrors { message } }`)
  return `mutation ${name}($tags: [String!]!, ${names.join(', ')}) { ${calls.join(' ')} }`
}

import { shopifyNumber } from '#app/ui/words.ts'

/** Names by customer gid, as far as Shopify has said them. */
export type CustomerNames = Record<string, string>

/** A customer's name where Shopify has said it, else the customer's number: "Customer 6254". */
export function nameOf(customer: string, names: CustomerNames): string {
  return names[customer] ?? `Customer ${shopifyNumber(customer)}`
}

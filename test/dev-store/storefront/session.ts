/** Who is signed in on the storefront: a cookie that names the customer, signed so that nobody is signed in by guessing. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Customer } from '../records.ts'
import type { DevStore } from '../state.ts'

export const CUSTOMER_COOKIE = 'storefront_customer'
export const CART_COOKIE = 'storefront_cart'
export const LANGUAGE_COOKIE = 'storefront_language'

/** The cookie's value for a customer. */
export function customerCookieValue(store: DevStore, customer: Customer): string {
  const id = customer.id.slice(customer.id.lastIndexOf('/') + 1)
  return `${id}.${sign(store, customer.shop, id)}`
}

/** The signed-in customer of this shop, or null: no cookie, a forged one, or a customer merged away or deleted. */
export function signedInCustomer(store: DevStore, shop: string, cookie: string | undefined): Customer | null {
  const [id, signature] = (cookie ?? '').split('.')
  if (!id || !signature) return null
  const expected = Buffer.from(sign(store, shop, id))
  const given = Buffer.from(signature)
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return null
  return store.customer(shop, `gid://shopify/Customer/${id}`) ?? null
}

function sign(store: DevStore, shop: string, id: string): string {
  return createHmac('sha256', store.options.apiSecret).update(`storefront:${shop}:${id}`).digest('hex').slice(0, 32)
}

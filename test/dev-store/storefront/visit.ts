/** One request to the storefront: which shop, who is there, what is in the cart. */
import type { Customer, Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import type { Cart, Carts } from './cart.ts'
import type { Shopper } from './discounts.ts'
import type { FunctionRunner } from './function.ts'
import { readCookies, setCookie } from './http.ts'
import { CART_COOKIE, CUSTOMER_COOKIE, customerCookieValue, LANGUAGE_COOKIE, signedInCustomer } from './session.ts'

/** What outlives a request. */
export type Site = { store: DevStore; runner: FunctionRunner; carts: Carts; adminUrl: (shop: Shop) => string }

export type Visit = {
  site: Site
  shop: Shop
  request: Request
  url: URL
  customer: Customer | null
  cart: Cart
  /** The language of the pages, as Shopify names them: "en", "pt-BR". */
  language: string
  form: Map<string, string>
  /** Cookies that the answer sets. */
  cookies: string[]
}

/** The visit behind a request; a new cart's cookie is only set once something is put into it. */
export function openVisit(site: Site, shop: Shop, request: Request, form: Map<string, string>): Visit {
  const cookies = readCookies(request)
  const customer = signedInCustomer(site.store, shop.domain, cookies.get(CUSTOMER_COOKIE))
  const cart = site.carts.open(cookies.get(CART_COOKIE), shop)
  const language = cookies.get(LANGUAGE_COOKIE) ?? 'en'
  return { site, shop, request, url: new URL(request.url), customer, cart, language, form, cookies: [] }
}

/** The shopper as discounts see them. */
export function shopperOf({ customer }: Visit): Shopper {
  return { customer, signedIn: customer !== null }
}

/** Keeps the cart for this browser. */
export function keepCart(visit: Visit): void {
  visit.cookies.push(setCookie(CART_COOKIE, visit.cart.token))
}

/** Signs a customer in for this browser, or out with null. */
export function signIn(visit: Visit, customer: Customer | null): void {
  visit.customer = customer
  visit.cookies.push(setCookie(CUSTOMER_COOKIE, customer ? customerCookieValue(visit.site.store, customer) : ''))
}

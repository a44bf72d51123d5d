/** Who is who: signing in without a password, registering, the account and its orders. */
import type { Customer } from '../records.ts'
import { redirect } from './http.ts'
import { metafieldJson } from './metafields.ts'
import { notFound } from './shopping.ts'
import { programCard, renderPage } from './theme.ts'
import { customerView, orderPage, orderRow, priceIn } from './views.ts'
import { signIn } from './visit.ts'
import type { Visit } from './visit.ts'

const PEOPLE_SHOWN = 25
const ORDERS_SHOWN = 25

/** Everybody one can be, found by name or e-mail; those with most orders first. */
export async function loginPage(visit: Visit): Promise<Response> {
  const { site, shop, url } = visit
  const who = (url.searchParams.get('who') ?? '').trim()
  const found = site.store.customers(shop.domain).filter((customer) => isCalled(customer, who.toLowerCase()))
  const ranked = found
    .map((customer) => ({ customer, orders: site.store.ordersOf(customer.id).length }))
    .sort((a, b) => b.orders - a.orders)
  const view = {
    who,
    return: url.searchParams.get('return') ?? '/account',
    people: ranked
      .slice(0, PEOPLE_SHOWN)
      .map(({ customer }) => ({ ...customerView(customer), ...standing(visit, customer) })),
    more: Math.max(0, ranked.length - PEOPLE_SHOWN),
  }
  return renderPage(visit, 'login', view, { title: 'Sign in' })
}

function isCalled({ firstName, lastName, email }: Customer, who: string): boolean {
  return `${firstName ?? ''} ${lastName ?? ''} ${email ?? ''}`.toLowerCase().includes(who)
}

/** Points and tier, as the member card says: only to make it easy to choose somebody. */
function standing(visit: Visit, customer: Customer) {
  const card = metafieldJson(visit.site.store, customer.id, '$app', 'member_card') as
    { balance?: number; tier?: { name?: string } | null } | undefined
  if (!card) return { points: null, tier: null }
  const names = programCard(visit)?.pointsName
  const unit = card.balance === 1 ? names?.one : names?.other
  return { points: `${(card.balance ?? 0).toLocaleString('en-GB')} ${unit ?? 'points'}`, tier: card.tier?.name ?? null }
}

/**
 * Signs in as the chosen customer: by their number, or by e-mail. Who signs in for the first time has an account from then on, and Shopify sends
 * `customers/update` and `customers/enable` (shopify.dev changelog, 28 October 2026).
 */
export async function login(visit: Visit): Promise<Response> {
  const { site, shop, form } = visit
  const id = form.get('customer')
  const customer = id
    ? site.store.customer(shop.domain, `gid://shopify/Customer/${id}`)
    : site.store.customerByEmail(shop.domain, form.get('email') ?? '')
  if (!customer) return notFound(visit, 'There is no such customer in this shop.')
  if (customer.state !== 'enabled') site.store.updateCustomer(shop.domain, customer.id, { state: 'enabled' })
  signIn(visit, customer)
  return redirect(form.get('return') ?? '/account', visit.cookies)
}

/** Signs out; the cart stays. */
export async function logout(visit: Visit): Promise<Response> {
  signIn(visit, null)
  return redirect('/', visit.cookies)
}

/** The form for a new account. */
export function registerPage(visit: Visit, error: string | null = null): Promise<Response> {
  const view = { error, form: Object.fromEntries(visit.form) }
  return renderPage(visit, 'register', view, { title: 'Create an account', status: error === null ? 200 : 400 })
}

/** A new account, signed in at once. Somebody who bought as a guest takes over that record, as on Shopify. */
export async function register(visit: Visit): Promise<Response> {
  const { site, shop, form } = visit
  const email = (form.get('email') ?? '').trim().toLowerCase()
  const firstName = (form.get('first_name') ?? '').trim()
  const lastName = (form.get('last_name') ?? '').trim()
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return registerPage(visit, 'Please give an e-mail address.')
  if (firstName === '' || lastName === '') return registerPage(visit, 'Please give your first and last name.')
  const known = site.store.customerByEmail(shop.domain, email)
  if (known?.state === 'enabled') return registerPage(visit, 'There is an account with this e-mail address already.')
  const details = { firstName, lastName, state: 'enabled' as const, acceptsMarketing: form.has('marketing') }
  const customer = known
    ? site.store.updateCustomer(shop.domain, known.id, details)
    : site.store.createCustomer(shop.domain, { email, ...details })
  signIn(visit, customer)
  return redirect('/account', visit.cookies)
}

/** The account: orders, and what the app's blocks show there. */
export async function accountPage(visit: Visit): Promise<Response> {
  const { site, shop, customer } = visit
  if (!customer) return redirect('/account/login', visit.cookies)
  const orders = site.store.ordersOf(customer.id).reverse()
  const credit = site.store
    .storeCreditOf(shop.domain, customer.id)
    .find((account) => account.currency === shop.currency)?.balanceMinor
  const view = {
    orders: orders.slice(0, ORDERS_SHOWN).map((order) => orderRow(shop, order)),
    more_orders: Math.max(0, orders.length - ORDERS_SHOWN),
    store_credit: credit ? priceIn(shop, shop.currency)(credit) : null,
  }
  return renderPage(visit, 'account', view, { title: 'Your account', template: 'customers/account' })
}

/** One order by its token, which nobody can guess; straight after paying with thanks. */
export async function orderStatus(visit: Visit, token: string): Promise<Response> {
  const { site, shop, url } = visit
  const order = site.store.orders(shop.domain).findLast((each) => each.token === token)
  if (!order) return notFound(visit)
  const customer = order.customerId ? site.store.customer(shop.domain, order.customerId) : undefined
  const view = {
    order: { ...orderRow(shop, order), first_name: customer?.firstName ?? null },
    thanks: url.searchParams.has('thanks'),
    ...orderPage(shop, order, (id) => (id === null ? undefined : site.store.product(shop.domain, id))),
  }
  return renderPage(visit, 'order', view, { title: `Order ${order.name}` })
}

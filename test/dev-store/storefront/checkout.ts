/** The checkout: contact, delivery, codes, payment; it makes the order through the store's verbs, which send the webhooks. */
import type { Customer } from '../records.ts'
import { enterCode, priceCart, removeCode } from './cart.ts'
import type { PricedCart } from './cart.ts'
import type { Shopper } from './discounts.ts'
import { redirect } from './http.ts'
import { renderPage } from './theme.ts'
import { cartLines, cartSums, priceIn } from './views.ts'
import { keepCart } from './visit.ts'
import type { Visit } from './visit.ts'

/** What the shopper has filled in so far; kept beside the cart, in the form. */
type Choices = {
  email: string
  shipping: string
  payment: 'paid' | 'authorized' | 'pending'
  giftCard: string
  credit: boolean
}

const KEPT = new WeakMap<object, Choices>()

/** The checkout page; an empty cart goes back to the cart page. */
export async function checkoutPage(
  visit: Visit,
  problems: { error?: string; codeError?: string } = {},
): Promise<Response> {
  const { shop, cart } = visit
  if (cart.lines.length === 0) return redirect('/cart', visit.cookies)
  const choices = choicesOf(visit)
  const price = priceIn(shop, cart.currency)
  const priced = await priceCheckout(visit, choices)
  const tender = tenderOf(visit, choices, priced)
  const view = {
    form: { email: choices.email, gift_card: choices.giftCard, payment: choices.payment },
    lines: cartLines(priced, price),
    sums: cartSums(shop, priced, price, tender.paidWith),
    codes: priced.codes,
    code_error: problems.codeError ?? null,
    error: problems.error ?? null,
    options: priced.shippingOptions.map((option) => ({
      ...option,
      chosen: option.handle === priced.shipping?.handle,
      price: option.priceMinor === 0 ? 'Free' : price(option.priceMinor),
    })),
    credit: tender.creditMinor > 0 ? { balance: price(tender.creditMinor), used: choices.credit } : null,
    gift: tender.giftCard && {
      error: tender.giftCard.error,
      balance: tender.giftCard.balanceMinor > 0 ? price(tender.giftCard.balanceMinor) : null,
    },
  }
  return renderPage(visit, 'checkout', view, {
    title: 'Checkout',
    status: problems.error === undefined && problems.codeError === undefined ? 200 : 400,
  })
}

/** The checkout's buttons: apply or remove a code, work the total out again, pay. */
export async function checkoutAction(visit: Visit): Promise<Response> {
  const { form, cart } = visit
  if (cart.lines.length === 0) return redirect('/cart', visit.cookies)
  const intent = form.get('intent')
  if (intent === 'code') {
    const entered = enterCode(cart, form.get('code') ?? '')
    return entered.ok ? redirect('/checkout', visit.cookies) : checkoutPage(visit, { codeError: entered.message })
  }
  if (intent === 'remove-code') {
    removeCode(cart, form.get('code') ?? '')
    return redirect('/checkout', visit.cookies)
  }
  KEPT.set(cart, readChoices(visit))
  return intent === 'pay' ? pay(visit) : redirect('/checkout', visit.cookies)
}

async function pay(visit: Visit): Promise<Response> {
  const { site, shop, cart } = visit
  const choices = choicesOf(visit)
  if (!visit.customer && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(choices.email)) {
    return checkoutPage(visit, { error: 'Please give an e-mail address, so that we know whose order this is.' })
  }
  const priced = await priceCheckout(visit, choices)
  const refused = priced.codes.find((code) => !code.applied)
  if (refused) {
    return checkoutPage(visit, { error: `Please remove the code that does not apply: ${refused.message}` })
  }
  if (priced.lines.length === 0) return redirect('/cart', visit.cookies)
  const tender = tenderOf(visit, choices, priced)
  if (tender.giftCard?.error) return checkoutPage(visit, { error: tender.giftCard.error })
  const placed = site.store.placeOrder(shop.domain, {
    customerId: buyerOf(visit, choices).id,
    email: visit.customer?.email ?? choices.email,
    lines: priced.lines.map((line, at) => ({
      variantId: line.variant.id,
      quantity: line.quantity,
      properties: line.properties,
      allocations: priced.combination.lineAllocations[at]!,
    })),
    discountApplications: priced.combination.applications,
    shipping: priced.shipping && {
      title: priced.shipping.title,
      priceMinor: priced.shipping.priceMinor,
      allocations: priced.combination.shippingAllocations,
    },
    payment: {
      status: choices.payment,
      ...(choices.giftCard ? { giftCardCode: choices.giftCard } : {}),
      ...(tender.creditUsedMinor > 0 ? { storeCreditMinor: tender.creditUsedMinor } : {}),
    },
    presentmentCurrency: cart.currency,
  })
  if (!placed.ok) return checkoutPage(visit, { error: PAYMENT_REFUSALS[placed.reason] })
  site.carts.forget(cart.token)
  return redirect(`/orders/${placed.order.token}?thanks=1`, visit.cookies)
}

const PAYMENT_REFUSALS = {
  code_unknown: 'A discount code was withdrawn just now. Please remove it and try again.',
  code_used_up: 'A discount code was used a moment ago, on another order. Please remove it and try again.',
  gift_card_unknown: 'There is no such gift card.',
  gift_card_empty: 'This gift card is empty.',
  store_credit_short: 'There is less store credit on your account than a moment ago.',
}

/** The signed-in customer, the one behind the e-mail, or a new one without an account, as Shopify makes for guests. */
function buyerOf(visit: Visit, { email }: Choices): Customer {
  const { site, shop, customer } = visit
  if (customer) return customer
  return (
    site.store.customerByEmail(shop.domain, email) ??
    site.store.createCustomer(shop.domain, { email, state: 'disabled', verifiedEmail: false })
  )
}

/** Prices the cart as this checkout stands; a typed e-mail finds a customer, but is no login. */
async function priceCheckout(visit: Visit, choices: Choices): Promise<PricedCart> {
  const { site, shop, cart, customer } = visit
  const known = customer ?? (choices.email ? (site.store.customerByEmail(shop.domain, choices.email) ?? null) : null)
  const shopper: Shopper = { customer: known, signedIn: customer !== null }
  return priceCart(site.store, site.runner, shop, cart, shopper, choices.shipping)
}

/** What gift card and store credit pay, in that order, and what they could. */
function tenderOf({ site, shop, customer }: Visit, choices: Choices, priced: PricedCart) {
  const paidWith: { label: string; amountMinor: number }[] = []
  let left = priced.totalMinor
  let giftCard: { error: string | null; balanceMinor: number } | null = null
  if (choices.giftCard !== '') {
    const card = site.store.giftCardByCode(shop.domain, choices.giftCard)
    const usable = card?.enabled && card.balanceMinor > 0
    giftCard = {
      error: !card ? PAYMENT_REFUSALS.gift_card_unknown : usable ? null : PAYMENT_REFUSALS.gift_card_empty,
      balanceMinor: card?.balanceMinor ?? 0,
    }
    if (usable) {
      const amountMinor = Math.min(left, card.balanceMinor)
      paidWith.push({ label: 'Gift card', amountMinor })
      left -= amountMinor
    }
  }
  const accounts = customer ? site.store.storeCreditOf(shop.domain, customer.id) : []
  const creditMinor = accounts.find((account) => account.currency === shop.currency)?.balanceMinor ?? 0
  const creditUsedMinor = choices.credit ? Math.min(left, creditMinor) : 0
  if (creditUsedMinor > 0) paidWith.push({ label: 'Store credit', amountMinor: creditUsedMinor })
  return { paidWith, giftCard, creditMinor, creditUsedMinor }
}

function choicesOf({ cart, customer }: Visit): Choices {
  const kept = KEPT.get(cart)
  const fresh: Choices = { email: '', shipping: 'standard', payment: 'paid', giftCard: '', credit: false }
  return { ...fresh, ...kept, ...(customer ? { email: customer.email ?? '' } : {}) }
}

function readChoices(visit: Visit): Choices {
  const { form } = visit
  keepCart(visit)
  const payment = form.get('payment')
  return {
    email: (form.get('email') ?? '').trim().toLowerCase(),
    shipping: form.get('shipping') ?? 'standard',
    payment: payment === 'authorized' || payment === 'pending' ? payment : 'paid',
    giftCard: (form.get('gift_card') ?? '').trim(),
    credit: form.get('credit') === '1',
  }
}

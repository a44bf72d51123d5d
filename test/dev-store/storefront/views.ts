/** What the theme's templates are given: texts, ready to be shown, in the shopper's currency. */
import { exponentOf, toPresentment } from '../money.ts'
import { allocated, lineNet, sum, totalsOf } from '../order-totals.ts'
import type { Allocation, Customer, DiscountApplication, FinancialStatus, Order, Product, Shop } from '../records.ts'
import type { PricedCart } from './cart.ts'
import { lineMinor } from './discounts.ts'
import { formatMoney } from './liquid.ts'

/** Writes shop money in the shopper's currency. */
export type Price = (minor: number) => string

/** A writer of prices for a shop and a currency. */
export function priceIn(shop: Shop, currency: string, rate = shop.presentmentRates[currency] ?? 1): Price {
  return (minor) => {
    const shown = toPresentment(minor, shop.currency, currency, rate)
    return formatMoney(shown / 10 ** exponentOf(currency), currency, currency === shop.currency ? 'short' : 'foreign')
  }
}

/** The product's own picture, else one drawn from its name. */
export function pictureOf(
  product: Pick<Product, 'imageUrl' | 'title'> | undefined,
  title = product?.title ?? '',
): string {
  return product?.imageUrl ?? `/cdn/pictures/${encodeURIComponent(title)}.svg`
}

/** A product as a card in a list shows it. */
export function productCard(product: Product, price: Price) {
  const prices = product.variants.map((variant) => variant.priceMinor)
  const cheapest = product.variants.toSorted((a, b) => a.priceMinor - b.priceMinor)[0]
  const before = cheapest?.compareAtMinor
  const reduced = cheapest !== undefined && before != null && before > cheapest.priceMinor
  return {
    handle: product.handle,
    title: product.title,
    image: pictureOf(product),
    price: price(cheapest?.priceMinor ?? 0),
    price_varies: new Set(prices).size > 1,
    reduced,
    before: reduced ? price(before) : null,
  }
}

type Saving = { label: string; amount: string }

function savingsOf(allocations: Allocation[], applications: DiscountApplication[], price: Price): Saving[] {
  return allocations.map(({ applicationIndex, amountMinor }) => {
    const application = applications[applicationIndex]!
    return { label: application.code ?? application.title, amount: price(amountMinor) }
  })
}

/** The savings of several lines, one entry for each discount. */
function savingsTotal(lists: Allocation[][], applications: DiscountApplication[], price: Price): Saving[] {
  return applications.flatMap((_, applicationIndex) => {
    const amountMinor = sum(lists.flat(), (row) => (row.applicationIndex === applicationIndex ? row.amountMinor : 0))
    return amountMinor === 0 ? [] : savingsOf([{ applicationIndex, amountMinor }], applications, price)
  })
}

/** The lines of a cart. */
export function cartLines({ lines, combination }: PricedCart, price: Price) {
  return lines.map((line, at) => {
    const allocations = combination.lineAllocations[at]!
    const off = allocated(allocations)
    return {
      key: line.key,
      handle: line.product.handle,
      title: line.product.title,
      variant: line.product.variants.length > 1 ? line.variant.title : null,
      image: pictureOf(line.product),
      quantity: line.quantity,
      unit_price: price(line.variant.priceMinor),
      price: price(lineMinor(line) - off),
      before: off > 0 ? price(lineMinor(line)) : null,
      savings: savingsOf(allocations, combination.applications, price),
    }
  })
}

/** A cart's sums; `paidWith` are gift cards and store credit, taken off what is left to pay. */
export function cartSums(
  shop: Shop,
  cart: PricedCart,
  price: Price,
  paidWith: { label: string; amountMinor: number }[] = [],
) {
  const { combination } = cart
  const paid = sum(paidWith, (row) => row.amountMinor)
  const saved = cart.goodsDiscountMinor + cart.shippingDiscountMinor
  return {
    subtotal: price(cart.subtotalMinor),
    savings: savingsTotal(combination.lineAllocations, combination.applications, price),
    shipping: cart.shipping && price(cart.shipping.priceMinor),
    shipping_title: cart.shipping?.title ?? null,
    shipping_savings: savingsTotal([combination.shippingAllocations], combination.applications, price),
    tax: cart.taxMinor > 0 ? price(cart.taxMinor) : null,
    tax_label: shop.taxesIncluded ? `Including ${shop.taxTitle}` : shop.taxTitle,
    paid_with: paidWith.map((row) => ({ label: row.label, amount: price(row.amountMinor) })),
    total: price(cart.totalMinor - paid),
    total_label: paid > 0 ? 'Left to pay' : 'Total',
    saved: saved > 0 ? price(saved) : null,
  }
}

const STATUS_WORDS: Record<FinancialStatus, [text: string, tone: 'good' | 'bad' | 'plain']> = {
  paid: ['Paid', 'good'],
  pending: ['Payment pending', 'plain'],
  authorized: ['Authorised', 'plain'],
  partially_paid: ['Partly paid', 'plain'],
  partially_refunded: ['Partly refunded', 'plain'],
  refunded: ['Refunded', 'bad'],
  voided: ['Voided', 'bad'],
}

/** The facts of an order that a list shows. */
export function orderRow(shop: Shop, order: Order) {
  const price = priceIn(shop, order.presentmentCurrency, order.presentmentRate)
  const [status, tone] = order.cancelledAt !== null ? ['Cancelled', 'bad'] : STATUS_WORDS[order.financialStatus]
  return {
    name: order.name,
    token: order.token,
    date: dateText(order.processedAt, shop.timezone),
    status,
    tone,
    paid: order.financialStatus === 'paid',
    total: price(totalsOf(order).totalMinor),
  }
}

/** The lines and sums of an order, as placed. */
export function orderPage(shop: Shop, order: Order, pictures: (productId: string | null) => Product | undefined) {
  const price = priceIn(shop, order.presentmentCurrency, order.presentmentRate)
  const totals = totalsOf(order)
  const { discountApplications: applications } = order
  const gateways: Record<string, string> = { gift_card: 'Gift card', shopify_store_credit: 'Store credit' }
  const paidWith = order.transactions
    .filter((row) => row.kind === 'sale' && row.gateway in gateways)
    .map((row) => ({ label: gateways[row.gateway]!, amount: price(row.amountMinor) }))
  return {
    lines: order.lines.map((line) => ({
      title: line.title,
      image: pictureOf(pictures(line.productId), line.title),
      quantity: line.quantity,
      returned: line.quantity - line.currentQuantity,
      price: price(lineNet(line, line.quantity)),
      savings: savingsOf(line.allocations, applications, price),
    })),
    sums: {
      subtotal: price(totals.lineItemsMinor),
      savings: savingsTotal(
        order.lines.map((line) => line.allocations),
        applications,
        price,
      ),
      shipping: order.shippingLines.length > 0 ? price(sum(order.shippingLines, (line) => line.priceMinor)) : null,
      shipping_title: order.shippingLines[0]?.title ?? null,
      shipping_savings: savingsTotal(
        order.shippingLines.map((line) => line.allocations),
        applications,
        price,
      ),
      tax: totals.taxMinor > 0 ? price(totals.taxMinor) : null,
      tax_label: order.taxesIncluded ? `Including ${shop.taxTitle}` : shop.taxTitle,
      paid_with: paidWith,
      total: price(totals.totalMinor),
      saved: totals.discountsMinor > 0 ? price(totals.discountsMinor) : null,
    },
  }
}

/** A customer as pages name them. */
export function customerView(customer: Customer | null) {
  if (!customer) return null
  const name = [customer.firstName, customer.lastName].filter(Boolean).join(' ')
  const initials = [customer.firstName, customer.lastName].map((part) => part?.[0] ?? '').join('')
  return {
    id: customer.id.slice(customer.id.lastIndexOf('/') + 1),
    first_name: customer.firstName,
    name: name || (customer.email ?? 'No name'),
    initials: initials || (customer.email?.[0] ?? '?').toUpperCase(),
    email: customer.email,
  }
}

/** A day in the shop's zone, in words. */
export function dateText(at: number, timezone: string, withTime = false): string {
  return new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    ...(withTime ? { timeStyle: 'short' } : {}),
    timeZone: timezone,
  }).format(new Date(at))
}

/** Shopify's refunds: inside an order's payload, or alone as `refunds/create`. Webhook API 2026-10. */
import { currencyExponent, findCurrencyExponent } from '#app/loyalty/money.ts'
import type { Refund } from '#app/loyalty/order.ts'
import {
  type Fields,
  type Parsed,
  UnreadableField,
  findGid,
  findShopMoney,
  findText,
  readInner,
  readList,
  readObject,
  readParsed,
  requireCount,
  requireGid,
} from './payload.ts'
import { OWN_ID, type ReadFields, listOf, unless, whole } from './read-fields.ts'

/** A refund has no currency of its own but that of its amounts. */
const AMOUNT: ReadFields = { shop_money: { amount: whole, currency_code: whole } }

/** What {@link readRefund} and {@link parseRefund} read. */
export const REFUND_FIELDS: ReadFields = {
  ...OWN_ID,
  order_id: whole,
  total_duties_set: AMOUNT,
  order_adjustments: listOf({
    kind: whole,
    amount: unless('amount_set'),
    amount_set: AMOUNT,
    tax_amount: unless('tax_amount_set'),
    tax_amount_set: AMOUNT,
  }),
  refund_shipping_lines: listOf({ subtotal_amount: unless('subtotal_amount_set'), subtotal_amount_set: AMOUNT }),
  refund_line_items: listOf({
    line_item: OWN_ID,
    line_item_id: whole,
    quantity: whole,
    subtotal_set: AMOUNT,
  }),
}

/** A refund that came alone, and the order it belongs to. */
export type LoneRefund = { readonly order: string; readonly refund: Refund }

/**
 * Reads the payload of `refunds/create`. Whether the order's prices contain tax is not in it; tax of adjustments is left out, as most have none, until the
 * order's next snapshot says so. It carries no currency of its own, so the amounts' own `currency_code` says how many decimals they have.
 * Refunds without lines are ordinary: only money was given back.
 */
export function parseRefund(payload: unknown): Parsed<LoneRefund> {
  return readParsed(() => {
    const fields = readObject(payload, '')
    const exponent = findExponent(fields)
    return { order: requireGid(fields, 'Order', 'order_id'), refund: readRefund(fields, exponent, false) }
  })
}

/**
 * Reads one refund; `exponent` is that of the shop currency. Its amounts are in the order's own prices: with tax where `taxesIncluded`, else without.
 */
export function readRefund(fields: Fields, exponent: number, taxesIncluded: boolean): Refund {
  let [givenBackMinor, shippingMinor, adjustsShipping] = [0, 0, false]
  readList(fields, 'order_adjustments', (adjustment) => {
    const amountMinor = readAdjustment(adjustment, exponent, taxesIncluded)
    const kind = findText(adjustment, 'kind')
    if (kind === 'shipping_refund') {
      shippingMinor += amountMinor
      adjustsShipping = true
    }
    // Since 2024-10 `kind` may be absent, and only discrepancies are listed:
    // https://shopify.dev/changelog/exposing-the-order-adjustments-connection-on-a-refund
    if (kind === 'refund_discrepancy' || kind === null) givenBackMinor += amountMinor
  })
  // Where both shapes are there they say the same money twice.
  if (!adjustsShipping) {
    readList(fields, 'refund_shipping_lines', (line) => {
      shippingMinor += Math.abs(findShopMoney(line, 'subtotal_amount', exponent) ?? 0)
    })
  }
  return {
    id: requireGid(fields, 'Refund'),
    lines: readList(fields, 'refund_line_items', readRefundLine),
    givenBackMinor,
    shippingMinor: Math.max(0, shippingMinor),
  }
}

/** What the shop gave away, 0 or more but for corrections. Shopify writes it as an amount below 0, with its tax beside it, not in it. */
function readAdjustment(fields: Fields, exponent: number, taxesIncluded: boolean): number {
  const amount = findShopMoney(fields, 'amount', exponent) ?? 0
  const tax = taxesIncluded ? (findShopMoney(fields, 'tax_amount', exponent) ?? 0) : 0
  return 0 - amount - tax
}

function readRefundLine(fields: Fields): Refund['lines'][number] {
  // The line's own gid is exact where the number beside it may not be.
  const line = readInner(fields, 'line_item', (inner) => findGid(inner, 'LineItem'))
  return { line: line ?? requireGid(fields, 'LineItem', 'line_item_id'), quantity: requireCount(fields, 'quantity') }
}

/** The decimals of the first shop-currency code that the refund names; 2 where it names no money at all. */
function findExponent(fields: Fields): number {
  const codes: (string | null)[] = [shopCurrency(fields, 'total_duties_set')]
  readList(fields, 'refund_line_items', (line) => codes.push(shopCurrency(line, 'subtotal_set')))
  readList(fields, 'order_adjustments', (adjustment) => codes.push(shopCurrency(adjustment, 'amount_set')))
  readList(fields, 'refund_shipping_lines', (line) => codes.push(shopCurrency(line, 'subtotal_amount_set')))
  const code = codes.find((found) => found !== null)
  if (code === undefined || code === null) return 2
  if (findCurrencyExponent(code) === null) throw new UnreadableField('currency_code', `"${code}" is not a currency`)
  return currencyExponent(code)
}

function shopCurrency(fields: Fields, name: string): string | null {
  const set = fields[name] as { shop_money?: { currency_code?: unknown } | null } | null | undefined
  const code = set?.shop_money?.currency_code
  return typeof code === 'string' ? code : null
}

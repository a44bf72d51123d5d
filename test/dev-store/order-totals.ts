/**
 * What an order comes to, as placed and as it is now, from its lines alone (shop money, minor units). Webhook payloads
 * and Admin GraphQL both read their totals here, so they cannot disagree.
 */
import { share } from './money.ts'
import type { Allocation, FinancialStatus, Order, OrderLine, ShippingLine, TaxLine } from './records.ts'

export type OrderTotals = {
  /** As placed: lines before discounts. */
  lineItemsMinor: number
  discountsMinor: number
  /** As placed: lines after discounts; with tax in it where prices include tax. */
  subtotalMinor: number
  shippingMinor: number
  taxMinor: number
  totalMinor: number
  currentSubtotalMinor: number
  currentDiscountsMinor: number
  currentShippingMinor: number
  currentTaxMinor: number
  currentTotalMinor: number
  receivedMinor: number
  refundedMinor: number
  refundedShippingMinor: number
  discrepancyMinor: number
  outstandingMinor: number
}

/** Every total of the order. `current…` follows edits and refunds of lines and shipping, not amount-only refunds. */
export function totalsOf(order: Order): OrderTotals {
  const placed = order.lines.filter((line) => !line.addedByEdit)
  const lineItemsMinor = sum(placed, (line) => line.unitPriceMinor * line.quantity)
  const shippingDiscounts = sum(order.shippingLines, (line) => allocated(line.allocations))
  const lineDiscounts = sum(placed, (line) => allocated(line.allocations))
  const subtotalMinor = lineItemsMinor - lineDiscounts
  const shippingMinor = sum(order.shippingLines, shippingNet)
  const shippingTax = sum(order.shippingLines, (line) => taxed(line.taxLines))
  const taxMinor = sum(placed, (line) => taxed(line.taxLines)) + shippingTax
  const refundedShippingMinor = sum(order.refunds, (refund) => refund.shippingMinor)
  const refundedShippingTax = sum(order.refunds, (refund) => refund.shippingTaxMinor)
  const currentSubtotalMinor = sum(order.lines, (line) => lineNet(line, line.currentQuantity))
  const currentShippingMinor = shippingMinor - refundedShippingMinor
  const currentTaxMinor =
    sum(order.lines, (line) => lineTax(line, line.currentQuantity)) + shippingTax - refundedShippingTax
  const outside = (tax: number) => (order.taxesIncluded ? 0 : tax)
  const currentTotalMinor = currentSubtotalMinor + currentShippingMinor + outside(currentTaxMinor) + order.tipMinor
  const { receivedMinor, refundedMinor } = moneyMoved(order)
  const discrepancyMinor = sum(order.refunds, (refund) =>
    sum(refund.adjustments, (row) => row.amountMinor + row.taxMinor),
  )
  const owed = currentTotalMinor + discrepancyMinor - (receivedMinor - refundedMinor)
  return {
    lineItemsMinor,
    discountsMinor: lineDiscounts + shippingDiscounts,
    subtotalMinor,
    shippingMinor,
    taxMinor,
    totalMinor: subtotalMinor + shippingMinor + outside(taxMinor) + order.tipMinor,
    currentSubtotalMinor,
    currentDiscountsMinor:
      sum(order.lines, (line) => share(allocated(line.allocations), line.currentQuantity, line.quantity)) +
      shippingDiscounts,
    currentShippingMinor,
    currentTaxMinor,
    currentTotalMinor,
    receivedMinor,
    refundedMinor,
    refundedShippingMinor,
    discrepancyMinor,
    outstandingMinor: order.financialStatus === 'voided' ? 0 : owed,
  }
}

/** Money for `quantity` units of the line after every discount, the discount split so that all parts add up. */
export function lineNet(line: OrderLine, quantity: number): number {
  return line.unitPriceMinor * quantity - share(allocated(line.allocations), quantity, line.quantity)
}

/** Tax of `quantity` units of the line. */
export function lineTax(line: OrderLine, quantity: number): number {
  return share(taxed(line.taxLines), quantity, line.quantity)
}

/** A shipping line after its discounts. */
export function shippingNet(line: ShippingLine): number {
  return line.priceMinor - allocated(line.allocations)
}

/** Tax on `amountMinor` at a shop's rate: on top of it, or the part already inside it. Halves away from zero. */
export function taxOn(amountMinor: number, rateBasisPoints: number, taxesIncluded: boolean): number {
  const whole = taxesIncluded ? 10_000 + rateBasisPoints : 10_000
  return share(amountMinor, rateBasisPoints, whole)
}

/** What has come in (sales and captures) and gone back (refunds), successful ones only. */
export function moneyMoved(order: Order): { receivedMinor: number; refundedMinor: number } {
  const done = order.transactions.filter((row) => row.status === 'success')
  return {
    receivedMinor: sum(done, (row) => (row.kind === 'sale' || row.kind === 'capture' ? row.amountMinor : 0)),
    refundedMinor: sum(done, (row) => (row.kind === 'refund' ? row.amountMinor : 0)),
  }
}

/** The financial status that follows from the order's transactions and totals. */
export function statusOf(order: Order): FinancialStatus {
  const { receivedMinor, refundedMinor, currentTotalMinor, totalMinor, outstandingMinor } = totalsOf(order)
  const voided = order.transactions.some((row) => row.kind === 'void' && row.status === 'success')
  if (voided && receivedMinor === 0) return 'voided'
  if (refundedMinor > 0 && refundedMinor >= receivedMinor) return 'refunded'
  if (receivedMinor === 0 && totalMinor > 0 && currentTotalMinor > 0) {
    return order.transactions.some((row) => row.kind === 'authorization') ? 'authorized' : 'pending'
  }
  if (outstandingMinor > 0) return 'partially_paid'
  return refundedMinor > 0 ? 'partially_refunded' : 'paid'
}

/** Sum of allocations. */
export function allocated(allocations: readonly Allocation[]): number {
  return sum(allocations, (row) => row.amountMinor)
}

/** Sum of tax lines. */
export function taxed(taxLines: readonly TaxLine[]): number {
  return sum(taxLines, (row) => row.amountMinor)
}

/** Sum over rows. */
export function sum<Row>(rows: readonly Row[], amount: (row: Row) => number): number {
  return rows.reduce((total, row) => total + amount(row), 0)
}

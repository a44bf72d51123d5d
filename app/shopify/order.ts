/**
 * Shopify's orders in our words: from webhooks (`orders/*`, API 2026-10) and from the Admin API (GraphQL 2026-10). Both give the same {@link Order}.
 */
import { findCurrencyExponent, parseDecimal } from '#app/loyalty/money.ts'
import type { Order, OrderLine, Refund } from '#app/loyalty/order.ts'
import { parseInstant } from '#app/loyalty/time.ts'
import { CUSTOMER_FIELDS, readCustomer } from './customer.ts'
import {
  type Fields,
  type Parsed,
  UnreadableField,
  findCount,
  findGid,
  findInstant,
  findShopMoney,
  findText,
  mustBe,
  readFlag,
  readInner,
  readList,
  readObject,
  readParsed,
  requireCount,
  requireGid,
  requireInstant,
  requireShopMoney,
  requireText,
} from './payload.ts'
import { OWN_ID, type ReadFields, evenNull, flag, listOf, shopMoney, unless, whole } from './read-fields.ts'
import { REFUND_FIELDS, readRefund } from './refund.ts'

const ALLOCATION_FIELDS: ReadFields = { discount_application_index: whole, ...shopMoney('amount') }
const TAX_FIELDS: ReadFields = shopMoney('price')

/** What {@link parseOrder} reads. The toml asks Shopify for no other fields of the order itself (`include_fields`). */
export const ORDER_FIELDS: ReadFields = {
  ...OWN_ID,
  created_at: unless('processed_at'),
  updated_at: whole,
  processed_at: whole,
  cancelled_at: whole,
  financial_status: whole,
  currency: whole,
  taxes_included: flag,
  test: flag,
  source_name: whole,
  company: { id: whole },
  customer: CUSTOMER_FIELDS,
  line_items: listOf({
    ...OWN_ID,
    product_id: whole,
    quantity: whole,
    current_quantity: whole,
    ...shopMoney('price'),
    gift_card: flag,
    tip: {},
    tip_payment_gateway: evenNull,
    selling_plan: { id: whole },
    selling_plan_allocation: { id: whole },
    discount_allocations: listOf(ALLOCATION_FIELDS),
    tax_lines: listOf(TAX_FIELDS),
  }),
  // An empty list of them says that nothing was shipped.
  shipping_lines: {
    is_removed: flag,
    ...shopMoney('price'),
    ...shopMoney('discounted_price'),
    discount_allocations: listOf(ALLOCATION_FIELDS),
    tax_lines: listOf(TAX_FIELDS),
  },
  ...shopMoney('total_shipping_price'),
  discount_codes: listOf({ code: whole }),
  discount_applications: listOf({ title: whole, type: whole }),
  refunds: listOf(REFUND_FIELDS),
}

/** What {@link parseOrderEdited} reads. */
export const ORDER_EDITED_FIELDS: ReadFields = { order_edit: { order_id: whole } }

/** What {@link parseOrderDelete} reads. */
export const ORDER_DELETE_FIELDS: ReadFields = OWN_ID

/**
 * Reads the payload of `orders/paid`, `orders/updated`, `orders/cancelled` or `orders/create`. Collections, tags and compare-at prices are not in it:
 * `withCatalog` of loyalty/catalog.ts adds them.
 */
export function parseOrder(payload: unknown): Parsed<Order> {
  return readParsed(() => {
    const fields = readObject(payload, '')
    const currency = requireText(fields, 'currency')
    const exponent = findCurrencyExponent(currency)
    if (exponent === null) throw new UnreadableField('currency', mustBe('an ISO 4217 currency code', currency))
    return readOrder(fields, currency, exponent)
  })
}

/** Reads `orders/delete`: the gid of the order that is gone. */
export function parseOrderDelete(payload: unknown): Parsed<string> {
  return readParsed(() => requireGid(readObject(payload, ''), 'Order'))
}

/** Reads `orders/edited`, which has no totals: the gid of the order to fetch again. */
export function parseOrderEdited(payload: unknown): Parsed<string> {
  return readParsed(() => {
    const order = readInner(readObject(payload, ''), 'order_edit', (edit) => requireGid(edit, 'Order', 'order_id'))
    if (order === null) throw new UnreadableField('order_edit', 'is missing')
    return order
  })
}

function readOrder(fields: Fields, currency: string, exponent: number): Order {
  const customer = readInner(fields, 'customer', readCustomer)
  const sourceName = findText(fields, 'source_name')
  const taxesIncluded = readFlag(fields, 'taxes_included', false)
  const refunds = readList(fields, 'refunds', (refund) => readRefund(refund, exponent, taxesIncluded))
  const isSubscription = isSubscriptionSource(sourceName)
  const shipping = readShipping(fields, exponent)
  return {
    id: requireGid(fields, 'Order'),
    customer: customer?.customer ?? null,
    customerState: customer?.state ?? null,
    company: fields.company !== undefined && fields.company !== null,
    sourceName,
    test: readFlag(fields, 'test', false),
    cancelledAt: findInstant(fields, 'cancelled_at'),
    financialStatus: findText(fields, 'financial_status'),
    // Shopify's own samples have orders that were never processed (`null`): they were placed when they were made.
    processedAt: findInstant(fields, 'processed_at') ?? requireInstant(fields, 'created_at'),
    updatedAt: requireInstant(fields, 'updated_at'),
    currency,
    taxesIncluded,
    lines: readList(fields, 'line_items', (line) =>
      isTip(line) ? [] : [readLine(line, exponent, isSubscription, refunds)],
    ).flat(),
    ...shipping,
    refunds,
    discountCodes: readList(fields, 'discount_codes', (entry) => requireText(entry, 'code')),
    ...readAutomaticDiscounts(fields, exponent),
  }
}

/** What each automatic discount took off lines and shipping together, by `discount_applications[].title`; nothing where there was none. */
function readAutomaticDiscounts(fields: Fields, exponent: number): Pick<Order, 'automaticDiscounts'> {
  const applications = readList(fields, 'discount_applications', (entry) => ({
    title: findText(entry, 'title'),
    automatic: findText(entry, 'type') === 'automatic',
  }))
  if (!applications.some(({ automatic }) => automatic)) return {}
  const given: { title: string; amountMinor: number }[] = []
  const addAllocations = (line: Fields) =>
    readList(line, 'discount_allocations', (allocation) => {
      const application = applications[findCount(allocation, 'discount_application_index') ?? -1]
      if (!application?.automatic || application.title === null) return
      given.push({ title: application.title, amountMinor: requireShopMoney(allocation, 'amount', exponent) })
    })
  readList(fields, 'line_items', addAllocations)
  readList(fields, 'shipping_lines', addAllocations)
  return sumByTitle(given)
}

function sumByTitle(given: readonly { title: string; amountMinor: number }[]): Pick<Order, 'automaticDiscounts'> {
  const amounts = new Map<string, number>()
  for (const { title, amountMinor } of given) amounts.set(title, (amounts.get(title) ?? 0) + amountMinor)
  if (amounts.size === 0) return {}
  return { automaticDiscounts: [...amounts].map(([title, amountMinor]) => ({ title, amountMinor })) }
}

/**
 * A tip stands among the lines and is no goods. It has no product, and a `tip` or a `tip_payment_gateway`, which other lines do not have at all and tips
 * may have with null in them ("Present only on tips", shopify.dev, REST Order).
 */
function isTip(fields: Fields): boolean {
  if (fields.product_id !== null && fields.product_id !== undefined) return false
  return (fields.tip !== null && fields.tip !== undefined) || fields.tip_payment_gateway !== undefined
}

/** In minor units. No order's line comes near it, and hundreds of such lines still add up exactly. */
const LARGEST_LINE = 1e13

function readLine(fields: Fields, exponent: number, isSubscription: boolean, refunds: readonly Refund[]): OrderLine {
  const id = requireGid(fields, 'LineItem')
  const quantity = requireCount(fields, 'quantity')
  const currentQuantity = findCount(fields, 'current_quantity') ?? quantity - countRefunded(refunds, id)
  if (currentQuantity > quantity || currentQuantity < 0) {
    throw new UnreadableField('current_quantity', `must be from 0 to quantity (${quantity}), not ${currentQuantity}`)
  }
  const priceMinor = requireShopMoney(fields, 'price', exponent)
  if (priceMinor * quantity > LARGEST_LINE)
    throw new UnreadableField('quantity', `${quantity} at this price is too much to count`)
  return {
    id,
    product: findGid(fields, 'Product', 'product_id'),
    quantity,
    currentQuantity,
    priceMinor,
    discountMinor: sumMoney(fields, 'discount_allocations', 'amount', exponent),
    taxMinor: sumMoney(fields, 'tax_lines', 'price', exponent),
    giftCard: readFlag(fields, 'gift_card', false),
    subscription: isSubscription || fields.selling_plan_allocation != null || fields.selling_plan != null,
    collections: [],
    tags: [],
    compareAtMinor: null,
  }
}

/** Orders that a subscription contract bills say so in their source: "subscription_contract", "subscription_contract_checkout_one". */
function isSubscriptionSource(sourceName: string | null): boolean {
  return sourceName !== null && sourceName.startsWith('subscription_contract')
}

function countRefunded(refunds: readonly Refund[], line: string): number {
  let units = 0
  for (const refund of refunds) for (const entry of refund.lines) if (entry.line === line) units += entry.quantity
  return units
}

/** Shipping as charged: after every discount that either field of the line knows. Removed lines were never charged. */
function readShipping(fields: Fields, exponent: number): { shippingMinor: number; shippingTaxMinor: number } {
  let [shippingMinor, shippingTaxMinor] = [0, 0]
  readList(fields, 'shipping_lines', (line) => {
    if (readFlag(line, 'is_removed', false)) return
    const price = requireShopMoney(line, 'price', exponent)
    const allocated = price - sumMoney(line, 'discount_allocations', 'amount', exponent)
    // `discounted_price` leaves out discounts of the whole cart; the allocations can leave out those of the line.
    const discounted = findShopMoney(line, 'discounted_price', exponent) ?? price
    shippingMinor += Math.max(0, Math.min(allocated, discounted))
    shippingTaxMinor += sumMoney(line, 'tax_lines', 'price', exponent)
  })
  if (fields.shipping_lines == null) shippingMinor = findShopMoney(fields, 'total_shipping_price', exponent) ?? 0
  return { shippingMinor, shippingTaxMinor }
}

function sumMoney(fields: Fields, list: string, name: string, exponent: number): number {
  const entries = fields[list]
  if (entries === undefined || entries === null || (Array.isArray(entries) && entries.length === 0)) return 0
  let sum = 0
  readList(fields, list, (entry) => {
    sum += requireShopMoney(entry, name, exponent)
  })
  return sum
}

/**
 * One order, by {@link orderFromAdminApi}: variables `id`, `lines` (the size of the first page of lines, at most 250). Answers `order`, null where it is
 * gone.
 */
export const ORDER_QUERY = `#graphql
query LoyaltyOrder($id: ID!, $lines: Int!) {
  order(id: $id) { ...LoyaltyOrder }
}
fragment LoyaltyOrder on Order {
  id test cancelledAt processedAt updatedAt currencyCode taxesIncluded sourceName displayFinancialStatus discountCodes
  totalTipReceivedSet { shopMoney { amount } }
  customer { id state }
  purchasingEntity { __typename }
  lineItems(first: $lines) { pageInfo { hasNextPage endCursor } nodes { ...LoyaltyOrderLine } }
  shippingLines(first: 10) {
    nodes {
      originalPriceSet { shopMoney { amount } }
      discountAllocations { ...LoyaltyAllocation }
      taxLines { priceSet { shopMoney { amount } } }
    }
  }
  refunds(first: 50) {
    id
    orderAdjustments(first: 10) { nodes { amountSet { shopMoney { amount } } taxAmountSet { shopMoney { amount } } } }
    refundShippingLines(first: 5) { nodes { subtotalAmountSet { shopMoney { amount } } } }
  }
  transactions(first: 50) { kind status processedAt }
}
fragment LoyaltyOrderLine on LineItem {
  id quantity currentQuantity isGiftCard
  product { id }
  sellingPlan { name }
  originalUnitPriceSet { shopMoney { amount } }
  discountAllocations { ...LoyaltyAllocation }
  taxLines { priceSet { shopMoney { amount } } }
}
fragment LoyaltyAllocation on DiscountAllocation {
  allocatedAmountSet { shopMoney { amount } }
  discountApplication { ... on AutomaticDiscountApplication { title } }
}
`

/**
 * Orders by when they last changed: variables `query` (like "updated_at:>='2026-08-01T00:00:00Z'"), `first`, `after`, `lines`. Keep first × lines at some
 * hundreds: a query may cost at most 1 000 points.
 */
export const ORDERS_QUERY = `#graphql
query LoyaltyOrders($query: String, $first: Int!, $after: String, $lines: Int!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { ...LoyaltyOrder }
  }
}
fragment LoyaltyOrder on Order {
  id test cancelledAt processedAt updatedAt currencyCode taxesIncluded sourceName displayFinancialStatus discountCodes
  totalTipReceivedSet { shopMoney { amount } }
  customer { id state }
  purchasingEntity { __typename }
  lineItems(first: $lines) { pageInfo { hasNextPage endCursor } nodes { ...LoyaltyOrderLine } }
  shippingLines(first: 10) {
    nodes {
      originalPriceSet { shopMoney { amount } }
      discountAllocations { ...LoyaltyAllocation }
      taxLines { priceSet { shopMoney { amount } } }
    }
  }
  refunds(first: 50) {
    id
    orderAdjustments(first: 10) { nodes { amountSet { shopMoney { amount } } taxAmountSet { shopMoney { amount } } } }
    refundShippingLines(first: 5) { nodes { subtotalAmountSet { shopMoney { amount } } } }
  }
  transactions(first: 50) { kind status processedAt }
}
fragment LoyaltyOrderLine on LineItem {
  id quantity currentQuantity isGiftCard
  product { id }
  sellingPlan { name }
  originalUnitPriceSet { shopMoney { amount } }
  discountAllocations { ...LoyaltyAllocation }
  taxLines { priceSet { shopMoney { amount } } }
}
fragment LoyaltyAllocation on DiscountAllocation {
  allocatedAmountSet { shopMoney { amount } }
  discountApplication { ... on AutomaticDiscountApplication { title } }
}
`

/** Further lines of a long order: variables `id`, `after`, `lines`. Give the answer's `order.lineItems` to {@link addLines}. */
export const ORDER_LINES_QUERY = `#graphql
query LoyaltyOrderLines($id: ID!, $lines: Int!, $after: String!) {
  order(id: $id) {
    lineItems(first: $lines, after: $after) { pageInfo { hasNextPage endCursor } nodes { ...LoyaltyOrderLine } }
  }
}
fragment LoyaltyOrderLine on LineItem {
  id quantity currentQuantity isGiftCard
  product { id }
  sellingPlan { name }
  originalUnitPriceSet { shopMoney { amount } }
  discountAllocations { ...LoyaltyAllocation }
  taxLines { priceSet { shopMoney { amount } } }
}
fragment LoyaltyAllocation on DiscountAllocation {
  allocatedAmountSet { shopMoney { amount } }
  discountApplication { ... on AutomaticDiscountApplication { title } }
}
`

type MoneyBag = { shopMoney: { amount: string } }
/** Only an automatic discount has a title here; what the app stored before it asked for it has no application at all. */
type AdminAllocation = { allocatedAmountSet: MoneyBag; discountApplication?: { title?: string } }
type Nodes<T> = { nodes: T[] }
type LinePage = Nodes<AdminOrderLine> & { pageInfo: { hasNextPage: boolean; endCursor: string | null } }

/** What the queries above answer for a line. */
export type AdminOrderLine = {
  id: string
  quantity: number
  currentQuantity: number
  isGiftCard: boolean
  product: { id: string } | null
  sellingPlan: { name: string } | null
  originalUnitPriceSet: MoneyBag
  discountAllocations: AdminAllocation[]
  taxLines: { priceSet: MoneyBag }[]
}

/** What the queries above answer for an order. */
export type AdminOrder = {
  id: string
  test: boolean
  cancelledAt: string | null
  processedAt: string
  updatedAt: string
  currencyCode: string
  taxesIncluded: boolean
  sourceName: string | null
  displayFinancialStatus: string | null
  discountCodes: string[]
  /** Missing in what the app stored before it asked for it. */
  totalTipReceivedSet?: MoneyBag
  customer: { id: string; state: string } | null
  purchasingEntity: { __typename: string } | null
  lineItems: LinePage
  shippingLines: Nodes<{
    originalPriceSet: MoneyBag
    discountAllocations: AdminAllocation[]
    taxLines: { priceSet: MoneyBag }[]
  }>
  refunds: {
    id: string
    orderAdjustments: Nodes<{ amountSet: MoneyBag; taxAmountSet: MoneyBag }>
    refundShippingLines: Nodes<{ subtotalAmountSet: MoneyBag }>
  }[]
  transactions: { kind: string; status: string; processedAt: string | null }[]
}

/**
 * An order read from the API. `paidAt` is the `processedAt` of its last successful sale or capture, or, where none was needed (an order of
 * 0.00), the instant of placing; null while it is not paid.
 */
export type AdminApiOrder = { readonly order: Order; readonly paidAt: number | null }

/**
 * An answer of {@link ORDER_QUERY} or {@link ORDERS_QUERY} in our words. All lines must be there: while `lineItems.pageInfo.hasNextPage`, fetch on with
 * {@link ORDER_LINES_QUERY} and {@link addLines} first (it throws otherwise). Amounts are text in the answer and never become floats.
 */
export function orderFromAdminApi(node: AdminOrder): AdminApiOrder {
  if (node.lineItems.pageInfo.hasNextPage) throw new Error(`${node.id} has more lines than were fetched`)
  const exponent = findCurrencyExponent(node.currencyCode)
  if (exponent === null) throw new Error(`${node.id} is in the unknown currency ${node.currencyCode}`)
  const minor = (set: MoneyBag) => adminMoney(set, exponent, node.id)
  const isSubscription = isSubscriptionSource(node.sourceName)
  const processedAt = adminInstant(node.processedAt, node.id)
  const financialStatus = node.displayFinancialStatus?.toLowerCase() ?? null
  const tips = findTips(node, minor)
  const order: Order = {
    id: node.id,
    customer: node.customer?.id ?? null,
    customerState: node.customer?.state.toLowerCase() ?? null,
    company: node.purchasingEntity?.__typename === 'PurchasingCompany',
    sourceName: node.sourceName,
    test: node.test,
    cancelledAt: node.cancelledAt === null ? null : adminInstant(node.cancelledAt, node.id),
    financialStatus,
    processedAt,
    updatedAt: adminInstant(node.updatedAt, node.id),
    currency: node.currencyCode,
    taxesIncluded: node.taxesIncluded,
    lines: node.lineItems.nodes
      .filter((line) => !tips.includes(line))
      .map((line) => adminLine(line, isSubscription, minor)),
    shippingMinor: total(node.shippingLines.nodes, (line) =>
      Math.max(
        0,
        minor(line.originalPriceSet) - total(line.discountAllocations, (part) => minor(part.allocatedAmountSet)),
      ),
    ),
    shippingTaxMinor: total(node.shippingLines.nodes, (line) => total(line.taxLines, (tax) => minor(tax.priceSet))),
    refunds: node.refunds.map((refund) => ({
      id: refund.id,
      lines: [],
      givenBackMinor: total(
        refund.orderAdjustments.nodes,
        (part) => 0 - minor(part.amountSet) - (node.taxesIncluded ? minor(part.taxAmountSet) : 0),
      ),
      shippingMinor: total(refund.refundShippingLines.nodes, (line) => Math.abs(minor(line.subtotalAmountSet))),
    })),
    discountCodes: node.discountCodes,
    ...sumByTitle(
      [...node.lineItems.nodes, ...node.shippingLines.nodes].flatMap((line) =>
        line.discountAllocations.flatMap(({ allocatedAmountSet, discountApplication }) =>
          discountApplication?.title === undefined
            ? []
            : [{ title: discountApplication.title, amountMinor: minor(allocatedAmountSet) }],
        ),
      ),
    ),
  }
  return { order, paidAt: isPaid(financialStatus) ? (lastPayment(node) ?? processedAt) : null }
}

/** The node with a further page of lines after those it has. */
export function addLines(node: AdminOrder, page: LinePage): AdminOrder {
  return { ...node, lineItems: { pageInfo: page.pageInfo, nodes: [...node.lineItems.nodes, ...page.nodes] } }
}

/** The lines that are tips, which the API does not mark: lines without a product, of as much money as the order says it had in tips. */
function findTips(node: AdminOrder, minor: (set: MoneyBag) => number): AdminOrderLine[] {
  const tipMinor = node.totalTipReceivedSet ? minor(node.totalTipReceivedSet) : 0
  if (tipMinor === 0) return []
  const moneyOf = (line: AdminOrderLine) => minor(line.originalUnitPriceSet) * line.quantity
  const nameless = node.lineItems.nodes.filter((line) => line.product === null && !line.isGiftCard)
  const one = nameless.find((line) => moneyOf(line) === tipMinor)
  if (one) return [one]
  return total(nameless, moneyOf) === tipMinor ? nameless : []
}

function adminLine(line: AdminOrderLine, isSubscription: boolean, minor: (set: MoneyBag) => number): OrderLine {
  return {
    id: line.id,
    product: line.product?.id ?? null,
    quantity: line.quantity,
    currentQuantity: line.currentQuantity,
    priceMinor: minor(line.originalUnitPriceSet),
    discountMinor: total(line.discountAllocations, (part) => minor(part.allocatedAmountSet)),
    taxMinor: total(line.taxLines, (tax) => minor(tax.priceSet)),
    giftCard: line.isGiftCard,
    subscription: isSubscription || line.sellingPlan !== null,
    collections: [],
    tags: [],
    compareAtMinor: null,
  }
}

function isPaid(financialStatus: string | null): boolean {
  return financialStatus === 'paid' || financialStatus === 'partially_refunded' || financialStatus === 'refunded'
}

function lastPayment(node: AdminOrder): number | null {
  let last: number | null = null
  for (const { kind, status, processedAt } of node.transactions) {
    if (status !== 'SUCCESS' || (kind !== 'SALE' && kind !== 'CAPTURE') || processedAt === null) continue
    const at = adminInstant(processedAt, node.id)
    if (last === null || at > last) last = at
  }
  return last
}

function adminMoney(set: MoneyBag, exponent: number, order: string): number {
  const amount = parseDecimal(set.shopMoney.amount, exponent)
  if (amount === null) throw new Error(`${order} has an amount of "${set.shopMoney.amount}"`)
  return amount
}

function adminInstant(text: string, order: string): number {
  const at = parseInstant(text)
  if (at === null) throw new Error(`${order} has an instant of "${text}"`)
  return at
}

function total<T>(entries: readonly T[], amountOf: (entry: T) => number): number {
  // Starting from 0 also turns −0 into 0.
  return entries.reduce((all, entry) => all + amountOf(entry), 0)
}

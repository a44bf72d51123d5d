/** Orders, their lines, discounts, tax, refunds and payments. Money reads order-totals.ts, as the webhooks do. */
import { graphqlDecimal } from '../money.ts'
import { allocated, lineNet, lineTax, shippingNet, sum, totalsOf } from '../order-totals.ts'
import type {
  Allocation,
  Gid,
  Order,
  OrderAdjustment,
  OrderLine,
  Refund,
  RefundLine,
  ShippingLine,
  TaxLine,
  Transaction,
} from '../records.ts'
import {
  connection,
  connectionFields,
  dateTime,
  fieldsOf,
  money,
  moneyBag,
  notImitated,
  properties,
  wholeConnection,
  type Args,
  type Context,
  type Field,
  type Fields,
} from './context.ts'
import { metafieldFieldsOf } from './metafields.ts'
import { findNode, findOf, findVariant } from './node.ts'
import { matchesId, matchesText, matchesTime, matchesWords, search, type Filters } from './search.ts'

/** Without `read_all_orders` an app sees the orders of the last 60 days (shopify.dev, "Access scopes"). */
const WINDOW_MS = 60 * 24 * 3_600_000

const filters: Filters<Order> = {
  id: (row, term) => matchesId(row.id, term),
  name: (row, term) => matchesText(row.name, term) || matchesText(row.name.slice(1), term),
  customer_id: (row, term) => matchesId(row.customerId, term),
  email: (row, term) => matchesText(row.email, term),
  created_at: (row, term) => matchesTime(row.createdAt, term),
  processed_at: (row, term) => matchesTime(row.processedAt, term),
  updated_at: (row, term) => matchesTime(row.updatedAt, term),
  financial_status: (row, term) => matchesText(row.financialStatus, term),
  status: (row, term) => {
    if (term.value === 'any' || term.value === '*') return true
    if (term.value === 'cancelled') return row.cancelledAt !== null
    return term.value === 'open' ? row.closedAt === null && row.cancelledAt === null : row.closedAt !== null
  },
  source_name: (row, term) => matchesText(row.sourceName, term),
  test: (row, term) => matchesText(String(row.test), term),
  tag: (row, term) => row.tags.some((tag) => matchesText(tag, term)),
  tag_not: (row, term) => !row.tags.some((tag) => matchesText(tag, term)),
  discount_code: (row, term) => row.discountApplications.some((application) => matchesText(application.code, term)),
  gateway: (row, term) => row.transactions.some((transaction) => matchesText(transaction.gateway, term)),
  default: (row, term) => matchesWords([row.name, row.name.slice(1), row.email], term),
}

const SORTS: Record<string, (order: Order) => number> = {
  ID: (order) => Number(order.id.split('/').at(-1)),
  CREATED_AT: (order) => order.createdAt,
  PROCESSED_AT: (order) => order.processedAt,
  UPDATED_AT: (order) => order.updatedAt,
  ORDER_NUMBER: (order) => order.number,
  TOTAL_PRICE: (order) => totalsOf(order).totalMinor,
}

function sorted(orders: Order[], sortKey: unknown): Order[] {
  const key = SORTS[(sortKey as string | undefined) ?? 'PROCESSED_AT']
  if (!key) throw notImitated(`sortKey: ${String(sortKey)} of orders`)
  return orders
    .map((order) => ({ order, value: key(order), id: Number(order.id.split('/').at(-1)) }))
    .sort((a, b) => a.value - b.value || a.id - b.id)
    .map((row) => row.order)
}

function visible({ store, domain }: Context): Order[] {
  const orders = store.orders(domain)
  if (store.shop(domain).installation?.scopes.includes('read_all_orders')) return orders
  const since = store.now() - WINDOW_MS
  return orders.filter((order) => order.createdAt >= since)
}

function found(context: Context, args: Args): Order[] {
  return sorted(search(visible(context), args.query, filters), args.sortKey)
}

/** A customer's orders as a connection, in the order asked for. */
export function orderConnection(orders: Order[], args: Args) {
  return connection(sorted(search(orders, args.query, filters), args.sortKey ?? 'ID'), args)
}

export const orderRoots = fieldsOf<null>('QueryRoot', {
  order: (_root, args, context) => {
    const order = findOf(context, args.id as Gid, 'Order') as Order | null
    return order && visible(context).includes(order) ? order : null
  },
  orders: (_root, args, context) => connection(found(context, args), args),
  ordersCount: (_root, args, context) => ({ count: found(context, args).length, precision: 'EXACT' }),
})

export const orderBulkRoots: Record<string, Field<null>> = {
  orders: (_root, args, context) => wholeConnection(found(context, args), args),
}

type Line = OrderLine & { order: Order }
type Ship = ShippingLine & { order: Order }
type Tax = TaxLine & { order: Order }
type Payment = Transaction & { order: Order }
type Back = Refund & { order: Order }

const total =
  (pick: (totals: ReturnType<typeof totalsOf>) => number): Field<Order> =>
  (order) =>
    moneyBag(pick(totalsOf(order)), order)

const orderMoney: Record<string, Field<Order>> = {
  subtotalPriceSet: total((totals) => totals.subtotalMinor),
  totalPriceSet: total((totals) => totals.totalMinor),
  originalTotalPriceSet: total((totals) => totals.totalMinor),
  totalTaxSet: total((totals) => totals.taxMinor),
  totalDiscountsSet: total((totals) => totals.discountsMinor),
  totalShippingPriceSet: total((totals) => totals.shippingMinor),
  currentSubtotalPriceSet: total((totals) => totals.currentSubtotalMinor),
  currentTotalPriceSet: total((totals) => totals.currentTotalMinor),
  currentTotalTaxSet: total((totals) => totals.currentTaxMinor),
  currentTotalDiscountsSet: total((totals) => totals.currentDiscountsMinor),
  currentShippingPriceSet: total((totals) => totals.currentShippingMinor),
  currentTotalDutiesSet: () => null,
  currentTotalAdditionalFeesSet: () => null,
  originalTotalDutiesSet: () => null,
  totalTipReceivedSet: (order) => moneyBag(order.tipMinor, order),
  totalReceivedSet: total((totals) => totals.receivedMinor),
  totalRefundedSet: total((totals) => totals.refundedMinor),
  totalRefundedShippingSet: total((totals) => totals.refundedShippingMinor),
  totalOutstandingSet: total((totals) => totals.outstandingMinor),
  refundDiscrepancySet: total((totals) => totals.discrepancyMinor),
  netPaymentSet: total((totals) => totals.receivedMinor - totals.refundedMinor),
}

const order: Record<string, Field<Order>> = {
  ...orderMoney,
  id: (row) => row.id,
  legacyResourceId: (row) => row.id.split('/').at(-1),
  name: (row) => row.name,
  number: (row) => row.number,
  email: (row) => row.email,
  note: (row) => row.note,
  tags: (row) => [...row.tags].sort(),
  test: (row) => row.test,
  edited: (row) => row.edited,
  confirmed: () => true,
  closed: (row) => row.closedAt !== null,
  sourceName: (row) => row.sourceName,
  currencyCode: (row) => row.currency,
  presentmentCurrencyCode: (row) => row.presentmentCurrency,
  taxesIncluded: (row) => row.taxesIncluded,
  dutiesIncluded: () => false,
  estimatedTaxes: () => false,
  createdAt: (row) => dateTime(row.createdAt),
  processedAt: (row) => dateTime(row.processedAt),
  updatedAt: (row) => dateTime(row.updatedAt),
  closedAt: (row) => dateTime(row.closedAt),
  cancelledAt: (row) => dateTime(row.cancelledAt),
  cancelReason: (row) => row.cancelReason?.toUpperCase() ?? null,
  displayFinancialStatus: (row) => row.financialStatus.toUpperCase(),
  displayFulfillmentStatus: () => 'UNFULFILLED',
  fullyPaid: (row) => totalsOf(row).outstandingMinor <= 0 && totalsOf(row).receivedMinor > 0,
  unpaid: (row) => totalsOf(row).receivedMinor === 0,
  discountCode: (row) => codes(row)[0] ?? null,
  discountCodes: (row) => codes(row),
  paymentGatewayNames: (row) => [...new Set(row.transactions.map((transaction) => transaction.gateway))],
  customAttributes: (row) => row.noteAttributes.map(({ name, value }) => ({ key: name, value })),
  currentSubtotalLineItemsQuantity: (row) => sum(row.lines, (line) => line.currentQuantity),
  subtotalLineItemsQuantity: (row) => sum(row.lines, (line) => line.quantity),
  customer: (row, _args, context) => (row.customerId ? findNode(context, row.customerId) : null),
  purchasingEntity: (row, _args, context) => {
    if (row.company) {
      return {
        __typename: 'PurchasingCompany',
        company: { id: row.company.id },
        location: { id: row.company.locationId },
      }
    }
    return row.customerId ? findNode(context, row.customerId) : null
  },
  lineItems: (row, args) =>
    connection(
      row.lines.map((line) => ({ ...line, order: row })),
      args,
    ),
  discountApplications: (row, args) => {
    const rows = row.discountApplications.map((_application, index) => ({
      ...application(row, index),
      id: String(index),
    }))
    return connection(rows, args)
  },
  taxLines: (row) => row.lines.flatMap((line) => line.taxLines.map((tax) => ({ ...tax, order: row }))),
  shippingLine: (row) => (row.shippingLines[0] ? { ...row.shippingLines[0], order: row } : null),
  shippingLines: (row, args) =>
    connection(
      row.shippingLines.map((line) => ({ ...line, order: row })),
      args,
    ),
  refunds: (row, args) =>
    row.refunds.slice(0, (args.first as number | undefined) ?? undefined).map((refund) => ({ ...refund, order: row })),
  transactions: (row, args) => {
    const rows = row.transactions.slice(0, (args.first as number | undefined) ?? undefined)
    return rows.map((transaction) => ({ ...transaction, order: row }))
  },
  ...metafieldFieldsOf<Order>(),
}

function codes(row: Order): string[] {
  return [...new Set(row.discountApplications.flatMap((application) => (application.code ? [application.code] : [])))]
}

const APPLICATION_TYPES = {
  discount_code: 'DiscountCodeApplication',
  automatic: 'AutomaticDiscountApplication',
  manual: 'ManualDiscountApplication',
  script: 'ScriptDiscountApplication',
}

function application(row: Order, index: number) {
  const source = row.discountApplications[index]!
  return {
    __typename: APPLICATION_TYPES[source.type],
    index,
    code: source.code,
    title: source.title,
    allocationMethod: source.allocationMethod.toUpperCase(),
    targetSelection: source.targetSelection.toUpperCase(),
    targetType: source.targetType.toUpperCase(),
    value:
      source.valueType === 'percentage'
        ? { __typename: 'PricingPercentageValue', percentage: Number(source.value) }
        : { __typename: 'MoneyV2', amount: source.value, currencyCode: row.currency },
  }
}

function allocationViews(allocations: Allocation[], row: Order) {
  return allocations.map((allocation) => ({
    allocatedAmount: money(allocation.amountMinor, row.currency),
    allocatedAmountSet: moneyBag(allocation.amountMinor, row),
    discountApplication: application(row, allocation.applicationIndex),
  }))
}

/** Line total after all discounts, refunded and removed units left out, without tax (the SDL's own words). */
function beforeTaxes(line: Line): number {
  const net = lineNet(line, line.currentQuantity)
  return line.order.taxesIncluded ? net - lineTax(line, line.currentQuantity) : net
}

const line: Record<string, Field<Line>> = {
  ...(properties(
    'id',
    'title',
    'variantTitle',
    'sku',
    'vendor',
    'quantity',
    'currentQuantity',
    'taxable',
    'requiresShipping',
  ) as Record<string, Field<Line>>),
  name: (row) =>
    row.variantTitle && row.variantTitle !== 'Default Title' ? `${row.title} - ${row.variantTitle}` : row.title,
  isGiftCard: (row) => row.giftCard,
  refundableQuantity: (row) => row.currentQuantity,
  unfulfilledQuantity: (row) => row.currentQuantity,
  product: (row, _args, context) => (row.productId ? findNode(context, row.productId) : null),
  variant: (row, _args, context) => (row.variantId ? findVariant(context, row.variantId) : null),
  sellingPlan: (row) => (row.sellingPlan ? { name: row.sellingPlan.name, sellingPlanId: null } : null),
  contract: (row) => (row.sellingPlan?.contractId ? { id: row.sellingPlan.contractId } : null),
  customAttributes: (row) => row.properties.map(({ name, value }) => ({ key: name, value })),
  originalUnitPriceSet: (row) => moneyBag(row.unitPriceMinor, row.order),
  originalTotalSet: (row) => moneyBag(row.unitPriceMinor * row.quantity, row.order),
  totalDiscountSet: (row) => moneyBag(allocated(row.allocations), row.order),
  discountedTotalSet: (row, args) =>
    moneyBag(args.withCodeDiscounts ? lineNet(row, row.quantity) : row.unitPriceMinor * row.quantity, row.order),
  discountedUnitPriceAfterAllDiscountsSet: (row) =>
    moneyBag(Math.round(lineNet(row, row.quantity) / Math.max(1, row.quantity)), row.order),
  priceAfterAllDiscountsBeforeTaxesSet: (row) => moneyBag(beforeTaxes(row), row.order),
  discountAllocations: (row) => allocationViews(row.allocations, row.order),
  duties: () => [],
  taxLines: (row) => row.taxLines.map((tax) => ({ ...tax, order: row.order })),
}

export const orderFields: Fields = {
  ...fieldsOf<Order>('Order', order),
  ...connectionFields('Order'),
  ...fieldsOf<Line>('LineItem', line),
  ...connectionFields('LineItem'),
  ...fieldsOf('LineItemSellingPlan', properties('name', 'sellingPlanId')),
  ...fieldsOf('SubscriptionContract', properties('id')),
  ...fieldsOf('PurchasingCompany', properties('company', 'location')),
  ...fieldsOf('Company', properties('id')),
  ...fieldsOf('CompanyLocation', properties('id')),
  ...fieldsOf('DiscountAllocation', properties('allocatedAmount', 'allocatedAmountSet', 'discountApplication')),
  ...connectionFields('DiscountApplication'),
  ...applicationFields('DiscountApplication'),
  ...applicationFields('DiscountCodeApplication', 'code'),
  ...applicationFields('AutomaticDiscountApplication', 'title'),
  ...applicationFields('ManualDiscountApplication', 'title'),
  ...applicationFields('ScriptDiscountApplication', 'title'),
  ...fieldsOf('PricingPercentageValue', properties('percentage')),
  ...fieldsOf<Tax>('TaxLine', {
    title: (row) => row.title,
    rate: (row) => row.rateBasisPoints / 10_000,
    ratePercentage: (row) => row.rateBasisPoints / 100,
    price: (row) => graphqlDecimal(row.amountMinor, row.order.currency),
    priceSet: (row) => moneyBag(row.amountMinor, row.order),
    channelLiable: () => false,
  }),
  ...fieldsOf<Ship>('ShippingLine', {
    id: (row) => `gid://shopify/ShippingLine/${row.id}`,
    title: (row) => row.title,
    code: (row) => row.title,
    isRemoved: () => false,
    originalPriceSet: (row) => moneyBag(row.priceMinor, row.order),
    discountedPriceSet: (row) => moneyBag(shippingNet(row), row.order),
    discountAllocations: (row) => allocationViews(row.allocations, row.order),
    taxLines: (row) => row.taxLines.map((tax) => ({ ...tax, order: row.order })),
  }),
  ...connectionFields('ShippingLine'),
  ...fieldsOf<Back>('Refund', {
    id: (row) => row.id,
    legacyResourceId: (row) => row.id.split('/').at(-1),
    note: (row) => row.note,
    createdAt: (row) => dateTime(row.createdAt),
    processedAt: (row) => dateTime(row.createdAt),
    updatedAt: (row) => dateTime(row.createdAt),
    order: (row) => row.order,
    totalRefundedSet: (row) =>
      moneyBag(
        sum(ofRefund(row), (transaction) => transaction.amountMinor),
        row.order,
      ),
    refundLineItems: (row, args) =>
      connection(
        row.lines.map((each) => ({ ...each, order: row.order })),
        args,
      ),
    orderAdjustments: (row, args) =>
      connection(
        row.adjustments.map((each) => ({ ...each, id: `gid://shopify/OrderAdjustment/${each.id}`, order: row.order })),
        args,
      ),
    refundShippingLines: (row, args) => connection(refundedShipping(row), args),
    transactions: (row, args) =>
      connection(
        ofRefund(row).map((each) => ({ ...each, order: row.order })),
        args,
      ),
  }),
  ...fieldsOf<RefundLine & { order: Order }>('RefundLineItem', {
    id: (row) => `gid://shopify/RefundLineItem/${row.id}`,
    quantity: (row) => row.quantity,
    lineItem: (row) => ({ ...row.order.lines.find((each) => each.id === row.lineId)!, order: row.order }),
    subtotalSet: (row) => moneyBag(row.subtotalMinor, row.order),
    totalTaxSet: (row) => moneyBag(row.taxMinor, row.order),
    restockType: (row) => row.restockType.toUpperCase(),
    restocked: (row) => row.restockType !== 'no_restock',
  }),
  ...connectionFields('RefundLineItem'),
  ...fieldsOf<OrderAdjustment & { order: Order }>('OrderAdjustment', {
    id: (row) => row.id,
    reason: () => 'REFUND_DISCREPANCY',
    amountSet: (row) => moneyBag(row.amountMinor, row.order),
    taxAmountSet: (row) => moneyBag(row.taxMinor, row.order),
  }),
  ...connectionFields('OrderAdjustment'),
  ...fieldsOf('RefundShippingLine', properties('id', 'shippingLine', 'subtotalAmountSet', 'taxAmountSet')),
  ...connectionFields('RefundShippingLine'),
  ...fieldsOf<Payment>('OrderTransaction', {
    id: (row) => row.id,
    kind: (row) => row.kind.toUpperCase(),
    status: (row) => row.status.toUpperCase(),
    gateway: (row) => row.gateway,
    formattedGateway: (row) => row.gateway,
    test: (row) => row.order.test,
    createdAt: (row) => dateTime(row.createdAt),
    processedAt: (row) => dateTime(row.createdAt),
    amountSet: (row) => moneyBag(row.amountMinor, row.order),
    manualPaymentGateway: (row) => row.gateway === 'manual',
    parentTransaction: (row) => {
      const parent = row.order.transactions.find((each) => each.id === row.parentId)
      return parent ? { ...parent, order: row.order } : null
    },
    order: (row) => row.order,
  }),
  ...connectionFields('OrderTransaction'),
}

function ofRefund(refund: Back): Transaction[] {
  return refund.order.transactions.filter((each) => refund.transactionIds.includes(each.id))
}

function refundedShipping(refund: Back) {
  if (refund.shippingMinor === 0) return []
  return [
    {
      id: refund.id.replace('/Refund/', '/RefundShippingLine/'),
      shippingLine: { ...refund.order.shippingLines[0]!, order: refund.order },
      subtotalAmountSet: moneyBag(refund.shippingMinor, refund.order),
      taxAmountSet: moneyBag(refund.shippingTaxMinor, refund.order),
    },
  ]
}

function applicationFields(type: string, own?: 'code' | 'title'): Fields {
  const shared = properties('index', 'allocationMethod', 'targetSelection', 'targetType', 'value')
  return fieldsOf(type, { ...shared, ...(own ? properties(own) : {}) })
}

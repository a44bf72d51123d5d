import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AdminOrder, ORDER_FIELDS, addLines, orderFromAdminApi, parseOrder } from '#app/shopify/order.ts'
import { type Parsed, parseJsonExactly } from '#app/shopify/payload.ts'
import { keepReadFields } from '#app/shopify/read-fields.ts'
import { parseWebhook, parseWebhookText } from '#app/shopify/webhook.ts'
import { parseInstant } from '#app/loyalty/time.ts'

const read = (name: string) => readFileSync(new URL(`../fixtures/payloads/${name}.json`, import.meta.url), 'utf8')
type Payload = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any
const paid = (change: (payload: Payload) => void = () => {}) => {
  const payload = JSON.parse(read('orders-paid')) as Payload
  change(payload)
  return payload
}
const orderOf = (change?: (payload: Payload) => void) => valueOf(parseOrder(paid(change)))

function valueOf<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(`${parsed.field}: ${parsed.message}`)
  return parsed.value
}

const set = (amount: string, presentment = amount, currency = 'USD') => ({
  shop_money: { amount, currency_code: 'USD' },
  presentment_money: { amount: presentment, currency_code: currency },
})

test('a paid order is read in minor units, instants in UTC, ids as gids', () => {
  expect(orderOf()).toMatchObject({
    id: 'gid://shopify/Order/6305412350123',
    customer: 'gid://shopify/Customer/8123456789012',
    customerState: 'enabled',
    company: false,
    sourceName: 'web',
    test: false,
    cancelledAt: null,
    financialStatus: 'paid',
    processedAt: parseInstant('2026-08-03T18:05:12Z'),
    currency: 'USD',
    taxesIncluded: false,
    shippingMinor: 600,
    shippingTaxMinor: 0,
    refunds: [],
    discountCodes: ['LOY-7K2M-94QX'],
  })
  expect(orderOf().lines).toMatchObject([
    { quantity: 2, currentQuantity: 2, priceMinor: 1250, discountMinor: 192, taxMinor: 162, giftCard: false },
    { quantity: 1, currentQuantity: 1, priceMinor: 4000, discountMinor: 308, taxMinor: 258, giftCard: false },
    { quantity: 1, currentQuantity: 1, priceMinor: 2500, discountMinor: 0, taxMinor: 0, giftCard: true },
  ])
})

test('a partial refund shows in the current quantities, and which refund it was in the list', () => {
  const order = valueOf(parseOrder(JSON.parse(read('orders-updated'))))
  expect(order.financialStatus).toBe('partially_refunded')
  expect(order.lines.map((line) => line.currentQuantity)).toEqual([1, 1, 1])
  expect(order.refunds).toEqual([
    {
      id: 'gid://shopify/Refund/905512340001',
      lines: [{ line: 'gid://shopify/LineItem/15012345678901', quantity: 1 }],
      givenBackMinor: 0,
      shippingMinor: 0,
    },
  ])
})

test('a cancelled order, a guest’s and a test order are seen as what they are', () => {
  expect(valueOf(parseOrder(JSON.parse(read('orders-cancelled')))).cancelledAt).toBe(
    parseInstant('2026-08-04T13:00:00Z'),
  )
  expect(valueOf(parseOrder(JSON.parse(read('edge-orders-paid-guest-no-customer')))).customer).toBeNull()
  expect(valueOf(parseOrder(JSON.parse(read('edge-orders-paid-test-order')))).test).toBe(true)
  expect(orderOf((payload) => delete payload.customer).customer).toBeNull()
})

test('the shop currency counts, whatever the shopper paid in', () => {
  const order = orderOf((payload) => {
    payload.presentment_currency = 'CAD'
    payload.line_items[0].price_set = set('12.50', '17.20', 'CAD')
  })
  expect(order).toMatchObject({ currency: 'USD', lines: [{ priceMinor: 1250 }, {}, {}] })
})

test('amounts are text: a number, too many decimals or rubbish are named, never rounded', () => {
  const fieldOf = (amount: unknown) => {
    const parsed = parseOrder(paid((payload) => (payload.line_items[1].price_set.shop_money.amount = amount)))
    return parsed.ok ? null : `${parsed.field}: ${parsed.message}`
  }
  const field = 'line_items[1].price_set.shop_money.amount'
  expect(fieldOf(40)).toBe(`${field}: must be an amount as text with at most 2 decimals, not 40`)
  expect(fieldOf('40.005')).toBe(`${field}: must be an amount as text with at most 2 decimals, not "40.005"`)
  expect(fieldOf('4e1')).toContain('must be an amount')
  expect(fieldOf('-1.00')).toBe(`${field}: must not be below 0`)
  expect(fieldOf(undefined)).toBe(`${field}: is missing`)
  expect(fieldOf('40.00')).toBeNull()
  expect(fieldOf('40.000')).toBeNull()
})

test.each([
  ['JPY', '1250', 1250],
  ['JPY', '1250.0', 1250],
  ['KWD', '1.250', 1250],
  ['CLF', '0.1250', 1250],
])('in %s, %s is %i minor units', (currency, amount, minor) => {
  const payload = {
    admin_graphql_api_id: 'gid://shopify/Order/1',
    currency,
    processed_at: '2026-08-03T14:05:12-04:00',
    updated_at: '2026-08-03T14:05:12-04:00',
    line_items: [
      { id: 1, quantity: 1, current_quantity: 1, price_set: { shop_money: { amount, currency_code: currency } } },
    ],
  }
  expect(valueOf(parseOrder(payload)).lines[0]?.priceMinor).toBe(minor)
})

test.each<[string, (payload: Payload) => void]>([
  ['currency: must be an ISO 4217 currency code, not "XXY"', (payload) => (payload.currency = 'XXY')],
  ['updated_at: is missing', (payload) => delete payload.updated_at],
  [
    'updated_at: must be an instant like "2026-08-03T14:05:12-04:00", not "yesterday"',
    (payload) => (payload.updated_at = 'yesterday'),
  ],
  ['line_items: must be a list, not an object', (payload) => (payload.line_items = {})],
  ['line_items[0]: must be an object, not 5', (payload) => (payload.line_items[0] = 5)],
  ['line_items[0].quantity: is missing', (payload) => delete payload.line_items[0].quantity],
  [
    'line_items[0].current_quantity: must be from 0 to quantity (2), not 3',
    (payload) => (payload.line_items[0].current_quantity = 3),
  ],
  [
    'line_items[0].quantity: must be a whole number, 0 or more, not 1.5',
    (payload) => (payload.line_items[0].quantity = 1.5),
  ],
  [
    'line_items[0].discount_allocations[0].amount_set.shop_money.amount: is missing',
    (payload) => (payload.line_items[0].discount_allocations[0].amount_set = { shop_money: {} }),
  ],
  ['line_items[0].gift_card: must be true or false, not "no"', (payload) => (payload.line_items[0].gift_card = 'no')],
  ['customer.id: is missing', (payload) => (payload.customer = {})],
  ['customer: must be an object, not "ann"', (payload) => (payload.customer = 'ann')],
  [
    'admin_graphql_api_id: must be an id like "gid://shopify/Order/1", not "gid://shopify/Cart/1"',
    (payload) => (payload.admin_graphql_api_id = 'gid://shopify/Cart/1'),
  ],
  ['test: must be true or false, not "false"', (payload) => (payload.test = 'false')],
])('a payload that cannot be read says: %s', (message, change) => {
  const parsed = parseOrder(paid(change))
  expect(parsed.ok ? 'read' : `${parsed.field}: ${parsed.message}`).toBe(message)
})

test('fields that Shopify adds are no mistake', () => {
  expect(orderOf((payload) => (payload.brand_new = { field: 1 }))).toEqual(orderOf())
})

test('company orders, subscriptions and sales channels are told apart', () => {
  expect(orderOf((payload) => (payload.company = { id: 1, location_id: 2 })).company).toBe(true)
  expect(orderOf((payload) => (payload.source_name = 'pos')).sourceName).toBe('pos')
  expect(orderOf((payload) => (payload.source_name = 'shopify_draft_order')).sourceName).toBe('shopify_draft_order')
  const contract = orderOf((payload) => (payload.source_name = 'subscription_contract'))
  expect(contract.lines.every((line) => line.subscription)).toBe(true)
  const one = orderOf((payload) => (payload.line_items[1].selling_plan_allocation = { selling_plan: { id: 5 } }))
  expect(one.lines.map((line) => line.subscription)).toEqual([false, true, false])
})

/** A tip as Shopify writes it among the lines (community.shopify.com, topic 410117). */
const tipLine = (amount: string) => ({
  id: 16365225869621,
  admin_graphql_api_id: 'gid://shopify/LineItem/16365225869621',
  ...{ name: 'Tip', price: amount, price_set: set(amount), product_id: null, variant_id: null, gift_card: false },
  ...{ quantity: 1, current_quantity: 1, taxable: false, tax_lines: [], discount_allocations: [] },
  tip: { payment_method: null, payment_gateway: null },
  ...{ tip_payment_gateway: null, tip_payment_method: null },
})

test('a tip is no goods, though it stands among the lines', () => {
  const withLine = (line: object) => orderOf((payload) => payload.line_items.push(line))
  const { tip: _tip, ...older } = tipLine('3.59')
  expect(withLine(tipLine('3.59'))).toEqual(orderOf())
  expect(withLine(older)).toEqual(orderOf())
  // A custom sale has no product either.
  const { tip_payment_gateway: _gateway, tip_payment_method: _method, ...sale } = older
  expect(withLine(sale).lines).toHaveLength(4)
  const text = JSON.stringify(paid((payload) => payload.line_items.push(tipLine('3.59'))))
  expect(valueOf(parseOrder(JSON.parse(keepReadFields(text, ORDER_FIELDS))))).toEqual(orderOf())
})

test('shipping is what was charged: after discounts, without removed lines, with its own tax', () => {
  const shipping = orderOf((payload) => {
    const [line] = payload.shipping_lines
    payload.shipping_lines = [
      { ...line, discount_allocations: [{ amount_set: set('2.00') }], tax_lines: [{ price_set: set('0.28') }] },
      { ...line, is_removed: true },
    ]
  })
  expect([shipping.shippingMinor, shipping.shippingTaxMinor]).toEqual([400, 28])
})

test('shipping whose discount only its discounted price shows was charged that much, and no more', () => {
  const chargedAt = (price: string, discounted: string) =>
    orderOf((payload) => {
      const [line] = payload.shipping_lines
      payload.shipping_lines = [{ ...line, price_set: set(price), discounted_price_set: set(discounted) }]
    }).shippingMinor
  expect([chargedAt('6.00', '6.00'), chargedAt('6.00', '4.00'), chargedAt('6.00', '0.00')]).toEqual([600, 400, 0])
})

test('money given back without a line is told from a shipping refund', () => {
  const adjustment = (kind: string | undefined, amount: string, tax: string) => ({
    kind,
    amount_set: set(amount),
    tax_amount_set: set(tax),
  })
  const refundOf = (adjustments: unknown[], taxesIncluded: boolean, lines: unknown[] = []) =>
    orderOf((payload) => {
      payload.taxes_included = taxesIncluded
      payload.refunds = [{ id: 7, order_adjustments: adjustments, refund_shipping_lines: lines }]
    }).refunds[0]
  const both = [adjustment('refund_discrepancy', '-5.00', '-0.50'), adjustment('shipping_refund', '-6.00', '-0.60')]
  expect(refundOf(both, false)).toMatchObject({ givenBackMinor: 500, shippingMinor: 600, lines: [] })
  expect(refundOf(both, true)).toMatchObject({ givenBackMinor: 550, shippingMinor: 660 })
  // Since 2024-10: no kind, and shipping in a list of its own.
  expect(
    refundOf([adjustment(undefined, '-5.00', '0.00')], false, [{ subtotal_amount_set: set('6.00') }]),
  ).toMatchObject({
    givenBackMinor: 500,
    shippingMinor: 600,
  })
  // Both shapes say the same money twice; it is taken once.
  expect(refundOf(both, false, [{ subtotal_amount_set: set('6.00') }])).toMatchObject({ shippingMinor: 600 })
  // The shop kept something back: below 0.
  expect(refundOf([adjustment('refund_discrepancy', '2.00', '0.00')], false)).toMatchObject({ givenBackMinor: -200 })
})

test('a refund that comes alone names its order, its lines, and its money', () => {
  expect(valueOf(parseWebhookText('refunds/create', 5, read('refunds-create')))).toEqual({
    type: 'refund',
    at: 5,
    order: 'gid://shopify/Order/6305412350123',
    refund: {
      id: 'gid://shopify/Refund/905512340001',
      lines: [{ line: 'gid://shopify/LineItem/15012345678901', quantity: 1 }],
      givenBackMinor: 0,
      shippingMinor: 0,
    },
  })
  const yen = {
    id: 1,
    order_id: 2,
    order_adjustments: [{ amount_set: { shop_money: { amount: '-500', currency_code: 'JPY' } } }],
  }
  expect(valueOf(parseWebhook('refunds/create', 5, yen))).toMatchObject({ refund: { givenBackMinor: 500, lines: [] } })
})

test('ids past 2^53 keep every digit, whichever topic they come in', () => {
  const id = '820982911946154508'
  expect(valueOf(parseWebhookText('orders/delete', 1, `{"id": ${id}}`))).toMatchObject({
    order: `gid://shopify/Order/${id}`,
  })
  expect(valueOf(parseWebhookText('orders/edited', 1, `{"order_edit": {"order_id": ${id}}}`))).toMatchObject({
    type: 'order-edited',
    order: `gid://shopify/Order/${id}`,
  })
  const redact = `{"customer": {"id": ${id}}, "orders_to_redact": []}`
  expect(valueOf(parseWebhookText('customers/redact', 1, redact))).toMatchObject({
    customer: `gid://shopify/Customer/${id}`,
  })
  const refund = `{"id": 1, "order_id": ${id}, "refund_line_items": [{"line_item_id": 466157049000000001, "quantity": 1}]}`
  expect(valueOf(parseWebhookText('refunds/create', 1, refund))).toMatchObject({
    order: `gid://shopify/Order/${id}`,
    refund: { lines: [{ line: 'gid://shopify/LineItem/466157049000000001', quantity: 1 }] },
  })
  const text = read('orders-paid').replaceAll('7990000000001', '788032119674292922')
  const event = valueOf(parseWebhookText('orders/paid', 1, text))
  expect(event).toMatchObject({ order: { lines: [{ product: 'gid://shopify/Product/788032119674292922' }, {}, {}] } })
})

test('an id that already lost digits is refused, not used', () => {
  const parsed = parseWebhook('orders/delete', 1, JSON.parse('{"id": 820982911946154508}'))
  expect(parsed).toMatchObject({ ok: false, reason: 'inexact_id', field: 'id' })
})

test('Shopify’s own samples are read', () => {
  for (const topic of [
    'orders/paid',
    'orders/edited',
    'orders/delete',
    'refunds/create',
    'customers/redact',
    'customers/merge',
  ]) {
    expect(parseWebhookText(topic, 1, read(`sample-${topic.replace('/', '-')}`))).toMatchObject({ ok: true })
  }
  const order = valueOf(parseWebhookText('orders/paid', 1, read('sample-orders-paid')))
  expect(order).toMatchObject({ order: { id: 'gid://shopify/Order/820982911946154508', test: true } })
})

test('exact reading differs from JSON.parse in large whole numbers only', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      fc.pre(!/\d{16}/.test(text))
      expect(parseJsonExactly(text)).toEqual(JSON.parse(text))
    }),
  )
  expect(parseJsonExactly('[820982911946154508, 12345678901234567, 9007199254740991, 1.5]')).toEqual([
    '820982911946154508',
    '12345678901234567',
    9007199254740991,
    1.5,
  ])
})

test('customers: who, and whether they have an account; a failed merge is no news', () => {
  expect(valueOf(parseWebhookText('customers/update', 3, read('customers-update')))).toEqual({
    type: 'customer',
    at: 3,
    customer: 'gid://shopify/Customer/8123456789012',
    state: 'enabled',
  })
  const merge = JSON.parse(read('sample-customers-merge'))
  expect(valueOf(parseWebhook('customers/merge', 3, merge))).toBeNull()
  expect(valueOf(parseWebhook('customers/merge', 3, { ...merge, status: 'completed' }))).toEqual({
    type: 'merge',
    at: 3,
    from: 'gid://shopify/Customer/2',
    into: 'gid://shopify/Customer/1',
  })
})

test('a topic that the rules do not know is named, and text that is no JSON keeps its secrets', () => {
  expect(parseWebhook('products/update', 1, {})).toMatchObject({ ok: false, field: 'topic' })
  expect(parseWebhook('constructor', 1, {})).toMatchObject({ ok: false, field: 'topic' })
  const parsed = parseWebhookText('orders/paid', 1, '{"email": "ann.lee@example.com", oops}')
  expect(JSON.stringify(parsed)).not.toContain('ann.lee')
  expect(parsed).toMatchObject({ ok: false, field: '' })
})

const money = (amount: string) => ({ shopMoney: { amount } })

function adminOrder(change: Partial<AdminOrder> = {}): AdminOrder {
  const line = (id: number, amount: string, quantity: number, discount: string[], tax: string) => ({
    id: `gid://shopify/LineItem/${id}`,
    quantity,
    currentQuantity: quantity,
    isGiftCard: id === 15012345678903,
    product: { id: `gid://shopify/Product/${7990000000000 + (id % 10)}` },
    sellingPlan: null,
    originalUnitPriceSet: money(amount),
    discountAllocations: discount.map((part) => ({ allocatedAmountSet: money(part) })),
    taxLines: [{ priceSet: money(tax) }],
  })
  return {
    id: 'gid://shopify/Order/6305412350123',
    test: false,
    cancelledAt: null,
    processedAt: '2026-08-03T18:05:12Z',
    updatedAt: '2026-08-03T18:05:12Z',
    currencyCode: 'USD',
    taxesIncluded: false,
    sourceName: 'web',
    displayFinancialStatus: 'PAID',
    discountCodes: ['LOY-7K2M-94QX'],
    customer: { id: 'gid://shopify/Customer/8123456789012', state: 'ENABLED' },
    purchasingEntity: { __typename: 'Customer' },
    lineItems: {
      pageInfo: { hasNextPage: false, endCursor: null },
      nodes: [
        line(15012345678901, '12.5', 2, ['1.92'], '1.62'),
        line(15012345678902, '40.0', 1, ['3.08'], '2.58'),
        line(15012345678903, '25.0', 1, [], '0.0'),
      ],
    },
    shippingLines: { nodes: [{ originalPriceSet: money('6.0'), discountAllocations: [], taxLines: [] }] },
    refunds: [],
    transactions: [
      { kind: 'AUTHORIZATION', status: 'SUCCESS', processedAt: '2026-08-03T18:05:10Z' },
      { kind: 'CAPTURE', status: 'SUCCESS', processedAt: '2026-08-04T09:00:00Z' },
      { kind: 'CAPTURE', status: 'FAILURE', processedAt: '2026-08-05T09:00:00Z' },
    ],
    ...change,
  }
}

test('the same order from the API is the same as from its webhook', () => {
  expect(orderFromAdminApi(adminOrder()).order).toEqual(orderOf())
})

test('what an automatic discount gave is told by its title, on goods and shipping, by the API as by the webhook', () => {
  const part = (amount: string, title?: string) => ({
    allocatedAmountSet: money(amount),
    discountApplication: title === undefined ? {} : { title },
  })
  const { lineItems, shippingLines } = adminOrder()
  const [first, second] = lineItems.nodes
  const order = adminOrder({
    lineItems: {
      ...lineItems,
      nodes: [
        { ...first!, discountAllocations: [part('1.00', 'Spring days'), part('0.50')] },
        { ...second!, discountAllocations: [part('2.25', 'Spring days'), part('3.00', 'Gold: 10% off')] },
      ],
    },
    shippingLines: { nodes: [{ ...shippingLines.nodes[0]!, discountAllocations: [part('6.00', 'Free shipping')] }] },
  })
  expect(orderFromAdminApi(order).order.automaticDiscounts).toEqual([
    { title: 'Spring days', amountMinor: 325 },
    { title: 'Gold: 10% off', amountMinor: 300 },
    { title: 'Free shipping', amountMinor: 600 },
  ])
})

test('tips are told from custom sales by what the API says was given in tips', () => {
  const { lineItems } = adminOrder()
  const nameless = (id: number, amount: string) => ({
    ...lineItems.nodes[0]!,
    ...{ id: `gid://shopify/LineItem/${id}`, quantity: 1, currentQuantity: 1, product: null },
    ...{ originalUnitPriceSet: money(amount), discountAllocations: [], taxLines: [] },
  })
  const idsOf = (tip: string | null, ...more: ReturnType<typeof nameless>[]) => {
    const change = tip === null ? {} : { totalTipReceivedSet: money(tip) }
    const nodes = [...lineItems.nodes, ...more]
    const { lines } = orderFromAdminApi(adminOrder({ ...change, lineItems: { ...lineItems, nodes } })).order
    return lines.slice(3).map(({ id }) => id)
  }
  const [sale, tip, second] = [nameless(1, '9.00'), nameless(2, '3.59'), nameless(3, '1.00')]
  expect(idsOf('3.59', sale, tip)).toEqual([sale.id])
  expect(idsOf('4.59', tip, second)).toEqual([])
  expect(idsOf('0.0', sale, tip)).toEqual([sale.id, tip.id])
  expect(idsOf(null, sale, tip)).toEqual([sale.id, tip.id])
  expect(idsOf('2.00', sale)).toEqual([sale.id])
})

test('an order from the API was paid when its last sale or capture succeeded', () => {
  expect(orderFromAdminApi(adminOrder()).paidAt).toBe(parseInstant('2026-08-04T09:00:00Z'))
  expect(orderFromAdminApi(adminOrder({ displayFinancialStatus: 'PARTIALLY_PAID' })).paidAt).toBeNull()
  expect(orderFromAdminApi(adminOrder({ transactions: [] })).paidAt).toBe(parseInstant('2026-08-03T18:05:12Z'))
})

test('refunds from the API give the same money as those from webhooks', () => {
  const refund = {
    id: 'gid://shopify/Refund/7',
    orderAdjustments: { nodes: [{ amountSet: money('-5.0'), taxAmountSet: money('-0.5') }] },
    refundShippingLines: { nodes: [{ subtotalAmountSet: money('6.0') }] },
  }
  const refundOf = (change: Partial<AdminOrder>) =>
    orderFromAdminApi(adminOrder({ refunds: [refund], ...change })).order.refunds[0]
  expect(refundOf({})).toEqual({ id: 'gid://shopify/Refund/7', lines: [], givenBackMinor: 500, shippingMinor: 600 })
  expect(refundOf({ taxesIncluded: true })).toMatchObject({ givenBackMinor: 550 })
})

test('a long order is refused until all its lines are there', () => {
  const { lineItems } = adminOrder()
  const first = adminOrder({
    lineItems: { pageInfo: { hasNextPage: true, endCursor: 'x' }, nodes: lineItems.nodes.slice(0, 1) },
  })
  expect(() => orderFromAdminApi(first)).toThrow('more lines than were fetched')
  const whole = addLines(first, { pageInfo: { hasNextPage: false, endCursor: null }, nodes: lineItems.nodes.slice(1) })
  expect(orderFromAdminApi(whole).order).toEqual(orderOf())
})

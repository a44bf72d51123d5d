/**
 * Orders: placing, paying, refunding, editing, cancelling. Each verb changes the order, then tells the app by the same
 * webhooks that Shopify sends (shopify.dev, "Webhook topics", 2026-10).
 */
import { randomBytes } from 'node:crypto'
import { share } from './money.ts'
import { lineNet, moneyMoved, shippingNet, statusOf, sum, taxOn, taxed, totalsOf } from './order-totals.ts'
import { numericId, orderEditedPayload, orderPayload, refundOf, refundPayload, transactionPayload } from './payloads.ts'
import type {
  Allocation,
  DiscountApplication,
  Gid,
  Order,
  OrderLine,
  Refund,
  RefundLine,
  Shop,
  Transaction,
} from './records.ts'
import { NotInStore, type StoreTables } from './tables.ts'
import type { Emit } from './webhooks.ts'

/** What a checkout, a demo or a test hands over. Prices are unit prices before discounts; tax is worked out here. */
export type PlaceOrder = {
  customerId?: Gid | null
  email?: string | null
  lines: PlaceOrderLine[]
  /** Allocations of lines and shipping point into this list. */
  discountApplications?: DiscountApplication[]
  shipping?: { title: string; priceMinor: number; allocations?: Allocation[] } | null
  tipMinor?: number
  /** Default: paid in full by the test gateway. Store credit and gift card are taken first where named. */
  payment?: {
    status?: 'paid' | 'pending' | 'authorized' | 'partially_paid'
    gateway?: string
    /** For `partially_paid`. */
    paidMinor?: number
    giftCardCode?: string
    storeCreditMinor?: number
  }
  sourceName?: string
  test?: boolean
  company?: { id: Gid; locationId: Gid } | null
  presentmentCurrency?: string
  note?: string | null
  noteAttributes?: { name: string; value: string }[]
  tags?: string[]
}

export type PlaceOrderLine = {
  /** With a variant, what is left out below comes from the catalogue. */
  variantId?: Gid
  title?: string
  variantTitle?: string | null
  sku?: string | null
  quantity: number
  unitPriceMinor?: number
  giftCard?: boolean
  taxable?: boolean
  requiresShipping?: boolean
  properties?: { name: string; value: string }[]
  sellingPlan?: { name: string; contractId: Gid | null } | null
  /** Money off the whole line. */
  allocations?: Allocation[]
}

/** An order of the past, for a shop that has history. Ids and numbers are new, dates are as given. */
export type ImportOrder = PlaceOrder & {
  processedAt: number
  cancelledAt?: number | null
  refunds?: { at: number; lines: { line: number; quantity: number }[]; note?: string }[]
  /** Send the webhooks as if it had just happened, with the old dates (default false: history comes by the API). */
  webhooks?: boolean
}

export type PlaceOrderResult =
  | { ok: true; order: Order }
  | {
      ok: false
      reason: 'code_unknown' | 'code_used_up' | 'gift_card_unknown' | 'gift_card_empty' | 'store_credit_short'
      detail: string
    }

/**
 * Places an order: numbers it, works out tax, takes payment, counts its codes as used, and sends `orders/create`,
 * `order_transactions/create`, `orders/updated` and, once paid, `orders/paid`.
 */
export function placeOrder(store: StoreTables, emit: Emit, domain: string, input: PlaceOrder): PlaceOrderResult {
  return store.write(() => {
    const problem = paymentProblem(store, domain, input)
    if (problem) return problem
    const order = buildOrder(store, store.shop(domain), input, store.now())
    useCodes(store, order)
    takePayment(store, order, input, order.processedAt)
    save(store, order)
    tell(store, emit, order, [
      'orders/create',
      ...(order.financialStatus === 'paid' ? ['orders/paid'] : []),
      'orders/updated',
    ])
    for (const row of order.transactions) tellTransaction(store, emit, order, row)
    return { ok: true, order }
  })
}

/** Adds an order of the past. Codes are not counted as used, no gift card or store credit is taken. */
export function importOrder(store: StoreTables, emit: Emit, domain: string, input: ImportOrder): Order {
  return store.write(() => {
    const shop = store.shop(domain)
    const order = buildOrder(store, shop, input, input.processedAt)
    takePayment(
      store,
      order,
      { ...input, payment: { status: input.payment?.status, gateway: input.payment?.gateway } },
      input.processedAt,
    )
    save(store, order)
    const topics = ['orders/create', ...(order.financialStatus === 'paid' ? ['orders/paid'] : []), 'orders/updated']
    if (input.webhooks) tell(store, emit, order, topics, input.processedAt)
    for (const refund of input.refunds ?? []) {
      const lines = refund.lines.map((row) => ({ lineId: order.lines[row.line]!.id, quantity: row.quantity }))
      const made = makeRefund(store, order, { lines, note: refund.note }, refund.at)
      save(store, order)
      if (input.webhooks) tellRefund(store, emit, order, made, refund.at)
    }
    if (input.cancelledAt) {
      const made = cancelNow(store, order, { reason: 'customer', refund: true, restock: true }, input.cancelledAt)
      save(store, order)
      if (input.webhooks && made) tellRefund(store, emit, order, made, input.cancelledAt)
      if (input.webhooks) tell(store, emit, order, ['orders/cancelled', 'orders/updated'], input.cancelledAt)
    }
    return order
  })
}

export type RefundInput = {
  lines?: { lineId: Gid; quantity: number; restockType?: RefundLine['restockType'] }[]
  /** Money of shipping to give back, before tax. */
  shippingMinor?: number
  /**
   * The whole amount given back. Default: what lines and shipping come to. Another amount becomes an order adjustment
   * of kind `refund_discrepancy`; with no lines this is a refund of an amount only.
   */
  amountMinor?: number
  /** To store credit instead of the card. */
  toStoreCredit?: boolean
  note?: string
}

export type RefundResult =
  | { ok: true; order: Order; refund: Refund }
  | { ok: false; reason: 'nothing_to_refund' | 'too_many' | 'too_much'; detail: string }

/** Gives money back: lines, shipping, or an amount only. Sends `refunds/create` and `orders/updated`. */
export function refund(store: StoreTables, emit: Emit, domain: string, orderId: Gid, input: RefundInput): RefundResult {
  return store.write(() => {
    const order = requireOrder(store, domain, orderId)
    const problem = refundProblem(store, order, input)
    if (problem) return problem
    const made = makeRefund(store, order, input, store.now())
    save(store, order)
    tellRefund(store, emit, order, made)
    return { ok: true, order, refund: made }
  })
}

export type CancelInput = { reason?: Order['cancelReason']; refund?: boolean; restock?: boolean; note?: string }

/** Cancels an order, giving everything back unless `refund: false`. Sends `orders/cancelled` and `orders/updated`. */
export function cancelOrder(
  store: StoreTables,
  emit: Emit,
  domain: string,
  orderId: Gid,
  input: CancelInput = {},
): { ok: true; order: Order } | { ok: false; reason: 'already_cancelled' } {
  return store.write(() => {
    const order = requireOrder(store, domain, orderId)
    if (order.cancelledAt !== null) return { ok: false, reason: 'already_cancelled' }
    const made = cancelNow(store, order, input, store.now())
    save(store, order)
    if (made) tellRefund(store, emit, order, made)
    tell(store, emit, order, ['orders/cancelled', 'orders/updated'])
    return { ok: true, order }
  })
}

export type EditChange = { lineId: Gid; quantity: number } | { variantId: Gid; quantity: number }

/**
 * Edits an order: sets the current quantity of a line, or adds units of a variant. Nothing is paid or given back by it:
 * the order may become `partially_paid` (then `markPaid`) or have money owed back (then `refund` an amount only).
 * Sends `orders/edited`, which carries no totals, and `orders/updated`.
 */
export function editOrder(
  store: StoreTables,
  emit: Emit,
  domain: string,
  orderId: Gid,
  changes: EditChange[],
  note = '',
): Order {
  return store.write(() => {
    const shop = store.shop(domain)
    const order = requireOrder(store, domain, orderId)
    const additions: { lineId: Gid; delta: number }[] = []
    const removals: { lineId: Gid; delta: number }[] = []
    for (const change of changes) {
      if ('lineId' in change) {
        const line = requireLine(order, change.lineId)
        const delta = change.quantity - line.currentQuantity
        if (change.quantity < 0) throw new RangeError(`A line cannot have ${change.quantity} units.`)
        // Shopify's editor raises a line by adding to it; the line's ordered quantity then grows with it.
        if (delta > 0) raiseLine(shop, order, line, delta)
        line.currentQuantity = change.quantity
        if (delta !== 0) (delta > 0 ? additions : removals).push({ lineId: line.id, delta: Math.abs(delta) })
      } else {
        const line = buildLine(store, shop, order.taxesIncluded, change)
        order.lines.push({ ...line, addedByEdit: true })
        additions.push({ lineId: line.id, delta: change.quantity })
      }
    }
    order.edited = true
    settle(store, order)
    save(store, order)
    const edit = { id: store.newNumber(), at: store.now(), note, additions, removals }
    emit(domain, 'orders/edited', orderEditedPayload(shop, order, edit))
    tell(store, emit, order, ['orders/updated'])
    return order
  })
}

/** Pays what is outstanding. Sends `order_transactions/create`, `orders/paid` and `orders/updated`. */
export function markPaid(store: StoreTables, emit: Emit, domain: string, orderId: Gid): Order {
  return store.write(() => {
    const order = requireOrder(store, domain, orderId)
    const { outstandingMinor } = totalsOf(order)
    const authorization = order.transactions.find((row) => row.kind === 'authorization')
    const kind = authorization ? 'capture' : 'sale'
    const gateway = authorization?.gateway ?? 'manual'
    const row = transaction(store, kind, gateway, Math.max(0, outstandingMinor), store.now(), authorization?.id ?? null)
    for (const waiting of order.transactions) if (waiting.status === 'pending') waiting.status = 'failure'
    order.transactions.push(row)
    settle(store, order)
    save(store, order)
    tellTransaction(store, emit, order, row)
    tell(store, emit, order, ['orders/paid', 'orders/updated'])
    return order
  })
}

/** Gives an order another customer, or none: a point-of-sale receipt claimed later. Sends `orders/updated`. */
export function attachCustomer(
  store: StoreTables,
  emit: Emit,
  domain: string,
  orderId: Gid,
  customerId: Gid | null,
): Order {
  return store.write(() => {
    const order = requireOrder(store, domain, orderId)
    order.customerId = customerId
    if (customerId) order.email = store.require('customers', customerId).email
    touchUpdated(store, order)
    save(store, order)
    tell(store, emit, order, ['orders/updated'])
    return order
  })
}

/** Deletes an order. Sends `orders/delete`, which carries only the number. */
export function deleteOrder(store: StoreTables, emit: Emit, domain: string, orderId: Gid): void {
  store.write(() => {
    const order = requireOrder(store, domain, orderId)
    store.remove('orders', order.id)
    emit(domain, 'orders/delete', { id: numericId(order.id) })
  })
}

/** The order of this shop, or an error that names it. */
export function requireOrder(store: StoreTables, domain: string, orderId: Gid): Order {
  const order = store.find('orders', domain, orderId)
  if (!order) throw new NotInStore(`${domain} has no order ${orderId}.`)
  return order
}

function requireLine(order: Order, lineId: Gid): OrderLine {
  const line = order.lines.find((row) => row.id === lineId)
  if (!line) throw new NotInStore(`Order ${order.name} has no line ${lineId}.`)
  return line
}

function paymentProblem(
  store: StoreTables,
  domain: string,
  input: PlaceOrder,
): Extract<PlaceOrderResult, { ok: false }> | null {
  for (const application of input.discountApplications ?? []) {
    if (application.type !== 'discount_code') continue
    const code = store.codeByText(domain, application.code ?? '')
    if (!code) return { ok: false, reason: 'code_unknown', detail: application.code ?? '' }
    const limit = store.get('discounts', code.discountId)?.usageLimit ?? null
    if (limit !== null && code.usageCount >= limit) return { ok: false, reason: 'code_used_up', detail: code.code }
  }
  const { giftCardCode, storeCreditMinor } = input.payment ?? {}
  if (giftCardCode) {
    const card = store
      .list('giftCards', domain)
      .find((row) => row.code === giftCardCode.toLowerCase().replace(/\s/g, ''))
    if (!card) return { ok: false, reason: 'gift_card_unknown', detail: giftCardCode }
    if (card.balanceMinor === 0 || !card.enabled) return { ok: false, reason: 'gift_card_empty', detail: giftCardCode }
  }
  if (storeCreditMinor) {
    const balance = sum(
      store.list('storeCredit', domain).filter((row) => row.ownerId === input.customerId),
      (row) => row.balanceMinor,
    )
    if (balance < storeCreditMinor) return { ok: false, reason: 'store_credit_short', detail: String(balance) }
  }
  return null
}

function buildOrder(store: StoreTables, shop: Shop, input: PlaceOrder, at: number): Order {
  const customer = input.customerId ? store.require('customers', input.customerId) : null
  const presentmentCurrency = input.presentmentCurrency ?? shop.currency
  const rate = presentmentCurrency === shop.currency ? 1 : shop.presentmentRates[presentmentCurrency]
  if (rate === undefined) throw new RangeError(`${shop.domain} does not sell in ${presentmentCurrency}.`)
  const number = shop.nextOrderNumber
  shop.nextOrderNumber = number + 1
  store.put('shops', shop.domain, shop)
  return {
    id: store.newId('Order'),
    shop: shop.domain,
    name: `#${number}`,
    number,
    token: randomBytes(16).toString('hex'),
    customerId: customer?.id ?? null,
    email: input.email ?? customer?.email ?? null,
    createdAt: at,
    processedAt: at,
    updatedAt: at,
    closedAt: null,
    cancelledAt: null,
    cancelReason: null,
    test: input.test ?? false,
    sourceName: input.sourceName ?? 'web',
    currency: shop.currency,
    presentmentCurrency,
    presentmentRate: rate,
    taxesIncluded: shop.taxesIncluded,
    financialStatus: 'pending',
    edited: false,
    tags: input.tags ?? [],
    note: input.note ?? null,
    noteAttributes: input.noteAttributes ?? [],
    company: input.company ?? null,
    lines: input.lines.map((line) => buildLine(store, shop, shop.taxesIncluded, line)),
    shippingLines: input.shipping
      ? [
          {
            id: store.newNumber(),
            title: input.shipping.title,
            priceMinor: input.shipping.priceMinor,
            allocations: input.shipping.allocations ?? [],
            taxLines: [],
          },
        ]
      : [],
    discountApplications: input.discountApplications ?? [],
    tipMinor: input.tipMinor ?? 0,
    refunds: [],
    transactions: [],
  }
}

function buildLine(store: StoreTables, shop: Shop, taxesIncluded: boolean, input: PlaceOrderLine): OrderLine {
  const product = input.variantId ? store.productOfVariant(shop.domain, input.variantId) : undefined
  const variant = product?.variants.find((row) => row.id === input.variantId)
  if (input.variantId && !variant) throw new NotInStore(`${shop.domain} has no variant ${input.variantId}.`)
  const unitPriceMinor = input.unitPriceMinor ?? variant?.priceMinor
  if (unitPriceMinor === undefined) throw new RangeError('A line without a variant needs a price.')
  const giftCard = input.giftCard ?? product?.giftCard ?? false
  const line: OrderLine = {
    id: store.newId('LineItem'),
    variantId: variant?.id ?? null,
    productId: product?.id ?? null,
    title: input.title ?? product?.title ?? 'Custom item',
    variantTitle: input.variantTitle ?? variant?.title ?? null,
    sku: input.sku ?? variant?.sku ?? null,
    vendor: product?.vendor ?? null,
    quantity: input.quantity,
    currentQuantity: input.quantity,
    unitPriceMinor,
    giftCard,
    taxable: input.taxable ?? (giftCard ? false : (variant?.taxable ?? true)),
    requiresShipping: input.requiresShipping ?? (giftCard ? false : (variant?.requiresShipping ?? true)),
    grams: variant?.grams ?? 0,
    properties: input.properties ?? [],
    sellingPlan: input.sellingPlan ?? null,
    addedByEdit: false,
    allocations: input.allocations ?? [],
    taxLines: [],
  }
  setTax(shop, line, taxesIncluded)
  return line
}

function setTax(shop: Shop, line: OrderLine, taxesIncluded: boolean): void {
  if (!line.taxable || shop.taxRateBasisPoints === 0) return
  const amountMinor = taxOn(lineNet(line, line.quantity), shop.taxRateBasisPoints, taxesIncluded)
  line.taxLines = [{ title: shop.taxTitle, rateBasisPoints: shop.taxRateBasisPoints, amountMinor }]
}

/** More units of a line at its price; its discounts stay what they were in all. */
function raiseLine(shop: Shop, order: Order, line: OrderLine, delta: number): void {
  line.quantity += delta
  setTax(shop, line, order.taxesIncluded)
}

/** A code is used once by an order, in however many ways it applies. */
function useCodes(store: StoreTables, order: Order): void {
  const used = new Set<Gid>()
  for (const application of order.discountApplications) {
    if (application.type !== 'discount_code' || application.code === null) continue
    const code = store.codeByText(order.shop, application.code)!
    application.discountId = code.discountId
    if (used.has(code.id)) continue
    used.add(code.id)
    code.usageCount += 1
    code.lastUsedRealAt = Date.now()
    if (order.customerId) code.usedBy.push(order.customerId)
    store.put('codes', code.id, code)
  }
}

function takePayment(store: StoreTables, order: Order, input: PlaceOrder, at: number): void {
  const payment = input.payment ?? {}
  const status = payment.status ?? 'paid'
  const gateway = payment.gateway ?? 'bogus'
  let left = totalsOf(order).totalMinor
  const pay = (
    kind: Transaction['kind'],
    by: string,
    amountMinor: number,
    state: Transaction['status'] = 'success',
  ) => {
    order.transactions.push({ ...transaction(store, kind, by, amountMinor, at, null), status: state })
    left -= amountMinor
  }
  if (payment.giftCardCode) pay('sale', 'gift_card', takeGiftCard(store, order.shop, payment.giftCardCode, left))
  if (payment.storeCreditMinor) {
    const taken = Math.min(left, payment.storeCreditMinor)
    moveStoreCredit(store, order.shop, order.customerId!, -taken, 'ORDER_PAYMENT')
    pay('sale', 'shopify_store_credit', taken)
  }
  if (status === 'paid' && left > 0) pay('sale', gateway, left)
  if (status === 'partially_paid') pay('sale', gateway, payment.paidMinor ?? Math.floor(left / 2))
  if (status === 'authorized') pay('authorization', gateway, left)
  if (status === 'pending' && left > 0) pay('sale', payment.gateway ?? 'manual', left, 'pending')
  order.financialStatus = statusOf(order)
}

function takeGiftCard(store: StoreTables, domain: string, code: string, wanted: number): number {
  const card = store.list('giftCards', domain).find((row) => row.code === code.toLowerCase().replace(/\s/g, ''))!
  const taken = Math.min(card.balanceMinor, wanted)
  card.balanceMinor -= taken
  store.put('giftCards', card.id, card)
  return taken
}

/** Adds to (or, negative, takes from) a customer's store credit in the shop's currency. Returns the new transaction. */
export function moveStoreCredit(
  store: StoreTables,
  domain: string,
  ownerId: Gid,
  amountMinor: number,
  event: 'ADJUSTMENT' | 'ORDER_PAYMENT' | 'ORDER_REFUND',
  options: { currency?: string; expiresAt?: number | null } = {},
) {
  const currency = options.currency ?? store.shop(domain).currency
  const account = store
    .list('storeCredit', domain)
    .find((row) => row.ownerId === ownerId && row.currency === currency) ?? {
    id: store.newId('StoreCreditAccount'),
    shop: domain,
    ownerId,
    currency,
    balanceMinor: 0,
    transactions: [],
  }
  account.balanceMinor += amountMinor
  const kind: 'credit' | 'debit' = amountMinor < 0 ? 'debit' : 'credit'
  const row = {
    id: store.newId(kind === 'credit' ? 'StoreCreditAccountCreditTransaction' : 'StoreCreditAccountDebitTransaction'),
    kind,
    event,
    amountMinor,
    balanceAfterMinor: account.balanceMinor,
    createdAt: store.now(),
    expiresAt: options.expiresAt ?? null,
  }
  account.transactions.push(row)
  store.put('storeCredit', account.id, account)
  return { account, transaction: row }
}

function transaction(
  store: StoreTables,
  kind: Transaction['kind'],
  gateway: string,
  amountMinor: number,
  createdAt: number,
  parentId: Gid | null,
): Transaction {
  return { id: store.newId('OrderTransaction'), kind, status: 'success', gateway, amountMinor, createdAt, parentId }
}

function refundProblem(
  store: StoreTables,
  order: Order,
  input: RefundInput,
): Extract<RefundResult, { ok: false }> | null {
  for (const row of input.lines ?? []) {
    const line = requireLine(order, row.lineId)
    if (row.quantity < 1 || row.quantity > line.currentQuantity) {
      const detail = `${line.title}: ${row.quantity} of ${line.currentQuantity} left`
      return { ok: false, reason: 'too_many', detail }
    }
  }
  const { currentShippingMinor, receivedMinor, refundedMinor } = totalsOf(order)
  if ((input.shippingMinor ?? 0) > currentShippingMinor) {
    return { ok: false, reason: 'too_much', detail: `shipping left: ${currentShippingMinor}` }
  }
  const nothing = (input.lines ?? []).length === 0 && !input.shippingMinor && !input.amountMinor
  if (nothing) return { ok: false, reason: 'nothing_to_refund', detail: order.name }
  if ((input.amountMinor ?? 0) > receivedMinor - refundedMinor) {
    return { ok: false, reason: 'too_much', detail: `paid and not yet given back: ${receivedMinor - refundedMinor}` }
  }
  return null
}

function makeRefund(store: StoreTables, order: Order, input: RefundInput, at: number): Refund {
  const lines: RefundLine[] = (input.lines ?? []).map((row) => {
    const line = requireLine(order, row.lineId)
    const money = refundOf(line, row.quantity)
    line.currentQuantity -= row.quantity
    return {
      id: store.newNumber(),
      lineId: line.id,
      quantity: row.quantity,
      ...money,
      restockType: row.restockType ?? 'return',
    }
  })
  const shippingMinor = input.shippingMinor ?? 0
  const charged = sum(order.shippingLines, shippingNet)
  const shippingTax = sum(order.shippingLines, (line) => taxed(line.taxLines))
  const shippingTaxMinor = charged === 0 ? 0 : share(shippingTax, shippingMinor, charged)
  const outside = (tax: number) => (order.taxesIncluded ? 0 : tax)
  const computed =
    sum(lines, (row) => row.subtotalMinor + outside(row.taxMinor)) + shippingMinor + outside(shippingTaxMinor)
  const { receivedMinor, refundedMinor } = moneyMoved(order)
  const amountMinor = Math.min(input.amountMinor ?? computed, receivedMinor - refundedMinor)
  const given = input.amountMinor === undefined ? computed : amountMinor
  const adjustments =
    given === computed
      ? []
      : [
          {
            id: store.newNumber(),
            kind: 'refund_discrepancy' as const,
            reason: 'Refund discrepancy',
            amountMinor: computed - given,
            taxMinor: 0,
          },
        ]
  const transactions = amountMinor > 0 ? payBack(store, order, amountMinor, input.toStoreCredit ?? false, at) : []
  order.transactions.push(...transactions)
  const made: Refund = {
    id: store.newId('Refund'),
    createdAt: at,
    note: input.note ?? null,
    lines,
    shippingMinor,
    shippingTaxMinor,
    adjustments,
    transactionIds: transactions.map((row) => row.id),
  }
  order.refunds.push(made)
  settle(store, order, at)
  return made
}

/** Money goes back the way it came, latest payment first. */
function payBack(
  store: StoreTables,
  order: Order,
  amountMinor: number,
  toStoreCredit: boolean,
  at: number,
): Transaction[] {
  const rows: Transaction[] = []
  let left = amountMinor
  if (toStoreCredit && order.customerId) {
    moveStoreCredit(store, order.shop, order.customerId, left, 'ORDER_REFUND')
    return [transaction(store, 'refund', 'shopify_store_credit', left, at, null)]
  }
  const paid = order.transactions.filter(
    (row) => row.status === 'success' && (row.kind === 'sale' || row.kind === 'capture'),
  )
  for (const payment of paid.reverse()) {
    const before = sum(order.transactions, (row) =>
      row.kind === 'refund' && row.parentId === payment.id ? row.amountMinor : 0,
    )
    const back = Math.min(left, payment.amountMinor - before)
    if (back <= 0) continue
    rows.push(transaction(store, 'refund', payment.gateway, back, at, payment.id))
    if (payment.gateway === 'shopify_store_credit')
      moveStoreCredit(store, order.shop, order.customerId!, back, 'ORDER_REFUND')
    left -= back
  }
  if (left > 0) rows.push(transaction(store, 'refund', 'manual', left, at, null))
  return rows
}

function cancelNow(store: StoreTables, order: Order, input: CancelInput, at: number): Refund | null {
  order.cancelledAt = at
  order.closedAt = at
  order.cancelReason = input.reason ?? 'customer'
  const { receivedMinor, refundedMinor, currentShippingMinor } = totalsOf(order)
  const open = order.lines.filter((line) => line.currentQuantity > 0)
  const restockType = (input.restock ?? true) ? ('cancel' as const) : ('no_restock' as const)
  const lines = open.map((line) => ({ lineId: line.id, quantity: line.currentQuantity, restockType }))
  let made: Refund | null = null
  if (receivedMinor - refundedMinor > 0 && (input.refund ?? true)) {
    made = makeRefund(
      store,
      order,
      { lines, shippingMinor: currentShippingMinor, amountMinor: receivedMinor - refundedMinor, note: input.note },
      at,
    )
  } else if (receivedMinor === 0) {
    for (const line of open) line.currentQuantity = 0
    const authorization = order.transactions.find((row) => row.kind === 'authorization' || row.status === 'pending')
    order.transactions.push(
      transaction(store, 'void', authorization?.gateway ?? 'manual', 0, at, authorization?.id ?? null),
    )
  }
  settle(store, order, at)
  return made
}

function settle(store: StoreTables, order: Order, at = store.now()): void {
  order.financialStatus = statusOf(order)
  touchUpdated(store, order, at)
}

/** `updated_at` has whole seconds, as on Shopify: two changes within one second share it. It never goes back. */
function touchUpdated(store: StoreTables, order: Order, at = store.now()): void {
  const second = Math.floor(at / 1000) * 1000
  order.updatedAt = Math.max(second, Math.floor(order.updatedAt / 1000) * 1000)
}

function save(store: StoreTables, order: Order): void {
  store.put('orders', order.id, order)
}

function tell(store: StoreTables, emit: Emit, order: Order, topics: string[], triggeredAt?: number): void {
  const shop = store.shop(order.shop)
  const customer = order.customerId ? (store.get('customers', order.customerId) ?? null) : null
  const payload = orderPayload(shop, order, customer)
  const eventId = store.newUuid()
  for (const topic of topics) emit(order.shop, topic, payload, { eventId, triggeredAt })
}

function tellRefund(store: StoreTables, emit: Emit, order: Order, made: Refund, triggeredAt?: number): void {
  const shop = store.shop(order.shop)
  emit(order.shop, 'refunds/create', refundPayload(shop, order, made), { triggeredAt })
  const transactions = order.transactions.filter((row) => made.transactionIds.includes(row.id))
  for (const row of transactions)
    emit(order.shop, 'order_transactions/create', transactionPayload(shop, order, row), { triggeredAt })
  tell(store, emit, order, ['orders/updated'], triggeredAt)
}

function tellTransaction(store: StoreTables, emit: Emit, order: Order, row: Transaction): void {
  emit(order.shop, 'order_transactions/create', transactionPayload(store.shop(order.shop), order, row))
}

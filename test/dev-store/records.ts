/**
 * What the dev store remembers, as plain JSON (everything here goes through `JSON.stringify` into the journal).
 *
 * A *shop* is one store with its own domain, currency and zone. A *record* is one row of a table below; its key is its
 * Shopify gid. Money is whole minor units of the shop's currency. Instants are epoch milliseconds on the store's own
 * clock, which can be moved (`state.ts`), save where a name says `real`.
 */

export type Gid = string

/** Shopify's plans differ here only in the Admin API's restore rate (shopify.dev, "API limits": 100, 200, 1000). */
export type Plan = 'basic' | 'advanced' | 'plus'

export type Shop = {
  id: Gid
  domain: string
  name: string
  email: string
  currency: string
  timezone: string
  countryCode: string
  taxesIncluded: boolean
  /** 700 is 7 %. Applied to taxable lines only. */
  taxRateBasisPoints: number
  taxTitle: string
  shippingMinor: number
  plan: Plan
  createdAt: number
  /** Currencies a shopper may pay in besides the shop's own; rate: units of that currency for one of the shop's. */
  presentmentRates: Record<string, number>
  nextOrderNumber: number
  installation: Installation | null
}

export type Installation = {
  id: Gid
  installedAt: number
  /** Machine time: session tokens and access tokens live on the real clock, because Shopify's library checks them so. */
  installedRealAt: number
  scopes: string[]
  tokens: AccessToken[]
}

export type AccessToken = {
  accessToken: string
  mode: 'offline' | 'online'
  userId: string | null
  scopes: string[]
  expiresRealAt: number | null
  refreshToken: string | null
  refreshExpiresRealAt: number | null
  /** The access token of the pair whose refresh token this pair was given for. */
  renews: string | null
  /** Set once a pair that renews this one was used: its refresh token is then no longer good. */
  renewed: boolean
}

export type Product = {
  id: Gid
  shop: string
  title: string
  handle: string
  descriptionHtml: string
  vendor: string
  productType: string
  tags: string[]
  status: 'ACTIVE' | 'DRAFT' | 'ARCHIVED'
  giftCard: boolean
  imageUrl: string | null
  createdAt: number
  updatedAt: number
  variants: Variant[]
}

export type Variant = {
  id: Gid
  title: string
  sku: string | null
  priceMinor: number
  compareAtMinor: number | null
  taxable: boolean
  requiresShipping: boolean
  grams: number
}

export type Collection = {
  id: Gid
  shop: string
  title: string
  handle: string
  productIds: Gid[]
  createdAt: number
  updatedAt: number
}

export type Address = {
  id: string
  firstName: string | null
  lastName: string | null
  company: string | null
  address1: string | null
  address2: string | null
  city: string | null
  province: string | null
  provinceCode: string | null
  country: string
  countryCode: string
  zip: string | null
  phone: string | null
}

/** `disabled`: no account; `invited`; `enabled`: has an account; `declined`. */
export type CustomerState = 'disabled' | 'invited' | 'enabled' | 'declined'

export type Customer = {
  id: Gid
  shop: string
  email: string | null
  firstName: string | null
  lastName: string | null
  phone: string | null
  state: CustomerState
  verifiedEmail: boolean
  tags: string[]
  note: string | null
  locale: string
  taxExempt: boolean
  acceptsMarketing: boolean
  createdAt: number
  updatedAt: number
  addresses: Address[]
  /** Set when this customer was merged into another: Shopify then no longer finds it by its own id. */
  mergedInto: Gid | null
}

export type Allocation = { applicationIndex: number; amountMinor: number }

export type DiscountApplication = {
  type: 'discount_code' | 'automatic' | 'manual' | 'script'
  title: string
  code: string | null
  /** As Shopify writes it: "5.0" of money or "10.0" per cent. */
  value: string
  valueType: 'fixed_amount' | 'percentage'
  allocationMethod: 'across' | 'each' | 'one'
  targetType: 'line_item' | 'shipping_line'
  targetSelection: 'all' | 'entitled' | 'explicit'
  discountId: Gid | null
}

export type TaxLine = { title: string; rateBasisPoints: number; amountMinor: number }

export type OrderLine = {
  id: Gid
  variantId: Gid | null
  productId: Gid | null
  title: string
  variantTitle: string | null
  sku: string | null
  vendor: string | null
  /** As ordered; never changes. */
  quantity: number
  /** After refunds and edits. */
  currentQuantity: number
  unitPriceMinor: number
  giftCard: boolean
  taxable: boolean
  requiresShipping: boolean
  grams: number
  properties: { name: string; value: string }[]
  sellingPlan: { name: string; contractId: Gid | null } | null
  /** Not part of what was first ordered; the totals "as placed" leave it out. */
  addedByEdit: boolean
  /** For the whole ordered quantity. */
  allocations: Allocation[]
  taxLines: TaxLine[]
}

export type ShippingLine = {
  id: string
  title: string
  priceMinor: number
  allocations: Allocation[]
  taxLines: TaxLine[]
}

export type RefundLine = {
  id: string
  lineId: Gid
  quantity: number
  subtotalMinor: number
  taxMinor: number
  restockType: 'return' | 'cancel' | 'no_restock'
}

export type OrderAdjustment = {
  id: string
  kind: 'refund_discrepancy'
  reason: string
  /** Negative: money that went back to the shopper. */
  amountMinor: number
  taxMinor: number
}

export type Refund = {
  id: Gid
  createdAt: number
  note: string | null
  lines: RefundLine[]
  shippingMinor: number
  shippingTaxMinor: number
  adjustments: OrderAdjustment[]
  transactionIds: Gid[]
}

export type Transaction = {
  id: Gid
  kind: 'sale' | 'authorization' | 'capture' | 'void' | 'refund'
  status: 'success' | 'pending' | 'failure'
  /** `bogus` is Shopify's test gateway; also `manual`, `gift_card`, `shopify_store_credit`. */
  gateway: string
  amountMinor: number
  createdAt: number
  parentId: Gid | null
}

export type FinancialStatus =
  'authorized' | 'pending' | 'partially_paid' | 'paid' | 'partially_refunded' | 'refunded' | 'voided'

export type Order = {
  id: Gid
  shop: string
  name: string
  number: number
  token: string
  customerId: Gid | null
  email: string | null
  createdAt: number
  processedAt: number
  updatedAt: number
  closedAt: number | null
  cancelledAt: number | null
  cancelReason: 'customer' | 'declined' | 'fraud' | 'inventory' | 'other' | 'staff' | null
  test: boolean
  sourceName: string
  currency: string
  presentmentCurrency: string
  presentmentRate: number
  taxesIncluded: boolean
  financialStatus: FinancialStatus
  edited: boolean
  tags: string[]
  note: string | null
  noteAttributes: { name: string; value: string }[]
  company: { id: Gid; locationId: Gid } | null
  lines: OrderLine[]
  shippingLines: ShippingLine[]
  discountApplications: DiscountApplication[]
  tipMinor: number
  refunds: Refund[]
  transactions: Transaction[]
}

/** Which goods a discount counts or reduces. */
export type DiscountItems = { all: true } | { productIds: Gid[]; variantIds: Gid[]; collectionIds: Gid[] }

export type DiscountValue =
  | { kind: 'percentage'; basisPoints: number }
  | { kind: 'amount'; amountMinor: number; eachItem: boolean }
  | { kind: 'on_quantity'; quantity: number; basisPoints: number }
  | { kind: 'on_quantity_amount'; quantity: number; amountMinor: number }

export type DiscountContext =
  { kind: 'all' } | { kind: 'customers'; customerIds: Gid[] } | { kind: 'segments'; segmentIds: Gid[] }

export type DiscountKind =
  | 'code_basic'
  | 'code_free_shipping'
  | 'code_bxgy'
  | 'code_app'
  | 'automatic_app'
  | 'automatic_basic'
  | 'automatic_free_shipping'

export type DiscountClass = 'ORDER' | 'PRODUCT' | 'SHIPPING'

export type Discount = {
  id: Gid
  shop: string
  kind: DiscountKind
  title: string
  startsAt: number
  endsAt: number | null
  createdAt: number
  updatedAt: number
  context: DiscountContext
  combinesWith: { orderDiscounts: boolean; productDiscounts: boolean; shippingDiscounts: boolean }
  classes: DiscountClass[]
  /** null where the kind has none (app discounts, free shipping). */
  gets: { items: DiscountItems; value: DiscountValue } | null
  buys: { items: DiscountItems; quantity: number | null; amountMinor: number | null } | null
  usesPerOrderLimit: number | null
  minimum: { subtotalMinor: number } | { quantity: number } | null
  /** Counted for each redeem code on its own. */
  usageLimit: number | null
  appliesOncePerCustomer: boolean
  appliesOnOneTimePurchase: boolean
  appliesOnSubscription: boolean
  recurringCycleLimit: number | null
  maximumShippingMinor: number | null
  functionHandle: string | null
  tags: string[]
}

export type RedeemCode = {
  id: Gid
  shop: string
  discountId: Gid
  code: string
  usageCount: number
  usedBy: Gid[]
  lastUsedRealAt: number | null
  createdAt: number
}

/** A bulk addition of redeem codes: asked for at once, done a moment later, as on Shopify. */
export type CodeJob = {
  id: Gid
  shop: string
  discountId: Gid
  createdAt: number
  done: boolean
  codes: { code: string; codeId: Gid | null; errors: { field: string[]; message: string; code: string }[] }[]
}

/** A job that removes discounts or redeem codes later (Shopify's `Job`). */
export type RemovalJob = { id: Gid; shop: string; done: boolean }

export type Metafield = {
  id: Gid
  shop: string
  ownerId: Gid
  /** `$app` is stored as Shopify writes it out: `app--<app id>`. */
  namespace: string
  key: string
  type: string
  value: string
  compareDigest: string
  createdAt: number
  updatedAt: number
}

export type GiftCard = {
  id: Gid
  shop: string
  code: string
  initialMinor: number
  balanceMinor: number
  customerId: Gid | null
  note: string | null
  templateSuffix: string | null
  expiresOn: string | null
  enabled: boolean
  createdAt: number
}

export type StoreCreditTransaction = {
  id: Gid
  kind: 'credit' | 'debit'
  event: 'ADJUSTMENT' | 'ORDER_PAYMENT' | 'ORDER_REFUND'
  amountMinor: number
  balanceAfterMinor: number
  createdAt: number
  expiresAt: number | null
}

export type StoreCreditAccount = {
  id: Gid
  shop: string
  ownerId: Gid
  currency: string
  balanceMinor: number
  transactions: StoreCreditTransaction[]
}

export type Segment = { id: Gid; shop: string; name: string; query: string; createdAt: number; updatedAt: number }

export type BulkOperation = {
  id: Gid
  shop: string
  query: string
  groupObjects: boolean
  status: 'CREATED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELED' | 'CANCELING'
  errorCode: string | null
  objectCount: number
  rootObjectCount: number
  fileSize: number | null
  /** The JSON lines themselves, served at `/bulk/<id>.jsonl`. */
  result: string | null
  createdAt: number
  completedAt: number | null
}

export type DeliveryAttempt = {
  at: number
  realAt: number
  /** HTTP status, or null where nothing answered. */
  status: number | null
  error: string | null
  milliseconds: number
  badSignature: boolean
}

/** One message to one subscription. Its body is kept as it was when the thing happened: retries carry the same bytes. */
export type Delivery = {
  /** X-Shopify-Webhook-Id. */
  id: string
  /** X-Shopify-Event-Id: the same for every topic told of one event. */
  eventId: string
  sequence: number
  shop: string
  topic: string
  name: string | null
  uri: string
  body: string
  triggeredAt: number
  status: 'held' | 'waiting' | 'delivered' | 'failed' | 'dropped'
  attempts: DeliveryAttempt[]
  /** Machine time of the next attempt. */
  nextAttemptRealAt: number
}

export type FlowTrigger = { id: string; shop: string; handle: string; payload: unknown; receivedAt: number }

/** What the tables hold; a table's name is its name in the journal. */
export type Tables = {
  shops: Shop
  products: Product
  collections: Collection
  customers: Customer
  orders: Order
  discounts: Discount
  codes: RedeemCode
  codeJobs: CodeJob
  removalJobs: RemovalJob
  metafields: Metafield
  giftCards: GiftCard
  storeCredit: StoreCreditAccount
  segments: Segment
  bulkOperations: BulkOperation
  deliveries: Delivery
  flowTriggers: FlowTrigger
  settings: Settings
}

export type TableName = keyof Tables

/** Ways in which the Admin API or the app's way out can be made to fail, for the next `times` requests. */
export type Fault = 'throttled' | '500' | 'timeout' | 'timeout-after-effect'

/** How webhooks leave: at once, kept back until released, or each one twice. */
export type WebhookMode = { hold: boolean; twice: boolean }

export type Settings = {
  id: 'settings'
  clockOffsetMs: number
  nextId: number
  nextSequence: number
  faults: { fault: Fault; times: number; operation: string | null }[]
  webhooks: WebhookMode
}

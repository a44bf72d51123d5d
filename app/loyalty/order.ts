/**
 * An *order* here is one snapshot: everything the rules need of a Shopify order, as one webhook or one API read showed it.
 * An *order record* is what we know of an order by now: its newest snapshot that counts, when it was first seen paid, what it has posted to the
 * ledger. Snapshots come late, twice and shuffled; the record is a function of the set of them, never of their order.
 *
 * All money is in minor units of the shop currency (`shop_money`), never of the presentment currency.
 */

/** One line of an order. */
export type OrderLine = {
  /** "gid://shopify/LineItem/…" */
  id: string
  /** The product's gid; null where the product is gone or the line never had one (custom sale). */
  product: string | null
  /** Units as ordered (`quantity`), refunded and removed ones included. */
  quantity: number
  /** Units left after refunds, returns and edits (`current_quantity`). */
  currentQuantity: number
  /** The price of one unit before discounts (`price_set.shop_money`). */
  priceMinor: number
  /** The sum of `discount_allocations[].amount_set.shop_money`: codes, automatic, redeemed rewards; for `quantity` units. */
  discountMinor: number
  /** The sum of `tax_lines[].price_set.shop_money`, for `quantity` units after discounts. Part of the price where the order has taxes included. */
  taxMinor: number
  /** True where the line buys a gift card: it is no goods and earns nothing. */
  giftCard: boolean
  /** True where the line belongs to a selling plan: the reserved channel `subscription`. */
  subscription: boolean
  /** Collections of the product, from the catalogue; empty where it does not say. */
  collections: readonly string[]
  /** Tags of the product, from the catalogue; empty where it does not say. */
  tags: readonly string[]
  /** The product's compare-at price of one unit, from the catalogue; the line is a sale item where it is above `priceMinor`. */
  compareAtMinor: number | null
}

/** One refund of an order: inside a snapshot, or alone (`refunds/create`). */
export type Refund = {
  /** "gid://shopify/Refund/…" */
  id: string
  /** Units given back, by line. Read only where the refund comes alone: a snapshot's `currentQuantity` already leaves them out. */
  lines: readonly { line: string; quantity: number }[]
  /**
   * Money given back to the shopper that belongs to no line: minus the sum of `order_adjustments` of kind `refund_discrepancy`, in the
   * order's own prices: with their tax only where taxes are included (Shopify writes what the shop gives away as a negative amount). Below 0 where the shop kept part of what the refunded lines were worth.
   */
  givenBackMinor: number
  /** Shipping money given back, 0 or more, in the terms of `Order.shippingMinor`: with tax only where the order has taxes included. */
  shippingMinor: number
}

/** One snapshot of an order. */
export type Order = {
  /** "gid://shopify/Order/…" */
  id: string
  /** The customer's gid, null for a guest without a customer record. */
  customer: string | null
  /** The customer's `state` in this payload ("enabled", "disabled", "invited", "declined"); null where it does not say. */
  customerState: string | null
  /** True where the order belongs to a company (B2B): the reserved channel `b2b`. */
  company: boolean
  /** `source_name`: "web", "pos", "shopify_draft_order", …; null where absent. */
  sourceName: string | null
  test: boolean
  /** `cancelled_at`, null where the order stands. */
  cancelledAt: number | null
  /** `financial_status` in Shopify's lower-case words: "paid", "partially_paid", "voided", …; null where absent. */
  financialStatus: string | null
  /** `processed_at`: the instant of placing. */
  processedAt: number
  updatedAt: number
  /** ISO 4217 code of the shop currency, which all amounts here are in. */
  currency: string
  taxesIncluded: boolean
  /** Goods and gift cards. Tips, which Shopify lists among them, are left out. */
  lines: readonly OrderLine[]
  /** Shipping as charged, after discounts, before refunds; tax included where the order has taxes included. */
  shippingMinor: number
  /** Tax on shipping, as charged. */
  shippingTaxMinor: number
  refunds: readonly Refund[]
  /** `discount_codes[].code`, as written there. */
  discountCodes: readonly string[]
  /**
   * Money off by each automatic discount, goods and shipping, by the title that the shopper saw: what campaigns have given. Absent
   * where there was none.
   */
  automaticDiscounts?: readonly { title: string; amountMinor: number }[]
}

/** One answer to "why": what a rule gave, by how much one multiplied, or why there is nothing. Printed by `npm run simulate` as it is. */
export type Reason =
  | { rule: string; points: number }
  | { rule: string; multiplier: number }
  | { rule: string; why: Why }
  | { rule: string; tier: string }

/** Why a rule, an order or a request gave nothing. Fixed words: the admin and the storefront say them in sentences. */
export type Why = (typeof WHYS)[number]

/** All reasons for nothing; the words of {@link Why}. */
export const WHYS = [
  'not_paid',
  'cancelled',
  'voided',
  'deleted',
  'test_order',
  'no_customer',
  'not_a_member',
  'erased',
  'before_program',
  'other_currency',
  'channel_excluded',
  'nothing_counts',
  'below_one_point',
  'no_matching_lines',
  'no_rule',
  'not_yet',
  'ended',
  'tier',
  'minimum_subtotal',
  'weekday',
  'channel',
  'limit_reached',
  'lower_than_another',
  'moved_to_another_customer',
] as const

/**
 * What we know of one order. Plain data; one row (or JSON) in the database, one object in the simulator.
 * `null`/absent parts are facts that have not come to light yet.
 */
export type OrderRecord = {
  id: string
  /** The newest snapshot that counts: paid, partially refunded or refunded, or cancelled, voided, test. Null while none was seen. */
  snapshot: Order | null
  /** `triggeredAt` of that snapshot: with equal `updatedAt` the later one wins. */
  snapshotTriggeredAt: number
  /** True once `orders/delete` was heard. */
  deleted: boolean
  /** The instant of earning: the earliest `triggeredAt` of any snapshot that shows the order paid. Null while unpaid. */
  paidAt: number | null
  /** Refunds that came alone and are in no snapshot that we hold yet. */
  loneRefunds: readonly Refund[]
  /** The customer that the order belongs to now: the newest that any snapshot named; a later one without a customer keeps it. */
  customer: string | null
  /** The snapshot that named the customer, null while none has. */
  customerSeen: { updatedAt: number; triggeredAt: number } | null
  /** Codes of our redemptions that the order used; points spent come back with it. */
  codes: readonly string[]
  /** The evaluation that stays with the order, made when it was first evaluated for its member. Null while there is none. */
  terms: OrderTerms | null
  /** Points credited for this order and not taken back, without those that were spared. */
  posted: number
  /** Of what was to be taken back, what `negativeBalance: "clamp"` spared. A later credit undoes this first. */
  sparedPoints: number
  /** What the order is worth now, with the reasons. Null before the first evaluation. */
  worth: OrderWorth | null
  /** How many ledger keys this order has used under `lastKey`, so that each transfer's key is unique and deterministic. */
  lastKey: string | null
  lastKeyCount: number
}

/** What was decided when an order was first evaluated, and is never decided again. */
export type OrderTerms = {
  /** The member the terms were made for; another customer gets terms of its own. */
  member: string
  /** `ProgramVersion.number` in force at `processedAt`, null where the order was placed before a program that lets no history earn. */
  version: number | null
  /** The member's tier at `processedAt`, as known then: a level id, null without tiers. */
  tier: string | null
  /** False where the member was not enrolled then: the order earns nothing, now and later. */
  enrolled: boolean
  /** Limited rules that gave this order a place, which stays taken after a refund. */
  places: readonly string[]
  /** Limited rules that had no place left for it. */
  refusedPlaces: readonly string[]
  /**
   * The multiplying campaigns by segment or with a hold-out that the order has (campaigns.ts `decideCampaigns`). Absent where none was in force,
   * and in terms of before they were kept: then customer and segments decide.
   */
  campaigns?: readonly string[]
  /** Whether the order has ever been worth points: then its `paidAt` counts as an earning for `inactivity`. */
  everEarned: boolean
}

/** What an order is worth now, with the reasons; the stored answer to "why did this order earn 36 points?". */
export type OrderWorth = {
  points: number
  /** The money that counts, in whole minor units, rounded down; for tiers by spend and for showing. */
  spendMinor: number
  /** The part of a minor unit that `spendMinor` leaves out, as an exact fraction "1/3"; null where there is none, which is nearly always. */
  spendRest: string | null
  /** 1 where the order counts for tiers by orders. */
  orders: 0 | 1
  reasons: readonly Reason[]
}

const PAID_STATUSES: ReadonlySet<string | null> = new Set(['paid', 'partially_refunded', 'refunded'])

/** True where a snapshot shows the order paid, whatever was given back since. */
export function isPaid(order: Order): boolean {
  return PAID_STATUSES.has(order.financialStatus)
}

/** True where an order is worth nothing for good: cancelled, voided or a test. */
export function isVoid(order: Order): boolean {
  return order.test || order.cancelledAt !== null || order.financialStatus === 'voided'
}

/** A record of an order of which nothing is known but its id. */
export function createOrderRecord(id: string): OrderRecord {
  return {
    id,
    snapshot: null,
    snapshotTriggeredAt: 0,
    deleted: false,
    paidAt: null,
    loneRefunds: [],
    customer: null,
    customerSeen: null,
    codes: [],
    terms: null,
    posted: 0,
    sparedPoints: 0,
    worth: null,
    lastKey: null,
    lastKeyCount: 0,
  }
}

/**
 * Adds one snapshot to what is known of its order, so that the same snapshots in any order make the same record: the newest that
 * counts sets the value, the earliest `triggeredAt` of one that shows it paid is the instant of earning. `paidAt` replaces `triggeredAt` where the order
 * was read from the API.
 */
export function addSnapshot(record: OrderRecord, order: Order, triggeredAt: number, paidAt?: number): OrderRecord {
  const next = { ...record }
  const paid = isPaid(order)
  if (paid) next.paidAt = Math.min(record.paidAt ?? Infinity, paidAt ?? triggeredAt)
  const counts = paid || isVoid(order)
  const version = { updatedAt: order.updatedAt, triggeredAt }
  const { snapshot } = record
  const known = snapshot && { updatedAt: snapshot.updatedAt, triggeredAt: record.snapshotTriggeredAt }
  if (counts && isNewer(version, known)) {
    next.snapshot = order
    next.snapshotTriggeredAt = triggeredAt
    next.loneRefunds = record.loneRefunds.filter((refund) => !order.refunds.some((other) => other.id === refund.id))
  }
  // Until a snapshot counts, whoever the others name is shown as the customer; the first that counts comes before all of those.
  const comesFirst = counts && snapshot === null
  const canName = order.customer !== null && (counts || snapshot === null)
  if (canName && (comesFirst || isNewer(version, record.customerSeen))) {
    next.customer = order.customer
    next.customerSeen = version
  }
  return next
}

/**
 * The order with its products as they were when their lines were first heard of: what the catalogue says of them later is for later orders. `known`
 * is the snapshot of before.
 */
export function keepProducts(order: Order, known: Order | null | undefined): Order {
  if (!known) return order
  const before = new Map(known.lines.map((line) => [line.id, line]))
  const lines = order.lines.map((line) => {
    const first = before.get(line.id)
    if (!first) return line
    const { collections, tags, compareAtMinor } = first
    return { ...line, collections, tags, compareAtMinor }
  })
  return { ...order, lines }
}

/** Adds a refund that came alone; nothing changes where the snapshot has it, or it came before. */
export function addLoneRefund(record: OrderRecord, refund: Refund): OrderRecord {
  const known = (candidate: Refund) => candidate.id === refund.id
  if (record.snapshot?.refunds.some(known) || record.loneRefunds.some(known)) return record
  return { ...record, loneRefunds: [...record.loneRefunds, refund] }
}

type Version = { updatedAt: number; triggeredAt: number }

/** A later `updated_at`; among equal ones the later `triggeredAt`, or the one heard last. */
function isNewer(version: Version, known: Version | null): boolean {
  if (known === null || version.updatedAt > known.updatedAt) return true
  return version.updatedAt === known.updatedAt && version.triggeredAt >= known.triggeredAt
}

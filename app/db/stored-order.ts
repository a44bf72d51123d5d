// An order's record (loyalty/order.ts) as it is stored. Every order is written at least once, most are like each other, and much of a
// record is said twice in it: what is as usual is left out. Queries may ask for `snapshot`, in it for `test` (absent: false), `cancelledAt`,
// `financialStatus` (absent: paid), `automaticDiscounts` and `lines`, and of a line for `product`, `quantity` (absent: 1), `currentQuantity` (absent: as
// `quantity`), `giftCard` (absent: false) and `discountMinor` (absent: 0); and for the `reasons` of its `worth`. Records from before this was so
// have all fields.
import type { Order, OrderLine, OrderRecord, OrderTerms, OrderWorth } from '#app/loyalty/order.ts'

/** A record as JSON, without what is as usual. Its id stands in a column. */
export type StoredOrder = Partial<Omit<OrderRecord, 'snapshot' | 'terms' | 'worth'>> & {
  snapshot: StoredSnapshot | null
  snapshotTriggeredAt: number
  terms: StoredTerms | null
  worth: StoredWorth | null
}
type StoredTerms = Pick<OrderTerms, 'version' | 'tier'> & Partial<OrderTerms>
type StoredWorth = Omit<OrderWorth, 'spendRest'> & Partial<OrderWorth>
type StoredSnapshot = Partial<Omit<Order, 'lines'>> & Pick<Order, 'processedAt'> & { lines: StoredLine[] }
type StoredLine = Partial<OrderLine> & Pick<OrderLine, 'id' | 'product' | 'priceMinor'>

const LINE_ITEM = 'gid://shopify/LineItem/'

/** The record as it is kept. */
export function toStoredOrder(record: OrderRecord): StoredOrder {
  const { snapshot, snapshotTriggeredAt, customerSeen, terms, lastKey } = record
  const stored: StoredOrder = {
    snapshot: snapshot && toStoredSnapshot(snapshot, record),
    snapshotTriggeredAt,
    customer: record.customer,
    terms: terms && toStoredTerms(terms, record.customer),
    posted: record.posted,
    worth: record.worth && toStoredWorth(record.worth),
    lastKey: lastKey?.startsWith(`order:${record.id}@`) ? lastKey.slice(6 + record.id.length) : lastKey,
  }
  if (record.deleted) stored.deleted = true
  if (record.paidAt !== snapshotTriggeredAt) stored.paidAt = record.paidAt
  const seenWithIt =
    customerSeen?.updatedAt === snapshot?.updatedAt && customerSeen?.triggeredAt === snapshotTriggeredAt
  if (!seenWithIt) stored.customerSeen = customerSeen
  if (record.loneRefunds.length > 0) stored.loneRefunds = record.loneRefunds
  if (record.codes.length > 0) stored.codes = record.codes
  if (record.sparedPoints !== 0) stored.sparedPoints = record.sparedPoints
  if (record.lastKeyCount !== 1) stored.lastKeyCount = record.lastKeyCount
  return stored
}

/** The record of the order `id` (gid) as it was before `toStoredOrder`. */
export function fromStoredOrder(id: string, stored: StoredOrder): OrderRecord {
  const customer = stored.customer ?? null
  const { snapshotTriggeredAt, lastKey = null } = stored
  const snapshot = stored.snapshot && fromStoredSnapshot(id, customer, stored.snapshot)
  return {
    id,
    snapshot,
    snapshotTriggeredAt,
    deleted: stored.deleted ?? false,
    paidAt: stored.paidAt === undefined ? snapshotTriggeredAt : stored.paidAt,
    loneRefunds: stored.loneRefunds ?? [],
    customer,
    customerSeen:
      stored.customerSeen === undefined
        ? { updatedAt: snapshot!.updatedAt, triggeredAt: snapshotTriggeredAt }
        : stored.customerSeen,
    codes: stored.codes ?? [],
    terms: stored.terms && fromStoredTerms(stored.terms, customer),
    posted: stored.posted ?? 0,
    sparedPoints: stored.sparedPoints ?? 0,
    worth: stored.worth && { ...stored.worth, spendRest: stored.worth.spendRest ?? null },
    lastKey: lastKey?.startsWith('@') ? `order:${id}${lastKey}` : lastKey,
    lastKeyCount: stored.lastKeyCount ?? 1,
  }
}

function toStoredTerms(terms: OrderTerms, customer: string | null): StoredTerms {
  const { member, version, tier, enrolled, places, refusedPlaces, everEarned, campaigns } = terms
  const stored: StoredTerms = { version, tier }
  if (member !== customer) stored.member = member
  if (!enrolled) stored.enrolled = false
  if (places.length > 0) stored.places = places
  if (refusedPlaces.length > 0) stored.refusedPlaces = refusedPlaces
  if (!everEarned) stored.everEarned = false
  if (campaigns) stored.campaigns = campaigns
  return stored
}

function fromStoredTerms(stored: StoredTerms, customer: string | null): OrderTerms {
  const { member, version, tier, enrolled = true, places = [], refusedPlaces = [], everEarned = true } = stored
  const terms = { member: member ?? customer!, version, tier, enrolled, places, refusedPlaces, everEarned }
  return stored.campaigns ? { ...terms, campaigns: stored.campaigns } : terms
}

function toStoredWorth({ points, spendMinor, spendRest, orders, reasons }: OrderWorth): StoredWorth {
  return spendRest === null
    ? { points, spendMinor, orders, reasons }
    : { points, spendMinor, spendRest, orders, reasons }
}

function toStoredSnapshot(snapshot: Order, record: OrderRecord): StoredSnapshot {
  const { processedAt, currency, taxesIncluded } = snapshot
  const stored: StoredSnapshot = { processedAt, currency, taxesIncluded, lines: snapshot.lines.map(toStoredLine) }
  if (snapshot.test) stored.test = true
  if (snapshot.financialStatus !== 'paid') stored.financialStatus = snapshot.financialStatus
  if (snapshot.customerState !== 'enabled') stored.customerState = snapshot.customerState
  if (snapshot.sourceName !== 'web') stored.sourceName = snapshot.sourceName
  if (snapshot.customer !== record.customer) stored.customer = snapshot.customer
  if (snapshot.company) stored.company = true
  if (snapshot.cancelledAt !== null) stored.cancelledAt = snapshot.cancelledAt
  if (snapshot.updatedAt !== processedAt) stored.updatedAt = snapshot.updatedAt
  if (snapshot.shippingMinor !== 0) stored.shippingMinor = snapshot.shippingMinor
  if (snapshot.shippingTaxMinor !== 0) stored.shippingTaxMinor = snapshot.shippingTaxMinor
  if (snapshot.refunds.length > 0) stored.refunds = snapshot.refunds
  if (snapshot.discountCodes.length > 0) stored.discountCodes = snapshot.discountCodes
  if (snapshot.automaticDiscounts) stored.automaticDiscounts = snapshot.automaticDiscounts
  return stored
}

function fromStoredSnapshot(id: string, customer: string | null, stored: StoredSnapshot): Order {
  const snapshot: Order = {
    id,
    customer: stored.customer === undefined ? customer : stored.customer,
    customerState: stored.customerState === undefined ? 'enabled' : stored.customerState,
    company: stored.company ?? false,
    sourceName: stored.sourceName === undefined ? 'web' : stored.sourceName,
    test: stored.test ?? false,
    cancelledAt: stored.cancelledAt ?? null,
    financialStatus: stored.financialStatus === undefined ? 'paid' : stored.financialStatus,
    processedAt: stored.processedAt,
    updatedAt: stored.updatedAt ?? stored.processedAt,
    currency: stored.currency!,
    taxesIncluded: stored.taxesIncluded!,
    lines: stored.lines.map(fromStoredLine),
    shippingMinor: stored.shippingMinor ?? 0,
    shippingTaxMinor: stored.shippingTaxMinor ?? 0,
    refunds: stored.refunds ?? [],
    discountCodes: stored.discountCodes ?? [],
  }
  if (stored.automaticDiscounts) snapshot.automaticDiscounts = stored.automaticDiscounts
  return snapshot
}

function toStoredLine(line: OrderLine): StoredLine {
  const { id, product, quantity, priceMinor } = line
  const stored: StoredLine = {
    id: id.startsWith(LINE_ITEM) ? id.slice(LINE_ITEM.length) : id,
    product,
    priceMinor,
  }
  if (quantity !== 1) stored.quantity = quantity
  if (line.currentQuantity !== quantity) stored.currentQuantity = line.currentQuantity
  if (line.giftCard) stored.giftCard = true
  if (line.discountMinor !== 0) stored.discountMinor = line.discountMinor
  if (line.taxMinor !== 0) stored.taxMinor = line.taxMinor
  if (line.subscription) stored.subscription = true
  if (line.collections.length > 0) stored.collections = line.collections
  if (line.tags.length > 0) stored.tags = line.tags
  if (line.compareAtMinor !== null) stored.compareAtMinor = line.compareAtMinor
  return stored
}

function fromStoredLine(stored: StoredLine): OrderLine {
  const quantity = stored.quantity ?? 1
  return {
    id: stored.id.startsWith('gid:') ? stored.id : LINE_ITEM + stored.id,
    product: stored.product,
    quantity,
    currentQuantity: stored.currentQuantity ?? quantity,
    priceMinor: stored.priceMinor,
    discountMinor: stored.discountMinor ?? 0,
    taxMinor: stored.taxMinor ?? 0,
    giftCard: stored.giftCard ?? false,
    subscription: stored.subscription ?? false,
    collections: stored.collections ?? [],
    tags: stored.tags ?? [],
    compareAtMinor: stored.compareAtMinor ?? null,
  }
}

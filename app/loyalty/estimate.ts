import type { Member } from './engine.ts'
import { findPeriod, hasPlace, isEnrolled } from './events.ts'
import { parseDecimal } from './money.ts'
import type { Order, OrderLine } from './order.ts'
import { calculateWorth } from './points.ts'
import type { Program } from './program.ts'

/** A line that a shopper looks at, as the storefront knows it. Prices are Liquid's: hundredths of the currency, whatever its decimals. */
export type SeenLine = {
  product: string
  quantity: number
  price: number
  compareAt: number | null
  giftCard: boolean
  collections: readonly string[]
  tags: readonly string[]
}

/** What an order would earn. */
export type Estimate = {
  points: number
  /** The real order can be worth less, because prices in the storefront contain tax that the program does not count and only checkout knows. */
  upTo: boolean
  /** Present where whoever asks has not joined (has no account, where it takes one): the points are for those who do before they order. */
  join?: true
}

/**
 * What an order of these lines, placed now, would earn: the same calculator as for the real order. `member` is null for somebody we
 * have no record of: a guest, or, with `signedIn`, a customer nothing was heard of yet. Who was erased earns nothing, ever.
 */
export function estimatePoints(
  lines: readonly SeenLine[],
  program: Program,
  member: Member | null,
  { at, taxesIncluded, signedIn = member !== null }: { at: number; taxesIncluded: boolean; signedIn?: boolean },
): Estimate {
  if (member !== null && member.erasedAt !== null) return { points: 0, upTo: false }
  const order: Order = {
    id: 'gid://shopify/Order/0',
    customer: member?.id ?? null,
    customerState: null,
    company: false,
    sourceName: 'web',
    test: false,
    cancelledAt: null,
    financialStatus: 'paid',
    processedAt: at,
    updatedAt: at,
    currency: program.currency,
    taxesIncluded,
    lines: lines.map((line, index) => toOrderLine(line, index, program.exponent)),
    shippingMinor: 0,
    shippingTaxMinor: 0,
    refunds: [],
    discountCodes: [],
  }
  const worth = calculateWorth(order, program, {
    tier: member ? member.tier.level : (program.tiers?.levels[0]?.id ?? null),
    customer: member?.id ?? null,
    segments: member?.segments ?? [],
    loneRefunds: [],
    hasPlace: (rule) =>
      member === null ||
      rule.limit === null ||
      hasPlace(member, rule, findPeriod(rule.limit, at, order.id, program.timeZone)),
  })
  const upTo = taxesIncluded && !program.basis.tax && worth.points > 0
  const joins = worth.points > 0 && !willBeEnrolled(program, member, signedIn)
  return { points: worth.points, upTo, ...(joins ? { join: true } : {}) }
}

/** Whether an order placed now finds its customer enrolled. Orders bring Shopify's word about the account: who signs in has one. */
function willBeEnrolled(program: Program, member: Member | null, signedIn: boolean): boolean {
  if (program.enrolment === 'accounts' && (member?.customerState ?? null) === null) return signedIn
  return member === null ? program.enrolment === 'everyone' : isEnrolled(member, program)
}

function toOrderLine(line: SeenLine, index: number, exponent: number): OrderLine {
  return {
    id: `gid://shopify/LineItem/${index}`,
    product: line.product,
    quantity: line.quantity,
    currentQuantity: line.quantity,
    priceMinor: fromHundredths(line.price, exponent),
    discountMinor: 0,
    taxMinor: 0,
    giftCard: line.giftCard,
    subscription: false,
    collections: line.collections,
    tags: line.tags,
    compareAtMinor: line.compareAt === null ? null : fromHundredths(line.compareAt, exponent),
  }
}

/** Liquid counts every currency in hundredths: 50000 is ¥500, 500 is $5.00 (shopify.dev, "money" filters). Parts below the minor unit go. */
function fromHundredths(hundredths: number, exponent: number): number {
  const text = String(hundredths).padStart(3, '0')
  const decimals = text.slice(-2).slice(0, exponent)
  return parseDecimal(`${text.slice(0, -2)}${decimals ? `.${decimals}` : ''}`, exponent) ?? 0
}

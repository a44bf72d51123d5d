import type { Member } from './engine.ts'
import { findPeriod, hasPlace } from './events.ts'
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

/**
 * What an order of these lines, placed now by this member (null: a guest), would earn: the same calculator as for the real order.
 * `upTo` says that the real order can be worth less, because prices in the storefront contain tax that the program does not count
 * and only checkout knows.
 */
export function estimatePoints(
  lines: readonly SeenLine[],
  program: Program,
  member: Member | null,
  { at, taxesIncluded }: { at: number; taxesIncluded: boolean },
): { points: number; upTo: boolean } {
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
  return { points: worth.points, upTo: taxesIncluded && !program.basis.tax && worth.points > 0 }
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

/** What an order would earn: the merchant's live preview. The sum itself is the engine's own (loyalty/points.ts). */
import { parseMoney } from '#app/loyalty/money.ts'
import type { Order } from '#app/loyalty/order.ts'
import { calculateWorth, type CalculatedWorth } from '#app/loyalty/points.ts'
import type { Program } from '#app/loyalty/program.ts'

type EstimateAsk = {
  /** Money for goods, as typed: "50.00". */
  amount: string
  /** Level id of the member who buys, null for somebody without one. */
  tier: string | null
  /** When the order is placed, epoch milliseconds. */
  at: number
}

/** What an order of one item at that price earns, with reasons; null where the amount is no money of the program's currency. */
export function estimateOrder(program: Program, { amount, tier, at }: EstimateAsk): CalculatedWorth | null {
  const priceMinor = parseMoney(amount.trim(), program.currency)
  if (priceMinor === null || priceMinor < 0) return null
  return calculateWorth(oneItemOrder(priceMinor, program.currency, at), program, {
    tier,
    customer: null,
    segments: [],
    loneRefunds: [],
    hasPlace: () => true,
  })
}

function oneItemOrder(priceMinor: number, currency: string, at: number): Order {
  return {
    id: 'gid://shopify/Order/0',
    customer: null,
    customerState: null,
    company: false,
    sourceName: 'web',
    test: false,
    cancelledAt: null,
    financialStatus: 'paid',
    processedAt: at,
    updatedAt: at,
    currency,
    taxesIncluded: false,
    lines: [
      {
        id: 'gid://shopify/LineItem/0',
        product: null,
        quantity: 1,
        currentQuantity: 1,
        priceMinor,
        discountMinor: 0,
        taxMinor: 0,
        giftCard: false,
        subscription: false,
        collections: [],
        tags: [],
        compareAtMinor: null,
      },
    ],
    shippingMinor: 0,
    shippingTaxMinor: 0,
    refunds: [],
    discountCodes: [],
  }
}

import { formatMoney, formatDecimal, rational, roundRational, toSafeNumber } from './money.ts'
import { HUNDRED_PERCENT } from './ratios.ts'
import type { Program, Reward } from './program.ts'
import { ENGLISH, fill, showPercent, type ShopperWords } from './shopper-words.ts'

/**
 * The *terms* of a discount are everything that makes a code of one reward and value what it is. Two redemptions with the same terms
 * may have codes of the same parent discount; other terms need another one, so that what a shopper holds never changes under them.
 */
export type DiscountTerms = {
  /** What the merchant reads in Shopify's list of discounts. */
  title: string
  gives:
    | { kind: 'amount'; amount: string }
    | { kind: 'percentage'; percent: string }
    | { kind: 'shipping' }
    /** One piece of these products free: `amount` is what the dearest of them costs, taken off once. */
    | { kind: 'product'; amount: string }
  /** Only these goods, anything where both are empty. Gids. */
  products: string[]
  collections: string[]
  /** Decimal text in the shop's currency; null: none. */
  minimumSubtotal: string | null
  combinesWith: { order: boolean; product: boolean; shipping: boolean }
}

/**
 * The terms of a reward at this value (the redemption's: money as decimal text, a percentage, null for shipping and products).
 * `dearest` is what the dearest of a free product's variants costs, decimal text; only that type needs it. Throws for rewards that
 * are no discounts.
 *
 * `maximumShare` becomes a minimum: an amount, or a product of that price, may be at most S % of an order exactly where the order is at
 * least amount ÷ S %. A percentage is never above it (read-reward.ts).
 */
export function termsOfReward(
  program: Program,
  reward: Reward,
  value: string | null,
  dearest: string | null = null,
): DiscountTerms {
  const label = rewardLabel(program, reward, value)
  const gives = givesOf(reward, value, dearest)
  return {
    title: `${program.document.name}: ${label}`,
    gives,
    products: [...(reward.products ?? [])].sort(),
    collections: [...(reward.collections ?? [])].sort(),
    minimumSubtotal: minimumOf(program, reward, gives),
    combinesWith: { ...reward.combinesWith },
  }
}

function givesOf(reward: Reward, value: string | null, dearest: string | null): DiscountTerms['gives'] {
  if (reward.type === 'shipping') return { kind: 'shipping' }
  if (reward.type === 'product' && dearest !== null) return { kind: 'product', amount: dearest }
  if (reward.type === 'percentage' && value !== null) return { kind: 'percentage', percent: value }
  if (reward.type === 'amount' && value !== null) return { kind: 'amount', amount: value }
  throw new Error(`reward ${reward.id} of type ${reward.type} is no discount that can be made of value ${value}`)
}

function minimumOf(program: Program, reward: Reward, gives: DiscountTerms['gives']): string | null {
  const own = reward.minimumSubtotal ?? 0
  const share = reward.maximumShareBasisPoints
  const byShare =
    share === null || !('amount' in gives)
      ? 0
      : toSafeNumber(
          roundRational(
            rational(BigInt(minorOf(gives.amount, program.exponent)) * BigInt(HUNDRED_PERCENT), share),
            'ceil',
          ),
        )
  const minimum = Math.max(own, byShare)
  return minimum > 0 ? formatMoney(minimum, program.currency) : null
}

function minorOf(value: string, exponent: number): number {
  const [whole = '0', decimals = ''] = value.split('.')
  return Number(whole + decimals.padEnd(exponent, '0').slice(0, exponent))
}

/** What a reward gives in words: "$5.00 off", "10% off", "Free shipping". */
export function rewardLabel(
  program: Program,
  reward: Reward,
  value: string | null,
  words: ShopperWords = ENGLISH,
): string {
  const fixed = value ?? fixedValue(program, reward)
  const amount = () => showMoney(program, fixed, words)
  switch (reward.type) {
    case 'amount':
      return fill(words.amountOff, { amount: amount() })
    case 'percentage':
      return fill(words.percentOff, { percent: showPercent(words, fixed ?? '0') })
    case 'shipping':
      return words.freeShipping
    case 'product':
      return words.freeProduct
    case 'store-credit':
      return fill(words.storeCredit, { amount: amount() })
    case 'gift-card':
      return fill(words.giftCard, { amount: amount() })
  }
}

/** The value that a fixed reward has, in the form a redemption has it: "5.00", "10"; null for shipping and products. */
export function fixedValue(program: Program, reward: Reward): string | null {
  if (reward.type === 'shipping' || reward.type === 'product') return null
  if (reward.type === 'percentage') return formatDecimal(reward.valueBasisPoints, 2).replace(/\.?0+$/, '')
  return formatMoney(reward.valueMinor, program.currency)
}

/**
 * Money as readers of the language know it: "$5.00", "¥500", "KWD 1.250"; "5,00 €" in German. It is the shop's own currency, so that a dollar
 * needs no country, as on its price tags.
 */
export function showMoney(program: Program, amount: string | null, words: ShopperWords = ENGLISH): string {
  const exponent = program.exponent
  const format = new Intl.NumberFormat(words.locale, {
    style: 'currency',
    currency: program.currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  })
  return format.format((amount ?? '0') as `${number}`)
}

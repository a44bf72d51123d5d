/**
 * Exact decimal arithmetic on the texts in which Shopify gives money ("49.99"). No floats: an amount is a whole number
 * of ten-thousandths, enough for every currency (at most 4 decimals) and safe up to 900 thousand million.
 */

/** Ten-thousandths in one unit of a currency. */
export const SCALE = 10_000

/** A decimal as digits and a place: 1.3742 is `{ digits: 13742n, decimals: 4 }`. */
type Decimal = { digits: bigint; decimals: number }

/** Currencies without two decimals that Shopify's checkout rounds to (ISO 4217). */
const DECIMALS: Record<string, number> = {
  ...decimals(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'),
  ...decimals(3, 'BHD IQD JOD KWD LYD OMR TND'),
}

/**
 * The amount in ten-thousandths, or null where the text is no plain decimal ("abc", "1e5", "-1") or too large to be
 * exact. Digits past the fourth decimal are dropped: no currency has them. `parseAmount('49.99')` is 499900.
 */
export function parseAmount(text: unknown): number | null {
  const decimal = parseDecimal(text)
  if (decimal === null) return null
  const scaled =
    decimal.decimals <= 4
      ? decimal.digits * 10n ** BigInt(4 - decimal.decimals)
      : decimal.digits / 10n ** BigInt(decimal.decimals - 4)
  return scaled <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(scaled) : null
}

/**
 * An amount of the shop's currency (ten-thousandths) in the cart's, rounded to the cart currency's smallest unit: down
 * for a minimum, so that nobody who paid the figure on screen is refused; half up for money off. Null where the rate is
 * no decimal. `convert(500000, '1.3742', 'CAD', 'down')` is 687100: 68.71 dollars.
 */
export function convert(amount: number, rate: unknown, currency: string, rounding: 'down' | 'half-up'): number | null {
  const factor = parseDecimal(rate)
  if (factor === null) return null
  const unit = BigInt(10 ** (4 - decimalsOf(currency)))
  const divisor = unit * 10n ** BigInt(factor.decimals)
  const exact = BigInt(amount) * factor.digits
  const units = (rounding === 'down' ? exact : exact + divisor / 2n) / divisor
  const scaled = units * unit
  return scaled <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(scaled) : null
}

/** The amount as Shopify's Decimal text, with the currency's own decimals: `formatAmount(687100, 'CAD')` is "68.71". */
export function formatAmount(amount: number, currency: string): string {
  const places = decimalsOf(currency)
  const whole = Math.floor(amount / SCALE)
  if (places === 0) return String(whole)
  const fraction = String(Math.floor((amount % SCALE) / 10 ** (4 - places)))
  return whole + '.' + fraction.padStart(places, '0')
}

/** How many decimals checkout shows for a currency; 2 where it is not in the list. */
export function decimalsOf(currency: string): number {
  return DECIMALS[currency] ?? 2
}

/** Reads digits with at most one point, by hand: Shopify's guidance is no regular expressions in a Function. */
function parseDecimal(text: unknown): Decimal | null {
  if (typeof text === 'number' && Number.isSafeInteger(text) && text >= 0) return { digits: BigInt(text), decimals: 0 }
  if (typeof text !== 'string' || text.length === 0 || text.length > 30) return null
  let digits = ''
  let decimalPlaces = -1
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 46 && decimalPlaces === -1) decimalPlaces = 0
    else if (code >= 48 && code <= 57) {
      digits += text[at]
      if (decimalPlaces >= 0) decimalPlaces += 1
    } else return null
  }
  return digits === '' ? null : { digits: BigInt(digits), decimals: Math.max(decimalPlaces, 0) }
}

function decimals(places: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(' ').map((currency) => [currency, places]))
}

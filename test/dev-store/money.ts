/**
 * Money as the dev store counts it: whole minor units of a currency, written out the two ways Shopify writes it.
 * The stand-in has its own arithmetic on purpose: an app judged against its own money code could share its mistakes.
 */

const exponents = new Map<string, number>()

/** How many decimals a currency has (ISO 4217 as the platform's Intl knows it): USD 2, JPY 0, KWD 3. */
export function exponentOf(currency: string): number {
  let exponent = exponents.get(currency)
  if (exponent === undefined) {
    exponent = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
    exponents.set(currency, exponent)
  }
  return exponent
}

/** `1230` USD → `"12.30"`, as in webhook payloads. Negative amounts keep their sign. */
export function decimalText(minor: number, currency: string): string {
  const exponent = exponentOf(currency)
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0')
  const sign = minor < 0 ? '-' : ''
  return exponent === 0 ? sign + digits : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

/** `1230` USD → `"12.3"`, `500` → `"5.0"`: GraphQL answers drop trailing zeros but one (`test/fixtures/captures`). */
export function graphqlDecimal(minor: number, currency: string): string {
  const text = decimalText(minor, currency)
  if (!text.includes('.')) return `${text}.0`
  return text.replace(/0+$/, '').replace(/\.$/, '.0')
}

/**
 * Minor units of a decimal text such as `"12.30"` or `"12.3"`; null where it is no number or has more decimals than the
 * currency (trailing zeros aside).
 */
export function parseDecimal(text: string, currency: string): number | null {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text.trim())
  if (!match) return null
  const exponent = exponentOf(currency)
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > exponent) return null
  const minor = Number(match[2] + fraction.padEnd(exponent, '0'))
  return match[1] === '-' ? -minor : minor
}

/** `amount × numerator ÷ denominator`, halves away from zero, without floats. */
export function share(amountMinor: number, numerator: number, denominator: number): number {
  const product = BigInt(Math.abs(amountMinor)) * BigInt(numerator)
  const divisor = BigInt(denominator)
  const rounded = Number((product * 2n + divisor) / (divisor * 2n))
  return amountMinor < 0 ? -rounded : rounded
}

/** Converts shop money to what the shopper saw, at `rate` units of theirs for one of the shop's. */
export function toPresentment(minor: number, currency: string, presentment: string, rate: number): number {
  if (currency === presentment) return minor
  return Math.round(minor * rate * 10 ** (exponentOf(presentment) - exponentOf(currency)))
}

/**
 * Money is a whole number of minor units (cents, pence, fils) of one currency; the currency says how many decimals that is.
 * A *rational* is an exact fraction of whole numbers, for what lies between two minor units or two points until it is rounded once.
 * Nothing here is ever a float.
 */

/** How a fraction becomes a whole number. A tie goes up with `half-up`: 2.5 → 3, −2.5 → −2. */
export type Rounding = 'floor' | 'half-up' | 'ceil'

/** An exact fraction; the denominator is always above 0. Not necessarily reduced. */
export type Rational = { readonly numerator: bigint; readonly denominator: bigint }

/** Minor-unit decimals that differ from 2. Source: ISO 4217 list one (2026-01), column "Mnr unt". */
const OTHER_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...listCodes('BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF', 0),
  ...listCodes('BHD IQD JOD KWD LYD OMR TND', 3),
  ...listCodes('CLF UYW', 4),
])

/** Codes with two decimals: ISO 4217, and those that Shopify's `CurrencyCode` (Admin API 2026-10) adds. */
const TWO_DECIMALS = new Set(
  (
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW ' +
    'CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF ' +
    'IDR ILS INR IRR JEP JMD KES KGS KHR KID KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP MRU MUR ' +
    'MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP ' +
    'SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USDC USN UYU UZS VED VEF VES WST XCD ' +
    'XCG YER ZAR ZMW ZWG ZWL'
  ).split(' '),
)

/** The number of decimals of a currency, 0 to 4, or null for a code that is not in use. `findCurrencyExponent('JPY')` is 0. */
export function findCurrencyExponent(currency: string): number | null {
  return OTHER_EXPONENTS.get(currency) ?? (TWO_DECIMALS.has(currency) ? 2 : null)
}

/** Like {@link findCurrencyExponent}, for a currency that was checked before. Throws on an unknown code. */
export function currencyExponent(currency: string): number {
  const exponent = findCurrencyExponent(currency)
  if (exponent === null) throw new Error(`"${currency}" is not an ISO 4217 currency code`)
  return exponent
}

/**
 * Reads decimal text as a whole number of 10^-exponent, exactly. Returns null where the text is not a plain decimal, has decimals (other than
 * zeros) past the exponent, or does not fit a safe integer. `parseDecimal('5.25', 2)` is 525; `parseDecimal('500.0', 0)` is 500.
 */
export function parseDecimal(text: string, exponent: number): number | null {
  const length = text.length
  let index = 0
  const negative = text.charCodeAt(0) === 45
  if (negative) index = 1
  const firstDigit = index
  let value = 0
  let decimals = -1
  // One pass over the characters: this runs for every amount of every webhook.
  for (; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      if (decimals >= 0 || index === firstDigit) return null
      decimals = 0
      continue
    }
    if (code < 48 || code > 57) return null
    if (decimals >= 0) {
      if (decimals >= exponent) {
        if (code !== 48) return null
        decimals = Math.max(decimals, exponent)
        continue
      }
      decimals++
    }
    value = value * 10 + (code - 48)
    if (value > Number.MAX_SAFE_INTEGER) return null
  }
  if (length === firstDigit || text.charCodeAt(length - 1) === 46) return null
  for (let missing = Math.max(decimals, 0); missing < exponent; missing++) value *= 10
  if (value > Number.MAX_SAFE_INTEGER) return null
  return negative && value !== 0 ? -value : value
}

/** Writes minor units as decimal text with all the currency's decimals: `formatDecimal(-5, 2)` is "-0.05", `formatDecimal(500, 0)` "500". */
export function formatDecimal(amount: number, exponent: number): string {
  if (exponent === 0) return String(amount)
  const digits = String(Math.abs(amount)).padStart(exponent + 1, '0')
  return `${amount < 0 ? '-' : ''}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

/** {@link parseDecimal} with the currency's decimals: `parseMoney('5.25', 'USD')` is 525. Null where the text is no such amount. */
export function parseMoney(text: string, currency: string): number | null {
  return parseDecimal(text, currencyExponent(currency))
}

/** {@link formatDecimal} with the currency's decimals: `formatMoney(525, 'USD')` is "5.25". */
export function formatMoney(amountMinor: number, currency: string): string {
  return formatDecimal(amountMinor, currencyExponent(currency))
}

/** A fraction; the sign moves to the numerator. Throws on a denominator of 0. */
export function rational(numerator: bigint | number, denominator: bigint | number = 1n): Rational {
  const [top, bottom] = [BigInt(numerator), BigInt(denominator)]
  if (bottom === 0n) throw new Error('a fraction cannot have the denominator 0')
  return bottom < 0n ? { numerator: -top, denominator: -bottom } : { numerator: top, denominator: bottom }
}

/** a + b, exactly. */
export function addRational(a: Rational, b: Rational): Rational {
  if (a.denominator === b.denominator) return { numerator: a.numerator + b.numerator, denominator: a.denominator }
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  }
}

/** a × b, exactly. */
export function multiplyRational(a: Rational, b: Rational): Rational {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator }
}

/** Below 0, 0 or above 0 as a is less than, equal to or more than b. */
export function compareRational(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The same fraction in lowest terms. Long sums stay small with it. */
export function reduceRational(value: Rational): Rational {
  let [a, b] = [value.numerator < 0n ? -value.numerator : value.numerator, value.denominator]
  while (b !== 0n) [a, b] = [b, a % b]
  return a <= 1n ? value : { numerator: value.numerator / a, denominator: value.denominator / a }
}

/** The whole number that a fraction rounds to. `floor` and `ceil` go down and up the number line; `half-up` takes 2.5 to 3 and −2.5 to −2. */
export function roundRational(value: Rational, rounding: Rounding): bigint {
  const { numerator, denominator } = value
  if (rounding === 'floor') return floorDivide(numerator, denominator)
  if (rounding === 'ceil') return -floorDivide(-numerator, denominator)
  return floorDivide(2n * numerator + denominator, 2n * denominator)
}

/** Money or points past 2^53, where numbers would no longer be exact: nothing is counted with them. */
export class TooLargeToCount extends RangeError {
  constructor(value: bigint | number) {
    super(`${BigInt(value)} is too large to count exactly`)
  }
}

/** A bigint as a safe number. Throws {@link TooLargeToCount} where it is not one. */
export function toSafeNumber(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new TooLargeToCount(value)
  return number
}

/** The whole number itself. Throws {@link TooLargeToCount} where it is past what numbers hold exactly. */
export function requireSafe(number: number): number {
  if (!Number.isSafeInteger(number)) throw new TooLargeToCount(number)
  return number
}

/**
 * ⌊a × b ÷ c⌋ for whole numbers, exact even where a × b is no safe integer. c must be above 0.
 * `multiplyDivide(1154, 1, 2)` is 577.
 */
export function multiplyDivide(a: number, b: number, c: number): number {
  const product = a * b
  if (Number.isSafeInteger(product)) {
    const quotient = Math.floor(product / c)
    // A quotient of safe integers can be one off where the division rounded up to the next whole number.
    return quotient * c > product ? quotient - 1 : quotient
  }
  return toSafeNumber(floorDivide(BigInt(a) * BigInt(b), BigInt(c)))
}

/**
 * Splits a whole total in proportion to whole weights ≥ 0. The parts are whole, have the total's sign and add up to it; what rounding leaves goes to
 * the largest remainders, the first of equals. With all weights 0 the first part gets everything. `split(10, [1, 1, 1])` is [4, 3, 3].
 */
export function split(total: number, weights: readonly number[]): number[] {
  if (weights.length === 0) {
    if (total === 0) return []
    throw new Error(`nothing to split ${total} over`)
  }
  if (total < 0) return split(-total, weights).map((part) => (part === 0 ? 0 : -part))
  const sum = weights.reduce((all, weight) => all + BigInt(weight), 0n)
  if (sum === 0n) return weights.map((_, index) => (index === 0 ? total : 0))
  const shares = weights.map((weight, index) => {
    const product = BigInt(total) * BigInt(weight)
    return { index, part: Number(product / sum), remainder: product % sum }
  })
  let left = total - shares.reduce((all, share) => all + share.part, 0)
  const parts = shares.map((share) => share.part)
  shares.sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder < b.remainder ? 1 : -1))
  for (const share of shares) {
    if (left === 0) break
    parts[share.index] = share.part + 1
    left--
  }
  return parts
}

function listCodes(codes: string, exponent: number): [string, number][] {
  return codes.split(' ').map((code) => [code, exponent])
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

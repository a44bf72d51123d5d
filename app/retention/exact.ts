/** Fractions of whole numbers, rounded once and to even: what the measures print. */

/** The whole number nearest to numerator ÷ denominator, a tie to the even one: 2.5 → 2, 3.5 → 4, −2.5 → −2. Throws on ÷ 0. */
export function roundHalfEven(numerator: bigint, denominator: bigint): bigint {
  if (denominator < 0n) return roundHalfEven(-numerator, -denominator)
  const size = numerator < 0n ? -numerator : numerator
  const quotient = size / denominator
  const twice = (size % denominator) * 2n
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n)
  const rounded = up ? quotient + 1n : quotient
  return numerator < 0n ? -rounded : rounded
}

/** numerator ÷ denominator to 6 places, half to even; null where the denominator is 0. `toRate(2, 3)` is 0.666667. */
export function toRate(numerator: number | bigint, denominator: number | bigint): number | null {
  if (BigInt(denominator) === 0n) return null
  const millionths = roundHalfEven(BigInt(numerator) * 1_000_000n, BigInt(denominator))
  // Both are exact in a float for any rate that a shop can have; one correctly rounded division gives the nearest decimal.
  return Number(millionths) / 1_000_000
}

/** A mean of money in whole minor units, half to even; null where the count is 0. `meanMinor(7000, 3)` is 2333. */
export function meanMinor(totalMinor: number, count: number): number | null {
  return count === 0 ? null : Number(roundHalfEven(BigInt(totalMinor), BigInt(count)))
}

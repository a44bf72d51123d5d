/** Percentages and multipliers as whole numbers, so that no rule multiplies by a float. */
import { parseDecimal } from './money.ts'

/** Multipliers are counted in ten-thousandths: 1.25 is 12 500. */
export const MULTIPLIER_ONE = 10_000
/** Percentages are counted in basis points, hundredths of a percent: 12.25 % is 1 225. */
export const HUNDRED_PERCENT = 10_000

/**
 * Basis points of a percentage. A number's shortest decimal text is what the merchant wrote; reading that text is exact where arithmetic
 * on the float would not be.
 */
export function toBasisPoints(percent: number): number {
  return parseDecimal(String(percent), 2) ?? 0
}

/** Ten-thousandths of a factor of at most 4 decimals. */
export function toMultiplier(factor: number): number {
  return parseDecimal(String(factor), 4) ?? MULTIPLIER_ONE
}

/** A share between 0 and 1 as an exact fraction: 0.05 is 5 ÷ 100. */
export function toShare(share: number): { numerator: bigint; denominator: bigint } {
  const [digits = '0', exponent = '0'] = share.toString().split('e-')
  const decimals = (digits.split('.')[1]?.length ?? 0) + Number(exponent)
  return { numerator: BigInt(digits.replace('.', '')), denominator: 10n ** BigInt(decimals) }
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addRational,
  compareRational,
  currencyExponent,
  findCurrencyExponent,
  formatDecimal,
  formatMoney,
  multiplyDivide,
  multiplyRational,
  parseDecimal,
  parseMoney,
  rational,
  reduceRational,
  roundRational,
  split,
} from '#app/loyalty/money.ts'

const amount = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
const exponent = fc.integer({ min: 0, max: 4 })

test.each([
  ['JPY', 0],
  ['USD', 2],
  ['HUF', 2],
  ['KWD', 3],
  ['CLF', 4],
])('%s has %i decimals', (currency, decimals) => {
  expect(currencyExponent(currency)).toBe(decimals)
})

test('a code that is no currency has no decimals, also where an object has a member of that name', () => {
  for (const code of ['usd', 'ABC', '', 'constructor', 'toString']) expect(findCurrencyExponent(code)).toBeNull()
})

test.each([
  ['5.25', 'USD', 525],
  ['5', 'USD', 500],
  ['5.2', 'USD', 520],
  ['0.00', 'USD', 0],
  ['-0.00', 'USD', 0],
  ['-0.05', 'USD', -5],
  ['500', 'JPY', 500],
  ['500.0', 'JPY', 500],
  ['5.2500', 'USD', 525],
  ['1.234', 'KWD', 1234],
  ['0.0001', 'CLF', 1],
  ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
])('%s %s is %i minor units', (text, currency, minor) => {
  expect(parseMoney(text, currency)).toBe(minor)
})

test.each([
  '',
  '-',
  '.',
  '5.',
  '.5',
  '5,00',
  '1e2',
  '+5',
  ' 5',
  '5 ',
  '0x1',
  '5.001',
  '5.0.0',
  '--5',
  '90071992547409.92',
  'NaN',
])('"%s" is no amount of dollars', (text) => {
  expect(parseMoney(text, 'USD')).toBeNull()
})

test('what is written is read back, in every currency', () => {
  fc.assert(
    fc.property(amount, exponent, (minor, decimals) => {
      expect(parseDecimal(formatDecimal(minor, decimals), decimals)).toBe(minor)
    }),
    { numRuns: 2000 },
  )
})

test('0.07 and -0.07 keep their sign and zeros', () => {
  expect([formatMoney(7, 'USD'), formatMoney(-7, 'USD'), formatMoney(7, 'JPY'), formatMoney(7, 'CLF')]).toEqual([
    '0.07',
    '-0.07',
    '7',
    '0.0007',
  ])
})

test('a split keeps its sum and its sign, and no part is more than one unit from its exact share', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 1_000_000_000 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 }), weights, (total, shares) => {
      const parts = split(total, shares)
      expect(parts.reduce((all, part) => all + part, 0)).toBe(total)
      expect(parts.every((part) => part === 0 || part > 0 === total > 0)).toBe(true)
      const sum = shares.reduce((all, share) => all + share, 0)
      if (sum === 0) return
      parts.forEach((part, index) => {
        expect(Math.abs(part - (total * (shares[index] as number)) / sum)).toBeLessThan(1.01)
      })
    }),
    { numRuns: 2000 },
  )
})

test('ten cents over three lines are 4, 3 and 3: the first of equals gets the rest', () => {
  expect(split(10, [1, 1, 1])).toEqual([4, 3, 3])
  expect(split(-10, [1, 1, 1])).toEqual([-4, -3, -3])
  expect(split(0, [])).toEqual([])
  expect(() => split(1, [])).toThrow('nothing to split')
})

test.each([
  ['floor', 5, 2, 2],
  ['floor', -5, 2, -3],
  ['half-up', 5, 2, 3],
  ['half-up', -5, 2, -2],
  ['half-up', 49, 10, 5],
  ['half-up', 44, 10, 4],
  ['ceil', 5, 2, 3],
  ['ceil', -5, 2, -2],
  ['ceil', 4, 2, 2],
] as const)('%s of %i/%i is %i', (rounding, numerator, denominator, whole) => {
  expect(roundRational(rational(numerator, denominator), rounding)).toBe(BigInt(whole))
})

test('fractions add, multiply and compare exactly', () => {
  const third = rational(1, 3)
  expect(compareRational(addRational(addRational(third, third), third), rational(1))).toBe(0)
  expect(reduceRational(multiplyRational(rational(-6, -4), rational(2, 3)))).toEqual({ numerator: 1n, denominator: 1n })
  expect(() => rational(1, 0)).toThrow('denominator 0')
})

test('a × b ÷ c is exact where floats would not be', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.integer({ min: 0, max: 2 ** 20 }),
      fc.integer({ min: 2 ** 18, max: 2 ** 30 }),
      (a, b, c) => {
        expect(BigInt(multiplyDivide(a, b, c))).toBe((BigInt(a) * BigInt(b)) / BigInt(c))
      },
    ),
    { numRuns: 2000 },
  )
})

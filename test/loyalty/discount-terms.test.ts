import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixedValue, rewardLabel, termsOfReward } from '#app/loyalty/discount-terms.ts'
import { parseDecimal } from '#app/loyalty/money.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import type { Program } from '#app/loyalty/program.ts'

function makeProgram(rewards: unknown[], currency = 'USD'): Program {
  return requireProgram({
    version: 1,
    name: 'Bean Club',
    pointsName: { one: 'bean', other: 'beans' },
    currency,
    timezone: 'UTC',
    earning: [],
    rewards,
  })
}

/** The terms of the one reward of a program at its own value. */
function termsOf(reward: object, currency = 'USD', value?: string, dearest?: string) {
  const program = makeProgram([{ id: 'r', ...reward }], currency)
  const [only] = program.rewards
  return termsOfReward(program, only!, value ?? fixedValue(program, only!), dearest)
}

test.each([
  [{ type: 'amount', value: '5.00', cost: 500 }, 'USD', '$5.00 off', { kind: 'amount', amount: '5.00' }],
  [{ type: 'amount', value: '500', cost: 500 }, 'JPY', '¥500 off', { kind: 'amount', amount: '500' }],
  [{ type: 'amount', value: '1.250', cost: 500 }, 'KWD', 'KWD 1.250 off', { kind: 'amount', amount: '1.250' }],
  [{ type: 'percentage', value: 12.5, cost: 500 }, 'USD', '12.5% off', { kind: 'percentage', percent: '12.5' }],
  [{ type: 'percentage', value: 10, cost: 500 }, 'USD', '10% off', { kind: 'percentage', percent: '10' }],
  [{ type: 'shipping', cost: 300 }, 'USD', 'Free shipping', { kind: 'shipping' }],
])('%o in %s is “%s”', (reward, currency, label, gives) => {
  const terms = termsOf(reward, currency)
  expect(terms.title.replaceAll('\u00a0', ' ')).toBe(`Bean Club: ${label}`)
  expect(terms.gives).toEqual(gives)
})

test('a free product is worth what the dearest of them costs, and only it', () => {
  const products = ['gid://shopify/Product/2', 'gid://shopify/Product/1']
  const terms = termsOf({ type: 'product', products, cost: 900 }, 'USD', undefined, '12.00')
  expect(terms).toMatchObject({ gives: { kind: 'product', amount: '12.00' }, products: [...products].sort() })
})

test('store credit and gift cards are no discounts', () => {
  expect(() => termsOf({ type: 'store-credit', value: '5.00', cost: 500 })).toThrow(/no discount/)
  const program = makeProgram([{ id: 'r', type: 'gift-card', value: '5.00', cost: 500 }])
  expect(rewardLabel(program, program.rewards[0]!, null)).toBe('$5.00 gift card')
})

test('the larger of minimum and share is the minimum: 5.00 at most 33.33 % needs 15.01', () => {
  expect(termsOf({ type: 'amount', value: '5.00', cost: 1, maximumShare: 33.33 }).minimumSubtotal).toBe('15.01')
  const both = { type: 'amount', value: '5.00', cost: 1, maximumShare: 50, minimumSubtotal: '20.00' }
  expect(termsOf(both).minimumSubtotal).toBe('20.00')
  expect(termsOf({ type: 'amount', value: '5.00', cost: 1 }).minimumSubtotal).toBeNull()
})

test('an order at its minimum is never paid beyond the share, and one minor unit less would be', () => {
  const share = fc.integer({ min: 1, max: 10_000 })
  const amount = fc.integer({ min: 1, max: 1_000_000 })
  fc.assert(
    fc.property(amount, share, fc.boolean(), (amountMinor, basisPoints, isProduct) => {
      const value = (amountMinor / 100).toFixed(2)
      const limit = { cost: 1, maximumShare: basisPoints / 100 }
      const terms = isProduct
        ? termsOf({ type: 'product', products: ['gid://shopify/Product/1'], ...limit }, 'USD', undefined, value)
        : termsOf({ type: 'amount', value, ...limit })
      const minimum = BigInt(parseDecimal(terms.minimumSubtotal ?? '0', 2)!)
      const [paid, allowed] = [BigInt(amountMinor) * 10_000n, (goods: bigint) => goods * BigInt(basisPoints)]
      expect(paid <= allowed(minimum)).toBe(true)
      expect(paid > allowed(minimum - 1n)).toBe(true)
    }),
  )
})

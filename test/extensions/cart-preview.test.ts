/** One truth: what a merchant is told a cart would pay is what the Function and the dev store's checkout make of it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { documentsForCampaign, type DiscountDocuments } from '#app/loyalty/discount-configuration.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { discountOf } from '#app/ui/campaign-words.ts'
import { cartLinesDiscountsGenerateRun } from '#extensions/loyalty-discount/src/cart-lines.ts'
import type { CartLinesInput } from '#extensions/loyalty-discount/src/input.ts'
import { takeOff } from '#test/dev-store/storefront/discounts.ts'

const percentage = fc.integer({ min: 1, max: 10_000 }).map((basisPoints) => basisPoints / 100)
const cents = fc.oneof(fc.nat(20_000), fc.constantFrom(4_999, 5_000, 9_998, 10_000), fc.nat(100_000_000))
const offers = fc.oneof(
  percentage.map((each) => ({ percentage: each })),
  cents.filter((amount) => amount > 0).map((amount) => ({ amount: formatMoney(amount, 'GBP') })),
  fc
    .tuple(fc.uniqueArray(cents, { minLength: 1, maxLength: 4 }), fc.array(percentage, { minLength: 4, maxLength: 4 }))
    .map(([starts, percentages]) => {
      const [from, shares] = [starts, percentages].map((list) => list.sort((a, b) => a - b))
      return { bands: from!.map((start, at) => ({ from: formatMoney(start, 'GBP'), percentage: shares![at]! })) }
    }),
)

/** What checkout takes off a cart of one line, in pence. */
function takenAtCheckout(document: Parameters<typeof documentsForCampaign>[0], subtotal: number): number {
  const documents = documentsForCampaign(document) as DiscountDocuments
  const amount = { amount: formatMoney(subtotal, 'GBP') }
  const input: CartLinesInput = {
    presentmentCurrencyRate: '1.0',
    discount: {
      discountClasses: documents.discountClasses,
      metafield: { jsonValue: JSON.parse(documents.configuration) },
    },
    cart: {
      buyerIdentity: null,
      cost: { subtotalAmount: { currencyCode: 'GBP' } },
      lines: [
        {
          id: 'gid://shopify/CartLine/1',
          cost: { subtotalAmount: amount, amountPerQuantity: amount, compareAtAmountPerQuantity: null },
          merchandise: { product: { id: 'gid://shopify/Product/1', isGiftCard: false, inAnyCollection: false } },
        },
      ],
    },
  }
  const [operation] = cartLinesDiscountsGenerateRun(input).operations
  if (!operation || !('orderDiscountsAdd' in operation)) return 0
  const { value } = operation.orderDiscountsAdd.candidates[0]!
  return takeOff(
    subtotal,
    'percentage' in value
      ? { basisPoints: Math.round(Number(value.percentage.value) * 100) }
      : { amountMinor: Math.round(Number(value.fixedAmount.amount) * 100) },
  )
}

test('the preview of a campaign says to the penny what checkout takes off, for any offer, cart and minimum', () => {
  fc.assert(
    fc.property(offers, cents, fc.option(cents), (offer, subtotal, minimum) => {
      const campaign = {
        id: 'c',
        name: 'Spring',
        from: '2026-06-01T00:00',
        until: '2026-06-09T00:00',
        offer,
        ...(minimum === null ? {} : { minimumSubtotal: formatMoney(minimum, 'GBP') }),
      }
      const program = requireProgram({
        version: 1,
        name: 'Club',
        pointsName: { one: 'point', other: 'points' },
        currency: 'GBP',
        timezone: 'Europe/London',
        earning: [],
        campaigns: [campaign],
      })
      expect(discountOf(program.campaigns[0]!, subtotal) ?? 0).toBe(takenAtCheckout(campaign, subtotal))
    }),
    { numRuns: 500 },
  )
})

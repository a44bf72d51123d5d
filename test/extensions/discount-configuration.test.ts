import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CONFIGURATION_BYTES_MAX,
  CONFIGURATION_KEY,
  DiscountConfigurationSchema,
  DISCOUNT_FUNCTION_HANDLE,
  documentsForCampaign,
  documentsForTiers,
  VARIABLES_KEY,
} from '#app/loyalty/discount-configuration.ts'
import type { DiscountConfiguration, DiscountDocuments } from '#app/loyalty/discount-configuration.ts'
import { MEMBER_CARD_KEY, MemberCardSchema } from '#app/loyalty/member-card.ts'
import type { MemberCard } from '#app/loyalty/member-card.ts'
import { currencyExponent } from '#app/loyalty/money.ts'
import { cartLinesDiscountsGenerateRun } from '#extensions/loyalty-discount/src/cart-lines.ts'
import { readOffers, readShopper } from '#extensions/loyalty-discount/src/configuration.ts'
import { convert, decimalsOf, formatAmount, parseAmount } from '#extensions/loyalty-discount/src/decimal.ts'
import { cartDeliveryOptionsDiscountsGenerateRun } from '#extensions/loyalty-discount/src/delivery-options.ts'
import type { CartLinesInput, DeliveryOptionsInput } from '#extensions/loyalty-discount/src/input.ts'

const money = fc
  .tuple(fc.nat(1_000_000), fc.nat(99))
  .map(([whole, cents]) => `${whole}.${String(cents).padStart(2, '0')}`)
const percentage = fc.integer({ min: 1, max: 10_000 }).map((basisPoints) => String(basisPoints / 100))
const ids = fc.uniqueArray(fc.integer({ min: 1, max: 10 ** 13 }).map(String), { minLength: 1, maxLength: 5 })
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 })

/** Configurations that the app may write. */
const configurations: fc.Arbitrary<DiscountConfiguration> = fc
  .array(
    fc.record(
      {
        message: fc.string({ minLength: 1, maxLength: 40 }),
        value: fc.oneof(
          percentage.map((each) => ({ percentage: each })),
          money.filter((each) => Number(each) > 0).map((amount) => ({ amount })),
          fc.constant({ shipping: true as const }),
          fc
            .uniqueArray(fc.nat(100_000), { minLength: 1, maxLength: 5 })
            .chain((starts) =>
              fc.tuple(...starts.sort((a, b) => a - b).map((from) => percentage.map((each) => ({ from, each })))),
            )
            .map((bands) => ({ bands: bands.map(({ from, each }) => ({ from: `${from}.00`, percentage: each })) })),
        ),
        collections: fc.boolean(),
        saleItems: fc.boolean(),
        campaign: fc.string(),
        tiers: names,
        segments: names,
        products: ids,
        minimumSubtotal: money,
      },
      { requiredKeys: ['message', 'value', 'collections', 'saleItems'] },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((offers) => ({ version: 1, key: 'tiers', offers }))

const lines = fc.array(
  fc.record({
    amount: money,
    before: fc.option(money),
    product: fc.integer({ min: 1, max: 20 }),
    gift: fc.boolean(),
    member: fc.boolean(),
  }),
  { maxLength: 12 },
)

/** Any cart against any configuration and any card. */
const inputs = fc
  .record({
    configuration: fc.oneof(
      configurations,
      fc.json().map((text) => JSON.parse(text) as unknown),
    ),
    card: fc.oneof(
      fc.json().map((text) => JSON.parse(text) as unknown),
      fc.constant(card({ tier: 'gold' })),
    ),
    signedIn: fc.boolean(),
    rate: fc.oneof(fc.constant('1.0'), money, fc.string()),
    currency: fc.constantFrom('USD', 'JPY', 'KWD', 'EUR'),
    classes: fc.subarray(['ORDER', 'PRODUCT', 'SHIPPING'] as const),
    lines,
  })
  .map((each): DeliveryOptionsInput => ({
    presentmentCurrencyRate: each.rate,
    discount: { discountClasses: each.classes, metafield: { jsonValue: each.configuration } },
    cart: {
      buyerIdentity: { isAuthenticated: each.signedIn, customer: { metafield: { jsonValue: each.card } } },
      cost: { subtotalAmount: { currencyCode: each.currency } },
      deliveryGroups: [{ id: 'gid://shopify/CartDeliveryGroup/1' }],
      lines: each.lines.map((line, at) => ({
        id: `gid://shopify/CartLine/${at}`,
        cost: {
          subtotalAmount: { amount: line.amount },
          amountPerQuantity: { amount: line.amount },
          compareAtAmountPerQuantity: line.before === null ? null : { amount: line.before },
        },
        merchandise: {
          product: { id: `gid://shopify/Product/${line.product}`, isGiftCard: line.gift, inAnyCollection: line.member },
        },
      })),
    },
  }))

describe('what the app writes and what the Function reads', () => {
  test('every configuration that the app’s schema accepts is read whole', () => {
    fc.assert(
      fc.property(configurations, (configuration) => {
        expect(DiscountConfigurationSchema.parse(configuration)).toEqual(configuration)
        const offers = readOffers(JSON.parse(JSON.stringify(configuration)))
        expect(offers.map((offer) => offer.message)).toEqual(configuration.offers.map((offer) => offer.message))
        expect(offers.map((offer) => offer.campaign)).toEqual(
          configuration.offers.map((offer) => offer.campaign ?? null),
        )
      }),
    )
  })

  test('every member card is read with its tier, segments and hold-outs', () => {
    const written = MemberCardSchema.parse(card({ tier: 'gold', segments: ['passive'], heldOut: ['spring'] }))
    expect(readShopper(true, JSON.parse(JSON.stringify(written)))).toEqual({
      signedIn: true,
      tier: 'gold',
      segments: ['passive'],
      heldOut: ['spring'],
    })
  })

  test('both sides use the same keys and the same handle', () => {
    const folder = new URL('../../extensions/loyalty-discount/', import.meta.url)
    const toml = readFileSync(new URL('shopify.extension.toml', folder), 'utf8')
    expect(toml).toContain(`handle = "${DISCOUNT_FUNCTION_HANDLE}"`)
    expect(toml).toContain(`key = "${VARIABLES_KEY}"`)
    for (const query of ['src/cart-lines.graphql', 'src/delivery-options.graphql']) {
      const text = readFileSync(new URL(query, folder), 'utf8')
      expect(text).toContain(`metafield(key: "${CONFIGURATION_KEY}")`)
      expect(text).toContain(`metafield(key: "${MEMBER_CARD_KEY}")`)
    }
  })
})

describe('documents for Shopify', () => {
  test('tiers give one offer for each perk, and none where no tier takes anything off', () => {
    const documents = documentsForTiers([
      { id: 'member', name: 'Member' },
      { id: 'gold', name: 'Gold', discountPercent: 10, freeShipping: true },
    ]) as DiscountDocuments
    expect(documents.discountClasses).toEqual(['ORDER', 'SHIPPING'])
    expect(readOffers(JSON.parse(documents.configuration)).map((offer) => offer.message)).toEqual([
      'Gold: 10% off',
      'Gold: free shipping',
    ])
    expect(documentsForTiers([{ id: 'member', name: 'Member' }])).toEqual({ ok: false, reason: 'nothing_to_give' })
  })

  test('a campaign limited to collections is a product discount whose collections are variables', () => {
    const documents = documentsForCampaign({
      id: 'spring',
      name: 'Spring days',
      offer: { percentage: 10 },
      collections: ['gid://shopify/Collection/7'],
    }) as DiscountDocuments
    expect(documents.discountClasses).toEqual(['PRODUCT'])
    expect(JSON.parse(documents.variables)).toEqual({ collections: ['gid://shopify/Collection/7'] })
  })

  test('the variables are written with an empty list where a campaign names no collections', () => {
    const documents = documentsForCampaign({ id: 'spring', name: 'Spring', offer: { shipping: true } })
    expect((documents as DiscountDocuments).variables).toBe('{"collections":[]}')
  })

  test('a points multiplier is no discount', () => {
    const documents = documentsForCampaign({ id: 'double', name: 'Double points', offer: { pointsMultiplier: 2 } })
    expect(documents).toEqual({ ok: false, reason: 'nothing_to_give' })
  })

  test('a configuration that Shopify would not hand to the Function is refused', () => {
    const products = Array.from({ length: 700 }, (_, at) => `gid://shopify/Product/${10 ** 12 + at}`)
    expect(documentsForCampaign({ id: 'spring', name: 'Spring', offer: { percentage: '5' }, products })).toMatchObject({
      ok: false,
      reason: 'too_large',
      bytesMax: CONFIGURATION_BYTES_MAX,
    })
    const collections = Array.from({ length: 101 }, (_, at) => `gid://shopify/Collection/${at}`)
    expect(
      documentsForCampaign({ id: 'spring', name: 'Spring', offer: { percentage: '5' }, collections }),
    ).toMatchObject({ ok: false, reason: 'too_many_collections', collections: 101 })
  })

  test('what the Function’s own limits do not let in is refused by name, campaigns and perks alike', () => {
    const bands = Array.from({ length: 51 }, (_, at) => ({ from: `${at + 1}`, percentage: 5 }))
    expect(documentsForCampaign({ id: 'spring', name: 'Spring', offer: { bands } })).toEqual({
      ok: false,
      reason: 'too_many_bands',
      bands: 51,
      bandsMax: 50,
    })
    const level = { id: 'gold', name: 'Gold', discountPercent: 10, freeShipping: true }
    expect(documentsForTiers(Array.from({ length: 26 }, () => level))).toMatchObject({
      reason: 'too_many_offers',
      offers: 52,
    })
    expect(documentsForTiers([{ ...level, name: 'G'.repeat(255) }])).toMatchObject({ reason: 'name_too_long' })
  })

  test('bands that do not ascend are refused where they are written', () => {
    const bands = [
      { from: '100.00', percentage: 10 },
      { from: '50', percentage: 5 },
    ]
    expect(documentsForCampaign({ id: 'spring', name: 'Spring', offer: { bands } })).toEqual({
      ok: false,
      reason: 'unreadable',
      detail: expect.stringContaining('ascend'),
    })
  })
})

describe('whatever the Function is given', () => {
  test('it never fails, and gives only classes that the discount has', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { operations } = cartLinesDiscountsGenerateRun(input)
        for (const operation of operations) {
          const discountClass = 'orderDiscountsAdd' in operation ? 'ORDER' : 'PRODUCT'
          expect(input.discount.discountClasses).toContain(discountClass)
        }
        if (cartDeliveryOptionsDiscountsGenerateRun(input).operations.length > 0) {
          expect(input.discount.discountClasses).toContain('SHIPPING')
        }
      }),
      { numRuns: 500 },
    )
  })

  test('it never discounts a gift card, and never a line twice in one candidate', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const gifts = input.cart.lines.filter((line) => line.merchandise.product!.isGiftCard).map((line) => line.id)
        for (const operation of cartLinesDiscountsGenerateRun(input).operations) {
          if ('orderDiscountsAdd' in operation) {
            for (const { targets } of operation.orderDiscountsAdd.candidates) {
              expect(targets[0].orderSubtotal.excludedCartLineIds).toEqual(expect.arrayContaining(gifts))
            }
          } else {
            for (const { targets } of operation.productDiscountsAdd.candidates) {
              const lineIds = targets.map(({ cartLine }) => cartLine.id)
              expect(new Set(lineIds).size).toBe(lineIds.length)
              for (const gift of gifts) expect(lineIds).not.toContain(gift)
            }
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('splitting a line in two changes no band', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), (first, second) => {
        const text = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
        const [whole, split] = [[first + second], [first, second]].map((amounts) =>
          cartLinesDiscountsGenerateRun(bandsCart(amounts.map(text))),
        )
        expect(percentOf(split!)).toBe(percentOf(whole!))
      }),
    )
  })

  test('more in the cart never means a smaller band', () => {
    fc.assert(
      fc.property(money, money, (first, second) => {
        const small = Number(percentOf(cartLinesDiscountsGenerateRun(bandsCart([first]))) ?? 0)
        const large = Number(percentOf(cartLinesDiscountsGenerateRun(bandsCart([first, second]))) ?? 0)
        expect(large).toBeGreaterThanOrEqual(small)
      }),
    )
  })
})

describe('decimals in the Function', () => {
  test('a text goes to ten-thousandths and back unchanged', () => {
    fc.assert(
      fc.property(money, (text) => {
        expect(formatAmount(parseAmount(text)!, 'USD')).toBe(text)
      }),
    )
  })

  test.each(['', '.', '-1', '1e5', '1,00', 'abc', '1.2.3', ' 1', null, undefined, 1.5, {}, '9'.repeat(31)])(
    'no amount is read from %j',
    (text) => {
      expect(parseAmount(text)).toBeNull()
    },
  )

  test('a minimum is converted down and money off half up, to the cart’s smallest unit', () => {
    expect(convert(parseAmount('10.00')!, '1.23456', 'EUR', 'down')).toBe(parseAmount('12.34'))
    expect(convert(parseAmount('10.00')!, '1.23456', 'EUR', 'half-up')).toBe(parseAmount('12.35'))
    expect(convert(parseAmount('0.10')!, '0.05', 'EUR', 'half-up')).toBe(parseAmount('0.01'))
    expect(convert(parseAmount('10.00')!, 'one', 'EUR', 'down')).toBeNull()
  })

  test('currencies have as many decimals here as in the ledger', () => {
    for (const currency of ['USD', 'EUR', 'GBP', 'JPY', 'KRW', 'VND', 'KWD', 'BHD', 'TND', 'CLP', 'ISK']) {
      expect([currency, decimalsOf(currency)]).toEqual([currency, currencyExponent(currency)])
    }
  })
})

function card(given: { tier?: string; segments?: string[]; heldOut?: string[] }): MemberCard {
  return {
    version: 1,
    balance: 0,
    pending: 0,
    tier: given.tier === undefined ? null : { id: given.tier, name: given.tier },
    progress: null,
    nextExpiry: null,
    codes: [],
    heldOut: given.heldOut ?? [],
    segments: given.segments ?? [],
  }
}

function bandsCart(amounts: string[]): CartLinesInput {
  const documents = documentsForCampaign({
    id: 'spring',
    name: 'Spring days',
    offer: {
      bands: [
        { from: '50.00', percentage: 5 },
        { from: '100.00', percentage: 10 },
      ],
    },
  }) as DiscountDocuments
  return {
    presentmentCurrencyRate: '1.0',
    discount: { discountClasses: ['ORDER'], metafield: { jsonValue: JSON.parse(documents.configuration) } },
    cart: {
      buyerIdentity: null,
      cost: { subtotalAmount: { currencyCode: 'USD' } },
      lines: amounts.map((amount, at) => ({
        id: `gid://shopify/CartLine/${at}`,
        cost: { subtotalAmount: { amount }, amountPerQuantity: { amount }, compareAtAmountPerQuantity: null },
        merchandise: { product: { id: 'gid://shopify/Product/1', isGiftCard: false, inAnyCollection: false } },
      })),
    },
  }
}

function percentOf({ operations }: ReturnType<typeof cartLinesDiscountsGenerateRun>): string | undefined {
  const operation = operations[0]
  if (operation === undefined || !('orderDiscountsAdd' in operation)) return undefined
  const value = operation.orderDiscountsAdd.candidates[0]!.value
  return 'percentage' in value ? value.percentage.value : undefined
}

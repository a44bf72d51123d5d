/** Any valid program document, for properties. */
import fc from 'fast-check'
import { currencyExponent, formatDecimal } from '#app/loyalty/money.ts'

const CURRENCIES = ['USD', 'EUR', 'JPY', 'KWD', 'CLF']
const ZONES = ['America/New_York', 'Asia/Kolkata', 'Pacific/Auckland', 'Pacific/Apia', 'America/Sao_Paulo', 'UTC']

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const money = (exponent: number, minimum = 0) =>
  fc.integer({ min: minimum, max: 1_000_000 }).map((minor) => formatDecimal(minor, exponent))
const decimal = (decimals: number, minimum: number, maximum: number) =>
  fc
    .integer({ min: minimum * 10 ** decimals, max: maximum * 10 ** decimals })
    .map((scaled) => Number(formatDecimal(scaled, decimals)))
const percentage = decimal(2, 0, 100).map((percent) => percent || 0.01)
const gids = (type: string) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 })
    .map((ids) => ids.map((id) => `gid://shopify/${type}/${id}`))
const words = (...choices: string[]) => fc.uniqueArray(fc.constantFrom(...choices), { minLength: 1, maxLength: 3 })
const window = fc
  .tuple(fc.integer({ min: 1, max: 28 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 30 }))
  .map(([day, month, days]) => {
    const text = (date: Date) => date.toISOString().slice(0, 16)
    const from = new Date(Date.UTC(2026, month - 1, day))
    return { from: text(from), until: text(new Date(from.getTime() + days * 86_400_000)) }
  })
const combinesWith = fc.record(
  { order: fc.boolean(), product: fc.boolean(), shipping: fc.boolean() },
  { requiredKeys: [] },
)
const tags = words('tea', 'mugs', 'sale')
const channels = words('web', 'pos', 'b2b', 'subscription', 'shopify_draft_order')

function earning(exponent: number, levels: string[]) {
  const tiers = levels.length > 0 ? optional(words(...levels)) : fc.constant(undefined)
  const weekdays = optional(fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 }))
  const limit = optional(
    fc.record({ times: fc.integer({ min: 1, max: 9 }), every: fc.constantFrom('ever', 'day', 'year', 'order') }),
  )
  const when = optional(
    fc.record({
      products: optional(gids('Product')),
      collections: optional(gids('Collection')),
      tags: optional(tags),
      channels: optional(channels),
      tiers,
      minimumSubtotal: optional(money(exponent)),
      weekdays,
    }),
  )
  const per = fc.oneof(fc.constantFrom('order', 'item'), money(exponent, 1))
  const points = fc.integer({ min: 0, max: 1000 })
  const dates = fc.oneof(window, fc.constant({}))
  const rate = fc.record({ on: fc.constant('order'), points, per, when, limit })
  const multiplier = fc.record({ on: fc.constant('order'), multiplier: decimal(4, 0, 9), when, limit })
  const on = fc.constantFrom('signup', 'birthday', 'review', 'profile', 'referral', 'custom:survey', 'custom:two words')
  const event = fc.record({ on, points, limit, when: optional(fc.record({ tiers, weekdays })) })
  return fc.tuple(fc.oneof(rate, multiplier, event), dates).map(([rule, when]) => ({ ...rule, ...when }))
}

function rewards(exponent: number, levels: string[]) {
  const conditions = fc.record({
    minimumSubtotal: optional(money(exponent)),
    collections: optional(gids('Collection')),
    tiers: levels.length > 0 ? optional(words(...levels)) : fc.constant(undefined),
    limitPerMember: optional(fc.integer({ min: 1, max: 9 })),
    validDays: optional(fc.integer({ min: 1, max: 400 })),
    combinesWith: optional(combinesWith),
  })
  const cost = fc.integer({ min: 1, max: 5000 })
  const moneyType = fc.constantFrom('amount', 'store-credit', 'gift-card')
  const value = money(exponent, 1)
  const shape = fc.oneof(
    fc.record({ type: moneyType, cost, value }),
    fc.record({ type: fc.constant('amount'), cost, value, maximumShare: optional(percentage) }),
    fc.record({
      type: moneyType,
      value,
      perPoints: cost,
      step: optional(fc.integer({ min: 1, max: 500 })),
      minimumPoints: optional(fc.integer({ min: 0, max: 500 })),
    }),
    fc.record({ type: fc.constant('percentage'), cost, value: percentage }),
    fc.record({ type: fc.constant('shipping'), cost }),
    fc.record({ type: fc.constant('product'), cost, products: gids('Product'), maximumShare: optional(percentage) }),
  )
  return fc.tuple(shape, conditions).map(([one, other]) => ({ ...other, ...one }))
}

function tiers(exponent: number, levels: string[]) {
  const metric = fc.constantFrom('points', 'spend', 'orders')
  const steps = fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: levels.length, maxLength: levels.length })
  const extras = fc.array(
    fc.record({
      multiplier: optional(decimal(4, 0, 5)),
      entryReward: optional(fc.integer({ min: 0, max: 500 })),
      discountPercent: optional(decimal(2, 0, 100)),
      freeShipping: optional(fc.boolean()),
      perks: optional(fc.array(fc.constantFrom('early access', 'a card'), { maxLength: 2 })),
    }),
    { minLength: levels.length, maxLength: levels.length },
  )
  const windows = fc.oneof(
    fc.constantFrom('lifetime', 'calendar-year'),
    fc.integer({ min: 1, max: 800 }).map((rollingDays) => ({ rollingDays })),
  )
  return fc
    .record({
      metric,
      window: windows,
      graceDays: fc.integer({ min: 0, max: 60 }),
      entryRewards: fc.constantFrom('highest', 'all'),
      steps,
      extras,
    })
    .map(({ steps, extras, ...rest }) => {
      let threshold = 0
      const built = levels.map((id, index) => {
        if (index > 0) threshold += steps[index] as number
        const shown = rest.metric === 'spend' ? formatDecimal(threshold, exponent) : threshold
        return { id, name: `Level ${id}`, threshold: shown, ...extras[index] }
      })
      return { ...rest, levels: built }
    })
}

function campaigns(exponent: number, levels: string[]) {
  const bands = fc
    .uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 })
    .map((values) => values.sort((a, b) => a - b))
    .map((values) => ({
      bands: values.map((value) => ({ from: formatDecimal(value * 1000, exponent), percentage: value })),
    }))
  const offer = fc.oneof(
    percentage.map((percent) => ({ percentage: percent })),
    money(exponent, 1).map((amount) => ({ amount })),
    fc.constant({ shipping: true }),
    bands,
    decimal(4, 1, 5).map((pointsMultiplier) => ({ pointsMultiplier })),
  )
  const extras = fc.record({
    name: fc.constantFrom('Spring days', 'Autumn'),
    offer,
    audience: optional(
      fc.record({
        tiers: levels.length > 0 ? optional(words(...levels)) : fc.constant(undefined),
        segments: optional(words('CHAMPIONS', 'AT_RISK')),
      }),
    ),
    products: optional(gids('Product')),
    collections: optional(gids('Collection')),
    minimumSubtotal: optional(money(exponent)),
    saleItems: optional(fc.boolean()),
    budget: optional(money(exponent, 1)),
    holdOut: optional(fc.constantFrom(0, 0.1, 0.25, 0.333, 0.5, 1e-7)),
    combinesWith: optional(combinesWith),
  })
  return fc.tuple(window, extras).map(([dates, rest]) => ({ ...dates, ...rest }))
}

const numbered = <T>(prefix: string, entries: T[]) =>
  entries.map((entry, index) => ({ id: `${prefix}-${index}`, ...entry }))

/** Every field of the document in every shape, as JSON would carry it: fields that are not set are not there. */
export const anyProgram = fc
  .tuple(fc.constantFrom(...CURRENCIES), fc.constantFrom<string[]>([], ['base'], ['base', 'silver', 'gold']))
  .chain(([currency, levels]) => {
    const exponent = currencyExponent(currency)
    const parts = {
      earning: fc.array(earning(exponent, levels), { maxLength: 4 }).map((list) => numbered('rule', list)),
      rewards: fc.array(rewards(exponent, levels), { maxLength: 4 }).map((list) => numbered('reward', list)),
      campaigns: fc.array(campaigns(exponent, levels), { maxLength: 2 }).map((list) => numbered('campaign', list)),
      tiers: levels.length > 0 ? tiers(exponent, levels) : fc.constant(undefined),
      enrolment: optional(fc.constantFrom('everyone', 'accounts', 'opt-in')),
      rounding: optional(fc.constantFrom('floor', 'half-up', 'ceil')),
      negativeBalance: optional(fc.constantFrom('allow', 'clamp')),
      stacking: optional(fc.constantFrom('multiply', 'highest')),
      hold: optional(fc.record({ days: fc.integer({ min: 0, max: 28 }) })),
      expiry: optional(
        fc.oneof(
          fc.record({ model: fc.constantFrom('lot', 'inactivity'), months: fc.integer({ min: 1, max: 36 }) }),
          fc.constant({ model: 'none' }),
        ),
      ),
      basis: optional(
        fc.record({
          tax: optional(fc.boolean()),
          shipping: optional(fc.boolean()),
          saleItems: optional(fc.boolean()),
          exclude: optional(
            fc.record({
              products: optional(gids('Product')),
              collections: optional(gids('Collection')),
              tags: optional(tags),
              channels: optional(channels),
            }),
          ),
        }),
      ),
      timezone: fc.constantFrom(...ZONES),
      name: fc.constantFrom('Bean Club', 'Tea Club'),
      pointsName: fc.constantFrom({ one: 'bean', other: 'beans' }, { one: 'leaf', other: 'leaves' }),
    }
    return fc
      .record(parts)
      .map((document) => JSON.parse(JSON.stringify({ version: 1, currency, ...document })) as Record<string, unknown>)
  })

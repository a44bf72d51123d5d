/**
 * The program's document: the one schema by which everything a merchant decides is written, stored and shared. What one field demands of
 * another is checked when the document is read (parse-program.ts).
 */
import { z } from 'zod'
import { isGid } from './ids.ts'
import { findCurrencyExponent, parseDecimal } from './money.ts'
import { isTimeZone, parseLocalDateTime } from './time.ts'

/** What a rule for orders is `on`. */
export const ORDER = 'order'
const EVENTS = ['signup', 'birthday', 'review', 'profile', 'referral'] as const
const CUSTOM_EVENT = /^custom:\S(.*\S)?$/

const text = z.string().trim().min(1)
const wholeNumber = (minimum: number, maximum = 1_000_000_000_000) => z.int().min(minimum).max(maximum)
const exactNumber = (decimals: number, minimum: number, maximum: number) =>
  z
    .number()
    .min(minimum)
    .max(maximum)
    .refine((value) => parseDecimal(String(value), decimals) !== null, `must have at most ${decimals} decimals`)
const percentage = exactNumber(2, 0, 100)
const positivePercentage = percentage.refine((value) => value > 0, 'must be above 0')
const multiplier = exactNumber(4, 0, 1_000_000)
const localDateTime = z
  .string()
  .refine(
    (value) => parseLocalDateTime(value) !== null,
    'must be a local date and time without an offset, like "2026-05-02T00:00"',
  )
const money = z.string()
const gid = (type: string) =>
  z.string().refine((value) => isGid(value, type), `must be an id like "gid://shopify/${type}/1"`)
const gidList = (type: string) => z.array(gid(type)).min(1)
const textList = z.array(text).min(1)

const basisSchema = z.strictObject({
  tax: z.boolean().default(false),
  shipping: z.boolean().default(false),
  saleItems: z.boolean().default(true),
  exclude: z
    .strictObject({
      products: z.array(gid('Product')).default([]),
      collections: z.array(gid('Collection')).default([]),
      tags: z.array(text).default([]),
      channels: z.array(text).default([]),
    })
    .prefault({}),
})

const expirySchema = z
  .strictObject({ model: z.enum(['lot', 'inactivity', 'none']), months: wholeNumber(1, 1200).optional() })
  .transform((expiry) => (expiry.model === 'lot' && expiry.months === undefined ? { ...expiry, months: 12 } : expiry))

const whenSchema = z.strictObject({
  products: gidList('Product').optional(),
  collections: gidList('Collection').optional(),
  tags: textList.optional(),
  channels: textList.optional(),
  tiers: textList.optional(),
  minimumSubtotal: money.optional(),
  weekdays: z.array(wholeNumber(1, 7)).min(1).optional(),
})

const earningSchema = z.strictObject({
  id: text,
  on: z
    .string()
    .refine(
      (value) => value === ORDER || (EVENTS as readonly string[]).includes(value) || CUSTOM_EVENT.test(value),
      `must be "order", ${EVENTS.map((event) => `"${event}"`).join(', ')} or "custom:" and a name`,
    ),
  points: wholeNumber(0).optional(),
  per: z.string().optional(),
  multiplier: multiplier.optional(),
  when: whenSchema.optional(),
  from: localDateTime.optional(),
  until: localDateTime.optional(),
  limit: z.strictObject({ times: wholeNumber(1), every: z.enum(['ever', 'day', 'year', 'order']) }).optional(),
})

const levelSchema = z.strictObject({
  id: text,
  name: text,
  threshold: z.union([z.string(), z.number()]),
  multiplier: multiplier.optional(),
  entryReward: wholeNumber(0).optional(),
  discountPercent: percentage.optional(),
  freeShipping: z.boolean().optional(),
  perks: z.array(text).optional(),
})

const tiersSchema = z.strictObject({
  metric: z.enum(['points', 'spend', 'orders']),
  window: z
    .union([
      z.literal('lifetime'),
      z.literal('calendar-year'),
      z.strictObject({ rollingDays: wholeNumber(1, 36_500).default(365) }),
    ])
    .default({ rollingDays: 365 }),
  graceDays: wholeNumber(0, 36_500).default(0),
  entryRewards: z.enum(['highest', 'all']).default('highest'),
  levels: z.array(levelSchema).min(1),
})

const combinesWithSchema = z.strictObject({
  order: z.boolean().default(false),
  product: z.boolean().default(false),
  shipping: z.boolean().default(false),
})

/** Where a reward or campaign does not say what it combines with. */
export const COMBINES_WITH_NOTHING = { order: false, product: false, shipping: false }

const REWARD_TYPES = ['amount', 'percentage', 'shipping', 'product', 'store-credit', 'gift-card'] as const

const rewardSchema = z.strictObject({
  id: text,
  type: z.enum(REWARD_TYPES),
  cost: wholeNumber(1).optional(),
  value: z.union([z.string(), z.number()]).optional(),
  perPoints: wholeNumber(1).optional(),
  step: wholeNumber(1).optional(),
  minimumPoints: wholeNumber(0).optional(),
  maximumShare: positivePercentage.optional(),
  minimumSubtotal: money.optional(),
  products: gidList('Product').optional(),
  collections: gidList('Collection').optional(),
  tiers: textList.optional(),
  limitPerMember: wholeNumber(1).optional(),
  validDays: wholeNumber(1, 36_500).optional(),
  combinesWith: combinesWithSchema.optional(),
})

const offerSchema = z.strictObject({
  percentage: positivePercentage.optional(),
  amount: money.optional(),
  shipping: z.literal(true).optional(),
  bands: z
    .array(z.strictObject({ from: money, percentage: positivePercentage }))
    .min(1)
    .optional(),
  pointsMultiplier: multiplier.optional(),
})

const campaignSchema = z.strictObject({
  id: text,
  name: text,
  from: localDateTime,
  until: localDateTime,
  offer: offerSchema,
  audience: z.strictObject({ tiers: textList.optional(), segments: textList.optional() }).optional(),
  products: gidList('Product').optional(),
  collections: gidList('Collection').optional(),
  minimumSubtotal: money.optional(),
  saleItems: z.boolean().optional(),
  budget: money.optional(),
  holdOut: z.number().min(0).max(0.5).optional(),
  combinesWith: combinesWithSchema.optional(),
})

/** The shape of the document, with its defaults. */
export const programSchema = z.strictObject({
  version: z.literal(1),
  name: text,
  pointsName: z.strictObject({ one: text, other: text }),
  currency: z
    .string()
    .refine((code) => findCurrencyExponent(code) !== null, 'must be an ISO 4217 currency code like "USD"'),
  timezone: z.string().refine(isTimeZone, 'must be an IANA time zone like "America/New_York"'),
  enrolment: z.enum(['everyone', 'accounts', 'opt-in']).default('everyone'),
  basis: basisSchema.prefault({}),
  rounding: z.enum(['floor', 'half-up', 'ceil']).default('floor'),
  hold: z.strictObject({ days: wholeNumber(0, 90).default(14) }).prefault({}),
  expiry: expirySchema.prefault({ model: 'lot', months: 12 }),
  negativeBalance: z.enum(['allow', 'clamp']).default('allow'),
  stacking: z.enum(['multiply', 'highest']).default('multiply'),
  earning: z.array(earningSchema),
  tiers: tiersSchema.optional(),
  rewards: z.array(rewardSchema).default([]),
  campaigns: z.array(campaignSchema).default([]),
})

/** The document with its defaults filled in. It is plain JSON, and reads back as itself. */
export type ProgramDocument = z.output<typeof programSchema>
/** One entry of `earning` as JSON. */
export type EarningDocument = ProgramDocument['earning'][number]
/** One entry of `rewards` as JSON. */
export type RewardDocument = ProgramDocument['rewards'][number]
/** One entry of `campaigns` as JSON. */
export type CampaignDocument = ProgramDocument['campaigns'][number]
/** The `tiers` as JSON. */
export type TiersDocument = NonNullable<ProgramDocument['tiers']>

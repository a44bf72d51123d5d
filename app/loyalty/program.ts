/**
 * A *program* is everything a shop promises its members, as one JSON document: what counts, how points are earned, how long they wait and live, tiers,
 * rewards and limited-time campaigns. A *rule* is one entry of `earning`. A *level* is one step of the tiers. A *reward* is what points buy. A
 * *campaign* is an offer with a beginning and an end. The document (`ProgramDocument`) is what is stored, edited and shared; a `Program` is the same
 * thing read: money in minor units, instants in milliseconds, decimals as whole numbers, lists as sets. The engine only ever sees a `Program`.
 */
import { z } from 'zod'
import { findBeyondLimits, type BeyondLimit } from './discount-limits.ts'
import { isGid } from './ids.ts'
import { findCurrencyExponent, formatDecimal, parseDecimal, type Rounding } from './money.ts'
import { isTimeZone, parseLocalDateTime, toInstant } from './time.ts'

/** What is wrong with a document, and where: `field` is the path as people write it, "earning[0].per" ("" is the document itself). */
export type Problem = { readonly path: readonly (string | number)[]; readonly field: string; readonly message: string }

/** What {@link parseProgram} answers: the document with its defaults and the program read from it, or everything that is wrong. */
export type ParsedProgram =
  | {
      readonly ok: true
      readonly document: ProgramDocument
      readonly program: Program
      /** What was accepted before and would be refused as new: it stays as it is until somebody changes it. */
      readonly standing: readonly Problem[]
    }
  | { readonly ok: false; readonly reason: 'invalid_program'; readonly problems: readonly Problem[] }

/** Multipliers are counted in ten-thousandths: 1.25 is 12 500. */
export const MULTIPLIER_ONE = 10_000
/** Percentages are counted in basis points, hundredths of a percent: 12.25 % is 1 225. */
export const HUNDRED_PERCENT = 10_000

const ORDER = 'order'
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

/** The shape of the document. What one field demands of another is checked by {@link parseProgram}. */
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

/** Who is a member: every customer, those with an account, or those who asked. */
export type Enrolment = ProgramDocument['enrolment']
/** What a reward gives. */
export type RewardType = (typeof REWARD_TYPES)[number]
/** Kinds of other discounts that a code or campaign may stand beside in one order. */
export type CombinesWith = { readonly order: boolean; readonly product: boolean; readonly shipping: boolean }

/** Lists mean "any of"; null means that the condition was not set. Weekdays are 1 (Monday) to 7. */
export type Conditions = {
  readonly products: ReadonlySet<string> | null
  readonly collections: ReadonlySet<string> | null
  readonly tags: ReadonlySet<string> | null
  readonly channels: ReadonlySet<string> | null
  readonly tiers: ReadonlySet<string> | null
  readonly weekdays: ReadonlySet<number> | null
  /** Minor units; null: none. */
  readonly minimumSubtotal: number | null
}

/** How often a rule gives points to one member; the place stays taken after a refund. */
export type Limit = { readonly times: number; readonly every: 'ever' | 'day' | 'year' | 'order' }

/**
 * One entry of `earning`. For orders either `points` with `per` (`perAmount` minor units where that is money) or a multiplier alone; for other events
 * `points`. The window is [fromAt, untilAt), open ends are ∓Infinity.
 */
export type EarningRule = {
  readonly id: string
  /** `order`, `signup`, `birthday`, `review`, `profile`, `referral`, or `custom:<name>`. */
  readonly on: string
  readonly points: number
  readonly per: 'money' | 'order' | 'item' | null
  /** Minor units that earn `points`; 0 unless `per` is money. */
  readonly perAmount: number
  /** Ten-thousandths; null where the rule gives points. */
  readonly multiplier: number | null
  readonly when: Conditions
  readonly fromAt: number
  readonly untilAt: number
  readonly limit: Limit | null
}

/** One step of the tiers, and what it gives. */
export type Level = {
  readonly id: string
  readonly name: string
  /** Points, minor units or orders, by the metric. */
  readonly threshold: number
  /** Ten-thousandths; {@link MULTIPLIER_ONE} where none is set. */
  readonly multiplier: number
  /** Whole points; 0: none. */
  readonly entryReward: number
  readonly discountBasisPoints: number
  readonly freeShipping: boolean
  readonly perks: readonly string[]
}

/** Which activity counts for tiers: all, that of the last days of 24 hours, or of this calendar year and the last. */
export type TierWindow =
  | { readonly kind: 'lifetime' }
  | { readonly kind: 'calendar-year' }
  | { readonly kind: 'rolling'; readonly days: number }

/** `levels` ascend by threshold; the first has 0. */
export type Tiers = {
  readonly metric: 'points' | 'spend' | 'orders'
  readonly window: TierWindow
  readonly graceDays: number
  readonly entryRewards: 'highest' | 'all'
  readonly levels: readonly Level[]
}

/** A fixed reward has a `cost`; a variable one takes any number of whole `step`s, of which `perPoints` points are worth `valueMinor`. */
export type Reward = {
  readonly id: string
  readonly type: RewardType
  /** Points of a fixed reward; null: it is variable. */
  readonly cost: number | null
  /** Only of a variable reward. `minimumPoints` is at least one step. */
  readonly variable: { readonly perPoints: number; readonly step: number; readonly minimumPoints: number } | null
  /** Minor units: what a fixed reward is worth, or `perPoints` points of a variable one. 0 for types without an amount. */
  readonly valueMinor: number
  /** Of a percentage reward, else 0. */
  readonly valueBasisPoints: number
  /** The most of an order's goods that may be paid with it; null: all. */
  readonly maximumShareBasisPoints: number | null
  readonly minimumSubtotal: number | null
  readonly products: ReadonlySet<string> | null
  readonly collections: ReadonlySet<string> | null
  readonly tiers: ReadonlySet<string> | null
  readonly limitPerMember: number | null
  /** Days of 24 hours that a code lives; null: no end. */
  readonly validDays: number | null
  readonly combinesWith: CombinesWith
}

/** What a campaign gives; amounts in minor units, `multiplier` in ten-thousandths. Bands ascend by `from`. */
export type Offer =
  | { readonly kind: 'percentage'; readonly basisPoints: number }
  | { readonly kind: 'amount'; readonly amountMinor: number }
  | { readonly kind: 'shipping' }
  | { readonly kind: 'bands'; readonly bands: readonly { readonly from: number; readonly basisPoints: number }[] }
  | { readonly kind: 'pointsMultiplier'; readonly multiplier: number }

/** A stretch of time, [fromAt, untilAt). */
export type Stretch = { readonly fromAt: number; readonly untilAt: number }

/** In force in [fromAt, untilAt), without its `stops`. `holdOut` is an exact share: `holdOut.numerator ÷ holdOut.denominator`. */
export type Campaign = {
  readonly id: string
  readonly name: string
  readonly fromAt: number
  readonly untilAt: number
  /** When it rested, and from when on it was ended: what a document does not say (campaigns.ts `withStops`). */
  readonly stops: readonly Stretch[]
  readonly offer: Offer
  readonly tiers: ReadonlySet<string> | null
  readonly segments: ReadonlySet<string> | null
  readonly products: ReadonlySet<string> | null
  readonly collections: ReadonlySet<string> | null
  readonly minimumSubtotal: number | null
  /** False: lines below their compare-at price are left out. */
  readonly saleItems: boolean
  readonly budgetMinor: number | null
  readonly holdOut: { readonly numerator: bigint; readonly denominator: bigint } | null
  readonly combinesWith: CombinesWith
}

/** When points end: each lot some months after it was earned, all of them some months after the last earning, or never. */
export type Expiry =
  | { readonly model: 'lot'; readonly months: number }
  | { readonly model: 'inactivity'; readonly months: number }
  | { readonly model: 'none' }

/** A program as the engine reads it. `document` is where it came from. */
export type Program = {
  readonly document: ProgramDocument
  readonly currency: string
  /** Decimals of the currency. */
  readonly exponent: number
  readonly timeZone: string
  readonly enrolment: Enrolment
  readonly basis: {
    readonly tax: boolean
    readonly shipping: boolean
    readonly saleItems: boolean
    readonly exclude: {
      readonly products: ReadonlySet<string>
      readonly collections: ReadonlySet<string>
      readonly tags: ReadonlySet<string>
      readonly channels: ReadonlySet<string>
    }
  }
  readonly rounding: Rounding
  readonly holdDays: number
  readonly expiry: Expiry
  readonly negativeBalance: 'allow' | 'clamp'
  readonly stacking: 'multiply' | 'highest'
  readonly earning: readonly EarningRule[]
  readonly tiers: Tiers | null
  readonly rewards: readonly Reward[]
  readonly campaigns: readonly Campaign[]
}

/**
 * Reads a program document (parsed JSON) and checks all of it: shape, defaults, what fields demand of each other, and what discounts can hold. Returns the document with defaults
 * and the program for the engine, or every problem found, each with the field's path. `parseProgram({...})` → `{ ok: false, problems:
 * [{ field: 'tiers.levels[0].threshold', message: 'must be 0: every member starts on the first level' }] }`.
 *
 * `before` is the document whose place it takes. A reward, a campaign or tiers that stand in that one word for word need not keep to rules that came
 * after them: what these say is `standing`, or one campaign from before would keep all of the program from being changed.
 */
export function parseProgram(input: unknown, before?: unknown): ParsedProgram {
  const parsed = parseAcceptedProgram(input)
  if (!parsed.ok) return parsed
  const { document } = parsed
  const found = [...findBeyondLimits(document), ...findSharesThatLimitNothing(document)]
  const accepted = found.length > 0 ? programSchema.safeParse(before).data : undefined
  const problems = found.map(({ path, message }) => problemAt(path, message))
  const refused = problems.filter(
    ({ path }) => !accepted || !listEntries(accepted, path).includes(entryAt(document, path)),
  )
  return refused.length > 0 ? refuse(refused) : { ...parsed, standing: problems }
}

/**
 * Reads a document that was accepted before, as {@link parseProgram} does: what is refused only since then (what Shopify's discounts cannot
 * hold, too) goes on to hold as it did, or gives nothing, while the rest of that program goes on.
 */
export function parseAcceptedProgram(input: unknown): ParsedProgram {
  const shape = programSchema.safeParse(input, { reportInput: true })
  if (!shape.success) return refuse(explainIssues(shape.error.issues))
  const check = new Check(shape.data)
  const program = readProgram(shape.data, check)
  return check.problems.length > 0 ? refuse(check.problems) : { ok: true, document: shape.data, program, standing: [] }
}

/** The program of a document that was accepted before. Throws with the problems where it is not valid. */
export function requireProgram(input: unknown): Program {
  const parsed = parseAcceptedProgram(input)
  if (parsed.ok) return parsed.program
  throw new Error(`not a valid program: ${parsed.problems.map((problem) => describeProblem(problem)).join('; ')}`)
}

/** A problem in one line: "earning[0].per: is missing". */
export function describeProblem(problem: Problem): string {
  return problem.field === '' ? problem.message : `${problem.field}: ${problem.message}`
}

/**
 * The fields of a program that need to know a product's collections, tags or compare-at price, which orders do not carry. Empty: no catalogue is needed.
 */
export function fieldsNeedingCatalog(program: Program): { readonly path: Problem['path']; readonly field: string }[] {
  const { basis, earning, campaigns } = program.document
  const paths: (string | number)[][] = []
  if (!basis.saleItems) paths.push(['basis', 'saleItems'])
  if (basis.exclude.collections.length > 0) paths.push(['basis', 'exclude', 'collections'])
  if (basis.exclude.tags.length > 0) paths.push(['basis', 'exclude', 'tags'])
  earning.forEach((rule, index) => {
    if (rule.when?.collections) paths.push(['earning', index, 'when', 'collections'])
    if (rule.when?.tags) paths.push(['earning', index, 'when', 'tags'])
  })
  campaigns.forEach((campaign, index) => {
    if (campaign.offer.pointsMultiplier === undefined) return
    if (campaign.collections) paths.push(['campaigns', index, 'collections'])
    if (campaign.saleItems === false) paths.push(['campaigns', index, 'saleItems'])
  })
  return paths.map((path) => ({ path, field: formatPath(path) }))
}

/** A path as people write it: ["earning", 0, "per"] is "earning[0].per". */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((all, part) => {
    if (typeof part === 'number') return `${all}[${part}]`
    return all === '' ? String(part) : `${all}.${String(part)}`
  }, '')
}

/** The findings of a zod schema (parsed with `reportInput`) as problems in a shopkeeper's words; for documents that stand beside the program's too. */
export function explainIssues(issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue) => explain(issue, []))
}

/** A problem of the field at a path. */
export function problemAt(path: readonly PropertyKey[], message: string): Problem {
  const plain = path.map((part) => (typeof part === 'number' ? part : String(part)))
  return { path: plain, field: formatPath(plain), message }
}

/** The tiers, or all rewards or campaigns, whichever the path leads into: each as text, to compare. */
function listEntries(document: ProgramDocument, [list]: Path): string[] {
  const entries = list === 'tiers' ? [document.tiers] : document[list as 'rewards' | 'campaigns']
  return entries.map((entry) => JSON.stringify(entry) ?? '')
}

function entryAt(document: ProgramDocument, path: Path): string {
  return listEntries(document, path)[path[0] === 'tiers' ? 0 : Number(path[1])]!
}

function refuse(problems: readonly Problem[]): ParsedProgram {
  return { ok: false, reason: 'invalid_program', problems }
}

type Issue = z.core.$ZodIssue

/** zod's findings in a shopkeeper's words. An unknown field is a problem of that field, not of the object around it. */
function explain(issue: Issue, before: readonly PropertyKey[]): Problem[] {
  const path = [...before, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => problemAt([...path, key], 'is not a known field'))
  }
  if (issue.code === 'invalid_union') {
    // The branch that has the input's own kind says more than "none of them fits".
    const branch = issue.errors.find((errors) => !errors.some((error) => isKindError(error)))
    if (branch) return branch.flatMap((error) => explain(error as Issue, path))
  }
  if (issue.input === undefined && issue.code !== 'custom') return [problemAt(path, 'is missing')]
  return [problemAt(path, explainOne(issue))]
}

function isKindError(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
}

function explainOne(issue: Issue): string {
  const given = `, not ${describeValue(issue.input)}`
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}${given}`
    case 'invalid_value':
      return `must be ${orList(issue.values.map((value) => JSON.stringify(value)))}${given}`
    case 'invalid_union':
      return `must be ${describeUnion(issue.path)}${given}`
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty'
      if (issue.origin === 'array') return 'must have at least one entry (leave the field out where it does not matter)'
      return `must be at least ${issue.minimum}${given}`
    case 'too_big':
      return `must be at most ${issue.maximum}${given}`
    default:
      return issue.message + given
  }
}

const KINDS: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text in quotes',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function describeUnion(path: readonly PropertyKey[]): string {
  if (path.at(-1) === 'window') return '"lifetime", "calendar-year" or {"rollingDays": 365}'
  return 'a number, or money as text in quotes'
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const shown = JSON.stringify(value) ?? String(value)
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

type Path = readonly (string | number)[]

/** Gathers problems while a document of the right shape is read, so that a merchant sees them all at once. */
class Check {
  readonly problems: Problem[] = []
  readonly exponent: number
  readonly currency: string
  readonly timeZone: string
  readonly levelIds: ReadonlySet<string>

  constructor(document: ProgramDocument) {
    this.currency = document.currency
    this.exponent = findCurrencyExponent(document.currency) ?? 2
    this.timeZone = document.timezone
    this.levelIds = new Set(document.tiers?.levels.map((level) => level.id))
  }

  add(path: Path, message: string): void {
    this.problems.push(problemAt(path, message))
  }

  /** Minor units. `minimum` 1 asks for money above 0. */
  money(value: string, path: Path, minimum: 0 | 1 = 0): number {
    const amount = parseDecimal(value, this.exponent)
    const decimals = /\.(\d+)$/.exec(value)?.[1]?.length ?? 0
    if (amount === null || decimals > this.exponent) {
      const example = formatDecimal(5 * 10 ** this.exponent, this.exponent)
      this.add(path, `must be money in ${this.currency}, text like "${example}", not ${describeValue(value)}`)
      return minimum
    }
    if (amount < minimum)
      this.add(path, `must be ${minimum === 1 ? 'above' : 'at least'} 0, not ${describeValue(value)}`)
    return amount
  }

  optionalMoney(value: string | undefined, path: Path, minimum: 0 | 1 = 0): number | null {
    return value === undefined ? null : this.money(value, path, minimum)
  }

  /** An instant of a local time; `open` where it is not set. */
  instant(value: string | undefined, open: number): number {
    const local = value === undefined ? null : parseLocalDateTime(value)
    return local ? toInstant(local, this.timeZone) : open
  }

  /** A half-open window, which must not be empty. */
  window(entry: { from?: string | undefined; until?: string | undefined }, path: Path) {
    const fromAt = this.instant(entry.from, -Infinity)
    const untilAt = this.instant(entry.until, Infinity)
    if (untilAt <= fromAt)
      this.add([...path, 'until'], `must be after from (${entry.from}), not ${describeValue(entry.until)}`)
    return { fromAt, untilAt }
  }

  tiers(ids: readonly string[] | undefined, path: Path): ReadonlySet<string> | null {
    ids?.forEach((id, index) => {
      if (this.levelIds.has(id)) return
      const known =
        this.levelIds.size > 0 ? `the levels are ${[...this.levelIds].join(', ')}` : 'the program has no tiers'
      this.add([...path, index], `there is no level "${id}": ${known}`)
    })
    return toSet(ids)
  }

  unique(entries: readonly { id: string }[], path: Path): void {
    const seen = new Map<string, number>()
    entries.forEach((entry, index) => {
      const first = seen.get(entry.id)
      if (first === undefined) seen.set(entry.id, index)
      else this.add([...path, index, 'id'], `"${entry.id}" is taken already by ${formatPath([...path, first])}`)
    })
  }
}

function readProgram(document: ProgramDocument, check: Check): Program {
  const { exclude } = document.basis
  const program: Program = {
    document,
    currency: document.currency,
    exponent: check.exponent,
    timeZone: document.timezone,
    enrolment: document.enrolment,
    basis: {
      ...document.basis,
      exclude: {
        products: new Set(exclude.products),
        collections: new Set(exclude.collections),
        tags: new Set(exclude.tags),
        channels: new Set(exclude.channels),
      },
    },
    rounding: document.rounding,
    holdDays: document.hold.days,
    expiry: readExpiry(document, check),
    negativeBalance: document.negativeBalance,
    stacking: document.stacking,
    earning: document.earning.map((rule, index) => readEarning(rule, ['earning', index], check)),
    tiers: document.tiers ? readTiers(document.tiers, check) : null,
    rewards: document.rewards.map((reward, index) => readReward(reward, ['rewards', index], check)),
    campaigns: document.campaigns.map((campaign, index) => readCampaign(campaign, ['campaigns', index], check)),
  }
  check.unique(document.earning, ['earning'])
  check.unique(document.rewards, ['rewards'])
  check.unique(document.campaigns, ['campaigns'])
  return program
}

/** The fewest days that so many calendar months can have, counted from any day. */
const SHORTEST_MONTHS = [0, 28, 59, 89, 120]

function readExpiry(document: ProgramDocument, check: Check): Expiry {
  const { model, months } = document.expiry
  if (model === 'none') {
    if (months !== undefined) check.add(['expiry', 'months'], 'has no meaning where points never expire')
    return { model }
  }
  if (months === undefined) {
    check.add(['expiry', 'months'], 'is missing')
    return { model, months: 12 }
  }
  const shortest = SHORTEST_MONTHS[months]
  if (shortest !== undefined && document.hold.days > shortest) {
    check.add(
      ['hold', 'days'],
      `${document.hold.days} days of waiting outlast points that live ${months} ${months === 1 ? 'month' : 'months'}`,
    )
  }
  return { model, months }
}

/** Conditions that only an order can answer. */
const ORDER_CONDITIONS = ['products', 'collections', 'tags', 'channels', 'minimumSubtotal'] as const

function readEarning(rule: EarningDocument, path: Path, check: Check): EarningRule {
  const when = readConditions(rule.when, [...path, 'when'], check)
  const { fromAt, untilAt } = check.window(rule, path)
  const shape = rule.on === ORDER ? readOrderShape(rule, path, check) : readEventShape(rule, path, check)
  return { id: rule.id, on: rule.on, ...shape, when, fromAt, untilAt, limit: rule.limit ?? null }
}

type EarningShape = Pick<EarningRule, 'points' | 'per' | 'perAmount' | 'multiplier'>

function readOrderShape(rule: EarningDocument, path: Path, check: Check): EarningShape {
  if (rule.multiplier !== undefined) {
    if (rule.points !== undefined)
      check.add([...path, 'points'], 'cannot stand beside multiplier: a rule gives points or multiplies them')
    if (rule.per !== undefined) check.add([...path, 'per'], 'cannot stand beside multiplier')
    return { points: 0, per: null, perAmount: 0, multiplier: toMultiplier(rule.multiplier) }
  }
  const points = rule.points ?? 0
  if (rule.points === undefined)
    check.add([...path, 'points'], 'is missing: a rule for orders has points and per, or a multiplier')
  if (rule.per === 'order' || rule.per === 'item') return { points, per: rule.per, perAmount: 0, multiplier: null }
  if (rule.per === undefined) {
    if (rule.points !== undefined)
      check.add([...path, 'per'], 'is missing: an amount of money like "1.00", "order" or "item"')
    return { points, per: 'order', perAmount: 0, multiplier: null }
  }
  return { points, per: 'money', perAmount: check.money(rule.per, [...path, 'per'], 1), multiplier: null }
}

function readEventShape(rule: EarningDocument, path: Path, check: Check): EarningShape {
  if (rule.points === undefined) check.add([...path, 'points'], 'is missing')
  if (rule.per !== undefined) check.add([...path, 'per'], `has no meaning for ${rule.on}: it is for orders`)
  if (rule.multiplier !== undefined)
    check.add([...path, 'multiplier'], `has no meaning for ${rule.on}: it is for orders`)
  for (const condition of ORDER_CONDITIONS) {
    if (rule.when?.[condition] === undefined) continue
    check.add([...path, 'when', condition], `has no meaning for ${rule.on}: it is for orders`)
  }
  return { points: rule.points ?? 0, per: null, perAmount: 0, multiplier: null }
}

function readConditions(when: EarningDocument['when'], path: Path, check: Check): Conditions {
  return {
    products: toSet(when?.products),
    collections: toSet(when?.collections),
    tags: toSet(when?.tags),
    channels: toSet(when?.channels),
    tiers: check.tiers(when?.tiers, [...path, 'tiers']),
    weekdays: when?.weekdays ? new Set(when.weekdays) : null,
    minimumSubtotal: check.optionalMoney(when?.minimumSubtotal, [...path, 'minimumSubtotal']),
  }
}

function readTiers(tiers: TiersDocument, check: Check): Tiers {
  check.unique(tiers.levels, ['tiers', 'levels'])
  const levels = tiers.levels.map((level, index) => {
    const path: Path = ['tiers', 'levels', index, 'threshold']
    return {
      id: level.id,
      name: level.name,
      threshold: readThreshold(level.threshold, tiers.metric, path, check),
      multiplier: level.multiplier === undefined ? MULTIPLIER_ONE : toMultiplier(level.multiplier),
      entryReward: level.entryReward ?? 0,
      discountBasisPoints: toBasisPoints(level.discountPercent ?? 0),
      freeShipping: level.freeShipping ?? false,
      perks: level.perks ?? [],
    }
  })
  levels.forEach((level, index) => {
    const path: Path = ['tiers', 'levels', index, 'threshold']
    const shown = describeValue(tiers.levels[index]?.threshold)
    const previous = levels[index - 1]
    if (!previous) {
      if (level.threshold > 0) check.add(path, `must be 0, not ${shown}: every member starts on the first level`)
    } else if (level.threshold <= previous.threshold) {
      check.add(
        path,
        `must be above that of ${previous.id} (${describeValue(tiers.levels[index - 1]?.threshold)}), not ${shown}`,
      )
    }
  })
  return { ...tiers, window: readTierWindow(tiers.window), levels }
}

/** NaN where it cannot be read: that compares with nothing, so one mistake gives one problem. */
function readThreshold(value: string | number, metric: Tiers['metric'], path: Path, check: Check): number {
  if (metric === 'spend') {
    if (typeof value === 'string') return check.money(value, path)
    check.add(path, `must be money as text in quotes, as the tiers count money spent, not ${value}`)
    return NaN
  }
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  check.add(path, `must be a whole number of ${metric}, not ${describeValue(value)}`)
  return NaN
}

function readTierWindow(window: TiersDocument['window']): TierWindow {
  return typeof window === 'string' ? { kind: window } : { kind: 'rolling', days: window.rollingDays }
}

/** Types whose value is an amount of money; only these can be variable. */
const MONEY_REWARDS: ReadonlySet<RewardType> = new Set<RewardType>(['amount', 'store-credit', 'gift-card'])

function readReward(reward: RewardDocument, path: Path, check: Check): Reward {
  checkRewardShape(reward, path, check)
  const isMoney = MONEY_REWARDS.has(reward.type)
  const step = reward.step ?? reward.perPoints ?? 1
  return {
    id: reward.id,
    type: reward.type,
    cost: reward.perPoints === undefined ? (reward.cost ?? 1) : null,
    variable:
      reward.perPoints === undefined
        ? null
        : { perPoints: reward.perPoints, step, minimumPoints: Math.max(reward.minimumPoints ?? 0, step) },
    valueMinor: isMoney && typeof reward.value === 'string' ? check.money(reward.value, [...path, 'value'], 1) : 0,
    valueBasisPoints: reward.type === 'percentage' ? readPercentage(reward.value, [...path, 'value'], check) : 0,
    maximumShareBasisPoints: reward.maximumShare === undefined ? null : toBasisPoints(reward.maximumShare),
    minimumSubtotal: check.optionalMoney(reward.minimumSubtotal, [...path, 'minimumSubtotal']),
    products: toSet(reward.products),
    collections: toSet(reward.collections),
    tiers: check.tiers(reward.tiers, [...path, 'tiers']),
    limitPerMember: reward.limitPerMember ?? null,
    validDays: reward.validDays ?? null,
    combinesWith: reward.combinesWith ?? COMBINES_WITH_NOTHING,
  }
}

/** Types that take a known amount of money off an order, which can be too large a share of it. */
const SHARED_REWARDS: ReadonlySet<RewardType> = new Set<RewardType>(['amount', 'product'])

/** Shares of the order that mean nothing for their reward, of a document that is right in itself. This came later than the first programs. */
function findSharesThatLimitNothing({ rewards }: ProgramDocument): BeyondLimit[] {
  return rewards.flatMap(({ type, value, maximumShare }, index) => {
    if (maximumShare === undefined || SHARED_REWARDS.has(type)) return []
    const path = ['rewards', index, 'maximumShare']
    if (type !== 'percentage') return [{ path, message: `has no meaning for a reward of type ${type}` }]
    if (typeof value !== 'number' || value <= maximumShare) return []
    const message = `must not be below value: ${value} % of an order is more than ${maximumShare} %`
    return [{ path, message }]
  })
}

function checkRewardShape(reward: RewardDocument, path: Path, check: Check): void {
  const { type, value } = reward
  const isMoney = MONEY_REWARDS.has(type)
  if (isMoney && typeof value === 'number')
    check.add([...path, 'value'], `must be money as text in quotes, not ${value}`)
  if (value === undefined && (isMoney || type === 'percentage')) check.add([...path, 'value'], 'is missing')
  if (value !== undefined && (type === 'shipping' || type === 'product')) {
    check.add([...path, 'value'], `has no meaning for a reward of type ${type}`)
  }
  if (type === 'product' && !reward.products) check.add([...path, 'products'], 'is missing: which products are free')
  if (reward.perPoints === undefined) {
    if (reward.cost === undefined)
      check.add([...path, 'cost'], 'is missing: a fixed reward has a cost, a variable one perPoints')
    for (const field of ['step', 'minimumPoints'] as const) {
      if (reward[field] !== undefined) check.add([...path, field], 'is for a variable reward, one with perPoints')
    }
    return
  }
  if (reward.cost !== undefined)
    check.add([...path, 'cost'], 'cannot stand beside perPoints: a reward is fixed or variable')
  if (!isMoney)
    check.add(
      [...path, 'perPoints'],
      `a reward of type ${type} cannot be variable: only ${[...MONEY_REWARDS].join(', ')} can`,
    )
}

function readPercentage(value: string | number | undefined, path: Path, check: Check): number {
  if (value === undefined) return 0
  const basisPoints = typeof value === 'number' ? parseDecimal(String(value), 2) : null
  if (basisPoints !== null && basisPoints > 0 && basisPoints <= HUNDRED_PERCENT) return basisPoints
  check.add(path, `must be a percentage above 0 and up to 100, with at most 2 decimals, not ${describeValue(value)}`)
  return 0
}

const COMBINES_WITH_NOTHING: CombinesWith = { order: false, product: false, shipping: false }

function readCampaign(campaign: CampaignDocument, path: Path, check: Check): Campaign {
  return {
    id: campaign.id,
    name: campaign.name,
    ...check.window(campaign, path),
    stops: [],
    offer: readOffer(campaign.offer, [...path, 'offer'], check),
    tiers: check.tiers(campaign.audience?.tiers, [...path, 'audience', 'tiers']),
    segments: toSet(campaign.audience?.segments),
    products: toSet(campaign.products),
    collections: toSet(campaign.collections),
    minimumSubtotal: check.optionalMoney(campaign.minimumSubtotal, [...path, 'minimumSubtotal']),
    saleItems: campaign.saleItems ?? true,
    budgetMinor: check.optionalMoney(campaign.budget, [...path, 'budget'], 1),
    holdOut: campaign.holdOut === undefined ? null : toShare(campaign.holdOut),
    combinesWith: campaign.combinesWith ?? COMBINES_WITH_NOTHING,
  }
}

function readOffer(offer: CampaignDocument['offer'], path: Path, check: Check): Offer {
  const given = Object.entries(offer).filter(([, value]) => value !== undefined)
  if (given.length !== 1) {
    const names = given.map(([name]) => name).join(' and ') || 'none'
    check.add(path, `must be exactly one of percentage, amount, shipping, bands or pointsMultiplier, not ${names}`)
  }
  if (offer.percentage !== undefined) return { kind: 'percentage', basisPoints: toBasisPoints(offer.percentage) }
  if (offer.amount !== undefined)
    return { kind: 'amount', amountMinor: check.money(offer.amount, [...path, 'amount'], 1) }
  if (offer.pointsMultiplier !== undefined) {
    return { kind: 'pointsMultiplier', multiplier: toMultiplier(offer.pointsMultiplier) }
  }
  return offer.bands
    ? { kind: 'bands', bands: readBands(offer.bands, [...path, 'bands'], check) }
    : { kind: 'shipping' }
}

function readBands(bands: readonly { from: string; percentage: number }[], path: Path, check: Check) {
  const read = bands.map((band, index) => ({
    from: check.money(band.from, [...path, index, 'from']),
    basisPoints: toBasisPoints(band.percentage),
  }))
  read.forEach((band, index) => {
    const previous = read[index - 1]
    if (!previous) return
    if (band.from <= previous.from) check.add([...path, index, 'from'], 'must be above that of the band before')
    if (band.basisPoints < previous.basisPoints) {
      check.add(
        [...path, index, 'percentage'],
        'must not be below that of the band before: a bigger purchase gets a bigger discount',
      )
    }
  })
  return read
}

function toSet(list: readonly string[] | undefined): ReadonlySet<string> | null {
  return list ? new Set(list) : null
}

/** A number's shortest decimal text is what the merchant wrote; reading that text is exact where arithmetic on the float would not be. */
function toBasisPoints(percent: number): number {
  return parseDecimal(String(percent), 2) ?? 0
}

function toMultiplier(factor: number): number {
  return parseDecimal(String(factor), 4) ?? MULTIPLIER_ONE
}

function toShare(share: number): { numerator: bigint; denominator: bigint } {
  const [digits = '0', exponent = '0'] = share.toString().split('e-')
  const decimals = (digits.split('.')[1]?.length ?? 0) + Number(exponent)
  return { numerator: BigInt(digits.replace('.', '')), denominator: 10n ** BigInt(decimals) }
}

/**
 * A *program* is everything a shop promises its members, as one JSON document: what counts, how points are earned, how long they wait and live, tiers,
 * rewards and limited-time campaigns. A *rule* is one entry of `earning`. A *level* is one step of the tiers. A *reward* is what points buy. A
 * *campaign* is an offer with a beginning and an end. The document (`ProgramDocument`) is what is stored, edited and shared; a `Program` is the same
 * thing read: money in minor units, instants in milliseconds, decimals as whole numbers, lists as sets. The engine only ever sees a `Program`.
 */
import type { Rounding } from './money.ts'
import type { ProgramDocument, RewardDocument } from './program-document.ts'

/** Who is a member: every customer, those with an account, or those who asked. */
export type Enrolment = ProgramDocument['enrolment']
/** What a reward gives. */
export type RewardType = RewardDocument['type']
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

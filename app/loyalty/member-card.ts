import { z } from 'zod'

/**
 * A *member card* is what the storefront, the discount Function and customer accounts may know about one member: a compact
 * JSON document, kept in the customer metafield `$app` / `member_card`. It is a projection: the ledger is the truth, the card
 * is written after it by the outbox, and nothing is ever decided from it that costs points.
 *
 * The *program card* is the same for the shop: what everybody may see of the program (rewards, tiers, how to earn), kept in
 * the app-data metafield `loyalty` / `program` (Liquid: `app.metafields.loyalty.program.value`).
 *
 * Both are read by Liquid, which cannot format our numbers, so that texts that need the program's words (a tier's name, what a
 * reward is worth) are spelled out here once, in each language (shopper-words.ts).
 */

/** Where the member card lives: a customer metafield in the app's reserved namespace (`$app` in Liquid and GraphQL). */
export const MEMBER_CARD_KEY = 'member_card'
/** Where the program card lives: an app-data metafield, owned by the app installation. */
export const PROGRAM_CARD_NAMESPACE = 'loyalty'
export const PROGRAM_CARD_KEY = 'program'

/** At most this many codes are shown on a card, those that run out soonest first; the history page shows all. */
export const CARD_CODES_MAX = 20

const points = z.number().int().safe()
/** An instant as text, UTC, as Liquid's `date` filter reads it. */
const instant = z.iso.datetime()

/** A code the member holds: paid for with points, known to Shopify, not used yet. */
export const CardCodeSchema = z.strictObject({
  code: z.string(),
  /** The redemption's own id (`rdm_…`), by which the shopper cancels it. */
  id: z.string(),
  reward: z.string(),
  /** What it gives, in words a shopper reads: "$5.00 off", "Free shipping". */
  label: z.string(),
  points: points,
  /** Only where the shopper chose how much: money as a decimal text in the shop's currency, for pages in another language than the label. */
  amount: z.string().optional(),
  /** The instant from which the code is worth nothing, null where it has no end. */
  until: instant.nullable(),
  /** Only where it cannot be given back for its points (a gift card); absent, it can. */
  canReturn: z.literal(false).optional(),
  /** Only for free products that the reward still gives: the program card's label of it names them, which this card cannot. */
  named: z.literal(true).optional(),
})
/** A code as the card shows it. */
export type CardCode = z.infer<typeof CardCodeSchema>

/** The contract of the metafield. New fields may be added as optional; these keep their names and meanings. */
export const MemberCardSchema = z.strictObject({
  version: z.literal(1),
  /** Points that can be spent now; below zero while a refund is owed. */
  balance: points,
  /** Points earned that wait out their hold. */
  pending: points,
  /** The tier the member is in: null in a program without tiers. */
  tier: z.strictObject({ id: z.string(), name: z.string() }).nullable(),
  /** The way to the next tier: null at the top and in a program without tiers. */
  progress: z
    .strictObject({
      next: z.strictObject({ id: z.string(), name: z.string() }),
      metric: z.enum(['points', 'spend', 'orders']),
      /** What is still missing: whole points, a count of orders, or money as a decimal text in the shop's currency. */
      missing: z.string(),
      /** Whole per cent of the way from the member's own level to the next, 0–99. */
      percent: z.number().int().min(0).max(99),
    })
    .nullable(),
  /** The points that go next, and when. */
  nextExpiry: z.strictObject({ points: points.positive(), at: instant }).nullable(),
  codes: z.array(CardCodeSchema).max(CARD_CODES_MAX),
  /** Campaigns that this member is held out of: the Function gives none of these. */
  heldOut: z.array(z.string()),
  /** Retention segments the member is in, as far as a campaign asks for them. */
  segments: z.array(z.string()),
})
/** A member card, parsed. */
export type MemberCard = z.infer<typeof MemberCardSchema>

/** One reward as the storefront offers it. */
export const CardRewardSchema = z.strictObject({
  id: z.string(),
  type: z.enum(['amount', 'percentage', 'shipping', 'product', 'store-credit', 'gift-card']),
  label: z.string(),
  /** Points it costs; for a variable reward, the fewest points it can be had for. */
  cost: points.positive(),
  /** Present on variable rewards: points are taken in whole steps, `perPoints` of them are worth `value`. */
  variable: z
    .strictObject({
      perPoints: points.positive(),
      value: z.string(),
      step: points.positive(),
      minimum: points.positive(),
    })
    .optional(),
  /** Conditions in words: "From $20.00", "Gold only", "Valid for 90 days". */
  conditions: z.array(z.string()),
  /** Ids of tiers that may take it: absent, everyone may. */
  tiers: z.array(z.string()).optional(),
})
/** A reward as the storefront offers it, parsed. */
export type CardReward = z.infer<typeof CardRewardSchema>

/** The texts of a program card in one language, by the ids of what they tell of. */
export const CardTextsSchema = z.strictObject({
  earning: z.record(z.string(), z.string()),
  tiers: z.record(z.string(), z.strictObject({ from: z.string(), perks: z.array(z.string()) })),
  rewards: z.record(z.string(), z.strictObject({ label: z.string(), conditions: z.array(z.string()) })),
})
/** The texts of a program card in one language. */
export type CardTexts = z.infer<typeof CardTextsSchema>

/** What everybody may see of the program. */
export const ProgramCardSchema = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  pointsName: z.strictObject({ one: z.string(), other: z.string() }),
  currency: z.string(),
  enrolment: z.enum(['everyone', 'accounts', 'opt-in']),
  /** Days that order points wait. */
  holdDays: z.number().int().min(0),
  /** Ways to earn, in words, in the program's order. */
  earning: z.array(z.strictObject({ id: z.string(), on: z.string(), label: z.string() })),
  tiers: z.array(z.strictObject({ id: z.string(), name: z.string(), from: z.string(), perks: z.array(z.string()) })),
  rewards: z.array(CardRewardSchema),
  /** What stands above in English, by language ("de"). Cards that were written before there were others have none. */
  languages: z.record(z.string(), CardTextsSchema).optional(),
})
/** The program card, parsed. */
export type ProgramCard = z.infer<typeof ProgramCardSchema>

/**
 * Reads a member card from a metafield's text. Returns null for anything that is not a card of this version: an unreadable card
 * gives a shopper nothing, never an error.
 */
export function parseMemberCard(text: string | null | undefined): MemberCard | null {
  if (!text) return null
  try {
    const parsed = MemberCardSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

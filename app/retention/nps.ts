/**
 * Net promoter score: the share of answers 9–10 minus the share of answers 0–6 to "would you recommend us?".
 *
 * A customer is asked once a *round*: as long as the merchant has chosen between two questions. Within a round a later answer takes
 * the place of the earlier one; after it, a new round keeps both. A score is always of customers, not of answers: of each, the last
 * one in the time that is looked at.
 */
import { DAY_MS } from '../loyalty/time.ts'

/** What an answer makes of a customer: 9–10, 7–8, 0–6. */
export const NPS_BANDS = ['promoters', 'passives', 'detractors'] as const
/** One of {@link NPS_BANDS}. */
export type NpsBand = (typeof NPS_BANDS)[number]

/** The answers of each band, from and to, both included. */
export const BAND_SCORES: Readonly<Record<NpsBand, readonly [number, number]>> = {
  promoters: [9, 10],
  passives: [7, 8],
  detractors: [0, 6],
}

/** Counts, the score −1 to 1 and its 95 % interval; the score is null without answers, the interval under {@link FEWEST_ANSWERS}. */
export type Nps = {
  promoters: number
  passives: number
  detractors: number
  score: number | null
  interval: readonly [number, number] | null
}

/** Fewer answers than this make an interval that says nothing. */
export const FEWEST_ANSWERS = 30

/** The band of a whole answer 0–10; others are refused with an error. */
export function bandOf(answer: number): NpsBand {
  const band = NPS_BANDS.find((one) => answer >= BAND_SCORES[one][0] && answer <= BAND_SCORES[one][1])
  if (band === undefined || !Number.isInteger(answer)) throw new RangeError(`${answer} is no answer from 0 to 10`)
  return band
}

/** The score of whole answers 0–10; others are refused with an error. */
export function countNps(answers: Iterable<number>): Nps {
  const counts = { promoters: 0, passives: 0, detractors: 0 }
  for (const answer of answers) counts[bandOf(answer)]++
  return scoreNps(counts)
}

/** Promoters, half the passives, and detractors that are added before the interval is taken. */
const ADDED = 0.75

/**
 * The score of so many promoters, passives and detractors. The interval is the adjusted Wald interval of B. Rocks, Interval Estimation
 * for the "Net Promoter Score", The American Statistician 70(4), 2016: with ¾ of a promoter, 1½ passives and ¾ of a detractor added,
 * s ± 1.96 · √((p + d − s²) ÷ n), kept between −1 and 1. Summed over all samples of 30 to 100 answers it holds the true score in 93.5–98.4 %
 * of them, in more where nearly all are passives (Wald's own, without the addition, in as few as 45 %, where nearly all are promoters).
 */
export function scoreNps({ promoters, passives, detractors }: Record<NpsBand, number>): Nps {
  const total = promoters + passives + detractors
  if (total === 0) return { promoters, passives, detractors, score: null, interval: null }
  const score = (promoters - detractors) / total
  if (total < FEWEST_ANSWERS) return { promoters, passives, detractors, score, interval: null }
  const n = total + 4 * ADDED
  const middle = (promoters - detractors) / n
  const spread = 1.959964 * Math.sqrt(((promoters + detractors + 2 * ADDED) / n - middle * middle) / n)
  const interval = [Math.max(-1, middle - spread), Math.min(1, middle + spread)] as const
  return { promoters, passives, detractors, score, interval }
}

/** Days between two questions that a merchant can choose, and the one that is taken unless they do. */
export const ROUND_DAYS = [30, 90, 180, 365] as const
/** The days between two questions unless the merchant chooses others. */
export const DEFAULT_ROUND_DAYS = 180

/** A customer's last round: its number from 1 on, and when it began. */
export type Round = { round: number; openedAt: number }

/** The round that an answer at the instant belongs to; days are 24 hours each. Without an earlier one it opens the first. */
export function roundAt(last: Round | null, at: number, days: number): Round {
  if (last === null) return { round: 1, openedAt: at }
  return at < last.openedAt + days * DAY_MS ? last : { round: last.round + 1, openedAt: at }
}

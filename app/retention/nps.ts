/** Net promoter score (A2): the share of answers 9–10 minus the share of answers 0–6 to "would you recommend us?". */

/** Counts, the score −1 to 1 and its 95 % interval; score and interval null without answers. */
export type Nps = {
  promoters: number
  passives: number
  detractors: number
  score: number | null
  interval: readonly [number, number] | null
}

/**
 * The score of whole answers 0–10; others are refused with an error. The interval is Wald's for a difference of two shares of one
 * sample, (p + d − (p − d)²) ÷ n, kept between −1 and 1.
 */
export function countNps(answers: Iterable<number>): Nps {
  let promoters = 0
  let passives = 0
  let detractors = 0
  for (const answer of answers) {
    if (!Number.isInteger(answer) || answer < 0 || answer > 10)
      throw new RangeError(`${answer} is no answer from 0 to 10`)
    if (answer >= 9) promoters++
    else if (answer >= 7) passives++
    else detractors++
  }
  const total = promoters + passives + detractors
  if (total === 0) return { promoters, passives, detractors, score: null, interval: null }
  const score = (promoters - detractors) / total
  const spread = 1.959964 * Math.sqrt(((promoters + detractors) / total - score * score) / total)
  const interval = [Math.max(-1, score - spread), Math.min(1, score + spread)] as const
  return { promoters, passives, detractors, score, interval }
}

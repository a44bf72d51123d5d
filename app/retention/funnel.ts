/** Conversion (A4): of those who could take a step, how many did: sign-up → first earn → first redeem → repeat order. */
import { toRate } from './exact.ts'

/** The steps of the funnel, in their order. */
export const FUNNEL_STEPS = ['signup', 'earn', 'redeem', 'repeat'] as const
/** One of {@link FUNNEL_STEPS}. */
export type FunnelStep = (typeof FUNNEL_STEPS)[number]
/** `could` took every step before this one; `did` took this one too; the rate is between 0 and 1, null where nobody could. */
export type FunnelRow = { step: FunnelStep; could: number; did: number; rate: number | null }

/** The funnel of members, each given by the steps it has taken, in any order. Everyone could sign up. */
export function countFunnel(members: Iterable<ReadonlySet<FunnelStep>>): FunnelRow[] {
  const did = FUNNEL_STEPS.map(() => 0)
  let everyone = 0
  for (const steps of members) {
    everyone++
    for (let place = 0; place < FUNNEL_STEPS.length && steps.has(FUNNEL_STEPS[place]!); place++) did[place]!++
  }
  return FUNNEL_STEPS.map((step, place) => {
    const could = place === 0 ? everyone : did[place - 1]!
    return { step, could, did: did[place]!, rate: toRate(did[place]!, could) }
  })
}

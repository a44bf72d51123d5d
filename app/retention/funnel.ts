/** Conversion: of those who could take a step, how many did: sign-up → first earn → first redeem → repeat order. */
import { toRate } from './exact.ts'

/** The steps of the funnel, in their order. */
export const FUNNEL_STEPS = ['signup', 'earn', 'redeem', 'repeat'] as const
/** One of {@link FUNNEL_STEPS}. */
export type FunnelStep = (typeof FUNNEL_STEPS)[number]
/** `could` took every step before this one; `did` took this one too; the rate is between 0 and 1, null where nobody could. */
export type FunnelRow = { step: FunnelStep; could: number; did: number; rate: number | null }

/** The funnel from how many took each step and all before it. Everyone could sign up. */
export function toFunnel(did: Readonly<Record<FunnelStep, number>>): FunnelRow[] {
  return FUNNEL_STEPS.map((step, place) => {
    const could = did[FUNNEL_STEPS[Math.max(0, place - 1)]!]
    return { step, could, did: did[step], rate: toRate(did[step], could) }
  })
}

// What a seed is about: which program, how much goes wrong, and what the merchant does with the app.
import { programDocument } from '#test/setup/factories.ts'
import type { Random } from './random.ts'
import type { Shares } from './schedule.ts'

/** What an answer to the shop's question is worth. */
export const FEEDBACK_POINTS = 20

const TIERS = {
  metric: 'spend',
  window: { rollingDays: 60 },
  levels: [
    { id: 'member', name: 'Member', threshold: '0.00' },
    { id: 'silver', name: 'Silver', threshold: '60.00', multiplier: 1.25, entryReward: 20 },
    { id: 'gold', name: 'Gold', threshold: '150.00', multiplier: 1.5 },
  ],
}

/** What pays beside orders, where a seed is lively. */
const DEEDS = [
  { id: 'welcome', on: 'signup', points: 30, limit: { times: 1, every: 'ever' } },
  { id: 'birthday', on: 'birthday', points: 40 },
  { id: 'review', on: 'review', points: 15, limit: { times: 2, every: 'ever' } },
  { id: 'feedback', on: 'custom:feedback', points: FEEDBACK_POINTS },
]

/** For some of the story, and for some of the shoppers. */
const DOUBLE = {
  id: 'double',
  name: 'Double',
  from: '2026-03-03T00:00',
  until: '2026-03-14T00:00',
  offer: { pointsMultiplier: 2 },
  holdOut: 0.5,
}

/** The merchant takes the app off before this round, and puts it on again so many rounds later; null: never. */
export type Leaving = { round: number; backAfter: number | null }

/** What a shop of a seed is about. */
export type Plan = {
  /** No tiers: the order of arrival must not matter. */
  plain: boolean
  /** Shoppers spend points. */
  spends: boolean
  /**
   * Points and tiers are given by hand, birthdays, activities and answers to the shop's question come in, members are brought over in files
   * and taken back, campaigns are paused and ended, and the program is changed and published anew.
   */
  lively: boolean
  /** The shop was there before the app: a backfill reads what happened in it, which earns points or not. */
  past: { earns: boolean } | null
  leaves: Leaving | null
  rounds: number
  shares: Shares
  document: ReturnType<typeof programDocument>
}

/** The shop of a seed. */
export function makePlan(random: Random, restarts?: number): Plan {
  const plain = random.happens(0.5)
  const spends = !plain || random.happens(0.5)
  const lively = spends && random.happens(0.5)
  const past = random.happens(0.3) ? { earns: random.happens(0.5) } : null
  const rounds = random.whole(6, 12)
  return {
    plain,
    spends,
    lively,
    past,
    rounds,
    leaves: random.happens(0.35) ? makeLeaving(random, rounds) : null,
    shares: {
      statement: random.pick([0, 0.003, 0.01, 0.03]),
      call: random.pick([0, 0.03, 0.1, 0.3]),
      restart: restarts ?? random.pick([0, 0, 0.001, 0.004]),
    },
    document: makeDocument(random, { plain, lively }),
  }
}

/** The shop beside it, null for most seeds. It has the same numbers for its customers and orders, and keeps the app. */
export function makeNeighbour(random: Random, { leaves, rounds, shares }: Plan): Plan | null {
  if (!random.happens(leaves ? 0.4 : 0.05)) return null
  return { ...makePlan(random), leaves: null, rounds, shares }
}

function makeLeaving(random: Random, rounds: number): Leaving {
  // Rounds are some thirty hours long, and Shopify asks for the shop's erasure after 48: it comes back before, about then, and after.
  return { round: random.whole(2, rounds - 1), backAfter: random.pick([0, 0, 1, 1, 2, 3, 5, null, null]) }
}

/** A program as the seed has it. */
export function makeDocument(random: Random, { plain, lively }: Pick<Plan, 'plain' | 'lively'>): Plan['document'] {
  const validDays = random.pick([{ validDays: 5 }, { validDays: 20 }, {}])
  const rewards = [
    { id: 'five-off', type: 'amount', value: '5.00', cost: 100, ...validDays },
    { id: 'shipping', type: 'shipping', cost: 80, ...validDays },
    { id: 'tenth', type: 'percentage', value: 10, cost: 90, ...validDays },
    { id: 'any', type: 'amount', perPoints: 50, value: '1.00', step: 50, ...validDays },
    { id: 'credit', type: 'store-credit', value: '5.00', cost: 100 },
    { id: 'card', type: 'gift-card', value: '5.00', cost: 100 },
  ]
  return programDocument({
    hold: { days: random.pick([0, 3, 14]) },
    expiry: random.pick([{ model: 'lot', months: 2 }, { model: 'inactivity', months: 1 }, { model: 'none' }]),
    negativeBalance: random.pick(['allow', 'clamp']),
    rewards,
    ...(plain ? {} : { tiers: TIERS, enrolment: random.pick(['everyone', 'accounts']) }),
    ...(lively
      ? {
          earning: [{ id: 'purchase', on: 'order', points: random.whole(3, 6), per: '1.00' }, ...DEEDS],
          campaigns: random.happens(0.5) ? [DOUBLE] : [],
        }
      : {}),
  })
}

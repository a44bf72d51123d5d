import { describeProblem, parseProgram, type ProgramDocument } from '#app/loyalty/program.ts'

/** The demo shop's program: a point for each pound, three tiers by yearly spend, and rewards of each simple kind. */
export const DEMO_PROGRAM: ProgramDocument = complete({
  version: 1,
  name: 'Perennial Club',
  pointsName: { one: 'point', other: 'points' },
  currency: 'GBP',
  timezone: 'Europe/London',
  hold: { days: 14 },
  expiry: { model: 'lot', months: 12 },
  earning: [
    { id: 'purchase', on: 'order', points: 1, per: '1.00' },
    { id: 'birthday', on: 'birthday', points: 100, limit: { times: 1, every: 'year' } },
    { id: 'review', on: 'review', points: 25, limit: { times: 1, every: 'order' } },
  ],
  tiers: {
    metric: 'spend',
    window: { rollingDays: 365 },
    graceDays: 30,
    levels: [
      { id: 'member', name: 'Member', threshold: '0.00' },
      { id: 'silver', name: 'Silver', threshold: '1000.00', multiplier: 1.25, perks: ['A quarter more points'] },
      {
        id: 'gold',
        name: 'Gold',
        threshold: '3000.00',
        multiplier: 1.5,
        discountPercent: 5,
        freeShipping: true,
        perks: ['Half as many points again', '5 % off every order', 'Free delivery'],
      },
    ],
  },
  rewards: [
    { id: 'five-off', type: 'amount', value: '5.00', cost: 100, minimumSubtotal: '20.00', validDays: 90 },
    { id: 'any-amount', type: 'amount', perPoints: 20, value: '1.00', step: 20, minimumPoints: 200, validDays: 90 },
    { id: 'free-delivery', type: 'shipping', cost: 80, validDays: 30 },
    { id: 'ten-percent', type: 'percentage', value: 10, cost: 400, validDays: 60 },
  ],
})

/** The document with every default filled in, as `publishProgram` wants it. */
function complete(document: unknown): ProgramDocument {
  const parsed = parseProgram(document)
  if (!parsed.ok) throw new Error(`The demo's program: ${parsed.problems.map(describeProblem).join('; ')}`)
  return parsed.document
}

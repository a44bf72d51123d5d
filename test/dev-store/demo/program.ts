import { parseProgram } from '#app/loyalty/parse-program.ts'
import { describeProblem } from '#app/loyalty/problems.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'

const DAY_MS = 86_400_000

/**
 * The demo shop's program on the day it is first started: a point for each pound, three tiers by yearly spend, rewards
 * of each simple kind, and a campaign that runs from that day for a week.
 */
export function demoProgram(now: number): ProgramDocument {
  const document = {
    ...PROGRAM,
    // Whoever is in the demo's past was there before: those who register from now on get something for it.
    earning: [
      ...PROGRAM.earning,
      { id: 'welcome', on: 'signup', points: 50, limit: { times: 1, every: 'ever' }, from: `${dayOf(now)}T00:00` },
    ],
    campaigns: [
      {
        id: 'gift-week',
        name: 'Gift week',
        from: `${dayOf(now)}T00:00`,
        until: `${dayOf(now + 7 * DAY_MS)}T00:00`,
        offer: {
          bands: [
            { from: '50.00', percentage: 5 },
            { from: '100.00', percentage: 10 },
          ],
        },
        holdOut: 0.1,
      },
    ],
  }
  const parsed = parseProgram(document)
  if (!parsed.ok) throw new Error(`The demo's program: ${parsed.problems.map(describeProblem).join('; ')}`)
  return parsed.document
}

/** "2026-11-21" */
function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10)
}

const PROGRAM = {
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
  ],
  tiers: {
    metric: 'spend',
    window: { rollingDays: 365 },
    graceDays: 30,
    levels: [
      { id: 'member', name: 'Member', threshold: '0.00' },
      { id: 'silver', name: 'Silver', threshold: '1000.00', multiplier: 1.25, perks: ['First look at new gifts'] },
      {
        id: 'gold',
        name: 'Gold',
        threshold: '3000.00',
        multiplier: 1.5,
        discountPercent: 5,
        freeShipping: true,
        perks: ['First look at new gifts', 'Gift wrapping on us'],
      },
    ],
  },
  rewards: [
    { id: 'five-off', type: 'amount', value: '5.00', cost: 100, minimumSubtotal: '20.00', validDays: 90 },
    { id: 'any-amount', type: 'amount', perPoints: 20, value: '1.00', step: 20, minimumPoints: 200, validDays: 90 },
    { id: 'free-delivery', type: 'shipping', cost: 80, validDays: 30 },
    { id: 'ten-percent', type: 'percentage', value: 10, cost: 400, validDays: 60 },
  ],
}

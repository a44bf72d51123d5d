import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Programs } from '#app/loyalty/engine.ts'
import { endOfDay, startOfYear, yearAt } from '#app/loyalty/time.ts'
import { anyDeeds, anyRules, CUSTOMERS, longAfter, START, toEvents } from './any-history.ts'
import { ANN, DAY, makeLine, makeOrder, makeProgram, onlyProgram, Shop } from './shop.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

type Step = { at: number; order: number; cents: number; placedAt: number }
type Window = 'lifetime' | 'calendar-year' | { rollingDays: number }

/**
 * The rules of tiers said again in the plainest way: every night of the shop is looked at, every sum is made anew. Answers the level
 * (0 to 2) after each step and at the end.
 */
function playPlainly(steps: Step[], window: Window, graceDays: number, timeZone: string, until: number): number[] {
  const money = new Map<number, Step>()
  const thresholds = [0, 10_000, 30_000]
  let [level, failingSince] = [0, null as number | null]
  const between = (from: number, to: number) =>
    [...money.values()]
      .filter(({ placedAt }) => placedAt >= from && placedAt < to)
      .reduce((all, { cents }) => all + cents, 0)
  const metric = (now: number) => {
    if (window === 'lifetime') return between(-Infinity, Infinity)
    if (window !== 'calendar-year') return between(now - window.rollingDays * DAY, Infinity)
    const year = startOfYear(yearAt(now, timeZone), timeZone)
    return Math.max(between(year, Infinity), between(startOfYear(yearAt(now, timeZone) - 1, timeZone), year))
  }
  const review = (now: number, canLower: boolean) => {
    const merit = thresholds.findLastIndex((threshold) => metric(now) >= threshold)
    if (merit >= level) [level, failingSince] = [merit, null]
    else if (canLower) {
      failingSince ??= now
      if (now - failingSince >= graceDays * DAY) [level, failingSince] = [merit, null]
    }
  }
  const levels: number[] = []
  let night = endOfDay(START, timeZone)
  const passTo = (now: number) => {
    for (; night <= now; night = endOfDay(night, timeZone)) review(night, true)
  }
  for (const step of steps) {
    passTo(step.at)
    const lowered = step.cents < (money.get(step.order)?.cents ?? 0)
    money.set(step.order, step)
    review(step.at, lowered)
    levels.push(level)
  }
  passTo(until)
  return [...levels, level]
}

test(
  '32, 34: the few reviews that are scheduled find what looking every night would find',
  () => {
    const steps = fc.array(
      fc.record({
        hours: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 5000 })),
        order: fc.nat(4),
        cents: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 25_000 })),
        early: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 900 })),
      }),
      { minLength: 1, maxLength: 10 },
    )
    const property = fc.property(
      steps,
      fc.constantFrom<Window>(
        'lifetime',
        'calendar-year',
        { rollingDays: 30 },
        { rollingDays: 365 },
        { rollingDays: 1 },
      ),
      fc.constantFrom(0, 1, 7, 45),
      fc.constantFrom('UTC', 'America/New_York', 'Pacific/Auckland', 'America/Sao_Paulo'),
      (given, window, graceDays, timezone) => {
        let now = START
        const placed = new Map<number, number>()
        const played = given.map(({ hours, order, cents, early }) => {
          now += hours * HOUR
          if (!placed.has(order)) placed.set(order, now - early * HOUR)
          return { at: now, order, cents, placedAt: placed.get(order) as number }
        })
        const until = now + 1200 * DAY
        const levels = ['0', '100.00', '300.00'].map((threshold, index) => ({
          id: String(index),
          name: 'L',
          threshold,
        }))
        const shop = new Shop(onlyProgram({ timezone, tiers: { metric: 'spend', window, graceDays, levels } }))
        const found = played.map(({ at, order, cents, placedAt }) => {
          shop.happen({
            type: 'order',
            at,
            order: makeOrder({
              id: `gid://shopify/Order/${order}`,
              processedAt: placedAt,
              updatedAt: at,
              lines: [makeLine('0', { priceMinor: cents })],
            }),
          })
          return Number(shop.get(ANN).tier.level)
        })
        shop.pass(until)
        expect([...found, Number(shop.get(ANN).tier.level)]).toEqual(
          playPlainly(played, window, graceDays, timezone, until),
        )
      },
    )
    fc.assert(property, { numRuns: 1500 })
  },
  MINUTE,
)

test(
  '36: versions may come at any time with any change: books balance and time always gets on',
  () => {
    const property = fc.property(
      fc.array(fc.record({ days: fc.integer({ min: 0, max: 60 }), rules: anyRules }), { minLength: 1, maxLength: 4 }),
      anyDeeds,
      fc.boolean(),
      (given, deeds, confirmCodes) => {
        let from = START - 20 * DAY
        const programs: Programs = {
          versions: given.map(({ days, rules }, index) => {
            from += days * DAY + 1
            return { number: index + 1, from, program: makeProgram(rules) }
          }),
          historyEarns: deeds.length % 2 === 0,
          confirmCodes,
        }
        const shop = new Shop(programs)
        const events = toEvents(deeds)
        for (const event of events) {
          shop.happen(event)
          shop.audit()
        }
        shop.pass(longAfter(events))
        shop.audit()
        for (const member of shop.members.values()) {
          expect(member.version).toBe(
            programs.versions.findLast((version) => version.from <= member.advancedTo)?.number ?? 1,
          )
          if (member.tier.failingSince !== null) expect(member.tier.failingSince).toBeLessThanOrEqual(longAfter(events))
        }
      },
    )
    fc.assert(property, { numRuns: 1500 })
  },
  MINUTE,
)

test(
  '21, 35, 36: whatever is placed by hand, merged and taken out of the program, everybody is on a level of it, and a placement is of that level',
  () => {
    const rungs = ['base', 'silver', 'gold', 'platinum']
    const someTiers = fc.option(
      fc.record({
        metric: fc.constant('orders'),
        window: fc.constantFrom<Window>('lifetime', { rollingDays: 30 }),
        graceDays: fc.constantFrom(0, 5),
        levels: fc
          .subarray([1, 2, 3], { minLength: 1 })
          .map((kept) => [0, ...kept].map((rung) => ({ id: rungs[rung], name: 'L', threshold: rung }))),
      }),
      { nil: undefined },
    )
    const deed = fc.record({
      days: fc.integer({ min: 0, max: 20 }),
      kind: fc.constantFrom('order', 'order', 'refund', 'place', 'place', 'merge'),
      who: fc.nat(2),
      other: fc.nat(3),
      until: fc.option(fc.integer({ min: 1, max: 40 })),
    })
    const toEvent = (
      { kind, who, other, until }: typeof deed extends fc.Arbitrary<infer T> ? T : never,
      now: number,
    ) => {
      const customer = CUSTOMERS[who] as string
      if (kind === 'merge')
        return { type: 'merge', at: now, from: customer, into: CUSTOMERS[other % 3] as string } as const
      if (kind === 'place') {
        const placement = { level: rungs[other] as string, until: until && now + until * DAY, reason: 'r', actor: 'a' }
        return { type: 'place-tier', at: now, customer, ...placement } as const
      }
      const left = kind === 'order' ? 1 : 0
      const lines = [makeLine('10.00', { currentQuantity: left })]
      const order = makeOrder({ id: `gid://shopify/Order/${other}`, customer, processedAt: now, updatedAt: now, lines })
      return { type: 'order', at: now, order } as const
    }
    const property = fc.property(
      fc.array(someTiers, { minLength: 1, maxLength: 4 }),
      fc.array(deed, { minLength: 1, maxLength: 15 }),
      (given, deeds) => {
        const versions = given.map((tiers, index) => ({
          ...{ number: index + 1, from: START + index * 25 * DAY, program: makeProgram({ tiers }) },
        }))
        const shop = new Shop({ versions, historyEarns: true, confirmCodes: false })
        const check = (now: number) => {
          const { tiers } = versions.findLast(({ from }) => from <= now)!.program
          for (const { tier } of shop.members.values()) {
            expect(tiers?.levels.map(({ id }) => id) ?? [null]).toContain(tier.level)
            if (tier.manual !== null) expect(tier.manual.level).toBe(tier.level)
          }
        }
        let now = START
        for (const each of deeds) {
          now += each.days * DAY
          shop.happen(toEvent(each, now))
          check(now)
        }
        shop.pass(now + 200 * DAY)
        check(now + 200 * DAY)
      },
    )
    fc.assert(property, { numRuns: 2000 })
  },
  MINUTE,
)

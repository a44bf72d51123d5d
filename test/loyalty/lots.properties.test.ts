import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findLotEnd } from '#app/loyalty/lots.ts'
import { countTransfer, type Totals } from '#app/loyalty/simulate.ts'
import { endOfDayMonthsLater } from '#app/loyalty/time.ts'
import { START } from './any-history.ts'
import { ANN, DAY, makeLine, makeOrder, makeProgram, onlyProgram, Shop } from './shop.ts'

const HOUR = 3_600_000

type Rules = { holdDays: number; months: number | null; clamp: boolean; validDays: number; timezone: string }
type Token = {
  lot: string
  earnedAt: number
  releaseAt: number
  endsAt: number
  state: 'pending' | 'held' | 'gone' | string
}

/**
 * The life of points said again in the plainest way: every point is a token of its own that waits, is held, is spent on a code, or is gone. Slow, and
 * without a lot, a balance or a timetable.
 */
class Tokens {
  readonly totals = { issued: 0, redeemed: 0, expired: 0, takenBack: 0, writtenOff: 0, adjusted: 0 }
  readonly #tokens: Token[] = []
  readonly #codes: { code: string; endsAt: number; spent: Token[] }[] = []
  readonly #orders = new Map<string, { posted: number; spared: number; paidAt: number }>()
  readonly #rules: Rules
  #deficit = 0

  constructor(rules: Rules) {
    this.#rules = rules
  }

  get available(): number {
    return this.#tokens.filter(({ state }) => state === 'held').length - this.#deficit
  }
  get pending(): number {
    return this.#tokens.filter(({ state }) => state === 'pending').length
  }

  pass(now: number): void {
    for (;;) {
      const waits = this.#tokens.filter(({ state }) => state === 'pending').map(({ releaseAt }) => releaseAt)
      const ends = this.#tokens.filter(({ state }) => state === 'held').map(({ endsAt }) => endsAt)
      const codes = this.#codes.map(({ endsAt }) => endsAt)
      const next = Math.min(...waits, ...ends, ...codes)
      if (next > now) return
      for (const token of this.#tokens) if (token.state === 'pending' && token.releaseAt <= next) this.#hold(token)
      this.#expire(next)
      for (const { code, endsAt } of [...this.#codes]) if (endsAt <= next) this.giveBack(code, next)
    }
  }

  order(id: string, worth: number, now: number): void {
    const known = this.#orders.get(id) ?? { posted: 0, spared: 0, paidAt: now }
    this.#orders.set(id, known)
    while (known.posted < worth) {
      known.posted++
      if (known.spared > 0) {
        known.spared--
        this.totals.writtenOff--
      } else {
        this.totals.issued++
        this.#add(id, known.paidAt, known.paidAt + this.#rules.holdDays * DAY, now)
      }
    }
    while (known.posted > worth) {
      known.posted--
      const token =
        this.#tokens.find(({ lot, state }) => lot === id && state === 'pending') ??
        this.#tokens.find(({ lot, state }) => lot === id && state === 'held') ??
        this.#nextToSpend()
      if (token) {
        token.state = 'gone'
        this.totals.takenBack++
      } else if (this.#rules.clamp) {
        known.spared++
        this.totals.writtenOff++
      } else {
        this.#deficit++
        this.totals.takenBack++
      }
    }
    this.#expire(now)
  }

  adjust(key: string, points: number, now: number): void {
    this.totals.adjusted += points
    for (let left = points; left > 0; left--) this.#add(`adjust:${key}`, now, now, now)
    for (let left = points; left < 0; left++) {
      const token = this.#nextToSpend()
      if (token) token.state = 'gone'
      else this.#deficit++
    }
  }

  redeem(code: string, points: number, now: number): boolean {
    if (points > this.available) return false
    const spent: Token[] = []
    for (let left = points; left > 0; left--) {
      const token = this.#nextToSpend() as Token
      token.state = code
      spent.push(token)
    }
    this.totals.redeemed += points
    this.#codes.push({ code, endsAt: now + this.#rules.validDays * DAY, spent })
    return true
  }

  giveBack(code: string, now: number): void {
    const index = this.#codes.findIndex((candidate) => candidate.code === code)
    const spent = this.#codes[index]?.spent
    if (!spent) return
    this.#codes.splice(index, 1)
    this.totals.redeemed -= spent.length
    // The last spent comes back first.
    for (const token of spent.reverse()) this.#hold(token)
    this.#expire(now)
  }

  #add(lot: string, earnedAt: number, releaseAt: number, now: number): void {
    const { months, timezone } = this.#rules
    const endsAt = months === null ? Infinity : endOfDayMonthsLater(earnedAt, months, timezone)
    const token: Token = { lot, earnedAt, releaseAt, endsAt, state: 'pending' }
    this.#tokens.push(token)
    if (releaseAt <= now) this.#hold(token)
  }

  #hold(token: Token): void {
    token.state = this.#deficit > 0 ? 'gone' : 'held'
    if (this.#deficit > 0) this.#deficit--
  }

  #expire(now: number): void {
    for (const token of this.#tokens) {
      if (token.state !== 'held' || token.endsAt > now) continue
      token.state = 'gone'
      this.totals.expired++
    }
  }

  #nextToSpend(): Token | undefined {
    let best: Token | undefined
    for (const token of this.#tokens) {
      if (token.state !== 'held') continue
      const before =
        !best ||
        token.endsAt < best.endsAt ||
        (token.endsAt === best.endsAt &&
          (token.earnedAt < best.earnedAt || (token.earnedAt === best.earnedAt && token.lot < best.lot)))
      if (before) best = token
    }
    return best
  }
}

test('13 to 18: lots, deficits, holds, expiry and codes do what single points would, each followed by itself', () => {
  const step = fc.record({
    kind: fc.constantFrom('order', 'order', 'change', 'change', 'adjust', 'redeem', 'redeem', 'cancel', 'wait'),
    hours: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 900 })),
    much: fc.integer({ min: 0, max: 12 }),
    which: fc.nat(9),
  })
  const rules = fc.record({
    holdDays: fc.constantFrom(0, 2, 14),
    months: fc.constantFrom(null, 1, 2),
    clamp: fc.boolean(),
    validDays: fc.constantFrom(3, 40),
    timezone: fc.constantFrom('UTC', 'America/New_York', 'Pacific/Auckland'),
  })
  const property = fc.property(rules, fc.array(step, { minLength: 1, maxLength: 30 }), (rules, steps) => {
    const tokens = new Tokens(rules)
    const shop = new Shop(
      onlyProgram({
        timezone: rules.timezone,
        hold: { days: rules.holdDays },
        expiry: rules.months === null ? { model: 'none' } : { model: 'lot', months: rules.months },
        negativeBalance: rules.clamp ? 'clamp' : 'allow',
        rewards: [{ id: 'any', type: 'amount', value: '1.00', perPoints: 1, validDays: rules.validDays }],
      }),
    )
    let [now, orders] = [START, 0]
    const codes: string[] = []
    const hear = (number: number, worth: number) => {
      tokens.order(`gid://shopify/Order/${number}`, worth, now)
      const order = makeOrder({
        id: `gid://shopify/Order/${number}`,
        processedAt: START,
        updatedAt: now,
        lines: [makeLine(`${worth}.00`)],
      })
      shop.happen({ type: 'order', at: now, order })
    }
    steps.forEach(({ kind, hours, much, which }, index) => {
      now += hours * HOUR
      tokens.pass(now)
      shop.pass(now)
      if (kind === 'order') hear(++orders, much)
      else if (kind === 'change' && orders > 0) hear(1 + (which % orders), much)
      else if (kind === 'adjust' && much > 0) {
        const points = which < 6 ? much : -much
        tokens.adjust(`k${index}`, points, now)
        shop.happen({ type: 'adjust', at: now, customer: ANN, points, reason: 'r', actor: 'a', key: `k${index}` })
      } else if (kind === 'redeem' && much > 0) {
        const done = tokens.redeem(`C${index}`, much, now)
        const { refused } = shop.happen({
          type: 'redeem',
          at: now,
          customer: ANN,
          reward: 'any',
          points: much,
          code: `C${index}`,
        })
        expect(refused === null).toBe(done)
        codes.push(`C${index}`)
      } else if (kind === 'cancel' && codes.length > 0) {
        const code = codes[which % codes.length] as string
        tokens.giveBack(code, now)
        shop.happen({ type: 'cancel-redemption', at: now, code })
      }
      const totals: Totals = {
        issued: 0,
        redeemed: 0,
        expired: 0,
        takenBack: 0,
        writtenOff: 0,
        forfeited: 0,
        adjusted: 0,
        outstanding: 0,
      }
      for (const transfer of shop.transfers) countTransfer(totals, transfer)
      expect({
        available: shop.member(ANN)?.available ?? 0,
        pending: shop.member(ANN)?.pending ?? 0,
        ...totals,
      }).toEqual({
        available: tokens.available,
        pending: tokens.pending,
        ...tokens.totals,
        forfeited: 0,
        outstanding: 0,
      })
    })
  })
  fc.assert(property, { numRuns: 2000 })
}, 60_000)

test('whatever versions come, no points are released at or after their end', () => {
  const expiry = fc.oneof(
    fc.record({ model: fc.constantFrom('lot', 'inactivity'), months: fc.integer({ min: 4, max: 14 }) }),
    fc.record({ model: fc.constantFrom('lot', 'inactivity'), months: fc.constant(1) }),
    fc.constant({ model: 'none' }),
  )
  const rules = fc.record({ expiry, days: fc.integer({ min: 0, max: 90 }) }).map(({ expiry, days }) => ({
    expiry,
    hold: { days: 'months' in expiry && expiry.months === 1 ? Math.min(days, 28) : days },
  }))
  const version = fc.record({ days: fc.integer({ min: 1, max: 60 }), rules })
  const sale = fc.record({ placed: fc.integer({ min: 0, max: 90 }), paidAfter: fc.constantFrom(0, 1, 20) })
  const property = fc.property(
    fc.array(version, { minLength: 1, maxLength: 4 }),
    fc.array(sale, { minLength: 1, maxLength: 4 }),
    (given, sales) => {
      let from = START
      const versions = given.map(({ days, rules }, index) => {
        from += days * DAY
        return { number: index + 1, from, program: makeProgram(rules) }
      })
      const shop = new Shop({ versions, historyEarns: true, confirmCodes: false })
      const events = sales
        .map(({ placed, paidAfter }, index) => {
          const processedAt = START + placed * DAY
          const order = makeOrder({ id: `gid://shopify/Order/${index}`, processedAt, updatedAt: processedAt })
          return { type: 'order' as const, at: processedAt + paidAfter * DAY, order }
        })
        .sort((a, b) => a.at - b.at)
      const check = (now: number) => {
        const member = shop.members.get(ANN)
        for (const lot of member?.lots ?? []) {
          if (lot.pending > 0) expect(findLotEnd(member!, lot, shop.programs, now)).toBeGreaterThan(lot.releaseAt!)
        }
      }
      let now = START
      for (const event of events) {
        for (; now < event.at; now += DAY) {
          shop.pass(now)
          check(now)
        }
        shop.happen(event)
        check(event.at)
      }
      for (const until = now + 400 * DAY; now < until; now += DAY) {
        shop.pass(now)
        check(now)
      }
      const released = shop.transfers.filter(({ reason }) => reason === 'release')
      for (const { source, eventAt } of released) {
        expect(
          shop.transfers.find((one) => one.reason === 'expire' && one.eventAt === eventAt && one.source === source),
        ).toBeUndefined()
      }
    },
  )
  fc.assert(property, { numRuns: 200 })
}, 60_000)

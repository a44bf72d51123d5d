import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildMemberCard } from '#app/loyalty/build-member-card.ts'
import { advance, nextDueAt, type Member } from '#app/loyalty/engine.ts'
import { estimatePoints } from '#app/loyalty/estimate.ts'
import type { SeenLine } from '#app/loyalty/estimate.ts'
import { MemberCardSchema, ProgramCardSchema, parseMemberCard } from '#app/loyalty/member-card.ts'
import { describeTransfers } from '#app/loyalty/member-history.ts'
import { buildProgramCard, listFreeProducts } from '#app/loyalty/program-card.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { anyDeeds, anyPrograms, longAfter, toEvents } from './any-history.ts'
import { ANN, at, DAY, makeLine, makeOrder, makeProgram, onlyProgram, orderOf, Shop } from './shop.ts'

const EXAMPLE = requireProgram(
  JSON.parse(readFileSync(new URL('../fixtures/contracts/program.example.json', import.meta.url), 'utf8')),
)
const MINUTE = 60_000

test('the contract’s program as the storefront shows it', () => {
  const card = ProgramCardSchema.parse(buildProgramCard(EXAMPLE, at('2026-06-01')))
  expect(card.earning.map(({ label }) => label)).toEqual([
    '5 beans for every $1.00 spent',
    '100 beans for signing up',
    '250 beans on your birthday',
    '50 beans for a review · Once per order',
  ])
  expect(card.tiers[2]).toEqual({
    id: 'gold',
    name: 'Gold',
    from: 'From $500.00 spent',
    perks: ['1.5× beans', '10% off', 'Free shipping', 'First to try new roasts'],
  })
  expect(card.rewards.map(({ id, label, cost, conditions }) => [id, label, cost, conditions])).toEqual([
    ['five-off', '$5.00 off', 500, ['On orders from $20.00', 'Valid for 90 days']],
    ['any-amount', '$1.00 off', 100, ['For at most 50% of an order', 'Valid for 90 days']],
    ['ship-free', 'Free shipping', 300, ['Valid for 30 days']],
    ['mug', 'Free product', 1500, ['Valid for 60 days']],
  ])
})

test.each([
  [['House Blend'], 1, 'Free: House Blend'],
  [['House Blend', 'Mug'], 2, 'Free: House Blend or Mug'],
  [['A', 'B', 'C', 'D', 'E'], 5, 'Free: A, B, C or one of 2 others'],
  [['House Blend'], 2, 'Free: House Blend or another'],
  [[], 2, 'Free product'],
  [['x'.repeat(255)], 1, `Free: ${'x'.repeat(59)}…`],
])('a free product is named on the program card: titles %j of %i products', (known, count, label) => {
  const products = Array.from({ length: count }, (_, index) => `gid://shopify/Product/${index + 1}`)
  const program = makeProgram({ rewards: [{ id: 'free', type: 'product', cost: 10, products }] })
  const titles = Object.fromEntries(known.map((title, index) => [products[index]!, title]))
  expect(listFreeProducts(program)).toEqual(products)
  expect(ProgramCardSchema.parse(buildProgramCard(program, 0, titles)).rewards[0]?.label).toBe(label)
})

test.each<[string, Record<string, unknown>]>([
  ['2× points', {}],
  ['2× points · On orders from $100.00 · On weekends', { when: { minimumSubtotal: '100.00', weekdays: [7, 6] } }],
  ['2× points · On weekdays', { when: { weekdays: [1, 2, 3, 4, 5] } }],
  ['2× points · On Mondays, Wednesdays and Fridays', { when: { weekdays: [5, 1, 3] } }],
  ['2× points', { when: { weekdays: [1, 2, 3, 4, 5, 6, 7] } }],
  ['2× points on selected products · For Silver, Gold', { when: { tags: ['tea'], tiers: ['gold', 'silver'] } }],
  ['2× points · In our shops', { when: { channels: ['pos'] } }],
  ['2× points · In the online store or on subscriptions', { when: { channels: ['web', 'subscription'] } }],
  ['2× points · Through selected sales channels', { when: { channels: ['580111', 'instagram'] } }],
  ['2× points · Only once', { limit: { times: 1, every: 'ever' } }],
  ['2× points · At most twice a year', { limit: { times: 2, every: 'year' } }],
  ['2× points · At most 3 times a day', { limit: { times: 3, every: 'day' } }],
  ['2× points', { limit: { times: 1, every: 'order' } }],
])('how to earn says under which conditions: %s', (label, conditions) => {
  const levels = ['Basic', 'Silver', 'Gold'].map((name, index) => ({
    id: name.toLowerCase(),
    name,
    threshold: index * 100,
  }))
  const program = makeProgram({
    earning: [{ id: 'twice', on: 'order', multiplier: 2, ...conditions }],
    tiers: { metric: 'points', window: 'lifetime', levels },
  })
  expect(buildProgramCard(program, 0).earning.map((rule) => rule.label)).toEqual([label])
})

test('a rule shows while its window is open, and not before or after', () => {
  const labels = (instant: string) => buildProgramCard(EXAMPLE, at(instant)).earning.map(({ id }) => id)
  expect(labels('2026-05-02T03:59')).not.toContain('double-weekend')
  expect(labels('2026-05-02T04:00')).toContain('double-weekend')
  expect(labels('2026-05-04T04:00')).not.toContain('double-weekend')
})

test(
  'whatever happens to a member, the card keeps its contract and tells the balance',
  () => {
    fc.assert(
      fc.property(anyPrograms, anyDeeds, (programs, deeds) => {
        const shop = new Shop(programs)
        const events = toEvents(deeds)
        for (const event of events) shop.happen(event)
        const now = longAfter(events)
        for (const member of shop.members.values()) {
          const card = buildMemberCard(member, programs, now)
          if (member.erasedAt !== null) expect(card).toBeNull()
          else {
            expect(MemberCardSchema.safeParse(card).error).toBeUndefined()
            expect(card).toMatchObject({ balance: member.available, pending: member.pending })
            expect(parseMemberCard(JSON.stringify(card))).toEqual(card)
          }
        }
      }),
      { numRuns: 200 },
    )
  },
  MINUTE,
)

test(
  'codes leave a card only at instants at which something is due of the member, or the card would go on showing them',
  () => {
    fc.assert(
      fc.property(anyPrograms, anyDeeds, (programs, deeds) => {
        const shop = new Shop(programs)
        for (const event of toEvents(deeds)) shop.happen(event)
        for (const member of shop.members.values()) {
          let record: Member = member
          for (let steps = 0; steps < 30; steps += 1) {
            const due = nextDueAt(record, programs)
            const until = (due ?? record.advancedTo + 1_000 * DAY) - 1
            if (until > record.advancedTo) {
              const [now, then] = [record.advancedTo, until].map((when) => buildMemberCard(record, programs, when))
              expect(then?.codes).toEqual(now?.codes)
            }
            if (due === null) break
            record = advance(record, programs, due).member
          }
        }
      }),
      { numRuns: 200 },
    )
  },
  MINUTE,
)

test.each(['', 'null', '[]', '{"version":2}', '{"version":1}', 'not json', '{"version":1,"balance":"10"}'])(
  'a metafield that is no card of this version (%s) is no card, never an error',
  (text) => {
    expect(parseMemberCard(text)).toBeNull()
  },
)

test('the way to the next tier is counted from the member’s own level', () => {
  const levels = [
    { id: 'basic', name: 'Basic', threshold: '0.00' },
    { id: 'silver', name: 'Silver', threshold: '100.00' },
    { id: 'gold', name: 'Gold', threshold: '300.00' },
  ]
  const programs = onlyProgram({ tiers: { metric: 'spend', window: 'lifetime', levels } })
  const shop = new Shop(programs)
  shop.happen({ type: 'order', at: at('2026-08-01T12:00'), order: orderOf(1, '150.00', '2026-08-01T12:00') })
  const card = buildMemberCard(shop.member(ANN)!, programs, at('2026-08-02'))
  expect(card?.tier).toEqual({ id: 'silver', name: 'Silver' })
  expect(card?.progress).toEqual({
    next: { id: 'gold', name: 'Gold' },
    metric: 'spend',
    missing: '150.00',
    percent: 25,
  })
})

test('the points that go next are all that go at that instant', () => {
  const programs = onlyProgram({ expiry: { model: 'lot', months: 1 } })
  const shop = new Shop(programs)
  shop.happen({ type: 'order', at: at('2026-08-01T12:00'), order: orderOf(1, '10.00', '2026-08-01T12:00') })
  shop.happen({ type: 'order', at: at('2026-08-01T18:00'), order: orderOf(2, '5.00', '2026-08-01T18:00') })
  shop.happen({ type: 'order', at: at('2026-08-09T12:00'), order: orderOf(3, '7.00', '2026-08-09T12:00') })
  const card = buildMemberCard(shop.member(ANN)!, programs, at('2026-08-10'))
  expect(card?.nextExpiry).toEqual({ points: 15, at: '2026-09-02T00:00:00.000Z' })
})

test('a code is on the card until it runs out', () => {
  const programs = onlyProgram({ rewards: [{ id: 'r', type: 'amount', value: '5.00', cost: 10, validDays: 30 }] })
  const shop = new Shop(programs)
  shop.happen({ type: 'order', at: at('2026-08-01T12:00'), order: orderOf(1, '50.00', '2026-08-01T12:00') })
  shop.happen({ type: 'redeem', at: at('2026-08-02'), customer: ANN, reward: 'r', code: 'BEANS' })
  const cardAt = (instant: number) => buildMemberCard(shop.member(ANN)!, programs, instant)?.codes
  expect(cardAt(at('2026-08-03'))).toEqual([
    { code: 'BEANS', id: 'BEANS', reward: 'r', label: '$5.00 off', points: 10, until: '2026-09-01T00:00:00.000Z' },
  ])
  expect(cardAt(at('2026-08-02') + 30 * DAY)).toEqual([])
})

test('a gift card is on the card with the mark that it cannot be given back, a code without it', () => {
  const rewards = [
    { id: 'card', type: 'gift-card', value: '5.00', cost: 10 },
    { id: 'five', type: 'amount', value: '5.00', cost: 10 },
  ]
  const programs = onlyProgram({ rewards })
  const shop = new Shop(programs)
  shop.happen({ type: 'order', at: at('2026-08-01T12:00'), order: orderOf(1, '50.00', '2026-08-01T12:00') })
  shop.happen({ type: 'redeem', at: at('2026-08-02'), customer: ANN, reward: 'card', code: 'GIFT' })
  shop.happen({ type: 'redeem', at: at('2026-08-03'), customer: ANN, reward: 'five', code: 'BEANS' })
  const card = buildMemberCard(shop.member(ANN)!, programs, at('2026-08-04'))
  expect(card?.codes.map(({ code, canReturn }) => [code, canReturn])).toEqual([
    ['GIFT', false],
    ['BEANS', undefined],
  ])
  expect(parseMemberCard(JSON.stringify(card))).toEqual(card)
})

test('a code for a free product has its reward’s name for as long as that gives the same product', () => {
  const free = (product: number) => ({
    id: 'free',
    type: 'product',
    products: [`gid://shopify/Product/${product}`],
    cost: 10,
  })
  const programs = onlyProgram({ rewards: [free(1)] })
  const shop = new Shop(programs)
  shop.happen({ type: 'order', at: at('2026-08-01T12:00'), order: orderOf(1, '50.00', '2026-08-01T12:00') })
  shop.happen({ type: 'redeem', at: at('2026-08-02'), customer: ANN, reward: 'free', code: 'BEANS' })
  const codesUnder = (rewards: object[]) => {
    const [next] = onlyProgram({ rewards }).versions
    const versions = [...programs.versions, { ...next!, number: 2, from: at('2026-08-03') }]
    return buildMemberCard(shop.member(ANN)!, { ...programs, versions }, at('2026-08-04'))?.codes
  }
  const code = { code: 'BEANS', reward: 'free', label: 'Free product', named: true }
  expect(codesUnder([free(1)])).toMatchObject([code])
  expect(codesUnder([free(2)])).toEqual([expect.not.objectContaining({ named: true })])
  expect(codesUnder([])).toEqual([expect.not.objectContaining({ named: true })])
})

test('the history is what a shopper would tell: nothing of holds and reservations, signs as they were felt', () => {
  const programs = onlyProgram({ hold: { days: 1 }, rewards: [{ id: 'r', type: 'amount', value: '5.00', cost: 10 }] })
  const shop = new Shop(programs)
  shop.happen({ type: 'order', at: at('2026-08-01T12:00'), order: orderOf(1, '50.00', '2026-08-01T12:00') })
  shop.happen({ type: 'redeem', at: at('2026-08-05'), customer: ANN, reward: 'r', code: 'BEANS' })
  shop.happen({ type: 'cancel-redemption', at: at('2026-08-06'), code: 'BEANS' })
  expect(describeTransfers(ANN, shop.transfers).map(({ label, points }) => [label, points])).toEqual([
    ['Order', 50],
    ['Reward', -10],
    ['Reward given back', 10],
  ])
})

test('what the storefront estimates is what the order then gets, to the point', () => {
  const price = fc.integer({ min: 1, max: 500_00 })
  const line = fc.record({ price, quantity: fc.integer({ min: 1, max: 5 }), giftCard: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('floor', 'half-up', 'ceil'),
      (lines, rounding) => {
        const programs = onlyProgram({
          rounding,
          earning: [
            { id: 'base', on: 'order', points: 3, per: '7.00' },
            { id: 'item', on: 'order', points: 2, per: 'item' },
            { id: 'twice', on: 'order', multiplier: 1.5, when: { minimumSubtotal: '100.00' } },
          ],
        })
        const seen: SeenLine[] = lines.map((each) => ({
          ...each,
          product: 'gid://shopify/Product/1',
          compareAt: null,
          collections: [],
          tags: [],
        }))
        const placed = at('2026-08-01T12:00')
        const program = programs.versions[0]!.program
        const { points } = estimatePoints(seen, program, null, { at: placed, taxesIncluded: false })
        const shop = new Shop(programs)
        const bought = lines.map(({ price: minor, quantity, giftCard }, index) =>
          makeLine((minor / 100).toFixed(2), { id: `gid://shopify/LineItem/${index}`, quantity, giftCard }),
        )
        shop.happen({ type: 'order', at: placed, order: makeOrder({ lines: bought }) })
        const member = shop.member(ANN)
        expect(points).toBe((member?.available ?? 0) + (member?.pending ?? 0))
      },
    ),
  )
})

test.each(['everyone', 'accounts', 'opt-in'] as const)(
  'with enrolment %s the estimate is what the order gets, and with “join” what it gets once the customer has joined',
  (enrolment) => {
    const asked = fc.record({
      price: fc.integer({ min: 1, max: 500_00 }),
      // What is known of the customer before: nothing, or that they have (no) account, and whether they joined by hand.
      known: fc.constantFrom(null, 'enabled', 'disabled'),
      hasJoined: fc.boolean(),
      isErased: fc.boolean(),
      signedIn: fc.boolean(),
    })
    fc.assert(
      fc.property(asked, ({ price, known, hasJoined, isErased, signedIn }) => {
        const programs = onlyProgram({ enrolment })
        const [before, placed] = [at('2026-07-01T12:00'), at('2026-08-01T12:00')]
        const shop = new Shop(programs)
        if (known) shop.happen({ type: 'customer', at: before, customer: ANN, state: known })
        if (hasJoined) shop.happen({ type: 'opt-in', at: before, customer: ANN })
        if (isErased) shop.happen({ type: 'erase', at: before, customer: ANN })
        const line = { product: 'gid://shopify/Product/1', quantity: 1, price, compareAt: null, giftCard: false }
        const seen: SeenLine[] = [{ ...line, collections: [], tags: [] }]
        const program = programs.versions[0]!.program
        const context = { at: placed, taxesIncluded: false, signedIn }
        const { points, join } = estimatePoints(seen, program, shop.member(ANN) ?? null, context)
        // An order brings Shopify's word about the account: who can sign in has one.
        const state = known ?? (signedIn ? 'enabled' : 'disabled')
        const order = makeOrder({ customerState: state, lines: [makeLine((price / 100).toFixed(2))] })
        const earnedBy = (buyer: Shop, differences: Partial<typeof order> = {}) => {
          buyer.happen({ type: 'order', at: placed, order: { ...order, ...differences } })
          return buyer.member(ANN)?.available ?? 0
        }
        const earned = earnedBy(shop)
        expect(earned).toBe(join ? 0 : points)
        if (!join) return
        const joining = new Shop(programs)
        joining.happen({ type: 'opt-in', at: before, customer: ANN })
        expect(earnedBy(joining, { customerState: 'enabled' })).toBe(points)
      }),
    )
  },
)

test.each([
  ['USD', 1250, '12.50'],
  ['JPY', 50_000, '500'],
  ['KWD', 1250, '12.500'],
])('Liquid’s hundredths are read in %s: %i is %s', (currency, price, amount) => {
  const earning = [{ id: 'base', on: 'order', points: 1, per: amount }]
  const programs = onlyProgram({ currency, earning })
  const seen: SeenLine = {
    product: 'gid://shopify/Product/1',
    quantity: 3,
    price,
    compareAt: null,
    giftCard: false,
    collections: [],
    tags: [],
  }
  const now = at('2026-08-01')
  expect(estimatePoints([seen], programs.versions[0]!.program, null, { at: now, taxesIncluded: false }).points).toBe(3)
})

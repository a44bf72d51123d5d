import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Event, Member } from '#app/loyalty/engine.ts'
import { findLotEnd } from '#app/loyalty/lots.ts'
import type { Order } from '#app/loyalty/order.ts'
import { rewardCounter } from '#app/loyalty/rewards.ts'
import { describeMember, simulateRecords } from '#app/loyalty/simulate.ts'
import { anyDeeds, anyDisorder, anyPrograms, anyRules, disturb, longAfter, START, toEvents } from './any-history.ts'
import { ANN, BEN, DAY, makeLine, makeOrder, makeRefund, onlyProgram, refundTo, Shop } from './shop.ts'

/** Other work may share the machine: alone, each of these takes a few seconds. */
const MINUTE = 60_000
const HOUR = 3_600_000

const holdings = ({ available, pending, reserved, lifetimeEarned }: Member) => ({
  available,
  pending,
  reserved,
  lifetimeEarned,
})

const lotsOf = (member: Member) =>
  [...member.lots].sort((a, b) => (a.key < b.key ? -1 : 1)).map((lot) => ({ ...lot, releaseAt: null }))

test(
  'whatever happens, accounts add up to zero, balances are the sum of their transfers and of their lots, and no key is used twice',
  () => {
    fc.assert(
      fc.property(anyPrograms, anyDeeds, (programs, deeds) => {
        const shop = new Shop(programs)
        const events = toEvents(deeds)
        for (const event of events) {
          shop.happen(event)
          shop.audit()
        }
        shop.pass(longAfter(events))
        shop.audit()
      }),
      { numRuns: 2000 },
    )
  },
  MINUTE,
)

test(
  'what members had at any instant is the sum of the transfers until then',
  () => {
    const property = fc.property(anyPrograms, anyDeeds, (programs, deeds) => {
      const shop = new Shop(programs)
      const seen = new Map<number, Map<string, number>>()
      const look = (at: number) =>
        seen.set(at, new Map([...shop.members].map(([id, member]) => [id, member.available])))
      const events = toEvents(deeds)
      for (const event of events) {
        shop.happen(event)
        look(event.at)
      }
      shop.pass(longAfter(events))
      look(longAfter(events))
      for (const [at, balances] of seen) {
        const until = shop.transfers.filter(({ eventAt }) => eventAt <= at)
        for (const [id, available] of balances) {
          const account = `member:${id}.available`
          const sum = (side: 'from' | 'to') =>
            until.filter((transfer) => transfer[side] === account).reduce((all, { amount }) => all + amount, 0)
          expect(sum('to') - sum('from')).toBe(available)
        }
      }
    })
    fc.assert(property, { numRuns: 500 })
  },
  MINUTE,
)

test(
  'the same stays true where messages come in any order, customers are merged and erased',
  () => {
    const property = fc.property(anyPrograms, anyDeeds, anyDisorder, (programs, deeds, disorder) => {
      const events = toEvents(deeds)
      const shop = new Shop(programs)
      for (const event of disturb(events, disorder)) {
        const { members } = shop.tell(event)
        for (const member of members) expect(member.advancedTo).toBeGreaterThanOrEqual(event.at)
        shop.audit()
      }
      shop.pass(longAfter(events))
      shop.audit()
      for (const member of shop.members.values()) {
        if (member.erasedAt !== null) expect(holdings(member)).toMatchObject({ available: 0, pending: 0 })
      }
    })
    fc.assert(property, { numRuns: 2000 })
  },
  MINUTE,
)

/** What is counted beside the balances, counted again from redemptions, orders and transfers. */
function recount(shop: Shop, member: Member): void {
  const isOf = (id: string | null | undefined) => id != null && shop.member(id)?.id === member.id
  const holderOf = (account: string) => /^member:(.*)\.\w+$/.exec(account)?.[1]
  const codes = [...shop.redemptions.values()].filter((redemption) => isOf(redemption.member))
  for (const { id } of shop.programs.versions[0]!.program.rewards) {
    const standing = codes.filter(({ reward, state }) => reward === id && state !== 'returned')
    expect(member.counters[rewardCounter(id)] ?? 0).toBe(standing.length)
  }
  for (const { points, returned, state } of codes) expect(returned === points).toBe(state === 'returned')
  let earned = 0
  for (const { from, to, amount } of shop.transfers) {
    if (from === 'shop.issued' && isOf(holderOf(to))) earned += amount
    if (to === 'shop.taken_back' && isOf(holderOf(from))) earned -= amount
  }
  expect(member.lifetimeEarned).toBe(earned)
  if (member.erasedAt !== null) return
  const orders = [...shop.orders.values()].filter(({ terms }) => isOf(terms?.member))
  const limited = orders.filter(({ terms }) => terms!.places.includes('first'))
  expect(member.counters['rule:first|ever'] ?? 0).toBe(limited.length)
  for (const { worth, posted } of orders) expect(posted).toBe(worth!.points)
  const counting = orders.filter(({ worth }) => worth!.points > 0 || worth!.spendMinor > 0)
  const activity = member.activity.filter(({ key }) => shop.orders.has(key))
  expect(activity.map(({ key, points }) => [key, points]).sort()).toEqual(
    counting.map(({ id, worth }) => [id, worth!.points]).sort(),
  )
  expect(member.lifetime.points).toBe(member.activity.reduce((all, { points }) => all + points, 0))
}

test(
  'uses of rewards, places of limits, activity and points ever earned stay what redemptions, orders and transfers say, whatever happens',
  () => {
    const property = fc.property(anyPrograms, anyDeeds, anyDisorder, fc.boolean(), (programs, deeds, disorder, ask) => {
      const shop = new Shop({ ...programs, confirmCodes: ask })
      const events = toEvents(deeds)
      for (const event of disturb(events, disorder)) {
        for (const member of shop.tell(event).members) recount(shop, member)
      }
      shop.pass(longAfter(events))
      for (const member of shop.members.values()) recount(shop, member)
    })
    fc.assert(property, { numRuns: 500 })
  },
  MINUTE,
)

/** What one order goes through within two weeks: snapshots with rising `updatedAt`, and refunds that also come alone. */
const anyOrderLife = fc
  .record({
    lines: fc.array(fc.record({ cents: fc.integer({ min: 0, max: 9000 }), quantity: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    steps: fc.array(
      fc.record({
        kind: fc.constantFrom('refund', 'refund-alone', 'give-back', 'add', 'cancel', 'partly-paid', 'other-customer'),
        line: fc.nat(2),
        much: fc.integer({ min: 1, max: 3000 }),
        // The seconds between a change and the webhook that tells of it differ.
        delay: fc.integer({ min: 0, max: 9 }),
      }),
      { maxLength: 6 },
    ),
  })
  .map(({ lines, steps }) => {
    let order = makeOrder({
      processedAt: START,
      updatedAt: START,
      lines: lines.map(({ cents, quantity }, index) =>
        makeLine('0', {
          id: `gid://shopify/LineItem/${index + 1}`,
          priceMinor: cents,
          quantity,
          currentQuantity: quantity,
        }),
      ),
    })
    const events: Event[] = [{ type: 'order', at: START + 1000, order }]
    steps.forEach(({ kind, line, much, delay }, index) => {
      const now = START + (index + 1) * DAY
      const place = line % order.lines.length
      const at = now + delay * 1000
      const refund = makeRefund({
        id: `gid://shopify/Refund/${index + 1}`,
        lines: kind === 'give-back' ? [] : [{ line: order.lines[place]!.id, quantity: 1 }],
        givenBackMinor: kind === 'give-back' ? much : 0,
      })
      const next: Order = { ...order, updatedAt: now, financialStatus: 'partially_refunded' }
      const fewer = order.lines.map((each, at) =>
        at === place ? { ...each, currentQuantity: Math.max(0, each.currentQuantity - 1) } : each,
      )
      const canRefund = order.lines[place]!.currentQuantity > 0
      if (kind === 'refund' || kind === 'refund-alone') {
        if (!canRefund) return
        order = { ...next, lines: fewer, refunds: [...order.refunds, refund] }
        if (kind === 'refund-alone') events.push({ type: 'refund', at, order: order.id, refund })
      } else if (kind === 'give-back') order = { ...next, refunds: [...order.refunds, refund] }
      else if (kind === 'add') {
        const id = `gid://shopify/LineItem/1${index}`
        order = { ...next, financialStatus: 'paid', lines: [...order.lines, makeLine('0', { id, priceMinor: much })] }
      } else if (kind === 'cancel') order = { ...next, cancelledAt: now, financialStatus: 'refunded' }
      else if (kind === 'other-customer') order = { ...next, customer: order.customer === ANN ? BEN : ANN }
      const heard = kind === 'partly-paid' ? { ...next, financialStatus: 'partially_paid' } : order
      if (kind !== 'refund-alone') events.push({ type: 'order', at, order: heard })
    })
    return events
  })

test(
  '3, 7: shuffled, doubled, late and lone webhooks of an order end in the same balances as each once in order',
  () => {
    const rules = anyRules.map((rules) => ({ ...rules, tiers: undefined, expiry: { model: 'lot', months: 12 } }))
    const property = fc.property(rules, anyOrderLife, fc.infiniteStream(fc.nat(1000)), (rules, events, stream) => {
      const programs = onlyProgram({ ...rules, earning: rules.earning.filter((rule) => !('limit' in rule)) })
      const draw = () => stream.next().value as number
      const straight = new Shop(programs)
      for (const event of events) straight.tell(event)
      const pile = events.flatMap((event) => (draw() % 3 === 0 ? [event, event] : [event]))
      const shuffled = pile
        .map((event) => ({ event, rank: draw() }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ event }) => event)
      const other = new Shop(programs)
      for (const event of shuffled) {
        other.tell(event)
        other.audit()
      }
      for (const shop of [straight, other]) shop.pass(START + 60 * DAY)
      const result = (shop: Shop) => ({
        worth: shop.order('gid://shopify/Order/1')?.worth?.points,
        posted: shop.order('gid://shopify/Order/1')?.posted,
        // A member who never had points need not have been met.
        members: [ANN, BEN].map((id) => {
          const member = shop.member(id)
          return member && (member.available !== 0 || member.pending !== 0) ? [holdings(member), lotsOf(member)] : null
        }),
      })
      expect(result(other)).toEqual(result(straight))
    })
    fc.assert(property, { numRuns: 3000 })
  },
  MINUTE,
)

test(
  '7, 16: partial refunds never take back more than was earned, and end where one full refund ends',
  () => {
    const property = fc.property(
      fc.record({
        rules: anyRules,
        quantity: fc.integer({ min: 1, max: 12 }),
        cents: fc.integer({ min: 1, max: 9000 }),
        discount: fc.integer({ min: 0, max: 500 }),
        before: fc.integer({ min: -300, max: 300 }),
        spent: fc.integer({ min: 3, max: 200 }),
        afterHold: fc.boolean(),
      }),
      ({ rules, quantity, cents, discount, before, spent, afterHold }) => {
        const line = makeLine('0', { priceMinor: cents, quantity, discountMinor: Math.min(discount, cents * quantity) })
        const order = makeOrder({ processedAt: START, lines: [line] })
        const started = () => {
          const shop = new Shop(onlyProgram({ ...rules, expiry: { model: 'none' }, tiers: undefined }))
          if (before !== 0) {
            const gift = { customer: ANN, points: before, reason: 'r', actor: 'a', key: 'before' }
            shop.happen({ type: 'adjust', at: START - DAY, ...gift })
          }
          shop.hear(order)
          const at = START + (afterHold ? 20 : 1) * DAY
          shop.happen({ type: 'redeem', at, customer: ANN, reward: 'any', points: spent, code: 'SPENT' })
          return shop
        }
        const inFull = started()
        const refundedAt = START + 30 * DAY
        inFull.hear({ ...refundTo(order, 0, '2026-01-15'), updatedAt: refundedAt })
        const inParts = started()
        const earned = inParts.get(ANN).lifetimeEarned
        for (let left = quantity - 1; left >= 0; left--) {
          inParts.hear({ ...refundTo(order, left, '2026-01-15'), updatedAt: refundedAt + (quantity - left) * HOUR })
          inParts.audit()
          const taken = inParts.transfers
            .filter(({ to, from }) => to === 'shop.taken_back' || from === 'shop.taken_back')
            .reduce((all, { to, amount }) => all + (to === 'shop.taken_back' ? amount : -amount), 0)
          expect(taken).toBeLessThanOrEqual(earned)
        }
        for (const shop of [inFull, inParts]) shop.pass(START + 60 * DAY)
        expect(holdings(inParts.get(ANN))).toEqual(holdings(inFull.get(ANN)))
        expect(lotsOf(inParts.get(ANN))).toEqual(lotsOf(inFull.get(ANN)))
      },
    )
    fc.assert(property, { numRuns: 2000 })
  },
  MINUTE,
)

const anyLots = fc.record({
  expiry: fc.constantFrom({ model: 'lot', months: 2 }, { model: 'inactivity', months: 2 }, { model: 'none' }),
  credits: fc.array(
    fc.record({ hours: fc.integer({ min: 0, max: 500 }), points: fc.integer({ min: 1, max: 50 }), gift: fc.boolean() }),
    { minLength: 1, maxLength: 8 },
  ),
  spend: fc.integer({ min: 1, max: 300 }),
})

function withLots({
  expiry,
  credits,
}: {
  expiry: object
  credits: { hours: number; points: number; gift: boolean }[]
}) {
  const shop = new Shop(
    onlyProgram({
      expiry,
      earning: Array.from({ length: 50 }, (_, index) => ({
        id: `e${index}`,
        on: `custom:${index + 1}`,
        points: index + 1,
      })),
      rewards: [{ id: 'any', type: 'amount', value: '1.00', perPoints: 1 }],
    }),
  )
  let at = START
  credits.forEach(({ hours, points, gift }, index) => {
    at += hours * HOUR
    if (gift) shop.happen({ type: 'adjust', at, customer: ANN, points, reason: 'r', actor: 'a', key: `k${index}` })
    else shop.happen({ type: 'event', at, customer: ANN, name: String(points), key: `k${index}`, order: null })
  })
  return { shop, at }
}

test(
  '18: redeeming and giving back at once restores every lot exactly',
  () => {
    const property = fc.property(anyLots, (lots) => {
      const { shop, at } = withLots(lots)
      const before = shop.get(ANN)
      const { refused } = shop.happen({
        type: 'redeem',
        at,
        customer: ANN,
        reward: 'any',
        points: lots.spend,
        code: 'A',
      })
      if (refused !== null) {
        expect(lots.spend).toBeGreaterThan(before.available)
        return
      }
      expect(shop.get(ANN).available).toBe(before.available - lots.spend)
      expect(shop.happen({ type: 'cancel-redemption', at, code: 'A' }).refused).toBeNull()
      shop.audit()
      expect(holdings(shop.get(ANN))).toEqual(holdings(before))
      expect(lotsOf(shop.get(ANN))).toEqual(lotsOf(before))
    })
    fc.assert(property, { numRuns: 3000 })
  },
  MINUTE,
)

test(
  '14: spending never takes from a lot while one that ends earlier, or an older one that ends with it, has anything left',
  () => {
    const property = fc.property(anyLots, (lots) => {
      const { shop, at } = withLots(lots)
      const points = Math.min(lots.spend, shop.get(ANN).available)
      if (points === 0) return
      shop.happen({ type: 'redeem', at, customer: ANN, reward: 'any', points, code: 'A' })
      const after = shop.get(ANN)
      const { draws } = after.redemptions[0]!
      expect(draws.reduce((all, draw) => all + draw.points, 0)).toBe(points)
      for (const draw of draws) {
        const lot = {
          key: draw.lot,
          earnedAt: draw.earnedAt,
          releaseAt: null,
          expiresAt: null,
          pending: 0,
          available: 0,
        }
        // The lot's own end is what the engine says of a lot opened at that instant.
        const known = after.lots.find((candidate) => candidate.key === draw.lot)
        for (const other of after.lots) {
          if (other.key === draw.lot) continue
          if (other.earnedAt >= draw.earnedAt) continue
          // Older and still with points, though a younger one was spent: only where it ends later.
          const end = known ? findLotEnd(after, known, shop.programs, at) : findLotEnd(after, lot, shop.programs, at)
          expect(findLotEnd(after, other, shop.programs, at)).toBeGreaterThan(end)
        }
      }
    })
    fc.assert(property, { numRuns: 2000 })
  },
  MINUTE,
)

test(
  'replaying a whole log from nothing equals applying it step by step, however often the clock is looked at between',
  () => {
    const property = fc.property(
      anyPrograms,
      anyDeeds,
      fc.array(fc.integer({ min: 1, max: 4000 })),
      (programs, deeds, looks) => {
        const events = toEvents(deeds)
        const until = longAfter(events)
        const { program } = programs.versions[0]!
        const log = events.map((event, index) => ({ line: index + 1, event }))
        const { simulation } = simulateRecords(program, log, { until })
        const shop = new Shop(programs)
        const pauses = looks.map((hours) => START + hours * HOUR).sort((a, b) => a - b)
        for (const event of events) {
          while (pauses[0] !== undefined && pauses[0] <= event.at) shop.pass(pauses.shift() as number)
          shop.happen(event)
        }
        shop.pass(until)
        for (const member of shop.members.values()) {
          expect(describeMember(member, programs, until)).toEqual(simulation.members[member.id])
        }
        for (const order of shop.orders.values()) expect(order.worth?.points).toBe(simulation.orders[order.id]?.points)
      },
    )
    fc.assert(property, { numRuns: 1500 })
  },
  MINUTE,
)

test(
  '21: two customers merged hold what one customer with both histories would hold',
  () => {
    const property = fc.property(
      fc.array(
        fc.record({
          who: fc.constantFrom(ANN, BEN),
          kind: fc.constantFrom('order', 'gift', 'event', 'refund'),
          hours: fc.integer({ min: 1, max: 40 }),
          much: fc.integer({ min: 1, max: 80 }),
        }),
        { minLength: 2, maxLength: 15 },
      ),
      fc.constantFrom({ model: 'lot', months: 6 }, { model: 'inactivity', months: 6 }, { model: 'none' }),
      fc.constantFrom(0, 10),
      (steps, expiry, days) => {
        const play = (as: (customer: string) => string) => {
          const earning = [
            { id: 'purchase', on: 'order', points: 1, per: '1.00' },
            { id: 'survey', on: 'custom:survey', points: 9 },
          ]
          const shop = new Shop(onlyProgram({ expiry, hold: { days }, earning }))
          const orders: Order[] = []
          let at = START
          steps.forEach(({ who, kind, hours, much }, index) => {
            at += hours * HOUR
            const customer = as(who)
            const key = `k${index}`
            if (kind === 'gift')
              shop.happen({ type: 'adjust', at, customer, points: much, reason: 'r', actor: 'a', key })
            else if (kind === 'event') shop.happen({ type: 'event', at, customer, name: 'survey', key, order: null })
            else if (kind === 'order') {
              const order = makeOrder({
                id: `gid://shopify/Order/${index}`,
                customer,
                processedAt: at,
                lines: [makeLine(`${much}.00`, { quantity: 3 })],
              })
              orders.push(order)
              shop.happen({ type: 'order', at, order })
            } else if (orders.length > 0) {
              const refunded = orders[much % orders.length] as Order
              const order = { ...refundTo(refunded, much % 3, '2026-01-01'), updatedAt: at }
              shop.happen({ type: 'order', at, order })
            }
          })
          shop.happen({ type: 'merge', at: at + HOUR, from: BEN, into: ANN })
          shop.audit()
          return shop.get(ANN)
        }
        const merged = play((customer) => customer)
        const one = play(() => ANN)
        expect(holdings(merged)).toEqual(holdings(one))
        const plain = (member: Member) =>
          lotsOf(member)
            .map((lot) => ({ ...lot, key: lot.key.replaceAll(BEN, ANN) }))
            .sort((a, b) => (a.key < b.key ? -1 : 1))
        expect(plain(merged)).toEqual(plain(one))
      },
    )
    fc.assert(property, { numRuns: 1500 })
  },
  MINUTE,
)

test(
  '5: whatever segments, merges and the catalogue say later, an order has the points of its first evaluation',
  () => {
    const collection = 'gid://shopify/Collection/1'
    const facts = fc.record({
      collections: fc.subarray([collection]),
      tags: fc.subarray(['sale']),
      compareAtMinor: fc.constantFrom(null, 20_000),
    })
    const campaign = fc.record({
      segments: fc.constantFrom(undefined, ['lost'], ['champions', 'lost']),
      holdOut: fc.constantFrom(undefined, 0.5),
      collections: fc.constantFrom(undefined, [collection]),
    })
    const later = fc.oneof(
      fc.record({ kind: fc.constant('segments' as const), segments: fc.subarray(['lost', 'champions']) }),
      fc.record({ kind: fc.constant('hear' as const), facts, isStale: fc.boolean() }),
      fc.record({ kind: fc.constant('merge' as const), into: fc.boolean() }),
    )
    const property = fc.property(
      fc.array(campaign, { maxLength: 3 }),
      fc.boolean(),
      fc.subarray(['lost', 'champions']),
      facts,
      fc.array(later, { minLength: 1, maxLength: 5 }),
      (campaigns, saleItems, segments, first, changes) => {
        const programs = onlyProgram({
          basis: { saleItems },
          earning: [
            { id: 'purchase', on: 'order', points: 1, per: '1.00' },
            { id: 'sale', on: 'order', points: 7, per: 'item', when: { tags: ['sale'] } },
          ],
          campaigns: campaigns.map(({ segments, ...more }, index) => ({
            ...{ id: `c${index}`, name: 'C', from: '2026-01-01T00:00', until: '2027-01-01T00:00' },
            ...{ offer: { pointsMultiplier: 2 + index }, audience: { segments }, ...more },
          })),
        })
        const shop = new Shop(programs)
        let now = START
        const next = () => (now += HOUR)
        shop.happen({ type: 'segments', at: next(), customer: ANN, segments })
        const orderWith = (known: typeof first, updatedAt: number) =>
          makeOrder({ processedAt: START + HOUR, updatedAt, lines: [makeLine('100.00', known)] })
        const firstAt = next()
        shop.happen({ type: 'order', at: firstAt, order: orderWith(first, firstAt) })
        const { worth, terms } = shop.order('gid://shopify/Order/1')!
        for (const change of changes) {
          const at = next()
          if (change.kind === 'segments')
            shop.happen({ type: 'segments', at, customer: ANN, segments: change.segments })
          else if (change.kind === 'merge') {
            const [from, into] = change.into ? [ANN, BEN] : [BEN, ANN]
            shop.happen({ type: 'merge', at, from, into })
          } else {
            shop.happen({ type: 'order', at, order: orderWith(change.facts, change.isStale ? firstAt - HOUR : at) })
          }
          const record = shop.order('gid://shopify/Order/1')!
          expect(record).toMatchObject({ posted: worth!.points, terms: { everEarned: terms!.everEarned } })
          if (change.kind === 'hear') expect(record.worth).toEqual(worth)
          shop.audit()
        }
      },
    )
    fc.assert(property, { numRuns: 500 })
  },
  MINUTE,
)

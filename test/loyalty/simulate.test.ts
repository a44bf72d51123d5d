import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseLogLine } from '#app/commands/event-log.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import { simulate, simulateRecords, type SimulatedTransfer } from '#app/loyalty/simulate.ts'
import { ANN, at, BEN, makeLine, makeOrder, makeProgram, makeRefund, orderOf, refundTo } from './shop.ts'

const fixture = (name: string) => readFileSync(new URL(`../fixtures/contracts/${name}`, import.meta.url), 'utf8')

const log = (events: Event[]) =>
  events.map((event, index) => ({ line: index + 1, event })).sort((a, b) => a.event.at - b.event.at)

function play(program: Record<string, unknown>, events: Event[], until?: string) {
  const transfers: SimulatedTransfer[] = []
  const onTransfer = (transfer: SimulatedTransfer) => void transfers.push(transfer)
  const options = { onTransfer, ...(until === undefined ? {} : { until: at(until) }) }
  return { ...simulate(makeProgram(program), log(events), options), transfers }
}

const heard = (order: ReturnType<typeof makeOrder>, when = order.updatedAt): Event => ({
  type: 'order',
  at: when,
  order,
})

test('the worked example of the contracts comes out exactly', () => {
  const parsed = parseProgram(JSON.parse(fixture('program.example.json')))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const events = fixture('events.example.jsonl')
    .trim()
    .split('\n')
    .map((text) => {
      const line = parseLogLine(text)
      if (!line.ok || !line.value.event) throw new Error(JSON.stringify(line))
      return line.value.event
    })
  const simulation = simulate(parsed.program, log(events), { until: at('2026-09-01') })
  expect(simulation).toEqual(JSON.parse(fixture('simulation.example.json')))
})

describe('totals', () => {
  const rewards = [{ id: 'any', type: 'amount', value: '1.00', perPoints: 1, validDays: 10 }]

  test('tie: issued − redeemed − expired − taken back − forfeited + adjusted = outstanding; what clamp spared stands beside', () => {
    const order = orderOf(1, '100.00', '2026-08-01')
    const { totals, members } = play({ rewards, negativeBalance: 'clamp', expiry: { model: 'lot', months: 1 } }, [
      heard(order),
      { type: 'redeem', at: at('2026-08-02'), customer: ANN, reward: 'any', points: 80, code: 'USED' },
      heard(
        makeOrder({
          id: 'gid://shopify/Order/9',
          customer: null,
          processedAt: at('2026-08-03'),
          discountCodes: ['USED'],
        }),
      ),
      heard(refundTo(order, 0, '2026-08-04')),
      { type: 'adjust', at: at('2026-08-05'), customer: BEN, points: 40, reason: 'r', actor: 'a', key: 'a' },
      { type: 'adjust', at: at('2026-08-06'), customer: BEN, points: -10, reason: 'r', actor: 'a', key: 'b' },
      { type: 'redeem', at: at('2026-08-07'), customer: BEN, reward: 'any', points: 5, code: 'LOST' },
      heard(orderOf(2, '7.00', '2026-08-20', { customer: BEN })),
      { type: 'erase', at: at('2026-10-01'), customer: BEN },
    ])
    expect(totals).toEqual({
      issued: 107,
      redeemed: 80,
      expired: 37,
      takenBack: 20,
      writtenOff: 80,
      forfeited: 0,
      adjusted: 30,
      outstanding: 0,
    })
    expect(members[BEN]).toMatchObject({ available: 0, lifetimeEarned: 7 })
  })
})

describe('what is told', () => {
  test('a guest’s order, an order nobody knows and one of a merged customer', () => {
    const { orders, members } = play({}, [
      heard(makeOrder({ id: 'gid://shopify/Order/1', customer: null })),
      { type: 'refund', at: at('2026-08-02'), order: 'gid://shopify/Order/2', refund: makeRefund() },
      heard(orderOf(3, '10.00', '2026-08-03', { customer: BEN })),
      { type: 'merge', at: at('2026-08-04'), from: BEN, into: ANN },
    ])
    expect(orders).toEqual({
      'gid://shopify/Order/1': { customer: null, points: 0, reasons: [{ rule: 'order', why: 'no_customer' }] },
      'gid://shopify/Order/3': { customer: ANN, points: 10, reasons: [{ rule: 'purchase', points: 10 }] },
    })
    expect(Object.keys(members)).toEqual([ANN])
  })

  test('customers who take no part are no members', () => {
    const events: Event[] = [
      { type: 'customer', at: at('2026-08-01'), customer: ANN, state: 'disabled' },
      { type: 'customer', at: at('2026-08-01'), customer: BEN, state: 'enabled' },
    ]
    expect(Object.keys(play({}, events).members)).toEqual([ANN, BEN])
    expect(Object.keys(play({ enrolment: 'accounts' }, events).members)).toEqual([BEN])
    expect(Object.keys(play({ enrolment: 'opt-in' }, events).members)).toEqual([])
  })

  test('redemptions by code, with what is left of them', () => {
    const rewards = [{ id: 'five', type: 'amount', value: '5.00', cost: 50, validDays: 10 }]
    const { redemptions } = play({ rewards }, [
      { type: 'adjust', at: at('2026-08-01'), customer: ANN, points: 200, reason: 'r', actor: 'a', key: 'a' },
      { type: 'redeem', at: at('2026-08-02'), customer: ANN, reward: 'five', code: 'Old' },
      { type: 'redeem', at: at('2026-08-12'), customer: ANN, reward: 'five', code: 'Used' },
      { type: 'redeem', at: at('2026-08-12'), customer: ANN, reward: 'five', code: 'Open' },
      heard(orderOf(1, '60.00', '2026-08-13', { customer: BEN, discountCodes: ['USED'] })),
    ])
    const told = { customer: ANN, reward: 'five', points: 50, value: '5.00' }
    expect(redemptions).toEqual({
      Old: { ...told, state: 'returned' },
      Used: { ...told, state: 'used' },
      Open: { ...told, state: 'issued' },
    })
  })

  test('refusals name the line of the file, in its order', () => {
    const { rejected } = play({}, [
      { type: 'redeem', at: at('2026-08-09'), customer: ANN, reward: 'none', code: 'A' },
      { type: 'cancel-redemption', at: at('2026-08-01'), code: 'A' },
      { type: 'event', at: at('2026-08-02'), customer: ANN, name: 'signup', key: 'k', order: null },
    ])
    expect(rejected).toEqual([
      { line: 1, reason: 'unknown_reward' },
      { line: 2, reason: 'unknown_code' },
      { line: 3, reason: 'unknown_event' },
    ])
  })

  test('transfers come in the order of time, over all members', () => {
    const { transfers } = play(
      { hold: { days: 14 }, expiry: { model: 'lot', months: 1 } },
      [
        heard(orderOf(1, '10.00', '2026-08-01')),
        heard(orderOf(2, '10.00', '2026-08-01T12:00', { customer: BEN })),
        heard(orderOf(3, '10.00', '2026-08-10')),
        heard(orderOf(4, '10.00', '2026-08-15T06:00', { customer: BEN })),
      ],
      '2027-01-01',
    )
    const instants = transfers.map(({ eventAt }) => at(eventAt))
    expect(instants).toEqual([...instants].sort((a, b) => a - b))
    expect(transfers).toHaveLength(12)
    expect(new Set(transfers.map(({ key }) => key)).size).toBe(12)
  })
})

describe('until', () => {
  const events: Event[] = [heard(orderOf(1, '10.00', '2026-08-01')), heard(orderOf(2, '10.00', '2026-08-15'))]

  test('is by default the last event’s instant; what is due at it has happened', () => {
    expect(play({ hold: { days: 14 } }, events).members[ANN]).toMatchObject({ available: 10, pending: 10 })
  })

  test('earlier than the last event, events after it are not applied; those at it are', () => {
    expect(play({ hold: { days: 14 } }, events, '2026-08-14T23:59').members[ANN]).toMatchObject({
      available: 0,
      pending: 10,
    })
    expect(play({ hold: { days: 14 } }, events, '2026-08-15').members[ANN]).toMatchObject({
      available: 10,
      pending: 10,
    })
  })

  test('later than the last event, time passes on up to it', () => {
    expect(play({ hold: { days: 14 } }, events, '2026-08-29').members[ANN]).toMatchObject({ available: 20, pending: 0 })
  })

  test('an empty log is an empty answer', () => {
    expect(play({}, [], '2026-08-29')).toMatchObject({
      members: {},
      orders: {},
      rejected: [],
      totals: { outstanding: 0 },
    })
    expect(play({}, []).transfers).toEqual([])
  })
})

test('scheduled things happen before an event of the same instant: points released at it can be spent by it', () => {
  const { rejected, members } = play({ hold: { days: 14 }, rewards: [{ id: 'r', type: 'shipping', cost: 10 }] }, [
    heard(orderOf(1, '10.00', '2026-08-01')),
    { type: 'redeem', at: at('2026-08-15'), customer: ANN, reward: 'r', code: 'C' },
  ])
  expect(rejected).toEqual([])
  expect(members[ANN]).toMatchObject({ available: 0, pending: 0 })
})

test('"why did this order earn 36 points?" is answered by the output alone', () => {
  const tiers = {
    metric: 'orders',
    levels: [
      { id: 'base', name: 'Base', threshold: 0 },
      { id: 'gold', name: 'Gold', threshold: 1, multiplier: 1.5 },
    ],
  }
  const { orders } = play(
    {
      tiers,
      earning: [
        { id: 'purchase', on: 'order', points: 2, per: '1.00' },
        { id: 'thanks', on: 'order', points: 4, per: 'order' },
      ],
    },
    [
      heard(orderOf(1, '1.00', '2026-08-01')),
      heard(orderOf(2, '0', '2026-08-02', { lines: [makeLine('5.00', { quantity: 4, currentQuantity: 2 })] })),
    ],
  )
  expect(orders['gid://shopify/Order/2']).toEqual({
    customer: ANN,
    points: 36,
    reasons: [
      { rule: 'purchase', points: 20 },
      { rule: 'thanks', points: 4 },
      { rule: 'tier:gold', multiplier: 1.5 },
    ],
  })
})

test('the records stand beside the answer, for reports', () => {
  const { records } = { records: simulateRecords(makeProgram(), log([heard(makeOrder())])) }
  expect(records.members.get(ANN)?.activity).toMatchObject([{ points: 100, spendMinor: 10_000 }])
  expect(records.orders.get('gid://shopify/Order/1')?.posted).toBe(100)
})

test('events must come in the order of time', () => {
  const events = [heard(orderOf(1, '1.00', '2026-08-02')), heard(orderOf(2, '1.00', '2026-08-01'))]
  expect(() =>
    simulate(
      makeProgram(),
      events.map((event, index) => ({ line: index + 1, event })),
    ),
  ).toThrow('line 2')
})

test('what is kept of an order loses nothing of it', () => {
  const order = makeOrder({
    lines: [
      makeLine('12.50', { tags: ['tea'], collections: ['gid://shopify/Collection/1'], compareAtMinor: 1500 }),
      makeLine('1.00'),
    ],
    refunds: [makeRefund({ givenBackMinor: 5 })],
    discountCodes: ['A "quoted"\ncode'],
  })
  const { orders } = simulateRecords(makeProgram(), log([heard(order)]))
  expect(orders.get(order.id)?.snapshot).toEqual(order)
  expect(orders.get('gid://shopify/Order/2')).toBeUndefined()
  expect([...orders.values()]).toMatchObject([{ id: order.id, posted: 13 }])
})

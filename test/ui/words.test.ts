import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { FOREVER } from '#app/loyalty/campaigns.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { discountOf, findMeetings, findStatus, groupMeetings, sayBetter, sayOffer } from '#app/ui/campaign-words.ts'
import type { Lift } from '#app/retention/lift.ts'
import { sayLift, whyUncompared } from '#app/ui/campaign-results.ts'
import { estimateOrder } from '#app/ui/estimate.ts'
import { judgeConnection, type ConnectionFacts } from '#app/ui/health.ts'
import { sayPlaced } from '#app/ui/member-change.ts'
import { sayReason } from '#app/ui/reasons.ts'
import { showAgo, showChange, showInstant, showMoney, showPoints, showShare } from '#app/ui/words.ts'

const BEANS = { one: 'bean', other: 'beans' }
const document = JSON.parse(readFileSync('test/fixtures/contracts/program.example.json', 'utf8')) as object
const program = requireProgram(document)
const AT = Date.parse('2026-06-01T12:00:00Z')

test('points are named one by one or many by many, below zero too', () => {
  expect([1, 0, 1200, -1, -1200].map((points) => showPoints(points, BEANS))).toEqual([
    '1 bean',
    '0 beans',
    '1,200 beans',
    '−1 bean',
    '−1,200 beans',
  ])
  expect([5, 0, -5].map(showChange)).toEqual(['+5', '0', '−5'])
})

test('money is shown with its own decimals, exactly, beyond what a float can hold', () => {
  expect(showMoney('12.30', 'GBP')).toBe('£12.30')
  expect(showMoney('500', 'JPY')).toBe('¥500')
  expect(showMoney('90071992547409931.23', 'USD')).toBe('$90,071,992,547,409,931.23')
})

test('a share is told with the digits it was written with', () => {
  expect([0.07, 0.29, 0.125, 0.33333, 0.0000001].map(showShare)).toEqual(['7%', '29%', '12.5%', '33.333%', '0.00001%'])
})

test('instants are told on the shop’s clock, on both sides of the change to winter time', () => {
  expect(showInstant(Date.parse('2026-10-25T00:30:00Z'), 'Europe/Berlin')).toBe('25 Oct 2026, 02:30')
  expect(showInstant(Date.parse('2026-10-25T01:30:00Z'), 'Europe/Berlin')).toBe('25 Oct 2026, 02:30')
  expect(showInstant(Date.parse('2026-10-25T02:30:00Z'), 'Europe/Berlin')).toBe('25 Oct 2026, 03:30')
})

test('how long ago is told in one unit', () => {
  const ago = (seconds: number) => showAgo(AT - seconds * 1000, AT)
  expect([5, 90, 7200, 90_000].map(ago)).toEqual(['just now', '1 minute ago', '2 hours ago', 'yesterday'])
})

test('the estimate is the engine’s own sum: 50.00 earns 250 beans, 312 in Silver', () => {
  const estimate = (tier: string) => estimateOrder(program, { amount: '50.00', tier, at: AT })
  expect(estimate('member')?.points).toBe(250)
  expect(estimate('silver')?.points).toBe(312)
  expect(estimateOrder(program, { amount: '50,00', tier: null, at: AT })).toBeNull()
  expect(estimateOrder(program, { amount: '-1.00', tier: null, at: AT })).toBeNull()
})

test('every reason of an order is a sentence with the rule in words', () => {
  const reasons = estimateOrder(program, { amount: '50.00', tier: 'silver', at: AT })!.reasons
  expect(reasons.map((reason) => sayReason(reason, program.document))).toEqual(
    expect.arrayContaining([expect.stringMatching(/^Buying, 5 beans for each \$1\.00, gave \d+ beans$/)]),
  )
  expect(sayReason({ rule: 'purchase', why: 'not_paid' }, program.document)).toBe('Buying: it is not paid yet')
})

test('bands give the step that the cart has reached: 49.99 none, 50.00 the first, 100.00 the second', () => {
  const campaign = program.campaigns[0]!
  expect([4999, 5000, 9999, 10_000].map((cart) => discountOf(campaign, cart))).toEqual([null, 250, 500, 1000])
  expect(sayOffer(program.document.campaigns[0]!, 'USD')).toBe('5% from $50.00, 10% from $100.00')
})

test('a campaign runs from its first instant to just before its end, or until it was ended early', () => {
  const campaign = { fromAt: 100, untilAt: 200 }
  expect([99, 100, 199, 200].map((now) => findStatus(campaign, now, null))).toEqual([
    'scheduled',
    'running',
    'running',
    'ended',
  ])
  expect(findStatus(campaign, 150, 150)).toBe('ended')
  expect([99, 150, 200].map((now) => findStatus(campaign, now, null, 120))).toEqual(['scheduled', 'paused', 'ended'])
})

test('a hold-out tells nothing where nobody was held out, or where nobody noted who a campaign for some was for', () => {
  const holdOut = { numerator: 1n, denominator: 10n }
  const everyone = { tiers: null, segments: null }
  expect(whyUncompared({ holdOut: null, ...everyone }, null)).toBe('nobody_held_out')
  expect(whyUncompared({ holdOut, ...everyone }, null)).toBeNull()
  for (const some of [
    { tiers: new Set(['gold']), segments: null },
    { tiers: null, segments: new Set(['at-risk']) },
  ]) {
    expect(whyUncompared({ holdOut, ...some }, null)).toBe('audience_unknown')
    expect(whyUncompared({ holdOut, ...some }, AT)).toBeNull()
  }
})

test('two discounts meet only where each allows the other; tier perks allow whatever allows them', () => {
  const spring = program.campaigns[0]!
  expect(findMeetings(spring, program).every((meeting) => !meeting.together)).toBe(true)
  const open = { ...spring, combinesWith: { order: true, product: true, shipping: true } }
  const meetings = findMeetings(open, program)
  expect(meetings.filter((meeting) => meeting.together).map((meeting) => meeting.name)).toEqual([
    'Silver’s discount',
    'Gold’s discount',
    'Gold’s free shipping',
  ])
  expect(groupMeetings(meetings).reduce((sum, group) => sum + group.meetings.length, 0)).toBe(meetings.length)
})

test('on a given cart it is said what each would take off, and which of two that do not combine is taken', () => {
  const spring = program.campaigns[0]!
  const meetings = findMeetings(spring, program)
  const off = (name: string, cart: number) => meetings.find((one) => one.name.includes(name))!.takes(cart)
  expect([off('Silver’s discount', 10_000), off('Gold’s discount', 10_000)]).toEqual([
    ...program.tiers!.levels.slice(1).map((level) => level.discountBasisPoints),
  ])
  expect(off('free shipping', 10_000)).toBeNull()

  const [silver, gold] = ['Silver', 'Gold'].map((name) => meetings.find((one) => one.name === `${name}’s discount`)!)
  const best = Math.max(silver!.takes(10_000)!, gold!.takes(10_000)!)
  expect(sayBetter(best + 1, [silver!, gold!], 10_000)).toBe('this campaign')
  expect(sayBetter(best - 1, [silver!, gold!], 10_000)).toBe('Gold’s discount')
  expect(sayBetter(best, [silver!, gold!], 10_000)).toBeNull()
  expect(sayBetter(null, [silver!, gold!], 10_000)).toBeNull()
})

test('a code under its minimum, or that may pay only a part of the cart, takes nothing off a smaller one', () => {
  const reward = (more: object) => {
    const document = { ...program.document, rewards: [{ id: 'r', type: 'amount', value: '5.00', cost: 100, ...more }] }
    const codes = findMeetings(program.campaigns[0]!, requireProgram(document)).find(({ name }) =>
      name.includes('codes'),
    )!
    return [999, 1000, 2000].map((cart) => codes.takes(cart))
  }
  expect(reward({})).toEqual([500, 500, 500])
  expect(reward({ minimumSubtotal: '20.00' })).toEqual([null, null, 500])
  expect(reward({ maximumShare: 50 })).toEqual([null, 500, 500])
  expect(reward({ type: 'percentage', value: 10 })).toEqual([100, 100, 200])
  expect(reward({ cost: undefined, perPoints: 100 })).toEqual([null, null, null])
})

test('campaigns meet only while both run, and only what somebody of their levels can have', () => {
  const spring = program.campaigns[0]!
  const other = (more: object) => ({ ...spring, id: 'other', name: 'Other', ...more })
  const { fromAt, untilAt } = spring
  const stopped = (from: number, until = FOREVER) => [{ fromAt: from, untilAt: until }]
  const meets = (more: object, stops: typeof spring.stops = []) =>
    findMeetings({ ...spring, stops }, { ...program, campaigns: [spring, other(more)] }).some(({ name }) =>
      name.endsWith('Other'),
    )
  expect(meets({})).toBe(true)
  expect(meets({ fromAt: untilAt, untilAt: untilAt + 1 })).toBe(false)
  expect(meets({ fromAt: untilAt - 1, untilAt: untilAt + 1 })).toBe(true)
  expect(meets({ stops: stopped(fromAt) })).toBe(false)
  expect(meets({ fromAt: fromAt + 10 }, stopped(fromAt + 10))).toBe(false)
  // One runs only while the other rests.
  expect(meets({ fromAt: fromAt + 10, untilAt: fromAt + 20 }, stopped(fromAt + 10, fromAt + 20))).toBe(false)
  expect(meets({ fromAt: fromAt + 10, untilAt: fromAt + 21 }, stopped(fromAt + 10, fromAt + 20))).toBe(true)
  expect(findMeetings({ ...spring, stops: stopped(fromAt - 1) }, program)).toEqual([])

  const forGold = { ...spring, tiers: new Set(['gold']) }
  const names = findMeetings(forGold, { ...program, campaigns: [other({ tiers: new Set(['silver']) })] }).map(
    ({ name }) => name,
  )
  expect(names.filter((name) => /Other|Silver/.test(name))).toEqual([])
  expect(names).toContain('Gold’s discount')
})

const WELL: ConnectionFacts = {
  lastMessageAt: AT - 60_000,
  waiting: 0,
  waitingSince: null,
  setAside: 0,
  effectsWaiting: 0,
  effectsSetAside: 0,
  lastReconciledAt: AT - 3_600_000,
  workerSilentSeconds: 20,
}

test.each([
  ['all is well', {}, ['good', 'good', 'good', 'good']],
  ['a new shop', { lastMessageAt: null, lastReconciledAt: null }, ['waiting', 'good', 'waiting', 'good']],
  ['no worker ever ran', { workerSilentSeconds: null }, ['good', 'bad', 'good', 'good']],
  ['the worker is behind', { waiting: 40, waitingSince: AT - 600_000 }, ['good', 'waiting', 'good', 'good']],
  ['not compared for days', { lastReconciledAt: AT - 40 * 3_600_000 }, ['good', 'good', 'bad', 'good']],
  ['a card could not be sent', { effectsSetAside: 1 }, ['good', 'good', 'good', 'bad']],
] as const)('connection: %s', (_label, facts, states) => {
  expect(judgeConnection({ ...WELL, ...facts }, AT).map((check) => check.state)).toEqual(states)
})

test('a campaign that is too small says how large it would have to be in all, for its customers were settled when it began', () => {
  const say = (lift: Lift) => sayLift(lift, 1_000, (value) => value.toFixed(1))
  expect(say({ ok: false, reason: 'not_enough_data', customersNeeded: 500 })).toBe(
    'not enough data to tell: the campaign is too small so far, it takes about 1,500 customers in all',
  )
  expect(say({ ok: false, reason: 'not_enough_data', customersNeeded: null })).toBe('not enough data to tell')
  const measured = { ok: true, difference: 1, varianceRemoved: 0 } as const
  expect(say({ ...measured, interval: [-1, 3], significant: false, customersNeeded: 6_849 })).toBe(
    '1.0 (95% interval -1.0 to 3.0): it may be chance; to be sure of such a difference it takes about 7,849 customers in all',
  )
  expect(say({ ...measured, interval: [0.5, 1.5], significant: true, customersNeeded: 0 })).toBe(
    '1.0 (95% interval 0.5 to 1.5)',
  )
})

test('a tier chosen by hand says the last day it is kept for, not the day after', () => {
  const until = Date.parse('2027-03-02T00:00:00Z')
  expect(sayPlaced({ by: 'you', until }, 'Europe/London')).toBe('Chosen by you, until 1 Mar 2027')
  expect(sayPlaced({ by: null, until: null }, 'Europe/London')).toBe('Chosen by hand, until changed')
})

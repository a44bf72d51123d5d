import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FOREVER, findRunningTimes, isInForce, listStops, titlesOf, withStops } from '#app/loyalty/campaigns.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { makeProgram } from './shop.ts'

const program = makeProgram({
  campaigns: [
    {
      id: 'double',
      name: 'Double',
      from: '2026-06-01T00:00',
      until: '2026-06-11T00:00',
      offer: { pointsMultiplier: 2 },
    },
  ],
})
const window = program.campaigns[0]!
const stopped = (stops: { fromAt: number; untilAt: number }[]) =>
  withStops(program, new Map([['double', stops]])).campaigns[0]!
const inside = (offset: number) => window.fromAt + offset

test('a campaign is in force in its window, but neither while it rests nor once it was ended, to the millisecond', () => {
  const campaign = stopped([
    { fromAt: inside(100), untilAt: inside(200) },
    { fromAt: inside(300), untilAt: FOREVER },
  ])
  const asked = [-1, 0, 99, 100, 199, 200, 299, 300, 10_000]
  expect(asked.map((offset) => isInForce(campaign, inside(offset)))).toEqual([
    false,
    true,
    true,
    false,
    false,
    true,
    true,
    false,
    false,
  ])
  expect(findRunningTimes(campaign)).toEqual([
    { fromAt: inside(0), untilAt: inside(100) },
    { fromAt: inside(200), untilAt: inside(300) },
  ])
})

test('a campaign that was called off before it began never runs; one without stops runs its whole window', () => {
  expect(findRunningTimes(stopped([{ fromAt: inside(-5), untilAt: FOREVER }]))).toEqual([])
  expect(findRunningTimes(window)).toEqual([{ fromAt: window.fromAt, untilAt: window.untilAt }])
})

test('running times are exactly the instants in force: in order, apart, inside the window, whatever the stops', () => {
  const length = window.untilAt - window.fromAt
  const offset = fc.integer({ min: -length, max: 2 * length })
  const stop = fc
    .tuple(offset, fc.nat(length))
    .map(([from, for_]) => ({ fromAt: inside(from), untilAt: inside(from + for_) }))
  const property = fc.property(fc.array(stop, { maxLength: 5 }), offset, (stops, at) => {
    const campaign = stopped(stops)
    const times = findRunningTimes(campaign)
    times.forEach((time, index) => {
      expect(time.fromAt).toBeLessThan(time.untilAt)
      expect(time.fromAt).toBeGreaterThanOrEqual(times[index - 1]?.untilAt ?? campaign.fromAt)
      expect(time.untilAt).toBeLessThanOrEqual(campaign.untilAt)
    })
    const runs = times.some(({ fromAt, untilAt }) => inside(at) >= fromAt && inside(at) < untilAt)
    expect(runs).toBe(isInForce(campaign, inside(at)))
  })
  fc.assert(property)
})

test('a rest that is not over lasts for ever for what is given, and until now for what is planned', () => {
  const resting = { pausedAt: 50, endedAt: null, pauses: [[10, 20]] as const }
  expect(listStops(resting, FOREVER)).toEqual([
    { fromAt: 10, untilAt: 20 },
    { fromAt: 50, untilAt: FOREVER },
  ])
  expect(listStops(resting, 60).at(-1)).toEqual({ fromAt: 50, untilAt: 60 })
  expect(listStops({ pausedAt: null, endedAt: 70, pauses: [] }, 80)).toEqual([{ fromAt: 70, untilAt: FOREVER }])
})

test('a program in which nothing was stopped is the same program, and stops stay JSON', () => {
  expect(withStops(program, new Map([['another', [{ fromAt: 0, untilAt: 1 }]]]))).toBe(program)
  expect(JSON.parse(JSON.stringify({ fromAt: 0, untilAt: FOREVER }))).toEqual({ fromAt: 0, untilAt: FOREVER })
  expect(Number.isNaN(new Date(FOREVER).getTime())).toBe(false)
})

test('a campaign’s discount is told in orders by every name that it had', () => {
  const named = (name: string, offer: object) =>
    requireProgram({ ...program.document, campaigns: [{ ...program.document.campaigns[0], name, offer }] })
  const [sale, renamed] = [named('Sale', { percentage: 10 }), named('Autumn sale', { percentage: 10 })]
  const versions = [{ program: sale }, { program: renamed }, { program: sale }]
  expect(titlesOf('double', { versions })).toEqual(['Sale', 'Autumn sale'])
  // Points that are multiplied are no discount, and no order names them.
  expect(titlesOf('double', { versions: [{ program }] })).toEqual([])
  expect(titlesOf('nothing', { versions: [{ program }] })).toEqual([])
})

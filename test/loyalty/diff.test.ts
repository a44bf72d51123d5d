import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeBeginning, diff } from '#app/loyalty/diff.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { buildTemplate } from '#app/loyalty/templates.ts'
import { anyProgram } from './any-program.ts'

const text = readFileSync(new URL('../fixtures/contracts/program.example.json', import.meta.url), 'utf8')

function changed(change: (document: ProgramDocument) => void): string[] {
  const before = requireProgram(JSON.parse(text)).document
  const after = structuredClone(before)
  change(after)
  return diff(before, requireProgram(after).document)
}

test.each<[string, (document: ProgramDocument) => void]>([
  ['Gold now needs 600.00 instead of 500.00', (document) => (document.tiers!.levels[2]!.threshold = '600.00')],
  ['Gold will no longer give free shipping', (document) => delete document.tiers!.levels[2]!.freeShipping],
  [
    'purchase now gives 6 points per 1.00 instead of 5 points per 1.00',
    (document) => (document.earning[0]!.points = 6),
  ],
  ['The program now holds order points for 7 days instead of 14 days', (document) => (document.hold.days = 7)],
  [
    'The program now lets points expire never instead of 12 months after they were earned',
    (document) => (document.expiry = { model: 'none' }),
  ],
  ['The rule birthday is removed', (document) => document.earning.splice(3, 1)],
  ['review now counts twice an order instead of once an order', (document) => (document.earning[4]!.limit!.times = 2)],
  ['five-off now costs 400 points instead of 500 points', (document) => (document.rewards[0]!.cost = 400)],
  ['five-off is now given once per member', (document) => (document.rewards[0]!.limitPerMember = 1)],
  [
    'Spring days now ends 14 Apr 2026, 09:00 instead of 13 Apr 2026, 09:00',
    (document) => (document.campaigns[0]!.until = '2026-04-14T09:00'),
  ],
  ['There are no tiers any more', (document) => delete document.tiers],
])('%s', (sentence, change) => {
  expect(changed(change)).toEqual([sentence])
})

test('a new reward is described', () => {
  const sentences = changed((document) =>
    document.rewards.push({ id: 'ten', type: 'percentage', cost: 900, value: 10 }),
  )
  expect(sentences).toEqual(['The reward ten is new: it gives a percentage off, costs 900 points, is worth 10%'])
})

test('a new way to earn and a share held out are told in words and percent', () => {
  expect(
    changed((document) => {
      document.earning.push({ id: 'join', on: 'signup', points: 50 })
      document.campaigns[0]!.holdOut = 0.07
    }),
  ).toEqual([
    expect.stringMatching(/^The rule join is new: it is for signing up, gives 50 points/),
    expect.stringMatching(/holds out 7% of its customers/),
  ])
})

test('a program that begins tells all that it begins with: rules, tiers with every level, rewards', () => {
  const document = buildTemplate('tiers', { name: 'Club', currency: 'EUR', timezone: 'Europe/Berlin' })
  expect(describeBeginning(document)).toEqual([
    'The rule purchase is new: it is for orders, gives 1 point per 1.00',
    expect.stringMatching(/^The rule welcome is new: it is for signing up, gives 50 points/),
    expect.stringMatching(/^The rule birthday is new: it is for birthdays, gives 100 points/),
    expect.stringMatching(
      /^There are tiers now: they count money spent, look at the last 365 days, wait .* 30 days, give /,
    ),
    'The level Bronze is new: it needs 0.00',
    'The level Silver is new: it needs 200.00, multiplies points by 1.25, gives on entry 100 points',
    'The level Gold is new: it needs 500.00, multiplies points by 1.5, gives on entry 250 points, gives free shipping',
    expect.stringMatching(/^The reward five-off is new: it gives money off, costs 100 points, is worth 5.00/),
    expect.stringMatching(/^The reward ship-free is new: it gives free shipping, costs 80 points/),
    expect.stringMatching(/^The reward ten-percent is new: it gives a percentage off, costs 250 points, is worth 10%/),
  ])
})

test('no change, no sentence; any change, at least one', () => {
  fc.assert(
    fc.property(anyProgram, anyProgram, (one, other) => {
      const [before, after] = [requireProgram(one).document, requireProgram(other).document]
      expect(diff(before, before)).toEqual([])
      const alike = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after))
      expect(diff(before, after).length === 0).toBe(alike)
    }),
    { numRuns: 500 },
  )
})

test('any single part that changes is noticed', () => {
  fc.assert(
    fc.property(
      anyProgram,
      anyProgram,
      fc.constantFrom('earning', 'tiers', 'rewards', 'campaigns', 'basis'),
      (one, other, part) => {
        // Only the parts whose references and amounts hold in the first document too.
        fc.pre(one.currency === other.currency && JSON.stringify(levels(one)) === JSON.stringify(levels(other)))
        const mixed = { ...one, [part]: other[part] }
        if (mixed[part] === undefined) delete mixed[part]
        const [before, after] = [requireProgram(one).document, requireProgram(mixed).document]
        const alike = JSON.stringify(meaning(before)) === JSON.stringify(meaning(after))
        expect(diff(before, after).length === 0).toBe(alike)
      },
    ),
    { numRuns: 500 },
  )
})

type Tiered = { tiers?: { levels: { id: string }[] } }
const levels = (document: Record<string, unknown>) => (document as Tiered).tiers?.levels.map((level) => level.id)

/** The document with fields in one order, so that only what it says is compared. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}

/** Also without what says nothing: empty conditions, lists and false flags, which read like absent ones. */
function meaning(value: unknown): unknown {
  return prune(sorted(value))
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, prune(inner)] as const)
  return Object.fromEntries(entries.filter(([key, inner]) => !isNothing(key, inner)))
}

function isNothing(key: string, value: unknown): boolean {
  if (value === false) return !['saleItems', 'tax', 'shipping'].includes(key) || key === 'shipping'
  if (value === true && key === 'saleItems') return true
  if (Array.isArray(value)) return value.length === 0 && ['perks'].includes(key)
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Programs } from '#app/loyalty/engine.ts'
import { checkMapping, recogniseColumns } from '#app/loyalty/import-columns.ts'
import { findEarnedAt, findFilled, planImport, planUndo, readImportLine, type ReadyLine } from '#app/loyalty/imports.ts'
import { endOfDay, endOfDayMonthsLater, startOfDate } from '#app/loyalty/time.ts'
import { anyDeeds, anyPrograms, CUSTOMERS, START, toEvents } from './any-history.ts'
import { ANN, at, makeProgram, onlyProgram, orderOf, Shop } from './shop.ts'

const NOW = at('2026-11-22T12:00')
const SMILE = { id: '7', source: 'Smile.io' }

const TIERS = {
  metric: 'points',
  window: 'lifetime',
  levels: [
    { id: 'base', name: 'Base', threshold: 0 },
    { id: 'gold', name: 'Gold Club', threshold: 1000, entryReward: 50 },
  ],
}

const lineOf = (more: Partial<ReadyLine> = {}): ReadyLine => ({
  customer: ANN,
  accountState: 'enabled',
  points: 120,
  tier: null,
  birthday: null,
  lastDay: null,
  ...more,
})

/** Brings a line over as the job does, and says what of it filled a balance below zero. */
function bring(shop: Shop, line: ReadyLine, now = NOW): number {
  shop.pass(now)
  const member = shop.member(line.customer) ?? null
  for (const event of planImport(line, SMILE, { programs: shop.programs, member, at: now })) shop.happen(event)
  return line.points === 0 ? 0 : findFilled(shop.get(line.customer), SMILE.id, line.customer, line.points)
}

/** Takes it back as the job does; returns how many points went. */
function undo(shop: Shop, line: ReadyLine, filled: number, now = NOW): number {
  shop.pass(now)
  const plan = planUndo({ ...line, filled }, SMILE, { member: shop.get(line.customer), at: now })
  for (const event of plan.events) shop.happen(event)
  return plan.points
}

describe('columns', () => {
  // Headers as the apps' own help pages show them, November 2026.
  const EXPORTS: [app: string, header: string[], found: Record<string, string>][] = [
    ['Smile.io', ['email', 'points'], { email: 'email', points: 'points' }],
    [
      'Rivo',
      ['Email', 'Points Balance', 'Birthdate', 'VIP Tier', 'Activation Date', 'Credits Balance'],
      { email: 'Email', points: 'Points Balance', birthday: 'Birthdate', tier: 'VIP Tier' },
    ],
    [
      'Yotpo',
      ['Full Name', 'Email', 'Points Balance', 'Points Spent', 'Birthday (MM/DD) or (MM/DD/YYYY)'],
      { email: 'Email', points: 'Points Balance', birthday: 'Birthday (MM/DD) or (MM/DD/YYYY)' },
    ],
    [
      'LoyaltyLion',
      ['merchant_id', 'email', 'points_approved', 'points_pending', 'loyalty_tier_name'],
      { customer: 'merchant_id', email: 'email', points: 'points_approved', tier: 'loyalty_tier_name' },
    ],
  ]

  test.each(EXPORTS)('those of %s are recognised', (_app, header, found) => {
    const { mapping, sure } = recogniseColumns(header)
    const named = Object.entries(mapping).flatMap(([field, place]) => (place === null ? [] : [[field, header[place]]]))
    expect(Object.fromEntries(named)).toEqual(found)
    expect(sure).toBe(true)
  })

  test.each([
    ['nobody to give to', ['name', 'points']],
    ['no points', ['email', 'points spent']],
    ['the other app’s own id alone', ['id', 'points']],
    ['two columns of one name', ['email', 'points', 'Points']],
  ])('the merchant is asked where there is %s', (_why, header) => {
    expect(recogniseColumns(header).sure).toBe(false)
  })

  test('a choice must say who and how many, of columns that exist, each once', () => {
    const none = { customer: null, email: null, points: null, tier: null, birthday: null, lastDay: null }
    expect(Object.keys(checkMapping(none, 3))).toEqual(['points', 'email'])
    expect(checkMapping({ ...none, email: 0, points: 1 }, 2)).toEqual({})
    expect(Object.keys(checkMapping({ ...none, email: 0, points: 0 }, 2))).toEqual(['points'])
    expect(Object.keys(checkMapping({ ...none, email: 0, points: 5 }, 2))).toEqual(['points'])
  })
})

describe('a line', () => {
  const header = ['id', 'email', 'points', 'tier', 'birthday', 'expires']
  const mapping = { customer: 0, email: 1, points: 2, tier: 3, birthday: 4, lastDay: 5 }
  const program = makeProgram({ tiers: TIERS, timezone: 'Europe/Berlin' })
  const read = (...fields: string[]) => readImportLine(fields, { header, mapping, program, at: NOW })

  test('is read with everything it says', () => {
    expect(read('7520123456789', ' Ann@Example.com ', '1,200', 'gold club', '1990-04-23', '2027-03-31')).toEqual({
      ok: true,
      line: {
        customer: 'gid://shopify/Customer/7520123456789',
        email: 'ann@example.com',
        points: 1200,
        tier: 'gold',
        birthday: '04-23',
        lastDay: '2027-03-31',
      },
    })
  })

  test('may leave out all but one name of the customer and the points', () => {
    expect(read('', 'ann@example.com', '0', '', '', '')).toMatchObject({ ok: true, line: { points: 0, tier: null } })
  })

  test.each([
    ['1200', 1200],
    ['1200.00', 1200],
    ['1,200,000', 1_200_000],
  ])('takes %s for %i points', (text, points) => {
    expect(read('', 'ann@example.com', text, '', '', '')).toMatchObject({ ok: true, line: { points } })
  })

  test.each(['-5', '12.5', '1.200', '12,00', '1e3', 'many', '10000001', '99999999999999'])(
    'is refused for %s points, with the column, what was found and what is allowed',
    (text) => {
      const allowed = 'a whole number from 0 to 10,000,000, such as 1200'
      expect(read('', 'ann@example.com', text, '', '', '')).toEqual({
        ok: false,
        problems: [{ column: 'points', found: text, allowed }],
      })
    },
  )

  test.each([
    ['04/23', '04-23'],
    ['4/3/1990', '04-03'],
    ['04-23', '04-23'],
    ['--02-29', '02-29'],
    ['1990-04-23T00:00:00Z', '04-23'],
  ])('takes %s for a birthday', (text, birthday) => {
    expect(read('', 'ann@example.com', '1', '', text, '')).toMatchObject({ ok: true, line: { birthday } })
  })

  test('names everything that is wrong with it at once', () => {
    const answer = read('12x', 'ann@', 'ten', 'Platinum', '23/04/1990', '2026-11-21')
    expect(answer.ok ? [] : answer.problems.map(({ column, found }) => [column, found])).toEqual([
      ['id', '12x'],
      ['email', 'ann@'],
      ['points', 'ten'],
      ['tier', 'Platinum'],
      ['birthday', '23/04/1990'],
      ['expires', '2026-11-21'],
    ])
  })

  test('says nothing by a tier where the program has none', () => {
    const fields = ['', 'ann@example.com', '5', 'Platinum', '', '']
    const read = readImportLine(fields, { header, mapping, program: makeProgram(), at: NOW })
    expect(read).toMatchObject({ ok: true, line: { points: 5, tier: null } })
  })

  test('is refused where it has more or fewer fields than the first line', () => {
    expect(read('1', '2')).toMatchObject({
      ok: false,
      problems: [{ found: '2 fields', allowed: '6, as in the first line' }],
    })
  })

  test('is refused where it names nobody, or no points', () => {
    expect(read('', '', '5', '', '', '')).toMatchObject({
      ok: false,
      problems: [{ column: 'email', found: 'nothing' }],
    })
    expect(read('1', '', '', '', '', '')).toMatchObject({
      ok: false,
      problems: [{ column: 'points', found: 'nothing' }],
    })
  })
})

describe('a last day', () => {
  test('of the file is the last day here, or the next one that the program’s months can reach', () => {
    const day = fc.record({
      year: fc.constant(2027),
      month: fc.integer({ min: 1, max: 12 }),
      day: fc.integer({ min: 1, max: 28 }),
    })
    const zones = fc.constantFrom('UTC', 'America/New_York', 'Pacific/Auckland')
    fc.assert(
      fc.property(day, zones, fc.integer({ min: 1, max: 24 }), (date, timezone, months) => {
        const programs = onlyProgram({ timezone, expiry: { model: 'lot', months } })
        const text = `2027-${String(date.month).padStart(2, '0')}-${String(date.day).padStart(2, '0')}`
        const earnedAt = findEarnedAt(text, programs, NOW)
        const end = endOfDayMonthsLater(earnedAt, months, timezone)
        const wanted = endOfDay(startOfDate(date, timezone), timezone)
        expect(earnedAt).toBeLessThanOrEqual(NOW)
        if (earnedAt < NOW) expect(end - wanted).toBeGreaterThanOrEqual(0)
        if (earnedAt < NOW) expect(end - wanted).toBeLessThanOrEqual(3 * 86_400_000 + 3_600_000)
        else expect(end).toBeLessThanOrEqual(wanted)
      }),
    )
  })

  test('makes points expire then, and a redemption that is undone gives them back with it', () => {
    const rewards = [{ id: 'five', type: 'amount', value: '5.00', cost: 100 }]
    const shop = new Shop(onlyProgram({ expiry: { model: 'lot', months: 12 }, rewards }))
    bring(shop, lineOf({ lastDay: '2027-03-31' }))
    shop.redeem('five', 'CODE', '2026-12-01')
    shop.happen({ type: 'cancel-redemption', at: at('2026-12-02'), code: 'CODE' })
    shop.pass(at('2027-03-31T23:59'))
    expect(shop.get(ANN).available).toBe(120)
    shop.pass(at('2027-04-01'))
    expect(shop.get(ANN).available).toBe(0)
  })

  test('is not reckoned with months that were in force before', () => {
    const version = (number: number, from: number, months: number) => ({
      number,
      from,
      program: makeProgram({ expiry: { model: 'lot', months } }),
    })
    const changed = at('2026-11-01')
    const programs: Programs = { ...onlyProgram(), versions: [version(1, 0, 1), version(2, changed, 12)] }
    expect(findEarnedAt('2027-03-31', programs, NOW)).toBe(changed)
    const shop = new Shop(programs)
    bring(shop, lineOf({ lastDay: '2027-03-31' }))
    shop.pass(at('2027-04-01'))
    expect(shop.get(ANN).available).toBe(120)
  })
})

describe('bringing over', () => {
  test('gives points that are no earning, under a reason that says where from', () => {
    const shop = new Shop(onlyProgram({ tiers: TIERS }))
    bring(shop, lineOf({ points: 2000 }))
    expect(shop.get(ANN)).toMatchObject({ available: 2000, lifetimeEarned: 0, tier: { level: 'base' } })
    expect(shop.transfers).toMatchObject([{ key: 'adjust:import:7:1', from: 'shop.adjusted', reason: 'adjust' }])
    shop.audit()
  })

  test('lifts to a tier for a year without its entry reward, and never lowers', () => {
    const shop = new Shop(onlyProgram({ tiers: TIERS }))
    bring(shop, lineOf({ tier: 'gold' }))
    expect(shop.get(ANN)).toMatchObject({ available: 120, tier: { level: 'gold' } })
    shop.pass(at('2027-11-24'))
    expect(shop.get(ANN).tier.level).toBe('base')

    const other = new Shop(onlyProgram({ tiers: TIERS }))
    other.hear(orderOf(1, '1500.00', '2026-08-01T12:00'))
    bring(other, lineOf({ tier: 'base' }))
    expect(other.get(ANN).tier).toMatchObject({ level: 'gold', manual: null })
  })

  test('joins whoever took part before, and keeps a birthday that the member gave', () => {
    const shop = new Shop(onlyProgram({ enrolment: 'opt-in' }))
    bring(shop, lineOf({ birthday: '04-23' }))
    expect(shop.get(ANN)).toMatchObject({ available: 120, optedInAt: NOW, birthday: { month: 4, day: 23 } })
    bring(shop, lineOf({ points: 0, birthday: '05-05' }))
    expect(shop.get(ANN).birthday).toMatchObject({ month: 4, day: 23 })
  })

  test('gives the points once, however often it is done', () => {
    const shop = new Shop(onlyProgram())
    bring(shop, lineOf())
    bring(shop, lineOf(), NOW + 86_400_000)
    expect(shop.get(ANN).available).toBe(120)
  })
})

describe('an undo', () => {
  test('leaves what was spent spent, and touches no other points', () => {
    const rewards = [{ id: 'five', type: 'amount', value: '5.00', cost: 100 }]
    const shop = new Shop(onlyProgram({ rewards }))
    shop.adjust(30, 'other', '2026-11-23')
    const filled = bring(shop, lineOf(), at('2026-11-22'))
    shop.redeem('five', 'CODE', '2026-11-24')
    // 30 of the other lot or 20 of the brought one were left, whichever was spent first.
    expect(shop.get(ANN).available).toBe(50)
    expect(undo(shop, lineOf(), filled, at('2026-11-25'))).toBe(20)
    expect(shop.get(ANN).available).toBe(30)
    expect(shop.transfers.at(-1)).toMatchObject({ to: 'shop.adjusted', amount: 20, reverses: 'adjust:import:7:1' })
    shop.audit()
  })

  test('brings back a balance below zero as it stood', () => {
    const shop = new Shop(onlyProgram())
    shop.adjust(-30, 'less', '2026-11-20')
    const filled = bring(shop, lineOf())
    expect([filled, shop.get(ANN).available]).toEqual([30, 90])
    expect(undo(shop, lineOf(), filled)).toBe(120)
    expect(shop.get(ANN)).toMatchObject({ available: -30, deficit: 30, lots: [] })
  })

  test('ends the tier that it brought, unless somebody has changed it since', () => {
    const shop = new Shop(onlyProgram({ tiers: TIERS }))
    undo(shop, lineOf({ tier: 'gold' }), bring(shop, lineOf({ tier: 'gold' })))
    expect(shop.get(ANN).tier).toMatchObject({ level: 'base', manual: null })

    const other = new Shop(onlyProgram({ tiers: TIERS }))
    const filled = bring(other, lineOf({ tier: 'gold' }))
    other.happen({
      type: 'place-tier',
      at: NOW,
      customer: ANN,
      level: 'gold',
      until: null,
      reason: 'r',
      actor: 'user:1',
    })
    undo(other, lineOf({ tier: 'gold' }), filled)
    expect(other.get(ANN).tier.level).toBe('gold')
  })

  test('takes nothing of an erased member', () => {
    const shop = new Shop(onlyProgram())
    const filled = bring(shop, lineOf())
    shop.happen({ type: 'erase', at: NOW, customer: ANN })
    expect(undo(shop, lineOf(), filled)).toBe(0)
  })

  const anyLine = fc.record({
    customer: fc.constantFrom(...CUSTOMERS),
    points: fc.integer({ min: 0, max: 400 }),
    lastDay: fc.constantFrom(null, '2027-03-31'),
  })

  test('right after the import leaves every balance and lot as it was, whatever happened before', () => {
    fc.assert(
      fc.property(anyPrograms, anyDeeds, anyLine, (programs, deeds, some) => {
        const shop = new Shop(programs)
        const events = toEvents(deeds)
        for (const event of events) shop.happen(event)
        const now = Math.max(START, ...events.map((event) => event.at)) + 1
        shop.pass(now)
        const line = lineOf(some)
        const before = shop.member(line.customer)
        const filled = bring(shop, line, now)
        expect(undo(shop, line, filled, now)).toBe(line.points)
        const after = shop.get(line.customer)
        for (const balance of ['available', 'pending', 'reserved', 'deficit', 'lifetimeEarned'] as const) {
          expect(after[balance]).toBe(before?.[balance] ?? 0)
        }
        expect(sortLots(after.lots)).toEqual(sortLots(before?.lots ?? []))
        shop.audit()
      }),
      { numRuns: 200 },
    )
  })

  test('later takes at most what was brought, and of other points at most what it had filled', () => {
    fc.assert(
      fc.property(anyPrograms, anyDeeds, fc.nat(24), anyLine, (programs, deeds, place, some) => {
        const shop = new Shop(programs)
        const events = toEvents(deeds)
        const line = lineOf(some)
        let filled = 0
        events.forEach((event, index) => {
          if (index === place % events.length) filled = bring(shop, line, event.at)
          shop.happen(event)
        })
        const now = Math.max(...events.map((event) => event.at)) + 1
        shop.pass(now)
        const before = shop.get(line.customer)
        const taken = undo(shop, line, filled, now)
        const own = before.lots.find(({ key }) => key.startsWith('adjust:import:'))?.available ?? 0
        expect(taken).toBeLessThanOrEqual(line.points)
        expect(before.available - shop.get(line.customer).available).toBe(taken)
        expect(taken - own).toBeLessThanOrEqual(filled)
        shop.audit()
      }),
      { numRuns: 200 },
    )
  })
})

const sortLots = <Lot extends { key: string }>(lots: readonly Lot[]) =>
  [...lots].sort((one, other) => (one.key < other.key ? -1 : 1))

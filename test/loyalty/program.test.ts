import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fieldsNeedingCatalog } from '#app/loyalty/catalog.ts'
import { parseProgram, requireProgram } from '#app/loyalty/parse-program.ts'
import { describeProblem } from '#app/loyalty/problems.ts'
import { programSchema, type ProgramDocument } from '#app/loyalty/program-document.ts'
import { formatInstant } from '#app/loyalty/time.ts'
import { anyProgram } from './any-program.ts'

const text = readFileSync(new URL('../fixtures/contracts/program.example.json', import.meta.url), 'utf8')

/** The example of the contracts with one place changed; a path of "earning.0.per" and undefined removes that field. */
function example(changes: Record<string, unknown> = {}): unknown {
  const document = JSON.parse(text)
  for (const [path, value] of Object.entries(changes)) {
    const parts = path.split('.')
    const last = parts.pop() as string
    const parent = parts.reduce((at, part) => at[part], document)
    if (value === undefined) delete parent[last]
    else parent[last] = structuredClone(value)
  }
  return document
}

function problemsOf(changes: Record<string, unknown>): string[] {
  const parsed = parseProgram(example(changes))
  return parsed.ok ? [] : parsed.problems.map((problem) => describeProblem(problem))
}

/** As many ids, of 13 digits as Shopify's are. */
function gids(type: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `gid://shopify/${type}/${8 * 10 ** 12 + index}`)
}

function bands(count: number) {
  return Array.from({ length: count }, (_, index) => ({ from: `${index + 1}.00`, percentage: 5 }))
}

/** As many levels, of which each gives a discount and free shipping. */
function levels(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    id: ['member', 'silver', 'gold'][index] ?? `level-${index}`,
    name: `Level ${index}`,
    threshold: `${index}.00`,
    discountPercent: 5,
    freeShipping: true,
  }))
}

test('the example of the contracts is read exactly', () => {
  const program = requireProgram(example())
  expect(program.earning[0]).toMatchObject({
    id: 'purchase',
    points: 5,
    per: 'money',
    perAmount: 100,
    multiplier: null,
  })
  expect(program.earning[1]).toMatchObject({ multiplier: 20_000 })
  expect(formatInstant(program.earning[1]!.fromAt)).toBe('2026-05-02T04:00:00Z')
  expect(program.tiers?.levels.map((level) => [level.threshold, level.multiplier, level.discountBasisPoints])).toEqual([
    [0, 10_000, 0],
    [20_000, 12_500, 500],
    [50_000, 15_000, 1_000],
  ])
  expect(program.rewards[1]).toMatchObject({
    cost: null,
    valueMinor: 100,
    variable: { perPoints: 100, step: 100, minimumPoints: 100 },
    maximumShareBasisPoints: 5_000,
  })
  expect(program.campaigns[0]).toMatchObject({
    offer: {
      kind: 'bands',
      bands: [
        { from: 5_000, basisPoints: 500 },
        { from: 10_000, basisPoints: 1_000 },
      ],
    },
    holdOut: { numerator: 1n, denominator: 10n },
  })
})

test('what is left out gets the defaults of the contract', () => {
  const program = requireProgram({
    version: 1,
    name: 'Club',
    pointsName: { one: 'point', other: 'points' },
    currency: 'EUR',
    timezone: 'Europe/Paris',
    earning: [],
    tiers: { metric: 'points', levels: [{ id: 'a', name: 'A', threshold: 0 }] },
  })
  expect(program).toMatchObject({
    enrolment: 'everyone',
    basis: { tax: false, shipping: false, saleItems: true },
    rounding: 'floor',
    holdDays: 14,
    expiry: { model: 'lot', months: 12 },
    negativeBalance: 'allow',
    stacking: 'multiply',
    tiers: { window: { kind: 'rolling', days: 365 }, graceDays: 0, entryRewards: 'highest' },
    rewards: [],
    campaigns: [],
  })
})

test('any valid document is accepted, and with its defaults reads back as itself', () => {
  fc.assert(
    fc.property(anyProgram, (document) => {
      const parsed = parseProgram(document)
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
      const again = parseProgram(JSON.parse(JSON.stringify(parsed.document)))
      expect(again).toEqual(parsed)
    }),
    { numRuns: 1000 },
  )
})

test('a field that nobody knows is named, wherever in the document it stands', () => {
  fc.assert(
    fc.property(anyProgram, fc.nat(), (document, choice) => {
      const places: [string, Record<string, unknown>][] = []
      collectObjects(document, '', places)
      const [path, place] = places[choice % places.length] as [string, Record<string, unknown>]
      place['typo'] = 1
      const parsed = parseProgram(document)
      expect(parsed.ok || parsed.problems.map((problem) => problem.field)).toContain(
        path === '' ? 'typo' : `${path}.typo`,
      )
    }),
    { numRuns: 1000 },
  )
})

function collectObjects(value: unknown, path: string, places: [string, Record<string, unknown>][]): void {
  if (Array.isArray(value)) value.forEach((entry, index) => collectObjects(entry, `${path}[${index}]`, places))
  else if (typeof value === 'object' && value !== null) {
    places.push([path, value as Record<string, unknown>])
    for (const [key, inner] of Object.entries(value))
      collectObjects(inner, path === '' ? key : `${path}.${key}`, places)
  }
}

test.each<[Record<string, unknown>, string]>([
  [{ version: 2 }, 'version: must be 1, not 2'],
  [{ name: undefined }, 'name: is missing'],
  [{ name: '  ' }, 'name: must not be empty'],
  [{ currency: 'usd' }, 'currency: must be an ISO 4217 currency code like "USD", not "usd"'],
  [{ timezone: '+05:00' }, 'timezone: must be an IANA time zone like "America/New_York", not "+05:00"'],
  [{ 'hold.days': 91 }, 'hold.days: must be at most 90, not 91'],
  [{ 'hold.days': 1.5 }, 'hold.days: must be a whole number, not 1.5'],
  [{ 'hold.days': 29, 'expiry.months': 1 }, 'hold.days: 29 days of waiting outlast points that live 1 month'],
  [{ 'expiry.months': undefined, 'expiry.model': 'inactivity' }, 'expiry.months: is missing'],
  [{ 'expiry.model': 'none' }, 'expiry.months: has no meaning where points never expire'],
  [{ 'earning.0.per': '1.005' }, 'earning[0].per: must be money in USD, like "5.00", not "1.005"'],
  [{ 'earning.0.per': '0.00' }, 'earning[0].per: must be above 0, not "0.00"'],
  [{ 'earning.0.per': undefined }, 'earning[0].per: is missing: an amount of money like "1.00", "order" or "item"'],
  [{ 'earning.0.points': -5 }, 'earning[0].points: must be at least 0, not -5'],
  [{ 'earning.0.points': '5' }, 'earning[0].points: must be a number, not "5"'],
  [
    { 'earning.0.multiplier': 2 },
    'earning[0].points: cannot stand beside multiplier: a rule gives points or multiplies them',
  ],
  [{ 'earning.1.multiplier': 1.00001 }, 'earning[1].multiplier: must have at most 4 decimals, not 1.00001'],
  [{ 'earning.1.multiplier': -1 }, 'earning[1].multiplier: must be at least 0, not -1'],
  [
    { 'earning.1.until': '2026-05-02T00:00' },
    'earning[1].until: must be after the start (2026-05-02T00:00), not "2026-05-02T00:00"',
  ],
  [
    { 'earning.1.from': '2026-05-02' },
    'earning[1].from: must be a local date and time without an offset, like "2026-05-02T00:00", not "2026-05-02"',
  ],
  [{ 'earning.2.per': 'order' }, 'earning[2].per: has no meaning for signup: it is for orders'],
  [{ 'earning.2.points': undefined }, 'earning[2].points: is missing'],
  [{ 'earning.2.id': 'purchase' }, 'earning[2].id: "purchase" is taken already by earning[0]'],
  [
    { 'earning.0.when': { tiers: ['platin'] } },
    'earning[0].when.tiers[0]: there is no level "platin": the levels are member, silver, gold',
  ],
  [{ 'earning.0.when': { weekdays: [0] } }, 'earning[0].when.weekdays[0]: must be at least 1, not 0'],
  [
    { 'earning.0.when': { products: ['1'] } },
    'earning[0].when.products[0]: must be an id like "gid://shopify/Product/1", not "1"',
  ],
  [
    { 'tiers.levels.0.threshold': '1.00' },
    'tiers.levels[0].threshold: must be 0, not "1.00": every member starts on the first level',
  ],
  [
    { 'tiers.levels.2.threshold': '200.00' },
    'tiers.levels[2].threshold: must be above that of Silver ("200.00"), not "200.00"',
  ],
  [
    { 'tiers.levels.1.threshold': 200 },
    'tiers.levels[1].threshold: must be money as text in quotes, as the tiers count money spent, not 200',
  ],
  [
    { 'tiers.levels.1.discountPercent': 5.125 },
    'tiers.levels[1].discountPercent: must have at most 2 decimals, not 5.125',
  ],
  [{ 'tiers.window': 'week' }, 'tiers.window: must be "lifetime", "calendar-year" or {"rollingDays": 365}, not "week"'],
  [{ 'tiers.window': { rollingDays: 0 } }, 'tiers.window.rollingDays: must be at least 1, not 0'],
  [
    { tiers: undefined, 'rewards.0.tiers': ['gold'] },
    'rewards[0].tiers[0]: there is no level "gold": the program has no tiers',
  ],
  [{ 'rewards.0.value': 5 }, 'rewards[0].value: must be money as text in quotes, not 5'],
  [{ 'rewards.0.cost': undefined }, 'rewards[0].cost: is missing: a fixed reward has a cost, a variable one perPoints'],
  [{ 'rewards.0.step': 5 }, 'rewards[0].step: is for a variable reward, one with perPoints'],
  [{ 'rewards.1.cost': 5 }, 'rewards[1].cost: cannot stand beside perPoints: a reward is fixed or variable'],
  [{ 'rewards.3.products': undefined }, 'rewards[3].products: is missing: which products are free'],
  [
    { 'rewards.0.type': 'percentage' },
    'rewards[0].value: must be a percentage above 0 and up to 100, with at most 2 decimals, not "5.00"',
  ],
  [
    { 'rewards.0': { id: 'r', type: 'percentage', value: 20, cost: 5, maximumShare: 19.99 } },
    'rewards[0].maximumShare: must not be below value: 20 % of an order is more than 19.99 %',
  ],
  ...(
    [{ type: 'shipping' }, { type: 'store-credit', value: '5.00' }, { type: 'gift-card', value: '5.00' }] as const
  ).map((reward): [Record<string, unknown>, string] => [
    { 'rewards.0': { id: 'r', cost: 5, maximumShare: 50, ...reward } },
    `rewards[0].maximumShare: has no meaning for a reward of type ${reward.type}`,
  ]),
  [
    { 'campaigns.0.offer': { percentage: 5, shipping: true } },
    'campaigns[0].offer: must be exactly one of percentage, amount, shipping, bands or pointsMultiplier, not percentage and shipping',
  ],
  [
    { 'campaigns.0.offer.bands.1.from': '50.00' },
    'campaigns[0].offer.bands[1].from: must be above that of the band before',
  ],
  [{ 'campaigns.0.holdOut': 0.6 }, 'campaigns[0].holdOut: must be at most 0.5, not 0.6'],
  [
    { 'campaigns.0.until': '2026-04-10T09:00' },
    'campaigns[0].until: must be after the start (2026-04-10T09:00), not "2026-04-10T09:00"',
  ],
  [
    { 'campaigns.0.collections': gids('Collection', 101) },
    'campaigns[0].collections: must be at most 100 collections, not 101: Shopify allows a discount no more',
  ],
  [{ 'campaigns.0.offer': { bands: bands(51) } }, 'campaigns[0].offer.bands: must be at most 50 steps, not 51'],
  [{ 'campaigns.0.name': 'x'.repeat(256) }, 'campaigns[0].name: must be at most 255 characters, not 256'],
  [
    { 'campaigns.0.audience': { segments: ['x'.repeat(10_000)] } },
    'campaigns[0]: must be for fewer tiers and segments, or for such with shorter names',
  ],
  [
    { 'campaigns.0.offer': { amount: '1234567890123.00' } },
    'campaigns[0]: must not have an amount or a name that is too long for a discount at Shopify',
  ],
  [{ 'tiers.levels': levels(26) }, 'tiers.levels: must give at most 50 discounts and free shippings together, not 52'],
  [
    { 'tiers.levels.1.name': 'x'.repeat(255) },
    'tiers.levels: must have shorter names where they give a discount or free shipping: Shopify has no room for these',
  ],
])('%o is refused in words', (changes, message) => {
  expect(problemsOf(changes)).toContain(message)
})

test('a share that limits nothing is refused where it is new; a program that was published with one is read as before', () => {
  const percentage = { id: 'r', type: 'percentage', value: 20, cost: 5 }
  expect(problemsOf({ 'rewards.0': { ...percentage, maximumShare: 20 } })).toEqual([])
  for (const reward of [percentage, { id: 'r', type: 'shipping', cost: 5 }]) {
    const document = example({ 'rewards.0': { ...reward, maximumShare: 10 } })
    expect(parseProgram(document).ok).toBe(false)
    expect(requireProgram(document).rewards[0]).toMatchObject({ id: 'r', maximumShareBasisPoints: 1_000 })
  }
})

test('a campaign may be for as many products as it is told at most, and for not one more', () => {
  const withProducts = (count: number) => problemsOf({ 'campaigns.0.products': gids('Product', count) })
  const [problem, ...others] = withProducts(700)
  expect(others).toEqual([])
  const [, most] = /^campaigns\[0\]\.products: must be at most (\d+) products, not 700: /.exec(problem!)!
  expect(withProducts(Number(most))).toEqual([])
  expect(withProducts(Number(most) + 1)).toHaveLength(1)
})

test('100 collections and 50 steps are not too many, and for more points nothing is', () => {
  expect(problemsOf({ 'campaigns.0.collections': gids('Collection', 100) })).toEqual([])
  expect(problemsOf({ 'campaigns.0.offer': { bands: bands(50) } })).toEqual([])
  expect(
    problemsOf({
      'campaigns.0.offer': { pointsMultiplier: 2 },
      'campaigns.0.collections': gids('Collection', 101),
      'campaigns.0.products': gids('Product', 700),
    }),
  ).toEqual([])
})

test('a program that was published before the limits of discounts were checked is still read', () => {
  const before = example({ 'campaigns.0.collections': gids('Collection', 101) })
  expect(parseProgram(before).ok).toBe(false)
  expect(requireProgram(before).campaigns[0]?.collections?.size).toBe(101)
})

test.each<[string, Record<string, unknown>, string, unknown]>([
  ['a campaign', { 'campaigns.0.collections': gids('Collection', 101) }, 'campaigns.0.name', 'More days'],
  ['a reward', { 'rewards.0': { id: 'r', type: 'shipping', cost: 5, maximumShare: 10 } }, 'rewards.0.cost', 6],
  ['tiers', { 'tiers.levels': levels(26) }, 'tiers.graceDays', 9],
])(
  '%s from before a limit was checked stands, wherever it is in its list, until it is changed itself',
  (_, beyond, path, value) => {
    const before = example(beyond)
    const elsewhere = example({ ...beyond, name: 'Another name' }) as unknown as ProgramDocument
    const [first, ...rest] = elsewhere.campaigns
    elsewhere.campaigns = [{ ...first!, collections: undefined, id: 'new', name: 'New' }, first!, ...rest]
    const parsed = parseProgram(elsewhere, before)
    expect(parsed.ok && parsed.standing).toHaveLength(1)
    expect(parseProgram(elsewhere, null).ok).toBe(false)
    expect(parseProgram(example({ ...beyond, [path]: value }), before).ok).toBe(false)
    expect(parseProgram(before, example()).ok).toBe(false)
  },
)

test('amounts have the decimals of the currency: yen none, dinars three', () => {
  const yen = { currency: 'JPY', 'earning.0.per': '100', tiers: undefined, rewards: [], campaigns: [] }
  expect(problemsOf(yen)).toEqual([])
  expect(problemsOf({ ...yen, 'earning.0.per': '1.00' })).toEqual([
    'earning[0].per: must be money in JPY, like "5", not "1.00"',
  ])
  const dinars = requireProgram(example({ ...yen, currency: 'KWD', 'earning.0.per': '1.250' }))
  expect(dinars.earning[0]?.perAmount).toBe(1250)
})

test('all problems of a document are found at once', () => {
  expect(problemsOf({ currency: 'XXY', 'hold.days': 91, 'earning.0.points': 'five' })).toHaveLength(3)
  expect(problemsOf({ 'earning.0.per': '0', 'rewards.0.value': 5, 'tiers.levels.0.threshold': '1.00' })).toHaveLength(3)
})

test('what is wrong in its shape, in its meaning and beyond a limit is told in one go, each with its field', () => {
  const problems = problemsOf({
    name: undefined,
    'hold.days': 91,
    'tiers.levels.1.name': ' ',
    'tiers.levels.2.threshold': '200.00',
    'rewards.0.cost': 'ten',
    'rewards.0.value': '0.00',
    'rewards.1.tiers': ['platin'],
    'campaigns.0': {
      id: 'c',
      name: '',
      from: '2026-07-02T00:00',
      until: '2026-07-01T00:00',
      offer: { percentage: 'ten' },
      minimumSubtotal: '-1.00',
      holdOut: 0.6,
    },
    'campaigns.1': {
      id: 'd',
      name: 'x'.repeat(256),
      from: '2026-07-01T00:00',
      until: '2026-07-02T00:00',
      offer: { percentage: 10 },
    },
  })
  expect(problems.map((problem) => problem.slice(0, problem.indexOf(':'))).sort()).toEqual([
    'campaigns[0].holdOut',
    'campaigns[0].minimumSubtotal',
    'campaigns[0].name',
    'campaigns[0].offer.percentage',
    'campaigns[0].until',
    'campaigns[1].name',
    'hold.days',
    'name',
    'rewards[0].cost',
    'rewards[0].value',
    'rewards[1].tiers[0]',
    'tiers.levels[1].name',
    'tiers.levels[2].threshold',
  ])
})

test('one wrong place of any program is told of as that place alone, or what is around it', () => {
  fc.assert(
    fc.property(
      anyProgram,
      fc.nat(),
      fc.constantFrom(null, '', 'junk', -1, 0.123456, {}, true),
      (any, choice, wrong) => {
        const document = structuredClone(any)
        const places: [string, Record<string, unknown>][] = []
        collectObjects(document, '', places)
        const leaves = places.flatMap(([path, place]) =>
          Object.keys(place).flatMap((key) =>
            typeof place[key] === 'object' ? [] : [{ place, key, field: path === '' ? key : `${path}.${key}` }],
          ),
        )
        const { place, key, field } = leaves[choice % leaves.length]!
        place[key] = wrong
        if (programSchema.safeParse(document).success) return
        const parsed = parseProgram(document)
        const fields = parsed.ok ? [] : parsed.problems.map((problem) => problem.field)
        expect(fields.length).toBeGreaterThan(0)
        expect(fields.filter((one) => !field.startsWith(one) && !one.startsWith(field))).toEqual([])
      },
    ),
    { numRuns: 2000 },
  )
})

test('what is no object at all is no program', () => {
  for (const input of [null, [], 'program', 1, undefined]) expect(parseProgram(input).ok).toBe(false)
})

test('decimals are read as they are written: 1.1 and 12.25 lose nothing', () => {
  const program = requireProgram(example({ 'earning.1.multiplier': 1.1, 'tiers.levels.1.discountPercent': 12.25 }))
  expect(program.earning[1]?.multiplier).toBe(11_000)
  expect(program.tiers?.levels[1]?.discountBasisPoints).toBe(1_225)
})

test('a rule window that begins in the hour that spring skips begins when the clock has jumped', () => {
  const program = requireProgram(
    example({ 'earning.1.from': '2026-03-08T02:30', 'earning.1.until': '2026-11-01T01:30' }),
  )
  expect(formatInstant(program.earning[1]!.fromAt)).toBe('2026-03-08T07:00:00Z')
  expect(formatInstant(program.earning[1]!.untilAt)).toBe('2026-11-01T05:30:00Z')
})

test('a program says which of its conditions need a catalogue', () => {
  const fieldsOf = (changes: Record<string, unknown>) =>
    fieldsNeedingCatalog(requireProgram(example(changes))).map(({ field }) => field)
  expect(fieldsOf({})).toEqual([])
  const changes = {
    'basis.saleItems': false,
    'basis.exclude': { tags: ['gift'] },
    'earning.0.when': { collections: ['gid://shopify/Collection/1'] },
  }
  expect(fieldsOf(changes)).toEqual(['basis.saleItems', 'basis.exclude.tags', 'earning[0].when.collections'])
})

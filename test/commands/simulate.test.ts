import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { parseLogLine } from '#app/commands/event-log.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const CONTRACTS = path.join(ROOT, 'test/fixtures/contracts')
const PROGRAM = path.join(CONTRACTS, 'program.example.json')
const EVENTS = path.join(CONTRACTS, 'events.example.jsonl')
const ANN = 'gid://shopify/Customer/8123456789012'

function simulate(args: string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['app/commands/simulate.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    ...(input !== undefined && { input }),
  })
  return { status, stdout, stderr }
}

/** A folder for one test, with these files in it. */
function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'simulate-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
  return folder
}

const programText = readFileSync(PROGRAM, 'utf8')
const line = (topic: string, triggeredAt: string, payload: unknown) => JSON.stringify({ topic, triggeredAt, payload })
const redeem = (at: string, reward: string, code: string, points?: number) =>
  line('app/redeem', at, { customer: ANN, reward, code, points })

test('the example of the contracts comes out exactly', () => {
  const { status, stdout, stderr } = simulate([
    '--program',
    PROGRAM,
    '--events',
    EVENTS,
    '--until',
    '2026-09-01T00:00:00Z',
  ])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const { transfers, ...rest } = JSON.parse(stdout)
  expect(rest).toEqual(JSON.parse(readFileSync(path.join(CONTRACTS, 'simulation.example.json'), 'utf8')))
  expect(Object.keys(JSON.parse(stdout))).toEqual([
    'members',
    'orders',
    'redemptions',
    'transfers',
    'totals',
    'rejected',
  ])
  const amounts = (transfers as Record<string, unknown>[]).map(({ from, to, amount, reason, eventAt }) => [
    from,
    to,
    amount,
    reason,
    eventAt,
  ])
  const account = (name: string) => `member:${ANN}.${name}`
  expect(amounts).toEqual([
    ['shop.issued', account('available'), 100, 'signup', '2026-08-01T12:00:00Z'],
    ['shop.issued', account('pending'), 300, 'order', '2026-08-03T18:05:13Z'],
    [account('pending'), 'shop.taken_back', 58, 'take_back', '2026-08-03T19:05:14Z'],
    [account('pending'), account('available'), 242, 'release', '2026-08-17T18:05:13Z'],
  ])
  expect(Object.keys(transfers[0]).sort()).toEqual(['amount', 'eventAt', 'from', 'key', 'reason', 'to'])
})

test('lines in any order, with blank ones, Windows line ends and a byte order mark between, give the same', () => {
  const shuffled = readFileSync(EVENTS, 'utf8').trim().split('\n').reverse().join('\r\n\r\n')
  const folder = folderWith({ 'events.jsonl': `\uFEFF${shuffled}` })
  const until = ['--until', '2026-09-01T00:00:00Z']
  const { stdout } = simulate(['--program', PROGRAM, '--events', path.join(folder, 'events.jsonl'), ...until])
  expect(stdout).toBe(simulate(['--program', PROGRAM, '--events', EVENTS, ...until]).stdout)
})

test('a log can come through a pipe', () => {
  const { stdout } = simulate(['--program', PROGRAM, '--events', '-'], readFileSync(EVENTS, 'utf8'))
  expect(stdout).toBe(simulate(['--program', PROGRAM, '--events', EVENTS]).stdout)
})

test('an empty log is no mistake', () => {
  const { status, stdout } = simulate(['--program', PROGRAM, '--events', '-'], '\n')
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    members: {},
    transfers: [],
    totals: { issued: 0, outstanding: 0 },
    rejected: [],
  })
})

test('what the rules refuse is listed with its line and exits with 0', () => {
  const events = [
    readFileSync(EVENTS, 'utf8').trim(),
    redeem('2026-08-20T00:00:00Z', 'five-off', 'AAA'),
    redeem('2026-08-20T00:00:00Z', 'any-amount', 'BBB', 250),
  ].join('\n')
  const { status, stdout, stderr } = simulate(['--program', PROGRAM, '--events', '-'], events)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '-:5: rejected: insufficient_points\n' })
  const { rejected, redemptions, members, totals } = JSON.parse(stdout)
  expect(rejected).toEqual([{ line: 5, reason: 'insufficient_points' }])
  expect(redemptions).toEqual({
    BBB: { customer: ANN, reward: 'any-amount', points: 200, value: '2.00', state: 'issued' },
  })
  expect([members[ANN].available, totals.redeemed, totals.outstanding]).toEqual([142, 200, 142])
})

test('events after --until are not applied, but what is wrong in them is still wrong', () => {
  const events = [readFileSync(EVENTS, 'utf8').trim(), redeem('2026-08-20T00:00:00Z', 'any-amount', 'B', 250)].join(
    '\n',
  )
  const args = ['--program', PROGRAM, '--events', '-', '--until', '2026-08-19T23:59:59Z']
  expect(JSON.parse(simulate(args, events).stdout)).toMatchObject({ redemptions: {}, rejected: [] })
  expect(simulate(args, `${events}\nnonsense`)).toMatchObject({ status: 2, stdout: '' })
})

test('every malformed line is named with file, line and field; exit 2, and nothing is written', () => {
  const order = JSON.parse(readFileSync(EVENTS, 'utf8').split('\n')[2]!)
  order.payload.line_items[1].price_set.shop_money.amount = 40
  const folder = folderWith({
    'events.jsonl': [
      JSON.stringify(order),
      'nonsense',
      '{"topic": "orders/paid", "triggeredAt": "2026-08-20", "payload": {}}',
      line('products/update', '2026-08-20T00:00:00Z', {}),
      JSON.stringify({ ...order, note: 'hello' }),
      line('app/redeem', '2026-08-20T00:00:00Z', { customer: ANN, reward: 'five-off', code: 'A', cart: 1 }),
      line('app/adjust', '2026-08-20T00:00:00Z', { customer: ANN, points: 1.5, reason: 'r', actor: 'a', key: 'k' }),
      line('app/birthday', '2026-08-20T00:00:00Z', { customer: ANN, month: 2, day: 30 }),
      line('app/opt-in', '2026-08-20T00:00:00Z', { customer: '8123456789012' }),
      '[]',
    ].join('\n'),
    'kept.json': 'as it was',
  })
  const [events, out] = [path.join(folder, 'events.jsonl'), path.join(folder, 'kept.json')]
  const { status, stdout, stderr } = simulate(['--program', PROGRAM, '--events', events, '--out', out])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr.trim().split('\n')).toEqual([
    `${events}:1: payload.line_items[1].price_set.shop_money.amount: must be an amount as text with at most 2 decimals, not 40`,
    `${events}:2: is not JSON: Unexpected token 'o'`,
    `${events}:3: triggeredAt: must be an instant like "2026-08-03T18:05:13Z", not "2026-08-20"`,
    expect.stringContaining(
      `${events}:4: topic: "products/update" is not a topic of an event log: those are orders/create, orders/paid, `,
    ),
    `${events}:5: note: is not a field of an event: its fields are topic, triggeredAt, eventId, payload`,
    `${events}:6: payload.cart: is not a field of app/redeem: its fields are customer, reward, points, code`,
    `${events}:7: payload.points: must be a whole number, not 1.5`,
    `${events}:8: payload.day: must be from 1 to 29, not 30`,
    `${events}:9: payload.customer: must be an id like "gid://shopify/Customer/1", not "8123456789012"`,
    `${events}:10: must be an object, not a list`,
  ])
  expect(readFileSync(out, 'utf8')).toBe('as it was')
  expect(readdirSync(folder).sort()).toEqual(['events.jsonl', 'kept.json'])
})

test('what is too large to be counted exactly is named with its line, never rounded', () => {
  const adjust = (day: number, points: number) =>
    line('app/adjust', `2026-08-0${day}T00:00:00Z`, { customer: ANN, points, reason: 'r', actor: 'a', key: `${day}` })
  const largest = Number.MAX_SAFE_INTEGER
  const { status, stdout, stderr } = simulate(
    ['--program', PROGRAM, '--events', '-'],
    [adjust(1, largest), adjust(2, -1), adjust(3, 2)].join('\n'),
  )
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toBe('-:3: 9007199254740992 is too large to count exactly\n')
})

test('a program that is not valid is named with file, line and field, all mistakes at once', () => {
  const folder = folderWith({
    'program.json': programText.replace('"per": "1.00"', '"per": "1.00", "prr": 1').replace('"days": 14', '"days": 91'),
    'twice.json': programText.replace('"version": 1,', '"version": 1,\n"version": 1,'),
    'broken.json': programText.slice(0, 200),
  })
  const run = (name: string) => {
    const file = path.join(folder, name)
    const { status, stdout, stderr } = simulate([
      '--program',
      file,
      '--events',
      EVENTS,
      '--out',
      path.join(folder, 'out.json'),
    ])
    return [status, stdout, stderr.replaceAll(`${file}:`, '')]
  }
  expect(run('program.json')).toEqual([
    2,
    '',
    '10: hold.days: must be at most 90, not 91\n15: earning[0].prr: is not a known field\n',
  ])
  expect(run('twice.json')).toEqual([2, '', '3: version: is given twice\n'])
  expect(run('broken.json')).toEqual([2, '', '8: basis.tax: is not JSON: "f" should not stand here\n'])
  expect(existsSync(path.join(folder, 'out.json'))).toBe(false)
})

test('a program that needs a catalogue is refused without one, and works with one', () => {
  const product = 'gid://shopify/Product/7990000000002'
  const folder = folderWith({
    'program.json': programText.replace('"saleItems": true', '"saleItems": false'),
    'catalog.json': JSON.stringify({ [product]: { collections: [], tags: [], compareAt: '50.00' } }),
    'wrong.json': JSON.stringify({ [product]: { collections: [], tags: [], compareAt: 50 } }),
  })
  const [program, catalog, wrong] = ['program.json', 'catalog.json', 'wrong.json'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string]
  const args = ['--program', program, '--events', EVENTS]
  expect(simulate(args)).toMatchObject({
    status: 2,
    stderr: `${program}:8: basis.saleItems: needs a catalogue of products: give one with --catalog\n`,
  })
  expect(simulate([...args, '--catalog', wrong])).toMatchObject({
    status: 2,
    stderr: `${wrong}:1: ${product}.compareAt: must be text in quotes, not 50\n`,
  })
  // The teapot (36.92) is on sale; the mug that was kept (11.54) earns 57.
  const { orders } = JSON.parse(simulate([...args, '--catalog', catalog]).stdout)
  expect(Object.values(orders)).toMatchObject([{ points: 57 }])
})

test('--out writes the document whole, and nothing else', () => {
  const folder = folderWith({})
  const out = path.join(folder, 'out.json')
  expect(simulate(['--program', PROGRAM, '--events', EVENTS, '--out', out])).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  })
  expect(readFileSync(out, 'utf8')).toBe(simulate(['--program', PROGRAM, '--events', EVENTS]).stdout)
  expect(readdirSync(folder)).toEqual(['out.json'])
})

test('a place where --out cannot be written is named and exits with 2', () => {
  const out = path.join(folderWith({}), 'nowhere/out.json')
  const { status, stdout, stderr } = simulate(['--program', PROGRAM, '--events', EVENTS, '--out', out])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(/^--out: .*out.json cannot be written: ENOENT[^\n]*\n$/)
})

test('what if: another program over the same log, in figures and in words', () => {
  const folder = folderWith({
    'generous.json': programText
      .replace('"points": 5,', '"points": 8,')
      .replace('"threshold": "200.00"', '"threshold": "40.00"'),
    'euros.json': programText.replace('"USD"', '"EUR"'),
  })
  const events = [readFileSync(EVENTS, 'utf8').trim(), redeem('2026-08-20T00:00:00Z', 'any-amount', 'B', 200)].join(
    '\n',
  )
  const compare = ['--program', PROGRAM, '--events', '-', '--compare']
  const { status, stdout, stderr } = simulate(
    [...compare, path.join(folder, 'generous.json'), '--cost-of-goods', '42.5'],
    events,
  )
  expect(status).toBe(0)
  expect(JSON.parse(stdout).compare).toEqual({
    programs: { before: 'Bean Club', after: 'Bean Club' },
    changes: [
      'purchase now gives 8 points per 1.00 instead of 5 points per 1.00',
      'Silver now needs 40.00 instead of 200.00',
    ],
    currency: 'USD',
    points: {
      issued: { before: 400, after: 580, difference: 180 },
      redeemed: { before: 200, after: 200, difference: 0 },
      expired: { before: 0, after: 0, difference: 0 },
      takenBack: { before: 58, after: 93, difference: 35 },
      outstanding: { before: 142, after: 287, difference: 145 },
    },
    earningOrders: { before: 1, after: 1, difference: 0 },
    liability: {
      valueOf100Points: { before: '1.00', after: '1.00' },
      money: { before: '1.42', after: '2.87', difference: '1.45' },
    },
    cost: {
      money: { before: '2.00', after: '2.00', difference: '0.00' },
      unpriced: { before: 0, after: 0, difference: 0 },
    },
    tiers: { gained: [{ customer: ANN, from: 'member', to: 'silver' }], lost: [], same: 0 },
    // 48.46 of goods less 42.5 % (20.60), 2.00 redeemed and 1.42 or 2.87 owed.
    margin: {
      costOfGoods: '42.5',
      goods: '48.46',
      margin: { before: '24.44', after: '22.99', difference: '-1.45' },
      percent: { before: 50.4, after: 47.4, difference: -3 },
    },
  })
  expect(stderr).toContain('Silver now needs 40.00 instead of 200.00')
  expect(stderr).toMatch(/Points outstanding +142 +287 +\+145/)
  expect(stderr).toMatch(/Margin % +50\.4 +47\.4 +-3\.0/)
  expect(stderr).toContain(`1 member to a higher tier\n  ${ANN}: member → silver`)
  const euros = path.join(folder, 'euros.json')
  expect(simulate([...compare, euros], events)).toMatchObject({
    status: 2,
    stderr: `${euros}:5: currency: must be USD, as in the program it is compared with\n`,
  })
})

test.each([
  [[], '--program is missing; it names the program document (see --help)'],
  [['--program', PROGRAM], '--events is missing; it names the log of events (see --help)'],
  [['--program', 'nowhere.json', '--events', EVENTS], 'nowhere.json: there is no such file'],
  [['--program', PROGRAM, '--events', 'nowhere.jsonl'], 'nowhere.jsonl: there is no such file'],
  [['--program', PROGRAM, '--events', ROOT], `${ROOT}: is a folder`],
  [
    ['--program', PROGRAM, '--events', EVENTS, '--until', 'tomorrow'],
    '--until must be an instant like 2026-09-01T00:00:00Z, not "tomorrow"',
  ],
  [
    ['--program', PROGRAM, '--events', EVENTS, '--compare', PROGRAM, '--cost-of-goods', '101'],
    '--cost-of-goods must be a percentage from 0 to 100 with at most 2 decimals, not "101"',
  ],
  [
    ['--program', PROGRAM, '--events', EVENTS, '--cost-of-goods', '40'],
    '--cost-of-goods is for the margins of --compare, which is missing (see --help)',
  ],
])('the command line %j is refused in words', (args, message) => {
  expect(simulate(args)).toEqual({ status: 2, stdout: '', stderr: `${message}\n` })
})

test('--help explains and exits with 0', () => {
  const { status, stdout, stderr } = simulate(['--help'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  for (const word of ['--program', '--events', '--catalog', '--until', '--compare', '--cost-of-goods', '--out']) {
    expect(stdout).toContain(word)
  }
})

test('our own events are read whole', () => {
  const at = Date.UTC(2026, 7, 20)
  const read = (topic: string, payload: unknown) => {
    const parsed = parseLogLine(line(topic, '2026-08-20T00:00:00Z', payload))
    return parsed.ok ? parsed.value.event : `${parsed.field}: ${parsed.message}`
  }
  const customer = ANN
  expect(read('app/redeem', { customer, reward: 'r', code: 'c' })).toEqual({
    type: 'redeem',
    at,
    customer,
    reward: 'r',
    code: 'c',
  })
  expect(read('app/redeem', { customer, reward: 'r', code: 'c', points: 0 })).toBe(
    'payload.points: must be a whole number above 0, not 0',
  )
  expect(read('app/cancel-redemption', { code: 'c' })).toEqual({ type: 'cancel-redemption', at, code: 'c' })
  expect(read('app/cancel-redemption', { code: '' })).toBe('payload.code: must not be empty')
  const adjust = { customer, points: -5, reason: 'sorry', actor: 'ann', key: 'k' }
  expect(read('app/adjust', adjust)).toEqual({ type: 'adjust', at, ...adjust })
  expect(read('app/adjust', { ...adjust, reason: undefined })).toBe('payload.reason: is missing')
  expect(read('app/event', { customer, name: 'survey', key: 'k' })).toEqual({
    type: 'event',
    at,
    customer,
    name: 'survey',
    key: 'k',
    order: null,
  })
  expect(read('app/event', { customer, name: 'review', key: 'k', order: '5' })).toContain(
    'payload.order: must be an id',
  )
  expect(read('app/birthday', { customer, month: 2, day: 29 })).toEqual({
    type: 'birthday',
    at,
    customer,
    month: 2,
    day: 29,
  })
  expect(read('app/opt-in', { customer })).toEqual({ type: 'opt-in', at, customer })
  expect(read('app/fly', {})).toContain(
    'topic: "app/fly" is not a topic of an event log: those are orders/create, orders/paid, ',
  )
})

test('whatever is broken in a line, it is read or its field is named: never a crash', () => {
  const lines = readFileSync(EVENTS, 'utf8').trim().split('\n')
  const junk = fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    -1,
    1.5,
    1e300,
    '',
    'x',
    '-1.00',
    '1e5',
    [],
    [null],
    {},
    { id: {} },
    2 ** 53,
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...lines),
      fc.array(fc.tuple(fc.nat(), junk), { minLength: 1, maxLength: 3 }),
      (text, changes) => {
        const event = JSON.parse(text)
        for (const [choice, value] of changes) {
          const places = placesIn(event)
          const [parent, key] = places[choice % places.length] as [Record<string, unknown>, string]
          parent[key] = structuredClone(value)
        }
        const parsed = parseLogLine(JSON.stringify(event))
        if (!parsed.ok) expect(parsed.message).not.toBe('')
      },
    ),
    { numRuns: 3000 },
  )
})

function placesIn(
  value: unknown,
  places: [Record<string, unknown>, string][] = [],
): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return places
  for (const [key, inner] of Object.entries(value)) {
    places.push([value as Record<string, unknown>, key])
    placesIn(inner, places)
  }
  return places
}

test('events within one millisecond come in their own order, not the file’s', () => {
  const at = (fraction: string) => `2026-08-20T00:00:00.${fraction}Z`
  const events = [
    redeem(at('000300'), 'any-amount', 'B', 300),
    redeem(at('0002'), 'any-amount', 'A', 300),
    readFileSync(EVENTS, 'utf8').trim(),
  ].join('\n')
  const { rejected, redemptions } = JSON.parse(simulate(['--program', PROGRAM, '--events', '-'], events).stdout)
  expect(Object.keys(redemptions)).toEqual(['A'])
  expect(rejected).toEqual([{ line: 1, reason: 'insufficient_points' }])
})

test('ids past 2^53 inside a line keep every digit', () => {
  const parsed = parseLogLine(
    '{"topic":"orders/delete","triggeredAt":"2026-08-20T00:00:00Z","payload":{"id":820982911946154508}}',
  )
  expect(parsed).toMatchObject({ ok: true, value: { event: { order: 'gid://shopify/Order/820982911946154508' } } })
})

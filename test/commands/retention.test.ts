import { execFile, execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const CONTRACTS = path.join(ROOT, 'test/fixtures/contracts')

/** Runs the command as a shell would and gives what it said and how it ended. */
function retention(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path.join(ROOT, 'app/commands/retention.ts'), ...args],
      { cwd: ROOT, maxBuffer: 1 << 26 },
      (failure, out, error) => resolve({ status: failure ? Number(failure.code) : 0, out, error }),
    )
  })
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'perennial-retention-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

function csv(text: string): string {
  const file = path.join(folder(), 'orders.csv')
  writeFileSync(file, text)
  return file
}

async function measure(text: string, ...args: string[]) {
  const { status, out, error } = await retention('--orders', csv(text), ...args)
  expect(error).toBe('')
  expect(status).toBe(0)
  return JSON.parse(out)
}

test('the worked CSV of the contracts comes out exactly', async () => {
  const orders = path.join(CONTRACTS, 'orders.example.csv')
  const { out, status } = await retention('--orders', orders, '--as-of', '2026-04-01T00:00:00Z', '--timezone', 'UTC')
  expect(status).toBe(0)
  expect(out.trim()).toBe(readFileSync(path.join(CONTRACTS, 'retention.example.json'), 'utf8').trim())
})

test('CDNOW on the command line gives the parameters that the papers print', async () => {
  const orders = path.join(ROOT, 'test/fixtures/cdnow/orders.csv')
  const { out } = await retention('--orders', orders, '--as-of', '1997-09-30T12:00:00Z', '--timezone', 'UTC')
  const { clv, months, customers } = JSON.parse(out)
  expect(clv.bgNbd).toEqual({
    r: 0.242595,
    alpha: 4.413602,
    a: 0.792922,
    b: 2.425907,
    logLikelihood: -9582.429207,
    unit: 'week',
  })
  expect(clv.gammaGamma).toEqual({ p: 6.249572, q: 3.744225, gamma: 15.443521 })
  expect(customers).toBe(2357)
  expect(months.at(-1)).toMatchObject({ month: '1997-09', partial: true })
})

test('fields may be quoted, hold commas, quotes and line ends, and lines may end in CRLF after a byte order mark', async () => {
  const text = '\uFEFFcustomer_id,ordered_at,amount\r\n"a, ""b""\nc",2026-01-01,1.10\r\n"a, ""b""\nc",2026-01-02,2\r\n'
  expect(await measure(text, '--as-of', '2026-02-01')).toMatchObject({ orders: 2, customers: 1, revenue: '3.10' })
})

test('ids are text: 7, 07 and " 7" are three customers', async () => {
  const text = 'customer_id,ordered_at,amount\n7,2026-01-01,1\n07,2026-01-01,1\n 7,2026-01-01,1\n'
  expect(await measure(text, '--as-of', '2026-02-01')).toMatchObject({ customers: 3 })
})

test('columns are found by name, money has the decimals of its currency', async () => {
  const text = 'currency,order_id,amount,customer_id,ordered_at\nJPY,1,500,a,2026-01-01\nJPY,2,250,a,2026-01-02\n'
  expect(await measure(text, '--as-of', '2026-02-01')).toMatchObject({ revenue: '750' })
  const dinars = 'customer_id,ordered_at,amount,currency\na,2026-01-01,1.005,KWD\n'
  expect(await measure(dinars, '--as-of', '2026-02-01')).toMatchObject({ revenue: '1.005' })
})

test('a bare date is the first instant of that day in the zone, also for --as-of, and T itself is left out', async () => {
  const text = 'customer_id,ordered_at,amount\na,2026-01-10,1\nb,2026-01-31T23:59:59.999-05:00,1\nc,2026-02-01,1\n'
  expect(await measure(text, '--as-of', '2026-02-01', '--timezone', 'America/New_York')).toMatchObject({
    asOf: '2026-02-01T05:00:00Z',
    orders: 2,
    first: '2026-01-10T05:00:00Z',
    last: '2026-02-01T04:59:59.999Z',
    months: [{ month: '2026-01', orders: 2 }],
  })
})

test('an empty log is no error', async () => {
  expect(await measure('customer_id,ordered_at,amount\n')).toMatchObject({ orders: 0, revenue: '0.00', first: null })
})

test.each([
  [
    'a time without an offset',
    'a,2026-01-10T10:00:00,1.00',
    'line 3: ordered_at: "2026-01-10T10:00:00" has a time without an offset; allowed are',
  ],
  [
    'a day that does not exist',
    'a,2026-02-30,1.00',
    'line 3: ordered_at: "2026-02-30" is no date, or names one that does not exist; allowed are',
  ],
  [
    'too many decimals',
    'a,2026-01-10,1.005',
    'line 3: amount: "1.005" is not allowed; it must be a decimal number with at most 2 decimals, such as 12.50',
  ],
  ['an exponent', 'a,2026-01-10,1e3', 'line 3: amount: "1e3" is not allowed'],
  ['no amount', 'a,2026-01-10,', 'line 3: amount: "" is not allowed'],
  ['no customer', ',2026-01-10,1.00', 'line 3: customer_id: is empty'],
  ['a field too many', 'a,2026-01-10,1.00,x', 'line 3: row: has 4 fields where the header has 3'],
  [
    'a quote that is never closed',
    'a,"2026-01-10,1.00\nb,2026-01-10,1.00\nc,2026-01-10,1.00',
    'line 3: ordered_at: not CSV as RFC 4180 has it: a quote is opened here and never closed',
  ],
  [
    'a quote inside a plain field',
    'a"b,2026-01-10,1.00',
    'line 3: customer_id: not CSV as RFC 4180 has it: a field that holds a quote must stand in quotes',
  ],
])('%s is refused with its line and field, status 2, and nothing is written', async (_, row, message) => {
  const file = csv(`customer_id,ordered_at,amount\nok,2026-01-01,1.00\n${row}\n`)
  const out = path.join(path.dirname(file), 'measures.json')
  const refused = await retention('--orders', file, '--out', out)
  expect(refused.error).toContain(`${file}: ${message}`)
  expect(refused.status).toBe(2)
  expect(refused.out).toBe('')
  expect(existsSync(out)).toBe(false)
  expect(readdirSync(path.dirname(file))).toEqual(['orders.csv'])
})

test.each([
  ['an unknown column', 'customer_id,ordered_at,amount,colour\n', 'line 1: header: has an unknown column "colour"'],
  [
    'a column named like a property that every object has',
    'customer_id,ordered_at,amount,constructor\n',
    'line 1: header: has an unknown column "constructor"',
  ],
  ['a missing column', 'customer_id,amount\n', 'line 1: header: lacks "ordered_at"'],
  ['no header', '', 'line 1: header: is missing'],
  [
    'a second currency',
    'customer_id,ordered_at,amount,currency\na,2026-01-01,1,USD\na,2026-01-01,1,EUR\n',
    'line 3: currency: is "EUR", but "USD" on line 2; one currency a file is allowed',
  ],
  [
    'an unknown currency',
    'customer_id,ordered_at,amount,currency\na,2026-01-01,1,usd\n',
    'line 2: currency: "usd" is unknown',
  ],
  [
    'an order twice',
    'customer_id,ordered_at,amount,order_id\na,2026-01-01,1,7\nb,2026-01-01,1,8\na,2026-01-01,1,7\n',
    'line 4: order_id: "7" was on line 2 already',
  ],
  [
    'a bad row after one with line ends in it',
    'customer_id,ordered_at,amount\n"a\n\nb",2026-01-01,1\nc,never,1\n',
    'line 5: ordered_at: "never"',
  ],
  [
    'a bad row in a file of CRLF line ends, some of them inside quotes',
    'customer_id,ordered_at,amount\r\n"a\r\n\r\nb",2026-01-01,1\r\n"c\r\nd",2026-01-01,1\r\n"e\r\nf",never,1\r\n',
    'line 7: ordered_at: "never"',
  ],
  [
    'an open quote after CRLF line ends inside quotes',
    'customer_id,ordered_at,amount\r\n"a\r\nb",2026-01-01,1\r\n"c,2026-01-01,1\r\nd,2026-01-01,1\r\n',
    'line 4: customer_id: not CSV',
  ],
])('%s is refused', async (_, text, message) => {
  const { status, error } = await retention('--orders', csv(text))
  expect(error).toContain(message)
  expect(status).toBe(2)
})

test.each([
  [['--as-of', '2026-01-01T00:00:00'], '--as-of: "2026-01-01T00:00:00" is not allowed'],
  [['--timezone', 'Mars/Olympus'], '--timezone: "Mars/Olympus" is unknown'],
  [['--activity-days', '0'], '--activity-days: "0" is not allowed'],
  [['--colour'], "Unknown option '--colour'; allowed are --orders, --as-of, --timezone"],
])('the argument %j is refused', async (args, message) => {
  const { status, error } = await retention('--orders', csv('customer_id,ordered_at,amount\n'), ...args)
  expect(error).toContain(message)
  expect(status).toBe(2)
})

test('a file that is not there is named, and --orders is asked for', async () => {
  expect(await retention('--orders', '/nowhere/orders.csv')).toMatchObject({
    status: 2,
    error: expect.stringContaining('/nowhere/orders.csv: cannot be read'),
  })
  expect(await retention()).toMatchObject({ status: 2, error: expect.stringContaining('--orders is missing') })
})

test('--out writes the JSON to a file, --table prints tables, --help explains itself', async () => {
  const orders = path.join(CONTRACTS, 'orders.example.csv')
  const out = path.join(folder(), 'measures.json')
  const ran = await retention('--orders', orders, '--as-of', '2026-04-01', '--out', out, '--table')
  expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ orders: 5 })
  expect(ran.out).toContain('repeat purchase rate')
  expect(ran.out).toMatch(/2026-02 +2 +70\.00 +2 +1 +1 +50\.0 %/)
  expect((await retention('--help')).out).toContain('--activity-days N')
})

test('--out leaves a link a link and a pipe a pipe, and says what cannot be written', async () => {
  const orders = path.join(CONTRACTS, 'orders.example.csv')
  const place = folder()
  const write = (out: string) => retention('--orders', orders, '--as-of', '2026-04-01', '--out', out)
  const [kept, link, pipe] = ['kept.json', 'link.json', 'pipe'].map((name) => path.join(place, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(kept, 'old')
  symlinkSync(kept, link)
  await write(link)
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({ orders: 5 })
  execFileSync('mkfifo', [pipe])
  const reader = promisify(execFile)('cat', [pipe])
  await write(pipe)
  expect(lstatSync(pipe).isFIFO()).toBe(true)
  expect((await reader).stdout).toBe(readFileSync(kept, 'utf8'))
  expect(await write(path.join(place, 'nowhere/measures.json'))).toMatchObject({
    status: 2,
    error: expect.stringMatching(/^--out: .*measures.json cannot be written: ENOENT/),
  })
  expect(readdirSync(place).sort()).toEqual(['kept.json', 'link.json', 'pipe'])
})

test('whoever reads only the beginning of a long answer sees no error', async () => {
  const orders = csv('customer_id,ordered_at,amount\na,1900-01-01,1.00\nb,2020-01-01,1.00\n')
  const command = `"${process.execPath}" app/commands/retention.ts --orders "${orders}" --as-of 2026-01-01 | head -n 1`
  expect(await promisify(execFile)('sh', ['-c', command], { cwd: ROOT })).toEqual({ stdout: '{\n', stderr: '' })
})

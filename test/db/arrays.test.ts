import fc from 'fast-check'
import { expect, test } from 'vitest'
import { booleans, instants, integers, isStorable, numbers, texts } from '#app/db/arrays.ts'
import { pool } from '#app/db/client.server.ts'

/** What PostgreSQL reads in an array, as text; instants as their microseconds since 1970. */
async function read(array: Buffer, type: string): Promise<(string | null)[]> {
  const value = type === 'timestamptz' ? `(extract(epoch from e) * 1000000)::bigint` : 'e'
  const { rows } = await pool.query<{ value: string | null }>(
    `select (${value})::text as value from unnest($1::${type}[]) with ordinality as g (e, place) order by place`,
    [array],
  )
  return rows.map((row) => row.value)
}

const orNull = <Value>(values: fc.Arbitrary<Value>) => fc.array(fc.option(values), { maxLength: 8 })

test('PostgreSQL reads whole numbers, also as digits and past 2^53, as they were written', async () => {
  const value = fc.oneof(
    fc.maxSafeInteger(),
    fc.maxSafeInteger().map(String),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.constantFrom(0, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32), 2 ** 32 - 1, -(2 ** 32) - 1),
  )
  await fc.assert(
    fc.asyncProperty(orNull(value), async (values) => {
      const expected = values.map((given) => (given === null ? null : String(BigInt(given))))
      expect(await read(numbers(values), 'bigint')).toEqual(expected)
    }),
  )
})

test('PostgreSQL reads short whole numbers and yes or no as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(orNull(fc.integer()), fc.array(fc.boolean(), { maxLength: 8 }), async (values, answers) => {
      expect(await read(integers(values), 'int')).toEqual(
        values.map((given) => (given === null ? null : String(given))),
      )
      expect(await read(booleans(answers), 'boolean')).toEqual(answers.map(String))
    }),
  )
})

test('PostgreSQL reads instants to the millisecond, from before 2000 to the year 9999', async () => {
  const instant = fc.integer({ min: Date.UTC(1900), max: Date.UTC(9999) })
  await fc.assert(
    fc.asyncProperty(orNull(instant), async (values) => {
      const expected = values.map((at) => (at === null ? null : String(BigInt(at) * 1000n)))
      expect(await read(instants(values), 'timestamptz')).toEqual(expected)
    }),
  )
})

test('PostgreSQL reads texts of any length and language as they were written', async () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', maxLength: 400 }))
  await fc.assert(
    fc.asyncProperty(orNull(text.filter(isStorable)), async (values) => {
      expect(await read(texts(values), 'text')).toEqual(values)
    }),
  )
})

test.each([
  ['a fraction', () => numbers([1, 0.5])],
  ['no number', () => numbers([Number.NaN])],
  ['a number without end', () => numbers([Infinity])],
  ['a number that lost digits', () => numbers([2 ** 53])],
  ['no digits', () => numbers([''])],
  ['a number of nine bytes', () => numbers([2n ** 63n])],
  ['digits of nine bytes', () => numbers(['-9223372036854775809'])],
  ['a number of five bytes', () => integers([2 ** 31])],
  ['half a short number', () => integers([0.5])],
  ['half a millisecond', () => instants([0.5])],
])('%s is refused, not rounded', (_, pack) => {
  expect(pack).toThrow(RangeError)
})

test('words are no digits', () => {
  expect(() => numbers(['five'])).toThrow(SyntaxError)
})

test('a text that PostgreSQL cannot keep is refused with its beginning', () => {
  expect(isStorable('a\0b')).toBe(false)
  expect(() => texts(['fine', 'a\0b'])).toThrow('This text cannot be kept: "a\\u0000b"')
})

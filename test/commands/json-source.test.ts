import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readJsonSource } from '#app/commands/json-source.ts'

test('what JSON.stringify writes is read as JSON.parse reads it, in any layout', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const source = readJsonSource(text)
      expect(source.problems).toEqual([])
      expect(source.value).toEqual(JSON.parse(text))
    }),
    { numRuns: 1000 },
  )
})

test('whatever JSON.parse refuses is refused, with a line', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), fc.constantFrom('', ',', '}', '"', 'x', '\\', '1'), (value, place, junk) => {
      const text = JSON.stringify(value, null, 1)
      const at = place % (text.length + 1)
      const broken = text.slice(0, at) + junk + text.slice(at + 1)
      let expected: unknown
      try {
        expected = JSON.parse(broken)
      } catch {
        expect(readJsonSource(broken).problems.at(-1)?.message).toMatch(/^is not JSON: /)
        return
      }
      expect(readJsonSource(broken).value).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})

test('a path has a line: that of the field, or of what is around a field that is missing', () => {
  const { lineOf } = readJsonSource('{\n "a": [\n  1,\n  { "b":\n   2 }\n ],\n "c": {}\n}')
  expect([
    lineOf([]),
    lineOf(['a']),
    lineOf(['a', 0]),
    lineOf(['a', 1, 'b']),
    lineOf(['c', 'x', 'y']),
    lineOf(['z']),
  ]).toEqual([1, 2, 3, 4, 7, 1])
})

test.each([
  ['{\n"a": 1,\n"a": 2}', 3, 'a', 'is given twice'],
  ['{"a": [1,\n2.000000000000000001]}', 2, 'a[1]', '2.000000000000000001 has more digits than can be kept'],
  ['{"a": 9007199254740993}', 1, 'a', '9007199254740993 has more digits than can be kept'],
  ['{"a": 1e999}', 1, 'a', '1e999 has more digits than can be kept'],
  ['{\n"a": }', 2, 'a', 'is not JSON: "}" should not stand here'],
  ['{"a": 1\n', 2, '', 'is not JSON: a comma or } should stand here'],
  ['{"a": "x\n"}', 1, 'a', 'is not JSON: a text has no closing quote'],
  ['[1] 2', 1, '', 'is not JSON: there is more after the end of the document'],
  ['', 1, '', 'is not JSON: the document ends too early'],
])('%j says where and what', (text, line, field, message) => {
  expect(readJsonSource(text).problems[0]).toEqual({ line, field, message })
})

test.each(['12.25', '1.50', '0.1', '-0', '1e2', '1.5E-7', '100000000000000000000', '0.30000000000000004'])(
  '%s is exact',
  (number) => {
    expect(readJsonSource(number).problems).toEqual([])
  },
)

test('a field named __proto__ is a field like any other', () => {
  const { value } = readJsonSource('{"__proto__": {"x": 1}}')
  expect(Object.keys(value as object)).toEqual(['__proto__'])
})

test('a document nested without end is refused, not a crash', () => {
  expect(readJsonSource('['.repeat(100_000)).problems[0]?.message).toBe(
    'is not JSON: the document is nested too deeply',
  )
})

test('a byte order mark is no mistake', () => {
  expect(readJsonSource('\uFEFF{"a": 1}').value).toEqual({ a: 1 })
})

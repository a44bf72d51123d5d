import { expect, test } from 'vitest'

import { toCsv } from '#app/ui/export-csv.tsx'

test.each([
  ['at the beginning', '=1+1', `'=1+1`],
  ['behind spaces', ' =1+1', ` '=1+1`],
  ['with a sign', '+1', `'+1`],
  ['with a wide sign, as Japanese spreadsheets take it', '＝1+1', `'＝1+1`],
  [
    'after the semicolon that separates cells in half of Europe',
    `nice;=cmd|'/C calc'!A1;x`,
    `"nice;'=cmd|'/C calc'!A1;x"`,
  ],
  ['after a semicolon and a quote', 'a;"=1+1', `"a;""'=1+1"`],
  ['after a tab', 'a\t@SUM(1)', `"a\t'@SUM(1)"`],
  ['on a line of its own', 'a\r\n-1', `"a\r\n'-1"`],
])('a text in which a formula could begin %s is exported as text', (_where, text, exported) => {
  expect(toCsv([[text]])).toBe(`${exported}\r\n`)
})

test('other texts, numbers and nothing are exported as they are, quoted where they must be', () => {
  const row = ['Ann', 'a-b=c', 'a, b', 'one; two', 'said "hi"', -5, 0.5, null]
  expect(toCsv([row])).toBe('Ann,a-b=c,"a, b","one; two","said ""hi""",-5,0.5,\r\n')
})

test('a long text of nothing but line breaks and spaces takes no time', () => {
  const startedAt = performance.now()
  toCsv([['\n \r ; '.repeat(50_000), ' '.repeat(300_000)]])
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

import { expect, test } from 'vitest'

import { isSameDocument, readNumber, readPath, writePath } from '#app/ui/draft.ts'

test('a field is written into a copy, and what it stood in is left as it was', () => {
  const before = { hold: { days: 14 }, earning: [{ id: 'a', points: 5 }] }
  const after = writePath(before, ['earning', 0, 'points'], 6)
  expect(after).toEqual({ hold: { days: 14 }, earning: [{ id: 'a', points: 6 }] })
  expect(before.earning[0]!.points).toBe(5)
  expect(readPath(after, ['earning', 0, 'points'])).toBe(6)
  expect(readPath(after, ['tiers', 'levels', 2])).toBeUndefined()
})

test('undefined takes a field away, and an item out of its list', () => {
  const before = { rewards: [{ id: 'a', validDays: 90 }, { id: 'b' }] }
  expect(writePath(before, ['rewards', 0, 'validDays'], undefined)).toEqual({ rewards: [{ id: 'a' }, { id: 'b' }] })
  expect(writePath(before, ['rewards', 0], undefined)).toEqual({ rewards: [{ id: 'b' }] })
})

test('objects on the way are made where they are missing', () => {
  expect(writePath({}, ['rewards', 'x', 'combinesWith', 'order'], true)).toEqual({
    rewards: { x: { combinesWith: { order: true } } },
  })
})

test.each([
  ['5', 5],
  [' 1.25 ', 1.25],
  ['-3', -3],
  ['', undefined],
  ['1.', '1.'],
  ['five', 'five'],
  ['1e3', '1e3'],
  ['0x10', '0x10'],
  ['99999999999999999999', '99999999999999999999'],
])('the text %j is read as %j, and what is no number stays for the schema to complain about', (text, value) => {
  expect(readNumber(text)).toBe(value)
})

test('documents are the same whatever the order of their fields, and different with a field more', () => {
  expect(isSameDocument({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toBe(true)
  expect(isSameDocument({ a: 1 }, { a: 1, b: undefined })).toBe(true)
  expect(isSameDocument({ a: [1, 2] }, { a: [2, 1] })).toBe(false)
})

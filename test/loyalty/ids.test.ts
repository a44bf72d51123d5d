import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isGid, numberOfGid, parseGid, toBase32, toGid } from '#app/loyalty/ids.ts'

test('a gid says its type and number, whole', () => {
  expect(parseGid('gid://shopify/Order/820982911946154508')).toEqual({ type: 'Order', number: '820982911946154508' })
  expect(parseGid('gid://shopify/Order/')).toBeNull()
  expect(isGid('gid://shopify/Order/1', 'Order')).toBe(true)
  for (const text of ['gid://shopify/Order/1', 'gid://shopify/Customer/', 'gid://shopify/Customer/1x', '1']) {
    expect(isGid(text, 'Customer')).toBe(false)
  }
})

test('a number that lost digits is refused rather than passed on', () => {
  expect(toGid('Order', '820982911946154508')).toBe('gid://shopify/Order/820982911946154508')
  expect(toGid('Order', 820982911946154508n)).toBe('gid://shopify/Order/820982911946154508')
  expect(() => toGid('Order', Number('820982911946154508'))).toThrow('not exact')
  expect(() => toGid('Order', '1e3')).toThrow('not a number')
})

test('the number of a gid is asked for by its type: another type, or no gid at all, is refused with its text', () => {
  expect(numberOfGid('gid://shopify/Customer/820982911946154508', 'Customer')).toBe('820982911946154508')
  for (const text of ['gid://shopify/Order/1', 'gid://shopify/Customer/', 'gid://shopify/Customer/1x', '1', '']) {
    expect(() => numberOfGid(text, 'Customer')).toThrow(`"${text}" is not the gid of a Customer`)
  }
})

test('different random bytes give different text, and too few are refused', () => {
  const bytes = fc.uint8Array({ minLength: 5, maxLength: 5 })
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      fc.pre(one.some((byte, index) => byte !== other[index]))
      expect(toBase32(one, 8)).not.toBe(toBase32(other, 8))
    }),
  )
  expect(() => toBase32(new Uint8Array(4), 8)).toThrow('5 random bytes')
})

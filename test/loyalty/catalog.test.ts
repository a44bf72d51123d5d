import { expect, test } from 'vitest'
import { parseCatalog, withCatalog } from '#app/loyalty/catalog.ts'
import type { Order } from '#app/loyalty/order.ts'

const mug = 'gid://shopify/Product/1'

test('a product’s collections, tags and compare-at price are read', () => {
  const parsed = parseCatalog(
    { [mug]: { collections: ['gid://shopify/Collection/7'], tags: ['tea'], compareAt: '12.50' } },
    2,
  )
  expect(parsed).toEqual({
    ok: true,
    catalog: new Map([[mug, { collections: ['gid://shopify/Collection/7'], tags: ['tea'], compareAtMinor: 1250 }]]),
  })
})

test.each<[unknown, string, string]>([
  [{ [mug]: { collections: [], tags: [], price: '1' } }, `${mug}.price`, 'is not a known field'],
  [
    { [mug]: { collections: ['7'], tags: [] } },
    `${mug}.collections[0]`,
    'must be an id like "gid://shopify/Collection/1", not "7"',
  ],
  [
    { [mug]: { collections: [], tags: [], compareAt: '1.005' } },
    `${mug}.compareAt`,
    'must be money as text with at most 2 decimals, not "1.005"',
  ],
  [{ [mug]: { collections: [], tags: [], compareAt: 12.5 } }, `${mug}.compareAt`, 'must be text in quotes, not 12.5'],
  [{ mug: { collections: [], tags: [] } }, 'mug', 'must be an id like "gid://shopify/Product/1"'],
  [[], '', 'must be an object, not a list'],
])('%o is refused, with its field', (input, field, message) => {
  const parsed = parseCatalog(input, 2)
  expect(parsed).toMatchObject({ ok: false, problems: [{ field, message }] })
})

test('lines get what the catalogue knows; others stay as they are', () => {
  const catalog = new Map([[mug, { collections: ['c'], tags: ['t'], compareAtMinor: 1 }]])
  const line = (product: string | null) => ({ product, collections: [], tags: [], compareAtMinor: null })
  const order = { lines: [line(mug), line('gid://shopify/Product/2'), line(null)] } as unknown as Order
  expect(withCatalog(order, catalog).lines).toEqual([
    { ...line(mug), ...catalog.get(mug) },
    order.lines[1],
    order.lines[2],
  ])
  const unknown = { lines: [line(null)] } as unknown as Order
  expect(withCatalog(unknown, catalog)).toBe(unknown)
})

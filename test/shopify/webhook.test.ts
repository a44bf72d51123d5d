import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJsonExactly } from '#app/shopify/payload.ts'
import { findSubject, keepWhatIsRead, parseWebhookText, RULES_TOPICS } from '#app/shopify/webhook.ts'

const read = (name: string) => readFileSync(new URL(`../fixtures/payloads/${name}.json`, import.meta.url), 'utf8')

/** Every topic that the rules listen to, with what Shopify sends for it. */
const SAMPLES: [topic: string, file: string][] = [
  ['orders/create', 'edge-orders-paid-guest-no-customer'],
  ['orders/paid', 'orders-paid'],
  ['orders/paid', 'edge-orders-paid-test-order'],
  ['orders/paid', 'sample-orders-paid'],
  ['orders/updated', 'orders-updated'],
  ['orders/cancelled', 'orders-cancelled'],
  ['orders/edited', 'sample-orders-edited'],
  ['orders/delete', 'sample-orders-delete'],
  ['refunds/create', 'refunds-create'],
  ['refunds/create', 'sample-refunds-create'],
  ['customers/create', 'customers-update'],
  ['customers/update', 'customers-update'],
  ['customers/enable', 'customers-update'],
  ['customers/disable', 'customers-update'],
  ['customers/merge', 'sample-customers-merge'],
  ['customers/redact', 'sample-customers-redact'],
]

test('every topic that the rules listen to has a sample here', () => {
  expect([...new Set(SAMPLES.map(([topic]) => topic))].sort()).toEqual([...RULES_TOPICS].sort())
})

test.each(SAMPLES)('%s (%s) says the same without what is not read', (topic, file) => {
  const text = read(file)
  const parsed = parseWebhookText(topic, 1, text)
  expect(parsed).toMatchObject({ ok: true })
  expect(parseWebhookText(topic, 1, keepWhatIsRead(topic, text))).toEqual(parsed)
})

test.each([
  ['orders/paid', 'orders-paid', 'Order', 'id'],
  ['orders/edited', 'sample-orders-edited', 'Order', 'order_edit.order_id'],
  ['refunds/create', 'refunds-create', 'Order', 'order_id'],
  ['customers/update', 'customers-update', 'Customer', 'id'],
  ['customers/redact', 'sample-customers-redact', 'Customer', 'customer.id'],
])('what %s (%s) is about is found by its own id, also in what was kept of it', (topic, file, type, place) => {
  const text = read(file)
  const whole = parseJsonExactly(text) as Record<string, unknown>
  const id = place.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], whole)
  expect(findSubject(topic, text)).toBe(`gid://shopify/${type}/${String(id)}`)
  expect(findSubject(topic, keepWhatIsRead(topic, text))).toBe(`gid://shopify/${type}/${String(id)}`)
})

test('what a message is about is found where nothing else in it can be read, and not guessed where it does not say', () => {
  expect(findSubject('orders/paid', '{"id":5,"currency":7,"line_items":"none"}')).toBe('gid://shopify/Order/5')
  for (const body of ['', '{', 'null', '[]', '{}', '{"id":"five"}', '{"id":-1}'])
    expect(findSubject('orders/paid', body)).toBeNull()
  expect(findSubject('app/uninstalled', '{"id":5}')).toBeNull()
})

test('whatever is missing or wrong in a payload is found wrong without what is not read, too, in the same words', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SAMPLES),
      fc.array(fc.tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 7 }), anyValue), { maxLength: 4 }),
      ([topic, file], changes) => {
        const payload: unknown = JSON.parse(read(file))
        for (const [path, value] of changes) change(payload, path, value)
        const text = JSON.stringify(payload)
        expect(parseWebhookText(topic, 1, keepWhatIsRead(topic, text))).toEqual(parseWebhookText(topic, 1, text))
      },
    ),
    { numRuns: 2_000 },
  )
})

const anyValue = fc.constantFrom(
  undefined,
  null,
  true,
  -1,
  0.5,
  7,
  2 ** 53 + 2,
  '',
  'text',
  '12.50',
  [],
  [{}],
  ['x'],
  {},
  { id: 1 },
  { shop_money: { amount: '1.00', currency_code: 'EUR' } },
)

/** Puts the value somewhere inside: each step of the path chooses among what is there. Undefined takes away. */
function change(value: unknown, path: readonly number[], replacement: unknown): void {
  let inside = value as Record<string, unknown>
  for (const [step, choice] of path.entries()) {
    const names = Object.keys(inside)
    if (names.length === 0) return
    const name = names[choice % names.length]!
    const next = inside[name]
    if (step < path.length - 1 && typeof next === 'object' && next !== null) {
      inside = next as Record<string, unknown>
      continue
    }
    inside[name] = structuredClone(replacement)
    return
  }
}

test('who bought and where they live is not kept, but for the id', () => {
  const kept = keepWhatIsRead('orders/paid', read('orders-paid'))
  expect(JSON.parse(kept).customer).toEqual({
    admin_graphql_api_id: 'gid://shopify/Customer/8123456789012',
    state: 'enabled',
  })
  expect(kept).not.toMatch(/address|phone|email|first_name|last_name|browser_ip|note|zip/)
  expect(kept.length).toBeLessThan(read('orders-paid').length / 5)
})

test('what says no more than its absence, or the same as another field, is not kept', () => {
  const [set, other] = [{ shop_money: { amount: '5.00' } }, { shop_money: { amount: '4.50' } }]
  const payload = {
    ...{ id: 1, admin_graphql_api_id: 'gid://shopify/Order/1', test: false, cancelled_at: null, refunds: [] },
    ...{ created_at: '2026-08-01T12:00:00Z', processed_at: '2026-08-01T12:00:01Z' },
    line_items: [
      { id: 2, price: '5.00', price_set: set, gift_card: true, tip_payment_gateway: null, tax_lines: [] },
      { id: 3, price: '5.00', price_set: other },
      { id: 4, price: '5.00' },
    ],
    shipping_lines: [],
  }
  expect(JSON.parse(keepWhatIsRead('orders/paid', JSON.stringify(payload)))).toEqual({
    admin_graphql_api_id: 'gid://shopify/Order/1',
    processed_at: '2026-08-01T12:00:01Z',
    line_items: [
      { id: 2, price: '5.00', gift_card: true, tip_payment_gateway: null },
      { id: 3, price_set: other },
      { id: 4, price: '5.00' },
    ],
    shipping_lines: [],
  })
})

test('what is no JSON, of another topic, nested without end, or has an id that would lose digits is kept as it came', () => {
  const endless = '['.repeat(100_000) + ']'.repeat(100_000)
  for (const [topic, text] of [
    ['orders/paid', `{"line_items": ${endless}}`],
    ['orders/paid', '{"id": 1, '],
    ['app/uninstalled', '{"id": 1, "name": "Shop"}'],
    ['orders/paid', '{"id": 820982911946154508, "note": "Müller"}'],
    ['orders/paid', '{"id": 5, "line_items": [{"quantity": 1e400}]}'],
  ] as const) {
    expect(keepWhatIsRead(topic, text)).toBe(text)
  }
  expect(keepWhatIsRead('orders/paid', '{"id": 5, "note": 820982911946154508}')).toBe('{"id":5}')
})

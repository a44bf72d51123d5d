/** The action "Record an activity" as Shopify Flow calls it: what it pays, once, in words why not, and what cannot be forged. */
import { expect, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { closeShop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { action } from '#app/routes/flow.record-activity.ts'
import type { SpendingShop } from '#test/jobs/spending-shop.ts'
import { openInstalledShop } from '#test/routes/installed-shop.ts'
import { makeFlowRequest, type FlowRequest } from './flow.ts'

const EARNING = [
  { id: 'purchase', on: 'order', points: 5, per: '1.00' },
  { id: 'welcome', on: 'signup', points: 100 },
  { id: 'review', on: 'review', points: 20, limit: { times: 2, every: 'ever' } },
  { id: 'twice', on: 'review', points: 5 },
  { id: 'friend', on: 'referral', points: 200, when: { tiers: ['gold'] } },
  { id: 'workshop', on: 'custom:Tea workshop', points: 30, limit: { times: 1, every: 'order' } },
]
const TIERS = {
  metric: 'spend',
  window: 'lifetime',
  levels: [
    { id: 'member', name: 'Member', threshold: '0.00' },
    { id: 'gold', name: 'Gold', threshold: '50.00' },
  ],
}
const open = (more: object = {}) => openInstalledShop([], { earning: EARNING, tiers: TIERS, ...more } as never)

async function record(place: SpendingShop, properties: object, options: FlowRequest = {}) {
  const request = makeFlowRequest(place.shop.domain, properties, options)
  const response = await action({ request, params: {}, context: {} } as never).catch((thrown: unknown) => {
    if (thrown instanceof Response) return thrown
    throw thrown
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {} }
}

const numberOf = (customer: string) => customer.split('/').at(-1)!
const balance = async (place: SpendingShop, customer: string) =>
  (await readMembers(place.shop.id, [customer])).get(customer)?.available

test('a workflow records a review and the member has its points; the same run again pays nothing more', async () => {
  const place = await open()
  const ann = await place.member(0)
  const review = { customer_id: numberOf(ann), activity: 'review', reference: '' }
  expect(await record(place, review)).toEqual({ status: 200, body: { ok: true, points: 25 } })
  expect(await record(place, review)).toEqual({ status: 200, body: { ok: true, points: 0 } })
  expect(await balance(place, ann)).toBe(25)
  // Another run is another review, however the merchant typed it and Flow wrote the number.
  const other = { customer_id: Number(numberOf(ann)), activity: ' Review ' }
  expect((await record(place, other, { run: 'another' })).body).toEqual({ ok: true, points: 25 })
  expect(await balance(place, ann)).toBe(50)
})

test('the same run told twice at once pays once', async () => {
  const place = await open()
  const ann = await place.member(0)
  const review = { customer_id: numberOf(ann), activity: 'review' }
  const answers = await Promise.all([record(place, review), record(place, review), record(place, review)])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await balance(place, ann)).toBe(25)
})

test('a reference is paid once, whichever run or workflow tells of it, and is each member’s and activity’s own', async () => {
  const place = await open()
  const [ann, ben] = [await place.member(0), await place.member(0)]
  const visit = { customer_id: numberOf(ann), activity: 'custom:tea workshop', reference: 'March' }
  expect((await record(place, visit, { run: 'one' })).body).toEqual({ ok: true, points: 30 })
  expect((await record(place, visit, { run: 'two' })).body).toEqual({ ok: true, points: 0 })
  expect((await record(place, { ...visit, reference: 'April' }, { run: 'one' })).body.points).toBe(30)
  expect((await record(place, { ...visit, customer_id: numberOf(ben) }, { run: 'two' })).body.points).toBe(30)
  expect((await record(place, { ...visit, activity: 'review' }, { run: 'two' })).body.points).toBe(25)
  expect([await balance(place, ann), await balance(place, ben)]).toEqual([85, 30])
})

test('what the program does not pay is refused in words, and Flow does not try it again', async () => {
  const place = await open()
  const ann = await place.member(0)
  const customer_id = numberOf(ann)
  const refusal = async (properties: object, run = 'run') => {
    const { status, body } = await record(place, { customer_id, ...properties }, { run })
    expect({ status, ok: body.ok }).toEqual({ status: 422, ok: false })
    return `${String(body.reason)}: ${String(body.message)}`
  }
  expect(await refusal({ activity: 'survey' })).toBe(
    'unknown_event: The program has no points for "survey". It has points for: review, referral, Tea workshop.',
  )
  for (const activity of ['signup', 'order', 'birthday', 'custom:signup']) {
    expect(await refusal({ activity })).toContain('unknown_event')
  }
  expect(await refusal({ activity: 'referral' })).toContain('tier: ')
  const erased = await place.member(10)
  await applyEvents(place.shop.id, [{ type: 'erase', at: now(), customer: erased }], now())
  expect(await refusal({ activity: 'review', customer_id: numberOf(erased) })).toContain('erased: ')
  expect(await balance(place, ann)).toBe(0)
})

test('where the limit is reached or the customer takes no part, that is said', async () => {
  const limited = await open({ earning: EARNING.filter(({ id }) => id === 'review') })
  const ann = await limited.member(0)
  const review = { customer_id: numberOf(ann), activity: 'review' }
  for (const run of ['1', '2']) expect((await record(limited, review, { run })).status).toBe(200)
  expect(await record(limited, review, { run: '3' })).toMatchObject({ status: 422, body: { reason: 'limit_reached' } })
  // What was paid stays paid.
  expect(await record(limited, review, { run: '2' })).toEqual({ status: 200, body: { ok: true, points: 0 } })

  const asking = await open({ enrolment: 'opt-in' })
  const ben = await asking.member(0)
  expect(await record(asking, { customer_id: numberOf(ben), activity: 'review' })).toMatchObject({
    status: 422,
    body: { reason: 'not_a_member', message: 'The customer does not take part in the program.' },
  })
})

test('only what Flow signed is believed, as it was signed', async () => {
  const place = await open()
  const ann = await place.member(0)
  const review = { customer_id: numberOf(ann), activity: 'review' }
  expect((await record(place, review, { secret: 'another-app' })).status).toBe(401)
  const more = (body: string) => body.replace('review', 'referral')
  expect((await record(place, review, { tamper: more })).status).toBe(401)
  expect((await record(place, review, { method: 'GET' })).status).toBe(405)
  expect(await balance(place, ann)).toBe(0)
})

test('the shop is the one that Flow named under its signature; the same number in another shop is another customer', async () => {
  const [mine, theirs] = [await open(), await open()]
  const [ann, eve] = [await mine.member(0), await theirs.member(0)]
  expect(numberOf(ann)).toBe(numberOf(eve))
  const review = { customer_id: numberOf(ann), activity: 'review' }
  const toTheirs = (body: string) => body.replace(mine.shop.domain, theirs.shop.domain)
  expect((await record(mine, review, { tamper: toTheirs })).status).toBe(401)
  expect((await record(mine, review)).status).toBe(200)
  expect([await balance(mine, ann), await balance(theirs, eve)]).toEqual([25, 0])
  // The same run in the other shop is another run.
  expect((await record(theirs, review)).body).toEqual({ ok: true, points: 25 })
  // Where the app was taken off, nothing is recorded any more.
  await closeShop(theirs.shop.id, now())
  expect((await record(theirs, review, { run: 'late' })).status).toBe(404)
  expect(await balance(theirs, eve)).toBe(25)
})

test('what cannot be read is refused with the name of the field, signed or not', async () => {
  const place = await open()
  const ann = numberOf(await place.member(0))
  for (const [properties, field] of [
    [{ activity: 'review' }, 'properties.customer_id'],
    [{ customer_id: 'gid://shopify/Order/1', activity: 'review' }, 'properties.customer_id'],
    [{ customer_id: '0', activity: 'review' }, 'properties.customer_id'],
    [{ customer_id: 1.5, activity: 'review' }, 'properties.customer_id'],
    [{ customer_id: ann }, 'properties.activity'],
    [{ customer_id: ann, activity: '  ' }, 'properties.activity'],
    [{ customer_id: ann, activity: 'review', reference: 7 }, 'properties.reference'],
    [{ customer_id: ann, activity: 'review', reference: 'a\u0000b' }, 'properties.reference'],
    [{ customer_id: ann, activity: 'x'.repeat(300) }, 'properties.activity'],
  ] as const) {
    const { status, body } = await record(place, properties)
    expect({ status, message: String(body.message) }, JSON.stringify(properties)).toEqual({
      status: 400,
      message: expect.stringContaining(`${field}: `),
    })
  }
  const domain = place.shop.domain
  for (const [body, status] of [
    ['', 400],
    ['{', 400],
    ['[]', 400],
    [' {}', 400],
    [JSON.stringify({ shopify_domain: domain }), 400],
    [JSON.stringify({ properties: {} }), 404],
    [JSON.stringify({ shopify_domain: { domain } }), 404],
    [JSON.stringify({ shopify_domain: domain, properties: 'x'.repeat(70_000) }), 413],
  ] as const) {
    expect((await record(place, {}, { body })).status, body.slice(0, 80)).toBe(status)
  }
  const withoutRun = JSON.stringify({ shopify_domain: domain, properties: { customer_id: ann, activity: 'review' } })
  expect((await record(place, {}, { body: withoutRun })).body.message).toContain('action_run_id')
})

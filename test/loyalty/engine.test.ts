import { describe, expect, test } from 'vitest'
import type { Programs } from '#app/loyalty/engine.ts'
import { apply, createMember, findMemberNeeds, findNeeds, nextDueAt } from '#app/loyalty/engine.ts'
import {
  ANN,
  at,
  BEN,
  makeLine,
  makeOrder,
  makeProgram,
  makeRefund,
  onlyProgram,
  orderOf,
  refundTo,
  Shop,
} from './shop.ts'

const ORDER = 'gid://shopify/Order/1'

const start = (differences: Record<string, unknown> = {}) => new Shop(onlyProgram(differences))

describe('when an order earns', () => {
  test('on paid, at the instant the webhook was triggered, not that of placing; from there hold and expiry count', () => {
    const shop = start({ hold: { days: 14 }, expiry: { model: 'lot', months: 1 } })
    shop.hear(makeOrder({ processedAt: at('2026-08-01T12:00') }), '2026-08-02T10:00')
    expect(shop.get(ANN)).toMatchObject({ pending: 100, available: 0 })
    expect(shop.get(ANN).lots).toMatchObject([
      { earnedAt: at('2026-08-02T10:00'), releaseAt: at('2026-08-16T10:00'), expiresAt: at('2026-09-03') },
    ])
  })

  test.each(['pending', 'authorized', 'partially_paid', null])('%s earns nothing yet', (financialStatus) => {
    const shop = start()
    shop.hear(makeOrder({ financialStatus }))
    expect(shop.get(ANN).available).toBe(0)
    expect(shop.order(ORDER)?.worth?.reasons).toEqual([{ rule: 'order', why: 'not_paid' }])
  })

  test('the earliest webhook that shows it paid sets the instant of earning, a stale one too: hold and expiry move with it', () => {
    const shop = start({ hold: { days: 14 }, expiry: { model: 'lot', months: 1 } })
    const paid = makeOrder()
    shop.tell({ type: 'order', at: at('2026-08-05'), order: refundTo(paid, 1, '2026-08-05') })
    expect(shop.get(ANN).lots[0]).toMatchObject({ earnedAt: at('2026-08-05') })
    shop.tell({ type: 'order', at: at('2026-08-01T13:00'), order: paid })
    expect(shop.get(ANN).lots[0]).toMatchObject({
      earnedAt: at('2026-08-01T13:00'),
      releaseAt: at('2026-08-15T13:00'),
      expiresAt: at('2026-09-02'),
    })
  })

  test('an order read from the API earns at the instant of its last sale or capture', () => {
    const shop = start({ hold: { days: 14 } })
    shop.happen({ type: 'order', at: at('2026-08-20'), order: makeOrder(), paidAt: at('2026-08-01T12:05') })
    expect(shop.get(ANN)).toMatchObject({ available: 100, pending: 0 })
    expect(shop.get(ANN).lots[0]).toMatchObject({ earnedAt: at('2026-08-01T12:05') })
  })

  test('paid and then edited up is partly paid until the rest is paid: meanwhile nothing changes', () => {
    const shop = start()
    const paid = makeOrder()
    shop.hear(paid)
    const lines = [...paid.lines, makeLine('50.00', { id: 'added' })]
    shop.hear({ ...paid, lines, financialStatus: 'partially_paid', updatedAt: at('2026-08-02') })
    expect(shop.get(ANN).available).toBe(100)
    shop.hear({ ...paid, lines, financialStatus: 'paid', updatedAt: at('2026-08-03') })
    expect(shop.get(ANN).available).toBe(150)
  })

  test('a newer snapshot that is neither paid nor void does not bring a cancelled order back', () => {
    const shop = start()
    const paid = makeOrder()
    shop.hear(paid)
    shop.hear({ ...paid, cancelledAt: at('2026-08-02'), financialStatus: 'paid', updatedAt: at('2026-08-02') })
    shop.hear({ ...paid, financialStatus: 'partially_paid', updatedAt: at('2026-08-03') })
    expect(shop.get(ANN).available).toBe(0)
  })
})

describe('which rules', () => {
  const programs: Programs = {
    versions: [
      { number: 1, from: at('2026-08-01'), program: makeProgram() },
      {
        number: 2,
        from: at('2026-08-10'),
        program: makeProgram({ earning: [{ id: 'purchase', on: 'order', points: 2, per: '1.00' }], hold: { days: 7 } }),
      },
    ],
    historyEarns: false,
    confirmCodes: false,
  }

  test('the version in force when the order was placed prices it for good, refunds too, and sets its hold', () => {
    const shop = new Shop(programs)
    const order = orderOf(1, '100.00', '2026-08-09T23:59', { lines: [makeLine('50.00', { quantity: 2 })] })
    shop.hear(order, '2026-08-11')
    expect(shop.get(ANN)).toMatchObject({ available: 100, pending: 0 })
    shop.hear(refundTo(order, 1, '2026-08-12'))
    expect(shop.get(ANN).available).toBe(50)
    expect(shop.order(ORDER)?.terms).toMatchObject({ version: 1 })
    shop.hear(orderOf(2, '100.00', '2026-08-10'), '2026-08-10T00:00')
    expect(shop.get(ANN)).toMatchObject({ available: 50, pending: 200 })
  })

  test('an order placed before the first version earns only where the merchant let history earn', () => {
    const order = orderOf(1, '100.00', '2026-07-31')
    const shop = new Shop(programs)
    shop.hear(order, '2026-08-02')
    expect(shop.get(ANN).available).toBe(0)
    expect(shop.order(ORDER)?.worth?.reasons).toEqual([{ rule: 'order', why: 'before_program' }])
    const generous = new Shop({ ...programs, historyEarns: true })
    generous.hear(order, '2026-08-02')
    expect(generous.get(ANN).available).toBe(100)
  })

  const tiers = {
    metric: 'spend',
    window: 'lifetime',
    levels: [
      { id: 'base', name: 'Base', threshold: '0' },
      { id: 'gold', name: 'Gold', threshold: '100.00', multiplier: 2 },
    ],
  }

  test('the tier is that of the placing, before this order; a late webhook of an order placed earlier gets the earlier tier', () => {
    const shop = start({ tiers })
    shop.hear(orderOf(1, '100.00', '2026-08-01'), '2026-08-01T00:05')
    expect(shop.order(ORDER)?.worth?.points).toBe(100)
    expect(shop.get(ANN).tier.level).toBe('gold')
    shop.hear(orderOf(2, '100.00', '2026-08-01T00:04'), '2026-08-03')
    expect(shop.order('gid://shopify/Order/2')?.worth?.points).toBe(100)
    shop.hear(orderOf(3, '100.00', '2026-08-01T00:05'), '2026-08-04')
    expect(shop.order('gid://shopify/Order/3')?.worth).toMatchObject({
      points: 200,
      reasons: [
        { rule: 'purchase', points: 100 },
        { rule: 'tier:gold', multiplier: 2 },
      ],
    })
  })

  const double = (differences: object) => ({
    ...{ id: 'double', name: 'Double', from: '2026-01-01T00:00', until: '2027-01-01T00:00' },
    ...{ offer: { pointsMultiplier: 2 }, ...differences },
  })
  const join = (shop: Shop, when: string, segments: string[]) =>
    shop.happen({ type: 'segments', at: at(when), customer: ANN, segments })

  test('a segment left or joined later does not re-price: a refund takes back at the rate that was given', () => {
    const shop = start({ campaigns: [double({ audience: { segments: ['lost'] } })] })
    const order = (number: number, placed: string) =>
      orderOf(number, '0', placed, { lines: [makeLine('10.00', { quantity: 2 })] })
    join(shop, '2026-08-01', ['lost'])
    shop.hear(order(1, '2026-08-02'))
    join(shop, '2026-08-03', [])
    shop.hear(order(2, '2026-08-04'))
    expect(shop.get(ANN).available).toBe(60)
    expect([1, 2].map((number) => shop.order(`gid://shopify/Order/${number}`)?.terms?.campaigns)).toEqual([
      ['double'],
      [],
    ])
    shop.hear(refundTo(order(1, '2026-08-02'), 1, '2026-08-05'))
    expect(shop.get(ANN).available).toBe(40)
    join(shop, '2026-08-06', ['lost'])
    shop.hear(refundTo(order(2, '2026-08-04'), 1, '2026-08-07'))
    expect(shop.get(ANN).available).toBe(30)
  })

  test('what was held out stays so after a merge, and an order without such a campaign keeps nothing', () => {
    const campaign = double({ holdOut: 0.5 })
    const shop = start({ campaigns: [campaign] })
    const customers = Array.from({ length: 8 }, (_, index) => `gid://shopify/Customer/${index + 1}`)
    const hearAll = (updatedAt: number) =>
      customers.forEach((customer, index) =>
        shop.hear(orderOf(index + 1, '10.00', '2026-08-02', { customer, updatedAt })),
      )
    const points = () => customers.map((_, index) => shop.order(`gid://shopify/Order/${index + 1}`)?.worth?.points)
    hearAll(at('2026-08-02'))
    const before = points()
    expect(new Set(before)).toEqual(new Set([10, 20]))
    for (const from of customers.slice(1)) shop.happen({ type: 'merge', at: at('2026-08-03'), from, into: ANN })
    hearAll(at('2026-08-04'))
    expect(points()).toEqual(before)
    const plain = start({ campaigns: [double({})] })
    plain.hear(makeOrder())
    expect(plain.order(ORDER)?.terms).not.toHaveProperty('campaigns')
  })

  test('terms from before this was kept go by what segments say now', () => {
    const shop = start({ campaigns: [double({ audience: { segments: ['lost'] } })] })
    shop.hear(makeOrder())
    const { campaigns: _, ...terms } = shop.order(ORDER)!.terms!
    shop.orders.set(ORDER, { ...shop.order(ORDER)!, terms })
    join(shop, '2026-08-02', ['lost'])
    shop.hear(makeOrder({ updatedAt: at('2026-08-03') }))
    expect(shop.order(ORDER)?.worth?.points).toBe(200)
  })

  test('the catalogue’s changes do not re-price: lines keep what their products were, new lines have what they are', () => {
    const collection = 'gid://shopify/Collection/1'
    const shop = start({
      basis: { saleItems: false },
      earning: [{ id: 'tea', on: 'order', points: 2, per: '1.00', when: { collections: [collection] } }],
    })
    const tea = makeLine('10.00', { quantity: 2, collections: [collection] })
    const cup = makeLine('10.00', { id: 'gid://shopify/LineItem/2', collections: [collection], compareAtMinor: 900 })
    shop.hear(makeOrder({ lines: [tea] }))
    expect(shop.get(ANN).available).toBe(40)
    // Taken out of the collection and put on sale since, while one is given back and a cup is added.
    const now = { ...tea, collections: [], tags: ['sale'], compareAtMinor: 2_000, currentQuantity: 1 }
    shop.hear(makeOrder({ updatedAt: at('2026-08-03'), lines: [now, cup] }))
    expect(shop.get(ANN).available).toBe(40)
    expect(shop.order(ORDER)?.snapshot?.lines).toEqual([{ ...tea, currentQuantity: 1 }, cup])
    shop.hear(makeOrder({ updatedAt: at('2026-08-04'), lines: [now, { ...cup, currentQuantity: 0 }] }))
    expect(shop.get(ANN).available).toBe(20)
  })

  test('a tier lost later does not re-price: a refund takes back at the rate that was given', () => {
    const shop = start({ tiers })
    shop.hear(orderOf(1, '100.00', '2026-08-01'))
    const second = orderOf(2, '0', '2026-08-02', { lines: [makeLine('10.00', { quantity: 2 })] })
    shop.hear(second)
    shop.hear({ ...orderOf(1, '100.00', '2026-08-01'), cancelledAt: at('2026-08-03'), updatedAt: at('2026-08-03') })
    expect(shop.get(ANN)).toMatchObject({ available: 40, tier: { level: 'base' } })
    shop.hear(refundTo(second, 1, '2026-08-04'))
    expect(shop.get(ANN).available).toBe(20)
  })
})

describe('limits of rules', () => {
  const limited = (limit: object) => ({ earning: [{ id: 'flat', on: 'order', points: 10, per: 'order', limit }] })

  test('once ever: the first order evaluated takes the place and keeps it after a refund', () => {
    const shop = start(limited({ times: 1, every: 'ever' }))
    const first = orderOf(1, '20.00', '2026-08-01')
    shop.hear(first)
    shop.hear(refundTo(first, 0, '2026-08-02'))
    shop.hear(orderOf(2, '20.00', '2026-08-03'))
    expect(shop.get(ANN).available).toBe(0)
    expect(shop.order('gid://shopify/Order/2')?.worth?.reasons).toEqual([{ rule: 'flat', why: 'limit_reached' }])
    shop.hear(refundTo(first, 1, '2026-08-04'))
    expect(shop.get(ANN).available).toBe(10)
  })

  test('once a shop-local day, by placing: two orders on either side of midnight in New York both earn', () => {
    const shop = start({ ...limited({ times: 1, every: 'day' }), timezone: 'America/New_York' })
    shop.hear(orderOf(1, '20.00', '2026-08-02T03:59'))
    shop.hear(orderOf(2, '20.00', '2026-08-02T04:00'))
    shop.hear(orderOf(3, '20.00', '2026-08-02T05:00'))
    expect(shop.get(ANN).available).toBe(20)
  })

  test('once a year, by placing: 31 December and 1 January in Auckland are different years', () => {
    const shop = start({ ...limited({ times: 1, every: 'year' }), timezone: 'Pacific/Auckland' })
    shop.hear(orderOf(1, '20.00', '2026-12-31T10:59'))
    shop.hear(orderOf(2, '20.00', '2026-12-31T11:00'))
    shop.hear(orderOf(3, '20.00', '2027-01-01T11:00'))
    expect(shop.get(ANN).available).toBe(20)
  })

  test('every order has its own place with "order"', () => {
    const shop = start(limited({ times: 1, every: 'order' }))
    shop.hear(orderOf(1, '20.00', '2026-08-01'))
    shop.hear(orderOf(2, '20.00', '2026-08-01'))
    expect(shop.get(ANN).available).toBe(20)
  })
})

describe('convergence', () => {
  test('a snapshot older than the one applied changes nothing; of equally old ones the later triggered counts', () => {
    const shop = start()
    const order = makeOrder({ lines: [makeLine('10.00', { quantity: 10 })] })
    shop.hear(refundTo(order, 3, '2026-08-03'))
    shop.hear(refundTo(order, 7, '2026-08-02'), '2026-08-04')
    expect(shop.get(ANN).available).toBe(30)
    shop.hear(refundTo(order, 2, '2026-08-03'), '2026-08-03T00:02')
    expect(shop.get(ANN).available).toBe(20)
    shop.tell({ type: 'order', at: at('2026-08-03T00:01'), order: refundTo(order, 5, '2026-08-03') })
    expect(shop.get(ANN).available).toBe(20)
    shop.audit()
  })

  test('a refund that comes alone is merged into the known order, and not again with a snapshot that has it', () => {
    const shop = start()
    const order = makeOrder({ lines: [makeLine('10.00', { quantity: 10 })] })
    shop.hear(order)
    const refund = makeRefund({ lines: [{ line: 'gid://shopify/LineItem/1', quantity: 4 }], givenBackMinor: 1000 })
    const told = { type: 'refund' as const, at: at('2026-08-02'), order: ORDER, refund }
    shop.happen(told)
    expect(shop.get(ANN).available).toBe(50)
    shop.happen(told)
    expect(shop.get(ANN).available).toBe(50)
    shop.hear(refundTo(order, 6, '2026-08-02', { refunds: [refund] }))
    expect(shop.get(ANN).available).toBe(50)
    shop.happen(told)
    expect(shop.get(ANN).available).toBe(50)
  })

  test('a refund alone of an order not known yet waits for it, and asks for it', () => {
    const shop = start()
    const refund = makeRefund({ lines: [{ line: 'gid://shopify/LineItem/1', quantity: 4 }] })
    const { effects } = shop.happen({ type: 'refund', at: at('2026-08-02'), order: ORDER, refund })
    expect(effects).toEqual([{ kind: 'refetch-order', order: ORDER }])
    shop.hear(makeOrder({ lines: [makeLine('10.00', { quantity: 10 })] }), '2026-08-02T01:00')
    expect(shop.get(ANN).available).toBe(60)
  })

  test('orders/edited changes nothing and asks for the order', () => {
    const shop = start()
    shop.hear(makeOrder())
    const changes = shop.happen({ type: 'order-edited', at: at('2026-08-02'), order: ORDER })
    expect(changes).toMatchObject({
      refused: null,
      members: [],
      transfers: [],
      effects: [{ kind: 'refetch-order', order: ORDER }],
    })
  })

  test('an edit that adds goods joins the lot of its order: same release, same expiry', () => {
    const shop = start({ hold: { days: 14 }, expiry: { model: 'lot', months: 12 } })
    const order = makeOrder()
    shop.hear(order)
    shop.hear({ ...order, lines: [makeLine('150.00')], updatedAt: at('2026-08-10') })
    expect(shop.get(ANN).lots).toMatchObject([{ key: ORDER, pending: 150, releaseAt: at('2026-08-15T12:00:01Z') }])
    shop.hear({ ...order, lines: [makeLine('170.00')], updatedAt: at('2026-09-10') })
    expect(shop.get(ANN)).toMatchObject({ available: 170, pending: 0, lots: [{ key: ORDER, available: 170 }] })
  })
})

describe('cancelled, voided, deleted, test', () => {
  test.each([
    ['cancelled', { cancelledAt: at('2026-08-02') }],
    ['voided', { financialStatus: 'voided' }],
    ['test_order', { test: true }],
  ])('%s takes everything back', (why, differences) => {
    const shop = start()
    const order = makeOrder()
    shop.hear(order)
    shop.hear({ ...order, ...differences, updatedAt: at('2026-08-02') })
    expect(shop.get(ANN)).toMatchObject({ available: 0, lifetimeEarned: 0 })
    expect(shop.order(ORDER)?.worth).toMatchObject({ points: 0, reasons: [{ rule: 'order', why }] })
  })

  test('deleted takes everything back, for good', () => {
    const shop = start()
    shop.hear(makeOrder())
    shop.happen({ type: 'order-deleted', at: at('2026-08-02'), order: ORDER })
    shop.hear(makeOrder({ updatedAt: at('2026-08-03') }))
    expect(shop.get(ANN).available).toBe(0)
    expect(shop.order(ORDER)?.worth?.reasons).toEqual([{ rule: 'order', why: 'deleted' }])
  })
})

describe('whose order it is, and who is a member', () => {
  test('a guest’s order earns once a customer is attached, from the instant it was first paid', () => {
    const shop = start({ hold: { days: 14 } })
    const order = makeOrder({ customer: null })
    shop.hear(order, '2026-08-01T12:00')
    expect(shop.order(ORDER)?.worth?.reasons).toEqual([{ rule: 'order', why: 'no_customer' }])
    shop.hear({ ...order, customer: ANN, updatedAt: at('2026-08-05') })
    expect(shop.get(ANN)).toMatchObject({ pending: 100, lots: [{ releaseAt: at('2026-08-15T12:00') }] })
  })

  test('later without a customer it stays with the one it had; another customer moves it', () => {
    const shop = start()
    const order = makeOrder()
    shop.hear(order)
    shop.hear({ ...order, customer: null, updatedAt: at('2026-08-02') })
    expect(shop.get(ANN).available).toBe(100)
    shop.hear({ ...order, customer: BEN, updatedAt: at('2026-08-03') })
    expect([shop.get(ANN), shop.get(BEN)]).toMatchObject([
      { available: 0, lifetimeEarned: 0, activity: [] },
      { available: 100, lifetimeEarned: 100 },
    ])
    shop.audit()
  })

  test('accounts: only customers whose state is enabled earn; what was placed before stays without', () => {
    const shop = start({ enrolment: 'accounts' })
    const order = makeOrder({ customerState: 'disabled' })
    shop.hear(order)
    expect(shop.order(ORDER)?.worth?.reasons).toEqual([{ rule: 'order', why: 'not_a_member' }])
    shop.happen({ type: 'customer', at: at('2026-08-02'), customer: ANN, state: 'enabled' })
    shop.hear({ ...order, updatedAt: at('2026-08-03'), customerState: 'enabled' })
    expect(shop.get(ANN).available).toBe(0)
    shop.hear(orderOf(2, '30.00', '2026-08-04'))
    expect(shop.get(ANN).available).toBe(30)
  })

  test('accounts: an unpaid order says of an account too, and news that come late take nothing back', () => {
    const shop = start({ enrolment: 'accounts', rewards: [{ id: 'r', type: 'shipping', cost: 5 }] })
    shop.happen({ type: 'customer', at: at('2026-07-01'), customer: ANN, state: 'enabled' })
    expect(shop.adjust(10, 'a', '2026-07-02').refused).toBeNull()
    shop.happen({ type: 'customer', at: at('2026-08-01'), customer: ANN, state: 'disabled' })
    expect(shop.redeem('r', 'C', '2026-08-02').refused).toBe('not_a_member')
    // She opens an account again and orders by invoice; the webhook of the account never comes.
    const unpaid = orderOf(2, '30.00', '2026-08-03', { financialStatus: 'pending', customerState: 'enabled' })
    shop.hear(unpaid, '2026-08-03T12:00')
    expect(shop.redeem('r', 'C', '2026-08-04').refused).toBeNull()
    // An order of before comes late, with the account she had not had then, and so does the news of her record.
    shop.hear(makeOrder({ customerState: 'disabled' }), '2026-08-01T12:00')
    shop.happen({ type: 'customer', at: at('2026-08-02'), customer: ANN, state: 'disabled' })
    expect(shop.get(ANN).customerState).toBe('enabled')
    expect(shop.order(ORDER)?.worth?.points).toBe(100)
    shop.happen({ type: 'customer', at: at('2026-08-05'), customer: ANN, state: 'disabled' })
    expect(shop.get(ANN).customerState).toBe('disabled')
  })

  test('what news say of a customer who was merged away, or of another than the order is of now, is not the member’s', () => {
    const shop = start({ enrolment: 'accounts' })
    shop.happen({ type: 'customer', at: at('2026-08-01'), customer: ANN, state: 'enabled' })
    shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
    shop.happen({ type: 'customer', at: at('2026-08-03'), customer: BEN, state: 'disabled' })
    shop.hear(makeOrder({ customer: BEN, customerState: 'disabled' }), '2026-08-04')
    expect(shop.get(ANN).customerState).toBe('enabled')
  })

  test('opt-in: only who joined earns, is paid for events and can redeem', () => {
    const shop = start({
      enrolment: 'opt-in',
      earning: [
        { id: 'purchase', on: 'order', points: 1, per: '1.00' },
        { id: 'welcome', on: 'signup', points: 5 },
      ],
      rewards: [{ id: 'r', type: 'shipping', cost: 5 }],
    })
    shop.hear(makeOrder())
    expect(shop.custom('signup', 's', '2026-08-02').refused).toBe('not_a_member')
    expect(shop.redeem('r', 'C', '2026-08-02').refused).toBe('not_a_member')
    shop.happen({ type: 'opt-in', at: at('2026-08-03'), customer: ANN })
    expect(shop.custom('signup', 's', '2026-08-04').refused).toBeNull()
    shop.hear(orderOf(2, '30.00', '2026-08-04'))
    expect(shop.get(ANN).available).toBe(35)
  })
})

describe('transfers and their keys', () => {
  test('every transfer has from, to, an amount above 0 and a key of its business fact', () => {
    const shop = start({ hold: { days: 14 } })
    const order = makeOrder({ lines: [makeLine('10.00', { quantity: 10 })] })
    shop.hear(order)
    shop.hear(refundTo(order, 9, '2026-08-02'))
    shop.pass(at('2026-09-01'))
    expect(shop.transfers).toMatchObject([
      { key: `order:${ORDER}@2026-08-01T12:00:00Z`, from: 'shop.issued', to: `member:${ANN}.pending`, amount: 100 },
      { key: `order:${ORDER}@2026-08-02T00:00:00Z`, from: `member:${ANN}.pending`, to: 'shop.taken_back', amount: 10 },
      { from: `member:${ANN}.pending`, to: `member:${ANN}.available`, amount: 90, reason: 'release' },
    ])
  })

  test('the same key with the same data is the same result, with other data an error that changes nothing', () => {
    const shop = start({ earning: [{ id: 's', on: 'custom:survey', points: 5 }] })
    shop.adjust(50, 'k', '2026-08-01')
    expect(shop.adjust(50, 'k', '2026-08-02')).toMatchObject({ refused: null, transfers: [] })
    expect(shop.adjust(51, 'k', '2026-08-02')).toMatchObject({ refused: 'key_used_with_other_data', transfers: [] })
    expect(shop.adjust(50, 'k', '2026-08-02', BEN)).toMatchObject({
      refused: 'key_used_with_other_data',
      transfers: [],
    })
    shop.custom('survey', 'a', '2026-08-03')
    expect(shop.custom('survey', 'a', '2026-08-04')).toMatchObject({ refused: null, transfers: [] })
    expect(shop.custom('survey', 'a', '2026-08-04', 'gid://shopify/Order/9').refused).toBe('key_used_with_other_data')
    expect(shop.get(ANN).available).toBe(55)
    expect(shop.member(BEN)).toBeUndefined()
  })
})

describe('pending', () => {
  test('order points wait 14 × 24 h from paid, through a night of 25 hours too; they cannot be spent', () => {
    const shop = start({
      hold: { days: 14 },
      timezone: 'America/New_York',
      rewards: [{ id: 'r', type: 'shipping', cost: 1 }],
    })
    shop.hear(orderOf(1, '100.00', '2026-10-25T12:00'), '2026-10-25T12:00')
    expect(nextDueAt(shop.get(ANN), shop.programs)).toBe(at('2026-11-08T12:00'))
    expect(shop.redeem('r', 'C', '2026-11-08T11:59').refused).toBe('insufficient_points')
    expect(shop.redeem('r', 'C', '2026-11-08T12:00').refused).toBeNull()
  })

  test('with a hold of 0 days points are available at once; other events never wait', () => {
    const shop = start({ hold: { days: 0 } })
    shop.hear(makeOrder())
    expect(shop.get(ANN)).toMatchObject({ available: 100, pending: 0 })
    const waiting = start({ hold: { days: 90 }, earning: [{ id: 'w', on: 'signup', points: 5 }] })
    waiting.custom('signup', 's', '2026-08-01')
    expect(waiting.get(ANN)).toMatchObject({ available: 5, pending: 0 })
  })
})

describe('taking back, and below zero', () => {
  const rewards = [{ id: 'any', type: 'amount', value: '1.00', perPoints: 1 }]

  test('first this order’s pending, then its own lot, then other lots by expiry, then below zero', () => {
    const shop = start({ rewards, expiry: { model: 'lot', months: 1 }, hold: { days: 0 } })
    shop.adjust(30, 'late', '2026-08-03')
    shop.adjust(20, 'early', '2026-08-03')
    const order = orderOf(1, '100.00', '2026-08-05')
    shop.hear(order)
    // 50 + 100 available; spending takes 20 + 30 (older) and 40 of the order's own.
    shop.adjust(10, 'after', '2026-08-06')
    shop.redeem('any', 'C', '2026-08-07', 90)
    expect(shop.get(ANN).lots).toMatchObject([
      { key: ORDER, available: 60 },
      { key: 'adjust:after', available: 10 },
    ])
    shop.hear(refundTo(order, 0, '2026-08-08'))
    expect(shop.get(ANN)).toMatchObject({ available: -30, deficit: 30, lots: [] })
  })

  test('pending of other orders is left alone', () => {
    const shop = start({ rewards, hold: { days: 10 } })
    const first = orderOf(1, '100.00', '2026-08-01')
    shop.hear(first)
    shop.redeem('any', 'C', '2026-08-12', 80)
    shop.hear(orderOf(2, '50.00', '2026-08-13'))
    shop.hear(refundTo(first, 0, '2026-08-14'))
    expect(shop.get(ANN)).toMatchObject({ available: -80, pending: 50 })
    shop.pass(at('2026-08-24'))
    expect(shop.get(ANN)).toMatchObject({ available: -30, pending: 0, deficit: 30, lots: [] })
    shop.adjust(100, 'k', '2026-08-25')
    expect(shop.get(ANN)).toMatchObject({ available: 70, deficit: 0, lots: [{ available: 70 }] })
    shop.audit()
  })

  test('clamp writes off what is not there: it counts neither as taken back nor against what was earned', () => {
    const shop = start({ rewards, negativeBalance: 'clamp' })
    const order = makeOrder()
    shop.hear(order)
    shop.redeem('any', 'C', '2026-08-02', 80)
    shop.hear(refundTo(order, 0, '2026-08-03'))
    expect(shop.get(ANN)).toMatchObject({ available: 0, deficit: 0, lifetimeEarned: 80 })
    expect(shop.transfers.slice(-2)).toMatchObject([
      { to: 'shop.taken_back', amount: 20 },
      { from: 'shop.written_off', to: 'shop.taken_back', amount: 80 },
    ])
    shop.hear({ ...order, updatedAt: at('2026-08-04') })
    expect(shop.get(ANN)).toMatchObject({ available: 20, lifetimeEarned: 100 })
    shop.audit()
  })
})

describe('manual adjustment', () => {
  test('adds a lot that is not lifetimeEarned, takes below zero, and does not count for tiers unless asked', () => {
    const tiers = {
      metric: 'points',
      window: 'lifetime',
      levels: [
        { id: 'base', name: 'Base', threshold: 0 },
        { id: 'gold', name: 'Gold', threshold: 50 },
      ],
    }
    const shop = start({ tiers, negativeBalance: 'clamp', expiry: { model: 'lot', months: 1 } })
    shop.adjust(100, 'a', '2026-08-01')
    expect(shop.get(ANN)).toMatchObject({ available: 100, lifetimeEarned: 0, tier: { level: 'base' } })
    expect(shop.get(ANN).lots).toMatchObject([{ expiresAt: at('2026-09-02') }])
    shop.adjust(-130, 'b', '2026-08-02')
    expect(shop.get(ANN)).toMatchObject({ available: -30, lifetimeEarned: 0 })
    const when = at('2026-08-03')
    const asked = { customer: ANN, points: 60, reason: 'r', actor: 'a', key: 'c', countsForTier: true }
    shop.happen({ type: 'adjust', at: when, ...asked })
    expect(shop.get(ANN)).toMatchObject({ available: 30, tier: { level: 'gold' } })
    expect(shop.adjust(0, 'd', '2026-08-04').refused).toBe('zero_points')
  })
})

describe('merge', () => {
  const rewards = [{ id: 'r', type: 'shipping', cost: 10, validDays: 90, limitPerMember: 1 }]

  test('balances add up, lots keep their dates, late webhooks of the other id land on the survivor', () => {
    const shop = start({ hold: { days: 14 }, expiry: { model: 'lot', months: 12 }, rewards })
    shop.adjust(10, 'a', '2026-07-01')
    shop.adjust(20, 'b', '2026-07-02', BEN)
    shop.redeem('r', 'CODE', '2026-07-03', undefined, BEN)
    const order = orderOf(1, '100.00', '2026-08-01', { customer: BEN })
    shop.hear(order)
    shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
    expect(shop.get(BEN)).toBe(shop.get(ANN))
    expect(shop.get(ANN)).toMatchObject({ id: ANN, aliases: [BEN], available: 20, pending: 100, lifetimeEarned: 100 })
    shop.hear(refundTo(order, 0, '2026-08-03'))
    expect(shop.get(ANN)).toMatchObject({ available: 20, pending: 0 })
    // The code runs out in the survivor's hands, and its place is free again.
    expect(shop.redeem('r', 'OTHER', '2026-08-03').refused).toBe('limit_reached')
    shop.happen({ type: 'cancel-redemption', at: at('2026-08-03'), code: 'CODE' })
    expect(shop.get(ANN).available).toBe(30)
    expect(shop.redeem('r', 'OTHER', '2026-08-03').refused).toBeNull()
    shop.audit()
  })

  test('a deficit of one is filled from the lots of the other', () => {
    const shop = start()
    shop.adjust(-30, 'a', '2026-07-01')
    shop.adjust(50, 'b', '2026-07-01', BEN)
    shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
    expect(shop.get(ANN)).toMatchObject({ available: 20, deficit: 0, lots: [{ available: 20 }] })
    shop.audit()
  })

  test('a deficit moves the other way round', () => {
    const shop = start()
    shop.adjust(-30, 'a', '2026-07-01', BEN)
    shop.adjust(50, 'b', '2026-07-01')
    shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
    expect(shop.get(ANN)).toMatchObject({ available: 20, deficit: 0 })
    expect(shop.transfers.at(-1)).toMatchObject({
      from: `member:${ANN}.available`,
      to: `member:${BEN}.available`,
      amount: 30,
    })
    shop.audit()
  })

  test('what two spent lifts the one who is left to the tier of both, at once and with its reward', () => {
    const tiers = {
      metric: 'spend',
      window: { rollingDays: 365 },
      levels: [
        { id: 'bronze', name: 'Bronze', threshold: '0.00' },
        { id: 'silver', name: 'Silver', threshold: '150.00', entryReward: 25 },
      ],
    }
    const shop = start({ tiers })
    shop.hear(makeOrder())
    shop.hear(makeOrder({ id: 'gid://shopify/Order/2', customer: BEN }))
    const { effects } = shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
    expect(shop.get(ANN)).toMatchObject({ available: 225, tier: { level: 'silver' } })
    expect(shop.get(ANN).tier.history.at(-1)).toMatchObject({ at: at('2026-08-02'), level: 'silver' })
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'tier-changed' }))
    shop.audit()
  })

  test('the same merge again changes nothing; a customer never heard of becomes an alias; nobody is merged with himself', () => {
    const shop = start()
    shop.adjust(5, 'a', '2026-07-01')
    shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
    expect(shop.happen({ type: 'merge', at: at('2026-08-03'), from: BEN, into: ANN }).transfers).toEqual([])
    shop.hear(makeOrder({ customer: BEN }))
    expect(shop.get(ANN).available).toBe(105)
    expect(shop.happen({ type: 'merge', at: at('2026-08-03'), from: ANN, into: ANN }).refused).toBe('merge_with_itself')
  })

  test('a chain of merges ends at the last survivor, and an event’s key used under an old id stays used', () => {
    const third = 'gid://shopify/Customer/3'
    const shop = start({ earning: [{ id: 's', on: 'custom:survey', points: 5 }] })
    shop.custom('survey', 'k', '2026-07-01')
    shop.happen({ type: 'merge', at: at('2026-08-01'), from: ANN, into: BEN })
    shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: third })
    expect(shop.get(ANN).id).toBe(third)
    expect(shop.custom('survey', 'k', '2026-08-03', null, BEN).transfers).toEqual([])
    expect(shop.get(third).available).toBe(5)
    shop.audit()
  })

  test('a chain of merges ends at the last survivor too where one was told by where the orders went, in any order', () => {
    const third = 'gid://shopify/Customer/3'
    const merge = (from: string, into: string) => ({ type: 'merge', at: at('2026-08-02'), from, into }) as const
    const [first, second, seen] = [merge(ANN, BEN), merge(BEN, third), merge(ANN, third)]
    for (const merges of [
      [seen, first, second],
      [first, seen, second],
      [seen, second, first],
      [second, seen, first],
      [second, first, seen],
      [first, second, seen],
    ]) {
      const shop = start()
      shop.adjust(5, 'a', '2026-07-01')
      shop.adjust(20, 'b', '2026-07-01', BEN)
      for (const one of merges) shop.happen(one)
      expect(shop.get(ANN)).toMatchObject({ id: third, available: 25 })
      expect(new Set(shop.get(third).aliases)).toEqual(new Set([ANN, BEN]))
      shop.audit()
    }
  })

  test('two customers who both live stay two, also where orders told wrongly into whom a third was merged', () => {
    const third = 'gid://shopify/Customer/3'
    const shop = start()
    shop.adjust(5, 'a', '2026-07-01')
    shop.adjust(20, 'b', '2026-07-01', BEN)
    shop.adjust(30, 'c', '2026-07-01', third)
    for (const into of [BEN, third]) shop.happen({ type: 'merge', at: at('2026-08-02'), from: ANN, into })
    expect([shop.get(BEN), shop.get(third)]).toMatchObject([
      { id: BEN, available: 25 },
      { id: third, available: 30 },
    ])
    shop.audit()
  })
})

test('an adjustment’s key that was used under an id merged away stays used', () => {
  const shop = start()
  shop.adjust(30, 'a', '2026-07-01', BEN)
  shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
  for (const customer of [ANN, BEN]) {
    expect(shop.adjust(30, 'a', '2026-08-03', customer)).toMatchObject({ refused: null, transfers: [] })
    expect(shop.adjust(31, 'a', '2026-08-03', customer).refused).toBe('key_used_with_other_data')
  }
})

describe('erasure', () => {
  test('forfeits the open balance, pending too; later orders and refunds of earlier ones move nothing', () => {
    const shop = start({ hold: { days: 14 }, rewards: [{ id: 'r', type: 'shipping', cost: 10, validDays: 90 }] })
    shop.adjust(30, 'a', '2026-07-01')
    shop.redeem('r', 'CODE', '2026-07-02')
    const order = makeOrder()
    shop.hear(order)
    shop.happen({ type: 'erase', at: at('2026-08-02'), customer: ANN })
    expect(shop.get(ANN)).toMatchObject({ available: 0, pending: 0, lots: [], birthday: null, activity: [] })
    expect(shop.transfers.filter(({ to }) => to === 'shop.forfeited').map(({ amount }) => amount)).toEqual([100, 20])
    const moved = shop.transfers.length
    shop.hear(orderOf(2, '40.00', '2026-08-03'))
    shop.hear(refundTo(order, 0, '2026-08-04'))
    expect(shop.transfers).toHaveLength(moved)
    expect(shop.order('gid://shopify/Order/2')?.worth?.reasons).toEqual([{ rule: 'order', why: 'erased' }])
    expect(shop.adjust(5, 'b', '2026-08-05').refused).toBe('erased')
    expect(shop.redeem('r', 'X', '2026-08-05').refused).toBe('erased')
    // Points of a code that ran out come back to nobody: they are forfeited too.
    shop.pass(at('2026-12-01'))
    expect(shop.get(ANN).available).toBe(0)
    shop.audit()
  })

  test('a customer who was merged away is not the one who stays: forgetting the old id takes nothing from the survivor', () => {
    const shop = start({ hold: { days: 14 } })
    shop.adjust(30, 'a', '2026-07-01')
    shop.hear(makeOrder({ customer: BEN }))
    shop.happen({ type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN })
    const moved = shop.transfers.length
    expect(shop.happen({ type: 'erase', at: at('2026-08-03'), customer: BEN }).refused).toBeNull()
    expect(shop.transfers).toHaveLength(moved)
    expect(shop.get(BEN)).toMatchObject({ id: ANN, erasedAt: null, available: 30, pending: 100 })
    // Forgetting the survivor is forgetting both.
    shop.happen({ type: 'erase', at: at('2026-08-04'), customer: ANN })
    expect(shop.get(BEN)).toMatchObject({ erasedAt: at('2026-08-04'), available: 0, pending: 0 })
    shop.audit()
  })

  test('a merge heard of after the survivor was forgotten forgets the other too, as it would have in time', () => {
    const rewards = [{ id: 'r', type: 'shipping', cost: 10, validDays: 90 }]
    const inTime = start({ rewards })
    const late = start({ rewards })
    for (const shop of [inTime, late]) {
      shop.adjust(30, 'a', '2026-07-01')
      shop.adjust(50, 'b', '2026-07-01', BEN)
      shop.happen({ type: 'birthday', at: at('2026-07-01'), customer: BEN, month: 12, day: 24 })
      shop.redeem('r', 'CODE', '2026-07-02', undefined, BEN)
    }
    const merge = { type: 'merge', at: at('2026-08-02'), from: BEN, into: ANN } as const
    const erase = { type: 'erase', at: at('2026-08-03'), customer: ANN } as const
    for (const event of [merge, erase]) inTime.happen(event)
    for (const event of [erase, merge]) late.happen(event)
    for (const shop of [inTime, late]) {
      // The code that is out comes back to nobody.
      shop.pass(at('2026-12-01'))
      expect(shop.get(BEN)).toMatchObject({ id: ANN, available: 0, pending: 0, reserved: 0, lots: [], birthday: null })
      const forfeited = shop.transfers.filter(({ to }) => to === 'shop.forfeited')
      expect(forfeited.reduce((sum, { amount }) => sum + amount, 0)).toBe(80)
      shop.audit()
    }
  })

  test('who was forgotten joins nobody who lives on', () => {
    const shop = start()
    shop.adjust(30, 'a', '2026-07-01')
    shop.happen({ type: 'erase', at: at('2026-08-02'), customer: BEN })
    expect(shop.happen({ type: 'merge', at: at('2026-08-03'), from: BEN, into: ANN }).refused).toBe('erased')
    expect(shop.get(ANN)).toMatchObject({ available: 30, aliases: [] })
  })

  test('a balance below zero goes as well, so that totals tie; a customer never seen earns nothing later', () => {
    const shop = start()
    shop.adjust(-30, 'a', '2026-07-01')
    shop.happen({ type: 'erase', at: at('2026-08-02'), customer: ANN })
    expect(shop.get(ANN).available).toBe(0)
    expect(shop.transfers.at(-1)).toMatchObject({ from: 'shop.forfeited', amount: 30 })
    shop.happen({ type: 'erase', at: at('2026-08-02'), customer: BEN })
    shop.hear(makeOrder({ customer: BEN, processedAt: at('2026-08-03') }))
    expect(shop.get(BEN).available).toBe(0)
    shop.audit()
  })
})

test('what a member held at any past instant is the sum of the transfers up to it', () => {
  const shop = start({ hold: { days: 14 } })
  shop.hear(makeOrder(), '2026-08-01T12:00')
  shop.pass(at('2026-09-01'))
  const held = (when: string) =>
    shop.transfers
      .filter(({ eventAt }) => eventAt <= at(when))
      .reduce((all, { from, to, amount }) => {
        const account = `member:${ANN}.available`
        return all + (to === account ? amount : from === account ? -amount : 0)
      }, 0)
  expect([held('2026-08-15T11:59'), held('2026-08-15T12:00')]).toEqual([0, 100])
})

describe('what callers load', () => {
  test('findNeeds names what events touch at first sight, findMemberNeeds whom records point to', () => {
    const shop = start({ rewards: [{ id: 'r', type: 'amount', value: '1.00', cost: 10 }] })
    shop.adjust(30, 'a', '2026-07-01', BEN)
    shop.redeem('r', 'CODE', '2026-07-02', undefined, BEN)
    const order = makeOrder({ discountCodes: ['code'] })
    const events = [{ type: 'order' as const, at: order.updatedAt, order }]
    expect(findNeeds(events)).toEqual({ members: [ANN], orders: [ORDER], redemptions: [], codes: ['code'], facts: [] })
    expect(findMemberNeeds(shop, events)).toEqual([ANN, BEN])
    shop.hear(order)
    const deleted = [{ type: 'order-deleted' as const, at: order.updatedAt, order: ORDER }]
    expect(findMemberNeeds(shop, deleted).sort()).toEqual([ANN, BEN])
  })

  test('apply is the pure function of one member: what it is given stays as it was', () => {
    const programs = onlyProgram()
    const member = createMember(ANN, at('2026-08-01'), programs)
    const frozen = JSON.stringify(member)
    const applied = apply(member, { type: 'order', at: at('2026-08-01T12:00'), order: makeOrder() }, programs)
    expect(JSON.stringify(member)).toBe(frozen)
    expect(applied.member.available).toBe(100)
    expect(applied.transfers).toHaveLength(1)
  })

  test('a record survives being stored as JSON', () => {
    const shop = start({ hold: { days: 14 }, expiry: { model: 'lot', months: 12 } })
    shop.hear(makeOrder())
    expect(JSON.parse(JSON.stringify(shop.get(ANN)))).toEqual(shop.get(ANN))
    expect(JSON.parse(JSON.stringify(shop.order(ORDER)))).toEqual(shop.order(ORDER))
  })

  test('news that change nothing leave every record as it is', () => {
    const shop = start()
    shop.hear(makeOrder())
    const changes = shop.hear(makeOrder())
    expect(changes).toMatchObject({ members: [], transfers: [], effects: [] })
  })
})

test('days between events do not change what an event older than the clock does: it is applied now, with its own instant', () => {
  const shop = start({ hold: { days: 14 }, expiry: { model: 'lot', months: 1 } })
  shop.adjust(5, 'a', '2026-08-01')
  shop.pass(at('2026-12-01'))
  shop.tell({ type: 'adjust', at: at('2026-11-30'), customer: ANN, points: 1, reason: 'r', actor: 'a', key: 'b' })
  shop.tell({ type: 'order', at: at('2026-08-01T12:00'), order: makeOrder() })
  expect(shop.get(ANN)).toMatchObject({ available: 1, pending: 0, lifetimeEarned: 100 })
  expect(shop.transfers.slice(-2)).toMatchObject([
    { from: 'shop.issued', amount: 100, eventAt: at('2026-08-01T12:00') },
    { to: 'shop.expired', amount: 100, eventAt: at('2026-09-02') },
  ])
  shop.audit()
})

import { describe, expect, test } from 'vitest'
import type { Programs } from '#app/loyalty/engine.ts'
import { quote } from '#app/loyalty/rewards.ts'
import {
  ANN,
  at,
  BEN,
  DAY,
  makeLine,
  makeOrder,
  makeProgram,
  makeRefund,
  onlyProgram,
  orderOf,
  refundTo,
  Shop,
} from './shop.ts'

const REWARDS = [
  { id: 'five', type: 'amount', value: '5.00', cost: 50, validDays: 30 },
  { id: 'any', type: 'amount', value: '1.00', perPoints: 100, step: 100, minimumPoints: 200 },
  { id: 'thirds', type: 'amount', value: '0.10', perPoints: 3, step: 3 },
  { id: 'ten', type: 'percentage', value: 10, cost: 30 },
  { id: 'odd', type: 'percentage', value: 12.5, cost: 30 },
  { id: 'ship', type: 'shipping', cost: 20 },
  { id: 'mug', type: 'product', products: ['gid://shopify/Product/9'], cost: 60 },
  { id: 'credit', type: 'store-credit', value: '5.00', cost: 40, validDays: 10 },
  { id: 'card', type: 'gift-card', value: '1.00', perPoints: 10 },
  { id: 'once', type: 'shipping', cost: 5, limitPerMember: 1 },
]

function start(points = 1000, differences: Record<string, unknown> = {}): Shop {
  const shop = new Shop(onlyProgram({ rewards: REWARDS, ...differences }))
  shop.adjust(points, 'start', '2026-06-01')
  return shop
}

const CODE_ORDER = { discountCodes: ['CODE'] }

describe('types', () => {
  test.each([
    ['five', undefined, 50, '5.00'],
    ['any', 250, 200, '2.00'],
    ['thirds', 10, 9, '0.30'],
    ['ten', undefined, 30, '10'],
    ['odd', undefined, 30, '12.5'],
    ['ship', undefined, 20, null],
    ['mug', undefined, 60, null],
    ['credit', undefined, 40, '5.00'],
    ['card', 35, 30, '3.00'],
  ])('%s for a wish of %s takes %i points and gives %s', (reward, wish, points, value) => {
    const shop = start()
    expect(shop.redeem(reward, 'CODE', '2026-07-01', wish).refused).toBeNull()
    expect(shop.get(ANN).available).toBe(1000 - points)
    expect(shop.redemption('CODE')).toMatchObject({ points, value, state: 'issued', reward })
  })

  test('a wish above the balance is refused, one below a step or the minimum too', () => {
    const shop = start(250)
    expect(shop.redeem('any', 'A', '2026-07-01', 300).refused).toBe('insufficient_points')
    expect(shop.redeem('any', 'B', '2026-07-01', 199).refused).toBe('below_minimum_points')
    expect(shop.redeem('thirds', 'C', '2026-07-01', 2).refused).toBe('below_one_step')
    expect(shop.redeem('any', 'D', '2026-07-01').refused).toBe('points_required')
    expect(shop.redeem('five', 'E', '2026-07-01', 60).refused).toBe('points_not_allowed')
    expect(shop.redeem('nothing', 'F', '2026-07-01').refused).toBe('unknown_reward')
    expect(shop.get(ANN)).toMatchObject({ available: 250, redemptions: [] })
  })

  test('money of currencies without or with three decimals is exact', () => {
    const reward = { rewards: [{ id: 'any', type: 'amount', value: '10', perPoints: 3, step: 3 }], currency: 'JPY' }
    const yen = makeProgram({ ...reward, earning: [] })
    expect(quote(yen.rewards[0]!, 8, yen)).toEqual({ ok: true, points: 6, value: '20' })
    const dinar = makeProgram({
      rewards: [{ id: 'any', type: 'amount', value: '0.010', perPoints: 3, step: 1 }],
      currency: 'KWD',
      earning: [],
    })
    expect(quote(dinar.rewards[0]!, 8, dinar)).toEqual({ ok: true, points: 8, value: '0.026' })
  })
})

describe('two phases', () => {
  const reserve = (shop: Shop, id: string, when = '2026-07-01') =>
    shop.happen({ type: 'reserve', at: at(when), customer: ANN, id, reward: 'five' })

  test('reserve sets the points aside, commit spends them, release gives them back into their lots', () => {
    const shop = start(120)
    expect(reserve(shop, 'rdm_1').refused).toBeNull()
    expect(reserve(shop, 'rdm_2').refused).toBeNull()
    expect(shop.get(ANN)).toMatchObject({ available: 20, reserved: 100 })
    shop.happen({ type: 'commit', at: at('2026-07-02'), id: 'rdm_1', code: 'AAA' })
    shop.happen({ type: 'release', at: at('2026-07-02'), id: 'rdm_2' })
    expect(shop.get(ANN)).toMatchObject({ available: 70, reserved: 0, lots: [{ available: 70 }] })
    expect(shop.redemption('rdm_1')).toMatchObject({ state: 'issued', code: 'AAA', expiresAt: at('2026-08-01') })
    expect(shop.transfers.slice(1).map(({ key, from, to }) => [key, from, to])).toEqual([
      ['reserve:rdm_1', `member:${ANN}.available`, `member:${ANN}.reserved`],
      ['reserve:rdm_2', `member:${ANN}.available`, `member:${ANN}.reserved`],
      ['redeem:rdm_1', `member:${ANN}.reserved`, 'shop.redeemed'],
      ['release:rdm_2', `member:${ANN}.reserved`, `member:${ANN}.available`],
    ])
    shop.audit()
  })

  test('each step again is the same result; a step that does not fit is refused', () => {
    const shop = start(120)
    reserve(shop, 'rdm_1')
    expect(reserve(shop, 'rdm_1')).toMatchObject({ refused: null, transfers: [] })
    const other = { type: 'reserve' as const, at: at('2026-07-01'), customer: ANN, id: 'rdm_1', reward: 'ship' }
    expect(shop.happen(other).refused).toBe('key_used_with_other_data')
    const commit = { type: 'commit' as const, at: at('2026-07-02'), id: 'rdm_1', code: 'AAA' }
    shop.happen(commit)
    expect(shop.happen(commit)).toMatchObject({ refused: null, transfers: [] })
    expect(shop.happen({ type: 'release', at: at('2026-07-02'), id: 'rdm_1' }).refused).toBe('unknown_redemption')
    expect(shop.happen({ type: 'commit', at: at('2026-07-02'), id: 'rdm_9', code: 'B' }).refused).toBe(
      'unknown_redemption',
    )
    reserve(shop, 'rdm_2')
    expect(shop.happen({ type: 'commit', at: at('2026-07-02'), id: 'rdm_2', code: 'aaa' }).refused).toBe('code_taken')
    expect(shop.get(ANN)).toMatchObject({ available: 20, reserved: 50 })
  })

  test('of two carts that want the same points the second is refused, and nothing is lost', () => {
    const shop = start(60)
    expect(reserve(shop, 'rdm_1').refused).toBeNull()
    expect(reserve(shop, 'rdm_2').refused).toBe('insufficient_points')
    expect(shop.get(ANN)).toMatchObject({ available: 10, reserved: 50 })
  })

  test('app/redeem with the same code and data again is the same result, with other data an error', () => {
    const shop = start()
    shop.redeem('any', 'CODE', '2026-07-01', 250)
    expect(shop.redeem('any', 'CODE', '2026-07-02', 250)).toMatchObject({ refused: null, transfers: [] })
    expect(shop.redeem('any', 'CODE', '2026-07-02', 300).refused).toBe('key_used_with_other_data')
    expect(shop.redeem('any', 'code', '2026-07-02', 250, BEN).refused).toBe('key_used_with_other_data')
    expect(shop.get(ANN).available).toBe(800)
  })
})

describe('the same wish again, where the program has changed meanwhile', () => {
  const version = (number: number, from: string, rewards: object[]) => ({
    number,
    from: at(from),
    program: makeProgram({ rewards }),
  })
  const any = { id: 'any', type: 'amount', value: '1.00', perPoints: 10, step: 3 }
  const five = { id: 'five', type: 'amount', value: '5.00', cost: 50, validDays: 30 }
  const open = () => {
    const versions = [
      version(1, '2026-01-01', [five, any]),
      version(2, '2026-07-10', [
        { ...five, cost: 80 },
        { ...any, step: 7 },
      ]),
      version(3, '2026-07-20', []),
    ]
    const shop = new Shop({ versions, historyEarns: true, confirmCodes: false })
    shop.adjust(100, 'a', '2026-06-01')
    return shop
  }
  const wish = (shop: Shop, when: string, reward: string, points?: number) =>
    shop.happen({ type: 'reserve', at: at(when), customer: ANN, id: `rdm-${reward}`, reward, points })

  test('is the same redemption at the price of then, also where the reward is dearer or gone', () => {
    const shop = open()
    expect([wish(shop, '2026-07-01', 'five').refused, wish(shop, '2026-07-01', 'any', 10).refused]).toEqual([
      null,
      null,
    ])
    const before = shop.get(ANN)
    for (const when of ['2026-07-02', '2026-07-11', '2026-07-21']) {
      expect(wish(shop, when, 'five')).toMatchObject({ refused: null, transfers: [], redemptions: [] })
      expect(wish(shop, when, 'five', 50)).toMatchObject({ refused: null, transfers: [] })
      expect(wish(shop, when, 'any', 10)).toMatchObject({ refused: null, transfers: [] })
      expect(wish(shop, when, 'five', 80).refused).toBe('key_used_with_other_data')
      expect(wish(shop, when, 'any', 14).refused).toBe('key_used_with_other_data')
      expect(wish(shop, when, 'any').refused).toBe('key_used_with_other_data')
    }
    expect(shop.get(ANN)).toMatchObject({ available: before.available, reserved: 59 })
    shop.audit()
  })

  test('a wish that is heard late has the price of its own instant, and so has its repetition', () => {
    const shop = open()
    shop.pass(at('2026-07-15'))
    expect(
      shop.tell({ type: 'reserve', at: at('2026-07-01'), customer: ANN, id: 'x', reward: 'five' }).refused,
    ).toBeNull()
    expect(shop.redemption('x')).toMatchObject({ points: 50, reservedAt: at('2026-07-01') })
    expect(
      shop.tell({ type: 'reserve', at: at('2026-07-16'), customer: ANN, id: 'x', reward: 'five' }).refused,
    ).toBeNull()
    shop.tell({ type: 'commit', at: at('2026-07-16'), id: 'x', code: 'C' })
    expect(shop.redemption('x')).toMatchObject({ state: 'issued', expiresAt: at('2026-08-15') })
  })
})

describe('limits', () => {
  test('times per member; an undone redemption frees its place', () => {
    const shop = start()
    expect(shop.redeem('once', 'A', '2026-07-01').refused).toBeNull()
    expect(shop.redeem('once', 'B', '2026-07-01').refused).toBe('limit_reached')
    shop.happen({ type: 'cancel-redemption', at: at('2026-07-02'), code: 'A' })
    expect(shop.redeem('once', 'B', '2026-07-03').refused).toBeNull()
  })

  test('a reward of some tiers is for members who are in one of them at that moment', () => {
    const tiers = {
      metric: 'orders',
      window: 'lifetime',
      levels: [
        { id: 'base', name: 'Base', threshold: 0 },
        { id: 'gold', name: 'Gold', threshold: 1 },
      ],
    }
    const shop = start(100, { tiers, rewards: [{ id: 'golden', type: 'shipping', cost: 5, tiers: ['gold'] }] })
    expect(shop.redeem('golden', 'A', '2026-07-01').refused).toBe('tier')
    shop.hear(orderOf(1, '1.00', '2026-07-02'))
    expect(shop.redeem('golden', 'A', '2026-07-03').refused).toBeNull()
  })

  test('pending points cannot be spent, nor points that are owed', () => {
    const shop = start(10, { hold: { days: 14 } })
    shop.hear(orderOf(1, '500.00', '2026-07-01'))
    expect(shop.redeem('ship', 'A', '2026-07-02').refused).toBe('insufficient_points')
    shop.adjust(-30, 'owed', '2026-07-02')
    expect(shop.redeem('once', 'A', '2026-07-02').refused).toBe('insufficient_points')
  })
})

describe('codes', () => {
  test('a code given away is spent all the same: the order of somebody else uses it', () => {
    const shop = start()
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.hear(orderOf(1, '20.00', '2026-07-02', { customer: BEN, discountCodes: ['code'] }))
    expect(shop.redemption('CODE')).toMatchObject({ state: 'used', order: 'gid://shopify/Order/1', member: ANN })
    shop.pass(at('2026-12-01'))
    expect(shop.get(ANN).available).toBe(950)
    expect(shop.get(BEN).available).toBe(20)
  })

  test('an unused code gives its points back when it runs out, 30 × 24 h after it was issued', () => {
    const shop = start()
    shop.redeem('five', 'CODE', '2026-07-01T12:00')
    shop.pass(at('2026-07-31T11:59'))
    expect(shop.get(ANN).available).toBe(950)
    shop.pass(at('2026-07-31T12:00'))
    expect(shop.get(ANN)).toMatchObject({ available: 1000, redemptions: [] })
    expect(shop.redemption('CODE')).toMatchObject({ state: 'returned', returned: 50 })
  })

  test('a code lives as long as the reward said when the points were set aside, whatever is published before it is there', () => {
    const version = (number: number, from: string, validDays?: number) => ({
      number,
      from: at(from),
      program: makeProgram({ rewards: [{ id: 'r', type: 'shipping', cost: 10, validDays }] }),
    })
    const versions = [version(1, '2026-01-01', 30), version(2, '2026-08-02', 5), version(3, '2026-08-03')]
    const shop = new Shop({ versions, historyEarns: true, confirmCodes: false })
    shop.adjust(30, 'a', '2026-07-01')
    for (const [reserved, validDays] of [
      ['2026-08-01', 30],
      ['2026-08-02', 5],
      ['2026-08-03', null],
    ] as const) {
      const id = `rdm-${reserved}`
      shop.happen({ type: 'reserve', at: at(reserved), customer: ANN, id, reward: 'r' })
      shop.happen({ type: 'commit', at: at('2026-08-04'), id, code: id })
      const expiresAt = validDays && at('2026-08-04') + validDays * DAY
      expect(shop.redemption(id)).toMatchObject({ state: 'issued', expiresAt })
    }
  })

  test('a code without valid days never runs out', () => {
    const shop = start()
    shop.redeem('ship', 'CODE', '2026-07-01')
    shop.pass(at('2036-07-01'))
    expect(shop.redemption('CODE')?.state).toBe('issued')
  })

  test('cancelling twice is the same as once; a code that ran out, is unknown or used cannot be cancelled', () => {
    const shop = start()
    const cancel = (code: string) => shop.happen({ type: 'cancel-redemption', at: at('2026-07-05'), code }).refused
    shop.redeem('five', 'A', '2026-07-01')
    shop.redeem('five', 'B', '2026-07-01')
    shop.hear(orderOf(1, '20.00', '2026-07-02', { discountCodes: ['B'] }))
    expect(cancel('a')).toBeNull()
    expect(cancel('A')).toBeNull()
    expect(shop.get(ANN).available).toBe(970)
    expect(cancel('B')).toBe('code_used')
    expect(cancel('C')).toBe('unknown_code')
    shop.redeem('five', 'D', '2026-07-05')
    shop.pass(at('2026-08-04'))
    expect(shop.happen({ type: 'cancel-redemption', at: at('2026-08-05'), code: 'D' }).refused).toBe('already_returned')
  })

  test('store credit and gift cards are handed out at once: they neither run out nor come back', () => {
    const shop = start()
    shop.redeem('credit', 'S', '2026-07-01')
    shop.redeem('card', 'G', '2026-07-01', 30)
    for (const code of ['S', 'G']) {
      expect(shop.happen({ type: 'cancel-redemption', at: at('2026-07-02'), code }).refused).toBe('not_returnable')
    }
    shop.pass(at('2027-07-01'))
    expect(shop.get(ANN).available).toBe(930)
  })

  test('in the app the points wait until Shopify has said that the code is gone and was not used', () => {
    const shop = new Shop({ ...onlyProgram({ rewards: REWARDS }), confirmCodes: true } satisfies Programs)
    shop.adjust(100, 'start', '2026-06-01')
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.pass(at('2026-07-31'))
    expect(shop.effects.at(-1)).toEqual({
      kind: 'settle-code',
      member: ANN,
      redemption: 'CODE',
      code: 'CODE',
      at: at('2026-07-31'),
    })
    expect(shop.get(ANN).available).toBe(50)
    expect(shop.redemption('CODE')?.state).toBe('ending')
    shop.happen({ type: 'code-gone', at: at('2026-08-01'), code: 'CODE' })
    expect(shop.get(ANN).available).toBe(100)
    expect(shop.happen({ type: 'code-gone', at: at('2026-08-01'), code: 'CODE' }).refused).toBeNull()
    shop.audit()
  })

  test('an order heard while Shopify is asked keeps the code', () => {
    const shop = new Shop({ ...onlyProgram({ rewards: REWARDS }), confirmCodes: true } satisfies Programs)
    shop.adjust(100, 'start', '2026-06-01')
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.pass(at('2026-07-31'))
    shop.hear(orderOf(1, '20.00', '2026-07-30', CODE_ORDER), '2026-08-01')
    expect(shop.redemption('CODE')?.state).toBe('used')
    expect(shop.happen({ type: 'code-gone', at: at('2026-08-02'), code: 'CODE' }).refused).toBe('code_used')
    expect(shop.get(ANN).available).toBe(50 + 20)
  })
})

test('an order placed after the code ran out, while Shopify still took it, has spent its points', () => {
  for (const heardAt of ['2026-07-31', '2026-08-03']) {
    const shop = new Shop({ ...onlyProgram({ rewards: REWARDS }), confirmCodes: true } satisfies Programs)
    shop.adjust(100, 'start', '2026-06-01')
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.pass(at('2026-07-31'))
    // Heard before Shopify's word, or after it: Shopify's search for the order may be behind.
    if (heardAt === '2026-08-03') shop.happen({ type: 'code-gone', at: at('2026-08-02'), code: 'CODE' })
    shop.hear(orderOf(1, '20.00', '2026-07-31', CODE_ORDER), heardAt)
    expect(shop.redemption('CODE')).toMatchObject({ state: 'used', order: 'gid://shopify/Order/1' })
    expect(shop.get(ANN).available).toBe(50 + 20)
    shop.audit()
  }
})

describe('orders that used a code', () => {
  const order = orderOf(1, '0', '2026-07-02', {
    ...CODE_ORDER,
    customer: BEN,
    lines: [makeLine('10.00', { quantity: 3 })],
  })

  function used(reward = 'five', wish?: number): Shop {
    const shop = start()
    shop.redeem(reward, 'CODE', '2026-07-01', wish)
    shop.hear(order)
    return shop
  }

  test.each([
    ['fully refunded', (shop: Shop) => shop.hear(refundTo(order, 0, '2026-07-03'))],
    [
      'all goods but not shipping',
      (shop: Shop) => shop.hear({ ...refundTo(order, 0, '2026-07-03'), shippingMinor: 900 }),
    ],
    ['cancelled', (shop: Shop) => shop.hear({ ...order, cancelledAt: at('2026-07-03'), updatedAt: at('2026-07-03') })],
    ['voided', (shop: Shop) => shop.hear({ ...order, financialStatus: 'voided', updatedAt: at('2026-07-03') })],
    ['deleted', (shop: Shop) => shop.happen({ type: 'order-deleted', at: at('2026-07-03'), order: order.id })],
    [
      'all its money given back',
      (shop: Shop) =>
        shop.hear({ ...order, refunds: [makeRefund({ givenBackMinor: 3000 })], updatedAt: at('2026-07-03') }),
    ],
  ])('%s: all points come back, and the code does not come alive again', (_, undo) => {
    const shop = used()
    undo(shop)
    expect(shop.get(ANN).available).toBe(1000)
    expect(shop.redemption('CODE')).toMatchObject({ state: 'returned', order: order.id })
    shop.hear(orderOf(2, '20.00', '2026-07-04', CODE_ORDER))
    expect(shop.get(ANN).available).toBe(1020)
    shop.audit()
  })

  test('partly refunded: in proportion, floored on the whole: ⅓ of 50 is 16, ⅔ is 33, all is 50', () => {
    const shop = used()
    const back = [2, 1, 0].map((left, day) => {
      shop.hear(refundTo(order, left, `2026-07-0${day + 3}`))
      return shop.get(ANN).available - 950
    })
    expect(back).toEqual([16, 33, 50])
    expect(shop.redemption('CODE')).toMatchObject({ state: 'returned', returned: 50, draws: [] })
    shop.audit()
  })

  test('never more comes back because goods were added, and never is any taken again', () => {
    const shop = used()
    shop.hear(refundTo(order, 1, '2026-07-03'))
    const [line] = refundTo(order, 1, '2026-07-03').lines
    const added = makeLine('70.00', { id: 'added' })
    shop.hear({ ...order, lines: [line!, added], updatedAt: at('2026-07-04') })
    expect(shop.get(ANN).available).toBe(983)
  })

  test('a lone refund counts at once; the snapshot that follows gives nothing twice', () => {
    const shop = used()
    const refund = makeRefund({ lines: [{ line: order.lines[0]!.id, quantity: 1 }] })
    shop.happen({ type: 'refund', at: at('2026-07-03'), order: order.id, refund })
    expect(shop.get(ANN).available).toBe(966)
    shop.hear(refundTo(order, 2, '2026-07-03', { refunds: [refund] }))
    expect(shop.get(ANN).available).toBe(966)
  })

  test('an unpaid order uses the code too: it does not run out; voided, the points come back', () => {
    const shop = start()
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.hear({ ...order, financialStatus: 'pending' })
    shop.pass(at('2026-09-01'))
    expect(shop.redemption('CODE')?.state).toBe('used')
    shop.hear({ ...order, financialStatus: 'voided', updatedAt: at('2026-09-02') })
    expect(shop.get(ANN).available).toBe(1000)
  })

  test('an order placed before the code ran out keeps it, however late its webhook: the points are spent again', () => {
    const shop = start(60)
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.pass(at('2026-08-15'))
    expect(shop.get(ANN).available).toBe(60)
    shop.hear(orderOf(1, '20.00', '2026-07-30T23:59', { ...CODE_ORDER, customer: BEN }), '2026-08-16')
    expect(shop.get(ANN).available).toBe(10)
    expect(shop.redemption('CODE')).toMatchObject({ state: 'used', returned: 0 })
    shop.hear({
      ...orderOf(1, '20.00', '2026-07-30T23:59', { ...CODE_ORDER, customer: BEN }),
      cancelledAt: 1,
      updatedAt: at('2026-08-17'),
    })
    expect(shop.get(ANN).available).toBe(60)
    shop.audit()
  })

  test('even where the points were spent on something else meanwhile: then the balance is below zero', () => {
    const shop = start(60)
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.redeem('five', 'NEXT', '2026-08-15')
    shop.hear(orderOf(1, '20.00', '2026-07-30', { ...CODE_ORDER, customer: BEN }), '2026-08-16')
    expect(shop.get(ANN)).toMatchObject({ available: -40, deficit: 40 })
    shop.happen({ type: 'cancel-redemption', at: at('2026-08-17'), code: 'NEXT' })
    expect(shop.get(ANN)).toMatchObject({ available: 10, deficit: 0 })
    shop.audit()
  })

  test('an order placed after the code ran out has not used it', () => {
    const shop = start(60)
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.hear(orderOf(1, '20.00', '2026-07-31', { ...CODE_ORDER, customer: BEN }))
    expect(shop.get(ANN).available).toBe(60)
    expect(shop.redemption('CODE')?.state).toBe('returned')
  })

  test('a code is of one order: a second that names it does not give its points back', () => {
    const shop = used()
    const second = orderOf(2, '20.00', '2026-07-03', CODE_ORDER)
    shop.hear(second)
    shop.hear(refundTo(second, 0, '2026-07-04'))
    expect(shop.get(ANN).available).toBe(950)
  })

  test('earned and spent on one order: the refund gives back what was spent and takes back what was earned', () => {
    const shop = start(50, { negativeBalance: 'clamp' })
    shop.redeem('five', 'CODE', '2026-07-01')
    const own = { ...order, customer: ANN }
    shop.hear(own)
    shop.redeem('ship', 'NEXT', '2026-07-03')
    expect(shop.get(ANN).available).toBe(10)
    shop.hear(refundTo(own, 0, '2026-07-04'))
    expect(shop.get(ANN).available).toBe(10 + 50 - 30)
    shop.audit()
  })

  test('an order’s test twin, another currency or no customer make no difference to its code', () => {
    const shop = start()
    shop.redeem('five', 'CODE', '2026-07-01')
    shop.hear(makeOrder({ ...CODE_ORDER, customer: null, processedAt: at('2026-07-02') }))
    expect(shop.redemption('CODE')?.state).toBe('used')
  })
})

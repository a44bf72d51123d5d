import { expect, onTestFinished, test } from 'vitest'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { enqueueEffects } from '#app/db/outbox.server.ts'
import { enqueueProgramEffects } from '#app/db/programs.server.ts'
import { dropEffectsOfGoneShops, listShopsWithEffectsDue } from '#app/db/outbox.server.ts'
import { closeShop, installShop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { cancelRedemption, redeem } from '#app/jobs/settle-redemptions.ts'
import { parseMemberCard } from '#app/loyalty/member-card.ts'
import { listenToLog } from '#test/setup/log.ts'
import { lookAtStatements } from '#test/setup/statements.ts'
import { openSpendingShop } from './spending-shop.ts'
import type { SpendingShop } from './spending-shop.ts'

const FIVE_OFF = { id: 'five-off', type: 'amount', value: '5.00', cost: 500, validDays: 90 }
const TIERS = {
  metric: 'points' as const,
  window: 'lifetime' as const,
  graceDays: 0,
  entryRewards: 'highest' as const,
  levels: [
    { id: 'member', name: 'Member', threshold: 0 },
    { id: 'gold', name: 'Gold', threshold: 1_000 },
  ],
}

const carryOut = (place: SpendingShop) => carryOutShop(place.shop.id, () => place.admin)
const cardOf = (place: SpendingShop, member: string) =>
  parseMemberCard(place.store.metafield(member, 'member_card')?.value)
const waiting = async (place: SpendingShop) =>
  (
    await pool.query<{ kind: string }>(
      `select kind from outbox where shop_id = $1 and state = 'waiting' order by kind`,
      [place.shop.id],
    )
  ).rows.map(({ kind }) => kind)

/** Everything that waits is due now. */
async function hurry(place: SpendingShop): Promise<void> {
  await pool.query(`update outbox set due_at = '2020-01-01' where shop_id = $1 and state = 'waiting'`, [place.shop.id])
}

/** Gives each of the members 5 points, in one transaction. */
async function giveTo(place: SpendingShop, members: string[], key: string): Promise<void> {
  const gift = { type: 'adjust', at: now(), points: 5, reason: 'test', actor: 'test' } as const
  const events = members.map((customer) => ({ ...gift, customer, key: `${key}:${customer}` }))
  await applyEvents(place.shop.id, events, now())
}

test('a member’s card reaches Shopify with balance, code and words for both', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(800)
  await redeem(place.shop, place.admin, { member: ann, reward: 'five-off', key: 'for-the-card' })
  await carryOut(place)
  expect(cardOf(place, ann)).toMatchObject({
    version: 1,
    balance: 300,
    pending: 0,
    tier: null,
    codes: [{ reward: 'five-off', label: '$5.00 off', points: 500 }],
    heldOut: [],
  })
  expect(await waiting(place)).toEqual([])
})

test('a program that is published while the cards of the one before are being queued reaches all members', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const members = Array.from({ length: 501 }, (_, at) => `gid://shopify/Customer/${at + 1}`)
  await giveTo(place, members, 'gift')
  await pool.query(`delete from outbox where shop_id = $1 and kind <> 'all-member-cards'`, [place.shop.id])
  // GIVEN that Shopify is away, as only what is queued matters, and that it is published while the first slice is read
  place.trouble(null, '500', 999)
  const slices: string[] = []
  const stop = lookAtStatements(async (text, values) => {
    const isSlice = /^select id from members where shop_id = \$1 and id >/.test(text)
    if (isSlice && slices.push((values as string[])[1]!) === 1) await enqueueProgramEffects(place.shop.id, now())
  })
  onTestFinished(stop)
  for (let round = 0; round < 3; round += 1) await carryOut(place)
  expect(slices).toEqual(['0', '0', '500'])
})

test('the program card says what there is to earn and to get, in every language of the storefront', async () => {
  const place = await openSpendingShop([{ ...FIVE_OFF, minimumSubtotal: '20.00' }])
  await carryOut(place)
  const installation = place.store.shop(place.shop.domain).installation!.id
  const card = JSON.parse(place.store.metafield(installation as never, 'program', 'loyalty')!.value) as object
  expect(card).toMatchObject({
    name: 'Bean Club',
    pointsName: { one: 'bean', other: 'beans' },
    earning: [{ id: 'purchase', on: 'order', label: '5 beans for every $1.00 spent' }],
    rewards: [
      { id: 'five-off', label: '$5.00 off', cost: 500, conditions: ['On orders from $20.00', 'Valid for 90 days'] },
    ],
    languages: { nl: { rewards: { 'five-off': { label: '$\u00a05,00 korting' } } } },
  })
})

test.each([
  ['at once', null],
  ['as soon as Shopify tells them, after it was too busy', 'throttled'],
] as const)('the program card names free products by their titles: %s', async (_, trouble) => {
  const place = await openSpendingShop((store, domain) => {
    const { id } = store.addProduct(domain, { title: 'House Blend', priceMinor: 1_200 })
    return [{ id: 'beans', type: 'product', products: [id], cost: 500 }]
  })
  const readLabel = () => {
    const installation = place.store.shop(place.shop.domain).installation!.id
    const text = place.store.metafield(installation as never, 'program', 'loyalty')?.value
    return text && (JSON.parse(text) as { rewards: { label: string }[] }).rewards[0]?.label
  }
  if (trouble) {
    place.trouble('TitlesById', trouble, 99)
    await carryOut(place)
    expect(readLabel()).toBeUndefined()
    place.heal()
    await pool.query(`update outbox set due_at = now() where shop_id = $1`, [place.shop.id])
  }
  await carryOut(place)
  expect(readLabel()).toBe('Free: House Blend')
})

test('cards are written 25 at a time, and changes that wait are written once', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  await carryOut(place)
  const members = []
  for (let count = 0; count < 30; count++) members.push(await place.member(10 + count))
  const again = { type: 'adjust', at: now(), points: 5, reason: 'test', actor: 'test' } as const
  await applyEvents(place.shop.id, [{ ...again, customer: members[0]!, key: 'more-1' }], now())
  await applyEvents(place.shop.id, [{ ...again, customer: members[0]!, key: 'more-2' }], now())
  place.operations.length = 0
  expect(await carryOut(place)).toMatchObject({ done: 30 })
  expect(place.operations.filter((name) => name === 'CardsWrite')).toHaveLength(2)
  expect(cardOf(place, members[0]!)?.balance).toBe(20)
})

test('members who change together are put down together, and each card is written', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const [ann, gone, eve] = [await place.member(1), await place.member(2), await place.member(3)]
  await carryOut(place)
  place.store.deleteCustomer(place.shop.domain, gone)
  await giveTo(place, [ann, gone, eve], 'first')
  await giveTo(place, [ann, gone, eve], 'the same ones again')
  await giveTo(place, [eve, ann], 'others')
  expect(await waiting(place)).toEqual(['member-cards', 'member-cards'])
  // The two, and one of her own for the customer who is gone, whom nobody can write to.
  expect(await carryOut(place)).toMatchObject({ done: 3, setAside: 0 })
  expect([cardOf(place, ann)?.balance, cardOf(place, eve)?.balance]).toEqual([16, 18])
  expect(await waiting(place)).toEqual([])
})

test('a change that comes while its card is being written is written too', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(100)
  await carryOut(place)
  await enqueueEffects(place.shop.id, [{ kind: 'member-card', key: ann }], now())
  const running = carryOut(place)
  const change = {
    type: 'adjust',
    at: now(),
    customer: ann,
    points: 5,
    reason: 'test',
    actor: 'test',
    key: 'meanwhile',
  } as const
  await applyEvents(place.shop.id, [change], now())
  await running
  await carryOut(place)
  expect(cardOf(place, ann)?.balance).toBe(105)
  expect(await waiting(place)).toEqual([])
})

test('a customer whom Shopify no longer knows does not hold up the others', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const [ann, gone, eve] = [await place.member(1), await place.member(2), await place.member(3)]
  await carryOut(place)
  place.store.deleteCustomer(place.shop.domain, gone)
  await enqueueEffects(
    place.shop.id,
    [ann, gone, eve].map((key) => ({ kind: 'member-card', key })),
    now(),
  )
  expect(await carryOut(place)).toMatchObject({ done: 2, setAside: 1 })
  const { rows } = await pool.query(`select key, error from outbox where shop_id = $1 and state = 'set-aside'`, [
    place.shop.id,
  ])
  expect(rows).toEqual([{ key: gone, error: expect.any(String) as string }])
})

test.each(['500', 'throttled', 'timeout'] as const)(
  'Shopify away (%s): everything waits, and is written when it is back',
  async (kind) => {
    const place = await openSpendingShop([FIVE_OFF])
    const ann = await place.member(77)
    place.trouble(null, kind, 99)
    expect(await carryOut(place)).toMatchObject({ done: 0 })
    expect(cardOf(place, ann)).toBeNull()
    // It rests before it asks again.
    place.operations.length = 0
    place.heal()
    await hurry(place)
    await carryOut(place)
    await carryOut(place)
    expect(cardOf(place, ann)?.balance).toBe(77)
  },
)

const errorsOf = async (place: SpendingShop, state: string) =>
  (
    await pool.query<{ kind: string; error: string }>(
      `select kind, error from outbox where shop_id = $1 and state = $2 and error is not null order by kind`,
      [place.shop.id, state],
    )
  ).rows

test('what Shopify refuses again and again is set aside with its words after the fifth try, and not asked for any more', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  await carryOut(place)
  await place.member(1)
  place.trouble('CardsWrite', 'refused', 99)
  for (let tries = 1; tries < 5; tries++) {
    expect(await carryOut(place)).toMatchObject({ done: 0, postponed: 1, setAside: 0 })
    await hurry(place)
  }
  expect(await carryOut(place)).toMatchObject({ done: 0, postponed: 0, setAside: 1 })
  expect(await waiting(place)).toEqual([])
  expect(await errorsOf(place, 'set-aside')).toEqual([
    { kind: 'member-card', error: expect.stringContaining('refused: CardsWrite') as string },
  ])
  place.operations.length = 0
  await hurry(place)
  await carryOut(place)
  expect(place.operations).toEqual([])
})

test('one kind that fails for a reason of ours is named in the log and waits, while cards and codes go on', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(77)
  place.trouble('InstallationId', 'strange')
  const log = listenToLog()
  expect(await carryOut(place)).toMatchObject({ postponed: 1, setAside: 0 })
  expect(cardOf(place, ann)?.balance).toBe(77)
  expect(place.operations).toContain('RewardDiscountCreate')
  expect(await waiting(place)).toEqual(['program-card'])
  expect(await errorsOf(place, 'waiting')).toEqual([
    { kind: 'program-card', error: expect.stringMatching(/^ZodError: /) as string },
  ])
  const said = `^error: 1 × program-card of shop ${place.shop.id} cannot be carried out: ZodError: .`
  expect(log).toEqual([expect.stringMatching(said)])

  await hurry(place)
  expect(await carryOut(place)).toMatchObject({ done: 1 })
  expect(await waiting(place)).toEqual([])
})

test('a code that cannot be settled for a reason of ours does not hold up the codes beside it', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  await carryOut(place)
  for (const key of ['cancelled-1', 'cancelled-2']) {
    const redeemed = await redeem(place.shop, place.admin, {
      member: await place.member(700),
      reward: 'five-off',
      key,
    })
    if (!redeemed.ok) throw new Error(redeemed.reason)
    place.trouble(null, '500', 99)
    await cancelRedemption(place.shop, place.admin, redeemed.redemption)
    place.heal()
  }
  place.trouble('RedeemCodeFind', 'strange')
  const log = listenToLog()
  await hurry(place)
  await carryOut(place)
  expect(await errorsOf(place, 'waiting')).toEqual([
    { kind: 'settle-code', error: expect.stringMatching(/^ZodError: /) as string },
  ])
  const { rows } = await pool.query('select state from redemptions where shop_id = $1 order by state', [place.shop.id])
  expect(rows).toEqual([{ state: 'ending' }, { state: 'returned' }])
  expect(log).toHaveLength(1)
})

test('waits grow with every failed try', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  await carryOut(place)
  const ann = await place.member(1)
  place.trouble(null, '500', 99)
  const waits: number[] = []
  for (let count = 0; count < 3; count++) {
    await hurry(place)
    const at = now()
    await carryOut(place)
    const { rows } = await pool.query<{ due_at: Date }>(
      `select due_at from outbox where shop_id = $1 and key = $2 and state = 'waiting'`,
      [place.shop.id, ann],
    )
    waits.push(Math.round((rows[0]!.due_at.getTime() - at) / 10_000) * 10)
  }
  expect(waits).toEqual([10, 20, 40])
})

test('what a shop left waiting when it took the app off is dropped', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  await place.member(1)
  await closeShop(place.shop.id, now())
  place.operations.length = 0
  expect(await carryOut(place)).toMatchObject({ done: 0, dropped: expect.any(Number) as number })
  expect(place.operations).toEqual([])
  expect(await waiting(place)).toEqual([])
})

test('two workers at once do the work of one shop once', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  await place.member(1)
  const runs = await Promise.all([carryOut(place), carryOut(place), carryOut(place)])
  expect(runs.filter((run) => run !== null)).toHaveLength(1)
})

test('a member carries the tag of the tier they are in, and no other', async () => {
  const place = await openSpendingShop([FIVE_OFF], { tiers: TIERS })
  const ann = await place.member(100)
  await applyEvents(
    place.shop.id,
    [
      {
        type: 'adjust',
        at: now(),
        customer: ann,
        points: 1_200,
        reason: 'test',
        actor: 'test',
        key: 'up',
        countsForTier: true,
      },
    ],
    now(),
  )
  await carryOut(place)
  expect(place.store.customer(place.shop.domain, ann)?.tags).toEqual(['loyalty-tier-gold'])
  expect(cardOf(place, ann)).toMatchObject({ tier: { id: 'gold', name: 'Gold' }, progress: null })
  await applyEvents(
    place.shop.id,
    [{ type: 'place-tier', at: now(), customer: ann, level: 'member', until: null, reason: 'test', actor: 'test' }],
    now(),
  )
  await carryOut(place)
  expect(place.store.customer(place.shop.domain, ann)?.tags).toEqual(['loyalty-tier-member'])
})

test('a tier that was reached while the shop had no app gets its tag when it is put on again', async () => {
  const place = await openSpendingShop([FIVE_OFF], { tiers: TIERS })
  const { shop, store } = place
  const ann = await place.member(100)
  await carryOut(place)
  await closeShop(shop.id, now())
  await applyEvents(
    shop.id,
    [{ type: 'place-tier', at: now(), customer: ann, level: 'gold', until: null, reason: 'test', actor: 'test' }],
    now(),
  )
  await carryOut(place)
  await dropEffectsOfGoneShops(now())
  expect(await listShopsWithEffectsDue(now() + 400 * 86_400_000, ['tier-changed'])).toEqual([])
  expect(store.customer(shop.domain, ann)?.tags).toEqual([])
  // Whoever installs it again has put down all that is to be said, whatever becomes of them.
  await installShop(shop.domain, shop, now())
  expect(new Set(await waiting(place))).toEqual(
    new Set(['all-member-cards', 'fill-pools', 'function-discounts', 'program-card', 'tier-changed']),
  )
  await carryOut(place)
  expect(store.customer(shop.domain, ann)?.tags).toEqual(['loyalty-tier-gold'])
})

test('an erased member’s card goes', async () => {
  const place = await openSpendingShop([FIVE_OFF])
  const ann = await place.member(100)
  await carryOut(place)
  expect(cardOf(place, ann)).not.toBeNull()
  await applyEvents(place.shop.id, [{ type: 'erase', at: now(), customer: ann }], now())
  await carryOut(place)
  expect(place.store.metafield(ann, 'member_card')).toBeUndefined()
})

test('a rule’s window opens on the storefront when it opens, without anybody publishing', async () => {
  const earning = [
    { id: 'purchase', on: 'order', points: 5, per: '1.00' },
    { id: 'soon', on: 'order', multiplier: 2, from: '2099-05-02T00:00', until: '2099-05-04T00:00' },
  ]
  const place = await openSpendingShop([FIVE_OFF], { earning: earning as never })
  await carryOut(place)
  const { rows } = await pool.query<{ key: string; due_at: Date }>(
    `select key, due_at from outbox where shop_id = $1 and kind = 'program-card' and state = 'waiting'`,
    [place.shop.id],
  )
  const opensAt = Date.parse('2099-05-02T00:00:00Z')
  expect(rows).toEqual([{ key: `window:${opensAt}`, due_at: new Date(opensAt) }])
})

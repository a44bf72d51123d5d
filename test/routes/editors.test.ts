/** What a merchant changes by hand, and the editors: wrong input comes back with its field, another shop's things are out of reach. */
import { beforeEach, expect, test } from 'vitest'

import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { countGiven, listCampaignRecords } from '#app/db/campaigns.server.ts'
import { findMemberStory } from '#app/db/member-story.server.ts'
import { loadPrograms, publishProgram } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { findMultiplyingCampaigns } from '#app/loyalty/campaigns.ts'
import { parseProgram, requireProgram } from '#app/loyalty/parse-program.ts'
import * as campaign from '#app/routes/app.campaigns.$id.tsx'
import * as campaigns from '#app/routes/app.campaigns._index.tsx'
import * as member from '#app/routes/app.members.$id.tsx'
import * as publish from '#app/routes/app.program.publish.tsx'
import * as reward from '#app/routes/app.rewards.$id.tsx'
import * as rewards from '#app/routes/app.rewards._index.tsx'
import * as tierPreview from '#app/routes/app.tiers.preview.tsx'
import * as tiers from '#app/routes/app.tiers._index.tsx'
import { answerAdminApi, makeMerchant, settle, type Merchant } from '#test/routes/merchant.ts'

beforeEach(() => {
  answerAdminApi(() => ({ nodes: [] }))
})

const CUSTOMER = 'gid://shopify/Customer/7'
const AT = Date.parse('2026-06-01T12:00:00Z')
const DAY = 86_400_000

const DOCUMENT = {
  version: 1,
  name: 'Bean Club',
  pointsName: { one: 'bean', other: 'beans' },
  currency: 'EUR',
  timezone: 'Europe/Berlin',
  hold: { days: 0 },
  earning: [{ id: 'purchase', on: 'order', points: 1, per: '1.00' }],
  tiers: {
    metric: 'points',
    window: 'lifetime',
    levels: [
      { id: 'member', name: 'Member', threshold: 0 },
      { id: 'gold', name: 'Gold', threshold: 1000 },
    ],
  },
  rewards: [{ id: 'five-off', type: 'amount', value: '5.00', cost: 100 }],
  campaigns: [
    { id: 'summer', name: 'Summer', from: '2026-07-01T00:00', until: '2026-07-11T00:00', offer: { percentage: 10 } },
  ],
}

/** A merchant with a published program and one member who holds 300 beans. */
async function makeShopWithMember(): Promise<Merchant> {
  const merchant = await makeMerchant()
  const parsed = parseProgram(DOCUMENT)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  await publishProgram(merchant.shop.id, parsed.document, { effectiveAt: AT - DAY, at: AT - DAY })
  const applied = await applyEvents(
    merchant.shop.id,
    [
      { type: 'customer', at: AT, customer: CUSTOMER, state: 'enabled' },
      { type: 'adjust', at: AT, customer: CUSTOMER, points: 300, reason: 'start', actor: 'test', key: 'start' },
    ],
    AT,
  )
  if (!applied.ok || applied.changes.some((change) => change.refused)) throw new Error(JSON.stringify(applied))
  return merchant
}

const adjust = async (merchant: Merchant, form: Record<string, string>, id = '7') =>
  settle(member.action(await merchant.post(`/app/members/${id}`, { intent: 'adjust', ...form }, { id })))

const balanceOf = async (merchant: Merchant) => (await findMemberStory(merchant.shop.id, CUSTOMER))?.available

const KEY = '0199c0de-0000-7000-8000-000000000001'
const GOOD = { points: '50', reason: 'Parcel came late', key: KEY, countsForTier: 'false' }

test('points given by hand are in the balance, and the history names the reason and who did it', async () => {
  const merchant = await makeShopWithMember()
  expect(await adjust(merchant, GOOD)).toMatchObject({ status: 200, body: { ok: true } })
  const { story, transfers } = await member.loader(await merchant.get('/app/members/7', { id: '7' }))
  expect(story.available).toBe(350)
  expect(transfers[0]).toMatchObject({ availableChange: 50, note: 'Parcel came late', by: 'you' })
  expect(transfers[1]).toMatchObject({ availableChange: 300, note: 'start', by: 'test' })
})

test('a campaign from before a limit was checked keeps no other form from being saved; changed, it is refused', async () => {
  const merchant = await makeShopWithMember()
  const [summer] = DOCUMENT.campaigns
  const before = { ...DOCUMENT, campaigns: [{ ...summer!, name: 'x'.repeat(256) }] }
  await publishProgram(merchant.shop.id, requireProgram(before).document, { effectiveAt: AT, at: AT })
  const save = async (document: object, basedOn: number) =>
    settle(
      publish.action(
        await merchant.post('/app/program/publish', { document: JSON.stringify(document), basedOn: String(basedOn) }),
      ),
    )
  expect(await save({ ...before, name: 'Bean Society' }, 2)).toMatchObject({ status: 200, body: { version: 3 } })
  const changed = { ...before, campaigns: [{ ...before.campaigns[0], offer: { percentage: 12 } }] }
  expect(await save(changed, 3)).toMatchObject({ status: 400, body: { problems: [{ field: 'campaigns[0].name' }] } })
})

test('the same change sent five times at once happens once', async () => {
  const merchant = await makeShopWithMember()
  const answers = await Promise.all(Array.from({ length: 5 }, () => adjust(merchant, GOOD)))
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200])
  expect(await balanceOf(merchant)).toBe(350)
})

test('the same key with another number is refused and changes nothing', async () => {
  const merchant = await makeShopWithMember()
  await adjust(merchant, GOOD)
  expect((await adjust(merchant, { ...GOOD, points: '500' })).status).toBe(400)
  expect(await balanceOf(merchant)).toBe(350)
})

test.each([
  ['points', { ...GOOD, points: '0' }],
  ['points', { ...GOOD, points: '1.5' }],
  ['points', { ...GOOD, points: 'NaN' }],
  ['points', { ...GOOD, points: '1e6' }],
  ['points', { ...GOOD, points: '99999999999' }],
  ['reason', { ...GOOD, reason: '   ' }],
  ['reason', { ...GOOD, reason: 'x'.repeat(201) }],
  ['key', { ...GOOD, key: 'again' }],
  ['form', { intent: 'make-admin' }],
])('a change with a wrong %s comes back with 400 and that field: %j', async (field, form) => {
  const merchant = await makeShopWithMember()
  const answer = await adjust(merchant, form)
  expect(answer.status).toBe(400)
  expect(Object.keys((answer.body as { errors: object }).errors)).toContain(field)
  expect(await balanceOf(merchant)).toBe(300)
})

test("another shop's member cannot be given points, though the customer's number is right", async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeShopWithMember()]
  expect((await adjust(merchant, GOOD)).status).toBe(404)
  expect(await balanceOf(neighbour)).toBe(300)
})

test('a member put into a tier by hand is in it, until the rules decide again', async () => {
  const merchant = await makeShopWithMember()
  const place = async (level: string) =>
    settle(
      member.action(
        await merchant.post(
          '/app/members/7',
          { intent: 'place-tier', level, until: '', reason: 'Friend' },
          { id: '7' },
        ),
      ),
    )
  expect(await place('gold')).toMatchObject({ status: 200 })
  expect((await member.loader(await merchant.get('/app/members/7', { id: '7' }))).story).toMatchObject({
    tier: 'gold',
    placed: { until: null, reason: 'Friend', by: 'you' },
  })
  expect(await place('platinum')).toMatchObject({ status: 400 })
  expect(await place('')).toMatchObject({ status: 200 })
  expect(await findMemberStory(merchant.shop.id, CUSTOMER)).toMatchObject({ tier: 'member', placed: null })
})

test('a tier cannot be given until a day that is over', async () => {
  const merchant = await makeShopWithMember()
  const form = { intent: 'place-tier', level: 'gold', until: '2020-01-01', reason: 'Friend' }
  const answer = await settle(member.action(await merchant.post('/app/members/7', form, { id: '7' })))
  expect(answer).toMatchObject({ status: 400, body: { errors: { until: 'Must be today or later' } } })
})

test('a tier by hand that lacks its reason and ends in the past is told of both', async () => {
  const merchant = await makeShopWithMember()
  const form = { intent: 'place-tier', level: 'gold', until: '2020-01-01', reason: ' ' }
  const answer = await settle(member.action(await merchant.post('/app/members/7', form, { id: '7' })))
  expect(answer).toMatchObject({ status: 400, body: { errors: { until: 'Must be today or later' } } })
  expect(Object.keys((answer.body as { errors: object }).errors)).toEqual(['until', 'reason'])
})

test('campaigns that want another name and a reason are told of both at once', async () => {
  const merchant = await makeShopWithMember()
  const year = new Date(now()).getUTCFullYear() + 1
  const long = { ...DOCUMENT.campaigns[0], id: 'long', from: `${year}-07-01T00:00`, until: `${year}-08-15T00:00` }
  const document = JSON.stringify({ ...DOCUMENT, campaigns: [long, { ...long, id: 'longer' }] })
  const answer = await settle(publish.action(await merchant.post('/app/program/publish', { document, basedOn: '1' })))
  expect(answer).toMatchObject({
    status: 400,
    body: { problems: [{ field: 'campaigns[0].name' }, { field: 'campaigns[1].name' }, { field: 'overrideReason' }] },
  })
})

test("a code that is not this member's cannot be taken back", async () => {
  const merchant = await makeShopWithMember()
  await applyEvents(
    merchant.shop.id,
    [
      { type: 'customer', at: AT, customer: 'gid://shopify/Customer/8', state: 'enabled' },
      { type: 'redeem', at: AT, customer: CUSTOMER, reward: 'five-off', code: 'BEAN-1' },
    ],
    AT,
  )
  const takeBack = async (id: string) =>
    settle(
      member.action(await merchant.post(`/app/members/${id}`, { intent: 'take-back-code', code: 'BEAN-1' }, { id })),
    )
  expect((await takeBack('8')).status).toBe(400)
  expect((await findMemberStory(merchant.shop.id, CUSTOMER))?.redemptions[0]?.state).toBe('issued')
  // Shopify has the last word about the code: until then it is on its way back.
  answerAdminApi(({ query }) =>
    query.includes('orders(')
      ? { orders: { nodes: [{ id: 'gid://shopify/Order/1', discountCodes: ['BEAN-1'] }] } }
      : { codeDiscountNodeByCode: { id: 'gid://shopify/DiscountCodeNode/1', codeDiscount: {} } },
  )
  expect(await takeBack('7')).toMatchObject({ status: 200, body: { message: 'The code is being taken back' } })
  expect((await findMemberStory(merchant.shop.id, CUSTOMER))?.redemptions[0]?.state).toBe('ending')
})

test.each([
  [0, 'Taken back: the member has 100 beans again'],
  [400, 'Taken back. Its beans had run out meanwhile: none came back'],
])('a code taken back says what came back of points that are %i days older', async (days, message) => {
  const merchant = await makeShopWithMember()
  const at = now() - days * DAY
  const customer = 'gid://shopify/Customer/9'
  const applied = await applyEvents(
    merchant.shop.id,
    [
      { type: 'adjust', at, customer, points: 100, reason: 'start', actor: 'test', key: 'old' },
      { type: 'redeem', at, customer, reward: 'five-off', code: 'BEAN-9' },
    ],
    now(),
  )
  expect(applied.ok && applied.changes.map(({ refused }) => refused)).toEqual([null, null])
  const form = { intent: 'take-back-code', code: 'BEAN-9' }
  const takeBack = async () => settle(member.action(await merchant.post('/app/members/9', form, { id: '9' })))
  answerAdminApi(({ query }) =>
    query.includes('orders(') ? { orders: { nodes: [] } } : { codeDiscountNodeByCode: null, nodes: [] },
  )
  expect(await takeBack()).toMatchObject({ status: 200, body: { ok: true, message } })
})

test('the tier preview counts who would move in this shop, and changes nothing', async () => {
  const [merchant, neighbour] = [await makeShopWithMember(), await makeShopWithMember()]
  await adjust(neighbour, { ...GOOD, points: '5000', countsForTier: 'true' })
  const lower = structuredClone(DOCUMENT)
  lower.tiers.levels[1]!.threshold = 4000
  const post = async (who: Merchant) =>
    settle(tierPreview.action(await who.post('/app/tiers/preview', { document: JSON.stringify(lower) })))
  expect(await post(merchant)).toMatchObject({ status: 200, body: { ok: true, moves: { members: 1, groups: [] } } })
  lower.tiers.levels[1]!.threshold = 6000
  expect(await post(neighbour)).toMatchObject({
    body: { moves: { groups: [{ from: 'gold', to: 'member', up: false, count: 1 }] } },
  })
  expect((await findMemberStory(neighbour.shop.id, CUSTOMER))?.tier).toBe('gold')
})

test('the tier preview refuses what is no program with 400', async () => {
  const merchant = await makeShopWithMember()
  for (const document of ['', '{}', 'x'.repeat(1_000_001)]) {
    const answer = await settle(tierPreview.action(await merchant.post('/app/tiers/preview', { document })))
    expect(answer.status).toBe(400)
  }
})

test('rewards, tiers and campaigns of a shop are shown to that shop alone', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeShopWithMember()]
  expect((await rewards.loader(await merchant.get('/app/rewards'))).rewards).toBeNull()
  expect((await rewards.loader(await neighbour.get('/app/rewards'))).rewards).toHaveLength(1)
  expect((await campaigns.loader(await merchant.get('/app/campaigns'))).campaigns).toBeNull()
  expect((await campaigns.loader(await neighbour.get('/app/campaigns'))).campaigns).toHaveLength(1)
  expect((await tiers.loader(await merchant.get('/app/tiers'))).published).toBeNull()
  expect((await settle(reward.loader(await neighbour.get('/app/rewards/x', { id: 'nothing' })))).status).toBe(404)
  expect((await settle(campaign.loader(await neighbour.get('/app/campaigns/x', { id: 'nothing' })))).status).toBe(404)
})

test('a campaign is ended by its own shop only, once, and by nothing but the button', async () => {
  const [merchant, neighbour] = [await makeMerchant(), await makeShopWithMember()]
  const end = async (who: Merchant, intent: string) =>
    settle(campaign.action(await who.post('/app/campaigns/summer', { intent }, { id: 'summer' })))
  expect((await end(merchant, 'end')).status).toBe(404)
  expect((await end(neighbour, 'delete')).status).toBe(400)
  expect((await listCampaignRecords(neighbour.shop.id)).size).toBe(0)
  await end(neighbour, 'end')
  const first = (await listCampaignRecords(neighbour.shop.id)).get('summer')
  await end(neighbour, 'end')
  expect((await listCampaignRecords(neighbour.shop.id)).get('summer')).toEqual(first)
  expect(first?.endedReason).toBe('by hand')
})

test('a campaign is paused and resumed as often as one likes, but not once it was ended', async () => {
  const merchant = await makeShopWithMember()
  const press = async (intent: string) =>
    settle(campaign.action(await merchant.post('/app/campaigns/summer', { intent }, { id: 'summer' })))
  const record = async () => (await listCampaignRecords(merchant.shop.id)).get('summer')
  expect((await press('pause')).status).toBe(200)
  const first = await record()
  expect(first?.pausedAt).toEqual(expect.any(Number))
  await press('pause')
  expect(await record()).toEqual(first)
  await press('resume')
  expect(await record()).toMatchObject({ pausedAt: null, endedAt: null })
  await press('end')
  await press('pause')
  expect(await record()).toMatchObject({ pausedAt: null, endedReason: 'by hand' })
})

test('a points multiplier is ended early by the button too, and Shopify is told at once what a button changed', async () => {
  const merchant = await makeShopWithMember()
  const year = new Date().getUTCFullYear()
  const double = {
    ...DOCUMENT,
    campaigns: [{ ...DOCUMENT.campaigns[0], until: `${year + 2}-01-01T00:00`, offer: { pointsMultiplier: 2 } }],
  }
  const form = { document: JSON.stringify(double), basedOn: '1' }
  expect((await settle(publish.action(await merchant.post('/app/program/publish', form)))).status).toBe(200)
  const multipliers = async () => {
    const { program } = (await loadPrograms(merchant.shop.id))!.versions.at(-1)!
    return findMultiplyingCampaigns(program, Date.now(), { tier: null, segments: [], customer: CUSTOMER }).length
  }
  const press = async (intent: string) =>
    (await settle(campaign.action(await merchant.post('/app/campaigns/summer', { intent }, { id: 'summer' })))).status
  expect(await multipliers()).toBe(1)
  const steps = ['pause', 'resume', 'end', 'resume']
  const after: [number, number][] = []
  for (const intent of steps) after.push([await press(intent), await multipliers()])
  expect(after).toEqual([
    [200, 0],
    [200, 1],
    [200, 0],
    [200, 0],
  ])
  const { rows } = await pool.query(
    `select count(*)::int as waiting from outbox where shop_id = $1 and kind = 'function-discounts' and state = 'waiting'`,
    [merchant.shop.id],
  )
  expect(rows[0].waiting).toBeGreaterThan(0)
})

test('discounts on more than 40 % of 90 days need a reason, which is kept with the campaign', async () => {
  const merchant = await makeShopWithMember()
  const year = new Date().getUTCFullYear() + 1
  const long = {
    ...DOCUMENT,
    campaigns: [{ ...DOCUMENT.campaigns[0], id: 'long', from: `${year}-07-01T00:00`, until: `${year}-08-15T00:00` }],
  }
  const save = async (extra: object) =>
    settle(
      publish.action(
        await merchant.post('/app/program/publish', { document: JSON.stringify(long), basedOn: '1', ...extra }),
      ),
    )
  const refused = await save({})
  expect(refused).toMatchObject({ status: 400, body: { problems: [{ field: 'overrideReason' }] } })
  expect((await save({ overrideReason: '  ' })).status).toBe(400)
  expect((await save({ overrideReason: 'Closing the shop' })).status).toBe(200)
  expect((await listCampaignRecords(merchant.shop.id)).get('long')?.overrideReason).toBe('Closing the shop')
})

test('where 40 % of the latest orders had a discount, one more needs a reason; fewer, and changes of other things, need none', async () => {
  const merchant = await makeShopWithMember()
  for (const [id, discountMinor] of [200, 200, 0, 0, 0].entries()) {
    await pool.query(
      `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, placed_minor, counts, points, facts)
       values ($1, $2, 7, $4, $4, $4, 2000, 2000, true, 20, $3)`,
      [merchant.shop.id, id + 1, JSON.stringify({ snapshot: { lines: [{ discountMinor }] } }), new Date(now() - DAY)],
    )
  }
  const save = async (changes: object, basedOn: number) =>
    settle(
      publish.action(
        await merchant.post('/app/program/publish', {
          document: JSON.stringify({ ...DOCUMENT, ...changes }),
          basedOn: String(basedOn),
        }),
      ),
    )
  const year = new Date(now()).getUTCFullYear() + 1
  const day = { ...DOCUMENT.campaigns[0], id: 'day', from: `${year}-07-01T00:00`, until: `${year}-07-02T00:00` }
  const message = 'Say why: 40.0% of the orders of the last 90 days had a discount already'
  expect(await save({ campaigns: [day] }, 1)).toMatchObject({ status: 400, body: { problems: [{ message }] } })
  expect((await save({ campaigns: [{ ...day, offer: { pointsMultiplier: 2 } }] }, 1)).status).toBe(200)
  expect((await save({ campaigns: [], name: 'Bean Society' }, 2)).status).toBe(200)
})

test('a campaign that Shopify’s discounts cannot hold is not published, and the answer says how much they hold', async () => {
  const merchant = await makeShopWithMember()
  const collections = Array.from({ length: 101 }, (_, at) => `gid://shopify/Collection/${at + 1}`)
  const document = JSON.stringify({ ...DOCUMENT, campaigns: [{ ...DOCUMENT.campaigns[0], collections }] })
  const answer = await settle(publish.action(await merchant.post('/app/program/publish', { document, basedOn: '1' })))
  const message = 'must be at most 100 collections, not 101: Shopify allows a discount no more'
  expect(answer).toMatchObject({
    status: 400,
    body: { problems: [{ field: 'campaigns[0].collections', message }] },
  })
  expect((await loadPrograms(merchant.shop.id))!.versions).toHaveLength(1)
})

test('two discounts that run at one time have two names, one that was called so before too; points and other times may share it', async () => {
  const merchant = await makeShopWithMember()
  const [summer] = DOCUMENT.campaigns as [(typeof DOCUMENT.campaigns)[number]]
  let basedOn = 1
  const save = async (...campaigns: object[]) => {
    const document = JSON.stringify({ ...DOCUMENT, campaigns })
    const answer = await settle(
      publish.action(await merchant.post('/app/program/publish', { document, basedOn: String(basedOn) })),
    )
    if (answer.status === 200) basedOn += 1
    return answer
  }
  const other = { ...summer, id: 'other', from: '2026-07-10T00:00', until: '2026-07-12T00:00' }
  const refused = await save(summer, other)
  expect(refused).toMatchObject({ status: 400, body: { problems: [{ field: 'campaigns[1].name' }] } })
  expect((await save(summer, { ...other, from: '2026-07-11T00:00' })).status).toBe(200)
  expect((await save(summer, { ...other, offer: { pointsMultiplier: 2 } })).status).toBe(200)
  // An order of the time before the change would say "Summer" of either.
  const renamed = { ...summer, name: 'High summer' }
  expect((await save(renamed)).status).toBe(200)
  expect((await save(renamed, other)).status).toBe(400)
  expect((await save(renamed, { ...other, name: 'Late summer' })).status).toBe(200)
})

test('a campaign under way shows its orders, and says that too few were held out to tell', async () => {
  const merchant = await makeShopWithMember()
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, placed_minor, counts, points, facts)
     values ($1, 1, 7, '2026-07-02', now(), now(), 2000, 2000, true, 20, '{"snapshot":{"lines":[{"discountMinor":200}]}}'),
            ($1, 2, 7, '2026-07-12', now(), now(), 9000, 9000, true, 90, '{"snapshot":{"lines":[]}}')`,
    [merchant.shop.id],
  )
  const { results, status } = (await campaign.loader(
    await merchant.get('/app/campaigns/summer', { id: 'summer' }),
  )) as {
    results: { orders: number; revenueMinor: number; discountMinor: number; newBuyers: number }
    status: string
  }
  expect(status).toBe('ended')
  expect(results).toMatchObject({ orders: 1, revenueMinor: 2000, discountMinor: 200, newBuyers: 1 })
})

test('a campaign’s own discount stands against its budget, beside all discounts of its time', async () => {
  const merchant = await makeShopWithMember()
  const capped = { ...DOCUMENT, campaigns: [{ ...DOCUMENT.campaigns[0], budget: '50.00' }] }
  const form = { document: JSON.stringify(capped), basedOn: '1' }
  await settle(publish.action(await merchant.post('/app/program/publish', form)))
  const facts = {
    snapshot: {
      lines: [{ discountMinor: 500 }],
      automaticDiscounts: [{ title: 'Summer', amountMinor: 200 }],
      cancelledAt: null,
      test: false,
    },
  }
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, placed_minor, counts, points, facts)
     values ($1, 1, 7, '2026-07-02', now(), now(), 2000, 2000, true, 20, $2)`,
    [merchant.shop.id, JSON.stringify(facts)],
  )
  const window = { from: Date.parse('2026-06-30T22:00:00Z'), until: Date.parse('2026-07-10T22:00:00Z') }
  await countGiven(merchant.shop.id, { id: 'summer', titles: ['Summer'], ...window }, AT)
  const loaded = await campaign.loader(await merchant.get('/app/campaigns/summer', { id: 'summer' }))
  expect(loaded).toMatchObject({ results: { givenMinor: 200, budgetMinor: 5000, discountMinor: 500 } })
})

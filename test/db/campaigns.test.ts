/** What happened to campaigns beside the program, and what follows from it for points, budgets and comparisons. */
import { expect, test } from 'vitest'
import { findCampaignFigures, findCampaignRun, listArms, listOutcomes } from '#app/db/campaign-figures.server.ts'
import {
  countGiven,
  endCampaign,
  listCampaignRecords,
  noteAudience,
  pauseCampaign,
  resumeCampaign,
} from '#app/db/campaigns.server.ts'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { askMeasures, countCustomersBehind, listCustomersBehind } from '#app/db/retention.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { armOf, isHeldOut } from '#app/loyalty/campaigns.ts'
import { parseGroup } from '#app/retention/segments.ts'
import { makeShopWithProgram, receive } from '#test/setup/factories.ts'
import { orderBody } from '#test/setup/orders.ts'

const at = (text: string) => Date.parse(text)
const DOUBLE = {
  id: 'double',
  name: 'Double',
  from: '2026-08-01T00:00',
  until: '2026-08-31T00:00',
  offer: { pointsMultiplier: 2 },
}

/** Orders of 10.00 placed at these instants, by customer number; returns what each is worth in points now. */
async function placeAndDrain(shopId: number, orders: { id: number; customer: number; placedAt: string }[]) {
  for (const order of orders) {
    await receive(shopId, 'orders/paid', orderBody({ goods: '10.00', ...order }), { at: order.placedAt })
  }
  await drainShop(shopId)
  const { rows } = await pool.query<{ points: string }>('select points from orders where shop_id = $1 order by id', [
    shopId,
  ])
  return rows.map(({ points }) => Number(points))
}

test('points count by what held when an order was placed: doubled while it ran, single while it rested and after its end', async () => {
  const shop = await makeShopWithProgram({ campaigns: [DOUBLE] })
  await pauseCampaign(shop.id, 'double', at('2026-08-05T12:00:00Z'))
  await resumeCampaign(shop.id, 'double', at('2026-08-07T12:00:00Z'))
  await endCampaign(shop.id, 'double', at('2026-08-09T12:00:00Z'), 'by hand')
  const points = await placeAndDrain(shop.id, [
    { id: 1, customer: 7, placedAt: '2026-08-05T11:59:59Z' },
    { id: 2, customer: 7, placedAt: '2026-08-05T12:00:00Z' },
    { id: 3, customer: 7, placedAt: '2026-08-07T11:59:59Z' },
    { id: 4, customer: 7, placedAt: '2026-08-07T12:00:00Z' },
    { id: 5, customer: 7, placedAt: '2026-08-09T11:59:59Z' },
    { id: 6, customer: 7, placedAt: '2026-08-09T12:00:00Z' },
  ])
  expect(points).toEqual([100, 50, 50, 100, 100, 50])

  // A refund long after looks at the same instants.
  const body = orderBody({
    id: 1,
    customer: 7,
    goods: ['5.00', '5.00'],
    left: [1, 0],
    status: 'partially_refunded',
    placedAt: '2026-08-05T11:59:59Z',
    updatedAt: '2026-08-20T00:00:00Z',
  })
  await receive(shop.id, 'orders/updated', body, { at: '2026-08-20T00:00:00Z' })
  await drainShop(shop.id)
  const { rows } = await pool.query('select points from orders where shop_id = $1 and id = 1', [shop.id])
  expect(rows).toEqual([{ points: '50' }])
})

test('every pause is kept, one that is repeated or resumed twice is one, and another shop’s are its own', async () => {
  const [shop, neighbour] = [await makeShopWithProgram(), await makeShopWithProgram()]
  for (const instant of [1000, 1500]) await pauseCampaign(shop.id, 'a', instant)
  for (const instant of [2000, 2500]) await resumeCampaign(shop.id, 'a', instant)
  await pauseCampaign(shop.id, 'a', 3000)
  expect((await listCampaignRecords(shop.id)).get('a')).toMatchObject({ pauses: [[1000, 2000]], pausedAt: 3000 })
  await resumeCampaign(neighbour.id, 'a', 4000)
  expect((await listCampaignRecords(neighbour.id)).size).toBe(0)
  await resumeCampaign(shop.id, 'a', 5000)
  expect((await listCampaignRecords(shop.id)).get('a')).toMatchObject({
    pauses: [
      [1000, 2000],
      [3000, 5000],
    ],
    pausedAt: null,
  })
})

test('figures are of the times in which it ran, and a buyer is new whose first order ever lies in them', async () => {
  const shop = await makeShopWithProgram({ campaigns: [DOUBLE] })
  await pauseCampaign(shop.id, 'double', at('2026-08-05T00:00:00Z'))
  await placeAndDrain(shop.id, [
    { id: 1, customer: 1, placedAt: '2026-08-02T10:00:00Z' },
    { id: 2, customer: 2, placedAt: '2026-08-06T10:00:00Z' },
    { id: 3, customer: 2, placedAt: '2026-08-09T10:00:00Z' },
    { id: 4, customer: 3, placedAt: '2026-08-09T11:00:00Z' },
  ])
  const times = [
    { fromAt: at('2026-08-01T00:00:00Z'), untilAt: at('2026-08-05T00:00:00Z') },
    { fromAt: at('2026-08-08T00:00:00Z'), untilAt: at('2026-08-10T00:00:00Z') },
  ]
  const figures = await findCampaignFigures(shop.id, times, { titles: [], rule: 'campaign:double' })
  // Customer 2 bought first while it rested; only the order before the pause was doubled.
  expect(figures).toMatchObject({
    orders: 3,
    revenueMinor: 3000,
    buyers: 3,
    newBuyers: 2,
    ownOrders: 1,
    ownRevenueMinor: 1000,
  })
  expect(await findCampaignFigures(shop.id, [])).toMatchObject({ orders: 0, buyers: 0 })
})

test('the audience is noted once, as it was: who moves to another level later is compared where they were', async () => {
  const shop = await makeShopWithProgram()
  await placeAndDrain(
    shop.id,
    [1, 2, 3, 4].map((id) => ({ id, customer: id, placedAt: '2026-08-01T10:00:00Z' })),
  )
  const setTier = (members: number[], tier: string) =>
    pool.query('update members set tier = $3 where shop_id = $1 and id = any($2)', [shop.id, members, tier])
  await setTier([1, 2], 'gold')
  await setTier([3, 4], 'member')
  await pool.query(
    `update members set state = (state::jsonb || '{"segments":["at-risk"]}')::text where shop_id = $1 and id = any($2)`,
    [shop.id, [2, 3]],
  )
  const note = (
    id: string,
    tiers: string[] | null,
    segments: string[] | null,
    instant = '2026-09-01T00:00:30Z',
    from = '2026-09-01T00:00:00Z',
  ) => inTransaction((client) => noteAudience(shop.id, { id, from: at(from), tiers, segments }, at(instant), client))
  await note('gold', ['gold'], null)
  await note('risk', null, ['at-risk', 'lost'])
  await note('both', ['gold'], ['at-risk'])
  await setTier([3], 'gold')
  await note('gold', ['gold'], null, '2026-09-02T00:00:00Z')

  const compared = async (id: string) => {
    const from = at('2026-09-01T00:00:30Z')
    const outcomes = await listOutcomes(shop.id, {
      times: [{ fromAt: from, untilAt: at('2026-10-01T00:00:00Z') }],
      from,
      audienceOf: id,
    })
    return outcomes.map(({ customer }) => customer.split('/').at(-1)).sort()
  }
  expect(await compared('gold')).toEqual(['1', '2'])
  expect(await compared('risk')).toEqual(['2', '3'])
  expect(await compared('both')).toEqual(['2'])
  expect((await listCampaignRecords(shop.id)).get('gold')?.audienceAt).toBe(at('2026-09-01T00:00:30Z'))

  // Moved to a later time, it begins anew.
  await note('gold', ['gold'], null, '2026-11-01T00:00:10Z', '2026-11-01T00:00:00Z')
  expect(await compared('gold')).toEqual(['1', '2', '3'])
})

test('outcomes count what was bought while it ran, and as long a time before it', async () => {
  const shop = await makeShopWithProgram()
  await placeAndDrain(shop.id, [
    { id: 1, customer: 1, placedAt: '2026-08-01T10:00:00Z' },
    { id: 2, customer: 1, placedAt: '2026-08-28T10:00:00Z' },
    { id: 3, customer: 1, placedAt: '2026-09-02T10:00:00Z' },
    { id: 4, customer: 1, placedAt: '2026-09-05T10:00:00Z' },
  ])
  const times = [
    { fromAt: at('2026-09-01T00:00:00Z'), untilAt: at('2026-09-04T00:00:00Z') },
    { fromAt: at('2026-09-06T00:00:00Z'), untilAt: at('2026-09-09T00:00:00Z') },
  ]
  expect(await listOutcomes(shop.id, { times, from: times[0]!.fromAt, audienceOf: null })).toEqual([
    {
      ...{ customer: 'gid://shopify/Customer/1', records: ['gid://shopify/Customer/1'] },
      ...{ orders: 1, ordersBefore: 1, revenueMinor: 1000, revenueBeforeMinor: 1000 },
    },
  ])
})

test('a customer that was merged since stands where the merged ones stood, with all they bought, and in neither arm where they differed', async () => {
  const half = { ...DOUBLE, holdOut: 0.5 }
  const shop = await makeShopWithProgram({ campaigns: [half] })
  const campaign = (await loadPrograms(shop.id))!.versions.at(-1)!.program.campaigns[0]!
  const gid = (id: number) => `gid://shopify/Customer/${id}`
  const ids = Array.from({ length: 40 }, (_, place) => place + 1)
  const held = ids.filter((id) => isHeldOut(campaign, gid(id)))
  const offered = ids.filter((id) => !held.includes(id))
  const people = [...held.slice(0, 4), ...offered.slice(0, 4)]
  const placeAll = (day: string, first: number) =>
    placeAndDrain(
      shop.id,
      people.map((customer, place) => ({ id: first + place, customer, placedAt: `${day}T10:00:00Z` })),
    )
  await placeAll('2026-07-20', 1)
  await pool.query('update members set joined_at = $2 where shop_id = $1', [shop.id, new Date(at('2026-07-20'))])
  await inTransaction((client) =>
    noteAudience(
      shop.id,
      { id: 'double', from: at('2026-08-01T00:00:00Z'), tiers: null, segments: null },
      at('2026-08-01T00:00:30Z'),
      client,
    ),
  )
  await placeAll('2026-08-02', 11)
  const merge = async (gone: number, kept: number) => {
    const body = { admin_graphql_api_customer_kept_id: gid(kept), admin_graphql_api_customer_deleted_id: gid(gone) }
    const message = { ...body, admin_graphql_api_job_id: null, status: 'completed' }
    await receive(shop.id, 'customers/merge', JSON.stringify(message), { at: '2026-08-05T10:00:00Z' })
    await drainShop(shop.id)
  }
  await merge(held[0]!, held[1]!)
  await merge(offered[0]!, offered[1]!)
  await merge(held[2]!, offered[2]!)
  // Into somebody who was not known when it began.
  await placeAndDrain(shop.id, [{ id: 30, customer: 1_000, placedAt: '2026-08-04T10:00:00Z' }])
  await merge(offered[3]!, 1_000)

  const times = [{ fromAt: campaign.fromAt, untilAt: campaign.untilAt }]
  for (const audienceOf of [null, 'double']) {
    const outcomes = await listOutcomes(shop.id, { times, from: at('2026-08-01T00:00:30Z'), audienceOf })
    const arms = Map.groupBy(outcomes, ({ records }) => armOf(campaign, records))
    const ordersOf = (arm: 'offered' | 'heldOut' | null) =>
      (arms.get(arm) ?? []).map(({ customer, orders }) => [customer, orders])
    expect(ordersOf('heldOut').sort()).toEqual(
      [
        [gid(held[1]!), 2],
        [gid(held[3]!), 1],
      ].sort(),
    )
    const newer = isHeldOut(campaign, gid(1_000)) && audienceOf === null
    const [later, alone] = [[gid(1_000), 2] as const, [gid(offered[1]!), 2] as const]
    expect(ordersOf('offered').sort()).toEqual((newer ? [alone] : [alone, later]).sort())
    expect(ordersOf(null).sort()).toEqual([...(newer ? [later] : []), [gid(offered[2]!), 2]].sort())
  }
})

test('what was given is counted under every name the campaign had, and falls when an order is cancelled', async () => {
  const shop = await makeShopWithProgram()
  await placeAndDrain(
    shop.id,
    [1, 2].map((id) => ({ id, customer: 1, placedAt: '2026-08-02T10:00:00Z' })),
  )
  const give = (id: number, title: string, cancelledAt: number | null = null) =>
    pool.query(`update orders set facts = $3 where shop_id = $1 and id = $2`, [
      shop.id,
      id,
      JSON.stringify({
        snapshot: { lines: [], automaticDiscounts: [{ title, amountMinor: 300 }], cancelledAt, test: false },
      }),
    ])
  const count = () =>
    countGiven(
      shop.id,
      {
        id: 'a',
        titles: ['Spring', 'Spring days'],
        from: at('2026-08-01T00:00:00Z'),
        until: at('2026-09-01T00:00:00Z'),
      },
      1,
    )
  await give(1, 'Spring')
  await give(2, 'Spring days')
  expect(await count()).toEqual({ givenMinor: 600, orders: 2 })
  await give(2, 'Spring days', 5)
  expect(await count()).toEqual({ givenMinor: 300, orders: 1 })
})

test('who asked to be forgotten is in no audience any more, and nobody else is missing', async () => {
  const shop = await makeShopWithProgram()
  await placeAndDrain(
    shop.id,
    [1, 2].map((id) => ({ id, customer: id, placedAt: '2026-08-01T10:00:00Z' })),
  )
  await pool.query(`update members set tier = 'gold' where shop_id = $1`, [shop.id])
  const from = at('2026-09-01T00:00:00Z')
  await inTransaction((client) =>
    noteAudience(shop.id, { id: 'gold', from, tiers: ['gold'], segments: null }, from, client),
  )
  await receive(shop.id, 'customers/redact', '{"customer":{"id":1},"orders_to_redact":[]}')
  await drainShop(shop.id)
  const { rows } = await pool.query('select member_id from campaign_audiences where shop_id = $1', [shop.id])
  expect(rows).toEqual([{ member_id: '2' }])
})

test('each number of a campaign’s results opens as many customers, those of the times in which it ran, and of no other shop', async () => {
  const half = { ...DOUBLE, holdOut: 0.5 }
  const [shop, other] = [await makeShopWithProgram({ campaigns: [half] }), await makeShopWithProgram({})]
  await pauseCampaign(shop.id, 'double', at('2026-08-05T12:00:00Z'))
  await resumeCampaign(shop.id, 'double', at('2026-08-07T12:00:00Z'))
  const placedAts = ['2026-07-20T10:00:00Z', '2026-08-02T10:00:00Z', '2026-08-06T10:00:00Z', '2026-08-20T10:00:00Z']
  const orders = Array.from({ length: 24 }, (_, id) => ({
    id: id + 1,
    customer: 1 + (id % 9),
    placedAt: placedAts[(id * 7) % 4]!,
  }))
  await placeAndDrain(shop.id, orders)
  await placeAndDrain(other.id, orders)

  const programs = (await loadPrograms(shop.id))!
  const campaign = programs.versions.at(-1)!.program.campaigns[0]!
  const asOf = at('2026-09-10T00:00:00Z')
  const { times, mark } = await findCampaignRun(shop.id, campaign, asOf)
  expect(times).toHaveLength(2)
  const figures = await findCampaignFigures(shop.id, times, mark)
  const arms = await listArms(shop.id, campaign, null, times)
  const heldOut = arms.filter(({ customer }) => isHeldOut(campaign, customer)).length
  const numbers = {
    buyers: figures.buyers,
    new: figures.newBuyers,
    returning: figures.buyers - figures.newBuyers,
    own: figures.ownBuyers,
    offered: arms.length - heldOut,
    heldOut,
  }
  const [asked, fromOther] = [await askMeasures(shop, asOf), await askMeasures(other, asOf)]
  for (const [name, number] of Object.entries(numbers)) {
    const group = parseGroup(`campaign:${name}:double`)!
    expect([name, await countCustomersBehind(asked, group)]).toEqual([name, number])
    expect(await listCustomersBehind(asked, group, { limit: 50 })).toHaveLength(number)
    expect(await countCustomersBehind(fromOther, group)).toBe(0)
  }
  expect(numbers.buyers).toBeGreaterThan(numbers.new)
  expect(numbers.new * numbers.own * numbers.returning).toBeGreaterThan(0)
})

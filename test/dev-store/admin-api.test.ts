import { get } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { orderPayload } from './payloads.ts'
import { SHOP_HEADER, startDevStore, type RunningDevStore } from './server.ts'

const SHOP = 'tea.myshopify.com'
const running: RunningDevStore[] = []

afterEach(async () => {
  for (const dev of running.splice(0)) await dev.close()
})

type Answer = {
  status: number
  data?: Record<string, unknown>
  errors?: { message: string; path?: string[]; extensions?: { code?: string; requiredAccess?: string } }[]
  extensions?: {
    cost: { requestedQueryCost: number; actualQueryCost: number | null; throttleStatus: { currentlyAvailable: number } }
  }
}

/** A shop with the app in it, and how to ask its Admin API. */
async function openShop(scopes?: string[]) {
  const dev = await startDevStore({ appUrl: 'http://127.0.0.1:9', apiKey: 'key', apiSecret: 'secret', pages: false })
  running.push(dev)
  const { store } = dev
  store.addShop({ domain: SHOP, currency: 'USD', taxRateBasisPoints: 700 })
  store.installApp(SHOP, scopes)
  const { accessToken } = store.issueToken(SHOP)
  const ask = async (query: string, variables: Record<string, unknown> = {}): Promise<Answer> => {
    const response = await fetch(`${dev.url}/admin/api/2026-10/graphql.json`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-shopify-access-token': accessToken, [SHOP_HEADER]: SHOP },
      body: JSON.stringify({ query, variables }),
    })
    const text = await response.text()
    return { status: response.status, ...(text.startsWith('{') ? JSON.parse(text) : {}) }
  }
  return { dev, store, ask }
}

describe('the Admin API of the dev store', () => {
  it('refuses a field that it does not imitate by its name, and runs nothing of that request', async () => {
    const { store, ask } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const answer = await ask(
      'mutation ($id: ID!) { tagsAdd(id: $id, tags: ["gold"]) { node { ... on Customer { dataSaleOptOut } } } }',
      { id: ann.id },
    )
    expect(answer.data).toBeUndefined()
    expect(answer.errors![0]!.message).toContain('does not imitate Customer.dataSaleOptOut')
    expect(store.customer(SHOP, ann.id)!.tags).toEqual([])
  })

  it('shows a customer’s store credit only to an app with the scope for accounts, whatever it may do with transactions', async () => {
    const { store, ask } = await openShop(['read_customers', 'write_store_credit_account_transactions'])
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const query =
      'query ($id: ID!) { customer(id: $id) { ...Credit } } fragment Credit on Customer { storeCreditAccounts(first: 1) { nodes { id } } }'
    const denied = await ask(query, { id: ann.id })
    expect(denied.errors![0]!.extensions).toMatchObject({
      code: 'ACCESS_DENIED',
      requiredAccess: '`read_store_credit_accounts` access scope.',
    })
    store.setScopes(SHOP, ['read_customers', 'read_store_credit_accounts'])
    expect((await ask(query, { id: ann.id })).data).toEqual({ customer: { storeCreditAccounts: { nodes: [] } } })
  })

  it('takes a Flow trigger as its toml declares it, and refuses any other by name', async () => {
    const { store, ask } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const tell = (handle: string, payload: object) =>
      ask(
        'mutation ($handle: String!, $payload: JSON!) { flowTriggerReceive(handle: $handle, payload: $payload) { userErrors { field message } } }',
        { handle, payload },
      )
    const whole = {
      customer_id: Number(ann.id.split('/').at(-1)),
      Points: 120,
      'Days left': 30,
      'Last day': '2027-03-31',
    }
    expect((await tell('points-expire-soon', whole)).data).toEqual({ flowTriggerReceive: { userErrors: [] } })
    expect(store.tables.list('flowTriggers', SHOP)).toMatchObject([{ handle: 'points-expire-soon', payload: whole }])

    const unknown = await tell('points-are-many', whole)
    expect(unknown.data).toMatchObject({ flowTriggerReceive: { userErrors: [{ field: ['body'] }] } })
    const { Points: _, ...short } = whole
    const wrong = [short, { ...whole, points: 1 }, { ...whole, Points: '120' }, { ...whole, customer_id: 1 }]
    for (const payload of wrong) {
      expect((await tell('points-expire-soon', payload)).errors![0]!.message).toContain(
        'the Flow trigger points-expire-soon',
      )
    }
    expect(store.tables.list('flowTriggers', SHOP)).toHaveLength(1)
  })

  it('finds a customer by e-mail address whatever its case, and nobody by one that nobody has', async () => {
    const { store, ask } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'Ann@example.com' })
    const answer = await ask(
      `query ($one: String!, $other: String!) {
         one: customerByIdentifier(identifier: { emailAddress: $one }) { id state }
         other: customerByIdentifier(identifier: { emailAddress: $other }) { id state } }`,
      { one: 'ann@EXAMPLE.com', other: 'nobody@example.com' },
    )
    expect(answer.data).toEqual({ one: { id: ann.id, state: 'ENABLED' }, other: null })
  })

  it('refuses what Shopify’s schema does not have, and a search filter that it does not know', async () => {
    const { ask } = await openShop()
    expect((await ask('{ shop { nme } }')).errors![0]!.message).toContain('Cannot query field "nme"')
    const filtered = await ask('{ customers(first: 1, query: "shoe_size:44") { nodes { id } } }')
    expect(filtered.errors![0]!.message).toContain('does not imitate the search filter "shoe_size"')
  })

  it('keeps each shop to itself', async () => {
    const { store, ask } = await openShop()
    store.addShop({ domain: 'other.myshopify.com' })
    const theirs = store.createCustomer('other.myshopify.com', { email: 'x@example.com' })
    expect((await ask('query ($id: ID!) { customer(id: $id) { id } }', { id: theirs.id })).data).toEqual({
      customer: null,
    })
  })

  it('asks for the scope that a field needs', async () => {
    const { store, ask } = await openShop(['read_orders'])
    const answer = await ask('{ customers(first: 1) { nodes { id } } }')
    expect(answer.errors![0]).toMatchObject({
      path: ['customers'],
      extensions: { code: 'ACCESS_DENIED', requiredAccess: '`read_customers` access scope.' },
    })
    store.setScopes(SHOP, ['read_orders', 'write_customers'])
    expect((await ask('{ customers(first: 1) { nodes { id } } }')).errors).toBeUndefined()
  })

  it('shows orders of the last 60 days only, unless the app may read all of them', async () => {
    const { store, ask } = await openShop()
    const processedAt = Date.now() - 61 * 86_400_000
    store.importOrder(SHOP, { processedAt, lines: [{ quantity: 1, unitPriceMinor: 500 }] })
    const query = '{ orders(first: 5) { nodes { name } } }'
    expect((await ask(query)).data).toEqual({ orders: { nodes: [] } })
    store.setScopes(SHOP, [...store.app.scopes, 'read_all_orders'])
    expect((await ask(query)).data).toEqual({ orders: { nodes: [{ name: '#1001' }] } })
  })

  it('gives the cost with each answer and throttles when the bucket is empty, which then fills again', async () => {
    const { dev, ask } = await openShop()
    const first = await ask('{ shop { name } }')
    expect(first.extensions!.cost).toMatchObject({ requestedQueryCost: 1, actualQueryCost: 1 })
    expect(first.extensions!.cost.throttleStatus).toMatchObject({ maximumAvailable: 2000, restoreRate: 100 })

    dev.buckets.drain(SHOP)
    const throttled = await ask('{ orders(first: 50) { nodes { id } } }')
    expect(throttled).toMatchObject({
      status: 200,
      errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
      extensions: { cost: { actualQueryCost: null } },
    })
    const missing =
      throttled.extensions!.cost.requestedQueryCost - throttled.extensions!.cost.throttleStatus.currentlyAvailable
    await new Promise((done) => setTimeout(done, (missing / 100) * 1000 + 20))
    expect((await ask('{ orders(first: 50) { nodes { id } } }')).errors).toBeUndefined()
  })

  it('fails on request: throttled, 500, no answer, and no answer although it was done', async () => {
    const { store, ask } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const tag = (name: string) =>
      ask(`mutation Tag { tagsAdd(id: "${ann.id}", tags: ["${name}"]) { userErrors { message } } }`)

    store.setFault({ api: 'throttled', times: 1 })
    expect((await tag('a')).errors![0]!.extensions!.code).toBe('THROTTLED')
    store.setFault({ api: '500', times: 1, operation: 'Other' })
    store.setFault({ api: '500', times: 1, operation: 'Tag' })
    expect((await tag('a')).status).toBe(500)
    store.setFault({ api: 'timeout', times: 1 })
    await expect(tag('b')).rejects.toThrow('fetch failed')
    store.setFault({ api: 'timeout-after-effect', times: 1 })
    await expect(tag('c')).rejects.toThrow('fetch failed')

    expect(store.customer(SHOP, ann.id)!.tags).toEqual(['c'])
    expect(store.faults()).toMatchObject([{ fault: '500', operation: 'Other' }])
    expect((await tag('d')).errors).toBeUndefined()
  })

  it('answers to names of this machine only', async () => {
    const { dev } = await openShop()
    const statusFor = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = get({ port: dev.port, host: '127.0.0.1', path: '/bulk/1.jsonl', headers: { host } })
        request.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject)
      })
    expect(await statusFor('evil.example.com')).toBe(403)
    expect(await statusFor('127.0.0.1.example.com')).toBe(403)
    expect(await statusFor(`tea.localhost:${dev.port}`)).toBe(404)
  })

  it('pages through a list without leaving any out or showing one twice', async () => {
    const { store, ask } = await openShop()
    for (let index = 0; index < 7; index += 1) store.createCustomer(SHOP, { email: `c${index}@example.com` })
    const seen: string[] = []
    let after: string | null = null
    do {
      const answer = await ask(
        'query ($after: String) { customers(first: 3, after: $after) { pageInfo { hasNextPage endCursor } nodes { email: defaultEmailAddress { emailAddress } } } }',
        { after },
      )
      const page = answer.data!.customers as {
        pageInfo: { hasNextPage: boolean; endCursor: string }
        nodes: { email: { emailAddress: string } }[]
      }
      seen.push(...page.nodes.map((node) => node.email.emailAddress))
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
    } while (after)
    expect(seen).toEqual(Array.from({ length: 7 }, (_, index) => `c${index}@example.com`))
  })
})

describe('metafields', () => {
  const SET = `mutation ($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { metafields { value compareDigest namespace } userErrors { field message code elementIndex } } }`

  it('are set all or none, by compare-and-set where a digest is given', async () => {
    const { store, ask } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const card = { ownerId: ann.id, key: 'member_card', type: 'json', value: '{"points":1}' }

    const first = await ask(SET, { m: [{ ...card, compareDigest: null }] })
    const made = first.data!.metafieldsSet as { metafields: { compareDigest: string; namespace: string }[] }
    expect(made.metafields[0]!.namespace).toMatch(/^app--\d+$/)

    const stale = await ask(SET, {
      m: [
        { ...card, key: 'other' },
        { ...card, compareDigest: null },
      ],
    })
    expect(stale.data!.metafieldsSet).toMatchObject({
      metafields: [],
      userErrors: [{ code: 'STALE_OBJECT', elementIndex: 1 }],
    })
    expect(store.metafield(ann.id, 'other')).toBeUndefined()

    const fresh = await ask(SET, {
      m: [{ ...card, value: '{"points":2}', compareDigest: made.metafields[0]!.compareDigest }],
    })
    expect(fresh.data!.metafieldsSet).toMatchObject({ userErrors: [] })
    expect(store.metafield(ann.id, 'member_card')!.value).toBe('{"points":2}')
  })

  it('are refused beyond 25, for an owner who is gone, and where the value is no JSON', async () => {
    const { store, ask } = await openShop()
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    const card = { ownerId: ann.id, key: 'member_card', type: 'json', value: '{}' }
    const codeOf = async (m: unknown[]) => {
      const answer = await ask(SET, { m })
      return (answer.data!.metafieldsSet as { userErrors: { code: string }[] }).userErrors[0]?.code
    }
    expect(await codeOf(Array.from({ length: 26 }, (_, index) => ({ ...card, key: `key_${index}` })))).toBe(
      'LESS_THAN_OR_EQUAL_TO',
    )
    expect(await codeOf([{ ...card, ownerId: 'gid://shopify/Customer/1' }])).toBe('INVALID')
    expect(await codeOf([{ ...card, value: '{' }])).toBe('INVALID_VALUE')
    expect(await codeOf([card])).toBeUndefined()
  })
})

describe('redeem codes', () => {
  const CREATE = `mutation ($d: DiscountCodeBasicInput!) { discountCodeBasicCreate(basicCodeDiscount: $d) { codeDiscountNode { id } userErrors { field message code } } }`
  const ADD = `mutation ($id: ID!, $codes: [DiscountRedeemCodeInput!]!) { discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) { bulkCreation { id done } userErrors { code } } }`
  const READ = `query ($id: ID!) { discountRedeemCodeBulkCreation(id: $id) { done importedCount failedCount codes(first: 250) { nodes { code errors { code } discountRedeemCode { id } } } } }`
  const reward = {
    title: '5 off',
    startsAt: '2026-01-01T00:00:00Z',
    usageLimit: 1,
    context: { all: 'ALL' },
    customerGets: { items: { all: true }, value: { discountAmount: { amount: '5.00', appliesOnEachItem: false } } },
  }

  it('are added a moment later; those that are taken fail alone', async () => {
    const { store, ask } = await openShop()
    const created = await ask(CREATE, { d: { ...reward, code: 'FIRST' } })
    const { id } = (created.data!.discountCodeBasicCreate as { codeDiscountNode: { id: string } }).codeDiscountNode
    const added = await ask(ADD, { id, codes: [{ code: 'SECOND' }, { code: 'first' }] })
    const job = (added.data!.discountRedeemCodeBulkAdd as { bulkCreation: { id: string; done: boolean } }).bulkCreation
    expect(job.done).toBe(false)

    await expect
      .poll(
        async () => ((await ask(READ, { id: job.id })).data!.discountRedeemCodeBulkCreation as { done: boolean }).done,
      )
      .toBe(true)
    const done = (await ask(READ, { id: job.id })).data!.discountRedeemCodeBulkCreation
    expect(done).toMatchObject({
      importedCount: 1,
      failedCount: 1,
      codes: {
        nodes: [
          { code: 'SECOND', errors: [] },
          { code: 'first', errors: [{ code: 'TAKEN' }] },
        ],
      },
    })
    expect(store.codesOf(id).map((code) => code.code)).toEqual(['FIRST', 'SECOND'])
  })

  it('are each good once, and their counter lags behind the order that used them', async () => {
    const { store, ask } = await openShop()
    await ask(CREATE, { d: { ...reward, code: 'ONCE' } })
    const buy = () =>
      store.placeOrder(SHOP, {
        lines: [{ quantity: 1, unitPriceMinor: 2000, allocations: [{ applicationIndex: 0, amountMinor: 500 }] }],
        discountApplications: [
          {
            type: 'discount_code',
            code: 'once',
            title: '5 off',
            value: '5.0',
            valueType: 'fixed_amount',
            allocationMethod: 'across',
            targetType: 'line_item',
            targetSelection: 'all',
            discountId: null,
          },
        ],
      })
    expect(buy()).toMatchObject({ ok: true })
    expect(buy()).toMatchObject({ ok: false, reason: 'code_used_up' })
    expect(store.checkCode(SHOP, 'ONCE', null)).toEqual({ ok: false, reason: 'used_up' })
    const LOOK =
      '{ codeDiscountNodeByCode(code: "once") { codeDiscount { ... on DiscountCodeBasic { asyncUsageCount } } } orders(first: 1, query: "discount_code:ONCE") { nodes { discountCodes } } }'
    expect((await ask(LOOK)).data).toMatchObject({
      codeDiscountNodeByCode: { codeDiscount: { asyncUsageCount: 0 } },
      orders: { nodes: [{ discountCodes: ['once'] }] },
    })
  })

  it('count as used once by an order, in however many ways they apply', async () => {
    const { store, ask } = await openShop()
    await ask(CREATE, { d: { ...reward, usageLimit: 2, code: 'BOTH' } })
    const application = {
      type: 'discount_code',
      code: 'BOTH',
      title: '',
      value: '5.0',
      valueType: 'fixed_amount',
    } as const
    const placed = store.placeOrder(SHOP, {
      lines: [{ quantity: 1, unitPriceMinor: 2000, allocations: [{ applicationIndex: 0, amountMinor: 500 }] }],
      shipping: { title: 'Standard', priceMinor: 600, allocations: [{ applicationIndex: 1, amountMinor: 600 }] },
      discountApplications: [
        {
          ...application,
          allocationMethod: 'across',
          targetType: 'line_item',
          targetSelection: 'all',
          discountId: null,
        },
        {
          ...application,
          allocationMethod: 'each',
          targetType: 'shipping_line',
          targetSelection: 'all',
          discountId: null,
        },
      ],
    })
    if (!placed.ok) throw new Error(placed.reason)
    expect(store.tables.codeByText(SHOP, 'both')!.usageCount).toBe(1)
    expect(orderPayload(store.shop(SHOP), placed.order, null).discount_codes).toEqual([
      { code: 'BOTH', amount: '11.00', type: 'fixed_amount' },
    ])
  })

  it('cannot be made twice, in whatever case', async () => {
    const { ask } = await openShop()
    await ask(CREATE, { d: { ...reward, code: 'SAME' } })
    const again = await ask(CREATE, { d: { ...reward, code: 'same' } })
    expect(again.data!.discountCodeBasicCreate).toMatchObject({
      codeDiscountNode: null,
      userErrors: [{ field: ['basicCodeDiscount', 'code'], code: 'TAKEN' }],
    })
  })
})

describe('bulk operations', () => {
  it('leave out none of 300 lines', async () => {
    const { store, ask } = await openShop()
    store.placeOrder(SHOP, { lines: Array.from({ length: 300 }, () => ({ quantity: 1, unitPriceMinor: 100 })) })
    await ask('mutation ($q: String!) { bulkOperationRunQuery(query: $q) { userErrors { message } } }', {
      q: '{ orders { edges { node { id lineItems { edges { node { quantity } } } } } } }',
    })
    await expect.poll(() => store.tables.list('bulkOperations', SHOP)[0]!.objectCount).toBe(301)
    const dear = await ask('{ orders(first: 2147483647) { nodes { id } } }')
    expect(dear.errors![0]!.extensions!.code).toBe('MAX_COST_EXCEEDED')
  })

  it('write one JSON line per object, each child naming its parent', async () => {
    const { store, ask } = await openShop()
    store.placeOrder(SHOP, {
      lines: [
        { quantity: 2, unitPriceMinor: 1000 },
        { quantity: 1, unitPriceMinor: 500 },
      ],
    })
    const started = await ask(
      'mutation ($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id status } userErrors { message } } }',
      {
        q: '{ orders { edges { node { id name lineItems { edges { node { quantity } } } } } } }',
      },
    )
    const { id } = (started.data!.bulkOperationRunQuery as { bulkOperation: { id: string } }).bulkOperation
    const read = async () =>
      (await ask('query ($id: ID!) { bulkOperation(id: $id) { status objectCount rootObjectCount url } }', { id }))
        .data!.bulkOperation as { status: string; objectCount: string; rootObjectCount: string; url: string }
    await expect.poll(async () => (await read()).status).toBe('COMPLETED')
    const operation = await read()
    expect(operation).toMatchObject({ objectCount: '3', rootObjectCount: '1' })

    const lines = (await (await fetch(operation.url)).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map((line) => line.quantity ?? line.name)).toEqual(['#1001', 2, 1])
    expect(lines[1]!.__parentId).toBe(lines[0]!.id)
  })
})

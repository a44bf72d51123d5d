import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { Buckets } from './api/cost.ts'
import { executeRequest } from './api/execute.ts'
import { fieldOf } from './api/root.ts'
import { adminSchema } from './api/schema.ts'
import { createStore } from './state.ts'

type Capture = {
  source: string
  roots: string[]
  query: string
  variables: Record<string, unknown>
  response: { data?: unknown; errors?: { message: string; extensions?: { code?: string } }[] }
}

const file = resolve(import.meta.dirname, '../fixtures/captures/admin-graphql.json.gz')
const captures = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Capture[]
const touched = captures.filter(({ roots }) =>
  roots.every((root) => fieldOf('Mutation', root) ?? fieldOf('QueryRoot', root)),
)

/**
 * The one recorded answer that the stand-in gives otherwise: graphql-js refuses an Int beyond 32 bits as a whole, where
 * Shopify's server lets it through and answers with a user error of that field.
 */
const OTHERWISE = 'discounts/discount-numeric-bounds.json#cases.automaticCreate'

/** Requests that 2026-10 refuses by its schema: there the schema's error is the right answer, whatever was recorded then. */
const isGone = ({ query, response }: Capture) =>
  response.data != null && validate(adminSchema(), parse(query)).length > 0

describe('recorded answers of real shops', () => {
  it('are replayed wherever the dev store has the roots they ask', () => {
    expect(touched.length).toBeGreaterThanOrEqual(65)
    expect(touched.filter(isGone).length).toBeLessThanOrEqual(2)
  })

  for (const capture of touched.filter((each) => !isGone(each))) {
    const name = capture.source.split('/').slice(-2).join('/')
    if (name.startsWith(OTHERWISE)) continue
    it(`${name}: the same data, the same user errors`, async () => {
      const { shop, answer } = await replay(capture)
      expect(masked(answer.data)).toEqual(masked(capture.response.data))
      expect(messagesOf(answer.errors)).toEqual(messagesOf(capture.response.errors))
      shop.close()
    })
  }

  it('but one, whose number is too big for an Int, which is refused before it gets to a user error', async () => {
    const { shop, answer } = await replay(touched.find(({ source }) => source.endsWith(OTHERWISE))!)
    expect(answer.data).toBeUndefined()
    expect(answer.errors![0]!.message).toContain('Int cannot represent non 32-bit signed integer value: 2147483648')
    shop.close()
  })
})

async function replay({ query, variables }: Capture) {
  const domain = 'canada.myshopify.com'
  const shop = createStore({ appUrl: 'http://127.0.0.1:1', apiKey: 'key', apiSecret: 'secret' })
  shop.addShop({ domain, currency: 'CAD' })
  const scopes = [
    'customers',
    'orders',
    'products',
    'discounts',
    'gift_cards',
    'store_credit_account_transactions',
    'store_credit_accounts',
  ]
  shop.installApp(
    domain,
    scopes.map((scope) => `write_${scope}`),
  )
  const context = { store: shop, domain, origin: 'http://127.0.0.1:1', token: shop.issueToken(domain) }
  const answer = await executeRequest(context, new Buckets(), { query, variables })
  return { shop, answer: answer as { data?: unknown; errors?: Capture['response']['errors'] } }
}

function messagesOf(errors: Capture['response']['errors']) {
  return (errors ?? []).map(({ message, extensions }) => ({ message, code: extensions?.code }))
}

/** Ids, times, cursors and codes made at random are different in every shop. */
function masked(value: unknown, key = ''): unknown {
  if (/[cC]ursor$|^(lastCharacters|maskedCode|giftCardCode)$/.test(key)) return value === null ? null : `<${key}>`
  if (typeof value === 'string') {
    return value
      .replace(/gid:\/\/shopify\/(\w+)\/[\w-]+(\?\w+=\w+)?/g, '<$1>')
      .replace(/^\d{4}-\d\d-\d\dT[\d:]+Z$/, '<time>')
  }
  if (Array.isArray(value)) return value.map((each) => masked(each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, masked(each, name)]))
}

import { Session } from '@shopify/shopify-api'
import { setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { getJwt } from '@shopify/shopify-api/test-helpers'

import { inTransaction, pool } from '#app/db/client.server.ts'
import { rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { sessionStorage } from '#app/shopify.server.ts'
import { makeShop } from '#test/setup/factories.ts'

/** A browser: the library answers 410 to whatever calls itself a robot. */
export const BROWSER = 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36'

export type Merchant = {
  shop: Awaited<ReturnType<typeof makeShop>>
  /** What React Router hands to a loader or action, signed as App Bridge signs. */
  get: (path: string, params?: Record<string, string>) => Promise<RouteArguments>
  post: (path: string, form: Record<string, string>, params?: Record<string, string>) => Promise<RouteArguments>
}

export type RouteArguments = { request: Request; params: Record<string, string>; context: Record<string, never> }

/** Somebody signed in to the admin of a shop that has the app installed. */
export async function makeMerchant(options: Parameters<typeof makeShop>[0] = {}): Promise<Merchant> {
  const shop = await makeShop(options)
  await sessionStorage.storeSession(
    new Session({
      id: `offline_${shop.domain}`,
      shop: shop.domain,
      state: '',
      isOnline: false,
      scope: 'read_customers,read_orders',
      accessToken: `token-of-${shop.domain}`,
      expires: new Date(Date.now() + 3_600_000),
    }),
  )
  const make = async (path: string, init: RequestInit, params: Record<string, string>): Promise<RouteArguments> => {
    const { token } = await sessionToken(shop.domain)
    const headers = { Authorization: `Bearer ${token}`, 'User-Agent': BROWSER }
    const request = new Request(`https://perennial.example.com${path}`, { ...init, headers })
    return { request, params, context: {} }
  }
  return {
    shop,
    get: (path, params = {}) => make(path, {}, params),
    post: (path, form, params = {}) => make(path, { method: 'POST', body: new URLSearchParams(form) }, params),
  }
}

/** The session token that App Bridge gives in that shop's admin. The library checks it against the machine's clock. */
export function sessionToken(domain: string, secret = process.env.SHOPIFY_API_SECRET!) {
  return getJwt(domain.replace('.myshopify.com', ''), process.env.SHOPIFY_API_KEY!, secret)
}

/** One request to the Admin API, as the stand-in below sees it. */
export type Asked = { shop: string; token: string; query: string; variables: Record<string, unknown> }

/** Stands in for Shopify's Admin API: `answer` gives the data for a request, or a Response of its own. Returns what was asked. */
export function answerAdminApi(answer: (asked: Asked) => unknown): Asked[] {
  const heard: Asked[] = []
  setAbstractFetchFunc((async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init)
    const body = (await request.json()) as { query: string; variables?: Record<string, unknown> }
    const asked = {
      shop: new URL(request.url).hostname,
      token: request.headers.get('X-Shopify-Access-Token') ?? '',
      query: body.query,
      variables: body.variables ?? {},
    }
    heard.push(asked)
    const answered = answer(asked)
    if (answered instanceof Response) return answered
    return Response.json({
      data: answered,
      extensions: {
        cost: {
          requestedQueryCost: 1,
          actualQueryCost: 1,
          throttleStatus: { maximumAvailable: 2000, currentlyAvailable: 1999, restoreRate: 100 },
        },
      },
    })
  }) as typeof fetch)
  return heard
}

/** Status and body of what a loader or action gave back or threw. */
export async function settle(
  answer: Promise<unknown> | unknown,
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const settled: unknown = await Promise.resolve(answer).catch((thrown: unknown) => thrown)
  if (settled instanceof Error) throw settled
  if (settled instanceof Response) {
    return { status: settled.status, body: await settled.text(), headers: settled.headers }
  }
  const wrapped = settled as { type?: string; data?: unknown; init?: { status?: number; headers?: HeadersInit } | null }
  if (wrapped?.type === 'DataWithResponseInit') {
    return { status: wrapped.init?.status ?? 200, body: wrapped.data, headers: new Headers(wrapped.init?.headers) }
  }
  return { status: 200, body: settled, headers: new Headers() }
}

/** Orders of customers who come back and of customers who do not, over the 400 days and more after `since` ago; the measures know them. */
export async function sellTo(shopId: number, customers: number, since = '2 years'): Promise<void> {
  await pool.query(
    `insert into orders (shop_id, id, member_id, placed_at, updated_at, triggered_at, goods_minor, counts, facts)
     select $1, c * 10 + n, c, at, at, at, 1000 + (c * 37 + n * 211) % 4000, true, '{}'
       from generate_series(1, $2::int) as c
       cross join lateral generate_series(0, case when c % 2 = 0 then 1 + c % 4 else 0 end) as n
       cross join lateral (select now() - $3::interval + make_interval(days => (c * 7919) % 400 + n * (20 + c % 60)) as at) as t`,
    [shopId, customers, since],
  )
  await inTransaction((client) => rebuildMeasures(shopId, Date.now(), client))
}

/**
 * The app proxy: `/apps/loyalty/…` of the storefront, answered by the app (shopify.dev, "Authenticate app proxies"). Shopify
 * adds who is asking to the query, signs it, and takes cookies away both ways. The signature's clock is the machine's, because
 * the app's library refuses one older than 90 seconds; moved time does not reach it.
 */
import { createHmac } from 'node:crypto'
import type { Gid } from '../records.ts'
import type { DevStore } from '../state.ts'

/** Headers that Shopify does not hand on. */
const DROPPED = ['cookie', 'host', 'connection', 'content-length', 'authorization', 'transfer-encoding', 'keep-alive']
const ANSWER_WITHIN_MS = 30_000

/**
 * The signature over a proxy's query: `key=value` pairs, repeated values joined by commas, sorted as whole pairs, joined by
 * nothing, hex HMAC-SHA256. Shopify's own two examples are in the tests.
 */
export function signProxyQuery(params: URLSearchParams, secret: string): string {
  const byKey = new Map<string, string[]>()
  for (const [key, value] of params) {
    if (key !== 'signature') byKey.set(key, [...(byKey.get(key) ?? []), value])
  }
  const message = [...byKey]
    .map(([key, values]) => `${key}=${values.join(',')}`)
    .sort()
    .join('')
  return createHmac('sha256', secret).update(message).digest('hex')
}

/** The path below which the proxy answers, such as `/apps/loyalty`, or null where the app has none. */
export function proxyPrefix(store: DevStore): string | null {
  const { proxy } = store.app
  return proxy && `/${proxy.prefix}/${proxy.subpath}`
}

/** Where a request to the proxy goes, signed: the app's address with Shopify's parameters. */
export function proxiedUrl(store: DevStore, shop: string, url: URL, customerId: Gid | null): URL {
  const prefix = proxyPrefix(store)!
  const target = new URL(store.app.proxy!.url + url.pathname.slice(prefix.length), store.options.appUrl)
  const params = new URLSearchParams(url.search)
  // What the shopper's browser claims about itself is not believed.
  for (const key of ['shop', 'logged_in_customer_id', 'path_prefix', 'timestamp', 'signature']) params.delete(key)
  params.set('shop', shop)
  params.set('logged_in_customer_id', customerId === null ? '' : customerId.slice(customerId.lastIndexOf('/') + 1))
  params.set('path_prefix', prefix)
  params.set('timestamp', String(Math.floor(Date.now() / 1000)))
  params.set('signature', signProxyQuery(params, store.options.apiSecret))
  target.search = params.toString()
  return target
}

/** Hands a storefront request to the app and its answer back. 404 where the app is not installed, 504 where it is silent. */
export async function forwardToApp(
  store: DevStore,
  shop: string,
  request: Request,
  customerId: Gid | null,
): Promise<Response> {
  if (!store.shop(shop).installation) return new Response('Not found', { status: 404 })
  const headers = new Headers(request.headers)
  for (const name of DROPPED) headers.delete(name)
  headers.set('x-forwarded-host', shop)
  headers.set('x-forwarded-for', request.headers.get('x-forwarded-for') ?? '127.0.0.1')
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
  try {
    const answer = await fetch(proxiedUrl(store, shop, new URL(request.url), customerId), {
      method: request.method,
      headers,
      body: hasBody ? await request.arrayBuffer() : null,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    const kept = new Headers(answer.headers)
    for (const name of ['set-cookie', 'content-encoding', 'content-length', 'transfer-encoding', 'connection']) {
      kept.delete(name)
    }
    const body = answer.status === 204 || answer.status === 304 ? null : await answer.arrayBuffer()
    return new Response(body, { status: answer.status, headers: kept })
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError'
    return new Response('The shop cannot reach this app right now.', { status: late ? 504 : 502 })
  }
}

/**
 * Who is asking on the storefront. Requests come through Shopify's app proxy, which signs them: shop and customer are believed for
 * that signature and nothing else. Every route below /proxy starts here.
 */
import { json } from '@remix-run/node'
import type { z } from 'zod'
import { findShop } from '#app/db/shops.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { wordsFor, type ShopperWords } from '#app/loyalty/shopper-words.ts'
import { adminClientOf, authenticate } from '#app/shopify.server.ts'
import { SHOPPER_PATIENCE } from '#app/shopify/admin-api.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** Somebody in the storefront; `customer` is the gid of whoever is signed in, null for a guest; `words` are those of the page's language. */
export type Visitor = { shop: Shop; customer: string | null; words: ShopperWords }
/** A signed-in customer, with the Admin API in the shop's name for what they ask for. */
export type Shopper = Visitor & { customer: string; admin: AdminClient }

/** Requests that change something, per customer: this many at once, and one more every so often. */
const BURST = 10
const REFILL_MS = 3_000
const BODY_BYTES_MAX = 64 * 1024

/**
 * Who is in front of the storefront. Throws a Response: 400 where the signature is wrong or older than 90 seconds (the library's
 * check), 404 where the app is not installed in that shop.
 */
export async function requireVisitor(request: Request): Promise<Visitor> {
  await authenticate.public.appProxy(request)
  // Behind the signature, which covers the whole query and refuses repeated parameters.
  const query = new URL(request.url).searchParams
  const shop = await findShop(query.get('shop') ?? '')
  if (!shop || shop.uninstalledAt !== null) throw refuse(404, 'not_installed')
  const number = query.get('logged_in_customer_id') ?? ''
  const customer = /^\d+$/.test(number) ? toGid('Customer', number) : null
  return { shop, customer, words: wordsFor(query.get('locale')) }
}

/** As `requireVisitor`, for customers who are signed in; others get 401. */
export async function requireShopper(request: Request): Promise<Shopper> {
  const { shop, customer, words } = await requireVisitor(request)
  if (customer === null) throw refuse(401, 'signed_out')
  return { shop, customer, words, admin: adminClientOf(shop.domain, SHOPPER_PATIENCE) }
}

/**
 * As `requireShopper`, for requests that change something. A browser sends the storefront's session with any form of any site, and
 * Shopify signs it: so they must be POST (405), JSON, which no foreign form can send (415), from the storefront's own pages (403),
 * and not too many (429).
 */
export async function requireActingShopper(request: Request): Promise<Shopper> {
  if (request.method !== 'POST') throw refuse(405, 'method')
  const shopper = await requireShopper(request)
  requireOwnPage(request, shopper.shop)
  if (!takeTurn(`${shopper.shop.id}:${shopper.customer}`, performance.now())) throw refuse(429, 'too_many_requests')
  return shopper
}

/** The request's JSON as the schema reads it. Throws 415, 413 or 400. */
export async function readBody<Body>(request: Request, schema: z.ZodType<Body>): Promise<Body> {
  if (!/^application\/json\b/i.test(request.headers.get('Content-Type') ?? '')) throw refuse(415, 'json_expected')
  const text = await request.text()
  if (Buffer.byteLength(text) > BODY_BYTES_MAX) throw refuse(413, 'too_large')
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw refuse(400, 'invalid')
  }
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw refuse(400, 'invalid')
  return parsed.data
}

/** An answer for this customer alone: nobody may keep it. */
export function answer(body: Record<string, unknown>, status = 200): Response {
  return json(body, { status, headers: { 'Cache-Control': 'no-store' } })
}

function refuse(status: number, reason: string): Response {
  return answer({ ok: false, reason }, status)
}

function requireOwnPage(request: Request, shop: Shop): void {
  // The browser's own word, which no page can change, is enough; older browsers say at least where a request comes from.
  const site = request.headers.get('Sec-Fetch-Site')
  if (site === 'same-origin') return
  if (site !== null) throw refuse(403, 'other_site')
  const origin = request.headers.get('Origin')
  if (origin === null) return
  // Shopify says in X-Forwarded-Host which of the shop's domains the storefront was opened at.
  const hosts = [shop.domain, request.headers.get('X-Forwarded-Host')?.split(',')[0]?.trim()]
  if (!URL.canParse(origin) || !hosts.includes(new URL(origin).host)) throw refuse(403, 'other_site')
}

const turns = new Map<string, { left: number; at: number }>()

/** Takes one of the customer's turns; false where none is left. Counted in this process. */
function takeTurn(name: string, at: number): boolean {
  // Whoever has all turns again needs no entry: the map stays as small as the last half minute's shoppers.
  if (turns.size > 10_000) for (const [key, turn] of turns) if (at - turn.at > BURST * REFILL_MS) turns.delete(key)
  const known = turns.get(name) ?? { left: BURST, at }
  const left = Math.min(BURST, known.left + (at - known.at) / REFILL_MS)
  if (left < 1) {
    turns.set(name, { left, at })
    return false
  }
  turns.set(name, { left: left - 1, at })
  return true
}

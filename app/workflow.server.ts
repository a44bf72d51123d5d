/**
 * Checks that a request comes from Shopify Flow, and for which shop. Where a workflow runs one of the app's actions, Flow sends a POST of JSON,
 * signed as webhooks are (shopify.dev, "Create Flow action endpoints"). Every route below /flow starts here.
 *
 * The library's `authenticate.flow` does not work here: it reads headers through the process's one adapter, that for Node, which finds none in a
 * request of Remix. It may also renew the shop's access token, which nothing here needs, while Flow waits no longer than 10 seconds.
 */
import { json } from '@remix-run/node'
import { findShop, type Shop } from '#app/db/shops.server.ts'
import { env } from '#app/env.server.ts'
import { isSigned } from '#app/shopify/signature.server.ts'

/** A step's fields are single lines of text, so a larger body is not a step. */
const BODY_BYTES_MAX = 64 * 1024

/** A step of a workflow: the shop it runs in, and all that Flow sent, not yet read. */
export type Step = { shop: Shop; payload: unknown }

/**
 * The step that the request is; its shop is the one that the signed payload names. Throws a refusal: 405 no POST, 413 too large, 401 not signed by
 * Shopify for this app, 400 no JSON object, 404 the app is not installed in the shop.
 */
export async function requireStep(request: Request): Promise<Step> {
  if (request.method !== 'POST') throw refuse(405, 'method', 'Flow calls actions with POST.')
  const body = Buffer.from(await request.arrayBuffer())
  if (body.length > BODY_BYTES_MAX) throw refuse(413, 'too_large', `A step has at most ${BODY_BYTES_MAX} bytes.`)
  const text = body.toString('utf8')
  if (!(await isSigned(text, request.headers.get('X-Shopify-Hmac-Sha256') ?? '', env().SHOPIFY_API_SECRET))) {
    throw refuse(401, 'signature', 'The signature is wrong.')
  }
  const payload = parse(text)
  if (payload === null) throw refuse(400, 'invalid', 'The body is not a JSON object.')
  const domain = payload.shopify_domain
  const shop = typeof domain === 'string' ? await findShop(domain) : null
  if (!shop || shop.installedAt === null || shop.uninstalledAt !== null) {
    throw refuse(404, 'not_installed', 'The app is not installed in this shop.')
  }
  return { shop, payload }
}

/** A refusal with a sentence for whoever looks at the run in Flow. */
export function refuse(status: number, reason: string, message: string): Response {
  return json({ ok: false, reason, message }, { status })
}

/** Null unless it is a JSON object. Session tokens and proxy requests are signed with the same secret, but none of them begins with a brace. */
function parse(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{')) return null
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}

/**
 * Session tokens, token exchange and refresh, as shopify.dev describes them ("Session tokens", "Token exchange",
 * "Offline access tokens", 2026-10). Signatures and lifetimes go by the machine's clock, because Shopify's library
 * checks them against it.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { issueToken, refreshToken, REFRESH_SECONDS } from './installation.ts'
import type { AccessToken } from './records.ts'
import type { DevStore } from './state.ts'

/** The merchant's staff member who is signed in to the dev store's admin. */
export const STAFF = { id: '1', firstName: 'Robin', lastName: 'Shopkeeper', email: 'robin@perennial.example' }

const SESSION_SECONDS = 60

/** A session token (JWT, HS256) for the app in a shop's admin, good for a minute. */
export function sessionToken(store: DevStore, shop: string, userId = STAFF.id): string {
  const now = Math.floor(Date.now() / 1000)
  const payload = {
    iss: `https://${shop}/admin`,
    dest: `https://${shop}`,
    aud: store.options.apiKey,
    sub: userId,
    exp: now + SESSION_SECONDS,
    nbf: now,
    iat: now,
    jti: randomUUID(),
    sid: randomUUID(),
  }
  return signJwt(payload, store.options.apiSecret)
}

/** The `host` parameter of embedded apps: base64 of where the shop's admin is, without padding. */
export function hostParameter(shop: string): string {
  return Buffer.from(`admin.shopify.com/store/${shop.replace('.myshopify.com', '')}`)
    .toString('base64')
    .replace(/=+$/, '')
}

function signJwt(payload: object, secret: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(payload)}`
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`
}

/** The payload of a token that this shop signed for this app and that has not run out; null otherwise. */
export function readSessionToken(store: DevStore, shop: string, token: unknown): { sub: string } | null {
  if (typeof token !== 'string') return null
  const [header, payload, signature] = token.split('.')
  if (!header || !payload || !signature) return null
  const expected = createHmac('sha256', store.options.apiSecret).update(`${header}.${payload}`).digest()
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    aud?: string
    dest?: string
    exp?: number
    sub?: string
  }
  const alive = (claims.exp ?? 0) * 1000 > Date.now()
  return alive && claims.aud === store.options.apiKey && claims.dest === `https://${shop}`
    ? { sub: claims.sub ?? '' }
    : null
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ONLINE = 'urn:shopify:params:oauth:token-type:online-access-token'
const OFFLINE = 'urn:shopify:params:oauth:token-type:offline-access-token'

/** Answers `POST /admin/oauth/access_token` for a shop: token exchange or refresh. */
export function accessTokenReply(store: DevStore, shop: string, body: Record<string, unknown>): Response {
  if (body.client_id !== store.options.apiKey || body.client_secret !== store.options.apiSecret) {
    return refuse('application_cannot_be_found', 'The client id or secret is not this app’s.')
  }
  const installation = store.tables.get('shops', shop)?.installation
  if (body.grant_type === 'refresh_token') {
    const token = installation ? refreshToken(store.tables, shop, String(body.refresh_token)) : null
    return token ? tokenReply(token) : refuse('invalid_grant', 'The refresh token is not valid.')
  }
  if (body.grant_type !== TOKEN_EXCHANGE) {
    return refuse(
      'unsupported_grant_type',
      `The dev store imitates token exchange and refresh, not ${String(body.grant_type)}.`,
    )
  }
  const user = readSessionToken(store, shop, body.subject_token)
  if (!user || !installation)
    return refuse('invalid_subject_token', 'The session token is not valid for this shop and app.')
  const online = body.requested_token_type === ONLINE
  if (!online && body.requested_token_type !== OFFLINE)
    return refuse('invalid_request', 'Unknown requested_token_type.')
  const expiring = online || body.expiring === '1' || body.expiring === 1 || body.expiring === true
  const token = issueToken(store.tables, shop, {
    mode: online ? 'online' : 'offline',
    expiring,
    userId: online ? user.sub : undefined,
  })
  return tokenReply(token)
}

function tokenReply(token: AccessToken): Response {
  const seconds = (at: number | null) => (at === null ? undefined : Math.round((at - Date.now()) / 1000))
  const scope = token.scopes.join(',')
  return Response.json({
    access_token: token.accessToken,
    scope,
    expires_in: seconds(token.expiresRealAt),
    ...(token.refreshToken ? { refresh_token: token.refreshToken, refresh_token_expires_in: REFRESH_SECONDS } : {}),
    ...(token.mode === 'online'
      ? {
          associated_user_scope: scope,
          associated_user: {
            id: Number(STAFF.id),
            first_name: STAFF.firstName,
            last_name: STAFF.lastName,
            email: STAFF.email,
            email_verified: true,
            account_owner: true,
            locale: 'en',
            collaborator: false,
          },
        }
      : {}),
  })
}

function refuse(error: string, description: string): Response {
  return Response.json({ error, error_description: description }, { status: 400 })
}

/** Reads a body that Shopify takes as JSON or as a form. */
export async function readBody(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text()
  if (request.headers.get('content-type')?.includes('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(text))
  }
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/**
 * Who is asking. Every page and action of the admin starts with `requireMerchant`, every job that speaks for a shop with
 * `adminClientOf`. The shop always comes from here (a session token, a stored session), never from a parameter.
 */
import '@shopify/shopify-app-remix/adapters/node'

import { redirect, type TypedResponse } from '@remix-run/node'
import { ApiVersion, AppDistribution, LogSeverity, shopifyApp } from '@shopify/shopify-app-remix/server'
import { PrismaSessionStorage } from '@shopify/shopify-app-session-storage-prisma'

import { now } from '#app/clock.server.ts'
import { whileAlone } from '#app/db/alone.server.ts'
import { prisma, tokenLocks } from '#app/db/client.server.ts'
import { encryptedSessions } from '#app/db/sessions.server.ts'
import { findShop, installShop, keepShopScopes, noteToken, type Shop } from '#app/db/shops.server.ts'
import { env } from '#app/env.server.ts'
import { adminClient, JOB_PATIENCE, SHOPPER_PATIENCE, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { readShopDetails } from '#app/shopify/shop.server.ts'

const settings = env()
const sessions = encryptedSessions(new PrismaSessionStorage(prisma), settings.ENCRYPTION_KEY)

const shopify = shopifyApp({
  apiKey: settings.SHOPIFY_API_KEY,
  apiSecretKey: settings.SHOPIFY_API_SECRET,
  apiVersion: ApiVersion.October26,
  appUrl: settings.SHOPIFY_APP_URL,
  distribution: AppDistribution.AppStore,
  sessionStorage: {
    ...sessions,
    // The library stores what it has just got from Shopify, by an exchange or a renewal.
    storeSession: async (session) => {
      await noteToken(session.shop, now())
      return sessions.storeSession(session)
    },
  },
  logger: { level: LogSeverity.Error },
  hooks: {
    // Runs for every new session, about once an hour and shop, and again after a reinstall: it must be cheap and repeatable.
    afterAuth: async ({ session }) => {
      const known = await findShop(session.shop)
      const shop = isInstalled(known) ? known : await install(session.shop, clientFor(session))
      const scopes = session.scope?.split(',').filter(Boolean) ?? []
      if (scopes.join() !== shop.scopes.join()) await keepShopScopes(shop.id, scopes, now())
    },
  },
  // Without the first flag the library still redirects through the old OAuth screens; the second is compulsory for new apps
  // since 2026-04-01 (shopify.dev, offline access tokens).
  future: { unstable_newEmbeddedAuthStrategy: true, expiringOfflineAccessTokens: true },
})

export const { authenticate, unauthenticated, addDocumentResponseHeaders, sessionStorage } = shopify

/** What a page of the admin knows about who asks. */
export type Merchant = {
  shop: Shop
  /** The Admin API in the shop's name, with the patience of somebody who waits for a page. */
  admin: AdminClient
  /** Who is named in the log of changes by hand: the staff member's id in Shopify. */
  actor: string
}

/**
 * The merchant behind an admin request. Throws the library's Response (sign-in steps, 401) where the session token is missing
 * or wrong. A shop that was never seen, or comes back after an uninstall, is installed on the way: the first page and
 * `afterAuth` may run side by side, so neither waits for the other.
 */
export async function requireMerchant(request: Request): Promise<Merchant> {
  const { session, sessionToken } = await authenticate.admin(request)
  const admin = clientFor(session, () => exchangeAnew(session, request))
  const known = await findShop(session.shop)
  const shop = isInstalled(known) ? known : await install(session.shop, admin)
  return { shop, admin, actor: `user:${sessionToken.sub}` }
}

const SAID_BY_THE_FRAME = ['shop', 'host', 'embedded', 'id_token', 'locale']

/**
 * The way from a page of the admin to another of its pages, with what Shopify's frame said in the address: a page that is opened directly (a
 * bookmark, a new tab) has no other sign of who asks.
 */
export function redirectInside(request: Request, path: string): TypedResponse<never> {
  const said = new URL(request.url).searchParams
  const kept = new URLSearchParams(
    SAID_BY_THE_FRAME.flatMap((name) => (said.has(name) ? [[name, said.get(name)!]] : [])),
  )
  return redirect(kept.size > 0 ? `${path}?${kept.toString()}` : path)
}

/** The Admin API for a job in a shop's name. The token is renewed when it is about to run out; throws when there is none. */
export function adminClientOf(domain: string, patience = JOB_PATIENCE): AdminClient {
  return adminClient({ shop: domain, accessToken: () => accessTokenOf(domain), patience })
}

/** The library renews a token in its last five minutes; this is a little more, so that it is renewed here, under the lock. */
const RENEW_AHEAD_MS = 6 * 60_000
const RENEW_WAIT_MS = 15_000

/**
 * The shop's offline access token, fresh for at least five minutes. One process at a time renews it: the others wait and find the
 * new one. Throws SessionNotFoundError after an uninstall.
 */
export async function accessTokenOf(domain: string): Promise<string> {
  const kept = await sessionStorage.loadSession(`offline_${domain}`)
  if (kept?.accessToken && !kept.isExpired(RENEW_AHEAD_MS)) return kept.accessToken
  const renewed = await whileAlone(`token:${domain}`, RENEW_WAIT_MS, () => unauthenticated.admin(domain), tokenLocks)
  if (!renewed) throw new Error(`another process has been renewing the token of ${domain} for ${RENEW_WAIT_MS} ms`)
  return renewed.session.accessToken ?? ''
}

/** A shop may be known without being installed: a webhook can come before the first page. */
function isInstalled(shop: Shop | null): shop is Shop {
  return shop !== null && shop.installedAt !== null && shop.uninstalledAt === null
}

/** One question to Shopify and one transaction. Repeating it changes nothing. */
async function install(domain: string, admin: AdminClient): Promise<Shop> {
  const details = await readShopDetails(admin)
  return installShop(domain, details, now())
}

function clientFor(
  session: { shop: string; accessToken?: string },
  renewToken?: () => Promise<string | null>,
): AdminClient {
  return adminClient({
    shop: session.shop,
    accessToken: () => Promise.resolve(session.accessToken ?? ''),
    renewToken,
    patience: SHOPPER_PATIENCE,
  })
}

/**
 * Forgets a session whose token Shopify refuses, so that the library exchanges the request's session token for another: after an uninstall and
 * a new install the old one is worth nothing, though its time is not up and the notice of the uninstall may still be on its way. Null where
 * the session token's own minute is over: the next request brings another.
 */
async function exchangeAnew(refused: { id: string; accessToken?: string }, request: Request): Promise<string | null> {
  const kept = await sessionStorage.loadSession(refused.id)
  if (kept?.accessToken === refused.accessToken) await sessionStorage.deleteSession(refused.id)
  try {
    return (await authenticate.admin(request)).session.accessToken ?? null
  } catch (error) {
    if (error instanceof Response) return null
    throw error
  }
}

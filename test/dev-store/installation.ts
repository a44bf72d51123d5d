/** The app in a shop: installed, its scopes, its access tokens, uninstalled, and the shop's data erased after it left. */
import { randomBytes, randomUUID } from 'node:crypto'
import { numericId, shopPayload } from './payloads.ts'
import type { AccessToken, Installation } from './records.ts'
import type { StoreTables } from './tables.ts'
import type { Emit } from './webhooks.ts'

/** Expiring offline tokens live an hour, their refresh tokens 90 days (shopify.dev, "Offline access tokens"). */
export const TOKEN_SECONDS = 3_600
export const REFRESH_SECONDS = 90 * 24 * 3_600
const ONLINE_SECONDS = 24 * 3_600

/** Installs the app with these scopes (Shopify-managed installation: no redirect); again is a reinstall. */
export function installApp(store: StoreTables, domain: string, scopes: string[]): Installation {
  return store.write(() => {
    const shop = store.shop(domain)
    if (shop.installation) return shop.installation
    shop.installation = {
      id: store.newId('AppInstallation'),
      installedAt: store.now(),
      installedRealAt: Date.now(),
      scopes: [...scopes],
      tokens: [],
    }
    store.put('shops', domain, shop)
    return shop.installation
  })
}

/** Uninstalls: tokens stop working, app-owned data goes, and `app/uninstalled` is sent. */
export function uninstall(store: StoreTables, emit: Emit, domain: string): void {
  store.write(() => {
    const shop = store.shop(domain)
    if (!shop.installation) return
    emit(domain, 'app/uninstalled', shopPayload(shop))
    shop.installation = null
    store.put('shops', domain, shop)
    for (const row of store.list('metafields', domain))
      if (row.namespace.startsWith('app--')) store.remove('metafields', row.id)
    for (const row of store.list('discounts', domain)) if (row.kind.endsWith('_app')) store.remove('discounts', row.id)
  })
}

/** Sends `shop/redact`, 48 hours after uninstalling on Shopify; not sent where the app is installed again. */
export function redactShop(
  store: StoreTables,
  emit: Emit,
  domain: string,
): { ok: true } | { ok: false; reason: 'still_installed' } {
  const shop = store.shop(domain)
  if (shop.installation) return { ok: false, reason: 'still_installed' }
  store.write(() =>
    emit(domain, 'shop/redact', { shop_id: numericId(shop.id), shop_domain: domain }, { evenIfUninstalled: true }),
  )
  return { ok: true }
}

/** Grants or takes scopes. Sends `app/scopes_update`. It counts at once for tokens given before. */
export function setScopes(store: StoreTables, emit: Emit, domain: string, scopes: string[]): void {
  store.write(() => {
    const shop = store.shop(domain)
    if (!shop.installation) throw new Error(`The app is not installed on ${domain}.`)
    const previous = shop.installation.scopes
    shop.installation.scopes = [...scopes]
    store.put('shops', domain, shop)
    emit(domain, 'app/scopes_update', {
      id: numericId(shop.installation.id),
      shop_id: shop.id,
      previous,
      current: scopes,
      updated_at: new Date(store.now()).toISOString(),
    })
  })
}

/** A new access token for an installed shop; offline ones come with a refresh token when they expire. */
export function issueToken(
  store: StoreTables,
  domain: string,
  options: { mode: 'offline' | 'online'; expiring: boolean; userId?: string },
): AccessToken {
  return store.write(() => {
    const shop = store.shop(domain)
    if (!shop.installation) throw new Error(`The app is not installed on ${domain}.`)
    const now = Date.now()
    const refreshes = options.mode === 'offline' && options.expiring
    const seconds = options.mode === 'online' ? ONLINE_SECONDS : TOKEN_SECONDS
    const token: AccessToken = {
      accessToken: `${options.mode === 'online' ? 'shpua' : 'shpat'}_${randomBytes(16).toString('hex')}`,
      mode: options.mode,
      userId: options.userId ?? null,
      scopes: [...shop.installation.scopes],
      expiresRealAt: options.mode === 'online' || options.expiring ? now + seconds * 1000 : null,
      refreshToken: refreshes ? `shprt_${randomUUID().replaceAll('-', '')}` : null,
      refreshExpiresRealAt: refreshes ? now + REFRESH_SECONDS * 1000 : null,
      renews: null,
      renewed: false,
    }
    const living = shop.installation.tokens.filter(
      (row) => ((row.renewed ? null : row.refreshExpiresRealAt) ?? row.expiresRealAt ?? Infinity) > now,
    )
    shop.installation.tokens = [...living.slice(-50), token]
    store.put('shops', domain, shop)
    return token
  })
}

/**
 * A new pair for a refresh token, or null where the token is not good. The pair it came from stays good until the new
 * access or refresh token is used for the first time (shopify.dev changelog, 2026-08-28).
 */
export function refreshToken(store: StoreTables, domain: string, refresh: string): AccessToken | null {
  return store.write(() => {
    const installation = store.shop(domain).installation
    const old = installation?.tokens.find((row) => row.refreshToken === refresh)
    if (!old || (old.refreshExpiresRealAt ?? 0) < Date.now()) return null
    if (old.renewed) return null
    const fresh = issueToken(store, domain, { mode: 'offline', expiring: true })
    fresh.renews = old.accessToken
    markUsed(store, domain, old)
    return fresh
  })
}

/** Notes that a token was used: the refresh token of the pair it renews is then dead. */
export function markUsed(store: StoreTables, domain: string, token: AccessToken): void {
  const shop = store.shop(domain)
  const renewed = shop.installation?.tokens.find((row) => row.accessToken === token.renews)
  if (!renewed || renewed.renewed) return
  renewed.renewed = true
  store.put('shops', domain, shop)
}

export type TokenCheck =
  { ok: true; token: AccessToken } | { ok: false; reason: 'not_installed' | 'unknown' | 'expired' }

/** Whether a token opens the shop's Admin API now. */
export function checkToken(store: StoreTables, domain: string, accessToken: string | null): TokenCheck {
  const installation = store.shop(domain).installation
  if (!installation) return { ok: false, reason: 'not_installed' }
  const token = installation.tokens.find((row) => row.accessToken === accessToken)
  if (!token) return { ok: false, reason: 'unknown' }
  if (token.expiresRealAt !== null && token.expiresRealAt <= Date.now()) return { ok: false, reason: 'expired' }
  markUsed(store, domain, token)
  return { ok: true, token }
}

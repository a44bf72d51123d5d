import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { ApiVersion, AppDistribution, LogSeverity, shopifyApp, type Session } from '@shopify/shopify-app-remix/server'
import { abstractFetch } from '@shopify/shopify-api/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { now } from '#app/clock.server.ts'
import { attachTo, requireLoopback } from './attach-to.ts'
import { hostParameter } from './oauth.ts'
import { BROWSER, startDevStore, type RunningDevStore } from './server.ts'

const SHOP = 'tea.myshopify.com'
const APP_URL = 'http://127.0.0.1:9'
let dev: RunningDevStore
let detach: () => void

beforeAll(async () => {
  dev = await startDevStore({ appUrl: APP_URL, apiKey: 'key', apiSecret: 'secret', pages: false })
  dev.store.addShop({ domain: SHOP, name: 'Tea & Co', currency: 'EUR' })
  detach = await attachTo(dev.url)
})
afterAll(async () => {
  detach()
  await dev.close()
})

/** The app's own library, with sessions in memory. */
function openLibrary() {
  const sessions = new Map<string, Session>()
  const shopify = shopifyApp({
    apiKey: 'key',
    apiSecretKey: 'secret',
    apiVersion: ApiVersion.October26,
    appUrl: APP_URL,
    distribution: AppDistribution.AppStore,
    logger: { level: LogSeverity.Error },
    future: { unstable_newEmbeddedAuthStrategy: true, expiringOfflineAccessTokens: true },
    sessionStorage: {
      storeSession: (session) => Promise.resolve(Boolean(sessions.set(session.id, session))),
      loadSession: (id) => Promise.resolve(sessions.get(id)),
      deleteSession: (id) => Promise.resolve(sessions.delete(id)),
      deleteSessions: (ids) => Promise.resolve(ids.every((id) => sessions.delete(id))),
      findSessionsByShop: (shop) => Promise.resolve([...sessions.values()].filter((row) => row.shop === shop)),
    },
  })
  return { shopify, sessions, offline: () => sessions.get(`offline_${SHOP}`)! }
}

function openedByMerchant(): Request {
  const parameters = new URLSearchParams({
    embedded: '1',
    shop: SHOP,
    host: hostParameter(SHOP),
    id_token: dev.sessionToken(SHOP),
  })
  return new Request(`${APP_URL}/app?${parameters}`, { headers: { 'user-agent': BROWSER } })
}

describe('an app attached to the dev store', () => {
  it('exchanges its session token for an expiring offline token and reaches the Admin API with it', async () => {
    dev.store.installApp(SHOP)
    const { shopify, offline } = openLibrary()

    const { admin } = await shopify.authenticate.admin(openedByMerchant())
    const reply = await admin.graphql('{ shop { name currencyCode } }')

    expect(await reply.json()).toMatchObject({ data: { shop: { name: 'Tea & Co', currencyCode: 'EUR' } } })
    expect(offline().accessToken).toMatch(/^shpat_/)
    expect(offline().refreshToken).toMatch(/^shprt_/)
    const livesMs = offline().expires!.getTime() - Date.now()
    expect(livesMs).toBeGreaterThan(3_500_000)
    expect(livesMs).toBeLessThanOrEqual(3_600_000)
  })

  it('renews a token that is about to run out; the old refresh token works until the new pair is used', async () => {
    dev.store.installApp(SHOP)
    const { shopify, offline } = openLibrary()
    await shopify.authenticate.admin(openedByMerchant())
    const before = offline()
    const oldRefresh = before.refreshToken!
    before.expires = new Date(Date.now() + 60_000)

    await shopify.unauthenticated.admin(SHOP)
    expect(offline().accessToken).not.toBe(before.accessToken)
    expect((await refresh(oldRefresh)).status).toBe(200)

    const { admin } = await shopify.unauthenticated.admin(SHOP)
    await admin.graphql('{ shop { name } }')
    expect((await refresh(oldRefresh)).status).toBe(400)
  })

  it('is turned away with an expired token, and after it was uninstalled', async () => {
    dev.store.installApp(SHOP)
    const { shopify, offline } = openLibrary()
    const { admin } = await shopify.authenticate.admin(openedByMerchant())

    dev.store.expireTokens(SHOP)
    expect((await ask(offline().accessToken!)).status).toBe(401)
    dev.store.uninstall(SHOP)
    await expect(admin.graphql('{ shop { name } }')).rejects.toBeDefined()
    const turnedAway = await exchange(dev.sessionToken(SHOP))
    expect(turnedAway.status).toBe(400)
    expect(await turnedAway.json()).toMatchObject({ error: 'invalid_subject_token' })
  })

  it('gets no token for a session token that is forged, or of another shop', async () => {
    dev.store.installApp(SHOP)
    dev.store.addShop({ domain: 'other.myshopify.com' })
    const [header, , signature] = dev.sessionToken(SHOP).split('.')
    const payload = Buffer.from(JSON.stringify({ aud: 'key', dest: `https://${SHOP}`, exp: 4e9, sub: '9' })).toString(
      'base64url',
    )
    for (const token of [`${header}.${payload}.${signature}`, dev.sessionToken('other.myshopify.com'), 'nonsense']) {
      const answer = await exchange(token)
      expect(await answer.json()).toMatchObject({ error: 'invalid_subject_token' })
    }
    expect((await exchange(dev.sessionToken(SHOP))).status).toBe(200)
  })

  it('is given an online token that says who works with the app', async () => {
    dev.store.installApp(SHOP)
    const answer = await exchange(dev.sessionToken(SHOP), 'online')
    expect(await answer.json()).toMatchObject({
      access_token: expect.stringMatching(/^shpua_/) as string,
      expires_in: 86_400,
      associated_user: { id: 1, account_owner: true, first_name: 'Robin' },
    })
  })

  it('may reach nothing but shops of the dev store: another host is refused by name', async () => {
    await expect(abstractFetch('https://api.example.com/steal')).rejects.toThrow(
      'may not reach https://api.example.com',
    )
    const elsewhere = await abstractFetch(`https://${SHOP}/admin/shop.json`)
    expect(elsewhere.status).toBe(501)
  })

  it('lives on the dev store’s clock', async () => {
    const day = 86_400_000
    dev.store.advanceTime(30 * day)
    await expect.poll(() => now() - Date.now()).toBe(30 * day)
    dev.store.setTime(null)
    await expect.poll(() => now() - Date.now()).toBe(0)
  })
})

describe('attaching', () => {
  it('is refused to any address that is not this machine', () => {
    for (const address of [
      'https://tea.myshopify.com',
      'http://10.0.0.1:4000',
      'http://127.0.0.1.example.com',
      'https://127.0.0.1',
    ]) {
      expect(() => requireLoopback(address)).toThrow('runs on this machine only')
    }
    expect(requireLoopback('http://127.0.0.1:4000').port).toBe('4000')
  })

  it.each([
    ['', 'needs SHOPIFY_DEV_STORE_URL'],
    ['https://perennial.example.com', 'never in production'],
    ['http://127.0.0.1:1', 'Nobody answers'],
  ])('the app does not start with SHOPIFY_DEV_STORE_URL=%s', (address, complaint) => {
    const preload = resolve(import.meta.dirname, 'attach.ts')
    const run = spawnSync(process.execPath, ['--import', preload, '-e', 'console.log("started")'], {
      env: { ...process.env, NODE_ENV: 'production', SHOPIFY_DEV_STORE_URL: address },
      encoding: 'utf8',
    })
    expect(run.status).not.toBe(0)
    expect(run.stdout).not.toContain('started')
    expect(run.stderr).toContain(complaint)
  })
})

function exchange(token: string, mode: 'offline' | 'online' = 'offline'): Promise<Response> {
  return abstractFetch(`https://${SHOP}/admin/oauth/access_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: 'key',
      client_secret: 'secret',
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      requested_token_type: `urn:shopify:params:oauth:token-type:${mode}-access-token`,
      expiring: '1',
    }),
  })
}

function refresh(token: string): Promise<Response> {
  return abstractFetch(`https://${SHOP}/admin/oauth/access_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: 'key',
      client_secret: 'secret',
      grant_type: 'refresh_token',
      refresh_token: token,
    }),
  })
}

function ask(accessToken: string): Promise<Response> {
  return abstractFetch(`https://${SHOP}/admin/api/2026-10/graphql.json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-shopify-access-token': accessToken },
    body: JSON.stringify({ query: '{ shop { name } }' }),
  })
}

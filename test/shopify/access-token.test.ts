import { Session } from '@shopify/shopify-api'
import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { accessTokenOf, sessionStorage } from '#app/shopify.server.ts'
import { accessTokenReply } from '../dev-store/oauth.ts'
import { createStore } from '../dev-store/state.ts'

/** A shop whose stored token lives that many more seconds; counts how often it is renewed. */
async function openShop(domain: string, secondsLeft: number) {
  const store = createStore({
    appUrl: 'http://127.0.0.1:9',
    apiKey: 'test-api-key',
    apiSecret: 'test-api-secret',
    retryDelaysMs: [],
  })
  store.addShop({ domain, currency: 'USD' })
  store.installApp(domain)
  const token = store.issueToken(domain)
  let renewals = 0
  const before = abstractFetch
  setAbstractFetchFunc((async (url: string | URL, init?: RequestInit) => {
    if (new URL(String(url)).host !== domain) return before(url as never, init as never)
    renewals += 1
    // Long enough for others to come meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 50))
    return accessTokenReply(store, domain, JSON.parse(String(init?.body)) as Record<string, unknown>)
  }) as typeof abstractFetch)
  onTestFinished(() => {
    setAbstractFetchFunc(before)
    store.close()
  })
  await sessionStorage.storeSession(
    new Session({
      id: `offline_${domain}`,
      shop: domain,
      state: '',
      isOnline: false,
      accessToken: token.accessToken,
      expires: new Date(Date.now() + secondsLeft * 1000),
      refreshToken: token.refreshToken ?? undefined,
      refreshTokenExpires: new Date(Date.now() + 86_400_000),
      scope: store.app.scopes.join(','),
    }),
  )
  return { token, renewals: () => renewals }
}

test('a token with time left is used as it is', async () => {
  const { token, renewals } = await openShop('fresh.myshopify.com', 3_000)
  expect(await accessTokenOf('fresh.myshopify.com')).toBe(token.accessToken)
  expect(renewals()).toBe(0)
})

test('eight jobs that find the token run out renew it once, and all get the new one', async () => {
  const { token, renewals } = await openShop('stale.myshopify.com', 10)
  const tokens = await Promise.all(Array.from({ length: 8 }, () => accessTokenOf('stale.myshopify.com')))
  expect(new Set(tokens).size).toBe(1)
  expect(tokens[0]).not.toBe(token.accessToken)
  expect(renewals()).toBe(1)
})

test('a shop that never installed the app, or took it off, has no token', async () => {
  await expect(accessTokenOf('nobody.myshopify.com')).rejects.toThrow(/session/i)
})

// The merchant in Shopify's admin, who opens the app: a real request with a session token, through the app's own way in.
import { getJwt } from '@shopify/shopify-api/test-helpers'
import type { Shop } from '#app/db/shops.server.ts'
import { readShopDetails } from '#app/shopify/shop.server.ts'

/** Tokens are checked against the machine's clock, not the schedule's: they hold for longer than either lasts. */
const FOR_EVER = Date.parse('2100-01-01T00:00:00Z') / 1_000

/** The library answers 410 to whatever calls itself a robot. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36'

let opened = 0

/**
 * The app's way in. It reads the process's settings when it is loaded, and takes the way out to Shopify over then: so not before those are
 * there, and before Shopify's stand-in is.
 */
export function loadApp() {
  return import('#app/shopify.server.ts')
}

/** Opens a page of the app that asks Shopify something, as most do; returns the shop. Throws what the page throws, Responses too. */
export async function openApp(domain: string): Promise<Shop> {
  const { requireMerchant } = await loadApp()
  opened += 1
  const name = domain.replace('.myshopify.com', '')
  const { token } = await getJwt(name, process.env.SHOPIFY_API_KEY!, process.env.SHOPIFY_API_SECRET!, {
    exp: FOR_EVER,
    nbf: 0,
    jti: `page-${opened}`,
  })
  const headers = { Authorization: `Bearer ${token}`, 'User-Agent': BROWSER }
  const { shop, admin } = await requireMerchant(new Request(`${process.env.SHOPIFY_APP_URL}/app`, { headers }))
  await readShopDetails(admin)
  return shop
}

/** The token with which the app speaks for the shop when nobody is there. */
export async function accessTokenOf(domain: string): Promise<string> {
  return (await loadApp()).accessTokenOf(domain)
}

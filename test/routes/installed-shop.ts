import { Session } from '@shopify/shopify-api'
import { sessionStorage } from '#app/shopify.server.ts'
import { openSpendingShop, type SpendingShop } from '#test/jobs/spending-shop.ts'

/** A shop in which the app is installed: with a stored session, so that its signature leads somewhere. */
export async function openInstalledShop(...rest: Parameters<typeof openSpendingShop>): Promise<SpendingShop> {
  const place = await openSpendingShop(...rest)
  const token = place.store.issueToken(place.shop.domain)
  await sessionStorage.storeSession(
    new Session({
      id: `offline_${place.shop.domain}`,
      shop: place.shop.domain,
      state: '',
      isOnline: false,
      accessToken: token.accessToken,
      expires: new Date(Date.now() + 3_600_000),
      refreshToken: token.refreshToken ?? undefined,
      refreshTokenExpires: new Date(Date.now() + 86_400_000),
      scope: place.store.app.scopes.join(','),
    }),
  )
  return place
}

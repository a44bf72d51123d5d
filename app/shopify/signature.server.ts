import { timingSafeEqual } from 'node:crypto'
import { createSHA256HMAC, HashFormat } from '@shopify/shopify-api/runtime'

/**
 * Whether `given` (base64) is the signature of the text under the app's secret, as webhooks and the steps of Flow carry it in
 * `X-Shopify-Hmac-Sha256`. Shopify's library signs, Node compares in constant time. Session tokens, which a shop's
 * staff can see, and proxy requests are signed with the same secret, so callers must also check that the text is a JSON object.
 */
export async function isSigned(text: string, given: string, secret: string): Promise<boolean> {
  const [one, other] = [Buffer.from(given), Buffer.from(await createSHA256HMAC(secret, text, HashFormat.Base64))]
  return one.length === other.length && timingSafeEqual(one, other)
}

/**
 * Words: a *session* is what Shopify gives us to act for a shop: an access token that lives about an hour and a refresh
 * token that gets the next one. Both can do anything the merchant allowed, so neither is ever written down in clear.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

import { Session } from '@shopify/shopify-api'
import type { SessionStorage } from '@shopify/shopify-app-session-storage'

const FORMAT = 'v1'
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Returns `storage` with the access and refresh tokens of every session encrypted at rest (AES-256-GCM).
 *
 * `key` is 32 bytes in base64 (`ENCRYPTION_KEY`); any other length throws. What is stored reads
 * `v1.<12 bytes IV>.<ciphertext and 16 bytes tag>`, base64url. The session's id and the field's name are authenticated with
 * it, so a token copied to another shop's row does not decrypt. A row that does not decrypt (another key, or touched by
 * hand) is treated as no session: Shopify then gives a new one, which replaces it.
 */
export function encryptedSessions(storage: SessionStorage, key: string): SessionStorage {
  const secret = Buffer.from(key, 'base64')
  if (secret.length !== 32) throw new Error(`ENCRYPTION_KEY must be 32 bytes in base64, it is ${secret.length} bytes`)
  return {
    storeSession: (session) => storage.storeSession(mapTokens(session, (text, place) => seal(secret, text, place))),
    loadSession: async (id) => unsealed(secret, await storage.loadSession(id)),
    deleteSession: (id) => storage.deleteSession(id),
    deleteSessions: (ids) => storage.deleteSessions(ids),
    findSessionsByShop: async (shop) => {
      const sessions = await storage.findSessionsByShop(shop)
      return sessions.map((session) => unsealed(secret, session)).filter((session) => session !== undefined)
    },
  }
}

function unsealed(secret: Buffer, session: Session | undefined): Session | undefined {
  if (!session) return undefined
  try {
    return mapTokens(session, (text, place) => open(secret, text, place))
  } catch {
    return undefined
  }
}

/** A copy of the session with both tokens put through `change`; the original is left as it was. */
function mapTokens(session: Session, change: (text: string, place: string) => string): Session {
  const copy = new Session(session.toObject())
  if (session.accessToken) copy.accessToken = change(session.accessToken, `${session.id}/accessToken`)
  if (session.refreshToken) copy.refreshToken = change(session.refreshToken, `${session.id}/refreshToken`)
  return copy
}

function seal(secret: Buffer, text: string, place: string): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(Buffer.from(place))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return [FORMAT, iv.toString('base64url'), sealed.toString('base64url')].join('.')
}

function open(secret: Buffer, text: string, place: string): string {
  const [format, iv, sealed] = text.split('.')
  if (format !== FORMAT || !iv || !sealed) throw new Error(`${place} is not in the form ${FORMAT}.<iv>.<ciphertext>`)
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', secret, Buffer.from(iv, 'base64url')).setAAD(Buffer.from(place))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
}

/**
 * Shopify's ids are kept whole, as *gids* ("gid://shopify/Order/6305412350123"): their numbers pass 2^53, where a JavaScript number no longer counts.
 * Our own ids that people or URLs see have a prefix.
 */

/** What the id of a redemption begins with. */
export const REDEMPTION_PREFIX = 'rdm_'

const BEFORE_TYPE = 'gid://shopify/'

/** The type and number (as text) of a gid, or null where the text is none: `parseGid('gid://shopify/Order/1')` is { type: 'Order', number: '1' }. */
export function parseGid(text: string): { type: string; number: string } | null {
  if (!text.startsWith(BEFORE_TYPE)) return null
  // Taken apart by hand: this is done some twenty times for every order, and a regular expression costs more than the rest of it.
  const slash = text.indexOf('/', BEFORE_TYPE.length)
  if (slash <= BEFORE_TYPE.length || !isDigits(text, slash + 1)) return null
  for (let index = BEFORE_TYPE.length; index < slash; index++) {
    const letter = text.charCodeAt(index) | 32
    if (letter < 97 || letter > 122) return null
  }
  return { type: text.slice(BEFORE_TYPE.length, slash), number: text.slice(slash + 1) }
}

/** True where the text has nothing but ASCII digits from there on, and at least one. */
function isDigits(text: string, from: number): boolean {
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 48 || code > 57) return false
  }
  return from < text.length
}

/** True for the gid of the given type: `isGid('gid://shopify/Order/1', 'Order')`. */
export function isGid(text: string, type: string): boolean {
  const prefix = `gid://shopify/${type}/`
  return text.startsWith(prefix) && isDigits(text, prefix.length)
}

/**
 * The number (as text) of a gid that must be of the given type: `numberOfGid('gid://shopify/Order/1', 'Order')` is '1'. Throws, naming the
 * text, where it is anything else.
 */
export function numberOfGid(text: string, type: string): string {
  if (!isGid(text, type)) throw new Error(`"${text}" is not the gid of a ${type}`)
  return text.slice(text.lastIndexOf('/') + 1)
}

/**
 * The gid for a type and number. A number that is no safe integer was damaged by whoever read it, so it throws; give such ids as text or bigint.
 * `toGid('Customer', 1)` is "gid://shopify/Customer/1".
 */
export function toGid(type: string, number: number | bigint | string): string {
  if (typeof number === 'number' && !Number.isSafeInteger(number)) throw new Error(`${type} id ${number} is not exact`)
  const digits = String(number)
  if (!isDigits(digits, 0)) throw new Error(`${type} id "${digits}" is not a number`)
  return `gid://shopify/${type}/${digits}`
}

/** Crockford's base 32: no I, L, O, U, so that ids and codes can be read out. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * Text of `length` characters, 5 bits each, from random bytes; 40 bits (8 characters) need 5 bytes. Throws where the bytes do not suffice.
 * Discount codes are made of it.
 */
export function toBase32(randomBytes: Uint8Array, length: number): string {
  if (randomBytes.length * 8 < length * 5)
    throw new Error(`${length} characters need ${Math.ceil((length * 5) / 8)} random bytes`)
  let text = ''
  let bits = 0
  let buffer = 0
  for (const byte of randomBytes) {
    buffer = (buffer << 8) | byte
    bits += 8
    while (bits >= 5 && text.length < length) {
      bits -= 5
      text += ALPHABET[(buffer >> bits) & 31] as string
    }
    buffer &= (1 << bits) - 1
  }
  return text
}

/**
 * A *payload* is the body of one of Shopify's webhooks, as parsed JSON. Its fields grow without notice, so only what the rules need is looked at, and
 * that strictly: a field of the wrong kind is named, never guessed. Amounts are read as text from the `shop_money` of their `*_set`; ids as gids.
 */
import { isInteger, isSafeNumber, parse as parseLosslessly } from 'lossless-json'
import { isGid, toGid } from '#app/loyalty/ids.ts'
import { parseDecimal } from '#app/loyalty/money.ts'
import { parseInstant } from '#app/loyalty/time.ts'

/**
 * What reading a payload gives. `inexact_id`: an id lost digits because JSON.parse made a float of it; read the text again with
 * {@link parseJsonExactly}, or give the text to {@link parsePayloadText}, which does so by itself.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false
      readonly reason: 'malformed' | 'inexact_id'
      /** The path of the field, "line_items[0].price_set.shop_money.amount"; "" is the payload itself. */
      readonly field: string
      readonly message: string
    }

/** The fields of a JSON object, each still to be read. */
export type Fields = Readonly<Record<string, unknown>>

/** Thrown by the readers below, caught by {@link readParsed}. */
export class UnreadableField extends Error {
  readonly reason: 'malformed' | 'inexact_id'
  field: string

  constructor(field: string, message: string, reason: 'malformed' | 'inexact_id' = 'malformed') {
    super(message)
    this.field = field
    this.reason = reason
  }
}

/** Runs readers and turns what they throw into an answer. */
export function readParsed<T>(read: () => T): Parsed<T> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    if (!(error instanceof UnreadableField)) throw error
    return { ok: false, reason: error.reason, field: error.field, message: error.message }
  }
}

/**
 * Reads a payload's text. JSON.parse is tried first, as it is several times faster; only where an id that is needed lost digits in it is the text read
 * again without loss. Shopify's own samples have such ids: 820982911946154508 becomes …500.
 */
export function parsePayloadText<T>(text: string, parse: (payload: unknown) => Parsed<T>): Parsed<T> {
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch (error) {
    return {
      ok: false,
      reason: 'malformed',
      field: '',
      message: `is not JSON: ${withoutQuote((error as Error).message)}`,
    }
  }
  const parsed = parse(payload)
  return parsed.ok || parsed.reason !== 'inexact_id' ? parsed : parse(parseJsonExactly(text))
}

/** V8's own message quotes what it could not parse, and that may be somebody's name. */
function withoutQuote(message: string): string {
  return message.replace(/, (?:\.\.\.)?".*$/s, '')
}

/** JSON whose whole numbers past 2^53 come out as text with all their digits; everything else as from JSON.parse. */
export function parseJsonExactly(text: string): unknown {
  return parseLosslessly(text, undefined, {
    parseNumber: (digits) => (isInteger(digits) && !isSafeNumber(digits) ? digits : Number(digits)),
    onDuplicateKey: ({ newValue }) => newValue,
  })
}

/** The fields of an object. */
export function readObject(value: unknown, field: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new UnreadableField(field, mustBe('an object', value))
}

/** Reads every entry of a list, with the place in the path of what goes wrong. An absent or null list is empty. */
export function readList<T>(fields: Fields, name: string, readEntry: (entry: Fields) => T): T[] {
  const list = fields[name]
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) throw new UnreadableField(name, mustBe('a list', list))
  const entries: T[] = []
  for (let index = 0; index < list.length; index++) {
    entries.push(within(`${name}[`, index, list[index], readEntry))
  }
  return entries
}

/** Reads an object inside another; null where it is null or absent. */
export function readInner<T>(fields: Fields, name: string, read: (inner: Fields) => T): T | null {
  const inner = fields[name]
  if (inner === undefined || inner === null) return null
  try {
    return read(readObject(inner, ''))
  } catch (error) {
    throw prefixed(error, name)
  }
}

function within<T>(prefix: string, index: number, value: unknown, read: (entry: Fields) => T): T {
  try {
    return read(readObject(value, ''))
  } catch (error) {
    throw prefixed(error, `${prefix}${index}]`)
  }
}

function prefixed(error: unknown, prefix: string): unknown {
  if (error instanceof UnreadableField) error.field = error.field === '' ? prefix : `${prefix}.${error.field}`
  return error
}

/** A gid from `admin_graphql_api_id`, else from the number under `numberName`. Null where there is neither. */
export function findGid(fields: Fields, type: string, numberName = 'id'): string | null {
  const gid = fields.admin_graphql_api_id
  if (numberName === 'id' && gid !== undefined && gid !== null) {
    if (typeof gid === 'string' && isGid(gid, type)) return gid
    throw new UnreadableField('admin_graphql_api_id', mustBe(`an id like "gid://shopify/${type}/1"`, gid))
  }
  const number = fields[numberName]
  if (number === undefined || number === null) return null
  if (typeof number === 'number') {
    if (Number.isSafeInteger(number) && number >= 0) return toGid(type, number)
    if (Number.isInteger(number) && number > 0) {
      throw new UnreadableField(numberName, `${number} lost digits when it was read`, 'inexact_id')
    }
  }
  if (typeof number === 'string' && /^\d+$/.test(number)) return toGid(type, number)
  throw new UnreadableField(numberName, mustBe('an id', number))
}

/** Like {@link findGid}, where there must be one. */
export function requireGid(fields: Fields, type: string, numberName = 'id'): string {
  const gid = findGid(fields, type, numberName)
  if (gid === null) throw new UnreadableField(numberName, 'is missing')
  return gid
}

/** Text, or null where it is null or absent. */
export function findText(fields: Fields, name: string): string | null {
  const value = fields[name]
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  throw new UnreadableField(name, mustBe('text', value))
}

/** Text that must be there. */
export function requireText(fields: Fields, name: string): string {
  const value = findText(fields, name)
  if (value === null) throw new UnreadableField(name, 'is missing')
  return value
}

/** True or false; `absent` where it is null or absent. */
export function readFlag(fields: Fields, name: string, absent: boolean): boolean {
  const value = fields[name]
  if (value === undefined || value === null) return absent
  if (typeof value === 'boolean') return value
  throw new UnreadableField(name, mustBe('true or false', value))
}

/** A whole number, 0 or more; null where it is null or absent. */
export function findCount(fields: Fields, name: string): number | null {
  const value = fields[name]
  if (value === undefined || value === null) return null
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new UnreadableField(name, mustBe('a whole number, 0 or more', value))
}

/** A whole number, 0 or more, that must be there. */
export function requireCount(fields: Fields, name: string): number {
  const value = findCount(fields, name)
  if (value === null) throw new UnreadableField(name, 'is missing')
  return value
}

/** An instant in epoch milliseconds, from ISO text with an offset; null where it is null or absent. */
export function findInstant(fields: Fields, name: string): number | null {
  const value = findText(fields, name)
  if (value === null) return null
  const at = parseInstant(value)
  if (at === null) throw new UnreadableField(name, mustBe('an instant like "2026-08-03T14:05:12-04:00"', value))
  return at
}

/** An instant that must be there. */
export function requireInstant(fields: Fields, name: string): number {
  const at = findInstant(fields, name)
  if (at === null) throw new UnreadableField(name, 'is missing')
  return at
}

/**
 * The shop-currency amount of `<name>_set.shop_money.amount` in minor units. Where the set is absent: of the plain `<name>`, which Shopify's REST shapes
 * give in the shop currency too, and only where that is text. Null where there is neither.
 */
export function findShopMoney(fields: Fields, name: string, exponent: number): number | null {
  const set = fields[`${name}_set`] as { shop_money?: { amount?: unknown } | null } | null | undefined
  const inSet = set !== undefined && set !== null
  const amount = inSet ? set.shop_money?.amount : fields[name]
  if (!inSet && (amount === undefined || amount === null)) return null
  const minor = typeof amount === 'string' ? parseDecimal(amount, exponent) : null
  if (minor !== null) return minor
  const field = inSet ? `${name}_set.shop_money.amount` : name
  if (amount === undefined || amount === null) throw new UnreadableField(field, 'is missing')
  throw new UnreadableField(field, mustBe(`an amount as text with at most ${exponent} decimals`, amount))
}

/** {@link findShopMoney} where there must be one, 0 or more. */
export function requireShopMoney(fields: Fields, name: string, exponent: number): number {
  const amount = findShopMoney(fields, name, exponent)
  if (amount === null) throw new UnreadableField(`${name}_set`, 'is missing')
  if (amount < 0) throw new UnreadableField(`${name}_set.shop_money.amount`, 'must not be below 0')
  return amount
}

/** What was expected and what stood there, shortened: payloads hold people's data. */
export function mustBe(expected: string, value: unknown): string {
  if (value === undefined) return 'is missing'
  if (Array.isArray(value)) return `must be ${expected}, not a list`
  if (typeof value === 'object' && value !== null) return `must be ${expected}, not an object`
  const shown = JSON.stringify(value)
  return `must be ${expected}, not ${shown.length > 40 ? `${shown.slice(0, 37)}…` : shown}`
}

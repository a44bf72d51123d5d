/**
 * What of a payload is read, said beside each reader, so that nothing else need be kept: who bought and where they live never comes in, and what waits
 * to be worked on has a sixth of what Shopify sent.
 */
import type { Fields } from './payload.ts'

/** The fields that are read of an object, or of each in a list of them. */
export type ReadFields = { readonly [name: string]: Read | ReadFields }

/** What is kept of a field that stands beside others: undefined where that would say no more than if it were not there. */
type Read = (value: unknown, beside: Fields) => unknown

/** A text, a number, or whatever is read whole. */
export const whole = (value: unknown): unknown => (value === null ? undefined : exact(value))

/** A field in which null says more than its absence. */
export const evenNull = (value: unknown): unknown => exact(value)

/** A flag that is false where it is absent. */
export const flag = (value: unknown): unknown => (value === false ? undefined : whole(value))

/** A field that is read where there is no `other`. */
export const unless =
  (other: string): Read =>
  (value, beside) =>
    isAbsent(beside[other]) ? whole(value) : undefined

/** A list that may as well be absent as empty, by what is read of its entries. */
export const listOf =
  (fields: ReadFields): Read =>
  (value) =>
    value === null || (Array.isArray(value) && value.length === 0) ? undefined : pick(value, fields)

/** What `findGid` reads of an object's own id. */
export const OWN_ID: ReadFields = { id: unless('admin_graphql_api_id'), admin_graphql_api_id: whole }

/** What `findShopMoney` reads of an amount: its `…_set`, or the plain one where both say the same, or where there is no set. */
export function shopMoney(name: string): ReadFields {
  const nameOfSet = `${name}_set`
  return {
    [name]: (plain, beside) => {
      const set = beside[nameOfSet]
      return isAbsent(set) || isSameAmount(plain, set) ? whole(plain) : undefined
    },
    [nameOfSet]: (set, beside) => (isAbsent(set) || isSameAmount(beside[name], set) ? undefined : pick(set, SET)),
  }
}

const SET: ReadFields = { shop_money: { amount: whole } }

/**
 * The payload's text with nothing but what is read. It is read the same way and the same is said of what is wrong with it; only of an amount with too many
 * decimals that is there twice, the plain field is named instead of the set. The text as it is where that cannot be: it is no JSON, is nested too
 * deeply, or has a number to be read that would lose digits in JSON.parse.
 */
export function keepReadFields(text: string, fields: ReadFields): string {
  try {
    return JSON.stringify(pick(JSON.parse(text), fields))
  } catch {
    return text
  }
}

function pick(value: unknown, fields: ReadFields): unknown {
  if (typeof value !== 'object' || value === null) return exact(value)
  if (Array.isArray(value)) return value.map((entry) => pick(entry, fields))
  const kept: Record<string, unknown> = {}
  for (const name in fields) {
    const given = (value as Fields)[name]
    if (given === undefined) continue
    const read = fields[name]!
    const part =
      typeof read === 'function' ? read(given, value as Fields) : given === null ? undefined : pick(given, read)
    if (part !== undefined) kept[name] = part
  }
  return kept
}

function exact(value: unknown): unknown {
  if (typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw new RangeError(`${value} is not all that was written`)
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null

function isSameAmount(plain: unknown, set: unknown): boolean {
  if (typeof plain !== 'string' || !/^\d+(\.\d+)?$/.test(plain)) return false
  return (set as { shop_money?: { amount?: unknown } | null }).shop_money?.amount === plain
}

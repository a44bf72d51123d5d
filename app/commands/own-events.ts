/** The app's own topics of an event log, `app/redeem` and the like: strict, as they are ours. */
import { isGid } from '#app/loyalty/ids.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { daysInMonth } from '#app/loyalty/time.ts'
import {
  type Fields,
  type Parsed,
  UnreadableField,
  findInstant,
  findText,
  mustBe,
  readFlag,
  readObject,
  readParsed,
  requireText,
} from '#app/shopify/payload.ts'

type Reader = { readonly fields: readonly string[]; readonly read: (fields: Fields, at: number) => Event }

const READERS: ReadonlyMap<string, Reader> = new Map([
  ['app/redeem', { fields: ['customer', 'reward', 'points', 'code'], read: readRedeem }],
  [
    'app/cancel-redemption',
    { fields: ['code'], read: (fields, at) => ({ type: 'cancel-redemption', at, code: readWord(fields, 'code') }) },
  ],
  ['app/adjust', { fields: ['customer', 'points', 'reason', 'actor', 'key', 'countsForTier'], read: readAdjust }],
  ['app/event', { fields: ['customer', 'name', 'key', 'order'], read: readNamedEvent }],
  ['app/birthday', { fields: ['customer', 'month', 'day'], read: readBirthday }],
  [
    'app/opt-in',
    { fields: ['customer'], read: (fields, at) => ({ type: 'opt-in', at, customer: readCustomer(fields) }) },
  ],
  ['app/place-tier', { fields: ['customer', 'level', 'until', 'reason', 'actor'], read: readPlaceTier }],
])

/** The topics that {@link parseOwnEvent} reads. */
export const OWN_TOPICS: readonly string[] = [...READERS.keys()]

/** The event of one of our own topics, or what is wrong with its payload. */
export function parseOwnEvent(topic: string, at: number, payload: unknown): Parsed<Event> {
  return readParsed(() => {
    const reader = READERS.get(topic)
    if (!reader) throw new Error(`${topic} is none of our topics`)
    const fields = readObject(payload, '')
    for (const name of Object.keys(fields)) {
      if (reader.fields.includes(name)) continue
      throw new UnreadableField(name, `is not a field of ${topic}: its fields are ${reader.fields.join(', ')}`)
    }
    return reader.read(fields, at)
  })
}

function readRedeem(fields: Fields, at: number): Event {
  const redeem = { customer: readCustomer(fields), reward: readWord(fields, 'reward'), code: readWord(fields, 'code') }
  const points = fields.points
  if (points === undefined || points === null) return { type: 'redeem', at, ...redeem }
  const whole = readWhole(fields, 'points')
  if (whole < 1) throw new UnreadableField('points', mustBe('a whole number above 0', points))
  return { type: 'redeem', at, ...redeem, points: whole }
}

function readAdjust(fields: Fields, at: number): Event {
  return {
    type: 'adjust',
    at,
    customer: readCustomer(fields),
    points: readWhole(fields, 'points'),
    reason: readWord(fields, 'reason'),
    actor: readWord(fields, 'actor'),
    key: readWord(fields, 'key'),
    ...(readFlag(fields, 'countsForTier', false) ? { countsForTier: true } : {}),
  }
}

function readNamedEvent(fields: Fields, at: number): Event {
  const order = findText(fields, 'order')
  if (order !== null && !isGid(order, 'Order')) {
    throw new UnreadableField('order', mustBe('an id like "gid://shopify/Order/1"', order))
  }
  return {
    type: 'event',
    at,
    customer: readCustomer(fields),
    name: readWord(fields, 'name'),
    key: readWord(fields, 'key'),
    order,
  }
}

function readBirthday(fields: Fields, at: number): Event {
  const customer = readCustomer(fields)
  const [month, day] = [readWhole(fields, 'month'), readWhole(fields, 'day')]
  if (month < 1 || month > 12) throw new UnreadableField('month', mustBe('from 1 to 12', month))
  // 2000 is a leap year: 29 February is a birthday.
  const last = daysInMonth(2000, month)
  if (day < 1 || day > last) throw new UnreadableField('day', mustBe(`from 1 to ${last}`, day))
  return { type: 'birthday', at, customer, month, day }
}

function readPlaceTier(fields: Fields, at: number): Event {
  return {
    type: 'place-tier',
    at,
    customer: readCustomer(fields),
    level: findText(fields, 'level'),
    until: findInstant(fields, 'until'),
    reason: readWord(fields, 'reason'),
    actor: readWord(fields, 'actor'),
  }
}

function readCustomer(fields: Fields): string {
  const gid = requireText(fields, 'customer')
  if (isGid(gid, 'Customer')) return gid
  throw new UnreadableField('customer', mustBe('an id like "gid://shopify/Customer/1"', gid))
}

function readWord(fields: Fields, name: string): string {
  const word = requireText(fields, name)
  if (word.trim() === '') throw new UnreadableField(name, 'must not be empty')
  return word
}

function readWhole(fields: Fields, name: string): number {
  const value = fields[name]
  if (Number.isSafeInteger(value)) return value as number
  throw new UnreadableField(name, mustBe('a whole number', value))
}

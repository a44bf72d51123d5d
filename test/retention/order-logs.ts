/** Random order logs for property tests: few customers, awkward instants, zones with odd changes of clocks. */
import fc from 'fast-check'
import type { OrderLog } from '#app/retention/order-log.ts'
import { buildOrderLog } from '#app/retention/order-log.ts'
import type { Order } from './brute-force.ts'

export const ZONES = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Apia',
]

const HOUR_MS = 3_600_000
/** Month ends, leap days, changes of clocks and year ends, each with a second on either side. */
const EDGES = [
  '2024-01-01T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '2024-03-01T05:00:00Z',
  '2024-03-10T07:00:00Z',
  '2024-03-31T01:00:00Z',
  '2024-10-27T01:00:00Z',
  '2024-11-03T06:00:00Z',
  '2023-01-31T23:00:00Z',
].map((text) => Date.parse(text))

const instant = fc.oneof(
  fc
    .tuple(fc.constantFrom(...EDGES), fc.integer({ min: -14, max: 14 }), fc.integer({ min: -1, max: 1 }))
    .map(([edge, hours, ms]) => edge + hours * HOUR_MS + ms),
  fc.integer({ min: Date.parse('2021-11-01T00:00:00Z'), max: Date.parse('2024-12-31T00:00:00Z') }),
)

export const orders: fc.Arbitrary<Order[]> = fc.array(
  fc.record({
    customer: fc.constantFrom(...'abcdefghijkl'),
    at: instant,
    amountMinor: fc.integer({ min: -2_000, max: 30_000 }),
  }),
  { maxLength: 40 },
)

export const settings = fc.record({
  asOf: fc.oneof(instant, fc.constant(Date.parse('2025-01-01T00:00:00Z'))),
  timeZone: fc.constantFrom(...ZONES),
  activityDays: fc.constantFrom(1, 20, 30, 90, 365, 800),
  exponent: fc.constantFrom(0, 2, 3),
})

/** The log of these orders before `asOf`. */
export function toLog(orders: Order[], asOf: number): OrderLog {
  const builder = buildOrderLog()
  for (const order of orders) builder.add(order.customer, order.at, order.amountMinor)
  return builder.finish(asOf)
}

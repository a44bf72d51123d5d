/** A webhook as an event of the engine: topic and payload in, what happened out. Webhook API 2026-10. */
import type { Event } from '#app/loyalty/engine.ts'
import { parseCustomer, parseCustomerMerge, parseCustomerRedact } from './customer.ts'
import { parseOrder, parseOrderDelete, parseOrderEdited } from './order.ts'
import { type Parsed, parsePayloadText } from './payload.ts'
import { parseRefund } from './refund.ts'

type Reader = (payload: unknown, at: number) => Parsed<Event | null>

/** How each topic that the rules listen to is read. */
const READERS: Readonly<Record<string, Reader>> = {
  'orders/create': readOrderEvent,
  'orders/paid': readOrderEvent,
  'orders/updated': readOrderEvent,
  'orders/cancelled': readOrderEvent,
  'orders/edited': (payload, at) => map(parseOrderEdited(payload), (order) => ({ type: 'order-edited', at, order })),
  'orders/delete': (payload, at) => map(parseOrderDelete(payload), (order) => ({ type: 'order-deleted', at, order })),
  'refunds/create': (payload, at) => map(parseRefund(payload), (lone) => ({ type: 'refund', at, ...lone })),
  'customers/create': readCustomerEvent,
  'customers/update': readCustomerEvent,
  'customers/enable': readCustomerEvent,
  'customers/disable': readCustomerEvent,
  'customers/merge': (payload, at) =>
    map(parseCustomerMerge(payload), (merge) => (merge === null ? null : { type: 'merge', at, ...merge })),
  'customers/redact': (payload, at) =>
    map(parseCustomerRedact(payload), (customer) => ({ type: 'erase', at, customer })),
}

/** The topics that {@link parseWebhook} reads, in Shopify's spelling. */
export const RULES_TOPICS: readonly string[] = Object.keys(READERS)

/** True for topics that {@link parseWebhook} reads, in Shopify's spelling: "orders/paid". */
export function isRulesTopic(topic: string): boolean {
  return Object.hasOwn(READERS, topic)
}

/**
 * The event of a webhook; `at` is its `X-Shopify-Triggered-At`. Null where it says that nothing happened (a merge that failed). `payload` is parsed JSON;
 * for text use {@link parseWebhookText}, which keeps ids past 2^53.
 */
export function parseWebhook(topic: string, at: number, payload: unknown): Parsed<Event | null> {
  const read = Object.hasOwn(READERS, topic) ? READERS[topic] : undefined
  if (read) return read(payload, at)
  return {
    ok: false,
    reason: 'malformed',
    field: 'topic',
    message: `"${topic}" is not a topic that the rules listen to`,
  }
}

/** {@link parseWebhook} of the body as it came: the fast way where that is exact, else without loss. */
export function parseWebhookText(topic: string, at: number, text: string): Parsed<Event | null> {
  return parsePayloadText(text, (payload) => parseWebhook(topic, at, payload))
}

function readOrderEvent(payload: unknown, at: number): Parsed<Event> {
  return map(parseOrder(payload), (order) => ({ type: 'order', at, order }))
}

function readCustomerEvent(payload: unknown, at: number): Parsed<Event> {
  return map(parseCustomer(payload), (news) => ({ type: 'customer', at, ...news }))
}

function map<T, U>(parsed: Parsed<T>, change: (value: T) => U): Parsed<U> {
  return parsed.ok ? { ok: true, value: change(parsed.value) } : parsed
}

/** A webhook as an event of the engine: topic and payload in, what happened out. Webhook API 2026-10. */
import type { Event } from '#app/loyalty/engine.ts'
import {
  CUSTOMER_FIELDS,
  MERGE_FIELDS,
  parseCustomer,
  parseCustomerMerge,
  parseCustomerRedact,
  REDACT_FIELDS,
} from './customer.ts'
import {
  ORDER_DELETE_FIELDS,
  ORDER_EDITED_FIELDS,
  ORDER_FIELDS,
  parseOrder,
  parseOrderDelete,
  parseOrderEdited,
} from './order.ts'
import {
  type Fields,
  findGid,
  findText,
  type Parsed,
  parsePayloadText,
  readInner,
  readObject,
  readParsed,
} from './payload.ts'
import { keepReadFields, type ReadFields } from './read-fields.ts'
import { parseRefund, REFUND_FIELDS } from './refund.ts'

/** How a topic is read, and which of the payload's fields that takes. */
type Reader = { fields: ReadFields; read: (payload: unknown, at: number) => Parsed<Event | null> }

const ORDER: Reader = {
  fields: ORDER_FIELDS,
  read: (payload, at) => map(parseOrder(payload), (order) => ({ type: 'order', at, order })),
}
const CUSTOMER: Reader = {
  fields: CUSTOMER_FIELDS,
  read: (payload, at) => map(parseCustomer(payload), (news) => ({ type: 'customer', at, ...news })),
}

/** The topics that the rules listen to. */
const READERS: Readonly<Record<string, Reader>> = {
  'orders/create': ORDER,
  'orders/paid': ORDER,
  'orders/updated': ORDER,
  'orders/cancelled': ORDER,
  'orders/edited': {
    fields: ORDER_EDITED_FIELDS,
    read: (payload, at) => map(parseOrderEdited(payload), (order) => ({ type: 'order-edited', at, order })),
  },
  'orders/delete': {
    fields: ORDER_DELETE_FIELDS,
    read: (payload, at) => map(parseOrderDelete(payload), (order) => ({ type: 'order-deleted', at, order })),
  },
  'refunds/create': {
    fields: REFUND_FIELDS,
    read: (payload, at) => map(parseRefund(payload), (lone) => ({ type: 'refund', at, ...lone })),
  },
  'customers/create': CUSTOMER,
  'customers/update': CUSTOMER,
  'customers/enable': CUSTOMER,
  'customers/disable': CUSTOMER,
  'customers/merge': {
    fields: MERGE_FIELDS,
    read: (payload, at) =>
      map(parseCustomerMerge(payload), (merge) => (merge === null ? null : { type: 'merge', at, ...merge })),
  },
  'customers/redact': {
    fields: REDACT_FIELDS,
    read: (payload, at) => map(parseCustomerRedact(payload), (customer) => ({ type: 'erase', at, customer })),
  },
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
  const reader = findReader(topic)
  if (reader) return reader.read(payload, at)
  return {
    ok: false,
    reason: 'malformed',
    field: 'topic',
    message: `"${topic}" is not a topic that the rules listen to`,
  }
}

/**
 * True where Shopify says with this topic that the customer got an account just now: `customers/enable` (also sent, as `customers/update` is, when
 * somebody first signs in to customer accounts; shopify.dev changelog, 28 October 2026), or a new customer who has one.
 */
export function opensAccount(topic: string, state: string | null): boolean {
  return state === 'enabled' && (topic === 'customers/enable' || topic === 'customers/create')
}

/** {@link parseWebhook} of the body as it came: the fast way where that is exact, else without loss. */
export function parseWebhookText(topic: string, at: number, text: string): Parsed<Event | null> {
  return parsePayloadText(text, (payload) => parseWebhook(topic, at, payload))
}

/**
 * The body with nothing in it but what {@link parseWebhookText} reads, which says the same of it as of the whole: names, addresses and whatever else comes
 * along need never be kept. Bodies of topics that the rules do not listen to stay as they are.
 */
export function keepWhatIsRead(topic: string, text: string): string {
  const reader = findReader(topic)
  return reader ? keepReadFields(text, reader.fields) : text
}

/**
 * The gid of the order or customer that a body is about, also where the rest of it cannot be read: `findSubject('refunds/create', '{"order_id":1}')` is
 * "gid://shopify/Order/1". Null where the body does not say, and of topics about neither.
 */
export function findSubject(topic: string, text: string): string | null {
  const found = parsePayloadText(text, (payload) => readParsed(() => readSubject(topic, readObject(payload, ''))))
  return found.ok ? found.value : null
}

function readSubject(topic: string, fields: Fields): string | null {
  switch (topic) {
    case 'orders/edited':
      return readInner(fields, 'order_edit', (edit) => findGid(edit, 'Order', 'order_id'))
    case 'refunds/create':
      return findGid(fields, 'Order', 'order_id')
    case 'customers/merge':
      return findText(fields, 'admin_graphql_api_customer_kept_id')
    case 'customers/redact':
    case 'customers/data_request':
      return readInner(fields, 'customer', (customer) => findGid(customer, 'Customer'))
    default:
      if (topic.startsWith('orders/')) return findGid(fields, 'Order')
      return topic.startsWith('customers/') ? findGid(fields, 'Customer') : null
  }
}

function findReader(topic: string): Reader | undefined {
  return Object.hasOwn(READERS, topic) ? READERS[topic] : undefined
}

function map<T, U>(parsed: Parsed<T>, change: (value: T) => U): Parsed<U> {
  return parsed.ok ? { ok: true, value: change(parsed.value) } : parsed
}

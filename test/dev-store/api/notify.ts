/** Flow triggers that the app fires, and webhook subscriptions made by the Admin API. */
import type { Gid, WebhookSubscription } from '../records.ts'
import { API_VERSION } from '../state.ts'
import {
  connection,
  connectionFields,
  dateTime,
  fieldsOf,
  notImitated,
  properties,
  type Context,
  type Field,
  type Fields,
} from './context.ts'
import { findOf } from './node.ts'

/** Shopify's limit for a trigger's payload (recorded: 50,000 bytes and a little). */
const PAYLOAD_BYTES_MAX = 50_000

type FlowArgs = { handle?: string | null; payload?: unknown; body?: string | null }

function receive({ store, domain }: Context, { handle, payload, body }: FlowArgs) {
  if (body != null) throw notImitated('flowTriggerReceive with the deprecated `body`')
  if (handle == null || handle === '') {
    const message = 'Either the arguments `handle` and `payload` or the argument `body` must be provided.'
    return { userErrors: [{ field: ['handle'], message }] }
  }
  if (Buffer.byteLength(JSON.stringify(payload ?? {})) > PAYLOAD_BYTES_MAX) {
    return {
      userErrors: [
        {
          field: ['payload'],
          message: `Errors validating schema:\n  Properties size exceeds the limit of ${PAYLOAD_BYTES_MAX} bytes.\n`,
        },
      ],
    }
  }
  const id = store.tables.newUuid()
  store.tables.put('flowTriggers', id, { id, shop: domain, handle, payload: payload ?? {}, receivedAt: store.now() })
  return { userErrors: [] }
}

type HookInput = {
  uri?: string | null
  callbackUrl?: string | null
  format?: string | null
  includeFields?: string[] | null
  filter?: string | null
  metafields?: unknown[] | null
  metafieldNamespaces?: string[] | null
}

/** `ORDERS_PAID` → `orders/paid`; `CUSTOMER_TAGS_ADDED` → `customer.tags_added`. */
function topicOf(name: string): string {
  const lower = name.toLowerCase()
  const dotted = /^customer_(tags_added|tags_removed|joined_segment|left_segment)$/.exec(lower)
  if (dotted) return `customer.${dotted[1]}`
  return lower.replace(
    /^([a-z]+(?:_[a-z]+)*?)_(create|update|delete|paid|edited|cancelled|enable|disable|merge|uninstalled|scopes_update|finish|fulfilled|purchasing_summary|redeemcode_added|redeemcode_removed)$/,
    '$1/$2',
  )
}

function subscribe({ store, domain }: Context, topic: string, input: HookInput) {
  const refuse = (field: string[] | null, message: string) => ({
    webhookSubscription: null,
    userErrors: [{ field, message }],
  })
  const uri = input.uri ?? input.callbackUrl
  if (input.metafields?.length || input.metafieldNamespaces?.length) throw notImitated('webhooks with metafields')
  if (input.format === 'XML') throw notImitated('webhooks in XML')
  if (uri == null || uri === '') return refuse(['webhookSubscription', 'callbackUrl'], "Address can't be blank")
  if (!/^https?:\/\//.test(uri)) throw notImitated(`webhooks to ${uri.split(':')[0]}`)
  const made = store.tables.list('webhookSubscriptions', domain)
  const sort = topicOf(topic)
  if (made.some((row) => row.topic === sort && row.uri === uri && row.filter === (input.filter ?? null))) {
    return refuse(['webhookSubscription', 'callbackUrl'], 'Address for this topic has already been taken')
  }
  const now = store.now()
  const row: WebhookSubscription = {
    id: store.tables.newId('WebhookSubscription'),
    shop: domain,
    topic: sort,
    uri,
    includeFields: input.includeFields ?? [],
    filter: input.filter ?? null,
    createdAt: now,
    updatedAt: now,
  }
  store.tables.put('webhookSubscriptions', row.id, row)
  return { webhookSubscription: row, userErrors: [] }
}

export const notifyRoots = fieldsOf<null>('QueryRoot', {
  webhookSubscription: (_root, args, context) => findOf(context, args.id as Gid, 'WebhookSubscription'),
  webhookSubscriptions: (_root, args, { store, domain }) =>
    connection(store.tables.list('webhookSubscriptions', domain), args),
})

export const notifyMutations = fieldsOf<null>('Mutation', {
  flowTriggerReceive: (_root, args, context) => receive(context, args as FlowArgs),
  webhookSubscriptionCreate: (_root, args, context) =>
    subscribe(context, args.topic as string, args.webhookSubscription as HookInput),
  webhookSubscriptionDelete: (_root, args, context) => {
    const row = findOf(context, args.id as Gid, 'WebhookSubscription')
    if (!row)
      return {
        deletedWebhookSubscriptionId: null,
        userErrors: [{ field: ['id'], message: 'Webhook subscription does not exist' }],
      }
    context.store.tables.remove('webhookSubscriptions', row.id)
    return { deletedWebhookSubscriptionId: row.id, userErrors: [] }
  },
})

export const notifyFields: Fields = {
  ...fieldsOf('FlowTriggerReceivePayload', properties('userErrors')),
  ...fieldsOf('WebhookSubscriptionCreatePayload', properties('webhookSubscription', 'userErrors')),
  ...fieldsOf('WebhookSubscriptionDeletePayload', properties('deletedWebhookSubscriptionId', 'userErrors')),
  ...fieldsOf<WebhookSubscription>('WebhookSubscription', {
    ...(properties('id', 'uri', 'filter', 'includeFields') as Record<string, Field<WebhookSubscription>>),
    topic: (row) => row.topic.replace(/[/.]/g, '_').toUpperCase(),
    format: () => 'JSON',
    apiVersion: () => ({ handle: API_VERSION, displayName: API_VERSION, supported: true }),
    metafieldNamespaces: () => [],
    name: () => null,
    legacyResourceId: (row) => row.id.split('/').at(-1),
    createdAt: (row) => dateTime(row.createdAt),
    updatedAt: (row) => dateTime(row.updatedAt),
  }),
  ...fieldsOf('ApiVersion', properties('handle', 'displayName', 'supported')),
  ...connectionFields('WebhookSubscription'),
}

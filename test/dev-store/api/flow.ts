/** Flow triggers that the app fires (Admin API 2026-10, `flowTriggerReceive`), checked against the app's own triggers. */
import { readExtensionFiles, type ExtensionFile } from '../extension-files.ts'
import { fieldsOf, notImitated, properties, type Context, type Fields } from './context.ts'
import { findNode } from './node.ts'

const PROPERTIES_BYTES_MAX = 50_000

type FlowArgs = { handle?: string | null; payload?: unknown; body?: string | null }

/** The app's `flow_trigger` extension of that handle: Shopify refuses any other. */
function findTrigger(handle: string): ExtensionFile | undefined {
  return readExtensionFiles().find((one) => one.type === 'flow_trigger' && one.handle === handle)
}

const REFERENCES: Record<string, string> = { customer_reference: 'customer_id', order_reference: 'order_id' }
const TYPES: Record<string, string> = {
  number_decimal: 'number',
  boolean: 'boolean',
  single_line_text_field: 'string',
  email: 'string',
  url: 'string',
}

/**
 * A payload that does not carry what the trigger's toml declares, whole and of its types: no source shows what Shopify answers then, so it is
 * refused by name.
 */
function requireDeclared({ handle, fields }: ExtensionFile, payload: object): void {
  const declared = new Map<string, string>()
  for (const { type, key } of fields) {
    if (REFERENCES[type]) declared.set(REFERENCES[type], 'number')
    else if (key && TYPES[type]) declared.set(key, TYPES[type])
    else throw notImitated(`a Flow trigger's field of type "${type}"`)
  }
  for (const [key, value] of Object.entries(payload)) {
    if (declared.get(key) !== typeof value)
      throw notImitated(`the Flow trigger ${handle} with "${key}": ${typeof value}`)
    declared.delete(key)
  }
  for (const missing of declared.keys()) throw notImitated(`the Flow trigger ${handle} without "${missing}"`)
}

function receive(context: Context, { handle, payload, body }: FlowArgs) {
  const { store, domain } = context
  const refuse = (field: string, message: string) => ({ userErrors: [{ field: [field], message }] })
  const invalid = (...problems: string[]) =>
    refuse('body', `Errors validating schema:\n${problems.map((row) => `  ${row}\n`).join('')}`)
  if (body != null) {
    if (handle != null || payload != null)
      return refuse('body', 'Cannot use `handle` and `payload` arguments with `body` argument')
    return invalid(...bodyProblems(body))
  }
  if (handle == null || handle === '' || payload == null)
    return refuse('handle', '`handle` and `payload` arguments are required')
  if (Buffer.byteLength(JSON.stringify(payload)) > PROPERTIES_BYTES_MAX) {
    return invalid(`Properties size exceeds the limit of ${PROPERTIES_BYTES_MAX} bytes.`)
  }
  const trigger = findTrigger(handle)
  if (!trigger) return invalid(`Invalid handle '${handle}'.`)
  requireDeclared(trigger, payload as object)
  const customer = (payload as { customer_id?: number }).customer_id
  if (customer !== undefined && !findNode(context, `gid://shopify/Customer/${customer}`)) {
    throw notImitated(`the Flow trigger ${handle} for a customer whom the shop does not have`)
  }
  const id = store.tables.newUuid()
  store.tables.put('flowTriggers', id, { id, shop: domain, handle, payload, receivedAt: store.now() })
  return { userErrors: [] }
}

/** The deprecated `body`: it names triggers by an id or title that this app does not have, so it is always refused. */
function bodyProblems(text: string): string[] {
  let body: Record<string, unknown>
  try {
    body = JSON.parse(text) as Record<string, unknown>
  } catch {
    return [`unexpected token '${/^\w+/.exec(text)?.[0] ?? text.slice(0, 1)}' at line 1 column 1`]
  }
  const known = ['trigger_id', 'trigger_title', 'properties', 'resources']
  const problems = Object.keys(body).flatMap((name) => (known.includes(name) ? [] : [`Invalid field: '${name}'.`]))
  for (const resource of (body.resources ?? []) as { name?: string; url?: string }[]) {
    if (resource.name === undefined) problems.push("Required field missing: 'name'.")
    if (resource.url !== undefined && !URL.canParse(resource.url)) {
      problems.push(`Type error for field 'url': ${resource.url} is not an absolute URL.`)
    }
  }
  if (problems.length > 0) return problems
  if (Buffer.byteLength(JSON.stringify(body.properties ?? {})) > PROPERTIES_BYTES_MAX) {
    return [`Properties size exceeds the limit of ${PROPERTIES_BYTES_MAX} bytes.`]
  }
  if (body.trigger_id !== undefined) return [`Invalid trigger_id '${String(body.trigger_id)}'.`]
  if (body.trigger_title !== undefined) return [`Invalid trigger_title '${String(body.trigger_title)}'.`]
  return ["Required field missing: 'trigger_id'."]
}

export const flowMutations = fieldsOf<null>('Mutation', {
  flowTriggerReceive: (_root, args, context) => receive(context, args as FlowArgs),
})

export const flowFields: Fields = fieldsOf('FlowTriggerReceivePayload', properties('userErrors'))

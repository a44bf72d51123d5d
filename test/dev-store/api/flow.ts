/** Flow triggers that the app fires (Admin API 2026-10, `flowTriggerReceive`), checked against the app's own triggers. */
import { readExtensionFiles } from '../extension-files.ts'
import { fieldsOf, properties, type Context, type Fields } from './context.ts'

const PROPERTIES_BYTES_MAX = 50_000

type FlowArgs = { handle?: string | null; payload?: unknown; body?: string | null }

/** The handles of the app's `flow_trigger` extensions: Shopify refuses any other. */
function knownHandles(): string[] {
  return readExtensionFiles().flatMap(({ type, handle }) => (type === 'flow_trigger' ? [handle] : []))
}

function receive({ store, domain }: Context, { handle, payload, body }: FlowArgs) {
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
  if (!knownHandles().includes(handle)) return invalid(`Invalid handle '${handle}'.`)
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

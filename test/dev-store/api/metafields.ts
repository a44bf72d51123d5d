/** Metafields: reading, writing with compare-and-set, deleting (Admin API 2026-10, `metafieldsSet`). */
import { createHash } from 'node:crypto'
import type { Gid, Metafield } from '../records.ts'
import { resolveNamespace } from '../state.ts'
import {
  connection,
  connectionFields,
  dateTime,
  fieldsOf,
  properties,
  typeOfGid,
  type Context,
  type Field,
  type Fields,
} from './context.ts'
import { findNode } from './node.ts'

const SET_MAX = 25
/** JSON of apps created since April 2026: 128 KB; most other types 64 KB (shopify.dev, "Metafield limits"). */
const VALUE_BYTES_MAX: Record<string, number> = { json: 131_072 }
const OTHER_BYTES_MAX = 65_536

type Input = {
  ownerId: Gid
  namespace?: string | null
  key: string
  type?: string | null
  value: string
  compareDigest?: string | null
}
type SetError = { field: string[]; message: string; code: string; elementIndex: number | null }

/** `metafield` and `metafields` of any owner. */
export function metafieldFieldsOf<Owner extends { id: Gid }>(): Record<string, Field<Owner>> {
  return {
    metafield: (owner, args, { store }) =>
      store.metafield(owner.id, args.key as string, (args.namespace as string) ?? '$app') ?? null,
    metafields: (owner, args, { store }) => {
      const namespace = args.namespace == null ? null : resolveNamespace(args.namespace as string)
      const keys = args.keys as string[] | undefined
      const rows = store.tables.metafieldsOf(owner.id)
      return connection(
        rows.filter(
          (row) =>
            (namespace === null || row.namespace === namespace) &&
            (!keys || keys.includes(`${row.namespace}.${row.key}`) || keys.includes(row.key)),
        ),
        args,
      )
    },
  }
}

const OWNER_TYPES: Record<string, string> = {
  AppInstallation: 'API_PERMISSION',
  DiscountCodeNode: 'DISCOUNT',
  DiscountAutomaticNode: 'DISCOUNT',
}

export const metafieldFields: Fields = {
  ...fieldsOf<Metafield>('Metafield', {
    ...properties('id', 'namespace', 'key', 'type', 'value', 'compareDigest'),
    jsonValue: (row) => (row.type === 'single_line_text_field' ? row.value : JSON.parse(row.value)),
    createdAt: (row) => dateTime(row.createdAt),
    updatedAt: (row) => dateTime(row.updatedAt),
    sizeInBytes: (row) => Buffer.byteLength(row.value),
    legacyResourceId: (row) => row.id.split('/').at(-1),
    ownerType: (row) => {
      const type = typeOfGid(row.ownerId) ?? ''
      return OWNER_TYPES[type] ?? type.replace(/(?<!^)[A-Z]/g, '_$&').toUpperCase()
    },
    owner: (row, _args, context) => findNode(context, row.ownerId),
  } as Record<string, Field<Metafield>>),
  ...connectionFields('Metafield'),
  ...fieldsOf('MetafieldsSetPayload', properties('metafields', 'userErrors')),
  ...fieldsOf('MetafieldsSetUserError', properties('field', 'message', 'code', 'elementIndex')),
  ...fieldsOf('MetafieldsDeletePayload', properties('deletedMetafields', 'userErrors')),
  ...fieldsOf('MetafieldIdentifier', properties('ownerId', 'namespace', 'key')),
}

export const metafieldMutations = fieldsOf<null>('Mutation', {
  metafieldsSet: (_root, args, context) => setMetafields(context, args.metafields as Input[]),
  metafieldsDelete: (_root, args, context) => {
    const inputs = args.metafields as { ownerId: Gid; namespace: string; key: string }[]
    const { store } = context
    return store.tables.write(() => {
      const deletedMetafields = inputs.map((input) => {
        const row = findNode(context, input.ownerId)
          ? store.metafield(input.ownerId, input.key, input.namespace)
          : undefined
        if (!row) return null
        store.tables.remove('metafields', row.id)
        return { ownerId: input.ownerId, namespace: row.namespace, key: row.key }
      })
      return { deletedMetafields, userErrors: [] }
    })
  },
})

/** Sets up to 25 metafields, all or none. Also used for the `metafields` of a new discount. */
export function setMetafields(context: Context, inputs: Input[]): { metafields: Metafield[]; userErrors: SetError[] } {
  if (inputs.length > SET_MAX) {
    const message = `Exceeded the maximum metafields input limit of ${SET_MAX}.`
    return {
      metafields: [],
      userErrors: [{ field: ['metafields'], message, code: 'LESS_THAN_OR_EQUAL_TO', elementIndex: null }],
    }
  }
  const errors = inputs.flatMap((input, index) => problemsOf(context, input, index))
  if (errors.length > 0) return { metafields: [], userErrors: errors }
  const { tables } = context.store
  const metafields = tables.write(() => inputs.map((input) => setOne(context, input)))
  return { metafields, userErrors: [] }
}

function setOne({ store, domain }: Context, input: Input): Metafield {
  const now = store.now()
  const existing = store.metafield(input.ownerId, input.key, input.namespace ?? '$app')
  const compareDigest = createHash('sha256').update(`${input.value}`).digest('hex')
  const row: Metafield = existing
    ? Object.assign(existing, { value: input.value, compareDigest, updatedAt: now })
    : {
        id: store.tables.newId('Metafield'),
        shop: domain,
        ownerId: input.ownerId,
        namespace: resolveNamespace(input.namespace),
        key: input.key,
        type: input.type ?? definedType(input) ?? 'json',
        value: input.value,
        compareDigest,
        createdAt: now,
        updatedAt: now,
      }
  store.tables.put('metafields', row.id, row)
  return row
}

/** The one definition in shopify.app.toml: `[customer.metafields.app.member_card]`, json. */
function definedType(input: Input): string | null {
  const own = input.namespace == null || input.namespace === '$app'
  return own && input.key === 'member_card' && typeOfGid(input.ownerId) === 'Customer' ? 'json' : null
}

function problemsOf(context: Context, input: Input, index: number): SetError[] {
  const problem = (name: string, message: string, code: string): SetError[] => [
    { field: ['metafields', String(index), name], message, code, elementIndex: null },
  ]
  const owner = findNode(context, input.ownerId)
  if (!owner) return problem('ownerId', 'Owner does not exist.', 'INVALID')
  const namespace = resolveNamespace(input.namespace)
  if (namespace.startsWith('app--') && !namespace.startsWith(resolveNamespace('$app'))) {
    return problem('namespace', 'ApiPermission is not authorized to write to this namespace.', 'APP_NOT_AUTHORIZED')
  }
  if (input.key.length < 2) return problem('key', 'is too short (minimum is 2 characters)', 'TOO_SHORT')
  if (input.key.length > 64) return problem('key', 'is too long (maximum is 64 characters)', 'TOO_LONG')
  const existing = context.store.metafield(input.ownerId, input.key, input.namespace ?? '$app')
  const type = input.type ?? existing?.type ?? definedType(input)
  if (type == null) return problem('type', "can't be blank", 'BLANK')
  if (input.value === '') return problem('value', "can't be blank", 'BLANK')
  const digestProblem = compareProblem(input, existing)
  if (digestProblem) return [{ ...digestProblem, field: ['metafields', String(index)], elementIndex: index }]
  const limit = VALUE_BYTES_MAX[type] ?? OTHER_BYTES_MAX
  if (Buffer.byteLength(input.value) > limit)
    return problem('value', `is too long (maximum is ${limit} characters)`, 'TOO_LONG')
  const wrong = valueProblem(type, input.value)
  return wrong ? problem('value', wrong, 'INVALID_VALUE') : []
}

function compareProblem(input: Input, existing: Metafield | undefined): { message: string; code: string } | null {
  if (input.compareDigest === undefined) return null
  const same = input.compareDigest === null ? !existing : existing?.compareDigest === input.compareDigest
  if (same) return null
  return {
    message: 'The resource has been updated since it was loaded. Try again with an updated `compareDigest` value.',
    code: 'STALE_OBJECT',
  }
}

function valueProblem(type: string, value: string): string | null {
  if (type === 'json') {
    try {
      JSON.parse(value)
      return null
    } catch {
      return 'Value is invalid JSON.'
    }
  }
  if (type === 'number_integer') return /^-?\d+$/.test(value) ? null : 'Value must be an integer.'
  if (type === 'boolean') return /^(true|false)$/.test(value) ? null : 'Value must be true or false.'
  return null
}

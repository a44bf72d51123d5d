/**
 * Bulk operations (Admin API 2026-10): a query without page sizes, run a moment later, its rows written as JSON lines.
 * Ungrouped, which is Shopify's default now: each child names its parent in `__parentId` and may stand anywhere after.
 */
import {
  Kind,
  parse,
  validate,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  type SelectionSetNode,
  GraphQLError,
  getNamedType,
} from 'graphql'
import { bulkFinishPayload } from '../payloads.ts'
import type { BulkOperation, Gid } from '../records.ts'
import { catalogueBulkRoots } from './catalogue-fields.ts'
import {
  WHOLE_PAGE,
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
import { customerBulkRoots } from './customer-fields.ts'
import { executePlain } from './execute.ts'
import { findOf } from './node.ts'
import { orderBulkRoots } from './order-fields.ts'
import { adminSchema } from './schema.ts'
import { matchesId, matchesText, matchesTime, search, type Filters } from './search.ts'

const CONNECTIONS_MAX = 5
const DEPTH_MAX = 2
const RUNNING_MAX = 5
/** How long Shopify lets one wait here before it is done. */
const ASYNC_MS = 150

type BulkProblem = { field: string[]; message: string; code: string }

/** Reasons why Shopify refuses a bulk query, in its words (test/fixtures/captures). */
function problemsOf(text: string, schema: GraphQLSchema): BulkProblem[] {
  const invalid = (message: string) => ({ field: ['query'], message, code: 'INVALID' })
  let document: DocumentNode
  try {
    if (text.trim() === '') throw new GraphQLError('syntax error, unexpected end of file')
    document = parse(text)
  } catch (error) {
    return [invalid(`Invalid bulk query: ${(error as Error).message}`)]
  }
  const operation = document.definitions.find((row) => row.kind === Kind.OPERATION_DEFINITION)
  if (!operation || operation.operation !== 'query')
    return [invalid('Invalid operation type. Only `query` operations are supported.')]
  const wrong = validate(schema, document)
  if (wrong.length > 0) return [invalid(wrong[0]!.message)]
  const seen = survey(operation.selectionSet, 'QueryRoot', schema)
  const problems: BulkProblem[] = []
  const nodeRoot = operation.selectionSet.selections.find(
    (row) => row.kind === Kind.FIELD && /^nodes?$/.test(row.name.value),
  ) as FieldNode | undefined
  if (nodeRoot) problems.push(invalid(`Bulk queries cannot contain a top level \`${nodeRoot.name.value}\` field.`))
  if (seen.connections === 0) problems.push(invalid('Bulk queries must contain at least one connection.'))
  if (seen.connections > CONNECTIONS_MAX)
    return [invalid(`Bulk queries cannot contain more than ${CONNECTIONS_MAX} connections.`)]
  if (seen.inList)
    return [invalid('Queries that contain a connection field within a list field are not currently supported.')]
  if (seen.depth > DEPTH_MAX)
    return [invalid(`Bulk queries cannot contain connections with a nesting depth greater than ${DEPTH_MAX}.`)]
  if (seen.byNodes.length > 0) {
    const message = `All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: '${seen.byNodes[0]} { edges { node {'. Selecting via 'nodes' is not supported. Invalid connection fields: '${seen.byNodes.join("', '")}'.`
    return [invalid(message)]
  }
  if (seen.withoutId.length > 0) {
    const message = `The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' return type. Connection fields without 'id': ${seen.withoutId.join(', ')}.`
    return [invalid(message)]
  }
  return problems
}

type Survey = { connections: number; depth: number; inList: boolean; byNodes: string[]; withoutId: string[] }

function survey(
  selection: SelectionSetNode,
  typeName: string,
  schema: GraphQLSchema,
  depth = 0,
  inList = false,
): Survey {
  const seen: Survey = { connections: 0, depth, inList: false, byNodes: [], withoutId: [] }
  for (const node of selection.selections) {
    if (node.kind === Kind.FRAGMENT_SPREAD) throw notImitated('named fragments in a bulk query')
    if (node.kind === Kind.INLINE_FRAGMENT) {
      merge(seen, survey(node.selectionSet, node.typeCondition?.name.value ?? typeName, schema, depth, inList))
      continue
    }
    const parent = schema.getType(typeName)
    const definition = parent && 'getFields' in parent ? parent.getFields()[node.name.value] : undefined
    if (!definition || !node.selectionSet) continue
    const inner = getNamedType(definition.type).name
    if (!inner.endsWith('Connection')) {
      const list = inList || (String(definition.type).includes('[') && inner !== 'QueryRoot')
      merge(seen, survey(node.selectionSet, inner, schema, depth, list))
      continue
    }
    seen.connections += 1
    if (inList) seen.inList = true
    const child = bodyOf(node)
    if (!child) seen.byNodes.push(node.name.value)
    else {
      const below = survey(child, inner.replace(/Connection$/, ''), schema, depth + 1, false)
      const hasId = child.selections.some((row) => row.kind === Kind.FIELD && row.name.value === 'id' && !row.alias)
      if (below.connections > 0 && !hasId) seen.withoutId.push(node.name.value)
      merge(seen, below)
    }
  }
  return seen
}

function merge(into: Survey, from: Survey): void {
  into.connections += from.connections
  into.depth = Math.max(into.depth, from.depth)
  into.inList ||= from.inList
  into.byNodes.push(...from.byNodes)
  into.withoutId.push(...from.withoutId)
}

/** The selection under `edges { node { … } }`. */
function bodyOf(field: FieldNode): SelectionSetNode | null {
  const edges = field.selectionSet?.selections.find((row) => row.kind === Kind.FIELD && row.name.value === 'edges') as
    FieldNode | undefined
  const node = edges?.selectionSet?.selections.find((row) => row.kind === Kind.FIELD && row.name.value === 'node') as
    FieldNode | undefined
  return node?.selectionSet ?? null
}

function runQuery(context: Context, query: string, groupObjects: boolean) {
  const { store, domain } = context
  const problems = problemsOf(query, adminSchema())
  if (problems.length > 0) return { bulkOperation: null, userErrors: problems }
  const running = store.tables
    .list('bulkOperations', domain)
    .filter((row) => row.status === 'CREATED' || row.status === 'RUNNING')
  if (running.length >= RUNNING_MAX) {
    const message = `A bulk query operation for this app and shop is already in progress: ${running[0]!.id}.`
    return { bulkOperation: null, userErrors: [{ field: null, message, code: 'OPERATION_IN_PROGRESS' }] }
  }
  const operation: BulkOperation = {
    id: store.tables.newId('BulkOperation'),
    shop: domain,
    query,
    groupObjects,
    status: 'CREATED',
    errorCode: null,
    objectCount: 0,
    rootObjectCount: 0,
    fileSize: null,
    result: null,
    createdAt: store.now(),
    completedAt: null,
  }
  store.tables.put('bulkOperations', operation.id, operation)
  const timer = setTimeout(() => {
    if (!store.isClosed()) void finish(context, operation)
  }, ASYNC_MS)
  timer.unref()
  // What is answered is the operation as it was made, whatever has become of it since.
  return { bulkOperation: { ...operation }, userErrors: [] }
}

async function finish(context: Context, operation: BulkOperation): Promise<void> {
  const { store } = context
  if (operation.status === 'CANCELED') return
  try {
    const roots = { ...catalogueBulkRoots, ...customerBulkRoots, ...orderBulkRoots }
    const data = await executePlain(context, withWholePages(operation.query), roots)
    const lines: string[] = []
    for (const [name, value] of Object.entries(data)) {
      const rows = isConnection(value) ? value.edges.map((edge) => edge.node) : []
      if (!isConnection(value)) throw notImitated(`the bulk query's root ${name}`)
      operation.rootObjectCount += rows.length
      for (const row of rows) writeRow(row as Row, null, lines)
    }
    operation.objectCount = lines.length
    operation.result = lines.length === 0 ? '' : lines.join('\n') + '\n'
    operation.fileSize = Buffer.byteLength(operation.result)
    operation.status = 'COMPLETED'
  } catch (error) {
    operation.status = 'FAILED'
    operation.errorCode = 'INTERNAL_SERVER_ERROR'
    operation.result = ''
    console.error(`The bulk operation ${operation.id} failed: ${String(error)}`)
  }
  operation.completedAt = store.now()
  store.tables.write(() => {
    store.tables.put('bulkOperations', operation.id, operation)
    store.emit(operation.shop, 'bulk_operations/finish', bulkFinishPayload(store.shop(operation.shop), operation))
  })
}

type Row = Record<string, unknown> & { id?: Gid }

function isConnection(value: unknown): value is { edges: { node: unknown }[] } {
  return typeof value === 'object' && value !== null && Array.isArray((value as { edges?: unknown }).edges)
}

function writeRow(row: Row, parentId: Gid | null, lines: string[]): void {
  const own: Record<string, unknown> = {}
  const children: Row[] = []
  for (const [name, value] of Object.entries(row)) {
    if (isConnection(value)) children.push(...value.edges.map((edge) => edge.node as Row))
    else own[name] = value
  }
  if (parentId !== null) own.__parentId = parentId
  lines.push(JSON.stringify(own))
  for (const child of children) writeRow(child, row.id ?? null, lines)
}

/** Bulk queries leave out page sizes: every connection inside gets one that holds everything. */
function withWholePages(text: string): string {
  const document = parse(text)
  const walk = (selection: SelectionSetNode, typeName: string): SelectionSetNode => ({
    ...selection,
    selections: selection.selections.map((node) => {
      if (node.kind !== Kind.FIELD) {
        return node.kind === Kind.INLINE_FRAGMENT
          ? { ...node, selectionSet: walk(node.selectionSet, node.typeCondition?.name.value ?? typeName) }
          : node
      }
      const parent = adminSchema().getType(typeName)
      const definition = parent && 'getFields' in parent ? parent.getFields()[node.name.value] : undefined
      if (!definition || !node.selectionSet) return node
      const inner = getNamedType(definition.type).name
      const rest = (node.arguments ?? []).filter((row) => row.name.value !== 'first' && row.name.value !== 'last')
      const size = {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'first' },
        value: { kind: Kind.INT, value: String(WHOLE_PAGE) },
      } as const
      const sized = inner.endsWith('Connection') && typeName !== 'QueryRoot' ? [...rest, size] : rest
      return { ...node, arguments: sized, selectionSet: walk(node.selectionSet, inner) }
    }),
  })
  const definitions = document.definitions.map((row) =>
    row.kind === Kind.OPERATION_DEFINITION ? { ...row, selectionSet: walk(row.selectionSet, 'QueryRoot') } : row,
  )
  return JSON.stringify({ ...document, definitions, loc: undefined })
}

const filters: Filters<BulkOperation> = {
  id: (row, term) => matchesId(row.id, term),
  status: (row, term) => matchesText(row.status, term),
  operation_type: (_row, term) => matchesText('query', term),
  created_at: (row, term) => matchesTime(row.createdAt, term),
}

export const bulkRoots = fieldsOf<null>('QueryRoot', {
  bulkOperation: (_root, args, context) => findOf(context, args.id as Gid, 'BulkOperation'),
  bulkOperations: (_root, args, { store, domain }) =>
    connection(search(store.tables.list('bulkOperations', domain), args.query, filters), args),
})

export const bulkMutations = fieldsOf<null>('Mutation', {
  bulkOperationRunQuery: (_root, args, context) =>
    runQuery(context, args.query as string, (args.groupObjects as boolean) ?? false),
  bulkOperationCancel: (_root, args, context) => {
    const operation = findOf(context, args.id as Gid, 'BulkOperation') as BulkOperation | null
    if (!operation)
      return { bulkOperation: null, userErrors: [{ field: ['id'], message: 'Bulk operation does not exist' }] }
    if (operation.status !== 'CREATED' && operation.status !== 'RUNNING') {
      const message = 'A bulk operation cannot be canceled when it is completed'
      return { bulkOperation: operation, userErrors: [{ field: null, message }] }
    }
    const { tables } = context.store
    tables.put(
      'bulkOperations',
      operation.id,
      Object.assign(operation, { status: 'CANCELED' as const, completedAt: context.store.now() }),
    )
    return { bulkOperation: operation, userErrors: [] }
  },
})

export const bulkFields: Fields = {
  ...fieldsOf('BulkOperationRunQueryPayload', properties('bulkOperation', 'userErrors')),
  ...fieldsOf('BulkOperationCancelPayload', properties('bulkOperation', 'userErrors')),
  ...fieldsOf('BulkOperationUserError', properties('field', 'message', 'code')),
  ...fieldsOf<BulkOperation>('BulkOperation', {
    ...(properties('id', 'status', 'query', 'errorCode') as Record<string, Field<BulkOperation>>),
    type: () => 'QUERY',
    createdAt: (row) => dateTime(row.createdAt),
    completedAt: (row) => dateTime(row.completedAt),
    objectCount: (row) => String(row.objectCount),
    rootObjectCount: (row) => String(row.rootObjectCount),
    fileSize: (row) => (row.fileSize === null ? null : String(row.fileSize)),
    url: (row, _args, { origin }) =>
      row.status === 'COMPLETED' && row.objectCount > 0 ? `${origin}/bulk/${row.id.split('/').at(-1)}.jsonl` : null,
    partialDataUrl: () => null,
  }),
  ...connectionFields('BulkOperation'),
}

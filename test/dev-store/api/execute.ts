/**
 * One request to the Admin GraphQL API: parsed, validated against Shopify's schema, checked to be imitated and allowed,
 * paid for from the shop's bucket, then run. Nothing has an effect before all of that is settled.
 */
import {
  execute,
  getNamedType,
  getOperationAST,
  GraphQLError,
  isAbstractType,
  isIntrospectionType,
  isObjectType,
  Kind,
  parse,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLFieldResolver,
  type GraphQLTypeResolver,
  type OperationDefinitionNode,
} from 'graphql'
import type { Buckets } from './cost.ts'
import { costOf, QUERY_COST_MAX, type Throttle } from './cost.ts'
import { notImitated, typeOfGid, type Context, type Field } from './context.ts'
import { fieldOf, FIELDS, hasScope, scopeOf, writeScopeOf } from './root.ts'
import { adminSchema } from './schema.ts'
import { shopifyError } from './error-words.ts'

export type GraphqlRequest = { query?: unknown; variables?: unknown; operationName?: unknown }
export type GraphqlReply = { data?: unknown; errors?: unknown[]; extensions?: unknown }

const DOCUMENTATION = 'https://shopify.dev/api/usage/rate-limits'

/** Runs a request for a shop; answers as Shopify does, errors included, always as HTTP 200. */
export async function executeRequest(
  context: Context,
  buckets: Buckets,
  request: GraphqlRequest,
): Promise<GraphqlReply> {
  if (typeof request.query !== 'string') return { errors: [{ message: 'Query is missing or not a string' }] }
  const variables = (request.variables ?? {}) as Record<string, unknown>
  const read = readDocument(request.query, request.operationName)
  if ('errors' in read) return { errors: read.errors.map(shopifyError) }
  const { document, operation } = read
  const { plan } = context.store.shop(context.domain)
  const costing = { schema: adminSchema(), fragments: fragmentsOf(document), variables }
  const requestedQueryCost = costOf(operation, costing)
  const throttleStatus = buckets.status(context.domain, plan)
  if (requestedQueryCost > QUERY_COST_MAX) return tooDear(requestedQueryCost)
  if (requestedQueryCost > throttleStatus.currentlyAvailable) return throttled(requestedQueryCost, throttleStatus)
  const refused = accessErrors(context, operation, costing.fragments, variables)
  if (refused.length > 0) return { data: null, errors: refused, extensions: { cost: null } }

  const result = await execute({
    schema: adminSchema(),
    document,
    rootValue: null,
    contextValue: context,
    variableValues: variables,
    operationName: typeof request.operationName === 'string' ? request.operationName : undefined,
    fieldResolver: resolveField,
    typeResolver: resolveType,
  })
  const failed = result.errors?.find((error) => error.originalError && !(error.originalError instanceof GraphQLError))
  if (failed?.originalError) console.error('The dev store failed while answering:', failed.originalError)
  const data = result.data
  const actualQueryCost = data ? costOf(operation, { ...costing, data }) : requestedQueryCost
  buckets.take(context.domain, actualQueryCost)
  const cost = { requestedQueryCost, actualQueryCost, throttleStatus: buckets.status(context.domain, plan) }
  const errors = result.errors?.map(shopifyError)
  return { ...(data === undefined ? {} : { data }), ...(errors ? { errors } : {}), extensions: { cost } }
}

/**
 * Runs a document of the stand-in's own (a bulk operation's) with other roots, and gives its data back. `serialised` is
 * the document as JSON or as text. Throws the first error.
 */
export async function executePlain(
  context: Context,
  serialised: string,
  roots: Record<string, Field<null>>,
): Promise<Record<string, unknown>> {
  const document = serialised.startsWith('{"kind"') ? (JSON.parse(serialised) as DocumentNode) : parse(serialised)
  const missing = unimitated(document, roots)
  if (missing.length > 0) throw missing[0]!
  const result = await execute({
    schema: adminSchema(),
    document,
    contextValue: context,
    fieldResolver: (source, args, own, info) => {
      const root = info.parentType.name === 'QueryRoot' ? roots[info.fieldName] : undefined
      return root ? root(null, args, context) : resolveField(source, args, own, info)
    },
    typeResolver: resolveType,
  })
  if (result.errors?.[0]) throw result.errors[0]
  return result.data as Record<string, unknown>
}

const documents = new Map<string, { document: DocumentNode; errors: readonly GraphQLError[] }>()

/** Parsing and validating 28,000 lines of schema is the dear part; the app sends the same few documents over and over. */
function readDocument(
  text: string,
  operationName: unknown,
): { errors: readonly GraphQLError[] } | { document: DocumentNode; operation: OperationDefinitionNode } {
  let known = documents.get(text)
  if (!known) {
    known = checkDocument(text)
    if (documents.size > 500) documents.clear()
    documents.set(text, known)
  }
  if (known.errors.length > 0) return { errors: known.errors }
  const operation = getOperationAST(known.document, typeof operationName === 'string' ? operationName : undefined)
  if (!operation) return { errors: [new GraphQLError('An operation name is required')] }
  return { document: known.document, operation }
}

export function checkDocument(text: string): { document: DocumentNode; errors: readonly GraphQLError[] } {
  let document: DocumentNode
  try {
    document = parse(text)
  } catch (error) {
    return { document: { kind: Kind.DOCUMENT, definitions: [] }, errors: [error as GraphQLError] }
  }
  const errors = validate(adminSchema(), document)
  return { document, errors: errors.length > 0 ? errors : unimitated(document) }
}

/** An error for every field of the document that the stand-in has no imitation of. */
function unimitated(document: DocumentNode, roots: Record<string, unknown> = {}): GraphQLError[] {
  const schema = adminSchema()
  const info = new TypeInfo(schema)
  const missing = new Map<string, GraphQLError>()
  const note = (type: string, name: string) => missing.set(`${type}.${name}`, notImitated(`${type}.${name}`))
  visit(
    document,
    visitWithTypeInfo(info, {
      Field(node) {
        const parent = info.getParentType()
        const name = node.name.value
        if (!parent || name.startsWith('__') || isIntrospectionType(getNamedType(parent))) return
        if (isObjectType(parent)) {
          if (!fieldOf(parent.name, name) && !(parent.name === 'QueryRoot' && name in roots)) note(parent.name, name)
        } else if (isAbstractType(parent)) {
          // Only the types that the stand-in has at all can come back here.
          const possible = schema.getPossibleTypes(parent).filter((type) => FIELDS[type.name])
          if (possible.length === 0) note(parent.name, name)
          for (const type of possible) if (parent.name !== 'Node' && !fieldOf(type.name, name)) note(type.name, name)
        }
      },
    }),
  )
  return [...missing.values()]
}

const resolveField: GraphQLFieldResolver<unknown, Context> = (source, args, context, info) => {
  const field = fieldOf(info.parentType.name, info.fieldName)
  if (!field) throw notImitated(`${info.parentType.name}.${info.fieldName}`)
  return (field as Field<unknown>)(source, args, context)
}

const resolveType: GraphQLTypeResolver<unknown, Context> = (value) => {
  const row = value as { __typename?: string; id?: string }
  return row.__typename ?? (row.id ? (typeOfGid(row.id) ?? undefined) : undefined)
}

function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = document.definitions.filter((row) => row.kind === Kind.FRAGMENT_DEFINITION)
  return new Map(fragments.map((row) => [row.name.value, row]))
}

/** Scopes: an app sees and changes only what it was granted. */
function accessErrors(
  { store, domain }: Context,
  operation: OperationDefinitionNode,
  fragments: Map<string, FragmentDefinitionNode>,
  variables: Record<string, unknown>,
): unknown[] {
  const errors: unknown[] = []
  // What was granted or taken since counts at once, whatever the token was issued with.
  const granted = store.shop(domain).installation?.scopes ?? []
  const roots = operation.selectionSet.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node]
    const inner = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
    return inner?.selectionSet.selections.filter((row) => row.kind === Kind.FIELD) ?? []
  })
  // A customer's accounts have a scope of their own, unlike anything else below a root that is imitated.
  for (const part of [operation, ...fragments.values()]) {
    visit(part, { Field: (node) => void (node.name.value === 'storeCreditAccounts' && roots.push(node)) })
  }
  for (const root of roots) {
    const needed = [scopeOf(root.name.value)]
    if (/^(metafieldsSet|metafieldsDelete|tagsAdd|tagsRemove)$/.test(root.name.value)) {
      needed.push(...gidsIn(variables).map(writeScopeOf))
    }
    const lacking = needed.find((scope) => scope !== null && !hasScope(granted, scope))
    if (!lacking) continue
    errors.push({
      message: `Access denied for ${root.name.value} field. Required access: \`${lacking}\` access scope.`,
      locations: [{ line: root.loc?.startToken.line ?? 1, column: root.loc?.startToken.column ?? 1 }],
      extensions: {
        code: 'ACCESS_DENIED',
        documentation: 'https://shopify.dev/api/usage/access-scopes',
        requiredAccess: `\`${lacking}\` access scope.`,
      },
      path: [root.alias?.value ?? root.name.value],
    })
  }
  return errors
}

/** Owners named anywhere in the variables: what a write of metafields or tags is about. */
function gidsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('gid://shopify/') ? [value] : []
  if (Array.isArray(value)) return value.flatMap(gidsIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) => (name === 'value' ? [] : gidsIn(each)))
}

function throttled(requestedQueryCost: number, throttleStatus: Throttle): GraphqlReply {
  return {
    errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED', documentation: DOCUMENTATION } }],
    extensions: { cost: { requestedQueryCost, actualQueryCost: null, throttleStatus } },
  }
}

/** A reply as if the bucket were empty, for a fault set by hand. */
export function throttledByFault(context: Context, buckets: Buckets): GraphqlReply {
  const status = buckets.status(context.domain, context.store.shop(context.domain).plan)
  return throttled(10, { ...status, currentlyAvailable: 0 })
}

function tooDear(cost: number): GraphqlReply {
  const message = `Query cost is ${cost}, which exceeds the single query max cost limit (${QUERY_COST_MAX}).`
  return {
    errors: [
      {
        message,
        extensions: { code: 'MAX_COST_EXCEEDED', cost, maxCost: QUERY_COST_MAX, documentation: DOCUMENTATION },
      },
    ],
  }
}

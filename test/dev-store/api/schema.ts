/** Shopify's own Admin schema, 2026-10 (schema/README.md), with scalars that refuse what Shopify refuses. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { buildSchema, GraphQLError, isScalarType, valueFromASTUntyped, type GraphQLSchema } from 'graphql'

let schema: GraphQLSchema | undefined

/** The schema, read once (about half a second). */
export function adminSchema(): GraphQLSchema {
  if (schema) return schema
  const file = resolve(import.meta.dirname, '../schema/admin_2026-10.graphql.gz')
  schema = buildSchema(gunzipSync(readFileSync(file)).toString('utf8'), { assumeValid: true })
  for (const [name, check] of Object.entries(CHECKS)) {
    const type = schema.getType(name)
    if (!isScalarType(type)) throw new Error(`The schema has no scalar ${name}.`)
    type.parseValue = check
    type.parseLiteral = (node, variables) => check(valueFromASTUntyped(node, variables))
  }
  return schema
}

const CHECKS: Record<string, (value: unknown) => unknown> = {
  Decimal: decimal,
  Money: decimal,
  DateTime: (value) => {
    if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return value
    throw new GraphQLError(`invalid DateTime ${JSON.stringify(value)}`)
  },
  Date: (value) => {
    if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)) return value
    throw new GraphQLError(`invalid Date ${JSON.stringify(value)}`)
  },
  UnsignedInt64: (value) => {
    if (/^\d+$/.test(String(value))) return String(value)
    throw new GraphQLError(`invalid UnsignedInt64 ${JSON.stringify(value)}`)
  },
}

function decimal(value: unknown): string {
  if (/^-?\d+(\.\d+)?$/.test(String(value))) return String(value)
  throw new GraphQLError(`invalid decimal '${String(value)}'`)
}

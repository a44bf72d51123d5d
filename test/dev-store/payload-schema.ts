/**
 * Compares a webhook body with the JSON Schema of its topic: every field that Shopify requires is there, none that it
 * does not know, and each of a type it gives. A small reader of the few keywords those schemas use.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

type Schema =
  | boolean
  | {
      type?: string | string[]
      properties?: Record<string, Schema>
      required?: string[]
      items?: Schema
      anyOf?: Schema[]
    }

const file = resolve(import.meta.dirname, 'schema/webhooks_2026-07.json.gz')
const schemas = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Record<string, Schema>

/**
 * Fields that the samples behind the schemas were without, so that they count as lists of nothing or always null there;
 * real bodies have them (shopify.dev, "Refund", "Order", 2026-07).
 */
const UNDERSPECIFIED =
  /refund_shipping_lines|discount_allocations|tax_lines|order_adjustments|payment_gateway_names|note_attributes|properties\.\d|refunds|transactions|additions|removals|duties|\.images|\.image\b|shipping_lines/

/** What is wrong with a body, as `path: complaint`; empty where nothing is. */
export function complaintsAbout(topic: string, body: unknown): string[] {
  const schema = schemas[topic]
  if (schema === undefined) return [`no schema for ${topic}`]
  return check(schema, body, '')
}

function check(schema: Schema, value: unknown, path: string): string[] {
  if (schema === true) return []
  if (schema === false) return UNDERSPECIFIED.test(path) ? [] : [`${path}: nothing may be here`]
  if (schema.anyOf) {
    const tries = schema.anyOf.map((each) => check(each, value, path))
    return tries.some((complaints) => complaints.length === 0) ? [] : tries[0]!
  }
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.length > 0 && !types.some((type) => isOf(type, value))) {
    if (types.every((type) => type === 'null') || UNDERSPECIFIED.test(path) || value === null) return []
    return [`${path}: ${JSON.stringify(value)?.slice(0, 60)} is not of type ${types.join(' or ')}`]
  }
  if (Array.isArray(value)) {
    return value.flatMap((each, index) =>
      schema.items === undefined ? [] : check(schema.items, each, `${path}.${index}`),
    )
  }
  if (typeof value !== 'object' || value === null || !schema.properties) return []
  const { properties } = schema
  const missing = (schema.required ?? []).filter((name) => !(name in value))
  const known = Object.entries(value).filter(([, each]) => each !== undefined)
  return [
    ...missing.map((name) => `${path}.${name}: is missing`),
    ...known.flatMap(([name, each]) => {
      const inner = properties[name]
      if (inner === undefined)
        return UNDERSPECIFIED.test(`${path}.${name}`) ? [] : [`${path}.${name}: Shopify has no such field`]
      return check(inner, each, `${path}.${name}`)
    }),
  ]
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

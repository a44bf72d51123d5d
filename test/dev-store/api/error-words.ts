/**
 * graphql-js and Shopify (graphql-ruby) find the same faults in a request and say them in other words. These are
 * Shopify's, as recorded (test/fixtures/captures); what was never recorded keeps graphql-js's.
 */
import { GraphQLError, Kind } from 'graphql'

type Rewording = { message: string; code: string } | null

/** The error as Shopify writes it into an answer. */
export function shopifyError(error: GraphQLError): Record<string, unknown> {
  const { message, locations, path, extensions } = error.toJSON()
  const reworded = reword(error)
  const internal = error.originalError && !(error.originalError instanceof GraphQLError)
  const code = reworded?.code ?? extensions?.code ?? (internal ? 'INTERNAL_SERVER_ERROR' : undefined)
  return {
    message: reworded?.message ?? message,
    ...(locations ? { locations } : {}),
    ...(path ? { path } : {}),
    ...(code ? { extensions: { ...extensions, code } } : {}),
  }
}

function reword(error: GraphQLError): Rewording {
  const { message } = error
  const missing = /^Field "(\w+)" argument "(\w+)" of type "[^"]+" is required/.exec(message)
  if (missing) {
    const found = `Field '${missing[1]}' is missing required arguments: ${missing[2]}`
    return { message: found, code: 'missingRequiredArguments' }
  }
  const attribute = /^Field "(\w+)\.(\w+)" of required type "([^"]+)" was not provided\.$/.exec(message)
  if (attribute) {
    const found = `Argument '${attribute[2]}' on InputObject '${attribute[1]}' is required. Expected type ${attribute[3]}`
    return { message: found, code: 'missingRequiredInputObjectAttribute' }
  }
  const nothing = /^Expected value of type "([^"]+)", found null\.$/.exec(message)
  const place = nothing && argumentAt(error)
  if (place) {
    const found = `Argument '${place.argument}' on Field '${place.field}' has an invalid value (null). Expected type '${nothing[1]}'.`
    return { message: found, code: 'argumentLiteralsIncompatible' }
  }
  return rewordVariable(error)
}

/** `Variable "$input" got invalid value … at "input.a"; why` → Shopify's `Variable $input of type T! was provided …`. */
function rewordVariable(error: GraphQLError): Rewording {
  const match = /^Variable "\$(\w+)" got invalid value [\s\S]*?(?: at "([^"]+)")?; ([\s\S]+)$/.exec(error.message)
  if (!match) return null
  const [, name, at, why] = match as unknown as [string, string, string | undefined, string]
  const path =
    at
      ?.slice(name.length + 1)
      .replace(/\[(\d+)\]/g, '.$1')
      .split('.')
      .filter(Boolean) ?? []
  const unknown = /^Field "(\w+)" is not defined by type "(\w+)"/.exec(why)
  if (unknown) path.push(unknown[1]!)
  const coerced = /^Int cannot represent non-integer value: (.+)$/.exec(why)
  const expected = /^Value "(.+)" does not exist in "(\w+)" enum/.exec(why)
  const said = unknown
    ? `Field is not defined on ${unknown[2]}`
    : coerced
      ? `Could not coerce value ${coerced[1]} to Int`
      : why
  const of = `Variable $${name} of type ${typeOfVariable(error, name)} was provided invalid value`
  const message = expected && path.length === 0 ? of : `${of} for ${path.join('.') || name} (${said})`
  return { message, code: 'INVALID_VARIABLE' }
}

function typeOfVariable(error: GraphQLError, name: string): string {
  const definition = error.nodes?.find(
    (node) => node.kind === Kind.VARIABLE_DEFINITION && node.variable.name.value === name,
  )
  const source = error.source?.body ?? ''
  if (definition?.kind !== Kind.VARIABLE_DEFINITION || !definition.type.loc) return 'unknown'
  return source.slice(definition.type.loc.start, definition.type.loc.end)
}

/** The argument and field that a null literal stands in. */
function argumentAt(error: GraphQLError): { argument: string; field: string } | null {
  const node = error.nodes?.[0]
  const body = error.source?.body
  if (!node?.loc || !body) return null
  const before = body.slice(0, node.loc.start)
  const match = /(\w+)\s*\(\s*(?:[^()]*,\s*)?(\w+)\s*:\s*$/.exec(before)
  return match ? { field: match[1]!, argument: match[2]! } : null
}

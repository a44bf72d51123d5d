/**
 * What the Admin API's resolvers share. A *field* of the API is a function of the record, its arguments and the context;
 * a field without one is not imitated, and asking for it is an error that names it (execute.ts).
 */
import { GraphQLError } from 'graphql'
import { graphqlDecimal, toPresentment } from '../money.ts'
import type { AccessToken, Gid, Order } from '../records.ts'
import type { DevStore } from '../state.ts'

export type Context = {
  store: DevStore
  /** The shop whose API this is; nothing of another shop can be reached. */
  domain: string
  /** Where the dev store itself is reached, for the addresses of bulk results. */
  origin: string
  token: AccessToken
}

export type Args = Record<string, unknown>
export type Field<Source> = (source: Source, args: Args, context: Context) => unknown
/** Fields by type, then by name. */
export type Fields = Record<string, Record<string, Field<never>>>

/** The fields of one type, checked against the record they read. */
export function fieldsOf<Source>(type: string, fields: Record<string, Field<Source>>): Fields {
  return { [type]: fields as Record<string, Field<never>> }
}

/** Fields that are just the properties of the same name. */
export function properties<Name extends string>(...names: Name[]): Record<Name, Field<unknown>> {
  const fields = names.map((name) => [name, (source: unknown) => (source as Record<string, unknown>)[name] ?? null])
  return Object.fromEntries(fields) as Record<Name, Field<unknown>>
}

/** An error for the client that is about the request, as Shopify's `BAD_REQUEST`. */
export function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } })
}

/** What the stand-in does not imitate, said loudly rather than made up. */
export function notImitated(what: string): GraphQLError {
  return new GraphQLError(
    `The dev store does not imitate ${what}. Add it to test/dev-store/api/, or ask Shopify itself.`,
    { extensions: { code: 'NOT_IMITATED' } },
  )
}

/** `2026-11-21T21:38:34Z`: GraphQL's DateTime has whole seconds. */
export function dateTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** A `MoneyV2`. */
export function money(minor: number, currency: string): { amount: string; currencyCode: string } {
  return { amount: graphqlDecimal(minor, currency), currencyCode: currency }
}

/** A `MoneyBag` of an order's shop money. */
export function moneyBag(minor: number, order: Pick<Order, 'currency' | 'presentmentCurrency' | 'presentmentRate'>) {
  const shown = toPresentment(minor, order.currency, order.presentmentCurrency, order.presentmentRate)
  return { shopMoney: money(minor, order.currency), presentmentMoney: money(shown, order.presentmentCurrency) }
}

/** The type inside a gid: `gid://shopify/Customer/1` → `Customer`; null where it is no gid. */
export function typeOfGid(id: string): string | null {
  return /^gid:\/\/shopify\/(\w+)\/[\w-]+(\?.*)?$/.exec(id)?.[1] ?? null
}

export type Connection<Node> = {
  edges: { cursor: string; node: Node }[]
  nodes: Node[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
  all: Node[]
}

const PAGE_MAX = 250

/** The size that bulk operations give to inner connections: everything. A client who asks for it is too dear. */
export const WHOLE_PAGE = 2_147_483_647

/**
 * One page of rows by `first`/`after` or `last`/`before`. Exactly one of first and last, at most 250 (Shopify's limit),
 * or the error Shopify gives.
 */
export function connection<Node extends { id: Gid }>(
  all: readonly Node[],
  args: Args,
  pageMax = PAGE_MAX,
): Connection<Node> {
  const { first, last, after, before, reverse } = args as {
    first?: number | null
    last?: number | null
    after?: string | null
    before?: string | null
    reverse?: boolean
  }
  if (first == null && last == null) throw badRequest('you must provide one of first or last')
  if (first != null && last != null) throw badRequest('providing both first and last is not supported')
  const size = first ?? last!
  if (size < 1) throw badRequest(`${first == null ? 'last' : 'first'} must be greater than 0`)
  if (size > pageMax && size !== WHOLE_PAGE)
    throw badRequest(`${first == null ? 'last' : 'first'} cannot exceed ${pageMax}`)
  const rows = reverse ? [...all].reverse() : [...all]
  const from = after == null ? 0 : placeOf(rows, after) + 1
  const until = before == null ? rows.length : placeOf(rows, before)
  const start = first == null ? Math.max(from, until - size) : from
  const end = first == null ? until : Math.min(until, from + size)
  const nodes = rows.slice(start, end)
  const edges = nodes.map((node) => ({ cursor: cursorOf(node.id), node }))
  return {
    edges,
    nodes,
    all: rows,
    pageInfo: {
      hasNextPage: end < rows.length,
      hasPreviousPage: start > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}

/** Every row, for bulk operations, which take connections without a size. */
export function wholeConnection<Node extends { id: Gid }>(all: readonly Node[], args: Args): Connection<Node> {
  const nodes = args.reverse ? [...all].reverse() : [...all]
  const edges = nodes.map((node) => ({ cursor: cursorOf(node.id), node }))
  const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null }
  return { edges, nodes, all: nodes, pageInfo }
}

function cursorOf(id: Gid): string {
  return Buffer.from(JSON.stringify({ last_id: id })).toString('base64')
}

function placeOf(rows: readonly { id: Gid }[], cursor: string): number {
  let id: unknown
  try {
    id = (JSON.parse(Buffer.from(cursor, 'base64').toString()) as { last_id?: unknown }).last_id
  } catch {
    throw badRequest(`Invalid cursor for current pagination sort.`)
  }
  const place = rows.findIndex((row) => row.id === id)
  if (place === -1) throw badRequest(`Invalid cursor for current pagination sort.`)
  return place
}

/** The fields of a connection and its edges, for the given node type. */
export function connectionFields(
  nodeType: string,
  connectionType = `${nodeType}Connection`,
  edgeType = `${nodeType}Edge`,
): Fields {
  return {
    [connectionType]: properties('edges', 'nodes', 'pageInfo') as Record<string, Field<never>>,
    [edgeType]: properties('cursor', 'node') as Record<string, Field<never>>,
  }
}

/**
 * What a request costs and whether the shop's bucket holds that much (shopify.dev, "API rate limits": an object costs 1,
 * a scalar 0, a mutation 10; the bucket holds 20 seconds of restore rate; 100, 200 or 1000 points a second by plan).
 *
 * Shopify does not publish how page sizes count. Recorded answers (test/fixtures/captures) show 4 for a page of 5 and 3
 * for a page of 1, so a page is taken as 2 + √size here: an estimate, near enough to meet the limits, not to plan with.
 */
import {
  getNamedType,
  isCompositeType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import type { Plan } from '../records.ts'

const RESTORE: Record<Plan, number> = { basic: 100, advanced: 200, plus: 1000 }
const SECONDS_HELD = 20
export const QUERY_COST_MAX = 1000
const MUTATION_COST = 10
/** Mutations whose recorded cost is 1. */
const CHEAP_MUTATIONS = new Set(['flowTriggerReceive'])

export type Throttle = { maximumAvailable: number; currentlyAvailable: number; restoreRate: number }

/** Leaky buckets by shop; they run on machine time, as requests do. */
export class Buckets {
  private readonly levels = new Map<string, { available: number; at: number }>()

  status(shop: string, plan: Plan, now = Date.now()): Throttle {
    const restoreRate = RESTORE[plan]
    const maximumAvailable = restoreRate * SECONDS_HELD
    const level = this.levels.get(shop) ?? { available: maximumAvailable, at: now }
    const available = Math.min(maximumAvailable, level.available + ((now - level.at) / 1000) * restoreRate)
    this.levels.set(shop, { available, at: now })
    return { maximumAvailable, currentlyAvailable: Math.floor(available), restoreRate }
  }

  take(shop: string, cost: number): void {
    const level = this.levels.get(shop)
    if (level) level.available -= cost
  }

  /** Empties a shop's bucket, to see how the app waits. */
  drain(shop: string): void {
    this.levels.set(shop, { available: 0, at: Date.now() })
  }
}

type Costing = {
  schema: GraphQLSchema
  fragments: Map<string, FragmentDefinitionNode>
  variables: Record<string, unknown>
  /** Rows that really came, by the path of the connection; without it the sizes asked for count. */
  data?: unknown
}

/** The requested cost, from the document alone; with `data` the actual cost, from what came back. */
export function costOf(operation: OperationDefinitionNode, costing: Costing): number {
  const root = costing.schema.getRootType(operation.operation)!
  if (operation.operation === 'mutation') {
    return fieldsIn(operation.selectionSet, costing).reduce((sum, field) => {
      const base = CHEAP_MUTATIONS.has(field.name.value) ? 1 : MUTATION_COST
      const payload = pick(costing.data, field)
      return sum + base + pagesOnly(field, String(root), { ...costing, data: payload })
    }, 0)
  }
  return Math.max(1, selectionCost(operation.selectionSet, String(root), costing))
}

function selectionCost(selection: SelectionSetNode, typeName: string, costing: Costing): number {
  let cost = 0
  for (const field of fieldsIn(selection, costing))
    cost += fieldCost(field, typeName, { ...costing, data: pick(costing.data, field) })
  return cost
}

function fieldCost(field: FieldNode, typeName: string, costing: Costing): number {
  const type = fieldType(typeName, field, costing)
  if (!type || !field.selectionSet) return 0
  if (costing.data === null && 'data' in costing && costing.data !== undefined) return 0
  const size = pageSize(field, costing)
  if (size === null) return 1 + selectionCost(field.selectionSet, type, costing)
  const came = rowsIn(costing.data)
  const rows = came ?? size
  const perRow = nodeCost(field.selectionSet, type, { ...costing, data: undefined })
  return rows === 0 ? 2 : 2 + Math.round(Math.sqrt(rows) * Math.max(1, perRow))
}

/** Inside a mutation's payload only pages cost: its objects are in the base. */
function pagesOnly(field: FieldNode, typeName: string, costing: Costing): number {
  if (!field.selectionSet) return 0
  const type = fieldType(typeName, field, costing)
  if (!type) return 0
  if (pageSize(field, costing) !== null) return fieldCost(field, typeName, costing)
  return fieldsIn(field.selectionSet, costing).reduce(
    (sum, each) => sum + pagesOnly(each, type, { ...costing, data: pick(costing.data, each) }),
    0,
  )
}

function nodeCost(selection: SelectionSetNode, typeName: string, costing: Costing): number {
  let cost = 0
  for (const field of fieldsIn(selection, costing)) {
    const type = fieldType(typeName, field, costing)
    if (!type || !field.selectionSet) continue
    if (field.name.value === 'nodes') cost = Math.max(cost, 1 + selectionCost(field.selectionSet, type, costing))
    if (field.name.value === 'edges') {
      for (const inner of fieldsIn(field.selectionSet, costing)) {
        const innerType = fieldType(type, inner, costing)
        if (innerType && inner.selectionSet)
          cost = Math.max(cost, 1 + selectionCost(inner.selectionSet, innerType, costing))
      }
    }
  }
  return cost
}

function pageSize(field: FieldNode, { variables }: Costing): number | null {
  for (const argument of field.arguments ?? []) {
    if (argument.name.value !== 'first' && argument.name.value !== 'last') continue
    if (argument.value.kind === Kind.INT) return Number(argument.value.value)
    if (argument.value.kind === Kind.VARIABLE) {
      const value = variables[argument.value.name.value]
      if (typeof value === 'number') return value
    }
  }
  return null
}

function rowsIn(data: unknown): number | null {
  if (typeof data !== 'object' || data === null) return null
  const { nodes, edges } = data as { nodes?: unknown[]; edges?: unknown[] }
  return nodes?.length ?? edges?.length ?? null
}

function fieldType(typeName: string, field: FieldNode, { schema }: Costing): string | null {
  const parent = schema.getType(typeName)
  if (!parent || !('getFields' in parent)) return null
  const definition = parent.getFields()[field.name.value]
  const named = definition && getNamedType(definition.type)
  return named && isCompositeType(named) ? named.name : null
}

/** Fields of a selection, those in fragments too. */
function fieldsIn(selection: SelectionSetNode, costing: Costing): FieldNode[] {
  return selection.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node]
    if (node.kind === Kind.INLINE_FRAGMENT) return fieldsIn(node.selectionSet, costing)
    const fragment = costing.fragments.get(node.name.value)
    return fragment ? fieldsIn(fragment.selectionSet, costing) : []
  })
}

function pick(data: unknown, field: FieldNode): unknown {
  if (typeof data !== 'object' || data === null) return undefined
  return (data as Record<string, unknown>)[field.alias?.value ?? field.name.value]
}

/** Metafields as Liquid and Functions read them: by owner, namespace and key, the app's reserved namespace as `$app`. */
import type { Gid, Metafield } from '../records.ts'
import { resolveNamespace } from '../state.ts'
import type { DevStore } from '../state.ts'

/** The value of a metafield parsed by its type, or undefined where there is none: JSON and numbers parsed, else text. */
export function metafieldJson(store: DevStore, owner: Gid, namespace: string, key: string): unknown {
  const found = store.metafield(owner, key, namespace)
  return found && parseValue(found)
}

/** `metafields` of an object in Liquid: `owner.metafields["$app"].member_card.value`. Unknown keys are blank there. */
export function metafieldsForLiquid(store: DevStore, owner: Gid): Record<string, Record<string, { value: unknown }>> {
  const byNamespace: Record<string, Record<string, { value: unknown }>> = {}
  const app = resolveNamespace('$app')
  for (const row of store.tables.metafieldsOf(owner)) {
    const [, sub] = row.namespace.startsWith(`${app}--`) ? row.namespace.split(`${app}--`) : []
    const namespace = row.namespace === app ? '$app' : sub === undefined ? row.namespace : `$app:${sub}`
    byNamespace[namespace] = { ...byNamespace[namespace], [row.key]: { value: parseValue(row) } }
  }
  return byNamespace
}

function parseValue({ type, value }: Metafield): unknown {
  return type === 'json' || type === 'boolean' || type.startsWith('number') ? (JSON.parse(value) as unknown) : value
}

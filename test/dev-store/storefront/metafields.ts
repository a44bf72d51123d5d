/** Metafields as Liquid and Functions read them: by owner, namespace and key, the app's reserved namespace as `$app`. */
import type { Gid } from '../records.ts'
import type { DevStore } from '../state.ts'

/** The value of a metafield parsed by its type, or undefined where there is none: JSON and numbers parsed, else text. */
export function metafieldJson(store: DevStore, owner: Gid, namespace: string, key: string): unknown {
  const found = store.metafield(owner, key, namespace)
  if (!found) return undefined
  if (found.type === 'json' || found.type === 'boolean' || found.type.startsWith('number')) {
    return JSON.parse(found.value) as unknown
  }
  return found.value
}

/** `metafields` of an object in Liquid: `owner.metafields["$app"].member_card.value`. Unknown keys are blank there. */
export function metafieldsForLiquid(store: DevStore, owner: Gid): unknown {
  return byName((namespace) =>
    byName((key) => {
      const value = metafieldJson(store, owner, namespace, key)
      return value === undefined ? undefined : { value }
    }),
  )
}

function byName(read: (name: string) => unknown): unknown {
  return new Proxy({}, { get: (_, name) => (typeof name === 'string' ? read(name) : undefined) })
}

/** The app's extensions as Shopify would know them after a deploy: read from their tomls each time. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'smol-toml'

const EXTENSIONS = resolve(import.meta.dirname, '../../extensions')

export type ExtensionFile = {
  folder: string
  type: string
  handle: string
  apiVersion: string | null
  /** What a Flow trigger carries: a field's own key, or none where it refers to something of Shopify's. */
  fields: { type: string; key?: string }[]
}

type Entry = { type?: string; handle?: string }
type Toml = Entry & { api_version?: string; extensions?: Entry[]; settings?: { fields?: ExtensionFile['fields'] } }

/** Every extension of the app; one toml may hold several. The handle defaults to the folder's name. */
export function readExtensionFiles(): ExtensionFile[] {
  return readdirSync(EXTENSIONS, { withFileTypes: true }).flatMap((each) => {
    const folder = join(EXTENSIONS, each.name)
    const file = join(folder, 'shopify.extension.toml')
    if (!each.isDirectory() || !existsSync(file)) return []
    const toml = parse(readFileSync(file, 'utf8')) as Toml
    const fields = toml.settings?.fields ?? []
    return (toml.extensions ?? [toml]).flatMap(({ type, handle }) =>
      type ? [{ folder, type, handle: handle ?? each.name, apiVersion: toml.api_version ?? null, fields }] : [],
    )
  })
}

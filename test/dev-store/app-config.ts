/** What the dev store reads from `shopify.app.toml`: the same file that Shopify is given on `npm run deploy`. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'smol-toml'

export type Subscription = {
  topics: string[]
  uri: string
  name: string | null
  includeFields: string[]
  filter: string | null
}

export type AppConfig = {
  name: string
  handle: string
  scopes: string[]
  optionalScopes: string[]
  subscriptions: Subscription[]
  proxy: { url: string; prefix: string; subpath: string } | null
}

type Toml = {
  name: string
  handle: string
  access_scopes?: { scopes?: string; optional_scopes?: string[] }
  webhooks?: {
    subscriptions?: {
      topics?: string[]
      compliance_topics?: string[]
      uri: string
      name?: string
      include_fields?: string[]
      filter?: string
      payload_query?: string
    }[]
  }
  app_proxy?: { url: string; prefix: string; subpath: string }
}

/** Reads the app's toml; throws where it asks for something that the dev store would have to make up. */
export function readAppConfig(file = resolve(import.meta.dirname, '../../shopify.app.toml')): AppConfig {
  const toml = parse(readFileSync(file, 'utf8')) as Toml
  const subscriptions = (toml.webhooks?.subscriptions ?? []).map((row) => {
    if (row.payload_query) throw new Error(`${file}: the dev store does not imitate payload_query (${row.uri}).`)
    return {
      topics: [...(row.topics ?? []), ...(row.compliance_topics ?? [])],
      uri: row.uri,
      name: row.name ?? null,
      includeFields: row.include_fields ?? [],
      filter: row.filter ?? null,
    }
  })
  return {
    name: toml.name,
    handle: toml.handle,
    scopes: splitScopes(toml.access_scopes?.scopes ?? ''),
    optionalScopes: toml.access_scopes?.optional_scopes ?? [],
    subscriptions,
    proxy: toml.app_proxy ?? null,
  }
}

/** `"a, b"` → `["a", "b"]`. */
export function splitScopes(text: string): string[] {
  return text
    .split(',')
    .map((scope) => scope.trim())
    .filter(Boolean)
}

/**
 * What `shopify.app.extensions()` answers: the blocks of the theme extension as the dev store's own theme shows them.
 * The storefront renders every block that its template allows, so each counts as active in the one theme there is.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readExtensionFiles } from '../extension-files.ts'

const THEME = 'gid://shopify/OnlineStoreTheme/1'

type ExtensionInfo = {
  handle: string
  type: string
  activations: {
    handle: string
    name: string
    target: string
    status: 'active'
    activations: { target: string; themeId: string }[]
  }[]
}

/** The app's theme extensions and where they are switched on. */
export function themeExtensions(): ExtensionInfo[] {
  const themes = readExtensionFiles().filter((extension) => extension.type === 'theme')
  return themes.map(({ folder, handle }) => ({
    handle,
    type: 'theme_app_extension',
    activations: blocksIn(join(folder, 'blocks')),
  }))
}

/** A name of a schema in the extension's default language: Shopify puts it in place of its key, `t:blocks.card.name`. */
function translate(blocks: string, name: string): string {
  const file = join(blocks, '../locales/en.default.schema.json')
  if (!name.startsWith('t:') || !existsSync(file)) return name
  const words = JSON.parse(readFileSync(file, 'utf8')) as unknown
  const path = name.slice(2).split('.')
  const found = path.reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], words)
  return typeof found === 'string' ? found : name
}

function blocksIn(folder: string): ExtensionInfo['activations'] {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.liquid')) : []
  return files.map((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const schema = JSON.parse(/{%-?\s*schema\s*-?%}([\s\S]*?){%-?\s*endschema/.exec(text)?.[1] ?? '{}') as {
      name?: string
      target?: string
    }
    const target = schema.target ?? 'section'
    const name = translate(folder, schema.name ?? file)
    return {
      handle: file.replace('.liquid', ''),
      name,
      target,
      status: 'active' as const,
      activations: [{ target, themeId: THEME }],
    }
  })
}

/**
 * What `shopify.app.extensions()` answers: the blocks of the theme extension as the dev store's own theme shows them.
 * The storefront renders every block that its template allows, so each counts as active in the one theme there is.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'smol-toml'

const EXTENSIONS = resolve(import.meta.dirname, '../../../extensions')
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

/** The app's extensions and where they are switched on. */
export function themeExtensions(): ExtensionInfo[] {
  return readdirSync(EXTENSIONS, { withFileTypes: true }).flatMap((folder) => {
    const toml = join(EXTENSIONS, folder.name, 'shopify.extension.toml')
    if (!folder.isDirectory() || !existsSync(toml)) return []
    const { type, handle } = parse(readFileSync(toml, 'utf8')) as { type?: string; handle?: string }
    if (type !== 'theme') return []
    return [
      {
        handle: handle ?? folder.name,
        type: 'theme_app_extension',
        activations: blocksIn(join(EXTENSIONS, folder.name, 'blocks')),
      },
    ]
  })
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
    const name = schema.name ?? file
    return {
      handle: file.replace('.liquid', ''),
      name,
      target,
      status: 'active' as const,
      activations: [{ target, themeId: THEME }],
    }
  })
}

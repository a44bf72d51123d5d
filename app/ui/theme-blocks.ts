import { useAppBridge } from '@shopify/app-bridge-react'
import { useEffect, useState } from 'react'

/** Whether the shop's published theme shows us, and where the merchant can change that. */
export type ThemeBlocks = {
  /** `unknown` until Shopify has answered, and where it does not say. */
  state: 'unknown' | 'active' | 'available'
  /** Names of the blocks that are in the theme. */
  active: string[]
  /** The theme editor, with our block ready to be placed. */
  editorUrl: string
}

/**
 * Asks App Bridge (`shopify.app.extensions`) once which of our theme blocks are placed in the published theme. With a block's handle
 * (its file's name), of that one alone.
 */
export function useThemeBlocks(apiKey: string, handle?: string): ThemeBlocks {
  const shopify = useAppBridge()
  const [blocks, setBlocks] = useState<Block[] | null>(null)
  useEffect(() => {
    let gone = false
    shopify.app
      .extensions()
      .then((extensions) => {
        const all = extensions.filter((one) => one.type === 'theme_app_extension').flatMap(readBlocks)
        if (!gone) setBlocks(all.filter((block) => handle === undefined || block.handle === handle))
      })
      // Not being told is a state of its own; the page works without.
      .catch(() => undefined)
    return () => {
      gone = true
    }
  }, [shopify, handle])
  const active = blocks?.filter((block) => block.active) ?? []
  return {
    state: blocks === null ? 'unknown' : active.length > 0 ? 'active' : 'available',
    active: active.map((block) => block.name),
    editorUrl: editorUrl(apiKey, blocks?.find((block) => !block.active) ?? blocks?.[0]),
  }
}

type Block = { handle: string; name: string; embed: boolean; active: boolean }

function readBlocks(extension: { activations: unknown }): Block[] {
  const activations = extension.activations as { handle: string; name: string; target: string; status: string }[]
  return activations.map(({ handle, name, target, status }) => ({
    handle,
    name,
    embed: target !== 'section',
    active: status === 'active',
  }))
}

/** `shopify://admin` leads into the merchant's own admin (App Bridge). Deep links as shopify.dev describes them ("Configure theme app extensions", 2026): a block is placed, an embed switched on. */
function editorUrl(apiKey: string, block: Block | undefined): string {
  const editor = `shopify://admin/themes/current/editor`
  if (!block) return `${editor}?context=apps`
  const id = `${apiKey}/${block.handle}`
  return block.embed
    ? `${editor}?context=apps&activateAppId=${id}`
    : `${editor}?template=index&addAppBlockId=${id}&target=newAppsSection`
}

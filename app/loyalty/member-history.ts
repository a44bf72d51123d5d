import { parseEventName } from './events.ts'
import { parseImportKey, sayBroughtFrom } from './imports.ts'
import type { Transfer, TransferReason } from './ledger.ts'
import { ENGLISH, type ShopperWords } from './shopper-words.ts'

/** One line of a member's history, as a shopper reads it. `points` is signed: what it meant for them. */
export type HistoryEntry = { at: string; label: string; points: number }

/** Moves between a member's own accounts mean nothing to a shopper, and what was spared never reached them. */
const SILENT: ReadonlySet<TransferReason> = new Set(['release', 'reserve', 'redeem_released', 'spared'])

/** The transfers of a member that mean something to them, in the order given. `sources` says where imports came from, by their id. */
export function describeTransfers(
  member: string,
  transfers: readonly Transfer[],
  sources: ReadonlyMap<string, string> = new Map(),
  words: ShopperWords = ENGLISH,
): HistoryEntry[] {
  const labels: Partial<Record<TransferReason, string>> = words.history
  return transfers
    .filter(({ reason }) => !SILENT.has(reason))
    .map(({ to, amount, reason, eventAt, key }) => ({
      at: new Date(eventAt).toISOString(),
      label: sayImport(key, sources, words) ?? sayActivity(key, reason) ?? labels[reason] ?? reason,
      points: to.startsWith(`member:${member}.`) ? amount : -amount,
    }))
}

/** "Feedback" for points of a custom activity of that name, which the merchant chose. */
function sayActivity(key: string, reason: TransferReason): string | null {
  const name = reason === 'custom' ? parseEventName(key) : null
  return name ? name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[-_]/g, ' ') : null
}

/** "Brought over from Smile.io", where the transfer is an import's or its undo's; a reason that the merchant typed is for the merchant alone. */
function sayImport(key: string, sources: ReadonlyMap<string, string>, words: ShopperWords): string | null {
  const source = sources.get(parseImportKey(key) ?? '')
  return source === undefined ? null : sayBroughtFrom(source, words)
}

/** A customer who wants to be forgotten. */
import type { Refusal } from './engine.ts'
import { changeLot, post, type Draft } from './ledger.ts'
import { everyLot } from './lots.ts'
import { formatInstant } from './time.ts'

/** Identity goes, the open balance is forfeited. */
export function erase(draft: Draft): Refusal | null {
  const { member } = draft
  if (member.erasedAt !== null) return null
  member.erasedAt = draft.at
  member.birthday = null
  member.customerState = null
  member.customerStateAt = null
  member.optedInAt = null
  member.signedUpAt = null
  member.segments = []
  member.activity = []
  member.lifetime = { points: 0, spendMinor: 0, spendRest: null, orders: 0 }
  const level = draft.program.tiers?.levels[0]?.id ?? null
  member.tier = { ...member.tier, level, history: [{ at: draft.at, level }], failingSince: null, manual: null }
  forfeit(draft)
  return null
}

/** All points of an erased member go, those below zero too, so that totals tie. Reserved ones are settled with their redemption. */
export function forfeit(draft: Draft): void {
  const { member } = draft
  const cause = draft.transfers.at(-1)?.key ?? formatInstant(draft.at)
  const posting = (part: string) => ({ key: `erase:${member.id}@${cause}${part}`, reason: 'erase' as const })
  post(draft, 'pending', 'shop.forfeited', member.pending, posting(':pending'))
  if (member.available > 0) post(draft, 'available', 'shop.forfeited', member.available, posting(''))
  else post(draft, 'shop.forfeited', 'available', -member.available, posting(''))
  member.deficit = 0
  for (const lot of everyLot(member)) {
    if (lot.pending === 0 && lot.available === 0) continue
    const emptied = changeLot(draft, lot)
    emptied.pending = 0
    emptied.available = 0
  }
}

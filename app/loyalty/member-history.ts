import type { Transfer, TransferReason } from './ledger.ts'

/** One line of a member's history, as a shopper reads it. `points` is signed: what it meant for them. */
export type HistoryEntry = { at: string; label: string; points: number }

/** Moves between a member's own accounts mean nothing to a shopper, and what was spared never reached them. */
const SILENT: ReadonlySet<TransferReason> = new Set(['release', 'reserve', 'redeem_released', 'spared'])

const LABELS: Partial<Record<TransferReason, string>> = {
  order: 'Order',
  signup: 'Sign-up',
  birthday: 'Birthday',
  review: 'Review',
  profile: 'Profile',
  referral: 'Referral',
  custom: 'Extra',
  tier_entry: 'New level',
  redeem: 'Reward',
  redeem_returned: 'Reward given back',
  redeem_kept: 'Reward used after all',
  expire: 'Expired',
  take_back: 'Refund',
  adjust: 'Adjustment by the shop',
  merge: 'From another account',
  erase: 'Erased',
}

/** The transfers of a member that mean something to them, in the order given. */
export function describeTransfers(member: string, transfers: readonly Transfer[]): HistoryEntry[] {
  return transfers
    .filter(({ reason }) => !SILENT.has(reason))
    .map(({ to, amount, reason, eventAt }) => ({
      at: new Date(eventAt).toISOString(),
      label: LABELS[reason] ?? reason,
      points: to.startsWith(`member:${member}.`) ? amount : -amount,
    }))
}

/**
 * A *transfer* moves whole points from one account to another: it is the only thing that changes a balance. Accounts are dotted paths, as DESIGN 3
 * names them. A *key* is made of the business fact behind a transfer, so that the same fact can be posted once only (SEMANTICS 20).
 */

/** The shop's accounts: where points come from and go to. */
export type ShopAccount =
  | 'shop.issued'
  | 'shop.redeemed'
  | 'shop.taken_back'
  | 'shop.expired'
  | 'shop.forfeited'
  | 'shop.adjusted'
  | 'shop.written_off'

/** A member's accounts; `<id>` is the customer's gid. `available` alone may be below zero. */
export type MemberAccount = `member:${string}.available` | `member:${string}.pending` | `member:${string}.reserved`

export type Account = ShopAccount | MemberAccount

/** Why points moved, in fixed words. */
export type TransferReason =
  | 'order'
  | 'release'
  | 'signup'
  | 'birthday'
  | 'review'
  | 'profile'
  | 'referral'
  | 'custom'
  | 'tier_entry'
  | 'reserve'
  | 'redeem'
  | 'redeem_released'
  | 'redeem_returned'
  | 'redeem_kept'
  | 'expire'
  | 'take_back'
  | 'spared'
  | 'adjust'
  | 'merge'
  | 'erase'

/** One row of the ledger. Nothing is ever updated or deleted; a correction is a new transfer that names the old one in `reverses`. */
export type Transfer = {
  /** Unique, and the same each time the same events are applied: `order:<gid>@<updated_at>`, `redeem:<id>`, `birthday:<member>:<year>`, … */
  key: string
  from: Account
  to: Account
  /** Whole points, above 0. */
  amount: number
  /** The instant of the fact, not of its writing. */
  eventAt: number
  reason: TransferReason
  /** What the points are about: an order's gid, a redemption's id, an event's key; null for the balance as a whole. */
  source: string | null
  /** The key of the transfer that this one undoes, in part or in full. */
  reverses: string | null
}

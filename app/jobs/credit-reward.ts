import { deriveCode } from '#app/db/codes.server.ts'
import { loadRedemptions, noteCreditAsked } from '#app/db/redemptions.server.ts'
import { parseMoney } from '#app/loyalty/money.ts'
import type { Redemption } from '#app/loyalty/rewards.ts'
import { AdminApiError } from '#app/shopify/admin-api.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { giveGiftCard, giveStoreCredit, listCredits } from '#app/shopify/store-credit.server.ts'
import type { Credit, Money } from '#app/shopify/store-credit.server.ts'
import { findMerges } from './reconcile-customers.ts'

/**
 * Rewards that are credited instead of used at checkout: store credit and gift cards. What the redemption keeps as its code is the
 * number of the credit at Shopify, or the gift card's own code.
 */

/** A credit that cannot be found this long after it was asked for was never given. It is longer than anybody waits for an answer. */
const CREDIT_SETTLES_MS = 120_000
/** A customer whom Shopify does not have, and of whom this long nobody could say into whom they were merged, was deleted. */
const MERGE_TELLS_MS = 2 * 24 * 3_600_000

/**
 * `given`: commit the redemption with this code. `refused`: Shopify will not do it and nothing was given, so release the points.
 * `unknown`: an earlier try may have got through, so release nothing and ask again later.
 */
export type Credited =
  { outcome: 'given'; code: string } | { outcome: 'refused'; detail: string } | { outcome: 'unknown'; detail: string }

/** Gives the reward of a redemption once, however often and by however many processes it is asked for. */
export async function creditReward(
  admin: AdminClient,
  shopId: number,
  redemption: Redemption,
  currency: string,
  at: number,
): Promise<Credited> {
  if (redemption.value === null) return { outcome: 'refused', detail: 'a credit without an amount' }
  const money = { amount: redemption.value, currency }
  const { isFirst, askedAt } = await noteCreditAsked(shopId, redemption.id, at)
  try {
    if (redemption.type === 'gift-card') return await creditGiftCard(admin, shopId, redemption, money)
    if (isFirst) return await creditStoreCredit(admin, redemption, money)
    return await lookForStoreCredit(admin, shopId, redemption, money, at - askedAt)
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    // Only the first to ask knows what became of the request. A refusal tells the others nothing about it: that first request may be
    // under way still, or done.
    const mayHaveHappened = !isFirst || error.mayHaveHappened
    return { outcome: mayHaveHappened ? 'unknown' : 'refused', detail: error.message }
  }
}

/**
 * The card's code is derived from the redemption: however often it is asked for, there is one card. Whoever has a gift card is not merged
 * (shopify.dev, CustomerMergeErrorFieldType), so that a card that was made does not change hands.
 */
async function creditGiftCard(
  admin: AdminClient,
  shopId: number,
  redemption: Redemption,
  money: Money,
): Promise<Credited> {
  const code = deriveCode(`gift-card:${shopId}:${redemption.id}`, 16)
  const given = await giveGiftCard(admin, redemption.member, money, code)
  if (given.ok || given.reason === 'taken') return { outcome: 'given', code }
  return { outcome: 'refused', detail: given.detail }
}

/** Shopify has no key that makes this happen only once, so only the first process may ask for it. */
async function creditStoreCredit(admin: AdminClient, redemption: Redemption, money: Money): Promise<Credited> {
  const given = await giveStoreCredit(admin, redemption.member, money)
  return given.ok
    ? { outcome: 'given', code: creditCode(given.transactionId) }
    : { outcome: 'refused', detail: given.detail }
}

/** All other processes only look whether it was given. */
async function lookForStoreCredit(
  admin: AdminClient,
  shopId: number,
  redemption: Redemption,
  money: Money,
  askedForMs: number,
): Promise<Credited> {
  const credits = await listCredits(admin, redemption.member)
  if (credits === null) return lookForMerge(admin, shopId, redemption, askedForMs)
  const credit = await findUnclaimed(credits, shopId, redemption, money)
  if (credit) return { outcome: 'given', code: credit }
  if (askedForMs < CREDIT_SETTLES_MS) return { outcome: 'unknown', detail: 'waiting for Shopify to settle' }
  return { outcome: 'refused', detail: 'Shopify never gave the credit' }
}

/**
 * Shopify does not have the member. It merges nobody who has store credit, but whoever has spent theirs. If the member was merged away, what
 * was given stands with another customer now, and so will the redemption as soon as the merge is taken in.
 */
async function lookForMerge(
  admin: AdminClient,
  shopId: number,
  redemption: Redemption,
  askedForMs: number,
): Promise<Credited> {
  const { merged } = await findMerges(shopId, admin, [redemption.member])
  if (merged.has(redemption.member)) return { outcome: 'unknown', detail: 'waiting for the merge of this customer' }
  const detail = 'Shopify no longer has this customer'
  return { outcome: askedForMs < MERGE_TELLS_MS ? 'unknown' : 'refused', detail }
}

/** A credit of this amount, given since the points were reserved, that belongs to no other redemption. */
async function findUnclaimed(
  credits: readonly Credit[],
  shopId: number,
  redemption: Redemption,
  money: Money,
): Promise<string | null> {
  const wanted = parseMoney(money.amount, money.currency)
  const fitting = credits.filter(
    ({ createdAt, amount, currency }) =>
      // Shopify's instants are whole seconds, and its clock may be a little behind ours.
      createdAt >= redemption.reservedAt - 5_000 &&
      currency === money.currency &&
      parseMoney(amount, currency) === wanted,
  )
  // Shopify lists the newest first; the oldest credit that belongs to nobody is the likeliest to be this one.
  const codes = fitting.map(({ id }) => creditCode(id)).reverse()
  const claimed = new Set((await loadRedemptions(shopId, { codes })).map(({ code }) => code))
  return codes.find((code) => !claimed.has(code)) ?? null
}

/** Stands where other redemptions have their code. No shopper sees it. */
function creditCode(transactionId: string): string {
  return `CREDIT-${transactionId.split('/').at(-1)}`
}

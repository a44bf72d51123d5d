import { now } from '#app/clock.server.ts'
import { deriveCode, findCodeOf, freeCodeOf, freeOrphanedCodes, markCodesGone } from '#app/db/codes.server.ts'
import { isOutOfReach } from '#app/db/errors.server.ts'
import { enqueueEffects } from '#app/db/outbox.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { findRedemption, listUnsettled, noteFailedTry } from '#app/db/redemptions.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { describeError, logError } from '#app/log.server.ts'
import type { Event, Refusal } from '#app/loyalty/engine.ts'
import { REDEMPTION_PREFIX } from '#app/loyalty/ids.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import type { Program, Reward } from '#app/loyalty/program.ts'
import { givesCode } from '#app/loyalty/rewards.ts'
import type { Redemption } from '#app/loyalty/rewards.ts'
import { AdminApiError, isWithoutSession } from '#app/shopify/admin-api.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { deleteCodes, findCode, findOrderWithCode, type FoundCode } from '#app/shopify/discounts.server.ts'
import { creditReward } from './credit-reward.ts'
import { issueCode } from './issue-code.ts'

/**
 * Redemptions from the request to their end. To *settle* a redemption is to take it one step further: reserved points become a code or
 * go back; a code that ran out or was cancelled is deleted at Shopify, and then its points go back. The shopper's request settles its
 * own redemption at once. A job settles those that were left behind, so that after a crash at any point there is either a code and
 * spent points, or no code and returned points.
 */

/** A reservation older than this was left behind by a process that died. While it is younger, its request may still be at work. */
export const LEFT_BEHIND_MS = 60_000
/** After this long without a code the points go back, whatever Shopify may still say. */
export const GIVE_UP_MS = 15 * 60_000

/** Why a shopper gets nothing: the rules or the shop refuse. In every case the points are where they were. */
export type RedeemRefusal = Refusal | 'no_program' | 'shop_unavailable' | 'shop_busy'
/** What became of a wish to redeem. */
export type Redeemed = { ok: true; redemption: Redemption } | { ok: false; reason: RedeemRefusal }

/**
 * Redeems a reward for a member: reserves the points, gets hold of a code, commits. The same `key` again gives the same redemption,
 * whatever has become of it meanwhile; the same key with another wish is refused as `key_used_with_other_data`. Where the shop refuses,
 * the points are released. A redemption that comes back still `reserved` is settled later by the job.
 */
export async function redeem(
  shop: Shop,
  admin: AdminClient,
  wish: { member: string; reward: string; points?: number; key: string },
): Promise<Redeemed> {
  const at = now()
  const id = redemptionId(shop.id, wish.member, wish.key)
  const reserve: Event = { type: 'reserve', at, customer: wish.member, id, reward: wish.reward, points: wish.points }
  const reserved = await applyEvents(shop.id, [reserve], at)
  if (!reserved.ok) return reserved
  const refused = reserved.changes[0]?.refused
  if (refused) return { ok: false, reason: refused }
  const redemption = await findRedemption(shop.id, id)
  if (!redemption) throw new Error(`redemption ${id} of shop ${shop.id} was reserved and cannot be found`)
  // This key was used before: the answer is what has become of that redemption.
  if (redemption.state !== 'reserved') return { ok: true, redemption }
  return settleReserved(shop, admin, { ...redemption, attempts: 0 }, { giveUp: true })
}

/** The id of the redemption that a member asks for with a key: the same at every try, and nobody else can make it. */
export function redemptionId(shopId: number, member: string, key: string): string {
  return REDEMPTION_PREFIX + deriveCode(`redemption-id:${shopId}:${member}:${key}`, 26).toLowerCase()
}

/**
 * Gets a code for a reserved redemption, or gives its points back. With `giveUp`, the points go back as soon as Shopify is out of reach,
 * because a shopper is waiting for an answer. A redemption that is no longer reserved is returned as it stands.
 */
export async function settleReserved(
  shop: Shop,
  admin: AdminClient,
  redemption: Redemption & { attempts: number },
  { giveUp }: { giveUp: boolean },
): Promise<Redeemed> {
  if (redemption.state !== 'reserved') return { ok: true, redemption }
  const offered = await findOffer(shop.id, redemption)
  if (!offered) return release(shop, redemption, 'unknown_reward')
  if (!givesCode(redemption.type)) return settleCredit(shop, admin, redemption, offered.program.currency)
  try {
    const issued = await issueCode(admin, shop.id, redemption, offered, now())
    if (issued.ok) return commit(shop, redemption, issued.code)
    if (issued.reason === 'refused' || giveUp) {
      return release(shop, redemption, issued.reason === 'busy' ? 'shop_busy' : 'shop_unavailable', issued.detail)
    }
    await noteFailedTry(shop.id, redemption.id, issued.detail, now())
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    if (giveUp || !error.passing) {
      return release(shop, redemption, error.reason === 'throttled' ? 'shop_busy' : 'shop_unavailable', error.message)
    }
    await noteFailedTry(shop.id, redemption.id, error.message, now())
  }
  return { ok: true, redemption }
}

/** Money that was given cannot be taken back. So where a try may have got through, the redemption stays reserved and the job finds out. */
async function settleCredit(
  shop: Shop,
  admin: AdminClient,
  redemption: Redemption & { attempts: number },
  currency: string,
): Promise<Redeemed> {
  const credited = await creditReward(admin, shop.id, redemption, currency, now())
  // Another redemption of the same worth may have taken this credit for its own. Then that one's credit is for this one, and the job finds it.
  if (credited.outcome === 'given') return commit(shop, redemption, credited.code, ['code_taken'])
  if (credited.outcome === 'refused') return release(shop, redemption, 'shop_unavailable', credited.detail)
  if (redemption.attempts > 0) await noteFailedTry(shop.id, redemption.id, credited.detail, now())
  return { ok: true, redemption }
}

/** The program that sold the reward: the version in force when the points were reserved. */
async function findOffer(shopId: number, redemption: Redemption): Promise<{ program: Program; reward: Reward } | null> {
  const programs = await loadPrograms(shopId)
  if (!programs) return null
  const { program } = versionAt(programs, redemption.reservedAt)
  const reward = program.rewards.find(({ id }) => id === redemption.reward)
  return reward ? { program, reward } : null
}

async function commit(
  shop: Shop,
  redemption: Redemption,
  code: string,
  keepsOn: readonly Refusal[] = [],
): Promise<Redeemed> {
  const at = now()
  const committed = await applyEvents(shop.id, [{ type: 'commit', at, id: redemption.id, code }], at)
  if (!committed.ok) return committed
  const refused = committed.changes[0]?.refused
  const settled = (await findRedemption(shop.id, redemption.id)) ?? redemption
  if (refused && keepsOn.includes(refused)) return { ok: true, redemption: settled }
  // The rules refuse (the member may have been erased meanwhile): the points go back.
  if (refused && settled.state === 'reserved') return release(shop, redemption, refused)
  // Another process settled it meanwhile. What that one wrote holds, and a code that nobody saw goes back to the pool.
  if (refused) await freeCodeOf(shop.id, redemption.id)
  return settled.state === 'returned' ? { ok: false, reason: 'shop_unavailable' } : { ok: true, redemption: settled }
}

async function release(shop: Shop, redemption: Redemption, reason: RedeemRefusal, detail = ''): Promise<Redeemed> {
  const at = now()
  const released = await applyEvents(shop.id, [{ type: 'release', at, id: redemption.id }], at)
  if (!released.ok) return released
  const settled = (await findRedemption(shop.id, redemption.id)) ?? redemption
  if (settled.state !== 'returned') return { ok: true, redemption: settled }
  await freeCodeOf(shop.id, redemption.id)
  if (detail) await noteFailedTry(shop.id, redemption.id, detail, at)
  return { ok: false, reason }
}

/** What became of the wish to give a code back. One that is `ending` waits for Shopify and is settled by the job. */
export type Cancelled = { ok: true; redemption: Redemption } | { ok: false; reason: Refusal | 'no_program' }

/** Gives an unused code back for its points. The points come once Shopify has confirmed that the code is gone and was not used. */
export async function cancelRedemption(shop: Shop, admin: AdminClient, redemption: Redemption): Promise<Cancelled> {
  if (redemption.code === null) return { ok: false, reason: 'unknown_code' }
  const at = now()
  const cancelled = await applyEvents(shop.id, [{ type: 'cancel-redemption', at, code: redemption.code }], at)
  if (!cancelled.ok) return cancelled
  const refused = cancelled.changes[0]?.refused
  if (refused) return { ok: false, reason: refused }
  const ending = await findRedemption(shop.id, redemption.id)
  if (ending?.state !== 'ending') return { ok: true, redemption: ending ?? redemption }
  try {
    return { ok: true, redemption: await settleEnding(shop, admin, ending) }
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return { ok: true, redemption: ending }
  }
}

/**
 * Takes a code that ran out or was cancelled out of use: deletes it at Shopify, makes sure that it is gone and that no order has it,
 * and only then gives the points back. An order that has it is fetched: it marks the code used. Returns the redemption as it stands
 * then; throws AdminApiError where Shopify cannot be asked.
 */
export async function settleEnding(shop: Shop, admin: AdminClient, redemption: Redemption): Promise<Redemption> {
  const { code } = redemption
  if (redemption.state !== 'ending' || code === null) return redemption
  const known = await findCode(admin, code)
  if (known) {
    if ((await usedBy(shop, admin, code)) !== null || known.uses > 0) return redemption
    await deleteCode(shop, admin, redemption.id, known)
    if (!(await isGone(admin, code))) return redemption
  }
  // Gone. An order that was placed a moment before the code went is still an order with the code.
  if ((await usedBy(shop, admin, code)) !== null) return redemption
  // First, as nobody comes back for it once the redemption has ended.
  await markCodesGone(shop.id, [code])
  const at = now()
  await applyEvents(shop.id, [{ type: 'code-gone', at, code }], at)
  return (await findRedemption(shop.id, redemption.id)) ?? redemption
}

/** The order that used the code, if any. It is queued to be fetched, because its webhook may be late or lost. */
async function usedBy(shop: Shop, admin: AdminClient, code: string): Promise<string | null> {
  const order = await findOrderWithCode(admin, code)
  if (order !== null) {
    await enqueueEffects(
      shop.id,
      [{ kind: 'refetch-order', key: order, payload: { kind: 'refetch-order', order } }],
      now(),
    )
  }
  return order
}

async function deleteCode(shop: Shop, admin: AdminClient, redemptionId: string, known: FoundCode): Promise<void> {
  const redeemCodeId = known.redeemCodeId ?? (await findCodeOf(shop.id, redemptionId))?.gid
  if (!redeemCodeId)
    throw new Error(`redemption ${redemptionId} of shop ${shop.id}: its code has no id to delete it by`)
  await deleteCodes(admin, known.discountId, [redeemCodeId])
}

/** Shopify deletes codes in the background; usually it takes a moment. */
async function isGone(admin: AdminClient, code: string): Promise<boolean> {
  for (let look = 0; look < 4; look++) {
    if (look > 0) await new Promise((resolve) => setTimeout(resolve, 300))
    if ((await findCode(admin, code)) === null) return true
  }
  return false
}

/** What a run of the job did. */
export type SettleRun = { issued: number; returned: number; left: number; freedCodes: number }

/**
 * Settles what was left behind in one shop: at most `limit` redemptions, those tried least recently first. Where Shopify fails, the run
 * ends, as the next redemption would fare no better. Where we fail, that is noted and the next one is tried. Safe to run twice, late, or
 * beside another run. Rejects when the database is out of reach, or when there is no session to call Shopify with.
 */
export async function settleRedemptions(shop: Shop, admin: AdminClient, limit = 100): Promise<SettleRun> {
  const run: SettleRun = { issued: 0, returned: 0, left: 0, freedCodes: 0 }
  const at = now()
  for (const redemption of await listUnsettled(shop.id, { reservedBefore: at - LEFT_BEHIND_MS, at, limit })) {
    const state = await settleOne(shop, admin, redemption, at)
    if (state === 'unavailable') {
      run.left += 1
      break
    }
    if (state === 'issued' || state === 'used') run.issued += 1
    else if (state === 'returned') run.returned += 1
    else run.left += 1
  }
  run.freedCodes = await freeOrphanedCodes(shop.id)
  return run
}

async function settleOne(
  shop: Shop,
  admin: AdminClient,
  redemption: Redemption & { attempts: number },
  at: number,
): Promise<Redemption['state'] | 'unavailable'> {
  try {
    if (redemption.state === 'reserved') {
      const settled = await settleReserved(shop, admin, redemption, { giveUp: at - redemption.reservedAt > GIVE_UP_MS })
      return settled.ok ? settled.redemption.state : 'returned'
    }
    const settled = await settleEnding(shop, admin, redemption)
    if (settled.state === 'ending') await noteFailedTry(shop.id, redemption.id, 'Shopify still has the code', now())
    return settled.state
  } catch (error) {
    if (isOutOfReach(error) || isWithoutSession(error)) throw error
    // The note also puts it behind those that were last tried longer ago.
    const isShopifys = error instanceof AdminApiError
    await noteFailedTry(shop.id, redemption.id, isShopifys ? error.message : describeError(error), now())
    if (isShopifys) return 'unavailable'
    logError(`redemption ${redemption.id} of shop ${shop.id} cannot be settled`, error)
    return redemption.state
  }
}

import { now } from '#app/clock.server.ts'
import { whileAlone } from '#app/db/alone.server.ts'
import {
  POOL_TARGET,
  askCodes,
  confirmCodes,
  findPool,
  forgetDiscount,
  keepFilling,
  listCodesHeld,
  listLivePools,
  listPoolsOfReward,
  listPoolsToFill,
  markCodesGone,
  requirePool,
  retirePools,
} from '#app/db/codes.server.ts'
import type { Pool } from '#app/db/codes.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { fixedValue, termsOfReward } from '#app/loyalty/discount-terms.ts'
import type { DiscountTerms } from '#app/loyalty/discount-terms.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import type { Program, Reward } from '#app/loyalty/program.ts'
import { givesCode } from '#app/loyalty/rewards.ts'
import { AdminApiError } from '#app/shopify/admin-api.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import {
  CODES_PER_CALL_MAX,
  addCodes,
  findCode,
  keepDiscountLive,
  readCodeCreation,
} from '#app/shopify/discounts.server.ts'
import { VARIABLE_POOL_TARGET, makeParent, poolKey, poolLock, readDearest, valueOfPool } from './issue-code.ts'

/**
 * Keeps codes in stock, so that a shopper who redeems need not wait for Shopify: for every fixed reward of the program, and for each value
 * of a variable reward that somebody has taken before. Rewards that are no longer offered keep none. Every step may be repeated: codes
 * are stored before Shopify hears of them, so a code that Shopify calls "taken" is our own.
 */

/** How many calls, of at most 100 codes each, one run makes for one pool. */
const ROUNDS = 20
/** How often a creation that is under way is looked at within one run. */
const LOOKS = 20
const LOOK_EVERY_MS = 250
/** Codes that are cancelled in one transaction. */
const HELD_AT_ONCE = 200

/** How many pools a run looked at, how many it filled, and how many it could not. */
export type FillRun = { pools: number; filled: number; failed: number }

/** Fills the pools of one shop by its program in force. Shopify being away ends the run; the next one goes on. */
export async function fillCodePools(shop: Shop, admin: AdminClient): Promise<FillRun> {
  const run: FillRun = { pools: 0, filled: 0, failed: 0 }
  const programs = await loadPrograms(shop.id)
  const at = now()
  await tendDiscounts(shop, admin)
  if (!programs) return run
  const { program } = versionAt(programs, at)
  const offered = await requireOfferedPools(shop, admin, program, at)
  await retirePools(
    shop.id,
    offered.map(({ pool }) => pool),
    at,
  )
  const terms = new Map(offered.map((offer) => [offer.pool.id, offer.terms]))
  for (const pool of await listPoolsToFill(shop.id)) {
    const promised = terms.get(pool.id)
    if (!promised) continue
    run.pools += 1
    // Another process is filling this pool: leave it to that one.
    const filled = await whileAlone(poolLock(shop.id, pool.id), 0, () => fillPool(shop, admin, pool.id, promised))
    if (filled === true) run.filled += 1
    else if (filled === false) run.failed += 1
  }
  return run
}

/**
 * Keeps the parent discounts as shoppers were promised them: one that the merchant deactivated in Shopify is activated again. Where one was
 * deleted, its codes died with it. None of them is handed out any more, and those that shoppers hold are cancelled, so that their points come
 * back once Shopify has confirmed that they are gone and unused. What the program still offers gets a new parent.
 */
async function tendDiscounts(shop: Shop, admin: AdminClient): Promise<void> {
  for (const { id, discountGid } of await listLivePools(shop.id)) {
    const live = await keepDiscountLive(admin, discountGid).catch((error: unknown) => {
      if (error instanceof AdminApiError) return null
      throw error
    })
    // Not known now: the next run asks again.
    if (live === null) return
    if (live) continue
    // The pool goes last: as long as it is there, a run that was cut short is found and finished.
    for (;;) {
      const held = await listCodesHeld(shop.id, id, HELD_AT_ONCE)
      if (held.length === 0) break
      const at = now()
      const events = held.map((code) => ({ type: 'cancel-redemption' as const, at, code }))
      const applied = await applyEvents(shop.id, events, at)
      if (!applied.ok || applied.changes.every(({ refused }) => refused !== null)) break
    }
    await forgetDiscount(shop.id, id, now())
  }
}

/** A pool for everything the program offers now, with its terms. */
async function requireOfferedPools(
  shop: Shop,
  admin: AdminClient,
  program: Program,
  at: number,
): Promise<{ pool: Pool; terms: DiscountTerms }[]> {
  const offered: { pool: Pool; terms: DiscountTerms }[] = []
  for (const reward of program.rewards) {
    if (!givesCode(reward.type)) continue
    for (const { value, terms, target } of await termsOffered(shop, admin, program, reward)) {
      offered.push({ terms, pool: await requirePool(shop.id, poolKey(reward, value, terms, target), at) })
    }
  }
  return offered
}

async function termsOffered(
  shop: Shop,
  admin: AdminClient,
  program: Program,
  reward: Reward,
): Promise<{ value: string | null; terms: DiscountTerms; target: number }[]> {
  if (reward.variable) {
    const pools = await listPoolsOfReward(shop.id, reward.id)
    const values = [...new Set(pools.map(valueOfPool).filter((value) => value !== null))]
    return values.map((value) => ({
      value,
      terms: termsOfReward(program, reward, value),
      target: VARIABLE_POOL_TARGET,
    }))
  }
  if (reward.type === 'product') {
    const dearest = await readDearest(admin, program, reward)
    if (dearest === null) return []
    return [{ value: dearest, terms: termsOfReward(program, reward, null, dearest), target: POOL_TARGET }]
  }
  const value = fixedValue(program, reward)
  return [{ value, terms: termsOfReward(program, reward, value), target: POOL_TARGET }]
}

/** Fills one pool to its target. Returns false where Shopify refused or was not done in time; the pool says why. */
async function fillPool(shop: Shop, admin: AdminClient, poolId: string, terms: DiscountTerms): Promise<boolean> {
  try {
    const parent = await makeParent(admin, shop.id, poolId, terms, now())
    if (!parent.ok) {
      await keepFilling(shop.id, poolId, null, parent.detail, now())
      return false
    }
    const pool = await findPool(shop.id, poolId)
    if (pool?.creationGid && !(await finishCreation(shop, admin, poolId, pool.creationGid))) return false
    for (let round = 0; round < ROUNDS; round++) {
      const codes = await askCodes(shop.id, poolId, CODES_PER_CALL_MAX, now())
      if (codes.length === 0) return true
      const added = await addCodes(admin, parent.discountGid, codes)
      if (!added.ok && added.reason === 'code_taken') {
        await confirmTaken(shop, admin, codes)
        continue
      }
      if (!added.ok) {
        // The merchant deleted the discount in Shopify: its codes died with it. The next run makes a new one.
        if (/discount_?id|discount does not exist/i.test(added.detail)) await forgetDiscount(shop.id, poolId, now())
        await keepFilling(shop.id, poolId, null, added.detail, now())
        return false
      }
      await keepFilling(shop.id, poolId, added.creationId, null, now())
      if (!(await finishCreation(shop, admin, poolId, added.creationId))) return false
    }
    return false
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    const kept = await findPool(shop.id, poolId)
    await keepFilling(shop.id, poolId, kept?.creationGid ?? null, error.message, now())
    return false
  }
}

/** Waits for a creation and takes over what came of it. Returns false where it is not done yet: the next run looks again. */
async function finishCreation(shop: Shop, admin: AdminClient, poolId: string, creationGid: string): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    const creation = await readCodeCreation(admin, creationGid, CODES_PER_CALL_MAX)
    if (creation && !creation.done) continue
    if (creation) {
      await confirmCodes(
        shop.id,
        creation.added.map(({ code, redeemCodeId }) => ({ code, gid: redeemCodeId })),
      )
      await confirmTaken(shop, admin, creation.taken)
      await markCodesGone(
        shop.id,
        creation.refused.map(({ code }) => code),
      )
    }
    // A creation that Shopify has forgotten is over too: its codes are asked for again, and found taken.
    await keepFilling(shop.id, poolId, null, creation?.refused[0]?.detail ?? null, now())
    return true
  }
  return false
}

/** Codes that exist already came from an earlier try of ours whose answer was lost; one that cannot be found is asked for again. */
async function confirmTaken(shop: Shop, admin: AdminClient, codes: string[]): Promise<void> {
  for (const code of codes) {
    const found = await findCode(admin, code)
    if (found) await confirmCodes(shop.id, [{ code, gid: found.redeemCodeId }])
  }
}

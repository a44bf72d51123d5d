import { createHash } from 'node:crypto'
import { whileAlone } from '#app/db/alone.server.ts'
import {
  POOL_TARGET,
  askCodeFor,
  askFirstCode,
  confirmCode,
  confirmCodes,
  findPool,
  findPoolOfReward,
  forgetDiscount,
  keepDiscount,
  requirePool,
  takeCode,
} from '#app/db/codes.server.ts'
import type { Code, Pool } from '#app/db/codes.server.ts'
import { termsOfReward } from '#app/loyalty/discount-terms.ts'
import type { DiscountTerms } from '#app/loyalty/discount-terms.ts'
import { parseDecimal } from '#app/loyalty/money.ts'
import type { Program, Reward } from '#app/loyalty/program.ts'
import type { Redemption } from '#app/loyalty/rewards.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import {
  addCodes,
  createRewardDiscount,
  findCode,
  readCodeCreation,
  readDearestPrices,
} from '#app/shopify/discounts.server.ts'

/**
 * Gets a code that Shopify knows for a redemption whose points are reserved: from the pool where it has one, else from Shopify while the
 * shopper waits. Every step may be repeated after a crash: the code is stored before Shopify hears of it, so a code that Shopify calls
 * "taken" is our own.
 */

/** Codes kept in stock for a value of a variable reward, once somebody has taken that value. */
export const VARIABLE_POOL_TARGET = 5
/** How long to wait for a code that Shopify adds in the background. */
const ADDING_WAIT_MS = 5_000
const ADDING_POLL_MS = 250
/** Discounts begin a little before now, so that a code is good at once even where Shopify's clock is behind ours. */
const CLOCK_TOLERANCE_MS = 60_000
/** How long to wait for somebody who is making the same parent discount. */
const ALONE_WAIT_MS = 6_000

/**
 * Why there is no code: `refused` for good (the reward is impossible at Shopify, for instance because its product is gone), `busy` for the
 * moment, or `gone` because the parent discount was deleted.
 */
export type Impossible = { ok: false; reason: 'refused' | 'busy' | 'gone'; detail: string }

/**
 * The code of a redemption, known to Shopify. Throws AdminApiError where Shopify cannot be asked; the code that was asked for stays stored,
 * so that the next call asks for the same one.
 */
export async function issueCode(
  admin: AdminClient,
  shopId: number,
  redemption: Redemption,
  { program, reward }: { program: Program; reward: Reward },
  at: number,
): Promise<{ ok: true; code: string } | Impossible> {
  const found = await poolFor(admin, shopId, { program, reward, value: redemption.value }, at)
  if (!found.ok) return found
  const { pool, terms } = found
  const taken = await takeCode(shopId, pool.id, redemption.id, at)
  if (taken && taken.state !== 'asked') return { ok: true, code: taken.code }

  const parent = await requireParent(admin, shopId, pool.id, terms, at)
  if (!parent.ok) return parent
  // Making the parent made its first code: it may be ours.
  const first = taken ?? (await takeCode(shopId, pool.id, redemption.id, at))
  if (first && first.state !== 'asked') return { ok: true, code: first.code }
  const asked = first ?? (await askCodeFor(shopId, pool.id, redemption.id, at))
  const added = await addOneCode(admin, shopId, parent.discountGid, asked)
  if (added.ok || added.reason !== 'gone') return added
  // The merchant deleted the discount: one new parent, one more try.
  await forgetDiscount(shopId, pool.id, at)
  const second = await requireParent(admin, shopId, pool.id, terms, at)
  return second.ok ? addOneCode(admin, shopId, second.discountGid, asked) : second
}

/** The pool that a redemption takes its code from, with its terms. */
async function poolFor(
  admin: AdminClient,
  shopId: number,
  { program, reward, value }: { program: Program; reward: Reward; value: string | null },
  at: number,
): Promise<{ ok: true; pool: Pool; terms: DiscountTerms } | Impossible> {
  const target = reward.variable ? VARIABLE_POOL_TARGET : POOL_TARGET
  if (reward.type !== 'product') {
    const terms = termsOfReward(program, reward, value)
    return { ok: true, terms, pool: await requirePool(shopId, poolKey(reward, value, terms, target), at) }
  }
  // Prices of free products change, and the job that fills pools follows them. Shopify is asked only where there is no pool at all.
  const known = await findPoolOfReward(shopId, reward.id)
  const dearest = known ? valueOfPool(known) : await readDearest(admin, program, reward)
  if (dearest === null) return { ok: false, reason: 'refused', detail: 'none of the free products exists any more' }
  const terms = termsOfReward(program, reward, null, dearest)
  return { ok: true, terms, pool: await requirePool(shopId, poolKey(reward, dearest, terms, target), at) }
}

/** What the dearest of the reward's free products costs now, null where none exists. */
export async function readDearest(admin: AdminClient, program: Program, reward: Reward): Promise<string | null> {
  const prices = await readDearestPrices(admin, [...(reward.products ?? [])])
  const minor = (price: string) => parseDecimal(price, program.exponent) ?? 0
  return prices.reduce<string | null>(
    (dear, price) => (dear === null || minor(price) > minor(dear) ? price : dear),
    null,
  )
}

/** What names a pool: reward, and the value in clear before a hash of all its terms: "5.00|3f2a…". */
export function poolKey(
  reward: Reward,
  value: string | null,
  terms: DiscountTerms,
  target: number,
): { rewardId: string; terms: string; title: string; target: number } {
  const hash = createHash('sha256').update(JSON.stringify(terms)).digest('hex').slice(0, 32)
  return { rewardId: reward.id, terms: `${value ?? ''}|${hash}`, title: terms.title, target }
}

/** The value in a pool's name: money, a percentage, or what a free product costs; null for shipping. */
export function valueOfPool(pool: Pool): string | null {
  return pool.terms.split('|')[0] || null
}

/** The parent discount of a pool, created where there is none: by one process, for which the others wait. */
export async function requireParent(
  admin: AdminClient,
  shopId: number,
  poolId: string,
  terms: DiscountTerms,
  at: number,
): Promise<{ ok: true; discountGid: string } | Impossible> {
  const known = (await findPool(shopId, poolId))?.discountGid
  if (known) return { ok: true, discountGid: known }
  const made = await whileAlone(poolLock(shopId, poolId), ALONE_WAIT_MS, () =>
    makeParent(admin, shopId, poolId, terms, at),
  )
  return made ?? { ok: false, reason: 'busy', detail: 'somebody else is making this discount' }
}

/** The name of the lock under which a pool's discount and codes are made. */
export function poolLock(shopId: number, poolId: string): string {
  return `code-pool:${shopId}:${poolId}`
}

/** As `requireParent`, for a caller that holds the pool's lock already. */
export async function makeParent(
  admin: AdminClient,
  shopId: number,
  poolId: string,
  terms: DiscountTerms,
  at: number,
): Promise<{ ok: true; discountGid: string } | Impossible> {
  const known = (await findPool(shopId, poolId))?.discountGid
  if (known) return { ok: true, discountGid: known }
  const code = await askFirstCode(shopId, poolId, at)
  const created = await createRewardDiscount(admin, terms, code, at - CLOCK_TOLERANCE_MS)
  if (created.ok) {
    await keepDiscount(shopId, poolId, created.discountId, at)
    await confirmCodes(shopId, [{ code, gid: created.redeemCodeId }])
    return { ok: true, discountGid: created.discountId }
  }
  // An earlier try got through and its answer was lost: the discount that has our code is ours.
  const found = created.reason === 'code_taken' ? await findCode(admin, code) : null
  if (!found) return { ok: false, reason: 'refused', detail: created.detail }
  await keepDiscount(shopId, poolId, found.discountId, at)
  await confirmCodes(shopId, [{ code, gid: found.redeemCodeId }])
  return { ok: true, discountGid: found.discountId }
}

async function addOneCode(
  admin: AdminClient,
  shopId: number,
  discountGid: string,
  { code }: Code,
): Promise<{ ok: true; code: string } | Impossible> {
  const added = await addCodes(admin, discountGid, [code])
  if (!added.ok && added.reason !== 'code_taken') {
    return {
      ok: false,
      reason: /discount_?id|discount does not exist/i.test(added.detail) ? 'gone' : 'refused',
      detail: added.detail,
    }
  }
  const gid = added.ok ? await waitForCode(admin, added.creationId) : 'taken'
  if (gid === 'refused') return { ok: false, reason: 'refused', detail: 'Shopify refused the code' }
  if (gid === 'late') return { ok: false, reason: 'busy', detail: 'Shopify is still adding the code' }
  await confirmCode(shopId, code, gid === 'taken' ? ((await findCode(admin, code))?.redeemCodeId ?? null) : gid)
  return { ok: true, code }
}

/** The gid of the one code of a creation; `taken` where it existed, `late` where Shopify is not done in time. */
async function waitForCode(admin: AdminClient, creationId: string): Promise<string> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < ADDING_WAIT_MS) {
    const creation = await readCodeCreation(admin, creationId, 1)
    if (creation?.added[0]) return creation.added[0].redeemCodeId
    if (creation && creation.taken.length > 0) return 'taken'
    if (creation && (creation.refused.length > 0 || creation.done)) return 'refused'
    await new Promise((resolve) => setTimeout(resolve, ADDING_POLL_MS))
  }
  return 'late'
}

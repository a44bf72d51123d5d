import { now } from '#app/clock.server.ts'
import { whileAlone } from '#app/db/alone.server.ts'
import { countGiven, endCampaign, noteAudience } from '#app/db/campaigns.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import { isInForce, titlesOf } from '#app/loyalty/campaigns.ts'
import type { Programs } from '#app/loyalty/engine.ts'
import { requireDiscounts } from '#app/loyalty/function-discounts.ts'
import type { FunctionDiscount, RefusedDiscount } from '#app/loyalty/function-discounts.ts'
import type { Program } from '#app/loyalty/program.ts'
import { DAY_MS } from '#app/loyalty/time.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import {
  createFunctionDiscount,
  deleteFunctionDiscount,
  listFunctionDiscounts,
  stopFunctionDiscount,
  updateFunctionDiscount,
} from '#app/shopify/function-discounts.server.ts'
import type { FoundDiscount } from '#app/shopify/function-discounts.server.ts'

/**
 * Makes the discounts at Shopify what the program in force says: tier perks and campaigns, created ahead of time so that Shopify itself
 * starts and ends them on the minute. Campaigns that have spent their budget end. It looks at Shopify first and changes only what
 * differs, so it may run at any time and as often as one likes: a discount that a merchant changed or deleted is put right, and one that
 * a crash made twice is removed.
 */

export type SyncRun = {
  created: number
  updated: number
  stopped: number
  deleted: number
  /** What Shopify refused, in its words, and what does not fit into a Function. */
  refused: { key: string; detail: string }[]
}

/** Syncs one shop. Returns what was changed; null where another process is at it, or the shop has no program yet. */
export async function syncFunctionDiscounts(shop: Shop, admin: AdminClient): Promise<SyncRun | null> {
  const programs = await loadPrograms(shop.id)
  if (!programs) return null
  const at = now()
  return whileAlone(`function-discounts:${shop.id}`, 0, async () => {
    await noteAudiences(shop.id, versionAt(programs, at).program, at)
    const ended = await keepBudgets(shop.id, programs, at)
    const stopped = ended ? await loadPrograms(shop.id) : programs
    const { required, refused } = requireDiscounts(versionAt(stopped!, at).program, at)
    return sync(admin, required, refused, at)
  })
}

/**
 * Notes the audience of campaigns that hold customers out and are only for some, when they begin. Campaigns for everybody need no note:
 * who was a customer at that instant can always be found out.
 */
async function noteAudiences(shopId: number, program: Program, at: number): Promise<void> {
  for (const campaign of program.campaigns) {
    const { id, fromAt: from, tiers, segments, holdOut } = campaign
    if (holdOut === null || (tiers === null && segments === null) || !isInForce(campaign, at)) continue
    const audience = { id, from, tiers: tiers && [...tiers], segments: segments && [...segments] }
    await inTransaction((client) => noteAudience(shopId, audience, at, client))
  }
}

/**
 * Adds up what running campaigns have given and ends those that have reached their budget; true where it ended one. Orders under way at
 * that moment still get the discount, so the budget is kept to the minute, not to the penny.
 */
async function keepBudgets(shopId: number, programs: Programs, at: number): Promise<boolean> {
  let ended = false
  for (const campaign of versionAt(programs, at).program.campaigns) {
    const { id, fromAt: from, untilAt: until, offer, budgetMinor } = campaign
    // Webhooks of the last orders may come a day late.
    if (offer.kind === 'pointsMultiplier' || at < from || at >= until + DAY_MS) continue
    const { givenMinor } = await countGiven(shopId, { id, titles: titlesOf(id, programs), from, until }, at)
    if (budgetMinor === null || givenMinor < budgetMinor || at >= until) continue
    await endCampaign(shopId, id, at, 'budget')
    ended = true
  }
  return ended
}

async function sync(
  admin: AdminClient,
  required: FunctionDiscount[],
  refused: RefusedDiscount[],
  at: number,
): Promise<SyncRun> {
  const run: SyncRun = { created: 0, updated: 0, stopped: 0, deleted: 0, refused: [] }
  for (const { key, refusal } of refused) run.refused.push({ key, detail: refusal.reason })
  const found = await listFunctionDiscounts(admin)
  const kept = new Map<string, FoundDiscount>()
  for (const discount of found) {
    if (discount.key !== null && !kept.has(discount.key)) kept.set(discount.key, discount)
    else if (discount.key !== null) {
      await deleteFunctionDiscount(admin, discount.id)
      run.deleted += 1
    }
  }
  for (const discount of required) {
    const { key } = discount.documents
    const there = kept.get(key)
    if (there && isAsRequired(there, discount)) continue
    const written = there
      ? await updateFunctionDiscount(admin, there.id, discount)
      : await createFunctionDiscount(admin, discount, at)
    if (!written.ok) run.refused.push({ key, detail: written.detail })
    else if (there) run.updated += 1
    else run.created += 1
  }
  const wanted = new Set(required.map(({ documents }) => documents.key))
  for (const [key, discount] of kept) {
    if (wanted.has(key) || (discount.endsAt !== null && discount.endsAt <= at)) continue
    await stopFunctionDiscount(admin, discount.id)
    run.stopped += 1
  }
  return run
}

function isAsRequired(
  there: FoundDiscount,
  { documents, title, startsAt, endsAt, combinesWith }: FunctionDiscount,
): boolean {
  return (
    there.title === title &&
    (startsAt === null || isSameSecond(there.startsAt, startsAt)) &&
    (endsAt === null ? there.endsAt === null : there.endsAt !== null && isSameSecond(there.endsAt, endsAt)) &&
    [...there.discountClasses].sort().join() === documents.discountClasses.join() &&
    there.combinesWith.order === combinesWith.order &&
    there.combinesWith.product === combinesWith.product &&
    there.combinesWith.shipping === combinesWith.shipping &&
    isSameJson(there.configuration, documents.configuration) &&
    isSameJson(there.variables, documents.variables)
  )
}

/** Shopify keeps whole seconds. */
function isSameSecond(left: number, right: number): boolean {
  return Math.floor(left / 1000) === Math.floor(right / 1000)
}

/** Shopify may return JSON with other white space than we sent. */
function isSameJson(left: string | null, right: string): boolean {
  if (left === null) return false
  try {
    return JSON.stringify(JSON.parse(left)) === JSON.stringify(JSON.parse(right))
  } catch {
    return false
  }
}

// What time does by itself: holds that end, points that expire, tier reviews, birthdays, codes that run out. Each member's
// row says when its next such thing is due, so nothing is searched for: members are taken in slices, those due longest first.
// Running it twice or late changes nothing: the engine applies what is due, each thing at its own instant.
import { now } from '#app/clock.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { isOutOfReach } from '#app/db/errors.server.ts'
import { listMembersDue, postponeMember } from '#app/db/members.server.ts'
import { planForAnyShop } from '#app/db/plans.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { listInstalledShops } from '#app/db/shops.server.ts'
import { listShopsWithWorkDue, renewWorkDue } from '#app/db/work-due.server.ts'
import { advanceMembers } from '#app/db/world.server.ts'
import { logError } from '#app/log.server.ts'

const SLICE = 200
const SHOPS_AT_ONCE = 100
/** A new version of the program can make all members of a shop due at once: messages and other shops have their turn between. */
const SLICES_A_TURN = 5
/** A member for whom time cannot go on (an impossible state) is looked at again after this, so that it holds up nobody. */
const POSTPONE_MS = 3_600_000
/** How many such members of a slice are named in the log: where the cause is the shop's, it is everybody's. */
const NAMED_A_SLICE = 10

/** How many members time moved on, and how many it could not. */
export type TimePassed = { advanced: number; failed: number }

/**
 * Lets happen what is due by now, in all shops: of each so much as does not hold up the rest, as long as `advanced` is not 0 there may
 * be more. `onShop` hears of each shop in which something happened.
 */
export async function letTimePass(onShop: (shopId: number) => void = () => {}): Promise<TimePassed> {
  const total: TimePassed = { advanced: 0, failed: 0 }
  for (const shopId of await listShopsWithWorkDue(now(), SHOPS_AT_ONCE)) {
    const passed = await letTimePassIn(shopId, SLICES_A_TURN)
    total.advanced += passed.advanced
    total.failed += passed.failed
    await renewWorkDue(shopId)
    if (passed.advanced > 0) onShop(shopId)
  }
  return total
}

/** Everything that is due in one shop, or so many slices of it. Members that somebody else holds are left for the next time. */
export async function letTimePassIn(shopId: number, slices = Infinity): Promise<TimePassed> {
  const total: TimePassed = { advanced: 0, failed: 0 }
  for (let slice = 0; slice < slices; slice += 1) {
    const at = now()
    const members = await listMembersDue(shopId, at, SLICE)
    if (members.length === 0) return total
    const passed = await advanceSlice(shopId, members, at)
    total.advanced += passed.advanced
    total.failed += passed.failed
    // All of the slice are held elsewhere, or another worker was faster.
    if (passed.advanced + passed.failed === 0) break
  }
  return total
}

async function advanceSlice(shopId: number, members: readonly string[], at: number): Promise<TimePassed> {
  try {
    return { advanced: await advanceTogether(shopId, members, at), failed: 0 }
  } catch (error) {
    if (isOutOfReach(error)) throw error
  }
  // One of them cannot be advanced: the others must not wait for it.
  const total: TimePassed = { advanced: 0, failed: 0 }
  for (const member of members) {
    try {
      total.advanced += await advanceTogether(shopId, [member], at)
    } catch (error) {
      if (isOutOfReach(error)) throw error
      if (total.failed < NAMED_A_SLICE) logError(`time cannot go on for ${member} of shop ${shopId}`, error)
      await postponeMember(shopId, member, at + POSTPONE_MS)
      total.failed += 1
    }
  }
  return total
}

async function advanceTogether(shopId: number, members: readonly string[], at: number): Promise<number> {
  return inTransaction(
    async (client) => {
      const programs = await loadPrograms(shopId, client)
      if (!programs) throw new Error(`Shop ${shopId} has members with something due and no program.`)
      return advanceMembers(shopId, members, programs, at, client)
    },
    await planForAnyShop(),
  )
}

/** Looks again at every shop for what is due: mends a note that two workers may have overwritten. Once a day is plenty. */
export async function recheckWorkDue(): Promise<void> {
  for (const shop of await listInstalledShops()) await renewWorkDue(shop.id)
}

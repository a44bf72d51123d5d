// What happens because time passes: holds end, points expire, tiers are reviewed, birthdays come, codes run out. Each member's row says
// when the next of these is due, so nothing is searched for: members are taken in slices, those that have been due longest first.
// Running twice or late changes nothing, as the engine applies each thing at the instant when it was due.
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
/**
 * Slices of one shop in a row. A new version of the program can make all of its members due at once, and other shops must not wait; nor must
 * messages, which have their turn after a slice of each shop.
 */
const SLICES_A_TURN = 1
/** A member who cannot be advanced (an impossible state) is tried again after this long, and holds up nobody meanwhile. */
const POSTPONE_MS = 3_600_000
/** How many such members of a slice are named in the log: where the cause lies with the shop, all of them fail alike. */
const NAMED_A_SLICE = 10

/** How many members were advanced, and how many could not be. */
export type TimePassed = { advanced: number; failed: number }

/**
 * Advances what is due by now in all shops, of each shop only so much that it does not hold up the others. As long as `advanced` is not 0
 * there may be more. `onShop` is called for each shop in which something happened.
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

/** Finds out anew for every shop when something is next due, which two workers may have overwritten for each other. Once a day is plenty. */
export async function recheckWorkDue(): Promise<void> {
  for (const shop of await listInstalledShops()) await renewWorkDue(shop.id)
}

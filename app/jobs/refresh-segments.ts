import { now } from '#app/clock.server.ts'
import { listMembersAfter, readMembers } from '#app/db/member-records.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { askMeasures, findSegmentsOf } from '#app/db/retention.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { numberOfGid } from '#app/loyalty/ids.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import type { Program } from '#app/loyalty/program.ts'
import { findSegment } from '#app/retention/segments.ts'

/**
 * Notes which retention segments each member is in, where a campaign asks for one: the card carries the answer to the Function, and the
 * engine uses it for points. Customers enter and leave segments merely because time passes, so this looks again and again. Only members
 * whose segments changed are written; a shop without such campaigns costs one query.
 */

const MEMBERS_A_SLICE = 1_000
const EVENTS_AT_ONCE = 100

/** Refreshes one shop. Returns how many members were looked at and how many changed. Safe to run twice or late. */
export async function refreshSegments(shop: Shop): Promise<{ looked: number; changed: number }> {
  const run = { looked: 0, changed: 0 }
  const programs = await loadPrograms(shop.id)
  if (!programs) return run
  const at = now()
  const segments = findAskedSegments(versionAt(programs, at).program, at)
  if (segments.length === 0) return run
  const asked = await askMeasures(shop, at)
  for (let after = '0'; ;) {
    const members = await listMembersAfter(shop.id, after, MEMBERS_A_SLICE)
    const found = await findSegmentsOf(asked, segments, members)
    const events = await findChanges(shop.id, members, found, at)
    for (let start = 0; start < events.length; start += EVENTS_AT_ONCE) {
      await applyEvents(shop.id, events.slice(start, start + EVENTS_AT_ONCE), at)
    }
    run.looked += members.length
    run.changed += events.length
    const last = members.at(-1)
    if (!last || members.length < MEMBERS_A_SLICE) return run
    after = numberOfGid(last, 'Customer')
  }
}

/** The segments that are asked for by a campaign that is not over. */
function findAskedSegments(program: Program, at: number) {
  const names = new Set(
    program.campaigns.filter(({ untilAt }) => at < untilAt).flatMap(({ segments }) => [...(segments ?? [])]),
  )
  return [...names].sort().flatMap((name) => {
    const group = findSegment(name)
    return group ? [{ name, group }] : []
  })
}

async function findChanges(
  shopId: number,
  members: readonly string[],
  found: ReadonlyMap<string, string[]>,
  at: number,
): Promise<Event[]> {
  const records = await readMembers(shopId, members)
  return members.flatMap((customer) => {
    const segments = found.get(customer) ?? []
    const known = records.get(customer)?.segments ?? []
    const same = known.length === segments.length && segments.every((name) => known.includes(name))
    return same || !records.has(customer) ? [] : [{ type: 'segments' as const, at, customer, segments }]
  })
}

// Reminders that points end soon. Each is queued once for a member and an end, in slices, the soonest end first, and goes out later through the
// outbox, in the daytime. Running twice or late makes no difference: whether the points still end then is checked again when the reminder goes out.
import { now } from '#app/clock.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { enqueueEffects, type Effect } from '#app/db/outbox.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import {
  findReminding,
  forgetReminders,
  listMembersOfEndingLots,
  listQuietMembers,
  loadReminders,
  noteLooked,
  saveReminders,
  type SliceEnd,
} from '#app/db/reminders.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import type { Programs } from '#app/loyalty/engine.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import {
  chooseReminder,
  findReminders,
  LEAST_LEFT_MS,
  REMINDER_DAYS,
  showLastDay,
  type ReminderDays,
} from '#app/loyalty/reminders.ts'
import { addMonths, DAY_MS, startOfDay } from '#app/loyalty/time.ts'
import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { tellPointsExpireSoon, type PointsExpireSoon } from '#app/shopify/flow.server.ts'

/** The kind of effect that says a reminder. */
export const REMIND_OF_EXPIRY = 'points-expire-soon'

const SLICE = 200
/** Points end at midnight, but members want to read of it in the daytime. */
const DAY_BEGINS_MS = 10 * 3_600_000
/** The timetable asks every minute; members are looked through once an hour of the shop's time. */
const LOOK_EVERY_MS = 3_600_000
/** How long after its end a reminder is remembered, as ends can move back and forth. */
const KEEP_MS = 60 * DAY_MS

/** What a reminder's effect says. */
type Said = { member: string; endsAt: number; days: ReminderDays }

/** Queues what is due in the shop; returns how many reminders. Null where it is too early to look again, or the merchant wants none. */
export async function remindOfExpiry(shop: Shop): Promise<number | null> {
  const at = now()
  const { on, lookedAt } = await findReminding(shop.id)
  // Time that was moved back (dev store) must not keep it from looking.
  if (!on || (lookedAt !== null && Math.abs(at - lookedAt) < LOOK_EVERY_MS)) return null
  const programs = await loadPrograms(shop.id)
  if (!programs) return null
  let queued = 0
  for await (const members of sliceMembers(shop.id, programs, at)) {
    queued += await queueSlice(shop, programs, members, at)
  }
  await forgetReminders(shop.id, undefined, at - KEEP_MS)
  await noteLooked(shop.id, at)
  return queued
}

/** Members who may have to be reminded, a slice at a time. Some of them need no reminder; nobody who needs one is missing. */
async function* sliceMembers(shopId: number, programs: Programs, at: number): AsyncGenerator<string[]> {
  const { expiry, timeZone } = versionAt(programs, at).program
  if (expiry.model === 'lot') {
    const stretches = REMINDER_DAYS.map((days) => ({ from: at + LEAST_LEFT_MS[days], until: at + days * DAY_MS }))
    let after: SliceEnd | null = null
    do {
      const slice: { members: string[]; next: SliceEnd | null } = await listMembersOfEndingLots(
        shopId,
        stretches,
        after,
        SLICE,
      )
      yield slice.members
      after = slice.next
    } while (after)
  }
  if (expiry.model === 'inactivity') {
    // Months back from the last end that counts, and two days for clamped months and the end of the day.
    const quietSince = addMonths(at + REMINDER_DAYS[0] * DAY_MS, -expiry.months, timeZone) + 2 * DAY_MS
    let after: string | null = '0'
    do {
      const slice: { members: string[]; next: string | null } = await listQuietMembers(shopId, quietSince, after, SLICE)
      yield slice.members
      after = slice.next
    } while (after)
  }
}

async function queueSlice(shop: Shop, programs: Programs, customers: string[], at: number): Promise<number> {
  if (customers.length === 0) return 0
  const [members, before] = await Promise.all([readMembers(shop.id, customers), loadReminders(shop.id, customers)])
  const chosen = [...members.values()].flatMap((member) => {
    const reminder = chooseReminder(member, programs, before.get(member.id) ?? [], at)
    return reminder ? [{ member: member.id, endsAt: reminder.endsAt, days: reminder.days }] : []
  })
  const dueAt = Math.max(at, startOfDay(at, shop.timezone) + DAY_BEGINS_MS)
  return inTransaction(async (client) => {
    const queued = await saveReminders(shop.id, chosen, at, client)
    const effects = queued.map((said) => ({
      kind: REMIND_OF_EXPIRY,
      key: `${said.member}@${said.endsAt}:${said.days}`,
      payload: said,
      dueAt,
    }))
    await enqueueEffects(shop.id, effects, at, client)
    return queued.length
  })
}

/** Reminders that were said, or need not be any more; and that Shopify refuses, with its words. */
export type Reminded = { done: Effect[]; refused: { effect: Effect; detail: string }[]; later: [] }

/**
 * Says what is still true of queued reminders (at most 25): the points are there, end then, and the merchant wants it said. Throws AdminApiError where
 * Shopify surely has not heard, for all of them.
 */
export async function sayReminders(shop: Shop, admin: AdminClient, effects: readonly Effect[]): Promise<Reminded> {
  const reminded: Reminded = { done: [], refused: [], later: [] }
  const news = await findNews(shop, effects)
  const told = effects.filter(({ id }) => news.has(id))
  const details = await tell(
    admin,
    told.map(({ id }) => news.get(id)!),
  )
  for (const effect of effects) {
    const detail = details[told.indexOf(effect)] ?? null
    if (detail === null) reminded.done.push(effect)
    else reminded.refused.push({ effect, detail })
  }
  return reminded
}

/** The reminders that still hold, by the id of their effect; those that no longer do are missing. */
async function findNews(shop: Shop, effects: readonly Effect[]): Promise<Map<string, PointsExpireSoon>> {
  const [{ on }, programs] = await Promise.all([findReminding(shop.id), loadPrograms(shop.id)])
  const members = await readMembers(
    shop.id,
    effects.map(({ payload }) => (payload as Said).member),
  )
  const at = now()
  const news = new Map<string, PointsExpireSoon>()
  for (const { id, payload } of effects) {
    const said = payload as Said
    const member = members.get(said.member)
    if (!on || !programs || !member) continue
    const due = findReminders(member, programs, at)
    const reminder = due.find(({ endsAt, days }) => endsAt === said.endsAt && days === said.days)
    if (!reminder) continue
    news.set(id, {
      customer: member.id,
      points: reminder.points,
      daysLeft: Math.ceil((said.endsAt - at) / DAY_MS),
      lastDay: showLastDay(said.endsAt, shop.timezone),
    })
  }
  return news
}

/** For each, why Shopify refuses it, or null. Where the answer was lost, Shopify may have heard and is not told again: two mails are worse than none. */
async function tell(admin: AdminClient, news: readonly PointsExpireSoon[]): Promise<(string | null)[]> {
  try {
    return await tellPointsExpireSoon(admin, news)
  } catch (error) {
    if (error instanceof AdminApiError && error.reason === 'timeout') return news.map(() => null)
    throw error
  }
}

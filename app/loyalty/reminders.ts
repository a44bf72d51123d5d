/**
 * A *reminder* tells a member that points end soon: 30 and 3 days before, once for each instant at which any of theirs end. Days of waits are 24
 * hours each. What changed the end (an order under `inactivity`, other rules) changes the reminder with it: it is for that other end.
 */
import type { Member, Programs } from './engine.ts'
import { isEnrolled } from './events.ts'
import { versionAt } from './ledger.ts'
import { findLotEnd } from './lots.ts'
import { DAY_MS, toLocalDate } from './time.ts'

/** How many days before the end members are reminded. */
export const REMINDER_DAYS = [30, 3] as const

/** One of {@link REMINDER_DAYS}. */
export type ReminderDays = (typeof REMINDER_DAYS)[number]

/**
 * What must be left for a reminder that comes late to be of use, in milliseconds. The long one would otherwise run into the short one; the short one
 * needs some hours to spend points in.
 */
export const LEAST_LEFT_MS: Readonly<Record<ReminderDays, number>> = { 30: 7 * DAY_MS, 3: DAY_MS / 4 }

/** Points of a member that end together, and which reminder is due of them. */
export type Reminder = { endsAt: number; days: ReminderDays; points: number }

/** A reminder that was queued before. */
export type QueuedReminder = { endsAt: number; days: number; queuedAt: number }

/** Between two reminders to one member lies most of a day, whatever ends when. */
export const REMINDERS_APART_MS = (20 * DAY_MS) / 24

/** Which reminder is due of points that end so many milliseconds from now; null for none. Never both: their stretches do not touch. */
export function findReminderDays(leftMs: number): ReminderDays | null {
  return REMINDER_DAYS.find((days) => leftMs <= days * DAY_MS && leftMs > LEAST_LEFT_MS[days]) ?? null
}

/** Every reminder whose time has come and is not over, soonest end first. None for whoever is erased, takes no part, or has nothing that ends. */
export function findReminders(member: Member, programs: Programs, now: number): Reminder[] {
  const { program } = versionAt(programs, now)
  if (!isEnrolled(member, program)) return []
  const points = new Map<number, number>()
  for (const lot of member.lots) {
    if (lot.available === 0) continue
    const endsAt = findLotEnd(member, lot, programs, now)
    if (findReminderDays(endsAt - now) !== null) points.set(endsAt, (points.get(endsAt) ?? 0) + lot.available)
  }
  return [...points]
    .sort(([one], [other]) => one - other)
    .map(([endsAt, sum]) => ({ endsAt, days: findReminderDays(endsAt - now)!, points: sum }))
}

/** The one reminder to queue now: the soonest end of which none was queued, at most one a day. Null for none. */
export function chooseReminder(
  member: Member,
  programs: Programs,
  queued: readonly QueuedReminder[],
  now: number,
): Reminder | null {
  if (queued.some(({ queuedAt }) => now - queuedAt < REMINDERS_APART_MS)) return null
  const isNew = ({ endsAt, days }: Reminder) => !queued.some((one) => one.endsAt === endsAt && one.days === days)
  return findReminders(member, programs, now).find(isNew) ?? null
}

/** The last day on which points can be spent that are gone at `endsAt`, on the shop's calendar: "2027-03-31". */
export function showLastDay(endsAt: number, timeZone: string): string {
  const { year, month, day } = toLocalDate(endsAt - 1, timeZone)
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

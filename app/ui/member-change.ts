/** What a merchant may do to one member by hand, read from the form that asks for it. */
import { z } from 'zod'

import type { Event, Refusal } from '#app/loyalty/engine.ts'
import { endOfDay, parseLocalDateTime, toInstant } from '#app/loyalty/time.ts'
import { showCount, showDay, showPoints, type PointsName } from '#app/ui/words.ts'

/** What the action answers: done, with words for what came of it where that is news, or what is wrong with which field (`form`: with the whole of it). */
export type MemberChangeReply =
  { ok: true; intent: string; message?: string } | { ok: false; errors: Record<string, string> }

/** More than this in one go is a slip of the finger. */
const POINTS_MAX = 10_000_000

const reason = z.string().trim().min(1, 'Say why, for whoever reads the history').max(200, 'At most 200 characters')
const changeSchema = z.discriminatedUnion('intent', [
  z.object({
    intent: z.literal('adjust'),
    points: z
      .string()
      .trim()
      .regex(/^-?\d{1,15}$/, 'Enter a whole number')
      .transform(Number)
      .refine((points) => points !== 0, 'Enter a number above 0')
      .refine((points) => Math.abs(points) <= POINTS_MAX, `At most ${POINTS_MAX.toLocaleString('en')} at once`),
    reason,
    key: z.uuid('Open the dialog again'),
    countsForTier: z.enum(['true', 'false']).transform((text) => text === 'true'),
  }),
  z.object({
    intent: z.literal('place-tier'),
    level: z.string().max(200),
    until: z
      .string()
      .refine((text) => text === '' || parseLocalDateTime(`${text}T00:00`) !== null, 'Enter a day, or leave it empty'),
    reason,
  }),
  z.object({ intent: z.literal('take-back-code'), code: z.string().min(1).max(100) }),
])

type Circumstances = { customer: string; at: number; actor: string; timezone: string }

/** A posted form as the engine's event, or a message for each field that is wrong. */
export type ParsedChange =
  | { ok: true; intent: string; event: Event & { type: 'adjust' | 'place-tier' | 'cancel-redemption' } }
  | { ok: false; errors: Record<string, string> }

/** The engine's event for a posted form, or a message for each field that is wrong. A tier's last day is kept to its end. */
export function parseMemberChange(form: FormData, { customer, at, actor, timezone }: Circumstances): ParsedChange {
  const parsed = changeSchema.safeParse(Object.fromEntries(form))
  const day = parseLocalDateTime(`${String(form.get('until') ?? '')}T00:00`)
  const until = day && endOfDay(toInstant(day, timezone), timezone)
  const errors = {
    ...(until !== null && until <= at && { until: 'Must be today or later' }),
    ...(parsed.error && fieldErrors(parsed.error)),
  }
  if (!parsed.success || Object.keys(errors).length > 0) return { ok: false, errors }
  const change = parsed.data
  switch (change.intent) {
    case 'adjust': {
      const { points, reason, key, countsForTier } = change
      return {
        ok: true,
        intent: change.intent,
        event: { type: 'adjust', at, customer, points, reason, actor, key, countsForTier },
      }
    }
    case 'place-tier': {
      const level = change.level === '' ? null : change.level
      return {
        ok: true,
        intent: change.intent,
        event: { type: 'place-tier', at, customer, level, until, reason: change.reason, actor },
      }
    }
    case 'take-back-code':
      return { ok: true, intent: change.intent, event: { type: 'cancel-redemption', at, code: change.code } }
  }
}

function fieldErrors(error: z.ZodError): Record<string, string> {
  const errors: Record<string, string> = {}
  for (const issue of error.issues) errors[String(issue.path[0] ?? 'form')] ??= issue.message
  if (errors.intent) return { form: 'This cannot be done here.' }
  return errors
}

/** What came back when a code was taken back; `ranOut` of the points were gone at once, because their last day had passed meanwhile. */
export function sayTakenBack(
  { state, returned, ranOut }: { state: string; returned: number; ranOut: number },
  name: PointsName,
): string {
  if (state !== 'returned') return 'The code is being taken back'
  if (ranOut === 0) return `Taken back: the member has ${showPoints(returned, name)} again`
  if (ranOut === returned) return `Taken back. Its ${name.other} had run out meanwhile: none came back`
  return `Taken back: the member has ${showPoints(returned - ranOut, name)} again, the other ${showCount(ranOut)} had run out`
}

/** Who chose a tier by hand, and its last day; `until` is the first instant after that. */
export function sayPlaced({ by, until }: { by: string | null; until: number | null }, timezone: string): string {
  const end = until === null ? 'until changed' : `until ${showDay(until - 1, timezone)}`
  return `Chosen ${by ? `by ${by}` : 'by hand'}, ${end}`
}

/** Why the rules refused, as a sentence. */
export function sayRefusal(refused: Refusal | 'no_program'): string {
  return REFUSALS[refused] ?? 'The rules of the program do not allow this.'
}

const REFUSALS: Partial<Record<Refusal | 'no_program', string>> = {
  no_program: 'Publish the program first.',
  unknown_member: 'There is no such member.',
  not_a_member: 'This customer has not joined.',
  erased: 'This customer asked to be forgotten.',
  insufficient_points: 'The member does not have that many points.',
  key_used_with_other_data: 'This was sent before with other numbers. Close the dialog and open it again.',
  unknown_level: 'The program has no such tier any more.',
  unknown_code: 'There is no such code.',
  code_used: 'The code was used already.',
  not_returnable: 'Gift cards and store credit are handed out at once: they cannot be taken back.',
  already_returned: 'The points of this code were given back already.',
}

/**
 * What Shopify Flow sends for the action "Record an activity" (extensions/record-activity). Shape and once-only id: shopify.dev, "Create Flow
 * action endpoints": `{ shopify_domain, action_run_id, properties: { customer_id, … } }`; a call that is sent again has the same `action_run_id`.
 */
import { z } from 'zod'
import { toGid } from '#app/loyalty/ids.ts'

/** Longer than any name or id that is meant seriously. */
const TEXT_MAX = 255

/** One line, as Flow's fields have it: what no database keeps is not in it. */
const line = z
  .string()
  .trim()
  .max(TEXT_MAX)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must be one line of text')

/** The fields of the action, by the keys of its toml; `customer_id` is the name that Flow gives a reference to a customer. */
export const activitySchema = z.object({
  /** The customer's number, as text or as a number. */
  customer_id: z
    .union([z.string().regex(/^[1-9]\d{0,18}$/), z.int().positive().transform(String)])
    .transform((number) => toGid('Customer', number)),
  activity: line.min(1),
  reference: line.nullish().transform((reference) => reference || null),
})

const runSchema = z.object({ action_run_id: line.min(1), properties: activitySchema })

/** An activity that a workflow reports: whose, which (as the merchant typed it), and what makes it one and the same. */
export type ReportedActivity = { customer: string; activity: string; key: string }

/**
 * Reads the payload of a run. The merchant's reference identifies the activity, whichever workflow reports it (`ref:R-17`); without one each run
 * is an activity of its own (`flow:<action_run_id>`). Where it cannot be read, `message` names the field.
 */
export function parseRun(payload: unknown): ({ ok: true } & ReportedActivity) | { ok: false; message: string } {
  const parsed = runSchema.safeParse(payload)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    return { ok: false, message: `${path.join('.') || 'The payload'}: ${message}` }
  }
  const { action_run_id: run, properties } = parsed.data
  const { customer_id: customer, activity, reference } = properties
  return { ok: true, customer, activity, key: reference === null ? `flow:${run}` : `ref:${reference}` }
}

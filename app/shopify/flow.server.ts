import { z } from 'zod'

import { numberOfGid } from '#app/loyalty/ids.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** The trigger's handle: extensions/points-expire-soon/shopify.extension.toml, which names its fields too. */
const POINTS_EXPIRE_SOON = 'points-expire-soon'

/** Triggers a request: each is a mutation, which costs 10 points of Shopify's budget, and a request may ask for 1,000. */
export const TRIGGERS_PER_CALL_MAX = 25

/** What Shopify Flow is told of points that end: `customer` is a gid, `lastDay` "2027-03-31". */
export type PointsExpireSoon = { customer: string; points: number; daysLeft: number; lastDay: string }

const replySchema = z.record(
  z.string(),
  z.object({ userErrors: z.array(z.object({ message: z.string() })) }).nullable(),
)

/**
 * Starts the merchant's workflows for the points of up to 25 members that end soon (flowTriggerReceive, Admin API 2026-10). Returns for each member
 * null, or why Shopify refuses; refusals are shown to the merchant. Flow has no once-only key, so a call is repeated only where Shopify surely has
 * not heard it. Throws AdminApiError.
 *
 * Without a workflow nothing happens, and that is no error: Shopify tells apps which shops use a trigger only so that they can spare the others the
 * call (shopify.dev, Flow, "lifecycle events"). What a shop without the Flow app answers is not documented.
 */
export async function tellPointsExpireSoon(
  admin: AdminClient,
  news: readonly PointsExpireSoon[],
): Promise<(string | null)[]> {
  if (news.length === 0) return []
  if (news.length > TRIGGERS_PER_CALL_MAX) {
    throw new Error(`tellPointsExpireSoon got ${news.length} members: expected at most ${TRIGGERS_PER_CALL_MAX}`)
  }
  const payloads = Object.fromEntries(news.map((one, place) => [`payload${place}`, toPayload(one)]))
  const variables = { handle: POINTS_EXPIRE_SOON, ...payloads }
  const reply = await admin.request(flowTriggersDocument(news.length), variables, replySchema, { once: true })
  return news.map((_, place) => {
    const errors = reply[`told${place}`]?.userErrors ?? []
    return errors.length === 0 ? null : errors.map(({ message }) => message.trim()).join('; ')
  })
}

function toPayload({ customer, points, daysLeft, lastDay }: PointsExpireSoon) {
  // A reference is the customer's number, as a number.
  const number = Number(numberOfGid(customer, 'Customer'))
  if (!Number.isSafeInteger(number)) throw new Error(`Flow cannot be told of ${customer}: its number is not exact`)
  return { customer_id: number, Points: points, 'Days left': daysLeft, 'Last day': lastDay }
}

/** The mutation that tells Flow of so many customers at once: variables `handle`, `payload0`, `payload1`, … */
export function flowTriggersDocument(triggers: number): string {
  const places = Array.from({ length: triggers }, (_, place) => place)
  const names = places.map((place) => `$payload${place}: JSON!`)
  const calls = places.map(
    (place) =>
      `told${place}: flowTriggerReceive(handle: $handle, payload: $payload${place}) { userErrors { message } }`,
  )
  return `mutation FlowTriggers($handle: String!, ${names.join(', ')}) { ${calls.join(' ')} }`
}

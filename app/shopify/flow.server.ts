import { z } from 'zod'

import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** The trigger's handle: extensions/points-expire-soon/shopify.extension.toml, which names its fields too. */
const POINTS_EXPIRE_SOON = 'points-expire-soon'

const FLOW_TRIGGER = `#graphql
  mutation FlowTrigger($handle: String!, $payload: JSON!) {
    flowTriggerReceive(handle: $handle, payload: $payload) {
      userErrors { field message }
    }
  }`

/** What Shopify Flow is told of points that end: `customer` is a gid, `lastDay` "2027-03-31". */
export type PointsExpireSoon = { customer: string; points: number; daysLeft: number; lastDay: string }

/**
 * Starts the merchant's workflows for points that end soon (flowTriggerReceive, Admin API 2026-10). Without a workflow nothing happens, and that is
 * no error. Returns null, or why Shopify refuses it. Flow knows no once-only key: what may have been heard is not said again. Throws AdminApiError.
 */
export async function tellPointsExpireSoon(
  admin: AdminClient,
  { customer, points, daysLeft, lastDay }: PointsExpireSoon,
): Promise<string | null> {
  // A reference is the customer's number, as a number.
  const number = Number(customer.slice(customer.lastIndexOf('/') + 1))
  if (!Number.isSafeInteger(number)) return `Flow cannot be told of ${customer}: its number is too large to be exact`
  const payload = {
    customer_id: number,
    Points: points,
    'Days left': daysLeft,
    'Last day': lastDay,
  }
  const { flowTriggerReceive } = await admin.request(
    FLOW_TRIGGER,
    { handle: POINTS_EXPIRE_SOON, payload },
    z.object({
      flowTriggerReceive: z.object({ userErrors: z.array(z.object({ message: z.string() })) }).nullable(),
    }),
    { once: true },
  )
  const errors = flowTriggerReceive?.userErrors ?? []
  return errors.length === 0 ? null : errors.map(({ message }) => message.trim()).join('; ')
}

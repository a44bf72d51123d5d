import type { ActionFunctionArgs } from '@remix-run/node'
import { z } from 'zod'
import { now } from '#app/clock.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { answer, readBody, requireActingShopper } from '#app/shopper.server.ts'

const Birthday = z.strictObject({
  month: z.int().min(1).max(12),
  day: z.int().min(1).max(31),
  key: z.string().max(64).optional(),
})

/** POST /proxy/birthday: the customer's own birthday, month and day. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, customer } = await requireActingShopper(request)
  const { month, day } = await readBody(request, Birthday)
  const at = now()
  const applied = await applyEvents(shop.id, [{ type: 'birthday', at, customer, month, day }], at)
  const reason = applied.ok ? (applied.changes[0]?.refused ?? null) : applied.reason
  return reason === null ? answer({ ok: true }) : answer({ ok: false, reason })
}

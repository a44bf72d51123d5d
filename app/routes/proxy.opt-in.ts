import type { ActionFunctionArgs } from '@remix-run/node'
import { z } from 'zod'
import { now } from '#app/clock.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { showCard } from '#app/jobs/show-card.ts'
import { answer, readBody, requireActingShopper } from '#app/shopper.server.ts'

const Wish = z.strictObject({ key: z.string().max(64).optional() })

/** POST /proxy/opt-in: the customer joins a program that asks for it, and signs up by that. Joining again changes nothing. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, customer, words } = await requireActingShopper(request)
  await readBody(request, Wish)
  const at = now()
  const applied = await applyEvents(shop.id, [{ type: 'opt-in', at, customer, signUp: 'now' }], at)
  const reason = applied.ok ? (applied.changes[0]?.refused ?? null) : applied.reason
  if (reason !== null) return answer({ ok: false, reason })
  return answer({ ok: true, state: 'joined', card: await showCard(shop.id, customer, words) })
}

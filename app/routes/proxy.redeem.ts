import type { ActionFunctionArgs } from '@remix-run/node'
import { z } from 'zod'
import { loadPrograms } from '#app/db/programs.server.ts'
import { redeem } from '#app/jobs/settle-redemptions.ts'
import { showCard } from '#app/jobs/show-card.ts'
import { toCardCode } from '#app/loyalty/build-member-card.ts'
import { answer, readBody, requireActingShopper } from '#app/shopper.server.ts'

const Wish = z.strictObject({
  reward: z.string().min(1).max(200),
  /** Only for rewards of a variable amount. */
  points: z.int().positive().optional(),
  /** The caller's own once-only key: asked again with it, it is the same redemption. */
  key: z.string().regex(/^[\w-]{8,64}$/),
})

/**
 * POST /proxy/redeem: turns points into a code. Answers with the code and the card; `state` is `issued`, `credited` (store credit), or
 * `pending` where it is still on its way. A refusal names its reason, and the points are where they were.
 */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, customer, admin, words } = await requireActingShopper(request)
  const wish = await readBody(request, Wish)
  const redeemed = await redeem(shop, admin, { member: customer, ...wish })
  const card = await showCard(shop.id, customer, words)
  if (!redeemed.ok) return answer({ ok: false, reason: redeemed.reason, card })
  const { redemption } = redeemed
  if (redemption.state === 'reserved') return answer({ ok: true, state: 'pending', id: redemption.id, card })
  if (redemption.state === 'returned') return answer({ ok: true, state: 'returned', id: redemption.id, card })
  if (redemption.type === 'store-credit') return answer({ ok: true, state: 'credited', id: redemption.id, card })
  const programs = await loadPrograms(shop.id)
  const code = programs && toCardCode(redemption, programs, words)
  return answer({ ok: true, state: redemption.state, id: redemption.id, code, card })
}

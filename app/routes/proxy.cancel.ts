import type { ActionFunctionArgs } from '@remix-run/node'
import { z } from 'zod'
import { findOwnRedemption, findRunOutOnReturn } from '#app/db/redemptions.server.ts'
import { cancelRedemption } from '#app/jobs/settle-redemptions.ts'
import { showCard } from '#app/jobs/show-card.ts'
import type { Redemption } from '#app/loyalty/rewards.ts'
import { answer, readBody, requireActingShopper } from '#app/shopper.server.ts'

const Wish = z.strictObject({ id: z.string().min(1).max(64), key: z.string().max(64).optional() })

/**
 * POST /proxy/cancel: gives an unused code of the customer's own back. `returned`: it is done, and `back` says how many points are
 * there again; those whose last day had passed meanwhile are gone at once, which `outcome` says: `returned_part`, or `returned_none`
 * where it was all of them. `ending`: they come as soon as Shopify has confirmed that the code is gone.
 */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, customer, admin, words } = await requireActingShopper(request)
  const { id } = await readBody(request, Wish)
  const redemption = await findOwnRedemption(shop.id, customer, id)
  if (!redemption) return answer({ ok: false, reason: 'unknown_redemption' }, 404)
  const cancelled = await cancelRedemption(shop, admin, redemption)
  const card = await showCard(shop.id, customer, words)
  if (!cancelled.ok) return answer({ ok: false, reason: cancelled.reason, card })
  return answer({ ok: true, ...(await describeReturn(shop.id, cancelled.redemption)), card })
}

/** What came back of a redemption, from the ledger: asked again, it is the same. */
async function describeReturn(shopId: number, { id, state, returned }: Redemption) {
  if (state !== 'returned') return { state }
  const back = returned - ((await findRunOutOnReturn(shopId, [id])).get(id) ?? 0)
  const outcome = back === returned ? 'returned' : back > 0 ? 'returned_part' : 'returned_none'
  return { state, outcome, back }
}

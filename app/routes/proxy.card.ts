import type { LoaderFunctionArgs } from '@remix-run/node'
import { readMembers } from '#app/db/member-records.server.ts'
import { showCard } from '#app/jobs/show-card.ts'
import { answer, requireShopper } from '#app/shopper.server.ts'

/** GET /proxy/card: the signed-in customer's card as it is now, and the birthday they told: that is for their own eyes, so no metafield has it. */
export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, customer } = await requireShopper(request)
  const [card, members] = await Promise.all([showCard(shop.id, customer), readMembers(shop.id, [customer])])
  const told = members.get(customer)?.birthday
  return answer({ ok: true, card, birthday: told ? { month: told.month, day: told.day } : undefined })
}

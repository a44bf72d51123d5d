import type { LoaderFunctionArgs } from '@remix-run/node'
import { showCard } from '#app/jobs/show-card.ts'
import { answer, requireShopper } from '#app/shopper.server.ts'

/** GET /proxy/card: the signed-in customer's card as it is now. */
export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, customer } = await requireShopper(request)
  return answer({ ok: true, card: await showCard(shop.id, customer) })
}

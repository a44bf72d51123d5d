import type { LoaderFunctionArgs } from '@remix-run/node'
import { showOwn } from '#app/jobs/show-card.ts'
import { answer, requireShopper } from '#app/shopper.server.ts'

/** GET /proxy/card: the signed-in customer's card as it is now, and the birthday they told. */
export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, customer, words } = await requireShopper(request)
  return answer({ ok: true, ...(await showOwn(shop.id, customer, words)) })
}

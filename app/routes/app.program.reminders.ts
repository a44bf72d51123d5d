import { data, type ActionFunctionArgs } from '@remix-run/node'

import { setReminding } from '#app/db/reminders.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'

export { keepPage as clientAction } from '#app/ui/keep-page.ts'

/** POST /app/program/reminders: turns reminders before points expire on or off. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const on = (await request.formData()).get('on') === 'true'
  await setReminding(shop.id, on)
  return data({ ok: true, message: on ? 'Reminders are on' : 'Reminders are off' })
}

import { data, type ActionFunctionArgs } from '@remix-run/node'

import { now } from '#app/clock.server.ts'
import { askForRemoval, askForTag, findCustomerList, noteSegment, retryList } from '#app/db/customer-lists.server.ts'
import { askMeasures } from '#app/db/retention.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { parseGroup, tagOfGroup, type CustomerGroup } from '#app/retention/segments.ts'
import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { createTagSegment } from '#app/shopify/segments.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { describeGroup } from '#app/ui/group-words.ts'

export { keepPage as clientAction } from '#app/ui/keep-page.ts'

/** What came of it, in words. */
export type ListReply = { ok: boolean; message: string }

/** What a merchant can have done with a list of customers in Shopify: tag them, take the tag away, go on, make a segment of the tag. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, admin, actor } = await requireMerchant(request)
  const form = await request.formData()
  const group = parseGroup(String(form.get('of') ?? ''))
  if (!group) throw Response.json({ message: 'There is no such group of customers' }, { status: 404 })
  const tag = tagOfGroup(group)
  switch (form.get('intent')) {
    case 'tag': {
      const customers = await askForTag(await askMeasures(shop, now()), { tag, group, by: actor }, now())
      return data<ListReply>({
        ok: true,
        message: customers === 1 ? 'Tagging 1 customer' : `Tagging ${customers} customers`,
      })
    }
    case 'untag': {
      const asked = await askForRemoval(shop.id, tag, actor, now())
      return data<ListReply>({ ok: asked, message: asked ? 'Taking the tag away' : 'Nobody has this tag' })
    }
    case 'retry':
      return data<ListReply>({
        ok: true,
        message: (await retryList(shop.id, tag, now())) ? 'Trying again' : 'All is done',
      })
    case 'segment':
      return makeSegment(shop, admin, tag, group)
    default:
      return data<ListReply>({ ok: false, message: 'This cannot be done here' }, 400)
  }
}

async function makeSegment(shop: Shop, admin: AdminClient, tag: string, group: CustomerGroup) {
  const list = await findCustomerList(shop.id, tag)
  if (!list || list.wish === 'untag') {
    return data<ListReply>({ ok: false, message: 'Tag the customers first: the segment goes by their tag.' }, 400)
  }
  try {
    const made = await createTagSegment(admin, `${describeGroup(group).title} (Perennial)`, tag)
    if (!made.ok)
      return data<ListReply>({ ok: false, message: `Shopify did not make the segment: ${made.detail}` }, 400)
    await noteSegment(shop.id, tag, made.segment)
    return data<ListReply>({ ok: true, message: 'Segment created' })
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return data<ListReply>(
      { ok: false, message: 'Shopify could not be reached just now. Trying again does no harm.' },
      503,
    )
  }
}

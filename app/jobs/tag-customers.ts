// Tells Shopify who gets the tag of a list and who loses it (db/customer-lists): some hundreds at a time, at the pace that Shopify
// allows, and again where it failed. It may stop anywhere, as doing again what Shopify has done already changes nothing.
import { now } from '#app/clock.server.ts'
import { finishList, listWaiting, noteListError, noteTagged } from '#app/db/customer-lists.server.ts'
import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { changeTags } from '#app/shopify/customer-tags.server.ts'

const CUSTOMERS_A_SLICE = 250

/** Does one slice. Returns whether anything is left. Throws AdminApiError, after noting it for the merchant. */
export async function tagSlice(shopId: number, admin: AdminClient, tag: string): Promise<boolean> {
  const waiting = await listWaiting(shopId, tag, CUSTOMERS_A_SLICE)
  const wishing = (wish: 'add' | 'remove') => waiting.filter((one) => one.wish === wish).map(({ customer }) => customer)
  try {
    const added = await changeTags(admin, 'add', wishing('add'), tag)
    await noteTagged(shopId, tag, { tagged: added.done, untagged: [], unknown: added.unknown })
    const removed = await changeTags(admin, 'remove', wishing('remove'), tag)
    // A customer whom Shopify no longer knows has no tag either.
    await noteTagged(shopId, tag, { tagged: [], untagged: [...removed.done, ...removed.unknown], unknown: [] })
  } catch (error) {
    if (error instanceof AdminApiError) await noteListError(shopId, tag, error.reason)
    throw error
  }
  if (waiting.length === CUSTOMERS_A_SLICE) return true
  await finishList(shopId, tag, now())
  return false
}

// Erases a shop: Shopify asks for it 48 hours after the app was uninstalled (`shop/redact`) and allows 30 days. Every member is erased as if
// they had asked for it, and their points are forfeited, so that the ledger still balances. Then sessions and the contents of messages go.
import { now } from '#app/clock.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { deleteImportsOf } from '#app/db/imports.server.ts'
import { emptyInbox, forgetMessagesOfErasedShops } from '#app/db/inbox.server.ts'
import { listMembersToErase } from '#app/db/members.server.ts'
import { dropEffects } from '#app/db/outbox.server.ts'
import { forgetReminders } from '#app/db/reminders.server.ts'
import { finishErasure, isToBeErased, listShopsToErase } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'

const SLICE = 100
/** How often it is begun again in a run, where batches under way make members. */
const TRIES = 10

/**
 * Erases the shops that Shopify asked to erase; returns how many. After an interruption it goes on with the members that are left. A shop
 * that installs the app again meanwhile is left as it is then. What still comes in for shops that were erased is forgotten. One that
 * cannot be erased holds up no other; its error is thrown at the end.
 */
export async function eraseShops(): Promise<number> {
  const failures: unknown[] = []
  let erased = 0
  await forgetMessagesOfErasedShops()
  for (const { id, domain } of await listShopsToErase()) {
    try {
      if (await eraseShop(id, domain)) erased += 1
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return erased
}

async function eraseShop(shopId: number, domain: string): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    await eraseMembers(shopId)
    const isErased = await inTransaction(async (client) => {
      // First, as a batch that is under way may wait for the shop's row.
      await emptyInbox(shopId, client)
      if (!(await isToBeErased(shopId, client))) throw new CameBack()
      // That batch may have made members.
      if ((await listMembersToErase(shopId, 1, client)).length > 0) throw new NotYet()
      await deleteImportsOf(shopId, client)
      await forgetReminders(shopId, client)
      await finishErasure(shopId, domain, now(), client)
      return true
    }).catch((error: unknown) => {
      if (error instanceof CameBack) return false
      if (error instanceof NotYet && tries < TRIES) return null
      throw error
    })
    if (isErased) await dropEffects(shopId, now(), undefined, { erased: true })
    if (isErased !== null) return isErased
  }
}

class NotYet extends Error {
  override message = 'somebody is always there again'
}

class CameBack extends Error {}

async function eraseMembers(shopId: number): Promise<void> {
  for (;;) {
    const members = await listMembersToErase(shopId, SLICE)
    if (members.length === 0) return
    const at = now()
    const events = members.map((customer) => ({ type: 'erase', at, customer }) as const)
    try {
      const applied = await applyEvents(shopId, events, at, async (client) => {
        if (!(await isToBeErased(shopId, client))) throw new CameBack()
      })
      // Without a program there are no members, and so no points to forfeit.
      if (!applied.ok) return
    } catch (error) {
      if (error instanceof CameBack) return
      throw error
    }
  }
}

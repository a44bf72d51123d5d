// Erasing a shop: Shopify asks for it 48 hours after the app was taken off (`shop/redact`), and gives 30 days. Every member is
// erased as by their own wish, points forfeited, so that the ledger still ties; then sessions and what messages said are forgotten.
import { now } from '#app/clock.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { deleteImportsOf } from '#app/db/imports.server.ts'
import { listMembersToErase } from '#app/db/members.server.ts'
import { dropEffects } from '#app/db/outbox.server.ts'
import { forgetReminders } from '#app/db/reminders.server.ts'
import { finishErasure, listShopsToErase } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'

const SLICE = 100

/** Erases the shops that Shopify asked for; returns how many. Interrupted, it goes on with the members that are left. */
export async function eraseShops(): Promise<number> {
  const shops = await listShopsToErase()
  for (const { id, domain } of shops) {
    await eraseMembers(id)
    await inTransaction(async (client) => {
      await deleteImportsOf(id, client)
      await forgetReminders(id, client)
      await finishErasure(id, domain, now(), client)
    })
    await dropEffects(id, now())
  }
  return shops.length
}

async function eraseMembers(shopId: number): Promise<void> {
  for (;;) {
    const members = await listMembersToErase(shopId, SLICE)
    if (members.length === 0) return
    const at = now()
    const events = members.map((customer) => ({ type: 'erase', at, customer }) as const)
    const applied = await applyEvents(shopId, events, at)
    // Members come with a program; without one there is nothing to forfeit by.
    if (!applied.ok) return
  }
}

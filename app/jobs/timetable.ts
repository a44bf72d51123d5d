// What is done beside the drain, and how often. A *task* is one kind of slow work for one shop, carried out by graphile-worker:
// never two of the same task and shop at once, tried again when it fails.
import { backfill } from '#app/jobs/backfill.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { fillCodePools } from '#app/jobs/fill-code-pools.ts'
import { fitPredictions } from '#app/jobs/fit-predictions.ts'
import { workOnImports } from '#app/jobs/import-members.ts'
import { readShopCatalog } from '#app/jobs/read-catalog.ts'
import { reconcileCustomers } from '#app/jobs/reconcile-customers.ts'
import { reconcile, refetchOrders } from '#app/jobs/reconcile.ts'
import { refreshSegments } from '#app/jobs/refresh-segments.ts'
import { remindOfExpiry } from '#app/jobs/remind-of-expiry.ts'
import { settleRedemptions } from '#app/jobs/settle-redemptions.ts'
import { syncFunctionDiscounts } from '#app/jobs/sync-function-discounts.ts'
import type { Shop } from '#app/db/shops.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'

/** Something that is done for every shop from time to time. */
export type ShopTask = {
  /** Minutes of the machine's clock between two runs for a shop. */
  everyMinutes: number
  /** `signal` says that the worker is ending. Resolves to `AGAIN_SOON` where more is to be done than the next turn should wait for. */
  run: (shop: Shop, admin: AdminClient, signal?: AbortSignal) => Promise<unknown>
  /** Runs beside the shop's other tasks, and sees to it itself that it does so once. */
  isApart?: boolean
}

/** What a task answers that is to run again in a few seconds. */
export const AGAIN_SOON = Symbol('again soon')

/** Tasks that speak with Shopify, by name. */
export const SHOP_TASKS: Readonly<Record<string, ShopTask>> = {
  'carry-out-outbox': { everyMinutes: 1, run: (shop, admin) => carryOutShop(shop.id, () => admin) },
  'refetch-orders': { everyMinutes: 1, run: refetchOrders },
  backfill: {
    everyMinutes: 1,
    isApart: true,
    run: async (shop, admin, signal) =>
      (await backfill(shop, admin, signal))?.state === 'running' ? AGAIN_SOON : null,
  },
  reconcile: { everyMinutes: 10, run: reconcile },
  'reconcile-customers': { everyMinutes: 10, run: reconcileCustomers },
  'read-catalog': { everyMinutes: 1, run: readShopCatalog },
  'settle-redemptions': { everyMinutes: 1, run: (shop, admin) => settleRedemptions(shop, admin) },
  'fill-code-pools': { everyMinutes: 5, run: fillCodePools },
  'sync-function-discounts': { everyMinutes: 1, run: syncFunctionDiscounts },
  'refresh-segments': { everyMinutes: 15, run: refreshSegments },
  'import-members': { everyMinutes: 1, run: (shop, admin) => workOnImports(shop, admin) },
  // Looks whether an hour has passed.
  'remind-of-expiry': { everyMinutes: 1, run: remindOfExpiry },
  // Looks whether a day has passed; fits once a day.
  'fit-predictions': { everyMinutes: 1, run: fitPredictions },
}

/** The tasks that a minute (counted from any fixed one) brings, for a shop. Shops are spread over the minutes by their id. */
export function tasksOfMinute(minute: number, shopId: number): string[] {
  return Object.entries(SHOP_TASKS)
    .filter(([, { everyMinutes }]) => (minute + shopId) % everyMinutes === 0)
    .map(([name]) => name)
}

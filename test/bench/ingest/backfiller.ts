// The worker's backfill of one shop, in a process of its own so that its memory can be watched: SHOP_ID, RESULT_URL, ORDERS. Shopify's
// part is answered here: the operation is done as soon as it is asked for.
import '@shopify/shopify-api/adapters/node'
import { closeDatabase } from '#app/db/client.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { askBackfill, backfill } from '#app/jobs/backfill.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'

const { SHOP_ID, RESULT_URL, ORDERS } = process.env
const started = { bulkOperationRunQuery: { bulkOperation: { id: 'gid://shopify/BulkOperation/1' }, userErrors: [] } }
const done = {
  bulkOperation: {
    status: 'COMPLETED',
    errorCode: null,
    rootObjectCount: ORDERS,
    url: RESULT_URL,
    partialDataUrl: null,
  },
}
const admin: AdminClient = {
  shop: 'past-1.myshopify.com',
  request: (query, _variables, answer) =>
    Promise.resolve(answer.parse(query.includes('bulkOperationRunQuery') ? started : done)),
}

const shop = await requireShop(Number(SHOP_ID))
await askBackfill(shop.id)
let reading = await backfill(shop, admin)
while (reading?.state === 'running') reading = await backfill(shop, admin)
await closeDatabase()
if (reading?.state !== 'done') throw new Error(`The backfill ended ${reading?.state}: ${reading?.error}`)

// Reads the shop's products again, for programs whose rules ask for collections, tags or sale prices. Others cost nothing.
import { now } from '#app/clock.server.ts'
import type { Queryable } from '#app/db/client.server.ts'
import { saveCatalog } from '#app/db/catalog.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { clearOldReadings, findLastReading, noteReading, startReading } from '#app/db/readings.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import type { Programs } from '#app/loyalty/engine.ts'
import { fieldsNeedingCatalog } from '#app/loyalty/program.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { readCatalog } from '#app/shopify/products.server.ts'

/** Collections change without their products changing, so everything is read again this often. */
const READ_EVERY_MS = 10 * 60_000

/** True where some version of the program asks for what only the catalogue knows. */
export function needsCatalog({ versions }: Programs): boolean {
  return versions.some(({ program }) => fieldsNeedingCatalog(program).length > 0)
}

/** Whether the catalogue was ever read whole: until then, orders of a program that needs it wait. */
export async function hasCatalog(shopId: number, client?: Queryable): Promise<boolean> {
  return (await findLastReading(shopId, 'catalog', 'done', client)) !== null
}

/** Reads the catalogue where the program needs it and the last reading is old. Returns how many products were read. */
export async function readShopCatalog(shop: Shop, admin: AdminClient): Promise<number> {
  const programs = await loadPrograms(shop.id)
  if (!programs || !needsCatalog(programs)) return 0
  const last = await findLastReading(shop.id, 'catalog', 'done')
  if (last && now() - last.startedAt < READ_EVERY_MS) return 0
  const reading = await startReading(shop.id, { kind: 'catalog' }, now())
  let read = 0
  try {
    for await (const products of readCatalog(admin, shop.currency)) {
      await saveCatalog(shop.id, products, now())
      read += products.size
    }
  } catch (error) {
    await noteReading(shop.id, reading.id, { state: 'failed', error: String(error) }, now())
    throw error
  }
  await noteReading(shop.id, reading.id, { state: 'done', position: read }, now())
  await clearOldReadings(shop.id, 'catalog', now() - READ_EVERY_MS)
  return read
}

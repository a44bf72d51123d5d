// Reads the shop's products again where the rules of its program ask for collections, tags or sale prices, or where replacement cycles
// are set for types or tags. Other shops cost nothing.
import { now } from '#app/clock.server.ts'
import type { Queryable } from '#app/db/client.server.ts'
import { loadKinds, saveCatalog } from '#app/db/catalog.server.ts'
import { listCycles, needKinds, startRecount } from '#app/db/cycles.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { clearOldReadings, findLastReading, noteReading, startReading } from '#app/db/readings.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import type { Programs } from '#app/loyalty/engine.ts'
import { fieldsNeedingCatalog } from '#app/loyalty/catalog.ts'
import { cycleOfProduct, type ReplacementCycle } from '#app/retention/lifecycle.ts'
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

/**
 * Reads the catalogue where the program or a replacement cycle needs it and the last reading is old. Where products have come under
 * another cycle since, the shop's orders are put down to be recounted. Returns how many products were read.
 */
export async function readShopCatalog(shop: Shop, admin: AdminClient): Promise<number> {
  const programs = await loadPrograms(shop.id)
  const cycles = await listCycles(shop.id)
  if (!(programs && needsCatalog(programs)) && !needKinds(cycles)) return 0
  const last = await findLastReading(shop.id, 'catalog', 'done')
  if (last && now() - last.startedAt < READ_EVERY_MS) return 0
  const reading = await startReading(shop.id, 'catalog', now())
  let read = 0
  let changed = false
  try {
    for await (const products of readCatalog(admin, shop.currency)) {
      if (needKinds(cycles)) changed = (await changesCycles(shop.id, products, cycles)) || changed
      await saveCatalog(shop.id, products, now())
      read += products.size
    }
  } catch (error) {
    await noteReading(shop.id, reading.id, { state: 'failed', error: String(error) }, now())
    throw error
  }
  await noteReading(shop.id, reading.id, { state: 'done', position: read }, now())
  await clearOldReadings(shop.id, 'catalog', now() - READ_EVERY_MS)
  if (changed) await startRecount(shop.id, now())
  return read
}

/** Whether the replacement cycle of any of these products changes with what was just read. */
async function changesCycles(
  shopId: number,
  products: ReadonlyMap<string, { type: string; tags: readonly string[] }>,
  cycles: readonly ReplacementCycle[],
): Promise<boolean> {
  const known = await loadKinds(shopId, [...products.keys()])
  return [...products].some(([product, kind]) => {
    const before = cycleOfProduct({ product, type: '', tags: [], ...known.get(product) }, cycles)
    return before?.days !== cycleOfProduct({ product, ...kind }, cycles)?.days
  })
}

/** `npm run measures:verify`: recomputes every retention measure from the orders and compares it with what is kept. */
import { parseArgs } from 'node:util'
import { closeDatabase } from '../db/client.server.ts'
import { findCycleDifferences } from '../db/cycles.server.ts'
import { findMeasureDifferences } from '../db/measures.server.ts'
import { findShop, listInstalledShops } from '../db/shops.server.ts'

const HELP = `Recomputes every retention measure from the orders and compares it with what is kept.

  npm run measures:verify [-- --shop DOMAIN]

  --shop DOMAIN   only this shop, such as demo.myshopify.com (default: all shops that have the app)

The database is that of DATABASE_URL. Exit status: 0 nothing differs; 1 something does, and is printed; 2 the command line is wrong.
`

const SHOWN = 50

async function main(): Promise<number> {
  let values: { shop?: string; help?: boolean }
  try {
    values = parseArgs({ options: { shop: { type: 'string' }, help: { type: 'boolean' } } }).values
  } catch (error) {
    process.stderr.write(`${(error as Error).message} (see --help)\n`)
    return 2
  }
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const shops = values.shop === undefined ? await listInstalledShops() : [await findShop(values.shop)]
  let differing = 0
  for (const shop of shops) {
    if (!shop) {
      process.stderr.write(`--shop: ${values.shop} is unknown here\n`)
      return 2
    }
    const differences = [...(await findMeasureDifferences(shop.id)), ...(await findCycleDifferences(shop.id))]
    differing += differences.length
    process.stdout.write(
      differences.length === 0
        ? `${shop.domain}: every measure is what the orders say\n`
        : `${shop.domain}: ${differences.length} measures differ\n`,
    )
    for (const { what, kept, counted } of differences.slice(0, SHOWN)) {
      process.stdout.write(`  ${what}: kept ${kept}, counted ${counted}\n`)
    }
    if (differences.length > SHOWN) process.stdout.write(`  and ${differences.length - SHOWN} more\n`)
  }
  return differing === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} finally {
  await closeDatabase()
}

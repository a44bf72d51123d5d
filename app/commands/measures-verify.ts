/** `npm run measures:verify`: recomputes every retention measure from the orders and compares it with what is kept. */
import { parseArgs } from 'node:util'
import { findCycleDifferences } from '#app/db/cycles.server.ts'
import { findMeasureDifferences } from '#app/db/recount-measures.server.ts'
import { openDatabase } from '#app/db/open.server.ts'
import { findShop, listInstalledShops } from '#app/db/shops.server.ts'

const HELP = `Recomputes every retention measure from the orders and compares it with what is kept.

  npm run measures:verify [-- --shop DOMAIN]

  --shop DOMAIN   only this shop, such as demo.myshopify.com (default: all shops that have the app)

DATABASE_URL names the database; without it, the embedded one of this folder. Exit status: 0 nothing differs; 1 something does, and is printed;
2 the command line is wrong or the database does not answer.
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
  const close = await openDatabase().catch((error: Error) => void process.stderr.write(`${error.message}\n`))
  if (!close) return 2
  try {
    return await verify(values.shop)
  } finally {
    await close()
  }
}

async function verify(domain: string | undefined): Promise<number> {
  const shops = domain === undefined ? await listInstalledShops() : [await findShop(domain)]
  let differing = 0
  for (const shop of shops) {
    if (!shop) {
      process.stderr.write(`--shop: ${domain} is unknown here\n`)
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

process.exitCode = await main()

// `npm run ledger:verify [-- --shop S]`: recomputes every balance and lot from the transfers and prints what differs.
import { parseArgs } from 'node:util'
import { openDatabase } from '#app/db/open.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { listAllShops, type Shop } from '#app/db/shops.server.ts'

const HELP = `Recomputes every balance and lot from the ledger's transfers and compares.

  npm run ledger:verify [-- --shop demo.myshopify.com]

Without --shop all shops are checked. DATABASE_URL names the database; without it, the embedded one of this folder.
Exit code: 0 where all is right, 1 where something differs, 2 where the question was not understood or the database does not answer.
`

async function main(): Promise<number> {
  const asked = readArguments()
  if (asked === null) return 2
  if (asked.help) {
    process.stdout.write(HELP)
    return 0
  }
  const close = await openDatabase().catch((error: Error) => void process.stderr.write(`${error.message}\n`))
  if (!close) return 2
  try {
    const shops = await findShops(asked.shop)
    if (shops === null) return 2
    let differing = 0
    for (const shop of shops) differing += await report(shop)
    return differing === 0 ? 0 : 1
  } finally {
    await close()
  }
}

function readArguments(): { shop?: string; help: boolean } | null {
  try {
    const { values } = parseArgs({ options: { shop: { type: 'string' }, help: { type: 'boolean', default: false } } })
    return values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`)
    return null
  }
}

async function findShops(domain: string | undefined): Promise<Shop[] | null> {
  const shops = await listAllShops()
  if (domain === undefined) return shops
  const found = shops.filter((shop) => shop.domain === domain)
  if (found.length > 0) return found
  process.stderr.write(`--shop ${domain}: there is no such shop in this database.\n`)
  return null
}

/** Prints one line for the shop and one for each difference; returns how many there are. */
async function report({ id, domain }: Shop): Promise<number> {
  const { transfers, members, lots, differences } = await checkLedger(id)
  const verdict = differences.length === 0 ? 'all right' : `${differences.length} DIFFERENCES`
  process.stdout.write(`${domain}: ${verdict} (${transfers} transfers, ${members} members, ${lots} open lots)\n`)
  for (const { what, kept, recomputed } of differences) {
    process.stdout.write(`  ${what}: kept ${kept}, recomputed ${recomputed}\n`)
  }
  return differences.length
}

process.exitCode = await main()

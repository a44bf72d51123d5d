/** `npm run program`: the live program of a shop as a document, out and in. */
import { parseArgs } from 'node:util'
import { now } from '#app/clock.server.ts'
import { openDatabase } from '#app/db/open.server.ts'
import { findPublishedProgram, publishOnTop } from '#app/db/program-history.server.ts'
import { type Shop, findShop } from '#app/db/shops.server.ts'
import { diff } from '#app/loyalty/diff.ts'
import { InputProblem, readProgramFile } from './input-file.ts'
import { OutputProblem, writeOutput } from './output-file.ts'

const HELP = `The program of a shop as a document: everything it promises its members.

  npm run program -- export --shop SHOP [--out FILE]
  npm run program -- import --shop SHOP FILE [--dry-run]

  export        prints the newest published version
  import        checks FILE and publishes it as the next version, in force from now on; says what changes
  --shop SHOP   the shop's domain, such as demo.myshopify.com
  --out FILE    write the document there instead of printing it
  --dry-run     check and say what would change; publish nothing
  --help        this text

DATABASE_URL names the database; without it, the embedded one of this folder.
Exit code: 0 done; 2 the input or the command line is wrong or the database does not answer, and nothing was written.
`

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = readArguments(args)
    const [action, file, ...rest] = positionals
    if (values.help) {
      process.stdout.write(HELP)
      return 0
    }
    if (action === 'export' && file === undefined) {
      await withShop(values.shop, (shop) => exportProgram(shop, values.out))
    } else if (action === 'import' && file !== undefined && rest.length === 0) {
      await withShop(values.shop, (shop) => importProgram(shop, file, values['dry-run'] ?? false))
    } else throw new InputProblem(['say "export --shop SHOP" or "import --shop SHOP FILE" (see --help)'])
    return 0
  } catch (error) {
    if (!(error instanceof InputProblem || error instanceof OutputProblem)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

async function exportProgram(shop: Shop, out: string | undefined): Promise<void> {
  const published = await findPublishedProgram(shop.id)
  if (!published) throw new InputProblem([`${shop.domain} has not published a program yet`])
  const json = `${JSON.stringify(published.document, null, 2)}\n`
  await writeOutput(out, (sink) => sink.write(json))
}

async function importProgram(shop: Shop, file: string, dryRun: boolean): Promise<void> {
  const before = await findPublishedProgram(shop.id)
  const { program, fieldProblem, standing } = readProgramFile(file, before?.document)
  if (program.currency !== shop.currency) {
    throw new InputProblem([fieldProblem(['currency'], `must be ${shop.currency}, the currency of ${shop.domain}`)])
  }
  for (const line of standing) process.stderr.write(`${line} (it stays, as it was there before)\n`)
  const changes = before ? diff(before.document, program.document) : ['The program begins']
  if (before && changes.length === 0) {
    process.stdout.write(`${shop.domain} has this program already (version ${before.version}); nothing was published\n`)
    return
  }
  const said = changes.map((change) => `  • ${change}\n`).join('')
  if (dryRun) {
    process.stdout.write(`This would change for ${shop.domain}:\n${said}`)
    return
  }
  const published = await publishOnTop(shop.id, program.document, {
    basedOn: before?.version ?? 0,
    at: now(),
    actor: 'npm run program',
    note: changes.join('\n'),
  })
  if (!published.ok)
    throw new InputProblem([`${shop.domain} got version ${published.version} meanwhile; nothing was published`])
  process.stdout.write(`Version ${published.version} of ${shop.domain} is in force:\n${said}`)
}

async function withShop(domain: string | undefined, work: (shop: Shop) => Promise<void>): Promise<void> {
  if (domain === undefined) throw new InputProblem(['--shop is missing; it names the shop (see --help)'])
  const close = await openDatabase().catch((error: Error) => {
    throw new InputProblem([error.message])
  })
  try {
    const shop = await findShop(domain)
    if (!shop) throw new InputProblem([`there is no shop ${domain} in this database`])
    await work(shop)
  } finally {
    await close()
  }
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        shop: { type: 'string' },
        out: { type: 'string' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new InputProblem([`${(error as Error).message} (see --help)`])
  }
}

process.exitCode = await main(process.argv.slice(2))

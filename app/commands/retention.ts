/** `npm run retention`: the retention measures of any order log, as JSON or as tables. */
import { parseArgs } from 'node:util'
import { OrderLogError, parseDate, readOrderLog } from './order-log-csv.ts'
import { OutputProblem, forgiveClosedPipe, isClosedPipe, writeOutput } from './output-file.ts'
import { printMeasures } from './retention-tables.ts'
import { now } from '../clock.server.ts'
import { isTimeZone, parseInstant } from '../loyalty/time.ts'
import { measureOrders } from '../retention/measures.ts'

const HELP = `The retention measures of an order log: who comes back, who is slipping away, and what it is worth.

  npm run retention -- --orders FILE [--as-of T] [--timezone ZONE] [--activity-days N] [--out FILE] [--table]

  --orders FILE       CSV with the header customer_id,ordered_at,amount[,order_id][,currency]; "-" reads standard input
  --as-of T           measure at this instant, 2026-04-01T00:00:00Z or a bare date in the zone; only orders before it
                      exist (default: now)
  --timezone ZONE     IANA time zone of days and months, such as Europe/Berlin (default: UTC)
  --activity-days N   a customer is active for N days of 24 hours after an order (default: 365)
  --out FILE          write the JSON there instead of printing it
  --table             print tables for reading instead of JSON
  --help              this text

Exit status: 0 done; 2 the input or the command line is wrong, and nothing was written.
`

const OPTIONS = {
  orders: { type: 'string' },
  'as-of': { type: 'string' },
  timezone: { type: 'string' },
  'activity-days': { type: 'string' },
  out: { type: 'string' },
  table: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** What the command line asks for. */
type Request = { orders: string; asOf: number; timeZone: string; activityDays: number; out?: string; table: boolean }

class UsageError extends Error {}

async function main(): Promise<number> {
  try {
    const request = readArguments(process.argv.slice(2))
    if (request === 'help') {
      process.stdout.write(HELP)
      return 0
    }
    await run(request)
    return 0
  } catch (error) {
    if (isClosedPipe(error)) return 0
    if (!(error instanceof UsageError || error instanceof OrderLogError || error instanceof OutputProblem)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

async function run({ orders: file, asOf, timeZone, activityDays, out, table }: Request): Promise<void> {
  const progress = showProgress()
  const { orders, exponent } = await readOrderLog(file, timeZone, progress.show).finally(progress.clear)
  const measures = measureOrders(orders.finish(asOf), { asOf, timeZone, activityDays, exponent })
  const json = `${JSON.stringify(measures, null, 2)}\n`
  if (out !== undefined || !table) await writeOutput(out, (sink) => sink.write(json))
  if (table) await writeOutput(undefined, (sink) => sink.write(printMeasures(measures)))
}

function readArguments(args: string[]): Request | 'help' {
  const values = parse(args)
  if (values.help) return 'help'
  if (values.orders === undefined) throw new UsageError('--orders is missing; it names the CSV file (see --help)')
  const timeZone = values.timezone ?? 'UTC'
  if (!isTimeZone(timeZone)) {
    throw new UsageError(`--timezone: "${timeZone}" is unknown; allowed are IANA names, such as Europe/Berlin`)
  }
  const activityDays = values['activity-days'] ?? '365'
  if (!/^[1-9]\d{0,4}$/.test(activityDays)) {
    throw new UsageError(`--activity-days: "${activityDays}" is not allowed; it must be a whole number from 1 to 99999`)
  }
  const asOf = values['as-of'] === undefined ? now() : readInstant(values['as-of'], timeZone)
  return {
    orders: values.orders,
    asOf,
    timeZone,
    activityDays: Number(activityDays),
    out: values.out,
    table: values.table ?? false,
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values
  } catch (error) {
    const allowed = Object.keys(OPTIONS).map((name) => `--${name}`)
    throw new UsageError(`${(error as Error).message}; allowed are ${allowed.join(', ')} (see --help)`)
  }
}

function readInstant(text: string, timeZone: string): number {
  const at = parseInstant(text) ?? parseDate(text, timeZone)
  if (at !== null) return at
  throw new UsageError(
    `--as-of: "${text}" is not allowed; it must be an instant with an offset (2026-04-01T00:00:00Z) or a bare date (2026-04-01)`,
  )
}

/** A line on the terminal that counts rows while they are read; nothing where nobody watches. */
function showProgress() {
  const watched = process.stderr.isTTY === true
  return {
    show: (rows: number, share: number | null) => {
      if (!watched) return
      const percent = share === null ? '' : ` (${Math.floor(share * 100)} %)`
      process.stderr.write(`\r${rows.toLocaleString('en')} orders read${percent}`)
    },
    clear: () => {
      if (watched) process.stderr.write('\r\x1b[K')
    },
  }
}

forgiveClosedPipe()
process.exitCode = await main()

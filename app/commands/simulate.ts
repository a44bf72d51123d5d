/** `npm run simulate`: a log of events played over a program, offline, and what another program would have made of it. */
import { parseArgs } from 'node:util'
import { type Catalog, withCatalog, fieldsNeedingCatalog } from '#app/loyalty/catalog.ts'
import { type Comparison, type Outcome, compareOutcomes } from '#app/loyalty/compare.ts'
import { parseDecimal, rational, roundRational, toSafeNumber } from '#app/loyalty/money.ts'
import type { Program } from '#app/loyalty/program.ts'
import { HUNDRED_PERCENT } from '#app/loyalty/ratios.ts'
import {
  type SimulatedEvent,
  type SimulatedTransfer,
  type SimulationRecords,
  UncountableEvent,
  simulateRecords,
} from '#app/loyalty/simulate.ts'
import { parseInstant } from '#app/loyalty/time.ts'
import { printComparison } from './comparison-table.ts'
import { EventLog } from './event-log.ts'
import {
  InputProblem,
  type ProgramFile,
  formatProblem,
  readCatalogFile,
  readProgramFile,
  unreadable,
} from './input-file.ts'
import { OutputProblem, type Sink, Spool, forgiveClosedPipe, isClosedPipe, writeOutput } from './output-file.ts'
import { createProgress } from './progress.ts'

const HELP = `Plays a log of events over a loyalty program, offline: what every member, order and code comes to, and why.

  npm run simulate -- --program P.json --events E.jsonl [--catalog C.json] [--until T]
                      [--compare P2.json [--cost-of-goods PERCENT]] [--out O.json]

  --program FILE            the program document
  --events FILE             one JSON object a line: Shopify's webhooks and our own events, in any order; "-" reads standard input
  --catalog FILE            collections, tags and compare-at prices of products, where the program's conditions need them
  --until T                 stop at this instant, 2026-09-01T00:00:00Z; later events are not applied (default: the last event)
  --compare FILE            play the log over this program too and say what would differ: points, liability, cost, tiers
  --cost-of-goods PERCENT   with --compare: what goods cost of their price, for the margin
  --out FILE                write the JSON there, all or nothing, instead of printing it
  --help                    this text

npm prints two lines of its own before ours: take --out, or say "npm run --silent simulate".
Events that the rules refuse are listed under "rejected" and on standard error; that is no failure.
Exit status: 0 done; 2 a file or the command line is wrong, and nothing was written.
`

type Request = {
  program: string
  events: string
  catalog?: string
  until?: number
  compare?: string
  costOfGoods: string | null
  out?: string
}

async function main(args: string[]): Promise<number> {
  try {
    const request = readArguments(args)
    if (request === 'help') process.stdout.write(HELP)
    else await run(request)
    return 0
  } catch (error) {
    if (isClosedPipe(error)) return 0
    if (!(error instanceof InputProblem || error instanceof OutputProblem)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

async function run(request: Request): Promise<void> {
  const file = readProgramFile(request.program)
  const other = request.compare === undefined ? null : readOther(request.compare, file.program)
  const catalog = readCatalog(request, other ? [file, other] : [file])
  const log = await openLog(request.events)
  const spool = new Spool()
  try {
    checkLog(log, request.events)
    const played = play(log, file.program, { request, catalog, onTransfer: (transfer) => spool.add(transfer) })
    const comparison = other && compare(played, play(log, other.program, { request, catalog }), [file, other], request)
    await writeOutput(request.out, (sink) => writeSimulation(sink, played, spool, comparison))
    for (const { line, reason } of played.simulation.rejected) {
      process.stderr.write(`${formatProblem(request.events, line, '', `rejected: ${reason}`)}\n`)
    }
    // Where the JSON has standard output to itself, the table goes beside it.
    const terminal = request.out === undefined ? process.stderr : process.stdout
    if (comparison) terminal.write(printComparison(comparison))
  } finally {
    log.close()
    spool.close()
  }
}

function readOther(path: string, program: Program): ProgramFile {
  const other = readProgramFile(path)
  if (other.program.currency === program.currency) return other
  throw new InputProblem([
    other.fieldProblem(['currency'], `must be ${program.currency}, as in the program it is compared with`),
  ])
}

function readCatalog({ catalog }: Request, files: readonly ProgramFile[]): Catalog {
  if (catalog !== undefined) return readCatalogFile(catalog, (files[0] as ProgramFile).program.exponent)
  const problems = files.flatMap(({ program, fieldProblem }) =>
    fieldsNeedingCatalog(program).map(({ path }) =>
      fieldProblem(path, 'needs a catalogue of products: give one with --catalog'),
    ),
  )
  if (problems.length > 0) throw new InputProblem(problems)
  return new Map()
}

async function openLog(path: string): Promise<EventLog> {
  try {
    return await EventLog.open(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

function checkLog(log: EventLog, path: string): void {
  const progress = createProgress('Reading')
  const problems = log.check((done) => progress.show(done, log.bytes))
  progress.clear()
  if (problems.length === 0) return
  throw new InputProblem(problems.map(({ line, field, message }) => formatProblem(path, line, field, message)))
}

type Play = { request: Request; catalog: Catalog; onTransfer?: (transfer: SimulatedTransfer) => void }

function play(log: EventLog, program: Program, { request, catalog, onTransfer }: Play): SimulationRecords {
  const until = request.until ?? log.lastAt ?? undefined
  const all = log.countUntil(until ?? Infinity)
  const progress = createProgress('Playing')
  let done = 0
  try {
    return simulateRecords(program, playEvents(log, catalog, until ?? Infinity), {
      until,
      ...(onTransfer && { onTransfer }),
      onEvent: () => progress.show(++done, all),
    })
  } catch (error) {
    if (!(error instanceof UncountableEvent)) throw error
    throw new InputProblem([formatProblem(request.events, error.line, '', error.message)])
  } finally {
    progress.clear()
  }
}

function* playEvents(log: EventLog, catalog: Catalog, until: number): Generator<SimulatedEvent> {
  for (const { line, event } of log.play(until)) {
    yield { line, event: event?.type === 'order' ? { ...event, order: withCatalog(event.order, catalog) } : event }
  }
}

function compare(
  before: SimulationRecords,
  after: SimulationRecords,
  [file, other]: readonly [ProgramFile, ProgramFile],
  { costOfGoods }: Request,
): Comparison {
  return compareOutcomes(measureOutcome(file.program, before), measureOutcome(other.program, after), costOfGoods)
}

function measureOutcome(program: Program, { simulation, orders, redemptions }: SimulationRecords): Outcome {
  const outcome = {
    program,
    totals: simulation.totals,
    tiers: new Map(Object.entries(simulation.members).map(([id, member]) => [id, member.tier])),
    orders: { count: 0, earning: 0, goodsMinor: 0 },
    redemptions: { costMinor: 0, usedMinor: 0, unpriced: 0 },
  }
  for (const { worth } of orders.values()) {
    outcome.orders.count++
    if ((worth?.points ?? 0) > 0) outcome.orders.earning++
    outcome.orders.goodsMinor += worth?.spendMinor ?? 0
  }
  for (const { type, value, points, returned, state } of redemptions.values()) {
    if (state === 'returned' || state === 'reserved') continue
    const valueMinor = type === 'percentage' || value === null ? null : parseDecimal(value, program.exponent)
    if (valueMinor === null) {
      outcome.redemptions.unpriced++
      continue
    }
    // Points that came back with a part of the order take their part of the cost with them.
    const standing = rational(BigInt(valueMinor) * BigInt(points - returned), points)
    const costMinor = toSafeNumber(roundRational(standing, 'half-up'))
    outcome.redemptions.costMinor += costMinor
    if (state === 'used') outcome.redemptions.usedMinor += costMinor
  }
  return outcome
}

/** The contract's JSON, entry by entry, so that its text is never in memory as a whole. */
async function writeSimulation(
  sink: Sink,
  { simulation }: SimulationRecords,
  spool: Spool,
  comparison: Comparison | null,
): Promise<void> {
  await sink.write('{')
  for (const part of ['members', 'orders', 'redemptions'] as const) {
    await sink.write(`${part === 'members' ? '' : ','}\n  "${part}": {`)
    let separator = '\n'
    for (const [key, entry] of Object.entries(simulation[part])) {
      await sink.write(`${separator}    ${JSON.stringify(key)}: ${indent(entry, 4)}`)
      separator = ',\n'
    }
    await sink.write(separator === '\n' ? '}' : '\n  }')
  }
  await sink.write(',\n  "transfers": [')
  await spool.copyTo(sink)
  await sink.write(spool.count === 0 ? ']' : '\n  ]')
  await sink.write(`,\n  "totals": ${indent(simulation.totals, 2)}`)
  await sink.write(`,\n  "rejected": ${indent(simulation.rejected, 2)}`)
  if (comparison) await sink.write(`,\n  "compare": ${indent(comparison, 2)}`)
  await sink.write('\n}\n')
}

function indent(value: unknown, spaces: number): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(spaces)}`)
}

function readArguments(args: string[]): Request | 'help' {
  const values = parse(args)
  if (values.help) return 'help'
  const { program, events, compare, catalog, out } = values
  if (program === undefined)
    throw new InputProblem(['--program is missing; it names the program document (see --help)'])
  if (events === undefined) throw new InputProblem(['--events is missing; it names the log of events (see --help)'])
  const costOfGoods = readPercentage(values['cost-of-goods'])
  if (costOfGoods !== null && compare === undefined) {
    throw new InputProblem(['--cost-of-goods is for the margins of --compare, which is missing (see --help)'])
  }
  const until = readUntil(values.until)
  return {
    program,
    events,
    costOfGoods,
    ...(until !== undefined && { until }),
    ...(compare !== undefined && { compare }),
    ...(catalog !== undefined && { catalog }),
    ...(out !== undefined && { out }),
  }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args,
      options: {
        program: text,
        events: text,
        catalog: text,
        until: text,
        compare: text,
        'cost-of-goods': text,
        out: text,
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new InputProblem([`${(error as Error).message} (see --help)`])
  }
}

function readUntil(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = parseInstant(text)
  if (at === null) throw new InputProblem([`--until must be an instant like 2026-09-01T00:00:00Z, not "${text}"`])
  return at
}

function readPercentage(text: string | undefined): string | null {
  if (text === undefined) return null
  const basisPoints = parseDecimal(text, 2)
  if (basisPoints === null || basisPoints < 0 || basisPoints > HUNDRED_PERCENT) {
    throw new InputProblem([
      `--cost-of-goods must be a percentage from 0 to 100 with at most 2 decimals, not "${text}"`,
    ])
  }
  return text
}

forgiveClosedPipe()
process.exitCode = await main(process.argv.slice(2))

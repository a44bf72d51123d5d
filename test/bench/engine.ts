/**
 * `npm run bench -- engine`: how many events one core applies a second, and how that changes from a thousand to a million members. Events are made as
 * they are needed and never kept; each is an order, every fourth time its partial refund, spread over the members evenly and over a year. Beside it the
 * time to read a webhook's text, as that is the larger half of the way from the inbox to the ledger.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { Order } from '#app/loyalty/order.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { type SimulatedEvent, type SimulationRecords, simulateRecords } from '#app/loyalty/simulate.ts'
import { DAY_MS, parseInstant } from '#app/loyalty/time.ts'
import { parseWebhookText } from '#app/shopify/webhook.ts'

const SIZES = [1_000, 10_000, 100_000, 1_000_000]
/** Orders and refunds of a member in the year: the same at every size, so that only the size differs. */
const EVENTS_PER_MEMBER = 2
/** Small sizes are played again, with new members, until so many events have been. */
const EVENTS = 40_000
const START = parseInstant('2026-01-01T00:00:00Z') as number
const FIXTURES = new URL('../fixtures/', import.meta.url)

/** Prints one JSON line for each figure. The first argument may name the largest number of members. */
export function benchEngine(print: (figure: Record<string, unknown>) => void, args: readonly string[] = []): void {
  const largest = args[0] === undefined ? Infinity : Number(args[0])
  benchParsing(print)
  let first: number | null = null
  for (const members of SIZES.filter((size) => size <= largest)) {
    const { perSecond, bytesPerMember } = playApart(members)
    first ??= perSecond
    print({
      bench: 'engine',
      figure: 'events-per-second',
      members,
      perSecond: Math.round(perSecond),
      microsecondsPerEvent: Number((1e6 / perSecond).toFixed(2)),
      timesSlowerThanSmallest: Number((first / perSecond).toFixed(2)),
      bytesPerMember: Math.round(bytesPerMember),
    })
  }
}

type Played = { perSecond: number; bytesPerMember: number }

/** Plays in a process of its own: a million members need more memory than Node takes by itself, and no size should inherit another's heap. */
function playApart(members: number): Played {
  const megabytes = Math.floor((totalmem() * 0.6) / 2 ** 20)
  const flags = ['--expose-gc', `--max-old-space-size=${megabytes}`]
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, import.meta.filename, String(members)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${members} members: ${stderr}`)
  return JSON.parse(stdout) as Played
}

function play(members: number): Played {
  const program = requireProgram(JSON.parse(readFileSync(new URL('contracts/program.example.json', FIXTURES), 'utf8')))
  const events = members * EVENTS_PER_MEMBER
  const rounds = Math.max(1, Math.round(EVENTS / events))
  // Once for the compiler, so that the first round is not slower for being first.
  simulateRecords(program, makeEvents(1_000, 10_000))
  const making = measureProcessor(() => {
    for (let round = 0; round < rounds; round++) for (const _ of makeEvents(members, events));
  })
  let records: SimulationRecords | null = null
  collectGarbage()
  const heapBefore = process.memoryUsage().heapUsed
  const playing = measureProcessor(() => {
    for (let round = 0; round < rounds; round++) records = simulateRecords(program, makeEvents(members, events))
  })
  collectGarbage()
  const heapBytes = process.memoryUsage().heapUsed - heapBefore
  if (records === null) throw new Error('nothing was played')
  return { perSecond: ((events * rounds) / (playing - making)) * 1000, bytesPerMember: heapBytes / members }
}

function collectGarbage(): void {
  ;(globalThis as { gc?: () => void }).gc?.()
}

function benchParsing(print: (figure: Record<string, unknown>) => void): void {
  const text = JSON.stringify(JSON.parse(readFileSync(new URL('payloads/orders-paid.json', FIXTURES), 'utf8')))
  const rounds = 500
  let [whole, bare] = [Infinity, Infinity]
  // In turns, and the best of each: what else the machine does meanwhile only ever adds.
  for (let turn = 0; turn < 20; turn++) {
    const parsed = measureProcessor(() => {
      for (let round = 0; round < rounds; round++) parseWebhookText('orders/paid', START, text)
    })
    const plain = measureProcessor(() => {
      for (let round = 0; round < rounds; round++) JSON.parse(text)
    })
    ;[whole, bare] = [Math.min(whole, parsed), Math.min(bare, plain)]
  }
  print({
    bench: 'engine',
    figure: 'parse',
    bytes: text.length,
    microsecondsPerPayload: Number(((whole / rounds) * 1000).toFixed(1)),
    jsonParseMicroseconds: Number(((bare / rounds) * 1000).toFixed(1)),
    timesJsonParse: Number((whole / bare).toFixed(2)),
  })
}

/** Orders in the order of time; every fourth event is a refund of one unit of the order before it. */
function* makeEvents(members: number, count: number): Generator<SimulatedEvent> {
  const stepMs = Math.floor((365 * DAY_MS) / count)
  // A step that shares no factor with the number of members visits them all before it comes round.
  const stride = 7_919
  for (let index = 0; index < count; index++) {
    const at = START + index * stepMs
    const isRefund = index % 4 === 3
    const number = isRefund ? index - 1 : index
    yield {
      line: index + 1,
      event: { type: 'order', at, order: makeOrder(number, (number * stride) % members, at, isRefund) },
    }
  }
}

function makeOrder(number: number, member: number, at: number, refunded: boolean): Order {
  const line = (id: number, quantity: number, priceMinor: number, discountMinor: number): Order['lines'][number] => ({
    id: `gid://shopify/LineItem/${number * 4 + id}`,
    product: `gid://shopify/Product/${1000 + ((number + id) % 200)}`,
    quantity,
    currentQuantity: id === 0 && refunded ? quantity - 1 : quantity,
    priceMinor,
    discountMinor,
    taxMinor: 0,
    giftCard: false,
    subscription: false,
    collections: [],
    tags: [],
    compareAtMinor: null,
  })
  return {
    id: `gid://shopify/Order/${6_000_000_000_000 + number}`,
    customer: `gid://shopify/Customer/${8_000_000_000_000 + member}`,
    customerState: 'enabled',
    company: false,
    sourceName: 'web',
    test: false,
    cancelledAt: null,
    financialStatus: refunded ? 'partially_refunded' : 'paid',
    processedAt: refunded ? at - 60_000 : at,
    updatedAt: at,
    currency: 'USD',
    taxesIncluded: false,
    lines: [line(0, 2, 1250 + (number % 700), 192), line(1, 1, 4000 + (number % 900), 308), line(2, 3, 300, 0)],
    shippingMinor: 600,
    shippingTaxMinor: 0,
    refunds: [],
    discountCodes: [],
  }
}

/** Milliseconds of one core, garbage collection included, whatever else the machine does meanwhile. */
function measureProcessor(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

if (import.meta.main) process.stdout.write(JSON.stringify(play(Number(process.argv[2]))))

/**
 * An *event log* is a file with one JSON object a line: webhooks and our own events, in any order. It is read twice: once to check
 * every line and note where it stands and when it happened, and again line by line in the order of time. Only the notes stay in memory, never a payload.
 */
import { type Event } from '#app/loyalty/engine.ts'
import { parseInstant } from '#app/loyalty/time.ts'
import {
  type Fields,
  type Parsed,
  UnreadableField,
  mustBe,
  parsePayloadText,
  readObject,
  readParsed,
} from '#app/shopify/payload.ts'
import { RULES_TOPICS, isRulesTopic, parseWebhook } from '#app/shopify/webhook.ts'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { OWN_TOPICS, parseOwnEvent } from './own-events.ts'

/** What is wrong in a line (from 1); `field` is "" where it is the line itself. */
export type LineProblem = { readonly line: number; readonly field: string; readonly message: string }

/** What happened and in which line (from 1) it was said; null for news that nothing happened. */
export type LoggedEvent = { readonly line: number; readonly at: number; readonly event: Event | null }

/** After so many mistakes the reading ends: the first ones say enough. */
const MAXIMUM_PROBLEMS = 20
const CHUNK_BYTES = 1 << 20
/** A line longer than this is no webhook. */
const MAXIMUM_LINE_BYTES = 1 << 26

/** What a line says: the event, its instant, and for ordering the part of a millisecond (0 up to 1) that `at` leaves out. */
type LogLine = { readonly at: number; readonly restOfMs: number; readonly event: Event | null }

/** Reads a line's object: `{topic, triggeredAt, eventId?, payload}`. */
export function parseLogLine(text: string): Parsed<LogLine> {
  return parsePayloadText(text, (line) => {
    const envelope = readParsed(() => readEnvelope(readObject(line, '')))
    if (!envelope.ok) return envelope
    const { topic, at, restOfMs, payload } = envelope.value
    const parsed: Parsed<Event | null> = isRulesTopic(topic)
      ? parseWebhook(topic, at, payload)
      : parseOwnEvent(topic, at, payload)
    if (parsed.ok) return { ok: true, value: { at, restOfMs, event: parsed.value } }
    return { ...parsed, field: parsed.field === '' ? 'payload' : `payload.${parsed.field}` }
  })
}

const ENVELOPE = ['topic', 'triggeredAt', 'eventId', 'payload']

function readEnvelope(line: Fields): { topic: string; at: number; restOfMs: number; payload: unknown } {
  for (const name of Object.keys(line)) {
    if (ENVELOPE.includes(name)) continue
    throw new UnreadableField(name, `is not a field of an event: its fields are ${ENVELOPE.join(', ')}`)
  }
  const { topic, triggeredAt, eventId, payload } = line
  if (typeof topic !== 'string') throw new UnreadableField('topic', mustBe('text', topic))
  if (!isRulesTopic(topic) && !OWN_TOPICS.includes(topic)) {
    const known = [...RULES_TOPICS, ...OWN_TOPICS].join(', ')
    throw new UnreadableField('topic', `"${topic}" is not a topic of an event log: those are ${known}`)
  }
  const at = typeof triggeredAt === 'string' ? parseInstant(triggeredAt) : null
  if (at === null)
    throw new UnreadableField('triggeredAt', mustBe('an instant like "2026-08-03T18:05:13Z"', triggeredAt))
  if (eventId !== undefined && typeof eventId !== 'string')
    throw new UnreadableField('eventId', mustBe('text', eventId))
  if (payload === undefined) throw new UnreadableField('payload', 'is missing')
  // Shopify's X-Shopify-Triggered-At counts nanoseconds.
  const finer = /\.\d{3}(\d+)/.exec(triggeredAt as string)
  return { topic, at, restOfMs: finer ? Number(`0.${finer[1]}`) : 0, payload }
}

/** The notes on a log: when each event happened and where its line stands. */
export class EventLog {
  /** Number of events. */
  count = 0
  /** The instant of the last event in time; null where there is none. */
  lastAt: number | null = null
  readonly bytes: number
  private readonly file: number
  private readonly temporary: string | null
  private instants = new Float64Array(1024)
  private offsets = new Float64Array(1024)
  private lengths = new Uint32Array(1024)
  private lines = new Uint32Array(1024)
  private sorted: Uint32Array | null = null
  private buffer = Buffer.allocUnsafe(1 << 16)

  private constructor(file: number, temporary: string | null) {
    this.file = file
    this.temporary = temporary
    this.bytes = fstatSync(file).size
  }

  /** Opens a log. What is no ordinary file (a pipe) is first copied to one, as lines are read in the order of time. Throws where it cannot be read. */
  static async open(path: string): Promise<EventLog> {
    if (path !== '-' && statSync(path).isFile()) return new EventLog(openSync(path, 'r'), null)
    const temporary = join(tmpdir(), `perennial-events-${process.pid}.jsonl`)
    await pipeline(path === '-' ? process.stdin : createReadStream(path), createWriteStream(temporary, { mode: 0o600 }))
    return new EventLog(openSync(temporary, 'r'), temporary)
  }

  close(): void {
    closeSync(this.file)
    if (this.temporary) rmSync(this.temporary, { force: true })
  }

  /** Checks every line. Returns what is wrong, the first twenty mistakes at most; empty: the log can be played. */
  check(onProgress: (bytesDone: number) => void): LineProblem[] {
    const problems: LineProblem[] = []
    for (const { line, offset, bytes } of this.readLines(problems)) {
      const text = bytes.toString('utf8').trim()
      if (text === '') continue
      const parsed = parseLogLine(text)
      if (parsed.ok) this.note(parsed.value, offset, bytes.length, line)
      else problems.push({ line, field: parsed.field, message: parsed.message })
      if (problems.length >= MAXIMUM_PROBLEMS) {
        problems.push({ line: line + 1, field: '', message: `not read any more, after ${MAXIMUM_PROBLEMS} mistakes` })
        break
      }
      if (line % 256 === 0) onProgress(offset)
    }
    return problems
  }

  /** Every event up to and including `until`, in the order of time, ties in file order. */
  *play(until: number): Generator<LoggedEvent> {
    this.sorted ??= this.sort()
    for (const index of this.sorted) {
      const at = Math.floor(this.instants[index] as number)
      if (at > until) return
      const parsed = parseLogLine(this.readText(this.offsets[index] as number, this.lengths[index] as number))
      if (!parsed.ok) throw new Error(`line ${this.lines[index]} changed while it was read`)
      yield { line: this.lines[index] as number, at, event: parsed.value.event }
    }
  }

  /** The number of events up to and including `until`. */
  countUntil(until: number): number {
    let count = 0
    for (let index = 0; index < this.count; index++) if (Math.floor(this.instants[index] as number) <= until) count++
    return count
  }

  private *readLines(problems: LineProblem[]): Generator<{ line: number; offset: number; bytes: Buffer }> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let rest: Buffer = Buffer.alloc(0)
    let [line, offset, position] = [0, 0, 0]
    for (;;) {
      const read = readSync(this.file, chunk, 0, CHUNK_BYTES, position)
      if (read === 0) break
      position += read
      // Copied: the chunk is written over by the next read, while a rest lives on.
      let data = rest.length > 0 ? Buffer.concat([rest, chunk.subarray(0, read)]) : Buffer.from(chunk.subarray(0, read))
      if (line === 0 && offset === 0 && data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf) {
        data = data.subarray(3)
        offset = 3
      }
      let from = 0
      for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, from)) {
        line++
        yield { line, offset, bytes: data.subarray(from, end) }
        offset += end + 1 - from
        from = end + 1
      }
      rest = data.subarray(from)
      if (rest.length > MAXIMUM_LINE_BYTES) {
        problems.push({ line: line + 1, field: '', message: 'is longer than 64 MiB' })
        return
      }
    }
    if (rest.length > 0) yield { line: line + 1, offset, bytes: rest }
  }

  private note({ at, restOfMs }: LogLine, offset: number, length: number, line: number): void {
    if (this.count === this.instants.length) this.grow()
    const index = this.count++
    // A double holds an instant of this century to a quarter of a microsecond.
    this.instants[index] = at + restOfMs
    this.offsets[index] = offset
    this.lengths[index] = length
    this.lines[index] = line
    if (this.lastAt === null || at > this.lastAt) this.lastAt = at
  }

  private grow(): void {
    const size = this.instants.length * 2
    const larger = <T extends Float64Array | Uint32Array>(into: T, from: T) => (into.set(from), into)
    this.instants = larger(new Float64Array(size), this.instants)
    this.offsets = larger(new Float64Array(size), this.offsets)
    this.lengths = larger(new Uint32Array(size), this.lengths)
    this.lines = larger(new Uint32Array(size), this.lines)
  }

  private sort(): Uint32Array {
    const order = new Uint32Array(this.count)
    let isSorted = true
    for (let index = 0; index < this.count; index++) {
      order[index] = index
      if (index > 0 && (this.instants[index] as number) < (this.instants[index - 1] as number)) isSorted = false
    }
    const { instants } = this
    return isSorted ? order : order.sort((a, b) => (instants[a] as number) - (instants[b] as number) || a - b)
  }

  private readText(offset: number, length: number): string {
    if (this.buffer.length < length) this.buffer = Buffer.allocUnsafe(length * 2)
    let done = 0
    while (done < length) {
      const read = readSync(this.file, this.buffer, done, length - done, offset + done)
      if (read === 0) throw new Error('the event log became shorter while it was read')
      done += read
    }
    return this.buffer.toString('utf8', 0, length)
  }
}

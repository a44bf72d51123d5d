/**
 * Reads an order log: CSV as RFC 4180 has it, with the header
 * `customer_id,ordered_at,amount[,order_id][,currency]`, one row an order, in a stream, so that a million rows need little more
 * memory than the numbers in them.
 */
import { createReadStream, statSync } from 'node:fs'
import { CsvError, parse } from 'csv-parse'
import { findCurrencyExponent, formatDecimal, parseDecimal } from '../loyalty/money.ts'
import { parseInstant, startOfDate, daysInMonth } from '../loyalty/time.ts'
import type { OrderLogBuilder } from '../retention/order-log.ts'
import { buildOrderLog } from '../retention/order-log.ts'

/** What is wrong with a file, where, and what was allowed: "orders.csv: line 3: amount: …". */
export class OrderLogError extends Error {}

/** How far the reading is: rows so far, and the share of bytes, null where the size is unknown (a pipe). */
export type ReadingProgress = (rows: number, share: number | null) => void

const REQUIRED = ['customer_id', 'ordered_at', 'amount'] as const

type Column = (typeof REQUIRED)[number] | 'order_id' | 'currency'

/** The orders of a file ("-" is standard input) and the decimals of its currency. Throws {@link OrderLogError}. */
export async function readOrderLog(
  file: string,
  timeZone: string,
  onProgress: ReadingProgress = () => {},
): Promise<{ orders: OrderLogBuilder; exponent: number; rows: number }> {
  const size = file === '-' ? null : sizeOf(file)
  const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 })
  const reader = new RowReader(file, timeZone)
  let bytes = 0
  input.on('data', (chunk: Buffer | string) => (bytes += chunk.length))
  const parser = parse({
    bom: true,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    // Rows are taken here, one by one; nothing is kept by the parser.
    on_record: (fields: string[], context) => {
      reader.take(fields, context.lines)
      if (reader.rows % 50_000 === 0) onProgress(reader.rows, size ? bytes / size : null)
      return null
    },
  })
  try {
    await new Promise<void>((resolve, reject) => {
      input.on('error', reject)
      parser.on('error', reject).on('end', resolve).resume()
      input.pipe(parser)
    })
  } catch (error) {
    input.destroy()
    throw error instanceof CsvError ? reader.explainCsv(error) : explain(file, error)
  }
  return { orders: reader.orders, exponent: reader.finish(), rows: reader.rows }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch (error) {
    throw explain(file, error)
  }
}

function explain(file: string, error: unknown): unknown {
  if (error instanceof OrderLogError) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code) return new OrderLogError(`${file}: cannot be read: ${(error as Error).message}`)
  return error
}

/** Turns rows of text into orders; the first row is the header. */
class RowReader {
  readonly orders = buildOrderLog()
  rows = 0
  private readonly file: string
  private readonly timeZone: string
  private places: Record<Column, number> | undefined
  private columns: readonly string[] = []
  /** The line that the row before ended on. */
  private lastLine = 0
  /** How many lines the parser has counted too many: it counts a CRLF inside quotes twice. */
  private countedTwice = 0
  private currency: { code: string; line: number } | undefined
  private exponent = 2
  private readonly dates = new Map<string, number>()
  private readonly orderLines = new Map<string, number>()
  private sizeOfSum = 0

  constructor(file: string, timeZone: string) {
    this.file = file
    this.timeZone = timeZone
  }

  /** `parsedLine` is the line that the row ends on, as the parser counts; the header is line 1. */
  take(fields: string[], parsedLine: number): void {
    // A quoted field may hold line ends: a row is named by the line that it begins on.
    let lineEnds = 0
    for (const field of fields) {
      if (!field.includes('\n')) continue
      lineEnds += field.split('\n').length - 1
      this.countedTwice += field.split('\r\n').length - 1
    }
    this.lastLine = parsedLine - this.countedTwice
    const line = this.lastLine - lineEnds
    if (!this.places) this.places = this.readHeader(fields, line)
    else this.readRow(fields, line, this.places)
  }

  /** The currency's decimals. Throws where there was no header. */
  finish(): number {
    if (!this.places) this.refuse(1, 'header', `is missing; it must be ${HEADER}`)
    return this.exponent
  }

  /** What is wrong with the quotes of a row. A quote that is never closed takes in the rest of the file: its row's line is named. */
  explainCsv(error: CsvError): OrderLogError {
    const open = error.code === 'CSV_QUOTE_NOT_CLOSED'
    const line = open ? this.lastLine + 1 : Number(error.lines) - this.countedTwice
    const field = this.columns[Number(error.column)] ?? 'row'
    const problem = open
      ? 'a quote is opened here and never closed'
      : 'a field that holds a quote must stand in quotes, and the quote be doubled, such as "6"" nails"'
    return new OrderLogError(`${this.file}: line ${line}: ${field}: not CSV as RFC 4180 has it: ${problem}`)
  }

  private readHeader(names: string[], line: number): Record<Column, number> {
    const places = { customer_id: -1, ordered_at: -1, amount: -1, order_id: -1, currency: -1 }
    names.forEach((name, place) => {
      if (!Object.hasOwn(places, name))
        this.refuse(line, 'header', `has an unknown column "${name}"; it must be ${HEADER}`)
      if (places[name as Column] >= 0) this.refuse(line, 'header', `has the column "${name}" twice`)
      places[name as Column] = place
    })
    const missing = REQUIRED.filter((name) => places[name] < 0)
    if (missing.length > 0) this.refuse(line, 'header', `lacks "${missing.join('", "')}"; it must be ${HEADER}`)
    this.columns = names
    return places
  }

  private readRow(fields: string[], line: number, places: Record<Column, number>): void {
    if (fields.length !== this.columns.length) {
      this.refuse(line, 'row', `has ${fields.length} fields where the header has ${this.columns.length}`)
    }
    this.rows++
    const customerId = fields[places.customer_id]!
    if (customerId === '') this.refuse(line, 'customer_id', 'is empty; every order needs its customer')
    const at = this.readInstant(fields[places.ordered_at]!, line)
    if (places.currency >= 0) this.readCurrency(fields[places.currency]!, line)
    const amount = this.readAmount(fields[places.amount]!, line)
    if (places.order_id >= 0) this.checkOrderId(fields[places.order_id]!, line)
    this.orders.add(customerId, at, amount)
  }

  private readInstant(text: string, line: number): number {
    if (text.length === 10) {
      const known = this.dates.get(text)
      if (known !== undefined) return known
      const at = parseDate(text, this.timeZone)
      if (at !== null) {
        this.dates.set(text, at)
        return at
      }
    } else {
      const at = parseInstant(text)
      if (at !== null) return at
    }
    const problem = /^\d{4}-\d\d-\d\d[T ][\d:.,]+$/.test(text)
      ? 'has a time without an offset'
      : 'is no date, or names one that does not exist'
    return this.refuse(
      line,
      'ordered_at',
      `"${text}" ${problem}; allowed are an instant with an offset (2026-01-10T14:05:00Z, 2026-01-10T09:05:00-05:00) and a bare date (2026-01-10)`,
    )
  }

  private readCurrency(code: string, line: number): void {
    if (this.currency?.code === code) return
    if (this.currency) {
      this.refuse(
        line,
        'currency',
        `is "${code}", but "${this.currency.code}" on line ${this.currency.line}; one currency a file is allowed`,
      )
    }
    const exponent = findCurrencyExponent(code)
    if (exponent === null) {
      this.refuse(line, 'currency', `"${code}" is unknown; allowed are the three-letter codes of ISO 4217, such as USD`)
    }
    this.currency = { code, line }
    this.exponent = exponent
  }

  private readAmount(text: string, line: number): number {
    const amount = parseDecimal(text, this.exponent)
    if (amount === null) {
      const example = formatDecimal(1250, this.exponent)
      const decimals = this.exponent === 0 ? 'no decimals' : `at most ${this.exponent} decimals`
      this.refuse(
        line,
        'amount',
        `"${text}" is not allowed; it must be a decimal number with ${decimals}, such as ${example}`,
      )
    }
    this.sizeOfSum += Math.abs(amount)
    if (this.sizeOfSum > Number.MAX_SAFE_INTEGER) {
      this.refuse(
        line,
        'amount',
        `"${text}" takes the file's total past ${formatDecimal(Number.MAX_SAFE_INTEGER, this.exponent)}, the most that is added up exactly`,
      )
    }
    return amount
  }

  private checkOrderId(orderId: string, line: number): void {
    if (orderId === '') return
    const before = this.orderLines.get(orderId)
    if (before !== undefined) {
      this.refuse(line, 'order_id', `"${orderId}" was on line ${before} already; one row an order is allowed`)
    }
    this.orderLines.set(orderId, line)
  }

  private refuse(line: number, field: string, problem: string): never {
    throw new OrderLogError(`${this.file}: line ${line}: ${field}: ${problem}`)
  }
}

const HEADER = 'customer_id,ordered_at,amount[,order_id][,currency]'

/** The first instant of a bare date in the zone; null where the text is none or the day does not exist. */
export function parseDate(text: string, timeZone: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return null
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null
  return startOfDate({ year, month, day }, timeZone)
}

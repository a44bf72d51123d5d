// Reads CSV as other apps and spreadsheets write it, as a stream: UTF-8 or UTF-16 with a byte order mark, or what Excel on Windows makes of a
// table; columns parted by commas, semicolons or tabs. Rows come with the line that an editor would show.
import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'

/** Why a file as a whole cannot be read: a sentence for whoever chose it. Single bad lines are reported by whatever reads the rows. */
export class CsvFileError extends Error {
  override name = 'CsvFileError'
}

/** One row with the line that it begins on; the file's first line is 1. */
export type CsvRow = { line: number; fields: string[] }

/** A row longer than this is a quote that was never closed. */
const ROW_BYTES_MAX = 64 * 1024

/** The rows of a file, the first line's too; empty lines are left out. Throws {@link CsvFileError}. */
export async function* readCsvRows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRow> {
  const texts = decode(bytes)
  const { first, delimiter } = await readFirstLine(texts)
  const places = new LineCounter()
  const parser = parse({
    delimiter,
    relax_column_count: true,
    // A name such as 6" stands unquoted in some exports.
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: ROW_BYTES_MAX,
    on_record: (fields: string[], { lines }) => ({ line: places.count(fields, lines), fields }) as never,
  })
  const input = Readable.from(prepend(first, texts))
  input.on('error', (error) => parser.destroy(error))
  input.pipe(parser)
  try {
    for await (const row of parser as AsyncIterable<CsvRow>) yield row
  } catch (error) {
    throw error instanceof CsvError ? explain(error, places.last + 1) : error
  } finally {
    input.destroy()
    parser.destroy()
  }
}

/** Counts lines as an editor does: a quoted field may hold line ends, and a CRLF there is counted twice by the parser. */
class LineCounter {
  /** The line that the row before ended on. */
  last = 0
  #countedTwice = 0

  /** The line that a row begins on, which ends on the line `parsed` as the parser counts. */
  count(fields: readonly string[], parsed: number): number {
    let lineEnds = 0
    for (const field of fields) {
      if (!field.includes('\n')) continue
      lineEnds += field.split('\n').length - 1
      this.#countedTwice += field.split('\r\n').length - 1
    }
    this.last = parsed - this.#countedTwice
    return this.last - lineEnds
  }
}

function explain(error: CsvError, line: number): CsvFileError {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE') {
    return new CsvFileError(
      `Line ${line}: a quote (") is opened there and never closed. Close or remove it, then choose the file again.`,
    )
  }
  return new CsvFileError(
    `Line ${line}: this is not CSV. A text that holds quotes must stand in quotes, with each of its own doubled: "6"" mug".`,
  )
}

async function* prepend(first: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  if (first !== '') yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

/** What separates the columns, judging by the first line, and all the text that was read to find out. */
async function readFirstLine(texts: AsyncIterator<string>): Promise<{ first: string; delimiter: string }> {
  let first = ''
  for (let next = await texts.next(); !next.done; next = await texts.next()) {
    first += next.value
    if (/[\r\n]/.test(first)) break
    if (first.length > ROW_BYTES_MAX) throw new CsvFileError('The first line is too long for the names of columns.')
  }
  // Excel's own way to name it: a line "sep=;" before the column names.
  const said = /^sep=(.)\r?\n/i.exec(first)
  if (said) return { first: `\n${first.slice(said[0].length)}`, delimiter: said[1]! }
  const line = first.split(/[\r\n]/, 1)[0]!.replace(/"[^"]*"/g, '')
  const counts = [',', ';', '\t'].map((sign) => ({ sign, count: line.split(sign).length - 1 }))
  counts.sort((one, other) => other.count - one.count)
  return { first, delimiter: counts[0]!.sign }
}

/** The text of a file in whatever encoding it has, a piece at a time. Throws {@link CsvFileError} where it is no text at all. */
async function* decode(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  let decoder: Decoder | null = null
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    if (decoder) yield checkText(decoder.write(Buffer.from(chunk)))
    else {
      head = Buffer.concat([head, chunk])
      if (head.length < HEAD_BYTES) continue
      decoder = chooseDecoder(head)
      yield checkText(decoder.write(head))
    }
  }
  if (!decoder) {
    decoder = chooseDecoder(head)
    yield checkText(decoder.write(head))
  }
  yield checkText(decoder.end())
  return undefined
}

/** Enough to know a byte order mark or an Excel workbook by. */
const HEAD_BYTES = 4

type Decoder = { write: (bytes: Buffer) => string; end: () => string }

function chooseDecoder(head: Buffer): Decoder {
  if (head.length >= 2 && head[0] === 0x50 && head[1] === 0x4b) {
    throw new CsvFileError('This is an Excel workbook. Save it as CSV in your spreadsheet, then choose that file.')
  }
  if (head[0] === 0xff && head[1] === 0xfe) return streamed(new TextDecoder('utf-16le'))
  if (head[0] === 0xfe && head[1] === 0xff) return streamed(new TextDecoder('utf-16be'))
  return utf8OrWindows()
}

function streamed(decoder: TextDecoder): Decoder {
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() }
}

/**
 * UTF-8 as long as all bytes are valid in it; from the first lines on that are not, the code page of Windows. It is decided by whole lines, because
 * no character crosses the end of one.
 */
function utf8OrWindows(): Decoder {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const windows = new TextDecoder('windows-1252')
  let isWindows = false
  let rest: Buffer = Buffer.alloc(0)
  const read = (bytes: Buffer): string => {
    if (bytes.length === 0) return ''
    try {
      if (!isWindows) return utf8.decode(bytes)
    } catch {
      isWindows = true
    }
    return windows.decode(bytes)
  }
  return {
    write: (bytes) => {
      const all = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes
      const end = all.lastIndexOf(0x0a) + 1
      rest = all.subarray(end)
      if (rest.length > 16 * ROW_BYTES_MAX) throw new CsvFileError('This file has no lines: it is not CSV.')
      return read(all.subarray(0, end))
    },
    end: () => read(rest),
  }
}

function checkText(text: string): string {
  if (text.includes('\0')) throw new CsvFileError('This is not a text file. Export it as CSV, then choose that file.')
  return text
}

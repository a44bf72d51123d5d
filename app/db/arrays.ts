// Columns of a batch as parameters of one statement, as the arrays that PostgreSQL itself would send in binary (array_send in its arrayfuncs.c):
// numbers need not be written as digits here and read there, nor texts be quoted and searched for their ends, which for a batch of orders
// costs more than some of its rows. The driver passes a Buffer on as it is, and says that it is binary.

/** The types of elements, by PostgreSQL's numbers for them (pg_type.oid). */
const BOOLEAN = 16
const BIGINT = 20
const INTEGER = 23
const TEXT = 25
const TIMESTAMPTZ = 1184

/** Dimensions, whether there are nulls, the type of the elements, how many, and the number of the first. */
const HEADER_BYTES = 20
const LENGTH_BYTES = 4
/** In the place of the length. */
const NULL = -1
/** PostgreSQL counts instants from 1 January 2000 UTC on, in microseconds. */
const EPOCH_MS = Date.UTC(2000, 0, 1)

/** ASCII's record separator, between the values of a packed column: nothing that is read so holds it. */
const SEPARATOR = '\x1e'

/** Whole numbers, or their digits, as a `bigint[]`. Throws a RangeError where one is neither, or has no place in it. */
export function numbers(values: readonly (number | bigint | string | null | undefined)[]): Buffer {
  return packArray(BIGINT, 8, values, writeBigint)
}

/** Whole numbers as an `integer[]`. Throws a RangeError where one is none, or has no place in it. */
export function integers(values: readonly (number | null | undefined)[]): Buffer {
  return packArray(INTEGER, 4, values, (view, at, value) => {
    if (value !== (value | 0)) throw new RangeError(`${value} is no whole number of four bytes`)
    view.setInt32(at, value)
  })
}

/** Instants (epoch ms) as a `timestamptz[]`. Throws a RangeError where one is no whole number. */
export function instants(values: readonly (number | null | undefined)[]): Buffer {
  return packArray(TIMESTAMPTZ, 8, values, (view, at, ms) => {
    if (!Number.isInteger(ms)) throw new RangeError(`${ms} is no whole millisecond`)
    const microseconds = (ms - EPOCH_MS) * 1000
    writeBigint(view, at, Number.isSafeInteger(microseconds) ? microseconds : BigInt(ms - EPOCH_MS) * 1000n)
  })
}

/** Yes or no as a `boolean[]`. */
export function booleans(values: readonly boolean[]): Buffer {
  return packArray(BOOLEAN, 1, values, (view, at, value) => view.setInt8(at, value ? 1 : 0))
}

/** Texts as a `text[]`. Throws where PostgreSQL could not keep one: `isStorable` says so before. */
export function texts(values: readonly (string | null | undefined)[]): Buffer {
  let bytes = HEADER_BYTES
  for (const text of values) bytes += LENGTH_BYTES + Buffer.byteLength(text ?? '')
  const array = Buffer.allocUnsafe(bytes)
  let at = HEADER_BYTES
  let hasNull = false
  for (const text of values) {
    if (text === null || text === undefined) {
      hasNull = true
      at = array.writeInt32BE(NULL, at)
      continue
    }
    if (!isStorable(text)) throw new Error(`This text cannot be kept: ${JSON.stringify(text).slice(0, 80)}`)
    const length = array.write(text, at + LENGTH_BYTES)
    at = array.writeInt32BE(length, at) + length
  }
  writeHeader(new DataView(array.buffer, array.byteOffset), TEXT, values.length, hasNull)
  return array
}

/** Whether PostgreSQL can keep the text: all but what holds the character 0. JSON holds none bare. */
export function isStorable(text: string): boolean {
  return !text.includes('\0')
}

/** An array of elements of so many bytes each. */
function packArray<Value>(
  type: number,
  bytes: number,
  values: readonly (Value | null | undefined)[],
  write: (view: DataView, at: number, value: Value) => void,
): Buffer {
  const array = Buffer.allocUnsafe(HEADER_BYTES + (LENGTH_BYTES + bytes) * values.length)
  const view = new DataView(array.buffer, array.byteOffset)
  let at = HEADER_BYTES
  let hasNull = false
  // By place: of so many kinds of values, V8 would make an object for each step of an iterator.
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place]
    if (value === null || value === undefined) {
      hasNull = true
      view.setInt32(at, NULL)
      at += LENGTH_BYTES
      continue
    }
    view.setInt32(at, bytes)
    write(view, at + LENGTH_BYTES, value)
    at += LENGTH_BYTES + bytes
  }
  writeHeader(view, type, values.length, hasNull)
  return array.subarray(0, at)
}

function writeHeader(view: DataView, type: number, length: number, hasNull: boolean): void {
  view.setInt32(0, 1)
  view.setInt32(4, hasNull ? 1 : 0)
  view.setInt32(8, type)
  view.setInt32(12, length)
  view.setInt32(16, 1)
}

function writeBigint(view: DataView, at: number, value: number | bigint | string): void {
  const number = typeof value === 'number' ? value : Number(value)
  if (Number.isSafeInteger(number) && value !== '') {
    // In two halves, as a BigInt would have to be made first.
    view.setInt32(at, Math.floor(number / 2 ** 32))
    view.setInt32(at + 4, number)
    return
  }
  const whole = typeof value === 'number' || value === '' ? null : BigInt(value)
  if (whole === null || BigInt.asIntN(64, whole) !== whole) {
    throw new RangeError(`${JSON.stringify(String(value))} is no whole number of eight bytes`)
  }
  view.setBigInt64(at, whole)
}

/**
 * SQL of a table whose columns are these arrays, each name with its array, all of one length: what follows `from`, with a name of its own
 * after it, or a CTE's `as`. An `unnest` of many arrays in one would be written down and read again array by array, which costs twice as much.
 */
export function rowsOf(columns: Readonly<Record<string, string>>): string {
  return `(select ${Object.entries(columns)
    .map(([name, array]) => `unnest(${array}) as ${name}`)
    .join(', ')})`
}

/**
 * A select list that aggregates all rows into one: each name with its SQL becomes one text with the column's values, for `unpackColumns`. The
 * driver takes rows apart value by value, which takes longer than PostgreSQL takes to find them where there are thousands.
 */
export function packedColumns(columns: Readonly<Record<string, string>>): string {
  return Object.entries(columns)
    .map(([name, value]) => `string_agg(coalesce((${value})::text, ''), E'\\x1e') as ${name}`)
    .join(', ')
}

/** What the driver makes of `packedColumns`: null where there was no row. */
export type PackedColumns<Columns> = Record<keyof Columns, string | null>

/** The values of each column, row by row: as text, and null as the empty one. No value may hold the separator. */
export function unpackColumns<Name extends string>(packed: Record<Name, string | null>): Record<Name, string[]> {
  const names = Object.keys(packed) as Name[]
  const columns = names.map((name) => [name, packed[name]?.split(SEPARATOR) ?? []] as const)
  return Object.fromEntries(columns) as Record<Name, string[]>
}

/** SQL for an instant as whole milliseconds. Seconds as a float are exact to the microsecond until the year 2255, and far cheaper than decimals. */
export function inMilliseconds(instant: string): string {
  return `(date_part('epoch', ${instant}) * 1000)::int8`
}

/** The whole numbers of an array as PostgreSQL writes it: "{12,-3}". */
export function readNumbers(text: string): number[] {
  const numbers: number[] = []
  let value = 0
  let negative = false
  for (let place = 1; place < text.length; place++) {
    const code = text.charCodeAt(place)
    if (code >= 48) {
      if (code <= 57) {
        value = value * 10 + code - 48
        continue
      }
    } else if (code === 45) {
      negative = true
      continue
    }
    // A comma, or the brace that closes it.
    numbers.push(negative ? -value : value)
    value = 0
    negative = false
  }
  return numbers
}

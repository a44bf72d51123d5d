// Columns of a batch as parameters of one statement. node-pg would quote and escape each element of an array with a regular
// expression and read dates through the machine's time zone, which for a batch of orders costs more than the statement; these
// write PostgreSQL's array text directly, or a text that `string_to_array` takes apart.

/** ASCII's record separator: no JSON text holds it bare (RFC 8259, 7), and no id, topic or code of Shopify's. */
const SEPARATOR = '\x1e'
/** Stands for null in a packed column. */
const NOTHING = '\x1f'

/** How a packed column is taken apart: `unpack(3)` is the SQL for parameter $3, a `text[]`. */
export function unpack(parameter: number): string {
  return `string_to_array($${parameter}, E'\\x1e', E'\\x1f')`
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

/** Texts as one parameter for `unpack`. Throws where a text holds a bare separator: `isPackable` says so before. */
export function packTexts(texts: readonly (string | null)[]): string {
  // An empty text alone would read as no texts at all.
  const bad = texts.find((text) => text !== null && (!isPackable(text) || (text === '' && texts.length === 1)))
  if (bad !== undefined) throw new Error(`This text cannot be kept: ${JSON.stringify(bad).slice(0, 80)}`)
  return texts.map((text) => text ?? NOTHING).join(SEPARATOR)
}

/** Whether the text holds none of the characters that packing or PostgreSQL cannot take; JSON holds none of them bare. */
export function isPackable(text: string): boolean {
  return !text.includes(SEPARATOR) && !text.includes(NOTHING) && !text.includes('\0')
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

/** Whole numbers (or their digits) as an array: `{1,NULL,3}`. */
export function numbers(values: readonly (number | bigint | string | null | undefined)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/** Instants (epoch ms) as an array of UTC timestamps. */
export function instants(values: readonly (number | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : new Date(value).toISOString())).join(',')}}`
}

/**
 * SQL for the instant of whole milliseconds: instants travel as numbers, because reading a date costs more than storing it. An
 * interval added to the epoch would cost more, and in an UPDATE Citus takes only functions that depend on no setting, as its do.
 */
export function toInstantSql(milliseconds: string): string {
  return `to_timestamp(${milliseconds}::float8 / 1000)`
}

/** SQL for an instant as whole milliseconds. Seconds as a float are exact to the microsecond until the year 2255, and far cheaper than decimals. */
export function inMilliseconds(instant: string): string {
  return `(date_part('epoch', ${instant}) * 1000)::int8`
}

/** Yes or no as an array. */
export function booleans(values: readonly boolean[]): string {
  return `{${values.map((value) => (value ? 't' : 'f')).join(',')}}`
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

/**
 * JSON read from a file that a person wrote: as JSON.parse reads it, but every mistake has its line, a field given twice is a mistake, and so is a number
 * with more digits than can be kept.
 */

/** What is wrong in a file, where; `field` is "" where it is the document itself. */
export type SourceProblem = { readonly line: number; readonly field: string; readonly message: string }

/** What {@link readJsonSource} answers. */
export type JsonSource = {
  readonly value: unknown
  /** The line (from 1) of the value at a path; of the nearest thing around it where there is none, as for a field that is missing. */
  readonly lineOf: (path: readonly (string | number)[]) => number
  readonly problems: readonly SourceProblem[]
}

/** Where a value stands, with what stands inside it. */
type Place = { readonly offset: number; readonly inner?: ReadonlyMap<string | number, Place> }

/** Reads the text; with `problems` the value is only good for finding more of them. A syntax error ends the reading. */
export function readJsonSource(text: string): JsonSource {
  const reader = new Reader(text)
  const { value, place } = reader.readDocument()
  return {
    value,
    problems: reader.problems,
    lineOf: (path) => {
      let at = place
      for (const part of path) {
        const next = at.inner?.get(part)
        if (!next) break
        at = next
      }
      return reader.lineAt(at.offset)
    },
  }
}

class SyntaxProblem extends Error {}

type Read = { value: unknown; place: Place }

const MAXIMUM_DEPTH = 200

class Reader {
  readonly problems: SourceProblem[] = []
  private readonly text: string
  private offset = 0
  private readonly path: (string | number)[] = []

  constructor(text: string) {
    this.text = text.startsWith('\uFEFF') ? text.slice(1) : text
  }

  readDocument(): Read {
    try {
      const read = this.readValue()
      this.skipSpace()
      if (this.offset < this.text.length) this.fail('there is more after the end of the document')
      return read
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error
      this.problems.push({
        line: this.lineAt(this.offset),
        field: this.field(),
        message: `is not JSON: ${error.message}`,
      })
      return { value: undefined, place: { offset: this.offset } }
    }
  }

  lineAt(offset: number): number {
    let line = 1
    for (let at = this.text.indexOf('\n'); at !== -1 && at < offset; at = this.text.indexOf('\n', at + 1)) line++
    return line
  }

  private readValue(): Read {
    this.skipSpace()
    const offset = this.offset
    const first = this.text[offset]
    if (first === '{') return this.readObject(offset)
    if (first === '[') return this.readArray(offset)
    if (first === '"') return { value: this.readString(), place: { offset } }
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, offset)) continue
      this.offset += word.length
      return { value, place: { offset } }
    }
    return { value: this.readNumber(), place: { offset } }
  }

  private readObject(offset: number): Read {
    const value: Record<string, unknown> = {}
    const inner = new Map<string | number, Place>()
    this.offset++
    this.skipSpace()
    if (this.take('}')) return { value, place: { offset, inner } }
    do {
      this.skipSpace()
      if (this.text[this.offset] !== '"') this.fail('the name of a field, in double quotes, should stand here')
      const nameOffset = this.offset
      const name = this.readString()
      this.skipSpace()
      if (!this.take(':')) this.fail(`a colon should follow "${name}"`)
      this.enter(name)
      if (inner.has(name)) this.note(nameOffset, 'is given twice')
      const read = this.readValue()
      this.path.pop()
      // The place of a field is its name's, so that a value over many lines is found at its beginning.
      inner.set(name, { ...read.place, offset: nameOffset })
      Object.defineProperty(value, name, { value: read.value, enumerable: true, configurable: true, writable: true })
      this.skipSpace()
    } while (this.take(','))
    if (!this.take('}')) this.fail('a comma or } should stand here')
    return { value, place: { offset, inner } }
  }

  private readArray(offset: number): Read {
    const value: unknown[] = []
    const inner = new Map<string | number, Place>()
    this.offset++
    this.skipSpace()
    if (this.take(']')) return { value, place: { offset, inner } }
    do {
      this.enter(value.length)
      const read = this.readValue()
      this.path.pop()
      inner.set(value.length, read.place)
      value.push(read.value)
      this.skipSpace()
    } while (this.take(','))
    if (!this.take(']')) this.fail('a comma or ] should stand here')
    return { value, place: { offset, inner } }
  }

  private readString(): string {
    const start = this.offset
    for (let at = start + 1; at < this.text.length; at++) {
      const character = this.text[at]
      if (character === '\\') at++
      else if (character === '\n') break
      else if (character === '"') {
        this.offset = at + 1
        return this.parse(start) as string
      }
    }
    return this.fail('a text has no closing quote')
  }

  private readNumber(): number {
    const start = this.offset
    const found = /^-?\d[\d.eE+-]*/.exec(this.text.slice(start, start + 400))
    if (!found)
      return this.fail(
        start < this.text.length
          ? `${JSON.stringify(this.text[start])} should not stand here`
          : 'the document ends too early',
      )
    this.offset += found[0].length
    const value = this.parse(start) as number
    if (!isExact(found[0], value)) this.note(start, `${found[0]} has more digits than can be kept`)
    return value
  }

  /** Lets JSON.parse decide about a single text or number. */
  private parse(start: number): unknown {
    const token = this.text.slice(start, this.offset)
    try {
      return JSON.parse(token)
    } catch {
      this.offset = start
      return this.fail(`${token.slice(0, 60)} is not valid`)
    }
  }

  private enter(part: string | number): void {
    this.path.push(part)
    if (this.path.length > MAXIMUM_DEPTH) this.fail('the document is nested too deeply')
  }

  private note(offset: number, message: string): void {
    this.problems.push({ line: this.lineAt(offset), field: this.field(), message })
  }

  private field(): string {
    return this.path.reduce<string>((all, part) => {
      if (typeof part === 'number') return `${all}[${part}]`
      return all === '' ? part : `${all}.${part}`
    }, '')
  }

  private skipSpace(): void {
    while (' \n\r\t'.includes(this.text[this.offset] ?? 'x')) this.offset++
  }

  private take(character: string): boolean {
    if (this.text[this.offset] !== character) return false
    this.offset++
    return true
  }

  private fail(message: string): never {
    throw new SyntaxProblem(message)
  }
}

const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/** True where the number's shortest text says the same as what was written. */
function isExact(written: string, value: number): boolean {
  if (!Number.isFinite(value)) return false
  const [one, other] = [normalise(written), normalise(String(value))]
  return one.digits === other.digits && (one.digits === '' || one.exponent === other.exponent)
}

/** A decimal as its digits without zeros at either end, and the power of ten of the last. The sign cannot get lost, so it is left out. */
function normalise(number: string): { digits: string; exponent: number } {
  const [mantissa = '', power = '0'] = number.replace(/^-/, '').toLowerCase().split('e')
  const [whole = '', decimals = ''] = mantissa.split('.')
  const all = (whole + decimals).replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  return { digits, exponent: Number(power) - decimals.length + (all.length - digits.length) }
}

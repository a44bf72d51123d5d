/** Documents that a command is given: read whole, checked, and every mistake with file, line and field. */
import { readFileSync } from 'node:fs'
import { type Catalog, parseCatalog } from '#app/loyalty/catalog.ts'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import { type Problem, formatPath } from '#app/loyalty/problems.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import type { Program } from '#app/loyalty/program.ts'
import { type JsonSource, readJsonSource } from './json-source.ts'

/** What is wrong with the input: a command prints each line and exits with 2. */
export class InputProblem extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}

/** A program file. `fieldProblem` makes a problem of one of its fields, with its line; `standing` is what `parseProgram` says of it, in lines. */
export type ProgramFile = {
  readonly program: Program
  readonly standing: readonly string[]
  readonly fieldProblem: (path: Problem['path'], message: string) => string
}

/** Reads and checks a program document, which takes the place of `before`. Throws {@link InputProblem}. */
export function readProgramFile(file: string, before?: ProgramDocument): ProgramFile {
  const source = readSource(file)
  const parsed = parseProgram(source.value, before)
  if (!parsed.ok) throw new InputProblem(parsed.problems.map((problem) => describe(file, source, problem)))
  return {
    program: parsed.program,
    standing: parsed.standing.map((problem) => describe(file, source, problem)),
    fieldProblem: (path, message) => formatProblem(file, source.lineOf(path), formatPath(path), message),
  }
}

/** Reads and checks a catalogue; `exponent` is the number of decimals of the program's currency. Throws {@link InputProblem}. */
export function readCatalogFile(file: string, exponent: number): Catalog {
  const source = readSource(file)
  const parsed = parseCatalog(source.value, exponent)
  if (!parsed.ok) throw new InputProblem(parsed.problems.map((problem) => describe(file, source, problem)))
  return parsed.catalog
}

/** "program.json:12: earning[0].per: is missing"; the field is left out where it is the whole line or document. */
export function formatProblem(file: string, line: number, field: string, message: string): string {
  return `${file}:${line}: ${field === '' ? '' : `${field}: `}${message}`
}

/** The problem of a file that cannot be read at all. */
export function unreadable(file: string, error: unknown): InputProblem {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'is a folder',
    EACCES: 'may not be read',
  }
  return new InputProblem([`${file}: ${reasons[code] ?? `cannot be read: ${(error as Error).message}`}`])
}

function readSource(file: string): JsonSource {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
  const source = readJsonSource(text)
  if (source.problems.length === 0) return source
  throw new InputProblem(source.problems.map(({ line, field, message }) => formatProblem(file, line, field, message)))
}

function describe(file: string, source: JsonSource, problem: Problem): string {
  return formatProblem(file, source.lineOf(problem.path), problem.field, problem.message)
}

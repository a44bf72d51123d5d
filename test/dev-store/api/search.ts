/**
 * Shopify's search syntax (shopify.dev, "API search syntax"): words, `field:value`, `field:>=value`, quotes, `AND`,
 * `OR`, `NOT`, `-`, brackets, and a trailing `*`. A filter that the stand-in does not know is an error, where Shopify
 * would leave it out and answer as if it had not been asked.
 */
import { badRequest, notImitated } from './context.ts'

type Comparator = '=' | '>' | '>=' | '<' | '<='
export type Term = { field: string | null; comparator: Comparator; value: string; prefix: boolean }
type Expression =
  { kind: 'term'; term: Term } | { kind: 'not'; inner: Expression } | { kind: 'and' | 'or'; parts: Expression[] }

/** How each filter judges a row; `null` is for words without a field. */
export type Filters<Row> = Record<string, (row: Row, term: Term) => boolean>

/** The rows that the query finds; all of them where it is empty. */
export function search<Row>(rows: readonly Row[], query: unknown, filters: Filters<Row>): Row[] {
  const text = typeof query === 'string' ? query.trim() : ''
  if (text === '') return [...rows]
  const expression = parseQuery(text)
  checkFields(expression, filters)
  return rows.filter((row) => holds(expression, row, filters))
}

function checkFields<Row>(expression: Expression, filters: Filters<Row>): void {
  if (expression.kind === 'term') {
    const name = expression.term.field ?? 'default'
    if (!(name in filters)) throw notImitated(`the search filter "${name}"`)
    if (/_(at|date)$/.test(name) && Number.isNaN(Date.parse(expression.term.value))) throw noTimestamp(name)
  } else if (expression.kind === 'not') checkFields(expression.inner, filters)
  else for (const part of expression.parts) checkFields(part, filters)
}

function holds<Row>(expression: Expression, row: Row, filters: Filters<Row>): boolean {
  if (expression.kind === 'term') return filters[expression.term.field ?? 'default']!(row, expression.term)
  if (expression.kind === 'not') return !holds(expression.inner, row, filters)
  const test = (part: Expression) => holds(part, row, filters)
  return expression.kind === 'and' ? expression.parts.every(test) : expression.parts.some(test)
}

/** Text equality without regard to case; `ann*` is a beginning. */
export function matchesText(value: string | null | undefined, term: Term): boolean {
  if (value == null) return false
  const have = value.toLowerCase()
  const want = term.value.toLowerCase()
  return term.prefix ? have.startsWith(want) : have === want
}

/** Any word of the texts begins as asked, as in a search without a field. */
export function matchesWords(texts: (string | null | undefined)[], term: Term): boolean {
  const want = term.value.toLowerCase()
  return texts.some((text) => {
    const have = text?.toLowerCase() ?? ''
    const words = have.split(/[^\p{L}\p{N}@.+_-]+/u)
    return (
      have === want ||
      words.some((word) => (term.prefix ? word.startsWith(want) : word === want || word.startsWith(want)))
    )
  })
}

/** Compares instants; a date alone (`2026-11-21`) is a day in UTC. Throws Shopify's error for what is no time. */
export function matchesTime(at: number | null, term: Term): boolean {
  const start = Date.parse(term.value)
  if (at === null) return false
  const second = Math.floor(at / 1000) * 1000
  const length = /^\d{4}-\d{2}-\d{2}$/.test(term.value) ? 86_400_000 : 1000
  if (term.comparator === '=') return second >= start && second < start + length
  return compare(second, start, term.comparator)
}

function noTimestamp(name: string): Error {
  return badRequest(`Invalid timestamp for query filter \`${name}\`.`)
}

/** Compares numbers. */
export function matchesNumber(value: number, term: Term): boolean {
  const wanted = Number(term.value)
  if (Number.isNaN(wanted)) throw badRequest(`Invalid number for query filter \`${term.field}\`.`)
  return term.comparator === '=' ? value === wanted : compare(value, wanted, term.comparator)
}

/** A number at the end of the gid, or the gid itself; ranges work too. */
export function matchesId(gid: string | null, term: Term): boolean {
  if (gid === null) return false
  if (term.value.startsWith('gid://')) return gid === term.value
  return matchesNumber(Number(/(\d+)$/.exec(gid)?.[1]), term)
}

function compare(value: number, wanted: number, comparator: Comparator): boolean {
  if (comparator === '>') return value > wanted
  if (comparator === '>=') return value >= wanted
  if (comparator === '<') return value < wanted
  return comparator === '<=' ? value <= wanted : value === wanted
}

const TOKEN =
  /\s*(\(|\)|-(?=[\w"(])|(?:[\w.$\\-]+):(?:>=|<=|>|<|=)?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s()]+)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s()]+)/y

function parseQuery(text: string): Expression {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (!match) {
      if (text.slice(at).trim() === '') break
      throw badRequest(`The search query cannot be read at "${text.slice(at)}".`)
    }
    tokens.push(match[1]!)
  }
  let index = 0
  const or = (): Expression => {
    const parts = [and()]
    while (tokens[index] === 'OR') {
      index += 1
      parts.push(and())
    }
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  }
  const and = (): Expression => {
    const parts = [unary()]
    while (index < tokens.length && tokens[index] !== 'OR' && tokens[index] !== ')') {
      if (tokens[index] === 'AND') index += 1
      parts.push(unary())
    }
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts }
  }
  const unary = (): Expression => {
    const token = tokens[index]
    index += 1
    if (token === undefined) throw badRequest('The search query ends too early.')
    if (token === 'NOT' || token === '-') return { kind: 'not', inner: unary() }
    if (token !== '(') return { kind: 'term', term: parseTerm(token) }
    const inner = or()
    index += 1
    return inner
  }
  return or()
}

function parseTerm(token: string): Term {
  const match = /^([\w.$\\-]+):(>=|<=|>|<|=)?([\s\S]+)$/.exec(token)
  const field = match && !token.startsWith('"') && !token.startsWith("'") && match[1] !== 'gid' ? match[1]! : null
  const raw = field === null ? token : match![3]!
  const quoted = /^(["'])([\s\S]*)\1$/.exec(raw)
  const value = quoted ? quoted[2]!.replace(/\\(.)/g, '$1') : raw
  const prefix = !quoted && value.endsWith('*')
  return {
    field,
    comparator: (field !== null && (match![2] as Comparator | undefined)) || '=',
    value: prefix ? value.slice(0, -1) : value.replace(/\\(.)/g, '$1'),
    prefix,
  }
}

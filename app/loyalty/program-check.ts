import { findCurrencyExponent, formatDecimal, parseDecimal } from './money.ts'
import { describeValue, formatPath, problemAt, type Problem } from './problems.ts'
import type { ProgramDocument } from './program-document.ts'
import { parseLocalDateTime, toInstant } from './time.ts'

/** Where something stands in a document. */
export type Path = readonly (string | number)[]

/** Gathers problems while a document of the right shape is read, so that a merchant sees them all at once. */
export class Check {
  readonly problems: Problem[] = []
  readonly exponent: number
  readonly currency: string
  readonly timeZone: string
  readonly levelIds: ReadonlySet<string>

  constructor(document: ProgramDocument) {
    this.currency = document.currency
    this.exponent = findCurrencyExponent(document.currency) ?? 2
    this.timeZone = document.timezone
    this.levelIds = new Set(document.tiers?.levels.map((level) => level.id))
  }

  add(path: Path, message: string): void {
    this.problems.push(problemAt(path, message))
  }

  /** Minor units. `minimum` 1 asks for money above 0. */
  money(value: string, path: Path, minimum: 0 | 1 = 0): number {
    const amount = parseDecimal(value, this.exponent)
    const decimals = /\.(\d+)$/.exec(value)?.[1]?.length ?? 0
    if (amount === null || decimals > this.exponent) {
      const example = formatDecimal(5 * 10 ** this.exponent, this.exponent)
      this.add(path, `must be money in ${this.currency}, like "${example}", not ${describeValue(value)}`)
      return minimum
    }
    if (amount < minimum)
      this.add(path, `must be ${minimum === 1 ? 'above' : 'at least'} 0, not ${describeValue(value)}`)
    return amount
  }

  optionalMoney(value: string | undefined, path: Path, minimum: 0 | 1 = 0): number | null {
    return value === undefined ? null : this.money(value, path, minimum)
  }

  /** An instant of a local time; `open` where it is not set. */
  instant(value: string | undefined, open: number): number {
    const local = value === undefined ? null : parseLocalDateTime(value)
    return local ? toInstant(local, this.timeZone) : open
  }

  /** A half-open window, which must not be empty. */
  window(entry: { from?: string | undefined; until?: string | undefined }, path: Path) {
    const fromAt = this.instant(entry.from, -Infinity)
    const untilAt = this.instant(entry.until, Infinity)
    if (untilAt <= fromAt)
      this.add([...path, 'until'], `must be after the start (${entry.from}), not ${describeValue(entry.until)}`)
    return { fromAt, untilAt }
  }

  /** The ids of levels, each of which must exist; null where none are named. */
  tiers(ids: readonly string[] | undefined, path: Path): ReadonlySet<string> | null {
    ids?.forEach((id, index) => {
      if (this.levelIds.has(id)) return
      const known =
        this.levelIds.size > 0 ? `the levels are ${[...this.levelIds].join(', ')}` : 'the program has no tiers'
      this.add([...path, index], `there is no level "${id}": ${known}`)
    })
    return toSet(ids)
  }

  /** Entries of one list must have different ids. */
  unique(entries: readonly { id: string }[], path: Path): void {
    const seen = new Map<string, number>()
    entries.forEach((entry, index) => {
      const first = seen.get(entry.id)
      if (first === undefined) seen.set(entry.id, index)
      else this.add([...path, index, 'id'], `"${entry.id}" is taken already by ${formatPath([...path, first])}`)
    })
  }
}

/** A list as a set; null where the document has none. */
export function toSet(list: readonly string[] | undefined): ReadonlySet<string> | null {
  return list ? new Set(list) : null
}

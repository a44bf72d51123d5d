/**
 * Members and balances brought over from another app. An *import* is one file. A *line* of it says how many points a customer had there, and perhaps
 * their tier, their birthday and the last day of the points. A *problem* says of a line which column is wrong, what was found and what is allowed.
 *
 * Brought points are an adjustment: a lot like earned ones, no earning. An *undo* takes back what is left of them, by opposite transfers.
 */
import { IMPORTED_TIER_MONTHS, type ImportField, type ImportMapping } from './import-columns.ts'
import type { Event, Member, Programs } from './engine.ts'
import { adjustKey, isEnrolled } from './events.ts'
import { parseGid } from './ids.ts'
import { versionAt } from './ledger.ts'
import type { Program } from './program.ts'
import { ENGLISH, fill, type ShopperWords } from './shopper-words.ts'
import {
  addMonths,
  addMonthsToDate,
  daysInMonth,
  endOfDay,
  endOfDayMonthsLater,
  startOfDate,
  type LocalDate,
} from './time.ts'

/** More than this on one line is a slip, such as a phone number in the wrong column. */
export const IMPORT_POINTS_MAX = 10_000_000

/** What is wrong in one column of a line. */
export type LineProblem = { column: string; found: string; allowed: string }

/** A line as read. Points are whole; `birthday` is "04-23", `lastDay` "2027-03-31"; who it is of is a gid or an e-mail address. */
export type ImportLine = {
  customer: string | null
  email: string | null
  points: number
  tier: string | null
  birthday: string | null
  lastDay: string | null
}

/** What lines are read against. `today` is the shop's. */
export type Reading = { header: readonly string[]; mapping: ImportMapping; program: Program; at: number }

/** Reads the fields of one line, with all that is wrong with it. */
export function readImportLine(
  fields: readonly string[],
  { header, mapping, program, at }: Reading,
): { ok: true; line: ImportLine } | { ok: false; problems: LineProblem[] } {
  if (fields.length !== header.length) {
    const found = `${fields.length} fields`
    return {
      ok: false,
      problems: [{ column: 'the whole line', found, allowed: `${header.length}, as in the first line` }],
    }
  }
  const problems: LineProblem[] = []
  const take = <Value>(field: ImportField, read: (text: string) => Value | Wrong): Value | null => {
    const place = mapping[field]
    const text = place === null ? '' : fields[place]!.trim()
    if (text === '') return null
    const value = read(text)
    if (!(value instanceof Wrong)) return value
    problems.push({
      column: header[place!]!,
      found: text.replace(/\p{Cc}/gu, ' ').slice(0, 100),
      allowed: value.allowed,
    })
    return null
  }
  const line = {
    customer: take('customer', readCustomer),
    email: take('email', readEmail),
    points: take('points', readPoints),
    tier: take('tier', (text) => readTier(text, program)),
    birthday: take('birthday', readBirthday),
    lastDay: take('lastDay', (text) => readLastDay(text, program.timeZone, at)),
  }
  const columnOf = (field: ImportField) => header[mapping[field] ?? mapping.email ?? mapping.customer ?? 0] ?? field
  const nameless = line.customer === null && line.email === null && problems.length === 0
  if (nameless) problems.push({ column: columnOf('email'), found: 'nothing', allowed: 'the customer’s e-mail address' })
  const empty = line.points === null && !problems.some(({ column }) => column === columnOf('points'))
  if (empty) problems.push({ column: columnOf('points'), found: 'nothing', allowed: POINTS_ALLOWED })
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, line: { ...line, points: line.points! } }
}

/** A value that cannot be used, and what could. */
class Wrong {
  readonly allowed: string
  constructor(allowed: string) {
    this.allowed = allowed
  }
}

function readCustomer(text: string): string | Wrong {
  // A spreadsheet that took the number for a quantity leaves "7.52E+12" behind, which names nobody.
  const gid = /^\d{1,18}$/.test(text) ? `gid://shopify/Customer/${text}` : text
  if (parseGid(gid)?.type === 'Customer') return gid
  return new Wrong('Shopify’s number of the customer, such as 7520123456789')
}

function readEmail(text: string): string | Wrong {
  if (text.length <= 254 && /^[^\s@"<>,;]+@[^\s@"<>,;]+\.[^\s@"<>,;.]+$/.test(text)) return text.toLowerCase()
  return new Wrong('one e-mail address, such as ann@example.com')
}

const POINTS_ALLOWED = `a whole number from 0 to ${IMPORT_POINTS_MAX.toLocaleString('en')}, such as 1200`

function readPoints(text: string): number | Wrong {
  // "1,200" is how English spreadsheets show it and "1200.00" what some apps write; "1.200" could be either of two numbers.
  const digits = /^\d{1,3}(,\d{3})+$/.test(text) ? text.replaceAll(',', '') : text.replace(/\.0{1,2}$/, '')
  const points = /^\d{1,12}$/.test(digits) ? Number(digits) : Infinity
  return points <= IMPORT_POINTS_MAX ? points : new Wrong(POINTS_ALLOWED)
}

/** A program without tiers has no use for a file's, which is no fault of the line. */
function readTier(text: string, program: Program): string | null | Wrong {
  const levels = program.tiers?.levels ?? []
  const wanted = text.toLowerCase()
  const level = levels.find(({ id, name }) => id.toLowerCase() === wanted || name.toLowerCase() === wanted)
  if (level) return level.id
  if (levels.length === 0) return null
  return new Wrong(`one of your tiers (${levels.map(({ name }) => name).join(', ')}), or nothing`)
}

const DATE_ALLOWED = '1990-04-23, 04-23, 04/23/1990 or 04/23, the month before the day'

function readBirthday(text: string): string | Wrong {
  const match =
    /^(?:(?:\d{4}|-)-)?(\d\d)-(\d\d)(?:T[\d:.]+Z?)?$/.exec(text) ?? /^(\d\d?)\/(\d\d?)(?:\/(?:\d\d|\d{4}))?$/.exec(text)
  if (!match) return new Wrong(DATE_ALLOWED)
  const [month, day] = [Number(match[1]), Number(match[2])]
  // 2000 was a leap year: 29 February is a birthday.
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(2000, month)) return new Wrong(DATE_ALLOWED)
  return `${pad(month)}-${pad(day)}`
}

function readLastDay(text: string, timeZone: string, at: number): string | Wrong {
  // A time of day behind the date says nothing about the day in the shop, so only the date is read.
  const date = parseDate(/^(\d{4}-\d\d-\d\d)(?:[T ][\d:.]+ ?(?:Z|UTC|[+-]\d\d:?\d\d)?)?$/.exec(text)?.[1] ?? '')
  if (date === null) return new Wrong('a day, such as 2027-03-31')
  return endOf(date, timeZone) > at
    ? showDate(date)
    : new Wrong('today or a later day: these points would be gone at once')
}

/** The day of "2027-03-31"; null where the text is none, or there is no such day. */
function parseDate(text: string): LocalDate | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return null
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month) ? { year, month, day } : null
}

const pad = (number: number) => String(number).padStart(2, '0')
const showDate = ({ year, month, day }: LocalDate) => `${year}-${pad(month)}-${pad(day)}`
const endOf = (date: LocalDate, timeZone: string) => endOfDay(startOfDate(date, timeZone), timeZone)

/** "Brought over from Smile.io": the reason that the merchant reads, and the member in their language. */
export function sayBroughtFrom(source: string, words: ShopperWords = ENGLISH): string {
  return fill(words.broughtFrom, { source })
}

/** The once-only key of what a customer (gid) was brought by an import, and of its undo: `import:12:7520123456789`. */
export function importKey(importId: string, customer: string): string {
  return `import:${importId}:${parseGid(customer)!.number}`
}

/** As {@link importKey}, of the undo. */
export function undoKey(importId: string, customer: string): string {
  return `import-undo:${importId}:${parseGid(customer)!.number}`
}

/** The import that a lot's or transfer's key tells of, null for any other key: `adjust:import:12:752…` → "12". */
export function parseImportKey(key: string): string | null {
  return /^(?:adjust:)?import(?:-undo)?:(\d+):\d+$/.exec(key)?.[1] ?? null
}

/**
 * When brought points count as earned, so that they end with their last day: the latest instant whose months end no earlier than that day. A last
 * day further off than the program's own months is not kept; without one, and without expiry, points begin to live now. Months that changed are
 * for points earned from then on, so brought points never count as earned before: they end later than the file says, never earlier.
 */
export function findEarnedAt(lastDay: string | null, programs: Programs, at: number): number {
  const date = lastDay === null ? null : parseDate(lastDay)
  const { expiry, timeZone } = versionAt(programs, at).program
  if (date === null || expiry.model === 'none') return at
  const end = endOf(date, timeZone)
  if (endOfDayMonthsLater(at, expiry.months, timeZone) <= end) return at
  // Months clamp at their ends, so the day that far back can end too early by up to three days.
  let earnedAt = startOfDate(addMonthsToDate(date, -expiry.months), timeZone)
  while (endOfDayMonthsLater(earnedAt, expiry.months, timeZone) < end) earnedAt = endOfDay(earnedAt, timeZone)
  return Math.min(at, Math.max(earnedAt, findMonthsStart(programs, at)))
}

/** Since when points have had as many months as now; −Infinity where they always had. */
function findMonthsStart(programs: Programs, at: number): number {
  const past = programs.versions.filter(({ from }, index) => index === 0 || from <= at)
  const now = JSON.stringify(past.at(-1)!.program.expiry)
  const changed = past.findLastIndex(({ program }) => JSON.stringify(program.expiry) !== now)
  return changed < 0 ? -Infinity : past[changed + 1]!.from
}

/** A line that is ready, with whom Shopify says it is of. */
export type ReadyLine = Pick<ImportLine, 'points' | 'tier' | 'birthday' | 'lastDay'> & {
  customer: string
  accountState: string | null
}

/** An import's own name and where it comes from. */
export type ImportOf = { id: string; source: string }

/** Why a customer gets nothing, as a problem's `allowed`; null where they can be brought over. */
export function findObstacle(isErased: boolean, accountState: string | null, program: Program): string | null {
  if (isErased) return 'a customer who did not ask to be forgotten'
  if (program.enrolment === 'accounts' && accountState !== 'enabled') {
    return 'a customer with an account in your store, as your program asks for'
  }
  return null
}

/**
 * What brings a line over, in order: who the customer is, joining (whoever took part there takes part here), birthday, points, tier. A birthday
 * that the member has given stays. A tier lifts for a while, never lowers.
 */
export function planImport(
  line: ReadyLine,
  { id, source }: ImportOf,
  { programs, member, at }: { programs: Programs; member: Member | null; at: number },
): Event[] {
  const { program } = versionAt(programs, at)
  const { customer } = line
  const reason = sayBroughtFrom(source)
  const actor = `import:${id}`
  const events: Event[] = [{ type: 'customer', at, customer, state: line.accountState, signUp: 'before' }]
  if (program.enrolment === 'opt-in' && !(member && isEnrolled(member, program))) {
    events.push({ type: 'opt-in', at, customer })
  }
  if (line.birthday !== null && !member?.birthday) {
    const [month, day] = line.birthday.split('-').map(Number) as [number, number]
    events.push({ type: 'birthday', at, customer, month, day })
  }
  if (line.points > 0) {
    const earnedAt = findEarnedAt(line.lastDay, programs, at)
    events.push({
      type: 'adjust',
      at,
      customer,
      points: line.points,
      reason,
      actor,
      key: importKey(id, customer),
      earnedAt,
    })
  }
  const until = endOfDay(addMonths(at, IMPORTED_TIER_MONTHS, program.timeZone), program.timeZone)
  if (line.tier !== null && isHigher(line.tier, member, program)) {
    events.push({ type: 'place-tier', at, customer, level: line.tier, until, reason, actor, withoutReward: true })
  }
  return events
}

function isHigher(level: string, member: Member | null, program: Program): boolean {
  const levels = program.tiers?.levels.map(({ id }) => id) ?? []
  return levels.indexOf(level) > Math.max(0, levels.indexOf(member?.tier.level ?? ''))
}

/** Of points just given, those that filled a balance below zero: they are in no lot. `after` is the member right after it. */
export function findFilled(after: Member, importId: string, customer: string, points: number): number {
  const lot = after.lots.find(({ key }) => key === adjustKey(importKey(importId, customer)))
  return points - (lot?.available ?? 0)
}

/** A line that was given: `filled` as {@link findFilled} said then. */
export type GivenLine = { customer: string; points: number; filled: number }

/**
 * What takes a line back, of a member who is up to date: what is left in its own lot, and what it filled of a balance below zero, which stood there
 * before. Points that were spent or ran out stay so, and no others are touched: nobody ends lower than without the import. A tier that it brought
 * ends, if nobody has changed it since.
 */
export function planUndo(
  { customer, points, filled }: GivenLine,
  { id, source }: ImportOf,
  { member, at }: { member: Member; at: number },
): { points: number; events: Event[] } {
  if (member.erasedAt !== null) return { points: 0, events: [] }
  const lot = adjustKey(importKey(id, customer))
  const own = member.lots.find(({ key }) => key === lot)?.available ?? 0
  const taken = Math.min(own, points - filled) + filled
  const reason = `${sayBroughtFrom(source)}: taken back`
  const actor = `import:${id}`
  const events: Event[] = []
  if (taken > 0) {
    const key = undoKey(id, customer)
    events.push({ type: 'adjust', at, customer, points: -taken, reason, actor, key, lot, reverses: lot })
  }
  if (member.tier.manual?.actor === actor) {
    events.push({ type: 'place-tier', at, customer, level: null, until: null, reason, actor })
  }
  return { points: taken, events }
}

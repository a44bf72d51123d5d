/** Imports in a merchant's words. */
import { IMPORTED_TIER_MONTHS, type ImportField, type ImportMapping } from '#app/loyalty/import-columns.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'

/** What each column can hold, in the order in which it is asked for. */
export const FIELD_LABELS: Record<ImportField, string> = {
  email: 'E-mail address',
  customer: 'Shopify customer ID',
  points: 'Points',
  tier: 'Tier',
  birthday: 'Birthday',
  lastDay: 'Last day of the points',
}

type State = { text: string; tone: 'success' | 'info' | 'attention' | undefined }

/** How far an import is, as a badge says it. */
export const IMPORT_STATES: Record<string, State> = {
  matching: { text: 'Needs columns', tone: 'attention' },
  checking: { text: 'Being checked', tone: 'info' },
  checked: { text: 'Ready to bring in', tone: 'attention' },
  applying: { text: 'Being brought in', tone: 'info' },
  done: { text: 'Brought in', tone: 'success' },
  undoing: { text: 'Being undone', tone: 'info' },
  undone: { text: 'Undone', tone: undefined },
}

/** Whether somebody is at work on it, so that it looks different in a moment. */
export function isInWork(state: string): boolean {
  return state === 'checking' || state === 'applying' || state === 'undoing'
}

/** "1 member", "1,200 members". */
export function sayMembers(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'member' : 'members'}`
}

/** "1 line", "1,200 lines". */
export function sayLines(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`
}

/** What the program makes of what a file brings, a sentence each: when the points end, what becomes of tiers and birthdays. */
export function sayTerms(
  mapping: ImportMapping,
  { expiry, tiers }: Pick<ProgramDocument, 'expiry' | 'tiers'>,
): string[] {
  const terms = [sayExpiry(mapping, expiry)]
  if (tiers) terms.push('The points do not count towards tiers.')
  if (mapping.tier !== null) {
    terms.push(
      tiers
        ? `A higher tier from the file is kept for ${IMPORTED_TIER_MONTHS} months, then your rules decide. It pays no entry reward; a lower one changes nothing.`
        : 'The file’s tiers are left out: your program has none.',
    )
  }
  if (mapping.birthday !== null) terms.push('A birthday is noted where the member has not given one.')
  return terms
}

function sayExpiry({ lastDay }: ImportMapping, expiry: ProgramDocument['expiry']): string {
  if (expiry.model === 'none') return 'The points do not expire, as in your program.'
  const months = `${expiry.months} ${expiry.months === 1 ? 'month' : 'months'}`
  if (expiry.model === 'inactivity') return `The points expire after ${months} without earning, as in your program.`
  if (lastDay === null) return `The points expire ${months} after they come in, as in your program.`
  return `The points expire after the last day that the file gives, but no later than your program’s ${months}.`
}

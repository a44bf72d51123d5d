/** Imports in a merchant's words. */
import type { ImportField } from '#app/loyalty/import-columns.ts'

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

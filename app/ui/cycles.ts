/** Replacement cycles in the admin's words, and as its forms send them. */
import { isGid } from '#app/loyalty/ids.ts'
import { LONGEST_CYCLE_DAYS, type ReplacementCycle } from '#app/retention/lifecycle.ts'
import { shopifyNumber, showCount } from '#app/ui/words.ts'

/** What the server says to a change: words for a toast, or what is wrong with which field. */
export type CycleReply = { ok: true; message: string } | { ok: false; errors: CycleErrors & { form?: string } }
type CycleErrors = Partial<Record<'value' | 'days', string>>

/** Shopify's own longest type and tag. */
const VALUE_MAX = 255

/** What a cycle is for. */
export type CycleKey = Pick<ReplacementCycle, 'of' | 'value'>

/** True where both are for the same product, type or tag; Shopify compares types and tags without regard to case. */
export function isSameCycle(one: CycleKey, other: CycleKey): boolean {
  return one.of === other.of && one.value.toLowerCase() === other.value.toLowerCase()
}

/** What a form says a cycle is for; an empty value is for nothing. */
export function readCycleKey(form: FormData): CycleKey {
  const of = (['type', 'tag'] as const).find((name) => name === form.get('of')) ?? 'product'
  const value = form.get('value')
  return { of, value: typeof value === 'string' ? value.trim() : '' }
}

/** Reads a form's `of`, `value` and `days`. */
export function parseCycle(form: FormData): { ok: true; cycle: ReplacementCycle } | { ok: false; errors: CycleErrors } {
  const { of, value } = readCycleKey(form)
  const text = form.get('days')
  const days = typeof text === 'string' && /^\d{1,6}$/.test(text.trim()) ? Number(text) : Number.NaN
  const errors: CycleErrors = {}
  if (of === 'product' && !isGid(value, 'Product')) errors.value = 'Choose a product'
  else if (value === '') errors.value = of === 'type' ? 'Say which type' : 'Say which tag'
  else if (value.length > VALUE_MAX) errors.value = `At most ${VALUE_MAX} characters`
  if (!(days >= 1 && days <= LONGEST_CYCLE_DAYS)) {
    errors.days = `A whole number of days from 1 to ${showCount(LONGEST_CYCLE_DAYS)}`
  }
  return Object.keys(errors).length > 0 ? { ok: false, errors } : { ok: true, cycle: { of, value, days } }
}

/** What a cycle is for, in words; a product by its title as far as that is known. */
export function sayCycle({ of, value }: CycleKey, titles: Record<string, string>): string {
  if (of === 'product') return titles[value] ?? `Product no. ${shopifyNumber(value)}`
  return of === 'type' ? `Type “${value}”` : `Tag “${value}”`
}

/** "45 days", "400 days (about 13 months)", "3,650 days (about 10 years)". */
export function sayDays(days: number): string {
  const text = `${showCount(days)} ${days === 1 ? 'day' : 'days'}`
  if (days >= 730) return `${text} (about ${showTenths(days / 365.25)} years)`
  return days >= 60 ? `${text} (about ${Math.round(days / 30.44)} months)` : text
}

function showTenths(value: number): string {
  return new Intl.NumberFormat('en', { maximumFractionDigits: 1 }).format(value)
}

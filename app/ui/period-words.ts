import { asMonths, nameDay, type Comparison, type Period, type PeriodName } from '#app/retention/periods.ts'
import { showMonth } from '#app/ui/months.ts'
import { showDay } from '#app/ui/words.ts'

/** The named periods as they are offered. */
export const PERIOD_WORDS: Record<PeriodName | 'custom', string> = {
  'this-month': 'This month',
  'last-month': 'Last month',
  'this-quarter': 'This quarter',
  'last-quarter': 'Last quarter',
  'this-year': 'This year',
  'last-year': 'Last year',
  'last-12-months': 'Last 12 months',
  'last-30-days': 'Last 30 days',
  'last-90-days': 'Last 90 days',
  custom: 'Other dates',
}

/** What a period can be compared with. */
export const COMPARISON_WORDS: Record<Comparison, string> = {
  previous: 'the period before',
  year: 'a year before',
  none: 'nothing',
}

/** "October 2026", "July 2026 to September 2026", "2026", "23 Oct 2026 to 21 Nov 2026". */
export function showPeriod(period: Period): string {
  const months = asMonths(period)
  if (!months) {
    const [first, last] = [period.from, period.until - 1].map((day) => showDay(Date.parse(nameDay(day)), 'UTC'))
    return first === last ? first! : `${first} to ${last}`
  }
  const last = months.until - 1
  if (last === months.from) return showMonth(last)
  if (last - months.from === 11 && ((last % 12) + 12) % 12 === 11) return nameDay(period.from).slice(0, 4)
  return `${showMonth(months.from)} to ${showMonth(last)}`
}

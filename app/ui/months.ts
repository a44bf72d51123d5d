/** Months in the admin's words; they count from January 1970, as the measures do. */

/** "October 2026". */
export function showMonth(month: number): string {
  return monthFormat('long').format(instantOf(month))
}

/** "Oct 26", for the foot of a chart and the head of a narrow column. */
export function showShortMonth(month: number): string {
  return monthFormat('short').format(instantOf(month))
}

/** "2026-10", as addresses and files have it. */
export function codeMonth(month: number): string {
  return instantOf(month).toISOString().slice(0, 7)
}

function instantOf(month: number): Date {
  return new Date(Date.UTC(1970 + Math.floor(month / 12), ((month % 12) + 12) % 12, 1))
}

function monthFormat(length: 'long' | 'short') {
  const year = length === 'long' ? 'numeric' : '2-digit'
  return new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', month: length, year })
}

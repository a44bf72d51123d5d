/**
 * Numbers, money and instants in the words of the admin (English). The same text comes out on the server and in the browser,
 * whatever either's own locale and zone are.
 */

/** What the program calls its points: "1 bean", "2 beans". */
export type PointsName = { one: string; other: string }

/** Whole points with thousands separated and their name: `showPoints(-1200, name)` → "−1,200 beans". */
export function showPoints(points: number, name: PointsName): string {
  return `${showCount(points)} ${Math.abs(points) === 1 ? name.one : name.other}`
}

/** A whole number with thousands separated, with a real minus sign: −1,200. */
export function showCount(count: number): string {
  return new Intl.NumberFormat('en').format(count).replace('-', '−')
}

/** "1 customer", "2,000 customers". */
export function sayCustomers(count: number): string {
  return `${showCount(count)} ${count === 1 ? 'customer' : 'customers'}`
}

/** As `showCount`, with a plus where it is above zero: the change that a line of a history made. */
export function showChange(points: number): string {
  return points > 0 ? `+${showCount(points)}` : showCount(points)
}

/** A decimal string of a currency as people read it: `showMoney('12.30', 'GBP')` → "£12.30". Exact: never a float. */
export function showMoney(amount: string, currency: string): string {
  // The decimal string goes in as it is (ECMA-402, Intl.NumberFormat v3 reads it exactly); TypeScript names it by its shape.
  return new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).format(
    amount as `${number}`,
  )
}

/** An instant (epoch milliseconds) on the shop's clock: "21 Nov 2026, 14:05". */
export function showInstant(at: number, timezone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at)
}

/** The day of an instant on the shop's clock: "21 Nov 2026". */
export function showDay(at: number, timezone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  }).format(at)
}

/** How long ago `at` was, at `now`, in one unit: "3 minutes ago", "yesterday", "in 5 days". */
export function showAgo(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000)
  const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit)
  return 'just now'
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** A rate 0–1 with one decimal: "12.5%"; "—" where there is none. */
export function showRate(rate: number | null): string {
  if (rate === null) return '—'
  return new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(
    rate,
  )
}

/** A share of a document, exactly as it was written: `showShare(0.07)` → "7%", where 0.07 × 100 is not quite 7 for a float. */
export function showShare(share: number): string {
  // As in `showMoney`, the decimal text goes in, not the float.
  return new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 20 }).format(
    String(share) as `${number}`,
  )
}

/** "a, b and c". */
export function showList(words: string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(words)
}

/** The number at the end of a Shopify gid, which is what Shopify's own addresses use: gid://shopify/Order/12 → "12". */
export function shopifyNumber(gid: string): string {
  return gid.slice(gid.lastIndexOf('/') + 1)
}

/** The text with a capital at its beginning. */
export function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

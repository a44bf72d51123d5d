/** The measures of an order log as tables for a terminal. */
import type { Measures } from '../retention/measures.ts'

/** Text with a heading and a table for each measure; rates with one decimal, what cannot be said as "—". */
export function printMeasures(measures: Measures): string {
  return [
    ['Orders', printOverview(measures)],
    ['Months', printMonths(measures)],
    ['Cohorts: share of a month’s new customers who ordered again, by months since', printCohorts(measures)],
    ['RFM groups', printGroups(measures)],
    ['Models', printModels(measures)],
  ]
    .map(([heading, body]) => `${heading}\n${body}\n`)
    .join('\n')
}

function printOverview(m: Measures): string {
  const days = m.intervalDays
  return align([
    ['measured at', `${m.asOf} (days and months of ${m.timezone})`],
    ['orders', String(m.orders)],
    ['customers', String(m.customers)],
    ['revenue', m.revenue],
    ['first order', m.first ?? '—'],
    ['last order', m.last ?? '—'],
    ['repeat purchase rate', percent(m.repeatPurchaseRate)],
    ['orders per customer', number(m.averageOrdersPerCustomer)],
    [
      'days between orders',
      `median ${number(days.median)}, mean ${number(days.mean)}, 25 % ${number(days.p25)}, 75 % ${number(days.p75)}, 90 % ${number(days.p90)}`,
    ],
    ['active / passive / lost', `${m.lifecycle.active} / ${m.lifecycle.passive} / ${m.lifecycle.lost}`],
    ['best fifth’s share of revenue', percent(m.pareto.top20Share)],
  ])
}

function printMonths(m: Measures): string {
  const head = [
    'month',
    'orders',
    'revenue',
    'buyers',
    'new',
    'returning',
    'returning %',
    'S',
    'E',
    'N',
    'R',
    'B',
    'CRR',
    'strict',
    'ARPU',
    'ARPPU',
  ]
  const rows = m.months.map((row) => [
    row.partial ? `${row.month} (partial)` : row.month,
    String(row.orders),
    row.revenue,
    String(row.buyers),
    String(row.newBuyers),
    String(row.returningBuyers),
    percent(row.returningCustomerRate),
    ...(['S', 'E', 'N', 'R', 'B'] as const).map((count) => String(row.crr[count])),
    percent(row.crr.rate),
    percent(row.crr.strictRate),
    row.arpu ?? '—',
    row.arppu ?? '—',
  ])
  return rows.length === 0 ? '  none' : align([head, ...rows])
}

function printCohorts(m: Measures): string {
  if (m.cohorts.length === 0) return '  none'
  const longest = Math.min(13, Math.max(...m.cohorts.map((cohort) => cohort.active.length)))
  const head = ['month', 'size', ...Array.from({ length: longest - 1 }, (_, month) => `+${month + 1}`)]
  return align([
    head,
    ...m.cohorts.map(({ month, size, active }) => [
      month,
      String(size),
      ...active.slice(1, longest).map((buyers) => percent(buyers / size)),
    ]),
  ])
}

function printGroups(m: Measures): string {
  if (!m.rfm.groups) return '  not enough data yet: fewer than 5 customers'
  return align(
    Object.entries(m.rfm.groups).map(([group, count]) => [group.toLowerCase().replaceAll('_', ' '), String(count)]),
  )
}

function printModels({ clv: { bgNbd, gammaGamma } }: Measures): string {
  const none = 'not enough data yet: fewer than 30 customers who came back'
  return align([
    [
      'BG/NBD',
      bgNbd
        ? `r ${number(bgNbd.r)}  alpha ${number(bgNbd.alpha)} weeks  a ${number(bgNbd.a)}  b ${number(bgNbd.b)}  log-likelihood ${number(bgNbd.logLikelihood)}`
        : none,
    ],
    [
      'Gamma-Gamma',
      gammaGamma ? `p ${number(gammaGamma.p)}  q ${number(gammaGamma.q)}  gamma ${number(gammaGamma.gamma)}` : none,
    ],
  ])
}

/** Columns of equal width, the first to the left, the others to the right where there are more than two. */
function align(rows: string[][]): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, place) => (widths[place] = Math.max(widths[place] ?? 0, cell.length)))
  return rows
    .map((row) => {
      const cells = row.map((cell, place) =>
        place === 0 || rows[0]!.length === 2 ? cell.padEnd(widths[place]!) : cell.padStart(widths[place]!),
      )
      return `  ${cells.join('  ')}`.trimEnd()
    })
    .join('\n')
}

function percent(rate: number | null): string {
  return rate === null ? '—' : `${(rate * 100).toFixed(1)} %`
}

function number(value: number | null): string {
  return value === null ? '—' : String(Math.round(value * 1000) / 1000)
}

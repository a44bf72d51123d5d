/** A comparison of two programs to read in a terminal. */
import type { Comparison, Figure, TierMove } from '#app/loyalty/compare.ts'

/** At most so many members are listed by name; the JSON has all. */
const LISTED = 10

/** The comparison as text, lines ended: what changes, then figures in columns, then who moves. */
export function printComparison(comparison: Comparison): string {
  const { points, liability, cost, tiers, margin, currency } = comparison
  const rows: string[][] = [
    ['', 'before', 'after', 'difference'],
    row('Points issued', points.issued),
    row('Points redeemed', points.redeemed),
    row('Points expired', points.expired),
    row('Points taken back', points.takenBack),
    row('Points outstanding', points.outstanding),
    row('Orders that earn', comparison.earningOrders),
    ['100 points are worth', liability.valueOf100Points.before ?? '—', liability.valueOf100Points.after ?? '—', ''],
    row(`Liability (${currency})`, liability.money),
    row(`Cost of rewards (${currency})`, cost.money),
    row('Rewards without an amount', cost.unpriced),
    ...(margin
      ? [['Goods before rewards', margin.goods, margin.goods, ''], row(`Margin (${currency})`, margin.margin)]
      : []),
    ...(margin?.percent ? [percentRow('Margin %', margin.percent)] : []),
  ]
  return [
    `“${comparison.programs.before}” and what if: “${comparison.programs.after}”`,
    ...(comparison.changes.length === 0 ? ['  no differences'] : comparison.changes.map((change) => `  • ${change}`)),
    '',
    ...layOut(rows),
    '',
    ...listMoves('to a higher tier', tiers.gained),
    ...listMoves('to a lower tier', tiers.lost),
    `${members(tiers.same)} ${tiers.same === 1 ? 'keeps' : 'keep'} theirs`,
    '',
  ].join('\n')
}

function row(label: string, { before, after, difference }: Figure<number | string>): string[] {
  const signed = typeof difference === 'number' ? difference : Number(difference)
  return [label, String(before), String(after), signed > 0 ? `+${difference}` : String(difference)]
}

function percentRow(label: string, { before, after, difference }: Figure): string[] {
  return row(label, { before: before.toFixed(1), after: after.toFixed(1), difference: difference.toFixed(1) })
}

function members(count: number): string {
  return `${count} ${count === 1 ? 'member' : 'members'}`
}

function layOut(rows: readonly string[][]): string[] {
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)))
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

function listMoves(what: string, moves: readonly TierMove[]): string[] {
  const listed = moves
    .slice(0, LISTED)
    .map(({ customer, from, to }) => `  ${customer}: ${from ?? 'none'} → ${to ?? 'none'}`)
  if (moves.length > LISTED) listed.push(`  … and ${moves.length - LISTED} more`)
  return [`${members(moves.length)} ${what}`, ...listed]
}

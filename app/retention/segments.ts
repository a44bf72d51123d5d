/**
 * Who is behind a number. A *group* of customers is named in an address ("S:2026-10", "rfm:AT_RISK"), so that every number on a
 * page can be opened to its customers; a *segment* is a group that a campaign can be for.
 */
import type { RfmGroup } from './rfm.ts'
import { RFM_GROUPS } from './rfm.ts'

/** Groups of one month: its buyers, its new and returning ones, and the letters of CRR. */
export const MONTH_GROUPS = ['buyers', 'new', 'returning', 'S', 'E', 'N', 'R', 'B'] as const
/** One of {@link MONTH_GROUPS}. */
export type MonthGroup = (typeof MONTH_GROUPS)[number]

/** A group of customers that a number of the retention pages stands for. */
export type CustomerGroup =
  | { kind: 'all' }
  /** Two orders or more. */
  | { kind: 'repeat' }
  | { kind: 'stage'; stage: 'active' | 'passive' | 'lost' }
  /** Still active by the calendar, but silent for longer than they used to be. */
  | { kind: 'slipping' }
  /** The best ⌈20 %⌉ by revenue. */
  | { kind: 'top-fifth' }
  /** Months count from January 1970. */
  | { kind: 'month'; group: MonthGroup; month: number }
  /** Customers whose first order was in `cohort` and who ordered in `month`. */
  | { kind: 'cohort'; cohort: number; month: number }
  | { kind: 'rfm'; group: RfmGroup }
  /** A cell of the grid: recency and the mean of frequency and money, 1–5. */
  | { kind: 'rfm-cell'; R: number; FM: number }

/** Groups that a campaign's audience can name (contracts, section 1): what customers come under and leave again. */
export const RETENTION_SEGMENTS: readonly string[] = [
  'repeat',
  'active',
  'passive',
  'lost',
  'slipping',
  ...RFM_GROUPS.filter((group) => group !== 'PROSPECTS').map((group) => group.toLowerCase().replaceAll('_', '-')),
]

/** The group of a segment's name, or null. `findSegment('at-risk')` is the RFM group AT_RISK. */
export function findSegment(name: string): CustomerGroup | null {
  if (name === 'repeat' || name === 'slipping') return { kind: name }
  if (name === 'active' || name === 'passive' || name === 'lost') return { kind: 'stage', stage: name }
  const group = RFM_GROUPS.find((known) => known.toLowerCase().replaceAll('_', '-') === name)
  return group && group !== 'PROSPECTS' ? { kind: 'rfm', group } : null
}

/** The name by which a campaign can be for the group; null where it cannot. */
export function segmentOf(group: CustomerGroup): string | null {
  const name = nameGroup(group)
  return RETENTION_SEGMENTS.find((segment) => nameGroup(findSegment(segment)!) === name) ?? null
}

/** The tag that the group's customers get in Shopify where the merchant wants it: "retention-stage-passive". */
export function tagOfGroup(group: CustomerGroup): string {
  return `retention-${nameGroup(group)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')}`
}

/** The group as text for an address; {@link parseGroup} reads it back. */
export function nameGroup(group: CustomerGroup): string {
  switch (group.kind) {
    case 'stage':
      return `stage:${group.stage}`
    case 'month':
      return `${group.group}:${nameMonthNumber(group.month)}`
    case 'cohort':
      return `cohort:${nameMonthNumber(group.cohort)}:${nameMonthNumber(group.month)}`
    case 'rfm':
      return `rfm:${group.group}`
    case 'rfm-cell':
      return `rfm-cell:${group.R}:${group.FM}`
    default:
      return group.kind
  }
}

/** Reads {@link nameGroup}'s text; null where it names no group. */
export function parseGroup(text: string): CustomerGroup | null {
  const [kind = '', first = '', second = '', ...rest] = text.split(':')
  if (rest.length > 0) return null
  if (second === '' && first === '') {
    return kind === 'all' || kind === 'repeat' || kind === 'slipping' || kind === 'top-fifth' ? { kind } : null
  }
  if (kind === 'rfm-cell') {
    const [R, FM] = [Number(first), Number(second)]
    const isScore = (score: number) => Number.isInteger(score) && score >= 1 && score <= 5
    return isScore(R) && isScore(FM) ? { kind, R, FM } : null
  }
  const month = parseMonth(first)
  if (kind === 'cohort') {
    const inMonth = parseMonth(second)
    return month !== null && inMonth !== null && inMonth >= month ? { kind, cohort: month, month: inMonth } : null
  }
  if (second !== '') return null
  if (kind === 'stage') {
    return first === 'active' || first === 'passive' || first === 'lost' ? { kind, stage: first } : null
  }
  if (kind === 'rfm') {
    const group = RFM_GROUPS.find((known) => known === first)
    return group ? { kind, group } : null
  }
  const monthGroup = MONTH_GROUPS.find((known) => known === kind)
  return monthGroup && month !== null ? { kind: 'month', group: monthGroup, month } : null
}

/** "2026-10" as a month counted from January 1970; null where it is none. */
export function parseMonth(text: string): number | null {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text)
  return match ? (Number(match[1]) - 1970) * 12 + Number(match[2]) - 1 : null
}

function nameMonthNumber(month: number): string {
  const year = 1970 + Math.floor(month / 12)
  return `${String(year).padStart(4, '0')}-${String(month - (year - 1970) * 12 + 1).padStart(2, '0')}`
}

/** A customer behind a number. `active` is the chance that it is still a customer, 0–1; predictions are null before the first fit. */
export type CustomerBehind = {
  customer: string
  orders: number
  revenueMinor: number
  firstAt: number
  lastAt: number
  active: number | null
  expectedOrders: number | null
  expectedMinor: number | null
}

/**
 * Who is behind a number. A *group* of customers is named in an address ("S:2026-10", "rfm:AT_RISK"), so that every number on a
 * page can be opened to its customers; a *segment* is a group that a campaign can be for.
 */
import { FUNNEL_STEPS, type FunnelStep } from './funnel.ts'
import { AGE_MONTHS, MOVEMENTS, type Movement } from './liability.ts'
import { NPS_BANDS, type NpsBand } from './nps.ts'
import { nameDay, parseDay } from './periods.ts'
import type { RfmGroup } from './rfm.ts'
import { RFM_GROUPS } from './rfm.ts'

/**
 * Groups of a period: its buyers, its new and returning ones, the letters of CRR, the E − N that CRR divides by S, and everyone
 * known by its end.
 */
export const PERIOD_GROUPS = ['buyers', 'new', 'returning', 'S', 'E', 'N', 'R', 'B', 'kept', 'known'] as const
/** One of {@link PERIOD_GROUPS}. */
export type PeriodGroup = (typeof PERIOD_GROUPS)[number]

/** Whose points these are: held now, set aside for rewards, taken back after they were spent. */
export const POINTS_GROUPS = ['held', 'reserved', 'deficit'] as const
/** One of {@link POINTS_GROUPS}. */
export type PointsGroup = (typeof POINTS_GROUPS)[number]

/** Customers by what they answered to "would you recommend us?". */
export const NPS_GROUPS = [...NPS_BANDS, 'answered'] as const
/** One of {@link NPS_GROUPS}. */
export type NpsGroup = NpsBand | 'answered'

/** Whom a campaign's results count; `own` are those with an order that carried it, `offered` and `heldOut` its two arms. */
export const CAMPAIGN_GROUPS = ['buyers', 'new', 'returning', 'own', 'offered', 'heldOut'] as const
/** One of {@link CAMPAIGN_GROUPS}. */
export type CampaignGroup = (typeof CAMPAIGN_GROUPS)[number]

/** A group of customers that a number of the retention pages, or of a campaign's results, stands for. */
export type CustomerGroup =
  | { kind: 'all' }
  /** Two orders or more. */
  | { kind: 'repeat' }
  /** So many orders or more. */
  | { kind: 'orders'; least: number }
  /** Customers whose order after the `ordinal`-th came `week` whole weeks after it; the last week stands for all after it. */
  | { kind: 'interval'; ordinal: number; week: number }
  /** Customers whose order after the `ordinal`-th came in that week after it or before. */
  | { kind: 'interval-within'; ordinal: number; week: number }
  | { kind: 'stage'; stage: 'active' | 'passive' | 'lost' }
  /** Still active by the calendar, but silent for longer than they used to be. */
  | { kind: 'slipping' }
  /** The best ⌈20 %⌉ by revenue; the best ⌈so many %⌉. */
  | { kind: 'top-fifth' }
  | { kind: 'best'; percent: number }
  /** Those whom the last fit says something of. */
  | { kind: 'predicted' }
  /** Those who were in a tenth of the back-test, from 1, the least expected. */
  | { kind: 'tenth'; tenth: number }
  /** Months count from January 1970. */
  | { kind: 'month'; group: PeriodGroup; month: number }
  /** The days from the first up to but without the last, counted from 1 January 1970. */
  | { kind: 'period'; group: PeriodGroup; from: number; until: number }
  /** Customers whose first order was in `cohort` and who ordered in `month`. */
  | { kind: 'cohort'; cohort: number; month: number }
  | { kind: 'rfm'; group: RfmGroup }
  /** A cell of the grid: recency and the mean of frequency and money, 1–5. */
  | { kind: 'rfm-cell'; R: number; FM: number }
  /** Customers by their last answer in the 12 months before T, or in a month; `answered` are all of them. */
  | { kind: 'nps'; group: NpsGroup; month: number | null }
  | { kind: 'campaign'; group: CampaignGroup; id: string }
  /** Members who took a step and all before it. */
  | { kind: 'funnel'; step: FunnelStep }
  /** Members by the points they have. */
  | { kind: 'points'; group: PointsGroup }
  /** Members who hold points of an age: from so many months on (one of AGE_MONTHS). */
  | { kind: 'points-age'; months: number }
  /** Members who held points at the first instant of a day that is counted from 1 January 1970, with what they held then. */
  | { kind: 'points-then'; day: number }
  /** Members whose points moved like that on these days, as in `period`. */
  | { kind: 'moved'; movement: Movement; from: number; until: number }

/** The weeks that intervals are told apart by: 0 to 51, and 52 for all longer ones. */
export const LAST_WEEK = 52

/** Groups that a campaign's audience can name: what customers come under and leave again. */
export const RETENTION_SEGMENTS: readonly string[] = [
  'repeat',
  'active',
  'passive',
  'lost',
  'slipping',
  // RFM's own Active group stays without a name of its own here: an audience that says "active" means the lifecycle's.
  ...RFM_GROUPS.filter((group) => group !== 'PROSPECTS' && group !== 'ACTIVE').map((group) =>
    group.toLowerCase().replaceAll('_', '-'),
  ),
  ...NPS_BANDS.map((band) => `nps-${band}`),
]

/** The group of a segment's name, or null. `findSegment('at-risk')` is the RFM group AT_RISK. */
export function findSegment(name: string): CustomerGroup | null {
  if (name === 'repeat' || name === 'slipping') return { kind: name }
  if (name === 'active' || name === 'passive' || name === 'lost') return { kind: 'stage', stage: name }
  const band = NPS_BANDS.find((known) => `nps-${known}` === name)
  if (band) return { kind: 'nps', group: band, month: null }
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
    case 'orders':
      return `orders:${group.least}`
    case 'interval':
    case 'interval-within':
      return `${group.kind}:${group.ordinal}:${group.week}`
    case 'best':
      return `best:${group.percent}`
    case 'tenth':
      return `tenth:${group.tenth}`
    case 'month':
      return `${group.group}:${nameMonthNumber(group.month)}`
    case 'period':
      return `${group.group}:${nameDay(group.from)}:${nameDay(group.until - 1)}`
    case 'nps':
      return `nps:${group.group}${group.month === null ? '' : `:${nameMonthNumber(group.month)}`}`
    case 'campaign':
      return `campaign:${group.group}:${group.id}`
    case 'funnel':
      return `funnel:${group.step}`
    case 'points':
      return `points:${group.group}`
    case 'points-age':
      return `points-age:${group.months}`
    case 'points-then':
      return `points-then:${nameDay(group.day)}`
    case 'moved':
      return `${group.movement}:${nameDay(group.from)}:${nameDay(group.until - 1)}`
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
  if (text.startsWith('campaign:')) return parseCampaign(text)
  const [kind = '', first = '', second = '', ...rest] = text.split(':')
  if (rest.length > 0) return null
  if (first === '' && second === '') return parseSingle(kind)
  if (second !== '') return parsePair(kind, first, second)
  const month = parseMonth(first)
  const monthGroup = find(PERIOD_GROUPS, kind)
  if (monthGroup) return month === null ? null : { kind: 'month', group: monthGroup, month }
  const number = parseCount(first)
  switch (kind) {
    case 'stage':
      return first === 'active' || first === 'passive' || first === 'lost' ? { kind, stage: first } : null
    case 'orders':
      return number !== null && number >= 1 ? { kind, least: number } : null
    case 'tenth':
      return number !== null && number >= 1 && number <= 10 ? { kind, tenth: number } : null
    case 'best':
      return number !== null && number >= 1 && number <= 100 ? { kind, percent: number } : null
    case 'rfm': {
      const group = find(RFM_GROUPS, first)
      return group ? { kind, group } : null
    }
    case 'nps': {
      const group = find(NPS_GROUPS, first)
      return group ? { kind, group, month: null } : null
    }
    case 'funnel': {
      const step = find(FUNNEL_STEPS, first)
      return step ? { kind, step } : null
    }
    case 'points': {
      const group = find(POINTS_GROUPS, first)
      return group ? { kind, group } : null
    }
    case 'points-then': {
      const day = parseDay(first)
      return day === null ? null : { kind, day }
    }
    case 'points-age':
      return number !== null && AGE_MONTHS.includes(number) ? { kind, months: number } : null
    default:
      return null
  }
}

/** A campaign's id is whatever its author wrote, colons too. */
function parseCampaign(text: string): CustomerGroup | null {
  const [, name = '', id = ''] = /^campaign:(\w+):(.+)$/s.exec(text) ?? []
  const group = find(CAMPAIGN_GROUPS, name)
  return group ? { kind: 'campaign', group, id } : null
}

function parseSingle(kind: string): CustomerGroup | null {
  const known = ['all', 'repeat', 'slipping', 'top-fifth', 'predicted'] as const
  const found = find(known, kind)
  return found ? { kind: found } : null
}

function parsePair(kind: string, first: string, second: string): CustomerGroup | null {
  const [one, other] = [parseCount(first), parseCount(second)]
  const isIn = (number: number | null, least: number, most: number): number is number =>
    number !== null && number >= least && number <= most
  if (kind === 'rfm-cell') return isIn(one, 1, 5) && isIn(other, 1, 5) ? { kind, R: one, FM: other } : null
  if (kind === 'interval' || kind === 'interval-within') {
    return isIn(one, 1, 1_000) && isIn(other, 0, LAST_WEEK) ? { kind, ordinal: one, week: other } : null
  }
  if (kind === 'cohort') {
    const [cohort, month] = [parseMonth(first), parseMonth(second)]
    return cohort !== null && month !== null && month >= cohort ? { kind, cohort, month } : null
  }
  if (kind === 'nps') {
    const [group, month] = [find(NPS_GROUPS, first), parseMonth(second)]
    return group && month !== null ? { kind, group, month } : null
  }
  const [from, last] = [parseDay(first), parseDay(second)]
  if (from === null || last === null || last < from) return null
  const group = find(PERIOD_GROUPS, kind)
  if (group) return { kind: 'period', group, from, until: last + 1 }
  const movement = find(MOVEMENTS, kind)
  return movement ? { kind: 'moved', movement, from, until: last + 1 } : null
}

function find<Known extends string>(list: readonly Known[], text: string): Known | undefined {
  return list.find((known) => known === text)
}

function parseCount(text: string): number | null {
  return /^\d{1,6}$/.test(text) ? Number(text) : null
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

/**
 * A customer behind a number. `active` is the chance that it is still a customer, 0–1; predictions are null before the first fit,
 * the instants of orders where a member has none. `points` are those that the number is about; null where it is about none.
 */
export type CustomerBehind = {
  customer: string
  orders: number
  revenueMinor: number
  firstAt: number | null
  lastAt: number | null
  active: number | null
  expectedOrders: number | null
  expectedMinor: number | null
  points: number | null
}

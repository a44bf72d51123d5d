import type { RfmGroup } from '#app/retention/rfm.ts'
import type { FunnelStep } from '#app/retention/funnel.ts'
import { AGE_MONTHS, type Movement } from '#app/retention/liability.ts'
import {
  LAST_WEEK,
  type CampaignGroup,
  type CustomerGroup,
  type NpsGroup,
  type PointsGroup,
} from '#app/retention/segments.ts'
import { nameDay } from '#app/retention/periods.ts'
import { showMonth } from '#app/ui/months.ts'
import { showPeriod } from '#app/ui/period-words.ts'
import { showDay } from '#app/ui/words.ts'

/** Shopify's RFM groups in its admin's words, with its description of each (CustomerRfmGroup, Admin API 2026-10). */
export const RFM_WORDS: Record<RfmGroup, { name: string; description: string }> = {
  CHAMPIONS: { name: 'Champions', description: 'Very recent purchases, many orders, and the most spend' },
  LOYAL: { name: 'Loyal', description: 'Recent purchases, many orders, and the most spend' },
  ACTIVE: { name: 'Active', description: 'Recent purchases, some orders, and moderate spend' },
  NEW: { name: 'New', description: 'Very recent purchases, few orders, and low spend' },
  PROMISING: { name: 'Promising', description: 'Recent purchases, few orders, and low spend' },
  NEEDS_ATTENTION: {
    name: 'Needs attention',
    description: 'Somewhat recent purchases, some orders, and moderate spend',
  },
  ALMOST_LOST: { name: 'Almost lost', description: 'No recent purchases, fewer orders, and lower spend' },
  PREVIOUSLY_LOYAL: { name: 'Previously loyal', description: 'No recent purchases, but a very strong history' },
  AT_RISK: { name: 'At risk', description: 'No recent purchases, but a strong history of orders and spend' },
  DORMANT: { name: 'Dormant', description: 'No recent orders, infrequent orders, and low spend' },
  PROSPECTS: { name: 'Prospects', description: 'No orders yet' },
}

const PERIOD_WORDS = {
  buyers: ['Buyers', 'Ordered in'],
  new: ['New customers', 'First order ever in'],
  returning: ['Returning customers', 'Ordered before and again in'],
  S: ['S: active at the start', 'Ordered in the 365 days before the start of'],
  E: ['E: active at the end', 'Ordered in the 365 days before the end of'],
  N: ['N: new and active at the end', 'First order, and still active at the end, in'],
  R: ['R: active at both ends', 'Active at the start and at the end of'],
  B: ['B: won back', 'Not active at the start, ordered before, and active at the end of'],
  kept: ['E − N: active at the end, not new', 'First order before, and an order in the 365 days before the end of'],
  known: ['Known customers', 'First order before the end of'],
} as const

/** What a group is called, and who is in it, in a sentence. */
export function describeGroup(group: CustomerGroup): { title: string; who: string } {
  switch (group.kind) {
    case 'all':
      return { title: 'All customers', who: 'Everyone with a paid order.' }
    case 'repeat':
      return { title: 'Repeat customers', who: 'Everyone with two orders or more.' }
    case 'slipping':
      return {
        title: 'Slipping away',
        who: 'Ordered twice or more, still active, and now silent for longer than is usual for them.',
      }
    case 'top-fifth':
      return { title: 'Best fifth', who: 'The 20% of customers who have spent the most.' }
    case 'stage':
      return STAGE_WORDS[group.stage]
    case 'best':
      return {
        title: `Best ${group.percent}%`,
        who: `The ${group.percent}% of customers who have spent the most, rounded up.`,
      }
    case 'orders':
      return {
        title: `${group.least} orders or more`,
        who: `Everyone who has ordered ${group.least} times or more often.`,
      }
    case 'interval':
      return {
        title: `Order ${group.ordinal + 1} after ${nameWeek(group.week)} weeks`,
        who: `Their order ${group.ordinal + 1} came ${nameWeek(group.week)} weeks after order ${group.ordinal}.`,
      }
    case 'interval-within': {
      const within =
        group.week === LAST_WEEK ? 'however late' : `within ${group.week + 1} ${group.week === 0 ? 'week' : 'weeks'}`
      return {
        title: `Order ${group.ordinal + 1} ${within}`,
        who: `Their order ${group.ordinal + 1} came after order ${group.ordinal}, ${within}.`,
      }
    }
    case 'tenth':
      return {
        title: `Tenth ${group.tenth} of the back test`,
        who: 'They were in one of ten equal groups when the model was tried: 1 is the least expected, 10 the most.',
      }
    case 'predicted':
      return { title: 'Customers in the prediction', who: 'Everyone whom the models were fitted on.' }
    case 'funnel':
      return FUNNEL_WORDS[group.step]
    case 'points':
      return POINTS_WORDS[group.group]
    case 'points-age':
      return {
        title: `Points of ${nameAge(group.months)}`,
        who: 'They hold points, to spend or waiting, that were earned so long ago.',
      }
    case 'points-then': {
      const day = showDay(Date.parse(nameDay(group.day)), 'UTC')
      return {
        title: `Members with points, start of ${day}`,
        who: `Members who held points at the first instant of ${day}, with what they held then: to spend, waiting and set aside.`,
      }
    }
    case 'moved': {
      const [title, who] = MOVEMENT_WORDS[group.movement]
      return { title: `${title}, ${showPeriod(group)}`, who: `${who} in ${showPeriod(group)}.` }
    }
    case 'month':
    case 'period': {
      const [title, who] = PERIOD_WORDS[group.group]
      const when = group.kind === 'month' ? showMonth(group.month) : showPeriod(group)
      return { title: `${title}, ${when}`, who: `${who} ${when}.` }
    }
    case 'nps': {
      const { title, who } = NPS_WORDS[group.group]
      if (group.month !== null)
        return { title: `${title}, ${showMonth(group.month)}`, who: `${who} in ${showMonth(group.month)}.` }
      return { title, who: `${who} in the last 12 months.` }
    }
    case 'campaign':
      return CAMPAIGN_WORDS[group.group]
    case 'cohort':
      return {
        title: `Cohort of ${showMonth(group.cohort)}`,
        who: `First order in ${showMonth(group.cohort)}, and an order in ${showMonth(group.month)}.`,
      }
    case 'rfm':
      return { title: RFM_WORDS[group.group].name, who: `${RFM_WORDS[group.group].description}.` }
    case 'rfm-cell':
      return {
        title: `Recency ${group.R}, frequency and money ${group.FM}`,
        who: 'Scores go from 1 to 5 within your shop; 5 is the best fifth.',
      }
  }
}

/** "0 to 1", "52 or more": whole weeks between two orders. */
export function nameWeek(week: number): string {
  return week === LAST_WEEK ? `${week} or more` : `${week} to ${week + 1}`
}

/** "under 3 months", "3 to 6 months": how old points are, by the months that their age begins at. */
export function nameAge(months: number): string {
  const next = AGE_MONTHS[AGE_MONTHS.indexOf(months) + 1]
  if (next === undefined) return `${months} months and older`
  return months === 0 ? `under ${next} months` : `${months} to ${next} months`
}

const NPS_WORDS: Record<NpsGroup, { title: string; who: string }> = {
  promoters: { title: 'Promoters', who: 'Answered 9 or 10 when last asked whether they would recommend you,' },
  passives: { title: 'Passives (NPS)', who: 'Answered 7 or 8 when last asked whether they would recommend you,' },
  detractors: { title: 'Detractors', who: 'Answered 0 to 6 when last asked whether they would recommend you,' },
  answered: { title: 'Answered', who: 'Said how likely they are to recommend you,' },
}

const FUNNEL_WORDS: Record<FunnelStep, { title: string; who: string }> = {
  signup: { title: 'Members', who: 'Everyone who is a member.' },
  earn: { title: 'Members who earned', who: 'Members who have earned points.' },
  redeem: { title: 'Members who spent points', who: 'Members who have earned points and spent some on a reward.' },
  repeat: {
    title: 'Members who spent points and came back',
    who: 'Members who have earned points, spent some on a reward, and ordered twice or more.',
  },
}

const POINTS_WORDS: Record<PointsGroup, { title: string; who: string }> = {
  held: { title: 'Members with points', who: 'Members whose points to spend, waiting and set aside do not sum to 0.' },
  reserved: { title: 'Points set aside', who: 'Members with points set aside for a reward under way.' },
  deficit: { title: 'Below zero', who: 'Members from whom more was taken back than they had left.' },
}

const MOVEMENT_WORDS: Record<Movement, [string, string]> = {
  earned: ['Points earned', 'Members who earned points'],
  spent: ['Points spent', 'Members who spent points on rewards, or had some come back,'],
  expired: ['Points expired', 'Members whose points ran out'],
  takenBack: ['Points taken back', 'Members from whom points were taken back after refunds and cancellations'],
  forfeited: ['Points forfeited', 'Members who were erased'],
  adjusted: ['Points changed by hand', 'Members whose points were changed by hand'],
}

/** What makes a customer come under a stage: by the calendar alone, or, where replacement cycles are set, by what was bought. */
export function sayStage(stage: 'active' | 'passive' | 'lost', hasCycles: boolean): string {
  return STAGE_LIMITS[stage][hasCycles ? 1 : 0]
}

const STAGE_LIMITS = {
  active: ['last order less than 12 months ago', 'what they bought still lasts'],
  passive: ['no order for 12 months or more', 'its time is over'],
  lost: ['no order for 24 months or more', 'twice its time is over'],
} as const

const STAGE_WORDS = {
  active: {
    title: 'Active',
    who: 'Last order less than 12 months ago, or what they bought still lasts, where you have said how long.',
  },
  passive: {
    title: 'Passive',
    who: 'Last order 12 to 24 months ago, or after the time that you have said what they bought lasts.',
  },
  lost: {
    title: 'Lost',
    who: 'Last order 24 months ago or more, or after twice the time that you have said what they bought lasts.',
  },
} as const

const CAMPAIGN_WORDS: Record<CampaignGroup, { title: string; who: string }> = {
  buyers: { title: 'Buyers while a campaign ran', who: 'Ordered while the campaign ran, with it or without.' },
  new: { title: 'New buyers while a campaign ran', who: 'Placed their first order ever while the campaign ran.' },
  returning: { title: 'Returning buyers while a campaign ran', who: 'Had ordered before, and ordered while it ran.' },
  own: { title: 'Attributed to a campaign', who: 'Placed an order that carried the campaign.' },
  offered: { title: 'Offered a campaign', who: 'Known when it began, and not held out.' },
  heldOut: { title: 'Held out of a campaign', who: 'Known when it began, and left out by chance, to compare with.' },
}

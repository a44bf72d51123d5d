import type { RfmGroup } from '#app/retention/rfm.ts'
import type { CustomerGroup } from '#app/retention/segments.ts'
import { showMonth } from '#app/ui/months.ts'

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

const MONTH_WORDS = {
  buyers: ['Buyers', 'Ordered in'],
  new: ['New customers', 'First order ever in'],
  returning: ['Returning customers', 'Ordered in this month and before it:'],
  S: ['S: active at the start', 'Ordered in the 365 days before the start of'],
  E: ['E: active at the end', 'Ordered in the 365 days before the end of'],
  N: ['N: new and active at the end', 'First order, and still active at the end, in'],
  R: ['R: active at both ends', 'Active at the start and at the end of'],
  B: ['B: won back', 'Not active at the start, ordered before, and active at the end of'],
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
        who: 'Ordered twice or more, within the last 12 months, and now silent for longer than is usual for them.',
      }
    case 'top-fifth':
      return { title: 'Best fifth', who: 'The 20% of customers who have spent the most.' }
    case 'stage':
      return STAGE_WORDS[group.stage]
    case 'month': {
      const [title, who] = MONTH_WORDS[group.group]
      return { title: `${title}, ${showMonth(group.month)}`, who: `${who} ${showMonth(group.month)}.` }
    }
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

const STAGE_WORDS = {
  active: { title: 'Active', who: 'Last order less than 12 months ago.' },
  passive: { title: 'Passive', who: 'Last order 12 months ago or more, and less than 24.' },
  lost: { title: 'Lost', who: 'Last order 24 months ago or more.' },
} as const

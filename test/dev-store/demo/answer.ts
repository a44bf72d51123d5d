/** Shoppers of the demo who say whether they would recommend the shop: on the storefront's own address, signed in, as the block does. */
import type { Customer } from '../records.ts'
import type { DevStore } from '../state.ts'
import { CUSTOMER_COOKIE, customerCookieValue } from '../storefront/session.ts'
import { DEMO_SHOP } from './play.ts'

const DAY_MS = 86_400_000

/** Days before the present on which some of those who have bought by then are asked: about once a month. */
const ASKED_DAYS_AGO = [330, 300, 270, 240, 210, 180, 150, 120, 90, 60, 32, 12, 2]
/** One in so many answers at a time, and one in so many of those writes something. */
const ANSWERS_ONE_IN = 9
const WRITES_ONE_IN = 2

/** How often each score is given of 20 answers: a shop that most people like. */
const SCORES = [10, 9, 9, 10, 8, 9, 7, 10, 3, 9, 8, 10, 6, 9, 10, 2, 8, 9, 5, 10]

const WORDS = {
  promoters: [
    'The parcels are wrapped so nicely that I give them on as they are.',
    'Everything arrived in two days and nothing was broken.',
    'My grandchildren love the lunch boxes.',
    'Always something new for the shop window.',
    'Good prices for larger quantities, and friendly answers.',
  ],
  passives: ['Lovely things, but delivery took a week.', 'Good, though the colours looked different online.', 'Fine.'],
  detractors: [
    'Two cups were broken and I waited ten days for an answer.',
    'The candle holder was much smaller than I thought.',
    'Carriage is too dear for small orders.',
  ],
}

/** The instants at which customers are asked, and what happens then. */
export function planAnswers(
  store: DevStore,
  storeUrl: string,
  today: number,
): { at: number; act: () => Promise<void> }[] {
  return ASKED_DAYS_AGO.map((days, round) => ({
    at: today - days * DAY_MS,
    act: async () => {
      const buyers = new Set(store.orders(DEMO_SHOP).map((order) => order.customerId))
      const asked = store
        .customers(DEMO_SHOP)
        .filter((customer, place) => buyers.has(customer.id) && (place * 7 + round * 5) % ANSWERS_ONE_IN === 0)
      for (const [place, customer] of asked.entries()) await answer(store, storeUrl, customer, place * 3 + round)
    },
  }))
}

async function answer(store: DevStore, storeUrl: string, customer: Customer, chance: number): Promise<void> {
  const score = SCORES[chance % SCORES.length]!
  const words = WORDS[score >= 9 ? 'promoters' : score >= 7 ? 'passives' : 'detractors']
  const comment = chance % WRITES_ONE_IN === 0 ? words[chance % words.length]! : ''
  const reply = await fetch(`${storeUrl}/apps/loyalty/feedback`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Sec-Fetch-Site': 'same-origin',
      Cookie: `${CUSTOMER_COOKIE}=${customerCookieValue(store, customer)}`,
    },
    body: JSON.stringify({ score, comment }),
  })
  if (!reply.ok) throw new Error(`A demo shopper could not answer: ${reply.status} ${await reply.text()}`)
}

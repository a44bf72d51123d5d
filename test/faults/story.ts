// What happens in a shop, and how the news of it travel: late, twice, out of order, or not at all.
import { randomUUID } from 'node:crypto'
import { orderBody, type OrderSketch } from '#test/setup/orders.ts'
import type { Random } from './random.ts'

export type News = { topic: string; eventId: string; triggeredAt: number; payload: string }

/** One step of the test: news arrive, or a member wants to spend, or time goes on. */
export type Step =
  { kind: 'arrive'; news: News[] } | { kind: 'redeem'; customer: string; code: string } | { kind: 'time'; at: number }

const START = Date.parse('2026-03-01T09:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The steps of a seed: some weeks in a shop with a handful of customers. Always the same for the same random numbers. */
export function tellStory(random: Random): Step[] {
  const customers = Array.from({ length: random.whole(2, 5) }, (_, at) => 1_000 + at)
  const codes: { code: string; customer: number }[] = []
  const told: { at: number; news: News }[] = []
  for (let order = 1; order <= random.whole(4, 14); order += 1) {
    const placedAt = START + random.whole(0, 40) * DAY_MS + random.whole(0, 23) * HOUR_MS
    const customer = random.happens(0.1) ? null : random.pick(customers)
    if (customer !== null && random.happens(0.4)) codes.push({ code: `CODE-${order}`, customer })
    told.push(...lifeOfOrder(random, order, customer, placedAt, codes))
  }
  if (random.happens(0.3)) told.push(merge(customers, START + 25 * DAY_MS))
  if (random.happens(0.15)) told.push(redact(customers.at(-1)!, START + 35 * DAY_MS))
  const travelled = travel(random, told)
  return interleave(random, travelled, codes)
}

/** An order is placed and paid, and then refunded, edited, cancelled, in this order; each change tells of itself. */
function lifeOfOrder(
  random: Random,
  id: number,
  customer: number | null,
  placedAt: number,
  codes: readonly { code: string }[],
): { at: number; news: News }[] {
  const goods = Array.from(
    { length: random.whole(1, 3) },
    () => `${random.whole(1, 80)}.${random.pick(['00', '50', '99'])}`,
  )
  const left = goods.map(() => 1)
  const sketch: OrderSketch = { id, customer, goods, left, placedAt: new Date(placedAt).toISOString() }
  if (codes.length > 0 && random.happens(0.3)) sketch.codes = [{ code: random.pick(codes).code, amount: '1.00' }]
  const news: { at: number; news: News }[] = []
  let at = placedAt
  const tell = (topic: string) => {
    const updatedAt = new Date(at).toISOString()
    const triggeredAt = at + random.whole(1, 20) * 1000
    news.push({
      at: triggeredAt,
      news: { topic, eventId: randomUUID(), triggeredAt, payload: orderBody({ ...sketch, updatedAt }) },
    })
  }
  if (random.happens(0.3)) {
    sketch.status = 'pending'
    tell('orders/create')
    at += random.whole(1, 30) * HOUR_MS
  }
  sketch.status = 'paid'
  tell('orders/paid')
  if (random.happens(0.4)) tell('orders/updated')
  if (random.happens(0.4)) {
    at += random.whole(1, 20 * 24) * HOUR_MS
    left[random.whole(0, left.length - 1)] = 0
    sketch.left = [...left]
    sketch.status = left.every((units) => units === 0) ? 'refunded' : 'partially_refunded'
    tell('orders/updated')
  }
  if (customer === null && random.happens(0.5)) {
    at += HOUR_MS
    sketch.customer = 1_000
    tell('orders/updated')
  }
  if (random.happens(0.15)) {
    at += random.whole(1, 100) * HOUR_MS
    sketch.cancelledAt = new Date(at).toISOString()
    tell('orders/cancelled')
  }
  return news
}

function merge([kept, deleted]: readonly number[], at: number): { at: number; news: News } {
  const payload = JSON.stringify({
    admin_graphql_api_customer_kept_id: `gid://shopify/Customer/${kept}`,
    admin_graphql_api_customer_deleted_id: `gid://shopify/Customer/${deleted}`,
    status: 'completed',
  })
  return { at, news: { topic: 'customers/merge', eventId: randomUUID(), triggeredAt: at, payload } }
}

function redact(customer: number, at: number): { at: number; news: News } {
  const payload = JSON.stringify({ customer: { id: customer }, orders_to_redact: [] })
  return { at, news: { topic: 'customers/redact', eventId: randomUUID(), triggeredAt: at, payload } }
}

/** When each piece of news arrives: most soon, some days late, some twice, some never (their successors heal that). */
function travel(random: Random, told: readonly { at: number; news: News }[]): { at: number; news: News }[] {
  return told.flatMap(({ at, news }) => {
    if (random.happens(0.08)) return []
    const arrivals = [at + (random.happens(0.25) ? random.whole(1, 20 * 24) * HOUR_MS : random.whole(0, 60) * 1000)]
    while (random.happens(0.25)) arrivals.push(arrivals[0]! + random.whole(0, 5 * 24) * HOUR_MS)
    return arrivals.map((arrival) => ({ at: arrival, news }))
  })
}

function interleave(
  random: Random,
  arrivals: readonly { at: number; news: News }[],
  codes: readonly { code: string; customer: number }[],
): Step[] {
  const steps: Step[] = []
  const sorted = [...arrivals].sort((one, other) => one.at - other.at)
  const waiting = [...codes]
  let together: News[] = []
  for (const { at, news } of sorted) {
    together.push(news)
    if (random.happens(0.6)) continue
    steps.push({ kind: 'time', at }, { kind: 'arrive', news: together })
    together = []
    const wish = random.happens(0.5) ? waiting.shift() : undefined
    if (wish) steps.push({ kind: 'redeem', customer: `gid://shopify/Customer/${wish.customer}`, code: wish.code })
  }
  if (together.length > 0) steps.push({ kind: 'time', at: sorted.at(-1)!.at }, { kind: 'arrive', news: together })
  // Long after, everything that waits has happened.
  steps.push({ kind: 'time', at: (sorted.at(-1)?.at ?? START) + random.whole(0, 120) * DAY_MS })
  return steps
}

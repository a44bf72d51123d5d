import { readFileSync } from 'node:fs'
import { closeShop, installShop } from '#app/db/shops.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { programDocument } from '#test/setup/factories.ts'
import { orderBody } from '#test/setup/orders.ts'

/**
 * Orders come in as they are placed, over the last days: the holds of all of them still run. Orders of last winter would be released
 * as soon as they are in, and every member be written a second time while the next figure is taken.
 */
const BEGINNING = Date.now() - 12 * 86_400_000
const APART_MS = 5_000
const ORDERS_AT_MOST = 200_000

/** When order number `order` was placed, epoch ms. */
export const placedAtOf = (order: number): number => BEGINNING + (order % ORDERS_AT_MOST) * APART_MS

/** Shops with a program of the usual kind: points per euro, a hold, expiry, three tiers. */
export async function openBenchShops(count: number, name: string): Promise<{ id: number; domain: string }[]> {
  const tiers = {
    metric: 'spend',
    window: { rollingDays: 365 },
    levels: [
      { id: 'member', name: 'Member', threshold: '0.00' },
      { id: 'silver', name: 'Silver', threshold: '200.00', multiplier: 1.25 },
      { id: 'gold', name: 'Gold', threshold: '500.00', multiplier: 1.5 },
    ],
  }
  const shops: { id: number; domain: string }[] = []
  for (let number = 1; number <= count; number += 1) {
    const domain = `${name}-${number}.myshopify.com`
    const details = { name: domain, currency: 'EUR', timezone: 'Europe/Berlin' }
    const shop = await installShop(domain, details, BEGINNING)
    await publishProgram(shop.id, programDocument({ tiers }), { effectiveAt: BEGINNING, at: BEGINNING })
    // There is no Shopify to write cards to here: for a shop that has taken the app off, orders are worked on all the same and nothing is sent.
    await closeShop(shop.id, BEGINNING)
    shops.push({ id: shop.id, domain })
  }
  return shops
}

/** An order as Shopify sends it, for what comes along with the fields that the app reads. */
const sample = JSON.parse(
  readFileSync(new URL('../../fixtures/payloads/orders-paid.json', import.meta.url), 'utf8'),
) as OrderBody
type OrderBody = { customer: object; line_items: { price_set: { shop_money: object } }[]; shipping_lines: object[] }

/**
 * The body of order number `order`, of one of `members` customers: what the toml's `include_fields` leave of an order of three lines,
 * each with all that Shopify says of a line, some 5 kB.
 */
export function benchOrder(order: number, members: number): string {
  const placedAt = new Date(placedAtOf(order)).toISOString()
  const customer = 8_000_000_000_000 + ((order * 7_919) % members)
  const body = orderBody({
    id: 6_000_000_000_000 + order,
    customer,
    goods: [`${5 + (order % 90)}.50`, '12.00', '3.25'],
    placedAt,
  })
  const read = JSON.parse(body) as OrderBody
  return JSON.stringify({
    ...read,
    customer: { ...sample.customer, ...read.customer },
    line_items: read.line_items.map((line) => ({
      ...sample.line_items[0],
      ...line,
      price_set: { ...line.price_set, presentment_money: line.price_set.shop_money },
    })),
    shipping_lines: sample.shipping_lines,
  })
}

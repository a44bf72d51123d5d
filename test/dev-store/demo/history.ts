/**
 * The gift shop's history as the demo shop plays it: what was bought and what was sent back, in order of time, moved so
 * that it ends yesterday. Pure apart from reading the files in `data/`.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'

const DAY_MS = 86_400_000

/** Lines that are a charge for carriage and not goods: they become the order's shipping. */
const CARRIAGE = new Set(['POST', 'C2'])
/** Book-keeping lines of the old till, neither goods nor carriage: left out. */
const NOT_GOODS = new Set(['M', 'BANK CHARGES', 'D', 'DOT'])

export type DemoProduct = { sku: string; title: string; pricePence: number }
export type DemoLine = { sku: string; quantity: number; unitPricePence: number }
export type DemoOrder = {
  kind: 'order'
  at: number
  number: string
  customerNumber: number
  lines: DemoLine[]
  shippingPence: number
}
/** Units sent back, each named by the order and the place of its line there. */
export type DemoRefund = {
  kind: 'refund'
  at: number
  number: string
  customerNumber: number
  orderNumber: string
  lines: { line: number; quantity: number }[]
}
export type DemoHistory = { products: DemoProduct[]; customers: number[]; events: (DemoOrder | DemoRefund)[] }

/**
 * The whole history, its instants (epoch ms) moved by whole days so that the last one lies on the UTC day before `now`.
 * A cancellation invoice becomes refunds of the newest earlier orders of that customer that still hold the goods; goods
 * bought before the log begins cannot be refunded in it and are left out.
 */
export function readDemoHistory(now: number): DemoHistory {
  const orders = readOrders()
  const events = [...orders, ...readRefunds(orders)].sort((a, b) => a.at - b.at || compareText(a.number, b.number))
  const last = events.at(-1)!.at
  const shift = (Math.floor(now / DAY_MS) - 1 - Math.floor(last / DAY_MS)) * DAY_MS
  return {
    products: readProducts(orders),
    customers: [...new Set(orders.map((order) => order.customerNumber))],
    events: events.map((event) => ({ ...event, at: event.at + shift })),
  }
}

type Row = Record<string, string>

function readTable(name: string): Row[] {
  const file = path.join(import.meta.dirname, 'data', `${name}.csv.gz`)
  return parse(gunzipSync(readFileSync(file)), { columns: true }) as Row[]
}

function readOrders(): DemoOrder[] {
  const orders = new Map<string, DemoOrder>()
  for (const row of readTable('sample-lines')) {
    const number = row.order_no!
    if (NOT_GOODS.has(row.sku!)) continue
    let order = orders.get(number)
    if (!order) {
      order = {
        kind: 'order',
        at: Date.parse(row.ordered_at!),
        number,
        customerNumber: Number(row.customer_id),
        lines: [],
        shippingPence: 0,
      }
      orders.set(number, order)
    }
    const line = { sku: row.sku!, quantity: Number(row.quantity), unitPricePence: Number(row.unit_price_pence) }
    if (CARRIAGE.has(line.sku)) order.shippingPence += line.quantity * line.unitPricePence
    else order.lines.push(line)
  }
  return [...orders.values()].filter((order) => order.lines.length > 0)
}

function readProducts(orders: DemoOrder[]): DemoProduct[] {
  const sold = new Set(orders.flatMap((order) => order.lines.map((line) => line.sku)))
  return readTable('sample-products')
    .filter((row) => sold.has(row.sku!))
    .map((row) => ({ sku: row.sku!, title: readableTitle(row.name!), pricePence: Number(row.price_pence) }))
}

function readRefunds(orders: DemoOrder[]): DemoRefund[] {
  const bought = groupByGoods(orders)
  const refunds = new Map<string, DemoRefund>()
  for (const row of readTable('sample-cancelled-lines')) {
    const at = Date.parse(row.cancelled_at!)
    const customerNumber = Number(row.customer_id)
    let left = -Number(row.quantity)
    for (const unit of (bought.get(`${customerNumber} ${row.sku}`) ?? []).toReversed()) {
      const quantity = Math.min(left, unit.left)
      if (quantity <= 0 || unit.order.at >= at) continue
      unit.left -= quantity
      left -= quantity
      const number = `${row.cancel_no}-${unit.order.number}`
      const refund = refunds.get(number) ?? {
        kind: 'refund' as const,
        at,
        number,
        customerNumber,
        orderNumber: unit.order.number,
        lines: [],
      }
      refund.lines.push({ line: unit.line, quantity })
      refunds.set(number, refund)
    }
  }
  return [...refunds.values()]
}

/** Each customer's purchases of one article in order of time, with how many of them have not been sent back. */
function groupByGoods(orders: DemoOrder[]): Map<string, { order: DemoOrder; line: number; left: number }[]> {
  const bought = new Map<string, { order: DemoOrder; line: number; left: number }[]>()
  for (const order of orders)
    for (const [line, { sku, quantity }] of order.lines.entries()) {
      const key = `${order.customerNumber} ${sku}`
      const units = bought.get(key) ?? []
      units.push({ order, line, left: quantity })
      bought.set(key, units)
    }
  return bought
}

/** `WHITE HANGING HEART T-LIGHT HOLDER` → `White hanging heart t-light holder`: the till wrote in capitals only. */
function readableTitle(name: string): string {
  const text = name.trim().replaceAll(/\s+/g, ' ').toLowerCase()
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

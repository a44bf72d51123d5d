// A shop's past as Shopify's bulk operation gives it: a file of JSON lines, each order followed by its lines, served over HTTP.
import { createReadStream, createWriteStream } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'

const BEGINNING = Date.parse('2023-01-01T00:00:00Z')
const YEARS_MS = 3 * 365 * 86_400_000
const LINES_AT_ONCE = 2_000

/** Writes the result of a bulk operation: `count` paid orders of `members` customers over three years, by time, two lines each. */
export async function writeHistory(file: string, count: number, members: number): Promise<void> {
  const stream = createWriteStream(file)
  for (let from = 0; from < count; from += LINES_AT_ONCE) {
    let text = ''
    for (let order = from; order < Math.min(count, from + LINES_AT_ONCE); order += 1)
      text += pastOrder(order, count, members)
    if (!stream.write(text)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
}

const money = (amount: string) => ({ shopMoney: { amount } })

function pastOrder(order: number, count: number, members: number): string {
  const id = `gid://shopify/Order/${7_000_000_000_000 + order}`
  const at = `${new Date(BEGINNING + Math.floor((order / count) * YEARS_MS)).toISOString().slice(0, 19)}Z`
  const line = (number: number, amount: string) => ({
    id: `gid://shopify/LineItem/${8_000_000_000_000 + 2 * order + number}`,
    quantity: 1,
    currentQuantity: 1,
    isGiftCard: false,
    product: { id: `gid://shopify/Product/${7_990_000_000_001 + number}` },
    sellingPlan: null,
    originalUnitPriceSet: money(amount),
    discountAllocations: [],
    taxLines: [],
    __parentId: id,
  })
  const node = {
    id,
    test: false,
    cancelledAt: null,
    processedAt: at,
    updatedAt: at,
    currencyCode: 'EUR',
    taxesIncluded: true,
    sourceName: 'web',
    displayFinancialStatus: 'PAID',
    discountCodes: [],
    customer: { id: `gid://shopify/Customer/${8_500_000_000_000 + ((order * 7_919) % members)}`, state: 'ENABLED' },
    purchasingEntity: null,
    refunds: [],
    transactions: [{ kind: 'SALE', status: 'SUCCESS', processedAt: at }],
  }
  return [node, line(0, `${5 + (order % 90)}.50`), line(1, '12.00')].map((row) => `${JSON.stringify(row)}\n`).join('')
}

/** Serves the file, as Shopify's storage does. */
export async function serveHistory(file: string): Promise<{ url: string; close: () => void }> {
  const server = http.createServer((_, response) => void createReadStream(file).pipe(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/history.jsonl`,
    close: () => server.close(),
  }
}

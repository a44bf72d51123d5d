/** Plays the gift shop's year into a dev store: the same verbs, webhooks and dates as if shoppers had done it all. */
import type { DevStore } from '../state.ts'
import type { Gid } from '../records.ts'
import { readDemoHistory, type DemoHistory, type DemoOrder, type DemoProduct, type DemoRefund } from './history.ts'
import { inventPerson } from './people.ts'

/** The demo shop's address. Everybody who looks at the demo sees this name in the browser. */
export const DEMO_SHOP = 'perennial-gifts.myshopify.com'

/** The address of the shop that `npm start -- --empty` opens. */
export const EMPTY_SHOP = 'perennial-new.myshopify.com'

/** How many products the empty shop sells. */
const SMALL_CATALOGUE = 24

/** How many webhooks may wait for the app before the next thing happens in the shop. */
const BACKLOG_LIMIT = 200

/** Sets up the shop and its catalogue at the moment before its first order. Repeating it changes nothing. */
export function openDemoShop(store: DevStore, now: number): void {
  if (store.shops().some((shop) => shop.domain === DEMO_SHOP)) return
  const history = readDemoHistory(now)
  store.setTime(history.events[0]!.at - 86_400_000)
  openShop(store, DEMO_SHOP, 'Perennial Gifts', history.products)
}

/** A shop on its first day, today: a small catalogue, nobody and nothing else. Repeating it changes nothing. */
export function openEmptyShop(store: DevStore, now: number): void {
  if (store.shops().some((shop) => shop.domain === EMPTY_SHOP)) return
  openShop(store, EMPTY_SHOP, 'A New Shop', readDemoHistory(now).products.slice(0, SMALL_CATALOGUE))
}

function openShop(store: DevStore, domain: string, name: string, goods: DemoProduct[]): void {
  store.addShop({
    domain,
    name,
    email: 'hello@example.com',
    currency: 'GBP',
    timezone: 'Europe/London',
    countryCode: 'GB',
    taxesIncluded: true,
    taxRateBasisPoints: 2000,
    taxTitle: 'VAT',
    shippingMinor: 395,
  })
  const products = goods.map((product) => addProduct(store, domain, product))
  for (const { title, words } of COLLECTIONS) {
    const productIds = products.filter((product) => words.test(product.title)).map((product) => product.id)
    if (productIds.length > 0) store.addCollection(domain, { title, productIds })
  }
}

const COLLECTIONS = [
  { title: 'Kitchen & baking', words: /cake|baking|kitchen|tea|mug|jar|spoon|recipe|lunch|plate|bowl/i },
  { title: 'Bags', words: /\bbag\b|shopper|purse/i },
  { title: 'Lights & candles', words: /light|candle|lantern/i },
  { title: 'Christmas', words: /christmas|xmas|advent|reindeer/i },
  { title: 'Children', words: /child|doll|toy|playhouse|spaceboy|circus|kids/i },
]

function addProduct(store: DevStore, domain: string, product: DemoProduct) {
  return store.addProduct(domain, {
    title: product.title,
    variants: [{ priceMinor: product.pricePence, sku: product.sku }],
    vendor: 'Perennial Gifts',
  })
}

/**
 * Plays what has not been played yet, in order of time, on a clock that moves with it; at the end the shop is back in
 * the present. How far it is follows from the orders and refunds in the store, so an interrupted first start goes on
 * where it stopped. Calls `onProgress` with the number of things done and their total. `asides` happen in between, each at
 * its instant and before anything later; what a first start was interrupted in is begun again.
 */
export async function playHistory(
  store: DevStore,
  now: number,
  onProgress: (done: number, total: number) => void,
  asides: readonly { at: number; act: () => Promise<void> }[] = [],
): Promise<void> {
  const history = readDemoHistory(now)
  const book = readBook(store)
  const waiting = [...asides].sort((a, b) => a.at - b.at)
  for (const [index, event] of history.events.entries()) {
    if (!book.isPlayed(event)) {
      for (; waiting[0] && waiting[0].at <= event.at; waiting.shift()) {
        store.setTime(waiting[0].at)
        await waiting[0].act()
      }
      store.setTime(event.at)
      if (event.kind === 'order') book.note(event, playOrder(store, book, event))
      else playRefund(store, book, event)
      while (store.webhookBacklog() > BACKLOG_LIMIT) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    onProgress(index + 1, history.events.length)
  }
  await store.drained()
  store.setTime(null)
}

/** True once every order of the history is in the store. */
export function isPlayed(store: DevStore, now: number): boolean {
  if (!store.shops().some((shop) => shop.domain === DEMO_SHOP)) return false
  const history = readDemoHistory(now)
  const book = readBook(store)
  return history.events.every((event) => book.isPlayed(event))
}

/** What the store already holds of the history, found by the numbers of the data set in each order's and refund's note. */
function readBook(store: DevStore) {
  const orders = new Map<string, Gid>()
  const refunds = new Set<string>()
  const customers = new Map<string, Gid>()
  const variants = new Map<string, Gid>()
  for (const order of store.orders(DEMO_SHOP)) {
    if (order.note) orders.set(order.note, order.id)
    for (const refund of order.refunds) if (refund.note) refunds.add(refund.note)
  }
  for (const customer of store.customers(DEMO_SHOP)) if (customer.email) customers.set(customer.email, customer.id)
  for (const product of store.products(DEMO_SHOP))
    for (const variant of product.variants) if (variant.sku) variants.set(variant.sku, variant.id)
  return {
    isPlayed: (event: DemoHistory['events'][number]) =>
      event.kind === 'order' ? orders.has(noteOf(event)) : refunds.has(noteOf(event)),
    note: (event: DemoOrder, id: Gid) => orders.set(noteOf(event), id),
    order: (number: string) => orders.get(`Demo ${number}`)!,
    variant: (sku: string) => variants.get(sku)!,
    customer(number: number): Gid {
      const person = inventPerson(number)
      let id = customers.get(person.email)
      if (!id) {
        id = store.createCustomer(DEMO_SHOP, {
          email: person.email,
          firstName: person.firstName,
          lastName: person.lastName,
          state: 'enabled',
          addresses: [person.address],
        }).id
        customers.set(person.email, id)
      }
      return id
    },
  }
}

type Book = ReturnType<typeof readBook>

function noteOf(event: { number: string }): string {
  return `Demo ${event.number}`
}

function playOrder(store: DevStore, book: Book, order: DemoOrder): Gid {
  const placed = store.placeOrder(DEMO_SHOP, {
    customerId: book.customer(order.customerNumber),
    note: noteOf(order),
    lines: order.lines.map((line) => ({
      variantId: book.variant(line.sku),
      quantity: line.quantity,
      unitPriceMinor: line.unitPricePence,
    })),
    shipping: { title: order.shippingPence > 0 ? 'Carriage' : 'Free delivery', priceMinor: order.shippingPence },
  })
  if (!placed.ok) throw new Error(`Demo order ${order.number} was refused: ${placed.detail}`)
  return placed.order.id
}

function playRefund(store: DevStore, book: Book, refund: DemoRefund): void {
  const order = store.order(DEMO_SHOP, book.order(refund.orderNumber))!
  store.refund(DEMO_SHOP, order.id, {
    lines: refund.lines.map(({ line, quantity }) => ({ lineId: order.lines[line]!.id, quantity })),
    note: noteOf(refund),
  })
}

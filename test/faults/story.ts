// What happens in a shop, and how the news of it travel: late, twice, out of order, or not at all. The dev store is the truth; its
// webhooks are the news.
import type { DevStore } from '#test/dev-store/state.ts'
import type { Delivery, Gid, Order } from '#test/dev-store/records.ts'
import type { NewMessage } from '#app/db/inbox.server.ts'
import type { Random } from './random.ts'
import { installApp } from './shopify.ts'

/** A message on its way. */
export type Letter = { arrivesAt: number; message: Omit<NewMessage, 'shopId'> }

/** A code that a shopper holds and may pay with. */
export type Purse = { customer: string; code: string; amount: boolean; id: string }[]

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Shopify asks for the erasure of a shop's data so long after the app was taken off. */
const UNTIL_ERASURE_MS = 48 * HOUR_MS
/** What tells that the shop has gone, and what for its data. Shopify tries for hours, and nothing else would ever tell. */
const ABOUT_THE_SHOP: readonly string[] = ['app/uninstalled', 'shop/redact']

/** A shop in which things happen as the seed has it. */
export class Story {
  readonly customers: Gid[]
  /** Codes that shoppers were given. */
  readonly purse: Purse = []
  readonly #random: Random
  readonly #store: DevStore
  readonly #domain: string
  readonly #letters: Letter[] = []
  #heardUntil = 0
  #made = 0
  #leftAt: number | null = null
  #isErasureAsked = false

  constructor(random: Random, store: DevStore, domain: string) {
    this.#random = random
    this.#store = store
    this.#domain = domain
    this.customers = Array.from({ length: random.whole(2, 5) }, () => this.#makeCustomer('enabled'))
  }

  /** One thing happens. */
  happen(): void {
    const random = this.#random
    const order = this.#someOrder()
    const dice = random.next()
    if (!order || dice < 0.46) this.#order()
    else if (dice < 0.48) this.customers.push(this.#makeCustomer(random.pick(['enabled', 'disabled'])))
    else if (dice < 0.5) this.#changeAccount()
    else if (dice < 0.7) this.#refund(order)
    else if (dice < 0.78 && order.cancelledAt === null) this.#store.cancelOrder(this.#domain, order.id)
    else if (dice < 0.86 && order.financialStatus === 'pending') this.#store.markPaid(this.#domain, order.id)
    else if (dice < 0.92 && (order.customerId === null || random.happens(0.3))) this.#attach(order)
    else if (dice < 0.94) this.#edit(order)
    else if (dice < 0.95) this.#store.requestData(this.#domain, random.pick(this.customers))
    else if (dice < 0.98) this.#merge()
    else this.#redact()
  }

  /** Nobody is told of what has happened so far: the app was not there. */
  keepToItself(): void {
    this.#heardUntil = Math.max(...this.#store.deliveries(this.#domain).map(({ sequence }) => sequence))
  }

  /** Whether the app is off the shop: nothing is told then. */
  get isAway(): boolean {
    return this.#leftAt !== null
  }

  /** The merchant takes the app off: its tokens are worth nothing any more, and what it wrote goes. */
  leave(at: number): void {
    this.#store.uninstall(this.#domain)
    this.#leftAt = at
    this.#isErasureAsked = false
  }

  /** The merchant puts the app on again. */
  comeBack(): void {
    installApp(this.#store, this.#domain)
    this.#leftAt = null
  }

  /** When Shopify will ask for the erasure of the shop's data, null when it need not. */
  get erasureDueAt(): number | null {
    return this.#leftAt === null || this.#isErasureAsked ? null : this.#leftAt + UNTIL_ERASURE_MS
  }

  /** Shopify asks for the erasure of the shop's data, if it is time. */
  askForErasure(at: number): void {
    if (this.erasureDueAt === null || this.erasureDueAt > at) return
    this.#store.redactShop(this.#domain)
    this.#isErasureAsked = true
  }

  /** News that arrive by the instant, in a random order. Those that fail to arrive are handed back by `again`. */
  arrivals(at: number): Letter[] {
    this.#post()
    const due = this.#letters.filter(({ arrivesAt }) => arrivesAt <= at)
    for (const letter of due) this.#letters.splice(this.#letters.indexOf(letter), 1)
    return shuffled(this.#random, due)
  }

  /** Whether anything is on its way that arrives by then. */
  isWaiting(at: number): boolean {
    return this.#letters.some(({ arrivesAt }) => arrivesAt <= at)
  }

  /** Shopify tries again later what nobody answered. */
  again(letters: readonly Letter[], at: number): void {
    this.#letters.push(...letters.map((letter) => ({ ...letter, arrivesAt: at + HOUR_MS })))
  }

  #makeCustomer(state: 'enabled' | 'disabled'): Gid {
    this.#made += 1
    const customer = this.#store.createCustomer(this.#domain, { email: `shopper-${this.#made}@example.com` })
    if (state === 'enabled') this.#store.updateCustomer(this.#domain, customer.id, { state })
    return customer.id
  }

  #changeAccount(): void {
    const customer = this.#store.customer(this.#domain, this.#random.pick(this.customers))!
    const state = customer.state === 'enabled' ? 'disabled' : 'enabled'
    this.#store.updateCustomer(this.#domain, customer.id, { state })
  }

  #someOrder(): Order | undefined {
    const orders = this.#store.orders(this.#domain)
    return orders.length > 0 ? this.#random.pick(orders) : undefined
  }

  #order(): void {
    const random = this.#random
    const customer = random.happens(0.1) ? null : random.pick(this.customers)
    const prices = Array.from({ length: random.whole(1, 3) }, () => random.whole(100, 8_000))
    const held = this.purse.find((each) => each.customer === customer && this.#isGood(each.code))
    const paysWith = held && random.happens(0.6) ? held : undefined
    const discount = paysWith && this.#store.checkCode(this.#domain, paysWith.code, customer)
    this.#store.placeOrder(this.#domain, {
      customerId: customer,
      lines: prices.map((unitPriceMinor, at) => ({
        title: `Thing ${at}`,
        unitPriceMinor,
        quantity: random.whole(1, 2),
        taxable: false,
        allocations:
          paysWith && at === 0 && paysWith.amount
            ? [{ applicationIndex: 0, amountMinor: Math.min(500, unitPriceMinor) }]
            : [],
      })),
      discountApplications:
        paysWith && discount?.ok
          ? [
              {
                type: 'discount_code',
                title: paysWith.code,
                code: paysWith.code,
                value: '5.0',
                valueType: 'fixed_amount',
                allocationMethod: 'across',
                targetType: paysWith.amount ? 'line_item' : 'shipping_line',
                targetSelection: 'all',
                discountId: discount.discount.id,
              },
            ]
          : [],
      payment: { status: random.happens(0.2) ? 'pending' : 'paid' },
    })
  }

  #isGood(code: string): boolean {
    return this.#store.checkCode(this.#domain, code, null).ok
  }

  #refund(order: Order): void {
    if (order.financialStatus === 'pending' || order.cancelledAt !== null) return
    const line = order.lines.find(({ currentQuantity }) => currentQuantity > 0)
    if (line && this.#random.happens(0.8)) {
      this.#store.refund(this.#domain, order.id, {
        lines: [{ lineId: line.id, quantity: this.#random.whole(1, line.currentQuantity) }],
      })
    } else this.#store.refund(this.#domain, order.id, { amountMinor: this.#random.whole(1, 300) })
  }

  /** A guest says who they are, or staff give the order to somebody else, or to nobody. */
  #attach(order: Order): void {
    const isTaken = order.customerId !== null && this.#random.happens(0.3)
    this.#store.attachCustomer(this.#domain, order.id, isTaken ? null : this.#random.pick(this.customers))
  }

  #edit(order: Order): void {
    if (order.financialStatus !== 'paid' || order.cancelledAt !== null) return
    const line = order.lines.find(({ currentQuantity }) => currentQuantity > 0)
    if (!line) return
    this.#store.editOrder(this.#domain, order.id, [{ lineId: line.id, quantity: line.currentQuantity + 1 }])
    if (this.#random.happens(0.7)) this.#store.markPaid(this.#domain, order.id)
  }

  #merge(): void {
    const [kept, gone] = shuffled(this.#random, this.customers)
    if (!kept || !gone) return
    // Shopify refuses where one of them has money of the shop's.
    if (!this.#store.mergeCustomers(this.#domain, kept, gone).ok) return
    this.customers.splice(this.customers.indexOf(gone), 1)
    for (const each of this.purse) if (each.customer === gone) each.customer = kept
  }

  #redact(): void {
    if (this.customers.length < 2) return
    const gone = this.customers.pop()!
    this.#store.redact(this.#domain, gone)
    for (const each of this.purse) if (each.customer === gone) each.customer = ''
  }

  /** What Shopify has to tell is put on its way: most soon, some days late, some twice, some never (reconciliation heals that). */
  #post(): void {
    const random = this.#random
    const news = this.#store.deliveries(this.#domain).filter(({ sequence }) => sequence > this.#heardUntil)
    for (const delivery of news.sort((one, other) => one.sequence - other.sequence)) {
      this.#heardUntil = delivery.sequence
      const isRare = /^customers\/(merge|redact)/.test(delivery.topic)
      const isLost = !ABOUT_THE_SHOP.includes(delivery.topic) && random.happens(isRare ? 0.4 : 0.08)
      // Nothing tells of an erasure but its webhook; the merchant may ask for it once more.
      const isAskedAgain = isLost && delivery.topic === 'customers/redact' && random.happens(0.5)
      if (isAskedAgain) this.#askAgain(delivery)
      if (isLost) continue
      const late = random.happens(0.2) ? random.whole(1, 12 * 24) * HOUR_MS : random.whole(0, 60) * 1_000
      let arrivesAt = delivery.triggeredAt + late
      this.#letters.push({ arrivesAt, message: toMessage(delivery) })
      while (random.happens(0.2)) {
        arrivesAt += random.whole(0, 5) * DAY_MS
        this.#letters.push({ arrivesAt, message: toMessage(delivery) })
      }
    }
  }

  #askAgain(delivery: Delivery): void {
    const triggeredAt = delivery.triggeredAt + this.#random.whole(1, 20) * DAY_MS
    const message = { ...toMessage(delivery), eventId: `${delivery.eventId}-again`, triggeredAt }
    this.#letters.push({ arrivesAt: triggeredAt, message })
  }
}

/** As the door reads it. */
function toMessage({ topic, eventId, id, triggeredAt, body }: Delivery): Letter['message'] {
  return { topic, eventId, webhookId: id, triggeredAt, payload: body }
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item)
}

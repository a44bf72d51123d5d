/** A shop in memory for tests of the engine: a program, what has happened, and short ways to say what happens. */
import {
  advance,
  handle,
  nextDueAt,
  type Changes,
  type Event,
  type Fact,
  type Member,
  type Programs,
  type World,
} from '#app/loyalty/engine.ts'
import type { Effect } from '#app/loyalty/engine.ts'
import type { Transfer } from '#app/loyalty/ledger.ts'
import { parseMoney } from '#app/loyalty/money.ts'
import type { Order, OrderLine, OrderRecord, Refund } from '#app/loyalty/order.ts'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import type { Program } from '#app/loyalty/program.ts'
import { normalizeCode, type Redemption } from '#app/loyalty/rewards.ts'
import { parseInstant } from '#app/loyalty/time.ts'

export const ANN = 'gid://shopify/Customer/1'
export const BEN = 'gid://shopify/Customer/2'
export const DAY = 86_400_000

/** Epoch milliseconds of "2026-08-01" (00:00 UTC), "2026-08-01T12:00" (UTC) or a whole instant. */
export function at(text: string): number {
  const whole = text.length === 10 ? `${text}T00:00:00Z` : text.length === 16 ? `${text}:00Z` : text
  const instant = parseInstant(whole)
  if (instant === null) throw new Error(`"${text}" is no instant`)
  return instant
}

/** A program: 1 point per 1.00, no hold, no expiry, UTC, USD, and what differs. */
export function makeProgram(differences: Record<string, unknown> = {}): Program {
  const parsed = parseProgram({
    version: 1,
    name: 'Test',
    pointsName: { one: 'point', other: 'points' },
    currency: 'USD',
    timezone: 'UTC',
    hold: { days: 0 },
    expiry: { model: 'none' },
    earning: [{ id: 'purchase', on: 'order', points: 1, per: '1.00' }],
    ...differences,
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.program
}

/** The program, in force for ever. */
export function onlyProgram(differences: Record<string, unknown> = {}): Programs {
  return {
    versions: [{ number: 1, from: 0, program: makeProgram(differences) }],
    historyEarns: true,
    confirmCodes: false,
  }
}

/** A line of the given price in USD; one unit of product 1. */
export function makeLine(price: string, differences: Partial<OrderLine> = {}): OrderLine {
  const quantity = differences.quantity ?? 1
  return {
    id: 'gid://shopify/LineItem/1',
    product: 'gid://shopify/Product/1',
    quantity,
    currentQuantity: quantity,
    priceMinor: parseMoney(price, 'USD') as number,
    discountMinor: 0,
    taxMinor: 0,
    giftCard: false,
    subscription: false,
    collections: [],
    tags: [],
    compareAtMinor: null,
    ...differences,
  }
}

/** A paid order of Ann's: one line of 100.00, placed on 1 August 2026 at noon UTC. */
export function makeOrder(differences: Partial<Order> = {}): Order {
  const processedAt = differences.processedAt ?? at('2026-08-01T12:00')
  return {
    id: 'gid://shopify/Order/1',
    customer: ANN,
    customerState: 'enabled',
    company: false,
    sourceName: 'web',
    test: false,
    cancelledAt: null,
    financialStatus: 'paid',
    processedAt,
    updatedAt: differences.updatedAt ?? processedAt,
    currency: 'USD',
    taxesIncluded: false,
    lines: [makeLine('100.00')],
    shippingMinor: 0,
    shippingTaxMinor: 0,
    refunds: [],
    discountCodes: [],
    ...differences,
  }
}

export function makeRefund(differences: Partial<Refund> = {}): Refund {
  return { id: 'gid://shopify/Refund/1', lines: [], givenBackMinor: 0, shippingMinor: 0, ...differences }
}

/** An order of Ann's for so much money, placed and paid at an instant. */
export function orderOf(number: number, price: string, placed: string, differences: Partial<Order> = {}): Order {
  return makeOrder({
    id: `gid://shopify/Order/${number}`,
    processedAt: at(placed),
    lines: [makeLine(price)],
    ...differences,
  })
}

/** The same order later, with so many units of its first line left. */
export function refundTo(order: Order, units: number, updated: string, differences: Partial<Order> = {}): Order {
  const [line, ...others] = order.lines as [OrderLine, ...OrderLine[]]
  return {
    ...order,
    updatedAt: at(updated),
    financialStatus:
      units === 0 && others.every((other) => other.currentQuantity === 0) ? 'refunded' : 'partially_refunded',
    lines: [{ ...line, currentQuantity: units }, ...others],
    ...differences,
  }
}

export class Shop implements World {
  readonly programs: Programs
  readonly members = new Map<string, Member>()
  readonly orders = new Map<string, OrderRecord>()
  readonly redemptions = new Map<string, Redemption>()
  readonly facts = new Map<string, Fact>()
  readonly transfers: Transfer[] = []
  readonly effects: Effect[] = []
  readonly #aliases = new Map<string, string>()
  readonly #codes = new Map<string, string>()

  constructor(programs: Programs) {
    this.programs = programs
  }

  member(id: string): Member | undefined {
    return this.members.get(this.#aliases.get(id) ?? id)
  }
  order(id: string): OrderRecord | undefined {
    return this.orders.get(id)
  }
  redemption(id: string): Redemption | undefined {
    return this.redemptions.get(id)
  }
  redemptionByCode(code: string): Redemption | undefined {
    return this.redemptions.get(this.#codes.get(normalizeCode(code)) ?? '')
  }
  fact(key: string): Fact | undefined {
    return this.facts.get(key)
  }

  /** The member, who must exist. */
  get(id: string): Member {
    const member = this.member(id)
    if (!member) throw new Error(`there is no ${id}`)
    return member
  }

  /** Lets something happen, and first what is due of everybody by then. */
  happen(event: Event): Changes {
    this.pass(event.at)
    return this.tell(event)
  }

  /** Hands an event to the engine without letting time pass for the others. */
  tell(event: Event): Changes {
    const changes = handle(this, event, this.programs)
    this.#keep(changes)
    return changes
  }

  /** Lets time pass, up to and including an instant. */
  pass(now: number): void {
    for (;;) {
      let next: { member: Member; dueAt: number } | null = null
      for (const member of this.members.values()) {
        const dueAt = nextDueAt(member, this.programs)
        if (dueAt !== null && dueAt <= now && (next === null || dueAt < next.dueAt)) next = { member, dueAt }
      }
      if (next === null) return
      const { member, ...changes } = advance(next.member, this.programs, next.dueAt)
      this.#keep({ ...changes, members: [member] })
    }
  }

  /** An order's snapshot, heard at `triggered` (a second after its update by default). */
  hear(order: Order, triggered?: string): Changes {
    return this.happen({ type: 'order', at: triggered ? at(triggered) : order.updatedAt + 1000, order })
  }

  redeem(reward: string, code: string, when: string, points?: number, customer = ANN): Changes {
    return this.happen({ type: 'redeem', at: at(when), customer, reward, code, points })
  }

  adjust(points: number, key: string, when: string, customer = ANN): Changes {
    return this.happen({ type: 'adjust', at: at(when), customer, points, reason: 'a test', actor: 'test', key })
  }

  custom(name: string, key: string, when: string, order: string | null = null, customer = ANN): Changes {
    return this.happen({ type: 'event', at: at(when), customer, name, key, order })
  }

  #keep(changes: Changes): void {
    for (const member of changes.members) {
      for (const alias of member.aliases) {
        this.#aliases.set(alias, member.id)
        this.members.delete(alias)
      }
      this.members.set(member.id, member)
    }
    for (const order of changes.orders) this.orders.set(order.id, order)
    for (const redemption of changes.redemptions) {
      this.redemptions.set(redemption.id, redemption)
      if (redemption.code !== null) this.#codes.set(normalizeCode(redemption.code), redemption.id)
    }
    for (const fact of changes.facts) this.facts.set(fact.key, fact)
    this.transfers.push(...changes.transfers)
    this.effects.push(...changes.effects)
  }

  /** Throws where the books do not balance: accounts, lots, reserved points, keys. */
  audit(): void {
    const balances = new Map<string, number>()
    const keys = new Set<string>()
    for (const { key, from, to, amount } of this.transfers) {
      if (keys.has(key)) throw new Error(`the key ${key} was used twice`)
      keys.add(key)
      if (!(amount > 0)) throw new Error(`${key} moves ${amount}`)
      balances.set(from, (balances.get(from) ?? 0) - amount)
      balances.set(to, (balances.get(to) ?? 0) + amount)
    }
    const sum = [...balances.values()].reduce((all, balance) => all + balance, 0)
    if (sum !== 0) throw new Error(`the accounts add up to ${sum}`)
    for (const member of this.members.values()) this.#auditMember(member, balances)
    for (const [account, balance] of balances) {
      const [, id] = /^member:(.*)\.\w+$/.exec(account) ?? []
      if (id && !this.members.has(id) && balance !== 0) throw new Error(`${account} holds ${balance} of nobody`)
    }
  }

  #auditMember(member: Member, balances: Map<string, number>): void {
    const sum = (list: readonly number[]) => list.reduce((all, value) => all + value, 0)
    const expected = {
      available: sum(member.lots.map((lot) => lot.available)) - member.deficit,
      pending: sum(member.lots.map((lot) => lot.pending)),
      reserved: sum(member.redemptions.filter(({ state }) => state === 'reserved').map(({ points }) => points)),
    }
    for (const balance of ['available', 'pending', 'reserved'] as const) {
      const posted = balances.get(`member:${member.id}.${balance}`) ?? 0
      if (member[balance] !== posted || member[balance] !== expected[balance]) {
        throw new Error(
          `${member.id} has ${member[balance]} ${balance}; transfers say ${posted}, lots say ${expected[balance]}`,
        )
      }
    }
    if (member.deficit < 0) throw new Error(`a deficit of ${member.deficit}`)
    if (member.deficit > 0 && member.lots.some((lot) => lot.available > 0)) throw new Error('points beside a deficit')
    if (member.lots.some((lot) => lot.available < 0 || lot.pending < 0)) throw new Error('a lot below zero')
  }
}

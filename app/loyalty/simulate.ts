/**
 * The *simulator* plays a log of events over a program, offline: what every member, order and code would be, by the same engine as the app. What it keeps
 * grows with members, orders and codes; events pass through and transfers are handed out as they happen.
 */
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
} from './engine.ts'
import { isEnrolled } from './events.ts'
import { versionAt, type Transfer } from './ledger.ts'
import { findLotEnd } from './lots.ts'
import { requireSafe, TooLargeToCount } from './money.ts'
import type { Order, OrderLine, OrderRecord, Reason } from './order.ts'
import type { Program } from './program.ts'
import { normalizeCode, type Redemption } from './rewards.ts'
import { findNextTier, type NextTier } from './tiers.ts'
import { formatInstant } from './time.ts'

/** An event and the line of the log (from 1) that says so; null for news that nothing happened. Must come in the order of time. */
export type SimulatedEvent = { readonly line: number; readonly event: Event | null }

/** What a simulation can be told beside its events. */
export type SimulateOptions = {
  /** The instant at which the simulation ends, included; by default that of the last event. */
  readonly until?: number | undefined
  /** Gets every transfer, in the order of time of events. Nothing keeps them. */
  readonly onTransfer?: (transfer: SimulatedTransfer) => void
  /** Called after each event that was applied or refused. */
  readonly onEvent?: (event: SimulatedEvent) => void
}

/** A transfer as the simulator prints it: points, and the instant in ISO 8601. */
export type SimulatedTransfer = {
  key: string
  from: string
  to: string
  amount: number
  eventAt: string
  reason: string
}

/** A member at the end of the simulation, in points. */
export type SimulatedMember = {
  available: number
  pending: number
  reserved: number
  lifetimeEarned: number
  tier: string | null
  nextTier: NextTier | null
  nextExpiry: { points: number; at: string } | null
}

/** Sums over all transfers, in points. */
export type Totals = {
  issued: number
  redeemed: number
  expired: number
  takenBack: number
  writtenOff: number
  forfeited: number
  adjusted: number
  outstanding: number
}

/** What `npm run simulate` prints (test/fixtures/contracts/simulation.example.json), without `transfers`, which were streamed. */
export type Simulation = {
  members: Record<string, SimulatedMember>
  orders: Record<string, { customer: string | null; points: number; reasons: readonly Reason[] }>
  redemptions: Record<
    string,
    { customer: string; reward: string; points: number; value: string | null; state: 'issued' | 'used' | 'returned' }
  >
  totals: Totals
  rejected: { line: number; reason: string }[]
}

/** A simulation with the engine's own records beside it, for reports that need more than the contract shows. */
export type SimulationRecords = {
  simulation: Simulation
  members: ReadonlyMap<string, Member>
  orders: {
    readonly size: number
    get(id: string): OrderRecord | undefined
    values(): Iterable<Omit<OrderRecord, 'snapshot'>>
  }
  redemptions: ReadonlyMap<string, Redemption>
}

/** A single program that was always in force, as the simulator uses it. */
export function always(program: Program): Programs {
  return { versions: [{ number: 1, from: 0, program }], historyEarns: true, confirmCodes: false }
}

/**
 * Plays events over a program and answers what the contract's output has, transfers aside. Scheduled things happen at their instant as event time passes,
 * before an event of the same instant, and up to `until`; events after it are not applied.
 */
export function simulate(
  program: Program,
  events: Iterable<SimulatedEvent>,
  options: SimulateOptions = {},
): Simulation {
  return simulateRecords(program, events, options).simulation
}

/** {@link simulate}, with the records. Throws {@link UncountableEvent}. */
export function simulateRecords(
  program: Program,
  events: Iterable<SimulatedEvent>,
  options: SimulateOptions = {},
): SimulationRecords {
  const simulator = new Simulator(always(program), options)
  let lastAt = -Infinity
  for (const entry of events) {
    const { event } = entry
    if (event === null) continue
    if (options.until !== undefined && event.at > options.until) break
    if (event.at < lastAt) throw new Error(`line ${entry.line} is older than the event before it`)
    lastAt = event.at
    simulator.advanceTo(event.at)
    try {
      simulator.apply(event, entry.line)
    } catch (error) {
      throw error instanceof TooLargeToCount ? new UncountableEvent(entry.line, error) : error
    }
    options.onEvent?.(entry)
  }
  const until = options.until ?? lastAt
  if (until > -Infinity) simulator.advanceTo(until)
  return simulator.finish(until)
}

/** What an event comes to is past what can be counted exactly. */
export class UncountableEvent extends Error {
  /** Of the log, from 1. */
  readonly line: number

  constructor(line: number, { message }: TooLargeToCount) {
    super(message)
    this.line = line
  }
}

class Simulator implements World {
  private readonly programs: Programs
  private readonly options: SimulateOptions
  private readonly members = new Map<string, Member>()
  private readonly aliases = new Map<string, string>()
  private readonly orders = new PackedOrders()
  private readonly redemptions = new Map<string, Redemption>()
  private readonly codes = new Map<string, string>()
  private readonly facts = new Map<string, Fact>()
  /** Orders of which no snapshot was heard yet. */
  private readonly unseen = new Set<string>()
  private readonly timetable = new Timetable()
  /** When each member is due next. */
  private readonly dueAts = new Map<string, number>()
  private readonly rejected: { line: number; reason: string }[] = []
  private readonly totals: Totals = {
    issued: 0,
    redeemed: 0,
    expired: 0,
    takenBack: 0,
    writtenOff: 0,
    forfeited: 0,
    adjusted: 0,
    outstanding: 0,
  }

  constructor(programs: Programs, options: SimulateOptions) {
    this.programs = programs
    this.options = options
  }

  member(id: string): Member | undefined {
    return this.members.get(this.aliases.get(id) ?? id)
  }

  order(id: string): OrderRecord | undefined {
    return this.orders.get(id)
  }

  redemption(id: string): Redemption | undefined {
    return this.redemptions.get(id)
  }

  redemptionByCode(code: string): Redemption | undefined {
    const id = this.codes.get(normalizeCode(code))
    return id === undefined ? undefined : this.redemptions.get(id)
  }

  fact(key: string): Fact | undefined {
    return this.facts.get(key)
  }

  dueAt(member: Member): number {
    return this.dueAts.get(member.id) ?? Infinity
  }

  /** Lets happen what is due of all members up to and including an instant, in the order of time. */
  advanceTo(at: number): void {
    for (let due = this.timetable.take(at); due !== null; due = this.timetable.take(at)) {
      const member = this.members.get(due.member)
      if (!member) continue
      // An entry outlives what it was written for; whatever the member has now has an entry of its own.
      if (this.dueAts.get(member.id) !== due.at) continue
      const { member: moved, redemptions, transfers } = advance(member, this.programs, due.at)
      this.keep({ members: [moved], orders: [], redemptions, facts: [], transfers })
    }
  }

  apply(event: Event, line: number): void {
    if (event.type === 'order') this.unseen.delete(event.order.id)
    else if ((event.type === 'refund' || event.type === 'order-deleted') && !this.orders.has(event.order)) {
      this.unseen.add(event.order)
    }
    const changes = handle(this, event, this.programs)
    if (changes.refused !== null) this.rejected.push({ line, reason: changes.refused })
    this.keep(changes)
  }

  finish(until: number): SimulationRecords {
    const simulation: Simulation = {
      members: this.describeMembers(until),
      orders: this.describeOrders(),
      redemptions: this.describeRedemptions(),
      totals: this.totals,
      rejected: this.rejected.sort((a, b) => a.line - b.line),
    }
    const { totals } = this
    const { issued, redeemed, expired, takenBack, forfeited, adjusted } = totals
    totals.outstanding = issued - redeemed - expired - takenBack - forfeited + adjusted
    let held = 0
    for (const member of this.members.values()) held += member.available + member.pending + member.reserved
    if (held !== totals.outstanding) {
      throw new Error(`members hold ${held} points, the ledger says ${totals.outstanding}`)
    }
    return { simulation, members: this.members, orders: this.orders, redemptions: this.redemptions }
  }

  private keep(changes: Pick<Changes, 'members' | 'orders' | 'redemptions' | 'facts' | 'transfers'>): void {
    for (const member of changes.members) {
      for (const alias of member.aliases) {
        if (this.aliases.get(alias) === member.id) continue
        this.aliases.set(alias, member.id)
        this.members.delete(alias)
        this.dueAts.delete(alias)
      }
      this.members.set(member.id, member)
      const dueAt = nextDueAt(member, this.programs)
      const known = this.dueAts.get(member.id)
      if (dueAt === null) this.dueAts.delete(member.id)
      else if (dueAt !== known) {
        this.dueAts.set(member.id, dueAt)
        this.timetable.add(dueAt, member.id)
      }
    }
    for (const order of changes.orders) this.orders.set(order)
    for (const redemption of changes.redemptions) {
      this.redemptions.set(redemption.id, redemption)
      if (redemption.code !== null) this.codes.set(normalizeCode(redemption.code), redemption.id)
    }
    for (const fact of changes.facts) this.facts.set(fact.key, fact)
    for (const transfer of changes.transfers) this.count(transfer)
  }

  private count(transfer: Transfer): void {
    countTransfer(this.totals, transfer)
    const { key, from, to, amount, eventAt, reason } = transfer
    this.options.onTransfer?.({ key, from, to, amount, eventAt: formatInstant(eventAt), reason })
  }

  private describeMembers(until: number): Simulation['members'] {
    const described: Simulation['members'] = {}
    const { program } = versionAt(this.programs, until)
    for (const member of this.members.values()) {
      const points = member.available !== 0 || member.pending !== 0 || member.lifetimeEarned !== 0
      if (!points && member.erasedAt === null && !isEnrolled(member, program)) continue
      described[member.id] = describeMember(member, this.programs, until)
    }
    return described
  }

  private describeOrders(): Simulation['orders'] {
    const described: Simulation['orders'] = {}
    for (const order of this.orders.values()) {
      if (this.unseen.has(order.id)) continue
      const customer = order.customer === null ? null : (this.aliases.get(order.customer) ?? order.customer)
      described[order.id] = { customer, points: order.worth?.points ?? 0, reasons: order.worth?.reasons ?? [] }
    }
    return described
  }

  private describeRedemptions(): Simulation['redemptions'] {
    const described: Simulation['redemptions'] = {}
    for (const { code, member, reward, points, value, state } of this.redemptions.values()) {
      if (code === null) continue
      const customer = this.aliases.get(member) ?? member
      described[code] = { customer, reward, points, value, state: state as 'issued' | 'used' | 'returned' }
    }
    return described
  }
}

/** What the output says of one member at an instant. */
export function describeMember(member: Member, programs: Programs, now: number): SimulatedMember {
  const { program } = versionAt(programs, now)
  return {
    available: member.available,
    pending: member.pending,
    reserved: member.reserved,
    lifetimeEarned: member.lifetimeEarned,
    tier: member.tier.level,
    nextTier: findNextTier(member, program, now),
    nextExpiry: findNextExpiry(member, programs, now),
  }
}

/** All available points that go at the next instant at which any do; null where none will. */
export function findNextExpiry(member: Member, programs: Programs, now: number): { points: number; at: string } | null {
  let at = Infinity
  let points = 0
  for (const lot of member.lots) {
    if (lot.available === 0) continue
    const end = findLotEnd(member, lot, programs, now)
    if (end < at) [at, points] = [end, 0]
    if (end === at) points += lot.available
  }
  return at === Infinity ? null : { points, at: formatInstant(at) }
}

/** Adds one transfer to the totals. `outstanding` is the caller's. */
export function countTransfer(totals: Totals, { from, to, amount }: Pick<Transfer, 'from' | 'to' | 'amount'>): void {
  const fromMember = from.startsWith('member:')
  const toMember = to.startsWith('member:')
  if (fromMember && toMember) return
  if (from === 'shop.written_off') totals.writtenOff += amount
  else if (to === 'shop.written_off') totals.writtenOff -= amount
  else {
    const total = TOTALS[fromMember ? to : from]
    if (total === undefined) throw new Error(`no total for a transfer from ${from} to ${to}`)
    const adds = toMember === (total === 'issued' || total === 'adjusted')
    totals[total] = requireSafe(totals[total] + (adds ? amount : -amount))
  }
}

const TOTALS: Record<string, keyof Totals> = {
  'shop.issued': 'issued',
  'shop.redeemed': 'redeemed',
  'shop.taken_back': 'takenBack',
  'shop.expired': 'expired',
  'shop.forfeited': 'forfeited',
  'shop.adjusted': 'adjusted',
}

/**
 * Order records, each as one compact text: they are kept for the whole run, and hardly any is looked at again. Field names are left out, so an
 * order of three lines takes some 700 bytes.
 */
class PackedOrders {
  private readonly texts = new Map<string, string>()
  private readonly shapes = new Shapes()

  get size(): number {
    return this.texts.size
  }

  get(id: string): OrderRecord | undefined {
    const text = this.texts.get(id)
    return text === undefined ? undefined : this.unpack(text)
  }

  has(id: string): boolean {
    return this.texts.has(id)
  }

  set(order: OrderRecord): void {
    const { snapshot } = order
    const parts = [this.shapes.flatten(order, 'snapshot')]
    if (snapshot) {
      parts.push(this.shapes.flatten(snapshot, 'lines'))
      for (const line of snapshot.lines) parts.push(this.shapes.flatten(line, null))
    }
    // JSON has no line breaks of its own, so the record can be read without its snapshot.
    const [record, ...rest] = parts
    this.texts.set(order.id, `${JSON.stringify(record)}\n${JSON.stringify(rest)}`)
  }

  /** All records, without their snapshots. */
  *values(): Generator<Omit<OrderRecord, 'snapshot'>> {
    for (const text of this.texts.values()) yield this.unpackRecord(text)
  }

  private unpackRecord(text: string): OrderRecord {
    return this.shapes.restore(JSON.parse(text.slice(0, text.indexOf('\n'))) as unknown[]) as OrderRecord
  }

  private unpack(text: string): OrderRecord {
    const record = this.unpackRecord(text)
    const [head, ...lines] = JSON.parse(text.slice(text.indexOf('\n') + 1)) as unknown[][]
    if (!head) return record
    const snapshot = this.shapes.restore(head) as Order
    return { ...record, snapshot: { ...snapshot, lines: lines.map((line) => this.shapes.restore(line) as OrderLine) } }
  }
}

/** What objects look like: their field names, each combination once, so that texts need not repeat them. */
class Shapes {
  private readonly shapes: string[][] = []

  /** The number of the object's shape and its values, null for the field `without`. */
  flatten(object: object, without: string | null): unknown[] {
    const values: unknown[] = [this.find(object)]
    for (const [name, value] of Object.entries(object)) values.push(name === without ? null : value)
    return values
  }

  restore(values: unknown[]): unknown {
    const names = this.shapes[values[0] as number] as string[]
    const object: Record<string, unknown> = {}
    for (let index = 0; index < names.length; index++) object[names[index] as string] = values[index + 1]
    return object
  }

  /** There are only a handful of shapes, so looking through them is faster than any key. */
  private find(object: object): number {
    const names = Object.keys(object)
    for (let number = 0; number < this.shapes.length; number++) {
      const shape = this.shapes[number] as string[]
      if (shape.length === names.length && shape.every((name, index) => name === names[index])) return number
    }
    return this.shapes.push(names) - 1
  }
}

/** When members are due, the soonest first: a binary heap. Members due at one instant come in the order in which they were added. */
class Timetable {
  private readonly ats: number[] = []
  private readonly members: string[] = []
  private readonly turns: number[] = []
  private turn = 0

  add(at: number, member: string): void {
    let index = this.ats.length
    this.ats.push(at)
    this.members.push(member)
    this.turns.push(this.turn++)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.isBefore(parent, index)) break
      this.swap(parent, index)
      index = parent
    }
  }

  /** The next that is due by an instant, taken out; null where there is none. */
  take(at: number): { at: number; member: string } | null {
    if (this.ats.length === 0 || (this.ats[0] as number) > at) return null
    const taken = { at: this.ats[0] as number, member: this.members[0] as string }
    this.swap(0, this.ats.length - 1)
    this.ats.pop()
    this.members.pop()
    this.turns.pop()
    this.sink()
    return taken
  }

  private sink(): void {
    const { length } = this.ats
    let index = 0
    for (;;) {
      const left = index * 2 + 1
      if (left >= length) return
      const right = left + 1
      const child = right < length && this.isBefore(right, left) ? right : left
      if (this.isBefore(index, child)) return
      this.swap(index, child)
      index = child
    }
  }

  private isBefore(a: number, b: number): boolean {
    const [atA, atB] = [this.ats[a] as number, this.ats[b] as number]
    return atA < atB || (atA === atB && (this.turns[a] as number) < (this.turns[b] as number))
  }

  private swap(a: number, b: number): void {
    swapIn(this.ats, a, b)
    swapIn(this.members, a, b)
    swapIn(this.turns, a, b)
  }
}

function swapIn<T>(list: T[], a: number, b: number): void {
  const kept = list[a] as T
  list[a] = list[b] as T
  list[b] = kept
}

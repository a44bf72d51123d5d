// What was really applied to the shop's points, in the order in which it was committed: seen from outside, after each commit.
import { toGiven, toReady, type StoredLine } from '#app/db/imports.server.ts'
import { fromStoredOrder, type StoredOrder } from '#app/db/stored-order.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { GivenLine, ImportOf, ReadyLine } from '#app/loyalty/imports.ts'
import type { OrderRecord } from '#app/loyalty/order.ts'
import { readMessage } from '#app/jobs/drain-inbox.ts'
import { isRulesTopic } from '#app/shopify/webhook.ts'
import type pg from 'pg'

/** An event that was applied, scheduled things of a member that were let happen, or a line of an import that was given or taken back. */
export type Applied =
  | { event: Event }
  | { member: string; at: number }
  | { given: ReadyLine; of: ImportOf; at: number }
  | { takenBack: GivenLine; of: ImportOf; at: number }

type Told = { id: string; topic: string; source: string; triggered_at: Date; payload: string }
type Redeemed = {
  id: string
  member_id: string
  reward_id: string
  points: string
  variable: boolean
  state: string
  code: string | null
  reserved_at: Date
  issued_at: Date | null
  returned_at: Date | null
  cancelled_at: Date | null
}

type Line = StoredLine & { import_id: string; source: string; state: string }

/** Watches one shop of a database. */
export class AppliedLog {
  readonly steps: Applied[] = []
  /** When the erasure of the whole shop was finished, null where it never was. */
  erasedAt: number | null = null
  readonly #shopId: number
  readonly #watch: () => pg.Client
  /** Rewards of a variable amount: their redemptions name the points. */
  readonly #variable: ReadonlySet<string>
  /** Messages as they came: an erasure empties the stored ones. */
  readonly #told = new Map<string, Told>()
  readonly #done = new Set<string>()
  /** What an actor asks for that leaves no message and no redemption. */
  readonly #asked = new Map<string, Event>()
  #redemptions = new Map<string, Redeemed>()
  #orders = new Map<string, string>()
  #lines = new Map<string, Line>()
  #members = new Map<string, number>()
  #erased = new Set<string>()
  #answers = new Set<string>()

  constructor(shopId: number, watch: () => pg.Client, variable: ReadonlySet<string>) {
    this.#shopId = shopId
    this.#watch = watch
    this.#variable = variable
  }

  /** An actor of this name asks for this: with its commit it is applied. */
  noteAsked(actor: string, event: Event): void {
    this.#asked.set(actor, event)
  }

  /** Messages were stored: keeps what they say. */
  async noteMessages(): Promise<void> {
    const { rows } = await this.#watch().query<Told>(
      `select id, topic, source, triggered_at, payload from inbox where shop_id = $1 and not (id = any($2::bigint[]))`,
      [this.#shopId, [...this.#told.keys()]],
    )
    for (const row of rows) this.#told.set(row.id, row)
  }

  /** Lines of imports were matched with customers: keeps what they say, as it is forgotten when they are given, which may be before anything else is committed. */
  async noteLines(): Promise<void> {
    const { rows } = await this.#watch().query<Line>(
      `select l.*, i.source from import_lines l join imports i on i.shop_id = l.shop_id and i.id = l.import_id
        where i.shop_id = $1 and l.state = 'ready'`,
      [this.#shopId],
    )
    for (const row of rows) this.#lines.set(`${row.import_id}:${row.line}`, row)
  }

  /** Something was committed: finds out what. `by` is whose transaction it was. */
  async noteCommit(by: string): Promise<void> {
    const [role] = by.split('@')
    const messages = await this.#newlyDone()
    const redemptions = await this.#changedRedemptions(by)
    const members = await this.#changedMembers()
    const erased = await this.#newlyErased()
    const answers = await this.#newAnswers()
    const orders = await this.#changedOrders()
    const lines = await this.#changedLines(members)
    if (role === 'erase') {
      this.steps.push(...erased)
      await this.#noteErasure()
      return
    }
    if (role === 'answer' && answers.length > 0) {
      this.steps.push(...answers)
      return
    }
    if (role === 'backfill' && orders.length > 0) {
      this.steps.push(...orders)
      return
    }
    if (lines.length > 0) {
      this.steps.push(...members, ...lines)
      return
    }
    if (messages.length > 0) {
      this.steps.push(...messages.map((event) => ({ event })))
      return
    }
    const asked = this.#asked.get(by)
    if (asked) {
      this.steps.push({ event: asked })
      return
    }
    for (const event of redemptions) this.steps.push({ event })
    if (redemptions.length === 0) this.steps.push(...members)
  }

  async #newlyDone(): Promise<Event[]> {
    const { rows } = await this.#watch().query<{ id: string }>(
      `select id from messages m where shop_id = $1 and not ignored and not (id = any($2::bigint[]))
          and not exists (select 1 from inbox i where i.shop_id = m.shop_id and i.id = m.id) order by id`,
      [this.#shopId, [...this.#done]],
    )
    const events = rows.flatMap(({ id }) => {
      this.#done.add(id)
      const event = readTold(this.#told.get(id)!)
      return event ? [{ id: BigInt(id), event }] : []
    })
    events.sort((one, other) => one.event.at - other.event.at || (one.id < other.id ? -1 : 1))
    return events.map(({ event }) => event)
  }

  /** Steps of redemptions that were asked for; what orders and time do to them follows from those. */
  async #changedRedemptions(by: string): Promise<Event[]> {
    const { rows } = await this.#watch().query<Redeemed>('select * from redemptions where shop_id = $1 order by id', [
      this.#shopId,
    ])
    const before = this.#redemptions
    this.#redemptions = new Map(rows.map((row) => [row.id, row]))
    return rows.flatMap((row) => {
      const event = this.#stepOf(before.get(row.id)?.state, row, by)
      return event ? [event] : []
    })
  }

  #stepOf(before: string | undefined, row: Redeemed, by: string): Event | null {
    const { id, state, code } = row
    const step = `${before ?? 'new'} → ${state}`
    if (step === 'new → reserved') {
      return {
        type: 'reserve',
        at: row.reserved_at.getTime(),
        customer: toGid('Customer', row.member_id),
        id,
        reward: row.reward_id,
        points: this.#variable.has(row.reward_id) ? Number(row.points) : undefined,
      }
    }
    if (step === 'reserved → issued') return { type: 'commit', at: row.issued_at!.getTime(), id, code: code! }
    if (step === 'reserved → returned') return { type: 'release', at: row.returned_at!.getTime(), id }
    if (step === 'issued → ending' && by.startsWith('cancel')) {
      return { type: 'cancel-redemption', at: row.cancelled_at!.getTime(), code: code! }
    }
    return step === 'ending → returned' ? { type: 'code-gone', at: row.returned_at!.getTime(), code: code! } : null
  }

  /** What orders came to look like, as events; a backfill takes them in without a message for each, in the order in which they were placed. */
  async #changedOrders(): Promise<Applied[]> {
    const { rows } = await this.#watch().query<{ id: string; facts: string }>(
      'select id, facts from orders where shop_id = $1',
      [this.#shopId],
    )
    const before = this.#orders
    const records = rows.map(({ id, facts }) => fromStoredOrder(toGid('Order', id), JSON.parse(facts) as StoredOrder))
    const looks = new Map(records.map((record) => [record.id, lookOf(record)]))
    this.#orders = looks
    return records
      .filter(({ id, snapshot }) => snapshot !== null && looks.get(id) !== before.get(id))
      .sort((one, other) => placedAt(one) - placedAt(other) || numberOf(one) - numberOf(other))
      .map(({ snapshot, snapshotTriggeredAt: at, paidAt }) => ({
        event: { type: 'order', at, order: snapshot!, paidAt: paidAt ?? undefined },
      }))
  }

  /** Lines of imports that were given or taken back since, at the instant of which the members are that changed with them. */
  async #changedLines(members: readonly Applied[]): Promise<Applied[]> {
    const { rows } = await this.#watch().query<Line>(
      `select l.*, i.source from import_lines l join imports i on i.shop_id = l.shop_id and i.id = l.import_id
        where i.shop_id = $1 order by l.import_id, l.line`,
      [this.#shopId],
    )
    const before = this.#lines
    this.#lines = new Map(rows.map((row) => [`${row.import_id}:${row.line}`, row]))
    const [changed] = members
    if (changed === undefined || !('at' in changed)) return []
    return rows.flatMap((row): Applied[] => {
      // What was given is forgotten with the line, so it is told from how the line was.
      const old = before.get(`${row.import_id}:${row.line}`)
      const of = { id: row.import_id, source: row.source }
      if (old?.state === 'ready' && row.state === 'given') return [{ given: toReady(old), of, at: changed.at }]
      if (old?.state === 'given' && row.state === 'back') return [{ takenBack: toGiven(old), of, at: changed.at }]
      return []
    })
  }

  async #changedMembers(): Promise<Applied[]> {
    const { rows } = await this.#watch().query<{ id: string; updated_at: Date }>(
      'select id, updated_at from members where shop_id = $1 order by id',
      [this.#shopId],
    )
    const before = this.#members
    this.#members = new Map(rows.map((row) => [row.id, row.updated_at.getTime()]))
    return rows
      .filter(({ id, updated_at: at }) => before.get(id) !== at.getTime())
      .map(({ id, updated_at: at }) => ({ member: toGid('Customer', id), at: at.getTime() }))
  }

  /** Members who were erased since, as events, in the order in which a shop's members are. */
  async #newlyErased(): Promise<Applied[]> {
    const { rows } = await this.#watch().query<{ id: string; erased_at: Date }>(
      'select id, erased_at from members where shop_id = $1 and erased_at is not null order by id',
      [this.#shopId],
    )
    const before = this.#erased
    this.#erased = new Set(rows.map(({ id }) => id))
    return rows
      .filter(({ id }) => !before.has(id))
      .map(({ id, erased_at: at }) => ({
        event: { type: 'erase', at: at.getTime(), customer: toGid('Customer', id) },
      }))
  }

  async #noteErasure(): Promise<void> {
    const { rows } = await this.#watch().query<{ erased_at: Date | null }>(
      'select erased_at from shops where id = $1',
      [this.#shopId],
    )
    this.erasedAt = rows[0]?.erased_at?.getTime() ?? this.erasedAt
  }

  /**
   * Answers that were paid since, as the events that pay for them. Of two given at once, in two tabs, the one is paid that comes first of those
   * whose customer has joined: what was paid is told from its key, not from the answer.
   */
  async #newAnswers(): Promise<Applied[]> {
    const { rows } = await this.#watch().query<{ key: string; created_at: Date }>(
      `select key, created_at from facts where shop_id = $1 and key like 'event:%:feedback:%' order by key`,
      [this.#shopId],
    )
    const before = this.#answers
    this.#answers = new Set(rows.map(({ key }) => key))
    return rows
      .filter(({ key }) => !before.has(key))
      .map(({ key, created_at: at }) => {
        const [, customer, round] = /^event:(.+):feedback:(.+)$/.exec(key)!
        return {
          event: { type: 'event', at: at.getTime(), customer: customer!, name: 'feedback', key: round!, order: null },
        }
      })
  }
}

const placedAt = ({ snapshot }: OrderRecord): number => snapshot!.processedAt
const numberOf = ({ id }: OrderRecord): number => Number(numberOfGid(id, 'Order'))

/** What of an order's record comes from its snapshots. */
function lookOf({ snapshot, snapshotTriggeredAt, paidAt }: OrderRecord): string {
  return JSON.stringify([snapshot, snapshotTriggeredAt, paidAt])
}

/** A stored message as the drain reads it, null where there is nothing in it for the rules. */
function readTold({ topic, source, triggered_at: triggeredAt, payload }: Told): Event | null {
  if (!isRulesTopic(topic)) return null
  const parsed = readMessage({ topic, source, triggeredAt: triggeredAt.getTime(), payload })
  if (!parsed.ok) throw new Error(`${topic} cannot be read: ${parsed.field} ${parsed.message}`)
  return parsed.value
}

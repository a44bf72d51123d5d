// The *world* of a batch is the part of what is stored that its events can touch (loyalty/engine.ts). It is loaded with
// its members locked, the engine works on it in memory, and what changed is written back: facts, points and what must
// happen outside, all in the caller's one transaction.
import type { PoolClient } from 'pg'
import {
  addAlias,
  compareLots,
  dropEmptyMembers,
  followAliases,
  loadLots,
  loadOrderLots,
  lockMembers,
  readStored,
  saveMembers,
  toMember,
} from '#app/db/members.server.ts'
import { inTransaction, together } from '#app/db/client.server.ts'
import { LedgerError, postToLedger, type PostedLot } from '#app/db/ledger.server.ts'
import { holdSettings, type CountingSettings } from '#app/db/measures.server.ts'
import { findOrderOwners, loadOrders, saveOrders, type OrderToSave } from '#app/db/orders.server.ts'
import { cardsToWrite, enqueueEffects, type NewEffect } from '#app/db/outbox.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { loadRedemptions, saveRedemptions } from '#app/db/redemptions.server.ts'
import { markCodeUsed } from '#app/db/codes.server.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { loadFacts, saveAdjustments, saveFacts } from '#app/db/facts.server.ts'
import { keepActivity, type KeptActivity } from '#app/db/stored-member.ts'
import { noteWorkDue } from '#app/db/work-due.server.ts'
import {
  advance,
  findFactNeeds,
  findMemberNeeds,
  findNeeds,
  handle,
  nextDueAt,
  type Applied,
  type Changes,
  type Effect,
  type Event,
  type Fact,
  type Member,
  type Programs,
  type World,
} from '#app/loyalty/engine.ts'
import type { Transfer } from '#app/loyalty/ledger.ts'
import { LotsNeeded, type Lot } from '#app/loyalty/lots.ts'
import type { OrderRecord } from '#app/loyalty/order.ts'
import { normalizeCode, type Redemption } from '#app/loyalty/rewards.ts'

/** A loaded world, and everything that has changed in it since. */
export type LoadedWorld = World & {
  /** Members (gids) that another transaction holds: events that touch them must wait. Always empty without `skipBusy`. */
  busy: ReadonlySet<string>
  /** Who a customer is now, merges followed. */
  whoIs(customer: string): string
  /** Puts to a member (gid) the lots that were left aside. */
  fetchLots(member: string): Promise<void>
  /** Takes over what an event changed. */
  put(changes: Changes | Applied): void
  /** All that `put` took over, for `saveWorld`. */
  changed: {
    members: Map<string, Member>
    orders: Map<string, OrderRecord>
    redemptions: Map<string, Redemption>
    facts: Fact[]
    transfers: Transfer[]
    effects: Effect[]
  }
  /** Lots as they were loaded, by member, to know which changed. */
  lotsBefore: ReadonlyMap<string, readonly Lot[]>
  /** What counted towards tiers as it was loaded, by member. */
  activityBefore: ReadonlyMap<string, KeptActivity>
  /** Orders as they were loaded, by gid. */
  ordersBefore: ReadonlyMap<string, OrderRecord>
  locked: ReadonlySet<string>
  /** How the measures count, held until the transaction ends; undefined where no order was asked for. */
  settings: CountingSettings | undefined
}

/** Why the events of a shop cannot be applied yet: nothing was published that says what they are worth. */
export type NoProgram = { ok: false; reason: 'no_program' }

/**
 * Applies events of one shop in the given order, in one transaction, and says of each what it changed. For whoever asks for
 * something and waits for the answer (a redemption, a change by hand); the inbox has jobs/drain-inbox.
 * `alongside` writes more in the same transaction.
 */
export async function applyEvents(
  shopId: number,
  events: readonly Event[],
  at: number,
  alongside?: (client: PoolClient, changes: Changes[]) => Promise<void>,
): Promise<{ ok: true; changes: Changes[] } | NoProgram> {
  return inTransaction(async (client) => {
    const programs = await loadPrograms(shopId, client)
    if (!programs) return { ok: false, reason: 'no_program' }
    const world = await loadWorld(shopId, events, { at }, client)
    const changes = events.map((event) => {
      const changed = handle(world, event, programs)
      world.put(changed)
      return changed
    })
    await saveWorld(shopId, world, programs, at, client)
    await saveAdjustments(
      shopId,
      events.filter((_, index) => changes[index]!.refused === null),
      at,
      client,
    )
    await alongside?.(client, changes)
    return { ok: true, changes }
  })
}

/**
 * Lets everything happen that is due of these members (gids) by `at`: releases, expiries, reviews, birthdays, codes running
 * out. In the caller's transaction; members that somebody else holds are left for the next time. Returns how many moved on.
 */
export async function advanceMembers(
  shopId: number,
  members: readonly string[],
  programs: Programs,
  at: number,
  client: PoolClient,
): Promise<number> {
  const world = await loadWorld(shopId, [], { at, members, skipBusy: true }, client)
  for (const gid of world.locked) {
    const member = world.member(gid)
    if (member) world.put(advance(member, programs, at))
  }
  await saveWorld(shopId, world, programs, at, client)
  return world.locked.size
}

/**
 * Locks and loads all that the events can touch. Must run inside a transaction; the locks last until its end. With
 * `skipBusy`, members that another transaction holds are not waited for but named in `busy`. `members` are loaded beside
 * those of the events.
 *
 * With `leaveLots`, lots that the events hardly touch stay where they are (loyalty/lots.ts LotsAside): who buys every week has dozens, and
 * an order seldom touches any but its own. Such a world is worked on with `applyTo`.
 */
export async function loadWorld(
  shopId: number,
  events: readonly Event[],
  { at, members = [], ...how }: { at: number; members?: readonly string[]; skipBusy?: boolean; leaveLots?: boolean },
  client: PoolClient,
): Promise<LoadedWorld> {
  const needs = findNeeds(events)
  const redemptionNeeds = { ids: needs.redemptions, codes: needs.codes }
  // Who is new joined when it happened, not when we came to it. A batch holds what came in together, so its first event will do.
  const joinedAt = events.reduce((first, event) => Math.min(first, event.at), at)
  const loading = new Loading(shopId, joinedAt, how, client)
  // Before anything is locked, only who is concerned: what the records say is read again under the locks.
  const concerned = [...needs.members, ...members]
  const [owners, redemptions] = await together([
    findOrderOwners(shopId, needs.orders, client),
    loadRedemptions(shopId, redemptionNeeds, client),
    loading.follow(concerned),
  ])
  concerned.push(...owners, ...redemptions.map((redemption) => redemption.member))
  await loading.follow(concerned)
  // Sent at once and worked on one after the other, so that what is read is read under the locks.
  await together([loading.lock(concerned), loading.load(needs.orders, redemptionNeeds, needs.facts)])
  // Orders and codes may have changed hands between the look and the locks.
  const late = findMemberNeeds(loading.world, events).filter((customer) => !loading.knows(customer))
  if (late.length > 0) {
    await loading.follow(late)
    await loading.lock(late)
  }
  if (how.leaveLots) await loading.fetchTouchedLots(events)
  // Only events whose members were merged ask again: nearly always there is nothing more to look up.
  await loading.loadFacts(findFactNeeds(loading.world, events).filter((key) => !needs.facts.includes(key)))
  return loading.world
}

/** Applies an event to a world whose lots may be left aside, and puts what it changed into the world. Rejects with whatever the engine throws. */
export async function applyTo(world: LoadedWorld, event: Event, programs: Programs): Promise<void> {
  for (;;) {
    try {
      return world.put(handle(world, event, programs))
    } catch (error) {
      // Where nothing is left aside any more, asking again would ask for ever.
      if (!(error instanceof LotsNeeded) || !world.member(error.member)?.lotsAside) throw error
      await world.fetchLots(error.member)
    }
  }
}

/** What is gathered while a world is loaded: the only place that fills its maps. */
class Loading {
  readonly world: LoadedWorld
  readonly #members = new Map<string, Member>()
  readonly #orders = new Map<string, OrderRecord>()
  readonly #redemptions = new Map<string, Redemption>()
  readonly #codes = new Map<string, string>()
  readonly #facts = new Map<string, Fact>()
  readonly #survivors = new Map<string, string>()
  readonly #busy = new Set<string>()
  readonly #locked = new Set<string>()
  readonly #lotsBefore = new Map<string, readonly Lot[]>()
  readonly #activityBefore = new Map<string, KeptActivity>()
  readonly #ordersBefore = new Map<string, OrderRecord>()
  readonly #shopId: number
  readonly #joinedAt: number
  readonly #skipBusy: boolean
  readonly #leaveLots: boolean
  /** Orders that the shop had none of: no member has a lot of theirs. */
  readonly #newOrders = new Set<string>()
  readonly #client: PoolClient

  constructor(
    shopId: number,
    joinedAt: number,
    { skipBusy = false, leaveLots = false }: { skipBusy?: boolean; leaveLots?: boolean },
    client: PoolClient,
  ) {
    this.#shopId = shopId
    this.#joinedAt = joinedAt
    this.#skipBusy = skipBusy
    this.#leaveLots = leaveLots
    this.#client = client
    this.world = this.#makeWorld()
  }

  knows(customer: string): boolean {
    const survivor = this.#survivors.get(customer)
    return survivor !== undefined && (this.#busy.has(survivor) || this.#locked.has(survivor))
  }

  /** Finds out who these customers are now, as far as that is not known. */
  async follow(customers: readonly string[]): Promise<void> {
    const wanted = [...new Set(customers)].filter((customer) => !this.#survivors.has(customer))
    for (const [customer, survivor] of await followAliases(this.#shopId, wanted, this.#client)) {
      this.#survivors.set(customer, survivor)
      this.#survivors.set(survivor, survivor)
    }
  }

  /** Locks and loads the members that these customers are, who were followed before. */
  async lock(customers: readonly string[]): Promise<void> {
    const members = [...new Set(customers.map((customer) => this.#survivors.get(customer)!))]
    // Most customers of a batch were here before. Whom another let go of since is left for the next time: their orders were read before.
    // Whoever waits for locks takes all in one go, or two could wait for each other.
    if (this.#skipBusy) await this.#lock(members, null)
    await this.#lock(members, this.#joinedAt)
    const left = members.filter((member) => !this.#locked.has(member))
    if (left.length === 0) return
    if (this.#skipBusy) left.forEach((member) => this.#busy.add(member))
    else await this.#lockSurvivors(new Set(left))
  }

  /** Whoever is not there once their locks were waited for was merged away meanwhile. */
  async #lockSurvivors(gone: ReadonlySet<string>): Promise<void> {
    const customers = [...this.#survivors].flatMap(([customer, survivor]) => (gone.has(survivor) ? [customer] : []))
    customers.forEach((customer) => this.#survivors.delete(customer))
    await this.follow(customers)
    const members = [...new Set(customers.map((customer) => this.#survivors.get(customer)!))]
    await this.#lock(members, this.#joinedAt)
    const lost = members.find((member) => !this.#locked.has(member))
    if (lost !== undefined) throw new Error(`${lost} of shop ${this.#shopId} is merged away again and again.`)
  }

  /** Those of them who are not locked yet; with `joinedAt`, also those never seen before. */
  async #lock(all: readonly string[], joinedAt: number | null): Promise<void> {
    const members = all.filter((member) => !this.#locked.has(member))
    const [rows, lots, redemptions] = await together([
      lockMembers(this.#shopId, members, { joinedAt, skipBusy: this.#skipBusy }, this.#client),
      loadLots(this.#shopId, this.#leaveLots ? [] : members, this.#client),
      loadRedemptions(this.#shopId, { openOf: members }, this.#client),
    ])
    const open = Map.groupBy(redemptions, (redemption) => redemption.member)
    for (const row of rows) {
      const gid = toGid('Customer', row.id)
      this.#locked.add(gid)
      for (const alias of row.aliases ?? []) this.#survivors.set(toGid('Customer', alias), gid)
      const own = open.get(gid) ?? []
      const stored = readStored(row)
      const member = stored && toMember(row, stored, lots.get(gid) ?? [], own)
      if (member) this.#activityBefore.set(gid, keepActivity(member, stored))
      this.#lotsBefore.set(gid, member?.lots ?? [])
      if (member && this.#leaveLots) {
        const dueAt = row.next_due_ms === null ? Infinity : Number(row.next_due_ms)
        member.lotsAside = { dueAt, without: this.#newOrders }
      }
      if (member) this.#members.set(gid, member)
      own.forEach((redemption) => this.#putRedemption(redemption))
    }
  }

  async load(
    orders: readonly string[],
    redemptions: { ids: string[]; codes: string[] },
    facts: readonly string[],
  ): Promise<void> {
    const [known, found] = await together([
      loadOrders(this.#shopId, orders, this.#client, { lock: true }),
      loadRedemptions(this.#shopId, redemptions, this.#client),
      this.loadFacts(facts),
      orders.length > 0 ? this.#holdSettings() : Promise.resolve(),
    ])
    for (const order of known) {
      this.#orders.set(order.id, order)
      this.#ordersBefore.set(order.id, order)
    }
    found.forEach((redemption) => this.#putRedemption(redemption))
    // Codes that an order used before come back with it, whether or not the event names them.
    const more = known.flatMap(({ codes }) => codes).filter((code) => !this.#codes.has(normalizeCode(code)))
    const comingBack = await loadRedemptions(this.#shopId, { codes: more }, this.#client)
    comingBack.forEach((redemption) => this.#putRedemption(redemption))
  }

  /**
   * Puts to the members what of their lots the events touch at first sight: an order's lot to its members; all to whoever has something due or
   * has anything else happen to them.
   */
  async fetchTouchedLots(events: readonly Event[]): Promise<void> {
    const { world } = this
    const touched = new Set<string>()
    const ordersOf = new Map<string, Set<string>>()
    for (const event of events) {
      if (event.type === 'customer') continue
      if (event.type !== 'order') {
        for (const customer of findMemberNeeds(world, [event])) touched.add(world.whoIs(customer))
        continue
      }
      const { id, customer, discountCodes } = event.order
      const known = world.order(id)
      if (!known) this.#newOrders.add(id)
      for (const owner of known ? [customer, known.terms?.member ?? null] : []) {
        if (owner !== null) addTo(ordersOf, world.whoIs(owner), id)
      }
      for (const code of known ? [...discountCodes, ...known.codes] : discountCodes) {
        const redemption = world.redemptionByCode(code)
        if (redemption) touched.add(world.whoIs(redemption.member))
      }
    }
    const until = events.reduce((latest, event) => Math.max(latest, event.at), -Infinity)
    for (const { id, lotsAside, advancedTo } of this.#members.values()) {
      if (lotsAside && lotsAside.dueAt <= Math.max(until, advancedTo)) touched.add(id)
    }
    for (const member of touched) ordersOf.delete(member)
    await together([this.#fetchLots([...touched]), this.#fetchOrderLots(ordersOf)])
  }

  async #fetchOrderLots(ordersOf: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const pairs = [...ordersOf].flatMap(([member, orders]) => [...orders].map((order) => ({ member, order })))
    const found = await loadOrderLots(this.#shopId, pairs, this.#client)
    for (const [id, orders] of ordersOf) {
      const member = this.#members.get(id)
      if (!member?.lotsAside) continue
      const lots = found.get(id) ?? []
      const lotsAside = { ...member.lotsAside, without: new Set([...orders, ...this.#newOrders]) }
      this.#members.set(id, { ...member, lots, lotsAside })
      this.#lotsBefore.set(id, lots)
    }
  }

  async #fetchLots(members: readonly string[]): Promise<void> {
    const left = members.filter((id) => this.#members.get(id)?.lotsAside)
    const found = await loadLots(this.#shopId, left, this.#client)
    for (const id of left) {
      const { lotsAside: _, ...member } = this.#members.get(id)!
      const stored = found.get(id) ?? []
      // Those that are with the member already may have changed since, or be gone.
      const here = new Set(this.#lotsBefore.get(id)!.map(({ key }) => key))
      const lots = [...stored.filter(({ key }) => !here.has(key)), ...member.lots].sort(compareLots)
      const whole = { ...member, lots }
      this.#lotsBefore.set(id, stored)
      this.#members.set(id, whole)
      if (this.world.changed.members.has(id)) this.world.changed.members.set(id, whole)
    }
  }

  async loadFacts(keys: readonly string[]): Promise<void> {
    for (const fact of await loadFacts(this.#shopId, keys, this.#client)) this.#facts.set(fact.key, fact)
  }

  async #holdSettings(): Promise<void> {
    this.world.settings = await holdSettings(this.#shopId, this.#joinedAt, this.#client)
  }

  #putRedemption(redemption: Redemption): void {
    this.#redemptions.set(redemption.id, redemption)
    // Shopify compares codes without regard to case.
    if (redemption.code !== null) this.#codes.set(normalizeCode(redemption.code), redemption.id)
  }

  #makeWorld(): LoadedWorld {
    const changed: LoadedWorld['changed'] = {
      members: new Map(),
      orders: new Map(),
      redemptions: new Map(),
      facts: [],
      transfers: [],
      effects: [],
    }
    const whoIs = (customer: string): string => this.#survivors.get(customer) ?? customer
    return {
      changed,
      whoIs,
      busy: this.#busy,
      locked: this.#locked,
      lotsBefore: this.#lotsBefore,
      activityBefore: this.#activityBefore,
      ordersBefore: this.#ordersBefore,
      settings: undefined,
      member: (id) => this.#members.get(whoIs(id)),
      order: (id) => this.#orders.get(id),
      redemption: (id) => this.#redemptions.get(id),
      redemptionByCode: (code) => this.#redemptions.get(this.#codes.get(normalizeCode(code)) ?? ''),
      fact: (key) => this.#facts.get(key),
      fetchLots: (member) => this.#fetchLots([member]),
      put: (changes) => {
        const members = 'members' in changes ? changes.members : [changes.member]
        for (const member of members) {
          this.#members.set(member.id, member)
          this.#survivors.set(member.id, member.id)
          changed.members.set(member.id, member)
        }
        // Last, so that a member that was merged away in this very event is its survivor's alias.
        for (const member of members) for (const alias of member.aliases) this.#survivors.set(alias, member.id)
        for (const order of changes.orders) {
          this.#orders.set(order.id, order)
          changed.orders.set(order.id, order)
        }
        for (const redemption of changes.redemptions) {
          this.#putRedemption(redemption)
          changed.redemptions.set(redemption.id, redemption)
        }
        for (const fact of changes.facts) this.#facts.set(fact.key, fact)
        changed.facts.push(...changes.facts)
        changed.transfers.push(...changes.transfers)
        changed.effects.push(...changes.effects)
      },
    }
  }
}

/**
 * Writes back everything that changed in the world, in the transaction that loaded it; without `programs` nobody becomes due. Throws a LedgerError
 * when the accounts do not come to what the engine says they hold: then nothing may be kept.
 */
export async function saveWorld(
  shopId: number,
  world: LoadedWorld,
  programs: Programs | null,
  at: number,
  client: PoolClient,
): Promise<void> {
  const { changed, whoIs } = world
  // A member that was merged away within the batch is another's alias now, and is written as that.
  const members = [...changed.members.values()].filter((member) => whoIs(member.id) === member.id)
  const toSave = members.map((member) => ({
    member,
    nextDueAt: programs && nextDueAt(member, programs),
    kept: world.activityBefore.get(member.id),
  }))
  const orders = [...changed.orders.values()].map((record) => toSaveOrder(record, world))
  // None needs another's answer: while the database works on one, the next is made. Orders come first, because the measures read before
  // they write.
  await together([
    saveOrders(shopId, orders, client, world.settings),
    postPoints(shopId, world, members, at, client),
    saveMembers(shopId, toSave, at, client),
    saveRedemptions(shopId, [...changed.redemptions.values()], at, client),
    saveFacts(shopId, changed.facts, at, client),
    enqueueEffects(shopId, describeEffects(members, changed.effects), at, client),
    noteWorkDue(shopId, earliest(toSave.map((saved) => saved.nextDueAt)), client),
  ])
  for (const member of members) {
    for (const alias of member.aliases) {
      if (world.locked.has(alias)) await mergeAway(shopId, alias, member.id, world, at, client)
    }
  }
  await dropEmptyMembers(
    shopId,
    [...world.locked].filter((gid) => world.member(gid) === undefined),
    client,
  )
  for (const effect of changed.effects) {
    if (effect.kind === 'code-used') await markCodeUsed(shopId, effect.code, client)
  }
}

/** Writes transfers, lots and balances. Throws a LedgerError where the accounts then hold anything else than the engine says. */
async function postPoints(
  shopId: number,
  { changed, lotsBefore }: LoadedWorld,
  members: readonly Member[],
  at: number,
  client: PoolClient,
): Promise<void> {
  const posting = {
    transfers: changed.transfers,
    lots: members.flatMap((member) => changedLots(member, lotsBefore.get(member.id) ?? [])),
    totals: members.map(({ id, deficit, lifetimeEarned }) => ({ member: id, deficit, lifetimeEarned })),
  }
  const balances = await postToLedger(shopId, posting, at, client)
  for (const { id, available, pending, reserved } of members) {
    const held = balances.get(id)
    if (held?.available === available && held.pending === pending && held.reserved === reserved) continue
    const expected = JSON.stringify({ available, pending, reserved })
    throw new LedgerError(
      `The accounts of ${id} in shop ${shopId} hold ${JSON.stringify(held)}, the engine says ${expected}.`,
    )
  }
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const known = sets.get(key)
  if (known) known.add(value)
  else sets.set(key, new Set([value]))
}

function toSaveOrder(record: OrderRecord, { whoIs, ordersBefore }: LoadedWorld): OrderToSave {
  const owner = record.customer === null ? null : whoIs(record.customer)
  return { record, owner, isNew: !ordersBefore.has(record.id) }
}

async function mergeAway(
  shopId: number,
  alias: string,
  member: string,
  world: LoadedWorld,
  at: number,
  client: PoolClient,
): Promise<void> {
  const emptied = (world.lotsBefore.get(alias) ?? []).map((lot) => ({
    ...lot,
    member: alias,
    isNew: false,
    pending: 0,
    available: 0,
  }))
  await postToLedger(
    shopId,
    { transfers: [], lots: emptied, totals: [{ member: alias, deficit: 0, lifetimeEarned: 0 }] },
    at,
    client,
  )
  await addAlias(shopId, alias, member, at, client)
  // Shopify gives the one customer that is left the tags of both: the one of the tier is to be put right, also where the tier stays.
  const tier = world.member(member)?.tier.level ?? null
  const effect: Effect = { kind: 'tier-changed', member, from: tier, to: tier, at, by: 'merge' }
  await enqueueEffects(shopId, describeEffects([], [effect]), at, client)
}

/** The lots that differ from what was loaded; those that are gone, with nothing in them. */
function changedLots(member: Member, before: readonly Lot[]): PostedLot[] {
  if (before === member.lots) return []
  const old = new Map(before.map((lot) => [lot.key, lot]))
  const changed: PostedLot[] = []
  for (const lot of member.lots) {
    const known = old.get(lot.key)
    old.delete(lot.key)
    if (known === lot || (known && isSameLot(known, lot))) continue
    changed.push({ ...lot, member: member.id, isNew: known === undefined })
  }
  for (const gone of old.values()) changed.push({ ...gone, member: member.id, isNew: false, pending: 0, available: 0 })
  return changed
}

function isSameLot(one: Lot, other: Lot): boolean {
  return (
    one.pending === other.pending &&
    one.available === other.available &&
    one.releaseAt === other.releaseAt &&
    one.expiresAt === other.expiresAt &&
    one.earnedAt === other.earnedAt
  )
}

/** What must happen outside: new cards for the members that changed, and what the engine asked for by name. */
function describeEffects(members: readonly Member[], effects: readonly Effect[]): NewEffect[] {
  const asked = effects.flatMap((effect) => {
    const key = outsideKey(effect)
    return key === null ? [] : [{ kind: effect.kind, key, payload: effect }]
  })
  return [...cardsToWrite(members.map(({ id }) => id)), ...asked]
}

/** What makes it one and the same effect; null where nobody outside has to hear of it. */
function outsideKey(effect: Effect): string | null {
  switch (effect.kind) {
    case 'refetch-order':
      return effect.order
    case 'settle-code':
      return effect.redemption
    case 'tier-changed':
      return effect.member
    case 'code-used':
      return null
  }
}

function earliest(instants: readonly (number | null)[]): number | null {
  let first: number | null = null
  for (const instant of instants) if (instant !== null && (first === null || instant < first)) first = instant
  return first
}

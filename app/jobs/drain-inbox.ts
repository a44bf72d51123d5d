// The drain takes messages out of the inbox and lets the engine say what they change. One transaction takes a batch of one
// shop from messages to transfers, lots, balances, order facts, effects and done-marks: all of it or nothing, so that a crash
// at any point leaves the messages waiting and the points as they were.
import { setTimeout as wait } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { now } from '#app/clock.server.ts'
import { forgetInAudiences } from '#app/db/campaigns.server.ts'
import { loadCatalog } from '#app/db/catalog.server.ts'
import { inTransaction, together } from '#app/db/client.server.ts'
import { forgetListed } from '#app/db/customer-lists.server.ts'
import { isClaimTaken, isCollision, isOutOfReach } from '#app/db/errors.server.ts'
import { forgetAnswers } from '#app/db/feedback.server.ts'
import { forgetInImports } from '#app/db/imports.server.ts'
import {
  CLAIM_LOCK,
  claimMessages,
  countWaiting,
  findNewestMessage,
  finishMessages,
  ignoreMessages,
  listShopsWithMessages,
  noteFailure,
  type Message,
  type ShopWithMessages,
} from '#app/db/inbox.server.ts'
import { planForAnyShop } from '#app/db/plans.server.ts'
import { forgetAnsweredRequests } from '#app/db/privacy.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { applyTo, loadWorld, saveWorld, type LoadedWorld } from '#app/db/world.server.ts'
import { describeError, logError } from '#app/log.server.ts'
import { hasCatalog, needsCatalog } from '#app/jobs/read-catalog.ts'
import type { Helper } from '#app/jobs/helper-thread.server.ts'
import { carryOutNotice, isNotice, NOTICE_TOPICS } from '#app/jobs/notices.ts'
import { withCatalog } from '#app/loyalty/catalog.ts'
import { eraseBeforeProgram, findMemberNeeds, findNeeds, type Event, type Programs } from '#app/loyalty/engine.ts'
import { numberOfGid } from '#app/loyalty/ids.ts'
import { orderFromAdminApi, type AdminOrder } from '#app/shopify/order.ts'
import type { Parsed } from '#app/shopify/payload.ts'
import { isRulesTopic, opensAccount, parseWebhookText } from '#app/shopify/webhook.ts'

/** What a round of draining did. */
export type Drained = {
  done: number
  /** Failed and to be tried again, or set aside. */
  failed: number
  /** Left for the next round, because another worker holds one of their members. */
  left: number
  /** Of one shop: nobody can say yet what its orders are worth. They wait, and only notices are worked on. */
  withoutRules?: true | undefined
}

/** Shops that are left alone, and until when (performance.now()). Kept by who drains again and again. */
export type Resting = Map<number, number>

const BATCH_LIMIT = 500
const BATCHES_AT_ONCE = 3
const BATCHES_WITH_HELPER = 4
/**
 * With so many waiting the helper joins in. Below, what gathers while the door is busy is soon worked off, and two threads would make more and smaller
 * batches of it, for which the processors have no time.
 */
const BACKLOG = 4_000
/** About so many are a round, which ends with waiting for the slowest. In the next one those shops have their turn whose messages came meanwhile. */
const BATCHES_A_ROUND = 32
/**
 * A batch asks the database some eight times, however small it is: of 60 messages each costs twice as much as of 500. While
 * messages trickle in, the drain rests some times as long as it worked and lets them gather, or it would keep the processors from the
 * door for batches of two. It looks now and then whether more have come: when none have, there is nothing to wait for.
 */
const WORTHWHILE = 150
const RESTS = 6
const REST_AT_MOST_MS = 1_000
const LOOK_EVERY_MS = 100
const COLLISIONS_AT_MOST = 5
/** A shop whose messages cannot even be taken up (its program cannot be read, say) is tried again after this. Others do not wait for it. */
const REST_IN_TROUBLE_MS = 10_000
/** An app is installed in many a shop that never sets it up: to look for each of them in every round would hold up all others. */
const REST_WITHOUT_RULES_MS = 5_000
/**
 * Whoever holds the claim lock has it for as long as a claim takes. One that vanished has it until PostgreSQL notices: the shop is left for
 * the next round then, or it would hold up all others.
 */
const CLAIM_WAIT = `set local lock_timeout = '1s';`
/** The one topic of the rules that is worked on without a program, too. */
const ERASURE = 'customers/redact' as const

/** How `drainInbox` goes about it. */
export type DrainOptions = {
  /** Hears of each batch. */
  onShop?: (shopId: number, drained: Drained) => void
  /** No batch is begun any more where it says so. */
  isStopping?: () => boolean
  /** It ends with the first round that ends after so long: where messages never cease, other work has to have its turn. */
  forMs?: number
  /** A shop whose messages cannot be taken up is named in the log and rests, and so does one in which nothing can be done without rules. */
  resting?: Resting
  /** Takes every other batch of a backlog. */
  helper?: Pick<Helper, 'drainShop'>
}

/** Who works on a batch of a shop. */
type Lane = (shopId: number) => Promise<Drained>

/**
 * Works through everything that waits in all shops, a batch per shop in turn, so that one busy shop does not hold up others. Where there is
 * much, three batches are on their way at a time: the engine has one, the database the others; of a backlog four, two of them with the helper.
 * Ends when nothing waits, and as its options say. Rejects only when the database is out of reach.
 */
export async function drainInbox({
  onShop = () => {},
  isStopping = () => false,
  forMs = Infinity,
  resting = new Map(),
  helper,
}: DrainOptions = {}): Promise<Drained> {
  const total: Drained = { done: 0, failed: 0, left: 0 }
  const endsAt = performance.now() + forMs
  for (;;) {
    const shops = await listShopsWithMessages(now(), BATCH_LIMIT + 1, listResting(resting))
    const lanes = await openLanes(shops, helper)
    const queue = giveTurns(shops, lanes.length)
    const round: Drained = { done: 0, failed: 0, left: 0 }
    let wasFull = false
    const startedAt = performance.now()
    const work = async (drain: Lane) => {
      for (let next = queue.shift(); next && !isStopping(); next = queue.shift()) {
        const { shopId, turns } = next
        const drained = isResting(shopId, resting) ? null : await drainOrRest(shopId, drain, resting)
        if (!drained) continue
        add(round, drained)
        onShop(shopId, drained)
        if (drained.done + drained.failed < BATCH_LIMIT) continue
        wasFull = true
        if (turns > 1) queue.push({ shopId, turns: turns - 1 })
      }
    }
    await Promise.all(lanes.map(work))
    add(total, round)
    if (round.done + round.failed === 0) return { ...total, left: round.left }
    if (isStopping() || performance.now() >= endsAt) return { ...total, left: round.left }
    if (wasFull || round.done >= shops.length * WORTHWHILE) continue
    await letGather(Math.min(REST_AT_MOST_MS, RESTS * (performance.now() - startedAt)), isStopping)
  }
}

/** Batches on their way at a time, each here or in the helper's thread. */
async function openLanes(shops: readonly ShopWithMessages[], helper: DrainOptions['helper']): Promise<Lane[]> {
  // Small batches take turns: together they would hold up the door in bursts, and nobody waits for them.
  if (!hasMuch(shops)) return [drainShop]
  if (!helper || !(await hasBacklog(shops))) return Array.from({ length: BATCHES_AT_ONCE }, () => drainShop)
  return Array.from({ length: BATCHES_WITH_HELPER }, (_, at) => (at % 2 === 0 ? drainShop : helper.drainShop))
}

/** Whether so much waits in all that the helper should join in. How much it is in shops with more than a batch is only counted where they are few. */
async function hasBacklog(shops: readonly ShopWithMessages[]): Promise<boolean> {
  let all = countAll(shops)
  for (const { shopId, waiting } of shops) {
    if (all >= BACKLOG) return true
    if (waiting > BATCH_LIMIT) all += (await countWaiting(shopId, BACKLOG)) - waiting
  }
  return all >= BACKLOG
}

/** Whether shops have enough for batches that need not wait for more: on the average, or one of them a full one. */
function hasMuch(shops: readonly ShopWithMessages[]): boolean {
  return countAll(shops) >= shops.length * WORTHWHILE || shops.some(({ waiting }) => waiting >= BATCH_LIMIT)
}

function countAll(shops: readonly ShopWithMessages[]): number {
  return shops.reduce((sum, { waiting }) => sum + waiting, 0)
}

/**
 * Whose batch is next in a round, and how often a shop with more than a batch goes on in it as long as its batches are full. Where such shops are
 * fewer than the batches at a time, several are one shop's.
 */
function giveTurns(shops: readonly ShopWithMessages[], atOnce: number): { shopId: number; turns: number }[] {
  const more = shops.filter(({ waiting }) => waiting > BATCH_LIMIT)
  const again = Array.from(
    { length: more.length && Math.max(0, atOnce - shops.length) },
    (_, at) => more[at % more.length]!,
  )
  const first = [...shops, ...again]
  const turns = Math.ceil(BATCHES_A_ROUND / first.length)
  return first.map(({ shopId, waiting }) => ({ shopId, turns: waiting > BATCH_LIMIT ? turns : 1 }))
}

/** As `drainShop`; null where the shop's messages cannot be taken up, which is said once and then not tried for a while. */
async function drainOrRest(shopId: number, drain: Lane, resting: Resting): Promise<Drained | null> {
  try {
    const drained = await drain(shopId)
    const isIdle = drained.done + drained.failed === 0
    if (isIdle && drained.withoutRules) resting.set(shopId, performance.now() + REST_WITHOUT_RULES_MS)
    return drained
  } catch (error) {
    if (isOutOfReach(error)) throw error
    // Several batches of one shop may be under way.
    if (!isResting(shopId, resting)) logError(`the messages of shop ${shopId} cannot be taken up`, error)
    resting.set(shopId, performance.now() + REST_IN_TROUBLE_MS)
    return null
  }
}

function isResting(shopId: number, resting: Resting): boolean {
  return performance.now() < (resting.get(shopId) ?? 0)
}

/** Shops that rest, and no longer those that have rested. */
function listResting(resting: Resting): number[] {
  for (const shopId of resting.keys()) if (!isResting(shopId, resting)) resting.delete(shopId)
  return [...resting.keys()]
}

async function letGather(forMs: number, isStopping: () => boolean): Promise<void> {
  const endsAt = performance.now() + forMs
  let known = await findNewestMessage()
  for (let leftMs = forMs; leftMs > 0 && !isStopping(); leftMs = endsAt - performance.now()) {
    await wait(Math.min(leftMs, LOOK_EVERY_MS))
    const newest = await findNewestMessage()
    if (newest === known) return
    known = newest
  }
}

function add(sum: Drained, more: Drained): void {
  sum.done += more.done
  sum.failed += more.failed
  sum.left += more.left
}

/**
 * Works on one batch of a shop's messages. A message that cannot be worked on fails alone: where the whole batch fails at the
 * database, each of its messages is tried by itself. Rejects when the database is out of reach, and when none could be taken up: its program
 * cannot be read, say.
 */
export async function drainShop(shopId: number, limit = BATCH_LIMIT): Promise<Drained> {
  const batch: Message[] = []
  try {
    return await drainBatch(shopId, { limit }, batch)
  } catch (error) {
    if (isClaimTaken(error)) return { done: 0, failed: 0, left: 0 }
    if (isOutOfReach(error) || batch.length === 0) throw error
  }
  const total: Drained = { done: 0, failed: 0, left: 0 }
  for (const message of batch) {
    add(total, await drainAlone(shopId, message))
  }
  return total
}

async function drainAlone(shopId: number, message: Message): Promise<Drained> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await drainBatch(shopId, { limit: 1, only: [message.id] }, [])
    } catch (error) {
      if (isOutOfReach(error)) throw error
      if (isClaimTaken(error)) return { done: 0, failed: 0, left: 1 }
      // Another worker was faster, or both waited for each other: with what it has written, this one goes through.
      if (isCollision(error) && tries < COLLISIONS_AT_MOST) continue
      await noteFailure(shopId, message, describeError(error), now())
      return { done: 0, failed: 1, left: 0 }
    }
  }
}

/** One transaction. `batch` is filled with what was claimed, for the caller to know when it fails. */
async function drainBatch(
  shopId: number,
  claim: { limit: number; only?: readonly string[] },
  batch: Message[],
): Promise<Drained> {
  return inTransaction(
    async (client) => {
      const { programs, catalogued, unpublished } = await findRules(shopId, client)
      // Without a program nobody can say what an order is worth: those messages wait until one is published. Whoever wants to be forgotten does
      // not: before the first program there are no points of theirs, and what waits of theirs will find them erased.
      const topics = programs ? undefined : [...NOTICE_TOPICS, ...(unpublished ? [ERASURE] : [])]
      const [{ at, sorted, world }, unlocked] = await underClaimLock(shopId, client, async () => {
        batch.push(...(await claimMessages(shopId, now(), { ...claim, topics }, client)))
        // Read under the lock: whoever claims later also has the later time.
        const at = now()
        const sorted = sortMessages(batch)
        if (catalogued) await addCatalog(shopId, sorted.readable, client)
        const events = sorted.readable.map(({ event }) => event)
        const world = await loadWorld(shopId, events, { at, skipBusy: true, leaveLots: true }, client)
        return { at, sorted, world }
      })
      const applied = await applyMessages(sorted.readable, world, programs)
      await together([
        unlocked,
        saveWorld(shopId, world, programs, at, client),
        finishMessages(shopId, idsOf([...applied.done, ...sorted.notices]), client),
        ignoreMessages(shopId, idsOf(sorted.ignored), client),
      ])
      for (const message of sorted.notices) await carryOutNotice(shopId, message, client)
      await forgetErased(shopId, sorted.readable, world, client)
      const failed = [...applied.failed, ...sorted.unreadable]
      for (const { message, error } of failed) await noteFailure(shopId, message, error, at, client)
      return {
        done: applied.done.length + sorted.notices.length + sorted.ignored.length,
        failed: failed.length,
        left: applied.left.length,
        withoutRules: programs ? undefined : true,
      }
    },
    CLAIM_WAIT + (await planForAnyShop()),
  )
}

/** The shop's program, null where orders have to wait: none is published (`unpublished`), or it asks for products that were never read. */
export async function findRules(
  shopId: number,
  client: PoolClient,
): Promise<{ programs: Programs | null; catalogued: boolean; unpublished: boolean }> {
  const programs = await loadPrograms(shopId, client)
  if (!programs || !needsCatalog(programs)) return { programs, catalogued: false, unpublished: !programs }
  const catalogued = await hasCatalog(shopId, client)
  return { programs: catalogued ? programs : null, catalogued, unpublished: false }
}

/** Tells orders what the catalogue knows of their products. */
export async function addCatalog(shopId: number, messages: { event: Event }[], client: PoolClient): Promise<void> {
  const products = messages.flatMap(({ event }) =>
    event.type === 'order' ? event.order.lines.flatMap(({ product }) => product ?? []) : [],
  )
  const catalog = await loadCatalog(shopId, [...new Set(products)], client)
  for (const readable of messages) {
    const { event } = readable
    if (event.type === 'order') readable.event = { ...event, order: withCatalog(event.order, catalog) }
  }
}

/** Who was erased must not live on in what is kept beside members and orders. */
async function forgetErased(
  shopId: number,
  messages: readonly Readable[],
  world: LoadedWorld,
  client: PoolClient,
): Promise<void> {
  const customers = messages.flatMap(({ event }) =>
    findForgotten(event, world).map((gid) => numberOfGid(gid, 'Customer')),
  )
  const emails = messages.flatMap(({ event, message }) => (event.type === 'erase' ? findEmail(message.payload) : []))
  await forgetInImports(shopId, { customers, emails }, client)
  await forgetAnswers(shopId, customers, client)
  await forgetListed(shopId, customers, client)
  await forgetInAudiences(shopId, customers, client)
  await forgetAnsweredRequests(shopId, customers, client)
}

/**
 * The ids under which somebody was known who is forgotten with this event: with theirs go those merged into it, while one that was
 * merged away goes alone. Whoever turns out to be somebody forgotten is forgotten too.
 */
function findForgotten(event: Event, world: LoadedWorld): string[] {
  if (event.type !== 'erase' && event.type !== 'merge') return []
  const named = event.type === 'erase' ? [event.customer] : []
  const member = world.member(event.type === 'erase' ? event.customer : event.into)
  return member && member.erasedAt !== null ? [...named, member.id, ...member.aliases] : named
}

/** The e-mail address that a request for erasure names: files of other apps may hold it of somebody who is no member yet. */
function findEmail(payload: string): string[] {
  const email = (JSON.parse(payload) as { customer?: { email?: unknown } }).customer?.email
  return typeof email === 'string' && email !== '' ? [email] : []
}

/**
 * Claiming messages and locking their members is one step that two workers do not take at the same time for one shop. So
 * whoever claims later also locks later, and a member's messages are worked on in the order in which they came. The lock is given back
 * before what the transaction does next; the second promise says that it was.
 */
async function underClaimLock<Result>(
  shopId: number,
  client: PoolClient,
  work: () => Promise<Result>,
): Promise<[Result, Promise<unknown>]> {
  const values = [CLAIM_LOCK, shopId]
  const unlock = () => client.query({ name: 'unlock-claims', text: 'select pg_advisory_unlock($1, $2)', values })
  // Rows are waited for as long as it takes.
  const text = `select pg_advisory_lock($1, $2), set_config('lock_timeout', '0', true)`
  const locking = client.query({ name: 'lock-claims', text, values })
  try {
    // What is asked first waits behind the lock at the database.
    const [, result] = await together([locking, work()])
    const unlocked = unlock()
    // The caller looks at it later: meanwhile it may fail unheard.
    unlocked.catch(() => {})
    return [result, unlocked]
  } catch (error) {
    // A transaction that failed takes no statement but its end, and its end does not give back a lock of the connection's.
    await client.query('rollback')
    await unlock()
    throw error
  }
}

type Readable = { message: Message; event: Event }
type Failure = { message: Message; error: string }
type Sorted = { readable: Readable[]; notices: Message[]; ignored: Message[]; unreadable: Failure[] }

/** Tells messages apart by what they are for, and puts the engine's in the order in which things happened. */
function sortMessages(batch: readonly Message[]): Sorted {
  const sorted: Sorted = { readable: [], notices: [], ignored: [], unreadable: [] }
  for (const message of batch) {
    if (isRulesTopic(message.topic)) {
      const parsed = readMessage(message)
      if (!parsed.ok) sorted.unreadable.push({ message, error: `${parsed.field || 'the payload'} ${parsed.message}` })
      else if (parsed.value === null) sorted.ignored.push(message)
      else sorted.readable.push({ message, event: parsed.value })
    }
    if (isNotice(message.topic)) sorted.notices.push(message)
    else if (!isRulesTopic(message.topic)) sorted.ignored.push(message)
  }
  sorted.readable.sort((one, other) => one.event.at - other.event.at || compareIds(one.message.id, other.message.id))
  return sorted
}

/**
 * A webhook is read as Shopify sends it; an order that a job read from the Admin API is in the API's own shape. Who got an account by it signs
 * up, which nothing but the live app makes of it: a file of events says `app/event`.
 */
export function readMessage({
  source,
  topic,
  triggeredAt,
  payload,
}: Pick<Message, 'source' | 'topic' | 'triggeredAt' | 'payload'>): Parsed<Event | null> {
  if (source === 'webhook' || !topic.startsWith('orders/')) {
    const parsed = parseWebhookText(topic, triggeredAt, payload)
    if (!parsed.ok || parsed.value?.type !== 'customer' || !opensAccount(topic, parsed.value.state)) return parsed
    return { ok: true, value: { ...parsed.value, signUp: 'now' } }
  }
  try {
    const { order, paidAt } = orderFromAdminApi(JSON.parse(payload) as AdminOrder)
    return { ok: true, value: { type: 'order', at: triggeredAt, order, paidAt: paidAt ?? undefined } }
  } catch (error) {
    return { ok: false, reason: 'malformed', field: '', message: describeError(error) }
  }
}

function compareIds(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : 1)
}

type AppliedMessages = { done: Message[]; failed: Failure[]; left: Message[] }

/** Without `programs` the only messages are erasures. */
async function applyMessages(
  messages: readonly Readable[],
  world: LoadedWorld,
  programs: Programs | null,
): Promise<AppliedMessages> {
  const applied: AppliedMessages = { done: [], failed: [], left: [] }
  const busy = new Set(world.busy)
  for (const { message, event } of messages) {
    // A message that must wait makes all its members wait, or a later message would overtake it.
    const touched = busy.size > 0 ? membersOf(event, world) : []
    if (touched.some((member) => busy.has(member))) {
      touched.forEach((member) => busy.add(member))
      applied.left.push(message)
      continue
    }
    try {
      if (programs) await applyTo(world, event, programs)
      else if (event.type === 'erase') world.put(eraseBeforeProgram(world, event))
      applied.done.push(message)
    } catch (error) {
      applied.failed.push({ message, error: describeError(error) })
    }
  }
  return applied
}

function membersOf(event: Event, world: LoadedWorld): string[] {
  return [...findNeeds([event]).members, ...findMemberNeeds(world, [event])].map(world.whoIs)
}

const idsOf = (messages: readonly Message[]): string[] => messages.map(({ id }) => id)

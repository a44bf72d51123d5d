import { now } from '#app/clock.server.ts'
import { whileAlone } from '#app/db/alone.server.ts'
import { TAG_CUSTOMERS } from '#app/db/customer-lists.server.ts'
import { RECOUNT_CYCLES, recountSlice, type RecountPosition } from '#app/db/cycles.server.ts'
import { isOutOfReach } from '#app/db/errors.server.ts'
import { listMembersAfter, readMembers } from '#app/db/member-records.server.ts'
import { followAliases } from '#app/db/members.server.ts'
import {
  cardsToWrite,
  dropEffects,
  enqueueEffects,
  finishEffects,
  leaseEffects,
  postponeEffects,
  setEffectsAside,
} from '#app/db/outbox.server.ts'
import type { Effect } from '#app/db/outbox.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { findRedemption } from '#app/db/redemptions.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { describeError, logError } from '#app/log.server.ts'
import { buildMemberCard } from '#app/loyalty/build-member-card.ts'
import { numberOfGid } from '#app/loyalty/ids.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import { buildTranslatedCard, listFreeProducts, type ProductTitles } from '#app/loyalty/program-card.ts'
import { AdminApiError, isWithoutSession } from '#app/shopify/admin-api.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { findCustomerStates } from '#app/shopify/customers.server.ts'
import { TRIGGERS_PER_CALL_MAX } from '#app/shopify/flow.server.ts'
import {
  CARDS_PER_CALL_MAX,
  deleteMemberCard,
  tagTier,
  writeMemberCards,
  writeProgramCard,
} from '#app/shopify/member-card.server.ts'
import type { CardToWrite } from '#app/shopify/member-card.server.ts'
import { findTitles } from '#app/shopify/titles.server.ts'
import { fillCodePools } from './fill-code-pools.ts'
import { findMerges } from './reconcile-customers.ts'
import { REMIND_OF_EXPIRY, sayReminders } from './remind-of-expiry.ts'
import { readShopCatalog } from './read-catalog.ts'
import { settleEnding } from './settle-redemptions.ts'
import { syncFunctionDiscounts } from './sync-function-discounts.ts'
import { tagSlice } from './tag-customers.ts'

/**
 * Carries out what the outbox holds: cards in batches of 25, tags of tiers and lists, codes to be taken out of use, pools to be filled. One
 * process at a time works for a shop, at the pace that Shopify allows (shopify/throttle). What fails for the moment waits longer each
 * time. What Shopify refuses for good is set aside with its words. What was still waiting when a shop uninstalled the app is dropped.
 */

/** How long a process holds an effect it has taken; after that, another one may take it, so that one that died blocks nothing. */
const LEASE_MS = 5 * 60_000
const LONGEST_WAIT_MS = 60 * 60_000
/** The wait between two slices of a long list: as short as lets the shop's other work have its turn. */
const BETWEEN_SLICES_MS = 100
/** After so many tries, what Shopify refuses is set aside. What it only cannot do for the moment is tried for ever. */
const REFUSED_TRIES = 5

type Carrying = { shop: Shop; admin: AdminClient }
/** Carries out a batch of one kind. Returns the effects that are done. Where it throws, the whole batch is tried again. */
type Carry = (carrying: Carrying, effects: Effect[]) => Promise<Outcome>
type Outcome = {
  done: Effect[]
  refused: { effect: Effect; detail: string }[]
  later: { effect: Effect; detail: string }[]
}

/** What can be carried out, and how many at a time. In this order: codes before cards, so that cards show what became of them. */
const KINDS: { kind: string; batch: number; carry: Carry }[] = [
  { kind: 'settle-code', batch: 10, carry: carryOutSettling },
  { kind: 'program-card', batch: 1, carry: carryOutProgramCard },
  { kind: 'function-discounts', batch: 1, carry: carryOutFunctionDiscounts },
  { kind: 'all-member-cards', batch: 1, carry: carryOutAllCards },
  { kind: 'member-cards', batch: 2, carry: carryOutCardsTogether },
  { kind: 'member-card', batch: 10 * CARDS_PER_CALL_MAX, carry: carryOutMemberCards },
  { kind: 'tier-changed', batch: 25, carry: carryOutTierTags },
  { kind: 'fill-pools', batch: 1, carry: carryOutFilling },
  { kind: TAG_CUSTOMERS, batch: 1, carry: carryOutTagging },
  { kind: RECOUNT_CYCLES, batch: 1, carry: carryOutRecount },
  {
    kind: REMIND_OF_EXPIRY,
    batch: TRIGGERS_PER_CALL_MAX,
    carry: ({ shop, admin }, effects) => sayReminders(shop, admin, effects),
  },
]

/** Kinds of effects that are carried out here. */
export const CARRIED_KINDS: readonly string[] = KINDS.map(({ kind }) => kind)

/** How many effects a run carried out, put off, set aside for a person, and dropped because the shop is gone. */
export type OutboxRun = { done: number; postponed: number; setAside: number; dropped: number }

/** How to speak for a shop: given by whoever runs the job (app/shopify.server.ts has it), so that it can be run in a test. */
export type AdminFor = (domain: string) => AdminClient

/** Carries out what is due for one shop. Null where another process is doing just that. */
export async function carryOutShop(
  shopId: number,
  adminFor: AdminFor,
  isStopping: () => boolean = () => false,
): Promise<OutboxRun | null> {
  return whileAlone(`outbox:${shopId}`, 0, async () => {
    const run: OutboxRun = { done: 0, postponed: 0, setAside: 0, dropped: 0 }
    const shop = await requireShop(shopId)
    if (shop.uninstalledAt !== null) {
      run.dropped = await dropEffects(shopId, now())
      return run
    }
    const carrying = { shop, admin: adminFor(shop.domain) }
    for (const { kind, batch, carry } of KINDS) {
      for (;;) {
        if (isStopping()) return run
        const effects = await leaseEffects(shopId, kind, now(), { limit: batch, leaseMs: LEASE_MS })
        if (effects.length === 0) break
        const failed = await carryOutBatch(carrying, carry, effects, run)
        // Shopify is away, or busy for longer than we wait, and so it is for the other kinds.
        if (failed) return run
      }
    }
    return run
  })
}

/** Carries out one batch and notes what came of it. Returns true where Shopify was out of reach. */
async function carryOutBatch(carrying: Carrying, carry: Carry, effects: Effect[], run: OutboxRun): Promise<boolean> {
  const shopId = carrying.shop.id
  try {
    const { done, refused, later } = await carry(carrying, effects)
    await finishEffects(shopId, idsOf(done), now())
    for (const { effect, detail } of later) await postponeEffects(shopId, [effect.id], waitUntil(effect), detail)
    const gone = await findGone(carrying, refused)
    await finishEffects(shopId, idsOf(gone), now())
    const aside = refused.filter(({ effect }) => !gone.includes(effect))
    for (const { effect, detail } of aside) await setEffectsAside(shopId, [effect.id], now(), detail)
    run.done += done.length + gone.length
    run.setAside += aside.length
    run.postponed += later.length
    return false
  } catch (error) {
    if (isOutOfReach(error) || isWithoutSession(error)) throw error
    const isShopifys = error instanceof AdminApiError
    const detail = isShopifys ? error.message : describeError(error)
    for (const effect of effects) {
      const givesUp = isShopifys && error.reason === 'refused' && effect.attempts >= REFUSED_TRIES
      if (givesUp) await setEffectsAside(shopId, [effect.id], now(), detail)
      else await postponeEffects(shopId, [effect.id], waitUntil(effect), detail)
      run[givesUp ? 'setAside' : 'postponed'] += 1
    }
    // The fault is ours: the other kinds need not wait for it.
    if (!isShopifys) logError(`${effects.length} × ${effects[0]?.kind} of shop ${shopId} cannot be carried out`, error)
    return isShopifys
  }
}

/**
 * The refused effects whose customer Shopify no longer has: deleted, or merged into another without our hearing of it. Nobody could put
 * that right, so they are done with. A merge that comes to light here is taken in, and gives the surviving customer effects of their own.
 */
async function findGone({ shop, admin }: Carrying, refused: Outcome['refused']): Promise<Effect[]> {
  const memberOf = ({ payload }: Effect) => (payload as { member?: string } | null)?.member ?? ''
  const named = refused.map(({ effect }) => memberOf(effect)).filter((member) => member !== '')
  if (named.length === 0) return []
  const survivors = await followAliases(shop.id, named)
  const customers = [...new Set(survivors.values())]
  const known = await findCustomerStates(admin, customers)
  const gone = new Set(customers.filter((customer) => !known.has(customer)))
  await findMerges(shop.id, admin, [...gone])
  // A customer who has turned out to be merged is gone too: with the merge, the survivor got an effect of their own.
  const isGone = (member: string) =>
    gone.has(survivors.get(member) ?? '') || (survivors.get(member) ?? member) !== member
  return refused.flatMap(({ effect }) => (isGone(memberOf(effect)) ? [effect] : []))
}

/** 10 s, 20 s, 40 s … at most an hour after each failed try. */
function waitUntil({ attempts }: Effect): number {
  return now() + Math.min(LONGEST_WAIT_MS, 5_000 * 2 ** Math.min(attempts, 20))
}

/** Writes each member's card. Those whose card Shopify refuses are set aside by name. */
async function carryOutMemberCards(carrying: Carrying, effects: Effect[]): Promise<Outcome> {
  const refused = await writeCards(
    carrying,
    effects.map(({ key }) => key),
  )
  return {
    done: effects.filter(({ key }) => !refused.has(key)),
    refused: effects.flatMap((effect) => {
      const detail = refused.get(effect.key)
      return detail === undefined ? [] : [{ effect, detail }]
    }),
    later: [],
  }
}

/** Writes the cards of members who changed together. One whose card Shopify refuses gets an effect of their own, to be tried alone. */
async function carryOutCardsTogether(carrying: Carrying, effects: Effect[]): Promise<Outcome> {
  const members = new Set(effects.flatMap(({ payload }) => (payload as { members: string[] }).members))
  const refused = await writeCards(carrying, [...members])
  const alone = [...refused.keys()].flatMap((member) => cardsToWrite([member]))
  await enqueueEffects(carrying.shop.id, alone, now())
  return { done: effects, refused: [], later: [] }
}

/** Writes the cards of these members as they are now, whatever the reason for writing them. Returns those that Shopify refuses, with its words. */
async function writeCards({ shop, admin }: Carrying, customers: string[]): Promise<Map<string, string>> {
  const programs = await loadPrograms(shop.id)
  const members = await readMembers(shop.id, customers)
  const cards: CardToWrite[] = []
  for (const customer of customers) {
    const member = members.get(customer)
    const card = member && programs ? buildMemberCard(member, programs, now()) : null
    // A customer who was merged away has no card of their own; an erased one has none at all.
    if (card && member?.id === customer) cards.push({ customer, card })
    else await deleteMemberCard(admin, customer)
  }
  const refused = new Map<string, string>()
  for (let start = 0; start < cards.length; start += CARDS_PER_CALL_MAX) {
    await writeBatch(admin, cards.slice(start, start + CARDS_PER_CALL_MAX), refused)
  }
  return refused
}

/** One call writes all or none: those that Shopify refuses are taken out, and the others written again. */
async function writeBatch(admin: AdminClient, batch: CardToWrite[], refused: Map<string, string>): Promise<void> {
  let left = batch
  while (left.length > 0) {
    const written = await writeMemberCards(admin, left)
    if (written.ok) return
    const places = new Map(written.refused.map(({ index, detail }) => [index, detail]))
    const [detail = 'refused'] = places.values()
    // Shopify does not say which one it was, so each is tried alone.
    if (places.has(null) && left.length > 1) {
      for (const one of left) await writeBatch(admin, [one], refused)
      return
    }
    const bad = places.has(null) ? left : left.filter((_, index) => places.has(index))
    if (bad.length === 0) throw new Error(`Shopify refuses a batch of cards without naming one: ${detail}`)
    for (const { customer } of bad) refused.set(customer, detail)
    left = left.filter((card) => !bad.includes(card))
  }
}

/** Writes what everybody may see of the program, and notes the next instant at which a rule's window opens or closes. */
async function carryOutProgramCard({ shop, admin }: Carrying, effects: Effect[]): Promise<Outcome> {
  const programs = await loadPrograms(shop.id)
  if (programs) {
    const at = now()
    const { program } = versionAt(programs, at)
    const titles = await readTitles(admin, listFreeProducts(program))
    await writeProgramCard(admin, buildTranslatedCard(program, at, titles))
    const next = Math.min(
      ...program.earning.flatMap(({ fromAt, untilAt }) => [fromAt, untilAt]).filter((edge) => edge > at),
    )
    if (Number.isFinite(next)) {
      await enqueueEffects(shop.id, [{ kind: 'program-card', key: `window:${next}`, dueAt: next }], at)
    }
  }
  return { done: effects, refused: [], later: [] }
}

/** While Shopify is away, the card waits for the titles; where Shopify refuses them, the card does without. */
async function readTitles(admin: AdminClient, products: string[]): Promise<ProductTitles> {
  try {
    return Object.fromEntries(await findTitles(admin, products))
  } catch (error) {
    if (!(error instanceof AdminApiError) || error.passing) throw error
    return {}
  }
}

const MEMBERS_A_SLICE = 500

/** A new program means new words on every card, so all members' cards are queued, a slice at a time. */
async function carryOutAllCards({ shop }: Carrying, effects: Effect[]): Promise<Outcome> {
  for (const { payload } of effects) {
    const { after = '0' } = (payload ?? {}) as { after?: string }
    const members = await listMembersAfter(shop.id, after, MEMBERS_A_SLICE)
    await enqueueEffects(shop.id, cardsToWrite(members), now())
    const last = members.length === MEMBERS_A_SLICE ? members.at(-1) : undefined
    if (!last) continue
    const next = { after: numberOfGid(last, 'Customer') }
    // Under a key of its own, or it would take the place of a program that was published while this slice was queued.
    await enqueueEffects(shop.id, [{ kind: 'all-member-cards', key: 'rest', payload: next }], now())
  }
  return { done: effects, refused: [], later: [] }
}

/** Each tier has a tag, for the merchant's segments and e-mails. A member has the tag of their tier and no other. */
async function carryOutTierTags({ shop, admin }: Carrying, effects: Effect[]): Promise<Outcome> {
  const programs = await loadPrograms(shop.id)
  const known = new Set(
    (programs?.versions ?? []).flatMap(({ program }) => program.tiers?.levels.map(({ id }) => id) ?? []),
  )
  const members = await readMembers(
    shop.id,
    effects.map(({ key }) => key),
  )
  const outcome: Outcome = { done: [], refused: [], later: [] }
  for (const effect of effects) {
    const member = members.get(effect.key)
    const tier = member?.tier.level ?? null
    const others = [...known].filter((id) => id !== tier)
    // The tags of a customer who was merged away belong to the survivor.
    const tagged = await tagTier(admin, member?.id ?? effect.key, tier, others)
    if (tagged) outcome.done.push(effect)
    else outcome.refused.push({ effect, detail: 'Shopify refuses the tags of this customer' })
  }
  return outcome
}

/** Takes codes out of use that ran out or were cancelled. A code that Shopify still has, or where we failed, is tried again later. */
async function carryOutSettling({ shop, admin }: Carrying, effects: Effect[]): Promise<Outcome> {
  const outcome: Outcome = { done: [], refused: [], later: [] }
  for (const effect of effects) {
    try {
      const redemption = await findRedemption(shop.id, effect.key)
      const settled = redemption && (await settleEnding(shop, admin, redemption))
      if (settled?.state === 'ending')
        outcome.later.push({ effect, detail: 'Shopify still has the code, or an order used it' })
      else outcome.done.push(effect)
    } catch (error) {
      if (error instanceof AdminApiError || isOutOfReach(error) || isWithoutSession(error)) throw error
      logError(`redemption ${effect.key} of shop ${shop.id} cannot be settled`, error)
      outcome.later.push({ effect, detail: describeError(error) })
    }
  }
  return outcome
}

async function carryOutFilling({ shop, admin }: Carrying, effects: Effect[]): Promise<Outcome> {
  const { failed } = await fillCodePools(shop, admin)
  if (failed === 0) return { done: effects, refused: [], later: [] }
  return {
    done: [],
    refused: [],
    later: effects.map((effect) => ({ effect, detail: `${failed} pools could not be filled` })),
  }
}

/** Tier perks and campaigns at checkout, as soon as a program is published; the timetable looks again every minute. */
async function carryOutFunctionDiscounts({ shop, admin }: Carrying, effects: Effect[]): Promise<Outcome> {
  const run = await syncFunctionDiscounts(shop, admin)
  if (run && run.refused.length === 0) return { done: effects, refused: [], later: [] }
  const detail = run
    ? run.refused.map(({ key, detail: why }) => `${key}: ${why}`).join('; ')
    : 'another process is at it'
  const undone = effects.map((effect) => ({ effect, detail }))
  return run ? { done: [], refused: undone, later: [] } : { done: [], refused: [], later: undone }
}

/** Tags one slice of a list and queues the rest anew, so that codes and cards do not wait for the whole list. */
async function carryOutTagging({ shop, admin }: Carrying, effects: Effect[]): Promise<Outcome> {
  for (const { kind, key } of effects) {
    const isLeft = await tagSlice(shop.id, admin, key)
    if (isLeft) await enqueueEffects(shop.id, [{ kind, key, dueAt: now() + BETWEEN_SLICES_MS }], now())
  }
  return { done: effects, refused: [], later: [] }
}

/** Goes through the next orders after a change of replacement cycles. Where the cycles depend on the catalogue, that is read first. */
async function carryOutRecount({ shop, admin }: Carrying, effects: Effect[]): Promise<Outcome> {
  for (const { kind, key, payload } of effects) {
    const position = payload as RecountPosition
    if (position.seen === 0) await readShopCatalog(shop, admin)
    const next = await recountSlice(shop.id, key, position, now())
    if (next) {
      await enqueueEffects(shop.id, [{ kind, key, payload: next, dueAt: now() + BETWEEN_SLICES_MS }], now())
    }
  }
  return { done: effects, refused: [], later: [] }
}

function idsOf(effects: Effect[]): string[] {
  return effects.map(({ id }) => id)
}

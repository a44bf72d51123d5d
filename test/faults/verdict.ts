// What must be true when all is quiet, whatever went wrong before.
import { pool, prisma } from '#app/db/client.server.ts'
import { findCycleDifferences } from '#app/db/cycles.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { findAccountStates, listOrdersOf, readMembers } from '#app/db/member-records.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { findMeasureDifferences } from '#app/db/recount-measures.server.ts'
import { findLastReading } from '#app/db/readings.server.ts'
import { loadRedemptions } from '#app/db/redemptions.server.ts'
import { requireShop, type Shop } from '#app/db/shops.server.ts'
import { ORDERS_ASKED } from '#app/jobs/reconcile-customers.ts'
import { FIRST_READING_MS } from '#app/jobs/reconcile.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { buildMemberCard } from '#app/loyalty/build-member-card.ts'
import type { Event, Member, Programs } from '#app/loyalty/engine.ts'
import { MEMBER_CARD_KEY, PROGRAM_CARD_KEY, PROGRAM_CARD_NAMESPACE, type MemberCard } from '#app/loyalty/member-card.ts'
import type { Redemption } from '#app/loyalty/rewards.ts'
import { describeMember, simulate } from '#app/loyalty/simulate.ts'
import { tierTag } from '#app/shopify/member-card.server.ts'
import type { AppliedLog } from './applied.ts'
import { startReplay, type Replay } from './replay.ts'
import type { Shopify } from './shopify.ts'
import { FEEDBACK_POINTS, type Plan } from './plan.ts'

/** What there is to look at. */
export type Case = {
  shop: Shop
  shopify: Shopify
  plan: Plan
  log: AppliedLog
  at: number
  /** The shop has taken the app off and not put it on again. */
  isAway: boolean
}

/** Looks at everything; the problems are empty when all is well. */
export async function judge(look: Case): Promise<{ problems: string[]; transfers: number; redemptions: number }> {
  const programs = (await loadPrograms(look.shop.id))!
  const replay = replayLog(look.log, programs)
  const members = await readMembers(look.shop.id, [...replay.members().keys()])
  const redemptions = await listRedemptions(look.shop.id)
  const { differences, transfers } = await checkLedger(look.shop.id)
  const problems = [
    ...differences.map(({ what, kept, recomputed }) => `ledger: ${what}: kept ${kept}, transfers say ${recomputed}`),
    ...(await judgeMeasures(look)),
    ...(await judgePrivacy()),
    ...(await compareWithEngine(look, replay, members, redemptions)),
    ...(isSimulated(look.plan) ? compareWithSimulator(look, programs, members) : []),
    ...(await judgeAnswers(look)),
    ...(look.isAway ? await judgeAbsence(look) : await judgePresence(look, programs, members, redemptions)),
  ]
  return { problems, transfers, redemptions: redemptions.length }
}

/** Shopify and we say the same. */
async function judgePresence(
  look: Case,
  programs: Programs,
  members: ReadonlyMap<string, Member>,
  redemptions: readonly Redemption[],
): Promise<string[]> {
  return [
    ...(await judgeInstallation(look)),
    ...(await judgeQueues(look)),
    ...(await judgeOrders(look)),
    ...(await judgeCustomers(look, members)),
    ...redemptions.flatMap((redemption) => judgeRedemption(look, redemption)),
    ...(await judgeCodes(look)),
    ...judgeCards(look, programs, members),
    ...(await judgeCredits(look, redemptions)),
  ]
}

/** The engine in memory over what was applied, in the order in which it was. */
function replayLog(log: AppliedLog, programs: Programs): Replay {
  const replay = startReplay(programs)
  for (const step of log.steps) {
    if ('event' in step) replay.apply(step.event)
    else if ('given' in step) replay.give(step.given, step.of, step.at)
    else if ('takenBack' in step) replay.takeBack(step.takenBack, step.of, step.at)
    else replay.advance(step.member, step.at)
  }
  return replay
}

async function listRedemptions(shopId: number): Promise<Redemption[]> {
  const { rows } = await pool.query<{ id: string }>('select id from redemptions where shop_id = $1', [shopId])
  return loadRedemptions(shopId, { ids: rows.map(({ id }) => id) })
}

async function compareWithEngine(
  { shop }: Case,
  replay: Replay,
  members: ReadonlyMap<string, Member>,
  redemptions: readonly Redemption[],
): Promise<string[]> {
  const problems: string[] = []
  for (const [gid, member] of replay.members()) {
    const [expected, found] = [figuresOf(member), members.get(gid) && figuresOf(members.get(gid)!)]
    if (found !== expected) problems.push(`${gid} is ${found}, the engine says ${expected}`)
  }
  for (const { id, state, returned } of redemptions) {
    const expected = replay.redemptions().get(id)
    if (expected?.state === state && expected.returned === returned) continue
    problems.push(`redemption ${id} is ${state}/${returned}, the engine says ${expected?.state}/${expected?.returned}`)
  }
  const { rows } = await pool.query<{ id: string; points: string }>(
    'select id, points from orders where shop_id = $1',
    [shop.id],
  )
  for (const { id, points } of rows) {
    const expected = replay.orders().get(`gid://shopify/Order/${id}`)?.posted
    if (String(expected) !== points) problems.push(`order ${id} is worth ${points}, the engine says ${expected}`)
  }
  return problems
}

function figuresOf(member: Member): string {
  const { available, pending, reserved, deficit, lifetimeEarned, tier, customerState, erasedAt } = member
  const points = { available, pending, reserved, deficit, lifetimeEarned }
  return JSON.stringify({ ...points, tier: tier.level, customerState, isErased: erasedAt !== null })
}

/** The simulator knows no time before the program: what happened there earns. */
const isSimulated = ({ plain, spends, past }: Plan): boolean => plain && !spends && (past === null || past.earns)

/** Without tiers and limits the order in which news came does not matter: the simulator over their instants ends the same. */
function compareWithSimulator({ log, at }: Case, programs: Programs, members: ReadonlyMap<string, Member>): string[] {
  const events = log.steps.flatMap((step) => ('event' in step ? [step.event] : []))
  const sorted = events.sort((one: Event, other: Event) => one.at - other.at)
  const simulated = simulate(
    programs.versions[0]!.program,
    sorted.map((event, index) => ({ line: index + 1, event })),
    { until: at },
  )
  return Object.entries(simulated.members).flatMap(([gid, expected]) => {
    const member = members.get(gid)
    const found = member && describeMember(member, programs, at)
    // What an order earned that was placed before its customer was erased and heard of later, nobody counts any more.
    const earned = (each: typeof expected) => (member?.erasedAt === null ? `, ${each.lifetimeEarned} earned` : '')
    const show = (each: typeof expected | undefined) =>
      each && `${each.available}/${each.pending}/${each.reserved}${earned(each)}`
    return show(found) === show(expected) ? [] : [`${gid} has ${show(found)}, the simulator says ${show(expected)}`]
  })
}

/** Nothing waits, and nothing was given up but what a shop left behind that took the app off. */
async function judgeQueues({ shop, plan, at }: Case): Promise<string[]> {
  const { rows } = await pool.query<{ what: string; key: string; state: string; error: string | null }>(
    `select 'message ' || topic as what, '' as key, state, error from inbox where shop_id = $1
     union all
     select 'effect ' || kind, key, state, error from outbox
      where shop_id = $1 and state <> 'done' and due_at < $2 and not (state = 'dropped' and $3)`,
    [shop.id, new Date(at + 86_400_000), plan.leaves !== null],
  )
  return rows.map(({ what, key, state, error }) => `${what} ${key} is ${state}: ${error}`)
}

/** A shop that has the app is known to have it, and what everybody may see of its program is there. */
async function judgeInstallation({ shop, shopify }: Case): Promise<string[]> {
  const { store, domain } = shopify
  const { uninstalledAt } = await requireShop(shop.id)
  const card = store.tables
    .list('metafields', domain)
    .find(({ namespace, key }) => namespace.endsWith(PROGRAM_CARD_NAMESPACE) && key === PROGRAM_CARD_KEY)
  return [
    ...(uninstalledAt === null ? [] : ['the shop has the app, and we think that it has not']),
    ...(card ? [] : ['Shopify has no program card']),
  ]
}

/** What is emptied when a shop is erased. */
const EMPTIED = [
  'inbox',
  'feedback_answers',
  'customer_lists',
  'customer_list_members',
  'campaign_audiences',
  'imports',
  'import_lines',
  'expiry_reminders',
]

/** A shop that has taken the app off is known to have done so, and nothing is kept to be said to it; once it is erased, it is nobody's. */
async function judgeAbsence({ shop, log }: Case): Promise<string[]> {
  const kept = await prisma.shop.findUniqueOrThrow({ where: { id: shop.id } })
  const count = async (what: string, text: string, values: unknown[] = [shop.id]) => {
    const { rows } = await pool.query<{ count: string }>(`select count(*) from ${text}`, values)
    return rows[0]!.count === '0' ? [] : [`of a shop that is gone there ${what}: ${rows[0]!.count}`]
  }
  const problems = [
    ...(kept.uninstalledAt === null ? ['the shop is gone, and we think that it has the app'] : []),
    ...(await count('are sessions', 'sessions where shop = $1', [shop.domain])),
    // What is laid aside is for a reinstall.
    ...(await count('are effects', `outbox where shop_id = $1 and state = 'waiting' and due_at < '9000-01-01'`)),
  ]
  if (log.erasedAt === null) return problems
  for (const table of EMPTIED)
    problems.push(...(await count(`is something in ${table}`, `${table} where shop_id = $1`)))
  return [
    ...problems,
    ...(kept.name === null && kept.email === null ? [] : ['a shop that was erased has its name']),
    ...(kept.erasedAt === null ? ['a shop that was erased does not say so'] : []),
    ...(await count('are effects', `outbox where shop_id = $1 and state = 'waiting'`)),
    ...(await count('are members', 'members where shop_id = $1 and erased_at is null')),
    ...(await count(
      'are points',
      'balances where shop_id = $1 and (available <> 0 or pending <> 0 or deficit <> 0 or reserved < 0)',
    )),
    ...(await count('are answers', 'privacy_requests where shop_id = $1 and (answer is not null or done_at is null)')),
  ]
}

/** Nobody was paid twice for the answers of one round, and what nobody knows any more is not kept. */
async function judgeAnswers({ shop }: Case): Promise<string[]> {
  const { rows } = await pool.query<{ what: string }>(
    `with paid as (
       select coalesce(a.member_id, t.member_id) as id, sum(t.amount) as points from ledger_transfers t
         left join member_aliases a on a.shop_id = t.shop_id and a.alias_id = t.member_id
        where t.shop_id = $1 and t.reason = 'custom' group by 1
     ), answered as (
       select member_id as id, count(*) as rounds from feedback_answers where shop_id = $1 group by 1
     )
     select 'member ' || m.id || ' was erased, and what they answered is kept' as what
       from answered join members m on m.shop_id = $1 and m.id = answered.id where m.erased_at is not null
     union all
     select 'member ' || m.id || ' got ' || paid.points || ' points for ' || coalesce(rounds, 0) || ' answers'
       from paid join members m on m.shop_id = $1 and m.id = paid.id left join answered on answered.id = m.id
      where m.erased_at is null and paid.points > coalesce(rounds, 0) * $2`,
    [shop.id, FEEDBACK_POINTS],
  )
  return rows.map(({ what }) => what)
}

/** Every order that was ever paid or ended is known, those from before the app too; and a backfill that was asked for is done. */
async function judgeOrders({ shop, shopify, plan, log }: Case): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('select id from orders where shop_id = $1', [shop.id])
  const known = new Set(rows.map(({ id }) => toGid('Order', id)))
  const told = shopify.store.orders(shopify.domain).filter(
    ({ financialStatus, cancelledAt, updatedAt }) =>
      (!/pending|partially_paid/.test(financialStatus) || cancelledAt !== null) &&
      // What had been heard before the shop was erased, and not been worked on, went with it.
      (log.erasedAt === null || updatedAt > log.erasedAt),
  )
  const reading = await findLastReading(shop.id, 'backfill')
  return [
    ...told.flatMap(({ id }) => (known.has(id) ? [] : [`${id} is unknown`])),
    ...(plan.past && reading?.state !== 'done' ? [`the backfill is ${reading?.state}: ${reading?.error}`] : []),
  ]
}

/** The measures are what the orders say. */
async function judgeMeasures({ shop }: Case): Promise<string[]> {
  const differences = [...(await findMeasureDifferences(shop.id)), ...(await findCycleDifferences(shop.id))]
  return differences.map(({ what, kept, counted }) => `measures: ${what}: kept ${kept}, counted ${counted}`)
}

/** Nobody's address is kept once all is quiet: every shopper of the story has one at this domain. */
async function judgePrivacy(): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`,
  )
  const problems: string[] = []
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(
      `select t::text as row from ${name} t where t::text like '%@example.com%' limit 1`,
    )
    problems.push(...rows.map(({ row }) => `${name} keeps an address: ${row}`))
  }
  return problems
}

/**
 * Whoever Shopify has is known, with the account they have there; whoever was merged away is known to be somebody else, also where no
 * webhook said so, if orders tell: those that were theirs are one other customer's now.
 */
async function judgeCustomers({ shop, shopify, log }: Case, members: ReadonlyMap<string, Member>): Promise<string[]> {
  const gone = shopify.store.tables
    .list('customers', shopify.domain)
    .flatMap(({ id, mergedInto }) => (mergedInto === null ? [] : [id]))
  const orders = await listOrdersOf(shop.id, gone, ORDERS_ASKED)
  const owners = new Map(shopify.store.orders(shopify.domain).map((order) => [order.id as string, order.customerId]))
  const tell = (id: string) => new Set((orders.get(id) ?? []).flatMap((order) => owners.get(order) ?? [])).size === 1
  const problems = [...(await findAccountStates(shop.id, gone))].flatMap(([id, { isSettled }]) =>
    isSettled || !tell(id) ? [] : [`${id} was merged away, and nobody noticed`],
  )
  for (const { id, state, email, updatedAt } of shopify.store.customers(shopify.domain)) {
    const member = members.get(id)
    if (!member) {
      // Whom nothing was heard of since the day before the app came is nobody until they do something.
      const since = log.erasedAt ?? shop.installedAt! - FIRST_READING_MS
      if (updatedAt >= since) problems.push(`${id} is nobody`)
    }
    // Erased here, or there: their account is nobody's business any more.
    else if (member.erasedAt === null && email !== null && member.customerState !== state) {
      problems.push(`the account of ${id} is ${state} at Shopify, ${member.customerState} here`)
    }
  }
  return problems
}

/** Either an issued code that Shopify has and spent points, or returned points and no code that anybody could use. */
function judgeRedemption({ shopify }: Case, { id, state, code, type, order }: Redemption): string[] {
  const { store, domain } = shopify
  const text = `redemption ${id} (${type}) is ${state}`
  if (state === 'reserved' || state === 'ending') return [`${text} for ever`]
  if (state === 'returned' && code === null) return []
  if (code === null) return [`${text} without a code`]
  if (type === 'gift-card') return store.giftCardByCode(domain, code) ? [] : [`${text} and Shopify has no such card`]
  if (type === 'store-credit') return []
  const known = store.tables.codeByText(domain, code)
  const users = store.orders(domain).filter((each) => each.discountApplications.some((use) => use.code === code))
  if (state === 'issued') {
    if (!known) return [`${text} and Shopify does not have its code`]
    return known.usageCount === 0 ? [] : [`${text} and an order has used its code`]
  }
  if (state === 'used') return users.some((each) => each.id === order) ? [] : [`${text} by an order that did not`]
  // Returned: the code is gone, or an order that was given back has used it up.
  return !known || users.length > 0 ? [] : [`${text} and Shopify still has its code`]
}

/** What the pools say of their codes is what Shopify has, one parent for each pool. */
async function judgeCodes({ shop, shopify }: Case): Promise<string[]> {
  const { store, domain } = shopify
  const problems: string[] = []
  const { rows } = await pool.query<{ code: string; state: string; held: string | null }>(
    `select c.code, c.state, r.state as held from codes c
       left join redemptions r on r.shop_id = c.shop_id and r.id = c.redemption_id and r.code is null
      where c.shop_id = $1`,
    [shop.id],
  )
  for (const { code, state, held } of rows) {
    const known = store.tables.codeByText(domain, code) !== undefined
    if ((state === 'free' || state === 'taken') && !known) problems.push(`code ${code} is ${state}, Shopify lacks it`)
    if (state === 'gone' && known) problems.push(`code ${code} is gone, Shopify has it`)
    if (held === 'returned') problems.push(`code ${code} is held by a redemption that was let go`)
  }
  const ours = new Set(rows.map(({ code }) => code))
  for (const { code } of store.tables.list('codes', domain)) {
    if (!ours.has(code)) problems.push(`Shopify has a code ${code} that is in no pool`)
  }
  const pools = await pool.query<{ gid: string | null }>(
    'select discount_gid as gid from code_pools where shop_id = $1',
    [shop.id],
  )
  const parents = store.discounts(domain).filter(({ kind }) => kind.startsWith('code'))
  for (const { id } of parents) {
    if (!pools.rows.some(({ gid }) => gid === id)) problems.push(`Shopify has a discount ${id} that is no pool's`)
  }
  return problems
}

/** What Liquid and the Function read is what the ledger says; the tier's tag, and no other, is on the customer. */
function judgeCards({ shopify, at }: Case, programs: Programs, members: ReadonlyMap<string, Member>): string[] {
  const { store, domain } = shopify
  // A program that is published anew has the same levels.
  const levels = programs.versions[0]!.program.tiers?.levels ?? []
  return [...members.values()].flatMap((member) => {
    const customer = store.customer(domain, member.id)
    // Where Shopify never told of an erasure, it has emptied what we wrote, and we cannot know.
    if (!customer || (customer.email === null && member.erasedAt === null)) return []
    const problems: string[] = []
    const kept = store.metafield(member.id, MEMBER_CARD_KEY)
    const [found, expected] = [
      kept ? showCard(JSON.parse(kept.value) as MemberCard) : null,
      showCard(buildMemberCard(member, programs, at)),
    ]
    if (found !== expected) problems.push(`the card of ${member.id} says ${found}, it should say ${expected}`)
    if (member.erasedAt !== null) return problems
    const tags = customer.tags.filter((tag) => levels.some(({ id }) => tag === tierTag(id)))
    const should = member.tier.level === null ? [] : [tierTag(member.tier.level)]
    // Whoever never left the first level was never announced.
    const first = levels[0] ? [tierTag(levels[0].id)] : []
    const isRight = tags.join() === should.join() || (tags.length === 0 && should.join() === first.join())
    return isRight ? problems : [...problems, `${member.id} has tags ${tags.join()}, should have ${should.join()}`]
  })
}

function showCard(card: MemberCard | null): string | null {
  if (!card) return null
  const { balance, pending, tier, nextExpiry } = card
  const codes = card.codes.map(({ code }) => code).sort()
  return JSON.stringify({ balance, pending, tier: tier?.id, nextExpiry, codes })
}

/** As much store credit was given as was paid for with points, and one gift card for each redemption. */
async function judgeCredits({ shopify }: Case, redemptions: readonly Redemption[]): Promise<string[]> {
  const { store, domain } = shopify
  const problems: string[] = []
  const issued = (type: Redemption['type']) =>
    redemptions.filter((each) => each.type === type && ['issued', 'used'].includes(each.state)).length
  const given = store.tables.list('storeCredit', domain).reduce((sum, { balanceMinor }) => sum + balanceMinor, 0)
  if (given !== issued('store-credit') * 500) {
    problems.push(`${given} minor units of store credit were given for ${issued('store-credit')} redemptions of 500`)
  }
  const cards = store.tables.list('giftCards', domain).length
  if (cards !== issued('gift-card')) problems.push(`${cards} gift cards for ${issued('gift-card')} redemptions`)
  return problems
}

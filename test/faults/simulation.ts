// One seed: a story told to the real pipeline on a real PostgreSQL while connections break, two workers at once; in the end, when
// all is quiet, every member has what the pure engine says, and the ledger is right.
import { pool } from '#app/db/client.server.ts'
import { storeMessages } from '#app/db/inbox.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { letTimePassIn } from '#app/jobs/nightly.ts'
import type { Member } from '#app/loyalty/engine.ts'
import { describeMember, simulate } from '#app/loyalty/simulate.ts'
import { parseWebhookText } from '#app/shopify/webhook.ts'
import { makeShopWithProgram } from '#test/setup/factories.ts'
import { breakConnections, untilItWorks } from './breakage.ts'
import { seededRandom, type Random } from './random.ts'
import { startReplay } from './replay.ts'
import { tellStory, type News, type Step } from './story.ts'

export type Outcome = {
  seed: number
  steps: number
  /** How many statements died. */
  faults: number
  transfers: number
  /** What is wrong; empty when all is well. */
  problems: string[]
}

/** All news of the story by their event ids: an erasure empties the stored ones. */
type Told = ReadonlyMap<string, News>

const TIERS = {
  metric: 'spend',
  window: { rollingDays: 60 },
  levels: [
    { id: 'member', name: 'Member', threshold: '0.00' },
    { id: 'silver', name: 'Silver', threshold: '60.00', multiplier: 1.25, entryReward: 20 },
    { id: 'gold', name: 'Gold', threshold: '150.00', multiplier: 1.5 },
  ],
}

/**
 * Runs one seed and says what came of it. The same seed tells the same story and breaks as often; which statements break depends
 * on how the two workers take turns as well, so a seed that fails is worth running more than once.
 */
export async function simulateFaults(seed: number): Promise<Outcome> {
  const random = seededRandom(seed)
  const plain = random.happens(0.5)
  const changes = {
    hold: { days: random.pick([0, 7, 14]) },
    expiry: random.pick([{ model: 'lot', months: 2 }, { model: 'inactivity', months: 1 }, { model: 'none' }]),
    negativeBalance: random.pick(['allow', 'clamp']),
    ...(plain ? {} : { tiers: TIERS }),
  }
  const shop = await makeShopWithProgram(changes)
  await pool.query(`update programs set effective_at = '2020-01-01' where shop_id = $1`, [shop.id])
  const steps = tellStory(random)
  const log: Step[] = []
  const told: Told = new Map(
    steps.flatMap((step) => (step.kind === 'arrive' ? step.news : [])).map((news) => [news.eventId, news]),
  )
  const breakage = breakConnections(random, random.pick([0, 0.01, 0.03, 0.08]))
  try {
    for (const step of steps) await carryOut(shop.id, step, random, log, told)
  } finally {
    breakage.end()
    moveClock(null)
  }
  const problems = [...(await compareWithEngine(shop.id, log)), ...(await compareWithLedger(shop.id))]
  if (plain) problems.push(...(await compareWithSimulator(shop.id, steps)))
  const { transfers } = await checkLedger(shop.id)
  return { seed, steps: steps.length, faults: breakage.broken(), transfers, problems }
}

/** Does one step, however often it takes, and notes in `log` what really happened, in the order in which it did. */
async function carryOut(shopId: number, step: Step, random: Random, log: Step[], told: Told): Promise<void> {
  if (step.kind === 'time') {
    moveClock(step.at)
    await untilItWorks(() => letTimePassIn(shopId))
    log.push(step)
    return
  }
  if (step.kind === 'redeem') {
    const at = clock()
    const { customer, code } = step
    await untilItWorks(() => applyEvents(shopId, [{ type: 'redeem', at, customer, reward: 'five-off', code }], at))
    log.push(step)
    return
  }
  for (const news of step.news) {
    const message = { shopId, webhookId: news.eventId, ...news }
    await untilItWorks(() => storeMessages([message], clock()))
  }
  const limit = random.whole(1, 8)
  const work = () => untilItWorks(() => drainUntilQuiet(shopId, limit))
  await Promise.all([work(), work()])
  // What one worker left because the other held its member.
  await work()
  log.push({ kind: 'arrive', news: await readApplied(shopId, told) })
}

async function drainUntilQuiet(shopId: number, limit: number): Promise<void> {
  for (let rounds = 0; rounds < 200; rounds += 1) {
    const { done, failed, left } = await drainShop(shopId, limit)
    if (failed > 0) throw new Error(`a message failed that should not: ${await readErrors(shopId)}`)
    if (done === 0 && left === 0) return
  }
}

async function readErrors(shopId: number): Promise<string> {
  const { rows } = await pool.query<{ error: string }>(
    'select error from inbox where shop_id = $1 and error is not null',
    [shopId],
  )
  return rows.map(({ error }) => error).join(' · ')
}

/** Messages that were worked on since the last look, in the order in which that happened. */
async function readApplied(shopId: number, told: Told): Promise<News[]> {
  const { rows } = await pool.query<{ event_id: string; place: string }>(
    `update inbox set source = 'seen' from (
       select id as seen_id, row_number() over (order by done_at, triggered_at, id) as place
         from inbox where shop_id = $1 and state = 'done' and source = 'webhook') as s
     where id = s.seen_id returning event_id, s.place`,
    [shopId],
  )
  rows.sort((one, other) => Number(one.place) - Number(other.place))
  return rows.map((row) => told.get(row.event_id)!)
}

/** The engine in memory over what really happened, against what is stored. */
async function compareWithEngine(shopId: number, log: readonly Step[]): Promise<string[]> {
  const programs = (await loadPrograms(shopId))!
  const replay = startReplay(programs)
  let at = 0
  for (const step of log) {
    if (step.kind === 'time') replay.letTimePass((at = step.at))
    else if (step.kind === 'redeem') {
      replay.apply({ type: 'redeem', at, customer: step.customer, reward: 'five-off', code: step.code })
    } else for (const news of step.news) replay.apply(readEvent(news))
  }
  const stored = await readMembers(shopId, [...replay.members().keys()])
  const problems: string[] = []
  for (const [gid, member] of replay.members()) {
    const [expected, found] = [figuresOf(member), stored.get(gid) && figuresOf(stored.get(gid)!)]
    if (found !== expected) problems.push(`${gid} is ${found}, the engine says ${expected}`)
  }
  const { rows } = await pool.query<{ id: string; points: string }>(
    'select id, points from orders where shop_id = $1',
    [shopId],
  )
  for (const { id, points } of rows) {
    const expected = replay.orders().get(`gid://shopify/Order/${id}`)?.posted
    if (String(expected) !== points) problems.push(`order ${id} is worth ${points}, the engine says ${expected}`)
  }
  return problems
}

function readEvent(news: { topic: string; triggeredAt: number; payload: string }) {
  const parsed = parseWebhookText(news.topic, news.triggeredAt, news.payload)
  if (!parsed.ok || !parsed.value) throw new Error(`the story's ${news.topic} cannot be read`)
  return parsed.value
}

function figuresOf({ available, pending, reserved, deficit, lifetimeEarned, tier }: Member): string {
  return JSON.stringify({ available, pending, reserved, deficit, lifetimeEarned, tier: tier.level })
}

async function compareWithLedger(shopId: number): Promise<string[]> {
  const { differences } = await checkLedger(shopId)
  return differences.map(({ what, kept, recomputed }) => `${what}: kept ${kept}, transfers say ${recomputed}`)
}

/** Without tiers and limits the order in which news came does not matter: the simulator over their instants ends the same. */
async function compareWithSimulator(shopId: number, steps: readonly Step[]): Promise<string[]> {
  if (steps.some((step) => step.kind === 'redeem')) return []
  const programs = (await loadPrograms(shopId))!
  const until = Math.max(...steps.map((step) => (step.kind === 'time' ? step.at : 0)))
  const news = new Map(
    steps.flatMap((step) => (step.kind === 'arrive' ? step.news : [])).map((each) => [each.eventId, each]),
  )
  const events = [...news.values()].sort((one, other) => one.triggeredAt - other.triggeredAt)
  const simulated = simulate(
    programs.versions[0]!.program,
    events.map((each, at) => ({ line: at + 1, event: readEvent(each) })),
    { until },
  )
  const stored = await readMembers(shopId, Object.keys(simulated.members))
  return Object.entries(simulated.members).flatMap(([gid, expected]) => {
    const member = stored.get(gid)
    const found = member && describeMember(member, programs, until)
    const show = (each: typeof expected | undefined) =>
      each && `${each.available}/${each.pending}/${each.reserved}, ${each.lifetimeEarned} earned`
    return show(found) === show(expected) ? [] : [`${gid} has ${show(found)}, the simulator says ${show(expected)}`]
  })
}

const OFFSET = Symbol.for('perennial.clock.offsetMs')

/** Moves the business's clock; null gives it back to the machine. */
function moveClock(at: number | null): void {
  const shared = globalThis as Record<symbol, unknown>
  if (at === null) delete shared[OFFSET]
  else shared[OFFSET] = at - Date.now()
}

function clock(): number {
  return Date.now() + ((globalThis as Record<symbol, number | undefined>)[OFFSET] ?? 0)
}

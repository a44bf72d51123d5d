// One seed: weeks in a shop, played to the real pipeline on a real PostgreSQL beside Shopify's stand-in, while workers, jobs and
// shoppers take turns and connections break, processes die, the database restarts and Shopify fails. In the end, when all is quiet,
// points, codes, cards and ledger are what they must be.
import { Readable } from 'node:stream'
import type pg from 'pg'
import { now } from '#app/clock.server.ts'
import { pool } from '#app/db/client.server.ts'
import { listImports, moveImport, type ImportState } from '#app/db/imports.server.ts'
import { storeMessages } from '#app/db/inbox.server.ts'
import { publishProgram, setHistoryEarns } from '#app/db/programs.server.ts'
import { findRedemption } from '#app/db/redemptions.server.ts'
import { installShop, requireShop } from '#app/db/shops.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { askBackfill, backfill } from '#app/jobs/backfill.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { fillCodePools } from '#app/jobs/fill-code-pools.ts'
import { workOnImports } from '#app/jobs/import-members.ts'
import { letTimePass, recheckWorkDue } from '#app/jobs/nightly.ts'
import { reconcileCustomers } from '#app/jobs/reconcile-customers.ts'
import { reconcile, refetchOrders } from '#app/jobs/reconcile.ts'
import { cancelRedemption, redeem, settleRedemptions, type Redeemed } from '#app/jobs/settle-redemptions.ts'
import { takeImport } from '#app/jobs/take-import.ts'
import type { Event } from '#app/loyalty/engine.ts'
import { programDocument } from '#test/setup/factories.ts'
import { AppliedLog } from './applied.ts'
import { openPlace, type Place, type Server } from './place.ts'
import { schedulePostgres } from './postgres.ts'
import { seededRandom, type Random } from './random.ts'
import { Schedule, type End, type Shares } from './schedule.ts'
import { openShopify, type Shopify } from './shopify.ts'
import { Story, type Letter } from './story.ts'
import { judge } from './verdict.ts'

export type Outcome = {
  seed: number
  /** Stands for the order of all steps and what went wrong at each: equal traces, equal runs. */
  trace: string
  turns: number
  faults: number
  restarts: number
  redemptions: number
  transfers: number
  /** What is wrong; empty when all is well. */
  problems: string[]
  /** Every step, for whoever looks for the reason. */
  lines: string[]
}

const START = Date.parse('2026-03-01T09:00:00Z')
const HOUR_MS = 3_600_000
const QUIET: Shares = { statement: 0, call: 0, restart: 0 }

const TIERS = {
  metric: 'spend',
  window: { rollingDays: 60 },
  levels: [
    { id: 'member', name: 'Member', threshold: '0.00' },
    { id: 'silver', name: 'Silver', threshold: '60.00', multiplier: 1.25, entryReward: 20 },
    { id: 'gold', name: 'Gold', threshold: '150.00', multiplier: 1.5 },
  ],
}

/** What pays beside orders, where a seed is lively. */
const DEEDS = [
  { id: 'welcome', on: 'signup', points: 30, limit: { times: 1, every: 'ever' } },
  { id: 'birthday', on: 'birthday', points: 40 },
  { id: 'review', on: 'review', points: 15, limit: { times: 2, every: 'ever' } },
]

/** For some of the story, and for some of the shoppers. */
const DOUBLE = {
  id: 'double',
  name: 'Double',
  from: '2026-03-03T00:00',
  until: '2026-03-14T00:00',
  offer: { pointsMultiplier: 2 },
  holdOut: 0.5,
}

/** What a seed is about. */
export type Plan = {
  /** No tiers: the order of arrival must not matter. */
  plain: boolean
  /** Shoppers spend points. */
  spends: boolean
  /**
   * Points and tiers are given by hand, birthdays and activities come in, members are brought over in files and taken back, and the program is
   * changed and published anew.
   */
  lively: boolean
  /** The shop was there before the app: a backfill reads what happened in it, which earns points or not. */
  past: { earns: boolean } | null
  rounds: number
  shares: Shares
  document: ReturnType<typeof programDocument>
}

/** Plays one seed and says what came of it. The same seed takes the same steps in the same order. */
export async function simulateFaults(seed: number, server: Server, more: { restarts?: number } = {}): Promise<Outcome> {
  const random = seededRandom(seed)
  const plan = makePlan(random, more.restarts)
  const schedule = new Schedule(random, START)
  const giveTimeBack = schedule.takeTime()
  try {
    const place = await openPlace(server)
    try {
      return await play(seed, random, plan, schedule, place)
    } finally {
      await place.close()
    }
  } finally {
    giveTimeBack()
  }
}

function makePlan(random: Random, restarts?: number): Plan {
  const plain = random.happens(0.5)
  const spends = !plain || random.happens(0.5)
  const lively = spends && random.happens(0.5)
  const past = random.happens(0.3) ? { earns: random.happens(0.5) } : null
  return {
    plain,
    spends,
    lively,
    past,
    rounds: random.whole(6, 12),
    shares: {
      statement: random.pick([0, 0.003, 0.01, 0.03]),
      call: random.pick([0, 0.03, 0.1, 0.3]),
      restart: restarts ?? random.pick([0, 0, 0.001, 0.004]),
    },
    document: makeDocument(random, { plain, lively }),
  }
}

/** A program as the seed has it. */
function makeDocument(random: Random, { plain, lively }: Pick<Plan, 'plain' | 'lively'>): Plan['document'] {
  const validDays = random.pick([{ validDays: 5 }, { validDays: 20 }, {}])
  const rewards = [
    { id: 'five-off', type: 'amount', value: '5.00', cost: 100, ...validDays },
    { id: 'shipping', type: 'shipping', cost: 80, ...validDays },
    { id: 'tenth', type: 'percentage', value: 10, cost: 90, ...validDays },
    { id: 'any', type: 'amount', perPoints: 50, value: '1.00', step: 50, ...validDays },
    { id: 'credit', type: 'store-credit', value: '5.00', cost: 100 },
    { id: 'card', type: 'gift-card', value: '5.00', cost: 100 },
  ]
  return programDocument({
    hold: { days: random.pick([0, 3, 14]) },
    expiry: random.pick([{ model: 'lot', months: 2 }, { model: 'inactivity', months: 1 }, { model: 'none' }]),
    negativeBalance: random.pick(['allow', 'clamp']),
    rewards,
    ...(plain ? {} : { tiers: TIERS, enrolment: random.pick(['everyone', 'accounts']) }),
    ...(lively
      ? {
          earning: [{ id: 'purchase', on: 'order', points: random.whole(3, 6), per: '1.00' }, ...DEEDS],
          campaigns: random.happens(0.5) ? [DOUBLE] : [],
        }
      : {}),
  })
}

async function play(seed: number, random: Random, plan: Plan, schedule: Schedule, place: Place): Promise<Outcome> {
  const shopify = openShopify(schedule, place.domain)
  const story = new Story(random, shopify.store, shopify.domain)
  if (plan.past) liveBefore(story, random, schedule)
  const at = now()
  const shop = await installShop(shopify.domain, { name: 'Beans', currency: 'EUR', timezone: 'Europe/Berlin' }, at)
  await publishProgram(shop.id, plan.document, { effectiveAt: plan.past ? at : 0, at })
  if (plan.past) {
    await setHistoryEarns(shop.id, plan.past.earns)
    await askBackfill(shop.id)
  }
  const log = new AppliedLog(place.watch, new Set(['any']))
  const untap = schedulePostgres(schedule, {
    query: ((...args: Parameters<pg.Client['query']>) => place.watch().query(...args)) as pg.Client['query'],
    restart: place.restart,
    onCommit: (actor) => log.noteCommit(actor.name),
    onStatement: async (label) => {
      if (label === 'store-messages') await log.noteMessages()
      if (label.startsWith('update import_lines l')) await log.noteLines()
    },
  })
  const game = new Game({ shop, shopify, random, plan, schedule, log }, story)
  try {
    await game.play()
  } finally {
    untap()
  }
  try {
    const { problems, transfers, redemptions } = await judge({ shop, shopify, plan, log, at: now() })
    return {
      seed,
      trace: schedule.trace(),
      turns: schedule.turns,
      faults: schedule.faults,
      restarts: schedule.restarts,
      redemptions,
      transfers,
      problems: [...game.problems, ...problems],
      lines: schedule.lines,
    }
  } finally {
    shopify.close()
  }
}

/** Some weeks in a shop that has no app yet. */
function liveBefore(story: Story, random: Random, schedule: Schedule): void {
  for (let things = random.whole(1, 12); things > 0; things -= 1) {
    story.happen()
    schedule.moveTo(schedule.at + random.whole(0, 60) * HOUR_MS)
  }
  story.keepToItself()
}

type Setting = { shop: Shop; shopify: Shopify; random: Random; plan: Plan; schedule: Schedule; log: AppliedLog }

/** What is done again and again until nothing waits. */
const DAILY = ['time', 'backfill', 'imports', 'reconcile', 'customers', 'refetch', 'settle', 'outbox', 'fill'] as const

type Job = (typeof DAILY)[number] | 'recheck'

/** A wish that a shopper holds on to until there is an answer. */
type Wish = { member: string; reward: string; points?: number; key: string }

/** The players, and what they do in each round. */
class Game {
  readonly problems: string[] = []
  readonly #setting: Setting
  readonly #story: Story
  readonly #wishes: Wish[] = []
  #wished = 0
  #asked = 0

  constructor(setting: Setting, story: Story) {
    this.#setting = setting
    this.#story = story
  }

  async play(): Promise<void> {
    const { random, plan, schedule } = this.#setting
    await this.#together([this.#job('reconcile'), this.#job('customers')])
    schedule.setShares(plan.shares)
    for (let round = 0; round < plan.rounds; round += 1) {
      schedule.moveTo(schedule.at + random.whole(0, 60) * HOUR_MS)
      for (let things = random.whole(0, 4); things > 0; things -= 1) this.#story.happen()
      await this.#together(this.#players())
    }
    schedule.setShares(QUIET)
    await this.#becomeQuiet()
    schedule.moveTo(schedule.at + random.whole(0, 90) * 24 * HOUR_MS)
    await this.#becomeQuiet()
  }

  /** Who is at work in a round: the mail, two workers, and whatever else falls into it. */
  #players(): Promise<void>[] {
    const { random, plan } = this.#setting
    const players = [...this.#mail(), this.#work('worker-1'), this.#work('worker-2')]
    if (random.happens(0.7)) players.push(this.#job('time'))
    for (const name of ['outbox', 'settle', 'refetch'] as const) if (random.happens(0.5)) players.push(this.#job(name))
    if (random.happens(0.2)) players.push(this.#job('outbox'))
    if (plan.past && random.happens(0.5)) players.push(this.#job('backfill'))
    if (plan.lively && random.happens(0.5)) players.push(this.#job('imports'))
    for (const name of ['fill', 'reconcile', 'customers'] as const)
      if (random.happens(0.2)) players.push(this.#job(name))
    if (plan.spends) players.push(...this.#shoppers())
    if (plan.lively) players.push(...this.#people())
    return players
  }

  /** Everything is done that waits, without any more trouble. */
  async #becomeQuiet(): Promise<void> {
    const { schedule, shop } = this.#setting
    await this.#together([this.#job('recheck')])
    let waiting: string[] = []
    for (let rounds = 0; rounds < 30; rounds += 1) {
      await this.#together(this.#mail())
      for (const name of DAILY) {
        await this.#together([this.#work('worker-1')])
        await this.#together([this.#job(name)])
      }
      await this.#together([this.#work('worker-1')])
      waiting = await this.#findWaiting(shop.id)
      if (waiting.length === 0 && rounds > 0) return
      // Longer than any wait after a failure, and than any lease.
      schedule.moveTo(schedule.at + 61 * 60_000)
    }
    this.problems.push(`after a day without trouble there still waits: ${waiting.join(', ')}`)
  }

  async #findWaiting(shopId: number): Promise<string[]> {
    const { rows } = await pool.query<{ what: string }>(
      `select 'message ' || topic as what from inbox where shop_id = $1 and state = 'waiting'
       union all select 'effect ' || kind || ' ' || key || coalesce(': ' || error, '') from outbox
                  where shop_id = $1 and state = 'waiting' and due_at <= $2
       union all select 'import ' || state from imports where shop_id = $1 and state in ('checking', 'applying', 'undoing')
       union all select kind || ' ' || state from readings where shop_id = $1 and state in ('asked', 'running')
       union all select 'redemption ' || id from redemptions where shop_id = $1 and state in ('reserved', 'ending')`,
      [shopId, new Date(now() + 2 * HOUR_MS)],
    )
    return rows.map(({ what }) => what)
  }

  async #together(players: Promise<void>[]): Promise<void> {
    await this.#setting.schedule.run()
    await Promise.all(players)
  }

  /** The door takes letters in, several at a time; who gets no answer sends them again. */
  #mail(): Promise<void>[] {
    const { random, schedule, shop } = this.#setting
    const letters = this.#story.arrivals(now())
    const players: Promise<void>[] = []
    while (letters.length > 0) {
      const together = letters.splice(0, random.whole(1, 6))
      const messages = together.map(({ message }) => ({ ...message, shopId: shop.id }))
      const taken = this.#watch('door', () => storeMessages(messages, now()))
      players.push(
        taken.then((end) => void (end.how === 'done' || this.#story.again(together as Letter[], schedule.at))),
      )
    }
    return players
  }

  /** A worker drains until nothing is left for it. */
  async #work(name: string): Promise<void> {
    const { random, shop } = this.#setting
    const limit = random.whole(1, 8)
    await this.#watch(name, async () => {
      for (let rounds = 0; rounds < 100; rounds += 1) {
        const { done, failed, left } = await drainShop(shop.id, limit)
        if (failed > 0) throw new Error(`a message failed: ${await findFailure(shop.id)}`)
        if (done === 0 && left === 0) return
      }
    })
  }

  async #job(name: Job): Promise<void> {
    const { shop, shopify } = this.#setting
    const { admin } = shopify
    const jobs: Record<Job, () => Promise<unknown>> = {
      time: () => letTimePass(),
      recheck: () => recheckWorkDue(),
      outbox: () => carryOutShop(shop.id, () => admin),
      settle: () => settleRedemptions(shop, admin),
      refetch: () => refetchOrders(shop, admin),
      fill: () => fillCodePools(shop, admin),
      reconcile: async () => reconcile(await requireShop(shop.id), admin),
      customers: () => reconcileCustomers(shop, admin),
      imports: () => workOnImports(shop, admin),
      // Whoever dies in its midst gives no place back: each run is a process of its own.
      backfill: () => backfill(shop, admin, undefined, { free: 1 }),
    }
    await this.#watch(name, jobs[name])
  }

  /** Shoppers redeem, ask again when they heard nothing, sometimes in two tabs at once, and give codes back. */
  #shoppers(): Promise<void>[] {
    const { random } = this.#setting
    if (random.happens(0.6)) this.#wishes.push(this.#makeWish())
    if (random.happens(0.2)) this.#wishes.push(this.#makeWish())
    const players = this.#wishes.splice(0).flatMap((wish) => {
      const tabs = random.happens(0.25) ? 2 : 1
      return Array.from({ length: tabs }, () => this.#redeem(wish))
    })
    if (random.happens(0.3) && this.#story.purse.length > 0) players.push(this.#cancel(random.pick(this.#story.purse)))
    return players
  }

  #makeWish(): Wish {
    const { random } = this.#setting
    const reward = random.pick(['five-off', 'tenth', 'shipping', 'any', 'credit', 'card'])
    this.#wished += 1
    const points = reward === 'any' ? { points: random.pick([50, 100, 150]) } : {}
    return { member: random.pick(this.#story.customers), reward, ...points, key: `wish-${this.#wished}` }
  }

  async #redeem(wish: Wish): Promise<void> {
    const { random, shop, shopify } = this.#setting
    const end = await this.#watch('redeem', () => redeem(shop, shopify.admin, wish))
    if (end.how !== 'done') {
      if (random.happens(0.7)) this.#wishes.push(wish)
      return
    }
    const redeemed = end.result as Redeemed
    const code = redeemed.ok ? redeemed.redemption.code : null
    const isCode = !['credit', 'card'].includes(wish.reward)
    if (code !== null && isCode && !this.#story.purse.some((each) => each.code === code)) {
      this.#story.purse.push({ customer: wish.member, code, amount: wish.reward !== 'shipping', id: idOf(redeemed) })
    }
  }

  /** What the merchant and shoppers do on pages, and what Flow tells; and now and then another program. */
  #people(): Promise<void>[] {
    const { random, plan, shop } = this.#setting
    const players: Promise<void>[] = []
    for (let deeds = random.whole(0, 2); deeds > 0; deeds -= 1)
      players.push(this.#ask(random.pick(this.#story.customers)))
    if (random.happens(0.2)) players.push(this.#bringOver())
    if (random.happens(0.4)) players.push(this.#moveImports('apply', ['checked'], 'applying'))
    if (random.happens(0.2)) players.push(this.#moveImports('undo', ['done'], 'undoing'))
    if (random.happens(0.15)) {
      const document = makeDocument(random, plan)
      // In force a while later, as what is worked on at that instant goes by either.
      const publishing = () => publishProgram(shop.id, document, { effectiveAt: now() + HOUR_MS, at: now() })
      players.push(this.#watch('publish', publishing).then(() => undefined))
    }
    return players
  }

  async #ask(customer: string): Promise<void> {
    const { random, shop, plan, log } = this.#setting
    this.#asked += 1
    const [name, key] = [`ask-${this.#asked}`, `deed-${random.whole(1, this.#asked)}`]
    const by = { reason: 'they asked', actor: 'staff' }
    const deed = random.pick<(at: number) => Event>([
      (at) => ({ type: 'adjust', at, customer, points: 75, key: name, ...by }),
      (at) => ({ type: 'adjust', at, customer, points: -60, key: name, ...by }),
      (at) => ({ type: 'event', at, customer, name: 'review', key, order: null }),
      (at) => ({ type: 'birthday', at, customer, month: 5, day: (this.#asked % 28) + 1 }),
      (at) => ({ type: 'opt-in', at, customer, signUp: 'now' }),
      ...(plan.plain ? [] : [(at: number): Event => this.#placeTier(customer, at)]),
    ])
    await this.#watch(name, () => {
      const event = deed(now())
      log.noteAsked(name, event)
      return applyEvents(shop.id, [event], event.at)
    })
  }

  /** A file of members from another app: with customers of the store, strangers, and some twice. */
  async #bringOver(): Promise<void> {
    const { random, shop } = this.#setting
    const strangers = ['gid://shopify/Customer/1', 'somebody']
    const lines = Array.from({ length: random.whole(1, 4) }, () => {
      const customer = random
        .pick([...this.#story.customers, ...strangers])
        .split('/')
        .at(-1)
      const rest = [random.whole(0, 200), random.pick(['', 'Silver', 'Gold']), random.pick(['', '04-23'])]
      return [customer, ...rest].join(',')
    })
    const bytes = [Buffer.from(['Shopify Customer ID,Points,Tier,Birthday', ...lines].join('\n'))]
    const file = { fileName: 'members.csv', source: random.pick(['Smile.io', 'Rivo']), actor: 'staff' }
    await this.#watch('upload', () => takeImport(shop.id, { ...file, bytes: Readable.from(bytes) }))
  }

  /** The merchant agrees to what was checked, or wants back what was done. */
  async #moveImports(name: string, from: readonly ImportState[], to: ImportState): Promise<void> {
    const { shop } = this.#setting
    await this.#watch(name, async () => {
      const found = (await listImports(shop.id)).find(({ state }) => from.includes(state))
      if (found) await moveImport(shop.id, found.id, from, to, now())
    })
  }

  #placeTier(customer: string, at: number): Event {
    const level = ['silver', 'gold', null][this.#asked % 3]!
    const until = level === null ? null : at + 9 * 24 * HOUR_MS
    return { type: 'place-tier', at, customer, level, until, reason: 'they asked', actor: 'staff' }
  }

  async #cancel({ id }: { id: string }): Promise<void> {
    const { shop, shopify } = this.#setting
    await this.#watch('cancel', async () => {
      const redemption = await findRedemption(shop.id, id)
      if (redemption?.state === 'issued') await cancelRedemption(shop, shopify.admin, redemption)
    })
  }

  /** Puts somebody to work. Whoever dies, or loses the database or Shopify, is let go; anything else is a problem. */
  async #watch(name: string, work: () => Promise<unknown>): Promise<End> {
    const end = await this.#setting.schedule.start(name, work)
    if (end.how === 'failed' && !isExcused(end.error)) {
      this.problems.push(`${name} failed: ${end.error instanceof Error ? end.error.stack : String(end.error)}`)
    }
    return end
  }
}

async function findFailure(shopId: number): Promise<string> {
  const { rows } = await pool.query<{ what: string }>(
    `select topic || ': ' || error as what from inbox where shop_id = $1 and error is not null`,
    [shopId],
  )
  return rows.map(({ what }) => what).join('; ')
}

function idOf(redeemed: Redeemed): string {
  return redeemed.ok ? redeemed.redemption.id : ''
}

/** The outside was away: whoever comes next goes on. */
function isExcused(error: unknown): boolean {
  const { name, code, message } = error as { name?: string; code?: string; message?: string }
  if (name === 'AdminApiError' || name === 'TimeoutError' || message?.startsWith('The bulk result cannot be'))
    return true
  return (
    /^(57P0|08)/.test(code ?? '') || /terminated|not queryable|connection error|Client was closed/i.test(message ?? '')
  )
}

// Who is at work in a shop: the mail, workers and jobs, and what shoppers and the merchant do on pages.
import { Readable } from 'node:stream'
import { now } from '#app/clock.server.ts'
import { endCampaign, pauseCampaign, resumeCampaign } from '#app/db/campaigns.server.ts'
import { pool } from '#app/db/client.server.ts'
import { listImports, moveImport, type ImportState } from '#app/db/imports.server.ts'
import { storeMessages } from '#app/db/inbox.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { findRedemption } from '#app/db/redemptions.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { backfill } from '#app/jobs/backfill.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { fillCodePools } from '#app/jobs/fill-code-pools.ts'
import { workOnImports } from '#app/jobs/import-members.ts'
import { reconcileCustomers } from '#app/jobs/reconcile-customers.ts'
import { reconcile, refetchOrders } from '#app/jobs/reconcile.ts'
import { cancelRedemption, redeem, settleRedemptions, type Redeemed } from '#app/jobs/settle-redemptions.ts'
import { takeFeedback } from '#app/jobs/take-feedback.ts'
import { takeImport } from '#app/jobs/take-import.ts'
import type { Event } from '#app/loyalty/engine.ts'
import type { AppliedLog } from './applied.ts'
import { openApp } from './merchant.ts'
import { makeDocument, type Plan } from './plan.ts'
import type { Random } from './random.ts'
import type { End, Schedule } from './schedule.ts'
import type { Shopify } from './shopify.ts'
import type { Stage } from './stage.ts'
import type { Story, Letter } from './story.ts'
import type { Case } from './verdict.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

type Setting = {
  /** The first shop of the seed is 0. */
  index: number
  shop: Shop
  shopify: Shopify
  random: Random
  plan: Plan
  schedule: Schedule
  log: AppliedLog
  stage: Stage
}

type Job = 'backfill' | 'imports' | 'reconcile' | 'customers' | 'refetch' | 'settle' | 'outbox' | 'fill'

/** A wish that a shopper holds on to until there is an answer. */
type Wish = { member: string; reward: string; points?: number; key: string }

/** What a page answers in a shop that has no app. */
const NO_APP = { ok: false, reason: 'not_installed' }

/** The players of one shop, and what they do in each round. */
export class Game {
  readonly log: AppliedLog
  readonly #setting: Setting
  readonly #story: Story
  readonly #wishes: Wish[] = []
  #wished = 0
  #asked = 0
  /** The app was put on again, and nobody has opened it since. */
  #isToOpen = false

  constructor(setting: Setting, story: Story) {
    this.#setting = setting
    this.log = setting.log
    this.#story = story
  }

  /** What a problem of this shop begins with, where there are two. */
  get name(): string {
    return this.#setting.index === 0 ? '' : 'beside: '
  }

  /** All there is to look at in the end. */
  look(at: number): Case {
    const { shop, shopify, plan, log } = this.#setting
    return { shop, shopify, plan, log, at, isAway: this.#story.isAway }
  }

  close(): void {
    this.#setting.shopify.close()
  }

  begin(): Promise<void>[] {
    return [this.job('reconcile'), this.job('customers')]
  }

  /** What happens in the shop before a round. */
  live(round: number): void {
    const { random, plan, schedule } = this.#setting
    for (let things = random.whole(0, 4); things > 0; things -= 1) this.#story.happen()
    if (!plan.leaves) return
    const { round: leaving, backAfter } = plan.leaves
    if (round === leaving) this.#story.leave(schedule.at)
    this.#story.askForErasure(schedule.at)
    if (backAfter !== null && round === leaving + backAfter) this.#comeBack()
  }

  /** The rounds are over: whoever is still to come back does so, and whoever stays away is to be erased. */
  comeToRest(): void {
    const { plan, schedule } = this.#setting
    if (!this.#story.isAway) return
    if (plan.leaves!.backAfter !== null) return this.#comeBack()
    schedule.moveTo(this.#story.erasureDueAt ?? 0)
    this.#story.askForErasure(schedule.at)
  }

  #comeBack(): void {
    const { schedule } = this.#setting
    // Nobody does so within the same moment.
    schedule.moveTo(schedule.at + MINUTE_MS)
    this.#story.comeBack()
    this.#isToOpen = true
  }

  /** Who is at work in a round: the mail, two workers, and whatever else falls into it. */
  players(): Promise<void>[] {
    const { random, plan, index, stage } = this.#setting
    const players = [...this.mail(), this.work('worker-1'), this.work('worker-2')]
    if (index === 0 && random.happens(0.7)) players.push(stage.common('time'))
    for (const name of ['outbox', 'settle', 'refetch'] as const) if (random.happens(0.5)) players.push(this.job(name))
    if (random.happens(0.2)) players.push(this.job('outbox'))
    if (plan.past && random.happens(0.5)) players.push(this.job('backfill'))
    if (plan.lively && random.happens(0.5)) players.push(this.job('imports'))
    for (const name of ['fill', 'reconcile', 'customers'] as const)
      if (random.happens(0.2)) players.push(this.job(name))
    if (random.happens(0.6)) players.push(...this.opening())
    // Without the app there are no pages, neither for shoppers nor for the merchant.
    if (this.#story.isAway) return players
    if (plan.spends) players.push(...this.#shoppers())
    if (plan.lively) players.push(...this.#answers())
    if (plan.lively && !this.#isToOpen) players.push(...this.#people())
    return players
  }

  /** What is not done yet. Of a shop that has no app only what has come in: for all else Shopify would have to be asked. */
  async findWaiting(): Promise<string[]> {
    const { shop } = this.#setting
    const { rows } = await pool.query<{ what: string }>(
      `select 'message ' || topic as what from inbox where shop_id = $1 and state = 'waiting'
       union all select 'effect ' || kind || ' ' || key || coalesce(': ' || error, '') from outbox
                  where shop_id = $1 and state = 'waiting' and due_at <= $2
       union all select 'erasure' from shops where id = $1 and settings ->> 'erase' = 'true'
       union all select 'import ' || state from imports
                  where shop_id = $1 and state in ('checking', 'applying', 'undoing') and not $3
       union all select kind || ' ' || state from readings where shop_id = $1 and state in ('asked', 'running') and not $3
       union all select 'redemption ' || id from redemptions
                  where shop_id = $1 and state in ('reserved', 'ending') and not $3`,
      [shop.id, new Date(now() + 2 * HOUR_MS), this.#story.isAway],
    )
    const opens = this.#isToOpen ? ['the merchant'] : []
    return [...opens, ...rows.map(({ what }) => what), ...(this.#story.isWaiting(now()) ? ['news'] : [])]
  }

  /** The merchant opens the app for the first time since it was put on again: nothing else tells it. */
  opening(): Promise<void>[] {
    if (!this.#isToOpen) return []
    const { shopify } = this.#setting
    const opened = this.#watch('merchant', () => openApp(shopify.domain))
    return [opened.then((end) => void (this.#isToOpen = end.how !== 'done'))]
  }

  /** The door takes letters in, several at a time; who gets no answer sends them again. */
  mail(): Promise<void>[] {
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
  async work(name: string): Promise<void> {
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

  /** Work that speaks with Shopify, as the worker has it: none for a shop that has no app. */
  async job(name: Job): Promise<void> {
    const { shop, shopify } = this.#setting
    const { admin } = shopify
    const jobs: Record<Job, () => Promise<unknown>> = {
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
    await this.#watch(name, async () => {
      if (await this.#hasApp()) await jobs[name]()
    })
  }

  async #hasApp(): Promise<boolean> {
    return (await requireShop(this.#setting.shop.id)).uninstalledAt === null
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
    const end = await this.#watch('redeem', async () =>
      (await this.#hasApp()) ? redeem(shop, shopify.admin, wish) : NO_APP,
    )
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
    players.push(...this.#stopOrGoOn())
    if (random.happens(0.15)) {
      const document = makeDocument(random, plan)
      // In force a while later, as what is worked on at that instant goes by either.
      const publishing = () => publishProgram(shop.id, document, { effectiveAt: now() + HOUR_MS, at: now() })
      players.push(this.#watch('publish', publishing).then(() => undefined))
    }
    return players
  }

  /** The merchant lets the campaign rest, go on, or end. */
  #stopOrGoOn(): Promise<void>[] {
    const { random, shop, plan } = this.#setting
    const { campaigns } = plan.document
    if (campaigns.length === 0 || !random.happens(0.4)) return []
    const { id } = random.pick(campaigns)
    const step = random.pick([
      () => pauseCampaign(shop.id, id, now()),
      () => pauseCampaign(shop.id, id, now()),
      () => resumeCampaign(shop.id, id, now()),
      () => resumeCampaign(shop.id, id, now()),
      () => endCampaign(shop.id, id, now(), 'by hand'),
    ])
    return [this.#watch('campaign', step).then(() => undefined)]
  }

  /** Shoppers answer the shop's question, sometimes in two tabs at once. */
  #answers(): Promise<void>[] {
    const { random, shop } = this.#setting
    if (!random.happens(0.4)) return []
    const customer = random.pick(this.#story.customers)
    const said = { score: random.whole(0, 10), comment: random.pick([null, 'as always']) }
    const take = async () => ((await this.#hasApp()) ? takeFeedback(shop.id, customer, said) : NO_APP)
    return Array.from({ length: random.happens(0.25) ? 2 : 1 }, () => this.#watch('answer', take).then(() => undefined))
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
      log.noteAsked(this.#nameOf(name), event)
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

  /** Actors of a second shop are known by its number. */
  #watch(name: string, work: () => Promise<unknown>): Promise<End> {
    return this.#setting.stage.watch(this.#nameOf(name), work)
  }

  #nameOf(name: string): string {
    const { index } = this.#setting
    return index === 0 ? name : `${name}@${index}`
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

// One seed: weeks in a shop, and in some seeds in another beside it, played to the real pipeline on a real PostgreSQL beside Shopify's stand-in,
// while workers, jobs and shoppers take turns and connections break, processes die, the database restarts and Shopify fails. In the end,
// when all is quiet, points, codes, cards and ledger are what they must be.
import type pg from 'pg'
import { now } from '#app/clock.server.ts'
import { publishProgram, setHistoryEarns } from '#app/db/programs.server.ts'
import { installShop } from '#app/db/shops.server.ts'
import { askBackfill } from '#app/jobs/backfill.ts'
import { AppliedLog } from './applied.ts'
import { Game } from './game.ts'
import { loadApp, openApp } from './merchant.ts'
import { openPlace, type Place, type Server } from './place.ts'
import { makeNeighbour, makePlan, type Plan } from './plan.ts'
import { schedulePostgres } from './postgres.ts'
import { seededRandom, type Random } from './random.ts'
import { Schedule, type Shares } from './schedule.ts'
import { openShopify, type Shopify } from './shopify.ts'
import { Stage } from './stage.ts'
import { Story } from './story.ts'
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
const DAY_MS = 24 * HOUR_MS
/** What is done again and again until nothing waits: for all shops, and for each. */
const COMMON = ['time', 'erase', 'drop'] as const
const DAILY = ['backfill', 'imports', 'reconcile', 'customers', 'refetch', 'settle', 'outbox', 'fill'] as const
const QUIET: Shares = { statement: 0, call: 0, restart: 0 }

/** Plays one seed and says what came of it. The same seed takes the same steps in the same order. */
export async function simulateFaults(seed: number, server: Server, more: { restarts?: number } = {}): Promise<Outcome> {
  const random = seededRandom(seed)
  const plan = makePlan(random, more.restarts)
  const plans = [plan, makeNeighbour(random, plan)].filter((each) => each !== null)
  const schedule = new Schedule(random, START)
  const giveTimeBack = schedule.takeTime()
  try {
    const place = await openPlace(server)
    try {
      return await play(seed, plans, { random, schedule, place })
    } finally {
      await place.close()
    }
  } finally {
    giveTimeBack()
  }
}

type Setting = { random: Random; schedule: Schedule; place: Place }

async function play(seed: number, plans: readonly Plan[], setting: Setting): Promise<Outcome> {
  const { schedule, place } = setting
  const stage = new Stage(schedule)
  const games: Game[] = []
  await loadApp()
  for (const [index, plan] of plans.entries()) games.push(await open(plan, index, stage, setting))
  const untap = schedulePostgres(schedule, {
    query: ((...args: Parameters<pg.Client['query']>) => place.watch().query(...args)) as pg.Client['query'],
    restart: place.restart,
    onCommit: async (actor) => {
      for (const { log } of games) await log.noteCommit(actor.name)
    },
    onStatement: async (label) => {
      for (const { log } of games) {
        if (label === 'store-messages') await log.noteMessages()
        if (label.startsWith('update import_lines l')) await log.noteLines()
      }
    },
  })
  try {
    await playTogether(games, stage, setting, plans[0]!)
  } finally {
    untap()
  }
  try {
    const outcome = { problems: stage.problems, transfers: 0, redemptions: 0 }
    for (const game of games) {
      const { problems, transfers, redemptions } = await judge(game.look(now()))
      outcome.problems.push(...problems.map((problem) => game.name + problem))
      outcome.transfers += transfers
      outcome.redemptions += redemptions
    }
    const { turns, faults, restarts, lines } = schedule
    return { seed, trace: schedule.trace(), turns, faults, restarts, ...outcome, lines }
  } finally {
    for (const game of games.toReversed()) game.close()
  }
}

/** A shop before anything goes wrong: lived in or new, with the app just put on and its first program published. */
async function open(plan: Plan, index: number, stage: Stage, { random, schedule, place }: Setting): Promise<Game> {
  const domain = index === 0 ? place.domain : `beside-${place.domain}`
  const shopify = openShopify(schedule, domain, { signsIn: plan.leaves !== null })
  const story = new Story(random, shopify.store, domain)
  if (plan.past) liveBefore(story, random, schedule)
  const at = now()
  const shop = await install(shopify, plan, at)
  await publishProgram(shop.id, plan.document, { effectiveAt: plan.past ? at : 0, at })
  if (plan.past) {
    await setHistoryEarns(shop.id, plan.past.earns)
    await askBackfill(shop.id)
  }
  const log = new AppliedLog(shop.id, place.watch, new Set(['any']))
  return new Game({ index, shop, shopify, random, plan, schedule, log, stage }, story)
}

function install({ domain }: Shopify, { leaves }: Plan, at: number) {
  if (leaves) return openApp(domain)
  return installShop(domain, { name: 'Beans', currency: 'EUR', timezone: 'Europe/Berlin' }, at)
}

/** Some weeks in a shop that has no app yet. */
function liveBefore(story: Story, random: Random, schedule: Schedule): void {
  for (let things = random.whole(1, 12); things > 0; things -= 1) {
    story.happen()
    schedule.moveTo(schedule.at + random.whole(0, 60) * HOUR_MS)
  }
  story.keepToItself()
}

async function playTogether(
  games: readonly Game[],
  stage: Stage,
  { random, schedule }: Setting,
  { rounds, shares, leaves }: Plan,
): Promise<void> {
  await stage.together(games.flatMap((game) => game.begin()))
  schedule.setShares(shares)
  for (let round = 0; round < rounds; round += 1) {
    schedule.moveTo(schedule.at + random.whole(0, 60) * HOUR_MS)
    for (const game of games) game.live(round)
    const forGone = (['erase', 'drop'] as const).filter(() => leaves && random.happens(0.4))
    const players = games.flatMap((game) => game.players())
    await stage.together([...players, ...forGone.map((name) => stage.common(name))])
  }
  schedule.setShares(QUIET)
  for (const game of games) game.comeToRest()
  await becomeQuiet(games, stage, schedule)
  // The latest news have come in by then; a token that nobody used for 90 days could not be renewed.
  schedule.moveTo(schedule.at + (leaves ? random.whole(13, 80) : random.whole(0, 90)) * DAY_MS)
  await becomeQuiet(games, stage, schedule)
}

/** Everything is done that waits, without any more trouble. */
async function becomeQuiet(games: readonly Game[], stage: Stage, schedule: Schedule): Promise<void> {
  const together = (players: (game: Game) => Promise<void>[]) => stage.together(games.flatMap(players))
  await stage.together([stage.common('recheck')])
  let waiting: string[] = []
  for (let rounds = 0; rounds < 30; rounds += 1) {
    await together((game) => game.mail())
    await together((game) => game.opening())
    for (const name of COMMON) {
      await together((game) => [game.work('worker-1')])
      await stage.together([stage.common(name)])
    }
    for (const name of DAILY) {
      await together((game) => [game.work('worker-1')])
      await together((game) => [game.job(name)])
    }
    await together((game) => [game.work('worker-1')])
    waiting = (await Promise.all(games.map((game) => game.findWaiting()))).flat()
    if (waiting.length === 0 && rounds > 0) return
    // Longer than any wait after a failure, and than any lease.
    schedule.moveTo(schedule.at + 61 * 60_000)
  }
  stage.problems.push(`after a day without trouble there still waits: ${waiting.join(', ')}`)
}

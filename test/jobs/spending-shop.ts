import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { onTestFinished } from 'vitest'
import { now } from '#app/clock.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { installShop } from '#app/db/shops.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { parseAcceptedProgram } from '#app/loyalty/parse-program.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { adminClient } from '#app/shopify/admin-api.server.ts'
import type { AdminClient, Patience } from '#app/shopify/admin-api.server.ts'
import { throttleOf } from '#app/shopify/throttle.server.ts'
import { Buckets } from '../dev-store/api/cost.ts'
import { executeRequest } from '../dev-store/api/execute.ts'
import { createStore } from '../dev-store/state.ts'
import type { DevStore } from '../dev-store/state.ts'

/**
 * What goes wrong with one request: `lost` is carried out, and its answer never comes. `died` is our process ending there. `refused` will
 * never be done. `strange` is an answer that we cannot read, as after a mistake of ours.
 */
export type Trouble = '500' | 'throttled' | 'timeout' | 'lost' | 'died' | 'refused' | 'strange'

export type SpendingShop = {
  store: DevStore
  shop: Shop
  admin: AdminClient
  /** A customer's gid with that many points to spend. */
  member: (points: number) => Promise<string>
  /** The operations the shop was asked for, in order. */
  operations: string[]
  /** Makes the next `times` requests of an operation (null: any) go wrong. */
  trouble: (operation: string | null, kind: Trouble, times?: number) => void
  /** Everything works again. */
  heal: () => void
}

/** Thrown where a test lets the process end in the middle of a request. It goes with its database, so that nobody notes anything of it. */
export class Died extends Error {
  readonly code = '57P01'
}

/** What an app needs to give store credit and gift cards. */
export const CREDIT_SCOPES = [
  'write_store_credit_account_transactions',
  'read_store_credit_accounts',
  'write_gift_cards',
]

const QUICK: Patience = { totalMs: 2_500, attemptMs: 250, attempts: 2 }
let made = 0

/** A dev store with a shop, the same shop in the database with a program, and Shopify's one way out led to that store. */
export async function openSpendingShop(
  rewards: unknown[] | ((store: DevStore, domain: string) => unknown[]),
  more: Partial<ProgramDocument> = {},
  patience: Patience = QUICK,
  /** Is given what is to be done in the end; a hook, which outlives a test, keeps it itself. */
  whenDone: (close: () => void) => void = onTestFinished,
): Promise<SpendingShop> {
  made += 1
  const domain = `spending-${process.pid}-${made}.myshopify.com`
  const currency = more.currency ?? 'USD'
  const store = createStore({ appUrl: 'http://127.0.0.1:9', apiKey: 'key', apiSecret: 'secret', retryDelaysMs: [] })
  store.addShop({ domain, currency, name: 'Beans' } as Parameters<DevStore['addShop']>[0])
  store.installApp(domain, [...store.app.scopes, ...CREDIT_SCOPES])
  const token = store.issueToken(domain)
  const buckets = new Buckets()
  const troubles: { operation: string | null; kind: Trouble; times: number }[] = []
  const operations: string[] = []

  const before = abstractFetch
  setAbstractFetchFunc((async (url: string | URL, init?: RequestInit) => {
    if (new URL(String(url)).host !== domain) return before(url as never, init as never)
    const request = JSON.parse(String(init?.body)) as { query: string }
    const operation = /(?:query|mutation)\s+(\w+)/.exec(request.query)?.[1] ?? ''
    operations.push(operation)
    const trouble = troubles.find((each) => each.times > 0 && (each.operation ?? operation) === operation)
    if (trouble) trouble.times -= 1
    if (trouble?.kind === '500') return new Response('Internal Server Error', { status: 500 })
    if (trouble?.kind === 'refused') return new Response('Bad Request', { status: 400 })
    if (trouble?.kind === 'strange') return reply({ data: {} })
    if (trouble?.kind === 'timeout') return never(init)
    if (trouble?.kind === 'throttled') return reply(throttled())
    const context = { store, domain, origin: 'http://127.0.0.1:9', token }
    const answer = await executeRequest(context, buckets, request)
    if (trouble?.kind === 'lost') return never(init)
    if (trouble?.kind === 'died') throw new Died(`the process died after ${operation}`)
    return reply(answer)
  }) as typeof abstractFetch)
  whenDone(() => {
    setAbstractFetchFunc(before)
    store.close()
  })

  const shop = await installShop(domain, { name: 'Beans', currency, timezone: 'UTC' }, now() - 86_400_000)
  const offered = typeof rewards === 'function' ? rewards(store, domain) : rewards
  await publishProgram(shop.id, makeProgram(offered, more), { effectiveAt: 0, at: now() })
  return {
    store,
    shop,
    admin: adminClient({ shop: domain, accessToken: () => Promise.resolve(token.accessToken), patience }),
    operations,
    trouble: (operation, kind, times = 1) => void troubles.push({ operation, kind, times }),
    heal: () => {
      troubles.splice(0)
      throttleOf(domain).learn({ maximumAvailable: 2000, currentlyAvailable: 2000, restoreRate: 100 })
    },
    member: (points) => giveMember(store, shop, points),
  }
}

/** A program with these rewards, in which points come by hand and nothing waits. */
export function makeProgram(rewards: unknown[], more: Partial<ProgramDocument> = {}): ProgramDocument {
  const parsed = parseAcceptedProgram({
    version: 1,
    name: 'Bean Club',
    pointsName: { one: 'bean', other: 'beans' },
    currency: 'USD',
    timezone: 'UTC',
    hold: { days: 0 },
    earning: [{ id: 'purchase', on: 'order', points: 5, per: '1.00' }],
    rewards,
    ...more,
  })
  if (!parsed.ok) throw new Error(parsed.problems.map(({ field, message }) => `${field} ${message}`).join('; '))
  return parsed.document
}

async function giveMember(store: DevStore, shop: Shop, points: number): Promise<string> {
  const customer = store.createCustomer(shop.domain, {
    email: `shopper-${Math.floor(performance.now() * 1000)}@example.com`,
  })
  const at = now()
  const adjust = {
    type: 'adjust',
    at,
    customer: customer.id,
    reason: 'test',
    actor: 'test',
    key: `gift:${customer.id}`,
  } as const
  const applied = await applyEvents(
    shop.id,
    [{ type: 'customer', at, customer: customer.id, state: 'enabled' }, ...(points > 0 ? [{ ...adjust, points }] : [])],
    at,
  )
  if (!applied.ok) throw new Error(applied.reason)
  for (const { refused } of applied.changes) if (refused) throw new Error(`refused: ${refused}`)
  return customer.id
}

function reply(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } })
}

function throttled() {
  const throttleStatus = { maximumAvailable: 2000, currentlyAvailable: 0, restoreRate: 1 }
  return {
    errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
    extensions: { cost: { requestedQueryCost: 10, actualQueryCost: null, throttleStatus } },
  }
}

/** No answer until the asker gives up. */
function never(init?: RequestInit): Promise<Response> {
  return new Promise((_, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error))
  })
}

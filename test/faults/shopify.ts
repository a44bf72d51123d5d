// Shopify under a schedule: the dev store's own Admin API, in this process. Each call of an actor is a turn, and the seed decides
// whether it is answered, refused for the moment, answered too late, or never.
import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { adminClient, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { Buckets } from '#test/dev-store/api/cost.ts'
import { executeRequest } from '#test/dev-store/api/execute.ts'
import { checkToken } from '#test/dev-store/installation.ts'
import { accessTokenReply, readBody } from '#test/dev-store/oauth.ts'
import { createStore, type DevStore } from '#test/dev-store/state.ts'
import { accessTokenOf } from './merchant.ts'
import { currentActor, type Fault, type Schedule } from './schedule.ts'

export type Shopify = {
  store: DevStore
  domain: string
  /** The Admin API in the shop's name. */
  admin: AdminClient
  close: () => void
}

const BULK_RESULT = 'bulk result'
const TOKEN = 'access token'
const ORIGIN = 'http://127.0.0.1:9'
const OPTIONAL_SCOPES = ['write_store_credit_account_transactions', 'read_store_credit_accounts', 'write_gift_cards']
/** The bucket is full again a moment after it was empty: how long a call waits does not depend on what earlier seeds have cost. */
const BUCKET = { maximumAvailable: 20_000, restoreRate: 1_000_000 }
/** Many attempts would hide what fails; time is the schedule's and does not matter. */
const PATIENCE = { totalMs: 90_000, attemptMs: 20_000, attempts: 2 }

/**
 * Opens a dev store with one shop and leads the app's one way out to it; a second one stands beside the first and gives the same numbers.
 * Webhooks are held: the story carries them. With `signsIn`, the app has the tokens that it gets for itself, and they are looked at;
 * otherwise one that is good for ever, which spares most seeds the steps.
 */
export function openShopify(schedule: Schedule, domain: string, { signsIn }: { signsIn: boolean }): Shopify {
  const apiKey = process.env.SHOPIFY_API_KEY!
  const store = createStore({ appUrl: ORIGIN, apiKey, apiSecret: process.env.SHOPIFY_API_SECRET!, retryDelaysMs: [] })
  store.addShop({ domain, currency: 'EUR', name: 'Beans', plan: 'plus' } as Parameters<DevStore['addShop']>[0])
  installApp(store, domain)
  store.setWebhookMode({ hold: true })
  const results = `http://results.${domain}`
  const given = store.issueToken(domain)
  const before = abstractFetch
  setAbstractFetchFunc((async (url: string | URL, init?: RequestInit) => {
    const { host, origin, pathname } = new URL(String(url))
    if (origin === results) return pass(schedule, BULK_RESULT, () => bulkResult(store, pathname))
    if (host !== domain) return before(url as never, init as never)
    const asked = new Request(url, init)
    const body = await readBody(asked)
    if (pathname === '/admin/oauth/access_token') {
      return pass(schedule, TOKEN, () => Promise.resolve(accessTokenReply(store, domain, body)))
    }
    const label = /(?:query|mutation)\s+(\w+)/.exec(String(body.query))?.[1] ?? ''
    const run = async () => {
      const said = signsIn ? asked.headers.get('X-Shopify-Access-Token') : given.accessToken
      const checked = signsIn ? checkToken(store.tables, domain, said) : { ok: true as const, token: given }
      if (!checked.ok) return Response.json({ errors: 'Invalid API key or access token' }, { status: 401 })
      // A bucket of its own for each call: it is the schedule that says what is throttled.
      const answer = await executeRequest({ store, domain, origin: results, token: checked.token }, new Buckets(), body)
      return reply({ ...answer, extensions: { cost: costOf(answer.extensions) } })
    }
    return pass(schedule, label, run)
  }) as typeof abstractFetch)
  const accessToken = () => (signsIn ? accessTokenOf(domain) : Promise.resolve(given.accessToken))
  return {
    store,
    domain,
    admin: adminClient({ shop: domain, accessToken, patience: PATIENCE }),
    close: () => {
      setAbstractFetchFunc(before)
      store.close()
    },
  }
}

/** Puts the app on, with all that it may be allowed. */
export function installApp(store: DevStore, domain: string): void {
  store.installApp(domain, [...store.app.scopes, ...OPTIONAL_SCOPES])
}

function pass(schedule: Schedule, label: string, run: () => Promise<Response>): Promise<Response> {
  const actor = currentActor()
  return schedule.pass('call', label, async (drawn) => {
    // Only the Admin API has a bucket.
    const fault = drawn === 'throttled' && (label === BULK_RESULT || label === TOKEN) ? '500' : drawn
    if (fault === 'dies-before') await schedule.die(actor!)
    const answer = actor?.dead ? null : await carry(run, fault)
    if (fault === 'dies-after') await schedule.die(actor!)
    // Whoever is dead hears nothing.
    return answer as Response
  })
}

async function carry(run: () => Promise<Response>, fault: Fault): Promise<Response> {
  switch (fault) {
    case '500':
      return new Response('Internal Server Error', { status: 500 })
    case 'throttled':
      return reply({
        errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
        extensions: { cost: { ...costOf(undefined), throttleStatus: { ...BUCKET, currentlyAvailable: 0 } } },
      })
    case 'timeout':
      throw noAnswer()
    case 'lost':
      await run()
      throw noAnswer()
    default:
      return run()
  }
}

/** What a bulk operation has collected, as `test/dev-store/server.ts` gives it out. */
function bulkResult(store: DevStore, pathname: string): Promise<Response> {
  const id = /^\/bulk\/(\d+)\.jsonl$/.exec(pathname)?.[1]
  const result = store.tables.get('bulkOperations', `gid://shopify/BulkOperation/${id}`)?.result
  return Promise.resolve(new Response(result ?? 'No such result.', { status: result == null ? 404 : 200 }))
}

function noAnswer(): DOMException {
  return new DOMException('The operation was aborted due to timeout', 'TimeoutError')
}

function reply(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } })
}

function costOf(extensions: unknown) {
  const { requestedQueryCost = 10 } = (extensions as { cost?: { requestedQueryCost?: number } } | undefined)?.cost ?? {}
  const throttleStatus = { ...BUCKET, currentlyAvailable: BUCKET.maximumAvailable }
  return { requestedQueryCost, actualQueryCost: requestedQueryCost, throttleStatus }
}

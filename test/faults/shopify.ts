// Shopify under a schedule: the dev store's own Admin API, in this process. Each call of an actor is a turn, and the seed decides
// whether it is answered, refused for the moment, answered too late, or never.
import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { adminClient, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { Buckets } from '#test/dev-store/api/cost.ts'
import { executeRequest } from '#test/dev-store/api/execute.ts'
import { createStore, type DevStore } from '#test/dev-store/state.ts'
import { currentActor, type Fault, type Schedule } from './schedule.ts'

export type Shopify = {
  store: DevStore
  domain: string
  admin: AdminClient
  close: () => void
}

const BULK_RESULT = 'bulk result'
const ORIGIN = 'http://127.0.0.1:9'
const OPTIONAL_SCOPES = ['write_store_credit_account_transactions', 'read_store_credit_accounts', 'write_gift_cards']
/** The bucket is full again a moment after it was empty: how long a call waits does not depend on what earlier seeds have cost. */
const BUCKET = { maximumAvailable: 20_000, restoreRate: 1_000_000 }
/** Many attempts would hide what fails; time is the schedule's and does not matter. */
const PATIENCE = { totalMs: 90_000, attemptMs: 20_000, attempts: 2 }

/** Opens a dev store with one shop and leads the app's one way out to it. Webhooks are held: the story carries them. */
export function openShopify(schedule: Schedule, domain: string): Shopify {
  const store = createStore({ appUrl: ORIGIN, apiKey: 'key', apiSecret: 'secret', retryDelaysMs: [] })
  store.addShop({ domain, currency: 'EUR', name: 'Beans', plan: 'plus' } as Parameters<DevStore['addShop']>[0])
  store.installApp(domain, [...store.app.scopes, ...OPTIONAL_SCOPES])
  store.setWebhookMode({ hold: true })
  const token = store.issueToken(domain)
  const before = abstractFetch
  const pass = (label: string, run: () => Promise<Response>) => {
    const actor = currentActor()
    return schedule.pass('call', label, async (drawn) => {
      // Where results of bulk operations lie nothing is throttled.
      const fault = drawn === 'throttled' && label === BULK_RESULT ? '500' : drawn
      if (fault === 'dies-before') await schedule.die(actor!)
      const answer = actor?.dead ? null : await carry(run, fault)
      if (fault === 'dies-after') await schedule.die(actor!)
      return answer
    })
  }
  setAbstractFetchFunc((async (url: string | URL, init?: RequestInit) => {
    const { host, origin, pathname } = new URL(String(url))
    if (origin === ORIGIN) return pass(BULK_RESULT, () => bulkResult(store, pathname))
    if (host !== domain) return before(url as never, init as never)
    const request = JSON.parse(String(init?.body)) as { query: string }
    const label = /(?:query|mutation)\s+(\w+)/.exec(request.query)?.[1] ?? ''
    const run = async () => {
      // A bucket of its own for each call: it is the schedule that says what is throttled.
      const answer = await executeRequest({ store, domain, origin: ORIGIN, token }, new Buckets(), request)
      return reply({ ...answer, extensions: { cost: costOf(answer.extensions) } })
    }
    return pass(label, run)
  }) as typeof abstractFetch)
  return {
    store,
    domain,
    admin: adminClient({ shop: domain, accessToken: () => Promise.resolve(token.accessToken), patience: PATIENCE }),
    close: () => {
      setAbstractFetchFunc(before)
      store.close()
    },
  }
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

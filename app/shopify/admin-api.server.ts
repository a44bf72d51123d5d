import '@shopify/shopify-api/adapters/node'
import { ApiVersion } from '@shopify/shopify-api'
import { abstractFetch } from '@shopify/shopify-api/runtime'
import { ClientError, GraphQLClient } from 'graphql-request'
import { z } from 'zod'
import { throttleOf } from './throttle.server.ts'
import type { Throttle } from './throttle.server.ts'

/**
 * The Admin GraphQL API for work outside a merchant's request: jobs, and redemptions in the storefront. One *client* speaks for one
 * shop. It waits for the shop's bucket (throttle.server.ts), tries again what can be tried again, and fails with a reason.
 *
 * Every document it is given is a template marked `#graphql` and lives in app/shopify/: a test validates them all against
 * Shopify's schema of this version, deprecated fields refused.
 */
export const ADMIN_API_VERSION = ApiVersion.October26

/**
 * Why a request came to nothing.
 * - `throttled`: the bucket stayed empty for longer than the caller's patience. Nothing was done.
 * - `unavailable`: Shopify answered 5xx, 429 or not at all. A mutation **may have happened**.
 * - `timeout`: no answer within the attempt's time. A mutation **may have happened**.
 * - `unauthorized`: the token is refused: uninstalled, or the scope is missing.
 * - `refused`: Shopify understood and will never do it (a document or variable of ours is wrong).
 */
export type AdminApiReason = 'throttled' | 'unavailable' | 'timeout' | 'unauthorized' | 'refused'

/** Thrown by a client when a request came to nothing; `reason` says what may be assumed. Messages carry no customer data. */
export class AdminApiError extends Error {
  override name = 'AdminApiError'
  readonly reason: AdminApiReason
  readonly shop: string
  /** True when a mutation that failed may have been carried out all the same, by this attempt or an earlier one. */
  readonly mayHaveHappened: boolean

  constructor(
    reason: AdminApiReason,
    shop: string,
    detail: string,
    { mayHaveHappened = false, ...options }: ErrorOptions & { mayHaveHappened?: boolean } = {},
  ) {
    super(`Shopify Admin API of ${shop}: ${reason}: ${detail}`, options)
    this.reason = reason
    this.shop = shop
    this.mayHaveHappened = mayHaveHappened || leavesOpen(reason)
  }

  /** True when the same request may do better later. */
  get passing(): boolean {
    return this.reason === 'throttled' || this.reason === 'unavailable' || this.reason === 'timeout'
  }
}

/** Whether there is no session for the shop: nobody has opened the app since it was installed, so there is no access token. */
export function isWithoutSession(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.name === 'SessionNotFoundError' || /could not find a session/i.test(error.message)
}

/** Whether the request may have been carried out, as far as we can know. */
function leavesOpen(reason: AdminApiReason): boolean {
  return reason === 'unavailable' || reason === 'timeout'
}

/** How long and how often a caller is ready to wait, in milliseconds. */
export type Patience = {
  /** Time for everything, waits included. */
  totalMs: number
  /** Time for one attempt. */
  attemptMs: number
  attempts: number
}

/** A shopper looks at a spinner. */
export const SHOPPER_PATIENCE: Patience = { totalMs: 6_000, attemptMs: 4_000, attempts: 2 }
/** A job has time. */
export const JOB_PATIENCE: Patience = { totalMs: 90_000, attemptMs: 20_000, attempts: 4 }

/** How one request is made. */
export type AdminRequestOptions = {
  /** For mutations that must not run twice (store credit has no key of its own): only what was surely not run is tried again. */
  once?: boolean
}

/** How to speak to the Admin API for one shop. */
export type AdminClient = {
  readonly shop: string
  /**
   * Runs a document and returns its data as `schema` reads it. Throws AdminApiError. User errors are data: the schema asks for
   * them, and the caller judges them.
   */
  request: <Data>(
    document: string,
    variables: Record<string, unknown>,
    schema: z.ZodType<Data>,
    options?: AdminRequestOptions,
  ) => Promise<Data>
}

/** What a client is made of. */
export type AdminClientOptions = {
  /** The shop's myshopify domain. */
  shop: string
  /** The shop's offline access token, fresh. Asked for once per attempt; may throw. */
  accessToken: () => Promise<string>
  /** Gets another token where Shopify refuses the first (HTTP 401), with which the request is made again; null where there is none. */
  renewToken?: () => Promise<string | null>
  patience?: Patience
}

/** Makes a client for one shop. It keeps nothing but the shop's throttle, so that making one costs nothing. */
export function adminClient({
  shop,
  accessToken,
  renewToken,
  patience = JOB_PATIENCE,
}: AdminClientOptions): AdminClient {
  const url = `https://${shop}/admin/api/${ADMIN_API_VERSION}/graphql.json`
  const throttle = throttleOf(shop)

  async function attempt(
    document: string,
    variables: object,
    timeoutMs: number,
    tokenOf: () => Promise<string>,
  ): Promise<Attempt> {
    const token = await tokenOf().catch((error: unknown) => {
      // So Shopify's library says that it asked for a token and got none.
      if (error instanceof Response) return null
      throw error
    })
    if (token === null) return { ok: false, reason: 'unavailable', detail: 'no token is to be had' }
    const graphql = new GraphQLClient(url, {
      // Shopify's library is the app's one way out (and the dev store's one seam); the binding is read at call time on purpose.
      fetch: (input, init) => abstractFetch(input as string, init),
      headers: { 'X-Shopify-Access-Token': token },
      errorPolicy: 'all',
    })
    try {
      const signal = AbortSignal.timeout(timeoutMs)
      const reply = await graphql.rawRequest<unknown>({ query: document, variables, signal })
      return judgeReply(reply.data, reply.errors, reply.extensions)
    } catch (error) {
      return judgeFailure(error)
    }
  }

  return {
    shop,
    async request(document, variables, schema, { once = false } = {}) {
      const startedAt = performance.now()
      const leftMs = () => patience.totalMs - (performance.now() - startedAt)
      let last: Attempt & { ok: false } = { ok: false, reason: 'throttled', detail: 'the bucket is empty', pauseMs: 0 }
      let mayHaveHappened = false
      let tokenOf = accessToken

      for (let count = 1; count <= patience.attempts;) {
        const admitted = await throttle.admit(estimateCost(document), leftMs())
        if (!admitted.ok) break
        const outcome = await attempt(
          document,
          variables,
          Math.max(1, Math.floor(Math.min(patience.attemptMs, leftMs()))),
          tokenOf,
        )
        if (outcome.cost) learnCost(document, outcome.cost, throttle)
        if (outcome.ok) return schema.parse(outcome.data)
        last = outcome
        mayHaveHappened ||= leavesOpen(outcome.reason) && outcome.status !== 429
        if (outcome.status === 401 && renewToken && tokenOf === accessToken) {
          const renewed = await renewToken()
          tokenOf = () => Promise.resolve(renewed ?? '')
          if (renewed !== null) continue
        }
        const surelyNotRun = outcome.reason === 'throttled' || outcome.status === 429
        if (outcome.reason === 'unauthorized' || outcome.reason === 'refused') break
        if (once && !surelyNotRun) break
        // Being throttled is no failure of the attempt: only time limits it.
        if (outcome.reason !== 'throttled') count += 1
        const pauseMs = outcome.pauseMs ?? Math.min(8_000, 100 * 2 ** (count - 1))
        if (count > patience.attempts || pauseMs >= leftMs()) break
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
      const detail = `${operationName(document)}: ${last.detail}`
      throw new AdminApiError(last.reason, shop, detail, { cause: last.cause, mayHaveHappened })
    },
  }
}

type Attempt =
  | { ok: true; data: unknown; cost?: QueryCost }
  | {
      ok: false
      reason: AdminApiReason
      detail: string
      status?: number
      pauseMs?: number
      cost?: QueryCost
      cause?: unknown
    }

const CostSchema = z.object({
  cost: z.object({
    requestedQueryCost: z.number(),
    actualQueryCost: z.number().nullable().default(null),
    throttleStatus: z.object({
      maximumAvailable: z.number(),
      currentlyAvailable: z.number(),
      restoreRate: z.number(),
    }),
  }),
})
type QueryCost = z.infer<typeof CostSchema>['cost']

type GraphQLErrorLike = { message: string; extensions?: Record<string, unknown> }

/** A reply with HTTP 200 may still be a refusal: THROTTLED comes that way (shopify.dev "API rate limits"). */
function judgeReply(data: unknown, errors: readonly GraphQLErrorLike[] | undefined, extensions: unknown): Attempt {
  const cost = CostSchema.safeParse(extensions).data?.cost
  if (!errors?.length) return { ok: true, data, cost }
  const codes = errors.map((error) => String(error.extensions?.code ?? ''))
  const detail = errors.map((error) => error.message).join('; ')
  if (codes.includes('THROTTLED')) {
    const missing = cost ? cost.requestedQueryCost - cost.throttleStatus.currentlyAvailable : 0
    const rate = Math.max(1, cost?.throttleStatus.restoreRate ?? 50)
    return { ok: false, reason: 'throttled', detail, cost, pauseMs: Math.max(50, Math.ceil((missing / rate) * 1000)) }
  }
  if (codes.includes('ACCESS_DENIED')) return { ok: false, reason: 'unauthorized', detail, cost }
  if (codes.includes('INTERNAL_SERVER_ERROR')) return { ok: false, reason: 'unavailable', detail, cost }
  return { ok: false, reason: 'refused', detail, cost }
}

function judgeFailure(error: unknown): Attempt {
  if (error instanceof ClientError) {
    const { status } = error.response
    const detail = `HTTP ${status}`
    if (status === 401 || status === 402 || status === 403 || status === 404 || status === 423) {
      return { ok: false, reason: 'unauthorized', detail, status, cause: error }
    }
    if (status === 429 || status >= 500) {
      const after = Number((error.response.headers as Headers | undefined)?.get?.('Retry-After') ?? Number.NaN)
      const pauseMs = Number.isFinite(after) && after > 0 ? after * 1000 : undefined
      return { ok: false, reason: 'unavailable', detail, status, pauseMs, cause: error }
    }
    return { ok: false, reason: 'refused', detail, status, cause: error }
  }
  const name = error instanceof Error ? error.name : ''
  if (name === 'TimeoutError' || name === 'AbortError')
    return { ok: false, reason: 'timeout', detail: 'no answer in time' }
  if (error instanceof TypeError) return { ok: false, reason: 'unavailable', detail: 'no connection', cause: error }
  if (error instanceof SyntaxError)
    return { ok: false, reason: 'unavailable', detail: 'an answer that is not JSON', cause: error }
  throw error
}

/** What each document cost when it was last asked for: the best guess of what it will. */
const lastCosts = new Map<string, number>()

function estimateCost(document: string): number {
  return lastCosts.get(document) ?? (/^\s*(#graphql\s*)?mutation/.test(document) ? 10 : 30)
}

function learnCost(document: string, cost: QueryCost, throttle: Throttle): void {
  lastCosts.set(document, cost.requestedQueryCost)
  throttle.learn(cost.throttleStatus)
}

function operationName(document: string): string {
  return /(?:query|mutation)\s+(\w+)/.exec(document)?.[1] ?? 'unnamed operation'
}

/** The Admin API's door: token, version, faults set by hand, then GraphQL. */
import type { Buckets } from './api/cost.ts'
import { executeRequest, throttledByFault, type GraphqlRequest } from './api/execute.ts'
import { checkToken } from './installation.ts'
import type { Fault } from './records.ts'
import { API_VERSION, type DevStore } from './state.ts'

/** Thrown to make the server cut the connection without an answer. */
export class CutConnection extends Error {}

/** Answers `POST /admin/api/{version}/graphql.json` for a shop. Throws CutConnection where a fault says so. */
export async function adminApiReply(
  store: DevStore,
  buckets: Buckets,
  origin: string,
  shop: string,
  version: string,
  request: Request,
): Promise<Response> {
  if (version !== API_VERSION) {
    const errors = `The dev store imitates the Admin API ${API_VERSION}, not ${version}.`
    return Response.json({ errors }, { status: 404 })
  }
  if (!store.tables.get('shops', shop)) return Response.json({ errors: 'Not Found' }, { status: 404 })
  const check = checkToken(store.tables, shop, request.headers.get('x-shopify-access-token'))
  if (!check.ok) {
    const errors = '[API] Invalid API key or access token (unrecognized login or wrong password)'
    return Response.json({ errors }, { status: 401, headers: { 'x-dev-store-reason': check.reason } })
  }
  let body: GraphqlRequest
  try {
    body = (await request.json()) as GraphqlRequest
  } catch {
    return Response.json({ errors: 'Bad Request' }, { status: 400 })
  }
  const context = { store, domain: shop, origin, token: check.token }
  const fault = takeFault(store, body)
  if (fault === '500') return new Response('Internal Server Error', { status: 500 })
  if (fault === 'timeout') throw new CutConnection()
  const reply =
    fault === 'throttled' ? throttledByFault(context, buckets) : await executeRequest(context, buckets, body)
  if (fault === 'timeout-after-effect') throw new CutConnection()
  return Response.json(reply, {
    headers: { 'x-shopify-api-version': API_VERSION, 'x-request-id': store.tables.newUuid() },
  })
}

/** The fault that is due for this request, counted down. */
function takeFault(store: DevStore, body: GraphqlRequest): Fault | null {
  const faults = store.faults()
  if (faults.length === 0) return null
  const named =
    typeof body.operationName === 'string'
      ? body.operationName
      : /^\s*(?:#.*\n\s*)*(?:query|mutation)\s+(\w+)/.exec(String(body.query))?.[1]
  const due = faults.find((row) => row.times > 0 && (row.operation === null || row.operation === named))
  if (!due) return null
  due.times -= 1
  store.tables.put(
    'settings',
    'settings',
    Object.assign(store.tables.settings, { faults: faults.filter((row) => row.times > 0) }),
  )
  return due.fault
}

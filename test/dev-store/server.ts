/**
 * The dev store as a web server: Shopify's side of OAuth and the Admin API, the admin, the storefront and the control
 * page, on one port. Requests that the app meant for `https://{shop}/…` come with the header `X-Dev-Store-Shop`
 * (attach.ts); everything else is a person with a browser.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { adminApiReply, CutConnection } from './admin-api.ts'
import { Buckets } from './api/cost.ts'
import { createAdmin } from './admin/admin.ts'
import { accessTokenReply, hostParameter, readBody, sessionToken } from './oauth.ts'
import type { Shop } from './records.ts'
import { createStore, type DevStore, type StoreOptions } from './state.ts'

/** Answers a request, or null where the address is not its own. */
export type Handler = (request: Request) => Promise<Response | null>

export type DevStoreOptions = StoreOptions & {
  /** 0 or nothing: any free port. */
  port?: number
  /** Without pages there is only the Admin API and OAuth, which is all most tests need. Default true. */
  pages?: boolean
}

export type RunningDevStore = {
  store: DevStore
  /** `http://127.0.0.1:<port>`: the app's SHOPIFY_DEV_STORE_URL. */
  url: string
  port: number
  buckets: Buckets
  /** Where a person finds the app in a shop's admin. */
  adminUrl: (shop: string) => string
  /** A session token as the admin gives it to the app's pages. */
  sessionToken: (shop: string) => string
  /** Opens the app in a shop's admin as a browser would; throws unless a page comes back. */
  openApp: (shop: string, path?: string) => Promise<Response>
  close: () => Promise<void>
}

/** The header by which attach.ts names the shop that a request was meant for. */
export const SHOP_HEADER = 'x-dev-store-shop'

/** What a browser calls itself; the app's library turns bots away (isbot, 410). */
export const BROWSER =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'

/** Opens the store and listens on the loopback interface. */
export async function startDevStore(options: DevStoreOptions): Promise<RunningDevStore> {
  const store = createStore(options)
  const buckets = new Buckets()
  const sockets = new Set<Socket>()
  let origin = ''
  const pages = options.pages === false ? [] : pageHandlers(store, () => origin)
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing, origin, (request) => route(store, buckets, origin, pages, request))
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await listen(server, options.port ?? 0)
  origin = `http://127.0.0.1:${port}`
  return {
    store,
    url: origin,
    port,
    buckets,
    adminUrl: (shop) => adminAddress(store, origin, shop),
    sessionToken: (shop) => sessionToken(store, shop),
    openApp: (shop, path = '/app') => openApp(store, shop, path),
    close: async () => {
      store.close()
      const closed = new Promise((done) => server.close(done))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function adminAddress(store: DevStore, origin: string, shop: string): string {
  return `${origin}/store/${shop.replace('.myshopify.com', '')}/apps/${store.app.handle}`
}

/** The admin at once; storefront and control page when first asked for, since they bundle the Function. */
function pageHandlers(store: DevStore, origin: () => string): Handler[] {
  const admin = createAdmin({ store })
  const adminUrl = (shop: Shop) => adminAddress(store, origin(), shop.domain)
  let storefront: Promise<Handler> | null = null
  let control: Promise<Handler> | null = null
  return [
    admin,
    async (request) => {
      if (!/^\/dev(\/|$)/.test(new URL(request.url).pathname)) return null
      control ??= import('./control/control.ts').then(({ createControl }) => createControl({ store, adminUrl }).handle)
      return (await control)(request)
    },
    async (request) => {
      storefront ??= import('./storefront/storefront.ts').then(async ({ createStorefront }) => {
        const { handle } = await createStorefront({ store, adminUrl })
        return handle
      })
      return (await storefront)(request)
    },
  ]
}

async function route(
  store: DevStore,
  buckets: Buckets,
  origin: string,
  pages: Handler[],
  request: Request,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  const shop = request.headers.get(SHOP_HEADER)
  if (shop !== null) return forShop(store, buckets, origin, shop, pathname, request)
  if (pathname === '/dev-store/clock') return clockStream(store, request.signal)
  const bulk = /^\/bulk\/(\d+)\.jsonl$/.exec(pathname)
  if (bulk) {
    const operation = store.tables.get('bulkOperations', `gid://shopify/BulkOperation/${bulk[1]}`)
    if (operation?.result == null) return new Response('No such result.', { status: 404 })
    return new Response(operation.result, { headers: { 'content-type': 'application/jsonl' } })
  }
  for (const page of pages) {
    const response = await page(request)
    if (response) return response
  }
  return new Response(`The dev store has nothing at ${pathname}.`, { status: 404 })
}

async function forShop(
  store: DevStore,
  buckets: Buckets,
  origin: string,
  shop: string,
  pathname: string,
  request: Request,
): Promise<Response> {
  if (pathname === '/admin/oauth/access_token' && request.method === 'POST') {
    return accessTokenReply(store, shop, await readBody(request))
  }
  const api = /^\/admin\/api\/([^/]+)\/graphql\.json$/.exec(pathname)
  if (api && request.method === 'POST') return adminApiReply(store, buckets, origin, shop, api[1]!, request)
  const message = `The dev store does not imitate ${request.method} https://${shop}${pathname}.`
  console.error(message)
  return Response.json({ errors: message }, { status: 501 })
}

/** The clock's offset as server-sent events: now, and after each change. */
function clockStream(store: DevStore, signal: AbortSignal): Response {
  const encoder = new TextEncoder()
  let last: number | null = null
  let stop = () => {}
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = () => {
        const offset = store.clockOffsetMs()
        if (offset === last) return
        last = offset
        controller.enqueue(encoder.encode(`data: ${offset}\n\n`))
      }
      send()
      stop = store.onChange((tables) => {
        if (tables.has('settings')) send()
      })
      signal.addEventListener('abort', stop)
    },
    cancel: () => stop(),
  })
  return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
}

async function openApp(store: DevStore, shop: string, path: string): Promise<Response> {
  const url = new URL(path, store.options.appUrl)
  const parameters = {
    embedded: '1',
    shop,
    host: hostParameter(shop),
    id_token: sessionToken(store, shop),
    locale: 'en',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const response = await fetch(url, { redirect: 'manual', headers: { 'user-agent': BROWSER, accept: 'text/html' } })
  if (response.status !== 200) {
    const to = response.headers.get('location')
    throw new Error(
      `The app answered ${response.status}${to ? ` to ${to}` : ''} when ${path} was opened for ${shop}: ${(await response.text()).slice(0, 400)}`,
    )
  }
  return response
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** node:http in, Fetch API inside, node:http out. */
async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  origin: string,
  handle: (request: Request) => Promise<Response>,
): Promise<void> {
  const left = new AbortController()
  outgoing.once('close', () => left.abort())
  try {
    const response = isOwnHost(incoming.headers.host)
      ? await handle(await toRequest(incoming, origin, left.signal))
      : new Response('The dev store answers on this machine only.', { status: 403 })
    const headers: Record<string, string | string[]> = Object.fromEntries(response.headers)
    const cookies = response.headers.getSetCookie()
    if (cookies.length > 0) headers['set-cookie'] = cookies
    outgoing.writeHead(response.status, headers)
    if (response.body && incoming.method !== 'HEAD') {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) outgoing.write(chunk)
    }
    outgoing.end()
  } catch (error) {
    if (error instanceof CutConnection || left.signal.aborted) return void incoming.socket.destroy()
    console.error(`The dev store failed at ${incoming.method} ${incoming.url}:`, error)
    if (outgoing.headersSent) return void outgoing.destroy()
    outgoing.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
    outgoing.end(`The dev store failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Names of this machine alone: a name that a web site points at it must not let that site in. */
function isOwnHost(host: string | undefined): boolean {
  return host === undefined || /^(127\.0\.0\.1|\[::1\]|([a-z0-9-]+\.)*localhost)(:\d+)?$/i.test(host)
}

async function toRequest(incoming: IncomingMessage, origin: string, signal: AbortSignal): Promise<Request> {
  const method = incoming.method ?? 'GET'
  const host = incoming.headers.host
  const url = new URL(incoming.url ?? '/', host ? `http://${host}` : origin)
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) headers.append(name, each)
  }
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal })
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return new Request(url, { method, headers, body: Buffer.concat(chunks), signal })
}

/**
 * Attaches this process to a dev store: whatever Shopify's library would send to `https://{shop}` goes there instead, and
 * nowhere else, and the business clock (app/clock.server.ts) follows the dev store's. attach.ts does it for the app as
 * it starts; tests do it for themselves.
 */
// Each of these sets the library's fetch when it is first loaded: all of them before ours, or a later one undoes it.
import '@shopify/shopify-api/adapters/node'
import '@shopify/shopify-app-remix/adapters/node'
import '@shopify/shopify-app-remix/server'
import { get, ServerResponse, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http'
import { setAbstractFetchFunc } from '@shopify/shopify-api/runtime'

const CLOCK = Symbol.for('perennial.clock.offsetMs')
const SHOP_HOST = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/

/**
 * Attaches to the dev store at this address and resolves once its clock is known; returns how to let go. Throws where
 * the address is not this machine's, or nobody answers there.
 */
export async function attachTo(address: string): Promise<() => void> {
  const devStore = requireLoopback(address)
  setAbstractFetchFunc((input: RequestInfo | URL, init?: RequestInit) => fetchFrom(devStore, input, init))
  const stopClock = await followClock(devStore)
  return () => {
    stopClock()
    setOffset(0)
    setAbstractFetchFunc(() => Promise.reject(new Error('The dev store was let go; nothing may be fetched.')))
  }
}

/** The dev store runs on this machine only: any other address is refused by name. */
export function requireLoopback(address: string): URL {
  const url = new URL(address)
  const loopback = url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d+){3}$/.test(url.hostname)
  if (loopback && url.protocol === 'http:') return url
  throw new Error(`The dev store cannot be at ${url.origin}: it runs on this machine only, and never in production.`)
}

/** What the library sends to a shop, sent to the dev store with the shop's name in a header. */
async function fetchFrom(devStore: URL, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const url = new URL(request.url)
  if (url.origin === devStore.origin) return fetch(request)
  if (!SHOP_HOST.test(url.hostname)) {
    throw new Error(`The app is attached to the dev store and may not reach ${url.origin}.`)
  }
  const headers = new Headers(request.headers)
  headers.set('x-dev-store-shop', url.hostname)
  const bodiless = request.method === 'GET' || request.method === 'HEAD'
  return fetch(new URL(url.pathname + url.search, devStore), {
    method: request.method,
    headers,
    body: bodiless ? undefined : await request.arrayBuffer(),
    signal: request.signal,
    redirect: 'manual',
  })
}

/** Hears the clock's offset now and at every change. The connection does not keep the process alive. */
async function followClock(devStore: URL): Promise<() => void> {
  let stopped = false
  let current: ReturnType<typeof get> | null = null
  const listen = (heard: () => void, lost: (error: Error) => void) => {
    if (stopped) return
    current = get(new URL('/dev-store/clock', devStore), (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        const last = [...text.matchAll(/data: (-?\d+)\n\n/g)].at(-1)
        if (!last) return
        text = text.slice(last.index + last[0].length)
        setOffset(Number(last[1]))
        heard()
        // Only from here on: before, waiting for the first offset is what keeps the process alive.
        response.socket.unref()
      })
      response.on('close', () => lost(new Error('The dev store closed the connection.')))
      response.on('error', lost)
    })
    current.on('error', lost)
  }
  await new Promise<void>((resolve, reject) => {
    let known = false
    const again = (error: Error) => {
      if (!known) return reject(new Error(`Nobody answers at the dev store ${devStore.origin}: ${error.message}`))
      // The dev store is away for a moment; the last offset stays.
      if (!stopped) setTimeout(() => listen(heard, again), 250).unref()
    }
    const heard = () => {
      known = true
      resolve()
    }
    listen(heard, again)
  })
  return () => {
    stopped = true
    current?.destroy()
  }
}

function setOffset(offsetMs: number): void {
  ;(globalThis as Record<symbol, unknown>)[CLOCK] = offsetMs
}

/**
 * Lets the dev store's admin frame the app: where the app names https://admin.shopify.com as one who may frame it, the
 * dev store may too; where it does not, nothing is added. Scripts that the library preloads from Shopify's network are
 * not asked for.
 */
export function letDevStoreFrameTheApp(address: string): void {
  const { origin } = requireLoopback(address)
  const { setHeader, appendHeader, writeHead } = ServerResponse.prototype
  ServerResponse.prototype.setHeader = function (name, value) {
    return setHeader.call(this, name, adjust(origin, name, value as OutgoingHttpHeader) as string) as ServerResponse
  }
  ServerResponse.prototype.appendHeader = function (name, value) {
    return appendHeader.call(this, name, adjust(origin, name, value as OutgoingHttpHeader) as string) as ServerResponse
  }
  ServerResponse.prototype.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]) {
    const adjusted = rest.map((each) => {
      if (typeof each !== 'object' || each === null || Array.isArray(each)) return each
      const headers = Object.entries(each as OutgoingHttpHeaders)
      return Object.fromEntries(headers.map(([name, value]) => [name, value && adjust(origin, name, value)]))
    })
    return (writeHead as (...all: unknown[]) => ServerResponse).call(this, status, ...adjusted)
  } as typeof writeHead
}

function adjust(origin: string, name: string, value: OutgoingHttpHeader): OutgoingHttpHeader {
  const lower = name.toLowerCase()
  if (lower === 'content-security-policy') {
    return String(value).replace(/frame-ancestors ([^;]*https:\/\/admin\.shopify\.com)/, `frame-ancestors ${origin} $1`)
  }
  // Where the library sends a browser to Shopify's admin, it is sent to this one.
  if (lower === 'location') return String(value).replace(/^https:\/\/admin\.shopify\.com(?=\/|$)/, origin)
  if (lower !== 'link') return value
  const links = String(value).split(/,\s*(?=<)/)
  return links.filter((link) => !link.includes('cdn.shopify.com')).join(', ')
}

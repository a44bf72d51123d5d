import http from 'node:http'
import type { Door } from '#app/door.server.ts'
import { pool } from '#app/db/client.server.ts'

/** Answers what is neither a webhook nor a health question: the framework, or whatever a test puts there. */
export type Pages = (request: http.IncomingMessage, response: http.ServerResponse) => void

/** What a page or an action is sent: forms, the largest of them with a program, of which a megabyte is already too much. */
export const BODY_BYTES_MAX = 2 * 1024 * 1024
/** What the storefront is sent: a few words. */
export const PROXY_BODY_BYTES_MAX = 64 * 1024
/** A file is read as it comes in and never held whole; the route knows how large it may be, and says so better. */
const UPLOAD = '/app/imports/upload'

/**
 * The web server: `/webhooks` goes to the door, `/healthz` says whether the database answers (200 or 503), everything else is
 * a page, whose body must not be larger than that path's may be (413). Not listening yet.
 */
export function createServer(door: Door, pages: Pages): http.Server {
  const server = http.createServer((request, response) => {
    const path = request.url?.split('?', 1)[0]
    if (path === '/webhooks') void door.handle(request, response)
    else if (path === '/healthz') void answerHealth(response)
    else if (path === UPLOAD || limitBody(request, response, path?.startsWith('/proxy/'))) pages(request, response)
  })
  // Longer than a load balancer keeps a connection idle (60 s), or it would reuse one that we are just closing.
  server.keepAliveTimeout = 65_000
  server.headersTimeout = 20_000
  server.requestTimeout = 30_000
  return server
}

/** False where the body is said to be too large, and has been refused; one of unknown length is counted as it comes in. */
function limitBody(request: http.IncomingMessage, response: http.ServerResponse, isProxy = false): boolean {
  const bytesMax = isProxy ? PROXY_BODY_BYTES_MAX : BODY_BYTES_MAX
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
    refuseBody(request, response, bytesMax)
    return false
  }
  if (request.headers['transfer-encoding'] === undefined) return true
  let bytes = 0
  // Paused, so that nothing is lost before the page listens too: whoever reads sets it going.
  request.pause().on('data', function count(chunk: Buffer) {
    bytes += chunk.length
    if (bytes <= bytesMax) return
    request.off('data', count)
    refuseBody(request, response, bytesMax)
  })
  return true
}

function refuseBody(request: http.IncomingMessage, response: http.ServerResponse, bytesMax: number): void {
  // Whoever is reading must not take what came so far for the whole.
  const stop = () => void request.destroy(new Error(`a body of more than ${bytesMax} bytes`))
  if (response.headersSent) return stop()
  // The body is not read to its end: the connection cannot carry another request.
  response.writeHead(413, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' })
  response.end(`At most ${bytesMax} bytes can be sent here.\n`, stop)
}

async function answerHealth(response: http.ServerResponse): Promise<void> {
  const answers = await pool.query('select 1').then(
    () => true,
    () => false,
  )
  response.writeHead(answers ? 200 : 503, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(answers ? 'ok\n' : 'the database does not answer\n')
}

/** Stops taking connections, lets requests that are under way finish, and resolves; after `graceMs` it no longer waits. */
export function closeServer(server: http.Server, graceMs = 10_000): Promise<void> {
  return new Promise((resolve) => {
    const impatience = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearTimeout(impatience)
      resolve()
    })
    server.closeIdleConnections()
  })
}

import http from 'node:http'
import type { Door } from '#app/door.server.ts'
import { pool } from '#app/db/client.server.ts'

/** Answers what is neither a webhook nor a health question: the framework, or whatever a test puts there. */
export type Pages = (request: http.IncomingMessage, response: http.ServerResponse) => void

/**
 * The web server: `/webhooks` goes to the door, `/healthz` says whether the database answers (200 or 503), everything else is
 * a page. Not listening yet.
 */
export function createServer(door: Door, pages: Pages): http.Server {
  const server = http.createServer((request, response) => {
    const path = request.url?.split('?', 1)[0]
    if (path === '/webhooks') void door.handle(request, response)
    else if (path === '/healthz') void answerHealth(response)
    else pages(request, response)
  })
  // Longer than a load balancer keeps a connection idle (60 s), or it would reuse one that we are just closing.
  server.keepAliveTimeout = 65_000
  server.headersTimeout = 20_000
  server.requestTimeout = 30_000
  return server
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

import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { compressedAssets } from '#app/assets.server.ts'
import type { Pages } from '#app/http.server.ts'

/** The pages behind Express, which Remix's adapter needs: the built files of the folder `client`, and `answer` for everything else. */
export function createPages(answer: RequestHandler, client: string): Pages {
  const pages = express()
  pages.disable('x-powered-by')
  // The files' names change with their content, so a browser may keep them.
  pages.use('/assets', compressedAssets(`${client}/assets`))
  pages.use('/assets', express.static(`${client}/assets`, { immutable: true, maxAge: '1y' }))
  pages.use(express.static(client, { maxAge: '1h' }))
  pages.all('*', answer)
  pages.use(answerError)
  return pages
}

/** Express's own answer shows where in the code it went wrong, unless NODE_ENV says production: that is for the log alone. */
const answerError: ErrorRequestHandler = (error: { status?: unknown }, _request, response, _next) => {
  if (response.headersSent) {
    // What was begun is not the whole, and must not be taken for it.
    if (!response.writableEnded) response.destroy()
    return
  }
  const isTheirs = typeof error.status === 'number' && error.status >= 400 && error.status < 500
  // eslint-disable-next-line no-console -- the process's own log
  if (!isTheirs) console.error(error)
  response.writeHead(isTheirs ? 400 : 500, { 'Content-Type': 'text/plain; charset=utf-8' })
  response.end(isTheirs ? 'This address cannot be read.\n' : 'Something went wrong.\n')
}

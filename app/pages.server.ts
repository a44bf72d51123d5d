import express, { type RequestHandler } from 'express'
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
  return pages
}

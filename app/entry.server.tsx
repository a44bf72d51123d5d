import { PassThrough } from 'node:stream'

import { createReadableStreamFromReadable, type EntryContext } from '@remix-run/node'
import { RemixServer } from '@remix-run/react'
import { isbot } from 'isbot'
import { renderToPipeableStream } from 'react-dom/server'

import { env } from '#app/env.server.ts'
import { addDocumentResponseHeaders } from '#app/shopify.server.ts'

/** How long a page may wait for the parts it streams, in milliseconds. */
export const streamTimeout = 10_000

/** Renders one document. Browsers get the page as soon as its shell is ready; crawlers get it whole. */
export default function handleRequest(request: Request, status: number, headers: Headers, context: EntryContext) {
  addDocumentResponseHeaders(request, headers)
  // The library preloads App Bridge from Shopify's CDN. With another address given (the dev store's) that would be a
  // second, useless request.
  if (env().APP_BRIDGE_URL) headers.delete('Link')
  const ready = isbot(request.headers.get('user-agent') ?? '') ? 'onAllReady' : 'onShellReady'
  return new Promise<Response>((resolve, reject) => {
    let shellSent = false
    const { pipe, abort } = renderToPipeableStream(<RemixServer context={context} url={request.url} />, {
      [ready]() {
        shellSent = true
        const body = new PassThrough()
        headers.set('Content-Type', 'text/html; charset=utf-8')
        resolve(new Response(createReadableStreamFromReadable(body), { headers, status }))
        pipe(body)
      },
      onShellError: reject,
      onError(error: unknown) {
        status = 500
        // Before the shell is out, the same error arrives through `reject` and is logged there.
        // eslint-disable-next-line no-console -- the process's own log
        if (shellSent) console.error(error)
      },
    })
    setTimeout(abort, streamTimeout + 1000).unref()
  })
}

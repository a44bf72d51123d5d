import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequestHandler } from '@remix-run/express'
import type { ServerBuild } from '@remix-run/node'
import { expect, onTestFinished, test } from 'vitest'
import { createDoor } from '#app/door.server.ts'
import { BODY_BYTES_MAX, PROXY_BODY_BYTES_MAX, closeServer, createServer } from '#app/http.server.ts'
import { createPages } from '#app/pages.server.ts'

/** The server as the process has it, with one action in place of the built pages: it reads what it is sent to the end. */
async function openServer(action: (text: string) => Response = (text) => new Response(String(text.length))) {
  const read: (number | 'failed')[] = []
  const build = {
    entry: { module: { default: () => new Response('page') } },
    routes: {
      all: {
        id: 'all',
        path: '*',
        module: {
          action: async ({ request }: { request: Request }) => {
            const text = await request.text().catch(() => void read.push('failed'))
            if (text === undefined) return new Response('cut off', { status: 400 })
            read.push(text.length)
            return action(text)
          },
        },
      },
    },
    assets: { entry: { module: '', imports: [] }, routes: {}, url: '', version: '1' },
    future: {},
    publicPath: '/',
    assetsBuildDirectory: '',
    isSpaMode: false,
  } as unknown as ServerBuild
  const pages = createPages(createRequestHandler({ build, mode: 'test' }), import.meta.dirname)
  const server = createServer(createDoor({ secret: 'secret' }), pages)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => closeServer(server, 500))
  const { port } = server.address() as AddressInfo
  return {
    read,
    /**
     * Sends so many bytes with their length said, or in chunks; resolves with the answer. `waits`: for the answer instead of ending, as a
     * body does that has more to come; what is still being sent when the server closes would take the answer with it.
     */
    send: (path: string, bytes: number, { chunked = false, waits = false } = {}) =>
      new Promise<{ status?: number; body: string }>((resolve, reject) => {
        const headers = chunked ? {} : { 'Content-Length': bytes }
        const request = http.request({ port, host: '127.0.0.1', path, method: 'POST', headers }, (response) => {
          let body = ''
          response.on('data', (chunk: Buffer) => (body += chunk))
          response.on('end', () => resolve({ status: response.statusCode, body }))
          response.on('error', reject)
        })
        request.on('error', reject)
        const sent = waits && !chunked ? 1 : bytes
        for (let left = sent; left > 0; left -= 16_384) request.write(Buffer.alloc(Math.min(left, 16_384), 'a'))
        if (!waits) request.end()
      }),
    get: (path: string) =>
      new Promise<{ status?: number; type?: string; body: string }>((resolve, reject) => {
        const request = http.get({ port, host: '127.0.0.1', path }, (response) => {
          let body = ''
          response.on('data', (chunk: Buffer) => (body += chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode, type: response.headers['content-type'], body }),
          )
        })
        request.on('error', reject)
      }),
  }
}

for (const [path, limit] of [
  ['/app/program/publish', BODY_BYTES_MAX],
  ['/proxy/redeem', PROXY_BODY_BYTES_MAX],
] as const) {
  test(`${path} takes a body of ${limit} bytes whole, whether its length is said or not`, async () => {
    const { send, read } = await openServer()
    expect(await send(path, limit)).toEqual({ status: 200, body: String(limit) })
    expect(await send(path, limit, { chunked: true })).toEqual({ status: 200, body: String(limit) })
    expect(read).toEqual([limit, limit])
  })

  test(`${path} refuses a body that says it is longer, before anything reads it`, async () => {
    const { send, read } = await openServer()
    expect((await send(path, limit + 1, { waits: true })).status).toBe(413)
    expect(read).toEqual([])
  })

  test(`${path} refuses a body that turns out to be longer, and nobody takes its beginning for the whole`, async () => {
    const { send, read } = await openServer()
    expect((await send(path, limit + 1, { chunked: true, waits: true })).status).toBe(413)
    await expect.poll(() => read).toEqual(['failed'])
    // The next one is served as if nothing had been.
    expect((await send(path, 10, { chunked: true })).status).toBe(200)
  })
}

test('a file of members is longer than that, and its route reads it as it comes', async () => {
  const { send } = await openServer()
  const bytes = 3 * BODY_BYTES_MAX
  expect(await send('/app/imports/upload?source=x', bytes)).toEqual({ status: 200, body: String(bytes) })
  expect(await send('/app/imports/upload', bytes, { chunked: true })).toEqual({ status: 200, body: String(bytes) })
  // Its neighbours are forms like any other.
  expect((await send('/app/imports/upload/', bytes, { waits: true })).status).toBe(413)
  expect((await send('/app/imports', bytes, { waits: true })).status).toBe(413)
})

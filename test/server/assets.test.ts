import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'

import { compressedAssets } from '#app/assets.server.ts'

const SCRIPT = 'export const answer = 42\n'.repeat(200)

/** A server over a folder with one script; answers a path asked with these encodings. */
async function serve() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'perennial-assets-'))
  writeFileSync(path.join(folder, 'app._index-Ab1$.js'), SCRIPT)
  writeFileSync(path.join(folder, '..', path.basename(folder) + '.js'), 'outside')
  const serveAsset = compressedAssets(folder)
  const server = createServer((request, response) =>
    serveAsset(request, response, () => response.writeHead(404).end('left to the next')),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    rmSync(folder, { recursive: true })
    rmSync(`${folder}.js`)
  })
  const { port } = server.address() as AddressInfo
  const ask = (address: string, encoding?: string) =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const headers = encoding ? { 'accept-encoding': encoding } : {}
      get({ port, host: '127.0.0.1', path: address, headers }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
        )
      }).on('error', reject)
    })
  return { ask, outside: `/../${path.basename(folder)}.js` }
}

test('a script comes compressed as the browser takes it, the best way first, and may be kept for a year', async () => {
  const { ask } = await serve()
  const brotli = await ask('/app._index-Ab1$.js', 'gzip, deflate, br')
  expect(brotli.headers).toMatchObject({ 'content-encoding': 'br', 'content-type': 'text/javascript; charset=utf-8' })
  expect(brotli.headers['cache-control']).toContain('immutable')
  expect(brotliDecompressSync(brotli.body).toString()).toBe(SCRIPT)
  const gzipped = await ask('/app._index-Ab1$.js?v=1', 'gzip;q=1.0')
  expect(gzipped.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(gzipped.body).toString()).toBe(SCRIPT)
})

test('whoever takes nothing compressed, and whatever is no script or style of the folder, is left to the next', async () => {
  const { ask, outside } = await serve()
  for (const [address, encoding] of [
    ['/app._index-Ab1$.js', undefined],
    ['/missing.js', 'br'],
    ['/picture.png', 'br'],
    [outside, 'br'],
    ['/%2e%2e/secret.js', 'br'],
  ] as const) {
    expect((await ask(address, encoding)).body.toString()).toBe('left to the next')
  }
})

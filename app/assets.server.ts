import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const FILE = /^\/[\w$.-]+\.(js|css)$/
const TYPES: Record<string, string> = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' }

type Next = () => void

/**
 * Serves the built scripts and styles of `folder` compressed, to browsers that take it: Polaris' style alone is 444 kB, and 40
 * as brotli. Each file is compressed once per process, when it is first asked for; its name changes with its content, so a
 * browser may keep it for a year. Whatever is not such a file is left to who comes next.
 *
 * One file at a time: the few threads that compress are those that check signatures at the webhook door, which has seconds to answer.
 */
export function compressedAssets(folder: string) {
  const kept = new Map<string, Promise<Buffer>>()
  let before: Promise<unknown> = Promise.resolve()
  const compressInTurn = (file: string, encoding: Encoding): Promise<Buffer> => {
    const body = before.then(() => compress(file, encoding))
    before = body.catch(() => {})
    return body
  }
  return (request: IncomingMessage, response: ServerResponse, next: Next): void => {
    const name = request.url?.split('?', 1)[0] ?? ''
    const extension = FILE.exec(name)?.[1]
    const encoding = chooseEncoding(request.headers['accept-encoding'])
    if (request.method !== 'GET' || !extension || !encoding) return next()
    const key = `${encoding} ${name}`
    const body = kept.get(key) ?? compressInTurn(path.join(folder, name), encoding)
    kept.set(key, body)
    body.then(
      (bytes) => {
        response.writeHead(200, {
          'Content-Type': TYPES[extension],
          'Content-Encoding': encoding,
          'Content-Length': bytes.length,
          'Cache-Control': 'public, max-age=31536000, immutable',
          Vary: 'Accept-Encoding',
        })
        response.end(bytes)
      },
      () => {
        kept.delete(key)
        next()
      },
    )
  }
}

type Encoding = 'br' | 'gzip'

function chooseEncoding(accepted: string | string[] | undefined): Encoding | null {
  const names = String(accepted ?? '')
    .split(',')
    .map((part) => part.trim().split(';')[0])
  return names.includes('br') ? 'br' : names.includes('gzip') ? 'gzip' : null
}

async function compress(file: string, encoding: Encoding): Promise<Buffer> {
  const content = await readFile(file)
  if (encoding === 'gzip') return promisify(gzip)(content, { level: 9 })
  // 9 of 11: the last two steps take ten times as long for two per cent.
  return promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
}

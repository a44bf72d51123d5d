// The least that any door must do: read the body, check the signature with Shopify's own library, answer. The yardstick for ours.
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { timingSafeEqual } from 'node:crypto'
import { createSHA256HMAC, HashFormat } from '@shopify/shopify-api/runtime'

const server = http.createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const expected = await createSHA256HMAC('bench-secret', Buffer.concat(chunks).toString('utf8'), HashFormat.Base64)
  const [one, other] = [Buffer.from(String(request.headers['x-shopify-hmac-sha256'])), Buffer.from(expected)]
  const right = one.length === other.length && timingSafeEqual(one, other)
  response.writeHead(right ? 200 : 401, { 'Content-Length': 0 })
  response.end()
})
server.keepAliveTimeout = 65_000
server.listen(0, '127.0.0.1', () => console.log(`listening on port ${(server.address() as AddressInfo).port}`))
process.on('SIGTERM', () => process.exit(0))

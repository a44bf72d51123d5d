/** A stand-in for the app, for tests of the dev store itself: takes whatever is sent to it and remembers it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Heard = {
  topic: string
  headers: Record<string, string>
  body: string
  json: Record<string, unknown>
}

export type Listener = {
  url: string
  heard: Heard[]
  /** Messages of one topic, in the order in which they came. */
  of: (topic: string) => Heard[]
  /** What the next requests are answered with, then 200 again. */
  answerNext: (...statuses: number[]) => void
  close: () => Promise<void>
}

/** Listens on a free port. */
export async function listenForWebhooks(): Promise<Listener> {
  const heard: Heard[] = []
  const statuses: number[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      heard.push({ topic: headers['x-shopify-topic'] ?? '', headers, body, json: JSON.parse(body || '{}') })
      response.writeHead(statuses.shift() ?? 200).end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    heard,
    of: (topic) => heard.filter((row) => row.topic === topic),
    answerNext: (...next) => statuses.push(...next),
    close: () => new Promise((done) => server.close(() => done())),
  }
}

// The *door* is where Shopify's webhooks come in: `POST /webhooks`. It checks the signature on the bytes as they came, keeps
// of the message what the rules read, and answers once it is on disk; it never calls Shopify and waits for nothing else (Shopify gives 5 s in all,
// shopify.dev "Webhooks: HTTPS delivery"). It stands in front of the framework, whose empty action alone is four times
// slower. What a message means is the inbox's reader's business (jobs/drain-inbox).
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { now } from '#app/clock.server.ts'
import { isStorable } from '#app/db/arrays.ts'
import { isRefusal } from '#app/db/errors.server.ts'
import { storeMessages, type NewMessage } from '#app/db/inbox.server.ts'
import { hearOfShop } from '#app/db/shops.server.ts'
import { nameError } from '#app/log.server.ts'
import { isSigned } from '#app/shopify/signature.server.ts'
import { keepWhatIsRead } from '#app/shopify/webhook.ts'

/** Larger than any order: Shopify's own limit of 500 lines gives some 2 MB. Beyond it the body is not read to its end. */
export const MAXIMUM_BODY_BYTES = 8 * 1024 * 1024
const BATCH_LIMIT = 500
/**
 * Shopify has gone after 5 s. A connection whose other end is gone without a word would have all webhooks wait for it for a quarter of an
 * hour; sent again, those that were kept after all are known by their events.
 */
const STORED_WITHIN_MS = 3_500
/** In a storm the log has one line for all that was not kept in this time. */
const SAY_EVERY_MS = 1_000
const SHOP_DOMAIN = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/
const TOPIC = /^[a-z_]+[/.][a-z_]+$/

/** The webhook door of one process. */
export type Door = {
  /** Answers one request to /webhooks. Never rejects. */
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Resolves when everything that was taken in is on disk. */
  close: () => Promise<void>
}

/**
 * Makes the door. `onStored` is told when something new was kept, so that work can begin at once.
 *
 * Answers: 200 kept (also when it was kept before, and for topics and shops that we know nothing of: what Shopify says is never thrown
 * away here) · 400 headers missing or malformed, no body, or one that is no webhook's · 401 wrong signature, nothing kept · 405 not POST ·
 * 413 too large · 503 not kept, because the database is out of reach or something of ours is broken, which the log names: Shopify tries
 * again, 8 times in 4 hours.
 */
export function createDoor({ secret, onStored = () => {} }: { secret: string; onStored?: () => void }): Door {
  const batches = createBatches(onStored)
  const shopIds = new Map<string, Promise<number>>()
  let saidAt = -Infinity

  /** Ids never change, so each shop is looked up once per process. */
  const findShopId = (domain: string): Promise<number> => {
    const known = shopIds.get(domain)
    if (known) return known
    const found = hearOfShop(domain, now(), STORED_WITHIN_MS)
    shopIds.set(domain, found)
    found.catch(() => shopIds.delete(domain))
    return found
  }

  return {
    close: batches.drain,
    handle: async (request, response) => {
      try {
        const verdict = await judge(request, secret)
        if ('status' in verdict) return answer(response, verdict.status, verdict.text)
        const { domain, ...message } = verdict.news
        await batches.store({ shopId: await findShopId(domain), ...message })
        answer(response, 200, '')
      } catch (error) {
        // Not kept, so never 200. The log has what kind of error it was: its message may hold what was sent, and so people.
        if (performance.now() - saidAt >= SAY_EVERY_MS) {
          saidAt = performance.now()
          process.stderr.write(`error: a webhook was not kept: ${nameError(error)}\n`)
        }
        answer(response, 503, 'Not kept, please send it again.')
      }
    },
  }
}

type News = Omit<NewMessage, 'shopId'> & { domain: string }
type Verdict = { status: number; text: string } | { news: News }

async function judge(request: IncomingMessage, secret: string): Promise<Verdict> {
  if (request.method !== 'POST') return { status: 405, text: 'Webhooks are sent with POST.' }
  const body = await readBody(request)
  if (body === null) return { status: 413, text: `A webhook has at most ${MAXIMUM_BODY_BYTES} bytes.` }
  const { headers } = request
  const given = header(headers, 'hmac-sha256')
  if (body.length === 0 || given === undefined) return { status: 400, text: 'The body or its signature is missing.' }
  // The library signs text. Bytes that are no UTF-8 change on the way and so do not match, as they should not.
  const text = body.toString('utf8')
  if (!(await isSigned(text, given, secret))) return { status: 401, text: 'The signature is wrong.' }

  const domain = header(headers, 'shop-domain')?.toLowerCase()
  const topic = header(headers, 'topic')?.toLowerCase()
  const webhookId = header(headers, 'webhook-id')
  if (!domain || !SHOP_DOMAIN.test(domain) || !topic || !TOPIC.test(topic) || !webhookId) {
    return { status: 400, text: 'The headers for shop, topic or webhook id are missing or malformed.' }
  }
  // The session tokens of App Bridge, which a shop's staff can see, are signed with the same secret; headers are not signed at all. Only a
  // webhook is an object.
  if (!text.startsWith('{') || !isStorable(text)) return { status: 400, text: 'The body is not a JSON object.' }
  const payload = keepWhatIsRead(topic, text)
  // Older deliveries have no event id; then the delivery stands for the event.
  const eventId = header(headers, 'event-id') ?? webhookId
  return { news: { domain, topic, webhookId, eventId, payload, triggeredAt: readTriggeredAt(headers) } }
}

/** The bytes as they came, or null as soon as they are too many. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > MAXIMUM_BODY_BYTES) return null
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAXIMUM_BODY_BYTES) return null
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** Webhooks carry `X-Shopify-…`, Shopify's newer "events" `Shopify-…`; both are signed alike. */
function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[`x-shopify-${name}`] ?? headers[`shopify-${name}`]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function readTriggeredAt(headers: IncomingHttpHeaders): number {
  const instant = Date.parse(header(headers, 'triggered-at') ?? '')
  return Number.isNaN(instant) ? now() : instant
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return
  // A refused body may not have been read to its end: the connection cannot carry another request.
  if (status === 413) response.setHeader('Connection', 'close')
  if (status === 405) response.setHeader('Allow', 'POST')
  if (status === 503) response.setHeader('Retry-After', '5')
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}

type Waiting = { message: NewMessage; kept: () => void; failed: (reason: unknown) => void }

/**
 * Requests that come together share a commit: while a batch is on its way, the next one gathers. With a second one beside it batches are smaller and
 * cost more: answers come a tenth sooner, and a tenth fewer get done. Nobody waits for a batch to fill: alone, a message goes at once.
 */
function createBatches(onStored: () => void): {
  store: (message: NewMessage) => Promise<void>
  drain: () => Promise<void>
} {
  const waiting: Waiting[] = []
  let onItsWay: Promise<void> | null = null

  function send(): void {
    if (waiting.length === 0 || onItsWay) return
    onItsWay = storeBatch(waiting.splice(0, BATCH_LIMIT), onStored).finally(() => {
      onItsWay = null
      send()
    })
  }
  return {
    store: (message) =>
      new Promise((kept, failed) => {
        waiting.push({ message, kept, failed })
        // After the current turn, so that requests read in it go together.
        if (waiting.length === 1) setImmediate(send)
      }),
    drain: async () => {
      while (waiting.length > 0 || onItsWay) {
        send()
        await onItsWay
      }
    },
  }
}

async function storeBatch(batch: readonly Waiting[], onStored: () => void): Promise<void> {
  try {
    const stored = await storeMessages(
      batch.map(({ message }) => message),
      now(),
      STORED_WITHIN_MS,
    )
    batch.forEach(({ kept }) => kept())
    if (stored > 0) onStored()
  } catch (reason) {
    // One message that the database refuses must not take others with it: each gets a try of its own.
    if (batch.length > 1 && isRefusal(reason)) {
      for (const one of batch) await storeBatch([one], onStored)
      return
    }
    batch.forEach(({ failed }) => failed(reason))
  }
}

import { createHmac, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createDoor, type Door } from '#app/door.server.ts'
import { closeServer, createServer } from '#app/http.server.ts'

/** The door behind a real port, as the process has it, with nothing behind it. */
export async function openDoor(): Promise<{ url: string; door: Door; close: () => Promise<void> }> {
  const door = createDoor({ secret: process.env.SHOPIFY_API_SECRET! })
  const server = createServer(door, (_request, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    door,
    close: async () => {
      await closeServer(server)
      await door.close()
    },
  }
}

export type Webhook = {
  shop: string
  topic?: string
  payload?: unknown
  body?: string
  eventId?: string
  triggeredAt?: string
  secret?: string
  headers?: Record<string, string | undefined>
}

/** Sends a webhook as Shopify does: signed with the app's secret, with Shopify's headers. A header given as undefined is left out. */
export function sendWebhook(url: string, webhook: Webhook): Promise<Response> {
  const body = webhook.body ?? JSON.stringify(webhook.payload ?? {})
  const headers: Record<string, string | undefined> = {
    'Content-Type': 'application/json',
    'X-Shopify-Topic': webhook.topic ?? 'orders/paid',
    'X-Shopify-Hmac-Sha256': signBody(body, webhook.secret),
    'X-Shopify-Shop-Domain': webhook.shop,
    'X-Shopify-API-Version': '2026-10',
    'X-Shopify-Webhook-Id': randomUUID(),
    'X-Shopify-Event-Id': webhook.eventId ?? randomUUID(),
    'X-Shopify-Triggered-At': webhook.triggeredAt ?? '2026-08-03T18:05:14.000Z',
    ...webhook.headers,
  }
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return fetch(`${url}/webhooks`, { method: 'POST', body, headers: given })
}

export function signBody(body: string, secret = process.env.SHOPIFY_API_SECRET!): string {
  return createHmac('sha256', secret).update(body).digest('base64')
}

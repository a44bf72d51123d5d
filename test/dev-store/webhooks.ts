/**
 * The webhooks that the dev store sends: one *delivery* for each subscription to a topic, signed and tried again until
 * the app answers 2xx (shopify.dev, "Webhooks: HTTPS delivery"). Shopify tries 8 times over 4 hours; here the same 8
 * are tried over minutes. The body is what it was when the thing happened, however late it is sent.
 */
import { createHmac, randomUUID } from 'node:crypto'
import type { AppConfig, Subscription } from './app-config.ts'
import type { Delivery, DeliveryAttempt } from './records.ts'
import type { StoreTables } from './tables.ts'

/** Tells the app of something, if it is installed and has asked for the topic. */
export type Emit = (
  shop: string,
  topic: string,
  payload: Record<string, unknown>,
  options?: { eventId?: string; triggeredAt?: number; evenIfUninstalled?: boolean },
) => void

export type SendOptions = { twice?: boolean; delayMs?: number; badSignature?: boolean }

export type ReleaseOrder = 'as-happened' | 'reversed' | 'shuffled'

export type SenderOptions = {
  appUrl: string
  apiSecret: string
  app: AppConfig
  apiVersion: string
  /** Machine milliseconds before each further attempt. */
  retryDelaysMs: number[]
  concurrency: number
}

const ANSWER_WITHIN_MS = 5_000

/** Shopify's 8 retries, hurried. */
export const RETRY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000]

/** Makes deliveries out of events and sends them in the background until `stop`. */
export class WebhookSender {
  private readonly store: StoreTables
  private readonly options: SenderOptions
  private readonly running = new Set<string>()
  private readonly waiting: string[] = []
  private timer: NodeJS.Timeout | null = null
  private stopped = false
  private finished = 0

  constructor(store: StoreTables, options: SenderOptions) {
    this.store = store
    this.options = options
    for (const shop of store.shops()) {
      for (const row of store.list('deliveries', shop.domain)) if (row.status === 'waiting') this.waiting.push(row.id)
    }
  }

  readonly emit: Emit = (shop, topic, payload, options = {}) => {
    if (!this.store.shop(shop).installation && !options.evenIfUninstalled) return
    const eventId = options.eventId ?? randomUUID()
    const { hold, twice } = this.store.settings.webhooks
    for (const subscription of this.subscriptionsTo(topic)) {
      if (subscription.filter && !passesFilter(payload, subscription.filter)) continue
      const delivery: Delivery = {
        id: randomUUID(),
        eventId,
        sequence: this.nextSequence(),
        shop,
        topic,
        name: subscription.name,
        uri: subscription.uri,
        body: JSON.stringify(includeFields(payload, subscription.includeFields)),
        triggeredAt: options.triggeredAt ?? this.store.now(),
        status: hold ? 'held' : 'waiting',
        attempts: [],
        nextAttemptRealAt: Date.now(),
      }
      this.store.put('deliveries', delivery.id, delivery)
      if (!hold) this.enqueue(delivery.id)
      if (!hold && twice) this.enqueue(delivery.id)
    }
  }

  /** Sends a delivery again now, whatever became of it; resolves to the attempts it made. */
  async send(deliveryId: string, options: SendOptions = {}): Promise<DeliveryAttempt[]> {
    if (options.delayMs) await new Promise((done) => setTimeout(done, options.delayMs))
    const delivery = this.store.require('deliveries', deliveryId)
    const times = options.twice ? 2 : 1
    const attempts = await Promise.all(
      Array.from({ length: times }, () => this.attempt(delivery, options.badSignature ?? false)),
    )
    return attempts
  }

  /** Lets go of what was held back. `shuffled` is a different order each time. */
  release(order: ReleaseOrder = 'as-happened'): number {
    const held = this.store
      .shops()
      .flatMap((shop) => this.store.list('deliveries', shop.domain).filter((row) => row.status === 'held'))
    held.sort((a, b) => a.sequence - b.sequence)
    if (order === 'reversed') held.reverse()
    if (order === 'shuffled') shuffle(held)
    this.store.write(() => {
      for (const row of held)
        this.store.put('deliveries', row.id, { ...row, status: 'waiting', nextAttemptRealAt: Date.now() })
    })
    for (const row of held) this.enqueue(row.id)
    return held.length
  }

  /** Resolves once nothing is waiting or under way (held ones aside), or throws after `timeoutMs`. */
  async drained(timeoutMs = 30_000): Promise<void> {
    const until = Date.now() + timeoutMs
    while (this.waiting.length > 0 || this.running.size > 0) {
      if (Date.now() > until) throw new Error(`${this.waiting.length + this.running.size} webhooks still on their way.`)
      await new Promise((done) => setTimeout(done, 10))
    }
  }

  /** How many are waiting or under way. */
  backlog(): number {
    return this.waiting.length + this.running.size
  }

  /** Starts sending what waited from an earlier run. */
  start(): void {
    this.pump()
  }

  stop(): void {
    this.stopped = true
    if (this.timer) clearTimeout(this.timer)
  }

  /** The app's own subscriptions, which stand in its toml; none are made by the Admin API. */
  private subscriptionsTo(topic: string): Subscription[] {
    return this.options.app.subscriptions.filter((row) => row.topics.includes(topic))
  }

  private nextSequence(): number {
    const { settings } = this.store
    settings.nextSequence += 1
    this.store.put('settings', 'settings', settings)
    return settings.nextSequence
  }

  private enqueue(id: string): void {
    this.waiting.push(id)
    this.schedule(0)
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return
    if (this.timer) clearTimeout(this.timer)
    this.timer = setTimeout(() => this.pump(), delayMs)
    this.timer.unref()
  }

  private pump(): void {
    this.timer = null
    const now = Date.now()
    let soonest = Infinity
    for (let index = 0; index < this.waiting.length && this.running.size < this.options.concurrency;) {
      const delivery = this.store.get('deliveries', this.waiting[index]!)
      if (!delivery || delivery.status === 'dropped') {
        this.waiting.splice(index, 1)
      } else if (delivery.nextAttemptRealAt > now) {
        soonest = Math.min(soonest, delivery.nextAttemptRealAt)
        index += 1
      } else {
        this.waiting.splice(index, 1)
        void this.run(delivery)
      }
    }
    if (soonest < Infinity && this.running.size < this.options.concurrency) this.schedule(soonest - now)
  }

  private async run(delivery: Delivery): Promise<void> {
    const token = randomUUID()
    this.running.add(token)
    try {
      const attempt = await this.attempt(delivery, false)
      // What was under way when the store stopped is sent again after the next start.
      if (this.stopped) return
      const arrived = attempt.status !== null && attempt.status >= 200 && attempt.status < 300
      if (!arrived && delivery.status === 'waiting') {
        const delay = this.options.retryDelaysMs[delivery.attempts.length - 1]
        if (delay === undefined) {
          this.store.put('deliveries', delivery.id, Object.assign(delivery, { status: 'failed' as const }))
        } else {
          this.store.put('deliveries', delivery.id, Object.assign(delivery, { nextAttemptRealAt: Date.now() + delay }))
          this.waiting.push(delivery.id)
        }
      }
    } finally {
      this.running.delete(token)
      if (!this.stopped) this.pump()
    }
  }

  /** One POST. An answer of 2xx to a true signature marks the delivery as delivered. */
  private async attempt(delivery: Delivery, badSignature: boolean): Promise<DeliveryAttempt> {
    const started = Date.now()
    const result = { status: null as number | null, error: null as string | null }
    try {
      const response = await fetch(new URL(delivery.uri, this.options.appUrl), {
        method: 'POST',
        redirect: 'manual',
        headers: this.headers(delivery, badSignature),
        body: delivery.body,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      await response.arrayBuffer()
      result.status = response.status
    } catch (error) {
      result.error =
        error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error)
    }
    const attempt = {
      at: this.store.now(),
      realAt: started,
      ...result,
      milliseconds: Date.now() - started,
      badSignature,
    }
    delivery.attempts.push(attempt)
    if (!badSignature && result.status !== null && result.status >= 200 && result.status < 300)
      delivery.status = 'delivered'
    if (!this.stopped) this.store.put('deliveries', delivery.id, delivery)
    this.finished += 1
    if (this.finished % 500 === 0) this.store.forgetOldDeliveries()
    return attempt
  }

  private headers(delivery: Delivery, badSignature: boolean): Record<string, string> {
    const secret = badSignature ? `not-${this.options.apiSecret}` : this.options.apiSecret
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      'User-Agent': 'Shopify-Captain-Hook',
      'X-Shopify-Topic': delivery.topic,
      'X-Shopify-Hmac-Sha256': createHmac('sha256', secret).update(delivery.body, 'utf8').digest('base64'),
      'X-Shopify-Shop-Domain': delivery.shop,
      'X-Shopify-API-Version': this.options.apiVersion,
      'X-Shopify-Webhook-Id': delivery.id,
      'X-Shopify-Event-Id': delivery.eventId,
      'X-Shopify-Triggered-At': triggeredAtText(delivery),
    }
    if (delivery.name) headers['X-Shopify-Name'] = delivery.name
    return headers
  }
}

/** To the nanosecond, as Shopify writes it; what the clock lacks comes from the sequence, so later events sort later. */
function triggeredAtText(delivery: Delivery): string {
  const fraction = String(delivery.sequence % 1_000_000).padStart(6, '0')
  return new Date(delivery.triggeredAt).toISOString().replace('Z', `${fraction}Z`)
}

/** `verified_email:true` or several joined by AND; anything else is not imitated and says so. */
function passesFilter(payload: Record<string, unknown>, filter: string): boolean {
  return filter.split(' AND ').every((term) => {
    const match = /^([\w.]+):([\w@.-]+)$/.exec(term.trim())
    if (!match) throw new Error(`The dev store does not imitate the webhook filter "${filter}".`)
    return String(valueAt(payload, match[1]!.split('.'))) === match[2]
  })
}

function includeFields(payload: Record<string, unknown>, fields: string[]): Record<string, unknown> {
  if (fields.length === 0) return payload
  const kept: Record<string, unknown> = {}
  for (const field of fields) {
    if (field.includes('.'))
      throw new Error(`The dev store does not imitate the nested include_fields entry "${field}".`)
    if (field in payload) kept[field] = payload[field]
  }
  return kept
}

function valueAt(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], value)
}

function shuffle<Row>(rows: Row[]): void {
  for (let index = rows.length - 1; index > 0; index -= 1) {
    const other = Math.floor(Math.random() * (index + 1))
    ;[rows[index], rows[other]] = [rows[other]!, rows[index]!]
  }
}

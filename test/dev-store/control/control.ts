/**
 * The control page, `/dev`: what Shopify would do behind the scenes, to be done by hand. Webhooks again, twice, late, out of
 * order or badly signed; the Admin API throttled or broken; time moved for the store and the app alike; quick orders.
 */
import { readFileSync } from 'node:fs'
import { Liquid } from 'liquidjs'
import type { Delivery, Fault, FlowTrigger, Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { page, readForm, redirect, wholeNumber } from '../storefront/http.ts'
import { customerView, dateText, priceIn } from '../storefront/views.ts'

export type Control = {
  /** Answers `/dev…`, or null for any other path. */
  handle: (request: Request) => Promise<Response | null>
}

export type ControlOptions = {
  store: DevStore
  adminUrl: (shop: Shop) => string
  /** Default `/`. */
  storefrontUrl?: (shop: Shop) => string
}

const DAY_MS = 86_400_000
const DELIVERIES_SHOWN = 60
const CUSTOMERS_SHOWN = 200
const FLOWS_SHOWN = 20
const LATE_MS = 30_000
const APP_ANSWERS_WITHIN_MS = 1_500

const templates = new Liquid({
  root: import.meta.dirname,
  extname: '.liquid',
  strictFilters: true,
  outputEscape: 'escape',
})

type Site = Required<ControlOptions>
type Ask = { site: Site; shop: Shop; url: URL; form: Map<string, string> }

/** The control page of a store. */
export function createControl(options: ControlOptions): Control {
  const site: Site = { storefrontUrl: () => '/', ...options }
  return { handle: (request) => handle(site, request) }
}

async function handle(site: Site, request: Request): Promise<Response | null> {
  const url = new URL(request.url)
  if (url.pathname !== '/dev' && !url.pathname.startsWith('/dev/')) return null
  if (url.pathname === '/dev/control.css') return style()
  const form = request.method === 'POST' ? await readForm(request) : new Map<string, string>()
  const shop = findShop(site.store, form.get('shop') ?? url.searchParams.get('shop'))
  if (!shop) return page('<!doctype html><title>No shop</title><p>This dev store has no shop yet.</p>', 404)
  const ask: Ask = { site, shop, url, form }
  if (request.method === 'POST') {
    // A page on another site must not be able to steer this one through the browser.
    const from = request.headers.get('sec-fetch-site')
    if (from !== null && from !== 'same-origin') return new Response('Only from this page.', { status: 403 })
    return act(ask)
  }
  if (url.pathname === '/dev/state.json') return Response.json(await readState(ask))
  const id = /^\/dev\/webhooks\/([\w-]+)$/.exec(url.pathname)?.[1]
  if (id !== undefined) return deliveryPage(ask, id)
  return url.pathname === '/dev' ? controlPage(ask) : page('<!doctype html><title>Nothing here</title>', 404)
}

function findShop(store: DevStore, domain: string | null): Shop | undefined {
  const shops = store.shops()
  return shops.find((shop) => shop.domain === domain) ?? shops[0]
}

function style(): Response {
  return new Response(readFileSync(new URL('control.css', import.meta.url)), {
    headers: { 'content-type': 'text/css; charset=utf-8' },
  })
}

type Action = (ask: Ask) => string | Promise<string>

/** Every button of the page: what it does, and what is said afterwards. */
const ACTIONS: Record<string, { section: string; run: Action }> = {
  '/dev/webhooks/send': { section: 'webhooks', run: sendAgain },
  '/dev/webhooks/mode': { section: 'webhooks', run: changeMode },
  '/dev/webhooks/release': { section: 'webhooks', run: release },
  '/dev/faults': { section: 'faults', run: addFault },
  '/dev/faults/clear': { section: 'faults', run: clearFaults },
  '/dev/faults/tokens': { section: 'faults', run: expireTokens },
  '/dev/time': { section: 'time', run: moveTime },
  '/dev/orders': { section: 'orders', run: quickOrder },
}

async function act(ask: Ask): Promise<Response> {
  const action = ACTIONS[ask.url.pathname]
  if (!action) return new Response('There is no such button.', { status: 404 })
  const said = await action.run(ask)
  const params = new URLSearchParams({ shop: ask.shop.domain, said })
  const topic = ask.form.get('topic')
  if (topic) params.set('topic', topic)
  return redirect(`/dev?${params}#${action.section}`)
}

async function sendAgain({ site, form }: Ask): Promise<string> {
  const id = form.get('id') ?? ''
  const delivery = site.store.delivery(id)
  if (!delivery) return 'That webhook is no longer kept.'
  const how = form.get('how')
  if (how === 'late') {
    void site.store.sendWebhook(id, { delayMs: LATE_MS }).catch(() => undefined)
    return `${delivery.topic} will be sent once more in ${LATE_MS / 1000} seconds.`
  }
  const attempts = await site.store.sendWebhook(id, { twice: how === 'twice', badSignature: how === 'bad-signature' })
  const answers = attempts.map(({ status, error, milliseconds }) => `${status ?? error} in ${milliseconds} ms`)
  const signed = how === 'bad-signature' ? ' with a wrong signature' : ''
  return `${delivery.topic} sent${how === 'twice' ? ' twice at once' : ' again'}${signed}: ${answers.join(', ')}.`
}

function changeMode({ site, form }: Ask): string {
  const mode = { hold: form.get('hold') === '1', twice: form.get('twice') === '1' }
  site.store.setWebhookMode(mode)
  if (mode.hold) return 'Webhooks are kept back until you let them go.'
  return mode.twice ? 'Every webhook is sent twice now.' : 'Webhooks leave at once, one each.'
}

function release({ site, form }: Ask): string {
  const asked = form.get('order')
  const order = asked === 'reversed' || asked === 'shuffled' ? asked : 'as-happened'
  const count = site.store.releaseWebhooks(order)
  return `${count} ${count === 1 ? 'webhook' : 'webhooks'} let go, ${ORDER_WORDS[order]}.`
}

const ORDER_WORDS = { 'as-happened': 'in order', reversed: 'newest first', shuffled: 'in any order' }

const FAULTS: Record<Fault, string> = {
  throttled: 'THROTTLED',
  '500': 'error 500',
  timeout: 'no answer, nothing done',
  'timeout-after-effect': 'no answer, but done',
}

function addFault({ site, form }: Ask): string {
  const fault = form.get('fault') as Fault
  const times = wholeNumber(form.get('times'), 1, 1000)
  if (!(fault in FAULTS) || times === null) return 'Choose a fault and a number of calls from 1 to 1000.'
  const operation = (form.get('operation') ?? '').trim()
  site.store.setFault({ api: fault, times, ...(operation ? { operation } : {}) })
  return `The next ${times} calls${operation ? ` of ${operation}` : ''}: ${FAULTS[fault]}.`
}

function clearFaults({ site }: Ask): string {
  site.store.clearFaults()
  return 'The Admin API answers as it should.'
}

function expireTokens({ site, shop }: Ask): string {
  site.store.expireTokens(shop.domain)
  return 'Every access token of this shop has run out; the app has to refresh.'
}

function moveTime({ site, shop, form }: Ask): string {
  const { store } = site
  const days = wholeNumber(form.get('days'), 1, 3650)
  const minutes = wholeNumber(form.get('minutes'), 1, 100_000)
  if (form.has('reset')) store.setTime(null)
  else if (days !== null) store.advanceTime(days * DAY_MS)
  else if (minutes !== null) store.advanceTime(minutes * 60_000)
  else {
    const at = Date.parse(`${form.get('to')}Z`)
    if (Number.isNaN(at)) return 'That is no date.'
    store.setTime(at)
  }
  return `It is now ${dateText(store.now(), shop.timezone, true)} in the shop.`
}

function quickOrder({ site, shop, form }: Ask): string {
  const { store } = site
  const product = store.product(shop.domain, `gid://shopify/Product/${form.get('product')}`)
  const quantity = wholeNumber(form.get('quantity'), 1, 999)
  const variant = product?.variants[0]
  if (!variant || quantity === null) return 'Choose a product and a quantity from 1 to 999.'
  const customer = store.customer(shop.domain, `gid://shopify/Customer/${form.get('customer')}`)
  const status = form.get('payment') === 'pending' ? 'pending' : 'paid'
  const placed = store.placeOrder(shop.domain, {
    customerId: customer?.id ?? null,
    lines: [{ variantId: variant.id, quantity }],
    shipping: variant.requiresShipping ? { title: 'Standard', priceMinor: shop.shippingMinor } : null,
    payment: { status },
  })
  if (!placed.ok) return `No order: ${placed.detail}.`
  const who = customer ? customerView(customer)!.name : 'a guest'
  return `Order ${placed.order.name} for ${who}, ${status}.`
}

/** What the page and tests ask of the store's state. */
async function readState({ site, shop }: Ask) {
  const { store } = site
  const deliveries = store.deliveries(shop.domain)
  const count = (status: Delivery['status']) => deliveries.filter((row) => row.status === status).length
  return {
    shop: shop.domain,
    now: new Date(store.now()).toISOString(),
    clockOffsetMs: store.clockOffsetMs(),
    app: await checkApp(store),
    installed: shop.installation !== null,
    webhooks: {
      held: count('held'),
      waiting: count('waiting'),
      failed: count('failed'),
      delivered: count('delivered'),
      underWay: store.webhookBacklog(),
      mode: store.tables.settings.webhooks,
    },
    faults: store.faults(),
  }
}

/** Whether the app answers at all, as a load balancer would ask. */
async function checkApp({ options }: DevStore): Promise<{ url: string; reachable: boolean; says: string }> {
  try {
    const answer = await fetch(new URL('/healthz', options.appUrl), {
      signal: AbortSignal.timeout(APP_ANSWERS_WITHIN_MS),
    })
    return { url: options.appUrl, reachable: answer.ok, says: `${answer.status} ${(await answer.text()).trim()}` }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return { url: options.appUrl, reachable: false, says: cause }
  }
}

async function controlPage(ask: Ask): Promise<Response> {
  const { site, shop, url } = ask
  const { store } = site
  const topic = url.searchParams.get('topic') ?? ''
  const deliveries = store.deliveries(shop.domain)
  const shown = deliveries.filter((row) => topic === '' || row.topic === topic).slice(0, DELIVERIES_SHOWN)
  const state = await readState(ask)
  const view = {
    ...shared(ask),
    said: url.searchParams.get('said') ?? '',
    state,
    topic,
    topics: [...new Set(deliveries.map((row) => row.topic))].sort(),
    deliveries: shown.map((row) => deliveryRow(row, ask)),
    hidden: Math.max(0, deliveries.length - shown.length),
    flows: store.tables
      .list('flowTriggers', shop.domain)
      .slice(-FLOWS_SHOWN)
      .reverse()
      .map((row) => flowRow(row, ask)),
    faults: state.faults.map((row) => ({ ...row, words: FAULTS[row.fault] })),
    fault_choices: Object.entries(FAULTS).map(([value, words]) => ({ value, words })),
    customers: store
      .customers(shop.domain)
      .slice(-CUSTOMERS_SHOWN)
      .reverse()
      .map((customer) => customerView(customer)),
    products: store
      .products(shop.domain)
      .filter((product) => product.status === 'ACTIVE')
      .slice(0, 100)
      .map((product) => ({
        id: product.id.slice(product.id.lastIndexOf('/') + 1),
        title: product.title,
        price: priceIn(shop, shop.currency)(product.variants[0]?.priceMinor ?? 0),
      })),
  }
  return page((await templates.renderFile('page', view)) as string)
}

function shared({ site, shop }: Ask) {
  const { store } = site
  const offset = store.clockOffsetMs()
  return {
    shop,
    shops: store.shops().map((each) => ({ domain: each.domain, name: each.name, chosen: each.domain === shop.domain })),
    links: { admin: site.adminUrl(shop), storefront: site.storefrontUrl(shop) },
    clock: {
      now: dateText(store.now(), shop.timezone, true),
      input: new Date(store.now()).toISOString().slice(0, 16),
      zone: shop.timezone,
      moved: offset === 0 ? null : movedText(offset),
    },
  }
}

function movedText(offsetMs: number): string {
  const days = Math.round((Math.abs(offsetMs) / DAY_MS) * 10) / 10
  return `${days} ${days === 1 ? 'day' : 'days'} ${offsetMs > 0 ? 'ahead of' : 'behind'} this machine`
}

function deliveryRow(row: Delivery, ask: Ask) {
  const last = row.attempts.at(-1)
  return {
    id: row.id,
    topic: row.topic,
    about: aboutOf(row, ask),
    at: new Intl.DateTimeFormat('en-GB', {
      dateStyle: 'medium',
      timeStyle: 'medium',
      timeZone: ask.shop.timezone,
    }).format(new Date(row.triggeredAt)),
    status: row.status,
    attempts: row.attempts.length,
    answer: last ? `${last.status ?? last.error} in ${last.milliseconds} ms` : null,
  }
}

/** What Flow was told: which trigger, of whom, and what it carries. */
function flowRow({ handle, payload, receivedAt }: FlowTrigger, { site, shop }: Ask) {
  const { customer_id: id, ...carried } = payload as Record<string, unknown>
  const customer = site.store.customer(shop.domain, `gid://shopify/Customer/${String(id)}`)
  return {
    handle,
    who: customer ? customerView(customer)!.name : '',
    at: dateText(receivedAt, shop.timezone, true),
    carried: Object.entries(carried).map(([name, value]) => `${name}: ${String(value)}`),
  }
}

/** What a webhook is about, in a few letters: the order's name, the customer's id. */
function aboutOf({ topic, body }: Delivery, { site, shop }: Ask): string {
  const payload = JSON.parse(body) as Record<string, unknown>
  const edit = payload.order_edit as { order_id?: unknown } | undefined
  const order = payload.order_id ?? edit?.order_id ?? (topic.startsWith('orders/') ? payload.id : undefined)
  // The app asks for no names of orders, but the store knows them.
  const name =
    order === undefined ? undefined : site.store.order(shop.domain, `gid://shopify/Order/${String(order)}`)?.name
  const about = name ?? order ?? payload.title ?? payload.id ?? payload.customerId
  return about === undefined || about === null ? '' : String(about)
}

async function deliveryPage(ask: Ask, id: string): Promise<Response> {
  const delivery = ask.site.store.delivery(id)
  if (!delivery) return page('<!doctype html><title>Gone</title><p>That webhook is no longer kept.</p>', 404)
  const view = {
    ...shared(ask),
    row: deliveryRow(delivery, ask),
    delivery,
    attempts: delivery.attempts.map((attempt) => ({
      ...attempt,
      at: new Date(attempt.at).toISOString(),
      answer: attempt.status ?? attempt.error,
    })),
    body: JSON.stringify(JSON.parse(delivery.body), null, 2),
  }
  return page((await templates.renderFile('webhook', view)) as string)
}

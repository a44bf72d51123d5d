/**
 * The dev store: a local Shopify with several shops, in memory, kept in a file where one is given. Its *verbs* are what
 * a merchant, a shopper or Shopify itself does; each changes the tables (records.ts), writes one journal line, and
 * tells the app by webhook. The storefront, the admin pages, the Admin API and the tests all use these verbs.
 *
 * @example
 * const store = createStore({ appUrl: 'http://127.0.0.1:3000', apiKey, apiSecret })
 * store.addShop({ domain: 'tea.myshopify.com', currency: 'EUR' })
 * store.installApp('tea.myshopify.com')
 * const mug = store.addProduct('tea.myshopify.com', { title: 'Mug', priceMinor: 1250 })
 * const ann = store.createCustomer('tea.myshopify.com', { email: 'ann@example.com' })
 * store.placeOrder('tea.myshopify.com', { customerId: ann.id, lines: [{ variantId: mug.variants[0]!.id, quantity: 2 }] })
 * await store.drained()
 */
import { readAppConfig, type AppConfig } from './app-config.ts'
import * as catalogue from './catalogue.ts'
import * as customers from './customers.ts'
import * as discounts from './discounts.ts'
import * as installation from './installation.ts'
import * as orders from './orders.ts'
import { discountStatus } from './discounts.ts'
import type { Discount, Fault, Gid, Metafield, Settings } from './records.ts'
import { StoreTables } from './tables.ts'
import { RETRY_DELAYS_MS, WebhookSender, type ReleaseOrder, type SendOptions } from './webhooks.ts'

export type StoreOptions = {
  /** Where webhooks go. */
  appUrl: string
  apiKey: string
  apiSecret: string
  /** Without it nothing outlives the process. */
  dataFile?: string
  /** Default: `shopify.app.toml`. */
  app?: AppConfig
  /** Machine milliseconds between attempts to deliver a webhook; default Shopify's 8 retries, hurried. */
  retryDelaysMs?: number[]
  /** How many webhooks are under way at once. */
  webhookConcurrency?: number
}

export type DevStore = ReturnType<typeof createStore>

/** The version of the Admin API and of webhooks that this stand-in imitates. */
export const API_VERSION = '2026-10'

/** The app's number on Shopify; `$app` metafields live in the namespace `app--<this>`. */
export const APP_ID = '4242424'
const APP_NAMESPACE = `app--${APP_ID}`

/** Opens the dev store: reads its file if there is one, and sends what webhooks were still waiting. */
export function createStore(options: StoreOptions) {
  const tables = new StoreTables(options.dataFile)
  const app = options.app ?? readAppConfig()
  const sender = new WebhookSender(tables, {
    appUrl: options.appUrl,
    apiSecret: options.apiSecret,
    app,
    apiVersion: API_VERSION,
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
    concurrency: options.webhookConcurrency ?? 8,
  })
  const { emit } = sender
  sender.start()
  let closed = false
  return {
    options,
    app,
    tables,
    emit,
    ...catalogueVerbs(tables, emit),
    ...customerVerbs(tables, emit),
    ...orderVerbs(tables, emit),
    ...discountVerbs(tables, emit),
    ...installationVerbs(tables, emit, app),
    ...webhookVerbs(tables, sender),
    ...clockAndFaults(tables),
    isClosed: () => closed,
    /** Stops sending and closes the file. */
    close(): void {
      closed = true
      sender.stop()
      tables.close()
    },
  }
}

type Emit = WebhookSender['emit']

function catalogueVerbs(tables: StoreTables, emit: Emit) {
  return {
    addShop: (input: catalogue.AddShop) => catalogue.addShop(tables, input),
    addProduct: (shop: string, input: catalogue.AddProduct) => catalogue.addProduct(tables, emit, shop, input),
    updateProduct: (shop: string, id: Gid, change: Parameters<typeof catalogue.updateProduct>[4]) =>
      catalogue.updateProduct(tables, emit, shop, id, change),
    addCollection: (shop: string, input: Parameters<typeof catalogue.addCollection>[3]) =>
      catalogue.addCollection(tables, emit, shop, input),
    shops: () => tables.shops(),
    shop: (domain: string) => tables.shop(domain),
    products: (shop: string) => tables.list('products', shop),
    productByHandle: (shop: string, handle: string) =>
      tables.list('products', shop).find((row) => row.handle === handle),
    product: (shop: string, id: Gid) => tables.find('products', shop, id),
    collections: (shop: string) => tables.list('collections', shop),
    collectionByHandle: (shop: string, handle: string) =>
      tables.list('collections', shop).find((row) => row.handle === handle),
    /** Collections that contain the product. */
    collectionsOf: (shop: string, productId: Gid) =>
      tables.list('collections', shop).filter((row) => row.productIds.includes(productId)),
  }
}

function customerVerbs(tables: StoreTables, emit: Emit) {
  return {
    createCustomer: (shop: string, input: customers.CreateCustomer) =>
      customers.createCustomer(tables, emit, shop, input),
    updateCustomer: (shop: string, id: Gid, change: customers.CustomerChange) =>
      customers.updateCustomer(tables, emit, shop, id, change),
    deleteCustomer: (shop: string, id: Gid) => customers.deleteCustomer(tables, emit, shop, id),
    mergeCustomers: (shop: string, keptId: Gid, deletedId: Gid) =>
      customers.mergeCustomers(tables, emit, shop, keptId, deletedId),
    requestData: (shop: string, customerId: Gid) => customers.requestData(tables, emit, shop, customerId),
    redact: (shop: string, customerId: Gid) => customers.redactCustomer(tables, emit, shop, customerId),
    /** Customers that still stand on their own (merged ones are left out). */
    customers: (shop: string) => tables.list('customers', shop).filter((row) => row.mergedInto === null),
    customer: (shop: string, id: Gid) => {
      const customer = tables.find('customers', shop, id)
      return customer && customer.mergedInto === null ? customer : undefined
    },
    customerByEmail: (shop: string, email: string) => tables.customerByEmail(shop, email),
    /** A metafield the app wrote (namespace `$app`) on a customer, product, order, shop, discount …, or another's. */
    metafield: (ownerId: Gid, key: string, namespace = '$app'): Metafield | undefined =>
      tables.metafieldsOf(ownerId).find((row) => row.key === key && row.namespace === resolveNamespace(namespace)),
    giftCardByCode: (shop: string, code: string) =>
      tables.list('giftCards', shop).find((row) => row.code === code.toLowerCase().replace(/\s/g, '')),
    storeCreditOf: (shop: string, customerId: Gid) =>
      tables.list('storeCredit', shop).filter((row) => row.ownerId === customerId),
  }
}

function orderVerbs(tables: StoreTables, emit: Emit) {
  return {
    placeOrder: (shop: string, input: orders.PlaceOrder) => orders.placeOrder(tables, emit, shop, input),
    importOrder: (shop: string, input: orders.ImportOrder) => orders.importOrder(tables, emit, shop, input),
    refund: (shop: string, orderId: Gid, input: orders.RefundInput) =>
      orders.refund(tables, emit, shop, orderId, input),
    cancelOrder: (shop: string, orderId: Gid, input?: orders.CancelInput) =>
      orders.cancelOrder(tables, emit, shop, orderId, input),
    editOrder: (shop: string, orderId: Gid, changes: orders.EditChange[], note?: string) =>
      orders.editOrder(tables, emit, shop, orderId, changes, note),
    markPaid: (shop: string, orderId: Gid) => orders.markPaid(tables, emit, shop, orderId),
    attachCustomer: (shop: string, orderId: Gid, customerId: Gid | null) =>
      orders.attachCustomer(tables, emit, shop, orderId, customerId),
    deleteOrder: (shop: string, orderId: Gid) => orders.deleteOrder(tables, emit, shop, orderId),
    /** Orders of a shop, oldest first. */
    orders: (shop: string) => tables.list('orders', shop),
    order: (shop: string, id: Gid) => tables.find('orders', shop, id),
    ordersOf: (customerId: Gid) => tables.ordersOf(customerId),
  }
}

function discountVerbs(tables: StoreTables, emit: Emit) {
  return {
    /** A merchant's own discount, for tests of combinations; the app makes its discounts by the Admin API. */
    addDiscount: (shop: string, draft: Pick<Discount, 'kind' | 'title'> & Partial<Discount>, code?: string) =>
      tables.write(() => discounts.addDiscount(tables, emit, discounts.draftDiscount(tables, shop, draft), code)),
    deleteDiscount: (shop: string, id: Gid) =>
      discounts.deleteDiscount(tables, emit, discounts.requireDiscount(tables, shop, id)),
    checkCode: (shop: string, code: string, customerId: Gid | null) =>
      discounts.checkCode(tables, shop, code, customerId),
    activeAutomaticDiscounts: (shop: string) => discounts.activeAutomaticDiscounts(tables, shop),
    isFor: (discount: Discount, customerId: Gid | null) => discounts.isFor(tables, discount, customerId),
    discounts: (shop: string) => tables.list('discounts', shop),
    discountStatus: (discount: Discount) => discountStatus(discount, tables.now()),
    codesOf: (discountId: Gid) => tables.codesOf(discountId),
  }
}

function installationVerbs(tables: StoreTables, emit: Emit, app: AppConfig) {
  return {
    /** Installs the app with its own scopes, or with those given. */
    installApp: (shop: string, scopes = app.scopes) => installation.installApp(tables, shop, scopes),
    uninstall: (shop: string) => installation.uninstall(tables, emit, shop),
    redactShop: (shop: string) => installation.redactShop(tables, emit, shop),
    setScopes: (shop: string, scopes: string[]) => installation.setScopes(tables, emit, shop, scopes),
    /** An access token without the OAuth round trip, for tests of the Admin API. */
    issueToken: (shop: string) => installation.issueToken(tables, shop, { mode: 'offline', expiring: true }),
    /** Makes every access token of the shop run out now; refresh tokens stay good. */
    expireTokens: (shop: string) =>
      tables.write(() => {
        const record = tables.shop(shop)
        for (const token of record.installation?.tokens ?? []) token.expiresRealAt = Date.now() - 1
        tables.put('shops', shop, record)
      }),
  }
}

function webhookVerbs(tables: StoreTables, sender: WebhookSender) {
  return {
    /** Everything sent, held or failed, newest first. */
    deliveries: (shop: string) => tables.list('deliveries', shop).reverse(),
    delivery: (id: string) => tables.get('deliveries', id),
    /** Sends one again, twice, late or with a signature that is wrong; resolves to the attempts made. */
    sendWebhook: (deliveryId: string, options?: SendOptions) => sender.send(deliveryId, options),
    /** `hold` keeps webhooks back until `releaseWebhooks`; `twice` sends each one two times. */
    setWebhookMode: (mode: Partial<Settings['webhooks']>) =>
      tables.put(
        'settings',
        'settings',
        Object.assign(tables.settings, { webhooks: { ...tables.settings.webhooks, ...mode } }),
      ),
    releaseWebhooks: (order?: ReleaseOrder) => sender.release(order),
    /** Resolves once every webhook that is not held has been answered or given up on. */
    drained: (timeoutMs?: number) => sender.drained(timeoutMs),
    webhookBacklog: () => sender.backlog(),
  }
}

function clockAndFaults(tables: StoreTables) {
  const setOffset = (clockOffsetMs: number) =>
    tables.put('settings', 'settings', Object.assign(tables.settings, { clockOffsetMs }))
  return {
    /** The store's own clock, epoch milliseconds. */
    now: () => tables.now(),
    clockOffsetMs: () => tables.settings.clockOffsetMs,
    /** Moves the clock of the store, and of every app attached to it, on by so many milliseconds (back: negative). */
    advanceTime: (milliseconds: number) => setOffset(tables.settings.clockOffsetMs + milliseconds),
    /** Sets the clock to an instant; `null` goes back to the machine's time. */
    setTime: (instant: number | null) => setOffset(instant === null ? 0 : instant - Date.now()),
    /** Makes the next `times` Admin API requests (of one operation name, if given) fail in this way. */
    setFault: (fault: { api: Fault; times: number; operation?: string }) =>
      tables.put(
        'settings',
        'settings',
        Object.assign(tables.settings, {
          faults: [
            ...tables.settings.faults,
            { fault: fault.api, times: fault.times, operation: fault.operation ?? null },
          ],
        }),
      ),
    clearFaults: () => tables.put('settings', 'settings', Object.assign(tables.settings, { faults: [] })),
    faults: () => tables.settings.faults,
    /** Calls back after each change with the names of the tables it touched; returns how to stop. */
    onChange: (listener: Parameters<StoreTables['onChange']>[0]) => tables.onChange(listener),
  }
}

/** `$app`, `$app:x` and nothing at all are the app's own namespaces, written out as Shopify stores them. */
export function resolveNamespace(namespace: string | null | undefined): string {
  if (namespace === null || namespace === undefined || namespace === '$app') return APP_NAMESPACE
  return namespace.startsWith('$app:') ? `${APP_NAMESPACE}--${namespace.slice(5)}` : namespace
}

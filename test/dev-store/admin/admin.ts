/**
 * The dev store's own admin: the frame around the app, and a merchant's pages for orders and customers. Addresses are
 * Shopify's: `/store/{name}/orders/…`, `/store/{name}/apps/{handle}/…`. There is no sign-in: whoever opens it is the
 * merchant, on this machine only.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Shop } from '../records.ts'
import type { Handler } from '../server.ts'
import type { DevStore } from '../state.ts'
import { appPage, bridge, install } from './app-page.ts'
import { addCustomer, customerAction, customerPage, customersPage } from './customers-pages.ts'
import { goTo, html, htmlResponse } from './html.ts'
import { baseOf } from './layout.ts'
import { orderAction, orderPage, ordersPage } from './orders-pages.ts'
import { discountsPage, productsPage, settingsAction, settingsPage } from './other-pages.ts'

const PUBLIC = resolve(import.meta.dirname, '../public')
const ASSETS: Record<string, [file: string, type: string]> = {
  '/app-bridge.js': ['app-bridge.js', 'text/javascript; charset=utf-8'],
  '/admin/assets/frame.js': ['frame.js', 'text/javascript; charset=utf-8'],
  '/admin/assets/admin.js': ['admin.js', 'text/javascript; charset=utf-8'],
  '/admin/assets/admin.css': ['admin.css', 'text/css; charset=utf-8'],
}

/** Answers /app-bridge.js, /admin and /store/{name}/…. */
export function createAdmin({ store }: { store: DevStore }): Handler {
  return async (request) => {
    const url = new URL(request.url)
    const asset = ASSETS[url.pathname]
    if (asset)
      return new Response(readFileSync(resolve(PUBLIC, asset[0])), {
        headers: { 'content-type': asset[1], 'cache-control': 'no-cache' },
      })
    if (url.pathname === '/admin') return toShop(store, url)
    const match = /^\/store\/([^/]+)(\/.*)?$/.exec(url.pathname)
    if (!match) return null
    const shop = store.shops().find((each) => baseOf(each) === `/store/${match[1]}`)
    if (!shop)
      return htmlResponse(
        html`<!doctype html><title>No shop</title>
          <p>There is no shop ${match[1]} in this dev store.</p>`,
        404,
      )
    const path = match[2]?.replace(/\/$/, '') ?? ''
    if (request.method === 'GET' || request.method === 'HEAD') return page(store, shop, path, url, request)
    if (request.method !== 'POST') return new Response('Method not allowed', { status: 405 })
    // Forms come from these pages only: a page elsewhere must not act through the merchant's browser.
    const from = request.headers.get('sec-fetch-site')
    if (from !== null && from !== 'same-origin') return new Response('Only from the admin itself.', { status: 403 })
    return act(store, shop, path, request)
  }
}

function toShop(store: DevStore, url: URL): Response {
  const wanted = url.searchParams.get('shop')
  const shop = wanted ? store.shops().find((each) => each.domain === wanted) : store.shops()[0]
  if (!shop)
    return htmlResponse(
      html`<!doctype html><title>No shop</title>
        <p>This dev store has no shop${wanted ? ` ${wanted}` : ''} yet.</p>`,
      404,
    )
  return goTo(`${baseOf(shop)}/apps/${store.app.handle}`)
}

function page(store: DevStore, shop: Shop, path: string, url: URL, request: Request): Promise<Response> | Response {
  const [, folder = '', id = '', ...rest] = path.split('/')
  if (folder === '') return goTo(`${baseOf(shop)}/orders`)
  if (folder === 'bridge') return bridge(store, shop, [id, ...rest].join('/'), request)
  // Shopify's own redirects name the app by its key, its addresses by its handle.
  if (folder === 'apps' && (id === store.app.handle || id === store.options.apiKey)) {
    const inApp = rest.length > 0 ? `/${rest.join('/')}` : ''
    if (id !== store.app.handle) return goTo(`${baseOf(shop)}/apps/${store.app.handle}${inApp}${url.search}`)
    return appPage(store, shop, inApp, url.search)
  }
  if (folder === 'orders') {
    if (id === '') return ordersPage(store, shop, url)
    const order = store.order(shop.domain, `gid://shopify/Order/${id}`)
    if (order) return orderPage(store, shop, order, url)
  }
  if (folder === 'customers') {
    if (id === '') return customersPage(store, shop, url)
    const customer = store.customer(shop.domain, `gid://shopify/Customer/${id}`)
    if (customer) return customerPage(store, shop, customer, url)
  }
  if (folder === 'products') return productsPage(store, shop)
  if (folder === 'discounts') return discountsPage(store, shop)
  if (folder === 'settings') return settingsPage(store, shop, url)
  return htmlResponse(
    html`<!doctype html>
      <html lang="en">
        <title>Not here</title>
        <p>The dev store's admin has no page ${path}. <a href="${baseOf(shop)}/orders">Orders</a></p>
      </html>`,
    404,
  )
}

async function act(store: DevStore, shop: Shop, path: string, request: Request): Promise<Response> {
  const [, folder = '', id = '', verb = '', ...rest] = path.split('/')
  if (folder === 'bridge') return bridge(store, shop, [id, verb, ...rest].filter(Boolean).join('/'), request)
  const form = new URLSearchParams(await request.text())
  if (folder === 'apps' && verb === 'install') return install(store, shop)
  if (folder === 'settings') return settingsAction(store, shop, id)
  if (folder === 'customers' && id === 'new') return addCustomer(store, shop, form)
  const order = folder === 'orders' ? store.order(shop.domain, `gid://shopify/Order/${id}`) : undefined
  if (order) return orderAction(store, shop, order, verb, form)
  const customer = folder === 'customers' ? store.customer(shop.domain, `gid://shopify/Customer/${id}`) : undefined
  if (customer) return customerAction(store, shop, customer, verb, form)
  return new Response('Nothing here.', { status: 404 })
}

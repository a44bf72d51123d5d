/**
 * The storefront of the dev store: a shop to walk around in, with our real blocks, our real Function and the app proxy. It
 * answers at the root of an address, because blocks ask for `/apps/loyalty`, as on a real shop.
 */
import type { Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { accountPage, login, loginPage, logout, orderStatus, register, registerPage } from './account.ts'
import { Carts } from './cart.ts'
import { checkoutAction, checkoutPage } from './checkout.ts'
import { createFunctionRunner } from './function.ts'
import { readForm } from './http.ts'
import { placeholderSvg } from './placeholder.ts'
import { forwardToApp, proxyPrefix } from './proxy.ts'
import {
  addLine,
  cartCode,
  cartPage,
  chooseCurrency,
  chooseLanguage,
  collection,
  home,
  notFound,
  product,
  updateLine,
} from './shopping.ts'
import { readAsset, renderPage, renderProxyLiquid } from './theme.ts'
import { openVisit } from './visit.ts'
import type { Site, Visit } from './visit.ts'

export type Storefront = {
  /** Answers a request, or null where the path is none of the storefront's. */
  handle: (request: Request) => Promise<Response | null>
}

export type StorefrontOptions = {
  store: DevStore
  /** Where a shop's admin is, for the footer. */
  adminUrl?: (shop: Shop) => string
}

/** Bundles the Function and opens the storefront of every shop of the store. */
export async function createStorefront({ store, adminUrl }: StorefrontOptions): Promise<Storefront> {
  const site: Site = {
    store,
    runner: await createFunctionRunner(),
    carts: new Carts(),
    adminUrl: adminUrl ?? (() => '/admin'),
  }
  return { handle: (request) => handle(site, request) }
}

/** The shop an address belongs to: `tea.localhost` is `tea.myshopify.com`, anything else the first shop. */
export function shopOfHost(store: DevStore, host: string | null): Shop | undefined {
  const name = (host ?? '').split(':')[0]!.split('.')[0]
  const shops = store.shops()
  return shops.find((shop) => shop.domain === host || shop.domain.split('.')[0] === name) ?? shops[0]
}

async function handle(site: Site, request: Request): Promise<Response | null> {
  const url = new URL(request.url)
  const file = readFile(url.pathname)
  if (file) return file
  const shop = shopOfHost(site.store, request.headers.get('host') ?? url.host)
  if (!shop) return null
  const prefix = proxyPrefix(site.store)
  if (prefix !== null && (url.pathname === prefix || url.pathname.startsWith(`${prefix}/`))) {
    return proxy(site, shop, request)
  }
  const route = findRoute(request.method, url.pathname)
  if (!route) return null
  const form = request.method === 'POST' ? await readForm(request) : new Map<string, string>()
  return route(openVisit(site, shop, request, form))
}

type Answer = (visit: Visit) => Promise<Response>

const PAGES: Record<string, Answer> = {
  'GET /': home,
  'GET /collections': (visit) => collection(visit, 'all'),
  'GET /cart': (visit) => cartPage(visit),
  'POST /cart/add': addLine,
  'POST /cart/change': updateLine,
  'POST /cart/code': cartCode,
  'GET /cart/code': (visit) => cartPage(visit),
  'POST /cart/currency': chooseCurrency,
  'POST /localization': chooseLanguage,
  'GET /account': accountPage,
  'GET /account/login': loginPage,
  'POST /account/login': login,
  'POST /account/logout': logout,
  'GET /account/register': (visit) => registerPage(visit),
  'POST /account/register': register,
  'GET /pages/loyalty': (visit) => renderPage(visit, 'page', {}, { title: 'Rewards', template: 'page' }),
  'GET /checkout': (visit) => checkoutPage(visit),
  'POST /checkout': checkoutAction,
}

const FOLDERS: Record<string, (visit: Visit, name: string) => Promise<Response>> = {
  collections: collection,
  products: product,
  orders: orderStatus,
}

function findRoute(method: string, path: string): Answer | undefined {
  const verb = method === 'HEAD' ? 'GET' : method
  const tidy = path.length > 1 ? path.replace(/\/$/, '') : path
  const exact = PAGES[`${verb} ${tidy}`]
  if (exact) return exact
  const [folder = '', name, ...rest] = tidy.slice(1).split('/')
  const inFolder = FOLDERS[folder]
  if (inFolder && name && rest.length === 0 && verb === 'GET') return (visit) => inFolder(visit, safeDecode(name))
  const owned = ['collections', 'products', 'orders', 'pages', 'cart', 'account', 'checkout'].includes(folder)
  return owned ? (visit) => notFound(visit) : undefined
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Files: the theme's style, the extension's assets, drawn pictures. */
function readFile(path: string): Response | null {
  if (path.startsWith('/cdn/pictures/') && path.endsWith('.svg')) {
    return svg(placeholderSvg(safeDecode(path.slice('/cdn/pictures/'.length, -'.svg'.length))))
  }
  if (path === '/cdn/icon.svg') return svg(ICON)
  return path.startsWith('/cdn/') ? (readAsset(path) ?? new Response('Not found', { status: 404 })) : null
}

function svg(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=3600' } })
}

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f5132"/><path d="M16 25V14m0 0c0-5 4-7 8-7 0 5-3 8-8 8m0-1c0-4-3-6-7-6 0 4 2 7 7 7" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>`

async function proxy(site: Site, shop: Shop, request: Request): Promise<Response> {
  const visit = openVisit(site, shop, request, new Map())
  const answer = await forwardToApp(site.store, shop.domain, request, visit.customer?.id ?? null)
  const isLiquid = answer.headers.get('content-type')?.startsWith('application/liquid')
  return isLiquid ? renderProxyLiquid(visit, await answer.text(), answer.status) : answer
}

/** The page that frames the app, the page that installs it, and what the frame's script asks for. */
import { createHmac } from 'node:crypto'
import { nameOf } from '../api/customer-fields.ts'
import { hostParameter, sessionToken, STAFF } from '../oauth.ts'
import { decimalText } from '../money.ts'
import type { Collection, Product, Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { themeExtensions } from './extensions.ts'
import { goTo, html, htmlResponse, type Html } from './html.ts'
import { baseOf, layout } from './layout.ts'

/** The app at `path`, in its frame; the page to install it where it is not installed. */
export function appPage(store: DevStore, shop: Shop, path: string, search: string): Response {
  if (!shop.installation) return htmlResponse(installPage(store, shop))
  const source = appAddress(store, shop, path, search)
  const base = baseOf(shop)
  const { name, handle } = store.app
  return htmlResponse(
    layout({
      store,
      shop,
      section: 'app',
      title: name,
      framed: true,
      body: html`
        <div class="title-bar">
          <h1 id="app-title">${name}</h1>
          <div id="title-actions"></div>
        </div>
        <div id="loading" role="progressbar" aria-label="Loading"></div>
        <iframe
          id="app-frame"
          title="${name}"
          src="${source}"
          data-shop="${shop.name}"
          data-base="${base}"
          data-app-base="${base}/apps/${handle}"
          data-app-origin="${new URL(store.options.appUrl).origin}"
          allow="clipboard-write"
        ></iframe>
        <div id="toasts" role="status" aria-live="polite"></div>
        ${dialogs(name)}
      `,
    }),
  )
}

/** The app's address as Shopify opens it: who asks, for which shop, and a fresh session token. */
export function appAddress(store: DevStore, shop: Shop, path: string, search = ''): string {
  const url = new URL(path === '' ? '/' : path, store.options.appUrl)
  for (const [name, value] of new URLSearchParams(search)) url.searchParams.append(name, value)
  const parameters: Record<string, string> = {
    embedded: '1',
    host: hostParameter(shop.domain),
    locale: 'en',
    session: createHmac('sha256', store.options.apiSecret).update(shop.domain).digest('hex'),
    shop: shop.domain,
    timestamp: String(Math.floor(Date.now() / 1000)),
    id_token: sessionToken(store, shop.domain),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const signed = [...url.searchParams]
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&')
  url.searchParams.set('hmac', createHmac('sha256', store.options.apiSecret).update(signed).digest('hex'))
  return url.href
}

function installPage(store: DevStore, shop: Shop): Html {
  const { name, handle, scopes } = store.app
  return layout({
    store,
    shop,
    section: 'app',
    title: `Install ${name}`,
    body: html`
      <h1>Install ${name}</h1>
      <section class="card">
        <p>${name} asks for these permissions on ${shop.name}:</p>
        <ul class="bullets">
          ${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}
        </ul>
        <form method="post" action="${baseOf(shop)}/apps/${handle}/install">
          <button class="primary">Install</button>
        </form>
      </section>
    `,
  })
}

function dialogs(name: string): Html {
  return html`
    <dialog id="leave-dialog" aria-labelledby="leave-title">
      <form method="dialog">
        <h2 id="leave-title">Leave page with unsaved changes?</h2>
        <p>Leaving this page will delete all unsaved changes.</p>
        <div class="actions">
          <button value="stay">Stay</button>
          <button value="leave" class="critical">Leave page</button>
        </div>
      </form>
    </dialog>
    <dialog id="scopes-dialog" aria-labelledby="scopes-title">
      <form method="dialog">
        <h2 id="scopes-title">${name} asks for more permissions</h2>
        <ul id="scopes-list" class="bullets"></ul>
        <div class="actions">
          <button value="no">Cancel</button>
          <button value="allow" class="primary">Allow</button>
        </div>
      </form>
    </dialog>
    <dialog id="picker" aria-labelledby="picker-title">
      <form method="dialog">
        <h2 id="picker-title"></h2>
        <label for="picker-search" class="quiet">Search</label>
        <input id="picker-search" type="search" placeholder="Search" />
        <p id="picker-none" hidden>Nothing found.</p>
        <ul id="picker-list"></ul>
        <div class="actions">
          <span id="picker-count" aria-live="polite"></span>
          <button value="cancel">Cancel</button>
          <button value="choose" class="primary">Select</button>
        </div>
      </form>
    </dialog>
  `
}

/** Answers the frame's script at `/store/{name}/bridge/…`. */
export async function bridge(store: DevStore, shop: Shop, name: string, request: Request): Promise<Response> {
  const url = new URL(request.url)
  if (name === 'id-token') {
    if (!shop.installation) return new Response(`${store.app.name} is not installed.`, { status: 403 })
    return Response.json({ token: sessionToken(store, shop.domain) })
  }
  if (name === 'user')
    return Response.json({ id: STAFF.id, accountAccess: 'full', firstName: STAFF.firstName, email: STAFF.email })
  if (name === 'extensions') return Response.json(themeExtensions())
  if (name === 'resources') return Response.json(resources(store, shop, url.searchParams))
  if (name === 'scopes') return Response.json(scopesDetail(store, shop))
  if (request.method === 'POST' && (name === 'scopes/grant' || name === 'scopes/revoke')) {
    const { scopes } = (await request.json()) as { scopes: string[] }
    const unknown = scopes.filter((scope) => !store.app.optionalScopes.includes(scope))
    if (unknown.length > 0) {
      return new Response(`${unknown.join(', ')}: not among optional_scopes in shopify.app.toml.`, { status: 400 })
    }
    const granted = shop.installation?.scopes ?? []
    const changed =
      name === 'scopes/grant'
        ? [...new Set([...granted, ...scopes])]
        : granted.filter((scope) => !scopes.includes(scope))
    store.setScopes(shop.domain, changed)
    return Response.json(scopesDetail(store, shop))
  }
  return new Response('Nothing here.', { status: 404 })
}

function scopesDetail(store: DevStore, shop: Shop) {
  return { granted: shop.installation?.scopes ?? [], required: store.app.scopes, optional: store.app.optionalScopes }
}

/** Products, variants or collections for the resource picker, in its own shapes (@shopify/app-bridge-types). */
function resources(store: DevStore, shop: Shop, parameters: URLSearchParams) {
  const type = parameters.get('type')
  const ids = parameters.get('ids')?.split(',')
  const words = (parameters.get('query') ?? '').toLowerCase().trim()
  const wanted = (row: { id: string; title: string }) =>
    ids ? ids.includes(row.id) : row.title.toLowerCase().includes(words)
  const inOrder = <Row extends { id: string }>(rows: Row[]) =>
    ids ? rows.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id)) : rows.slice(0, 100)
  if (type === 'collection') {
    const rows = inOrder(store.collections(shop.domain).filter(wanted))
    return rows.map((row) => ({ id: row.id, title: row.title, picture: null, resource: collectionResource(row) }))
  }
  const products = store.products(shop.domain)
  if (type === 'variant') {
    const variants = products.flatMap((product) => product.variants.map((variant) => ({ ...variant, product })))
    const rows = inOrder(
      variants.map((row) => ({ ...row, title: `${row.product.title} · ${row.title}` })).filter(wanted),
    )
    return rows.map((row) => ({
      id: row.id,
      title: row.title,
      picture: row.product.imageUrl,
      resource: variantResource(shop, row.product, row),
    }))
  }
  const rows = inOrder(products.filter(wanted))
  return rows.map((row) => ({
    id: row.id,
    title: row.title,
    picture: row.imageUrl,
    resource: productResource(shop, row),
  }))
}

function productResource(shop: Shop, product: Product) {
  return {
    id: product.id,
    title: product.title,
    handle: product.handle,
    descriptionHtml: product.descriptionHtml,
    vendor: product.vendor,
    productType: product.productType,
    tags: product.tags,
    status: product.status,
    images: product.imageUrl
      ? [{ id: `${product.id}/image`, originalSrc: product.imageUrl, altText: product.title }]
      : [],
    totalVariants: product.variants.length,
    hasOnlyDefaultVariant: product.variants.length === 1,
    createdAt: new Date(product.createdAt).toISOString(),
    updatedAt: new Date(product.updatedAt).toISOString(),
    variants: product.variants.map((variant) => variantResource(shop, product, variant)),
  }
}

function variantResource(shop: Shop, product: Product, variant: Product['variants'][number]) {
  return {
    id: variant.id,
    title: variant.title,
    displayName: `${product.title} - ${variant.title}`,
    sku: variant.sku,
    price: decimalText(variant.priceMinor, shop.currency),
    product: { id: product.id },
  }
}

function collectionResource(collection: Collection) {
  return {
    id: collection.id,
    title: collection.title,
    handle: collection.handle,
    productsCount: collection.productIds.length,
    updatedAt: new Date(collection.updatedAt).toISOString(),
  }
}

/** Installs the app and opens it. */
export function install(store: DevStore, shop: Shop): Response {
  store.installApp(shop.domain)
  return goTo(`${baseOf(shop)}/apps/${store.app.handle}`)
}

/** A customer's name for pages, never empty. */
export function customerName(store: DevStore, shop: Shop, id: string | null): string {
  const customer = id === null ? undefined : store.customer(shop.domain, id)
  return customer ? nameOf(customer) || 'No name' : 'No customer'
}

/** Pages of the demo theme, with the app's blocks in them. */
import { readFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { Liquid } from 'liquidjs'
import { exponentOf, toPresentment } from '../money.ts'
import type { Gid, Product } from '../records.ts'
import { BlockRenderer, isEnabledOn, listLanguages, readBlocks } from './liquid.ts'
import type { Block, Extension } from './liquid.ts'
import { page } from './http.ts'
import { metafieldJson, metafieldsForLiquid } from './metafields.ts'
import { customerView, dateText } from './views.ts'
import type { Visit } from './visit.ts'

const EXTENSION: Extension = {
  name: 'loyalty-blocks',
  folder: join(import.meta.dirname, '../../../extensions/loyalty-blocks'),
}
/** What the footer offers: the demo theme itself speaks English alone, its blocks all of these. */
export const LANGUAGES = ['en', ...listLanguages(EXTENSION)]
const THEME_FOLDER = join(import.meta.dirname, 'theme')

const theme = new Liquid({
  root: THEME_FOLDER,
  extname: '.liquid',
  strictFilters: true,
  // The theme shows names, searches and messages that anybody may have typed.
  outputEscape: 'escape',
})

export type Template = 'index' | 'collection' | 'product' | 'cart' | 'page' | 'customers/account' | 'other'

type PageOptions = {
  title: string
  template?: Template
  product?: Product
  status?: number
}

/** Renders a page of the theme: the file, its view, and the blocks that stand on its template. */
export async function renderPage(
  visit: Visit,
  file: string,
  view: Record<string, unknown>,
  options: PageOptions,
): Promise<Response> {
  const template = options.template ?? 'other'
  const placed = await renderBlocks(visit, template, options.product)
  const { store } = visit.site
  const html = (await theme.renderFile(file, {
    ...view,
    ...placed,
    title: options.title,
    template,
    shop: { name: visit.shop.name },
    customer: customerView(visit.customer),
    cart: { item_count: visit.cart.lines.reduce((total, line) => total + line.quantity, 0) },
    currency: visit.cart.currency,
    currencies: [visit.shop.currency, ...Object.keys(visit.shop.presentmentRates)],
    language: visit.language,
    languages: LANGUAGES.map((code) => ({ code, name: new Intl.DisplayNames(code, { type: 'language' }).of(code) })),
    path: visit.url.pathname,
    query: visit.url.searchParams.get('q') ?? '',
    links: { admin: visit.site.adminUrl(visit.shop) },
    moved: store.clockOffsetMs() === 0 ? null : dateText(store.now(), visit.shop.timezone, true),
  })) as string
  const response = page(html, options.status ?? 200)
  for (const cookie of visit.cookies) response.headers.append('set-cookie', cookie)
  return response
}

/**
 * The program card that the app keeps for this shop, or undefined: what tells the theme's own copy whether to speak of points.
 * A real theme would have a setting for that.
 */
export function programCard({ site, shop }: Visit): { pointsName?: { one: string; other: string } } | undefined {
  if (!shop.installation) return undefined
  return metafieldJson(site.store, shop.installation.id, 'loyalty', 'program') as ReturnType<typeof programCard>
}

/** Where the demo theme's merchant has put the app's blocks: each where it says it belongs, the rest on the rewards page. */
function blocksOn(template: Template): Block[] {
  // The member's card comes first, where there is one.
  const blocks = readBlocks(EXTENSION).sort(
    (a, b) => Number(b.handle === 'member-card') - Number(a.handle === 'member-card'),
  )
  return blocks.filter((block) => {
    if (block.schema.target !== 'section') return false
    const named = block.schema.enabled_on?.templates
    if (template === 'page') return isEnabledOn(block, 'page')
    // The demo theme's merchant shows the member's card beside the orders too.
    if (template === 'customers/account' && block.handle === 'member-card') return true
    return named !== undefined && !named.includes('*') && isEnabledOn(block, template)
  })
}

async function renderBlocks(visit: Visit, template: Template, product?: Product) {
  const placed = { blocks: '', embeds: '', stylesheets: [] as string[], scripts: [] as string[] }
  if (!visit.shop.installation) return placed
  const renderer = new BlockRenderer(EXTENSION, visit.cart.currency, visit.language)
  const globals = liquidObjects(visit, template, product)
  const embeds = readBlocks(EXTENSION).filter(({ schema }) => schema.target === 'body')
  const put = async (block: Block, place: 'blocks' | 'embeds') => {
    placed[place] += await renderer.render(block, `${template.replaceAll('/', '-')}-${block.handle}`, globals)
    const { stylesheet, javascript } = block.schema
    if (stylesheet) placed.stylesheets = [...new Set([...placed.stylesheets, renderer.assetUrl(stylesheet)])]
    if (javascript) placed.scripts = [...new Set([...placed.scripts, renderer.assetUrl(javascript)])]
  }
  for (const block of blocksOn(template)) await put(block, 'blocks')
  for (const block of embeds) await put(block, 'embeds')
  return placed
}

/** Renders Liquid that the app answered by its proxy (`Content-Type: application/liquid`) inside the theme. */
export async function renderProxyLiquid(visit: Visit, source: string, status: number): Promise<Response> {
  const renderer = new BlockRenderer(EXTENSION, visit.cart.currency, visit.language)
  const blocks = await renderer.renderText(source, liquidObjects(visit, 'page'))
  const html = (await theme.parseAndRender('{% layout "layout" %}{% block content %}{{ body | raw }}{% endblock %}', {
    body: blocks,
    title: 'Rewards',
    shop: { name: visit.shop.name },
    language: visit.language,
    customer: customerView(visit.customer),
    cart: { item_count: visit.cart.lines.length },
    links: { admin: visit.site.adminUrl(visit.shop) },
  })) as string
  return page(html, status)
}

/** Shopify's Liquid objects, as far as they are imitated. Prices are in hundredths of the cart's currency, as on Shopify. */
function liquidObjects(visit: Visit, template: Template, product?: Product): Record<string, unknown> {
  const { site, shop, customer, cart } = visit
  const { store } = site
  const rate = shop.presentmentRates[cart.currency] ?? 1
  const hundredths = (minor: number) =>
    Math.round(toPresentment(minor, shop.currency, cart.currency, rate) * 10 ** (2 - exponentOf(cart.currency)))
  return {
    shop: {
      name: shop.name,
      currency: shop.currency,
      domain: shop.domain,
      permanent_domain: shop.domain,
      customer_accounts_enabled: true,
      metafields: metafieldsForLiquid(store, shop.id),
    },
    app: { metafields: shop.installation ? metafieldsForLiquid(store, shop.installation.id) : {} },
    customer: customer && {
      id: numericId(customer.id),
      email: customer.email,
      first_name: customer.firstName,
      last_name: customer.lastName,
      name: customerView(customer)!.name,
      tags: customer.tags,
      orders_count: store.ordersOf(customer.id).length,
      metafields: metafieldsForLiquid(store, customer.id),
    },
    cart: {
      item_count: cart.lines.reduce((total, line) => total + line.quantity, 0),
      currency: { iso_code: cart.currency },
    },
    product: product ? liquidProduct(visit, product, hundredths) : null,
    routes: {
      root_url: '/',
      account_url: '/account',
      account_login_url: '/account/login',
      account_logout_url: '/account/logout',
      account_register_url: '/account/register',
      cart_url: '/cart',
      all_products_collection_url: '/collections/all',
    },
    request: {
      design_mode: false,
      locale: { iso_code: visit.language },
      page_type: template,
      path: visit.url.pathname,
    },
    localization: { language: { iso_code: visit.language }, country: { iso_code: shop.countryCode } },
    template: { name: template },
  }
}

function liquidProduct({ site, shop }: Visit, product: Product, hundredths: (minor: number) => number) {
  const variants = product.variants.map((variant) => ({
    id: numericId(variant.id),
    title: variant.title,
    sku: variant.sku,
    price: hundredths(variant.priceMinor),
    compare_at_price: variant.compareAtMinor === null ? null : hundredths(variant.compareAtMinor),
    available: true,
    taxable: variant.taxable,
  }))
  return {
    id: numericId(product.id),
    title: product.title,
    handle: product.handle,
    url: `/products/${product.handle}`,
    vendor: product.vendor,
    type: product.productType,
    tags: product.tags,
    'gift_card?': product.giftCard,
    gift_card: product.giftCard,
    price: Math.min(...variants.map((variant) => variant.price)),
    variants,
    selected_or_first_available_variant: variants[0],
    collections: site.store
      .collectionsOf(shop.domain, product.id)
      .map((collection) => ({ id: numericId(collection.id), title: collection.title, handle: collection.handle })),
    metafields: metafieldsForLiquid(site.store, product.id),
  }
}

const ASSET_TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
}

/** A file of the extension's `assets/` or the theme's style, or null where there is none of that name. */
export function readAsset(path: string): Response | null {
  const [folder, file] =
    path === '/cdn/theme.css'
      ? [THEME_FOLDER, 'theme.css']
      : path.startsWith(`/cdn/extensions/${EXTENSION.name}/assets/`)
        ? [join(EXTENSION.folder, 'assets'), basename(path)]
        : [null, '']
  const type = ASSET_TYPES[extname(file)]
  if (folder === null || type === undefined) return null
  try {
    return new Response(readFileSync(join(folder, file)), { headers: { 'content-type': type } })
  } catch {
    return null
  }
}

function numericId(gid: Gid): number {
  return Number(gid.slice(gid.lastIndexOf('/') + 1))
}

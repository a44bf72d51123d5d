/** Looking and choosing: home, collections, search, products, cart. */
import type { Collection, Product } from '../records.ts'
import { addToCart, changeLine, enterCode, priceCart, QUANTITY_MAX, removeCode } from './cart.ts'
import { redirect, setCookie, wholeNumber } from './http.ts'
import { LANGUAGE_COOKIE } from './session.ts'
import { LANGUAGES, programCard, renderPage } from './theme.ts'
import { cartLines, cartSums, pictureOf, priceIn, productCard } from './views.ts'
import { keepCart, shopperOf } from './visit.ts'
import type { Visit } from './visit.ts'

const PRODUCTS_PER_PAGE = 24
const FEATURED = 8
const RECENT_ORDERS = 400

/** The home page. */
export async function home(visit: Visit): Promise<Response> {
  const { site, shop, cart } = visit
  const price = priceIn(shop, cart.currency)
  const products = onSale(visit)
  const collections = site.store.collections(shop.domain).map((collection) => collectionTile(visit, collection))
  const view = {
    program: programCard(visit),
    featured: bestSellers(visit, products).map((product) => productCard(product, price)),
    collections: collections.slice(0, 6),
  }
  return renderPage(visit, 'home', view, { title: 'Home', template: 'index' })
}

/** What sold most in the last orders; a shop without orders shows its first products. */
function bestSellers({ site, shop }: Visit, products: Product[]): Product[] {
  const sold = new Map<string, number>()
  for (const order of site.store.orders(shop.domain).slice(-RECENT_ORDERS)) {
    for (const { productId } of order.lines) if (productId) sold.set(productId, (sold.get(productId) ?? 0) + 1)
  }
  return products.toSorted((a, b) => (sold.get(b.id) ?? 0) - (sold.get(a.id) ?? 0)).slice(0, FEATURED)
}

function collectionTile({ site, shop }: Visit, collection: Collection) {
  const first = site.store.product(shop.domain, collection.productIds[0] ?? '')
  return { handle: collection.handle, title: collection.title, image: pictureOf(first, collection.title) }
}

/** A collection, `all` for everything, with pages and a search. */
export async function collection(visit: Visit, handle: string): Promise<Response> {
  const { site, shop, cart, url } = visit
  const found = handle === 'all' ? null : site.store.collectionByHandle(shop.domain, handle)
  if (found === undefined) return notFound(visit)
  const query = (url.searchParams.get('q') ?? '').trim().toLowerCase()
  const products = onSale(visit).filter(
    (product) =>
      (found === null || found.productIds.includes(product.id)) && product.title.toLowerCase().includes(query),
  )
  const last = Math.max(1, Math.ceil(products.length / PRODUCTS_PER_PAGE))
  const now = wholeNumber(url.searchParams.get('page'), 1, last) ?? 1
  const pageUrl = (number: number) => {
    const params = new URLSearchParams({ ...(query ? { q: query } : {}), page: String(number) })
    return `${url.pathname}?${params}`
  }
  const price = priceIn(shop, cart.currency)
  const view = {
    total: products.length,
    query,
    products: products
      .slice((now - 1) * PRODUCTS_PER_PAGE, now * PRODUCTS_PER_PAGE)
      .map((product) => productCard(product, price)),
    pages: { now, last, previous: now > 1 ? pageUrl(now - 1) : null, next: now < last ? pageUrl(now + 1) : null },
  }
  const title = query ? `Search: ${query}` : (found?.title ?? 'All products')
  return renderPage(visit, 'collection', view, { title, template: 'collection' })
}

/** A product. */
export async function product(visit: Visit, handle: string): Promise<Response> {
  const { site, shop, cart } = visit
  const found = site.store.productByHandle(shop.domain, handle)
  if (!found || found.status !== 'ACTIVE') return notFound(visit)
  const price = priceIn(shop, cart.currency)
  const collections = site.store.collectionsOf(shop.domain, found.id)
  const view = {
    item: {
      ...productCard(found, price),
      gift_card: found.giftCard,
      description: found.descriptionHtml.replace(/<[^>]*>/g, ' ').trim(),
      collection: collections[0] ?? null,
      variants: found.variants.map((variant) => ({
        id: variant.id.slice(variant.id.lastIndexOf('/') + 1),
        title: variant.title,
        price: price(variant.priceMinor),
      })),
    },
    taxes_included: shop.taxesIncluded,
    others: neighbours(visit, found, collections).map((each) => productCard(each, price)),
  }
  return renderPage(visit, 'product', view, {
    title: found.title,
    template: 'product',
    product: found,
  })
}

function neighbours(visit: Visit, found: Product, collections: Collection[]): Product[] {
  const ids = new Set(collections[0]?.productIds)
  const others = onSale(visit).filter((each) => each.id !== found.id)
  const alike = others.filter((each) => ids.has(each.id))
  return (alike.length > 0 ? alike : others).slice(0, 4)
}

function onSale({ site, shop }: Visit): Product[] {
  return site.store.products(shop.domain).filter((each) => each.status === 'ACTIVE')
}

/** The cart, or with `codeError` the cart after a code that could not even be entered. */
export async function cartPage(visit: Visit, codeError: string | null = null): Promise<Response> {
  const { site, shop, cart } = visit
  const price = priceIn(shop, cart.currency)
  const priced = await priceCart(site.store, site.runner, shop, cart, shopperOf(visit))
  const view = {
    lines: cartLines(priced, price),
    sums: cartSums(shop, priced, price),
    codes: priced.codes,
    code_error: codeError,
  }
  return renderPage(visit, 'cart', view, { title: 'Your cart', template: 'cart' })
}

/** Puts a variant into the cart. */
export async function addLine(visit: Visit): Promise<Response> {
  const { form, site, shop, cart } = visit
  const variantId = `gid://shopify/ProductVariant/${form.get('id')}`
  const quantity = wholeNumber(form.get('quantity') ?? '1', 1, QUANTITY_MAX)
  const known = site.store
    .products(shop.domain)
    .some((each) => each.status === 'ACTIVE' && each.variants.some((variant) => variant.id === variantId))
  if (!known || quantity === null) return notFound(visit, 'That is not for sale here.')
  addToCart(cart, variantId, quantity)
  keepCart(visit)
  return redirect('/cart', visit.cookies)
}

/** Changes a line's quantity, or takes it out. */
export async function updateLine(visit: Visit): Promise<Response> {
  const { form, cart } = visit
  const quantity = form.has('remove') ? 0 : wholeNumber(form.get('quantity'), 0, QUANTITY_MAX)
  if (quantity !== null) changeLine(cart, form.get('key') ?? '', quantity)
  return redirect('/cart', visit.cookies)
}

/** Enters or removes a code on the cart page. */
export async function cartCode(visit: Visit): Promise<Response> {
  const { form, cart } = visit
  if (form.get('intent') === 'remove-code') removeCode(cart, form.get('code') ?? '')
  else {
    const entered = enterCode(cart, form.get('code') ?? '')
    if (!entered.ok) return cartPage(visit, entered.message)
  }
  return redirect('/cart', visit.cookies)
}

/** Chooses the currency to see and pay in. */
export async function chooseCurrency(visit: Visit): Promise<Response> {
  const currency = visit.form.get('currency') ?? ''
  if (currency === visit.shop.currency || currency in visit.shop.presentmentRates) visit.cart.currency = currency
  keepCart(visit)
  return redirect(visit.form.get('return') ?? '/', visit.cookies)
}

/** Shopify's localization form: the language of the pages from now on. */
export function chooseLanguage(visit: Visit): Promise<Response> {
  const language = visit.form.get('locale_code') ?? ''
  if (LANGUAGES.includes(language)) visit.cookies.push(setCookie(LANGUAGE_COOKIE, language))
  return Promise.resolve(redirect(visit.form.get('return_to') ?? '/', visit.cookies))
}

/** A friendly 404. */
export function notFound(visit: Visit, text = 'This page is not here. Perhaps it was moved.'): Promise<Response> {
  return renderPage(visit, 'not-found', { text }, { title: 'Nothing here', status: 404 })
}

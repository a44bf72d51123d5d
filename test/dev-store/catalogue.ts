/** Shops, products and collections of the dev store. */
import { collectionPayload, productPayload } from './payloads.ts'
import type { Collection, Gid, Product, Shop, Variant } from './records.ts'
import { NotInStore, type StoreTables } from './tables.ts'
import type { Emit } from './webhooks.ts'

export type AddShop = Partial<Omit<Shop, 'id' | 'domain' | 'installation' | 'nextOrderNumber'>> & {
  /** `something.myshopify.com`. */
  domain: string
}

/** Opens a shop; one that is already open is returned as it is. */
export function addShop(store: StoreTables, input: AddShop): Shop {
  if (!/^[a-z0-9][a-z0-9-]*\.myshopify\.com$/.test(input.domain)) {
    throw new RangeError(`A shop's domain ends in .myshopify.com, and "${input.domain}" does not look like one.`)
  }
  const existing = store.get('shops', input.domain)
  if (existing) return existing
  return store.write(() => {
    const name = input.name ?? input.domain.replace('.myshopify.com', '')
    const shop: Shop = {
      name,
      email: `owner@${input.domain.replace('.myshopify.com', '')}.example`,
      currency: 'USD',
      timezone: 'America/New_York',
      countryCode: 'US',
      taxesIncluded: false,
      taxRateBasisPoints: 700,
      taxTitle: 'Sales tax',
      shippingMinor: 600,
      plan: 'basic',
      createdAt: store.now(),
      presentmentRates: {},
      ...input,
      id: store.newId('Shop'),
      nextOrderNumber: 1001,
      installation: null,
    }
    store.put('shops', shop.domain, shop)
    return shop
  })
}

export type AddProduct = {
  title: string
  handle?: string
  descriptionHtml?: string
  vendor?: string
  productType?: string
  tags?: string[]
  giftCard?: boolean
  imageUrl?: string | null
  createdAt?: number
  /** Default: one variant at `priceMinor`. */
  variants?: (Partial<Omit<Variant, 'id'>> & { priceMinor: number })[]
  priceMinor?: number
}

/** Adds a product with at least one variant. Sends `products/create`. */
export function addProduct(store: StoreTables, emit: Emit, domain: string, input: AddProduct): Product {
  return store.write(() => {
    const shop = store.shop(domain)
    const variants = input.variants ?? [{ priceMinor: input.priceMinor ?? 0 }]
    const at = input.createdAt ?? store.now()
    const giftCard = input.giftCard ?? false
    const product: Product = {
      id: store.newId('Product'),
      shop: domain,
      title: input.title,
      handle: input.handle ?? freeHandle(store.list('products', domain), input.title),
      descriptionHtml: input.descriptionHtml ?? '',
      vendor: input.vendor ?? shop.name,
      productType: input.productType ?? '',
      tags: input.tags ?? [],
      status: 'ACTIVE',
      giftCard,
      imageUrl: input.imageUrl ?? null,
      createdAt: at,
      updatedAt: at,
      variants: variants.map((variant) => ({
        id: store.newId('ProductVariant'),
        title: variant.title ?? 'Default Title',
        sku: variant.sku ?? null,
        priceMinor: variant.priceMinor,
        compareAtMinor: variant.compareAtMinor ?? null,
        taxable: variant.taxable ?? !giftCard,
        requiresShipping: variant.requiresShipping ?? !giftCard,
        grams: variant.grams ?? 0,
      })),
    }
    store.put('products', product.id, product)
    emit(domain, 'products/create', productPayload(shop, product))
    return product
  })
}

/** Changes a product. Sends `products/update`. */
export function updateProduct(
  store: StoreTables,
  emit: Emit,
  domain: string,
  productId: Gid,
  change: Partial<
    Pick<Product, 'title' | 'descriptionHtml' | 'vendor' | 'productType' | 'tags' | 'status' | 'variants' | 'imageUrl'>
  >,
): Product {
  return store.write(() => {
    const product = store.find('products', domain, productId)
    if (!product) throw new NotInStore(`${domain} has no product ${productId}.`)
    Object.assign(product, change, { updatedAt: store.now() })
    store.put('products', product.id, product)
    emit(domain, 'products/update', productPayload(store.shop(domain), product))
    return product
  })
}

/** Adds a collection of chosen products. Sends `collections/create`. */
export function addCollection(
  store: StoreTables,
  emit: Emit,
  domain: string,
  input: { title: string; handle?: string; productIds: Gid[] },
): Collection {
  return store.write(() => {
    const at = store.now()
    const handle = input.handle ?? freeHandle(store.list('collections', domain), input.title)
    const collection: Collection = {
      id: store.newId('Collection'),
      shop: domain,
      title: input.title,
      handle,
      productIds: [...input.productIds],
      createdAt: at,
      updatedAt: at,
    }
    store.put('collections', collection.id, collection)
    emit(domain, 'collections/create', collectionPayload(store.shop(domain), collection))
    return collection
  })
}

/** `Rosé & Co` → `rose-co`, with `-1`, `-2` … where that is taken. */
function freeHandle(taken: { handle: string }[], title: string): string {
  const plain = title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
  const base = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'product'
  const handles = new Set(taken.map((row) => row.handle))
  if (!handles.has(base)) return base
  for (let suffix = 1; ; suffix += 1) if (!handles.has(`${base}-${suffix}`)) return `${base}-${suffix}`
}

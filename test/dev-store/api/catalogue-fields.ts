/** Products, variants and collections. */
import { decimalText } from '../money.ts'
import type { Collection, Product } from '../records.ts'
import {
  connection,
  connectionFields,
  dateTime,
  fieldsOf,
  money,
  notImitated,
  properties,
  wholeConnection,
  type Args,
  type Field,
  type Fields,
} from './context.ts'
import { metafieldFieldsOf } from './metafields.ts'
import { findOf, findVariant, type VariantNode } from './node.ts'
import { matchesId, matchesText, matchesTime, matchesWords, search, type Filters } from './search.ts'

const productFilters: Filters<Product> = {
  id: (row, term) => matchesId(row.id, term),
  title: (row, term) => matchesWords([row.title], term),
  handle: (row, term) => matchesText(row.handle, term),
  tag: (row, term) => row.tags.some((tag) => matchesText(tag, term)),
  vendor: (row, term) => matchesText(row.vendor, term),
  product_type: (row, term) => matchesText(row.productType, term),
  status: (row, term) => matchesText(row.status, term),
  sku: (row, term) => row.variants.some((variant) => matchesText(variant.sku, term)),
  gift_card: (row, term) => matchesText(String(row.giftCard), term),
  created_at: (row, term) => matchesTime(row.createdAt, term),
  updated_at: (row, term) => matchesTime(row.updatedAt, term),
  default: (row, term) => matchesWords([row.title, row.vendor, row.productType, ...row.tags], term),
}

const collectionFilters: Filters<Collection> = {
  id: (row, term) => matchesId(row.id, term),
  title: (row, term) => matchesWords([row.title], term),
  handle: (row, term) => matchesText(row.handle, term),
  updated_at: (row, term) => matchesTime(row.updatedAt, term),
  default: (row, term) => matchesWords([row.title], term),
}

const titleFirst = <Row extends { title: string }>(rows: Row[]) => rows.sort((a, b) => a.title.localeCompare(b.title))
const latest = <Row extends { updatedAt: number }>(rows: Row[]) => rows.sort((a, b) => a.updatedAt - b.updatedAt)

/** Rows in the order that was asked for; ids come in order of creation. */
function sorted<Row extends { title: string; updatedAt: number; createdAt: number }>(rows: Row[], args: Args): Row[] {
  if (args.sortKey === 'TITLE') return titleFirst(rows)
  if (args.sortKey === 'UPDATED_AT') return latest(rows)
  return rows
}

export const catalogueRoots = fieldsOf<null>('QueryRoot', {
  product: (_root, args, context) => findOf(context, args.id as string, 'Product'),
  products: (_root, args, { store, domain }) =>
    connection(sorted(search(store.products(domain), args.query, productFilters), args), args),
  productTypes: (_root, args, { store, domain }) =>
    namesOf(
      store.products(domain).map(({ productType }) => productType),
      args,
    ),
  productTags: (_root, args, { store, domain }) =>
    namesOf(
      store.products(domain).flatMap(({ tags }) => tags),
      args,
    ),
  productVariant: (_root, args, context) => findVariant(context, args.id as string),
  collection: (_root, args, context) => findOf(context, args.id as string, 'Collection'),
  collections: (_root, args, { store, domain }) =>
    connection(sorted(search(store.collections(domain), args.query, collectionFilters), args), args),
})

/** The same roots without page sizes, for bulk operations. */
export const catalogueBulkRoots: Record<string, Field<null>> = {
  products: (_root, args, { store, domain }) =>
    wholeConnection(search(store.products(domain), args.query, productFilters), args),
  collections: (_root, args, { store, domain }) =>
    wholeConnection(search(store.collections(domain), args.query, collectionFilters), args),
}

/** The different names, in the order of the alphabet; the first page of them. */
function namesOf(names: string[], args: Args) {
  if (args.after != null || args.before != null || args.last != null)
    throw notImitated('pages of productTypes and productTags')
  const all = [...new Set(names)].filter(Boolean).sort()
  const nodes = all.slice(0, args.first as number)
  const pageInfo = {
    hasNextPage: all.length > nodes.length,
    hasPreviousPage: false,
    startCursor: null,
    endCursor: null,
  }
  return { nodes, edges: nodes.map((node) => ({ node, cursor: node })), pageInfo }
}

function priceRange(product: Product, currency: string) {
  const prices = product.variants.map((variant) => variant.priceMinor)
  return {
    minVariantPrice: money(Math.min(...prices), currency),
    maxVariantPrice: money(Math.max(...prices), currency),
  }
}

function image(product: Product) {
  return product.imageUrl
    ? { url: product.imageUrl, altText: product.title, id: null, width: null, height: null }
    : null
}

export const catalogueFields: Fields = {
  ...fieldsOf<Product>('Product', {
    ...(properties('id', 'title', 'handle', 'vendor', 'productType', 'tags', 'status', 'descriptionHtml') as Record<
      string,
      Field<Product>
    >),
    legacyResourceId: (row) => row.id.split('/').at(-1),
    isGiftCard: (row) => row.giftCard,
    createdAt: (row) => dateTime(row.createdAt),
    updatedAt: (row) => dateTime(row.updatedAt),
    featuredImage: (row) => image(row),
    featuredMedia: (row) => (row.imageUrl ? { preview: { image: image(row) }, alt: row.title } : null),
    onlineStoreUrl: (row, _args, { domain }) => `https://${domain}/products/${row.handle}`,
    priceRangeV2: (row, _args, { store, domain }) => priceRange(row, store.shop(domain).currency),
    totalVariants: (row) => row.variants.length,
    variantsCount: (row) => ({ count: row.variants.length, precision: 'EXACT' }),
    variants: (row, args) =>
      connection(
        row.variants.map((variant) => ({ ...variant, product: row })),
        args,
      ),
    collections: (row, args, { store, domain }) => connection(store.collectionsOf(domain, row.id), args),
    inCollection: (row, args, { store, domain }) =>
      store.collectionsOf(domain, row.id).some((collection) => collection.id === args.id),
    ...metafieldFieldsOf<Product>(),
  }),
  ...connectionFields('Product'),
  ...fieldsOf('StringConnection', properties('nodes', 'edges', 'pageInfo')),
  ...fieldsOf('StringEdge', properties('node', 'cursor')),
  ...fieldsOf('ProductPriceRangeV2', properties('minVariantPrice', 'maxVariantPrice')),
  ...fieldsOf('Image', properties('url', 'altText', 'id', 'width', 'height')),
  ...fieldsOf<VariantNode>('ProductVariant', {
    ...(properties('id', 'title', 'sku', 'taxable', 'product') as Record<string, Field<VariantNode>>),
    legacyResourceId: (row) => row.id.split('/').at(-1),
    displayName: (row) => (row.title === 'Default Title' ? row.product.title : `${row.product.title} - ${row.title}`),
    price: (row, _args, { store, domain }) => decimalText(row.priceMinor, store.shop(domain).currency),
    compareAtPrice: (row, _args, { store, domain }) =>
      row.compareAtMinor === null ? null : decimalText(row.compareAtMinor, store.shop(domain).currency),
    createdAt: (row) => dateTime(row.product.createdAt),
    updatedAt: (row) => dateTime(row.product.updatedAt),
    ...metafieldFieldsOf<VariantNode>(),
  }),
  ...connectionFields('ProductVariant'),
  ...fieldsOf<Collection>('Collection', {
    ...(properties('id', 'title', 'handle') as Record<string, Field<Collection>>),
    legacyResourceId: (row) => row.id.split('/').at(-1),
    updatedAt: (row) => dateTime(row.updatedAt),
    productsCount: (row) => ({ count: row.productIds.length, precision: 'EXACT' }),
    products: (row, args, { store, domain }) =>
      connection(
        row.productIds.flatMap((id) => store.product(domain, id) ?? []),
        args,
      ),
    hasProduct: (row, args) => row.productIds.includes(args.id as string),
    image: () => null,
    ...metafieldFieldsOf<Collection>(),
  }),
  ...connectionFields('Collection'),
}

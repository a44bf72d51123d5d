/** Any record of the shop by its gid: what `node`, `nodes` and metafield owners mean. */
import type { Gid, Product, TableName, Variant } from '../records.ts'
import { typeOfGid, type Context } from './context.ts'

/** Tables by the type in the gid; the types that `node` can answer. */
const TABLES: Record<string, Exclude<TableName, 'shops' | 'settings'>> = {
  Product: 'products',
  Collection: 'collections',
  Order: 'orders',
  DiscountCodeNode: 'discounts',
  DiscountAutomaticNode: 'discounts',
  DiscountRedeemCodeBulkCreation: 'codeJobs',
  Metafield: 'metafields',
  GiftCard: 'giftCards',
  StoreCreditAccount: 'storeCredit',
  Segment: 'segments',
  BulkOperation: 'bulkOperations',
}

export type VariantNode = Variant & { product: Product }

/** The record, or null where this shop has none. Merged customers are gone. */
export function findNode({ store, domain }: Context, id: Gid): { id: Gid } | null {
  const type = typeOfGid(id)
  if (type === null) return null
  if (type === 'Customer') return store.customer(domain, id) ?? null
  if (type === 'Shop') return store.shop(domain).id === id ? store.shop(domain) : null
  if (type === 'AppInstallation') {
    const { installation } = store.shop(domain)
    return installation?.id === id ? installation : null
  }
  if (type === 'ProductVariant') return findVariant({ store, domain }, id)
  const table = TABLES[type]
  return table ? ((store.tables.find(table, domain, id) as { id: Gid } | undefined) ?? null) : null
}

/** As `findNode`, but null too where the gid is of another type than the field is for. */
export function findOf(context: Context, id: Gid, ...types: string[]): { id: Gid } | null {
  return types.includes(typeOfGid(id) ?? '') ? findNode(context, id) : null
}

/** A variant together with its product. */
export function findVariant({ store, domain }: Pick<Context, 'store' | 'domain'>, id: Gid): VariantNode | null {
  const product = store.tables.productOfVariant(domain, id)
  const variant = product?.variants.find((row) => row.id === id)
  return product && variant ? { ...variant, product } : null
}

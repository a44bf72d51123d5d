/** Every field of the Admin API that the dev store imitates, by type. */
import { bulkFields, bulkMutations, bulkRoots } from './bulk.ts'
import { catalogueFields, catalogueRoots } from './catalogue-fields.ts'
import { fieldsOf, typeOfGid, type Field, type Fields } from './context.ts'
import { customerFields, customerMutations, customerRoots } from './customer-fields.ts'
import { discountFields, discountRoots } from './discount-fields.ts'
import { discountMutations, discountPayloads } from './discount-mutations.ts'
import { metafieldFields, metafieldMutations } from './metafields.ts'
import { giftRoots, moneyFields, moneyMutations } from './money-mutations.ts'
import { findNode } from './node.ts'
import { flowFields, flowMutations } from './flow.ts'
import { orderFields, orderRoots } from './order-fields.ts'
import { shopFields, shopRoots } from './shop-fields.ts'

const nodeRoots = fieldsOf<null>('QueryRoot', {
  node: (_root, args, context) => findNode(context, args.id as string),
  nodes: (_root, args, context) => (args.ids as string[]).map((id) => findNode(context, id)),
})

/** Types and fields that are imitated; the rest of the schema is refused by name. */
export const FIELDS: Fields = join([
  shopFields,
  shopRoots,
  nodeRoots,
  catalogueFields,
  catalogueRoots,
  customerFields,
  customerRoots,
  customerMutations,
  orderFields,
  orderRoots,
  discountFields,
  discountRoots,
  discountMutations,
  discountPayloads,
  metafieldFields,
  metafieldMutations,
  giftRoots,
  moneyFields,
  moneyMutations,
  bulkFields,
  bulkRoots,
  bulkMutations,
  flowFields,
  flowMutations,
])

/** Scopes that a root needs (shopify.dev, "Access scopes"); `write_x` includes `read_x`. */
const SCOPES: [pattern: RegExp, scope: string][] = [
  [
    /^(customer|customers|customersCount|customerByIdentifier|customerSegmentMembers|segments?|segmentFilters)$/,
    'read_customers',
  ],
  [/^segmentCreate$/, 'write_customers'],
  [/^(order|orders|ordersCount)$/, 'read_orders'],
  [/^(products?|productVariant|productTypes|productTags|collections?)$/, 'read_products'],
  [
    /^(discountNodes?|discountNodesCount|codeDiscountNode|codeDiscountNodeByCode|automaticDiscountNode|discountRedeemCodeBulkCreation)$/,
    'read_discounts',
  ],
  [/^discount(Code|Automatic|RedeemCode)\w+$/, 'write_discounts'],
  [/^storeCreditAccountCredit$/, 'write_store_credit_account_transactions'],
  [/^storeCreditAccounts?$/, 'read_store_credit_accounts'],
  [/^giftCardCreate$/, 'write_gift_cards'],
  [/^giftCards?$/, 'read_gift_cards'],
]

/** The scope that a root field needs, or a customer's `storeCreditAccounts`; null where it needs none. */
export function scopeOf(rootField: string): string | null {
  return SCOPES.find(([pattern]) => pattern.test(rootField))?.[1] ?? null
}

/** Scopes needed to write to an owner of metafields or tags, by the type in its gid. */
export function writeScopeOf(gid: string): string | null {
  const type = typeOfGid(gid)
  if (type === 'Customer') return 'write_customers'
  if (type === 'Order') return 'write_orders'
  if (type === 'Product' || type === 'Collection') return 'write_products'
  return type?.startsWith('Discount') ? 'write_discounts' : null
}

/** Whether granted scopes include the one asked for. */
export function hasScope(granted: readonly string[], scope: string): boolean {
  return granted.includes(scope) || granted.includes(scope.replace(/^read_/, 'write_'))
}

/** The imitation of a field, if there is one. */
export function fieldOf(type: string, name: string): Field<never> | undefined {
  return FIELDS[type]?.[name]
}

function join(parts: Fields[]): Fields {
  const all: Fields = {}
  for (const part of parts) for (const [type, fields] of Object.entries(part)) all[type] = { ...all[type], ...fields }
  return all
}

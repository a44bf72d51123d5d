/** Discounts and their redeem codes, as they are read. */
import { decimalText } from '../money.ts'
import { discountStatus } from '../discounts.ts'
import type { CodeJob, Discount, DiscountItems, Gid, RedeemCode } from '../records.ts'
import {
  connection,
  connectionFields,
  dateTime,
  fieldsOf,
  money,
  properties,
  type Args,
  type Context,
  type Field,
  type Fields,
} from './context.ts'
import { metafieldFieldsOf } from './metafields.ts'
import { findNode, findOf, findVariant } from './node.ts'
import { matchesId, matchesText, matchesTime, matchesWords, search, type Filters } from './search.ts'
import { findFunction } from './shop-fields.ts'

/** GraphQL's types by ours. */
export const DISCOUNT_TYPES: Record<Discount['kind'], string> = {
  code_basic: 'DiscountCodeBasic',
  code_free_shipping: 'DiscountCodeFreeShipping',
  code_bxgy: 'DiscountCodeBxgy',
  code_app: 'DiscountCodeApp',
  automatic_app: 'DiscountAutomaticApp',
  automatic_basic: 'DiscountAutomaticBasic',
  automatic_free_shipping: 'DiscountAutomaticFreeShipping',
}

/** `asyncUsageCount` lags behind the orders by this long, so that nobody learns to rely on it. */
const USAGE_LAG_MS = 3_000

export type DiscountView = { __typename: string; discount: Discount }

/** The discount under its GraphQL type. */
export function discountView(discount: Discount): DiscountView {
  return { __typename: DISCOUNT_TYPES[discount.kind], discount }
}

type Row = { discount: Discount; now: number; codes: () => RedeemCode[] }

const filters: Filters<Row> = {
  id: ({ discount }, term) => matchesId(discount.id, term),
  title: ({ discount }, term) => matchesWords([discount.title], term),
  status: ({ discount, now }, term) => matchesText(discountStatus(discount, now), term),
  method: ({ discount }, term) => matchesText(discount.kind.startsWith('code') ? 'code' : 'automatic', term),
  type: ({ discount }, term) =>
    matchesText(discount.kind.endsWith('_app') ? 'app' : discount.kind.replace(/^\w+?_/, ''), term),
  code: ({ codes }, term) => codes().some((code) => matchesText(code.code, term)),
  starts_at: ({ discount }, term) => matchesTime(discount.startsAt, term),
  ends_at: ({ discount }, term) => matchesTime(discount.endsAt, term),
  created_at: ({ discount }, term) => matchesTime(discount.createdAt, term),
  updated_at: ({ discount }, term) => matchesTime(discount.updatedAt, term),
  default: ({ discount }, term) => matchesWords([discount.title], term),
}

function found({ store, domain }: Context, args: Args): Discount[] {
  const now = store.now()
  const rows = store.discounts(domain).map((discount) => ({ discount, now, codes: () => store.codesOf(discount.id) }))
  const discounts = search(rows, args.query, filters).map((row) => row.discount)
  if (args.sortKey === 'UPDATED_AT') discounts.sort((a, b) => a.updatedAt - b.updatedAt)
  if (args.sortKey === 'TITLE') discounts.sort((a, b) => a.title.localeCompare(b.title))
  return discounts
}

const NODES = ['DiscountCodeNode', 'DiscountAutomaticNode']
const isCode = (discount: Discount | null) => (discount?.kind.startsWith('code') ? discount : null)

export const discountRoots = fieldsOf<null>('QueryRoot', {
  discountNode: (_root, args, context) => findOf(context, args.id as Gid, ...NODES),
  discountNodes: (_root, args, context) => connection(found(context, args), args),
  discountNodesCount: (_root, args, context) => ({ count: found(context, args).length, precision: 'EXACT' }),
  codeDiscountNode: (_root, args, context) => isCode(findOf(context, args.id as Gid, ...NODES) as Discount | null),
  automaticDiscountNode: (_root, args, context) => {
    const discount = findOf(context, args.id as Gid, ...NODES) as Discount | null
    return isCode(discount) ? null : discount
  },
  codeDiscountNodeByCode: (_root, args, { store, domain }) => {
    const code = store.tables.codeByText(domain, args.code as string)
    return code ? store.tables.find('discounts', domain, code.discountId) : null
  },
  discountRedeemCodeBulkCreation: (_root, args, context) =>
    findOf(context, args.id as Gid, 'DiscountRedeemCodeBulkCreation'),
})

const node: Record<string, Field<Discount>> = { id: (row) => row.id, ...metafieldFieldsOf<Discount>() }

type View = Field<DiscountView>
const common: Record<string, View> = {
  title: ({ discount }) => discount.title,
  status: ({ discount }, _args, { store }) => store.discountStatus(discount),
  startsAt: ({ discount }) => dateTime(discount.startsAt),
  endsAt: ({ discount }) => dateTime(discount.endsAt),
  createdAt: ({ discount }) => dateTime(discount.createdAt),
  updatedAt: ({ discount }) => dateTime(discount.updatedAt),
  combinesWith: ({ discount }) => discount.combinesWith,
  discountClasses: ({ discount }) => discount.classes,
  context: ({ discount }) => contextView(discount),
  tags: ({ discount }) => discount.tags,
  asyncUsageCount: ({ discount }, _args, { store }) =>
    store.codesOf(discount.id).reduce((sum, code) => sum + usageSeen(code), 0),
}
const byCode: Record<string, View> = {
  ...common,
  usageLimit: ({ discount }) => discount.usageLimit,
  appliesOncePerCustomer: ({ discount }) => discount.appliesOncePerCustomer,
  codesCount: ({ discount }, _args, { store }) => ({ count: store.codesOf(discount.id).length, precision: 'EXACT' }),
  codes: ({ discount }, args, { store }) => {
    const rows = store.codesOf(discount.id)
    return connection(search(rows, args.query, CODE_FILTERS), args)
  },
}
const minimum: View = ({ discount }, _args, { store, domain }) => {
  if (!discount.minimum) return null
  return 'quantity' in discount.minimum
    ? { __typename: 'DiscountMinimumQuantity', greaterThanOrEqualToQuantity: String(discount.minimum.quantity) }
    : {
        __typename: 'DiscountMinimumSubtotal',
        greaterThanOrEqualToSubtotal: money(discount.minimum.subtotalMinor, store.shop(domain).currency),
      }
}
const gets: View = ({ discount }, _args, context) => getsView(discount, context)
const subscriptions: Record<string, View> = {
  appliesOnOneTimePurchase: ({ discount }) => discount.appliesOnOneTimePurchase,
  appliesOnSubscription: ({ discount }) => discount.appliesOnSubscription,
  recurringCycleLimit: ({ discount }) => discount.recurringCycleLimit,
}
const ofApp: Record<string, View> = {
  ...subscriptions,
  discountId: ({ discount }) => discount.id,
  appDiscountType: ({ discount }) => {
    const called = findFunction(discount.functionHandle)
    return called && { appKey: called.appKey, functionId: called.id, title: called.title, description: null }
  },
}

const CODE_FILTERS: Filters<RedeemCode> = {
  code: (row, term) => matchesText(row.code, term),
  id: (row, term) => matchesId(row.id, term),
  default: (row, term) => matchesText(row.code, term),
}

function usageSeen(code: RedeemCode): number {
  const fresh = code.lastUsedRealAt !== null && Date.now() - code.lastUsedRealAt < USAGE_LAG_MS
  return fresh ? code.usageCount - 1 : code.usageCount
}

function contextView({ context }: Discount) {
  if (context.kind === 'all') return { __typename: 'DiscountBuyerSelectionAll', all: 'ALL' }
  if (context.kind === 'customers') return { __typename: 'DiscountCustomers', ids: context.customerIds }
  return { __typename: 'DiscountCustomerSegments', ids: context.segmentIds }
}

function itemsView(items: DiscountItems) {
  if ('all' in items) return { __typename: 'AllDiscountItems', allItems: true }
  return { __typename: items.collectionIds.length > 0 ? 'DiscountCollections' : 'DiscountProducts', items }
}

function getsView(discount: Discount, { store, domain }: Context) {
  const { items, value } = discount.gets!
  return {
    items: itemsView(items),
    value: valueView(value, store.shop(domain).currency),
    appliesOnOneTimePurchase: discount.appliesOnOneTimePurchase,
    appliesOnSubscription: discount.appliesOnSubscription,
  }
}

function valueView(value: NonNullable<Discount['gets']>['value'], currency: string): object {
  if (value.kind === 'percentage') return { __typename: 'DiscountPercentage', percentage: value.basisPoints / 10_000 }
  if (value.kind === 'amount') {
    return {
      __typename: 'DiscountAmount',
      amount: money(value.amountMinor, currency),
      appliesOnEachItem: value.eachItem,
    }
  }
  const effect =
    value.kind === 'on_quantity'
      ? valueView({ kind: 'percentage', basisPoints: value.basisPoints }, currency)
      : valueView({ kind: 'amount', amountMinor: value.amountMinor, eachItem: true }, currency)
  return {
    __typename: 'DiscountOnQuantity',
    quantity: { __typename: 'DiscountQuantity', quantity: String(value.quantity) },
    effect,
  }
}

function summaryOf({ discount }: DiscountView, { store, domain }: Context): string {
  const { currency } = store.shop(domain)
  const amount = (minor: number) =>
    new Intl.NumberFormat('en-CA', { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).format(
      minor / 10 ** (decimalText(0, currency).split('.')[1]?.length ?? 0),
    )
  const parts: string[] = []
  const value = discount.gets?.value
  const off =
    value?.kind === 'percentage'
      ? `${value.basisPoints / 100}%`
      : value?.kind === 'amount'
        ? amount(value.amountMinor)
        : null
  if (off && discount.gets && 'all' in discount.gets.items) parts.push(`${off} off one-time purchase products`)
  else if (off) parts.push(`${off} off`)
  if (discount.minimum && 'subtotalMinor' in discount.minimum)
    parts.push(`Minimum purchase of ${amount(discount.minimum.subtotalMinor)}`)
  if (discount.appliesOncePerCustomer) parts.push('One use per customer')
  return parts.join(' • ')
}

const customerGets = { customerGets: gets, minimumRequirement: minimum }
const summary: View = (view, _args, context) => summaryOf(view, context)

export const discountFields: Fields = {
  ...fieldsOf<Discount>('DiscountNode', { ...node, discount: (row) => discountView(row) }),
  ...fieldsOf<Discount>('DiscountCodeNode', { ...node, codeDiscount: (row) => discountView(row) }),
  ...fieldsOf<Discount>('DiscountAutomaticNode', { ...node, automaticDiscount: (row) => discountView(row) }),
  ...connectionFields('DiscountNode'),
  ...fieldsOf<DiscountView>('DiscountCodeBasic', {
    ...byCode,
    ...customerGets,
    recurringCycleLimit: subscriptions.recurringCycleLimit!,
    summary,
    shortSummary: summary,
  }),
  ...fieldsOf<DiscountView>('DiscountAutomaticBasic', { ...common, ...customerGets, summary, shortSummary: summary }),
  ...fieldsOf<DiscountView>('DiscountCodeFreeShipping', {
    ...byCode,
    ...subscriptions,
    minimumRequirement: minimum,
    destinationSelection: () => ({ __typename: 'DiscountCountryAll', allCountries: true }),
    maximumShippingPrice: ({ discount }, _args, { store, domain }) =>
      discount.maximumShippingMinor === null ? null : money(discount.maximumShippingMinor, store.shop(domain).currency),
  }),
  ...fieldsOf<DiscountView>('DiscountCodeBxgy', {
    ...byCode,
    customerGets: gets,
    usesPerOrderLimit: ({ discount }) => discount.usesPerOrderLimit,
    customerBuys: ({ discount }, _args, { store, domain }) => {
      const { items, quantity, amountMinor } = discount.buys!
      const value =
        quantity === null
          ? { __typename: 'DiscountPurchaseAmount', amount: money(amountMinor!, store.shop(domain).currency).amount }
          : { __typename: 'DiscountQuantity', quantity: String(quantity) }
      return { items: itemsView(items), value }
    },
  }),
  ...fieldsOf<DiscountView>('DiscountCodeApp', { ...byCode, ...ofApp }),
  ...fieldsOf<DiscountView>('DiscountAutomaticApp', { ...common, ...ofApp }),
  ...fieldsOf('AppDiscountType', properties('appKey', 'functionId', 'title', 'description')),
  ...fieldsOf('DiscountCombinesWith', {
    ...properties('orderDiscounts', 'productDiscounts', 'shippingDiscounts'),
    productDiscountsWithTagsOnSameCartLine: () => null,
  }),
  ...fieldsOf('DiscountBuyerSelectionAll', properties('all')),
  ...fieldsOf<{ ids: Gid[] }>('DiscountCustomers', {
    customers: ({ ids }, _args, context) => ids.flatMap((id) => findNode(context, id) ?? []),
  }),
  ...fieldsOf<{ ids: Gid[] }>('DiscountCustomerSegments', {
    segments: ({ ids }, _args, context) => ids.flatMap((id) => findNode(context, id) ?? []),
  }),
  ...fieldsOf(
    'DiscountCustomerGets',
    properties('items', 'value', 'appliesOnOneTimePurchase', 'appliesOnSubscription'),
  ),
  ...fieldsOf('DiscountCustomerBuys', properties('items', 'value')),
  ...fieldsOf('AllDiscountItems', properties('allItems')),
  ...fieldsOf<{ items: Exclude<DiscountItems, { all: true }> }>('DiscountProducts', {
    products: ({ items }, args, { store, domain }) =>
      connection(
        items.productIds.flatMap((id) => store.product(domain, id) ?? []),
        args,
      ),
    productVariants: ({ items }, args, context) =>
      connection(
        items.variantIds.flatMap((id) => findVariant(context, id) ?? []),
        args,
      ),
  }),
  ...fieldsOf<{ items: Exclude<DiscountItems, { all: true }> }>('DiscountCollections', {
    collections: ({ items }, args, { store, domain }) =>
      connection(
        items.collectionIds.flatMap((id) => store.tables.find('collections', domain, id) ?? []),
        args,
      ),
  }),
  ...fieldsOf('DiscountPercentage', properties('percentage')),
  ...fieldsOf('DiscountAmount', properties('amount', 'appliesOnEachItem')),
  ...fieldsOf('DiscountOnQuantity', properties('quantity', 'effect')),
  ...fieldsOf('DiscountQuantity', properties('quantity')),
  ...fieldsOf('DiscountPurchaseAmount', properties('amount')),
  ...fieldsOf('DiscountMinimumSubtotal', properties('greaterThanOrEqualToSubtotal')),
  ...fieldsOf('DiscountMinimumQuantity', properties('greaterThanOrEqualToQuantity')),
  ...fieldsOf('DiscountCountryAll', properties('allCountries')),
  ...fieldsOf<RedeemCode>('DiscountRedeemCode', {
    id: (row) => row.id,
    code: (row) => row.code,
    asyncUsageCount: (row) => usageSeen(row),
  }),
  ...connectionFields('DiscountRedeemCode'),
  ...fieldsOf<CodeJob>('DiscountRedeemCodeBulkCreation', {
    id: (row) => row.id,
    done: (row) => row.done,
    createdAt: (row) => dateTime(row.createdAt),
    codesCount: (row) => row.codes.length,
    importedCount: (row) => row.codes.filter((code) => code.codeId !== null).length,
    failedCount: (row) => row.codes.filter((code) => code.errors.length > 0).length,
    discountCode: (row, _args, context) => findNode(context, row.discountId),
    codes: (row, args) =>
      connection(
        row.codes.map((code, index) => ({ ...code, id: String(index) })),
        args,
      ),
  }),
  ...connectionFields('DiscountRedeemCodeBulkCreationCode'),
  ...fieldsOf<CodeJob['codes'][number]>('DiscountRedeemCodeBulkCreationCode', {
    code: (row) => row.code,
    errors: (row) => row.errors.map((error) => ({ ...error, extraInfo: null })),
    discountRedeemCode: (row, _args, { store }) =>
      row.codeId === null ? null : (store.tables.get('codes', row.codeId) ?? null),
  }),
}

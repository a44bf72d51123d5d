/**
 * Discounts made, changed and ended through the Admin API 2026-10. Refusals use the fields, words and codes that real
 * shops gave (test/fixtures/captures); what no capture shows follows the SDL's error codes.
 */
import {
  addDiscount,
  codeIsTaken,
  deleteDiscount,
  draftDiscount,
  removeCodes,
  runCodeJob,
  updateDiscount,
} from '../discounts.ts'
import { APP_ID } from '../state.ts'
import { parseDecimal } from '../money.ts'
import type { CodeJob, Discount, DiscountItems, DiscountValue, Gid } from '../records.ts'
import { badRequest, fieldsOf, notImitated, properties, type Context, type Field, type Fields } from './context.ts'
import { discountView } from './discount-fields.ts'
import { setMetafields } from './metafields.ts'
import { findNode } from './node.ts'
import { findFunction } from './shop-fields.ts'

type Input = Record<string, never> & {
  title?: string | null
  code?: string | null
  startsAt?: string | null
  endsAt?: string | null
  context?: {
    all?: string
    customers?: { add?: Gid[]; remove?: Gid[] }
    customerSegments?: { add?: Gid[]; remove?: Gid[] }
    markets?: unknown
  } | null
  customerSelection?: { all?: boolean; customers?: { add?: Gid[] }; customerSegments?: { add?: Gid[] } } | null
  customerGets?: GetsInput | null
  customerBuys?: { items?: ItemsInput; value?: { amount?: string | null; quantity?: string | null } } | null
  minimumRequirement?: {
    quantity?: { greaterThanOrEqualToQuantity?: string | null } | null
    subtotal?: { greaterThanOrEqualToSubtotal?: string | null } | null
  } | null
  destination?: { all?: boolean; countries?: unknown } | null
  maximumShippingPrice?: string | null
  usageLimit?: number | null
  usesPerOrderLimit?: number | null
  appliesOncePerCustomer?: boolean | null
  appliesOnOneTimePurchase?: boolean | null
  appliesOnSubscription?: boolean | null
  recurringCycleLimit?: number | null
  combinesWith?:
    (Partial<Discount['combinesWith']> & { productDiscountsWithTagsOnSameCartLine?: TagsInput | null }) | null
  discountClasses?: Discount['classes'] | null
  functionHandle?: string | null
  functionId?: string | null
  metafields?: { namespace?: string; key: string; type: string; value: string }[] | null
  tags?: string[] | null
}
type TagsInput = { add?: string[]; remove?: string[] }
type ItemsInput = {
  all?: boolean
  products?: {
    productsToAdd?: Gid[]
    productVariantsToAdd?: Gid[]
    productsToRemove?: Gid[]
    productVariantsToRemove?: Gid[]
  }
  collections?: { add?: Gid[]; remove?: Gid[] }
}
type GetsInput = {
  items?: ItemsInput
  value?: {
    percentage?: number | null
    discountAmount?: { amount?: string | null; appliesOnEachItem?: boolean | null } | null
    discountOnQuantity?: {
      quantity?: string | null
      effect?: { percentage?: number | null; amount?: string | null } | null
    } | null
  }
  appliesOnOneTimePurchase?: boolean | null
  appliesOnSubscription?: boolean | null
}
type Problem = { field: string[]; message: string; code: string; extraInfo: null }

const INT_MAX = 2_147_483_647

type Maker = { argument: string; kind: Discount['kind']; reply: (discount: Discount | null) => Record<string, unknown> }

const asNode = (name: string) => (discount: Discount | null) => ({ [name]: discount })
const asView = (name: string) => (discount: Discount | null) => ({ [name]: discount ? discountView(discount) : null })

const CREATES: Record<string, Maker> = {
  discountCodeBasicCreate: { argument: 'basicCodeDiscount', kind: 'code_basic', reply: asNode('codeDiscountNode') },
  discountCodeFreeShippingCreate: {
    argument: 'freeShippingCodeDiscount',
    kind: 'code_free_shipping',
    reply: asNode('codeDiscountNode'),
  },
  discountCodeBxgyCreate: { argument: 'bxgyCodeDiscount', kind: 'code_bxgy', reply: asNode('codeDiscountNode') },
  discountCodeAppCreate: { argument: 'codeAppDiscount', kind: 'code_app', reply: asView('codeAppDiscount') },
  discountAutomaticAppCreate: {
    argument: 'automaticAppDiscount',
    kind: 'automatic_app',
    reply: asView('automaticAppDiscount'),
  },
  discountAutomaticBasicCreate: {
    argument: 'automaticBasicDiscount',
    kind: 'automatic_basic',
    reply: asNode('automaticDiscountNode'),
  },
}

const mutations: Record<string, Field<null>> = {}
const payloads: Fields = {}

for (const [name, maker] of Object.entries(CREATES)) {
  mutations[name] = (_root, args, context) => create(context, maker, args[maker.argument] as Input)
  const updateName = name.replace('Create', 'Update')
  mutations[updateName] = (_root, args, context) =>
    update(context, maker, args.id as Gid, args[maker.argument] as Input)
  for (const each of [name, updateName]) {
    payloads[`${each[0]!.toUpperCase()}${each.slice(1)}Payload`] = properties(
      ...Object.keys(maker.reply(null)),
      'userErrors',
    ) as Record<string, Field<never>>
  }
}

for (const method of ['Code', 'Automatic'] as const) {
  const node = method === 'Code' ? 'codeDiscountNode' : 'automaticDiscountNode'
  const deleted = method === 'Code' ? 'deletedCodeDiscountId' : 'deletedAutomaticDiscountId'
  mutations[`discount${method}Activate`] = (_root, args, context) =>
    switchDiscount(context, args.id as Gid, method, node, (now, discount) => ({
      startsAt: Math.min(discount.startsAt, now),
      endsAt: discount.endsAt !== null && discount.endsAt <= now ? null : discount.endsAt,
    }))
  mutations[`discount${method}Deactivate`] = (_root, args, context) =>
    switchDiscount(context, args.id as Gid, method, node, (now, discount) => ({
      endsAt: now,
      startsAt: Math.min(discount.startsAt, now),
    }))
  mutations[`discount${method}Delete`] = (_root, args, context) => {
    const discount = ofMethod(context, args.id as Gid, method)
    if (!discount) return { [deleted]: null, userErrors: [missing(method)] }
    deleteDiscount(context.store.tables, context.store.emit, discount)
    return { [deleted]: discount.id, userErrors: [] }
  }
  for (const verb of ['Activate', 'Deactivate']) {
    Object.assign(payloads, fieldsOf(`Discount${method}${verb}Payload`, properties(node, 'userErrors')))
  }
  Object.assign(payloads, fieldsOf(`Discount${method}DeletePayload`, properties(deleted, 'userErrors')))
}

Object.assign(payloads, fieldsOf('DiscountUserError', properties('field', 'message', 'code', 'extraInfo')))
Object.assign(payloads, fieldsOf('DiscountRedeemCodeBulkAddPayload', properties('bulkCreation', 'userErrors')))
Object.assign(payloads, fieldsOf('DiscountCodeRedeemCodeBulkDeletePayload', properties('job', 'userErrors')))

mutations.discountRedeemCodeBulkAdd = (_root, args, context) =>
  addCodesLater(
    context,
    args.discountId as Gid,
    (args.codes as { code: string }[]).map((row) => row.code),
  )
mutations.discountCodeRedeemCodeBulkDelete = (_root, args, context) => {
  if (args.search || args.savedSearchId) throw notImitated('discountCodeRedeemCodeBulkDelete by search')
  const discount = ofMethod(context, args.discountId as Gid, 'Code')
  if (!discount) return { job: null, userErrors: [problem(['discountId'], 'Code discount does not exist.', 'INVALID')] }
  const ids = (args.ids as Gid[] | undefined) ?? []
  if (ids.length === 0)
    return { job: null, userErrors: [problem(['ids'], 'Missing expected argument key: `ids`.', 'MISSING_ARGUMENT')] }
  const { store } = context
  const job = { id: store.tables.newId('Job'), shop: context.domain, done: false }
  later(context, () => removeCodes(store.tables, store.emit, discount, ids))
  return { job, userErrors: [] }
}

/** Discount mutations and the payloads they answer with. */
export const discountMutations: Fields = { Mutation: mutations as Record<string, Field<never>> }
export const discountPayloads: Fields = payloads

/** Shopify does these a moment after it has answered. */
const ASYNC_MS = 120

function later({ store }: Context, work: () => void): void {
  const timer = setTimeout(() => {
    if (!store.isClosed()) work()
  }, ASYNC_MS)
  timer.unref()
}

function addCodesLater(context: Context, discountId: Gid, codes: string[]) {
  const { store, domain } = context
  const discount = ofMethod(context, discountId, 'Code')
  const refuse = (field: string, message: string, code: string) => ({
    bulkCreation: null,
    userErrors: [problem([field], message, code)],
  })
  if (!discount) return refuse('discountId', 'Code discount does not exist.', 'INVALID')
  if (codes.length === 0) return refuse('codes', "Codes can't be blank", 'BLANK')
  if (codes.length > 250) return refuse('codes', 'Exceeded maximum number of codes (250).', 'EXCEEDED_MAX')
  const job: CodeJob = {
    id: store.tables.newId('DiscountRedeemCodeBulkCreation'),
    shop: domain,
    discountId,
    createdAt: store.now(),
    done: false,
    codes: codes.map((code) => ({
      code,
      codeId: null,
      errors: code.trim() === '' ? [{ field: ['code'], message: "can't be blank", code: 'BLANK' }] : [],
    })),
  }
  store.tables.put('codeJobs', job.id, job)
  later(context, () => runCodeJob(store.tables, store.emit, job))
  return { bulkCreation: job, userErrors: [] }
}

function create(context: Context, maker: Maker, input: Input) {
  const problems = problemsOf(context, maker, input, null)
  if (problems.length > 0) return { ...maker.reply(null), userErrors: problems }
  const { store, domain } = context
  return store.tables.write(() => {
    const draft = { kind: maker.kind, title: input.title ?? '', ...changeOf(context, maker, input, null) }
    const discount = draftDiscount(store.tables, domain, draft)
    store.tables.put('discounts', discount.id, discount)
    const set = input.metafields?.length
      ? setMetafields(
          context,
          input.metafields.map((row) => ({ ...row, ownerId: discount.id })),
        )
      : null
    if (set && set.userErrors.length > 0) {
      store.tables.remove('discounts', discount.id)
      const { message } = set.userErrors[0]!
      return { ...maker.reply(null), userErrors: [problem([maker.argument, 'metafields'], message, 'INVALID')] }
    }
    addDiscount(store.tables, store.emit, discount, input.code ?? undefined)
    return { ...maker.reply(discount), userErrors: [] }
  })
}

function update(context: Context, maker: Maker, id: Gid, input: Input) {
  const { store } = context
  const discount = findNode(context, id) as Discount | null
  if (!discount || discount.kind !== maker.kind) {
    return { ...maker.reply(null), userErrors: [problem(['id'], 'Discount does not exist', 'INVALID')] }
  }
  const problems = problemsOf(context, maker, input, discount)
  if (problems.length > 0) return { ...maker.reply(null), userErrors: problems }
  return store.tables.write(() => {
    updateDiscount(store.tables, store.emit, discount, changeOf(context, maker, input, discount))
    const only = store.codesOf(id)
    if (input.code && only.length === 1)
      store.tables.put('codes', only[0]!.id, Object.assign(only[0]!, { code: input.code }))
    if (input.metafields?.length)
      setMetafields(
        context,
        input.metafields.map((row) => ({ ...row, ownerId: id })),
      )
    return { ...maker.reply(discount), userErrors: [] }
  })
}

function switchDiscount(
  context: Context,
  id: Gid,
  method: 'Code' | 'Automatic',
  node: string,
  change: (now: number, discount: Discount) => Partial<Discount>,
) {
  const discount = ofMethod(context, id, method)
  if (!discount) return { [node]: null, userErrors: [missing(method)] }
  updateDiscount(context.store.tables, context.store.emit, discount, change(context.store.now(), discount))
  return { [node]: discount, userErrors: [] }
}

function ofMethod(context: Context, id: Gid, method: 'Code' | 'Automatic'): Discount | null {
  const discount = context.store.tables.find('discounts', context.domain, id)
  return discount?.kind.startsWith(method.toLowerCase()) ? discount : null
}

function missing(method: 'Code' | 'Automatic'): Problem {
  return problem(['id'], `${method} discount does not exist.`, 'INVALID')
}

function problem(field: string[], message: string, code: string): Problem {
  return { field, message, code, extraInfo: null }
}

/** What the input changes about the discount; what it leaves out stays, or takes Shopify's default. */
function changeOf({ store, domain }: Context, maker: Maker, input: Input, before: Discount | null): Partial<Discount> {
  const { currency } = store.shop(domain)
  const change: Partial<Discount> = {}
  if (input.title != null) change.title = input.title
  if (input.startsAt != null) change.startsAt = wholeSecond(input.startsAt)
  if (input.endsAt !== undefined) change.endsAt = input.endsAt === null ? null : wholeSecond(input.endsAt)
  if (input.usageLimit !== undefined) change.usageLimit = input.usageLimit
  if (input.usesPerOrderLimit !== undefined) change.usesPerOrderLimit = input.usesPerOrderLimit
  if (input.appliesOncePerCustomer != null) change.appliesOncePerCustomer = input.appliesOncePerCustomer
  if (input.recurringCycleLimit !== undefined) change.recurringCycleLimit = input.recurringCycleLimit
  if (input.tags) change.tags = input.tags
  if (input.combinesWith) {
    const { orderDiscounts, productDiscounts, shippingDiscounts } = input.combinesWith
    change.combinesWith = {
      orderDiscounts: orderDiscounts ?? false,
      productDiscounts: productDiscounts ?? false,
      shippingDiscounts: shippingDiscounts ?? false,
    }
  }
  const context = contextOf(input, before)
  if (context) change.context = context
  if (input.maximumShippingPrice !== undefined) {
    change.maximumShippingMinor =
      input.maximumShippingPrice === null ? null : parseDecimal(input.maximumShippingPrice, currency)
  }
  if (input.minimumRequirement !== undefined) change.minimum = minimumOf(input, currency)
  const oneTime = input.appliesOnOneTimePurchase ?? input.customerGets?.appliesOnOneTimePurchase
  const subscription = input.appliesOnSubscription ?? input.customerGets?.appliesOnSubscription
  if (oneTime != null) change.appliesOnOneTimePurchase = oneTime
  if (subscription != null) change.appliesOnSubscription = subscription
  if (input.customerGets?.items && input.customerGets.value) {
    change.gets = { items: itemsOf(input.customerGets.items), value: valueOf(input.customerGets, currency) }
  }
  if (input.customerBuys) change.buys = buysOf(input, currency)
  if (maker.kind.endsWith('_app')) {
    if (input.discountClasses) change.classes = input.discountClasses
    const called = findFunction(input.functionHandle ?? input.functionId)
    if (called) change.functionHandle = called.handle
  } else if (maker.kind.endsWith('free_shipping')) change.classes = ['SHIPPING']
  else if (change.gets) change.classes = [classOf(maker.kind, change.gets)]
  return change
}

function classOf(kind: Discount['kind'], gets: NonNullable<Discount['gets']>): 'ORDER' | 'PRODUCT' {
  const each = gets.value.kind === 'amount' && gets.value.eachItem
  return kind === 'code_bxgy' || each || !('all' in gets.items) ? 'PRODUCT' : 'ORDER'
}

function contextOf(input: Input, before: Discount | null): Discount['context'] | null {
  const asked = input.context ?? (input.customerSelection?.all ? { all: 'ALL' } : input.customerSelection)
  if (!asked) return null
  if ('markets' in asked && asked.markets) throw notImitated('discounts for markets')
  if (asked.customers) {
    const known = before?.context.kind === 'customers' ? before.context.customerIds : []
    const gone = new Set('remove' in asked.customers ? (asked.customers.remove as Gid[]) : [])
    return {
      kind: 'customers',
      customerIds: [...new Set([...known, ...(asked.customers.add ?? [])])].filter((id) => !gone.has(id)),
    }
  }
  if (asked.customerSegments) return { kind: 'segments', segmentIds: asked.customerSegments.add ?? [] }
  return { kind: 'all' }
}

function minimumOf({ minimumRequirement }: Input, currency: string): Discount['minimum'] {
  const subtotal = minimumRequirement?.subtotal?.greaterThanOrEqualToSubtotal
  if (subtotal != null) return { subtotalMinor: parseDecimal(subtotal, currency)! }
  const quantity = minimumRequirement?.quantity?.greaterThanOrEqualToQuantity
  return quantity != null ? { quantity: Number(quantity) } : null
}

function itemsOf(input: ItemsInput): DiscountItems {
  if (input.all) return { all: true }
  return {
    productIds: input.products?.productsToAdd ?? [],
    variantIds: input.products?.productVariantsToAdd ?? [],
    collectionIds: input.collections?.add ?? [],
  }
}

function valueOf({ value }: GetsInput, currency: string): DiscountValue {
  if (value?.discountAmount) {
    return {
      kind: 'amount',
      amountMinor: parseDecimal(value.discountAmount.amount ?? '0', currency)!,
      eachItem: value.discountAmount.appliesOnEachItem ?? false,
    }
  }
  if (value?.discountOnQuantity) {
    const quantity = Number(value.discountOnQuantity.quantity ?? '1')
    const { effect } = value.discountOnQuantity
    if (effect?.amount != null)
      return { kind: 'on_quantity_amount', quantity, amountMinor: parseDecimal(effect.amount, currency)! }
    return { kind: 'on_quantity', quantity, basisPoints: Math.round((effect?.percentage ?? 0) * 10_000) }
  }
  return { kind: 'percentage', basisPoints: Math.round((value?.percentage ?? 0) * 10_000) }
}

function buysOf({ customerBuys }: Input, currency: string): Discount['buys'] {
  const { quantity, amount } = customerBuys?.value ?? {}
  return {
    items: itemsOf(customerBuys?.items ?? {}),
    quantity: quantity == null ? null : Number(quantity),
    amountMinor: amount == null ? null : parseDecimal(amount, currency),
  }
}

function wholeSecond(text: string): number {
  return Math.floor(Date.parse(text) / 1000) * 1000
}

/** Every reason why Shopify would refuse the input, in its order: shape first, then dates, values, and what exists. */
function problemsOf(context: Context, maker: Maker, input: Input, before: Discount | null): Problem[] {
  const at = (...path: string[]) => [maker.argument, ...path]
  const problems = [
    ...titleProblems(maker, input, before, at),
    ...codeProblems(context, maker, input, before, at),
    ...customerProblems(context, input, at),
    ...(maker.kind.endsWith('_app') ? classProblems(input, before, at) : []),
    ...dateProblems(input, before, at),
    ...combinesProblems(context, maker, input, at),
    ...minimumProblems(input, at),
    ...valueProblems(maker, input, before, at),
  ]
  // The Function is looked up last, once the input itself is sound.
  if (problems.length > 0 || !maker.kind.endsWith('_app')) return problems
  return functionProblems(input, before, at)
}

type At = (...path: string[]) => string[]

function titleProblems(maker: Maker, { title }: Input, before: Discount | null, at: At): Problem[] {
  const automatic = maker.kind.startsWith('automatic')
  if (title === undefined || title === null)
    return before ? [] : [problem(at('title'), 'Required argument not found.', 'INVALID')]
  if (title.trim() === '')
    return [problem(at('title'), automatic ? "Title can't be blank." : "can't be blank", 'INVALID')]
  return title.length > 255 ? [problem(at('title'), 'is too long (maximum is 255 characters)', 'INVALID')] : []
}

function codeProblems(
  { store, domain }: Context,
  maker: Maker,
  { code }: Input,
  before: Discount | null,
  at: At,
): Problem[] {
  if (maker.kind.startsWith('automatic')) return []
  if (code == null && before) return []
  if (code == null || code.trim() === '') return [problem(at('code'), "Discount code can't be blank.", 'INVALID')]
  if (code.length > 255) return [problem(at('code'), 'is too long (maximum is 255 characters)', 'TOO_LONG')]
  const own = before && store.tables.codeByText(domain, code)?.discountId === before.id
  if (!own && codeIsTaken(store.tables, domain, code)) {
    return [problem(at('code'), 'Code must be unique. Please try a different code.', 'TAKEN')]
  }
  return []
}

function customerProblems(context: Context, input: Input, at: At): Problem[] {
  const name = input.context ? 'context' : 'customerSelection'
  const asked = input.context ?? input.customerSelection
  const empty = asked?.customers?.add?.length === 0 || asked?.customerSegments?.add?.length === 0
  if (empty) {
    return [
      problem(at(name), 'a minimum of one prerequisite segment or prerequisite customer must be provided', 'INVALID'),
    ]
  }
  const ids = [...(asked?.customers?.add ?? []), ...(asked?.customerSegments?.add ?? [])]
  const unknown = ids.filter((id) => !findNode(context, id))
  return unknown.length > 0
    ? [problem(at(name), `Invalid ids: ${unknown.map((id) => id.split('/').at(-1)).join(', ')}`, 'INVALID')]
    : []
}

function classProblems(input: Input, before: Discount | null, at: At): Problem[] {
  if (input.discountClasses?.length === 0 || (!before && !input.discountClasses)) {
    return [problem(at('discountClasses'), "Discount classes can't be empty.", 'INVALID')]
  }
  return []
}

function functionProblems(input: Input, before: Discount | null, at: At): Problem[] {
  if (input.functionHandle && input.functionId) {
    return [
      problem(
        at('functionHandle'),
        'Only one of functionId or functionHandle is allowed.',
        'MULTIPLE_FUNCTION_IDENTIFIERS',
      ),
    ]
  }
  if (!input.functionHandle && !input.functionId) {
    return before
      ? []
      : [
          problem(
            at('functionHandle'),
            'Function id or function handle must be provided.',
            'MISSING_FUNCTION_IDENTIFIER',
          ),
        ]
  }
  if (findFunction(input.functionHandle ?? input.functionId)) return []
  const name = input.functionHandle ? 'functionHandle' : 'functionId'
  const message = `Function ${input.functionHandle ?? input.functionId} not found. Ensure that it is released in the current app (${APP_ID}), and that the app is installed.`
  return [problem(at(name), message, 'INVALID')]
}

function dateProblems(input: Input, before: Discount | null, at: At): Problem[] {
  if (input.startsAt == null && !before) return [problem(at('startsAt'), "Starts at can't be blank", 'INVALID')]
  const startsAt = input.startsAt != null ? Date.parse(input.startsAt) : before!.startsAt
  const endsAt =
    input.endsAt === undefined ? (before?.endsAt ?? null) : input.endsAt === null ? null : Date.parse(input.endsAt)
  return endsAt !== null && endsAt <= startsAt
    ? [problem(at('endsAt'), 'Ends at needs to be after starts_at', 'INVALID')]
    : []
}

function combinesProblems({ store, domain }: Context, maker: Maker, input: Input, at: At): Problem[] {
  const { combinesWith } = input
  if (maker.kind.endsWith('free_shipping') && combinesWith?.shippingDiscounts) {
    return [
      problem(
        at('combinesWith'),
        'The combinesWith settings are not valid for the discount class.',
        'INVALID_COMBINES_WITH_FOR_DISCOUNT_CLASS',
      ),
    ]
  }
  const tags = combinesWith?.productDiscountsWithTagsOnSameCartLine
  if (!tags) return []
  if (tags.add?.some((tag) => tags.remove?.includes(tag))) {
    throw badRequest(
      'The same tag is present in both `add` and `remove` fields of `productDiscountsWithTagsOnSameCartLine`.',
    )
  }
  if (store.shop(domain).plan === 'plus') throw notImitated('productDiscountsWithTagsOnSameCartLine')
  const field = at('combinesWith', 'productDiscountsWithTagsOnSameCartLine')
  const problems = [
    problem(
      field,
      "The shop's plan does not allow setting `productDiscountsWithTagsOnSameCartLine`.",
      'PRODUCT_DISCOUNTS_WITH_TAGS_ON_SAME_CART_LINE_NOT_ENTITLED',
    ),
  ]
  if (input.customerGets?.items?.all) {
    problems.push(
      problem(
        field,
        'Combines with product discounts with tags on same cart line is only valid for discounts with the PRODUCT discount class',
        'INVALID_PRODUCT_DISCOUNTS_WITH_TAGS_ON_SAME_CART_LINE_FOR_DISCOUNT_CLASS',
      ),
    )
  }
  return problems
}

function minimumProblems({ minimumRequirement }: Input, at: At): Problem[] {
  const quantity = minimumRequirement?.quantity?.greaterThanOrEqualToQuantity
  const subtotal = minimumRequirement?.subtotal?.greaterThanOrEqualToSubtotal
  const ofSubtotal = at('minimumRequirement', 'subtotal', 'greaterThanOrEqualToSubtotal')
  const ofQuantity = at('minimumRequirement', 'quantity', 'greaterThanOrEqualToQuantity')
  if (quantity != null && subtotal != null) {
    return [
      problem(ofSubtotal, 'Minimum subtotal cannot be defined when minimum quantity is.', 'CONFLICT'),
      problem(ofQuantity, 'Minimum quantity cannot be defined when minimum subtotal is.', 'CONFLICT'),
    ]
  }
  if (quantity != null && Number(quantity) >= INT_MAX) {
    return [problem(ofQuantity, `Minimum quantity must be less than ${INT_MAX}`, 'LESS_THAN')]
  }
  if (subtotal != null && Number(subtotal) >= 1e18) {
    return [problem(ofSubtotal, 'Minimum subtotal must be less than 1000000000000000000', 'LESS_THAN')]
  }
  return []
}

function valueProblems(maker: Maker, input: Input, before: Discount | null, at: At): Problem[] {
  if (maker.kind.endsWith('_app')) return []
  if (maker.kind.endsWith('free_shipping')) {
    if (input.destination?.countries) throw notImitated('free shipping to chosen countries')
    return input.destination?.all || before ? [] : [problem(at('destination'), "Destination can't be blank", 'BLANK')]
  }
  const value = input.customerGets?.value
  if (!value) return before ? [] : [problem(at('customerGets', 'value'), "Value can't be blank", 'BLANK')]
  if (!input.customerGets?.items)
    return before ? [] : [problem(at('customerGets', 'items'), "Items in 'customer get' cannot be blank", 'BLANK')]
  const field = (...path: string[]) => at('customerGets', 'value', ...path)
  if (value.discountOnQuantity && maker.kind !== 'code_bxgy') {
    return [
      problem(
        field('discountOnQuantity'),
        'discountOnQuantity field is only permitted with bxgy discounts.',
        'INVALID',
      ),
    ]
  }
  if (value.percentage != null && (value.percentage < 0 || value.percentage > 1)) {
    return [problem(field('percentage'), 'Value must be between 0.0 and 1.0', 'VALUE_OUTSIDE_RANGE')]
  }
  if (value.discountAmount && Math.abs(Number(value.discountAmount.amount)) >= 1e18) {
    return [problem(field('discountAmount', 'amount'), 'Value must be greater than -1000000000000000000', 'LESS_THAN')]
  }
  // "less than or equal" is what Shopify really says for a negative amount (test/fixtures/captures).
  if (value.discountAmount && Number(value.discountAmount.amount) < 0) {
    return [
      problem(field('discountAmount', 'amount'), 'Value must be less than or equal to 0', 'LESS_THAN_OR_EQUAL_TO'),
    ]
  }
  return []
}

/**
 * What each discount would take off a cart on its own, and why a code would not apply: Shopify's rules for native discounts
 * (Admin API 2026-10, `DiscountCodeBasic`, `DiscountCodeFreeShipping`, `DiscountCodeBxgy`), and our real Function for app
 * discounts. Which of them end up together is combine.ts.
 *
 * A *part* is what one discount does in one class. Everything here is in minor units of the shop's currency.
 */
import { decimalText, graphqlDecimal, parseDecimal, share, toPresentment } from '../money.ts'
import { metafieldJson } from './metafields.ts'
import type {
  Customer,
  Discount,
  DiscountApplication,
  DiscountItems,
  Gid,
  Product,
  RedeemCode,
  Shop,
  Variant,
} from '../records.ts'
import type { DevStore } from '../state.ts'
import { executeInputQuery } from './function.ts'
import type { FunctionRunner } from './function.ts'
import type { FunctionTarget } from '#extensions/loyalty-discount/build.ts'

/** A line of the cart with what the catalogue says of it. */
export type CatalogLine = {
  key: string
  product: Product
  variant: Variant
  quantity: number
  properties: { name: string; value: string }[]
}

/** Whose cart it is. `signedIn` is a proven login; a customer without it was found by the e-mail typed at checkout. */
export type Shopper = { customer: Customer | null; signedIn: boolean }

/** One class of one discount, worked out for this cart as if it were alone. */
export type Part = { discount: Discount; code: RedeemCode | null; message: string } & (
  | { class: 'PRODUCT'; perLineMinor: number[]; value: PartValue }
  | { class: 'ORDER'; eligible: boolean[]; value: PartValue }
  | { class: 'SHIPPING'; value: PartValue }
)
export type PartValue = { basisPoints: number } | { amountMinor: number }

/** Why a code is not taken; `message` is what the shopper reads. */
export type CodeRefusal = {
  code: string
  reason:
    | 'unknown'
    | 'not_started'
    | 'expired'
    | 'used_up'
    | 'already_used_by_customer'
    | 'not_for_this_customer'
    | 'sign_in_first'
    | 'minimum_subtotal'
    | 'minimum_quantity'
    | 'no_matching_items'
    | 'shipping_too_dear'
    | 'nothing_off'
    | 'not_combinable'
    | 'too_many_codes'
  message: string
}

/** Everything that a discount is judged against. */
export type Basket = {
  store: DevStore
  shop: Shop
  lines: CatalogLine[]
  shopper: Shopper
  /** The chosen shipping price; null where nothing is shipped. */
  shippingMinor: number | null
  /** The currency the shopper sees and pays in. */
  currency: string
  /** The entered codes, as typed. */
  codes: string[]
}

/** The parts of all running automatic discounts that give something on this cart. */
export async function automaticParts(basket: Basket, runner: FunctionRunner): Promise<Part[]> {
  const parts: Part[] = []
  for (const discount of basket.store.activeAutomaticDiscounts(basket.shop.domain)) {
    if (!basket.store.isFor(discount, basket.shopper.customer?.id ?? null)) continue
    const found = await partsOf(basket, discount, null, runner)
    if (found.ok) parts.push(...found.parts)
  }
  return parts
}

/** The parts of one entered code, or why it gives nothing. Codes are found whatever their case. */
export async function codeParts(
  basket: Basket,
  text: string,
  runner: FunctionRunner,
): Promise<{ ok: true; parts: Part[] } | { ok: false; refusal: CodeRefusal }> {
  const refuse = (reason: CodeRefusal['reason'], message: string) => ({
    ok: false as const,
    refusal: { code: text, reason, message },
  })
  const { shopper, shop } = basket
  const check = basket.store.checkCode(shop.domain, text, shopper.customer?.id ?? null)
  if (!check.ok) {
    if (check.reason === 'not_for_this_customer' && !shopper.signedIn) {
      return refuse('sign_in_first', `“${text}” is for certain customers. Sign in to use it.`)
    }
    return refuse(check.reason, REFUSALS[check.reason](text))
  }
  const { discount, code } = check
  const found = await partsOf(basket, discount, code, runner)
  return found.ok ? found : refuse(found.reason, found.message(`“${text}”`))
}

const REFUSALS = {
  unknown: (code: string) => `There is no discount code “${code}” in this shop.`,
  not_started: (code: string) => `“${code}” is not valid yet.`,
  expired: (code: string) => `“${code}” has expired.`,
  used_up: (code: string) => `“${code}” has already been used.`,
  already_used_by_customer: (code: string) => `You have already used “${code}”, which each customer can use once.`,
  not_for_this_customer: (code: string) => `“${code}” is not for your account.`,
}

type PartsResult =
  { ok: true; parts: Part[] } | { ok: false; reason: CodeRefusal['reason']; message: (name: string) => string }

async function partsOf(
  basket: Basket,
  discount: Discount,
  code: RedeemCode | null,
  runner: FunctionRunner,
): Promise<PartsResult> {
  if (discount.kind === 'code_app' || discount.kind === 'automatic_app') return appParts(basket, discount, code, runner)
  const entitled = basket.lines.map((line) => !line.product.giftCard && covers(basket, discount.gets?.items, line))
  if (!entitled.some(Boolean)) {
    return {
      ok: false,
      reason: 'no_matching_items',
      message: (name) => `${name} does not cover anything in your cart.`,
    }
  }
  const short = belowMinimum(basket, discount, entitled)
  if (short) return short
  if (discount.kind.endsWith('free_shipping')) return shippingPart(basket, discount, code)
  if (discount.kind === 'code_bxgy') return bxgyPart(basket, discount, code)
  return basicPart(basket, discount, code, entitled)
}

function covers(basket: Basket, items: DiscountItems | undefined, line: CatalogLine): boolean {
  if (items === undefined || 'all' in items) return true
  if (items.productIds.includes(line.product.id) || items.variantIds.includes(line.variant.id)) return true
  return items.collectionIds.some((id) => inCollection(basket.store, id, line.product.id))
}

function inCollection(store: DevStore, collectionId: Gid, productId: Gid): boolean {
  return store.tables.get('collections', collectionId)?.productIds.includes(productId) ?? false
}

/** Minimums count the goods that the discount covers, before any discount. */
function belowMinimum(
  basket: Basket,
  discount: Discount,
  entitled: boolean[],
): Extract<PartsResult, { ok: false }> | null {
  const { minimum } = discount
  if (minimum === null) return null
  const counted = basket.lines.filter((_, at) => entitled[at])
  if ('subtotalMinor' in minimum) {
    const short = minimum.subtotalMinor - counted.reduce((sum, line) => sum + lineMinor(line), 0)
    if (short <= 0) return null
    const { currency } = basket.shop
    const more = `${decimalText(short, currency)} ${currency}`
    const whole = `${decimalText(minimum.subtotalMinor, currency)} ${currency}`
    return {
      ok: false,
      reason: 'minimum_subtotal',
      message: (name) => `${name} needs ${whole} of goods it covers: add ${more} more.`,
    }
  }
  const missing = minimum.quantity - counted.reduce((sum, line) => sum + line.quantity, 0)
  if (missing <= 0) return null
  return {
    ok: false,
    reason: 'minimum_quantity',
    message: (name) => `${name} needs ${missing} more of the items it covers.`,
  }
}

function basicPart(basket: Basket, discount: Discount, code: RedeemCode | null, entitled: boolean[]): PartsResult {
  const value = discount.gets?.value
  if (!value || value.kind === 'on_quantity' || value.kind === 'on_quantity_amount') {
    throw new Error(
      `The dev store's checkout does not imitate a ${discount.kind} discount with the value ${value?.kind}.`,
    )
  }
  const base = { discount, code, message: discount.title }
  const partValue: PartValue =
    value.kind === 'percentage' ? { basisPoints: value.basisPoints } : { amountMinor: value.amountMinor }
  if (discount.classes.includes('ORDER')) {
    return { ok: true, parts: [{ ...base, class: 'ORDER', eligible: entitled, value: partValue }] }
  }
  const totals = basket.lines.map((line, at) => (entitled[at] ? lineMinor(line) : 0))
  const perLineMinor =
    value.kind === 'percentage'
      ? totals.map((amount) => share(amount, value.basisPoints, 10_000))
      : value.eachItem
        ? basket.lines.map((line, at) => (entitled[at] ? Math.min(totals[at]!, value.amountMinor * line.quantity) : 0))
        : spread(value.amountMinor, totals)
  return { ok: true, parts: [{ ...base, class: 'PRODUCT', perLineMinor, value: partValue }] }
}

function shippingPart(basket: Basket, discount: Discount, code: RedeemCode | null): PartsResult {
  const { shippingMinor } = basket
  if (shippingMinor === null) {
    return {
      ok: false,
      reason: 'nothing_off',
      message: (name) => `${name} is for shipping, and nothing here is shipped.`,
    }
  }
  const most = discount.maximumShippingMinor
  if (most !== null && shippingMinor > most) {
    const limit = `${decimalText(most, basket.shop.currency)} ${basket.shop.currency}`
    return { ok: false, reason: 'shipping_too_dear', message: (name) => `${name} covers shipping up to ${limit}.` }
  }
  return {
    ok: true,
    parts: [{ discount, code, message: discount.title, class: 'SHIPPING', value: { basisPoints: 10_000 } }],
  }
}

/** Buy X get Y: whole sets only, the cheapest of what may be had are the ones given. */
function bxgyPart(basket: Basket, discount: Discount, code: RedeemCode | null): PartsResult {
  const { buys, gets } = discount
  const value = gets?.value
  if (!buys || !gets || !value || (value.kind !== 'on_quantity' && value.kind !== 'on_quantity_amount')) {
    throw new Error(`The dev store's checkout cannot read the buy-X-get-Y discount ${discount.id}.`)
  }
  const isBought = basket.lines.map((line) => !line.product.giftCard && covers(basket, buys.items, line))
  const isGot = basket.lines.map((line) => !line.product.giftCard && covers(basket, gets.items, line))
  const boughtQuantity = basket.lines.reduce((sum, line, at) => sum + (isBought[at] ? line.quantity : 0), 0)
  const boughtMinor = basket.lines.reduce((sum, line, at) => sum + (isBought[at] ? lineMinor(line) : 0), 0)
  const overlap = isBought.some((bought, at) => bought && isGot[at])
  const need = buys.quantity ?? 0
  const sets =
    buys.quantity !== null
      ? Math.floor(boughtQuantity / (overlap ? need + value.quantity : need))
      : boughtMinor >= (buys.amountMinor ?? 0)
        ? 1
        : 0
  let left = Math.min(sets, discount.usesPerOrderLimit ?? sets) * value.quantity
  if (left === 0) {
    return { ok: false, reason: 'minimum_quantity', message: (name) => `${name} needs more items that it counts.` }
  }
  const perLineMinor = basket.lines.map(() => 0)
  const cheapestFirst = basket.lines
    .map((line, at) => ({ line, at }))
    .filter(({ at }) => isGot[at])
    .sort((a, b) => a.line.variant.priceMinor - b.line.variant.priceMinor)
  for (const { line, at } of cheapestFirst) {
    const units = Math.min(left, line.quantity)
    const price = line.variant.priceMinor
    const off =
      value.kind === 'on_quantity' ? share(price, value.basisPoints, 10_000) : Math.min(price, value.amountMinor)
    perLineMinor[at] = off * units
    left -= units
  }
  if (perLineMinor.every((amount) => amount === 0)) {
    return {
      ok: false,
      reason: 'no_matching_items',
      message: (name) => `${name} needs the item it gives in your cart.`,
    }
  }
  const partValue =
    value.kind === 'on_quantity' ? { basisPoints: value.basisPoints } : { amountMinor: value.amountMinor }
  return {
    ok: true,
    parts: [{ discount, code, message: discount.title, class: 'PRODUCT', perLineMinor, value: partValue }],
  }
}

/** What our Function answers, as far as checkout reads it. */
type FunctionAnswer = { operations: Record<string, { candidates: Candidate[] }>[] }
type Candidate = {
  message?: string
  value: { percentage?: { value: string }; fixedAmount?: { amount: string; appliesToEachItem?: boolean } }
  targets: {
    orderSubtotal?: { excludedCartLineIds: string[] }
    cartLine?: { id: string }
    deliveryGroup?: { id: string }
  }[]
  conditions?: unknown[]
}

const OPERATION_CLASS = {
  orderDiscountsAdd: 'ORDER',
  productDiscountsAdd: 'PRODUCT',
  deliveryDiscountsAdd: 'SHIPPING',
} as const

/** Runs both targets of the Function, as Shopify does for each app discount. */
async function appParts(
  basket: Basket,
  discount: Discount,
  code: RedeemCode | null,
  runner: FunctionRunner,
): Promise<PartsResult> {
  const parts: Part[] = []
  const targets: FunctionTarget[] = [
    'cart.lines.discounts.generate.run',
    'cart.delivery-options.discounts.generate.run',
  ]
  for (const target of targets) {
    const input = await functionInput(basket, discount, code, target)
    const answer = JSON.parse(runner.run(target, JSON.stringify(input))) as FunctionAnswer
    for (const operation of answer.operations) {
      const found = readOperation(basket, discount, code, operation)
      if (found) parts.push(found)
    }
  }
  if (parts.length > 0) return { ok: true, parts }
  return { ok: false, reason: 'nothing_off', message: (name) => `${name} gives nothing on this cart.` }
}

function readOperation(
  basket: Basket,
  discount: Discount,
  code: RedeemCode | null,
  operation: Record<string, { candidates: Candidate[] }>,
): Part | null {
  const [name, { candidates }] = Object.entries(operation)[0]!
  const discountClass = OPERATION_CLASS[name as keyof typeof OPERATION_CLASS]
  if (discountClass === undefined) throw new Error(`The dev store's checkout does not imitate the operation ${name}.`)
  if (!discount.classes.includes(discountClass)) {
    throw new Error(`The Function answered ${name}, but ${discount.id} has only ${discount.classes.join(', ')}.`)
  }
  const parts = candidates.map((candidate) => readCandidate(basket, discount, code, discountClass, candidate))
  const worth = (part: Part) => {
    if (part.class === 'PRODUCT') return part.perLineMinor.reduce((sum, amount) => sum + amount, 0)
    if (part.class === 'SHIPPING') return basket.shippingMinor ?? 0
    const base = basket.lines.reduce((sum, line, at) => sum + (part.eligible[at] ? lineMinor(line) : 0), 0)
    return takeOff(base, part.value)
  }
  // MAXIMUM: the candidate that takes off most. Delivery's ALL with one candidate comes to the same.
  return parts.sort((a, b) => worth(b) - worth(a))[0] ?? null
}

function readCandidate(
  basket: Basket,
  discount: Discount,
  code: RedeemCode | null,
  discountClass: 'ORDER' | 'PRODUCT' | 'SHIPPING',
  candidate: Candidate,
): Part {
  if (candidate.conditions?.length)
    throw new Error('The dev store’s checkout does not imitate conditions of candidates.')
  const base = { discount, code, message: candidate.message ?? discount.title }
  const value = readValue(basket, candidate)
  if (discountClass === 'SHIPPING') return { ...base, class: 'SHIPPING', value }
  if (discountClass === 'ORDER') {
    const excluded = new Set(candidate.targets.flatMap((target) => target.orderSubtotal?.excludedCartLineIds ?? []))
    return { ...base, class: 'ORDER', eligible: basket.lines.map((line) => !excluded.has(lineGid(line))), value }
  }
  const targeted = new Set(candidate.targets.map((target) => target.cartLine?.id))
  const totals = basket.lines.map((line) => (targeted.has(lineGid(line)) ? lineMinor(line) : 0))
  const perLineMinor =
    'basisPoints' in value
      ? totals.map((amount) => share(amount, value.basisPoints, 10_000))
      : spread(value.amountMinor, totals)
  return { ...base, class: 'PRODUCT', perLineMinor, value }
}

function readValue(basket: Basket, { value }: Candidate): PartValue {
  if (value.percentage) return { basisPoints: parseDecimal(value.percentage.value, 'USD')! }
  const amount = value.fixedAmount
  if (!amount) throw new Error('A candidate of the Function has neither a percentage nor an amount.')
  if (amount.appliesToEachItem) throw new Error('The dev store’s checkout does not imitate appliesToEachItem.')
  return { amountMinor: toShopMinor(basket, parseDecimal(amount.amount, basket.currency)!) }
}

/** Minor units of the shopper's currency in the shop's, to the nearest. */
function toShopMinor(basket: Basket, minor: number): number {
  const { currency } = basket.shop
  if (basket.currency === currency) return minor
  const oneInTheirs = toPresentment(1_000_000, currency, basket.currency, rateOf(basket))
  return share(minor, 1_000_000, oneInTheirs)
}

function rateOf(basket: Basket): number {
  return basket.currency === basket.shop.currency ? 1 : (basket.shop.presentmentRates[basket.currency] ?? 1)
}

async function functionInput(
  basket: Basket,
  discount: Discount,
  code: RedeemCode | null,
  target: FunctionTarget,
): Promise<Record<string, unknown>> {
  const { store, shop, lines, shopper, currency } = basket
  const handle = 'loyalty-discount'
  if (discount.functionHandle !== handle) {
    throw new Error(
      `The dev store runs the Function ${handle} only, and ${discount.id} names ${discount.functionHandle}.`,
    )
  }
  const money = (minor: number) => ({
    amount: decimalText(toPresentment(minor, shop.currency, currency, rateOf(basket)), currency),
    currencyCode: currency,
  })
  const metafieldOf = (owner: Gid) => (args: { namespace?: string; key: string }) => {
    const jsonValue = metafieldJson(store, owner, args.namespace ?? '$app', args.key)
    return jsonValue === undefined ? null : { jsonValue }
  }
  const { customer } = shopper
  const variables = metafieldJson(store, discount.id, '$app', 'function-variables') ?? {}
  return executeInputQuery(
    target,
    {
      presentmentCurrencyRate: String(rateOf(basket)),
      triggeringDiscountCode: code?.code ?? null,
      enteredDiscountCodes: basket.codes.map((each) => ({ code: each, rejectable: true })),
      discount: { discountClasses: discount.classes, metafield: metafieldOf(discount.id) },
      cart: {
        buyerIdentity: {
          isAuthenticated: shopper.signedIn,
          customer: customer && { id: customer.id, metafield: metafieldOf(customer.id) },
        },
        cost: { subtotalAmount: money(lines.reduce((sum, line) => sum + lineMinor(line), 0)) },
        deliveryGroups: basket.shippingMinor === null ? [] : [{ id: 'gid://shopify/CartDeliveryGroup/1' }],
        lines: lines.map((line) => ({
          id: lineGid(line),
          quantity: line.quantity,
          cost: {
            subtotalAmount: money(lineMinor(line)),
            amountPerQuantity: money(line.variant.priceMinor),
            compareAtAmountPerQuantity:
              line.variant.compareAtMinor === null ? null : money(line.variant.compareAtMinor),
          },
          merchandise: {
            __typename: 'ProductVariant',
            id: line.variant.id,
            product: {
              id: line.product.id,
              isGiftCard: line.product.giftCard,
              inAnyCollection: ({ ids }: { ids: Gid[] }) => ids.some((id) => inCollection(store, id, line.product.id)),
            },
          },
        })),
      },
    },
    variables as Record<string, unknown>,
  )
}

/** The line before discounts. */
export function lineMinor(line: CatalogLine): number {
  return line.variant.priceMinor * line.quantity
}

/** What a value takes off a base, never more than it. Percentages round half up. */
export function takeOff(baseMinor: number, value: PartValue): number {
  return 'basisPoints' in value ? share(baseMinor, value.basisPoints, 10_000) : Math.min(baseMinor, value.amountMinor)
}

/** Shares an amount out in proportion to the weights, at most each weight, the remainder to the largest fractions. */
export function spread(amountMinor: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return weights.map(() => 0)
  const amount = BigInt(Math.min(amountMinor, total))
  const parts = weights.map((weight) => Number((amount * BigInt(weight)) / BigInt(total)))
  let left = Number(amount) - parts.reduce((sum, part) => sum + part, 0)
  const order = weights
    .map((weight, at) => ({ at, rest: Number((amount * BigInt(weight)) % BigInt(total)) }))
    .sort((a, b) => b.rest - a.rest)
  for (const { at } of order) {
    if (left === 0) break
    if (parts[at]! < weights[at]!) {
      parts[at] = parts[at]! + 1
      left -= 1
    }
  }
  return parts
}

/** How Shopify describes the discount on an order. */
export function applicationOf(part: Part, currency: string): DiscountApplication {
  const shared = {
    type: part.code ? ('discount_code' as const) : ('automatic' as const),
    title: part.code ? part.discount.title : part.message,
    code: part.code?.code ?? null,
    discountId: part.discount.id,
    value:
      'basisPoints' in part.value
        ? percentText(part.value.basisPoints)
        : graphqlDecimal(part.value.amountMinor, currency),
    valueType: 'basisPoints' in part.value ? ('percentage' as const) : ('fixed_amount' as const),
  }
  if (part.class === 'SHIPPING') {
    return { ...shared, allocationMethod: 'each', targetType: 'shipping_line', targetSelection: 'all' }
  }
  if (part.class === 'ORDER') {
    return { ...shared, allocationMethod: 'across', targetType: 'line_item', targetSelection: 'all' }
  }
  const allocationMethod = 'basisPoints' in part.value ? 'each' : 'across'
  return { ...shared, allocationMethod, targetType: 'line_item', targetSelection: 'entitled' }
}

function percentText(basisPoints: number): string {
  const whole = Math.floor(basisPoints / 100)
  const fraction = String(basisPoints % 100)
    .padStart(2, '0')
    .replace(/0+$/, '')
  return `${whole}.${fraction || '0'}`
}

function lineGid(line: CatalogLine): string {
  return `gid://shopify/CartLine/${line.key}`
}

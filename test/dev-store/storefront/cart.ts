/**
 * The shopper's cart: what is in it, which codes were entered, and what it costs. A cart lives in the dev store's process,
 * by a token in a cookie; after a restart carts are empty.
 */
import { randomBytes } from 'node:crypto'
import { taxOn } from '../order-totals.ts'
import type { Gid, Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { bestCombination, CODES_MAX } from './combine.ts'
import type { Combination } from './combine.ts'
import { automaticParts, codeParts, lineMinor } from './discounts.ts'
import type { Basket, CatalogLine, CodeRefusal, Part, Shopper } from './discounts.ts'
import type { FunctionRunner } from './function.ts'

export type CartLine = {
  key: string
  variantId: Gid
  quantity: number
  properties: { name: string; value: string }[]
}

export type Cart = { token: string; shop: string; lines: CartLine[]; codes: string[]; currency: string; note: string }

/** Units of one line at most: enough for a gift shop's wholesale baskets. */
export const QUANTITY_MAX = 9999
const CARTS_MAX = 2000

/** Carts by token. */
export class Carts {
  private readonly byToken = new Map<string, Cart>()

  /** The cart of this token, or a new empty one; the oldest is forgotten when there are too many. */
  open(token: string | undefined, shop: Shop): Cart {
    const known = token === undefined ? undefined : this.byToken.get(token)
    if (known && known.shop === shop.domain) return known
    const cart: Cart = {
      token: randomBytes(12).toString('hex'),
      shop: shop.domain,
      lines: [],
      codes: [],
      currency: shop.currency,
      note: '',
    }
    this.byToken.set(cart.token, cart)
    if (this.byToken.size > CARTS_MAX) this.byToken.delete(this.byToken.keys().next().value!)
    return cart
  }

  forget(token: string): void {
    this.byToken.delete(token)
  }
}

/** Adds units of a variant; the same variant with the same properties is one line. */
export function addToCart(
  cart: Cart,
  variantId: Gid,
  quantity: number,
  properties: { name: string; value: string }[] = [],
): void {
  const same = cart.lines.find(
    (line) => line.variantId === variantId && JSON.stringify(line.properties) === JSON.stringify(properties),
  )
  if (same) same.quantity = Math.min(QUANTITY_MAX, same.quantity + quantity)
  else cart.lines.push({ key: randomBytes(8).toString('hex'), variantId, quantity, properties })
}

/** Sets a line's quantity; 0 takes it out. */
export function changeLine(cart: Cart, key: string, quantity: number): void {
  const line = cart.lines.find((each) => each.key === key)
  if (line) line.quantity = Math.min(QUANTITY_MAX, quantity)
  cart.lines = cart.lines.filter((each) => each.quantity > 0)
}

/** Ways to send a cart's goods. */
export type ShippingOption = { handle: string; title: string; priceMinor: number; days: string }

/** The shop's standard rate, an express one at two and a half times that, and collection; none for a cart of gift cards. */
export function shippingOptions(shop: Shop, lines: CatalogLine[]): ShippingOption[] {
  if (!lines.some((line) => line.variant.requiresShipping && !line.product.giftCard)) return []
  const standard = shop.shippingMinor
  return [
    { handle: 'standard', title: 'Standard', priceMinor: standard, days: '3 to 5 working days' },
    { handle: 'express', title: 'Express', priceMinor: Math.round((standard * 5) / 2), days: 'next working day' },
  ]
}

/** The cart with every price worked out, in the shop's currency. */
export type PricedCart = {
  lines: CatalogLine[]
  combination: Combination
  shipping: ShippingOption | null
  shippingOptions: ShippingOption[]
  subtotalMinor: number
  goodsDiscountMinor: number
  shippingDiscountMinor: number
  taxMinor: number
  totalMinor: number
  codes: { code: string; applied: boolean; message: string | null }[]
}

/** Prices the cart for this shopper, with the best set of discounts that may stand together. */
export async function priceCart(
  store: DevStore,
  runner: FunctionRunner,
  shop: Shop,
  cart: Cart,
  shopper: Shopper,
  shippingHandle = 'standard',
): Promise<PricedCart> {
  const lines = readLines(store, shop, cart)
  const options = shippingOptions(shop, lines)
  const shipping = options.find((option) => option.handle === shippingHandle) ?? options[0] ?? null
  const basket: Basket = {
    store,
    shop,
    lines,
    shopper,
    shippingMinor: shipping?.priceMinor ?? null,
    currency: cart.currency,
    codes: cart.codes,
  }
  const automatic = lines.length > 0 ? await automaticParts(basket, runner) : []
  const entered = await readCodes(basket, cart.codes, runner)
  const parts = [...automatic, ...entered.parts]
  const combination = bestCombination(lines, basket.shippingMinor, parts, shop.currency)
  const subtotalMinor = lines.reduce((sum, line) => sum + lineMinor(line), 0)
  const goodsDiscountMinor = total(combination.lineAllocations.flat())
  const shippingDiscountMinor = total(combination.shippingAllocations)
  const taxMinor = taxOf(shop, lines, combination)
  const shippingMinor = basket.shippingMinor ?? 0
  return {
    lines,
    combination,
    shipping,
    shippingOptions: options,
    subtotalMinor,
    goodsDiscountMinor,
    shippingDiscountMinor,
    taxMinor,
    totalMinor:
      subtotalMinor - goodsDiscountMinor + shippingMinor - shippingDiscountMinor + (shop.taxesIncluded ? 0 : taxMinor),
    codes: cart.codes.map((code) => sayCode(code, entered.refusals, combination, lines.length)),
  }
}

function readLines(store: DevStore, shop: Shop, cart: Cart): CatalogLine[] {
  const products = store.products(shop.domain)
  return cart.lines.flatMap((line) => {
    const product = products.find((each) => each.variants.some((variant) => variant.id === line.variantId))
    const variant = product?.variants.find((each) => each.id === line.variantId)
    // A product taken from the shop leaves every cart.
    if (!product || !variant || product.status !== 'ACTIVE') return []
    return [{ key: line.key, product, variant, quantity: line.quantity, properties: line.properties }]
  })
}

async function readCodes(
  basket: Basket,
  codes: string[],
  runner: FunctionRunner,
): Promise<{ parts: Part[]; refusals: CodeRefusal[] }> {
  const parts: Part[] = []
  const refusals: CodeRefusal[] = []
  for (const code of codes) {
    const found = await codeParts(basket, code, runner)
    if (found.ok) parts.push(...found.parts)
    else refusals.push(found.refusal)
  }
  return { parts, refusals }
}

/** What became of a code, in words. */
function sayCode(
  code: string,
  refusals: CodeRefusal[],
  combination: Combination,
  lineCount: number,
): { code: string; applied: boolean; message: string | null } {
  const same = (text: string | undefined) => text?.toUpperCase() === code.toUpperCase()
  if (lineCount === 0) return { code, applied: false, message: 'Put something in your cart first.' }
  const refusal = refusals.find((each) => same(each.code))
  if (refusal) return { code, applied: false, message: refusal.message }
  const applied = combination.parts.find((part) => same(part.code?.code))
  // Applied codes are shown as the merchant wrote them.
  if (applied) return { code: applied.code!.code, applied: true, message: null }
  const others = [...new Set(combination.parts.map((part) => `“${part.code?.code ?? part.message}”`))].join(' and ')
  const message =
    others === ''
      ? `“${code}” takes nothing off this cart.`
      : `“${code}” cannot be combined with ${others}, which saves you more. It was left out and stays valid.`
  return { code, applied: false, message }
}

export type EnterCode = { ok: true } | { ok: false; message: string }

/** Adds a code as typed, without blanks around it. The same code twice, or too many, is refused here. */
export function enterCode(cart: Cart, text: string): EnterCode {
  const code = text.trim()
  if (code === '') return { ok: false, message: 'Type a code first.' }
  if (cart.codes.some((each) => each.toUpperCase() === code.toUpperCase())) {
    return { ok: false, message: `“${code}” is already entered.` }
  }
  if (cart.codes.length >= CODES_MAX + 1) {
    return { ok: false, message: `At most ${CODES_MAX} codes and one for shipping can be used on one order.` }
  }
  cart.codes.push(code)
  return { ok: true }
}

/** Takes a code out, whatever its case. */
export function removeCode(cart: Cart, code: string): void {
  cart.codes = cart.codes.filter((each) => each.toUpperCase() !== code.toUpperCase())
}

function taxOf(shop: Shop, lines: CatalogLine[], { lineAllocations }: Combination): number {
  return lines.reduce((sum, line, at) => {
    if (line.product.giftCard || !line.variant.taxable) return sum
    return sum + taxOn(lineMinor(line) - total(lineAllocations[at]!), shop.taxRateBasisPoints, shop.taxesIncluded)
  }, 0)
}

function total(allocations: { amountMinor: number }[]): number {
  return allocations.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
}

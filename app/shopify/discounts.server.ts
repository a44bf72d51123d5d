import { z } from 'zod'
import type { DiscountTerms } from '#app/loyalty/discount-terms.ts'
import type { AdminClient } from './admin-api.server.ts'

/**
 * Discounts that redemptions give. A *parent discount* is one Shopify code discount per reward and value; its *redeem codes* are
 * the single-use codes shoppers get (`usageLimit: 1` counts per code). Nothing here keeps state: every function may be called
 * again after a crash, and says what it found.
 *
 * Source: Admin API 2026-10, discountCodeBasicCreate, discountCodeFreeShippingCreate, discountRedeemCodeBulkAdd (at most 250 codes,
 * asynchronous), discountCodeRedeemCodeBulkDelete; Built for Shopify 5.5.3 asks for codes of one value on one discount.
 */

/**
 * Codes in one call of discountRedeemCodeBulkAdd. Shopify takes 250, but reading what became of them costs about 4 points a code, and
 * one query may cost 1,000.
 */
export const CODES_PER_CALL_MAX = 100

/** Why Shopify took no discount; `detail` is in Shopify's words. */
export type DiscountRefusal = { ok: false; reason: 'code_taken' | 'refused'; detail: string }

const UserErrors = z.array(
  z.object({ field: z.array(z.string()).nullable(), message: z.string(), code: z.string().nullable() }),
)
const CreatedNode = z
  .object({
    id: z.string(),
    codeDiscount: z.object({ codes: z.object({ nodes: z.array(z.object({ id: z.string(), code: z.string() })) }) }),
  })
  .nullable()

const CREATE_BASIC = `#graphql
  mutation RewardDiscountCreate($discount: DiscountCodeBasicInput!) {
    created: discountCodeBasicCreate(basicCodeDiscount: $discount) {
      codeDiscountNode {
        id
        codeDiscount { ... on DiscountCodeBasic { codes(first: 1) { nodes { id code } } } }
      }
      userErrors { field message code }
    }
  }`

const CREATE_SHIPPING = `#graphql
  mutation RewardShippingCreate($discount: DiscountCodeFreeShippingInput!) {
    created: discountCodeFreeShippingCreate(freeShippingCodeDiscount: $discount) {
      codeDiscountNode {
        id
        codeDiscount { ... on DiscountCodeFreeShipping { codes(first: 1) { nodes { id code } } } }
      }
      userErrors { field message code }
    }
  }`

/**
 * Makes the parent discount of these terms with its first code. Returns the discount's gid and the redeem code's gid;
 * `code_taken` when the code exists already: then an earlier try got through, and `findCode` tells where.
 */
export async function createRewardDiscount(
  admin: AdminClient,
  terms: DiscountTerms,
  code: string,
  startsAt: number,
): Promise<{ ok: true; discountId: string; redeemCodeId: string | null } | DiscountRefusal> {
  const shipping = terms.gives.kind === 'shipping'
  const { created } = await admin.request(
    shipping ? CREATE_SHIPPING : CREATE_BASIC,
    { discount: discountInput(terms, code, startsAt) },
    z.object({ created: z.object({ codeDiscountNode: CreatedNode, userErrors: UserErrors }) }),
  )
  if (created.userErrors.length > 0) return refusal(created.userErrors)
  const node = created.codeDiscountNode
  if (!node) return { ok: false, reason: 'refused', detail: 'no discount and no reason in the answer' }
  return { ok: true, discountId: node.id, redeemCodeId: node.codeDiscount.codes.nodes[0]?.id ?? null }
}

function discountInput(terms: DiscountTerms, code: string, startsAt: number): Record<string, unknown> {
  const { order, product, shipping } = terms.combinesWith
  const common = {
    title: terms.title,
    code,
    startsAt: new Date(startsAt).toISOString(),
    usageLimit: 1,
    context: { all: 'ALL' },
    combinesWith: { orderDiscounts: order, productDiscounts: product, shippingDiscounts: shipping },
    ...(terms.minimumSubtotal === null
      ? {}
      : { minimumRequirement: { subtotal: { greaterThanOrEqualToSubtotal: terms.minimumSubtotal } } }),
  }
  if (terms.gives.kind === 'shipping') {
    // Shopify refuses a shipping discount that combines with others of its class.
    return { ...common, combinesWith: { orderDiscounts: order, productDiscounts: product }, destination: { all: true } }
  }
  return { ...common, customerGets: { items: discountItems(terms), value: discountValue(terms.gives) } }
}

function discountItems({ products, collections }: DiscountTerms): Record<string, unknown> {
  if (products.length > 0) return { products: { productsToAdd: products } }
  if (collections.length > 0) return { collections: { add: collections } }
  return { all: true }
}

function discountValue(gives: Exclude<DiscountTerms['gives'], { kind: 'shipping' }>): Record<string, unknown> {
  // Here a percentage is 0–1, in a Function it is 0–100. At most two decimals: exact enough as a number.
  if (gives.kind === 'percentage') return { percentage: Number(gives.percent) / 100 }
  return { discountAmount: { amount: gives.amount, appliesOnEachItem: false } }
}

const READ_STATUS = `#graphql
  query RewardDiscountStatus($id: ID!) {
    discountNode(id: $id) {
      discount {
        ... on DiscountCodeBasic { status }
        ... on DiscountCodeFreeShipping { status }
      }
    }
  }`

const ACTIVATE = `#graphql
  mutation RewardDiscountActivate($id: ID!) {
    discountCodeActivate(id: $id) { userErrors { field message code } }
  }`

/**
 * Makes sure that checkout takes the codes of this parent discount: one that the merchant has deactivated is activated again, as the program
 * is what says which rewards there are. False where it is gone from Shopify, and its codes with it.
 */
export async function keepDiscountLive(admin: AdminClient, discountId: string): Promise<boolean> {
  const { discountNode: node } = await admin.request(
    READ_STATUS,
    { id: discountId },
    z.object({ discountNode: z.object({ discount: z.object({ status: z.string().optional() }) }).nullable() }),
  )
  if (!node) return false
  if (node.discount.status === 'EXPIRED') {
    await admin.request(
      ACTIVATE,
      { id: discountId },
      z.object({ discountCodeActivate: z.object({ userErrors: UserErrors }) }),
    )
  }
  return true
}

const ADD_CODES = `#graphql
  mutation RedeemCodesAdd($discountId: ID!, $codes: [DiscountRedeemCodeInput!]!) {
    discountRedeemCodeBulkAdd(discountId: $discountId, codes: $codes) {
      bulkCreation { id done }
      userErrors { field message code }
    }
  }`

/** Asks Shopify to add up to 100 codes to a parent discount. Returns the gid of the bulk creation, to be read by `readCodeCreation`. */
export async function addCodes(
  admin: AdminClient,
  discountId: string,
  codes: string[],
): Promise<{ ok: true; creationId: string } | DiscountRefusal> {
  if (codes.length === 0 || codes.length > CODES_PER_CALL_MAX) {
    throw new Error(`addCodes got ${codes.length} codes: expected 1 to ${CODES_PER_CALL_MAX}`)
  }
  const { discountRedeemCodeBulkAdd: added } = await admin.request(
    ADD_CODES,
    { discountId, codes: codes.map((code) => ({ code })) },
    z.object({
      discountRedeemCodeBulkAdd: z.object({
        bulkCreation: z.object({ id: z.string() }).nullable(),
        userErrors: UserErrors,
      }),
    }),
  )
  if (added.userErrors.length > 0) return refusal(added.userErrors)
  if (!added.bulkCreation) return { ok: false, reason: 'refused', detail: 'no creation and no reason in the answer' }
  return { ok: true, creationId: added.bulkCreation.id }
}

const READ_CREATION = `#graphql
  query RedeemCodesCreation($id: ID!, $first: Int!) {
    discountRedeemCodeBulkCreation(id: $id) {
      done
      codes(first: $first) { nodes { code errors { field message code } discountRedeemCode { id } } }
    }
  }`

/** What became of the codes of one call of `addCodes`. */
export type CodeCreation = {
  done: boolean
  added: { code: string; redeemCodeId: string }[]
  /** Codes that exist already: an earlier try got through. */
  taken: string[]
  refused: { code: string; detail: string }[]
}

/**
 * Reads how far the adding of codes has come. `size` is how many codes were asked for: asking for more of them costs more of the
 * shop's bucket. Returns null if Shopify no longer knows the creation.
 */
export async function readCodeCreation(
  admin: AdminClient,
  creationId: string,
  size: number,
): Promise<CodeCreation | null> {
  const { discountRedeemCodeBulkCreation: creation } = await admin.request(
    READ_CREATION,
    { id: creationId, first: size },
    z.object({
      discountRedeemCodeBulkCreation: z
        .object({
          done: z.boolean(),
          codes: z.object({
            nodes: z.array(
              z.object({
                code: z.string(),
                errors: UserErrors,
                discountRedeemCode: z.object({ id: z.string() }).nullable(),
              }),
            ),
          }),
        })
        .nullable(),
    }),
  )
  if (!creation) return null
  const result: CodeCreation = { done: creation.done, added: [], taken: [], refused: [] }
  for (const { code, errors, discountRedeemCode } of creation.codes.nodes) {
    if (discountRedeemCode) result.added.push({ code, redeemCodeId: discountRedeemCode.id })
    else if (errors.some(isTaken)) result.taken.push(code)
    else if (errors.length > 0) result.refused.push({ code, detail: errors.map(({ message }) => message).join('; ') })
  }
  return result
}

const FIND_CODE = `#graphql
  query RedeemCodeFind($code: String!, $search: String!) {
    codeDiscountNodeByCode(code: $code) {
      id
      codeDiscount {
        ... on DiscountCodeBasic { codes(first: 3, query: $search) { nodes { id code asyncUsageCount } } }
        ... on DiscountCodeFreeShipping { codes(first: 3, query: $search) { nodes { id code asyncUsageCount } } }
      }
    }
  }`

/** Where a code is: its parent discount and its own gid, null if Shopify does not know it. `uses` lags behind (asyncUsageCount). */
export type FoundCode = { discountId: string; redeemCodeId: string | null; uses: number }

/** Looks a code up in Shopify. Codes are compared without regard to case, as Shopify does. */
export async function findCode(admin: AdminClient, code: string): Promise<FoundCode | null> {
  const Codes = z.object({
    nodes: z.array(z.object({ id: z.string(), code: z.string(), asyncUsageCount: z.number() })),
  })
  const { codeDiscountNodeByCode: node } = await admin.request(
    FIND_CODE,
    { code, search: `code:${code}` },
    z.object({
      codeDiscountNodeByCode: z
        .object({ id: z.string(), codeDiscount: z.object({ codes: Codes.optional() }) })
        .nullable(),
    }),
  )
  if (!node) return null
  const own = node.codeDiscount.codes?.nodes.find((each) => each.code.toUpperCase() === code.toUpperCase())
  return { discountId: node.id, redeemCodeId: own?.id ?? null, uses: own?.asyncUsageCount ?? 0 }
}

const DELETE_CODES = `#graphql
  mutation RedeemCodesDelete($discountId: ID!, $ids: [ID!]!) {
    discountCodeRedeemCodeBulkDelete(discountId: $discountId, ids: $ids) {
      job { id done }
      userErrors { field message code }
    }
  }`

/**
 * Asks Shopify to delete redeem codes of one parent discount (asynchronous). Whether they are gone, `findCode` says: a code is
 * gone once it is no longer found.
 */
export async function deleteCodes(
  admin: AdminClient,
  discountId: string,
  redeemCodeIds: string[],
): Promise<{ ok: true } | DiscountRefusal> {
  const { discountCodeRedeemCodeBulkDelete: deleted } = await admin.request(
    DELETE_CODES,
    { discountId, ids: redeemCodeIds },
    z.object({ discountCodeRedeemCodeBulkDelete: z.object({ userErrors: UserErrors }) }),
  )
  return deleted.userErrors.length > 0 ? refusal(deleted.userErrors) : { ok: true }
}

const ORDERS_WITH_CODE = `#graphql
  query OrdersWithCode($search: String!) {
    orders(first: 1, query: $search, sortKey: PROCESSED_AT, reverse: true) { nodes { id discountCodes } }
  }`

/**
 * The gid of the newest order that was placed with this code, null if there is none. This, not the usage counter (which lags),
 * decides whether a code was used: filter `discount_code` of the orders query, 2026-10.
 */
export async function findOrderWithCode(admin: AdminClient, code: string): Promise<string | null> {
  const { orders } = await admin.request(
    ORDERS_WITH_CODE,
    { search: `discount_code:${code}` },
    z.object({
      orders: z.object({ nodes: z.array(z.object({ id: z.string(), discountCodes: z.array(z.string()) })) }),
    }),
  )
  const used = orders.nodes.find((order) =>
    order.discountCodes.some((each) => each.toUpperCase() === code.toUpperCase()),
  )
  return used?.id ?? null
}

const DEAREST = `#graphql
  query DearestPrices($ids: [ID!]!) {
    nodes(ids: $ids) { ... on Product { id priceRangeV2 { maxVariantPrice { amount } } } }
  }`

/** What the dearest variant of each product costs now, decimal texts in the shop's currency; unknown products are left out. */
export async function readDearestPrices(admin: AdminClient, products: string[]): Promise<string[]> {
  const { nodes } = await admin.request(
    DEAREST,
    { ids: products },
    z.object({
      nodes: z.array(
        z
          .object({ priceRangeV2: z.object({ maxVariantPrice: z.object({ amount: z.string() }) }).optional() })
          .nullable(),
      ),
    }),
  )
  return nodes.flatMap((node) => (node?.priceRangeV2 ? [node.priceRangeV2.maxVariantPrice.amount] : []))
}

type UserError = z.infer<typeof UserErrors>[number]

/** Real shops answer TAKEN, in bulk creations also only the words "must be unique". */
function isTaken({ code, message }: UserError): boolean {
  return code === 'TAKEN' || code === 'DUPLICATE' || /must be unique|already (been taken|exists)/i.test(message)
}

function refusal(errors: UserError[]): DiscountRefusal {
  const detail = errors.map(({ field, message }) => `${field?.join('.') ?? ''} ${message}`.trim()).join('; ')
  return { ok: false, reason: errors.some(isTaken) ? 'code_taken' : 'refused', detail }
}

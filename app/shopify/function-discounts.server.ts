import { z } from 'zod'
import {
  CONFIGURATION_KEY,
  CONFIGURATION_NAMESPACE,
  DISCOUNT_FUNCTION_HANDLE,
  VARIABLES_KEY,
} from '#app/loyalty/discount-configuration.ts'
import type { FunctionDiscountClass } from '#app/loyalty/discount-configuration.ts'
import type { FunctionDiscount } from '#app/loyalty/function-discounts.ts'
import type { CombinesWith } from '#app/loyalty/program.ts'
import type { AdminClient } from './admin-api.server.ts'

/**
 * The automatic discounts that our Function gives: tier perks and campaigns. Which discount is whose is written in its own
 * configuration (`key`), so that nothing has to be remembered here and a crash after Shopify's yes loses nothing.
 *
 * Source: Admin API 2026-10, discountNodes, discountAutomaticAppCreate, discountAutomaticAppUpdate, discountAutomaticDeactivate,
 * discountAutomaticDelete. A Function's discount is made with `functionHandle`; `$app` metafields come in the same call.
 */

/** One of our discounts as Shopify has it. Instants are epoch milliseconds. */
export type FoundDiscount = {
  id: string
  /** `tiers` or `campaign:<id>`; null where the configuration cannot be read. */
  key: string | null
  title: string
  startsAt: number
  endsAt: number | null
  discountClasses: FunctionDiscountClass[]
  combinesWith: CombinesWith
  configuration: string | null
  variables: string | null
}

const LIST = `#graphql
  query FunctionDiscounts($after: String, $configuration: String!, $variables: String!) {
    discountNodes(first: 50, after: $after, query: "method:automatic type:app") {
      nodes {
        id
        discount {
          __typename
          ... on DiscountAutomaticApp {
            title startsAt endsAt discountClasses
            combinesWith { orderDiscounts productDiscounts shippingDiscounts }
          }
        }
        configuration: metafield(key: $configuration) { value }
        variables: metafield(key: $variables) { value }
      }
      pageInfo { hasNextPage endCursor }
    }
  }`

const Metafield = z.object({ value: z.string() }).nullable()
const ListReply = z.object({
  discountNodes: z.object({
    nodes: z.array(
      z.object({
        id: z.string(),
        discount: z.object({
          __typename: z.string(),
          title: z.string().optional(),
          startsAt: z.string().optional(),
          endsAt: z.string().nullish(),
          discountClasses: z.array(z.enum(['ORDER', 'PRODUCT', 'SHIPPING'])).optional(),
          combinesWith: z
            .object({ orderDiscounts: z.boolean(), productDiscounts: z.boolean(), shippingDiscounts: z.boolean() })
            .optional(),
        }),
        configuration: Metafield,
        variables: Metafield,
      }),
    ),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
})

type Page = z.infer<typeof ListReply>['discountNodes']

/** Our automatic discounts, oldest first; those of other apps have no configuration of ours and are left out. */
export async function listFunctionDiscounts(admin: AdminClient): Promise<FoundDiscount[]> {
  const found: FoundDiscount[] = []
  let after: string | null = null
  do {
    const page: Page = await readPage(admin, after)
    for (const { id, discount, configuration, variables: collections } of page.nodes) {
      if (discount.__typename !== 'DiscountAutomaticApp' || configuration === null) continue
      const { combinesWith: combines } = discount
      found.push({
        id,
        key: readKey(configuration.value),
        title: discount.title ?? '',
        startsAt: Date.parse(discount.startsAt ?? ''),
        endsAt: discount.endsAt ? Date.parse(discount.endsAt) : null,
        discountClasses: discount.discountClasses ?? [],
        combinesWith: {
          order: combines?.orderDiscounts ?? false,
          product: combines?.productDiscounts ?? false,
          shipping: combines?.shippingDiscounts ?? false,
        },
        configuration: configuration.value,
        variables: collections?.value ?? null,
      })
    }
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  } while (after !== null)
  return found
}

async function readPage(admin: AdminClient, after: string | null): Promise<Page> {
  const variables = { after, configuration: CONFIGURATION_KEY, variables: VARIABLES_KEY }
  return (await admin.request(LIST, variables, ListReply)).discountNodes
}

function readKey(configuration: string): string | null {
  try {
    const { key } = JSON.parse(configuration) as { key?: unknown }
    return typeof key === 'string' ? key : null
  } catch {
    return null
  }
}

const UserErrors = z.array(z.object({ message: z.string() }))
const Written = z
  .object({ automaticAppDiscount: z.object({ discountId: z.string() }).nullable(), userErrors: UserErrors })
  .nullable()

const CREATE = `#graphql
  mutation FunctionDiscountCreate($discount: DiscountAutomaticAppInput!) {
    written: discountAutomaticAppCreate(automaticAppDiscount: $discount) {
      automaticAppDiscount { discountId }
      userErrors { field message code }
    }
  }`

const UPDATE = `#graphql
  mutation FunctionDiscountUpdate($id: ID!, $discount: DiscountAutomaticAppInput!) {
    written: discountAutomaticAppUpdate(id: $id, automaticAppDiscount: $discount) {
      automaticAppDiscount { discountId }
      userErrors { field message code }
    }
  }`

/** The discount's gid, or Shopify's refusal in its words. */
export type DiscountWritten = { ok: true; discountId: string } | { ok: false; reason: 'refused'; detail: string }

/** Makes the discount, from `startsAt` or, without one, from `at`. Shopify's refusals come back in its words. */
export function createFunctionDiscount(
  admin: AdminClient,
  discount: FunctionDiscount,
  at: number,
): Promise<DiscountWritten> {
  const startsAt = discount.startsAt ?? at
  const input = { ...inputOf(discount), functionHandle: DISCOUNT_FUNCTION_HANDLE, startsAt: toText(startsAt) }
  return write(admin, CREATE, { discount: input })
}

/** Brings a discount to what it must be. Without a `startsAt` of its own it keeps the one it has. */
export function updateFunctionDiscount(
  admin: AdminClient,
  id: string,
  discount: FunctionDiscount,
): Promise<DiscountWritten> {
  const startsAt = discount.startsAt === null ? {} : { startsAt: toText(discount.startsAt) }
  return write(admin, UPDATE, { id, discount: { ...inputOf(discount), ...startsAt } })
}

function inputOf({ documents, title, endsAt, combinesWith }: FunctionDiscount) {
  const metafield = (key: string, value: string) => ({ namespace: CONFIGURATION_NAMESPACE, key, type: 'json', value })
  return {
    title,
    endsAt: endsAt === null ? null : toText(endsAt),
    discountClasses: documents.discountClasses,
    combinesWith: {
      orderDiscounts: combinesWith.order,
      productDiscounts: combinesWith.product,
      shippingDiscounts: combinesWith.shipping,
    },
    metafields: [metafield(CONFIGURATION_KEY, documents.configuration), metafield(VARIABLES_KEY, documents.variables)],
  }
}

async function write(
  admin: AdminClient,
  document: string,
  variables: Record<string, unknown>,
): Promise<DiscountWritten> {
  const { written } = await admin.request(document, variables, z.object({ written: Written }))
  const errors = written?.userErrors ?? []
  if (errors.length > 0 || !written?.automaticAppDiscount) {
    return { ok: false, reason: 'refused', detail: errors.map(({ message }) => message).join('; ') || 'no discount' }
  }
  return { ok: true, discountId: written.automaticAppDiscount.discountId }
}

const DEACTIVATE = `#graphql
  mutation FunctionDiscountStop($id: ID!) {
    stopped: discountAutomaticDeactivate(id: $id) { userErrors { field message code } }
  }`

const DELETE = `#graphql
  mutation FunctionDiscountDelete($id: ID!) {
    deleted: discountAutomaticDelete(id: $id) { userErrors { field message code } }
  }`

/** Ends a discount now; it stays in the merchant's list with its history. */
export async function stopFunctionDiscount(admin: AdminClient, id: string): Promise<void> {
  await admin.request(DEACTIVATE, { id }, z.object({ stopped: z.object({ userErrors: UserErrors }) }))
}

/** Takes away a discount that is there twice, after a crash between Shopify's yes and our hearing it. */
export async function deleteFunctionDiscount(admin: AdminClient, id: string): Promise<void> {
  await admin.request(DELETE, { id }, z.object({ deleted: z.object({ userErrors: UserErrors }) }))
}

function toText(at: number): string {
  return new Date(at).toISOString()
}

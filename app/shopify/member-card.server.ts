import { z } from 'zod'
import {
  MEMBER_CARD_KEY,
  MemberCardSchema,
  PROGRAM_CARD_KEY,
  PROGRAM_CARD_NAMESPACE,
  ProgramCardSchema,
} from '#app/loyalty/member-card.ts'
import type { MemberCard, ProgramCard } from '#app/loyalty/member-card.ts'
import type { AdminClient } from './admin-api.server.ts'

/**
 * The member card as Shopify keeps it. Contract (`app/loyalty/member-card.ts` has the schema):
 * - owner: the customer; namespace: left out, which is the app's reserved one (`$app`); key `member_card`; type `json`.
 *   Declared in shopify.app.toml: the merchant may read it, the storefront API may not, the customer's account may.
 * - Liquid, in the app's own blocks: `customer.metafields["$app"].member_card.value`.
 * - Function: `cart.buyerIdentity.customer.metafield(key: "member_card")`.
 * - written whole, newest state wins; erased when the member is.
 * And the program card: owner: the app installation (app-data, which no theme or merchant can change); `loyalty` / `program`;
 * Liquid: `app.metafields.loyalty.program.value`.
 */

/** Metafields Shopify sets in one call (Admin API 2026-10, metafieldsSet). */
export const CARDS_PER_CALL_MAX = 25

const SET_METAFIELDS = `#graphql
  mutation CardsWrite($metafields: [MetafieldsSetInput!]!) {
    metafieldsSet(metafields: $metafields) {
      userErrors { field message code elementIndex }
    }
  }`

const SetReply = z.object({
  metafieldsSet: z.object({
    userErrors: z.array(
      z.object({ message: z.string(), code: z.string().nullable(), elementIndex: z.number().nullable() }),
    ),
  }),
})

/** A card and whose it is. */
export type CardToWrite = { customer: string; card: MemberCard }

/**
 * Writes up to 25 member cards, all or none. Returns the places (in the list given) that Shopify refuses, with its words: usually
 * a customer who no longer exists. Nothing was written then; leave those out and call again.
 */
export async function writeMemberCards(
  admin: AdminClient,
  cards: CardToWrite[],
): Promise<{ ok: true } | { ok: false; refused: { index: number | null; detail: string }[] }> {
  if (cards.length === 0 || cards.length > CARDS_PER_CALL_MAX) {
    throw new Error(`writeMemberCards got ${cards.length} cards: expected 1 to ${CARDS_PER_CALL_MAX}`)
  }
  const metafields = cards.map(({ customer, card }) => ({
    ownerId: customer,
    key: MEMBER_CARD_KEY,
    type: 'json',
    value: JSON.stringify(MemberCardSchema.parse(card)),
  }))
  const { metafieldsSet } = await admin.request(SET_METAFIELDS, { metafields }, SetReply)
  if (metafieldsSet.userErrors.length === 0) return { ok: true }
  return {
    ok: false,
    refused: metafieldsSet.userErrors.map(({ elementIndex, message }) => ({ index: elementIndex, detail: message })),
  }
}

const INSTALLATION = `#graphql
  query InstallationId { currentAppInstallation { id } }`

/** Writes the program card of a shop. Throws if Shopify refuses it: the document is ours, so that would be a fault of ours. */
export async function writeProgramCard(admin: AdminClient, card: ProgramCard): Promise<void> {
  const { currentAppInstallation } = await admin.request(
    INSTALLATION,
    {},
    z.object({ currentAppInstallation: z.object({ id: z.string() }) }),
  )
  const metafields = [
    {
      ownerId: currentAppInstallation.id,
      namespace: PROGRAM_CARD_NAMESPACE,
      key: PROGRAM_CARD_KEY,
      type: 'json',
      value: JSON.stringify(ProgramCardSchema.parse(card)),
    },
  ]
  const { metafieldsSet } = await admin.request(SET_METAFIELDS, { metafields }, SetReply)
  if (metafieldsSet.userErrors.length > 0) {
    throw new Error(`Shopify refuses the program card: ${metafieldsSet.userErrors.map((e) => e.message).join('; ')}`)
  }
}

const DELETE_METAFIELDS = `#graphql
  mutation CardDelete($metafields: [MetafieldIdentifierInput!]!) {
    metafieldsDelete(metafields: $metafields) { userErrors { field message } }
  }`

/** Deletes the card of a customer who is no longer a member or was erased. Deleting what is not there is fine. */
export async function deleteMemberCard(admin: AdminClient, customer: string): Promise<void> {
  await admin.request(
    DELETE_METAFIELDS,
    { metafields: [{ ownerId: customer, namespace: '$app', key: MEMBER_CARD_KEY }] },
    z.object({ metafieldsDelete: z.object({ userErrors: z.array(z.object({ message: z.string() })) }).nullable() }),
  )
}

const ADD_TAG = `#graphql
  mutation TierTagAdd($id: ID!, $tags: [String!]!) {
    change: tagsAdd(id: $id, tags: $tags) { userErrors { field message } }
  }`
const REMOVE_TAGS = `#graphql
  mutation TierTagsRemove($id: ID!, $tags: [String!]!) {
    change: tagsRemove(id: $id, tags: $tags) { userErrors { field message } }
  }`

/** The customer tag of a tier, for segments, e-mail and Flow: `loyalty-tier-gold`. */
export function tierTag(tierId: string): string {
  return `loyalty-tier-${tierId}`
}

/**
 * Gives the customer the tag of the tier they are in and takes those of the other tiers away. Both calls may be repeated.
 * Returns false if Shopify does not know the customer any more.
 */
export async function tagTier(
  admin: AdminClient,
  customer: string,
  tier: string | null,
  otherTiers: string[],
): Promise<boolean> {
  const Reply = z.object({ change: z.object({ userErrors: z.array(z.object({ message: z.string() })) }) })
  if (otherTiers.length > 0) {
    const removal = { id: customer, tags: otherTiers.map(tierTag) }
    const { change } = await admin.request(REMOVE_TAGS, removal, Reply)
    if (change.userErrors.length > 0) return false
  }
  if (tier !== null) {
    const { change } = await admin.request(ADD_TAG, { id: customer, tags: [tierTag(tier)] }, Reply)
    if (change.userErrors.length > 0) return false
  }
  return true
}

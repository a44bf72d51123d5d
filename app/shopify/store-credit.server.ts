import { z } from 'zod'
import type { AdminClient } from './admin-api.server.ts'

/**
 * Rewards that are money of the shop itself: store credit and gift cards. Both need optional scopes that are asked for when first
 * used: `write_gift_cards`; `write_store_credit_account_transactions` to give credit, and `read_store_credit_accounts` to see whether
 * it was given where the answer was lost (shopify.dev, HasStoreCreditAccounts).
 */

/** Money as Shopify writes it: a decimal text and an ISO 4217 code. */
export type Money = { amount: string; currency: string }

/** Why a reward of this kind was refused for good. */
export type CreditRefusal = { ok: false; reason: 'refused' | 'taken'; detail: string }

const UserErrors = z.array(z.object({ message: z.string(), code: z.string().nullable() }))

const CREDIT = `#graphql
  mutation StoreCreditGive($id: ID!, $credit: StoreCreditAccountCreditInput!) {
    storeCreditAccountCredit(id: $id, creditInput: $credit) {
      storeCreditAccountTransaction { id }
      userErrors { field message code }
    }
  }`

/**
 * Gives store credit to a customer. Shopify has no key that makes this happen only once (`@idempotent` does not cover it), so it is never
 * repeated blindly: after an AdminApiError that `mayHaveHappened`, `listCredits` says whether it did.
 */
export async function giveStoreCredit(
  admin: AdminClient,
  customer: string,
  money: Money,
): Promise<{ ok: true; transactionId: string } | CreditRefusal> {
  const { storeCreditAccountCredit: given } = await admin.request(
    CREDIT,
    { id: customer, credit: { creditAmount: { amount: money.amount, currencyCode: money.currency }, notify: false } },
    z.object({
      storeCreditAccountCredit: z.object({
        storeCreditAccountTransaction: z.object({ id: z.string() }).nullable(),
        userErrors: UserErrors,
      }),
    }),
    { once: true },
  )
  const transaction = given.storeCreditAccountTransaction
  if (transaction) return { ok: true, transactionId: transaction.id }
  return { ok: false, reason: 'refused', detail: given.userErrors.map(({ message }) => message).join('; ') }
}

const CREDITS = `#graphql
  query StoreCredits($id: ID!) {
    customer(id: $id) {
      storeCreditAccounts(first: 10) {
        nodes {
          transactions(first: 50, reverse: true) {
            nodes {
              createdAt
              amount { amount currencyCode }
              ... on StoreCreditAccountCreditTransaction { id }
            }
          }
        }
      }
    }
  }`

/** One credit of a customer's account. `createdAt` in epoch milliseconds. */
export type Credit = { id: string; createdAt: number; amount: string; currency: string }

/**
 * The customer's newest credits, to find out whether one that got no answer was given. Null where Shopify has no such customer (any
 * more): who was merged away has left their credit to somebody else.
 */
export async function listCredits(admin: AdminClient, customer: string): Promise<Credit[] | null> {
  const Transaction = z.object({
    id: z.string().optional(),
    createdAt: z.string(),
    amount: z.object({ amount: z.string(), currencyCode: z.string() }),
  })
  const reply = await admin.request(
    CREDITS,
    { id: customer },
    z.object({
      customer: z
        .object({
          storeCreditAccounts: z.object({
            nodes: z.array(z.object({ transactions: z.object({ nodes: z.array(Transaction) }) })),
          }),
        })
        .nullable(),
    }),
  )
  if (reply.customer === null) return null
  return reply.customer.storeCreditAccounts.nodes.flatMap(({ transactions }) =>
    transactions.nodes.flatMap(({ id, createdAt, amount }) =>
      id ? [{ id, createdAt: Date.parse(createdAt), amount: amount.amount, currency: amount.currencyCode }] : [],
    ),
  )
}

const GIFT_CARD = `#graphql
  mutation GiftCardGive($input: GiftCardCreateInput!) {
    giftCardCreate(input: $input) {
      giftCard { id }
      userErrors { field message code }
    }
  }`

/**
 * Makes a gift card with a code of our own (8–20 letters and digits). `taken` means that it exists: an earlier try got through.
 * The code is unguessable, so that nobody else can have made it.
 */
export async function giveGiftCard(
  admin: AdminClient,
  customer: string,
  money: Money,
  code: string,
): Promise<{ ok: true; giftCardId: string } | CreditRefusal> {
  const input = { initialAmount: { amount: money.amount, currencyCode: money.currency }, code, customerId: customer }
  const { giftCardCreate: made } = await admin.request(
    GIFT_CARD,
    { input },
    z.object({
      giftCardCreate: z.object({ giftCard: z.object({ id: z.string() }).nullable(), userErrors: UserErrors }),
    }),
  )
  if (made.giftCard) return { ok: true, giftCardId: made.giftCard.id }
  // Real shops give no code for it, only the words.
  const taken = made.userErrors.some(({ code: why, message }) => why === 'TAKEN' || /already been taken/i.test(message))
  return {
    ok: false,
    reason: taken ? 'taken' : 'refused',
    detail: made.userErrors.map(({ message }) => message).join('; '),
  }
}

/** Store credit and gift cards given by the app (Admin API 2026-10). */
import { randomBytes } from 'node:crypto'
import { moveStoreCredit } from '../orders.ts'
import { parseDecimal } from '../money.ts'
import type { GiftCard, Gid, StoreCreditAccount } from '../records.ts'
import {
  connection,
  connectionFields,
  dateTime,
  fieldsOf,
  money,
  notImitated,
  properties,
  typeOfGid,
  type Context,
  type Field,
  type Fields,
} from './context.ts'
import { creditView } from './customer-fields.ts'
import { findNode, findOf } from './node.ts'

type CreditInput = {
  creditAmount: { amount: string; currencyCode: string }
  expiresAt?: string | null
  notify?: boolean | null
}

/** Shopify's ceiling for one account; the exact figure depends on the shop's country (SDL: CREDIT_LIMIT_EXCEEDED). */
const CREDIT_MAX_MINOR = 10_000_000

function credit(context: Context, id: Gid, input: CreditInput) {
  const refuse = (field: string[], message: string, code: string) => ({
    storeCreditAccountTransaction: null,
    userErrors: [{ field, message, code }],
  })
  const { store, domain } = context
  const type = typeOfGid(id)
  const account = type === 'StoreCreditAccount' ? (findNode(context, id) as StoreCreditAccount | null) : null
  if (type === 'StoreCreditAccount' && !account)
    return refuse(['id'], 'Store credit account does not exist', 'ACCOUNT_NOT_FOUND')
  const ownerId = account?.ownerId ?? (type === 'Customer' && findNode(context, id) ? id : null)
  if (ownerId === null) return refuse(['id'], 'Owner does not exist', 'OWNER_NOT_FOUND')
  const { amount, currencyCode } = input.creditAmount
  const ofAmount = ['creditInput', 'creditAmount', 'amount']
  const minor = parseDecimal(amount, currencyCode)
  if (minor === null || minor <= 0)
    return refuse(
      ofAmount,
      'A positive amount must be used to credit a store credit account',
      'NEGATIVE_OR_ZERO_AMOUNT',
    )
  if (account && account.currency !== currencyCode) {
    const message = 'The currency provided does not match the currency of the store credit account'
    return refuse(['creditInput', 'creditAmount', 'currencyCode'], message, 'MISMATCHING_CURRENCY')
  }
  if (input.expiresAt && Date.parse(input.expiresAt) <= store.now()) {
    return refuse(['creditInput', 'expiresAt'], 'The expiry date must be in the future', 'EXPIRES_AT_IN_PAST')
  }
  const balance = store.storeCreditOf(domain, ownerId).find((row) => row.currency === currencyCode)?.balanceMinor ?? 0
  if (balance + minor > CREDIT_MAX_MINOR)
    return refuse(ofAmount, 'The operation would cause the account to exceed the credit limit', 'CREDIT_LIMIT_EXCEEDED')
  const expiresAt = input.expiresAt ? Date.parse(input.expiresAt) : null
  const moved = store.tables.write(() =>
    moveStoreCredit(store.tables, domain, ownerId, minor, 'ADJUSTMENT', { currency: currencyCode, expiresAt }),
  )
  return { storeCreditAccountTransaction: creditView(moved.transaction, moved.account), userErrors: [] }
}

type GiftInput = {
  initialAmount?: { amount: string; currencyCode: string } | null
  initialValue?: string | null
  code?: string | null
  customerId?: Gid | null
  note?: string | null
  templateSuffix?: string | null
  expiresOn?: string | null
  recipientAttributes?: { id: Gid } | null
}

/** Recorded of a Canadian shop; shops have limits of their own. */
const GIFT_CARD_MAX = 3_000

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'

function giveCard(context: Context, input: GiftInput) {
  const { store, domain } = context
  const { currency } = store.shop(domain)
  const problem = giftProblem(context, input, currency)
  if (problem) return { giftCard: null, giftCardCode: null, userErrors: [problem] }
  if (input.recipientAttributes) throw notImitated('giftCardCreate with recipientAttributes')
  const code = input.code ? input.code.toLowerCase().replace(/[\s-]/g, '') : randomCode()
  const initialMinor = parseDecimal(input.initialAmount?.amount ?? input.initialValue!, currency)!
  const card: GiftCard = {
    id: store.tables.newId('GiftCard'),
    shop: domain,
    code,
    initialMinor,
    balanceMinor: initialMinor,
    customerId: input.customerId ?? null,
    note: input.note ?? null,
    templateSuffix: input.templateSuffix ?? null,
    expiresOn: input.expiresOn ?? null,
    enabled: true,
    createdAt: store.now(),
  }
  store.tables.put('giftCards', card.id, card)
  return { giftCard: card, giftCardCode: code, userErrors: [] }
}

function giftProblem(context: Context, input: GiftInput, currency: string) {
  const refuse = (field: string, message: string, code: string | null) => ({ field: ['input', field], message, code })
  const amount = input.initialAmount?.amount ?? input.initialValue
  const name = input.initialAmount ? 'initialAmount' : 'initialValue'
  if (amount == null) return refuse('initialValue', "can't be blank", 'MISSING_ARGUMENT')
  if (input.initialAmount && input.initialAmount.currencyCode !== currency) {
    return refuse('initialAmount', `The currency must be ${currency}`, 'INVALID')
  }
  if (!(Number(amount) > 0)) return refuse(name, 'must be greater than 0', 'GREATER_THAN')
  if (Number(amount) > GIFT_CARD_MAX) {
    const limit = new Intl.NumberFormat('en-CA', {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
    }).format(GIFT_CARD_MAX)
    return refuse('initialValue', `can't exceed ${limit} ${currency}`, 'GIFT_CARD_LIMIT_EXCEEDED')
  }
  if (input.customerId && !findNode(context, input.customerId)) {
    return refuse('customerId', 'The customer could not be found.', 'CUSTOMER_NOT_FOUND')
  }
  if (input.code != null) {
    const code = input.code.replace(/[\s-]/g, '')
    if (code.length < 8) return refuse('code', 'Code must be at least 8 characters long', 'TOO_SHORT')
    if (code.length > 20) return refuse('code', 'Code must be at most 20 characters long', 'TOO_LONG')
    if (!/^[a-z0-9]+$/i.test(code))
      return refuse('code', 'Code can only contain letters(a-z) and numbers(0-9)', 'INVALID')
    if (context.store.giftCardByCode(context.domain, code)) return refuse('code', 'Code has already been taken', null)
  }
  return null
}

function randomCode(): string {
  return [...randomBytes(16)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
}

export const giftRoots = fieldsOf<null>('QueryRoot', {
  giftCard: (_root, args, context) => findOf(context, args.id as Gid, 'GiftCard'),
  giftCards: (_root, args, { store, domain }) => {
    if (args.query) throw notImitated('searching gift cards')
    return connection(store.tables.list('giftCards', domain), args)
  },
})

export const moneyMutations = fieldsOf<null>('Mutation', {
  storeCreditAccountCredit: (_root, args, context) => credit(context, args.id as Gid, args.creditInput as CreditInput),
  giftCardCreate: (_root, args, context) => giveCard(context, args.input as GiftInput),
})

export const moneyFields: Fields = {
  ...fieldsOf('StoreCreditAccountCreditPayload', properties('storeCreditAccountTransaction', 'userErrors')),
  ...fieldsOf('StoreCreditAccountCreditUserError', properties('field', 'message', 'code')),
  ...fieldsOf('GiftCardCreatePayload', properties('giftCard', 'giftCardCode', 'userErrors')),
  ...fieldsOf('GiftCardUserError', properties('field', 'message', 'code')),
  ...fieldsOf<GiftCard>('GiftCard', {
    ...(properties('id', 'note', 'expiresOn', 'enabled', 'templateSuffix') as Record<string, Field<GiftCard>>),
    balance: (row, _args, { store, domain }) => money(row.balanceMinor, store.shop(domain).currency),
    initialValue: (row, _args, { store, domain }) => money(row.initialMinor, store.shop(domain).currency),
    lastCharacters: (row) => row.code.slice(-4),
    maskedCode: (row) => `•••• •••• •••• ${row.code.slice(-4)}`,
    customer: (row, _args, context) => (row.customerId ? findNode(context, row.customerId) : null),
    createdAt: (row) => dateTime(row.createdAt),
    updatedAt: (row) => dateTime(row.createdAt),
    deactivatedAt: () => null,
  }),
  ...connectionFields('GiftCard'),
}

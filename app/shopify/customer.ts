/** Shopify's customers, as far as the rules know them: who it is and whether they have an account. Webhook API 2026-10. */
import {
  type Fields,
  type Parsed,
  findText,
  readInner,
  readObject,
  readParsed,
  requireGid,
  requireText,
} from './payload.ts'
import { UnreadableField, mustBe } from './payload.ts'
import { OWN_ID, type ReadFields, whole } from './read-fields.ts'
import { isGid } from '#app/loyalty/ids.ts'

/** `state` is Shopify's word, "enabled" for a customer with an account; null where the payload does not say. */
export type CustomerNews = { readonly customer: string; readonly state: string | null }

/** `into` survives; null where Shopify says that the merge failed, so that nothing has happened. */
export type CustomerMerge = { readonly from: string; readonly into: string } | null

/** What {@link readCustomer} reads. */
export const CUSTOMER_FIELDS: ReadFields = { ...OWN_ID, state: whole }

/** What {@link parseCustomerMerge} reads. */
export const MERGE_FIELDS: ReadFields = {
  admin_graphql_api_customer_kept_id: whole,
  admin_graphql_api_customer_deleted_id: whole,
  status: whole,
}

/** What {@link parseCustomerRedact} reads, and the address under which files of other apps may hold somebody. */
export const REDACT_FIELDS: ReadFields = { customer: { ...OWN_ID, email: whole } }

/** Reads `customers/create`, `customers/update`, `customers/enable` and `customers/disable`. */
export function parseCustomer(payload: unknown): Parsed<CustomerNews> {
  return readParsed(() => readCustomer(readObject(payload, '')))
}

/** Reads the customer inside an order's payload. */
export function readCustomer(fields: Fields): CustomerNews {
  return { customer: requireGid(fields, 'Customer'), state: findText(fields, 'state') }
}

/** Reads `customers/merge`. */
export function parseCustomerMerge(payload: unknown): Parsed<CustomerMerge> {
  return readParsed(() => {
    const fields = readObject(payload, '')
    const into = requireCustomerGid(fields, 'admin_graphql_api_customer_kept_id')
    const from = requireCustomerGid(fields, 'admin_graphql_api_customer_deleted_id')
    return findText(fields, 'status') === 'failed' ? null : { from, into }
  })
}

/** Reads `customers/redact`: the gid of the customer whose personal data must go. */
export function parseCustomerRedact(payload: unknown): Parsed<string> {
  return readParsed(() => {
    const customer = readInner(readObject(payload, ''), 'customer', (inner) => requireGid(inner, 'Customer'))
    if (customer === null) throw new UnreadableField('customer', 'is missing')
    return customer
  })
}

function requireCustomerGid(fields: Fields, name: string): string {
  const gid = requireText(fields, name)
  if (isGid(gid, 'Customer')) return gid
  throw new UnreadableField(name, mustBe('an id like "gid://shopify/Customer/1"', gid))
}

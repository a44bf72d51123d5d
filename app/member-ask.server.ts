import { MEMBER_SORTS, type MemberListAsk } from '#app/db/member-list.server.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { searchCustomers } from '#app/shopify/customers.server.ts'

const SEARCH_LENGTH_MAX = 100

/**
 * Which members an address asks for (`q`, `tier`, `sort`, `cursor`): the list and the file of it ask alike. Names are not kept here, so a
 * search is answered by Shopify; `searchFailed` where it could not be asked and nothing else was meant.
 */
export async function askMembers(
  admin: AdminClient,
  params: URLSearchParams,
): Promise<{ ask: Omit<MemberListAsk, 'size'>; searchFailed: boolean }> {
  const text = params.get('q')?.trim().slice(0, SEARCH_LENGTH_MAX) ?? ''
  const found = await search(admin, text)
  const ask = {
    tier: params.get('tier') || undefined,
    cursor: params.get('cursor') ?? undefined,
    sort: MEMBER_SORTS.find((one) => one === params.get('sort')) ?? ('joined' as const),
    customers: found === 'failed' ? [] : found,
  }
  return { ask, searchFailed: found === 'failed' }
}

/** Customers (gids) that the text may mean: Shopify's answer, and the customer with that number. Undefined where nothing was asked. */
async function search(admin: AdminClient, text: string) {
  if (text === '') return undefined
  const byNumber = /^\d{1,18}$/.test(text) ? [toGid('Customer', text)] : []
  try {
    return [...byNumber, ...(await searchCustomers(admin, text)).map((one) => one.customer)]
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return byNumber.length > 0 ? byNumber : ('failed' as const)
  }
}

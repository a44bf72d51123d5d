import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData, useSearchParams } from '@remix-run/react'
import { Banner, BlockStack, Page } from '@shopify/polaris'

import { listMembers, MEMBER_SORTS, type MemberSort } from '#app/db/member-list.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { namesOrNone, searchCustomers } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { MemberFilters } from '#app/ui/member-filters.tsx'
import { MembersTable } from '#app/ui/members-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Members · Perennial' }]

const PAGE_SIZE = 25
const SEARCH_LENGTH_MAX = 100
const NO_NAMES: Record<string, string> = {}

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const ask = readAsk(new URL(request.url).searchParams)
  const [published, found] = await Promise.all([findPublishedProgram(shop.id), search(admin, ask.text)])
  const customers = found === 'failed' ? [] : found?.map((one) => one.customer)
  const page = await listMembers(shop.id, { ...ask, customers, size: PAGE_SIZE })
  return {
    page,
    searchFailed: found === 'failed',
    // Streamed behind the page, which is not held up by it.
    names: namesOrNone(
      admin,
      page.rows.map((row) => row.customer),
    ),
    tiers: published?.document.tiers?.levels.map(({ id, name }) => ({ id, name })) ?? [],
    pointsName: published?.document.pointsName ?? { one: 'point', other: 'points' },
    timezone: shop.timezone,
  }
}

export default function Members() {
  const { page, searchFailed, tiers, pointsName, timezone, ...streamed } = useLoaderData<typeof loader>()
  const names = useResolved(streamed.names, NO_NAMES)
  const [params] = useSearchParams()
  const filtered = params.has('q') || params.has('tier')
  const empty = page.rows.length === 0
  return (
    <Page
      title="Members"
      subtitle="Everyone who collects points in your store"
      secondaryActions={[{ content: 'Bring members over', url: '/app/imports' }]}
    >
      <BlockStack gap="400">
        {searchFailed && (
          <Banner tone="warning" title="Shopify could not be asked for names just now">
            <p>Search by customer number, or try again in a moment.</p>
          </Banner>
        )}
        {(!empty || filtered) && <MemberFilters tiers={tiers} />}
        {empty && filtered && !searchFailed && (
          <NothingYet heading="No member fits">Try another spelling, the e-mail address, or another tier.</NothingYet>
        )}
        {empty && !filtered && (
          <NothingYet heading="No members yet">
            Customers become members with their first order, or when they sign up. They appear here by themselves.
          </NothingYet>
        )}
        {!empty && <MembersTable page={page} names={names} tiers={tiers} pointsName={pointsName} timezone={timezone} />}
      </BlockStack>
    </Page>
  )
}

function readAsk(params: URLSearchParams) {
  const sort = params.get('sort')
  return {
    text: params.get('q')?.trim().slice(0, SEARCH_LENGTH_MAX) ?? '',
    tier: params.get('tier') || undefined,
    cursor: params.get('cursor') ?? undefined,
    sort: MEMBER_SORTS.includes(sort as MemberSort) ? (sort as MemberSort) : ('joined' as const),
  }
}

/** Customers that the text may mean: Shopify's answer, and the customer with that number. Undefined where nothing was asked. */
async function search(admin: AdminClient, text: string) {
  if (text === '') return undefined
  const byNumber = /^\d{1,18}$/.test(text) ? [{ customer: toGid('Customer', text) }] : []
  try {
    return [...byNumber, ...(await searchCustomers(admin, text))]
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return byNumber.length > 0 ? byNumber : ('failed' as const)
  }
}

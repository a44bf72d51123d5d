import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData, useSearchParams } from '@remix-run/react'
import { Banner, BlockStack, InlineStack, Page, Text } from '@shopify/polaris'

import { listMembers } from '#app/db/member-list.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { askMembers } from '#app/member-ask.server.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { ExportList } from '#app/ui/export-csv.tsx'
import { keepMemberAsk, MemberFilters } from '#app/ui/member-filters.tsx'
import { MembersTable } from '#app/ui/members-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { Inset } from '#app/ui/retention-page.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Members · Perennial' }]

const PAGE_SIZE = 25
const NO_NAMES: Record<string, string> = {}

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const params = new URL(request.url).searchParams
  const [published, { ask, searchFailed }] = await Promise.all([
    findPublishedProgram(shop.id),
    askMembers(admin, params),
  ])
  const page = await listMembers(shop.id, { ...ask, size: PAGE_SIZE })
  return {
    page,
    searchFailed,
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
        {!empty && (
          <Inset>
            <InlineStack align="space-between" blockAlign="center" gap="200">
              <Text as="p" tone="subdued">
                The file has everyone in this list by customer number, not by name: names stay in Shopify.
              </Text>
              <ExportList name="members.csv" path={`/app/members/export?${keepMemberAsk(params).toString()}`} />
            </InlineStack>
          </Inset>
        )}
        {!empty && <MembersTable page={page} names={names} tiers={tiers} pointsName={pointsName} timezone={timezone} />}
      </BlockStack>
    </Page>
  )
}

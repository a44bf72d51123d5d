import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData, useSearchParams } from '@remix-run/react'
import { BlockStack, InlineStack, Page, Select, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { findCustomerList } from '#app/db/customer-lists.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { askMeasures, CUSTOMER_SORTS, listCustomersBehind, sumCustomersBehind } from '#app/db/retention.server.ts'
import { nameGroup, parseGroup, segmentOf, tagOfGroup, type CustomerGroup } from '#app/retention/segments.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { CustomersBehind } from '#app/ui/customers-behind.tsx'
import { ExportList } from '#app/ui/export-csv.tsx'
import { describeGroup } from '#app/ui/group-words.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { Inset } from '#app/ui/retention-page.tsx'
import { TagListCard } from '#app/ui/tag-list-card.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'
import { sayCustomers, showPoints } from '#app/ui/words.ts'

export { keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Customers · Retention · Perennial' }]

const PAGE_SIZE = 50
const NAMELESS_POINTS = { one: 'point', other: 'points' }
const NO_NAMES: Record<string, string> = {}
/** Groups whose customers are listed with the points that the number is about. */
const POINTS_KINDS: readonly CustomerGroup['kind'][] = ['points', 'points-age', 'points-then', 'moved']

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const params = new URL(request.url).searchParams
  const group = requireGroup(params.get('of') ?? 'all')
  const of = nameGroup(group)
  const asked = await askMeasures(shop, now())
  const wanted = Math.max(1, Math.trunc(Number(params.get('page') ?? 1)) || 1)
  const isAboutPoints = POINTS_KINDS.includes(group.kind)
  const sort = CUSTOMER_SORTS.find((one) => one === params.get('sort')) ?? (isAboutPoints ? 'points' : 'revenue')
  const list = (page: number) =>
    listCustomersBehind(asked, group, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE, sort })
  const [{ customers: total, points }, found] = await Promise.all([sumCustomersBehind(asked, group), list(wanted)])
  const page = Math.min(Math.max(1, Math.ceil(total / PAGE_SIZE)), wanted)
  const rows = page === wanted ? found : await list(page)
  return {
    ...{ of, total, points, page, sort, rows },
    ...describeGroup(group),
    tag: tagOfGroup(group),
    list: await findCustomerList(shop.id, tagOfGroup(group)),
    segment: segmentOf(group),
    names: namesOrNone(
      admin,
      rows.map((row) => row.customer),
    ),
    currency: shop.currency,
    timezone: asked.timeZone,
    pointsName: (isAboutPoints && (await findPublishedProgram(shop.id))?.document.pointsName) || NAMELESS_POINTS,
  }
}

function requireGroup(of: string): CustomerGroup {
  const group = parseGroup(of)
  if (!group) throw Response.json({ message: 'There is no such group of customers' }, { status: 404 })
  return group
}

export default function Customers() {
  const { of, title, who, total, points, page, sort, rows, currency, timezone, ...loaded } =
    useLoaderData<typeof loader>()
  const names = useResolved(loaded.names, NO_NAMES)
  const [params, setParams] = useSearchParams()
  const setSort = (value: string) => {
    const next = new URLSearchParams(params)
    next.set('sort', value)
    next.delete('page')
    setParams(next)
  }
  return (
    <Page
      title={title}
      subtitle={`${sayCustomers(total)}${points === null ? '' : `, ${showPoints(points, loaded.pointsName)}`}`}
      backAction={{ content: 'Retention', url: '/app/retention' }}
      fullWidth
    >
      <BlockStack gap="400">
        <Inset>
          <Text as="p">{who}</Text>
        </Inset>
        {(total > 0 || loaded.list) && (
          <TagListCard {...{ of, total, timezone }} segment={loaded.segment} tag={loaded.tag} list={loaded.list} />
        )}
        {total > 0 && (
          <Inset>
            <InlineStack gap="400" blockAlign="center">
              <Select
                label="Order"
                labelInline
                options={[
                  ...(points === null ? [] : [{ label: 'Most points first', value: 'points' }]),
                  { label: 'Most spent first', value: 'revenue' },
                  { label: 'Longest silent first', value: 'last' },
                  { label: 'Most expected first', value: 'expected' },
                ]}
                value={sort}
                onChange={setSort}
              />
              <ExportList
                name={`customers-${of.replaceAll(':', '-')}.csv`}
                path={`/app/retention/export?of=${encodeURIComponent(of)}&sort=${sort}`}
              />
            </InlineStack>
          </Inset>
        )}
        {total === 0 ? (
          <NothingYet heading="Nobody here">Nobody comes under this just now.</NothingYet>
        ) : (
          <CustomersBehind {...{ rows, total, page, names, currency, timezone }} pageSize={PAGE_SIZE} />
        )}
      </BlockStack>
    </Page>
  )
}

import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { Form, useActionData, useLoaderData, useNavigation, useSearchParams } from '@remix-run/react'
import { Banner, BlockStack, Button, InlineStack, Page, Select, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { askMeasures, countCustomersBehind, CUSTOMER_SORTS, listCustomersBehind } from '#app/db/retention.server.ts'
import { parseGroup, type CustomerGroup } from '#app/retention/segments.ts'
import { AdminApiError } from '#app/shopify/admin-api.server.ts'
import { tagCustomers } from '#app/shopify/customer-tags.server.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { CustomersBehind } from '#app/ui/customers-behind.tsx'
import { ExportList } from '#app/ui/export-csv.tsx'
import { describeGroup } from '#app/ui/group-words.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { Inset } from '#app/ui/retention-page.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'
import { showCount } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Customers · Retention · Perennial' }]

const PAGE_SIZE = 50
/** A click tags this many at most: a page that waits for more would time out. */
const TAGGED_MAX = 250
const NO_NAMES: Record<string, string> = {}

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const params = new URL(request.url).searchParams
  const of = params.get('of') ?? 'all'
  const group = requireGroup(of)
  const asked = await askMeasures(shop, now())
  const total = await countCustomersBehind(asked, group)
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE))
  const page = Math.min(pages, Math.max(1, Math.trunc(Number(params.get('page') ?? 1)) || 1))
  const sort = CUSTOMER_SORTS.find((one) => one === params.get('sort')) ?? 'revenue'
  const rows = await listCustomersBehind(asked, group, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE, sort })
  return {
    ...{ of, total, page, sort, rows },
    ...describeGroup(group),
    names: namesOrNone(
      admin,
      rows.map((row) => row.customer),
    ),
    currency: shop.currency,
    timezone: asked.timeZone,
  }
}

/** Tags the customers of the list in Shopify, those who have spent most first. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const of = String((await request.formData()).get('of') ?? '')
  const rows = await listCustomersBehind(await askMeasures(shop, now()), requireGroup(of), { limit: TAGGED_MAX })
  const tag = tagOf(of)
  try {
    return {
      ...{ ok: true as const, tag },
      tagged: await tagCustomers(
        admin,
        rows.map((row) => row.customer),
        tag,
      ),
    }
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return { ok: false as const }
  }
}

function requireGroup(of: string): CustomerGroup {
  const group = parseGroup(of)
  if (!group) throw Response.json({ message: 'There is no such group of customers' }, { status: 404 })
  return group
}

/** "retention-stage-passive": what Shopify's segments, e-mail and Flow can go by. */
function tagOf(of: string): string {
  return `retention-${of.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`
}

export default function Customers() {
  const { of, title, who, total, page, sort, rows, currency, timezone, ...streamed } = useLoaderData<typeof loader>()
  const names = useResolved(streamed.names, NO_NAMES)
  const answer = useActionData<typeof action>()
  const tagging = useNavigation().state === 'submitting'
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
      subtitle={`${showCount(total)} ${total === 1 ? 'customer' : 'customers'}`}
      backAction={{ content: 'Retention', url: '/app/retention' }}
      fullWidth
    >
      <BlockStack gap="400">
        <Inset>
          <Text as="p">{who}</Text>
        </Inset>
        {answer?.ok && (
          <Banner tone="success" title={`${showCount(answer.tagged)} customers have the tag ${answer.tag} now`}>
            <p>In Shopify you can make a segment of it, mail it, or start a Flow with it.</p>
          </Banner>
        )}
        {answer && !answer.ok && (
          <Banner tone="warning" title="Shopify could not be reached just now">
            <p>Some may have been tagged. Trying again does no harm.</p>
          </Banner>
        )}
        {total > 0 && (
          <Inset>
            <InlineStack gap="400" blockAlign="center">
              <Select
                label="Order"
                labelInline
                options={[
                  { label: 'Most spent first', value: 'revenue' },
                  { label: 'Longest silent first', value: 'last' },
                  { label: 'Most expected first', value: 'expected' },
                ]}
                value={sort}
                onChange={setSort}
              />
              <ExportList
                name={`customers-${of.replaceAll(':', '-')}.csv`}
                path={`/app/retention/export?of=${encodeURIComponent(of)}`}
              />
              <Form method="post">
                <input type="hidden" name="of" value={of} />
                <Button submit loading={tagging}>
                  {total > TAGGED_MAX ? `Tag the first ${showCount(TAGGED_MAX)} in Shopify` : 'Tag them in Shopify'}
                </Button>
              </Form>
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

import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Button, InlineGrid, InlineStack, Link, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { findCustomerList } from '#app/db/customer-lists.server.ts'
import { listCycles } from '#app/db/cycles.server.ts'
import {
  askMeasures,
  countCustomersBehind,
  findSlippingRule,
  listCustomersBehind,
  readOverview,
  SILENT_MONTHS,
} from '#app/db/retention.server.ts'
import { tagOfGroup } from '#app/retention/segments.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { CustomersBehind } from '#app/ui/customers-behind.tsx'
import { ExportList } from '#app/ui/export-csv.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { sayStage } from '#app/ui/group-words.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { customersPath, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { TagListCard } from '#app/ui/tag-list-card.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'
import { showCount, showRate } from '#app/ui/words.ts'

export { keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Lifecycle · Perennial' }]

const SHOWN = 20
const TAG = tagOfGroup({ kind: 'slipping' })
const NO_NAMES: Record<string, string> = {}

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const asked = await askMeasures(shop, now())
  const [cycles, list, { lifecycle, customers }, slipping, rows, slippingRule] = await Promise.all([
    listCycles(shop.id),
    findCustomerList(shop.id, TAG),
    readOverview(asked),
    countCustomersBehind(asked, { kind: 'slipping' }),
    listCustomersBehind(asked, { kind: 'slipping' }, { limit: SHOWN }),
    findSlippingRule(shop.id),
  ])
  return {
    ...{ lifecycle, customers, slipping, rows, list },
    silentMonths: slippingRule === 'silence' ? SILENT_MONTHS : null,
    cycles: cycles.length,
    names: namesOrNone(
      admin,
      rows.map((row) => row.customer),
    ),
    currency: shop.currency,
    timezone: asked.timeZone,
  }
}

export default function Lifecycle() {
  const { lifecycle, customers, slipping, rows, list, silentMonths, cycles, currency, timezone, ...streamed } =
    useLoaderData<typeof loader>()
  const names = useResolved(streamed.names, NO_NAMES)
  const share = (count: number) => showRate(customers === 0 ? null : count / customers)
  return (
    <RetentionPage title="Lifecycle" subtitle="Who is with you, who went quiet, and who is slipping away">
      <InlineGrid columns={{ xs: 1, sm: 3 }} gap={{ xs: '200', md: '400' }}>
        <Figure
          label="Active"
          value={showCount(lifecycle.active)}
          note={`${share(lifecycle.active)} · ${sayStage('active', cycles > 0)}`}
          to={customersPath('stage:active')}
          customers={lifecycle.active}
        />
        <Figure
          label="Passive"
          value={showCount(lifecycle.passive)}
          note={`${share(lifecycle.passive)} · ${sayStage('passive', cycles > 0)}`}
          to={customersPath('stage:passive')}
          customers={lifecycle.passive}
        />
        <Figure
          label="Lost"
          value={showCount(lifecycle.lost)}
          note={`${share(lifecycle.lost)} · ${sayStage('lost', cycles > 0)}`}
          to={customersPath('stage:lost')}
          customers={lifecycle.lost}
        />
      </InlineGrid>
      <Inset>
        <Text as="p" tone="subdued">
          {cycles === 0
            ? 'Every purchase lasts 12 months here. Do some of yours last longer, or shorter? '
            : `A purchase lasts 12 months, except where you have said otherwise (${showCount(cycles)} ${cycles === 1 ? 'time' : 'times'}). `}
          <Link url="/app/retention/cycles">Say how long purchases last</Link>
        </Text>
      </Inset>
      <BlockStack gap="400">
        <Inset>
          <InlineStack align="space-between" blockAlign="center" gap="400">
            <BlockStack gap="100">
              <Text as="h2" variant="headingMd">
                {`Slipping away: ${showCount(slipping)}`}
              </Text>
              <Text as="p" tone="subdued">
                {`Ordered twice or more, still active, and ${
                  silentMonths === null
                    ? 'less likely than not to come back'
                    : `silent for ${silentMonths} months or more`
                }. Who has spent most is first.`}
              </Text>
            </BlockStack>
            {slipping > 0 && (
              <InlineStack gap="200">
                <ExportList name="slipping-away.csv" path="/app/retention/export?of=slipping" />
                {slipping > rows.length && <Button url={customersPath('slipping')}>See all</Button>}
              </InlineStack>
            )}
          </InlineStack>
        </Inset>
        {(slipping > 0 || list) && (
          <TagListCard of="slipping" segment="slipping" total={slipping} tag={TAG} {...{ list, timezone }} />
        )}
        {slipping === 0 ? (
          <NothingYet heading="Nobody is slipping away">
            Repeat customers who fall silent for longer than is usual for them will be listed here.
          </NothingYet>
        ) : (
          <CustomersBehind {...{ rows, names, currency, timezone }} total={rows.length} page={1} pageSize={SHOWN} />
        )}
      </BlockStack>
    </RetentionPage>
  )
}

import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Box, InlineGrid, Layout, Page, Text } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { dismissFirstSteps, findFirstSteps } from '#app/db/onboarding.server.ts'
import { findConnection, findHappeningsToday, findStanding } from '#app/db/overview.server.ts'
import { env } from '#app/env.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { ConnectionCard } from '#app/ui/connection-card.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { FirstStepsCard } from '#app/ui/first-steps-card.tsx'
import { judgeConnection } from '#app/ui/health.ts'
import { showCount } from '#app/ui/words.ts'

export { keepPage as clientAction, keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Home · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const at = now()
  const [today, standing, connection, steps] = await Promise.all([
    findHappeningsToday({ shopId: shop.id, asOf: at, timeZone: shop.timezone }),
    findStanding(shop.id),
    findConnection(shop.id),
    findFirstSteps(shop.id),
  ])
  return {
    today,
    standing,
    checks: judgeConnection(connection, at),
    setAside: connection.setAside,
    steps,
    apiKey: env().SHOPIFY_API_KEY,
  }
}

/** Puts the list of first steps away. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop } = await requireMerchant(request)
  await dismissFirstSteps(shop.id)
  return { ok: true }
}

export default function Home() {
  const { today, standing, checks, setAside, steps, apiKey } = useLoaderData<typeof loader>()
  return (
    <Page title="Perennial">
      <Layout>
        {!steps.dismissed && (
          <Layout.Section>
            <FirstStepsCard steps={steps} apiKey={apiKey} />
          </Layout.Section>
        )}
        <Layout.Section>
          <BlockStack gap="400">
            <Box paddingInline={{ xs: '400', sm: '0' }}>
              <Text as="h2" variant="headingMd">
                Today
              </Text>
            </Box>
            <InlineGrid columns={{ xs: 2, md: 4 }} gap={{ xs: '200', md: '400' }}>
              <Figure
                label="Points earned"
                value={showCount(today.pointsEarned)}
                note={today.pointsTakenBack > 0 ? `${showCount(today.pointsTakenBack)} taken back` : undefined}
              />
              <Figure label="Points spent" value={showCount(today.pointsSpent)} />
              <Figure label="New members" value={showCount(today.membersJoined)} to="/app/members" />
              <Figure label="Orders" value={showCount(today.orders)} />
            </InlineGrid>
            <InlineGrid columns={{ xs: 1, sm: 2 }} gap={{ xs: '200', md: '400' }}>
              <Figure label="Members" value={showCount(standing.members)} to="/app/members" />
              <Figure
                label="Points held by members"
                value={showCount(standing.pointsOutstanding)}
                note="To spend, waiting, and set aside for rewards"
              />
            </InlineGrid>
          </BlockStack>
        </Layout.Section>
        <Layout.Section>
          <ConnectionCard checks={checks} setAside={setAside} apiKey={apiKey} />
        </Layout.Section>
      </Layout>
    </Page>
  )
}

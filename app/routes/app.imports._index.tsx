import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { Link, useLoaderData } from '@remix-run/react'
import { Badge, Banner, BlockStack, Card, Divider, InlineStack, Layout, Page, Text } from '@shopify/polaris'

import { listImports, type ImportSummary } from '#app/db/imports.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { ImportHelp, ImportUpload } from '#app/ui/import-upload.tsx'
import { IMPORT_STATES, sayLines, sayMembers } from '#app/ui/import-words.ts'
import { showDay, showPoints, type PointsName } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Bring members over · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const [imports, published] = await Promise.all([listImports(shop.id), findPublishedProgram(shop.id)])
  return {
    imports,
    hasProgram: published !== null,
    pointsName: published?.document.pointsName ?? { one: 'point', other: 'points' },
    timezone: shop.timezone,
  }
}

export default function Imports() {
  const { imports, hasProgram, pointsName, timezone } = useLoaderData<typeof loader>()
  return (
    <Page
      backAction={{ content: 'Members', url: '/app/members' }}
      title="Bring members over"
      subtitle="Members and their points from another loyalty app"
    >
      <Layout>
        <Layout.Section>
          <BlockStack gap="400">
            {hasProgram ? (
              <ImportUpload />
            ) : (
              <Banner title="Publish your program first" action={{ content: 'Open the program', url: '/app/program' }}>
                <p>It says what points are worth and when they end. Then members can come over.</p>
              </Banner>
            )}
            {imports.length > 0 && <PastImports imports={imports} pointsName={pointsName} timezone={timezone} />}
          </BlockStack>
        </Layout.Section>
        <Layout.Section variant="oneThird">
          <ImportHelp />
        </Layout.Section>
      </Layout>
    </Page>
  )
}

type PastImportsProps = { imports: ImportSummary[]; pointsName: PointsName; timezone: string }

function PastImports({ imports, pointsName, timezone }: PastImportsProps) {
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Files so far
        </Text>
        {imports.map((one) => (
          <BlockStack key={one.id} gap="300">
            <Divider />
            <InlineStack align="space-between" blockAlign="start" gap="200">
              <BlockStack gap="050">
                <Text as="p" fontWeight="medium" breakWord>
                  <Link to={`/app/imports/${one.id}`} style={{ color: 'inherit' }}>
                    {one.fileName}
                  </Link>
                </Text>
                <Text as="p" variant="bodySm" tone="subdued">
                  {`${one.source} · ${showDay(one.uploadedAt, timezone)} · ${sayOutcome(one, pointsName)}`}
                </Text>
              </BlockStack>
              <Badge tone={IMPORT_STATES[one.state]?.tone}>{IMPORT_STATES[one.state]?.text ?? one.state}</Badge>
            </InlineStack>
          </BlockStack>
        ))}
      </BlockStack>
    </Card>
  )
}

function sayOutcome({ given, points, takenBack, lines }: ImportSummary, name: PointsName): string {
  if (given === 0) return sayLines(lines)
  const back = takenBack > 0 ? `, ${showPoints(takenBack, name)} taken back` : ''
  return `${sayMembers(given)} with ${showPoints(points, name)}${back}`
}

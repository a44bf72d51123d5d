import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Layout, Page } from '@shopify/polaris'

import { countMembersByTier } from '#app/db/member-list.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { ChangesCard } from '#app/ui/changes-card.tsx'
import { ProgramFirst } from '#app/ui/nothing-yet.tsx'
import { ProblemsBanner } from '#app/ui/problems-banner.tsx'
import { ProgramDraftProvider } from '#app/ui/program-draft.tsx'
import { TierForm } from '#app/ui/tier-form.tsx'
import { TierMovesCard } from '#app/ui/tier-moves-card.tsx'

export { keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Tiers · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const [published, counts] = await Promise.all([findPublishedProgram(shop.id), countMembersByTier(shop.id)])
  return {
    published: published && { version: published.version, document: published.document },
    counts: Object.fromEntries(counts),
  }
}

export default function Tiers() {
  const { published, counts } = useLoaderData<typeof loader>()
  const frame = { title: 'Tiers', subtitle: 'Levels that members reach by buying, and what each gives them' }
  if (!published) {
    return (
      <Page {...frame}>
        <ProgramFirst what="tiers" />
      </Page>
    )
  }
  return (
    <ProgramDraftProvider id="tiers" published={published} savedMessage="Tiers saved">
      <Page {...frame}>
        <Layout>
          <Layout.Section>
            <BlockStack gap="400">
              <ProblemsBanner />
              <TierForm counts={counts} />
            </BlockStack>
          </Layout.Section>
          <Layout.Section variant="oneThird">
            <BlockStack gap="400">
              <TierMovesCard />
              <ChangesCard />
            </BlockStack>
          </Layout.Section>
        </Layout>
      </Page>
    </ProgramDraftProvider>
  )
}

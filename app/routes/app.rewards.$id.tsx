import { data, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node'
import { useLoaderData, useNavigate } from '@remix-run/react'
import { BlockStack, Layout, Page } from '@shopify/polaris'
import { useState } from 'react'

import { now } from '#app/clock.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { buildProgramCard } from '#app/loyalty/program-card.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { titlesOrNone } from '#app/shopify/titles.server.ts'
import { redirectInside, requireMerchant } from '#app/shopify.server.ts'
import { ChangesCard } from '#app/ui/changes-card.tsx'
import { ProblemsBanner } from '#app/ui/problems-banner.tsx'
import { ProgramDraftProvider } from '#app/ui/program-draft.tsx'
import { proposeReward } from '#app/ui/proposals.ts'
import { RemoveEntry } from '#app/ui/remove-entry.tsx'
import { RewardForm } from '#app/ui/reward-form.tsx'
import { RewardPreview } from '#app/ui/reward-preview.tsx'
import { sayCost } from '#app/ui/rewards-list.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'
export { keepWhileLeaving as shouldRevalidate } from '#app/ui/use-publish.ts'

export const meta: MetaFunction<typeof loader> = ({ data: loaded }) => [
  { title: `${loaded?.title ?? 'Reward'} · Perennial` },
]

const NO_TITLES: Record<string, string> = {}

/** The editor of one reward; the id `new` proposes another. */
export async function loader({ request, params }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const published = await findPublishedProgram(shop.id)
  if (!published) return redirectInside(request, '/app/rewards')
  const { document, version } = published
  const isNew = params.id === 'new'
  const index = isNew ? document.rewards.length : document.rewards.findIndex((reward) => reward.id === params.id)
  if (index < 0) throw data({ message: 'There is no such reward' }, 404)
  const reward = isNew ? proposeReward(document) : document.rewards[index]!
  return {
    isNew,
    index,
    title: isNew ? 'Add reward' : nameReward(document, index),
    published: { version, document },
    initial: isNew ? { ...document, rewards: [...document.rewards, reward] } : document,
    titles: titlesOrNone(admin, [...(reward.products ?? []), ...(reward.collections ?? [])]),
    scopes: shop.scopes,
  }
}

/** The reward as shoppers read it: "£5.00 off for 50 leaves". */
function nameReward(document: ProgramDocument, index: number): string {
  const card = buildProgramCard(requireProgram(document), now())
  const reward = card.rewards[index]!
  return `${reward.label} for ${sayCost(reward, card.pointsName)}`
}

export default function Reward() {
  const { isNew, index, title, published, initial, scopes, ...streamed } = useLoaderData<typeof loader>()
  const titles = useResolved(streamed.titles, NO_TITLES)
  const navigate = useNavigate()
  const [removing, setRemoving] = useState(false)
  const id = (initial as ProgramDocument).rewards[index]?.id ?? ''
  return (
    <ProgramDraftProvider
      id="reward"
      published={published}
      initial={initial}
      savedMessage="Reward saved"
      onSaved={() => navigate('/app/rewards')}
      onDiscarded={isNew ? () => navigate('/app/rewards') : undefined}
    >
      <Page
        backAction={{ content: 'Rewards', url: '/app/rewards' }}
        title={title}
        secondaryActions={
          isNew ? undefined : [{ content: 'Remove', destructive: true, onAction: () => setRemoving(true) }]
        }
      >
        <RemoveEntry
          open={removing}
          onClose={() => setRemoving(false)}
          list="rewards"
          entryId={id}
          title="Remove this reward?"
          text="Nobody can take it any more. Codes that members hold already keep working until they run out."
        />
        <Layout>
          <Layout.Section>
            <BlockStack gap="400">
              <ProblemsBanner />
              <RewardForm index={index} isNew={isNew} titles={titles} scopes={scopes} />
            </BlockStack>
          </Layout.Section>
          <Layout.Section variant="oneThird">
            <BlockStack gap="400">
              <RewardPreview index={index} titles={titles} />
              <ChangesCard />
            </BlockStack>
          </Layout.Section>
        </Layout>
      </Page>
    </ProgramDraftProvider>
  )
}

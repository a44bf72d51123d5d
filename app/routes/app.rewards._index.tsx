import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { Button, Page } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { findRewardFigures } from '#app/db/reward-figures.server.ts'
import { buildProgramCard } from '#app/loyalty/program-card.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import { titlesOrNone } from '#app/shopify/titles.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { NothingYet, ProgramFirst } from '#app/ui/nothing-yet.tsx'
import { RewardsList } from '#app/ui/rewards-list.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Rewards · Perennial' }]

const NO_TITLES: Record<string, string> = {}

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const [published, figures] = await Promise.all([findPublishedProgram(shop.id), findRewardFigures(shop.id)])
  if (!published) return { rewards: null, pointsName: null, titles: Promise.resolve(NO_TITLES) }
  const { rewards, pointsName } = buildProgramCard(requireProgram(published.document), now())
  const products = new Map(published.document.rewards.map((reward) => [reward.id, reward.products ?? []]))
  return {
    rewards: rewards.map((reward) => ({
      ...reward,
      figures: figures.get(reward.id) ?? null,
      freeProducts: reward.type === 'product' ? (products.get(reward.id) ?? []) : [],
    })),
    pointsName,
    titles: titlesOrNone(admin, [...products.values()].flat()),
  }
}

export default function Rewards() {
  const { rewards, pointsName, ...streamed } = useLoaderData<typeof loader>()
  const titles = useResolved(streamed.titles, NO_TITLES)
  return (
    <Page
      title="Rewards"
      subtitle="What points buy. A code is made for each, works once, and gives the points back when it runs out unused."
      primaryAction={rewards && { content: 'Add reward', url: '/app/rewards/new' }}
    >
      {rewards === null && <ProgramFirst what="rewards" />}
      {rewards?.length === 0 && (
        <NothingYet heading="No rewards yet" action={<Button url="/app/rewards/new">Add reward</Button>}>
          Without a reward, points are only numbers. Money off is what most stores begin with.
        </NothingYet>
      )}
      {rewards && rewards.length > 0 && <RewardsList rewards={rewards} pointsName={pointsName} titles={titles} />}
    </Page>
  )
}

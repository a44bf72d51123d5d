import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'

import { now } from '#app/clock.server.ts'
import { askMeasures, readFunnel } from '#app/db/retention.server.ts'
import type { FunnelStep } from '#app/retention/funnel.ts'
import { nameGroup } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { BarChart } from '#app/ui/chart.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { CustomersLink, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Funnel · Retention · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  return { funnel: await readFunnel(await askMeasures(shop, now())) }
}

export default function Funnel() {
  const { funnel } = useLoaderData<typeof loader>()
  const members = funnel[0]!.did
  if (members === 0) {
    return (
      <RetentionPage title="Funnel" subtitle={SUBTITLE} empty>
        <NothingYet heading="No members yet">With the first member the way begins.</NothingYet>
      </RetentionPage>
    )
  }
  return (
    <RetentionPage title="Funnel" subtitle={SUBTITLE}>
      <MeasureTable
        heading="From sign-up to coming back"
        explanation="Each step counts the members who took it and all before it. Conversion is of those who took the step before; it opens, like the other numbers, those who took this one."
        head={['Step', 'Members', 'Conversion', 'Of all members']}
        rows={funnel.map(({ step, did, rate }) => ({
          key: step,
          cells: [
            STEP_WORDS[step].long,
            ...[showCount(did), showRate(rate), showRate(did / members)].map((shown, place) => (
              <CustomersLink
                key={COLUMNS[place]}
                of={nameGroup({ kind: 'funnel', step })}
                customers={did}
                label={`${STEP_WORDS[step].long}, ${COLUMNS[place]}: ${shown}`}
              >
                {shown}
              </CustomersLink>
            )),
          ],
        }))}
        csv={{
          name: 'funnel.csv',
          rows: [
            ['step', 'could', 'did', 'rate'],
            ...funnel.map(({ step, could, did, rate }) => [step, could, did, rate]),
          ],
        }}
      >
        <BarChart
          title="Members by step, each of those who took all before it; the numbers are in the table below"
          points={funnel.map(({ step, did }) => ({
            label: STEP_WORDS[step].short,
            value: did,
            text: `${showCount(did)} members`,
          }))}
        />
      </MeasureTable>
    </RetentionPage>
  )
}

const SUBTITLE = 'How far members go on the way from joining to coming back'

const COLUMNS = ['members', 'conversion', 'of all members']

const STEP_WORDS: Record<FunnelStep, { long: string; short: string }> = {
  signup: { long: 'Became a member', short: 'Member' },
  earn: { long: 'Earned points', short: 'Earned' },
  redeem: { long: 'Got a reward for points', short: 'Reward' },
  repeat: { long: 'Ordered twice or more', short: 'Repeat' },
}

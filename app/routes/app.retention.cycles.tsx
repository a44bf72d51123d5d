import { data, type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Card, InlineGrid, Page, ProgressBar, Text } from '@shopify/polaris'
import { useId } from 'react'

import { now } from '#app/clock.server.ts'
import { changeCycles, findRecount, listCycles } from '#app/db/cycles.server.ts'
import { askMeasures, readIntervalTable, readOverview } from '#app/db/retention.server.ts'
import { CYCLES_MAX } from '#app/retention/lifecycle.ts'
import { kindsOrNone } from '#app/shopify/product-kinds.server.ts'
import { titlesOrNone } from '#app/shopify/titles.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { CycleForm } from '#app/ui/cycle-form.tsx'
import { CycleList } from '#app/ui/cycle-list.tsx'
import { isSameCycle, parseCycle, readCycleKey, type CycleReply } from '#app/ui/cycles.ts'
import { Figure } from '#app/ui/figure.tsx'
import { customersPath, Inset } from '#app/ui/retention-page.tsx'
import { useLookAgain } from '#app/ui/use-look-again.ts'
import { useResolved } from '#app/ui/use-resolved.ts'
import { showCount } from '#app/ui/words.ts'

export { keepPage as clientAction, keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'How long purchases last · Perennial' }]

const NO_TITLES: Record<string, string> = {}
const NO_KINDS = { types: [] as string[], tags: [] as string[] }

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const asked = await askMeasures(shop, now())
  const [cycles, recount, intervals, { lifecycle }] = await Promise.all([
    listCycles(shop.id),
    findRecount(shop.id),
    readIntervalTable(asked),
    readOverview(asked),
  ])
  return {
    ...{ cycles, lifecycle },
    recount: recount && { state: recount.state, position: recount.position, total: recount.total },
    usualDays: intervals.all.p90,
    kinds: kindsOrNone(admin),
    titles: titlesOrNone(
      admin,
      cycles.flatMap(({ of, value }) => (of === 'product' ? [value] : [])),
    ),
  }
}

/** Sets how long something lasts, in the place of what was said of it before, or takes that away. Each may be repeated. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const form = await request.formData()
  if (form.get('intent') === 'remove') {
    const key = readCycleKey(form)
    await changeCycles(shop.id, (before) => before.filter((cycle) => !isSameCycle(cycle, key)), now())
    return data<CycleReply>({ ok: true, message: 'Removed: the orders are gone through again' })
  }
  const parsed = parseCycle(form)
  if (!parsed.ok) return data<CycleReply>(parsed, 400)
  const { cycle } = parsed
  const after = await changeCycles(
    shop.id,
    (before) => {
      const others = before.filter((one) => !isSameCycle(one, cycle))
      return others.length < CYCLES_MAX ? [...others, cycle] : before
    },
    now(),
  )
  const isKept = after.some((one) => isSameCycle(one, cycle) && one.days === cycle.days)
  if (!isKept) return data<CycleReply>({ ok: false, errors: { value: `${CYCLES_MAX} of them are enough` } }, 400)
  return data<CycleReply>({ ok: true, message: 'Saved: the orders are gone through again' })
}

export default function Cycles() {
  const { cycles, lifecycle, recount, usualDays, ...streamed } = useLoaderData<typeof loader>()
  const titles = useResolved(streamed.titles, NO_TITLES)
  const kinds = useResolved(streamed.kinds, NO_KINDS)
  return (
    <Page
      title="How long purchases last"
      subtitle="Who is active, passive and lost, by what they bought"
      backAction={{ content: 'Lifecycle', url: '/app/retention/lifecycle' }}
    >
      <BlockStack gap="400">
        <Inset>
          <Text as="p">
            A customer is passive after 12 months without an order, and lost after 24. Where something lasts longer or
            shorter, say so: its buyers are passive once that time is over, and lost after twice the time. What lasts
            longest of all that a customer bought counts; whatever you say nothing of lasts 12 months.
          </Text>
        </Inset>
        <Recount recount={recount} />
        <InlineGrid columns={3} gap={{ xs: '200', md: '400' }}>
          {(['active', 'passive', 'lost'] as const).map((stage) => (
            <Figure
              key={stage}
              label={{ active: 'Active', passive: 'Passive', lost: 'Lost' }[stage]}
              value={showCount(lifecycle[stage])}
              to={customersPath(`stage:${stage}`)}
              customers={lifecycle[stage]}
            />
          ))}
        </InlineGrid>
        <CycleList cycles={cycles} titles={titles} />
        {/* Empty again once what it says is in the list. */}
        <CycleForm key={JSON.stringify(cycles)} kinds={kinds} usualDays={usualDays} />
      </BlockStack>
    </Page>
  )
}

/** How far the orders have been gone through after a change; nothing once that is done. */
function Recount({ recount }: { recount: { state: string; position: number; total: number | null } | null }) {
  const label = useId()
  const underWay = recount?.state === 'running'
  useLookAgain(underWay)
  if (!recount || !underWay) return null
  const { position, total } = recount
  return (
    <Card>
      <BlockStack gap="200">
        <Text as="p" id={label}>
          {total === null
            ? 'Getting ready to go through your orders. You can leave this page.'
            : `Going through your orders: ${showCount(position)} of ${showCount(total)}. You can leave this page.`}
        </Text>
        <ProgressBar
          progress={total ? (position / total) * 100 : 0}
          size="small"
          tone="primary"
          ariaLabelledBy={label}
        />
      </BlockStack>
    </Card>
  )
}

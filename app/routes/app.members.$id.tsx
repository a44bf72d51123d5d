import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { data } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { Badge, Banner, BlockStack, InlineGrid, Layout, Page } from '@shopify/polaris'
import { useState } from 'react'

import { now } from '#app/clock.server.ts'
import { findCustomerLifecycle, type CustomerLifecycle } from '#app/db/cycles.server.ts'
import { findAnswer } from '#app/db/feedback.server.ts'
import {
  findMemberStory,
  listOrders,
  listTransfers,
  type MemberStory,
  type OrderRow,
} from '#app/db/member-story.server.ts'
import { findCustomerPrediction } from '#app/db/predictions.server.ts'
import { findProgramVersions, findPublishedProgram } from '#app/db/program-history.server.ts'
import { findRedemption, findRunOutOnReturn } from '#app/db/redemptions.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { cancelRedemption } from '#app/jobs/settle-redemptions.ts'
import { showCard } from '#app/jobs/show-card.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { ENGLISH } from '#app/loyalty/shopper-words.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import type { AdminClient } from '#app/shopify/admin-api.server.ts'
import { titlesOrNone } from '#app/shopify/titles.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { sayActor } from '#app/ui/actor-words.ts'
import { AdjustPoints } from '#app/ui/adjust-points.tsx'
import { nameOf } from '#app/ui/customer-names.ts'
import { PlaceTier, TakeBackCode } from '#app/ui/change-member.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { MemberHistory, MemberOrders } from '#app/ui/member-history.tsx'
import { MemberTier } from '#app/ui/member-tier.tsx'
import { MemberOutlook } from '#app/ui/member-outlook.tsx'
import { MemberLots, MemberRewards } from '#app/ui/member-lots.tsx'
import { parseMemberChange, sayRefusal, sayTakenBack, type MemberChangeReply } from '#app/ui/member-change.ts'
import { sayReason } from '#app/ui/reasons.ts'
import { useResolved } from '#app/ui/use-resolved.ts'
import { showCount, showDay, showMoney } from '#app/ui/words.ts'

export { keepPage as clientAction, keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Member · Perennial' }]

const HISTORY_SIZE = 50
const ORDERS_SIZE = 25
const NO_NAMES: Record<string, string> = {}
const NO_NAME = { one: 'point', other: 'points' }

export async function loader({ request, params }: LoaderFunctionArgs) {
  const { shop, admin, actor } = await requireMerchant(request)
  const customer = requireCustomer(params.id)
  const story = await findMemberStory(shop.id, customer)
  if (!story) throw data({ message: 'There is no such member' }, 404)
  const before = new URL(request.url).searchParams.get('before') ?? undefined
  const number = story.customer.slice(story.customer.lastIndexOf('/') + 1)
  const [transfers, orders, published, card, lifecycle, expected, answer] = await Promise.all([
    listTransfers(shop.id, story.customer, HISTORY_SIZE + 1, before),
    listOrders(shop.id, story.customer, ORDERS_SIZE),
    findPublishedProgram(shop.id),
    showCard(shop.id, story.customer, ENGLISH),
    findCustomerLifecycle(shop.id, number),
    findCustomerPrediction(shop.id, number),
    findAnswer(shop.id, story.customer),
  ])
  const versions = await findProgramVersions(
    shop.id,
    orders.map((order) => order.programVersion).filter((version) => version !== null),
  )
  return {
    story: { ...story, placed: story.placed && { ...story.placed, by: sayActor(story.placed.by, actor) } },
    transfers: transfers
      .slice(0, HISTORY_SIZE)
      .map(({ actor: by, ...transfer }) => ({ ...transfer, by: sayActor(by, actor) })),
    older: transfers.length > HISTORY_SIZE ? transfers[HISTORY_SIZE - 1]!.id : null,
    orders: orders.map((order) => sayOrder(order, versions, published?.document, shop.currency)),
    outlook: { lifecycle, expected, answer, now: now() },
    name: namesOrNone(admin, [story.customer]),
    titles: titlesOrNone(admin, [...orders.map((order) => order.order), ...cycleProducts(lifecycle)]),
    pointsName: published?.document.pointsName ?? NO_NAME,
    tierName: published?.document.tiers?.levels.find((level) => level.id === story.tier)?.name ?? story.tier,
    progress: card?.progress ?? null,
    currency: shop.currency,
    levels: published?.document.tiers?.levels.map(({ id, name }) => ({ id, name })) ?? [],
    timezone: shop.timezone,
  }
}

export default function Member() {
  const { story, transfers, older, orders, pointsName, tierName, progress, currency, levels, timezone, ...streamed } =
    useLoaderData<typeof loader>()
  const [changeKey, setChangeKey] = useState<string | null>(null)
  const [placing, setPlacing] = useState(false)
  const [takingBack, setTakingBack] = useState<string | null>(null)
  const { outlook } = streamed
  const titles = useResolved(streamed.titles, NO_NAMES)
  const named = orders.map((order) => ({ ...order, name: titles[order.order] ?? null }))
  const title = nameOf(story.customer, useResolved(streamed.name, NO_NAMES))
  const id = story.customer.slice(story.customer.lastIndexOf('/') + 1)
  return (
    <Page
      backAction={{ content: 'Members', url: '/app/members' }}
      title={title}
      titleMetadata={tierName ? <Badge tone="info">{tierName}</Badge> : undefined}
      subtitle={`Member since ${showDay(story.joinedAt, timezone)}`}
      primaryAction={{
        content: 'Change points',
        disabled: story.erasedAt !== null,
        onAction: () => setChangeKey(crypto.randomUUID()),
      }}
      secondaryActions={[
        ...(levels.length > 1
          ? [{ content: 'Change tier', disabled: story.erasedAt !== null, onAction: () => setPlacing(true) }]
          : []),
        { content: 'Open in Shopify', url: `shopify://admin/customers/${id}`, target: '_top' },
      ]}
    >
      <AdjustPoints
        changeKey={changeKey}
        onClose={() => setChangeKey(null)}
        balance={story.available}
        name={pointsName}
      />
      <PlaceTier open={placing} onClose={() => setPlacing(false)} levels={levels} />
      <TakeBackCode code={takingBack} onClose={() => setTakingBack(null)} />
      <Layout>
        <Layout.Section>
          <Standing story={story} />
        </Layout.Section>
        <Layout.Section>
          <BlockStack gap="400">
            <MemberOrders orders={named} pointsName={pointsName} timezone={timezone} />
            <MemberHistory transfers={transfers} older={older} orders={named} timezone={timezone} />
          </BlockStack>
        </Layout.Section>
        <Layout.Section variant="oneThird">
          <BlockStack gap="400">
            {tierName && (
              <MemberTier
                tier={tierName}
                since={story.tierSince}
                placed={story.placed}
                {...{ progress, currency, pointsName, timezone }}
              />
            )}
            {story.erasedAt === null && <MemberOutlook {...outlook} {...{ titles, currency, timezone }} />}
            <MemberLots lots={story.lots} pointsName={pointsName} timezone={timezone} />
            <MemberRewards
              redemptions={story.redemptions}
              pointsName={pointsName}
              timezone={timezone}
              onTakeBack={setTakingBack}
            />
          </BlockStack>
        </Layout.Section>
      </Layout>
    </Page>
  )
}

/** What the member holds, and whether there is still somebody behind it. */
function Standing({
  story,
}: {
  story: Pick<MemberStory, 'erasedAt' | 'available' | 'pending' | 'reserved' | 'lifetimeEarned'>
}) {
  return (
    <BlockStack gap="400">
      {story.erasedAt !== null && (
        <Banner tone="info" title="This customer asked to be forgotten">
          <p>Name and address are gone and the points were forfeited. What is left ties the books together.</p>
        </Banner>
      )}
      <InlineGrid columns={{ xs: 2, md: 4 }} gap={{ xs: '200', md: '400' }}>
        <Figure label="To spend" value={showCount(story.available)} />
        <Figure label="Waiting" value={showCount(story.pending)} note="Until returns are unlikely" />
        <Figure label="Set aside" value={showCount(story.reserved)} note="For a reward being issued" />
        <Figure label="Earned in all" value={showCount(story.lifetimeEarned)} note="Less what was taken back" />
      </InlineGrid>
    </BlockStack>
  )
}

function requireCustomer(id: string | undefined): string {
  if (!/^\d{1,18}$/.test(id ?? '')) throw data({ message: 'There is no such member' }, 404)
  return toGid('Customer', id!)
}

/** The product whose cycle applies, to be shown by its title. */
function cycleProducts(lifecycle: CustomerLifecycle | null): string[] {
  const cycle = lifecycle?.own?.because?.cycle
  return cycle?.of === 'product' ? [cycle.value] : []
}

/** An order in the words of the program version that priced it. */
function sayOrder(
  order: OrderRow,
  versions: Map<number, ProgramDocument>,
  current: ProgramDocument | undefined,
  currency: string,
) {
  const program = (order.programVersion === null ? undefined : versions.get(order.programVersion)) ?? current
  const { reasons, goodsMinor, placedMinor, ...rest } = order
  const money = (minor: number) =>
    showMoney(formatMoney(minor, program?.currency ?? currency), program?.currency ?? currency)
  return {
    ...rest,
    goods: money(goodsMinor),
    placed: goodsMinor === placedMinor ? null : money(placedMinor),
    tier: program?.tiers?.levels.find((level) => level.id === order.tier)?.name ?? order.tier,
    reasons: program ? reasons.map((reason) => sayReason(reason, program)) : [],
  }
}

/** Changes by hand: points, a tier until a day, taking back a code that was not used. Each wants a reason and happens once. */
export async function action({ request, params }: ActionFunctionArgs) {
  const { shop, admin, actor } = await requireMerchant(request)
  const customer = requireCustomer(params.id)
  const story = await findMemberStory(shop.id, customer)
  if (!story) throw data({ message: 'There is no such member' }, 404)
  const at = now()
  const parsed = parseMemberChange(await request.formData(), {
    customer: story.customer,
    at,
    actor,
    timezone: shop.timezone,
  })
  if (!parsed.ok) return data<MemberChangeReply>(parsed, 400)
  const { event } = parsed
  if (event.type === 'cancel-redemption') {
    const held = story.redemptions.find((one) => one.code === event.code)
    return data<MemberChangeReply>(...(await takeBack(shop, admin, held?.id ?? '')))
  }
  const applied = await applyEvents(shop.id, [event], at)
  const refused = applied.ok ? applied.changes[0]!.refused : applied.reason
  if (refused) return data<MemberChangeReply>({ ok: false, errors: { form: sayRefusal(refused) } }, 400)
  return data<MemberChangeReply>({ ok: true, intent: parsed.intent })
}

/** Takes a code back as the shopper would give it back, and says what came of it. */
async function takeBack(shop: Shop, admin: AdminClient, id: string): Promise<[MemberChangeReply, number]> {
  const refuse = (form: string): [MemberChangeReply, number] => [{ ok: false, errors: { form } }, 400]
  const held = await findRedemption(shop.id, id)
  if (!held) return refuse('This member has no such code.')
  const cancelled = await cancelRedemption(shop, admin, held)
  if (!cancelled.ok) return refuse(sayRefusal(cancelled.reason))
  const { state, returned } = cancelled.redemption
  const [ranOut, published] = await Promise.all([findRunOutOnReturn(shop.id, [id]), findPublishedProgram(shop.id)])
  const name = published?.document.pointsName ?? NO_NAME
  const message = sayTakenBack({ state, returned, ranOut: ranOut.get(id) ?? 0 }, name)
  return [{ ok: true, intent: 'take-back-code', message }, 200]
}

import { data, type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Layout, Page } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { retryMessage } from '#app/db/inbox.server.ts'
import { listFailedEffects, listMessages, listSetAside, retryEffect } from '#app/db/messages.server.ts'
import { listPrivacyRequests } from '#app/db/privacy.server.ts'
import { findLastReading } from '#app/db/readings.server.ts'
import { askBackfill } from '#app/jobs/backfill.ts'
import { setHistoryEarns } from '#app/db/programs.server.ts'
import { isGid } from '#app/loyalty/ids.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { titlesOrNone } from '#app/shopify/titles.server.ts'
import { findSubject } from '#app/shopify/webhook.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { DataRequestsCard } from '#app/ui/data-requests-card.tsx'
import { PastOrdersCard } from '#app/ui/past-orders-card.tsx'
import { FailedEffects, findAbout, MessageActivity, SetAsideMessages, useRetrying } from '#app/ui/message-lists.tsx'
import { RefusalBanner } from '#app/ui/refusal-banner.tsx'
import { ShowOlder } from '#app/ui/show-older.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'

export { keepPage as clientAction, keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Messages · Perennial' }]

const SET_ASIDE_SIZE = 50
const ACTIVITY_SIZE = 30
const NO_NAMES: Record<string, string> = {}

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const before = new URL(request.url).searchParams.get('before') ?? undefined
  const [setAside, effects, latest, backfill, requests] = await Promise.all([
    listSetAside(shop.id, SET_ASIDE_SIZE),
    listFailedEffects(shop.id, SET_ASIDE_SIZE),
    listMessages(shop.id, { size: ACTIVITY_SIZE + 1, before }),
    findLastReading(shop.id, 'backfill'),
    listPrivacyRequests(shop.id),
  ])
  const shown = { setAside: setAside.map(withSubject), latest: latest.slice(0, ACTIVITY_SIZE).map(withSubject) }
  const abouts = [...shown.setAside, ...shown.latest].map(({ about }) => about)
  const subjects = [...new Set([...abouts, ...effects.map(findAbout)].flatMap((about) => about ?? []))]
  const [orders, customers] = ['Order', 'Customer'].map((type) => subjects.filter((gid) => isGid(gid, type)))
  return {
    ...shown,
    effects,
    // Streamed behind the page, which is not held up by it.
    names: Promise.all([titlesOrNone(admin, orders!), namesOrNone(admin, customers!)]).then(
      ([titles, names]): Record<string, string> => ({ ...titles, ...names }),
    ),
    older: latest.length > ACTIVITY_SIZE ? latest[ACTIVITY_SIZE - 1]!.id : null,
    backfill: backfill && {
      state: backfill.state,
      position: backfill.position,
      total: backfill.total,
      error: backfill.error,
      finishedAt: backfill.finishedAt,
    },
    dataRequests: requests
      .filter(
        ({ topic, memberId, answer }) => topic === 'customers/data_request' && memberId !== null && answer !== null,
      )
      .map(({ id, memberId, requestedAt, answer }) => ({
        id,
        customer: memberId!,
        requestedAt,
        answer: JSON.stringify(answer, null, 2),
      })),
    readsAllOrders: shop.scopes.includes('read_all_orders'),
    timezone: shop.timezone,
  }
}

/** A message with the order or customer (gid) that it is about, where it says so, and no longer with its body, which may name people. */
function withSubject<T extends { topic: string; read: string | null; payload: string | null }>(message: T) {
  const { read, payload, ...rest } = message
  return { ...rest, about: read ?? (payload === null ? null : findSubject(message.topic, payload)) }
}

/** Tries a message, or an effect, once more; or has past orders read. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const form = await request.formData()
  if (form.get('kind') === 'backfill') {
    await setHistoryEarns(shop.id, form.get('earns') === 'yes')
    await askBackfill(shop.id)
    return data({ ok: true, message: 'Past orders are being read' })
  }
  const id = String(form.get('id') ?? '')
  const retry = { message: retryMessage, effect: retryEffect }[String(form.get('kind'))]
  if (!retry) return data({ ok: false, message: 'Only a message or an effect can be tried again' }, 400)
  const found = await retry(shop.id, id, now())
  if (!found) return data({ ok: false, message: 'It was tried again already, or is gone' }, 404)
  return data({ ok: true, message: 'It will be tried again in a moment' })
}

export default function Messages() {
  const { setAside, effects, latest, older, backfill, dataRequests, readsAllOrders, timezone, ...streamed } =
    useLoaderData<typeof loader>()
  const names = useResolved(streamed.names, NO_NAMES)
  const retrying = useRetrying()
  return (
    <Page
      title="Messages"
      subtitle="What Shopify told us, and what became of it. Nothing is lost: what fails waits here."
    >
      <Layout>
        <Layout.Section>
          <BlockStack gap="400">
            {retrying.refusal && <RefusalBanner>{retrying.refusal}</RefusalBanner>}
            <SetAsideMessages messages={setAside} names={names} timezone={timezone} retrying={retrying} />
            {effects.length > 0 && (
              <FailedEffects effects={effects} names={names} timezone={timezone} retrying={retrying} />
            )}
            {dataRequests.length > 0 && <DataRequestsCard requests={dataRequests} timezone={timezone} />}
            <PastOrdersCard backfill={backfill} readsAllOrders={readsAllOrders} timezone={timezone} />
            <MessageActivity messages={latest} names={names} timezone={timezone} />
            <ShowOlder before={older}>Show older messages</ShowOlder>
          </BlockStack>
        </Layout.Section>
      </Layout>
    </Page>
  )
}

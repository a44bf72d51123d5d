import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Layout, Page } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { countReminders, findReminding } from '#app/db/reminders.server.ts'
import { buildTemplate, TEMPLATES } from '#app/loyalty/templates.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { ChangesCard } from '#app/ui/changes-card.tsx'
import { EstimateCard } from '#app/ui/estimate-card.tsx'
import { ProgramDraftProvider } from '#app/ui/program-draft.tsx'
import { ProblemsBanner } from '#app/ui/problems-banner.tsx'
import { ProgramForm } from '#app/ui/program-form.tsx'
import { ProgramStart } from '#app/ui/program-start.tsx'
import { RemindersCard } from '#app/ui/reminders-card.tsx'

export { keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Program · Perennial' }]

/** How far back reminders are counted. */
const REMINDERS_SHOWN_MS = 30 * 86_400_000

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const at = now()
  const [published, { on }, queued] = await Promise.all([
    findPublishedProgram(shop.id),
    findReminding(shop.id),
    countReminders(shop.id, at - REMINDERS_SHOWN_MS),
  ])
  const { name, currency, timezone } = shop
  return {
    now: at,
    reminders: { on, queued, expires: published?.document.expiry.model !== 'none' },
    published: published && { version: published.version, document: published.document },
    templates: published
      ? []
      : TEMPLATES.map((template) => ({
          ...template,
          document: buildTemplate(template.id, { name, currency, timezone }),
        })),
  }
}

export default function Program() {
  const { published, templates, reminders, now: at } = useLoaderData<typeof loader>()
  const ground = published ?? { version: 0, document: null }
  return (
    <ProgramDraftProvider id="program" published={ground} savedMessage="Program saved">
      <Page
        title="Program"
        subtitle="What members earn, how long it waits, and how long it lasts"
        secondaryActions={[{ content: 'Versions', url: '/app/program/versions' }]}
      >
        <ProgramStart templates={templates}>
          <Layout>
            <Layout.Section>
              <BlockStack gap="400">
                <ProblemsBanner />
                <ProgramForm />
              </BlockStack>
            </Layout.Section>
            <Layout.Section variant="oneThird">
              <BlockStack gap="400">
                <EstimateCard now={at} />
                <ChangesCard />
                {published && <RemindersCard {...reminders} />}
              </BlockStack>
            </Layout.Section>
          </Layout>
        </ProgramStart>
      </Page>
    </ProgramDraftProvider>
  )
}

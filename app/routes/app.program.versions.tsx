import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { BlockStack, Button, Page } from '@shopify/polaris'

import { listProgramVersions } from '#app/db/program-history.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { sayActor } from '#app/ui/actor-words.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { ProgramFile } from '#app/ui/program-file.tsx'
import { ProgramVersions } from '#app/ui/program-versions.tsx'
import { ShowOlder } from '#app/ui/show-older.tsx'

export { keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Versions · Perennial' }]

const PAGE_SIZE = 20

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, actor } = await requireMerchant(request)
  const before = Number(new URL(request.url).searchParams.get('before')) || undefined
  const [versions, [current]] = await Promise.all([
    listProgramVersions(shop.id, PAGE_SIZE + 1, before),
    listProgramVersions(shop.id, 1),
  ])
  return {
    versions: versions
      .slice(0, PAGE_SIZE)
      .map(({ publishedBy, ...version }) => ({ ...version, by: sayActor(publishedBy, actor) })),
    older: versions.length > PAGE_SIZE ? versions[PAGE_SIZE - 1]!.version : null,
    current: current ?? null,
    timezone: shop.timezone,
    shopName: shop.name,
  }
}

export default function Versions() {
  const { versions, older, current, timezone, shopName } = useLoaderData<typeof loader>()
  return (
    <Page
      backAction={{ content: 'Program', url: '/app/program' }}
      title="Versions"
      subtitle="Saving never overwrites: every order keeps the version of its day"
    >
      <BlockStack gap="400">
        <ProgramFile
          current={current}
          fileName={`${shopName.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-program.json`}
        />
        {current ? (
          <ProgramVersions versions={versions} current={current} timezone={timezone} />
        ) : (
          <NothingYet
            heading="Nothing was published yet"
            action={<Button url="/app/program">Set up the program</Button>}
          >
            Each time you save the program, the version is kept here with what it changed.
          </NothingYet>
        )}
        <ShowOlder before={older}>Show older versions</ShowOlder>
      </BlockStack>
    </Page>
  )
}

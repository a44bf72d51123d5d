import { data, redirect, type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { Badge, Banner, BlockStack, Box, Page } from '@shopify/polaris'
import { useState } from 'react'

import { now } from '#app/clock.server.ts'
import {
  checkAnew,
  countImport,
  countPointsLeft,
  discardImport,
  findImport,
  listRefused,
  listSamples,
  listUsable,
  moveImport,
} from '#app/db/imports.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { wakeImports } from '#app/jobs/import-members.ts'
import { checkMapping, IMPORT_FIELDS, type ImportMapping } from '#app/loyalty/import-columns.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { hundredPointsMinor } from '#app/loyalty/points-worth.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { ImportProgress, UndoImport, useImportAction } from '#app/ui/import-actions.tsx'
import { ImportColumns, type ImportReply } from '#app/ui/import-columns-card.tsx'
import { ImportFigures, ImportLines, ImportTerms, RefusedLines } from '#app/ui/import-preview.tsx'
import { IMPORT_STATES, isInWork, sayMembers, sayTerms } from '#app/ui/import-words.ts'
import { RefusalBanner } from '#app/ui/refusal-banner.tsx'
import { useLookAgain } from '#app/ui/use-look-again.ts'
import { useResolved } from '#app/ui/use-resolved.ts'
import { showCount, showDay, showMoney, showPoints } from '#app/ui/words.ts'

export { keepPage as clientAction, keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'
export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Bring members over · Perennial' }]

const LINES_SHOWN = 8
const REFUSED_SHOWN = 25
const SAMPLES = 3
const NO_NAMES: Record<string, string> = {}

export async function loader({ request, params }: LoaderFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const found = await findImport(shop.id, params.id ?? '')
  if (!found || found.state === 'uploading' || found.state === 'discarded') {
    throw data({ message: 'There is no such file' }, 404)
  }
  const [counts, usable, refused, samples, published, left] = await Promise.all([
    countImport(shop.id, found.id),
    listUsable(shop.id, found.id, LINES_SHOWN),
    listRefused(shop.id, found.id, REFUSED_SHOWN),
    found.state === 'matching' || found.state === 'checked' ? listSamples(shop.id, found.id, SAMPLES) : [],
    findPublishedProgram(shop.id),
    found.state === 'done' ? countPointsLeft(shop.id, found.id) : 0,
  ])
  const points = counts.readyPoints + counts.givenPoints
  const spendable = found.state === 'done' ? left : points
  const perHundred = published && hundredPointsMinor(published.document, shop.currency)
  return {
    found,
    counts,
    usable,
    refused: refused.map(({ line, problems }) => ({ line, problems })),
    samples,
    points,
    left,
    worth: perHundred === null ? null : sayMoney((BigInt(spendable) * BigInt(perHundred)) / 100n, shop.currency),
    names: namesOrNone(
      admin,
      usable.map(({ customer }) => customer),
    ),
    terms: published && found.state === 'checked' ? sayTerms(found.mapping, published.document) : [],
    tiers: published?.document.tiers?.levels.map(({ id, name }) => ({ id, name })) ?? [],
    pointsName: published?.document.pointsName ?? { one: 'point', other: 'points' },
    timezone: shop.timezone,
  }
}

function sayMoney(minor: bigint, currency: string): string {
  return showMoney(formatMoney(Number(minor), currency), currency)
}

export default function Import() {
  const { found, counts, left, pointsName, timezone } = useLoaderData<typeof loader>()
  const [changing, setChanging] = useState(false)
  const [undoing, setUndoing] = useState(false)
  const { send, sending, refusal } = useImportAction()
  useLookAgain(isInWork(found.state))
  const { state } = found
  const canChange = state === 'matching' || state === 'checked'
  return (
    <Page
      backAction={{ content: 'Bring members over', url: '/app/imports' }}
      title={`Members from ${found.source}`}
      titleMetadata={<Badge tone={IMPORT_STATES[state]?.tone}>{IMPORT_STATES[state]?.text ?? state}</Badge>}
      subtitle={`${found.fileName}, ${showDay(found.uploadedAt, timezone)}`}
      primaryAction={
        state === 'checked' && counts.ready > 0
          ? {
              content: `Bring in ${sayMembers(counts.ready)}`,
              loading: sending === 'apply',
              onAction: () => send('apply'),
            }
          : undefined
      }
      secondaryActions={[
        ...(state === 'checked' ? [{ content: 'Change columns', onAction: () => setChanging(true) }] : []),
        ...(canChange ? [{ content: 'Throw away', onAction: () => send('discard') }] : []),
        ...(state === 'done' && counts.given > 0
          ? [{ content: 'Undo', destructive: true, onAction: () => setUndoing(true) }]
          : []),
      ]}
    >
      <UndoImport
        open={undoing}
        onClose={() => setUndoing(false)}
        onUndo={() => send('undo')}
        given={counts.given}
        {...{ points: counts.givenPoints, left, pointsName }}
      />
      {refusal && (
        <Box paddingBlockEnd="400">
          <RefusalBanner>{refusal}</RefusalBanner>
        </Box>
      )}
      <ImportBody changing={changing && state === 'checked'} onChanged={() => setChanging(false)} />
    </Page>
  )
}

/** What the page shows at each step: columns to match, work going on, whom the file brings, and what cannot be used. */
function ImportBody({ changing, onChanged }: { changing: boolean; onChanged: () => void }) {
  const { found, counts, usable, refused, samples, points, left, worth, terms, tiers, pointsName, ...streamed } =
    useLoaderData<typeof loader>()
  const names = useResolved(streamed.names, NO_NAMES)
  const { state } = found
  const isMatching = state === 'matching'
  const usableCount = counts.ready + counts.given + counts.back
  return (
    <BlockStack gap="400">
      {state === 'undone' && (
        <Banner tone="info">
          <p>{sayUndone(counts.givenPoints, counts.takenBack, (count) => showPoints(count, pointsName))}</p>
        </Banner>
      )}
      {state === 'checked' && usableCount === 0 && (
        <Banner tone="warning" title="No line of this file can be used">
          <p>Look at what is wrong below, or change the columns.</p>
        </Banner>
      )}
      {isInWork(state) && (
        <ImportProgress state={state} error={found.error} {...countWork(state, counts, found.lines)} />
      )}
      {(isMatching || changing) && (
        <ImportColumns
          {...{ header: found.header, mapping: found.mapping, samples }}
          onCancel={isMatching ? undefined : onChanged}
          onDone={onChanged}
        />
      )}
      {!isMatching && usableCount > 0 && (
        <ImportFigures {...{ state, counts, points, left, worth }} takenBack={counts.takenBack} />
      )}
      {terms.length > 0 && usableCount > 0 && <ImportTerms terms={terms} />}
      {!isMatching && <ImportLines lines={usable} total={usableCount} {...{ names, tiers, pointsName }} />}
      <RefusedLines id={found.id} lines={refused} total={counts.refused} />
    </BlockStack>
  )
}

type Counts = { raw: number; ready: number; refused: number; given: number; back: number }

function countWork(state: string, { raw, ready, given, back }: Counts, lines: number): { done: number; total: number } {
  if (state === 'checking') return { done: lines - raw, total: lines }
  return state === 'applying' ? { done: given, total: given + ready } : { done: back, total: back + given }
}

function sayUndone(points: number, takenBack: number, show: (points: number) => string): string {
  if (points === takenBack) return `All ${show(points)} were taken back. You can bring the file in again.`
  const kept = points - takenBack
  return `${show(takenBack)} of ${showCount(points)} were taken back. ${show(kept)} had been spent or had expired, and stay so.`
}

/** Columns chosen, brought in, undone, or thrown away: each only where the import is ready for it, so twice does no harm. */
export async function action({ request, params }: ActionFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const found = await findImport(shop.id, params.id ?? '')
  if (!found) throw data({ message: 'There is no such file' }, 404)
  const form = await request.formData()
  const intent = String(form.get('intent'))
  const at = now()
  if (intent === 'columns') {
    const mapping = readMapping(form)
    const errors = checkMapping(mapping, found.header.length)
    if (Object.keys(errors).length > 0)
      return data<ImportReply>({ ok: false, errors: errors as Record<string, string> }, 400)
    return answer(shop.id, await checkAnew(shop.id, found.id, mapping, at), 'The file is being checked')
  }
  if (intent === 'apply') {
    const moved = await moveImport(shop.id, found.id, ['checked'], 'applying', at)
    return answer(shop.id, moved, 'The members are being brought in')
  }
  if (intent === 'undo') {
    const moved = await moveImport(shop.id, found.id, ['done'], 'undoing', at)
    return answer(shop.id, moved, 'The points are being taken back')
  }
  if (intent === 'discard') {
    if (await discardImport(shop.id, found.id, at)) return redirect('/app/imports')
    return answer(shop.id, false, '')
  }
  return data<ImportReply>({ ok: false, errors: { form: 'This cannot be done here.' } }, 400)
}

async function answer(shopId: number, moved: boolean, message: string) {
  if (!moved) {
    const text = 'This file is at another step by now. The page shows where.'
    return data<ImportReply>({ ok: false, errors: { form: text } }, 409)
  }
  await wakeImports(shopId)
  return data<ImportReply>({ ok: true, message })
}

function readMapping(form: FormData): ImportMapping {
  const places = IMPORT_FIELDS.map((field) => {
    const text = String(form.get(field) ?? '')
    return [field, text === '' ? null : Number(text)] as const
  })
  return Object.fromEntries(places) as ImportMapping
}

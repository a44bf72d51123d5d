import { data, type ActionFunctionArgs } from '@remix-run/node'
import type { ClientActionFunctionArgs } from '@remix-run/react'
import { z } from 'zod'

import { now } from '#app/clock.server.ts'
import { findPublishedProgram, publishOnTop } from '#app/db/program-history.server.ts'
import { findDiscountedShare } from '#app/db/campaign-figures.server.ts'
import { keepOverride, listCampaignRecords } from '#app/db/campaigns.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { findSameName, listStops, titlesOf, withStops } from '#app/loyalty/campaigns.ts'
import { diff } from '#app/loyalty/diff.ts'
import { FATIGUE_WINDOW_DAYS, findFatiguePeak, judgeFatigue, measureAhead } from '#app/loyalty/fatigue.ts'
import { parseProgram, requireProgram } from '#app/loyalty/parse-program.ts'
import { problemAt, type Problem } from '#app/loyalty/problems.ts'
import type { Program } from '#app/loyalty/program.ts'
import { DAY_MS } from '#app/loyalty/time.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { showRate } from '#app/ui/words.ts'
import { askServer } from '#app/ui/keep-page.ts'
import type { PublishReply } from '#app/ui/use-publish.ts'

/** A program document of more than this many characters is a mistake: 1,000 rules need a fifth of it. */
const DOCUMENT_LENGTH_MAX = 1_000_000

const formSchema = z.object({
  document: z.string().max(DOCUMENT_LENGTH_MAX),
  basedOn: z.coerce.number().int().min(0),
  overrideReason: z.string().trim().max(300).optional(),
})

/** Publishes the next version of the program. All editors post here; `basedOn` is the version they were opened with. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, actor } = await requireMerchant(request)
  const form = formSchema.safeParse(Object.fromEntries(await request.formData()))
  if (!form.success) return refuse('must come with the document and the version it is based on')
  const json = readJson(form.data.document)
  if (json === undefined) return refuse('is not JSON')
  const before = await findPublishedProgram(shop.id)
  const parsed = parseProgram(json, before?.document)
  if (!parsed.ok) return data<PublishReply>(parsed, 400)
  if (parsed.document.currency !== shop.currency) {
    return refuse(`must be ${shop.currency}, the currency of your store`, 'currency')
  }
  const at = now()
  const guard = await judgeCampaigns(shop.id, parsed.program, before && requireProgram(before.document), at)
  if (guard.stops && !form.data.overrideReason) guard.problems.push(problemAt(['overrideReason'], guard.message))
  if (guard.problems.length > 0) {
    return data<PublishReply>({ ok: false, reason: 'invalid_program', problems: guard.problems }, 400)
  }
  const changes = before ? diff(before.document, parsed.document) : ['The program begins']
  const published = await publishOnTop(shop.id, parsed.document, {
    basedOn: form.data.basedOn,
    at,
    actor,
    note: changes.join('\n'),
  })
  if (published.ok && guard.stops) await keepOverride(shop.id, guard.added, form.data.overrideReason!, at)
  return data<PublishReply>(published, published.ok ? 200 : 409)
}

/** Where the request does not arrive, that is what is wrong with the program. */
export function clientAction({ serverAction }: ClientActionFunctionArgs) {
  return askServer<PublishReply, PublishReply>(serverAction, (message) => ({
    ok: false,
    reason: 'invalid_program',
    problems: [problemAt([], message)],
  }))
}

/**
 * The discount-fatigue guard: it stops a program whose campaigns reach the limit in some 90 days, unless it was as bad before, and one that
 * plans more discounts while too many orders have one already. `added` are the campaigns that are new or changed; `problems` those of them whose
 * results could not be told from another's.
 */
async function judgeCampaigns(shopId: number, program: Program, before: Program | null, at: number) {
  const records = await listCampaignRecords(shopId)
  const stops = new Map([...records].map(([id, record]) => [id, listStops(record, at)]))
  const { campaigns } = withStops(program, stops)
  const campaignsBefore = before ? withStops(before, stops).campaigns : []
  const { share } = findFatiguePeak(campaigns, at)
  const isDaily = judgeFatigue(share) === 'stop' && share > findFatiguePeak(campaignsBefore, at).share
  const ordersShare =
    measureAhead(campaigns, at) > measureAhead(campaignsBefore, at)
      ? await findDiscountedShare(shopId, at - FATIGUE_WINDOW_DAYS * DAY_MS, at)
      : null
  const known = new Set(before?.document.campaigns.map((campaign) => JSON.stringify(campaign)))
  const added = program.document.campaigns.filter((one) => !known.has(JSON.stringify(one))).map((one) => one.id)
  const programs = await loadPrograms(shopId)
  const versions = [...(programs?.versions ?? []), { program }]
  const sameNames = campaigns.flatMap((one, index): Problem[] => {
    const other = added.includes(one.id) && findSameName(one, campaigns, (id) => titlesOf(id, { versions }))
    if (!other) return []
    const message = `must be another: "${other.name}" runs at the same time and is or was called that too, and orders say by its name alone which discount they had`
    return [problemAt(['campaigns', index, 'name'], message)]
  })
  const days = `with this there would be discounts on ${Math.round(share * FATIGUE_WINDOW_DAYS)} of ${FATIGUE_WINDOW_DAYS} days`
  const orders = `${showRate(ordersShare)} of the orders of the last ${FATIGUE_WINDOW_DAYS} days had a discount already`
  return {
    stops: isDaily || judgeFatigue(ordersShare) === 'stop',
    added,
    problems: sameNames,
    message: `Say why: ${isDaily ? days : orders}`,
  }
}

function refuse(message: string, field = '') {
  const problems = [problemAt(field === '' ? [] : [field], message)]
  return data<PublishReply>({ ok: false, reason: 'invalid_program', problems }, 400)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

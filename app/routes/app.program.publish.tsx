import { data, type ActionFunctionArgs } from '@remix-run/node'
import { z } from 'zod'

import { now } from '#app/clock.server.ts'
import { findPublishedProgram, publishOnTop } from '#app/db/program-history.server.ts'
import { diff } from '#app/loyalty/diff.ts'
import { parseProgram } from '#app/loyalty/program.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import type { PublishReply } from '#app/ui/program-draft.tsx'

/** A program document of more than this many characters is a mistake: 1,000 rules need a fifth of it. */
const DOCUMENT_LENGTH_MAX = 1_000_000

const formSchema = z.object({
  document: z.string().max(DOCUMENT_LENGTH_MAX),
  basedOn: z.coerce.number().int().min(0),
})

/** Publishes the next version of the program. All editors post here; `basedOn` is the version they were opened with. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, actor } = await requireMerchant(request)
  const form = formSchema.safeParse(Object.fromEntries(await request.formData()))
  if (!form.success) return refuse('must come with the document and the version it is based on')
  const json = readJson(form.data.document)
  if (json === undefined) return refuse('is not JSON')
  const parsed = parseProgram(json)
  if (!parsed.ok) return data<PublishReply>(parsed, 400)
  if (parsed.document.currency !== shop.currency) {
    return refuse(`must be ${shop.currency}, the currency of your store`, 'currency')
  }
  const before = await findPublishedProgram(shop.id)
  const changes = before ? diff(before.document, parsed.document) : ['The program begins']
  const published = await publishOnTop(shop.id, parsed.document, {
    basedOn: form.data.basedOn,
    at: now(),
    actor,
    note: changes.join('\n'),
  })
  return data<PublishReply>(published, published.ok ? 200 : 409)
}

function refuse(message: string, field = '') {
  const problem = { path: field === '' ? [] : [field], field, message }
  return data<PublishReply>({ ok: false, reason: 'invalid_program', problems: [problem] }, 400)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

import { json, type ActionFunctionArgs } from '@remix-run/node'

import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { IMPORT_BYTES_MAX, takeImport } from '#app/jobs/take-import.ts'
import { requireMerchant } from '#app/shopify.server.ts'

const NAME_LENGTH_MAX = 200
const SOURCE_LENGTH_MAX = 50

/**
 * POST /app/imports/upload?source=Smile.io&name=members.csv, the file as the body: it is read as it comes in and never held whole. Answers with the
 * import's id, or with what is wrong as a sentence (400, 413).
 */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, actor } = await requireMerchant(request)
  const query = new URL(request.url).searchParams
  const source = clean(query.get('source'), SOURCE_LENGTH_MAX)
  const fileName = clean(query.get('name'), NAME_LENGTH_MAX) || 'members.csv'
  if (source === '') return json({ error: 'Say which app the file comes from.' }, 400)
  if (!request.body) return json({ error: 'Choose the file first.' }, 400)
  if (Number(request.headers.get('Content-Length') ?? 0) > IMPORT_BYTES_MAX) {
    return json({ error: 'This file is larger than 20 MB. Part it into several files, each with the first line.' }, 413)
  }
  if (!(await findPublishedProgram(shop.id))) return json({ error: 'Publish your program first.' }, 400)
  const taken = await takeImport(shop.id, { fileName, source, actor, bytes: request.body })
  return taken.ok ? json({ id: taken.id }) : json({ error: taken.error }, 400)
}

/** What people gave as a name, without anything that is not to be seen. */
function clean(text: string | null, length: number): string {
  return (text ?? '').replace(/\p{C}/gu, ' ').trim().slice(0, length)
}

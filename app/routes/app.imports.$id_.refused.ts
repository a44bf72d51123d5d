import { data, type LoaderFunctionArgs } from '@remix-run/node'

import { findImport, listRefused, type ImportRow } from '#app/db/imports.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { csvFile } from '#app/ui/csv-file.ts'

const LINES_A_PIECE = 2_000

/** GET /app/imports/<id>/refused: the lines that cannot be used as CSV, as they stand in the file and with what is wrong, to be mended and brought in again. */
export async function loader({ request, params }: LoaderFunctionArgs): Promise<Response> {
  const { shop } = await requireMerchant(request)
  const found = await findImport(shop.id, params.id ?? '')
  if (!found) throw data({ message: 'There is no such file' }, 404)
  return csvFile('lines-to-mend.csv', writeRefused(shop.id, found))
}

async function* writeRefused(shopId: number, { id, header }: Pick<ImportRow, 'id' | 'header'>) {
  yield [[...header, 'line in the file', 'what is wrong']]
  for (let after = 0; ;) {
    const lines = await listRefused(shopId, id, LINES_A_PIECE, after)
    yield lines.map(({ line, fields, problems }) => {
      // Lines that were forgotten since keep their places, so that columns do not shift.
      const whole = Array.from({ length: header.length }, (_, place) => fields?.[place] ?? '')
      const wrong = problems.map(({ column, found: text, allowed }) => `${column}: “${text}”; allowed: ${allowed}`)
      return [...whole, line, wrong.join(' · ')]
    })
    if (lines.length < LINES_A_PIECE) return
    after = lines.at(-1)!.line
  }
}

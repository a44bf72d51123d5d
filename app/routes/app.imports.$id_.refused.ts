import { data, type LoaderFunctionArgs } from '@remix-run/node'

import { findImport, listRefused } from '#app/db/imports.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { toCsv } from '#app/ui/export-csv.tsx'

const LINES_A_PIECE = 2_000

/** GET /app/imports/<id>/refused: the lines that cannot be used as CSV, as they stand in the file and with what is wrong, to be mended and brought in again. */
export async function loader({ request, params }: LoaderFunctionArgs): Promise<Response> {
  const { shop } = await requireMerchant(request)
  const found = await findImport(shop.id, params.id ?? '')
  if (!found) throw data({ message: 'There is no such file' }, 404)
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const write = (row: (string | number)[]) => controller.enqueue(new TextEncoder().encode(toCsv([row])))
      write([...found.header, 'line in the file', 'what is wrong'])
      for (let after = 0; ;) {
        const lines = await listRefused(shop.id, found.id, LINES_A_PIECE, after)
        for (const { line, fields, problems } of lines) {
          // Lines that were forgotten since keep their places, so that columns do not shift.
          const whole = Array.from({ length: found.header.length }, (_, place) => fields?.[place] ?? '')
          const wrong = problems.map(({ column, found: text, allowed }) => `${column}: “${text}”; allowed: ${allowed}`)
          write([...whole, line, wrong.join(' · ')])
        }
        if (lines.length < LINES_A_PIECE) break
        after = lines.at(-1)!.line
      }
      controller.close()
    },
  })
  return new Response(body, {
    headers: {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': 'attachment; filename="lines-to-mend.csv"',
      'Cache-Control': 'no-store',
    },
  })
}

import { toCsv, type CsvRow } from '#app/ui/export-csv.tsx'

/** A CSV file to be saved as `name`, of rows that come a piece at a time, so that no list is too long for it; the head first. */
export function csvFile(name: string, pieces: AsyncGenerator<CsvRow[]>): Response {
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done) controller.close()
      else controller.enqueue(new TextEncoder().encode(toCsv(value)))
    },
  })
  return new Response(body, {
    headers: {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="${name}"`,
      'Cache-Control': 'no-store',
    },
  })
}

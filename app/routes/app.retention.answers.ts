import type { LoaderFunctionArgs } from '@remix-run/node'

import { now } from '#app/clock.server.ts'
import { listAnswers } from '#app/db/feedback.server.ts'
import { askMeasures, NPS_MONTHS } from '#app/db/retention.server.ts'
import { addMonths, formatInstant } from '#app/loyalty/time.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { csvFile } from '#app/ui/csv-file.ts'

const ANSWERS_A_PIECE = 5_000

/** What customers answered in the last 12 months as CSV, all of it, a piece at a time so that no list is too long for it. */
export async function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  const { shop } = await requireMerchant(request)
  const { asOf, timeZone } = await askMeasures(shop, now())
  const stretch = { from: addMonths(asOf, -NPS_MONTHS, timeZone), until: asOf }
  return csvFile('answers.csv', writeAnswers(shop.id, stretch))
}

async function* writeAnswers(shopId: number, stretch: Parameters<typeof listAnswers>[1]) {
  yield [['customer', 'score', 'comment', 'answered_at']]
  for (let offset = 0; ; offset += ANSWERS_A_PIECE) {
    const rows = await listAnswers(shopId, stretch, { limit: ANSWERS_A_PIECE, offset })
    yield rows.map((row) => [row.customer, row.score, row.comment, formatInstant(row.answeredAt)])
    if (rows.length < ANSWERS_A_PIECE) return
  }
}

import type { ActionFunctionArgs, LoaderFunctionArgs } from '@remix-run/node'
import { z } from 'zod'
import { now } from '#app/clock.server.ts'
import { COMMENT_MAX, findAnswer, findRound, type FeedbackAnswer } from '#app/db/feedback.server.ts'
import { takeFeedback } from '#app/jobs/take-feedback.ts'
import { answer, readBody, requireActingShopper, requireShopper } from '#app/shopper.server.ts'

const Answer = z.strictObject({
  score: z.int().min(0).max(10),
  comment: z.string().max(COMMENT_MAX).default(''),
})

/** GET /proxy/feedback: what the customer answered in the round that is running; null where they may be asked. */
export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, customer } = await requireShopper(request)
  const [last, round] = await Promise.all([findAnswer(shop.id, customer), findRound(shop.id, customer, now())])
  return answer({ ok: true, answer: last && last.round === round.round ? toReply(last) : null })
}

/**
 * POST /proxy/feedback: how likely the customer is to recommend the shop, 0–10, with words if they like. Within a round the last
 * answer counts (`changed`). Where the program pays for it, `points` says what it paid: once a round, whatever is said in it.
 */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, customer } = await requireActingShopper(request)
  const { score, comment } = await readBody(request, Answer)
  const taken = await takeFeedback(shop.id, customer, { score, comment: readWords(comment) })
  if (!taken.kept) return answer({ ok: false, reason: 'erased' })
  return answer({ ok: true, answer: toReply(taken.answer), changed: taken.changed, points: taken.points })
}

/** Words without what no database and no page can show, or null where there are none. */
function readWords(text: string): string | null {
  const words = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '').trim()
  return words === '' ? null : words
}

function toReply({ score, comment, answeredAt }: FeedbackAnswer) {
  return { score, comment, at: new Date(answeredAt).toISOString() }
}

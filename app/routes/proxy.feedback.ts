import type { ActionFunctionArgs, LoaderFunctionArgs } from '@remix-run/node'
import { z } from 'zod'
import { now } from '#app/clock.server.ts'
import { COMMENT_MAX, findAnswer, findRound, keepAnswer, type FeedbackAnswer } from '#app/db/feedback.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import { answer, readBody, requireActingShopper, requireShopper } from '#app/shopper.server.ts'

/** The activity that a program can pay for an answer, as its rules name it. */
const ACTIVITY = 'custom:feedback'

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
  const at = now()
  const [last, round] = await Promise.all([findAnswer(shop.id, customer), findRound(shop.id, customer, at)])
  const said = { score, comment: readWords(comment) }
  let kept = false
  let points = 0
  const programs = await loadPrograms(shop.id)
  if (programs && versionAt(programs, at).program.earning.some(({ on }) => on === ACTIVITY)) {
    const event = { type: 'event' as const, at, customer, name: 'feedback', key: `round-${round.round}`, order: null }
    // One transaction: an answer that is paid is an answer that is kept.
    await applyEvents(shop.id, [event], at, async (client, [change]) => {
      kept = await keepAnswer(shop.id, customer, round, said, at, client)
      points = change!.transfers.reduce((sum, { reason, amount }) => (reason === 'custom' ? sum + amount : sum), 0)
    })
  } else kept = await keepAnswer(shop.id, customer, round, said, at)
  if (!kept) return answer({ ok: false, reason: 'erased' })
  return answer({
    ok: true,
    answer: toReply({ ...round, ...said, answeredAt: at }),
    changed: last?.round === round.round,
    points,
  })
}

/** Words without what no database and no page can show, or null where there are none. */
function readWords(text: string): string | null {
  const words = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '').trim()
  return words === '' ? null : words
}

function toReply({ score, comment, answeredAt }: FeedbackAnswer) {
  return { score, comment, at: new Date(answeredAt).toISOString() }
}

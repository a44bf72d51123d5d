// Takes what a customer answers to "would you recommend us?" and pays for it, where the program does.
import { now } from '#app/clock.server.ts'
import { findAnswer, findRound, keepAnswer, type FeedbackAnswer, type Said } from '#app/db/feedback.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { versionAt } from '#app/loyalty/ledger.ts'

/** The activity that a program can pay for an answer, as its rules name it. */
const ACTIVITY = 'custom:feedback'

/** What became of an answer: `changed` where it took another's place in its round, `points` what it paid. */
export type Taken = { kept: true; answer: FeedbackAnswer; changed: boolean; points: number } | { kept: false }

/**
 * Keeps an answer in the round that is running, in which the last one counts. Where the program pays for it, it does so for the first one in a
 * round, whatever is said in it. An erased customer's answer is not kept.
 */
export async function takeFeedback(shopId: number, customer: string, said: Said): Promise<Taken> {
  const at = now()
  const [last, round] = await Promise.all([findAnswer(shopId, customer), findRound(shopId, customer, at)])
  // Of two customers who turned out to be one, the rounds were counted on: an answer that is here may have been paid under another number.
  const changed = last?.round === round.round
  let kept = false
  let points = 0
  const programs = changed ? null : await loadPrograms(shopId)
  if (programs && versionAt(programs, at).program.earning.some(({ on }) => on === ACTIVITY)) {
    const event = { type: 'event' as const, at, customer, name: 'feedback', key: `round-${round.round}`, order: null }
    // One transaction: an answer that is paid is an answer that is kept.
    await applyEvents(shopId, [event], at, async (client, [change]) => {
      kept = await keepAnswer(shopId, customer, round, said, at, client)
      points = change!.transfers.reduce((sum, { reason, amount }) => (reason === 'custom' ? sum + amount : sum), 0)
    })
  } else kept = await keepAnswer(shopId, customer, round, said, at)
  if (!kept) return { kept }
  return { kept, answer: { ...round, ...said, answeredAt: at }, changed, points }
}

/** Is everything connected? What the database says about messages and jobs, judged in a merchant's words. */
import { showAgo, showCount } from '#app/ui/words.ts'

/** `good` needs nothing, `waiting` will pass or has not begun, `bad` needs somebody. */
export type Check = { label: string; state: 'good' | 'waiting' | 'bad'; text: string }

/** What db/overview knows; instants in epoch milliseconds. */
export type ConnectionFacts = {
  lastMessageAt: number | null
  waiting: number
  waitingSince: number | null
  setAside: number
  effectsWaiting: number
  effectsSetAside: number
  lastReconciledAt: number | null
  workerSilentSeconds: number | null
}

/** Messages that wait longer than this say that the worker is behind. */
const BEHIND_AFTER_MS = 5 * 60_000
/** The timetable has something to do every minute; this long without a sign and nobody is working. */
const SILENT_AFTER_SECONDS = 10 * 60
/** Reconciliation runs several times a day. */
const RECONCILED_WITHIN_MS = 36 * 3_600_000

/** The checks in the order in which an order goes through them. `now` is epoch milliseconds. */
export function judgeConnection(facts: ConnectionFacts, now: number): Check[] {
  return [judgeMessages(facts, now), judgeWork(facts, now), judgeReconciliation(facts, now), judgeEffects(facts)]
}

function judgeMessages({ lastMessageAt }: ConnectionFacts, now: number): Check {
  const label = 'Orders arrive from Shopify'
  if (lastMessageAt === null) {
    return { label, state: 'waiting', text: 'Nothing has arrived yet. The first order or new customer will show here.' }
  }
  return { label, state: 'good', text: `Last message ${showAgo(lastMessageAt, now)}` }
}

function judgeWork({ waiting, waitingSince, workerSilentSeconds }: ConnectionFacts, now: number): Check {
  const label = 'Points are being worked out'
  if (workerSilentSeconds === null || workerSilentSeconds > SILENT_AFTER_SECONDS) {
    const text = 'No worker is running. Orders are kept safe and will be worked on as soon as one starts.'
    return { label, state: 'bad', text }
  }
  if (waitingSince !== null && now - waitingSince > BEHIND_AFTER_MS) {
    const text = `${showCount(waiting)} messages are waiting, the oldest since ${showAgo(waitingSince, now)}`
    return { label, state: 'waiting', text }
  }
  return { label, state: 'good', text: waiting === 0 ? 'Nothing is waiting' : `${showCount(waiting)} in work` }
}

function judgeReconciliation({ lastReconciledAt }: ConnectionFacts, now: number): Check {
  const label = 'Orders are compared with Shopify'
  if (lastReconciledAt === null) return { label, state: 'waiting', text: 'The first comparison has not run yet' }
  const late = now - lastReconciledAt > RECONCILED_WITHIN_MS
  return { label, state: late ? 'bad' : 'good', text: `Last compared ${showAgo(lastReconciledAt, now)}` }
}

function judgeEffects({ effectsWaiting, effectsSetAside }: ConnectionFacts): Check {
  const label = 'Cards and codes reach Shopify'
  if (effectsSetAside > 0) {
    return { label, state: 'bad', text: `${showCount(effectsSetAside)} could not be sent and need a look` }
  }
  return {
    label,
    state: 'good',
    text: effectsWaiting === 0 ? 'Everything was sent' : `${showCount(effectsWaiting)} on their way`,
  }
}

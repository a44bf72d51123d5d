import { json, type ActionFunctionArgs } from '@remix-run/node'
import { now } from '#app/clock.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import type { Refusal } from '#app/loyalty/engine.ts'
import type { Program } from '#app/loyalty/program.ts'
import { parseRun } from '#app/shopify/record-activity.ts'
import { refuse, requireStep } from '#app/workflow.server.ts'

/** Paid by the app itself, at the moment when they happen: no workflow can say so as well. */
const BY_THEMSELVES: ReadonlySet<string> = new Set(['order', 'signup', 'birthday'])

const WHY: Partial<Record<Refusal, string>> = {
  not_a_member: 'The customer does not take part in the program.',
  erased: 'The customer asked to be forgotten.',
  tier: 'The program has points for this only in other tiers than the member’s.',
  limit_reached: 'The member has had points for this as often as the program allows.',
  not_now: 'The program has no points for this today.',
}

/**
 * POST /flow/record-activity: a workflow of the merchant's in Shopify Flow reports an activity of a customer, and the program pays it.
 *
 * 200 where it was paid, now or by an earlier call with the same run or reference; `points` says what this call paid. Refused with a sentence: who
 * asks ({@link requireStep}), 400 what cannot be read, 422 what the program does not pay. Flow tries again after 5xx, 429 and 10 seconds without an
 * answer, for up to 36 hours; any other 4xx fails the step for good, where the merchant finds it among the workflow's runs (shopify.dev, "Create Flow
 * action endpoints").
 */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, payload } = await requireStep(request)
  const run = parseRun(payload)
  if (!run.ok) return refuse(400, 'invalid', run.message)
  const at = now()
  const programs = await loadPrograms(shop.id)
  if (!programs) return refuse(422, 'no_program', 'No loyalty program has been published yet.')
  const { program } = versionAt(programs, at)
  const name = findActivity(program, run.activity)
  if (name === null) return refuse(422, 'unknown_event', sayUnknown(program, run.activity))
  const { customer, key } = run
  const applied = await applyEvents(shop.id, [{ type: 'event', at, customer, name, key, order: null }], at)
  if (!applied.ok) return refuse(422, applied.reason, 'No loyalty program has been published yet.')
  const { refused, transfers } = applied.changes[0]!
  if (refused !== null) return refuse(422, refused, WHY[refused] ?? `The program refuses this: ${refused}.`)
  // What was due of the member anyway (a release, a birthday) is moved in the same go.
  const paid = transfers.filter(
    ({ from, reason }) => from === 'shop.issued' && (reason === name || reason === 'custom'),
  )
  return json({ ok: true, points: paid.reduce((sum, { amount }) => sum + amount, 0) })
}

/** The event's name of an activity that the program has points for, however it was typed; null where there is none. */
function findActivity(program: Program, typed: string): string | null {
  const wanted = bare(typed).toLowerCase()
  return listActivities(program).find((name) => name.toLowerCase() === wanted) ?? null
}

function listActivities(program: Program): string[] {
  return [...new Set(program.earning.map(({ on }) => bare(on)))].filter((name) => !BY_THEMSELVES.has(name))
}

function bare(on: string): string {
  return on.replace(/^custom:/, '')
}

function sayUnknown(program: Program, typed: string): string {
  const activities = listActivities(program)
  const paid = activities.length > 0 ? `It has points for: ${activities.join(', ')}.` : 'It has points for no activity.'
  return `The program has no points for "${typed}". ${paid}`
}
